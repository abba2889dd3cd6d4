/* Whose owner has left does less and less, until somebody answers for it again: first it
 * writes and executes nothing, then it does nothing at all.  For the caller and for every
 * identity above it.  What the backup owner or a new charter settles is in the registry, so
 * this is a rule over the world and the time, and nothing has to be switched. */

#include "domain/charter/owner.h"
#include "base/time.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* What only looks; everything else changes something, or has others change it. */
static bool is_looking(enum effect effect)
{
	return effect == EFFECT_NONE || effect == EFFECT_READ || effect == EFFECT_GENERATE;
}

static int64_t allowed_s(const struct evaluation *evaluation)
{
	const struct owner_gone_after *after = &evaluation->world->owner_gone;

	return is_looking(evaluation->effect) || after->writes_s > after->all_s ? after->all_s
										: after->writes_s;
}

/* That whoever answers for a link above has left; who and when says its charter, to people. */
static bool refuse_owner_of_other(struct evaluation *evaluation, const struct registry_entry *entry)
{
	return refuse(evaluation, REASON_OWNER_GONE,
		SAY("Nobody answers for %.*s: its owner has left.", TEXT_ARGS(entry->name)),
		SAY("An acknowledgement by its backup owner, or a charter of %.*s with another "
		    "owner, approved.",
			TEXT_ARGS(entry->name)));
}

/* Who left when, of the identity that this is about. */
static bool refuse_owner(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct person *owner)
{
	char since[TIME_TEXT_BYTES];
	const struct charter *charter = charter_of(entry->in_force);

	if (entry != evaluation->entry)
		return refuse_owner_of_other(evaluation, entry);
	time_format_utc_ms(since, owner->left_utc_s * 1000);
	return refuse(evaluation, REASON_OWNER_GONE,
		SAY("Nobody answers for %.*s: its owner %.*s left at %s.", TEXT_ARGS(entry->name),
			TEXT_ARGS(owner->name), since),
		SAY("An acknowledgement by its backup owner %.*s, or a charter of %.*s with "
		    "another "
		    "owner, approved.",
			TEXT_ARGS(charter->backup_owner), TEXT_ARGS(entry->name)));
}

bool check_owner(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct person *owner = evaluation_find_person(evaluation, owner_of(entry));

	if (owner == NULL) /* who acknowledged it is registered no more */
		owner = evaluation_find_person(evaluation, charter_of(entry->in_force)->owner);
	if (owner == NULL || owner->left_utc_s == 0)
		return true;
	evaluation->out->is_owner_gone = true;
	if (evaluation->world->now_utc_ms / 1000 < owner->left_utc_s + allowed_s(evaluation))
		return true;
	return refuse_owner(evaluation, entry, owner);
}

bool rule_owner(struct evaluation *evaluation)
{
	return check_owner(evaluation, evaluation->entry);
}

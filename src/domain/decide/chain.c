/* The chain rule.  First → … → last asks for something: the last may do it by its own
 * charter (the rules before this one); and for each link above it, from the first,
 *
 *   C1  the identity is active, its owner is here (owner.c), it acts in these environments, its
 *       class permits the effect, and no guardrail forbids it for this identity;
 *   C2  a line of its charter in force hands work to the next link, for this effect, up to
 *       what is read and carried, and as many hops on as there are, and the next link's unit
 *       consented to it;
 *   C3  it may do it itself, with the consent of the units that it touches, or that line has a
 *       reach which has the tool in it, consented by the units whose tool and data it is.  A
 *       line with a reach hands on nothing else.
 *
 * The first link that refuses gives the reason.  Its sentences go to the caller: they name the
 * link's charter, the line and what is missing, and never what the line says.  Who has no line any
 * more has handed on nothing, whatever was opened meanwhile. */

#include "domain/task/chain.h"
#include "domain/charter/peer.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* One link above the caller, and where it hands work to. */
struct link {
	const struct registry_entry *entry;
	const struct charter_peer *line;
	struct text next;
	size_t hops_after; /* from the next link to the one that asks */
};

static bool is_about_something(const struct evaluation *evaluation)
{
	return evaluation->tool != NULL || evaluation->model != NULL;
}

/* ---- the line ---- */

static bool refuse_peer(struct evaluation *evaluation, const struct link *link, struct text lacks)
{
	return refuse(evaluation, REASON_PEER,
		SAY("The charter %.*s@%u hands %.*s %.*s.", TEXT_ARGS(link->entry->name),
			link->entry->in_force->version, TEXT_ARGS(link->next), TEXT_ARGS(lacks)),
		SAY("A line for it under peers of the charter of %.*s, approved.",
			TEXT_ARGS(link->entry->name)));
}

/* What goes along: what the call reads, and what it takes out of what was read. */
static enum sensitivity goes_along(const struct evaluation *evaluation)
{
	enum sensitivity label = SENSITIVITY_PUBLIC;

	if (evaluation->model != NULL)
		label = evaluation->out->labels.sensitivity;
	else if (evaluation->tool != NULL && is_carried_to_tool(evaluation))
		label = carried_label(evaluation);
	if (label == SENSITIVITY_UNLABELLED)
		label = SENSITIVITY_PUBLIC;
	if (evaluation->sources_count > 0 &&
		sensitivity_level(evaluation->sensitivity) > sensitivity_level(label))
		label = evaluation->sensitivity;
	return label;
}

static bool check_line(struct evaluation *evaluation, struct link *link)
{
	enum sensitivity label;

	link->line = charter_find_peer(charter_of(link->entry->in_force), link->next);
	if (link->line == NULL)
		return refuse_peer(evaluation, link, TEXT("no work"));
	if (!check_peer_consent(evaluation, link->entry, link->line))
		return false;
	/* What is handed to a peer by its skill is one hop more. */
	if ((size_t)link->line->depth < link->hops_after + evaluation_is_peer(evaluation))
		return refuse_peer(evaluation, link, TEXT("work that it may not hand on so far"));
	if (!is_about_something(evaluation))
		return true;
	if (!evaluation_is_peer(evaluation) && !peer_has_effect(link->line, evaluation->effect))
		return refuse_peer(evaluation, link, SAY("no %s", effect_word(evaluation->effect)));
	/* Where rows are judged one by one, none above it comes. */
	if (is_judged_by_row(evaluation) && evaluation->sources_count > 0)
		lower_ceiling(evaluation, link->line->up_to);
	label = goes_along(evaluation);
	if (peer_covers(link->line, label))
		return true;
	return refuse_peer(
		evaluation, link, SAY("no %s data, which would go along", sensitivity_word(label)));
}

/* ---- the reach ---- */

/* Whose tool it is, or whose data, must have agreed. */
static bool check_consent(struct evaluation *evaluation, const struct link *link, struct text unit)
{
	const struct registry_entry *entry = link->entry;

	if (has_reach_consent(entry, link->line, unit))
		return true;
	return refuse(evaluation, REASON_PEER,
		SAY("Unit %.*s has not consented to what the charter %.*s@%u hands %.*s, "
		    "peers[%u].",
			TEXT_ARGS(unit), TEXT_ARGS(entry->name), entry->in_force->version,
			TEXT_ARGS(link->next),
			(unsigned)(link->line - charter_of(entry->in_force)->peers)),
		SAY(NEEDED_CONSENT, TEXT_ARGS(unit), TEXT_ARGS(entry->name),
			entry->in_force->version));
}

static bool check_reach(struct evaluation *evaluation, const struct link *link)
{
	if (!peer_reaches(link->line, evaluation->call->tool))
		return refuse_peer(
			evaluation, link, SAY("no %.*s", TEXT_ARGS(evaluation->call->tool)));
	if (!check_consent(evaluation, link, evaluation->server->unit))
		return false;
	for (size_t i = 0; i < evaluation->sources_count; i++)
		if (!check_consent(evaluation, link, evaluation->sources[i]->unit))
			return false;
	return true;
}

/* ---- itself ---- */

static bool check_itself(struct evaluation *evaluation, const struct registry_entry *entry)
{
	for (size_t i = 0; i < evaluation->sources_count; i++)
		if (!check_source(evaluation, entry, evaluation->sources[i]))
			return false;
	if (evaluation->model != NULL && !check_model(evaluation, entry))
		return false;
	return check_outputs(evaluation, entry) &&
	       (!is_about_something(evaluation) ||
		       (check_consents(evaluation, entry) && check_ceiling(evaluation, entry)));
}

/* With the link as the principal of what Cedar is asked. */
static bool check_as(struct evaluation *evaluation, const struct link *link)
{
	if (!evaluation_set_principal(evaluation, link->entry))
		return refuse_no_memory(evaluation);
	if (!(is_about_something(evaluation) && peer_has_reach(link->line)
			    ? check_reach(evaluation, link)
			    : check_itself(evaluation, link->entry)))
		return false;
	return check_all_guardrails(evaluation, charter_of(link->entry->in_force)->unit);
}

static bool check_link(struct evaluation *evaluation, const struct chain *chain, size_t at)
{
	struct link link = {
		.entry = evaluation_find_identity(evaluation, chain->links[at]),
		.next = chain->links[at + 1],
		.hops_after = chain->count - 2 - at,
	};

	return check_identity(evaluation, link.entry, chain->links[at]) &&
	       check_owner(evaluation, link.entry) &&
	       check_environment(evaluation, link.entry, evaluation->call->environment) &&
	       check_environment(evaluation, link.entry, evaluation->server->environment) &&
	       check_class(evaluation, link.entry) && check_line(evaluation, &link) &&
	       check_as(evaluation, &link);
}

bool rule_chain(struct evaluation *evaluation)
{
	struct chain chain;

	if (evaluation->task == NULL || evaluation->task->parent == NULL)
		return true;
	if (!chain_of(&chain, evaluation->task))
		return refuse(evaluation, REASON_TASK_NOT_LIVE,
			TEXT("The identities above its task are no chain."),
			TEXT("A new task: ask for a token again."));
	for (size_t at = 0; at + 1 < chain.count; at++)
		if (!check_link(evaluation, &chain, at))
			return false;
	return evaluation_set_principal(evaluation, evaluation->entry) ||
	       refuse_no_memory(evaluation);
}

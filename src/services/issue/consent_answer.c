/* A person looks at a wish and answers it.
 *
 * Who may is for the rules about people to say (a person for themselves alone), for the charter
 * (`acts-for: people`), and for the number that the page shows: whoever was led to type a code
 * that stands in somebody else's browser is asked for what only that browser shows. */
#include <stdlib.h>
#include <string.h>

#include "services/issue/consent.h"
#include "services/issue/consent_private.h"

enum { ANSWER_ARENA_BYTES_MAX = 256 * 1024 };

/* One answer on its way to the log. */
struct answering {
	struct issue *issue;
	char id[RANDOM_ID_BYTES];
	bool is_yes;
	struct arena *arena;
	struct text person;
	struct text key;
	struct fold_change change;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
	struct answering *next;
};

static void answering_free(struct answering *answering)
{
	arena_destroy(&answering->arena);
	free(answering);
}

static void answering_unlink(struct answering *answering)
{
	struct answering **link = &answering->issue->answerings;

	while (*link != NULL && *link != answering)
		link = &(*link)->next;
	if (*link != NULL)
		*link = answering->next;
}

void issue_answerings_drop(struct issue *issue)
{
	while (issue->answerings != NULL) {
		struct answering *answering = issue->answerings;

		issue->answerings = answering->next;
		answering_free(answering);
	}
}

/* ---- who may ---- */

static struct consent *find(const struct issue *issue, struct text code, struct text person)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;

	for (struct consent *consent = issue->consents; consent != NULL; consent = consent->next)
		if (text_is(code, consent->typed))
			return consent->state == ISSUE_CONSENT_WAITS &&
					       now_utc_s < consent->until_utc_s &&
					       issue_person_state(issue, consent->client, person) ==
						       TOKEN_ACCEPTED
				       ? consent
				       : NULL;
	return NULL;
}

static bool may_consent(const struct issue *issue, struct text name, struct error *err)
{
	const struct person *person = registry_find_person(issue->parts.registry, name);
	const struct people_resource resource = {.about = PEOPLE_ABOUT_OBJECT,
		.kind = OBJECT_PERSON,
		.name = name,
		.person = person};
	char actor[sizeof "person:" + PERSON_NAME_BYTES_MAX];

	if (person == NULL || name.length > PERSON_NAME_BYTES_MAX)
		return error_set(err, ERROR_NOT_FOUND, "no such person is registered");
	memcpy(actor, "person:", sizeof "person:" - 1);
	memcpy(actor + sizeof "person:" - 1, name.data, name.length);
	return registry_may_about(issue->parts.registry,
		(struct text){actor, sizeof "person:" - 1 + name.length}, PEOPLE_CONSENT, &resource,
		err);
}

bool issue_consent_has_key(const struct issue *issue, struct text person, struct text key)
{
	const struct person_key *held = NULL;
	const struct registry_entry *entry =
		key.length == 0 ? NULL : registry_find_key(issue->parts.registry, key, &held);

	return entry != NULL && held != NULL && entry->in_force != NULL &&
	       text_equal(entry->name, person) && held->ended_utc_ms == 0;
}

static bool not_found(struct error *err)
{
	return error_set(err, ERROR_NOT_FOUND,
		"nobody waits for this code, or not for you: look at the page again");
}

/* ---- looking ---- */

static bool put_wish(struct json_builder *object, const struct consent *consent, struct error *err)
{
	struct json details;

	json_put_text(object, "identity", consent->client);
	json_put_text(object, "resource", consent->resource);
	json_put_text(object, "redirect_uri", consent->redirect);
	json_put_text_unless_empty(object, "purpose", consent->purpose);
	if (consent->details.length == 0)
		return true;
	if (!json_parse(&details, object->arena, consent->details, &json_limits_default, err))
		return false;
	json_put(object, "authorization_details", details);
	return true;
}

static void put_charter(struct json_builder *object, const struct charter *charter)
{
	json_put_text(object, "charter_purpose", charter->purpose);
	json_put_text(object, "owner", charter->owner);
	json_put_text(object, "unit", charter->unit);
	json_put_cstring(object, "environment", environment_word(charter->acts_for.environment));
	json_put_integer(object, "task_s", charter_token_s(charter));
	json_put_integer(object, "refresh_s", charter->acts_for.refresh_s);
}

bool issue_consent_show(void *context, struct text code, struct text person, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct issue *issue = context;
	const struct consent *consent = find(issue, code, person);
	struct json_builder object;
	struct json shown;

	if (consent == NULL)
		return not_found(err);
	json_object_start(&object, arena);
	json_put_text(&object, "code", text_of(consent->typed));
	if (!put_wish(&object, consent, err))
		return false;
	put_charter(&object, registry_find_charter(issue->parts.registry, consent->client));
	json_put_integer(&object, "expires", consent->until_utc_s * 1000);
	return json_object_seal(&object, &shown, err) && json_copy(out, arena, &shown, err);
}

/* ---- answering ---- */

static bool make_record(struct answering *answering, const struct consent *consent,
	const struct issue_consent_answer *answer, struct error *err)
{
	struct text actor = text_format(answering->arena, "person:%.*s", TEXT_ARGS(answer->person));
	struct json_builder record;
	struct json sealed;

	if (actor.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	json_object_start(&record, answering->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(answering->issue->parts.fold));
	json_put_cstring(&record, "type", "consent-answered");
	json_put_text(&record, "actor", actor);
	json_put_text(&record, "answer", answer->answer);
	json_put_text(&record, "wish", text_of(consent->id));
	if (!put_wish(&record, consent, err))
		return false;
	json_put_text_unless_empty(&record, "signature", answer->signature);
	if (!json_object_seal(&record, &sealed, err))
		return false;
	answering->change.entry = json_canonical_text(answering->arena, &sealed);
	return answering->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a record");
}

static void on_recorded(struct fold_change *change)
{
	struct answering *answering = change->context;
	struct consent *consent = issue_consent_find(answering->issue, text_of(answering->id));

	answering_unlink(answering);
	if (consent != NULL) {
		consent->is_answering = false;
		if (change->is_durable) {
			consent->state = answering->is_yes ? ISSUE_CONSENT_YES : ISSUE_CONSENT_NO;
			consent->record = change->index;
			consent->person = text_copy(consent->arena, answering->person);
			consent->signer = text_copy(consent->arena, answering->key);
			if (consent->person.data == NULL || consent->signer.data == NULL)
				consent->state = ISSUE_CONSENT_NO;
		}
	}
	answering->done(
		answering->context, change->index, change->is_durable ? NULL : &change->err);
	answering_free(answering);
}

static struct answering *answering_create(
	struct issue *issue, const struct issue_consent_answer *answer)
{
	struct answering *answering = calloc(1, sizeof *answering);

	if (answering == NULL)
		return NULL;
	answering->arena = arena_create(ANSWER_ARENA_BYTES_MAX);
	if (answering->arena != NULL) {
		answering->person = text_copy(answering->arena, answer->person);
		answering->key = text_copy(answering->arena, answer->key);
	}
	if (answering->person.data == NULL || answering->key.data == NULL) {
		arena_destroy(&answering->arena);
		free(answering);
		return NULL;
	}
	answering->issue = issue;
	answering->is_yes = text_is(answer->answer, "yes");
	answering->context = answer->context;
	answering->done = answer->done;
	return answering;
}

static bool submit(struct issue *issue, struct consent *consent,
	const struct issue_consent_answer *answer, struct error *err)
{
	struct answering *answering = answering_create(issue, answer);

	if (answering == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	memcpy(answering->id, consent->id, sizeof answering->id);
	answering->change.done = on_recorded;
	answering->change.context = answering;
	if (!make_record(answering, consent, answer, err))
		goto failed;
	answering->next = issue->answerings;
	issue->answerings = answering;
	consent->is_answering = true;
	if (fold_submit(issue->parts.fold, &answering->change, err))
		return true;
	consent->is_answering = false;
	answering_unlink(answering);
failed:
	answering_free(answering);
	return false;
}

bool issue_consent_answer(
	void *context, const struct issue_consent_answer *answer, struct error *err)
{
	struct issue *issue = context;
	struct consent *consent = find(issue, answer->code, answer->person);
	bool is_yes = text_is(answer->answer, "yes");

	if (!is_yes && !text_is(answer->answer, "no"))
		return error_set(err, ERROR_INVALID, "answer: write yes or no");
	if (consent == NULL)
		return not_found(err);
	if (consent->is_answering)
		return error_set(err, ERROR_CONFLICT, "it is being answered");
	if (!may_consent(issue, answer->person, err))
		return false;
	if (!issue_consent_has_key(issue, answer->person, answer->key))
		return error_set(err, ERROR_INVALID, "forbidden: it is signed by no key of theirs");
	if (is_yes && answer->number != (int64_t)consent->number) {
		consent->state = ISSUE_CONSENT_NO;
		return error_set(err, ERROR_CONFLICT,
			"the page that asks shows another number, so nothing was agreed to: begin "
			"anew, and only with a page that you opened yourself");
	}
	return submit(issue, consent, answer, err);
}

/* ---- taking it back ---- */

void issue_consents_take_back(struct issue *issue, struct text person)
{
	struct answering *answering = issue->answerings;
	struct consent *consent = issue->consents;

	for (; answering != NULL; answering = answering->next)
		if (text_equal(answering->person, person))
			answering->is_yes = false;
	for (; consent != NULL; consent = consent->next) {
		if (!text_equal(consent->person, person))
			continue;
		consent->is_spent = true; /* a code that was shown has its task, or none */
		if (consent->state == ISSUE_CONSENT_YES)
			consent->state = ISSUE_CONSENT_NO;
	}
}

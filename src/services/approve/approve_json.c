/* Approvals as JSON, for the API and the command line. */

#include "services/approve/approve_private.h"

/* A name that nobody's yes covers yet. */
static bool is_missing(
	const struct approve *approve, const struct approval *approval, struct text name)
{
	size_t i;

	for (i = 0; i < approval->answers_count; i++)
		if (approval->answers[i].is_yes &&
			approve_person_covers(approve, approval, approval->answers[i].person, name))
			return false;
	return true;
}

static void put_missing(
	const struct approve *approve, struct json_builder *object, const struct approval *approval)
{
	struct text names[DECISION_APPROVALS_MAX];
	size_t i, count = 0;

	for (i = 0; i < approval->names_count; i++)
		if (is_missing(approve, approval, approval->names[i]))
			names[count++] = approval->names[i];
	json_put_texts(object, "missing", names, count);
}

static bool put_answers(
	struct json_builder *object, const struct approval *approval, struct error *err)
{
	struct json_builder array, one;
	struct json sealed;
	size_t i;

	json_array_start(&array, object->arena);
	for (i = 0; i < approval->answers_count; i++) {
		const struct approval_answer *answer = &approval->answers[i];

		json_object_start(&one, object->arena);
		json_put_text(&one, "person", answer->person);
		json_put_cstring(&one, "answer", answer->is_yes ? "yes" : "no");
		json_put_text(&one, "reason", answer->reason);
		json_put_integer(&one, "at", answer->at_utc_ms);
		json_put_integer(&one, "record", (int64_t)answer->index);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&array, sealed);
	}
	if (!json_array_seal(&array, &sealed, err))
		return false;
	json_put(object, "answers", sealed);
	return true;
}

/* Everybody who could answer now, by name. */
struct people {
	const struct approve *approve;
	const struct approval *approval;
	struct json_builder array;
};

static bool visit_person(void *context, const struct registry_entry *entry)
{
	struct people *people = context;

	if (approve_refusal(people->approve, people->approval, entry->name) == NULL)
		json_add(&people->array, json_string(entry->name));
	return people->array.count < APPROVAL_ANSWERS_MAX * 4;
}

static bool put_people(const struct approve *approve, struct json_builder *object,
	const struct approval *approval, struct error *err)
{
	struct people people = {.approve = approve, .approval = approval};
	struct json sealed;

	json_array_start(&people.array, object->arena);
	registry_each(approve->registry, OBJECT_PERSON, TEXT(""), visit_person, &people);
	if (!json_array_seal(&people.array, &sealed, err))
		return false;
	json_put(object, "who", sealed);
	return true;
}

static void put_texts(struct json_builder *object, const struct approval *approval)
{
	json_put_text(object, "id", approval->id);
	json_put_text(object, "identity", approval->identity);
	json_put_text(object, "charter", approval->charter);
	json_put_text(object, "task", approval->task);
	json_put_text_unless_empty(object, "person", approval->person);
	json_put_text(object, "server", approval->server);
	json_put_text(object, "tool", approval->tool);
	json_put_text(object, "method", approval->method);
	json_put_text(object, "entitlement", approval->entitlement);
	json_put_text(object, "clause", approval->clause);
	json_put_text(object, "explanation", approval->explanation);
	json_put(object, "origins", approval->origins);
	json_put_integer(object, "asked_at", approval->asked_at_utc_ms);
	json_put_integer(object, "expires", approval->expires_utc_ms);
	json_put_integer(object, "record", (int64_t)approval->asked_index);
}

bool approval_json(struct json *out, struct arena *arena, const struct approve *approve,
	const struct approval *approval, int64_t now_utc_ms, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	put_texts(&object, approval);
	json_put_cstring(&object, "state",
		approval_state_word(approval_state_now(approve, approval, now_utc_ms)));
	json_put_texts(&object, "names", approval->names, approval->names_count);
	json_put_texts(&object, "policies", approval->policies, approval->policies_count);
	put_missing(approve, &object, approval);
	if (!put_answers(&object, approval, err) || !put_people(approve, &object, approval, err))
		return false;
	return json_object_seal(&object, out, err);
}

/* Approvals as JSON, for the API and the command line. */

#include "services/approve/approve_private.h"

/* A name that nobody's yes covers yet. */
static bool is_missing(
	const struct approve *approve, const struct approval *approval, struct text name)
{
	size_t i;

	for (i = 0; i < approval->answers_count; i++)
		if (approve_is_yes_for(approve, approval, &approval->answers[i], name))
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
		json_put_text_unless_empty(&one, "key", answer->key_id);
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
	uint32_t count_max;
};

static bool visit_person(void *context, const struct registry_entry *entry)
{
	struct people *people = context;

	if (approve_refusal(people->approve, people->approval, entry->name) == NULL)
		json_add(&people->array, json_string(entry->name));
	return people->array.count < people->count_max;
}

static bool put_people(const struct approve *approve, struct json_builder *object,
	const struct approval *approval, uint32_t count_max, struct error *err)
{
	struct people people = {.approve = approve, .approval = approval, .count_max = count_max};
	struct json sealed;

	json_array_start(&people.array, object->arena);
	registry_each(approve->registry, OBJECT_PERSON, TEXT(""), visit_person, &people);
	if (!json_array_seal(&people.array, &sealed, err))
		return false;
	json_put(object, "who", sealed);
	return true;
}

/* Tasks from the caller's up to the root. */
static bool put_chain(
	struct json_builder *object, const struct approval *approval, struct error *err)
{
	struct json_builder array, one;
	struct json sealed;
	size_t i;

	json_array_start(&array, object->arena);
	for (i = 0; i < approval->chain_count; i++) {
		json_object_start(&one, object->arena);
		json_put_text(&one, "task", approval->chain[i].task);
		json_put_text(&one, "identity", approval->chain[i].identity);
		json_put_text_unless_empty(&one, "person", approval->chain[i].person);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&array, sealed);
	}
	if (!json_array_seal(&array, &sealed, err))
		return false;
	json_put(object, "chain", sealed);
	return true;
}

/* Which arguments say where it goes, and where each came from, if that is known. */
static bool put_targets(const struct approve *approve, struct json_builder *object,
	const struct approval *approval, struct error *err)
{
	const struct tool *tool = registry_find_tool(approve->registry, approval->tool);
	struct json_builder array, one;
	struct json sealed;
	uint32_t i;

	json_array_start(&array, object->arena);
	for (i = 0; tool != NULL && i < tool->targets_count; i++) {
		json_object_start(&one, object->arena);
		json_put_text(&one, "argument", tool->targets[i].argument);
		json_put_cstring(&one, "form", target_form_word(tool->targets[i].form));
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&array, sealed);
	}
	if (!json_array_seal(&array, &sealed, err))
		return false;
	json_put(object, "targets", sealed);
	if (approval->facts.origins.length == 0)
		return true;
	if (!json_parse(&sealed, object->arena, approval->facts.origins, &json_limits_default, err))
		return false;
	json_put(object, "origins", sealed);
	return true;
}

static void put_facts(struct json_builder *object, const struct approval *approval)
{
	const struct approval_facts *facts = &approval->facts;

	json_put_text_unless_empty(object, "environment", facts->environment);
	json_put_text_unless_empty(object, "effect", facts->effect);
	json_put_text_unless_empty(object, "sensitivity", facts->sensitivity);
	if (facts->is_untrusted)
		json_put_boolean(object, "untrusted", true);
	json_put_text_unless_empty(object, "label", facts->label);
	if (facts->has_untrusted_content)
		json_put_boolean(object, "label_untrusted", true);
	json_put_text_unless_empty(object, "reversal", facts->reversal);
	json_put_text_unless_empty(object, "risk", facts->risk);
	json_put_text_unless_empty(object, "edits", approval->edits);
	json_put_text_unless_empty(object, "editor", approval->editor);
	json_put_text_unless_empty(object, "edited", approval->edited);
	if (approval->notices_lost > 0)
		json_put_integer(object, "notices_lost", approval->notices_lost);
}

/* What the first task of the path was opened for, where that is another one: agents open the
 * tasks below, and origins call these words the request. */
static bool put_request(struct json_builder *object, const struct task *task, struct error *err)
{
	const struct task *root = task == NULL ? NULL : task_root(task);
	struct json_builder request;
	struct json sealed;

	if (root == task)
		return true;
	json_object_start(&request, object->arena);
	json_put_text(&request, "task", root->id);
	json_put_text_unless_empty(&request, "person", task_person(root));
	json_put_text_unless_empty(&request, "purpose", root->purpose);
	if (!json_object_seal(&request, &sealed, err))
		return false;
	json_put(object, "request", sealed);
	return true;
}

/* Who owns it and what it works for: as it is now, for people to ask. */
static void put_owner(
	const struct approve *approve, struct json_builder *object, const struct approval *approval)
{
	const struct registry_entry *entry =
		registry_find_identity(approve->registry, approval->identity);
	const struct task *task = task_find(approve->tasks, approval->task);

	if (entry != NULL && entry->in_force != NULL) {
		json_put_text(object, "owner", charter_of(entry->in_force)->owner);
		json_put_text(object, "unit", charter_of(entry->in_force)->unit);
	}
	if (task != NULL)
		json_put_text_unless_empty(object, "purpose", task->purpose);
}

static void put_texts(struct json_builder *object, const struct approval *approval)
{
	json_put_digest(object, "call", &approval->call_digest);
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
	put_facts(&object, approval);
	put_owner(approve, &object, approval);
	json_put_cstring(&object, "state",
		approval_state_word(approval_state_now(approve, approval, now_utc_ms)));
	json_put_texts(&object, "names", approval->names, approval->names_count);
	json_put_texts(&object, "policies", approval->policies, approval->policies_count);
	put_missing(approve, &object, approval);
	if (!put_request(&object, task_find(approve->tasks, approval->task), err) ||
		!put_chain(&object, approval, err) ||
		!put_targets(approve, &object, approval, err) ||
		!put_answers(&object, approval, err) ||
		!put_people(approve, &object, approval, APPROVAL_ANSWERS_MAX * 4, err))
		return false;
	return json_object_seal(&object, out, err);
}

bool approval_summary_json(struct json *out, struct arena *arena, const struct approve *approve,
	const struct approval *approval, int64_t now_utc_ms, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "approval", approval->id);
	json_put_cstring(&object, "state",
		approval_state_word(approval_state_now(approve, approval, now_utc_ms)));
	json_put_text(&object, "identity", approval->identity);
	json_put_text_unless_empty(&object, "person", approval->person);
	json_put_text(&object, "tool", approval->tool);
	json_put_text_unless_empty(&object, "environment", approval->facts.environment);
	json_put_text_unless_empty(&object, "effect", approval->facts.effect);
	json_put_text_unless_empty(&object, "risk", approval->facts.risk);
	json_put_text_unless_empty(&object, "reversal", approval->facts.reversal);
	json_put_integer(&object, "asked_at", approval->asked_at_utc_ms);
	json_put_integer(&object, "expires", approval->expires_utc_ms);
	json_put_texts(&object, "names", approval->names, approval->names_count);
	put_missing(approve, &object, approval);
	if (!put_people(approve, &object, approval, APPROVAL_SUMMARY_PEOPLE_MAX, err))
		return false;
	return json_object_seal(&object, out, err);
}

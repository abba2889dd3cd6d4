/* The record of a question: what people are asked, and all that the card shows of it.  The
 * arguments and the agent's own words are values: they lie sealed beside it. */

#include <assert.h>

#include "base/random.h"
#include "services/approve/approve_private.h"

static bool has_room(
	const struct approve *approve, const struct approve_question *question, struct error *err)
{
	const struct approval_node *node;
	size_t pending = 0, held = 0, all = approve->count;

	for (node = approve->youngest; node != NULL; node = node->older) {
		held += text_equal(node->approval.identity, question->call->identity);
		if (node->approval.state == APPROVAL_PENDING &&
			text_equal(node->approval.task, question->call->task) &&
			question->now_utc_ms < node->approval.expires_utc_ms)
			pending++;
	}
	for (node = approve->asking; node != NULL; node = node->older) {
		held += text_equal(node->approval.identity, question->call->identity);
		pending += text_equal(node->approval.task, question->call->task);
		all++; /* in place of another, too: that stays held */
	}
	if (all >= APPROVALS_MAX)
		return error_set(err, ERROR_LIMIT, "%d approvals are held already", APPROVALS_MAX);
	if (held >= APPROVALS_PER_IDENTITY_MAX)
		return error_set(
			err, ERROR_LIMIT, "%zu approvals of this identity are held already", held);
	if (pending >= APPROVAL_PENDING_PER_TASK_MAX)
		return error_set(
			err, ERROR_LIMIT, "%zu questions of this task wait already", pending);
	return true;
}

/* An open question about the same arguments that is bound to something else by
 * now: this one takes its place. */
static struct text replaced_by(
	const struct approve *approve, const struct approve_question *question)
{
	const struct approval_node *node;

	for (node = approve->youngest; node != NULL; node = node->older) {
		const struct approval *old = &node->approval;

		if ((old->state == APPROVAL_PENDING || old->state == APPROVAL_APPROVED) &&
			!old->is_reserved && text_equal(old->task, question->call->task) &&
			text_equal(old->tool, question->call->tool) &&
			sha256_equal(&old->arguments, &question->arguments))
			return old->id;
	}
	return TEXT("");
}

static void put_call(struct json_builder *record, const struct approve_question *question)
{
	const struct call *call = question->call;
	bool is_edit = question->edits != NULL;

	json_put_integer(record, "at", question->now_utc_ms);
	json_put_cstring(record, "type", "approval-asked");
	json_put_text(record, "actor",
		text_format(record->arena, "%s:%.*s", is_edit ? "person" : "identity",
			TEXT_ARGS(is_edit ? question->editor : call->identity)));
	json_put_text(record, "task", call->task);
	json_put_text(record, "identity", call->identity);
	json_put_text(record, "charter", question->charter);
	json_put_text(record, "server", call->server);
	json_put_text(record, "method", call->method);
	json_put_text(record, "tool", call->tool);
	json_put_text_unless_empty(record, "person", question->person);
	json_put_digest(record, "call", &question->call_digest);
	json_put_digest(record, "arguments", &question->arguments);
	json_put_text_unless_empty(record, "content", question->content);
	json_put_cstring(record, "sealed", "card");
	if (is_edit)
		json_put_text(record, "edits", question->edits->id);
}

/* Where it would act, and on what. */
static void put_facts(const struct approve *approve, struct json_builder *record,
	const struct approve_question *question)
{
	const struct decision *decision = question->decision;
	const struct tool *tool = registry_find_tool(approve->registry, question->call->tool);

	json_put_text_unless_empty(
		record, "environment", text_of(environment_word(question->call->environment)));
	json_put_text_unless_empty(record, "effect", text_of(effect_word(decision->effect)));
	json_put_text_unless_empty(
		record, "sensitivity", text_of(sensitivity_word(decision->sensitivity)));
	if (decision->is_untrusted)
		json_put_boolean(record, "untrusted", true);
	json_put_text_unless_empty(record, "label", text_of(sensitivity_word(question->label)));
	if (question->has_untrusted_content)
		json_put_boolean(record, "label-untrusted", true);
	if (tool == NULL)
		return;
	/* What is not said counts as the worst. */
	json_put_cstring(record, "reversal",
		reversal_word(
			tool->reversal == REVERSAL_NONE ? REVERSAL_IRREVERSIBLE : tool->reversal));
	json_put_text_unless_empty(record, "risk", text_of(risk_tier_word(tool->risk)));
}

static bool put_chain(
	struct json_builder *record, const struct approve_question *question, struct error *err)
{
	struct json_builder array;
	struct json sealed;
	size_t i;

	json_array_start(&array, record->arena);
	for (i = 0; i < question->chain_count; i++) {
		const struct approval_link *link = &question->chain[i];
		struct json_builder one;

		json_object_start(&one, record->arena);
		json_put_text(&one, "task", link->task);
		json_put_text(&one, "identity", link->identity);
		json_put_text_unless_empty(&one, "person", link->person);
		if (!json_object_seal(&one, &sealed, err))
			return false;
		json_add(&array, sealed);
	}
	if (!json_array_seal(&array, &sealed, err))
		return false;
	json_put(record, "chain", sealed);
	return true;
}

static void put_need(struct json_builder *record, const struct approve_question *question)
{
	const struct decision *decision = question->decision;

	json_put_text_unless_empty(record, "entitlement", decision->entitlement);
	json_put_text_unless_empty(record, "clause", decision->clause);
	json_put_text_unless_empty(record, "explanation", decision->explanation);
	json_put_texts(record, "names", decision->approvals, decision->approvals_count);
	json_put_texts(record, "policies", decision->policies, decision->policies_count);
	json_put_texts(record, "units", question->units, question->units_count);
}

static bool put_origins(
	struct json_builder *record, const struct approve_question *question, struct error *err)
{
	struct json origins;

	if (question->origins == NULL)
		return true;
	if (!flow_origins_json(&origins, record->arena, question->origins, err))
		return false;
	json_put(record, "origins", origins);
	return true;
}

bool approve_asked_record(struct approve *approve, const struct approve_question *question,
	struct arena *arena, struct text *out_entry, struct text *out_id, struct error *err)
{
	char id[RANDOM_ID_BYTES];
	struct text replaced = replaced_by(approve, question);
	struct json_builder record;
	struct json sealed;
	bool takes_place = question->edits != NULL ||
			   (replaced.length > 0 && !approve_asking_replaces(approve, replaced));

	assert(question->decision->verdict == VERDICT_ASK);
	approve_asking_forget_old(approve, question->now_utc_ms);
	/* What takes the place of another question is no question more. */
	if (!has_room(approve, question, err) ||
		(!takes_place && !approve_has_room_for_people(approve, question, err)))
		return false;
	random_id(id, "a-");
	*out_id = text_copy(arena, text_of(id));
	json_object_start(&record, arena);
	put_call(&record, question);
	json_put_text(&record, "approval", *out_id);
	json_put_integer(&record, "expires", question->now_utc_ms + approve->settings.question_ms);
	json_put_text_unless_empty(&record, "replaces", replaced);
	put_need(&record, question);
	put_facts(approve, &record, question);
	if (!put_chain(&record, question, err) || !put_origins(&record, question, err) ||
		!json_object_seal(&record, &sealed, err))
		return false;
	*out_entry = json_canonical_text(arena, &sealed);
	if (out_entry->data == NULL || out_id->data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the question");
	return approve_asking_begin(approve, &sealed, takes_place, err);
}

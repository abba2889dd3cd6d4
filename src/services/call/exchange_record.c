/* The records of an exchange and the text of its refusals.
 *
 * Values never stand in a record: arguments and results are there as HMACs under
 * the task's content key, the arguments themselves lie beside it, sealed. */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "services/call/exchange.h"

enum { CLAUSE_BYTES_MAX = 1000 };

/* At most so many bytes, not in the middle of a letter. */
static struct text shortened(struct text value, size_t length_max)
{
	if (value.length <= length_max)
		return value;
	value.length = length_max;
	while (value.length != 0 && !text_is_utf8(value))
		value.length--;
	return value;
}

static bool seal_record(struct json_builder *record, struct fold_change *change, struct error *err)
{
	struct json *sealed = arena_new(record->arena, struct json);

	if (sealed == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the record");
	if (!json_object_seal(record, sealed, err))
		return false;
	change->record = sealed;
	change->entry = json_canonical_text(record->arena, sealed);
	return change->entry.data != NULL || error_set(err, ERROR_LIMIT, "no room for the record");
}

static struct text charter_name(struct exchange *exchange)
{
	const struct registry_entry *entry = registry_find(
		exchange->service->ports.registry, OBJECT_IDENTITY, exchange->call.identity);

	if (entry == NULL || entry->in_force == NULL)
		return TEXT("");
	return text_format(
		exchange->arena, "%.*s@%u", TEXT_ARGS(entry->name), entry->in_force->version);
}

/* ---- values ------------------------------------------------------------------ */

static bool digest_value(
	struct exchange *exchange, struct text value, struct sha256 *out, struct error *err)
{
	struct call_values *values = &exchange->service->ports.values;

	return values->digest(values->context, exchange->call.task, value, out, err);
}

/* Seals the arguments beside the record of this change. */
static bool attach_arguments(struct exchange *exchange, struct fold_change *change,
	char hex[DIGEST_TEXT_BYTES], struct error *err)
{
	struct call_values *values = &exchange->service->ports.values;
	struct content_sealed sealed;

	if (!values->seal(values->context, exchange->call.task, exchange->call.arguments_text,
		    exchange->arena, &sealed, err) ||
		!values->attach(values->context, exchange->call.task, &change->append, err))
		return false;
	change->content = sealed.bytes;
	digest_format(hex, &sealed.digest);
	return true;
}

/* ---- decision ------------------------------------------------------------------ */

static void put_head(struct json_builder *record, struct exchange *exchange, const char *type)
{
	const struct call *call = &exchange->call;
	const struct text actor[] = {TEXT("identity:"), call->identity};

	json_put_integer(record, "at", fold_stamp_utc_ms(exchange->service->ports.fold));
	json_put_cstring(record, "type", type);
	json_put_text(record, "actor", text_concat(exchange->arena, actor, 2));
	json_put_text(record, "task", call->task);
	json_put_text(record, "identity", call->identity);
}

static void put_call(struct json_builder *record, struct exchange *exchange)
{
	const struct call *call = &exchange->call;

	json_put_text_unless_empty(record, "charter", charter_name(exchange));
	json_put_text_unless_empty(
		record, "environment", text_of(environment_word(call->environment)));
	json_put_text(record, "server", call->server);
	json_put_text(record, "method", call->method);
	json_put_text(record, "tool", call->tool);
}

static void put_decision(struct json_builder *record, const struct decision *decision)
{
	json_put_cstring(record, "verdict", verdict_word(decision->verdict));
	json_put_cstring(record, "reason", reason_word(decision->reason));
	json_put_text_unless_empty(record, "effect", text_of(effect_word(decision->effect)));
	json_put_text_unless_empty(record, "entitlement", decision->entitlement);
	json_put_text_unless_empty(record, "clause", shortened(decision->clause, CLAUSE_BYTES_MAX));
	json_put_text_unless_empty(record, "explanation", decision->explanation);
	json_put_text_unless_empty(record, "needed", decision->needed);
	json_put_text_unless_empty(
		record, "sensitivity", text_of(sensitivity_word(decision->sensitivity)));
	if (decision->is_untrusted)
		json_put_boolean(record, "untrusted", true);
	json_put_integer(record, "revision", (int64_t)decision->revision);
}

/* With the log up to `seen` and the arguments, all that the decision read. */
static void put_inputs(struct json_builder *record, const struct exchange *exchange)
{
	json_put_integer(record, "seen", (int64_t)exchange->seen);
	json_put_integer(record, "decided", exchange->inputs.now_utc_ms);
	json_put_cstring(record, "definition", definition_state_word(exchange->inputs.definition));
	json_put_integer(record, "calls", exchange->inputs.calls_last_minute);
}

static void put_chain(struct json_builder *record, const struct exchange *exchange)
{
	const struct task *task = task_find(exchange->service->ports.tasks, exchange->call.task);
	struct text chain[CALL_CHAIN_MAX];
	size_t count = 0;

	for (; task != NULL && count < CALL_CHAIN_MAX; task = task->parent)
		chain[count++] = task->id;
	if (count != 0)
		json_put_texts(record, "chain", chain, count);
}

bool exchange_decision_record(struct exchange *exchange, struct error *err)
{
	const struct decision *decision = &exchange->decision;
	char content[DIGEST_TEXT_BYTES];
	struct json_builder record;
	struct sha256 arguments;

	if (!digest_value(exchange, exchange->call.arguments_text, &arguments, err) ||
		!attach_arguments(exchange, &exchange->decided, content, err))
		return false;
	json_object_start(&record, exchange->arena);
	put_head(&record, exchange, "decision");
	put_call(&record, exchange);
	put_decision(&record, decision);
	put_inputs(&record, exchange);
	if (!generation_put_inputs(exchange, &record, err))
		return false;
	json_put_digest(&record, "arguments", &arguments);
	json_put_text(&record, "content", text_copy(exchange->arena, text_of(content)));
	json_put_text_unless_empty(&record, "approval", exchange->approval);
	if (decision->policies_count != 0)
		json_put_texts(&record, "policies", decision->policies, decision->policies_count);
	if (decision->approvals_count != 0)
		json_put_texts(
			&record, "approvals", decision->approvals, decision->approvals_count);
	put_chain(&record, exchange);
	return seal_record(&record, &exchange->decided, err);
}

/* ---- the question ---------------------------------------------------------------- */

static void unit_add(struct text *units, size_t *count, struct text unit)
{
	size_t i;

	for (i = 0; i < *count; i++)
		if (text_equal(units[i], unit))
			return;
	if (*count < CALL_UNITS_MAX && unit.length != 0)
		units[(*count)++] = unit;
}

/* Whose data it is: the server's unit and those of all the tool's sources. */
static size_t units_of(const struct exchange *exchange, struct text units[CALL_UNITS_MAX])
{
	const struct registry *registry = exchange->service->ports.registry;
	const struct server *server = registry_find_server(registry, exchange->call.server);
	const struct tool *tool = registry_find_tool(registry, exchange->call.tool);
	size_t count = 0;
	uint32_t i;

	if (server != NULL)
		unit_add(units, &count, server->unit);
	for (i = 0; tool != NULL && i < tool->reads_count; i++) {
		const struct data_source *source =
			registry_find_data_source(registry, tool->reads[i].data_source);

		if (source != NULL)
			unit_add(units, &count, source->unit);
	}
	return count;
}

bool exchange_asked_record(
	struct exchange *exchange, const struct sha256 *call_digest, struct error *err)
{
	const struct task *task = task_find(exchange->service->ports.tasks, exchange->call.task);
	struct text units[CALL_UNITS_MAX];
	char content[DIGEST_TEXT_BYTES];
	struct approve_question question = {
		.call = &exchange->call,
		.decision = &exchange->decision,
		.person = task == NULL ? TEXT("") : task->person,
		.charter = charter_name(exchange),
		.units = units,
		.units_count = units_of(exchange, units),
		.call_digest = *call_digest,
		.now_utc_ms = fold_stamp_utc_ms(exchange->service->ports.fold),
	};

	if (!digest_value(exchange, exchange->call.arguments_text, &question.arguments, err) ||
		!attach_arguments(exchange, &exchange->asked, content, err))
		return false;
	question.content = text_of(content);
	return approve_asked_record(exchange->service->ports.approve, &question, exchange->arena,
		&exchange->asked.entry, &exchange->approval, err);
}

/* ---- the outcome ------------------------------------------------------------------ */

void exchange_outcome_digest(
	struct exchange *exchange, const struct json *result, struct outcome *outcome)
{
	struct text canonical = json_canonical_text(exchange->arena, result);
	struct error err;

	outcome->has_result = true;
	outcome->is_error = json_boolean_or(result, "isError", false);
	if (canonical.data == NULL || !digest_value(exchange, canonical, &outcome->result, &err))
		outcome->result = (struct sha256){0};
}

/* A result too large to be digested in the call's memory goes without. */
static void put_result(struct json_builder *record, const struct outcome *outcome)
{
	static const struct sha256 none;

	if (outcome->is_error)
		json_put_boolean(record, "is-error", true);
	if (!sha256_equal(&outcome->result, &none))
		json_put_digest(record, "result", &outcome->result);
}

bool exchange_outcome_record(
	struct exchange *exchange, const struct outcome *outcome, struct error *err)
{
	struct call_values *values = &exchange->service->ports.values;
	struct json_builder record;

	assert(exchange->is_recorded);
	json_object_start(&record, exchange->arena);
	put_head(&record, exchange, "outcome");
	json_put_text(&record, "tool", exchange->call.tool);
	json_put_integer(&record, "decision", (int64_t)exchange->index);
	json_put_cstring(&record, "status", outcome->status);
	json_put_boolean(&record, "forwarded", outcome->is_forwarded);
	if (outcome->reason != REASON_NONE)
		json_put_cstring(&record, "reason", reason_word(outcome->reason));
	if (outcome->is_forwarded)
		json_put_integer(&record, "duration",
			loop_now_ms(exchange->service->ports.loop) - exchange->started_ms);
	json_put_text_unless_empty(
		&record, "sensitivity", text_of(sensitivity_word(exchange->decision.sensitivity)));
	if (exchange->decision.is_untrusted)
		json_put_boolean(&record, "untrusted", true);
	if (!generation_put_outcome(exchange, &record, outcome, err))
		return false;
	if (exchange->generation != NULL) {
		if (!values->attach(
			    values->context, exchange->call.task, &exchange->outcome.append, err))
			return false;
	} else if (outcome->has_result) {
		put_result(&record, outcome);
		if (!values->attach(
			    values->context, exchange->call.task, &exchange->outcome.append, err))
			return false;
	}
	return seal_record(&record, &exchange->outcome, err);
}

/* ---- words for the caller ------------------------------------------------------------ */

static struct text refusal_message(struct exchange *exchange, const struct error *failure)
{
	const struct decision *decision = &exchange->decision;
	struct text what = decision->explanation;

	if (failure != NULL)
		return text_format(exchange->arena,
			"Refused: %s. Nothing was done; try again later.", failure->text);
	if (what.length == 0)
		what = text_of(reason_meaning(decision->reason));
	return text_format(exchange->arena,
		"Refused (%s): %.*s What would be needed: %.*s Record #%" PRIu64 ".",
		reason_word(decision->reason), TEXT_ARGS(what), TEXT_ARGS(decision->needed),
		exchange->index);
}

static struct text asked_message(struct exchange *exchange)
{
	return text_format(exchange->arena,
		"Waiting for people: approval %.*s. %.*s Nothing was done yet. Once it is "
		"approved, send exactly the same call again. Record #%" PRIu64 ".",
		TEXT_ARGS(exchange->approval), TEXT_ARGS(exchange->decision.needed),
		exchange->index);
}

struct text exchange_message(
	struct exchange *exchange, enum call_reply_kind kind, const struct error *failure)
{
	struct text message = {0};

	switch (kind) {
	case CALL_REFUSED: message = refusal_message(exchange, failure); break;
	case CALL_ASKED: message = asked_message(exchange); break;
	case CALL_FAILED:
		message = text_format(exchange->arena,
			"Allowed, but it failed: %s. Record #%" PRIu64 ".",
			failure == NULL ? "no answer" : failure->text, exchange->index);
		break;
	case CALL_STOPPED:
		message = text_format(exchange->arena,
			"Stopped (%s): %.*s What would be needed: %.*s Record #%" PRIu64 ".",
			reason_word(exchange->decision.reason),
			TEXT_ARGS(exchange->decision.explanation),
			TEXT_ARGS(exchange->decision.needed), exchange->index);
		break;
	case CALL_RESULT:
	case CALL_ERROR: break;
	}
	return message.data == NULL ? TEXT("Refused: no memory.") : message;
}

/* The records of an exchange and the text of its refusals.
 *
 * Values never stand in a record: arguments and results are there as HMACs under
 * the task's content key, the arguments themselves lie beside it, sealed. */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "services/call/exchange.h"

enum { CLAUSE_BYTES_MAX = 1000 };

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

/* ---- values ------------------------------------------------------------------ */

static bool digest_value(
	struct exchange *exchange, struct text value, struct sha256 *out, struct error *err)
{
	struct contents_port *values = &exchange->service->ports.values;

	return values->digest(values->context, exchange->call.task, value, out, err);
}

/* Seals the arguments beside the record of this change. */
static bool attach_arguments(struct exchange *exchange, struct fold_change *change,
	char hex[DIGEST_TEXT_BYTES], struct error *err)
{
	struct contents_port *values = &exchange->service->ports.values;
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
	bool is_asked = exchange->asking != NULL; /* by a server, which is nobody here */

	json_put_integer(record, "at", fold_stamp_utc_ms(exchange->service->ports.fold));
	json_put_cstring(record, "type", type);
	json_put_text(
		record, "actor", is_asked ? TEXT("remit") : text_concat(exchange->arena, actor, 2));
	json_put_text(record, "task", call->task);
	json_put_text(record, "identity", call->identity);
}

static void put_call(struct json_builder *record, struct exchange *exchange)
{
	const struct call *call = &exchange->call;

	json_put_text_unless_empty(record, "charter",
		call_charter_name(&exchange->service->ports, call->identity, exchange->arena));
	json_put_text_unless_empty(
		record, "environment", text_of(environment_word(call->environment)));
	json_put_text(record, "server", call->server);
	json_put_text(record, "method", call->method);
	json_put_text(record, "tool", call->tool);
	if (exchange->asking != NULL)
		json_put_integer(record, "within", (int64_t)exchange->asking->record);
}

static void put_decision(struct json_builder *record, const struct decision *decision)
{
	json_put_cstring(record, "verdict", verdict_word(decision->verdict));
	json_put_cstring(record, "reason", reason_word(decision->reason));
	json_put_text_unless_empty(record, "effect", text_of(effect_word(decision->effect)));
	json_put_text_unless_empty(record, "entitlement", decision->entitlement);
	json_put_text_unless_empty(
		record, "clause", call_shortened(decision->clause, CLAUSE_BYTES_MAX));
	json_put_text_unless_empty(record, "explanation", decision->explanation);
	json_put_text_unless_empty(record, "needed", decision->needed);
	json_put_text_unless_empty(
		record, "sensitivity", text_of(sensitivity_word(decision->sensitivity)));
	if (decision->is_untrusted)
		json_put_boolean(record, "untrusted", true);
	if (decision->is_first)
		json_put_boolean(record, "first", true);
	json_put_text_unless_empty(record, "risk", text_of(risk_tier_word(decision->risk)));
	json_put_text_unless_empty(record, "risk-from", text_of(decision->risk_from));
	if (decision->sources_count != 0)
		json_put_texts(record, "sources", decision->sources, decision->sources_count);
	json_put_text_unless_empty(record, "ceiling", text_of(sensitivity_word(decision->ceiling)));
	json_put_integer(record, "revision", (int64_t)decision->revision);
}

/* What an allow lets out, by the lines of the charter; no recipient and no target is named. */
static bool put_outputs(
	struct json_builder *record, const struct decision *decision, struct error *err)
{
	struct decision_output outputs[DECISION_OUTPUTS_MAX];
	size_t count = decision_outputs_of(decision, outputs);
	struct json_builder list;
	struct json sealed;

	if (decision->verdict != VERDICT_ALLOW)
		return true;
	json_array_start(&list, record->arena);
	for (size_t i = 0; i < count; i++) {
		struct json_builder output;

		json_object_start(&output, record->arena);
		json_put_text_unless_empty(
			&output, "data", text_of(sensitivity_word(outputs[i].data)));
		if (outputs[i].line >= 0)
			json_put_integer(&output, "line", outputs[i].line);
		json_put_cstring(&output, "to", outputs[i].to);
		if (!json_object_seal(&output, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(record, "outputs", sealed);
	return true;
}

/* Lines with `uses`: what was read of them, and which the call takes. */
static bool put_lines(struct json_builder *record, const char *name, const struct line_use *lines,
	size_t count, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	if (count == 0)
		return true;
	json_array_start(&list, record->arena);
	for (size_t i = 0; i < count; i++) {
		struct json_builder line;

		json_object_start(&line, record->arena);
		json_put_text(&line, "identity", lines[i].identity);
		json_put_integer(&line, "line", lines[i].line);
		if (lines[i].used > 0)
			json_put_integer(&line, "used", lines[i].used);
		if (!json_object_seal(&line, &sealed, err))
			return false;
		json_add(&list, sealed);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(record, name, sealed);
	return true;
}

static bool put_uses(
	struct json_builder *record, const struct exchange *exchange, struct error *err)
{
	const struct decision *decision = &exchange->decision;

	return put_lines(record, "uses", exchange->inputs.uses, exchange->inputs.uses_count, err) &&
	       (decision->verdict != VERDICT_ALLOW ||
		       put_lines(record, "takes", decision->uses, decision->uses_count, err));
}

static void put_fingerprints(struct json_builder *record, const struct secrets_seen *seen)
{
	if (seen->fingerprints_count != 0)
		json_put_texts(
			record, "fingerprints", seen->fingerprints, seen->fingerprints_count);
}

/* The kinds in the arguments, which policies read, and which of ours they are. */
static void put_secrets(struct json_builder *record, const struct exchange *exchange)
{
	struct text kinds[SECRET_KINDS];
	size_t count = 0;

	for (int kind = SECRET_OWN; kind < SECRET_KINDS; kind++)
		if ((exchange->call.secrets >> kind & 1) != 0)
			kinds[count++] = text_of(secret_kind_word((enum secret_kind)kind));
	if (count != 0)
		json_put_texts(record, "secrets", kinds, count);
	put_fingerprints(record, &exchange->sent);
}

/* What the task had touched before, and which decisions brought it.  The fold gives the
 * same; it is here to be read. */
static bool put_labels(
	struct json_builder *record, const struct task_labels *labels, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	if (labels->sensitivity == SENSITIVITY_UNLABELLED && !labels->has_untrusted_content)
		return true;
	json_object_start(&object, record->arena);
	json_put_text_unless_empty(
		&object, "sensitivity", text_of(sensitivity_word(labels->sensitivity)));
	if (labels->sensitivity_source.is_known)
		json_put_integer(
			&object, "sensitivity-record", (int64_t)labels->sensitivity_source.record);
	if (labels->has_untrusted_content)
		json_put_boolean(&object, "untrusted", true);
	if (labels->untrusted_source.is_known)
		json_put_integer(
			&object, "untrusted-record", (int64_t)labels->untrusted_source.record);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "labels", sealed);
	return true;
}

/* The settings, where one of the owners has left and they counted. */
static bool put_owner_gone(
	struct json_builder *record, const struct exchange *exchange, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	if (!exchange->decision.is_owner_gone)
		return true;
	json_object_start(&object, record->arena);
	json_put_integer(&object, "all", exchange->inputs.owner_gone.all_s);
	json_put_integer(&object, "writes", exchange->inputs.owner_gone.writes_s);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "owner-gone", sealed);
	return true;
}

/* With the log up to `seen` and the arguments, all that the decision read. */
static bool put_inputs(
	struct json_builder *record, const struct exchange *exchange, struct error *err)
{
	struct json origins;

	if (!flow_origins_json(&origins, record->arena, &exchange->origins, err))
		return false;
	json_put(record, "origins", origins);
	json_put_integer(record, "seen", (int64_t)exchange->seen);
	json_put_integer(record, "decided", exchange->inputs.now_utc_ms);
	json_put_cstring(record, "definition", definition_state_word(exchange->inputs.definition));
	if (exchange->inputs.arguments != ARGUMENTS_UNCHECKED)
		json_put_cstring(record, "form", arguments_state_word(exchange->inputs.arguments));
	json_put_integer(record, "calls", exchange->inputs.calls_last_minute);
	put_secrets(record, exchange);
	return put_owner_gone(record, exchange, err) && put_uses(record, exchange, err);
}

/* Whose tasks they are is said where work was handed on: the log alone tells by whom. */
static void put_chain(struct json_builder *record, const struct exchange *exchange)
{
	const struct task *task = task_find(exchange->service->ports.tasks, exchange->call.task);
	struct text chain[CALL_CHAIN_MAX], identities[CALL_CHAIN_MAX];
	size_t count = 0;

	for (; task != NULL && count < CALL_CHAIN_MAX; task = task->parent) {
		chain[count] = task->id;
		identities[count++] = task->identity;
	}
	if (count != 0)
		json_put_texts(record, "chain", chain, count);
	if (count > 1)
		json_put_texts(record, "identities", identities, count);
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
	if (!put_outputs(&record, decision, err) || !put_labels(&record, &decision->labels, err) ||
		!put_inputs(&record, exchange, err) ||
		!generation_put_inputs(exchange, &record, err))
		return false;
	json_put_digest(&record, "arguments", &arguments);
	exchange->query = arguments;
	json_put_text(&record, "content", text_copy(exchange->arena, text_of(content)));
	json_put_text_unless_empty(&record, "approval", exchange->approval);
	json_put_text_unless_empty(&record, "break-glass", exchange->break_glass);
	if (decision->policies_count != 0)
		json_put_texts(&record, "policies", decision->policies, decision->policies_count);
	if (decision->approvals_count != 0)
		json_put_texts(
			&record, "approvals", decision->approvals, decision->approvals_count);
	put_chain(&record, exchange);
	return seal_record(&record, &exchange->decided, err);
}

/* ---- the outcome ------------------------------------------------------------------ */

void exchange_outcome_keep(
	struct exchange *exchange, const struct json *result, struct outcome *outcome)
{
	outcome->has_result = true;
	outcome->is_error = json_boolean_or(result, "isError", false);
	outcome->result = json_canonical_text(exchange->arena, result);
}

/* A result too large to be digested in the call's memory goes without. */
static void put_result(
	struct json_builder *record, struct exchange *exchange, const struct outcome *outcome)
{
	struct sha256 digest;
	struct error err;

	if (outcome->is_error)
		json_put_boolean(record, "is-error", true);
	if (outcome->result.data != NULL && digest_value(exchange, outcome->result, &digest, &err))
		json_put_digest(record, "result", &digest);
}

bool exchange_outcome_record(
	struct exchange *exchange, const struct outcome *outcome, struct error *err)
{
	struct contents_port *values = &exchange->service->ports.values;
	struct json_builder record;

	assert(exchange->is_recorded);
	json_object_start(&record, exchange->arena);
	put_head(&record, exchange, "outcome");
	json_put_text(&record, "tool", exchange->call.tool);
	json_put_integer(&record, "decision", (int64_t)exchange->index);
	json_put_cstring(&record, "status", outcome->status);
	json_put_boolean(&record, "forwarded", outcome->is_forwarded);
	json_put_text_unless_empty(&record, "break-glass", exchange->break_glass);
	if (outcome->reason != REASON_NONE)
		json_put_cstring(&record, "reason", reason_word(outcome->reason));
	if (outcome->is_forwarded)
		json_put_integer(&record, "duration",
			loop_now_ms(exchange->service->ports.loop) - exchange->started_ms);
	json_put_text_unless_empty(
		&record, "sensitivity", text_of(sensitivity_word(exchange->decision.sensitivity)));
	if (exchange->decision.is_untrusted)
		json_put_boolean(&record, "untrusted", true);
	if (exchange->got.count != 0)
		json_put_integer(&record, "secrets", exchange->got.count);
	put_fingerprints(&record, &exchange->got);
	if (exchange->is_retrieval && outcome->is_forwarded &&
		!exchange_retrieval_record(&record, exchange, err))
		return false;
	if (!generation_put_outcome(exchange, &record, outcome, err))
		return false;
	if (exchange->generation != NULL) {
		if (!values->attach(
			    values->context, exchange->call.task, &exchange->outcome.append, err))
			return false;
	} else if (outcome->has_result) {
		put_result(&record, exchange, outcome);
		if (!values->attach(
			    values->context, exchange->call.task, &exchange->outcome.append, err))
			return false;
	}
	return seal_record(&record, &exchange->outcome, err);
}

/* ---- words for the caller ------------------------------------------------------------ */

/* Values, so they are told and never recorded. */
static struct text accepted_message(struct exchange *exchange, struct text what)
{
	struct text arguments = json_canonical_text(exchange->arena, exchange->accepted);

	if (arguments.data == NULL)
		return (struct text){0};
	return text_format(exchange->arena,
		"Refused (edited): %.*s They would accept exactly these arguments: %.*s What "
		"would be needed: %.*s Record #%" PRIu64 ".",
		TEXT_ARGS(what), TEXT_ARGS(arguments), TEXT_ARGS(exchange->decision.needed),
		exchange->index);
}

static struct text refusal_message(struct exchange *exchange, const struct error *failure)
{
	const struct decision *decision = &exchange->decision;
	struct text what = decision->explanation;

	if (failure != NULL)
		return text_format(exchange->arena,
			"Refused: %s. Nothing was done; try again later.", failure->text);
	if (what.length == 0)
		what = text_of(reason_meaning(decision->reason));
	if (exchange->accepted != NULL)
		return accepted_message(exchange, what);
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
		message = exchange_pass_text(exchange, message);
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

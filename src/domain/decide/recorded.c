#include "domain/decide/recorded.h"

#include "domain/call/method.h"
#include "domain/charter/owner.h"
#include "domain/generation/request.h"
#include "domain/secret/fingerprint.h"

enum verdict verdict_of_word(struct text word)
{
	return text_is(word, "allow") ? VERDICT_ALLOW
	       : text_is(word, "ask") ? VERDICT_ASK
				      : VERDICT_DENY;
}

static enum definition_state definition_of(const struct json *record)
{
	struct text word = json_text_or(record, "definition", "");

	for (int i = DEFINITION_DIFFERS; i < DEFINITION_STATE_COUNT; i++)
		if (text_is(word, definition_state_word((enum definition_state)i)))
			return (enum definition_state)i;
	/* Before it was recorded: what its reason says of it. */
	return text_is(json_text_or(record, "reason", ""), "tool_quarantined") ? DEFINITION_DIFFERS
									       : DEFINITION_MATCHES;
}

/* Names on record were given, unless they are what is asked for. */
static void read_approvals(struct recorded_decision *recorded)
{
	const struct json *names = json_find(recorded->record, "approvals");
	bool is_rejected = recorded->verdict == VERDICT_DENY &&
			   text_is(json_text_or(recorded->record, "reason", ""), "approval_needed");

	recorded->mode = DECIDE_SEARCH;
	if (is_rejected)
		recorded->verdict = VERDICT_ASK;
	if (recorded->verdict == VERDICT_ASK || names == NULL || names->type != JSON_ARRAY)
		return;
	recorded->mode = DECIDE_NO_SEARCH;
	recorded->approvals.items = recorded->names;
	for (uint32_t i = 0; i < names->count && i < DECISION_APPROVALS_MAX; i++)
		if (names->items[i].type == JSON_STRING)
			recorded->names[recorded->approvals.count++] = names->items[i].string;
}

/* The kinds of secrets that were seen in the arguments. */
static unsigned secrets_of(const struct json *record)
{
	const struct json *kinds = json_find(record, "secrets");
	unsigned out = 0;

	for (uint32_t i = 0; kinds != NULL && kinds->type == JSON_ARRAY && i < kinds->count; i++)
		for (int kind = SECRET_OWN; kind < SECRET_KINDS; kind++)
			if (kinds->items[i].type == JSON_STRING &&
				text_is(kinds->items[i].string,
					secret_kind_word((enum secret_kind)kind)))
				out |= 1u << kind;
	return out;
}

/* Origins and labels came on record together, and labels that are none are left out. */
static void read_labels(struct recorded_decision *recorded)
{
	const struct json *labels = json_find(recorded->record, "labels");

	flow_origins_read(&recorded->origins, json_find(recorded->record, "origins"));
	recorded->has_labels = json_find(recorded->record, "origins") != NULL;
	if (labels == NULL)
		return;
	recorded->labels.sensitivity = sensitivity_of(json_text_or(labels, "sensitivity", ""));
	recorded->labels.has_untrusted_content = json_boolean_or(labels, "untrusted", false);
}

static struct owner_gone_after owner_gone_of(const struct json *record)
{
	const struct json *after = json_find(record, "owner-gone");

	return (struct owner_gone_after){
		.writes_s = json_integer_or(after, "writes", OWNER_GONE_WRITES_S_DEFAULT),
		.all_s = json_integer_or(after, "all", OWNER_GONE_ALL_S_DEFAULT)};
}

static struct usage_now usage_of_record(const struct json *used)
{
	return (struct usage_now){
		.task = usage_of_json(json_find(used, "task")),
		.identity = usage_of_json(json_find(used, "identity")),
		.unit = usage_of_json(json_find(used, "unit")),
	};
}

static bool read_uses(struct recorded_decision *recorded, struct arena *arena, struct error *err)
{
	const struct json *list = json_find(recorded->record, "uses");
	struct line_use *uses;

	if (list == NULL || list->type != JSON_ARRAY)
		return true;
	uses = arena_array(arena, struct line_use, list->count + 1);
	if (uses == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the lines that were used");
	for (uint32_t i = 0; i < list->count; i++)
		uses[i] = (struct line_use){
			.identity = json_text_or(&list->items[i], "identity", ""),
			.line = (uint32_t)json_integer_or(&list->items[i], "line", UINT32_MAX),
			.used = json_integer_or(&list->items[i], "used", 0),
		};
	recorded->uses = uses;
	recorded->uses_count = list->count;
	return true;
}

bool recorded_decision_open(struct recorded_decision *recorded, const struct json *content,
	struct arena *arena, struct error *err)
{
	struct generation_request request;

	if (!read_uses(recorded, arena, err))
		return false;
	recorded->call.arguments = *content;
	if (recorded->call.route != METHOD_MODEL)
		return true;
	recorded->call.arguments = (struct json){.type = JSON_OBJECT};
	if (!generation_request_read(&request, arena, recorded->call.method, content, err))
		return false;
	recorded->call.generation = request.facts;
	return true;
}

void recorded_decision_read(struct recorded_decision *out, const struct json *record)
{
	struct text method_name = json_text_or(record, "method", "");
	const struct method *method = method_find(method_name);
	/* Whoever asked within a call is its server. */
	bool is_servers = json_find(record, "within") != NULL;

	*out = (struct recorded_decision){
		.record = record,
		.call = {.identity = json_text_or(record, "identity", ""),
			.task = json_text_or(record, "task", ""),
			.environment = environment_of(json_text_or(record, "environment", "")),
			.server = json_text_or(record, "server", ""),
			.method = method_name,
			.route = call_route(method, is_servers ? CALL_OF_SERVER : CALL_OF_CLIENT),
			.tool = json_text_or(record, "tool", ""),
			.effect = method->effect,
			.secrets = secrets_of(record)},
		.verdict = verdict_of_word(json_text_or(record, "verdict", "")),
		.definition = definition_of(record),
		.arguments = arguments_state_of(json_text_or(record, "form", "")),
		.owner_gone = owner_gone_of(record),
		.calls = json_integer_or(record, "calls", 0),
		.usage = usage_of_record(json_find(record, "used")),
		.now_utc_ms = json_integer_or(record, "decided", json_integer_or(record, "at", 0)),
	};
	read_labels(out);
	read_approvals(out);
}

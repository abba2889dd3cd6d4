/* A request to a model, as far as it differs from a call of a tool: what is asked is a
 * body, what comes back is text that passes as it comes, budgets are held while it does,
 * and tool calls in it are judged before the bytes that complete them are passed on.
 *
 * Invariants:
 * 1. what passes to the client was counted first, and no budget was over then;
 * 2. judging a tool call has no effect: it is a question to services/decide, and the call
 *    itself is decided when it is made;
 * 3. a record holds numbers, names of the registry and keyed digests, and of what a model
 *    or provider wrote only words that can be names. */
#include <stdlib.h>
#include <string.h>

#include "domain/charter/form.h"
#include "domain/generation/answer.h"
#include "services/call/exchange.h"

enum {
	JUDGE_BYTES_MAX = 16 * 1024 * 1024, /* of one judgement */
	TOOLS_RECORDED_MAX = 48,            /* so that a record always fits the log */
	MESSAGE_BYTES_MAX = 500,            /* of a provider's error */
	ERROR_BODY_BYTES_MAX = 64 * 1024,
	STATUS_OK = 200,
};

/* A tool call that was asked for. */
struct judged {
	struct text name; /* empty: it is no name */
	struct text tool; /* registered under; empty: none is */
	struct sha256 arguments;
	enum verdict verdict;
	enum reason reason;
};

/* A text of the answer, watched for secrets as one. */
struct watched {
	struct watched *next; /* the one that began before it */
	struct generation_place place;
	struct secret_strand *strand;
};

struct generation {
	struct exchange *exchange;
	struct generation_request request;
	struct usage_hold hold;
	struct text root; /* whose use it is, as it was when it was held */
	struct text unit;
	struct text credential;           /* that it was sent with: its reference; empty: none */
	struct generation_answer *answer; /* NULL: nothing came yet, or an error */
	struct sha256_running *digest;    /* of what was passed on */
	struct arena *scratch;            /* of one judgement */
	struct buffer error;              /* body of a provider's error */
	size_t error_bytes;               /* of it, also of what is not kept */
	struct watched *watched;          /* the newest first */
	size_t watched_count;
	struct judged *tools; /* TOOLS_RECORDED_MAX of them */
	size_t tools_count;   /* may be more than are kept */
	bool is_stream;
	bool is_begun; /* something was passed on */
	/* Why it was stopped. */
	enum reason stopped;
	struct text explanation;
	struct text needed;
};

static int64_t now_utc_ms(const struct exchange *exchange)
{
	return fold_stamp_utc_ms(exchange->service->ports.fold);
}

/* NULL once it is registered no more. */
static const struct server_model *model_of(const struct exchange *exchange)
{
	const struct server *server =
		registry_find_server(exchange->service->ports.registry, exchange->call.server);

	return server == NULL ? NULL
			      : server_find_model(server, exchange->generation->request.model);
}

/* ---- the request ------------------------------------------------------------------- */

bool generation_build(struct exchange *exchange, const struct call_draft *draft, struct error *err)
{
	struct generation *generation = arena_new(exchange->arena, struct generation);

	if (generation == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the request");
	generation->exchange = exchange;
	buffer_init(&generation->error, ERROR_BODY_BYTES_MAX);
	exchange->generation = generation;
	if (draft->params == NULL)
		return error_set(err, ERROR_INVALID, "the request has no body");
	return call_build_generation(
		&exchange->call, &generation->request, exchange->arena, draft, err);
}

bool generation_note_credential(struct exchange *exchange, struct error *err)
{
	const struct server *server =
		registry_find_server(exchange->service->ports.registry, exchange->call.server);
	struct text reference = TEXT("");

	if (exchange->generation == NULL)
		return true;
	if (server == NULL || !server_credential_of(server, exchange->call.identity, &reference))
		return error_set(err, ERROR_NOT_FOUND,
			"server %.*s: credential: there is none for this identity",
			TEXT_ARGS(exchange->call.server));
	exchange->generation->credential = text_copy(exchange->arena, reference);
	return exchange->generation->credential.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the request");
}

static void on_text(void *context, struct text role, struct text text)
{
	const struct exchange *exchange = context;
	const struct call_prompts *prompts = &exchange->service->ports.prompts;

	prompts->on_prompt(prompts->context, exchange->call.task, role, text);
}

void generation_tell_prompts(struct exchange *exchange)
{
	if (exchange->generation != NULL && exchange->service->ports.prompts.on_prompt != NULL)
		generation_each_message(&exchange->call.params, on_text, exchange);
}

void generation_release(struct exchange *exchange)
{
	struct generation *generation = exchange->generation;

	exchange->generation = NULL;
	if (generation == NULL)
		return;
	usage_hold_end(&generation->hold);
	generation_answer_destroy(&generation->answer);
	for (struct watched *watched = generation->watched; watched != NULL;
		watched = watched->next)
		secret_strand_destroy(&watched->strand);
	sha256_end(&generation->digest);
	arena_destroy(&generation->scratch);
	buffer_deinit(&generation->error);
}

/* ---- budgets ----------------------------------------------------------------------- */

static int64_t input_tokens(const struct generation *generation)
{
	const struct generation_notes *notes =
		generation->answer == NULL ? NULL : generation_answer_notes(generation->answer);

	if (generation->request.api == GENERATION_COUNT)
		return 0;
	return notes != NULL && notes->input_tokens >= 0 ? notes->input_tokens
							 : generation->request.prompt_tokens;
}

static bool is_output_counted(const struct generation_notes *notes)
{
	return notes->output_tokens >= 0 && notes->finish[0] != '\0';
}

/* As the provider counts once it has finished; until then no less than the bytes say. */
static int64_t output_tokens(const struct generation *generation)
{
	const struct generation_notes *notes;
	int64_t estimate;

	if (generation->answer == NULL || generation->request.api == GENERATION_COUNT)
		return 0;
	notes = generation_answer_notes(generation->answer);
	estimate = generation_estimate(notes->output_bytes);
	return is_output_counted(notes) || notes->output_tokens > estimate ? notes->output_tokens
									   : estimate;
}

static struct usage usage_of(const struct generation *generation)
{
	int64_t input = input_tokens(generation), output = output_tokens(generation);

	return (struct usage){
		.requests = 1,
		.tokens = input + output,
		.spend = usage_price(model_of(generation->exchange), input, output),
	};
}

bool generation_hold(struct exchange *exchange, struct error *err)
{
	struct generation *generation = exchange->generation;
	struct usage_scope scope;
	struct usage held;

	if (generation == NULL || exchange->decision.verdict != VERDICT_ALLOW ||
		generation->hold.entries[0] != NULL)
		return true;
	if (!decide_usage_scope(exchange->service->ports.decide, &exchange->call, &scope))
		return error_set(err, ERROR_NOT_FOUND, "the task or the identity is gone");
	generation->root = text_copy(exchange->arena, scope.root);
	generation->unit = text_copy(exchange->arena, scope.unit);
	if (generation->root.data == NULL || generation->unit.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the request");
	if (!decide_usage_hold(exchange->service->ports.decide, &scope, &generation->hold,
		    now_utc_ms(exchange), err))
		return false;
	held = usage_of(generation);
	usage_hold_set(&generation->hold, &held);
	return true;
}

static void stop(struct generation *generation, enum reason reason, struct text explanation,
	struct text needed)
{
	generation->stopped = reason;
	generation->explanation = explanation.data == NULL ? TEXT("") : explanation;
	generation->needed = needed.data == NULL ? TEXT("") : needed;
}

static bool stop_no_memory(struct generation *generation)
{
	stop(generation, REASON_NO_MEMORY, text_of(reason_meaning(REASON_NO_MEMORY)),
		TEXT("Another try."));
	return false;
}

static bool stop_secret(struct generation *generation)
{
	stop(generation, REASON_FORBIDDEN, TEXT("The model's answer holds a secret of remit's."),
		TEXT("An answer without it; people see who has it in `remit findings`."));
	return false;
}

static bool is_within_budgets(struct generation *generation)
{
	struct exchange *exchange = generation->exchange;
	struct usage held = usage_of(generation);
	const char *whose;

	usage_hold_set(&generation->hold, &held);
	whose = decide_usage_breach(exchange->service->ports.decide, &exchange->call,
		&generation->hold, now_utc_ms(exchange));
	if (whose == NULL)
		return true;
	stop(generation, REASON_BUDGET,
		text_format(exchange->arena,
			"A budget for models, of the %s, was used up by this answer.", whose),
		text_format(exchange->arena, "A larger budget of the %s.", whose));
	return false;
}

/* ---- tool calls -------------------------------------------------------------------- */

/* A function's name holds letters, digits, _ and - alone: clients write one of these for
 * any other byte of a tool's name. */
static bool is_written_as(struct text name, struct text written)
{
	if (name.length != written.length)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = name.data[i];
		bool is_kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			       (c >= '0' && c <= '9') || c == '_' || c == '-';

		if (written.data[i] != c &&
			(is_kept || (written.data[i] != '_' && written.data[i] != '-')))
			return false;
	}
	return true;
}

/* SERVER/TOOL, SERVER__TOOL or mcp__SERVER__TOOL. */
static bool is_whole_name(const struct tool *tool, struct text written)
{
	size_t length = tool->server.length;
	struct text server;

	if (text_equal(tool->name, written))
		return true;
	if (text_starts_with(written, "mcp__"))
		written = text_after(written, sizeof "mcp__" - 1);
	if (written.length <= length + 2)
		return false;
	server = (struct text){written.data, length};
	return is_written_as(tool->server, server) &&
	       text_starts_with(text_after(written, length), "__") &&
	       is_written_as(tool->tool_name, text_after(written, length + 2));
}

/* The registered tools that a name may mean are tried in turn. */
struct judging {
	struct generation *generation;
	const struct generation_tool *told;
	bool is_bare;            /* names without a server are looked at */
	const struct tool *tool; /* the best so far */
	struct decision decision;
};

static bool make_params(struct json *out, struct arena *arena, const struct tool *tool,
	struct text arguments, struct error *err)
{
	static const struct json_limits limits = {
		.size_bytes = GENERATION_ARGUMENTS_BYTES_MAX, .depth = 64, .values = 100000};
	struct json_builder params;
	struct json value = {.type = JSON_OBJECT};

	if (arguments.length > 0 && !json_parse(&value, arena, arguments, &limits, err))
		return false;
	json_object_start(&params, arena);
	json_put(&params, "arguments", value);
	json_put_text(&params, "name", tool->tool_name);
	return json_object_seal(&params, out, err);
}

/* What would be decided of the call, now. */
static void ask_about(struct judging *judging, const struct tool *tool, struct decision *out)
{
	struct exchange *exchange = judging->generation->exchange;
	struct arena *arena = judging->generation->scratch;
	struct call_draft draft = {
		.identity = exchange->call.identity,
		.task = exchange->call.task,
		.environment = exchange->call.environment,
		.server = tool->server,
		.method = TEXT("tools/call"),
	};
	struct json params;
	struct error err = {0};
	struct call call;
	struct flow_origins origins;
	const struct decide_request request = {
		.call = &call,
		.origins = &origins,
		.search = DECIDE_SEARCH,
		.now_utc_ms = now_utc_ms(exchange),
	};

	*out = (struct decision){.reason = REASON_COULD_NOT_EVALUATE,
		.explanation = TEXT("The arguments of the tool call cannot be read."),
		.needed = TEXT("Arguments that are one JSON object.")};
	if (!judging->told->is_object ||
		!make_params(&params, arena, tool, judging->told->arguments, &err))
		return;
	draft.params = &params;
	if (!call_build(&call, arena, &draft, &err))
		return;
	decide_origins(exchange->service->ports.decide, &call, &origins);
	exchange_look_at(exchange, &call);
	decide_call(exchange->service->ports.decide, &request, arena, out);
}

static int rank_of(enum verdict verdict)
{
	return verdict == VERDICT_ALLOW ? 2 : verdict == VERDICT_ASK ? 1 : 0;
}

static bool look_at_tool(void *context, const struct registry_entry *entry)
{
	struct judging *judging = context;
	const struct tool *tool = entry->in_force == NULL ? NULL : entry->in_force->tool;
	struct decision decision;

	if (tool == NULL || !(judging->is_bare ? is_written_as(tool->tool_name, judging->told->name)
					       : is_whole_name(tool, judging->told->name)))
		return true;
	ask_about(judging, tool, &decision);
	if (judging->tool == NULL ||
		rank_of(decision.verdict) > rank_of(judging->decision.verdict)) {
		judging->tool = tool;
		judging->decision = decision;
	}
	return judging->decision.verdict != VERDICT_ALLOW;
}

/* Whether a name without a server may mean it too; one name is one tool where it can be. */
static void judge(struct judging *judging)
{
	const struct registry *registry = judging->generation->exchange->service->ports.registry;

	registry_each(registry, OBJECT_TOOL, TEXT(""), look_at_tool, judging);
	judging->is_bare = true;
	if (judging->tool == NULL)
		registry_each(registry, OBJECT_TOOL, TEXT(""), look_at_tool, judging);
}

/* A provider's word, if it can stand on record: it has the form of a name, and is no secret. */
static struct text recordable(const struct exchange *exchange, struct text word)
{
	struct detector *detector = exchange->service->ports.detector;

	if (!name_is_model(word) || (detector != NULL && detector_sees(detector, word)))
		return TEXT("");
	return word;
}

static bool keep_judged(const struct judging *judging)
{
	struct generation *generation = judging->generation;
	struct exchange *exchange = generation->exchange;
	struct contents_port *values = &exchange->service->ports.values;
	struct judged *judged;
	struct error err;

	if (generation->tools == NULL)
		generation->tools = arena_array(exchange->arena, struct judged, TOOLS_RECORDED_MAX);
	if (generation->tools == NULL)
		return false;
	if (generation->tools_count++ >= TOOLS_RECORDED_MAX)
		return true;
	judged = &generation->tools[generation->tools_count - 1];
	judged->verdict = judging->decision.verdict;
	judged->reason = judging->decision.reason;
	judged->name = text_copy(exchange->arena, recordable(exchange, judging->told->name));
	judged->tool =
		text_copy(exchange->arena, judging->tool == NULL ? TEXT("") : judging->tool->name);
	return judged->name.data != NULL && judged->tool.data != NULL &&
	       values->digest(values->context, exchange->call.task, judging->told->arguments,
		       &judged->arguments, &err);
}

static bool on_tool(void *context, const struct generation_tool *told)
{
	struct generation *generation = context;
	struct exchange *exchange = generation->exchange;
	struct judging judging = {.generation = generation, .told = told};

	if (generation->scratch == NULL)
		generation->scratch = arena_create(JUDGE_BYTES_MAX);
	if (generation->scratch == NULL)
		return stop_no_memory(generation);
	judge(&judging);
	if (!keep_judged(&judging))
		return stop_no_memory(generation);
	if (judging.tool != NULL && judging.decision.verdict == VERDICT_DENY &&
		exchange->service->settings.tool_calls == CALL_TOOLS_BLOCK)
		stop(generation, judging.decision.reason,
			text_format(exchange->arena,
				"The model asks for %.*s, which is refused: %.*s",
				TEXT_ARGS(judging.tool->name),
				TEXT_ARGS(judging.decision.explanation)),
			text_copy(exchange->arena, judging.decision.needed));
	arena_reset(generation->scratch);
	return generation->stopped == REASON_NONE;
}

/* ---- secrets ----------------------------------------------------------------------- */

static bool is_place(const struct generation_place *a, const struct generation_place *b)
{
	return a->index == b->index && a->kind == b->kind && a->choice == b->choice;
}

/* One that begins goes on where the last of its kind stands, as clients put them together;
 * a tool call's arguments stand alone.  NULL: no memory. */
static struct watched *watch(struct generation *generation, const struct generation_place *place)
{
	struct watched *before = generation->watched, *watched;

	watched = arena_new(generation->exchange->arena, struct watched);
	if (watched == NULL)
		return NULL;
	while (before != NULL &&
		(place->kind == GENERATION_TEXT_ARGUMENTS || before->place.kind != place->kind ||
			before->place.choice != place->choice))
		before = before->next;
	watched->place = *place;
	watched->strand =
		before == NULL ? secret_strand_create() : secret_strand_copy(before->strand);
	if (watched->strand == NULL)
		return NULL;
	watched->next = generation->watched;
	generation->watched = watched;
	generation->watched_count++;
	return watched;
}

/* A secret that is cut over several events is in none of them. */
static bool on_piece(void *context, const struct generation_place *place, struct text piece)
{
	struct generation *generation = context;
	struct watched *watched = generation->watched;
	struct error err;

	if (generation->exchange->service->ports.detector == NULL)
		return true;
	while (watched != NULL && !is_place(&watched->place, place))
		watched = watched->next;
	if (watched == NULL && generation->watched_count == GENERATION_TEXTS_MAX) {
		stop(generation, REASON_COULD_NOT_EVALUATE,
			TEXT("The model's answer has too many texts at once."),
			TEXT("An answer of fewer parts."));
		return false;
	}
	if (watched == NULL)
		watched = watch(generation, place);
	if (watched == NULL)
		return stop_no_memory(generation);
	return exchange_follow(generation->exchange, watched->strand, piece, &err) ||
	       (err.code == ERROR_CONFLICT ? stop_secret(generation) : stop_no_memory(generation));
}

/* ---- the answer -------------------------------------------------------------------- */

static bool on_pass(void *context, struct text bytes)
{
	struct generation *generation = context;
	const struct call_client *client = generation->exchange->client;

	if (!is_within_budgets(generation))
		return false;
	if (!exchange_pass_bytes(generation->exchange, bytes))
		return stop_secret(generation);
	sha256_add(generation->digest, bytes.data, bytes.length);
	generation->is_begun = true;
	if (client != NULL && client->on_bytes != NULL)
		client->on_bytes(client->context, generation->is_stream, bytes);
	return true;
}

/* The first bytes say what comes. */
static bool begin_answer(
	struct generation *generation, const struct upstream_bytes *bytes, struct error *err)
{
	const struct generation_sink sink = {generation, on_piece, on_tool, on_pass};

	generation->is_stream = bytes->type == UPSTREAM_EVENTS;
	if (bytes->type == UPSTREAM_OTHER || generation->is_stream != generation->request.is_stream)
		return error_set(err, ERROR_IO, "the provider answered with another type than %s",
			generation->request.is_stream ? "text/event-stream" : "application/json");
	generation->digest = sha256_begin();
	if (generation->digest == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the answer");
	return generation_answer_create(&generation->answer, generation->request.api,
		generation->is_stream ? GENERATION_STREAM : GENERATION_WHOLE, &sink, err);
}

/* What does not fit is not told, and read no longer than an answer would be. */
static bool take_error(struct generation *generation, struct text bytes, struct error *err)
{
	buffer_append_text(&generation->error, bytes);
	generation->error_bytes += bytes.length;
	return generation->error_bytes <= GENERATION_ANSWER_BYTES_MAX ||
	       error_set(err, ERROR_LIMIT, "the provider's error is longer than %d bytes",
		       GENERATION_ANSWER_BYTES_MAX);
}

bool generation_take(
	struct exchange *exchange, const struct upstream_bytes *bytes, struct error *err)
{
	struct generation *generation = exchange->generation;

	if (bytes->status != STATUS_OK)
		return take_error(generation, bytes->bytes, err);
	if (generation->answer == NULL && !begin_answer(generation, bytes, err))
		return false;
	return generation_answer_feed(generation->answer, bytes->bytes, err) ||
	       error_wrap(err, "the provider's answer");
}

bool generation_finish(struct exchange *exchange, const struct upstream_answer *answer,
	unsigned *status, struct error *err)
{
	struct generation *generation = exchange->generation;

	*status = answer->status == STATUS_OK ? 0 : answer->status;
	if (*status != 0)
		return false;
	if (generation->answer == NULL)
		return error_set(err, ERROR_IO, "the provider's answer is empty");
	return generation_answer_finish(generation->answer, err) ||
	       error_wrap(err, "the provider's answer");
}

enum reason generation_stop(struct exchange *exchange)
{
	const struct generation *generation = exchange->generation;

	exchange->decision.reason = generation->stopped;
	exchange->decision.explanation = generation->explanation;
	exchange->decision.needed = generation->needed;
	return generation->stopped;
}

struct text generation_error_message(struct exchange *exchange)
{
	struct generation *generation = exchange->generation;
	struct json body;
	struct text message = {0};
	struct error err;

	if (!buffer_failed(&generation->error) &&
		json_parse(&body, exchange->arena, buffer_text(&generation->error),
			&json_limits_default, &err))
		message = json_text_or(json_find(&body, "error"), "message", "");
	if (message.length == 0)
		return TEXT("The provider gave no reason.");
	if (message.length > MESSAGE_BYTES_MAX)
		message.length = MESSAGE_BYTES_MAX;
	while (message.length > 0 && !text_is_utf8(message))
		message.length--;
	return message;
}

/* ---- records ------------------------------------------------------------------------ */

static bool put_usage_now(
	struct json_builder *record, const struct usage_now *now, struct error *err)
{
	struct json_builder used;
	struct json task, identity, unit, sealed;

	if (!usage_json(&task, record->arena, &now->task, err) ||
		!usage_json(&identity, record->arena, &now->identity, err) ||
		!usage_json(&unit, record->arena, &now->unit, err))
		return false;
	json_object_start(&used, record->arena);
	json_put(&used, "identity", identity);
	json_put(&used, "task", task);
	json_put(&used, "unit", unit);
	if (!json_object_seal(&used, &sealed, err))
		return false;
	json_put(record, "used", sealed);
	return true;
}

bool generation_put_inputs(
	struct exchange *exchange, struct json_builder *record, struct error *err)
{
	if (exchange->generation == NULL)
		return true;
	return put_usage_now(record, &exchange->inputs.usage, err);
}

static bool tool_json(
	struct json *out, struct arena *arena, const struct judged *judged, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_digest(&object, "arguments", &judged->arguments);
	json_put_text_unless_empty(&object, "name", judged->name);
	json_put_text_unless_empty(&object, "tool", judged->tool);
	if (judged->tool.length > 0) {
		json_put_cstring(&object, "reason", reason_word(judged->reason));
		json_put_cstring(&object, "verdict", verdict_word(judged->verdict));
	}
	return json_object_seal(&object, out, err);
}

static bool put_tools(
	const struct generation *generation, struct json_builder *record, struct error *err)
{
	size_t kept = generation->tools_count < TOOLS_RECORDED_MAX ? generation->tools_count
								   : TOOLS_RECORDED_MAX;
	struct json_builder list;
	struct json value;

	if (kept == 0)
		return true;
	json_array_start(&list, record->arena);
	for (size_t i = 0; i < kept; i++) {
		if (!tool_json(&value, record->arena, &generation->tools[i], err))
			return false;
		json_add(&list, value);
	}
	if (!json_array_seal(&list, &value, err))
		return false;
	json_put(record, "tools", value);
	json_put_integer(record, "tools-asked", (int64_t)generation->tools_count);
	return true;
}

/* Numbers of the request; the names of its tools are values of the caller's. */
static bool put_parameters(
	const struct generation *generation, struct json_builder *record, struct error *err)
{
	const struct json *facts = &generation->request.facts;
	struct json_builder object;
	struct json value;

	json_object_start(&object, record->arena);
	for (uint32_t i = 0; i < facts->count; i++)
		if (facts->members[i].value.type != JSON_ARRAY)
			json_put_named(&object, facts->members[i].name, facts->members[i].value);
	if (!json_object_seal(&object, &value, err))
		return false;
	json_put(record, "parameters", value);
	return true;
}

static bool put_used(struct generation *generation, struct json_builder *record,
	const struct outcome *outcome, struct error *err)
{
	struct usage used = usage_of(generation);
	struct json value;

	/* What a provider refuses it does not charge. */
	if (strcmp(outcome->status, "error") == 0)
		used = (struct usage){.requests = 1};
	if (!usage_json(&value, record->arena, &used, err))
		return false;
	json_put(record, "used", value);
	return true;
}

static void put_notes(const struct generation *generation, struct json_builder *record)
{
	const struct generation_notes *notes;
	bool is_counted = false;

	json_put_text(record, "asked", generation->request.model);
	json_put_text_unless_empty(record, "credential", generation->credential);
	if (generation->answer != NULL) {
		notes = generation_answer_notes(generation->answer);
		is_counted = notes->input_tokens >= 0 && is_output_counted(notes);
		json_put_text_unless_empty(record, "answered",
			recordable(generation->exchange, text_of(notes->model)));
		json_put_text_unless_empty(
			record, "finish", recordable(generation->exchange, text_of(notes->finish)));
		json_put_integer(record, "bytes", (int64_t)notes->output_bytes);
	}
	json_put_integer(record, "input-tokens", input_tokens(generation));
	json_put_integer(record, "output-tokens", output_tokens(generation));
	json_put_cstring(record, "counted-by", is_counted ? "provider" : "estimate");
}

/* The digest of what was passed on, keyed. */
static bool put_result(
	struct generation *generation, struct json_builder *record, struct error *err)
{
	struct exchange *exchange = generation->exchange;
	struct contents_port *values = &exchange->service->ports.values;
	struct sha256 plain, keyed;

	if (!generation->is_begun)
		return true;
	plain = sha256_so_far(generation->digest);
	if (!values->digest(values->context, exchange->call.task,
		    (struct text){(const char *)plain.bytes, SHA256_BYTES}, &keyed, err))
		return false;
	json_put_digest(record, "result", &keyed);
	return true;
}

bool generation_put_outcome(struct exchange *exchange, struct json_builder *record,
	const struct outcome *outcome, struct error *err)
{
	struct generation *generation = exchange->generation;
	struct json_builder object;
	struct json value;

	if (generation == NULL || !outcome->is_forwarded)
		return true;
	json_object_start(&object, record->arena);
	put_notes(generation, &object);
	if (!put_parameters(generation, &object, err) || !put_tools(generation, &object, err) ||
		!put_used(generation, &object, outcome, err))
		return false;
	json_put_text(&object, "root", generation->root);
	json_put_text(&object, "unit", generation->unit);
	if (!json_object_seal(&object, &value, err))
		return false;
	json_put(record, "generation", value);
	return put_result(generation, record, err);
}

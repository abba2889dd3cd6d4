/* Why a call would be decided so, for people: the decision, the clauses it came
 * from with the values they compared, and the one change that would turn it. */

#include "cedar/from_json.h"
#include "domain/decide/explanation.h"
#include "domain/decide/recorded.h"
#include "domain/generation/request.h"
#include "services/decide/decide_private.h"

bool decision_json(
	struct json *out, struct arena *arena, const struct decision *decision, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "verdict", verdict_word(decision->verdict));
	json_put_cstring(&object, "reason", reason_word(decision->reason));
	json_put_cstring(&object, "meaning", reason_meaning(decision->reason));
	json_put_text_unless_empty(&object, "risk", text_of(risk_tier_word(decision->risk)));
	json_put_text_unless_empty(&object, "risk_from", text_of(decision->risk_from));
	if (decision->is_first_known)
		json_put_boolean(&object, "first", decision->is_first);
	json_put_text(&object, "entitlement", decision->entitlement);
	json_put_text(&object, "clause", decision->clause);
	json_put_text(&object, "explanation", decision->explanation);
	json_put_text(&object, "needed", decision->needed);
	json_put_integer(&object, "revision", (int64_t)decision->revision);
	json_put_texts(&object, "policies", decision->policies, decision->policies_count);
	json_put_texts(&object, "approvals", decision->approvals, decision->approvals_count);
	return json_object_seal(&object, out, err);
}

/* The environment of the server where the charter covers it, else the charter's
 * first: then the answer is about the environment. */
enum environment decide_environment_for(
	const struct registry_entry *entry, const struct server *server)
{
	int i;

	if (entry == NULL || entry->in_force == NULL || server == NULL)
		return ENVIRONMENT_NONE;
	if (charter_has_environment(charter_of(entry->in_force), server->environment))
		return server->environment;
	for (i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
		if (charter_has_environment(charter_of(entry->in_force), (enum environment)i))
			return (enum environment)i;
	return ENVIRONMENT_NONE;
}

static bool is_provider(const struct decide_service *service, struct text name)
{
	const struct server *server = registry_find_server(service->registry, name);

	return server != NULL && speaks_is_provider(server->speaks);
}

static bool is_peer(const struct decide_service *service, struct text name)
{
	const struct server *server = registry_find_server(service->registry, name);

	return server != NULL && server->speaks == SPEAKS_A2A;
}

/* A model and a peer may be written as charters write them, of a peer with its skill. */
static struct text resource_of(const struct decide_question *question)
{
	struct text resource = question->resource;

	if (question->effect == EFFECT_GENERATE && text_starts_with(resource, "model:"))
		return text_after(resource, sizeof "model:" - 1);
	if (question->effect == EFFECT_DELEGATE && text_starts_with(resource, "peer:"))
		return text_after(resource, sizeof "peer:" - 1);
	return resource;
}

bool decide_question_call(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct call *out, struct error *err)
{
	struct text resource = resource_of(question);
	ptrdiff_t slash = text_find_byte(resource, '/');
	struct text server_name = {resource.data, slash < 0 ? 0 : (size_t)slash};

	if (slash <= 0 || (size_t)slash + 1 == resource.length)
		return error_set(err, ERROR_INVALID, "a resource is SERVER/TOOL");
	*out = (struct call){
		.identity = question->identity,
		.task = TEXT(""),
		.environment = decide_environment_for(
			registry_find(service->registry, OBJECT_IDENTITY, question->identity),
			registry_find_server(service->registry, server_name)),
		.server = server_name,
		.method = TEXT("tools/call"),
		.route = METHOD_TOOL,
		.tool = resource,
		.effect = question->effect,
		.arguments = {.type = JSON_OBJECT},
	};
	if (question->environment != ENVIRONMENT_NONE)
		out->environment = question->environment;
	if (question->arguments != NULL)
		out->arguments = *question->arguments;
	if (out->arguments.type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "arguments are an object");
	if (service->secrets.look != NULL)
		out->secrets = service->secrets.look(service->secrets.context, &out->arguments);
	if (question->effect == EFFECT_GENERATE && is_provider(service, server_name)) {
		out->method = TEXT("chat/completions");
		out->route = METHOD_MODEL;
		out->generation = out->arguments;
		out->arguments = (struct json){.type = JSON_OBJECT};
	}
	if (is_peer(service, server_name)) {
		out->method = TEXT("SendMessage");
		out->route = METHOD_PEER;
	}
	out->arguments_text = json_canonical_text(arena, &out->arguments);
	return out->arguments_text.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the arguments");
}

/* What is not said of a request to a model is the least that can be asked. */
static bool fill_generation(const struct decide_service *service, struct call *call,
	struct arena *arena, struct error *err)
{
	const struct server *server = registry_find_server(service->registry, call->server);

	if (call->route != METHOD_MODEL || server == NULL)
		return true;
	return generation_facts_least(
		&call->generation, arena, speaks_word(server->speaks), &call->generation, err);
}

/* Without arguments it is asked whatever they are. */
static void judge_arguments(struct decide_service *service, const struct call *call,
	struct arena *arena, struct decide_world *world)
{
	if (call->arguments.count > 0)
		world->arguments = decide_arguments(service, call, arena, &world->arguments_fault);
}

/* The call of a question, and the world to decide it in. */
static bool ask_in_world(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct call *call, struct decide_world *world, struct error *err)
{
	if (!decide_question_call(service, question, arena, call, err) ||
		!fill_generation(service, call, arena, err))
		return false;
	*world = decide_world_of(service, call, DECIDE_FOR_QUESTION, question->now_utc_ms);
	judge_arguments(service, call, arena, world);
	return true;
}

bool decide_ask(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct decision *out, struct error *err)
{
	struct decide_world world;
	struct call call = {0};

	*out = (struct decision){0};
	if (!ask_in_world(service, question, arena, &call, &world, err))
		return false;
	decide(&world, &call, NULL, question->search, arena, out);
	return true;
}

/* ---- clauses ---------------------------------------------------------------------- */

static const char *const outcome_words[] = {
	[CEDAR_OUTCOME_SATISFIED] = "satisfied",
	[CEDAR_OUTCOME_PRINCIPAL] = "principal",
	[CEDAR_OUTCOME_ACTION] = "action",
	[CEDAR_OUTCOME_RESOURCE] = "resource",
	[CEDAR_OUTCOME_WHEN_FALSE] = "when",
	[CEDAR_OUTCOME_UNLESS_TRUE] = "unless",
	[CEDAR_OUTCOME_ERROR] = "failed",
};
static const char *const part_words[] = {
	[CEDAR_PART_PRINCIPAL] = "principal",
	[CEDAR_PART_ACTION] = "action",
	[CEDAR_PART_RESOURCE] = "resource",
	[CEDAR_PART_WHEN] = "when",
	[CEDAR_PART_UNLESS] = "unless",
};
static const char *const result_words[] = {
	[CEDAR_PART_NOT_REACHED] = "not_reached",
	[CEDAR_PART_FALSE] = "false",
	[CEDAR_PART_TRUE] = "true",
	[CEDAR_PART_FAILED] = "failed",
};

static bool values_json(
	struct json *out, struct arena *arena, const struct cedar_part *part, struct error *err)
{
	struct json_builder array;
	size_t i;

	json_array_start(&array, arena);
	for (i = 0; i < part->operand_count; i++) {
		struct json_builder object;
		struct json value;

		json_object_start(&object, arena);
		json_put_text(&object, "text", cedar_text_to(part->operands[i].text));
		json_put_text(&object, "value", cedar_text_to(part->operands[i].value));
		if (!json_object_seal(&object, &value, err))
			return false;
		json_add(&array, value);
	}
	return json_array_seal(&array, out, err);
}

/* A place counts in the policy's text, or in the line's `when`; what is made of a
 * line's approvals or scope has none. */
static void put_place(
	struct json_builder *object, const struct decide_account *account, struct cedar_range range)
{
	uint32_t before = account->when_line == 0 ? 0 : account->when_line - 1;

	if (range.length == 0 || range.line <= before)
		return;
	json_put_integer(object, "line", range.line - before);
	json_put_integer(object, "column", range.column);
}

static bool part_json(struct json *out, struct arena *arena, const struct decide_account *account,
	const struct cedar_part *part, struct error *err)
{
	struct json_builder object;
	struct json values;

	if (!values_json(&values, arena, part, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "part", part_words[part->kind]);
	json_put_cstring(&object, "result", result_words[part->result]);
	put_place(&object, account, part->range);
	json_put_text(&object, "text", cedar_text_to(part->text));
	json_put_text_unless_empty(&object, "error", cedar_text_to(part->error));
	json_put(&object, "values", values);
	return json_object_seal(&object, out, err);
}

static bool account_json(struct json *out, struct arena *arena,
	const struct decide_account *account, struct error *err)
{
	const struct cedar_account *told = &account->told;
	struct json_builder object, array;
	struct json part, parts;
	size_t i;

	json_array_start(&array, arena);
	for (i = 0; i < told->part_count; i++) {
		if (!part_json(&part, arena, account, &told->parts[i], err))
			return false;
		json_add(&array, part);
	}
	if (!json_array_seal(&array, &parts, err))
		return false;
	json_object_start(&object, arena);
	json_put_text(&object, "policy", account->policy);
	json_put_cstring(&object, "effect", account->is_permit ? "permit" : "forbid");
	json_put_cstring(&object, "outcome", outcome_words[told->outcome]);
	if (!account->is_permit)
		put_place(&object, account, told->range);
	if (told->is_cut)
		json_put_boolean(&object, "cut", true);
	json_put(&object, "parts", parts);
	return json_object_seal(&object, out, err);
}

static bool accounts_json(struct json *out, struct arena *arena,
	const struct decide_explanation *explanation, struct error *err)
{
	struct json_builder array;
	struct json account;
	size_t i;

	json_array_start(&array, arena);
	for (i = 0; i < explanation->accounts_count; i++) {
		if (!account_json(&account, arena, &explanation->accounts[i], err))
			return false;
		json_add(&array, account);
	}
	return json_array_seal(&array, out, err);
}

static bool change_json(struct json *out, struct arena *arena,
	const struct decide_explanation *explanation, struct error *err)
{
	const struct decide_change *change = &explanation->change;
	const char *kind = change_kind_word(change->kind);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "kind", kind == NULL ? "none" : kind);
	if (kind == NULL) {
		json_put_cstring(&object, "sentence",
			explanation->trials == 0
				? "No approval that was tried does it alone, and no attribute or "
				  "entitlement could be tried."
				: "No one approval, attribute or entitlement that was tried does "
				  "it alone.");
		return json_object_seal(&object, out, err);
	}
	json_put_text(&object, "what", change->what);
	json_put(&object, "from", change->from);
	json_put(&object, "to", change->to);
	json_put_text(&object, "sentence", change->sentence);
	return json_object_seal(&object, out, err);
}

/* A decision with its clauses and, of a refusal, the change. */
static bool told_json(struct json *out, struct arena *arena, const struct decision *decision,
	const struct decide_explanation *explanation, const char *as_of, struct error *err)
{
	struct json decided, accounts, change;
	struct json_builder object;

	if (!decision_json(&decided, arena, decision, err) ||
		!accounts_json(&accounts, arena, explanation, err) ||
		!change_json(&change, arena, explanation, err))
		return false;
	json_object_start(&object, arena);
	for (uint32_t i = 0; i < decided.count; i++)
		json_put_named(&object, decided.members[i].name, decided.members[i].value);
	json_put_cstring(&object, "as_of", as_of);
	if (decision->verdict != VERDICT_ALLOW)
		json_put(&object, "change", change);
	json_put(&object, "accounts", accounts);
	if (explanation->is_accounts_cut)
		json_put_boolean(&object, "accounts_cut", true);
	return json_object_seal(&object, out, err);
}

/* The task of the answer: a question has none, and a record's may be over. */
static const char *as_of(const struct decide_world *world)
{
	if (world->labels != NULL)
		return "a fresh task with the labels and origins on record, that has used no line";
	return "a fresh task: it has read nothing and used no line, and its request names every "
	       "value";
}

static bool why_in_world(const struct decide_world *world, const struct call *call,
	struct arena *arena, struct json *out, struct error *err)
{
	struct decide_explanation explanation;
	struct decision decision;

	decide(world, call, NULL, DECIDE_SEARCH, arena, &decision);
	decide_explain(world, &(struct decide_said){call, NULL, &decision}, DECIDE_REACH_ALL, arena,
		&explanation);
	return told_json(out, arena, &decision, &explanation, as_of(world), err);
}

bool decide_why(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct json *out, struct error *err)
{
	struct decide_world world;
	struct call call = {0};

	return ask_in_world(service, question, arena, &call, &world, err) &&
	       why_in_world(&world, &call, arena, out, err);
}

bool decide_why_recorded(struct decide_service *service, const struct decide_again *again,
	struct arena *arena, struct json *out, struct error *err)
{
	struct recorded_decision *recorded = arena_new(arena, struct recorded_decision);
	struct decide_world world;

	if (recorded == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to explain a record");
	if (!text_is(json_text_or(again->record, "type", ""), "decision") ||
		again->arguments->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "it is no decision about a call");
	recorded_decision_read(recorded, again->record);
	recorded->call.task = TEXT(""); /* which may be over by now */
	if (!recorded_decision_open(recorded, again->arguments, arena, err))
		return false;
	recorded->call.arguments_text = json_canonical_text(arena, again->arguments);
	if (recorded->call.arguments_text.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the arguments");
	world = decide_world_of(service, &recorded->call, DECIDE_FOR_QUESTION, again->now_utc_ms);
	if (recorded->has_labels) {
		world.labels = &recorded->labels;
		world.origins = &recorded->origins;
	}
	judge_arguments(service, &recorded->call, arena, &world);
	return why_in_world(&world, &recorded->call, arena, out, err);
}

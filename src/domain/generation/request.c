/* What a body asks for.  Only the members that policies and budgets see are looked at; all
 * others go to the provider as they are, for they are sealed and bound with the rest. */
#include "domain/generation/request.h"

#include "domain/charter/form.h"

enum { THOUSANDTHS = 1000, TEMPERATURE_MOST = 1000 };

static const struct {
	const char *method;
	enum generation_api api;
	const char *word;
} apis[] = {
	{"chat/completions", GENERATION_CHAT, "openai"},
	{"responses", GENERATION_RESPONSES, "openai"},
	{"messages", GENERATION_MESSAGES, "anthropic"},
	{"messages/count_tokens", GENERATION_COUNT, "anthropic"},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum generation_api generation_api_of(struct text method)
{
	for (size_t i = 0; i < COUNT(apis); i++)
		if (text_is(method, apis[i].method))
			return apis[i].api;
	return GENERATION_NONE;
}

static const char *api_word(enum generation_api api)
{
	for (size_t i = 0; i < COUNT(apis); i++)
		if (apis[i].api == api)
			return apis[i].word;
	return "";
}

int64_t generation_estimate(uint64_t bytes)
{
	return (int64_t)((bytes + GENERATION_BYTES_PER_TOKEN - 1) / GENERATION_BYTES_PER_TOKEN);
}

/* ---- facts ---- */

/* The first of the names that is there; *out is -1 if none is. */
static bool read_tokens(
	const struct json *body, const char *const *names, int64_t *out, struct error *err)
{
	*out = -1;
	for (; *names != NULL; names++) {
		const struct json *value = json_find(body, *names);

		if (value == NULL || value->type == JSON_NULL)
			continue;
		if (value->type != JSON_INTEGER || value->integer < 0 ||
			value->integer > GENERATION_TOKENS_MOST)
			return error_set(err, ERROR_INVALID, "%s is no number of tokens", *names);
		if (value->integer > *out)
			*out = value->integer;
	}
	return true;
}

/* In thousandths, rounded up; -1: not given. */
static bool read_temperature(const struct json *body, int64_t *out, struct error *err)
{
	const struct json *value = json_find(body, "temperature");
	double number, scaled;

	*out = -1;
	if (value == NULL || value->type == JSON_NULL)
		return true;
	if (value->type != JSON_INTEGER && value->type != JSON_DOUBLE)
		return error_set(err, ERROR_INVALID, "temperature is no number");
	number = value->type == JSON_INTEGER ? (double)value->integer : value->number;
	if (!(number >= 0) || number > TEMPERATURE_MOST)
		return error_set(err, ERROR_INVALID, "temperature is out of range");
	scaled = number * THOUSANDTHS;
	*out = (int64_t)scaled;
	if ((double)*out < scaled)
		(*out)++;
	return true;
}

static bool read_stream(const struct json *body, bool *out, struct error *err)
{
	const struct json *value = json_find(body, "stream");

	*out = value != NULL && value->type == JSON_BOOLEAN && value->boolean;
	return value == NULL || value->type == JSON_BOOLEAN || value->type == JSON_NULL ||
	       error_set(err, ERROR_INVALID, "stream is neither true nor false");
}

/* Whether the caller says what the tool is: then the caller runs it. */
static bool is_own_tool(const struct json *tool)
{
	struct text type = json_text_or(tool, "type", "function");

	return text_is(type, "function") || text_is(type, "custom");
}

/* The name of an own tool, the type of another.  Empty: none, or two, of which a provider
 * might take the other. */
static struct text tool_name(const struct json *tool)
{
	const struct json *function = json_find(tool, "function");
	const struct json *custom = json_find(tool, "custom");
	struct text name = json_text_or(tool, "name", "");

	if (!is_own_tool(tool))
		return json_text_or(tool, "type", "");
	if (function == NULL && custom == NULL)
		return name;
	if (name.length > 0 || (function != NULL && custom != NULL))
		return TEXT("");
	return json_text_or(function != NULL ? function : custom, "name", "");
}

/* Names of tools, while the facts are made. */
struct offered {
	struct json_builder own;
	struct json_builder of_provider;
};

static bool add_tools(
	const struct json *body, const char *member, struct offered *offered, struct error *err)
{
	const struct json *tools = json_find(body, member);

	if (tools == NULL || tools->type == JSON_NULL)
		return true;
	if (tools->type != JSON_ARRAY || tools->count > GENERATION_TOOLS_OFFERED_MAX)
		return error_set(err, ERROR_INVALID, "%s is no list of at most %d tools", member,
			GENERATION_TOOLS_OFFERED_MAX);
	for (uint32_t i = 0; i < tools->count; i++) {
		struct text name = tool_name(&tools->items[i]);

		if (name.length == 0)
			return error_set(err, ERROR_INVALID, "%s[%u] has not one name", member, i);
		json_add(is_own_tool(&tools->items[i]) ? &offered->own : &offered->of_provider,
			json_string(name));
	}
	return true;
}

/* Members of a body that have the provider look or call elsewhere count as tools of its. */
static void add_members(const struct json *body, struct offered *offered)
{
	static const char *const members[] = {
		"web_search_options", "mcp_servers", "plugins", "container"};

	for (size_t i = 0; i < COUNT(members); i++) {
		const struct json *value = json_find(body, members[i]);

		if (value != NULL && value->type != JSON_NULL)
			json_add(&offered->of_provider, json_cstring(members[i]));
	}
}

static bool make_facts(struct generation_request *request, struct arena *arena,
	const struct json *body, struct error *err)
{
	static const char *const limits[] = {
		"max_completion_tokens", "max_output_tokens", "max_tokens", NULL};
	int64_t max_tokens, temperature;
	struct json_builder facts;
	struct json own, of_provider;
	struct offered offered;

	json_array_start(&offered.own, arena);
	json_array_start(&offered.of_provider, arena);
	add_members(body, &offered);
	if (!read_tokens(body, limits, &max_tokens, err) ||
		!read_temperature(body, &temperature, err) ||
		!read_stream(body, &request->is_stream, err) ||
		!add_tools(body, "tools", &offered, err) ||
		!add_tools(body, "functions", &offered, err) ||
		!json_array_seal(&offered.own, &own, err) ||
		!json_array_seal(&offered.of_provider, &of_provider, err))
		return false;
	json_object_start(&facts, arena);
	json_put_cstring(&facts, "api", api_word(request->api));
	if (max_tokens >= 0)
		json_put_integer(&facts, "max_tokens", max_tokens);
	json_put_integer(&facts, "prompt_tokens", request->prompt_tokens);
	json_put(&facts, "provider_tools", of_provider);
	json_put_boolean(&facts, "stream", request->is_stream);
	if (temperature >= 0)
		json_put_integer(&facts, "temperature", temperature);
	json_put(&facts, "tools", own);
	return json_object_seal(&facts, &request->facts, err);
}

bool generation_facts_least(struct json *out, struct arena *arena, const char *api,
	const struct json *given, struct error *err)
{
	const struct json_member least[] = {
		{TEXT("api"), json_cstring(api)},
		{TEXT("prompt_tokens"), json_integer(1)},
		{TEXT("provider_tools"), {.type = JSON_ARRAY}},
		{TEXT("stream"), json_boolean(false)},
		{TEXT("tools"), {.type = JSON_ARRAY}},
	};
	struct json_builder facts;

	json_object_start(&facts, arena);
	for (uint32_t i = 0; i < given->count; i++)
		json_put_named(&facts, given->members[i].name, given->members[i].value);
	for (size_t i = 0; i < COUNT(least); i++)
		if (json_find_text(given, least[i].name) == NULL)
			json_put_named(&facts, least[i].name, least[i].value);
	return json_object_seal(&facts, out, err);
}

/* What a prompt is made of must be in the body: what a provider keeps of other requests,
 * perhaps another identity's, was not decided, and an answer that comes later passes
 * nobody. */
static bool check_kept(const struct json *body, struct error *err)
{
	static const char *const kept[] = {
		"previous_response_id", "conversation", "prompt", "background"};

	for (size_t i = 0; i < COUNT(kept); i++) {
		const struct json *value = json_find(body, kept[i]);

		if (value != NULL && value->type != JSON_NULL &&
			!(value->type == JSON_BOOLEAN && !value->boolean))
			return error_set(err, ERROR_INVALID,
				"%s is not let through: a request holds all that is asked",
				kept[i]);
	}
	return true;
}

/* Neither may a part of it be the name of what lies with the provider. */
static bool check_part(const struct json *part, struct error *err)
{
	static const char *const names[] = {"file_id", "container_id"};

	if (text_is(json_text_or(part, "type", ""), "item_reference"))
		return error_set(err, ERROR_INVALID,
			"item_reference is not let through: a request holds all that is asked");
	for (size_t i = 0; i < COUNT(names); i++)
		if (json_find(part, names[i]) != NULL ||
			json_find(json_find(part, "file"), names[i]) != NULL ||
			json_find(json_find(part, "source"), names[i]) != NULL)
			return error_set(err, ERROR_INVALID,
				"%s is not let through: a request holds all that is asked",
				names[i]);
	return true;
}

/* Each item of the prompt, and each part of its content. */
static bool check_parts(const struct json *prompt, struct error *err)
{
	for (uint32_t i = 0; prompt->type == JSON_ARRAY && i < prompt->count; i++) {
		const struct json *content = json_find(&prompt->items[i], "content");

		if (!check_part(&prompt->items[i], err))
			return false;
		for (uint32_t k = 0;
			content != NULL && content->type == JSON_ARRAY && k < content->count; k++)
			if (!check_part(&content->items[k], err))
				return false;
	}
	return true;
}

static bool check_prompt(enum generation_api api, const struct json *body, struct error *err)
{
	bool is_responses = api == GENERATION_RESPONSES;
	const struct json *prompt = json_find(body, is_responses ? "input" : "messages");

	if (prompt == NULL ||
		(prompt->type != JSON_ARRAY && !(is_responses && prompt->type == JSON_STRING)))
		return error_set(
			err, ERROR_INVALID, "%s is no list", is_responses ? "input" : "messages");
	return check_parts(prompt, err) && (!is_responses || check_kept(body, err));
}

bool generation_request_read(struct generation_request *out, struct arena *arena,
	struct text method, const struct json *body, struct error *err)
{
	*out = (struct generation_request){.api = generation_api_of(method)};
	if (out->api == GENERATION_NONE)
		return error_set(err, ERROR_INVALID, "no request to a model is called that");
	if (body->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "the body is no JSON object");
	out->model = json_text_or(body, "model", "");
	if (!name_is_model(out->model))
		return error_set(err, ERROR_INVALID, "model is not the name of a model");
	if (!check_prompt(out->api, body, err))
		return false;
	out->canonical = json_canonical_text(arena, body);
	if (out->canonical.data == NULL || out->canonical.length > GENERATION_BODY_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the body is longer than %d bytes",
			GENERATION_BODY_BYTES_MAX);
	out->prompt_tokens = generation_estimate(out->canonical.length);
	return make_facts(out, arena, body, err);
}

/* ---- messages ---- */

/* The texts of a part, and of the result of a tool that Anthropic's API has a user say. */
static void visit_part(
	const struct json *part, struct text role, generation_visit *visit, void *context)
{
	const struct json *inner = json_find(part, "content");
	const struct json *text = json_find(part, "text");

	if (text != NULL && text->type == JSON_STRING)
		visit(context, role, text->string);
	if (inner != NULL && inner->type == JSON_STRING)
		visit(context, TEXT("tool"), inner->string);
	for (uint32_t i = 0; inner != NULL && inner->type == JSON_ARRAY && i < inner->count; i++) {
		text = json_find(&inner->items[i], "text");
		if (text != NULL && text->type == JSON_STRING)
			visit(context, TEXT("tool"), text->string);
	}
}

/* A text, or a list of parts. */
static void visit_content(
	const struct json *content, struct text role, generation_visit *visit, void *context)
{
	if (content == NULL)
		return;
	if (content->type == JSON_STRING)
		visit(context, role, content->string);
	for (uint32_t i = 0; content->type == JSON_ARRAY && i < content->count; i++)
		visit_part(&content->items[i], role, visit, context);
}

/* Also the result of a tool, as the responses API has it. */
static void visit_message(const struct json *message, generation_visit *visit, void *context)
{
	visit_content(
		json_find(message, "content"), json_text_or(message, "role", ""), visit, context);
	visit_content(json_find(message, "output"), TEXT("tool"), visit, context);
}

void generation_each_message(const struct json *body, generation_visit *visit, void *context)
{
	const struct json *messages = json_find(body, "messages");
	const struct json *input = json_find(body, "input");

	visit_content(json_find(body, "system"), TEXT("system"), visit, context);
	visit_content(json_find(body, "instructions"), TEXT("system"), visit, context);
	if (messages == NULL && input != NULL && input->type == JSON_STRING)
		visit_content(input, TEXT("user"), visit, context);
	if (messages == NULL)
		messages = input;
	for (uint32_t i = 0;
		messages != NULL && messages->type == JSON_ARRAY && i < messages->count; i++)
		visit_message(&messages->items[i], visit, context);
}

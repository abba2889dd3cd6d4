/* Laws of an application's answers to any JSON that a caller may send: the answer is a
 * yes exactly with its reason; the same question has the same answer; where a policy
 * forbids everything there is no yes; where there is a schema, none but to what it declares:
 * types, action, and each property and member of the context. */
#include <assert.h>
#include <stdint.h>

#include "domain/application/application.h"

enum { ROOM_BYTES = 1 << 26 };

static const char entities[] =
	"[{\"uid\":{\"type\":\"User\",\"id\":\"u\"},\"attrs\":{\"level\":1},"
	"\"parents\":[{\"type\":\"Team\",\"id\":\"t\"}]},"
	"{\"uid\":{\"type\":\"Team\",\"id\":\"t\"},\"attrs\":{},\"parents\":[]}]";
static const char schema[] =
	"entity Team; entity User in [Team] { level: Long, ip?: ipaddr, tags?: Set<String> };\n"
	"entity Doc { owner?: User };\n"
	"action see appliesTo { principal: User, resource: Doc, context: { at?: datetime } };\n";
static const char policies[] =
	"permit (principal, action, resource) when { principal has level && "
	"(principal.level == 1 || resource has owner && resource.owner == principal) };\n"
	"permit (principal, action, resource) when { context has action && context.action like "
	"\"a*\" };\n";
static const char typed_policies[] =
	"permit (principal, action == Action::\"see\", resource) when { principal.level > 0 };";
static const char forbidding[] = "permit (principal, action, resource);"
				 "forbid (principal, action, resource);";

struct worlds {
	struct application_rules *open;
	struct application_rules *typed;
	struct application_rules *closed;
};

static struct application_rules *compile(
	struct arena *arena, const char *schema_text, const char *policy_text)
{
	struct application_source source = {.prefix = TEXT("p"),
		.schema = text_of(schema_text),
		.policies = text_of(policy_text)};
	struct application_rules *rules;
	struct json list;
	struct error err;
	const char *part;

	assert(json_parse(&list, arena, text_of(entities), &json_limits_default, &err));
	source.entities = &list;
	if (!application_compile(&rules, &source, &part, &err))
		assert(!"the rules of the target compile");
	return rules;
}

static struct application_entity entity_of(const struct json *question, const char *name)
{
	const struct json *value = json_find(question, name);
	const struct json *properties = value == NULL ? NULL : json_find(value, "properties");

	return (struct application_entity){
		value == NULL ? TEXT("") : json_text_or(value, "type", ""),
		value == NULL ? TEXT("") : json_text_or(value, "id", ""),
		properties != NULL && properties->type == JSON_OBJECT ? properties : NULL};
}

static const struct json *object_at(const struct json *holder, const char *name)
{
	const struct json *value = holder == NULL ? NULL : json_find(holder, name);

	return value != NULL && value->type == JSON_OBJECT ? value : NULL;
}

static struct application_question question_of(const struct json *input)
{
	const struct json *action = json_find(input, "action");

	return (struct application_question){.subject = entity_of(input, "subject"),
		.action = action == NULL ? TEXT("") : json_text_or(action, "name", ""),
		.action_properties = object_at(action, "properties"),
		.resource = entity_of(input, "resource"),
		.context = object_at(input, "context")};
}

/* Every member has one of the names, of which the last is NULL. */
static bool has_only(const struct json *object, const char *const names[])
{
	for (uint32_t i = 0; object != NULL && i < object->count; i++) {
		size_t at = 0;

		while (names[at] != NULL && !text_is(object->members[i].name, names[at]))
			at++;
		if (names[at] == NULL)
			return false;
	}
	return true;
}

/* As the schema has it: a yes is to nothing else. */
static void check_declared(const struct json *input)
{
	const struct application_question question = question_of(input);

	assert(text_is(question.subject.type, "User") && text_is(question.action, "see") &&
		text_is(question.resource.type, "Doc"));
	assert(question.action_properties == NULL); /* they are context.action */
	assert(has_only(
		question.subject.properties, (const char *const[]){"level", "ip", "tags", NULL}));
	assert(has_only(question.resource.properties, (const char *const[]){"owner", NULL}));
	assert(has_only(question.context, (const char *const[]){"at", NULL}));
}

static bool ask(const struct application_rules *rules, const struct json *input)
{
	const struct application_question question = question_of(input);
	struct arena *arena = arena_create(APPLICATION_ARENA_BYTES_MAX);
	struct application_answer answer, again;

	assert(arena != NULL);
	application_decide(rules, &question, arena, &answer);
	assert(answer.is_allowed == (answer.reason == APPLICATION_PERMITTED));
	assert(answer.reason != APPLICATION_NONE);
	arena_reset(arena);
	application_decide(rules, &question, arena, &again);
	assert(again.reason == answer.reason);
	arena_destroy(&arena);
	return answer.is_allowed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct worlds worlds; /* check-source: global: made once, then read */
	struct arena *arena = arena_create(ROOM_BYTES);
	struct json input;
	struct error err;

	assert(arena != NULL);
	if (worlds.open == NULL) {
		worlds.open = compile(arena, "", policies);
		worlds.typed = compile(arena, schema, typed_policies);
		worlds.closed = compile(arena, "", forbidding);
	}
	if (json_parse(&input, arena, (struct text){(const char *)data, size}, &json_limits_default,
		    &err) &&
		input.type == JSON_OBJECT) {
		(void)ask(worlds.open, &input);
		if (ask(worlds.typed, &input))
			check_declared(&input);
		assert(!ask(worlds.closed, &input));
	}
	arena_destroy(&arena);
	return 0;
}

/* Laws of data read by a schema: four texts between lines of dashes, a schema, policies,
 * entities and {"principal": uid, "action": uid, "resource": uid, "context": {..}}.  What is
 * refused says why.  What is accepted is accepted again; a request that conforms names an
 * action and types that are declared; and policies in which validation finds no error
 * fail on data that conform only by overflow or for want of an entity. */
#include <assert.h>
#include <string.h>

#include "cedar/document.h"
#include "cedar/validate_inner.h"
#include "parts.h"
#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 26, PARTS = 4, STEPS_MAX = 1 << 18 };

struct world {
	struct cedar_arena *arena;
	struct cedar_schema *schema;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_request request;
};

static bool read_request(struct world *world, struct cedar_text json)
{
	static const char mark[] = "\"context\":";
	const char *context = memmem(json.data, json.length, mark, sizeof mark - 1);
	struct cedar_error err;
	struct document_reader reader = {
		.arena = (struct arena *)world->arena, .source = json, .err = &err};
	struct document *root;
	struct cedar_text text = CEDAR_TEXT("{}");

	if (!document_parse(&root, reader.arena, json, &err) || root->type != DOCUMENT_OBJECT ||
		document_find(root, "principal") == NULL || document_find(root, "action") == NULL ||
		document_find(root, "resource") == NULL)
		return false;
	/* The last member: its text ends where the request's closing brace begins. */
	if (context != NULL && json.data[json.length - 1] == '}') {
		text.data = context + sizeof mark - 1;
		text.length = (size_t)(json.data + json.length - 1 - text.data);
	}
	return document_uid(&reader, document_find(root, "principal"), &world->request.principal) &&
	       document_uid(&reader, document_find(root, "action"), &world->request.action) &&
	       document_uid(&reader, document_find(root, "resource"), &world->request.resource) &&
	       cedar_schema_parse_context(&world->request.context, world->arena, world->schema,
		       &world->request.action, text, &err);
}

static bool load(struct world *world, struct cedar_text json, struct cedar_error *err)
{
	return cedar_entities_create(&world->entities, err) &&
	       cedar_schema_add_entities(world->schema, world->entities, json, err) &&
	       cedar_schema_add_actions(world->schema, world->entities, err) &&
	       cedar_entities_seal(world->entities, err) &&
	       cedar_validate_entities(world->schema, world->entities, err);
}

static bool may_fail_so(struct cedar_text text)
{
	static const char *const allowed[] = {
		"does not fit 64 bits", "overflows", "does not exist"};

	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (memmem(text.data, text.length, allowed[i], strlen(allowed[i])) != NULL)
			return true;
	return false;
}

static void check_decision(const struct world *world)
{
	struct validate_options options = {CEDAR_RULE_4_13, STEPS_MAX};
	struct cedar_validation validation;
	struct cedar_answer answer;
	struct cedar_error err;

	if (!validate_with(world->set, world->schema, &options, world->arena, &validation, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT);
		return;
	}
	if (!cedar_authorize(
		    world->set, world->entities, &world->request, world->arena, &answer, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT);
		return;
	}
	for (size_t i = 0; validation.error_count == 0 && i < answer.error_count; i++)
		assert(may_fail_so(answer.errors[i].text));
}

static bool is_among(const struct schema_entities *types, struct cedar_text name)
{
	for (uint32_t i = 0; i < types->count; i++)
		if (cedar_text_equal(types->items[i]->name, name))
			return true;
	return false;
}

static void check_declared(const struct cedar_schema *schema, const struct cedar_request *request)
{
	const struct schema_action *action = schema_find_action(schema, &request->action);

	assert(action != NULL);
	assert(is_among(&action->principals, request->principal.type));
	assert(is_among(&action->resources, request->resource.type));
}

static void check(struct world *world, const struct cedar_text parts[PARTS])
{
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (!load(world, parts[2], &err)) {
		assert(err.code != CEDAR_ERROR_NONE && err.text[0] != '\0');
		return;
	}
	assert(cedar_validate_entities(world->schema, world->entities, &err));
	if (!read_request(world, parts[3]) ||
		!cedar_validate_request(world->schema, &world->request, &err))
		return;
	check_declared(world->schema, &world->request);
	check_decision(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.arena = NULL};
	struct cedar_text parts[PARTS];
	struct cedar_error err;

	if (!parts_cut(data, size, parts, PARTS) || parts[PARTS - 1].length == 0)
		return 0;
	world.arena = cedar_arena_create(ROOM_BYTES);
	if (world.arena != NULL && cedar_schema_parse(&world.schema, parts[0], &err) &&
		cedar_policy_set_parse(&world.set, parts[1], NULL, &err))
		check(&world, parts);
	cedar_entities_destroy(&world.entities);
	cedar_policy_set_destroy(&world.set);
	cedar_schema_destroy(&world.schema);
	cedar_arena_destroy(&world.arena);
	return 0;
}

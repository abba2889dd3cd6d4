/* Laws of reading schemas in both syntaxes: failure hands over nothing and says
 * where; whatever a schema says, reading and checking a small world by it ends, and
 * so does validating a policy; what was read as JSON is refused as Cedar syntax. */
#include <assert.h>

#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 24 };

static const char world[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"a\":\"1.0\",\"b\":[{\"type\":\"U\","
	"\"id\":\"a\"}],\"c\":{\"a\":\"::1\"}},\"parents\":[],\"tags\":{\"t\":\"2024-01-01\"}}]";
static const char policies[] =
	"permit(principal is U, action in Action::\"a\", resource) when { principal has c.a && "
	"principal.hasTag(\"t\") && principal.getTag(\"t\") == resource.a };"
	"forbid(principal, action, resource) unless { [principal].contains(context.x) };";

static void read_world(const struct cedar_schema *schema)
{
	struct cedar_entities *entities;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (!cedar_entities_create(&entities, &err))
		return;
	if (!cedar_schema_add_entities(schema, entities, cedar_text_of(world), &err) ||
		!cedar_schema_add_actions(schema, entities, &err) ||
		!cedar_entities_seal(entities, &err))
		assert(err.code != CEDAR_ERROR_NONE && err.text[0] != '\0');
	else if (!cedar_validate_entities(schema, entities, &err))
		assert(err.code != CEDAR_ERROR_NONE && err.text[0] != '\0');
	cedar_entities_destroy(&entities);
}

static void validate(const struct cedar_schema *schema)
{
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct cedar_policy_set *set = NULL;
	struct cedar_validation validation;
	struct cedar_error err;

	if (arena != NULL && cedar_policy_set_parse(&set, cedar_text_of(policies), NULL, &err)) {
		if (cedar_validate(set, schema, CEDAR_RULE_4_13, arena, &validation, &err))
			assert(validation.error_count == 0 || validation.count > 0);
		else
			assert(err.code == CEDAR_ERROR_LIMIT && validation.count == 0);
	}
	cedar_policy_set_destroy(&set);
	cedar_arena_destroy(&arena);
}

static bool check(bool ok, struct cedar_schema *schema, const struct cedar_error *err)
{
	if (ok) {
		read_world(schema);
		validate(schema);
	} else {
		assert(schema == NULL && err->code != CEDAR_ERROR_NONE);
		assert(err->code != CEDAR_ERROR_INVALID || err->line > 0);
	}
	cedar_schema_destroy(&schema);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_text text = {(const char *)data, size};
	struct cedar_schema *schema;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};
	bool is_json;

	is_json = cedar_schema_parse_json(&schema, text, &err);
	is_json = check(is_json, schema, &err);
	err.code = CEDAR_ERROR_NONE;
	if (check(cedar_schema_parse(&schema, text, &err), schema, &err))
		assert(!is_json);
	return 0;
}

/* Laws of reading schemas: failure hands over nothing and says where; whatever a
 * schema says, reading a small world by it ends, and what it gives can be sealed. */
#include <assert.h>

#include "cedar/schema.h"
#include "remit/cedar.h"

static const char world[] =
	"[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{\"a\":\"1.0\",\"b\":[{\"type\":\"U\","
	"\"id\":\"a\"}],\"c\":{\"a\":\"::1\"}},\"parents\":[],\"tags\":{\"t\":\"2024-01-01\"}}]";

static void read_world(const struct schema *schema)
{
	struct cedar_entities *entities;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (!cedar_entities_create(&entities, &err))
		return;
	if (!schema_add_entities(schema, entities, cedar_text_of(world), &err) ||
		!schema_add_actions(schema, entities, &err) || !cedar_entities_seal(entities, &err))
		assert(err.code != CEDAR_ERROR_NONE && err.text[0] != '\0');
	else
		assert(cedar_entities_count(entities) >= 1);
	cedar_entities_destroy(&entities);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema *schema;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (schema_parse(&schema, (struct cedar_text){(const char *)data, size}, &err)) {
		read_world(schema);
	} else {
		assert(schema == NULL && err.code != CEDAR_ERROR_NONE);
		assert(err.code != CEDAR_ERROR_INVALID || err.line > 0);
	}
	schema_destroy(&schema);
	return 0;
}

/* Laws of entities JSON and values: failure says where; in a store that was
 * sealed everything is in itself, nothing is its own proper ancestor, and what
 * was loaded twice is the same store; a value read from JSON prints as an
 * expression that evaluates to an equal value. */
#include <assert.h>
#include <stdlib.h>

#include "cedar/document.h"
#include "cedar/entities.h"
#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 26 };

static void check_value(struct cedar_text json, struct cedar_arena *arena)
{
	struct cedar_value value, again;
	struct cedar_expression *expression;
	struct cedar_text text;
	struct cedar_error err;

	if (!cedar_value_parse_json(&value, arena, json, &err)) {
		assert(value.type == CEDAR_NONE && err.code != CEDAR_ERROR_NONE);
		assert(err.code != CEDAR_ERROR_INVALID || err.line > 0);
		return;
	}
	text = cedar_value_format(arena, &value);
	if (text.data == NULL)
		return;
	if (!cedar_expression_parse(&expression, text, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT); /* a value may be too deep to write */
		return;
	}
	if (cedar_evaluate_expression(expression, NULL, NULL, arena, &again, &err))
		assert(cedar_value_equal(&value, &again));
	else
		assert(err.code == CEDAR_ERROR_LIMIT);
	cedar_expression_destroy(&expression);
}

/* The text twice, and sealed. */
static bool fill(struct cedar_entities *entities, struct cedar_text json, struct cedar_error *err)
{
	for (int i = 0; i < 2; i++) {
		if (cedar_entities_add_json(entities, json, err))
			continue;
		assert(err->code != CEDAR_ERROR_INVALID || err->line > 0);
		return false;
	}
	return cedar_entities_seal(entities, err);
}

/* Every entity of the array, asked for by its uid. */
static void check_hierarchy(
	const struct cedar_entities *entities, struct cedar_text json, struct cedar_arena *arena)
{
	struct cedar_error err;
	struct document_reader reader = {
		.arena = (struct arena *)arena, .source = json, .err = &err};
	struct document *root;
	size_t count = 0;

	if (!document_parse(&root, reader.arena, json, &err))
		return;
	for (const struct document *at = root->first; at != NULL; at = at->next) {
		struct cedar_uid uid;

		if (!document_uid(&reader, document_find(at, "uid"), &uid))
			abort();
		assert(entities_find(entities, &uid) != NULL);
		assert(cedar_entities_in(entities, &uid, &uid));
		assert(!entity_has_ancestor(entities_find(entities, &uid), &uid));
		count++;
	}
	assert(cedar_entities_count(entities) <= count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cedar_text json = {(const char *)data, size};
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct cedar_entities *entities = NULL;
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};

	if (arena == NULL)
		return 0;
	check_value(json, arena);
	if (cedar_entities_create(&entities, &err)) {
		if (fill(entities, json, &err))
			check_hierarchy(entities, json, arena);
		else
			assert(err.code != CEDAR_ERROR_NONE && err.text[0] != '\0');
	}
	cedar_entities_destroy(&entities);
	cedar_arena_destroy(&arena);
	return 0;
}

/* The schema as a whole: made of a text, asked for names.  Everything it holds lives
 * in one arena, the text included, and never changes once it is made. */
#include "cedar/schema.h"

#include <stdlib.h>
#include <string.h>

#include "cedar/schema_inner.h"

static const struct schema_entity *entity_at(
	const struct cedar_schema *schema, struct table_cursor *cursor)
{
	uint32_t position;

	return table_next(&schema->entity_names, cursor, &position) ? &schema->entities[position]
								    : NULL;
}

const struct schema_entity *schema_find_entity(
	const struct cedar_schema *schema, struct cedar_text name)
{
	struct table_cursor cursor = table_start(&schema->entity_names, cedar_text_hash(0, name));
	const struct schema_entity *entity = entity_at(schema, &cursor);

	while (entity != NULL && !cedar_text_equal(entity->name, name))
		entity = entity_at(schema, &cursor);
	return entity;
}

const struct schema_action *schema_find_action(
	const struct cedar_schema *schema, const struct cedar_uid *uid)
{
	struct table_cursor cursor = table_start(&schema->action_names, cedar_uid_hash(uid));
	uint32_t position;

	while (table_next(&schema->action_names, &cursor, &position)) {
		if (cedar_uid_equal(&schema->actions[position].uid, uid))
			return &schema->actions[position];
	}
	return NULL;
}

bool schema_bit(const uint64_t *bits, uint32_t index)
{
	return bits != NULL && (bits[index / 64] >> index % 64 & 1) != 0;
}

bool schema_may_be_in(const struct schema_entity *lower, const struct schema_entity *upper)
{
	return lower == upper || schema_bit(lower->ancestors, upper->index);
}

bool schema_action_in(const struct cedar_schema *schema, const struct schema_action *action,
	const struct schema_action *group)
{
	return action == group ||
	       schema_bit(action->ancestors, (uint32_t)(group - schema->actions));
}

bool schema_allows_id(const struct schema_entity *entity, struct cedar_text id)
{
	uint32_t low = 0, high = entity->id_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = cedar_text_compare(entity->ids[middle], id);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return !entity->is_enumerated;
}

enum schema_syntax { SYNTAX_CEDAR = 0, SYNTAX_JSON };

static bool fill(struct cedar_schema *schema, struct cedar_text text, enum schema_syntax syntax,
	struct cedar_error *err)
{
	struct raw_schema raw = {.err = err};

	if (text.length > CEDAR_SCHEMA_BYTES_MAX)
		return cedar_fail(err, CEDAR_ERROR_LIMIT, "a schema of more than %d bytes",
			CEDAR_SCHEMA_BYTES_MAX);
	schema->arena = arena_create(cedar_mib(CEDAR_SCHEMA_MEMORY_MIB_MAX));
	if (schema->arena == NULL)
		return cedar_fail_memory(err);
	schema->types.arena = schema->arena;
	raw.arena = schema->arena;
	raw.text = cedar_text_copy(schema->arena, text);
	if (raw.text.data == NULL)
		return cedar_fail_memory(err);
	return (syntax == SYNTAX_JSON ? raw_read_json(&raw) : raw_read_text(&raw)) &&
	       schema_resolve(schema, &raw);
}

static bool parse(struct cedar_schema **out, struct cedar_text text, enum schema_syntax syntax,
	struct cedar_error *err)
{
	struct cedar_schema *schema = calloc(1, sizeof *schema);

	*out = NULL;
	if (schema == NULL)
		return cedar_fail_memory(err);
	if (!fill(schema, text, syntax, err)) {
		cedar_schema_destroy(&schema);
		return false;
	}
	*out = schema;
	return true;
}

bool cedar_schema_parse(struct cedar_schema **out, struct cedar_text text, struct cedar_error *err)
{
	return parse(out, text, SYNTAX_CEDAR, err);
}

bool cedar_schema_parse_json(
	struct cedar_schema **out, struct cedar_text json, struct cedar_error *err)
{
	return parse(out, json, SYNTAX_JSON, err);
}

void cedar_schema_destroy(struct cedar_schema **schema)
{
	if (*schema == NULL)
		return;
	type_set_deinit(&(*schema)->types);
	table_deinit(&(*schema)->entity_names);
	table_deinit(&(*schema)->action_names);
	arena_destroy(&(*schema)->arena);
	free(*schema);
	*schema = NULL;
}

/* Tool definitions as servers give them, and lists of what a caller could use.
 *
 * A pinned tool whose server defines it otherwise is quarantined; so is one whose
 * server does not list it, once it has listed any (decide_recheck). */

#include <stdlib.h>

#include "services/decide/decide_private.h"

static const char *const pinned_members[] = {
	"name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons"};

bool decide_definition_digest(
	const struct json *definition, struct arena *arena, struct sha256 *out, struct error *err)
{
	struct json_builder members;
	struct json sealed;
	struct text canonical;
	size_t i;

	json_object_start(&members, arena);
	for (i = 0; i < sizeof(pinned_members) / sizeof(*pinned_members); i++) {
		const struct json *value = json_find(definition, pinned_members[i]);

		if (value != NULL)
			json_put(&members, pinned_members[i], *value);
	}
	if (!json_object_seal(&members, &sealed, err))
		return false;
	canonical = json_canonical_text(arena, &sealed);
	if (canonical.data == NULL)
		return error_set(err, ERROR_LIMIT, "a tool definition is too large");
	*out = sha256_of(canonical.data, canonical.length);
	return true;
}

/* What the server said of the tool, or NULL. */
static struct sha256 *definition_find(
	const struct decide_service *service, struct text server, struct text tool_name)
{
	struct name_table *listed = name_table_find(service->definitions, server);

	return listed == NULL ? NULL : name_table_find(listed, tool_name);
}

enum definition_state decide_definition_state(
	const struct decide_service *service, struct text name)
{
	const struct tool *tool = registry_find_tool(service->registry, name);
	const struct sha256 *seen;

	if (tool == NULL || !tool->has_definition)
		return DEFINITION_UNPINNED;
	seen = definition_find(service, tool->server, tool->tool_name);
	if (seen == NULL)
		return DEFINITION_UNSEEN;
	return sha256_equal(seen, &tool->definition) ? DEFINITION_MATCHES : DEFINITION_DIFFERS;
}

static void definition_remember(
	struct name_table *listed, struct arena *arena, const struct json *definition)
{
	struct text name = json_text_or(definition, "name", "");
	struct sha256 *seen;
	struct error err = {0};

	if (name.length == 0 || name_table_count(listed) >= DEFINITIONS_PER_SERVER_MAX)
		return;
	seen = name_table_find(listed, name);
	if (seen != NULL) { /* listed twice: neither is the pinned one */
		*seen = (struct sha256){0};
		return;
	}
	seen = calloc(1, sizeof(*seen));
	if (seen == NULL)
		return;
	/* A definition that cannot be hashed stays all zero: it matches no pin. */
	if (!decide_definition_digest(definition, arena, seen, &err))
		*seen = (struct sha256){0};
	if (!name_table_put(listed, name, seen))
		free(seen);
}

void definitions_destroy(void *value)
{
	struct name_table *listed = value;

	name_table_destroy(&listed, free);
}

/* Whatever fails here leaves tools unseen, and what is pinned and unseen is
 * refused before it is forwarded. */
void decide_definitions_seen(
	struct decide_service *service, struct text server, const struct json *tools)
{
	struct arena *arena = arena_create(DEFINITION_ARENA_BYTES);
	struct name_table *listed = name_table_remove(service->definitions, server);
	uint32_t i;

	name_table_destroy(&listed, free);
	if (arena == NULL || tools == NULL || tools->type != JSON_ARRAY || server.length == 0)
		goto done;
	listed = name_table_create();
	if (listed == NULL)
		goto done;
	for (i = 0; i < tools->count; i++) {
		definition_remember(listed, arena, &tools->items[i]);
		arena_reset(arena);
	}
	if (name_table_put(service->definitions, server, listed))
		listed = NULL;
done:
	name_table_destroy(&listed, free);
	arena_destroy(&arena);
}

/* ---- lists --------------------------------------------------------------------- */

static bool is_visible(const struct registry *registry, const struct decide_viewer *viewer,
	const struct json *definition, struct arena *arena)
{
	struct text name = text_format(arena, "%.*s/%.*s", TEXT_ARGS(viewer->server),
		TEXT_ARGS(json_text_or(definition, "name", "")));
	const struct tool *tool = name.data == NULL ? NULL : registry_find_tool(registry, name);
	struct sha256 digest;
	struct error err;

	if (tool == NULL ||
		!decide_is_visible(registry, viewer->identity, tool, viewer->now_utc_ms))
		return false;
	return !tool->has_definition ||
	       (decide_definition_digest(definition, arena, &digest, &err) &&
		       sha256_equal(&digest, &tool->definition));
}

static bool visible_items(struct decide_service *service, const struct decide_viewer *viewer,
	const struct json *items, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder array;
	uint32_t i;

	json_array_start(&array, arena);
	for (i = 0; i < items->count; i++)
		if (is_visible(service->registry, viewer, &items->items[i], arena))
			json_add(&array, items->items[i]);
	return json_array_seal(&array, out, err);
}

bool decide_tools_visible(struct decide_service *service, const struct decide_viewer *viewer,
	const struct json *result, struct arena *arena, struct json *out, struct error *err)
{
	const struct json *items = json_find(result, "tools");
	struct json_builder members;
	struct json visible;
	uint32_t i;

	if (items == NULL || items->type != JSON_ARRAY)
		return error_set(err, ERROR_INVALID, "the server listed no tools");
	if (!visible_items(service, viewer, items, arena, &visible, err))
		return false;
	json_object_start(&members, arena);
	for (i = 0; i < result->count; i++) {
		const struct json_member *member = &result->members[i];
		bool is_tools = text_is(member->name, "tools");

		json_put_named(&members, member->name, is_tools ? visible : member->value);
	}
	return json_object_seal(&members, out, err);
}

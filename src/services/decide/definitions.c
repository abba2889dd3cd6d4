/* Tool definitions as servers give them, and lists of what a caller could use.
 *
 * A pinned tool whose server defines it otherwise is quarantined; so is one whose
 * server does not list it, once it has listed any (decide_recheck). */

#include <stdlib.h>
#include <string.h>

#include "services/decide/decide_private.h"

static const char *const pinned_members[] = {
	"name", "title", "description", "inputSchema", "outputSchema", "annotations", "icons"};

bool definition_text(const struct json *definition, struct text name, struct arena *arena,
	struct text *out, struct error *err)
{
	struct json_builder members;
	struct json sealed;
	size_t i;

	json_object_start(&members, arena);
	for (i = 0; i < sizeof(pinned_members) / sizeof(*pinned_members); i++) {
		const struct json *value = json_find(definition, pinned_members[i]);

		if (i == 0 && name.data != NULL)
			json_put_text(&members, "name", name);
		else if (value != NULL)
			json_put(&members, pinned_members[i], *value);
	}
	if (!json_object_seal(&members, &sealed, err))
		return false;
	*out = json_canonical_text(arena, &sealed);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "a tool definition is too large");
}

bool decide_definition_digest(
	const struct json *definition, struct arena *arena, struct sha256 *out, struct error *err)
{
	struct text canonical;

	if (!definition_text(definition, (struct text){0}, arena, &canonical, err))
		return false;
	*out = sha256_of(canonical.data, canonical.length);
	return true;
}

/* ---- what servers listed -------------------------------------------------------- */

static void definition_destroy(void *value)
{
	struct definition *definition = value;

	if (definition == NULL)
		return;
	json_schema_destroy(&definition->input);
	json_schema_destroy(&definition->output);
	free(definition);
}

void definition_list_destroy(void *value)
{
	struct definition_list *list = value;

	if (list == NULL)
		return;
	name_table_destroy(&list->tools, definition_destroy);
	free(list);
}

static struct definition_list *definition_list_create(void)
{
	struct definition_list *list = calloc(1, sizeof(*list));

	if (list == NULL)
		return NULL;
	list->tools = name_table_create();
	if (list->tools != NULL)
		return list;
	free(list);
	return NULL;
}

struct definition_list *definition_list_of(const struct decide_service *service, struct text server)
{
	return name_table_find(service->definitions, server);
}

/* What the server said of the tool, or NULL. */
static struct definition *definition_find(
	const struct decide_service *service, struct text server, struct text tool_name)
{
	const struct definition_list *list = definition_list_of(service, server);

	return list == NULL ? NULL : name_table_find(list->tools, tool_name);
}

/* "server/name" in its two parts; both empty where it has no slash. */
static void split_name(struct text name, struct text *server, struct text *tool_name)
{
	size_t slash = 0;

	*server = *tool_name = (struct text){0};
	while (slash < name.length && name.data[slash] != '/')
		slash++;
	if (slash == name.length)
		return;
	*server = (struct text){name.data, slash};
	*tool_name = (struct text){name.data + slash + 1, name.length - slash - 1};
}

struct definition *definition_of(const struct decide_service *service, struct text name)
{
	struct text tool_name;
	struct text server;

	split_name(name, &server, &tool_name);
	return definition_find(service, server, tool_name);
}

const struct sha256 *decide_definition_offered(
	const struct decide_service *service, struct text name)
{
	const struct definition *definition = definition_of(service, name);

	return definition == NULL || !definition->has_digest ? NULL : &definition->digest;
}

static bool is_as_pinned(const struct tool *tool, const struct definition *definition)
{
	return definition->has_digest && sha256_equal(&definition->digest, &tool->definition);
}

enum definition_state decide_definition_state(struct decide_service *service, struct text name)
{
	const struct tool *tool = registry_find_tool(service->registry, name);
	bool is_pinned = tool != NULL && tool->has_definition;
	struct definition *definition = definition_of(service, name);
	struct text tool_name;
	struct text server;

	if (definition == NULL)
		return is_pinned ? DEFINITION_UNSEEN : DEFINITION_UNPINNED;
	if (!is_pinned) {
		split_name(name, &server, &tool_name);
		return decide_judge(service, server, definition);
	}
	if (!is_as_pinned(tool, definition))
		return DEFINITION_DIFFERS;
	return definition_read_schemas(definition) == SCHEMAS_READ ? DEFINITION_MATCHES
								   : DEFINITION_UNREADABLE;
}

/* A definition that cannot be hashed has no digest: it matches no pin.  What is pinned is
 * kept whatever the others take.  NULL without memory. */
static struct definition *definition_create(struct definition_list *list, const struct tool *tool,
	struct arena *arena, const struct json *offered)
{
	struct text name = json_text_or(offered, "name", "");
	struct definition *definition;
	struct text canonical = {0};
	struct error err = {0};
	bool ok = definition_text(offered, (struct text){0}, arena, &canonical, &err);
	struct sha256 digest = sha256_of(canonical.data, canonical.length);
	bool is_pinned = ok && tool != NULL && tool->has_definition &&
			 sha256_equal(&digest, &tool->definition);
	bool has_room = canonical.length <= DEFINITION_TEXTS_BYTES_MAX &&
			list->texts_bytes <= DEFINITION_TEXTS_BYTES_MAX - canonical.length;
	bool is_kept = ok && (is_pinned || has_room);

	definition =
		calloc(1, sizeof(*definition) + name.length + (is_kept ? canonical.length : 0));
	if (definition == NULL)
		return NULL;
	definition->has_digest = ok;
	if (ok)
		definition->digest = digest;
	definition->judged = DEFINITION_UNSEEN;
	memcpy(definition->bytes, name.data, name.length);
	definition->name = (struct text){definition->bytes, name.length};
	if (is_kept) {
		memcpy(definition->bytes + name.length, canonical.data, canonical.length);
		definition->canonical =
			(struct text){definition->bytes + name.length, canonical.length};
		list->texts_bytes += is_pinned ? 0 : canonical.length;
	}
	return definition;
}

static void definition_remember(struct definition_list *list, const struct tool *tool,
	struct arena *arena, const struct json *offered)
{
	struct text name = json_text_or(offered, "name", "");
	struct definition *definition;

	if (name.length == 0 || name_table_count(list->tools) >= DEFINITIONS_PER_SERVER_MAX)
		return;
	definition = name_table_find(list->tools, name);
	if (definition != NULL) { /* listed twice: neither is the pinned one */
		definition->has_digest = false;
		definition->is_twice = true;
		return;
	}
	definition = definition_create(list, tool, arena, offered);
	if (definition != NULL && !name_table_put(list->tools, name, definition))
		free(definition);
}

static const struct tool *registered_as(const struct decide_service *service, struct text server,
	struct arena *arena, const struct json *offered)
{
	struct text name = text_format(arena, "%.*s/%.*s", TEXT_ARGS(server),
		TEXT_ARGS(json_text_or(offered, "name", "")));

	return name.data == NULL ? NULL : registry_find_tool(service->registry, name);
}

/* Whatever fails here leaves tools unseen, and what is pinned and unseen is
 * refused before it is forwarded. */
void decide_definitions_seen(
	struct decide_service *service, struct text server, const struct json *tools)
{
	struct arena *arena = arena_create(DEFINITION_ARENA_BYTES);
	struct definition_list *list = name_table_remove(service->definitions, server);
	uint32_t i;

	definition_list_destroy(list);
	list = NULL;
	if (arena == NULL || tools == NULL || tools->type != JSON_ARRAY || server.length == 0)
		goto done;
	list = definition_list_create();
	if (list == NULL)
		goto done;
	for (i = 0; i < tools->count; i++) {
		const struct json *offered = &tools->items[i];

		definition_remember(
			list, registered_as(service, server, arena, offered), arena, offered);
		arena_reset(arena);
	}
	if (name_table_put(service->definitions, server, list)) {
		list = NULL;
		decide_report_list(service, server);
	}
done:
	definition_list_destroy(list);
	arena_destroy(&arena);
}

/* ---- lists --------------------------------------------------------------------- */

/* What the list that is being passed on offers is looked at itself: it need not be the one
 * that was seen last. */
static bool is_as_should_be(struct decide_service *service, const struct tool *tool,
	const struct json *offered, struct arena *arena)
{
	enum definition_state state = decide_definition_state(service, tool->name);
	struct sha256 digest;
	struct error err;

	if (state == DEFINITION_RENAMED || state == DEFINITION_SHADOWED ||
		state == DEFINITION_LOOK_ALIKE)
		return false;
	return !tool->has_definition ||
	       (state != DEFINITION_UNREADABLE &&
		       decide_definition_digest(offered, arena, &digest, &err) &&
		       sha256_equal(&digest, &tool->definition));
}

static bool is_visible(struct decide_service *service, const struct decide_viewer *viewer,
	const struct json *definition, struct arena *arena)
{
	const struct registry *registry = service->registry;
	struct text name = text_format(arena, "%.*s/%.*s", TEXT_ARGS(viewer->server),
		TEXT_ARGS(json_text_or(definition, "name", "")));
	const struct tool *tool = name.data == NULL ? NULL : registry_find_tool(registry, name);

	return tool != NULL &&
	       decide_is_visible(registry, viewer->identity, tool, viewer->now_utc_ms) &&
	       is_as_should_be(service, tool, definition, arena);
}

static bool visible_items(struct decide_service *service, const struct decide_viewer *viewer,
	const struct json *items, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder array;
	uint32_t i;

	json_array_start(&array, arena);
	for (i = 0; i < items->count; i++)
		if (is_visible(service, viewer, &items->items[i], arena))
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

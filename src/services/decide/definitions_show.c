/* Definitions for people: what a server offers beside what the registry pins. */

#include "services/decide/decide_private.h"

/* As large as one that is kept may be. */
static const struct json_limits kept_limits = {
	.size_bytes = DEFINITION_TEXTS_BYTES_MAX, .depth = 64, .values = 400000};

static void put_digest(struct json_builder *object, const char *name, struct arena *arena,
	const struct sha256 *digest)
{
	char text[DIGEST_TEXT_BYTES];

	digest_format(text, digest);
	json_put_text(object, name, text_copy(arena, text_of(text)));
}

/* Starts the object with all but the definition itself. */
static void start_shown(struct json_builder *object, struct arena *arena,
	struct decide_service *service, struct text name)
{
	enum definition_state state = decide_definition_state(service, name);
	const struct definition *definition = definition_of(service, name);
	const struct tool *tool = registry_find_tool(service->registry, name);

	json_object_start(object, arena);
	json_put_text(object, "tool", name);
	json_put_cstring(object, "state", definition_state_word(state));
	if (definition != NULL && state != DEFINITION_MATCHES && state != DEFINITION_DIFFERS)
		json_put_text_unless_empty(
			object, "resembles", text_copy(arena, definition->resembles));
	if (definition != NULL && definition->has_digest)
		put_digest(object, "definition", arena, &definition->digest);
	if (tool != NULL && tool->has_definition)
		put_digest(object, "pinned", arena, &tool->definition);
}

bool decide_definition_json(struct decide_service *service, struct text name, struct arena *arena,
	struct json *out, struct error *err)
{
	struct definition *definition = definition_of(service, name);
	struct json_builder object;
	struct json offered;

	if (definition == NULL && registry_find_tool(service->registry, name) == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "the server offers no tool %.*s", TEXT_ARGS(name));
	start_shown(&object, arena, service, name);
	if (definition != NULL && definition->canonical.length > 0) {
		if (!json_parse(&offered, arena, definition->canonical, &kept_limits, err))
			return false;
		json_put(&object, "offered", offered);
	}
	if (definition != NULL)
		json_put_text_unless_empty(
			&object, "problem", definition_problem(definition, arena));
	return json_object_seal(&object, out, err);
}

/* The first tools behind page->after into list; the last of them into *last. */
static bool add_items(struct decide_service *service, const struct decide_page *page,
	struct json_builder *list, struct text *last, struct error *err)
{
	const struct definition_list *offered = name_table_find(service->definitions, page->server);
	struct arena *arena = list->arena;
	uint32_t left = page->count;

	*last = page->after;
	for (; offered != NULL && left > 0; left--) {
		const struct definition *definition = name_table_next(offered->tools, *last);
		struct json_builder object;
		struct json item;
		struct text name;

		if (definition == NULL)
			break;
		name = text_format(
			arena, "%.*s/%.*s", TEXT_ARGS(page->server), TEXT_ARGS(definition->name));
		if (name.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a list of tools");
		start_shown(&object, arena, service, name);
		if (!json_object_seal(&object, &item, err))
			return false;
		json_add(list, item);
		*last = definition->name;
	}
	return true;
}

static bool has_more(
	const struct decide_service *service, const struct decide_page *page, struct text last)
{
	const struct definition_list *offered = name_table_find(service->definitions, page->server);

	return offered != NULL && name_table_next(offered->tools, last) != NULL;
}

bool decide_definitions_json(struct decide_service *service, const struct decide_page *page,
	struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder object;
	struct json_builder list;
	struct json items;
	struct text last;

	json_array_start(&list, arena);
	if (!add_items(service, page, &list, &last, err) || !json_array_seal(&list, &items, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "items", items);
	if (has_more(service, page, last))
		json_put_text(&object, "next", text_copy(arena, last));
	return json_object_seal(&object, out, err);
}

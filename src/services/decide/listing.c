/* Lists of resources, templates and prompts, less what the caller could not read.
 *
 * What a list names is decided as if it were read now: what would be allowed, or asked,
 * is shown.  A template names no one resource; it is shown where a line that the
 * charter covers could be about one of its URIs. */

#include "domain/decide/explanation.h"
#include "services/decide/decide_private.h"

struct listing {
	struct decide_service *service;
	const struct decide_listing *asked;
	struct arena *scratch; /* of one item */
	struct decide_world world;
	struct call call; /* of the method that reads an item; its arguments change */
};

/* Which list a method gives, and what its items are read by. */
static const struct list_kind {
	const char *method;
	const char *list;     /* member of the result */
	const char *key;      /* member of an item */
	const char *argument; /* of the method that reads it; NULL: a template */
	const char *reads;
	const char *tool;
} kinds[] = {
	{"prompts/list", "prompts", "name", "name", "prompts/get", "prompts.get"},
	{"resources/list", "resources", "uri", "uri", "resources/read", "resources.read"},
	{"resources/templates/list", "resourceTemplates", "uriTemplate", NULL, "resources/read",
		"resources.read"},
};

static const struct list_kind *kind_of(struct text method)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (text_is(method, kinds[i].method))
			return &kinds[i];
	return NULL;
}

static bool call_of(struct call *out, const struct call *list, const struct list_kind *kind,
	struct arena *arena)
{
	const struct text parts[] = {list->server, TEXT("/"), text_of(kind->tool)};

	*out = *list;
	out->method = text_of(kind->reads);
	out->route = METHOD_RESOURCE;
	out->effect = EFFECT_READ;
	out->tool = text_concat(arena, parts, 3);
	return out->tool.data != NULL;
}

/* ---- one item ------------------------------------------------------------------- */

/* What only says "not now": the item could be read all the same. */
static bool is_shown(const struct decision *decision, const struct list_kind *kind)
{
	if (decision->verdict != VERDICT_DENY || decision->reason == REASON_RATE_LIMIT)
		return true;
	/* A prompt has more arguments than its name, which a line may look at. */
	return decision->reason == REASON_COULD_NOT_EVALUATE &&
	       text_is(text_of(kind->list), "prompts");
}

static bool is_item_visible(
	struct listing *listing, const struct list_kind *kind, const struct json *name)
{
	struct json_member *argument = arena_new(listing->scratch, struct json_member);
	struct call call = listing->call;
	struct decision decision;

	if (argument == NULL)
		return false;
	*argument = (struct json_member){.name = text_of(kind->argument), .value = *name};
	call.arguments = (struct json){.type = JSON_OBJECT, .count = 1, .members = argument};
	decide(&listing->world, &call, NULL, DECIDE_SEARCH, listing->scratch, &decision);
	return is_shown(&decision, kind);
}

/* The letters before the first `end`; one of two is where the other begins. */
static bool may_meet(struct text glob, struct text uri_template)
{
	ptrdiff_t star = text_find_byte(glob, '*');
	ptrdiff_t brace = text_find_byte(uri_template, '{');
	size_t a = star < 0 ? glob.length : (size_t)star;
	size_t b = brace < 0 ? uri_template.length : (size_t)brace;
	size_t length = a < b ? a : b;

	return text_equal(
		(struct text){glob.data, length}, (struct text){uri_template.data, length});
}

static bool covers(const struct charter *charter, const struct data_source *source, bool is_judged)
{
	const struct charter_data_source *line =
		source == NULL ? NULL : charter_find_data_source(charter, source->name);

	return line != NULL && line->up_to != SENSITIVITY_UNLABELLED &&
	       (is_judged ||
		       sensitivity_level(source->sensitivity) <= sensitivity_level(line->up_to));
}

static bool is_template_visible(struct listing *listing, const struct json *uri_template)
{
	const struct registry *registry = listing->service->registry;
	const struct tool *tool = registry_find_tool(registry, listing->call.tool);
	const struct registry_entry *entry =
		registry_find(registry, OBJECT_IDENTITY, listing->call.identity);
	uint32_t i;

	if (tool == NULL || !decide_is_visible(registry, listing->call.identity, tool,
				    listing->asked->now_utc_ms))
		return false;
	for (i = 0; i < tool->reads_count; i++) {
		const struct tool_read *read = &tool->reads[i];

		if (covers(charter_of(entry->in_force),
			    registry_find_data_source(registry, read->data_source),
			    tool->classification.length != 0) &&
			(read->uri.length == 0 || may_meet(read->uri, uri_template->string)))
			return true;
	}
	return false;
}

static bool is_visible(
	struct listing *listing, const struct list_kind *kind, const struct json *item)
{
	const struct json *name = item->type == JSON_OBJECT ? json_find(item, kind->key) : NULL;
	bool visible = false;

	if (name != NULL && name->type == JSON_STRING)
		visible = kind->argument == NULL ? is_template_visible(listing, name)
						 : is_item_visible(listing, kind, name);
	arena_reset(listing->scratch);
	return visible;
}

/* ---- the list ------------------------------------------------------------------- */

static bool visible_items(struct listing *listing, const struct list_kind *kind,
	const struct json *items, struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (uint32_t i = 0; i < items->count; i++)
		if (is_visible(listing, kind, &items->items[i]))
			json_add(&array, items->items[i]);
	return json_array_seal(&array, out, err);
}

static bool replace_list(const struct json *result, const char *list, const struct json *visible,
	struct arena *arena, struct json *out, struct error *err)
{
	struct json_builder members;

	json_object_start(&members, arena);
	for (uint32_t i = 0; i < result->count; i++) {
		const struct json_member *member = &result->members[i];

		json_put_named(&members, member->name,
			text_is(member->name, list) ? *visible : member->value);
	}
	return json_object_seal(&members, out, err);
}

bool decide_list_visible(struct decide_service *service, const struct decide_listing *asked,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct list_kind *kind = kind_of(asked->call->method);
	const struct json *items = kind == NULL ? NULL : json_find(asked->result, kind->list);
	struct listing listing = {.service = service, .asked = asked};
	struct json visible;
	bool ok = false;

	if (items == NULL || items->type != JSON_ARRAY)
		return error_set(err, ERROR_INVALID, "the server listed nothing");
	if (items->count > DECIDE_LISTED_MAX)
		return error_set(err, ERROR_LIMIT, "the server listed more than %d at once",
			DECIDE_LISTED_MAX);
	listing.scratch = arena_create(DECIDE_TRIAL_BYTES_MAX);
	if (listing.scratch == NULL || !call_of(&listing.call, asked->call, kind, arena)) {
		error_set(err, ERROR_LIMIT, "no memory to look through a list");
		goto done;
	}
	listing.world = decide_world_of(service, &listing.call, DECIDE_FOR_TASK, asked->now_utc_ms);
	ok = visible_items(&listing, kind, items, arena, &visible, err) &&
	     replace_list(asked->result, kind->list, &visible, arena, out, err);
done:
	arena_destroy(&listing.scratch);
	return ok;
}

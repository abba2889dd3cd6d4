#include "edges/api/request.h"
#include "services/graph/graph_service.h"

/* What an identity may do, and who may do something: what charters declare, with who granted it,
 * and what is inherited by accounts and credentials at providers. */

#define INHERITED_FROM "inherited:"

/* ---- what a charter declares, marked so ---- */

/* One item with its access, grant and path. */
static bool mark_item(struct api_request *request, const struct json *item,
	const struct graph_who *asked, struct text identity, struct json *out, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, request->arena);
	for (uint32_t i = 0; i < item->count; i++)
		json_put_named(&object, item->members[i].name, item->members[i].value);
	return graph_put_declared(request->api->services.graph, identity, asked, request->arena,
		       &object, err) &&
	       json_object_seal(&object, out, err);
}

/* ---- can ---- */

/* As lines of charters name what the item is about. */
static struct text resource_of_item(
	struct arena *arena, const struct json *item, enum effect effect)
{
	struct text name = json_text_or(item, "tool", "");

	return effect == EFFECT_GENERATE ? text_format(arena, "model:%.*s", TEXT_ARGS(name)) : name;
}

/* Each is about a tool of its own. */
static bool mark_tools(struct api_request *request, const struct json *items, struct text identity,
	struct json *out, struct error *err)
{
	struct json_builder list;

	json_array_start(&list, request->arena);
	for (uint32_t i = 0; i < items->count; i++) {
		struct graph_who asked = {
			.effect = effect_of(json_text_or(&items->items[i], "effect", ""))};
		struct json item;

		asked.resource = resource_of_item(request->arena, &items->items[i], asked.effect);
		if (!mark_item(request, &items->items[i], &asked, identity, &item, err))
			return false;
		json_add(&list, item);
	}
	return json_array_seal(&list, out, err);
}

static bool put_can_page(struct api_request *request, const struct decide_can *asked,
	struct json_builder *object, struct error *err)
{
	struct json page, items;

	if (!decide_can(request->api->services.decide, asked, request->arena, &page, err) ||
		!mark_tools(request, json_find(&page, "items"), asked->identity, &items, err))
		return false;
	json_put(object, "items", items);
	if (json_find(&page, "next") != NULL)
		json_put_text(object, "next", json_text_or(&page, "next", ""));
	return true;
}

/* How much there is beside it, where it begins. */
static bool put_inherited(struct api_request *request, const struct decide_can *asked,
	struct json_builder *object, struct error *err)
{
	struct json inherited;

	if (asked->after.length > 0)
		return true;
	if (!graph_inherited(request->api->services.graph, asked->identity,
		    asked->now_utc_ms / 1000, request->arena, &inherited, err))
		return false;
	json_put(object, "inherited", inherited);
	return true;
}

void handle_can(struct api_request *request)
{
	struct decide_can asked = {.identity = api_path(request, "name"),
		.effect = effect_of(api_query(request, "effect")),
		.after = api_query(request, "after"),
		.now_utc_ms = api_now_utc_ms(request)};
	struct json_builder object;
	struct json entry, body;
	struct error err;
	bool ok;

	if (!api_page_size(request, &asked.count))
		return;
	ok = registrar_can(request->api->services.registrar, asked.identity, asked.now_utc_ms,
		request->arena, &entry, &err);
	json_object_start(&object, request->arena);
	for (uint32_t i = 0; ok && i < entry.count; i++)
		json_put_named(&object, entry.members[i].name, entry.members[i].value);
	ok = ok && put_can_page(request, &asked, &object, &err) &&
	     put_inherited(request, &asked, &object, &err);
	api_answer_or_fail(request, ok && json_object_seal(&object, &body, &err), &body, &err);
}

/* ---- who ---- */

/* One page: what is declared, by name of identity, then what is inherited, the nearest first. */
struct who_page {
	struct api_request *request;
	enum effect effect;
	struct text resource;
	struct text after; /* an identity; of what is declared */
	uint32_t passed;   /* of what is inherited */
	uint32_t left;
	int64_t now_utc_ms;
	struct json_builder items;
	struct json_builder object;
};

/* Tools, models and peers by what is left of policies; lines on data, which has no door of its
 * own, as they are written. */
static bool ask_declared(struct who_page *page, struct json *out, struct error *err)
{
	struct api_request *request = page->request;
	const struct api_services *services = &request->api->services;
	bool has_door = text_find_byte(page->resource, ':') < 0 ||
			text_starts_with(page->resource, "model:") ||
			text_starts_with(page->resource, "peer:");
	const struct decide_who of_tool = {.effect = page->effect,
		.resource = page->resource,
		.after = page->after,
		.count = page->left,
		.now_utc_ms = page->now_utc_ms};
	const struct registrar_who_query of_line = {.effect = page->effect,
		.resource = page->resource,
		.now_utc_ms = page->now_utc_ms,
		.after = page->after,
		.count = page->left};

	return has_door ? decide_who(services->decide, &of_tool, request->arena, out, err)
			: registrar_who(services->registrar, &of_line, request->arena, out, err);
}

static bool add_declared(struct who_page *page, bool *is_all, struct error *err)
{
	const struct graph_who asked = {.effect = page->effect, .resource = page->resource};
	const struct json *items;
	struct json answer;

	if (!ask_declared(page, &answer, err))
		return false;
	items = json_find(&answer, "items");
	for (uint32_t i = 0; i < items->count; i++) {
		const struct json *item = &items->items[i];
		struct json marked;

		if (!mark_item(page->request, item, &asked, json_text_or(item, "identity", ""),
			    &marked, err))
			return false;
		json_add(&page->items, marked);
	}
	*is_all = json_find(&answer, "next") == NULL;
	if (!*is_all)
		json_put_text(&page->object, "next", json_text_or(&answer, "next", ""));
	page->left -= items->count < page->left ? items->count : page->left;
	return true;
}

static bool add_inherited(struct who_page *page, struct error *err)
{
	const struct graph_who asked = {.effect = page->effect,
		.resource = page->resource,
		.after = page->passed,
		.count = page->left,
		.now_utc_s = page->now_utc_ms / 1000};
	struct arena *arena = page->request->arena;
	const struct json *items;
	struct json answer;
	int64_t next;

	if (!graph_who(page->request->api->services.graph, &asked, arena, &answer, err))
		return false;
	items = json_find(&answer, "items");
	for (uint32_t i = 0; i < items->count; i++)
		json_add(&page->items, items->items[i]);
	json_put_integer(&page->object, "inherited", json_integer_or(&answer, "total", 0));
	next = json_integer_or(&answer, "next", -1);
	if (next >= 0)
		json_put_text(&page->object, "next",
			text_format(arena, INHERITED_FROM "%lld", (long long)next));
	if (json_boolean_or(&answer, "cut", false))
		json_put_boolean(&page->object, "cut", true);
	return true;
}

/* Whoever asks about what only providers have asks for what is inherited alone. */
static bool is_of_provider(struct text resource)
{
	return text_starts_with(resource, "resource:") || text_starts_with(resource, "server:");
}

static bool answer_who(struct who_page *page, bool is_inherited, struct error *err)
{
	bool is_all = true;

	if (!is_inherited && !is_of_provider(page->resource) && !add_declared(page, &is_all, err))
		return false;
	if (!is_all || add_inherited(page, err))
		return true;
	return !is_inherited && !is_of_provider(page->resource) && err->code == ERROR_NOT_FOUND;
}

/* False: it is answered. */
static bool read_after(struct who_page *page, bool *is_inherited)
{
	struct text after = api_query(page->request, "after");
	int64_t passed;

	*is_inherited = text_is(api_query(page->request, "inherited"), "true") ||
			text_starts_with(after, INHERITED_FROM);
	if (!*is_inherited || after.length == 0) {
		page->after = after;
		return true;
	}
	if (text_starts_with(after, INHERITED_FROM) &&
		text_to_int64(text_after(after, sizeof INHERITED_FROM - 1), &passed) &&
		passed >= 0 && passed <= GRAPH_SEARCH_NODES_MAX) {
		page->passed = (uint32_t)passed;
		return true;
	}
	api_answer_status(
		page->request, 400, "after: what `next` said is expected, as in inherited:100");
	return false;
}

void handle_who(struct api_request *request)
{
	struct who_page page = {.request = request,
		.effect = effect_of(api_query(request, "effect")),
		.resource = api_query(request, "resource"),
		.now_utc_ms = api_now_utc_ms(request)};
	struct json items, body;
	struct error err;
	bool is_inherited;
	bool ok;

	if (!api_page_size(request, &page.left) || !read_after(&page, &is_inherited))
		return;
	if (page.effect == EFFECT_GENERATE && !text_starts_with(page.resource, "model:"))
		page.resource = text_format(request->arena, "model:%.*s", TEXT_ARGS(page.resource));
	json_object_start(&page.object, request->arena);
	json_array_start(&page.items, request->arena);
	ok = answer_who(&page, is_inherited, &err) && json_array_seal(&page.items, &items, &err);
	if (ok)
		json_put(&page.object, "items", items);
	api_answer_or_fail(request, ok && json_object_seal(&page.object, &body, &err), &body, &err);
}

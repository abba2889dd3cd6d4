/* What people are shown of inventories. */
#include <string.h>

#include "services/inventory/inventory_private.h"

static void fill(struct inventory_status *out, const struct inventory_connector *connector)
{
	const struct inventory_set *set = connector->current;

	*out = (struct inventory_status){.connector = text_of(connector->name),
		.import = text_of(set->id),
		.provider = set->provider,
		.taken_utc_s = set->taken_utc_s,
		.at_utc_ms = set->at_utc_ms,
		.actor = text_of(set->actor),
		.items = set->items,
		.index = set->index,
		.has_previous = connector->previous != NULL,
		.is_told = connector->telling == NULL && strcmp(connector->told, set->id) == 0,
		.why = connector->why[0] == '\0' ? NULL : connector->why,
		.refused = connector->refused};
}

bool inventory_next(
	const struct inventory_service *service, struct text after, struct inventory_status *out)
{
	for (size_t i = 0; i < service->connectors_count; i++) {
		const struct inventory_connector *connector = service->connectors[i];

		if (connector->current == NULL ||
			(after.length > 0 && text_compare(text_of(connector->name), after) <= 0))
			continue;
		fill(out, connector);
		return true;
	}
	return false;
}

bool inventory_find(
	const struct inventory_service *service, struct text name, struct inventory_status *out)
{
	const struct inventory_connector *connector = connector_find(service, name);

	if (connector == NULL || connector->current == NULL)
		return false;
	fill(out, connector);
	return true;
}

bool inventory_is_stale(const struct inventory_status *status, int64_t now_utc_s)
{
	return now_utc_s - status->taken_utc_s > INVENTORY_STALE_S;
}

bool inventory_json(struct json *out, struct arena *arena, const struct inventory_status *status,
	int64_t now_utc_s, struct error *err)
{
	const char *provider = inventory_provider_word(status->provider);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "by", status->actor);
	json_put_text(&object, "connector", status->connector);
	json_put_text(&object, "import", status->import);
	json_put_time(&object, "imported", status->at_utc_ms);
	json_put_integer(&object, "items", (int64_t)status->items);
	json_put_boolean(&object, "previous", status->has_previous);
	json_put_cstring(&object, "provider", provider == NULL ? "" : provider);
	json_put_integer(&object, "record", (int64_t)status->index);
	if (status->refused > 0)
		json_put_integer(&object, "refused", (int64_t)status->refused);
	json_put_boolean(&object, "stale", inventory_is_stale(status, now_utc_s));
	json_put_time(&object, "taken", status->taken_utc_s * 1000);
	json_put_boolean(&object, "told", status->is_told);
	if (status->why != NULL)
		json_put_cstring(&object, "why", status->why);
	return json_object_seal(&object, out, err);
}

/* ---- items ---- */

struct page {
	const struct inventory_page_asked *asked;
	struct json_builder items;
	uint64_t number; /* of the item looked at last */
	uint32_t count;
};

static bool has_words(struct text line, struct text words)
{
	return words.length == 0 ||
	       memmem(line.data, line.length, words.data, words.length) != NULL;
}

static bool add_item(struct page *page, struct text line, struct error *err)
{
	struct json_builder object;
	struct json item, sealed;

	if (!json_parse(&item, page->items.arena, line, &json_limits_default, err))
		return false;
	json_object_start(&object, page->items.arena);
	json_put_integer(&object, "number", (int64_t)page->number);
	json_put(&object, "item", item);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_add(&page->items, sealed);
	page->count++;
	return true;
}

static bool look_through(struct inventory_service *service, const struct set_part *part,
	struct page *page, struct error *err)
{
	struct text lines, line;
	uint64_t number = part->before;

	if (!part_read(service, part->index, page->items.arena, &lines, err))
		return false;
	while (page->count < page->asked->count && next_line(&lines, &line)) {
		if (++number <= page->asked->after)
			continue;
		page->number = number;
		if (has_words(line, page->asked->words) && !add_item(page, line, err))
			return false;
	}
	return true;
}

bool inventory_items(struct inventory_service *service, const struct inventory_page_asked *asked,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct inventory_connector *connector = connector_find(service, asked->connector);
	const struct inventory_set *set = connector == NULL ? NULL : connector->current;
	struct page page = {.asked = asked, .number = asked->after};
	struct json_builder object;
	struct json items;
	uint32_t looked = 0;

	if (set == NULL)
		return error_set(err, ERROR_NOT_FOUND, "this connector has no inventory");
	json_array_start(&page.items, arena);
	for (uint32_t i = 0; i < set->parts_count; i++) {
		bool is_last = i + 1 == set->parts_count;
		uint64_t end = is_last ? set->items : set->parts[i + 1].before;

		if (end <= asked->after)
			continue;
		if (page.count >= asked->count || looked++ == INVENTORY_SCAN_PARTS_MAX)
			break;
		if (!look_through(service, &set->parts[i], &page, err))
			return false;
	}
	if (!json_array_seal(&page.items, &items, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "items", items);
	if (page.number < set->items)
		json_put_integer(&object, "next", (int64_t)page.number);
	return json_object_seal(&object, out, err);
}

#include "domain/inventory/export.h"

const struct json_limits export_page_limits = {.size_bytes = EXPORT_PAGE_BYTES_MAX,
	.depth = EXPORT_DEPTH_MAX,
	.values = EXPORT_VALUES_MAX};

static bool write_line(void *context, const struct inventory_item *item, struct error *err)
{
	struct buffer *lines = context;
	size_t before = lines->length;

	inventory_item_write(lines, item);
	if (lines->length - before > INVENTORY_LINE_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "an item takes more than %d bytes",
			INVENTORY_LINE_BYTES_MAX);
	buffer_append_byte(lines, '\n');
	return !buffer_failed(lines) || error_set(err, ERROR_LIMIT, "no memory for the items");
}

static bool read_pages(struct inventory_page *out, const struct export_pages *pages,
	struct arena *arena, struct error *err)
{
	struct json *values = arena_array(arena, struct json, pages->count);

	if (values == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the pages");
	for (size_t i = 0; i < pages->count; i++) {
		const struct export_page *page = &pages->list[i];

		if (!json_parse(&values[i], arena, page->content, &export_page_limits, err))
			return error_wrap(err, "%.*s", TEXT_ARGS(page->name));
		out[i] = (struct inventory_page){page->name, &values[i]};
	}
	return true;
}

bool inventory_export_lines(struct buffer *lines, const struct export_pages *pages,
	struct inventory_notes *notes, struct arena *arena, struct error *err)
{
	struct inventory_page *read = arena_array(arena, struct inventory_page, pages->count);
	struct inventory_export export = {
		.provider = pages->provider, .pages = read, .pages_count = pages->count};
	struct inventory_collector *collector = NULL;
	bool ok;

	if (read == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the pages");
	ok = read_pages(read, pages, arena, err) && inventory_collector_create(&collector, err) &&
	     inventory_convert(&export, collector, arena, notes, err) &&
	     inventory_collector_each(collector, write_line, lines, err);
	inventory_collector_destroy(&collector);
	return ok;
}

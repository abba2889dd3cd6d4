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

static bool read_pages(struct inventory_page *out, const struct export_page *pages, size_t count,
	struct arena *arena, struct error *err)
{
	struct json *values = arena_array(arena, struct json, count);

	if (values == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the pages");
	for (size_t i = 0; i < count; i++) {
		if (!json_parse(&values[i], arena, pages[i].content, &export_page_limits, err))
			return error_wrap(err, "%.*s", TEXT_ARGS(pages[i].name));
		out[i] = (struct inventory_page){pages[i].name, &values[i]};
	}
	return true;
}

bool inventory_export_lines(enum inventory_provider provider, const struct export_page *pages,
	size_t pages_count, struct buffer *lines, struct inventory_notes *notes,
	struct arena *arena, struct error *err)
{
	struct inventory_page *read = arena_array(arena, struct inventory_page, pages_count);
	struct inventory_export export = {
		.provider = provider, .pages = read, .pages_count = pages_count};
	struct inventory_collector *collector = NULL;
	bool ok;

	if (read == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the pages");
	ok = read_pages(read, pages, pages_count, arena, err) &&
	     inventory_collector_create(&collector, err) &&
	     inventory_convert(&export, collector, arena, notes, err) &&
	     inventory_collector_each(collector, write_line, lines, err);
	inventory_collector_destroy(&collector);
	return ok;
}

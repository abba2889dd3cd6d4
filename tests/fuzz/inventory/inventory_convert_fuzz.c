/* Exports of providers.  The first byte says whose; the rest is JSON: a page, or {"pages": [...]}.
 * Laws: what is taken gives items that can be read again and are written the same, whose own ends
 * are there; the pages in the other order give the same; what is refused says why. */
#include <assert.h>
#include <string.h>

#include "domain/inventory/convert.h"

enum { ROOM_BYTES = 1 << 26, PAGES_MAX = 16, LINES_BYTES_MAX = 1 << 24 };

struct result {
	struct buffer lines;
	const struct inventory_collector *collector;
	struct arena *arena;
};

static void check_end(const struct result *result, struct text reference)
{
	struct inventory_end end;

	assert(inventory_end_read(&end, reference));
	if (end.is_own)
		assert(inventory_collector_has(result->collector, end.kind, end.name));
}

static bool check_item(void *context, const struct inventory_item *item, struct error *err)
{
	struct result *result = context;
	size_t begin = result->lines.length;
	struct inventory_item again;
	struct buffer written;
	struct text line;

	inventory_item_write(&result->lines, item);
	assert(!buffer_failed(&result->lines));
	line = text_after(buffer_text(&result->lines), begin);
	assert(inventory_item_parse(&again, result->arena, line, err));
	buffer_init(&written, LINES_BYTES_MAX);
	inventory_item_write(&written, &again);
	assert(text_equal(line, buffer_text(&written)));
	buffer_deinit(&written);
	if (item->edge != GRAPH_EDGE_NONE) {
		check_end(result, item->from);
		check_end(result, item->to);
	}
	buffer_append_byte(&result->lines, '\n');
	return true;
}

static bool convert(const struct inventory_export *export, struct result *result)
{
	struct inventory_collector *collector = NULL;
	struct inventory_notes notes;
	struct error err = {0};
	bool ok;

	buffer_init(&result->lines, LINES_BYTES_MAX);
	assert(inventory_collector_create(&collector, &err));
	result->collector = collector;
	ok = inventory_convert(export, collector, result->arena, &notes, &err);
	assert(ok == (err.code == ERROR_NONE));
	if (ok)
		assert(inventory_collector_each(collector, check_item, result, &err));
	inventory_collector_destroy(&collector);
	return ok;
}

static size_t pages_of(const struct json *whole, struct inventory_page *pages)
{
	const struct json *list = json_find(whole, "pages");
	size_t count = 0;

	if (list == NULL || list->type != JSON_ARRAY) {
		pages[0] = (struct inventory_page){TEXT("p"), whole};
		return 1;
	}
	while (count < PAGES_MAX && count < list->count) {
		pages[count] = (struct inventory_page){TEXT("p"), &list->items[count]};
		count++;
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct inventory_page pages[PAGES_MAX], turned[PAGES_MAX];
	struct inventory_export export = {.pages = pages};
	struct arena *arena = arena_create(ROOM_BYTES);
	struct result first = {.arena = arena}, second = {.arena = arena};
	struct error err = {0};
	struct json whole;
	bool ok;

	if (arena == NULL || size < 2 ||
		!json_parse(&whole, arena, (struct text){(const char *)data + 1, size - 1},
			&json_limits_default, &err)) {
		arena_destroy(&arena);
		return 0;
	}
	export.provider = (enum inventory_provider)(data[0] % PROVIDER_COUNT);
	export.pages_count = pages_of(&whole, pages);
	ok = convert(&export, &first);
	for (size_t i = 0; i < export.pages_count; i++)
		turned[i] = pages[export.pages_count - 1 - i];
	export.pages = turned;
	assert(convert(&export, &second) == ok);
	if (ok)
		assert(text_equal(buffer_text(&first.lines), buffer_text(&second.lines)));
	buffer_deinit(&first.lines);
	buffer_deinit(&second.lines);
	arena_destroy(&arena);
	return 0;
}

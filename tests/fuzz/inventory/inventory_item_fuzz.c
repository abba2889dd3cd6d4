/* Lines of items.  Laws: what is read is written so that it reads the same, is what
 * inventory_item_check lets pass, and fits the graph's names. */
#include <assert.h>

#include "domain/inventory/item.h"

enum { ROOM_BYTES = 1 << 22 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct inventory_item item, again;
	struct buffer first, second;
	struct error err = {0};

	if (arena == NULL)
		return 0;
	buffer_init(&first, 4 * INVENTORY_LINE_BYTES_MAX);
	buffer_init(&second, 4 * INVENTORY_LINE_BYTES_MAX);
	if (inventory_item_parse(&item, arena, (struct text){(const char *)data, size}, &err)) {
		assert(inventory_item_check(&item, &err));
		assert(item.id.length + INVENTORY_CONNECTOR_BYTES_MAX < GRAPH_NAME_BYTES_MAX);
		inventory_item_write(&first, &item);
		assert(!buffer_failed(&first));
		assert(inventory_item_parse(&again, arena, buffer_text(&first), &err));
		inventory_item_write(&second, &again);
		assert(text_equal(buffer_text(&first), buffer_text(&second)));
	} else {
		assert(err.code != ERROR_NONE);
	}
	buffer_deinit(&first);
	buffer_deinit(&second);
	arena_destroy(&arena);
	return 0;
}

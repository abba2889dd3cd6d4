#ifndef DOMAIN_INVENTORY_EXPORT_H
#define DOMAIN_INVENTORY_EXPORT_H

#include "base/buffer.h"
#include "domain/inventory/convert.h"

/* Pages as they came, as lines of items: what an import is handed.  Pure, so it may run in a
 * thread of its own. */

enum {
	EXPORT_PAGE_BYTES_MAX = 4 * 1024 * 1024, /* parsed in one turn of the loop */
	EXPORT_BYTES_MAX = 64 * 1024 * 1024,     /* of all pages of one inventory */
	EXPORT_ARENA_BYTES_MAX = 768 * 1024 * 1024,
	EXPORT_LINES_BYTES_MAX = 256 * 1024 * 1024,
	EXPORT_VALUES_MAX = 2 * 1000 * 1000, /* JSON values of one page */
	EXPORT_DEPTH_MAX = 64,
};
extern const struct json_limits export_page_limits;

/* One page and what to call it in errors; borrowed. */
struct export_page {
	struct text name;
	struct text content;
};
struct export_pages {
	enum inventory_provider provider;
	const struct export_page *list;
	size_t count;
};

/* Appends to lines, one item a line, each whole.  All or nothing.  Errors: INVALID, LIMIT. */
bool inventory_export_lines(struct buffer *lines, const struct export_pages *pages,
	struct inventory_notes *notes, struct arena *arena, struct error *err) MUST_CHECK;

#endif

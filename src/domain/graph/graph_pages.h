#ifndef DOMAIN_GRAPH_GRAPH_PAGES_H
#define DOMAIN_GRAPH_GRAPH_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

/* Records of one size by number, from 1.  They never move, and growing copies none. */

enum { GRAPH_PAGE_SHIFT = 12, GRAPH_PAGE_RECORDS = 1 << GRAPH_PAGE_SHIFT };

struct graph_pages {
	size_t record_bytes; /* at least 4 */
	uint32_t most;       /* records there may be */
	uint32_t live;
	uint32_t next; /* the lowest number that was never given */
	uint32_t free; /* the first that was given back; 0: none */
	char **page;
	size_t pages;
	size_t capacity;
};

void graph_pages_init(struct graph_pages *pages, size_t record_bytes, uint32_t most);
void graph_pages_deinit(struct graph_pages *pages);
/* A zeroed record's number; 0: there are `most`, or no memory. */
uint32_t graph_pages_take(struct graph_pages *pages) MUST_CHECK;
void graph_pages_give(struct graph_pages *pages, uint32_t number);
size_t graph_pages_bytes(const struct graph_pages *pages);

static inline void *graph_pages_at(const struct graph_pages *pages, uint32_t number)
{
	return pages->page[number >> GRAPH_PAGE_SHIFT] +
	       (number & (GRAPH_PAGE_RECORDS - 1)) * pages->record_bytes;
}

#endif

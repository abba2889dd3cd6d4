/* What is free is a chain through the first four bytes of each record. */
#include "domain/graph/graph_pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MIN = 16 };

void graph_pages_init(struct graph_pages *pages, size_t record_bytes, uint32_t most)
{
	assert(record_bytes >= sizeof(uint32_t));
	*pages = (struct graph_pages){.record_bytes = record_bytes, .most = most, .next = 1};
}

void graph_pages_deinit(struct graph_pages *pages)
{
	for (size_t i = 0; i < pages->pages; i++)
		free(pages->page[i]);
	free(pages->page);
	*pages = (struct graph_pages){0};
}

static bool add_page(struct graph_pages *pages)
{
	if (pages->pages == pages->capacity) {
		size_t capacity = pages->capacity == 0 ? PAGES_MIN : pages->capacity * 2;
		char **grown = realloc(pages->page, capacity * sizeof *grown);

		if (grown == NULL)
			return false;
		pages->page = grown;
		pages->capacity = capacity;
	}
	pages->page[pages->pages] = calloc(GRAPH_PAGE_RECORDS, pages->record_bytes);
	if (pages->page[pages->pages] == NULL)
		return false;
	pages->pages++;
	return true;
}

uint32_t graph_pages_take(struct graph_pages *pages)
{
	uint32_t number = pages->free;

	if (pages->live == pages->most)
		return 0;
	if (number != 0) {
		char *record = graph_pages_at(pages, number);

		memcpy(&pages->free, record, sizeof pages->free);
		memset(record, 0, pages->record_bytes);
	} else {
		if (pages->next >> GRAPH_PAGE_SHIFT >= pages->pages && !add_page(pages))
			return 0;
		number = pages->next++;
	}
	pages->live++;
	return number;
}

void graph_pages_give(struct graph_pages *pages, uint32_t number)
{
	char *record = graph_pages_at(pages, number);

	memset(record, 0, pages->record_bytes);
	memcpy(record, &pages->free, sizeof pages->free);
	pages->free = number;
	pages->live--;
}

size_t graph_pages_bytes(const struct graph_pages *pages)
{
	return pages->pages * GRAPH_PAGE_RECORDS * pages->record_bytes +
	       pages->capacity * sizeof *pages->page;
}

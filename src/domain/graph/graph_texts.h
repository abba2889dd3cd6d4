#ifndef DOMAIN_GRAPH_GRAPH_TEXTS_H
#define DOMAIN_GRAPH_GRAPH_TEXTS_H

#include "base/text.h"
#include "domain/graph/graph_index.h"

/* Texts, each kept once and counted.  A number of 0 is the empty text. */

enum {
	GRAPH_TEXT_BYTES_MAX = 512,
	GRAPH_TEXT_UNITS_MAX = (GRAPH_TEXT_BYTES_MAX + 24) / 8,
};

struct graph_texts {
	char **block;
	size_t blocks;
	size_t capacity;
	uint32_t next;                           /* unit that was never given */
	uint32_t free[GRAPH_TEXT_UNITS_MAX + 1]; /* by units, chains of what was given back */
	struct graph_index index;
};

void graph_texts_init(struct graph_texts *texts);
void graph_texts_deinit(struct graph_texts *texts);
/* Of at most GRAPH_TEXT_BYTES_MAX.  One hold more.  False without memory. */
bool graph_texts_hold(struct graph_texts *texts, struct text text, uint32_t *out) MUST_CHECK;
/* One hold more of what is there. */
void graph_texts_hold_again(struct graph_texts *texts, uint32_t number);
void graph_texts_release(struct graph_texts *texts, uint32_t number);
/* 0: it is not kept. */
uint32_t graph_texts_find(const struct graph_texts *texts, struct text text);
/* Borrowed until the text's last hold goes. */
struct text graph_texts_get(const struct graph_texts *texts, uint32_t number);
size_t graph_texts_bytes(const struct graph_texts *texts);

#endif

#ifndef DOMAIN_INVENTORY_CONVERTING_H
#define DOMAIN_INVENTORY_CONVERTING_H

#include "domain/charter/name_table.h"
#include "domain/inventory/convert.h"

/* Shared by the providers' files.  The first failure is kept; whoever loops asks failed. */

enum { CONVERTING_LISTS_MAX = 16, CONVERTING_PASSES = 2 };

/* How many pages of one list came, and how many of them say that another follows. */
struct converting_list {
	const char *what;
	uint32_t pages;
	uint32_t continued;
	int64_t items;    /* seen */
	int64_t promised; /* by the pages; -1: they do not say */
};

struct converting {
	const struct inventory_export *export;
	struct inventory_collector *out;
	struct arena *arena;
	struct inventory_notes *notes;
	struct name_table *people;  /* by name at the provider: a struct text, their mail address */
	struct name_table *objects; /* the provider's own: by id, const struct json * */
	struct name_table *noted;
	struct converting_list lists[CONVERTING_LISTS_MAX];
	size_t lists_count;
	struct text page;
	int pass; /* 0: who is who; 1: items */
	bool failed;
	struct error *err;
};

/* Keeps the first; at is where (NULL: the page). */
void converting_fail(struct converting *c, const struct json *at, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* A member as text; a whole number is written out.  Empty: absent or null. */
struct text converting_text(struct converting *c, const struct json *object, const char *name);
/* The same, and it must be there. */
struct text converting_need(struct converting *c, const struct json *object, const char *name);
/* 0: absent or null. */
graph_time converting_time(struct converting *c, const struct json *object, const char *name);
/* Seconds since 1970, as a number or as digits. */
graph_time converting_epoch(struct converting *c, const struct json *object, const char *name);
/* The items of a list; NULL: absent or null, or the failure is kept. */
const struct json *converting_list(
	struct converting *c, const struct json *object, const char *name);
const struct json *converting_object(
	struct converting *c, const struct json *object, const char *name);

/* Into the arena; on failure empty, and kept. */
struct text converting_format(struct converting *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Cut at a character's end, and without what cannot be seen: titles that strangers write. */
struct text converting_title(struct converting *c, struct text title);

/* Pass 0: who somebody is. */
void converting_know_person(struct converting *c, struct text name, struct text mail);
/* Their mail address, or name as it is, noted.  Empty for an empty name. */
struct text converting_person(struct converting *c, struct text name);
/* Pass 0: keeps the provider's object under its id.  The same id with another object is a
 * failure: which of the two counted would hang on the order of pages. */
void converting_keep(
	struct converting *c, const char *kind, struct text id, const struct json *object);
const struct json *converting_kept(struct converting *c, const char *kind, struct text id);

/* Pass 0: notes that there is something of this kind and id; and whether there is. */
void converting_mark(struct converting *c, const char *kind, struct text id);
bool converting_is_marked(struct converting *c, const char *kind, struct text id);

void converting_put(struct converting *c, const struct inventory_item *item);
void converting_note_scope(struct converting *c, struct text scope);
/* account may scope: the edge, and the resource. */
void converting_put_scope(struct converting *c, const struct inventory_item *edge,
	const struct inventory_scope *scope);
/* person ▸ account, of the kind; an empty person leaves no edge. */
void converting_put_person(struct converting *c, enum graph_edge_kind kind, struct text person,
	struct text account, graph_time since_s);

/* Counts a page of a list, in pass 0.  promised as in converting_list. */
void converting_page(
	struct converting *c, const char *what, bool is_continued, int64_t items, int64_t promised);

/* ---- flows (flow.c) ---- */

/* What automation platforms have in common: a flow acts through connections, and a connection
 * may whatever its credential may, which no export says: read, write and execute. */

struct flow {
	struct text id;
	struct text title;
	struct text creator; /* a person; empty: not said.  No owner */
	struct text place;
	bool is_off;
	graph_time created_s;
	graph_time used_s;
};
void flow_put(struct converting *c, const struct flow *flow);

struct flow_connection {
	struct text id; /* without "connection/" */
	struct text title;
	struct text service; /* "slack" */
	struct text creator;
	bool is_off;
	graph_time created_s;
};
void flow_put_connection(struct converting *c, const struct flow_connection *connection);

/* flow uses the connection. */
void flow_put_use(struct converting *c, struct text flow, struct text connection, struct text why);

/* What a step of the flow does at a service. */
struct flow_step {
	struct text flow;
	struct text service;
	struct text scope; /* "slack/message.post" */
	uint32_t effects;
};
void flow_put_step(struct converting *c, const struct flow_step *step);

/* ---- providers ---- */

/* One page in one pass; each provider has one. */
typedef void converting_read(struct converting *c, const struct json *page);
converting_read google_page, microsoft_page, github_page, slack_page, n8n_page, zapier_page,
	power_automate_page;

#endif

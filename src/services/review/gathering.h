#ifndef SERVICES_REVIEW_GATHERING_H
#define SERVICES_REVIEW_GATHERING_H

#include "services/review/review_private.h"

/* A snapshot that is being made, and the steps of it; for gather*.c alone.  Loop's thread. */
enum {
	GATHER_IDENTITIES = 256, /* of the registry, looked at in one step */
};

enum gather_stage { GATHER_WAIT = 0, GATHER_COLLECT, GATHER_COUNT, GATHER_JUDGE, GATHER_OPEN };

/* An identity to be looked at, because it is in scope or work comes to it. */
struct visited {
	struct text name;
	struct text via;
	int hops;
};

struct gathering {
	struct arena *arena;
	struct review_service *service;
	struct review *review;
	enum gather_stage stage;
	int64_t days;
	int64_t seen_utc_ms; /* uses are those up to then */
	struct text after;   /* the registry's */
	bool is_scanned;
	struct name_table *visited; /* values in arena */
	struct visited **queue;
	size_t queue_count;
	size_t queue_capacity;
	size_t queue_at;
	struct review_item *items;
	size_t items_count;
	size_t items_capacity;
	size_t items_at;
	struct review_item **order;  /* in that of the snapshot */
	struct name_table *counters; /* ▸ int64_t in arena */
	struct sha256_running *digest;
	uint64_t event; /* index of the record that asked for it */
	size_t parts;
	size_t parts_durable;
	struct answer_proof proof;
	struct error err;
};

/* False. */
bool gather_no_memory(struct error *err);

/* gather_collect.c: one step, which goes on to GATHER_COUNT once all items are there.  Errors:
 * NOT_FOUND (nothing is in scope), LIMIT. */
bool gather_collect(struct gathering *gathering, struct error *err) MUST_CHECK;

/* gather_count.c: one step, which goes on to GATHER_JUDGE, with the items in order.  Errors:
 * LIMIT. */
bool gather_count(struct gathering *gathering, struct error *err) MUST_CHECK;
/* How the item was used, and who else has it. */
void gather_add_evidence(const struct gathering *gathering, struct review_item *item);

#endif

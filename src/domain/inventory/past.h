#ifndef DOMAIN_INVENTORY_PAST_H
#define DOMAIN_INVENTORY_PAST_H

#include "base/arena.h"
#include "base/json.h"
#include "domain/inventory/item.h"

/* What connectors saw, as it was in force at two times, made again from records alone: what
 * differs, and when each item was seen first and last.  Of a connector that no inventory was in
 * force of at the first time nothing is compared: what it has may have been there before.  One
 * thread; pure. */

struct inventory_past;

enum { INVENTORY_CHANGES_MAX = 16 }; /* members of one item */

/* Records with a time up to since make the first, up to until the second.  Errors: LIMIT. */
bool inventory_past_create(struct inventory_past **out, int64_t since_utc_ms, int64_t until_utc_ms,
	struct error *err) MUST_CHECK;
void inventory_past_destroy(struct inventory_past **past);
/* The next record, of any type, with what lies beside it.  Errors: CORRUPT, LIMIT. */
bool inventory_past_feed(struct inventory_past *past, const struct json *record,
	struct text content, struct error *err) MUST_CHECK;

enum inventory_differs { INVENTORY_SAME = 0, INVENTORY_NEW, INVENTORY_GONE, INVENTORY_CHANGED };

struct inventory_difference {
	enum inventory_differs differs;
	struct text connector;
	const struct inventory_item *item; /* of GONE as it was */
	int64_t first_utc_s;               /* taken of the inventories that had it first and last */
	int64_t last_utc_s;
	struct text changes[INVENTORY_CHANGES_MAX]; /* CHANGED: members that differ */
	uint32_t changes_count;
};
/* Tells each difference: by connector, what is new or changed, then what is gone, in their
 * inventories' order.  Texts live until tell returns; the first that fails ends it.  Errors:
 * CORRUPT, LIMIT, tell's. */
bool inventory_past_compare(const struct inventory_past *past,
	bool (*tell)(
		void *context, const struct inventory_difference *difference, struct error *err),
	void *context, struct error *err) MUST_CHECK;

/* One connector at the two times; 0: no inventory of it was in force. */
struct inventory_past_layer {
	struct text connector;
	int64_t since_utc_s; /* when what was in force then was taken */
	int64_t until_utc_s;
	int64_t first_utc_s; /* of all that are on record */
	uint64_t items;      /* at the second time */
	bool is_lost;        /* what lay beside a record is not there: nothing is compared */
};
/* The first connector behind the name that has an inventory on record; false: none has. */
bool inventory_past_next(
	const struct inventory_past *past, struct text after, struct inventory_past_layer *out);

#endif

#ifndef DOMAIN_CONTROL_RECORD_DAY_H
#define DOMAIN_CONTROL_RECORD_DAY_H

#include "domain/charter/registry.h"

/* Private to domain/control: the registry as it was at a record, for who reads records behind
 * those who write them.  What has not changed since is read from the registry of now; of what
 * changes ahead of the reader is kept how it was, until the reader has come there; and for
 * RECORD_DAY_PAST_MS after, because a decision is on record some records later than the registry
 * that it saw.  Kinds: identity, data source, tool, server.  One thread; pure. */
struct record_day;

/* Where a day stands: it is exactly that again once it was told of all records before `since`
 * that are of entries which changed after (record_day_recall), and fed those from there on. */
struct record_day_state {
	uint64_t since;      /* the oldest record whose changes are kept */
	uint64_t revision;   /* of the registry before that record */
	int64_t sure_utc_ms; /* what it does not know is known not to be after that time */
};

/* How an entry was. */
struct record_day_entry {
	bool is_known;                 /* false: there was no room to keep it */
	uint32_t version;              /* the highest ever given to the name; 0: nobody had it */
	const struct object *in_force; /* NULL: none was; good until the day changes */
};

/* Goes on where the state says; at_utc_ms: the latest time that a record before said.  Errors:
 * LIMIT. */
bool record_day_create(struct record_day **out, const struct registry *registry,
	const struct record_day_state *state, int64_t at_utc_ms, struct error *err) MUST_CHECK;
void record_day_destroy(struct record_day **day);
/* So many entries and changes are kept at most. */
void record_day_bound(struct record_day *day, size_t most);

/* Whether records before `since` are to be told to it first: what changed since is not as it was
 * then. */
bool record_day_wants_past(const struct record_day *day);
/* One of them, in order.  Errors: CORRUPT, LIMIT. */
bool record_day_recall(
	struct record_day *day, const struct json *record, struct error *err) MUST_CHECK;
/* The entry is about to change in the registry. */
void record_day_changing(struct record_day *day, const struct registry_entry *entry);
/* The next record, whatever its type; those before `since` change nothing.  Errors: CORRUPT,
 * LIMIT. */
bool record_day_feed(struct record_day *day, const struct json *record, uint64_t index,
	struct error *err) MUST_CHECK;
/* By the time of the records themselves. */
void record_day_forget(struct record_day *day, int64_t at_utc_ms);

/* How the entry was at that revision of the registry; RECORD_DAY_LAST: behind the last record. */
#define RECORD_DAY_LAST UINT64_MAX
struct record_day_entry record_day_find(
	const struct record_day *day, enum object_kind kind, struct text name, uint64_t revision);
/* Where it stands; next: the record to be fed. */
struct record_day_state record_day_stand(const struct record_day *day, uint64_t next);

#endif

#ifndef SERVICES_INVENTORY_INVENTORY_PRIVATE_H
#define SERVICES_INVENTORY_INVENTORY_PRIVATE_H

#include "base/random.h"
#include "domain/charter/name_table.h"
#include "services/inventory/index.h"
#include "services/inventory/inventory.h"
#include "services/registry/fold_record.h"

/* Private to services/inventory. */

enum {
	PART_ARENA_BYTES_MAX = 16 * 1024 * 1024,
	RECORD_ARENA_BYTES_MAX = 256 * 1024,
	LOOSE_MAX = 64, /* imports of a connector that were begun and never committed */
	ACTOR_BYTES_MAX = 320,
	KEY_BYTES_MAX = 3 * INVENTORY_TEXT_BYTES_MAX + 32,
	LINES_BYTES_MAX = 2 * INVENTORY_PART_BYTES_MAX,
	PART_NAME_BYTES = 17,
};

/* One part of a set: the record it lies beside, and how many items are before it. */
struct set_part {
	uint64_t index;
	uint64_t before;
};

/* One import: committed, or its parts alone. */
struct inventory_set {
	char id[RANDOM_ID_BYTES];
	enum inventory_provider provider;
	int64_t taken_utc_s;
	int64_t at_utc_ms;
	char actor[ACTOR_BYTES_MAX + 1];
	uint64_t items;
	uint64_t index;
	struct set_part *parts;
	uint32_t parts_count;
	uint32_t parts_capacity;
	struct inventory_set *next; /* of those that are loose */
};

/* One import on its way, in memory alone. */
struct staging {
	char id[RANDOM_ID_BYTES];
	enum inventory_provider provider;
	int64_t taken_utc_s;
	bool is_dry;
	uint32_t handed; /* how often items were handed over */
	uint32_t parts;
	struct inventory_change *asked; /* whose items are being taken; NULL: nobody's */
	struct text rest;               /* of them */
	bool is_writing;                /* the record of a part is on its way */
	struct inventory_index *index;
	uint64_t lines;
	uint64_t added;
	uint64_t changed;
	uint64_t same;
	uint64_t unresolved; /* names that edges have and no node */
	struct arena *arena; /* of examples */
	struct text new_examples[INVENTORY_EXAMPLES_MAX];
	struct text changed_examples[INVENTORY_EXAMPLES_MAX];
};

/* How far the listener has heard of a set: of a copy of its parts, as the set may go. */
struct telling {
	char id[RANDOM_ID_BYTES]; /* empty: of nothing, all is gone */
	struct set_part *parts;
	uint32_t parts_count;
	uint32_t next_part;
	size_t next_share;
	struct inventory_index *index;
};

struct inventory_connector {
	char name[INVENTORY_CONNECTOR_BYTES_MAX + 1];
	struct inventory_set *current;
	struct inventory_set *previous;
	struct inventory_set *loose;
	struct staging *staging;
	bool is_changing; /* a commit or an undo is on its way */
	/* What the listener knows. */
	char told[RANDOM_ID_BYTES];
	struct inventory_index *index; /* of told; NULL: of nothing */
	struct telling *telling;
	char why[ERROR_TEXT_BYTES];
	uint64_t refused;
};

struct inventory_service {
	struct inventory_parts parts;
	struct inventory_listener listener;
	uint8_t key[SIPHASH_KEY_BYTES];
	struct inventory_connector *connectors[INVENTORY_CONNECTORS_MAX]; /* by name */
	size_t connectors_count;
	const struct graph *graph; /* NULL: none was lent */
	struct inventory_judge judge;
	struct inventory_stopper stopper;
	struct name_table *containments; /* by account */
	struct containing *containing;   /* those on their way to the log */
	struct arena *arena;             /* of one step */
};

/* An account that is to be stopped at its provider. */
struct containment {
	struct arena *arena;
	struct text account;
	struct text reason;
	struct text actor;
	struct text review;   /* that had it stopped; empty: none */
	struct text identity; /* whose item that was */
	struct text asked_by; /* who wants it back; empty: nobody yet */
	struct text asked_reason;
	int64_t asked_utc_ms;
	uint64_t asked_index;
	int64_t at_utc_ms;
	uint64_t index;
	/* What a connector found there. */
	enum containment_answer answer;
	bool was_called; /* since it is contained: else there is nothing to give back */
	bool is_calling; /* it is to be called next, and no record is there that it was */
	bool is_back;    /* it was called so that the account may act again */
	int64_t answered_utc_ms;
	uint64_t answered_index;
	char said[INVENTORY_SAID_BYTES_MAX + 1];
};

/* containment.c */
/* NULL: it is not contained. */
struct containment *containment_find(const struct inventory_service *service, struct text account);
/* Whether a record that contains it is on its way to the log. */
bool inventory_is_containing(const struct inventory_service *service, struct text account);
/* Errors: CONFLICT (one is). */
bool inventory_check_settled(
	const struct inventory_service *service, struct text account, struct error *err) MUST_CHECK;
/* Whether nothing of it is called at its provider that stops it.  Errors: CONFLICT. */
bool inventory_check_answered(
	const struct inventory_service *service, struct text account, struct error *err) MUST_CHECK;
/* Writes account, reason, and of a containment its review.  Errors: LIMIT, IO. */
bool inventory_submit_change(struct inventory_service *service, struct inventory_change *change,
	const char *type, struct error *err) MUST_CHECK;

/* releasing.c */
/* Errors: LIMIT. */
bool releasing_register(struct inventory_service *service, struct error *err) MUST_CHECK;
/* Adds who wants it back, if another may agree with them now, when, why and by which record. */
void releasing_put(struct json_builder *object, const struct inventory_service *service,
	const struct containment *containment);

/* calling.c */
/* Errors: LIMIT. */
bool calling_register(struct inventory_service *service, struct error *err) MUST_CHECK;
/* Adds `provider`: what a connector found there. */
bool calling_put(struct json_builder *object, const struct containment *containment,
	struct error *err) MUST_CHECK;

/* inventory.c */
struct inventory_connector *connector_find(
	const struct inventory_service *service, struct text name);
/* Makes it where it is not there.  Errors: LIMIT, INVALID (its name). */
struct inventory_connector *connector_need(
	struct inventory_service *service, struct text name, struct error *err);
struct inventory_set *set_create(struct text id);
void set_destroy(struct inventory_set **set);
/* Errors: LIMIT. */
bool set_add_part(
	struct inventory_set *set, const struct set_part *part, struct error *err) MUST_CHECK;
void telling_destroy(struct telling **telling);

/* writing.c */
/* One record on its way, and what one waits for. */
struct inventory_work {
	struct fold_record *record; /* NULL once it is sent */
	struct inventory_service *service;
	struct inventory_connector *connector;
	struct inventory_change *asked; /* NULL: nobody waits */
	struct buffer content;          /* borrowed by the record */
	char import[RANDOM_ID_BYTES];
	/* Owns it then; its record ends when that returned. */
	void (*done)(struct inventory_work *work, uint64_t index, const struct error *err);
};
/* Errors: LIMIT. */
struct inventory_work *inventory_work_create(struct inventory_service *service,
	struct inventory_connector *connector, struct error *err);
void inventory_work_destroy(struct inventory_work **work);
/* Begins it with what all of them have. */
struct json_builder *inventory_record_start(
	struct inventory_work *work, const char *type, struct text actor);
/* Until done the log has it.  On failure it is still the caller's, its record gone.
 * Errors: LIMIT, IO. */
bool inventory_work_submit(struct inventory_work *work, struct error *err) MUST_CHECK;
/* Tells whoever asked, and frees it. */
void inventory_work_answer(struct inventory_work *work, uint64_t index, const struct error *err);
/* Adds `drops`: what was begun for the connector and never put in force, but for the import
 * `keep`, with which (not NULL) the one before the one in force goes, too.  Errors: LIMIT. */
bool inventory_put_drops(const struct inventory_connector *connector, struct json_builder *record,
	const char *keep, struct error *err) MUST_CHECK;

/* staging.c */
void staging_destroy(struct staging **staging);
/* NULL: no such import is on its way; err says so. */
struct staging *staging_find(const struct inventory_service *service, struct text connector,
	struct text import, struct error *err);
/* Takes one part, if there is one to take; true: it did. */
bool staging_step(struct inventory_service *service, struct inventory_connector *connector);

/* telling.c.  True: there was something to tell. */
bool telling_step(struct inventory_service *service, struct inventory_connector *connector);

/* inventory_fold.c */
bool inventory_register(struct inventory_service *service, struct error *err) MUST_CHECK;

/* containment.c */
bool containments_register(struct inventory_service *service, struct error *err) MUST_CHECK;
void containments_destroy(struct inventory_service *service);

/* What lies beside a part's record, in arena.  Errors: NOT_FOUND, IO, CORRUPT, LIMIT. */
bool part_read(struct inventory_service *service, uint64_t index, struct arena *arena,
	struct text *out, struct error *err) MUST_CHECK;
/* The next line of text, without its end; false: there is none. */
bool next_line(struct text *text, struct text *out_line);

#endif

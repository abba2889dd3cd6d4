#ifndef DOMAIN_GENERATION_USAGE_H
#define DOMAIN_GENERATION_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/charter.h"
#include "domain/charter/object.h"

/* What models were used for so far, by task, identity and unit, folded from the outcomes of
 * generations, and what is under way.  A task's counts with all tasks below the same root;
 * an identity's and a unit's are of the day, UTC, in which the records were made.  One
 * thread. */
struct usage_table;

struct usage {
	int64_t requests;
	int64_t tokens;
	int64_t spend; /* millionths */
};

/* Whose it is. */
struct usage_scope {
	struct text root; /* the first task of the path */
	struct text identity;
	struct text unit;
};

/* What a decision reads. */
struct usage_now {
	struct usage task;
	struct usage identity;
	struct usage unit;
};

/* Errors: LIMIT. */
bool usage_table_create(struct usage_table **out, struct error *err) MUST_CHECK;
void usage_table_destroy(struct usage_table **table);

/* Takes an `outcome` with a member `generation`; any other record changes nothing.
 * Errors: CORRUPT, LIMIT. */
bool usage_table_fold(
	struct usage_table *table, const struct json *record, struct error *err) MUST_CHECK;
/* On record and under way. */
struct usage_now usage_table_now(
	const struct usage_table *table, const struct usage_scope *scope, int64_t now_utc_ms);

/* What one request in flight holds until its outcome is folded.  Zero holds nothing. */
struct usage_entry;
struct usage_hold {
	struct usage_entry *entries[3];
	struct usage held;
};
/* Holds so much, in place of what it held.  Errors: LIMIT. */
bool usage_hold_begin(struct usage_hold *hold, struct usage_table *table,
	const struct usage_scope *scope, int64_t now_utc_ms, struct error *err) MUST_CHECK;
void usage_hold_set(struct usage_hold *hold, const struct usage *held);
/* What is used with all that is held; of a hold that has begun. */
struct usage_now usage_hold_now(const struct usage_hold *hold, int64_t now_utc_ms);
void usage_hold_end(struct usage_hold *hold);

/* The price of tokens, rounded up; 0 where the model has no price. */
int64_t usage_price(const struct server_model *model, int64_t input_tokens, int64_t output_tokens);

/* The first of the numbers that would be over with `more`; NULL: none. */
const char *budget_breach(
	const struct budget *budget, const struct usage *used, const struct usage *more);

/* {requests, tokens, spend} as JSON and back.  Errors: LIMIT. */
bool usage_json(struct json *out, struct arena *arena, const struct usage *usage,
	struct error *err) MUST_CHECK;
struct usage usage_of_json(const struct json *value);

#endif

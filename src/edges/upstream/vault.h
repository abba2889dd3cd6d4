#ifndef EDGES_UPSTREAM_VAULT_H
#define EDGES_UPSTREAM_VAULT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "edges/upstream/upstream_edge.h"

/* Secrets that lie in HashiCorp Vault or OpenBao, by "vault:MOUNT/PATH#FIELD":
 * fetched in the loop, kept in memory for a bounded time, one fetch a reference at
 * once.  After the time is over there is no value until Vault gives one again.
 * How it works: README.md here. */

struct vault;
struct vault_entry;

/* One who waits for a value; embedded in the waiter's own object, zero at first. */
struct vault_wait {
	void *context;
	/* Once, from the loop.  err is NULL if vault_find has a value now. */
	void (*run)(void *context, const struct error *err);
	struct vault_entry *entry; /* NULL: nothing is waited for */
	struct vault_wait *next, **link;
};

/* settings are those of the edge, borrowed; without a url every want fails.
 * Errors: LIMIT. */
bool vault_create(struct vault **out, const struct upstream_edge_settings *settings,
	struct error *err) MUST_CHECK;
/* Clears every value; nobody may wait any more.  *vault may be NULL. */
void vault_destroy(struct vault **handle);

/* The value, if it is at hand: borrowed for this turn of the loop. */
bool vault_find(struct vault *vault, struct text reference, struct text *out) MUST_CHECK;
/* True if it is at hand and need not be fetched again before a use just now. */
bool vault_is_fresh(struct vault *vault, struct text reference);
/* Fetches the value, unless that is being done, and runs wait at its end.
 * False: wait does not run.  Errors: INVALID (reference, not set up), IO, LIMIT,
 * or why the last fetch failed, a moment ago. */
bool vault_want(struct vault *vault, struct text reference, struct vault_wait *wait,
	struct error *err) MUST_CHECK;
/* wait does not run any more; it may wait for nothing. */
void vault_forget(struct vault_wait *wait);
/* A server did not take the value (401): the next want fetches it, unless that
 * was done within renounce_ms. */
void vault_renounce(struct vault *vault, struct text reference);

#endif

#ifndef SERVICES_ISSUE_TOKEN_KEYS_H
#define SERVICES_ISSUE_TOKEN_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/charter.h"
#include "domain/token/claims.h"
#include "services/issue/token_signer.h"
#include "services/registry/fold.h"

/* The keys that our tokens are verified with.  One signs; the next is made, published, and
 * signs after an overlap; the one before is published and accepted until the last token it
 * signed has ended.  Which and when is on record (docs/tokens.md).  Loop's thread. */
struct token_keys;

enum {
	TOKEN_KEYS_MAX = 8, /* published at once */
	TOKEN_KEY_OVERLAP_MS = 3600 * 1000,
	/* After another key signs: the longest token, and a clock a little behind. */
	TOKEN_KEY_GRACE_MS = (CHARTER_TASK_S_MAX + TOKEN_SKEW_S) * 1000,
	TOKEN_KEY_REASON_BYTES_MAX = 1000,
};

/* All borrowed; they outlive it. */
struct token_keys_parts {
	struct fold *fold;
	struct token_signer signer;
	int64_t overlap_ms; /* 0: TOKEN_KEY_OVERLAP_MS */
	int64_t (*wall_utc_ms)(void *context);
	void *clock_context;
	/* Some key's tokens hold no longer: what was remembered of any must be forgotten. */
	void (*on_change)(void *context);
	void *change_context;
};

/* Registers its handler and projector with the fold.  Errors: LIMIT. */
bool token_keys_create(struct token_keys **out, const struct token_keys_parts *parts,
	struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void token_keys_destroy(struct token_keys **keys);

/* The key of that kid, if a token of it may hold now; NULL: none.  Good until the next fold. */
const struct public_key *token_keys_find(const struct token_keys *keys, struct text kid);
/* The key set of RFC 7517 §5, in arena.  Errors: LIMIT. */
bool token_keys_publish(const struct token_keys *keys, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;
/* For people: an array of {kid, state, signs_from, accepted_until}.  Errors: LIMIT. */
bool token_keys_list(const struct token_keys *keys, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

/* Drops what is over, and tells the signer again what it has not confirmed. */
void token_keys_tend(struct token_keys *keys);

/* COMPROMISED: the next key signs at once, and no token of an earlier one is accepted. */
enum rotation_why { ROTATION_DUE = 0, ROTATION_COMPROMISED };

struct token_key_rotation {
	enum rotation_why why;
	struct text actor;
	struct text reason;
	void *context;
	/* On the loop, once it is durable (err is NULL) or failed. */
	void (*done)(void *context, uint64_t index, const struct error *err);
};

/* False: nothing was taken, and done will not run.  Errors: CONFLICT (one is under way, or the
 * next key waits for its time), INVALID (the reason), LIMIT, IO. */
bool token_keys_rotate(struct token_keys *keys, const struct token_key_rotation *asked,
	struct error *err) MUST_CHECK;

#endif

#ifndef DOMAIN_TOKEN_REPLAY_H
#define DOMAIN_TOKEN_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* Which one-time ids were used, until they could not be accepted any more.
 * Keyed by (issuer, jti), never by the token's bytes, which can be changed
 * without making the signature invalid. */
struct replay_table;

/* Errors: LIMIT. */
bool replay_table_create(
	struct replay_table **out, size_t entries_max, struct error *err) MUST_CHECK;
void replay_table_destroy(struct replay_table **table);

/* One digest for one pair: the lengths are part of it, so no two pairs meet. */
struct sha256 replay_key(struct text issuer, struct text id);

bool replay_is_used(const struct replay_table *table, const struct sha256 *key, int64_t now_utc_s);

/* Notes the key until the second until_utc_s has passed; noting it again keeps
 * the later end.  Makes room by dropping what has passed at now_utc_s.
 * Errors: LIMIT (every place holds one that may still come: refuse the token). */
bool replay_note(struct replay_table *table, const struct sha256 *key, int64_t until_utc_s,
	int64_t now_utc_s, struct error *err) MUST_CHECK;

size_t replay_table_count(const struct replay_table *table);

#endif

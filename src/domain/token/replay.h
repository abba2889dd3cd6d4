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
 * without making the signature invalid.  Who proved themselves, the owner of an
 * id, has a share of the places, so that none can take them from all others. */
struct replay_table;

/* The most that one note drops of what has passed, and where there is no room: what it costs is
 * bounded, whatever is there. */
enum { REPLAY_DROPS = 4, REPLAY_DROPS_FULL = 1024 };

struct replay_bounds {
	size_t entries_max; /* ids kept at once */
	size_t share_max;   /* of one owner among them */
};

/* One use of one id. */
struct replay_use {
	struct sha256 key;
	struct text owner; /* whose key signed it */
	int64_t until_utc_s;
};

/* Errors: LIMIT. */
bool replay_table_create(struct replay_table **out, const struct replay_bounds *bounds,
	struct error *err) MUST_CHECK;
void replay_table_destroy(struct replay_table **table);

/* One digest for one pair: the lengths are part of it, so no two pairs meet. */
struct sha256 replay_key(struct text issuer, struct text id);

bool replay_is_used(const struct replay_table *table, const struct sha256 *key, int64_t now_utc_s);

/* Notes the id until the second until_utc_s has passed; noting it again keeps
 * the later end.  Makes room by dropping what has passed at now_utc_s.
 * Errors: LIMIT (every place, or every place of this owner, holds one that may
 * still come, or one that was not dropped yet: refuse the token). */
bool replay_note(struct replay_table *table, const struct replay_use *use, int64_t now_utc_s,
	struct error *err) MUST_CHECK;
/* The same for a use that is on record: the owner's share is not asked, only
 * counted. */
bool replay_keep(struct replay_table *table, const struct replay_use *use, int64_t now_utc_s,
	struct error *err) MUST_CHECK;

size_t replay_table_count(const struct replay_table *table);

#endif

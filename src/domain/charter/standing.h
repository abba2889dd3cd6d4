#ifndef DOMAIN_CHARTER_STANDING_H
#define DOMAIN_CHARTER_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/registry.h"

/* Standing access: authority that is there outside any task, and does not end with one
 * (docs/standing.md).  Pure: what is registered, and the time. */

enum standing_kind {
	STANDING_NONE = 0,
	STANDING_KEY,         /* a key of a charter without an end */
	STANDING_CERTIFICATE, /* likewise a client certificate */
	STANDING_UNBOUND,     /* tokens for prod that anybody who has them can use */
	STANDING_SECRET,      /* one secret for all calls to a server */
};

enum {
	/* An end further away than this is none: a year and the time to be late. */
	STANDING_END_S_MAX = 400 * 86400,
	STANDING_PER_OBJECT_MAX = SERVER_CREDENTIALS_MAX + 1,
};

_Static_assert(STANDING_PER_OBJECT_MAX > CHARTER_LIST_MAX + 1, "all of a charter's fit");

/* One of them.  Texts are in the arena, or the registry's. */
struct standing {
	enum standing_kind kind;
	struct text id;     /* "NAME/key/THUMBPRINT", "NAME/certificate/DIGEST", "NAME/binding",
			     * "NAME/secret", "NAME/secret/IDENTITY" */
	struct text object; /* "identity/NAME", "server/NAME" */
	struct text unit;
	struct text credential; /* thumbprint, digest or reference; may be empty */
	enum environment environment;
	enum risk_tier severity;
};

/* "key" "certificate" "binding" "secret"; NULL for NONE. */
const char *standing_kind_word(enum standing_kind value);
/* One sentence. */
const char *standing_kind_meaning(enum standing_kind value);

/* When the line stops to count: its own end or its charter's, the earlier; 0: never. */
int64_t charter_key_end(const struct charter *charter, const struct charter_key *key);
/* RFC 7638, of a P-256 key as a charter has it.  .data is NULL without memory. */
struct text charter_key_thumbprint(struct arena *arena, const struct charter_key *key);

/* All of one entry, an identity or a server, into out, which has room for
 * STANDING_PER_OBJECT_MAX; of others there is none.  Errors: LIMIT. */
bool standing_of(const struct registry_entry *entry, int64_t now_utc_s, struct arena *arena,
	struct standing *out, size_t *out_count, struct error *err) MUST_CHECK;
/* The command that ends it.  .data is NULL without memory. */
struct text standing_remedy(struct arena *arena, const struct standing *standing);

#endif

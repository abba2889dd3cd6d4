#ifndef DOMAIN_INVENTORY_WALK_H
#define DOMAIN_INVENTORY_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/connector.h"

/* What a provider is asked, one request after the other, until all its lists came to their end
 * (docs/inventories.md has the lists).  Pure: whoever has it makes the requests.  It never leads
 * away from the connector's own origin, and ends. */
struct inventory_walk;

enum {
	WALK_PAGES_MAX = 50000,
	WALK_IDS_MAX = 200000, /* of users or apps that are asked about one by one */
	WALK_IDS_BYTES_MAX = 16 * 1024 * 1024,
	WALK_URL_BYTES_MAX = 8192,
	WALK_HISTORY_S = 30 * 86400, /* how far back it is asked for what was used */
};

/* connector is borrowed and outlives it.  Errors: LIMIT, INVALID (no such provider). */
bool inventory_walk_create(struct inventory_walk **out, const struct connector *connector,
	int64_t now_utc_s, struct error *err) MUST_CHECK;
void inventory_walk_destroy(struct inventory_walk **walk);

/* What is to be asked now, a GET; NULL: everything was.  Good until the next call. */
const char *inventory_walk_url(const struct inventory_walk *walk);
/* Which list that is, for people: "users".  NULL likewise. */
const char *inventory_walk_list(const struct inventory_walk *walk);
/* Whether it is about one object of a list that came before, which may be gone since: 404 is an
 * answer then, and inventory_walk_skip takes it. */
bool inventory_walk_is_each(const struct inventory_walk *walk);

/* Takes the answer.  link is its header field Link (RFC 8288), or empty.  Errors: INVALID (it
 * refuses, has another form, or its next page lies elsewhere or at the same place), LIMIT. */
bool inventory_walk_take(struct inventory_walk *walk, const struct json *page, struct text link,
	struct error *err) MUST_CHECK;
bool inventory_walk_skip(struct inventory_walk *walk, struct error *err) MUST_CHECK;

/* Appends t with all but letters, digits and -._~ percent-encoded (RFC 3986). */
void inventory_walk_escape(struct buffer *out, struct text t);
/* Whether it stays one part of a path once it is escaped: "." and ".." lead elsewhere however they
 * are spelt (RFC 3986 §5.2.4). */
bool inventory_walk_is_part(struct text t);
/* Whether url lies at the origin (scheme, host and port) of base. */
bool inventory_walk_is_own(struct text base, struct text url);

#endif

#ifndef DOMAIN_CHARTER_REGISTRY_FOLD_H
#define DOMAIN_CHARTER_REGISTRY_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/registry.h"

/* How records become the registry (docs/formats/records.md): the daemon's fold and
 * whoever makes decisions again from a log run this, so that there is one meaning. */

enum {
	REGISTRY_CONTENT_BYTES_MAX = 16 * 1024 * 1024, /* of changes that lie beside a record */
	REGISTRY_CONTENT_VALUES_MAX = 4000000,
	/* Of what lies beside it, when it is read: more is not written. */
	REGISTRY_CONTENT_PARSED_BYTES_MAX = 96 * 1024 * 1024,
	/* Of whoever reads entries with what lies beside them. */
	REGISTRY_ENTRY_ARENA_BYTES_MAX = 160 * 1024 * 1024,
};

/* True if the entry's changes (or, of review-items, its items) lie beside it, so that it cannot be
 * folded or projected without its content.  What other records keep beside them is not wanted. */
bool registry_entry_wants_content(struct text entry);

/* Before it is written: whether everybody who reads the entry will have room for it.  Errors:
 * LIMIT. */
bool registry_content_check(struct text content, struct error *err) MUST_CHECK;

/* Reads an entry of any type; a record that keeps its changes or items
 * beside it has them as if they were in it.  Borrows entry and content.  Errors: CORRUPT (not
 * an object, not the content it names), LIMIT. */
bool registry_entry_read(struct json *out, struct arena *arena, struct text entry,
	struct text content, struct error *err) MUST_CHECK;

/* Applies what the record says of the registry: registry, state, person-key, admin-code,
 * kill, review-decided; of other types nothing.  What charter_of gave before is void, as in
 * registry_tidy.  scratch is reset.  Whoever decides next settles the registry first.  Errors:
 * CORRUPT, INVALID, LIMIT. */
bool registry_fold(struct registry *registry, const struct json *record, struct arena *scratch,
	struct error *err) MUST_CHECK;

/* A member of a change that counts; 0 where it is none. */
uint32_t registry_change_number(const struct json *change, const char *name);

#endif

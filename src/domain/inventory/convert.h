#ifndef DOMAIN_INVENTORY_CONVERT_H
#define DOMAIN_INVENTORY_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "domain/inventory/collect.h"
#include "domain/inventory/scope.h"

/* A provider's own export, page by page, as items (docs/inventories.md).  Pure: what it is
 * given is what the provider's API answered, however it was got. */

/* One answer, or one file of them. */
struct inventory_page {
	struct text name; /* for errors: a file's, or an address */
	const struct json *value;
};

struct inventory_export {
	enum inventory_provider provider; /* not ITEMS: those are read line by line */
	const struct inventory_page *pages;
	size_t pages_count;
	/* {"name at the provider": "mail address"}: whom the provider calls otherwise.  NULL: what
	 * the pages themselves say. */
	const struct json *people;
};

enum {
	INVENTORY_NOTES_MAX = 100, /* of each kind; more are counted */
	INVENTORY_PAGES_MAX = 65536,
};

/* What a person should look at.  Texts are in the arena given. */
struct inventory_notes {
	struct text unknown_scopes[INVENTORY_NOTES_MAX]; /* in order; counted as all effects */
	uint32_t unknown_scopes_count;                   /* of all */
	struct text unnamed[INVENTORY_NOTES_MAX]; /* people without a mail address, in order */
	uint32_t unnamed_count;
};

/* All or nothing: on failure what out holds is of no use.  Errors: INVALID (a page of no kind
 * that this provider has, a value of another form, half an export: with page and line), LIMIT. */
bool inventory_convert(const struct inventory_export *export, struct inventory_collector *out,
	struct arena *arena, struct inventory_notes *notes, struct error *err) MUST_CHECK;

#endif

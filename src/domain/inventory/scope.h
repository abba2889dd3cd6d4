#ifndef DOMAIN_INVENTORY_SCOPE_H
#define DOMAIN_INVENTORY_SCOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Whose export it is, and how it is read. */
enum inventory_provider {
	PROVIDER_NONE = 0,
	PROVIDER_ITEMS, /* items of docs/formats/inventory.md, as JSON lines */
	PROVIDER_GOOGLE,
	PROVIDER_MICROSOFT,
	PROVIDER_GITHUB,
	PROVIDER_SLACK,
	PROVIDER_N8N,
	PROVIDER_ZAPIER,
	PROVIDER_POWER_AUTOMATE,
	PROVIDER_COUNT
};
const char *inventory_provider_word(enum inventory_provider value);
enum inventory_provider inventory_provider_of(struct text word);

/* When the tables of scopes were last held against the providers' own pages. */
#define INVENTORY_SCOPES_DATE "2026-11-26"

/* What a scope opens. */
struct inventory_scope {
	struct text resource; /* "drive"; of a scope that nobody knows, the scope itself */
	uint32_t effects;     /* bits 1 << enum effect */
	bool is_known;        /* false: all three effects, which is the strict side */
};
/* Borrows from scope.  Of GOOGLE, MICROSOFT, GITHUB and SLACK; of others nothing is known. */
struct inventory_scope inventory_scope_of(enum inventory_provider provider, struct text scope);
/* One permission of a GitHub app or fine-grained token: "contents", "write". */
struct inventory_scope inventory_permission_of(struct text permission, struct text level);

/* What an operation of a flow's step does, by the first word of its name: "getAll", "new_row",
 * "Delete item".  Of a word that is not in the table: write and execute. */
uint32_t inventory_operation_effects(struct text operation);

#endif

#ifndef DOMAIN_CHARTER_USERS_H
#define DOMAIN_CHARTER_USERS_H

#include "domain/charter/charter.h"
#include "domain/charter/name_table.h"

struct registry_entry; /* registry.h */

/* Which identities have an entitlement on a resource, a rule on an issuer, or an account: a
 * table by resource, as a charter writes it ("files/read", "data-source:tickets"),
 * "issuer:NAME" or "account:CONNECTOR/ID", of sets of identities.  Entries are the registry's. */

enum { USERS_KEY_BYTES_MAX = 480 };

/* The key of a line's resource, in buffer. */
struct text users_key(const struct entitlement *line, char buffer[USERS_KEY_BYTES_MAX]);

/* The key of the issuer that a rule names, in buffer. */
struct text users_issuer_key(struct text issuer, char buffer[USERS_KEY_BYTES_MAX]);

/* The key of an account, in buffer. */
struct text users_account_key(struct text account, char buffer[USERS_KEY_BYTES_MAX]);

/* Enters the identity under each resource of its charter, where it is not yet.  False
 * without memory: some may have been entered. */
bool users_enter(struct name_table *users, const struct charter *charter,
	struct registry_entry *identity) MUST_CHECK;
/* Takes the identity out from each resource of the charter that `staying` (may be
 * NULL) does not name. */
void users_leave(
	struct name_table *users, const struct charter *charter, const struct charter *staying);
/* The first identity after `after`; NULL at the end. */
struct registry_entry *users_next(
	const struct name_table *users, struct text resource, struct text after);
/* Whether it is under the resource. */
bool users_has(const struct name_table *users, struct text resource,
	const struct registry_entry *identity);
void users_destroy(struct name_table **users);

#endif

#ifndef DOMAIN_CONTROL_KEY_HOLDERS_H
#define DOMAIN_CONTROL_KEY_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/digest.h"
#include "domain/charter/registry.h"

/* Which identities have a key or a certificate in their charters, and which persons sign in as
 * whom: 24 bytes each.  It remembers
 * who once had one; whether they still do is looked up where it is asked, so nothing has to be
 * taken back.  One thread. */
struct key_holders;

struct key_holders *key_holders_create(void) MUST_CHECK; /* NULL: no memory */
void key_holders_destroy(struct key_holders **holders);

/* What names the key of the line: its thumbprint's digest, or the certificate's.  False: no
 * memory. */
bool charter_key_name(
	struct arena *scratch, const struct charter_key *key, struct sha256 *out) MUST_CHECK;

/* Notes the keys of the charter in force.  The names are the registry's, which stay.  False: no
 * memory. */
bool key_holders_note(struct key_holders *holders, const struct registry_entry *identity,
	struct arena *scratch) MUST_CHECK;
/* What names somebody whom an issuer knows by that name. */
struct sha256 sign_in_key(struct text issuer, struct text name);
/* Notes by whom the person signs in, and as whom; nothing of who does not.  The names are the
 * registry's, which stay.  False: no memory. */
bool key_holders_note_person(
	struct key_holders *holders, const struct registry_entry *person) MUST_CHECK;
/* Calls visit with the name of each identity that has, or once had, a key of this name; of a
 * sign_in_key, of each such person. */
void key_holders_each(const struct key_holders *holders, const struct sha256 *key,
	bool (*visit)(void *context, struct text identity), void *context);
/* Calls visit with each other identity that has, or once had, a key of this one.  As slow as
 * there are keys. */
void key_holders_each_partner(const struct key_holders *holders, struct text identity,
	void (*visit)(void *context, struct text other), void *context);

#endif

#ifndef DOMAIN_CHARTER_OWNER_H
#define DOMAIN_CHARTER_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/charter/registry.h"

/* Who answers for an identity now (docs/people.md).  The owner that its charter names, until
 * that one leaves; nobody then, until the backup owner acknowledges it; and whoever did that
 * from there on, until a new version of the charter is in force. */

enum {
	/* Unless settings say sooner: from when the owner left. */
	OWNER_GONE_WRITES_S_DEFAULT = 24 * 60 * 60,
	OWNER_GONE_ALL_S_DEFAULT = 7 * 24 * 60 * 60,
};

/* The name of the owner in force, whether or not they are here; empty: no charter is. */
struct text owner_of(const struct registry_entry *identity);
/* When the owner in force left; 0: they are here.  Of one who is not registered any more: when
 * the owner that the charter names did. */
int64_t owner_left_utc_s(const struct registry *registry, const struct registry_entry *identity);
/* The backup owner, who is here and somebody else than the owner in force; empty: there is
 * none. */
struct text owner_backup_of(const struct registry *registry, const struct registry_entry *identity);
/* True while the owner in force was moved out of the identity's unit, is still outside, and
 * nobody of the unit has acknowledged since that they go on. */
bool owner_has_moved(const struct registry *registry, const struct registry_entry *identity);

/* Why somebody has to look at who owns an identity. */
enum owner_need {
	OWNER_NEED_NONE = 0,
	OWNER_NEED_OWNER,  /* the owner in force has left */
	OWNER_NEED_MOVED,  /* owner_has_moved */
	OWNER_NEED_BACKUP, /* there is no backup owner who is here */
};
/* "owner-left", "owner-moved", "backup-missing"; NULL for NONE. */
const char *owner_need_word(enum owner_need need);
/* The worst of what it needs; NONE of what is retired or has no charter in force. */
enum owner_need owner_need_of(
	const struct registry *registry, const struct registry_entry *identity);

#endif

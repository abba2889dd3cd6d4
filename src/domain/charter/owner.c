#include "domain/charter/owner.h"

static const struct charter *charter_in_force(const struct registry_entry *identity)
{
	if (identity == NULL || identity->kind != OBJECT_IDENTITY || identity->in_force == NULL)
		return NULL;
	return charter_of(identity->in_force);
}

struct text owner_of(const struct registry_entry *identity)
{
	const struct charter *charter = charter_in_force(identity);

	if (charter == NULL)
		return TEXT("");
	return identity->more->owner_in_force.length > 0 ? identity->more->owner_in_force
							 : charter->owner;
}

int64_t owner_left_utc_s(const struct registry *registry, const struct registry_entry *identity)
{
	const struct charter *charter = charter_in_force(identity);
	const struct person *owner = registry_find_person(registry, owner_of(identity));

	if (owner == NULL && charter != NULL)
		owner = registry_find_person(registry, charter->owner);
	return owner == NULL ? 0 : owner->left_utc_s;
}

struct text owner_backup_of(const struct registry *registry, const struct registry_entry *identity)
{
	const struct charter *charter = charter_in_force(identity);
	const struct person *backup;

	if (charter == NULL || text_equal(charter->backup_owner, owner_of(identity)))
		return TEXT("");
	backup = registry_find_person(registry, charter->backup_owner);
	return backup == NULL || person_has_left(backup) ? TEXT("") : charter->backup_owner;
}

bool owner_has_moved(const struct registry *registry, const struct registry_entry *identity)
{
	const struct charter *charter = charter_in_force(identity);
	const struct registry_entry *owner =
		charter == NULL ? NULL : registry_find(registry, OBJECT_PERSON, owner_of(identity));

	return owner != NULL && owner->in_force != NULL &&
	       text_equal(owner->more->moved_from, charter->unit) &&
	       !text_equal(owner->in_force->person->unit, charter->unit) &&
	       owner->more->moved > identity->in_force->revision &&
	       owner->more->moved > identity->more->acknowledged;
}

const char *owner_need_word(enum owner_need need)
{
	static const char *const words[] = {
		[OWNER_NEED_OWNER] = "owner-left",
		[OWNER_NEED_MOVED] = "owner-moved",
		[OWNER_NEED_BACKUP] = "backup-missing",
	};

	return (size_t)need < sizeof words / sizeof *words ? words[need] : NULL;
}

enum owner_need owner_need_of(
	const struct registry *registry, const struct registry_entry *identity)
{
	if (charter_in_force(identity) == NULL || identity->state == IDENTITY_RETIRED)
		return OWNER_NEED_NONE;
	if (owner_left_utc_s(registry, identity) != 0)
		return OWNER_NEED_OWNER;
	if (owner_has_moved(registry, identity))
		return OWNER_NEED_MOVED;
	return owner_backup_of(registry, identity).length == 0 ? OWNER_NEED_BACKUP
							       : OWNER_NEED_NONE;
}

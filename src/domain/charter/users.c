/* The index behind "who may do this": so that the question costs what there is to
 * answer, not all identities times all their lines. */
#include "domain/charter/users.h"

#include <stdio.h>

#include "domain/charter/name_set.h"
#include "domain/charter/registry.h"

static const char *const prefixes[] = {
	[RESOURCE_NONE] = "none:",
	[RESOURCE_TOOL] = "",
	[RESOURCE_DATA_SOURCE] = "data-source:",
	[RESOURCE_MODEL] = "model:",
	[RESOURCE_PEER] = "peer:",
};

static struct text write_key(const char *prefix, struct text name, char buffer[USERS_KEY_BYTES_MAX])
{
	int length = snprintf(buffer, USERS_KEY_BYTES_MAX, "%s%.*s", prefix, TEXT_ARGS(name));

	if (length < 0)
		return (struct text){buffer, 0};
	return (struct text){
		buffer, length < USERS_KEY_BYTES_MAX ? (size_t)length : USERS_KEY_BYTES_MAX - 1};
}

struct text users_key(const struct entitlement *line, char buffer[USERS_KEY_BYTES_MAX])
{
	return write_key(prefixes[line->resource_kind], line->resource, buffer);
}

struct text users_issuer_key(struct text issuer, char buffer[USERS_KEY_BYTES_MAX])
{
	return write_key("issuer:", issuer, buffer);
}

struct text users_account_key(struct text account, char buffer[USERS_KEY_BYTES_MAX])
{
	return write_key("account:", account, buffer);
}

static struct text name_of(const void *identity)
{
	return ((const struct registry_entry *)identity)->name;
}

static struct name_set *find_or_add(struct name_table *users, struct text key)
{
	struct name_set *found = name_table_find(users, key);

	if (found != NULL)
		return found;
	found = name_set_create(name_of);
	if (found != NULL && !name_table_put(users, key, found))
		name_set_destroy(&found, NULL);
	return found;
}

static bool enter(struct name_table *users, struct text key, struct registry_entry *identity)
{
	struct name_set *of = find_or_add(users, key);

	return of != NULL &&
	       (name_set_find(of, identity->name) != NULL || name_set_put(of, identity));
}

bool users_enter(
	struct name_table *users, const struct charter *charter, struct registry_entry *identity)
{
	char buffer[USERS_KEY_BYTES_MAX];

	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (!enter(users, users_key(&charter->entitlements[i], buffer), identity))
			return false;
	for (uint32_t i = 0; i < charter->federation_count; i++)
		if (!enter(users, users_issuer_key(charter->federation[i].issuer, buffer),
			    identity))
			return false;
	for (uint32_t i = 0; i < charter->accounts_count; i++)
		if (!enter(users, users_account_key(charter->accounts[i], buffer), identity))
			return false;
	return true;
}

static bool names(const struct charter *charter, const struct entitlement *line)
{
	for (uint32_t i = 0; charter != NULL && i < charter->entitlements_count; i++)
		if (charter->entitlements[i].resource_kind == line->resource_kind &&
			text_equal(charter->entitlements[i].resource, line->resource))
			return true;
	return false;
}

static bool trusts(const struct charter *charter, struct text issuer)
{
	for (uint32_t i = 0; charter != NULL && i < charter->federation_count; i++)
		if (text_equal(charter->federation[i].issuer, issuer))
			return true;
	return false;
}

static bool claims(const struct charter *charter, struct text account)
{
	for (uint32_t i = 0; charter != NULL && i < charter->accounts_count; i++)
		if (text_equal(charter->accounts[i], account))
			return true;
	return false;
}

static void leave(struct name_table *users, struct text key, struct text identity)
{
	struct name_set *of = name_table_find(users, key);

	if (of == NULL)
		return;
	(void)name_set_remove(of, identity);
	if (name_set_count(of) > 0)
		return;
	(void)name_table_remove(users, key);
	name_set_destroy(&of, NULL);
}

void users_leave(
	struct name_table *users, const struct charter *charter, const struct charter *staying)
{
	char buffer[USERS_KEY_BYTES_MAX];

	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (!names(staying, &charter->entitlements[i]))
			leave(users, users_key(&charter->entitlements[i], buffer), charter->name);
	for (uint32_t i = 0; i < charter->federation_count; i++)
		if (!trusts(staying, charter->federation[i].issuer))
			leave(users, users_issuer_key(charter->federation[i].issuer, buffer),
				charter->name);
	for (uint32_t i = 0; i < charter->accounts_count; i++)
		if (!claims(staying, charter->accounts[i]))
			leave(users, users_account_key(charter->accounts[i], buffer),
				charter->name);
}

struct registry_entry *users_next(
	const struct name_table *users, struct text resource, struct text after)
{
	const struct name_set *of = name_table_find(users, resource);

	return of == NULL ? NULL : name_set_next(of, after);
}

bool users_has(
	const struct name_table *users, struct text resource, const struct registry_entry *identity)
{
	const struct name_set *of = name_table_find(users, resource);

	return of != NULL && name_set_find(of, identity->name) == identity;
}

static void destroy_one(void *value)
{
	struct name_set *of = value;

	name_set_destroy(&of, NULL);
}

void users_destroy(struct name_table **users)
{
	name_table_destroy(users, destroy_one);
}

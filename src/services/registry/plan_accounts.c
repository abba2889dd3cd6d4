#include "services/registry/plan_accounts.h"

#include "domain/charter/name_table.h"
#include "domain/charter/users.h"

struct claim {
	struct text identity;
	const struct plan_documents *documents; /* that say the identities in them anew; or NULL */
	const struct registry_entry *other;
};

static bool is_written(const struct plan_documents *documents, struct text identity)
{
	for (size_t i = 0; documents != NULL && i < documents->count; i++)
		if (documents->objects[i]->kind == OBJECT_IDENTITY &&
			text_equal(documents->objects[i]->name, identity))
			return true;
	return false;
}

static bool note_other(void *context, const struct registry_entry *entry)
{
	struct claim *claim = context;

	if (text_equal(entry->name, claim->identity) || entry->state == IDENTITY_RETIRED ||
		is_written(claim->documents, entry->name))
		return true;
	claim->other = entry;
	return false;
}

static const struct registry_entry *find_other(
	const struct registry *registry, struct claim *claim, struct text account)
{
	char key[USERS_KEY_BYTES_MAX];

	registry_each_user(registry, users_account_key(account, key), TEXT(""), note_other, claim);
	return claim->other;
}

const struct registry_entry *accounts_taken(
	const struct registry *registry, const struct charter *charter, struct text *account)
{
	struct claim claim = {.identity = charter->name};

	for (uint32_t i = 0; i < charter->accounts_count && claim.other == NULL; i++) {
		*account = charter->accounts[i];
		(void)find_other(registry, &claim, *account);
	}
	return claim.other;
}

struct checking {
	struct plan *plan;
	const struct registry *registry;
	const struct plan_documents *documents;
	struct name_table *written; /* account: the object that claims it */
};

static void report(const struct checking *checking, const struct object *object,
	struct text account, struct text other)
{
	problem_add(&checking->plan->problems, plan_place_of(checking->documents, object),
		"leave it to one of them", "account %.*s is identity %.*s's already",
		TEXT_ARGS(account), TEXT_ARGS(other));
}

/* False without memory. */
static bool check_account(
	struct checking *checking, const struct object *object, struct text account)
{
	struct claim claim = {.identity = object->name, .documents = checking->documents};
	const struct object *twin = name_table_find(checking->written, account);
	const struct registry_entry *other;

	if (twin != NULL) {
		report(checking, object, account, twin->name);
		return true;
	}
	other = find_other(checking->registry, &claim, account);
	if (other != NULL)
		report(checking, object, account, other->name);
	return name_table_put(checking->written, account, (void *)(uintptr_t)object);
}

bool plan_check_accounts(struct plan *plan, const struct registry *registry,
	const struct plan_documents *documents, struct error *err)
{
	struct checking checking = {plan, registry, documents, name_table_create()};
	bool ok = checking.written != NULL;

	for (size_t i = 0; i < documents->count && ok; i++) {
		const struct object *object = documents->objects[i];

		for (uint32_t j = 0; object->kind == OBJECT_IDENTITY && ok && !object->is_partial &&
				     j < charter_of(object)->accounts_count;
			j++)
			ok = check_account(&checking, object, charter_of(object)->accounts[j]);
	}
	name_table_destroy(&checking.written, NULL);
	return ok || error_set(err, ERROR_LIMIT, "no memory for a plan");
}

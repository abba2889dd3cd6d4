/* Sealing a set: what deciding reads first is put together, equal entities become
 * one pointer, and the index is built. */
#include <stdlib.h>

#include "cedar/policy_set.h"

/* Fewer policies are looked at faster one by one. */
enum { INDEXED_POLICIES_MIN = 8 };

/* One pointer for equal uids; position in the table counts from 0 in uids. */
static const struct cedar_uid *share_uid(
	struct table *table, const struct cedar_uid **uids, const struct cedar_uid *uid)
{
	struct table_cursor cursor = table_start(table, cedar_uid_hash(uid));
	uint32_t position;

	while (table_next(table, &cursor, &position)) {
		if (cedar_uid_equal(uids[position], uid))
			return uids[position];
	}
	uids[table->used] = uid;
	table_put(table, cedar_uid_hash(uid), table->used);
	return uid;
}

static uint8_t asked_place(int variable, const struct scope_part *part)
{
	if (variable != AST_ACTION)
		return variable == AST_PRINCIPAL ? ASKED_ACTIONS : ASKED_ACTIONS + 1;
	return part->count == 1 ? cedar_uid_hash(part->uids) % ASKED_ACTIONS : 0;
}

static bool fill_gates(struct cedar_policy_set *set)
{
	const struct cedar_uid **uids = calloc((size_t)set->count * SCOPE_PARTS + 1, sizeof *uids);
	struct table table = {.used = 0};
	bool ok = uids != NULL && table_reserve(&table, set->count * SCOPE_PARTS);

	for (uint32_t p = 0; ok && p < set->count; p++) {
		const struct stored_policy *policy = &set->policies[p];
		struct gate *gate = &set->gates[p];

		gate->effect = (uint8_t)policy->ast.effect;
		gate->condition = policy->condition;
		for (int i = 0; i < SCOPE_PARTS; i++) {
			const struct scope_part *part = &policy->ast.scope[i];

			gate->kinds[i] = (uint8_t)part->kind;
			if (part->kind == SCOPE_EQUAL || part->kind == SCOPE_IN)
				gate->uids[i] = share_uid(&table, uids, part->uids);
			gate->asked[i] = asked_place(i, part);
		}
	}
	table_deinit(&table);
	free((void *)uids);
	return ok;
}

bool cedar_policy_set_seal(struct cedar_policy_set *set, struct cedar_error *err)
{
	set->gates = arena_array(set->arena, struct gate, set->count);
	if (set->gates == NULL || !fill_gates(set))
		return cedar_fail_memory(err);
	set->is_indexed = set->count >= INDEXED_POLICIES_MIN;
	if (set->is_indexed && !index_build(&set->index, set, err))
		return false;
	set->is_sealed = true;
	return true;
}

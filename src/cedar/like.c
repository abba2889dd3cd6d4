/* Sets that are like another one: thousands of identities may do the same under the same
 * conditions, each on its own.  The program is shared as it is.  Nothing is ever added
 * to it: compiling added every path that the index asks for, since the pattern was
 * indexed with the same conditions, whatever its scopes. */
#include "cedar/like.h"

#include <assert.h>
#include <stdlib.h>

#include "cedar/policy_set.h"

/* Room for ids and uids of one policy, its gate and its part of the index. */
enum { POLICY_BYTES = 224 };

/* The copies of the uids of one scope, and of whom they are. */
struct copied {
	const struct cedar_uid *from[SCOPE_PARTS];
	const struct cedar_uid *to[SCOPE_PARTS];
};

static bool fill_part(struct cedar_policy_set *set, struct scope_part *part, int variable,
	const struct cedar_uid *uid, struct copied *copied)
{
	if (copied->from[variable] != uid) {
		copied->from[variable] = uid;
		copied->to[variable] = cedar_uid_copy(set->arena, uid);
	}
	part->kind = SCOPE_EQUAL;
	part->count = 1;
	part->uids = copied->to[variable];
	return part->uids != NULL;
}

static bool fill_scope(struct cedar_policy_set *set, struct policy_ast *ast,
	const struct cedar_scope *scope, struct copied *copied, struct cedar_error *err)
{
	const struct cedar_uid *given[] = {scope->principal, scope->action, scope->resource};

	if (!policy_set_check_scope(scope, err))
		return false;
	for (int i = 0; i < SCOPE_PARTS; i++) {
		ast->scope[i] = (struct scope_part){.kind = SCOPE_ANY};
		if (given[i] == NULL)
			continue;
		if (!fill_part(set, &ast->scope[i], i, given[i], copied))
			return cedar_fail_memory(err);
	}
	return true;
}

static bool fill(struct cedar_policy_set *set, const struct cedar_policy_set *pattern,
	const struct cedar_like *likes, struct cedar_error *err)
{
	struct copied copied = {{NULL}, {NULL}};

	for (uint32_t i = 0; i < pattern->count; i++) {
		struct stored_policy policy = pattern->policies[i];

		policy.id = cedar_text_copy(set->arena, likes[i].id);
		if (policy.id.data == NULL)
			return cedar_fail_memory(err);
		if (!policy_set_check_id(set, policy.id, err) ||
			!fill_scope(set, &policy.ast, &likes[i].scope, &copied, err))
			return false;
		policy_set_put(set, &policy);
	}
	return true;
}

/* Exactly: most sets that are like another one never grow. */
static bool make_room(struct cedar_policy_set *set, uint32_t count, struct cedar_error *err)
{
	set->policies = calloc((size_t)count + 1, sizeof *set->policies);
	set->capacity = count;
	return (set->policies != NULL && table_reserve(&set->ids, count)) || cedar_fail_memory(err);
}

bool cedar_policy_set_like(struct cedar_policy_set **out, const struct cedar_policy_set *pattern,
	const struct cedar_like *likes, struct cedar_error *err)
{
	struct cedar_policy_set *set = calloc(1, sizeof *set);

	*out = NULL;
	assert(pattern->is_sealed && pattern->template_count == 0);
	if (set == NULL)
		return cedar_fail_memory(err);
	set->arena = arena_create_small(
		cedar_mib(CEDAR_SET_MEMORY_MIB_MAX), POLICY_BYTES * (pattern->count + (size_t)1));
	set->program = pattern->program;
	if (set->arena == NULL) {
		cedar_fail_memory(err);
		goto fail;
	}
	if (!make_room(set, pattern->count, err) || !fill(set, pattern, likes, err) ||
		!cedar_policy_set_seal(set, err))
		goto fail;
	assert(set->program.path_count == pattern->program.path_count);
	*out = set;
	return true;
fail:
	cedar_policy_set_destroy(&set);
	return false;
}

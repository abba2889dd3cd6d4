/* Templates and their links.  A link is the template's policy with entities in the
 * slots of its scope; the condition's code is the template's own. */
#include <assert.h>

#include "cedar/policy_set.h"
#include "cedar/print.h"

/* Fills the slot of one variable, or says why not. */
static bool fill_slot(struct cedar_policy_set *set, struct scope_part *part,
	enum ast_variable variable, const struct cedar_uid *uid, struct cedar_error *err)
{
	const char *name = ast_variable_name(variable);

	if (part->is_slot != (uid != NULL))
		return cedar_fail(err, CEDAR_ERROR_INVALID,
			uid == NULL ? "the slot ?%s has no entity" : "there is no slot ?%s", name);
	if (!part->is_slot)
		return true;
	if (!cedar_check_uid(uid, name, err))
		return false;
	part->uids = cedar_uid_copy(set->arena, uid);
	part->count = 1;
	part->is_slot = false;
	return part->uids != NULL || cedar_fail_memory(err);
}

bool cedar_policy_set_link(
	struct cedar_policy_set *set, const struct cedar_link *link, struct cedar_error *err)
{
	struct stored_policy policy;
	size_t index;

	assert(!set->is_sealed);
	if (!cedar_policy_set_find_template(set, link->template_id, &index))
		return cedar_fail(err, CEDAR_ERROR_INVALID, "there is no template \"%.*s\"",
			(int)link->template_id.length, link->template_id.data);
	policy = set->templates[index];
	policy.template_plus_1 = (uint32_t)index + 1;
	policy.id = cedar_text_copy(set->arena, link->id);
	if (policy.id.data == NULL)
		return cedar_fail_memory(err);
	if (!policy_set_check_id(set, policy.id, err) ||
		!fill_slot(set, &policy.ast.scope[AST_PRINCIPAL], AST_PRINCIPAL, link->principal,
			err) ||
		!fill_slot(
			set, &policy.ast.scope[AST_RESOURCE], AST_RESOURCE, link->resource, err) ||
		!policy_set_reserve(set, 1, 0, err))
		return false;
	policy_set_put(set, &policy);
	return true;
}

bool cedar_policy_set_get_link(
	const struct cedar_policy_set *set, size_t index, struct cedar_link *out)
{
	const struct stored_policy *policy = &set->policies[index];
	const struct stored_policy *origin;

	assert(index < set->count);
	*out = (struct cedar_link){.id = policy->id};
	if (policy->template_plus_1 == 0)
		return false;
	origin = &set->templates[policy->template_plus_1 - 1];
	out->template_id = origin->id;
	if (origin->ast.scope[AST_PRINCIPAL].is_slot)
		out->principal = policy->ast.scope[AST_PRINCIPAL].uids;
	if (origin->ast.scope[AST_RESOURCE].is_slot)
		out->resource = policy->ast.scope[AST_RESOURCE].uids;
	return true;
}

size_t cedar_policy_set_template_count(const struct cedar_policy_set *set)
{
	return set->template_count;
}

struct cedar_policy cedar_policy_set_get_template(const struct cedar_policy_set *set, size_t index)
{
	assert(index < set->template_count);
	return stored_policy_describe(&set->templates[index]);
}

struct cedar_text cedar_template_format(
	const struct cedar_policy_set *set, size_t index, struct cedar_arena *arena)
{
	struct cedar_writer writer = {.arena = cedar_arena_inner(arena)};

	assert(index < set->template_count);
	print_policy(&writer, &set->templates[index].ast);
	return print_parseable(&writer);
}

/* Laws of validation: the text before the first line of dashes is a schema, the rest
 * are policies.  Validating ends within its steps; what is found lies in the text of
 * its policy, in order; errors are counted; a second run finds the same; and so does one
 * by the older rule, of which some are errors that were warnings. */
#include <assert.h>
#include <string.h>

#include "cedar/validate_inner.h"

enum { ROOM_BYTES = 1 << 26, STEPS_MAX = 1 << 20 };

static const char separator[] = "\n---\n";

static void check_findings(
	const struct cedar_policy_set *set, const struct cedar_validation *validation)
{
	size_t errors = 0, place = 0;

	for (size_t i = 0; i < validation->count; i++) {
		const struct cedar_finding *finding = &validation->findings[i];
		struct cedar_policy of =
			finding->is_template ? cedar_policy_set_get_template(set, finding->policy)
					     : cedar_policy_set_get(set, finding->policy);
		size_t here =
			finding->policy + (finding->is_template ? cedar_policy_set_count(set) : 0);

		assert(here >= place);
		place = here;
		errors += finding->severity == CEDAR_SEVERITY_ERROR;
		assert(finding->code != CEDAR_FINDING_NONE && finding->text.length > 0);
		assert(cedar_finding_name(finding->code)[0] != '\0');
		assert(finding->range.start >= of.range.start);
		assert(finding->range.start + finding->range.length <=
			of.range.start + of.range.length);
		assert(finding->range.line >= 1 && finding->range.column >= 1);
	}
	assert(validation->count == CEDAR_FINDINGS_MAX || errors == validation->error_count);
}

static bool is_same_text(struct cedar_text a, struct cedar_text b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* The same but for how bad it is. */
static void check_alike(const struct cedar_finding *a, const struct cedar_finding *b)
{
	assert(a->code == b->code);
	assert(a->is_template == b->is_template && a->policy == b->policy);
	assert(a->range.start == b->range.start && a->range.length == b->range.length);
	assert(a->range.line == b->range.line && a->range.column == b->range.column);
	assert(is_same_text(a->id, b->id) && is_same_text(a->text, b->text));
	assert(is_same_text(a->hint, b->hint));
}

/* before: by the newer rule. */
static void check_again(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	enum cedar_validation_rule rule, const struct cedar_validation *before)
{
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct validate_options options = {rule, STEPS_MAX};
	struct cedar_validation again;
	struct cedar_error err;

	if (arena == NULL)
		return;
	assert(validate_with(set, schema, &options, arena, &again, &err));
	assert(again.count == before->count);
	for (size_t i = 0; i < again.count; i++) {
		check_alike(&again.findings[i], &before->findings[i]);
		assert(again.findings[i].severity == before->findings[i].severity ||
			(rule == CEDAR_RULE_4_10 &&
				again.findings[i].code == CEDAR_FINDING_NO_APPLICABLE_ACTION));
	}
	assert(rule == CEDAR_RULE_4_10 ? again.error_count >= before->error_count
				       : again.error_count == before->error_count);
	cedar_arena_destroy(&arena);
}

static void check(const struct cedar_policy_set *set, const struct cedar_schema *schema)
{
	struct cedar_arena *arena = cedar_arena_create(ROOM_BYTES);
	struct validate_options options = {CEDAR_RULE_4_13, STEPS_MAX};
	struct cedar_validation validation;
	struct cedar_error err;

	if (arena == NULL)
		return;
	if (validate_with(set, schema, &options, arena, &validation, &err)) {
		check_findings(set, &validation);
		check_again(set, schema, CEDAR_RULE_4_13, &validation);
		check_again(set, schema, CEDAR_RULE_4_10, &validation);
	} else {
		assert(err.code == CEDAR_ERROR_LIMIT && validation.count == 0);
	}
	cedar_arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *at = size == 0 ? NULL : memmem(text, size, separator, sizeof separator - 1);
	struct cedar_schema *schema = NULL;
	struct cedar_policy_set *set = NULL;
	struct cedar_error err;
	size_t used;

	if (at == NULL)
		return 0;
	used = (size_t)(at - text) + sizeof separator - 1;
	if (cedar_schema_parse(&schema, (struct cedar_text){text, (size_t)(at - text)}, &err) &&
		cedar_policy_set_parse(
			&set, (struct cedar_text){text + used, size - used}, NULL, &err))
		check(set, schema);
	cedar_policy_set_destroy(&set);
	cedar_schema_destroy(&schema);
	return 0;
}

/* Laws of validation, over random schemas, stores, requests and policies:
 * L1 data made by a schema conforms to it;
 * L2 a valid policy on such data fails only where 64 bits do not suffice;
 * L3 a policy that is found impossible is never satisfied;
 * L4 what is found in a policy does not depend on the set it is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/how_many.h"
#include "typed_generator.h"

enum { SCHEMAS = 400, REQUESTS = 8, POLICIES = 6, TEXT_BYTES = 1 << 20, ARENA_BYTES = 64 << 20 };

struct trial {
	struct typed typed;
	struct cedar_arena *arena;
	struct cedar_entities *entities;
	struct cedar_policy_set *set;
	struct cedar_validation validation;
	struct cedar_error err;
	char *policies;
	char *schema_text;
	unsigned valid, errors, overflows, satisfied;
};

static void fail_trial(const struct trial *trial, const char *what)
{
	fail_msg("%s: %s\n%s\n%s\n%s", what, trial->err.text, trial->schema_text, trial->policies,
		trial->typed.generator->text);
}

static void open_schema(struct trial *trial, struct cedar_schema **schema)
{
	generator_reset(trial->typed.generator);
	generate_schema(trial->typed.generator);
	(void)snprintf(trial->schema_text, TEXT_BYTES, "%s", trial->typed.generator->text);
	if (!cedar_schema_parse(schema, cedar_text_of(trial->schema_text), &trial->err))
		fail_trial(trial, "the schema");
	trial->typed.schema = *schema;
}

/* L1 */
static void open_entities(struct trial *trial)
{
	const struct cedar_schema *schema = trial->typed.schema;

	generator_reset(trial->typed.generator);
	typed_entities(&trial->typed);
	if (!cedar_entities_create(&trial->entities, &trial->err) ||
		!cedar_schema_add_entities(schema, trial->entities,
			cedar_text_of(trial->typed.generator->text), &trial->err) ||
		!cedar_schema_add_actions(schema, trial->entities, &trial->err) ||
		!cedar_entities_seal(trial->entities, &trial->err) ||
		!cedar_validate_entities(schema, trial->entities, &trial->err))
		fail_trial(trial, "the entities");
}

static void open_policies(struct trial *trial)
{
	size_t used = 0;

	generator_reset(trial->typed.generator);
	for (int i = 0; i < POLICIES; i++) {
		assert_true(typed_choose(&trial->typed));
		typed_policy(&trial->typed);
	}
	used = trial->typed.generator->length;
	memcpy(trial->policies, trial->typed.generator->text, used + 1);
	if (!cedar_policy_set_parse(
		    &trial->set, cedar_text_of(trial->policies), NULL, &trial->err) ||
		!cedar_validate(trial->set, trial->typed.schema, CEDAR_RULE_4_13, trial->arena,
			&trial->validation, &trial->err))
		fail_trial(trial, "the policies");
}

static bool has_finding(
	const struct trial *trial, size_t policy, enum cedar_finding_code code, bool any_error)
{
	for (size_t i = 0; i < trial->validation.count; i++) {
		const struct cedar_finding *finding = &trial->validation.findings[i];

		if (finding->policy == policy &&
			(any_error ? finding->severity == CEDAR_SEVERITY_ERROR
				   : finding->code == code))
			return true;
	}
	return false;
}

static bool is_overflow(struct cedar_text text)
{
	return strstr(text.data, "does not fit 64 bits") != NULL ||
	       strstr(text.data, "overflows") != NULL;
}

/* L2 and L3 */
static void check_answer(struct trial *trial, const struct cedar_answer *answer)
{
	for (size_t i = 0; i < answer->error_count; i++) {
		const struct cedar_policy_error *error = &answer->errors[i];

		trial->errors++;
		if (has_finding(trial, error->policy, CEDAR_FINDING_NONE, true))
			continue;
		trial->overflows++;
		if (!is_overflow(error->text)) {
			(void)snprintf(trial->err.text, sizeof trial->err.text, "%s in %u",
				error->text.data, error->policy);
			fail_trial(trial, "a valid policy failed");
		}
	}
	for (size_t i = 0; i < answer->reason_count; i++) {
		trial->satisfied++;
		if (has_finding(trial, answer->reasons[i], CEDAR_FINDING_IMPOSSIBLE, false))
			fail_trial(trial, "an impossible policy was satisfied");
	}
}

static void decide(struct trial *trial)
{
	struct typed *typed = &trial->typed;
	struct cedar_request request = {.context = {.type = CEDAR_NONE}};
	struct cedar_answer answer;

	assert_true(typed_choose(typed));
	generator_reset(typed->generator);
	typed_context(typed);
	request.principal = cedar_uid_of(typed->principal->name,
		typed_id(typed->principal, generator_below(typed->generator, TYPED_IDS)));
	request.action = typed->action->uid;
	request.resource = cedar_uid_of(typed->resource->name,
		typed_id(typed->resource, generator_below(typed->generator, TYPED_IDS)));
	if (!cedar_schema_parse_context(&request.context, trial->arena, typed->schema,
		    &request.action, cedar_text_of(typed->generator->text), &trial->err) ||
		!cedar_validate_request(typed->schema, &request, &trial->err))
		fail_trial(trial, "the request");
	if (!cedar_authorize(
		    trial->set, trial->entities, &request, trial->arena, &answer, &trial->err))
		fail_trial(trial, "the decision");
	check_answer(trial, &answer);
}

/* L4 */
static void check_alone(struct trial *trial, size_t index)
{
	struct cedar_policy policy = cedar_policy_set_get(trial->set, index);
	struct cedar_policy_set *alone;
	struct cedar_validation validation;
	size_t at = 0;

	assert_true(cedar_policy_set_parse(&alone, policy.source, NULL, &trial->err));
	assert_true(cedar_validate(alone, trial->typed.schema, CEDAR_RULE_4_13, trial->arena,
		&validation, &trial->err));
	for (size_t i = 0; i < trial->validation.count; i++) {
		const struct cedar_finding *finding = &trial->validation.findings[i];

		if (finding->policy != index)
			continue;
		assert_true(at < validation.count);
		assert_int_equal(validation.findings[at].code, finding->code);
		assert_true(cedar_text_equal(validation.findings[at].text, finding->text));
		at++;
	}
	assert_int_equal(at, validation.count);
	trial->valid += validation.error_count == 0;
	cedar_policy_set_destroy(&alone);
}

static void run(struct trial *trial)
{
	struct cedar_schema *schema;

	open_schema(trial, &schema);
	open_entities(trial);
	open_policies(trial);
	for (int i = 0; i < REQUESTS; i++)
		decide(trial);
	for (size_t i = 0; i < POLICIES; i++)
		check_alone(trial, i);
	cedar_policy_set_destroy(&trial->set);
	cedar_entities_destroy(&trial->entities);
	cedar_schema_destroy(&schema);
	cedar_arena_reset(trial->arena);
}

static void a_valid_policy_on_valid_data_only_overflows(void **state)
{
	long cases = (long)cases_given(SCHEMAS);
	struct generator generator = {.state = generator_seed(), .capacity = TEXT_BYTES};
	struct trial trial = {.typed = {.generator = &generator}};

	(void)state;
	generator.text = malloc(TEXT_BYTES);
	trial.policies = malloc(TEXT_BYTES);
	trial.schema_text = malloc(TEXT_BYTES);
	trial.arena = cedar_arena_create(ARENA_BYTES);
	assert_true(generator.text != NULL && trial.policies != NULL && trial.schema_text != NULL &&
		    trial.arena != NULL);
	trial.policies[0] = '\0';
	for (long i = 0; i < cases; i++)
		run(&trial);
	printf("%u of %ld policies valid, %u errors (%u overflows of valid policies), "
	       "%u satisfied\n",
		trial.valid, cases * POLICIES, trial.errors, trial.overflows, trial.satisfied);
	/* Of few schemas, chance may make most policies invalid. */
	assert_true(cases < SCHEMAS / 10 || trial.valid > (unsigned long)cases * POLICIES / 2);
	assert_true(trial.valid > 0 && trial.errors > trial.overflows && trial.satisfied > 0);
	cedar_arena_destroy(&trial.arena);
	free(trial.schema_text);
	free(trial.policies);
	free(generator.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_policy_on_valid_data_only_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

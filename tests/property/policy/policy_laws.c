/* The promise of validation, over random guardrails and calls: a valid policy errs on no
 * call whose arguments are what it takes them to be, however many others they hold
 * besides, unless a number overflows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cedar/from_json.h"
#include "domain/charter/policy_check.h"
#include "domain/decide/evaluation.h"
#include "support/decide_bench.h"
#include "support/seeded.h"

enum { CASES_DEFAULT = 4000, CALLS = 4, TEXT_BYTES = 1 << 16, DEPTH = 4 };

/* check-source: global: the generator's place and text, of one test program */
static char text[TEXT_BYTES];
static size_t used;

static void put(const char *string)
{
	size_t length = strlen(string);

	if (used + length >= sizeof text)
		return;
	memcpy(text + used, string, length + 1);
	used += length;
}

static void put_one(const char *const *words, unsigned count)
{
	put(words[pick(count)]);
}

/* ---- guardrails: mostly well typed, so that many are valid ---- */

static void put_bool(int depth);
static void put_record(int depth);

static void put_member(int depth, const char *name)
{
	put_record(depth - 1);
	put(".");
	put(name);
}

static void put_string(int depth)
{
	static const char *const words[] = {"\"x\"", "principal.owner", "resource.unit",
		"context.environment", "context.task.id", "context.labels.sensitivity",
		"resource.effect"};

	switch (depth <= 0 ? 0 : pick(4)) {
	case 1: put_member(depth, pick(8) == 0 ? "n" : "s"); break;
	case 2:
		put("(if ");
		put_bool(depth - 1);
		put(" then ");
		put_string(depth - 1);
		put(" else ");
		put_string(depth - 1);
		put(")");
		break;
	default: put_one(words, sizeof words / sizeof *words); break;
	}
}

static void put_long(int depth)
{
	static const char *const words[] = {"1", "0", "9223372036854775807", "context.task.depth"};

	switch (depth <= 0 ? 0 : pick(4)) {
	case 1: put_member(depth, pick(8) == 0 ? "s" : "n"); break;
	case 2:
		put("(");
		put_long(depth - 1);
		put(pick(2) == 0 ? " + " : " * ");
		put_long(depth - 1);
		put(")");
		break;
	default: put_one(words, sizeof words / sizeof *words); break;
	}
}

static void put_set(int depth)
{
	static const char *const words[] = {
		"context.chain", "principal.environments", "[\"x\", \"y\"]"};

	if (depth > 0 && pick(2) == 0)
		put_member(depth, "l");
	else
		put_one(words, sizeof words / sizeof *words);
}

/* Every way there is to a record of arguments. */
static void put_record(int depth)
{
	static const char *const plain[] = {"context.args", "context.args", "context.args",
		"context.args.r", "context.args.r", "{s: \"x\", n: 1}", "context.task"};

	switch (depth <= 0 ? 0 : pick(6)) {
	case 1:
		put("(if ");
		put_bool(depth - 1);
		put(" then ");
		put_record(depth - 1);
		put(" else ");
		put_record(depth - 1);
		put(")");
		break;
	case 2:
		put("{a: ");
		put_record(depth - 1);
		put("}.a");
		break;
	case 3:
		put("(if ");
		put_bool(depth - 1);
		put(pick(2) == 0 ? " then context else context).args"
				 : " then {args: context.args} else {args: context.args.r}).args");
		break;
	default: put_one(plain, sizeof plain / sizeof *plain); break;
	}
}

static void put_has(int depth)
{
	static const char *const names[] = {"s", "n", "r", "l", "b", "z", "r.s"};
	size_t begun = used, length;
	const char *name = names[pick(7)];
	static char receiver[TEXT_BYTES];

	put_record(depth - 1);
	length = used - begun;
	memcpy(receiver, text + begun, length);
	receiver[length] = '\0';
	put(" has ");
	put(name);
	put(" && ");
	/* Often what the `has` guards is read behind it; sometimes by the wrong type. */
	if (pick(3) == 0 || strcmp(name, "r") == 0) {
		put(pick(3) == 0 ? "1 < \"a\"" : "true");
		return;
	}
	put(receiver);
	put(".");
	put(name);
	put(name[0] == 'n'       ? " < 3"
		: name[0] == 'l' ? ".contains(\"x\")"
		: name[0] == 'b' ? " == true"
				 : " like \"x*\"");
}

static void put_pair(void (*side)(int depth), const char *operator, int depth)
{
	put("(");
	side(depth - 1);
	put(operator);
	side(depth - 1);
	put(")");
}

static void put_bool(int depth)
{
	static const char *const words[] = {"true", "false", "context.labels.untrusted", "1 == 1"};

	switch (depth <= 0 ? 0 : pick(10)) {
	case 1: put_pair(put_string, " == ", depth); break;
	case 2: put_pair(put_long, pick(2) == 0 ? " < " : " == ", depth); break;
	case 3: put_pair(put_bool, pick(2) == 0 ? " && " : " || ", depth); break;
	case 4:
		put("!(");
		put_bool(depth - 1);
		put(")");
		break;
	case 5:
	case 6:
		put("(");
		put_has(depth);
		put(")");
		break;
	case 7:
		put_string(depth - 1);
		put(" like \"x*\"");
		break;
	case 8:
		put_set(depth);
		put(".contains(");
		put_string(depth - 1);
		put(")");
		break;
	case 9:
		if (pick(3) == 0)
			put_pair(put_record, " == ", depth);
		else
			put_member(depth, "b");
		break;
	default: put_one(words, sizeof words / sizeof *words); break;
	}
}

/* ---- arguments of a type ---- */

static void put_value(const char **at);

static void put_extra(void)
{
	static const char *const values[] = {"1", "\"x\"", "true", "[1]", "{\"s\":1,\"n\":\"x\"}"};

	put_one(values, sizeof values / sizeof *values);
}

static void skip_type(const char **at)
{
	size_t kept = used;

	put_value(at);
	used = kept;
	text[used] = '\0';
}

/* {"name"?: Type, ...} with some of its optional members, and with members it does not
 * name. */
static void put_record_value(const char **at)
{
	static const char *const pool[] = {"s", "n", "r", "l", "b", "z", "y"};
	const char *type = *at;
	bool is_first = true;

	put("{");
	for (++*at; **at != '}';) {
		const char *end = strchr(*at + 1, '"');
		bool is_optional = end[1] == '?';
		char name[64];

		(void)snprintf(name, sizeof name, "%.*s:", (int)(end - *at) + 1, *at);
		*at = strchr(end, ':') + 2;
		if (is_optional && pick(2) == 0)
			skip_type(at);
		else {
			put(is_first ? "" : ",");
			put(name);
			put_value(at);
			is_first = false;
		}
		if (**at == ',')
			*at += 2;
	}
	++*at;
	for (unsigned i = 0; i < sizeof pool / sizeof *pool; i++) {
		char name[16];

		(void)snprintf(name, sizeof name, "\"%s\"", pool[i]);
		if (memmem(type, (size_t)(*at - type), name, strlen(name)) != NULL || pick(2) == 0)
			continue;
		put(is_first ? "" : ",");
		put(name);
		put(":");
		put_extra();
		is_first = false;
	}
	put("}");
}

static void put_value(const char **at)
{
	static const char *const longs[] = {"0", "2", "9223372036854775807"};

	if (**at == '{') {
		put_record_value(at);
	} else if (strncmp(*at, "Set<", 4) == 0) {
		*at += 4;
		put("[");
		put_value(at);
		put("]");
		++*at;
	} else if (strncmp(*at, "Long", 4) == 0) {
		*at += 4;
		put_one(longs, 3);
	} else if (strncmp(*at, "Bool", 4) == 0) {
		*at += 4;
		put(pick(2) == 0 ? "true" : "false");
	} else {
		assert_memory_equal(*at, "String", 6);
		*at += 6;
		put(pick(2) == 0 ? "\"x\"" : "\"y\"");
	}
}

/* ---- the law ---- */

struct law {
	struct decide_bench bench;
	struct policy_checker *checker;
	unsigned valid;
	unsigned evaluated;
	unsigned overflows;
	unsigned read_arguments;
};

static bool is_overflow(struct cedar_text error)
{
	return memmem(error.data, error.length, "does not fit 64 bits", 20) != NULL ||
	       memmem(error.data, error.length, "overflow", 8) != NULL;
}

static void check_call(struct law *law, const struct cedar_policy_set *set, const char *policy,
	const char *arguments)
{
	struct decide_world world = {.registry = law->bench.registry,
		.tasks = law->bench.tasks,
		.definition = DEFINITION_UNPINNED,
		.now_utc_ms = law->bench.now_utc_ms};
	struct call call = decide_bench_call(&law->bench, "files", "list", arguments);
	struct evaluation *evaluation = decide_prepare(&world, &call, law->bench.arena);
	struct cedar_answer answer;
	struct cedar_error err;

	assert_non_null(evaluation);
	assert_true(evaluation->is_open);
	assert_true(cedar_authorize(set, evaluation->entities, &evaluation->request,
		cedar_arena_from(law->bench.arena), &answer, &err));
	law->evaluated++;
	for (size_t i = 0; i < answer.error_count; i++) {
		law->overflows++;
		if (!is_overflow(answer.errors[i].text))
			fail_msg("%s\n%s\n%.*s", policy, arguments,
				(int)answer.errors[i].text.length, answer.errors[i].text.data);
	}
}

static void check_policy(struct law *law)
{
	struct policy_findings findings = {.arena = law->bench.arena};
	struct text policy = text_copy(law->bench.arena, text_of(text));
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause;
	struct error err = {0};

	assert_true(policy_check_guardrail(law->checker, policy, &findings, &err));
	if (findings.error_count > 0)
		return;
	law->valid++;
	law->read_arguments += findings.arguments_count > 0;
	assert_true(cedar_policy_set_parse(&set, cedar_text_from(policy), NULL, &cause));
	for (int i = 0; i < CALLS; i++) {
		const char *types =
			findings.arguments_count == 0 ? "{}" : findings.arguments[0].types.data;

		used = 0;
		put_value(&types);
		check_call(law, set, policy.data, text_copy(law->bench.arena, text_of(text)).data);
	}
	cedar_policy_set_destroy(&set);
}

static void a_valid_policy_errs_on_no_call_that_fits_it(void **state)
{
	int count = (int)cases_given(CASES_DEFAULT);
	struct law law = {0};
	struct error err;

	(void)state;
	assert_true(policy_checker_create(&law.checker, &err));
	decide_bench_init(&law.bench);
	for (int i = 0; i < count; i++) {
		if (i % 100 == 99) { /* the bench keeps all it ever read */
			decide_bench_deinit(&law.bench);
			decide_bench_init(&law.bench);
		}
		used = 0;
		put("forbid (principal, action, resource) when { ");
		put_bool(DEPTH);
		put(" };");
		check_policy(&law);
	}
	printf("%d policies, %u valid, %u of them read arguments, %u calls, %u overflows\n", count,
		law.valid, law.read_arguments, law.evaluated, law.overflows);
	/* Else the law says little. */
	assert_true(law.valid > (unsigned)count / 20 && law.read_arguments > law.valid / 10);
	policy_checker_destroy(&law.checker);
	decide_bench_deinit(&law.bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_valid_policy_errs_on_no_call_that_fits_it),
	};

	seed_with(seed_of_run());
	return cmocka_run_group_tests(tests, NULL, NULL);
}

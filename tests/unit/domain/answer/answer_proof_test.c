#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/private_key.h"
#include "support/people.h"

enum { NOW_MS = 1800000000 };

struct bench {
	struct arena *arena;
	struct people_answer answer;
	struct answer_claim claim;
};

static int setup(void **state)
{
	static struct bench bench;

	bench.arena = arena_create((size_t)1 << 24);
	bench.answer = (struct people_answer){.person = "ana",
		.verb = ANSWER_APPROVE,
		.approval = TEXT("a-1"),
		.call = sha256_of("call", 4),
		.reason = "because",
		.now_utc_ms = (int64_t)NOW_MS * 1000};
	bench.claim = (struct answer_claim){.person = TEXT("ana"),
		.approval = TEXT("a-1"),
		.call = bench.answer.call,
		.verb = ANSWER_APPROVE,
		.at_utc_ms = (int64_t)NOW_MS * 1000,
		.installation = TEXT(PEOPLE_INSTALLATION)};
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	arena_destroy(&bench->arena);
	return 0;
}

static enum answer_fault checked(
	struct bench *bench, const struct answer_proof *proof, const char *key_of)
{
	struct request_signature signature;
	enum answer_fault fault = answer_proof_read(&signature, bench->arena, proof);

	if (fault != ANSWER_PROVEN)
		return fault;
	return answer_proof_check(&signature, private_key_public(people_key(key_of)), proof,
		&bench->claim, bench->arena);
}

static enum answer_fault check(struct bench *bench)
{
	struct answer_proof proof = people_sign(bench->arena, &bench->answer);

	return checked(bench, &proof, "ana");
}

static void what_is_not_signed_proves_nothing(void **state)
{
	struct bench *bench = *state;
	struct answer_proof none = {.body = TEXT("{}")};
	struct answer_proof nonsense = {.signature = TEXT("a.b.c"), .body = TEXT("{}")};

	assert_int_equal(checked(bench, &none, "ana"), ANSWER_UNSIGNED);
	assert_int_equal(checked(bench, &nonsense, "ana"), ANSWER_MALFORMED);
	assert_string_equal(answer_fault_word((enum answer_fault)0), "unsigned");
	assert_null(answer_verb_word(ANSWER_NONE));
}

static void another_persons_signature_proves_nothing(void **state)
{
	struct bench *bench = *state;
	struct answer_proof proof = people_sign(bench->arena, &bench->answer);

	assert_int_equal(checked(bench, &proof, "bo"), ANSWER_FORGED);
	bench->claim.person = TEXT("bo");
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_NOT_THEIRS);
	bench->claim.person = TEXT("");
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_NOT_THEIRS);
}

static void a_yes_is_of_one_approval_one_verb_and_one_call(void **state)
{
	struct bench *bench = *state;

	bench->answer.approval = TEXT("a-2");
	assert_int_equal(check(bench), ANSWER_OTHER_PLACE);
	bench->answer.approval = TEXT("x/a-1");
	assert_int_equal(check(bench), ANSWER_OTHER_PLACE);
	bench->answer.approval = TEXT("a-1");
	bench->answer.verb = ANSWER_REJECT;
	assert_int_equal(check(bench), ANSWER_OTHER_PLACE);
	bench->answer.verb = ANSWER_APPROVE;
	bench->answer.call = sha256_of("llac", 4);
	assert_int_equal(check(bench), ANSWER_OTHER_CALL);
}

static void a_yes_is_of_its_minute_and_its_installation(void **state)
{
	struct bench *bench = *state;

	bench->claim.at_utc_ms += 61 * 1000;
	assert_int_equal(check(bench), ANSWER_FORGED);
	bench->claim.at_utc_ms -= 122 * 1000;
	assert_int_equal(check(bench), ANSWER_FORGED);
	bench->claim.at_utc_ms += 61 * 1000;
	bench->claim.installation = TEXT("another");
	assert_int_equal(check(bench), ANSWER_FORGED);
}

static void a_body_that_was_changed_proves_nothing(void **state)
{
	struct bench *bench = *state;
	struct answer_proof proof = people_sign(bench->arena, &bench->answer);

	proof.body = text_format(bench->arena, "%.*s ", TEXT_ARGS(proof.body));
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_FORGED);
}

static void an_edit_without_its_body_is_of_its_approval(void **state)
{
	struct bench *bench = *state;
	struct answer_proof proof;

	bench->answer.verb = bench->claim.verb = ANSWER_EDIT;
	proof = people_sign(bench->arena, &bench->answer);
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_PROVEN);
	proof.body = TEXT("");
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_PROVEN);
	assert_int_equal(checked(bench, &proof, "bo"), ANSWER_FORGED);
	bench->claim.installation = TEXT("another");
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_FORGED);
	bench->claim.installation = TEXT(PEOPLE_INSTALLATION);
	bench->claim.approval = TEXT("a-2");
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_OTHER_PLACE);
	bench->claim.at_utc_ms += 61 * 1000;
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_FORGED);
	/* Only an edit may come without. */
	bench->answer.verb = bench->claim.verb = ANSWER_APPROVE;
	proof = people_sign(bench->arena, &bench->answer);
	proof.body = TEXT("");
	assert_int_equal(checked(bench, &proof, "ana"), ANSWER_FORGED);
}

static void what_the_key_signed_is_proven(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(check(bench), ANSWER_PROVEN);
	bench->claim.installation = TEXT("");
	bench->claim.at_utc_ms += 60 * 1000;
	assert_int_equal(check(bench), ANSWER_PROVEN);
}

#define PROOF_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROOF_TEST(what_is_not_signed_proves_nothing),
		PROOF_TEST(another_persons_signature_proves_nothing),
		PROOF_TEST(a_yes_is_of_one_approval_one_verb_and_one_call),
		PROOF_TEST(a_yes_is_of_its_minute_and_its_installation),
		PROOF_TEST(a_body_that_was_changed_proves_nothing),
		PROOF_TEST(an_edit_without_its_body_is_of_its_approval),
		PROOF_TEST(what_the_key_signed_is_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

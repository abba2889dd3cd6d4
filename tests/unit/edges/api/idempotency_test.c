#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edges/api/idempotency.h"
#include "edges/api/request.h"

static struct sha256 digest(const char *word)
{
	return sha256_of(word, strlen(word));
}

static enum idempotency_state begin(struct idempotency *table, const char *key, const char *request,
	struct idempotency_answer *answer)
{
	struct sha256 key_digest = digest(key);
	struct sha256 fingerprint = digest(request);
	enum idempotency_state state;
	struct error err;

	assert_true(idempotency_begin(table, &key_digest, &fingerprint, &state, answer, &err));
	return state;
}

static struct idempotency *create(void)
{
	struct idempotency *table;
	struct error err;

	assert_true(idempotency_create(&table, &err));
	return table;
}

static void a_key_used_for_another_request_is_refused(void **state)
{
	struct idempotency *table = create();
	struct idempotency_answer answer;

	(void)state;
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_NEW);
	assert_int_equal(begin(table, "k", "two", &answer), IDEMPOTENCY_DIFFERENT);
	idempotency_destroy(&table);
}

static void a_request_that_runs_is_not_run_again(void **state)
{
	struct idempotency *table = create();
	struct idempotency_answer answer;

	(void)state;
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_NEW);
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_RUNNING);
	idempotency_destroy(&table);
}

static void the_same_request_gets_the_same_answer(void **state)
{
	struct idempotency *table = create();
	struct idempotency_answer answer;
	struct sha256 key = digest("k");

	(void)state;
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_NEW);
	idempotency_finish(table, &key, 201, TEXT("{\"index\":7}"));
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_ANSWERED);
	assert_int_equal(answer.status, 201);
	assert_true(text_is(answer.body, "{\"index\":7}"));
	idempotency_destroy(&table);
}

static void a_forgotten_request_may_run_again(void **state)
{
	struct idempotency *table = create();
	struct idempotency_answer answer;
	struct sha256 key = digest("k");

	(void)state;
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_NEW);
	idempotency_forget(table, &key);
	assert_int_equal(begin(table, "k", "one", &answer), IDEMPOTENCY_NEW);
	idempotency_destroy(&table);
}

/* Fills the table with count keys, each answered if is_answered. */
static void fill(struct idempotency *table, unsigned count, bool is_answered)
{
	for (unsigned i = 0; i < count; i++) {
		struct sha256 key = sha256_of(&i, sizeof i);
		struct idempotency_answer answer;
		enum idempotency_state state;
		struct error err;

		assert_true(idempotency_begin(table, &key, &key, &state, &answer, &err));
		assert_int_equal(state, IDEMPOTENCY_NEW);
		if (is_answered)
			idempotency_finish(table, &key, 200, TEXT("{}"));
	}
}

static void running_requests_are_never_pushed_out(void **state)
{
	struct idempotency *table = create();
	struct sha256 key = digest("one more");
	struct idempotency_answer answer;
	enum idempotency_state said;
	struct error err = {0};

	(void)state;
	fill(table, API_IDEMPOTENCY_ENTRIES_MAX, false);
	assert_false(idempotency_begin(table, &key, &key, &said, &answer, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	idempotency_destroy(&table);
}

static void the_oldest_answer_makes_room(void **state)
{
	struct idempotency *table = create();
	struct idempotency_answer answer;
	unsigned first = 0;
	unsigned second = 1;
	struct sha256 oldest = sha256_of(&first, sizeof first);
	struct sha256 younger = sha256_of(&second, sizeof second);
	enum idempotency_state said;
	struct error err;

	(void)state;
	fill(table, API_IDEMPOTENCY_ENTRIES_MAX, true);
	assert_int_equal(begin(table, "one more", "x", &answer), IDEMPOTENCY_NEW);
	assert_true(idempotency_begin(table, &younger, &younger, &said, &answer, &err));
	assert_int_equal(said, IDEMPOTENCY_ANSWERED);
	assert_true(idempotency_begin(table, &oldest, &oldest, &said, &answer, &err));
	assert_int_equal(said, IDEMPOTENCY_NEW);
	idempotency_destroy(&table);
}

static void every_error_has_a_status_and_only_a_refusal_is_403(void **state)
{
	struct error err = {.code = ERROR_INVALID, .text = "forbidden: not yours"};

	(void)state;
	assert_int_equal(api_status_of(&err), 403);
	(void)error_set(&err, ERROR_INVALID, "the word is not known: forbidden: x");
	assert_int_equal(api_status_of(&err), 400);
	for (int code = ERROR_NOT_FOUND; code <= ERROR_INTERNAL; code++) {
		(void)error_set(&err, (enum error_code)code, "x");
		assert_true(api_status_of(&err) >= 404);
		assert_non_null(api_status_title(api_status_of(&err)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_used_for_another_request_is_refused),
		cmocka_unit_test(a_request_that_runs_is_not_run_again),
		cmocka_unit_test(the_same_request_gets_the_same_answer),
		cmocka_unit_test(a_forgotten_request_may_run_again),
		cmocka_unit_test(running_requests_are_never_pushed_out),
		cmocka_unit_test(the_oldest_answer_makes_room),
		cmocka_unit_test(every_error_has_a_status_and_only_a_refusal_is_403),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

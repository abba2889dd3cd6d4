#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edges/cli/loopback.h"

enum { ARENA_BYTES = 1 << 20 };

static int start(void **state)
{
	*state = arena_create(ARENA_BYTES);
	return *state == NULL;
}

static int end(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static bool reads(void **state, const char *head, struct loopback_answer *out)
{
	return loopback_read(text_of(head), TEXT("st"), *state, out);
}

#define BEHIND " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

static void what_has_another_state_or_form_is_not_ours(void **state)
{
	static const char *const heads[] = {
		"",
		"GET /callback",
		"GET / HTTP/1.1\r\n\r\n",
		"GET /callback" BEHIND,
		"GET /callback?" BEHIND,
		"POST /callback?code=a&state=st" BEHIND,
		"GET /other?code=a&state=st" BEHIND,
		"GET /callback?code=a&state=st",
		"GET /callback?code=a&state=st\r\n\r\n",
		"GET /callback?code=a&state=other" BEHIND,
		"GET /callback?code=a&state=" BEHIND,
		"GET /callback?code=a&state" BEHIND,
		"GET /callback?code=a" BEHIND,
		"GET /callback?state=st" BEHIND,
		"GET /callback?code=&state=st" BEHIND,
		"GET /callback?code=a&code=b&state=st" BEHIND,
		"GET /callback?code=a&state=st&state=st" BEHIND,
		"GET /callback?code=a&error=b&state=st" BEHIND,
		"GET /callback?code=%4&state=st" BEHIND,
		"GET /callback?code=%zz&state=st" BEHIND,
	};
	struct loopback_answer answer;

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		if (reads(state, heads[i], &answer))
			fail_msg("%s", heads[i]);
		assert_int_equal(answer.code.length, 0);
	}
	/* Nor does any where none was sent. */
	assert_false(loopback_read(
		TEXT("GET /callback?code=a&state=" BEHIND), TEXT(""), *state, &answer));
}

static void what_is_ours_is_read_decoded(void **state)
{
	struct loopback_answer answer;

	assert_true(reads(state,
		"GET /callback?code=a%2Fb%20c+d&more=x&iss=https%3A%2F%2Fid.example&s%74ate=no&"
		"state=st" BEHIND,
		&answer));
	assert_true(text_is(answer.code, "a/b c d"));
	assert_true(text_is(answer.issuer, "https://id.example"));
	assert_int_equal(answer.error.length, 0);
	assert_true(reads(state, "GET /callback?error=access_denied&state=st" BEHIND, &answer));
	assert_true(text_is(answer.error, "access_denied"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_has_another_state_or_form_is_not_ours, start, end),
		cmocka_unit_test_setup_teardown(what_is_ours_is_read_decoded, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

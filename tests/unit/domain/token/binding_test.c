#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/binding.h"

enum { ARENA_BYTES = 64 * 1024 };

/* 43 letters: RFC 9449 §6.1 figure 9. */
#define LETTERS "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

static struct arena *arena;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_create(ARENA_BYTES);
	return arena == NULL;
}

static int close_arena(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static enum token_reason read_claims(struct token_binding *out, const char *text)
{
	struct error err = {0};
	struct json claims;

	assert_true(json_parse(&claims, arena, text_of(text), &json_limits_default, &err));
	return token_binding_read(out, &claims);
}

static void what_binds_in_no_way_we_know_is_no_bearer_token(void **state)
{
	static const char *const texts[] = {
		"{\"cnf\":{}}",
		"{\"cnf\":null}",
		"{\"cnf\":\"" LETTERS "\"}",
		"{\"cnf\":[{\"jkt\":\"" LETTERS "\"}]}",
		"{\"cnf\":{\"kid\":\"" LETTERS "\"}}",
		"{\"cnf\":{\"jkt\":\"\"}}",
		"{\"cnf\":{\"jkt\":null}}",
		"{\"cnf\":{\"jkt\":\"" LETTERS "=\"}}",
		"{\"cnf\":{\"jkt\":\"" LETTERS "A\"}}",
		"{\"cnf\":{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4J\"}}",
		"{\"cnf\":{\"jkt\":\"" LETTERS "\",\"x5t#S256\":\"" LETTERS "\"}}",
		"{\"cnf\":{\"jkt\":\"" LETTERS "\",\"jwk\":{}}}",
		"{\"cnf\":{\"x5t\":\"" LETTERS "\"}}",
	};
	struct token_binding read;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (read_claims(&read, texts[i]) != TOKEN_BOUND || read.kind != BINDING_NONE)
			fail_msg("%s", texts[i]);
}

static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {
		[BINDING_NONE] = "{}",
		[BINDING_DPOP] = "{\"cnf\":{\"jkt\":\"" LETTERS "\"}}",
		[BINDING_MTLS] = "{\"cnf\":{\"x5t#S256\":\"" LETTERS "\"}}",
	};

	(void)state;
	for (int kind = BINDING_NONE; kind <= BINDING_MTLS; kind++) {
		struct token_binding binding = {.kind = (enum binding)kind}, read;
		struct json_builder claims;
		struct error err = {0};
		struct json object;

		assert_true(token_thumbprint_parse(&binding.thumbprint, TEXT(LETTERS)));
		json_object_start(&claims, arena);
		assert_true(token_binding_put(&claims, &binding, &err));
		assert_true(json_object_seal(&claims, &object, &err));
		assert_true(text_is(json_canonical_text(arena, &object), texts[kind]));
		assert_int_equal(read_claims(&read, texts[kind]), TOKEN_ACCEPTED);
		assert_true(token_binding_equal(&read, &binding));
		binding.kind = kind == BINDING_MTLS ? BINDING_DPOP : BINDING_MTLS;
		assert_false(token_binding_equal(&read, &binding));
		read.kind = binding.kind;
		read.thumbprint.bytes[31] ^= 1;
		if (kind != BINDING_NONE)
			assert_false(token_binding_equal(&read, &binding));
	}
}

#define WITH(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(what_binds_in_no_way_we_know_is_no_bearer_token),
		WITH(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "cedar/lexer.h"

#include "support.h"

/* The pattern `like` gives for a text, through the language. */
static bool like(struct world *world, const char *text, const char *pattern)
{
	char expression[512];

	(void)snprintf(expression, sizeof expression, "\"%s\" like \"%s\"", text, pattern);
	return strcmp(world_value(world, expression), "true") == 0;
}

static void an_open_string_is_refused_where_it_starts(void **state)
{
	struct lexer lexer = {.source = CEDAR_TEXT("a\n  \"b\\\"")};
	struct token token;
	struct cedar_error err;

	(void)state;
	assert_true(lexer_next(&lexer, &token, &err));
	assert_false(lexer_next(&lexer, &token, &err));
	assert_int_equal(err.line, 2);
	assert_int_equal(err.column, 3);
}

static void characters_outside_the_language_are_refused(void **state)
{
	static const char *const bad[] = {
		"#", "$", "^", "&", "|", "~", "`", "'", "\\", "\xC3\xA4", "a \x01"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct lexer lexer = {.source = cedar_text_of(bad[i])};
		struct token token = {TOKEN_AT, 0, 0};
		struct cedar_error err;
		bool ok = true;

		while (ok && token.kind != TOKEN_END)
			ok = lexer_next(&lexer, &token, &err);
		assert_false(ok);
		assert_int_equal(err.code, CEDAR_ERROR_INVALID);
	}
}

static void every_token_is_read_with_its_range(void **state)
{
	const char *source = "@a.b,;:::(){}[]==!=<<=>=>||&&+-*/%!=_9 12\"x\\\"y\"?principal=";
	static const enum token_kind kinds[] = {TOKEN_AT, TOKEN_IDENTIFIER, TOKEN_DOT,
		TOKEN_IDENTIFIER, TOKEN_COMMA, TOKEN_SEMICOLON, TOKEN_COLONS, TOKEN_COLON,
		TOKEN_PAREN_OPEN, TOKEN_PAREN_CLOSE, TOKEN_BRACE_OPEN, TOKEN_BRACE_CLOSE,
		TOKEN_BRACKET_OPEN, TOKEN_BRACKET_CLOSE, TOKEN_EQUAL, TOKEN_NOT_EQUAL, TOKEN_LESS,
		TOKEN_LESS_EQUAL, TOKEN_GREATER_EQUAL, TOKEN_GREATER, TOKEN_OR, TOKEN_AND,
		TOKEN_PLUS, TOKEN_MINUS, TOKEN_STAR, TOKEN_SLASH, TOKEN_PERCENT, TOKEN_NOT_EQUAL,
		TOKEN_IDENTIFIER, TOKEN_NUMBER, TOKEN_STRING, TOKEN_SLOT, TOKEN_ASSIGN, TOKEN_END,
		TOKEN_END};
	struct lexer lexer = {.source = cedar_text_of(source)};
	struct token token;
	struct cedar_error err;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		assert_true(lexer_next(&lexer, &token, &err));
		assert_int_equal(token.kind, kinds[i]);
	}
}

static void blanks_and_comments_of_unicode_are_skipped(void **state)
{
	struct lexer lexer = {
		.source = CEDAR_TEXT("// c\r\n\t\xC2\xA0\xE3\x80\x80\xE2\x80\xA8 a//\nb // end")};
	struct token token;
	struct cedar_error err;

	(void)state;
	assert_true(lexer_next(&lexer, &token, &err));
	assert_true(cedar_text_is(token_text(&lexer, &token), "a"));
	assert_true(lexer_next(&lexer, &token, &err));
	assert_true(cedar_text_is(token_text(&lexer, &token), "b"));
	assert_true(lexer_next(&lexer, &token, &err));
	assert_int_equal(token.kind, TOKEN_END);
}

static void bad_escapes_are_refused(void **state)
{
	static const char *const bad[] = {"\"\\q\"", "\"\\x80\"", "\"\\x1\"", "\"\\xg0\"",
		"\"\\u\"", "\"\\u{}\"", "\"\\u{1234567}\"", "\"\\u{D800}\"", "\"\\u{110000}\"",
		"\"\\u{_1}\"", "\"\\u{1\"", "\"\\*\"", "\"\r\"", "\"\\\n\""};
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(&world, bad[i]);
	world_close(&world);
}

static void escapes_stand_for_their_characters(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_value(&world, "\"\\n\\r\\t\\0\\\\\\'\\\"\"", "\"\\n\\r\\t\\0\\\\'\\\"\"");
	assert_value(&world,
		"\"\\x41\\u{1F600}\\u{4_1}\" == \"A\xF0\x9F\x98\x80"
		"A\"",
		"true");
	assert_value(&world, "\"\"", "\"\"");
	world_close(&world);
}

static void a_pattern_matches_the_whole_text(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_false(like(&world, "abc", "ab"));
	assert_false(like(&world, "abc", "bc"));
	assert_false(like(&world, "", "a*"));
	assert_false(like(&world, "ab", "ab*b"));
	assert_false(like(&world, "aXbXc", "a*c*b"));
	assert_false(like(&world, "abcabd", "*abc"));
	assert_false(like(&world, "ab", "a\\\\*b"));
	assert_true(like(&world, "", ""));
	assert_true(like(&world, "", "***"));
	assert_true(like(&world, "abc", "a*c"));
	assert_true(like(&world, "ac", "a*c"));
	assert_true(like(&world, "aab", "*ab"));
	assert_true(like(&world, "a--b--c", "a*b*c"));
	assert_true(like(&world, "tickets/1.md", "tickets/*"));
	assert_value(&world, "\"a*c\" like \"a\\*c\"", "true");
	assert_value(&world, "\"abc\" like \"a\\*c\"", "false");
	assert_fails(&world, "1 like \"*\"");
	world_close(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_string_is_refused_where_it_starts),
		cmocka_unit_test(characters_outside_the_language_are_refused),
		cmocka_unit_test(every_token_is_read_with_its_range),
		cmocka_unit_test(blanks_and_comments_of_unicode_are_skipped),
		cmocka_unit_test(bad_escapes_are_refused),
		cmocka_unit_test(escapes_stand_for_their_characters),
		cmocka_unit_test(a_pattern_matches_the_whole_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

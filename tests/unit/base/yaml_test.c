/* The strict YAML reader and the formatter. */
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

static int setup(void **state)
{
	*state = arena_create(ARENA_BYTES);
	return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	struct arena *arena = *state;

	arena_destroy(&arena);
	return 0;
}

static void refuses(void **state, const char *text, const char *message)
{
	struct yaml_documents documents;
	struct error err = {0};

	if (yaml_parse(&documents, *state, text_of(text), "a.yaml", &json_limits_default, &err))
		fail_msg("accepted: %s", text);
	assert_null(documents.items);
	assert_int_equal(documents.count, 0);
	assert_string_equal(err.text, message);
}

static struct yaml_documents reads(void **state, struct text text)
{
	struct yaml_documents documents;
	struct error err = {0};

	if (!yaml_parse(&documents, *state, text, "a.yaml", &json_limits_default, &err))
		fail_msg("%.*s: %s", TEXT_ARGS(text), err.text);
	return documents;
}

static void means(void **state, const char *text, const char *json)
{
	struct yaml_documents documents = reads(state, text_of(text));

	assert_int_equal(documents.count, 1);
	assert_string_equal(json_canonical_text(*state, &documents.items[0]).data, json);
}

static void what_hides_meaning_is_refused(void **state)
{
	refuses(state, "a: &x 1\n", "a.yaml:1: anchors are not taken");
	refuses(state, "a: &x {b: 1}\n", "a.yaml:1: anchors are not taken");
	refuses(state, "a: 1\nb: *x\n", "a.yaml:2: aliases are not taken");
	refuses(state, "a: !!str 1\n", "a.yaml:1: tags are not taken");
	refuses(state, "a: ! x\n", "a.yaml:1: tags are not taken");
	refuses(state, "a: !local [1]\n", "a.yaml:1: tags are not taken");
	refuses(state, "<<: {b: 1}\n", "a.yaml:1: merge keys are not taken");
	refuses(state, "%YAML 1.1\n---\na: 1\n", "a.yaml:1: directives are not taken");
	refuses(state, "%TAG ! tag:x,2000:\n---\na: 1\n", "a.yaml:1: directives are not taken");
}

static void a_name_there_twice_is_refused_where_it_stands(void **state)
{
	refuses(state, "a: 1\nb: 2\n\"a\": 3\n", "a.yaml:3: \"a\" is there twice");
	refuses(state, "o:\n  x: 1\n  x: 1\n", "a.yaml:3: \"x\" is there twice");
}

static void a_name_that_is_not_text_is_refused(void **state)
{
	refuses(state, "1: a\n", "a.yaml:1: a name must be text (put it in quotes)");
	refuses(state, "true: a\n", "a.yaml:1: a name must be text (put it in quotes)");
	refuses(state, "? [a]\n: b\n", "a.yaml:1: a name must be text");
	refuses(state, "? {a: b}\n: b\n", "a.yaml:1: a name must be text");
}

static void a_value_left_out_is_refused(void **state)
{
	refuses(state, "a:\nb: 1\n",
		"a.yaml:1: a value is left out here (write null or \"\" if it is meant)");
	refuses(state, "a: [1, , 2]\n", "a.yaml:1: did not find expected node content");
}

static void a_document_that_is_not_a_mapping_is_refused(void **state)
{
	refuses(state, "- a\n", "a.yaml:1: a document must be a mapping");
	refuses(state, "a: 1\n---\njust text\n", "a.yaml:3: a document must be a mapping");
	refuses(state, "a: 1\n---\n---\nb: 1\n", "a.yaml:3: a document must be a mapping");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	struct yaml_documents documents;
	struct error err = {0};

	refuses(state, "a: \xFF\n", "a.yaml:1: not UTF-8 text");
	refuses(state,
		"\xEF\xBB\xBF"
		"a: 1\n",
		"a.yaml:1: starts with a byte order mark");
	refuses(state, "a: \"x\\0y\"\n", "a.yaml:1: text may not hold NUL");
	assert_false(yaml_parse(
		&documents, *state, TEXT("a: x\0\n"), "a.yaml", &json_limits_default, &err));
	/* UTF-16, which libyaml would take by its own guess. */
	assert_false(yaml_parse(&documents, *state,
		TEXT("\xFF\xFE"
		     "a\0:\0 \0b\0"),
		"a.yaml", &json_limits_default, &err));
}

static void bad_syntax_names_its_line(void **state)
{
	refuses(state, "a: 1\nb: [1\n", "a.yaml:3: did not find expected ',' or ']'");
	refuses(state, "a: 1\n  b: 2\n",
		"a.yaml:2: mapping values are not allowed in this context");
	refuses(state, "a: \"x\n", "a.yaml:2: found unexpected end of stream");
	refuses(state, "a: 9223372036854775808\n", "a.yaml:1: the integer does not fit 64 bits");
}

static void plain_scalars_have_one_meaning(void **state)
{
	means(state, "a: true\nb: false\nc: null\nd: 12\ne: -3\n",
		"{\"a\":true,\"b\":false,\"c\":null,\"d\":12,\"e\":-3}");
	means(state, "a: no\nb: yes\nc: True\nd: ~\ne: 2027-06-30\nf: 1.5\ng: 012\nh: 0x1\ni: -0\n",
		"{\"a\":\"no\",\"b\":\"yes\",\"c\":\"True\",\"d\":\"~\",\"e\":\"2027-06-30\","
		"\"f\":\"1.5\",\"g\":\"012\",\"h\":\"0x1\",\"i\":\"-0\"}");
	means(state, "a: \"true\"\nb: '12'\nc: \"\"\nd: |\n  null\n",
		"{\"a\":\"true\",\"b\":\"12\",\"c\":\"\",\"d\":\"null\\n\"}");
}

static void a_charter_is_read(void **state)
{
	means(state,
		"# comment\nobject: identity\nmodel: [{provider: local, name: small-1}]\n"
		"entitlements:\n  - {effect: read, when: 'a.b like \"t/*\"'}\n"
		"  - effect: write\n    tool: x\ntext: |\n  one\n    two\npeers: []\n",
		"{\"entitlements\":[{\"effect\":\"read\",\"when\":\"a.b like \\\"t/*\\\"\"},"
		"{\"effect\":\"write\",\"tool\":\"x\"}],\"model\":[{\"name\":\"small-1\","
		"\"provider\":\"local\"}],\"object\":\"identity\",\"peers\":[],"
		"\"text\":\"one\\n  two\\n\"}");
}

static void documents_and_lines_are_counted(void **state)
{
	struct yaml_documents documents =
		reads(state, TEXT("a: 1\n---\n\nb:\n  - x\n  - y: 1\n...\n"));

	assert_int_equal(documents.count, 2);
	assert_int_equal(documents.items[0].line, 1);
	assert_int_equal(documents.items[1].line, 4);
	assert_int_equal(json_find(&documents.items[1], "b")->items[1].line, 6);
	assert_int_equal(reads(state, TEXT("")).count, 0);
	assert_int_equal(reads(state, TEXT("# nothing\n")).count, 0);
}

/* Where a line of a text is in the file, as far as YAML leaves the lines as they are. */
static void the_lines_of_a_text_are_found_in_the_file(void **state)
{
	static const struct {
		const char *yaml; /* a text of two lines from line 2 on */
		uint32_t first, second;
	} written[] = {
		{"# a\na: |\n  x\n  y\n", 3, 4},
		{"# a\na: |-\n  x\n  y\n", 3, 4},
		{"# a\na: |+\n  x\n  y\n\n", 3, 4},
		{"# a\na: |2\n  x\n  y\n", 3, 4},
		{"# a\na: | # why\n\n  y\n", 3, 4},
		{"# a\na:\n  |\n  x\n  y\n", 4, 5},
		{"# a\na: >\n  x\n\n  y\n", 3, 3},
		{"# a\na: \"x\n\n  y\"\n", 2, 2},
		{"# a\na: 'x\n\n  y'\n", 2, 2},
		{"# a\na: x\n\n  y\n", 2, 2},
	};

	for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
		struct yaml_documents documents = reads(state, text_of(written[i].yaml));
		const struct json *value = json_find(&documents.items[0], "a");

		assert_int_equal(json_line_of(value, 0), value->line);
		assert_int_equal(json_line_of(value, 1), written[i].first);
		assert_int_equal(json_line_of(value, 2), written[i].second);
	}
	assert_int_equal(json_line_of(&(struct json){.type = JSON_STRING}, 2), 0);
}

static void limits_hold_at_their_exact_value(void **state)
{
	struct json_limits limits = {.size_bytes = 12, .depth = 2, .values = 3};
	struct yaml_documents documents;
	struct error err = {0};

	assert_true(yaml_parse(&documents, *state, TEXT("a: [1]"), "a", &limits, &err));
	assert_true(yaml_parse(&documents, *state, TEXT("a: 1\nb: 2\n  "), "a", &limits, &err));
	assert_false(yaml_parse(&documents, *state, TEXT("a: 1\nb: 2\n   "), "a", &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_false(yaml_parse(&documents, *state, TEXT("a: [1,2]"), "a", &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_false(yaml_parse(&documents, *state, TEXT("a: [[]]"), "a", &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
}

static void more_documents_than_allowed_are_refused(void **state)
{
	struct json_limits limits = {.size_bytes = 1 << 20, .depth = 2, .values = 1 << 20};
	struct yaml_documents documents;
	struct error err = {0};
	struct buffer text;
	int i;

	buffer_init(&text, 1 << 20);
	for (i = 0; i < YAML_DOCUMENTS_MAX; i++)
		buffer_append_string(&text, "---\na: 1\n");
	assert_true(yaml_parse(&documents, *state, buffer_text(&text), "a", &limits, &err));
	assert_int_equal(documents.count, YAML_DOCUMENTS_MAX);
	buffer_append_string(&text, "---\na: 1\n");
	assert_false(yaml_parse(&documents, *state, buffer_text(&text), "a", &limits, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	buffer_deinit(&text);
}

static void a_full_arena_is_an_error(void **state)
{
	struct arena *small = arena_create(64);
	struct yaml_documents documents;
	struct error err = {0};

	(void)state;
	assert_non_null(small);
	assert_false(yaml_parse(
		&documents, small, TEXT("a: [b, c, d]\n"), "a", &json_limits_default, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	arena_destroy(&small);
}

static void documents_are_written_in_block_style(void **state)
{
	static const char text[] = "---\n"
				   "object: identity\n"
				   "n: -5\n"
				   "word: \"no\"\n"
				   "number: \"1.5\"\n"
				   "date: 2027-06-30\n"
				   "empty: \"\"\n"
				   "none: null\n"
				   "peers: []\n"
				   "impact: {}\n"
				   "list:\n"
				   "  - a b\n"
				   "  - x: 1\n"
				   "    y:\n"
				   "      - \"- z\"\n"
				   "  -\n"
				   "    - deep\n"
				   "text: |\n"
				   "  one\n"
				   "\n"
				   "    two # not a comment\n"
				   "last: |-\n"
				   "  a\n"
				   "  b\n";
	struct yaml_documents documents = reads(state, text_of(text));
	struct buffer out;

	buffer_init(&out, 10000);
	yaml_format(&out, &documents.items[0]);
	buffer_append_byte(&out, '\0');
	assert_false(buffer_failed(&out));
	assert_string_equal(out.data, text);
	buffer_deinit(&out);
}

#define YAML_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		YAML_TEST(what_hides_meaning_is_refused),
		YAML_TEST(a_name_there_twice_is_refused_where_it_stands),
		YAML_TEST(a_name_that_is_not_text_is_refused),
		YAML_TEST(a_value_left_out_is_refused),
		YAML_TEST(a_document_that_is_not_a_mapping_is_refused),
		YAML_TEST(text_that_is_not_utf8_is_refused),
		YAML_TEST(bad_syntax_names_its_line),
		YAML_TEST(plain_scalars_have_one_meaning),
		YAML_TEST(a_charter_is_read),
		YAML_TEST(documents_and_lines_are_counted),
		YAML_TEST(the_lines_of_a_text_are_found_in_the_file),
		YAML_TEST(limits_hold_at_their_exact_value),
		YAML_TEST(more_documents_than_allowed_are_refused),
		YAML_TEST(a_full_arena_is_an_error),
		YAML_TEST(documents_are_written_in_block_style),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "services/decide/look_alike.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static bool alike(const char *a, const char *b)
{
	static struct name_look looks[2];

	name_look_of(&looks[0], text_of(a));
	name_look_of(&looks[1], text_of(b));
	assert_int_equal(
		name_looks_alike(&looks[0], &looks[1]), name_looks_alike(&looks[1], &looks[0]));
	return name_looks_alike(&looks[0], &looks[1]);
}

static bool is_disguised(const char *name)
{
	static struct name_look look;

	name_look_of(&look, text_of(name));
	return look.is_disguised;
}

static void honest_names_are_told_apart(void **state)
{
	static const char *const pairs[][2] = {{"read_file", "write_file"}, {"get", "put"},
		{"echo", "ecto"}, {"list_v1", "list_v2"}, {"tool0", "tool1"}, {"read", "reads"},
		{"create_entities", "create_relations"}, {"read_file", "read_text_file"},
		{"get-sum", "get-env"}, {"", "a"}, {"", ""}, {"search_nodes", "open_nodes"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (alike(pairs[i][0], pairs[i][1]))
			fail_msg("%s %s", pairs[i][0], pairs[i][1]);
}

static void case_separators_and_figures_do_not_tell_names_apart(void **state)
{
	static const char *const pairs[][2] = {{"read_file", "readFile"},
		{"read_file", "read-file"}, {"read.file", "READ_FILE"}, {"tool", "t001"},
		{"list", "1ist"}, {"list", "LiST"}, {"go", "g0"}, {"mail", "mai1"}, {"ll", "II"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (!alike(pairs[i][0], pairs[i][1]))
			fail_msg("%s %s", pairs[i][0], pairs[i][1]);
}

static void letters_of_other_scripts_are_those_they_look_like(void **state)
{
	static const char *const pairs[][2] = {{"read_file", "re\u0430d_file"},
		{"open", "\u03bfpen"}, {"scope", "\u0455\u0441\u043e\u0440\u0435"},
		{"read", "\uff52\uff45\uff41\uff44"}, {"read", "r\u00e9ad"}, {"read", "re\u200bad"},
		{"read", "\U0001d42b\U0001d41e\U0001d41a\U0001d41d"}, {"read", "rea\u0301d"},
		{"a-b", "a\u2013b"}, {"list", "l\u0131st"}};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		if (!alike(pairs[i][0], pairs[i][1]))
			fail_msg("%s", pairs[i][1]);
}

static void one_letter_does_not_tell_names_of_five_apart(void **state)
{
	(void)state;
	assert_int_equal(LOOK_LETTERS_MIN, 5);
	assert_false(alike("send", "senb"));   /* LOOK_LETTERS_MIN - 1 */
	assert_true(alike("sends", "senbs"));  /* other */
	assert_false(alike("send", "sends"));  /* one of the two is too short */
	assert_true(alike("sends", "sendes")); /* too many */
	assert_true(alike("sendes", "sends")); /* missing */
	assert_false(alike("sends", "snees"));
	assert_true(alike("sends", "sedns")); /* changed places */
	assert_true(alike("sends", "esnds"));
	assert_true(alike("sends", "sensd"));
	assert_true(alike("sends", "xends"));
	assert_true(alike("sends", "sendx"));
	assert_true(alike("sends", "xsends"));
	assert_true(alike("sends", "sendsx"));
	assert_false(alike("sends", "sendsxy"));
	assert_false(alike("sends", "senxy"));
}

static void what_hides_or_mixes_scripts_is_disguised(void **state)
{
	(void)state;
	assert_false(is_disguised("read_file-2.x"));
	assert_false(is_disguised("\u043f\u043e\u0438\u0441\u043a")); /* Russian */
	assert_false(is_disguised("\u691c\u7d22_tool"));              /* Japanese */
	assert_false(is_disguised("caf\u00e9"));
	assert_true(is_disguised("p\u0430y"));
	assert_true(is_disguised("pay\u200b"));
	assert_true(is_disguised("pay\u202e"));
	assert_true(is_disguised("pa\u0301y"));
	assert_true(is_disguised("pay\xff"));
	assert_true(is_disguised("p\uff41y"));
}

static void long_names_are_looked_at_up_to_a_bound(void **state)
{
	static char a[LOOK_BYTES_MAX + 3], b[LOOK_BYTES_MAX + 3];

	(void)state;
	memset(a, 'x', LOOK_BYTES_MAX + 1);
	memset(b, 'x', LOOK_BYTES_MAX + 1);
	for (int at = LOOK_BYTES_MAX - 1; at <= LOOK_BYTES_MAX; at++) {
		a[at] = 'y';
		a[at - 100] = 'z';
		assert_int_equal(alike(a, b), at == LOOK_BYTES_MAX);
		a[at] = a[at - 100] = 'x';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(honest_names_are_told_apart),
		cmocka_unit_test(case_separators_and_figures_do_not_tell_names_apart),
		cmocka_unit_test(letters_of_other_scripts_are_those_they_look_like),
		cmocka_unit_test(one_letter_does_not_tell_names_of_five_apart),
		cmocka_unit_test(what_hides_or_mixes_scripts_is_disguised),
		cmocka_unit_test(long_names_are_looked_at_up_to_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

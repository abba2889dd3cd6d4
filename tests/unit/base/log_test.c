/* Log lines, read back from a pipe. */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"

struct catch
{
	int fds[2];
	char line[LOG_LINE_BYTES_MAX + 1];
};

static int setup(void **state)
{
	struct catch *catch = calloc(1, sizeof *catch);

	assert_non_null(catch);
	assert_int_equal(pipe(catch->fds), 0);
	log_set_fd(catch->fds[1]);
	log_set_level(LEVEL_INFO);
	*state = catch;
	return 0;
}

static int teardown(void **state)
{
	struct catch *catch = *state;

	log_set_fd(STDERR_FILENO);
	close(catch->fds[0]);
	close(catch->fds[1]);
	free(catch);
	return 0;
}

/* What follows the moment, which is checked here. */
static const char *read_line(void **state)
{
	struct catch *catch = *state;
	ssize_t got = read(catch->fds[0], catch->line, sizeof catch->line - 1);
	int64_t utc_ms;

	assert_true(got > 25);
	catch->line[got] = '\0';
	assert_true(time_parse_utc_ms((struct text){catch->line, 24}, &utc_ms));
	assert_true(utc_ms > 0);
	return catch->line + 24;
}

static void a_value_cannot_forge_a_line(void **state)
{
	log_warn("refused", LOG_TEXT("agent", TEXT("x\n2026 error forged a=b")));
	assert_string_equal(
		read_line(state), " warn refused agent=\"x\\x0a2026 error forged a=b\"\n");
	log_warn("refused", LOG_TEXT("agent", TEXT("\x1b[2J\xC2\x9B \"\\\0")));
	assert_string_equal(
		read_line(state), " warn refused agent=\"\\x1b[2J\\xc2\\x9b \\x22\\x5c\\x00\"\n");
}

static bool hides(void *context, struct text value)
{
	return memmem(value.data, value.length, context, strlen(context)) != NULL;
}

static void what_the_filter_hides_is_left_out_whole(void **state)
{
	static char secret[] = "a secret at the end";
	const struct log_filter filter = {secret, hides};
	char value[LOG_VALUE_BYTES_MAX + sizeof secret];

	memset(value, 'x', sizeof value);
	memcpy(value + LOG_VALUE_BYTES_MAX - 5, secret, sizeof secret - 1);
	log_set_filter(&filter);
	log_info("said", LOG_TEXT("line", ((struct text){value, sizeof value})),
		LOG_STRING("other", "a secret"));
	log_set_filter(NULL);
	assert_string_equal(
		read_line(state), " info said line=\"[secret left out]\" other=\"a secret\"\n");
	log_info("said", LOG_STRING("line", secret));
	assert_string_equal(read_line(state), " info said line=\"a secret at the end\"\n");
}

static void fields_follow_the_name(void **state)
{
	log_info("policy_rejected", LOG_STRING("path", "agents.policy"), LOG_NUMBER("line", -7),
		LOG_STRING("empty", ""));
	assert_string_equal(
		read_line(state), " info policy_rejected path=agents.policy line=-7 empty=\"\"\n");
	log_error("stopped");
	assert_string_equal(read_line(state), " error stopped\n");
}

static void events_above_the_level_are_dropped(void **state)
{
	log_debug("not_said");
	log_set_level(LEVEL_ERROR);
	log_warn("not_said");
	log_error("said");
	assert_string_equal(read_line(state), " error said\n");
	log_set_level(LEVEL_DEBUG);
	log_debug("said");
	assert_string_equal(read_line(state), " debug said\n");
}

static void a_long_value_and_a_long_line_are_cut(void **state)
{
	static char many[LOG_LINE_BYTES_MAX];
	struct text value = {many, LOG_VALUE_BYTES_MAX + 1};
	const char *line;
	size_t length;

	memset(many, 'a', sizeof many);
	log_info("long", LOG_TEXT("v", value));
	line = read_line(state);
	length = strlen(line);
	assert_int_equal(length, strlen(" info long v=") + LOG_VALUE_BYTES_MAX + 4);
	assert_string_equal(line + length - 5, "a...\n");
	log_info("long", LOG_TEXT("a", value), LOG_TEXT("b", value), LOG_TEXT("c", value),
		LOG_TEXT("d", value));
	line = read_line(state);
	length = strlen(line);
	assert_int_equal(length, LOG_LINE_BYTES_MAX - 24);
	assert_string_equal(line + length - 5, "a...\n");
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_value_cannot_forge_a_line),
		LOG_TEST(what_the_filter_hides_is_left_out_whole),
		LOG_TEST(fields_follow_the_name),
		LOG_TEST(events_above_the_level_are_dropped),
		LOG_TEST(a_long_value_and_a_long_line_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Server-sent events: what comes in, in any cut, and what goes out. */
#include "wire/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENT_BYTES_MAX = 64 };

struct seen {
	char log[4096]; /* "name|id|data|retry;" of each event */
	int count;
	int refuse_from; /* 0: never */
};

static bool note(void *context, const struct sse_event *event)
{
	struct seen *seen = context;
	size_t used = strlen(seen->log);

	(void)snprintf(seen->log + used, sizeof seen->log - used, "%.*s|%.*s|%.*s|%d;",
		TEXT_ARGS(event->name), TEXT_ARGS(event->id), TEXT_ARGS(event->data),
		(int)event->retry_ms);
	seen->count++;
	return seen->refuse_from == 0 || seen->count < seen->refuse_from;
}

/* Feeds the text in pieces of step bytes. */
static bool feed(struct seen *seen, struct text t, size_t step, struct error *err)
{
	struct sse_parser *parser;
	struct error after;
	bool ok = true;
	size_t i;

	assert_true(sse_parser_create(&parser, EVENT_BYTES_MAX, note, seen, err));
	for (i = 0; ok && i < t.length; i += step) {
		struct text piece = {t.data + i, t.length - i < step ? t.length - i : step};

		ok = sse_parser_feed(parser, piece, err);
	}
	if (!ok)
		assert_false(sse_parser_feed(parser, TEXT("data: x\n\n"), &after));
	sse_parser_destroy(&parser);
	assert_null(parser);
	return ok;
}

static void assert_seen(struct text t, const char *expected)
{
	size_t step;

	for (step = 1; step <= t.length; step++) {
		struct seen seen = {0};
		struct error err = {0};

		assert_true(feed(&seen, t, step, &err));
		assert_string_equal(seen.log, expected);
	}
}

static void an_event_longer_than_its_bound_is_refused(void **state)
{
	char text[200];
	size_t length;

	(void)state;
	for (length = EVENT_BYTES_MAX - 7; length <= EVENT_BYTES_MAX - 5; length++) {
		struct seen seen = {0};
		struct error err = {0};

		(void)snprintf(text, sizeof text, "data: %0*d\n\n", (int)length, 1);
		assert_int_equal(feed(&seen, text_of(text), 10, &err),
			length + strlen("data: ") <= EVENT_BYTES_MAX);
		if (seen.count == 0)
			assert_int_equal(err.code, ERROR_LIMIT);
	}
}

static void many_lines_of_one_event_share_one_bound(void **state)
{
	struct seen seen = {0};
	struct error err = {0};

	(void)state;
	assert_false(feed(&seen,
		TEXT("data: 12345678901234567890123456789012\n"
		     "data: 12345678901234567890123456789012\n\n"),
		7, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(seen.count, 0);
}

static void a_nul_and_bad_utf8_are_refused(void **state)
{
	struct seen seen = {0};
	struct error err = {0};

	(void)state;
	assert_false(feed(&seen, TEXT("data: a\0b\n\n"), 99, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(feed(&seen, TEXT("data: a\xff\n\n"), 99, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_int_equal(seen.count, 0);
}

static void a_refusal_by_the_reader_ends_the_stream(void **state)
{
	struct seen seen = {.refuse_from = 2};
	struct error err = {0};

	(void)state;
	assert_false(feed(&seen, TEXT("data: 1\n\ndata: 2\n\ndata: 3\n\n"), 99, &err));
	assert_string_equal(seen.log, "||1|-1;||2|-1;");
}

static void events_are_the_same_however_they_are_cut(void **state)
{
	(void)state;
	assert_seen(TEXT("\xef\xbb\xbf"
			 "event: message\nid: 7\ndata: {\"a\":1}\n\n: ping\n\ndata:x\ndata: y\n\n"),
		"message|7|{\"a\":1}|-1;||x\ny|-1;");
	assert_seen(TEXT("data: a\r\n\r\ndata: b\r\rdata: c\n\n"), "||a|-1;||b|-1;||c|-1;");
	assert_seen(TEXT("retry: 10\n\nretry: x\n\nretry: -1\n\ndata\n\ndata:\n\n"),
		"|||10;|||-1;|||-1;");
	assert_seen(TEXT("event: lonely\n\nunknown: x\n\ndata: not ended\n"), "");
}

static void what_is_formatted_is_read_back(void **state)
{
	const struct sse_event event = {.name = TEXT("n"),
		.id = TEXT("42"),
		.data = TEXT("one\ntwo\r\n\nthree\r"),
		.retry_ms = 5};
	struct buffer out;

	(void)state;
	buffer_init(&out, 1000);
	sse_format_comment(&out, "hello");
	sse_format(&out, &event);
	assert_seen(buffer_text(&out), "n|42|one\ntwo\n\nthree\n|5;");
	buffer_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_longer_than_its_bound_is_refused),
		cmocka_unit_test(many_lines_of_one_event_share_one_bound),
		cmocka_unit_test(a_nul_and_bad_utf8_are_refused),
		cmocka_unit_test(a_refusal_by_the_reader_ends_the_stream),
		cmocka_unit_test(events_are_the_same_however_they_are_cut),
		cmocka_unit_test(what_is_formatted_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

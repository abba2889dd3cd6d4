#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/generation/events.h"

/* All of the stream in pieces of that size; what comes out, one event after the other. */
static void cut(const char *stream, size_t piece, char *out, size_t size)
{
	struct generation_events events;
	struct generation_event event;
	struct error err;
	size_t used = 0;

	out[0] = '\0';
	generation_events_init(&events);
	for (size_t at = 0; at < strlen(stream); at += piece) {
		size_t left = strlen(stream) - at;
		struct text chunk = {stream + at, left < piece ? left : piece};

		assert_true(generation_events_put(&events, chunk, &err));
		while (generation_events_next(&events, &event, &err))
			used += (size_t)snprintf(out + used, size - used, "[%.*s|%.*s|%.*s]",
				TEXT_ARGS(event.raw), TEXT_ARGS(event.name), TEXT_ARGS(event.data));
		assert_int_equal(err.code, ERROR_NONE);
	}
	(void)snprintf(out + used, size - used, "+%zu", generation_events_pending(&events));
	generation_events_deinit(&events);
}

static void an_event_comes_with_its_own_bytes_however_they_are_cut(void **state)
{
	static const struct {
		const char *stream;
		const char *events;
	} cases[] = {
		{"data: a\n\ndata:b\n\n", "[data: a\n\n||a][data:b\n\n||b]+0"},
		{"event: x\r\ndata: a\r\ndata: b\r\n\r\n: c\r\n\r\n",
			"[event: x\r\ndata: a\r\ndata: b\r\n\r\n|x|a\nb][: c\r\n\r\n||]+0"},
		{"data: a\r\rdata\r\rd", "[data: a\r\r||a][data\r\r||]+1"},
		{"\ndata: a\n\nda", "[\n||][data: a\n\n||a]+2"},
		{"id: 7\nretry: 9\ndata:  b\n\n", "[id: 7\nretry: 9\ndata:  b\n\n|| b]+0"},
		{"", "+0"},
	};
	char out[512];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t piece = 1; piece < 40; piece++) {
			cut(cases[i].stream, piece, out, sizeof out);
			assert_string_equal(out, cases[i].events);
		}
}

/* Clients that take a byte order mark off each line would see an event there. */
static void a_line_that_is_no_field_is_refused(void **state)
{
	static const char *const wrong[] = {"\xEF\xBB\xBF"
					    "data: {}\n\n",
		"datax: a\n\n", " data: a\n\n",
		"data: a\n\xEF\xBB\xBF"
		"data: b\n\n"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct generation_events events;
		struct generation_event event;
		struct error err;

		generation_events_init(&events);
		assert_true(generation_events_put(&events, text_of(wrong[i]), &err));
		assert_false(generation_events_next(&events, &event, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		generation_events_deinit(&events);
	}
}

static void data_that_is_empty_is_not_data_that_is_absent(void **state)
{
	struct generation_events events;
	struct generation_event event;
	struct error err;

	(void)state;
	generation_events_init(&events);
	assert_true(generation_events_put(&events, TEXT("data:\n\n: x\n\n"), &err));
	assert_true(generation_events_next(&events, &event, &err));
	assert_non_null(event.data.data);
	assert_int_equal(event.data.length, 0);
	assert_true(generation_events_next(&events, &event, &err));
	assert_null(event.data.data);
	generation_events_deinit(&events);
}

/* Feeds one event of so many bytes; what next says of it. */
static enum error_code event_of(size_t size)
{
	struct generation_events events;
	struct generation_event event;
	char *bytes = calloc(1, size);
	struct error err = {0};
	enum error_code code;

	memset(bytes, 'x', size);
	memcpy(bytes, "data: ", 6);
	bytes[size - 1] = '\n';
	bytes[size - 2] = '\n';
	generation_events_init(&events);
	assert_true(generation_events_put(&events, (struct text){bytes, size}, &err));
	if (generation_events_next(&events, &event, &err))
		assert_int_equal(event.raw.length, size);
	code = err.code;
	generation_events_deinit(&events);
	free(bytes);
	return code;
}

static void an_event_is_so_large_at_most(void **state)
{
	(void)state;
	assert_int_equal(event_of(GENERATION_EVENT_BYTES_MAX), ERROR_NONE);
	assert_int_equal(event_of(GENERATION_EVENT_BYTES_MAX + 1), ERROR_LIMIT);
}

static void one_that_does_not_end_is_refused_before_it_fills_memory(void **state)
{
	static char chunk[64 * 1024];
	struct generation_events events;
	struct generation_event event;
	struct error err = {0};
	size_t fed = 0;

	(void)state;
	memset(chunk, 'x', sizeof chunk);
	generation_events_init(&events);
	do {
		assert_true(
			generation_events_put(&events, (struct text){chunk, sizeof chunk}, &err));
		fed += sizeof chunk;
		assert_false(generation_events_next(&events, &event, &err));
	} while (err.code == ERROR_NONE);
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_true(fed <= GENERATION_EVENT_BYTES_MAX + sizeof chunk);
	generation_events_deinit(&events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_comes_with_its_own_bytes_however_they_are_cut),
		cmocka_unit_test(a_line_that_is_no_field_is_refused),
		cmocka_unit_test(data_that_is_empty_is_not_data_that_is_absent),
		cmocka_unit_test(an_event_is_so_large_at_most),
		cmocka_unit_test(one_that_does_not_end_is_refused_before_it_fills_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

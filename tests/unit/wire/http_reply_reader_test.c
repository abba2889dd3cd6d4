/* The reader of HTTP answers: what is no answer, where an answer ends, and that
 * cutting the bytes otherwise changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "wire/http_reply_reader.h"

enum { SEEN_BYTES = 64 * 1024 };

/* What came of one run: "200 body|rest" or "bad". */
static void read_in_steps(
	struct http_reply_reader *reader, struct text bytes, size_t step, char seen[SEEN_BYTES])
{
	size_t used = 0, at = 0;

	http_reply_reader_start(reader, false);
	seen[0] = '\0';
	while (at < bytes.length) {
		size_t left = bytes.length - at;
		struct text part = {bytes.data + at, left < step ? left : step}, chunk;
		enum http_read read;

		at += part.length;
		while ((read = http_reply_read(reader, &part, &chunk)) != HTTP_READ_MORE) {
			if (read == HTTP_READ_HEAD)
				used += (size_t)snprintf(
					seen + used, SEEN_BYTES - used, "%u ", reader->status);
			else if (read == HTTP_READ_BODY)
				used += (size_t)snprintf(
					seen + used, SEEN_BYTES - used, "%.*s", TEXT_ARGS(chunk));
			else if (read == HTTP_READ_BAD) {
				assert_non_null(reader->fault);
				(void)snprintf(seen, SEEN_BYTES, "bad");
				return;
			} else {
				(void)snprintf(seen + used, SEEN_BYTES - used, "|%.*s",
					(int)(bytes.length - at + part.length),
					bytes.data + at - part.length);
				return;
			}
		}
	}
}

static void reads_as(const char *bytes, const char *expected)
{
	static char seen[SEEN_BYTES];
	struct http_reply_reader reader;
	size_t step;

	http_reply_reader_init(&reader);
	for (step = 1; step <= strlen(bytes); step++) {
		read_in_steps(&reader, text_of(bytes), step, seen);
		if (strcmp(seen, expected) != 0)
			fail_msg("in steps of %zu: \"%s\" is not \"%s\"", step, seen, expected);
	}
	http_reply_reader_deinit(&reader);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const bad[] = {
		"HTTP/2 200 OK\r\n\r\n",
		"HTTP/1.1 20 OK\r\n\r\n",
		"HTTP/1.1 2000\r\n\r\n",
		"HTTP/1.1 999 OK\r\n\r\n",
		"HTTP/1.1200 OK\r\n\r\n",
		"ICY 200 OK\r\n\r\n\r\n",
		"HTTP/1.1 200 OK\r\nNo colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA : blank before the colon\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: 1\r\n folded: 2\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: \x01\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: 1\nB: 2\r\n\r\n",
		"HTTP/1.1 101 Switching\r\n\r\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		reads_as(bad[i], "bad");
}

static void a_frame_that_can_be_read_two_ways_is_refused(void **state)
{
	static const char *const fields[] = {
		"Content-Length: 1\r\nContent-Length: 1\r\n",
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: gzip, chunked\r\n",
		"Transfer-Encoding: identity\r\n",
		"Content-Length: 1, 1\r\n",
		"Content-Length: +1\r\n",
		"Content-Length: -1\r\n",
		"Content-Length: 0x1\r\n",
		"Content-Length:\r\n",
		"Content-Length: 1234567890123456789\r\n",
	};
	char bytes[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		(void)snprintf(bytes, sizeof bytes, "HTTP/1.1 200 OK\r\n%s\r\nx", fields[i]);
		reads_as(bytes, "bad");
	}
	reads_as("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "bad");
}

static void malformed_chunks_are_refused(void **state)
{
	static const char *const chunks[] = {"\r\n", "g\r\n", "-1\r\n", "1\nx", "1\r\nxy\r\n",
		"1 x\n", "1234567890123456\r\n", "1\r\nx\n"};
	char bytes[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
		(void)snprintf(bytes, sizeof bytes,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s", chunks[i]);
		reads_as(bytes, "bad");
	}
}

static void an_answer_ends_where_it_says(void **state)
{
	(void)state;
	reads_as("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcX", "200 abc|X");
	reads_as("HTTP/1.1 200 \r\ncontent-length:  0 \r\n\r\nX", "200 |X");
	reads_as("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nX", "204 |X");
	reads_as("HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n1\r\nd\r\n"
		 "0\r\nTrailer: x\r\n\r\nX",
		"200 abcd|X");
	reads_as("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
		 "HTTP/1.1 201 Made\r\nContent-Length: 1\r\n\r\na",
		"201 a|");
	reads_as("HTTP/1.1 200 OK\r\n\r\nto the close", "200 to the close");
}

static enum http_read read_all(struct http_reply_reader *reader, const char *bytes)
{
	struct text rest = text_of(bytes), chunk;
	enum http_read read = HTTP_READ_MORE;

	while (rest.length > 0 || read == HTTP_READ_HEAD) {
		read = http_reply_read(reader, &rest, &chunk);
		if (read != HTTP_READ_HEAD && read != HTTP_READ_BODY)
			break;
	}
	return read;
}

static void the_bounds_of_a_head_hold(void **state)
{
	static char bytes[HTTP_REPLY_HEAD_BYTES_MAX + 16];
	struct http_reply_reader reader;
	static const char start[] = "HTTP/1.1 200 OK\r\nA: ";

	(void)state;
	http_reply_reader_init(&reader);
	memset(bytes, 'a', sizeof bytes - 1);
	memcpy(bytes, start, sizeof start - 1);
	memcpy(bytes + HTTP_REPLY_HEAD_BYTES_MAX - 4, "\r\n\r\n", 5);
	http_reply_reader_start(&reader, true);
	assert_int_equal(read_all(&reader, bytes), HTTP_READ_DONE);
	memset(bytes + HTTP_REPLY_HEAD_BYTES_MAX - 4, 'a', 8);
	memcpy(bytes + HTTP_REPLY_HEAD_BYTES_MAX - 3, "\r\n\r\n", 5);
	http_reply_reader_start(&reader, true);
	assert_int_equal(read_all(&reader, bytes), HTTP_READ_BAD);
	http_reply_reader_deinit(&reader);
}

static void the_bounds_of_a_count_hold(void **state)
{
	static char bytes[HTTP_REPLY_HEAD_BYTES_MAX];
	struct http_reply_reader reader;
	int extra, i;

	(void)state;
	http_reply_reader_init(&reader);
	for (extra = 0; extra <= 1; extra++) {
		(void)snprintf(bytes, sizeof bytes, "HTTP/1.1 204 No\r\n");
		for (i = 0; i < HTTP_REPLY_FIELDS_MAX + extra; i++)
			memcpy(bytes + strlen(bytes), "A: 1\r\n", 7);
		memcpy(bytes + strlen(bytes), "\r\n", 3);
		http_reply_reader_start(&reader, false);
		assert_int_equal(
			read_all(&reader, bytes), extra == 0 ? HTTP_READ_DONE : HTTP_READ_BAD);
		bytes[0] = '\0';
		for (i = 0; i < HTTP_REPLY_INTERIM_MAX + extra; i++)
			memcpy(bytes + strlen(bytes), "HTTP/1.1 100 C\r\n\r\n", 19);
		memcpy(bytes + strlen(bytes), "HTTP/1.1 204 No\r\n\r\n", 20);
		http_reply_reader_start(&reader, false);
		assert_int_equal(
			read_all(&reader, bytes), extra == 0 ? HTTP_READ_DONE : HTTP_READ_BAD);
	}
	http_reply_reader_deinit(&reader);
}

static void what_the_connection_may_do_next_is_said(void **state)
{
	struct http_reply_reader reader;

	(void)state;
	http_reply_reader_init(&reader);
	http_reply_reader_start(&reader, false);
	(void)read_all(&reader,
		"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=9\r\nContent-Length: 0\r\n\r\n");
	assert_true(reader.is_kept_alive);
	assert_int_equal(reader.keep_alive_s, 5);
	assert_true(text_is(http_reply_field(&reader, "keep-alive"), "timeout=5, max=9"));
	assert_int_equal(http_reply_field(&reader, "keep").length, 0);
	http_reply_reader_start(&reader, false);
	(void)read_all(
		&reader, "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n");
	assert_false(reader.is_kept_alive);
	assert_int_equal(reader.keep_alive_s, -1);
	http_reply_reader_start(&reader, false);
	(void)read_all(&reader, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
	assert_false(reader.is_kept_alive);
	http_reply_reader_start(&reader, false);
	(void)read_all(&reader, "HTTP/1.1 200 OK\r\n\r\nx");
	assert_false(reader.is_kept_alive);
	assert_true(http_reply_ends_at_close(&reader));
	http_reply_reader_start(&reader, false);
	(void)read_all(&reader, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx");
	assert_false(http_reply_ends_at_close(&reader));
	http_reply_reader_deinit(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(a_frame_that_can_be_read_two_ways_is_refused),
		cmocka_unit_test(malformed_chunks_are_refused),
		cmocka_unit_test(an_answer_ends_where_it_says),
		cmocka_unit_test(the_bounds_of_a_head_hold),
		cmocka_unit_test(the_bounds_of_a_count_hold),
		cmocka_unit_test(what_the_connection_may_do_next_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Keys by HTTP and from files: what is not followed, not read, not waited for. */
#include "../../wire/talk.h"

#include <sys/stat.h>

#include "edges/key_fetch/key_fetch.h"
#include "wire/http_server.h"

enum { BODY_BYTES_MAX = 1000, DEADLINE_MS = 300 };

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct http_server *server;
	struct key_fetcher *fetcher;
	struct trust_fetcher port;
	struct trust_fetch fetch;
	char url[128];
	char folder[64];
	char path[96];
	unsigned asked;
	/* The answer. */
	bool is_done;
	unsigned done_count;
	char body[BODY_BYTES_MAX + 1];
	int64_t fresh_s;
	struct error err;
};

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	struct text path = http_exchange_request(exchange)->path;
	static char large[BODY_BYTES_MAX + 2];
	struct http_response response = {.status = 200, .body = TEXT("{}")};
	struct http_header header = {"Cache-Control", NULL};

	bench->asked++;
	memset(large, 'x', sizeof large);
	if (text_is(path, "/hangs"))
		return;
	if (text_is(path, "/away")) {
		response.status = 302;
		header = (struct http_header){"Location", "/keys"};
	} else if (text_is(path, "/down"))
		response.status = 500;
	else if (text_is(path, "/most"))
		response.body = (struct text){large, BODY_BYTES_MAX};
	else if (text_is(path, "/more"))
		response.body = (struct text){large, BODY_BYTES_MAX + 1};
	else if (text_is(path, "/age"))
		header.value = "public, max-age=321, must-revalidate";
	else if (text_is(path, "/ages"))
		header.value = "max-age=99999999999999999999999";
	else if (text_is(path, "/nostore"))
		header.value = "no-store, max-age=60";
	response.headers = &header;
	response.header_count = header.value != NULL;
	http_respond(exchange, &response);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	memcpy(bench->folder, "/tmp/key-fetch-test-XXXXXX", 27);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(bench->path, sizeof bench->path, "%s/keys", bench->folder);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	assert_true(key_fetcher_create(&bench->fetcher, bench->loop, bench->client, &err));
	bench->port = key_fetcher_port(bench->fetcher);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	key_fetcher_destroy(&bench->fetcher);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	(void)unlink(bench->path);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

static void on_done(struct trust_fetch *fetch, const struct trust_answer *answer)
{
	struct bench *bench = fetch->context;

	bench->is_done = true;
	bench->done_count++;
	bench->err = answer->err;
	bench->fresh_s = answer->fresh_s;
	(void)snprintf(bench->body, sizeof bench->body, "%.*s", TEXT_ARGS(answer->body));
}

static bool begin(struct bench *bench, struct trust_question question)
{
	struct error err = {0};

	question.bytes_max = BODY_BYTES_MAX;
	question.deadline_ms = DEADLINE_MS;
	bench->is_done = false;
	bench->done_count = 0;
	bench->fetch = (struct trust_fetch){.done = on_done, .context = bench};
	if (!bench->port.begin(bench->port.context, &question, &bench->fetch, &err))
		return false;
	assert_int_equal(bench->done_count, 0); /* nothing runs before it returns */
	return true;
}

static enum error_code get(struct bench *bench, const char *path)
{
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u%s",
		http_server_port(bench->server), path);
	assert_true(begin(bench,
		(struct trust_question){.url = bench->url, .private_addresses = ISSUER_ALLOWED}));
	talk_run_until(bench->loop, &bench->is_done);
	return bench->err.code;
}

static void an_answer_that_is_no_key_set_is_a_failure(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(get(bench, "/away"), ERROR_INVALID);
	assert_int_equal(bench->asked, 1); /* not followed */
	assert_int_equal(get(bench, "/down"), ERROR_IO);
	assert_int_equal(get(bench, "/hangs"), ERROR_TIMEOUT);
	assert_int_equal(get(bench, "/more"), ERROR_LIMIT);
	assert_int_equal(get(bench, "/most"), ERROR_NONE);
	assert_int_equal(strlen(bench->body), BODY_BYTES_MAX);
}

static void a_place_inside_is_not_asked_without_leave(void **state)
{
	struct bench *bench = *state;

	(void)snprintf(bench->url, sizeof bench->url, "http://localhost:%u/keys",
		http_server_port(bench->server));
	assert_true(begin(bench, (struct trust_question){.url = bench->url}));
	talk_run_until(bench->loop, &bench->is_done);
	assert_int_equal(bench->err.code, ERROR_INVALID);
	assert_int_equal(bench->asked, 0);
}

static void how_long_it_holds_is_what_it_says(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(get(bench, "/keys"), ERROR_NONE);
	assert_int_equal(bench->fresh_s, -1);
	assert_string_equal(bench->body, "{}");
	assert_int_equal(get(bench, "/age"), ERROR_NONE);
	assert_int_equal(bench->fresh_s, 321);
	assert_int_equal(get(bench, "/nostore"), ERROR_NONE);
	assert_int_equal(bench->fresh_s, 0);
	assert_int_equal(get(bench, "/ages"), ERROR_NONE);
	assert_true(bench->fresh_s > 86400);
}

static void write_file(struct bench *bench, size_t size, mode_t mode)
{
	FILE *file = fopen(bench->path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < size; i++)
		(void)fputc('y', file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(bench->path, mode), 0);
}

static enum error_code read_it(struct bench *bench, const char *path)
{
	assert_true(begin(bench, (struct trust_question){.path = path}));
	talk_run_until(bench->loop, &bench->is_done);
	return bench->err.code;
}

static void a_file_that_others_may_write_is_believed_by_nobody(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(read_it(bench, bench->path), ERROR_IO);
	assert_int_equal(read_it(bench, bench->folder), ERROR_INVALID);
	assert_int_equal(read_it(bench, "/dev/null"), ERROR_INVALID);
	write_file(bench, 3, 0664);
	assert_int_equal(read_it(bench, bench->path), ERROR_INVALID);
	write_file(bench, 3, 0646);
	assert_int_equal(read_it(bench, bench->path), ERROR_INVALID);
	write_file(bench, 3, 0644);
	assert_int_equal(read_it(bench, bench->path), ERROR_NONE);
	assert_string_equal(bench->body, "yyy");
	write_file(bench, BODY_BYTES_MAX, 0600);
	assert_int_equal(read_it(bench, bench->path), ERROR_NONE);
	write_file(bench, BODY_BYTES_MAX + 1, 0600);
	assert_int_equal(read_it(bench, bench->path), ERROR_LIMIT);
}

static void what_was_cancelled_says_nothing_more(void **state)
{
	struct bench *bench = *state;

	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/hangs",
		http_server_port(bench->server));
	assert_true(begin(bench,
		(struct trust_question){.url = bench->url, .private_addresses = ISSUER_ALLOWED}));
	bench->port.cancel(bench->port.context, &bench->fetch);
	write_file(bench, 3, 0600);
	assert_true(begin(bench, (struct trust_question){.path = bench->path}));
	bench->port.cancel(bench->port.context, &bench->fetch);
	/* What comes after is heard, alone. */
	assert_int_equal(read_it(bench, bench->path), ERROR_NONE);
	assert_int_equal(bench->done_count, 1);
	/* And what is under way at the end goes with it. */
	assert_true(begin(bench,
		(struct trust_question){.url = bench->url, .private_addresses = ISSUER_ALLOWED}));
}

static void a_url_that_is_none_is_refused_at_once(void **state)
{
	struct bench *bench = *state;

	assert_false(begin(bench, (struct trust_question){.url = "https://a\r\nb",
					  .private_addresses = ISSUER_ALLOWED}));
	assert_null(bench->fetch.edge);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_that_is_no_key_set_is_a_failure),
		TEST(a_place_inside_is_not_asked_without_leave),
		TEST(how_long_it_holds_is_what_it_says),
		TEST(a_file_that_others_may_write_is_believed_by_nobody),
		TEST(what_was_cancelled_says_nothing_more),
		TEST(a_url_that_is_none_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

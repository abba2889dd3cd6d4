/* Notices to an address of the operator's: signed, tried again, given up and said so. */
#include "../../wire/talk.h"

#include <sys/stat.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "edges/webhook/webhook.h"
#include "wire/http_server.h"

enum { GOT_MAX = 64, SECONDS = 1800000000 };

struct got {
	char id[WEBHOOK_ID_BYTES_MAX + 1];
	char stamp[32];
	char signature[96];
	char body[4096];
};

struct bench {
	struct loop *loop;
	struct http_client *client;
	struct http_server *server;
	struct secrets *secrets;
	struct webhook *webhook;
	struct webhook_settings settings;
	struct arena *arena;
	char url[64];
	char folder[64];
	struct got got[GOT_MAX];
	unsigned count;
	unsigned refusals; /* answers of 500 before the first 200 */
	unsigned wanted;   /* requests until the loop may stop */
	bool is_there;
	unsigned lost;
	char lost_why[128];
	char lost_subject[64];
	unsigned lost_tries;
};

static void keep(char *out, size_t size, struct text from)
{
	(void)snprintf(out, size, "%.*s", TEXT_ARGS(from));
}

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct got *got = &bench->got[bench->count % GOT_MAX];

	keep(got->id, sizeof got->id, http_header_find(exchange, "webhook-id"));
	keep(got->stamp, sizeof got->stamp, http_header_find(exchange, "webhook-timestamp"));
	keep(got->signature, sizeof got->signature,
		http_header_find(exchange, "webhook-signature"));
	keep(got->body, sizeof got->body, request->body);
	bench->count++;
	http_respond(exchange,
		&(struct http_response){.status = bench->count <= bench->refusals ? 500 : 204});
	bench->is_there = bench->count >= bench->wanted;
}

static int64_t utc_ms(void *context)
{
	(void)context;
	return (int64_t)SECONDS * 1000;
}

static void on_lost(void *context, const struct webhook_letter *letter)
{
	struct bench *bench = context;

	bench->lost++;
	bench->lost_tries = letter->tries;
	(void)snprintf(bench->lost_why, sizeof bench->lost_why, "%s", letter->why);
	keep(bench->lost_subject, sizeof bench->lost_subject, letter->subject);
	bench->is_there = true;
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct seal_key key = {{1}};
	char inside[96];
	struct error err;

	assert_non_null(bench);
	bench->arena = arena_create((size_t)1 << 22);
	memcpy(bench->folder, "/tmp/webhook-test-XXXXXX", 25);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(inside, sizeof inside, "%s/secrets", bench->folder);
	assert_true(secrets_open(&bench->secrets, inside, &key, &err));
	assert_true(secrets_set(bench->secrets, TEXT("hook"), TEXT("shared-key"), &err));
	assert_true(loop_create(&bench->loop, &err));
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/hook",
		http_server_port(bench->server));
	bench->settings = (struct webhook_settings){.loop = bench->loop,
		.http = bench->client,
		.url = bench->url,
		.secrets = bench->secrets,
		.secret = TEXT("hook"),
		.retry_ms = 1,
		.context = bench,
		.utc_ms = utc_ms,
		.on_lost = on_lost};
	assert_true(webhook_create(&bench->webhook, &bench->settings, &err));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char inside[96];
	struct error err;

	webhook_destroy(&bench->webhook);
	assert_null(bench->webhook);
	webhook_destroy(&bench->webhook);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	if (!secrets_remove(bench->secrets, TEXT("hook"), &err))
		assert_int_equal(err.code, ERROR_NOT_FOUND); /* a test took it */
	secrets_close(&bench->secrets);
	(void)snprintf(inside, sizeof inside, "%s/secrets", bench->folder);
	assert_int_equal(rmdir(inside), 0);
	assert_int_equal(rmdir(bench->folder), 0);
	arena_destroy(&bench->arena);
	free(bench);
	return 0;
}

static void put(struct bench *bench, const char *id, const char *body)
{
	struct webhook_notice notice = {
		.id = text_of(id), .event = TEXT("approval.asked"), .subject = TEXT("a-1")};
	struct error err;

	assert_true(
		json_parse(&notice.body, bench->arena, text_of(body), &json_limits_default, &err));
	(void)webhook_put(bench->webhook, &notice);
}

static void wait_for(struct bench *bench, unsigned requests)
{
	bench->wanted = requests;
	bench->is_there = bench->count >= requests;
	talk_run_until(bench->loop, &bench->is_there);
}

/* The answer to the last request is on its way to the client. */
static void settle(struct bench *bench, uint64_t delivered)
{
	for (int i = 0; i < 1000 && webhook_status(bench->webhook).delivered < delivered; i++) {
		bool now = true;

		talk_run_until(bench->loop, &now);
	}
	assert_int_equal(webhook_status(bench->webhook).delivered, delivered);
}

static void a_notice_is_signed_over_its_id_time_and_body(void **state)
{
	struct bench *bench = *state;
	struct buffer message, expected;
	struct sha256 mac;

	put(bench, "a-1.asked", "{\"approval\":\"a-1\",\"tool\":\"files/write\"}");
	assert_int_equal(bench->count, 0); /* never from within */
	wait_for(bench, 1);
	assert_string_equal(bench->got[0].body, "{\"approval\":\"a-1\",\"at\":1800000000000,"
						"\"event\":\"approval.asked\",\"id\":\"a-1."
						"asked\",\"tool\":\"files/write\"}");
	assert_string_equal(bench->got[0].id, "a-1.asked");
	assert_string_equal(bench->got[0].stamp, "1800000000");
	buffer_init(&message, 8192);
	buffer_init(&expected, 128);
	buffer_append_format(&message, "a-1.asked.1800000000.%s", bench->got[0].body);
	mac = hmac_sha256((const uint8_t *)"shared-key", 10, message.data, message.length);
	buffer_append_string(&expected, "v1,");
	base64_append(&expected, mac.bytes, sizeof mac.bytes);
	assert_true(text_is(buffer_text(&expected), bench->got[0].signature));
	buffer_deinit(&message);
	buffer_deinit(&expected);
	settle(bench, 1);
	assert_int_equal(webhook_status(bench->webhook).queued, 0);
}

static void what_failed_is_tried_again_under_the_same_id(void **state)
{
	struct bench *bench = *state;

	bench->refusals = 3;
	put(bench, "a-1.asked", "{}");
	wait_for(bench, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(bench->got[i].id, "a-1.asked");
	settle(bench, 1);
	assert_int_equal(webhook_status(bench->webhook).retried, 3);
	assert_int_equal(bench->lost, 0);
}

static void what_fails_for_good_is_given_up_and_said(void **state)
{
	struct bench *bench = *state;

	bench->refusals = 1000;
	bench->wanted = 1000;
	put(bench, "a-1.asked", "{}");
	talk_run_until(bench->loop, &bench->is_there);
	assert_int_equal(bench->count, WEBHOOK_TRIES_MAX);
	assert_int_equal(bench->lost, 1);
	assert_int_equal(bench->lost_tries, WEBHOOK_TRIES_MAX);
	assert_string_equal(bench->lost_subject, "a-1");
	assert_string_equal(bench->lost_why, "it answered HTTP 500");
	assert_int_equal(webhook_status(bench->webhook).queued, 0);
	/* The next one has its own tries. */
	bench->refusals = 0;
	bench->is_there = false;
	put(bench, "a-2.asked", "{}");
	wait_for(bench, WEBHOOK_TRIES_MAX + 1);
	settle(bench, 1);
}

static void a_receiver_that_is_not_there_is_given_up(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	put(bench, "a-1.asked", "{}");
	talk_run_until(bench->loop, &bench->is_there);
	assert_int_equal(bench->lost, 1);
	assert_string_equal(bench->lost_why, "no answer came");
}

static void without_its_secret_nothing_leaves(void **state)
{
	struct bench *bench = *state;
	struct webhook *another;
	struct error err;

	assert_true(secrets_remove(bench->secrets, TEXT("hook"), &err));
	put(bench, "a-1.asked", "{}");
	talk_run_until(bench->loop, &bench->is_there);
	assert_int_equal(bench->count, 0);
	assert_int_equal(bench->lost, 1);
	assert_string_equal(bench->lost_why, "its secret cannot be had");
	assert_false(webhook_create(&another, &bench->settings, &err));
	assert_null(another);
}

static void the_queue_is_bounded_and_says_what_it_drops(void **state)
{
	struct bench *bench = *state;
	char id[32];

	bench->wanted = 1000000;
	for (int i = 0; i < WEBHOOK_QUEUE_MAX; i++) {
		(void)snprintf(id, sizeof id, "a-%d.asked", i);
		put(bench, id, "{}");
	}
	assert_int_equal(webhook_status(bench->webhook).queued, WEBHOOK_QUEUE_MAX);
	assert_int_equal(bench->lost, 0);
	put(bench, "a-more.asked", "{}");
	assert_int_equal(bench->lost, 1);
	assert_int_equal(webhook_status(bench->webhook).queued, WEBHOOK_QUEUE_MAX);
	assert_string_equal(bench->lost_why, "too many others wait");
}

static void what_is_minor_leaves_half_of_the_queue_to_others(void **state)
{
	struct bench *bench = *state;
	const struct webhook_notice minor = {.id = TEXT("f-1.opened"),
		.event = TEXT("finding.opened"),
		.subject = TEXT("f-1"),
		.body = {.type = JSON_OBJECT},
		.is_minor = true};
	char id[32];

	bench->wanted = 1000000;
	for (int i = 0; i < WEBHOOK_QUEUE_MAX / 2 - 1; i++) {
		(void)snprintf(id, sizeof id, "a-%d.asked", i);
		put(bench, id, "{}");
	}
	assert_true(webhook_put(bench->webhook, &minor));
	assert_int_equal(webhook_status(bench->webhook).queued, WEBHOOK_QUEUE_MAX / 2);
	assert_false(webhook_put(bench->webhook, &minor));
	assert_int_equal(webhook_status(bench->webhook).queued, WEBHOOK_QUEUE_MAX / 2);
	put(bench, "a-more.asked", "{}");
	assert_int_equal(webhook_status(bench->webhook).queued, WEBHOOK_QUEUE_MAX / 2 + 1);
	assert_int_equal(bench->lost, 0);
}

static void what_is_not_minor_goes_first(void **state)
{
	struct bench *bench = *state;
	struct webhook_notice minor = {.id = TEXT("f-1.opened"),
		.event = TEXT("finding.opened"),
		.subject = TEXT("f-1"),
		.body = {.type = JSON_OBJECT},
		.is_minor = true};

	assert_true(webhook_put(bench->webhook, &minor));
	minor.id = TEXT("f-2.opened");
	assert_true(webhook_put(bench->webhook, &minor));
	put(bench, "a-1.asked", "{}");
	wait_for(bench, 3);
	settle(bench, 3);
	assert_string_equal(bench->got[0].id, "a-1.asked");
	assert_string_equal(bench->got[1].id, "f-1.opened");
	assert_string_equal(bench->got[2].id, "f-2.opened");
}

static void what_cannot_stand_in_a_header_or_is_too_large_is_dropped(void **state)
{
	struct bench *bench = *state;
	char *large = arena_array(bench->arena, char, WEBHOOK_BODY_BYTES_MAX + 64);

	put(bench, "a-1\r\nx: y", "{}");
	assert_int_equal(bench->lost, 1);
	put(bench, "0123456789012345678901234567890123456789012345678901234567890123", "{}");
	assert_int_equal(bench->lost, 1); /* 64 bytes */
	put(bench, "01234567890123456789012345678901234567890123456789012345678901234", "{}");
	assert_int_equal(bench->lost, 2);
	memcpy(large, "{\"a\":\"", 6);
	memset(large + 6, 'x', WEBHOOK_BODY_BYTES_MAX);
	memcpy(large + 6 + WEBHOOK_BODY_BYTES_MAX, "\"}", 3);
	put(bench, "a-2", large);
	assert_int_equal(bench->lost, 3);
	assert_int_equal(webhook_status(bench->webhook).queued, 1);
}

#define HOOK_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOOK_TEST(a_notice_is_signed_over_its_id_time_and_body),
		HOOK_TEST(what_failed_is_tried_again_under_the_same_id),
		HOOK_TEST(what_fails_for_good_is_given_up_and_said),
		HOOK_TEST(a_receiver_that_is_not_there_is_given_up),
		HOOK_TEST(without_its_secret_nothing_leaves),
		HOOK_TEST(the_queue_is_bounded_and_says_what_it_drops),
		HOOK_TEST(what_is_minor_leaves_half_of_the_queue_to_others),
		HOOK_TEST(what_is_not_minor_goes_first),
		HOOK_TEST(what_cannot_stand_in_a_header_or_is_too_large_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

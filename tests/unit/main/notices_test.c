/* Findings on their way to a webhook: what is said of them, and how many at once. */
#include "../wire/talk.h"

#include <sys/stat.h>

#include "base/log.h"
#include "main/notices.h"
#include "services/finding/finding.h"
#include "support/decide_bench.h"
#include "support/fake_log.h"
#include "wire/http_server.h"

enum { GOT_MAX = WEBHOOK_QUEUE_MAX };

struct bench {
	struct decide_bench world;
	struct fake_log log;
	struct loop *loop;
	struct fold *fold;
	struct approve *approve;
	struct finding_service *findings;
	struct http_client *client;
	struct http_server *server;
	struct secrets *secrets;
	struct notices *notices;
	char url[64];
	char folder[64];
	struct json got[GOT_MAX];
	unsigned count;
	unsigned wanted;
	bool is_there;
};

static void on_request(void *context, struct http_exchange *exchange)
{
	struct bench *bench = context;
	const struct http_request *request = http_exchange_request(exchange);
	struct text body = text_copy(bench->world.arena, request->body);
	struct error err;

	assert_true(bench->count < GOT_MAX);
	assert_true(json_parse(
		&bench->got[bench->count++], bench->world.arena, body, &json_limits_default, &err));
	http_respond(exchange, &(struct http_response){.status = 204});
	bench->is_there = bench->count >= bench->wanted;
}

static void open_services(struct bench *bench)
{
	const struct fold_log port = fake_log_port(&bench->log);
	const struct approve_settings settings = {0};
	struct error err = {0};

	assert_true(fold_create(&bench->fold, &port, bench->loop, &err));
	assert_true(approve_create(&bench->approve, bench->world.registry, bench->world.tasks,
		bench->fold, &settings, &err));
	assert_true(
		finding_service_create(&bench->findings, bench->world.registry, bench->fold, &err));
	assert_true(fold_finish_loading(bench->fold, &err));
}

static void open_secrets(struct bench *bench)
{
	struct seal_key key = {{1}};
	char inside[96];
	struct error err;

	memcpy(bench->folder, "/tmp/notices-test-XXXXXX", 25);
	assert_non_null(mkdtemp(bench->folder));
	(void)snprintf(inside, sizeof inside, "%s/secrets", bench->folder);
	assert_true(secrets_open(&bench->secrets, inside, &key, &err));
	assert_true(secrets_set(bench->secrets, TEXT("hook"), TEXT("shared-key"), &err));
}

static void open_notices(struct bench *bench)
{
	const struct notices_parts parts = {.loop = bench->loop,
		.http = bench->client,
		.fold = bench->fold,
		.approve = bench->approve,
		.secrets = bench->secrets,
		.url = bench->url,
		.secret = "hook",
		.installation = TEXT("test"),
		.findings = bench->findings};
	struct error err;

	assert_true(notices_create(&bench->notices, &parts, &err));
	notices_start(bench->notices, NULL, TEXT(""));
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct error err;

	assert_non_null(bench);
	decide_bench_init(&bench->world);
	fake_log_init(&bench->log);
	assert_true(loop_create(&bench->loop, &err));
	open_services(bench);
	open_secrets(bench);
	assert_true(http_client_create(&bench->client, bench->loop, &err));
	assert_true(http_server_create(&bench->server, bench->loop,
		&(struct http_server_settings){
			.tcp_address = "127.0.0.1:0", .on_request = on_request, .context = bench},
		&err));
	(void)snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%u/hook",
		http_server_port(bench->server));
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char inside[96];
	struct error err;

	notices_destroy(&bench->notices);
	finding_service_destroy(&bench->findings);
	approve_destroy(&bench->approve);
	fold_destroy(&bench->fold);
	http_client_destroy(&bench->client);
	http_server_destroy(&bench->server);
	loop_destroy(&bench->loop);
	assert_true(secrets_remove(bench->secrets, TEXT("hook"), &err));
	secrets_close(&bench->secrets);
	(void)snprintf(inside, sizeof inside, "%s/secrets", bench->folder);
	assert_int_equal(rmdir(inside), 0);
	assert_int_equal(rmdir(bench->folder), 0);
	fake_log_deinit(&bench->log);
	decide_bench_deinit(&bench->world);
	free(bench);
	return 0;
}

static void report(struct bench *bench, enum finding_kind kind, const char *subject)
{
	const struct finding_draft draft = {.kind = kind,
		.subject = text_of(subject),
		.control = "G-28",
		.what = TEXT("A server wrote <!channel> here."),
		.unit = TEXT("support")};
	struct error err = {0};

	assert_true(finding_report(bench->findings, &draft, &err));
}

static void wait_for(struct bench *bench, unsigned requests)
{
	bench->wanted = requests;
	bench->is_there = bench->count >= requests;
	talk_run_until(bench->loop, &bench->is_there);
}

static void assert_told(const struct json *told, const char *event, const char *subject)
{
	assert_true(text_is(json_text_or(told, "event", ""), event));
	assert_true(text_is(json_text_or(told, "subject", ""), subject));
	assert_null(json_find(told, "what"));
	assert_null(json_find(told, "reason"));
}

static void a_finding_is_told_when_it_is_opened_and_closed(void **state)
{
	struct bench *bench = *state;
	struct error err = {0};
	char id[32];

	open_notices(bench);
	report(bench, FINDING_TOOL_DRIFT, "files/read");
	(void)snprintf(id, sizeof id, "%.*s", TEXT_ARGS(finding_next(bench->findings, NULL)->id));
	assert_true(finding_close(bench->findings,
		&(struct finding_close){
			.id = text_of(id), .person = TEXT("eva"), .reason = TEXT("<!channel>")},
		&err));
	wait_for(bench, 2);
	assert_told(&bench->got[0], "finding.opened", "files/read");
	assert_true(text_is(json_text_or(&bench->got[0], "finding", ""), id));
	assert_true(text_is(json_text_or(&bench->got[0], "kind", ""), "tool-drift"));
	assert_true(text_is(json_text_or(&bench->got[0], "control", ""), "G-28"));
	assert_true(text_is(json_text_or(&bench->got[0], "unit", ""), "support"));
	assert_true(text_is(json_text_or(&bench->got[0], "by", ""), "remit"));
	assert_told(&bench->got[1], "finding.closed", "files/read");
	assert_true(text_is(json_text_or(&bench->got[1], "by", ""), "person:eva"));
}

/* Only remit's own names are shown in a chat. */
static void nobody_outside_writes_into_a_chat(void **state)
{
	static const enum finding_kind kinds[] = {FINDING_TOOL_RENAMED, FINDING_TOOL_SHADOWED,
		FINDING_TOOL_LOOK_ALIKE, FINDING_TOOL_UNREADABLE, FINDING_CONTAINMENT_OPEN,
		FINDING_READ_WITHOUT_RECORD, FINDING_REVIEW_EXCEPTION, FINDING_SECRET_SEEN};
	enum { KINDS = sizeof kinds / sizeof *kinds };
	struct bench *bench = *state;

	open_notices(bench);
	for (unsigned i = 0; i < KINDS; i++)
		report(bench, kinds[i], "files/<!channel>\nsee https://evil.example/");
	wait_for(bench, KINDS);
	for (unsigned i = 0; i < KINDS; i++)
		assert_told(&bench->got[i], "finding.opened", "files");
}

/* Each is of an origin of its own, which has its share of the room. */
static void report_many(struct bench *bench, unsigned count)
{
	char subject[32];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(subject, sizeof subject, "s%u/read", i);
		report(bench, FINDING_TOOL_DRIFT, subject);
	}
}

static void many_at_once_leave_room_and_are_counted(void **state)
{
	enum { MORE = 7 };
	struct bench *bench = *state;

	open_notices(bench);
	report_many(bench, WEBHOOK_QUEUE_MAX / 2 + MORE);
	wait_for(bench, WEBHOOK_QUEUE_MAX / 2);
	for (unsigned i = 0; i < WEBHOOK_QUEUE_MAX / 2; i++)
		assert_null(json_find(&bench->got[i], "untold"));
	report(bench, FINDING_TOOL_DRIFT, "files/read");
	wait_for(bench, WEBHOOK_QUEUE_MAX / 2 + 1);
	assert_int_equal(json_integer_or(&bench->got[WEBHOOK_QUEUE_MAX / 2], "untold", 0), MORE);
}

static void what_is_young_is_told_again_after_a_start(void **state)
{
	struct bench *bench = *state;

	bench->log.now_utc_ms = INT64_C(1800000000000);
	report(bench, FINDING_TOOL_DRIFT, "old/read");
	bench->log.now_utc_ms += 3600 * 1000 + 1;
	report(bench, FINDING_TOOL_DRIFT, "young/read");
	open_notices(bench);
	wait_for(bench, 1);
	assert_told(&bench->got[0], "finding.opened", "young/read");
	assert_null(json_find(&bench->got[0], "by"));
	report(bench, FINDING_TOOL_DRIFT, "new/read");
	wait_for(bench, 2);
	assert_told(&bench->got[1], "finding.opened", "new/read");
}

#define NOTICES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NOTICES_TEST(a_finding_is_told_when_it_is_opened_and_closed),
		NOTICES_TEST(nobody_outside_writes_into_a_chat),
		NOTICES_TEST(many_at_once_leave_room_and_are_counted),
		NOTICES_TEST(what_is_young_is_told_again_after_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

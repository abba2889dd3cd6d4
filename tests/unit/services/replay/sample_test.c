/* A sample of a log on a simulated disk. */
#include "services/replay/sample.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "audit_support.h"
#include "domain/audit/content.h"
#include "services/record/segments.h"
#include "simulated_disk.h"

struct fixture {
	struct simulated_disk *disk;
	struct test_signer signer;
	struct record_log *log;
	struct record_append *appends;
	struct buffer *texts;
	size_t count;
	size_t room;
	int64_t now_utc_ms;
	struct sample_result result;
};

#define TASK "t-abcdefghijklmnopqrst"

enum { RECORDS_MAX = 3 * SAMPLE_DECISIONS_MAX };

static void on_done(struct record_append *append)
{
	(void)append;
}

static void open_log(struct fixture *fixture)
{
	const struct record_log_options options = {.disk = simulated_disk_port(fixture->disk),
		.signer = &fixture->signer.port,
		.version = TEXT("0.0.0"),
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN};
	struct error err = {0};

	if (!record_log_open(&fixture->log, &options, &err))
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->room = RECORDS_MAX;
	fixture->appends = calloc(fixture->room, sizeof *fixture->appends);
	fixture->texts = calloc(fixture->room, sizeof *fixture->texts);
	fixture->disk = simulated_disk_create();
	test_signer_init(&fixture->signer, "log.test");
	open_log(fixture);
	fixture->now_utc_ms = record_stamp_utc_ms(fixture->log);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	record_log_close(&fixture->log);
	for (size_t i = 0; i < fixture->count; i++)
		buffer_deinit(&fixture->texts[i]);
	free(fixture->texts);
	free(fixture->appends);
	test_signer_deinit(&fixture->signer);
	simulated_disk_destroy(&fixture->disk);
	free(fixture);
	return 0;
}

/* The members between actor and at, each with its comma, and those behind, with the brace that
 * ends them. */
static void append_with(
	struct fixture *fixture, const char *between, const char *members, struct text content)
{
	struct buffer *text = &fixture->texts[fixture->count];
	struct record_append *append = &fixture->appends[fixture->count++];
	struct sha256 digest = sha256_of(content.data, content.length);
	char name[DIGEST_TEXT_BYTES];
	struct error err = {0};

	digest_format(name, &digest);
	buffer_init(text, 4096);
	buffer_append_format(text, "{\"actor\":\"identity:a\",%s\"at\":%" PRId64 ",", between,
		fixture->now_utc_ms);
	if (content.length > 0)
		buffer_append_format(text, "\"content\":\"%s\",", name);
	buffer_append_string(text, members);
	append->done = on_done;
	append->entry = buffer_text(text);
	append->content = content;
	if (!record_submit(fixture->log, append, &err))
		fail_msg("%s", err.text);
}

static void append(struct fixture *fixture, const char *members, struct text content)
{
	append_with(fixture, "", members, content);
}

/* A decision whose arguments are not beside it: it cannot be made again. */
static void decide(struct fixture *fixture)
{
	append(fixture,
		"\"identity\":\"a\",\"method\":\"tools/call\",\"reason\":\"identity_unknown\","
		"\"tool\":\"s/t\",\"type\":\"decision\",\"verdict\":\"deny\"}",
		TEXT(""));
}

static void sample_at(struct fixture *fixture, int64_t now_utc_ms, bool is_stopping)
{
	const struct seal_key master = {0};
	_Atomic bool is_stopped = is_stopping;
	const struct sample_of of = {
		simulated_disk_port(fixture->disk), &master, now_utc_ms, &is_stopped};

	record_log_close(&fixture->log); /* what was written is on disk */
	sample_run(&of, &fixture->result);
}

static void of_no_decision_nothing_differs(void **state)
{
	struct fixture *fixture = *state;

	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_int_equal(fixture->result.err.code, ERROR_NONE);
	assert_int_equal(fixture->result.made, 0);
	assert_int_equal(fixture->result.unmade, 0);
}

static void what_cannot_be_made_again_is_told_by_its_record(void **state)
{
	struct fixture *fixture = *state;

	decide(fixture);
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_int_equal(fixture->result.err.code, ERROR_NONE);
	assert_int_equal(fixture->result.made, 1);
	assert_int_equal(fixture->result.unmade, 1);
	assert_int_equal(fixture->result.first_count, 1);
	assert_int_equal(fixture->result.first[0].index, 2); /* behind genesis and start */
	assert_int_equal(fixture->result.first[0].cause, REPLAY_MISSING);
}

/* Its key may not be among those that were there when it began. */
static void what_is_decided_since_it_began_is_not_in_it(void **state)
{
	struct fixture *fixture = *state;

	decide(fixture);
	sample_at(fixture, fixture->now_utc_ms, false);
	assert_int_equal(fixture->result.made, 0);
}

/* Arguments that were sealed with a key that is not there: gone, or erased on purpose. */
static void a_key_that_is_gone_is_told_unless_the_log_says_that_it_was_erased(void **state)
{
	struct fixture *fixture = *state;
	static const char decision[] =
		"\"identity\":\"a\",\"method\":\"tools/call\",\"task\":\"" TASK
		"\",\"tool\":\"s/t\",\"type\":\"decision\",\"verdict\":\"deny\"}";
	const struct seal_key key = {{7}};
	uint8_t sealed[256];
	struct error err = {0};

	assert_true(content_seal(&key, TEXT(TASK), TEXT("{}"), sealed, &err));
	append(fixture, decision,
		(struct text){(const char *)sealed, content_sealed_bytes(TEXT(TASK), TEXT("{}"))});
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_int_equal(fixture->result.err.code, ERROR_NONE);
	assert_int_equal(fixture->result.made, 1);
	assert_int_equal(fixture->result.first[0].cause, REPLAY_ERASED);
	open_log(fixture);
	append(fixture, "\"task\":\"" TASK "\",\"type\":\"erased\"}", TEXT(""));
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_int_equal(fixture->result.made, 0);
	assert_int_equal(fixture->result.unmade, 0);
}

static void what_is_older_than_the_day_is_not_in_it(void **state)
{
	struct fixture *fixture = *state;

	decide(fixture);
	sample_at(fixture, fixture->now_utc_ms + SAMPLE_WINDOW_MS + 1, false);
	assert_int_equal(fixture->result.made, 0);
	sample_at(fixture, fixture->now_utc_ms + SAMPLE_WINDOW_MS, false);
	assert_int_equal(fixture->result.made, 1);
}

/* At the bound all are taken; with one more, every second. */
static void a_sample_is_bounded(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < SAMPLE_DECISIONS_MAX; i++)
		decide(fixture);
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_int_equal(fixture->result.made, SAMPLE_DECISIONS_MAX);
	assert_int_equal(fixture->result.unmade, SAMPLE_DECISIONS_MAX);
	assert_int_equal(fixture->result.first_count, SAMPLE_UNMADE_MAX);
	open_log(fixture);
	decide(fixture);
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_true(fixture->result.made == SAMPLE_DECISIONS_MAX / 2 ||
		    fixture->result.made == SAMPLE_DECISIONS_MAX / 2 + 1);
}

/* One that is made again, though what was asked is not there; or one of remit's own point. */
static void evaluate(struct fixture *fixture, bool is_own)
{
	append_with(fixture, is_own ? "" : "\"application\":\"shop@1\",",
		is_own ? "\"endpoint\":\"evaluation\",\"identity\":\"a\",\"results\":[],"
			 "\"type\":\"evaluation\"}"
		       : "\"endpoint\":\"evaluation\",\"identity\":\"a\",\"results\":[],\"seen\":0,"
			 "\"type\":\"evaluation\"}",
		TEXT(""));
}

/* Whoever asks much takes no decision's place. */
static void evaluations_are_bounded_apart_from_decisions(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < SAMPLE_DECISIONS_MAX; i++)
		evaluate(fixture, true);
	for (int i = 0; i < SAMPLE_EVALUATIONS_MAX; i++)
		evaluate(fixture, false);
	for (int i = 0; i < 10; i++)
		decide(fixture);
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_int_equal(fixture->result.made, SAMPLE_EVALUATIONS_MAX + 10);
	open_log(fixture);
	evaluate(fixture, false);
	sample_at(fixture, fixture->now_utc_ms + 1, false);
	assert_true(fixture->result.made == SAMPLE_EVALUATIONS_MAX / 2 + 10 ||
		    fixture->result.made == SAMPLE_EVALUATIONS_MAX / 2 + 11);
}

static void who_stops_it_gets_no_result(void **state)
{
	struct fixture *fixture = *state;

	decide(fixture);
	sample_at(fixture, fixture->now_utc_ms + 1, true);
	assert_true(fixture->result.is_stopped);
	assert_int_not_equal(fixture->result.err.code, ERROR_NONE);
	assert_int_equal(fixture->result.made, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(of_no_decision_nothing_differs),
		CASE(what_cannot_be_made_again_is_told_by_its_record),
		CASE(what_is_decided_since_it_began_is_not_in_it),
		CASE(a_key_that_is_gone_is_told_unless_the_log_says_that_it_was_erased),
		CASE(what_is_older_than_the_day_is_not_in_it),
		CASE(a_sample_is_bounded),
		CASE(evaluations_are_bounded_apart_from_decisions),
		CASE(who_stops_it_gets_no_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

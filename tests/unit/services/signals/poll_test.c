/* Events that are fetched: what is asked, what is acknowledged, and what is told as an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/claims.h"
#include "services/signals/poll.h"
#include "support/governed.h"

#define SENDER "https://hub.example"
#define US "http://127.0.0.1:8470"

enum { ARENA_BYTES = 8 * 1024 * 1024, TURNS_MAX = 4000 };

struct bench {
	struct governed governed;
	struct loop *loop;
	struct arena *arena;
	struct private_key *key;
	struct signals *signals;
	struct signals_poller *poller;
	struct loop_timer turn;
	/* The fetcher: the request under way and the last body. */
	struct signals_fetch *fetch;
	struct text body;
	struct text credential;
	unsigned asked, cancelled;
	bool refuses;
	/* What comes of events. */
	unsigned endings;
	bool is_stuck;
	char why[256];
	unsigned polled_well;
};

static const char hub[] =
	"object: issuer\nname: hub\nunit: support\nspeaks: oidc\nurl: " SENDER "\n"
	"algorithms: [ES256]\n"
	"events: {types: [session-revoked], subjects: [identities], credential: hub-token,\n"
	"  poll: 'https://hub.example/poll'}\n";

static int64_t clock_of(void *context)
{
	return ((struct bench *)context)->governed.log.now_utc_ms;
}

static enum trust_outcome find(void *context, const struct trust_query *query,
	struct trust_wait *wait, struct trust_found *out)
{
	struct bench *bench = context;
	const struct registry_entry *entry =
		registry_find(bench->governed.registry, OBJECT_ISSUER, TEXT("hub"));

	(void)wait;
	*out = (struct trust_found){0};
	if (!text_is(query->issuer, SENDER) || entry->in_force == NULL)
		return TRUST_UNKNOWN;
	out->issuer = entry->in_force->issuer;
	out->key = private_key_public(bench->key);
	return TRUST_FOUND;
}

static void end_tasks(void *context, struct signals_ending *ending)
{
	struct bench *bench = context;

	bench->endings++;
	ending->is_done = !bench->is_stuck;
	if (bench->is_stuck)
		error_set(&ending->err, ERROR_LIMIT, "too many end at once");
	ending->done(ending);
}

static bool begin(void *context, const struct signals_question *question,
	struct signals_fetch *fetch, struct error *err)
{
	struct bench *bench = context;

	if (bench->refuses)
		return error_set(err, ERROR_NOT_FOUND, "there is no such secret");
	assert_string_equal(question->url, "https://hub.example/poll");
	bench->asked++;
	bench->fetch = fetch;
	bench->body = text_copy(bench->arena, question->body);
	bench->credential = text_copy(bench->arena, question->credential);
	return true;
}

static void cancel(void *context, struct signals_fetch *fetch)
{
	struct bench *bench = context;

	assert_ptr_equal(fetch, bench->fetch);
	bench->fetch = NULL;
	bench->cancelled++;
}

static void on_polled(void *context, struct text issuer, const char *why)
{
	struct bench *bench = context;

	assert_true(text_is(issuer, "hub"));
	(void)snprintf(bench->why, sizeof bench->why, "%s", why == NULL ? "" : why);
	bench->polled_well += why == NULL;
}

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct signals_parts parts = {.wall_utc_ms = clock_of, .clock_context = bench};
	struct signals_poller_parts poll = {.on_polled = on_polled, .context = bench};
	struct error err = {0};

	assert_non_null(bench);
	governed_init_with_administrator(&bench->governed);
	bench->arena = arena_create(ARENA_BYTES);
	assert_true(private_key_generate(&bench->key, SIGNATURE_ES256, &err));
	parts.fold = bench->governed.fold;
	parts.issuers = (struct signals_issuers){bench, find};
	parts.tasks = (struct signals_tasks){bench, end_tasks};
	assert_true(signals_create(&bench->signals, &parts, &err));
	assert_true(signals_set_audience(bench->signals, TEXT(US), &err));
	assert_true(governed_apply(&bench->governed, "adi", governed_world_yaml));
	if (!governed_apply_by_two(&bench->governed, "adi", hub))
		fail_msg("%s", bench->governed.last.err.text);
	assert_true(loop_create(&bench->loop, &err));
	poll.loop = bench->loop;
	poll.registry = bench->governed.registry;
	poll.signals = bench->signals;
	poll.fetcher = (struct signals_fetcher){bench, begin, cancel};
	assert_true(signals_poller_create(&bench->poller, &poll, &err));
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	signals_destroy(&bench->signals);
	signals_poller_destroy(&bench->poller);
	loop_destroy(&bench->loop);
	private_key_destroy(&bench->key);
	arena_destroy(&bench->arena);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

static void stop(struct loop_timer *timer)
{
	struct bench *bench = timer->context;

	loop_stop(bench->loop);
}

static void turn(struct bench *bench)
{
	struct error err = {0};

	bench->turn = (struct loop_timer){.on_due = stop, .context = bench};
	assert_true(loop_timer_start(bench->loop, &bench->turn, 1));
	assert_true(loop_run(bench->loop, &err));
}

/* Until it asks once more; gives what it says. */
static struct text next_body(struct bench *bench)
{
	unsigned before = bench->asked;

	for (int i = 0; i < TURNS_MAX && bench->asked == before; i++)
		turn(bench);
	assert_int_equal(bench->asked, before + 1);
	return bench->body;
}

static void answer(struct bench *bench, struct text body)
{
	struct signals_fetch *fetch = bench->fetch;
	const struct error none = {0};

	assert_non_null(fetch);
	bench->fetch = NULL;
	fetch->done(fetch, body, &none);
}

static void fail_it(struct bench *bench, enum error_code code)
{
	struct signals_fetch *fetch = bench->fetch;
	struct error err = {0};

	error_set(&err, code, "it answered HTTP 503");
	bench->fetch = NULL;
	fetch->done(fetch, TEXT(""), &err);
}

/* An event of that id about an identity, as "ID":"TOKEN". */
static struct text event(struct bench *bench, const char *id, const char *issuer)
{
	struct text json = text_format(bench->arena,
		"{\"iss\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"aud\":\"" US
		"\",\"sub_id\":{\"format\":\"opaque\",\"id\":\"deployer\"},\"events\":{"
		"\"https://schemas.openid.net/secevent/caep/event-type/session-revoked\":{}}}",
		issuer, id, (long long)(clock_of(bench) / 1000));
	struct json claims;
	struct buffer out;
	struct error err;
	struct text made;

	assert_true(json_parse(&claims, bench->arena, json, &json_limits_default, &err));
	buffer_init(&out, TOKEN_BYTES_MAX);
	assert_true(jws_sign(&out, bench->key, SECURITY_EVENT_TYPE, TEXT("k"), &claims, &err));
	made = text_format(bench->arena, "\"%s\":\"%.*s\"", id, TEXT_ARGS(buffer_text(&out)));
	buffer_deinit(&out);
	return made;
}

static struct text sets(struct bench *bench, struct text members)
{
	return text_format(bench->arena, "{\"sets\":{%.*s}}", TEXT_ARGS(members));
}

static void has(struct text body, const char *part)
{
	if (memmem(body.data, body.length, part, strlen(part)) == NULL)
		fail_msg("%.*s lacks %s", TEXT_ARGS(body), part);
}

/* ---- what is not acknowledged ---- */

static void what_did_not_end_is_neither_acknowledged_nor_an_error(void **state)
{
	struct bench *bench = *state;
	struct text body;

	next_body(bench);
	bench->is_stuck = true;
	answer(bench, sets(bench, event(bench, "a", SENDER)));
	assert_int_equal(bench->endings, 1);
	body = next_body(bench);
	has(body, "\"ack\":[]");
	has(body, "\"setErrs\":{}");
	bench->is_stuck = false;
	answer(bench, sets(bench, event(bench, "a", SENDER)));
	has(next_body(bench), "\"ack\":[\"a\"]");
}

static void a_bad_event_is_an_error_and_stops_no_other(void **state)
{
	struct bench *bench = *state;
	struct text good = event(bench, "good", SENDER);
	struct text foreign = event(bench, "foreign", "https://x.example");
	struct text body;

	next_body(bench);
	answer(bench,
		sets(bench, text_format(bench->arena, "\"bad\":\"no token\",\"number\":7,%.*s,%.*s",
				    TEXT_ARGS(foreign), TEXT_ARGS(good))));
	assert_int_equal(bench->endings, 1);
	body = next_body(bench);
	has(body, "\"ack\":[\"good\"]");
	has(body, "\"bad\":{\"description\":");
	has(body, "\"number\":{");
	has(body, "\"err\":\"invalid_request\"");
	has(body, "\"foreign\":{\"description\":\"no events of this issuer are taken here\","
		  "\"err\":\"invalid_issuer\"}");
	has(body, "\"returnImmediately\":true");
}

static void what_was_told_is_told_again_until_it_came_through(void **state)
{
	struct bench *bench = *state;

	has(next_body(bench), "\"returnImmediately\":false");
	assert_true(text_is(bench->credential, "hub-token"));
	answer(bench, sets(bench, event(bench, "a", SENDER)));
	has(next_body(bench), "\"ack\":[\"a\"]");
	fail_it(bench, ERROR_IO);
	assert_string_equal(bench->why, "it answered HTTP 503");
	has(next_body(bench), "\"ack\":[\"a\"]");
	answer(bench, TEXT("{\"sets\":{}}"));
	assert_string_equal(bench->why, "");
	has(next_body(bench), "\"ack\":[]");
}

static void an_answer_that_is_none_is_a_failure(void **state)
{
	static const char *const bad[] = {"", "[]", "{}", "{\"sets\":[]}", "{\"sets\":{}",
		"{\"sets\":{},\"sets\":{}}", "<html>"};
	struct bench *bench = *state;

	for (size_t i = 0; i < 3; i++) {
		next_body(bench);
		bench->why[0] = '\0';
		answer(bench, text_of(bad[i]));
		assert_string_not_equal(bench->why, "");
		next_body(bench);
		answer(bench, TEXT("{\"sets\":{}}")); /* so that the waits stay short */
		next_body(bench);
		answer(bench, text_of(bad[i + 3]));
		assert_string_not_equal(bench->why, "");
		next_body(bench);
		answer(bench, TEXT("{\"sets\":{}}"));
	}
	assert_int_equal(bench->endings, 0);
}

static void a_token_that_is_not_there_is_a_failure(void **state)
{
	struct bench *bench = *state;

	bench->refuses = true;
	for (int i = 0; i < TURNS_MAX && bench->why[0] == '\0'; i++)
		turn(bench);
	assert_string_equal(bench->why, "there is no such secret");
	bench->refuses = false;
	next_body(bench);
}

static void a_request_that_was_held_to_its_end_is_no_failure(void **state)
{
	struct bench *bench = *state;

	next_body(bench);
	fail_it(bench, ERROR_TIMEOUT);
	assert_string_equal(bench->why, "");
	next_body(bench);
}

/* ---- bounds ---- */

static void no_more_than_the_bound_are_taken_of_one_answer(void **state)
{
	struct bench *bench = *state;
	struct buffer members;
	char id[16];

	buffer_init(&members, SIGNALS_POLL_BYTES_MAX);
	for (int i = 0; i <= SIGNALS_POLL_EVENTS_MAX; i++) {
		struct text one;

		(void)snprintf(id, sizeof id, "e%02d", i);
		one = event(bench, id, SENDER);
		buffer_append_format(&members, "%s%.*s", i == 0 ? "" : ",", TEXT_ARGS(one));
	}
	has(next_body(bench), "\"maxEvents\":32");
	answer(bench, sets(bench, buffer_text(&members)));
	buffer_deinit(&members);
	assert_int_equal(bench->endings, SIGNALS_POLL_EVENTS_MAX);
	has(next_body(bench), "\"e31\"");
	assert_null(memmem(bench->body.data, bench->body.length, "e32", 3));
}

static void who_is_changed_is_asked_no_more_by_what_was(void **state)
{
	struct bench *bench = *state;

	next_body(bench);
	assert_true(governed_apply_by_two(&bench->governed, "adi",
		"object: issuer\nname: hub\nunit: support\nspeaks: oidc\nurl: " SENDER "\n"
		"algorithms: [ES256]\n"));
	for (int i = 0; i < TURNS_MAX && bench->cancelled == 0; i++)
		turn(bench);
	assert_int_equal(bench->cancelled, 1);
	assert_null(bench->fetch);
	assert_int_equal(bench->asked, 1);
}

int main(void)
{
#define POLL_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		POLL_TEST(what_did_not_end_is_neither_acknowledged_nor_an_error),
		POLL_TEST(a_bad_event_is_an_error_and_stops_no_other),
		POLL_TEST(what_was_told_is_told_again_until_it_came_through),
		POLL_TEST(an_answer_that_is_none_is_a_failure),
		POLL_TEST(a_token_that_is_not_there_is_a_failure),
		POLL_TEST(a_request_that_was_held_to_its_end_is_no_failure),
		POLL_TEST(no_more_than_the_bound_are_taken_of_one_answer),
		POLL_TEST(who_is_changed_is_asked_no_more_by_what_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Events that others push, from the door to the log, over loopback. */
#include "../../wire/talk.h"

#include "domain/token/claims.h"
#include "domain/token/security_event.h"
#include "edges/ssf/ssf.h"
#include "services/signals/signals.h"
#include "support/governed.h"

enum { BYTES_MAX = 64 * 1024, EVENT_ARENA_BYTES = 1024 * 1024 };

#define SENDER "https://idp.example"
#define US "http://127.0.0.1:8470"
#define REVOKED                                                                                    \
	"\"events\":{\"https://schemas.openid.net/secevent/caep/event-type/session-revoked\":{}}"
#define OTHER "\"events\":{\"urn:other\":{}}"

struct bench {
	struct governed governed;
	struct loop *loop;
	struct router *router;
	struct http_server *server;
	struct signals *signals;
	struct ssf *ssf;
	struct private_key *key;
	struct arena *arena;
	struct issuer issuer;
	bool has_no_keys;
	struct trust_wait *keys_wait;
	/* Tasks: what was asked to end, and how it goes. */
	unsigned endings;
	char ended[128];
	bool is_stuck; /* nothing can be ended */
	bool is_held;  /* the answer comes later, by `waiting` */
	struct signals_ending *waiting;
	char reply[BYTES_MAX];
	char request[BYTES_MAX];
};

static int64_t clock_of(void *context)
{
	return ((struct bench *)context)->governed.log.now_utc_ms;
}

static enum trust_outcome find(void *context, const struct trust_query *query,
	struct trust_wait *wait, struct trust_found *out)
{
	struct bench *bench = context;

	*out = (struct trust_found){0};
	if (!text_is(query->issuer, SENDER))
		return TRUST_UNKNOWN;
	out->issuer = &bench->issuer;
	if (bench->has_no_keys && wait != NULL)
		bench->keys_wait = wait;
	if (bench->has_no_keys)
		return wait == NULL ? TRUST_NO_KEYS : TRUST_WAITS;
	if (!text_is(query->key_id, "k"))
		return TRUST_UNKNOWN;
	out->key = private_key_public(bench->key);
	return TRUST_FOUND;
}

static void end_tasks(void *context, struct signals_ending *ending)
{
	struct bench *bench = context;

	bench->endings++;
	(void)snprintf(bench->ended, sizeof bench->ended, "%.*s: %s", TEXT_ARGS(ending->name),
		ending->reason);
	if (bench->is_held) {
		bench->waiting = ending;
		return;
	}
	ending->is_done = !bench->is_stuck;
	ending->tasks = 2;
	if (bench->is_stuck)
		error_set(&ending->err, ERROR_LIMIT, "too many end at once");
	ending->done(ending);
}

static void make_signals(struct bench *bench)
{
	const struct signals_parts parts = {.fold = bench->governed.fold,
		.issuers = {bench, find},
		.tasks = {bench, end_tasks},
		.wall_utc_ms = clock_of,
		.clock_context = bench};
	struct error err = {0};

	assert_true(signals_create(&bench->signals, &parts, &err));
	assert_false(signals_set_audience(bench->signals, TEXT(""), &err));
}

static int start(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	struct http_server_settings settings = {
		.tcp_address = "127.0.0.1:0", .on_request = router_on_request};
	struct error err = {0};

	assert_non_null(bench);
	governed_init(&bench->governed);
	bench->arena = arena_create(EVENT_ARENA_BYTES);
	assert_true(private_key_generate(&bench->key, SIGNATURE_ES256, &err));
	bench->issuer = (struct issuer){.name = TEXT("idp"),
		.url = TEXT(SENDER),
		.events = {.types = 1u << EVENT_SESSION_REVOKED,
			.subjects = 1u << ISSUER_SUBJECT_IDENTITIES}};
	make_signals(bench);
	assert_true(loop_create(&bench->loop, &err));
	assert_true(router_create(&bench->router, &err));
	assert_true(ssf_create(&bench->ssf, bench->signals, &err));
	assert_true(ssf_add_routes(bench->ssf, bench->router, &err));
	settings.context = bench->router;
	assert_true(http_server_create(&bench->server, bench->loop, &settings, &err));
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	http_server_destroy(&bench->server);
	router_destroy(&bench->router);
	signals_destroy(&bench->signals);
	ssf_destroy(&bench->ssf);
	loop_destroy(&bench->loop);
	private_key_destroy(&bench->key);
	arena_destroy(&bench->arena);
	governed_deinit(&bench->governed);
	free(bench);
	return 0;
}

static void listen_for(struct bench *bench)
{
	struct error err;

	assert_true(signals_set_audience(bench->signals, TEXT(US), &err));
}

static int push_as(struct bench *bench, const char *type, const char *body)
{
	struct talk talk;
	int status = 0;

	(void)snprintf(bench->request, sizeof bench->request,
		"POST /ssf/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
		"Content-Type: %s\r\nAccept: application/json\r\nContent-Length: %zu\r\n\r\n%s",
		type, strlen(body), body);
	talk_open(&talk, bench->loop, http_server_port(bench->server));
	talk_say(&talk, bench->request, strlen(bench->request));
	talk_wait(&talk, NULL);
	(void)snprintf(bench->reply, sizeof bench->reply, "%.*s", BYTES_MAX - 1, talk.got);
	(void)sscanf(bench->reply, "HTTP/1.1 %d", &status);
	talk_close(&talk);
	return status;
}

/* An event of that issuer, kid and id about the opaque id "deployer". */
static const char *event_of(struct bench *bench, const char *issuer, const char *kid,
	const char *id, const char *events)
{
	struct text json = text_format(bench->arena,
		"{\"iss\":\"%s\",\"jti\":\"%s\",\"iat\":%lld,\"aud\":\"" US
		"\",\"sub_id\":{\"format\":\"opaque\",\"id\":\"deployer\"},%s}",
		issuer, id, (long long)(clock_of(bench) / 1000), events);
	struct json claims;
	struct buffer out;
	struct error err;
	struct text made;

	assert_true(json_parse(&claims, bench->arena, json, &json_limits_default, &err));
	buffer_init(&out, TOKEN_BYTES_MAX);
	assert_true(jws_sign(&out, bench->key, SECURITY_EVENT_TYPE, text_of(kid), &claims, &err));
	made = text_copy(bench->arena, buffer_text(&out));
	buffer_deinit(&out);
	return made.data;
}

static int push(struct bench *bench, const char *event)
{
	return push_as(bench, "application/" SECURITY_EVENT_TYPE, event);
}

static const char *good(struct bench *bench, const char *id)
{
	return event_of(bench, SENDER, "k", id, REVOKED);
}

static void refuses(struct bench *bench, int status, const char *code)
{
	char member[64];

	(void)snprintf(member, sizeof member, "\"err\":\"%s\"", code);
	assert_int_equal(status, 400);
	assert_non_null(strstr(bench->reply, member));
	assert_non_null(strstr(bench->reply, "\"description\":"));
	assert_int_equal(bench->endings, 0);
	assert_int_equal(bench->governed.log.count, 0);
}

static void what_is_no_event_is_refused_by_the_standards_code(void **state)
{
	struct bench *bench = *state;

	listen_for(bench);
	refuses(bench, push(bench, "no token"), "invalid_request");
	refuses(bench, push(bench, ""), "invalid_request");
	refuses(bench, push_as(bench, "application/json", good(bench, "a")), "invalid_request");
	refuses(bench, push(bench, event_of(bench, "https://x.example", "k", "a", REVOKED)),
		"invalid_issuer");
	refuses(bench, push(bench, event_of(bench, SENDER, "other", "a", REVOKED)), "invalid_key");
	assert_true(
		signals_set_audience(bench->signals, TEXT("http://elsewhere"), &(struct error){0}));
	refuses(bench, push(bench, good(bench, "a")), "invalid_audience");
}

static void nothing_is_taken_before_it_is_known_whom_it_is_for(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(push(bench, good(bench, "a")), 503);
	assert_int_equal(bench->endings, 0);
}

static void an_event_ends_tasks_and_is_on_record_before_it_is_taken(void **state)
{
	struct bench *bench = *state;

	listen_for(bench);
	assert_int_equal(push(bench, good(bench, "a")), 202);
	assert_int_equal(bench->endings, 1);
	assert_string_equal(bench->ended, "deployer: session-revoked");
	assert_int_equal(bench->governed.log.count, 1);
	assert_non_null(strstr(bench->governed.log.entries[0].entry.data, "\"tasks\":2"));
}

static void an_event_that_is_sent_again_is_taken_once(void **state)
{
	struct bench *bench = *state;
	const char *event;

	listen_for(bench);
	event = good(bench, "a");
	assert_int_equal(push(bench, event), 202);
	assert_int_equal(push(bench, event), 202);
	assert_int_equal(bench->endings, 1);
	assert_int_equal(bench->governed.log.count, 1);
	assert_int_equal(push(bench, good(bench, "b")), 202);
	assert_int_equal(bench->endings, 2);
}

static void an_event_whose_tasks_did_not_end_may_be_sent_again(void **state)
{
	struct bench *bench = *state;
	const char *event;

	listen_for(bench);
	event = good(bench, "a");
	bench->is_stuck = true;
	assert_int_equal(push(bench, event), 503);
	assert_int_equal(bench->governed.log.count, 0);
	bench->is_stuck = false;
	assert_int_equal(push(bench, event), 202);
	assert_int_equal(bench->endings, 2);
	assert_int_equal(bench->governed.log.count, 1);
}

static void an_event_that_is_not_on_record_was_not_taken(void **state)
{
	struct bench *bench = *state;
	const char *event;

	listen_for(bench);
	event = good(bench, "a");
	bench->governed.log.refuses = true;
	assert_int_equal(push(bench, event), 503);
	bench->governed.log.refuses = false;
	assert_int_equal(push(bench, event), 202);
	assert_int_equal(bench->governed.log.count, 1);
}

static void an_event_of_no_consequence_is_on_record_and_ends_nothing(void **state)
{
	struct bench *bench = *state;

	listen_for(bench);
	assert_int_equal(push(bench, event_of(bench, SENDER, "k", "a", OTHER)), 202);
	assert_int_equal(bench->endings, 0);
	assert_int_equal(bench->governed.log.count, 1);
}

struct received {
	struct signals_request request;
	unsigned answers;
};

static void on_received(struct signals_request *request)
{
	((struct received *)request->context)->answers++;
}

static void receive(struct bench *bench, struct received *received, const char *event)
{
	*received = (struct received){0};
	received->request = (struct signals_request){
		.token = text_of(event), .done = on_received, .context = received};
	signals_receive(bench->signals, &received->request);
}

/* ---- what the issuer may say ---- */

static void ends_nothing(struct bench *bench, const char *id, const char *passed_over)
{
	char member[64];
	size_t count = bench->governed.log.count;

	assert_int_equal(push(bench, good(bench, id)), 202);
	assert_int_equal(bench->endings, 0);
	assert_int_equal(bench->governed.log.count, count + 1);
	(void)snprintf(member, sizeof member, "\"passed-over\":\"%s\"", passed_over);
	assert_non_null(strstr(bench->governed.log.entries[count].entry.data, member));
}

static void what_an_issuer_may_not_say_is_on_record_and_ends_nothing(void **state)
{
	struct bench *bench = *state;

	listen_for(bench);
	bench->issuer.events.types = 1u << EVENT_CREDENTIAL_CHANGE;
	ends_nothing(bench, "a", "type");
	bench->issuer.events.types = 1u << EVENT_SESSION_REVOKED;
	bench->issuer.events.subjects =
		1u << ISSUER_SUBJECT_PEOPLE | 1u << ISSUER_SUBJECT_WORKLOADS;
	ends_nothing(bench, "b", "subject");
	bench->issuer.events.subjects = 1u << ISSUER_SUBJECT_IDENTITIES;
	assert_int_equal(push(bench, good(bench, "c")), 202);
	assert_int_equal(bench->endings, 1);
}

static void an_issuers_own_audience_counts_instead_of_ours(void **state)
{
	struct bench *bench = *state;

	listen_for(bench);
	bench->issuer.events.audience = TEXT("client-7");
	refuses(bench, push(bench, good(bench, "a")), "invalid_audience");
}

/* ---- keys ---- */

static void an_event_whose_keys_are_not_at_hand_may_be_sent_again(void **state)
{
	struct bench *bench = *state;
	struct received received;

	listen_for(bench);
	bench->has_no_keys = true;
	receive(bench, &received, good(bench, "a"));
	assert_int_equal(received.answers, 0);
	bench->keys_wait->run(bench->keys_wait);
	assert_int_equal(received.answers, 1);
	assert_int_equal(received.request.fault, SECURITY_EVENT_ACCEPTED);
	assert_false(received.request.is_taken);
	receive(bench, &received, good(bench, "a"));
	bench->has_no_keys = false;
	bench->keys_wait->run(bench->keys_wait);
	assert_true(received.request.is_taken);
	assert_int_equal(bench->endings, 1);
}

static void an_event_of_another_issuer_than_due_is_not_taken(void **state)
{
	struct bench *bench = *state;
	struct received received = {0};

	listen_for(bench);
	received.request = (struct signals_request){.token = text_of(good(bench, "a")),
		.issuer = TEXT("https://another.example"),
		.done = on_received,
		.context = &received};
	signals_receive(bench->signals, &received.request);
	assert_int_equal(received.answers, 1);
	assert_int_equal(received.request.fault, SECURITY_EVENT_ISSUER);
	assert_int_equal(bench->governed.log.count, 0);
}

/* ---- the service alone ---- */

static void the_same_event_on_its_way_is_not_taken_twice(void **state)
{
	struct bench *bench = *state;
	struct received first, second;
	const char *event;

	listen_for(bench);
	event = good(bench, "a");
	bench->is_held = true;
	receive(bench, &first, event);
	assert_int_equal(first.answers, 0);
	receive(bench, &second, event);
	assert_int_equal(second.answers, 1);
	assert_false(second.request.is_taken);
	bench->waiting->is_done = true;
	bench->waiting->done(bench->waiting);
	assert_int_equal(first.answers, 1);
	assert_true(first.request.is_taken);
	assert_int_equal(bench->endings, 1);
}

static void as_many_as_the_bound_wait_and_none_more(void **state)
{
	struct bench *bench = *state;
	static struct received waiting[SIGNALS_WAITING_MAX + 1];
	char id[16];

	listen_for(bench);
	bench->is_held = true;
	for (int i = 0; i <= SIGNALS_WAITING_MAX; i++) {
		(void)snprintf(id, sizeof id, "e%d", i);
		receive(bench, &waiting[i], good(bench, id));
		arena_reset(bench->arena);
	}
	assert_int_equal(waiting[SIGNALS_WAITING_MAX - 1].answers, 0);
	assert_int_equal(waiting[SIGNALS_WAITING_MAX].answers, 1);
	assert_int_equal(waiting[SIGNALS_WAITING_MAX].request.err.code, ERROR_LIMIT);
	assert_false(waiting[SIGNALS_WAITING_MAX].request.is_taken);
}

static void what_was_taken_is_known_after_a_restart(void **state)
{
	struct bench *bench = *state;
	struct governed second = {0};
	struct received received;
	struct error err = {0};
	struct fake_log *log = &bench->governed.log;
	struct fold *first_fold = bench->governed.fold;
	const char *event;

	listen_for(bench);
	event = good(bench, "a");
	assert_int_equal(push(bench, event), 202);
	governed_init_loading(&second);
	second.log.now_utc_ms = log->now_utc_ms;
	signals_destroy(&bench->signals);
	bench->governed.fold = second.fold;
	make_signals(bench);
	bench->governed.fold = first_fold;
	assert_true(fold_apply_entry(second.fold, log->entries[0].entry, TEXT(""), 0, &err));
	assert_true(fold_finish_loading(second.fold, &err));
	listen_for(bench);
	receive(bench, &received, event);
	assert_true(received.request.is_taken);
	assert_int_equal(bench->endings, 1);
	assert_int_equal(second.log.count, 0);
	signals_destroy(&bench->signals);
	governed_deinit(&second);
}

/* The keys that one event puts and drops: nothing of the slot before it. */
static void rows_of_events_do_not_pile_up(void **state)
{
	struct bench *bench = *state;
	struct fold_projected projected;
	unsigned dropped = 0, put = 0;
	struct error err = {0};

	listen_for(bench);
	assert_int_equal(push(bench, good(bench, "a")), 202);
	assert_true(fold_project_entry(bench->governed.fold, bench->arena,
		&(struct fold_entry){.entry = bench->governed.log.entries[0].entry}, &projected,
		&err));
	for (size_t i = 0; i < projected.changes_count; i++) {
		put += projected.changes[i].op == STORE_PUT;
		dropped += projected.changes[i].op == STORE_DELETE_PREFIX;
	}
	assert_int_equal(put, 1);
	assert_int_equal(dropped, 2);
	assert_false(text_equal(projected.changes[0].row.key, projected.changes[1].row.key));
}

int main(void)
{
#define SSF_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		SSF_TEST(what_is_no_event_is_refused_by_the_standards_code),
		SSF_TEST(nothing_is_taken_before_it_is_known_whom_it_is_for),
		SSF_TEST(an_event_ends_tasks_and_is_on_record_before_it_is_taken),
		SSF_TEST(an_event_that_is_sent_again_is_taken_once),
		SSF_TEST(an_event_whose_tasks_did_not_end_may_be_sent_again),
		SSF_TEST(an_event_that_is_not_on_record_was_not_taken),
		SSF_TEST(an_event_of_no_consequence_is_on_record_and_ends_nothing),
		SSF_TEST(what_an_issuer_may_not_say_is_on_record_and_ends_nothing),
		SSF_TEST(an_issuers_own_audience_counts_instead_of_ours),
		SSF_TEST(an_event_whose_keys_are_not_at_hand_may_be_sent_again),
		SSF_TEST(an_event_of_another_issuer_than_due_is_not_taken),
		SSF_TEST(the_same_event_on_its_way_is_not_taken_twice),
		SSF_TEST(as_many_as_the_bound_wait_and_none_more),
		SSF_TEST(what_was_taken_is_known_after_a_restart),
		SSF_TEST(rows_of_events_do_not_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

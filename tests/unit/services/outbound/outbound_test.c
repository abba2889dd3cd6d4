#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/charter/outbound.h"
#include "services/outbound/outbound.h"
#include "support/issuing.h"

/* A token service that answers when it is told to, and a signer that signs anything or
 * nothing, over a governed registry; the clocks are the test's. */
struct world {
	struct issuing issuing;
	struct loop *loop;
	struct outbound *outbound;
	int64_t now_ms;
	bool refuses_to_sign;
	struct identity_token signed_last; /* its texts are not kept */
	char audience[64];
	char body[2048]; /* the last question */
	struct outbound_asking *askings[OUTBOUND_ENTRIES_MAX + 1];
	unsigned asked, cancelled, told;
};

struct waiter {
	struct outbound_wait wait;
	unsigned runs;
	struct error err; /* code NONE: it went well */
};

#define EXCHANGE                                                                                   \
	"grant: token-exchange, url: 'https://sts.example.com/t', audience: 'aud', scope: 's'"
#define SERVER(name, speaks, exchange)                                                             \
	"object: server\nname: " name "\nunit: support\nenvironment: staging\n" speaks             \
	"transport: {url: 'https://cloud.example.com', exchange: {" exchange "}}\n"
#define MODELS "speaks: openai\nmodels: [{name: m, up-to: public}]\n"
#define ANSWER(token, more)                                                                        \
	"{\"access_token\":\"" token "\",\"token_type\":\"bearer\",\"issued_token_type\":"         \
	"\"urn:ietf:params:oauth:token-type:access_token\"" more "}"

static int64_t clock_ms(void *context)
{
	return ((struct world *)context)->now_ms;
}

/* The moment of the log, on which tasks live. */
static int64_t clock_utc_ms(void *context)
{
	return issuing_now_s(&((struct world *)context)->issuing) * 1000;
}

static void sign(void *context, const struct identity_token *token, struct token_signing *signing)
{
	struct world *world = context;

	world->signed_last = *token;
	snprintf(world->audience, sizeof world->audience, "%.*s", TEXT_ARGS(token->audience));
	signing->is_signed = !world->refuses_to_sign;
	signing->token = TEXT("head.claims.signature");
	if (world->refuses_to_sign)
		error_set(&signing->err, ERROR_IO, "the signer is gone");
	signing->done(signing);
}

static bool begin(void *context, const struct outbound_question *question,
	struct outbound_asking *asking, struct error *err)
{
	struct world *world = context;

	(void)err;
	assert_int_equal(question->bytes_max, STS_REPLY_BYTES_MAX);
	assert_int_equal(question->deadline_ms, OUTBOUND_DEADLINE_MS);
	assert_int_equal(question->private_addresses, ISSUER_REFUSED);
	snprintf(world->body, sizeof world->body, "%s %.*s", question->url,
		TEXT_ARGS(question->body));
	world->askings[world->asked++] = asking;
	return true;
}

static void cancel(void *context, struct outbound_asking *asking)
{
	(void)asking;
	((struct world *)context)->cancelled++;
}

static void on_token(void *context, struct text token, int64_t expires_utc_s)
{
	(void)expires_utc_s;
	assert_true(token.length > 0);
	((struct world *)context)->told++;
}

static void apply(struct world *world, const char *yaml)
{
	if (!governed_apply(&world->issuing.governed, "adi", yaml))
		fail_msg("%s", world->issuing.governed.last.err.text);
}

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct outbound_parts parts = {.monotonic_ms = clock_ms,
		.wall_utc_ms = clock_utc_ms,
		.clock_context = world,
		.signer = {world, sign},
		.asker = {world, begin, cancel},
		.on_token = on_token,
		.token_context = world};
	struct error err;

	assert_non_null(world);
	issuing_init(&world->issuing);
	assert_true(loop_create(&world->loop, &err));
	world->now_ms = 1000000;
	parts.loop = world->loop;
	parts.fold = world->issuing.governed.fold;
	parts.registry = world->issuing.governed.registry;
	parts.tasks = world->issuing.tasks;
	assert_true(outbound_create(&world->outbound, &parts, &err));
	assert_true(outbound_set_issuer(world->outbound, TEXT(ISSUING_ISSUER), &err));
	apply(world, SERVER("cloud", MODELS, EXCHANGE));
	apply(world, SERVER("each", MODELS, EXCHANGE ", per: task"));
	apply(world, SERVER("shared", "", EXCHANGE));
	assert_true(issuing_open_good(&world->issuing));
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	outbound_destroy(&world->outbound);
	loop_destroy(&world->loop);
	issuing_deinit(&world->issuing);
	free(world);
	return 0;
}

static void stop(struct loop_post *post)
{
	loop_stop(post->context);
}

/* Whatever is due now. */
static void turn(struct world *world)
{
	struct loop_post last = {.run = stop, .context = world->loop};
	struct error err;

	for (int i = 0; i < 3; i++) {
		loop_post(world->loop, &last);
		assert_true(loop_run(world->loop, &err));
	}
}

static struct outbound_key key_of(const struct world *world, const char *server)
{
	return (struct outbound_key){.server = text_of(server),
		.identity = TEXT("a1"),
		.environment = ENVIRONMENT_STAGING,
		.task = world->issuing.task};
}

static void on_run(void *context, const struct error *err)
{
	struct waiter *waiter = context;

	waiter->runs++;
	waiter->err = err == NULL ? (struct error){0} : *err;
}

static bool want(struct world *world, const char *server, struct waiter *waiter)
{
	struct outbound_key key = key_of(world, server);

	*waiter = (struct waiter){.wait = {.context = waiter, .run = on_run}};
	return outbound_want(world->outbound, &key, &waiter->wait, &waiter->err);
}

static void answer_with(struct world *world, unsigned status, const char *body)
{
	struct outbound_asking *asking = world->askings[world->asked - 1];
	const struct outbound_answer answer = {.status = status, .body = text_of(body)};

	asking->done(asking, &answer);
	turn(world);
}

static bool has(struct world *world, const char *server, const char *token)
{
	struct outbound_key key = key_of(world, server);
	struct text found;

	return outbound_find(world->outbound, &key, &found) && text_is(found, token);
}

static void get(struct world *world, const char *server, const char *body)
{
	struct waiter waiter;

	assert_true(want(world, server, &waiter));
	answer_with(world, 200, body);
	assert_int_equal(waiter.runs, 1);
	assert_int_equal(waiter.err.code, ERROR_NONE);
}

/* ---- documents ---- */

static void what_cannot_be_exchanged_is_not_registered(void **state)
{
	static const char *const wrong[] = {SERVER("x", MODELS, "url: 'https://s', audience: a"),
		SERVER("x", MODELS, "grant: password, url: 'https://s', audience: a"),
		SERVER("x", MODELS, "grant: jwt-bearer, audience: a"),
		SERVER("x", MODELS, "grant: jwt-bearer, url: 'https://s'"),
		SERVER("x", MODELS, "grant: jwt-bearer, url: 'http://s', audience: a"),
		SERVER("x", MODELS, "grant: jwt-bearer, url: 'http://127.0.0.1:1', audience: a"),
		SERVER("x", MODELS, "grant: jwt-bearer, url: 'https://s', audience: 'a*'"),
		SERVER("x", MODELS, "grant: client-assertion, url: 'https://s', audience: a"),
		SERVER("x", MODELS,
			"grant: jwt-bearer, url: 'https://s', audience: a, client-id: c"),
		SERVER("x", MODELS, "grant: jwt-bearer, url: 'https://s', audience: a, target: t"),
		SERVER("x", MODELS, EXCHANGE ", per: server"),
		SERVER("x", "", EXCHANGE ", per: task"),
		SERVER("x", MODELS, EXCHANGE ", ca-file: ca.pem"),
		SERVER("x", MODELS, EXCHANGE ", body: xml"),
		SERVER("x", MODELS, EXCHANGE ", more: 1"),
		SERVER("x", MODELS, EXCHANGE ", parameters: [{name: client_secret, value: v}]"),
		SERVER("x", MODELS, EXCHANGE ", parameters: [{name: audience, value: v}]"),
		SERVER("x", MODELS, EXCHANGE ", parameters: [{name: 'a b', value: v}]"),
		SERVER("x", MODELS,
			EXCHANGE ", parameters: [{name: a, value: v}, {name: a, value: w}]"),
		"object: server\nname: x\nunit: support\nenvironment: staging\n" MODELS
		"transport: {url: 'https://c', credential: key, exchange: {" EXCHANGE "}}\n",
		"object: server\nname: x\nunit: support\nenvironment: staging\n"
		"transport: {stdio: [program], exchange: {" EXCHANGE "}}\n",
		"object: server\nname: x\nunit: support\nenvironment: staging\n" MODELS
		"transport: {url: 'https://c', exchange: {" EXCHANGE "}}\n"
		"credentials: [{identity: a1, credential: key}]\n",
		"object: server\nname: x\nunit: support\nenvironment: staging\n"
		"transport: {url: 'https://c', credential: 'exchange:https://s'}\n"};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (governed_apply(&world->issuing.governed, "adi", wrong[i]))
			fail_msg("taken: %s", wrong[i]);
	apply(world, SERVER("x", MODELS,
			     "grant: jwt-bearer, url: 'http://127.0.0.1:1', audience: a, "
			     "private-addresses: allowed"));
}

static const char *with_parameters(struct world *world, unsigned count)
{
	struct text list = TEXT("");

	for (unsigned i = 0; i < count; i++)
		list = text_format(world->issuing.governed.arena, "%.*s{name: p%u, value: v},",
			TEXT_ARGS(list), i);
	return text_format(world->issuing.governed.arena,
		SERVER("x", MODELS, EXCHANGE ", parameters: [%.*s]"), TEXT_ARGS(list))
		.data;
}

static void there_are_so_many_parameters_and_no_more(void **state)
{
	struct world *world = *state;

	apply(world, with_parameters(world, OUTBOUND_PARAMETERS_MAX));
	assert_false(governed_apply(&world->issuing.governed, "adi",
		with_parameters(world, OUTBOUND_PARAMETERS_MAX + 1)));
}

/* ---- asking ---- */

static void what_has_no_exchange_gets_nothing(void **state)
{
	struct waiter waiter;

	assert_false(want(*state, "files", &waiter));
	assert_int_equal(waiter.err.code, ERROR_INVALID);
	assert_false(want(*state, "nobody", &waiter));
	assert_int_equal(waiter.err.code, ERROR_INVALID);
}

static void one_exchange_serves_all_that_wait(void **state)
{
	struct world *world = *state;
	struct waiter waiters[3];

	for (int i = 0; i < 3; i++)
		assert_true(want(world, "cloud", &waiters[i]));
	outbound_forget(&waiters[1].wait);
	assert_int_equal(world->asked, 1);
	assert_string_equal(world->audience, "aud");
	assert_string_equal(world->body,
		"https://sts.example.com/t grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
		"token-exchange&audience=aud&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3A"
		"token-type%3Aaccess_token&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3A"
		"token-type%3Ajwt&subject_token=head.claims.signature&scope=s");
	answer_with(world, 200, ANSWER("t1", ",\"expires_in\":600"));
	assert_int_equal(waiters[0].runs, 1);
	assert_int_equal(waiters[1].runs, 0);
	assert_int_equal(waiters[2].runs, 1);
	assert_true(has(world, "cloud", "t1"));
	assert_int_equal(world->told, 1);
}

static void a_token_is_of_the_identity_the_task_or_the_server(void **state)
{
	struct world *world = *state;

	get(world, "cloud", ANSWER("t1", ""));
	assert_int_equal(world->signed_last.task.length, 0);
	assert_int_equal(world->signed_last.expires_utc_s - world->signed_last.issued_utc_s,
		IDENTITY_TOKEN_S);
	get(world, "each", ANSWER("t2", ""));
	assert_int_equal(world->signed_last.task.length, world->issuing.task.length);
	get(world, "shared", ANSWER("t3", ""));
	assert_int_equal(world->signed_last.identity.length, 0);
	assert_true(issuing_open_good(&world->issuing)); /* another task */
	assert_true(has(world, "cloud", "t1"));
	assert_false(has(world, "each", "t2"));
	assert_true(has(world, "shared", "t3"));
}

static void another_identity_or_environment_never_gets_it(void **state)
{
	struct world *world = *state;
	struct outbound_key key = key_of(world, "cloud");
	struct text found;

	get(world, "cloud", ANSWER("t1", ""));
	key.environment = ENVIRONMENT_DEV;
	assert_false(outbound_find(world->outbound, &key, &found));
	key = key_of(world, "cloud");
	key.identity = TEXT("a2");
	assert_false(outbound_find(world->outbound, &key, &found));
	key.identity = TEXT("");
	assert_false(outbound_find(world->outbound, &key, &found));
}

static void a_token_counts_once_its_record_is_durable(void **state)
{
	struct world *world = *state;
	struct fake_log *log = &world->issuing.governed.log;
	struct waiter waiter;

	assert_true(want(world, "cloud", &waiter));
	log->is_held = true;
	answer_with(world, 200, ANSWER("t1", ""));
	assert_int_equal(waiter.runs, 0);
	assert_false(has(world, "cloud", "t1"));
	fake_log_flush(log);
	turn(world);
	assert_int_equal(waiter.runs, 1);
	assert_true(has(world, "cloud", "t1"));
	log->is_held = false;
}

static void what_is_not_on_record_is_not_used(void **state)
{
	struct world *world = *state;
	struct waiter waiter;

	assert_true(want(world, "cloud", &waiter));
	world->issuing.governed.log.refuses = true;
	answer_with(world, 200, ANSWER("t1", ""));
	assert_int_equal(waiter.runs, 1);
	assert_true(waiter.err.code != ERROR_NONE);
	assert_false(has(world, "cloud", "t1"));
	world->issuing.governed.log.refuses = false;
}

/* ---- its time ---- */

static void a_token_is_at_hand_until_shortly_before_its_end(void **state)
{
	struct world *world = *state;
	struct outbound_key key = key_of(world, "cloud");

	get(world, "cloud", ANSWER("t1", ",\"expires_in\":100"));
	world->now_ms += 80999; /* a tenth before the end, and a tenth of what is left */
	assert_true(outbound_is_fresh(world->outbound, &key));
	world->now_ms += 1;
	assert_false(outbound_is_fresh(world->outbound, &key));
	world->now_ms += 8999;
	assert_true(has(world, "cloud", "t1"));
	world->now_ms += 1;
	assert_false(has(world, "cloud", "t1"));
}

static void lifetimes_are_bounded(void **state)
{
	struct world *world = *state;
	struct waiter waiter;

	get(world, "cloud", ANSWER("t1", ",\"expires_in\":99999999"));
	world->now_ms += OUTBOUND_LIFETIME_S_MAX * 1000 - OUTBOUND_MARGIN_MS_MAX - 1;
	assert_true(has(world, "cloud", "t1"));
	world->now_ms += 1;
	assert_false(has(world, "cloud", "t1"));
	get(world, "cloud", ANSWER("t2", "")); /* which does not say */
	world->now_ms += OUTBOUND_LIFETIME_S_DEFAULT * 1000 - OUTBOUND_MARGIN_MS_MAX - 1;
	assert_true(has(world, "cloud", "t2"));
	world->now_ms += 1;
	assert_false(has(world, "cloud", "t2"));
	get(world, "cloud", ANSWER("t3", ",\"expires_in\":10"));
	assert_int_equal(OUTBOUND_LIFETIME_S_MIN, 10);
	assert_true(want(world, "each", &waiter));
	answer_with(world, 200, ANSWER("t4", ",\"expires_in\":9"));
	assert_int_equal(waiter.err.code, ERROR_TIMEOUT);
}

static void after_a_failure_nothing_is_asked_for_a_while(void **state)
{
	struct world *world = *state;
	struct waiter waiter;
	int64_t wait_ms = OUTBOUND_BACKOFF_FIRST_MS;

	for (unsigned i = 1; i < 9; i++) {
		assert_true(want(world, "cloud", &waiter));
		assert_int_equal(world->asked, i);
		answer_with(world, 400, "{\"error\":\"invalid_grant\"}");
		assert_string_equal(
			waiter.err.text, "the token service refused (HTTP 400): invalid_grant");
		world->now_ms += wait_ms - 1;
		assert_false(want(world, "cloud", &waiter));
		assert_string_equal(
			waiter.err.text, "the token service refused (HTTP 400): invalid_grant");
		world->now_ms += 1;
		wait_ms = wait_ms * 2 > OUTBOUND_BACKOFF_LAST_MS ? OUTBOUND_BACKOFF_LAST_MS
								 : wait_ms * 2;
		if (wait_ms > 32000)
			wait_ms = OUTBOUND_BACKOFF_LAST_MS;
	}
	get(world, "cloud", ANSWER("t1", ""));
}

static void without_a_signer_nothing_is_asked(void **state)
{
	struct world *world = *state;
	struct waiter waiter;

	world->refuses_to_sign = true;
	assert_true(want(world, "cloud", &waiter));
	assert_int_equal(waiter.runs, 0); /* never inside */
	turn(world);
	assert_int_equal(waiter.runs, 1);
	assert_true(waiter.err.code == ERROR_IO);
	assert_int_equal(world->asked, 0);
}

static void a_token_that_is_not_taken_is_got_again_once_in_a_while(void **state)
{
	struct world *world = *state;
	struct outbound_key key = key_of(world, "cloud");

	get(world, "cloud", ANSWER("t1", ""));
	world->now_ms += OUTBOUND_RENOUNCE_MS - 1;
	outbound_renounce(world->outbound, &key);
	assert_true(has(world, "cloud", "t1"));
	world->now_ms += 1;
	outbound_renounce(world->outbound, &key);
	assert_false(has(world, "cloud", "t1"));
	get(world, "cloud", ANSWER("t2", ""));
	outbound_renounce(world->outbound, &key);
	assert_true(has(world, "cloud", "t2"));
}

/* ---- ends ---- */

static size_t held(struct world *world, const char *server)
{
	struct outbound_status status;

	outbound_status_of(world->outbound, text_of(server), &status);
	return status.held;
}

static void it_goes_with_its_task_and_its_identity(void **state)
{
	struct world *world = *state;
	struct text first = world->issuing.task;

	get(world, "cloud", ANSWER("t1", ""));
	get(world, "each", ANSWER("t2", ""));
	get(world, "shared", ANSWER("t3", ""));
	assert_true(issuing_open_good(&world->issuing));
	issuing_kill(&world->issuing, NULL, first);
	turn(world);
	assert_int_equal(held(world, "each"), 0);
	assert_int_equal(held(world, "cloud"), 1); /* it has another task */
	issuing_kill(&world->issuing, "a1", TEXT(""));
	turn(world);
	assert_int_equal(held(world, "cloud"), 0);
	assert_int_equal(held(world, "shared"), 1);
}

static void what_ends_while_its_token_is_got_never_has_it(void **state)
{
	struct world *world = *state;
	struct waiter waiter;

	assert_true(want(world, "cloud", &waiter));
	issuing_kill(&world->issuing, "a1", TEXT(""));
	answer_with(world, 200, ANSWER("t1", ""));
	assert_int_equal(waiter.runs, 1);
	assert_int_equal(waiter.err.code, ERROR_CONFLICT);
	assert_int_equal(held(world, "cloud"), 0);
	assert_int_equal(world->told, 0);
	assert_false(want(world, "cloud", &waiter));
	assert_int_equal(waiter.err.code, ERROR_CONFLICT);
}

static void a_document_that_is_changed_drops_what_the_old_one_gave(void **state)
{
	struct world *world = *state;
	struct waiter waiter;

	get(world, "cloud", ANSWER("t1", ""));
	assert_true(want(world, "shared", &waiter));
	apply(world, SERVER("cloud", MODELS, EXCHANGE ", target: other"));
	apply(world, SERVER("shared", "", EXCHANGE ", target: other"));
	turn(world);
	assert_int_equal(held(world, "cloud"), 0);
	answer_with(world, 200, ANSWER("t2", "")); /* to the old question */
	assert_int_equal(waiter.err.code, ERROR_CONFLICT);
	assert_false(has(world, "shared", "t2"));
	get(world, "cloud", ANSWER("t3", ""));
	assert_non_null(strstr(world->body, "audience=other"));
}

/* Of the server of that number, whose connection all share. */
static bool want_shared(struct world *world, unsigned number, struct waiter *waiter)
{
	char name[16];

	(void)snprintf(name, sizeof name, "s%u", number);
	return want(world, name, waiter);
}

static void so_many_are_got_at_once_and_no_more(void **state)
{
	struct world *world = *state;
	struct waiter *waiters = calloc(OUTBOUND_ENTRIES_MAX + 1, sizeof *waiters);

	assert_non_null(waiters);
	for (unsigned i = 0; i <= OUTBOUND_ENTRIES_MAX; i++) {
		char yaml[512];

		(void)snprintf(yaml, sizeof yaml, SERVER("s%u", "", EXCHANGE), i);
		apply(world, yaml);
	}
	for (unsigned i = 0; i < OUTBOUND_ENTRIES_MAX; i++)
		assert_true(want_shared(world, i, &waiters[i]));
	assert_false(want_shared(world, OUTBOUND_ENTRIES_MAX, &waiters[OUTBOUND_ENTRIES_MAX]));
	assert_int_equal(waiters[OUTBOUND_ENTRIES_MAX].err.code, ERROR_LIMIT);
	answer_with(world, 200, ANSWER("t1", ""));
	assert_true(want_shared(world, OUTBOUND_ENTRIES_MAX, &waiters[OUTBOUND_ENTRIES_MAX]));
	for (int i = 0; i <= OUTBOUND_ENTRIES_MAX; i++)
		outbound_forget(&waiters[i].wait);
	outbound_destroy(&world->outbound);
	assert_int_equal(world->cancelled, OUTBOUND_ENTRIES_MAX);
	free(waiters);
}

/* Who has many tasks takes no room of others', neither while theirs are got nor after. */
static void an_identity_has_a_share_of_them(void **state)
{
	struct world *world = *state;
	struct waiter waiters[OUTBOUND_PER_IDENTITY_MAX + 1], other;

	get(world, "shared", ANSWER("t0", ""));
	for (int i = 0; i < OUTBOUND_PER_IDENTITY_MAX; i++) {
		assert_true(want(world, "each", &waiters[i]));
		assert_true(issuing_open_good(&world->issuing));
	}
	assert_false(want(world, "each", &waiters[OUTBOUND_PER_IDENTITY_MAX]));
	assert_int_equal(waiters[OUTBOUND_PER_IDENTITY_MAX].err.code, ERROR_LIMIT);
	/* One of its own that is at hand gives way, and none of others. */
	answer_with(world, 200, ANSWER("t1", ""));
	assert_true(want(world, "each", &waiters[OUTBOUND_PER_IDENTITY_MAX]));
	assert_true(has(world, "shared", "t0"));
	assert_true(want(world, "shared", &other));
	for (int i = 0; i <= OUTBOUND_PER_IDENTITY_MAX; i++)
		outbound_forget(&waiters[i].wait);
	outbound_forget(&other.wait);
}

/* Between its record and those who wait. */
static void what_ends_before_it_is_told_of_is_a_failure_with_a_reason(void **state)
{
	const struct outbound_answer answer = {.status = 200, .body = TEXT(ANSWER("t1", ""))};
	struct world *world = *state;
	struct waiter waiter;

	assert_true(want(world, "cloud", &waiter));
	world->askings[0]->done(world->askings[0], &answer);
	assert_true(governed_step(&world->issuing.governed, "ana", REGISTRAR_SUSPEND, "a1"));
	turn(world);
	assert_int_equal(waiter.runs, 1);
	assert_int_equal(waiter.err.code, ERROR_CONFLICT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_exchanged_is_not_registered),
		TEST(there_are_so_many_parameters_and_no_more),
		TEST(what_has_no_exchange_gets_nothing),
		TEST(one_exchange_serves_all_that_wait),
		TEST(a_token_is_of_the_identity_the_task_or_the_server),
		TEST(another_identity_or_environment_never_gets_it),
		TEST(a_token_counts_once_its_record_is_durable),
		TEST(what_is_not_on_record_is_not_used),
		TEST(a_token_is_at_hand_until_shortly_before_its_end),
		TEST(lifetimes_are_bounded),
		TEST(after_a_failure_nothing_is_asked_for_a_while),
		TEST(without_a_signer_nothing_is_asked),
		TEST(a_token_that_is_not_taken_is_got_again_once_in_a_while),
		TEST(it_goes_with_its_task_and_its_identity),
		TEST(what_ends_while_its_token_is_got_never_has_it),
		TEST(a_document_that_is_changed_drops_what_the_old_one_gave),
		TEST(so_many_are_got_at_once_and_no_more),
		TEST(an_identity_has_a_share_of_them),
		TEST(what_ends_before_it_is_told_of_is_a_failure_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

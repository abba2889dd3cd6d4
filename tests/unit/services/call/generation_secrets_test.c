/* Secrets in what a model answers: the answer ends at the event that holds one, or that
 * completes one which is cut over several. */
#include "generation_bench.h"
#include "secret_bench.h"

#define KEY "key-of-a-provider/0123456789+ab=="
#define ARGUMENTS(piece)                                                                           \
	"{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"any\",\"arguments\":\"" piece      \
	"\"}}]}"

static int set_up(void **state)
{
	struct fixture *fixture = fixture_create(0, "open-key", KEY);

	assert_true(decide_bench_put(&fixture->bench.world, WORLD));
	assert_true(decide_bench_put(&fixture->bench.world,
		"object: identity\nname: agent\nkind: agent\nclass: retrieve\nrisk: low\nowner: "
		"ana\n"
		"backup-owner: bo\nunit: support\npurpose: Asks\nenvironments: [staging]\n"
		"model: [{provider: open, name: m-1, up-to: internal}]\n"
		"entitlements: [{effect: generate, resource: 'model:open/m-1'}]\n"
		"limits: {task: 15m, calls-per-minute: 100000}\n"));
	*state = fixture;
	return 0;
}

/* One event of a chat whose delta has this in the place of %. */
static void send_piece(struct call_bench *bench, const char *form, const char *piece, size_t length)
{
	const char *at = strchr(form, '%');
	char event[1024];

	if (bench->request == NULL)
		return; /* it was stopped */
	(void)snprintf(event, sizeof event,
		"data: {\"choices\":[{\"index\":0,\"delta\":%.*s%.*s%s}]}\n\n", (int)(at - form),
		form, (int)length, piece, at + 1);
	send(bench, event);
}

static void must_be_stopped(struct fixture *fixture, struct client *client)
{
	assert_int_equal(client->kind, CALL_STOPPED);
	assert_non_null(strstr(client->message, "holds a secret of remit's"));
	assert_null(strstr(client->message, KEY));
	assert_true(outcome_has(&fixture->bench, "\"status\":\"stopped\""));
	assert_true(outcome_has(&fixture->bench, "\"reason\":\"forbidden\""));
	assert_true(outcome_has(&fixture->bench, "\"fingerprints\":[\"f-"));
	assert_int_equal(fixture->sightings, 1);
	assert_int_equal(fixture->place, SECRET_IN_RESULT);
	assert_string_equal(fixture->subject, "open-key");
	fixture->sightings = 0;
	must_be_over(&fixture->bench, client);
}

/* ---- */

static void a_secret_in_one_event_ends_the_answer_before_it(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start(&fixture->bench, &client, STREAM);
	send(&fixture->bench, TEXT_OF("it is ") TEXT_OF("(" KEY ")") TEXT_OF(", keep it"));
	assert_true(text_is(buffer_text(&client.bytes), TEXT_OF("it is ")));
	must_be_stopped(fixture, &client);
}

static void a_secret_in_an_answer_that_is_no_stream_passes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start(&fixture->bench, &client, BODY);
	send_as(&fixture->bench, 200, UPSTREAM_JSON,
		"{\"choices\":[{\"message\":{\"content\":\"" KEY "\"}}]}");
	finish(&fixture->bench, 200);
	assert_int_equal(client.bytes.length, 0);
	must_be_stopped(fixture, &client);
}

static void a_secret_cut_over_events_ends_the_answer_where_it_is_whole(void **state)
{
	static const char *const forms[] = {"{\"content\":\"%\"}", "{\"refusal\":\"%\"}",
		"{\"reasoning_content\":\"%\"}", "{\"audio\":{\"transcript\":\"%\"}}",
		ARGUMENTS("%")};
	struct fixture *fixture = *state;
	size_t length = strlen(KEY);

	for (size_t form = 0; form < sizeof forms / sizeof *forms; form++)
		for (size_t cut = 1; cut < length; cut++) {
			struct client client;
			size_t passed;

			start(&fixture->bench, &client, STREAM);
			send_piece(&fixture->bench, forms[form], "it is ", 6);
			send_piece(&fixture->bench, forms[form], KEY, cut);
			assert_int_equal(client.replies, 0);
			passed = client.bytes.length;
			assert_non_null(memmem(client.bytes.data, passed, KEY, cut));
			send_piece(&fixture->bench, forms[form], &KEY[cut], length - cut);
			assert_int_equal(client.bytes.length, passed); /* and not a byte more */
			must_be_stopped(fixture, &client);
		}
}

static void a_secret_that_comes_letter_by_letter_is_never_whole(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start(&fixture->bench, &client, STREAM);
	for (size_t at = 0; at < strlen(KEY); at++) {
		assert_int_equal(client.replies, 0);
		send_piece(&fixture->bench, "{\"content\":\"%\"}", &KEY[at], 1);
	}
	must_be_stopped(fixture, &client);
}

#define BLOCK(index, text)                                                                         \
	"data: {\"type\":\"content_block_delta\",\"index\":" index ",\"delta\":{\"text\":\"" text  \
	"\"}}\n\n"
#define MESSAGES                                                                                   \
	"{\"max_tokens\":9,\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],"                 \
	"\"model\":\"m-1\",\"stream\":true}"

static void start_messages(struct call_bench *bench, struct client *client)
{
	struct error err;

	assert_true(start_for(bench, client, "messages", MESSAGES, &err));
	call_bench_pump(bench);
	call_bench_ready(bench, true);
	assert_non_null(bench->request);
}

/* Clients put the blocks of a message together. */
static void a_secret_cut_over_blocks_ends_the_answer(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start_messages(&fixture->bench, &client);
	send(&fixture->bench, BLOCK("0", "a") BLOCK("0", "key-of-a-pro"));
	send(&fixture->bench, BLOCK("1", "vider/01234"));
	assert_int_equal(client.replies, 0);
	send(&fixture->bench, BLOCK("2", "56789+ab==") BLOCK("2", "more"));
	assert_null(memmem(client.bytes.data, client.bytes.length, "56789", 5));
	must_be_stopped(fixture, &client);
}

static void pieces_of_other_texts_between_hide_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start_messages(&fixture->bench, &client);
	send(&fixture->bench, BLOCK("0", "key-of-a-pro") BLOCK("1", "other"));
	send(&fixture->bench, BLOCK("0", "vider/01234") BLOCK("1", "words"));
	assert_int_equal(client.replies, 0);
	send(&fixture->bench, BLOCK("0", "56789+ab=="));
	must_be_stopped(fixture, &client);
}

#define CHOICE(index, text)                                                                        \
	"data: {\"choices\":[{\"index\":" index ",\"delta\":{\"content\":\"" text "\"}}]}\n\n"

/* Nobody puts these together: nothing stops, and nothing is found. */
static void halves_in_texts_that_are_not_one_pass(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start(&fixture->bench, &client, STREAM);
	send(&fixture->bench, CHOICE("0", "key-of-a-provider/0") CHOICE("1", "123456789+ab=="));
	send(&fixture->bench, CHAT(ARGUMENTS("key-of-a-provider/0")));
	send(&fixture->bench, CHOICE("2", "123456789+ab==") DONE);
	finish(&fixture->bench, 200);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_int_equal(fixture->sightings, 0);
	must_be_over(&fixture->bench, &client);
}

/* Of others is told what stands in one event; it stops nothing. */
static void a_secret_of_others_is_told_and_passes(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	start(&fixture->bench, &client, STREAM);
	send(&fixture->bench, TEXT_OF("use " FOREIGN) DONE);
	finish(&fixture->bench, 200);
	assert_int_equal(client.kind, CALL_RESULT);
	assert_non_null(memmem(client.bytes.data, client.bytes.length, FOREIGN, strlen(FOREIGN)));
	assert_int_equal(fixture->sightings, 1);
	assert_true(outcome_has(&fixture->bench, "\"secrets\":1"));
	must_be_over(&fixture->bench, &client);
}

static void an_answer_has_so_many_texts_and_no_more(void **state)
{
	struct fixture *fixture = *state;

	for (int more = 0; more < 2; more++) {
		struct client client;

		start_messages(&fixture->bench, &client);
		for (int i = 0; i < GENERATION_TEXTS_MAX + more; i++) {
			char event[256];

			assert_int_equal(client.replies, 0);
			(void)snprintf(event, sizeof event,
				"data: {\"type\":\"content_block_delta\",\"index\":%d,\"delta\":"
				"{\"text\":\"a\"}}\n\n",
				i);
			send(&fixture->bench, event);
		}
		if (more == 0)
			finish(&fixture->bench, 200);
		assert_int_equal(client.kind, more == 0 ? CALL_FAILED : CALL_STOPPED);
		if (more != 0)
			assert_int_equal(client.reason, REASON_COULD_NOT_EVALUATE);
		must_be_over(&fixture->bench, &client);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_destroy)
	const struct CMUnitTest tests[] = {
		CASE(a_secret_in_one_event_ends_the_answer_before_it),
		CASE(a_secret_in_an_answer_that_is_no_stream_passes_nothing),
		CASE(a_secret_cut_over_events_ends_the_answer_where_it_is_whole),
		CASE(a_secret_that_comes_letter_by_letter_is_never_whole),
		CASE(a_secret_cut_over_blocks_ends_the_answer),
		CASE(pieces_of_other_texts_between_hide_nothing),
		CASE(halves_in_texts_that_are_not_one_pass),
		CASE(a_secret_of_others_is_told_and_passes),
		CASE(an_answer_has_so_many_texts_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

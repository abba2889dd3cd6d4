/* Who asks the signer, whatever that does: dies, hangs, talks nonsense.  This program is the
 * signer too, good or faulty, by its arguments. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "edges/confine/confine_keeper.h"
#include "edges/signer/child.h"
#include "edges/signer/serve.h"
#include "edges/signer/signer_private.h"
#include "signing.h"

enum { LOOK_MS = 2, LOOKS_MAX = 10000, ANSWER_MS = 100, ARENA_BYTES = 256 * 1024 };

/* ---- signers: the first argument says which ---- */

static int serve_well(const char *folder)
{
	const struct signer_serving serving = {.folder = folder,
		.give_up_files = confine_keeper_files,
		.give_up_calls = confine_keeper_calls};

	return signer_serve(&serving);
}

/* Greets and hears the issuer; then a question about tokens is answered as the fault says. */
static void answer_falsely(const char *fault, struct buffer *reply)
{
	if (strcmp(fault, "dies") == 0)
		_exit(7);
	if (strcmp(fault, "closes") == 0)
		(void)shutdown(SIGNER_TOKENS_FD, SHUT_RDWR);
	if (strcmp(fault, "numbers") == 0)
		reply->data[MESSAGE_HEADER_BYTES - 1]++;
	if (strcmp(fault, "types") == 0)
		reply->data[1] = MESSAGE_MAKE_KEY;
	if (strcmp(fault, "noise") == 0)
		memset(reply->data, 0xa5, reply->length);
	if (strcmp(fault, "tells") == 0) /* what nobody asked, besides */
		(void)send(SIGNER_TOKENS_FD, reply->data, reply->length, MSG_NOSIGNAL);
	if (strcmp(fault, "hangs") != 0)
		(void)send(SIGNER_TOKENS_FD, reply->data, reply->length, MSG_NOSIGNAL);
}

static int serve_falsely(const char *fault, const char *folder)
{
	const struct signer_settings settings = {.folder = folder, .master = SIGNER_MASTER_LEFT};
	char packet[MESSAGE_REQUEST_BYTES_MAX];
	struct signer *signer = NULL;
	struct buffer reply;
	struct error err;
	ssize_t got;

	if (!signer_open(&signer, &settings, &err))
		return SIGNER_EXIT_START;
	signer->tokens.stage = STAGE_NEW;
	buffer_init(&reply, MESSAGE_REPLY_BYTES_MAX);
	while ((got = recv(SIGNER_TOKENS_FD, packet, sizeof packet, 0)) > 0) {
		const struct text asked = {packet, (size_t)got};

		if (signer_handle(signer, CHANNEL_TOKENS, asked, &reply, &err) != SIGNER_ANSWERED)
			return SIGNER_EXIT_PEER;
		if (packet[1] == MESSAGE_SIGN_TOKEN)
			answer_falsely(fault, &reply);
		else
			(void)send(SIGNER_TOKENS_FD, reply.data, reply.length, MSG_NOSIGNAL);
	}
	return SIGNER_EXIT_DONE;
}

/* ---- one world ---- */

struct world {
	struct folder_of_keys folder;
	struct loop *loop;
	struct signer_child *child;
	struct arena *arena;
	unsigned yes, no;
	enum error_code last; /* why the last no */
	unsigned lost;
	/* What is waited for. */
	bool (*is_due)(const struct world *world);
	struct loop_timer look;
	unsigned looks;
	bool was_due; /* at the last look: the same turn may go on to the next state */
};

static void on_look(struct loop_timer *timer)
{
	struct world *world = timer->context;

	world->was_due = world->is_due(world);
	if (world->was_due || ++world->looks >= LOOKS_MAX)
		loop_stop(world->loop);
	else
		assert_true(loop_timer_start(world->loop, timer, LOOK_MS));
}

static void wait_until(struct world *world, bool (*is_due)(const struct world *world))
{
	struct error err;

	world->is_due = is_due;
	world->looks = 0;
	world->look = (struct loop_timer){.on_due = on_look, .context = world};
	assert_true(loop_timer_start(world->loop, &world->look, 0));
	assert_true(loop_run(world->loop, &err));
	assert_true(world->was_due);
}

static struct signer_child_status status_of(const struct world *world)
{
	struct signer_child_status status;

	signer_child_status(world->child, &status);
	return status;
}

static bool is_ready(const struct world *world)
{
	return status_of(world).is_ready;
}

static bool is_down(const struct world *world)
{
	return !status_of(world).is_ready;
}

static bool is_answered(const struct world *world)
{
	return status_of(world).in_flight == 0;
}

static bool is_lost(const struct world *world)
{
	return world->lost > 0;
}

static bool has_ended_once(const struct world *world)
{
	return status_of(world).ended == 1;
}

static void on_lost(void *context)
{
	((struct world *)context)->lost++;
}

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct error err;

	assert_non_null(world);
	folder_make(&world->folder);
	world->arena = arena_create(ARENA_BYTES);
	assert_true(loop_create(&world->loop, &err));
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	signer_child_stop(&world->child);
	loop_destroy(&world->loop);
	arena_destroy(&world->arena);
	folder_remove(&world->folder);
	free(world);
	return 0;
}

static bool begin(struct world *world, const char *kind, struct error *err)
{
	const char *const arguments[] = {"signer", kind, world->folder.keys, NULL};
	const struct signer_child_settings settings = {.program = "/proc/self/exe",
		.arguments = arguments,
		.loop = world->loop,
		.backoff_ms = 1,
		.answer_ms = strcmp(kind, "hangs") == 0 ? ANSWER_MS : 0,
		.context = world,
		.on_lost = on_lost};

	return signer_child_start(&world->child, &settings, err);
}

/* Running, and ready for tokens. */
static void begin_ready(struct world *world, const char *kind)
{
	struct error err = {0};

	if (!begin(world, kind, &err) || !signer_child_set_issuer(world->child, TEXT(ISSUER), &err))
		fail_msg("%s", err.text);
	assert_true(is_ready(world));
}

/* ---- asking ---- */

struct asked {
	struct token_signing signing;
	struct world *world;
	unsigned answers;
};

static void on_signed(struct token_signing *signing)
{
	struct asked *asked = signing->context;

	assert_int_equal(++asked->answers, 1);
	if (signing->is_signed) {
		asked->world->yes++;
		assert_true(text_starts_with(signing->token, "eyJ"));
		return;
	}
	assert_int_equal(signing->token.length, 0);
	asked->world->no++;
	asked->world->last = signing->err.code;
}

static void ask(struct world *world, struct asked *asked, const struct access_token *token)
{
	struct token_signer port = signer_child_tokens(world->child);

	*asked = (struct asked){.world = world};
	asked->signing = (struct token_signing){.done = on_signed, .context = asked};
	port.sign(port.context, token, &asked->signing);
}

static void ask_good(struct world *world, struct asked *asked, size_t count)
{
	const struct access_token token = token_of((int64_t)time(NULL));

	for (size_t i = 0; i < count; i++)
		ask(world, &asked[i], &token);
}

static enum error_code sign_head(
	struct world *world, struct tree_head head, const struct merkle_proof *proof)
{
	struct checkpoint_signer port = signer_child_checkpoints(world->child);
	struct checkpoint opened;
	struct error err = {0};
	struct buffer note;
	bool ok;

	buffer_init(&note, 4096);
	ok = port.sign(port.context, &head, proof, &note, &err);
	if (ok)
		assert_true(checkpoint_open(
			&opened, world->arena, buffer_text(&note), port.key, 1, &err));
	else
		assert_int_equal(note.length, 0);
	buffer_deinit(&note);
	return ok ? ERROR_NONE : err.code;
}

static uint64_t last_head(struct world *world)
{
	struct checkpoint_signer port = signer_child_checkpoints(world->child);
	struct tree_head head;
	struct error err;

	assert_true(port.last(port.context, &head, &err));
	return head.size;
}

/* ---- it does not start ---- */

static void keys_that_others_may_read_stop_the_start_and_say_so(void **state)
{
	struct world *world = *state;
	char path[128];
	struct error err = {0};

	assert_true(begin(world, "--signer", &err));
	signer_child_stop(&world->child);
	(void)snprintf(path, sizeof path, "%s/token.pem", world->folder.keys);
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(begin(world, "--signer", &err));
	assert_null(world->child);
	assert_int_equal(err.code, ERROR_INVALID);
	assert_non_null(strstr(err.text, "token.pem"));
}

static void a_program_that_is_no_signer_is_not_waited_for(void **state)
{
	static const char *const programs[] = {"/bin/true", "/nowhere/signer"};
	struct world *world = *state;
	struct signer_child_settings settings = {
		.arguments = (const char *const[]){"signer", NULL}, .loop = world->loop};
	struct error err = {0};

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		settings.program = programs[i];
		assert_false(signer_child_start(&world->child, &settings, &err));
		assert_null(world->child);
		assert_int_equal(err.code, ERROR_IO);
	}
}

static void more_arguments_than_the_bound_are_refused(void **state)
{
	struct world *world = *state;
	const char *words[SIGNER_ARGUMENTS_MAX + 2] = {NULL};
	struct signer_child_settings settings = {
		.program = "/bin/true", .arguments = words, .loop = world->loop};
	struct error err = {0};

	for (size_t i = 0; i <= SIGNER_ARGUMENTS_MAX; i++)
		words[i] = "word";
	assert_false(signer_child_start(&world->child, &settings, &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	words[SIGNER_ARGUMENTS_MAX] = NULL;
	assert_false(signer_child_start(&world->child, &settings, &err));
	assert_int_equal(err.code, ERROR_IO); /* it ran, and is no signer */
}

/* ---- it refuses ---- */

static void what_it_refuses_is_refused_and_it_goes_on(void **state)
{
	struct world *world = *state;
	struct access_token token = token_of((int64_t)time(NULL));
	struct asked asked[3];

	begin_ready(world, "--signer");
	token.issuer = TEXT("https://elsewhere.example");
	ask(world, &asked[0], &token);
	token = token_of((int64_t)time(NULL));
	token.expires_utc_s += 2 * CHARTER_TASK_S_MAX;
	ask(world, &asked[1], &token);
	ask_good(world, &asked[2], 1);
	wait_until(world, is_answered);
	assert_int_equal(world->no, 2);
	assert_int_equal(world->last, ERROR_INVALID);
	assert_int_equal(world->yes, 1);
	assert_true(is_ready(world));
}

static void nothing_is_signed_before_the_issuer_is_told(void **state)
{
	struct world *world = *state;
	struct error err = {0};
	struct asked asked;

	assert_true(begin(world, "--signer", &err));
	ask_good(world, &asked, 1);
	assert_int_equal(world->no, 1);
	assert_false(is_ready(world));
	assert_false(signer_child_set_issuer(world->child, TEXT("nowhere"), &err));
}

static void heads_rise_with_their_proof_or_are_refused(void **state)
{
	const struct merkle_proof proof = proof_of_2_in_3();
	struct world *world = *state;

	begin_ready(world, "--signer");
	assert_int_equal(last_head(world), 0);
	assert_int_equal(sign_head(world, head_of(2), NULL), ERROR_NONE);
	assert_int_equal(sign_head(world, head_of(1), NULL), ERROR_CONFLICT);
	assert_int_equal(sign_head(world, head_of(3), NULL), ERROR_CONFLICT);
	assert_int_equal(sign_head(world, head_of(3), &proof), ERROR_NONE);
	assert_int_equal(last_head(world), 3);
}

static void as_many_questions_as_the_bound_are_on_their_way_and_none_more(void **state)
{
	struct world *world = *state;
	struct asked *asked = calloc(SIGNER_IN_FLIGHT_MAX + 1, sizeof *asked);

	assert_non_null(asked);
	begin_ready(world, "--signer");
	ask_good(world, asked, SIGNER_IN_FLIGHT_MAX);
	assert_int_equal(world->no, 0);
	ask_good(world, &asked[SIGNER_IN_FLIGHT_MAX], 1);
	assert_int_equal(world->no, 1);
	assert_int_equal(world->last, ERROR_LIMIT);
	wait_until(world, is_answered);
	assert_int_equal(world->yes, SIGNER_IN_FLIGHT_MAX);
	free(asked);
}

/* Asks again with each answer, so that its channel is never empty. */
enum { BUSY_AT_ONCE = 512, BUSY_TOKENS = 6000 };

static void on_busy(struct token_signing *signing)
{
	struct asked *asked = signing->context;
	struct world *world = asked->world;

	if (!signing->is_signed)
		world->no++;
	else if (++world->yes + BUSY_AT_ONCE <= BUSY_TOKENS) {
		const struct access_token token = token_of((int64_t)time(NULL));
		struct token_signer port = signer_child_tokens(world->child);

		*signing = (struct token_signing){.done = on_busy, .context = asked};
		port.sign(port.context, &token, signing);
	}
}

static void one_that_is_always_busy_loses_no_question(void **state)
{
	const struct access_token token = token_of((int64_t)time(NULL));
	struct asked *asked = calloc(BUSY_AT_ONCE, sizeof *asked);
	struct world *world = *state;
	struct token_signer port;

	assert_non_null(asked);
	begin_ready(world, "--signer");
	port = signer_child_tokens(world->child);
	for (size_t i = 0; i < BUSY_AT_ONCE; i++) {
		asked[i] = (struct asked){.world = world};
		asked[i].signing = (struct token_signing){.done = on_busy, .context = &asked[i]};
		port.sign(port.context, &token, &asked[i].signing);
	}
	wait_until(world, is_answered);
	assert_int_equal(world->no, 0);
	assert_int_equal(world->yes, BUSY_TOKENS);
	free(asked);
}

/* ---- it dies ---- */

static void killed_between_questions_it_comes_back_with_its_last_head(void **state)
{
	const struct merkle_proof proof = proof_of_2_in_3();
	struct world *world = *state;
	struct asked asked[2];

	begin_ready(world, "--signer");
	assert_int_equal(sign_head(world, head_of(2), NULL), ERROR_NONE);
	assert_int_equal(kill((pid_t)status_of(world).process, SIGKILL), 0);
	wait_until(world, is_down);
	ask_good(world, &asked[0], 1);
	assert_int_equal(world->no, 1); /* at once: nobody waits for what may not come */
	assert_int_equal(world->last, ERROR_IO);
	wait_until(world, is_ready);
	ask_good(world, &asked[1], 1);
	wait_until(world, is_answered);
	assert_int_equal(world->yes, 1);
	assert_int_equal(last_head(world), 2);
	assert_int_equal(sign_head(world, head_of(1), NULL), ERROR_CONFLICT);
	assert_int_equal(sign_head(world, head_of(3), &proof), ERROR_NONE);
	assert_int_equal(world->lost, 0);
}

static void killed_with_questions_on_their_way_each_is_answered_by_no(void **state)
{
	enum { COUNT = 50 };
	struct world *world = *state;
	struct asked asked[COUNT];
	pid_t pid;

	begin_ready(world, "--signer");
	pid = (pid_t)status_of(world).process;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	ask_good(world, asked, COUNT);
	assert_int_equal(kill(pid, SIGKILL), 0);
	wait_until(world, is_answered);
	assert_int_equal(world->no, COUNT);
	assert_int_equal(world->last, ERROR_IO);
	wait_until(world, is_ready);
}

/* An error of CONFLICT would stop the log's signing for good. */
static void a_head_asked_of_a_dead_one_is_no_fork(void **state)
{
	struct world *world = *state;
	pid_t pid;

	begin_ready(world, "--signer");
	pid = (pid_t)status_of(world).process;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(sign_head(world, head_of(2), NULL), ERROR_IO);
	wait_until(world, is_down);
	assert_int_not_equal(sign_head(world, head_of(2), NULL), ERROR_CONFLICT);
	wait_until(world, is_ready);
	assert_int_equal(sign_head(world, head_of(2), NULL), ERROR_NONE);
}

static void it_is_started_so_often_in_a_row_and_then_given_up(void **state)
{
	struct world *world = *state;
	struct asked asked[SIGNER_RESTARTS_MAX + 2];
	struct asked late;

	begin_ready(world, "dies");
	for (int i = 0; i <= SIGNER_RESTARTS_MAX; i++) {
		assert_int_equal(world->lost, 0);
		wait_until(world, is_ready);
		ask_good(world, &asked[i], 1);
		wait_until(world, is_answered);
	}
	wait_until(world, is_lost);
	assert_int_equal(status_of(world).ended, SIGNER_RESTARTS_MAX + 1);
	assert_int_equal(world->lost, 1);
	assert_int_equal(world->no, SIGNER_RESTARTS_MAX + 1);
	ask_good(world, &late, 1);
	assert_int_equal(late.answers, 1);
	assert_int_equal(world->yes, 0);
}

/* ---- it does not do as it should ---- */

/* The question is answered by no, and the signer is ended for it. */
static void fails_by(struct world *world, const char *fault)
{
	struct asked asked;

	begin_ready(world, fault);
	ask_good(world, &asked, 1);
	wait_until(world, has_ended_once);
	assert_int_equal(asked.answers, 1);
	wait_until(world, is_ready);
}

static void one_that_hangs_is_ended(void **state)
{
	struct world *world = *state;

	fails_by(world, "hangs");
	assert_int_equal(world->no, 1);
}

static void one_that_closes_its_channel_is_ended(void **state)
{
	struct world *world = *state;

	fails_by(world, "closes");
	assert_int_equal(world->no, 1);
}

static void one_that_answers_another_number_is_ended(void **state)
{
	struct world *world = *state;

	fails_by(world, "numbers");
	assert_int_equal(world->no, 1);
}

static void one_that_answers_another_question_is_ended(void **state)
{
	struct world *world = *state;

	fails_by(world, "types");
	assert_int_equal(world->no, 1);
}

static void one_that_answers_noise_is_ended(void **state)
{
	struct world *world = *state;

	fails_by(world, "noise");
	assert_int_equal(world->no, 1);
}

static void one_that_answers_what_nobody_asked_is_ended(void **state)
{
	struct world *world = *state;

	fails_by(world, "tells");
	assert_int_equal(world->yes, 1); /* the first was an answer */
}

/* A folder of other keys in place of the first: it would sign another log. */
static void one_that_comes_back_with_another_key_of_the_log_is_not_taken(void **state)
{
	struct world *world = *state;
	struct folder_of_keys aside = world->folder;
	char path[128];

	begin_ready(world, "--signer");
	(void)snprintf(path, sizeof path, "%s/aside", world->folder.root);
	assert_int_equal(rename(world->folder.keys, path), 0);
	assert_int_equal(kill((pid_t)status_of(world).process, SIGKILL), 0);
	wait_until(world, is_lost);
	assert_true(is_down(world));
	memcpy(aside.keys, path, strlen(path) + 1);
	folder_remove(&aside);
}

/* ---- keys ---- */

struct made {
	struct token_signing signing;
	struct world *world;
	char kid[JWK_THUMBPRINT_BYTES];
	bool is_yes;
	bool is_there;
};

static void on_made(struct token_signing *signing)
{
	struct made *made = signing->context;
	struct public_key *key = NULL;
	struct error err;
	struct json jwk;

	made->is_there = true;
	made->is_yes = signing->is_signed;
	if (!signing->is_signed || signing->token.length == 0)
		return;
	assert_true(
		json_parse(&jwk, made->world->arena, signing->token, &json_limits_default, &err));
	assert_true(jwk_parse(&key, &jwk, &err));
	assert_true(jwk_thumbprint(made->kid, key, &err));
	public_key_destroy(&key);
}

static void a_key_is_made_and_used_over_the_channel(void **state)
{
	struct world *world = *state;
	struct token_signer port;
	struct made made = {.world = world}, used = {.world = world};

	begin_ready(world, "--signer");
	port = signer_child_tokens(world->child);
	made.signing = (struct token_signing){.done = on_made, .context = &made};
	port.make_key(port.context, &made.signing);
	wait_until(world, is_answered);
	assert_true(made.is_yes);
	used.signing = (struct token_signing){.done = on_made, .context = &used};
	port.use_key(port.context, text_of(made.kid), (int64_t)time(NULL) * 1000, &used.signing);
	wait_until(world, is_answered);
	assert_true(used.is_yes);
}

int main(int argc, char **argv)
{
#define CHILD_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		CHILD_TEST(keys_that_others_may_read_stop_the_start_and_say_so),
		CHILD_TEST(a_program_that_is_no_signer_is_not_waited_for),
		CHILD_TEST(more_arguments_than_the_bound_are_refused),
		CHILD_TEST(what_it_refuses_is_refused_and_it_goes_on),
		CHILD_TEST(nothing_is_signed_before_the_issuer_is_told),
		CHILD_TEST(heads_rise_with_their_proof_or_are_refused),
		CHILD_TEST(as_many_questions_as_the_bound_are_on_their_way_and_none_more),
		CHILD_TEST(one_that_is_always_busy_loses_no_question),
		CHILD_TEST(killed_between_questions_it_comes_back_with_its_last_head),
		CHILD_TEST(killed_with_questions_on_their_way_each_is_answered_by_no),
		CHILD_TEST(a_head_asked_of_a_dead_one_is_no_fork),
		CHILD_TEST(it_is_started_so_often_in_a_row_and_then_given_up),
		CHILD_TEST(one_that_hangs_is_ended),
		CHILD_TEST(one_that_closes_its_channel_is_ended),
		CHILD_TEST(one_that_answers_another_number_is_ended),
		CHILD_TEST(one_that_answers_another_question_is_ended),
		CHILD_TEST(one_that_answers_noise_is_ended),
		CHILD_TEST(one_that_answers_what_nobody_asked_is_ended),
		CHILD_TEST(one_that_comes_back_with_another_key_of_the_log_is_not_taken),
		CHILD_TEST(a_key_is_made_and_used_over_the_channel),
	};

	if (argc == 3)
		_exit(strcmp(argv[1], "--signer") == 0 ? serve_well(argv[2])
						       : serve_falsely(argv[1], argv[2]));
	return cmocka_run_group_tests(tests, NULL, NULL);
}

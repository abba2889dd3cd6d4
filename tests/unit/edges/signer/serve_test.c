/* The signer's process, attacked by who holds its channels: what a worker that was taken
 * over could say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/charter/charter.h"
#include "domain/token/claims.h"
#include "edges/confine/confine_keeper.h"
#include "edges/signer/message.h"
#include "edges/signer/serve.h"
#include "signing.h"

enum { ARENA_BYTES = 1024 * 1024, FLOOD = 5000, PROC_BYTES = 8192 };

struct attack {
	struct folder_of_keys folder;
	pid_t pid;
	int tokens;
	int heads;
	uint32_t number;       /* of the last question about tokens */
	uint32_t heads_number; /* of the last about heads */
	struct arena *arena;
	struct buffer packet;
	char reply[MESSAGE_REPLY_BYTES_MAX + 1];
};

/* ---- its life ---- */

static void run_signer(const struct attack *attack, int tokens, int heads)
{
	const struct signer_serving serving = {.folder = attack->folder.keys,
		.give_up_files = confine_keeper_files,
		.give_up_calls = confine_keeper_calls};
	int high_tokens = dup2(tokens, 20), high_heads = dup2(heads, 21);

	(void)dup2(high_tokens, SIGNER_TOKENS_FD);
	(void)dup2(high_heads, SIGNER_HEADS_FD);
	(void)close_range(SIGNER_HEADS_FD + 1, ~0U, 0);
	_exit(signer_serve(&serving));
}

static int start(void **state)
{
	struct attack *attack = calloc(1, sizeof *attack);
	int tokens[2], heads[2];

	assert_non_null(attack);
	folder_make(&attack->folder);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, tokens), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, heads), 0);
	(void)fflush(NULL);
	attack->pid = fork();
	assert_true(attack->pid >= 0);
	if (attack->pid == 0)
		run_signer(attack, tokens[1], heads[1]);
	close(tokens[1]);
	close(heads[1]);
	attack->tokens = tokens[0];
	attack->heads = heads[0];
	attack->arena = arena_create(ARENA_BYTES);
	buffer_init(&attack->packet, MESSAGE_REQUEST_BYTES_MAX + 4096);
	*state = attack;
	return 0;
}

static int exit_of(struct attack *attack)
{
	int status = 0;

	assert_int_equal(waitpid(attack->pid, &status, 0), attack->pid);
	attack->pid = 0;
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int end(void **state)
{
	struct attack *attack = *state;

	close(attack->tokens);
	close(attack->heads);
	if (attack->pid > 0)
		assert_int_equal(exit_of(attack), SIGNER_EXIT_DONE);
	buffer_deinit(&attack->packet);
	arena_destroy(&attack->arena);
	folder_remove(&attack->folder);
	free(attack);
	return 0;
}

/* ---- asking ---- */

static void make(struct attack *attack, enum message_type type, struct text payload)
{
	const struct message asked = {.type = type, .number = ++attack->number};

	buffer_reset(&attack->packet);
	message_start(&attack->packet, &asked);
	buffer_append_text(&attack->packet, payload);
}

static void say(struct attack *attack, int fd)
{
	ssize_t sent = send(fd, attack->packet.data, attack->packet.length, MSG_NOSIGNAL);

	assert_int_equal(sent, (ssize_t)attack->packet.length);
}

/* The status of the reply, whose payload is then in *out. */
static enum error_code hear(struct attack *attack, int fd, struct text *out)
{
	ssize_t got = recv(fd, attack->reply, sizeof attack->reply, 0);
	struct message reply;
	struct error err;

	assert_true(got > 0);
	assert_true(message_read(&reply, (struct text){attack->reply, (size_t)got}, &err));
	*out = reply.payload;
	return reply.status;
}

static enum error_code ask(struct attack *attack, enum message_type type, struct text payload)
{
	struct text answer;

	make(attack, type, payload);
	say(attack, attack->tokens);
	return hear(attack, attack->tokens, &answer);
}

static void greet(struct attack *attack)
{
	assert_int_equal(ask(attack, MESSAGE_HELLO, TEXT("")), ERROR_NONE);
	assert_int_equal(ask(attack, MESSAGE_SET_ISSUER, TEXT(ISSUER)), ERROR_NONE);
}

/* It says nothing more, and ended because of what was said. */
static void has_ended(struct attack *attack, int fd)
{
	assert_true(recv(fd, attack->reply, sizeof attack->reply, 0) <= 0);
	assert_int_equal(exit_of(attack), SIGNER_EXIT_PEER);
}

static enum error_code ask_token(struct attack *attack, const struct access_token *token)
{
	struct error err;
	struct json claims;
	enum error_code code;

	assert_true(access_token_claims(&claims, attack->arena, token, &err));
	code = ask(attack, MESSAGE_SIGN_TOKEN, json_canonical_text(attack->arena, &claims));
	arena_reset(attack->arena);
	return code;
}

static enum error_code ask_head(
	struct attack *attack, struct tree_head head, const struct merkle_proof *proof)
{
	struct text answer;

	buffer_reset(&attack->packet);
	message_put_head(&attack->packet, ++attack->heads_number, &head, proof);
	say(attack, attack->heads);
	return hear(attack, attack->heads, &answer);
}

static void run_by_hand_it_makes_no_keys(void **state)
{
	const struct attack *attack = *state;
	char folder[96];
	int status = 0;
	pid_t pid;

	(void)snprintf(folder, sizeof folder, "%s/other", attack->folder.root);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct signer_serving serving = {.folder = folder,
			.give_up_files = confine_keeper_files,
			.give_up_calls = confine_keeper_calls};

		(void)close_range(SIGNER_TOKENS_FD, ~0U, 0);
		_exit(signer_serve(&serving));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SIGNER_EXIT_START);
	assert_int_not_equal(access(folder, F_OK), 0);
}

/* ---- what ends it ---- */

static void a_message_of_no_table_ends_it(void **state)
{
	struct attack *attack = *state;

	greet(attack);
	make(attack, MESSAGE_TYPES, TEXT(""));
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void a_message_of_another_version_ends_it(void **state)
{
	struct attack *attack = *state;

	make(attack, MESSAGE_HELLO, TEXT(""));
	attack->packet.data[0] = MESSAGE_VERSION + 1;
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void noise_ends_it(void **state)
{
	struct attack *attack = *state;

	buffer_append_string(&attack->packet, "GET / HTTP/1.1\r\n\r\n");
	say(attack, attack->heads);
	has_ended(attack, attack->heads);
}

static void a_message_larger_than_any_ends_it(void **state)
{
	struct attack *attack = *state;
	char large[MESSAGE_CLAIMS_BYTES_MAX + 1];

	greet(attack);
	memset(large, ' ', sizeof large);
	make(attack, MESSAGE_SIGN_TOKEN, (struct text){large, sizeof large - 1});
	say(attack, attack->tokens);
	assert_int_equal(
		hear(attack, attack->tokens, &(struct text){0}), ERROR_INVALID); /* the bound */
	make(attack, MESSAGE_SIGN_TOKEN, (struct text){large, sizeof large});
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void a_question_of_heads_among_tokens_ends_it(void **state)
{
	struct attack *attack = *state;

	greet(attack);
	make(attack, MESSAGE_LAST_HEAD, TEXT(""));
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void a_token_asked_before_the_issuer_is_known_ends_it(void **state)
{
	struct attack *attack = *state;

	assert_int_equal(ask(attack, MESSAGE_HELLO, TEXT("")), ERROR_NONE);
	make(attack, MESSAGE_SIGN_TOKEN, TEXT("{}"));
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void another_issuer_later_ends_it(void **state)
{
	struct attack *attack = *state;

	greet(attack);
	make(attack, MESSAGE_SET_ISSUER, TEXT("https://elsewhere.example"));
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void a_number_out_of_turn_ends_it(void **state)
{
	struct attack *attack = *state;

	greet(attack);
	attack->number--;
	make(attack, MESSAGE_MAKE_KEY, TEXT(""));
	say(attack, attack->tokens);
	has_ended(attack, attack->tokens);
}

static void a_cut_head_ends_it(void **state)
{
	struct attack *attack = *state;
	const struct tree_head head = head_of(2);

	message_put_head(&attack->packet, 1, &head, NULL);
	attack->packet.length--;
	say(attack, attack->heads);
	has_ended(attack, attack->heads);
}

static void a_proof_longer_than_any_ends_it(void **state)
{
	struct attack *attack = *state;
	const struct tree_head head = head_of(2);
	struct merkle_proof proof = {.count = MERKLE_PROOF_HASHES_MAX};

	message_put_head(&attack->packet, ++attack->heads_number, &head, &proof);
	say(attack, attack->heads);
	assert_int_equal(hear(attack, attack->heads, &(struct text){0}), ERROR_CONFLICT);
	buffer_reset(&attack->packet);
	message_put_head(&attack->packet, ++attack->heads_number, &head, &proof);
	buffer_append(&attack->packet, proof.hashes[0].bytes, SHA256_BYTES);
	say(attack, attack->heads);
	has_ended(attack, attack->heads);
}

/* ---- what it refuses ---- */

static void a_token_that_is_not_ours_to_issue_is_refused(void **state)
{
	struct attack *attack = *state;
	int64_t now_s = (int64_t)time(NULL);
	struct access_token token = token_of(now_s);

	greet(attack);
	token.issuer = TEXT("https://elsewhere.example");
	assert_int_equal(ask_token(attack, &token), ERROR_INVALID);
	token = token_of(now_s);
	token.audience = TEXT("https://elsewhere.example/mcp/files");
	assert_int_equal(ask_token(attack, &token), ERROR_INVALID);
	token = token_of(now_s);
	token.expires_utc_s = now_s + 2 * CHARTER_TASK_S_MAX;
	assert_int_equal(ask_token(attack, &token), ERROR_INVALID);
	token = token_of(now_s - 3600);
	assert_int_equal(ask_token(attack, &token), ERROR_INVALID);
	token = token_of(now_s + 3600);
	assert_int_equal(ask_token(attack, &token), ERROR_INVALID);
	token = token_of(now_s);
	token.scope = TEXT("admin");
	assert_int_equal(ask_token(attack, &token), ERROR_INVALID);
	token = token_of(now_s);
	assert_int_equal(ask_token(attack, &token), ERROR_NONE);
}

/* Good claims, with these members after them. */
static enum error_code ask_with(struct attack *attack, const char *more)
{
	struct access_token token = token_of((int64_t)time(NULL));
	struct json claims, extra;
	struct json_builder all;
	struct error err;
	enum error_code code;

	assert_true(access_token_claims(&claims, attack->arena, &token, &err));
	assert_true(json_parse(&extra, attack->arena, text_of(more), &json_limits_default, &err));
	json_object_start(&all, attack->arena);
	for (uint32_t i = 0; i < claims.count; i++)
		if (json_find_text(&extra, claims.members[i].name) == NULL)
			json_put_named(&all, claims.members[i].name, claims.members[i].value);
	for (uint32_t i = 0; i < extra.count; i++)
		json_put_named(&all, extra.members[i].name, extra.members[i].value);
	assert_true(json_object_seal(&all, &claims, &err));
	code = ask(attack, MESSAGE_SIGN_TOKEN, json_canonical_text(attack->arena, &claims));
	arena_reset(attack->arena);
	return code;
}

#define THUMBPRINT "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void a_claim_of_no_table_or_of_another_form_is_refused(void **state)
{
	static const char *const wrong[] = {"{\"admin\":true}", "{\"iat\":\"now\"}",
		"{\"aud\":[\"" ISSUER "/mcp/files\"]}", "{\"cnf\":{}}", "{\"cnf\":{\"jkt\":\"x\"}}",
		"{\"cnf\":{\"jkt\":\"" THUMBPRINT "\",\"x5t#S256\":\"" THUMBPRINT "\"}}",
		"{\"cnf\":{\"jwk\":{}}}", "{\"act\":{}}", "{\"act\":{\"sub\":\"other\"}}",
		"{\"act\":{\"sub\":\"deployer\",\"admin\":true}}", "{\"act\":\"deployer\"}",
		"{\"epoch\":-1}", "{\"epoch\":4294967296}", "{\"epoch\":\"0\"}",
		"{\"client_id\":\"other\"}", "{\"may_act\":{}}", "{\"may_act\":{\"sub\":1}}",
		"{\"authorization_details\":[]}", "{\"authorization_details\":[{}]}",
		"{\"authorization_details\":{\"type\":\"x\"}}"};
	struct attack *attack = *state;

	greet(attack);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (ask_with(attack, wrong[i]) != ERROR_INVALID)
			fail_msg("signed: %s", wrong[i]);
}

static void what_other_grants_may_say_is_signed(void **state)
{
	static const char *const right[] = {"{\"cnf\":{\"jkt\":\"" THUMBPRINT "\"}}",
		"{\"cnf\":{\"x5t#S256\":\"" THUMBPRINT "\"}}",
		"{\"act\":{\"sub\":\"deployer\",\"act\":{\"sub\":\"planner\"}},\"sub\":\"first\"}",
		"{\"may_act\":{\"sub\":\"planner\"}}", "{\"epoch\":4294967295}",
		"{\"authorization_details\":[{\"type\":\"remit_call\"}]}"};
	struct attack *attack = *state;

	greet(attack);
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		if (ask_with(attack, right[i]) != ERROR_NONE)
			fail_msg("refused: %s", right[i]);
}

static void claims_that_are_not_canonical_are_refused(void **state)
{
	struct attack *attack = *state;
	struct access_token token = token_of((int64_t)time(NULL));
	struct json claims;
	struct error err;
	struct text text, spaced;

	greet(attack);
	assert_true(access_token_claims(&claims, attack->arena, &token, &err));
	text = json_canonical_text(attack->arena, &claims);
	spaced = text_format(attack->arena, "%.*s ", TEXT_ARGS(text));
	assert_int_equal(ask(attack, MESSAGE_SIGN_TOKEN, spaced), ERROR_INVALID);
	assert_int_equal(ask(attack, MESSAGE_SIGN_TOKEN, TEXT("[]")), ERROR_INVALID);
	assert_int_equal(ask(attack, MESSAGE_SIGN_TOKEN, text), ERROR_NONE);
}

static void a_smaller_or_forked_head_is_refused(void **state)
{
	const struct merkle_proof proof = proof_of_2_in_3();
	struct attack *attack = *state;
	struct tree_head forked = head_of(3);

	assert_int_equal(ask_head(attack, head_of(2), NULL), ERROR_NONE);
	assert_int_equal(ask_head(attack, head_of(1), NULL), ERROR_CONFLICT);
	forked.root.bytes[0] ^= 1;
	assert_int_equal(ask_head(attack, forked, &proof), ERROR_CONFLICT);
	assert_int_equal(ask_head(attack, head_of(3), &proof), ERROR_NONE);
}

/* ---- keys ---- */

static enum error_code use(struct attack *attack, struct text kid, int64_t from_utc_ms)
{
	struct text answer;

	buffer_reset(&attack->packet);
	message_put_use(&attack->packet, ++attack->number, kid, from_utc_ms);
	say(attack, attack->tokens);
	return hear(attack, attack->tokens, &answer);
}

static void a_key_that_was_never_made_is_not_used(void **state)
{
	struct attack *attack = *state;
	int64_t now_ms = (int64_t)time(NULL) * 1000;

	greet(attack);
	assert_int_equal(use(attack, TEXT(THUMBPRINT), now_ms), ERROR_NOT_FOUND);
	assert_int_equal(ask(attack, MESSAGE_MAKE_KEY, TEXT("")), ERROR_NONE);
	assert_int_equal(use(attack, TEXT(THUMBPRINT), now_ms), ERROR_NOT_FOUND);
}

/* ---- floods ---- */

static void a_flood_is_answered_one_by_one_and_takes_no_memory(void **state)
{
	struct attack *attack = *state;
	const struct access_token token = token_of((int64_t)time(NULL));
	unsigned sent = 0, answered = 0;
	struct json claims;
	struct error err;
	struct text text, answer;

	greet(attack);
	assert_true(access_token_claims(&claims, attack->arena, &token, &err));
	text = json_canonical_text(attack->arena, &claims);
	while (sent < FLOOD) {
		make(attack, MESSAGE_SIGN_TOKEN, text);
		if (send(attack->tokens, attack->packet.data, attack->packet.length,
			    MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)attack->packet.length) {
			sent++;
			continue;
		}
		attack->number--; /* its channel is full: the sender must read */
		assert_int_equal(hear(attack, attack->tokens, &answer), ERROR_NONE);
		answered++;
	}
	for (; answered < sent; answered++)
		assert_int_equal(hear(attack, attack->tokens, &answer), ERROR_NONE);
}

/* ---- what it has left ---- */

static void read_proc(const struct attack *attack, const char *name, char out[PROC_BYTES])
{
	char path[64];
	FILE *file;
	size_t got;

	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)attack->pid, name);
	file = fopen(path, "re");
	assert_non_null(file);
	got = fread(out, 1, PROC_BYTES - 1, file);
	out[got] = '\0';
	(void)fclose(file);
}

static void it_runs_with_nothing_it_does_not_need(void **state)
{
	struct attack *attack = *state;
	char status[PROC_BYTES], limits[PROC_BYTES];

	greet(attack); /* all was given up before */
	read_proc(attack, "status", status);
	assert_non_null(strstr(status, "NoNewPrivs:\t1"));
	assert_non_null(strstr(status, "Seccomp:\t2"));
	assert_non_null(strstr(status, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(status, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(status, "Name:\tremitd-signer"));
	read_proc(attack, "limits", limits);
	assert_non_null(strstr(limits, "Max core file size        0                    0"));
}

static void it_ends_with_who_asks_and_not_before(void **state)
{
	struct attack *attack = *state;

	greet(attack);
	assert_int_equal(kill(attack->pid, SIGTERM), 0);
	assert_int_equal(kill(attack->pid, SIGINT), 0);
	assert_int_equal(ask_head(attack, head_of(2), NULL), ERROR_NONE);
	close(attack->heads);
	assert_int_equal(exit_of(attack), SIGNER_EXIT_DONE);
}

int main(void)
{
#define SERVE_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		SERVE_TEST(run_by_hand_it_makes_no_keys),
		SERVE_TEST(a_message_of_no_table_ends_it),
		SERVE_TEST(a_message_of_another_version_ends_it),
		SERVE_TEST(noise_ends_it),
		SERVE_TEST(a_message_larger_than_any_ends_it),
		SERVE_TEST(a_question_of_heads_among_tokens_ends_it),
		SERVE_TEST(a_token_asked_before_the_issuer_is_known_ends_it),
		SERVE_TEST(another_issuer_later_ends_it),
		SERVE_TEST(a_number_out_of_turn_ends_it),
		SERVE_TEST(a_cut_head_ends_it),
		SERVE_TEST(a_proof_longer_than_any_ends_it),
		SERVE_TEST(a_token_that_is_not_ours_to_issue_is_refused),
		SERVE_TEST(a_claim_of_no_table_or_of_another_form_is_refused),
		SERVE_TEST(what_other_grants_may_say_is_signed),
		SERVE_TEST(claims_that_are_not_canonical_are_refused),
		SERVE_TEST(a_smaller_or_forked_head_is_refused),
		SERVE_TEST(a_key_that_was_never_made_is_not_used),
		SERVE_TEST(a_flood_is_answered_one_by_one_and_takes_no_memory),
		SERVE_TEST(it_runs_with_nothing_it_does_not_need),
		SERVE_TEST(it_ends_with_who_asks_and_not_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/token/claims.h"
#include "domain/token/identity_token.h"
#include "edges/signer/signer_private.h"

enum { NOW_S = 1793491200, TOKEN_BYTES = 4096, ARENA_BYTES = 256 * 1024 };

#define ISSUER "http://127.0.0.1:8470"

/* One folder of keys and the signer on it. */
struct fixture {
	char folder[64];
	char keys[80];
	struct signer *signer;
	struct arena *arena;
};

static int64_t fixed_clock(void *context)
{
	(void)context;
	return (int64_t)NOW_S * 1000;
}

static bool open_signer(struct fixture *fixture, struct error *err)
{
	const struct signer_settings settings = {
		.folder = fixture->keys,
		.wall_utc_ms = fixed_clock,
	};

	return signer_open(&fixture->signer, &settings, err);
}

static int start(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err = {0};

	assert_non_null(fixture);
	memcpy(fixture->folder, "/tmp/signer-test-XXXXXX", 24);
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(fixture->keys, sizeof fixture->keys, "%s/keys", fixture->folder);
	fixture->arena = arena_create(ARENA_BYTES);
	assert_true(open_signer(fixture, &err));
	*state = fixture;
	return 0;
}

static void path_of(const struct fixture *fixture, const char *name, char out[400])
{
	snprintf(out, 400, "%s/%s", fixture->keys, name);
}

static int end(void **state)
{
	struct fixture *fixture = *state;
	char command[400];

	signer_close(&fixture->signer);
	arena_destroy(&fixture->arena);
	/* Few files with known names; the tests name any other they make. */
	static const char *const names[] = {
		"token.pem", "checkpoint.pem", "master.key", "origin", "head", "aside"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_of(fixture, names[i], command);
		unlink(command);
	}
	rmdir(fixture->keys);
	rmdir(fixture->folder);
	free(fixture);
	return 0;
}

static const struct access_token good = {
	.issuer = {ISSUER, sizeof ISSUER - 1},
	.identity = {"deployer", 8},
	.audience = {ISSUER "/mcp/files", sizeof ISSUER "/mcp/files" - 1},
	.id = {"one", 3},
	.task = {"t-00000000000000000000", 22},
	.scope = {"call", 4},
	.environment = ENVIRONMENT_STAGING,
	.issued_utc_s = NOW_S,
	.expires_utc_s = NOW_S + 900,
};

struct signed_token {
	struct token_signing signing; /* first */
	struct fixture *fixture;
	const struct access_token *token;
	uint32_t answers_count;
};

static void on_signed(struct token_signing *signing)
{
	struct signed_token *signed_token = signing->context;
	const struct access_token_rules rules = {
		good.issuer, signed_token->token->audience, 86400, NOW_S};
	struct access_token read;

	signed_token->answers_count++;
	if (signing->is_signed) {
		assert_int_equal(
			access_token_check(&read, signed_token->fixture->arena, signing->token,
				signer_tokens(signed_token->fixture->signer).key, &rules),
			TOKEN_ACCEPTED);
		assert_true(token_binding_equal(&read.binding, &signed_token->token->binding));
	} else {
		assert_int_equal(signing->token.length, 0);
		assert_int_equal(signing->err.code, ERROR_INVALID);
	}
}

static bool sign(struct fixture *fixture, const struct access_token *token)
{
	struct token_signer port = signer_tokens(fixture->signer);
	struct signed_token signed_token = {.fixture = fixture, .token = token};

	signed_token.signing = (struct token_signing){.done = on_signed, .context = &signed_token};
	port.sign(port.context, token, &signed_token.signing);
	assert_int_equal(signed_token.answers_count, 1);
	return signed_token.signing.is_signed;
}

static void on_card(struct token_signing *signing)
{
	uint32_t *answers = signing->context;

	(*answers)++;
	if (signing->is_signed) {
		ptrdiff_t dots = text_find_byte(signing->token, '.');

		assert_true(dots > 0);
		assert_int_equal(
			text_find_byte(text_after(signing->token, (size_t)dots + 2), '.'), -1);
	} else
		assert_int_equal(signing->err.code, ERROR_INVALID);
}

static bool sign_card(struct fixture *fixture, const char *text)
{
	struct card_signer port = signer_cards(fixture->signer);
	uint32_t answers = 0;
	struct token_signing signing = {.done = on_card, .context = &answers};
	struct json card;
	struct error err;

	assert_true(json_parse(&card, fixture->arena, text_of(text), &json_limits_default, &err));
	port.sign(port.context, &card, &signing);
	assert_int_equal(answers, 1);
	return signing.is_signed;
}

#define CARD_AT(url, more)                                                                         \
	"{\"name\":\"a\"" more ",\"supportedInterfaces\":[{\"url\":\"" url "\"}]}"

static void what_is_no_card_of_a_peer_here_is_not_signed(void **state)
{
	static const char *const wrong[] = {"[]", "{}", "{\"name\":\"a\"}",
		"{\"name\":\"a\",\"supportedInterfaces\":[]}", CARD_AT("http://other/a2a/a", ""),
		CARD_AT(ISSUER "/mcp/a", ""), CARD_AT(ISSUER "/a2a/", ""),
		CARD_AT(ISSUER "/a2a/a/b", ""), CARD_AT(ISSUER "x/a2a/a", ""),
		CARD_AT(ISSUER "/a2a/a", ",\"iss\":\"" ISSUER "\""),
		CARD_AT(ISSUER "/a2a/a", ",\"exp\":1"), CARD_AT(ISSUER "/a2a/a", ",\"aud\":\"x\""),
		CARD_AT(ISSUER "/a2a/a", ",\"signatures\":[]"),
		"{\"name\":\"a\",\"supportedInterfaces\":[{\"url\":\"" ISSUER
		"/a2a/a\"},{\"url\":\"http://other/\"}]}"};
	struct error err;

	assert_false(sign_card(*state, CARD_AT("/a2a/a", "")));
	assert_true(signer_set_issuer(((struct fixture *)*state)->signer, TEXT(ISSUER), &err));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (sign_card(*state, wrong[i]))
			fail_msg("signed: %s", wrong[i]);
	assert_true(sign_card(*state, CARD_AT(ISSUER "/a2a/a", "")));
}

static void on_identity(struct token_signing *signing)
{
	uint32_t *answers = signing->context;

	(*answers)++;
	assert_true(signing->is_signed || signing->err.code == ERROR_INVALID);
}

static bool sign_identity(struct fixture *fixture, const struct identity_token *token)
{
	struct identity_signer port = signer_identities(fixture->signer);
	uint32_t answers = 0;
	struct token_signing signing = {.done = on_identity, .context = &answers};

	port.sign(port.context, token, &signing);
	assert_int_equal(answers, 1);
	return signing.is_signed;
}

/* One that is right, to be spoilt. */
static struct identity_token identity_made(void)
{
	return (struct identity_token){.issuer = TEXT(ISSUER),
		.audience = TEXT("https://sts.example.com"),
		.id = TEXT("one"),
		.identity = TEXT("a1"),
		.environment = ENVIRONMENT_STAGING,
		.unit = TEXT("support"),
		.task = TEXT("t-00000000000000000000"),
		.issued_utc_s = NOW_S,
		.expires_utc_s = NOW_S + IDENTITY_TOKEN_S_MAX};
}

static void an_identity_token_has_an_audience_of_others(void **state)
{
	static const char *const ours[] = {ISSUER, ISSUER "/", ISSUER "/mcp/files", ISSUER "/llm/x",
		"HTTP://127.0.0.1:8470/mcp/files", ""};
	struct fixture *fixture = *state;
	struct identity_token token = identity_made();
	char long_one[IDENTITY_TOKEN_AUDIENCE_BYTES_MAX + 1];
	struct error err;

	assert_false(sign_identity(fixture, &token)); /* before the issuer is set */
	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	assert_true(sign_identity(fixture, &token));
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
		token.audience = text_of(ours[i]);
		assert_false(sign_identity(fixture, &token));
	}
	memset(long_one, 'a', sizeof long_one);
	token.audience = (struct text){long_one, sizeof long_one - 1};
	assert_true(sign_identity(fixture, &token));
	token.audience.length++;
	assert_false(sign_identity(fixture, &token));
}

static void an_identity_token_is_of_one_who_acts_now_and_not_for_long(void **state)
{
	struct fixture *fixture = *state;
	struct identity_token right = identity_made(), token;
	struct error err;

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
#define SPOILT(change)                                                                             \
	do {                                                                                       \
		token = right;                                                                     \
		token.change;                                                                      \
		assert_false(sign_identity(fixture, &token));                                      \
	} while (0)
	SPOILT(issuer = TEXT("https://other.example.com"));
	SPOILT(server = TEXT("files"));
	SPOILT(identity = TEXT(""));
	SPOILT(identity = TEXT("a:b"));
	SPOILT(id = TEXT(""));
	SPOILT(unit = TEXT("a:b"));
	SPOILT(task = TEXT("other"));
	SPOILT(expires_utc_s = NOW_S);
	SPOILT(expires_utc_s = NOW_S + IDENTITY_TOKEN_S_MAX + 1);
	SPOILT(issued_utc_s = NOW_S - TOKEN_SKEW_S - 1);
	SPOILT(issued_utc_s = NOW_S + TOKEN_SKEW_S + 1);
#undef SPOILT
	token = right;
	token.identity = token.task = token.unit = TEXT("");
	token.server = TEXT("files");
	assert_true(sign_identity(fixture, &token));
}

/* Nor is it a token of ours by what it says. */
static void an_identity_token_says_nothing_else(void **state)
{
	static const char *const more[] = {"\"client_id\":\"a1\"", "\"scope\":\"call\"",
		"\"cnf\":{}", "\"act\":{}", "\"nonce\":\"n\"", "\"epoch\":0"};
	struct fixture *fixture = *state;
	struct identity_token token = identity_made();
	struct json claims;
	struct error err;

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	assert_true(identity_token_claims(&claims, fixture->arena, &token, &err));
	assert_true(signer_check_identity(fixture->signer, &claims, &err));
	assert_false(signer_check_claims(fixture->signer, &claims, &err));
	for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
		struct text text = json_canonical_text(fixture->arena, &claims);
		struct json spoilt;

		text = text_format(
			fixture->arena, "{%s,%.*s", more[i], TEXT_ARGS(text_after(text, 1)));
		assert_true(json_parse(&spoilt, fixture->arena, text, &json_limits_default, &err));
		assert_false(signer_check_identity(fixture->signer, &spoilt, &err));
	}
}

static void nothing_is_signed_before_the_issuer_is_set(void **state)
{
	struct fixture *fixture = *state;
	struct access_token token = good;
	struct error err = {0};

	assert_false(sign(fixture, &good));
	token.issuer = TEXT("");
	token.audience = TEXT("/mcp/files");
	assert_false(sign(fixture, &token));
	assert_false(signer_set_issuer(fixture->signer, TEXT(""), &err));
	assert_false(signer_set_issuer(fixture->signer, TEXT("127.0.0.1"), &err));
	assert_false(signer_set_issuer(fixture->signer, TEXT(ISSUER "/"), &err));
	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	assert_true(sign(fixture, &good));
	assert_false(signer_set_issuer(fixture->signer, TEXT("http://other"), &err));
	assert_int_equal(err.code, ERROR_CONFLICT);
}

static void a_token_says_what_it_is_bound_to(void **state)
{
	struct fixture *fixture = *state;
	struct access_token token = good;
	struct error err = {0};

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	token.binding.thumbprint = sha256_of("key", 3);
	for (int kind = BINDING_NONE; kind <= BINDING_MTLS; kind++) {
		token.binding.kind = (enum binding)kind;
		assert_true(sign(fixture, &token));
	}
	token.binding.kind = (enum binding)(BINDING_MTLS + 1);
	assert_false(sign(fixture, &token));
}

static void a_token_for_elsewhere_is_not_signed(void **state)
{
	static const char *const audiences[] = {"", ISSUER "/", ISSUER "/mcp/", ISSUER "/mcp/a/b",
		ISSUER "/mcp/../v1", ISSUER "/mcp/A", ISSUER "/v1/files", ISSUER "x/mcp/files",
		"http://other/mcp/files", ISSUER "/mcp/files?x=1", ISSUER "/mcp/files ",
		ISSUER "/applications/", ISSUER "/applications/a/b", ISSUER "/applications"};
	struct fixture *fixture = *state;
	struct access_token token = good;
	struct error err = {0};

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	for (size_t i = 0; i < sizeof audiences / sizeof audiences[0]; i++) {
		token.audience = text_of(audiences[i]);
		assert_false(sign(fixture, &token));
	}
	token = good;
	token.issuer = TEXT("http://127.0.0.1:8471");
	assert_false(sign(fixture, &token));
}

static void a_token_for_a_decision_point_is_signed(void **state)
{
	static const char *const audiences[] = {ISSUER, ISSUER "/applications/shop"};
	struct fixture *fixture = *state;
	struct access_token token = good;
	struct error err = {0};

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	for (size_t i = 0; i < sizeof audiences / sizeof audiences[0]; i++) {
		token.audience = text_of(audiences[i]);
		assert_true(sign(fixture, &token));
	}
}

static void a_lifetime_or_moment_that_cannot_be_is_not_signed(void **state)
{
	static const int64_t ends[] = {0, NOW_S - 1, NOW_S, NOW_S + 86401, INT64_MAX, INT64_MIN};
	struct fixture *fixture = *state;
	struct access_token token = good;
	struct error err = {0};

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		token.expires_utc_s = ends[i];
		assert_false(sign(fixture, &token));
	}
	token.expires_utc_s = NOW_S + 86400;
	assert_true(sign(fixture, &token));
	token = good;
	token.issued_utc_s = NOW_S - 61;
	assert_false(sign(fixture, &token));
	token.issued_utc_s = NOW_S + 61;
	assert_false(sign(fixture, &token));
}

static void a_token_without_task_or_with_more_scope_is_not_signed(void **state)
{
	struct fixture *fixture = *state;
	struct access_token token = good;
	struct error err = {0};

	assert_true(signer_set_issuer(fixture->signer, TEXT(ISSUER), &err));
	token.task = TEXT("");
	assert_false(sign(fixture, &token));
	token.task = TEXT("s-00000000000000000000");
	assert_false(sign(fixture, &token));
	token = good;
	token.scope = TEXT("call admin");
	assert_false(sign(fixture, &token));
	token = good;
	token.environment = ENVIRONMENT_NONE;
	assert_false(sign(fixture, &token));
	token = good;
	token.id = TEXT("");
	assert_false(sign(fixture, &token));
	token = good;
	token.identity = TEXT("");
	assert_false(sign(fixture, &token));
}

/* ---- checkpoints ---- */

/* A tree of count leaves "0", "1" ...; its head. */
static struct tree_head head_of(uint64_t count)
{
	struct merkle_frontier frontier = {0};
	char leaf[24];

	for (uint64_t i = 0; i < count; i++) {
		struct sha256 hash;

		snprintf(leaf, sizeof leaf, "%llu", (unsigned long long)i);
		hash = merkle_leaf_hash(text_of(leaf));
		merkle_append(&frontier, &hash);
	}
	return (struct tree_head){count, merkle_root(&frontier)};
}

static bool sign_head(struct fixture *fixture, struct tree_head head,
	const struct merkle_proof *proof, enum error_code *code)
{
	struct checkpoint_signer port = signer_checkpoints(fixture->signer);
	struct checkpoint opened;
	struct error err = {0};
	struct buffer note;
	bool is_ok = false;

	buffer_init(&note, TOKEN_BYTES);
	is_ok = port.sign(port.context, &head, proof, &note, &err);
	if (is_ok) {
		assert_true(checkpoint_open(
			&opened, fixture->arena, buffer_text(&note), port.key, 1, &err));
		assert_int_equal(opened.head.size, head.size);
	} else {
		assert_int_equal(note.length, 0);
	}
	*code = err.code;
	buffer_deinit(&note);
	return is_ok;
}

/* Tree of 2 to tree of 3: the proof is the third leaf. */
static struct merkle_proof proof_of_2_in_3(void)
{
	return (struct merkle_proof){1, {merkle_leaf_hash(TEXT("2"))}};
}

static void a_head_that_does_not_extend_the_last_is_never_signed(void **state)
{
	const struct merkle_proof nothing = {0};
	const struct merkle_proof proof = proof_of_2_in_3();
	struct fixture *fixture = *state;
	struct tree_head forked = head_of(3);
	enum error_code code;

	assert_true(sign_head(fixture, head_of(2), &nothing, &code));
	assert_false(sign_head(fixture, head_of(1), &nothing, &code));
	assert_int_equal(code, ERROR_CONFLICT);
	assert_false(sign_head(fixture, head_of(3), &nothing, &code));
	forked.root.bytes[0] ^= 1;
	assert_false(sign_head(fixture, forked, &proof, &code));
	forked = head_of(2);
	forked.root.bytes[0] ^= 1;
	assert_false(sign_head(fixture, forked, &nothing, &code));
	assert_true(sign_head(fixture, head_of(3), &proof, &code));
	assert_true(sign_head(fixture, head_of(3), &nothing, &code));
}

static void the_last_head_survives_a_restart(void **state)
{
	const struct merkle_proof nothing = {0};
	const struct merkle_proof proof = proof_of_2_in_3();
	struct fixture *fixture = *state;
	struct checkpoint_signer port;
	struct tree_head last;
	struct error err = {0};
	enum error_code code;

	assert_true(sign_head(fixture, head_of(2), &nothing, &code));
	signer_close(&fixture->signer);
	assert_true(open_signer(fixture, &err));
	port = signer_checkpoints(fixture->signer);
	assert_true(port.last(port.context, &last, &err));
	assert_int_equal(last.size, 2);
	assert_false(sign_head(fixture, head_of(1), &nothing, &code));
	assert_true(sign_head(fixture, head_of(3), &proof, &code));
}

static void nothing_is_signed_when_the_head_cannot_be_kept(void **state)
{
	const struct merkle_proof nothing = {0};
	struct fixture *fixture = *state;
	char obstacle[400];
	enum error_code code;

	path_of(fixture, ".new-head", obstacle);
	assert_int_equal(mkdir(obstacle, 0700), 0);
	assert_false(sign_head(fixture, head_of(2), &nothing, &code));
	assert_int_equal(code, ERROR_IO);
	assert_int_equal(rmdir(obstacle), 0);
	assert_true(sign_head(fixture, head_of(2), &nothing, &code));
}

/* ---- files ---- */

static void a_lost_or_open_key_file_stops_the_start(void **state)
{
	static const char *const names[] = {"token.pem", "checkpoint.pem", "master.key"};
	struct fixture *fixture = *state;
	struct error err = {0};
	char path[400], aside[400];

	signer_close(&fixture->signer);
	path_of(fixture, "aside", aside);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_of(fixture, names[i], path);
		assert_int_equal(chmod(path, 0640), 0);
		assert_false(open_signer(fixture, &err));
		assert_int_equal(err.code, ERROR_INVALID);
		assert_int_equal(chmod(path, 0600), 0);
		assert_int_equal(rename(path, aside), 0);
		assert_false(open_signer(fixture, &err));
		assert_int_equal(err.code, ERROR_CORRUPT);
		assert_null(fixture->signer);
		assert_int_equal(rename(aside, path), 0);
	}
	assert_int_equal(chmod(fixture->keys, 0750), 0);
	assert_false(open_signer(fixture, &err));
	assert_int_equal(chmod(fixture->keys, 0700), 0);
	assert_true(open_signer(fixture, &err));
}

static void a_first_start_cut_short_is_finished_with_the_same_keys(void **state)
{
	struct fixture *fixture = *state;
	struct text before, after;
	struct error err = {0};
	char path[400];

	assert_true(signer_public_keys(fixture->signer, fixture->arena, &before, &err));
	signer_close(&fixture->signer);
	path_of(fixture, "origin", path);
	assert_int_equal(unlink(path), 0);
	assert_true(open_signer(fixture, &err));
	assert_true(signer_public_keys(fixture->signer, fixture->arena, &after, &err));
	/* A new name, so another vkey, but the token key comes last and is kept. */
	assert_true(text_ends_with(after, before.data + before.length - 40));
}

static void keys_made_once_are_kept_and_private(void **state)
{
	static const char *const names[] = {"token.pem", "checkpoint.pem", "master.key", "origin"};
	struct fixture *fixture = *state;
	struct seal_key master = *signer_master_key(fixture->signer);
	struct text before, after;
	struct error err = {0};
	struct stat found;
	char path[400];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		path_of(fixture, names[i], path);
		assert_int_equal(stat(path, &found), 0);
		assert_int_equal(found.st_mode & 0777, 0600);
	}
	assert_true(signer_public_keys(fixture->signer, fixture->arena, &before, &err));
	signer_close(&fixture->signer);
	assert_true(open_signer(fixture, &err));
	assert_true(signer_public_keys(fixture->signer, fixture->arena, &after, &err));
	assert_true(text_equal(before, after));
	assert_memory_equal(&master, signer_master_key(fixture->signer), sizeof master);
}

static void a_retired_log_key_is_replaced_under_a_new_name(void **state)
{
	const struct merkle_proof nothing = {0};
	struct fixture *fixture = *state;
	struct text before, after;
	struct checkpoint_signer port = signer_checkpoints(fixture->signer);
	char origin[NOTE_NAME_BYTES_MAX + 1], path[400], name[300];
	struct tree_head last;
	struct error err = {0};
	enum error_code code;

	snprintf(origin, sizeof origin, "%s", port.key->name);
	assert_true(sign_head(fixture, head_of(2), &nothing, &code));
	assert_true(signer_public_keys(fixture->signer, fixture->arena, &before, &err));
	signer_close(&fixture->signer);
	assert_true(signer_retire_checkpoint_key(fixture->keys, &err));
	assert_false(signer_retire_checkpoint_key(fixture->keys, &err));
	assert_int_equal(err.code, ERROR_NOT_FOUND);
	assert_true(open_signer(fixture, &err));
	assert_true(signer_public_keys(fixture->signer, fixture->arena, &after, &err));
	assert_false(text_equal(before, after));
	port = signer_checkpoints(fixture->signer);
	assert_true(port.last(port.context, &last, &err));
	assert_int_equal(last.size, 0);
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = {"head", "checkpoint.pem", "origin"};

		snprintf(name, sizeof name, "%s-%s", names[i], origin);
		path_of(fixture, name, path);
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
#define SIGNER_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		SIGNER_TEST(nothing_is_signed_before_the_issuer_is_set),
		SIGNER_TEST(a_token_for_elsewhere_is_not_signed),
		SIGNER_TEST(what_is_no_card_of_a_peer_here_is_not_signed),
		SIGNER_TEST(an_identity_token_has_an_audience_of_others),
		SIGNER_TEST(an_identity_token_is_of_one_who_acts_now_and_not_for_long),
		SIGNER_TEST(an_identity_token_says_nothing_else),
		SIGNER_TEST(a_token_says_what_it_is_bound_to),
		SIGNER_TEST(a_token_for_a_decision_point_is_signed),
		SIGNER_TEST(a_lifetime_or_moment_that_cannot_be_is_not_signed),
		SIGNER_TEST(a_token_without_task_or_with_more_scope_is_not_signed),
		SIGNER_TEST(a_head_that_does_not_extend_the_last_is_never_signed),
		SIGNER_TEST(the_last_head_survives_a_restart),
		SIGNER_TEST(nothing_is_signed_when_the_head_cannot_be_kept),
		SIGNER_TEST(a_lost_or_open_key_file_stops_the_start),
		SIGNER_TEST(a_first_start_cut_short_is_finished_with_the_same_keys),
		SIGNER_TEST(keys_made_once_are_kept_and_private),
		SIGNER_TEST(a_retired_log_key_is_replaced_under_a_new_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

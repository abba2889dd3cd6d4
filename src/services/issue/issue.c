/* The token service: its making, its clock, and the table of refusals.  What it
 * does is in open.c, authenticate.c, introspect.c, end.c and person.c. */
#include "services/issue/issue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "services/issue/issue_private.h"

static const struct {
	const char *word;
	const char *meaning;
} refusals[] = {
#define ISSUE_REFUSAL_ROW(name, word, meaning) [name] = {word, meaning},
	ISSUE_REFUSALS(ISSUE_REFUSAL_ROW)
#undef ISSUE_REFUSAL_ROW
};
_Static_assert(sizeof refusals / sizeof refusals[0] == ISSUE_REFUSAL_COUNT, "a row for each");

const char *issue_refusal_word(enum issue_refusal refusal)
{
	return refusals[(size_t)refusal < ISSUE_REFUSAL_COUNT ? refusal : ISSUE_REFUSED].word;
}

const char *issue_refusal_meaning(enum issue_refusal refusal)
{
	return refusals[(size_t)refusal < ISSUE_REFUSAL_COUNT ? refusal : ISSUE_REFUSED].meaning;
}

int64_t issue_now_utc_ms(const struct issue *issue)
{
	struct timespec now;

	if (issue->parts.wall_utc_ms != NULL)
		return issue->parts.wall_utc_ms(issue->parts.clock_context);
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool issue_is_closed(const struct issue *issue)
{
	return issue->issuer[0] == '\0' || fold_has_failed(issue->parts.fold);
}

bool issue_can_sign(const struct issue *issue)
{
	const struct token_signer *signer = &issue->parts.signer;

	return signer->is_ready == NULL || signer->is_ready(signer->context);
}

static int64_t clock_of(void *context)
{
	return issue_now_utc_ms(context);
}

/* What was remembered of tokens was signed by keys that may hold no longer. */
static void forget_tokens(void *context)
{
	struct issue *issue = context;

	memset(issue->tokens, 0, TOKEN_CACHE_SETS * sizeof *issue->tokens);
}

static bool make_token_keys(struct issue *issue, struct error *err)
{
	const struct token_keys_parts parts = {.fold = issue->parts.fold,
		.signer = issue->parts.signer,
		.overlap_ms = issue->parts.key_overlap_ms,
		.wall_utc_ms = clock_of,
		.clock_context = issue,
		.on_change = forget_tokens,
		.change_context = issue};

	return token_keys_create(&issue->token_keys, &parts, err);
}

bool issue_keys_list(void *context, struct arena *arena, struct json *out, struct error *err)
{
	const struct issue *issue = context;

	return token_keys_list(issue->token_keys, arena, out, err);
}

bool issue_keys_rotate(void *context, const struct token_key_rotation *asked, struct error *err)
{
	const struct issue *issue = context;

	return token_keys_rotate(issue->token_keys, asked, err);
}

bool issue_key_set(
	const struct issue *issue, struct arena *arena, struct json *out, struct error *err)
{
	return token_keys_publish(issue->token_keys, arena, out, err);
}

static bool register_with_fold(struct issue *issue, struct error *err)
{
	static const struct {
		const char *type;
		fold_apply *apply;
	} rows[] = {
		{"task-opened", issue_fold_assertion},
		{"assertion-used", issue_fold_assertion},
		{"assertion", issue_fold_assertion},
		{"token-refreshed", issue_fold_assertion},
		{"task-opened", issue_fold_refresh},
		{"token-refreshed", issue_fold_refresh},
		{"task-ended", issue_fold_refresh},
		{"kill", issue_fold_refresh},
		{"task-ended", issue_fold_look},
		{"kill", issue_fold_look},
		{"kill", issue_fold_kill},
		{"kill-receipt", issue_fold_receipt},
		{"state", issue_fold_look},
	};
	static const struct fold_projector projectors[] = {
		{"task-opened", issue_project_assertion},
		{"assertion-used", issue_project_assertion},
		{"token-refreshed", issue_project_assertion},
		{"token-refreshed", issue_project_refresh},
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct fold_handler handler = {
			.type = rows[i].type, .apply = rows[i].apply, .state = issue};

		if (!fold_add(issue->parts.fold, &handler, err))
			return false;
	}
	for (size_t i = 0; i < sizeof projectors / sizeof projectors[0]; i++)
		if (!fold_add_projector(issue->parts.fold, &projectors[i], err))
			return false;
	return true;
}

bool issue_create(struct issue **out, const struct issue_parts *parts, struct error *err)
{
	static const struct replay_bounds assertions = {
		ISSUE_ASSERTIONS_MAX, ISSUE_ASSERTIONS_PER_IDENTITY_MAX};
	static const struct replay_bounds requests = {
		ISSUE_REQUESTS_MAX, ISSUE_REQUESTS_PER_PERSON_MAX};
	static const struct replay_bounds proofs = {
		ISSUE_PROOFS_MAX, ISSUE_PROOFS_PER_IDENTITY_MAX};
	struct issue *issue = calloc(1, sizeof *issue);
	bool is_ok = false;

	*out = NULL;
	if (issue == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the token service");
	issue->parts = *parts;
	issue->tokens = calloc(TOKEN_CACHE_SETS, sizeof *issue->tokens);
	issue->proof_keys = calloc(ISSUE_PROOF_KEYS_CACHED, sizeof *issue->proof_keys);
	issue->certificates = issue_certificates_create();
	issue->scratch = arena_create(TOKEN_ARENA_BYTES_MAX);
	random_bytes(issue->nonce_key, sizeof issue->nonce_key);
	if (issue->tokens == NULL || issue->proof_keys == NULL || issue->certificates == NULL ||
		issue->scratch == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the token service");
		goto done;
	}
	issue->created_utc_s = issue_now_utc_ms(issue) / 1000;
	if (!replay_table_create(&issue->assertions, &assertions, err) ||
		!replay_table_create(&issue->requests, &requests, err) ||
		!replay_table_create(&issue->proofs, &proofs, err) ||
		!refresh_table_create(&issue->refreshes, err) || !make_token_keys(issue, err) ||
		!register_with_fold(issue, err))
		goto done;
	*out = issue;
	issue = NULL;
	is_ok = true;
done:
	issue_destroy(&issue);
	return is_ok;
}

void issue_destroy(struct issue **issue)
{
	if (*issue == NULL)
		return;
	if ((*issue)->has_expiry)
		loop_timer_stop((*issue)->parts.loop, &(*issue)->expiry);
	issue_sessions_drop(*issue);
	issue_receipts_drop(*issue);
	issue_openings_drop(*issue);
	issue_sweeps_drop(*issue);
	issue_endings_drop(*issue);
	issue_lookings_drop(*issue);
	issue_claims_drop(*issue);
	issue_answerings_drop(*issue);
	issue_consents_drop(*issue);
	refresh_table_destroy(&(*issue)->refreshes);
	for (size_t i = 0; i < ISSUE_KEYS_CACHED; i++)
		public_key_destroy(&(*issue)->keys[i].key);
	token_keys_destroy(&(*issue)->token_keys);
	for (size_t i = 0; (*issue)->proof_keys != NULL && i < ISSUE_PROOF_KEYS_CACHED; i++)
		public_key_destroy(&(*issue)->proof_keys[i].key);
	replay_table_destroy(&(*issue)->assertions);
	replay_table_destroy(&(*issue)->requests);
	replay_table_destroy(&(*issue)->proofs);
	free((*issue)->proof_keys);
	free((*issue)->certificates);
	explicit_bzero((*issue)->nonce_key, sizeof(*issue)->nonce_key);
	arena_destroy(&(*issue)->scratch);
	free((*issue)->tokens);
	free(*issue);
	*issue = NULL;
}

bool issue_set_issuer(struct issue *issue, struct text issuer, struct error *err)
{
	if (issuer.length == 0 || issuer.length >= sizeof issue->issuer ||
		text_ends_with(issuer, "/") || text_find_byte(issuer, '"') >= 0)
		return error_set(err, ERROR_INVALID,
			"the issuer must be a URL of at most %zu bytes without / at its end",
			sizeof issue->issuer - 1);
	memset(issue->issuer, 0, sizeof issue->issuer);
	memcpy(issue->issuer, issuer.data, issuer.length);
	return true;
}

struct text issue_issuer(const struct issue *issue)
{
	return text_of(issue->issuer);
}

struct text issue_audience(const struct issue *issue, struct arena *arena, struct text server)
{
	const struct text parts[] = {text_of(issue->issuer), TEXT("/mcp/"), server};

	return text_concat(arena, parts, 3);
}

struct text issue_provider_audience(
	const struct issue *issue, struct arena *arena, struct text provider)
{
	const struct text parts[] = {text_of(issue->issuer), TEXT("/llm/"), provider};

	return text_concat(arena, parts, 3);
}

struct text issue_peer_audience(const struct issue *issue, struct arena *arena, struct text peer)
{
	const struct text parts[] = {text_of(issue->issuer), TEXT("/a2a/"), peer};

	return text_concat(arena, parts, 3);
}

struct text issue_point_audience(
	const struct issue *issue, struct arena *arena, struct text application)
{
	const struct text parts[] = {text_of(issue->issuer), TEXT("/applications/"), application};

	return application.length == 0 ? parts[0] : text_concat(arena, parts, 3);
}

/* What follows the issuer and the folder; empty if it is not below it. */
static struct text name_below(const struct issue *issue, struct text audience, const char *folder)
{
	size_t length = strlen(issue->issuer);
	struct text rest;

	if (length == 0 || audience.length <= length ||
		memcmp(audience.data, issue->issuer, length) != 0)
		return (struct text){0};
	rest = (struct text){audience.data + length, audience.length - length};
	if (!text_starts_with(rest, folder))
		return (struct text){0};
	return (struct text){rest.data + strlen(folder), rest.length - strlen(folder)};
}

struct text issue_server_of(const struct issue *issue, struct text audience)
{
	return name_below(issue, audience, "/mcp/");
}

bool issue_is_audience(const struct issue *issue, struct text audience)
{
	const struct registry *registry = issue->parts.registry;
	struct text application = name_below(issue, audience, "/applications/");
	const struct server *server =
		registry_find_server(registry, issue_server_of(issue, audience));
	const struct server *provider =
		registry_find_server(registry, name_below(issue, audience, "/llm/"));
	const struct server *peer =
		registry_find_server(registry, name_below(issue, audience, "/a2a/"));

	return text_is(audience, issue->issuer) ||
	       (server != NULL && server->speaks == SPEAKS_MCP) ||
	       (provider != NULL && speaks_is_provider(provider->speaks)) ||
	       (peer != NULL && peer->speaks == SPEAKS_A2A) ||
	       registry_find_application(registry, application) != NULL;
}

bool issue_is_from_sandbox(const struct issue *issue, const struct task *task)
{
	const struct registry_entry *entry =
		registry_find_identity(issue->parts.registry, task->identity);

	return entry != NULL && task->charter_version < entry->more->tasks_since;
}

/* ---- keys ---- */

_Static_assert(
	ISSUE_KEYS_CACHED % KEYS_OF_A_SET == 0 && ISSUE_PROOF_KEYS_CACHED % KEYS_OF_A_SET == 0,
	"all sets are whole");

/* Where a key of this digest is, or is to be: keys lie in sets of KEYS_OF_A_SET, so that two
 * that are used in turn do not drive each other out.  The one driven out is any. */
static struct cached_key *find_place(
	struct cached_key *keys, size_t count, const struct sha256 *digest)
{
	struct cached_key *set, *free_place = NULL;
	uint32_t hash = 0;

	memcpy(&hash, digest->bytes, sizeof hash);
	set = keys + hash % (count / KEYS_OF_A_SET) * KEYS_OF_A_SET;
	for (size_t i = 0; i < KEYS_OF_A_SET; i++) {
		if (set[i].key == NULL)
			free_place = &set[i];
		else if (sha256_equal(&set[i].digest, digest))
			return &set[i];
	}
	return free_place != NULL ? free_place : &set[digest->bytes[4] % KEYS_OF_A_SET];
}

/* Puts the key, taken over in any case, in its place. */
static const struct cached_key *keep_key(struct cached_key *place, struct public_key *key,
	struct cached_key *made, struct error *err)
{
	if (!jwk_thumbprint(made->thumbprint, key, err)) {
		public_key_destroy(&key);
		return NULL;
	}
	public_key_destroy(&place->key);
	*place = *made;
	place->key = key;
	return place;
}

const struct cached_key *issue_key(
	struct issue *issue, struct arena *arena, const struct json *jwk, struct error *err)
{
	struct text canonical = json_canonical_text(arena, jwk);
	struct public_key *key = NULL;
	struct cached_key *place = NULL;
	struct cached_key made = {0};

	if (canonical.data == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a key");
		return NULL;
	}
	made.digest = sha256_of(canonical.data, canonical.length);
	place = find_place(issue->keys, ISSUE_KEYS_CACHED, &made.digest);
	if (place->key != NULL && sha256_equal(&place->digest, &made.digest))
		return place;
	if (!jwk_parse(&key, jwk, err))
		return NULL;
	return keep_key(place, key, &made, err);
}

const struct cached_key *issue_proof_key(struct issue *issue, struct arena *arena,
	const struct dpop_proof *proof, enum token_reason *reason)
{
	const struct text parts[] = {text_of(signature_algorithm_name(proof->jws.algorithm)),
		json_canonical_text(arena, &proof->jws.key)};
	const struct cached_key *kept = NULL;
	struct public_key *key = NULL;
	struct cached_key *place = NULL;
	struct cached_key made = {0};
	struct error err = {0};

	*reason = TOKEN_NO_ROOM;
	if (parts[1].data == NULL)
		return NULL;
	made.digest = sha256_of_parts(parts, 2);
	place = find_place(issue->proof_keys, ISSUE_PROOF_KEYS_CACHED, &made.digest);
	if (place->key != NULL && sha256_equal(&place->digest, &made.digest))
		return place;
	*reason = dpop_key(&key, proof);
	if (*reason != TOKEN_ACCEPTED)
		return NULL;
	kept = keep_key(place, key, &made, &err);
	if (kept == NULL)
		*reason = TOKEN_NO_ROOM;
	return kept;
}

void issue_status(const struct issue *issue, struct issue_status *out)
{
	*out = issue->status;
}

/* Whose token it is, now.
 *
 * A1  The cache remembers signatures, never verdicts: expiry, task, epochs and
 *     identity are looked at on every use.
 * A2  Only tokens whose every check passed enter it, so strangers cannot fill it.
 * A3  It keeps what a token is bound to; that the request shows it is checked each time. */
#include <string.h>
#include <strings.h>

#include "domain/charter/form.h"
#include "domain/task/chain.h"
#include "services/issue/issue_private.h"

static struct cached_token *find_cached(struct issue *issue, const struct sha256 *digest)
{
	struct cached_token *set = NULL;
	uint32_t hash = 0;

	memcpy(&hash, digest->bytes, sizeof hash);
	set = issue->tokens[hash % TOKEN_CACHE_SETS];
	for (size_t i = 0; i < TOKEN_CACHE_WAYS; i++)
		if (set[i].expires_utc_s != 0 && sha256_equal(&set[i].digest, digest))
			return &set[i];
	return NULL;
}

static void remember(struct issue *issue, const struct cached_token *token)
{
	struct cached_token *set = NULL;
	uint32_t hash = 0;

	memcpy(&hash, token->digest.bytes, sizeof hash);
	set = issue->tokens[hash % TOKEN_CACHE_SETS];
	for (size_t i = 0; i < TOKEN_CACHE_WAYS; i++)
		if (set[i].expires_utc_s == 0) {
			set[i] = *token;
			return;
		}
	set[issue->next_way++ % TOKEN_CACHE_WAYS] = *token;
}

enum token_reason issue_identity_state(const struct issue *issue, struct text identity)
{
	const struct registry_entry *entry =
		registry_find_identity(issue->parts.registry, identity);
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;

	if (entry == NULL || entry->state != IDENTITY_ACTIVE || entry->in_force == NULL ||
		is_expired(charter_of(entry->in_force)->expires_utc_s, now_utc_s))
		return TOKEN_IDENTITY_NOT_ACTIVE;
	return TOKEN_ACCEPTED;
}

static enum token_reason person_state(
	const struct issue *issue, struct text identity, const struct registry_entry *person)
{
	const struct charter *charter = registry_find_charter(issue->parts.registry, identity);
	bool is_here = person != NULL && person->in_force != NULL;

	return is_here && charter_acts_for(charter, person->in_force->person)
		       ? TOKEN_ACCEPTED
		       : TOKEN_PERSON_NOT_ACTIVE;
}

enum token_reason issue_person_state(
	const struct issue *issue, struct text identity, struct text person)
{
	return person_state(
		issue, identity, registry_find(issue->parts.registry, OBJECT_PERSON, person));
}

/* Whoever left and came back has none of what was opened for them before. */
static bool is_from_before(const struct task *root, const struct registry_entry *person)
{
	return person != NULL && person->more->keys_since_utc_ms != 0 &&
	       root->opened_at_utc_ms <= person->more->keys_since_utc_ms;
}

/* The first of its path is the one that the person consented to. */
enum token_reason issue_task_person_state(const struct issue *issue, const struct task *task)
{
	const struct task *root = task_root(task);
	struct text name = task_person(task);
	const struct registry_entry *person = NULL;

	if (name.length == 0)
		return TOKEN_ACCEPTED;
	person = registry_find(issue->parts.registry, OBJECT_PERSON, name);
	return is_from_before(root, person) ? TOKEN_PERSON_NOT_ACTIVE
					    : person_state(issue, root->identity, person);
}

/* Whoever it acts for must be able to act, too. */
enum token_reason issue_task_state(const struct issue *issue, const struct task *task)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	enum token_reason reason = TOKEN_ACCEPTED;

	if (task == NULL)
		return TOKEN_TASK_UNKNOWN;
	if (!task_may_act(issue->parts.tasks, task, now_utc_ms))
		return TOKEN_TASK_NOT_LIVE;
	reason = issue_task_person_state(issue, task);
	for (; task != NULL && reason == TOKEN_ACCEPTED; task = task->parent) {
		if (issue_is_from_sandbox(issue, task))
			return TOKEN_TASK_NOT_LIVE;
		reason = issue_identity_state(issue, task->identity);
	}
	return reason;
}

/* Who may not act now may again: a token that is to be ended is ended on record all the same. */
static enum token_reason state_to_end(const struct issue *issue, const struct task *task)
{
	if (task == NULL)
		return TOKEN_TASK_UNKNOWN;
	return task_is_live(task, issue_now_utc_ms(issue)) ? TOKEN_ACCEPTED : TOKEN_TASK_NOT_LIVE;
}

bool issue_name_parties(struct access_token *out, const struct task *task)
{
	struct chain chain;

	_Static_assert((int)CHAIN_IDENTITIES_MAX <= (int)ACCESS_TOKEN_ACTORS_MAX, "all fit");
	if (!chain_of(&chain, task) || chain.count == 0)
		return false;
	out->identity = chain.links[chain.count - 1];
	out->person = task_person(task);
	/* For a person everybody on the path acts; else all but the first. */
	out->actors_count = out->person.length > 0 ? chain.count : chain.count - 1;
	if (out->person.length == 0)
		out->principal = chain.links[0];
	for (size_t i = 0; i < out->actors_count; i++)
		out->actors[i] = chain.links[chain.count - 1 - i];
	return true;
}

/* The token says of its task what is so: who acts, for whom, and where. */
bool issue_token_is_of_task(const struct access_token *token, const struct task *task)
{
	struct access_token due = {0};

	if (!issue_name_parties(&due, task) || !text_equal(token->identity, due.identity) ||
		!text_equal(token->person, due.person) ||
		(due.person.length == 0 && !text_equal(token->principal, due.principal)) ||
		token->actors_count != due.actors_count || token->environment != task->environment)
		return false;
	for (size_t i = 0; i < due.actors_count; i++)
		if (!text_equal(token->actors[i], due.actors[i]))
			return false;
	return true;
}

bool issue_token_is_in_force(const struct task *task, int64_t epoch, struct text id)
{
	return task->epoch == epoch && !task_token_is_revoked(task, id);
}

static struct sha256 audience_digest(struct issue *issue, struct text audience)
{
	if (audience.length == 0 || audience.length > sizeof issue->last_audience)
		return sha256_of(audience.data, audience.length);
	if (!text_equal(
		    audience, (struct text){issue->last_audience, issue->last_audience_length})) {
		memcpy(issue->last_audience, audience.data, audience.length);
		issue->last_audience_length = audience.length;
		issue->last_audience_digest = sha256_of(audience.data, audience.length);
	}
	return issue->last_audience_digest;
}

/* Checks the token itself; fills what the cache would remember. */
static enum token_reason check_token(
	struct issue *issue, struct text token, struct text audience, struct cached_token *out)
{
	const struct access_token_rules rules = {
		.issuer = issue_issuer(issue),
		.audience = audience,
		.lifetime_max_s = CHARTER_TASK_S_MAX,
		.now_utc_s = issue_now_utc_ms(issue) / 1000,
	};
	const struct task *task = NULL;
	const struct public_key *key = NULL;
	struct access_token read;
	struct text kid;
	enum token_reason reason = jws_find_key_id(&kid, issue->scratch, token);

	issue->status.tokens_verified++;
	if (reason == TOKEN_ACCEPTED) {
		key = token_keys_find(issue->token_keys, kid);
		reason = key == NULL
				 ? TOKEN_KEY_UNKNOWN
				 : access_token_check(&read, issue->scratch, token, key, &rules);
	}
	if (reason != TOKEN_ACCEPTED)
		return reason;
	task = task_find(issue->parts.tasks, read.task);
	if (task == NULL || read.task.length > TASK_ID_BYTES)
		return TOKEN_TASK_UNKNOWN;
	if (read.id.length > TASK_TOKEN_ID_BYTES_MAX || read.epoch < 0 || read.epoch > UINT32_MAX)
		return TOKEN_CLAIM_TYPE;
	if (!issue_token_is_of_task(&read, task))
		return TOKEN_SUBJECT;
	out->is_for_exchange = read.may_act.length > 0;
	if (task->binding != read.binding.kind)
		return TOKEN_BOUND;
	out->binding = read.binding;
	out->audience = audience_digest(issue, audience);
	out->expires_utc_s = read.expires_utc_s;
	out->epoch = (uint32_t)read.epoch;
	memcpy(out->task, read.task.data, read.task.length);
	memcpy(out->id, read.id.data, read.id.length);
	return TOKEN_ACCEPTED;
}

static enum token_reason check_cached(struct issue *issue, const struct cached_token *cached,
	struct text audience, int64_t now_utc_s)
{
	struct sha256 digest = audience_digest(issue, audience);

	if (cached->expires_utc_s <= now_utc_s)
		return TOKEN_EXPIRED;
	return sha256_equal(&cached->audience, &digest) ? TOKEN_ACCEPTED : TOKEN_AUDIENCE;
}

/* A token of ours, looked at. */
struct looked {
	struct cached_token fresh;
	const struct cached_token *token; /* fresh, or remembered */
	const struct task *task;
};

typedef enum token_reason state_check(const struct issue *issue, const struct task *task);

/* All but how it came and what the charter asks of that. */
static enum token_reason look(struct issue *issue, struct text token, struct text audience,
	state_check *state, struct looked *out)
{
	int64_t now_utc_ms = issue_now_utc_ms(issue);
	enum token_reason reason;

	out->fresh = (struct cached_token){.digest = sha256_of(token.data, token.length)};
	out->token = find_cached(issue, &out->fresh.digest);
	if (out->token != NULL) {
		issue->status.tokens_repeated++;
		reason = check_cached(issue, out->token, audience, now_utc_ms / 1000);
	} else {
		reason = check_token(issue, token, audience, &out->fresh);
		arena_reset(issue->scratch);
		out->token = &out->fresh;
	}
	if (reason != TOKEN_ACCEPTED)
		return reason;
	out->task = task_find(issue->parts.tasks, text_of(out->token->task));
	reason = state(issue, out->task);
	if (reason == TOKEN_ACCEPTED &&
		!issue_token_is_in_force(out->task, out->token->epoch, text_of(out->token->id)))
		reason = TOKEN_TASK_NOT_LIVE;
	return reason;
}

/* As the charter in force asks, whatever it asked when the token was issued. */
static bool is_bound_enough(const struct issue *issue, const struct looked *looked)
{
	const struct registry_entry *entry =
		registry_find_identity(issue->parts.registry, looked->task->identity);

	return charter_takes_binding(charter_of(entry->in_force), looked->task->environment,
		looked->token->binding.kind);
}

static enum token_reason authenticate(struct issue *issue, struct issue_presented *presented,
	const struct issue_shown *shown, struct text audience, struct issue_caller *out)
{
	struct looked looked;
	enum token_reason reason = look(issue, shown->token, audience, issue_task_state, &looked);

	/* Its holder may end what it must not use: issue_revoke only looks. */
	if (reason == TOKEN_ACCEPTED && looked.token->is_for_exchange)
		reason = TOKEN_FOR_EXCHANGE;
	if (reason == TOKEN_ACCEPTED && !is_bound_enough(issue, &looked))
		reason = TOKEN_UNBOUND;
	if (reason == TOKEN_ACCEPTED)
		reason = issue_check_bound(
			issue, presented, shown, &looked.token->binding, looked.task->identity);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	task_use(looked.task, fold_stamp_utc_ms(issue->parts.fold));
	*out = (struct issue_caller){looked.task->id, looked.task->identity,
		looked.task->environment, looked.token->expires_utc_s};
	if (looked.token == &looked.fresh) {
		remember(issue, &looked.fresh);
		if (issue->parts.on_token != NULL)
			issue->parts.on_token(issue->parts.token_context, shown->token,
				looked.fresh.expires_utc_s);
	}
	return TOKEN_ACCEPTED;
}

/* RFC 9110 §11.1: a scheme's letter case does not matter. */
static bool take_scheme(struct text authorization, const char *scheme, struct text *out_token)
{
	size_t length = strlen(scheme);

	if (authorization.length <= length || strncasecmp(authorization.data, scheme, length) != 0)
		return false;
	*out_token = (struct text){authorization.data + length, authorization.length - length};
	return true;
}

static bool read_shown(const struct issue_presented *presented, struct issue_shown *out)
{
	*out = (struct issue_shown){.token = presented->token};
	if (presented->token.length > 0)
		return true;
	if (take_scheme(presented->authorization, "bearer ", &out->token))
		return true;
	out->is_dpop = take_scheme(presented->authorization, "dpop ", &out->token);
	return out->is_dpop;
}

enum token_reason issue_authenticate_header(struct issue *issue, struct issue_presented *presented,
	struct text audience, struct issue_caller *out)
{
	enum token_reason reason = TOKEN_NO_ROOM;
	struct issue_shown shown;

	*out = (struct issue_caller){0};
	presented->proof_reason = TOKEN_NOT_CHECKED;
	if (presented->authorization.length == 0 && presented->token.length == 0)
		return TOKEN_NOT_CHECKED;
	if (!read_shown(presented, &shown))
		reason = TOKEN_SCHEME;
	else if (shown.token.length > TOKEN_BYTES_MAX)
		reason = TOKEN_TOO_LARGE;
	else if (!issue_is_closed(issue))
		reason = authenticate(issue, presented, &shown, audience, out);
	if (reason != TOKEN_ACCEPTED)
		issue->status.tokens_refused++;
	return reason;
}

enum token_reason issue_authenticate_to_end(
	struct issue *issue, struct text token, struct text audience, struct issue_caller *out)
{
	struct looked looked;
	enum token_reason reason = TOKEN_NO_ROOM;

	*out = (struct issue_caller){0};
	if (token.length > TOKEN_BYTES_MAX)
		reason = TOKEN_TOO_LARGE;
	else if (!issue_is_closed(issue))
		reason = look(issue, token, audience, state_to_end, &looked);
	if (reason == TOKEN_ACCEPTED)
		*out = (struct issue_caller){looked.task->id, looked.task->identity,
			looked.task->environment, looked.token->expires_utc_s};
	return reason;
}

enum token_reason issue_authenticate(
	struct issue *issue, struct text token, struct text audience, struct issue_caller *out)
{
	struct issue_presented presented = {.token = token};

	return issue_authenticate_header(issue, &presented, audience, out);
}

/* ---- challenges ---- */

/* Which scheme an answer speaks of, and by which error (RFC 6750 §3.1, RFC 9449 §7.1). */
static const char *error_of(enum token_reason reason, bool *is_dpop)
{
	*is_dpop = reason == TOKEN_NONCE || reason == TOKEN_PROOF || reason == TOKEN_PROOF_MISSING;
	if (reason == TOKEN_NONCE)
		return "use_dpop_nonce";
	return reason == TOKEN_PROOF ? "invalid_dpop_proof" : "invalid_token";
}

static void append_error(const struct issue_refused *refused, const char *error, struct buffer *out)
{
	enum token_reason said =
		refused->reason == TOKEN_PROOF ? refused->proof_reason : refused->reason;

	buffer_append_format(
		out, ", error=\"%s\", error_description=\"%s\"", error, token_reason_meaning(said));
}

/* Only what is there has metadata: a name that can be none's would stand in the field as the
 * path has it, quotes and all. */
static bool has_metadata(const char *folder, struct text name)
{
	return folder != NULL && (folder[0] == '\0' || name_is_plain(name));
}

/* folder and name are the path of the resource; without a folder it has no metadata. */
static void challenge(const struct issue *issue, const char *folder, struct text name,
	const struct issue_refused *refused, struct buffer *out)
{
	bool is_dpop;
	const char *error = error_of(refused->reason, &is_dpop);

	buffer_append_string(out, is_dpop ? "DPoP " : "Bearer ");
	if (has_metadata(folder, name))
		buffer_append_format(out,
			"resource_metadata=\"%s/.well-known/oauth-protected-resource%s%.*s\", ",
			issue->issuer, folder, TEXT_ARGS(name));
	buffer_append_format(out, "scope=\"%s\"", ACCESS_TOKEN_SCOPE);
	if (refused->reason != TOKEN_NOT_CHECKED)
		append_error(refused, error, out);
	buffer_append_string(out, is_dpop ? ", " : ", DPoP ");
	buffer_append_string(out, "algs=\"" DPOP_ALGORITHMS "\"");
}

void issue_challenge(const struct issue *issue, struct text server,
	const struct issue_refused *refused, struct buffer *out)
{
	challenge(issue, "/mcp/", server, refused, out);
}

void issue_provider_challenge(
	const struct issue *issue, const struct issue_refused *refused, struct buffer *out)
{
	challenge(issue, NULL, TEXT(""), refused, out);
}

void issue_peer_challenge(const struct issue *issue, struct text peer,
	const struct issue_refused *refused, struct buffer *out)
{
	challenge(issue, "/a2a/", peer, refused, out);
}

void issue_point_challenge(const struct issue *issue, struct text application,
	const struct issue_refused *refused, struct buffer *out)
{
	challenge(
		issue, application.length == 0 ? "" : "/applications/", application, refused, out);
}

/* What a token claims, in arena; nothing of it is believed. */
static bool read_claims(struct text token, struct arena *arena, struct claims *out, struct jws *jws)
{
	static const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules rules = {.types = types};

	return jws_parse(jws, arena, token, &rules) == TOKEN_ACCEPTED &&
	       claims_read(out, &jws->claims) == TOKEN_ACCEPTED;
}

bool issue_look_at(struct issue *issue, struct text token, struct arena *arena,
	struct issue_caller *out, struct json *claims)
{
	struct looked looked;
	struct claims read;
	struct jws jws;

	*out = (struct issue_caller){0};
	if (token.length > TOKEN_BYTES_MAX || issue_is_closed(issue) ||
		!read_claims(token, arena, &read, &jws) ||
		look(issue, token, read.audience, issue_task_state, &looked) != TOKEN_ACCEPTED ||
		looked.token->is_for_exchange || !is_bound_enough(issue, &looked))
		return false;
	*out = (struct issue_caller){looked.task->id, looked.task->identity,
		looked.task->environment, looked.token->expires_utc_s};
	*claims = jws.claims;
	return true;
}

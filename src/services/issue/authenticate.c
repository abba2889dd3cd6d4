/* Whose token it is, now.
 *
 * A1  The cache remembers signatures, never verdicts: expiry, task, epochs and
 *     identity are looked at on every use.
 * A2  Only tokens whose every check passed enter it, so strangers cannot fill it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

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
		is_expired(entry->in_force->charter->expires_utc_s, now_utc_s))
		return TOKEN_IDENTITY_NOT_ACTIVE;
	return TOKEN_ACCEPTED;
}

/* Whoever it acts for must be able to act, too. */
enum token_reason issue_task_state(const struct issue *issue, const struct task *task)
{
	enum token_reason reason = TOKEN_ACCEPTED;

	if (task == NULL)
		return TOKEN_TASK_UNKNOWN;
	if (!task_is_live(task, issue_now_utc_ms(issue)))
		return TOKEN_TASK_NOT_LIVE;
	for (; task != NULL && reason == TOKEN_ACCEPTED; task = task->parent) {
		if (issue_is_from_sandbox(issue, task))
			return TOKEN_TASK_NOT_LIVE;
		reason = issue_identity_state(issue, task->identity);
	}
	return reason;
}

bool issue_name_parties(struct access_token *out, const struct task *task)
{
	struct chain chain;

	_Static_assert((int)CHAIN_IDENTITIES_MAX <= (int)ACCESS_TOKEN_ACTORS_MAX, "all fit");
	if (!chain_of(&chain, task) || chain.count == 0)
		return false;
	out->principal = chain.links[0];
	out->identity = chain.links[chain.count - 1];
	out->actors_count = chain.count - 1;
	for (size_t i = 0; i < out->actors_count; i++)
		out->actors[i] = chain.links[chain.count - 1 - i];
	return true;
}

/* The token says of its task what is so: who acts, for whom, and where. */
bool issue_token_is_of_task(const struct access_token *token, const struct task *task)
{
	struct access_token due = {0};

	if (!issue_name_parties(&due, task) || !text_equal(token->identity, due.identity) ||
		!text_equal(token->principal, due.principal) ||
		token->actors_count != due.actors_count || token->environment != task->environment)
		return false;
	for (size_t i = 0; i < due.actors_count; i++)
		if (!text_equal(token->actors[i], due.actors[i]))
			return false;
	return true;
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
	if (!issue_token_is_of_task(&read, task))
		return TOKEN_SUBJECT;
	out->is_for_exchange = read.may_act.length > 0;
	out->audience = audience_digest(issue, audience);
	out->expires_utc_s = read.expires_utc_s;
	memcpy(out->task, read.task.data, read.task.length);
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

/* What a token is good for: its holder may end what it must not use. */
enum token_use { TOKEN_TO_ACT = 0, TOKEN_TO_END };

static enum token_reason authenticate(struct issue *issue, struct text token, struct text audience,
	enum token_use use, struct issue_caller *out)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	struct cached_token checked = {.digest = sha256_of(token.data, token.length)};
	const struct cached_token *cached = find_cached(issue, &checked.digest);
	const struct task *task = NULL;
	enum token_reason reason;

	if (cached != NULL) {
		issue->status.tokens_repeated++;
		reason = check_cached(issue, cached, audience, now_utc_s);
	} else {
		reason = check_token(issue, token, audience, &checked);
		arena_reset(issue->scratch);
	}
	if (reason != TOKEN_ACCEPTED)
		return reason;
	if (cached == NULL)
		cached = &checked;
	task = task_find(issue->parts.tasks, text_of(cached->task));
	reason = issue_task_state(issue, task);
	if (reason == TOKEN_ACCEPTED && cached->is_for_exchange && use == TOKEN_TO_ACT)
		reason = TOKEN_FOR_EXCHANGE;
	if (reason != TOKEN_ACCEPTED)
		return reason;
	*out = (struct issue_caller){
		task->id, task->identity, task->environment, cached->expires_utc_s};
	if (cached == &checked) {
		remember(issue, &checked);
		if (issue->parts.on_token != NULL)
			issue->parts.on_token(
				issue->parts.token_context, token, checked.expires_utc_s);
	}
	return TOKEN_ACCEPTED;
}

static enum token_reason authenticate_for(struct issue *issue, struct text token,
	struct text audience, enum token_use use, struct issue_caller *out)
{
	enum token_reason reason = TOKEN_NO_ROOM;

	*out = (struct issue_caller){0};
	if (token.length > TOKEN_BYTES_MAX)
		reason = TOKEN_TOO_LARGE;
	else if (!issue_is_closed(issue))
		reason = authenticate(issue, token, audience, use, out);
	if (reason != TOKEN_ACCEPTED)
		issue->status.tokens_refused++;
	return reason;
}

enum token_reason issue_authenticate(
	struct issue *issue, struct text token, struct text audience, struct issue_caller *out)
{
	return authenticate_for(issue, token, audience, TOKEN_TO_ACT, out);
}

enum token_reason issue_authenticate_header(struct issue *issue, struct text authorization,
	struct text audience, struct issue_caller *out)
{
	static const char scheme[] = "bearer ";
	size_t length = sizeof scheme - 1;

	*out = (struct issue_caller){0};
	if (authorization.length == 0)
		return TOKEN_NOT_CHECKED;
	/* RFC 9110 §11.1: the scheme's letter case does not matter. */
	if (authorization.length <= length ||
		strncasecmp(authorization.data, scheme, length) != 0) {
		issue->status.tokens_refused++;
		return TOKEN_SCHEME;
	}
	return issue_authenticate(issue,
		(struct text){authorization.data + length, authorization.length - length}, audience,
		out);
}

/* folder and name are the path of the resource. */
static void challenge(const struct issue *issue, const char *folder, struct text name,
	enum token_reason reason, struct buffer *out)
{
	buffer_append_format(out,
		"Bearer resource_metadata=\"%s/.well-known/oauth-protected-resource%s%.*s\""
		", scope=\"%s\"",
		issue->issuer, folder, TEXT_ARGS(name), ACCESS_TOKEN_SCOPE);
	if (reason != TOKEN_NOT_CHECKED)
		buffer_append_format(out, ", error=\"invalid_token\", error_description=\"%s\"",
			token_reason_meaning(reason));
}

void issue_challenge(
	const struct issue *issue, struct text server, enum token_reason reason, struct buffer *out)
{
	challenge(issue, "/mcp/", server, reason, out);
}

void issue_point_challenge(const struct issue *issue, struct text application,
	enum token_reason reason, struct buffer *out)
{
	challenge(issue, application.length == 0 ? "" : "/applications/", application, reason, out);
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
	struct claims read;
	struct jws jws;

	if (!read_claims(token, arena, &read, &jws) ||
		issue_authenticate(issue, token, read.audience, out) != TOKEN_ACCEPTED)
		return false;
	*claims = jws.claims;
	return true;
}

bool issue_revoke(struct issue *issue, struct text token, struct error *err)
{
	struct arena *arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	struct issue_caller caller;
	struct claims claims;
	struct jws jws;
	char actor[sizeof "identity:" + CHARTER_NAME_BYTES_MAX];
	bool is_ending = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a token");
	if (!read_claims(token, arena, &claims, &jws) ||
		authenticate_for(issue, token, claims.audience, TOKEN_TO_END, &caller) !=
			TOKEN_ACCEPTED) {
		error_set(err, ERROR_NOT_FOUND, "not a token that opens anything");
	} else {
		snprintf(actor, sizeof actor, "identity:%.*s", TEXT_ARGS(caller.identity));
		is_ending = issue_task_end(issue, caller.task, text_of(actor), NULL, NULL, err);
	}
	arena_destroy(&arena);
	return is_ending;
}

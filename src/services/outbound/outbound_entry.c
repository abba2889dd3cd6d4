/* One exchange, from the identity token to those who waited:
 *
 *	sign ─▶ ask the token service ─▶ record it ─▶ at hand ─▶ tell
 *
 * Each step can fail, and then says so to all who wait; nothing is tried in its place. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "domain/audit/envelope.h"
#include "services/outbound/outbound_private.h"

enum {
	REPLY_ARENA_BYTES = 2 * STS_REPLY_BYTES_MAX,
	RECORD_ARENA_BYTES = 16 * 1024,
	REQUEST_BYTES_MAX = 64 * 1024,
	PATH_BYTES = ISSUER_PATH_BYTES_MAX + 1,
};

/* ---- tokens ---- */

bool entry_has_token(const struct outbound_entry *entry)
{
	return entry->token.size > 0 && outbound_now_ms(entry->outbound) < entry->end_ms;
}

static void token_clear(struct provider_token *token)
{
	explicit_bzero(token->bytes, token->size);
	token->size = 0;
}

void entry_drop_token(struct outbound_entry *entry)
{
	loop_timer_stop(entry->outbound->parts.loop, &entry->end);
	token_clear(&entry->token);
	entry->end_ms = 0;
	entry->end_utc_ms = 0;
}

void entry_clear(struct outbound_entry *entry)
{
	const struct outbound_asker *asker = &entry->outbound->parts.asker;

	if (entry->state == ENTRY_ASKING)
		asker->cancel(asker->context, &entry->asking);
	entry_drop_token(entry);
	token_clear(&entry->next);
	arena_destroy(&entry->arena);
	entry->state = ENTRY_IDLE;
}

/* ---- the end ---- */

static void on_settle(struct loop_post *post)
{
	struct outbound_entry *entry = post->context;
	struct outbound_wait *wait;

	/* Who waits anew from within run is refused or finds the token: this ends. */
	while ((wait = entry->waits) != NULL) {
		bool is_at_hand = entry_has_token(entry) && entry_is_live(entry);
		struct error failure = entry->failure;

		if (!entry->has_failed) /* it was got, and what it was got for has ended since */
			error_set(&failure, ERROR_CONFLICT, "its task is over");
		outbound_forget(wait);
		wait->run(wait->context, is_at_hand ? NULL : &failure);
	}
	entry->state = ENTRY_IDLE;
}

/* In a later turn, so that nobody hears before they asked (O3). */
static void settle(struct outbound_entry *entry)
{
	entry->state = ENTRY_SETTLING;
	entry->settle = (struct loop_post){.run = on_settle, .context = entry};
	loop_defer(entry->outbound->parts.loop, &entry->settle);
}

static void fail(struct outbound_entry *entry, const struct error *why)
{
	token_clear(&entry->next);
	arena_destroy(&entry->arena);
	entry->failure = *why;
	entry->failure.os_errno = 0;
	entry->has_failed = true;
	entry->backoff_ms = entry->backoff_ms == 0 ? OUTBOUND_BACKOFF_FIRST_MS
			    : entry->backoff_ms < OUTBOUND_BACKOFF_LAST_MS / 2
				    ? entry->backoff_ms * 2
				    : OUTBOUND_BACKOFF_LAST_MS;
	entry->again_ms = outbound_now_ms(entry->outbound) + entry->backoff_ms;
	log_warn("provider_token_not_got", LOG_STRING("server", entry->server),
		LOG_STRING("identity", entry->identity), LOG_STRING("why", entry->failure.text));
	settle(entry);
}

/* ---- on record ---- */

static bool take(struct outbound_entry *entry)
{
	struct outbound *outbound = entry->outbound;
	int64_t margin_ms = entry->next_lifetime_ms / 10;
	int64_t left_ms;

	if (margin_ms > OUTBOUND_MARGIN_MS_MAX)
		margin_ms = OUTBOUND_MARGIN_MS_MAX;
	entry_drop_token(entry);
	entry->token = entry->next;
	token_clear(&entry->next);
	entry->lifetime_ms = entry->next_lifetime_ms - margin_ms;
	entry->end_ms = entry->asked_ms + entry->lifetime_ms;
	entry->end_utc_ms = entry->asked_utc_ms + entry->lifetime_ms;
	left_ms = entry->end_ms - outbound_now_ms(outbound);
	if (left_ms > 0 && loop_timer_start(outbound->parts.loop, &entry->end, left_ms))
		return true;
	entry_drop_token(entry);
	return false;
}

static void on_recorded(struct fold_change *change)
{
	struct outbound_entry *entry = change->context;
	const struct outbound_parts *parts = &entry->outbound->parts;
	struct error err = change->err;

	arena_destroy(&entry->arena);
	if (change->is_durable && !entry_is_live(entry)) /* it ended meanwhile */
		error_set(&err, ERROR_CONFLICT, "its task is over");
	else if (change->is_durable && !take(entry))
		error_set(&err, ERROR_TIMEOUT, "the provider token is over already");
	else if (change->is_durable) {
		if (parts->on_token != NULL)
			parts->on_token(parts->token_context,
				(struct text){entry->token.bytes, entry->token.size},
				entry->end_utc_ms / 1000 + OUTBOUND_MARGIN_MS_MAX / 1000);
		entry->exchanged_utc_ms = entry->asked_utc_ms;
		entry->has_failed = false;
		entry->backoff_ms = entry->again_ms = 0;
		outbound_look(entry->outbound);
		settle(entry);
		return;
	}
	fail(entry, &err);
}

/* docs/formats/records.md: who, where, until when; never the token. */
static bool make_record(struct outbound_entry *entry, const struct outbound_exchange *terms,
	struct json *out, struct error *err)
{
	bool is_server = entry->identity[0] == '\0';
	struct text actor = is_server ? TEXT("remit")
				      : text_format(entry->arena, "identity:%s", entry->identity);
	const struct envelope common = {
		.at_utc_ms = fold_stamp_utc_ms(entry->outbound->parts.fold),
		.type = RECORD_PROVIDER_TOKEN,
		.actor = actor,
		.task = entry->asker[0] == '\0' ? (struct text){0} : text_of(entry->asker),
	};
	struct json_builder record;

	if (actor.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	envelope_start(&record, entry->arena, &common);
	json_put_cstring(&record, "server", entry->server);
	json_put_text_unless_empty(&record, "identity", text_of(entry->identity));
	json_put_cstring(&record, "environment", environment_word(entry->environment));
	json_put_cstring(&record, "per", outbound_per_word(terms->per));
	json_put_cstring(&record, "grant", outbound_grant_word(terms->grant));
	json_put_text(&record, "url", terms->url);
	json_put_text(&record, "audience", terms->audience);
	json_put_integer(&record, "until", entry->asked_utc_ms + entry->next_lifetime_ms);
	return json_object_seal(&record, out, err);
}

static bool record(
	struct outbound_entry *entry, const struct outbound_exchange *terms, struct error *err)
{
	struct json *made;

	entry->arena = arena_create(RECORD_ARENA_BYTES);
	made = entry->arena == NULL ? NULL : arena_new(entry->arena, struct json);
	if (made == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	if (!make_record(entry, terms, made, err))
		return false;
	entry->change = (struct fold_change){.entry = json_canonical_text(entry->arena, made),
		.record = made,
		.done = on_recorded,
		.context = entry};
	if (entry->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	entry->state = ENTRY_RECORDING;
	return fold_submit(entry->outbound->parts.fold, &entry->change, err);
}

/* ---- the token service ---- */

static const struct outbound_exchange *terms_of(
	const struct outbound_entry *entry, struct error *err)
{
	struct sha256 digest;
	const struct outbound_exchange *terms =
		outbound_terms(entry->outbound, text_of(entry->server), &digest);

	if (terms != NULL && sha256_equal(&digest, &entry->terms))
		return terms;
	error_set(err, ERROR_CONFLICT, "what is registered for it was changed");
	return NULL;
}

static bool keep(struct outbound_entry *entry, const struct sts_answer *answer, struct error *err)
{
	int64_t lifetime_s = answer->expires_s;

	if (lifetime_s < 0)
		lifetime_s = OUTBOUND_LIFETIME_S_DEFAULT;
	if (lifetime_s < OUTBOUND_LIFETIME_S_MIN)
		return error_set(err, ERROR_TIMEOUT, "the provider token is over already");
	if (lifetime_s > OUTBOUND_LIFETIME_S_MAX)
		lifetime_s = OUTBOUND_LIFETIME_S_MAX;
	entry->next_lifetime_ms = lifetime_s * 1000;
	memcpy(entry->next.bytes, answer->token.data, answer->token.length);
	entry->next.size = answer->token.length;
	return true;
}

static bool read_answer(struct outbound_entry *entry, const struct outbound_exchange *terms,
	const struct outbound_answer *answer, struct error *err)
{
	struct arena *arena = arena_create(REPLY_ARENA_BYTES);
	struct sts_answer said;
	bool is_ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	if (answer->status != 200)
		sts_read_fault(err, arena, answer->status, answer->body);
	else
		is_ok = sts_read(&said, arena, terms, answer->body, err) && keep(entry, &said, err);
	arena_wipe(&arena);
	return is_ok;
}

/* The log is the operator's; an agent is told what is wrong, and not where. */
static void read_failure(
	const struct outbound_entry *entry, const struct error *failure, struct error *err)
{
	if (failure->code == ERROR_LIMIT)
		error_set(err, ERROR_IO, "the token service's answer is longer than %d bytes",
			STS_REPLY_BYTES_MAX);
	else if (failure->code == ERROR_TIMEOUT)
		error_set(err, ERROR_TIMEOUT, "the token service did not answer in time");
	else {
		log_warn("token_service", LOG_STRING("server", entry->server),
			LOG_STRING("why", failure->text));
		error_set(err, ERROR_IO, "the token service cannot be reached");
	}
}

static void on_answered(struct outbound_asking *asking, const struct outbound_answer *answer)
{
	struct outbound_entry *entry = asking->context;
	struct error err = {0};
	const struct outbound_exchange *terms = terms_of(entry, &err);

	if (answer->err.code != ERROR_NONE)
		read_failure(entry, &answer->err, &err);
	else if (terms != NULL && read_answer(entry, terms, answer, &err) &&
		 record(entry, terms, &err))
		return;
	fail(entry, &err);
}

static bool ask(struct outbound_entry *entry, const struct outbound_exchange *terms,
	struct text token, struct error *err)
{
	const struct outbound_asker *asker = &entry->outbound->parts.asker;
	char url[OUTBOUND_URL_BYTES_MAX + 1], path[PATH_BYTES];
	struct outbound_question question = {.url = url,
		.ca_file = terms->ca_file.length > 0 ? path : NULL,
		.content_type = sts_content_type(terms),
		.private_addresses = terms->private_addresses,
		.bytes_max = STS_REPLY_BYTES_MAX,
		.deadline_ms = OUTBOUND_DEADLINE_MS};
	struct buffer body;
	bool is_ok = false;

	(void)snprintf(url, sizeof url, "%.*s", TEXT_ARGS(terms->url));
	(void)snprintf(path, sizeof path, "%.*s", TEXT_ARGS(terms->ca_file));
	buffer_init(&body, REQUEST_BYTES_MAX);
	sts_request(&body, terms, token);
	if (buffer_failed(&body))
		error_set(err, ERROR_LIMIT, "no memory to ask the token service");
	else {
		question.body = buffer_text(&body);
		entry->state = ENTRY_ASKING;
		entry->asking = (struct outbound_asking){.done = on_answered, .context = entry};
		is_ok = asker->begin(asker->context, &question, &entry->asking, err);
	}
	if (body.data != NULL)
		explicit_bzero(body.data, body.length);
	buffer_deinit(&body);
	return is_ok;
}

/* ---- the identity token ---- */

static void on_signed(struct token_signing *signing)
{
	struct outbound_entry *entry = signing->context;
	struct error err = {0};
	const struct outbound_exchange *terms = terms_of(entry, &err);

	if (!signing->is_signed)
		error_set(&err, signing->err.code, "no identity token: %s", signing->err.text);
	else if (terms != NULL && ask(entry, terms, signing->token, &err))
		return;
	fail(entry, &err);
}

void entry_start(struct outbound_entry *entry)
{
	struct outbound *outbound = entry->outbound;
	struct text identity = text_of(entry->identity);
	const struct charter *charter = registry_find_charter(outbound->parts.registry, identity);
	const struct server *server =
		registry_find_server(outbound->parts.registry, text_of(entry->server));
	struct error err = {0};
	const struct outbound_exchange *terms = terms_of(entry, &err);
	char id[RANDOM_ID_BYTES];
	struct identity_token token = {.issuer = text_of(outbound->issuer),
		.identity = identity,
		.environment = entry->environment,
		.task = text_of(entry->task)};

	entry->asked_ms = outbound_now_ms(outbound);
	entry->asked_utc_ms = outbound_now_utc_ms(outbound);
	if (terms == NULL || server == NULL) {
		fail(entry, &err);
		return;
	}
	if (identity.length == 0)
		token.server = text_of(entry->server);
	token.unit = charter != NULL ? charter->unit : server->unit;
	token.audience = terms->audience;
	random_id(id, "");
	token.id = text_of(id);
	token.issued_utc_s = entry->asked_utc_ms / 1000;
	token.expires_utc_s = token.issued_utc_s + IDENTITY_TOKEN_S;
	entry->state = ENTRY_SIGNING;
	entry->signing = (struct token_signing){.done = on_signed, .context = entry};
	outbound->parts.signer.sign(outbound->parts.signer.context, &token, &entry->signing);
}

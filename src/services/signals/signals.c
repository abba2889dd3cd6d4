/* One event: read ▸ key of its issuer ▸ checked ▸ not taken before ▸ tasks ended, durably
 * ▸ its record durable ▸ taken.
 *
 * G1  Nobody is told that it was taken before all that follows from it is durable.  A crash
 *     between leaves an event that is sent again, and ends what is left.
 * G2  An event that was taken is taken again without effect (RFC 8935 §2: a sender that did
 *     not hear the answer sends again); what was taken is in the log. */
#include "services/signals/signals.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "domain/audit/envelope.h"
#include "domain/token/claims.h"
#include "domain/token/replay.h"

#define RECORD_TYPE "security-event"

enum { RECEIPT_ARENA_BYTES_MAX = TOKEN_ARENA_BYTES_MAX, AUDIENCE_BYTES_MAX = 256, SLOTS = 5 };

/* One event on its way. */
struct receipt {
	struct signals *signals;
	struct signals_request *request;
	struct arena *arena;
	struct security_event event; /* in arena */
	struct trust_wait wait;
	const char *passed_over; /* why nothing follows from it; NULL: something may */
	struct replay_use use;
	struct signals_ending ending;
	struct fold_change change;
	struct receipt *next;
};

struct signals {
	struct signals_parts parts;
	char audience[AUDIENCE_BYTES_MAX]; /* empty until set */
	struct replay_table *taken;        /* on record */
	struct replay_table *reserved; /* these, and those on their way: there is room for all */
	struct receipt *receipts;
	uint32_t receipts_count;
};

static int64_t now_utc_s(const struct signals *signals)
{
	return signals->parts.wall_utc_ms(signals->parts.clock_context) / 1000;
}

static void receipt_free(struct receipt *receipt)
{
	struct receipt **link = &receipt->signals->receipts;

	while (*link != NULL && *link != receipt)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = receipt->next;
		receipt->signals->receipts_count--;
	}
	trust_forget(&receipt->wait);
	arena_destroy(&receipt->arena);
	free(receipt);
}

static void answer(struct receipt *receipt, const struct error *why)
{
	struct signals_request *request = receipt->request;

	if (why != NULL)
		request->err = *why;
	receipt_free(receipt);
	request->done(request);
}

/* ---- the record ---- */

static bool put_subject(
	struct json_builder *record, const struct security_subject *subject, struct error *err)
{
	static const char *const words[] = {[SUBJECT_EMAIL] = "email",
		[SUBJECT_ISSUER] = "iss_sub",
		[SUBJECT_OPAQUE] = "opaque"};
	struct json_builder object;
	struct json sealed;

	if (subject->form == SUBJECT_NONE)
		return true;
	json_object_start(&object, record->arena);
	json_put_cstring(&object, "format", words[subject->form]);
	json_put_text_unless_empty(&object, "iss", subject->issuer);
	json_put_text(&object, "name", subject->name);
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "subject", sealed);
	return true;
}

static bool make_record(struct receipt *receipt, struct error *err)
{
	const struct security_event *event = &receipt->event;
	const struct envelope common = {
		.at_utc_ms = fold_stamp_utc_ms(receipt->signals->parts.fold),
		.type = RECORD_SECURITY_EVENT,
		.actor = TEXT("remit")};
	struct json_builder record;
	struct json whole;

	envelope_start(&record, receipt->arena, &common);
	json_put_cstring(&record, "event", security_event_kind_word(event->kind));
	json_put_text(&record, "issuer", event->issuer);
	json_put_text(&record, "jti", event->id);
	json_put_integer(&record, "issued", event->issued_utc_s);
	if (receipt->passed_over != NULL)
		json_put_cstring(&record, "passed-over", receipt->passed_over);
	json_put_integer(&record, "tasks", receipt->ending.tasks);
	json_put_text(&record, "uri", event->type);
	if (!put_subject(&record, &event->subject, err) || !json_object_seal(&record, &whole, err))
		return false;
	receipt->change.entry = json_canonical_text(receipt->arena, &whole);
	return receipt->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a record");
}

static void on_recorded(struct fold_change *change)
{
	struct receipt *receipt = change->context;

	receipt->request->is_taken = change->is_durable;
	receipt->request->index = change->index;
	answer(receipt, change->is_durable ? NULL : &change->err);
}

static void on_ended(struct signals_ending *ending)
{
	struct receipt *receipt = ending->context;
	struct error err = {0};

	if (!ending->is_done) {
		answer(receipt, &ending->err);
		return;
	}
	receipt->change.done = on_recorded;
	receipt->change.context = receipt;
	if (!make_record(receipt, &err) ||
		!fold_submit(receipt->signals->parts.fold, &receipt->change, &err))
		answer(receipt, &err);
}

/* ---- one event ---- */

static bool may_speak_of(const struct issuer *issuer, enum issuer_subject about)
{
	return about != ISSUER_SUBJECT_NONE && (issuer->events.subjects & 1u << about) != 0;
}

/* Its sub is what it calls people who sign in, and it may speak of people. */
static bool calls_people_by_sub(const struct issuer *issuer)
{
	return issuer->people.client.length > 0 && text_is(issuer->people.claim, "sub") &&
	       may_speak_of(issuer, ISSUER_SUBJECT_PEOPLE);
}

/* One of its own subjects: a person, a workload, or whichever of the two it is. */
static enum issuer_subject whose_sub(const struct issuer *issuer)
{
	return calls_people_by_sub(issuer) && !may_speak_of(issuer, ISSUER_SUBJECT_WORKLOADS)
		       ? ISSUER_SUBJECT_PEOPLE
		       : ISSUER_SUBJECT_WORKLOADS;
}

/* Whom it is about, as far as this issuer may speak of them; else why nothing follows. */
static enum issuer_subject whom(const struct receipt *receipt, const struct issuer *issuer)
{
	const struct security_subject *subject = &receipt->event.subject;
	struct text us = text_of(receipt->signals->audience);

	switch (subject->form) {
	case SUBJECT_EMAIL: return ISSUER_SUBJECT_PEOPLE;
	case SUBJECT_OPAQUE: return ISSUER_SUBJECT_IDENTITIES;
	case SUBJECT_ISSUER:
		if (text_equal(subject->issuer, us))
			return ISSUER_SUBJECT_IDENTITIES;
		/* Of its own subjects alone, not of another's. */
		return text_equal(subject->issuer, issuer->url) ? whose_sub(issuer)
								: ISSUER_SUBJECT_NONE;
	case SUBJECT_NONE: break;
	}
	return ISSUER_SUBJECT_NONE;
}

/* What the registered issuer says of its events. */
static void judge(struct receipt *receipt, const struct issuer *issuer)
{
	enum issuer_subject about = whom(receipt, issuer);

	receipt->passed_over = NULL;
	if ((issuer->events.types & 1u << receipt->event.kind) == 0 ||
		receipt->event.kind == EVENT_OTHER)
		receipt->passed_over = "type";
	else if (!may_speak_of(issuer, about))
		receipt->passed_over = "subject";
	receipt->ending = (struct signals_ending){.whom = about,
		.may_be_person = about == ISSUER_SUBJECT_WORKLOADS && calls_people_by_sub(issuer),
		.name = receipt->event.subject.name,
		.issuer = text_copy(receipt->arena, issuer->name),
		.reason = security_event_kind_word(receipt->event.kind),
		.is_done = true};
}

static enum security_event_fault check_by(
	struct receipt *receipt, const struct issuer *issuer, const struct public_key *key)
{
	const struct signals *signals = receipt->signals;
	const struct security_event_rules rules = {.audience = issuer->events.audience.length > 0
								       ? issuer->events.audience
								       : text_of(signals->audience),
		.now_utc_s = now_utc_s(signals)};

	judge(receipt, issuer);
	return security_event_check(&receipt->event, key, &rules);
}

/* FOUND: *fault says what it comes to.  WAITS: take runs again.  NO_KEYS: it cannot be told now. */
static enum trust_outcome check(
	struct receipt *receipt, struct trust_wait *wait, enum security_event_fault *fault)
{
	const struct signals_issuers *issuers = &receipt->signals->parts.issuers;
	const struct security_event *event = &receipt->event;
	const struct trust_query query = {.issuer = event->issuer,
		.key_id = event->jws.key_id,
		.algorithm = event->jws.algorithm};
	struct trust_found found = {0};
	enum trust_outcome outcome = issuers->find(issuers->context, &query, wait, &found);

	if (outcome == TRUST_UNKNOWN)
		*fault = found.issuer == NULL ? SECURITY_EVENT_ISSUER : SECURITY_EVENT_KEY;
	else if (outcome == TRUST_FOUND)
		*fault = check_by(receipt, found.issuer, found.key);
	return outcome == TRUST_UNKNOWN ? TRUST_FOUND : outcome;
}

static bool is_on_its_way(const struct receipt *receipt)
{
	const struct receipt *other = receipt->signals->receipts;

	for (; other != NULL; other = other->next)
		if (other != receipt && sha256_equal(&other->use.key, &receipt->use.key))
			return true;
	return false;
}

/* A place among the remembered, before anything follows from it. */
static bool reserve(struct receipt *receipt, struct error *err)
{
	struct signals *signals = receipt->signals;

	receipt->use.owner = receipt->event.issuer;
	receipt->use.until_utc_s =
		receipt->event.issued_utc_s + SECURITY_EVENT_AGE_MAX_S + TOKEN_SKEW_S;
	if (is_on_its_way(receipt))
		return error_set(err, ERROR_CONFLICT, "it is being taken");
	return replay_note(signals->reserved, &receipt->use, now_utc_s(signals), err);
}

/* What was read points into the token, which is the caller's. */
static bool copy_token(struct receipt *receipt)
{
	receipt->request->token = text_copy(receipt->arena, receipt->request->token);
	return receipt->request->token.data != NULL;
}

/* It holds, and was not taken before. */
static void act(struct receipt *receipt)
{
	struct signals *signals = receipt->signals;
	struct error err = {0};

	if (!reserve(receipt, &err)) {
		answer(receipt, &err);
		return;
	}
	receipt->ending.done = on_ended;
	receipt->ending.context = receipt;
	if (receipt->passed_over == NULL)
		signals->parts.tasks.end(signals->parts.tasks.context, &receipt->ending);
	else
		on_ended(&receipt->ending);
}

static void take(struct receipt *receipt, struct trust_wait *wait)
{
	struct signals_request *request = receipt->request;
	struct signals *signals = receipt->signals;
	struct error err = {0};

	switch (check(receipt, wait, &request->fault)) {
	case TRUST_WAITS: return;
	case TRUST_NO_KEYS:
		request->fault = SECURITY_EVENT_ACCEPTED; /* as far as anybody could look */
		error_set(&err, ERROR_CONFLICT, "the keys of its issuer are not to be had now");
		answer(receipt, &err);
		return;
	case TRUST_FOUND:
	case TRUST_UNKNOWN: break;
	}
	if (request->fault == SECURITY_EVENT_ACCEPTED) {
		receipt->use.key = replay_key(receipt->event.issuer, receipt->event.id);
		request->is_taken =
			replay_is_used(signals->taken, &receipt->use.key, now_utc_s(signals));
	}
	if (request->fault != SECURITY_EVENT_ACCEPTED || request->is_taken)
		answer(receipt, NULL);
	else
		act(receipt);
}

static void on_keys(struct trust_wait *wait)
{
	take(wait->context, NULL);
}

static void begin(struct receipt *receipt)
{
	struct signals_request *request = receipt->request;

	if (request->token.length > TOKEN_BYTES_MAX || !copy_token(receipt)) {
		answer(receipt, NULL);
		return;
	}
	request->fault = security_event_read(&receipt->event, receipt->arena, request->token);
	if (request->fault == SECURITY_EVENT_ACCEPTED && request->issuer.length > 0 &&
		!text_equal(request->issuer, receipt->event.issuer))
		request->fault = SECURITY_EVENT_ISSUER;
	receipt->wait = (struct trust_wait){.run = on_keys, .context = receipt};
	if (request->fault == SECURITY_EVENT_ACCEPTED)
		take(receipt, &receipt->wait);
	else
		answer(receipt, NULL);
}

void signals_receive(struct signals *signals, struct signals_request *request)
{
	struct receipt *receipt = NULL;

	request->fault = SECURITY_EVENT_INVALID;
	request->is_taken = false;
	error_clear(&request->err);
	if (signals->audience[0] != '\0' && signals->receipts_count < SIGNALS_WAITING_MAX)
		receipt = calloc(1, sizeof *receipt);
	if (receipt != NULL)
		receipt->arena = arena_create(RECEIPT_ARENA_BYTES_MAX + TOKEN_BYTES_MAX);
	if (receipt == NULL || receipt->arena == NULL) {
		free(receipt);
		request->fault = SECURITY_EVENT_ACCEPTED; /* as far as anybody looked */
		error_set(&request->err, ERROR_LIMIT, "too much is on its way: send it again");
		request->done(request);
		return;
	}
	receipt->signals = signals;
	receipt->request = request;
	receipt->next = signals->receipts;
	signals->receipts = receipt;
	signals->receipts_count++;
	begin(receipt);
}

/* ---- fold ---- */

/* Kept for as long as it could be sent again. */
static bool fold_record(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct signals *signals = state;
	struct text issuer = json_text_or(record, "issuer", "");
	const struct replay_use use = {.key = replay_key(issuer, json_text_or(record, "jti", "")),
		.owner = issuer,
		.until_utc_s = json_integer_or(record, "issued", 0) + SECURITY_EVENT_AGE_MAX_S +
			       TOKEN_SKEW_S};

	(void)index;
	if (issuer.length == 0)
		return error_set(err, ERROR_CORRUPT, "the record of an event has no issuer");
	if (use.until_utc_s <= now_utc_s(signals))
		return true;
	return replay_keep(signals->reserved, &use, now_utc_s(signals), err) &&
	       replay_keep(signals->taken, &use, now_utc_s(signals), err);
}

static struct text slot_prefix(struct arena *arena, int64_t slot)
{
	return text_format(arena, "%lld/", (long long)(slot % SLOTS));
}

/* Rows lie in slots as long as an event may be old, used in turn.  An event of the slot before
 * may come again for a moment into this one, so what is dropped is older still. */
static void project(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	int64_t slot = json_integer_or(record, "at", 0) / 1000 / SECURITY_EVENT_AGE_MAX_S;
	struct sha256 id =
		replay_key(json_text_or(record, "issuer", ""), json_text_or(record, "jti", ""));
	struct text name = base64url_text(arena, id.bytes, sizeof id.bytes);
	struct text key =
		text_format(arena, "%lld/%.*s", (long long)(slot % SLOTS), TEXT_ARGS(name));

	projection_delete_prefix(projection, RECORD_TYPE, slot_prefix(arena, slot + 1));
	projection_delete_prefix(projection, RECORD_TYPE, slot_prefix(arena, slot + 2));
	projection_put(projection, RECORD_TYPE, key, record);
}

/* ---- life ---- */

bool signals_create(struct signals **out, const struct signals_parts *parts, struct error *err)
{
	static const struct replay_bounds bounds = {SIGNALS_REMEMBERED_MAX, SIGNALS_PER_ISSUER_MAX};
	static const struct fold_projector projector = {RECORD_TYPE, project};
	struct signals *signals = calloc(1, sizeof *signals);
	const struct fold_handler handler = {
		.type = RECORD_TYPE, .apply = fold_record, .state = signals};

	*out = NULL;
	if (signals == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for security events");
	signals->parts = *parts;
	if (replay_table_create(&signals->taken, &bounds, err) &&
		replay_table_create(&signals->reserved, &bounds, err) &&
		fold_add(parts->fold, &handler, err) &&
		fold_add_projector(parts->fold, &projector, err)) {
		*out = signals;
		return true;
	}
	signals_destroy(&signals);
	return false;
}

void signals_destroy(struct signals **signals)
{
	if (*signals == NULL)
		return;
	while ((*signals)->receipts != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		receipt_free((*signals)->receipts);
	replay_table_destroy(&(*signals)->taken);
	replay_table_destroy(&(*signals)->reserved);
	free(*signals);
	*signals = NULL;
}

bool signals_set_audience(struct signals *signals, struct text audience, struct error *err)
{
	if (audience.length == 0 || audience.length >= sizeof signals->audience)
		return error_set(err, ERROR_INVALID, "the audience is no issuer");
	memset(signals->audience, 0, sizeof signals->audience);
	memcpy(signals->audience, audience.data, audience.length);
	return true;
}

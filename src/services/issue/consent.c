/* Wishes at the authorization endpoint: what waits, and what its browser is told.
 *
 * W1  Nothing here is believed: a wish opens nothing until a registered person has signed a yes,
 *     on record, and the browser that asked has brought the code back with its verifier.
 * W2  Browser and code are known by digests alone; both secrets are 256 random bits.
 * W3  Strangers can make wishes, so they have few places, and each identity a share of them. */
#include "services/issue/consent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "services/issue/consent_private.h"

enum {
	CONSENT_ARENA_BYTES_MAX = 64 * 1024,
	CONSENT_ARENA_BYTES_FIRST = 2048,
	NUMBER_LEAST = 10,
	NUMBER_COUNT = 90,
	RANDOM_BYTES = 32,
};
/* Letters that make no words and are not read as others (RFC 8628 §6.1). */
static const char typed_letters[] = "BCDFGHJKLMNPQRSTVWXZ";
enum { TYPED_LETTERS = sizeof typed_letters - 1, FAIR_BYTES = 256 - 256 % TYPED_LETTERS };

/* ---- the table ---- */

static void drop(struct issue *issue, struct consent *consent)
{
	struct consent **link = &issue->consents;

	while (*link != NULL && *link != consent)
		link = &(*link)->next;
	if (*link == NULL)
		return;
	*link = consent->next;
	issue->consents_count--;
	arena_destroy(&consent->arena);
	explicit_bzero(consent, sizeof *consent);
	free(consent);
}

void issue_consents_drop(struct issue *issue)
{
	while (issue->consents != NULL)
		drop(issue, issue->consents);
}

void issue_consents_tend(struct issue *issue)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	struct consent *consent = issue->consents;

	while (consent != NULL) {
		struct consent *next = consent->next;

		if (!consent->is_answering && consent->forget_utc_s <= now_utc_s)
			drop(issue, consent);
		consent = next;
	}
}

struct consent *issue_consent_find(const struct issue *issue, struct text id)
{
	for (struct consent *consent = issue->consents; consent != NULL; consent = consent->next)
		if (text_is(id, consent->id))
			return consent;
	return NULL;
}

struct consent *issue_consent_of_code(const struct issue *issue, struct text code)
{
	struct sha256 digest = sha256_of(code.data, code.length);

	for (struct consent *consent = issue->consents; consent != NULL; consent = consent->next)
		if (consent->has_code && sha256_equal(&consent->code, &digest))
			return consent;
	return NULL;
}

static uint32_t count_of(const struct issue *issue, struct text client)
{
	uint32_t count = 0;

	for (const struct consent *consent = issue->consents; consent != NULL;
		consent = consent->next)
		count += text_equal(consent->client, client);
	return count;
}

/* ---- secrets ---- */

static void make_secret(char out[ISSUE_CONSENT_SECRET_BYTES], struct sha256 *out_digest)
{
	uint8_t bytes[RANDOM_BYTES];
	char memory[ISSUE_CONSENT_SECRET_BYTES + 4];
	struct buffer text;

	random_bytes(bytes, sizeof bytes);
	buffer_init_in(&text, sizeof memory, memory, sizeof memory);
	base64url_append(&text, bytes, sizeof bytes);
	memset(out, 0, ISSUE_CONSENT_SECRET_BYTES);
	memcpy(out, memory, ISSUE_CONSENT_SECRET_BYTES - 1);
	*out_digest = sha256_of(out, ISSUE_CONSENT_SECRET_BYTES - 1);
	explicit_bzero(bytes, sizeof bytes);
	explicit_bzero(memory, sizeof memory);
}

static unsigned fair(unsigned count, unsigned fair_bytes)
{
	uint8_t byte;

	do
		random_bytes(&byte, 1);
	while (byte >= fair_bytes);
	return byte % count;
}

/* "BCDF-GHJK", of which no other waits. */
static void make_typed(const struct issue *issue, struct consent *out)
{
	const struct consent *other = NULL;

	do {
		for (int i = 0; i < ISSUE_CONSENT_CODE_BYTES - 1; i++)
			out->typed[i] =
				i == 4 ? '-' : typed_letters[fair(TYPED_LETTERS, FAIR_BYTES)];
		other = issue->consents;
		while (other != NULL && strcmp(other->typed, out->typed) != 0)
			other = other->next;
	} while (other != NULL);
	out->number = NUMBER_LEAST + fair(NUMBER_COUNT, 2 * NUMBER_COUNT);
}

/* ---- a wish ---- */

bool issue_knows_redirect(const struct issue *issue, struct text client, struct text redirect)
{
	const struct charter *charter = registry_find_charter(issue->parts.registry, client);

	return charter != NULL && charter->acts_for.people_count > 0 &&
	       charter_has_redirect(charter, redirect);
}

static enum issue_refusal say(enum issue_refusal refusal, char *detail, const char *why)
{
	snprintf(detail, ERROR_TEXT_BYTES, "%s%s%.150s", issue_refusal_meaning(refusal),
		why == NULL ? "" : ": ", why == NULL ? "" : why);
	return refusal;
}

bool issue_is_digest_text(struct text value)
{
	struct sha256 digest;
	size_t size = 0;

	return value.length == ISSUE_CHALLENGE_BYTES &&
	       base64url_decode(value, digest.bytes, sizeof digest.bytes, &size) &&
	       size == sizeof digest.bytes;
}

static enum issue_refusal check(
	const struct issue *issue, const struct issue_asked *asked, char *detail)
{
	struct task_details *details = NULL;
	struct error err = {0};

	if (asked->state.length > ISSUE_STATE_BYTES_MAX)
		return say(ISSUE_REFUSED, detail, "state is too long");
	if (!issue_is_digest_text(asked->challenge))
		return say(ISSUE_CHALLENGE, detail, NULL);
	if (asked->key.length > 0 && !issue_is_digest_text(asked->key))
		return say(ISSUE_REFUSED, detail, "dpop_jkt is no thumbprint");
	if (asked->resource.length == 0)
		return say(ISSUE_AUDIENCE_MISSING, detail, NULL);
	if (!issue_is_audience(issue, asked->resource))
		return say(ISSUE_AUDIENCE_UNKNOWN, detail, NULL);
	if (asked->scope.length > 0 && !text_is(asked->scope, ACCESS_TOKEN_SCOPE))
		return say(ISSUE_SCOPE, detail, NULL);
	if (!issue_is_plain(asked->purpose, ISSUE_PURPOSE_BYTES_MAX))
		return say(ISSUE_PURPOSE, detail, NULL);
	if (issue_identity_state(issue, asked->client) != TOKEN_ACCEPTED)
		return say(ISSUE_NOT_ACTIVE, detail, NULL);
	if (asked->details.length == 0)
		return ISSUE_GRANTED;
	if (!task_details_parse(&details, asked->details, &err))
		return say(ISSUE_DETAILS, detail, err.text);
	task_details_destroy(&details);
	return ISSUE_GRANTED;
}

static bool keep(struct consent *consent, const struct issue_asked *asked)
{
	const struct {
		struct text *to;
		struct text from;
	} texts[] = {{&consent->client, asked->client}, {&consent->redirect, asked->redirect},
		{&consent->resource, asked->resource}, {&consent->details, asked->details},
		{&consent->purpose, asked->purpose}, {&consent->state_given, asked->state},
		{&consent->challenge, asked->challenge}, {&consent->key, asked->key}};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i].to = text_copy(consent->arena, texts[i].from);
		if (texts[i].to->data == NULL)
			return false;
	}
	return true;
}

static struct consent *consent_create(struct issue *issue, const struct issue_asked *asked)
{
	struct consent *consent = calloc(1, sizeof *consent);

	if (consent == NULL)
		return NULL;
	consent->arena = arena_create_small(CONSENT_ARENA_BYTES_MAX, CONSENT_ARENA_BYTES_FIRST);
	if (consent->arena == NULL || !keep(consent, asked)) {
		arena_destroy(&consent->arena);
		free(consent);
		return NULL;
	}
	random_id(consent->id, "w-");
	make_typed(issue, consent);
	consent->state = ISSUE_CONSENT_WAITS;
	consent->until_utc_s = issue_now_utc_ms(issue) / 1000 + ISSUE_CONSENT_WAIT_S;
	consent->forget_utc_s = consent->until_utc_s + TOKEN_SKEW_S;
	consent->next = issue->consents;
	issue->consents = consent;
	issue->consents_count++;
	return consent;
}

enum issue_refusal issue_consent_begin(struct issue *issue, const struct issue_asked *asked,
	struct issue_consent_begun *out, char *detail)
{
	struct consent *consent = NULL;
	enum issue_refusal refusal;

	*out = (struct issue_consent_begun){0};
	if (issue_is_closed(issue))
		return say(ISSUE_BUSY, detail, "the log or the address is not ready");
	refusal = check(issue, asked, detail);
	if (refusal != ISSUE_GRANTED)
		return refusal;
	issue_consents_tend(issue);
	if (issue->consents_count >= ISSUE_CONSENTS_MAX ||
		count_of(issue, asked->client) >= ISSUE_CONSENTS_PER_IDENTITY_MAX)
		return say(ISSUE_BUSY, detail, "too many people are asked");
	consent = consent_create(issue, asked);
	if (consent == NULL)
		return say(ISSUE_BUSY, detail, NULL);
	memcpy(out->id, consent->id, sizeof out->id);
	make_secret(out->secret, &consent->secret);
	return ISSUE_GRANTED;
}

/* ---- what the browser sees ---- */

static void make_code(struct issue *issue, struct consent *consent, struct issue_consent_view *out)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;

	make_secret(out->code, &consent->code);
	consent->has_code = true;
	consent->code_until_utc_s = now_utc_s + ISSUE_CODE_S;
	consent->forget_utc_s = now_utc_s + ISSUE_CODE_KEEP_S;
}

static void fill_view(
	const struct issue *issue, const struct consent *consent, struct issue_consent_view *out)
{
	const struct charter *charter =
		registry_find_charter(issue->parts.registry, consent->client);

	out->client = consent->client;
	out->resource = consent->resource;
	out->details = consent->details;
	out->purpose = consent->purpose;
	out->redirect = consent->redirect;
	out->state_given = consent->state_given;
	out->code_to_type = text_of(consent->typed);
	out->number = consent->number;
	out->expires_utc_s = consent->until_utc_s;
	if (charter != NULL) {
		out->task_s = charter_token_s(charter);
		out->refresh_s = charter->acts_for.refresh_s;
	}
}

void issue_consent_look(
	struct issue *issue, struct text id, struct text secret, struct issue_consent_view *out)
{
	struct consent *consent = issue_consent_find(issue, id);
	struct sha256 digest = sha256_of(secret.data, secret.length);

	*out = (struct issue_consent_view){.state = ISSUE_CONSENT_GONE};
	if (consent == NULL || !sha256_equal(&digest, &consent->secret))
		return;
	fill_view(issue, consent, out);
	if (consent->until_utc_s <= issue_now_utc_ms(issue) / 1000 && !consent->is_answering &&
		consent->state != ISSUE_CONSENT_DONE)
		consent->state = ISSUE_CONSENT_OVER;
	out->state = consent->state;
	if (consent->state == ISSUE_CONSENT_WAITS)
		return;
	if (consent->state == ISSUE_CONSENT_YES)
		make_code(issue, consent, out);
	/* Whatever it was told now, it is told once. */
	consent->state = ISSUE_CONSENT_DONE;
}

/* Laws of security events: what is read names an issuer, an id and a time, has neither exp nor
 * sub, and a subject that is whole or none; nothing holds by another's key, for another
 * audience, or out of its time.  The input is a token as it comes, and once more as the claims
 * of one that its issuer did sign. */
#include <assert.h>
#include <stdlib.h>

#include "domain/token/claims.h"
#include "domain/token/security_event.h"

#define AUDIENCE "https://remit.example"

enum { ROOM_BYTES = 1 << 22, NOW_S = 1793491200, SIGNED_BYTES_MAX = 64 * 1024 };

struct keys {
	struct private_key *issuers;
	struct private_key *others;
};

static const struct keys *make_keys(void)
{
	/* What each call needs and the first makes. */
	static struct keys keys;
	struct error err = {0};

	if (keys.issuers == NULL &&
		(!private_key_generate(&keys.issuers, SIGNATURE_ES256, &err) ||
			!private_key_generate(&keys.others, SIGNATURE_ES256, &err)))
		abort();
	return &keys;
}

static void check_form(const struct security_event *event)
{
	const struct security_subject *subject = &event->subject;

	assert(event->issuer.length > 0 && event->type.length > 0 && event->issued_utc_s >= 0);
	assert(event->id.length > 0 && event->id.length <= TOKEN_ID_BYTES_MAX);
	assert(event->jws.key_id.length > 0);
	assert(json_find(&event->jws.claims, "exp") == NULL);
	assert(json_find(&event->jws.claims, "sub") == NULL);
	assert((subject->form == SUBJECT_NONE) == (subject->name.length == 0));
	assert(subject->form != SUBJECT_ISSUER || subject->issuer.length > 0);
	assert(security_event_kind_word(event->kind) != NULL);
}

static bool holds(const struct security_event *event, const struct private_key *key,
	struct text audience, int64_t now_utc_s)
{
	const struct security_event_rules rules = {audience, now_utc_s};

	return security_event_check(event, private_key_public(key), &rules) ==
	       SECURITY_EVENT_ACCEPTED;
}

/* True: it was read. */
static bool check(struct arena *arena, struct text compact, bool is_signed)
{
	const struct keys *keys = make_keys();
	struct security_event event, again;
	enum security_event_fault fault = security_event_read(&event, arena, compact);
	int64_t issued = event.issued_utc_s;

	assert(security_event_read(&again, arena, compact) == fault);
	if (fault != SECURITY_EVENT_ACCEPTED)
		return false;
	check_form(&event);
	assert(!holds(&event, keys->others, TEXT(AUDIENCE), NOW_S));
	assert(!holds(&event, keys->issuers, TEXT(""), NOW_S));
	if (!is_signed)
		assert(!holds(&event, keys->issuers, TEXT(AUDIENCE), NOW_S));
	if (holds(&event, keys->issuers, TEXT(AUDIENCE), NOW_S)) {
		assert(issued <= NOW_S + TOKEN_SKEW_S);
		assert(issued >= NOW_S - SECURITY_EVENT_AGE_MAX_S);
		assert(!holds(&event, keys->issuers, TEXT(AUDIENCE "/"), NOW_S) ||
			json_find(&event.jws.claims, "aud")->type == JSON_ARRAY);
		assert(!holds(&event, keys->issuers, TEXT(AUDIENCE),
			issued + SECURITY_EVENT_AGE_MAX_S + 1));
		assert(!holds(&event, keys->issuers, TEXT(AUDIENCE), issued - TOKEN_SKEW_S - 1));
	}
	return true;
}

static void check_signed(struct arena *arena, struct text claims_text)
{
	struct error err = {0};
	struct json claims;
	struct buffer out;

	if (!json_parse(&claims, arena, claims_text, &json_limits_default, &err))
		return;
	buffer_init(&out, SIGNED_BYTES_MAX);
	if (jws_sign(&out, make_keys()->issuers, SECURITY_EVENT_TYPE, TEXT("k"), &claims, &err))
		(void)check(arena, buffer_text(&out), true);
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text whole = {(const char *)data, size};
	struct arena *arena = arena_create(ROOM_BYTES);

	if (arena == NULL)
		return 0;
	(void)check(arena, whole, false);
	check_signed(arena, whole);
	arena_destroy(&arena);
	return 0;
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/digest.h"
#include "domain/federation/id_token.h"
#include "domain/token/jwk.h"
#include "services/sign_in/sign_in.h"
#include "services/trust/trust_private.h"
#include "support/issuing.h"

#define URL "https://id.example.com"
#define OTHER "https://other.example.com"
#define NONCE "the-nonce-of-this-sign-in"

/* An issuer of people, one of workloads, and ana who signs in by her address. */
struct world {
	struct issuing issuing;
	struct arena *arena;
	struct private_key *key;   /* of both issuers, kid k1 */
	struct private_key *other; /* of nobody */
	struct sign_in *sign_in;
	struct sign_in_check check;
	unsigned told;
};

#define PEOPLE                                                                                     \
	"people: {client: remit, claim: email, key-lasts: 8h,\n"                                   \
	"  require: [{name: email_verified, is: true}, {name: hd, is: example.com}]}\n"
#define ISSUER(name, url, more)                                                                    \
	"object: issuer\nname: " name "\nunit: support\nspeaks: oidc\nurl: " url "\n"              \
	"keys: {jwks-url: '" url "/keys'}\nalgorithms: [ES256]\n" more
#define PERSON(name, more) "object: person\nname: " name "\nunit: support\n" more

static void apply(struct world *world, const char *yaml)
{
	if (!governed_apply_by_two(&world->issuing.governed, "adi", yaml))
		fail_msg("%s", world->issuing.governed.last.err.text);
}

static int64_t now_utc_ms(void *context)
{
	return issuing_now_s(context) * 1000;
}

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct error err = {0};

	assert_non_null(world);
	issuing_init(&world->issuing);
	world->arena = world->issuing.governed.arena;
	assert_true(private_key_generate(&world->key, SIGNATURE_ES256, &err));
	assert_true(private_key_generate(&world->other, SIGNATURE_ES256, &err));
	apply(world, ISSUER("id", URL, PEOPLE) "---\n" ISSUER("work", OTHER, ""));
	apply(world, PERSON("ana", "roles: [owner]\nsign-in: {issuer: id, as: ana@example.com}\n"));
	assert_true(sign_in_create(&world->sign_in,
		&(struct sign_in_parts){.registry = world->issuing.governed.registry,
			.trust = world->issuing.trust,
			.wall_utc_ms = now_utc_ms,
			.clock_context = &world->issuing},
		&err));
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	sign_in_check_deinit(&world->check);
	sign_in_destroy(&world->sign_in);
	issuing_deinit(&world->issuing);
	private_key_destroy(&world->key);
	private_key_destroy(&world->other);
	free(world);
	return 0;
}

/* ---- tokens ---- */

static struct text encoded(struct world *world, struct text plain)
{
	return base64url_text(world->arena, plain.data, plain.length);
}

static struct text token_with(
	struct world *world, const struct private_key *key, const char *header, struct text claims)
{
	const struct text parts[] = {
		encoded(world, text_of(header)), TEXT("."), encoded(world, claims)};
	struct text input = text_concat(world->arena, parts, 3);
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct error err = {0};
	size_t size = 0;
	struct text whole[3] = {input, TEXT("."), {0}};

	assert_true(private_key_sign(key, input, signature, &size, &err));
	whole[2] = base64url_text(world->arena, signature, size);
	return text_concat(world->arena, whole, 3);
}

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"

/* A good token with other members in place of those of the same names. */
static struct text claims_with(struct world *world, const char *changes)
{
	int64_t now_s = issuing_now_s(&world->issuing);
	struct text good = text_format(world->arena,
		"{\"iss\":\"" URL "\",\"sub\":\"u-1\",\"aud\":\"remit\",\"nonce\":\"" NONCE "\","
		"\"iat\":%lld,\"exp\":%lld,\"email\":\"ana@example.com\",\"email_verified\":true,"
		"\"hd\":\"example.com\"}",
		(long long)now_s, (long long)now_s + 300);
	struct json base, with, out;
	struct json_builder object;
	struct error err = {0};

	assert_true(json_parse(&base, world->arena, good, &json_limits_default, &err));
	if (!json_parse(&with, world->arena, text_of(changes), &json_limits_default, &err))
		fail_msg("%s: %s", changes, err.text);
	json_object_start(&object, world->arena);
	for (uint32_t i = 0; i < base.count; i++)
		if (json_find_text(&with, base.members[i].name) == NULL)
			json_put_named(&object, base.members[i].name, base.members[i].value);
	for (uint32_t i = 0; i < with.count; i++)
		if (with.members[i].value.type != JSON_NULL)
			json_put_named(&object, with.members[i].name, with.members[i].value);
	assert_true(json_object_seal(&object, &out, &err));
	return json_canonical_text(world->arena, &out);
}

static struct text token(struct world *world, const char *changes)
{
	return token_with(world, world->key, HEADER, claims_with(world, changes));
}

/* ---- keys ---- */

static struct text keys_of(struct world *world, const struct private_key *key)
{
	struct error err = {0};
	struct json jwk;

	assert_true(jwk_format(&jwk, world->arena, private_key_public(key), &err));
	return text_format(world->arena,
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\",\"x\":\"%.*s\","
		"\"y\":\"%.*s\"}]}",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")));
}

/* Answers every fetch that is under way. */
static void give_keys(struct world *world)
{
	struct fake_keys *keys = &world->issuing.keys;

	for (unsigned i = 0; i < keys->count; i++)
		if (keys->fetches[i].fetch != NULL)
			fake_keys_answer(keys, i, keys_of(world, world->key), -1);
}

/* ---- checks ---- */

static void on_checked(struct sign_in_check *check)
{
	struct world *world = check->context;

	world->told++;
}

static void begin(struct world *world, struct text id_token, const char *issuer, const char *nonce)
{
	sign_in_check_deinit(&world->check);
	world->told = 0;
	world->check = (struct sign_in_check){.id_token = id_token,
		.issuer = text_of(issuer),
		.nonce = text_of(nonce),
		.done = on_checked,
		.context = world};
	sign_in_check_start(world->sign_in, &world->check);
}

static enum token_reason reason_of(struct world *world, struct text id_token)
{
	begin(world, id_token, "id", NONCE);
	if (world->told == 0)
		give_keys(world);
	assert_int_equal(world->told, 1);
	if (world->check.outcome == SIGN_IN_DONE)
		return TOKEN_ACCEPTED;
	assert_int_equal(world->check.outcome, SIGN_IN_REFUSED);
	assert_int_equal(world->check.person.length, 0);
	return world->check.reason;
}

#define refused(world, changes, why)                                                               \
	assert_string_equal(token_reason_word(reason_of(world, token(world, changes))), why)

/* ---- the tests ---- */

static void what_is_wrong_with_a_token_is_refused(void **state)
{
	struct world *world = *state;
	int64_t now_s = issuing_now_s(&world->issuing);
	static const struct {
		const char *changes;
		const char *why;
	} rows[] = {
		{"{\"iss\":\"" OTHER "\"}", "issuer"},
		{"{\"iss\":\"" URL "/\"}", "issuer"},
		{"{\"iss\":null}", "issuer"},
		{"{\"sub\":null}", "subject"},
		{"{\"sub\":\"\"}", "subject"},
		{"{\"aud\":null}", "audience"},
		{"{\"aud\":\"other\"}", "audience"},
		{"{\"aud\":[]}", "audience"},
		{"{\"aud\":[\"other\"]}", "audience"},
		{"{\"aud\":[\"remit\",\"other\"]}", "party"},
		{"{\"aud\":[\"remit\",\"other\"],\"azp\":\"other\"}", "party"},
		{"{\"azp\":\"other\"}", "party"},
		{"{\"azp\":7}", "party"},
		{"{\"aud\":{\"remit\":1}}", "audience"},
		{"{\"nonce\":null}", "login_nonce"},
		{"{\"nonce\":\"\"}", "login_nonce"},
		{"{\"nonce\":\"" NONCE "x\"}", "login_nonce"},
		{"{\"nonce\":[\"" NONCE "\"]}", "login_nonce"},
		{"{\"exp\":null}", "expiry_missing"},
		{"{\"exp\":\"soon\"}", "claim_type"},
		{"{\"iat\":null}", "issued_missing"},
		{"{\"email_verified\":false}", "login_claim"},
		{"{\"email_verified\":\"true\"}", "login_claim"},
		{"{\"email_verified\":1}", "login_claim"},
		{"{\"email_verified\":null}", "login_claim"},
		{"{\"hd\":\"example.com.evil.org\"}", "login_claim"},
		{"{\"hd\":null}", "login_claim"},
		{"{\"email\":null}", "person"},
		{"{\"email\":\"\"}", "person"},
		{"{\"email\":[\"ana@example.com\"]}", "person"},
		{"{\"email\":\"Ana@example.com\"}", "person"},
		{"{\"email\":\"ana\"}", "person"},
		{"{\"email\":\"bo@example.com\"}", "person"},
	};
	char changes[256];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *found =
			token_reason_word(reason_of(world, token(world, rows[i].changes)));

		if (strcmp(found, rows[i].why) != 0)
			fail_msg("%s: %s, not %s", rows[i].changes, found, rows[i].why);
	}
	(void)snprintf(changes, sizeof changes, "{\"iat\":%lld,\"exp\":%lld}",
		(long long)now_s - 200, (long long)now_s - TOKEN_SKEW_S);
	refused(world, changes, "expired");
	(void)snprintf(changes, sizeof changes, "{\"iat\":%lld}",
		(long long)now_s - ID_TOKEN_AGE_S_MAX - 1);
	refused(world, changes, "too_old");
	(void)snprintf(
		changes, sizeof changes, "{\"iat\":%lld}", (long long)now_s + TOKEN_SKEW_S + 1);
	refused(world, changes, "issued_in_future");
	(void)snprintf(
		changes, sizeof changes, "{\"nbf\":%lld}", (long long)now_s + TOKEN_SKEW_S + 1);
	refused(world, changes, "not_yet_valid");
	(void)snprintf(changes, sizeof changes, "{\"exp\":%lld}", (long long)now_s + 3601);
	refused(world, changes, "lifetime");
}

static void what_holds_says_which_person_it_is(void **state)
{
	struct world *world = *state;
	int64_t now_s = issuing_now_s(&world->issuing);
	char changes[256];

	assert_int_equal(reason_of(world, token(world, "{}")), TOKEN_ACCEPTED);
	assert_true(text_is(world->check.person, "ana"));
	assert_true(text_is(world->check.issuer_name, "id"));
	assert_true(world->check.key_until_utc_ms == (now_s + 8 * 3600) * 1000);
	assert_true(world->check.useless_utc_ms == (now_s + 300 + TOKEN_SKEW_S) * 1000);
	assert_int_equal(reason_of(world, token(world, "{\"aud\":[\"remit\"]}")), TOKEN_ACCEPTED);
	assert_int_equal(
		reason_of(world, token(world, "{\"aud\":[\"x\",\"remit\"],\"azp\":\"remit\"}")),
		TOKEN_ACCEPTED);
	(void)snprintf(
		changes, sizeof changes, "{\"iat\":%lld}", (long long)now_s - ID_TOKEN_AGE_S_MAX);
	assert_int_equal(reason_of(world, token(world, changes)), TOKEN_ACCEPTED);
	/* The only issuer of people need not be named. */
	begin(world, token(world, "{}"), "", NONCE);
	assert_int_equal(world->check.outcome, SIGN_IN_DONE);
}

/* A token for so many, the client last. */
static struct text token_for_many(struct world *world, unsigned count)
{
	struct buffer changes;
	struct text made;

	buffer_init(&changes, 1 << 16);
	buffer_append_string(&changes, "{\"azp\":\"remit\",\"aud\":[");
	for (unsigned i = 1; i < count; i++)
		buffer_append_format(&changes, "\"other-%u\",", i);
	buffer_append_string(&changes, "\"remit\"]}");
	made = text_copy(world->arena, buffer_text(&changes));
	buffer_deinit(&changes);
	return token(world, made.data);
}

static void a_token_is_for_so_many_and_no_more(void **state)
{
	struct world *world = *state;

	assert_int_equal(
		reason_of(world, token_for_many(world, ID_TOKEN_AUDIENCES_MAX)), TOKEN_ACCEPTED);
	assert_int_equal(reason_of(world, token_for_many(world, ID_TOKEN_AUDIENCES_MAX + 1)),
		TOKEN_AUDIENCE);
}

static void what_the_issuer_did_not_sign_is_refused(void **state)
{
	struct world *world = *state;
	struct text claims = claims_with(world, "{}");
	struct text keys = keys_of(world, world->key);
	struct text good = token_with(world, world->key, HEADER, claims);
	struct text hs, none;
	struct sha256 mac;

	assert_string_equal(token_reason_word(reason_of(
				    world, token_with(world, world->other, HEADER, claims))),
		"signature");
	assert_string_equal(
		token_reason_word(reason_of(world,
			token_with(world, world->key,
				"{\"alg\":\"ES256\",\"kid\":\"k2\",\"typ\":\"JWT\"}", claims))),
		"key_unknown");
	assert_string_equal(
		token_reason_word(reason_of(world,
			token_with(world, world->key,
				"{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}", claims))),
		"algorithm");
	assert_string_equal(
		token_reason_word(reason_of(world,
			token_with(world, world->key,
				"{\"alg\":\"ES384\",\"kid\":\"k1\",\"typ\":\"JWT\"}", claims))),
		"key_unknown");
	assert_string_equal(
		token_reason_word(reason_of(world,
			token_with(world, world->key,
				"{\"alg\":\"ES256\",\"kid\":\"k1\",\"typ\":\"at+jwt\"}", claims))),
		"type");
	/* HS256 keyed with what everybody can read: the public key set. */
	hs = text_format(world->arena, "%.*s.%.*s",
		TEXT_ARGS(encoded(world, TEXT("{\"alg\":\"HS256\",\"kid\":\"k1\"}"))),
		TEXT_ARGS(encoded(world, claims)));
	mac = hmac_sha256((const uint8_t *)keys.data, keys.length, hs.data, hs.length);
	hs = text_format(world->arena, "%.*s.%.*s", TEXT_ARGS(hs),
		TEXT_ARGS(base64url_text(world->arena, mac.bytes, sizeof mac.bytes)));
	assert_string_equal(token_reason_word(reason_of(world, hs)), "algorithm");
	none = text_format(world->arena, "%.*s.%.*s.",
		TEXT_ARGS(encoded(world, TEXT("{\"alg\":\"none\"}"))),
		TEXT_ARGS(encoded(world, claims)));
	assert_int_not_equal(reason_of(world, none), TOKEN_ACCEPTED);
	assert_int_equal(reason_of(world, good), TOKEN_ACCEPTED);
}

static void an_issuer_without_people_signs_nobody_in(void **state)
{
	struct world *world = *state;

	begin(world, token(world, "{\"iss\":\"" OTHER "\"}"), "work", NONCE);
	give_keys(world);
	assert_int_equal(world->check.outcome, SIGN_IN_REFUSED);
	assert_int_equal(world->check.reason, TOKEN_ISSUER);
	begin(world, token(world, "{}"), "nobody", NONCE);
	assert_int_equal(world->check.reason, TOKEN_ISSUER);
	/* Nor without a nonce: then anybody's token would do. */
	begin(world, token(world, "{}"), "id", "");
	assert_int_equal(world->check.reason, TOKEN_LOGIN_NONCE);
}

static void a_token_of_one_issuer_is_none_of_another(void **state)
{
	struct world *world = *state;

	apply(world, ISSUER("work", OTHER, PEOPLE));
	begin(world, token(world, "{}"), "work", NONCE);
	assert_int_equal(world->check.reason, TOKEN_ISSUER);
	/* And none of two is the only one. */
	begin(world, token(world, "{}"), "", NONCE);
	assert_int_equal(world->check.reason, TOKEN_ISSUER);
	/* Nor does the other's word count for ana, who signs in by the first. */
	begin(world, token(world, "{\"iss\":\"" OTHER "\"}"), "work", NONCE);
	give_keys(world);
	assert_int_equal(world->check.reason, TOKEN_PERSON);
}

static void whom_two_documents_claim_is_nobody(void **state)
{
	struct world *world = *state;

	assert_false(governed_apply(&world->issuing.governed, "adi",
		PERSON("ann", "sign-in: {issuer: id, as: ana@example.com}\n")));
	apply(world, ISSUER("work", OTHER, PEOPLE));
	apply(world, PERSON("ann", "sign-in: {issuer: work, as: ana@example.com}\n"));
	assert_int_equal(reason_of(world, token(world, "{}")), TOKEN_ACCEPTED);
}

static void a_leaver_is_nobody(void **state)
{
	struct world *world = *state;

	assert_int_equal(reason_of(world, token(world, "{}")), TOKEN_ACCEPTED);
	apply(world, PERSON("ana", "roles: [owner]\n"));
	assert_string_equal(token_reason_word(reason_of(world, token(world, "{}"))), "person");
}

static void who_has_no_other_name_signs_in_by_their_own(void **state)
{
	struct world *world = *state;

	apply(world, PERSON("zoe@example.com", "sign-in: {issuer: id}\n"));
	assert_int_equal(
		reason_of(world, token(world, "{\"email\":\"zoe@example.com\"}")), TOKEN_ACCEPTED);
	assert_true(text_is(world->check.person, "zoe@example.com"));
}

static void how_they_proved_themselves_is_looked_at_where_it_is_asked(void **state)
{
	struct world *world = *state;
	long long now_s = (long long)issuing_now_s(&world->issuing);
	char changes[256];

	apply(world,
		ISSUER("id", URL,
			"people: {client: remit, claim: sub, max-age: 10m, acr: [silver, gold],\n"
			"  amr: [pwd, otp]}\n"));
	apply(world, PERSON("ana", "roles: [owner]\nsign-in: {issuer: id, as: u-1}\n"));
#define WAY ",\"acr\":\"gold\",\"amr\":[\"otp\",\"pwd\"]}"
	(void)snprintf(
		changes, sizeof changes, "{\"auth_time\":%lld" WAY, now_s - 600 - TOKEN_SKEW_S);
	assert_int_equal(reason_of(world, token(world, changes)), TOKEN_ACCEPTED);
	(void)snprintf(
		changes, sizeof changes, "{\"auth_time\":%lld" WAY, now_s - 601 - TOKEN_SKEW_S);
	refused(world, changes, "login_age");
	(void)snprintf(
		changes, sizeof changes, "{\"auth_time\":%lld" WAY, now_s + TOKEN_SKEW_S + 1);
	refused(world, changes, "login_age");
	refused(world, "{\"acr\":\"gold\",\"amr\":[\"otp\",\"pwd\"]}", "login_age");
	(void)snprintf(changes, sizeof changes,
		"{\"auth_time\":%lld,\"acr\":\"bronze\",\"amr\":[\"otp\",\"pwd\"]}", now_s);
	refused(world, changes, "login_way");
	(void)snprintf(changes, sizeof changes,
		"{\"auth_time\":%lld,\"acr\":\"gold\",\"amr\":[\"pwd\"]}", now_s);
	refused(world, changes, "login_way");
	(void)snprintf(changes, sizeof changes, "{\"auth_time\":%lld,\"acr\":\"gold\"}", now_s);
	refused(world, changes, "login_way");
#undef WAY
}

static void a_check_waits_for_keys_and_may_be_forgotten(void **state)
{
	struct world *world = *state;

	begin(world, token(world, "{}"), "id", NONCE);
	assert_int_equal(world->told, 0);
	sign_in_forget(&world->check);
	give_keys(world);
	assert_int_equal(world->told, 0);
	begin(world, token(world, "{}"), "id", NONCE);
	assert_int_equal(world->told, 1);
	sign_in_forget(&world->check); /* which is over */
}

static void without_keys_it_is_not_refused_but_told_to_come_again(void **state)
{
	struct world *world = *state;

	begin(world, token(world, "{}"), "id", NONCE);
	fake_keys_fail(&world->issuing.keys, world->issuing.keys.count - 1, "it is down");
	assert_int_equal(world->told, 1);
	assert_int_equal(world->check.outcome, SIGN_IN_NO_KEYS);
}

/* So many wait for the keys of as many issuers as it takes. */
static void no_more_checks_wait_for_all_issuers_than_there_is_room_for(void **state)
{
	enum { ISSUERS = SIGN_IN_UNDER_WAY_MAX / TRUST_WAITS_MAX };
	static struct sign_in_check checks[SIGN_IN_UNDER_WAY_MAX + 1];
	struct world *world = *state;

	for (unsigned i = 0; i < ISSUERS; i++)
		apply(world, text_format(world->arena,
				     ISSUER("id-%u", "https://id-%u.example.com",
					     "people: {client: remit}\n"),
				     i, i, i)
				     .data);
	for (unsigned i = 0; i <= SIGN_IN_UNDER_WAY_MAX; i++) {
		unsigned issuer = i < SIGN_IN_UNDER_WAY_MAX ? i / TRUST_WAITS_MAX : 0;

		checks[i] = (struct sign_in_check){
			.id_token = token(
				world, text_format(world->arena,
					       "{\"iss\":\"https://id-%u.example.com\"}", issuer)
					       .data),
			.issuer = text_format(world->arena, "id-%u", issuer),
			.nonce = TEXT(NONCE),
			.done = on_checked,
			.context = world};
		sign_in_check_start(world->sign_in, &checks[i]);
		assert_int_equal(world->told, i == SIGN_IN_UNDER_WAY_MAX ? 1 : 0);
	}
	assert_int_equal(checks[SIGN_IN_UNDER_WAY_MAX].outcome, SIGN_IN_BUSY);
	give_keys(world);
	assert_int_equal(world->told, SIGN_IN_UNDER_WAY_MAX + 1);
	for (unsigned i = 0; i <= SIGN_IN_UNDER_WAY_MAX; i++)
		sign_in_check_deinit(&checks[i]);
}

static void no_more_checks_wait_than_there_is_room_for(void **state)
{
	struct world *world = *state;
	static struct sign_in_check checks[TRUST_WAITS_MAX + 1];

	for (unsigned i = 0; i <= TRUST_WAITS_MAX; i++) {
		checks[i] = (struct sign_in_check){.id_token = token(world, "{}"),
			.issuer = TEXT("id"),
			.nonce = TEXT(NONCE),
			.done = on_checked,
			.context = world};
		sign_in_check_start(world->sign_in, &checks[i]);
		assert_int_equal(world->told, i == TRUST_WAITS_MAX ? 1 : 0);
	}
	assert_int_equal(checks[TRUST_WAITS_MAX].outcome, SIGN_IN_NO_KEYS);
	give_keys(world);
	assert_int_equal(world->told, TRUST_WAITS_MAX + 1);
	for (unsigned i = 0; i <= TRUST_WAITS_MAX; i++)
		sign_in_check_deinit(&checks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
		T(what_is_wrong_with_a_token_is_refused),
		T(what_holds_says_which_person_it_is),
		T(a_token_is_for_so_many_and_no_more),
		T(what_the_issuer_did_not_sign_is_refused),
		T(an_issuer_without_people_signs_nobody_in),
		T(a_token_of_one_issuer_is_none_of_another),
		T(whom_two_documents_claim_is_nobody),
		T(a_leaver_is_nobody),
		T(who_has_no_other_name_signs_in_by_their_own),
		T(how_they_proved_themselves_is_looked_at_where_it_is_asked),
		T(a_check_waits_for_keys_and_may_be_forgotten),
		T(without_keys_it_is_not_refused_but_told_to_come_again),
		T(no_more_checks_wait_than_there_is_room_for),
		T(no_more_checks_wait_for_all_issuers_than_there_is_room_for),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

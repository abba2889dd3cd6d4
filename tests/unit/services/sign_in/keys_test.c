#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/jwk.h"
#include "domain/token/request_signature.h"
#include "support/issuing.h"
#include "support/memory_store.h"

enum { TEXT_BYTES = 32768, LASTS_S = 8 * 3600, USEFUL_S = 600 };

#define WHOAMI "/v1/whoami"
#define PEOPLE                                                                                     \
	"object: issuer\nname: id\nunit: support\nspeaks: oidc\nurl: https://id.example.com\n"     \
	"algorithms: [ES256]\npeople: {client: remit}\n"
#define ANA "object: person\nname: ana\nunit: support\nroles: [owner]\n"

static void apply(struct issuing *issuing, const char *yaml)
{
	if (!governed_apply_by_two(&issuing->governed, "adi", yaml))
		fail_msg("%s", issuing->governed.last.err.text);
}

static int start(void **state)
{
	struct issuing *issuing = calloc(1, sizeof *issuing);

	assert_non_null(issuing);
	issuing_init(issuing);
	apply(issuing, PEOPLE);
	apply(issuing, ANA "sign-in: {issuer: id, as: u-1}\n");
	*state = issuing;
	return 0;
}

static int end(void **state)
{
	struct issuing *issuing = *state;

	issuing_deinit(issuing);
	free(issuing);
	return 0;
}

static struct sha256 digest_of_issuer(const struct issuing *issuing)
{
	return registry_find(issuing->governed.registry, OBJECT_ISSUER, TEXT("id"))
		->in_force->digest;
}

static struct sha256 digest_of_person(const struct issuing *issuing, const char *name)
{
	return registry_find(issuing->governed.registry, OBJECT_PERSON, text_of(name))
		->in_force->digest;
}

static struct text thumbprint_of(struct issuing *issuing, const struct private_key *key)
{
	char kid[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	assert_true(jwk_thumbprint(kid, private_key_public(key), &err));
	return text_copy(issuing->governed.arena, text_of(kid));
}

/* What services/sign_in found out about ana, now. */
static struct registrar_request asked(struct issuing *issuing, const struct private_key *key)
{
	int64_t now_ms = issuing_now_s(issuing) * 1000;
	struct registrar_request request = {.verb = REGISTRAR_SIGN_IN,
		.actor = TEXT("person:ana"),
		.name = TEXT("ana"),
		.kid = thumbprint_of(issuing, key),
		.sign_in = {.issuer = TEXT("id"),
			.issuer_digest = digest_of_issuer(issuing),
			.person_digest = digest_of_person(issuing, "ana"),
			.expires_utc_ms = now_ms + (int64_t)LASTS_S * 1000,
			.useless_utc_ms = now_ms + (int64_t)USEFUL_S * 1000}};
	struct error err = {0};

	assert_true(
		jwk_format(&request.jwk, issuing->governed.arena, private_key_public(key), &err));
	return request;
}

static struct private_key *fresh_key(void)
{
	struct private_key *key = NULL;
	struct error err = {0};

	assert_true(private_key_generate(&key, SIGNATURE_ES256, &err));
	return key;
}

static bool sign_in(struct issuing *issuing, const struct private_key *key)
{
	return governed_run(&issuing->governed, asked(issuing, key));
}

/* What the daemon says to a request that ana signed with the key; "" if it is taken. */
static const char *said(struct issuing *issuing, const struct private_key *key)
{
	const struct signed_request what = {.audience = TEXT(ISSUING_INSTALLATION),
		.method = TEXT("GET"),
		.url = TEXT(ISSUING_ISSUER WHOAMI)};
	struct issue_signed received = {.method = what.method, .target = TEXT(WHOAMI)};
	struct error err = {0};
	struct text person;
	struct buffer out;

	buffer_init(&out, TEXT_BYTES);
	assert_true(request_signature_build(
		&out, key, TEXT("ana"), &what, issuing_now_s(issuing), &err));
	received.authorization = text_copy(issuing->governed.arena, buffer_text(&out));
	buffer_deinit(&out);
	if (issue_verify_request(issuing->issue, &received, issuing->governed.arena, &person, &err))
		return "";
	return text_copy(issuing->governed.arena, text_of(err.text)).data;
}

#define says(issuing, key, word) assert_non_null(strstr(said(issuing, key), word))

static bool revoke(struct issuing *issuing, const struct private_key *key)
{
	return governed_run(
		&issuing->governed, (struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
					    .actor = TEXT("person:ana"),
					    .name = TEXT("ana"),
					    .kid = thumbprint_of(issuing, key)});
}

/* ---- the tests ---- */

static void a_key_that_was_signed_in_with_counts_until_its_end(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *key = fresh_key();

	says(issuing, key, "(key_unknown)");
	assert_true(sign_in(issuing, key));
	assert_string_equal(said(issuing, key), "");
	issuing_pass(issuing, LASTS_S - 1);
	assert_string_equal(said(issuing, key), "");
	issuing_pass(issuing, 1);
	says(issuing, key, "(key_over)");
	says(issuing, key, "remit login");
	private_key_destroy(&key);
}

static void only_the_person_whom_the_issuer_names_is_enrolled(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *key = fresh_key();
	struct registrar_request request = asked(issuing, key);

	request.actor = TEXT("person:adi"); /* who administers */
	assert_false(governed_run(&issuing->governed, request));
	assert_true(issuing->governed.last.is_forbidden);
	request = asked(issuing, key);
	request.name = TEXT("bo"); /* who has no sign-in */
	request.sign_in.person_digest = digest_of_person(issuing, "bo");
	request.actor = TEXT("person:bo");
	assert_false(governed_run(&issuing->governed, request));
	request.name = TEXT("nobody");
	request.actor = TEXT("person:nobody");
	assert_false(governed_run(&issuing->governed, request));
	request = asked(issuing, key);
	request.kid = TEXT("another");
	assert_false(governed_run(&issuing->governed, request));
	request = asked(issuing, key);
	request.sign_in.expires_utc_ms = issuing_now_s(issuing) * 1000;
	assert_false(governed_run(&issuing->governed, request));
	says(issuing, key, "(key_unknown)");
	private_key_destroy(&key);
}

static void what_changed_meanwhile_enrols_nothing(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *key = fresh_key();
	struct registrar_request request = asked(issuing, key);

	apply(issuing, PEOPLE "max-lifetime: 5m\n");
	assert_false(governed_run(&issuing->governed, request));
	assert_true(issuing->governed.last.is_forbidden);
	request = asked(issuing, key);
	/* Another is ana to the issuer by now. */
	apply(issuing, ANA "sign-in: {issuer: id, as: u-9}\n");
	assert_false(governed_run(&issuing->governed, request));
	request = asked(issuing, key);
	apply(issuing, ANA);
	assert_false(governed_run(&issuing->governed, request));
	private_key_destroy(&key);
}

static void a_key_is_enrolled_once_also_after_it_was_ended(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *key = fresh_key();

	assert_true(sign_in(issuing, key));
	assert_false(sign_in(issuing, key));
	assert_int_equal(issuing->governed.last.err.code, ERROR_CONFLICT);
	assert_true(revoke(issuing, key));
	says(issuing, key, "(key_over)");
	assert_false(sign_in(issuing, key));
	assert_int_equal(issuing->governed.last.err.code, ERROR_CONFLICT);
	private_key_destroy(&key);
}

static void what_remit_ends_is_over_at_once(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *key = fresh_key();

	assert_true(sign_in(issuing, key));
	assert_true(governed_run(
		&issuing->governed, (struct registrar_request){.verb = REGISTRAR_END_KEY,
					    .actor = TEXT("remit"),
					    .name = TEXT("ana"),
					    .sign_in = {.issuer = TEXT("id")}}));
	assert_true(issuing->governed.last.is_changed);
	says(issuing, key, "(key_over)");
	private_key_destroy(&key);
}

static void remit_alone_ends_what_an_issuer_let_in_and_nothing_else(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *keys[2] = {fresh_key(), fresh_key()};
	struct registrar_request request = {
		.verb = REGISTRAR_END_KEY, .actor = TEXT("person:adi"), .name = TEXT("ana")};

	assert_true(sign_in(issuing, keys[0]));
	assert_true(sign_in(issuing, keys[1]));
	assert_false(governed_run(&issuing->governed, request));
	request.actor = TEXT("remit");
	request.sign_in.issuer = TEXT("other");
	assert_true(governed_run(&issuing->governed, request));
	assert_false(issuing->governed.last.is_changed);
	request.sign_in.issuer = TEXT("");
	for (unsigned i = 0; i < 3; i++) {
		assert_true(governed_run(&issuing->governed, request));
		assert_int_equal(issuing->governed.last.is_changed, i < 2);
	}
	says(issuing, keys[0], "(key_over)");
	says(issuing, keys[1], "(key_over)");
	/* The key by code is none of its. */
	assert_string_equal(said(issuing, issuing->ana_key), "");
	private_key_destroy(&keys[0]);
	private_key_destroy(&keys[1]);
}

static void a_person_has_so_many_keys_until_old_ones_may_be_forgotten(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *keys[REGISTRY_KEYS_PER_PERSON_MAX + 1];
	unsigned count = REGISTRY_KEYS_PER_PERSON_MAX - 1; /* and the one by code */

	for (unsigned i = 0; i <= count; i++) {
		keys[i] = fresh_key();
		assert_int_equal(sign_in(issuing, keys[i]), i < count);
	}
	assert_int_equal(issuing->governed.last.err.code, ERROR_LIMIT);
	assert_true(revoke(issuing, keys[0]));
	/* While its token is of use its kid is remembered. */
	assert_false(sign_in(issuing, keys[count]));
	issuing_pass(issuing, USEFUL_S);
	assert_true(sign_in(issuing, keys[count]));
	says(issuing, keys[0], "(key_unknown)");
	assert_string_equal(said(issuing, keys[1]), "");
	for (unsigned i = 0; i <= count; i++)
		private_key_destroy(&keys[i]);
}

#define ADI "object: person\nname: adi\nunit: org\nroles: [administrator]\n"

/* Ends the keys by code that an administrator has. */
static void revoke_codes(struct issuing *issuing, const char *person)
{
	const struct registry_entry *entry =
		registry_find(issuing->governed.registry, OBJECT_PERSON, text_of(person));
	struct arena *arena = issuing->governed.arena;

	for (size_t i = entry->keys_count; i-- > 0;)
		if (entry->keys[i].useless_utc_ms == 0)
			assert_true(governed_run(&issuing->governed,
				(struct registrar_request){.verb = REGISTRAR_REVOKE_KEY,
					.actor = text_format(arena, "person:%s", person),
					.name = text_of(person),
					.kid = text_copy(arena, entry->keys[i].kid)}));
}

static bool bootstrap(struct issuing *issuing)
{
	return governed_run(&issuing->governed, (struct registrar_request){
							.verb = REGISTRAR_BOOTSTRAP,
							.actor = TEXT("uid:1000"),
						});
}

/* Who logged out for the night can sign in again: nobody else becomes the first one meanwhile. */
static void administrators_who_logged_out_are_administrators(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *key = fresh_key();
	struct registrar_request request;

	apply(issuing, ADI "sign-in: {issuer: id, as: u-2}\n");
	request = asked(issuing, key);
	request.actor = TEXT("person:adi");
	request.name = TEXT("adi");
	request.sign_in.person_digest = digest_of_person(issuing, "adi");
	assert_true(governed_run(&issuing->governed, request));
	revoke_codes(issuing, "eva");
	revoke_codes(issuing, "adi");
	assert_false(bootstrap(issuing));
	assert_true(governed_run(&issuing->governed,
		(struct registrar_request){
			.verb = REGISTRAR_END_KEY, .actor = TEXT("remit"), .name = TEXT("adi")}));
	assert_true(issuing->governed.last.is_changed);
	assert_false(bootstrap(issuing));
	assert_true(issuing->governed.last.is_forbidden);
	private_key_destroy(&key);
}

/* Where there is no way back there is one for the socket's user, as ever. */
static void administrators_without_any_way_in_are_none(void **state)
{
	struct issuing *issuing = *state;

	revoke_codes(issuing, "eva");
	revoke_codes(issuing, "adi");
	assert_true(bootstrap(issuing));
}

static void the_log_alone_gives_the_same_keys_again(void **state)
{
	struct issuing *issuing = *state;
	struct private_key *keys[2] = {fresh_key(), fresh_key()};
	struct issuing second;

	assert_true(sign_in(issuing, keys[0]));
	assert_true(sign_in(issuing, keys[1]));
	assert_true(revoke(issuing, keys[0]));
	issuing_live_again(issuing, &second);
	issuing_pass(&second, 2); /* nothing of the second before the start is taken */
	says(&second, keys[0], "(key_over)");
	assert_string_equal(said(&second, keys[1]), "");
	assert_false(sign_in(&second, keys[0]));
	issuing_pass(&second, LASTS_S);
	says(&second, keys[1], "(key_over)");
	second.token_key = NULL;
	issuing_deinit(&second);
	private_key_destroy(&keys[0]);
	private_key_destroy(&keys[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, start, end)
		T(a_key_that_was_signed_in_with_counts_until_its_end),
		T(only_the_person_whom_the_issuer_names_is_enrolled),
		T(what_changed_meanwhile_enrols_nothing),
		T(a_key_is_enrolled_once_also_after_it_was_ended),
		T(what_remit_ends_is_over_at_once),
		T(remit_alone_ends_what_an_issuer_let_in_and_nothing_else),
		T(a_person_has_so_many_keys_until_old_ones_may_be_forgotten),
		T(administrators_who_logged_out_are_administrators),
		T(administrators_without_any_way_in_are_none),
		T(the_log_alone_gives_the_same_keys_again),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

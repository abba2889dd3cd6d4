#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/token/jwk.h"
#include "services/trust/trust_private.h"
#include "support/fake_keys.h"
#include "support/issuing.h"

#define URL "https://id.example.com"

/* Issuers over a governed registry; the clock is the log's. */
struct world {
	struct issuing issuing;
	struct private_key *key;
	unsigned runs;
};

static void apply(struct world *world, const char *yaml)
{
	if (!governed_apply_by_two(&world->issuing.governed, "adi", yaml))
		fail_msg("%s", world->issuing.governed.last.err.text);
}

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);
	struct error err = {0};

	assert_non_null(world);
	issuing_init(&world->issuing);
	assert_true(private_key_generate(&world->key, SIGNATURE_ES256, &err));
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	issuing_deinit(&world->issuing);
	private_key_destroy(&world->key);
	free(world);
	return 0;
}

#define ISSUER(name, url)                                                                          \
	"object: issuer\nname: " name "\nunit: support\nspeaks: oidc\nurl: '" url "'\n"            \
	"keys: {jwks-url: '" url "/keys'}\nalgorithms: [ES256]\n"

static struct text keys_text(struct world *world, const char *kid, const char *use)
{
	struct arena *arena = world->issuing.governed.arena;
	struct error err = {0};
	struct json jwk;

	assert_true(jwk_format(&jwk, arena, private_key_public(world->key), &err));
	return text_format(arena,
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%.*s\",\"y\":\"%.*s\","
		"\"kid\":\"%s\",\"use\":\"%s\"}],\"spiffe_refresh_hint\":120}",
		TEXT_ARGS(json_text_or(&jwk, "x", "")), TEXT_ARGS(json_text_or(&jwk, "y", "")), kid,
		use);
}

static enum trust_outcome find(struct world *world, const char *kid, struct trust_wait *wait)
{
	const struct trust_query query = {
		.issuer = text_of(URL), .key_id = text_of(kid), .algorithm = SIGNATURE_ES256};
	struct trust_found found;
	enum trust_outcome outcome = trust_find(world->issuing.trust, &query, wait, &found);

	assert_int_equal(found.key != NULL, outcome == TRUST_FOUND);
	return outcome;
}

static void count_run(struct trust_wait *wait)
{
	struct world *world = wait->context;

	world->runs++;
}

static void two_issuers_of_one_url_are_nobody(void **state)
{
	struct world *world = *state;
	const struct trust_query query = {.issuer = text_of(URL)};
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, ISSUER("id", URL));
	assert_true(trust_knows(world->issuing.trust, &query));
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, 0, keys_text(world, "a", "sig"), -1);
	assert_int_equal(find(world, "a", NULL), TRUST_FOUND);
	/* Planned it is refused, unless the first is to move and has not yet. */
	assert_false(governed_apply(&world->issuing.governed, "adi", ISSUER("second", URL)));
	assert_true(governed_apply(&world->issuing.governed, "adi", ISSUER("id", URL "/moved")));
	assert_true(governed_apply(&world->issuing.governed, "adi", ISSUER("second", URL)));
	assert_true(trust_knows(world->issuing.trust, &query));
	assert_true(governed_step_of(
		&world->issuing.governed, "eva", REGISTRAR_APPROVE, OBJECT_ISSUER, "second"));
	assert_false(trust_knows(world->issuing.trust, &query));
	assert_int_equal(find(world, "a", NULL), TRUST_UNKNOWN);
}

static void nobody_has_an_empty_url(void **state)
{
	struct world *world = *state;
	const struct trust_query query = {.algorithm = SIGNATURE_ES256};

	apply(world, "object: issuer\nname: mesh\nunit: support\nspeaks: spiffe\n"
		     "trust-domain: td\nkeys: {bundle-url: 'https://a/b'}\n");
	assert_false(trust_knows(world->issuing.trust, &query));
}

static void keys_that_grow_old_count_for_a_while_and_then_not(void **state)
{
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, ISSUER("id", URL));
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, 0, keys_text(world, "a", "sig"), 300);
	issuing_pass(&world->issuing, 299);
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 1);
	issuing_pass(&world->issuing, 1);
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 2);
	fake_keys_fail(keys, 1, "it is down");
	assert_int_equal(find(world, "a", NULL), TRUST_FOUND);
	/* Not sooner than after a while, and again and again. */
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 2);
	issuing_pass(&world->issuing, TRUST_RETRY_MS / 1000);
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 3);
	fake_keys_fail(keys, 2, "it is down");
	issuing_pass(&world->issuing, TRUST_STALE_S_MAX - TRUST_RETRY_MS / 1000 - 1);
	assert_int_equal(find(world, "a", NULL), TRUST_FOUND);
	issuing_pass(&world->issuing, 1);
	assert_int_equal(find(world, "a", NULL), TRUST_NO_KEYS);
}

static void how_long_keys_are_fresh_is_bounded(void **state)
{
	static const struct {
		int64_t said, held;
	} cases[] = {{0, TRUST_FRESH_S_MIN}, {TRUST_FRESH_S_MIN - 1, TRUST_FRESH_S_MIN},
		{TRUST_FRESH_S_MAX, TRUST_FRESH_S_MAX}, {TRUST_FRESH_S_MAX + 1, TRUST_FRESH_S_MAX},
		{INT64_MAX / 2, TRUST_FRESH_S_MAX}, {-1, TRUST_FRESH_S_DEFAULT}};
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, ISSUER("id", URL));
	for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		trust_tick(world->issuing.trust);
		assert_int_equal(keys->count, i + 1);
		fake_keys_answer(keys, i, keys_text(world, "a", "sig"), cases[i].said);
		issuing_pass(&world->issuing, cases[i].held - 1);
		trust_tick(world->issuing.trust);
		assert_int_equal(keys->count, i + 1);
		issuing_pass(&world->issuing, 1);
	}
}

static void a_bundle_is_polled_when_it_says(void **state)
{
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, "object: issuer\nname: mesh\nunit: support\nspeaks: spiffe\n"
		     "trust-domain: td\nkeys: {bundle-url: 'https://a/b'}\n");
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, 0, keys_text(world, "a", "jwt-svid"), 3600);
	issuing_pass(&world->issuing, 119);
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 1);
	issuing_pass(&world->issuing, 1);
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 2);
}

static void a_set_that_cannot_be_read_leaves_the_keys_there_were(void **state)
{
	static const char *const wrong[] = {"", "{}", "<html>", "{\"keys\":[]}", "{\"keys\":[1]}"};
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, ISSUER("id", URL));
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, 0, keys_text(world, "a", "sig"), TRUST_FRESH_S_MIN);
	issuing_pass(&world->issuing, TRUST_FRESH_S_MIN);
	for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		trust_tick(world->issuing.trust);
		assert_int_equal(keys->count, i + 2);
		fake_keys_answer(keys, i + 1, text_of(wrong[i]), -1);
		assert_int_equal(find(world, "a", NULL), TRUST_FOUND);
		issuing_pass(&world->issuing, TRUST_RETRY_MS / 1000);
	}
	/* And what is read whole replaces them whole. */
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, keys->count - 1, keys_text(world, "b", "sig"), -1);
	assert_int_equal(find(world, "a", NULL), TRUST_UNKNOWN);
	assert_int_equal(find(world, "b", NULL), TRUST_FOUND);
}

static void so_many_wait_and_one_more_does_not(void **state)
{
	struct world *world = *state;
	struct trust_wait waits[TRUST_WAITS_MAX + 1] = {{0}};

	apply(world, ISSUER("id", URL));
	for (unsigned i = 0; i <= TRUST_WAITS_MAX; i++) {
		waits[i] = (struct trust_wait){.run = count_run, .context = world};
		assert_int_equal(find(world, "a", &waits[i]),
			i < TRUST_WAITS_MAX ? TRUST_WAITS : TRUST_NO_KEYS);
	}
	assert_int_equal(world->issuing.keys.count, 1);
	trust_forget(&waits[3]);
	trust_forget(&waits[3]);
	trust_forget(&waits[TRUST_WAITS_MAX]);
	fake_keys_answer(&world->issuing.keys, 0, keys_text(world, "a", "sig"), -1);
	assert_int_equal(world->runs, TRUST_WAITS_MAX - 1);
}

static void who_waits_for_an_issuer_that_goes_hears_of_it(void **state)
{
	struct world *world = *state;
	struct trust_wait wait = {.run = count_run, .context = world};

	apply(world, ISSUER("id", URL));
	assert_int_equal(find(world, "a", &wait), TRUST_WAITS);
	apply(world, ISSUER("id", URL "/other"));
	trust_tick(world->issuing.trust);
	assert_int_equal(world->runs, 1);
	assert_int_equal(world->issuing.keys.cancelled, 1);
	assert_null(wait.source);
	assert_int_equal(find(world, "a", NULL), TRUST_UNKNOWN);
}

static void a_place_that_cannot_be_asked_fails_at_once(void **state)
{
	struct world *world = *state;
	struct trust_wait wait = {.run = count_run, .context = world};

	world->issuing.keys.refuses = true;
	apply(world, ISSUER("id", URL));
	assert_int_equal(find(world, "a", &wait), TRUST_NO_KEYS);
	assert_int_equal(world->runs, 0);
}

static void keys_in_the_registry_are_fetched_from_nowhere(void **state)
{
	struct world *world = *state;
	struct text yaml = text_format(world->issuing.governed.arena,
		"object: issuer\nname: id\nunit: support\nspeaks: oidc\nurl: " URL "\n"
		"algorithms: [ES256]\nkeys: {jwks: %.*s}\n",
		TEXT_ARGS(keys_text(world, "a", "sig")));

	apply(world, yaml.data);
	trust_tick(world->issuing.trust);
	assert_int_equal(world->issuing.keys.count, 0);
	issuing_pass(&world->issuing, 10 * TRUST_STALE_S_MAX);
	assert_int_equal(find(world, "a", NULL), TRUST_FOUND);
}

static void a_fetch_says_how_much_and_how_long_and_from_where(void **state)
{
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, "object: issuer\nname: f\nunit: support\nspeaks: oidc\nurl: 'https://f'\n"
		     "algorithms: [ES256]\nkeys: {file: /etc/keys.json}\n---\n"
		     "object: issuer\nname: d\nunit: support\nspeaks: oidc\nurl: 'https://d/x/'\n"
		     "algorithms: [ES256]\nkeys: {ca-file: /etc/ca.pem}\n"
		     "private-addresses: allowed\n");
	trust_tick(world->issuing.trust);
	assert_int_equal(keys->count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(keys->fetches[i].bytes_max, ISSUER_KEYS_BYTES_MAX);
		assert_int_equal(keys->fetches[i].deadline_ms, TRUST_FETCH_MS);
		if (keys->fetches[i].is_file) {
			assert_string_equal(keys->fetches[i].place, "/etc/keys.json");
			assert_int_equal(keys->fetches[i].private_addresses, ISSUER_REFUSED);
			continue;
		}
		assert_string_equal(
			keys->fetches[i].place, "https://d/x/.well-known/openid-configuration");
		assert_int_equal(keys->fetches[i].private_addresses, ISSUER_ALLOWED);
		assert_true(keys->fetches[i].has_ca_file);
	}
}

static void a_configuration_that_sends_elsewhere_is_not_followed_in_the_clear(void **state)
{
	struct world *world = *state;
	struct fake_keys *keys = &world->issuing.keys;

	apply(world, "object: issuer\nname: id\nunit: support\nspeaks: oidc\nurl: " URL "\n"
		     "algorithms: [ES256]\n");
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, 0,
		TEXT("{\"issuer\":\"" URL "\",\"jwks_uri\":\"http://id.example.com/k\"}"), -1);
	assert_int_equal(keys->count, 1);
	assert_int_equal(find(world, "a", NULL), TRUST_NO_KEYS);
	issuing_pass(&world->issuing, TRUST_RETRY_MS / 1000);
	trust_tick(world->issuing.trust);
	fake_keys_answer(keys, 1,
		TEXT("{\"issuer\":\"" URL "\",\"jwks_uri\":\"https://keys.example/k\"}"), -1);
	assert_string_equal(keys->fetches[2].place, "https://keys.example/k");
	fake_keys_answer(keys, 2, keys_text(world, "a", "sig"), -1);
	assert_int_equal(find(world, "a", NULL), TRUST_FOUND);
}

static void the_table_shows_each_part_once_page_by_page(void **state)
{
	struct world *world = *state;
	struct arena *arena = world->issuing.governed.arena;
	struct text after = TEXT("");
	struct error err = {0};
	struct json page;
	unsigned seen = 0;
	bool has_issuer = false;

	apply(world, ISSUER("id", URL));
	trust_note_refused(world->issuing.trust, TEXT("id"), "expired");
	trust_tick(world->issuing.trust);
	do {
		assert_true(trust_list(world->issuing.trust, after, 1, arena, &page, &err));
		if (page.count == 0)
			break;
		assert_int_equal(page.count, 1);
		after = json_text_or(&page.items[0], "id", "");
		has_issuer = has_issuer || text_is(after, "issuer/id");
		seen++;
	} while (seen < 10);
	/* The issuer, a1 with its key, and the server, which is sent nothing. */
	assert_int_equal(seen, 3);
	assert_true(has_issuer);
}

static void so_many_issuers_have_keys_at_once(void **state)
{
	struct world *world = *state;
	struct buffer yaml;
	const struct trust_query last = {.issuer = TEXT("https://i256")};

	buffer_init(&yaml, 1 << 20);
	for (unsigned i = 0; i <= TRUST_ISSUERS_MAX; i++)
		buffer_append_format(&yaml,
			"%sobject: issuer\nname: i%03u\nunit: support\nspeaks: oidc\nurl: "
			"'https://i%u'\nkeys: {file: /k}\nalgorithms: [ES256]\n",
			i == 0 ? "" : "---\n", i, i);
	buffer_append_byte(&yaml, '\0');
	apply(world, yaml.data);
	assert_false(trust_knows(world->issuing.trust, &last));
	assert_true(trust_knows(
		world->issuing.trust, &(struct trust_query){.issuer = TEXT("https://i255")}));
	buffer_deinit(&yaml);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_issuers_of_one_url_are_nobody),
		TEST(nobody_has_an_empty_url),
		TEST(keys_that_grow_old_count_for_a_while_and_then_not),
		TEST(how_long_keys_are_fresh_is_bounded),
		TEST(a_bundle_is_polled_when_it_says),
		TEST(a_set_that_cannot_be_read_leaves_the_keys_there_were),
		TEST(so_many_wait_and_one_more_does_not),
		TEST(who_waits_for_an_issuer_that_goes_hears_of_it),
		TEST(a_place_that_cannot_be_asked_fails_at_once),
		TEST(keys_in_the_registry_are_fetched_from_nowhere),
		TEST(a_fetch_says_how_much_and_how_long_and_from_where),
		TEST(a_configuration_that_sends_elsewhere_is_not_followed_in_the_clear),
		TEST(the_table_shows_each_part_once_page_by_page),
		TEST(so_many_issuers_have_keys_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

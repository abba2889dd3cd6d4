#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/certificate_chain.h"
#include "support/certificates.h"

enum { ROOM_BYTES = 1 << 20, NOW_S = 1790000000 };

#define CA "critical,CA:TRUE"
#define CA_USE "critical,keyCertSign,cRLSign"
#define LEAF "critical,CA:FALSE"
#define LEAF_USE "critical,digitalSignature"
#define ID "URI:spiffe://td.example/agents/a1"

struct world {
	struct arena *arena;
	struct test_certificate root, other, leaf;
};

static void make(struct test_certificate *out, struct test_certificate_shape shape)
{
	if (shape.start_utc_s == 0)
		shape.start_utc_s = NOW_S - 10;
	if (shape.end_utc_s == 0)
		shape.end_utc_s = NOW_S + 3600;
	test_certificate_make(out, &shape);
}

static int start(void **state)
{
	struct world *world = calloc(1, sizeof *world);

	assert_non_null(world);
	world->arena = arena_create(ROOM_BYTES);
	make(&world->root, (struct test_certificate_shape){.basic = CA, .usage = CA_USE});
	make(&world->other, (struct test_certificate_shape){.basic = CA, .usage = CA_USE});
	*state = world;
	return 0;
}

static int end(void **state)
{
	struct world *world = *state;

	test_certificate_free(&world->root);
	test_certificate_free(&world->other);
	arena_destroy(&world->arena);
	free(world);
	return 0;
}

static struct text der_of(const struct test_certificate *certificate)
{
	return (struct text){(const char *)certificate->der, certificate->size};
}

static bool holds_at(const struct test_certificate *leaf, const struct test_certificate *between,
	const struct test_certificate *root, int64_t now_utc_s)
{
	const struct text roots[] = {TEXT("not a certificate"), der_of(root)};
	const struct text others[] = {between == NULL ? TEXT("") : der_of(between)};
	const struct certificate_chain chain = {.leaf = der_of(leaf),
		.intermediates = others,
		.intermediates_count = between == NULL ? 0 : 1,
		.roots = roots,
		.roots_count = 2,
		.now_utc_s = now_utc_s};
	struct error err = {0};
	bool is_ok = certificate_verify(&chain, &err);

	assert_int_equal(err.code == ERROR_NONE, is_ok);
	return is_ok;
}

/* Whether a leaf of that shape, signed by the root, holds. */
static bool leaf_holds(struct world *world, struct test_certificate_shape shape)
{
	struct test_certificate leaf;
	bool is_ok;

	shape.issuer = &world->root;
	make(&leaf, shape);
	is_ok = holds_at(&leaf, NULL, &world->root, NOW_S);
	test_certificate_free(&leaf);
	return is_ok;
}

static void what_is_no_workloads_own_does_not_hold(void **state)
{
	struct world *world = *state;
	const struct test_certificate_shape wrong[] = {
		{.names = ID, .basic = CA, .usage = CA_USE},
		{.names = ID, .basic = LEAF, .usage = "critical,digitalSignature,keyCertSign"},
		{.names = ID, .basic = LEAF, .usage = "critical,digitalSignature,cRLSign"},
		{.names = ID, .basic = LEAF, .usage = "critical,keyAgreement"},
		{.names = ID, .basic = LEAF},
		{.names = ID, .basic = LEAF, .usage = LEAF_USE, .extended = "serverAuth"},
		{.names = ID, .basic = LEAF, .usage = LEAF_USE, .end_utc_s = NOW_S - 1},
		{.names = ID, .basic = LEAF, .usage = LEAF_USE, .start_utc_s = NOW_S + 60},
	};
	const struct test_certificate_shape right[] = {
		{.names = ID, .basic = LEAF, .usage = LEAF_USE},
		{.names = ID, .usage = LEAF_USE},
		{.names = ID, .basic = LEAF, .usage = LEAF_USE, .extended = "clientAuth"},
		{.names = ID,
			.basic = LEAF,
			.usage = LEAF_USE,
			.extended = "serverAuth,clientAuth"},
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(leaf_holds(world, wrong[i]));
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		assert_true(leaf_holds(world, right[i]));
}

static void only_a_roots_word_counts(void **state)
{
	struct world *world = *state;
	struct test_certificate leaf, between, alone, below;

	make(&leaf,
		(struct test_certificate_shape){
			.issuer = &world->other, .names = ID, .basic = LEAF, .usage = LEAF_USE});
	assert_false(holds_at(&leaf, NULL, &world->root, NOW_S));
	assert_true(holds_at(&leaf, NULL, &world->other, NOW_S));
	make(&alone,
		(struct test_certificate_shape){.names = ID, .basic = LEAF, .usage = LEAF_USE});
	assert_false(holds_at(&alone, NULL, &world->root, NOW_S));
	/* By way of another, which must be an authority. */
	make(&between, (struct test_certificate_shape){
			       .issuer = &world->root, .basic = CA, .usage = CA_USE});
	make(&below, (struct test_certificate_shape){
			     .issuer = &between, .names = ID, .basic = LEAF, .usage = LEAF_USE});
	assert_false(holds_at(&below, NULL, &world->root, NOW_S));
	assert_true(holds_at(&below, &between, &world->root, NOW_S));
	assert_true(holds_at(&below, NULL, &between, NOW_S)); /* which a bundle may name */
	test_certificate_free(&below);
	make(&below, (struct test_certificate_shape){
			     .issuer = &leaf, .names = ID, .basic = LEAF, .usage = LEAF_USE});
	assert_false(holds_at(&below, &leaf, &world->other, NOW_S));
	test_certificate_free(&below);
	test_certificate_free(&between);
	test_certificate_free(&alone);
	test_certificate_free(&leaf);
}

static void it_holds_for_its_time(void **state)
{
	struct world *world = *state;
	struct test_certificate leaf;

	make(&leaf, (struct test_certificate_shape){
			    .issuer = &world->root, .names = ID, .basic = LEAF, .usage = LEAF_USE});
	assert_false(holds_at(&leaf, NULL, &world->root, NOW_S - 11));
	assert_true(holds_at(&leaf, NULL, &world->root, NOW_S + 3599));
	assert_false(holds_at(&leaf, NULL, &world->root, NOW_S + 3601));
	test_certificate_free(&leaf);
}

static void a_certificate_says_one_workload(void **state)
{
	static const char *const wrong[] = {
		NULL, "DNS:a.example", "URI:spiffe://a/b,URI:spiffe://a/c", "email:a@b.example"};
	struct world *world = *state;
	struct certificate_facts facts;
	struct test_certificate leaf;
	struct error err = {0};
	char more[TEST_CERTIFICATE_BYTES_MAX + 1] = "";

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		make(&leaf, (struct test_certificate_shape){.names = wrong[i]});
		assert_false(certificate_read(&facts, world->arena, der_of(&leaf), &err));
		test_certificate_free(&leaf);
	}
	make(&leaf, (struct test_certificate_shape){.names = "DNS:a.example," ID});
	assert_true(certificate_read(&facts, world->arena, der_of(&leaf), &err));
	assert_true(text_is(facts.uri, "spiffe://td.example/agents/a1"));
	assert_int_equal(facts.expires_utc_s, NOW_S + 3600);
	assert_int_equal(facts.start_utc_s, NOW_S - 10);
	/* And nothing after it. */
	memcpy(more, leaf.der, leaf.size);
	assert_false(
		certificate_read(&facts, world->arena, (struct text){more, leaf.size + 1}, &err));
	assert_false(
		certificate_read(&facts, world->arena, (struct text){more, leaf.size - 1}, &err));
	assert_false(certificate_read(&facts, world->arena, TEXT(""), &err));
	test_certificate_free(&leaf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_workloads_own_does_not_hold),
		TEST(only_a_roots_word_counts),
		TEST(it_holds_for_its_time),
		TEST(a_certificate_says_one_workload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

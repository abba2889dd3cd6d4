#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/federation/spiffe.h"

static void what_is_no_workloads_id_is_none(void **state)
{
	static const char *const wrong[] = {"", "spiffe://", "spiffe://td", "spiffe:///a",
		"spiffe://td/", "spiffe://td//a", "spiffe://td/a/", "spiffe://td/./a",
		"spiffe://td/../a", "spiffe://td/a/..", "SPIFFE://td/a", "spiffe://TD/a",
		"spiffe://td:443/a", "spiffe://u@td/a", "spiffe://td/a?b", "spiffe://td/a#b",
		"spiffe://td/%61", "spiffe://td/a b", "https://td/a", " spiffe://td/a",
		"spiffe://td/\xc3\xa9"};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct spiffe_id id = {TEXT("x"), TEXT("y")};

		assert_false(spiffe_id_parse(&id, text_of(wrong[i])));
		assert_int_equal(id.trust_domain.length + id.path.length, 0);
	}
	/* A byte of zero ends nothing. */
	{
		struct spiffe_id id;

		assert_false(spiffe_id_parse(&id, TEXT("spiffe://td/a\0b")));
	}
}

static void an_id_is_a_trust_domain_and_a_path(void **state)
{
	struct spiffe_id id;

	(void)state;
	assert_true(spiffe_id_parse(&id, TEXT("spiffe://prod.example_1-x/Ns/a.b_c-D/...")));
	assert_true(text_is(id.trust_domain, "prod.example_1-x"));
	assert_true(text_is(id.path, "/Ns/a.b_c-D/..."));
}

static void names_and_ids_have_a_longest(void **state)
{
	char name[SPIFFE_TRUST_DOMAIN_BYTES_MAX + 2], id[SPIFFE_ID_BYTES_MAX + 2];
	struct spiffe_id parsed;

	(void)state;
	memset(name, 'a', sizeof name);
	assert_true(spiffe_is_trust_domain((struct text){name, SPIFFE_TRUST_DOMAIN_BYTES_MAX}));
	assert_false(
		spiffe_is_trust_domain((struct text){name, SPIFFE_TRUST_DOMAIN_BYTES_MAX + 1}));
	memset(id, 'a', sizeof id);
	memcpy(id, "spiffe://td/", sizeof "spiffe://td/" - 1);
	assert_true(spiffe_id_parse(&parsed, (struct text){id, SPIFFE_ID_BYTES_MAX}));
	assert_false(spiffe_id_parse(&parsed, (struct text){id, SPIFFE_ID_BYTES_MAX + 1}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_workloads_id_is_none),
		cmocka_unit_test(an_id_is_a_trust_domain_and_a_path),
		cmocka_unit_test(names_and_ids_have_a_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "domain/estate/estate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "domain/estate/model.h"
#include "domain/estate/plant.h"
#include "domain/estate/rules.h"

enum { AT_UTC_S = 1793664000 };

/* Everything that is written, as one digest: names, and bytes in their order. */
struct written {
	struct sha256 digest;
	size_t pieces;
	size_t pieces_max; /* then it fails; 0: never */
};

static bool put(void *context, const char *file, struct text bytes, struct error *err)
{
	struct written *written = context;
	struct text parts[] = {{(const char *)written->digest.bytes, sizeof written->digest.bytes},
		text_of(file), bytes};

	if (written->pieces_max != 0 && written->pieces == written->pieces_max)
		return error_set(err, ERROR_IO, "the disk is full");
	written->pieces++;
	written->digest = sha256_of_parts(parts, 3);
	return true;
}

static bool write_estate(struct written *written, uint32_t people, uint32_t identities,
	uint64_t seed, struct error *err)
{
	const struct estate_order order = {people, identities, seed, AT_UTC_S};
	const struct estate_sink sink = {written, put};

	return estate_write(&order, &sink, err);
}

static void an_order_out_of_bounds_is_refused_before_anything_is_written(void **state)
{
	static const struct {
		uint32_t people, identities;
		bool is_order;
	} orders[] = {{ESTATE_PEOPLE_MIN - 1, ESTATE_IDENTITIES_MIN, false},
		{ESTATE_PEOPLE_MAX + 1, ESTATE_IDENTITIES_MIN, false},
		{ESTATE_PEOPLE_MIN, ESTATE_IDENTITIES_MIN - 1, false},
		{ESTATE_PEOPLE_MIN, ESTATE_IDENTITIES_MAX + 1, false},
		{ESTATE_PEOPLE_MIN, ESTATE_IDENTITIES_MIN, true},
		{ESTATE_PEOPLE_MAX, ESTATE_IDENTITIES_MIN, true},
		{ESTATE_PEOPLE_MIN, ESTATE_IDENTITIES_MAX, true}};

	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		struct written written = {.pieces_max = 1};
		struct error err = {0};

		assert_false(
			write_estate(&written, orders[i].people, orders[i].identities, 1, &err));
		assert_int_equal(err.code, orders[i].is_order ? ERROR_IO : ERROR_INVALID);
		assert_int_equal(written.pieces, orders[i].is_order ? 1 : 0);
	}
}

static void what_the_sink_refuses_ends_it(void **state)
{
	struct written written = {.pieces_max = 5};
	struct error err = {0};

	(void)state;
	assert_false(write_estate(&written, 30, 200, 1, &err));
	assert_string_equal(err.text, "the disk is full");
	assert_int_equal(written.pieces, 5);
}

static void the_same_order_gives_the_same_bytes_and_another_seed_gives_others(void **state)
{
	struct written first = {0}, again = {0}, other = {0};
	struct error err = {0};

	(void)state;
	assert_true(write_estate(&first, 40, 500, 7, &err));
	assert_true(write_estate(&again, 40, 500, 7, &err));
	assert_true(write_estate(&other, 40, 500, 8, &err));
	assert_true(sha256_equal(&first.digest, &again.digest));
	assert_false(sha256_equal(&first.digest, &other.digest));
}

/* An estate in order: nothing planted. */
static void make(struct model *model, const struct estate_order *order)
{
	*model = (struct model){.order = order, .random = {order->seed}};
	model->arena = arena_create((size_t)1 << 30);
	assert_non_null(model->arena);
	model_organisation(model);
	model_things(model);
	model_identities(model);
	model_accounts(model);
	assert_false(model->has_failed);
}

static void before_anything_is_planted_charters_are_in_order(void **state)
{
	static rule_is *const rules[] = {rule_owner_gone, rule_charter_over, rule_risk_missing,
		rule_review_missing, rule_key_endless, rule_token_unbound, rule_key_shared,
		rule_wildcard, rule_dangling, rule_by_name, rule_line_irreversible,
		rule_line_unchecked, rule_dormant, rule_account_alive, rule_account_missing,
		rule_identity_many, rule_hand_undeclared};
	const struct estate_order order = {60, 2000, 3, AT_UTC_S};
	struct model model;

	(void)state;
	make(&model, &order);
	model_join(&model);
	for (uint32_t i = 0; i < model.identities_count; i++)
		for (size_t j = 0; j < sizeof rules / sizeof *rules; j++)
			if (rules[j](&model, i))
				fail_msg(
					"rule %zu of %.*s", j, TEXT_ARGS(model.identities[i].name));
	arena_destroy(&model.arena);
}

static void a_change_that_does_not_fit_changes_nothing(void **state)
{
	const struct estate_order order = {60, 400, 5, AT_UTC_S};
	struct model model;

	(void)state;
	make(&model, &order);
	for (uint32_t i = 0; i < model.servers_count; i++) {
		struct model_server before = model.servers[i];
		bool is_changed = plant_secret(&model, i);

		assert_int_equal(is_changed, before.is_remote);
		assert_true(is_changed || memcmp(&before, &model.servers[i], sizeof before) == 0);
		assert_int_equal(rule_secret_static(&model, i), is_changed);
	}
	arena_destroy(&model.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_out_of_bounds_is_refused_before_anything_is_written),
		cmocka_unit_test(what_the_sink_refuses_ends_it),
		cmocka_unit_test(the_same_order_gives_the_same_bytes_and_another_seed_gives_others),
		cmocka_unit_test(before_anything_is_planted_charters_are_in_order),
		cmocka_unit_test(a_change_that_does_not_fit_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

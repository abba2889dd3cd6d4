/* Packed charters: which are unpacked, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "domain/charter/charters.h"
#include "domain/charter/object.h"
#include "domain/charter/texts.h"
#include "support/documents.h"

enum { OBJECTS = 4 };

struct fixture {
	struct arena *arena;
	struct charters *charters;
	struct object *objects[OBJECTS];
};

static int set_up(void **state)
{
	static struct fixture fixture;
	struct error err = {0};

	fixture = (struct fixture){.arena = arena_create(1 << 24)};
	assert_true(charters_create(&fixture.charters, &err));
	for (unsigned i = 0; i < OBJECTS; i++) {
		fixture.objects[i] = object_of(fixture.arena,
			text_format(fixture.arena,
				"{'object':'identity','name':'a%u','kind':'agent','class':'update',"
				"'risk':'low','owner':'ana','backup-owner':'bo','unit':'support',"
				"'purpose':'p','environments':['staging'],'entitlements':[{"
				"'effect':'write','tool':'s/t','when':'context.args.n == 1',"
				"'approvals':['owner']}],'expires':'2030-01-01'}",
				i)
				.data);
		assert_true(object_pack(fixture.objects[i], fixture.charters, &err));
	}
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < OBJECTS; i++)
		drop_object(fixture->objects[i]);
	assert_int_equal(charters_unpacked_bytes(fixture->charters), 0);
	assert_int_equal(texts_count(charters_texts(fixture->charters)), 0);
	charters_release(&fixture->charters);
	arena_destroy(&fixture->arena);
	return 0;
}

static void what_was_never_asked_for_is_packed(void **state)
{
	const struct fixture *fixture = *state;

	assert_int_equal(charters_unpacked_count(fixture->charters), 0);
	assert_int_equal(charters_unpacked_bytes(fixture->charters), 0);
	assert_null(fixture->objects[0]->body);
	charters_tidy(fixture->charters); /* there is nothing to do */
}

static void it_is_unpacked_once_and_stays_until_the_end_of_a_turn(void **state)
{
	const struct fixture *fixture = *state;
	const struct charter *charter = charter_of(fixture->objects[0]);

	assert_true(charter_of(fixture->objects[0]) == charter);
	assert_int_equal(charters_unpacked_count(fixture->charters), 1);
	for (unsigned i = 1; i < OBJECTS; i++) /* however many others are asked */
		assert_int_equal(charter_of(fixture->objects[i])->entitlements_count, 1);
	assert_true(charter_of(fixture->objects[0]) == charter);
	assert_int_equal(charters_unpacked_count(fixture->charters), OBJECTS);
}

static void the_bound_is_kept_to_the_byte(void **state)
{
	const struct fixture *fixture = *state;
	size_t bytes;

	for (unsigned i = 0; i < OBJECTS; i++)
		(void)charter_of(fixture->objects[i]);
	bytes = charters_unpacked_bytes(fixture->charters);
	charters_bound(fixture->charters, bytes);
	charters_tidy(fixture->charters);
	assert_int_equal(charters_unpacked_count(fixture->charters), OBJECTS);
	charters_bound(fixture->charters, bytes - 1);
	charters_tidy(fixture->charters);
	assert_int_equal(charters_unpacked_count(fixture->charters), OBJECTS - 1);
	assert_true(charters_unpacked_bytes(fixture->charters) < bytes);
	charters_bound(fixture->charters, 0);
	charters_tidy(fixture->charters);
	assert_int_equal(charters_unpacked_bytes(fixture->charters), 0);
}

static void who_was_asked_lately_stays_longest(void **state)
{
	const struct fixture *fixture = *state;
	size_t bytes;

	for (unsigned i = 0; i < OBJECTS; i++)
		(void)charter_of(fixture->objects[i]);
	unpacked_ask(fixture->objects[0]->unpacked);
	unpacked_ask(fixture->objects[2]->unpacked);
	bytes = charters_unpacked_bytes(fixture->charters);
	charters_bound(fixture->charters, bytes / OBJECTS * 2);
	charters_tidy(fixture->charters);
	assert_int_equal(charters_unpacked_count(fixture->charters), 2);
	assert_non_null(fixture->objects[0]->unpacked);
	assert_null(fixture->objects[1]->unpacked);
	assert_non_null(fixture->objects[2]->unpacked);
	assert_null(fixture->objects[3]->unpacked);
}

static void what_is_held_stays(void **state)
{
	const struct fixture *fixture = *state;
	const struct object *held = object_acquire(fixture->objects[1]);
	const struct charter *charter = charter_of(held);

	(void)charter_of(fixture->objects[0]);
	charters_bound(fixture->charters, 0);
	charters_tidy(fixture->charters);
	charters_tidy(fixture->charters);
	assert_int_equal(charters_unpacked_count(fixture->charters), 1);
	assert_true(charter_of(held) == charter);
	object_release(&held);
	charters_tidy(fixture->charters);
	charters_tidy(fixture->charters);
	assert_int_equal(charters_unpacked_count(fixture->charters), 0);
}

static void its_texts_outlive_it(void **state)
{
	const struct fixture *fixture = *state;
	struct text when = charter_of(fixture->objects[0])->entitlements[0].when;
	struct text owner = charter_of(fixture->objects[0])->owner;

	object_repack(fixture->objects[0]);
	assert_null(fixture->objects[0]->body);
	assert_true(text_is(when, "context.args.n == 1"));
	assert_true(text_is(owner, "ana"));
	assert_true(charter_of(fixture->objects[0])->owner.data == owner.data);
	object_repack(NULL);
}

/* Whoever decides by it must not take it for a charter. */
static void what_stands_for_a_lost_charter_permits_nothing(void **state)
{
	(void)state;
	assert_int_equal(charter_lost.use_class, CLASS_NONE);
	assert_int_equal(charter_lost.environments, 0);
	assert_int_equal(charter_lost.entitlements_count + charter_lost.peers_count +
				 charter_lost.keys_count + charter_lost.federation_count +
				 charter_lost.outputs_count + charter_lost.data_sources_count,
		0);
	assert_true(is_expired(charter_lost.expires_utc_s, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_never_asked_for_is_packed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			it_is_unpacked_once_and_stays_until_the_end_of_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_bound_is_kept_to_the_byte, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			who_was_asked_lately_stays_longest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_held_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_texts_outlive_it, set_up, tear_down),
		cmocka_unit_test(what_stands_for_a_lost_charter_permits_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

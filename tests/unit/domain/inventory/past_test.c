#include "domain/inventory/past.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SINCE_MS = 1500000, UNTIL_MS = 3500000, TOLD_MAX = 16 };

#define APP "{\"id\":\"app\",\"kind\":\"oauth-app\",\"node\":\"account\",\"owner\":\"ana\"}\n"
#define APP_OF_BO "{\"id\":\"app\",\"kind\":\"oauth-app\",\"node\":\"account\",\"owner\":\"bo\"}\n"
#define APP_USED                                                                                   \
	"{\"id\":\"app\",\"kind\":\"oauth-app\",\"node\":\"account\",\"owner\":\"ana\","           \
	"\"used\":\"2026-01-01T00:00:00Z\"}\n"
#define MAY                                                                                        \
	"{\"edge\":\"may\",\"effects\":[\"read\"],\"from\":\"account:app\",\"to\":\"resource:r\"}" \
	"\n"
#define DISK "{\"id\":\"r\",\"node\":\"resource\"}\n"

struct fixture {
	struct inventory_past *past;
	struct arena *arena;
	char told[TOLD_MAX][128]; /* "new aws account app 2000 3000" */
	size_t count;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err;

	fixture->arena = arena_create(1 << 20);
	assert_true(inventory_past_create(&fixture->past, SINCE_MS, UNTIL_MS, &err));
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	inventory_past_destroy(&fixture->past);
	assert_null(fixture->past);
	arena_destroy(&fixture->arena);
	free(fixture);
	return 0;
}

static enum error_code try_feed(struct fixture *fixture, const char *written, const char *content)
{
	struct error err = {0};
	struct json record;

	assert_true(
		json_parse(&record, fixture->arena, text_of(written), &json_limits_default, &err));
	return inventory_past_feed(fixture->past, &record, text_of(content), &err) ? ERROR_NONE
										   : err.code;
}

static void feed(struct fixture *fixture, int64_t at_s, const char *type, const char *import,
	const char *content)
{
	size_t items = 0;
	char record[512];

	for (const char *at = content; *at != '\0'; at++)
		items += *at == '\n';
	(void)snprintf(record, sizeof record,
		"{\"at\":%lld,\"connector\":\"aws\",\"import\":\"%s\",\"items\":%zu,"
		"\"taken\":%lld,\"type\":\"%s\"}",
		(long long)at_s * 1000, import, items, (long long)at_s, type);
	assert_int_equal(try_feed(fixture, record, content), ERROR_NONE);
}

/* All of it in one part. */
static void import(struct fixture *fixture, int64_t at_s, const char *id, const char *lines)
{
	feed(fixture, at_s, "inventory-part", id, lines);
	feed(fixture, at_s, "inventory-imported", id, "");
}

static bool note(void *context, const struct inventory_difference *difference, struct error *err)
{
	static const char *const words[] = {"same", "new", "gone", "changed"};
	struct fixture *fixture = context;
	const struct inventory_item *item = difference->item;
	struct text id = item->node == GRAPH_NODE_NONE ? item->to : item->id;

	(void)err;
	assert_true(fixture->count < TOLD_MAX);
	(void)snprintf(fixture->told[fixture->count++], sizeof fixture->told[0],
		"%s %.*s %.*s %lld %lld%s%.*s", words[difference->differs],
		TEXT_ARGS(difference->connector), TEXT_ARGS(id), (long long)difference->first_utc_s,
		(long long)difference->last_utc_s, difference->changes_count > 0 ? " " : "",
		difference->changes_count > 0 ? (int)difference->changes[0].length : 0,
		difference->changes_count > 0 ? difference->changes[0].data : "");
	return true;
}

static size_t compare(struct fixture *fixture)
{
	struct error err = {0};

	fixture->count = 0;
	if (!inventory_past_compare(fixture->past, note, fixture, &err))
		fail_msg("%s", err.text);
	return fixture->count;
}

static struct inventory_past_layer layer(struct fixture *fixture)
{
	struct inventory_past_layer found;

	assert_true(inventory_past_next(fixture->past, TEXT(""), &found));
	return found;
}

static void what_came_and_went_is_told_with_when_it_was_seen(void **state)
{
	struct fixture *fixture = *state;

	import(fixture, 1000, "i-1", APP DISK);
	import(fixture, 2000, "i-2", APP_OF_BO DISK MAY);
	import(fixture, 3000, "i-3", APP_OF_BO MAY);
	import(fixture, 4000, "i-4", DISK); /* after the second time */
	assert_int_equal(compare(fixture), 3);
	assert_string_equal(fixture->told[0], "changed aws app 1000 3000 owner");
	assert_string_equal(fixture->told[1], "new aws resource:r 2000 3000");
	assert_string_equal(fixture->told[2], "gone aws r 1000 2000");
	assert_int_equal(layer(fixture).since_utc_s, 1000);
	assert_int_equal(layer(fixture).until_utc_s, 3000);
	assert_int_equal(layer(fixture).first_utc_s, 1000);
	assert_int_equal(layer(fixture).items, 2);
}

static void that_it_was_used_is_no_change(void **state)
{
	struct fixture *fixture = *state;

	import(fixture, 1000, "i-1", APP);
	import(fixture, 2000, "i-2", APP_USED);
	assert_int_equal(compare(fixture), 0);
}

static void what_was_not_looked_at_then_is_not_compared(void **state)
{
	struct fixture *fixture = *state;

	import(fixture, 2000, "i-1", APP);
	import(fixture, 3000, "i-2", APP MAY);
	assert_int_equal(compare(fixture), 0);
	assert_int_equal(layer(fixture).since_utc_s, 0);
	assert_int_equal(layer(fixture).first_utc_s, 2000);
	assert_int_equal(layer(fixture).items, 2);
}

static void what_is_undone_was_never_in_force_at_the_end(void **state)
{
	struct fixture *fixture = *state;

	import(fixture, 1000, "i-1", APP);
	import(fixture, 2000, "i-2", APP MAY);
	feed(fixture, 2500, "inventory-undone", "i-2", "");
	assert_int_equal(compare(fixture), 0);
	assert_int_equal(layer(fixture).until_utc_s, 1000);
}

static void parts_alone_mean_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct inventory_past_layer none;

	feed(fixture, 1000, "inventory-part", "i-1", APP);
	assert_false(inventory_past_next(fixture->past, TEXT(""), &none));
	feed(fixture, 1000, "inventory-dropped", "i-1", "");
	import(fixture, 1100, "i-2", APP);
	feed(fixture, 2000, "inventory-part", "i-3", MAY);
	assert_int_equal(compare(fixture), 0);
	assert_int_equal(layer(fixture).until_utc_s, 1100);
}

static void what_lay_beside_a_record_and_is_gone_is_not_guessed(void **state)
{
	struct fixture *fixture = *state;

	import(fixture, 1000, "i-1", APP);
	assert_int_equal(try_feed(fixture,
				 "{\"at\":2000000,\"connector\":\"aws\",\"import\":\"i-2\","
				 "\"items\":3,\"type\":\"inventory-part\"}",
				 ""),
		ERROR_NONE);
	feed(fixture, 2000, "inventory-imported", "i-2", "");
	assert_int_equal(compare(fixture), 0);
	assert_true(layer(fixture).is_lost);
}

static void what_is_no_inventory_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(
		try_feed(fixture, "{\"at\":1,\"type\":\"inventory-part\"}", ""), ERROR_CORRUPT);
	feed(fixture, 1000, "inventory-part", "i-1", "{\"node\":\"nothing\"}\n");
	assert_int_equal(try_feed(fixture,
				 "{\"at\":1000000,\"connector\":\"aws\",\"import\":\"i-1\","
				 "\"type\":\"inventory-imported\"}",
				 ""),
		ERROR_CORRUPT);
	assert_int_equal(try_feed(fixture, "{\"at\":1,\"type\":\"stop\"}", ""), ERROR_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_came_and_went_is_told_with_when_it_was_seen),
		TEST(that_it_was_used_is_no_change),
		TEST(what_was_not_looked_at_then_is_not_compared),
		TEST(what_is_undone_was_never_in_force_at_the_end),
		TEST(parts_alone_mean_nothing),
		TEST(what_lay_beside_a_record_and_is_gone_is_not_guessed),
		TEST(what_is_no_inventory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

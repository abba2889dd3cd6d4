#include "cedar/value.h"

#include "cedar/document.h"
#include "cedar/sort.h"
#include "support.h"

static bool reads(struct world *world, const char *json, struct cedar_value *out)
{
	return cedar_value_parse_json(out, world->arena, cedar_text_of(json), &world->err);
}

static void malformed_json_is_refused(void **state)
{
	static const char *const bad[] = {"", " ", "{", "}", "[", "]", "[1", "[1,]", "[,1]",
		"[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{a:1}", "{1:1}",
		"{\"a\":1}}", "1 2", "tru", "nul", "null", "[null]", "1.0", "1e3", "-", "01", "-01",
		"+1", "9223372036854775808", "-9223372036854775809", "\"a", "\"\\q\"", "\"\\u12\"",
		"\"\\uD800\"", "\"\\uDC00\"", "\"\\uD800\\u0041\"", "\"\n\"", "\"\x01\"", "'a'",
		"\"\xFF\"", "[\"\xC0\x80\"]", "// c\n1",
		"\xEF\xBB\xBF"
		"1",
		"{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "NaN", "[1]]", "\"\\", "\"\\u00"};
	struct world world;
	struct cedar_value value;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (reads(&world, bad[i], &value))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(world.err.code, CEDAR_ERROR_INVALID);
		assert_true(world.err.line >= 1);
		assert_int_equal(value.type, CEDAR_NONE);
	}
	world_close(&world);
}

/* Strings are read eight bytes at a time: what is not plain must be seen at each place. */
static void a_byte_that_is_not_plain_is_seen_wherever_it_stands(void **state)
{
	enum { LONGEST = 20 };
	static const char *const bad[] = {"\x1F", "\n", "\"", "\xFF", "\xC0\x80", "\\q", "\x01"};
	static const char *const good[] = {
		" ", "\x7F", "\xC3\xA9", "\\\"", "\\\\", "\xF0\x9F\x98\x80", "!", "#", "["};
	static const size_t lengths[] = {1, 1, 2, 1, 1, 4, 1, 1, 1};
	char json[64];
	struct world world;
	struct cedar_value value;

	(void)state;
	world_open(&world, NULL, NULL);
	for (int length = 0; length <= LONGEST; length++) {
		for (int before = 0; before <= length; before++) {
			for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
				(void)snprintf(json, sizeof json, "\"%.*s%s%.*s\"", before,
					"aaaaaaaaaaaaaaaaaaaaaaaa", bad[i], length - before,
					"bbbbbbbbbbbbbbbbbbbbbbbb");
				assert_false(reads(&world, json, &value));
			}
			for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
				(void)snprintf(json, sizeof json, "\"%.*s%s%.*s\"", before,
					"aaaaaaaaaaaaaaaaaaaaaaaa", good[i], length - before,
					"bbbbbbbbbbbbbbbbbbbbbbbb");
				assert_true(reads(&world, json, &value));
				assert_int_equal(value.count, (size_t)length + lengths[i]);
			}
		}
	}
	world_close(&world);
}

/* Up to eight names are compared with each other, more are sorted. */
static void a_name_given_twice_is_refused_among_few_and_many(void **state)
{
	enum { MEMBERS_MAX = 12 };
	char json[256];
	struct world world;
	struct cedar_value value;

	(void)state;
	world_open(&world, NULL, NULL);
	for (int count = 2; count <= MEMBERS_MAX; count++) {
		for (int twin = 0; twin < count; twin++) {
			size_t used = 0;

			for (int i = 0; i < count; i++)
				used += (size_t)snprintf(json + used, sizeof json - used,
					"%s\"%c\":%d", i == 0 ? "{" : ",",
					i == count - 1 ? 'a' + twin : 'a' + i, i % 10);
			(void)snprintf(json + used, sizeof json - used, "}");
			/* The last one is its own twin, that is, none. */
			assert_int_equal(reads(&world, json, &value), twin == count - 1);
			if (twin < count - 1)
				assert_int_equal(world.err.column, used);
		}
	}
	world_close(&world);
}

static void malformed_escapes_of_entities_and_extensions_are_refused(void **state)
{
	static const char *const bad[] = {"{\"__entity\":1}", "{\"__entity\":{\"type\":\"A\"}}",
		"{\"__entity\":{\"type\":\"A\",\"id\":1}}",
		"{\"__entity\":{\"type\":\"A b\",\"id\":\"x\"}}",
		"{\"__entity\":{\"type\":\"A\",\"id\":\"x\",\"more\":1}}", "{\"__extn\":\"ip\"}",
		"{\"__extn\":{\"fn\":\"ip\"}}", "{\"__extn\":{\"fn\":\"ip\",\"arg\":1}}",
		"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"x\"}}",
		"{\"__extn\":{\"fn\":\"foo\",\"arg\":\"x\"}}",
		"{\"__extn\":{\"fn\":\"isIpv4\",\"arg\":\"::1\"}}",
		"{\"__extn\":{\"fn\":\"offset\",\"args\":[]}}",
		"{\"__extn\":{\"fn\":\"offset\",\"args\":[1,2,3]}}",
		"{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\",\"x\":1}}", "{\"__expr\":\"1\"}"};
	struct world world;
	struct cedar_value value;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (reads(&world, bad[i], &value))
			fail_msg("accepted: %s", bad[i]);
	}
	world_close(&world);
}

static void json_nests_up_to_the_depth_limit(void **state)
{
	char json[4 * CEDAR_DEPTH_MAX];
	struct world world;
	struct cedar_value value;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t depth = CEDAR_DEPTH_MAX - 1; depth <= CEDAR_DEPTH_MAX + 1; depth++) {
		memset(json, '[', depth);
		memset(json + depth, ']', depth);
		json[2 * depth] = '\0';
		assert_int_equal(reads(&world, json, &value), depth <= CEDAR_DEPTH_MAX);
		if (depth > CEDAR_DEPTH_MAX)
			assert_int_equal(world.err.code, CEDAR_ERROR_LIMIT);
	}
	world_close(&world);
}

static const char *written(struct world *world, const char *json)
{
	struct cedar_value value;
	struct cedar_text text;

	if (!reads(world, json, &value))
		fail_msg("%s: %s", json, world->err.text);
	text = cedar_value_format(world->arena, &value);
	(void)snprintf(world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	return world->text;
}

static void json_values_are_read_exactly(void **state)
{
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_string_equal(written(&world, " [ 2 , 1, 2 ] "), "[1, 2]");
	assert_string_equal(written(&world, "-9223372036854775808"), "-9223372036854775808");
	assert_string_equal(written(&world, "9223372036854775807"), "9223372036854775807");
	assert_string_equal(
		written(&world, "{\"b\":true,\"a\":{\"\\u0000\":\"\\uD83D\\uDE00\\/\"}}"),
		"{\"a\": {\"\\0\": \"\xF0\x9F\x98\x80/\"}, \"b\": true}");
	assert_string_equal(
		written(&world, "{\"__entity\":{\"type\":\"A::B\",\"id\":\"x\"}}"), "A::B::\"x\"");
	assert_string_equal(written(&world, "{\"type\":\"A\",\"id\":\"x\"}"),
		"{\"id\": \"x\", \"type\": \"A\"}");
	assert_string_equal(written(&world, "{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.0\"}}"),
		"decimal(\"1.0000\")");
	assert_string_equal(
		written(&world, "{\"__extn\":{\"fn\":\"offset\",\"args\":["
				"{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-01-01\"}},"
				"{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1s\"}}]}}"),
		"datetime(\"1970-01-01\").offset(duration(\"1000ms\"))");
	world_close(&world);
}

static void a_record_refuses_a_name_given_twice(void **state)
{
	struct cedar_member members[2] = {
		{CEDAR_TEXT("a"), {.type = CEDAR_BOOL}}, {CEDAR_TEXT("a"), {.type = CEDAR_BOOL}}};
	struct world world;
	struct cedar_value value;

	(void)state;
	world_open(&world, NULL, NULL);
	assert_false(cedar_value_record(&value, world.arena, members, 2, &world.err));
	assert_int_equal(value.type, CEDAR_NONE);
	world_close(&world);
}

static long compared;

static int order_pairs(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	compared++;
	return (*left > *right) - (*left < *right);
}

/* The same multiset in order, by what the header promises. */
static void check_sorted(uint32_t (*pairs)[2], uint32_t count)
{
	uint64_t sum = 0, given = 0;
	uint32_t log = 0;

	while (count >> log > 0)
		log++; /* log2 count + 1, rounded down */
	for (uint32_t i = 0; i < count; i++)
		given += (uint64_t)(pairs[i][0] + 1) * pairs[i][1];
	compared = 0;
	sort_items(pairs, count, sizeof *pairs, order_pairs);
	assert_true(compared <= 2L * count * log);
	for (uint32_t i = 0; i < count; i++) {
		sum += (uint64_t)(pairs[i][0] + 1) * pairs[i][1];
		assert_true(i == 0 || pairs[i - 1][0] <= pairs[i][0]);
		assert_int_equal(pairs[i][1], pairs[i][0] ^ 0x5A5A);
	}
	assert_int_equal(sum, given);
}

/* In order, the other way round, all the same, up and down, and at random. */
static uint32_t shape(int which, uint32_t i, uint32_t count)
{
	static uint64_t state = 0x9E3779B97F4A7C15;

	switch (which) {
	case 0: return i;
	case 1: return count - i;
	case 2: return 7;
	case 3: return i < count / 2 ? i : count - i;
	default: break;
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state % (which == 4 ? 5 : 100000));
}

static void whatever_is_sorted_is_in_order_within_its_comparisons(void **state)
{
	enum { LONGEST = 300, LONG = 20000, SHAPES = 6 };
	static uint32_t pairs[LONG][2];

	(void)state;
	for (int which = 0; which < SHAPES; which++) {
		for (uint32_t count = 0; count <= LONG;
			count += count < LONGEST ? 1 : LONG - LONGEST) {
			for (uint32_t i = 0; i < count; i++) {
				pairs[i][0] = shape(which, i, count);
				pairs[i][1] = pairs[i][0] ^ 0x5A5A;
			}
			check_sorted(pairs, count);
		}
	}
}

static int order_bytes(const void *a, const void *b)
{
	return *(const unsigned char *)a - *(const unsigned char *)b;
}

/* A larger one is a mistake of ours, and an assertion. */
static void items_may_be_as_large_as_the_bound(void **state)
{
	enum { ITEMS = 100 };
	static unsigned char items[ITEMS * SORT_ITEM_BYTES_MAX];

	(void)state;
	for (size_t size = SORT_ITEM_BYTES_MAX - 1; size <= SORT_ITEM_BYTES_MAX; size++) {
		for (size_t i = 0; i < ITEMS; i++)
			memset(items + i * size, (int)(ITEMS - i), size);
		sort_items(items, ITEMS, size, order_bytes);
		for (size_t i = 0; i < ITEMS * size; i++)
			assert_int_equal(items[i], 1 + i / size);
	}
}

/* Few members are sorted one way and many another (SORT_INSERTING_MAX is 16). */
static void any_number_of_parts_in_any_order_makes_the_same_value(void **state)
{
	/* Past one that is looked at in order, or sorted by inserting (16). */
	enum { PARTS = 40 };
	_Static_assert(PARTS > 4 * LINEAR_MEMBERS_MAX, "enough");
	static char names[PARTS][4];
	struct cedar_member members[PARTS + 1];
	struct cedar_value items[PARTS + 1], forward, backward;
	struct world world;

	(void)state;
	world_open(&world, NULL, NULL);
	for (size_t i = 0; i < PARTS; i++)
		(void)snprintf(names[i], sizeof names[i], "%02zu", i);
	for (size_t count = 0; count <= PARTS; count++) {
		for (int pass = 0; pass < 2; pass++) {
			for (size_t i = 0; i < count; i++) {
				size_t at = pass == 0 ? i : count - 1 - i;

				items[i] = cedar_value_long((int64_t)at);
				members[i] =
					(struct cedar_member){cedar_text_of(names[at]), items[i]};
			}
			assert_true(cedar_value_record(pass == 0 ? &forward : &backward,
				world.arena, members, count, &world.err));
		}
		assert_true(cedar_value_equal(&forward, &backward));
		for (size_t i = 0; i < count; i++)
			assert_int_equal(
				cedar_value_find(&backward, cedar_text_of(names[i]))->integer, i);
		if (count > 0) {
			members[count] = members[count / 2];
			assert_false(cedar_value_record(
				&backward, world.arena, members, count + 1, &world.err));
		}
		items[count] = cedar_value_long(0);
		assert_true(cedar_value_set(&backward, world.arena, items, count + 1, &world.err));
		assert_int_equal(backward.count, count == 0 ? 1 : count);
		for (size_t i = 1; i < backward.count; i++)
			assert_true(backward.items[i - 1].integer < backward.items[i].integer);
	}
	world_close(&world);
}

static void building_deeper_than_the_limit_is_refused(void **state)
{
	struct world world;
	struct cedar_value value = cedar_value_long(1);

	(void)state;
	world_open(&world, NULL, NULL);
	for (int i = 0; i < CEDAR_DEPTH_MAX; i++)
		assert_true(cedar_value_set(&value, world.arena, &value, 1, &world.err));
	assert_false(cedar_value_set(&value, world.arena, &value, 1, &world.err));
	assert_int_equal(world.err.code, CEDAR_ERROR_LIMIT);
	world_close(&world);
}

static void values_of_different_types_are_never_equal(void **state)
{
	struct cedar_uid uid = cedar_uid_of(CEDAR_TEXT("A"), CEDAR_TEXT("1"));
	struct world world;
	struct cedar_value values[8];

	(void)state;
	world_open(&world, NULL, NULL);
	values[0] = cedar_value_bool(true);
	values[1] = cedar_value_long(1);
	values[2] = cedar_value_string(CEDAR_TEXT("1"));
	values[3] = cedar_value_entity(&uid);
	values[4] = (struct cedar_value){.type = CEDAR_DECIMAL, .integer = 1};
	values[5] = (struct cedar_value){.type = CEDAR_DURATION, .integer = 1};
	assert_true(cedar_value_set(&values[6], world.arena, NULL, 0, &world.err));
	assert_true(cedar_value_record(&values[7], world.arena, NULL, 0, &world.err));
	for (int i = 0; i < 8; i++) {
		for (int j = 0; j < 8; j++)
			assert_int_equal(cedar_value_equal(&values[i], &values[j]), i == j);
	}
	world_close(&world);
}

static void a_copy_owes_nothing_to_the_original(void **state)
{
	struct cedar_arena *other = cedar_arena_create(1 << 20);
	struct world world;
	struct cedar_value value, copy;
	char json[] = "{\"a\":[\"x\",{\"__entity\":{\"type\":\"A\",\"id\":\"y\"}}],"
		      "\"b\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}}";

	(void)state;
	world_open(&world, NULL, NULL);
	assert_true(reads(&world, json, &value));
	assert_true(cedar_value_copy(&copy, cedar_arena_inner(other), &value, &world.err));
	assert_true(cedar_value_equal(&value, &copy));
	world_close(&world);
	assert_int_equal(copy.count, 2);
	assert_true(cedar_text_is(copy.members[0].name, "a"));
	assert_int_equal(copy.members[1].value.ip->bytes[15], 1);
	cedar_arena_destroy(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_json_is_refused),
		cmocka_unit_test(a_byte_that_is_not_plain_is_seen_wherever_it_stands),
		cmocka_unit_test(a_name_given_twice_is_refused_among_few_and_many),
		cmocka_unit_test(whatever_is_sorted_is_in_order_within_its_comparisons),
		cmocka_unit_test(items_may_be_as_large_as_the_bound),
		cmocka_unit_test(malformed_escapes_of_entities_and_extensions_are_refused),
		cmocka_unit_test(json_nests_up_to_the_depth_limit),
		cmocka_unit_test(json_values_are_read_exactly),
		cmocka_unit_test(a_record_refuses_a_name_given_twice),
		cmocka_unit_test(any_number_of_parts_in_any_order_makes_the_same_value),
		cmocka_unit_test(building_deeper_than_the_limit_is_refused),
		cmocka_unit_test(values_of_different_types_are_never_equal),
		cmocka_unit_test(a_copy_owes_nothing_to_the_original),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

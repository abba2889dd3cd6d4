/* From records to the registry. */
#include "domain/charter/registry_fold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"

#define UNIT                                                                                       \
	"[{\"in_force\":1,\"kind\":\"unit\",\"name\":\"desk\",\"object\":{\"name\":\"desk\","      \
	"\"object\":\"unit\"},\"op\":\"put\",\"version\":1}]"

struct fixture {
	struct arena *arena;
	struct arena *scratch;
	struct registry *registry;
	struct error err;
};

static int set_up(void **state)
{
	static struct fixture fixture;

	memset(&fixture, 0, sizeof fixture);
	fixture.arena = arena_create((size_t)128 << 20);
	fixture.scratch = arena_create((size_t)1 << 20);
	assert_true(registry_create(&fixture.registry, &fixture.err));
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	registry_destroy(&fixture->registry);
	arena_destroy(&fixture->scratch);
	arena_destroy(&fixture->arena);
	return 0;
}

static bool fold_with(struct fixture *fixture, const char *entry, struct text content)
{
	struct json record;

	return registry_entry_read(
		       &record, fixture->arena, text_of(entry), content, &fixture->err) &&
	       registry_fold(fixture->registry, &record, fixture->scratch, &fixture->err) &&
	       registry_settle(fixture->registry, &fixture->err);
}

static bool fold(struct fixture *fixture, const char *entry)
{
	return fold_with(fixture, entry, (struct text){0});
}

static void what_lies_beside_must_be_what_the_record_names(void **state)
{
	struct fixture *fixture = *state;
	char digest[DIGEST_TEXT_BYTES];
	struct sha256 named = sha256_of(UNIT, sizeof UNIT - 1);
	struct text entry;

	digest_format(digest, &named);
	entry = text_format(fixture->arena,
		"{\"content\":\"%s\",\"revision\":1,\"type\":\"registry\"}", digest);
	assert_true(registry_entry_wants_content(entry));
	assert_false(fold_with(fixture, entry.data, TEXT("[]")));
	assert_int_equal(fixture->err.code, ERROR_CORRUPT);
	assert_false(fold(fixture, entry.data));
	assert_null(registry_find_unit(fixture->registry, TEXT("desk")));
	assert_true(fold_with(fixture, entry.data, TEXT(UNIT)));
	assert_non_null(registry_find_unit(fixture->registry, TEXT("desk")));
}

static void what_other_records_keep_beside_them_is_not_read(void **state)
{
	struct fixture *fixture = *state;

	assert_false(registry_entry_wants_content(
		TEXT("{\"content\":\"sha256:00\",\"type\":\"decision\"}")));
	assert_true(fold_with(
		fixture, "{\"content\":\"sha256:00\",\"type\":\"decision\"}", TEXT("sealed")));
	assert_int_equal(registry_revision(fixture->registry), 0);
}

static void what_is_no_record_is_corrupt(void **state)
{
	static const char *const wrong[] = {"", "{", "[]", "7",
		"{\"type\":\"person-key\",\"person\":\"ana\",\"kid\":\"k\"}",
		"{\"type\":\"registry\",\"changes\":[{\"op\":\"put\"}]}",
		"{\"type\":\"registry\",\"changes\":[{\"in_force\":2,\"kind\":\"unit\",\"name\":"
		"\"desk\",\"op\":\"set\",\"version\":2}]}",
		"{\"type\":\"registry\",\"changes\":[{\"in_force\":1,\"kind\":\"unit\",\"name\":"
		"\"desk\",\"object\":{\"name\":7},\"op\":\"put\",\"version\":1}]}"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		if (fold(fixture, wrong[i]))
			fail_msg("taken: %s", wrong[i]);
		assert_int_equal(fixture->err.code, ERROR_CORRUPT);
	}
	registry_validate(fixture->registry);
}

static void a_record_folded_twice_changes_nothing(void **state)
{
	static const char entry[] = "{\"changes\":" UNIT ",\"revision\":4,\"type\":\"registry\"}";
	struct fixture *fixture = *state;
	const struct registry_entry *desk;

	assert_true(fold(fixture, entry));
	assert_true(fold(fixture, entry));
	desk = registry_find(fixture->registry, OBJECT_UNIT, TEXT("desk"));
	assert_int_equal(desk->in_force->version, 1);
	assert_int_equal(registry_revision(fixture->registry), 4);
	assert_int_equal(registry_count(fixture->registry, OBJECT_UNIT), 1);
	registry_validate(fixture->registry);
}

static void a_code_moves_the_revision_alone(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fold(fixture, "{\"revision\":9,\"type\":\"admin-code\"}"));
	assert_int_equal(registry_revision(fixture->registry), 9);
	assert_int_equal(registry_count(fixture->registry, OBJECT_NONE), 0);
}

static void kills_are_counted_though_they_name_no_epoch(void **state)
{
	struct fixture *fixture = *state;

	assert_true(fold(fixture, "{\"identity\":\"agent\",\"type\":\"kill\"}"));
	assert_true(fold(fixture, "{\"identity\":\"agent\",\"type\":\"kill\"}"));
	assert_true(fold(fixture, "{\"identity\":\"agent\",\"task\":\"t-1\",\"type\":\"kill\"}"));
	assert_int_equal(registry_kill_epoch(fixture->registry, TEXT("agent")), 2);
	assert_true(fold(fixture, "{\"epoch\":7,\"identity\":\"agent\",\"type\":\"kill\"}"));
	assert_int_equal(registry_kill_epoch(fixture->registry, TEXT("agent")), 7);
}

/* Changes beside a record: as many values as the bound, and one more. */
static struct text values(struct fixture *fixture, size_t count)
{
	size_t length = 2 * count - 1; /* "[0,0,0]": the array is a value too */
	char *bytes = arena_array(fixture->arena, char, length + 1);

	assert_non_null(bytes);
	for (size_t i = 1; i + 1 < length; i++)
		bytes[i] = i % 2 == 1 ? '0' : ',';
	bytes[0] = '[';
	bytes[length - 1] = ']';
	return (struct text){bytes, length};
}

static bool reads_within(struct fixture *fixture, struct text content, size_t bytes)
{
	struct sha256 named = sha256_of(content.data, content.length);
	char digest[DIGEST_TEXT_BYTES];
	struct json record;
	struct arena *arena = arena_create(bytes);
	struct text entry;
	bool ok;

	digest_format(digest, &named);
	entry = text_format(arena, "{\"content\":\"%s\",\"type\":\"registry\"}", digest);
	ok = registry_entry_read(&record, arena, entry, content, &fixture->err);
	arena_destroy(&arena);
	return ok;
}

static bool reads(struct fixture *fixture, size_t count)
{
	return reads_within(fixture, values(fixture, count), (size_t)1 << 30);
}

static void changes_beside_a_record_have_a_bound(void **state)
{
	struct fixture *fixture = *state;

	assert_true(reads(fixture, REGISTRY_CONTENT_VALUES_MAX - 1));
	assert_true(reads(fixture, REGISTRY_CONTENT_VALUES_MAX));
	assert_false(reads(fixture, REGISTRY_CONTENT_VALUES_MAX + 1));
	assert_int_equal(fixture->err.code, ERROR_LIMIT);
}

/* Else a record would be durable that no start can fold. */
static void what_would_not_be_read_back_is_not_written(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	assert_true(registry_content_check(values(fixture, 500000), &err));
	assert_true(reads(fixture, 500000));
	arena_reset(fixture->arena);
	assert_false(registry_content_check(values(fixture, REGISTRY_CONTENT_VALUES_MAX), &err));
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_non_null(strstr(err.text, "change less at once"));
}

/* ["aaa..."] of so many bytes. */
static struct text letters(struct fixture *fixture, size_t length)
{
	char *bytes = arena_array(fixture->arena, char, length + 1);

	assert_non_null(bytes);
	memset(bytes, 'a', length);
	memcpy(bytes, "[\"", 2);
	memcpy(bytes + length - 2, "\"]", 2);
	return (struct text){bytes, length};
}

static void changes_beside_a_record_have_at_most_so_many_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct error err = {0};

	for (int more = -1; more <= 1; more++) {
		struct text content = letters(fixture, (size_t)(REGISTRY_CONTENT_BYTES_MAX + more));

		assert_int_equal(registry_content_check(content, &err), more < 1);
		assert_int_equal(
			reads_within(fixture, content, REGISTRY_ENTRY_ARENA_BYTES_MAX), more < 1);
		arena_reset(fixture->arena);
	}
	assert_int_equal(err.code, ERROR_LIMIT);
	assert_int_equal(fixture->err.code, ERROR_LIMIT);
}

static bool is_written(struct fixture *fixture, size_t count)
{
	struct error err = {0};
	bool ok = registry_content_check(values(fixture, count), &err);

	arena_reset(fixture->arena);
	return ok;
}

/* The most that is written takes the room that it was checked for; whoever reads entries has more,
 * so they read it with whatever else lies there. */
static void what_is_written_is_read_by_whoever_reads_entries(void **state)
{
	struct fixture *fixture = *state;
	size_t written = 500000, refused = 1000000;

	assert_true(is_written(fixture, written) && !is_written(fixture, refused));
	while (written + 1 < refused) {
		size_t middle = (written + refused) / 2;

		*(is_written(fixture, middle) ? &written : &refused) = middle;
	}
	assert_false(
		reads_within(fixture, values(fixture, refused), REGISTRY_CONTENT_PARSED_BYTES_MAX));
	arena_reset(fixture->arena);
	assert_true(reads_within(fixture, values(fixture, written),
		REGISTRY_ENTRY_ARENA_BYTES_MAX - REGISTRY_CONTENT_BYTES_MAX));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_lies_beside_must_be_what_the_record_names),
		TEST(what_other_records_keep_beside_them_is_not_read),
		TEST(what_is_no_record_is_corrupt),
		TEST(a_record_folded_twice_changes_nothing),
		TEST(a_code_moves_the_revision_alone),
		TEST(kills_are_counted_though_they_name_no_epoch),
		TEST(changes_beside_a_record_have_a_bound),
		TEST(what_would_not_be_read_back_is_not_written),
		TEST(changes_beside_a_record_have_at_most_so_many_bytes),
		TEST(what_is_written_is_read_by_whoever_reads_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "domain/audit/tile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void paths_that_nobody_would_write_are_refused(void **state)
{
	static const char *const bad[] = {"tile/0/0", "tile/0/x000/001", "tile/0/000.p/0",
		"tile/0/000.p/256", "tile/64/000", "tile/00/000", "tile/0/000/", "tile/0/x001/x001",
		"tile/0/1000", "tile/entries/0", "tile/-1/000", "", "tile/0/000.p/05",
		"tile/0/x999/x999/x999/x999/x999/x999/x999/x999/000"};
	struct tile tile;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(tile_path_parse(text_of(bad[i]), &tile));
}

static void paths_read_back_as_what_was_written(void **state)
{
	static const struct {
		struct tile tile;
		const char *path;
	} cases[] = {
		{{TILE_HASHES, 0, 1234067, 256}, "tile/0/x001/x234/067"},
		{{TILE_HASHES, 63, 0, 7}, "tile/63/000.p/7"},
		{{TILE_ENTRIES, 0, 999, 256}, "tile/entries/999"},
		{{TILE_ENTRIES, 0, 1000, 255}, "tile/entries/x001/000.p/255"},
		{{TILE_HASHES, 2, UINT64_MAX, 256}, "tile/2/x018/x446/x744/x073/x709/x551/615"},
	};
	char path[TILE_PATH_BYTES];
	struct tile tile;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		tile_path(path, &cases[i].tile);
		assert_string_equal(path, cases[i].path);
		assert_true(tile_path_parse(text_of(path), &tile));
		assert_memory_equal(&tile, &cases[i].tile, sizeof tile);
	}
}

static void widths_follow_the_size(void **state)
{
	(void)state;
	assert_int_equal(tile_full_count(70000, 0), 273);
	assert_int_equal(tile_partial_width(70000, 0), 112);
	assert_int_equal(tile_full_count(70000, 1), 1);
	assert_int_equal(tile_partial_width(70000, 1), 17);
	assert_int_equal(tile_partial_width(70000, 2), 1);
	assert_int_equal(tile_width(70000, 0, 272), 256);
	assert_int_equal(tile_width(70000, 0, 273), 112);
	assert_int_equal(tile_width(70000, 0, 274), 0);
	assert_int_equal(tile_width(256, 0, 1), 0);
	assert_int_equal(tile_width(UINT64_MAX, 40, 0), 0);
}

static void a_bundle_cut_short_is_noticed(void **state)
{
	struct buffer bundle;
	struct text rest, entry;

	(void)state;
	buffer_init(&bundle, 1024);
	bundle_append(&bundle, TEXT("one"));
	bundle_append(&bundle, TEXT(""));
	bundle_append(&bundle, TEXT("three"));
	rest = buffer_text(&bundle);
	assert_true(bundle_next(&rest, &entry) && text_is(entry, "one"));
	assert_true(bundle_next(&rest, &entry) && entry.length == 0);
	assert_true(bundle_next(&rest, &entry) && text_is(entry, "three"));
	assert_false(bundle_next(&rest, &entry));
	assert_int_equal(rest.length, 0);
	for (size_t cut = 1; cut < 5; cut++) {
		rest = buffer_text(&bundle);
		rest.length = cut;
		assert_false(bundle_next(&rest, &entry));
		assert_int_equal(rest.length, cut);
	}
	buffer_deinit(&bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_that_nobody_would_write_are_refused),
		cmocka_unit_test(a_bundle_cut_short_is_noticed),
		cmocka_unit_test(paths_read_back_as_what_was_written),
		cmocka_unit_test(widths_follow_the_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

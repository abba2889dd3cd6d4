/* The tiles a log must have follow from its entries; each file is compared byte
 * by byte with what it must be.
 *
 * Invariants:
 *  1. levels and bundle hold the open tiles of the tree of frontier.size
 *     entries, so the newest entry's tile is complete exactly when its width is
 *     256.
 *  2. A file is required if the checkpoint implies it; any other that was there
 *     before the first entry was read must fit all the same.  A log that is
 *     written meanwhile has tiles of entries that were not there to be read:
 *     what it published since is for the next to verify. */
#include "domain/audit/tile_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/audit/envelope.h"

enum {
	BUNDLE_BYTES_MAX = TILE_WIDTH * (65535 + 2),
	FILE_ARENA_BYTES = BUNDLE_BYTES_MAX + 64 * 1024,
	LIST_ARENA_BYTES = 64 * 1024 * 1024,
	FOLDER_DEPTH_MAX = 16,
};

struct tile_check {
	const struct audit_source *source;
	uint64_t promised;
	bool skips_bundles;
	struct merkle_frontier frontier;
	struct sha256 levels[TILE_LEVELS_MAX][TILE_WIDTH];
	struct buffer bundle;
	/* The widest file of the greatest index that was there, by kind and level; width 0: none.
	 */
	struct tile furthest[TILE_ENTRIES + 1][TILE_LEVEL_MAX + 1];
	struct arena *arena; /* one file at a time */
};

bool tile_check_open(struct tile_check **out, const struct audit_source *source, uint64_t promised,
	struct error *err)
{
	struct tile_check *check = calloc(1, sizeof *check);

	*out = NULL;
	if (check == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to check tiles");
	check->source = source;
	check->promised = promised;
	buffer_init(&check->bundle, BUNDLE_BYTES_MAX);
	check->arena = arena_create(FILE_ARENA_BYTES);
	if (check->arena == NULL) {
		tile_check_close(&check);
		return error_set(err, ERROR_LIMIT, "no memory to check tiles");
	}
	*out = check;
	return true;
}

void tile_check_close(struct tile_check **check)
{
	struct tile_check *closing = *check;

	*check = NULL;
	if (closing == NULL)
		return;
	buffer_deinit(&closing->bundle);
	arena_destroy(&closing->arena);
	free(closing);
}

void tile_check_skip_bundles(struct tile_check *check)
{
	check->skips_bundles = true;
}

const struct merkle_frontier *tile_check_frontier(const struct tile_check *check)
{
	return &check->frontier;
}

/* --- saying what is wrong ------------------------------------------------------- */

static void report_tile(struct audit_report *report, enum audit_fault fault,
	const struct tile *tile, const char *text)
{
	report->fault = fault;
	tile_path(report->file, tile);
	(void)snprintf(report->text, sizeof report->text, "%s", text);
}

static void report_unknown(struct audit_report *report, const char *path)
{
	report->fault = AUDIT_UNKNOWN_FILE;
	(void)snprintf(report->file, sizeof report->file, "%s", path);
	(void)snprintf(report->text, sizeof report->text, "not a tile of this log");
}

/* Names entry number `index`, which lies in the open bundle. */
static void report_record(struct tile_check *check, struct audit_report *report, uint64_t index)
{
	struct text rest = buffer_text(&check->bundle), entry = {0};
	struct envelope envelope;
	struct error ignored = {0};

	report->has_index = true;
	report->index = index;
	for (uint64_t i = 0; i <= index % TILE_WIDTH; i++) {
		if (!bundle_next(&rest, &entry))
			return;
	}
	arena_reset(check->arena);
	report->has_record = envelope_parse(&envelope, NULL, check->arena, entry, &ignored);
	if (!report->has_record)
		return;
	report->at_utc_ms = envelope.at_utc_ms;
	(void)snprintf(report->type, sizeof report->type, "%.*s", TEXT_ARGS(envelope.type_name));
}

static size_t first_difference(struct text a, struct text b)
{
	size_t at = 0;

	while (at < a.length && at < b.length && a.data[at] == b.data[at])
		at++;
	return at;
}

/* Which entry of a bundle the byte at offset belongs to. */
static uint64_t entry_at(struct text bundle, size_t offset)
{
	struct text rest = bundle, entry;
	uint64_t position = 0;

	while (bundle_next(&rest, &entry) && bundle.length - rest.length <= offset)
		position++;
	return position;
}

static void report_difference(struct tile_check *check, const struct tile *tile, struct text want,
	struct text found, struct audit_report *report)
{
	size_t offset = first_difference(want, found);
	uint64_t position =
		tile->kind == TILE_ENTRIES ? entry_at(want, offset) : offset / SHA256_BYTES;

	report_tile(report, AUDIT_BAD_TILE, tile,
		tile->kind == TILE_ENTRIES ? "the bundle differs from the record"
					   : "the tile differs from the records");
	report->has_offset = true;
	report->offset = offset;
	if (position >= tile->width)
		position = tile->width - 1U;
	if (tile->level == 0)
		report_record(check, report, tile->index * TILE_WIDTH + position);
}

/* --- comparing -------------------------------------------------------------------- */

/* The bytes a tile of this width must have; it is open, or was completed by the
 * newest entry. */
static struct text wanted(const struct tile_check *check, const struct tile *tile)
{
	struct text rest = buffer_text(&check->bundle), entry;

	if (tile->kind == TILE_HASHES)
		return (struct text){(const char *)check->levels[tile->level],
			tile->width * (size_t)SHA256_BYTES};
	for (unsigned i = 0; i < tile->width; i++) {
		if (!bundle_next(&rest, &entry))
			break;
	}
	return (struct text){check->bundle.data, check->bundle.length - rest.length};
}

static bool is_beyond(const struct tile *tile, const struct tile *other)
{
	return tile->index > other->index ||
	       (tile->index == other->index && tile->width > other->width);
}

static bool is_promised(const struct tile_check *check, const struct tile *tile)
{
	return tile->width <= tile_width(check->promised, tile->level, tile->index);
}

static bool compare(struct tile_check *check, const struct tile *tile, bool *exists,
	struct audit_report *report, struct error *err)
{
	char path[TILE_PATH_BYTES];
	struct text want = wanted(check, tile), found;

	*exists = false;
	if (is_beyond(tile, &check->furthest[tile->kind][tile->level]) && !is_promised(check, tile))
		return true;
	arena_reset(check->arena);
	tile_path(path, tile);
	*exists = check->source->read(check->source->context, path, check->arena, &found, err);
	if (!*exists)
		return err->code == ERROR_NOT_FOUND;
	report->tiles++;
	if (!text_equal(want, found))
		report_difference(check, tile, want, found, report);
	return true;
}

/* All partial files beside the full place of a tile, each as wide as it says. */
static bool compare_partials(struct tile_check *check, const struct tile *tile, unsigned width,
	struct audit_report *report, struct error *err)
{
	struct arena *arena = arena_create(LIST_ARENA_BYTES);
	struct tile full = *tile, partial;
	char folder[TILE_PATH_BYTES], path[AUDIT_PATH_BYTES];
	struct audit_name *names;
	size_t count;
	bool ok = false, exists;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of tiles");
	full.width = TILE_WIDTH;
	tile_path(folder, &full);
	(void)snprintf(folder + strlen(folder), sizeof folder - strlen(folder), ".p");
	if (!check->source->list(check->source->context, folder, arena, &names, &count, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	for (size_t i = 0; i < count && report->fault == AUDIT_SOUND; i++) {
		(void)snprintf(path, sizeof path, "%s/%.*s", folder, TEXT_ARGS(names[i].name));
		if (names[i].is_folder || !tile_path_parse(text_of(path), &partial)) {
			report_unknown(report, path);
			break;
		}
		if (partial.width <= width && !compare(check, &partial, &exists, report, err))
			goto done;
	}
	ok = true;
done:
	arena_destroy(&arena);
	return ok;
}

/* A tile that is complete. */
static bool check_full(struct tile_check *check, const struct tile *tile,
	struct audit_report *report, struct error *err)
{
	bool exists;
	bool required = tile->index < tile_full_count(check->promised, tile->level);

	if (!compare(check, tile, &exists, report, err))
		return false;
	if (!exists && required && report->fault == AUDIT_SOUND)
		report_tile(report, AUDIT_MISSING, tile, "a tile is missing");
	if (report->fault != AUDIT_SOUND)
		return true;
	/* one that the checkpoint implies as partial may have been replaced */
	if (!exists && tile_width(check->promised, tile->level, tile->index) > 0) {
		struct tile partial = *tile;

		partial.width = tile_partial_width(check->promised, tile->level);
		if (!compare(check, &partial, &exists, report, err))
			return false;
		if (!exists)
			report_tile(report, AUDIT_MISSING, &partial, "a tile is missing");
		if (report->fault != AUDIT_SOUND)
			return true;
	}
	return compare_partials(check, tile, TILE_WIDTH, report, err);
}

/* The open tile of a level after the last entry. */
static bool check_open(
	struct tile_check *check, struct tile tile, struct audit_report *report, struct error *err)
{
	bool exists = true;
	unsigned width = tile_partial_width(check->frontier.size, tile.level);

	tile.index = tile_full_count(check->frontier.size, tile.level);
	tile.width = tile_width(check->promised, tile.level, tile.index);
	if (width == 0)
		return true;
	if (tile.width > 0 && !compare(check, &tile, &exists, report, err))
		return false;
	if (!exists && report->fault == AUDIT_SOUND)
		report_tile(report, AUDIT_MISSING, &tile, "a tile is missing");
	return report->fault != AUDIT_SOUND || compare_partials(check, &tile, width, report, err);
}

bool tile_check_add(struct tile_check *check, struct text entry, const struct sha256 *leaf,
	struct audit_report *report, struct error *err)
{
	uint64_t nodes;
	struct tile tile = {.kind = TILE_ENTRIES, .width = TILE_WIDTH};

	check->levels[0][check->frontier.size % TILE_WIDTH] = *leaf;
	if (check->frontier.size % TILE_WIDTH == 0)
		buffer_reset(&check->bundle);
	bundle_append(&check->bundle, entry);
	if (buffer_failed(&check->bundle))
		return error_set(err, ERROR_LIMIT, "no memory for a bundle");
	merkle_append(&check->frontier, leaf);
	nodes = check->frontier.size;
	if (nodes % TILE_WIDTH != 0)
		return true;
	tile.index = nodes / TILE_WIDTH - 1;
	if (!check->skips_bundles && !check_full(check, &tile, report, err))
		return false;
	tile.kind = TILE_HASHES;
	for (; nodes % TILE_WIDTH == 0 && tile.level + 1 < TILE_LEVELS_MAX; tile.level++) {
		if (report->fault != AUDIT_SOUND)
			return true;
		nodes /= TILE_WIDTH;
		tile.index = nodes - 1;
		if (!check_full(check, &tile, report, err))
			return false;
		check->levels[tile.level + 1][(nodes - 1) % TILE_WIDTH] =
			tile_root(check->levels[tile.level], TILE_WIDTH);
	}
	return true;
}

/* --- files that should not be there ---------------------------------------------------- */

static bool is_expected(const struct tile_check *check, const struct tile *tile)
{
	uint64_t full = tile_full_count(check->frontier.size, tile->level);

	if (tile->index < full)
		return true; /* compared when its last entry passed, partial or not */
	return tile->index == full &&
	       tile->width <= tile_partial_width(check->frontier.size, tile->level);
}

static void note_file(struct tile_check *check, const char *path, struct audit_report *report)
{
	struct tile tile, *furthest;

	if (!tile_path_parse(text_of(path), &tile)) {
		report_unknown(report, path);
		return;
	}
	furthest = &check->furthest[tile.kind][tile.level];
	if (is_beyond(&tile, furthest))
		*furthest = tile;
}

static bool walk_files(struct tile_check *check, const char *folder, unsigned depth,
	struct audit_report *report, struct error *err)
{
	struct arena *arena = arena_create(LIST_ARENA_BYTES);
	char path[AUDIT_PATH_BYTES];
	struct audit_name *names;
	size_t count;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the names of tiles");
	if (!check->source->list(check->source->context, folder, arena, &names, &count, err)) {
		ok = err->code == ERROR_NOT_FOUND;
		goto done;
	}
	for (size_t i = 0; i < count && report->fault == AUDIT_SOUND; i++) {
		bool fits = snprintf(path, sizeof path, "%s/%.*s", folder,
				    TEXT_ARGS(names[i].name)) < (int)sizeof path;

		if (!fits)
			report_unknown(report, path);
		else if (!names[i].is_folder || depth >= FOLDER_DEPTH_MAX)
			note_file(check, path, report);
		else if (!walk_files(check, path, depth + 1, report, err))
			goto done;
	}
	ok = true;
done:
	arena_destroy(&arena);
	return ok;
}

bool tile_check_list(struct tile_check *check, struct audit_report *report, struct error *err)
{
	return walk_files(check, "tile", 0, report, err);
}

/* Where any file of a level is too far, the furthest is. */
static void check_furthest(const struct tile_check *check, struct audit_report *report)
{
	char path[TILE_PATH_BYTES];

	for (int kind = 0; kind <= TILE_ENTRIES; kind++)
		for (int level = 0; level <= TILE_LEVEL_MAX; level++) {
			const struct tile *tile = &check->furthest[kind][level];

			if (report->fault != AUDIT_SOUND || tile->width == 0 ||
				is_expected(check, tile))
				continue;
			tile_path(path, tile);
			report_unknown(report, path);
		}
}

bool tile_check_finish(struct tile_check *check, struct audit_report *report, struct error *err)
{
	struct tile tile = {.kind = TILE_ENTRIES};

	if (check->frontier.size % TILE_WIDTH == 0)
		buffer_reset(&check->bundle);
	if (!check->skips_bundles && !check_open(check, tile, report, err))
		return false;
	tile.kind = TILE_HASHES;
	for (; tile.level < TILE_LEVELS_MAX && report->fault == AUDIT_SOUND; tile.level++) {
		if (!check_open(check, tile, report, err))
			return false;
	}
	check_furthest(check, report);
	return true;
}

/* Paths and sizes of tiles.  A tile at level l, index n spans the nodes
 * [n * 256, (n + 1) * 256) of tree level 8 * l. */
#include "domain/audit/tile.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domain/audit/merkle.h"

enum { BUNDLE_LENGTH_BYTES = 2, BUNDLE_ENTRY_BYTES_MAX = 65535 };

/* Writes the index in groups of three digits, all but the last after an "x". */
static void path_append_index(char *out, size_t size, uint64_t index)
{
	char digits[24];
	size_t length, used = strlen(out);

	(void)snprintf(digits, sizeof digits, "%03" PRIu64, index);
	length = strlen(digits);
	if (length % 3 != 0) { /* pad the first group */
		(void)snprintf(
			digits, sizeof digits, "%0*" PRIu64, (int)(length + 3 - length % 3), index);
		length = strlen(digits);
	}
	for (size_t at = 0; at < length; at += 3)
		used += (size_t)snprintf(out + used, size - used, "/%s%.3s",
			at + 3 < length ? "x" : "", digits + at);
}

void tile_path(char out[TILE_PATH_BYTES], const struct tile *tile)
{
	size_t used;

	assert(tile->width >= 1 && tile->width <= TILE_WIDTH);
	assert(tile->level <= TILE_LEVEL_MAX);
	if (tile->kind == TILE_ENTRIES)
		(void)snprintf(out, TILE_PATH_BYTES, "tile/entries");
	else
		(void)snprintf(out, TILE_PATH_BYTES, "tile/%u", tile->level);
	path_append_index(out, TILE_PATH_BYTES, tile->index);
	used = strlen(out);
	if (tile->width < TILE_WIDTH)
		(void)snprintf(out + used, TILE_PATH_BYTES - used, ".p/%u", tile->width);
	assert(strlen(out) < TILE_PATH_BYTES - 1);
}

static bool text_skip(struct text *t, const char *prefix)
{
	size_t length = strlen(prefix);

	if (!text_starts_with(*t, prefix))
		return false;
	t->data += length;
	t->length -= length;
	return true;
}

/* Takes a decimal number of at most digits_max digits; any leading zeros. */
static bool text_take_number(struct text *t, size_t digits_max, uint64_t *out)
{
	size_t digits = 0;

	*out = 0;
	for (; digits < t->length && t->data[digits] >= '0' && t->data[digits] <= '9'; digits++) {
		if (digits == digits_max || __builtin_mul_overflow(*out, 10U, out) ||
			__builtin_add_overflow(*out, (uint64_t)(t->data[digits] - '0'), out))
			return false;
	}
	t->data += digits;
	t->length -= digits;
	return digits > 0;
}

/* Reads the groups; the strictness (no superfluous group, no leading zero of a
 * level) comes from comparing with what tile_path would have written. */
static bool path_take_index(struct text *t, uint64_t *out)
{
	uint64_t group;
	bool is_last = false;

	*out = 0;
	while (!is_last) {
		if (!text_skip(t, "/"))
			return false;
		is_last = !text_skip(t, "x");
		if (!text_take_number(t, 3, &group) || __builtin_mul_overflow(*out, 1000U, out) ||
			__builtin_add_overflow(*out, group, out))
			return false;
	}
	return true;
}

bool tile_path_parse(struct text path, struct tile *out)
{
	struct tile tile = {.kind = TILE_HASHES, .width = TILE_WIDTH};
	struct text rest = path;
	char again[TILE_PATH_BYTES];
	uint64_t number;

	if (path.length >= TILE_PATH_BYTES - 1 || !text_skip(&rest, "tile/"))
		return false;
	if (text_skip(&rest, "entries")) {
		tile.kind = TILE_ENTRIES;
	} else {
		if (!text_take_number(&rest, 2, &number) || number > TILE_LEVEL_MAX)
			return false;
		tile.level = (unsigned)number;
	}
	if (!path_take_index(&rest, &tile.index))
		return false;
	if (text_skip(&rest, ".p/")) {
		if (!text_take_number(&rest, 3, &number) || number < 1 || number >= TILE_WIDTH)
			return false;
		tile.width = (unsigned)number;
	}
	tile_path(again, &tile);
	if (rest.length != 0 || !text_is(path, again))
		return false;
	*out = tile;
	return true;
}

/* Nodes of the tree at this tile level. */
static uint64_t level_nodes(uint64_t size, unsigned level)
{
	return level < TILE_LEVELS_MAX ? size >> (TILE_HEIGHT * level) : 0;
}

uint64_t tile_full_count(uint64_t size, unsigned level)
{
	return level_nodes(size, level) / TILE_WIDTH;
}

unsigned tile_partial_width(uint64_t size, unsigned level)
{
	return (unsigned)(level_nodes(size, level) % TILE_WIDTH);
}

unsigned tile_width(uint64_t size, unsigned level, uint64_t index)
{
	uint64_t full = tile_full_count(size, level);

	if (index < full)
		return TILE_WIDTH;
	return index == full ? tile_partial_width(size, level) : 0;
}

struct sha256 tile_root(const struct sha256 *hashes, unsigned count)
{
	struct merkle_frontier frontier = {0};

	assert(count >= 1 && count <= TILE_WIDTH && (count & (count - 1)) == 0);
	for (unsigned i = 0; i < count; i++)
		merkle_append(&frontier, &hashes[i]);
	return merkle_root(&frontier);
}

void bundle_append(struct buffer *bundle, struct text entry)
{
	assert(entry.length <= BUNDLE_ENTRY_BYTES_MAX);
	buffer_append_byte(bundle, (char)(uint8_t)(entry.length >> 8));
	buffer_append_byte(bundle, (char)(uint8_t)entry.length);
	buffer_append_text(bundle, entry);
}

bool bundle_next(struct text *rest, struct text *entry)
{
	size_t length;

	if (rest->length < BUNDLE_LENGTH_BYTES)
		return false;
	length = (size_t)(uint8_t)rest->data[0] << 8 | (uint8_t)rest->data[1];
	if (length > rest->length - BUNDLE_LENGTH_BYTES)
		return false;
	*entry = (struct text){rest->data + BUNDLE_LENGTH_BYTES, length};
	rest->data += BUNDLE_LENGTH_BYTES + length;
	rest->length -= BUNDLE_LENGTH_BYTES + length;
	return true;
}

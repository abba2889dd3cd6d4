/* Nodes from tile files: node (level, index) is the root of a power of two of
 * hashes in the tile of level / 8. */
#include "services/record/tile_nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cached {
	bool is_filled;
	uint64_t index;
	struct sha256 hashes[TILE_WIDTH];
};

struct tile_nodes {
	const struct disk *disk;
	uint64_t size;
	struct cached levels[TILE_LEVELS_MAX];
};

void tile_file(char out[TILE_FILE_BYTES], const struct tile *tile)
{
	char path[TILE_PATH_BYTES];

	tile_path(path, tile);
	(void)snprintf(out, TILE_FILE_BYTES, "audit/%s", path);
}

static bool read_hashes(const struct disk *disk, const char *path, unsigned width,
	struct sha256 *out, struct error *err)
{
	size_t want = (size_t)width * SHA256_BYTES, got;
	int file;
	bool ok;

	if (!disk->open(disk->context, path, DISK_READ, &file, err))
		return false;
	ok = disk->read(disk->context, (struct disk_place){file, 0}, out, want, &got, err);
	disk->close(disk->context, file);
	if (ok && got != want)
		ok = error_set(err, ERROR_CORRUPT, "%s: too short", path);
	return ok;
}

bool tile_nodes_read(
	const struct disk *disk, const struct tile *tile, struct sha256 *out, struct error *err)
{
	char path[TILE_FILE_BYTES];
	struct tile full = *tile;

	tile_file(path, tile);
	if (read_hashes(disk, path, tile->width, out, err))
		return true;
	if (err->code != ERROR_NOT_FOUND || tile->width == TILE_WIDTH)
		return false;
	full.width = TILE_WIDTH;
	tile_file(path, &full);
	return read_hashes(disk, path, tile->width, out, err);
}

static bool node_hash(
	void *context, unsigned level, uint64_t index, struct sha256 *out, struct error *err)
{
	struct tile_nodes *nodes = context;
	unsigned within = level % TILE_HEIGHT;
	uint64_t first = index << within; /* at the tile's level */
	struct tile tile = {.level = level / TILE_HEIGHT, .index = first / TILE_WIDTH};
	struct cached *cached = &nodes->levels[tile.level];

	if (!cached->is_filled || cached->index != tile.index) {
		tile.width = tile_width(nodes->size, tile.level, tile.index);
		if (tile.width < first % TILE_WIDTH + (1U << within))
			return error_set(err, ERROR_INVALID, "no such node of the tree");
		cached->is_filled = false;
		if (!tile_nodes_read(nodes->disk, &tile, cached->hashes, err))
			return false;
		cached->is_filled = true;
		cached->index = tile.index;
	}
	*out = tile_root(&cached->hashes[first % TILE_WIDTH], 1U << within);
	return true;
}

bool tile_nodes_open(
	struct tile_nodes **out, const struct disk *disk, uint64_t size, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to read tiles");
	(*out)->disk = disk;
	(*out)->size = size;
	return true;
}

void tile_nodes_close(struct tile_nodes **nodes)
{
	free(*nodes);
	*nodes = NULL;
}

struct merkle_nodes tile_nodes_port(struct tile_nodes *nodes)
{
	return (struct merkle_nodes){.context = nodes, .hash = node_hash};
}

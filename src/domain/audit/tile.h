#ifndef DOMAIN_AUDIT_TILE_H
#define DOMAIN_AUDIT_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* Tiles and entry bundles of C2SP tlog-tiles (docs/formats/tiles.md). */

enum {
	TILE_WIDTH = 256,     /* hashes of a full tile, entries of a full bundle */
	TILE_HEIGHT = 8,      /* levels of the tree one tile spans */
	TILE_LEVELS_MAX = 8,  /* tile levels a tree of 2^64 leaves has */
	TILE_LEVEL_MAX = 63,  /* highest level a path may name */
	TILE_PATH_BYTES = 64, /* the longest path and its NUL */
	TILE_BYTES = TILE_WIDTH * SHA256_BYTES,
};

enum tile_kind { TILE_HASHES = 0, TILE_ENTRIES };

struct tile {
	enum tile_kind kind;
	unsigned level; /* 0 for TILE_ENTRIES */
	uint64_t index;
	unsigned width; /* 1 to 256; below 256 it is a partial tile */
};

/* "tile/0/x001/x234/067", "tile/entries/000.p/5".  tile must be valid (asserted). */
void tile_path(char out[TILE_PATH_BYTES], const struct tile *tile);
/* The same backwards; strict.  False if it is not a tile's path. */
bool tile_path_parse(struct text path, struct tile *out) MUST_CHECK;

/* Full tiles, and width of the partial one after them (0: none), at a level of
 * a tree of size leaves. */
uint64_t tile_full_count(uint64_t size, unsigned level);
unsigned tile_partial_width(uint64_t size, unsigned level);
/* Width of tile number index of a tree of size leaves, 0 if it has none. */
unsigned tile_width(uint64_t size, unsigned level, uint64_t index);

/* Root of count hashes; count is a power of two, at most 256 (asserted). */
struct sha256 tile_root(const struct sha256 *hashes, unsigned count);

/* Appends one entry to a bundle: big-endian 16-bit length, then the bytes.
 * The entry is at most 65,535 bytes (asserted). */
void bundle_append(struct buffer *bundle, struct text entry);
/* Takes the next entry from *rest.  False at its end, and then *rest is empty,
 * or if what is left is cut short, and then it is not. */
bool bundle_next(struct text *rest, struct text *entry) MUST_CHECK;

#endif

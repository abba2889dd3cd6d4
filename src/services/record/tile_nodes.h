#ifndef SERVICES_RECORD_TILE_NODES_H
#define SERVICES_RECORD_TILE_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "domain/audit/merkle.h"
#include "domain/audit/tile.h"
#include "services/record/disk.h"

/* The nodes of a tree, read from its tile files; for making proofs.  Keeps the
 * last tile of each level.  One thread at a time. */
struct tile_nodes;

/* size: a size for which all tiles were written.  Errors: LIMIT. */
bool tile_nodes_open(struct tile_nodes **out, const struct disk *disk, uint64_t size,
	struct error *err) MUST_CHECK;
void tile_nodes_close(struct tile_nodes **nodes);

/* The port the proof functions take; borrowed.  Its errors: NOT_FOUND, CORRUPT,
 * IO. */
struct merkle_nodes tile_nodes_port(struct tile_nodes *nodes);

/* Reads count hashes of a tile, from its full file if the partial one is gone.
 * Errors: NOT_FOUND, CORRUPT (too short), IO. */
bool tile_nodes_read(const struct disk *disk, const struct tile *tile, struct sha256 *out,
	struct error *err) MUST_CHECK;

/* "audit/" and the tile's path. */
enum { TILE_FILE_BYTES = TILE_PATH_BYTES + 8 };
void tile_file(char out[TILE_FILE_BYTES], const struct tile *tile);

#endif

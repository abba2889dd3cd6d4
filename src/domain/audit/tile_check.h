#ifndef DOMAIN_AUDIT_TILE_CHECK_H
#define DOMAIN_AUDIT_TILE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/merkle.h"
#include "domain/audit/tile.h"
#include "domain/audit/verify.h"

/* Compares tile and bundle files with the entries of the log, as these pass by. */
struct tile_check;

/* promised: entries the signed checkpoint covers; tiles for these must exist.
 * Errors: LIMIT. */
bool tile_check_open(struct tile_check **out, const struct audit_source *source, uint64_t promised,
	struct error *err) MUST_CHECK;
void tile_check_close(struct tile_check **check);

/* Before the first entry is read: which tiles are there.  What is published after it is not
 * looked at, unless it was promised.  A fault is put into report.  Errors: LIMIT, IO. */
bool tile_check_list(
	struct tile_check *check, struct audit_report *report, struct error *err) MUST_CHECK;

/* The entries are read from the bundles themselves: these are not compared. */
void tile_check_skip_bundles(struct tile_check *check);

/* Takes the next entry.  A fault is put into report.  Errors: LIMIT, IO. */
bool tile_check_add(struct tile_check *check, struct text entry, const struct sha256 *leaf,
	struct audit_report *report, struct error *err) MUST_CHECK;

/* After the last entry: the open tiles, and files that should not have been there. */
bool tile_check_finish(
	struct tile_check *check, struct audit_report *report, struct error *err) MUST_CHECK;

const struct merkle_frontier *tile_check_frontier(const struct tile_check *check);

#endif

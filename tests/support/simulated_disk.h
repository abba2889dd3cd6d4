#ifndef TESTS_SUPPORT_SIMULATED_DISK_H
#define TESTS_SUPPORT_SIMULATED_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "services/record/disk.h"

/* A disk in memory that forgets.  What was not synced is lost, kept, torn (by
 * sectors of 512 bytes) or reordered at a crash, all from one seed.  Names made,
 * renamed or removed in a folder last only after sync_dir.  Safe from any
 * thread.  Running out of real memory aborts the test. */
struct simulated_disk;

struct simulated_disk *simulated_disk_create(void);
void simulated_disk_destroy(struct simulated_disk **disk);
/* The port to hand to the record service; borrowed. */
const struct disk *simulated_disk_port(struct simulated_disk *disk);

/* Called around each port call, if the test defines it: its memory is not the
 * product's, and must not fail when the test makes allocations fail. */
void simulated_disk_guard(bool is_inside) __attribute__((weak));

/* Port calls so far (open, read, write, sync …). */
uint64_t simulated_disk_operations(struct simulated_disk *disk);

/* The power goes at operation number `at` (counted from 1): it and all later
 * ones fail with EIO and nothing more becomes durable. 0: never. */
void simulated_disk_cut_power_at(struct simulated_disk *disk, uint64_t at);
bool simulated_disk_is_cut(struct simulated_disk *disk);

/* A new disk with what a crash at this moment leaves, chosen by seed. */
struct simulated_disk *simulated_disk_after_crash(struct simulated_disk *disk, uint64_t seed);

/* A new disk with what survives every crash at this moment: nothing unsynced. */
struct simulated_disk *simulated_disk_durable(struct simulated_disk *disk);

enum simulated_fault {
	SIMULATED_NO_FAULT = 0,
	SIMULATED_EIO,
	SIMULATED_ENOSPC,
	SIMULATED_SHORT_WRITE, /* half of a write, then EIO; as EIO for the others */
};
/* Operation number `at` fails so, once.  A failed sync loses what it should have
 * made durable, and no later sync brings it back. */
void simulated_disk_fail_at(struct simulated_disk *disk, uint64_t at, enum simulated_fault fault);

/* Most bytes all files may have; writes beyond fail with ENOSPC. 0: no limit. */
void simulated_disk_limit_bytes(struct simulated_disk *disk, uint64_t limit);
uint64_t simulated_disk_bytes(struct simulated_disk *disk);

/* True if the bytes lie in the durable image of a file whose path starts with
 * prefix: what would survive any crash.  For the law "the upstream finds the
 * decision durable before it answers": prefix "audit/segments/". */
bool simulated_disk_has_durable(
	struct simulated_disk *disk, const char *prefix, const void *bytes, size_t size);

/* Flips one bit of a file, in the durable and the current image. */
bool simulated_disk_flip(
	struct simulated_disk *disk, const char *path, uint64_t offset, unsigned bit);

#endif

#ifndef TESTS_SUPPORT_AUDIT_SUPPORT_H
#define TESTS_SUPPORT_AUDIT_SUPPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/private_key.h"
#include "domain/audit/verify.h"
#include "services/record/record.h"

/* A signer in memory that keeps the rule of the real one: it signs only what
 * extends its last head, and remembers that head whatever happens to the disk. */
struct test_signer {
	struct checkpoint_signer port;
	struct note_key key;
	struct private_key *private_key;
	struct tree_head last;
	uint64_t signed_count;
	uint64_t conflict_count;
	_Atomic bool refuses; /* fails with IO */
};

/* Aborts the test on failure. */
void test_signer_init(struct test_signer *signer, const char *origin);
void test_signer_deinit(struct test_signer *signer);

/* Appends a canonical `outcome` record of about size bytes that says id; content
 * may be NULL, else its hash is named. */
void test_entry_format(struct buffer *out, int64_t at_utc_ms, uint64_t id, size_t size,
	const struct text *content);
/* The id in such a record; false for any other record. */
bool test_entry_id(struct text entry, uint64_t *out);

/* The folder "audit" of a disk, for audit_verify; context is the disk. */
struct audit_source test_source_of(const struct disk *disk);

/* splitmix64 */
uint64_t test_random(uint64_t *state);

#endif

#ifndef DOMAIN_AUDIT_MERKLE_H
#define DOMAIN_AUDIT_MERKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* The Merkle tree of RFC 6962 §2.1, with SHA-256.  All functions are pure;
 * none keeps what it is given. */

enum {
	MERKLE_LEVELS_MAX = 64,
	MERKLE_PROOF_HASHES_MAX = 66, /* no proof over 2^64 leaves is longer */
};

/* The right edge of a tree of size leaves: right_edge[l] is the root of the
 * perfect subtree of 2^l leaves where bit l of size is set, else unused.
 * {0} is the empty tree. */
struct merkle_frontier {
	uint64_t size;
	struct sha256 right_edge[MERKLE_LEVELS_MAX];
};

/* Where the hash of node (level, index) comes from: the root of leaves
 * [index * 2^level, (index + 1) * 2^level).  Only full nodes are asked for. */
struct merkle_nodes {
	void *context;
	bool (*hash)(void *context, unsigned level, uint64_t index, struct sha256 *out,
		struct error *err);
};

struct merkle_proof {
	uint32_t count;
	struct sha256 hashes[MERKLE_PROOF_HASHES_MAX]; /* leaf to root */
};

/* Leaves [start, end) of a tree. */
struct merkle_range {
	uint64_t start;
	uint64_t end;
};

struct sha256 merkle_leaf_hash(struct text entry);
struct sha256 merkle_node_hash(const struct sha256 *left, const struct sha256 *right);
/* SHA-256 of nothing. */
struct sha256 merkle_empty_root(void);

/* Adds one leaf; at most 2^64 - 1 leaves (asserted). */
void merkle_append(struct merkle_frontier *frontier, const struct sha256 *leaf_hash);
struct sha256 merkle_root(const struct merkle_frontier *frontier);

/* The root of the leaves in range, whose start must be a multiple of the
 * smallest power of two that is not less than its length.
 * Errors: INVALID (range), those of nodes. */
bool merkle_range_root(const struct merkle_nodes *nodes, struct merkle_range range,
	struct sha256 *out, struct error *err) MUST_CHECK;

/* Proofs of RFC 6962 §2.1.1 and §2.1.2; the subtree forms prove the same inside
 * range, or for range inside the tree.  Errors: INVALID, those of nodes. */
bool merkle_prove_inclusion(const struct merkle_nodes *nodes, uint64_t index, uint64_t size,
	struct merkle_proof *out, struct error *err) MUST_CHECK;
bool merkle_prove_consistency(const struct merkle_nodes *nodes, uint64_t old_size,
	uint64_t new_size, struct merkle_proof *out, struct error *err) MUST_CHECK;
bool merkle_prove_subtree_inclusion(const struct merkle_nodes *nodes, uint64_t index,
	struct merkle_range range, struct merkle_proof *out, struct error *err) MUST_CHECK;
bool merkle_prove_subtree_consistency(const struct merkle_nodes *nodes, struct merkle_range range,
	uint64_t size, struct merkle_proof *out, struct error *err) MUST_CHECK;

/* What a verifier is given.  hashes may be NULL when count is 0. */
struct merkle_hashes {
	const struct sha256 *hashes;
	size_t count;
};

/* True if leaf is at index of the tree of size leaves with this root. */
bool merkle_verify_inclusion(const struct sha256 *leaf, uint64_t index, uint64_t size,
	const struct sha256 *root, struct merkle_hashes proof) MUST_CHECK;

/* True if the first tree is a prefix of the second.  The empty tree, with its
 * own root and an empty proof, is a prefix of every tree. */
bool merkle_verify_consistency(uint64_t old_size, const struct sha256 *old_root, uint64_t new_size,
	const struct sha256 *new_root, struct merkle_hashes proof) MUST_CHECK;

/* True if leaf is at index of the subtree range with this root. */
bool merkle_verify_subtree_inclusion(const struct sha256 *leaf, uint64_t index,
	struct merkle_range range, const struct sha256 *root,
	struct merkle_hashes proof) MUST_CHECK;

/* True if part is the root of range in the tree of size leaves with root whole. */
bool merkle_verify_subtree_consistency(struct merkle_range range, uint64_t size,
	const struct sha256 *part, const struct sha256 *whole,
	struct merkle_hashes proof) MUST_CHECK;

#endif

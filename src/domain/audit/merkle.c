/* The tree of RFC 6962 §2.1.
 *
 * The hash of n > 1 leaves splits at the largest power of two below n, so the
 * left part is always perfect and one node of it never changes again.
 *
 * Invariants:
 *  1. A frontier holds one hash for each set bit of its size.
 *  2. Proof hashes are collected from the root down and then turned round, so
 *     that a proof reads leaf to root.
 *  3. Every loop over a tree shortens a 64-bit number by at least one bit, or
 *     takes one proof hash: nothing here is unbounded. */
#include "domain/audit/merkle.h"

#include <assert.h>
#include <string.h>

struct sha256 merkle_leaf_hash(struct text entry)
{
	const struct text parts[] = {{"\0", 1}, entry};

	return sha256_of_parts(parts, 2);
}

struct sha256 merkle_node_hash(const struct sha256 *left, const struct sha256 *right)
{
	uint8_t bytes[1 + 2 * SHA256_BYTES];

	bytes[0] = 1;
	memcpy(bytes + 1, left->bytes, SHA256_BYTES);
	memcpy(bytes + 1 + SHA256_BYTES, right->bytes, SHA256_BYTES);
	return sha256_of(bytes, sizeof bytes);
}

struct sha256 merkle_empty_root(void)
{
	return sha256_of("", 0);
}

void merkle_append(struct merkle_frontier *frontier, const struct sha256 *leaf_hash)
{
	struct sha256 hash = *leaf_hash;
	unsigned level = 0;

	assert(frontier->size < UINT64_MAX);
	for (; frontier->size >> level & 1; level++)
		hash = merkle_node_hash(&frontier->right_edge[level], &hash);
	frontier->right_edge[level] = hash;
	frontier->size++;
}

struct sha256 merkle_root(const struct merkle_frontier *frontier)
{
	struct sha256 root = merkle_empty_root();
	bool is_first = true;

	for (unsigned level = 0; level < MERKLE_LEVELS_MAX; level++) {
		if (!(frontier->size >> level & 1))
			continue;
		root = is_first ? frontier->right_edge[level]
				: merkle_node_hash(&frontier->right_edge[level], &root);
		is_first = false;
	}
	return root;
}

/* The largest power of two below n; n is at least 2. */
static uint64_t split_of(uint64_t n)
{
	return (uint64_t)1 << (63 - __builtin_clzll(n - 1));
}

/* start is a multiple of the smallest power of two not below the length. */
static bool range_is_valid(struct merkle_range range)
{
	uint64_t length = range.end - range.start;

	if (range.start >= range.end)
		return false;
	if (length > (uint64_t)1 << 63)
		return range.start == 0;
	return length == 1 || (range.start & (2 * split_of(length) - 1)) == 0;
}

bool merkle_range_root(const struct merkle_nodes *nodes, struct merkle_range range,
	struct sha256 *out, struct error *err)
{
	struct merkle_frontier parts = {.size = range.end - range.start};
	uint64_t at = range.start;

	if (!range_is_valid(range))
		return error_set(err, ERROR_INVALID, "not a subtree");
	for (unsigned level = MERKLE_LEVELS_MAX; level-- > 0;) {
		if (!(parts.size >> level & 1))
			continue;
		if (!nodes->hash(nodes->context, level, at >> level, &parts.right_edge[level], err))
			return false;
		at += (uint64_t)1 << level;
	}
	*out = merkle_root(&parts);
	return true;
}

static bool proof_push(struct merkle_proof *proof, const struct merkle_nodes *nodes,
	struct merkle_range range, struct error *err)
{
	assert(proof->count < MERKLE_PROOF_HASHES_MAX);
	return merkle_range_root(nodes, range, &proof->hashes[proof->count++], err);
}

static void proof_turn(struct merkle_proof *proof)
{
	for (uint32_t i = 0; i < proof->count / 2; i++) {
		struct sha256 kept = proof->hashes[i];

		proof->hashes[i] = proof->hashes[proof->count - 1 - i];
		proof->hashes[proof->count - 1 - i] = kept;
	}
}

bool merkle_prove_subtree_inclusion(const struct merkle_nodes *nodes, uint64_t index,
	struct merkle_range range, struct merkle_proof *out, struct error *err)
{
	out->count = 0;
	if (!range_is_valid(range) || index < range.start || index >= range.end)
		return error_set(err, ERROR_INVALID, "index outside the tree");
	while (range.end - range.start > 1) {
		uint64_t middle = range.start + split_of(range.end - range.start);
		struct merkle_range left = {range.start, middle}, right = {middle, range.end};
		bool is_left = index < middle;

		if (!proof_push(out, nodes, is_left ? right : left, err))
			return false;
		range = is_left ? left : right;
	}
	proof_turn(out);
	return true;
}

bool merkle_prove_inclusion(const struct merkle_nodes *nodes, uint64_t index, uint64_t size,
	struct merkle_proof *out, struct error *err)
{
	return merkle_prove_subtree_inclusion(
		nodes, index, (struct merkle_range){0, size}, out, err);
}

bool merkle_prove_subtree_consistency(const struct merkle_nodes *nodes, struct merkle_range range,
	uint64_t size, struct merkle_proof *out, struct error *err)
{
	struct merkle_range whole = {0, size};
	bool is_known = true; /* the verifier holds the root of what is left of range */

	out->count = 0;
	if (range.start == range.end && range.end <= size)
		return true;
	if (!range_is_valid(range) || range.end > size)
		return error_set(err, ERROR_INVALID, "not a subtree of the tree");
	while (range.start != whole.start || range.end != whole.end) {
		uint64_t middle = whole.start + split_of(whole.end - whole.start);
		struct merkle_range left = {whole.start, middle}, right = {middle, whole.end};
		bool is_left = range.end <= middle;

		if (!proof_push(out, nodes, is_left ? right : left, err))
			return false;
		if (!is_left && range.start < middle) {
			is_known = false;
			range.start = middle;
		}
		whole = is_left ? left : right;
	}
	if (!is_known && !proof_push(out, nodes, range, err))
		return false;
	proof_turn(out);
	return true;
}

bool merkle_prove_consistency(const struct merkle_nodes *nodes, uint64_t old_size,
	uint64_t new_size, struct merkle_proof *out, struct error *err)
{
	return merkle_prove_subtree_consistency(
		nodes, (struct merkle_range){0, old_size}, new_size, out, err);
}

bool merkle_verify_inclusion(const struct sha256 *leaf, uint64_t index, uint64_t size,
	const struct sha256 *root, struct merkle_hashes proof)
{
	struct sha256 hash = *leaf;
	uint64_t last;

	if (index >= size)
		return false;
	last = size - 1;
	for (size_t i = 0; i < proof.count; i++) {
		if (last == 0)
			return false;
		if (index & 1 || index == last) {
			hash = merkle_node_hash(&proof.hashes[i], &hash);
			for (; !(index & 1) && index > 0; index >>= 1)
				last >>= 1;
		} else {
			hash = merkle_node_hash(&hash, &proof.hashes[i]);
		}
		index >>= 1;
		last >>= 1;
	}
	return last == 0 && sha256_equal(&hash, root);
}

bool merkle_verify_subtree_inclusion(const struct sha256 *leaf, uint64_t index,
	struct merkle_range range, const struct sha256 *root, struct merkle_hashes proof)
{
	if (!range_is_valid(range) || index < range.start)
		return false;
	return merkle_verify_inclusion(
		leaf, index - range.start, range.end - range.start, root, proof);
}

/* Where a consistency proof has got to: the first and last node of the range
 * and the last node of the tree, all at one level. */
struct climb {
	uint64_t first;
	uint64_t last;
	uint64_t tree_last;
};

static void climb_one(struct climb *at)
{
	at->first >>= 1;
	at->last >>= 1;
	at->tree_last >>= 1;
}

/* Up to where the range's right edge leaves the tree's own nodes. */
static void climb_to_seam(struct climb *at)
{
	if (at->last == at->tree_last) {
		while (at->first != at->last)
			climb_one(at);
	} else {
		while (at->first != at->last && at->last & 1)
			climb_one(at);
	}
}

static bool climb_proof(
	struct climb *at, struct merkle_hashes proof, struct sha256 *part, struct sha256 *whole)
{
	for (size_t i = 0; i < proof.count; i++) {
		const struct sha256 *hash = &proof.hashes[i];

		if (at->tree_last == 0)
			return false;
		if (at->last & 1 || at->last == at->tree_last) {
			if (at->first < at->last)
				*part = merkle_node_hash(hash, part);
			*whole = merkle_node_hash(hash, whole);
			while (!(at->last & 1) && at->tree_last > 0)
				climb_one(at);
		} else {
			*whole = merkle_node_hash(whole, hash);
		}
		climb_one(at);
	}
	return at->tree_last == 0;
}

bool merkle_verify_subtree_consistency(struct merkle_range range, uint64_t size,
	const struct sha256 *part, const struct sha256 *whole, struct merkle_hashes proof)
{
	struct sha256 empty = merkle_empty_root(), built_part, built_whole;
	struct climb at;

	if (range.end > size)
		return false;
	if (range.start == range.end)
		return proof.count == 0 && sha256_equal(part, &empty);
	if (!range_is_valid(range))
		return false;
	if (range.end - range.start == size)
		return proof.count == 0 && sha256_equal(part, whole);
	at = (struct climb){range.start, range.end - 1, size - 1};
	climb_to_seam(&at);
	built_part = *part;
	if (at.first != at.last) {
		if (proof.count == 0)
			return false;
		built_part = proof.hashes[0];
		proof.hashes++;
		proof.count--;
	}
	built_whole = built_part;
	return climb_proof(&at, proof, &built_part, &built_whole) &&
	       sha256_equal(&built_part, part) && sha256_equal(&built_whole, whole);
}

bool merkle_verify_consistency(uint64_t old_size, const struct sha256 *old_root, uint64_t new_size,
	const struct sha256 *new_root, struct merkle_hashes proof)
{
	struct sha256 empty = merkle_empty_root();

	if (old_size > new_size || (new_size == 0 && !sha256_equal(new_root, &empty)))
		return false;
	return merkle_verify_subtree_consistency(
		(struct merkle_range){0, old_size}, new_size, old_root, new_root, proof);
}

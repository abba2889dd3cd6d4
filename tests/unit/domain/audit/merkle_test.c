#include "domain/audit/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

enum { LEAVES = 70 };

struct tree {
	struct sha256 leaves[LEAVES];
	struct sha256 roots[LEAVES + 1];
};

static struct tree tree;

static bool node_hash(
	void *context, unsigned level, uint64_t index, struct sha256 *out, struct error *err)
{
	struct merkle_frontier frontier = {0};

	(void)context;
	(void)err;
	for (uint64_t i = index << level; i < (index + 1) << level; i++) {
		assert_true(i < LEAVES); /* only full nodes are asked for */
		merkle_append(&frontier, &tree.leaves[i]);
	}
	*out = merkle_root(&frontier);
	return true;
}

static const struct merkle_nodes nodes = {.hash = node_hash};

static int grow(void **state)
{
	struct merkle_frontier frontier = {0};
	char entry[32];

	(void)state;
	tree.roots[0] = merkle_root(&frontier);
	for (int i = 0; i < LEAVES; i++) {
		(void)snprintf(entry, sizeof entry, "entry-%d", i);
		tree.leaves[i] = merkle_leaf_hash(text_of(entry));
		merkle_append(&frontier, &tree.leaves[i]);
		tree.roots[i + 1] = merkle_root(&frontier);
	}
	return 0;
}

static struct merkle_hashes hashes_of(const struct merkle_proof *proof)
{
	return (struct merkle_hashes){proof->hashes, proof->count};
}

static void an_index_outside_the_tree_has_no_proof(void **state)
{
	struct merkle_proof proof;
	struct error err = {0};

	(void)state;
	assert_false(merkle_prove_inclusion(&nodes, 5, 5, &proof, &err));
	assert_int_equal(err.code, ERROR_INVALID);
	assert_false(merkle_verify_inclusion(
		&tree.leaves[0], 0, 0, &tree.roots[0], (struct merkle_hashes){NULL, 0}));
}

static void an_unaligned_range_is_no_subtree(void **state)
{
	struct merkle_range bad[] = {{1, 3}, {2, 6}, {4, 4}, {5, 3}};
	struct sha256 root;
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(merkle_range_root(&nodes, bad[i], &root, &err));
		assert_int_equal(err.code, ERROR_INVALID);
	}
}

static void every_leaf_is_proven_at_its_index_and_at_no_other(void **state)
{
	struct merkle_proof proof;
	struct error err = {0};

	(void)state;
	for (uint64_t size = 1; size <= LEAVES; size++) {
		for (uint64_t i = 0; i < size; i++) {
			assert_true(merkle_prove_inclusion(&nodes, i, size, &proof, &err));
			for (uint64_t j = 0; j < size; j++)
				assert_int_equal(merkle_verify_inclusion(&tree.leaves[i], j, size,
							 &tree.roots[size], hashes_of(&proof)),
					i == j);
			assert_false(merkle_verify_inclusion(&tree.leaves[i], i, size,
				&tree.roots[size - 1], hashes_of(&proof)));
		}
	}
}

static void every_older_tree_is_proven_a_prefix(void **state)
{
	struct merkle_proof proof;
	struct error err = {0};

	(void)state;
	for (uint64_t size = 0; size <= LEAVES; size++) {
		for (uint64_t old = 0; old <= size; old++) {
			assert_true(merkle_prove_consistency(&nodes, old, size, &proof, &err));
			assert_true(merkle_verify_consistency(
				old, &tree.roots[old], size, &tree.roots[size], hashes_of(&proof)));
			if (old == 0)
				continue;
			assert_false(merkle_verify_consistency(old, &tree.roots[old - 1], size,
				&tree.roots[size], hashes_of(&proof)));
		}
	}
}

static void a_proof_with_one_hash_more_or_less_is_refused(void **state)
{
	struct merkle_proof proof;
	struct error err = {0};

	(void)state;
	assert_true(merkle_prove_consistency(&nodes, 21, 50, &proof, &err));
	proof.count--;
	assert_false(merkle_verify_consistency(
		21, &tree.roots[21], 50, &tree.roots[50], hashes_of(&proof)));
	proof.count += 2;
	assert_false(merkle_verify_consistency(
		21, &tree.roots[21], 50, &tree.roots[50], hashes_of(&proof)));
}

static void subtrees_are_proven_inside_the_tree(void **state)
{
	struct merkle_proof proof;
	struct error err = {0};
	struct sha256 root;
	int proven = 0;

	(void)state;
	for (uint64_t start = 0; start < LEAVES; start++) {
		for (uint64_t end = start + 1; end <= LEAVES; end++) {
			struct merkle_range range = {start, end};

			if (!merkle_range_root(&nodes, range, &root, &err))
				continue;
			assert_true(merkle_prove_subtree_consistency(
				&nodes, range, LEAVES, &proof, &err));
			assert_true(merkle_verify_subtree_consistency(
				range, LEAVES, &root, &tree.roots[LEAVES], hashes_of(&proof)));
			assert_true(
				merkle_prove_subtree_inclusion(&nodes, start, range, &proof, &err));
			assert_true(merkle_verify_subtree_inclusion(
				&tree.leaves[start], start, range, &root, hashes_of(&proof)));
			proven++;
		}
	}
	assert_true(proven > LEAVES);
}

static void the_empty_tree_has_the_hash_of_nothing(void **state)
{
	struct buffer digits;

	(void)state;
	buffer_init(&digits, 128);
	hex_append(&digits, tree.roots[0].bytes, SHA256_BYTES);
	assert_true(text_is(buffer_text(&digits),
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	buffer_deinit(&digits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_outside_the_tree_has_no_proof),
		cmocka_unit_test(an_unaligned_range_is_no_subtree),
		cmocka_unit_test(a_proof_with_one_hash_more_or_less_is_refused),
		cmocka_unit_test(every_leaf_is_proven_at_its_index_and_at_no_other),
		cmocka_unit_test(every_older_tree_is_proven_a_prefix),
		cmocka_unit_test(subtrees_are_proven_inside_the_tree),
		cmocka_unit_test(the_empty_tree_has_the_hash_of_nothing),
	};

	return cmocka_run_group_tests(tests, grow, NULL);
}

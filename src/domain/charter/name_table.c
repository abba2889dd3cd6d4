/* An AA tree (Andersson 1993): a binary search tree whose nodes carry a level.
 * Invariants:
 * 1. a leaf has level 1;
 * 2. a left child's level is one less than its parent's;
 * 3. a right child's is equal or one less, a right grandchild's less.
 * So its height is at most 2 log2(n + 1), and the recursion below is shallow. */
#include "domain/charter/name_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct node {
	struct node *left;
	struct node *right;
	void *value;
	unsigned level;
	struct text name; /* points to bytes */
	char bytes[];
};

struct name_table {
	struct node *root;
	size_t count;
};

struct name_table *name_table_create(void)
{
	return calloc(1, sizeof(struct name_table));
}

static void destroy_nodes(struct node *node, void (*destroy_value)(void *value))
{
	if (node == NULL)
		return;
	destroy_nodes(node->left, destroy_value);
	destroy_nodes(node->right, destroy_value);
	if (destroy_value != NULL)
		destroy_value(node->value);
	free(node);
}

void name_table_destroy(struct name_table **table, void (*destroy_value)(void *value))
{
	if (*table == NULL)
		return;
	destroy_nodes((*table)->root, destroy_value);
	free(*table);
	*table = NULL;
}

void *name_table_find(const struct name_table *table, struct text name)
{
	const struct node *node = table->root;

	while (node != NULL) {
		int order = text_compare(name, node->name);

		if (order == 0)
			return node->value;
		node = order < 0 ? node->left : node->right;
	}
	return NULL;
}

void *name_table_next(const struct name_table *table, struct text after)
{
	const struct node *node = table->root;
	void *next = NULL;

	while (node != NULL) {
		if (text_compare(node->name, after) > 0) {
			next = node->value;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return next;
}

size_t name_table_count(const struct name_table *table)
{
	return table->count;
}

/* A left child of the same level becomes the parent. */
static struct node *skew(struct node *node)
{
	struct node *left;

	if (node == NULL || node->left == NULL || node->left->level != node->level)
		return node;
	left = node->left;
	node->left = left->right;
	left->right = node;
	return left;
}

/* Two right links of the same level: the middle node rises. */
static struct node *split(struct node *node)
{
	struct node *right;

	if (node == NULL || node->right == NULL || node->right->right == NULL ||
		node->right->right->level != node->level)
		return node;
	right = node->right;
	node->right = right->left;
	right->left = node;
	right->level++;
	return right;
}

static struct node *insert_node(struct node *root, struct node *added)
{
	int order;

	if (root == NULL)
		return added;
	order = text_compare(added->name, root->name);
	assert(order != 0);
	if (order < 0)
		root->left = insert_node(root->left, added);
	else
		root->right = insert_node(root->right, added);
	return split(skew(root));
}

bool name_table_put(struct name_table *table, struct text name, void *value)
{
	return name_table_put_named(table, name, value).data != NULL;
}

struct text name_table_put_named(struct name_table *table, struct text name, void *value)
{
	struct node *node = calloc(1, sizeof *node + name.length + 1);

	if (node == NULL)
		return (struct text){NULL, 0};
	assert(name.length > 0);
	memcpy(node->bytes, name.data, name.length);
	node->name = (struct text){node->bytes, name.length};
	node->value = value;
	node->level = 1;
	table->root = insert_node(table->root, node);
	table->count++;
	return node->name;
}

static unsigned level_of(const struct node *node)
{
	return node == NULL ? 0 : node->level;
}

/* Restores invariants 2 and 3 above a removal. */
static struct node *rebalance(struct node *node)
{
	unsigned least = level_of(node->left) < level_of(node->right) ? level_of(node->left)
								      : level_of(node->right);

	if (node->level > least + 1) {
		node->level = least + 1;
		if (level_of(node->right) > node->level)
			node->right->level = node->level;
	}
	node = skew(node);
	node->right = skew(node->right);
	if (node->right != NULL)
		node->right->right = skew(node->right->right);
	node = split(node);
	node->right = split(node->right);
	return node;
}

/* Takes the leftmost node out of the tree. */
static struct node *take_first(struct node *root, struct node **first)
{
	if (root->left == NULL) {
		struct node *right = root->right;

		*first = root;
		return right;
	}
	root->left = take_first(root->left, first);
	return rebalance(root);
}

static struct node *remove_node(struct node *root, struct text name, struct node **removed)
{
	struct node *successor = NULL;
	int order;

	if (root == NULL)
		return NULL;
	order = text_compare(name, root->name);
	if (order < 0) {
		root->left = remove_node(root->left, name, removed);
		return rebalance(root);
	}
	if (order > 0) {
		root->right = remove_node(root->right, name, removed);
		return rebalance(root);
	}
	*removed = root;
	if (root->right == NULL)
		return root->left;
	{
		struct node *right = take_first(root->right, &successor);

		successor->left = root->left;
		successor->right = right;
		successor->level = root->level;
	}
	return rebalance(successor);
}

void *name_table_remove(struct name_table *table, struct text name)
{
	struct node *removed = NULL;
	void *value;

	table->root = remove_node(table->root, name, &removed);
	if (removed == NULL)
		return NULL;
	value = removed->value;
	free(removed);
	table->count--;
	return value;
}

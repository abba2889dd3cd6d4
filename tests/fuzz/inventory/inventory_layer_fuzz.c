/* Items of strangers in the graph, and what people are told of them there.  The input is lines of
 * items.  Laws: whatever is said or refused, the graph holds together; of each account a draft,
 * who depends on it and how it is stopped can be told; in the other order the items say the same
 * of every account; when all is taken back, nothing is left. */
#include <assert.h>

#include "domain/inventory/contain.h"
#include "domain/inventory/draft.h"
#include "domain/inventory/layer.h"

enum { ROOM_BYTES = 1 << 26, LINES_MAX = 64 };

static const struct containment_times times = {
	.intended_utc_s = 1790000000, .taken_utc_s = 1790000060, .now_utc_s = 1790000120};

struct lines {
	struct text texts[LINES_MAX];
	char parts[LINES_MAX];
	size_t count;
};

static void cut_lines(struct lines *lines, struct text rest)
{
	while (rest.length > 0 && lines->count < LINES_MAX) {
		ptrdiff_t end = text_find_byte(rest, '\n');
		size_t length = end < 0 ? rest.length : (size_t)end;

		lines->parts[lines->count] = (char)('!' + lines->count);
		lines->texts[lines->count++] = (struct text){rest.data, length};
		rest = text_after(rest, end < 0 ? length : length + 1);
	}
}

static struct inventory_layer_part part_of(const struct lines *lines, size_t number)
{
	return (struct inventory_layer_part){TEXT("c"), {&lines->parts[number], 1}};
}

static void put(struct graph *graph, const struct lines *lines, size_t number)
{
	const struct inventory_layer_part part = part_of(lines, number);
	struct arena *arena = arena_create(ROOM_BYTES), *scratch = arena_create(ROOM_BYTES);
	struct inventory_item item;
	struct error err = {0};

	assert(arena != NULL && scratch != NULL);
	if (inventory_item_parse(&item, arena, lines->texts[number], &err) &&
		!inventory_layer_put(graph, &part, &item, scratch, &err))
		assert(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
	arena_destroy(&scratch);
	arena_destroy(&arena);
}

/* What a person is told of an account: all of it can be made, and is within its bounds. */
static void check_told(const struct graph *graph, const struct graph_node *account)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct suggestions all;
	struct error err = {0};
	struct json told;

	assert(arena != NULL);
	inventory_suggest(graph, account, &all);
	assert(all.count <= DRAFT_SUGGESTIONS_MAX);
	for (size_t i = 0; i < all.count; i++)
		for (size_t j = 0; j < i; j++)
			assert(!text_equal(all.items[i].person, all.items[j].person));
	assert(inventory_draft_json(&told, arena, graph, account, &err));
	assert(text_equal(json_text_or(&told, "account", ""), account->name));
	assert(json_find(&told, "reaches")->count <= DRAFT_REACHES_MAX);
	assert(inventory_dependants(&told, arena, graph, account->id, &err));
	assert(told.count <= DRAFT_DEPENDANTS_MAX);
	for (int i = 0; i < PROVIDER_COUNT; i++)
		assert(containment_calls(
			&told, arena, (enum inventory_provider)i, account->name, &err));
	arena_destroy(&arena);
}

/* Of each account of one graph, what the other says of it. */
static size_t compare(const struct graph *one, const struct graph *other)
{
	struct graph_node node, twin;
	size_t count = 0;

	for (graph_id after = 0; graph_next(one, GRAPH_NODE_ACCOUNT, after, &node);
		after = node.id) {
		count++;
		check_told(one, &node);
		assert(graph_find(other, GRAPH_NODE_ACCOUNT, node.name, &twin));
		assert(node.flags == twin.flags);
		assert(graph_outs(one, node.id) == graph_outs(other, twin.id));
		assert(graph_ins(one, node.id) == graph_ins(other, twin.id));
		assert(inventory_is_unknown(one, &node) == inventory_is_unknown(other, &twin));
		assert(containment_state_of(one, node.name, &times) ==
			containment_state_of(other, node.name, &times));
	}
	return count;
}

static void take_back(struct graph *graph, const struct lines *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		const struct inventory_layer_part part = part_of(lines, i);
		struct error err;

		assert(inventory_layer_remove(graph, &part, &err));
	}
	graph_validate(graph);
	assert(graph_node_count(graph) == 0 && graph_edge_count(graph) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines lines = {.count = 0};
	struct graph *one, *other;
	struct error err;

	if (!graph_create(&one, &err))
		return 0;
	if (!graph_create(&other, &err)) {
		graph_destroy(&one);
		return 0;
	}
	cut_lines(&lines, (struct text){(const char *)data, size});
	for (size_t i = 0; i < lines.count; i++) {
		put(one, &lines, i);
		put(other, &lines, lines.count - 1 - i);
	}
	graph_validate(one);
	assert(compare(one, other) == compare(other, one));
	take_back(one, &lines);
	graph_destroy(&one);
	graph_destroy(&other);
	return 0;
}

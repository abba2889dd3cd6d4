/* What an open part says: names, nodes and edges (see graph.c). */
#include "domain/graph/graph_private.h"

#include <assert.h>
#include <string.h>

static bool no_room(struct error *err, const char *what)
{
	return error_set(err, ERROR_LIMIT, "the graph has no room for more %s", what);
}

static bool check_text(struct text text, struct error *err)
{
	if (text.length > GRAPH_NAME_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a text in the graph has at most %d bytes",
			GRAPH_NAME_BYTES_MAX);
	return true;
}

/* ---- names ---- */

uint32_t graph_find_vertex(const struct graph *graph, enum graph_node_kind kind, struct text name)
{
	struct graph_vertex_key key = {kind, graph_texts_find(&graph->texts, name)};

	if (key.name == 0)
		return 0;
	return graph_index_find(
		&graph->by_name, &graph_vertex_rules, graph, graph_vertex_hash(&key), &key);
}

static void enter_kind(struct graph *graph, enum graph_node_kind kind, uint32_t number)
{
	uint32_t *last = &graph->last_of_kind[kind];

	if (*last == 0)
		graph->first_of_kind[kind] = number;
	else
		vertex_at(graph, *last)->next_of_kind = number;
	*last = number;
}

static bool add_vertex(
	struct graph *graph, enum graph_node_kind kind, struct text name, uint32_t *out)
{
	struct graph_vertex *vertex;

	*out = graph_pages_take(&graph->vertices);
	if (*out == 0)
		return false;
	vertex = vertex_at(graph, *out);
	vertex->kind = (uint8_t)kind;
	if (graph_texts_hold(&graph->texts, name, &vertex->name)) {
		if (graph_index_add(&graph->by_name, &graph_vertex_rules, graph, *out)) {
			enter_kind(graph, kind, *out);
			return true;
		}
		graph_texts_release(&graph->texts, vertex->name);
	}
	graph_pages_give(&graph->vertices, *out);
	return false;
}

bool graph_name_node(struct graph *graph, enum graph_node_kind kind, struct text name,
	graph_id *out, struct error *err)
{
	*out = 0;
	if (graph_node_kind_word(kind) == NULL)
		return error_set(err, ERROR_INVALID, "a node of no kind");
	if (name.length == 0)
		return error_set(
			err, ERROR_INVALID, "a %s without a name", graph_node_kind_word(kind));
	if (!check_text(name, err))
		return false;
	*out = graph_find_vertex(graph, kind, name);
	return *out != 0 || add_vertex(graph, kind, name, out) || no_room(err, "nodes");
}

/* ---- statements ---- */

/* Names of parts, in byte order of what they are as a whole. */
static int compare_parts(
	const struct graph *graph, const struct graph_part *one, const struct graph_part *other)
{
	char whole[2][2 * GRAPH_NAME_BYTES_MAX];
	const struct graph_part *const parts[] = {one, other};
	struct text names[2];

	for (int i = 0; i < 2; i++) {
		struct text kind = graph_texts_get(&graph->texts, parts[i]->kind);
		struct text rest = graph_texts_get(&graph->texts, parts[i]->name);

		memcpy(whole[i], kind.data, kind.length);
		memcpy(whole[i] + kind.length, rest.data, rest.length);
		names[i] = (struct text){whole[i], kind.length + rest.length};
	}
	return text_compare(names[0], names[1]);
}

/* Whether the statement of one part comes before another's. */
static bool part_precedes(const struct graph *graph, uint32_t left, uint32_t right)
{
	const struct graph_part *one = part_at(graph, left);
	const struct graph_part *other = part_at(graph, right);
	const struct graph_layer *one_layer = &graph->layers[one->layer];
	const struct graph_layer *other_layer = &graph->layers[other->layer];

	if (one->layer == other->layer)
		return compare_parts(graph, one, other) < 0;
	if (one_layer->origin != other_layer->origin)
		return one_layer->origin < other_layer->origin;
	return text_compare(graph_texts_get(&graph->texts, one_layer->name),
		       graph_texts_get(&graph->texts, other_layer->name)) < 0;
}

static void enter_statement(struct graph *graph, uint32_t number)
{
	struct graph_statement *statement = statement_at(graph, number);
	struct graph_vertex *vertex = vertex_at(graph, statement->node);
	struct graph_part *part = part_at(graph, statement->part);
	uint32_t *link = &vertex->statement;

	if (!vertex_is_live(vertex))
		graph->live++;
	while (*link != 0 &&
		!part_precedes(graph, statement->part, statement_at(graph, *link)->part))
		link = &statement_at(graph, *link)->next_of_node;
	statement->next_of_node = *link;
	*link = number;
	statement->next_of_part = part->statement;
	part->statement = number;
}

uint32_t graph_find_statement(const struct graph *graph, uint32_t vertex, uint32_t part)
{
	uint32_t at = vertex_at(graph, vertex)->statement;

	while (at != 0 && statement_at(graph, at)->part != part)
		at = statement_at(graph, at)->next_of_node;
	return at;
}

static uint32_t hash_alike(const void *owner, uint32_t number)
{
	return graph_index_mix(0, statement_at(owner, number)->fingerprint);
}

static bool is_alike(const void *owner, uint32_t number, const void *key)
{
	return statement_at(owner, number)->fingerprint == *(const uint32_t *)key;
}

const struct graph_index_rules graph_fingerprint_rules = {hash_alike, is_alike};

uint32_t graph_find_alike(const struct graph *graph, uint32_t fingerprint)
{
	if (fingerprint == 0)
		return 0;
	return graph_index_find(&graph->by_fingerprint, &graph_fingerprint_rules, graph,
		graph_index_mix(0, fingerprint), &fingerprint);
}

/* Behind the first of those alike, so that the first stays in the index. */
static bool enter_alike(struct graph *graph, uint32_t number)
{
	struct graph_statement *statement = statement_at(graph, number);
	uint32_t first = graph_find_alike(graph, statement->fingerprint);
	struct graph_statement *head;

	statement->next_alike = 0;
	statement->last_alike = first;
	if (statement->fingerprint == 0)
		return true;
	if (first == 0)
		return graph_index_add(
			&graph->by_fingerprint, &graph_fingerprint_rules, graph, number);
	head = statement_at(graph, first);
	statement->next_alike = head->next_alike;
	if (head->next_alike != 0)
		statement_at(graph, head->next_alike)->last_alike = number;
	head->next_alike = number;
	return true;
}

static void leave_alike(struct graph *graph, uint32_t number)
{
	struct graph_statement *statement = statement_at(graph, number);

	if (statement->fingerprint == 0)
		return;
	if (statement->next_alike != 0)
		statement_at(graph, statement->next_alike)->last_alike = statement->last_alike;
	if (statement->last_alike != 0) {
		statement_at(graph, statement->last_alike)->next_alike = statement->next_alike;
		return;
	}
	graph_index_remove(&graph->by_fingerprint, &graph_fingerprint_rules, graph, number);
	/* A slot was freed this moment, so this cannot fail. */
	if (statement->next_alike != 0 &&
		!graph_index_add(&graph->by_fingerprint, &graph_fingerprint_rules, graph,
			statement->next_alike))
		assert(!"a freed slot is there");
}

static void release_texts(struct graph *graph, const struct graph_statement *statement)
{
	graph_texts_release(&graph->texts, statement->title);
	graph_texts_release(&graph->texts, statement->publisher);
	graph_texts_release(&graph->texts, statement->fingerprint);
	graph_texts_release(&graph->texts, statement->place);
	graph_texts_release(&graph->texts, statement->version);
}

/* The part has taken it out of its own chain. */
void graph_remove_statement(struct graph *graph, uint32_t number)
{
	struct graph_statement *statement = statement_at(graph, number);
	struct graph_vertex *vertex = vertex_at(graph, statement->node);
	uint32_t *link = &vertex->statement;

	while (*link != number)
		link = &statement_at(graph, *link)->next_of_node;
	*link = statement->next_of_node;
	leave_alike(graph, number);
	release_texts(graph, statement);
	graph_touch(graph, statement->node);
	if (!vertex_is_live(vertex))
		graph->live--;
	graph_pages_give(&graph->statements, number);
}

static bool hold_texts(
	struct graph *graph, const struct graph_node *node, struct graph_statement *out)
{
	const struct text texts[] = {
		node->title, node->publisher, node->fingerprint, node->place, node->version};
	uint32_t *const numbers[] = {
		&out->title, &out->publisher, &out->fingerprint, &out->place, &out->version};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!graph_texts_hold(&graph->texts, texts[i], numbers[i])) {
			release_texts(graph, out);
			return false;
		}
	return true;
}

/* What the node says, with a hold on each of its texts. */
static bool fill_statement(
	struct graph *graph, const struct graph_node *node, struct graph_statement *out)
{
	*out = (struct graph_statement){
		.part = graph->open,
		.created_s = node->created_s,
		.expires_s = node->expires_s,
		.used_s = node->used_s,
		.flags = (uint16_t)(node->flags & ~(uint32_t)GRAPH_NODE_IS_KNOWN),
		.environments = (uint8_t)node->environments,
		.identity_kind = (uint8_t)node->identity_kind,
		.risk = (uint8_t)node->risk,
		.sensitivity = (uint8_t)node->sensitivity,
	};
	return hold_texts(graph, node, out);
}

static bool statement_says(
	const struct graph_statement *statement, const struct graph_statement *wanted)
{
	return statement->title == wanted->title && statement->publisher == wanted->publisher &&
	       statement->fingerprint == wanted->fingerprint && statement->place == wanted->place &&
	       statement->version == wanted->version && statement->created_s == wanted->created_s &&
	       statement->expires_s == wanted->expires_s && statement->used_s == wanted->used_s &&
	       statement->flags == wanted->flags &&
	       statement->environments == wanted->environments &&
	       statement->identity_kind == wanted->identity_kind &&
	       statement->risk == wanted->risk && statement->sensitivity == wanted->sensitivity;
}

/* The statement that is there becomes the new one, in its place.  Takes its texts over. */
static bool change_statement(
	struct graph *graph, uint32_t number, const struct graph_statement *wanted)
{
	struct graph_statement *statement = statement_at(graph, number);

	statement->is_old = false;
	if (statement_says(statement, wanted)) {
		release_texts(graph, wanted);
		return true;
	}
	leave_alike(graph, number);
	release_texts(graph, statement);
	{
		struct graph_statement was = *statement;

		*statement = *wanted;
		statement->node = was.node;
		statement->next_of_node = was.next_of_node;
		statement->next_of_part = was.next_of_part;
	}
	graph_touch(graph, statement->node);
	if (enter_alike(graph, number))
		return true;
	graph_texts_release(&graph->texts, statement->fingerprint);
	statement->fingerprint = 0;
	return false;
}

static bool add_statement(struct graph *graph, const struct graph_statement *wanted)
{
	uint32_t number = graph_pages_take(&graph->statements);

	if (number == 0)
		return false;
	*statement_at(graph, number) = *wanted;
	if (!enter_alike(graph, number)) {
		graph_pages_give(&graph->statements, number);
		return false;
	}
	enter_statement(graph, number);
	graph_touch(graph, wanted->node);
	return true;
}

static bool check_node(const struct graph_node *node, struct error *err)
{
	return check_text(node->title, err) && check_text(node->publisher, err) &&
	       check_text(node->fingerprint, err) && check_text(node->place, err) &&
	       check_text(node->version, err);
}

bool graph_put_node(
	struct graph *graph, const struct graph_node *node, graph_id *out, struct error *err)
{
	struct graph_statement wanted;
	uint32_t number;

	assert(graph->open != 0);
	if (!check_node(node, err) || !graph_name_node(graph, node->kind, node->name, out, err))
		return false;
	if (!fill_statement(graph, node, &wanted))
		return no_room(err, "texts");
	wanted.node = *out;
	number = graph_find_statement(graph, *out, graph->open);
	if (number != 0)
		return change_statement(graph, number, &wanted) || no_room(err, "nodes");
	if (add_statement(graph, &wanted))
		return true;
	release_texts(graph, &wanted);
	return no_room(err, "nodes");
}

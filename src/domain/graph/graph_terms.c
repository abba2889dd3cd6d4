/* Terms of edges: of one grant many edges have the same, so each are kept once and counted (see
 * graph.c).  Terms that differ for every edge cost more than they save; no source has such. */
#include "domain/graph/graph_private.h"

static uint32_t hash_of(const struct graph_terms *terms)
{
	uint32_t hash = graph_index_mix(terms->by, terms->why);

	hash = graph_index_mix(hash, graph_index_mix(terms->since_s, terms->until_s));
	return graph_index_mix(hash, graph_index_mix(terms->used_s, terms->uses));
}

static uint32_t hash_terms(const void *owner, uint32_t number)
{
	return hash_of(terms_at(owner, number));
}

static bool is_same(const struct graph_terms *one, const struct graph_terms *other)
{
	return one->by == other->by && one->why == other->why && one->since_s == other->since_s &&
	       one->until_s == other->until_s && one->used_s == other->used_s &&
	       one->uses == other->uses;
}

static bool is_terms(const void *owner, uint32_t number, const void *key)
{
	return is_same(terms_at(owner, number), key);
}

const struct graph_index_rules graph_terms_rules = {hash_terms, is_terms};

static bool add(struct graph *graph, const struct graph_terms *wanted, uint32_t *out)
{
	*out = graph_pages_take(&graph->terms);
	if (*out == 0)
		return false;
	*terms_at(graph, *out) = *wanted;
	terms_at(graph, *out)->holds = 1;
	if (!graph_index_add(&graph->by_terms, &graph_terms_rules, graph, *out)) {
		graph_pages_give(&graph->terms, *out);
		*out = 0;
		return false;
	}
	graph_texts_hold_again(&graph->texts, wanted->by);
	graph_texts_hold_again(&graph->texts, wanted->why);
	return true;
}

bool graph_terms_hold(struct graph *graph, const struct graph_terms *wanted, uint32_t *out)
{
	static const struct graph_terms none = {0};

	*out = 0;
	if (is_same(wanted, &none))
		return true;
	*out = graph_index_find(
		&graph->by_terms, &graph_terms_rules, graph, hash_of(wanted), wanted);
	if (*out == 0)
		return add(graph, wanted, out);
	terms_at(graph, *out)->holds++;
	return true;
}

void graph_terms_release(struct graph *graph, uint32_t number)
{
	struct graph_terms *terms;

	if (number == 0)
		return;
	terms = terms_at(graph, number);
	if (--terms->holds > 0)
		return;
	graph_index_remove(&graph->by_terms, &graph_terms_rules, graph, number);
	graph_texts_release(&graph->texts, terms->by);
	graph_texts_release(&graph->texts, terms->why);
	graph_pages_give(&graph->terms, number);
}

struct graph_terms graph_terms_get(const struct graph *graph, uint32_t number)
{
	return number == 0 ? (struct graph_terms){0} : *terms_at(graph, number);
}

/* How often one used another: a ring of weeks for each pair. */
#include "domain/graph/graph_private.h"

#include <string.h>

enum { WEEK_S = 7 * 86400, COUNT_MOST = UINT16_MAX };

struct ends {
	graph_id from;
	graph_id to;
};

static uint32_t hash_use(const void *owner, uint32_t number)
{
	const struct graph_kept_use *use = use_at(owner, number);

	return graph_index_mix(use->from, use->to);
}

static bool is_use(const void *owner, uint32_t number, const void *key)
{
	const struct graph_kept_use *use = use_at(owner, number);
	const struct ends *wanted = key;

	return use->from == wanted->from && use->to == wanted->to;
}

const struct graph_index_rules graph_use_rules = {hash_use, is_use};

static uint32_t find_use(const struct graph *graph, graph_id from, graph_id to)
{
	struct ends ends = {from, to};

	if (from == 0 || from >= graph->vertices.next || !vertex_at(graph, from)->has_uses)
		return 0;
	return graph_index_find(
		&graph->by_ends, &graph_use_rules, graph, graph_index_mix(from, to), &ends);
}

/* ---- what is kept ---- */

static struct graph_wide_counts *wide_of(
	const struct graph *graph, const struct graph_kept_use *kept, uint32_t *number)
{
	memcpy(number, kept->counts, sizeof *number);
	return graph_pages_at(&graph->wide, *number);
}

void graph_use_read(const struct graph *graph, uint32_t number, struct graph_use *out)
{
	const struct graph_kept_use *kept = use_at(graph, number);
	uint32_t wide;

	*out = (struct graph_use){
		.from = kept->from, .to = kept->to, .last_s = kept->last_s, .week = kept->week};
	if (kept->is_wide) {
		memcpy(out->counts, wide_of(graph, kept, &wide)->counts, sizeof out->counts);
		return;
	}
	for (int i = 0; i < GRAPH_USE_WEEKS; i++)
		out->counts[i] = kept->counts[i];
}

static bool needs_wide(const struct graph_use *use)
{
	for (int i = 0; i < GRAPH_USE_WEEKS; i++)
		if (use->counts[i] > UINT8_MAX)
			return true;
	return false;
}

/* Without memory, or room among the wide ones, it is as it was. */
static bool set_width(struct graph *graph, struct graph_kept_use *kept, bool is_wide)
{
	uint32_t wide;

	if (kept->is_wide == is_wide)
		return true;
	if (kept->is_wide) {
		(void)wide_of(graph, kept, &wide);
		graph_pages_give(&graph->wide, wide);
	} else {
		wide = graph_pages_take(&graph->wide);
		if (wide == 0)
			return false;
		memcpy(kept->counts, &wide, sizeof wide);
	}
	kept->is_wide = is_wide;
	return true;
}

static bool write_use(struct graph *graph, uint32_t number, const struct graph_use *use)
{
	struct graph_kept_use *kept = use_at(graph, number);
	uint32_t wide;

	if (!set_width(graph, kept, needs_wide(use)))
		return false;
	kept->last_s = use->last_s;
	kept->week = use->week;
	if (kept->is_wide) {
		memcpy(wide_of(graph, kept, &wide)->counts, use->counts, sizeof use->counts);
		return true;
	}
	for (int i = 0; i < GRAPH_USE_WEEKS; i++)
		kept->counts[i] = (uint8_t)use->counts[i];
	return true;
}

static bool no_room(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "the graph has no room for more uses");
}

/* The number of the pair's use, made if there is none; 0: no room. */
static uint32_t find_or_add(struct graph *graph, graph_id from, graph_id to)
{
	uint32_t number = find_use(graph, from, to);
	struct graph_kept_use *use;

	if (number != 0)
		return number;
	number = graph_pages_take(&graph->uses);
	if (number == 0)
		return 0;
	use = use_at(graph, number);
	*use = (struct graph_kept_use){.from = from, .to = to};
	if (!graph_index_add(&graph->by_ends, &graph_use_rules, graph, number)) {
		graph_pages_give(&graph->uses, number);
		return 0;
	}
	vertex_at(graph, from)->has_uses = true;
	return number;
}

static bool check_ends(const struct graph *graph, graph_id from, graph_id to, struct error *err)
{
	if (from != 0 && to != 0 && from < graph->vertices.next && to < graph->vertices.next)
		return true;
	return error_set(err, ERROR_INVALID, "a use needs two nodes that are there");
}

static uint16_t week_of(graph_time at_s)
{
	return (uint16_t)(at_s / WEEK_S);
}

/* The ring goes on to the week; what it passes is empty. */
static void advance(struct graph_use *use, uint16_t week)
{
	if (week <= use->week)
		return;
	if (week - use->week >= GRAPH_USE_WEEKS)
		memset(use->counts, 0, sizeof use->counts);
	else
		for (unsigned at = use->week + 1u; at <= week; at++)
			use->counts[at % GRAPH_USE_WEEKS] = 0;
	use->week = week;
}

static void count(struct graph_use *use, uint16_t week, uint32_t added)
{
	uint16_t *counted = &use->counts[week % GRAPH_USE_WEEKS];

	if (use->week - week >= GRAPH_USE_WEEKS)
		return;
	*counted = added < (uint32_t)(COUNT_MOST - *counted) ? (uint16_t)(*counted + added)
							     : COUNT_MOST;
}

/* Most uses are of the last week that is kept, and few: those are counted where they stand. */
static bool count_in_place(struct graph_kept_use *kept, graph_time at_s, uint32_t added)
{
	uint16_t week = week_of(at_s);
	uint8_t *counted = &kept->counts[week % GRAPH_USE_WEEKS];

	if (kept->is_wide || week != kept->week || added > (uint32_t)(UINT8_MAX - *counted))
		return false;
	*counted = (uint8_t)(*counted + added);
	if (at_s > kept->last_s)
		kept->last_s = at_s;
	return true;
}

/* The ring goes on, or is written wide. */
static bool count_anew(struct graph *graph, uint32_t number, graph_time at_s, uint32_t added)
{
	struct graph_use use;

	graph_use_read(graph, number, &use);
	advance(&use, week_of(at_s));
	count(&use, week_of(at_s), added);
	if (at_s > use.last_s)
		use.last_s = at_s;
	return write_use(graph, number, &use);
}

bool graph_note_use(struct graph *graph, graph_id from, graph_id to, graph_time at_s,
	uint32_t added, struct error *err)
{
	uint32_t number;

	if (!check_ends(graph, from, to, err))
		return false;
	number = find_or_add(graph, from, to);
	if (number == 0)
		return no_room(err);
	if (!count_in_place(use_at(graph, number), at_s, added) &&
		!count_anew(graph, number, at_s, added))
		return no_room(err);
	if (at_s > graph->latest_s)
		graph->latest_s = at_s;
	return true;
}

/* Both rings stand at the later week then. */
static void merge(struct graph_use *use, const struct graph_use *other)
{
	struct graph_use added = *other;

	advance(use, added.week);
	advance(&added, use->week);
	for (int i = 0; i < GRAPH_USE_WEEKS; i++)
		if (added.counts[i] > use->counts[i])
			use->counts[i] = added.counts[i];
	if (added.last_s > use->last_s)
		use->last_s = added.last_s;
}

bool graph_put_use(struct graph *graph, const struct graph_use *use, struct error *err)
{
	struct graph_use merged;
	uint32_t number;

	if (!check_ends(graph, use->from, use->to, err))
		return false;
	number = find_or_add(graph, use->from, use->to);
	if (number == 0)
		return no_room(err);
	graph_use_read(graph, number, &merged);
	merge(&merged, use);
	if (!write_use(graph, number, &merged))
		return no_room(err);
	if (use->last_s > graph->latest_s)
		graph->latest_s = use->last_s;
	return true;
}

uint32_t graph_each_use_after(const struct graph *graph, uint32_t after, uint32_t count,
	bool (*visit)(void *context, const struct graph_use *use), void *context)
{
	uint32_t at = after + 1;

	for (; at < graph->uses.next && count > 0; at++, count--) {
		struct graph_use use;

		if (use_at(graph, at)->to == 0)
			continue;
		graph_use_read(graph, at, &use);
		if (!visit(context, &use))
			return at;
	}
	return at < graph->uses.next ? at - 1 : 0;
}

graph_time graph_latest_use(const struct graph *graph)
{
	return graph->latest_s;
}

bool graph_find_use(const struct graph *graph, graph_id from, graph_id to, struct graph_use *out)
{
	uint32_t number = find_use(graph, from, to);

	*out = (struct graph_use){0};
	if (number != 0)
		graph_use_read(graph, number, out);
	return number != 0;
}

bool graph_use_seen(const struct graph *graph, const struct graph_link *link, graph_time *last_s,
	uint32_t *total)
{
	uint32_t number = find_use(graph, link->from, link->to);
	unsigned latest = week_of(graph->latest_s);
	const struct graph_kept_use *kept;
	struct graph_use use;

	if (number == 0)
		return false;
	kept = use_at(graph, number);
	*last_s = kept->last_s;
	*total = 0;
	if (kept->is_wide) {
		graph_use_read(graph, number, &use);
		*total = graph_use_total(graph, &use);
		return true;
	}
	for (unsigned back = 0; back < GRAPH_USE_WEEKS && back <= kept->week &&
				kept->week - back + GRAPH_USE_WEEKS > latest;
		back++)
		*total += kept->counts[(kept->week - back) % GRAPH_USE_WEEKS];
	return true;
}

uint32_t graph_use_total(const struct graph *graph, const struct graph_use *use)
{
	unsigned latest = week_of(graph->latest_s);
	uint32_t total = 0;

	for (unsigned back = 0; back < GRAPH_USE_WEEKS && back <= use->week; back++)
		if (use->week - back + GRAPH_USE_WEEKS > latest)
			total += use->counts[(use->week - back) % GRAPH_USE_WEEKS];
	return total;
}

/* How often one used another by one way: a ring of weeks for each pair, and in how many weeks
 * before the last of them what it says of environments and effects was so.
 *
 * Uses of tools, models and peers are kept by effect, because charters let do them by effect. */
#include <string.h>

#include "domain/charter/charter.h"
#include "domain/graph/graph_private.h"

enum { WEEK_S = 7 * 86400, WAY_SHIFT = 24 };

_Static_assert(GRAPH_NODES_MAX < 1 << WAY_SHIFT, "a way fits above a node's number");

struct ends {
	graph_id from;
	graph_id to;
	enum effect way;
};

static uint32_t hash_ends(graph_id from, graph_id to, unsigned way)
{
	return graph_index_mix(from, to | way << WAY_SHIFT);
}

static uint32_t hash_use(const void *owner, uint32_t number)
{
	const struct graph_kept_use *use = use_at(owner, number);

	return hash_ends(use->from, use->to, use->way);
}

static bool is_use(const void *owner, uint32_t number, const void *key)
{
	const struct graph_kept_use *use = use_at(owner, number);
	const struct ends *wanted = key;

	return use->from == wanted->from && use->to == wanted->to && use->way == wanted->way;
}

const struct graph_index_rules graph_use_rules = {hash_use, is_use};

uint32_t graph_use_number(const struct graph *graph, graph_id from, graph_id to, enum effect way)
{
	struct ends ends = {from, to, way};

	if (from == 0 || from >= graph->vertices.next || !vertex_at(graph, from)->has_uses)
		return 0;
	return graph_index_find(
		&graph->by_ends, &graph_use_rules, graph, hash_ends(from, to, way), &ends);
}

uint32_t graph_task_mark(struct text task)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	uint32_t mark;

	for (size_t i = 0; i < task.length; i++)
		hash = (hash ^ (unsigned char)task.data[i]) * UINT64_C(1099511628211);
	mark = (uint32_t)(hash ^ hash >> 32);
	return mark == 0 ? 1 : mark;
}

/* ---- ages ---- */

static unsigned age_at(const struct graph_kept_use *kept, unsigned place)
{
	return kept->ages[place / 2] >> place % 2 * 4 & 15;
}

static void set_age(struct graph_kept_use *kept, unsigned place, unsigned age)
{
	uint8_t *both = &kept->ages[place / 2];

	*both = (uint8_t)((*both & (place % 2 == 0 ? 0xf0 : 0x0f)) | age << place % 2 * 4);
}

/* The places begin behind NONE, which has none. */
static void read_ages(const struct graph_kept_use *kept, struct graph_use *out)
{
	for (unsigned i = 1; i <= ENVIRONMENT_PROD; i++)
		out->environments[i] = (uint8_t)age_at(kept, i - 1);
	for (unsigned i = 1; i <= EFFECT_DELEGATE; i++)
		out->effects[i] = (uint8_t)age_at(kept, GRAPH_AGE_EFFECTS + i - 1);
}

static void write_ages(struct graph_kept_use *kept, const struct graph_use *use)
{
	for (unsigned i = 1; i <= ENVIRONMENT_PROD; i++)
		set_age(kept, i - 1, use->environments[i]);
	for (unsigned i = 1; i <= EFFECT_DELEGATE; i++)
		set_age(kept, GRAPH_AGE_EFFECTS + i - 1, use->effects[i]);
}

static void grow_older(uint8_t *ages, size_t count, unsigned weeks)
{
	for (size_t i = 0; i < count; i++)
		if (ages[i] != 0)
			ages[i] =
				(uint8_t)(ages[i] + weeks > GRAPH_USE_WEEKS ? 0 : ages[i] + weeks);
}

static void take_younger(uint8_t *age, unsigned other)
{
	if (other != 0 && other <= GRAPH_USE_WEEKS && (*age == 0 || other < *age))
		*age = (uint8_t)other;
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

	*out = (struct graph_use){.from = kept->from,
		.to = kept->to,
		.way = (enum effect)kept->way,
		.last_s = kept->last_s,
		.last_ms = kept->last_ms,
		.week = kept->week,
		.tasks = kept->tasks,
		.task = kept->task};
	read_ages(kept, out);
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
	kept->last_ms = use->last_ms & 1023u;
	kept->week = use->week;
	kept->tasks = use->tasks;
	kept->task = use->task;
	write_ages(kept, use);
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

/* The number of the use, made if there is none; 0: no room. */
static uint32_t find_or_add(struct graph *graph, const struct ends *ends)
{
	uint32_t number = graph_use_number(graph, ends->from, ends->to, ends->way);
	struct graph_kept_use *use;

	if (number != 0)
		return number;
	number = graph_pages_take(&graph->uses);
	if (number == 0)
		return 0;
	use = use_at(graph, number);
	*use = (struct graph_kept_use){.from = ends->from, .to = ends->to, .way = ends->way & 7};
	if (!graph_index_add(&graph->by_ends, &graph_use_rules, graph, number)) {
		graph_pages_give(&graph->uses, number);
		return 0;
	}
	vertex_at(graph, ends->from)->has_uses = true;
	return number;
}

static bool check_ends(const struct graph *graph, const struct ends *ends, struct error *err)
{
	if (ends->from != 0 && ends->to != 0 && ends->from < graph->vertices.next &&
		ends->to < graph->vertices.next && ends->way <= EFFECT_DELEGATE)
		return true;
	return error_set(err, ERROR_INVALID, "a use needs two nodes that are there");
}

/* Of the whole graph, and of both ends. */
static void note_latest(struct graph *graph, const struct ends *ends, graph_time at_s)
{
	struct graph_vertex *both[] = {vertex_at(graph, ends->from), vertex_at(graph, ends->to)};

	for (size_t i = 0; i < sizeof both / sizeof *both; i++)
		if (at_s > both[i]->used_s)
			both[i]->used_s = at_s;
	if (at_s > graph->latest_s)
		graph->latest_s = at_s;
}

/* ---- noting ---- */

static uint16_t week_of(graph_time at_s)
{
	return (uint16_t)(at_s / WEEK_S);
}

/* The ring goes on to the week; what it passes is empty. */
static void advance(struct graph_use *use, uint16_t week)
{
	unsigned weeks = week <= use->week ? 0 : week - use->week;

	if (weeks == 0)
		return;
	if (weeks >= GRAPH_USE_WEEKS)
		memset(use->counts, 0, sizeof use->counts);
	else
		for (unsigned at = use->week + 1u; at <= week; at++)
			use->counts[at % GRAPH_USE_WEEKS] = 0;
	grow_older(use->environments, sizeof use->environments, weeks);
	grow_older(use->effects, sizeof use->effects, weeks);
	use->week = week;
}

static void count(struct graph_use *use, uint16_t week, uint32_t added)
{
	uint32_t *counted = &use->counts[week % GRAPH_USE_WEEKS];

	if (use->week - week >= GRAPH_USE_WEEKS)
		return;
	*counted = added < UINT32_MAX - *counted ? *counted + added : UINT32_MAX;
}

static bool is_later(graph_time at_s, uint16_t at_ms, graph_time than_s, uint16_t than_ms)
{
	return at_s > than_s || (at_s == than_s && at_ms > than_ms);
}

static uint16_t tasks_with(uint16_t tasks, uint32_t known, uint32_t task)
{
	return (uint16_t)(tasks + (task != 0 && task != known && tasks < UINT16_MAX));
}

/* Most uses are of the last week that is kept, and few: those are counted where they stand. */
static bool count_in_place(struct graph_kept_use *kept, const struct graph_used *used)
{
	uint16_t week = week_of(used->at_s);
	uint8_t *counted = &kept->counts[week % GRAPH_USE_WEEKS];

	if (kept->is_wide || week != kept->week || used->count > (uint32_t)(UINT8_MAX - *counted))
		return false;
	*counted = (uint8_t)(*counted + used->count);
	if (is_later(used->at_s, used->at_ms, kept->last_s, kept->last_ms)) {
		kept->last_s = used->at_s;
		kept->last_ms = used->at_ms & 1023u;
	}
	kept->tasks = tasks_with(kept->tasks, kept->task, used->task);
	if (used->task != 0)
		kept->task = used->task;
	if (used->environment != ENVIRONMENT_NONE)
		set_age(kept, used->environment - 1, 1);
	if (used->effect != EFFECT_NONE)
		set_age(kept, GRAPH_AGE_EFFECTS + used->effect - 1, 1);
	return true;
}

/* The ring goes on, or is written wide. */
static bool count_anew(struct graph *graph, uint32_t number, const struct graph_used *used)
{
	uint16_t week = week_of(used->at_s);
	struct graph_use use;
	unsigned age;

	graph_use_read(graph, number, &use);
	advance(&use, week);
	count(&use, week, used->count);
	age = use.week - week + 1u;
	if (is_later(used->at_s, used->at_ms, use.last_s, use.last_ms)) {
		use.last_s = used->at_s;
		use.last_ms = used->at_ms;
	}
	use.tasks = tasks_with(use.tasks, use.task, used->task);
	if (used->task != 0)
		use.task = used->task;
	if (used->environment != ENVIRONMENT_NONE)
		take_younger(&use.environments[used->environment], age);
	if (used->effect != EFFECT_NONE)
		take_younger(&use.effects[used->effect], age);
	return write_use(graph, number, &use);
}

bool graph_note_use(struct graph *graph, const struct graph_used *used, struct error *err)
{
	struct ends ends = {used->from, used->to, used->way};
	uint32_t number;

	if (!check_ends(graph, &ends, err))
		return false;
	number = find_or_add(graph, &ends);
	if (number == 0)
		return no_room(err);
	if (!count_in_place(use_at(graph, number), used) && !count_anew(graph, number, used))
		return no_room(err);
	note_latest(graph, &ends, used->at_s);
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
	for (size_t i = 0; i < sizeof use->environments; i++)
		take_younger(&use->environments[i], added.environments[i]);
	for (size_t i = 0; i < sizeof use->effects; i++)
		take_younger(&use->effects[i], added.effects[i]);
	if (added.tasks > use->tasks)
		use->tasks = added.tasks;
	if (is_later(use->last_s, use->last_ms, added.last_s, added.last_ms))
		return;
	use->last_s = added.last_s;
	use->last_ms = added.last_ms;
	if (added.task != 0)
		use->task = added.task;
}

bool graph_put_use(struct graph *graph, const struct graph_use *use, struct error *err)
{
	struct ends ends = {use->from, use->to, use->way};
	struct graph_use merged;
	uint32_t number;

	if (!check_ends(graph, &ends, err))
		return false;
	number = find_or_add(graph, &ends);
	if (number == 0)
		return no_room(err);
	graph_use_read(graph, number, &merged);
	merge(&merged, use);
	if (!write_use(graph, number, &merged))
		return no_room(err);
	note_latest(graph, &ends, use->last_s);
	return true;
}

/* ---- reading ---- */

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

graph_time graph_last_use(const struct graph *graph, graph_id id)
{
	return id == 0 || id >= graph->vertices.next ? 0 : vertex_at(graph, id)->used_s;
}

bool graph_find_use(const struct graph *graph, graph_id from, graph_id to, enum effect way,
	struct graph_use *out)
{
	uint32_t number = graph_use_number(graph, from, to, way);

	*out = (struct graph_use){0};
	if (number != 0)
		graph_use_read(graph, number, out);
	return number != 0;
}

static bool see(const struct graph *graph, uint32_t number, graph_time *last_s, uint32_t *total)
{
	unsigned latest = week_of(graph->latest_s);
	const struct graph_kept_use *kept;
	struct graph_use use;

	if (number == 0)
		return false;
	kept = use_at(graph, number);
	if (kept->last_s > *last_s)
		*last_s = kept->last_s;
	if (kept->is_wide) {
		graph_use_read(graph, number, &use);
		*total += graph_use_total(graph, &use);
		return true;
	}
	for (unsigned back = 0; back < GRAPH_USE_WEEKS && back <= kept->week &&
				kept->week - back + GRAPH_USE_WEEKS > latest;
		back++)
		*total += kept->counts[(kept->week - back) % GRAPH_USE_WEEKS];
	return true;
}

bool graph_use_seen(const struct graph *graph, const struct graph_link *link, graph_time *last_s,
	uint32_t *total)
{
	enum graph_node_kind to = (enum graph_node_kind)vertex_at(graph, link->to)->kind;
	bool is_found = false;

	*last_s = 0;
	*total = 0;
	if (!vertex_at(graph, link->from)->has_uses)
		return false;
	if (to != GRAPH_NODE_TOOL && to != GRAPH_NODE_MODEL)
		return see(graph, graph_use_number(graph, link->from, link->to, EFFECT_NONE),
			last_s, total);
	for (unsigned way = EFFECT_READ; way <= EFFECT_DELEGATE; way++)
		if ((link->effects & 1u << way) != 0)
			is_found |= see(graph,
				graph_use_number(graph, link->from, link->to, (enum effect)way),
				last_s, total);
	/* Records of before do not say by which effect: those tell of any. */
	return is_found || see(graph, graph_use_number(graph, link->from, link->to, EFFECT_NONE),
				   last_s, total);
}

uint32_t graph_use_total(const struct graph *graph, const struct graph_use *use)
{
	struct graph_use_sum sum;

	graph_use_sum(use, graph->latest_s, &sum);
	return sum.uses > UINT32_MAX ? UINT32_MAX : (uint32_t)sum.uses;
}

static bool is_within(const struct graph_use *use, unsigned age, unsigned week)
{
	return age != 0 && use->week - (age - 1) + GRAPH_USE_WEEKS > week;
}

void graph_use_sum(const struct graph_use *use, graph_time now_s, struct graph_use_sum *out)
{
	unsigned week = week_of(now_s);

	*out = (struct graph_use_sum){0};
	for (unsigned back = 0; back < GRAPH_USE_WEEKS && back <= use->week; back++)
		if (is_within(use, back + 1, week))
			out->uses += use->counts[(use->week - back) % GRAPH_USE_WEEKS];
	for (int i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
		if (is_within(use, use->environments[i], week))
			out->environments |= environment_bit((enum environment)i);
	for (int i = EFFECT_READ; i <= EFFECT_DELEGATE; i++)
		if (is_within(use, use->effects[i], week))
			out->effects |= UINT32_C(1) << i;
}

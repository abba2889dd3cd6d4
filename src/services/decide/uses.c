/* Lines with `uses`: what is on record, in the table of tasks, and what calls under way hold.
 *
 * A call holds from its decision until its record was folded, which counts it; so two at once
 * cannot both take the last, and for a moment one may count twice, which only refuses. */

#include "services/decide/decide_private.h"

/* ---- reading ----------------------------------------------------------------------- */

struct reading {
	const struct decide_service *service;
	const struct decide_request *request;
	struct text root;
	struct text resource; /* as lines name it */
	struct arena *arena;
	struct decide_world *world;
};

static bool is_read(const struct reading *reading, struct text identity, uint32_t line)
{
	for (size_t i = 0; i < reading->world->uses_count; i++)
		if (reading->world->uses[i].line == line &&
			text_equal(reading->world->uses[i].identity, identity))
			return true;
	return false;
}

/* What the call itself took when it was decided before. */
static int64_t own_uses(const struct reading *reading, struct text identity, uint32_t line)
{
	const struct decision *taken = reading->request->taken;

	for (size_t i = 0; taken != NULL && i < taken->uses_count; i++)
		if (taken->uses[i].line == line && text_equal(taken->uses[i].identity, identity))
			return 1;
	return 0;
}

static int64_t used_by_now(const struct reading *reading, const struct line_key *key)
{
	const int64_t folded = task_line_used(reading->service->tasks, key);
	const int64_t held = line_uses_find(reading->service->held, key);

	if (folded > CHARTER_USES_MAX || held > CHARTER_USES_MAX)
		return CHARTER_USES_MAX;
	return folded + held - own_uses(reading, key->identity, key->line);
}

static bool add_line(struct reading *reading, const struct line_use *line)
{
	struct decide_world *world = reading->world;
	struct line_use *lines =
		arena_array(reading->arena, struct line_use, world->uses_count + 1);

	if (lines == NULL)
		return false;
	for (size_t i = 0; i < world->uses_count; i++)
		lines[i] = world->uses[i];
	lines[world->uses_count++] = *line;
	world->uses = lines;
	return true;
}

/* The lines of one charter that are about the call's tool or model. */
static bool read_charter(struct reading *reading, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		const struct line_key key = {reading->root, charter->name, line->number};
		struct line_use use = {.identity = charter->name, .line = line->number};

		if (line->uses == 0 || !text_equal(line->resource, reading->resource) ||
			is_read(reading, charter->name, line->number))
			continue;
		use.used = used_by_now(reading, &key);
		if (use.used > 0 && !add_line(reading, &use))
			return false;
	}
	return true;
}

/* As lines name what the call is about. */
static struct text resource_of(const struct call *call)
{
	return call->route == METHOD_PEER ? call->server : call->tool;
}

bool decide_uses_read(const struct decide_service *service, const struct decide_request *request,
	struct arena *arena, struct decide_world *world)
{
	const struct task *task = task_find(service->tasks, request->call->task);
	struct reading reading = {service, request, {0}, resource_of(request->call), arena, world};
	const struct charter *charter;

	if (task == NULL)
		return true; /* refused for that */
	reading.root = task_root(task)->id;
	for (; task != NULL; task = task->parent) {
		charter = registry_find_charter(service->registry, task->identity);
		if (charter == &charter_lost)
			return false;
		if (charter != NULL && charter->has_uses && !read_charter(&reading, charter))
			return false;
	}
	return true;
}

/* ---- holding ------------------------------------------------------------------------ */

static bool hold_line(struct decide_service *service, const struct line_key *key, struct error *err)
{
	if (line_uses_is_full(service->held, task_lines_count(service->tasks)))
		return error_set(
			err, ERROR_LIMIT, "%d lines with uses are counted already", LINE_USES_MAX);
	return line_uses_add(service->held, key, err);
}

bool decide_uses_hold(struct decide_service *service, const struct call *call,
	const struct decision *decision, struct arena *arena, struct uses_hold *out,
	struct error *err)
{
	const struct task *task = task_find(service->tasks, call->task);

	*out = (struct uses_hold){0};
	if (decision->verdict != VERDICT_ALLOW || decision->uses_count == 0)
		return true;
	if (task == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no task is open for the call");
	out->root = text_copy(arena, task_root(task)->id);
	out->lines = decision->uses;
	if (out->root.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to count what lines were used");
	for (size_t i = 0; i < decision->uses_count; i++) {
		const struct line_key key = {
			out->root, decision->uses[i].identity, decision->uses[i].line};

		if (!hold_line(service, &key, err)) {
			decide_uses_release(service, out);
			return false;
		}
		out->count++;
	}
	return true;
}

void decide_uses_release(struct decide_service *service, struct uses_hold *hold)
{
	for (size_t i = 0; i < hold->count; i++) {
		const struct line_key key = {
			hold->root, hold->lines[i].identity, hold->lines[i].line};

		line_uses_take_back(service->held, &key);
	}
	*hold = (struct uses_hold){0};
}

/* Budgets for models: what is counted, and whose it is.
 *
 * Rows of the store: usage / DAY/INDEX is the part of an outcome that the table takes.
 * Those of two days ago go with the first outcome of a day: no task counts by them any
 * more, and no identity. */

#include "services/decide/decide_private.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DAYS_DELETED = 7 };

static bool apply(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct decide_service *service = state;

	(void)index;
	return usage_table_fold(service->usage, record, err);
}

static bool make_part(
	struct json *out, struct arena *arena, const struct json *record, struct error *err)
{
	static const char *const members[] = {"root", "unit", "used"};
	const struct json *generation = json_find(record, "generation");
	struct json_builder part, inner;
	struct json sealed;

	json_object_start(&inner, arena);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (json_find(generation, members[i]) != NULL)
			json_put(&inner, members[i], *json_find(generation, members[i]));
	if (!json_object_seal(&inner, &sealed, err))
		return false;
	json_object_start(&part, arena);
	json_put_cstring(&part, "type", "outcome");
	json_put_integer(&part, "at", json_integer_or(record, "at", 0));
	/* The handler of calls in flight reads the part too, and finds none of its own. */
	json_put_integer(&part, "decision", json_integer_or(record, "decision", 0));
	json_put_text(&part, "identity", json_text_or(record, "identity", ""));
	json_put(&part, "generation", sealed);
	return json_object_seal(&part, out, err);
}

static void project_outcome(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	int64_t day = json_integer_or(record, "at", 0) / DAY_MS;
	struct json part;
	struct error err;

	if (json_find(record, "generation") == NULL || !make_part(&part, arena, record, &err))
		return;
	projection_put(projection, "usage",
		text_format(arena, "%lld/%llu", (long long)day,
			(unsigned long long)projection_index(projection)),
		&part);
	for (int i = 2; i < 2 + DAYS_DELETED; i++)
		projection_delete_prefix(
			projection, "usage", text_format(arena, "%lld/", (long long)day - i));
}

bool decide_usage_register(struct decide_service *service, struct fold *fold, struct error *err)
{
	static const struct fold_projector projector = {"outcome", project_outcome};
	const struct fold_handler handler = {.type = "outcome", .apply = apply, .state = service};

	return fold_add(fold, &handler, err) && fold_add_projector(fold, &projector, err);
}

/* ---- whose it is ------------------------------------------------------------------- */

bool decide_usage_scope(
	const struct decide_service *service, const struct call *call, struct usage_scope *out)
{
	const struct task *task = task_find(service->tasks, call->task);
	const struct charter *charter = registry_find_charter(service->registry, call->identity);

	*out = (struct usage_scope){0};
	if (task == NULL || charter == NULL || charter == &charter_lost)
		return false;
	*out = (struct usage_scope){task_root(task)->id, call->identity, charter->unit};
	return true;
}

struct usage_now decide_usage_now(
	const struct decide_service *service, const struct call *call, int64_t now_utc_ms)
{
	struct usage_scope scope;

	if (call->route != METHOD_MODEL || !decide_usage_scope(service, call, &scope))
		return (struct usage_now){0};
	return usage_table_now(service->usage, &scope, now_utc_ms);
}

bool decide_usage_hold(struct decide_service *service, const struct usage_scope *scope,
	struct usage_hold *out, int64_t now_utc_ms, struct error *err)
{
	return usage_hold_begin(out, service->usage, scope, now_utc_ms, err);
}

const char *decide_usage_breach(const struct decide_service *service, const struct call *call,
	const struct usage_hold *hold, int64_t now_utc_ms)
{
	static const struct usage nothing;
	const struct charter *charter = registry_find_charter(service->registry, call->identity);
	const struct usage_now now = usage_hold_now(hold, now_utc_ms);
	const struct unit *unit;

	if (charter == NULL || charter == &charter_lost)
		return "identity"; /* nothing says how much it may */
	unit = registry_find_unit(service->registry, charter->unit);
	if (budget_breach(&charter->task_budget, &now.task, &nothing) != NULL)
		return "task";
	if (budget_breach(&charter->day_budget, &now.identity, &nothing) != NULL)
		return "identity";
	if (unit != NULL && budget_breach(&unit->day_budget, &now.unit, &nothing) != NULL)
		return "unit";
	return NULL;
}

bool decide_models_visible(const struct decide_service *service, const struct decide_viewer *viewer,
	struct arena *arena, const struct text **out, size_t *count, struct error *err)
{
	const struct server *server = registry_find_server(service->registry, viewer->server);
	const struct charter *charter = registry_find_charter(service->registry, viewer->identity);
	struct text *names;

	*out = NULL;
	*count = 0;
	if (server == NULL || charter == NULL || server->models_count == 0)
		return true;
	names = arena_array(arena, struct text, server->models_count);
	if (names == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a list of models");
	for (uint32_t i = 0; i < server->models_count; i++)
		if (charter_find_model(charter, viewer->server, server->models[i].name) != NULL)
			names[(*count)++] = server->models[i].name;
	*out = names;
	return true;
}

/* ---- for people -------------------------------------------------------------------- */

static bool put_used(struct json_builder *object, const char *name, const struct usage *used,
	const struct budget *budget, struct error *err)
{
	const struct usage most = {budget->requests, budget->tokens, budget->spend};
	struct json_builder builder;
	struct json value, limits;

	if (!usage_json(&limits, object->arena, &most, err))
		return false;
	json_object_start(&builder, object->arena);
	json_put(&builder, "most", limits);
	json_put_integer(&builder, "requests", used->requests);
	json_put_integer(&builder, "spend", used->spend);
	json_put_integer(&builder, "tokens", used->tokens);
	if (!json_object_seal(&builder, &value, err))
		return false;
	json_put(object, name, value);
	return true;
}

bool decide_usage_json(const struct decide_service *service, const struct decide_usage_asked *asked,
	struct arena *arena, struct json *out, struct error *err)
{
	static const struct budget none;
	const struct task *task = task_find(service->tasks, asked->task);
	struct text identity = task != NULL ? task->identity : asked->identity;
	const struct charter *charter = registry_find_charter(service->registry, identity);
	const struct unit *unit =
		charter == NULL ? NULL : registry_find_unit(service->registry, charter->unit);
	struct usage_scope scope = {.identity = identity};
	struct json_builder object;
	struct usage_now now;

	json_object_start(&object, arena);
	if (charter == NULL)
		return json_object_seal(&object, out, err);
	scope.unit = charter->unit;
	scope.root = task == NULL ? TEXT("") : task_root(task)->id;
	now = usage_table_now(service->usage, &scope, asked->now_utc_ms);
	if (!put_used(&object, "identity", &now.identity, &charter->day_budget, err) ||
		(task != NULL &&
			!put_used(&object, "task", &now.task, &charter->task_budget, err)) ||
		!put_used(
			&object, "unit", &now.unit, unit == NULL ? &none : &unit->day_budget, err))
		return false;
	return json_object_seal(&object, out, err);
}

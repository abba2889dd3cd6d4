/* The tasks' part of the fold.
 *
 * Rows of the store: task / ID is the task-opened record of a task that nothing
 * ended; task-kill / IDENTITY the last kill of an identity, / unit/NAME of a unit,
 * / instance/IDENTITY/NAME of an instance, / ID/token/JTI of a token; task-label /
 * ID/SENSITIVITY[/untrusted] what a task or one below it has read, as the part of
 * the first such decision that the table takes; task-use / ROOT/INDEX what one decision took
 * of lines with `uses`.  Rows of a task go when it ends.  task-touch / IDENTITY TOOL the first
 * use that an identity was let make of a tool: it stays. */

#include "services/decide/decide_service.h"

static bool apply(void *state, const struct json *record, uint64_t index, struct error *err)
{
	return task_table_fold(state, record, index, err);
}

static void project_opened(const struct json *record, struct projection *projection)
{
	projection_put(projection, "task", json_text_or(record, "task", ""), record);
}

static void task_rows_delete(const struct json *record, struct projection *projection)
{
	struct text id = json_text_or(record, "task", "");
	struct text prefix = text_format(projection_arena(projection), "%.*s/", TEXT_ARGS(id));

	if (id.length == 0)
		return;
	projection_delete(projection, "task", id);
	projection_delete_prefix(projection, "task-label", prefix);
	projection_delete_prefix(projection, "task-use", prefix);
	projection_delete_prefix(projection, "task-kill", prefix);
	projection_delete_prefix(projection, "refresh", prefix);
}

/* Of what is not a task, which goes: no id and no name has a slash, so keys differ. */
static struct text kill_key(struct arena *arena, enum task_target target, const struct json *record)
{
	struct text identity = json_text_or(record, "identity", "");

	switch (target) {
	case TASK_TARGET_UNIT:
		return text_format(arena, "unit/%.*s", TEXT_ARGS(json_text_or(record, "unit", "")));
	case TASK_TARGET_INSTANCE:
		return text_format(arena, "instance/%.*s/%.*s", TEXT_ARGS(identity),
			TEXT_ARGS(json_text_or(record, "instance", "")));
	case TASK_TARGET_TOKEN:
		return text_format(arena, "%.*s/token/%.*s",
			TEXT_ARGS(json_text_or(record, "task", "")),
			TEXT_ARGS(json_text_or(record, "token", "")));
	case TASK_TARGET_IDENTITY:
	case TASK_TARGET_TASK:
	case TASK_TARGET_NONE: break;
	}
	return identity;
}

static void project_kill(const struct json *record, struct projection *projection)
{
	enum task_target target = task_target_of(json_text_or(record, "target", ""));

	if (target == TASK_TARGET_TASK)
		task_rows_delete(record, projection);
	else
		projection_put(projection, "task-kill",
			kill_key(projection_arena(projection), target, record), record);
}

/* The key holds all of the label, so the same one is one row: the first that brought it. */
static void put_label(struct projection *projection, const struct json *record, struct text task)
{
	struct arena *arena = projection_arena(projection);
	struct text label = json_text_or(record, "sensitivity", "");
	bool is_untrusted = json_boolean_or(record, "untrusted", false);
	struct json_builder part;
	struct json sealed;
	struct error err;

	json_object_start(&part, arena);
	json_put_cstring(&part, "type", "decision");
	json_put_cstring(&part, "verdict", "allow");
	json_put_text(&part, "task", task);
	json_put_text(&part, "sensitivity", label);
	json_put_text_unless_empty(&part, "tool", json_text_or(record, "tool", ""));
	json_put_boolean(&part, "untrusted", is_untrusted);
	if (json_object_seal(&part, &sealed, &err))
		projection_put_first(projection, "task-label",
			text_format(arena, "%.*s/%.*s%s", TEXT_ARGS(task), TEXT_ARGS(label),
				is_untrusted ? "/untrusted" : ""),
			&sealed);
}

static void put_touch(struct projection *projection, const struct json *record)
{
	struct arena *arena = projection_arena(projection);
	struct text identity = json_text_or(record, "identity", "");
	struct text tool = json_text_or(record, "tool", "");
	struct json_builder part;
	struct json sealed;
	struct error err;

	json_object_start(&part, arena);
	json_put_cstring(&part, "type", "decision");
	json_put_cstring(&part, "verdict", "allow");
	json_put_text(&part, "identity", identity);
	json_put_text(&part, "tool", tool);
	json_put_boolean(&part, "first", true);
	if (json_object_seal(&part, &sealed, &err))
		projection_put(projection, "task-touch",
			text_format(arena, "%.*s %.*s", TEXT_ARGS(identity), TEXT_ARGS(tool)),
			&sealed);
}

/* One row a decision, for it is the first task's, which outlives the one that called. */
static void put_uses(struct projection *projection, const struct json *record)
{
	struct arena *arena = projection_arena(projection);
	const struct json *chain = json_find(record, "chain");
	struct text root = json_text_or(record, "task", "");
	struct json_builder part;
	struct json sealed;
	struct error err;

	if (chain != NULL && chain->type == JSON_ARRAY && chain->count > 0 &&
		chain->items[chain->count - 1].type == JSON_STRING)
		root = chain->items[chain->count - 1].string;
	json_object_start(&part, arena);
	json_put_cstring(&part, "type", "decision");
	json_put_cstring(&part, "verdict", "allow");
	json_put_text(&part, "task", root);
	json_put(&part, "takes", *json_find(record, "takes"));
	if (json_object_seal(&part, &sealed, &err))
		projection_put(projection, "task-use",
			text_format(arena, "%.*s/%llu", TEXT_ARGS(root),
				(unsigned long long)projection_index(projection)),
			&sealed);
}

/* What a task has read, those above it have read, too, and each keeps a row of its
 * own: the task's goes when it ends, and theirs must not go with it. */
static void project_decision(const struct json *record, struct projection *projection)
{
	const struct json *chain = json_find(record, "chain");
	uint32_t i;

	if (!text_is(json_text_or(record, "verdict", ""), "allow"))
		return;
	if (json_boolean_or(record, "first", false) && json_find(record, "break-glass") == NULL)
		put_touch(projection, record);
	if (json_find(record, "takes") != NULL)
		put_uses(projection, record);
	if ((json_text_or(record, "sensitivity", "").length == 0 &&
		    !json_boolean_or(record, "untrusted", false)))
		return;
	put_label(projection, record, json_text_or(record, "task", ""));
	if (chain == NULL || chain->type != JSON_ARRAY)
		return;
	for (i = 0; i < chain->count; i++)
		if (chain->items[i].type == JSON_STRING)
			put_label(projection, record, chain->items[i].string);
}

bool task_fold_register(struct fold *fold, struct task_table *tasks, struct error *err)
{
	static const struct fold_projector projectors[] = {
		{"task-opened", project_opened},
		{"task-ended", task_rows_delete},
		{"kill", project_kill},
		{"decision", project_decision},
	};
	size_t i;

	for (i = 0; i < sizeof(projectors) / sizeof(*projectors); i++) {
		struct fold_handler handler = {
			.type = projectors[i].type, .apply = apply, .state = tasks};

		if (!fold_add(fold, &handler, err) ||
			!fold_add_projector(fold, &projectors[i], err))
			return false;
	}
	return true;
}

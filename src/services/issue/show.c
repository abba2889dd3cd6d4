/* Tasks as the API shows and lists them. */
#include "services/issue/issue_private.h"

/* null, or {record, tool} of the decision that first brought the label. */
static bool put_source(struct json_builder *object, const char *name,
	struct task_label_source source, struct error *err)
{
	struct json_builder builder;
	struct json value = json_null();

	if (source.is_known) {
		json_object_start(&builder, object->arena);
		json_put_integer(&builder, "record", (int64_t)source.record);
		json_put_text_unless_empty(&builder, "tool", source.tool);
		if (!json_object_seal(&builder, &value, err))
			return false;
	}
	json_put(object, name, value);
	return true;
}

static bool task_json(struct json *out, struct arena *arena, const struct task *task,
	int64_t now_utc_ms, struct error *err)
{
	const char *label = sensitivity_word(task->label);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "id", task->id);
	json_put_text(&object, "identity", task->identity);
	json_put_cstring(&object, "state", task_state_word(task_state_now(task, now_utc_ms)));
	json_put_cstring(&object, "environment", environment_word(task->environment));
	json_put_cstring(&object, "binding", binding_word(task->binding));
	json_put_integer(&object, "charter_version", (int64_t)task->charter_version);
	json_put_text(&object, "purpose", task->purpose);
	json_put_text(&object, "person", task_person(task));
	json_put(&object, "parent",
		task->parent == NULL ? json_null() : json_string(task->parent->id));
	json_put_integer(&object, "depth", task->depth);
	if (task->details != NULL)
		json_put(&object, "authorization_details", *task_details_json(task->details));
	json_put_integer(&object, "opened", task->opened_at_utc_ms);
	json_put_integer(&object, "deadline", task->deadline_utc_ms);
	json_put(&object, "label", label == NULL ? json_null() : json_cstring(label));
	json_put_boolean(&object, "untrusted_content", task->has_untrusted_content);
	if (!put_source(&object, "label_source", task_label_source(task), err) ||
		!put_source(&object, "untrusted_source", task_untrusted_source(task), err))
		return false;
	json_put_integer(&object, "record", (int64_t)task->record_index);
	return json_object_seal(&object, out, err);
}

bool issue_task_show(
	void *context, struct text id, struct arena *arena, struct json *out, struct error *err)
{
	struct issue *issue = context;
	const struct task *task = task_find(issue->parts.tasks, id);
	struct json shown;

	if (task == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no task has this id");
	/* The copy outlives the task. */
	return task_json(&shown, arena, task, issue_now_utc_ms(issue), err) &&
	       json_copy(out, arena, &shown, err);
}

/* A page costs what it holds, however many tasks there are. */
bool issue_task_list(void *context, struct text after, uint32_t count, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct issue *issue = context;
	const struct task_table *tasks = issue->parts.tasks;
	const struct task *task = task_find(tasks, after);
	struct json_builder array;
	struct json item, all;

	if (after.length > 0 && task == NULL)
		return error_set(err, ERROR_INVALID,
			"after: the task is forgotten by now: begin the list anew");
	json_array_start(&array, arena);
	while (count-- > 0 && (task = task_next(tasks, task)) != NULL) {
		if (!task_json(&item, arena, task, issue_now_utc_ms(issue), err))
			return false;
		json_add(&array, item);
	}
	return json_array_seal(&array, &all, err) && json_copy(out, arena, &all, err);
}

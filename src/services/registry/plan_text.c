/* A plan and the registry, written out: JSON for programs, lines for people,
 * YAML for folders. */
#include "services/registry/plan.h"

#include "base/yaml.h"
#include "services/registry/plan_diff.h"

enum { VALUE_BYTES_SHOWN = 240, EXPORT_ARENA_BYTES_MAX = 4 * 1024 * 1024 };

const char *plan_action_word(enum plan_action action)
{
	switch (action) {
	case PLAN_CREATE: return "create";
	case PLAN_CHANGE: return "change";
	case PLAN_REMOVE: return "remove";
	case PLAN_NONE: break;
	}
	return "none";
}

/* ---- JSON ---- */

static bool field_json(
	struct json *out, struct arena *arena, const struct plan_field *field, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "path", field->path);
	if (field->before != NULL)
		json_put(&object, "before", *field->before);
	if (field->after != NULL)
		json_put(&object, "after", *field->after);
	return json_object_seal(&object, out, err);
}

static bool fields_json(
	struct json *out, struct arena *arena, const struct plan_change *change, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < change->fields_count; i++) {
		struct json field;

		if (!field_json(&field, arena, &change->fields[i], err))
			return false;
		json_add(&array, field);
	}
	return json_array_seal(&array, out, err);
}

bool plan_fields_json(struct json *out, struct arena *arena, const struct object *before,
	const struct object *after, struct error *err)
{
	struct plan_change change = {.action = PLAN_CHANGE, .before = before, .after = after};

	return plan_diff(&change, arena, err) && fields_json(out, arena, &change, err);
}

static bool change_json(
	struct json *out, struct arena *arena, const struct plan_change *change, struct error *err)
{
	struct json_builder object;
	struct json document, fields;

	json_object_start(&object, arena);
	json_put_cstring(&object, "action", plan_action_word(change->action));
	json_put_cstring(&object, "kind", object_kind_word(change->kind));
	json_put_text(&object, "name", change->name);
	json_put_boolean(&object, "needs_approval", change->needs_approval);
	if (change->is_approval) {
		json_put_boolean(&object, "approves", true);
		json_put_text(&object, "author", change->author);
	}
	if (change->approvers != NULL)
		json_put_texts(&object, "approvers", change->approvers, change->approvers_count);
	if (change->action == PLAN_CHANGE) {
		if (!fields_json(&fields, arena, change, err))
			return false;
		json_put(&object, "fields", fields);
	}
	if (change->action == PLAN_CREATE) {
		if (!object_document(change->after, arena, &document, err))
			return false;
		json_put(&object, "object", document);
	}
	return json_object_seal(&object, out, err);
}

static bool changes_json(
	struct json *out, struct arena *arena, const struct plan *plan, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < plan->changes_count; i++) {
		struct json change;

		if (!change_json(&change, arena, &plan->changes[i], err))
			return false;
		json_add(&array, change);
	}
	return json_array_seal(&array, out, err);
}

static bool waiting_json(
	struct json *out, struct arena *arena, const struct plan *plan, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < plan->waiting_count; i++) {
		const struct plan_waiting *waiting = &plan->waiting[i];
		struct json_builder object;
		struct json line;

		json_object_start(&object, arena);
		json_put_cstring(&object, "action", plan_action_word(waiting->action));
		json_put_cstring(&object, "kind", object_kind_word(waiting->kind));
		json_put_text(&object, "name", waiting->name);
		json_put_text(&object, "proposed_by", waiting->proposed_by);
		if (waiting->approvers != NULL)
			json_put_texts(
				&object, "approvers", waiting->approvers, waiting->approvers_count);
		if (waiting->is_otherwise)
			json_put_boolean(&object, "otherwise", true);
		if (!json_object_seal(&object, &line, err))
			return false;
		json_add(&array, line);
	}
	return json_array_seal(&array, out, err);
}

static bool unenforced_json(
	struct json *out, struct arena *arena, const struct plan *plan, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < plan->unenforced_count; i++) {
		struct json_builder object;
		struct json line;

		json_object_start(&object, arena);
		json_put_cstring(&object, "kind", plan->unenforced[i]->kind);
		json_put_cstring(&object, "field", plan->unenforced[i]->field);
		json_put_cstring(&object, "note", plan->unenforced[i]->note);
		if (!json_object_seal(&object, &line, err))
			return false;
		json_add(&array, line);
	}
	return json_array_seal(&array, out, err);
}

static bool notes_json(
	struct json *out, struct arena *arena, const struct plan *plan, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < plan->notes_count; i++) {
		const struct plan_note *note = &plan->notes[i];
		struct json_builder object;
		struct json line;

		json_object_start(&object, arena);
		json_put_cstring(&object, "kind", object_kind_word(note->kind));
		json_put_text(&object, "name", note->name);
		json_put_text(&object, "note", note->text);
		if (!json_object_seal(&object, &line, err))
			return false;
		json_add(&array, line);
	}
	return json_array_seal(&array, out, err);
}

static bool problems_json(
	struct json *out, struct arena *arena, const struct problems *problems, struct error *err)
{
	struct json_builder array;

	json_array_start(&array, arena);
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		struct json_builder object;
		struct json line;

		json_object_start(&object, arena);
		json_put_text(&object, "file", problem->file);
		json_put_integer(&object, "line", problem->line);
		json_put_text(&object, "field", problem->field);
		json_put_text(&object, "what", problem->what);
		json_put_text(&object, "remedy", problem->remedy);
		json_put_text_unless_empty(&object, "excerpt", problem->excerpt);
		if (!json_object_seal(&object, &line, err))
			return false;
		json_add(&array, line);
	}
	return json_array_seal(&array, out, err);
}

bool plan_json(struct json *out, struct arena *arena, const struct plan *plan, struct error *err)
{
	struct json_builder object;
	struct json changes, waiting, unenforced, notes, problems;

	if (!changes_json(&changes, arena, plan, err) ||
		!waiting_json(&waiting, arena, plan, err) ||
		!unenforced_json(&unenforced, arena, plan, err) ||
		!notes_json(&notes, arena, plan, err) ||
		!problems_json(&problems, arena, &plan->problems, err))
		return false;
	json_object_start(&object, arena);
	json_put_integer(&object, "revision", (int64_t)plan->revision);
	json_put(&object, "changes", changes);
	json_put_integer(&object, "unchanged", (int64_t)plan->unchanged_count);
	json_put(&object, "waiting", waiting);
	json_put(&object, "unenforced", unenforced);
	json_put(&object, "notes", notes);
	if (plan->is_unguarded)
		json_put_boolean(&object, "unguarded", true);
	json_put(&object, "problems", problems);
	json_put_integer(&object, "problems_total", (int64_t)plan->problems.total);
	return json_object_seal(&object, out, err);
}

/* ---- lines ---- */

static void append_value(struct buffer *out, const struct json *value)
{
	struct buffer whole;
	struct text text;

	if (value == NULL) {
		buffer_append_string(out, "(absent)");
		return;
	}
	buffer_init(&whole, OBJECT_BYTES_MAX);
	json_canonical(&whole, value);
	text = buffer_text(&whole);
	if (text.length > VALUE_BYTES_SHOWN) {
		size_t cut = VALUE_BYTES_SHOWN;

		while (cut > 0 && ((unsigned char)text.data[cut] & 0xc0) == 0x80)
			cut--; /* not within a character */
		text.length = cut;
		buffer_append_text(out, text);
		buffer_append_string(out, "...");
	} else {
		buffer_append_text(out, text);
	}
	buffer_deinit(&whole);
}

static void append_change(struct buffer *out, const struct plan_change *change)
{
	static const char signs[] = {
		[PLAN_NONE] = ' ', [PLAN_CREATE] = '+', [PLAN_CHANGE] = '~', [PLAN_REMOVE] = '-'};

	buffer_append_format(out, "%c %s %.*s%s\n", signs[change->action],
		object_kind_word(change->kind), TEXT_ARGS(change->name),
		change->needs_approval ? "  (waits for another person's approval)"
		: change->is_approval  ? "  (approves what another person proposed)"
				       : "");
	for (size_t i = 0; i < change->fields_count; i++) {
		const struct plan_field *field = &change->fields[i];

		buffer_append_format(out, "    %.*s: ", TEXT_ARGS(field->path));
		append_value(out, field->before);
		buffer_append_string(out, " -> ");
		append_value(out, field->after);
		buffer_append_byte(out, '\n');
	}
}

static void append_problem(struct buffer *out, const struct problem *problem)
{
	if (problem->file.length > 0)
		buffer_append_format(out, "%.*s:", TEXT_ARGS(problem->file));
	if (problem->line > 0)
		buffer_append_format(out, "%u:", problem->line);
	if (problem->file.length > 0 || problem->line > 0)
		buffer_append_byte(out, ' ');
	if (problem->field.length > 0)
		buffer_append_format(out, "%.*s: ", TEXT_ARGS(problem->field));
	buffer_append_text(out, problem->what);
	if (problem->remedy.length > 0)
		buffer_append_format(out, " (%.*s)", TEXT_ARGS(problem->remedy));
	buffer_append_byte(out, '\n');
	buffer_append_text(out, problem->excerpt);
}

static size_t count_action(const struct plan *plan, enum plan_action action)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->changes_count; i++)
		count += plan->changes[i].action == action;
	return count;
}

void plan_text(struct buffer *out, const struct plan *plan)
{
	for (size_t i = 0; i < plan->changes_count; i++)
		append_change(out, &plan->changes[i]);
	buffer_append_format(out, "%zu to create, %zu to change, %zu to remove, %zu unchanged\n",
		count_action(plan, PLAN_CREATE), count_action(plan, PLAN_CHANGE),
		count_action(plan, PLAN_REMOVE), plan->unchanged_count);
	if (plan->unenforced_count > 0)
		buffer_append_string(out, "recorded, but not enforced by this version:\n");
	for (size_t i = 0; i < plan->unenforced_count; i++)
		buffer_append_format(out, "    %s %s: %s\n", plan->unenforced[i]->kind,
			plan->unenforced[i]->field, plan->unenforced[i]->note);
	for (size_t i = 0; i < plan->notes_count; i++)
		buffer_append_format(out, "note: %s %.*s: %.*s\n",
			object_kind_word(plan->notes[i].kind), TEXT_ARGS(plan->notes[i].name),
			TEXT_ARGS(plan->notes[i].text));
	for (size_t i = 0; i < plan->problems.count; i++)
		append_problem(out, &plan->problems.items[i]);
	if (plan->problems.total > 0)
		buffer_append_format(
			out, "%zu problems: nothing can be applied\n", plan->problems.total);
}

/* ---- export ---- */

struct exporter {
	struct buffer *out;
	struct arena *arena; /* of one document */
	bool with_waiting;
};

static bool export_entry(void *context, const struct registry_entry *entry)
{
	struct exporter *exporter = context;
	const struct object *object = entry->in_force;
	struct json document;
	struct error err;

	if (entry->state == IDENTITY_RETIRED)
		return true;
	if (exporter->with_waiting && entry->waiting != NULL)
		object = entry->waiting;
	if (object == NULL)
		return true;
	arena_reset(exporter->arena);
	if (!object_document(object, exporter->arena, &document, &err)) {
		exporter->out->failed = true;
		return false;
	}
	yaml_format(exporter->out, &document);
	return !buffer_failed(exporter->out);
}

void registry_export(struct buffer *out, const struct registry *registry, bool with_waiting)
{
	struct exporter exporter = {out, arena_create(EXPORT_ARENA_BYTES_MAX), with_waiting};

	if (exporter.arena == NULL)
		out->failed = true;
	else
		registry_each(
			registry, OBJECT_NONE, (struct text){NULL, 0}, export_entry, &exporter);
	arena_destroy(&exporter.arena);
}

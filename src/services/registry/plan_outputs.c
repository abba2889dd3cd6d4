/* What a charter's outputs would refuse.  Said, and no problem: most charters want a task that
 * has read much to write little; but who forgot a line should hear of it now, and not from
 * the first refusal. */

#include "services/registry/plan_outputs.h"

#include "domain/charter/form.h"
#include "domain/decide/decide.h"

struct noting {
	struct plan *plan;
	plan_find *find;
	void *context;
	const struct charter *charter;
	enum sensitivity reads; /* the most sensitive data it may read */
	struct text tools;      /* "files/a (public), files/b (internal)" */
	uint32_t tools_count;
	struct plan_note *notes;
};

static enum sensitivity lower(enum sensitivity a, enum sensitivity b)
{
	return sensitivity_level(a) < sensitivity_level(b) ? a : b;
}

static enum sensitivity higher(enum sensitivity a, enum sensitivity b)
{
	return sensitivity_level(a) > sensitivity_level(b) ? a : b;
}

static enum sensitivity most_it_reads(const struct noting *noting)
{
	const struct charter *charter = noting->charter;
	enum sensitivity most = SENSITIVITY_PUBLIC;

	for (uint32_t i = 0; i < charter->data_sources_count; i++) {
		const struct charter_data_source *line = &charter->data_sources[i];
		const struct object *object =
			noting->find(noting->context, OBJECT_DATA_SOURCE, line->name);
		enum sensitivity source =
			object == NULL ? SENSITIVITY_PUBLIC : object->data_source->sensitivity;

		most = higher(most, lower(line->up_to, source));
	}
	return most;
}

/* Whether the line may let something go when the tool is called. */
static bool is_about(const struct charter_output *line, const struct tool *tool)
{
	if (text_equal(line->to, tool->name))
		return true;
	return tool_goes_to_recipients(tool) && !text_is(line->to, "reply") &&
	       !name_is_tool(line->to);
}

static enum sensitivity most_that_goes(const struct noting *noting, const struct tool *tool)
{
	const struct charter *charter = noting->charter;
	enum sensitivity most = SENSITIVITY_PUBLIC;

	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (is_about(&charter->outputs[i], tool))
			most = higher(most, charter->outputs[i].up_to);
	return most;
}

static bool has_line_before(const struct charter *charter, uint32_t at)
{
	for (uint32_t i = 0; i < at; i++)
		if (charter->entitlements[i].resource_kind == RESOURCE_TOOL &&
			text_equal(charter->entitlements[i].resource,
				charter->entitlements[at].resource))
			return true;
	return false;
}

static bool note_line(struct noting *noting, uint32_t at)
{
	const struct entitlement *line = &noting->charter->entitlements[at];
	const struct object *object;
	enum sensitivity goes;

	if (line->resource_kind != RESOURCE_TOOL || has_line_before(noting->charter, at))
		return true;
	object = noting->find(noting->context, OBJECT_TOOL, line->resource);
	if (object == NULL || !tool_carries(object->tool))
		return true;
	goes = most_that_goes(noting, object->tool);
	if (sensitivity_level(goes) >= sensitivity_level(noting->reads) ||
		noting->tools_count++ >= PLAN_NOTE_TOOLS_MAX)
		return true;
	noting->tools = text_format(noting->plan->arena, "%.*s%s%.*s (%s)",
		TEXT_ARGS(noting->tools), noting->tools.length == 0 ? "" : ", ",
		TEXT_ARGS(line->resource), sensitivity_word(goes));
	return noting->tools.data != NULL;
}

static bool note_charter(struct noting *noting, const struct plan_change *change)
{
	struct plan_note *note = &noting->notes[noting->plan->notes_count];

	noting->charter = change->after->charter;
	noting->reads = most_it_reads(noting);
	noting->tools = TEXT("");
	noting->tools_count = 0;
	for (uint32_t i = 0; i < noting->charter->entitlements_count; i++)
		if (!note_line(noting, i))
			return false;
	if (noting->tools_count == 0)
		return true;
	note->kind = change->kind;
	note->name = change->name;
	note->text = text_format(noting->plan->arena,
		"a task that has read %s data is refused what lets less go: %.*s%s; an output "
		"{to: SERVER/TOOL, up-to: %s} lets it, where that is meant",
		sensitivity_word(noting->reads), TEXT_ARGS(noting->tools),
		noting->tools_count > PLAN_NOTE_TOOLS_MAX ? " and more" : "",
		sensitivity_word(noting->reads));
	noting->plan->notes_count++;
	return note->text.data != NULL;
}

bool plan_note_outputs(struct plan *plan, plan_find *find, void *context, struct error *err)
{
	struct noting noting = {.plan = plan, .find = find, .context = context};
	size_t i;

	noting.notes = arena_array(plan->arena, struct plan_note, PLAN_NOTES_MAX);
	plan->notes = noting.notes;
	if (noting.notes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a plan");
	for (i = 0; i < plan->changes_count && plan->notes_count < PLAN_NOTES_MAX; i++)
		if (plan->changes[i].kind == OBJECT_IDENTITY && plan->changes[i].after != NULL &&
			!note_charter(&noting, &plan->changes[i]))
			return error_set(err, ERROR_LIMIT, "no memory for a plan");
	return true;
}

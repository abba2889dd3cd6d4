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
	bool has_tool;       /* among them one that a line of its own would let go */
	bool has_recipients; /* or one that a line of recipients would */
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

/* Nothing at all goes to a recipient that no line covers; public data goes to any tool. */
enum { LEVEL_NOTHING = -1 };

static int higher_level(int a, int b)
{
	return a > b ? a : b;
}

static int most_to_recipients(const struct charter *charter)
{
	int most = LEVEL_NOTHING;

	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (output_is_to_recipients(&charter->outputs[i]))
			most = higher_level(most, sensitivity_level(charter->outputs[i].up_to));
	return most;
}

static int most_to_tool(const struct charter *charter, struct text tool)
{
	int most = sensitivity_level(SENSITIVITY_PUBLIC);

	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (text_equal(charter->outputs[i].to, tool))
			most = higher_level(most, sensitivity_level(charter->outputs[i].up_to));
	return most;
}

static const char *level_word(int level)
{
	for (int value = SENSITIVITY_PUBLIC; value <= SENSITIVITY_RESTRICTED; value++)
		if (sensitivity_level((enum sensitivity)value) == level)
			return sensitivity_word((enum sensitivity)value);
	return "none";
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

/* Adds "files/a (public)", if less goes than the charter reads. */
static bool note_place(struct noting *noting, struct text tool, const char *kind, int goes)
{
	if (goes >= sensitivity_level(noting->reads))
		return true;
	*(kind[0] == '\0' ? &noting->has_tool : &noting->has_recipients) = true;
	if (noting->tools_count++ >= PLAN_NOTE_TOOLS_MAX)
		return true;
	noting->tools = text_format(noting->plan->arena, "%.*s%s%.*s (%s%s)",
		TEXT_ARGS(noting->tools), noting->tools.length == 0 ? "" : ", ", TEXT_ARGS(tool),
		kind, level_word(goes));
	return noting->tools.data != NULL;
}

/* A call that names recipients needs their lines; the tool's own does not stand in for them. */
static bool note_line(struct noting *noting, uint32_t at)
{
	const struct charter *charter = noting->charter;
	const struct entitlement *line = &charter->entitlements[at];
	const struct object *object;

	if (line->resource_kind != RESOURCE_TOOL || has_line_before(charter, at))
		return true;
	object = noting->find(noting->context, OBJECT_TOOL, line->resource);
	if (object == NULL)
		return true;
	if (tool_has_recipients(object->tool) &&
		!note_place(noting, line->resource, "recipients: ", most_to_recipients(charter)))
		return false;
	if (!tool_carries(object->tool) || tool_goes_to_recipients(object->tool))
		return true;
	return note_place(noting, line->resource, "", most_to_tool(charter, line->resource));
}

static struct text note_text(const struct noting *noting)
{
	const char *word = sensitivity_word(noting->reads);
	struct text to_recipients = text_format(noting->plan->arena,
		"%s to a recipient (NAME@HOST, *@HOST, person:NAME) up to %s",
		noting->has_tool ? " or, of recipients," : " an output", word);
	struct text to_tool =
		text_format(noting->plan->arena, " an output {to: SERVER/TOOL, up-to: %s}", word);

	if (to_recipients.data == NULL || to_tool.data == NULL)
		return (struct text){0};
	return text_format(noting->plan->arena,
		"a task that has read %s data is refused what lets less go: %.*s%s;%.*s%.*s lets "
		"it, where that is meant",
		word, TEXT_ARGS(noting->tools),
		noting->tools_count > PLAN_NOTE_TOOLS_MAX ? " and more" : "",
		noting->has_tool ? (int)to_tool.length : 0, to_tool.data,
		noting->has_recipients ? (int)to_recipients.length : 0, to_recipients.data);
}

static bool note_charter(struct noting *noting, const struct plan_change *change)
{
	struct plan_note *note = &noting->notes[noting->plan->notes_count];

	noting->charter = charter_of(change->after);
	noting->reads = most_it_reads(noting);
	noting->tools = TEXT("");
	noting->tools_count = 0;
	noting->has_tool = noting->has_recipients = false;
	for (uint32_t i = 0; i < noting->charter->entitlements_count; i++)
		if (!note_line(noting, i))
			return false;
	if (noting->tools_count == 0)
		return true;
	note->kind = change->kind;
	note->name = change->name;
	note->text = note_text(noting);
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

/* What a call on record read, and what it took out: by what its record says it touched, and by what
 * the registry of its day says of that.  How sensitive it was is not taken from the record, but for
 * what its task had read before, which the log alone tells. */
#include "domain/control/record_private.h"
#include "domain/decide/decide.h"

static int source_level(const struct seeing *seeing, const struct json *name)
{
	struct record_day_entry source;

	if (name->type != JSON_STRING)
		return 0;
	source = seeing_entry(seeing, OBJECT_DATA_SOURCE, name->string);
	return source.in_force == NULL
		       ? 0
		       : sensitivity_level(source.in_force->data_source->sensitivity);
}

/* Where rows are judged one by one, none above the ceiling came; else all of the source may. */
bool seeing_lists(
	const struct seeing *seeing, const struct charter *charter, const struct json *name)
{
	enum sensitivity rows = sensitivity_of(json_text_or(seeing->record, "ceiling", ""));
	const struct charter_data_source *line;
	struct record_day_entry source;

	if (charter == NULL || name->type != JSON_STRING)
		return false;
	line = charter_find_data_source(charter, name->string);
	if (line == NULL || line->up_to == SENSITIVITY_UNLABELLED)
		return false;
	source = seeing_entry(seeing, OBJECT_DATA_SOURCE, name->string);
	if (!source.is_known)
		return true;
	if (source.in_force == NULL)
		return false;
	if (rows == SENSITIVITY_UNLABELLED)
		rows = source.in_force->data_source->sensitivity;
	return sensitivity_level(rows) <= sensitivity_level(line->up_to);
}

/* What is above the ceiling does not come. */
int seeing_read_level(const struct seeing *seeing)
{
	const struct json *sources = record_list(seeing->record, "sources");
	int ceiling = ceiling_level(sensitivity_of(json_text_or(seeing->record, "ceiling", "")));
	int level = 0;

	for (uint32_t i = 0; sources != NULL && i < sources->count; i++) {
		int of_source = source_level(seeing, &sources->items[i]);

		level = of_source > level ? of_source : level;
	}
	return ceiling > 0 && ceiling < level ? ceiling : level;
}

int seeing_carried_level(const struct seeing *seeing)
{
	const struct json *labels = json_find(seeing->record, "labels");
	int had = ceiling_level(sensitivity_of(json_text_or(labels, "sensitivity", "")));
	int reads = seeing_read_level(seeing);
	int level = sensitivity_level(SENSITIVITY_PUBLIC);

	level = had > level ? had : level;
	return reads > level ? reads : level;
}

/* ---- where it went ---- */

/* Whether the argument had a value: then it is known whence that came. */
static bool has_value(const struct seeing *seeing, struct text argument)
{
	const struct json *from = record_list(json_find(seeing->record, "origins"), "from");

	for (uint32_t i = 0; from != NULL && i < from->count; i++)
		if (text_equal(json_text_or(&from->items[i], "argument", ""), argument) &&
			json_text_or(&from->items[i], "origin", "").length > 0)
			return true;
	return false;
}

bool seeing_has_target(const struct seeing *seeing, const struct tool *tool, enum target_form form)
{
	for (uint32_t i = 0; i < tool->targets_count; i++)
		if (tool->targets[i].form == form && has_value(seeing, tool->targets[i].argument))
			return true;
	return false;
}

/* A client's answer goes to the server that asked. */
bool seeing_is_to_tool(const struct seeing *seeing, const struct tool *tool)
{
	if (json_find(seeing->record, "within") != NULL)
		return true;
	if (tool->effect == EFFECT_READ && !seeing_has_target(seeing, tool, TARGET_URL))
		return false;
	return !tool_goes_to_recipients(tool) || !seeing_has_target(seeing, tool, TARGET_RECIPIENT);
}

/* ---- lines ---- */

/* A line may name a peer with all that it has. */
static bool is_to_tool(const struct seeing *seeing, struct text to)
{
	struct text name = json_text_or(seeing->record, "tool", "");
	const struct tool *tool = seeing_tool(seeing);

	if (!text_starts_with(to, "peer:"))
		return name.length > 0 && text_equal(to, name);
	return (tool == NULL || tool_is_skill(tool)) &&
	       text_equal(text_after(to, sizeof "peer:" - 1), text_before(name, '/'));
}

bool record_output_is_to(
	const struct seeing *seeing, const struct charter_output *line, struct text to)
{
	if (text_is(to, "reply"))
		return text_is(line->to, "reply");
	if (text_is(to, "recipient"))
		return output_is_to_recipients(line);
	return text_is(to, "tool") && is_to_tool(seeing, line->to);
}

bool seeing_lets_go(
	const struct seeing *seeing, const struct charter *charter, struct text to, int level)
{
	if (text_is(to, "tool") && level <= sensitivity_level(SENSITIVITY_PUBLIC))
		return true;
	for (uint32_t i = 0; charter != NULL && i < charter->outputs_count; i++)
		if (record_output_is_to(seeing, &charter->outputs[i], to) &&
			level <= ceiling_level(charter->outputs[i].up_to))
			return true;
	return false;
}

/* What allowed calls let out, by the lines that their records name, held against the charters of
 * their day.
 *
 *   what went out, by what it read and its targets ──▶ is there a line for it on record?
 *   each line on record ──▶ was it in the charter, is it about that place, does it cover the data?
 *
 * Records of before name no lines: then any line of the charter does that would have let it go. */
#include "domain/control/record_private.h"
#include "domain/decide/decide.h"

/* ---- each that is named ---- */

static const struct charter_output *line_of(const struct seeing *seeing, const struct json *output)
{
	int64_t line = json_integer_or(output, "line", -1);

	return seeing->charter == NULL || line < 0 || line >= seeing->charter->outputs_count
		       ? NULL
		       : &seeing->charter->outputs[line];
}

/* Without a line public data goes, and to a tool alone. */
static bool is_within(const struct seeing *seeing, const struct json *output)
{
	const struct charter_output *line = line_of(seeing, output);
	struct text to = json_text_or(output, "to", "");
	int level = sensitivity_level(sensitivity_of(json_text_or(output, "data", "")));
	int least = text_is(to, "reply") ? seeing_read_level(seeing) : seeing_carried_level(seeing);

	if (level < least)
		return false;
	if (line == NULL)
		return json_find(output, "line") == NULL && text_is(to, "tool") &&
		       level <= sensitivity_level(SENSITIVITY_PUBLIC);
	return record_output_is_to(seeing, line, to) && level <= ceiling_level(line->up_to);
}

static bool are_within(const struct seeing *seeing, const struct json *outputs)
{
	for (uint32_t i = 0; outputs != NULL && i < outputs->count; i++)
		if (!is_within(seeing, &outputs->items[i]))
			return false;
	return true;
}

/* ---- what went out ---- */

static bool is_named(const struct seeing *seeing, const struct json *outputs, struct text to)
{
	if (outputs == NULL)
		return seeing_lets_go(seeing, seeing->charter, to,
			text_is(to, "reply") ? seeing_read_level(seeing)
					     : seeing_carried_level(seeing));
	for (uint32_t i = 0; i < outputs->count; i++)
		if (text_equal(json_text_or(&outputs->items[i], "to", ""), to))
			return true;
	return false;
}

static bool are_all_named(const struct seeing *seeing, const struct json *outputs)
{
	const struct json *sources = record_list(seeing->record, "sources");
	const struct tool *tool = seeing_tool(seeing);

	if (sources != NULL && sources->count > 0 && !is_named(seeing, outputs, TEXT("reply")))
		return false;
	if (tool == NULL)
		return true;
	return (!seeing_has_target(seeing, tool, TARGET_RECIPIENT) ||
		       is_named(seeing, outputs, TEXT("recipient"))) &&
	       (!seeing_is_to_tool(seeing, tool) || is_named(seeing, outputs, TEXT("tool")));
}

bool record_see_outputs(struct record_watch *watch, const struct json *record, struct error *err)
{
	const struct json *outputs = record_list(record, "outputs");
	struct seeing seeing = seeing_of(watch, record);
	enum looked looked =
		seeing_look(&seeing, json_text_or(record, "identity", ""), &seeing.charter, err);

	if (looked != LOOKED_FOUND)
		return looked == LOOKED_UNKNOWN;
	if (!are_within(&seeing, outputs) || !are_all_named(&seeing, outputs))
		record_tell_of(watch, RECORD_CHECK_OUTPUT, record);
	return true;
}

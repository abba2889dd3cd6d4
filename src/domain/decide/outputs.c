/* Where data may go: a reply, recipients, tools and their targets.
 *
 * What a task has read so far may stand in whatever it sends next, so each call that carries
 * data out is held to the task's label: a call that writes or executes, and a read that a URL
 * or a recipient takes elsewhere.  A path, account or object of a read only says which of the
 * server's own things is meant.
 *
 * Invariants:
 *  1. what no line covers is not carried, save public data to a registered tool;
 *  2. a lower label never turns an allow into a deny;
 *  3. of two lines of a tool the one that says its targets goes first, of several of these
 *     that match the lowest. */

#include "domain/decide/evaluation.h"
#include "domain/flow/flow_result.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

enum { CARRIED_TARGET_BYTES_MAX = 4096 }; /* of one target; no glob is like a longer one */

/* ---- what is carried --------------------------------------------------------------- */

enum sensitivity carried_label(const struct evaluation *evaluation)
{
	enum sensitivity label = evaluation->out->labels.sensitivity;

	if (label == SENSITIVITY_UNLABELLED)
		label = SENSITIVITY_PUBLIC;
	if (evaluation->sources_count != 0 &&
		sensitivity_level(evaluation->sensitivity) > sensitivity_level(label))
		label = evaluation->sensitivity;
	return label;
}

static bool has_target_of(const struct tool *tool, enum target_form form)
{
	uint32_t i;

	for (i = 0; i < tool->targets_count; i++)
		if (tool->targets[i].form == form)
			return true;
	return false;
}

bool tool_carries(const struct tool *tool)
{
	return tool->effect != EFFECT_READ || has_target_of(tool, TARGET_URL) ||
	       method_is_asked(method_find_dotted(tool->tool_name));
}

bool tool_has_recipients(const struct tool *tool)
{
	return has_target_of(tool, TARGET_RECIPIENT);
}

bool tool_goes_to_recipients(const struct tool *tool)
{
	uint32_t i;

	for (i = 0; i < tool->targets_count; i++)
		if (tool->targets[i].form != TARGET_RECIPIENT)
			return false;
	return tool->targets_count != 0;
}

/* Texts and numbers of a target that the call has; absent and empty ones are none. */
static uint32_t values_of(const struct evaluation *evaluation, const struct tool_target *target,
	const struct json **out)
{
	const struct json *value = json_find_text(&evaluation->call->arguments, target->argument);

	*out = value;
	if (value == NULL)
		return 0;
	if (value->type != JSON_ARRAY)
		return 1;
	*out = value->items;
	return value->count;
}

/* Whether this call has a target of the form, or, with `wanted` false, of another one. */
static bool call_has_target(const struct evaluation *evaluation, enum target_form form, bool wanted)
{
	const struct tool *tool = evaluation->tool;
	const struct json *values;
	uint32_t i;

	for (i = 0; i < tool->targets_count; i++)
		if ((tool->targets[i].form == form) == wanted &&
			values_of(evaluation, &tool->targets[i], &values) != 0)
			return true;
	return false;
}

/* ---- lines of tools ----------------------------------------------------------------- */

static bool is_value_like(struct text glob, const struct json *value)
{
	char digits[FLOW_DIGITS_BYTES];

	if (value->type == JSON_INTEGER)
		return text_is_like(glob, flow_digits(digits, value->integer));
	return value->type == JSON_STRING && value->string.length <= CARRIED_TARGET_BYTES_MAX &&
	       text_is_like(glob, value->string);
}

/* Whether each target of the call but recipients is like the glob, and there is one. */
static bool are_targets_like(const struct evaluation *evaluation, struct text glob)
{
	const struct tool *tool = evaluation->tool;
	const struct json *values;
	bool has_one = false;
	uint32_t i, item, count;

	for (i = 0; i < tool->targets_count; i++) {
		if (tool->targets[i].form == TARGET_RECIPIENT)
			continue;
		count = values_of(evaluation, &tool->targets[i], &values);
		for (item = 0; item < count; item++)
			if (!is_value_like(glob, &values[item]))
				return false;
		has_one |= count != 0;
	}
	return has_one;
}

bool output_is_to_tool(const struct charter_output *line, const struct tool *tool)
{
	if (text_equal(line->to, tool->name))
		return true;
	return tool_is_skill(tool) && text_starts_with(line->to, "peer:") &&
	       text_equal(text_after(line->to, sizeof "peer:" - 1), tool->server);
}

const struct charter_output *output_to_tool(
	const struct evaluation *evaluation, const struct charter *charter)
{
	const struct charter_output *any = NULL, *lowest = NULL;
	uint32_t i;

	for (i = 0; i < charter->outputs_count; i++) {
		const struct charter_output *line = &charter->outputs[i];

		if (!output_is_to_tool(line, evaluation->tool))
			continue;
		if (line->target.length == 0 &&
			(any == NULL || !text_starts_with(line->to, "peer:")))
			any = line;
		else if (line->target.length == 0)
			continue;
		else if ((lowest == NULL ||
				 ceiling_level(line->up_to) < ceiling_level(lowest->up_to)) &&
			 are_targets_like(evaluation, line->target))
			lowest = line;
	}
	return lowest != NULL ? lowest : any;
}

/* ---- lines of recipients -------------------------------------------------------------- */

/* "NAME@HOST" is a recipient; "reply", a tool and "peer:" are none, whatever the call says. */
static bool is_this_recipient(struct text line, struct text to)
{
	if (text_starts_with(line, "person:"))
		return text_equal(text_after(line, sizeof "person:" - 1), to);
	return text_find_byte(line, '@') > 0 && text_find_byte(line, ':') < 0 &&
	       text_equal(line, to);
}

bool output_is_to_recipients(const struct charter_output *line)
{
	return text_starts_with(line->to, "person:") ||
	       (text_find_byte(line->to, '@') > 0 && text_find_byte(line->to, ':') < 0 &&
		       text_find_byte(line->to, '/') < 0);
}

/* The line that names the recipient, or the person; else the first about anybody there. */
static const struct charter_output *output_to_recipient(
	const struct charter *charter, struct text to)
{
	const struct charter_output *found = NULL;
	uint32_t i;

	for (i = 0; i < charter->outputs_count; i++) {
		if (is_this_recipient(charter->outputs[i].to, to))
			return &charter->outputs[i];
		if (found == NULL && output_is_anybody_at(charter->outputs[i].to, to))
			found = &charter->outputs[i];
	}
	return found;
}

static const struct charter_output *output_to_reply(const struct charter *charter)
{
	uint32_t i;

	for (i = 0; i < charter->outputs_count; i++)
		if (text_is(charter->outputs[i].to, "reply"))
			return &charter->outputs[i];
	return NULL;
}

/* ---- what is noted -------------------------------------------------------------------- */

/* The line's bit; what is only tried may be one more than a charter can have. */
static uint64_t line_bit(const struct charter *charter, const struct charter_output *line)
{
	ptrdiff_t at = line == NULL ? CHARTER_LIST_MAX : line - charter->outputs;

	return at < CHARTER_LIST_MAX ? UINT64_C(1) << at : 0;
}

/* Of the caller's own charter: those above it in the chain are named by nobody. */
static void note_carried(struct evaluation *evaluation, const struct registry_entry *entry,
	uint64_t recipients, uint64_t tool)
{
	struct decision_outputs *outputs = &evaluation->out->outputs;

	if (entry != evaluation->entry)
		return;
	outputs->carried = carried_label(evaluation);
	outputs->recipients |= recipients;
	outputs->tool |= tool;
}

static bool note_tool(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct charter_output *line)
{
	note_carried(evaluation, entry, 0, line_bit(charter_of(entry->in_force), line));
	if (entry == evaluation->entry)
		evaluation->out->outputs.is_to_tool = true;
	return true;
}

/* ---- the rule ------------------------------------------------------------------------- */

static bool refuse_output(struct evaluation *evaluation, const struct registry_entry *entry,
	enum sensitivity label, struct text to)
{
	return refuse(evaluation, REASON_OUTPUT,
		SAY("The charter %.*s@%u does not let %s data go to %.*s.", TEXT_ARGS(entry->name),
			entry->in_force->version, sensitivity_word(label), TEXT_ARGS(to)),
		SAY("An output to %.*s up to %s in the charter of %.*s, approved.", TEXT_ARGS(to),
			sensitivity_word(label), TEXT_ARGS(entry->name)));
}

/* The person of that name; a mail address does not become somebody else's by capitals. */
static const struct person *find_named(struct evaluation *evaluation, struct text name)
{
	const struct person *person = evaluation_find_person(evaluation, name);
	struct text lower;
	char *bytes;
	size_t i;

	if (person != NULL || name.length > PERSON_NAME_BYTES_MAX)
		return person;
	bytes = arena_copy_text(evaluation->arena, name.data, name.length);
	lower = (struct text){bytes, name.length};
	for (i = 0; bytes != NULL && i < name.length; i++)
		if (bytes[i] >= 'A' && bytes[i] <= 'Z')
			bytes[i] = (char)(bytes[i] - 'A' + 'a');
	return bytes == NULL ? NULL : evaluation_find_person(evaluation, lower);
}

/* Nobody gets more than their clearance, where they have one, whatever line names them.  The
 * sentence goes to an agent, and says nothing of what they are cleared for. */
static bool check_clearance(
	struct evaluation *evaluation, struct text to, struct text argument, enum sensitivity label)
{
	const struct person *person = find_named(evaluation, to);

	if (person == NULL || person->clearance == SENSITIVITY_UNLABELLED ||
		sensitivity_level(person->clearance) >= sensitivity_level(label))
		return true;
	return refuse(evaluation, REASON_OUTPUT,
		SAY("A person that argument %.*s names is not cleared for %s data.",
			TEXT_ARGS(argument), sensitivity_word(label)),
		SAY("A recipient whose clearance covers %s data.", sensitivity_word(label)));
}

/* A sentence names the argument and never its value, for sentences are recorded. */
static bool check_recipient(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct tool_target *target)
{
	enum sensitivity label = carried_label(evaluation);
	const struct json *values;
	uint32_t i, count = values_of(evaluation, target, &values);

	for (i = 0; i < count; i++) {
		struct text to = values[i].string;
		const struct charter_output *line =
			output_to_recipient(charter_of(entry->in_force), to);

		if (line == NULL || ceiling_level(line->up_to) < sensitivity_level(label))
			return refuse_output(evaluation, entry, label,
				SAY("a recipient that argument %.*s names",
					TEXT_ARGS(target->argument)));
		if (!check_clearance(evaluation, to, target->argument, label))
			return false;
		note_carried(evaluation, entry, line_bit(charter_of(entry->in_force), line), 0);
	}
	return true;
}

bool output_lets_elsewhere(const struct evaluation *evaluation, const struct charter_output *line)
{
	return text_equal(line->to, evaluation->tool->name) && line->target.length != 0 &&
	       ceiling_level(line->up_to) >= sensitivity_level(carried_label(evaluation));
}

/* " to targets like GLOB, GLOB": where the charter lets this data go; empty: nowhere.  Nobody
 * is told what another identity's charter says. */
static struct text told_elsewhere(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct text globs = TEXT("");
	bool has_more = false;
	uint32_t i, count = 0;

	for (i = 0; entry == evaluation->entry && i < charter->outputs_count; i++) {
		struct text glob = charter->outputs[i].target;

		if (!output_lets_elsewhere(evaluation, &charter->outputs[i]))
			continue;
		has_more = count == OUTPUT_GLOBS_TOLD_MAX ||
			   (count > 0 && globs.length + glob.length > QUOTED_BYTES_MAX);
		if (has_more)
			break;
		globs = SAY("%.*s%s%.*s", TEXT_ARGS(globs), count++ == 0 ? "" : ", ",
			TEXT_ARGS(evaluation_quoted(evaluation, glob)));
	}
	if (count == 0)
		return globs;
	return SAY(" to targets like %.*s%s", TEXT_ARGS(globs), has_more ? " and others" : "");
}

/* What would do in the call, before what would in the charter. */
static bool refuse_tool(struct evaluation *evaluation, const struct registry_entry *entry,
	enum sensitivity label, struct text to)
{
	struct text elsewhere = told_elsewhere(evaluation, entry);

	if (elsewhere.length == 0)
		return refuse_output(evaluation, entry, label, to);
	(void)refuse_output(evaluation, entry, label,
		SAY("%.*s, only%.*s", TEXT_ARGS(to), TEXT_ARGS(elsewhere)));
	evaluation->out->needed = SAY(
		"A call%.*s alone, or an output to %.*s up to %s in the charter of %.*s, approved.",
		TEXT_ARGS(elsewhere), TEXT_ARGS(to), sensitivity_word(label),
		TEXT_ARGS(entry->name));
	return false;
}

/* What may go to a skill at all, whoever hands it over. */
static bool check_skill(struct evaluation *evaluation)
{
	const struct tool *tool = evaluation->tool;
	enum sensitivity label = carried_label(evaluation);

	if (!tool_is_skill(tool) || sensitivity_level(label) <= ceiling_level(tool->up_to))
		return true;
	return refuse(evaluation, REASON_SENSITIVITY,
		SAY("The task has read %s data; data up to %s may go to %.*s.",
			sensitivity_word(label), sensitivity_word(tool->up_to),
			TEXT_ARGS(tool->name)),
		SAY("A peer that may get %s data.", sensitivity_word(label)));
}

/* The tool, and of the line that keeps the data back to which targets; of another identity's
 * charter which line it is, and not what it says. */
static struct text told_tool(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct charter_output *line)
{
	struct text to = evaluation->tool->name;

	if (line == NULL)
		return to;
	if (entry != evaluation->entry)
		return SAY("%.*s (outputs[%u])", TEXT_ARGS(to),
			(unsigned)(line - charter_of(entry->in_force)->outputs));
	if (line->target.length == 0)
		return to;
	return SAY("%.*s at targets like %.*s", TEXT_ARGS(to),
		TEXT_ARGS(evaluation_quoted(evaluation, line->target)));
}

static bool check_tool(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct charter_output *line = output_to_tool(evaluation, charter_of(entry->in_force));
	enum sensitivity label = carried_label(evaluation);
	int level = sensitivity_level(label);

	if (!check_skill(evaluation) || !check_peer_data(evaluation, entry))
		return false;
	if (line == NULL ? level <= sensitivity_level(SENSITIVITY_PUBLIC)
			 : level <= ceiling_level(line->up_to))
		return note_tool(evaluation, entry, line);
	return refuse_tool(evaluation, entry, label, told_tool(evaluation, entry, line));
}

/* A tool's name is no method's, but a question names the method as a tool. */
static bool is_asked(const struct evaluation *evaluation)
{
	if (evaluation->call->route == METHOD_ASKED)
		return true;
	return evaluation->world->scope == DECIDE_FOR_QUESTION &&
	       method_is_asked(method_find_dotted(evaluation->tool->tool_name));
}

bool is_carried_to_tool(const struct evaluation *evaluation)
{
	const struct tool *tool = evaluation->tool;

	if (is_asked(evaluation)) /* the client's answer goes to the server */
		return true;
	if (tool->effect == EFFECT_READ && !call_has_target(evaluation, TARGET_URL, true))
		return false;
	return !tool_goes_to_recipients(tool) ||
	       !call_has_target(evaluation, TARGET_RECIPIENT, true);
}

bool check_outputs(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct tool *tool = evaluation->tool;
	uint32_t i;

	for (i = 0; tool != NULL && i < tool->targets_count; i++)
		if (tool->targets[i].form == TARGET_RECIPIENT &&
			!check_recipient(evaluation, entry, &tool->targets[i]))
			return false;
	return tool == NULL || !is_carried_to_tool(evaluation) || check_tool(evaluation, entry);
}

/* Rows above what may be replied do not come where they are judged one by one. */
static bool check_reply(struct evaluation *evaluation)
{
	const struct charter_output *line = output_to_reply(evaluation->charter);

	if (is_judged_by_row(evaluation) && line != NULL && line->up_to != SENSITIVITY_UNLABELLED)
		lower_ceiling(evaluation, line->up_to);
	if (line != NULL &&
		ceiling_level(line->up_to) >= sensitivity_level(evaluation->sensitivity)) {
		evaluation->out->outputs.reply = line_bit(evaluation->charter, line);
		return true;
	}
	return refuse_output(evaluation, evaluation->entry, evaluation->sensitivity, TEXT("reply"));
}

bool rule_outputs(struct evaluation *evaluation)
{
	if (evaluation->sources_count != 0 && !check_reply(evaluation))
		return false;
	return check_outputs(evaluation, evaluation->entry);
}

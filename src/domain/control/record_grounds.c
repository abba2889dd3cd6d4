/* What an allowed call on record went by, held against the registry of its day: was it all there,
 * and what had come together in its task? */
#include "domain/control/record_private.h"
#include "domain/decide/decide.h"

/* ---- what decides it ---- */

/* The version in force, and no other. */
static bool names_charter(const struct seeing *seeing, struct text identity)
{
	const struct record_day_entry entry = seeing_entry(seeing, OBJECT_IDENTITY, identity);
	struct text charter = json_text_or(seeing->record, "charter", "");
	int64_t version;

	return entry.in_force != NULL && text_equal(text_before(charter, '@'), identity) &&
	       charter.length > identity.length + 1 &&
	       text_to_int64(text_after(charter, identity.length + 1), &version) &&
	       version == (int64_t)entry.in_force->version;
}

/* "charter/NAME@VERSION/entitlements/N": its number; -1: it names none of that charter. */
static int64_t number_of(const struct seeing *seeing)
{
	struct text rest = json_text_or(seeing->record, "entitlement", "");
	struct text charter = json_text_or(seeing->record, "charter", "");
	int64_t number;

	if (!text_is(text_cut(&rest, '/'), "charter") ||
		!text_equal(text_cut(&rest, '/'), charter) ||
		!text_is(text_cut(&rest, '/'), "entitlements") || !text_to_int64(rest, &number))
		return -1;
	return number;
}

static bool is_about(
	const struct entitlement *line, const struct tool *tool, const struct json *record)
{
	struct text name = json_text_or(record, "tool", "");

	if (tool == NULL)
		return line->resource_kind == RESOURCE_MODEL && text_equal(line->resource, name);
	if (line->effect != tool->effect)
		return false;
	if (tool_is_skill(tool))
		return line->resource_kind == RESOURCE_PEER &&
		       text_equal(line->resource, tool->server);
	return line->resource_kind == RESOURCE_TOOL && text_equal(line->resource, name);
}

/* The line that permits it is of the charter, about what was asked for, and not over. */
static bool names_line(const struct seeing *seeing, const struct tool *tool)
{
	int64_t number = number_of(seeing);
	int64_t decided_utc_ms = json_integer_or(
		seeing->record, "decided", json_integer_or(seeing->record, "at", 0));
	const struct entitlement *line;

	if (number < 0 || number >= seeing->charter->entitlements_count)
		return false;
	line = &seeing->charter->entitlements[number];
	return is_about(line, tool, seeing->record) &&
	       !is_expired(line->expires_utc_s, decided_utc_ms / 1000);
}

/* It is as it was pinned, or nothing is pinned and it passes for no other; and the arguments fit
 * it. */
static bool is_as_pinned(const struct json *record, const struct tool *tool)
{
	struct text word = json_text_or(record, "definition", "");
	struct text form = json_text_or(record, "form", "");

	for (int i = DEFINITION_RENAMED; i <= DEFINITION_LOOK_ALIKE; i++)
		if (text_is(word, definition_state_word((enum definition_state)i)))
			return false;
	if (!tool->has_definition || word.length == 0 ||
		text_is(word, definition_state_word(DEFINITION_UNSEEN)))
		return true;
	return text_is(word, definition_state_word(DEFINITION_MATCHES)) &&
	       (form.length == 0 || text_is(form, arguments_state_word(ARGUMENTS_VALID)));
}

static bool is_founded(const struct seeing *seeing, struct text identity)
{
	const struct tool *tool = seeing_tool(seeing);

	if (seeing->charter == NULL || !names_charter(seeing, identity))
		return false;
	if (tool == NULL)
		return !record_is_of_model(seeing->record) || names_line(seeing, NULL);
	return names_line(seeing, tool) && is_as_pinned(seeing->record, tool);
}

bool record_see_grounds(struct record_watch *watch, const struct json *record, struct error *err)
{
	struct text identity = json_text_or(record, "identity", "");
	struct seeing seeing = seeing_of(watch, record);
	enum looked looked = seeing_look(&seeing, identity, &seeing.charter, err);

	if (looked != LOOKED_FOUND)
		return looked == LOOKED_UNKNOWN;
	if (!is_founded(&seeing, identity))
		record_tell_of(watch, RECORD_CHECK_UNFOUNDED, record);
	return true;
}

/* ---- what came together ---- */

static bool is_strange(const struct json *origins, const char *form)
{
	struct text origin = json_text_or(origins, form, "");

	return text_is(origin, "unknown") || text_is(origin, "untrusted");
}

/* Private data and a stranger's text in one task, and a way out that nobody named. */
void record_see_combination(struct record_watch *watch, const struct json *record)
{
	const struct json *labels = json_find(record, "labels");
	const struct json *origins = json_find(record, "origins");
	enum sensitivity had = sensitivity_of(json_text_or(labels, "sensitivity", ""));

	if (ceiling_level(had) >= sensitivity_level(SENSITIVITY_CONFIDENTIAL) &&
		json_boolean_or(labels, "untrusted", false) &&
		(is_strange(origins, "recipient") || is_strange(origins, "url")))
		record_tell_of(watch, RECORD_CHECK_COMBINATION, record);
}

/* What records say of allowed calls, held against the charters of their day.  The charter is that
 * which was in force at the revision the decision names; what that says was written by people, and
 * what is compared with it was written by remit when it decided. */
#include "domain/control/record_private.h"

/* ---- reads ---- */

/* Whether it names what its tool reads whatever the arguments; and of a tool that reads, at least
 * one. */
static bool names_reads(const struct seeing *seeing, const struct json *sources)
{
	const struct record_day_entry entry =
		seeing_entry(seeing, OBJECT_TOOL, json_text_or(seeing->record, "tool", ""));
	const struct tool *tool;

	if (!entry.is_known || entry.in_force == NULL)
		return true;
	tool = entry.in_force->tool;
	for (uint32_t i = 0; i < tool->reads_count; i++) {
		const struct tool_read *read = &tool->reads[i];

		if (read->when.length + read->uri.length + read->prompt.length == 0 &&
			!record_list_has(sources, read->data_source))
			return false;
	}
	return tool->reads_count == 0 || (sources != NULL && sources->count > 0);
}

bool record_see_reads(struct record_watch *watch, const struct json *record, struct error *err)
{
	const struct json *sources = record_list(record, "sources");
	struct seeing seeing = seeing_of(watch, record);
	enum looked looked =
		seeing_look(&seeing, json_text_or(record, "identity", ""), &seeing.charter, err);
	bool is_within;

	if (looked != LOOKED_FOUND)
		return looked == LOOKED_UNKNOWN;
	is_within = names_reads(&seeing, sources);
	for (uint32_t i = 0; is_within && sources != NULL && i < sources->count; i++)
		is_within = seeing_lists(&seeing, seeing.charter, &sources->items[i]);
	if (!is_within)
		record_tell_of(watch, RECORD_CHECK_READ, record);
	return true;
}

/* The names of `sources`, with blanks between, as seen_create keeps them. */
static bool has_word(struct text words, struct text word)
{
	while (words.length > 0) {
		ptrdiff_t end = text_find_byte(words, ' ');
		struct text first = {words.data, end < 0 ? words.length : (size_t)end};

		if (text_equal(first, word))
			return true;
		words = end < 0 ? TEXT("") : text_after(words, (size_t)end + 1);
	}
	return false;
}

/* What came is of what was allowed, and no more sensitive. */
void record_see_retrieval(
	struct record_watch *watch, const struct seen *call, const struct json *record)
{
	const struct json *retrieval = json_find(record, "retrieval");
	const struct json *sources = record_list(retrieval, "sources");
	enum sensitivity came = sensitivity_of(json_text_or(retrieval, "sensitivity", ""));
	bool is_within = true;

	if (call == NULL || retrieval == NULL)
		return;
	for (uint32_t i = 0; is_within && sources != NULL && i < sources->count; i++)
		is_within = sources->items[i].type == JSON_STRING &&
			    has_word(call->sources, sources->items[i].string);
	if (came != SENSITIVITY_UNLABELLED && call->rows != SENSITIVITY_UNLABELLED)
		is_within &= sensitivity_level(came) <= sensitivity_level(call->rows);
	if (!is_within)
		record_tell(watch, RECORD_CHECK_READ, watch->next, call->identity);
}

/* ---- first uses ---- */

static bool reads_production(const struct seeing *seeing)
{
	const struct json *sources = record_list(seeing->record, "sources");

	for (uint32_t i = 0; sources != NULL && i < sources->count; i++) {
		struct record_day_entry entry;

		if (sources->items[i].type != JSON_STRING)
			continue;
		entry = seeing_entry(seeing, OBJECT_DATA_SOURCE, sources->items[i].string);
		if (entry.in_force != NULL &&
			entry.in_force->data_source->environment == ENVIRONMENT_PROD)
			return true;
	}
	return false;
}

static bool is_production(const struct seeing *seeing)
{
	const struct record_day_entry server =
		seeing_entry(seeing, OBJECT_SERVER, json_text_or(seeing->record, "server", ""));

	return text_is(json_text_or(seeing->record, "environment", ""), "prod") ||
	       (server.in_force != NULL &&
		       server.in_force->server->environment == ENVIRONMENT_PROD) ||
	       reads_production(seeing);
}

/* A tool of which no risk is said counts as the riskiest. */
static bool is_privileged(const struct seeing *seeing)
{
	const struct record_day_entry tool =
		seeing_entry(seeing, OBJECT_TOOL, json_text_or(seeing->record, "tool", ""));

	return tool.in_force != NULL &&
	       risk_tier_level(tool.in_force->tool->risk) >= risk_tier_level(RISK_HIGH);
}

/* Owners who said yes were told.  By break-glass it is none: the next use is the first. */
void record_see_touch(struct record_watch *watch, const struct json *record)
{
	const struct seeing seeing = seeing_of(watch, record);

	if (!json_boolean_or(record, "first", false) || json_find(record, "break-glass") != NULL ||
		(!is_production(&seeing) && !is_privileged(&seeing)))
		return;
	if (json_text_or(record, "approval", "").length == 0 ||
		!record_list_has(record_list(record, "approvals"), TEXT("owner")))
		record_tell_of(watch, RECORD_CHECK_TOUCH, record);
}

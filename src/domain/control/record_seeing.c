/* The registry as a decision on record saw it: of the revision that it names. */
#include "domain/call/call.h"
#include "domain/control/record_private.h"

struct record_day_entry seeing_entry(
	const struct seeing *seeing, enum object_kind kind, struct text name)
{
	return record_day_find(seeing->watch->day, kind, name, seeing->revision);
}

struct seeing seeing_of(const struct record_watch *watch, const struct json *record)
{
	int64_t revision = json_integer_or(record, "revision", -1);

	return (struct seeing){.watch = watch,
		.record = record,
		.revision = revision < 0 ? RECORD_DAY_LAST : (uint64_t)revision};
}

enum looked seeing_look(const struct seeing *seeing, struct text identity,
	const struct charter **out, struct error *err)
{
	const struct record_day_entry entry = seeing_entry(seeing, OBJECT_IDENTITY, identity);

	*out = NULL;
	if (!entry.is_known || entry.version == 0)
		return LOOKED_UNKNOWN;
	if (entry.in_force != NULL)
		*out = charter_of(entry.in_force);
	if (*out != &charter_lost)
		return LOOKED_FOUND;
	(void)error_set(err, ERROR_LIMIT, "no memory for a charter");
	return LOOKED_FAILED;
}

bool record_is_of_model(const struct json *record)
{
	const struct method *method = method_find(json_text_or(record, "method", ""));

	return call_route(method, CALL_OF_CLIENT) == METHOD_MODEL;
}

const struct tool *seeing_tool(const struct seeing *seeing)
{
	const struct record_day_entry entry =
		seeing_entry(seeing, OBJECT_TOOL, json_text_or(seeing->record, "tool", ""));

	if (record_is_of_model(seeing->record))
		return NULL;
	return entry.is_known && entry.in_force != NULL ? entry.in_force->tool : NULL;
}

const struct json *record_list(const struct json *record, const char *name)
{
	const struct json *list = json_find(record, name);

	return list != NULL && list->type == JSON_ARRAY ? list : NULL;
}

bool record_list_has(const struct json *names, struct text name)
{
	for (uint32_t i = 0; names != NULL && i < names->count; i++)
		if (names->items[i].type == JSON_STRING && text_equal(names->items[i].string, name))
			return true;
	return false;
}

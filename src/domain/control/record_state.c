/* Where a watch stands, as a record keeps it. */
#include "domain/control/record_private.h"

uint64_t record_watch_from(const struct record_watch_state *state)
{
	uint64_t from = state->next;

	for (int i = 0; i < MEMORY_COUNT; i++)
		from = state->since[i] < from ? state->since[i] : from;
	if (!state->has_no_day && state->day.since < from)
		from = state->day.since;
	return from;
}

struct record_watch_state record_watch_stand(const struct record_watch *watch)
{
	struct record_watch_state state = {.next = watch->next, .at_utc_ms = watch->at_utc_ms};

	for (int i = 0; i < MEMORY_COUNT; i++) {
		const struct memory *memory = &watch->memories[i];

		state.since[i] = memory->oldest == NULL ? watch->next : memory->oldest->index;
		state.sure_utc_ms[i] = memory->sure_utc_ms;
	}
	state.day = record_day_stand(watch->day, watch->next);
	return state;
}

/* ---- where it stands, on record ---- */

static bool put_numbers(
	struct json_builder *object, const char *name, const int64_t *numbers, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	for (int i = 0; i < MEMORY_COUNT; i++)
		json_add(&list, json_integer(numbers[i]));
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, name, sealed);
	return true;
}

static bool put_day(
	struct json_builder *object, const struct record_day_state *day, struct error *err)
{
	struct json_builder builder;
	struct json sealed;

	json_object_start(&builder, object->arena);
	json_put_integer(&builder, "revision", (int64_t)day->revision);
	json_put_integer(&builder, "since", (int64_t)day->since);
	json_put_integer(&builder, "sure", day->sure_utc_ms);
	if (!json_object_seal(&builder, &sealed, err))
		return false;
	json_put(object, "day", sealed);
	return true;
}

bool record_watch_state_json(const struct record_watch_state *state, struct arena *arena,
	struct json *out, struct error *err)
{
	struct json_builder object;
	int64_t since[MEMORY_COUNT];

	for (int i = 0; i < MEMORY_COUNT; i++)
		since[i] = (int64_t)state->since[i];
	json_object_start(&object, arena);
	json_put_integer(&object, "at", state->at_utc_ms);
	json_put_integer(&object, "next", (int64_t)state->next);
	return (state->has_no_day || put_day(&object, &state->day, err)) &&
	       put_numbers(&object, "since", since, err) &&
	       put_numbers(&object, "sure", state->sure_utc_ms, err) &&
	       json_object_seal(&object, out, err);
}

static bool read_numbers(int64_t *numbers, const struct json *list)
{
	if (list == NULL || list->type != JSON_ARRAY || list->count != MEMORY_COUNT)
		return false;
	for (int i = 0; i < MEMORY_COUNT; i++) {
		if (list->items[i].type != JSON_INTEGER || list->items[i].integer < 0)
			return false;
		numbers[i] = list->items[i].integer;
	}
	return true;
}

static void read_day(struct record_watch_state *out, const struct json *day)
{
	int64_t revision = json_integer_or(day, "revision", -1);
	int64_t since = json_integer_or(day, "since", -1);

	out->has_no_day = revision < 0 || since < 0;
	if (!out->has_no_day)
		out->day = (struct record_day_state){
			(uint64_t)since, (uint64_t)revision, json_integer_or(day, "sure", 0)};
}

bool record_watch_state_read(struct record_watch_state *out, const struct json *value)
{
	int64_t next = json_integer_or(value, "next", -1);
	int64_t since[MEMORY_COUNT];

	*out = (struct record_watch_state){.at_utc_ms = json_integer_or(value, "at", 0)};
	if (next < 0 || !read_numbers(since, json_find(value, "since")) ||
		!read_numbers(out->sure_utc_ms, json_find(value, "sure"))) {
		*out = (struct record_watch_state){0};
		return false;
	}
	out->next = (uint64_t)next;
	read_day(out, json_find(value, "day"));
	for (int i = 0; i < MEMORY_COUNT; i++)
		out->since[i] = (uint64_t)since[i];
	return true;
}

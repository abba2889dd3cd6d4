#include "services/registry/custodians.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "domain/charter/name_table.h"

struct custodians {
	const struct registry *registry;
	struct name_table *pairs;   /* "UNIT PERSON" -> an entry that says so; NULL: not read */
	struct name_table *vacancy; /* unit -> custodians: it is vacant; else registry */
	uint64_t generation;        /* that they were read of */
};

bool custodians_create(struct custodians **out, const struct registry *registry, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for custodians");
	(*out)->registry = registry;
	return true;
}

void custodians_destroy(struct custodians **custodians)
{
	if (*custodians == NULL)
		return;
	name_table_destroy(&(*custodians)->pairs, NULL);
	name_table_destroy(&(*custodians)->vacancy, NULL);
	free(*custodians);
	*custodians = NULL;
}

/* ---- reading ---- */

enum { PAIR_BYTES = CHARTER_NAME_BYTES_MAX + 1 + PERSON_NAME_BYTES_MAX + 1 };

/* No unit has a blank in its name.  Empty: they are no names. */
static struct text pair_of(char bytes[PAIR_BYTES], struct text unit, struct text person)
{
	int length = snprintf(bytes, PAIR_BYTES, "%.*s %.*s", TEXT_ARGS(unit), TEXT_ARGS(person));

	return length > 0 && length < PAIR_BYTES ? (struct text){bytes, (size_t)length} : TEXT("");
}

struct reading {
	struct name_table *pairs;
	bool has_failed;
};

static bool read_source(void *context, const struct registry_entry *entry)
{
	struct reading *reading = context;
	struct text custodian = registry_custodian(entry);
	char bytes[PAIR_BYTES];
	struct text pair;

	if (custodian.length == 0)
		return true;
	pair = pair_of(bytes, entry->in_force->data_source->unit, custodian);
	if (pair.length > 0 && name_table_find(reading->pairs, pair) == NULL)
		reading->has_failed =
			!name_table_put(reading->pairs, pair, (void *)(uintptr_t)entry);
	return !reading->has_failed;
}

/* False without memory: then nothing is known. */
static bool bring_up(struct custodians *custodians)
{
	uint64_t generation = registry_generation(custodians->registry);
	struct reading reading = {.has_failed = false};

	if (custodians->pairs != NULL && custodians->generation == generation)
		return true;
	name_table_destroy(&custodians->pairs, NULL);
	name_table_destroy(&custodians->vacancy, NULL);
	reading.pairs = name_table_create();
	if (reading.pairs == NULL)
		return false;
	registry_each(custodians->registry, OBJECT_DATA_SOURCE, TEXT(""), read_source, &reading);
	if (reading.has_failed)
		name_table_destroy(&reading.pairs, NULL);
	custodians->pairs = reading.pairs;
	custodians->generation = generation;
	return custodians->pairs != NULL;
}

/* ---- asking ---- */

bool custodians_has(struct custodians *custodians, struct text unit, struct text person)
{
	char bytes[PAIR_BYTES];
	struct text pair = pair_of(bytes, unit, person);

	return person.length > 0 && pair.length > 0 && bring_up(custodians) &&
	       name_table_find(custodians->pairs, pair) != NULL;
}

bool custodians_each(struct custodians *custodians, struct text unit,
	bool (*visit)(void *context, struct text person), void *context, struct error *err)
{
	char bytes[PAIR_BYTES];
	struct text pair = pair_of(bytes, unit, TEXT(""));

	if (!bring_up(custodians))
		return error_set(err, ERROR_LIMIT, "no memory for custodians");
	while (pair.length > 0) {
		const struct registry_entry *entry = name_table_next(custodians->pairs, pair);
		const struct data_source *source =
			entry == NULL ? NULL : entry->in_force->data_source;

		if (source == NULL || !text_equal(source->unit, unit) ||
			!visit(context, source->custodian))
			break;
		pair = pair_of(bytes, unit, source->custodian);
	}
	return true;
}

/* ---- what was found out of whole units ---- */

bool custodians_vacancy(struct custodians *custodians, struct text unit, bool *is_vacant)
{
	const void *kept;

	if (!bring_up(custodians) || custodians->vacancy == NULL)
		return false;
	kept = name_table_find(custodians->vacancy, unit);
	*is_vacant = kept == custodians;
	return kept != NULL;
}

void custodians_keep_vacancy(struct custodians *custodians, struct text unit, bool is_vacant)
{
	const void *kept = is_vacant ? (const void *)custodians : custodians->registry;

	if (!bring_up(custodians))
		return;
	if (custodians->vacancy == NULL)
		custodians->vacancy = name_table_create();
	if (custodians->vacancy == NULL ||
		!name_table_put(custodians->vacancy, unit, (void *)(uintptr_t)kept))
		return; /* without memory it is asked again */
}

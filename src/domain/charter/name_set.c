/* Runs of items in order, and the runs in order.  A run that is full is cut in two, so that
 * one is at least half full unless items were taken out; one that is empty goes.
 *
 * Invariants: no run is empty; the last name of a run is before the first of the next. */
#include "domain/charter/name_set.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_ITEMS_MAX = 128, RUN_ITEMS_FIRST = 2, RUNS_FIRST = 1 };

struct run {
	uint32_t count;
	uint32_t room;
	void *items[];
};

struct name_set {
	struct text (*name_of)(const void *item);
	struct run **runs;
	uint32_t runs_count;
	uint32_t runs_room;
	size_t count;
};

struct name_set *name_set_create(struct text (*name_of)(const void *item))
{
	struct name_set *set = calloc(1, sizeof *set);

	if (set != NULL)
		set->name_of = name_of;
	return set;
}

static void run_destroy(struct run *run, void (*destroy_item)(void *item))
{
	for (uint32_t i = 0; destroy_item != NULL && i < run->count; i++)
		destroy_item(run->items[i]);
	free(run);
}

void name_set_destroy(struct name_set **set, void (*destroy_item)(void *item))
{
	if (*set == NULL)
		return;
	for (uint32_t i = 0; i < (*set)->runs_count; i++)
		run_destroy((*set)->runs[i], destroy_item);
	free((void *)(*set)->runs);
	free(*set);
	*set = NULL;
}

size_t name_set_count(const struct name_set *set)
{
	return set->count;
}

/* ---- finding ---- */

/* Of the last run that begins at or before the name; 0 if none does. */
static uint32_t run_of(const struct name_set *set, struct text name)
{
	uint32_t low = 0, high = set->runs_count;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (text_compare(set->name_of(set->runs[middle]->items[0]), name) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The first place in the run whose name is not before this one. */
static uint32_t place_of(const struct name_set *set, const struct run *run, struct text name)
{
	uint32_t low = 0, high = run->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (text_compare(set->name_of(run->items[middle]), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(
	const struct name_set *set, const struct run *run, uint32_t place, struct text name)
{
	return place < run->count && text_equal(set->name_of(run->items[place]), name);
}

void *name_set_find(const struct name_set *set, struct text name)
{
	const struct run *run;
	uint32_t place;

	if (set->runs_count == 0)
		return NULL;
	run = set->runs[run_of(set, name)];
	place = place_of(set, run, name);
	return is_at(set, run, place, name) ? run->items[place] : NULL;
}

void *name_set_next(const struct name_set *set, struct text after)
{
	uint32_t at, place;

	if (set->runs_count == 0)
		return NULL;
	at = run_of(set, after);
	place = place_of(set, set->runs[at], after);
	place += is_at(set, set->runs[at], place, after) ? 1 : 0;
	if (place < set->runs[at]->count)
		return set->runs[at]->items[place];
	return at + 1 < set->runs_count ? set->runs[at + 1]->items[0] : NULL;
}

/* ---- changing ---- */

static struct run *run_resize(struct run *run, uint32_t room)
{
	struct run *resized = realloc(run, sizeof *run + room * sizeof *run->items);

	if (resized == NULL)
		return NULL;
	if (run == NULL)
		resized->count = 0;
	resized->room = room;
	return resized;
}

/* Room for one more run at `at`, which is not filled. */
static bool open_run(struct name_set *set, uint32_t at)
{
	uint32_t room = set->runs_room == 0 ? RUNS_FIRST : set->runs_room * 2;
	void *runs;

	if (set->runs_count == set->runs_room) {
		runs = realloc((void *)set->runs, room * sizeof *set->runs);
		if (runs == NULL)
			return false;
		set->runs = runs;
		set->runs_room = room;
	}
	memmove((void *)(set->runs + at + 1), (const void *)(set->runs + at),
		(set->runs_count - at) * sizeof *set->runs);
	set->runs_count++;
	return true;
}

static void close_run(struct name_set *set, uint32_t at)
{
	set->runs_count--;
	memmove((void *)(set->runs + at), (const void *)(set->runs + at + 1),
		(set->runs_count - at) * sizeof *set->runs);
}

/* The upper half of the full run gets one of its own. */
static bool cut_run(struct name_set *set, uint32_t at)
{
	uint32_t half = RUN_ITEMS_MAX / 2;
	struct run *upper = run_resize(NULL, RUN_ITEMS_MAX);

	if (upper == NULL)
		return false;
	if (!open_run(set, at + 1)) {
		free(upper);
		return false;
	}
	upper->count = RUN_ITEMS_MAX - half;
	memcpy((void *)upper->items, (const void *)(set->runs[at]->items + half),
		upper->count * sizeof *upper->items);
	set->runs[at]->count = half;
	set->runs[at + 1] = upper;
	return true;
}

static bool grow_run(struct name_set *set, uint32_t at)
{
	struct run *run = set->runs[at];

	if (run->count < run->room)
		return true;
	run = run_resize(run, run->room * 2 > RUN_ITEMS_MAX ? RUN_ITEMS_MAX : run->room * 2);
	if (run == NULL)
		return false;
	set->runs[at] = run;
	return true;
}

static bool put_first(struct name_set *set)
{
	struct run *run;

	if (set->runs_count > 0)
		return true;
	run = run_resize(NULL, RUN_ITEMS_FIRST);
	if (run == NULL)
		return false;
	if (!open_run(set, 0)) {
		free(run);
		return false;
	}
	set->runs[0] = run;
	return true;
}

bool name_set_put(struct name_set *set, void *item)
{
	struct text name = set->name_of(item);
	bool was_empty = set->count == 0;
	struct run *run;
	uint32_t at, place;

	if (was_empty && !put_first(set))
		return false;
	at = was_empty ? 0 : run_of(set, name);
	if (set->runs[at]->count == RUN_ITEMS_MAX) {
		if (!cut_run(set, at))
			return false;
		at = run_of(set, name);
	}
	if (!grow_run(set, at))
		return false;
	run = set->runs[at];
	place = place_of(set, run, name);
	assert(!is_at(set, run, place, name));
	memmove((void *)(run->items + place + 1), (const void *)(run->items + place),
		(run->count - place) * sizeof *run->items);
	run->items[place] = item;
	run->count++;
	set->count++;
	return true;
}

void *name_set_remove(struct name_set *set, struct text name)
{
	struct run *run;
	uint32_t at, place;
	void *item;

	if (set->count == 0)
		return NULL;
	at = run_of(set, name);
	run = set->runs[at];
	place = place_of(set, run, name);
	if (!is_at(set, run, place, name))
		return NULL;
	item = run->items[place];
	run->count--;
	set->count--;
	memmove((void *)(run->items + place), (const void *)(run->items + place + 1),
		(run->count - place) * sizeof *run->items);
	if (run->count == 0) {
		close_run(set, at);
		free(run);
	}
	return item;
}

#include "domain/control/measure.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *word;
	enum measure_of of;
	int64_t most;
	const char *unit;
	const char *meaning;
	const char *untaken;
} rows[MEASURE_COUNT] = {
#define X(name, word, of, most, unit, meaning, untaken)                                            \
	[name] = {word, of, most, unit, meaning, untaken},
	CONTROL_MEASURES(X)
#undef X
};

const char *measure_word(enum control_measure measure)
{
	return rows[measure].word;
}

enum control_measure measure_from_word(struct text word)
{
	for (int i = MEASURE_NONE + 1; i < MEASURE_COUNT; i++)
		if (text_is(word, rows[i].word))
			return i;
	return MEASURE_NONE;
}

const char *measure_meaning(enum control_measure measure)
{
	return rows[measure].meaning;
}

const char *measure_unit(enum control_measure measure)
{
	return rows[measure].unit;
}

int64_t measure_most(enum control_measure measure)
{
	return rows[measure].most;
}

const char *measure_untaken(enum control_measure measure)
{
	return rows[measure].untaken;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of fewer than a hundred it is the worst. */
static int64_t ninety_ninth(const int64_t *values, size_t count)
{
	int64_t sorted[MEASURES_KEPT];

	memcpy(sorted, values, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare);
	return sorted[(99 * count + 99) / 100 - 1];
}

int64_t measure_tell(enum control_measure measure, const int64_t *values, size_t count)
{
	if (count == 0)
		return 0;
	if (rows[measure].of == MEASURE_OF_LAST)
		return values[count - 1];
	return ninety_ninth(values, count);
}

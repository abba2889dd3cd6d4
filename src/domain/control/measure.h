#ifndef DOMAIN_CONTROL_MEASURE_H
#define DOMAIN_CONTROL_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Measures: numbers that are taken again and again while remit runs, each with a bound that a
 * control names.  Pure. */

/* How a measure is told from what was taken: from the last alone, or the 99th of a hundred of
 * those that are kept. */
enum measure_of { MEASURE_OF_LAST = 0, MEASURE_OF_KEPT };

/* X(value, word, of, the most that it may be, unit, what is measured, why it was never taken). */
/* clang-format off */
#define CONTROL_MEASURES(X) \
	X(MEASURE_KILL_TIME, "kill-time", MEASURE_OF_KEPT, 1000000, "us", \
	  "from a kill until no task of the chain under it is taken any more", \
	  "no kill was tried here: it takes a canary (docs/canary.md)") \
	X(MEASURE_DRILL_TIME, "drill-time", MEASURE_OF_KEPT, 60000000, "us", \
	  "from a kill until its receipt on record lists every task of the chain", \
	  "no kill was tried here: it takes a canary (docs/canary.md)") \
	X(MEASURE_DECISION_TIME, "decision-time", MEASURE_OF_LAST, 1000, "us", \
	  "what 99 of 100 decisions of low risk took at most, in an hour that had some", \
	  "no call of low risk was decided here yet, or the hour of the first is not over") \
	X(MEASURE_REPLAY_DIFFERENCES, "replay-differences", MEASURE_OF_LAST, 0, "decisions", \
	  "of a sample of the last day those that do not come out again", \
	  "no sample of decisions was made again here yet")
/* clang-format on */

enum control_measure {
	MEASURE_NONE = 0,
#define X(name, word, of, most, unit, meaning, untaken) name,
	CONTROL_MEASURES(X)
#undef X
		MEASURE_COUNT
};

enum { MEASURES_KEPT = 128 /* of each, the last ones */ };

/* A set of measures: bits of measure_bit. */
typedef uint32_t measure_set;
_Static_assert(MEASURE_COUNT <= 32, "a set of measures is 32 bits");

static inline measure_set measure_bit(enum control_measure measure)
{
	return UINT32_C(1) << measure;
}

const char *measure_word(enum control_measure measure);   /* NULL for NONE */
enum control_measure measure_from_word(struct text word); /* NONE: no such word */
const char *measure_meaning(enum control_measure measure);
const char *measure_unit(enum control_measure measure);
int64_t measure_most(enum control_measure measure); /* more is a violation */
const char *measure_untaken(enum control_measure measure);

/* What the kept values say, of which the last is the youngest; 0 of none.  At most
 * MEASURES_KEPT. */
int64_t measure_tell(enum control_measure measure, const int64_t *values, size_t count);

#endif

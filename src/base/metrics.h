#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"

/* Numbers about the running process, in Prometheus' text format.  The names are
 * one constant table; a label has a closed list of values, so nothing a stranger
 * sends can make a new series.  Safe from any thread. */

enum metric_kind { METRIC_COUNTER = 0, METRIC_GAUGE, METRIC_HISTOGRAM };

struct metric_definition {
	const char *name; /* ends in its unit: _total (counters), _seconds, _bytes, or a count */
	const char *help;
	enum metric_kind kind;
	const char *label;               /* NULL: one series */
	const char *const *label_values; /* NULL-terminated, with label */
};

struct metrics;

/* table must outlive the metrics.  Errors: LIMIT. */
bool metrics_create(struct metrics **out, const struct metric_definition *table, size_t count,
	struct error *err) MUST_CHECK;
void metrics_destroy(struct metrics **metrics);

/* metric is the index in the table, series that of the label's value (0 without
 * a label). */
void metrics_add(struct metrics *metrics, size_t metric, size_t series, uint64_t amount);
void metrics_set(struct metrics *metrics, size_t metric, size_t series, int64_t value);
/* A histogram's observation; its bounds run from 50 µs to 10 s. */
void metrics_observe_ns(struct metrics *metrics, size_t metric, size_t series, uint64_t value_ns);

int64_t metrics_value(const struct metrics *metrics, size_t metric, size_t series);

/* Appends the text (version 0.0.4) of every series. */
void metrics_format(const struct metrics *metrics, struct buffer *out);

#endif

/* Every series is a run of atomic cells in one array: one cell, or for a
 * histogram one a bound, the rest, the sum in nanoseconds. */
#include "base/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	uint64_t most_ns;
	const char *seconds;
} bounds[] = {{50000, "0.00005"}, {100000, "0.0001"}, {250000, "0.00025"}, {500000, "0.0005"},
	{1000000, "0.001"}, {2500000, "0.0025"}, {5000000, "0.005"}, {10000000, "0.01"},
	{25000000, "0.025"}, {50000000, "0.05"}, {100000000, "0.1"}, {250000000, "0.25"},
	{500000000, "0.5"}, {1000000000, "1"}, {2500000000, "2.5"}, {10000000000, "10"}};

enum {
	BOUNDS = sizeof bounds / sizeof bounds[0],
	CELL_SUM = BOUNDS + 1,
	HISTOGRAM_CELLS = BOUNDS + 2,
};

struct metrics {
	const struct metric_definition *table;
	size_t count;
	size_t *first_cell; /* of each metric, and one behind the last */
	_Atomic uint64_t *cells;
};

static size_t series_count(const struct metric_definition *definition)
{
	size_t count = 0;

	if (definition->label == NULL)
		return 1;
	while (definition->label_values[count] != NULL)
		count++;
	return count;
}

static size_t series_cells(const struct metric_definition *definition)
{
	return definition->kind == METRIC_HISTOGRAM ? HISTOGRAM_CELLS : 1;
}

bool metrics_create(struct metrics **out, const struct metric_definition *table, size_t count,
	struct error *err)
{
	struct metrics *metrics = calloc(1, sizeof *metrics);
	size_t cells = 0;
	size_t i;

	*out = NULL;
	if (metrics == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for metrics");
	metrics->table = table;
	metrics->count = count;
	metrics->first_cell = calloc(count + 1, sizeof *metrics->first_cell);
	for (i = 0; metrics->first_cell != NULL && i < count; i++) {
		metrics->first_cell[i] = cells;
		cells += series_count(&table[i]) * series_cells(&table[i]);
		metrics->first_cell[i + 1] = cells;
	}
	metrics->cells = calloc(cells + 1, sizeof *metrics->cells);
	if (metrics->first_cell == NULL || metrics->cells == NULL) {
		metrics_destroy(&metrics);
		return error_set(err, ERROR_LIMIT, "no memory for %zu metrics", count);
	}
	*out = metrics;
	return true;
}

void metrics_destroy(struct metrics **metrics)
{
	if (*metrics == NULL)
		return;
	free((*metrics)->first_cell);
	free((*metrics)->cells);
	free(*metrics);
	*metrics = NULL;
}

static _Atomic uint64_t *cell_of(const struct metrics *metrics, size_t metric, size_t series)
{
	size_t cell;

	assert(metric < metrics->count);
	cell = metrics->first_cell[metric] + series * series_cells(&metrics->table[metric]);
	assert(cell < metrics->first_cell[metric + 1]);
	return &metrics->cells[cell];
}

void metrics_add(struct metrics *metrics, size_t metric, size_t series, uint64_t amount)
{
	assert(metrics->table[metric].kind == METRIC_COUNTER);
	atomic_fetch_add_explicit(cell_of(metrics, metric, series), amount, memory_order_relaxed);
}

void metrics_set(struct metrics *metrics, size_t metric, size_t series, int64_t value)
{
	assert(metrics->table[metric].kind == METRIC_GAUGE);
	atomic_store_explicit(
		cell_of(metrics, metric, series), (uint64_t)value, memory_order_relaxed);
}

void metrics_observe_ns(struct metrics *metrics, size_t metric, size_t series, uint64_t value_ns)
{
	_Atomic uint64_t *cells = cell_of(metrics, metric, series);
	size_t bucket = 0;

	assert(metrics->table[metric].kind == METRIC_HISTOGRAM);
	while (bucket < BOUNDS && value_ns > bounds[bucket].most_ns)
		bucket++;
	atomic_fetch_add_explicit(&cells[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&cells[CELL_SUM], value_ns, memory_order_relaxed);
}

static uint64_t read_cell(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

int64_t metrics_value(const struct metrics *metrics, size_t metric, size_t series)
{
	const _Atomic uint64_t *cells = cell_of(metrics, metric, series);
	uint64_t total = 0;
	size_t i;

	if (metrics->table[metric].kind != METRIC_HISTOGRAM)
		return (int64_t)read_cell(cells);
	for (i = 0; i <= BOUNDS; i++)
		total += read_cell(&cells[i]);
	return (int64_t)total;
}

/* ---- the text ---- */

/* {label="value",le="0.1"}; either part may be missing. */
static void append_labels(struct buffer *out, const struct metric_definition *definition,
	size_t series, const char *most)
{
	if (definition->label == NULL && most == NULL)
		return;
	buffer_append_byte(out, '{');
	if (definition->label != NULL)
		buffer_append_format(out, "%s=\"%s\"%s", definition->label,
			definition->label_values[series], most == NULL ? "" : ",");
	if (most != NULL)
		buffer_append_format(out, "le=\"%s\"", most);
	buffer_append_byte(out, '}');
}

static void append_sample(struct buffer *out, const struct metric_definition *definition,
	const char *suffix, size_t series, const char *most)
{
	buffer_append_string(out, definition->name);
	buffer_append_string(out, suffix);
	append_labels(out, definition, series, most);
	buffer_append_byte(out, ' ');
}

static void format_histogram(struct buffer *out, const struct metric_definition *definition,
	const _Atomic uint64_t *cells, size_t series)
{
	uint64_t total = 0;
	uint64_t sum_ns = read_cell(&cells[CELL_SUM]);
	size_t i;

	for (i = 0; i <= BOUNDS; i++) {
		total += read_cell(&cells[i]);
		append_sample(out, definition, "_bucket", series,
			i == BOUNDS ? "+Inf" : bounds[i].seconds);
		buffer_append_format(out, "%llu\n", (unsigned long long)total);
	}
	append_sample(out, definition, "_sum", series, NULL);
	buffer_append_format(out, "%llu.%09llu\n", (unsigned long long)(sum_ns / 1000000000),
		(unsigned long long)(sum_ns % 1000000000));
	append_sample(out, definition, "_count", series, NULL);
	buffer_append_format(out, "%llu\n", (unsigned long long)total);
}

static void format_metric(const struct metrics *metrics, size_t metric, struct buffer *out)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	const struct metric_definition *definition = &metrics->table[metric];
	size_t series;

	buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", definition->name,
		definition->help, definition->name, kinds[definition->kind]);
	for (series = 0; series < series_count(definition); series++) {
		const _Atomic uint64_t *cells = cell_of(metrics, metric, series);

		if (definition->kind == METRIC_HISTOGRAM) {
			format_histogram(out, definition, cells, series);
			continue;
		}
		append_sample(out, definition, "", series, NULL);
		if (definition->kind == METRIC_COUNTER)
			buffer_append_format(out, "%llu\n", (unsigned long long)read_cell(cells));
		else
			buffer_append_format(out, "%lld\n", (long long)read_cell(cells));
	}
}

void metrics_format(const struct metrics *metrics, struct buffer *out)
{
	size_t i;

	for (i = 0; i < metrics->count; i++)
		format_metric(metrics, i, out);
}

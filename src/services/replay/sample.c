/* Two passes over the log: one counts the decisions of the day, and the evaluations, so that the
 * second takes a random one in so many of each.
 *
 * The keys of contents are those that were there when it began, so only decisions of before that
 * are in it.  One whose key is not there is left out only if the log says that its task was erased.
 */
#include "services/replay/sample.h"

#include <stdatomic.h>

#include "base/random.h"
#include "domain/audit/envelope.h"
#include "domain/charter/name_table.h"
#include "services/record/contents.h"
#include "services/replay/log_walk.h"

enum { SAMPLE_ENTRY_BYTES_MAX = 16 * 1024 * 1024 /* of one entry, read */ };

struct sampling {
	const _Atomic bool *is_stopped;
	struct contents *contents;
	struct replay *replay;
	struct arena *arena;       /* of one entry */
	struct name_table *erased; /* tasks; the values mean nothing */
	int64_t since_utc_ms;
	int64_t until_utc_ms;
	uint64_t decisions;
	uint64_t evaluations;
	uint64_t explained; /* of the sample, cannot be made again and need not */
	uint64_t end;       /* the first record that is not before until */
	struct sample_result *result;
};

static bool go_on(const struct sampling *sampling, struct error *err)
{
	if (!atomic_load(sampling->is_stopped))
		return true;
	sampling->result->is_stopped = true;
	return error_set(err, ERROR_CONFLICT, "the daemon ends");
}

static bool count_entry(void *context, const struct log_entry *entry, struct error *err)
{
	struct sampling *sampling = context;
	struct envelope envelope;
	struct json record;

	if (!go_on(sampling, err))
		return false;
	arena_reset(sampling->arena);
	if (!envelope_parse(&envelope, &record, sampling->arena, entry->entry, err))
		return error_wrap(err, "record %llu", (unsigned long long)entry->index);
	if (envelope.type == RECORD_ERASED && envelope.task.length > 0 &&
		name_table_find(sampling->erased, envelope.task) == NULL &&
		!name_table_put(sampling->erased, envelope.task, sampling))
		return error_set(err, ERROR_LIMIT, "no memory for a sample");
	if (envelope.at_utc_ms >= sampling->until_utc_ms)
		return true;
	sampling->end = entry->index + 1;
	if (envelope.at_utc_ms < sampling->since_utc_ms || !replay_takes(&record))
		return true;
	if (envelope.type == RECORD_DECISION)
		sampling->decisions++;
	else
		sampling->evaluations++;
	return true;
}

static bool feed_entry(void *context, const struct log_entry *entry, struct error *err)
{
	struct sampling *sampling = context;
	const struct replay_entry fed = {entry->index, entry->entry, entry->content};

	return go_on(sampling, err) &&
	       (entry->index >= sampling->end || replay_feed(sampling->replay, &fed, err));
}

static bool open_sealed(void *context, struct text sealed, struct arena *arena,
	struct text *out_plain, struct error *err)
{
	return contents_open_sealed(context, sealed, arena, out_plain, err);
}

/* No application has to keep what it is asked, and what was erased is on record as that. */
static bool is_explained(const struct sampling *sampling, enum replay_cause cause, struct text task)
{
	return cause == REPLAY_NOT_KEPT ||
	       (cause == REPLAY_ERASED && name_table_find(sampling->erased, task) != NULL);
}

static void hear_unmade(void *context, uint64_t index, enum replay_cause cause, struct text task)
{
	struct sampling *sampling = context;
	struct sample_result *result = sampling->result;

	if (is_explained(sampling, cause, task)) {
		sampling->explained++;
		return;
	}
	if (result->first_count < SAMPLE_UNMADE_MAX) {
		result->first[result->first_count].index = index;
		result->first[result->first_count++].cause = cause;
	}
	result->unmade++;
}

/* One in so many that there are most of them at most; which ones, nobody knows before. */
static struct replay_sample choose(uint64_t count, uint64_t most)
{
	struct replay_sample sample = {.every = 1};

	if (count > most)
		sample.every = (count + most - 1) / most;
	random_bytes(&sample.skip, sizeof sample.skip);
	sample.skip %= sample.every;
	return sample;
}

static bool replay_sampled(struct sampling *sampling, const struct disk *disk, struct error *err)
{
	const struct replay_options options = {.since_utc_ms = sampling->since_utc_ms,
		.sample_decisions = choose(sampling->decisions, SAMPLE_DECISIONS_MAX),
		.sample_evaluations = choose(sampling->evaluations, SAMPLE_EVALUATIONS_MAX),
		.unmade_context = sampling,
		.unmade = hear_unmade,
		.context = sampling->contents,
		.open_sealed = open_sealed};
	const struct log_visitor visitor = {sampling, feed_entry};
	struct replay_figures figures;
	bool ok;

	if (!replay_create(&sampling->replay, &options, err))
		return false;
	ok = log_walk(disk, &visitor, NULL, err);
	figures = replay_figures_of(sampling->replay);
	sampling->result->made =
		figures.decisions.asked + figures.evaluations.asked - sampling->explained;
	replay_destroy(&sampling->replay);
	return ok;
}

static bool sample(struct sampling *sampling, const struct disk *disk, struct error *err)
{
	const struct log_visitor counter = {sampling, count_entry};

	return log_walk(disk, &counter, NULL, err) && replay_sampled(sampling, disk, err);
}

void sample_run(const struct sample_of *of, struct sample_result *result)
{
	struct sampling sampling = {.is_stopped = of->is_stopped,
		.since_utc_ms = of->now_utc_ms - SAMPLE_WINDOW_MS,
		.until_utc_ms = of->now_utc_ms,
		.result = result};
	struct error err = {0};

	*result = (struct sample_result){0};
	sampling.arena = arena_create(SAMPLE_ENTRY_BYTES_MAX);
	sampling.erased = name_table_create();
	if (sampling.arena == NULL || sampling.erased == NULL)
		(void)error_set(&result->err, ERROR_LIMIT, "no memory for a sample");
	else if (!contents_open(&sampling.contents, of->disk, of->master, &err) ||
		 !sample(&sampling, of->disk, &err))
		result->err = err;
	contents_close(&sampling.contents);
	name_table_destroy(&sampling.erased, NULL);
	arena_destroy(&sampling.arena);
}

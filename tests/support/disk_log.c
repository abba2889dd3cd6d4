/* Submitted appends pass through a small wrapper, so that the log knows how many
 * are on their way and sees each acknowledgement before the fold does. */
#include "disk_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/record/record_private.h"

enum { CHECKPOINT_MS = 2 };

/* An append on its way, with what its submitter put into it. */
struct pending {
	struct disk_log *log;
	void (*done)(struct record_append *append);
	void *context;
};

static void must(bool ok, const struct error *err)
{
	if (ok)
		return;
	fprintf(stderr, "disk log: %s\n", err->text);
	abort();
}

static void own_work(const struct disk_log *log, bool begins)
{
	if (log->on_own_work != NULL)
		log->on_own_work(begins);
}

void disk_log_init(struct disk_log *log)
{
	struct error err = {0};

	memset(log, 0, sizeof *log);
	log->clock_utc_ms = INT64_C(1800000000000);
	log->disk = simulated_disk_create();
	test_signer_init(&log->signer, "test/audit");
	must(seal_key_generate(&log->master, &err), &err);
}

void disk_log_deinit(struct disk_log *log)
{
	simulated_disk_destroy(&log->disk);
	test_signer_deinit(&log->signer);
	seal_key_clear(&log->master);
}

/* ---- opening and closing --------------------------------------------------------- */

static int64_t clock_now(void *context)
{
	return atomic_fetch_add(&((struct disk_log *)context)->clock_utc_ms, 1);
}

bool disk_log_open(struct disk_log *log, enum disk_log_writer writer, struct loop *loop,
	uint64_t known_size, struct error *err)
{
	const struct record_log_options options = {
		.disk = simulated_disk_port(log->disk),
		.signer = &log->signer.port,
		.wall_utc_ms = clock_now,
		.monotonic_ms = writer == DISK_LOG_STEPPED ? clock_now : NULL,
		.clock_context = log,
		.version = TEXT("test"),
		.known_size = known_size,
		.segment_bytes = RECORD_SEGMENT_BYTES_MIN,
		.checkpoint_interval_ms = CHECKPOINT_MS,
	};

	log->writer = writer;
	log->loop = loop;
	log->pending = 0;
	if (!contents_open(&log->contents, options.disk, &log->master, err))
		return false;
	return writer == DISK_LOG_STEPPED ? record_log_open_stepped(&log->log, &options, err)
					  : record_log_open(&log->log, &options, err);
}

void disk_log_close(struct disk_log *log)
{
	if (log->log != NULL && log->writer == DISK_LOG_STEPPED)
		(void)record_step(log->log);
	record_log_close(&log->log);
	contents_close(&log->contents);
}

void disk_log_crash(struct disk_log *log, uint64_t seed)
{
	struct simulated_disk *after = simulated_disk_after_crash(log->disk, seed);

	simulated_disk_destroy(&log->disk);
	log->disk = after;
	simulated_disk_limit_bytes(after, 0);
}

/* ---- what was promised ----------------------------------------------------------- */

void disk_log_promise(struct disk_log *log, uint64_t index, struct text entry)
{
	struct sha256 digest = sha256_of(entry.data, entry.length);

	if (index >= DISK_LOG_ENTRIES_MAX) {
		fprintf(stderr, "disk log: more than %d entries\n", DISK_LOG_ENTRIES_MAX);
		abort();
	}
	if (log->is_known[index] && !sha256_equal(&log->known[index], &digest)) {
		fprintf(stderr, "law broken: entry %llu is not what it was\n",
			(unsigned long long)index);
		abort();
	}
	log->is_known[index] = true;
	log->known[index] = digest;
	if (index >= log->known_size)
		log->known_size = index + 1;
}

/* ---- the port -------------------------------------------------------------------- */

static void came_back(struct record_append *append)
{
	struct pending *pending = append->context;
	struct pending was = *pending;

	own_work(was.log, true);
	free(pending);
	if (append->is_durable) {
		disk_log_promise(was.log, append->index, append->entry);
		was.log->folded_size = append->index + 1;
		was.log->acknowledged++;
	}
	own_work(was.log, false);
	was.log->pending--;
	append->done = was.done;
	append->context = was.context;
	was.done(append);
	if (was.log->is_settling && was.log->pending == 0)
		loop_stop(was.log->loop);
}

static bool submit(void *context, struct record_append *append, struct error *err)
{
	struct disk_log *log = context;
	struct pending *pending;

	own_work(log, true);
	pending = calloc(1, sizeof *pending);
	own_work(log, false);
	if (pending == NULL)
		abort();
	*pending = (struct pending){log, append->done, append->context};
	append->done = came_back;
	append->context = pending;
	if (record_submit(log->log, append, err)) {
		log->pending++;
		return true;
	}
	append->done = pending->done;
	append->context = pending->context;
	free(pending);
	return false;
}

static int64_t stamp(void *context)
{
	return record_stamp_utc_ms(((struct disk_log *)context)->log);
}

static bool has_failed(void *context)
{
	return record_has_failed(((struct disk_log *)context)->log);
}

struct fold_log disk_log_port(struct disk_log *log)
{
	return (struct fold_log){log, submit, stamp, has_failed};
}

static void stop(struct loop_post *post)
{
	loop_stop(post->context);
}

/* One step of the writer, and what it posted. */
static void step(struct disk_log *log)
{
	struct loop_post post = {.run = stop, .context = log->loop};
	struct error err = {0};

	(void)record_step(log->log);
	loop_post(log->loop, &post);
	must(loop_run(log->loop, &err), &err);
}

void disk_log_settle(void *context)
{
	struct disk_log *log = context;
	struct error err = {0};

	while (log->pending > 0 && log->writer == DISK_LOG_STEPPED)
		step(log);
	log->is_settling = true;
	while (log->pending > 0) /* the loop waits for the thread's post */
		must(loop_run(log->loop, &err), &err);
	log->is_settling = false;
}

void disk_log_pass(void *context, int64_t ms)
{
	atomic_fetch_add(&((struct disk_log *)context)->clock_utc_ms, ms);
}

static bool read_entry(void *context, struct arena *arena, uint64_t index,
	struct projector_entry *out, struct error *err)
{
	struct disk_log *log = context;
	struct record_entry found;

	*out = (struct projector_entry){.is_there = index < record_log_size(log->log)};
	if (!out->is_there)
		return true;
	if (!record_read(log->log, index, arena, &found, err))
		return false;
	out->entry = found.entry;
	return true;
}

static bool read_content(
	void *context, struct arena *arena, uint64_t index, struct text *out, struct error *err)
{
	return record_read_content(((struct disk_log *)context)->log, index, arena, out, err);
}

struct projector_log disk_log_reader(struct disk_log *log)
{
	return (struct projector_log){log, read_entry, read_content};
}

/* ---- the durable image ------------------------------------------------------------- */

static bool ignore_start(void *context, struct segments *segments, struct error *err)
{
	(void)context;
	(void)segments;
	(void)err;
	return true;
}

static bool ignore_entry(
	void *context, struct text entry, const struct sha256 *leaf, struct error *err)
{
	(void)context;
	(void)entry;
	(void)leaf;
	(void)err;
	return true;
}

void durable_image_open(struct durable_image *image, struct disk_log *log)
{
	static const struct segments_required nothing;
	const struct segments_visitor visitor = {NULL, ignore_start, ignore_entry};
	const struct disk *port;
	struct error err = {0};

	*image = (struct durable_image){.disk = simulated_disk_durable(log->disk)};
	port = simulated_disk_port(image->disk);
	must(contents_open(&image->contents, port, &log->master, &err), &err);
	must(segments_open(
		     &image->segments, port, RECORD_SEGMENT_BYTES_MIN, &nothing, &visitor, &err),
		&err);
	must(segment_walk_open(&image->walk, image->segments, 0, SEGMENT_ENTRIES_AND_CONTENT, &err),
		&err);
}

bool durable_image_next(struct durable_image *image, struct segment_found *out)
{
	struct error err = {0};
	bool is_end;

	must(segment_walk_next(image->walk, out, &is_end, &err), &err);
	return !is_end;
}

void durable_image_close(struct durable_image *image)
{
	segment_walk_close(&image->walk);
	segments_close(&image->segments);
	contents_close(&image->contents);
	simulated_disk_destroy(&image->disk);
}

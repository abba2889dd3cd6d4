/* From the log into the store: once at start, then on a thread of its own.
 *
 * The lock protects durable_next, the queue of queries, next, came, target, is_stopping
 * and has_failed; it is never held while the store or the log is asked.  store and
 * log are used by the projector's thread alone.
 *
 * Invariants:
 * 1. a batch is applied with the mark behind it, so what the store holds is
 *    always the projection of entries 0 .. mark.next - 1;
 * 2. a query is answered once, whatever happens;
 * 3. more than PACE_LAG_MAX durable records, or any while a query waits, are not put
 *    off. */
#include "services/registry/projector.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "domain/charter/registry_fold.h"
#include "services/registry/pace.h"

enum {
	PROJECTOR_ARENA_BYTES_MAX = 256 * 1024 * 1024,
	PROJECTOR_QUERIES_MAX = 256,
	PROJECTOR_POLL_MS = 200,  /* for entries nobody notified us of */
	PROJECTOR_LINGER_MS = 50, /* for more records to share a commit */
};

/* What both ways share: reading, projecting, applying. */
struct projecting {
	const struct fold *fold;
	struct store store;
	struct projector_log log;
	struct arena *arena; /* of the batch */
	struct store_mark mark;
};

struct projector {
	struct projecting work;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t durable_next;
	uint64_t next;
	uint64_t came;   /* in the last linger that was not cut short */
	uint64_t target; /* to be carried without lingering */
	struct projector_query *first;
	struct projector_query *last;
	size_t queries_count;
	bool is_lingering;
	bool is_stopping;
	bool has_failed;
};

/* ---- batches ---- */

struct batch {
	struct store_change *changes;
	size_t changes_count;
	size_t changes_capacity;
	struct store_record records[STORE_BATCH_MAX];
	size_t records_count;
	struct store_mark mark; /* its digest is made when the batch is whole */
	struct text last;       /* entry */
};

static bool batch_add(struct batch *batch, struct arena *arena, const struct fold_projected *one,
	struct error *err)
{
	size_t need = batch->changes_count + one->changes_count;

	if (need > batch->changes_capacity) {
		size_t capacity = need * 2;
		struct store_change *changes = arena_array(arena, struct store_change, capacity);

		if (changes == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a batch");
		for (size_t i = 0; i < batch->changes_count; i++)
			changes[i] = batch->changes[i];
		batch->changes = changes;
		batch->changes_capacity = capacity;
	}
	for (size_t i = 0; i < one->changes_count; i++)
		batch->changes[batch->changes_count++] = one->changes[i];
	batch->records[batch->records_count++] = one->record;
	return true;
}

/* Reads the next entry with what it cannot be folded without. */
static bool read_entry(struct projecting *work, uint64_t index, struct fold_entry *out,
	bool *is_there, struct error *err)
{
	struct projector_entry read;

	*out = (struct fold_entry){.index = index};
	if (!work->log.read(work->log.context, work->arena, index, &read, err))
		return false;
	*is_there = read.is_there;
	out->entry = read.entry;
	if (!read.is_there || !registry_entry_wants_content(read.entry))
		return true;
	return work->log.read_content(work->log.context, work->arena, index, &out->content, err);
}

/* Adds the next entry; *goes_on is false at the end of the log, and after an
 * entry with content, which may be large.  At start the entry is folded too. */
static bool take_entry(struct projecting *work, struct batch *batch, struct fold *folded,
	bool *goes_on, struct error *err)
{
	struct fold_entry entry;
	struct fold_projected projected;
	bool is_there;

	if (!read_entry(work, batch->mark.next, &entry, &is_there, err))
		return false;
	*goes_on = is_there && entry.content.length == 0;
	if (!is_there)
		return true;
	if (folded != NULL &&
		!fold_apply_entry(folded, entry.entry, entry.content, entry.index, err))
		return false;
	if (!fold_project_entry(work->fold, work->arena, &entry, &projected, err) ||
		!batch_add(batch, work->arena, &projected, err))
		return false;
	batch->mark.next = entry.index + 1;
	batch->last = entry.entry;
	return true;
}

/* Carries up to a batch of entries over; *count is how many. */
static bool carry_batch(
	struct projecting *work, struct fold *folded, size_t *count, struct error *err)
{
	struct batch *batch = arena_new(work->arena, struct batch);
	struct store_batch applied;
	bool goes_on = true;
	bool ok =
		batch != NULL || error_set(err, ERROR_LIMIT, "no memory for a batch of the store");

	*count = 0;
	if (batch != NULL)
		batch->mark = work->mark;
	while (ok && goes_on && batch->records_count < STORE_BATCH_MAX)
		ok = take_entry(work, batch, folded, &goes_on, err);
	if (ok && batch->records_count > 0) {
		batch->mark.digest = sha256_of(batch->last.data, batch->last.length);
		applied = (struct store_batch){batch->changes, batch->changes_count, batch->records,
			batch->records_count, batch->mark};
		ok = work->store.apply(work->store.context, &applied, err);
		if (ok) {
			work->mark = batch->mark;
			*count = batch->records_count;
		}
	}
	arena_reset(work->arena);
	return ok;
}

/* ---- start ---- */

/* True if the store's mark is a point of this very log. */
static bool is_of_this_log(struct projecting *work, bool *is_ours, struct error *err)
{
	struct projector_entry entry;
	struct sha256 digest;

	*is_ours = true;
	if (work->mark.next == 0)
		return true;
	if (!work->log.read(work->log.context, work->arena, work->mark.next - 1, &entry, err))
		return false;
	digest = sha256_of(entry.entry.data, entry.entry.length);
	*is_ours = entry.is_there && sha256_equal(&digest, &work->mark.digest);
	arena_reset(work->arena);
	return true;
}

static bool fold_row(void *visitor, const struct store_row *row, struct error *err)
{
	struct text nothing = {NULL, 0};

	if (!fold_apply_entry(visitor, row->body, nothing, row->index, err))
		return error_wrap(err, "row %.*s %.*s", TEXT_ARGS(row->kind), TEXT_ARGS(row->key));
	return true;
}

bool projector_catch_up(struct fold *fold, const struct store *store,
	const struct projector_log *log, bool *was_rebuilt, struct error *err)
{
	struct projecting work = {.fold = fold, .store = *store, .log = *log};
	bool is_ours, ok = false;
	size_t count;

	*was_rebuilt = false;
	work.arena = arena_create(PROJECTOR_ARENA_BYTES_MAX);
	if (work.arena == NULL) {
		error_set(err, ERROR_LIMIT, "no memory to catch up");
		goto done;
	}
	if (!store->load_mark(store->context, &work.mark, err) ||
		!is_of_this_log(&work, &is_ours, err))
		goto done;
	if (!is_ours) {
		*was_rebuilt = true;
		work.mark = (struct store_mark){0};
		if (!store->clear(store->context, err))
			goto done;
	}
	if (!store->each_row(store->context, fold_row, fold, err))
		goto done;
	do {
		if (!carry_batch(&work, fold, &count, err))
			goto done;
	} while (count > 0);
	ok = fold_finish_loading(fold, err);
done:
	arena_destroy(&work.arena);
	return ok;
}

/* ---- the thread ---- */

static void deliver(struct loop_post *post)
{
	struct projector_query *query = post->context;

	query->done(query);
}

static void answer(struct projector_query *query)
{
	query->post = (struct loop_post){.run = deliver, .context = query};
	loop_post(query->loop, &query->post);
}

static void answer_failed(struct projector_query *query, const char *why)
{
	query->is_ok = error_set(&query->err, ERROR_IO, "%s", why);
	answer(query);
}

/* The first query that need wait no longer, out of the queue.  With the lock. */
static struct projector_query *take_ready(struct projector *projector)
{
	struct projector_query **link = &projector->first;
	struct projector_query *previous = NULL;

	while (*link != NULL) {
		struct projector_query *query = *link;

		if (query->wait_next <= projector->next || projector->has_failed ||
			projector->is_stopping) {
			*link = query->next;
			if (projector->last == query)
				projector->last = previous;
			projector->queries_count--;
			return query;
		}
		previous = query;
		link = &query->next;
	}
	return NULL;
}

static void run_query(struct projector *projector, struct projector_query *query)
{
	struct store *store = &projector->work.store;

	query->is_ok = store->find_records(
		store->context, query->arena, &query->query, &query->records, &query->err);
	answer(query);
}

/* Answers all that are ready.  The lock is taken and given. */
static void run_queries(struct projector *projector)
{
	pthread_mutex_lock(&projector->lock);
	for (;;) {
		struct projector_query *query = take_ready(projector);
		bool has_failed = projector->has_failed;
		bool is_stopping = projector->is_stopping;

		if (query == NULL)
			break;
		pthread_mutex_unlock(&projector->lock);
		if (has_failed)
			answer_failed(query, "the store has failed");
		else if (is_stopping)
			answer_failed(query, "the store is being closed");
		else
			run_query(projector, query);
		pthread_mutex_lock(&projector->lock);
	}
	pthread_mutex_unlock(&projector->lock);
}

/* Whether the next batch should not wait for more.  With the lock. */
static bool is_urgent(const struct projector *projector)
{
	return projector->first != NULL || projector->is_stopping || projector->has_failed ||
	       projector->durable_next > projector->next + PACE_LAG_MAX;
}

static void carry_all(struct projector *projector)
{
	struct error err = {0};
	size_t count = 0;
	bool goes_on;

	do {
		bool ok = carry_batch(&projector->work, NULL, &count, &err);

		pthread_mutex_lock(&projector->lock);
		projector->next = projector->work.mark.next;
		projector->has_failed = !ok;
		goes_on = ok && count > 0 && !projector->is_stopping &&
			  (projector->next < projector->target || is_urgent(projector));
		pthread_mutex_unlock(&projector->lock);
		run_queries(projector);
	} while (goes_on);
}

static bool has_work(const struct projector *projector)
{
	if (!projector->has_failed && projector->durable_next > projector->next)
		return true;
	for (const struct projector_query *query = projector->first; query != NULL;
		query = query->next)
		if (query->wait_next <= projector->next || projector->has_failed)
			return true;
	return false;
}

static struct timespec moment_after_ms(long delay_ms)
{
	struct timespec moment;

	(void)clock_gettime(CLOCK_MONOTONIC, &moment);
	moment.tv_nsec += delay_ms * 1000000L;
	moment.tv_sec += moment.tv_nsec / 1000000000L;
	moment.tv_nsec %= 1000000000L;
	return moment;
}

/* Waits for more records, and counts them unless it is cut short.  With the lock. */
static void linger_once(struct projector *projector)
{
	struct timespec until = moment_after_ms(PROJECTOR_LINGER_MS);
	uint64_t before = projector->durable_next;
	int waited = 0;

	projector->is_lingering = true;
	while (waited == 0 && !is_urgent(projector))
		waited = pthread_cond_timedwait(&projector->changed, &projector->lock, &until);
	projector->is_lingering = false;
	if (waited != 0)
		projector->came = projector->durable_next - before;
}

/* A commit costs as much for one record as for many, and takes the processor from the
 * calls that make them: so it waits for more, and as long as they pour in, unless
 * somebody asks.  With the lock. */
static void linger(struct projector *projector)
{
	while (projector->durable_next > projector->next && !projector->has_failed &&
		!projector->is_stopping) {
		struct pace_view view;

		linger_once(projector);
		view = (struct pace_view){projector->next, projector->durable_next, projector->came,
			projector->first != NULL};
		projector->target = pace_target(&view);
		if (projector->target > projector->next)
			break;
	}
}

/* Waits for something to do; true to go on. */
static bool wait_for_work(struct projector *projector)
{
	struct timespec until = moment_after_ms(PROJECTOR_POLL_MS);
	bool goes_on;

	pthread_mutex_lock(&projector->lock);
	if (!projector->is_stopping && !has_work(projector))
		(void)pthread_cond_timedwait(&projector->changed, &projector->lock, &until);
	linger(projector);
	goes_on = !projector->is_stopping;
	pthread_mutex_unlock(&projector->lock);
	return goes_on;
}

static void *projector_run(void *context)
{
	struct projector *projector = context;

	while (wait_for_work(projector)) {
		if (!projector_has_failed(projector))
			carry_all(projector);
		run_queries(projector);
	}
	run_queries(projector);
	return NULL;
}

static bool make_lock(struct projector *projector, struct error *err)
{
	pthread_condattr_t attributes;
	bool ok;

	if (pthread_condattr_init(&attributes) != 0)
		return error_set(err, ERROR_LIMIT, "no memory for the projector");
	ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
	     pthread_cond_init(&projector->changed, &attributes) == 0;
	(void)pthread_condattr_destroy(&attributes);
	if (!ok || pthread_mutex_init(&projector->lock, NULL) != 0)
		return error_set(err, ERROR_LIMIT, "no memory for the projector");
	return true;
}

bool projector_start(struct projector **out, const struct fold *fold, const struct store *store,
	const struct projector_log *log, struct error *err)
{
	struct projector *projector = calloc(1, sizeof *projector);
	int failed;

	*out = NULL;
	if (projector == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the projector");
	projector->work = (struct projecting){.fold = fold, .store = *store, .log = *log};
	projector->work.arena = arena_create(PROJECTOR_ARENA_BYTES_MAX);
	if (projector->work.arena == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the projector");
		goto failed;
	}
	if (!store->load_mark(store->context, &projector->work.mark, err) ||
		!make_lock(projector, err))
		goto failed;
	projector->next = projector->work.mark.next;
	failed = pthread_create(&projector->thread, NULL, projector_run, projector);
	if (failed != 0) {
		errno = failed;
		error_set(err, ERROR_IO, "cannot start the projector's thread");
		goto failed;
	}
	*out = projector;
	return true;
failed:
	arena_destroy(&projector->work.arena);
	free(projector);
	return false;
}

void projector_stop(struct projector **projector)
{
	if (*projector == NULL)
		return;
	pthread_mutex_lock(&(*projector)->lock);
	(*projector)->is_stopping = true;
	pthread_cond_broadcast(&(*projector)->changed);
	pthread_mutex_unlock(&(*projector)->lock);
	(void)pthread_join((*projector)->thread, NULL);
	(void)pthread_mutex_destroy(&(*projector)->lock);
	(void)pthread_cond_destroy(&(*projector)->changed);
	arena_destroy(&(*projector)->work.arena);
	free(*projector);
	*projector = NULL;
}

void projector_notify(struct projector *projector, uint64_t next)
{
	pthread_mutex_lock(&projector->lock);
	if (next > projector->durable_next)
		projector->durable_next = next;
	if (!projector->is_lingering || is_urgent(projector))
		pthread_cond_signal(&projector->changed);
	pthread_mutex_unlock(&projector->lock);
}

uint64_t projector_next(const struct projector *projector)
{
	struct projector *unlocked = (struct projector *)(uintptr_t)projector;
	uint64_t next;

	pthread_mutex_lock(&unlocked->lock);
	next = projector->next;
	pthread_mutex_unlock(&unlocked->lock);
	return next;
}

bool projector_has_failed(const struct projector *projector)
{
	struct projector *unlocked = (struct projector *)(uintptr_t)projector;
	bool has_failed;

	pthread_mutex_lock(&unlocked->lock);
	has_failed = projector->has_failed;
	pthread_mutex_unlock(&unlocked->lock);
	return has_failed;
}

bool projector_submit(struct projector *projector, struct projector_query *query, struct error *err)
{
	bool is_taken;

	query->next = NULL;
	query->err = (struct error){0};
	pthread_mutex_lock(&projector->lock);
	is_taken = !projector->is_stopping && !projector->has_failed &&
		   projector->queries_count < PROJECTOR_QUERIES_MAX;
	if (is_taken) {
		if (projector->last == NULL)
			projector->first = query;
		else
			projector->last->next = query;
		projector->last = query;
		projector->queries_count++;
		pthread_cond_signal(&projector->changed);
	}
	pthread_mutex_unlock(&projector->lock);
	if (is_taken)
		return true;
	return projector_has_failed(projector)
		       ? error_set(err, ERROR_IO, "the store has failed")
		       : error_set(err, ERROR_LIMIT, "too many questions are waiting");
}

/* The fold and the projection: two tables over the same records.
 *
 * A record whose changes are too many for an entry names a content instead; both
 * tables see it as if the changes were in it (registry_entry_read), so no handler knows.
 *
 * Invariants:
 * 1. handlers run in log order, on the loop's thread, for durable records only;
 * 2. once has_failed is set nothing is applied or submitted any more;
 * 3. the projection reads nothing but the record, so the rows of a log are the
 *    same whenever and wherever they are made. */
#include "services/registry/fold.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/registry_fold.h"

_Static_assert((int)REGISTRY_CONTENT_BYTES_MAX == (int)RECORD_CONTENT_BYTES_MAX,
	"what the log takes can be folded");

struct fold {
	struct fold_log log;
	struct loop *loop;
	struct fold_handler handlers[FOLD_HANDLERS_MAX];
	struct text types[FOLD_HANDLERS_MAX]; /* theirs */
	size_t handlers_count;
	struct fold_projector projectors[FOLD_HANDLERS_MAX];
	size_t projectors_count;
	struct arena *arena; /* of the record being applied */
	uint64_t next_index;
	uint32_t in_flight;
	bool is_loading;
	bool has_failed;
};

struct projection {
	struct arena *arena;
	struct store_change *changes;
	size_t count;
	size_t capacity;
	uint64_t index;
	bool has_failed;
};

bool fold_create(
	struct fold **out, const struct fold_log *log, struct loop *loop, struct error *err)
{
	struct fold *fold = calloc(1, sizeof *fold);

	*out = NULL;
	if (fold == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the fold");
	fold->arena = arena_create(REGISTRY_ENTRY_ARENA_BYTES_MAX);
	if (fold->arena == NULL) {
		fold_destroy(&fold);
		return error_set(err, ERROR_LIMIT, "no memory for the fold");
	}
	fold->log = *log;
	fold->loop = loop;
	fold->is_loading = true;
	*out = fold;
	return true;
}

void fold_destroy(struct fold **fold)
{
	if (*fold == NULL)
		return;
	arena_destroy(&(*fold)->arena);
	free(*fold);
	*fold = NULL;
}

bool fold_add(struct fold *fold, const struct fold_handler *handler, struct error *err)
{
	if (fold->handlers_count == FOLD_HANDLERS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d fold handlers", FOLD_HANDLERS_MAX);
	fold->types[fold->handlers_count] = text_of(handler->type);
	fold->handlers[fold->handlers_count++] = *handler;
	return true;
}

bool fold_add_projector(
	struct fold *fold, const struct fold_projector *projector, struct error *err)
{
	if (fold->projectors_count == FOLD_HANDLERS_MAX)
		return error_set(err, ERROR_LIMIT, "more than %d projectors", FOLD_HANDLERS_MAX);
	fold->projectors[fold->projectors_count++] = *projector;
	return true;
}

/* ---- applying ---- */

static bool run_handlers(
	struct fold *fold, const struct json *record, uint64_t index, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	for (size_t i = 0; i < fold->handlers_count; i++) {
		const struct fold_handler *handler = &fold->handlers[i];

		if (text_equal(type, fold->types[i]) &&
			!handler->apply(handler->state, record, index, err))
			return error_wrap(
				err, "record %llu (%s)", (unsigned long long)index, handler->type);
	}
	return true;
}

/* What came of applying record index. */
static bool note_applied(struct fold *fold, uint64_t index, bool ok)
{
	if (!ok)
		fold->has_failed = true;
	else if (index >= fold->next_index)
		fold->next_index = index + 1;
	return ok;
}

bool fold_apply_entry(struct fold *fold, struct text entry, struct text content, uint64_t index,
	struct error *err)
{
	struct json record;
	bool ok;

	if (fold->has_failed)
		return error_set(err, ERROR_INTERNAL, "state no longer follows the log");
	ok = registry_entry_read(&record, fold->arena, entry, content, err) &&
	     run_handlers(fold, &record, index, err);
	arena_reset(fold->arena);
	return note_applied(fold, index, ok);
}

static bool apply_change(struct fold *fold, struct fold_change *change)
{
	if (fold->has_failed)
		return error_set(&change->err, ERROR_INTERNAL, "state no longer follows the log");
	if (change->is_record_only)
		return note_applied(fold, change->index, true);
	if (change->record == NULL)
		return fold_apply_entry(
			fold, change->entry, change->content, change->index, &change->err);
	return note_applied(fold, change->index,
		run_handlers(fold, change->record, change->index, &change->err));
}

bool fold_finish_loading(struct fold *fold, struct error *err)
{
	if (fold->has_failed)
		return error_set(err, ERROR_INTERNAL, "state no longer follows the log");
	for (size_t i = 0; i < fold->handlers_count; i++)
		if (fold->handlers[i].loaded != NULL &&
			!fold->handlers[i].loaded(fold->handlers[i].state, err)) {
			fold->has_failed = true;
			return false;
		}
	fold->is_loading = false;
	return true;
}

bool fold_is_loading(const struct fold *fold)
{
	return fold->is_loading;
}

/* ---- submitting ---- */

static void change_durable(struct record_append *append)
{
	struct fold_change *change = append->context;

	change->index = append->index;
	if (!append->is_durable)
		change->err = append->err;
	change->is_durable = append->is_durable && apply_change(change->fold, change);
	change->fold->in_flight--;
	change->done(change);
}

static bool is_handled(const struct fold *fold, struct text type)
{
	for (size_t i = 0; i < fold->handlers_count; i++)
		if (text_equal(type, fold->types[i]))
			return true;
	return false;
}

bool fold_submit(struct fold *fold, struct fold_change *change, struct error *err)
{
	if (fold->has_failed)
		return error_set(err, ERROR_INTERNAL, "state no longer follows the log");
	if (fold->is_loading)
		return error_set(err, ERROR_INTERNAL, "still loading");
	if (change->common != NULL && is_handled(fold, change->common->type_name))
		return error_set(
			err, ERROR_INTERNAL, "a record that changes state is not record only");
	change->fold = fold;
	change->is_durable = false;
	error_clear(&change->err);
	change->append.entry = change->entry;
	change->append.record = change->record;
	change->append.common = change->common;
	change->is_record_only = change->common != NULL;
	change->append.content = change->content;
	change->append.loop = fold->loop;
	change->append.done = change_durable;
	change->append.context = change;
	fold->in_flight++; /* change_durable may run before submit returns */
	if (fold->log.submit(fold->log.context, &change->append, err))
		return true;
	fold->in_flight--;
	return false;
}

uint32_t fold_in_flight(const struct fold *fold)
{
	return fold->in_flight;
}

int64_t fold_stamp_utc_ms(struct fold *fold)
{
	return fold->log.stamp_utc_ms(fold->log.context);
}

bool fold_has_failed(const struct fold *fold)
{
	return fold->has_failed ||
	       (fold->log.has_failed != NULL && fold->log.has_failed(fold->log.context));
}

uint64_t fold_next_index(const struct fold *fold)
{
	return fold->next_index;
}

/* ---- projecting ---- */

/* Room for one more; false when there is none. */
static bool grow(struct projection *projection)
{
	size_t capacity = projection->capacity == 0 ? 8 : 2 * projection->capacity;
	struct store_change *changes;

	if (projection->count < projection->capacity)
		return true;
	if (projection->count >= PROJECTION_CHANGES_MAX)
		return false;
	changes = arena_array(projection->arena, struct store_change, capacity);
	if (changes == NULL)
		return false;
	if (projection->count > 0)
		memcpy(changes, projection->changes, projection->count * sizeof *changes);
	projection->changes = changes;
	projection->capacity = capacity;
	return true;
}

static void add_change(struct projection *projection, enum store_op op, const char *kind,
	struct text key, struct text body)
{
	struct store_change *change;

	if (projection->has_failed || !grow(projection)) {
		projection->has_failed = true;
		return;
	}
	change = &projection->changes[projection->count++];
	change->op = op;
	change->row.kind = text_of(kind);
	change->row.key = text_copy(projection->arena, key);
	change->row.index = projection->index;
	change->row.body = body;
	if (change->row.key.data == NULL)
		projection->has_failed = true;
}

static void add_put(struct projection *projection, enum store_op op, const char *kind,
	struct text key, const struct json *body)
{
	struct text canonical = json_canonical_text(projection->arena, body);

	if (canonical.data == NULL)
		projection->has_failed = true;
	add_change(projection, op, kind, key, canonical);
}

void projection_put(
	struct projection *projection, const char *kind, struct text key, const struct json *body)
{
	add_put(projection, STORE_PUT, kind, key, body);
}

void projection_put_first(
	struct projection *projection, const char *kind, struct text key, const struct json *body)
{
	add_put(projection, STORE_PUT_FIRST, kind, key, body);
}

void projection_delete(struct projection *projection, const char *kind, struct text key)
{
	add_change(projection, STORE_DELETE, kind, key, (struct text){NULL, 0});
}

void projection_delete_prefix(struct projection *projection, const char *kind, struct text prefix)
{
	add_change(projection, STORE_DELETE_PREFIX, kind, prefix, (struct text){NULL, 0});
}

uint64_t projection_index(const struct projection *projection)
{
	return projection->index;
}

struct arena *projection_arena(struct projection *projection)
{
	return projection->arena;
}

static void fill_record(
	struct store_record *out, const struct json *record, struct text entry, uint64_t index)
{
	out->index = index;
	out->at_utc_ms = json_integer_or(record, "at", 0);
	out->type = json_text_or(record, "type", "");
	out->actor = json_text_or(record, "actor", "");
	out->identity = json_text_or(record, "identity", "");
	out->task = json_text_or(record, "task", "");
	out->verdict = json_text_or(record, "verdict", "");
	out->entry = entry;
}

bool fold_project_entry(const struct fold *fold, struct arena *arena,
	const struct fold_entry *entry, struct fold_projected *out, struct error *err)
{
	struct projection projection = {.arena = arena, .index = entry->index};
	struct json record;
	struct text type;

	*out = (struct fold_projected){0};
	if (!registry_entry_read(&record, arena, entry->entry, entry->content, err))
		return error_wrap(err, "record %llu", (unsigned long long)entry->index);
	type = json_text_or(&record, "type", "");
	for (size_t i = 0; i < fold->projectors_count; i++)
		if (text_is(type, fold->projectors[i].type))
			fold->projectors[i].project(&record, &projection);
	if (projection.has_failed)
		return error_set(err, ERROR_LIMIT, "record %llu leaves too many rows",
			(unsigned long long)entry->index);
	out->changes = projection.changes;
	out->changes_count = projection.count;
	fill_record(&out->record, &record, entry->entry, entry->index);
	return true;
}

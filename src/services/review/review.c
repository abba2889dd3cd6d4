/* The table of reviews, and what is looked at in it. */
#include "services/review/review.h"

#include <stdlib.h>

#include "base/log.h"
#include "domain/charter/nearest.h"
#include "services/review/review_private.h"

static const char *const stage_words[REVIEW_STAGE_COUNT] = {
	[REVIEW_STAGE_GATHERING] = "gathering",
	[REVIEW_STAGE_FAILED] = "failed",
	[REVIEW_STAGE_OPEN] = "open",
	[REVIEW_STAGE_CLOSED] = "closed",
};

static const char *const reminder_words[REVIEW_REMINDER_COUNT] = {
	[REVIEW_REMINDER_HALF] = "half",
	[REVIEW_REMINDER_DAY] = "day",
	[REVIEW_REMINDER_END] = "end",
};

const char *review_stage_word(enum review_stage stage)
{
	return (size_t)stage < REVIEW_STAGE_COUNT ? stage_words[stage] : NULL;
}

const char *review_reminder_word(enum review_reminder reminder)
{
	return (size_t)reminder < REVIEW_REMINDER_COUNT ? reminder_words[reminder] : NULL;
}

/* ---- making ---- */

static bool has_all(const struct review_service *service)
{
	return service->reviews != NULL && service->events != NULL && service->reviewed != NULL &&
	       service->judged != NULL && service->scratch != NULL;
}

bool review_service_create(
	struct review_service **out, const struct review_parts *parts, struct error *err)
{
	struct review_service *service = calloc(1, sizeof *service);

	*out = NULL;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for reviews");
	service->parts = *parts;
	service->reviews = name_table_create();
	service->events = name_table_create();
	service->reviewed = name_table_create();
	service->judged = name_table_create();
	service->scratch = arena_create(REVIEW_SCRATCH_BYTES_MAX);
	if (has_all(service) && review_register(service, err) &&
		review_register_events(service, err) && review_register_telling(service, err)) {
		*out = service;
		return true;
	}
	if (err->code == ERROR_NONE)
		error_set(err, ERROR_LIMIT, "no memory for reviews");
	review_service_destroy(&service);
	return false;
}

static void destroy_review(void *value)
{
	struct review *review = value;

	review_destroy(&review);
}

void review_service_destroy(struct review_service **service)
{
	if (*service == NULL)
		return;
	name_table_destroy(&(*service)->reviews, destroy_review);
	name_table_destroy(&(*service)->events, free);
	name_table_destroy(&(*service)->reviewed, free);
	name_table_destroy(&(*service)->judged, free);
	arena_destroy(&(*service)->scratch);
	free(*service);
	*service = NULL;
}

void review_connect(struct review_service *service, const struct review_ports *ports,
	const struct review_listener *listener)
{
	service->ports = *ports;
	if (listener != NULL)
		service->listener = *listener;
}

/* ---- one review ---- */

struct review *review_find(const struct review_service *service, struct text id)
{
	return id.length == 0 ? NULL : name_table_find(service->reviews, id);
}

void review_destroy(struct review **review)
{
	if (*review == NULL)
		return;
	gathering_destroy(&(*review)->gathering);
	if ((*review)->job != NULL) {
		struct review_job *job = (*review)->job;

		buffer_deinit(&job->report);
		sha256_end(&job->digest);
		arena_destroy(&job->arena);
		arena_destroy(&job->batch);
		free(job);
	}
	free((*review)->rows);
	arena_destroy(&(*review)->arena);
	free(*review);
	*review = NULL;
}

bool review_add(
	struct review_service *service, struct text id, struct review **out, struct error *err)
{
	struct review *review = calloc(1, sizeof *review);

	*out = NULL;
	if (review != NULL && id.length < sizeof review->id) {
		memcpy(review->id, id.data, id.length);
		review->arena = arena_create_small(REVIEW_ARENA_BYTES_MAX, 4096);
		review->stage = REVIEW_STAGE_GATHERING;
		if (review->arena != NULL && name_table_put(service->reviews, id, review)) {
			*out = review;
			return true;
		}
	}
	review_destroy(&review);
	return error_set(err, ERROR_LIMIT, "no memory for a review");
}

void review_forget(struct review_service *service, struct review *review)
{
	struct review *found = name_table_remove(service->reviews, text_of(review->id));

	service->items_count -= review->rows_count;
	review_destroy(&found);
}

int64_t review_now(const struct review_service *service)
{
	return fold_stamp_utc_ms(service->parts.fold);
}

void review_tell(struct review_service *service, const struct review *review, const char *event)
{
	const struct review_notice notice = {.event = event,
		.review = text_of(review->id),
		.name = review->name,
		.due_utc_ms = review->due_utc_ms,
		.items = review->rows_count,
		.open = review->rows_count - review->settled,
		.reviewers = review->reviewers,
		.reviewers_count = review->reviewers_count};

	log_info("review", LOG_STRING("event", event), LOG_TEXT("id", notice.review),
		LOG_NUMBER("items", (int64_t)notice.items),
		LOG_NUMBER("open", (int64_t)notice.open));
	if (service->listener.on_event != NULL)
		service->listener.on_event(service->listener.context, &notice);
}

/* ---- rows ---- */

static bool grow(struct review *review)
{
	size_t capacity = review->rows_capacity == 0 ? 64 : 2 * review->rows_capacity;
	struct review_row *rows;

	if (review->rows_count < review->rows_capacity)
		return true;
	rows = realloc(review->rows, capacity * sizeof *rows);
	if (rows == NULL)
		return false;
	review->rows = rows;
	review->rows_capacity = capacity;
	return true;
}

/* The texts of an item that live elsewhere, as own ones. */
static bool own_texts(struct review_item *item, struct arena *arena)
{
	struct text *const texts[] = {&item->identity, &item->title, &item->unit,
		&item->resource_unit, &item->owner, &item->backup_owner, &item->author, &item->via,
		&item->because};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		*texts[i] = text_copy(arena, *texts[i]);
		if (texts[i]->data == NULL)
			return false;
	}
	return true;
}

bool review_row_add(struct review_service *service, struct review *review, const struct json *item,
	struct error *err)
{
	struct review_row row = {0};

	if (review->rows_count >= REVIEW_ITEMS_MAX)
		return error_set(
			err, ERROR_LIMIT, "a review has at most %d items", REVIEW_ITEMS_MAX);
	if (!review_item_read(&row.item, item, err))
		return false;
	row.canonical = json_canonical_text(review->arena, item);
	if (row.canonical.data == NULL || !own_texts(&row.item, review->arena) || !grow(review))
		return error_set(err, ERROR_LIMIT, "no memory for the items of a review");
	row.item.line = NULL;
	row.item.reduced = NULL;
	review->rows[review->rows_count++] = row;
	service->items_count++;
	return true;
}

bool review_row_read(const struct review_row *row, struct arena *arena, struct review_item *out,
	struct error *err)
{
	struct json value;

	return json_parse(&value, arena, row->canonical, &json_limits_default, err) &&
	       review_item_read(out, &value, err);
}

enum review_state review_row_state(const struct review_row *row, int64_t now_utc_ms)
{
	return row->state == REVIEW_STATE_TRIAL && now_utc_ms >= row->until_utc_ms
		       ? REVIEW_STATE_REVOKED
		       : row->state;
}

bool review_filter_takes(
	const struct review_filter *filter, const struct review_row *row, int64_t now_utc_ms)
{
	const struct review_item *item = &row->item;

	return (!filter->has_state || review_row_state(row, now_utc_ms) == filter->state) &&
	       (filter->kind == REVIEW_ITEM_NONE || item->kind == filter->kind) &&
	       (filter->advice == REVIEW_CHOICE_NONE || item->advice == filter->advice) &&
	       (filter->risk == RISK_NONE || item->risk == filter->risk) &&
	       (filter->identity.length == 0 || text_equal(item->identity, filter->identity)) &&
	       (filter->unit.length == 0 || text_equal(item->unit, filter->unit));
}

/* ---- showing ---- */

static int64_t count_state(const struct review *review, enum review_state state, int64_t now_utc_ms)
{
	int64_t count = 0;

	for (size_t i = 0; i < review->rows_count; i++)
		count += review_row_state(&review->rows[i], now_utc_ms) == state;
	return count;
}

static bool put_scope(
	struct json_builder *object, const struct review_scope *scope, struct error *err)
{
	struct json_builder one;
	struct json sealed;

	json_object_start(&one, object->arena);
	json_put_text_unless_empty(&one, "unit", scope->unit);
	if (scope->risk != RISK_NONE)
		json_put_cstring(&one, "risk", risk_tier_word(scope->risk));
	json_put_text_unless_empty(&one, "owner", scope->owner);
	json_put_text_unless_empty(&one, "identity", scope->identity);
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_put(object, "scope", sealed);
	return true;
}

static void put_times(struct json_builder *object, const struct review *review)
{
	json_put_integer(object, "items", (int64_t)review->rows_count);
	json_put_integer(object, "settled", (int64_t)review->settled);
	if (review->stage == REVIEW_STAGE_OPEN || review->stage == REVIEW_STAGE_CLOSED) {
		json_put_integer(object, "opened", review->opened_utc_ms);
		json_put_integer(object, "due_at", review->due_utc_ms);
		json_put_integer(object, "record", (int64_t)review->opened_index);
		json_put_digest(object, "snapshot", &review->snapshot);
	}
	if (review->stage == REVIEW_STAGE_CLOSED) {
		json_put_integer(object, "closed_record", (int64_t)review->closed_index);
		json_put_digest(object, "report", &review->report);
	}
	json_put_text_unless_empty(object, "failure", review->failure);
}

static bool put_states(struct json_builder *object, const struct review *review, int64_t now_utc_ms,
	struct error *err)
{
	struct json_builder states;
	struct json sealed;

	json_object_start(&states, object->arena);
	for (int state = REVIEW_STATE_OPEN; state < REVIEW_STATE_COUNT; state++) {
		int64_t count = count_state(review, (enum review_state)state, now_utc_ms);

		if (count > 0)
			json_put_integer(
				&states, review_state_word((enum review_state)state), count);
	}
	if (!json_object_seal(&states, &sealed, err))
		return false;
	json_put(object, "states", sealed);
	return true;
}

static bool review_json(struct json *out, struct arena *arena, const struct review *review,
	int64_t now_utc_ms, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_cstring(&object, "id", review->id);
	json_put_cstring(&object, "stage", review_stage_word(review->stage));
	json_put_cstring(&object, "cause", review_cause_word(review->cause));
	json_put_text_unless_empty(&object, "name", review->name);
	json_put_text(&object, "actor", review->actor);
	put_times(&object, review);
	if (review->reviewers_count > 0)
		json_put_texts(&object, "reviewers", review->reviewers, review->reviewers_count);
	return put_scope(&object, &review->scope, err) &&
	       put_states(&object, review, now_utc_ms, err) && json_object_seal(&object, out, err);
}

bool review_show(const struct review_service *service, struct text id, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct review *review = review_find(service, id);

	if (review == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no review %.*s", TEXT_ARGS(id));
	return review_json(out, arena, review, review_now(service), err);
}

bool review_list(const struct review_service *service, struct text after, uint32_t count,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct review *review = name_table_next(service->reviews, after);
	int64_t now_utc_ms = review_now(service);
	struct json_builder list;

	json_array_start(&list, arena);
	for (uint32_t i = 0; review != NULL && i < count; i++) {
		struct json item;

		if (!review_json(&item, arena, review, now_utc_ms, err))
			return false;
		json_add(&list, item);
		review = name_table_next(service->reviews, text_of(review->id));
	}
	return json_array_seal(&list, out, err);
}

/* ---- items ---- */

static void put_settled(
	struct json_builder *object, const struct review_row *row, int64_t now_utc_ms)
{
	json_put_cstring(object, "state", review_state_word(review_row_state(row, now_utc_ms)));
	json_put_text_unless_empty(object, "by", row->by);
	json_put_text_unless_empty(object, "assignee", row->assignee);
	if (row->at_utc_ms != 0)
		json_put_integer(object, "at", row->at_utc_ms);
	if (row->until_utc_ms != 0)
		json_put_integer(object, "until_at", row->until_utc_ms);
	if (row->index != 0)
		json_put_integer(object, "record", (int64_t)row->index);
	if (row->was_contained)
		json_put_boolean(object, "unanswered", true);
}

/* One item as it is told: what was frozen, and what became of it. */
struct telling {
	struct review_service *service;
	const struct review *review;
	struct text person;
	struct arena *arena;
	int64_t now_utc_ms;
};

static bool row_json(struct json *out, const struct telling *telling, size_t at, struct error *err)
{
	const struct review_row *row = &telling->review->rows[at];
	struct json_builder object;
	struct error refusal;
	struct text for_person;
	struct json frozen;

	if (!json_parse(&frozen, telling->arena, row->canonical, &json_limits_default, err))
		return false;
	json_object_start(&object, telling->arena);
	json_put_integer(&object, "number", (int64_t)at + 1);
	put_settled(&object, row, telling->now_utc_ms);
	if (telling->person.length > 0)
		json_put_boolean(&object, "yours",
			review_may(telling->service, telling->review, row, telling->person,
				&for_person, &refusal));
	json_put(&object, "item", frozen);
	return json_object_seal(&object, out, err);
}

bool review_items(struct review_service *service, const struct review_items_query *asked,
	struct arena *arena, struct json *out, uint32_t *next, struct error *err)
{
	struct telling telling = {.service = service,
		.review = review_find(service, asked->review),
		.person = asked->person,
		.arena = arena,
		.now_utc_ms = review_now(service)};
	struct json_builder list;
	uint32_t told = 0;
	size_t at = asked->after;

	*next = 0;
	if (telling.review == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no review %.*s", TEXT_ARGS(asked->review));
	json_array_start(&list, arena);
	for (; at < telling.review->rows_count && told < asked->count && told < REVIEW_PAGE_MAX;
		at++) {
		struct json item;

		if (!review_filter_takes(
			    &asked->filter, &telling.review->rows[at], telling.now_utc_ms))
			continue;
		if (!row_json(&item, &telling, at, err))
			return false;
		json_add(&list, item);
		told++;
	}
	*next = at < telling.review->rows_count ? (uint32_t)at : 0;
	return json_array_seal(&list, out, err);
}

struct review_figures review_figures(const struct review_service *service)
{
	struct review_figures figures = {.items = service->items_count};
	const struct review *review = name_table_next(service->reviews, TEXT(""));

	for (; review != NULL; review = name_table_next(service->reviews, text_of(review->id))) {
		figures.open += review->stage == REVIEW_STAGE_OPEN;
		figures.waiting += review->stage == REVIEW_STAGE_OPEN
					   ? review->rows_count - review->settled
					   : 0;
	}
	return figures;
}

/* ---- records ---- */

bool review_record_create(struct fold_record **out, struct review_service *service,
	const char *type, struct text actor, struct error *err)
{
	if (!fold_record_create(
		    out, service->parts.fold, 2 * (size_t)REVIEW_SCRATCH_BYTES_MAX, err))
		return false;
	fold_record_start(*out, type, actor);
	return true;
}

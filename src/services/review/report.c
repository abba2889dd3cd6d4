/* The report: what was decided of each item, in which record, and how much risk is gone.  One
 * JSON text, written some rows a turn; its digest is on record when the review is closed, so
 * that a receipt of that record proves the file. */
#include <stdlib.h>

#include "base/log.h"
#include "services/review/review_private.h"

enum { DROPS_MAX = 64, KEEP_CLOSED_DAYS = 30 };

/* ---- weights ---- */

struct totals {
	int64_t before;
	int64_t after;
	int64_t states[REVIEW_STATE_COUNT];
	int64_t unanswered;
};

/* What is left of the item's authority. */
static int64_t weight_left(const struct review_row *row, enum review_state state)
{
	if (state == REVIEW_STATE_TRIAL || state == REVIEW_STATE_REVOKED)
		return 0;
	return state == REVIEW_STATE_REDUCED ? row->item.reduced_weight : row->item.weight;
}

static struct totals totals_of(const struct review *review, int64_t now_utc_ms)
{
	struct totals totals = {0};

	for (size_t i = 0; i < review->rows_count; i++) {
		const struct review_row *row = &review->rows[i];
		enum review_state state = review_row_state(row, now_utc_ms);

		totals.before += row->item.weight;
		totals.after += weight_left(row, state);
		totals.states[state]++;
		totals.unanswered += row->was_contained;
	}
	return totals;
}

/* ---- writing ---- */

static void put_name(struct buffer *out, const char *name)
{
	if (out->length > 0 && out->data[out->length - 1] != '{')
		buffer_append_byte(out, ',');
	json_append_string(out, text_of(name));
	buffer_append_byte(out, ':');
}

static void put_text(struct buffer *out, const char *name, struct text value)
{
	if (value.length == 0)
		return;
	put_name(out, name);
	json_append_string(out, value);
}

static void put_number(struct buffer *out, const char *name, int64_t value)
{
	put_name(out, name);
	buffer_append_int64(out, value);
}

static void put_states(struct buffer *out, const struct totals *totals)
{
	put_name(out, "states");
	buffer_append_byte(out, '{');
	for (int state = REVIEW_STATE_OPEN; state < REVIEW_STATE_COUNT; state++)
		if (totals->states[state] > 0)
			put_number(out, review_state_word((enum review_state)state),
				totals->states[state]);
	buffer_append_byte(out, '}');
}

static void put_risk(struct buffer *out, const struct totals *totals)
{
	put_name(out, "risk");
	buffer_append_byte(out, '{');
	put_number(out, "after", totals->after);
	put_number(out, "before", totals->before);
	put_number(out, "removed", totals->before - totals->after);
	buffer_append_byte(out, '}');
}

static void put_digest(struct buffer *out, const char *name, const struct sha256 *digest)
{
	char written[DIGEST_TEXT_BYTES];

	digest_format(written, digest);
	put_text(out, name, text_of(written));
}

static void put_head(struct review_job *job)
{
	const struct review *review = job->review;
	struct totals totals = totals_of(review, review_now(job->service));
	struct buffer *out = &job->report;

	buffer_append_byte(out, '{');
	put_text(out, "cause", text_of(review_cause_word(review->cause)));
	put_number(out, "due_utc_ms", review->due_utc_ms);
	put_name(out, "final");
	buffer_append_string(out, job->is_closing ? "true" : "false");
	put_text(out, "format", TEXT("remit-review-1"));
	put_number(out, "item_count", (int64_t)review->rows_count);
	put_text(out, "name", review->name);
	put_number(out, "opened_record", (int64_t)review->opened_index);
	put_number(out, "opened_utc_ms", review->opened_utc_ms);
	put_text(out, "review", text_of(review->id));
	put_risk(out, &totals);
	put_number(out, "settled", (int64_t)review->settled);
	put_digest(out, "snapshot", &review->snapshot);
	put_states(out, &totals);
	put_number(out, "unanswered", totals.unanswered);
	put_name(out, "items");
	buffer_append_byte(out, '[');
}

static void put_row(struct buffer *out, const struct review_row *row, size_t at, int64_t now_utc_ms)
{
	enum review_state state = review_row_state(row, now_utc_ms);

	buffer_append_string(out, at == 0 ? "{" : ",{");
	put_number(out, "number", (int64_t)at + 1);
	put_text(out, "identity", row->item.identity);
	put_text(out, "kind", text_of(review_item_kind_word(row->item.kind)));
	put_text(out, "title", row->item.title);
	put_text(out, "risk", text_of(risk_tier_word(row->item.risk)));
	put_text(out, "recommended", text_of(review_choice_word(row->item.advice)));
	put_text(out, "state", text_of(review_state_word(state)));
	put_text(out, "by", row->by);
	if (row->at_utc_ms != 0)
		put_number(out, "at", row->at_utc_ms);
	if (row->index != 0)
		put_number(out, "record", (int64_t)row->index);
	if (row->state == REVIEW_STATE_TRIAL)
		put_number(out, "until_at", row->until_utc_ms);
	if (row->was_contained) {
		put_name(out, "unanswered");
		buffer_append_string(out, "true");
	}
	put_number(out, "weight", row->item.weight);
	put_number(out, "left", weight_left(row, state));
	buffer_append_byte(out, '}');
}

/* ---- the end of it ---- */

/* Closed ones that nobody needs any more, where there are too many. */
static void put_drops(struct json_builder *record, const struct review_service *service)
{
	int64_t before_utc_ms = review_now(service) - KEEP_CLOSED_DAYS * REVIEW_DAY_MS;
	const struct review *review = name_table_next(service->reviews, TEXT(""));
	struct text drops[DROPS_MAX];
	size_t count = 0;

	if (name_table_count(service->reviews) < REVIEWS_KEPT_MAX &&
		service->items_count < REVIEW_ITEMS_ALL_MAX / 2)
		return;
	for (; review != NULL && count < DROPS_MAX;
		review = name_table_next(service->reviews, text_of(review->id)))
		if (review->stage == REVIEW_STAGE_CLOSED && review->closed_utc_ms < before_utc_ms)
			drops[count++] = text_copy(record->arena, text_of(review->id));
	if (count > 0)
		json_put_texts(record, "drops", drops, count);
}

/* What was due for review of its identity is answered (docs/formats/records.md). */
static void say_done(const struct review_job *job)
{
	const struct review *review = job->review;
	struct fold_record *record;
	struct error err = {0};

	if (review->scope.identity.length == 0)
		return;
	if (review_record_create(&record, job->service, "review-done", TEXT("remit"), &err)) {
		json_put_text(
			&record->object, "review", text_copy(record->arena, text_of(review->id)));
		if (living_put_done(job->service->parts.living, review->scope.identity,
			    review->event_index != 0 ? review->event_index : review->opened_index,
			    &record->object, &err) &&
			fold_record_send(&record, &err))
			return;
		fold_record_destroy(&record);
	}
	log_warn("review_done_not_recorded", LOG_STRING("id", review->id),
		LOG_STRING("why", err.text));
}

static void on_closed(void *context, uint64_t index, const struct error *err)
{
	struct review_job *job = context;

	(void)index;
	if (err != NULL) {
		log_warn("review_not_closed", LOG_STRING("id", job->review->id),
			LOG_STRING("why", err->text));
		job->review->retry_utc_ms = review_now(job->service) + REVIEW_EVENT_SETTLE_MS;
	}
	if (err == NULL)
		say_done(job);
	review_job_end(job, NULL, err);
}

static void put_closing(struct json_builder *record, const struct review_job *job)
{
	const struct review *review = job->review;
	struct totals totals = totals_of(review, review_now(job->service));
	struct sha256 digest = sha256_so_far(job->digest);

	json_put_cstring(record, "review", review->id);
	json_put_digest(record, "snapshot", &review->snapshot);
	json_put_integer(record, "items", (int64_t)review->rows_count);
	json_put_integer(record, "exceptions", totals.states[REVIEW_STATE_EXCEPTION]);
	json_put_integer(record, "unanswered", totals.unanswered);
	if (review->untold > 0)
		json_put_integer(record, "untold", (int64_t)review->untold);
	json_put_integer(record, "weight_before", totals.before);
	json_put_integer(record, "weight_after", totals.after);
	json_put_digest(record, "content", &digest);
	put_drops(record, job->service);
}

static bool send_closing(struct review_job *job, struct error *err)
{
	struct fold_record *record;

	if (!review_record_create(&record, job->service, "review-closed", TEXT("remit"), err))
		return false;
	record->context = job;
	record->done = on_closed;
	record->change.content = buffer_text(&job->report); /* the job outlives the record */
	put_closing(&record->object, job);
	return fold_record_send(&record, err);
}

/* Written whole: it goes on record, or to who asked. */
static void finish(struct review_job *job)
{
	struct review_request request = job->request;
	struct json none = json_null();
	struct error err = {0};

	job->is_stepping = false;
	if (buffer_failed(&job->report))
		error_set(&err, ERROR_LIMIT, "the report is longer than %d bytes",
			RECORD_CONTENT_BYTES_MAX);
	else if (job->is_closing) {
		if (send_closing(job, &err))
			return;
	} else {
		struct text copy = text_copy(request.arena, buffer_text(&job->report));

		if (copy.data != NULL && request.answer_report != NULL) {
			*request.answer_report = copy;
			review_job_end(job, &none, NULL);
			return;
		}
		error_set(&err, ERROR_LIMIT, "no memory for a report");
	}
	if (job->is_closing)
		job->review->retry_utc_ms = review_now(job->service) + REVIEW_EVENT_SETTLE_MS;
	review_job_end(job, NULL, &err);
}

static void add_digest(struct review_job *job, size_t from)
{
	if (!buffer_failed(&job->report))
		sha256_add(job->digest, job->report.data + from, job->report.length - from);
}

bool review_report_step(struct review_job *job)
{
	size_t begin = job->report.length;
	int64_t now_utc_ms = review_now(job->service);
	const struct review *review = job->review;

	if (begin == 0)
		put_head(job);
	for (int i = 0; i < REVIEW_STEP_ROWS && job->cursor < review->rows_count; i++) {
		put_row(&job->report, &review->rows[job->cursor], job->cursor, now_utc_ms);
		job->cursor++;
	}
	if (job->cursor == review->rows_count)
		buffer_append_string(&job->report, "]}\n");
	add_digest(job, begin);
	if (job->cursor < review->rows_count && !buffer_failed(&job->report))
		return true;
	finish(job);
	return false;
}

static bool start(struct review_service *service, struct review *review,
	const struct review_request *request, struct review_job **out, struct error *err)
{
	struct error failure = {0};

	if (!review_job_create(out, service, review, request, err))
		return false;
	(*out)->digest = sha256_begin();
	(*out)->is_stepping = true;
	if ((*out)->digest != NULL)
		return true;
	error_set(err, ERROR_LIMIT, "no memory for a report");
	(*out)->request.done = NULL;
	review_job_end(*out, NULL, &failure);
	return false;
}

bool review_report(struct review_service *service, struct review *review,
	struct review_request *request, struct error *err)
{
	struct json none = json_null();
	struct review_job *job;

	if (review->stage != REVIEW_STAGE_CLOSED)
		return start(service, review, request, &job, err);
	if (!service->ports.read_content(service->ports.log, review->closed_index, request->arena,
		    request->answer_report, err))
		return false;
	request->done(request->context, &none, NULL);
	return true;
}

bool review_close(struct review_service *service, struct review *review, struct error *err)
{
	const struct review_request request = {.verb = REVIEW_VERB_REPORT};
	struct review_job *job;

	if (!start(service, review, &request, &job, err))
		return false;
	job->is_closing = true;
	return true;
}

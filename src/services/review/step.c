/* What goes on by itself, a bounded part a turn: snapshots are made, people are reminded, what
 * nobody answered is taken on trial, what nobody was told of is told, what is settled is closed.
 * Deadlines are what records say: whoever starts again does the same. */
#include "base/log.h"
#include "services/review/review_private.h"

/* ---- deadlines ---- */

static enum review_reminder reminder_due(const struct review *review, int64_t now_utc_ms)
{
	int64_t half_utc_ms =
		review->opened_utc_ms + (review->due_utc_ms - review->opened_utc_ms) / 2;

	if (now_utc_ms >= review->due_utc_ms)
		return REVIEW_REMINDER_END;
	if (now_utc_ms >= review->due_utc_ms - REVIEW_DAY_MS)
		return REVIEW_REMINDER_DAY;
	return now_utc_ms >= half_utc_ms ? REVIEW_REMINDER_HALF : REVIEW_REMINDER_NONE;
}

/* What a reminder's record tells when it is done: the id, for the review may be gone. */
struct reminding {
	struct review_service *service;
	char id[RANDOM_ID_BYTES];
};

static void on_reminded(void *context, uint64_t index, const struct error *err)
{
	struct reminding *reminding = context;
	struct review *review = review_find(reminding->service, text_of(reminding->id));

	(void)index;
	if (review != NULL) {
		review->is_reminding = false;
		if (err != NULL)
			review->retry_utc_ms =
				review_now(reminding->service) + REVIEW_EVENT_SETTLE_MS;
	}
}

static bool remind(struct review_service *service, struct review *review,
	enum review_reminder reminder, struct error *err)
{
	struct reminding *reminding;
	struct fold_record *record;

	if (!review_record_create(&record, service, "review-reminded", TEXT("remit"), err))
		return false;
	reminding = arena_new(record->arena, struct reminding);
	if (reminding == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for a reminder");
	}
	reminding->service = service;
	memcpy(reminding->id, review->id, sizeof reminding->id);
	record->context = reminding;
	record->done = on_reminded;
	json_put_text(&record->object, "review", text_of(reminding->id));
	json_put_cstring(&record->object, "reminder", review_reminder_word(reminder));
	json_put_integer(&record->object, "open", (int64_t)(review->rows_count - review->settled));
	review->is_reminding = true;
	if (fold_record_send(&record, err))
		return true;
	review->is_reminding = false;
	return false;
}

/* One thing at a time of each review. */
static void tend(struct review_service *service, struct review *review)
{
	int64_t now_utc_ms = review_now(service);
	enum review_reminder reminder = reminder_due(review, now_utc_ms);
	struct error err = {0};
	bool ok = true;

	if (review->stage != REVIEW_STAGE_OPEN || review->job != NULL || review->is_reminding ||
		now_utc_ms < review->retry_utc_ms)
		return;
	if (review->settled == review->rows_count)
		ok = review_close(service, review, &err);
	else if (reminder > review->reminded)
		ok = remind(service, review, reminder, &err);
	else if (now_utc_ms >= review->due_utc_ms)
		ok = review_contain(service, review, &err);
	if (ok)
		return;
	review->retry_utc_ms = now_utc_ms + REVIEW_EVENT_SETTLE_MS;
	log_warn("review_not_tended", LOG_STRING("id", review->id), LOG_STRING("why", err.text));
}

/* A failed one is told of for an hour. */
static bool is_over(const struct review *review, int64_t now_utc_ms)
{
	enum { FAILED_KEPT_MS = 3600 * 1000 };

	return review->stage == REVIEW_STAGE_FAILED &&
	       now_utc_ms - review->opened_utc_ms > FAILED_KEPT_MS;
}

static bool step_review(struct review_service *service, struct review *review)
{
	struct review_job *job = review->job;

	if (review->gathering != NULL)
		return review_gather_step(service, review);
	if (job != NULL && job->is_stepping) {
		if (job->request.verb == REVIEW_VERB_REPORT)
			return review_report_step(job);
		review_decide_step(job);
		return true;
	}
	if (job == NULL && review_tell_step(service, review))
		return true;
	tend(service, review);
	return review->job != NULL && review->job->is_stepping;
}

/* One review a turn does long work; the others of a turn are only looked at. */
bool review_step(struct review_service *service)
{
	struct review *review = name_table_next(service->reviews, service->stepped);
	bool has_before = service->stepped.length > 0; /* those before it come in the next turn */
	bool has_more = graph_is_counted(service->parts.graph) && review_events_step(service);

	service->stepped = TEXT("");
	while (review != NULL) {
		struct review *next = name_table_next(service->reviews, text_of(review->id));

		if (is_over(review, review_now(service))) {
			review_forget(service, review);
		} else if (step_review(service, review)) {
			memcpy(service->stepped_id, review->id, sizeof service->stepped_id);
			service->stepped = text_of(service->stepped_id);
			return true;
		}
		review = next;
	}
	return has_more || has_before;
}

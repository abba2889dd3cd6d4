/* What people ask of reviews, and the one job at a time that each review has under way. */
#include <stdlib.h>

#include "services/review/review_private.h"

enum { JOB_ARENA_BYTES_MAX = 64 * 1024 * 1024 };

/* ---- jobs ---- */

static bool keep(struct arena *arena, struct text *t)
{
	*t = text_copy(arena, *t);
	return t->data != NULL;
}

static bool keep_filter(struct review_job *job)
{
	struct review_filter *filter;

	if (job->request.filter == NULL)
		return true;
	filter = arena_new(job->arena, struct review_filter);
	if (filter == NULL)
		return false;
	*filter = *job->request.filter;
	job->request.filter = filter;
	return keep(job->arena, &filter->identity) && keep(job->arena, &filter->unit);
}

static bool keep_numbers(struct review_job *job)
{
	uint32_t *numbers = arena_array(job->arena, uint32_t, job->request.numbers_count + 1);

	if (numbers == NULL)
		return false;
	for (size_t i = 0; i < job->request.numbers_count; i++)
		numbers[i] = job->request.numbers[i];
	job->request.numbers = numbers;
	return true;
}

static bool keep_request(struct review_job *job)
{
	struct review_request *request = &job->request;
	struct arena *arena = job->arena;

	job->actor = request->person.length == 0
			     ? text_copy(arena, TEXT("remit"))
			     : text_format(arena, "person:%.*s", TEXT_ARGS(request->person));
	return job->actor.data != NULL && keep(arena, &request->person) &&
	       keep(arena, &request->reason) && keep(arena, &request->to) &&
	       keep(arena, &request->proof.signature) && keep(arena, &request->proof.body) &&
	       keep_filter(job) && keep_numbers(job);
}

bool review_job_create(struct review_job **out, struct review_service *service,
	struct review *review, const struct review_request *request, struct error *err)
{
	struct review_job *job;

	*out = NULL;
	if (review->job != NULL)
		return error_set(err, ERROR_CONFLICT,
			"another change of this review is under way: try again");
	if (service->jobs_count >= REVIEW_JOBS_MAX)
		return error_set(
			err, ERROR_LIMIT, "%d changes of reviews are under way", REVIEW_JOBS_MAX);
	job = calloc(1, sizeof *job);
	if (job == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	*job = (struct review_job){.service = service, .review = review, .request = *request};
	job->arena = arena_create(JOB_ARENA_BYTES_MAX);
	job->batch = arena_create(JOB_ARENA_BYTES_MAX);
	if (job->arena == NULL || job->batch == NULL || !keep_request(job)) {
		arena_destroy(&job->arena);
		arena_destroy(&job->batch);
		free(job);
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	}
	buffer_init(&job->report, RECORD_CONTENT_BYTES_MAX);
	json_array_start(&job->refused, job->arena);
	service->jobs_count++;
	review->job = job;
	*out = job;
	return true;
}

void review_job_end(struct review_job *job, const struct json *answer, const struct error *err)
{
	void (*done)(void *, const struct json *, const struct error *) = job->request.done;
	void *context = job->request.context;

	job->review->job = NULL;
	job->service->jobs_count--;
	if (done != NULL)
		done(context, answer, err);
	buffer_deinit(&job->report);
	sha256_end(&job->digest);
	arena_destroy(&job->arena);
	arena_destroy(&job->batch);
	free(job);
}

/* ---- starting ---- */

static bool check_start(
	const struct review_service *service, struct review_request *request, struct error *err)
{
	if (request->days == 0)
		request->days = REVIEW_DAYS_DEFAULT;
	if (request->days < REVIEW_DAYS_MIN || request->days > REVIEW_DAYS_MAX)
		return error_set(err, ERROR_INVALID, "days: %d to %d are expected", REVIEW_DAYS_MIN,
			REVIEW_DAYS_MAX);
	if (request->name.length > REVIEW_NAME_BYTES_MAX || !text_is_utf8(request->name))
		return error_set(err, ERROR_INVALID, "name: at most %d bytes of UTF-8",
			REVIEW_NAME_BYTES_MAX);
	return review_may_start(service, request, err);
}

static bool answer_id(
	const struct review_request *request, const struct review *review, struct error *err)
{
	struct json_builder object;
	struct json answer;

	json_object_start(&object, request->arena);
	json_put_text(&object, "review", text_copy(request->arena, text_of(review->id)));
	json_put_cstring(&object, "stage", review_stage_word(review->stage));
	if (!json_object_seal(&object, &answer, err))
		return false;
	request->done(request->context, &answer, NULL);
	return true;
}

static bool start(struct review_service *service, struct review_request *request, struct error *err)
{
	struct review *review;
	struct text key;

	if (!check_start(service, request, err))
		return false;
	if (request->proof.signature.length > 0 &&
		!approve_check_signature(service->parts.approve, request->person, &request->proof,
			request->arena, &key, err))
		return false;
	return review_gather(service, request, NULL, &review, err) &&
	       answer_id(request, review, err);
}

/* ---- delegation ---- */

static void on_delegated(void *context, uint64_t index, const struct error *err)
{
	struct review_job *job = context;
	struct json_builder object;
	struct json answer;
	struct error failure = {0};

	if (err != NULL) {
		review_job_end(job, NULL, err);
		return;
	}
	json_object_start(&object, job->request.arena);
	json_put_integer(&object, "index", (int64_t)index);
	if (json_object_seal(&object, &answer, &failure))
		review_job_end(job, &answer, NULL);
	else
		review_job_end(job, NULL, &failure);
}

static bool delegate(struct review_service *service, struct review *review,
	struct review_request *request, struct error *err)
{
	struct fold_record *record;
	struct review_job *job;
	struct text key = TEXT("");

	if (!review_check_delegation(service, review, request, err) ||
		!approve_check_signature(service->parts.approve, request->person, &request->proof,
			request->arena, &key, err) ||
		!review_job_create(&job, service, review, request, err))
		return false;
	if (review_record_create(&record, service, "review-delegated", job->actor, err)) {
		record->context = job;
		record->done = on_delegated;
		json_put_cstring(&record->object, "review", review->id);
		json_put_text(&record->object, "from", job->request.person);
		json_put_text(&record->object, "to", job->request.to);
		json_put_text(&record->object, "key", key);
		json_put_text(&record->object, "signature", job->request.proof.signature);
		json_put_text(&record->object, "signed", job->request.proof.body);
		if (fold_record_send(&record, err))
			return true;
	}
	job->request.done = NULL;
	review_job_end(job, NULL, err);
	return false;
}

/* ---- all ---- */

static bool check_open(
	const struct review *review, const struct review_request *request, struct error *err)
{
	if (review == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no review %.*s", TEXT_ARGS(request->review));
	if (review->stage != REVIEW_STAGE_OPEN && review->stage != REVIEW_STAGE_CLOSED)
		return error_set(
			err, ERROR_CONFLICT, "the review is %s", review_stage_word(review->stage));
	if (review->stage == REVIEW_STAGE_CLOSED && request->verb != REVIEW_VERB_REPORT &&
		request->choice != REVIEW_CHOICE_RESTORE)
		return error_set(err, ERROR_CONFLICT, "the review is closed");
	if (request->proof.body.length > REVIEW_SIGNED_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a request is at most %d bytes",
			REVIEW_SIGNED_BYTES_MAX);
	return true;
}

bool review_submit(
	struct review_service *service, struct review_request *request, struct error *err)
{
	struct review *review;

	if (request->reason.length > REVIEW_REASON_BYTES_MAX || !text_is_utf8(request->reason))
		return error_set(err, ERROR_INVALID, "reason: at most %d bytes of UTF-8",
			REVIEW_REASON_BYTES_MAX);
	if (request->verb == REVIEW_VERB_START)
		return start(service, request, err);
	review = review_find(service, request->review);
	if (!check_open(review, request, err))
		return false;
	switch (request->verb) {
	case REVIEW_VERB_DECIDE: return review_decide(service, review, request, err);
	case REVIEW_VERB_DELEGATE: return delegate(service, review, request, err);
	case REVIEW_VERB_REPORT: return review_report(service, review, request, err);
	case REVIEW_VERB_START:
	case REVIEW_VERB_NONE: break;
	}
	return error_set(err, ERROR_INVALID, "what is to be done?");
}

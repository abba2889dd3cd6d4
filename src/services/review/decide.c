/* Decisions: a request goes through its items some a turn; what belongs together in one turn is
 * one record, with the charters that lose what was taken.
 *
 *   begin ─▶ items ─▶ (nothing to take: a record) ──────────┬─▶ durable ─▶ told ─▶ next ─▶ answer
 *                 └─▶ (the registrar: record and charters) ─┘
 *
 * Each item is looked at as it stands in that moment: whose it is to judge, what was decided
 * before, whether the line is still there as it was frozen.  What does not pass is told, and
 * stays as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "services/review/review_private.h"

enum { BATCH_ITEMS = 128, DOCUMENTS_BYTES_MAX = 512 * 1024 };

/* What is decided in one record. */
struct batch {
	struct review_job *job;
	size_t rows[BATCH_ITEMS];
	bool are_exceptions[BATCH_ITEMS]; /* remit cannot take it: a person must */
	struct text for_person;           /* of all of them */
	size_t count;
	struct review_edit edits[REVIEW_EDITS_MAX];
	size_t edits_count;
	size_t bytes;
	/* Of the identity that is on its way: */
	struct charter_edit lines[BATCH_ITEMS];
	size_t lines_count;
	const struct registry_entry *entry;
	const struct json *document; /* its charter's; NULL: it has none */
	int64_t now_utc_ms;
};

static void next_batch(struct review_job *job);

/* ---- one item ---- */

static bool is_settled_so(const struct review_job *job, const struct review_row *row)
{
	switch (job->request.choice) {
	case REVIEW_CHOICE_KEEP: return row->state == REVIEW_STATE_KEPT;
	case REVIEW_CHOICE_REDUCE: return row->state == REVIEW_STATE_REDUCED;
	case REVIEW_CHOICE_TRIAL: return row->state == REVIEW_STATE_TRIAL;
	case REVIEW_CHOICE_REVOKE:
		return row->state == REVIEW_STATE_REVOKED || row->state == REVIEW_STATE_EXCEPTION;
	case REVIEW_CHOICE_RESTORE: return row->state == REVIEW_STATE_RESTORED;
	case REVIEW_CHOICE_REASSIGN: return text_equal(row->assignee, job->request.to);
	case REVIEW_CHOICE_NONE:
	case REVIEW_CHOICE_LOOK:
	case REVIEW_CHOICE_COUNT: break;
	}
	return false;
}

static bool has_said_so(const struct review_job *job, const struct review_row *row)
{
	if (job->request.choice != REVIEW_CHOICE_KEEP || row->state != REVIEW_STATE_AGREED)
		return false;
	for (size_t i = 0; i < row->voices_count; i++)
		if (text_equal(row->voices[i].person, job->request.person))
			return true;
	return false;
}

static bool check_state(const struct batch *batch, const struct review_row *row, struct error *err)
{
	enum review_state state = review_row_state(row, batch->now_utc_ms);

	if (batch->job->request.choice == REVIEW_CHOICE_RESTORE) {
		if (state == REVIEW_STATE_TRIAL)
			return true;
		if (row->state == REVIEW_STATE_TRIAL)
			return error_set(err, ERROR_CONFLICT,
				"its %d days are over: propose it anew", REVIEW_TRIAL_DAYS);
		return error_set(err, ERROR_CONFLICT, "it is %s: nothing was taken on trial",
			review_state_word(state));
	}
	if (!review_state_is_settled(state) ||
		(state == REVIEW_STATE_TRIAL && batch->job->request.choice == REVIEW_CHOICE_REVOKE))
		return true;
	return error_set(err, ERROR_CONFLICT, "it was decided: it is %s since record #%llu",
		review_state_word(state), (unsigned long long)row->index);
}

/* The line as it is now; NULL: it is not there any more as it was frozen. */
static const struct json *find_line(const struct batch *batch, const struct review_item *item)
{
	const struct charter_line line = {review_item_part(item->kind), item->line};

	if (batch->document == NULL || batch->entry->state == IDENTITY_RETIRED ||
		item->line == NULL)
		return NULL;
	return charter_find_line(batch->document, &line);
}

static bool check_line(const struct batch *batch, const struct review_item *item,
	const struct review_row *row, struct error *err)
{
	if (item->kind == REVIEW_ITEM_INHERITED || row->state == REVIEW_STATE_TRIAL ||
		find_line(batch, item) != NULL)
		return true;
	return error_set(err, ERROR_CONFLICT,
		"it changed since the snapshot: it must be looked at again (remit review start "
		"--identity %.*s)",
		TEXT_ARGS(item->identity));
}

static bool check_choice(
	const struct batch *batch, const struct review_item *item, struct error *err)
{
	const struct review_request *request = &batch->job->request;

	if (request->choice == REVIEW_CHOICE_REDUCE && item->reduced == NULL)
		return error_set(err, ERROR_INVALID,
			"there is nothing to reduce: it was used as far as it goes, or not at all");
	if (request->filter != NULL && !batch->job->is_own && !review_allows_bulk(item))
		return error_set(err, ERROR_INVALID,
			"its risk is %s: it is decided one by one, by its number",
			item->risk == RISK_NONE ? "not known" : risk_tier_word(item->risk));
	return true;
}

static bool check_assignee(
	const struct batch *batch, const struct review_row *row, struct error *err)
{
	const struct review_request *request = &batch->job->request;
	struct review_row given = *row;
	struct text behind;

	if (request->choice != REVIEW_CHOICE_REASSIGN)
		return true;
	given.assignee = request->to;
	return (review_may(batch->job->service, batch->job->review, &given, request->to, &behind,
			err) &&
		       behind.length == 0) ||
	       error_set(err, ERROR_INVALID, "%.*s may not judge it", TEXT_ARGS(request->to));
}

/* ---- what is taken ---- */

static enum charter_edit_how how_of(enum review_choice choice)
{
	switch (choice) {
	case REVIEW_CHOICE_REDUCE: return CHARTER_EDIT_REPLACE;
	case REVIEW_CHOICE_TRIAL:
	case REVIEW_CHOICE_REVOKE: return CHARTER_EDIT_TAKE_OUT;
	case REVIEW_CHOICE_RESTORE: return CHARTER_EDIT_PUT_BACK;
	case REVIEW_CHOICE_KEEP:
	case REVIEW_CHOICE_REASSIGN:
	case REVIEW_CHOICE_NONE:
	case REVIEW_CHOICE_LOOK:
	case REVIEW_CHOICE_COUNT: break;
	}
	return CHARTER_EDIT_NONE;
}

/* What was taken on trial is gone from the charter already. */
static bool needs_edit(
	const struct batch *batch, const struct review_item *item, const struct review_row *row)
{
	return how_of(batch->job->request.choice) != CHARTER_EDIT_NONE &&
	       item->kind != REVIEW_ITEM_INHERITED &&
	       (row->state != REVIEW_STATE_TRIAL ||
		       batch->job->request.choice == REVIEW_CHOICE_RESTORE);
}

/* The charter of the identity on its way, with all its lines. */
static bool finish_identity(struct batch *batch, struct error *err)
{
	const struct charter_edits edits = {
		batch->lines, batch->lines_count, batch->now_utc_ms / 1000};
	struct json *document = arena_new(batch->job->batch, struct json);
	struct review_edit *edit;

	if (batch->lines_count == 0)
		return true;
	if (document == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a decision");
	if (!charter_edit(document, batch->job->batch, batch->document, &edits, err))
		return false;
	edit = &batch->edits[batch->edits_count++];
	*edit = (struct review_edit){.identity = batch->entry->name,
		.version = batch->entry->in_force->version,
		.document = document,
		.is_restore = batch->job->request.choice == REVIEW_CHOICE_RESTORE};
	batch->bytes += batch->entry->in_force->packed.length;
	batch->lines_count = 0;
	return true;
}

static bool add_edit(struct batch *batch, const struct review_item *item)
{
	batch->lines[batch->lines_count++] =
		(struct charter_edit){.line = {review_item_part(item->kind), item->line},
			.how = how_of(batch->job->request.choice),
			.with = item->reduced};
	return true;
}

/* ---- batches ---- */

static void refuse(struct review_job *job, size_t row, const struct error *why)
{
	struct json_builder object;
	struct json sealed;
	struct error err;
	struct text said = text_copy(job->arena, text_of(why->text));

	job->refused_count++;
	if (job->refused_count > REVIEW_REFUSED_MAX || said.data == NULL)
		return;
	if (job->failure.code == ERROR_NONE)
		job->failure = *why;
	json_object_start(&object, job->arena);
	json_put_integer(&object, "number", (int64_t)row + 1);
	json_put_text(&object, "why", said);
	if (json_object_seal(&object, &sealed, &err))
		json_add(&job->refused, sealed);
}

/* The next row that the request is about; false at the end. */
static bool next_row(struct review_job *job, int64_t now_utc_ms, size_t *out)
{
	const struct review_request *request = &job->request;
	const struct review *review = job->review;

	while (request->filter != NULL && job->cursor < review->rows_count) {
		const struct review_row *row = &review->rows[job->cursor++];

		if (review_filter_takes(request->filter, row, now_utc_ms) &&
			(job->is_own ? !review_state_is_settled(row->state) : true)) {
			*out = job->cursor - 1;
			return true;
		}
	}
	if (request->filter != NULL || job->cursor >= request->numbers_count)
		return false;
	*out = request->numbers[job->cursor++] - 1;
	return true;
}

static bool check_item(struct batch *batch, const struct review_row *row,
	const struct review_item *item, struct text *for_person, struct error *err)
{
	struct review_job *job = batch->job;

	*for_person = (struct text){NULL, 0};
	return check_state(batch, row, err) &&
	       (job->is_own || review_may(job->service, job->review, row, job->request.person,
				       for_person, err)) &&
	       check_line(batch, item, row, err) && check_choice(batch, item, err) &&
	       check_assignee(batch, row, err);
}

/* What is only seen cannot be taken; at the deadline neither can what is not as it was. */
static bool is_exception(const struct batch *batch, const struct review_item *item)
{
	if (item->kind == REVIEW_ITEM_INHERITED)
		return review_choice_takes(batch->job->request.choice);
	return batch->job->is_own && (batch->job->must_except || find_line(batch, item) == NULL);
}

static void add_row(struct batch *batch, size_t at, bool is_exception)
{
	batch->are_exceptions[batch->count] = is_exception;
	batch->rows[batch->count++] = at;
}

enum taken { TAKEN = 0, TAKEN_NEXT_RECORD, TAKEN_FAILED };

/* Whether the item belongs into this record: the same person behind it, room for its charter. */
static bool fits(const struct batch *batch, const struct review_item *item, struct text behind)
{
	bool is_same = batch->entry != NULL && text_equal(batch->entry->name, item->identity);

	return (batch->count == 0 || text_equal(batch->for_person, behind)) &&
	       batch->count < BATCH_ITEMS &&
	       (is_same || batch->count == 0 || !batch->job->is_careful) &&
	       (is_same || (batch->edits_count + (batch->lines_count > 0) < REVIEW_EDITS_MAX &&
				   batch->bytes < DOCUMENTS_BYTES_MAX));
}

static bool load_document(struct batch *batch, struct error *err)
{
	struct json *document = arena_new(batch->job->batch, struct json);

	batch->document = NULL;
	if (document == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a decision");
	if (batch->entry == NULL || batch->entry->in_force == NULL)
		return true;
	batch->document = document;
	return object_document(batch->entry->in_force, batch->job->batch, document, err);
}

static bool look_at(struct batch *batch, const struct review_item *item, struct error *err)
{
	if (batch->entry != NULL && text_equal(batch->entry->name, item->identity))
		return true;
	if (!finish_identity(batch, err))
		return false;
	batch->entry =
		registry_find(batch->job->service->parts.registry, OBJECT_IDENTITY, item->identity);
	return load_document(batch, err);
}

static enum taken take_row(struct batch *batch, size_t at, struct error *err)
{
	struct review_job *job = batch->job;
	const struct review_row *row = &job->review->rows[at];
	struct review_item *item = arena_new(job->batch, struct review_item);
	struct text behind = {NULL, 0};
	struct error why = {0};

	if (is_settled_so(job, row) || has_said_so(job, row)) {
		job->already++;
		return TAKEN;
	}
	if (item == NULL || !review_row_read(row, job->batch, item, err))
		return TAKEN_FAILED;
	if (!fits(batch, item, batch->for_person))
		return TAKEN_NEXT_RECORD;
	if (!look_at(batch, item, err))
		return TAKEN_FAILED;
	if (job->is_own && is_exception(batch, item)) {
		add_row(batch, at, true);
		return TAKEN;
	}
	if (!check_item(batch, row, item, &behind, &why)) {
		refuse(job, at, &why);
		return TAKEN;
	}
	if (!fits(batch, item, behind))
		return TAKEN_NEXT_RECORD;
	batch->for_person = behind;
	add_row(batch, at, is_exception(batch, item));
	return !needs_edit(batch, item, row) || add_edit(batch, item) ? TAKEN : TAKEN_FAILED;
}

/* Numbers of one identity stand beside one another: rows are in their order, and so are numbers
 * (review_decide). */
static bool fill(struct batch *batch, struct error *err)
{
	struct review_job *job = batch->job;
	size_t at, looked = 0, before = job->cursor;

	while (batch->count < BATCH_ITEMS && looked < 2 * BATCH_ITEMS &&
		next_row(job, batch->now_utc_ms, &at)) {
		enum taken taken = take_row(batch, at, err);

		if (taken == TAKEN_FAILED)
			return false;
		if (taken == TAKEN_NEXT_RECORD) {
			job->cursor = before;
			break;
		}
		before = job->cursor;
		looked++;
	}
	return finish_identity(batch, err);
}

/* ---- the record ---- */

static bool put_numbers(struct json_builder *object, const char *name, const struct batch *batch,
	bool are_exceptions, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	for (size_t i = 0; i < batch->count; i++)
		if (batch->are_exceptions[i] == are_exceptions)
			json_add(&list, json_integer((int64_t)batch->rows[i] + 1));
	if (!json_array_seal(&list, &sealed, err))
		return false;
	if (sealed.count > 0)
		json_put(object, name, sealed);
	return true;
}

/* With the hash of the snapshot, so that the record says by itself what was decided on. */
static bool put_decision(struct json_builder *object, const struct batch *batch, struct error *err)
{
	const struct review_job *job = batch->job;
	const struct review_request *request = &job->request;

	json_put_cstring(object, "review", job->review->id);
	json_put_cstring(object, "decision", review_choice_word(request->choice));
	json_put_digest(object, "snapshot", &job->review->snapshot);
	json_put_text_unless_empty(object, "for", batch->for_person);
	json_put_text_unless_empty(object, "reason", request->reason);
	if (request->choice == REVIEW_CHOICE_REASSIGN)
		json_put_text(object, "to", request->to);
	if (request->choice == REVIEW_CHOICE_TRIAL)
		json_put_integer(object, "until_utc_ms",
			batch->now_utc_ms + REVIEW_TRIAL_DAYS * REVIEW_DAY_MS);
	if (job->is_own)
		json_put_cstring(object, "cause", "deadline");
	json_put_text_unless_empty(object, "signature", request->proof.signature);
	json_put_text_unless_empty(object, "signed", request->proof.body);
	return put_numbers(object, "items", batch, false, err) &&
	       put_numbers(object, "exceptions", batch, true, err);
}

static void fail(struct review_job *job, const struct error *err)
{
	struct error kept = *err;

	review_job_end(job, NULL, &kept);
}

static void note_written(struct review_job *job, uint64_t index)
{
	if (job->first_index == 0)
		job->first_index = index;
	job->last_index = index;
}

/* An account stops as a whole: only once all of its lines that are judged here are to go. */
static bool goes_whole(const struct review *review, struct text account)
{
	for (size_t i = 0; i < review->rows_count; i++) {
		const struct review_row *row = &review->rows[i];

		if (review_is_of_account(&row->item, account) &&
			row->state != REVIEW_STATE_EXCEPTION)
			return false;
	}
	return true;
}

/* The next record comes once what follows from this one is on record, or known to be lost: what
 * is lost is told later (tell.c), and who asked is not kept from their answer. */
static void end_telling(struct review_job *job)
{
	if (--job->telling == 0)
		next_batch(job);
}

static void on_told(void *context, uint64_t index, const struct error *err)
{
	struct review_job *job = context;

	(void)index;
	if (err != NULL)
		log_warn("review_exception_not_reported", LOG_STRING("why", err->text));
	end_telling(job);
}

static void on_stopped(void *context, const struct error *err)
{
	on_told(context, 0, err);
}

/* What nobody answered for, or what goes on trial, is stopped so that it can be had back. */
static bool stop_at_provider(struct review_job *job, const struct review_row *row)
{
	const struct review_ports *ports = &job->service->ports;
	struct review_stop stop = {.actor = job->actor,
		.review = text_of(job->review->id),
		.identity = row->item.identity,
		.must_be_reversible = job->is_own || job->request.choice == REVIEW_CHOICE_TRIAL,
		.context = job,
		.done = on_stopped};

	if (row->item.kind != REVIEW_ITEM_INHERITED || ports->stop_account == NULL ||
		(job->request.choice != REVIEW_CHOICE_REVOKE &&
			job->request.choice != REVIEW_CHOICE_TRIAL) ||
		!ports->find_account(ports->providers, row->item.identity, row->item.title,
			job->arena, &stop.account) ||
		!goes_whole(job->review, stop.account))
		return false;
	stop.reason = text_format(job->arena, "review %s took it away%s", job->review->id,
		job->is_own ? ": nobody answered" : "");
	return stop.reason.data != NULL && ports->stop_account(ports->providers, &stop);
}

static void report_exception(struct review_job *job, size_t at)
{
	struct finding_draft draft;
	struct error err = {0};

	job->telling++;
	if (stop_at_provider(job, &job->review->rows[at]))
		return;
	if (job->service->parts.finding != NULL &&
		review_exception_draft(&draft, job->batch, job->review, at, &err)) {
		draft.context = job;
		draft.done = on_told;
		if (finding_report(job->service->parts.finding, &draft, &err))
			return;
	}
	job->telling--;
	log_warn("review_exception_not_reported", LOG_STRING("why", err.text));
}

/* Whoever can take it away is told, until it is gone; then the job goes on. */
static void report_exceptions(struct review_job *job)
{
	job->telling = 1;
	for (size_t i = 0; i < job->exceptions_count; i++)
		report_exception(job, job->exceptions[i]);
	job->exceptions_count = 0;
	end_telling(job);
}

static void note_exceptions(const struct batch *batch)
{
	struct review_job *job = batch->job;

	job->exceptions_count = 0;
	for (size_t i = 0; i < batch->count; i++)
		if (batch->are_exceptions[i])
			job->exceptions[job->exceptions_count++] = batch->rows[i];
}

static void on_kept(void *context, uint64_t index, const struct error *err)
{
	struct review_job *job = context;

	if (err != NULL) {
		fail(job, err);
		return;
	}
	note_written(job, index);
	report_exceptions(job);
}

static bool write_plain(const struct batch *batch, struct error *err)
{
	struct review_job *job = batch->job;
	struct fold_record *record;

	if (!review_record_create(&record, job->service, "review-decided", job->actor, err))
		return false;
	record->context = job;
	record->done = on_kept;
	if (put_decision(&record->object, batch, err))
		return fold_record_send(&record, err);
	fold_record_destroy(&record);
	return false;
}

/* At the deadline one charter that cannot be written must not keep the others: each goes by
 * itself then, and what cannot be taken is an exception. */
static void go_round(struct review_job *job, const struct error *err)
{
	if (!job->is_own || err->code == ERROR_IO || err->code == ERROR_INTERNAL) {
		fail(job, err);
		return;
	}
	job->decided -= job->batch_count;
	job->cursor = job->batch_cursor;
	job->must_except = job->is_careful;
	job->is_careful = true;
	job->is_stepping = true;
}

static void on_taken(struct registrar_request *work)
{
	struct review_job *job = work->context;
	struct error err = work->err;
	uint64_t index = work->index;

	registrar_request_deinit(work);
	if (err.code != ERROR_NONE) {
		go_round(job, &err);
		return;
	}
	note_written(job, index);
	report_exceptions(job);
}

/* The registrar writes record and charters together. */
static bool write_taken(const struct batch *batch, struct error *err)
{
	struct review_job *job = batch->job;
	struct json *members = arena_new(job->batch, struct json);
	struct review_edit *edits = arena_array(job->batch, struct review_edit, batch->edits_count);
	struct json_builder object;

	if (members == NULL || edits == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a decision");
	memcpy(edits, batch->edits, batch->edits_count * sizeof *edits);
	json_object_start(&object, job->batch);
	if (!put_decision(&object, batch, err) || !json_object_seal(&object, members, err))
		return false;
	job->work = (struct registrar_request){.verb = REGISTRAR_REVIEW,
		.actor = job->actor,
		.review = {members, edits, batch->edits_count},
		.done = on_taken,
		.context = job};
	return registrar_submit(job->service->parts.registrar, &job->work, err);
}

/* ---- the whole ---- */

static void answer(struct review_job *job)
{
	struct json_builder object;
	struct json refused, sealed;
	struct error err = {0};

	/* Nothing of one item: as a request of its own is refused. */
	if (job->decided == 0 && job->already == 0 && job->refused_count > 0 && !job->is_own) {
		fail(job, &job->failure);
		return;
	}
	json_object_start(&object, job->arena);
	json_put_integer(&object, "decided", job->decided);
	json_put_integer(&object, "already", job->already);
	json_put_integer(&object, "refused", job->refused_count);
	json_put_cstring(&object, "review", job->review->id);
	if (job->first_index != 0) {
		json_put_integer(&object, "index", (int64_t)job->first_index);
		json_put_integer(&object, "last_index", (int64_t)job->last_index);
	}
	if (!json_array_seal(&job->refused, &refused, &err)) {
		fail(job, &err);
		return;
	}
	if (refused.count > 0)
		json_put(&object, "items", refused);
	if (json_object_seal(&object, &sealed, &err))
		review_job_end(job, &sealed, NULL);
	else
		fail(job, &err);
}

static void next_batch(struct review_job *job)
{
	struct batch batch = {.job = job, .now_utc_ms = review_now(job->service)};
	struct error err = {0};

	job->is_stepping = false;
	job->batch_cursor = job->cursor;
	arena_reset(job->batch);
	if (!fill(&batch, &err)) {
		fail(job, &err);
		return;
	}
	if (batch.count == 0) {
		if (job->request.filter != NULL ? job->cursor < job->review->rows_count
						: job->cursor < job->request.numbers_count)
			job->is_stepping = true; /* a long run of others: go on in another turn */
		else
			answer(job);
		return;
	}
	job->must_except = false;
	job->decided += (uint32_t)batch.count;
	job->batch_count = (uint32_t)batch.count;
	note_exceptions(&batch);
	if (batch.edits_count == 0 ? !write_plain(&batch, &err) : !write_taken(&batch, &err))
		fail(job, &err);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static bool check_numbers(
	const struct review *review, const struct review_request *request, struct error *err)
{
	if (request->filter != NULL)
		return request->numbers_count == 0 ||
		       error_set(err, ERROR_INVALID, "name items, or a filter, not both");
	if (request->numbers_count == 0 || request->numbers_count > REVIEW_NUMBERS_MAX)
		return error_set(err, ERROR_INVALID, "items: 1 to %d numbers are expected",
			REVIEW_NUMBERS_MAX);
	for (size_t i = 0; i < request->numbers_count; i++)
		if (request->numbers[i] == 0 || request->numbers[i] > review->rows_count)
			return error_set(err, ERROR_NOT_FOUND,
				"the review has items 1 to %zu, and no item %u", review->rows_count,
				request->numbers[i]);
	return true;
}

static bool check_request(const struct review_service *service, const struct review *review,
	const struct review_request *request, struct error *err)
{
	char written[DIGEST_TEXT_BYTES];
	struct text key;

	if (request->choice == REVIEW_CHOICE_NONE || request->choice == REVIEW_CHOICE_LOOK)
		return error_set(err, ERROR_INVALID,
			"decision: keep, reduce, trial-revoke, revoke, reassign or restore is "
			"expected");
	digest_format(written, &review->snapshot);
	if (!text_is(request->snapshot, written))
		return error_set(err, ERROR_CONFLICT,
			"what was signed names another snapshot: look at the review again");
	if (request->choice == REVIEW_CHOICE_REASSIGN && !review_is_here(service, request->to))
		return error_set(err, ERROR_NOT_FOUND, "to: no person %.*s is registered",
			TEXT_ARGS(request->to));
	return check_numbers(review, request, err) &&
	       approve_check_signature(service->parts.approve, request->person, &request->proof,
		       request->arena, &key, err);
}

/* done may run before this returns. */
bool review_decide(struct review_service *service, struct review *review,
	struct review_request *request, struct error *err)
{
	struct review_job *job;

	if (!check_request(service, review, request, err) ||
		!review_job_create(&job, service, review, request, err))
		return false;
	if (job->request.numbers_count > 0)
		qsort((uint32_t *)(uintptr_t)job->request.numbers, job->request.numbers_count,
			sizeof(uint32_t), compare_numbers);
	next_batch(job);
	return true;
}

bool review_contain(struct review_service *service, struct review *review, struct error *err)
{
	static const struct review_filter all = {0};
	const struct review_request request = {.verb = REVIEW_VERB_DECIDE,
		.choice = REVIEW_CHOICE_TRIAL,
		.filter = &all,
		.reason = TEXT("nobody answered by the deadline")};
	struct review_job *job;

	if (!review_job_create(&job, service, review, &request, err))
		return false;
	job->is_own = true;
	next_batch(job);
	return true;
}

void review_decide_step(struct review_job *job)
{
	next_batch(job);
}

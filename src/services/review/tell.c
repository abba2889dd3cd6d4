/* What a review took away and remit cannot take: whoever can is told, by a finding, or their
 * account is stopped at its provider (decide.c).  Either may be lost on its way to the log, or
 * find no room, while the decision is on record; so it is looked at again here, until it is there.
 *
 *   decided (exception) ─▶ finding-opened, or inventory-contained, on record ─▶ told
 *                      └─▶ lost, or no room ─▶ a finding, and again
 *
 * T1  What was told once is not told again: not after a start, and not after people closed the
 *     finding or had the account back.
 * T2  What is told again is a finding.  No account is stopped without a decision of that moment.
 *
 * Rows of the store: review-told / ID/item/NUMBER and ID/account/ACCOUNT, as long as the review. */
#include "base/log.h"
#include "services/review/review_private.h"

enum {
	TELL_LOOKS = 512,  /* items looked at in one step */
	TELL_REPORTS = 16, /* findings reported in one: each looks for room among all */
};

bool review_row_is_untold(const struct review_row *row)
{
	return row->state == REVIEW_STATE_EXCEPTION && !row->is_told;
}

static void note_told(struct review *review, struct review_row *row)
{
	if (!review_row_is_untold(row))
		return;
	row->is_told = true;
	review->untold--;
}

void review_note_all_told(struct review *review)
{
	for (size_t i = 0; i < review->rows_count && review->untold > 0; i++)
		note_told(review, &review->rows[i]);
}

/* ---- what is on record ---- */

/* An item, or all of an account. */
struct told {
	struct text review; /* empty: it is about no review */
	int64_t item;       /* 0: the account's */
	struct text account;
};

static struct told read_told(const struct json *record)
{
	const struct json *from = record;

	if (text_is(json_text_or(record, "type", ""), "finding-opened"))
		from = text_is(json_text_or(record, "kind", ""), "review-exception")
			       ? json_find(record, "details")
			       : NULL;
	return (struct told){.review = json_text_or(from, "review", ""),
		.item = json_integer_or(from, "item", 0),
		.account = json_text_or(from, "account", "")};
}

static bool fold_told(void *state, const struct json *record, uint64_t index, struct error *err)
{
	const struct told told = read_told(record);
	struct review *review = review_find(state, told.review);

	(void)index;
	(void)err;
	if (review == NULL)
		return true;
	if (told.item > 0 && told.item <= (int64_t)review->rows_count)
		note_told(review, &review->rows[told.item - 1]);
	for (size_t i = 0; told.account.length > 0 && i < review->rows_count; i++)
		if (review_is_of_account(&review->rows[i].item, told.account))
			note_told(review, &review->rows[i]);
	return true;
}

/* Of a type of its own: the finding may be closed, and the account released, before the review is
 * forgotten. */
static void project_told(const struct json *record, struct projection *projection)
{
	const struct told told = read_told(record);
	struct arena *arena = projection_arena(projection);
	struct json_builder body;
	struct json sealed;
	struct error err = {0};

	if (told.review.length == 0)
		return;
	json_object_start(&body, arena);
	json_put_cstring(&body, "type", "review-told");
	json_put_text(&body, "review", told.review);
	if (told.item > 0)
		json_put_integer(&body, "item", told.item);
	json_put_text_unless_empty(&body, "account", told.account);
	projection_put(projection, "review-told",
		told.item > 0 ? text_format(arena, "%.*s/item/%lld", TEXT_ARGS(told.review),
					(long long)told.item)
			      : text_format(arena, "%.*s/account/%.*s", TEXT_ARGS(told.review),
					TEXT_ARGS(told.account)),
		json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

bool review_register_telling(struct review_service *service, struct error *err)
{
	static const char *const types[] = {"finding-opened", "inventory-contained", "review-told"};
	static const struct fold_projector projectors[] = {
		{"finding-opened", project_told},
		{"inventory-contained", project_told},
	};
	struct fold *fold = service->parts.fold;

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const struct fold_handler handler = {
			.type = types[i], .apply = fold_told, .state = service};

		if (!fold_add(fold, &handler, err))
			return false;
	}
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(fold, &projectors[i], err))
			return false;
	return true;
}

/* ---- telling ---- */

/* Names at providers are long; what is cut is the same each time. */
static struct text subject_of(struct arena *arena, const struct review_item *item)
{
	struct text subject =
		text_format(arena, "%.*s/%.*s", TEXT_ARGS(item->identity), TEXT_ARGS(item->title));

	if (subject.length > FINDING_SUBJECT_BYTES_MAX)
		subject.length = FINDING_SUBJECT_BYTES_MAX;
	while (subject.length > 0 && !text_is_utf8(subject))
		subject.length--;
	return subject;
}

bool review_exception_draft(struct finding_draft *out, struct arena *arena,
	const struct review *review, size_t at, struct error *err)
{
	const struct review_item *item = &review->rows[at].item;
	struct json *details = arena_new(arena, struct json);
	struct json_builder object;

	*out = (struct finding_draft){.kind = FINDING_REVIEW_EXCEPTION,
		.subject = subject_of(arena, item),
		.control = "G-24",
		.what = TEXT("A review took this away, and remit cannot: it stands at a "
			     "provider, or is not as it was when the review began."),
		.details = details,
		.unit = item->unit};
	if (details == NULL || out->subject.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	json_object_start(&object, arena);
	json_put_cstring(&object, "review", review->id);
	json_put_integer(&object, "item", (int64_t)at + 1);
	return json_object_seal(&object, details, err);
}

/* True: it is on its way to the log.  What is open already, by an earlier review too, is told. */
static bool tell_again(
	struct review_service *service, struct review *review, size_t at, struct error *err)
{
	struct finding_draft draft;
	bool ok = review_exception_draft(&draft, service->scratch, review, at, err);

	if (ok && finding_find_about(service->parts.finding, draft.kind, draft.subject) != NULL)
		note_told(review, &review->rows[at]);
	else
		ok = ok && finding_report(service->parts.finding, &draft, err);
	arena_reset(service->scratch);
	return ok;
}

/* Some of the items; how many there was something to do about. */
static unsigned tell_some(struct review_service *service, struct review *review)
{
	unsigned reports = 0;
	struct error err = {0};

	for (int i = 0; i < TELL_LOOKS && reports < TELL_REPORTS &&
			review->tell_cursor < review->rows_count;
		i++) {
		size_t at = review->tell_cursor++;

		if (!review_row_is_untold(&review->rows[at]))
			continue;
		reports++;
		(void)tell_again(service, review, at, &err);
	}
	if (err.code != ERROR_NONE)
		log_warn("review_exception_not_reported", LOG_STRING("id", review->id),
			LOG_STRING("why", err.text));
	return reports;
}

bool review_tell_step(struct review_service *service, struct review *review)
{
	int64_t now_utc_ms = review_now(service);
	unsigned reports;

	if (review->untold == 0 || service->parts.finding == NULL ||
		now_utc_ms < review->tell_utc_ms ||
		(review->stage != REVIEW_STAGE_OPEN && review->stage != REVIEW_STAGE_CLOSED))
		return false;
	reports = tell_some(service, review);
	if (review->tell_cursor < review->rows_count)
		return true;
	review->tell_cursor = 0;
	review->tell_utc_ms = now_utc_ms + REVIEW_TELL_AGAIN_MS;
	return reports > 0;
}

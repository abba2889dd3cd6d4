/* How records become reviews.
 *
 *   review-items      rows of a review that is not opened yet
 *   review-opened     it is open, over these rows
 *   review-decided    what becomes of some of them (the registrar folds the charters)
 *   review-delegated  one person judges for another
 *   review-reminded   people were told
 *   review-closed     all is settled, and the report is on record
 *
 * Rows of the store: review-items / ID/PART with the items in it, review-opened / ID,
 * review-decided / ID/INDEX, review-delegated / ID/INDEX, review-reminded / ID the last,
 * review-closed / ID, review-told (tell.c).  All go when the review is forgotten. */
#include <stdlib.h>

#include "services/review/review_private.h"

static bool corrupt(struct error *err, const char *what)
{
	return error_set(err, ERROR_CORRUPT, "a record of a review: %s", what);
}

/* ---- items ---- */

static bool note_when(struct name_table *table, struct text identity, int64_t at_utc_ms)
{
	int64_t *when = name_table_find(table, identity);

	if (when == NULL) {
		when = calloc(1, sizeof *when);
		if (when == NULL || !name_table_put(table, identity, when)) {
			free(when);
			return false;
		}
	}
	*when = at_utc_ms;
	return true;
}

/* A part that was folded before, from the store, says the same. */
static bool fold_items(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	const struct json *items = json_find(record, "items");
	struct text id = json_text_or(record, "review", "");
	struct review *review = review_find(service, id);
	int64_t part = json_integer_or(record, "part", 0);

	(void)index;
	if (items == NULL || items->type != JSON_ARRAY || !random_id_is(id, "v-"))
		return corrupt(err, "its items are not there");
	if (review == NULL && !review_add(service, id, &review, err))
		return false;
	if (part <= (int64_t)review->parts)
		return true;
	review->parts = (size_t)part;
	for (uint32_t i = 0; i < items->count; i++)
		if (!review_row_add(service, review, &items->items[i], err))
			return false;
	return true;
}

static void take_reviewers(struct review *review, const struct json *record)
{
	const struct json *list = json_find(record, "reviewers");

	review->reviewers_count = 0;
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count &&
			     i < REVIEW_REVIEWERS_MAX;
		i++)
		review->reviewers[review->reviewers_count++] =
			text_copy(review->arena, list->items[i].string);
}

static bool take_opening(struct review *review, const struct json *record, struct error *err)
{
	const struct json *scope = json_find(record, "scope");

	review->cause = review_cause_of(json_text_or(record, "cause", ""));
	review->name = text_copy(review->arena, json_text_or(record, "name", ""));
	review->actor = text_copy(review->arena, json_text_or(record, "actor", ""));
	review->scope = (struct review_scope){
		.unit = text_copy(review->arena, json_text_or(scope, "unit", "")),
		.owner = text_copy(review->arena, json_text_or(scope, "owner", "")),
		.identity = text_copy(review->arena, json_text_or(scope, "identity", "")),
		.risk = risk_tier_of(json_text_or(scope, "risk", ""))};
	take_reviewers(review, record);
	review->opened_utc_ms = json_integer_or(record, "at", 0);
	review->due_utc_ms = json_integer_or(record, "due_utc_ms", 0);
	review->event_index = (uint64_t)json_integer_or(record, "event", 0);
	if (review->scope.identity.data == NULL || review->scope.unit.data == NULL ||
		review->scope.owner.data == NULL || review->actor.data == NULL ||
		review->name.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	return digest_parse(json_text_or(record, "snapshot", ""), &review->snapshot) ||
	       corrupt(err, "its hash is not there");
}

static bool fold_opened(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	struct review *review = review_find(service, json_text_or(record, "review", ""));

	if (review == NULL || (int64_t)review->rows_count != json_integer_or(record, "items", -1))
		return corrupt(err, "its items are not those before it");
	if (review->stage == REVIEW_STAGE_OPEN || review->stage == REVIEW_STAGE_CLOSED)
		return true;
	if (!take_opening(review, record, err))
		return false;
	review->opened_index = index;
	review->stage = REVIEW_STAGE_OPEN;
	for (size_t i = 0; i < review->rows_count; i++)
		if (!note_when(service->reviewed, review->rows[i].item.identity,
			    review->opened_utc_ms))
			return error_set(err, ERROR_LIMIT, "no memory for a review");
	review_settle_event(service, review->scope.identity, review->event_index);
	if (!fold_is_loading(service->parts.fold))
		review_tell(service, review, "opened");
	return true;
}

/* ---- decisions ---- */

/* One record, read. */
struct decided {
	struct review_service *service;
	struct review *review;
	enum review_choice choice;
	struct text actor;
	struct text for_person;
	struct text to;
	int64_t at_utc_ms;
	int64_t until_utc_ms;
	uint64_t index;
	bool is_deadline;
};

static bool own(const struct decided *decided, struct text *t, struct error *err)
{
	*t = text_copy(decided->review->arena, *t);
	return t->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a review");
}

static void settle(const struct decided *decided, struct review_row *row, enum review_state state)
{
	bool was = review_state_is_settled(row->state), is = review_state_is_settled(state);
	size_t untold = decided->review->untold - review_row_is_untold(row);

	row->state = state;
	row->by = decided->actor;
	row->at_utc_ms = decided->at_utc_ms;
	row->index = decided->index;
	row->was_contained = row->was_contained || decided->is_deadline;
	decided->review->untold = untold + review_row_is_untold(row);
	if (is && !was)
		decided->review->settled++;
	if (!is && was)
		decided->review->settled--;
}

static void hear(const struct decided *decided, struct review_row *row)
{
	if (row->voices_count < REVIEW_VOICES_MAX)
		row->voices[row->voices_count++] =
			(struct review_voice){actor_person(decided->actor), decided->for_person};
	settle(decided, row,
		review_is_enough(&row->item, row->voices, row->voices_count) ? REVIEW_STATE_KEPT
									     : REVIEW_STATE_AGREED);
}

static void apply(const struct decided *decided, struct review_row *row, bool is_exception)
{
	if (row->index >= decided->index && row->index != 0)
		return; /* folded before */
	if (is_exception) {
		settle(decided, row, REVIEW_STATE_EXCEPTION);
		return;
	}
	switch (decided->choice) {
	case REVIEW_CHOICE_KEEP: hear(decided, row); break;
	case REVIEW_CHOICE_REDUCE: settle(decided, row, REVIEW_STATE_REDUCED); break;
	case REVIEW_CHOICE_TRIAL:
		row->until_utc_ms = decided->until_utc_ms;
		settle(decided, row, REVIEW_STATE_TRIAL);
		break;
	case REVIEW_CHOICE_REVOKE: settle(decided, row, REVIEW_STATE_REVOKED); break;
	case REVIEW_CHOICE_RESTORE: settle(decided, row, REVIEW_STATE_RESTORED); break;
	case REVIEW_CHOICE_REASSIGN:
		row->assignee = decided->to;
		row->index = decided->index;
		break;
	case REVIEW_CHOICE_NONE:
	case REVIEW_CHOICE_LOOK:
	case REVIEW_CHOICE_COUNT: break;
	}
}

static bool apply_list(const struct decided *decided, const struct json *list, bool are_exceptions,
	struct error *err)
{
	for (uint32_t i = 0; list != NULL && list->type == JSON_ARRAY && i < list->count; i++) {
		int64_t number = list->items[i].type == JSON_INTEGER ? list->items[i].integer : 0;

		if (number < 1 || number > (int64_t)decided->review->rows_count)
			return corrupt(err, "it has no such item");
		apply(decided, &decided->review->rows[number - 1], are_exceptions);
	}
	return true;
}

static bool fold_decided(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	struct decided decided = {.service = service,
		.review = review_find(service, json_text_or(record, "review", "")),
		.choice = review_choice_of(json_text_or(record, "decision", "")),
		.actor = json_text_or(record, "actor", ""),
		.for_person = json_text_or(record, "for", ""),
		.to = json_text_or(record, "to", ""),
		.at_utc_ms = json_integer_or(record, "at", 0),
		.until_utc_ms = json_integer_or(record, "until_utc_ms", 0),
		.index = index,
		.is_deadline = text_is(json_text_or(record, "cause", ""), "deadline")};

	if (decided.review == NULL)
		return true; /* forgotten since */
	return own(&decided, &decided.actor, err) && own(&decided, &decided.for_person, err) &&
	       own(&decided, &decided.to, err) &&
	       apply_list(&decided, json_find(record, "items"), false, err) &&
	       apply_list(&decided, json_find(record, "exceptions"), true, err);
}

static bool fold_delegated(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	struct review *review = review_find(service, json_text_or(record, "review", ""));
	struct text from = json_text_or(record, "from", "");
	struct review_delegation *next;

	(void)index;
	if (review == NULL)
		return true;
	for (size_t i = 0; i < review->delegations_count; i++)
		if (text_equal(review->delegations[i].from, from))
			return true; /* folded before */
	if (review->delegations_count == REVIEW_DELEGATIONS_MAX)
		return corrupt(err, "it has too many delegations");
	next = &review->delegations[review->delegations_count];
	next->from = text_copy(review->arena, from);
	next->to = text_copy(review->arena, json_text_or(record, "to", ""));
	if (next->from.data == NULL || next->to.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	review->delegations_count++;
	return true;
}

static enum review_reminder reminder_of(struct text word)
{
	for (int value = REVIEW_REMINDER_HALF; value < REVIEW_REMINDER_COUNT; value++)
		if (text_is(word, review_reminder_word((enum review_reminder)value)))
			return (enum review_reminder)value;
	return REVIEW_REMINDER_NONE;
}

static bool fold_reminded(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	struct review *review = review_find(service, json_text_or(record, "review", ""));
	enum review_reminder reminder = reminder_of(json_text_or(record, "reminder", ""));

	(void)index;
	(void)err;
	if (review == NULL || reminder <= review->reminded)
		return true;
	review->reminded = reminder;
	if (!fold_is_loading(service->parts.fold))
		review_tell(service, review, review_reminder_word(reminder));
	return true;
}

/* Old ones that the record names make room. */
static void forget_dropped(struct review_service *service, const struct json *drops)
{
	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++) {
		struct review *old = review_find(service, drops->items[i].string);

		if (old != NULL && old->stage == REVIEW_STAGE_CLOSED && old->job == NULL)
			review_forget(service, old);
	}
}

/* Nobody answered, and it could not be taken. */
static bool is_left(const struct review_row *row)
{
	return row->state == REVIEW_STATE_EXCEPTION && row->was_contained;
}

/* What its snapshot showed of an identity, and nothing that came later, was judged.  Rows are in
 * order of identity. */
static bool note_judged(struct review_service *service, const struct review *review)
{
	for (size_t first = 0, end; first < review->rows_count; first = end) {
		struct text identity = review->rows[first].item.identity;
		bool is_judged = review_judged_utc_ms(service, identity) < review->opened_utc_ms;

		for (end = first; end < review->rows_count &&
				  text_equal(review->rows[end].item.identity, identity);
			end++)
			is_judged = is_judged && !is_left(&review->rows[end]);
		if (is_judged && !note_when(service->judged, identity, review->opened_utc_ms))
			return false;
	}
	return true;
}

int64_t review_judged_utc_ms(const struct review_service *service, struct text identity)
{
	const int64_t *when = name_table_find(service->judged, identity);

	return when == NULL ? 0 : *when;
}

static bool fold_closed(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	struct review *review = review_find(service, json_text_or(record, "review", ""));

	if (review == NULL || review->stage == REVIEW_STAGE_CLOSED)
		return true;
	if (!digest_parse(json_text_or(record, "content", ""), &review->report))
		return corrupt(err, "its report is not there");
	review->stage = REVIEW_STAGE_CLOSED;
	review->closed_index = index;
	review->closed_utc_ms = json_integer_or(record, "at", 0);
	if (json_integer_or(record, "untold", 0) == 0)
		review_note_all_told(review);
	if (!note_judged(service, review))
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	forget_dropped(service, json_find(record, "drops"));
	if (!fold_is_loading(service->parts.fold))
		review_tell(service, review, "closed");
	return true;
}

/* Parts of what was never opened are nothing. */
static bool finish_loading(void *state, struct error *err)
{
	struct review_service *service = state;
	struct review *review = name_table_next(service->reviews, TEXT(""));

	(void)err;
	while (review != NULL) {
		struct review *next = name_table_next(service->reviews, text_of(review->id));

		if (review->stage == REVIEW_STAGE_GATHERING)
			review_forget(service, review);
		review = next;
	}
	return true;
}

/* ---- rows ---- */

static struct text key_of(
	struct projection *projection, const struct json *record, const char *more)
{
	return text_format(projection_arena(projection), "%.*s%s%s",
		TEXT_ARGS(json_text_or(record, "review", "")), more[0] == '\0' ? "" : "/", more);
}

static const char *number_text(struct projection *projection, int64_t number)
{
	struct text text = text_format(projection_arena(projection), "%012lld", (long long)number);

	return text.data == NULL ? "" : text.data;
}

static void project_items(const struct json *record, struct projection *projection)
{
	projection_put(projection, "review-items",
		key_of(projection, record,
			number_text(projection, json_integer_or(record, "part", 0))),
		record);
}

static void project_opened(const struct json *record, struct projection *projection)
{
	projection_put(projection, "review-opened", key_of(projection, record, ""), record);
}

static void project_by_index(
	const struct json *record, struct projection *projection, const char *kind)
{
	struct json_builder body;
	struct json sealed;
	struct error err = {0};

	json_object_start(&body, projection_arena(projection));
	for (uint32_t i = 0; i < record->count; i++)
		if (!text_is(record->members[i].name, "changes") &&
			!text_is(record->members[i].name, "signed") &&
			!text_is(record->members[i].name, "signature"))
			json_put_named(&body, record->members[i].name, record->members[i].value);
	projection_put(projection, kind,
		key_of(projection, record,
			number_text(projection, (int64_t)projection_index(projection))),
		json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

static void project_decided(const struct json *record, struct projection *projection)
{
	project_by_index(record, projection, "review-decided");
}

static void project_delegated(const struct json *record, struct projection *projection)
{
	project_by_index(record, projection, "review-delegated");
}

static void project_reminded(const struct json *record, struct projection *projection)
{
	projection_put(projection, "review-reminded", key_of(projection, record, ""), record);
}

/* All rows of one that is forgotten. */
static void drop_rows(struct projection *projection, struct text id)
{
	static const char *const kinds[] = {
		"review-items", "review-decided", "review-delegated", "review-told"};
	struct text prefix = text_format(projection_arena(projection), "%.*s/", TEXT_ARGS(id));

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		projection_delete_prefix(projection, kinds[i], prefix);
	projection_delete(projection, "review-opened", id);
	projection_delete(projection, "review-reminded", id);
	projection_delete(projection, "review-closed", id);
}

static void project_closed(const struct json *record, struct projection *projection)
{
	const struct json *drops = json_find(record, "drops");

	projection_put(projection, "review-closed", key_of(projection, record, ""), record);
	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++)
		drop_rows(projection, drops->items[i].string);
}

bool review_register(struct review_service *service, struct error *err)
{
	const struct fold_handler handlers[] = {
		{"review-items", fold_items, finish_loading, service},
		{"review-opened", fold_opened, NULL, service},
		{"review-decided", fold_decided, NULL, service},
		{"review-delegated", fold_delegated, NULL, service},
		{"review-reminded", fold_reminded, NULL, service},
		{"review-closed", fold_closed, NULL, service},
	};
	static const struct fold_projector projectors[] = {
		{"review-items", project_items},
		{"review-opened", project_opened},
		{"review-decided", project_decided},
		{"review-delegated", project_delegated},
		{"review-reminded", project_reminded},
		{"review-closed", project_closed},
	};
	struct fold *fold = service->parts.fold;

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(fold, &projectors[i], err))
			return false;
	return true;
}

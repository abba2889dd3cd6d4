/* How a snapshot is made, some identities a turn:
 *
 *   wait     until the uses before this process are counted
 *   collect  the lines of each identity in scope, then of each that work is handed to
 *   count    who else has them
 *   judge    evidence, advice and weight; frozen in parts, each a record
 *   open     the record that names them by their hash, once all parts are on record
 *
 * Nothing is believed before the last record: parts without it are forgotten at the next start.
 * It is never written over a part that is only on its way: that could be lost alone. */
#include "services/review/gathering.h"

#include <stdlib.h>

enum { GATHER_ARENA_BYTES_MAX = 256 * 1024 * 1024 };

void gathering_destroy(struct gathering **gathering)
{
	if (*gathering == NULL)
		return;
	name_table_destroy(&(*gathering)->visited, NULL);
	name_table_destroy(&(*gathering)->counters, NULL);
	sha256_end(&(*gathering)->digest);
	free((*gathering)->queue);
	free((*gathering)->items);
	arena_destroy(&(*gathering)->arena);
	free(*gathering);
	*gathering = NULL;
}

bool gather_no_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for a snapshot");
}

/* ---- beginning ---- */

static bool copy_all(struct arena *arena, struct text *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*texts[i] = text_copy(arena, *texts[i]);
		if (texts[i]->data == NULL)
			return false;
	}
	return true;
}

static bool take_request(
	struct review *review, const struct review_request *request, struct error *err)
{
	struct text *const texts[] = {&review->name, &review->actor, &review->scope.unit,
		&review->scope.owner, &review->scope.identity};

	review->scope = request->scope;
	review->name = request->name;
	review->actor = request->person.length == 0 ? TEXT("remit")
						    : text_format(review->arena, "person:%.*s",
							      TEXT_ARGS(request->person));
	review->cause = request->cause == REVIEW_NONE ? REVIEW_PERSON : request->cause;
	for (size_t i = 0; i < request->reviewers_count; i++) {
		review->reviewers[i] = text_copy(review->arena, request->reviewers[i]);
		if (review->reviewers[i].data == NULL)
			return gather_no_memory(err);
	}
	review->reviewers_count = request->reviewers_count;
	return copy_all(review->arena, texts, sizeof texts / sizeof *texts) ||
	       gather_no_memory(err);
}

static bool gathering_create(struct gathering **out, struct review_service *service,
	struct review *review, const struct review_request *request, struct error *err)
{
	struct gathering *gathering = calloc(1, sizeof *gathering);

	*out = NULL;
	if (gathering == NULL)
		return gather_no_memory(err);
	*gathering = (struct gathering){.service = service, .review = review};
	gathering->arena = arena_create(GATHER_ARENA_BYTES_MAX);
	gathering->visited = name_table_create();
	gathering->counters = name_table_create();
	gathering->digest = sha256_begin();
	gathering->days = request->days;
	if (gathering->arena != NULL && gathering->visited != NULL && gathering->counters != NULL &&
		gathering->digest != NULL) {
		gathering->proof.signature = text_copy(gathering->arena, request->proof.signature);
		gathering->proof.body = text_copy(gathering->arena, request->proof.body);
		if (gathering->proof.body.data != NULL && gathering->proof.signature.data != NULL) {
			*out = gathering;
			return true;
		}
	}
	gathering_destroy(&gathering);
	return gather_no_memory(err);
}

static size_t count_open(const struct review_service *service)
{
	const struct review *review = name_table_next(service->reviews, TEXT(""));
	size_t count = 0;

	for (; review != NULL; review = name_table_next(service->reviews, text_of(review->id)))
		count += review->stage == REVIEW_STAGE_OPEN ||
			 review->stage == REVIEW_STAGE_GATHERING;
	return count;
}

bool review_gather(struct review_service *service, const struct review_request *request,
	const struct review_event *event, struct review **out, struct error *err)
{
	char id[RANDOM_ID_BYTES];
	struct review *review;

	*out = NULL;
	if (count_open(service) >= REVIEWS_OPEN_MAX)
		return error_set(err, ERROR_LIMIT, "%d reviews are open already", REVIEWS_OPEN_MAX);
	random_id(id, "v-");
	if (!review_add(service, text_of(id), &review, err))
		return false;
	if (take_request(review, request, err) &&
		gathering_create(&review->gathering, service, review, request, err)) {
		review->gathering->event = event == NULL ? 0 : event->index;
		*out = review;
		return true;
	}
	review_forget(service, review);
	return false;
}

/* ---- judging ---- */

/* Of a part, and of the record that opens. */
static void on_part(void *context, uint64_t index, const struct error *err)
{
	struct gathering *gathering = context;

	(void)index;
	if (err != NULL && gathering->err.code == ERROR_NONE)
		gathering->err = *err;
	gathering->parts_durable++;
}

/* The items of one part, as the bytes that lie beside its record. */
static bool write_items(
	struct gathering *gathering, size_t end, struct buffer *out, struct error *err)
{
	struct arena *scratch = gathering->service->scratch;

	buffer_append_byte(out, '[');
	for (size_t i = gathering->items_at; i < end; i++) {
		struct review_item *item = gathering->order[i];
		struct json value;
		size_t begin;

		gather_add_evidence(gathering, item);
		if (!review_judge(item, scratch, review_now(gathering->service), err) ||
			!review_item_json(&value, scratch, item, err))
			return false;
		if (i > gathering->items_at)
			buffer_append_byte(out, ',');
		begin = out->length;
		json_canonical(out, &value);
		if (buffer_failed(out))
			return gather_no_memory(err);
		sha256_add(gathering->digest, i == 0 ? "[" : ",", 1);
		sha256_add(gathering->digest, out->data + begin, out->length - begin);
	}
	buffer_append_byte(out, ']');
	return !buffer_failed(out) || gather_no_memory(err);
}

static bool send_part(struct gathering *gathering, size_t end, struct text items, struct error *err)
{
	struct review_service *service = gathering->service;
	struct sha256 digest = sha256_of(items.data, items.length);
	struct fold_record *record;

	if (!review_record_create(&record, service, "review-items", gathering->review->actor, err))
		return false;
	record->context = gathering;
	record->done = on_part;
	record->change.content = text_copy(record->arena, items);
	if (record->change.content.data == NULL) {
		fold_record_destroy(&record);
		return gather_no_memory(err);
	}
	json_put_cstring(&record->object, "review", gathering->review->id);
	json_put_integer(&record->object, "part", (int64_t)gathering->parts + 1);
	json_put_integer(&record->object, "count", (int64_t)(end - gathering->items_at));
	json_put_digest(&record->object, "content", &digest);
	if (!fold_record_send(&record, err))
		return false;
	gathering->parts++;
	return true;
}

static bool judge(struct gathering *gathering, struct error *err)
{
	size_t end = gathering->items_at + REVIEW_PART_ITEMS;
	struct buffer items;
	bool ok;

	if (end > gathering->items_count)
		end = gathering->items_count;
	buffer_init(&items, REVIEW_SCRATCH_BYTES_MAX);
	ok = write_items(gathering, end, &items, err) &&
	     send_part(gathering, end, buffer_text(&items), err);
	buffer_deinit(&items);
	gathering->items_at = end;
	if (ok && end == gathering->items_count)
		gathering->stage = GATHER_OPEN;
	return ok;
}

/* ---- opening ---- */

static bool put_scope(
	struct json_builder *record, const struct review_scope *scope, struct error *err)
{
	struct json_builder object;
	struct json sealed;

	json_object_start(&object, record->arena);
	json_put_text_unless_empty(&object, "unit", scope->unit);
	json_put_text_unless_empty(&object, "owner", scope->owner);
	json_put_text_unless_empty(&object, "identity", scope->identity);
	if (scope->risk != RISK_NONE)
		json_put_cstring(&object, "risk", risk_tier_word(scope->risk));
	if (!json_object_seal(&object, &sealed, err))
		return false;
	json_put(record, "scope", sealed);
	return true;
}

static void put_opening(struct json_builder *record, const struct gathering *gathering)
{
	const struct review *review = gathering->review;

	json_put_cstring(record, "review", review->id);
	json_put_cstring(record, "cause", review_cause_word(review->cause));
	json_put_text_unless_empty(record, "name", review->name);
	json_put_integer(record, "items", (int64_t)gathering->items_count);
	json_put_integer(record, "parts", (int64_t)gathering->parts);
	json_put_integer(record, "due_utc_ms",
		review_now(gathering->service) + gathering->days * REVIEW_DAY_MS);
	json_put_integer(record, "known_utc_ms",
		graph_uses_known_utc_ms(gathering->service->parts.graph, gathering->seen_utc_ms));
	if (gathering->event != 0)
		json_put_integer(record, "event", (int64_t)gathering->event);
	if (review->reviewers_count > 0)
		json_put_texts(record, "reviewers", review->reviewers, review->reviewers_count);
	json_put_text_unless_empty(record, "signature", gathering->proof.signature);
	json_put_text_unless_empty(record, "signed", gathering->proof.body);
}

static bool open_review(struct gathering *gathering, struct error *err)
{
	struct review_service *service = gathering->service;
	struct fold_record *record;
	struct sha256 snapshot;

	if (gathering->parts_durable < gathering->parts || gathering->digest == NULL)
		return true; /* parts are on their way, or it is itself */
	sha256_add(gathering->digest, "]", 1);
	snapshot = sha256_so_far(gathering->digest);
	sha256_end(&gathering->digest);
	if (!review_record_create(&record, service, "review-opened", gathering->review->actor, err))
		return false;
	record->context = gathering;
	record->done = on_part;
	put_opening(&record->object, gathering);
	json_put_digest(&record->object, "snapshot", &snapshot);
	if (!put_scope(&record->object, &gathering->review->scope, err)) {
		fold_record_destroy(&record);
		return false;
	}
	if (!fold_record_send(&record, err))
		return false;
	gathering->parts++;
	return true;
}

/* ---- steps ---- */

static bool step(struct gathering *gathering, struct error *err)
{
	if (gathering->err.code != ERROR_NONE) {
		*err = gathering->err;
		return false;
	}
	switch (gathering->stage) {
	case GATHER_WAIT:
		if (graph_is_counted(gathering->service->parts.graph)) {
			gathering->seen_utc_ms = review_now(gathering->service);
			gathering->stage = GATHER_COLLECT;
		}
		return true;
	case GATHER_COLLECT: return gather_collect(gathering, err);
	case GATHER_COUNT: return gather_count(gathering, err);
	case GATHER_JUDGE: return judge(gathering, err);
	case GATHER_OPEN: return open_review(gathering, err);
	}
	return true;
}

/* What is on its way to the log names the gathering: it must come back first. */
static bool fail(struct gathering *gathering, const struct error *err)
{
	struct review *review = gathering->review;

	gathering->err = *err;
	if (gathering->parts_durable < gathering->parts)
		return true;
	if (err->code == ERROR_NOT_FOUND) /* nothing is there: nothing to try again */
		review_settle_event(gathering->service, review->scope.identity, gathering->event);
	gathering->service->items_count -= review->rows_count;
	review->rows_count = 0;
	review->failure = text_copy(review->arena, text_of(err->text));
	review->stage = REVIEW_STAGE_FAILED;
	review->opened_utc_ms = review_now(gathering->service);
	gathering_destroy(&review->gathering);
	return false;
}

bool review_gather_step(struct review_service *service, struct review *review)
{
	struct gathering *gathering = review->gathering;
	struct error err = {0};
	bool ok = step(gathering, &err);

	arena_reset(service->scratch);
	if (!ok)
		return fail(gathering, &err);
	if (gathering->stage != GATHER_OPEN || gathering->digest != NULL ||
		gathering->parts_durable < gathering->parts)
		return true;
	gathering_destroy(&review->gathering);
	return false;
}

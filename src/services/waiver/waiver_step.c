/* What people do with waivers: each a record, checked before it is written. */
#include "services/waiver/waiver_private.h"

#include <stdio.h>

#include "domain/charter/effects.h"

enum { WORK_ARENA_BYTES_MAX = 64 * 1024 };

/* What one waits for, in the arena of its record. */
struct waiver_work {
	struct fold_record *record;
	struct waiver_service *service;
	struct text id;     /* of the waiver */
	struct text asking; /* the key of one that is asked for; else empty */
	void *context;
	void (*done)(void *context, struct text id, uint64_t index, const struct error *err);
};

/* ---- who and what ---- */

static bool put_person(char buffer[WAIVER_ACTOR_BYTES], struct text name, struct text *out)
{
	int length = snprintf(buffer, WAIVER_ACTOR_BYTES, "person:%.*s", TEXT_ARGS(name));

	*out = (struct text){buffer, length < 0 ? 0 : (size_t)length};
	return length >= 0 && length < WAIVER_ACTOR_BYTES;
}

static bool check_person(const struct waiver_service *service, enum waiver_verb verb,
	struct text person, const struct waiver *waiver, struct error *err)
{
	const struct waiver_rules *rules = &service->rules[waiver->kind];
	struct waiver_deed deed = {.verb = verb, .asker = TEXT("")};
	char actor[WAIVER_ACTOR_BYTES], asker[WAIVER_ACTOR_BYTES];

	if (rules->may == NULL || !put_person(actor, person, &deed.actor) ||
		(verb == WAIVER_APPROVE && !put_person(asker, waiver->by, &deed.asker)))
		return error_set(err, ERROR_INVALID, "forbidden: nobody may waive this here");
	return rules->may(rules->context, &deed, waiver, err);
}

static bool check_reason(struct text reason, struct error *err)
{
	if (reason.length > 0 && reason.length <= WAIVER_REASON_BYTES_MAX && text_is_utf8(reason))
		return true;
	return error_set(
		err, ERROR_INVALID, "the reason has 1 to %d bytes", WAIVER_REASON_BYTES_MAX);
}

static int64_t now_utc_s(const struct waiver_service *service)
{
	return fold_stamp_utc_ms(service->fold) / 1000;
}

static bool check_until(
	const struct waiver_service *service, int64_t until_utc_s, struct error *err)
{
	int64_t now_s = now_utc_s(service);

	if (until_utc_s <= now_s)
		return error_set(err, ERROR_INVALID, "a waiver ends in the future");
	if (until_utc_s - now_s > (int64_t)WAIVER_DAYS_MAX * 86400)
		return error_set(
			err, ERROR_INVALID, "a waiver ends within %d days", WAIVER_DAYS_MAX);
	return true;
}

static bool find_waived(const struct waiver_service *service, const struct waiver_request *request,
	struct waiver *out, struct error *err)
{
	const struct waiver_rules *rules;

	*out = (struct waiver){.kind = request->kind, .by = TEXT("")};
	if (request->kind <= WAIVER_OF_NONE || request->kind >= WAIVER_KIND_COUNT)
		return error_set(err, ERROR_INVALID, "what is to be waived?");
	rules = &service->rules[request->kind];
	if (rules->find == NULL)
		return error_set(err, ERROR_NOT_FOUND, "nothing of this kind is looked at here");
	if (!rules->find(rules->context, request, out, err))
		return false;
	/* A record of it could not be folded. */
	if (out->of.length == 0 || out->of.length > WAIVER_OF_BYTES_MAX ||
		out->object.length == 0 || out->object.length > WAIVER_OBJECT_BYTES_MAX)
		return error_set(err, ERROR_INVALID,
			"it is of no control that is known here, so it cannot be waived");
	return true;
}

static bool is_asked_for(const struct waiver_service *service, const struct waiver *waived)
{
	char written[WAIVER_KEY_BYTES_MAX];
	struct text key = waiver_key(written, waived->kind, waived->of, waived->object);

	return name_table_find(service->asking, key) != NULL;
}

static bool check_room(
	const struct waiver_service *service, const struct waiver *waived, struct error *err)
{
	const struct waiver_node *there =
		waiver_find_for(service, waived->kind, waived->of, waived->object);

	if (there != NULL && waiver_state_at(&there->waiver, now_utc_s(service)) != WAIVER_OVER)
		return error_set(err, ERROR_CONFLICT,
			"waiver %.*s is there for it already; for another, end it first: remit "
			"waiver end %.*s",
			TEXT_ARGS(there->waiver.id), TEXT_ARGS(there->waiver.id));
	if (is_asked_for(service, waived))
		return error_set(err, ERROR_CONFLICT,
			"a waiver for it is being asked for this moment: remit waiver list");
	if (name_table_count(service->by_id) + name_table_count(service->asking) >= WAIVERS_MAX)
		return error_set(err, ERROR_LIMIT,
			"there are %d waivers; end those that are over, remit waiver end ID",
			WAIVERS_MAX);
	return true;
}

/* ---- writing ---- */

static void on_written(void *context, uint64_t index, const struct error *err)
{
	struct waiver_work *work = context;
	struct waiver_node *node = waiver_find(work->service, work->id);

	if (node != NULL)
		node->is_busy = false;
	if (work->asking.length > 0)
		(void)name_table_remove(work->service->asking, work->asking);
	if (work->done != NULL)
		work->done(work->context, work->id, index, err);
}

/* NULL: no memory. */
static struct waiver_work *work_create(struct waiver_service *service,
	const struct waiver_request *request, struct text id, struct error *err)
{
	struct fold_record *record;
	struct waiver_work *work;

	if (!fold_record_create(&record, service->fold, WORK_ARENA_BYTES_MAX, err))
		return NULL;
	work = arena_new(record->arena, struct waiver_work);
	if (work != NULL)
		work->id = text_copy(record->arena, id);
	if (work == NULL || work->id.data == NULL) {
		fold_record_destroy(&record);
		error_set(err, ERROR_LIMIT, "no memory for a waiver's record");
		return NULL;
	}
	work->record = record;
	work->service = service;
	work->context = request->context;
	work->done = request->done;
	record->context = work;
	record->done = on_written;
	return work;
}

static struct json_builder *start_record(
	struct waiver_work *work, const char *type, struct text person)
{
	struct fold_record *record = work->record;

	fold_record_start(
		record, type, text_format(record->arena, "person:%.*s", TEXT_ARGS(person)));
	json_put_text(&record->object, "waiver", work->id);
	return &record->object;
}

/* Gives work to the log, or frees it. */
static bool submit(struct waiver_work *work, struct error *err)
{
	struct fold_record *record = work->record;
	struct waiver_node *node = waiver_find(work->service, work->id);

	if (node != NULL)
		node->is_busy = true;
	if (fold_record_send(&record, err))
		return true;
	if (node != NULL)
		node->is_busy = false;
	return false;
}

/* The same of one that is asked for: until it is on record nobody else asks for it. */
static bool submit_asked(struct waiver_work *work, const struct waiver *waived, struct error *err)
{
	struct waiver_service *service = work->service;
	char written[WAIVER_KEY_BYTES_MAX];
	struct text key = waiver_key(written, waived->kind, waived->of, waived->object);

	work->asking = text_copy(work->record->arena, key);
	if (work->asking.data == NULL || !name_table_put(service->asking, key, service)) {
		struct fold_record *record = work->record;

		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for a waiver's record");
	}
	if (submit(work, err))
		return true;
	(void)name_table_remove(service->asking, key);
	return false;
}

static void put_what(struct json_builder *record, const struct waiver *waived)
{
	json_put_cstring(record, "kind", waiver_kind_word(waived->kind));
	json_put_text(record, waiver_of_member(waived->kind), waived->of);
	json_put_text(record, waiver_object_member(waived->kind), waived->object);
}

bool waiver_ask(
	struct waiver_service *service, const struct waiver_request *request, struct error *err)
{
	struct waiver waived;
	struct waiver_work *work;
	struct json_builder *record;
	char id[RANDOM_ID_BYTES];

	if (!find_waived(service, request, &waived, err) ||
		!check_person(service, WAIVER_ASK, request->person, &waived, err) ||
		!check_reason(request->reason, err) ||
		!check_until(service, request->until_utc_s, err) ||
		!check_room(service, &waived, err))
		return false;
	random_id(id, "w-");
	work = work_create(service, request, text_of(id), err);
	if (work == NULL)
		return false;
	record = start_record(work, "waiver-asked", request->person);
	put_what(record, &waived);
	effects_put(record, "effects", waived.effects);
	json_put_text(record, "reason", request->reason);
	json_put_integer(record, "until", request->until_utc_s);
	json_put_text_unless_empty(record, "unit", waived.unit);
	return submit_asked(work, &waived, err);
}

/* The waiver that a deed is about, if this person may do it. */
static const struct waiver *find_for_deed(const struct waiver_service *service,
	enum waiver_verb verb, const struct waiver_request *request, struct error *err)
{
	const struct waiver_node *node = waiver_find(service, request->id);

	if (node == NULL) {
		error_set(err, ERROR_NOT_FOUND, "there is no waiver %.*s",
			(int)(request->id.length < RANDOM_ID_BYTES ? request->id.length
								   : RANDOM_ID_BYTES),
			request->id.data);
		return NULL;
	}
	if (!check_person(service, verb, request->person, &node->waiver, err))
		return NULL;
	if (!node->is_busy)
		return &node->waiver;
	error_set(err, ERROR_CONFLICT, "waiver %.*s is being changed", TEXT_ARGS(node->waiver.id));
	return NULL;
}

bool waiver_approve(
	struct waiver_service *service, const struct waiver_request *request, struct error *err)
{
	const struct waiver *waiver = find_for_deed(service, WAIVER_APPROVE, request, err);
	struct waiver_work *work;
	struct json_builder *record;

	if (waiver == NULL)
		return false;
	if (waiver_state_at(waiver, now_utc_s(service)) != WAIVER_WAITS)
		return error_set(err, ERROR_CONFLICT, "waiver %.*s does not wait any more",
			TEXT_ARGS(waiver->id));
	work = work_create(service, request, waiver->id, err);
	if (work == NULL)
		return false;
	record = start_record(work, "waiver-approved", request->person);
	put_what(record, waiver);
	return submit(work, err);
}

bool waiver_end(
	struct waiver_service *service, const struct waiver_request *request, struct error *err)
{
	const struct waiver *waiver = find_for_deed(service, WAIVER_END, request, err);
	struct waiver_work *work;
	struct json_builder *record;

	if (waiver == NULL || !check_reason(request->reason, err))
		return false;
	work = work_create(service, request, waiver->id, err);
	if (work == NULL)
		return false;
	record = start_record(work, "waiver-ended", request->person);
	put_what(record, waiver);
	json_put_text(record, "reason", request->reason);
	return submit(work, err);
}

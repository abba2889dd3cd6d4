/* What people do with waivers: each a record, checked before it is written. */
#include "services/posture/waiver_private.h"

#include <stdlib.h>

enum { WORK_ARENA_BYTES_MAX = 64 * 1024 };

/* One record on its way to the log. */
struct waiver_work {
	struct fold_change change;
	struct arena *arena;
	struct posture *posture;
	struct text id; /* of the waiver, in arena */
	void *context;
	void (*done)(void *context, struct text id, uint64_t index, const struct error *err);
};

/* ---- who and what ---- */

static bool check_person(
	const struct posture *posture, struct text person, struct text unit, struct error *err)
{
	const struct registry *registry = posture->parts.registry;
	const struct person *known = registry_find_person(registry, person);
	const struct people_resource about = {.about = PEOPLE_ABOUT_FINDING, .unit = unit};

	if (known != NULL && registry_person_may(registry, known, PEOPLE_CLOSE, &about))
		return true;
	return error_set(err, ERROR_INVALID,
		"forbidden: an administrator or one of security may, or a reviewer of its unit or "
		"of the organisation");
}

static bool check_reason(struct text reason, struct error *err)
{
	if (reason.length > 0 && reason.length <= POSTURE_REASON_BYTES_MAX && text_is_utf8(reason))
		return true;
	return error_set(
		err, ERROR_INVALID, "the reason has 1 to %d bytes", POSTURE_REASON_BYTES_MAX);
}

static bool check_until(const struct posture *posture, int64_t until_utc_s, struct error *err)
{
	int64_t now_utc_s = posture_now_utc_s(posture);

	if (until_utc_s <= now_utc_s)
		return error_set(err, ERROR_INVALID, "a waiver ends in the future");
	if (until_utc_s - now_utc_s > (int64_t)POSTURE_WAIVER_DAYS_MAX * 86400)
		return error_set(err, ERROR_INVALID, "a waiver ends within %d days",
			POSTURE_WAIVER_DAYS_MAX);
	return true;
}

/* What the waiver is for: a control and an object, or those of a finding. */
struct waived {
	struct text control;
	struct text object;
	struct text unit;
};

static bool find_by_finding(
	const struct posture *posture, struct text id, struct waived *out, struct error *err)
{
	const struct finding *finding = finding_find(posture->parts.findings, id);

	if (finding == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no finding %.*s is open", TEXT_ARGS(id));
	if (finding->kind == FINDING_CONTROL_FAILING)
		return error_set(err, ERROR_INVALID,
			"%.*s is about a whole control: waive one object of it, remit waive %.*s "
			"OBJECT; remit controls %.*s lists them",
			TEXT_ARGS(id), TEXT_ARGS(finding->control), TEXT_ARGS(finding->control));
	*out = (struct waived){finding->control, finding->subject, finding->unit};
	return true;
}

static bool find_waived(const struct posture *posture, const struct waiver_request *request,
	struct waived *out, struct error *err)
{
	const struct control *control;
	const struct row *row;

	if (request->finding.length > 0)
		return find_by_finding(posture, request->finding, out, err);
	control = catalogue_find(posture->catalogue, request->control);
	if (control == NULL)
		return error_set(err, ERROR_NOT_FOUND, "there is no control %.*s",
			TEXT_ARGS(request->control));
	if (request->object.length == 0 || request->object.length > POSTURE_OBJECT_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "an object has 1 to %d bytes",
			POSTURE_OBJECT_BYTES_MAX);
	row = posture_row_find(posture, request->object);
	if (row == NULL || (row->violated & control->checks) == 0)
		return error_set(err, ERROR_NOT_FOUND,
			"%.*s does not violate %.*s: there is nothing to waive",
			TEXT_ARGS(request->object), TEXT_ARGS(request->control));
	*out = (struct waived){control->id, row->subject, posture_unit_of(posture, row->subject)};
	return true;
}

static bool check_room(
	const struct posture *posture, const struct waived *waived, struct error *err)
{
	const struct waiver_node *there = waiver_find_for(posture, waived->control, waived->object);

	if (there != NULL &&
		waiver_state_at(&there->waiver, posture_now_utc_s(posture)) != WAIVER_OVER)
		return error_set(err, ERROR_CONFLICT, "waiver %.*s is there for it already",
			TEXT_ARGS(there->waiver.id));
	if (name_table_count(posture->waivers) >= POSTURE_WAIVERS_MAX)
		return error_set(err, ERROR_LIMIT,
			"there are %d waivers; end those that are over, remit waiver end ID",
			POSTURE_WAIVERS_MAX);
	return true;
}

/* ---- writing ---- */

static void work_destroy(struct waiver_work **work)
{
	if (*work == NULL)
		return;
	arena_destroy(&(*work)->arena);
	free(*work);
	*work = NULL;
}

static bool work_create(struct waiver_work **out, struct posture *posture,
	const struct waiver_request *request, struct text id, struct error *err)
{
	struct waiver_work *work = calloc(1, sizeof *work);

	*out = NULL;
	if (work != NULL)
		work->arena = arena_create_small(WORK_ARENA_BYTES_MAX, 4096);
	if (work != NULL && work->arena != NULL)
		work->id = text_copy(work->arena, id);
	if (work == NULL || work->id.data == NULL) {
		work_destroy(&work);
		return error_set(err, ERROR_LIMIT, "no memory for a waiver's record");
	}
	work->posture = posture;
	work->context = request->context;
	work->done = request->done;
	*out = work;
	return true;
}

static void on_written(struct fold_change *change)
{
	struct waiver_work *work = change->context;
	struct waiver_node *node = waiver_find(work->posture, work->id);

	if (node != NULL)
		node->is_busy = false;
	if (work->done != NULL)
		work->done(work->context, work->id, change->index,
			change->is_durable ? NULL : &change->err);
	work_destroy(&work);
}

static void start_record(
	struct json_builder *record, struct waiver_work *work, const char *type, struct text person)
{
	json_object_start(record, work->arena);
	json_put_integer(record, "at", fold_stamp_utc_ms(work->posture->parts.fold));
	json_put_cstring(record, "type", type);
	json_put_text(record, "actor", text_format(work->arena, "person:%.*s", TEXT_ARGS(person)));
	json_put_text(record, "waiver", work->id);
}

/* Gives work to the log, or frees it. */
static bool submit(struct waiver_work *work, struct json_builder *record, struct error *err)
{
	struct waiver_node *node = waiver_find(work->posture, work->id);
	struct json sealed;
	bool ok;

	if (node != NULL)
		node->is_busy = true;
	work->change.context = work;
	work->change.done = on_written;
	ok = json_object_seal(record, &sealed, err);
	if (ok)
		work->change.entry = json_canonical_text(work->arena, &sealed);
	ok = ok && (work->change.entry.data != NULL ||
			   error_set(err, ERROR_LIMIT, "no memory for a waiver's record"));
	if (ok && fold_submit(work->posture->parts.fold, &work->change, err))
		return true;
	if (node != NULL)
		node->is_busy = false;
	work_destroy(&work);
	return false;
}

bool posture_waiver_ask(
	struct posture *posture, const struct waiver_request *request, struct error *err)
{
	struct waived waived;
	struct waiver_work *work;
	struct json_builder record;
	char id[RANDOM_ID_BYTES];

	if (!find_waived(posture, request, &waived, err) ||
		!check_person(posture, request->person, waived.unit, err) ||
		!check_reason(request->reason, err) ||
		!check_until(posture, request->until_utc_s, err) ||
		!check_room(posture, &waived, err))
		return false;
	random_id(id, "w-");
	if (!work_create(&work, posture, request, text_of(id), err))
		return false;
	start_record(&record, work, "waiver-asked", request->person);
	json_put_text(&record, "control", waived.control);
	json_put_text(&record, "object", waived.object);
	json_put_text(&record, "reason", request->reason);
	json_put_integer(&record, "until", request->until_utc_s);
	json_put_text_unless_empty(&record, "unit", waived.unit);
	return submit(work, &record, err);
}

/* The waiver that a step is about, if this person may take one. */
static struct waiver_node *find_for_step(
	const struct posture *posture, const struct waiver_request *request, struct error *err)
{
	struct waiver_node *node = waiver_find(posture, request->id);

	if (node == NULL) {
		error_set(err, ERROR_NOT_FOUND, "there is no waiver %.*s", TEXT_ARGS(request->id));
		return NULL;
	}
	if (!check_person(posture, request->person, node->waiver.unit, err))
		return NULL;
	if (node->is_busy) {
		error_set(err, ERROR_CONFLICT, "waiver %.*s is being changed",
			TEXT_ARGS(request->id));
		return NULL;
	}
	return node;
}

bool posture_waiver_approve(
	struct posture *posture, const struct waiver_request *request, struct error *err)
{
	const struct waiver_node *node = find_for_step(posture, request, err);
	struct waiver_work *work;
	struct json_builder record;

	if (node == NULL)
		return false;
	if (text_equal(node->waiver.by, request->person))
		return error_set(err, ERROR_INVALID,
			"forbidden: who asked for it may not approve it; another person must");
	if (waiver_state_at(&node->waiver, posture_now_utc_s(posture)) != WAIVER_WAITS)
		return error_set(err, ERROR_CONFLICT, "waiver %.*s does not wait any more",
			TEXT_ARGS(request->id));
	if (!work_create(&work, posture, request, request->id, err))
		return false;
	start_record(&record, work, "waiver-approved", request->person);
	return submit(work, &record, err);
}

bool posture_waiver_end(
	struct posture *posture, const struct waiver_request *request, struct error *err)
{
	struct waiver_work *work;
	struct json_builder record;

	if (find_for_step(posture, request, err) == NULL || !check_reason(request->reason, err) ||
		!work_create(&work, posture, request, request->id, err))
		return false;
	start_record(&record, work, "waiver-ended", request->person);
	json_put_text(&record, "reason", request->reason);
	return submit(work, &record, err);
}

/* Telling people: one finding for each control that fails, opened and closed by remit itself,
 * whose record is the evidence of when; and one record a day. */
#include "services/posture/posture_private.h"

#include "base/log.h"

enum { TELL_ARENA_BYTES_MAX = 1024 * 1024, OBJECTS_BYTES_MAX = 2000, TELL_AGAIN_S = 60 };

/* ---- findings ---- */

static void put_objects(
	const struct posture *posture, const struct control *control, struct json_builder *object)
{
	const struct row *row = name_table_next(posture->rows, TEXT(""));
	struct json_builder list;
	size_t bytes = 0;
	struct json sealed;
	struct error err;

	json_array_start(&list, object->arena);
	for (unsigned looked = 0;
		row != NULL && looked < POSTURE_ROWS_A_LOOK && list.count < POSTURE_OBJECTS_SHOWN;
		row = name_table_next(posture->rows, row->subject), looked++) {
		if ((row->violated & control->checks) == 0 ||
			bytes + row->subject.length > OBJECTS_BYTES_MAX)
			continue;
		bytes += row->subject.length;
		json_add(&list, json_string(row->subject));
	}
	if (json_array_seal(&list, &sealed, &err))
		json_put(object, "objects", sealed);
}

static bool report(const struct posture *posture, const struct control *control,
	const struct control_status *status, struct arena *arena, struct error *err)
{
	struct finding_draft draft = {.kind = FINDING_CONTROL_FAILING,
		.subject = control->id,
		.control = text_copy(arena, control->id).data,
		.what = text_format(arena, "%.*s (%.*s) does not hold%s%.*s.",
			TEXT_ARGS(control->id), TEXT_ARGS(control->title),
			status->why.length > 0 ? ": " : "", TEXT_ARGS(status->why))};
	struct json_builder object;
	struct json details;

	json_object_start(&object, arena);
	json_put_cstring(&object, "state", control_state_word(status->state));
	json_put_cstring(&object, "severity", risk_tier_word(control->severity));
	json_put_integer(&object, "violations", (int64_t)status->violations);
	json_put_integer(&object, "waived", (int64_t)status->waived);
	if (status->waiting > 0)
		json_put_integer(&object, "waiting", (int64_t)status->waiting);
	json_put_text_unless_empty(&object, "metric", control->metric);
	json_put_text(&object, "command",
		text_format(arena, "remit controls %.*s", TEXT_ARGS(control->id)));
	put_objects(posture, control, &object);
	if (!json_object_seal(&object, &details, err))
		return false;
	draft.details = &details;
	return finding_report(posture->parts.findings, &draft, err);
}

/* Before the first whole pass nothing is fresh, and nothing is told. */
static void tell_one(struct posture *posture, const struct control *control,
	const struct control_status *status, struct arena *arena)
{
	bool fails = status->state == CONTROL_FAILING || status->state == CONTROL_STALE;
	struct error err;

	if (fails && status->finding.length == 0 && !report(posture, control, status, arena, &err))
		log_warn("control_not_reported", LOG_TEXT("control", control->id),
			LOG_STRING("why", err.text));
	if (!fails && status->finding.length > 0 &&
		!finding_settle(posture->parts.findings, status->finding,
			status->state == CONTROL_PASSING ? "it holds again" : "it is not proven",
			&err))
		log_warn("control_not_closed", LOG_TEXT("control", control->id),
			LOG_STRING("why", err.text));
}

/* ---- the day's figures ---- */

static void on_written(void *context, uint64_t index, const struct error *err)
{
	struct posture *posture = context;

	(void)index;
	(void)err; /* the next look writes it again */
	posture->is_writing_day = false;
}

static bool put_controls(struct json_builder *record, const struct posture *posture,
	const struct control_status *all)
{
	struct json_builder list;
	struct json sealed;
	struct error err;

	json_array_start(&list, record->arena);
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		struct json_builder one;
		struct json item;

		if (all[i].state == CONTROL_UNPROVEN)
			continue;
		json_object_start(&one, record->arena);
		json_put_text(&one, "control", catalogue_control(posture->catalogue, i)->id);
		json_put_cstring(&one, "state", control_state_word(all[i].state));
		json_put_integer(&one, "violations", (int64_t)all[i].violations);
		json_put_integer(&one, "waived", (int64_t)all[i].waived);
		if (json_object_seal(&one, &item, &err))
			json_add(&list, item);
	}
	if (!json_array_seal(&list, &sealed, &err))
		return false;
	json_put(record, "controls", sealed);
	return true;
}

static void put_sums(struct json_builder *record, const struct posture *posture,
	const struct control_status *all)
{
	int64_t of[CONTROL_PASSING + 1] = {0}, violations = 0;

	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		of[all[i].state]++;
		violations += (int64_t)all[i].violations;
	}
	for (int i = CONTROL_UNPROVEN; i <= CONTROL_PASSING; i++)
		json_put_integer(record, control_state_word(i), of[i]);
	json_put_integer(record, "violations", violations);
}

static bool submit_day(struct posture *posture, const char *day, const struct control_status *all,
	struct error *err)
{
	struct fold_record *record;

	if (!fold_record_create(&record, posture->parts.fold, TELL_ARENA_BYTES_MAX, err))
		return false;
	record->context = posture;
	record->done = on_written;
	fold_record_start(record, "posture-figures", TEXT("remit"));
	json_put_text(&record->object, "day", text_of(day));
	put_sums(&record->object, posture, all);
	if (posture_put_watch(posture, &record->object, err) &&
		put_controls(&record->object, posture, all))
		return fold_record_send(&record, err);
	fold_record_destroy(&record);
	return false;
}

static void write_day(struct posture *posture, const char *day, const struct control_status *all)
{
	struct error err = {0};

	posture->is_writing_day = true; /* it may be done before that returns */
	if (submit_day(posture, day, all, &err))
		return;
	posture->is_writing_day = false;
	log_warn(
		"posture_figures_not_written", LOG_STRING("day", day), LOG_STRING("why", err.text));
}

static const struct posture_day *last_day(const struct posture *posture)
{
	return posture->days_count == 0
		       ? NULL
		       : &posture->days[(posture->days_next + POSTURE_DAYS - 1) % POSTURE_DAYS];
}

/* The figures of a day are those of its first look after a whole pass. */
static void tell_day(struct posture *posture, const struct control_status *all)
{
	const struct posture_day *last = last_day(posture);
	char now[TIME_TEXT_BYTES];

	if (posture->is_writing_day)
		return;
	time_format_utc_ms(now, fold_stamp_utc_ms(posture->parts.fold));
	now[sizeof last->day - 1] = '\0';
	if (last == NULL || strcmp(last->day, now) < 0)
		write_day(posture, now, all);
}

static bool fold_day(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;
	struct text name = json_text_or(record, "day", "");
	const struct posture_day *last = last_day(posture);
	struct posture_day *day;

	(void)index;
	(void)err;
	if (name.length != sizeof day->day - 1 ||
		(last != NULL && text_compare(name, text_of(last->day)) <= 0))
		return true;
	posture_take_watch(posture, record);
	day = &posture->days[posture->days_next];
	*day = (struct posture_day){
		.violations = (uint64_t)json_integer_or(record, "violations", 0)};
	memcpy(day->day, name.data, name.length);
	for (int i = CONTROL_UNPROVEN; i <= CONTROL_PASSING; i++)
		day->of[i] = (uint32_t)json_integer_or(record, control_state_word(i), 0);
	posture->days_next = (posture->days_next + 1) % POSTURE_DAYS;
	posture->days_count += posture->days_count < POSTURE_DAYS;
	return true;
}

static void project_day(const struct json *record, struct projection *projection)
{
	projection_put(projection, "posture-figures", json_text_or(record, "day", ""), record);
}

bool posture_fold_days(struct posture *posture, struct error *err)
{
	const struct fold_handler handler = {
		.type = "posture-figures", .apply = fold_day, .state = posture};
	static const struct fold_projector projector = {"posture-figures", project_day};

	return fold_add(posture->parts.fold, &handler, err) &&
	       fold_add_projector(posture->parts.fold, &projector, err);
}

/* ---- telling ---- */

static bool is_due(const struct posture *posture, int64_t now_utc_s)
{
	if (posture->passed_utc_ms == 0 || posture->told_utc_s == now_utc_s)
		return false;
	return posture->is_changed || now_utc_s < posture->told_utc_s ||
	       posture->waivers_told != waiver_generation(posture->parts.waivers) ||
	       now_utc_s - posture->told_utc_s >= TELL_AGAIN_S ||
	       (posture->next_end_utc_s != 0 && now_utc_s >= posture->next_end_utc_s);
}

void posture_tell(struct posture *posture)
{
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	int64_t now_utc_s = posture_now_utc_s(posture);
	struct arena *arena;

	if (!is_due(posture, now_utc_s))
		return;
	arena = arena_create_small(TELL_ARENA_BYTES_MAX, 16384);
	if (arena == NULL)
		return;
	posture->is_changed = false;
	posture->waivers_told = waiver_generation(posture->parts.waivers);
	posture->told_utc_s = now_utc_s;
	posture->next_end_utc_s = posture_next_end(posture);
	posture_survey(posture, all);
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++)
		tell_one(posture, catalogue_control(posture->catalogue, i), &all[i], arena);
	tell_day(posture, all);
	arena_destroy(&arena);
}

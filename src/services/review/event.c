/* Small reviews that begin by themselves: a charter that lets do more, an identity that was
 * killed, that nobody uses, whose access begins to stand, whose people moved.  Each is an event
 * on record; a minute later a review of that identity begins, so that what belongs together is
 * judged together.  Who writes `review-due` needs no more than that record. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "services/review/review_private.h"

enum {
	EVENTS_LOOKED = 64,
	DORMANT_LOOKED = 256,
	DORMANT_WAITING_MAX = 64, /* events at once, so that they do not bury the others */
	DORMANT_AGAIN_DAYS = 90,
};

/* ---- events ---- */

static struct review_event *event_create(const struct review_event *from)
{
	struct review_event *event = calloc(1, sizeof *event + from->identity.length + 1);

	if (event == NULL)
		return NULL;
	*event = *from;
	memcpy(event + 1, from->identity.data, from->identity.length);
	event->identity = (struct text){(const char *)(event + 1), from->identity.length};
	return event;
}

bool review_note_event(
	struct review_service *service, const struct review_event *event, struct error *err)
{
	struct review_event *known;

	if (event->identity.length == 0 || event->identity.length > CHARTER_NAME_BYTES_MAX ||
		event->cause == REVIEW_NONE)
		return true;
	known = name_table_find(service->events, event->identity);
	if (known != NULL) {
		known->index = event->index > known->index ? event->index : known->index;
		if (event->cause == REVIEW_INCIDENT)
			known->cause = event->cause;
		return true;
	}
	if (name_table_count(service->events) >= REVIEW_EVENTS_MAX) {
		log_warn("review_events_full", LOG_TEXT("identity", event->identity));
		return true;
	}
	known = event_create(event);
	if (known != NULL && name_table_put(service->events, event->identity, known))
		return true;
	free(known);
	return error_set(err, ERROR_LIMIT, "no memory for an event");
}

void review_settle_event(struct review_service *service, struct text identity, uint64_t index)
{
	const struct review_event *event =
		identity.length == 0 ? NULL : name_table_find(service->events, identity);

	if (event != NULL && event->index <= index)
		free(name_table_remove(service->events, identity));
}

/* ---- records that are events ---- */

static struct review_event event_of(const struct json *record, enum review_cause cause)
{
	return (struct review_event){.cause = cause,
		.identity = json_text_or(record, "identity", ""),
		.at_utc_ms = json_integer_or(record, "at", 0)};
}

/* A cause of a later version, which has no word here, is a change of what was approved. */
static struct review_event due_event(const struct json *record)
{
	struct review_event event = event_of(record, REVIEW_CHANGED);
	enum review_cause cause = review_cause_of(json_text_or(record, "cause", ""));

	if (cause != REVIEW_NONE)
		event.cause = cause;
	event.due_utc_ms = json_integer_or(record, "due_utc_ms", 0);
	return event;
}

static struct review_event kill_event(const struct json *record)
{
	struct review_event event = event_of(record, REVIEW_INCIDENT);

	if (!text_is(json_text_or(record, "target", "identity"), "identity") ||
		json_find(record, "task") != NULL)
		event.cause = REVIEW_NONE;
	return event;
}

static struct review_event finding_event(const struct json *record)
{
	static const char identity[] = "identity/";
	struct review_event event = event_of(record, REVIEW_STANDING);
	struct text object = json_text_or(json_find(record, "details"), "object", "");

	if (!text_is(json_text_or(record, "kind", ""), "standing-access") ||
		!text_starts_with(object, identity))
		event.cause = REVIEW_NONE;
	else
		event.identity = text_after(object, sizeof identity - 1);
	return event;
}

static struct review_event scope_event(const struct json *record)
{
	const struct json *changes = json_find(record, "changes");
	struct review_event event = event_of(record, REVIEW_NONE);

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++)
		if (json_boolean_or(&changes->items[i], "widens", false)) {
			event.cause = REVIEW_SCOPE;
			event.identity = json_text_or(&changes->items[i], "name", "");
		}
	return event;
}

static struct review_event (*event_reader(struct text type))(const struct json *)
{
	if (text_is(type, "review-due") || text_is(type, "review-event"))
		return due_event;
	if (text_is(type, "kill"))
		return kill_event;
	if (text_is(type, "finding-opened"))
		return finding_event;
	return scope_event;
}

static struct review_event read_event(const struct json *record)
{
	return event_reader(json_text_or(record, "type", ""))(record);
}

static bool fold_event(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_event event = read_event(record);

	event.index = index;
	return review_note_event(state, &event, err);
}

/* What asked for a review until then is answered, whoever looked.  The row of the last one also
 * holds down the rows of events whose review was forgotten since. */
static bool fold_done(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct review_service *service = state;
	struct text identity = json_text_or(record, "identity", "");
	const struct review_event *event = name_table_find(service->events, identity);

	(void)index;
	(void)err;
	if (event != NULL && (int64_t)event->index <= json_integer_or(record, "through", 0))
		free(name_table_remove(service->events, identity));
	return true;
}

/* The row is of a type of its own, whatever the event was: who folds `review-due` must not hear
 * of it twice.  One for each cause, so that they do not grow with the log. */
static void project_event(const struct json *record, struct projection *projection)
{
	struct review_event event = read_event(record);
	struct json_builder body;
	struct json sealed;
	struct error err = {0};

	if (event.cause == REVIEW_NONE || event.identity.length == 0)
		return;
	json_object_start(&body, projection_arena(projection));
	json_put_cstring(&body, "type", "review-event");
	json_put_integer(&body, "at", event.at_utc_ms);
	json_put_text(&body, "identity", event.identity);
	json_put_cstring(&body, "cause", review_cause_word(event.cause));
	if (event.due_utc_ms != 0)
		json_put_integer(&body, "due_utc_ms", event.due_utc_ms);
	projection_put(projection, "review-event",
		text_format(projection_arena(projection), "%.*s/%s", TEXT_ARGS(event.identity),
			review_cause_word(event.cause)),
		json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

bool review_register_events(struct review_service *service, struct error *err)
{
	const struct fold_handler handlers[] = {
		{"review-due", fold_event, NULL, service},
		{"review-event", fold_event, NULL, service}, /* a row */
		{"review-done", fold_done, NULL, service},
		{"kill", fold_event, NULL, service},
		{"finding-opened", fold_event, NULL, service},
		{"registry", fold_event, NULL, service},
		{"state", fold_event, NULL, service},
	};
	static const char *const projected[] = {
		"review-due", "kill", "finding-opened", "registry", "state"};
	struct fold *fold = service->parts.fold;

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projected / sizeof *projected; i++) {
		const struct fold_projector projector = {projected[i], project_event};

		if (!fold_add_projector(fold, &projector, err))
			return false;
	}
	return true;
}

/* ---- small reviews ---- */

static bool is_under_review(const struct review_service *service, struct text identity)
{
	const struct review *review = name_table_next(service->reviews, TEXT(""));

	for (; review != NULL; review = name_table_next(service->reviews, text_of(review->id)))
		if ((review->stage == REVIEW_STAGE_OPEN ||
			    review->stage == REVIEW_STAGE_GATHERING) &&
			text_equal(review->scope.identity, identity))
			return true;
	return false;
}

static int64_t days_of(const struct review_event *event, int64_t now_utc_ms)
{
	int64_t days = (event->due_utc_ms - now_utc_ms) / REVIEW_DAY_MS;

	if (event->due_utc_ms != 0)
		return days < REVIEW_DAYS_MIN   ? REVIEW_DAYS_MIN
		       : days > REVIEW_DAYS_MAX ? REVIEW_DAYS_MAX
						: days;
	return event->cause == REVIEW_INCIDENT ? 3 : 7;
}

static void begin(struct review_service *service, const struct review_event *event)
{
	const struct review_request request = {.verb = REVIEW_VERB_START,
		.scope = {.identity = event->identity},
		.name = text_of(review_cause_word(event->cause)),
		.days = days_of(event, review_now(service)),
		.cause = event->cause};
	struct review *review;
	struct error err = {0};

	if (registry_find_charter(service->parts.registry, event->identity) == NULL)
		free(name_table_remove(service->events, event->identity));
	else if (!review_gather(service, &request, event, &review, &err))
		log_warn("review_not_begun", LOG_TEXT("identity", event->identity),
			LOG_STRING("why", err.text));
}

/* ---- dormant ones ---- */

/* Some identities of the registry a step. */
struct looking {
	struct review_service *service;
	struct text found; /* dormant; empty: none yet */
	uint32_t left;
	int64_t now_utc_ms;
};

static bool is_dormant(const struct looking *looking, const struct registry_entry *entry)
{
	const struct review_service *service = looking->service;
	const int64_t *reviewed = name_table_find(service->reviewed, entry->name);
	int64_t unused_utc_ms = looking->now_utc_ms - REVIEW_UNUSED_DAYS * REVIEW_DAY_MS;

	return entry->state == IDENTITY_ACTIVE && entry->changed_utc_ms < unused_utc_ms &&
	       graph_last_use_utc_ms(service->parts.graph, entry->name) < unused_utc_ms &&
	       name_table_find(service->events, entry->name) == NULL &&
	       (reviewed == NULL ||
		       *reviewed < looking->now_utc_ms - DORMANT_AGAIN_DAYS * REVIEW_DAY_MS);
}

static bool look_at(void *context, const struct registry_entry *entry)
{
	struct looking *looking = context;

	looking->service->dormant_after = entry->name;
	if (is_dormant(looking, entry))
		looking->found = entry->name;
	return looking->found.length == 0 && --looking->left > 0;
}

static void write_dormant(struct review_service *service, struct text identity)
{
	struct fold_record *record;
	struct error err = {0};

	if (review_record_create(&record, service, "review-due", TEXT("remit"), &err)) {
		json_put_text(&record->object, "identity", text_copy(record->arena, identity));
		json_put_cstring(&record->object, "cause", "dormant");
		if (fold_record_send(&record, &err))
			return;
	}
	log_warn("dormant_not_recorded", LOG_TEXT("identity", identity),
		LOG_STRING("why", err.text));
}

/* True: the look goes on. */
static bool look_for_dormant(struct review_service *service)
{
	struct looking looking = {
		.service = service, .left = DORMANT_LOOKED, .now_utc_ms = review_now(service)};

	if (service->dormant_after.length == 0) {
		if (looking.now_utc_ms - service->dormant_utc_ms < REVIEW_DAY_MS ||
			looking.now_utc_ms - graph_uses_known_utc_ms(
						     service->parts.graph, looking.now_utc_ms) <
				REVIEW_UNUSED_DAYS * REVIEW_DAY_MS)
			return false;
		service->dormant_utc_ms = looking.now_utc_ms;
	}
	if (name_table_count(service->events) >= DORMANT_WAITING_MAX)
		return false;
	registry_each(service->parts.registry, OBJECT_IDENTITY, service->dormant_after, look_at,
		&looking);
	if (looking.found.length > 0)
		write_dormant(service, looking.found);
	else if (looking.left > 0)
		service->dormant_after = TEXT(""); /* that was all */
	return service->dormant_after.length > 0;
}

/* What could not begin is tried again when as much time has passed. */
static bool is_ripe(
	const struct review_service *service, const struct review_event *event, int64_t now_utc_ms)
{
	return now_utc_ms - event->at_utc_ms >= REVIEW_EVENT_SETTLE_MS &&
	       now_utc_ms - event->tried_utc_ms >= REVIEW_EVENT_SETTLE_MS &&
	       !is_under_review(service, event->identity);
}

static void keep_place(struct review_service *service, struct text identity)
{
	memcpy(service->events_after_name, identity.data, identity.length);
	service->events_after = (struct text){service->events_after_name, identity.length};
}

/* The next that is ripe, of some a turn, each in its turn; NULL: none of these. */
static struct review_event *next_ripe(struct review_service *service, int64_t now_utc_ms)
{
	bool is_round = service->events_after.length == 0;

	for (int i = 0; i < EVENTS_LOOKED; i++) {
		struct review_event *event =
			name_table_next(service->events, service->events_after);

		if (event == NULL) {
			service->events_after = TEXT("");
			if (is_round)
				return NULL;
			is_round = true;
			continue;
		}
		keep_place(service, event->identity);
		if (is_ripe(service, event, now_utc_ms))
			return event;
	}
	return NULL;
}

bool review_events_step(struct review_service *service)
{
	int64_t now_utc_ms = review_now(service);
	struct review_event *event = next_ripe(service, now_utc_ms);

	if (event == NULL)
		return look_for_dormant(service);
	event->tried_utc_ms = now_utc_ms;
	begin(service, event);
	return true;
}

/* One issuer that is polled:
 *
 *   resting ──timer──▶ asks ──answer──▶ takes (each event as one pushed) ──all answered──▶ resting
 *
 * P1  An event is acknowledged only once it is taken, so durable (signals.h).  What was
 *     acknowledged is told again until a request came through: that does no harm (RFC 8936 §2.4).
 * P2  One request at a time, and one answer taken at a time.
 * P3  An issuer that is not in force any more, or not as it was, is asked no further; events of
 *     it that are on their way end by themselves, and then it is forgotten. */
#include "services/signals/poll.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "domain/token/claims.h"

enum { POLL_ARENA_BYTES_MAX = 8 * 1024 * 1024, URL_BYTES = ISSUER_PATH_BYTES_MAX + 1 };

/* What became of an event is told by its id with the next request. */
struct polled_event {
	struct polled *polled;
	struct signals_request request;
	struct text id; /* in the arena */
};

struct polled {
	struct signals_poller *poller;
	const struct object *object; /* held */
	struct arena *arena;         /* of the last answer: its ids, until they are told */
	struct signals_fetch fetch;
	struct loop_timer timer;
	struct polled_event events[SIGNALS_POLL_EVENTS_MAX];
	uint32_t events_count;
	uint32_t open;    /* not answered yet */
	int64_t retry_ms; /* 0: the last request went well */
	bool is_asking;
	bool has_more;
	bool is_gone; /* P3 */
	struct polled *next;
};

struct signals_poller {
	struct signals_poller_parts parts;
	struct polled *list;
	unsigned count;
	uint64_t generation;
	bool is_synced;
	struct loop_timer look;
};

static const struct issuer *issuer_of(const struct polled *polled)
{
	return polled->object->issuer;
}

static void polled_free(struct polled *polled)
{
	struct signals_poller *poller = polled->poller;
	struct polled **link = &poller->list;

	while (*link != NULL && *link != polled)
		link = &(*link)->next;
	if (*link != NULL)
		*link = polled->next;
	poller->count--;
	loop_timer_stop(poller->parts.loop, &polled->timer);
	if (polled->is_asking)
		poller->parts.fetcher.cancel(poller->parts.fetcher.context, &polled->fetch);
	arena_destroy(&polled->arena);
	object_release(&polled->object);
	free(polled);
}

static void tell(const struct polled *polled, const char *why)
{
	const struct signals_poller_parts *parts = &polled->poller->parts;

	if (parts->on_polled != NULL)
		parts->on_polled(parts->context, polled->object->name, why);
}

static void rest(struct polled *polled, int64_t wait_ms)
{
	if (polled->is_gone)
		polled_free(polled);
	else if (!loop_timer_start(polled->poller->parts.loop, &polled->timer, wait_ms))
		log_error("poll_stopped", LOG_TEXT("issuer", polled->object->name),
			LOG_STRING("why", "no memory for a timer"));
}

static void fail(struct polled *polled, const struct error *err)
{
	polled->retry_ms = polled->retry_ms == 0 ? SIGNALS_POLL_RETRY_MS : polled->retry_ms * 2;
	if (polled->retry_ms > SIGNALS_POLL_RETRY_MS_MAX)
		polled->retry_ms = SIGNALS_POLL_RETRY_MS_MAX;
	log_warn("poll_failed", LOG_TEXT("issuer", polled->object->name),
		LOG_STRING("why", err->text));
	tell(polled, err->text);
	rest(polled, polled->retry_ms);
}

/* ---- what came ---- */

static bool is_refused(const struct polled_event *event)
{
	return event->request.fault != SECURITY_EVENT_ACCEPTED;
}

static bool is_told(const struct polled_event *event)
{
	return is_refused(event) || event->request.is_taken;
}

static void all_answered(struct polled *polled)
{
	bool is_again = false;

	for (uint32_t i = 0; i < polled->events_count; i++)
		is_again |= !is_told(&polled->events[i]);
	rest(polled, is_again ? SIGNALS_POLL_RETRY_MS : SIGNALS_POLL_GAP_MS);
}

static void on_received(struct signals_request *request)
{
	struct polled_event *event = request->context;
	struct polled *polled = event->polled;

	if (--polled->open == 0)
		all_answered(polled);
}

/* The id of an event is the member's name (RFC 8936 §2.3). */
static void take(struct polled *polled, const struct json *sets)
{
	polled->open = 1; /* until all were handed over */
	for (uint32_t i = 0; sets != NULL && i < sets->count; i++) {
		const struct json_member *member = &sets->members[i];
		struct polled_event *event = &polled->events[polled->events_count];

		if (polled->events_count == SIGNALS_POLL_EVENTS_MAX)
			break; /* it comes again */
		if (member->name.length == 0 || member->name.length > TOKEN_ID_BYTES_MAX)
			continue;
		*event = (struct polled_event){.polled = polled, .id = member->name};
		event->request = (struct signals_request){.issuer = issuer_of(polled)->url,
			.token =
				member->value.type == JSON_STRING ? member->value.string : TEXT(""),
			.done = on_received,
			.context = event};
		polled->events_count++;
		polled->open++;
		signals_receive(polled->poller->parts.signals, &event->request);
	}
	if (--polled->open == 0)
		all_answered(polled);
}

/* The answer's own texts live in the arena. */
static bool read_answer(
	struct polled *polled, struct text body, const struct json **sets, struct error *err)
{
	struct text copy = text_copy(polled->arena, body);
	struct json *answer = arena_new(polled->arena, struct json);

	if (copy.data == NULL || answer == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for its answer");
	if (!json_parse(answer, polled->arena, copy, &json_limits_default, err))
		return false;
	*sets = json_find(answer, "sets");
	polled->has_more = json_boolean_or(answer, "moreAvailable", false);
	return (*sets != NULL && (*sets)->type == JSON_OBJECT) ||
	       error_set(err, ERROR_INVALID, "its answer has no sets");
}

static void on_fetched(struct signals_fetch *fetch, struct text body, const struct error *err)
{
	struct polled *polled = fetch->context;
	const struct json *sets = NULL;
	struct error wrong = *err;

	polled->is_asking = false;
	if (wrong.code == ERROR_TIMEOUT) { /* it held the request, having nothing to say */
		polled->retry_ms = 0;
		rest(polled, SIGNALS_POLL_GAP_MS);
		return;
	}
	if (wrong.code == ERROR_NONE) {
		/* What was told has arrived. */
		polled->events_count = 0;
		arena_reset(polled->arena);
		(void)read_answer(polled, body, &sets, &wrong);
	}
	if (wrong.code != ERROR_NONE) {
		fail(polled, &wrong);
		return;
	}
	polled->retry_ms = 0;
	tell(polled, NULL);
	take(polled, sets);
}

/* ---- what is asked ---- */

/* {"err", "description"} by its id (RFC 8936 §2.4.4). */
static bool put_error(
	struct json_builder *errors, const struct polled_event *event, struct error *err)
{
	struct json_builder one;
	struct json sealed;

	json_object_start(&one, errors->arena);
	json_put_cstring(&one, "description", security_event_fault_meaning(event->request.fault));
	json_put_cstring(&one, "err", security_event_fault_code(event->request.fault));
	if (!json_object_seal(&one, &sealed, err))
		return false;
	json_put_named(errors, event->id, sealed);
	return true;
}

/* Who has something to tell is answered at once; else the other may hold the request. */
static bool make_body(
	const struct polled *polled, struct arena *arena, struct text *out, struct error *err)
{
	struct json_builder body, acks, errors;
	struct json ack, set_errors, whole;
	bool is_telling = false;

	json_array_start(&acks, arena);
	json_object_start(&errors, arena);
	for (uint32_t i = 0; i < polled->events_count; i++) {
		const struct polled_event *event = &polled->events[i];

		is_telling |= is_told(event);
		if (is_refused(event) && !put_error(&errors, event, err))
			return false;
		if (!is_refused(event) && event->request.is_taken)
			json_add(&acks, json_string(event->id));
	}
	if (!json_array_seal(&acks, &ack, err) || !json_object_seal(&errors, &set_errors, err))
		return false;
	json_object_start(&body, arena);
	json_put(&body, "ack", ack);
	json_put_integer(&body, "maxEvents", SIGNALS_POLL_EVENTS_MAX);
	json_put_boolean(&body, "returnImmediately", is_telling || polled->has_more);
	json_put(&body, "setErrs", set_errors);
	if (!json_object_seal(&body, &whole, err))
		return false;
	*out = json_canonical_text(arena, &whole);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a request");
}

static bool ask_with(struct polled *polled, struct arena *arena, struct error *err)
{
	const struct issuer *issuer = issuer_of(polled);
	const struct signals_fetcher *fetcher = &polled->poller->parts.fetcher;
	char url[ISSUER_URL_BYTES_MAX + 1], ca_file[URL_BYTES];
	struct signals_question question = {.url = url,
		.credential = issuer->events.credential,
		.private_addresses = issuer->private_addresses,
		.bytes_max = SIGNALS_POLL_BYTES_MAX,
		.deadline_ms = SIGNALS_POLL_MS};

	(void)snprintf(url, sizeof url, "%.*s", TEXT_ARGS(issuer->events.poll));
	(void)snprintf(ca_file, sizeof ca_file, "%.*s", TEXT_ARGS(issuer->ca_file));
	if (issuer->ca_file.length > 0)
		question.ca_file = ca_file;
	polled->fetch = (struct signals_fetch){.done = on_fetched, .context = polled};
	return make_body(polled, arena, &question.body, err) &&
	       fetcher->begin(fetcher->context, &question, &polled->fetch, err);
}

static bool ask(struct polled *polled, struct error *err)
{
	struct arena *arena = arena_create(POLL_ARENA_BYTES_MAX);
	bool is_asking = arena == NULL ? error_set(err, ERROR_LIMIT, "no memory for a request")
				       : ask_with(polled, arena, err);

	arena_destroy(&arena);
	return is_asking;
}

static void on_due(struct loop_timer *timer)
{
	struct polled *polled = timer->context;
	struct error err = {0};

	if (polled->is_gone) {
		polled_free(polled);
		return;
	}
	polled->is_asking = ask(polled, &err);
	if (!polled->is_asking)
		fail(polled, &err);
}

/* ---- whom ---- */

static bool is_in_force(const struct signals_poller *poller, const struct polled *polled)
{
	const struct registry_entry *entry =
		registry_find(poller->parts.registry, OBJECT_ISSUER, polled->object->name);

	return entry != NULL && entry->in_force == polled->object;
}

static void drop_old(struct signals_poller *poller)
{
	struct polled *next = NULL;

	for (struct polled *polled = poller->list; polled != NULL; polled = next) {
		next = polled->next;
		if (is_in_force(poller, polled))
			continue;
		polled->is_gone = true;
		if (polled->open == 0)
			polled_free(polled);
	}
}

static bool is_polled(const struct signals_poller *poller, const struct object *object)
{
	for (const struct polled *each = poller->list; each != NULL; each = each->next)
		if (each->object == object)
			return true;
	return false;
}

static bool add_new(void *context, const struct registry_entry *entry)
{
	struct signals_poller *poller = context;
	struct polled *polled;

	if (entry->in_force == NULL || entry->in_force->issuer->events.poll.length == 0 ||
		is_polled(poller, entry->in_force))
		return true;
	if (poller->count == SIGNALS_POLLS_MAX) {
		log_warn("polls_many", LOG_TEXT("without", entry->name));
		return false;
	}
	polled = calloc(1, sizeof *polled);
	if (polled != NULL)
		polled->arena = arena_create(POLL_ARENA_BYTES_MAX);
	if (polled == NULL || polled->arena == NULL) {
		free(polled);
		return false;
	}
	polled->poller = poller;
	polled->object = object_acquire(entry->in_force);
	polled->timer = (struct loop_timer){.on_due = on_due, .context = polled};
	polled->next = poller->list;
	poller->list = polled;
	poller->count++;
	rest(polled, 0);
	return true;
}

static void on_look(struct loop_timer *timer)
{
	struct signals_poller *poller = timer->context;
	uint64_t generation = registry_generation(poller->parts.registry);

	if (!poller->is_synced || generation != poller->generation) {
		poller->is_synced = true;
		poller->generation = generation;
		drop_old(poller);
		registry_each(poller->parts.registry, OBJECT_ISSUER, TEXT(""), add_new, poller);
	}
	if (!loop_timer_start(poller->parts.loop, timer, SIGNALS_POLL_LOOK_MS))
		log_error("polls_stopped", LOG_STRING("why", "no memory for a timer"));
}

bool signals_poller_create(
	struct signals_poller **out, const struct signals_poller_parts *parts, struct error *err)
{
	struct signals_poller *poller = calloc(1, sizeof *poller);

	*out = poller;
	if (poller == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for polling events");
	poller->parts = *parts;
	poller->look = (struct loop_timer){.on_due = on_look, .context = poller};
	if (loop_timer_start(parts->loop, &poller->look, 0))
		return true;
	free(poller);
	*out = NULL;
	return error_set(err, ERROR_LIMIT, "no memory for a timer");
}

void signals_poller_destroy(struct signals_poller **poller)
{
	if (*poller == NULL)
		return;
	loop_timer_stop((*poller)->parts.loop, &(*poller)->look);
	while ((*poller)->list != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		polled_free((*poller)->list);
	free(*poller);
	*poller = NULL;
}

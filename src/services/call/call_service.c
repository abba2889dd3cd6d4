/* The service around the exchanges: starting them, their deadlines, what is in
 * flight for the log, streams, and kill.
 *
 * In flight is what the log says is: an allow without an outcome.  Rows of the
 * store: in-flight / INDEX is such a decision; it goes with its outcome. */

#include "services/call/call_service.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/call/exchange.h"

enum { INDEX_TEXT_BYTES = 24, APPROVE_TICK_MS = 5000, OUTCOME_ARENA_BYTES = 16 * 1024 };

const struct call_settings call_settings_default = {
	.hold_ms = CALL_HOLD_MS_DEFAULT,
	.upstream_ms = CALL_UPSTREAM_MS_DEFAULT,
	.exchanges_max = CALL_EXCHANGES_MAX_DEFAULT,
	.exchanges_per_identity_max = CALL_EXCHANGES_PER_IDENTITY_MAX_DEFAULT,
	.exchanges_per_task_max = CALL_EXCHANGES_PER_TASK_MAX_DEFAULT,
	.arena_bytes = CALL_ARENA_BYTES_DEFAULT,
};

/* ---- exchanges ---------------------------------------------------------------- */

static void exchange_destroy(struct exchange **exchange)
{
	if (*exchange == NULL)
		return;
	generation_release(*exchange);
	peer_release(*exchange);
	arena_destroy(&(*exchange)->arena);
	free(*exchange);
	*exchange = NULL;
}

/* What is deferred comes in its order. */
static void on_release(struct loop_post *post)
{
	struct exchange *exchange = post->context;

	assert(exchange->service->ended == exchange);
	exchange->service->ended = exchange->next_ended;
	exchange_destroy(&exchange);
}

void exchange_release_later(struct exchange *exchange)
{
	struct call_service *service = exchange->service;

	if (service->ended == NULL)
		service->ended = exchange;
	else
		service->last_ended->next_ended = exchange;
	service->last_ended = exchange;
	loop_defer(service->ports.loop, &exchange->release_post);
}

/* Whether its task and its identity may have one more. */
static bool exchange_share(struct exchange *exchange, const struct task *task, struct error *err)
{
	struct call_service *service = exchange->service;
	const struct call_settings *settings = &service->settings;

	return share_take(&exchange->of_task, service->tasks, task->id,
		       settings->exchanges_per_task_max, err) &&
	       share_take(&exchange->of_identity, service->identities, task->identity,
		       settings->exchanges_per_identity_max, err);
}

void exchange_give_share(struct exchange *exchange)
{
	share_give(exchange->service->tasks, &exchange->of_task);
	share_give(exchange->service->identities, &exchange->of_identity);
}

static bool text_keep(
	struct exchange *exchange, struct text from, struct text *out, struct error *err)
{
	*out = text_copy(exchange->arena, from);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no room for the call");
}

/* Why the agent says it wants this: words for people, which decide nothing. */
static struct text agents_reason(const struct json *params)
{
	const struct json *meta = json_find(params, "_meta");
	struct text reason = meta == NULL ? TEXT("") : json_text_or(meta, "remit/reason", "");

	return call_shortened(reason, CALL_REASON_BYTES_MAX);
}

/* Copies what the door lends and builds the call of it. */
static bool exchange_read(
	struct exchange *exchange, const struct call_request *request, struct error *err)
{
	const struct task *task = task_find(exchange->service->ports.tasks, request->task);
	struct call_draft draft;
	struct json params;

	if (task == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no task %.*s is open", TEXT_ARGS(request->task));
	if (!exchange_share(exchange, task, err))
		return false;
	draft.side = exchange->asking == NULL ? CALL_OF_CLIENT : CALL_OF_SERVER;
	draft.environment = task->environment;
	draft.params = NULL;
	if (!text_keep(exchange, task->identity, &draft.identity, err) ||
		!text_keep(exchange, task->id, &draft.task, err) ||
		!text_keep(exchange, request->server, &draft.server, err) ||
		!text_keep(exchange, request->method, &draft.method, err))
		return false;
	if (request->params != NULL) {
		if (!json_copy(&params, exchange->arena, request->params, err))
			return false;
		draft.params = &params;
		if (exchange->asking == NULL)
			exchange->reason = agents_reason(&params);
	}
	if (request->is_peer)
		return peer_build(exchange, &draft, err) && exchange_look(exchange, err);
	if (request->is_generation)
		return generation_build(exchange, &draft, err) && exchange_look(exchange, err);
	return call_build(&exchange->call, exchange->arena, &draft, err) &&
	       exchange_look(exchange, err);
}

/* NULL without memory. */
static struct exchange *exchange_create(struct call_service *service)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (exchange == NULL)
		return NULL;
	exchange->arena = arena_create(service->settings.arena_bytes);
	if (exchange->arena == NULL) {
		exchange_destroy(&exchange);
		return NULL;
	}
	exchange->service = service;
	exchange->deadline_ms = INT64_MAX;
	exchange->release_post.run = on_release;
	exchange->release_post.context = exchange;
	return exchange;
}

static void exchange_insert(struct call_service *service, struct exchange *exchange)
{
	exchange->next = service->exchanges;
	exchange->link = &service->exchanges;
	if (exchange->next != NULL)
		exchange->next->link = &exchange->next;
	service->exchanges = exchange;
	service->figures.in_flight++;
}

/* False: no memory. */
static bool asking_take(struct exchange *exchange, const struct asking *asking)
{
	if (asking == NULL)
		return true;
	exchange->asking = arena_new(exchange->arena, struct asking);
	if (exchange->asking != NULL)
		*exchange->asking = *asking;
	return exchange->asking != NULL;
}

bool exchange_start(struct call_service *service, const struct exchange_offer *offer,
	struct exchange **out, struct error *err)
{
	struct exchange *exchange;

	*out = NULL;
	if (service->figures.in_flight >= service->settings.exchanges_max)
		return error_set(err, ERROR_LIMIT, "%zu calls are in flight already",
			service->figures.in_flight);
	exchange = exchange_create(service);
	if (exchange == NULL || !asking_take(exchange, offer->asking)) {
		exchange_destroy(&exchange);
		return error_set(err, ERROR_LIMIT, "no memory for a call");
	}
	if (!exchange_read(exchange, offer->request, err)) {
		exchange_give_share(exchange);
		exchange_destroy(&exchange);
		return false;
	}
	exchange->client_copy = *offer->client;
	exchange->client = &exchange->client_copy;
	exchange->wants_progress = offer->request->wants_progress;
	exchange->abilities = offer->request->abilities;
	exchange_insert(service, exchange);
	*out = exchange;
	return true;
}

bool call_start(struct call_service *service, const struct call_request *request,
	const struct call_client *client, struct exchange **out, struct error *err)
{
	const struct exchange_offer offer = {.request = request, .client = client};

	if (!exchange_start(service, &offer, out, err))
		return false;
	exchange_event(*out, EVENT_START);
	return true;
}

void call_abort(struct exchange **exchange)
{
	struct exchange *aborted = *exchange;

	*exchange = NULL;
	if (aborted == NULL || aborted->client == NULL)
		return;
	aborted->client = NULL;
	exchange_event(aborted, EVENT_ABORT);
}

/* ---- time and life ---------------------------------------------------------------- */

/* Events may take exchanges out of the list, so each round starts from the one
 * after, found again by what it was. */
static void exchanges_each(struct call_service *service,
	void (*visit)(struct exchange *exchange, int64_t now_ms), int64_t now_ms)
{
	struct exchange *exchange = service->exchanges;

	/* Freed only in a later turn of the loop, so `next` read before the visit
	 * stays memory of ours; one that left the list has no link. */
	while (exchange != NULL) {
		struct exchange *next = exchange->next;

		if (exchange->link != NULL)
			visit(exchange, now_ms);
		exchange = next;
	}
}

static void visit_deadline(struct exchange *exchange, int64_t now_ms)
{
	if (exchange->deadline_ms > now_ms)
		return;
	exchange->deadline_ms = INT64_MAX;
	exchange_event(exchange, EVENT_DEADLINE);
}

static void visit_live(struct exchange *exchange, int64_t now_ms)
{
	(void)now_ms;
	exchange_check_live(exchange);
}

static void stream_close(struct call_service *service, struct call_stream *stream)
{
	call_stream_remove(service, stream);
	stream->on_closed(stream, TEXT("the task is no longer live"));
}

static bool stream_is_live(const struct call_service *service, const struct call_stream *stream)
{
	const struct task *task = task_find(service->ports.tasks, stream->task);
	const struct registry_entry *entry =
		task == NULL
			? NULL
			: registry_find(service->ports.registry, OBJECT_IDENTITY, task->identity);

	return entry != NULL && entry->state == IDENTITY_ACTIVE &&
	       task_is_live(task, fold_stamp_utc_ms(service->ports.fold));
}

/* on_closed may remove any stream, so each one closed starts the walk again. */
static void streams_check(struct call_service *service)
{
	struct call_stream *stream = service->streams;

	while (stream != NULL) {
		if (stream_is_live(service, stream)) {
			stream = stream->next;
			continue;
		}
		stream_close(service, stream);
		stream = service->streams;
	}
}

static void check_live(struct call_service *service)
{
	exchanges_each(service, visit_live, 0);
	streams_check(service);
}

void call_tick(struct call_service *service, int64_t now_ms)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(service->ports.fold);

	exchanges_each(service, visit_deadline, now_ms);
	if (now_ms < service->approve_tick_ms)
		return;
	service->approve_tick_ms = now_ms + APPROVE_TICK_MS;
	check_live(service);
	approve_tick(service->ports.approve, now_utc_ms);
	if (service->ports.detector != NULL)
		detector_tick(service->ports.detector);
}

static void on_timer(struct loop_timer *timer)
{
	struct call_service *service = timer->context;

	call_tick(service, loop_now_ms(service->ports.loop));
	/* Out of memory for the timer: the next turn tries again by itself. */
	if (!loop_timer_start(service->ports.loop, timer, CALL_TICK_MS))
		assert(!"a timer that fired has its place in the heap");
}

bool call_stream_add(struct call_service *service, struct call_stream *stream)
{
	if (!stream_is_live(service, stream))
		return false;
	stream->next = service->streams;
	stream->link = &service->streams;
	if (stream->next != NULL)
		stream->next->link = &stream->next;
	service->streams = stream;
	service->figures.streams++;
	return true;
}

void call_stream_remove(struct call_service *service, struct call_stream *stream)
{
	if (stream->link == NULL)
		return;
	*stream->link = stream->next;
	if (stream->next != NULL)
		stream->next->link = stream->link;
	stream->next = NULL;
	stream->link = NULL;
	service->figures.streams--;
}

/* ---- the fold -------------------------------------------------------------------------- */

/* An allow without an outcome. */
struct in_flight {
	uint64_t index;
	char key[INDEX_TEXT_BYTES];
	struct text identity;
	struct text task;
	struct text tool;
	char texts[];
};

static struct text index_key(uint64_t index, char out[INDEX_TEXT_BYTES])
{
	int length = snprintf(out, INDEX_TEXT_BYTES, "%" PRIu64, index);

	assert(length > 0 && length < INDEX_TEXT_BYTES);
	return (struct text){out, (size_t)length};
}

static struct text place_text(char **end, struct text from)
{
	struct text placed = {*end, from.length};
	size_t i;

	for (i = 0; i < from.length; i++)
		(*end)[i] = from.data[i];
	*end += from.length;
	return placed;
}

static bool is_let_through(const struct json *record)
{
	return text_is(json_text_or(record, "verdict", ""), "allow") &&
	       json_find(record, "arguments") != NULL;
}

static bool fold_decision(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct call_service *service = state;
	struct text identity = json_text_or(record, "identity", "");
	struct text task = json_text_or(record, "task", "");
	struct text tool = json_text_or(record, "tool", "");
	struct in_flight *in_flight;
	struct text key;
	char *end;

	if (!is_let_through(record))
		return true;
	in_flight = calloc(1, sizeof(*in_flight) + identity.length + task.length + tool.length);
	if (in_flight == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a call in flight");
	end = in_flight->texts;
	in_flight->index = index;
	in_flight->identity = place_text(&end, identity);
	in_flight->task = place_text(&end, task);
	in_flight->tool = place_text(&end, tool);
	key = index_key(index, in_flight->key);
	free(name_table_remove(service->in_flight, key));
	if (name_table_put(service->in_flight, key, in_flight))
		return true;
	free(in_flight);
	return error_set(err, ERROR_LIMIT, "no memory for a call in flight");
}

static bool fold_outcome(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct call_service *service = state;
	int64_t decision = json_integer_or(record, "decision", -1);
	char key[INDEX_TEXT_BYTES];

	(void)index;
	if (decision < 0)
		return error_set(err, ERROR_CORRUPT, "an outcome names no decision");
	free(name_table_remove(service->in_flight, index_key((uint64_t)decision, key)));
	return true;
}

static void on_live_post(struct loop_post *post)
{
	struct call_service *service = post->context;

	service->is_live_posted = false;
	check_live(service);
}

/* Something that may end authority: look at all, once every handler has run. */
static bool fold_ending(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct call_service *service = state;

	(void)record;
	(void)index;
	(void)err;
	if (service->is_live_posted || (service->exchanges == NULL && service->streams == NULL))
		return true;
	service->live_post.run = on_live_post;
	service->live_post.context = service;
	service->is_live_posted = true;
	loop_post(service->ports.loop, &service->live_post);
	return true;
}

static void project_decision(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);

	if (is_let_through(record))
		projection_put(projection, "in-flight",
			text_format(arena, "%" PRIu64, projection_index(projection)), record);
}

static void project_outcome(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	int64_t decision = json_integer_or(record, "decision", -1);

	projection_delete(projection, "in-flight", text_format(arena, "%" PRId64, decision));
}

static bool service_register(struct call_service *service, struct error *err)
{
	static const char *const endings[] = {"kill", "task-ended", "state", "registry"};
	const struct fold_handler decision = {
		.type = "decision", .apply = fold_decision, .state = service};
	const struct fold_handler outcome = {
		.type = "outcome", .apply = fold_outcome, .state = service};
	static const struct fold_projector projectors[] = {
		{"decision", project_decision},
		{"outcome", project_outcome},
	};
	struct fold *fold = service->ports.fold;
	size_t i;

	for (i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		struct fold_handler ending = {
			.type = endings[i], .apply = fold_ending, .state = service};

		if (!fold_add(fold, &ending, err))
			return false;
	}
	return fold_add(fold, &decision, err) && fold_add(fold, &outcome, err) &&
	       fold_add_projector(fold, &projectors[0], err) &&
	       fold_add_projector(fold, &projectors[1], err);
}

/* ---- definitions ------------------------------------------------------------------------- */

static void on_looked(void *context, const struct error *err)
{
	struct call_look *look = context;

	look->done(look->context, err);
}

bool call_look_start(struct call_service *service, struct call_look *look, struct error *err)
{
	const struct upstream_ready ready = {.context = look, .run = on_looked};
	struct upstream *upstream = &service->ports.upstream;
	int64_t deadline_ms = loop_now_ms(service->ports.loop) + CALL_PREPARE_MS;
	struct upstream_wait *wait; /* never cancelled: the port frees it after its callback */

	return upstream->prepare(upstream->context, look->server, deadline_ms, &ready, &wait, err);
}

bool call_card(const struct call_service *service, struct text peer, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct upstream *upstream = &service->ports.upstream;

	if (upstream->card == NULL)
		return error_set(err, ERROR_IO, "no peer can be reached");
	return upstream->card(upstream->context, peer, arena, out, err);
}

bool call_pass_card(const struct call_service *service, const struct call_card_scene *scene,
	struct arena *arena, const struct json *card, struct json *out)
{
	const struct secret_scene seen = {
		SECRET_IN_RESULT, scene->identity, scene->task, scene->peer};
	struct detector *detector = service->ports.detector;
	struct secret_tally tally = {0};
	enum secret_handling handling;

	*out = *card;
	if (detector == NULL)
		return true;
	handling = detector_pass(detector, arena, card, &tally, out);
	if (tally.count != 0)
		detector_report(detector, &tally, &seen);
	return handling != SECRETS_BLOCKED;
}

/* ---- start and end ----------------------------------------------------------------------------
 */

static bool unknown_send(
	struct call_service *service, const struct in_flight *in_flight, struct error *err)
{
	struct fold_record *record;
	struct json_builder *object;

	if (!fold_record_create(&record, service->ports.fold, OUTCOME_ARENA_BYTES, err))
		return false;
	record->change.append.urgency = RECORD_RESERVED;
	fold_record_start(record, "outcome", TEXT("remit"));
	object = &record->object;
	json_put_text(object, "task", in_flight->task);
	json_put_text(object, "identity", in_flight->identity);
	json_put_text(object, "tool", in_flight->tool);
	json_put_integer(object, "decision", (int64_t)in_flight->index);
	json_put_cstring(object, "status", "unknown");
	return fold_record_send(&record, err);
}

bool call_recover(struct call_service *service, size_t *out_count, struct error *err)
{
	const struct in_flight *in_flight = name_table_next(service->in_flight, TEXT(""));

	*out_count = 0;
	for (; in_flight != NULL;
		in_flight = name_table_next(service->in_flight, text_of(in_flight->key))) {
		if (!unknown_send(service, in_flight, err))
			return false;
		(*out_count)++;
	}
	service->timer.on_due = on_timer;
	service->timer.context = service;
	if (!loop_timer_start(service->ports.loop, &service->timer, CALL_TICK_MS))
		return error_set(err, ERROR_LIMIT, "no memory for a timer");
	return true;
}

bool call_service_create(struct call_service **out, const struct call_ports *ports,
	const struct call_settings *settings, struct error *err)
{
	struct call_service *service = calloc(1, sizeof(*service));
	bool ok = false;

	*out = NULL;
	if (service == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for calls");
		goto done;
	}
	service->ports = *ports;
	service->settings = *settings;
	service->in_flight = name_table_create();
	service->asked = name_table_create();
	if (service->in_flight == NULL || service->asked == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for calls");
		goto done;
	}
	if (!share_table_create(&service->tasks, settings->exchanges_max, err) ||
		!share_table_create(&service->identities, settings->exchanges_max, err) ||
		!peer_tasks_create(
			&service->peer_tasks, PEER_TASKS_MAX, PEER_TASKS_OF_IDENTITY_MAX, err))
		goto done;
	if (!service_register(service, err))
		goto done;
	*out = service;
	service = NULL;
	ok = true;
done:
	call_service_destroy(&service);
	return ok;
}

void call_service_change(struct call_service *service, const struct call_settings *settings)
{
	service->settings.hold_ms = settings->hold_ms;
	service->settings.upstream_ms = settings->upstream_ms;
	service->settings.tool_calls = settings->tool_calls;
}

void call_service_destroy(struct call_service **service)
{
	struct exchange *exchange;

	if (*service == NULL)
		return;
	loop_timer_stop((*service)->ports.loop, &(*service)->timer);
	exchange = (*service)->exchanges;
	while (exchange != NULL) {
		struct upstream *upstream = &(*service)->ports.upstream;
		struct exchange *next = exchange->next;

		upstream->cancel(upstream->context, &exchange->wait);
		approve_watch_remove((*service)->ports.approve, &exchange->watch);
		exchange_destroy(&exchange);
		exchange = next;
	}
	while ((*service)->ended != NULL) {
		exchange = (*service)->ended;
		(*service)->ended = exchange->next_ended;
		exchange_destroy(&exchange);
	}
	name_table_destroy(&(*service)->in_flight, free);
	name_table_destroy(&(*service)->asked, free);
	share_table_destroy(&(*service)->tasks);
	share_table_destroy(&(*service)->identities);
	peer_tasks_destroy(&(*service)->peer_tasks);
	free(*service);
	*service = NULL;
}

struct call_figures call_figures(const struct call_service *service)
{
	struct call_figures figures = service->figures;
	struct detector_figures secrets = {0};

	if (service->ports.detector != NULL)
		secrets = detector_figures(service->ports.detector);
	figures.secrets_own = secrets.own;
	figures.secrets_foreign = secrets.foreign;
	figures.secrets_logged = secrets.logged;
	return figures;
}

static void on_definitions(void *context, struct text server, const struct json *tools)
{
	struct call_service *service = context;

	decide_definitions_seen(service->ports.decide, server, tools);
}

static void on_gone(void *context, struct text server)
{
	struct call_service *service = context;

	decide_definitions_seen(service->ports.decide, server, NULL);
}

static bool on_request(
	void *context, const struct upstream_ask *asked, enum upstream_objection *objection)
{
	struct call_service *service = context;
	struct server_request refused = {.server = asked->server,
		.method = asked->method,
		.exchange = asked->request == NULL ? NULL : asked->request->context};

	service->figures.server_requests++;
	if (asking_start(service, asked, &refused.cause))
		return true;
	*objection = asking_objection(asked, refused.cause);
	server_request_refuse(service, &refused);
	return false;
}

static void on_withdrawn(void *context, uint64_t number)
{
	struct call_service *service = context;
	struct exchange *exchange = service->exchanges;

	while (exchange != NULL &&
		(exchange->asking == NULL || exchange->asking->edge_number != number))
		exchange = exchange->next;
	if (exchange != NULL)
		call_abort(&exchange);
}

struct upstream_listener call_upstream_listener(struct call_service *service)
{
	return (struct upstream_listener){.context = service,
		.on_definitions = on_definitions,
		.on_request = on_request,
		.on_withdrawn = on_withdrawn,
		.on_gone = on_gone};
}

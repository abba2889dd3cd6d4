/* Which connectors there are, and when each is due.
 *
 * C1  One whose document is not in force any more, or not as it was, is asked no further; what it
 *     has handed to the inventory ends by itself, and then it is forgotten.
 * C2  At most CONNECTOR_REFRESHES_MAX are under way; others wait their turn. */
#include "services/connector/connector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "services/connector/connector_private.h"

static const char *const state_words[] = {
#define X(name, word, meaning) [name] = (word),
	CONNECTOR_STATES(X)
#undef X
};
static const char *const state_meanings[] = {
#define X(name, word, meaning) [name] = (meaning),
	CONNECTOR_STATES(X)
#undef X
};
static const char *const outcome_words[] = {
#define X(name, word, meaning) [name] = (word),
	CONNECTOR_OUTCOMES(X)
#undef X
};

const char *connector_state_word(enum connector_state value)
{
	return value < CONNECTOR_STATE_COUNT ? state_words[value] : NULL;
}

const char *connector_outcome_word(enum connector_outcome value)
{
	return value < CONNECTOR_OUTCOME_COUNT ? outcome_words[value] : NULL;
}

int64_t connector_now_utc_ms(const struct connector_service *service)
{
	return fold_stamp_utc_ms(service->parts.fold);
}

const struct connector *refresh_connector(const struct refresh *refresh)
{
	return refresh->object->connector;
}

/* ---- when ---- */

static int64_t every_ms(const struct refresh *refresh)
{
	return refresh_connector(refresh)->every_s * 1000;
}

/* Many connectors of one provider should not all come at once. */
static int64_t jitter_ms(int64_t span_ms)
{
	uint64_t random;

	random_bytes(&random, sizeof random);
	return span_ms < CONNECTOR_JITTER_PART
		       ? 0
		       : (int64_t)(random % (uint64_t)(span_ms / CONNECTOR_JITTER_PART));
}

static int64_t last_utc_ms(const struct refresh *refresh)
{
	struct inventory_status status;

	if (!inventory_find(
		    refresh->service->parts.inventory, refresh_connector(refresh)->name, &status))
		return 0;
	return status.taken_utc_s * 1000;
}

static int64_t wait_ms(const struct refresh *refresh)
{
	int64_t last = last_utc_ms(refresh), again_ms = CONNECTOR_AGAIN_MS;
	int64_t left = every_ms(refresh) - (connector_now_utc_ms(refresh->service) - last);

	if (refresh->outcome == CONNECTOR_STOPPED)
		return every_ms(refresh);
	if (refresh->failures > 0) {
		for (uint32_t i = 1; i < refresh->failures && again_ms < every_ms(refresh); i++)
			again_ms *= 2;
		return again_ms < every_ms(refresh) ? again_ms : every_ms(refresh);
	}
	if (last == 0 || left < 0)
		return 0;
	return left < every_ms(refresh) ? left : every_ms(refresh);
}

void refreshing_rest(struct refresh *refresh)
{
	int64_t rest_ms;

	if (refresh->is_gone) {
		refreshing_forget(refresh);
		return;
	}
	rest_ms = wait_ms(refresh);
	rest_ms += jitter_ms(rest_ms);
	refresh->next_utc_ms = connector_now_utc_ms(refresh->service) + rest_ms;
	if (!loop_timer_start(refresh->service->parts.loop, &refresh->timer, rest_ms))
		log_error("connector_stopped",
			LOG_TEXT("connector", refresh_connector(refresh)->name),
			LOG_STRING("why", "no memory for a timer"));
}

static void on_due(struct loop_timer *timer)
{
	struct refresh *refresh = timer->context;
	struct connector_service *service = refresh->service;

	if (refresh->state == CONNECTOR_RESTING && service->running >= CONNECTOR_REFRESHES_MAX) {
		if (!loop_timer_start(service->parts.loop, timer, CONNECTOR_LOOK_MS))
			log_error("connector_stopped",
				LOG_TEXT("connector", refresh_connector(refresh)->name),
				LOG_STRING("why", "no memory for a timer"));
		return;
	}
	if (refresh->state == CONNECTOR_RESTING && !refresh->is_wanted)
		(void)snprintf(refresh->actor, sizeof refresh->actor, "remit");
	refreshing_go_on(refresh);
}

/* ---- silence ---- */

/* Counted from its last inventory, or from when it is known here. */
static bool is_silent(const struct refresh *refresh)
{
	int64_t last = last_utc_ms(refresh);

	if (last < refresh->seen_utc_ms && last == 0)
		last = refresh->seen_utc_ms;
	return connector_now_utc_ms(refresh->service) - last >
	       every_ms(refresh) * CONNECTOR_SILENT_INTERVALS;
}

static void look_for_silence(struct refresh *refresh)
{
	char what[FINDING_WHAT_BYTES_MAX];

	if (!is_silent(refresh)) {
		refresh->is_silent_told = false;
		return;
	}
	if (refresh->is_silent_told)
		return;
	refresh->is_silent_told = true;
	(void)snprintf(what, sizeof what,
		"connector %.*s has brought no inventory for %d of its intervals%s%.300s",
		TEXT_ARGS(refresh_connector(refresh)->name), CONNECTOR_SILENT_INTERVALS,
		refresh->why[0] == '\0' ? "" : ": ", refresh->why);
	connector_report(refresh, FINDING_CONNECTOR_SILENT, what);
}

/* ---- which ---- */

void refreshing_forget(struct refresh *refresh)
{
	struct connector_service *service = refresh->service;
	struct refresh **link = &service->list;

	while (*link != NULL && *link != refresh)
		link = &(*link)->next;
	if (*link != NULL)
		*link = refresh->next;
	service->count--;
	loop_timer_stop(service->parts.loop, &refresh->timer);
	object_release(&refresh->object);
	free(refresh);
}

bool connector_is_in_force(const struct connector_service *service, const struct object *object)
{
	const struct registry_entry *entry =
		registry_find(service->parts.registry, OBJECT_CONNECTOR, object->name);

	return entry != NULL && entry->in_force == object;
}

bool connector_is_told(const struct connector_service *service, struct text name)
{
	struct inventory_status status;

	return !inventory_find(service->parts.inventory, name, &status) || status.is_told ||
	       status.why != NULL;
}

static void drop_old(struct connector_service *service)
{
	struct refresh *next;

	for (struct refresh *refresh = service->list; refresh != NULL; refresh = next) {
		next = refresh->next;
		if (connector_is_in_force(service, refresh->object))
			continue;
		refresh->is_gone = true; /* C1 */
		if (refreshing_drop(refresh))
			refreshing_forget(refresh);
	}
}

struct refresh *refresh_named(const struct connector_service *service, struct text name)
{
	struct refresh *refresh = service->list;

	while (refresh != NULL && (refresh->is_gone || !text_equal(refresh->object->name, name)))
		refresh = refresh->next;
	return refresh;
}

static void insert(struct connector_service *service, struct refresh *refresh)
{
	struct refresh **link = &service->list;

	while (*link != NULL && text_compare((*link)->object->name, refresh->object->name) < 0)
		link = &(*link)->next;
	refresh->next = *link;
	*link = refresh;
	service->count++;
}

static bool add_new(void *context, const struct registry_entry *entry)
{
	struct connector_service *service = context;
	struct refresh *refresh;

	if (entry->in_force == NULL || refresh_named(service, entry->name) != NULL)
		return true;
	if (service->count == CONNECTORS_MAX) {
		log_warn("connectors_many", LOG_TEXT("without", entry->name));
		return false;
	}
	refresh = calloc(1, sizeof *refresh);
	if (refresh == NULL)
		return false;
	refresh->service = service;
	refresh->object = object_acquire(entry->in_force);
	refresh->timer = (struct loop_timer){.on_due = on_due, .context = refresh};
	refresh->seen_utc_ms = connector_now_utc_ms(service);
	insert(service, refresh);
	refreshing_rest(refresh);
	return true;
}

void connector_sync(struct connector_service *service)
{
	uint64_t generation = registry_generation(service->parts.registry);

	if (service->is_synced && generation == service->generation)
		return;
	service->is_synced = true;
	service->generation = generation;
	drop_old(service);
	registry_each(service->parts.registry, OBJECT_CONNECTOR, TEXT(""), add_new, service);
}

static void on_look(struct loop_timer *timer)
{
	struct connector_service *service = timer->context;

	connector_sync(service);
	if (!service->is_resumed)
		service->is_resumed = stoppings_resume(service);
	for (struct refresh *each = service->list; each != NULL; each = each->next)
		if (!each->is_gone)
			look_for_silence(each);
	if (!loop_timer_start(service->parts.loop, timer, CONNECTOR_LOOK_MS))
		log_error("connectors_stopped", LOG_STRING("why", "no memory for a timer"));
}

bool connector_service_create(
	struct connector_service **out, const struct connector_parts *parts, struct error *err)
{
	struct connector_service *service = calloc(1, sizeof *service);
	const struct inventory_stopper stopper = {service, stoppings_have};

	*out = service;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for connectors");
	service->parts = *parts;
	inventory_use_stopper(parts->inventory, &stopper);
	service->look = (struct loop_timer){.on_due = on_look, .context = service};
	return true;
}

bool connector_service_start(struct connector_service *service, struct error *err)
{
	return loop_timer_start(service->parts.loop, &service->look, 0) ||
	       error_set(err, ERROR_LIMIT, "no memory for a timer");
}

void connector_service_destroy(struct connector_service **service)
{
	static const struct inventory_stopper nobody = {0};

	if (*service == NULL)
		return;
	inventory_use_stopper((*service)->parts.inventory, &nobody);
	loop_timer_stop((*service)->parts.loop, &(*service)->look);
	stoppings_destroy(*service);
	while ((*service)->list != NULL) {
		struct refresh *refresh = (*service)->list;

		refresh->is_changing = false; /* the inventory has gone before, or goes next */
		(void)refreshing_drop(refresh);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		refreshing_forget(refresh);
	}
	free(*service);
	*service = NULL;
}

/* ---- by hand ---- */

bool connector_refresh(struct connector_service *service,
	const struct connector_refresh_asked *asked, struct error *err)
{
	struct refresh *refresh;

	connector_sync(service); /* what was approved a moment ago counts */
	refresh = refresh_named(service, asked->connector);
	if (refresh == NULL)
		return error_set(err, ERROR_NOT_FOUND,
			"no connector of this name is in force: `remit connector list` has them");
	if (refresh->state != CONNECTOR_RESTING || refresh->is_wanted)
		return error_set(err, ERROR_CONFLICT, "a refresh of it is under way");
	loop_timer_stop(service->parts.loop, &refresh->timer);
	if (!loop_timer_start(service->parts.loop, &refresh->timer, 0))
		return error_set(err, ERROR_LIMIT, "no memory for a timer");
	refresh->is_wanted = true;
	refresh->takes_smaller = asked->takes_smaller;
	(void)snprintf(refresh->actor, sizeof refresh->actor, "%.*s", TEXT_ARGS(asked->actor));
	return true;
}

/* ---- showing ---- */

static void put_may(struct json_builder *object, const struct connector *connector)
{
	json_put_cstring(object, "may",
		connector_may(connector, CONNECTOR_MAY_CONTAIN) ? "read and contain" : "read");
}

static enum connector_state state_of(const struct refresh *refresh)
{
	return refresh->state == CONNECTOR_ASKING && refresh->asking.is_waiting ? CONNECTOR_WAITING
										: refresh->state;
}

static void put_last(struct json_builder *object, const struct refresh *refresh)
{
	json_put_integer(object, "failures", refresh->failures);
	if (refresh->outcome == CONNECTOR_NEVER)
		return;
	json_put_cstring(object, "outcome", connector_outcome_word(refresh->outcome));
	json_put_time_unless_zero(object, "ended", refresh->ended_utc_ms);
	if (refresh->why[0] != '\0')
		json_put_cstring(object, "why", refresh->why);
	if (refresh->outcome != CONNECTOR_DONE)
		return;
	json_put_integer(object, "items", (int64_t)refresh->items);
	json_put_integer(object, "unknown_scopes", refresh->unknown_scopes);
	json_put_integer(object, "unnamed", refresh->unnamed);
}

static bool refresh_json(
	const struct refresh *refresh, struct arena *arena, struct json *out, struct error *err)
{
	const struct connector *connector = refresh_connector(refresh);
	enum connector_state state = state_of(refresh);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "connector", connector->name);
	json_put_cstring(&object, "provider", inventory_provider_word(connector->provider));
	put_may(&object, connector);
	json_put_boolean(&object, "wanted", refresh->is_wanted);
	json_put_cstring(&object, "state", connector_state_word(state));
	json_put_cstring(&object, "meaning", state_meanings[state]);
	if (refresh->walk != NULL && inventory_walk_list(refresh->walk) != NULL)
		json_put_cstring(&object, "list", inventory_walk_list(refresh->walk));
	json_put_integer(&object, "pages", (int64_t)refresh->pages_seen);
	json_put_integer(&object, "bytes", (int64_t)refresh->bytes);
	json_put_time_unless_zero(&object, "started", refresh->started_utc_ms);
	put_last(&object, refresh);
	if (state == CONNECTOR_RESTING)
		json_put_time_unless_zero(&object, "next", refresh->next_utc_ms);
	json_put_boolean(&object, "silent", is_silent(refresh));
	return json_object_seal(&object, out, err);
}

bool connector_json(const struct connector_service *service, struct text name, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct refresh *refresh = refresh_named(service, name);

	if (refresh == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no connector of this name is in force");
	return refresh_json(refresh, arena, out, err);
}

bool connector_list_json(const struct connector_service *service, struct arena *arena,
	struct json *out, struct error *err)
{
	struct json_builder list;
	struct json item;

	json_array_start(&list, arena);
	for (const struct refresh *each = service->list; each != NULL; each = each->next) {
		if (each->is_gone)
			continue;
		if (!refresh_json(each, arena, &item, err))
			return false;
		json_add(&list, item);
	}
	return json_array_seal(&list, out, err);
}

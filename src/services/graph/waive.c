/* Waivers of excess: one record each, `excess-waived`, of a person who may consent to the use of
 * the data.  Rows of the store: excess-waiver / IDENTITY RESOURCE the last one. */
#include "services/graph/graph_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { WAIVE_ARENA_BYTES = 64 * 1024, KEY_BYTES = 64 + 1 + ACCOUNT_BYTES_MAX + 1 };

static struct text waiver_key(char buffer[KEY_BYTES], struct text identity, struct text resource)
{
	int length =
		snprintf(buffer, KEY_BYTES, "%.*s %.*s", TEXT_ARGS(identity), TEXT_ARGS(resource));

	return (struct text){buffer, length < 0 || length >= KEY_BYTES ? 0 : (size_t)length};
}

const struct excess_waiver *graph_find_waiver(const struct graph_service *service,
	struct text identity, struct text resource, int64_t now_utc_s)
{
	char buffer[KEY_BYTES];
	struct text key = waiver_key(buffer, identity, resource);
	const struct excess_waiver *waiver =
		key.length == 0 ? NULL : name_table_find(service->waivers, key);

	return waiver != NULL && waiver->until_utc_s > now_utc_s ? waiver : NULL;
}

/* ---- who may ---- */

/* The data sources that the resource is, and whether the person answers for each. */
struct answering {
	const struct graph_service *service;
	struct text actor;
	struct text author; /* of the charter that waits, else of that in force */
	size_t sources;
	struct error *err;
	bool may;
};

static bool ask_source(void *context, const struct graph_edge *edge)
{
	struct answering *answering = context;
	const struct registry *registry = answering->service->parts.registry;
	const struct registry_entry *entry;
	struct people_resource resource;
	struct graph_node source;

	if (!graph_node(answering->service->graph, edge->to, &source))
		return true;
	entry = registry_find(registry, OBJECT_DATA_SOURCE, source.name);
	if (entry == NULL || entry->in_force == NULL)
		return true;
	answering->sources++;
	resource = registry_resource_of(registry, entry->in_force);
	resource.proposer = answering->author;
	answering->may = registry_may_about(
		registry, answering->actor, PEOPLE_CONSENT, &resource, answering->err);
	return answering->may;
}

/* Ending a waiver only takes away: whoever wrote the charter may do that, too. */
static struct text author_of(const struct registry_entry *identity, const struct graph_waive *waive)
{
	if (waive->until_utc_s == 0)
		return TEXT("");
	return identity->waiting_version != 0 ? identity->more->proposed_by : identity->authored_by;
}

static bool check_person(
	const struct graph_service *service, const struct graph_waive *waive, struct error *err)
{
	const struct registry_entry *identity =
		registry_find(service->parts.registry, OBJECT_IDENTITY, waive->identity);
	struct answering answering = {.service = service,
		.actor = waive->actor,
		.author = author_of(identity, waive),
		.err = err,
		.may = true};
	struct graph_node resource;

	if (!graph_find(service->graph, GRAPH_NODE_RESOURCE, waive->resource, &resource))
		return error_set(err, ERROR_NOT_FOUND, "no connector saw the resource");
	graph_each_out(service->graph, resource.id, GRAPH_EDGE_AT, ask_source, &answering);
	if (!answering.may)
		return false;
	return answering.sources > 0 ||
	       error_set(err, ERROR_CONFLICT,
		       "no data source is `at` it, so nobody answers for it: register one first");
}

static bool check_waive(
	const struct graph_service *service, const struct graph_waive *waive, struct error *err)
{
	int64_t now_utc_s = fold_stamp_utc_ms(service->parts.fold) / 1000;

	if (registry_find(service->parts.registry, OBJECT_IDENTITY, waive->identity) == NULL)
		return error_set(err, ERROR_NOT_FOUND, "there is no such identity");
	if (waive->reason.length == 0 || waive->reason.length > GRAPH_REASON_BYTES_MAX)
		return error_set(
			err, ERROR_INVALID, "reason: 1 to %d bytes", GRAPH_REASON_BYTES_MAX);
	if (waive->until_utc_s != 0 && waive->until_utc_s <= now_utc_s)
		return error_set(err, ERROR_INVALID, "until: it has passed");
	if (waive->until_utc_s > now_utc_s + (int64_t)GRAPH_WAIVER_DAYS_MAX * 86400)
		return error_set(err, ERROR_INVALID, "until: at most %d days from now",
			GRAPH_WAIVER_DAYS_MAX);
	if (waive->until_utc_s != 0 && name_table_count(service->waivers) >= GRAPH_WAIVERS_MAX)
		return error_set(err, ERROR_LIMIT, "there are %d waivers", GRAPH_WAIVERS_MAX);
	return check_person(service, waive, err);
}

/* What is too much there now; of nothing there is no waiver for a later time. */
static bool find_effects(struct graph_service *service, const struct graph_waive *waive,
	uint32_t *out, struct error *err)
{
	*out = waive->until_utc_s == 0
		       ? 0
		       : graph_excess_effects(service,
				 registry_find(
					 service->parts.registry, OBJECT_IDENTITY, waive->identity),
				 waive->resource, fold_stamp_utc_ms(service->parts.fold) / 1000);
	return *out != 0 || waive->until_utc_s == 0 ||
	       error_set(err, ERROR_CONFLICT,
		       "nothing is too much there, so there is nothing to waive: remit excess "
		       "%.*s",
		       TEXT_ARGS(waive->identity));
}

/* ---- the record ---- */

struct waiving {
	struct fold_change change;
	struct arena *arena;
	struct graph_waive waive;
};

static void on_written(struct fold_change *change)
{
	struct waiving *waiving = change->context;

	waiving->waive.done(
		waiving->waive.context, change->index, change->is_durable ? NULL : &change->err);
	arena_destroy(&waiving->arena);
	free(waiving);
}

static bool write_record(
	struct graph_service *service, struct waiving *waiving, uint32_t effects, struct error *err)
{
	const struct graph_waive *waive = &waiving->waive;
	struct json_builder record;
	struct json sealed;

	json_object_start(&record, waiving->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(service->parts.fold));
	json_put_cstring(&record, "type", "excess-waived");
	json_put_text(&record, "actor", waive->actor);
	json_put_text(&record, "identity", waive->identity);
	json_put_text(&record, "resource", waive->resource);
	json_put_text(&record, "reason", waive->reason);
	json_put_integer(&record, "until", waive->until_utc_s);
	graph_put_effects(&record, "effects", effects);
	if (!json_object_seal(&record, &sealed, err))
		return false;
	waiving->change.entry = json_canonical_text(waiving->arena, &sealed);
	return waiving->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for a waiver");
}

bool graph_waive(struct graph_service *service, const struct graph_waive *waive, struct error *err)
{
	struct waiving *waiving;
	uint32_t effects;

	if (!check_waive(service, waive, err) || !find_effects(service, waive, &effects, err))
		return false;
	waiving = calloc(1, sizeof *waiving);
	if (waiving == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	waiving->waive = *waive;
	waiving->arena = arena_create(WAIVE_ARENA_BYTES);
	waiving->change.context = waiving;
	waiving->change.done = on_written;
	if (waiving->arena == NULL) {
		(void)error_set(err, ERROR_LIMIT, "no memory for a waiver");
	} else if (write_record(service, waiving, effects, err) &&
		   fold_submit(service->parts.fold, &waiving->change, err)) {
		return true;
	}
	arena_destroy(&waiving->arena);
	free(waiving);
	return false;
}

static uint32_t effects_of(const struct json *words)
{
	uint32_t effects = 0;

	for (uint32_t i = 0; words != NULL && words->type == JSON_ARRAY && i < words->count; i++)
		if (words->items[i].type == JSON_STRING)
			effects |= UINT32_C(1) << effect_of(words->items[i].string);
	return effects & ~(UINT32_C(1) << EFFECT_NONE);
}

static bool fold_waived(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct graph_service *service = state;
	char buffer[KEY_BYTES];
	struct text key = waiver_key(
		buffer, json_text_or(record, "identity", ""), json_text_or(record, "resource", ""));
	int64_t until_utc_s = json_integer_or(record, "until", 0);
	struct excess_waiver *waiver;

	(void)index;
	if (key.length == 0)
		return true;
	free(name_table_remove(service->waivers, key));
	if (until_utc_s == 0)
		return true;
	waiver = calloc(1, sizeof *waiver);
	if (waiver == NULL || !name_table_put(service->waivers, key, waiver)) {
		free(waiver);
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	}
	waiver->until_utc_s = until_utc_s;
	waiver->effects = effects_of(json_find(record, "effects"));
	(void)snprintf(waiver->by, sizeof waiver->by, "%.*s",
		TEXT_ARGS(json_text_or(record, "actor", "")));
	(void)snprintf(waiver->reason, sizeof waiver->reason, "%.*s",
		TEXT_ARGS(json_text_or(record, "reason", "")));
	return true;
}

static void project_waived(const struct json *record, struct projection *projection)
{
	struct text key = text_format(projection_arena(projection), "%.*s %.*s",
		TEXT_ARGS(json_text_or(record, "identity", "")),
		TEXT_ARGS(json_text_or(record, "resource", "")));

	if (json_integer_or(record, "until", 0) == 0)
		projection_delete(projection, "excess-waiver", key);
	else
		projection_put(projection, "excess-waiver", key, record);
}

bool graph_register_waivers(struct graph_service *service, struct error *err)
{
	const struct fold_handler handler = {
		.type = "excess-waived", .apply = fold_waived, .state = service};
	static const struct fold_projector projector = {"excess-waived", project_waived};

	return fold_add(service->parts.fold, &handler, err) &&
	       fold_add_projector(service->parts.fold, &projector, err);
}

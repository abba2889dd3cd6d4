/* Which lines touch whom is asked of what is registered now; a line is kept as its document
 * has it, so two halves with the same digest say the same to whoever reads them.
 *
 * Invariant: charter_crossed_units names a unit exactly if its half has a line. */
#include "domain/charter/crossing.h"

#include "base/buffer.h"
#include "domain/charter/peer.h"
#include "domain/charter/registry.h"

/* The lists of a charter whose lines may touch somebody. */
enum line_list {
	LINES_ENTITLEMENTS = 0,
	LINES_DATA_SOURCES,
	LINES_MODELS,
	LINES_PEERS,
	LINES_COUNT
};

static const char *const list_members[] = {
	[LINES_ENTITLEMENTS] = "entitlements",
	[LINES_DATA_SOURCES] = "data-sources",
	[LINES_MODELS] = "model",
	[LINES_PEERS] = "peers",
};

struct crossing {
	const struct charter *charter;
	const struct reference_world *world;
	struct arena *arena;
	struct text units; /* found so far */
	uint32_t count;
	bool has_failed;
	const struct charter_peer *peer; /* whose reach is looked at */
};

static void add_any(struct crossing *crossing, struct text unit)
{
	const struct consent_given given = {.unit = unit};

	if (crossing->has_failed || unit.length == 0 || text_equal(unit, crossing->charter->unit) ||
		consents_has(crossing->units, unit))
		return;
	crossing->units = consents_with(crossing->arena, crossing->units, &given);
	crossing->count++;
	crossing->has_failed |= crossing->units.data == NULL || crossing->count > CONSENT_UNITS_MAX;
}

/* Of a line that is no reach. */
static void add_unit(struct crossing *crossing, struct text unit)
{
	if (!text_is(unit, REGISTRY_ORGANISATION))
		add_any(crossing, unit);
}

static const struct object *find(
	const struct crossing *crossing, enum object_kind kind, struct text name)
{
	return crossing->world->find(crossing->world->context, kind, name);
}

/* ---- what one line touches ---- */

typedef void add_function(struct crossing *crossing, struct text unit);

static void touch_server(struct crossing *crossing, struct text resource, add_function *add)
{
	const struct object *server = find(crossing, OBJECT_SERVER, text_before(resource, '/'));

	if (server != NULL)
		add(crossing, server->server->unit);
}

static void touch_reads(struct crossing *crossing, const struct object *tool, add_function *add)
{
	for (uint32_t i = 0; tool != NULL && i < tool->tool->reads_count; i++) {
		const struct object *source =
			find(crossing, OBJECT_DATA_SOURCE, tool->tool->reads[i].data_source);

		if (source != NULL)
			add(crossing, source->data_source->unit);
	}
}

static void touch_source(struct crossing *crossing, struct text name)
{
	const struct object *source = find(crossing, OBJECT_DATA_SOURCE, name);

	if (source != NULL)
		add_unit(crossing, source->data_source->unit);
}

static void touch_identity(struct crossing *crossing, struct text name)
{
	const struct object *identity = find(crossing, OBJECT_IDENTITY, name);

	if (identity != NULL)
		add_unit(crossing, charter_of(identity)->unit);
}

static void touch_entitlement(struct crossing *crossing, const struct entitlement *line)
{
	switch (line->resource_kind) {
	case RESOURCE_TOOL:
		touch_server(crossing, line->resource, add_unit);
		touch_reads(crossing, find(crossing, OBJECT_TOOL, line->resource), add_unit);
		return;
	case RESOURCE_DATA_SOURCE: touch_source(crossing, line->resource); return;
	case RESOURCE_MODEL: touch_server(crossing, line->resource, add_unit); return;
	case RESOURCE_PEER: /* the peer, and the server where it lives */
		touch_identity(crossing, line->resource);
		touch_server(crossing, line->resource, add_unit);
		return;
	case RESOURCE_NONE: break;
	}
}

static bool touch_if_reached(void *context, struct text name)
{
	struct crossing *crossing = context;

	if (peer_reaches(crossing->peer, name))
		touch_reads(crossing, find(crossing, OBJECT_TOOL, name), add_any);
	return !crossing->has_failed;
}

/* The peer itself, and what it may use for this identity beyond its own. */
static void touch_peer(struct crossing *crossing, const struct charter_peer *peer)
{
	touch_identity(crossing, peer->identity);
	for (uint32_t i = 0; i < peer->tools_count; i++)
		touch_server(crossing, peer->tools[i], add_any);
	crossing->peer = peer;
	if (peer_has_reach(peer) && crossing->world->each_name != NULL)
		crossing->world->each_name(
			crossing->world->context, OBJECT_TOOL, touch_if_reached, crossing);
}

static uint32_t lines_count(const struct charter *charter, enum line_list list)
{
	switch (list) {
	case LINES_ENTITLEMENTS: return charter->entitlements_count;
	case LINES_DATA_SOURCES: return charter->data_sources_count;
	case LINES_MODELS: return charter->models_count;
	case LINES_PEERS: return charter->peers_count;
	case LINES_COUNT: break;
	}
	return 0;
}

static void touch_line(struct crossing *crossing, enum line_list list, uint32_t at)
{
	const struct charter *charter = crossing->charter;

	switch (list) {
	case LINES_ENTITLEMENTS: touch_entitlement(crossing, &charter->entitlements[at]); return;
	case LINES_DATA_SOURCES: touch_source(crossing, charter->data_sources[at].name); return;
	case LINES_MODELS: touch_server(crossing, charter->models[at].provider, add_unit); return;
	case LINES_PEERS: touch_peer(crossing, &charter->peers[at]); return;
	case LINES_COUNT: return;
	}
}

/* ---- units ---- */

bool charter_crossed_units(struct text *out, struct arena *arena, const struct charter *charter,
	const struct reference_world *world, struct error *err)
{
	struct crossing crossing = {
		.charter = charter, .world = world, .arena = arena, .units = TEXT("")};

	if (charter == &charter_lost)
		return error_set(err, ERROR_LIMIT, "no memory for a charter");
	for (unsigned list = 0; list < LINES_COUNT; list++)
		for (uint32_t i = 0; i < lines_count(charter, (enum line_list)list); i++)
			touch_line(&crossing, (enum line_list)list, i);
	*out = crossing.units;
	return !crossing.has_failed ||
	       error_set(err, ERROR_LIMIT, "its lines touch more than %d other units",
		       CONSENT_UNITS_MAX);
}

/* ---- halves ---- */

static bool touches(
	const struct crossing *asked, enum line_list list, uint32_t at, struct text unit)
{
	struct crossing one = *asked;

	one.units = TEXT("");
	one.count = 0;
	touch_line(&one, list, at);
	return consents_has(one.units, unit);
}

/* Those of one list that touch the unit, if any do. */
static bool put_lines(struct json_builder *lines, const struct crossing *crossing,
	const struct json *document, struct text unit, enum line_list list, struct error *err)
{
	const struct json *written = json_find(document, list_members[list]);
	struct json_builder array;
	struct json made;
	uint32_t count = written == NULL ? 0 : written->count, put = 0;

	json_array_start(&array, crossing->arena);
	for (uint32_t i = 0; i < count && i < lines_count(crossing->charter, list); i++) {
		if (!touches(crossing, list, i, unit))
			continue;
		json_add(&array, written->items[i]);
		put++;
	}
	if (!json_array_seal(&array, &made, err))
		return false;
	if (put > 0)
		json_put(lines, list_members[list], made);
	return true;
}

/* What the lines are for: a change of these is another question to the unit. */
static void put_head(struct json_builder *half, const struct json *document)
{
	static const char *const members[] = {
		"unit", "purpose", "kind", "class", "risk", "environments"};

	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		const struct json *value = json_find(document, members[i]);

		if (value != NULL)
			json_put(half, members[i], *value);
	}
}

bool charter_half(struct json *out, struct arena *arena, const struct object *identity,
	struct text unit, const struct reference_world *world, struct error *err)
{
	const struct json *document;
	const struct crossing crossing = {
		.charter = charter_of(identity), .world = world, .arena = arena};
	struct json_builder half, lines;
	struct json whole, made;

	if (!object_document(identity, arena, &whole, err))
		return false;
	document = object_charter_document(identity, &whole);
	json_object_start(&half, arena);
	json_object_start(&lines, arena);
	json_put_text(&half, "identity", identity->name);
	put_head(&half, document);
	for (unsigned list = 0; list < LINES_COUNT; list++)
		if (!put_lines(&lines, &crossing, document, unit, (enum line_list)list, err))
			return false;
	if (!json_object_seal(&lines, &made, err))
		return false;
	json_put(&half, "lines", made);
	return json_object_seal(&half, out, err);
}

static uint32_t count_item(const struct json *list, const struct json *item)
{
	uint32_t count = 0;

	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		count += json_equal(&list->items[i], item);
	return count;
}

static bool lines_are_within(const struct json *lines, const struct json *other)
{
	for (uint32_t i = 0; lines != NULL && i < lines->count; i++) {
		const struct json *list = &lines->members[i].value;
		const struct json *there = NULL;

		for (uint32_t j = 0; other != NULL && j < other->count; j++)
			if (text_equal(other->members[j].name, lines->members[i].name))
				there = &other->members[j].value;
		for (uint32_t j = 0; j < list->count; j++)
			if (count_item(list, &list->items[j]) > count_item(there, &list->items[j]))
				return false; /* `uses` of each counts by itself */
	}
	return true;
}

bool half_is_within(const struct json *half, const struct json *other)
{
	if (half->count != other->count)
		return false;
	for (uint32_t i = 0; i < half->count; i++) {
		const struct json_member *mine = &half->members[i];

		if (!text_equal(mine->name, other->members[i].name))
			return false;
		if (!text_is(mine->name, "lines") &&
			!json_equal(&mine->value, &other->members[i].value))
			return false;
	}
	return lines_are_within(json_find(half, "lines"), json_find(other, "lines"));
}

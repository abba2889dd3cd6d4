/* Invariant: consents are sorted and without twins, so the same units make the same
 * text. */
#include "domain/charter/peer.h"

const struct charter_peer *charter_find_peer(const struct charter *charter, struct text identity)
{
	for (uint32_t i = 0; i < charter->peers_count; i++)
		if (text_equal(charter->peers[i].identity, identity))
			return &charter->peers[i];
	return NULL;
}

bool peer_covers(const struct charter_peer *peer, enum sensitivity sensitivity)
{
	return peer->up_to != SENSITIVITY_UNLABELLED &&
	       sensitivity_level(sensitivity) <= sensitivity_level(peer->up_to);
}

bool peer_has_effect(const struct charter_peer *peer, enum effect effect)
{
	return effect != EFFECT_NONE && (peer->effects & 1u << effect) != 0;
}

bool peer_has_reach(const struct charter_peer *peer)
{
	return peer->tools_count > 0;
}

bool peer_reaches(const struct charter_peer *peer, struct text tool)
{
	for (uint32_t i = 0; i < peer->tools_count; i++)
		if (text_is_like(peer->tools[i], tool))
			return true;
	return false;
}

/* ---- consents ---- */

bool consents_next(struct text *consents, struct text *out_unit)
{
	ptrdiff_t blank = text_find_byte(*consents, ' ');
	size_t length = blank < 0 ? consents->length : (size_t)blank;

	if (consents->length == 0)
		return false;
	*out_unit = (struct text){consents->data, length};
	*consents = text_after(*consents, blank < 0 ? length : length + 1);
	return true;
}

bool consents_has(struct text consents, struct text unit)
{
	struct text one;

	while (consents_next(&consents, &one))
		if (text_equal(one, unit))
			return true;
	return false;
}

struct text consents_with(struct arena *arena, struct text consents, struct text unit)
{
	struct text made = TEXT(""), one;
	bool is_placed = false;

	while (consents_next(&consents, &one)) {
		int order = text_compare(one, unit);

		if (!is_placed && order > 0)
			made = text_format(arena, "%.*s%s%.*s", TEXT_ARGS(made),
				made.length > 0 ? " " : "", TEXT_ARGS(unit));
		is_placed = is_placed || order >= 0;
		made = text_format(arena, "%.*s%s%.*s", TEXT_ARGS(made), made.length > 0 ? " " : "",
			TEXT_ARGS(one));
	}
	if (is_placed)
		return made;
	return text_format(
		arena, "%.*s%s%.*s", TEXT_ARGS(made), made.length > 0 ? " " : "", TEXT_ARGS(unit));
}

/* ---- whose it is ---- */

struct reaching {
	const struct charter *charter;
	const struct reference_world *world;
	struct arena *arena;
	struct text units;
	uint32_t count;
	bool has_failed;
};

static void add_unit(struct reaching *reaching, struct text unit)
{
	if (reaching->has_failed || unit.length == 0 || text_equal(unit, reaching->charter->unit) ||
		consents_has(reaching->units, unit))
		return;
	reaching->units = consents_with(reaching->arena, reaching->units, unit);
	reaching->count++;
	reaching->has_failed |= reaching->units.data == NULL || reaching->count > CONSENT_UNITS_MAX;
}

static void add_server(struct reaching *reaching, struct text glob)
{
	struct text name = {glob.data, (size_t)text_find_byte(glob, '/')};
	const struct object *server =
		reaching->world->find(reaching->world->context, OBJECT_SERVER, name);

	if (server != NULL)
		add_unit(reaching, server->server->unit);
}

static bool is_reached(const struct charter *charter, struct text tool)
{
	for (uint32_t i = 0; i < charter->peers_count; i++)
		if (peer_reaches(&charter->peers[i], tool))
			return true;
	return false;
}

static bool visit_tool(void *context, struct text name)
{
	struct reaching *reaching = context;
	const struct reference_world *world = reaching->world;
	const struct object *tool = is_reached(reaching->charter, name)
					    ? world->find(world->context, OBJECT_TOOL, name)
					    : NULL;

	for (uint32_t i = 0; tool != NULL && i < tool->tool->reads_count; i++) {
		const struct object *source = world->find(
			world->context, OBJECT_DATA_SOURCE, tool->tool->reads[i].data_source);

		if (source != NULL)
			add_unit(reaching, source->data_source->unit);
	}
	return !reaching->has_failed;
}

bool charter_reach_units(struct text *out, struct arena *arena, const struct charter *charter,
	const struct reference_world *world, struct error *err)
{
	struct reaching reaching = {
		.charter = charter, .world = world, .arena = arena, .units = TEXT("")};
	bool has_reach = false;

	for (uint32_t i = 0; i < charter->peers_count; i++)
		for (uint32_t j = 0; j < charter->peers[i].tools_count; j++) {
			add_server(&reaching, charter->peers[i].tools[j]);
			has_reach = true;
		}
	if (has_reach)
		world->each_name(world->context, OBJECT_TOOL, visit_tool, &reaching);
	*out = reaching.units;
	return !reaching.has_failed ||
	       error_set(err, ERROR_LIMIT, "its peers reach into more than %d other units",
		       CONSENT_UNITS_MAX);
}

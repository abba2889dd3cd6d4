/* The entities Cedar is asked about: four or five for each pair of an identity and a
 * tool (docs/policies.md), and a table that keeps them.
 *
 * Attributes are texts, as charters write them, so that policies read like charters.
 *
 * Invariants of the table:
 * 1. what is kept was made from the registry as it stands: the first question after
 *    a change forgets all of it, and no evaluation lives across a change;
 * 2. until then nothing that was handed out goes: a pair that finds no room is made
 *    in the call's own arena;
 * 3. what is kept borrows from the registry alone, never from a call or a trial. */
#include <stdint.h>
#include <stdlib.h>

#include "domain/decide/request_parts.h"

enum {
	IDENTITY_ATTRIBUTES = 6,
	TOOL_ATTRIBUTES = 9,
	ENTITIES_MAX = 6,
	ENVIRONMENTS = 4,
	PAIR_SLOTS = 2 * ENTITY_TABLE_PAIRS_MAX, /* a power of two, at most half full */
};
_Static_assert((PAIR_SLOTS & (PAIR_SLOTS - 1)) == 0, "slots are found by a mask");

/* Free unless it is of the table's generation. */
struct pair {
	uint64_t generation;
	const struct registry_entry *identity;
	const struct tool *tool;
	const struct asked_entities *entities;
};

struct entity_table {
	const struct registry *registry; /* that generation counts changes of */
	uint64_t generation;
	struct arena *arena;                /* all that is kept */
	const struct role_holders *holders; /* NULL: nobody asked yet */
	size_t count;
	struct pair pairs[PAIR_SLOTS];
};

/* ---- making them ---- */

/* Parents are copied to the arena. */
static bool entity_fill(struct arena *arena, struct cedar_entity *entity,
	const struct cedar_uid *parents, size_t parents_count)
{
	struct cedar_uid *copy = arena_array(arena, struct cedar_uid, parents_count);
	size_t i;

	if (copy == NULL)
		return false;
	for (i = 0; i < parents_count; i++)
		copy[i] = parents[i];
	entity->parents = copy;
	entity->parent_count = parents_count;
	return true;
}

static bool identity_fill(
	struct arena *arena, const struct registry_entry *entry, struct cedar_entity *entity)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct attributes attributes = {
		arena_array(arena, struct cedar_member, IDENTITY_ATTRIBUTES), 0};
	struct text environments[ENVIRONMENTS];
	struct cedar_uid unit = uid_of("Unit", charter->unit);
	struct cedar_value set;
	size_t count = 0;
	int i;

	for (i = ENVIRONMENT_DEV; i <= ENVIRONMENT_PROD; i++)
		if (charter_has_environment(charter, (enum environment)i))
			environments[count++] = text_of(environment_word((enum environment)i));
	if (attributes.items == NULL || !request_set_of_texts(arena, environments, count, &set))
		return false;
	put_word(&attributes, "class", use_class_word(charter->use_class));
	put(&attributes, "environments", set);
	put_word(&attributes, "kind", identity_kind_word(charter->kind));
	put_text(&attributes, "owner", charter->owner);
	put_word(&attributes, "risk", risk_tier_word(charter->risk));
	put_text(&attributes, "unit", charter->unit);
	entity->uid = uid_of("Identity", entry->name);
	return attributes_seal(&attributes, &entity->attributes) &&
	       entity_fill(arena, entity, &unit, 1);
}

/* The highest of all data sources the tool's lines name, whatever the
 * arguments; one that is unknown or unlabelled counts as restricted. */
static enum sensitivity tool_sensitivity(const struct evaluation *evaluation)
{
	enum sensitivity highest = SENSITIVITY_PUBLIC;
	uint32_t i;

	for (i = 0; i < evaluation->tool->reads_count; i++) {
		const struct data_source *source = evaluation_find_data_source(
			evaluation, evaluation->tool->reads[i].data_source);
		enum sensitivity one =
			source == NULL ? SENSITIVITY_UNLABELLED : source->sensitivity;

		if (sensitivity_level(one) >= sensitivity_level(SENSITIVITY_RESTRICTED))
			return SENSITIVITY_RESTRICTED;
		if (sensitivity_level(one) > sensitivity_level(highest))
			highest = one;
	}
	return highest;
}

/* Of the tool and of all the data its lines name. */
static bool concerns_set(
	const struct evaluation *evaluation, struct arena *arena, struct cedar_value *out)
{
	const struct tool *tool = evaluation->tool;
	uint32_t concerns = tool == NULL ? 0 : tool->concerns;
	struct text words[CONCERN_MONEY];
	size_t count = 0;

	for (uint32_t i = 0; tool != NULL && i < tool->reads_count; i++) {
		const struct data_source *source =
			evaluation_find_data_source(evaluation, tool->reads[i].data_source);

		concerns |= source == NULL ? 0 : source->concerns;
	}
	for (int i = CONCERN_DEPLOYMENT; i <= CONCERN_MONEY; i++)
		if ((concerns & (UINT32_C(1) << i)) != 0)
			words[count++] = text_of(concern_word((enum concern)i));
	return request_set_of_texts(arena, words, count, out);
}

static const char *reversal_or_worst(enum reversal value)
{
	return reversal_word(value == REVERSAL_NONE ? REVERSAL_IRREVERSIBLE : value);
}

static struct cedar_uid resource_uid(const struct evaluation *evaluation)
{
	if (evaluation->model != NULL)
		return uid_of("Model", evaluation->call->tool);
	if (evaluation->tool == NULL)
		return uid_of("Tool", evaluation->call->tool);
	return evaluation_is_peer(evaluation) ? uid_of("Peer", evaluation->tool->server)
					      : uid_of("Tool", evaluation->tool->name);
}

/* A FILTERED method is asked about as a harmless tool of its server; a model has the
 * attributes of a tool that reads nothing, and a peer those of its skill, so that one policy
 * can speak of all. */
static bool resource_fill(
	const struct evaluation *evaluation, struct arena *arena, struct cedar_entity *entity)
{
	const struct tool *tool = evaluation->tool;
	const struct server *server = evaluation->server;
	struct cedar_uid parents[] = {uid_of("Server", server->name), uid_of("Unit", server->unit)};
	struct attributes attributes = {
		arena_array(arena, struct cedar_member, TOOL_ATTRIBUTES), 0};
	enum risk_tier risk = tool == NULL ? RISK_LOW : tool->risk;
	struct cedar_value concerns;

	if (attributes.items == NULL)
		return false;
	if (!concerns_set(evaluation, arena, &concerns))
		return false;
	put(&attributes, "concerns", concerns);
	put_word(&attributes, "effect", effect_word(evaluation->effect));
	put_word(&attributes, "environment", environment_word(server->environment));
	put_word(&attributes, "reversal",
		reversal_or_worst(tool == NULL ? REVERSAL_NONE_NEEDED : tool->reversal));
	put_word(&attributes, "risk", risk_tier_word(risk == RISK_NONE ? RISK_CRITICAL : risk));
	put_word(&attributes, "sensitivity",
		sensitivity_word(tool == NULL ? SENSITIVITY_PUBLIC : tool_sensitivity(evaluation)));
	put_text(&attributes, "server", server->name);
	if (evaluation_is_peer(evaluation))
		put_text(&attributes, "skill", tool->tool_name);
	put_text(&attributes, "unit", server->unit);
	entity->uid = resource_uid(evaluation);
	return attributes_seal(&attributes, &entity->attributes) &&
	       entity_fill(arena, entity, parents, 2);
}

/* NULL: no memory. */
static const struct asked_entities *entities_make(const struct evaluation *evaluation,
	const struct registry_entry *identity, struct arena *arena)
{
	const struct charter *charter = charter_of(identity->in_force);
	struct asked_entities *asked = arena_new(arena, struct asked_entities);
	struct cedar_entity *entities = arena_array(arena, struct cedar_entity, ENTITIES_MAX);
	struct cedar_error err;
	size_t count = 2;

	if (asked == NULL || entities == NULL || !identity_fill(arena, identity, &entities[0]) ||
		!resource_fill(evaluation, arena, &entities[1]))
		return NULL;
	asked->principal = entities[0].uid;
	asked->action = uid_of("Action", text_of(effect_word(evaluation->effect)));
	asked->resource = entities[1].uid;
	entities[count++].uid = uid_of("Server", evaluation->server->name);
	entities[count++].uid = uid_of("Unit", charter->unit);
	if (!text_equal(charter->unit, evaluation->server->unit))
		entities[count++].uid = uid_of("Unit", evaluation->server->unit);
	entities[count++].uid = asked->action;
	return cedar_entities_overlay(
		       &asked->entities, cedar_arena_from(arena), NULL, entities, count, &err)
		       ? asked
		       : NULL;
}

/* ---- the table ---- */

bool entity_table_create(
	struct entity_table **out, const struct registry *registry, struct error *err)
{
	struct entity_table *table = calloc(1, sizeof *table);

	*out = NULL;
	if (table == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a table of entities");
	table->registry = registry;
	table->generation = registry_generation(registry) + 1; /* the zeroed slots are free */
	table->arena = arena_create(ENTITY_TABLE_BYTES_MAX);
	if (table->arena == NULL) {
		entity_table_destroy(&table);
		return error_set(err, ERROR_LIMIT, "no memory for a table of entities");
	}
	*out = table;
	return true;
}

void entity_table_destroy(struct entity_table **table)
{
	if (*table == NULL)
		return;
	arena_destroy(&(*table)->arena);
	free(*table);
	*table = NULL;
}

size_t entity_table_count(const struct entity_table *table)
{
	return table->count;
}

/* The slot of the pair, or the free one where it would go. */
static struct pair *pair_at(
	struct entity_table *table, const struct registry_entry *identity, const struct tool *tool)
{
	uint64_t mixed = ((uint64_t)(uintptr_t)identity ^ ((uint64_t)(uintptr_t)tool << 20)) *
			 UINT64_C(0x9e3779b97f4a7c15);
	size_t at = (size_t)(mixed >> 32) & (PAIR_SLOTS - 1);

	while (table->pairs[at].generation == table->generation &&
		(table->pairs[at].identity != identity || table->pairs[at].tool != tool))
		at = (at + 1) & (PAIR_SLOTS - 1);
	return &table->pairs[at];
}

static void follow_registry(struct entity_table *table)
{
	uint64_t generation = registry_generation(table->registry) + 1;

	if (table->generation == generation)
		return;
	arena_reset(table->arena);
	table->generation = generation;
	table->count = 0;
	table->holders = NULL;
}

static const struct role_holders *holders_keep(struct entity_table *table)
{
	follow_registry(table);
	if (table->holders == NULL)
		table->holders = role_holders_make(table->registry, table->arena);
	return table->holders;
}

const struct role_holders *evaluation_holders(struct evaluation *evaluation)
{
	const struct registry *registry = evaluation->world->registry;
	struct entity_table *table = evaluation->world->entities;

	if (evaluation->holders == NULL && table != NULL && table->registry == registry)
		evaluation->holders = holders_keep(table);
	if (evaluation->holders == NULL)
		evaluation->holders = role_holders_make(registry, evaluation->arena);
	return evaluation->holders;
}

/* What is kept of the pair; NULL: nothing is, and it cannot be. */
static const struct asked_entities *entities_keep(struct entity_table *table,
	const struct evaluation *evaluation, const struct registry_entry *identity)
{
	const struct asked_entities *made;
	struct pair *pair;

	follow_registry(table);
	pair = pair_at(table, identity, evaluation->tool);
	if (pair->generation == table->generation)
		return pair->entities;
	if (table->count == ENTITY_TABLE_PAIRS_MAX)
		return NULL;
	made = entities_make(evaluation, identity, table->arena);
	if (made == NULL)
		return NULL;
	*pair = (struct pair){table->generation, identity, evaluation->tool, made};
	table->count++;
	return made;
}

/* A trial's world is not the registry's, and a method without a tool has no name that
 * outlives the call. */
const struct asked_entities *evaluation_entities_of(
	const struct evaluation *evaluation, const struct registry_entry *identity)
{
	struct entity_table *table = evaluation->world->entities;
	const struct asked_entities *kept = NULL;

	if (table != NULL && table->registry == evaluation->world->registry &&
		evaluation->trial == NULL && evaluation->tool != NULL)
		kept = entities_keep(table, evaluation, identity);
	return kept != NULL ? kept : entities_make(evaluation, identity, evaluation->arena);
}

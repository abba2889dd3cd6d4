/* What one record changed, said anew: entries by who put them in force, and those a kill ended. */
#include <stdio.h>
#include <stdlib.h>

#include "domain/graph/derive.h"

enum { ACTOR_BYTES = 320, WHY_BYTES = 64 };

struct record {
	struct graph *graph;
	const struct registry *registry;
	const struct json *json;
	struct arena *scratch;
	struct error *err;
};

/* ---- who granted it ---- */

/* What the graph says of what is in force there already: since then nobody granted anything. */
struct known_grant {
	char why[WHY_BYTES];
	struct graph_grant grant;
	bool is_found;
};

static bool note_known(void *context, const struct graph_edge *edge)
{
	struct known_grant *known = context;

	if (edge->origin != GRAPH_ORIGIN_DECLARED || !text_is(edge->why, known->why))
		return true;
	known->grant = (struct graph_grant){edge->by, edge->since_s};
	known->is_found = true;
	return false;
}

static enum graph_node_kind node_kind_of(enum object_kind kind)
{
	switch (kind) {
	case OBJECT_IDENTITY: return GRAPH_NODE_IDENTITY;
	case OBJECT_PERSON: return GRAPH_NODE_PERSON;
	case OBJECT_UNIT: return GRAPH_NODE_UNIT;
	case OBJECT_DATA_SOURCE: return GRAPH_NODE_DATA_SOURCE;
	case OBJECT_SERVER: return GRAPH_NODE_SERVER;
	case OBJECT_TOOL: return GRAPH_NODE_TOOL;
	case OBJECT_POLICY:
	case OBJECT_APPLICATION:
	case OBJECT_ISSUER:
	case OBJECT_CONNECTOR:
	case OBJECT_NONE:
	case OBJECT_KIND_COUNT: break;
	}
	return GRAPH_NODE_NONE;
}

static struct known_grant find_known(const struct graph *graph, const struct registry_entry *entry)
{
	struct known_grant known = {.is_found = false};
	struct graph_node node;

	if (entry->in_force == NULL)
		return known;
	(void)snprintf(known.why, sizeof known.why, "%s@%u",
		entry->kind == OBJECT_IDENTITY ? "charter" : object_kind_word(entry->kind),
		(unsigned)entry->in_force->version);
	if (graph_find(graph, node_kind_of(entry->kind), entry->name, &node)) {
		graph_each_out(graph, node.id, GRAPH_EDGE_NONE, note_known, &known);
		if (!known.is_found)
			graph_each_in(graph, node.id, GRAPH_EDGE_OFFERS, note_known, &known);
	}
	return known;
}

static bool derive(
	struct record *record, const struct registry_entry *entry, const struct graph_grant *made)
{
	char by[ACTOR_BYTES] = "";
	struct known_grant known = find_known(record->graph, entry);
	struct graph_grant grant = known.is_found ? known.grant : *made;

	/* The text is the graph's, which is about to change. */
	(void)snprintf(by, sizeof by, "%.*s", TEXT_ARGS(grant.by));
	grant.by = text_of(by);
	return graph_derive(record->graph, entry, &grant, record->scratch, record->err);
}

static bool derive_changes(struct record *record)
{
	const struct json *changes = json_find(record->json, "changes");
	const struct graph_grant made = {json_text_or(record->json, "actor", ""),
		graph_time_of(json_integer_or(record->json, "at", 0) / 1000)};

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++) {
		const struct json *change = &changes->items[i];
		const struct registry_entry *entry = registry_find(record->registry,
			object_kind_of(json_text_or(change, "kind", "")),
			json_text_or(change, "name", ""));

		if (entry != NULL && !derive(record, entry, &made))
			return false;
	}
	return true;
}

/* ---- kills ---- */

static bool derive_named(struct record *record, struct text name)
{
	static const struct graph_grant unknown = {{NULL, 0}, 0};
	const struct registry_entry *entry = registry_find(record->registry, OBJECT_IDENTITY, name);

	return entry == NULL || derive(record, entry, &unknown);
}

/* Identities of a unit, collected first: saying one anew changes the chain that is read. */
struct members {
	graph_id *ids;
	size_t count;
};

static bool note_member(void *context, const struct graph_edge *edge)
{
	struct members *members = context;

	if (edge->origin == GRAPH_ORIGIN_DECLARED)
		members->ids[members->count++] = edge->from;
	return true;
}

static bool derive_members(struct record *record, const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		char name[CHARTER_NAME_BYTES_MAX + 1];
		struct graph_node node;

		if (!graph_node(record->graph, members->ids[i], &node) ||
			node.kind != GRAPH_NODE_IDENTITY)
			continue;
		(void)snprintf(name, sizeof name, "%.*s", TEXT_ARGS(node.name));
		if (!derive_named(record, text_of(name)))
			return false;
	}
	return true;
}

static bool derive_unit(struct record *record, struct text unit)
{
	struct members members = {NULL, 0};
	struct graph_node node;
	bool ok;

	if (!graph_find(record->graph, GRAPH_NODE_UNIT, unit, &node))
		return true;
	members.ids = calloc(graph_ins(record->graph, node.id) + 1, sizeof *members.ids);
	if (members.ids == NULL)
		return error_set(record->err, ERROR_LIMIT, "no memory for the graph");
	graph_each_in(record->graph, node.id, GRAPH_EDGE_BELONGS, note_member, &members);
	ok = derive_members(record, &members);
	free(members.ids);
	return ok;
}

static bool derive_kill(struct record *record)
{
	struct text target = json_text_or(record->json, "target", "");

	if (text_is(target, "unit"))
		return derive_unit(record, json_text_or(record->json, "unit", ""));
	return !text_is(target, "identity") ||
	       derive_named(record, json_text_or(record->json, "identity", ""));
}

bool graph_derive_record(struct graph *graph, const struct registry *registry,
	const struct json *json, struct arena *scratch, struct error *err)
{
	struct record record = {graph, registry, json, scratch, err};

	if (text_is(json_text_or(json, "type", ""), "kill"))
		return derive_kill(&record);
	return derive_changes(&record);
}

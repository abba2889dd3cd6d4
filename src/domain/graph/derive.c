#include "domain/graph/derive.h"

#include "domain/charter/credential.h"
#include "domain/charter/standing.h"
#include "domain/graph/deriving.h"

graph_time graph_time_of(int64_t utc_s)
{
	if (utc_s == 0)
		return 0;
	if (utc_s < 1)
		return 1;
	return utc_s > UINT32_MAX ? UINT32_MAX : (graph_time)utc_s;
}

struct text graph_person_of(struct text actor)
{
	return text_starts_with(actor, "person:") ? text_after(actor, sizeof "person:" - 1) : actor;
}

/* ---- saying, until something fails ---- */

static bool note(struct deriving *d, bool ok)
{
	d->ok = d->ok && ok;
	return d->ok;
}

struct text deriving_format(struct deriving *d, const char *prefix, struct text name)
{
	struct text text = text_format(d->scratch, "%s%.*s", prefix, TEXT_ARGS(name));

	if (text.data == NULL && d->ok) {
		d->ok = error_set(d->err, ERROR_LIMIT, "no memory for a name in the graph");
		text.length = 0;
	}
	return text;
}

graph_id deriving_node(struct deriving *d, const struct graph_node *node)
{
	graph_id id = 0;

	if (d->ok)
		note(d, graph_put_node(d->graph, node, &id, d->err));
	return id;
}

graph_id deriving_name(struct deriving *d, enum graph_node_kind kind, struct text name)
{
	graph_id id = 0;

	if (d->ok && name.length > 0)
		note(d, graph_name_node(d->graph, kind, name, &id, d->err));
	return id;
}

void deriving_edge(
	struct deriving *d, enum graph_edge_kind kind, graph_id from, graph_id to, const char *line)
{
	struct graph_edge edge = {.kind = kind, .from = from, .to = to, .scope = text_of(line)};

	deriving_put(d, &edge);
}

void deriving_put(struct deriving *d, const struct graph_edge *wanted)
{
	struct graph_edge edge = *wanted;

	if (!d->ok || edge.from == 0 || edge.to == 0)
		return;
	edge.by = d->grant->by;
	edge.since_s = d->grant->since_s;
	edge.why = d->why;
	note(d, graph_put_edge(d->graph, &edge, d->err));
}

struct text deriving_line(struct deriving *d, const char *list, uint32_t number)
{
	int length = snprintf(d->line, sizeof d->line, "%s/%u", list, (unsigned)number);

	return (struct text){d->line, length < 0 ? 0 : (size_t)length};
}

/* ---- the other kinds ---- */

static void derive_person(struct deriving *d, const struct person *person)
{
	struct graph_node node = {.kind = GRAPH_NODE_PERSON,
		.name = person->name,
		.flags = person_has_left(person) ? GRAPH_NODE_HAS_LEFT : 0};
	graph_id id = deriving_node(d, &node);

	deriving_edge(
		d, GRAPH_EDGE_BELONGS, id, deriving_name(d, GRAPH_NODE_UNIT, person->unit), "unit");
}

static void derive_unit(struct deriving *d, const struct unit *unit)
{
	struct graph_node node = {.kind = GRAPH_NODE_UNIT, .name = unit->name};

	(void)deriving_node(d, &node);
}

static void derive_data_source(struct deriving *d, const struct data_source *source)
{
	struct graph_node node = {
		.kind = GRAPH_NODE_DATA_SOURCE,
		.name = source->name,
		.sensitivity = source->sensitivity,
		.environments = environment_bit(source->environment),
		.place = graph_text_cut(source->location),
	};
	graph_id id = deriving_node(d, &node);

	deriving_edge(
		d, GRAPH_EDGE_BELONGS, id, deriving_name(d, GRAPH_NODE_UNIT, source->unit), "unit");
	deriving_edge(d, GRAPH_EDGE_KEEPS, deriving_name(d, GRAPH_NODE_PERSON, source->custodian),
		id, "custodian");
	for (uint32_t i = 0; i < source->at_count; i++) {
		struct graph_edge at = {
			.kind = GRAPH_EDGE_AT,
			.from = deriving_name(d, GRAPH_NODE_RESOURCE, source->at[i]),
			.to = id,
			.scope = deriving_line(d, "at", i),
		};

		deriving_put(d, &at);
	}
}

static void derive_tool(struct deriving *d, const struct tool *tool)
{
	struct graph_node node = {.kind = GRAPH_NODE_TOOL, .name = tool->name, .risk = tool->risk};
	graph_id id = deriving_node(d, &node);
	struct graph_edge offer = {
		.kind = GRAPH_EDGE_OFFERS,
		.from = deriving_name(d, GRAPH_NODE_SERVER, tool->server),
		.to = id,
		.effects = UINT32_C(1) << tool->effect,
	};

	deriving_put(d, &offer);
	for (uint32_t i = 0; i < tool->reads_count; i++) {
		struct graph_edge read = {
			.kind = GRAPH_EDGE_READS,
			.from = id,
			.to = deriving_name(d, GRAPH_NODE_DATA_SOURCE, tool->reads[i].data_source),
			.scope = deriving_line(d, "reads", i),
		};

		deriving_put(d, &read);
	}
}

/* ---- servers ---- */

/* A secret that is sent to the server; where one place is named twice it is one secret. */
static void derive_secret(
	struct deriving *d, graph_id server, struct text reference, struct text line)
{
	struct credential parsed;
	struct error err;
	struct graph_node node = {
		.kind = GRAPH_NODE_CREDENTIAL,
		.name = deriving_format(d, GRAPH_SECRET_PREFIX, reference),
		.flags = GRAPH_NODE_IS_STATIC,
		.place = reference,
	};
	struct graph_edge opens = {.kind = GRAPH_EDGE_OPENS, .to = server, .scope = line};

	if (reference.length == 0 || !credential_parse(&parsed, reference, &err))
		return;
	if (parsed.kind == CREDENTIAL_STORED || parsed.kind == CREDENTIAL_VAULT)
		node.flags |= GRAPH_NODE_IS_MANAGED;
	opens.from = deriving_node(d, &node);
	deriving_put(d, &opens);
}

static void derive_models(struct deriving *d, graph_id id, const struct server *server)
{
	for (uint32_t i = 0; i < server->models_count; i++) {
		struct graph_node model = {.kind = GRAPH_NODE_MODEL};
		struct graph_edge offer = {.kind = GRAPH_EDGE_OFFERS,
			.from = id,
			.effects = UINT32_C(1) << EFFECT_GENERATE};

		model.name = graph_model_name(d->scratch, server->name, server->models[i].name);
		model.version = graph_text_cut(server->models[i].name);
		offer.to = deriving_node(d, &model);
		offer.scope = deriving_line(d, "models", i);
		deriving_put(d, &offer);
	}
}

static void derive_server(struct deriving *d, const struct server *server)
{
	struct graph_node node = {
		.kind = GRAPH_NODE_SERVER,
		.name = server->name,
		.environments = environment_bit(server->environment),
		.place = graph_text_cut(
			server->arguments_count > 0 ? server->arguments[0] : server->url),
	};
	graph_id id = deriving_node(d, &node);

	deriving_edge(
		d, GRAPH_EDGE_BELONGS, id, deriving_name(d, GRAPH_NODE_UNIT, server->unit), "unit");
	derive_models(d, id, server);
	derive_secret(d, id, server->credential, TEXT("credential"));
	for (uint32_t i = 0; i < server->credentials_count; i++)
		derive_secret(d, id, server->credentials[i].credential,
			deriving_line(d, "credentials", i));
}

/* ---- one entry ---- */

struct text graph_text_cut(struct text text)
{
	size_t length = text.length;

	if (length <= GRAPH_NAME_BYTES_MAX)
		return text;
	length = GRAPH_NAME_BYTES_MAX;
	while (length > 0 && ((unsigned char)text.data[length] & 0xc0) == 0x80)
		length--;
	return (struct text){text.data, length};
}

struct text graph_model_name(struct arena *arena, struct text provider, struct text name)
{
	return text_format(arena, "%.*s/%.*s", TEXT_ARGS(provider), TEXT_ARGS(name));
}

/* Of other kinds the graph knows nothing. */
static void derive_object(struct deriving *d, const struct object *object)
{
	if (object->kind == OBJECT_IDENTITY)
		derive_identity(d, charter_of(object));
	else if (object->kind == OBJECT_PERSON)
		derive_person(d, object->person);
	else if (object->kind == OBJECT_UNIT)
		derive_unit(d, object->unit);
	else if (object->kind == OBJECT_DATA_SOURCE)
		derive_data_source(d, object->data_source);
	else if (object->kind == OBJECT_SERVER)
		derive_server(d, object->server);
	else if (object->kind == OBJECT_TOOL)
		derive_tool(d, object->tool);
}

/* What counts of the entry: what is in force, of an identity else what waits. */
static const struct object *object_that_counts(const struct registry_entry *entry)
{
	if (entry->in_force != NULL || entry->kind != OBJECT_IDENTITY)
		return entry->in_force;
	return entry->waiting;
}

bool graph_derive(struct graph *graph, const struct registry_entry *entry,
	const struct graph_grant *grant, struct arena *scratch, struct error *err)
{
	struct deriving d = {graph, entry, grant, scratch, err, .ok = true};
	const struct object *object = object_that_counts(entry);
	char why[DERIVING_LINE_BYTES];
	struct text part;

	arena_reset(scratch);
	part = text_format(
		scratch, "%s/%.*s", object_kind_word(entry->kind), TEXT_ARGS(entry->name));
	if (part.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a part of the graph");
	if (!graph_part_begin(graph, TEXT(GRAPH_LAYER_REGISTRY), part, err))
		return false;
	if (object != NULL) {
		(void)snprintf(why, sizeof why, "%s@%u",
			object != entry->in_force        ? "proposed"
			: entry->kind == OBJECT_IDENTITY ? "charter"
							 : object_kind_word(entry->kind),
			(unsigned)object->version);
		d.why = text_of(why);
		derive_object(&d, object);
	}
	graph_part_end(graph);
	return d.ok;
}

/* What records say was used, noted in the graph's count: the only one there is.
 *
 *   decision (allow)  the identity used the tool, model or peer, and the data sources it reads;
 *                     each identity of the chain handed work to the one below it
 *   task-opened       the credential, issuer or consent by which it opened it; who has the task
 *                     above handed work to it
 *
 * Records of before do not say whose the tasks of a chain are: then nobody knows who handed work
 * on, and nothing of peers is sure for as long as that may count. */
#include "services/graph/graph_private.h"

#define DAY_MS INT64_C(86400000)

/* What all uses of one record have in common. */
struct noting {
	struct graph_service *service;
	const struct json *record;
	uint64_t index;
	int64_t at_utc_ms;
	struct text identity;
	struct graph_used used; /* without its ends and its way */
};

static struct noting noting_of(
	struct graph_service *service, const struct json *record, uint64_t index)
{
	int64_t at_utc_ms = json_integer_or(record, "at", 0);

	return (struct noting){.service = service,
		.record = record,
		.index = index,
		.at_utc_ms = at_utc_ms,
		.identity = json_text_or(record, "identity", ""),
		.used = {.at_s = graph_time_of(at_utc_ms / 1000),
			.at_ms = (uint16_t)(at_utc_ms % 1000),
			.count = 1,
			.task = graph_task_mark(json_text_or(record, "task", "")),
			.environment = environment_of(json_text_or(record, "environment", "")),
			.effect = effect_of(json_text_or(record, "effect", ""))}};
}

/* A full table is no reason to stop, and none to take what was not counted for unused. */
static void lose(const struct noting *noting)
{
	graph_be_sure_from(noting->service, noting->at_utc_ms);
}

struct use_end {
	enum graph_node_kind kind;
	struct text name;
	enum effect way;
};

static void note(const struct noting *noting, struct text from, const struct use_end *to)
{
	struct graph *graph = noting->service->graph;
	struct graph_used used = noting->used;
	struct error ignored;

	if (from.length == 0 || to->name.length == 0)
		return;
	used.way = to->way;
	if (!graph_name_node(graph, GRAPH_NODE_IDENTITY, from, &used.from, &ignored) ||
		!graph_name_node(graph, to->kind, to->name, &used.to, &ignored)) {
		lose(noting);
		return;
	}
	if (graph_tail_has(noting->service, graph_use_number(graph, used.from, used.to, used.way),
		    noting->index))
		return;
	noting->service->uses_noted++;
	if (!graph_note_use(graph, &used, &ignored))
		lose(noting);
}

/* ---- handing on ---- */

static void be_unsure_of_peers(const struct noting *noting)
{
	if (noting->at_utc_ms > noting->service->unnamed_utc_ms)
		noting->service->unnamed_utc_ms = noting->at_utc_ms;
}

static void note_hop(const struct noting *noting, struct text above, struct text below)
{
	if (!text_equal(above, below))
		note(noting, above, &(struct use_end){.kind = GRAPH_NODE_IDENTITY, .name = below});
}

static void note_hops(const struct noting *noting)
{
	const struct json *chain = json_find(noting->record, "chain");
	const struct json *names = json_find(noting->record, "identities");

	if (chain == NULL || chain->type != JSON_ARRAY || chain->count < 2)
		return;
	if (names == NULL || names->type != JSON_ARRAY || names->count != chain->count) {
		be_unsure_of_peers(noting);
		return;
	}
	for (uint32_t i = 0; i + 1 < names->count; i++)
		if (names->items[i].type == JSON_STRING && names->items[i + 1].type == JSON_STRING)
			note_hop(noting, names->items[i + 1].string, names->items[i].string);
}

/* ---- decisions ---- */

/* A charter names a peer, a decision its skill, too. */
static struct use_end end_of(const struct noting *noting)
{
	struct text tool = json_text_or(noting->record, "tool", "");
	ptrdiff_t slash = text_find_byte(tool, '/');
	struct use_end end = {GRAPH_NODE_TOOL, tool, noting->used.effect};

	if (end.way == EFFECT_GENERATE)
		end.kind = GRAPH_NODE_MODEL;
	if (end.way == EFFECT_DELEGATE) {
		end.kind = GRAPH_NODE_IDENTITY;
		if (slash >= 0)
			end.name.length = (size_t)slash;
	}
	return end;
}

static void note_sources(const struct noting *noting)
{
	const struct json *sources = json_find(noting->record, "sources");

	for (uint32_t i = 0; sources != NULL && sources->type == JSON_ARRAY && i < sources->count;
		i++)
		if (sources->items[i].type == JSON_STRING)
			note(noting, noting->identity,
				&(struct use_end){.kind = GRAPH_NODE_DATA_SOURCE,
					.name = sources->items[i].string});
}

static void note_decision(const struct noting *noting)
{
	struct use_end end = end_of(noting);

	if (!text_is(json_text_or(noting->record, "verdict", ""), "allow") ||
		noting->identity.length == 0)
		return;
	note(noting, noting->identity, &end);
	note_sources(noting);
	note_hops(noting);
}

/* ---- tasks ---- */

/* Of what its identity proved itself by; long names are none that is registered. */
static bool note_proof(const struct noting *noting, const char *prefix, struct text name)
{
	char bytes[GRAPH_NAME_BYTES_MAX];
	struct use_end end = {.kind = GRAPH_NODE_CREDENTIAL};
	struct buffer whole;

	if (name.length == 0)
		return false;
	buffer_init_in(&whole, sizeof bytes, bytes, sizeof bytes);
	buffer_append_string(&whole, prefix);
	buffer_append_text(&whole, name);
	if (!buffer_failed(&whole))
		end.name = buffer_text(&whole);
	note(noting, noting->identity, &end);
	buffer_deinit(&whole);
	return end.name.length > 0;
}

static const char *prefix_of(struct text key)
{
	return text_starts_with(key, "sha256:") ? GRAPH_CERTIFICATE_PREFIX : GRAPH_KEY_PREFIX;
}

static bool note_proofs(const struct noting *noting)
{
	const struct json *proof = json_find(noting->record, "proof");
	struct text key = json_text_or(proof, "key", "");
	bool is_noted = note_proof(noting, prefix_of(key), key);

	is_noted |= note_proof(noting, GRAPH_ISSUER_PREFIX, json_text_or(proof, "issuer", ""));
	if (json_find(noting->record, "person") == NULL)
		return is_noted;
	return note_proof(noting, "", TEXT(GRAPH_PEOPLE_NAME)) || is_noted;
}

/* What was opened by nothing of these was used all the same. */
static void note_opened(const struct noting *noting)
{
	struct text above = json_text_or(noting->record, "parent-identity", "");

	if (noting->identity.length == 0)
		return;
	if (above.length > 0)
		note_hop(noting, above, noting->identity);
	else if (json_find(noting->record, "parent") != NULL)
		be_unsure_of_peers(noting);
	if (!note_proofs(noting))
		note(noting, noting->identity,
			&(struct use_end){GRAPH_NODE_IDENTITY, noting->identity, EFFECT_NONE});
}

void graph_note_record(struct graph_service *service, const struct json *record, uint64_t index)
{
	struct noting noting = noting_of(service, record, index);

	if (text_is(json_text_or(record, "type", ""), "decision"))
		note_decision(&noting);
	else
		note_opened(&noting);
}

/* Until all of before is counted, each is read from the log in its turn. */
static bool fold_use(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct graph_service *service = state;

	(void)err;
	if (graph_is_counted(service) && index >= service->tail.next)
		graph_note_record(service, record, index);
	return true;
}

bool graph_register_uses(struct graph_service *service, struct error *err)
{
	static const char *const types[] = {"decision", "task-opened"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!fold_add(service->parts.fold,
			    &(struct fold_handler){
				    .type = types[i], .apply = fold_use, .state = service},
			    err))
			return false;
	return true;
}

/* ---- looking ---- */

void graph_be_sure_from(struct graph_service *service, int64_t at_utc_ms)
{
	if (at_utc_ms > service->sure_utc_ms)
		service->sure_utc_ms = at_utc_ms;
}

static bool may_count(int64_t at_utc_ms, int64_t now_utc_ms)
{
	return at_utc_ms != 0 && at_utc_ms > now_utc_ms - GRAPH_USE_DAYS * DAY_MS;
}

bool graph_is_counted(const struct graph_service *service)
{
	return service->is_loaded && service->tail.is_done;
}

int64_t graph_uses_known_utc_ms(const struct graph_service *service, int64_t now_utc_ms)
{
	int64_t known = now_utc_ms - GRAPH_USE_DAYS * DAY_MS;

	if (!graph_is_counted(service))
		return now_utc_ms;
	if (service->first_utc_ms > known)
		known = service->first_utc_ms;
	return service->sure_utc_ms > known ? service->sure_utc_ms : known;
}

int64_t graph_last_use_utc_ms(const struct graph_service *service, struct text identity)
{
	return (int64_t)graph_last_use(service->graph,
		       graph_number_of(service->graph, GRAPH_NODE_IDENTITY, identity)) *
	       1000;
}

static void sum_up(const struct graph_use *use, int64_t now_utc_ms, struct graph_usage *out)
{
	int64_t last_utc_ms = (int64_t)use->last_s * 1000 + use->last_ms;
	struct graph_use_sum sum;

	graph_use_sum(use, graph_time_of(now_utc_ms / 1000), &sum);
	out->last_utc_ms = last_utc_ms < out->known_utc_ms ? 0 : last_utc_ms;
	out->uses = (int64_t)sum.uses;
	/* Each was in one task. */
	out->tasks = use->tasks == UINT16_MAX || use->tasks > out->uses ? out->uses : use->tasks;
	out->environments = sum.environments;
	out->effects = sum.effects;
}

void graph_usage(const struct graph_service *service, const struct graph_usage_asked *asked,
	struct graph_usage *out)
{
	const struct graph *graph = service->graph;
	graph_id from = graph_number_of(graph, GRAPH_NODE_IDENTITY, asked->identity);
	graph_id to = asked->name.length > GRAPH_NAME_BYTES_MAX
			      ? 0
			      : graph_number_of(graph, asked->kind, asked->name);
	bool is_hop = asked->kind == GRAPH_NODE_IDENTITY && asked->way == EFFECT_NONE;
	struct graph_use use;

	*out = (struct graph_usage){
		.known_utc_ms = graph_uses_known_utc_ms(service, asked->now_utc_ms),
		.is_unsure = may_count(service->sure_utc_ms, asked->now_utc_ms) ||
			     (is_hop && may_count(service->unnamed_utc_ms, asked->now_utc_ms))};
	if (graph_find_use(graph, from, to, asked->way, &use))
		sum_up(&use, asked->now_utc_ms, out);
}

#include "domain/inventory/draft.h"

#include <string.h>

#include "domain/inventory/item.h"

static const char *const ground_words[] = {
#define X(name, word, meaning) [name] = (word),
	SUGGESTION_GROUNDS(X)
#undef X
};
static const char *const ground_meanings[] = {
#define X(name, word, meaning) [name] = (meaning),
	SUGGESTION_GROUNDS(X)
#undef X
};

const char *suggestion_ground_word(enum suggestion_ground value)
{
	return value < SUGGESTION_COUNT ? ground_words[value] : NULL;
}

const char *suggestion_ground_meaning(enum suggestion_ground value)
{
	return value < SUGGESTION_COUNT ? ground_meanings[value] : NULL;
}

/* ---- suggestions ---- */

enum { PEOPLE_MAX = 256 }; /* consenters told apart */

struct consenter {
	graph_id person;
	uint32_t grants;
	graph_time used_s;
};

struct looking {
	const struct graph *graph;
	struct suggestions *out;
	struct consenter people[PEOPLE_MAX];
	size_t people_count;
	uint32_t grants;
	uint32_t looked;
};

static void suggest(struct looking *looking, const struct suggestion *suggestion, graph_id person)
{
	struct suggestions *out = looking->out;
	struct suggestion whole = *suggestion;
	struct graph_node node;

	if (!graph_node(looking->graph, person, &node) || node.kind != GRAPH_NODE_PERSON)
		return;
	for (size_t i = 0; i < out->count; i++)
		if (text_equal(out->items[i].person, node.name))
			return; /* the first ground counts */
	if (out->count == DRAFT_SUGGESTIONS_MAX)
		return;
	whole.person = node.name;
	whole.has_left = (node.flags & GRAPH_NODE_HAS_LEFT) != 0;
	out->items[out->count++] = whole;
}

static bool on_owner(void *context, const struct graph_edge *edge)
{
	const struct suggestion suggestion = {.ground = SUGGESTION_OWNER};
	struct looking *looking = context;

	suggest(looking, &suggestion, edge->from);
	return ++looking->looked < DRAFT_EDGES_MAX;
}

static bool on_dependant_owner(void *context, const struct graph_edge *edge)
{
	const struct suggestion suggestion = {.ground = SUGGESTION_DEPENDANT};
	struct looking *looking = context;

	suggest(looking, &suggestion, edge->from);
	return ++looking->looked < DRAFT_EDGES_MAX;
}

static bool on_user(void *context, const struct graph_edge *edge)
{
	struct looking *looking = context;
	struct graph_node user;

	if (graph_node(looking->graph, edge->from, &user) && user.kind == GRAPH_NODE_IDENTITY)
		graph_each_in(
			looking->graph, user.id, GRAPH_EDGE_OWNS, on_dependant_owner, looking);
	return ++looking->looked < DRAFT_EDGES_MAX;
}

static bool on_consent(void *context, const struct graph_edge *edge)
{
	struct looking *looking = context;
	size_t i = 0;

	looking->grants++;
	while (i < looking->people_count && looking->people[i].person != edge->from)
		i++;
	if (i == looking->people_count) {
		if (i == PEOPLE_MAX)
			return ++looking->looked < DRAFT_EDGES_MAX;
		looking->people[looking->people_count++] = (struct consenter){.person = edge->from};
	}
	looking->people[i].grants++;
	if (edge->used_s > looking->people[i].used_s)
		looking->people[i].used_s = edge->used_s;
	return ++looking->looked < DRAFT_EDGES_MAX;
}

static bool on_creator(void *context, const struct graph_edge *edge)
{
	const struct suggestion suggestion = {.ground = SUGGESTION_CREATOR, .at_s = edge->since_s};
	struct looking *looking = context;

	suggest(looking, &suggestion, edge->from);
	return ++looking->looked < DRAFT_EDGES_MAX;
}

static void suggest_consenters(struct looking *looking)
{
	const struct consenter *most = NULL, *last = NULL;

	for (size_t i = 0; i < looking->people_count; i++) {
		const struct consenter *one = &looking->people[i];

		if (most == NULL || one->grants > most->grants)
			most = one;
		if (one->used_s > 0 && (last == NULL || one->used_s > last->used_s))
			last = one;
	}
	if (most != NULL) {
		const struct suggestion suggestion = {
			.ground = SUGGESTION_GRANTS, .count = most->grants, .of = looking->grants};

		suggest(looking, &suggestion, most->person);
	}
	if (last != NULL) {
		const struct suggestion suggestion = {
			.ground = SUGGESTION_USED, .at_s = last->used_s};

		suggest(looking, &suggestion, last->person);
	}
}

/* Those who left go behind the others, which keep their order. */
static void sort(struct suggestions *all)
{
	struct suggestions sorted = {.count = 0};

	for (int left = 0; left < 2; left++)
		for (size_t i = 0; i < all->count; i++)
			if (all->items[i].has_left == (left == 1))
				sorted.items[sorted.count++] = all->items[i];
	*all = sorted;
}

static void look(struct looking *looking, graph_id account, enum graph_edge_kind kind,
	bool (*visit)(void *context, const struct graph_edge *edge))
{
	looking->looked = 0;
	graph_each_in(looking->graph, account, kind, visit, looking);
}

void inventory_suggest(
	const struct graph *graph, const struct graph_node *account, struct suggestions *out)
{
	struct looking looking = {.graph = graph, .out = out};

	out->count = 0;
	look(&looking, account->id, GRAPH_EDGE_OWNS, on_owner);
	look(&looking, account->id, GRAPH_EDGE_USES, on_user);
	look(&looking, account->id, GRAPH_EDGE_CONSENTED, on_consent);
	suggest_consenters(&looking);
	look(&looking, account->id, GRAPH_EDGE_CREATED, on_creator);
	sort(out);
}

/* ---- what is nobody's ---- */

struct knowing {
	const struct graph *graph;
	bool is_known;
};

static bool on_is(void *context, const struct graph_edge *edge)
{
	struct knowing *knowing = context;

	(void)edge;
	knowing->is_known = true;
	return false;
}

static bool on_account_uses(void *context, const struct graph_edge *edge)
{
	struct knowing *knowing = context;
	struct graph_node user;

	knowing->is_known =
		graph_node(knowing->graph, edge->from, &user) && user.kind == GRAPH_NODE_ACCOUNT;
	return !knowing->is_known;
}

bool inventory_is_unknown(const struct graph *graph, const struct graph_node *account)
{
	struct knowing knowing = {.graph = graph};

	if (account->kind != GRAPH_NODE_ACCOUNT || (account->flags & GRAPH_NODE_IS_KNOWN) == 0)
		return false;
	graph_each_in(graph, account->id, GRAPH_EDGE_IS, on_is, &knowing);
	if (!knowing.is_known)
		graph_each_in(graph, account->id, GRAPH_EDGE_USES, on_account_uses, &knowing);
	return !knowing.is_known;
}

/* ---- as JSON ---- */

static void put_time(struct json_builder *object, const char *name, graph_time at_s)
{
	char time[TIME_TEXT_BYTES];

	if (at_s == 0)
		return;
	inventory_time_format(time, at_s);
	json_put_text(object, name, text_copy(object->arena, text_of(time)));
}

static bool put_effects(struct json_builder *object, uint32_t effects, struct error *err)
{
	struct json_builder list;
	struct json sealed;

	json_array_start(&list, object->arena);
	for (unsigned i = EFFECT_READ; i <= EFFECT_EXECUTE; i++)
		if ((effects & (1u << i)) != 0)
			json_add(&list, json_cstring(effect_word((enum effect)i)));
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, "effects", sealed);
	return true;
}

struct reaching {
	const struct graph *graph;
	struct json_builder list;
	struct error *err;
	bool failed;
};

static bool on_reach(void *context, const struct graph_edge *edge)
{
	struct reaching *reaching = context;
	struct json_builder object;
	struct graph_node node;
	struct json item;

	if (!graph_node(reaching->graph, edge->to, &node))
		return true;
	json_object_start(&object, reaching->list.arena);
	json_put_text(&object, "resource", node.name);
	json_put_text_unless_empty(&object, "scope", edge->scope);
	put_time(&object, "used", edge->used_s);
	if (!put_effects(&object, edge->effects, reaching->err) ||
		!json_object_seal(&object, &item, reaching->err)) {
		reaching->failed = true;
		return false;
	}
	json_add(&reaching->list, item);
	return reaching->list.count < DRAFT_REACHES_MAX;
}

static bool put_reaches(
	struct json_builder *object, const struct graph *graph, graph_id account, struct error *err)
{
	struct reaching reaching = {.graph = graph, .err = err};
	struct json sealed;

	json_array_start(&reaching.list, object->arena);
	graph_each_out(graph, account, GRAPH_EDGE_MAY, on_reach, &reaching);
	if (reaching.failed || !json_array_seal(&reaching.list, &sealed, err))
		return false;
	json_put(object, "reaches", sealed);
	return true;
}

static bool suggestion_json(struct json *out, struct arena *arena,
	const struct suggestion *suggestion, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "person", suggestion->person);
	json_put_cstring(&object, "ground", suggestion_ground_word(suggestion->ground));
	json_put_cstring(&object, "because", suggestion_ground_meaning(suggestion->ground));
	if (suggestion->of > 0) {
		json_put_integer(&object, "count", suggestion->count);
		json_put_integer(&object, "of", suggestion->of);
	}
	put_time(&object, "at", suggestion->at_s);
	if (suggestion->has_left)
		json_put_boolean(&object, "left", true);
	return json_object_seal(&object, out, err);
}

static bool on_unit(void *context, const struct graph_edge *edge)
{
	*(graph_id *)context = edge->to;
	return false;
}

/* The unit of the first who is here and has one. */
static void put_unit(
	struct json_builder *object, const struct graph *graph, const struct suggestions *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct graph_node person, unit;
		graph_id id = 0;

		if (all->items[i].has_left ||
			!graph_find(graph, GRAPH_NODE_PERSON, all->items[i].person, &person))
			continue;
		graph_each_out(graph, person.id, GRAPH_EDGE_BELONGS, on_unit, &id);
		if (id == 0 || !graph_node(graph, id, &unit))
			continue;
		json_put_text(object, "unit", unit.name);
		return;
	}
}

static bool put_suggestions(struct json_builder *object, const struct graph *graph,
	const struct graph_node *account, struct error *err)
{
	struct json_builder list;
	struct suggestions all;
	struct json item, sealed;

	inventory_suggest(graph, account, &all);
	json_array_start(&list, object->arena);
	for (size_t i = 0; i < all.count; i++) {
		if (!suggestion_json(&item, object->arena, &all.items[i], err))
			return false;
		json_add(&list, item);
	}
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(object, "suggestions", sealed);
	put_unit(object, graph, &all);
	return true;
}

bool inventory_draft_json(struct json *out, struct arena *arena, const struct graph *graph,
	const struct graph_node *account, struct error *err)
{
	const char *kind = identity_kind_word(account->identity_kind);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "account", account->name);
	json_put_text_unless_empty(&object, "title", account->title);
	json_put_cstring(&object, "kind", kind == NULL ? "integration" : kind);
	json_put_text_unless_empty(&object, "publisher", account->publisher);
	json_put_boolean(&object, "external", (account->flags & GRAPH_NODE_IS_EXTERNAL) != 0);
	json_put_boolean(&object, "off", (account->flags & GRAPH_NODE_IS_OFF) != 0);
	put_time(&object, "created", account->created_s);
	put_time(&object, "used", account->used_s);
	return put_reaches(&object, graph, account->id, err) &&
	       put_suggestions(&object, graph, account, err) && json_object_seal(&object, out, err);
}

/* ---- who depends on it ---- */

struct depending {
	const struct graph *graph;
	graph_id found[DRAFT_DEPENDANTS_MAX + 1];
	size_t count;
};

static bool on_dependant(void *context, const struct graph_edge *edge)
{
	struct depending *depending = context;

	for (size_t i = 0; i < depending->count; i++)
		if (depending->found[i] == edge->from)
			return true;
	if (depending->count > DRAFT_DEPENDANTS_MAX)
		return false;
	depending->found[depending->count++] = edge->from;
	return true;
}

bool inventory_dependants(struct json *out, struct arena *arena, const struct graph *graph,
	graph_id account, struct error *err)
{
	struct depending depending = {.graph = graph, .found = {account}, .count = 1};
	struct json_builder list;

	for (size_t i = 0; i < depending.count; i++) {
		graph_each_in(graph, depending.found[i], GRAPH_EDGE_USES, on_dependant, &depending);
		graph_each_in(graph, depending.found[i], GRAPH_EDGE_IS, on_dependant, &depending);
		graph_each_in(
			graph, depending.found[i], GRAPH_EDGE_HANDS, on_dependant, &depending);
	}
	json_array_start(&list, arena);
	for (size_t i = 1; i < depending.count; i++) {
		struct graph_node node;

		if (graph_node(graph, depending.found[i], &node))
			json_add(&list,
				json_string(text_format(arena, "%s/%.*s",
					graph_node_kind_word(node.kind), TEXT_ARGS(node.name))));
	}
	return json_array_seal(&list, out, err);
}

/* Nodes and edges as the API says them.  What nobody said is the word "unknown", and stands in
 * `unknown`, so that it can be looked for. */
#include "services/graph/graph_private.h"

#include <stdio.h>

enum { REFERENCE_SHOWN_MAX = 120 };

/* ---- names ---- */

struct text graph_reference(const struct graph_service *service, graph_id id, struct arena *arena)
{
	struct graph_node node;

	if (!graph_node(service->graph, id, &node))
		return TEXT("");
	return text_format(arena, "%s:%.*s", graph_node_kind_word(node.kind), TEXT_ARGS(node.name));
}

/* A name without its kind: identities first, as most questions are about them. */
static bool find_bare(const struct graph_service *service, struct text name, graph_id *out)
{
	static const enum graph_node_kind kinds[] = {GRAPH_NODE_IDENTITY, GRAPH_NODE_PERSON,
		GRAPH_NODE_ACCOUNT, GRAPH_NODE_TOOL, GRAPH_NODE_DATA_SOURCE, GRAPH_NODE_CREDENTIAL,
		GRAPH_NODE_RESOURCE, GRAPH_NODE_SERVER, GRAPH_NODE_UNIT, GRAPH_NODE_MODEL};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct graph_node node;

		if (graph_find(service->graph, kinds[i], name, &node)) {
			*out = node.id;
			return true;
		}
	}
	return false;
}

bool graph_resolve(const struct graph_service *service, struct text reference, graph_id *out,
	struct error *err)
{
	ptrdiff_t colon = text_find_byte(reference, ':');
	struct text word = {reference.data, colon < 0 ? 0 : (size_t)colon};
	enum graph_node_kind kind = graph_node_kind_of(word);
	struct graph_node node;

	*out = 0;
	if (reference.length == 0)
		return error_set(err, ERROR_INVALID, "name what the question is about");
	if (kind == GRAPH_NODE_NONE) {
		if (find_bare(service, reference, out))
			return true;
	} else if (graph_find(
			   service->graph, kind, text_after(reference, (size_t)colon + 1), &node)) {
		*out = node.id;
		return true;
	}
	return error_set(err, ERROR_NOT_FOUND,
		"the graph has no \"%.*s\": write NAME or KIND:NAME, as in account:aws/deploy",
		(int)(reference.length < REFERENCE_SHOWN_MAX ? reference.length
							     : REFERENCE_SHOWN_MAX),
		reference.data);
}

/* ---- parts ---- */

void graph_put_time(
	struct json_builder *object, const char *name, graph_time at_s, const char *otherwise)
{
	if (at_s == 0)
		json_put_cstring(object, name, otherwise);
	else
		json_put_time(object, name, (int64_t)at_s * 1000);
}

static void put_flags(struct json_builder *object, uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {
		{GRAPH_NODE_HAS_LEFT, "left"},
		{GRAPH_NODE_IS_EXTERNAL, "external"},
		{GRAPH_NODE_IS_VERIFIED, "verified"},
		{GRAPH_NODE_IS_OFF, "off"},
		{GRAPH_NODE_IS_MANAGED, "managed"},
		{GRAPH_NODE_IS_EXPOSED, "exposed"},
		{GRAPH_NODE_IS_STATIC, "static"},
		{GRAPH_NODE_IS_AUTONOMOUS, "autonomous"},
	};
	struct text said[sizeof words / sizeof *words];
	uint32_t count = 0;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if ((flags & words[i].flag) != 0)
			said[count++] = text_of(words[i].word);
	if (count > 0)
		json_put_texts(object, "is", said, count);
}

static void put_word(struct json_builder *object, const char *name, const char *word)
{
	if (word != NULL)
		json_put_cstring(object, name, word);
}

/* ---- a node ---- */

bool graph_node_json(const struct graph_service *service, graph_id id, struct arena *arena,
	struct json *out, struct error *err)
{
	struct json_builder object;
	struct graph_node node;

	(void)graph_node(service->graph, id, &node);
	json_object_start(&object, arena);
	json_put_text(&object, "node", graph_reference(service, id, arena));
	json_put_text_unless_empty(&object, "title", node.title);
	json_put_boolean(&object, "known", (node.flags & GRAPH_NODE_IS_KNOWN) != 0);
	put_flags(&object, node.flags);
	put_word(&object, "kind", identity_kind_word(node.identity_kind));
	put_word(&object, "risk", risk_tier_word(node.risk));
	put_word(&object, "sensitivity", sensitivity_word(node.sensitivity));
	json_put_time_unless_zero(&object, "created", (int64_t)node.created_s * 1000);
	json_put_time_unless_zero(&object, "expires", (int64_t)node.expires_s * 1000);
	json_put_time_unless_zero(&object, "used", (int64_t)node.used_s * 1000);
	json_put_text_unless_empty(&object, "publisher", node.publisher);
	json_put_text_unless_empty(&object, "place", node.place);
	json_put_text_unless_empty(&object, "version", node.version);
	return json_object_seal(&object, out, err);
}

/* ---- an edge ---- */

/* "charter/NAME@3/entitlements/0", where the edge is a line of a charter. */
static void put_policy(const struct graph_service *service, struct json_builder *object,
	struct arena *arena, const struct graph_edge *edge)
{
	struct graph_node from;

	if (edge->origin != GRAPH_ORIGIN_DECLARED || !text_starts_with(edge->why, "charter@") ||
		!text_starts_with(edge->scope, "entitlements/") ||
		!graph_node(service->graph, edge->from, &from))
		return;
	json_put_text(object, "policy",
		text_format(arena, "charter/%.*s%.*s/%.*s", TEXT_ARGS(from.name),
			TEXT_ARGS(text_after(edge->why, sizeof "charter" - 1)),
			TEXT_ARGS(edge->scope)));
}

static void put_unknown(struct json_builder *object, const struct graph_edge *edge)
{
	struct text unknown[3];
	uint32_t count = 0;

	if (edge->by.length == 0)
		unknown[count++] = TEXT("by");
	if (edge->why.length == 0)
		unknown[count++] = TEXT("why");
	if (edge->since_s == 0)
		unknown[count++] = TEXT("since");
	if (count > 0)
		json_put_texts(object, "unknown", unknown, count);
}

static const char *origin_word(enum graph_origin origin)
{
	static const char *const words[] = {
		[GRAPH_ORIGIN_NONE] = NULL,
		[GRAPH_ORIGIN_DECLARED] = "declared",
		[GRAPH_ORIGIN_SEEN] = "seen",
		[GRAPH_ORIGIN_RECORDED] = "recorded",
	};

	return words[origin];
}

static void put_or_unknown(struct json_builder *object, const char *name, struct text text)
{
	json_put_text(object, name, text.length > 0 ? text : TEXT("unknown"));
}

bool graph_edge_json(const struct graph_service *service, graph_id id, struct arena *arena,
	struct json *out, struct error *err)
{
	struct json_builder object;
	struct graph_edge edge;

	(void)graph_edge(service->graph, id, &edge);
	json_object_start(&object, arena);
	json_put_integer(&object, "edge", edge.id);
	json_put_text(&object, "from", graph_reference(service, edge.from, arena));
	put_word(&object, "kind", graph_edge_kind_word(edge.kind));
	json_put_text(&object, "to", graph_reference(service, edge.to, arena));
	effects_put(&object, "effects", edge.effects);
	json_put_text_unless_empty(&object, "scope", edge.scope);
	put_or_unknown(&object, "by", edge.by);
	put_or_unknown(&object, "why", edge.why);
	put_policy(service, &object, arena, &edge);
	graph_put_time(&object, "since", edge.since_s, "unknown");
	graph_put_time(&object, "until", edge.until_s, "no end");
	graph_put_time(&object, "used", edge.used_s, "never seen");
	json_put_integer(&object, "uses", edge.uses);
	json_put_text(&object, "layer", edge.layer);
	put_word(&object, "origin", origin_word(edge.origin));
	put_unknown(&object, &edge);
	return json_object_seal(&object, out, err);
}

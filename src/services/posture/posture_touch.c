/* What a change touches.  A record of the registry names the entries it changed, and the graph
 * the nodes; what hangs on them by one step is looked at again, too.  Where more waits than there
 * is room for, everything is looked at. */
#include <stdio.h>
#include <stdlib.h>

#include "services/posture/posture_private.h"

static bool put_dirty(struct posture *posture, struct text subject, enum dirt dirt)
{
	struct dirty *dirty = NULL;

	if (name_table_count(posture->dirty) < POSTURE_DIRTY_MAX)
		dirty = calloc(1, sizeof *dirty + subject.length);
	if (dirty == NULL)
		return false;
	memcpy(dirty + 1, subject.data, subject.length);
	dirty->subject = (struct text){(const char *)(dirty + 1), subject.length};
	dirty->dirt = dirt;
	if (name_table_put(posture->dirty, subject, dirty))
		return true;
	free(dirty);
	return false;
}

void posture_touch(struct posture *posture, struct text subject, enum dirt dirt)
{
	struct dirty *there;

	if (subject.length == 0 || subject.length > POSTURE_KEY_BYTES_MAX ||
		fold_is_loading(posture->parts.fold))
		return;
	there = name_table_find(posture->dirty, subject);
	if (there == NULL)
		posture->is_over |= !put_dirty(posture, subject, dirt);
	else if (there->dirt < dirt)
		there->dirt = dirt;
}

static void touch_named(struct posture *posture, const char *kind, struct text name, enum dirt dirt)
{
	char subject[POSTURE_KEY_BYTES_MAX];
	int length = snprintf(subject, sizeof subject, "%s/%.*s", kind, TEXT_ARGS(name));

	if (length > 0 && (size_t)length < sizeof subject)
		posture_touch(posture, (struct text){subject, (size_t)length}, dirt);
}

/* ---- the graph ---- */

static void touch_node(struct posture *posture, graph_id id, enum dirt dirt)
{
	struct graph_node node;

	if (graph_node(posture->parts.graph, id, &node))
		touch_named(posture, graph_node_kind_word(node.kind), node.name, dirt);
	else
		posture->pass.is_again = true; /* its row goes with the next pass */
}

void posture_touch_node(struct posture *posture, graph_id node)
{
	touch_node(posture, node, DIRT_ROOT);
}

static void on_touched(void *context, graph_id node)
{
	posture_touch_node(context, node);
}

static bool touch_to(void *context, const struct graph_edge *edge)
{
	touch_node(context, edge->to, DIRT_LEAF);
	return true;
}

static bool touch_from(void *context, const struct graph_edge *edge)
{
	touch_node(context, edge->from, DIRT_LEAF);
	return true;
}

static bool touch_same(void *context, graph_id credential)
{
	touch_node(context, credential, DIRT_LEAF);
	return true;
}

/* Who asks about it when they are looked at: the other ends of its edges. */
static void spread_node(struct posture *posture, const struct graph_node *node)
{
	const struct graph *graph = posture->parts.graph;

	if (node->kind == GRAPH_NODE_PERSON || node->kind == GRAPH_NODE_IDENTITY ||
		node->kind == GRAPH_NODE_ACCOUNT) {
		graph_each_out(graph, node->id, GRAPH_EDGE_OWNS, touch_to, posture);
		graph_each_out(graph, node->id, GRAPH_EDGE_BACKS, touch_to, posture);
		graph_each_out(graph, node->id, GRAPH_EDGE_KEEPS, touch_to, posture);
		graph_each_out(graph, node->id, GRAPH_EDGE_IS, touch_to, posture);
		graph_each_out(graph, node->id, GRAPH_EDGE_HOLDS, touch_to, posture);
	}
	if (node->kind == GRAPH_NODE_ACCOUNT)
		graph_each_in(graph, node->id, GRAPH_EDGE_IS, touch_from, posture);
	if (node->kind == GRAPH_NODE_CREDENTIAL && node->fingerprint.length > 0)
		graph_each_fingerprint(graph, node->fingerprint, touch_same, posture);
}

/* ---- the registry ---- */

static bool touch_entry(void *context, const struct registry_entry *entry)
{
	struct posture *posture = context;

	touch_named(posture, object_kind_word(entry->kind), entry->name, DIRT_LEAF);
	return !posture->is_over;
}

static void touch_all(struct posture *posture, enum object_kind kind)
{
	registry_each(posture->parts.registry, kind, TEXT(""), touch_entry, posture);
}

static void spread_entry(struct posture *posture, enum object_kind kind, struct text name)
{
	const struct registry *registry = posture->parts.registry;
	char issuer[POSTURE_KEY_BYTES_MAX];
	int length;

	if (kind == OBJECT_TOOL)
		registry_each_user(registry, name, TEXT(""), touch_entry, posture);
	if (kind == OBJECT_SERVER || kind == OBJECT_DATA_SOURCE)
		registry_each_sandbox(registry, TEXT(""), touch_entry, posture);
	if (kind == OBJECT_POLICY)
		touch_all(posture, OBJECT_UNIT);
	if (kind == OBJECT_PERSON)
		touch_all(posture, OBJECT_ISSUER);
	if (kind != OBJECT_ISSUER)
		return;
	length = snprintf(issuer, sizeof issuer, "issuer:%.*s", TEXT_ARGS(name));
	if (length > 0 && (size_t)length < sizeof issuer)
		registry_each_user(registry, (struct text){issuer, (size_t)length}, TEXT(""),
			touch_entry, posture);
}

static void touch_partner(void *context, struct text identity)
{
	touch_named(context, "identity", identity, DIRT_LEAF);
}

void posture_spread(struct posture *posture, struct text subject, bool had_shared_key)
{
	enum object_kind kind = object_kind_of(subject_kind(subject));
	struct text name = subject_name(subject);
	struct graph_node node;

	spread_entry(posture, kind, name);
	if (kind == OBJECT_IDENTITY && had_shared_key)
		key_holders_each_partner(posture->key_holders, name, touch_partner, posture);
	if (posture->parts.graph == NULL) {
		posture->pass.is_again |= kind == OBJECT_PERSON;
		return;
	}
	if (graph_find(
		    posture->parts.graph, graph_node_kind_of(subject_kind(subject)), name, &node))
		spread_node(posture, &node);
}

/* ---- records ---- */

static void touch_change(struct posture *posture, const struct json *change)
{
	const char *kind = object_kind_word(object_kind_of(json_text_or(change, "kind", "")));

	if (kind != NULL)
		touch_named(posture, kind, json_text_or(change, "name", ""), DIRT_ROOT);
}

static bool see_registry(void *state, const struct json *record, uint64_t index, struct error *err)
{
	const struct json *changes = json_find(record, "changes");

	(void)index;
	(void)err;
	for (uint32_t i = 0; changes != NULL && i < changes->count; i++)
		touch_change(state, &changes->items[i]);
	return true;
}

static bool touch_holder(void *context, struct text identity)
{
	touch_named(context, "identity", identity, DIRT_LEAF);
	return true;
}

/* A person has a key that they had not, or has one no more: whose charter has it, too. */
static bool see_person_key(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;
	struct text kid = json_text_or(record, "kid", "");
	struct sha256 key = sha256_of(kid.data, kid.length);

	(void)index;
	(void)err;
	key_holders_each(posture->key_holders, &key, touch_holder, posture);
	return true;
}

/* A unit's kill suspends all its identities: everything is looked at. */
static bool see_kill(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;

	(void)index;
	(void)err;
	if (fold_is_loading(posture->parts.fold))
		return true;
	touch_named(posture, "identity", json_text_or(record, "identity", ""), DIRT_ROOT);
	posture->is_over |= text_is(json_text_or(record, "target", ""), "unit");
	return true;
}

/* Something is due of the identity, or was done, or of its excess may stand for a time or may no
 * more.  A waiver of a control names none: it is counted by the telling. */
static bool see_identity(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct text identity = json_text_or(record, "identity", "");

	(void)index;
	(void)err;
	if (identity.length > 0)
		touch_named(state, "identity", identity, DIRT_LEAF);
	return true;
}

/* Whose items they were is not in the record: all identities are looked at, a step a turn. */
static bool see_review(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;

	(void)record;
	(void)index;
	(void)err;
	if (!fold_is_loading(posture->parts.fold))
		posture->pass.is_again = true;
	return true;
}

static bool see_finding(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct posture *posture = state;

	(void)record;
	(void)index;
	(void)err;
	posture->is_changed = true;
	posture->is_room_asked = false;
	return true;
}

bool posture_watch(struct posture *posture, struct error *err)
{
	const struct fold_handler handlers[] = {
		{.type = "registry", .apply = see_registry, .state = posture},
		{.type = "state", .apply = see_registry, .state = posture},
		{.type = "review-decided", .apply = see_registry, .state = posture},
		{.type = "kill", .apply = see_kill, .state = posture},
		{.type = "person-key", .apply = see_person_key, .state = posture},
		{.type = "review-due", .apply = see_identity, .state = posture},
		{.type = "review-done", .apply = see_identity, .state = posture},
		{.type = "review-closed", .apply = see_review, .state = posture},
		{.type = "waiver-approved", .apply = see_identity, .state = posture},
		{.type = "waiver-ended", .apply = see_identity, .state = posture},
		{.type = "finding-opened", .apply = see_finding, .state = posture},
		{.type = "finding-closed", .apply = see_finding, .state = posture},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(posture->parts.fold, &handlers[i], err))
			return false;
	posture->listener = (struct graph_listener){.context = posture, .touched = on_touched};
	if (posture->parts.graph != NULL)
		graph_listen(posture->parts.graph, &posture->listener);
	return true;
}

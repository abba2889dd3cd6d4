/* Checks of what connectors saw.  A check reads the node, its edges, and what is at their other
 * ends. */
#include "domain/control/check_private.h"
#include "domain/graph/derive.h"
#include "domain/review/review.h"

static void put(check_set *out, enum control_check check, bool is_violated)
{
	if (is_violated)
		*out |= check_bit(check);
}

/* What is gathered about one node by walking its edges. */
struct gather {
	const struct control_world *world;
	const struct registry_entry *entry; /* of an identity */
	struct text connector;              /* of an account that was counted */
	graph_id holder;                    /* first that was seen */
	uint32_t environments;
	size_t count;
	size_t edges; /* looked at */
	graph_time used_s;
	graph_time known_s;
	bool is_owned;
	bool has_active;
	bool is_found;
};

static bool is_enough(struct gather *gather)
{
	return ++gather->edges > CHECK_EDGES_MAX;
}

static const struct registry_entry *identity_of(
	const struct gather *gather, graph_id id, struct graph_node *node)
{
	const struct registry *registry = gather->world->registry;

	return graph_node(gather->world->graph, id, node) && node->kind == GRAPH_NODE_IDENTITY
		       ? registry_find(registry, OBJECT_IDENTITY, node->name)
		       : NULL;
}

/* ---- accounts ---- */

static bool see_identity(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	struct graph_node node;
	const struct registry_entry *entry = identity_of(gather, edge->from, &node);

	if (identity_is_in_force(entry)) {
		gather->count++;
		gather->has_active |= entry->state == IDENTITY_ACTIVE;
	}
	return !is_enough(gather);
}

static bool see_owner(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	struct graph_node node;

	gather->is_owned = graph_node(gather->world->graph, edge->from, &node) &&
			   node.kind == GRAPH_NODE_PERSON &&
			   check_person_is_here(gather->world, node.name);
	return !gather->is_owned && !is_enough(gather);
}

static bool see_times(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;

	gather->used_s = later_of(gather->used_s, edge->used_s);
	gather->known_s = later_of(gather->known_s, edge->since_s);
	return !is_enough(gather);
}

struct account_times account_times_of(
	const struct control_world *world, const struct graph_node *account)
{
	struct gather gather = {
		.world = world, .used_s = account->used_s, .known_s = account->created_s};

	graph_each_out(world->graph, account->id, GRAPH_EDGE_NONE, see_times, &gather);
	graph_each_in(world->graph, account->id, GRAPH_EDGE_CONSENTED, see_times, &gather);
	return (struct account_times){.used_s = gather.used_s, .known_s = gather.known_s};
}

static bool see_wide(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	int64_t now_utc_s = gather->world->now_utc_s;
	uint32_t acts = 1U << EFFECT_WRITE | 1U << EFFECT_EXECUTE;

	gather->is_found =
		(edge->effects & acts) != 0 && edge->uses == 0 &&
		(edge->used_s == 0 || is_longer_ago(edge->used_s, CHECK_UNUSED_S, now_utc_s)) &&
		(edge->since_s == 0 || is_longer_ago(edge->since_s, CHECK_UNUSED_S, now_utc_s));
	return !gather->is_found && !is_enough(gather);
}

static void check_use(
	const struct control_world *world, const struct graph_node *account, check_set *out)
{
	struct account_times times = account_times_of(world, account);
	bool is_external = (account->flags & GRAPH_NODE_IS_EXTERNAL) != 0;
	struct gather gather = {.world = world};

	put(out, CHECK_GRANT_UNUSED,
		is_longer_ago(later_of(times.used_s, times.known_s),
			is_external ? CHECK_UNUSED_EXTERNAL_S : CHECK_UNUSED_S, world->now_utc_s));
	if (times.used_s == 0 || is_longer_ago(times.used_s, CHECK_UNUSED_S, world->now_utc_s))
		return;
	graph_each_out(world->graph, account->id, GRAPH_EDGE_MAY, see_wide, &gather);
	put(out, CHECK_GRANT_WIDE, gather.is_found);
}

static bool see_unexplained(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;

	gather->is_found = edge->by.length == 0;
	return !gather->is_found && !is_enough(gather);
}

static bool see_consent(void *context, const struct graph_edge *edge)
{
	(void)edge;
	((struct gather *)context)->is_owned = true;
	return false;
}

/* Who consented to an app gave it what it may. */
static void check_explained(
	const struct control_world *world, const struct graph_node *account, check_set *out)
{
	struct gather gather = {.world = world};

	graph_each_in(world->graph, account->id, GRAPH_EDGE_CONSENTED, see_consent, &gather);
	if (gather.is_owned)
		return;
	graph_each_out(world->graph, account->id, GRAPH_EDGE_MAY, see_unexplained, &gather);
	put(out, CHECK_PERMISSION_UNEXPLAINED, gather.is_found || gather.edges > CHECK_EDGES_MAX);
}

static enum control_check unregistered_check(enum identity_kind kind)
{
	if (kind == KIND_OAUTH_APP)
		return CHECK_GRANT_UNREGISTERED;
	return kind == KIND_API_KEY ? CHECK_KEY_UNREGISTERED : CHECK_ACCOUNT_UNREGISTERED;
}

static void check_account(
	const struct control_world *world, const struct graph_node *account, check_set *out)
{
	struct gather gather = {.world = world};

	graph_each_in(world->graph, account->id, GRAPH_EDGE_IS, see_identity, &gather);
	put(out, unregistered_check(account->identity_kind), gather.count == 0);
	put(out, CHECK_ACCOUNT_UNTYPED, account->identity_kind == KIND_NONE);
	put(out, CHECK_EXTERNAL_UNONBOARDED,
		(account->flags & GRAPH_NODE_IS_EXTERNAL) != 0 && !gather.has_active);
	put(out, CHECK_ACCOUNT_SHARED, gather.count > 1);
	if (gather.count == 0)
		graph_each_in(world->graph, account->id, GRAPH_EDGE_OWNS, see_owner, &gather);
	put(out, CHECK_ACCOUNT_OWNERLESS, gather.count == 0 && !gather.is_owned);
	check_explained(world, account, out);
	check_use(world, account, out);
}

/* ---- credentials ---- */

/* Whether a holder is an identity in force, an account of one, or one that somebody owns. */
static bool see_answering(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	struct gather of_account = {.world = gather->world};
	const struct graph *graph = gather->world->graph;
	struct graph_node node;

	if (identity_is_in_force(identity_of(gather, edge->from, &node))) {
		gather->is_owned = true;
	} else if (node.kind == GRAPH_NODE_ACCOUNT) {
		graph_each_in(graph, edge->from, GRAPH_EDGE_IS, see_identity, &of_account);
		graph_each_in(graph, edge->from, GRAPH_EDGE_OWNS, see_owner, &of_account);
		gather->is_owned = of_account.count > 0 || of_account.is_owned;
	}
	return !gather->is_owned && !is_enough(gather);
}

static bool see_holder(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;

	if (gather->holder == 0)
		gather->holder = edge->from;
	gather->is_found |= gather->holder != edge->from;
	return !gather->is_found && !is_enough(gather);
}

static bool see_same_secret(void *context, graph_id credential)
{
	struct gather *gather = context;
	struct graph_node node;

	if (!graph_node(gather->world->graph, credential, &node) || !node_is_live(&node))
		return true;
	gather->environments |= node.environments;
	if (!gather->is_found)
		graph_each_in(
			gather->world->graph, credential, GRAPH_EDGE_HOLDS, see_holder, gather);
	return !is_enough(gather);
}

static void check_same_secret(
	const struct control_world *world, const struct graph_node *credential, check_set *out)
{
	uint32_t prod = environment_bit(ENVIRONMENT_PROD);
	struct gather gather = {.world = world};

	if (credential->fingerprint.length == 0)
		return;
	graph_each_fingerprint(world->graph, credential->fingerprint, see_same_secret, &gather);
	put(out, CHECK_CREDENTIAL_SHARED, gather.is_found);
	put(out, CHECK_CREDENTIAL_ACROSS,
		(gather.environments & prod) != 0 && (gather.environments & ~prod) != 0);
}

static void check_credential(
	const struct control_world *world, const struct graph_node *credential, check_set *out)
{
	bool is_static = (credential->flags & GRAPH_NODE_IS_STATIC) != 0;
	struct gather owners = {.world = world};
	struct gather holders = {.world = world};

	put(out, CHECK_CREDENTIAL_EXPOSED, (credential->flags & GRAPH_NODE_IS_EXPOSED) != 0);
	put(out, CHECK_CREDENTIAL_UNMANAGED,
		is_static && (credential->flags & GRAPH_NODE_IS_MANAGED) == 0);
	put(out, CHECK_CREDENTIAL_ENDLESS, is_static && credential->expires_s == 0);
	graph_each_in(world->graph, credential->id, GRAPH_EDGE_OWNS, see_owner, &owners);
	graph_each_in(world->graph, credential->id, GRAPH_EDGE_HOLDS, see_answering, &holders);
	put(out, CHECK_CREDENTIAL_OWNERLESS, !owners.is_owned && !holders.is_owned);
	put(out, CHECK_CREDENTIAL_STRAY, holders.edges == 0 && !holders.is_owned);
	check_same_secret(world, credential, out);
}

/* ---- nodes ---- */

/* A line of a charter or what a server is sent: the entry is asked about those. */
static bool is_of_registry(const struct graph_node *credential)
{
	return text_starts_with(credential->name, GRAPH_KEY_PREFIX) ||
	       text_starts_with(credential->name, GRAPH_CERTIFICATE_PREFIX) ||
	       text_starts_with(credential->name, GRAPH_SECRET_PREFIX);
}

static bool see_any(void *context, const struct graph_edge *edge)
{
	(void)edge;
	((struct gather *)context)->is_found = true;
	return false;
}

static bool is_only_named(const struct control_world *world, const struct graph_node *node)
{
	struct gather gather = {.world = world};

	graph_each_in(world->graph, node->id, GRAPH_EDGE_NONE, see_any, &gather);
	if (!gather.is_found)
		graph_each_out(world->graph, node->id, GRAPH_EDGE_NONE, see_any, &gather);
	return gather.is_found;
}

/* People are named who were never registered; the organisation is always there. */
static bool has_to_be(const struct graph_node *node)
{
	return node->kind != GRAPH_NODE_PERSON &&
	       !(node->kind == GRAPH_NODE_UNIT && text_is(node->name, REGISTRY_ORGANISATION));
}

void check_node(const struct control_world *world, const struct graph_node *node, check_set *out)
{
	*out = 0;
	if ((node->flags & GRAPH_NODE_IS_KNOWN) == 0)
		put(out, CHECK_FAR_END_UNKNOWN, has_to_be(node) && is_only_named(world, node));
	else if (!node_is_live(node))
		return;
	else if (node->kind == GRAPH_NODE_ACCOUNT)
		check_account(world, node, out);
	else if (node->kind == GRAPH_NODE_CREDENTIAL && !is_of_registry(node))
		check_credential(world, node, out);
}

/* ---- identities, by their edges ---- */

static struct text connector_of(struct text name)
{
	return text_before(name, '/');
}

/* Counts live accounts that act by themselves, of the connector of one of them. */
static bool see_same_connector(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	struct graph_node node;

	if (graph_node(gather->world->graph, edge->to, &node) && node_is_live(&node) &&
		(node.flags & GRAPH_NODE_IS_AUTONOMOUS) != 0 &&
		text_equal(connector_of(node.name), gather->connector))
		gather->count++;
	return gather->count < 2 && !is_enough(gather);
}

static bool see_account(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	const struct graph *graph = gather->world->graph;
	bool is_there, is_live;
	struct graph_node node;

	is_there = graph_node(graph, edge->to, &node);
	is_live = is_there && node_is_live(&node);
	gather->has_active |= is_live;
	gather->is_owned |= !is_live; /* here: one of them does not live */
	if (is_there) {
		struct account_times times = account_times_of(gather->world, &node);

		gather->used_s = later_of(gather->used_s, times.used_s);
	}
	if (is_live && !gather->is_found && (node.flags & GRAPH_NODE_IS_AUTONOMOUS) != 0) {
		struct gather same = {.world = gather->world, .connector = connector_of(node.name)};

		graph_each_out(graph, edge->from, GRAPH_EDGE_IS, see_same_connector, &same);
		gather->is_found = same.count > 1;
	}
	return !is_enough(gather);
}

static bool declares(const struct registry_entry *entry, struct text peer)
{
	const struct charter *charter = charter_of(entry->in_force);

	for (uint32_t i = 0; i < charter->peers_count; i++)
		if (text_equal(charter->peers[i].identity, peer))
			return true;
	return false;
}

static bool see_hand(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	struct graph_node node;

	gather->is_found = edge->origin != GRAPH_ORIGIN_DECLARED &&
			   graph_node(gather->world->graph, edge->to, &node) &&
			   node.kind == GRAPH_NODE_IDENTITY && !declares(gather->entry, node.name);
	return !gather->is_found && !is_enough(gather);
}

static bool see_use(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;

	gather->used_s = later_of(gather->used_s, edge->used_s);
	return !is_enough(gather);
}

static bool is_dormant(const struct gather *accounts, const struct graph_node *node)
{
	const struct control_world *world = accounts->world;
	struct gather own = {.world = world, .used_s = later_of(node->used_s, node->created_s)};

	graph_each_out(world->graph, node->id, GRAPH_EDGE_NONE, see_use, &own);
	return is_longer_ago(
		later_of(own.used_s, accounts->used_s), CHECK_DORMANT_S, world->now_utc_s);
}

/* Since when it is known; what a connector never dated was there when it was shown. */
static bool see_hop(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;

	if (edge->origin != GRAPH_ORIGIN_SEEN)
		return true;
	gather->is_found |= gather->known_s == 0 || edge->since_s > gather->known_s ||
			    ++gather->count > REVIEW_INHERITED_MAX;
	return !gather->is_found;
}

static bool see_account_hops(void *context, const struct graph_edge *edge)
{
	struct gather *gather = context;
	struct graph_node account;

	if (!graph_node(gather->world->graph, edge->to, &account) || !node_is_live(&account))
		return true;
	graph_each_out(gather->world->graph, edge->to, GRAPH_EDGE_MAY, see_hop, gather);
	if (!gather->is_found)
		graph_each_out(gather->world->graph, edge->to, GRAPH_EDGE_HOLDS, see_hop, gather);
	return !gather->is_found;
}

bool check_has_new_hop(
	const struct control_world *world, const struct registry_entry *entry, int64_t judged_utc_s)
{
	struct gather gather = {.world = world, .known_s = (graph_time)judged_utc_s};
	const struct graph *graph = world->graph;
	struct graph_node node;

	if (graph == NULL || !graph_find(graph, GRAPH_NODE_IDENTITY, entry->name, &node))
		return false;
	graph_each_out(graph, node.id, GRAPH_EDGE_IS, see_account_hops, &gather);
	if (!gather.is_found)
		graph_each_out(graph, node.id, GRAPH_EDGE_USES, see_account_hops, &gather);
	if (!gather.is_found)
		graph_each_out(graph, node.id, GRAPH_EDGE_HOLDS, see_hop, &gather);
	return gather.is_found;
}

void check_identity_edges(
	const struct control_world *world, const struct registry_entry *entry, check_set *out)
{
	struct gather accounts = {.world = world};
	struct gather hands = {.world = world, .entry = entry};
	bool is_active = entry->state == IDENTITY_ACTIVE;
	struct graph_node node;

	if (!graph_find(world->graph, GRAPH_NODE_IDENTITY, entry->name, &node))
		return;
	graph_each_out(world->graph, node.id, GRAPH_EDGE_IS, see_account, &accounts);
	put(out, CHECK_ACCOUNT_ALIVE,
		accounts.has_active &&
			(entry->state == IDENTITY_SUSPENDED || entry->state == IDENTITY_RETIRED));
	put(out, CHECK_ACCOUNT_MISSING, is_active && accounts.is_owned);
	put(out, CHECK_DORMANT, is_active && is_dormant(&accounts, &node));
	if (!identity_is_in_force(entry))
		return;
	put(out, CHECK_IDENTITY_MANY, accounts.is_found);
	graph_each_out(world->graph, node.id, GRAPH_EDGE_HANDS, see_hand, &hands);
	put(out, CHECK_HAND_UNDECLARED, hands.is_found);
}

/* A charter in the graph: its people, its credentials, and what it may. */
#include "domain/charter/owner.h"
#include "domain/charter/standing.h"
#include "domain/graph/deriving.h"

static graph_time earlier(graph_time left, graph_time right)
{
	if (left == 0 || right == 0)
		return left + right;
	return left < right ? left : right;
}

/* Not of peers: their own lines say them. */
static enum graph_node_kind node_kind_of(enum resource_kind kind)
{
	static const enum graph_node_kind kinds[] = {
		[RESOURCE_NONE] = GRAPH_NODE_NONE,
		[RESOURCE_TOOL] = GRAPH_NODE_TOOL,
		[RESOURCE_DATA_SOURCE] = GRAPH_NODE_DATA_SOURCE,
		[RESOURCE_MODEL] = GRAPH_NODE_MODEL,
		[RESOURCE_PEER] = GRAPH_NODE_NONE,
	};

	return kinds[kind];
}

static void derive_entitlements(struct deriving *d, graph_id id, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		enum graph_node_kind kind = node_kind_of(line->resource_kind);
		struct graph_edge may = {
			.kind = GRAPH_EDGE_MAY,
			.from = id,
			.effects = UINT32_C(1) << line->effect,
			.scope = deriving_line(d, "entitlements", line->number),
			.until_s = earlier(graph_time_of(line->expires_utc_s),
				graph_time_of(charter->expires_utc_s)),
		};

		if (kind == GRAPH_NODE_NONE)
			continue;
		may.to = deriving_name(d, kind, line->resource);
		deriving_put(d, &may);
	}
}

static void derive_peers(struct deriving *d, graph_id id, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->peers_count; i++) {
		struct graph_edge hands = {
			.kind = GRAPH_EDGE_HANDS,
			.from = id,
			.to = deriving_name(d, GRAPH_NODE_IDENTITY, charter->peers[i].identity),
			.effects = charter->peers[i].effects,
			.scope = deriving_line(d, "peers", i),
			.until_s = graph_time_of(charter->expires_utc_s),
		};

		deriving_put(d, &hands);
	}
}

/* "key/THUMBPRINT" or "certificate/DIGEST". */
static struct text key_name(struct deriving *d, const struct charter_key *key)
{
	char digest[DIGEST_TEXT_BYTES];

	if (!key->has_certificate)
		return deriving_format(
			d, GRAPH_KEY_PREFIX, charter_key_thumbprint(d->scratch, key));
	digest_format(digest, &key->certificate);
	return deriving_format(d, GRAPH_CERTIFICATE_PREFIX, text_of(digest));
}

/* Whoever has the key is the identity. */
static void derive_keys(struct deriving *d, graph_id id, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->keys_count; i++) {
		const struct charter_key *key = &charter->keys[i];
		struct text name = key_name(d, key);
		struct graph_node node = {
			.kind = GRAPH_NODE_CREDENTIAL,
			.name = name,
			.flags = GRAPH_NODE_IS_STATIC,
			.environments = environment_bit(key->environment),
			.expires_s = graph_time_of(charter_key_end(charter, key)),
			.fingerprint = name,
		};
		graph_id credential = deriving_node(d, &node);
		struct graph_edge edge = {
			.kind = GRAPH_EDGE_HOLDS,
			.from = id,
			.to = credential,
			.scope = deriving_line(d, "keys", i),
			.until_s = node.expires_s,
		};

		deriving_put(d, &edge);
		edge.kind = GRAPH_EDGE_OPENS;
		edge.from = credential;
		edge.to = id;
		deriving_put(d, &edge);
	}
}

static void derive_accounts(struct deriving *d, graph_id id, const struct charter *charter)
{
	for (uint32_t i = 0; i < charter->accounts_count; i++) {
		struct graph_edge is = {
			.kind = GRAPH_EDGE_IS,
			.from = id,
			.to = deriving_name(d, GRAPH_NODE_ACCOUNT, charter->accounts[i]),
			.scope = deriving_line(d, "accounts", i),
		};

		deriving_put(d, &is);
	}
}

/* "3" of "charter@3". */
static struct text version_of(struct deriving *d)
{
	ptrdiff_t at = text_find_byte(d->why, '@');

	return text_after(d->why, at < 0 ? d->why.length : (size_t)at + 1);
}

static graph_id derive_node(struct deriving *d, const struct charter *charter)
{
	struct graph_node node = {
		.kind = GRAPH_NODE_IDENTITY,
		.name = charter->name,
		.flags = d->entry->state == IDENTITY_ACTIVE ? 0 : GRAPH_NODE_IS_OFF,
		.identity_kind = charter->kind,
		.risk = charter->risk,
		.environments = charter->environments,
		.expires_s = graph_time_of(charter->expires_utc_s),
		.version = version_of(d),
	};

	return deriving_node(d, &node);
}

/* Who answers for it now; the backup owner who acknowledged that backs nobody any more. */
static void derive_owners(struct deriving *d, graph_id id, const struct charter *charter)
{
	struct text owner = owner_of(d->entry);

	if (owner.length == 0)
		owner = charter->owner; /* of what is not in force */
	deriving_edge(d, GRAPH_EDGE_OWNS, deriving_name(d, GRAPH_NODE_PERSON, owner), id, "owner");
	if (!text_equal(owner, charter->backup_owner))
		deriving_edge(d, GRAPH_EDGE_BACKS,
			deriving_name(d, GRAPH_NODE_PERSON, charter->backup_owner), id,
			"backup-owner");
}

void derive_identity(struct deriving *d, const struct charter *charter)
{
	graph_id id = derive_node(d, charter);

	derive_owners(d, id, charter);
	deriving_edge(d, GRAPH_EDGE_BELONGS, id, deriving_name(d, GRAPH_NODE_UNIT, charter->unit),
		"unit");
	if (d->entry->in_force == NULL)
		return;
	derive_keys(d, id, charter);
	derive_accounts(d, id, charter);
	if (d->entry->state != IDENTITY_ACTIVE)
		return;
	derive_entitlements(d, id, charter);
	derive_peers(d, id, charter);
}

/* Changes of what identities are at providers, and of what accounts may and do. */
#include "domain/estate/plant.h"

static bool is_live(const struct model_account *account)
{
	return (account->is & GRAPH_NODE_IS_OFF) == 0;
}

void account_use_ago(struct model *model, uint32_t account, double least, double most)
{
	struct model_account *of = &model->accounts[account];

	of->used_s = dice_ago(model, least, most);
	for (uint32_t i = 0; i < of->own_edges; i++) {
		struct model_edge *edge = &model->edges[of->first_edge + i];

		if (edge->used_s > of->used_s)
			edge->used_s = of->used_s;
		if (edge->since_s > of->used_s)
			edge->since_s = of->used_s;
	}
}

/* ---- use ---- */

static bool use_all_ago(struct model *model, uint32_t at, double least, double most)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity))
		return false;
	if (identity->accounts_count == 0 || identity->used_s != 0)
		identity->used_s = dice_ago(model, least, most);
	if (identity->uses == 0)
		identity->uses = 1;
	for (uint32_t i = 0; i < identity->accounts_count; i++)
		account_use_ago(model, identity->accounts[i], least, most);
	return true;
}

bool plant_dormant(struct model *model, uint32_t at)
{
	return use_all_ago(model, at, 45.1, 84);
}

bool near_dormant(struct model *model, uint32_t at)
{
	return use_all_ago(model, at, 38, 43.4);
}

static double unused_days(const struct model_account *account)
{
	return (account->is & GRAPH_NODE_IS_EXTERNAL) != 0 ? 30 : 90;
}

bool plant_unused(struct model *model, uint32_t at)
{
	double days = unused_days(&model->accounts[at]);

	if (!is_live(&model->accounts[at]))
		return false;
	if (model->accounts[at].created_s > dice_ago(model, days + 1, days + 1))
		return false;
	account_use_ago(model, at, days + 0.1, days + 200);
	return true;
}

bool near_unused(struct model *model, uint32_t at)
{
	double days = unused_days(&model->accounts[at]);

	if (!is_live(&model->accounts[at]))
		return false;
	account_use_ago(model, at, days - 6, days - 1.5);
	return true;
}

bool near_ageless(struct model *model, uint32_t at)
{
	struct model_account *account = &model->accounts[at];

	if (!is_live(account))
		return false;
	account->created_s = account->used_s = 0;
	for (uint32_t i = 0; i < account->own_edges; i++) {
		model->edges[account->first_edge + i].used_s = 0;
		model->edges[account->first_edge + i].since_s = 0;
	}
	return true;
}

/* The first right of the account to write or execute. */
static struct model_edge *find_act(struct model *model, uint32_t at)
{
	const struct model_account *account = &model->accounts[at];
	uint32_t acts = 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE;

	for (uint32_t i = 0; i < account->own_edges; i++) {
		struct model_edge *edge = &model->edges[account->first_edge + i];

		if (edge->kind == GRAPH_EDGE_MAY && (edge->effects & acts) != 0)
			return edge;
	}
	return NULL;
}

static bool stop_acting(struct model *model, uint32_t at, int64_t since_s)
{
	struct model_edge *edge = find_act(model, at);

	if (edge == NULL || !is_live(&model->accounts[at]))
		return false;
	edge->uses = 0;
	edge->since_s = since_s;
	edge->used_s = dice_share(&model->random, 500) ? 0 : dice_ago(model, 92, 300);
	if (edge->used_s < edge->since_s)
		edge->used_s = 0;
	return true;
}

bool plant_wide(struct model *model, uint32_t at)
{
	return stop_acting(model, at, dice_ago(model, 92, 400));
}

bool near_wide(struct model *model, uint32_t at)
{
	return stop_acting(model, at, dice_ago(model, 20, 88.4));
}

/* ---- who gave it, and what is declared ---- */

/* A right that nobody is said to have given, of an account that somebody consented to, or not. */
static bool hush(struct model *model, uint32_t at, bool is_consented)
{
	const struct model_account *account = &model->accounts[at];
	struct model_edge *right = NULL;
	bool has_consent = false;

	for (uint32_t i = 0; i < account->own_edges; i++) {
		struct model_edge *edge = &model->edges[account->first_edge + i];

		has_consent |= edge->kind == GRAPH_EDGE_CONSENTED;
		if (edge->kind == GRAPH_EDGE_MAY)
			right = edge;
	}
	if (right == NULL || has_consent != is_consented || !is_live(account))
		return false;
	right->by = NOTHING;
	return true;
}

bool plant_unexplained(struct model *model, uint32_t at)
{
	return hush(model, at, false);
}

bool near_unexplained(struct model *model, uint32_t at)
{
	return hush(model, at, true);
}

/* The one thing that its only account may do, which is to read; NULL: it may do others. */
static struct model_edge *only_right(struct model *model, const struct model_identity *identity)
{
	const struct model_account *account;
	struct model_edge *edge;

	if (!is_plain(identity) || identity->accounts_count != 1 || identity->missing.length > 0)
		return NULL;
	account = &model->accounts[identity->accounts[0]];
	edge = &model->edges[account->first_edge];
	if (!is_live(account) || account->own_edges == 0 || edge->kind != GRAPH_EDGE_MAY ||
		(account->own_edges > 1 && edge[1].kind == GRAPH_EDGE_MAY) ||
		edge->effects != 1u << EFFECT_READ)
		return NULL;
	return edge;
}

/* Declares what its account opens, which is a data source where it works. */
static struct model_edge *declare(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];
	struct model_edge *edge = only_right(model, identity);
	const struct model_source *source;
	uint32_t source_at;

	if (edge == NULL)
		return NULL;
	source_at = model->resources[edge->to].source;
	if (source_at == NOTHING)
		source_at = dice_below(&model->random, model->sources_count);
	source = &model->sources[source_at];
	if (source->sensitivity == SENSITIVITY_UNLABELLED ||
		(identity->environments & environment_bit(source->environment)) == 0)
		return NULL;
	model->resources[edge->to].source = source_at;
	identity->declares = source_at;
	return edge;
}

bool plant_excess(struct model *model, uint32_t at)
{
	struct model_edge *edge = declare(model, at);

	if (edge != NULL)
		edge->effects |= 1u << EFFECT_WRITE;
	return edge != NULL;
}

bool near_excess(struct model *model, uint32_t at)
{
	return declare(model, at) != NULL;
}

/* ---- what reviews have seen ---- */

bool plant_unreviewed(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity))
		return false;
	identity->judged_s = dice_share(&model->random, 500) ? 0 : dice_ago(model, 90.1, 200);
	return true;
}

bool near_unreviewed(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || !identity->has_review || identity->accounts_count > 0)
		return false;
	identity->judged_s = dice_ago(model, 82, 88.4);
	return true;
}

/* A right that its account got after the review. */
bool plant_hidden(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];
	const struct model_account *account;
	struct model_edge *edge;

	if (!is_plain(identity) || identity->accounts_count == 0)
		return false;
	account = &model->accounts[identity->accounts[0]];
	edge = &model->edges[account->first_edge];
	if (!is_live(account) || account->own_edges == 0 || edge->kind != GRAPH_EDGE_MAY ||
		account->used_s <= identity->judged_s)
		return false;
	edge->since_s = edge->used_s = identity->judged_s + 60;
	return true;
}

/* ---- whose it is ---- */

bool plant_ownerless(struct model *model, uint32_t at)
{
	struct model_account *account = &model->accounts[at];

	if (account->identity != NOTHING)
		return false;
	account->owner = NOTHING;
	if (dice_share(&model->random, 300))
		account->stranger =
			say(model, "contractor%u@agency.example", dice_below(&model->random, 1000));
	return true;
}

static bool is_of_plain(const struct model *model, uint32_t at)
{
	uint32_t identity = model->accounts[at].identity;

	return identity != NOTHING && is_plain(&model->identities[identity]);
}

bool near_ownerless(struct model *model, uint32_t at)
{
	if (!is_live(&model->accounts[at]) || !is_of_plain(model, at))
		return false;
	model->accounts[at].owner = NOTHING;
	return true;
}

bool plant_unonboarded(struct model *model, uint32_t at)
{
	struct model_account *account = &model->accounts[at];

	if (account->kind != KIND_OAUTH_APP || is_of_plain(model, at))
		return false;
	account->is = (account->is | GRAPH_NODE_IS_EXTERNAL) & ~(uint32_t)GRAPH_NODE_IS_OFF;
	return true;
}

bool plant_alive(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (identity->state == IDENTITY_ACTIVE && is_plain(identity) &&
		identity->accounts_count > 0)
		identity->state =
			dice_share(&model->random, 500) ? IDENTITY_SUSPENDED : IDENTITY_RETIRED;
	if (identity->state == IDENTITY_ACTIVE || identity->accounts_count == 0)
		return false;
	model->accounts[identity->accounts[0]].is &= ~(uint32_t)GRAPH_NODE_IS_OFF;
	return true;
}

bool plant_missing(struct model *model, uint32_t at)
{
	struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || identity->missing.length > 0)
		return false;
	if (identity->accounts_count > 0 && dice_share(&model->random, 500))
		model->accounts[identity->accounts[0]].is |= GRAPH_NODE_IS_OFF;
	else
		identity->missing = say(model, "%s/gone-%u",
			connector_names[dice_below(&model->random, MODEL_CONNECTORS)],
			(unsigned)(at + 1));
	return true;
}

/* Another identity of that state says it is the account, too. */
static bool share_account(struct model *model, uint32_t at, enum identity_state state)
{
	uint32_t other_at = dice_below(&model->random, model->identities_count);
	struct model_identity *other = &model->identities[other_at];

	if (!is_live(&model->accounts[at]) || !is_of_plain(model, at) || other->is_sandbox ||
		other->state != state || other->accounts_count == MODEL_ACCOUNTS_MAX)
		return false;
	for (uint32_t i = 0; i < other->accounts_count; i++)
		if (other->accounts[i] == at)
			return false;
	other->accounts[other->accounts_count++] = at;
	other->is_past = true; /* no plan would take it today */
	return true;
}

bool plant_shared_account(struct model *model, uint32_t at)
{
	return share_account(model, at, IDENTITY_ACTIVE);
}

bool near_shared_account(struct model *model, uint32_t at)
{
	return share_account(model, at, IDENTITY_RETIRED);
}

/* A second account at the provider of its first, made of one that nobody registered. */
static bool add_second(struct model *model, uint32_t at, uint32_t is, uint32_t is_not)
{
	struct model_identity *identity = &model->identities[at];
	const struct model_account *first;
	uint32_t shadows = model->order->identities / 10;
	uint32_t second = model->accounts_count - 1 - dice_below(&model->random, shadows);

	if (!is_plain(identity) || identity->accounts_count == 0 ||
		identity->accounts_count == MODEL_ACCOUNTS_MAX ||
		model->accounts[second].identity != NOTHING)
		return false;
	first = &model->accounts[identity->accounts[0]];
	if (first->connector != model->accounts[second].connector || !is_live(first))
		return false;
	model->accounts[identity->accounts[0]].is |= GRAPH_NODE_IS_AUTONOMOUS;
	model->accounts[second].is = (model->accounts[second].is | is) & ~is_not;
	model->accounts[second].identity = at;
	identity->accounts[identity->accounts_count++] = second;
	return true;
}

bool plant_many(struct model *model, uint32_t at)
{
	return add_second(model, at, GRAPH_NODE_IS_AUTONOMOUS, GRAPH_NODE_IS_OFF);
}

bool near_many(struct model *model, uint32_t at)
{
	if (dice_share(&model->random, 500))
		return add_second(model, at, GRAPH_NODE_IS_AUTONOMOUS | GRAPH_NODE_IS_OFF, 0);
	return add_second(model, at, 0, GRAPH_NODE_IS_AUTONOMOUS | GRAPH_NODE_IS_OFF);
}

/* ---- hops, and ends that nothing has ---- */

static bool add_hand(struct model *model, uint32_t from, uint32_t to)
{
	struct model_edge *edge;

	if (model->identities[from].has_hand)
		return false;
	edge = ADD(model, edges);
	if (edge == NULL)
		return false;
	model->identities[from].has_hand = true;
	edge->connector = dice_below(&model->random, MODEL_CONNECTORS);
	edge->kind = GRAPH_EDGE_HANDS;
	edge->by = NOTHING;
	edge->from_kind = edge->to_kind = END_IDENTITY;
	edge->from = from;
	edge->to = to;
	edge->used_s = dice_ago(model, 0, 20);
	edge->uses = dice_tail(&model->random, 900);
	return true;
}

bool plant_hand(struct model *model, uint32_t at)
{
	uint32_t to = dice_below(&model->random, model->identities_count);
	const struct model_identity *identity = &model->identities[at];

	if (!is_plain(identity) || to == at || to == identity->peer)
		return false;
	return add_hand(model, at, to);
}

bool near_hand(struct model *model, uint32_t at)
{
	const struct model_identity *identity = &model->identities[at];

	return is_plain(identity) && identity->peer != NOTHING &&
	       add_hand(model, at, identity->peer);
}

bool plant_unknown(struct model *model, uint32_t at)
{
	struct model_edge *edge = ADD(model, edges);
	unsigned number = (unsigned)model->edges_count;

	if (edge == NULL)
		return false;
	edge->connector = model->accounts[at].connector;
	edge->from = at;
	edge->to_kind = END_UNKNOWN;
	edge->by = NOTHING;
	edge->since_s = dice_ago(model, 0, 80);
	edge->used_s = edge->since_s;
	edge->uses = 1;
	switch (dice_below(&model->random, 3)) {
	case 0:
		edge->kind = GRAPH_EDGE_USES;
		edge->unknown = say(model, "account:/okta/0oa%u", number);
		break;
	case 1:
		edge->kind = GRAPH_EDGE_MAY;
		edge->effects = 1u << EFFECT_READ;
		edge->unknown = say(model, "tool:legacy-%u/get", number);
		break;
	default:
		edge->kind = GRAPH_EDGE_MAY;
		edge->effects = 1u << EFFECT_READ;
		edge->unknown = say(model, "data-source:share-%u", number);
		break;
	}
	return true;
}

/* What several have together, added up: by sorting what is the same side by side. */
#include "domain/estate/rules.h"

#include <stdlib.h>

/* One that has the secret. */
struct having {
	uint64_t secret;
	uint32_t at;
	uint32_t environments;
};

static int by_secret(const void *left, const void *right)
{
	const struct having *a = left, *b = right;

	if (a->secret != b->secret)
		return a->secret < b->secret ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static bool is_both(uint32_t environments)
{
	uint32_t prod = environment_bit(ENVIRONMENT_PROD);

	return (environments & prod) != 0 && (environments & ~prod) != 0;
}

/* Calls join with each run of the same secret. */
static void each_run(struct model *model, struct having *all, uint32_t count,
	void (*join)(struct model *model, const struct having *run, uint32_t length))
{
	qsort(all, count, sizeof *all, by_secret);
	for (uint32_t first = 0, end; first < count; first = end) {
		for (end = first + 1; end < count && all[end].secret == all[first].secret; end++)
			continue;
		join(model, all + first, end - first);
	}
}

/* ---- keys of charters ---- */

static void join_keys(struct model *model, const struct having *run, uint32_t length)
{
	uint32_t environments = 0;

	for (uint32_t i = 0; i < length; i++)
		environments |= run[i].environments;
	for (uint32_t i = 0; i < length; i++) {
		struct model_identity *identity = &model->identities[run[i].at];

		identity->has_shared_key |= run[0].at != run[length - 1].at;
		identity->has_key_across |= is_both(environments);
	}
}

static void join_all_keys(struct model *model)
{
	struct having *all = arena_array(
		model->arena, struct having, (size_t)model->identities_count * MODEL_KEYS_MAX + 1);
	uint32_t count = 0;

	model->has_failed |= all == NULL;
	for (uint32_t i = 0; all != NULL && i < model->identities_count; i++) {
		const struct model_identity *identity = &model->identities[i];

		for (uint32_t j = 0; identity_in_force(identity) && j < identity->keys_count; j++)
			all[count++] = (struct having){identity->keys[j].secret, i,
				environment_bit(identity->keys[j].environment)};
	}
	if (all != NULL)
		each_run(model, all, count, join_keys);
}

/* ---- secrets that connectors see ---- */

static void join_secrets(struct model *model, const struct having *run, uint32_t length)
{
	uint32_t environments = 0, holder = NOTHING;
	bool has_two = false;

	for (uint32_t i = 0; i < length; i++) {
		const struct model_credential *credential = &model->credentials[run[i].at];

		environments |= run[i].environments;
		for (uint32_t j = 0; j < credential->holders_count; j++) {
			has_two |= holder != NOTHING && holder != credential->holders[j];
			holder = credential->holders[j];
		}
	}
	for (uint32_t i = 0; i < length; i++) {
		model->credentials[run[i].at].is_shared = has_two;
		model->credentials[run[i].at].is_across = is_both(environments);
	}
}

static void join_all_secrets(struct model *model)
{
	struct having *all =
		arena_array(model->arena, struct having, model->credentials_count + (size_t)1);
	uint32_t count = 0;

	model->has_failed |= all == NULL;
	for (uint32_t i = 0; all != NULL && i < model->credentials_count; i++) {
		const struct model_credential *credential = &model->credentials[i];

		if ((credential->is & GRAPH_NODE_IS_OFF) == 0)
			all[count++] =
				(struct having){credential->secret, i, credential->environments};
	}
	if (all != NULL)
		each_run(model, all, count, join_secrets);
}

/* ---- edges ---- */

static bool is_wide(const struct model *model, const struct model_edge *edge)
{
	uint32_t acts = 1u << EFFECT_WRITE | 1u << EFFECT_EXECUTE;
	int64_t line_s = model->order->at_utc_s - (int64_t)90 * MODEL_DAY_S;

	return edge->kind == GRAPH_EDGE_MAY && (edge->effects & acts) != 0 && edge->uses == 0 &&
	       edge->used_s < line_s && edge->since_s < line_s;
}

/* What is at the far end of a right: a data source that a charter can name, or not. */
static void join_right(
	struct model *model, struct model_account *account, const struct model_edge *edge)
{
	uint32_t source =
		edge->to_kind == END_RESOURCE ? model->resources[edge->to].source : NOTHING;

	account->has_unexplained |= edge->by == NOTHING;
	account->has_hop = true;
	if (edge->since_s > account->hops_since_s)
		account->hops_since_s = edge->since_s;
	if (edge->to_kind == END_UNKNOWN) {
		account->has_undeclared |= text_starts_with(edge->unknown, "data-source:");
	} else if (source == NOTHING || edge->effects != 1u << EFFECT_READ) {
		account->has_undeclared = true;
	} else {
		account->has_undeclared |=
			account->read_source != NOTHING && account->read_source != source;
		account->read_source = source;
	}
}

static void join_edge(struct model *model, const struct model_edge *edge)
{
	struct model_account *account = NULL;

	if (edge->kind == GRAPH_EDGE_HANDS) {
		struct model_identity *identity = &model->identities[edge->from];

		identity->has_other_hand |= edge->to != identity->peer;
		if (edge->used_s > identity->hands_used_s)
			identity->hands_used_s = edge->used_s;
		return;
	}
	account = &model->accounts[edge->kind == GRAPH_EDGE_CONSENTED ? edge->to : edge->from];
	if (edge->used_s > account->edges_used_s)
		account->edges_used_s = edge->used_s;
	if (edge->since_s > account->edges_since_s)
		account->edges_since_s = edge->since_s;
	account->has_wide |= is_wide(model, edge);
	account->has_consent |= edge->kind == GRAPH_EDGE_CONSENTED;
	if (edge->kind == GRAPH_EDGE_MAY)
		join_right(model, account, edge);
}

void model_join(struct model *model)
{
	for (uint32_t i = 0; i < model->identities_count; i++) {
		const struct model_identity *identity = &model->identities[i];

		for (uint32_t j = 0; j < identity->accounts_count; j++) {
			struct model_account *account = &model->accounts[identity->accounts[j]];

			account->identities += identity_in_force(identity);
			account->active += identity->state == IDENTITY_ACTIVE;
		}
	}
	for (uint32_t i = 0; i < model->edges_count; i++)
		join_edge(model, &model->edges[i]);
	join_all_keys(model);
	join_all_secrets(model);
}

bool rule_key_shared(const struct model *model, uint32_t at)
{
	return model->identities[at].has_shared_key;
}

bool rule_key_across(const struct model *model, uint32_t at)
{
	return model->identities[at].has_key_across;
}

bool rule_credential_shared(const struct model *model, uint32_t at)
{
	return model->credentials[at].is_shared;
}

bool rule_credential_across(const struct model *model, uint32_t at)
{
	return model->credentials[at].is_across;
}

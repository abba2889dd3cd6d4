/* What is wrong, and what only looks so.  Each row changes something that was in order, of a
 * subject that the dice choose; what follows for others (who owned what a leaver owned) is left
 * to answers.c, which reads what is there in the end.  A near miss keeps a day and a half from
 * the line, so that it stays one while somebody tries it. */
#include "domain/estate/plant.h"

enum { TRIES = 40 };

struct plant {
	const char *check;
	const char *why; /* of a near miss; NULL: it is wrong */
	/* How many: so many of a thousand of the list, at least some. */
	uint32_t of_thousand;
	uint32_t least;
	uint32_t (*size)(const struct model *model);
	/* False: this one is not of the kind that is needed. */
	bool (*change)(struct model *model, uint32_t at);
};

static uint32_t people_size(const struct model *model)
{
	return model->people_count;
}

static uint32_t units_size(const struct model *model)
{
	return model->units_count;
}

static uint32_t servers_size(const struct model *model)
{
	return model->servers_count;
}

static uint32_t tools_size(const struct model *model)
{
	return model->tools_count;
}

static uint32_t sources_size(const struct model *model)
{
	return model->sources_count;
}

static uint32_t issuers_size(const struct model *model)
{
	return model->issuers_count;
}

static uint32_t identities_size(const struct model *model)
{
	return model->identities_count;
}

static uint32_t accounts_size(const struct model *model)
{
	return model->accounts_count;
}

static uint32_t credentials_size(const struct model *model)
{
	return model->credentials_count;
}

/* In the order in which they are done: who leaves comes first, and what needs many of a kind
 * before what needs one that nothing was done to. */
static const struct plant plants[] = {
	{"owner-gone", NULL, 30, 2, people_size, plant_leaver},
	{"owner-gone", NULL, 20, 2, people_size, plant_mover}, /* no answer: they are here */
	{"issuer-unowned", NULL, 60, 2, issuers_size, plant_deserted},
	{"issuer-unowned", "one of its unit is still here", 60, 1, issuers_size, near_deserted},
	{"unit-ungoverned", NULL, 80, 1, units_size, plant_ungoverned},
	{"secret-static", NULL, 60, 2, servers_size, plant_secret},
	{"tool-unpinned", NULL, 40, 3, tools_size, plant_unpinned},
	{"reversal-unsaid", NULL, 15, 2, tools_size, plant_unsaid},
	{"line-unchecked", NULL, 8, 1, tools_size, plant_unrated},
	{"source-unlabelled", NULL, 40, 2, sources_size, plant_unlabelled},
	{"charter-over", NULL, 8, 3, identities_size, plant_over},
	{"charter-over", "it ends in some days", 8, 2, identities_size, near_over},
	{"sandbox-escape", NULL, 4, 4, identities_size, plant_escape},
	{"sandbox-escape", "a sandbox as it should be", 4, 3, identities_size, near_escape},
	{"risk-missing", NULL, 15, 3, identities_size, plant_no_impact},
	{"review-missing", NULL, 20, 3, identities_size, plant_no_review},
	{"risk-unaccepted", NULL, 15, 3, identities_size, plant_unaccepted},
	{"risk-unaccepted", "it is accepted for some days more", 10, 3, identities_size,
		near_unaccepted},
	{"review-overdue", NULL, 15, 4, identities_size, plant_overdue},
	{"review-overdue", "its day is near and not over", 10, 4, identities_size, near_overdue},
	{"key-endless", NULL, 10, 3, identities_size, plant_endless_key},
	{"key-endless", "its charter ends within 400 days", 10, 3, identities_size,
		near_endless_key},
	{"token-unbound", NULL, 10, 3, identities_size, plant_unbound},
	{"token-unbound", "its risk is not high", 10, 3, identities_size, near_unbound},
	{"key-shared", NULL, 4, 3, identities_size, plant_shared_key},
	{"key-shared", "the other one is retired", 4, 2, identities_size, near_shared_key},
	{"key-across", NULL, 3, 3, identities_size, plant_key_across},
	{"key-across", "both are for environments before prod", 3, 2, identities_size,
		near_key_across},
	{"rule-wildcard", NULL, 6, 3, identities_size, plant_wildcard},
	{"rule-wildcard", "a claim says is", 6, 2, identities_size, near_wildcard},
	{"rule-dangling", NULL, 3, 2, identities_size, plant_dangling},
	{"rule-by-name", NULL, 6, 3, identities_size, plant_by_name},
	{"line-irreversible", NULL, 10, 3, identities_size, plant_unasked},
	{"dormant", NULL, 15, 3, identities_size, plant_dormant},
	{"dormant", "it was used some 40 days ago", 15, 3, identities_size, near_dormant},
	{"account-alive", NULL, 6, 3, identities_size, plant_alive},
	{"account-missing", NULL, 6, 4, identities_size, plant_missing},
	{"account-shared", NULL, 5, 3, accounts_size, plant_shared_account},
	{"account-shared", "the other identity is retired", 5, 2, accounts_size,
		near_shared_account},
	{"identity-many", NULL, 5, 3, identities_size, plant_many},
	{"identity-many", "the other account is off, or acts for people", 5, 3, identities_size,
		near_many},
	{"hand-undeclared", NULL, 4, 3, identities_size, plant_hand},
	{"hand-undeclared", "its charter names the peer", 10, 2, identities_size, near_hand},
	{"far-end-unknown", NULL, 5, 4, accounts_size, plant_unknown},
	{"account-ownerless", NULL, 15, 3, accounts_size, plant_ownerless},
	{"account-ownerless", "it has no owner and is an identity in force", 15, 3, accounts_size,
		near_ownerless},
	{"external-unonboarded", NULL, 5, 2, accounts_size, plant_unonboarded},
	{"grant-unused", NULL, 15, 4, accounts_size, plant_unused},
	{"grant-unused", "it was used some days before the line", 15, 4, accounts_size,
		near_unused},
	{"grant-unused", "nothing is known of its age or use", 4, 2, accounts_size, near_ageless},
	{"grant-wide", NULL, 15, 3, accounts_size, plant_wide},
	{"grant-wide", "it may write since some weeks only", 15, 3, accounts_size, near_wide},
	{"permission-unexplained", NULL, 15, 3, accounts_size, plant_unexplained},
	{"permission-unexplained", "somebody consented to it", 15, 3, accounts_size,
		near_unexplained},
	{"hop-unreviewed", NULL, 10, 3, identities_size, plant_unreviewed},
	{"hop-unreviewed", "its review is near and not over", 10, 3, identities_size,
		near_unreviewed},
	{"hop-unreviewed", NULL, 10, 3, identities_size, plant_hidden},
	{"excess-open", NULL, 15, 3, identities_size, plant_excess},
	{"excess-open", "it declares all that its account opens", 15, 3, identities_size,
		near_excess},
	{"credential-exposed", NULL, 5, 3, credentials_size, plant_exposed},
	{"credential-exposed", "it is off", 5, 2, credentials_size, near_exposed},
	{"credential-shared", NULL, 8, 3, credentials_size, plant_shared_secret},
	{"credential-shared", "both are held by one account", 8, 3, credentials_size,
		near_shared_secret},
	{"credential-across", NULL, 6, 3, credentials_size, plant_across},
	{"credential-across", "dev and test have the same, prod has not", 6, 2, credentials_size,
		near_across},
	{"credential-unmanaged", NULL, 20, 3, credentials_size, plant_unmanaged},
	{"credential-endless", NULL, 20, 3, credentials_size, plant_endless},
	{"credential-ownerless", NULL, 10, 2, credentials_size, plant_unowned},
	{"credential-stray", NULL, 8, 3, credentials_size, plant_stray},
};

static void plant_one(struct model *model, const struct plant *plant)
{
	for (int i = 0; i < TRIES && !model->has_failed; i++) {
		uint32_t at = dice_below(&model->random, plant->size(model));

		if (!plant->change(model, at))
			continue;
		if (plant->why != NULL)
			model_near_add(model, plant->check, at, plant->why);
		return;
	}
}

/* No plan takes a charter that names who is not there. */
static void drop_past_peers(struct model *model)
{
	for (uint32_t i = 0; i < model->identities_count; i++) {
		struct model_identity *identity = &model->identities[i];

		if (!identity->is_past && identity->peer != NOTHING &&
			model->identities[identity->peer].is_past)
			identity->peer = NOTHING;
	}
}

void model_plant(struct model *model)
{
	for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
		uint64_t share = (uint64_t)plants[i].size(model) * plants[i].of_thousand / 1000;
		uint32_t count = share < plants[i].least ? plants[i].least : (uint32_t)share;

		for (uint32_t j = 0; j < count && !model->has_failed; j++)
			plant_one(model, &plants[i]);
	}
	drop_past_peers(model);
}

/* What connectors see: an account or two of most identities, some that nobody registered, what
 * each may, and the credentials they hold. */
#include "domain/estate/model.h"

#include <string.h>

static const char *const scopes[][3] = {{"s3:GetObject", "s3:PutObject", "lambda:InvokeFunction"},
	{"roles/storage.objectViewer", "roles/storage.objectUser", "roles/run.invoker"},
	{"Files.Read.All", "Files.ReadWrite.All", "Application.ReadWrite.OwnedBy"},
	{"contents:read", "contents:write", "actions:write"},
	{"drive.readonly", "drive", "script.projects"},
	{"channels:history", "chat:write", "commands"}, {"read", "write", "run"},
	{"get", "update", "create pods/exec"}, {"SELECT", "UPDATE", "EXECUTE"}};
static const char *const titles[] = {"Nightly export", "Customer mail", "Meeting notes",
	"Ledger sync", "Release notes", "Data quality", "Order watch", "Survey helper",
	"Ticket router", "Price feed"};

#define COUNT_OF(items) (sizeof(items) / sizeof *(items))

enum {
	CONNECTOR_AWS,
	CONNECTOR_GCP,
	CONNECTOR_ENTRA,
	CONNECTOR_GITHUB,
	CONNECTOR_GOOGLE,
	CONNECTOR_SLACK,
	CONNECTOR_N8N,
	CONNECTOR_KUBERNETES,
	CONNECTOR_WAREHOUSE
};

static struct text some_id(struct model *model, uint32_t connector, uint32_t index)
{
	unsigned number = index + 1;
	unsigned long long random = dice_next(&model->random);

	switch (connector) {
	case CONNECTOR_AWS:
		return say(model, "arn:aws:iam::4920%08llu:role/r-%u", random % 100000000, number);
	case CONNECTOR_GCP:
		return say(model, "sa-%u@prj-%llu.iam.gserviceaccount.com", number, random % 97);
	case CONNECTOR_ENTRA:
		return say(model, "%08llx-0000-4000-8000-%012x", random >> 32, number);
	case CONNECTOR_GITHUB: return say(model, "app-%u", 100000 + number);
	case CONNECTOR_GOOGLE:
		return say(model, "%u.apps.googleusercontent.com", 700000000 + number);
	case CONNECTOR_SLACK: return say(model, "A%010X", number);
	case CONNECTOR_N8N: return say(model, "w%u", number);
	case CONNECTOR_KUBERNETES: return say(model, "ns-%llu/sa-%u", random % 40, number);
	default: return say(model, "role_%u", number);
	}
}

static enum identity_kind kind_at(struct model *model, uint32_t connector)
{
	if (connector == CONNECTOR_ENTRA || connector == CONNECTOR_GITHUB ||
		connector == CONNECTOR_GOOGLE || connector == CONNECTOR_SLACK)
		return KIND_OAUTH_APP;
	if (connector == CONNECTOR_N8N)
		return KIND_WORKFLOW;
	if (connector == CONNECTOR_AWS && dice_share(&model->random, 200))
		return KIND_API_KEY;
	return dice_share(&model->random, 60) ? KIND_AGENT : KIND_SERVICE_ACCOUNT;
}

/* ---- what it may ---- */

static uint32_t some_resource(struct model *model, uint32_t connector)
{
	/* A few for each connector, before all others, in turn. */
	uint32_t each = model->resources_count / MODEL_CONNECTORS;

	return dice_below(&model->random, each) * MODEL_CONNECTORS + connector;
}

/* A connector tells of each scope on each resource once. */
static bool has_right(const struct model *model, uint32_t at, uint32_t resource, const char *scope)
{
	for (uint32_t i = model->accounts[at].first_edge; i < model->edges_count; i++)
		if (model->edges[i].to == resource && model->edges[i].scope == scope)
			return true;
	return false;
}

static void add_right(struct model *model, uint32_t at, uint32_t which)
{
	static const enum effect effects[] = {EFFECT_READ, EFFECT_WRITE, EFFECT_EXECUTE};
	const struct model_account account = model->accounts[at];
	uint32_t effect = which == 0 ? 0 : dice_below(&model->random, COUNT_OF(effects));
	uint32_t resource = some_resource(model, account.connector);
	const char *scope = scopes[account.connector][effect];
	struct model_edge *edge;

	if (has_right(model, at, resource, scope))
		return;
	edge = ADD(model, edges);
	if (edge == NULL)
		return;
	edge->connector = account.connector;
	edge->kind = GRAPH_EDGE_MAY;
	edge->from = at;
	edge->to_kind = END_RESOURCE;
	edge->to = resource;
	edge->scope = scope;
	edge->by = account.creator != NOTHING ? account.creator : account.owner;
	edge->effects = 1u << effects[effect];
	edge->since_s = account.created_s + dice_below(&model->random, 40 * MODEL_DAY_S);
	edge->used_s = account.used_s - dice_below(&model->random, 20 * MODEL_DAY_S);
	if (edge->used_s < edge->since_s)
		edge->used_s = edge->since_s;
	edge->uses = dice_tail(&model->random, 50000);
}

static void add_consent(struct model *model, uint32_t at)
{
	const struct model_account account = model->accounts[at];
	struct model_edge *edge = ADD(model, edges);

	if (edge == NULL)
		return;
	edge->connector = account.connector;
	edge->kind = GRAPH_EDGE_CONSENTED;
	edge->by = NOTHING;
	edge->from_kind = END_PERSON;
	edge->from = dice_below(&model->random, model->people_count);
	edge->to = at;
	edge->scope = scopes[account.connector][0];
	edge->effects = 1u << EFFECT_READ;
	edge->since_s = account.created_s;
	edge->used_s = account.used_s;
	edge->uses = dice_tail(&model->random, 900);
}

/* ---- credentials ---- */

static void add_credential(struct model *model, uint32_t account)
{
	const struct model_account of = model->accounts[account];
	struct model_credential *credential = ADD(model, credentials);

	if (credential == NULL)
		return;
	credential->connector = of.connector;
	credential->id =
		say(model, "k-%010llx%u", (unsigned long long)(dice_next(&model->random) >> 24),
			(unsigned)model->credentials_count);
	credential->secret = dice_next(&model->random) | 1;
	credential->environments = of.environments;
	credential->owner = dice_share(&model->random, 300) ? of.owner : NOTHING;
	credential->created_s = of.created_s;
	credential->used_s = of.used_s;
	credential->expires_s = dice_ahead(model, 5, 300);
	if (dice_share(&model->random, 600))
		credential->is = GRAPH_NODE_IS_STATIC | GRAPH_NODE_IS_MANAGED;
	else if (dice_share(&model->random, 300))
		credential->expires_s = 0; /* it is minted each time: no secret that stays */
	if (dice_share(&model->random, 40))
		credential->is |= GRAPH_NODE_IS_OFF;
	credential->holders[0] = account;
	credential->holders_count = 1;
}

/* ---- accounts ---- */

static uint32_t add_account(struct model *model, uint32_t connector, uint32_t owner)
{
	struct model_account *account = ADD(model, accounts);
	uint32_t at = model->accounts_count - 1;
	uint32_t rights = dice_tail(&model->random, 6);

	if (account == NULL)
		return NOTHING;
	account->connector = connector;
	account->id = some_id(model, connector, at);
	account->title = titles[dice_below(&model->random, COUNT_OF(titles))];
	account->kind = kind_at(model, connector);
	account->owner = owner;
	account->identity = NOTHING;
	account->read_source = NOTHING;
	account->creator = dice_share(&model->random, 700)
				   ? dice_below(&model->random, model->people_count)
				   : NOTHING;
	account->unit = dice_share(&model->random, 500) ? model->people[owner].unit : NOTHING;
	account->created_s = dice_ago(model, 120, 900);
	account->used_s = dice_ago(model, 0, 25);
	account->environments =
		environment_bit(ENVIRONMENT_DEV + (enum environment)dice_below(&model->random, 4));
	if (account->kind == KIND_OAUTH_APP && dice_share(&model->random, 200))
		account->is |= GRAPH_NODE_IS_EXTERNAL |
			       (dice_share(&model->random, 700) ? GRAPH_NODE_IS_VERIFIED : 0);
	if (account->kind == KIND_AGENT || account->kind == KIND_WORKFLOW)
		account->is |= GRAPH_NODE_IS_AUTONOMOUS;
	account->first_edge = model->edges_count;
	for (uint32_t i = 0; i < rights; i++)
		add_right(model, at, i);
	if (account->kind == KIND_OAUTH_APP)
		add_consent(model, at);
	account->own_edges = model->edges_count - account->first_edge;
	for (uint32_t i = dice_below(&model->random, 3); i > 0; i--)
		add_credential(model, at);
	return at;
}

static bool has_connector(
	const struct model *model, const struct model_identity *identity, uint32_t connector)
{
	for (uint32_t i = 0; i < identity->accounts_count; i++)
		if (model->accounts[identity->accounts[i]].connector == connector)
			return true;
	return false;
}

static void give_accounts(struct model *model, uint32_t index)
{
	uint32_t dice = dice_below(&model->random, 100);
	uint32_t count = dice < 30 ? 0 : dice < 92 ? 1 : 2;

	for (uint32_t i = 0; i < count; i++) {
		struct model_identity *identity = &model->identities[index];
		uint32_t connector = dice_below(&model->random, MODEL_CONNECTORS);
		uint32_t at;

		if (has_connector(model, identity, connector))
			continue;
		at = add_account(model, connector, identity->owner);
		if (at == NOTHING)
			return;
		/* What was stopped here was stopped there, too; only who acts uses another
		 * organisation's. */
		if (identity->state != IDENTITY_ACTIVE) {
			model->accounts[at].is |= GRAPH_NODE_IS_OFF;
			model->accounts[at].is &= ~(uint32_t)GRAPH_NODE_IS_EXTERNAL;
		}
		identity->accounts[identity->accounts_count++] = at;
		model->accounts[at].identity = index;
	}
}

static void add_resources(struct model *model)
{
	uint32_t count = (model->order->identities / 100 + 10) * MODEL_CONNECTORS;

	for (uint32_t i = 0; i < count; i++) {
		struct model_resource *resource = ADD(model, resources);

		if (resource == NULL)
			return;
		resource->connector = i % MODEL_CONNECTORS;
		resource->source = NOTHING;
		resource->id = say(model, "res-%u", (unsigned)(i / MODEL_CONNECTORS + 1));
	}
}

void model_accounts(struct model *model)
{
	uint32_t shadows = model->order->identities / 10;

	add_resources(model);
	for (uint32_t i = 0; i < model->identities_count && !model->has_failed; i++)
		give_accounts(model, i);
	/* Nobody registered these; most have an owner. */
	for (uint32_t i = 0; i < shadows && !model->has_failed; i++)
		(void)add_account(model, dice_below(&model->random, MODEL_CONNECTORS),
			dice_below(&model->random, model->people_count));
}

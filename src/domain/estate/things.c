/* Servers with their tools, data sources, issuers. */
#include "domain/estate/model.h"

static const char *const server_words[] = {"tickets", "files", "ledger", "mail", "crm", "wiki",
	"orders", "builds", "search", "calendar", "inventory", "contracts", "metrics", "queue"};
static const char *const tool_verbs[] = {"get", "list", "search", "export", "summarise", "update",
	"create", "append", "send", "close", "run", "restart", "delete", "publish"};
static const char *const source_words[] = {"customers", "invoices", "policies", "payroll",
	"telemetry", "contracts", "catalogue", "complaints", "shipments", "ledgers"};

#define COUNT_OF(items) (sizeof(items) / sizeof *(items))

static enum environment some_environment(struct model *model)
{
	static const enum environment often[] = {ENVIRONMENT_PROD, ENVIRONMENT_PROD,
		ENVIRONMENT_PROD, ENVIRONMENT_STAGING, ENVIRONMENT_TEST, ENVIRONMENT_DEV};

	return often[dice_below(&model->random, COUNT_OF(often))];
}

static void add_source(struct model *model, uint32_t index)
{
	struct model_source *source = ADD(model, sources);

	if (source == NULL)
		return;
	source->unit = dice_below(&model->random, model->units_count);
	source->name = say(model, "%s-%u", source_words[index % COUNT_OF(source_words)],
		(unsigned)(index / COUNT_OF(source_words) + 1));
	source->custodian = dice_below(&model->random, model->people_count);
	source->sensitivity = SENSITIVITY_PUBLIC + (enum sensitivity)dice_below(&model->random, 4);
	source->environment = some_environment(model);
}

static void add_tool(struct model *model, uint32_t server, uint32_t index)
{
	struct model_tool *tool = ADD(model, tools);
	uint32_t verb = dice_below(&model->random, COUNT_OF(tool_verbs));

	if (tool == NULL)
		return;
	tool->server = server;
	tool->name = say(model, "%.*s/%s_%u", TEXT_ARGS(model->servers[server].name),
		tool_verbs[verb], (unsigned)index);
	tool->effect = verb < 5 ? EFFECT_READ : verb < 10 ? EFFECT_WRITE : EFFECT_EXECUTE;
	tool->risk = tool->effect == EFFECT_EXECUTE ? RISK_MEDIUM : RISK_LOW;
	tool->reversal = tool->effect == EFFECT_READ       ? REVERSAL_NONE_NEEDED
			 : dice_share(&model->random, 500) ? REVERSAL_INVERSE
							   : REVERSAL_RESTORE;
	/* What is dangerous asks for approvals where it is used (identities.c). */
	if (tool->effect != EFFECT_READ && dice_share(&model->random, 150))
		tool->risk = RISK_HIGH;
	if (tool->effect != EFFECT_READ && dice_share(&model->random, 100))
		tool->reversal = REVERSAL_IRREVERSIBLE;
	tool->is_pinned = true;
	tool->source = NOTHING;
	if (tool->effect == EFFECT_READ && dice_share(&model->random, 600))
		tool->source = dice_below(&model->random, model->sources_count);
}

static void add_server(struct model *model, uint32_t index)
{
	struct model_server *server = ADD(model, servers);
	uint32_t tools = 3 + dice_tail(&model->random, 12);

	if (server == NULL)
		return;
	server->unit = dice_below(&model->random, model->units_count);
	server->name = say(model, "%s-%u", server_words[index % COUNT_OF(server_words)],
		(unsigned)(index / COUNT_OF(server_words) + 1));
	server->environment = some_environment(model);
	server->is_remote = dice_share(&model->random, 500);
	server->secret =
		server->is_remote && dice_share(&model->random, 700) ? SECRET_VAULT : SECRET_NONE;
	for (uint32_t i = 0; i < tools; i++)
		add_tool(model, index, i);
}

static void add_issuer(struct model *model, uint32_t index)
{
	struct model_issuer *issuer = ADD(model, issuers);

	if (issuer == NULL)
		return;
	issuer->is_github = index % 2 == 0;
	/* Of each kind one of a large unit; two of those that may lose their only person. */
	issuer->unit = index < 2   ? 0
		       : index < 4 ? model->units_count - (index - 1)
				   : dice_below(&model->random, model->units_count);
	issuer->name = say(model, "%s-%u", issuer->is_github ? "actions" : "cluster",
		(unsigned)(index / 2 + 1));
}

void model_things(struct model *model)
{
	uint32_t servers = model->order->identities / 200 + 12;
	uint32_t issuers = model->units_count / 2 + 4;

	if (servers > 400)
		servers = 400;
	for (uint32_t i = 0; i < servers * 2 && !model->has_failed; i++)
		add_source(model, i);
	for (uint32_t i = 0; i < servers && !model->has_failed; i++)
		add_server(model, i);
	for (uint32_t i = 0; i < issuers && !model->has_failed; i++)
		add_issuer(model, i);
}

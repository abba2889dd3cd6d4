/* The rules of requests to models: which, with which data, and within which budgets.
 *
 * What a task has read is what may be in a prompt, so its label must be one that the model
 * may get: by the registry's line of the model, and by the charter's. */

#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* What follows "PROVIDER/". */
static struct text model_name(const struct call *call)
{
	size_t skip = call->server.length + 1;

	if (call->tool.length < skip)
		return TEXT("");
	return (struct text){call->tool.data + skip, call->tool.length - skip};
}

static enum sensitivity task_label(const struct evaluation *evaluation)
{
	enum sensitivity label = evaluation->out->labels.sensitivity;

	return label == SENSITIVITY_UNLABELLED ? SENSITIVITY_PUBLIC : label;
}

/* Up to where the line lets data go; of another identity's charter which line, and not how far. */
static struct text told_model(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct charter_model *line, enum sensitivity up_to)
{
	struct text name = evaluation->call->tool;

	if (entry != evaluation->entry)
		return SAY("does not let it go to model %.*s (model[%u])", TEXT_ARGS(name),
			(unsigned)(line - charter_of(entry->in_force)->models));
	return SAY("lets data up to %s go to model %.*s", sensitivity_word(up_to), TEXT_ARGS(name));
}

/* Whether the charter of this identity lists the model, and for such data. */
bool check_model(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct call *call = evaluation->call;
	const struct charter_model *line = charter_find_model(
		charter_of(entry->in_force), call->server, evaluation->model->name);
	enum sensitivity label = task_label(evaluation);
	enum sensitivity up_to;

	if (line == NULL)
		return refuse(evaluation, REASON_MODEL,
			SAY("The charter %.*s@%u does not list model %.*s.", TEXT_ARGS(entry->name),
				entry->in_force->version, TEXT_ARGS(call->tool)),
			SAY("Model %.*s in the charter of %.*s, approved.", TEXT_ARGS(call->tool),
				TEXT_ARGS(entry->name)));
	up_to = line->up_to == SENSITIVITY_UNLABELLED ? SENSITIVITY_PUBLIC : line->up_to;
	if (sensitivity_level(label) <= sensitivity_level(up_to))
		return true;
	return refuse(evaluation, REASON_SENSITIVITY,
		SAY("The task has read %s data; the charter %.*s@%u %.*s.", sensitivity_word(label),
			TEXT_ARGS(entry->name), entry->in_force->version,
			TEXT_ARGS(told_model(evaluation, entry, line, up_to))),
		SAY("Model %.*s up to %s in the charter of %.*s, approved.", TEXT_ARGS(call->tool),
			sensitivity_word(label), TEXT_ARGS(entry->name)));
}

/* What the provider runs itself is a way out that no gateway sees: only what an
 * administrator wrote beside the model. */
static bool check_provider_tools(struct evaluation *evaluation)
{
	const struct json *tools = json_find(&evaluation->call->generation, "provider_tools");

	for (uint32_t i = 0; tools != NULL && i < tools->count; i++)
		if (tools->items[i].type != JSON_STRING ||
			!server_model_has_tool(evaluation->model, tools->items[i].string))
			return refuse(evaluation, REASON_MODEL_TOOL,
				SAY("The request asks for what the provider runs itself, and model "
				    "%.*s is not registered with it.",
					TEXT_ARGS(evaluation->call->tool)),
				SAY("Its name among provider-tools of model %.*s, by an "
				    "administrator; or a request without it.",
					TEXT_ARGS(evaluation->call->tool)));
	return true;
}

bool rule_model(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;
	enum sensitivity label = task_label(evaluation);

	if (call->route != METHOD_MODEL)
		return true;
	evaluation->model = server_find_model(evaluation->server, model_name(call));
	if (evaluation->model == NULL)
		return refuse(evaluation, REASON_MODEL_UNKNOWN,
			SAY("No model %.*s is registered.", TEXT_ARGS(call->tool)),
			SAY("An administrator must register model %.*s, by exactly this name.",
				TEXT_ARGS(call->tool)));
	if (sensitivity_level(label) > sensitivity_level(evaluation->model->up_to))
		return refuse(evaluation, REASON_SENSITIVITY,
			SAY("The task has read %s data; data up to %s may go to model %.*s.",
				sensitivity_word(label), sensitivity_word(evaluation->model->up_to),
				TEXT_ARGS(call->tool)),
			SAY("A model that may get %s data.", sensitivity_word(label)));
	return check_provider_tools(evaluation) && check_model(evaluation, evaluation->entry);
}

/* ---- budgets --------------------------------------------------------------------- */

static bool refuse_budget(
	struct evaluation *evaluation, const char *whose, struct text name, const char *what)
{
	return refuse(evaluation, REASON_BUDGET,
		SAY("The %s of the budget for %s %.*s do not suffice for this request.", what,
			whose, TEXT_ARGS(name)),
		SAY("A larger budget for %s %.*s, or %s.", whose, TEXT_ARGS(name),
			whose[0] == 't' ? "another task" : "a later day"));
}

/* A budget of money says nothing of a model that nobody priced. */
static bool check_prices(struct evaluation *evaluation, const struct budget *const *budgets)
{
	for (; *budgets != NULL; budgets++)
		if ((*budgets)->spend > 0 && !evaluation->model->has_prices)
			return refuse(evaluation, REASON_BUDGET,
				SAY("What model %.*s costs is not registered, and a budget counts "
				    "it.",
					TEXT_ARGS(evaluation->call->tool)),
				SAY("Prices of model %.*s, registered by an administrator.",
					TEXT_ARGS(evaluation->call->tool)));
	return true;
}

bool rule_budget(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;
	const struct charter *charter = evaluation->charter;
	const struct usage_now *used = &evaluation->world->usage;
	const struct unit *unit;
	static const struct budget none;
	const struct budget *of_unit = &none;
	struct usage more = {.requests = 1};
	const char *what;

	if (evaluation->model == NULL || evaluation->world->is_again ||
		evaluation->world->scope == DECIDE_FOR_QUESTION)
		return true;
	unit = registry_find_unit(evaluation->world->registry, charter->unit);
	if (unit != NULL)
		of_unit = &unit->day_budget;
	if (!check_prices(evaluation, (const struct budget *const[]){&charter->task_budget,
					      &charter->day_budget, of_unit, NULL}))
		return false;
	more.tokens = json_integer_or(&call->generation, "prompt_tokens", 0);
	more.spend = usage_price(evaluation->model, more.tokens, 0);
	what = budget_breach(&charter->task_budget, &used->task, &more);
	if (what != NULL)
		return refuse_budget(evaluation, "task", call->task, what);
	what = budget_breach(&charter->day_budget, &used->identity, &more);
	if (what != NULL)
		return refuse_budget(evaluation, "identity", evaluation->entry->name, what);
	what = budget_breach(of_unit, &used->unit, &more);
	return what == NULL || refuse_budget(evaluation, "unit", charter->unit, what);
}

/* The laws of sandboxes, held at each call whatever charters say: what servers and data
 * sources are registered as may change after a charter was approved.
 *
 * Invariant: an allowed call of a sandbox is in dev or test, reads only labelled data up to
 * internal, row by row where rows are judged, tells what is not public to the reply and to
 * models alone, and stands in a chain of sandboxes.  Its unit has a template still, and
 * neither place nor data is wider than that.  Lines and limits are those of its charter. */

#include "domain/charter/sandbox.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

static bool refuse_sandbox(struct evaluation *evaluation, struct text explanation)
{
	return refuse(evaluation, REASON_SANDBOX, explanation,
		SAY("A charter of %.*s without its sandbox line, approved by another person.",
			TEXT_ARGS(evaluation->entry->name)));
}

/* Of the unit in force; NULL: it has none (any more). */
static const struct sandbox_template *find_template(const struct evaluation *evaluation)
{
	const struct unit *unit =
		registry_find_unit(evaluation->world->registry, evaluation->charter->unit);

	return unit == NULL || unit->sandbox.life_s == 0 ? NULL : &unit->sandbox;
}

static bool check_place(struct evaluation *evaluation, const struct sandbox_template *template,
	enum environment place, struct text whose)
{
	if (sandbox_environment(place) && charter_has_environment(&template->charter, place))
		return true;
	return refuse_sandbox(evaluation,
		SAY("%.*s is a sandbox, and %.*s is in %s: sandboxes of unit %.*s do not act "
		    "there.",
			TEXT_ARGS(evaluation->entry->name), TEXT_ARGS(whose),
			place == ENVIRONMENT_NONE ? "no environment" : environment_word(place),
			TEXT_ARGS(evaluation->charter->unit)));
}

/* Neither acts for the other: what a sandbox was told would be told outside, and the other
 * way round. */
static bool check_chain(struct evaluation *evaluation)
{
	const struct task *task = evaluation->task == NULL ? NULL : evaluation->task->parent;

	for (; task != NULL; task = task->parent) {
		const struct registry_entry *entry =
			evaluation_find_identity(evaluation, task->identity);

		if (entry == NULL || entry->in_force == NULL)
			continue; /* rule_chain refuses it */
		if (charter_is_sandbox(charter_of(entry->in_force)) !=
			charter_is_sandbox(evaluation->charter))
			return refuse(evaluation, REASON_SANDBOX,
				SAY("%.*s and %.*s, of which one acts for the other, are not both "
				    "sandboxes.",
					TEXT_ARGS(evaluation->entry->name), TEXT_ARGS(entry->name)),
				TEXT("A task that is below no other identity's."));
	}
	return true;
}

bool rule_sandbox(struct evaluation *evaluation)
{
	const struct sandbox_template *template;

	if (!check_chain(evaluation))
		return false;
	if (!charter_is_sandbox(evaluation->charter))
		return true;
	template = find_template(evaluation);
	if (template == NULL)
		return refuse_sandbox(
			evaluation, SAY("%.*s is a sandbox, and unit %.*s has no template for any.",
					    TEXT_ARGS(evaluation->entry->name),
					    TEXT_ARGS(evaluation->charter->unit)));
	return check_place(evaluation, template, evaluation->call->environment,
		       TEXT("the key of its task")) &&
	       check_place(evaluation, template, evaluation->server->environment,
		       SAY("server %.*s", TEXT_ARGS(evaluation->server->name)));
}

/* ---- data ------------------------------------------------------------------------ */

bool is_source_open(const struct evaluation *evaluation, const struct data_source *source)
{
	const struct sandbox_template *template;

	if (!charter_is_sandbox(evaluation->charter))
		return true;
	template = find_template(evaluation);
	return template != NULL && sandbox_environment(source->environment) &&
	       charter_has_environment(&template->charter, source->environment) &&
	       sandbox_covers(template, source->sensitivity);
}

static bool check_sources(struct evaluation *evaluation)
{
	for (size_t i = 0; i < evaluation->sources_count; i++) {
		const struct data_source *source = evaluation->sources[i];

		if (is_source_open(evaluation, source))
			continue;
		return refuse_sandbox(evaluation,
			SAY("%.*s is a sandbox; data source %.*s, %s in %s, is not open to "
			    "sandboxes of unit %.*s.",
				TEXT_ARGS(evaluation->entry->name), TEXT_ARGS(source->name),
				source->sensitivity == SENSITIVITY_UNLABELLED
					? "unlabelled"
					: sensitivity_word(source->sensitivity),
				source->environment == ENVIRONMENT_NONE
					? "no environment"
					: environment_word(source->environment),
				TEXT_ARGS(evaluation->charter->unit)));
	}
	/* Nor a row above that, of a source that is open. */
	if (evaluation->sources_count > 0 && is_judged_by_row(evaluation))
		lower_ceiling(evaluation, sandbox_most(find_template(evaluation)));
	return true;
}

static bool check_recipients(struct evaluation *evaluation)
{
	const struct tool *tool = evaluation->tool;

	for (uint32_t i = 0; tool != NULL && i < tool->targets_count; i++)
		if (tool->targets[i].form == TARGET_RECIPIENT &&
			json_find_text(&evaluation->call->arguments, tool->targets[i].argument) !=
				NULL)
			return refuse_sandbox(evaluation,
				SAY("%.*s is a sandbox, and argument %.*s names a recipient.",
					TEXT_ARGS(evaluation->entry->name),
					TEXT_ARGS(tool->targets[i].argument)));
	return true;
}

/* Where the charter has no line for the tool, rule_outputs lets nothing go but what is public. */
static bool check_carried(struct evaluation *evaluation)
{
	enum sensitivity label = carried_label(evaluation);

	if (evaluation->tool == NULL || !is_carried_to_tool(evaluation) ||
		sensitivity_level(label) <= sensitivity_level(SENSITIVITY_PUBLIC) ||
		output_to_tool(evaluation, evaluation->charter) == NULL)
		return true;
	return refuse_sandbox(
		evaluation, SAY("%.*s is a sandbox, and this would carry %s data to %.*s.",
				    TEXT_ARGS(evaluation->entry->name), sensitivity_word(label),
				    TEXT_ARGS(evaluation->tool->name)));
}

/* What the task has read may be in a prompt, and what a provider runs itself is a way out. */
static bool check_prompt(struct evaluation *evaluation)
{
	const struct json *tools = json_find(&evaluation->call->generation, "provider_tools");
	enum sensitivity label = evaluation->out->labels.sensitivity;

	if (evaluation->model == NULL)
		return true;
	if (tools != NULL && tools->count > 0)
		return refuse_sandbox(evaluation,
			SAY("%.*s is a sandbox, and the request asks for what the provider runs "
			    "itself.",
				TEXT_ARGS(evaluation->entry->name)));
	if (label == SENSITIVITY_UNLABELLED || sandbox_covers(find_template(evaluation), label))
		return true;
	return refuse_sandbox(
		evaluation, SAY("%.*s is a sandbox, and its task has read %s data.",
				    TEXT_ARGS(evaluation->entry->name), sensitivity_word(label)));
}

bool rule_sandbox_data(struct evaluation *evaluation)
{
	return !charter_is_sandbox(evaluation->charter) ||
	       (check_sources(evaluation) && check_recipients(evaluation) &&
		       check_carried(evaluation) && check_prompt(evaluation));
}

/* Deciding in a world in which one thing is otherwise.  Nothing of it is kept, and
 * its answer is only ever shown: no call is let through by it. */

#include "domain/decide/trial.h"

#include "domain/decide/evaluation.h"

const struct registry_entry *evaluation_find_identity(
	const struct evaluation *evaluation, struct text name)
{
	const struct trial *trial = evaluation->trial;

	if (trial != NULL && trial->identity != NULL && text_equal(trial->identity->name, name))
		return trial->identity;
	return registry_find(evaluation->world->registry, OBJECT_IDENTITY, name);
}

const struct server *evaluation_find_server(const struct evaluation *evaluation, struct text name)
{
	const struct trial *trial = evaluation->trial;

	if (trial != NULL && trial->server != NULL && text_equal(trial->server->name, name))
		return trial->server;
	return registry_find_server(evaluation->world->registry, name);
}

const struct tool *evaluation_find_tool(const struct evaluation *evaluation, struct text name)
{
	const struct trial *trial = evaluation->trial;

	if (trial != NULL && trial->tool != NULL && text_equal(trial->tool->name, name))
		return trial->tool;
	return registry_find_tool(evaluation->world->registry, name);
}

const struct data_source *evaluation_find_data_source(
	const struct evaluation *evaluation, struct text name)
{
	const struct trial *trial = evaluation->trial;

	if (trial != NULL && trial->source != NULL && text_equal(trial->source->name, name))
		return trial->source;
	return registry_find_data_source(evaluation->world->registry, name);
}

const struct person *evaluation_find_person(const struct evaluation *evaluation, struct text name)
{
	const struct trial *trial = evaluation->trial;

	if (trial != NULL && trial->person != NULL && text_equal(trial->person->name, name))
		return trial->person;
	return registry_find_person(evaluation->world->registry, name);
}

bool trial_allows(const struct decide_world *world, const struct trial *trial,
	const struct call *call, const struct approval_names *approvals, struct arena *arena)
{
	struct evaluation *evaluation = arena_new(arena, struct evaluation);
	static const struct approval_names none = {NULL, 0};
	struct decision decision = {.reason = REASON_NO_MEMORY};

	if (evaluation == NULL)
		return false;
	*evaluation = (struct evaluation){
		.world = world, .trial = trial, .call = call, .arena = arena, .out = &decision};
	return run_fixed(evaluation) &&
	       run_policies(evaluation, approvals == NULL ? &none : approvals, &decision);
}

/* A long apply: each stage in a turn of the loop, so others are answered between.
 *
 * Invariants:
 * 1. it is the registrar's current request meanwhile, so no other change of the registrar comes
 *    between its stages; what else may move the registry (a kill) moves its generation, and then
 *    all stages are run anew in one turn: what is written was looked at as it is;
 * 2. nothing is written, and nobody sees anything of it, before its last stage;
 * 3. its plan is the registrar's between the turns, so that an end of remit there frees it. */
#include "services/registry/registrar_private.h"

static void start_turn(struct registrar *registrar)
{
	loop_post(registrar->loop, &registrar->turns.post);
}

static bool has_moved(const struct registrar *registrar)
{
	return registry_generation(registrar->registry) != registrar->turns.generation;
}

static enum prepared_as run_all(struct registrar *registrar, struct registrar_request *request)
{
	plan_destroy(&registrar->turns.plan);
	return registrar_prepare_apply(registrar, request);
}

static void run_turn(struct loop_post *post)
{
	struct registrar *registrar = post->context;
	struct registrar_request *request = registrar->current;
	struct apply_turns *turns = &registrar->turns;
	enum prepared_as prepared;

	if (has_moved(registrar))
		prepared = run_all(registrar, request);
	else {
		request->plan = turns->plan;
		turns->plan = NULL;
		prepared = registrar_apply_stage(registrar, request, turns->stage++);
	}
	if (prepared != PREPARED_SO_FAR) {
		registrar_go_on(registrar, prepared);
		return;
	}
	turns->plan = request->plan;
	request->plan = NULL;
	start_turn(registrar);
}

bool registrar_has_turns(const struct registrar *registrar, const struct registrar_request *request)
{
	return registrar->loop != NULL && request->verb == REGISTRAR_APPLY && request->is_long;
}

void registrar_start_turns(struct registrar *registrar)
{
	registrar->turns.stage = APPLY_COMPOSE;
	registrar->turns.generation = registry_generation(registrar->registry);
	registrar->turns.post = (struct loop_post){.run = run_turn, .context = registrar};
	start_turn(registrar);
}

void registrar_stop_turns(struct registrar *registrar)
{
	if (registrar->loop != NULL)
		loop_post_cancel(registrar->loop, &registrar->turns.post);
	plan_destroy(&registrar->turns.plan);
}

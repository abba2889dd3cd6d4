#include "main/living_keeper.h"

static bool step(void *context)
{
	return living_step(context);
}

bool living_keeper_start(
	struct turns *turns, struct loop *loop, struct living_service *living, struct error *err)
{
	const struct turns_work work = {step, living, LIVING_KEEPER_SOON_MS, LIVING_KEEPER_MS};

	return turns_start(turns, loop, &work, 0, err);
}

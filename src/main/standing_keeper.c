#include "main/standing_keeper.h"

static bool step(void *context)
{
	finding_write_again(context);
	return finding_look_standing(context);
}

bool standing_keeper_start(
	struct turns *turns, struct loop *loop, struct finding_service *findings, struct error *err)
{
	const struct turns_work work = {
		step, findings, STANDING_KEEPER_SOON_MS, STANDING_KEEPER_MS};

	return turns_start(turns, loop, &work, 0, err);
}

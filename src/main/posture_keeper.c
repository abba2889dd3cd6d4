#include "main/posture_keeper.h"

void posture_witness_identity(void *context, const struct registry_entry *entry, int64_t now_utc_s,
	struct identity_facts *out)
{
	const struct posture_witness *witness = context;

	*out = (struct identity_facts){
		.looked_utc_s = living_looked_utc_ms(*witness->living, entry->name) / 1000,
		.due_utc_s = living_due_utc_ms(*witness->living, entry->name) / 1000,
		.judged_utc_s = review_judged_utc_ms(
					review_keeper_service(*witness->reviews), entry->name) /
				1000,
		.has_excess =
			graph_has_excess(*witness->graph, charter_of(entry->in_force), now_utc_s)};
}

int64_t posture_witness_drift(void *context)
{
	const struct posture_witness *witness = context;

	return living_waiting_utc_ms(*witness->living);
}

bool posture_keeper_oldest(void *context, int64_t *out_utc_s)
{
	struct inventory_service *const *service = context;
	struct inventory_status status = {0};
	bool is_found = false;

	while (*service != NULL && inventory_next(*service, status.connector, &status)) {
		if (!is_found || status.taken_utc_s < *out_utc_s)
			*out_utc_s = status.taken_utc_s;
		is_found = true;
	}
	return is_found;
}

/* Before all uses are counted, what is used looks dormant. */
static bool step(void *context)
{
	const struct posture_turn *turn = context;

	return graph_is_counted(*turn->graph) && posture_look(*turn->posture);
}

bool posture_keeper_start(
	struct turns *turns, struct loop *loop, struct posture_turn *turn, struct error *err)
{
	const struct turns_work work = {step, turn, POSTURE_KEEPER_SOON_MS, POSTURE_KEEPER_MS};

	return turns_start(turns, loop, &work, 0, err);
}

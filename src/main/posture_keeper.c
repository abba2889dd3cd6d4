#include "main/posture_keeper.h"

bool posture_records_open(void *context, uint64_t from, struct error *err)
{
	struct posture_records *records = context;

	record_reader_close(&records->reader);
	return record_reader_open(&records->reader, *records->log, from, err);
}

bool posture_records_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct posture_records *records = context;
	struct record_entry found;

	if (!record_reader_next(records->reader, &found, is_end, err))
		return false;
	*entry = found.entry;
	*index = found.index;
	return true;
}

bool posture_records_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct posture_records *records = context;

	return record_read_content(*records->log, index, arena, out, err);
}

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

static bool step(void *context)
{
	return posture_look(context);
}

bool posture_keeper_start(
	struct turns *turns, struct loop *loop, struct posture *posture, struct error *err)
{
	const struct turns_work work = {step, posture, POSTURE_KEEPER_SOON_MS, POSTURE_KEEPER_MS};

	return turns_start(turns, loop, &work, 0, err);
}

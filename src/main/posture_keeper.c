#include "main/posture_keeper.h"

static void on_due(struct loop_timer *timer)
{
	struct posture_keeper *keeper = timer->context;
	bool has_more = posture_look(keeper->posture);

	keeper->is_started = loop_timer_start(
		keeper->loop, timer, has_more ? POSTURE_KEEPER_SOON_MS : POSTURE_KEEPER_MS);
}

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

bool posture_keeper_start(struct posture_keeper *keeper, struct loop *loop, struct posture *posture,
	struct error *err)
{
	*keeper = (struct posture_keeper){.loop = loop, .posture = posture};
	keeper->timer = (struct loop_timer){.on_due = on_due, .context = keeper};
	keeper->is_started = loop_timer_start(loop, &keeper->timer, 0);
	return keeper->is_started ? true : error_set(err, ERROR_LIMIT, "no memory for posture");
}

void posture_keeper_stop(struct posture_keeper *keeper)
{
	if (keeper->is_started)
		loop_timer_stop(keeper->loop, &keeper->timer);
	keeper->is_started = false;
}

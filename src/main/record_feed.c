#include "main/record_feed.h"

bool record_feed_open(void *context, uint64_t from, struct error *err)
{
	struct record_feed *feed = context;

	record_reader_close(&feed->reader);
	return record_reader_open(&feed->reader, *feed->log, from, err);
}

void record_feed_close(void *context)
{
	struct record_feed *feed = context;

	record_reader_close(&feed->reader);
}

bool record_feed_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct record_feed *feed = context;
	struct record_entry found;

	if (!record_reader_next(feed->reader, &found, is_end, err))
		return false;
	*entry = found.entry;
	*index = found.index;
	return true;
}

bool record_feed_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct record_feed *feed = context;

	return record_read_content(*feed->log, index, arena, out, err);
}

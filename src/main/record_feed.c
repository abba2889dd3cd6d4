#include "main/record_feed.h"

bool record_feed_open(void *context, uint64_t from, struct error *err)
{
	struct record_feed *feed = context;

	record_reader_close(&feed->reader);
	feed->next = from;
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

	*is_end = feed->next >= fold_next_index(*feed->fold);
	if (*is_end)
		return true;
	if (!record_reader_next(feed->reader, &found, is_end, err))
		return false;
	*entry = found.entry;
	*index = found.index;
	feed->next += *is_end ? 0 : 1;
	return true;
}

bool record_feed_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct record_feed *feed = context;

	return record_read_content(*feed->log, index, arena, out, err);
}

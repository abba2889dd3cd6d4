#include "main/record_feed.h"

bool record_feed_open(void *context, uint64_t from, struct error *err)
{
	struct record_feed *walk = context;

	record_reader_close(&walk->reader);
	return record_reader_open(&walk->reader, *walk->log, from, err);
}

bool record_feed_next(
	void *context, struct text *entry, uint64_t *index, bool *is_end, struct error *err)
{
	struct record_feed *walk = context;
	struct record_entry found;

	if (!record_reader_next(walk->reader, &found, is_end, err))
		return false;
	*entry = found.entry;
	*index = found.index;
	return true;
}

bool record_feed_content(
	void *context, uint64_t index, struct arena *arena, struct text *out, struct error *err)
{
	struct record_feed *walk = context;

	return record_read_content(*walk->log, index, arena, out, err);
}

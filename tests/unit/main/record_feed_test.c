/* What reads records again, over a log that is ahead of its fold. */
#include "main/record_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The log and the fold, as far as a feed asks them. */
struct world {
	uint64_t durable;
	uint64_t folded;
	uint64_t read; /* next of the reader */
};

static struct world world; /* check-source: global: what stands in for the log has no context */

bool record_reader_open(
	struct record_reader **out, struct record_log *log, uint64_t from, struct error *err)
{
	(void)log;
	(void)err;
	*out = NULL;
	world.read = from;
	return true;
}

bool record_reader_next(
	struct record_reader *reader, struct record_entry *out, bool *is_end, struct error *err)
{
	(void)reader;
	(void)err;
	*is_end = world.read == world.durable;
	*out = (struct record_entry){.index = world.read};
	world.read += !*is_end;
	return true;
}

void record_reader_close(struct record_reader **reader)
{
	*reader = NULL;
}

bool record_read_content(struct record_log *log, uint64_t index, struct arena *arena,
	struct text *out, struct error *err)
{
	(void)log;
	(void)index;
	(void)arena;
	(void)out;
	(void)err;
	return false;
}

uint64_t fold_next_index(const struct fold *fold)
{
	(void)fold;
	return world.folded;
}

/* How many come until the end; each the next. */
static uint64_t come(struct record_feed *feed, uint64_t from)
{
	struct text entry;
	uint64_t index, count = 0;
	bool is_end = false;
	struct error err;

	for (;;) {
		assert_true(record_feed_next(feed, &entry, &index, &is_end, &err));
		if (is_end)
			return count;
		assert_int_equal(index, from + count++);
	}
}

static void what_is_not_folded_does_not_come(void **state)
{
	struct record_log *log = NULL;
	struct fold *fold = NULL;
	struct record_feed feed = {.log = &log, .fold = &fold};
	struct error err;

	(void)state;
	world = (struct world){.durable = 9, .folded = 5};
	assert_true(record_feed_open(&feed, 2, &err));
	assert_int_equal(come(&feed, 2), 3);
	assert_int_equal(come(&feed, 5), 0);
	world.folded = 9;
	assert_int_equal(come(&feed, 5), 4);
	world.folded = 12; /* never; and the log ends */
	assert_int_equal(come(&feed, 9), 0);
	assert_true(record_feed_open(&feed, 0, &err));
	assert_int_equal(come(&feed, 0), 9);
	record_feed_close(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_not_folded_does_not_come)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

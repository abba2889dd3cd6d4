#include "support/fake_keys.h"

#include <stdio.h>
#include <stdlib.h>

static bool start(void *context, const struct trust_question *question, struct trust_fetch *fetch,
	struct error *err)
{
	struct fake_keys *keys = context;

	if (keys->refuses)
		return error_set(err, ERROR_INVALID, "no such place");
	if (keys->count == FAKE_KEYS_FETCHES_MAX)
		abort();
	fetch->edge = keys;
	keys->fetches[keys->count].fetch = fetch;
	keys->fetches[keys->count].private_addresses = question->private_addresses;
	keys->fetches[keys->count].bytes_max = question->bytes_max;
	keys->fetches[keys->count].deadline_ms = question->deadline_ms;
	keys->fetches[keys->count].is_file = question->url == NULL;
	keys->fetches[keys->count].has_ca_file = question->ca_file != NULL;
	(void)snprintf(keys->fetches[keys->count].place, FAKE_KEYS_PLACE_BYTES, "%s",
		question->url == NULL ? question->path : question->url);
	keys->count++;
	return true;
}

static void cancel(void *context, struct trust_fetch *fetch)
{
	struct fake_keys *keys = context;

	for (unsigned i = 0; i < keys->count; i++)
		if (keys->fetches[i].fetch == fetch) {
			keys->fetches[i].fetch = NULL;
			keys->cancelled++;
		}
}

struct trust_fetcher fake_keys_port(struct fake_keys *keys)
{
	return (struct trust_fetcher){keys, start, cancel};
}

static void answer(struct fake_keys *keys, unsigned number, const struct trust_answer *what)
{
	struct trust_fetch *fetch = number < keys->count ? keys->fetches[number].fetch : NULL;

	if (fetch == NULL)
		abort();
	keys->fetches[number].fetch = NULL;
	fetch->done(fetch, what);
}

void fake_keys_answer(struct fake_keys *keys, unsigned number, struct text body, int64_t fresh_s)
{
	const struct trust_answer what = {.body = body, .fresh_s = fresh_s};

	answer(keys, number, &what);
}

void fake_keys_fail(struct fake_keys *keys, unsigned number, const char *why)
{
	struct trust_answer what = {.fresh_s = -1};

	error_set(&what.err, ERROR_IO, "%s", why);
	answer(keys, number, &what);
}

unsigned fake_keys_open(const struct fake_keys *keys)
{
	unsigned open = 0;

	for (unsigned i = 0; i < keys->count; i++)
		open += keys->fetches[i].fetch != NULL;
	return open;
}

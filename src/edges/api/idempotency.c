#include "edges/api/idempotency.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "edges/api/request.h"

/* Design: a ring of places in order of age and a linear search over 32-byte
 * keys: 1,024 places are 32 KiB to look through, on a route that writes to disk
 * anyway.  A running place is never reused. */

struct kept {
	struct sha256 key;
	struct sha256 fingerprint;
	enum { PLACE_FREE = 0, PLACE_RUNNING, PLACE_ANSWERED } state;
	unsigned status;
	char *body;
	size_t body_length;
};

struct idempotency {
	struct kept places[API_IDEMPOTENCY_ENTRIES_MAX];
	size_t next; /* the place to try first for a new key: the oldest */
};

bool idempotency_create(struct idempotency **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the table of answers");
	return true;
}

static void clear(struct kept *place)
{
	free(place->body);
	*place = (struct kept){0};
}

void idempotency_destroy(struct idempotency **table)
{
	if (*table == NULL)
		return;
	for (size_t i = 0; i < API_IDEMPOTENCY_ENTRIES_MAX; i++)
		clear(&(*table)->places[i]);
	free(*table);
	*table = NULL;
}

static struct kept *find(struct idempotency *table, const struct sha256 *key)
{
	for (size_t i = 0; i < API_IDEMPOTENCY_ENTRIES_MAX; i++) {
		struct kept *place = &table->places[i];

		if (place->state != PLACE_FREE && sha256_equal(&place->key, key))
			return place;
	}
	return NULL;
}

static struct kept *take_place(struct idempotency *table)
{
	for (size_t i = 0; i < API_IDEMPOTENCY_ENTRIES_MAX; i++) {
		size_t index = (table->next + i) % API_IDEMPOTENCY_ENTRIES_MAX;
		struct kept *place = &table->places[index];

		if (place->state == PLACE_RUNNING)
			continue;
		table->next = (index + 1) % API_IDEMPOTENCY_ENTRIES_MAX;
		clear(place);
		return place;
	}
	return NULL;
}

bool idempotency_begin(struct idempotency *table, const struct sha256 *key,
	const struct sha256 *fingerprint, enum idempotency_state *state,
	struct idempotency_answer *answer, struct error *err)
{
	struct kept *place = find(table, key);

	*answer = (struct idempotency_answer){0};
	if (place != NULL) {
		*state = !sha256_equal(&place->fingerprint, fingerprint) ? IDEMPOTENCY_DIFFERENT
			 : place->state == PLACE_RUNNING                 ? IDEMPOTENCY_RUNNING
									 : IDEMPOTENCY_ANSWERED;
		answer->status = place->status;
		answer->body = (struct text){place->body, place->body_length};
		return true;
	}
	place = take_place(table);
	if (place == NULL)
		return error_set(err, ERROR_LIMIT, "too many requests are running");
	*place = (struct kept){.key = *key, .fingerprint = *fingerprint, .state = PLACE_RUNNING};
	*state = IDEMPOTENCY_NEW;
	return true;
}

void idempotency_finish(
	struct idempotency *table, const struct sha256 *key, unsigned status, struct text body)
{
	struct kept *place = find(table, key);

	assert(place != NULL && place->state == PLACE_RUNNING);
	if (body.length <= API_IDEMPOTENCY_BODY_BYTES_MAX)
		place->body = calloc(body.length + 1, 1);
	if (place->body == NULL) {
		clear(place);
		return;
	}
	if (body.length > 0)
		memcpy(place->body, body.data, body.length);
	place->body_length = body.length;
	place->status = status;
	place->state = PLACE_ANSWERED;
}

void idempotency_forget(struct idempotency *table, const struct sha256 *key)
{
	struct kept *place = find(table, key);

	if (place != NULL)
		clear(place);
}

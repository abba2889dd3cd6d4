/* Those that are unpacked stand in a ring; the hand passes one that was asked for since it last
 * came by, and takes the next that was not.
 *
 * Invariants: the ring has `count` members, whose arenas hold `bytes`; each is its object's. */
#include "domain/charter/charters.h"

#include <assert.h>
#include <stdlib.h>

#include "domain/charter/object.h"
#include "domain/charter/texts.h"

enum { SCRATCH_BYTES_MAX = 16 * 1024 * 1024 };

struct unpacked {
	const struct object *object; /* borrowed: it forgets this when it goes */
	struct arena *arena;
	struct unpacked *next;
	struct unpacked *last;
	size_t bytes;
	bool was_asked; /* since the hand passed it */
};

struct charters {
	size_t holders;
	struct texts *texts;
	struct arena *scratch;
	struct unpacked *hand; /* NULL: none is unpacked */
	size_t count;
	size_t bytes;
	size_t bytes_most;
};

bool charters_create(struct charters **out, struct error *err)
{
	struct charters *charters = calloc(1, sizeof *charters);

	*out = charters;
	if (charters == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for charters");
	charters->holders = 1;
	charters->bytes_most = CHARTERS_BYTES_MAX;
	charters->texts = texts_create();
	charters->scratch = arena_create(SCRATCH_BYTES_MAX);
	if (charters->texts != NULL && charters->scratch != NULL)
		return true;
	charters_release(out);
	return error_set(err, ERROR_LIMIT, "no memory for charters");
}

struct charters *charters_acquire(struct charters *charters)
{
	charters->holders++;
	return charters;
}

void charters_release(struct charters **charters)
{
	struct charters *released = *charters;

	*charters = NULL;
	if (released == NULL || --released->holders > 0)
		return;
	assert(released->count == 0); /* packed objects hold it */
	texts_release(&released->texts);
	arena_destroy(&released->scratch);
	free(released);
}

struct texts *charters_texts(const struct charters *charters)
{
	return charters->texts;
}

void charters_bound(struct charters *charters, size_t bytes)
{
	charters->bytes_most = bytes;
}

void charters_tidy(struct charters *charters)
{
	/* Two rounds: the first may find all asked for. */
	for (size_t left = 2 * charters->count; left > 0; left--) {
		struct unpacked *at = charters->hand;

		if (charters->bytes <= charters->bytes_most)
			return;
		charters->hand = at->next;
		if (at->was_asked)
			at->was_asked = false;
		else if (!object_is_shared(at->object))
			object_repack(at->object);
	}
}

size_t charters_unpacked_count(const struct charters *charters)
{
	return charters->count;
}

size_t charters_unpacked_bytes(const struct charters *charters)
{
	return charters->bytes;
}

struct arena *charters_scratch(struct charters *charters)
{
	arena_reset(charters->scratch);
	return charters->scratch;
}

/* Behind the hand: the hand comes to it last. */
static void enter_ring(struct charters *charters, struct unpacked *unpacked)
{
	if (charters->hand == NULL) {
		charters->hand = unpacked->next = unpacked->last = unpacked;
		return;
	}
	unpacked->next = charters->hand;
	unpacked->last = charters->hand->last;
	unpacked->last->next = unpacked;
	unpacked->next->last = unpacked;
}

struct unpacked *charters_note(
	struct charters *charters, const struct object *object, struct arena *arena)
{
	struct unpacked *unpacked = calloc(1, sizeof *unpacked);

	if (unpacked == NULL)
		return NULL;
	unpacked->object = object;
	unpacked->arena = arena;
	unpacked->bytes = sizeof *unpacked + arena_held_bytes(arena);
	enter_ring(charters, unpacked);
	charters->count++;
	charters->bytes += unpacked->bytes;
	return unpacked;
}

void unpacked_ask(struct unpacked *unpacked)
{
	unpacked->was_asked = true;
}

void charters_forget(struct charters *charters, struct unpacked *unpacked)
{
	unpacked->last->next = unpacked->next;
	unpacked->next->last = unpacked->last;
	if (charters->hand == unpacked)
		charters->hand = unpacked->next == unpacked ? NULL : unpacked->next;
	charters->count--;
	charters->bytes -= unpacked->bytes;
	arena_destroy(&unpacked->arena);
	free(unpacked);
}

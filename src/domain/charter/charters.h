#ifndef DOMAIN_CHARTER_CHARTERS_H
#define DOMAIN_CHARTER_CHARTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

/* Packed charters, and which of them are unpacked now: of very many identities few act at a
 * time, and a charter that is unpacked takes seven times the room.  Whoever asks for one that is
 * not gets it unpacked (charter_of in object.h); what is above the bound is given up at the end
 * of a turn, those first that were not asked for lately.  One thread at a time. */

struct charters;
struct object;
struct texts;
struct unpacked; /* one that is */

/* What is kept from turn to turn: some sixty thousand of five lines. */
#define CHARTERS_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* Held once.  Errors: LIMIT. */
bool charters_create(struct charters **out, struct error *err) MUST_CHECK;
struct charters *charters_acquire(struct charters *charters);
/* Gives one hold back and sets *charters to NULL, which it may be. */
void charters_release(struct charters **charters);
/* What packed objects share; while the charters are held. */
struct texts *charters_texts(const struct charters *charters);

/* Keeps at most so many bytes at the next charters_tidy. */
void charters_bound(struct charters *charters, size_t bytes);
/* Gives up what is above the bound, but no charter whose object is held more than once. */
void charters_tidy(struct charters *charters);
size_t charters_unpacked_count(const struct charters *charters);
size_t charters_unpacked_bytes(const struct charters *charters);

/* ---- For object.c ---- */

/* Empty until charters_scratch is asked again. */
struct arena *charters_scratch(struct charters *charters);
/* Notes that the object's charter is unpacked in arena, which is taken over.  NULL without
 * memory: then it is not. */
struct unpacked *charters_note(
	struct charters *charters, const struct object *object, struct arena *arena) MUST_CHECK;
/* It was asked for: whoever finds its entry says so. */
void unpacked_ask(struct unpacked *unpacked);
/* Forgets it, and its memory. */
void charters_forget(struct charters *charters, struct unpacked *unpacked);

#endif

#ifndef SERVICES_LIVING_LIVING_H
#define SERVICES_LIVING_LIVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/living.h"
#include "domain/charter/registry.h"
#include "services/registry/fold.h"

/* Which identities have to be looked at again, and until when (docs/living-records.md): because
 * something they depend on changed, because their `review` or the acceptance of their risk ends.
 * Each is a durable `review-due` record; it decides nothing.  What answers it is `review-done`.
 * Everything changes by records, in the fold; one loop thread. */
struct living_service;

enum {
	LIVING_LOOKS_MAX = 512,       /* identities looked at in one step */
	LIVING_FLIGHT_MAX = 64,       /* records on their way */
	LIVING_CHANGES_AT_ONCE = 128, /* changed things that one pass looks for */
	LIVING_OBJECTS_MAX = 8,       /* named in one record; it says how many more */
	LIVING_AGAIN_S = 3600,        /* time alone makes ends come near */
	LIVING_REASON_BYTES_MAX = 1000,
};

/* registry and fold are borrowed and outlive it.  Registers its handlers and projectors with the
 * fold, behind those of the registry.  Errors: LIMIT. */
bool living_create(struct living_service **out, const struct registry *registry, struct fold *fold,
	struct error *err) MUST_CHECK;
void living_destroy(struct living_service **living);

/* One step of looking for what falls due.  True: there is more; call it again soon.  False:
 * nothing is to be done until something changes, or for LIVING_AGAIN_S; asking costs next to
 * nothing then.  For after the start, when all is loaded. */
bool living_step(struct living_service *living);

/* What is due, in order of identity behind `after` (empty: from the start), at most count
 * identities: [{identity, unit, owner, risk, cause, what, due_utc_ms, overdue, record}], the
 * causes of one identity together.  *next: the last identity, where there are more.  Errors:
 * LIMIT. */
struct living_query {
	struct text identity; /* only this one; empty: all */
	struct text unit;     /* only of this unit; empty: of any */
	struct text after;
	uint32_t count;
	int64_t now_utc_ms;
};
bool living_list(const struct living_service *living, const struct living_query *asked,
	struct arena *arena, struct json *out, struct text *next, struct error *err) MUST_CHECK;

/* The last time people looked at the identity as a whole: its charter came into force, or a
 * review was done.  0: nobody knows. */
int64_t living_looked_utc_ms(const struct living_service *living, struct text identity);

/* By when people have to look at it again, of all that is due of it; 0: nothing is. */
int64_t living_due_utc_ms(const struct living_service *living, struct text identity);
/* Since when a change waits that nobody was looked for who depends on it; 0: none does. */
int64_t living_waiting_utc_ms(const struct living_service *living);

/* `remit identity look NAME`: a person looked at it again, and says what came of it; all that was
 * due of it is done.  done runs on the loop once it is durable (err NULL) or could not be written.
 * False: not taken.  Errors: NOT_FOUND, CONFLICT (nothing is due), INVALID ("forbidden: ...", no
 * reason), LIMIT, IO. */
struct living_look {
	struct text identity;
	struct text actor; /* "person:NAME" */
	struct text reason;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool living_look(struct living_service *living, const struct living_look *request,
	struct error *err) MUST_CHECK;

/* The members of a `review-done` of the identity: `identity`, `through`, the index of the last
 * record that it answers, and `causes`, by which it was due until then.  Errors: LIMIT. */
bool living_put_done(const struct living_service *living, struct text identity, uint64_t through,
	struct json_builder *record, struct error *err) MUST_CHECK;

/* Whether what is enforced of an identity is what a record of the registry, with its changes in
 * it, put there (domain/charter/proof.h): {identity, version, revision, document and permits (by
 * the record), held and enforced (by what is in memory), equal}.  Errors: NOT_FOUND, CONFLICT
 * (nothing of it is enforced), INVALID (it is another record), LIMIT. */
struct living_proof_query {
	struct text identity;
	const struct json *record;
};
bool living_prove(const struct living_service *living, const struct living_proof_query *asked,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

#endif

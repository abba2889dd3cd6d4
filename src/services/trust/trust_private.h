#ifndef SERVICES_TRUST_TRUST_PRIVATE_H
#define SERVICES_TRUST_TRUST_PRIVATE_H

#include "services/trust/trust.h"

/* What the files of this folder share. */

enum source_step {
	SOURCE_IDLE = 0,
	SOURCE_DISCOVERS, /* asks where its keys are */
	SOURCE_FETCHES,
};

/* One issuer in force and its keys. */
struct trust_source {
	struct trust_service *trust;
	const struct object *object; /* held */
	struct issuer_keys *keys;    /* NULL: none were ever had, or they are too old */
	int64_t fetched_ms;          /* monotonic, of keys */
	int64_t fetched_utc_ms;
	int64_t fresh_until_ms;
	int64_t again_ms; /* no fetch begins before */
	enum source_step step;
	struct trust_fetch fetch;
	struct trust_wait *waits;
	unsigned waits_count;
	char why[TRUST_WHY_BYTES]; /* the last fetch failed; empty: it did not */
	char refused[TRUST_WHY_BYTES];
	int64_t refused_utc_ms;
	char poll_why[TRUST_WHY_BYTES]; /* the last poll of its events failed; empty: it did not */
	int64_t polled_utc_ms;
	struct trust_source *next;
};

struct trust_service {
	struct trust_parts parts;
	struct trust_source *sources;
	unsigned sources_count;
	uint64_t generation; /* of the registry, when sources were made */
	bool is_synced;
	struct loop_timer tick;
	bool has_tick;
};

int64_t trust_now_ms(const struct trust_service *trust);
int64_t trust_now_utc_ms(const struct trust_service *trust);

/* Makes sources what the registry's issuers in force are. */
void trust_sync(struct trust_service *trust);
struct trust_source *trust_source_of(struct trust_service *trust, struct text name);

/* ---- source.c ---- */

/* NULL without memory. */
struct trust_source *source_create(struct trust_service *trust, const struct object *object);
/* Nobody waits there any more: their waits come back, out of the source. */
struct trust_wait *source_destroy(struct trust_source **handle);
/* Begins a fetch if none is under way and one may begin now. */
void source_refresh(struct trust_source *source);
/* Keys that may still be used, or NULL. */
const struct issuer_keys *source_keys(struct trust_source *source);
bool source_is_fetching(const struct trust_source *source);
/* "fresh", "stale", "failing", "fetching" or "waiting". */
const char *source_state_word(struct trust_source *source);

#endif

#ifndef SERVICES_WAIVER_WAIVER_PRIVATE_H
#define SERVICES_WAIVER_WAIVER_PRIVATE_H

#include "base/random.h"
#include "domain/charter/name_table.h"
#include "services/registry/fold_record.h"
#include "services/waiver/waiver.h"

/* Private to services/waiver. */

enum {
	WAIVER_ACTOR_BYTES = 256,
	WAIVER_KEY_BYTES_MAX = 16 + WAIVER_OF_BYTES_MAX + WAIVER_OBJECT_BYTES_MAX,
};

struct waiver_node {
	struct waiver waiver;
	struct arena *arena;
	struct text key; /* "KIND OF OBJECT" */
	bool is_busy;    /* a record of it is on its way */
};

struct waiver_service {
	struct fold *fold;
	struct waiver_rules rules[WAIVER_KIND_COUNT];
	struct name_table *by_id;  /* owns struct waiver_node */
	struct name_table *by_key; /* the last one of each */
	struct name_table *asking; /* by key, too: what is asked for and not on record yet */
	uint64_t generation;
};

/* "KIND OF OBJECT", in out; empty: it is longer than any. */
struct text waiver_key(
	char out[WAIVER_KEY_BYTES_MAX], enum waiver_kind kind, struct text of, struct text object);
/* NULL: there is none. */
struct waiver_node *waiver_find(const struct waiver_service *service, struct text id);
struct waiver_node *waiver_find_for(const struct waiver_service *service, enum waiver_kind kind,
	struct text of, struct text object);

/* waiver_fold.c */
bool waiver_register(struct waiver_service *service, struct error *err) MUST_CHECK;
void waiver_node_destroy(void *value);

#endif

#ifndef SERVICES_FINDING_FINDING_PRIVATE_H
#define SERVICES_FINDING_FINDING_PRIVATE_H

#include "base/random.h"
#include "domain/charter/name_table.h"
#include "domain/charter/standing.h"
#include "services/finding/finding.h"
#include "services/registry/fold_record.h"

/* Private to services/finding. */

enum {
	FINDING_ARENA_BYTES_MAX = 64 * 1024,
	FINDING_KEY_BYTES_MAX = FINDING_SUBJECT_BYTES_MAX + 64, /* of what is reported */
	FINDING_AGAIN_MAX = 4, /* written anew at once: each may be refused again */
};

/* One finding; it is on its way until its record is folded, or lost. */
struct finding_node {
	struct finding finding;
	struct arena *arena; /* owns its texts */
	struct json details;
	struct text key;   /* kind and subject */
	struct text actor; /* who found it, as records say it; until it is open */
	/* While it is closed: what was reported meanwhile, the first of it.  Owned. */
	struct finding_node *again;
	bool is_open;     /* folded */
	bool is_closing;  /* a finding-closed record is on its way */
	bool is_unwaited; /* somebody reported it who does not wait: lost, it is written again */
	bool is_lost;     /* so it is neither open nor on its way */
};

/* How far those were looked through that are lost. */
struct again_pass {
	char after[FINDING_KEY_BYTES_MAX]; /* the key of the last one tried */
	size_t after_length;
	bool has_lost; /* there may be some */
	bool has_seen; /* there were, since the pass began */
};

enum standing_stage {
	STANDING_STAGE_IDLE = 0,
	STANDING_STAGE_IDENTITIES,
	STANDING_STAGE_SERVERS,
	STANDING_STAGE_FINDINGS,
};

/* How far the look for standing access has come. */
struct standing_pass {
	enum standing_stage stage;
	uint64_t generation; /* of the registry, when it began */
	int64_t begun_utc_s;
	struct text after;        /* the registry's */
	char id[RANDOM_ID_BYTES]; /* of the finding that was looked at last */
};

enum owner_stage { OWNER_STAGE_IDLE = 0, OWNER_STAGE_IDENTITIES, OWNER_STAGE_FINDINGS };

/* How far the look for identities without an owner has come. */
struct owner_pass {
	enum owner_stage stage;
	uint64_t generation;      /* of the registry, when it began */
	struct text after;        /* the registry's */
	char id[RANDOM_ID_BYTES]; /* of the finding that was looked at last */
};

struct finding_service {
	const struct registry *registry;
	struct fold *fold;
	struct name_table *by_id;  /* those that are open */
	struct name_table *by_key; /* those on their way too; owns them */
	struct finding_figures figures;
	struct standing_pass standing;
	struct owner_pass owners;
	struct again_pass again;
	struct finding_listener listener;
};

/* "kind subject", in arena; .data is NULL without memory. */
struct text finding_key(struct arena *arena, enum finding_kind kind, struct text subject);

/* A node without members, with an arena.  Errors: LIMIT. */
bool finding_node_create(struct finding_node **out, struct error *err) MUST_CHECK;
void finding_node_destroy(void *value);

struct finding_node *finding_node_find(const struct finding_service *service, struct text id);

/* Its record is to be written again. */
void finding_node_lose(struct finding_service *service, struct finding_node *node);

/* unguarded.c: looks at each change of the registry.  After the registrar's handlers. */
bool finding_watch_registry(struct finding_service *service, struct error *err) MUST_CHECK;

/* finding_fold.c */
bool finding_register(struct finding_service *service, struct error *err) MUST_CHECK;

#endif

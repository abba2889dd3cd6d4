#ifndef SERVICES_LIVING_LIVING_PRIVATE_H
#define SERVICES_LIVING_LIVING_PRIVATE_H

#include "domain/charter/name_table.h"
#include "services/living/living.h"
#include "services/registry/fold_record.h"

/* What the parts of the service share. */

enum {
	LIVING_ARENA_BYTES_MAX = 1024 * 1024,
	LIVING_KEY_BYTES_MAX = 512, /* "KIND/NAME" and its NUL */
	LIVING_REVISIONS_MAX = 16,  /* of one thing; of more, the oldest are told with the newest */
};

/* One cause for which an identity is due. */
struct living_due {
	enum review_cause cause;
	int64_t due_utc_ms; /* the earliest said */
	uint64_t index;     /* of the last record */
	uint64_t revision;  /* of the registry's change behind it; 0: none was */
	char *what;         /* owned */
};

/* An identity that something is due of, or that was looked at. */
struct living_node {
	char *kept_name;  /* owned */
	struct text name; /* the same */
	int64_t looked_utc_ms;
	struct living_due *dues; /* one for each cause, at most */
	uint32_t dues_count;
};

/* Something that changed, and whose dependents have not all been looked at. */
struct living_changed {
	char *kept_key;  /* owned */
	struct text key; /* "KIND/NAME", the same */
	uint32_t what;   /* bits 1 << enum living_change */
	/* Of the registry's changes that have not been looked for, each with a row; the last is
	 * the newest. */
	uint64_t revisions[LIVING_REVISIONS_MAX];
	uint32_t revisions_count;
	int64_t at_utc_ms;    /* of the newest */
	int64_t since_utc_ms; /* something of it waits */
	bool is_looked_for;   /* by the pass that is on */
};

struct living_pass {
	bool is_on;
	bool has_lost; /* a record was not written: what it looked for is looked for again */
	char after[LIVING_KEY_BYTES_MAX];
	int64_t begun_utc_s; /* of the last one */
	uint32_t looked_for; /* changed things */
};

struct living_service {
	const struct registry *registry;
	struct fold *fold;
	struct name_table *nodes;   /* living_node by identity */
	struct name_table *changed; /* living_changed by key */
	struct living_pass pass;
	uint32_t in_flight;
};

/* What one waits for, in the arena of its record. */
struct living_work {
	struct fold_record *record;
	struct living_service *living;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err); /* may be NULL */
};
/* Starts it. */
bool living_work_create(struct living_work **out, struct living_service *living, const char *type,
	struct text actor, struct error *err) MUST_CHECK;
void living_work_destroy(struct living_work *work);
/* Takes the work over, whatever comes of it. */
bool living_work_submit(struct living_work *work, struct error *err) MUST_CHECK;

struct living_node *living_find(const struct living_service *living, struct text identity);
const struct living_due *living_find_due(const struct living_node *node, enum review_cause cause);
void living_node_destroy(void *value);
void living_changed_destroy(void *value);

/* living_fold.c */
bool living_register(struct living_service *living, struct error *err) MUST_CHECK;

#endif

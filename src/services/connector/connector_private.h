#ifndef SERVICES_CONNECTOR_CONNECTOR_PRIVATE_H
#define SERVICES_CONNECTOR_CONNECTOR_PRIVATE_H

#include "domain/inventory/walk.h"
#include "services/connector/connector.h"

/* Private to services/connector. */

enum {
	SCRATCH_BYTES_MAX = 256 * 1024 * 1024, /* of one page, parsed */
	REFRESH_PAGES_GROW = 64,
	ACTOR_BYTES_MAX = 320,
	URL_BYTES = WALK_URL_BYTES_MAX + 1,
};

/* ---- asking.c: one request, asked again where the provider says so ---- */

/* In its owner; zero but for the first block, which the owner fills. */
struct asking {
	struct connector_service *service;
	const struct connector *connector;
	const char *method;
	const char *url;
	struct text body;
	bool is_containing;
	/* Once.  err code NONE: an answer of any status but those that say "later". */
	void (*done)(struct asking *asking, const struct connector_answer *answer,
		const struct error *err);
	void *context;
	/* Its own. */
	struct connector_fetch fetch;
	struct loop_timer timer;
	uint32_t tries;
	bool is_out;
	bool is_waiting;
};
/* Errors: as the fetcher's. */
bool asking_begin(struct asking *asking, struct error *err) MUST_CHECK;
/* done does not run any more; of one that is not under way, too. */
void asking_cancel(struct asking *asking);
/* What was wrong with an answer, for people; false.  What the provider says of it is kept short,
 * and what cannot be seen is left out. */
bool asking_refused(const struct connector_answer *answer, struct error *err);

/* ---- connector.c ---- */

/* What the provider answered, and what is read in it.  Of the refresh, or of the reader once a
 * cancel gave it away. */
struct refresh_pages {
	struct connector_reading reading; /* first: it is how the reader knows them */
	struct arena *arena;              /* pages as they came */
	struct export_page *pages;
	size_t capacity;
};

struct refresh {
	struct connector_service *service;
	const struct object *object; /* held */
	enum connector_state state;
	bool is_gone;        /* another version is in force, or none */
	bool is_wanted;      /* by hand */
	bool is_silent_told; /* the finding was reported */
	bool takes_smaller;
	char actor[ACTOR_BYTES_MAX + 1];
	struct loop_timer timer;
	int64_t next_utc_ms; /* 0: now */
	int64_t seen_utc_ms; /* since when it is known here */
	/* Of the one under way, or the last. */
	struct inventory_walk *walk;
	struct asking asking;
	struct refresh_pages *brought;
	size_t pages_count;
	uint64_t pages_seen; /* of it, which outlive the pages */
	uint64_t bytes;
	int64_t started_utc_ms;
	int64_t started_ms; /* monotonic */
	uint32_t unknown_scopes;
	uint32_t unnamed;
	bool is_reading;
	struct text rest; /* of its lines */
	uint32_t number;
	char import[64];
	struct inventory_change change;
	bool is_changing; /* the inventory has it */
	uint64_t items;
	/* The last. */
	enum connector_outcome outcome;
	int64_t ended_utc_ms;
	char why[ERROR_TEXT_BYTES];
	uint32_t failures; /* since the last that was done */
	struct refresh *next;
};

struct stopping;

struct connector_service {
	struct connector_parts parts;
	struct stopping *stoppings;
	unsigned stoppings_count;
	unsigned stoppings_calling;
	bool is_resumed;
	struct refresh *list; /* by name */
	unsigned count;
	unsigned running;
	uint64_t generation;
	bool is_synced;
	struct loop_timer look;
};

int64_t connector_now_utc_ms(const struct connector_service *service);
const struct connector *refresh_connector(const struct refresh *refresh);
/* The connector of this name that is in force; NULL: none. */
struct refresh *refresh_named(const struct connector_service *service, struct text name);
/* Whether it is what the registry has in force under its name. */
bool connector_is_in_force(const struct connector_service *service, const struct object *object);
/* Whether the graph was told all of its inventory, or why it cannot be; of one that has none,
 * too. */
bool connector_is_told(const struct connector_service *service, struct text name);
/* Goes by the registry as it is now. */
void connector_sync(struct connector_service *service);
/* Waits for its next time. */
void refreshing_rest(struct refresh *refresh);
/* Frees it; nothing of it may be under way in the inventory. */
void refreshing_forget(struct refresh *refresh);

/* ---- refresh.c ---- */

void refreshing_go_on(struct refresh *refresh);
/* What is under way ends without an outcome; true: nothing of it is left in the inventory. */
bool refreshing_drop(struct refresh *refresh);

/* ---- contain.c ---- */

/* Those that a daemon before this one left between call and answer are asked after.  False: call
 * it again, some cannot be yet. */
bool stoppings_resume(struct connector_service *service);
/* Whether the account is being stopped; context: the service (struct inventory_stopper). */
bool stoppings_have(void *context, struct text account);
void stoppings_destroy(struct connector_service *service);

/* ---- finding.c ---- */

/* One about an account that is to be stopped; unit and owner are its connector's, where it is
 * known. */
void containment_report(struct connector_service *service, const struct connector *connector,
	struct text account, const char *what);
void containment_settle(struct connector_service *service, struct text account);

void connector_report(struct refresh *refresh, enum finding_kind kind, const char *what);
void connector_settle(struct refresh *refresh, enum finding_kind kind, const char *reason);

#endif

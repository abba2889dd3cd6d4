#ifndef SERVICES_DIRECTORY_DIRECTORY_H
#define SERVICES_DIRECTORY_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/scim/csv.h"
#include "domain/scim/user.h"
#include "services/registry/registrar.h"

/* Directories that provision people: who comes, who leaves, who moves (docs/people.md).  What a
 * directory says becomes a person's document by the same road as any change of the registry: one
 * record, all of it or nothing.  It gives nobody a role or a clearance.  Loop's thread. */

struct directory_service;
struct finding_service; /* services/finding/finding.h */

enum {
	DIRECTORIES_MAX = 32,
	DIRECTORY_GROUPS_MAX = 10000, /* of all directories */
	DIRECTORY_TOKEN_BYTES = 56,   /* and its NUL */
	DIRECTORY_TOKEN_DAYS_MAX = 730,
	DIRECTORY_TOKEN_DAYS_DEFAULT = 365,
	DIRECTORY_PAGE_MAX = 200, /* resources of one answer */
	DIRECTORY_LOOKS = 128,    /* resources that one step of a search looks at */
	DIRECTORY_QUEUE_MAX = 64,
	DIRECTORY_WINDOW_S = 60 * 60, /* in which leavers are counted */
	/* Who came later than so long ago is none of those of whom a share may leave. */
	DIRECTORY_SETTLED_S = 24 * 60 * 60,
	DIRECTORY_CONFIRMED_S = 60 * 60, /* for which a person's word lets more leave */
};

/* How many people of a directory may leave within DIRECTORY_WINDOW_S: the greater of the two. */
struct directory_bounds {
	int64_t leavers;
	int64_t percent; /* of those who were there */
};

enum directory_verb {
	DIRECTORY_NOTHING = 0,
	DIRECTORY_CREATE,  /* type, body */
	DIRECTORY_REPLACE, /* type, id, body */
	DIRECTORY_PATCH,   /* type, id, body: a PatchOp */
	DIRECTORY_DELETE,  /* type, id */
	DIRECTORY_IMPORT,  /* rows (, is_all, is_check), by a person */
	DIRECTORY_TOKEN,   /* unit, days: a token, and the directory if it is new; by a person */
	DIRECTORY_CONFIRM, /* that so many leave is meant; by a person */
};

struct directory_request {
	enum directory_verb verb;
	struct text directory;
	struct text actor; /* "person:NAME"; empty: the directory itself */
	const struct scim_resource_type *type;
	struct text id;
	const struct json *body;
	bool has_if_match;
	uint64_t if_match;
	const struct csv_row *rows;
	size_t rows_count;
	bool is_all;   /* who is not among the rows has left */
	bool is_check; /* import: nothing changes */
	struct text unit;
	int64_t days;
	struct arena *arena; /* the caller's; outlives the request */
	void (*done)(struct directory_request *request);
	void *context;
	/* The answer.  fault.status is 0 if it is done: durable and in effect. */
	struct scim_fault fault;
	struct json resource; /* as clients see it; JSON_NULL: none */
	struct json summary;  /* of an import */
	uint64_t index;
	char token[DIRECTORY_TOKEN_BYTES]; /* shown once; the caller clears it */
	/* Private. */
	struct directory_service *service;
	struct registrar_request registrar;
	struct text made; /* id of what is created */
	struct fold_change change;
	bool is_stopping;
	bool is_opening; /* of an import: its directory is not there yet */
	int64_t leavers;
	int64_t leavers_max;
	int64_t losers; /* whom it takes roles by moving them */
	struct directory_request *next;
};

struct directory_parts {
	struct registrar *registrar;
	struct registry *registry;
	struct fold *fold;
	struct finding_service *findings;
	struct directory_bounds bounds;
	struct code_listener tokens; /* hears of each token before anybody has it; may be empty */
};

/* Who hears what becomes of people, once it is folded; main fills it. */
struct people_listener {
	void *context;
	void (*changed)(void *context, enum people_event event, struct text person);
};

/* Everything is borrowed and outlives it.  Registers its handlers and projectors.  After the
 * registrar, whose handlers must run first.  Errors: LIMIT. */
bool directory_service_create(struct directory_service **out, const struct directory_parts *parts,
	struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void directory_service_destroy(struct directory_service **service);
void directory_listen(struct directory_service *service, const struct people_listener *listener);
/* The URL of its resources, "https://…/scim/v2"; borrowed. */
void directory_set_base(struct directory_service *service, struct text base);
struct text directory_base(const struct directory_service *service);

/* The directory whose token this is, and that has not ended; empty: none. */
struct text directory_of_token(
	const struct directory_service *service, struct text token, int64_t now_utc_ms);
int64_t directory_now_utc_ms(const struct directory_service *service);

/* Takes the request; done runs later, or before this returns. */
void directory_submit(struct directory_service *service, struct directory_request *request);

/* One resource of a directory. */
struct directory_wanted {
	struct text directory;
	const struct scim_resource_type *type;
	struct text id;
};
/* As clients see it.  False: 404 or 503. */
bool directory_show(const struct directory_service *service, const struct directory_wanted *wanted,
	struct arena *arena, struct json *out, struct scim_fault *fault);

/* A query (RFC 7644 §3.4.2), of one type, or of both (type NULL). */
struct directory_query {
	struct text directory;
	const struct scim_resource_type *type;
	const struct scim_filter *filter; /* NULL: all */
	const struct scim_path *sort;     /* NULL: in order of id */
	bool is_descending;
	int64_t first; /* from 1 */
	int64_t count;
};
/* A search under way, DIRECTORY_LOOKS resources a step.  It may be ended at any time. */
struct directory_search;
/* query is copied; what it points to, arena and fault outlive the search.  False: 503. */
bool directory_search_create(struct directory_search **out, const struct directory_service *service,
	const struct directory_query *query, struct arena *arena,
	struct scim_fault *fault) MUST_CHECK;
void directory_search_destroy(struct directory_search **search);
/* One step.  DONE: out is the page as a JSON array, in arena, and total how many there are in
 * all.  FAILED: the fault says why. */
enum directory_search_is { SEARCH_HAS_FAILED = 0, SEARCH_IS_UNDER_WAY, SEARCH_IS_DONE };
enum directory_search_is directory_search_step(
	struct directory_search *search, struct json *out, int64_t *total);

/* Directories as JSON array of {name, unit, expires_utc_ms, people, groups, leavers, leavers_max,
 * stopped_utc_ms?, confirmed_until_utc_ms?}.  Errors: LIMIT. */
bool directories_json(const struct directory_service *service, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

#endif

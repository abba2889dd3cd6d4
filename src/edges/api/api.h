#ifndef EDGES_API_API_H
#define EDGES_API_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "base/loop.h"
#include "services/approve/approve.h"
#include "services/approve/break_glass.h"
#include "services/call/call_service.h"
#include "services/connector/connector.h"
#include "services/decide/decide_service.h"
#include "services/directory/directory.h"
#include "services/finding/finding.h"
#include "services/graph/graph_service.h"
#include "services/inventory/inventory.h"
#include "services/issue/consent.h"
#include "services/issue/token_keys.h"
#include "services/living/living.h"
#include "services/posture/posture.h"
#include "services/record/contents.h"
#include "services/record/record.h"
#include "services/registry/projector.h"
#include "services/registry/registrar.h"
#include "services/review/review.h"
#include "services/waiver/waiver.h"
#include "wire/router.h"

/* The control API, /v1: one table of routes (routes.c) serves HTTP and the
 * socket, and writes /v1/openapi.json.  This edge authenticates, bounds, parses
 * and answers; every rule lives in the service it calls. */
struct api;
struct sign_in; /* services/sign_in/sign_in.h */

/* A request as its signature covers it.  Borrowed. */
struct api_signed {
	struct text authorization; /* the header's value */
	struct text method;
	struct text target; /* path and query as received */
	struct text body;
	bool is_local; /* came by the socket */
	const struct json
		*jwk; /* NULL: an enrolled key; else this one must have signed (enrolment) */
};

/* Who may sign; main fills it from services/issue, tests with a fake. */
struct api_signatures {
	void *context;
	/* Gives the person whose enrolled key signed exactly this request, once, in
	 * arena.  Errors: INVALID (why it does not hold), LIMIT. */
	bool (*verify)(void *context, const struct api_signed *what, struct arena *arena,
		struct text *out_person, struct error *err);
};

/* What the API asks of tasks; main fills it from services/issue. */
struct api_tasks {
	void *context;
	/* Errors: NOT_FOUND, LIMIT. */
	bool (*show)(void *context, struct text id, struct arena *arena, struct json *out,
		struct error *err);
	/* Up to count tasks by identity, then in the order opened, after `after`, as a JSON
	 * array. */
	bool (*list)(void *context, struct text after, uint32_t count, struct arena *arena,
		struct json *out, struct error *err);
	/* Ends one task; done runs on the loop later.  Errors: NOT_FOUND, CONFLICT
	 * (not open), LIMIT, IO. */
	bool (*end)(void *context, struct text id, struct text actor, void *done_context,
		void (*done)(void *done_context, uint64_t index, const struct error *err),
		struct error *err);
	/* The record that says what a kill ended.  Errors: NOT_FOUND. */
	bool (*receipt_of)(void *context, uint64_t kill, uint64_t *out_record, struct error *err);
	/* The path of a task, from its first one, as a JSON array.  Errors: NOT_FOUND, LIMIT. */
	bool (*hops)(void *context, struct text id, struct arena *arena, struct json *out,
		struct error *err);
};

/* The keys of tokens; main fills it from services/issue. */
struct api_token_keys {
	void *context;
	/* A JSON array. */
	bool (*list)(void *context, struct arena *arena, struct json *out, struct error *err);
	bool (*rotate)(void *context, const struct token_key_rotation *asked, struct error *err);
};

/* What identities ask people for; main fills it from services/issue. */
struct api_consents {
	void *context;
	/* What the person would consent to.  Errors: NOT_FOUND, LIMIT. */
	bool (*show)(void *context, struct text code, struct text person, struct arena *arena,
		struct json *out, struct error *err);
	bool (*answer)(void *context, const struct issue_consent_answer *answer, struct error *err);
};

/* Whose word counts; main fills it from services/trust. */
struct api_trust {
	void *context;
	/* Up to count rows after the id `after`, as a JSON array.  Errors: LIMIT. */
	bool (*list)(void *context, struct text after, uint32_t count, struct arena *arena,
		struct json *out, struct error *err);
};

/* Upstream secrets by name; values go in and never come out. */
struct api_secrets {
	void *context;
	bool (*set)(void *context, struct text name, struct text value, struct error *err);
	bool (*remove)(void *context, struct text name, struct error *err);
	/* A JSON array of names. */
	bool (*list)(void *context, struct arena *arena, struct json *out, struct error *err);
};

/* Copies the running state into one file on this machine (socket only). */
struct api_backups {
	void *context;
	bool (*write)(void *context, struct text path, void *done_context,
		void (*done)(
			void *done_context, const struct json *summary, const struct error *err),
		struct error *err);
};

/* All borrowed; they outlive the api. */
struct api_services {
	struct loop *loop;
	struct fold *fold;
	struct registrar *registrar;
	struct sign_in *sign_in;
	struct decide_service *decide;
	struct approve *approve;
	struct finding_service *finding;
	struct review_service *review;
	struct posture *posture;
	struct directory_service *directories;
	struct graph_service *graph;
	struct waiver_service *waivers;
	struct inventory_service *inventory;
	struct connector_service *connector;
	struct living_service *living;
	struct call_service *call;
	struct record_log *log;
	struct projector *projector;
	struct contents *contents;
	struct text installation; /* the origin of the log: what people sign for */
	struct api_signatures signatures;
	struct api_tasks tasks;
	struct api_consents consents;
	struct api_trust trust;
	struct api_token_keys token_keys;
	struct api_secrets secrets;
	struct api_backups backups;
};

/* services is copied.  Errors: LIMIT. */
bool api_create(
	struct api **out, const struct api_services *services, struct error *err) MUST_CHECK;
/* After the server and the router that use its routes. */
void api_destroy(struct api **api);
/* Adds every route of /v1.  Errors: those of router_add. */
bool api_add_routes(struct api *api, struct router *router, struct error *err) MUST_CHECK;

#endif

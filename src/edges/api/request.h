#ifndef EDGES_API_REQUEST_H
#define EDGES_API_REQUEST_H

#include "edges/api/api.h"

/* One request to /v1 and its answer, for the handlers of this edge. */

struct api_request;

/* Who may call a route at all; the services check what this person may do. */
enum api_access {
	ACCESS_NOBODY = 0,
	ACCESS_ANYONE,        /* no signature: descriptions */
	ACCESS_ENROLLING,     /* signed by the key in the body (login) */
	ACCESS_READ,          /* an enrolled person, or the socket's peer */
	ACCESS_STOP,          /* as READ, of what opens nothing: suspend, kill, report */
	ACCESS_PERSON,        /* an enrolled person */
	ACCESS_ADMINISTRATOR, /* an enrolled person with that role */
	ACCESS_SOCKET,        /* the socket's peer only: bootstrap, backup */
};

enum api_route_flags {
	ROUTE_NEEDS_IF_MATCH = 1, /* else 428; the revision is compared by the service */
	ROUTE_TAKES_IF_MATCH = 2,
};

/* One row of the table.  Everything the description says comes from here. */
struct api_route {
	const char *method;
	const char *pattern;
	enum api_access access;
	unsigned flags; /* enum api_route_flags */
	void (*handle)(struct api_request *request);
	const char *operation; /* operationId */
	const char *summary;
	const char *const *members; /* of the body, NULL-terminated, "!" before a required one */
	const char *const *query;   /* parameters, NULL-terminated */
	enum object_kind kind;      /* for rows that serve one kind of object */
	enum registrar_verb verb;   /* for rows that are one verb of the registrar */
};

extern const struct api_route api_routes[];
extern const size_t api_routes_count;

enum {
	API_ARENA_BYTES_MAX = 64 * 1024 * 1024, /* a request and its answer */
	API_PAGE_DEFAULT = 100,
	API_PAGE_MAX = 1000,
	API_IDEMPOTENCY_KEY_BYTES_MAX = 128,
	API_IDEMPOTENCY_ENTRIES_MAX = 1024,
	API_IDEMPOTENCY_BODY_BYTES_MAX = 256 * 1024, /* a larger answer is not kept */
};

/* A look at what a server offers: all of it by page, or one tool. */
struct api_look {
	struct call_look call;
	struct decide_page page;
	struct text tool; /* "server/name"; empty: the page */
};

/* Lives until the request is answered and its connection is done with it. */
struct api_request {
	struct api *api;
	const struct api_route *route;
	struct http_exchange *exchange; /* NULL once the peer has gone */
	struct arena *arena;            /* owned */
	struct text actor;              /* "person:NAME", "uid:N"; empty for ANYONE */
	struct text person;             /* NAME, or empty */
	struct text signature;          /* compact JWS of the request; empty: by the socket */
	struct json body;               /* an object, or JSON_NULL without one */
	char *kept_body;                /* the bytes that body points into */
	size_t kept_body_length;
	struct text idempotency_key;
	struct sha256 fingerprint; /* of method, target and body */
	bool has_if_match;
	uint64_t if_match;
	struct sign_in_check *check; /* of who signs in; NULL: nobody does */
	struct text report;          /* of a review: what is answered */
	bool is_answered;
	bool is_closed;
	union {
		struct registrar_request registrar;
		struct projector_query query;
		struct approve_request approve;
		struct finding_close finding;
		struct inventory_change inventory;
		struct living_look living;
		struct call_edit edit;
		struct break_glass_request glass;
		struct call_kill kill;
		struct directory_request directory;
		struct api_look look;
		struct review_request review;
	} work; /* what the handler has handed to a service */
};

struct api {
	struct api_services services;
	struct idempotency *idempotency;
	struct api_binding *bindings; /* a route and this api, for the router */
};

/* Exactly one of these ends a request; any time after the handler was called. */
void api_answer(struct api_request *request, unsigned status, const struct json *body);
/* The time of the next record. */
int64_t api_now_utc_ms(const struct api_request *request);
/* What lies sealed beside a record, opened.  Errors: NOT_FOUND (nothing does, or its key was
 * erased), CORRUPT, LIMIT, IO. */
bool api_read_content(struct api_request *request, uint64_t index, struct json *out,
	struct error *err) MUST_CHECK;
/* 200 with body if ok, else what err says. */
void api_answer_or_fail(
	struct api_request *request, bool ok, const struct json *body, const struct error *err);
/* {items, next}: a page, if ok, else what err says; next is empty where there is no other. */
void api_answer_page(struct api_request *request, bool ok, const struct json *items,
	struct text next, struct error *err);
/* A page of what may be one item too long: that one only says that more follow, from the id of the
 * one before it.  waiting: how many more would be among them, if there were room; 0: none. */
void api_answer_long_page(
	struct api_request *request, struct json *items, uint32_t limit, uint64_t waiting);
void api_answer_text(struct api_request *request, const char *content_type, struct text body);
void api_answer_problem(struct api_request *request, const struct error *err);
void api_answer_status(struct api_request *request, unsigned status, const char *detail);
/* 200 with {"index": ..., "revision": ...?}; the revision also as ETag. */
void api_answer_change(struct api_request *request, uint64_t index, uint64_t revision);
/* The same of a record that has no revision, as the completion of what was submitted: context is
 * the request. */
void api_answer_recorded(void *context, uint64_t index, const struct error *err);
/* What the person signed: for what is put on record as it was signed. */
struct answer_proof api_proof(const struct api_request *request);
/* 200 with an ETag. */
void api_answer_revision(struct api_request *request, const struct json *body, uint64_t revision);

/* A path value, a query value (empty if absent), the page's size. */
struct text api_path(const struct api_request *request, const char *name);
struct text api_query(const struct api_request *request, const char *name);
/* False: it was not a number of 1 .. API_PAGE_MAX, and the request is answered. */
bool api_page_size(struct api_request *request, uint32_t *out) MUST_CHECK;
/* The required text member of the body; false: missing, and the request is answered. */
bool api_need_text(struct api_request *request, const char *name, struct text *out) MUST_CHECK;
/* The member of the body that is a day, for its first second, or a time, as seconds since 1970; 0:
 * it is not there.  False: it is neither, and the request is answered. */
bool api_read_moment(struct api_request *request, const char *name, int64_t *out_utc_s) MUST_CHECK;

/* glass_routes.c: which break-glass is open in the unit of whoever asks, in one line of ASCII
 * that ends with NUL, in the request's memory; empty: none, or nobody in particular asks. */
struct text api_break_glass_banner(struct api_request *request);

/* sign_in_routes.c: {kid, expires_utc_ms, issuer} of the key that signed the request; null: none
 * did. */
struct json api_key_json(struct api_request *request, struct error *err);

/* query.c: parameters, and the words of closed vocabularies. */
struct api_vocabulary {
	const char *name; /* of the parameter */
	const char *(*word)(unsigned value);
	unsigned first;
	unsigned last;
};
/* NULL: any text will do. */
const struct api_vocabulary *api_vocabulary_of(const char *name);
/* False: the parameter (of query or body) has a vocabulary without this word, and the
 * request is answered with those it has. */
bool api_check_word(struct api_request *request, const char *name, struct text value) MUST_CHECK;
/* False: a parameter that the row does not name, twice, empty or with a word of no
 * vocabulary; the request is answered. */
bool api_check_query(struct api_request *request) MUST_CHECK;

/* status.c: an error as HTTP says it. */
unsigned api_status_of(const struct error *err);
const char *api_status_title(unsigned status);

/* openapi.c: the description of the table, OpenAPI 3.1.  Errors: LIMIT. */
bool api_describe(struct json *out, struct arena *arena, struct error *err) MUST_CHECK;

/* Handlers, by file. */
void handle_description(struct api_request *request);  /* openapi.c */
void handle_installation(struct api_request *request); /* registry_routes.c */
void handle_whoami(struct api_request *request);
void handle_sign_in_list(struct api_request *request); /* sign_in_routes.c */
void handle_sign_in(struct api_request *request);
void handle_object_list(struct api_request *request);
void handle_object_show(struct api_request *request);
void handle_plan(struct api_request *request);
void handle_apply(struct api_request *request);
void handle_export(struct api_request *request);
void handle_verb(struct api_request *request);
void handle_enrol(struct api_request *request);
void handle_sandbox_list(struct api_request *request);
void handle_sandbox_open(struct api_request *request);
void handle_invite(struct api_request *request);
void handle_key_revoke(struct api_request *request);
void handle_can(struct api_request *request);
void handle_definition_list(struct api_request *request);
void handle_definition_show(struct api_request *request);
void handle_who(struct api_request *request);
void handle_why(struct api_request *request);
void handle_owner_list(struct api_request *request); /* people_routes.c */
void handle_directory_list(struct api_request *request);
void handle_directory_token(struct api_request *request);
void handle_directory_confirm(struct api_request *request);
void handle_directory_import(struct api_request *request);
void handle_graph_show(struct api_request *request); /* graph_routes.c */
void handle_graph_path(struct api_request *request);
void handle_graph_reach(struct api_request *request);
void handle_excess(struct api_request *request);
void handle_secret_list(struct api_request *request); /* work_routes.c */
void handle_secret_set(struct api_request *request);
void handle_secret_remove(struct api_request *request);
void handle_backup(struct api_request *request);
void handle_task_list(struct api_request *request);
void handle_task_show(struct api_request *request);
void handle_task_end(struct api_request *request);
void handle_trust_list(struct api_request *request);
void handle_kill(struct api_request *request);
void handle_approval_list(struct api_request *request);
void handle_approval_show(struct api_request *request);
void handle_approval_answer(struct api_request *request);
void handle_finding_list(struct api_request *request);
void handle_finding_show(struct api_request *request);
void handle_finding_report(struct api_request *request);
void handle_finding_close(struct api_request *request);
void handle_standing_list(struct api_request *request);
void handle_control_list(struct api_request *request); /* posture_routes.c */
void handle_control_show(struct api_request *request);
void handle_posture(struct api_request *request);
void handle_waiver_list(struct api_request *request);
void handle_waiver_ask(struct api_request *request);
void handle_waiver_approve(struct api_request *request);
void handle_waiver_end(struct api_request *request);
void handle_approval_how(struct api_request *request);
void handle_approval_edit(struct api_request *request);
void handle_token_key_list(struct api_request *request); /* key_routes.c */
void handle_token_key_rotate(struct api_request *request);
void handle_consent_show(struct api_request *request); /* consent_routes.c */
void handle_consent_answer(struct api_request *request);
void handle_crossing_list(struct api_request *request); /* crossing_routes.c */
void handle_crossing_show(struct api_request *request);
void handle_due_list(struct api_request *request); /* living_routes.c */
void handle_due_done(struct api_request *request);
void handle_proof(struct api_request *request);      /* proof_routes.c */
void handle_outlook(struct api_request *request);    /* registry_routes.c */
void handle_glass_list(struct api_request *request); /* glass_routes.c */
void handle_glass_change(struct api_request *request);
void handle_review_list(struct api_request *request); /* review_routes.c */
void handle_review_show(struct api_request *request);
void handle_review_items(struct api_request *request);
void handle_review_start(struct api_request *request);
void handle_review_decide(struct api_request *request);
void handle_review_delegate(struct api_request *request);
void handle_review_report(struct api_request *request);
void handle_inventory_list(struct api_request *request); /* inventory_routes.c */
void handle_inventory_show(struct api_request *request);
void handle_refresh(struct api_request *request);
void handle_containment_show(struct api_request *request);
void handle_refresh_show(struct api_request *request);
void handle_refresh_list(struct api_request *request);
void handle_inventory_items(struct api_request *request);
void handle_inventory_begin(struct api_request *request);
void handle_inventory_part(struct api_request *request);
void handle_inventory_plan(struct api_request *request);
void handle_inventory_commit(struct api_request *request);
void handle_inventory_undo(struct api_request *request);
void handle_inventory_drafts(struct api_request *request);
void handle_inventory_draft(struct api_request *request);
void handle_containment_list(struct api_request *request);
void handle_contain(struct api_request *request);
void handle_release(struct api_request *request);
void handle_record_list(struct api_request *request); /* record_routes.c */
void handle_record_show(struct api_request *request);
void handle_record_why(struct api_request *request);
void handle_record_receipt(struct api_request *request);
void handle_kill_receipt(struct api_request *request);
void handle_trace(struct api_request *request);
void handle_hops(struct api_request *request);
void handle_audit_head(struct api_request *request);

#endif

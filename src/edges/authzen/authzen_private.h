#ifndef EDGES_AUTHZEN_AUTHZEN_PRIVATE_H
#define EDGES_AUTHZEN_AUTHZEN_PRIVATE_H

#include "base/random.h"
#include "base/seal.h"
#include "base/time.h"
#include "edges/authzen/authzen.h"

/* What the files of this folder share. */

enum {
	AUTHZEN_ENDPOINTS = 5,
	AUTHZEN_ROUTES = 15,
	AUTHZEN_SPARE_MAX = 64,               /* check-source: bound: kept for use again */
	AUTHZEN_SPARE_BYTES_MAX = 128 * 1024, /* check-source: bound: each holds that */
};

struct authzen_request;

/* One endpoint: its place below the point's URL, its name in the metadata, and what
 * answers it. */
struct authzen_endpoint {
	const char *name; /* "search/subject" */
	const char *member;
	void (*handle)(struct authzen_request *request);
	enum evaluate_part part; /* of a search */
};

/* An endpoint and the door it is of, for the router. */
struct authzen_binding {
	struct authzen *authzen;
	const struct authzen_endpoint *endpoint;
};

struct authzen {
	struct authzen_parts parts;
	struct seal_key page_key; /* of this process: its page tokens hold until it ends */
	struct authzen_binding bindings[AUTHZEN_ENDPOINTS];
	struct authzen_request *pending;
	size_t pending_count;
	struct authzen_request *spare; /* empty, each with its arena */
	size_t spare_count;
	struct random_ahead ids;
};

/* How questions are read, and where what is made of them lives. */
struct authzen_reader {
	enum application_reads reads;
	struct arena *arena;
};

/* Lives until it is answered and its connection is over; then it is spare. */
struct authzen_request {
	struct authzen *authzen;
	const struct authzen_endpoint *endpoint;
	struct http_exchange *exchange; /* NULL once the peer has gone */
	struct arena *arena;            /* owned */
	struct evaluate_asker asker;    /* texts in arena */
	struct authzen_reader reader;
	struct text request_id;   /* in arena; .data NULL: none was sent */
	struct json body;         /* an object */
	char id[RANDOM_ID_BYTES]; /* evaluation_id */
	struct text answer;       /* in arena, or a literal: sent once it is recorded */
	bool is_answered;
	bool is_closed;
	struct authzen_request *next;  /* pending, or spare */
	struct authzen_request **link; /* what points here, while pending */
};

/* page.c: the place in a search where a page begins (struct evaluate_place), and what it holds
 * for. */
struct authzen_place {
	uint64_t index;
	uint64_t state;                  /* evaluate_state of what is searched */
	struct sha256 request;           /* all of it but its page, and who asks where */
	char after[TOOL_NAME_BYTES_MAX]; /* with NULs up to its end */
};
/* Seals a place, in arena.  Errors: LIMIT, INTERNAL. */
bool authzen_page_token(struct text *out, struct arena *arena, const struct seal_key *key,
	const struct authzen_place *place, struct error *err) MUST_CHECK;
/* Reads page: {limit?, token?}, NULL where there is none.  *place: in, the state and request a
 * token must hold for; out, with from.  Errors: INVALID. */
bool authzen_page_read(const struct json *page, const struct seal_key *key, uint32_t *limit,
	struct authzen_place *place, struct error *err) MUST_CHECK;

/* Exactly one of these ends a request. */
void authzen_fail(struct authzen_request *request, unsigned status, const char *message);
/* By err: INVALID is 400, with "forbidden: " first 403; all else 500. */
void authzen_fail_with(struct authzen_request *request, const struct error *err);
/* Records, then answers 200 with body; body is written out before this returns. */
void authzen_answer(
	struct authzen_request *request, const struct json *body, struct evaluate_summary *summary);
/* The same, with the body's text, which lives as long as the request. */
void authzen_answer_text(
	struct authzen_request *request, struct text body, struct evaluate_summary *summary);

unsigned authzen_status_of(const struct error *err);
/* Without "forbidden: ". */
const char *authzen_message_of(const struct error *err);

/* read.c: the parts of a question.  Errors: INVALID; of draft 00, LIMIT too. */
enum authzen_id { AUTHZEN_ID_NEEDED = 0, AUTHZEN_ID_IGNORED };
bool authzen_read_entity(struct application_entity *out, const struct authzen_reader *reader,
	const struct json *value, const char *name, enum authzen_id id,
	struct error *err) MUST_CHECK;
bool authzen_read_action(struct application_question *out, const struct authzen_reader *reader,
	const struct json *value, struct error *err) MUST_CHECK;
bool authzen_read_context(
	struct application_question *out, const struct json *value, struct error *err) MUST_CHECK;
enum authzen_part {
	AUTHZEN_SUBJECT = 0,
	AUTHZEN_ACTION,
	AUTHZEN_RESOURCE,
	AUTHZEN_CONTEXT,
	AUTHZEN_PARTS
};
/* What a batch says for all items that do not say it themselves.  It is read once, so that
 * what is made of it is there once, too. */
struct authzen_defaults {
	struct application_question question;
	struct error errs[AUTHZEN_PARTS]; /* code NONE: the part could be read */
};
void authzen_read_defaults(
	struct authzen_defaults *out, const struct authzen_reader *reader, const struct json *body);
/* subject, action, resource and context of one evaluation.  defaults: or NULL. */
bool authzen_read_question(struct application_question *out, const struct authzen_reader *reader,
	const struct json *item, const struct authzen_defaults *defaults,
	struct error *err) MUST_CHECK;

/* decision.c */
void authzen_evaluation(struct authzen_request *request);
void authzen_evaluations(struct authzen_request *request);
/* search.c */
void authzen_search(struct authzen_request *request);

#endif

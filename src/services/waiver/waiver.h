#ifndef SERVICES_WAIVER_WAIVER_H
#define SERVICES_WAIVER_WAIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "services/registry/fold.h"

/* Waivers: what people live with, until a date.  One person asks, another agrees, and nobody agrees
 * to their own (schema/people.cedar).  What can be waived, and whose it is to ask and to agree, is
 * said by whoever finds that kind wrong.  One loop thread. */
struct waiver_service;

enum {
	WAIVERS_MAX = 65536,  /* not ended */
	WAIVER_DAYS_MAX = 90, /* it ends by then */
	WAIVER_REASON_BYTES_MAX = 1000,
	WAIVER_OF_BYTES_MAX = 64,
	WAIVER_OBJECT_BYTES_MAX = 512,
};

/* "control": a violation of one; "excess": what an identity's accounts open undeclared. */
enum waiver_kind { WAIVER_OF_NONE = 0, WAIVER_OF_CONTROL, WAIVER_OF_EXCESS, WAIVER_KIND_COUNT };
const char *waiver_kind_word(enum waiver_kind value);
/* Members that say what it is of, in records, requests and lists: "control" and "object";
 * "identity" and "resource". */
const char *waiver_of_member(enum waiver_kind kind);
const char *waiver_object_member(enum waiver_kind kind);

/* "waits" "live" "over". */
enum waiver_state { WAIVER_NONE = 0, WAIVER_WAITS, WAIVER_LIVE, WAIVER_OVER };
const char *waiver_state_word(enum waiver_state value);

/* Owned by the service. */
struct waiver {
	struct text
		id; /* "w-" and 20 letters; of an excess-waived record "w-record-" and its index */
	enum waiver_kind kind;
	struct text of;     /* a control's id, or an identity's name */
	struct text object; /* what violates it, or the resource as its connector calls it */
	struct text reason;
	struct text unit;        /* of the object, or of the identity; may be empty */
	struct text by;          /* a person's NAME */
	struct text approved_by; /* empty: nobody yet */
	uint32_t effects;        /* of EXCESS: that it covers, bits 1 << enum effect; no others */
	int64_t asked_utc_ms;
	int64_t until_utc_s; /* first second in which it counts no more */
	uint64_t index;
};
/* Pure: by the state that is folded, and the time. */
enum waiver_state waiver_state_at(const struct waiver *waiver, int64_t now_utc_s);

struct waiver_request {
	struct text id;     /* of approve and end */
	struct text of;     /* of ask: this and the object, or the finding */
	struct text object; /* see struct waiver */
	struct text finding;
	struct text reason;    /* of ask and end */
	struct text person;    /* NAME of an authenticated person */
	int64_t until_utc_s;   /* of ask */
	enum waiver_kind kind; /* of ask */
	void *context;
	/* Runs on the loop once it is durable (err NULL) or could not be written. */
	void (*done)(void *context, struct text id, uint64_t index, const struct error *err);
};

enum waiver_verb { WAIVER_ASK = 0, WAIVER_APPROVE, WAIVER_END };
/* Both "person:NAME". */
struct waiver_deed {
	enum waiver_verb verb;
	struct text actor;
	struct text asker; /* of APPROVE; else empty */
};

/* What is wrong by one kind, and whose it is. */
struct waiver_rules {
	void *context;
	/* Fills of, object, unit and effects of what is to be waived; they live until the call that
	 * asks returns.  Errors: NOT_FOUND, CONFLICT: there is nothing to waive. */
	bool (*find)(void *context, const struct waiver_request *request, struct waiver *out,
		struct error *err);
	/* Whether the actor ("person:NAME") of the deed may.  To APPROVE it never lets the asker,
	 * who is empty for any other.  Errors: INVALID ("forbidden: ..."), NOT_FOUND, CONFLICT. */
	bool (*may)(void *context, const struct waiver_deed *deed, const struct waiver *waiver,
		struct error *err);
};

/* Registers its handlers and projectors.  fold is borrowed and outlives it.  Errors: LIMIT. */
bool waiver_service_create(
	struct waiver_service **out, struct fold *fold, struct error *err) MUST_CHECK;
/* After the fold's last completion. */
void waiver_service_destroy(struct waiver_service **service);
/* rules are copied; without them nothing of the kind is asked for, agreed to or ended. */
void waiver_use(
	struct waiver_service *service, enum waiver_kind kind, const struct waiver_rules *rules);

/* Errors: NOT_FOUND (nothing such is wrong, no such waiver), INVALID (a member is missing, too
 * long, an end too far or past; "forbidden: ..." not for this person), CONFLICT (one is there
 * already, or is being changed), LIMIT, IO. */
bool waiver_ask(struct waiver_service *service, const struct waiver_request *request,
	struct error *err) MUST_CHECK;
bool waiver_approve(struct waiver_service *service, const struct waiver_request *request,
	struct error *err) MUST_CHECK;
bool waiver_end(struct waiver_service *service, const struct waiver_request *request,
	struct error *err) MUST_CHECK;

/* The one of it that is live at the time, or NULL. */
const struct waiver *waiver_live(const struct waiver_service *service, enum waiver_kind kind,
	struct text of, struct text object, int64_t now_utc_s);
/* In order of id, behind that one; empty: the first.  NULL: no more. */
const struct waiver *waiver_next(const struct waiver_service *service, struct text after);
/* Moves whenever one begins to count, or is ended by a person; never by time alone. */
uint64_t waiver_generation(const struct waiver_service *service);
/* Live ones of all kinds. */
uint64_t waiver_count_live(const struct waiver_service *service, int64_t now_utc_s);

/* A page: up to count behind the id `after`, as a JSON array; in arena.  Errors: LIMIT. */
bool waiver_list(const struct waiver_service *service, struct text after, uint32_t count,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

#endif

#ifndef DOMAIN_TOKEN_SECURITY_EVENT_H
#define DOMAIN_TOKEN_SECURITY_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "domain/token/jws.h"

/* Security event tokens (RFC 8417) of the Shared Signals Framework: what another issuer says
 * has happened to somebody.  One event each, a subject of RFC 9493, no exp and no sub. */

#define SECURITY_EVENT_TYPE "secevent+jwt"

enum {
	SECURITY_EVENT_AGE_MAX_S = 2 * 24 * 3600, /* one older than this is no news */
	SECURITY_EVENT_AUDIENCES_MAX = 16,
};

/* X(value, code of RFC 8935 §2.4, what it means). */
/* clang-format off */
#define SECURITY_EVENT_FAULTS(X) \
	X(SECURITY_EVENT_INVALID, "invalid_request", "it is no security event token") \
	X(SECURITY_EVENT_ACCEPTED, "accepted", "it holds") \
	X(SECURITY_EVENT_KEY, "invalid_key", \
	  "its issuer has no such key, or it signed nothing of this") \
	X(SECURITY_EVENT_ISSUER, "invalid_issuer", "no events of this issuer are taken here") \
	X(SECURITY_EVENT_AUDIENCE, "invalid_audience", "it is meant for others")
/* clang-format on */

/* Only ACCEPTED is a yes. */
enum security_event_fault {
#define SECURITY_EVENT_FAULT_MEMBER(name, code, meaning) name,
	SECURITY_EVENT_FAULTS(SECURITY_EVENT_FAULT_MEMBER)
#undef SECURITY_EVENT_FAULT_MEMBER
		SECURITY_EVENT_FAULT_COUNT
};
const char *security_event_fault_code(enum security_event_fault fault);
const char *security_event_fault_meaning(enum security_event_fault fault);

/* What has happened.  OTHER: what nothing here follows from. */
enum security_event_kind {
	EVENT_OTHER = 0,
	EVENT_SESSION_REVOKED,   /* CAEP 1.0 */
	EVENT_CREDENTIAL_CHANGE, /* CAEP 1.0: one was taken away or changed, not made */
};
/* "session-revoked"; "other". */
const char *security_event_kind_word(enum security_event_kind kind);

/* Whom it is about (RFC 9493 §3.2).  NONE: in no form that names somebody of ours. */
enum security_subject_form { SUBJECT_NONE = 0, SUBJECT_EMAIL, SUBJECT_ISSUER, SUBJECT_OPAQUE };

struct security_subject {
	enum security_subject_form form;
	struct text issuer; /* of ISSUER: whose name it is */
	struct text name;   /* an email address, a sub, an id */
};

/* Nothing of it is believed before security_event_check.  Borrowed from the text and arena. */
struct security_event {
	struct jws jws;
	struct text issuer;
	struct text id;
	int64_t issued_utc_s;
	enum security_event_kind kind;
	struct text type; /* the event's URI */
	struct security_subject subject;
};

/* ACCEPTED if compact has the form of one. */
enum security_event_fault security_event_read(
	struct security_event *out, struct arena *arena, struct text compact) MUST_CHECK;

/* ACCEPTED if key signed it, for this audience, and it is not of the future nor too old. */
struct security_event_rules {
	struct text audience;
	int64_t now_utc_s;
};
enum security_event_fault security_event_check(const struct security_event *event,
	const struct public_key *key, const struct security_event_rules *rules) MUST_CHECK;

#endif

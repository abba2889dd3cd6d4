#ifndef SERVICES_SIGNALS_SIGNALS_H
#define SERVICES_SIGNALS_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "domain/token/security_event.h"
#include "services/registry/fold.h"
#include "services/trust/trust.h"

/* Security events of other issuers (docs/formats/security-events.md): each is taken once, ends
 * the tasks of whom it is about, and is on record before its sender is told that it was taken.
 * Loop's thread. */
struct signals;

enum {
	SIGNALS_WAITING_MAX = 64,       /* events on their way to the log */
	SIGNALS_REMEMBERED_MAX = 16384, /* one-time ids, each for as long as it may come again */
	SIGNALS_PER_ISSUER_MAX = SIGNALS_REMEMBERED_MAX / 2,
};

/* Whose events are taken.  Main fills it from services/trust. */
struct signals_issuers {
	void *context;
	/* As trust_find.  Without an issuer in out: nobody's events of that name are taken. */
	enum trust_outcome (*find)(void *context, const struct trust_query *query,
		struct trust_wait *wait, struct trust_found *out);
};

/* One ending of tasks on its way; the caller owns it until done ran. */
struct signals_ending {
	struct text issuer; /* who said so, as it is registered */
	enum issuer_subject whom;
	bool may_be_person; /* of WORKLOADS: the issuer calls people by their sub, too */
	struct text name;
	const char *reason; /* "session-revoked" */
	void (*done)(struct signals_ending *ending);
	void *context;
	/* The answer, filled before done runs. */
	bool is_done; /* what had to end is over, durably; else err says why not */
	uint32_t tasks;
	struct error err;
};

/* Whose tasks end.  Main fills it from services/issue.  whom is PEOPLE: a person by email, or
 * by what this issuer calls them;
 * WORKLOADS: whoever that issuer's word opened tasks for, by its sub; IDENTITIES: an identity by
 * its name here. */
struct signals_tasks {
	void *context;
	/* done runs exactly once: before this returns, or from the loop.  Nobody of ours: is_done,
	 * with 0 tasks. */
	void (*end)(void *context, struct signals_ending *ending);
};

/* All borrowed; they outlive it. */
struct signals_parts {
	struct fold *fold;
	struct signals_issuers issuers;
	struct signals_tasks tasks;
	int64_t (*wall_utc_ms)(void *context);
	void *clock_context;
};

/* Registers its handler and projector with the fold.  Errors: LIMIT. */
bool signals_create(
	struct signals **out, const struct signals_parts *parts, struct error *err) MUST_CHECK;
/* After the fold's last completion and before services/trust; those who wait are not told. */
void signals_destroy(struct signals **signals);

/* Whom events must be meant for: this installation's issuer.  Until it is set none is taken.
 * Copied.  Errors: INVALID. */
bool signals_set_audience(
	struct signals *signals, struct text audience, struct error *err) MUST_CHECK;

/* One event; the caller owns it until done ran. */
struct signals_request {
	struct text token;  /* compact; borrowed until signals_receive returns */
	struct text issuer; /* whose it must be; empty: whoever is registered.  Until done */
	void (*done)(struct signals_request *request);
	void *context;
	/* The answer, filled before done runs. */
	enum security_event_fault fault;
	bool is_taken;    /* ACCEPTED, and on record, now or before; else it may be sent again */
	uint64_t index;   /* of its record, where it was taken now */
	struct error err; /* where it was accepted and not taken */
};

/* done runs exactly once: before this returns, or from the loop. */
void signals_receive(struct signals *signals, struct signals_request *request);

#endif

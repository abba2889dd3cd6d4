#ifndef SERVICES_FINDING_FINDING_H
#define SERVICES_FINDING_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/registry.h"
#include "services/registry/fold.h"

/* What remit found wrong while it ran, and a person has to look at.  A finding is
 * opened once for each kind and subject, by a durable record, and stays open until a
 * person closes it with a reason; a closed one lives in the log alone.  It decides
 * nothing.  Everything changes by records, in the fold; one loop thread. */
struct finding_service;

/* X(value, word, what it means). */
/* clang-format off */
#define FINDING_KINDS(X) \
	X(FINDING_TOOL_DRIFT, "tool-drift", "a server defines a tool otherwise than pinned") \
	X(FINDING_TOOL_RENAMED, "tool-renamed", "a pinned definition is offered by another name") \
	X(FINDING_TOOL_SHADOWED, "tool-shadowed", "two tools have one name") \
	X(FINDING_TOOL_LOOK_ALIKE, "tool-look-alike", "a tool's name looks like another's") \
	X(FINDING_TOOL_UNREADABLE, "tool-unreadable", \
	  "a pinned definition's schemas cannot be used") \
	X(FINDING_BREAK_GLASS_OVERDUE, "break-glass-overdue", \
	  "break-glass opened by one person was not reviewed in time") \
	X(FINDING_SECRET_SEEN, "secret-seen", "a secret was seen where it must not be") \
	X(FINDING_READ_WITHOUT_RECORD, "read-without-record", \
	  "a source saw a read that is not on record") \
	X(FINDING_NO_GUARDRAILS, "no-guardrails", \
	  "identities act, and no guardrail of the organisation is in force") \
	X(FINDING_READ_DIFFERS, "read-differs", \
	  "a source gave other objects than the record of the read says") \
	X(FINDING_RECORD_WITHOUT_READ, "record-without-read", \
	  "a record says that a source answered, and its log does not") \
	X(FINDING_SANDBOX_OUTSIDE, "sandbox-outside", "a sandbox tried what no sandbox may") \
	X(FINDING_STANDING_ACCESS, "standing-access", \
	  "authority stands outside any task and has no end") \
	X(FINDING_CANARY_FAILED, "canary-failed", \
	  "whether a kill is effective was tried, and it was not, or could not be tried") \
	X(FINDING_PERSON_FLOODED, "person-flooded", \
	  "a person has as many questions open as one may be asked") \
	X(FINDING_REPLAY_DIFFERS, "replay-differs", \
	  "what is on record does not come out again by what was in force") \
	X(FINDING_GRANT_REUSED, "grant-reused", \
	  "a code or refresh token of a person's consent was shown twice") \
	X(FINDING_REVIEW_EXCEPTION, "review-exception", \
	  "a review took something away that remit cannot take") \
	X(FINDING_OWNER_LEFT, "owner-left", \
	  "the owner of an identity has left, and nobody has acknowledged it") \
	X(FINDING_OWNER_MOVED, "owner-moved", \
	  "the owner of an identity was moved to another unit, and nobody has acknowledged it") \
	X(FINDING_BACKUP_MISSING, "backup-missing", \
	  "an identity has no backup owner who is here") \
	X(FINDING_DIRECTORY_STOPPED, "directory-stopped", \
	  "a directory would have taken more people out than it may in an hour") \
	X(FINDING_CONTROL_FAILING, "control-failing", "a control does not hold") \
	X(FINDING_SHADOW_EDGE, "shadow-edge", \
	  "an identity tried what its charter has no agreed line for, in another unit") \
	X(FINDING_CHARTER_DIFFERS, "charter-differs", \
	  "what is enforced is not what the record of the charter says") \
	X(FINDING_CONNECTOR_SILENT, "connector-silent", \
	  "a connector has brought no inventory for several of its intervals") \
	X(FINDING_CONNECTOR_STOPPED, "connector-stopped", \
	  "what a connector brought would take most of its inventory away") \
	X(FINDING_CONTAINMENT_OPEN, "containment-open", \
	  "an account that is to be stopped at its provider was not proven stopped") \
	X(FINDING_RECORD_VIOLATES, "record-violates", "a record does not fit those before it")
/* clang-format on */

enum finding_kind {
	FINDING_NONE = 0,
#define X(name, word, meaning) name,
	FINDING_KINDS(X)
#undef X
		FINDING_KIND_COUNT
};
const char *finding_kind_word(enum finding_kind value);
const char *finding_kind_meaning(enum finding_kind value);
enum finding_kind finding_kind_of(struct text word);

enum {
	FINDINGS_MAX = 4096,          /* open at once, those on their way included */
	FINDINGS_PER_ORIGIN_MAX = 64, /* of one kind, origin, unit and causer: see below */
	FINDING_SUBJECT_BYTES_MAX = 512,
	FINDING_WHAT_BYTES_MAX = 1024,
	FINDING_DETAILS_BYTES_MAX = 4096, /* canonical */
	FINDING_REASON_BYTES_MAX = 1000,
	FINDING_SOURCES_MAX = 32, /* whose log one is about */
	FINDING_LOG_BYTES_MAX = 128,
	FINDING_STANDING_MAX = 1024,     /* open at once, of standing access */
	FINDING_STANDING_LOOKS = 256,    /* in one step */
	FINDING_OWNER_LOOKS = 256,       /* in one step */
	FINDING_STANDING_AGAIN_S = 3600, /* time alone makes ends come close */
};

/* What was found.  Everything is copied; nothing of it may be a secret. */
struct finding_draft {
	enum finding_kind kind;
	/* What it is about: "SERVER/TOOL", "identity/NAME", ...  What stands before the
	 * first slash is its origin, which leaves room for others. */
	struct text subject;
	const char *control;        /* "G-28": the control it is evidence for */
	struct text what;           /* one sentence */
	const struct json *details; /* an object, or NULL */
	struct text task;           /* it happened in; may be empty */
	struct text unit;           /* whose reviewers may close it too; may be empty */
	struct text causer;         /* the person who answers for it, and whose share of the room
				     * it takes; empty: all of the unit and origin have one */
	struct text actor;          /* who found it, "person:NAME"; empty: remit itself */
	/* Runs on the loop once it is durable (err NULL) or could not be written; at once, if
	 * it was open before.  NULL: nobody waits. */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};

/* One that is open.  Owned by the service; borrowed until the next fold. */
struct finding {
	struct text id; /* "f-" and 20 letters */
	enum finding_kind kind;
	struct text subject;
	struct text control;
	struct text what;
	const struct json *details; /* NULL: none */
	struct text task;
	struct text unit;
	struct text causer;
	int64_t opened_utc_ms;
	uint64_t index; /* of finding-opened */
};

/* What happened to a finding. */
enum finding_event {
	FINDING_EVENT_NONE = 0,
	FINDING_EVENT_OPENED,
	FINDING_EVENT_CLOSED,
};
/* "opened", "closed"; NULL for NONE. */
const char *finding_event_word(enum finding_event event);

struct finding_listener {
	void *context;
	/* From the fold's turn, never while it loads; finding and actor ("person:NAME" or "remit",
	 * who found or closed it) are borrowed. */
	void (*on_event)(void *context, enum finding_event event, const struct finding *finding,
		struct text actor);
};

/* registry and fold are borrowed and outlive it.  Registers its handlers and
 * projectors with the fold.  Errors: LIMIT. */
bool finding_service_create(struct finding_service **out, const struct registry *registry,
	struct fold *fold, struct error *err) MUST_CHECK;
void finding_service_destroy(struct finding_service **service);
/* Tells one listener from now on; it is copied.  NULL: nobody. */
void finding_listen(struct finding_service *service, const struct finding_listener *listener);

/* Opens a finding, unless one of this kind and subject is open or on its way: then
 * nothing is written and it is true as well.  The record becomes durable later.  Where nobody
 * waits for it and it does not, it keeps its place and is written again (finding_write_again, or
 * the next report), as long as the process lives; one that is reported while it is being closed is
 * opened anew.  Errors: INVALID (a member is missing or too long), CONFLICT (somebody waits, and it
 * is being opened or closed already), LIMIT (too many are open), IO, INTERNAL (the log). */
bool finding_report(struct finding_service *service, const struct finding_draft *draft,
	struct error *err) MUST_CHECK;

/* Writes anew what was reported and whose record was lost, until one is refused.  For now and
 * then: where there is none it costs next to nothing. */
void finding_write_again(struct finding_service *service);

/* What a comparison of a source's own log with the records found (docs/data.md).  The same
 * place is the same finding.  What the log says itself never comes here. */
struct finding_of_log {
	enum finding_kind kind;     /* one of the three of reads */
	const struct json *sources; /* names of registered ones, an array */
	struct text log;            /* the name of its file, without folders */
	int64_t line;               /* of the log, from 1; of record-without-read 0 */
	int64_t record;             /* of record-without-read; else -1 */
	struct text person;         /* who compared; empty: the socket's user */
	struct text actor;          /* the same as records say it */
	struct arena *arena;        /* while it is called */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err); /* as above */
};
/* Errors: as finding_report; NOT_FOUND (a source is not registered), INVALID also with
 * "forbidden: ..." (not for this person: administrators, auditors, reviewers, and custodians
 * of one of the sources). */
bool finding_report_log(struct finding_service *service, const struct finding_of_log *request,
	struct error *err) MUST_CHECK;

/* Opens `no-guardrails` where that is so.  For the start, when all is loaded: later the
 * service looks itself, at each change of the registry. */
void finding_check_guardrails(struct finding_service *service);

/* One step of looking for standing access (domain/charter/standing.h): opens a finding for what
 * stands, and closes those whose time is over.  True: there is more to look at; call it again
 * soon.  False: nothing is to be done until the registry changes, or for an hour; asking costs
 * next to nothing then.  For after the start, when all is loaded. */
bool finding_look_standing(struct finding_service *service);
/* The same for identities that nobody answers for (domain/charter/owner.h), since the registry
 * changed last. */
bool finding_look_owners(struct finding_service *service);
/* All that stands now, from the one behind the id `after` (empty: from the start), at most count:
 * [{id, what, object, stands, credential, environment, severity, command, unit, finding, since}].
 * Errors: LIMIT. */
bool finding_list_standing(struct finding_service *service, struct text after, uint32_t count,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

const struct finding *finding_find(const struct finding_service *service, struct text id);
/* The open one of the kind about the subject. */
const struct finding *finding_find_about(
	const struct finding_service *service, enum finding_kind kind, struct text subject);
/* Next after (NULL: first), in order of id. */
const struct finding *finding_next(
	const struct finding_service *service, const struct finding *after);

/* Why this person may not close it; NULL if they may: administrators, and reviewers of
 * its unit or of the organisation.  One sentence. */
const char *finding_close_refusal(
	const struct finding_service *service, const struct finding *finding, struct text person);

/* Closes one by remit itself: what it says is over.  True also where it is being closed.
 * Errors: NOT_FOUND, LIMIT, IO. */
bool finding_settle(struct finding_service *service, struct text id, const char *reason,
	struct error *err) MUST_CHECK;

/* `remit findings close ID`.  done runs on the loop once it is durable (err NULL) or could
 * not be written.  False: not taken.  Errors: NOT_FOUND (none is open by this id), CONFLICT
 * (it is being closed), INVALID ("forbidden: ..." this person may not; no reason), LIMIT,
 * IO. */
struct finding_close {
	struct text id;
	struct text person; /* NAME of an authenticated person */
	struct text reason;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
bool finding_close(struct finding_service *service, const struct finding_close *request,
	struct error *err) MUST_CHECK;

/* Figures for metrics. */
struct finding_figures {
	uint64_t open;
	uint64_t opened;  /* by this process */
	uint64_t closed;  /* by this process */
	uint64_t refused; /* reports for which there was no room, and records that were lost */
};
struct finding_figures finding_figures(const struct finding_service *service);

/* {id, kind, meaning, subject, control, what, details, task, unit, opened, record}; what
 * there is not is left out.  Borrows from the finding.  Errors: LIMIT. */
bool finding_json(struct json *out, struct arena *arena, const struct finding *finding,
	struct error *err) MUST_CHECK;

#endif

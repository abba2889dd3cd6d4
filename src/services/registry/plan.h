#ifndef SERVICES_REGISTRY_PLAN_H
#define SERVICES_REGISTRY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/problem.h"
#include "domain/charter/registry.h"
#include "services/registry/plan_excess.h"

/* What applying some documents would change, like a version-control diff.  A
 * pure function of the registry and the documents: no side effect. */

enum {
	PLAN_SOURCES_MAX = 1000,          /* files */
	PLAN_BYTES_MAX = 8 * 1024 * 1024, /* of all files together */
	PLAN_OBJECTS_MAX = 10000,         /* documents in all */
	PLAN_ARENA_BYTES_MAX = 256 * 1024 * 1024,
	PLAN_APPROVERS_MAX = 8,      /* named of those who could approve a change */
	PROPOSAL_LIFETIME_DAYS = 30, /* of what is proposed or ceded: then it is too old */
};

/* One file: its name, for messages, and its YAML. */
struct plan_source {
	struct text file;
	struct text yaml;
};

struct plan_options {
	bool is_prune;    /* remove (retire, for identities) what the documents do not name */
	bool is_draft;    /* leave changed charters as drafts, not proposed */
	bool is_founding; /* raising a person waits for nobody yet; the registrar says */
	bool is_alone;    /* nor do the first guardrails and applications; the registrar says */
	/* Guardrails only: what waits as the documents say is approved, unless the actor
	 * proposed it; prune is of guardrails. */
	bool is_publish;
	bool is_provisioning; /* of people, by a directory: it may change what it wrote */
	bool is_opening; /* of a sandbox: the one charter, active at once; the registrar alone says
			  */
	uint32_t cases_passed; /* of the documents, as the caller counted; kept with proposals */
	struct text actor;     /* who asks, "person:NAME"; borrowed */
	/* Documents that no file was read for, beside the sources, with the lines of what they
	 * were made of; in an arena that outlives the plan. */
	const struct json *documents;
	size_t documents_count;
	struct text documents_file; /* for messages; borrowed as they are */
	int64_t now_utc_ms;
	struct excess_port excess;
};

enum plan_action { PLAN_NONE = 0, PLAN_CREATE, PLAN_CHANGE, PLAN_REMOVE };

/* One field that differs; an absent side is NULL. */
struct plan_field {
	struct text path; /* "entitlements[1].when" */
	const struct json *before;
	const struct json *after;
};

struct plan_change {
	enum plan_action action;
	enum object_kind kind;
	struct text name;
	const struct object *before;     /* NULL when created */
	const struct object *after;      /* NULL when removed */
	const struct plan_field *fields; /* of a change */
	size_t fields_count;
	bool needs_approval; /* it will wait for another person */
	bool is_approval;    /* it waits, and this puts it in force; after (or nothing) is what */
	struct text author;  /* of an approval: who proposed it */
	/* Of a charter, guardrail or application that will wait: people with a key who could
	 * approve it, the actor apart; at most PLAN_APPROVERS_MAX. */
	const struct text *approvers;
	size_t approvers_count;
};

/* What waits already of a name that is given (or, when pruning, is not), and does not change by
 * it; in order of kind and name. */
struct plan_waiting {
	enum plan_action action; /* that it would be */
	bool is_otherwise;       /* than what is given, which is in force until that is approved */
	enum object_kind kind;
	struct text name;
	struct text proposed_by;
	const struct text *approvers; /* as of a change, who proposed it apart */
	size_t approvers_count;
};

/* A field of a charter that this version records but does not enforce. */
struct unenforced_field {
	const char *kind;  /* "identity" */
	const char *field; /* "outputs[].to" */
	const char *note;  /* what does not happen yet */
	const char *but;   /* not for values that begin so; NULL: for all */
	const char *only;  /* for values that begin so; NULL: for all */
};
/* Ends with {NULL}.  The one list: plan prints the lines that apply and
 * docs/charters.md is checked against it. */
extern const struct unenforced_field unenforced_fields[];

/* What a change means that its author may not have meant; it may be applied. */
struct plan_note {
	enum object_kind kind;
	struct text name;
	struct text text;
};

struct plan {
	struct arena *arena;               /* owned; everything below lives in it */
	uint64_t revision;                 /* of the registry it was made against */
	const struct plan_change *changes; /* in order of kind and name */
	size_t changes_count;
	size_t unchanged_count;
	const struct plan_waiting *waiting; /* among what does not change */
	size_t waiting_count;
	const struct unenforced_field *const *unenforced; /* used by a document */
	size_t unenforced_count;
	const struct plan_note *notes; /* of changes */
	size_t notes_count;
	/* It puts a charter forward, and no guardrail of the organisation is there to forbid. */
	bool is_unguarded;
	struct problems problems; /* total 0: it may be applied */
};

/* Policies and conditions that change are validated (domain/charter/policy_check.h);
 * what is in force already is not looked at again.
 * True whenever there is a plan, even one with problems: the caller looks at
 * plan->problems.total.  Errors: LIMIT (too much was given), INTERNAL. */
bool registry_plan(struct plan **out, const struct registry *registry,
	const struct plan_source *sources, size_t count, const struct plan_options *options,
	struct error *err) MUST_CHECK;
void plan_destroy(struct plan **plan);

/* "create", "change" or "remove". */
const char *plan_action_word(enum plan_action action);
/* What it would be that what waits of the entry is approved. */
enum plan_action plan_proposed_action(const struct registry_entry *entry);

/* The plan as JSON: {revision, changes[{action, kind, name, needs_approval, approves,
 * author, approvers[], fields[{path, before, after}]}], unchanged, waiting[{action, kind, name,
 * proposed_by, approvers[], otherwise?: true}], unenforced[], notes[{kind, name, note}],
 * unguarded?, problems[{file, line, field, what, remedy, excerpt}], problems_total}.  Errors:
 * LIMIT. */
bool plan_json(struct json *out, struct arena *arena, const struct plan *plan,
	struct error *err) MUST_CHECK;
/* True if what waits of the entry was proposed longer than PROPOSAL_LIFETIME_DAYS ago:
 * it cannot be approved any more, and may be proposed again as it is. */
bool proposal_has_expired(const struct registry_entry *entry, int64_t now_utc_ms);
/* The fields in which what waits of the entry differs from what is in force, as in a plan's
 * change.  Errors: LIMIT. */
bool plan_fields_json(struct json *out, struct arena *arena, const struct object *before,
	const struct object *after, struct error *err) MUST_CHECK;
/* The same for people, as `remit plan` prints it. */
void plan_text(struct buffer *out, const struct plan *plan);

/* Every object in force (of charters that wait, the waiting version if
 * with_waiting), as YAML documents in order of kind and name, such that
 * planning them changes nothing. */
void registry_export(struct buffer *out, const struct registry *registry, bool with_waiting);

#endif

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

/* What applying some documents would change, like a version-control diff.  A
 * pure function of the registry and the documents: no side effect. */

enum {
	PLAN_SOURCES_MAX = 1000,          /* files */
	PLAN_BYTES_MAX = 8 * 1024 * 1024, /* of all files together */
	PLAN_OBJECTS_MAX = 10000,         /* documents in all */
	PLAN_ARENA_BYTES_MAX = 256 * 1024 * 1024,
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
	int64_t now_utc_ms;
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
};

/* A field of a charter that this version records but does not enforce. */
struct unenforced_field {
	const char *kind;  /* "identity" */
	const char *field; /* "outputs" */
	const char *note;  /* what does not happen yet */
};
/* Ends with {NULL}.  The one list: plan prints the lines that apply and
 * docs/charters.md is checked against it. */
extern const struct unenforced_field unenforced_fields[];

struct plan {
	struct arena *arena;               /* owned; everything below lives in it */
	uint64_t revision;                 /* of the registry it was made against */
	const struct plan_change *changes; /* in order of kind and name */
	size_t changes_count;
	size_t unchanged_count;
	const struct unenforced_field *const *unenforced; /* used by a document */
	size_t unenforced_count;
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

/* The plan as JSON: {revision, changes[{action, kind, name, needs_approval,
 * fields[{path, before, after}]}], unchanged, unenforced[], problems[{file,
 * line, field, what, remedy, excerpt}], problems_total}.  Errors: LIMIT. */
bool plan_json(struct json *out, struct arena *arena, const struct plan *plan,
	struct error *err) MUST_CHECK;
/* The same for people, as `remit plan` prints it. */
void plan_text(struct buffer *out, const struct plan *plan);

/* Every object in force (of charters that wait, the waiting version if
 * with_waiting), as YAML documents in order of kind and name, such that
 * planning them changes nothing. */
void registry_export(struct buffer *out, const struct registry *registry, bool with_waiting);

#endif

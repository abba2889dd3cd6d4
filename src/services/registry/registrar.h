#ifndef SERVICES_REGISTRY_REGISTRAR_H
#define SERVICES_REGISTRY_REGISTRAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "domain/charter/registry.h"
#include "services/registry/fold.h"
#include "services/registry/plan.h"

/* The one that changes the registry: every change is checked against the state
 * of that moment, written as one record, and takes effect through the fold.
 * One change is on its way at a time; others wait in order.  Loop's thread. */

struct loop;
struct registrar;

enum {
	REGISTRAR_QUEUE_MAX = 256,
	REASON_BYTES_MAX = 1000,
	CODE_TEXT_BYTES = 40,                /* a one-time code and its NUL */
	CODE_BOOTSTRAP_LIFETIME_S = 15 * 60, /* administrator's code of the first start */
	CODE_LIFETIME_S = 60 * 60,           /* code an administrator issued, or an invitation */
	INVITES_PER_PERSON_MAX = 8,          /* out at once */
	INVITES_MAX = 64,                    /* of all persons */
	INVITE_PURPOSE_BYTES_MAX = 500,
};

enum registrar_verb {
	REGISTRAR_NONE = 0,
	REGISTRAR_APPLY,        /* sources, options */
	REGISTRAR_PROPOSE,      /* name: draft -> proposed, by who wrote the draft */
	REGISTRAR_APPROVE,      /* kind, name (, version): a waiting charter or raise */
	REGISTRAR_CONSENT,      /* name (, version): to what a waiting charter touches */
	REGISTRAR_ACCEPT,       /* name (, version): what is left of a waiting charter's risk */
	REGISTRAR_REJECT,       /* kind, name, reason */
	REGISTRAR_SUSPEND,      /* name, reason */
	REGISTRAR_REACTIVATE,   /* name, reason */
	REGISTRAR_RETIRE,       /* name, reason */
	REGISTRAR_ISSUE_CODE,   /* name of a person; the code is in the result */
	REGISTRAR_BOOTSTRAP,    /* code for a first administrator; refused once one can sign */
	REGISTRAR_ENROL,        /* code, name, jwk: possession of the key already proven */
	REGISTRAR_SIGN_IN,      /* name, jwk, kid, sign_in: a key that ends, for a person whom a
				 * registered issuer knows; possession already proven */
	REGISTRAR_REVOKE_KEY,   /* name of the person, kid */
	REGISTRAR_END_KEY,      /* name of a person, issuer (empty: any): the newest key that was
				 * enrolled by signing in and is not over, by remit itself; again
				 * until is_changed is false */
	REGISTRAR_OPEN_SANDBOX, /* name, sandbox, jwk: active at once, by its unit's template */
	REGISTRAR_INVITE,       /* name, sandbox (backup owner, purpose, environment): a code with
				 * which a client registers itself, once; it is in the result */
	REGISTRAR_ACKNOWLEDGE,  /* name (, reason): who owns an identity whose owner left or was
				 * moved */
	REGISTRAR_REGISTER,     /* code, jwk: a draft of who gave the code; name_issued */
	REGISTRAR_REVIEW,       /* review: charters that lose authority by what people decided
				 * of their lines, or get back what was taken on trial */
};

/* What becomes of a person, as `people` of a record says it. */
enum people_event { PEOPLE_NOTHING = 0, PEOPLE_LEFT, PEOPLE_RETURNED, PEOPLE_MOVED };
enum { PEOPLE_EVENTS_MAX = 256 }; /* of one change */
/* "left", "returned", "moved"; NULL for NOTHING. */
const char *people_event_word(enum people_event event);
enum people_event people_event_of(struct text word);

/* What a person asks for who opens a sandbox. */
struct sandbox_wish {
	struct text unit;
	struct text backup_owner;
	struct text purpose;
	enum environment environment; /* that the key proves; NONE: the template's first */
	int64_t days;                 /* until it ends; 0: as long as the template lets it */
};

/* Who said that a person is who they are, as services/sign_in found it.  What it was found by
 * must still be so when the key is enrolled. */
struct sign_in_word {
	struct text issuer;
	struct sha256 issuer_digest;
	struct sha256 person_digest;
	int64_t expires_utc_ms; /* of the key */
	int64_t useless_utc_ms; /* of the id_token */
};

enum {
	REVIEW_EDITS_MAX = 16, /* charters in one record */
};
/* One charter after what was decided. */
struct review_edit {
	struct text identity;
	uint32_t version;            /* in force when it was looked at */
	const struct json *document; /* what takes its place */
	bool is_restore;             /* it gets back what a review took: then the old one is the
				      * narrower */
};
/* One record of type review-decided.  Decision and enforcement are one. */
struct registrar_review {
	const struct json *members; /* an object: what the record says beside the changes */
	const struct review_edit *edits;
	size_t edits_count; /* 1 to REVIEW_EDITS_MAX */
};

/* One request and its answer.  The caller owns it and everything it points to
 * until done ran. */
struct registrar_request {
	enum registrar_verb verb;
	struct text actor; /* "person:NAME", "uid:N", or "remit" for bootstrap at start */
	bool has_if_match;
	uint64_t if_match;     /* revision of the entry (apply: of the registry) the caller saw */
	enum object_kind kind; /* IDENTITY if NONE */
	struct text name;
	uint32_t version; /* approve, reject: the version meant; 0: whichever waits */
	/* Approve, apply: all that would refuse it is looked at, and nothing changes. */
	bool is_check;
	struct text reason;
	const struct plan_source *sources;
	size_t sources_count;
	struct plan_options options; /* now is filled in */
	/* Apply: makes sources, and whatever it looks at, at the moment when it is this request's
	 * turn; what it makes is good until done ran.  False: refused.  May be NULL. */
	bool (*compose)(struct registrar_request *request, struct error *err);
	/* Apply: it may be of thousands of documents, so each of its stages has a turn of the loop,
	 * where there is one; compose is run again if the registry moved meanwhile. */
	bool is_long;
	struct text code;
	struct json jwk;
	struct text kid;
	struct sandbox_wish sandbox;
	struct sign_in_word sign_in;
	struct registrar_review review;
	void (*done)(struct registrar_request *request);
	void *context;
	/* The answer, filled before done runs.  err.code is NONE if it is done
	 * (durable and in effect) or there was nothing to change.  A refusal for
	 * who the actor is has code INVALID, text "forbidden: ..." and is_forbidden. */
	struct error err;
	bool is_forbidden;
	bool is_changed;
	uint64_t index;    /* of the record, if is_changed */
	uint64_t revision; /* of the registry after it */
	struct plan *plan; /* apply: what was done or is wrong; owned by the request, see below */
	char issued_code[CODE_TEXT_BYTES];            /* shown once */
	char kid_issued[64];                          /* enrol: thumbprint of the key */
	char name_issued[CHARTER_NAME_BYTES_MAX + 1]; /* register: of the identity */
	char code_used[DIGEST_TEXT_BYTES];            /* private */
	struct registrar_request *next;               /* private */
};

/* Registers the handlers and projectors of registry, state, person-key,
 * admin-code and (the identity's part of) kill with the fold.  registry and fold
 * are borrowed and outlive it.  Errors: LIMIT. */
bool registrar_create(struct registrar **out, struct registry *registry, struct fold *fold,
	struct error *err) MUST_CHECK;
void registrar_destroy(struct registrar **registrar);

/* Where long applies have their turns; borrowed, and outlives it. */
void registrar_use_loop(struct registrar *registrar, struct loop *loop);
/* True while a change is being made, or its record is on its way. */
bool registrar_is_busy(const struct registrar *registrar);

/* Hears of each one-time code before anybody has it.  A port that main fills; the code is
 * borrowed. */
struct code_listener {
	void *context;
	void (*issued)(void *context, struct text code, int64_t ends_utc_ms);
};
void registrar_listen(struct registrar *registrar, const struct code_listener *listener);
/* Whom it asks before a charter is put in force; copied. */
void registrar_use_excess(struct registrar *registrar, const struct excess_port *port);
struct excess_port registrar_excess(const struct registrar *registrar);

/* Takes the request; done runs later, or before this returns when it was refused
 * at once.  False: nothing was taken and done will not run.  Errors: LIMIT (the
 * queue is full). */
bool registrar_submit(struct registrar *registrar, struct registrar_request *request,
	struct error *err) MUST_CHECK;
/* Frees what the answer holds and clears what is secret in it. */
void registrar_request_deinit(struct registrar_request *request);

const struct registry *registrar_registry(const struct registrar *registrar);

/* True if someone holds the role administrator who is enrolled, or signed in before and may sign
 * in again: then bootstrap is over. */
bool registrar_has_administrator(const struct registrar *registrar);

/* True until two administrators could sign at once: raises wait for nobody.  For
 * plan_options.is_founding. */
bool registrar_is_founding(const struct registrar *registrar);

/* True until two people could sign at once, or a guardrail or an application was ever there:
 * the first of them wait for nobody.  For plan_options.is_alone. */
bool registrar_is_alone(const struct registrar *registrar);

/* The first sandbox after `after` in order of name whose time is over and for which nothing waits
 * that would end its being one, looking at no more than count of them; *out is NULL if there is
 * none.  Returns the name looked at last; empty: that was all of them. */
struct text registrar_find_expired(const struct registrar *registrar, struct text after,
	uint32_t count, const struct registry_entry **out);
/* Every sandbox of the registry in order of name after `after`, at most count, as JSON array of
 * {name, state, unit, owner, environments, expires, expired, template, approved_by}.
 * *next is the last name where there are more, else empty.  Errors: LIMIT. */
struct registrar_sandbox_query {
	struct text after;
	uint32_t count;
	int64_t now_utc_ms;
};
bool registrar_sandboxes(const struct registrar *registrar,
	const struct registrar_sandbox_query *asked, struct arena *arena, struct json *out,
	struct text *next, struct error *err) MUST_CHECK;

/* Identities that somebody has to answer for (domain/charter/owner.h), in order of name after
 * `after`, at most count, looking at REGISTRAR_NEEDS_LOOKS: JSON array of {identity, need, unit,
 * state, owner, backup_owner, left?, writes_end?, all_ends?}.  *next is the name looked at last
 * where there are more, else empty.  Errors: LIMIT. */
enum { REGISTRAR_NEEDS_LOOKS = 20000 };
struct registrar_need_query {
	struct text after;
	uint32_t count;
	int64_t writes_s; /* after the owner left */
	int64_t all_s;
};
bool registrar_needs(const struct registrar *registrar, const struct registrar_need_query *asked,
	struct arena *arena, struct json *out, struct text *next, struct error *err) MUST_CHECK;

/* Charters that touch other units (domain/charter/crossing.h), in order of name after `after`, at
 * most count of those among CROSSINGS_LOOKS_MAX of them, as JSON array of {identity, unit,
 * owner, version, state: "waiting" or "in-force", units: [{unit, state, digest, by, at,
 * agreed_digest, lines, outputs, not_agreed}]}; the state of a unit is "agreed", "missing",
 * "other-lines" (it agreed, but not to the lines that not_agreed names) or "before" (it was not
 * asked).  *next is the last name looked at where there are more.  After them the servers and tools
 * that would leave a unit, {kind, name, unit, version, state: "waiting", proposed_by, removal?,
 * units: [{unit, state, by, at}]}; then the data sources whose unit is asked about their custodian,
 * {kind, name, unit, version, state: "in-force", custodian, named_by, units: [{unit, state}]}; a
 * page of them begins after "KIND:NAME".  Errors: LIMIT. */
enum { CROSSINGS_LOOKS_MAX = 2000 };
struct registrar_crossings_query {
	struct text unit; /* only what touches it; empty: any */
	struct text after;
	uint32_t count;
	enum { CROSSINGS_ALL = 0, CROSSINGS_WAITING } which; /* WAITING: not what is in force */
	bool has_lines;                                      /* each unit with its half */
};
bool registrar_crossings(struct registrar *registrar, const struct registrar_crossings_query *asked,
	struct arena *arena, struct json *out, struct text *next, struct error *err) MUST_CHECK;
/* The same of one identity: what waits and what is in force.  Errors: NOT_FOUND, LIMIT. */
bool registrar_crossing(struct registrar *registrar, struct text identity,
	const struct registrar_crossings_query *asked, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

/* `remit can IDENTITY`: what the charter in force gives, line by line, as JSON:
 * {identity, state, version, expires, effects: [...], entitlements: [{number,
 * effect, resource, when, approvals, expires, uses, usable, why_not}]}.  Errors:
 * NOT_FOUND, LIMIT. */
bool registrar_can(const struct registrar *registrar, struct text identity, int64_t now_utc_ms,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* `remit who EFFECT RESOURCE`: identities with a line for it, up to count behind the name, as JSON
 * {items: [{identity, state, version, number, when, approvals, uses, usable, why_not}], next?}.
 * resource is "server/tool", "data-source:NAME", "model:P/N" or "peer:NAME".  Errors: INVALID,
 * NOT_FOUND (no such data source; the nearest is named), LIMIT. */
struct registrar_who_query {
	enum effect effect;
	struct text resource;
	int64_t now_utc_ms;
	struct text after; /* an identity; empty: from the first */
	uint32_t count;    /* identities */
};
bool registrar_who(const struct registrar *registrar, const struct registrar_who_query *asked,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* One entry as JSON for the API: {kind, name, revision, version, state, object,
 * waiting: {version, state, action (as in a plan), proposed_by, digest, fields[...] that differ
 * from what is in force, object}, keys[...]}; of a unit approved_by, who approved its template for
 * sandboxes; of a data source named_by, who named the custodian that its unit is asked about.  What
 * waits of a guardrail, an application or a unit also has proposed_at, cases_passed, and removal:
 * true instead of digest, fields and object.  Errors: LIMIT. */
bool registrar_entry_json(const struct registry_entry *entry, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

#endif

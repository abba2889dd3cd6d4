#ifndef SERVICES_DECIDE_DECIDE_SERVICE_H
#define SERVICES_DECIDE_DECIDE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/decide/decide.h"
#include "services/decide/times.h"
#include "services/registry/fold.h"

/* The single decision boundary: every door asks here.  Loop's thread. */
struct decide_service;

/* registry and tasks are borrowed and outlive it.  Errors: LIMIT. */
bool decide_service_create(struct decide_service **out, const struct registry *registry,
	const struct task_table *tasks, struct error *err) MUST_CHECK;
void decide_service_destroy(struct decide_service **service);

/* How long identities go on whose owner has left; before: not at all. */
void decide_service_set_owner_gone(
	struct decide_service *service, const struct owner_gone_after *after);
struct owner_gone_after decide_service_owner_gone(const struct decide_service *service);

/* Findings about tools and sandboxes go there from now on; borrowed, and outlives it.
 * NULL: nowhere. */
struct finding_service;
void decide_service_report_to(struct decide_service *service, struct finding_service *findings);

/* Who looks for secrets in the arguments of a question, as the door of calls does for a
 * call: the kinds, as in struct call.  A port that main fills; without one there are none. */
struct decide_secrets {
	void *context;
	unsigned (*look)(void *context, const struct json *arguments);
};
void decide_use_secrets(struct decide_service *service, const struct decide_secrets *secrets);

/* Figures for metrics. */
struct decide_status {
	uint64_t decisions; /* by this process, searches for approvals counted as one */
	uint64_t took_ns;   /* in all */
};
struct decide_status decide_service_status(const struct decide_service *service);
/* How long decisions of calls took since they were forgotten last. */
const struct decide_times *decide_service_times(const struct decide_service *service);
void decide_service_forget_times(struct decide_service *service);

/* Registers the handlers and projectors of task-opened, task-ended, kill (the
 * tasks' part of it) and decision (labels) for the table.  Errors: LIMIT. */
bool task_fold_register(struct fold *fold, struct task_table *tasks, struct error *err) MUST_CHECK;

/* Registers what the service itself learns from records: the values traced for a task are
 * forgotten when it ends.  Errors: LIMIT. */
bool decide_fold_register(
	struct fold *fold, struct decide_service *service, struct error *err) MUST_CHECK;

/* Where the values of a call of a task came from, by what the task has seen so far. */
void decide_origins(
	struct decide_service *service, const struct call *call, struct flow_origins *out);
/* What is about to be sent for a call that was let through, its arguments or what a client
 * answers to its server: what it may write is remembered, so that no store gives it back
 * endorsed. */
void decide_sends(struct decide_service *service, const struct call *call, const struct json *sent);
/* The result of a call that was let through, before anybody is told of it: what it says
 * may endorse values of later calls of the task (docs/labels.md). */
struct decide_result {
	const struct call *call;
	const struct decision *decision;
	const struct json *result; /* as the server answered */
	uint64_t record;           /* of the decision */
	int64_t now_utc_ms;
};
void decide_result_seen(struct decide_service *service, const struct decide_result *result);

/* What is to be decided, and with what. */
struct decide_request {
	const struct call *call;
	const struct flow_origins *origins; /* NULL: all unknown */
	struct approval_names approvals;
	enum decide_search search;
	int64_t now_utc_ms;
	/* Of the same call decided before: the lines it took by that are not counted against it.
	 * NULL: it was not. */
	const struct decision *taken;
	struct decide_inputs *inputs; /* filled, unless NULL */
};
/* What a decision of the call reads that is neither in the registry nor in the tasks;
 * its record keeps it, so that it can be replayed. */
struct decide_inputs {
	int64_t now_utc_ms;
	int64_t calls_last_minute;
	enum definition_state definition;
	enum arguments_state arguments;
	struct usage_now usage;
	struct owner_gone_after owner_gone;
	const struct line_use *uses; /* in the arena that it was decided in */
	size_t uses_count;
};
/* Decides one call.  Counts nothing: decide_count_call does, once per call that
 * is let through, and decide_uses_hold until its record counts. */
void decide_call(struct decide_service *service, const struct decide_request *request,
	struct arena *arena, struct decision *out);
void decide_count_call(struct decide_service *service, struct text identity, int64_t now_utc_ms);

/* What a call that is let through holds of lines with `uses`, until its record counts or is
 * lost.  Zero holds nothing. */
struct uses_hold {
	struct text root;
	const struct line_use *lines; /* of the decision; borrowed */
	size_t count;
};
/* Texts live in arena.  Errors: NOT_FOUND (no such task), LIMIT. */
bool decide_uses_hold(struct decide_service *service, const struct call *call,
	const struct decision *decision, struct arena *arena, struct uses_hold *out,
	struct error *err) MUST_CHECK;
void decide_uses_release(struct decide_service *service, struct uses_hold *hold);

/* Registers the handler and projector by which outcomes of generations are counted for
 * budgets.  Errors: LIMIT. */
bool decide_usage_register(
	struct decide_service *service, struct fold *fold, struct error *err) MUST_CHECK;
/* Whose use of a model the call is.  Borrowed from task and registry; false where one of
 * them is gone, or there is no memory to read the charter. */
bool decide_usage_scope(const struct decide_service *service, const struct call *call,
	struct usage_scope *out) MUST_CHECK;
/* Begins to hold for a request that was let through, until its outcome is folded.
 * Errors: LIMIT. */
bool decide_usage_hold(struct decide_service *service, const struct usage_scope *scope,
	struct usage_hold *out, int64_t now_utc_ms, struct error *err) MUST_CHECK;
/* Whose budget what is used and held by now is over: "task", "identity" or "unit"; NULL:
 * nobody's.  Of a charter that is gone, or that there is no memory to read: the identity's. */
const char *decide_usage_breach(const struct decide_service *service, const struct call *call,
	const struct usage_hold *hold, int64_t now_utc_ms);
/* What a task, an identity and its unit have used of their budgets by now: {task,
 * identity, unit}, each {requests, spend, tokens, most: {...}}; members whose name is
 * empty are left out.  Errors: LIMIT. */
struct decide_usage_asked {
	struct text task;     /* or empty */
	struct text identity; /* or empty: the task's */
	int64_t now_utc_ms;
};
bool decide_usage_json(const struct decide_service *service, const struct decide_usage_asked *asked,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* Whether a server must have listed a pinned tool by now: before it was made
 * ready it may not have. */
enum decide_seen { DECIDE_MUST_BE_SEEN = 0, DECIDE_MAY_BE_UNSEEN };
/* What must still hold after the decision and right before the upstream is
 * called, read live: the identity active, the task live, the definition as
 * pinned, and the arguments of its form unless they were found to be (decided).
 * ALLOWED, or why not. */
enum reason decide_recheck(struct decide_service *service, const struct call *call,
	enum arguments_state decided, enum decide_seen seen, int64_t now_utc_ms);

/* Makes *out the refusal for a reason that decide_recheck gave, with what people
 * are to know.  Texts live in arena. */
void decide_recheck_explain(struct decide_service *service, const struct call *call,
	enum reason reason, struct arena *arena, struct decision *out);

/* The binding and digest of a decided call, for approvals.  Errors: LIMIT. */
bool decide_call_digest(struct decide_service *service, const struct call *call,
	const struct decision *decision, struct arena *arena, struct sha256 *out,
	struct error *err) MUST_CHECK;

/* Whether a tool's result has the form that its pinned definition promises (outputSchema);
 * true where no such definition is known.  Else fault, in arena, says what does not fit. */
bool decide_result_fits(struct decide_service *service, const struct call *call,
	const struct json *result, struct arena *arena, struct text *fault) MUST_CHECK;

/* Tool definitions as a server listed them; NULL: the server is gone and its
 * tools are unseen again.  A tool that differs from its pin is quarantined until
 * the server lists it as pinned or the pin is changed. */
void decide_definitions_seen(
	struct decide_service *service, struct text server, const struct json *tools);
/* The pin of one definition: RFC 8785 SHA-256 of name, title, description, both
 * schemas, annotations and icons.  Errors: LIMIT. */
bool decide_definition_digest(const struct json *definition, struct arena *arena,
	struct sha256 *out, struct error *err) MUST_CHECK;

/* Of one server's definitions, kept to be shown; beyond it only digests are. */
enum { DEFINITION_TEXTS_BYTES_MAX = 1024 * 1024 };

/* What a server offered when it listed its tools last, beside the registry's pin:
 * {tool, state, definition, pinned, offered}.  state is a word of enum
 * definition_state (with resembles, the pinned tool it is taken to imitate, where it is
 * quarantined for that); definition is the digest of what is offered, as a charter pins
 * it; offered is the definition itself, left out of lists, and where it is too
 * large to be kept; problem, left out of lists too, is why its schemas cannot be used.
 * What there is not is left out.
 * Errors: NOT_FOUND (neither offered nor registered), LIMIT. */
bool decide_definition_json(struct decide_service *service, struct text name, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;
/* {items: [...], next}: up to count tools that a server offers, in order of name,
 * behind the one named `after` (empty: from the first).  next is left out on the last
 * page.  Errors: LIMIT. */
struct decide_page {
	struct text server;
	struct text after; /* "name", without its server */
	uint32_t count;
};
bool decide_definitions_json(struct decide_service *service, const struct decide_page *page,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* Who looks at a list of tools. */
struct decide_viewer {
	struct text identity;
	struct text server;
	int64_t now_utc_ms;
};
/* A tools/list result with only those items that the viewer could ever use; tools
 * not registered, or other than pinned, are left out.  Errors: INVALID (no array
 * tools), LIMIT. */
bool decide_tools_visible(struct decide_service *service, const struct decide_viewer *viewer,
	const struct json *result, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

/* A resources/list, resources/templates/list or prompts/list result with only those
 * items that the call's task could read now, or after approval; of templates those
 * that a line its charter covers could be about.  Errors: INVALID (it is no such
 * list), LIMIT (also more than DECIDE_LISTED_MAX items). */
enum { DECIDE_LISTED_MAX = 2000 };
struct decide_listing {
	const struct call *call; /* of the list */
	const struct json *result;
	int64_t now_utc_ms;
};
bool decide_list_visible(struct decide_service *service, const struct decide_listing *asked,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* The names of the models of a provider that the viewer's charter lists, in the order in
 * which the provider is registered with them.  NULL and 0: none.  Errors: LIMIT. */
bool decide_models_visible(const struct decide_service *service, const struct decide_viewer *viewer,
	struct arena *arena, const struct text **out, size_t *count, struct error *err) MUST_CHECK;

/* What would be decided for the identity without a task, with the given arguments
 * (NULL: none; of a model: members of context.generation, each of which is the least that can
 * be asked where it is not given): no effect and no grant.  Errors: INVALID
 * (the resource's form), LIMIT. */
struct decide_question {
	struct text identity;
	/* NONE: the first of its environments that matches the server. */
	enum environment environment;
	enum effect effect;
	struct text resource; /* "server/tool" */
	const struct json *arguments;
	enum decide_search search; /* whether a denial is tried with approvals */
	int64_t now_utc_ms;
};
bool decide_ask(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct decision *out, struct error *err) MUST_CHECK;
/* `remit why IDENTITY EFFECT RESOURCE`: the same, approvals searched, as JSON {verdict,
 * reason, meaning, entitlement, policies, clause, explanation, needed, approvals, revision,
 * change, accounts} (docs/formats/why.md).  It shows values of the arguments, so it is for
 * whoever gave them and is never recorded.  Errors: INVALID, LIMIT. */
bool decide_why(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* `remit why RECORD`: what would be decided now for the call of a `decision` on record,
 * without its task and the approvals it was given, which are used once; as decide_why.
 * Errors: INVALID (it is no decision), LIMIT. */
struct decide_again {
	const struct json *record;
	const struct json *arguments; /* that lie sealed beside it */
	int64_t now_utc_ms;
};
bool decide_why_recorded(struct decide_service *service, const struct decide_again *again,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* `remit can IDENTITY`: what it may do with each tool and model that its charter names, and with
 * each registered skill of its peers, in order of the name; as JSON {items: [outlook...], next}.
 * Up to count names behind `after`, fewer where they are long or take long; effect NONE: any.
 * Errors: NOT_FOUND, LIMIT (the first of them takes too much, too). */
struct decide_can {
	struct text identity;
	enum effect effect;
	struct text after;
	uint32_t count;
	int64_t now_utc_ms;
};
bool decide_can(struct decide_service *service, const struct decide_can *asked, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

/* The same of a charter that is not registered: what it would be allowed, were it approved and
 * consented to as it is, by the guardrails of now; as JSON {items: [outlook...], cut}: as many as a
 * page holds, `cut` where there are more.  Errors: INVALID (it is no charter), LIMIT. */
bool decide_can_draft(struct decide_service *service, const struct json *document,
	int64_t now_utc_ms, struct arena *arena, struct json *out, struct error *err) MUST_CHECK;

/* `remit who EFFECT RESOURCE`: the identities that may ever do it, in order of name,
 * found by the resource; as JSON {items: [outlook...], next}, up to count outlooks, fewer as above.
 * Of a peer as a whole each has one for each registered skill, and next is "IDENTITY/SKILL".
 * Errors: INVALID (the resource is no such name), NOT_FOUND (no such tool or model; the nearest is
 * named), LIMIT. */
struct decide_who {
	enum effect effect;
	struct text resource; /* "server/tool", "model:provider/name", "peer:name", "peer/skill" */
	struct text after;
	uint32_t count;
	int64_t now_utc_ms;
};
bool decide_who(struct decide_service *service, const struct decide_who *asked, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

/* A decision as the first ten members of decide_why's JSON.  Errors: LIMIT. */
bool decision_json(struct json *out, struct arena *arena, const struct decision *decision,
	struct error *err) MUST_CHECK;

#endif

/* The world a decision reads, and what is kept for it: compiled reads lines, the
 * entities of identities and tools, tool definitions as servers gave them, what tasks
 * were told (origins.c), calls of the last minute.
 *
 * All five are caches of something else or die with the process; none of them
 * can allow what the registry does not. */

#include "services/decide/decide_service.h"

#include <stdlib.h>
#include <time.h>

#include "domain/decide/explanation.h"
#include "services/decide/decide_private.h"
#include "services/finding/finding.h"

bool decide_service_create(struct decide_service **out, const struct registry *registry,
	const struct task_table *tasks, struct error *err)
{
	struct decide_service *service = calloc(1, sizeof(*service));

	*out = NULL;
	if (service == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to decide in");
	service->registry = registry;
	service->tasks = tasks;
	service->reads = name_table_create();
	service->definitions = name_table_create();
	service->rates = name_table_create();
	if (service->reads == NULL || service->definitions == NULL || service->rates == NULL)
		error_set(err, ERROR_LIMIT, "no memory to decide in");
	else if (usage_table_create(&service->usage, err) &&
		 line_uses_create(&service->held, err) &&
		 entity_table_create(&service->entities, registry, err) &&
		 decide_traces_open(service, err)) {
		*out = service;
		return true;
	}
	decide_service_destroy(&service);
	return false;
}

void decide_service_report_to(struct decide_service *service, struct finding_service *findings)
{
	service->findings = findings;
}

void decide_use_secrets(struct decide_service *service, const struct decide_secrets *secrets)
{
	service->secrets = *secrets;
}

static void reads_entry_destroy(void *value)
{
	struct reads_entry *entry = value;

	tool_reads_destroy(&entry->reads);
	free(entry);
}

void decide_service_destroy(struct decide_service **service)
{
	if (*service == NULL)
		return;
	name_table_destroy(&(*service)->reads, reads_entry_destroy);
	name_table_destroy(&(*service)->definitions, definition_list_destroy);
	name_table_destroy(&(*service)->rates, free);
	protected_names_forget(*service);
	entity_table_destroy(&(*service)->entities);
	flow_traces_destroy(&(*service)->traces);
	usage_table_destroy(&(*service)->usage);
	line_uses_destroy(&(*service)->held);
	free(*service);
	*service = NULL;
}

/* ---- the reads lines of a tool ---------------------------------------------- */

static struct reads_entry *reads_entry_get(struct decide_service *service, struct text name)
{
	struct reads_entry *entry = name_table_find(service->reads, name);

	if (entry != NULL)
		return entry;
	entry = calloc(1, sizeof(*entry));
	if (entry != NULL && !name_table_put(service->reads, name, entry)) {
		free(entry);
		return NULL;
	}
	return entry;
}

/* NULL where there is none, or where it cannot be had: decide refuses the
 * latter, because the tool then has lines and the world has none. */
static const struct tool_reads *reads_get(struct decide_service *service, struct text name)
{
	const struct registry_entry *registered =
		registry_find(service->registry, OBJECT_TOOL, name);
	const struct object *object = registered == NULL ? NULL : registered->in_force;
	struct reads_entry *entry;
	struct error err = {0};

	if (object == NULL || object->tool->reads_count == 0)
		return NULL;
	entry = reads_entry_get(service, name);
	if (entry == NULL)
		return NULL;
	if (entry->reads != NULL && entry->version == object->version &&
		sha256_equal(&entry->digest, &object->digest))
		return entry->reads;
	tool_reads_destroy(&entry->reads);
	if (!tool_reads_compile(&entry->reads, object->tool, &err))
		return NULL;
	entry->version = object->version;
	entry->digest = object->digest;
	return entry->reads;
}

/* ---- calls per minute ---------------------------------------------------------- */

static int64_t calls_last_minute(
	const struct decide_service *service, struct text identity, int64_t now_utc_ms)
{
	const struct rate *rate = name_table_find(service->rates, identity);

	return rate == NULL ? 0 : rate_count(rate, now_utc_ms);
}

void decide_count_call(struct decide_service *service, struct text identity, int64_t now_utc_ms)
{
	struct rate *rate = name_table_find(service->rates, identity);

	if (rate == NULL) {
		rate = calloc(1, sizeof(*rate));
		if (rate == NULL)
			return;
		if (!name_table_put(service->rates, identity, rate)) {
			free(rate);
			return;
		}
	}
	rate_add(rate, now_utc_ms);
}

/* ---- deciding --------------------------------------------------------------------- */

static enum arguments_state judge_arguments(
	void *context, const struct call *call, struct arena *arena, struct text *fault)
{
	return decide_arguments(context, call, arena, fault);
}

struct decide_world decide_world_of(struct decide_service *service, const struct call *call,
	enum decide_scope scope, int64_t now_utc_ms)
{
	return (struct decide_world){
		.scope = scope,
		.registry = service->registry,
		.tasks = service->tasks,
		.reads = reads_get(service, call->tool),
		.entities = service->entities,
		.definition = decide_definition_state(service, call->tool),
		.offered = decide_definition_offered(service, call->tool),
		.arguments = ARGUMENTS_UNCHECKED,
		.judge = {judge_arguments, service},
		.calls_last_minute = calls_last_minute(service, call->identity, now_utc_ms),
		.usage = decide_usage_now(service, call, now_utc_ms),
		.owner_gone = service->owner_gone,
		.now_utc_ms = now_utc_ms,
	};
}

void decide_service_set_owner_gone(
	struct decide_service *service, const struct owner_gone_after *after)
{
	service->owner_gone = *after;
}

struct owner_gone_after decide_service_owner_gone(const struct decide_service *service)
{
	return service->owner_gone;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What the caller may change of a forbidden call itself, in place of a sentence that
 * only says no.  It holds no value, so it may be recorded. */
static void add_hint(const struct decide_world *world, const struct decide_request *request,
	struct arena *arena, struct decision *out)
{
	const struct decide_said said = {request->call, &request->approvals, out};
	struct arena *scratch = arena_create(DECIDE_TRIAL_BYTES_MAX);
	struct decide_explanation explanation;
	struct text hint = TEXT("");

	if (scratch == NULL)
		return;
	decide_explain(world, &said, DECIDE_REACH_CALL, scratch, &explanation);
	if (explanation.hint.length != 0)
		hint = text_copy(arena, explanation.hint);
	if (hint.data != NULL && hint.length != 0)
		out->needed = hint;
	arena_destroy(&scratch);
}

/* One that tries to get out is for its reviewers to look at.  What cannot be reported now is
 * when it tries again. */
static void report_sandbox(struct decide_service *service, const struct call *call,
	struct arena *arena, const struct decision *decision)
{
	const struct registry_entry *entry =
		registry_find_identity(service->registry, call->identity);
	struct finding_draft draft = {.kind = FINDING_SANDBOX_OUTSIDE,
		.control = "G-37",
		.what = decision->explanation,
		.task = call->task};
	bool is_taken = false;
	struct error err;

	if (service->findings == NULL || entry == NULL || entry->in_force == NULL ||
		!charter_is_sandbox(charter_of(entry->in_force)))
		return;
	draft.subject = text_format(arena, "identity/%.*s", TEXT_ARGS(call->identity));
	draft.unit = charter_of(entry->in_force)->unit;
	draft.causer = charter_of(entry->in_force)->owner;
	if (draft.subject.data != NULL)
		/* refused ones are counted: remit_findings_refused_total */
		is_taken = finding_report(service->findings, &draft, &err);
	(void)is_taken;
}

void decide_call(struct decide_service *service, const struct decide_request *request,
	struct arena *arena, struct decision *out)
{
	uint64_t begun_ns = monotonic_ns(), took_ns;
	struct decide_world world =
		decide_world_of(service, request->call, DECIDE_FOR_TASK, request->now_utc_ms);

	world.arguments = decide_arguments(service, request->call, arena, &world.arguments_fault);
	world.origins = request->origins;
	world.is_again = request->taken != NULL;
	if (decide_uses_read(service, request, arena, &world))
		decide(&world, request->call, &request->approvals, request->search, arena, out);
	else
		*out = (struct decision){.reason = REASON_NO_MEMORY,
			.revision = registry_revision(service->registry)};
	if (request->inputs != NULL)
		*request->inputs = (struct decide_inputs){
			.now_utc_ms = request->now_utc_ms,
			.calls_last_minute = world.calls_last_minute,
			.definition = world.definition,
			.arguments = world.arguments,
			.usage = world.usage,
			.owner_gone = world.owner_gone,
			.uses = world.uses,
			.uses_count = world.uses_count,
		};
	if (request->search == DECIDE_SEARCH && out->reason == REASON_FORBIDDEN)
		add_hint(&world, request, arena, out);
	if (out->reason == REASON_SANDBOX)
		report_sandbox(service, request->call, arena, out);
	else if (out->verdict == VERDICT_DENY)
		decide_report_shadow(service, request->call, arena, out);
	took_ns = monotonic_ns() - begun_ns;
	service->status.decisions++;
	service->status.took_ns += took_ns;
	decide_times_add(&service->times, out->risk, took_ns);
}

const struct decide_times *decide_service_times(const struct decide_service *service)
{
	return &service->times;
}

void decide_service_forget_times(struct decide_service *service)
{
	service->times = (struct decide_times){0};
}

struct decide_status decide_service_status(const struct decide_service *service)
{
	return service->status;
}

/* Once the server has listed its tools, one it did not list differs. */
static bool is_quarantined(enum definition_state definition, enum decide_seen seen)
{
	switch (definition) {
	case DEFINITION_MATCHES:
	case DEFINITION_UNPINNED: return false;
	case DEFINITION_UNSEEN: return seen == DECIDE_MUST_BE_SEEN;
	case DEFINITION_DIFFERS:
	case DEFINITION_RENAMED:
	case DEFINITION_SHADOWED:
	case DEFINITION_LOOK_ALIKE:
	case DEFINITION_UNREADABLE:
	case DEFINITION_STATE_COUNT:
	default: return true;
	}
}

/* A server may have listed its tools since the call was decided. */
static enum reason recheck_arguments(const struct decide_service *service, const struct call *call)
{
	struct arena *arena = arena_create_small(DEFINITION_ARENA_BYTES, 1024);
	enum reason reason = REASON_NO_MEMORY;
	struct text fault;

	if (arena == NULL)
		return reason;
	switch (decide_arguments(service, call, arena, &fault)) {
	case ARGUMENTS_VALID:
	case ARGUMENTS_UNCHECKED: reason = REASON_ALLOWED; break;
	case ARGUMENTS_INVALID: reason = REASON_ARGUMENTS_INVALID; break;
	case ARGUMENTS_UNDECIDED:
	default: reason = REASON_COULD_NOT_EVALUATE; break;
	}
	arena_destroy(&arena);
	return reason;
}

enum reason decide_recheck(struct decide_service *service, const struct call *call,
	enum arguments_state decided, enum decide_seen seen, int64_t now_utc_ms)
{
	const struct registry_entry *entry =
		registry_find(service->registry, OBJECT_IDENTITY, call->identity);
	enum definition_state definition = decide_definition_state(service, call->tool);

	if (entry == NULL)
		return REASON_IDENTITY_UNKNOWN;
	if (entry->state != IDENTITY_ACTIVE || entry->in_force == NULL)
		return REASON_IDENTITY_NOT_ACTIVE;
	if (is_expired(charter_of(entry->in_force)->expires_utc_s, now_utc_ms / 1000))
		return REASON_CHARTER_EXPIRED;
	if (!task_may_act(service->tasks, task_find(service->tasks, call->task), now_utc_ms))
		return REASON_TASK_NOT_LIVE;
	if (is_quarantined(definition, seen))
		return REASON_TOOL_QUARANTINED;
	return definition != DEFINITION_MATCHES || decided == ARGUMENTS_VALID
		       ? REASON_ALLOWED
		       : recheck_arguments(service, call);
}

void decide_recheck_explain(struct decide_service *service, const struct call *call,
	enum reason reason, struct arena *arena, struct decision *out)
{
	const struct tool *tool = registry_find_tool(service->registry, call->tool);

	out->verdict = VERDICT_DENY;
	out->reason = reason;
	out->explanation = text_of(reason_meaning(reason));
	out->needed = TEXT("A new decision: nothing was forwarded.");
	if (reason == REASON_TOOL_QUARANTINED && tool != NULL)
		decide_explain_quarantine(tool, decide_definition_state(service, call->tool),
			decide_definition_offered(service, call->tool), arena, out);
	if (reason == REASON_ARGUMENTS_INVALID) {
		struct text fault;

		(void)decide_arguments(service, call, arena, &fault);
		decide_explain_arguments(call->tool, fault, arena, out);
	}
}

bool decide_call_digest(struct decide_service *service, const struct call *call,
	const struct decision *decision, struct arena *arena, struct sha256 *out, struct error *err)
{
	struct decide_world world = decide_world_of(service, call, DECIDE_FOR_TASK, 0);
	struct call_binding binding;

	return decide_binding(&world, call, decision, arena, &binding, err) &&
	       call_digest(out, arena, call, &binding, err);
}

#include "edges/health/health.h"

#include <stdio.h>
#include <string.h>

enum { METRICS_BYTES_MAX = 64 * 1024, STATUS_LINE_BYTES = 128, NS_PER_SECOND = 1000000000 };

/* Everything a figure may be read from, read once for all of them. */
struct reading {
	const struct health *health;
	struct record_log_status log;
	struct issue_status issue;
	struct call_figures calls;
	struct decide_status decide;
	struct finding_figures findings;
	struct review_figures reviews;
	struct posture_figures posture;
	struct approve_figures approve;
	struct break_glass_figures glass;
	struct canary_figures canary;
};

struct figure {
	const char *name; /* ends in its unit */
	/* "counter" or "gauge"; "seconds": a counter read in ns; "duration": a gauge read in ns */
	const char *type;
	const char *help;
	uint64_t (*value)(const struct reading *reading);
};

#define READ(name, expression)                                                                     \
	static uint64_t name(const struct reading *r)                                              \
	{                                                                                          \
		return (uint64_t)(expression);                                                     \
	}

READ(log_entries, r->log.size)
READ(log_signed, r->log.signed_size)
READ(log_batches, r->log.batches)
READ(log_flush_ns, r->log.flush_ns)
READ(decisions, r->decide.decisions)
READ(decisions_ns, r->decide.took_ns)
READ(log_refused, r->log.refused)
READ(log_queued, r->log.queued)
READ(log_publish_errors, r->log.publish_errors)
READ(log_failed, r->log.has_failed)
READ(log_full, r->log.is_full)
READ(store_lag, r->log.size - projector_next(r->health->projector))
READ(store_failed, projector_has_failed(r->health->projector))
READ(tasks_opened, r->issue.tasks_opened)
READ(openings_refused, r->issue.openings_refused)
READ(tokens_verified, r->issue.tokens_verified)
READ(tokens_repeated, r->issue.tokens_repeated)
READ(tokens_refused, r->issue.tokens_refused)
READ(requests_refused, r->issue.requests_refused)
READ(identities, registry_count(r->health->registry, OBJECT_IDENTITY))
READ(tools, registry_count(r->health->registry, OBJECT_TOOL))
READ(revision, registry_revision(r->health->registry))
READ(connections, http_server_connection_count(r->health->server))
READ(calls_allowed, r->calls.allowed)
READ(calls_denied, r->calls.denied)
READ(calls_asked, r->calls.asked)
READ(calls_unrecorded, r->calls.unrecorded)
READ(calls_forwarded, r->calls.forwarded)
READ(calls_answered, r->calls.answered)
READ(calls_failed, r->calls.failed)
READ(calls_withheld, r->calls.withheld)
READ(server_requests, r->calls.server_requests)
READ(server_asked, r->calls.server_asked)
READ(calls_aborted, r->calls.aborted)
READ(calls_revoked, r->calls.revoked)
READ(calls_killed, r->calls.killed)
READ(secrets_own, r->calls.secrets_own)
READ(secrets_foreign, r->calls.secrets_foreign)
READ(secrets_logged, r->calls.secrets_logged)
READ(calls_stopped, r->calls.stopped)
READ(calls_in_flight, r->calls.in_flight)
READ(calls_streams, r->calls.streams)
READ(findings_open, r->findings.open)
READ(findings_opened, r->findings.opened)
READ(findings_closed, r->findings.closed)
READ(findings_refused, r->findings.refused)
READ(reviews_open, r->reviews.open)
READ(review_items_waiting, r->reviews.waiting)
READ(controls_passing, r->posture.of[CONTROL_PASSING])
READ(controls_failing, r->posture.of[CONTROL_FAILING])
READ(controls_stale, r->posture.of[CONTROL_STALE])
READ(controls_unproven, r->posture.of[CONTROL_UNPROVEN])
READ(posture_subjects, r->posture.rows)
READ(posture_looked, r->posture.looked)
READ(posture_records, r->posture.records)
READ(posture_waiting, r->posture.waiting)
READ(waivers_live, r->posture.waivers)
READ(approvals_held, r->approve.held)
READ(approvals_pending, r->approve.pending)
READ(glass_open, r->glass.open)
READ(glass_overdue, r->glass.overdue)
READ(notices_lost, r->approve.notices_lost)
READ(signer_ready, issue_can_sign(r->health->issue))
READ(canary_runs, r->canary.runs)
READ(canary_failures, r->canary.failures)
READ(canary_failing, r->canary.is_failing)
READ(canary_success, r->canary.success_utc_s)
READ(canary_refused_ns, r->canary.refused_ns)
READ(ready, health_obstacle(r->health) == NULL)

static const struct figure figures[] = {
	{"remit_ready", "gauge", "1 if work may be sent", ready},
	{"remit_signer_ready", "gauge", "1 if tokens can be signed", signer_ready},
	{"remit_http_connections", "gauge", "open connections", connections},
	{"remit_registry_revision", "gauge", "changes of the registry so far", revision},
	{"remit_registry_identities", "gauge", "identities registered", identities},
	{"remit_registry_tools", "gauge", "tools registered", tools},
	{"remit_log_entries_total", "counter", "durable records of the audit log", log_entries},
	{"remit_log_signed_entries_total", "counter", "records under the newest checkpoint",
		log_signed},
	{"remit_log_batches_total", "counter", "flushes by this process", log_batches},
	{"remit_log_flush_seconds_total", "seconds", "spent writing and syncing records",
		log_flush_ns},
	{"remit_log_refused_total", "counter", "records refused for a full queue or disk",
		log_refused},
	{"remit_log_queued", "gauge", "records on their way", log_queued},
	{"remit_log_publish_errors_total", "counter", "tile or checkpoint writes to be retried",
		log_publish_errors},
	{"remit_log_failed", "gauge", "1 once a write failed: nothing is allowed any more",
		log_failed},
	{"remit_log_full", "gauge", "1 if the disk has room for stops only", log_full},
	{"remit_store_lag_records", "gauge", "records not in the store yet", store_lag},
	{"remit_store_failed", "gauge", "1 once the store failed", store_failed},
	{"remit_decisions_total", "counter", "calls decided", decisions},
	{"remit_decision_seconds_total", "seconds", "spent deciding", decisions_ns},
	{"remit_tasks_opened_total", "counter", "tasks opened by this process", tasks_opened},
	{"remit_task_openings_refused_total", "counter", "tasks not opened", openings_refused},
	{"remit_tokens_verified_total", "counter", "token signatures checked", tokens_verified},
	{"remit_tokens_repeated_total", "counter", "tokens found in the cache", tokens_repeated},
	{"remit_tokens_refused_total", "counter", "tokens refused", tokens_refused},
	{"remit_requests_refused_total", "counter", "signed requests refused", requests_refused},
	{"remit_calls_allowed_total", "counter", "calls allowed", calls_allowed},
	{"remit_calls_denied_total", "counter", "calls denied", calls_denied},
	{"remit_calls_asked_total", "counter", "calls that waited for people", calls_asked},
	{"remit_calls_unrecorded_total", "counter", "calls refused because no record could be made",
		calls_unrecorded},
	{"remit_calls_forwarded_total", "counter", "calls sent to a server", calls_forwarded},
	{"remit_calls_answered_total", "counter", "calls a server answered", calls_answered},
	{"remit_calls_failed_total", "counter", "calls no server answered", calls_failed},
	{"remit_calls_withheld_total", "counter", "results not passed on", calls_withheld},
	{"remit_server_requests_total", "counter", "requests of servers to clients",
		server_requests},
	{"remit_server_requests_passed_total", "counter", "those of them that were passed on",
		server_asked},
	{"remit_calls_aborted_total", "counter", "calls given up by the client", calls_aborted},
	{"remit_calls_revoked_total", "counter", "calls cut because their task ended",
		calls_revoked},
	{"remit_calls_killed_total", "counter", "kill records", calls_killed},
	{"remit_secrets_own_total", "counter",
		"secrets of remit's seen in arguments, answers and notices", secrets_own},
	{"remit_secrets_foreign_total", "counter", "credentials of others seen there",
		secrets_foreign},
	{"remit_secrets_logged_total", "counter", "values kept out of this daemon's log",
		secrets_logged},
	{"remit_calls_stopped_total", "counter",
		"answers of models ended by a budget or a tool call", calls_stopped},
	{"remit_calls_in_flight", "gauge", "calls under way", calls_in_flight},
	{"remit_findings_open", "gauge", "findings that nobody has closed", findings_open},
	{"remit_findings_opened_total", "counter", "findings opened by this process",
		findings_opened},
	{"remit_findings_closed_total", "counter", "findings that people closed", findings_closed},
	{"remit_findings_refused_total", "counter", "findings not opened for want of room",
		findings_refused},
	{"remit_reviews_open", "gauge", "access reviews that are open", reviews_open},
	{"remit_review_items_waiting", "gauge", "items of open reviews that nobody settled",
		review_items_waiting},
	{"remit_controls_passing", "gauge", "controls that hold", controls_passing},
	{"remit_controls_failing", "gauge", "controls that do not", controls_failing},
	{"remit_controls_stale", "gauge", "controls that were not looked at in time: failing",
		controls_stale},
	{"remit_controls_unproven", "gauge", "controls that nothing proves here",
		controls_unproven},
	{"remit_posture_subjects", "gauge", "subjects that violate a check", posture_subjects},
	{"remit_posture_looked_total", "counter", "subjects looked at", posture_looked},
	{"remit_posture_records_total", "counter", "records read for checks", posture_records},
	{"remit_posture_waiting", "gauge", "subjects that changed and wait to be looked at",
		posture_waiting},
	{"remit_waivers_live", "gauge", "violations that people live with for now", waivers_live},
	{"remit_approvals_held", "gauge", "approvals in memory, closed ones too", approvals_held},
	{"remit_approvals_pending", "gauge", "approvals that wait for people", approvals_pending},
	{"remit_break_glass_open", "gauge", "break-glass that is open", glass_open},
	{"remit_break_glass_overdue", "gauge", "break-glass whose review is overdue",
		glass_overdue},
	{"remit_notices_lost_total", "counter", "notices to others that were given up",
		notices_lost},
	{"remit_canary_runs_total", "counter", "times that a kill was tried on the canary",
		canary_runs},
	{"remit_canary_failures_total", "counter",
		"of them, those after which a call was not refused, or that could not be tried",
		canary_failures},
	{"remit_canary_failing", "gauge", "1 if the last of them failed", canary_failing},
	{"remit_canary_last_success_timestamp_seconds", "gauge",
		"when the last of them went well, since 1970; 0: none by this process",
		canary_success},
	{"remit_canary_kill_seconds", "duration",
		"from the kill until all its tasks were refused, the last time it went well",
		canary_refused_ns},
	{"remit_streams", "gauge", "open streams of agents", calls_streams},
};

static void append_figure(struct buffer *out, const struct figure *figure, uint64_t value)
{
	bool is_duration = strcmp(figure->type, "duration") == 0;
	bool is_time = is_duration || strcmp(figure->type, "seconds") == 0;
	const char *type = is_duration ? "gauge" : is_time ? "counter" : figure->type;

	buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s ", figure->name, figure->help,
		figure->name, type, figure->name);
	if (is_time)
		buffer_append_format(out, "%llu.%09llu\n",
			(unsigned long long)(value / NS_PER_SECOND),
			(unsigned long long)(value % NS_PER_SECOND));
	else
		buffer_append_format(out, "%llu\n", (unsigned long long)value);
}

void health_metrics(const struct health *health, struct buffer *out)
{
	struct reading reading = {.health = health};

	record_log_status(health->log, &reading.log);
	issue_status(health->issue, &reading.issue);
	reading.calls = call_figures(health->call);
	reading.decide = decide_service_status(health->decide);
	reading.findings = finding_figures(health->finding);
	reading.reviews = review_figures(health->review);
	reading.posture = posture_figures(health->posture);
	reading.approve = approve_figures(health->approve);
	if (health->canary != NULL)
		reading.canary = canary_figures(health->canary);
	reading.glass = break_glass_figures(health->approve);
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		append_figure(out, &figures[i], figures[i].value(&reading));
	}
}

const char *health_obstacle(const struct health *health)
{
	if (health->is_draining)
		return "the daemon is stopping";
	if (record_has_failed(health->log))
		return "the audit log cannot be written";
	if (fold_has_failed(health->fold))
		return "the state no longer follows the audit log";
	if (!issue_can_sign(health->issue))
		return "the signer is not ready: nothing is issued";
	return NULL;
}

static void answer_line(struct http_exchange *exchange, unsigned status, const char *line)
{
	char body[STATUS_LINE_BYTES];
	int length = snprintf(body, sizeof body, "%s\n", line);
	const struct http_response response = {.status = status,
		.content_type = "text/plain; charset=utf-8",
		.body = {body, (size_t)length}};

	http_respond(exchange, &response);
}

static void handle_healthz(void *context, struct http_exchange *exchange)
{
	(void)context;
	answer_line(exchange, 200, "ok");
}

static void handle_readyz(void *context, struct http_exchange *exchange)
{
	const char *obstacle = health_obstacle(context);

	answer_line(exchange, obstacle == NULL ? 200 : 503, obstacle == NULL ? "ready" : obstacle);
}

static void handle_metrics(void *context, struct http_exchange *exchange)
{
	struct http_response response = {
		.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8"};
	struct buffer text;

	buffer_init(&text, METRICS_BYTES_MAX);
	health_metrics(context, &text);
	response.body = buffer_text(&text);
	if (buffer_failed(&text))
		http_respond_problem(exchange, 503, "Not now", "no memory for the figures");
	else
		http_respond(exchange, &response);
	buffer_deinit(&text);
}

bool health_add_routes(struct health *health, struct router *router, struct error *err)
{
	const struct http_route routes[] = {
		{"GET", "/healthz", handle_healthz, health},
		{"GET", "/readyz", handle_readyz, health},
		{"GET", "/metrics", handle_metrics, health},
	};

	return router_add(router, routes, sizeof routes / sizeof routes[0], err);
}

#include "main/canary_road.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/private_key.h"
#include "domain/token/claims.h"
#include "domain/token/client_assertion.h"

enum { ASK_ARENA_BYTES_MAX = 4 * 1024 * 1024, NS_PER_SECOND = 1000000000, NS_PER_US = 1000 };

struct canary_walk {
	struct canary_walk_parts parts;
	struct private_key *key;
	struct buffer assertion; /* of the opening under way */
	struct issue_request request;
	struct canary_opening *opening;
};

static int64_t now_ns(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static int64_t now_utc_s(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

/* ---- a task ---- */

static void on_opened(struct issue_request *request)
{
	struct canary_walk *walk = request->context;
	struct canary_opening *opening = walk->opening;

	walk->opening = NULL;
	buffer_deinit(&walk->assertion);
	if (request->refusal == ISSUE_GRANTED) {
		opening->token = request->token;
		opening->task = request->task;
	} else {
		opening->why = request->detail;
	}
	opening->done(opening);
}

static void open_task(void *context, struct canary_opening *opening)
{
	struct canary_walk *walk = context;
	struct text identity = text_of(walk->parts.identity);
	struct text issuer = issue_issuer(walk->parts.issue);
	struct error err = {0};

	buffer_init(&walk->assertion, TOKEN_BYTES_MAX);
	if (!client_assertion_build(
		    &walk->assertion, walk->key, identity, issuer, now_utc_s(NULL), &err)) {
		buffer_deinit(&walk->assertion);
		opening->why = "no assertion could be signed for it";
		opening->done(opening);
		return;
	}
	walk->opening = opening;
	walk->request = (struct issue_request){.assertion = buffer_text(&walk->assertion),
		.client = identity,
		.resource = issuer, /* remit's own decision point */
		.purpose = TEXT("Try whether a kill is effective"),
		.parent = opening->parent,
		.done = on_opened,
		.context = walk};
	issue_open_task(walk->parts.issue, &walk->request);
}

/* ---- its call ---- */

static void on_recorded(void *context, const struct error *err)
{
	(void)context;
	(void)err;
}

/* The answer counts for nothing: it may do nothing.  That it is decided and recorded does. */
static bool decide_one(
	struct canary_walk *walk, const struct issue_caller *caller, struct arena *arena)
{
	const struct evaluate_asker asker = {.identity = caller->identity,
		.task = caller->task,
		.environment = caller->environment,
		.expires_utc_s = caller->expires_utc_s};
	const struct application_question question = {
		.subject = {.type = TEXT("identity"), .id = caller->identity},
		.action = TEXT("read"),
		.resource = {.type = TEXT("tool"), .id = TEXT("canary/sing")}};
	const struct json nothing = {.type = JSON_OBJECT};
	struct evaluate_answer answer;
	struct evaluate_result result = {.question = &question};
	struct evaluate_summary summary = {.endpoint = "evaluation",
		.id = TEXT("e-canary"),
		.request = &nothing,
		.results = &result,
		.results_count = 1};
	bool is_done = false;
	struct error err = {0};

	if (!evaluate_decide(walk->parts.evaluate, &asker, &question, arena, &answer, &err)) {
		log_warn("canary_undecided", LOG_STRING("why", err.text));
		return false;
	}
	result.verdict = answer.verdict;
	result.reason = answer.reason;
	result.policies = answer.policies;
	result.policies_count = answer.policies_count;
	return evaluate_record(walk->parts.evaluate, &asker, &summary,
		&(struct evaluate_waiter){.done = on_recorded}, &is_done, &err);
}

static bool ask(void *context, struct text token)
{
	struct canary_walk *walk = context;
	struct issue_caller caller;
	struct arena *arena = NULL;
	bool is_taken = false;

	if (issue_authenticate(walk->parts.issue, token, issue_issuer(walk->parts.issue),
		    &caller) != TOKEN_ACCEPTED)
		return false;
	arena = arena_create(ASK_ARENA_BYTES_MAX);
	is_taken = arena != NULL && decide_one(walk, &caller, arena);
	arena_destroy(&arena);
	return is_taken;
}

static bool kill_task(void *context, struct text token, struct error *err)
{
	struct canary_walk *walk = context;

	return issue_kill_task(walk->parts.issue, token, TEXT("the canary's run is over"), err);
}

/* ---- for people ---- */

static void tell(void *context, const char *why)
{
	const struct canary_walk *walk = context;
	char subject[FINDING_SUBJECT_BYTES_MAX];
	struct finding_draft draft = {.kind = FINDING_CANARY_FAILED,
		.control = "G-24",
		.what = text_of(why == NULL ? "" : why)};
	struct error err = {0};

	if (why == NULL) {
		log_debug("canary_refused", LOG_STRING("identity", walk->parts.identity));
		return;
	}
	log_error("canary_failed", LOG_STRING("identity", walk->parts.identity),
		LOG_STRING("why", why));
	(void)snprintf(subject, sizeof subject, "canary/%s", walk->parts.identity);
	draft.subject = text_of(subject);
	if (!finding_report(walk->parts.finding, &draft, &err))
		log_warn("finding_not_opened", LOG_STRING("why", err.text));
}

/* Rounded up, so that what took longer than it may is never said to have fitted. */
static void take(const struct canary_walk *walk, enum control_measure measure, int64_t took_ns,
	uint32_t tasks)
{
	const struct measure_taken taken = {.measure = measure,
		.value = (took_ns + NS_PER_US - 1) / NS_PER_US,
		.samples = tasks};
	struct error err = {0};

	if (!measure_take(walk->parts.measures, &taken, &err))
		log_warn("measure_not_taken", LOG_STRING("why", err.text));
}

static void measure(void *context, int64_t took_ns, uint32_t tasks)
{
	take(context, MEASURE_KILL_TIME, took_ns, tasks);
}

static void drilled(void *context, int64_t took_ns, uint32_t tasks)
{
	take(context, MEASURE_DRILL_TIME, took_ns, tasks);
}

static uint64_t listed(void *context, struct text task)
{
	const struct canary_walk *walk = context;

	return issue_receipt_lists(walk->parts.issue, task);
}

struct canary_road canary_walk_road(struct canary_walk *walk)
{
	return (struct canary_road){.context = walk,
		.open = open_task,
		.ask = ask,
		.kill = kill_task,
		.now_ns = now_ns,
		.now_utc_s = now_utc_s,
		.tell = tell,
		.measure = measure,
		.listed = listed,
		.drilled = drilled};
}

bool canary_walk_create(
	struct canary_walk **out, const struct canary_walk_parts *parts, struct error *err)
{
	struct canary_walk *walk = calloc(1, sizeof *walk);

	*out = NULL;
	if (walk == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the canary");
	walk->parts = *parts;
	if (!private_key_load(&walk->key, parts->key_file, err)) {
		free(walk);
		return error_wrap(err, "canary-key");
	}
	*out = walk;
	return true;
}

void canary_walk_destroy(struct canary_walk **walk)
{
	if (*walk == NULL)
		return;
	buffer_deinit(&(*walk)->assertion);
	private_key_destroy(&(*walk)->key);
	free(*walk);
	*walk = NULL;
}

/* The exchange: one call from the door to the answer.
 *
 * Invariants:
 *  1. forward() is the only caller of the port upstream.start (and of asking_forward, which
 *     asks an agent's client for a server), and forwards only a call whose ALLOW is
 *     durable and whose authority holds at that moment.
 *  2. Everything an event may do is a cell of the table below; an event that has
 *     no cell cannot happen in that state.
 *  3. The door hears exactly one reply, or none after ABORT.
 *  4. An exchange is freed only from the loop, when neither the log nor a server
 *     holds anything of it.
 *  5. A decision that is durably ALLOW gets an outcome. */

#include "services/call/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"

/* ---- the end ------------------------------------------------------------------- */

static int64_t now_ms(const struct exchange *exchange)
{
	return loop_now_ms(exchange->service->ports.loop);
}

static int64_t now_utc_ms(const struct exchange *exchange)
{
	return fold_stamp_utc_ms(exchange->service->ports.fold);
}

static void wait_until(struct exchange *exchange, int64_t delay_ms)
{
	exchange->deadline_ms = now_ms(exchange) + delay_ms;
}

static void wait_forever(struct exchange *exchange)
{
	exchange->deadline_ms = INT64_MAX;
}

/* Frees it at the loop's next turn, if nothing outside holds it. */
static void exchange_finish(struct exchange *exchange, enum exchange_state state)
{
	struct call_ports *ports = &exchange->service->ports;

	exchange->state = state;
	exchange->client = NULL;
	wait_forever(exchange);
	approve_watch_remove(ports->approve, &exchange->watch);
	if (exchange->is_reserved && exchange->changes_in_flight == 0) {
		approve_release(ports->approve, exchange->approval);
		exchange->is_reserved = false;
	}
	assert(exchange->wait == NULL);
	if (exchange->changes_in_flight != 0 || exchange->is_people_posted ||
		exchange->is_failed_posted || exchange->is_outcome_posted)
		return; /* the last of them comes back here */
	exchange->state = EXCHANGE_ANSWERED;
	asking_release(exchange);
	if (exchange->link == NULL)
		return; /* on its way out already */
	*exchange->link = exchange->next;
	if (exchange->next != NULL)
		exchange->next->link = exchange->link;
	exchange->link = NULL;
	exchange_give_share(exchange);
	generation_release(exchange);
	exchange->service->figures.in_flight--;
	exchange_release_later(exchange);
}

static void reply(struct exchange *exchange, struct call_reply *out)
{
	const struct call_client *client = exchange->client;

	if (client == NULL)
		return;
	asking_end_all(exchange);
	exchange->client = NULL; /* once */
	/* Whatever was decided, a call that does not go was refused. */
	exchange->shown = exchange->decision;
	if (out->kind == CALL_STOPPED)
		exchange->shown.verdict = VERDICT_DENY;
	if (out->kind == CALL_REFUSED && exchange->shown.verdict != VERDICT_DENY) {
		exchange->shown.verdict = VERDICT_DENY;
		exchange->shown.reason = REASON_NONE;
	}
	out->decision = &exchange->shown;
	out->is_recorded = exchange->is_recorded;
	out->index = exchange->index;
	if (out->kind == CALL_ASKED)
		out->approval = exchange->approval;
	if (out->kind == CALL_REFUSED)
		out->accepted = exchange->accepted;
	client->on_reply(client->context, out);
}

static void reply_kind(
	struct exchange *exchange, enum call_reply_kind kind, const struct error *failure)
{
	struct call_reply out = {
		.kind = kind,
		.message = exchange_message(exchange, kind, failure),
		.failure = failure,
	};

	reply(exchange, &out);
}

/* ---- the outcome ------------------------------------------------------------------ */

static void change_came_back(struct exchange *exchange)
{
	assert(exchange->changes_in_flight > 0);
	exchange->changes_in_flight--;
}

static void on_outcome_done(struct fold_change *change)
{
	struct exchange *exchange = change->context;

	change_came_back(exchange);
	exchange_event(exchange, change->is_durable ? EVENT_OUTCOME_DONE : EVENT_OUTCOME_LOST);
}

/* What it used is held until it is on record, and its place among those in flight taken.  In the
 * end it is in flight for the log alone, and the next start records `unknown`. */
static void put_off_outcome(struct exchange *exchange, const struct error *err)
{
	exchange->outcome_tries++;
	if (exchange->outcome_tries < OUTCOME_TRIES_MAX &&
		!fold_has_failed(exchange->service->ports.fold)) {
		wait_until(exchange, (int64_t)OUTCOME_AGAIN_MS << (exchange->outcome_tries - 1));
		return;
	}
	log_warn("outcome_not_recorded", LOG_NUMBER("decision", (int64_t)exchange->index),
		LOG_TEXT("cause", text_of(err->text)));
	exchange_finish(exchange, EXCHANGE_ANSWERED);
}

static void send_outcome(struct exchange *exchange)
{
	struct error err = {0};

	exchange->outcome = (struct fold_change){.done = on_outcome_done, .context = exchange};
	exchange->outcome.append.urgency = RECORD_RESERVED;
	exchange->outcome.append.may_linger = true;
	if (exchange_outcome_record(exchange, &exchange->what_became, &err) &&
		fold_submit(exchange->service->ports.fold, &exchange->outcome, &err))
		exchange->changes_in_flight++;
	else
		put_off_outcome(exchange, &err);
}

static void on_outcome_post(struct loop_post *post)
{
	struct exchange *exchange = post->context;

	exchange->is_outcome_posted = false;
	send_outcome(exchange);
}

static void on_outcome_lost(struct exchange *exchange)
{
	put_off_outcome(exchange, &exchange->outcome.err);
}

/* In the next turn, so that the reply leaves first. */
static void submit_outcome(struct exchange *exchange, const struct outcome *outcome)
{
	wait_forever(exchange);
	asking_end_all(exchange);
	exchange->state = EXCHANGE_OUTCOME;
	exchange->what_became = *outcome;
	exchange->outcome_post.run = on_outcome_post;
	exchange->outcome_post.context = exchange;
	exchange->is_outcome_posted = true;
	loop_defer(exchange->service->ports.loop, &exchange->outcome_post);
}

/* An allowed call that does not go after all. */
static void give_up(struct exchange *exchange, const char *status, enum reason reason)
{
	struct outcome outcome = {.status = status, .reason = reason};

	submit_outcome(exchange, &outcome);
}

/* Nobody waits for the server, or for the client that it asks. */
static void cancel_wait(struct exchange *exchange)
{
	struct upstream *upstream = &exchange->service->ports.upstream;

	if (exchange->asking != NULL)
		asking_withdraw(exchange);
	else
		upstream->cancel(upstream->context, &exchange->wait);
}

/* Sent, but what came of it is not known. */
static void give_up_sent(struct exchange *exchange, const char *status)
{
	struct outcome outcome = {.status = status, .is_forwarded = true};

	cancel_wait(exchange);
	submit_outcome(exchange, &outcome);
}

/* ---- deciding ------------------------------------------------------------------------ */

/* A refusal by a fault of ours: nothing was recorded, so nothing goes. */
static void on_failed_post(struct loop_post *post)
{
	struct exchange *exchange = post->context;
	struct error err = {.code = ERROR_IO};

	exchange->is_failed_posted = false;
	(void)error_set(&err, ERROR_IO, "no record could be made, so nothing was done");
	reply_kind(exchange, CALL_REFUSED, &err);
	exchange_finish(exchange, EXCHANGE_ANSWERED);
}

static void fail_unrecorded(struct exchange *exchange)
{
	exchange->service->figures.unrecorded++;
	exchange->state = EXCHANGE_DECIDED;
	wait_forever(exchange);
	if (exchange->is_reserved && exchange->changes_in_flight == 0) {
		approve_release(exchange->service->ports.approve, exchange->approval);
		exchange->is_reserved = false;
	}
	exchange->failed_post.run = on_failed_post;
	exchange->failed_post.context = exchange;
	exchange->is_failed_posted = true;
	loop_defer(exchange->service->ports.loop, &exchange->failed_post);
}

static void on_asked_done(struct fold_change *change)
{
	struct exchange *exchange = change->context;

	/* The decision follows in the log: it says whether both are there. */
	change_came_back(exchange);
	if (exchange->state == EXCHANGE_ANSWERED || exchange->state == EXCHANGE_ABORTED)
		exchange_finish(exchange, exchange->state);
}

static void on_decided_done(struct fold_change *change)
{
	struct exchange *exchange = change->context;

	change_came_back(exchange);
	decide_uses_release(exchange->service->ports.decide, &exchange->uses);
	exchange->is_recorded = change->is_durable;
	exchange->index = change->index;
	exchange_event(exchange, change->is_durable ? EVENT_DURABLE : EVENT_NOT_DURABLE);
}

static void submit_decision(struct exchange *exchange)
{
	struct call_ports *ports = &exchange->service->ports;
	struct error err = {0};

	exchange->is_recorded = false;
	exchange->decided = (struct fold_change){.done = on_decided_done, .context = exchange};
	if (!exchange_decision_record(exchange, &err) || !generation_hold(exchange, &err) ||
		!decide_uses_hold(ports->decide, &exchange->call, &exchange->decision,
			exchange->arena, &exchange->uses, &err) ||
		!fold_submit(ports->fold, &exchange->decided, &err)) {
		decide_uses_release(ports->decide, &exchange->uses);
		fail_unrecorded(exchange);
		return;
	}
	exchange->changes_in_flight++;
	/* Counted now: calls that wait for the log together are not one. */
	if (exchange->decision.verdict == VERDICT_ALLOW)
		decide_count_call(ports->decide, exchange->call.identity, now_utc_ms(exchange));
	exchange->state = EXCHANGE_DECIDED;
	wait_until(exchange, CALL_RECORD_MS);
}

static struct call_question question_of(struct exchange *exchange)
{
	return (struct call_question){
		.ports = &exchange->service->ports,
		.arena = exchange->arena,
		.call = &exchange->call,
		.decision = &exchange->decision,
		.reason = exchange->reason,
	};
}

/* A new question: its record goes to the log before the decision that names it.  Errors: those
 * of call_question_record and fold_submit. */
static bool submit_asked(
	struct exchange *exchange, const struct sha256 *call_digest, struct error *err)
{
	const struct call_question asked = question_of(exchange);

	exchange->asked = (struct fold_change){.done = on_asked_done, .context = exchange};
	if (!call_question_record(
		    &asked, call_digest, &exchange->asked, &exchange->approval, err) ||
		!fold_submit(exchange->service->ports.fold, &exchange->asked, err))
		return false;
	exchange->changes_in_flight++;
	return true;
}

static void run_decide(
	struct exchange *exchange, struct approval_names approvals, enum decide_search search)
{
	struct decide_request request = {
		.call = &exchange->call,
		.origins = &exchange->origins,
		.approvals = approvals,
		.search = search,
		.now_utc_ms = now_utc_ms(exchange),
		.inputs = &exchange->inputs,
	};
	struct call_ports *ports = &exchange->service->ports;

	decide_origins(ports->decide, &exchange->call, &exchange->origins);
	decide_call(ports->decide, &request, exchange->arena, &exchange->decision);
	exchange->seen = fold_next_index(ports->fold);
}

/* The approval's names and id, kept by the exchange itself. */
static bool copy_approval(
	struct exchange *exchange, const struct approval *approval, struct approval_names *out)
{
	struct text *names = arena_array(exchange->arena, struct text, approval->names_count + 1);
	size_t i;

	exchange->approval = text_copy(exchange->arena, approval->id);
	if (names == NULL || exchange->approval.data == NULL)
		return false;
	for (i = 0; i < approval->names_count; i++) {
		names[i] = text_copy(exchange->arena, approval->names[i]);
		if (names[i].data == NULL)
			return false;
	}
	*out = (struct approval_names){names, approval->names_count};
	return true;
}

/* People approved: decide again with their names, and take the approval. */
static void decide_approved(struct exchange *exchange, const struct approval *approval)
{
	struct call_ports *ports = &exchange->service->ports;
	struct approval_names names;
	bool is_allowed;

	if (!copy_approval(exchange, approval, &names)) {
		fail_unrecorded(exchange);
		return;
	}
	run_decide(exchange, names, DECIDE_NO_SEARCH);
	is_allowed = exchange->decision.verdict == VERDICT_ALLOW;
	if (is_allowed && !approve_reserve(ports->approve, approval, now_utc_ms(exchange))) {
		fail_unrecorded(exchange);
		return;
	}
	exchange->is_reserved = is_allowed;
	exchange->decision.approvals = names.items;
	exchange->decision.approvals_count = names.count;
	submit_decision(exchange);
}

/* What a person would accept, from beside the record of that question.  Without it the
 * agent is told that there is something, by its id. */
static void find_accepted(struct exchange *exchange, struct text edited)
{
	struct call_ports *ports = &exchange->service->ports;
	const struct approval *approval = approval_find(ports->approve, edited);
	const struct json *arguments;
	struct json *card = arena_new(exchange->arena, struct json);
	struct error err = {0};
	struct text plain;

	if (approval == NULL || card == NULL || ports->contents.open == NULL ||
		!ports->contents.open(ports->contents.context, approval->asked_index,
			exchange->arena, &plain, &err) ||
		!json_parse(card, exchange->arena, plain, &call_card_limits, &err))
		return;
	arguments = json_find(card, "arguments");
	exchange->accepted = arguments == NULL ? NULL : arena_new(exchange->arena, struct json);
	if (exchange->accepted != NULL)
		*exchange->accepted = *arguments;
}

/* What the agent is told where the answer to exactly this call was no, or there was none,
 * which is the same. */
static const struct {
	const char *explanation;
	const char *needed;
} refusals[] = {
	[APPROVAL_EXPIRED] = {"Nobody approved exactly this call in time, which is a no.",
		"The same call once more asks people anew."},
	[APPROVAL_REJECTED] = {"A person rejected exactly this call.",
		"Another call, or a word with the person who rejected it."},
	[APPROVAL_EDITED] = {"A person rejected this call and would accept other arguments.",
		"A call with exactly the arguments they would accept."},
};

static void refuse_answered(struct exchange *exchange, const struct approval *approval)
{
	enum approval_state state =
		approval->state == APPROVAL_REJECTED || approval->state == APPROVAL_EDITED
			? approval->state
			: APPROVAL_EXPIRED;

	exchange->approval = text_copy(exchange->arena, approval->id);
	exchange->decision.verdict = VERDICT_DENY;
	exchange->decision.explanation = text_of(refusals[state].explanation);
	exchange->decision.needed = text_of(refusals[state].needed);
	if (state == APPROVAL_EDITED)
		find_accepted(exchange, approval->edited);
	submit_decision(exchange);
}

/* People have no room for the question, which is a no: nobody is to answer what they do not
 * read. */
static void refuse_unasked(struct exchange *exchange, const struct error *err)
{
	exchange->approval = (struct text){0};
	exchange->decision.verdict = VERDICT_DENY;
	exchange->decision.explanation = text_copy(exchange->arena, text_of(err->text));
	exchange->decision.needed =
		TEXT("The same call once more, when people have answered what waits for them.");
	submit_decision(exchange);
}

/* Break-glass stands in for the people: decided again with the names that are asked for, as if
 * they had answered, so that it opens what they could have opened and no more.  False: none is
 * open for this call, or it would be refused all the same; the decision is as it was. */
static bool decide_broken(struct exchange *exchange, const struct call_question *asked)
{
	const struct break_glass *glass = call_question_break_glass(asked, now_utc_ms(exchange));
	const struct decision before = exchange->decision;
	const struct approval_names names = {before.approvals, before.approvals_count};

	if (glass == NULL)
		return false;
	run_decide(exchange, names, DECIDE_NO_SEARCH);
	exchange->break_glass = text_copy(exchange->arena, glass->id);
	if (exchange->decision.verdict != VERDICT_ALLOW || exchange->break_glass.data == NULL) {
		exchange->decision = before;
		exchange->break_glass = (struct text){0};
		return false;
	}
	exchange->decision.approvals = names.items;
	exchange->decision.approvals_count = names.count;
	submit_decision(exchange);
	return true;
}

/* Asks the people, or finds that they were asked about exactly this call. */
static void decide_asked(struct exchange *exchange)
{
	struct call_ports *ports = &exchange->service->ports;
	const struct call_question asked = question_of(exchange);
	const struct approval *approval;
	struct sha256 digest;
	struct error err = {0};

	if (!call_question_digest(&asked, &digest, &err)) {
		fail_unrecorded(exchange);
		return;
	}
	approval = approve_find_refused(ports->approve, &digest, now_utc_ms(exchange));
	if (approval != NULL) {
		refuse_answered(exchange, approval);
		return;
	}
	approval = approve_find_call(ports->approve, &digest, now_utc_ms(exchange));
	if (approval != NULL && approval->state == APPROVAL_APPROVED) {
		decide_approved(exchange, approval);
		return;
	}
	if (decide_broken(exchange, &asked))
		return;
	if (approval != NULL) {
		exchange->approval = text_copy(exchange->arena, approval->id);
	} else if (!submit_asked(exchange, &digest, &err)) {
		if (err.code == ERROR_CONFLICT)
			refuse_unasked(exchange, &err);
		else
			fail_unrecorded(exchange);
		return;
	}
	submit_decision(exchange);
}

static void on_start(struct exchange *exchange)
{
	run_decide(exchange, (struct approval_names){NULL, 0}, DECIDE_SEARCH);
	exchange->approval = (struct text){0};
	exchange->accepted = NULL;
	exchange->break_glass = (struct text){0};
	if (exchange->decision.verdict == VERDICT_ASK)
		decide_asked(exchange);
	else
		submit_decision(exchange);
}

/* ---- recorded ---------------------------------------------------------------------------- */

static void on_people_post(struct loop_post *post)
{
	struct exchange *exchange = post->context;

	exchange->is_people_posted = false;
	if (exchange->state == EXCHANGE_ASKED)
		exchange_event(exchange, EVENT_PEOPLE);
	else
		exchange_finish(exchange, exchange->state);
}

/* From within the fold: later, when every handler of the record has run. */
static void on_approval_change(void *context, const struct approval *approval)
{
	struct exchange *exchange = context;

	(void)approval;
	if (exchange->is_people_posted)
		return;
	exchange->people_post.run = on_people_post;
	exchange->people_post.context = exchange;
	exchange->is_people_posted = true;
	loop_defer(exchange->service->ports.loop, &exchange->people_post);
}

static void wait_for_people(struct exchange *exchange)
{
	struct call_ports *ports = &exchange->service->ports;
	const struct approval *approval = approval_find(ports->approve, exchange->approval);

	exchange->service->figures.asked++;
	exchange->state = EXCHANGE_ASKED;
	wait_until(exchange, exchange->service->settings.hold_ms);
	exchange->watch = (struct approve_watch){
		.id = exchange->approval,
		.context = exchange,
		.on_change = on_approval_change,
	};
	approve_watch_add(ports->approve, &exchange->watch);
	/* Somebody was quicker than our record. */
	if (approval == NULL || approval->state != APPROVAL_PENDING)
		on_approval_change(exchange, approval);
	else if (exchange->service->settings.hold_ms == 0)
		exchange_event(exchange, EVENT_DEADLINE);
}

static void on_ready(void *context, const struct error *err)
{
	struct exchange *exchange = context;

	exchange->wait = NULL;
	exchange->failure = err;
	exchange_event(exchange, err == NULL ? EVENT_READY : EVENT_NOT_READY);
	exchange->failure = NULL;
}

static void fail_not_ready(struct exchange *exchange, const struct error *failure)
{
	exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, failure);
	give_up(exchange, "failed", REASON_NONE);
}

static void prepare(struct exchange *exchange)
{
	struct upstream *upstream = &exchange->service->ports.upstream;
	struct upstream_ready ready = {.context = exchange,
		.run = on_ready,
		.identity = exchange->call.identity,
		.environment = exchange->call.environment,
		.task = exchange->call.task};
	struct error err = {0};

	exchange->state = EXCHANGE_RECORDED;
	wait_until(exchange, CALL_PREPARE_MS);
	if (!upstream->prepare(upstream->context, exchange->call.server, exchange->deadline_ms,
		    &ready, &exchange->wait, &err))
		fail_not_ready(exchange, &err);
}

/* Whether it goes by no line with `uses` but those that its record took of. */
static bool takes_no_more(const struct decision *again, const struct decision *recorded)
{
	size_t i, at;

	for (i = 0; i < again->uses_count; i++) {
		for (at = 0; at < recorded->uses_count; at++)
			if (recorded->uses[at].line == again->uses[i].line &&
				text_equal(recorded->uses[at].identity, again->uses[i].identity))
				break;
		if (at == recorded->uses_count)
			return false;
	}
	return true;
}

/* The registry is not the one that was decided on, so it is decided again; an
 * approval was given for what held then.  The call itself is among those of its
 * minute, and what it holds of its budgets is held, so their limits say nothing new. */
static enum reason decide_changed(struct exchange *exchange)
{
	struct decide_request request = {
		.call = &exchange->call,
		.origins = &exchange->origins,
		.search = DECIDE_NO_SEARCH,
		.now_utc_ms = now_utc_ms(exchange),
		.taken = &exchange->decision,
	};
	struct decision again;

	if (exchange->decision.approvals_count != 0)
		return REASON_APPROVAL_NEEDED;
	decide_call(exchange->service->ports.decide, &request, exchange->arena, &again);
	if (again.verdict != VERDICT_ALLOW)
		return again.reason;
	if (!takes_no_more(&again, &exchange->decision))
		return REASON_ENTITLEMENT_USED;
	/* The record says which rows may come; under another ceiling others would. */
	return again.ceiling == exchange->decision.ceiling ? REASON_ALLOWED : REASON_SENSITIVITY;
}

/* Whether the break-glass it goes by, if it goes by one, is open still. */
static bool is_glass_open(const struct exchange *exchange)
{
	const struct approve *approve = exchange->service->ports.approve;
	const struct break_glass *glass = break_glass_find(approve, exchange->break_glass);

	return exchange->break_glass.length == 0 ||
	       (glass != NULL && break_glass_is_open(approve, glass, now_utc_ms(exchange)));
}

/* What speaks against an allowed call by now; REASON_ALLOWED: nothing. */
static enum reason look_again(struct exchange *exchange, enum decide_seen seen)
{
	struct call_ports *ports = &exchange->service->ports;
	enum reason reason = decide_recheck(ports->decide, &exchange->call,
		exchange->inputs.arguments, seen, now_utc_ms(exchange));

	if (reason == REASON_ALLOWED && !is_glass_open(exchange))
		return REASON_APPROVAL_NEEDED;
	if (reason == REASON_ALLOWED &&
		registry_revision(ports->registry) != exchange->decision.revision)
		reason = decide_changed(exchange);
	return reason;
}

static void refuse_late(struct exchange *exchange, enum reason reason)
{
	decide_recheck_explain(exchange->service->ports.decide, &exchange->call, reason,
		exchange->arena, &exchange->decision);
	reply_kind(exchange, CALL_REFUSED, NULL);
	give_up(exchange, "refused", reason);
}

static void on_ready_event(struct exchange *exchange);

static void on_durable(struct exchange *exchange)
{
	struct call_figures *figures = &exchange->service->figures;
	enum reason reason;

	exchange->is_reserved = false; /* used, by the record */
	switch (exchange->decision.verdict) {
	case VERDICT_ASK: wait_for_people(exchange); return;
	case VERDICT_ALLOW: break;
	case VERDICT_DENY:
		figures->denied++;
		reply_kind(exchange, CALL_REFUSED, NULL);
		exchange_finish(exchange, EXCHANGE_ANSWERED);
		return;
	}
	figures->allowed++;
	generation_tell_prompts(exchange);
	reason = look_again(exchange, DECIDE_MAY_BE_UNSEEN);
	if (reason != REASON_ALLOWED)
		refuse_late(exchange, reason);
	else if (exchange->asking != NULL) /* the client is there */
		on_ready_event(exchange);
	else
		prepare(exchange);
}

static void on_not_durable(struct exchange *exchange)
{
	fail_unrecorded(exchange);
}

/* ---- asked ---------------------------------------------------------------------------------- */

static void on_asked_revoked(struct exchange *exchange)
{
	exchange->decision.verdict = VERDICT_DENY;
	exchange->decision.reason = REASON_TASK_NOT_LIVE;
	exchange->decision.explanation = text_of(reason_meaning(REASON_TASK_NOT_LIVE));
	exchange->decision.needed = TEXT("A new task.");
	exchange->service->figures.revoked++;
	reply_kind(exchange, CALL_REFUSED, NULL);
	exchange_finish(exchange, EXCHANGE_ANSWERED);
}

static void on_people(struct exchange *exchange)
{
	struct call_ports *ports = &exchange->service->ports;

	approve_watch_remove(ports->approve, &exchange->watch);
	/* Of what is over nobody is asked anew, though its end is not on record yet. */
	if (task_may_act(ports->tasks, task_find(ports->tasks, exchange->call.task),
		    now_utc_ms(exchange)))
		on_start(exchange);
	else
		on_asked_revoked(exchange);
}

static void on_hold_over(struct exchange *exchange)
{
	reply_kind(exchange, CALL_ASKED, NULL);
	exchange_finish(exchange, EXCHANGE_ANSWERED);
}

/* ---- forwarding ---------------------------------------------------------------------------- */

static void on_notice(void *context, struct text method, const struct json *params)
{
	struct exchange *exchange = context;

	exchange->notice_method = method;
	exchange->notice_params = params;
	exchange_event(exchange, EVENT_NOTICE);
	exchange->notice_params = NULL;
}

static void on_bytes(void *context, const struct upstream_bytes *bytes)
{
	struct exchange *exchange = context;

	exchange->bytes = bytes;
	exchange_event(exchange, EVENT_NOTICE);
	exchange->bytes = NULL;
}

static void on_answer(void *context, const struct upstream_answer *answer)
{
	struct exchange *exchange = context;

	exchange->wait = NULL;
	exchange->answer = answer;
	exchange_event(exchange, EVENT_ANSWER);
	exchange->answer = NULL;
}

/* The gate.  No durable record, no effect (I2); nothing else in the tree calls
 * upstream.start or asking_forward. */
static bool forward(struct exchange *exchange, struct error *err)
{
	struct upstream *upstream = &exchange->service->ports.upstream;
	struct upstream_request request = {
		.server = exchange->call.server,
		.identity = exchange->call.identity,
		.environment = exchange->call.environment,
		.task = exchange->call.task,
		.method = exchange->call.method,
		.params = &exchange->call.params,
		.wants_progress = exchange->wants_progress,
		.ceiling = exchange->retrieval_rule.ceiling,
		.tells_record = exchange->peer != NULL || exchange_tells_record(exchange),
		.record = exchange->index,
		.body = exchange->generation != NULL ? exchange->call.arguments_text : TEXT(""),
		.label = exchange->peer != NULL ? peer_label(exchange) : TEXT(""),
		.subject_token = exchange->peer != NULL ? peer_token(exchange) : TEXT(""),
		.deadline_ms = exchange->deadline_ms,
		.context = exchange,
		.on_notice = on_notice,
		.on_bytes = on_bytes,
		.on_answer = on_answer,
	};

	if (exchange->state != EXCHANGE_PREPARED || !exchange->is_recorded ||
		exchange->decision.verdict != VERDICT_ALLOW || exchange->client == NULL ||
		fold_has_failed(exchange->service->ports.fold))
		return error_set(err, ERROR_INTERNAL, "the call may not be forwarded");
	if (!generation_note_credential(exchange, err))
		return false;
	exchange->state = EXCHANGE_FORWARDED;
	if (exchange->asking != NULL)
		return asking_forward(exchange, err);
	decide_sends(exchange->service->ports.decide, &exchange->call, &exchange->call.arguments);
	exchange->request = request; /* borrowed by the edge until it is answered */
	if (!upstream->start(upstream->context, &exchange->request, &exchange->wait, err))
		return false;
	exchange->service->figures.forwarded++;
	return true;
}

static void on_ready_event(struct exchange *exchange)
{
	enum reason reason;
	struct error err = {0};

	if (exchange->peer != NULL && !peer_is_handed(exchange))
		return;
	reason = look_again(exchange, DECIDE_MUST_BE_SEEN);
	if (reason == REASON_ALLOWED)
		reason = exchange_retrieval_prepare(exchange);
	if (reason != REASON_ALLOWED) {
		refuse_late(exchange, reason);
		return;
	}
	exchange->state = EXCHANGE_PREPARED;
	exchange->started_ms = now_ms(exchange);
	wait_until(exchange, exchange->service->settings.upstream_ms);
	if (!forward(exchange, &err))
		fail_not_ready(exchange, &err);
}

static void on_not_ready_event(struct exchange *exchange)
{
	fail_not_ready(exchange, exchange->failure);
}

static void on_prepare_deadline(struct exchange *exchange)
{
	struct upstream *upstream = &exchange->service->ports.upstream;
	struct error err = {0};

	upstream->cancel(upstream->context, &exchange->wait);
	(void)error_set(&err, ERROR_TIMEOUT, "server %.*s was not ready in time",
		TEXT_ARGS(exchange->call.server));
	exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, &err);
	give_up(exchange, "timeout", REASON_NONE);
}

static void on_prepare_abort(struct exchange *exchange)
{
	struct upstream *upstream = &exchange->service->ports.upstream;

	upstream->cancel(upstream->context, &exchange->wait);
	exchange->service->figures.aborted++;
	give_up(exchange, "aborted", REASON_NONE);
}

static void on_prepare_revoked(struct exchange *exchange)
{
	struct upstream *upstream = &exchange->service->ports.upstream;

	upstream->cancel(upstream->context, &exchange->wait);
	exchange->service->figures.revoked++;
	refuse_late(exchange, REASON_TASK_NOT_LIVE);
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* The answer of a model may not go on, by its budget or a tool call, or makes no sense. */
static void stop_generation(struct exchange *exchange, const struct error *why)
{
	struct outcome outcome = {.status = "failed", .is_forwarded = true};
	struct upstream *upstream = &exchange->service->ports.upstream;

	upstream->cancel(upstream->context, &exchange->wait);
	if (why->code == ERROR_CONFLICT) {
		outcome.status = "stopped";
		outcome.reason = generation_stop(exchange);
		exchange->service->figures.stopped++;
		reply_kind(exchange, CALL_STOPPED, NULL);
	} else {
		exchange->service->figures.failed++;
		reply_kind(exchange, CALL_FAILED, why);
	}
	submit_outcome(exchange, &outcome);
}

static void on_bytes_event(struct exchange *exchange)
{
	struct error err = {0};

	wait_until(exchange, exchange->service->settings.upstream_ms);
	if (!generation_take(exchange, exchange->bytes, &err))
		stop_generation(exchange, &err);
}

/* An answer that holds a secret and may not be passed on. */
static void answer_blocked(struct exchange *exchange)
{
	struct outcome outcome = {.status = "failed", .is_forwarded = true};
	struct error err = {.code = ERROR_INVALID,
		.text = "the server's answer held a secret and was not passed on"};

	exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, &err);
	submit_outcome(exchange, &outcome);
}

/* What the answer says may endorse later values; nobody has it yet. */
static void trace_result(struct exchange *exchange, const struct json *result)
{
	struct decide_result seen = {
		.call = &exchange->call,
		.decision = &exchange->decision,
		.result = result,
		.record = exchange->index,
		.now_utc_ms = now_utc_ms(exchange),
	};

	decide_result_seen(exchange->service->ports.decide, &seen);
}

/* The events of a peer are its answer: one that may not be passed ends it. */
static void on_peer_event(struct exchange *exchange)
{
	const struct call_client *client = exchange->client;
	struct upstream *upstream = &exchange->service->ports.upstream;
	struct json passed;
	struct error err = {0};

	wait_until(exchange, exchange->service->settings.upstream_ms);
	if (!peer_follow(exchange, exchange->notice_params, &err) ||
		!exchange_pass(exchange, SECRET_IN_RESULT, exchange->notice_params, &passed)) {
		upstream->cancel(upstream->context, &exchange->wait);
		answer_blocked(exchange);
		return;
	}
	peer_note(exchange, exchange->notice_params);
	trace_result(exchange, exchange->notice_params);
	if (client != NULL && client->on_notice != NULL)
		client->on_notice(client->context, exchange->notice_method, &passed);
}

/* A notice that holds what may not be passed is dropped: the answer counts. */
static void on_notice_event(struct exchange *exchange)
{
	const struct call_client *client = exchange->client;
	const struct json *params = exchange->notice_params;
	struct json passed;

	exchange->state = EXCHANGE_STREAMING;
	if (exchange->bytes != NULL) {
		on_bytes_event(exchange);
		return;
	}
	if (exchange_is_judged(exchange))
		return; /* nothing passes before the rows are judged */
	if (exchange->peer != NULL) {
		on_peer_event(exchange);
		return;
	}
	if (client == NULL || client->on_notice == NULL)
		return;
	if (params != NULL && !exchange_pass(exchange, SECRET_IN_NOTICE, params, &passed))
		return;
	client->on_notice(
		client->context, exchange->notice_method, params == NULL ? NULL : &passed);
}

static void answer_failed(struct exchange *exchange, const struct upstream_answer *answer)
{
	bool is_timeout = answer->failure != NULL && answer->failure->code == ERROR_TIMEOUT;
	struct outcome outcome = {
		.status = is_timeout ? "timeout" : "failed",
		.is_forwarded = answer->is_unknown,
	};

	exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, answer->failure);
	submit_outcome(exchange, &outcome);
}

/* The server answered, and nobody sees what. */
static void answer_withheld(struct exchange *exchange, const struct json *result)
{
	struct outcome outcome = {.status = "withheld",
		.reason = exchange->retrieval.fault == RETRIEVAL_ELSEWHERE ? REASON_DATA_SOURCE
									   : REASON_SENSITIVITY,
		.is_forwarded = true};
	struct error failure;

	exchange_retrieval_say(exchange, &failure);
	if (result != NULL)
		exchange_outcome_keep(exchange, result, &outcome);
	exchange->service->figures.withheld++;
	reply_kind(exchange, CALL_FAILED, &failure);
	submit_outcome(exchange, &outcome);
}

/* A list, less what the caller could never use. */
static bool answer_filtered(struct exchange *exchange, const struct json *result, struct json *out)
{
	struct decide_viewer viewer = {
		.identity = exchange->call.identity,
		.server = exchange->call.server,
		.now_utc_ms = now_utc_ms(exchange),
	};
	struct error err = {0};

	if (exchange->call.route != METHOD_FILTERED) {
		*out = *result;
		return true;
	}
	if (!text_is(exchange->call.method, "tools/list")) {
		const struct decide_listing listing = {&exchange->call, result, viewer.now_utc_ms};

		return decide_list_visible(
			exchange->service->ports.decide, &listing, exchange->arena, out, &err);
	}
	return decide_tools_visible(
		exchange->service->ports.decide, &viewer, result, exchange->arena, out, &err);
}

/* A result that is not what the tool's definition promises is not passed on: whoever reads
 * it by that would take it for something else. */
static void answer_lie(struct exchange *exchange, struct text fault)
{
	struct outcome outcome = {
		.status = "failed", .reason = REASON_RESULT_INVALID, .is_forwarded = true};
	struct error err = {0};

	(void)error_set(&err, ERROR_IO,
		"the server did it, but its result does not fit the tool's definition (%.*s), so "
		"it is not passed on",
		TEXT_ARGS(fault));
	exchange_outcome_keep(exchange, exchange->answer->result, &outcome);
	exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, &err);
	submit_outcome(exchange, &outcome);
}

static bool answer_is_true(struct exchange *exchange, const struct json *result, struct text *fault)
{
	return result == NULL || exchange->call.route != METHOD_TOOL ||
	       decide_result_fits(exchange->service->ports.decide, &exchange->call, result,
		       exchange->arena, fault);
}

static void on_generation_answer(struct exchange *exchange, const struct upstream_answer *answer)
{
	struct call_reply out = {.kind = CALL_RESULT};
	struct outcome outcome = {.status = "result", .is_forwarded = true, .has_result = true};
	struct error err = {0};

	if (answer->failure != NULL) {
		answer_failed(exchange, answer);
		return;
	}
	if (!generation_finish(exchange, answer, &out.status, &err) && out.status == 0) {
		stop_generation(exchange, &err);
		return;
	}
	if (out.status != 0) {
		outcome.status = "error";
		outcome.has_result = false;
		out.kind = CALL_ERROR;
		out.message = exchange_pass_text(exchange, generation_error_message(exchange));
		if (out.message.data == NULL)
			out.message = TEXT("The provider gave a reason that is not passed on.");
	}
	exchange->service->figures.answered++;
	reply(exchange, &out);
	submit_outcome(exchange, &outcome);
}

/* Whether nothing was taken out of it: then it is the very same members. */
static bool is_same(const struct json *passed, const struct json *result)
{
	return passed->type == JSON_OBJECT && result->type == JSON_OBJECT &&
	       passed->members == result->members && passed->count == result->count;
}

/* ---- the client's answer to a server ----------------------------------------------- */

/* The task has read more than was decided on, by other calls of it. */
static bool has_risen(const struct exchange *exchange, const struct task_labels *now)
{
	const struct decision *before = &exchange->decision;
	int level = sensitivity_level(now->sensitivity);

	if (now->has_untrusted_content && !before->labels.has_untrusted_content &&
		!before->is_untrusted)
		return true;
	return now->sensitivity != SENSITIVITY_UNLABELLED &&
	       (before->labels.sensitivity == SENSITIVITY_UNLABELLED ||
		       level > sensitivity_level(before->labels.sensitivity)) &&
	       (before->sensitivity == SENSITIVITY_UNLABELLED ||
		       level > sensitivity_level(before->sensitivity));
}

/* What speaks by now against the answer going to the server: what the client knows may have
 * grown since it was asked.  An approval was given for what held then. */
static enum reason look_at_answer(struct exchange *exchange, const struct json *said)
{
	struct decision *decision = &exchange->decision;
	struct call with = exchange->call; /* the secrets that the answer holds */
	struct decide_request request = {
		.call = &with,
		.origins = &exchange->origins,
		.approvals = {decision->approvals, decision->approvals_count},
		.search = DECIDE_NO_SEARCH,
		.now_utc_ms = now_utc_ms(exchange),
		.taken = decision,
	};
	enum reason reason = look_again(exchange, DECIDE_MUST_BE_SEEN);
	struct decision again;

	if (reason != REASON_ALLOWED)
		return reason;
	if (fold_has_failed(exchange->service->ports.fold))
		return REASON_NONE; /* what happened since may be on no record */
	if (said != NULL)
		with.secrets |= exchange_kinds_left(exchange, said);
	decide_call(exchange->service->ports.decide, &request, exchange->arena, &again);
	if (again.verdict == VERDICT_ASK ||
		(decision->approvals_count != 0 && has_risen(exchange, &again.labels)))
		return REASON_APPROVAL_NEEDED;
	if (!takes_no_more(&again, decision))
		return REASON_ENTITLEMENT_USED;
	return again.verdict == VERDICT_ALLOW ? REASON_ALLOWED : again.reason;
}

/* The server gets nothing of what the client said. */
static void withhold_answer(struct exchange *exchange, const struct outcome *outcome)
{
	if (outcome->reason != REASON_RESULT_INVALID)
		exchange->service->figures.withheld++;
	else
		exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, NULL);
	submit_outcome(exchange, outcome);
}

static void on_asking_answer(struct exchange *exchange, const struct upstream_answer *answer)
{
	struct outcome outcome = {.status = "withheld", .is_forwarded = true};
	struct upstream_reply passed_on = {0};
	struct json read, passed;
	struct error err = {0};

	outcome.reason =
		look_at_answer(exchange, answer->result != NULL ? answer->result : answer->error);
	if (outcome.reason != REASON_ALLOWED) {
		withhold_answer(exchange, &outcome);
		return;
	}
	outcome.status = "failed";
	outcome.reason = REASON_RESULT_INVALID;
	if (!asking_read(exchange, answer, &read, &err)) {
		withhold_answer(exchange, &outcome);
		return;
	}
	outcome.reason = REASON_NONE;
	if (answer->result != NULL)
		passed_on.result = &passed;
	else
		passed_on.error = &passed;
	decide_sends(exchange->service->ports.decide, &exchange->call, &read);
	if (!exchange_pass(exchange, SECRET_IN_ARGUMENTS, &read, &passed) ||
		!asking_respond(exchange, &passed_on, &err)) {
		withhold_answer(exchange, &outcome);
		return;
	}
	outcome.status = answer->result != NULL ? "result" : "error";
	if (answer->result != NULL)
		exchange_outcome_keep(exchange, &read, &outcome);
	exchange->client = NULL; /* it was answered */
	exchange->service->figures.answered++;
	submit_outcome(exchange, &outcome);
}

static void on_answer_event(struct exchange *exchange)
{
	const struct upstream_answer *answer = exchange->answer;
	struct call_reply out = {.kind = CALL_ERROR};
	struct outcome outcome = {.status = "error", .is_forwarded = true};
	struct error nonsense = {.code = ERROR_IO, .text = "the server's answer makes no sense"};
	struct upstream_answer unusable = {.failure = &nonsense, .is_unknown = true};
	struct json result, passed;
	struct text fault;

	if (exchange->generation != NULL) {
		on_generation_answer(exchange, answer);
		return;
	}
	if (exchange->asking != NULL) {
		on_asking_answer(exchange, answer);
		return;
	}
	if (answer->result == NULL && answer->error == NULL) {
		answer_failed(exchange, answer->failure == NULL ? &unusable : answer);
		return;
	}
	if (!exchange_retrieval_take(exchange, answer->result)) {
		answer_withheld(exchange, answer->result);
		return;
	}
	if (!answer_is_true(exchange, answer->result, &fault)) {
		answer_lie(exchange, fault);
		return;
	}
	if (answer->result != NULL && !answer_filtered(exchange, answer->result, &result)) {
		answer_failed(exchange, &unusable);
		return;
	}
	if (!exchange_pass(exchange, SECRET_IN_RESULT,
		    answer->result != NULL ? &result : answer->error, &passed)) {
		answer_blocked(exchange);
		return;
	}
	out.error = answer->result != NULL ? NULL : &passed;
	if (answer->result != NULL) {
		out.kind = CALL_RESULT;
		out.result = &passed;
		outcome.status = "result";
		exchange_outcome_keep(exchange, answer->result, &outcome);
		if (is_same(&passed, answer->result))
			out.result_text = outcome.result;
		if (exchange->peer != NULL)
			peer_note(exchange, answer->result);
		trace_result(exchange, answer->result);
	}
	exchange->service->figures.answered++;
	reply(exchange, &out);
	submit_outcome(exchange, &outcome);
}

static void on_upstream_deadline(struct exchange *exchange)
{
	struct error err = {0};

	(void)error_set(&err, ERROR_TIMEOUT, "server %.*s did not answer in time",
		TEXT_ARGS(exchange->call.server));
	exchange->service->figures.failed++;
	reply_kind(exchange, CALL_FAILED, &err);
	give_up_sent(exchange, "timeout");
}

static void on_upstream_abort(struct exchange *exchange)
{
	exchange->service->figures.aborted++;
	give_up_sent(exchange, "aborted");
}

static void on_upstream_revoked(struct exchange *exchange)
{
	struct error err = {0};

	(void)error_set(&err, ERROR_CONFLICT,
		"the authority for this call was taken back while it was under way; what the "
		"server did is not known");
	exchange->service->figures.revoked++;
	reply_kind(exchange, CALL_FAILED, &err);
	give_up_sent(exchange, "revoked");
}

/* ---- ends ---------------------------------------------------------------------------------------
 */

/* The log takes too long: the door is told, the record may still come. */
static void on_record_deadline(struct exchange *exchange)
{
	struct error err = {0};

	(void)error_set(&err, ERROR_TIMEOUT, "no record could be made in time");
	exchange->service->figures.unrecorded++;
	reply_kind(exchange, CALL_REFUSED, &err);
	wait_forever(exchange);
	exchange->state = EXCHANGE_ABORTED;
}

static void on_record_abort(struct exchange *exchange)
{
	exchange->service->figures.aborted++;
	exchange_finish(exchange, EXCHANGE_ABORTED);
}

static void on_end(struct exchange *exchange)
{
	exchange_finish(exchange, EXCHANGE_ANSWERED);
}

/* Nobody waits any more, but the log has made the record durable. */
static void on_late_durable(struct exchange *exchange)
{
	exchange->is_reserved = false;
	if (exchange->decision.verdict == VERDICT_ALLOW)
		give_up(exchange, "aborted", REASON_NONE);
	else
		exchange_finish(exchange, EXCHANGE_ANSWERED);
}

/* Not now: the record decides. */
static void ignore(struct exchange *exchange)
{
	(void)exchange;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

typedef void transition(struct exchange *exchange);

struct row {
	transition *on[EXCHANGE_EVENT_COUNT];
};

/* clang-format off */
static const struct row table[EXCHANGE_STATE_COUNT] = {
	[EXCHANGE_RECEIVED] = { {
		[EVENT_START] = on_start,
		[EVENT_ABORT] = on_end,
		[EVENT_REVOKED] = ignore, /* it will be decided */
	} },
	[EXCHANGE_DECIDED] = { {
		[EVENT_DURABLE] = on_durable,
		[EVENT_NOT_DURABLE] = on_not_durable,
		[EVENT_DEADLINE] = on_record_deadline,
		[EVENT_ABORT] = on_record_abort,
		[EVENT_REVOKED] = ignore, /* looked at when it is durable */
	} },
	[EXCHANGE_RECORDED] = { {
		[EVENT_READY] = on_ready_event,
		[EVENT_NOT_READY] = on_not_ready_event,
		[EVENT_DEADLINE] = on_prepare_deadline,
		[EVENT_ABORT] = on_prepare_abort,
		[EVENT_REVOKED] = on_prepare_revoked,
	} },
	[EXCHANGE_ASKED] = { {
		[EVENT_PEOPLE] = on_people,
		[EVENT_DEADLINE] = on_hold_over,
		[EVENT_ABORT] = on_end,
		[EVENT_REVOKED] = on_asked_revoked,
	} },
	[EXCHANGE_FORWARDED] = { {
		[EVENT_NOTICE] = on_notice_event,
		[EVENT_ANSWER] = on_answer_event,
		[EVENT_DEADLINE] = on_upstream_deadline,
		[EVENT_ABORT] = on_upstream_abort,
		[EVENT_REVOKED] = on_upstream_revoked,
	} },
	[EXCHANGE_STREAMING] = { {
		[EVENT_NOTICE] = on_notice_event,
		[EVENT_ANSWER] = on_answer_event,
		[EVENT_DEADLINE] = on_upstream_deadline,
		[EVENT_ABORT] = on_upstream_abort,
		[EVENT_REVOKED] = on_upstream_revoked,
	} },
	[EXCHANGE_OUTCOME] = { {
		[EVENT_OUTCOME_DONE] = on_end,
		[EVENT_OUTCOME_LOST] = on_outcome_lost,
		[EVENT_DEADLINE] = send_outcome,
		[EVENT_REVOKED] = ignore, /* it is over */
	} },
	[EXCHANGE_ANSWERED] = { {
		[EVENT_REVOKED] = ignore,
	} },
	[EXCHANGE_ABORTED] = { {
		[EVENT_DURABLE] = on_late_durable,
		[EVENT_NOT_DURABLE] = on_end,
		[EVENT_REVOKED] = ignore,
	} },
};
/* clang-format on */

/* PREPARED has no row: it begins and ends within on_ready_event. */

void exchange_event(struct exchange *exchange, enum exchange_event event)
{
	transition *run = table[exchange->state].on[event];

	assert(run != NULL);
	run(exchange);
}

void exchange_check_live(struct exchange *exchange)
{
	struct call_ports *ports = &exchange->service->ports;
	enum reason reason = decide_recheck(ports->decide, &exchange->call,
		exchange->inputs.arguments, DECIDE_MAY_BE_UNSEEN, now_utc_ms(exchange));

	if (reason != REASON_ALLOWED)
		exchange_event(exchange, EVENT_REVOKED);
}

const char *exchange_state_word(enum exchange_state state)
{
	static const char *const words[] = {
#define X(name, word) [name] = word,
		EXCHANGE_STATES(X)
#undef X
	};

	return (size_t)state < EXCHANGE_STATE_COUNT ? words[state] : words[0];
}

/* Approvals: questions to people about one exact call.
 *
 *   pending ──yes, all names covered──▶ approved ──decision record──▶ used
 *      │  ╲──no──▶ rejected                │
 *      ╰── time ──▶ expired ◀──── time ────╯
 *      ╰── a change of what it is bound to ──▶ stale
 *
 * Invariants:
 *  1. State changes only in the fold, by a durable record.  Time and what people
 *     may still say are looked at each time (approval_state_now), so a record
 *     that closes a question is bookkeeping: nothing waits for it.
 *  2. An approval is reserved before the record that uses it is submitted; a
 *     reserved one is not found, so one approval opens one call.
 *  3. What is found for a call has its digest: another call, another question. */

#include "services/approve/approve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/random.h"
#include "domain/flow/flow_call.h"
#include "services/approve/approve_private.h"

enum {
	QUESTION_MS_DEFAULT = 60 * 60 * 1000,
	ANSWER_MS_DEFAULT = 15 * 60 * 1000,
	KEEP_CLOSED_MS = 60 * 60 * 1000,
	CLOSING_ARENA_BYTES = 16 * 1024,
	ANSWER_ARENA_BYTES = 64 * 1024,
};

bool approve_create(struct approve **out, const struct registry *registry,
	const struct task_table *tasks, struct fold *fold, const struct approve_settings *settings,
	struct error *err)
{
	struct approve *approve = calloc(1, sizeof(*approve));
	bool ok = false;

	*out = NULL;
	if (approve == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for approvals");
		goto done;
	}
	approve->registry = registry;
	approve->tasks = tasks;
	approve->fold = fold;
	approve->settings = *settings;
	if (approve->settings.question_ms <= 0)
		approve->settings.question_ms = QUESTION_MS_DEFAULT;
	if (approve->settings.answer_ms <= 0)
		approve->settings.answer_ms = ANSWER_MS_DEFAULT;
	approve->by_id = name_table_create();
	approve->by_call = name_table_create();
	if (approve->by_id == NULL || approve->by_call == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for approvals");
		goto done;
	}
	if (!approve_register(approve, err))
		goto done;
	*out = approve;
	approve = NULL;
	ok = true;
done:
	approve_destroy(&approve);
	return ok;
}

void approve_destroy(struct approve **approve)
{
	struct approval_node *node;

	if (*approve == NULL)
		return;
	name_table_destroy(&(*approve)->by_id, NULL);
	name_table_destroy(&(*approve)->by_call, NULL);
	node = (*approve)->oldest;
	while (node != NULL) {
		struct approval_node *younger = node->younger;

		arena_destroy(&node->arena);
		free(node);
		node = younger;
	}
	free(*approve);
	*approve = NULL;
}

/* ---- looking ----------------------------------------------------------------- */

struct approval_node *approval_node_find(const struct approve *approve, struct text id)
{
	return id.length == 0 ? NULL : name_table_find(approve->by_id, id);
}

const struct approval *approval_find(const struct approve *approve, struct text id)
{
	const struct approval_node *node = approval_node_find(approve, id);

	return node == NULL ? NULL : &node->approval;
}

const struct approval *approval_next(const struct approve *approve, const struct approval *after)
{
	const struct approval_node *node = approve->oldest;

	if (after != NULL) {
		node = approval_node_find(approve, after->id);
		assert(node != NULL);
		node = node->younger;
	}
	return node == NULL ? NULL : &node->approval;
}

/* What it is bound to has changed since it was asked. */
static bool is_stale(
	const struct approve *approve, const struct approval *approval, int64_t now_utc_ms)
{
	const struct registry_entry *entry =
		registry_find(approve->registry, OBJECT_IDENTITY, approval->identity);
	char version[16];
	int length;

	if (!task_is_live(task_find(approve->tasks, approval->task), now_utc_ms))
		return true;
	if (entry == NULL || entry->in_force == NULL || entry->state != IDENTITY_ACTIVE)
		return true;
	length = snprintf(version, sizeof(version), "@%u", entry->in_force->version);
	return length < 0 || !text_ends_with(approval->charter, version);
}

enum approval_state approval_state_now(
	const struct approve *approve, const struct approval *approval, int64_t now_utc_ms)
{
	if (approval->state != APPROVAL_PENDING && approval->state != APPROVAL_APPROVED)
		return approval->state;
	if (now_utc_ms >= approval->expires_utc_ms)
		return APPROVAL_EXPIRED;
	if (is_stale(approve, approval, now_utc_ms))
		return APPROVAL_STALE;
	if (approval->state == APPROVAL_APPROVED && !approve_is_covered(approve, approval))
		return APPROVAL_STALE;
	return approval->state;
}

const struct approval *approve_find_call(
	const struct approve *approve, const struct sha256 *call_digest, int64_t now_utc_ms)
{
	struct text key = {(const char *)call_digest->bytes, SHA256_BYTES};
	const struct approval_node *node = name_table_find(approve->by_call, key);
	enum approval_state state;

	if (node == NULL || node->approval.is_reserved)
		return NULL;
	state = approval_state_now(approve, &node->approval, now_utc_ms);
	return state == APPROVAL_PENDING || state == APPROVAL_APPROVED ? &node->approval : NULL;
}

const struct approval *approve_find_rejected(
	const struct approve *approve, const struct sha256 *call_digest)
{
	struct text key = {(const char *)call_digest->bytes, SHA256_BYTES};
	const struct approval_node *node = name_table_find(approve->by_call, key);

	return node != NULL && node->approval.state == APPROVAL_REJECTED ? &node->approval : NULL;
}

bool approve_reserve(struct approve *approve, const struct approval *approval, int64_t now_utc_ms)
{
	struct approval_node *node = approval_node_find(approve, approval->id);

	if (node == NULL || node->approval.is_reserved ||
		approval_state_now(approve, &node->approval, now_utc_ms) != APPROVAL_APPROVED)
		return false;
	node->approval.is_reserved = true;
	return true;
}

void approve_release(struct approve *approve, struct text id)
{
	struct approval_node *node = approval_node_find(approve, id);

	if (node != NULL)
		node->approval.is_reserved = false;
}

/* ---- asking --------------------------------------------------------------------- */

static bool has_room(
	const struct approve *approve, const struct approve_question *question, struct error *err)
{
	const struct approval_node *node;
	size_t pending = 0, held = 0;

	if (approve->count >= APPROVALS_MAX)
		return error_set(err, ERROR_LIMIT, "%d approvals are held already", APPROVALS_MAX);
	for (node = approve->youngest; node != NULL; node = node->older) {
		held += text_equal(node->approval.identity, question->call->identity);
		if (node->approval.state == APPROVAL_PENDING &&
			text_equal(node->approval.task, question->call->task) &&
			question->now_utc_ms < node->approval.expires_utc_ms)
			pending++;
	}
	if (held >= APPROVALS_PER_IDENTITY_MAX)
		return error_set(
			err, ERROR_LIMIT, "%zu approvals of this identity are held already", held);
	if (pending >= APPROVAL_PENDING_PER_TASK_MAX)
		return error_set(
			err, ERROR_LIMIT, "%zu questions of this task wait already", pending);
	return true;
}

/* An open question about the same arguments that is bound to something else by
 * now: this one takes its place. */
static struct text replaced_by(
	const struct approve *approve, const struct approve_question *question)
{
	const struct approval_node *node;

	for (node = approve->youngest; node != NULL; node = node->older) {
		const struct approval *old = &node->approval;

		if ((old->state == APPROVAL_PENDING || old->state == APPROVAL_APPROVED) &&
			!old->is_reserved && text_equal(old->task, question->call->task) &&
			text_equal(old->tool, question->call->tool) &&
			sha256_equal(&old->arguments, &question->arguments))
			return old->id;
	}
	return TEXT("");
}

static void put_call(struct json_builder *record, const struct approve_question *question)
{
	const struct call *call = question->call;

	json_put_integer(record, "at", question->now_utc_ms);
	json_put_cstring(record, "type", "approval-asked");
	json_put_text(record, "actor",
		text_format(record->arena, "identity:%.*s", TEXT_ARGS(call->identity)));
	json_put_text(record, "task", call->task);
	json_put_text(record, "identity", call->identity);
	json_put_text(record, "charter", question->charter);
	json_put_text(record, "server", call->server);
	json_put_text(record, "method", call->method);
	json_put_text(record, "tool", call->tool);
	json_put_text_unless_empty(record, "person", question->person);
	json_put_digest(record, "call", &question->call_digest);
	json_put_digest(record, "arguments", &question->arguments);
	json_put_text_unless_empty(record, "content", question->content);
}

bool approve_asked_record(const struct approve *approve, const struct approve_question *question,
	struct arena *arena, struct text *out_entry, struct text *out_id, struct error *err)
{
	const struct decision *decision = question->decision;
	char id[RANDOM_ID_BYTES];
	struct json origins = json_null();
	struct json_builder record;
	struct json sealed;

	assert(decision->verdict == VERDICT_ASK);
	if (!has_room(approve, question, err))
		return false;
	random_id(id, "a-");
	*out_id = text_copy(arena, text_of(id));
	json_object_start(&record, arena);
	put_call(&record, question);
	json_put_text(&record, "approval", *out_id);
	json_put_integer(&record, "expires", question->now_utc_ms + approve->settings.question_ms);
	json_put_text_unless_empty(&record, "entitlement", decision->entitlement);
	json_put_text_unless_empty(&record, "clause", decision->clause);
	json_put_text_unless_empty(&record, "explanation", decision->explanation);
	if (question->origins != NULL) {
		if (!flow_origins_json(&origins, arena, question->origins, err))
			return false;
		json_put(&record, "origins", origins);
	}
	json_put_text_unless_empty(&record, "replaces", replaced_by(approve, question));
	json_put_texts(&record, "names", decision->approvals, decision->approvals_count);
	json_put_texts(&record, "policies", decision->policies, decision->policies_count);
	json_put_texts(&record, "units", question->units, question->units_count);
	if (!json_object_seal(&record, &sealed, err))
		return false;
	*out_entry = json_canonical_text(arena, &sealed);
	if (out_entry->data == NULL || out_id->data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the question");
	return true;
}

/* ---- answering --------------------------------------------------------------------- */

/* One answer on its way to the log. */
struct answering {
	struct fold_change change;
	struct arena *arena;
	struct approve *approve; /* NULL for what is no answer */
	struct text approval;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};

static void answering_destroy(struct answering **answering)
{
	if (*answering == NULL)
		return;
	arena_destroy(&(*answering)->arena);
	free(*answering);
	*answering = NULL;
}

static void answering_done(struct fold_change *change)
{
	struct answering *answering = change->context;
	struct approval_node *node =
		answering->approve == NULL
			? NULL
			: approval_node_find(answering->approve, answering->approval);

	if (node != NULL)
		node->is_answering = false;
	if (answering->done != NULL)
		answering->done(answering->context, change->index,
			change->is_durable ? NULL : &change->err);
	answering_destroy(&answering);
}

static bool may_answer(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	enum approval_state state;
	const char *refusal;

	if (approval == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no approval %.*s", TEXT_ARGS(request->id));
	if (request->reason.length > APPROVAL_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "the reason is longer than %d bytes",
			APPROVAL_REASON_BYTES_MAX);
	refusal = approve_refusal(approve, approval, request->person);
	if (refusal != NULL)
		return error_set(err, ERROR_INVALID, "forbidden: %s", refusal);
	state = approval_state_now(approve, approval, now_utc_ms);
	if (state != APPROVAL_PENDING)
		return error_set(err, ERROR_CONFLICT, "approval %.*s is %s", TEXT_ARGS(request->id),
			approval_state_word(state));
	if (approval->answers_count >= APPROVAL_ANSWERS_MAX)
		return error_set(err, ERROR_LIMIT, "%d people have answered", APPROVAL_ANSWERS_MAX);
	return true;
}

/* The names this person stands for, as evidence of why the answer counted. */
static void put_names(const struct approve *approve, struct json_builder *record,
	const struct approval *approval, struct text person)
{
	struct text names[DECISION_APPROVALS_MAX];
	size_t i, count = 0;

	for (i = 0; i < approval->names_count; i++)
		if (approve_person_covers(approve, approval, person, approval->names[i]))
			names[count++] = approval->names[i];
	json_put_texts(record, "names", names, count);
}

static bool answered_record(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request, struct answering *answering, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	struct json_builder record;
	struct json sealed;

	json_object_start(&record, answering->arena);
	json_put_integer(&record, "at", now_utc_ms);
	json_put_cstring(&record, "type", "approval-answered");
	json_put_text(&record, "actor",
		text_format(answering->arena, "person:%.*s", TEXT_ARGS(request->person)));
	json_put_text(&record, "task", approval->task);
	json_put_text(&record, "identity", approval->identity);
	json_put_text(&record, "approval", approval->id);
	json_put_cstring(&record, "answer", request->is_yes ? "yes" : "no");
	json_put_integer(&record, "expires", now_utc_ms + approve->settings.answer_ms);
	json_put_text_unless_empty(&record, "reason", request->reason);
	put_names(approve, &record, approval, request->person);
	if (!json_object_seal(&record, &sealed, err))
		return false;
	answering->change.entry = json_canonical_text(answering->arena, &sealed);
	if (answering->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the answer");
	return true;
}

static bool answering_create(struct answering **out, size_t limit_bytes, struct error *err)
{
	*out = calloc(1, sizeof(**out));
	if (*out != NULL)
		(*out)->arena = arena_create(limit_bytes);
	if (*out == NULL || (*out)->arena == NULL) {
		answering_destroy(out);
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	}
	(*out)->change.done = answering_done;
	(*out)->change.context = *out;
	return true;
}

bool approve_answer(
	struct approve *approve, const struct approve_request *request, struct error *err)
{
	struct approval_node *node = approval_node_find(approve, request->id);
	const struct approval *approval = node == NULL ? NULL : &node->approval;
	struct answering *answering = NULL;
	bool ok = false;

	if (!may_answer(approve, approval, request, err))
		return false;
	/* A later no must not follow a yes that opens the call before anybody sees it. */
	if (node->is_answering)
		return error_set(err, ERROR_CONFLICT,
			"another answer to approval %.*s is on its way: try again",
			TEXT_ARGS(request->id));
	if (!answering_create(&answering, ANSWER_ARENA_BYTES, err))
		return false;
	answering->context = request->context;
	answering->done = request->done;
	answering->approve = approve;
	answering->approval = text_copy(answering->arena, request->id);
	node->is_answering = true;
	if (answering->approval.data == NULL)
		error_set(err, ERROR_LIMIT, "no room for the answer");
	else if (answered_record(approve, approval, request, answering, err))
		ok = fold_submit(approve->fold, &answering->change, err);
	if (ok)
		answering = NULL; /* answering_done frees it */
	else
		node->is_answering = false;
	answering_destroy(&answering);
	return ok;
}

/* ---- closing ---------------------------------------------------------------------- */

static bool closed_record(const struct approve *approve, const struct approval *approval,
	enum approval_state state, struct answering *answering, struct error *err)
{
	struct json_builder record;
	struct json sealed;

	json_object_start(&record, answering->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(approve->fold));
	json_put_cstring(&record, "type", "approval-closed");
	json_put_cstring(&record, "actor", "remit");
	json_put_text(&record, "task", approval->task);
	json_put_text(&record, "identity", approval->identity);
	json_put_text(&record, "approval", approval->id);
	json_put_cstring(&record, "state", approval_state_word(state));
	if (!json_object_seal(&record, &sealed, err))
		return false;
	answering->change.entry = json_canonical_text(answering->arena, &sealed);
	return answering->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the record");
}

/* Bookkeeping: whatever fails is tried again at the next tick. */
static void close_one(
	struct approve *approve, struct approval_node *node, enum approval_state state)
{
	struct answering *closing;
	struct error err;

	if (!answering_create(&closing, CLOSING_ARENA_BYTES, &err))
		return;
	node->is_closing = true;
	if (closed_record(approve, &node->approval, state, closing, &err) &&
		fold_submit(approve->fold, &closing->change, &err))
		return;
	node->is_closing = false;
	answering_destroy(&closing);
}

static bool is_open(enum approval_state state)
{
	return state == APPROVAL_PENDING || state == APPROVAL_APPROVED;
}

void approve_tick(struct approve *approve, int64_t now_utc_ms)
{
	struct approval_node *node = approve->oldest;

	while (node != NULL) {
		struct approval_node *younger = node->younger;
		enum approval_state state =
			approval_state_now(approve, &node->approval, now_utc_ms);

		if (is_open(node->approval.state) && !is_open(state) && !node->is_closing &&
			!node->approval.is_reserved)
			close_one(approve, node, state);
		else if (!is_open(node->approval.state) &&
			 now_utc_ms >= node->closed_at_utc_ms + KEEP_CLOSED_MS)
			approval_node_forget(approve, node);
		node = younger;
	}
}

/* ---- watching ---------------------------------------------------------------------- */

void approve_watch_add(struct approve *approve, struct approve_watch *watch)
{
	assert(watch->link == NULL);
	watch->next = approve->watches;
	watch->link = &approve->watches;
	if (watch->next != NULL)
		watch->next->link = &watch->next;
	approve->watches = watch;
}

void approve_watch_remove(struct approve *approve, struct approve_watch *watch)
{
	(void)approve;
	if (watch->link == NULL)
		return;
	*watch->link = watch->next;
	if (watch->next != NULL)
		watch->next->link = watch->link;
	watch->next = NULL;
	watch->link = NULL;
}

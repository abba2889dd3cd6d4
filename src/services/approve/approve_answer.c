/* What people answer, and what is closed because nobody did. */

#include <stdlib.h>

#include "services/approve/approve_private.h"

enum {
	KEEP_CLOSED_MS = 60 * 60 * 1000,
	CLOSING_ARENA_BYTES = 16 * 1024,
	ANSWER_ARENA_BYTES = 512 * 1024,
};

/* ---- one record of ours -------------------------------------------------------------- */

void answering_destroy(struct answering **answering)
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

bool answering_create(struct answering **out, size_t limit_bytes, struct error *err)
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

bool answering_seal(struct answering *answering, struct json_builder *record, struct error *err)
{
	struct json sealed;

	if (!json_object_seal(record, &sealed, err))
		return false;
	answering->change.entry = json_canonical_text(answering->arena, &sealed);
	return answering->change.entry.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no room for the record");
}

/* ---- answering --------------------------------------------------------------------- */

static bool may_answer(const struct approve *approve, const struct approval_node *node,
	const struct approve_request *request, struct error *err)
{
	const struct approval *approval = node == NULL ? NULL : &node->approval;
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
	/* A later no must not follow a yes that opens the call before anybody sees it. */
	if (node->is_answering)
		return error_set(err, ERROR_CONFLICT,
			"another answer to approval %.*s is on its way: try again",
			TEXT_ARGS(request->id));
	return true;
}

bool approve_may_answer(
	struct approve *approve, const struct approve_request *request, struct error *err)
{
	const struct approval_node *node = approval_node_find(approve, request->id);
	struct arena *arena = NULL;
	struct text key_id;
	bool ok = may_answer(approve, node, request, err);

	if (!ok)
		return false;
	arena = arena_create(ANSWER_ARENA_BYTES);
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	ok = approve_check_proof(approve, &node->approval, request, arena, &key_id, err);
	arena_destroy(&arena);
	return ok;
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

/* The body of an edit holds arguments, which never stand in a record. */
static void put_proof(
	struct json_builder *record, const struct approve_request *request, struct text key_id)
{
	json_put_text(record, "key", key_id);
	json_put_text(record, "signature", request->proof.signature);
	if (request->verb != ANSWER_EDIT)
		json_put_text(record, "signed", request->proof.body);
}

static const char *answer_word(enum answer_verb verb)
{
	return verb == ANSWER_APPROVE ? "yes" : verb == ANSWER_EDIT ? "edited" : "no";
}

static bool answered_record(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request, struct answering *answering, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	struct json_builder record;
	struct text key_id;

	if (!approve_check_proof(approve, approval, request, answering->arena, &key_id, err))
		return false;
	json_object_start(&record, answering->arena);
	json_put_integer(&record, "at", now_utc_ms);
	json_put_cstring(&record, "type", "approval-answered");
	json_put_text(&record, "actor",
		text_format(answering->arena, "person:%.*s", TEXT_ARGS(request->person)));
	json_put_text(&record, "task", approval->task);
	json_put_text(&record, "identity", approval->identity);
	json_put_text(&record, "approval", approval->id);
	json_put_cstring(&record, "answer", answer_word(request->verb));
	json_put_integer(&record, "expires", now_utc_ms + approve->settings.answer_ms);
	json_put_text_unless_empty(&record, "reason", request->reason);
	json_put_text_unless_empty(&record, "edited", request->edited);
	put_proof(&record, request, key_id);
	put_names(approve, &record, approval, request->person);
	return answering_seal(answering, &record, err);
}

bool approve_answer(
	struct approve *approve, const struct approve_request *request, struct error *err)
{
	struct approval_node *node = approval_node_find(approve, request->id);
	const struct approval *approval = node == NULL ? NULL : &node->approval;
	struct answering *answering = NULL;
	bool ok = false;

	if (!may_answer(approve, node, request, err) ||
		!answering_create(&answering, ANSWER_ARENA_BYTES, err))
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

	json_object_start(&record, answering->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(approve->fold));
	json_put_cstring(&record, "type", "approval-closed");
	json_put_cstring(&record, "actor", "remit");
	json_put_text(&record, "task", approval->task);
	json_put_text(&record, "identity", approval->identity);
	json_put_text(&record, "approval", approval->id);
	json_put_cstring(&record, "state", approval_state_word(state));
	return answering_seal(answering, &record, err);
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

bool approve_notice_lost(
	struct approve *approve, const struct approve_lost *lost, struct error *err)
{
	const struct approval *approval = approval_find(approve, lost->subject);
	struct answering *closing;
	struct json_builder record;

	if (!answering_create(&closing, CLOSING_ARENA_BYTES, err))
		return false;
	json_object_start(&record, closing->arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(approve->fold));
	json_put_cstring(&record, "type", "notice-lost");
	json_put_cstring(&record, "actor", "remit");
	if (approval != NULL) {
		json_put_text(&record, "task", approval->task);
		json_put_text(&record, "identity", approval->identity);
	}
	json_put_text_unless_empty(&record,
		text_starts_with(lost->subject, "g-") ? "break-glass" : "approval", lost->subject);
	json_put_text(&record, "event", lost->event);
	json_put_integer(&record, "tries", lost->tries);
	json_put_text(&record, "why", text_of(lost->why));
	if (answering_seal(closing, &record, err) &&
		fold_submit(approve->fold, &closing->change, err))
		return true;
	answering_destroy(&closing);
	return false;
}

static bool is_open(enum approval_state state)
{
	return state == APPROVAL_PENDING || state == APPROVAL_APPROVED;
}

void approve_tick(struct approve *approve, int64_t now_utc_ms)
{
	struct approval_node *node = approve->oldest;

	break_glass_tick(approve, now_utc_ms);
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

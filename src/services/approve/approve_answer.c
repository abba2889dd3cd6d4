/* What people answer, and what is closed because nobody did. */

#include "services/approve/approve_private.h"

enum {
	KEEP_CLOSED_MS = 60 * 60 * 1000,
	CLOSE_AGAIN_MS = 60 * 1000, /* after a closing whose record was lost */
	CLOSING_ARENA_BYTES = 16 * 1024,
	ANSWER_ARENA_BYTES = 512 * 1024,
};

/* What one waits for whose answer is on its way, in the arena of its record. */
struct answering {
	struct approve *approve;
	struct text approval;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};

static void on_answered(void *context, uint64_t index, const struct error *err)
{
	struct answering *answering = context;

	approve_answer_release(answering->approve, answering->approval);
	if (answering->done != NULL)
		answering->done(answering->context, index, err);
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
	if (!approve_has_place(approve, approval, request))
		return error_set(err, ERROR_LIMIT,
			"%zu people have answered; of %d places the others are kept for names that "
			"nobody has answered for",
			approval->answers_count, APPROVAL_ANSWERS_MAX);
	/* A later no must not follow a yes that opens the call before anybody sees it. */
	if (node->is_answering && !request->is_held)
		return error_set(err, ERROR_CONFLICT,
			"another answer to approval %.*s is on its way: try again",
			TEXT_ARGS(request->id));
	return true;
}

bool approve_answer_hold(
	struct approve *approve, const struct approve_request *request, struct error *err)
{
	struct approval_node *node = approval_node_find(approve, request->id);
	struct arena *arena = NULL;
	struct text key_id;

	if (!may_answer(approve, node, request, err))
		return false;
	arena = arena_create(ANSWER_ARENA_BYTES);
	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an answer");
	node->is_answering =
		approve_check_proof(approve, &node->approval, request, arena, &key_id, err);
	arena_destroy(&arena);
	return node->is_answering;
}

void approve_answer_release(struct approve *approve, struct text id)
{
	struct approval_node *node = approval_node_find(approve, id);

	if (node != NULL)
		node->is_answering = false;
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

static void put_approval(struct json_builder *record, const struct approval *approval)
{
	json_put_text(record, "task", approval->task);
	json_put_text(record, "identity", approval->identity);
}

static void put_answer(struct fold_record *record, const struct approve *approve,
	const struct approval *approval, const struct approve_request *request, struct text key_id)
{
	struct json_builder *object = &record->object;

	put_approval(object, approval);
	json_put_text(object, "approval", approval->id);
	json_put_cstring(object, "answer", answer_word(request->verb));
	json_put_integer(object, "expires", record->at_utc_ms + approve->settings.answer_ms);
	json_put_text_unless_empty(object, "reason", request->reason);
	json_put_text_unless_empty(object, "edited", request->edited);
	put_proof(object, request, key_id);
	put_names(approve, object, approval, request->person);
}

/* Takes the record. */
static bool send_answer(struct fold_record *record, struct approve *approve,
	const struct approval *approval, const struct approve_request *request, struct error *err)
{
	struct answering *answering = arena_new(record->arena, struct answering);
	struct text key_id;

	if (answering != NULL)
		*answering = (struct answering){.approve = approve,
			.approval = text_copy(record->arena, request->id),
			.context = request->context,
			.done = request->done};
	if (answering == NULL || answering->approval.data == NULL) {
		error_set(err, ERROR_LIMIT, "no room for the answer");
		goto failed;
	}
	if (!approve_check_proof(approve, approval, request, record->arena, &key_id, err))
		goto failed;
	record->context = answering;
	record->done = on_answered;
	fold_record_start(record, "approval-answered",
		text_format(record->arena, "person:%.*s", TEXT_ARGS(request->person)));
	put_answer(record, approve, approval, request, key_id);
	return fold_record_send(&record, err);
failed:
	fold_record_destroy(&record);
	return false;
}

bool approve_answer(
	struct approve *approve, const struct approve_request *request, struct error *err)
{
	struct approval_node *node = approval_node_find(approve, request->id);
	struct fold_record *record;

	if (!may_answer(approve, node, request, err) ||
		!fold_record_create(&record, approve->fold, ANSWER_ARENA_BYTES, err))
		return false;
	node->is_answering = true;
	if (send_answer(record, approve, &node->approval, request, err))
		return true;
	node->is_answering = false;
	return false;
}

/* ---- closing ---------------------------------------------------------------------- */

/* Whose closing is on its way, in the arena of its record. */
struct closing {
	struct approve *approve;
	struct text approval;
};

/* Many may be over at once, so what was taken and then lost is left alone for a while. */
static void on_closed(void *context, uint64_t index, const struct error *err)
{
	struct closing *closing = context;
	struct approval_node *node = approval_node_find(closing->approve, closing->approval);

	(void)index;
	if (node == NULL)
		return;
	node->is_closing = false;
	if (err != NULL)
		node->close_again_utc_ms =
			fold_stamp_utc_ms(closing->approve->fold) + CLOSE_AGAIN_MS;
}

static bool set_closing(
	struct fold_record *record, struct approve *approve, const struct approval *approval)
{
	struct closing *closing = arena_new(record->arena, struct closing);

	if (closing == NULL)
		return false;
	closing->approve = approve;
	closing->approval = text_copy(record->arena, approval->id);
	record->done = on_closed;
	record->context = closing;
	return closing->approval.data != NULL;
}

/* Bookkeeping: whatever is not taken is tried again at the next tick. */
static void close_one(
	struct approve *approve, struct approval_node *node, enum approval_state state)
{
	const struct approval *approval = &node->approval;
	struct fold_record *record;
	struct error err;

	if (!fold_record_create(&record, approve->fold, CLOSING_ARENA_BYTES, &err))
		return;
	if (!set_closing(record, approve, approval)) {
		fold_record_destroy(&record);
		return;
	}
	fold_record_start(record, "approval-closed", TEXT("remit"));
	put_approval(&record->object, approval);
	json_put_text(&record->object, "approval", approval->id);
	json_put_cstring(&record->object, "state", approval_state_word(state));
	node->is_closing = true;
	if (!fold_record_send(&record, &err))
		node->is_closing = false;
}

bool approve_notice_lost(
	struct approve *approve, const struct approve_lost *lost, struct error *err)
{
	const struct approval *approval = approval_find(approve, lost->subject);
	struct fold_record *record;

	if (!fold_record_create(&record, approve->fold, CLOSING_ARENA_BYTES, err))
		return false;
	fold_record_start(record, "notice-lost", TEXT("remit"));
	if (approval != NULL)
		put_approval(&record->object, approval);
	if (lost->subject.length > 0)
		json_put_named(
			&record->object, text_before(lost->event, '.'), json_string(lost->subject));
	json_put_text(&record->object, "event", lost->event);
	json_put_integer(&record->object, "tries", lost->tries);
	json_put_text(&record->object, "why", text_of(lost->why));
	return fold_record_send(&record, err);
}

static bool is_open(enum approval_state state)
{
	return state == APPROVAL_PENDING || state == APPROVAL_APPROVED;
}

/* state: as of now. */
static bool is_to_close(
	const struct approval_node *node, enum approval_state state, int64_t now_utc_ms)
{
	return is_open(node->approval.state) && !is_open(state) && !node->is_closing &&
	       !node->approval.is_reserved && now_utc_ms >= node->close_again_utc_ms;
}

void approve_tick(struct approve *approve, int64_t now_utc_ms)
{
	struct approval_node *node = approve->oldest;

	break_glass_tick(approve, now_utc_ms);
	while (node != NULL) {
		struct approval_node *younger = node->younger;
		enum approval_state state =
			approval_state_now(approve, &node->approval, now_utc_ms);

		if (is_to_close(node, state, now_utc_ms))
			close_one(approve, node, state);
		else if (!is_open(node->approval.state) &&
			 now_utc_ms >= node->closed_at_utc_ms + KEEP_CLOSED_MS)
			approval_node_forget(approve, node);
		node = younger;
	}
}

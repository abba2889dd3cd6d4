/* What people do with break-glass, and what it does for a call. */

#include "services/approve/break_glass.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/random.h"
#include "domain/charter/nearest.h"
#include "services/approve/approve_private.h"

enum { GLASS_RECORD_BYTES_MAX = 512 * 1024, MS_PER_MINUTE = 60 * 1000 };

static const char *const state_words[] = {
	[BREAK_GLASS_NONE] = "none",
	[BREAK_GLASS_ASKED] = "asked",
	[BREAK_GLASS_OPEN] = "open",
	[BREAK_GLASS_CLOSED] = "closed",
	[BREAK_GLASS_REVIEWED] = "reviewed",
};

const char *break_glass_state_word(enum break_glass_state value)
{
	return state_words[value];
}

/* ---- looking ---------------------------------------------------------------------------- */

const struct break_glass *break_glass_find(const struct approve *approve, struct text id)
{
	const struct glass_node *node = glass_node_find(approve, id);

	return node == NULL ? NULL : &node->glass;
}

const struct break_glass *break_glass_next(
	const struct approve *approve, const struct break_glass *after)
{
	const struct glass_node *node =
		after == NULL ? approve->glasses : glass_node_find(approve, after->id)->next;

	return node == NULL ? NULL : &node->glass;
}

bool break_glass_is_open(
	const struct approve *approve, const struct break_glass *glass, int64_t now_utc_ms)
{
	const struct registry_entry *entry =
		registry_find(approve->registry, OBJECT_IDENTITY, glass->identity);

	return glass->state == BREAK_GLASS_OPEN && now_utc_ms < glass->expires_utc_ms &&
	       entry != NULL && entry->state == IDENTITY_ACTIVE &&
	       registry_kill_epoch(approve->registry, glass->identity) == glass->epoch;
}

bool break_glass_is_overdue(const struct break_glass *glass, int64_t now_utc_ms)
{
	return glass->review_due_utc_ms > 0 && glass->state != BREAK_GLASS_REVIEWED &&
	       now_utc_ms >= glass->review_due_utc_ms;
}

struct break_glass_figures break_glass_figures(const struct approve *approve)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	struct break_glass_figures figures = {0};
	const struct glass_node *node;

	for (node = approve->glasses; node != NULL; node = node->next) {
		figures.open += break_glass_is_open(approve, &node->glass, now_utc_ms);
		figures.overdue += break_glass_is_overdue(&node->glass, now_utc_ms);
	}
	return figures;
}

/* ---- a call ----------------------------------------------------------------------------- */

static bool is_in_scope(const struct break_glass *glass, const struct call *call)
{
	return text_equal(glass->identity, call->identity) &&
	       (glass->tool.length == 0 || text_equal(glass->tool, call->tool)) &&
	       (glass->task.length == 0 || text_equal(glass->task, call->task));
}

/* Owner, backup owner, second and roles it stands for whatever the role, because its people
 * answer for the identity; what is another unit's to give, only if one of them could give
 * it. */
static bool stands_for(const struct approve *approve, const struct break_glass *glass,
	const struct approval *as_if, struct text name)
{
	if (!text_starts_with(name, "data-owner/") && !text_starts_with(name, "unit/"))
		return true;
	return approve_person_covers(approve, as_if, glass->opener, name) ||
	       approve_person_covers(approve, as_if, glass->second, name);
}

static bool is_for(const struct approve *approve, const struct break_glass *glass,
	const struct break_glass_call *asked)
{
	const struct approval as_if = {.identity = asked->call->identity,
		.chain = asked->chain,
		.chain_count = asked->chain_count,
		.units = asked->units,
		.units_count = asked->units_count};
	size_t i;

	if (!break_glass_is_open(approve, glass, asked->now_utc_ms) ||
		!is_in_scope(glass, asked->call))
		return false;
	/* Nobody opens it for what is done on their own behalf. */
	for (i = 0; i < asked->chain_count; i++)
		if (asked->chain[i].person.length != 0 &&
			(text_equal(asked->chain[i].person, glass->opener) ||
				text_equal(asked->chain[i].person, glass->second)))
			return false;
	for (i = 0; i < asked->names.count; i++)
		if (!stands_for(approve, glass, &as_if, asked->names.items[i]))
			return false;
	return true;
}

const struct break_glass *break_glass_for_call(
	const struct approve *approve, const struct break_glass_call *asked)
{
	const struct glass_node *node;

	for (node = approve->glasses; node != NULL; node = node->next)
		if (is_for(approve, &node->glass, asked))
			return &node->glass;
	return NULL;
}

/* ---- who may ------------------------------------------------------------------------------ */

/* Those who answer for the identity: owner, backup owner, approver of its unit or of org,
 * administrator. */
static bool answers_for(const struct approve *approve, struct text identity, struct text person)
{
	const struct approval as_if = {.identity = identity};

	return approve_person_covers(approve, &as_if, person, TEXT("second")) ||
	       approve_person_covers(approve, &as_if, person, TEXT("role/administrator"));
}

static bool forbid(struct error *err, const char *why)
{
	return error_set(err, ERROR_INVALID, "forbidden: %s", why);
}

static bool has_overdue(const struct approve *approve, struct text person, int64_t now_utc_ms)
{
	const struct glass_node *node;

	for (node = approve->glasses; node != NULL; node = node->next)
		if (text_equal(node->glass.opener, person) &&
			break_glass_is_overdue(&node->glass, now_utc_ms))
			return true;
	return false;
}

static bool check_scope(
	const struct approve *approve, const struct break_glass_request *request, struct error *err)
{
	const struct registry_entry *entry =
		registry_find(approve->registry, OBJECT_IDENTITY, request->identity);
	const struct task *task = task_find(approve->tasks, request->task);

	if (entry == NULL)
		return name_unknown(approve->registry, OBJECT_IDENTITY, request->identity, err);
	if (entry->in_force == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no such identity is in force");
	if (entry->state != IDENTITY_ACTIVE)
		return error_set(err, ERROR_CONFLICT,
			"the identity is %s: break-glass stands in for approvals alone",
			identity_state_word(entry->state));
	if (charter_is_sandbox(charter_of(entry->in_force)))
		return forbid(err, "a sandbox has no break-glass");
	if (request->tool.length != 0 &&
		registry_find_tool(approve->registry, request->tool) == NULL)
		return name_unknown(approve->registry, OBJECT_TOOL, request->tool, err);
	if (request->task.length == 0)
		return true;
	if (task == NULL || !text_equal(task->identity, request->identity))
		return error_set(err, ERROR_NOT_FOUND, "the identity has no such task");
	for (; task != NULL; task = task->parent)
		if (task_person(task).length != 0 && text_equal(task_person(task), request->person))
			return forbid(err, "nobody opens it for what is done on their own behalf");
	return true;
}

static bool may_open(
	const struct approve *approve, const struct break_glass_request *request, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);

	if (request->reason.length == 0 || request->reason.length > APPROVAL_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a reason of at most %d bytes is needed",
			APPROVAL_REASON_BYTES_MAX);
	if (request->ticket.length == 0 || request->ticket.length > BREAK_GLASS_TICKET_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a ticket of at most %d bytes is needed",
			BREAK_GLASS_TICKET_BYTES_MAX);
	if (request->minutes < 0 || request->minutes > BREAK_GLASS_MINUTES_MAX)
		return error_set(err, ERROR_INVALID, "it is open for 1 to %d minutes",
			BREAK_GLASS_MINUTES_MAX);
	if (!check_scope(approve, request, err))
		return false;
	if (!answers_for(approve, request->identity, request->person))
		return forbid(err,
			"it takes its owner, backup owner, an approver of its unit or an "
			"administrator");
	if (has_overdue(approve, request->person, now_utc_ms))
		return forbid(err, "a break-glass of yours was not reviewed in time");
	if (approve->glasses_count >= BREAK_GLASS_HELD_MAX)
		return error_set(err, ERROR_LIMIT, "%d are held already", BREAK_GLASS_HELD_MAX);
	return true;
}

static bool may_agree(const struct approve *approve, const struct break_glass *glass,
	const struct break_glass_request *request, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	struct break_glass_request as_asked = *request;

	if (glass->state != BREAK_GLASS_ASKED || now_utc_ms >= glass->expires_utc_ms)
		return error_set(err, ERROR_CONFLICT, "nobody waits for a second person there");
	if (text_equal(glass->opener, request->person))
		return forbid(err, "another person must agree than the one who asked");
	as_asked.identity = glass->identity;
	as_asked.tool = glass->tool;
	as_asked.task = glass->task;
	as_asked.reason = glass->reason;
	as_asked.ticket = glass->ticket;
	as_asked.minutes = glass->minutes;
	return may_open(approve, &as_asked, err);
}

static bool may_close(const struct approve *approve, const struct break_glass *glass,
	const struct break_glass_request *request, struct error *err)
{
	if (glass->state != BREAK_GLASS_ASKED && glass->state != BREAK_GLASS_OPEN)
		return error_set(err, ERROR_CONFLICT, "it is %s", state_words[glass->state]);
	return text_equal(glass->opener, request->person) ||
	       answers_for(approve, glass->identity, request->person) ||
	       forbid(err, "it takes who opened it, or who answers for the identity");
}

static bool may_review(const struct approve *approve, const struct break_glass *glass,
	const struct break_glass_request *request, struct error *err)
{
	if (glass->state != BREAK_GLASS_CLOSED || glass->review_due_utc_ms == 0)
		return error_set(err, ERROR_CONFLICT, "no review of it is due");
	if (request->reason.length == 0 || request->reason.length > APPROVAL_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "say what was found, in at most %d bytes",
			APPROVAL_REASON_BYTES_MAX);
	if (text_equal(glass->opener, request->person))
		return forbid(err, "another person must review it than the one who opened it");
	return answers_for(approve, glass->identity, request->person) ||
	       forbid(err, "it takes who answers for the identity");
}

static bool may(const struct approve *approve, const struct glass_node *node,
	const struct break_glass_request *request, struct error *err)
{
	if (request->verb == BREAK_GLASS_VERB_OPEN)
		return may_open(approve, request, err);
	if (node == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "no break-glass %.*s", TEXT_ARGS(request->id));
	if (node->is_changing)
		return error_set(err, ERROR_CONFLICT, "another change of it is on its way");
	switch (request->verb) {
	case BREAK_GLASS_VERB_AGREE: return may_agree(approve, &node->glass, request, err);
	case BREAK_GLASS_VERB_CLOSE: return may_close(approve, &node->glass, request, err);
	case BREAK_GLASS_VERB_REVIEW: return may_review(approve, &node->glass, request, err);
	case BREAK_GLASS_VERB_OPEN:
	case BREAK_GLASS_VERB_NONE: break;
	}
	return error_set(err, ERROR_INVALID, "what is to be done?");
}

/* ---- records ------------------------------------------------------------------------------ */

/* What one waits for, in the arena of its record. */
struct changing {
	struct approve *approve;
	struct text id;
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};

static void on_changed(void *context, uint64_t index, const struct error *err)
{
	struct changing *changing = context;
	struct glass_node *node = glass_node_find(changing->approve, changing->id);

	if (node != NULL)
		node->is_changing = false;
	if (changing->done != NULL)
		changing->done(changing->context, index, err);
}

static bool changing_create(struct fold_record **out, struct approve *approve,
	const struct changing *waiting, struct error *err)
{
	struct fold_record *record;
	struct changing *changing;

	*out = NULL;
	if (!fold_record_create(&record, approve->fold, GLASS_RECORD_BYTES_MAX, err))
		return false;
	changing = arena_new(record->arena, struct changing);
	if (changing != NULL) {
		*changing = *waiting;
		changing->id = text_copy(record->arena, waiting->id);
	}
	if (changing == NULL || changing->id.data == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	}
	record->context = changing;
	record->done = on_changed;
	*out = record;
	return true;
}

/* Takes the record. */
static bool changing_send(struct fold_record *record, struct error *err)
{
	struct changing *changing = record->context;
	struct glass_node *node = glass_node_find(changing->approve, changing->id);

	if (node != NULL)
		node->is_changing = true; /* it may be done before it is sent */
	if (fold_record_send(&record, err))
		return true;
	if (node != NULL)
		node->is_changing = false;
	return false;
}

/* What it is about, whoever asks; the one that exists, or the one that is asked for. */
static void put_scope(struct json_builder *record, const struct break_glass *glass)
{
	json_put_text(record, "break-glass", glass->id);
	json_put_text(record, "identity", glass->identity);
	json_put_text_unless_empty(record, "unit", glass->unit);
	json_put_text_unless_empty(record, "tool", glass->tool);
	json_put_text_unless_empty(record, "task", glass->task);
	json_put_text(record, "reason", glass->reason);
	json_put_text(record, "ticket", glass->ticket);
	json_put_text(record, "opener", glass->opener);
	json_put_integer(record, "minutes", glass->minutes);
	json_put_integer(record, "identity-epoch", (int64_t)glass->epoch);
}

/* What would be: nothing of it is state before its record is folded. */
static struct break_glass asked_for(
	const struct approve *approve, const struct break_glass_request *request, struct text id)
{
	const struct registry_entry *entry =
		registry_find(approve->registry, OBJECT_IDENTITY, request->identity);

	return (struct break_glass){
		.id = id,
		.identity = request->identity,
		.unit = charter_of(entry->in_force)->unit,
		.tool = request->tool,
		.task = request->task,
		.reason = request->reason,
		.ticket = request->ticket,
		.opener = request->person,
		.is_alone = request->is_alone,
		.minutes = request->minutes == 0 ? BREAK_GLASS_MINUTES_DEFAULT : request->minutes,
		.epoch = registry_kill_epoch(approve->registry, request->identity),
	};
}

static void put_opened(
	struct json_builder *record, const struct approve *approve, const struct break_glass *glass)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	int64_t end_utc_ms = now_utc_ms + glass->minutes * MS_PER_MINUTE;

	put_scope(record, glass);
	json_put_text_unless_empty(record, "second", glass->second);
	json_put_integer(record, "expires", end_utc_ms);
	if (glass->second.length == 0)
		json_put_integer(record, "review-due", end_utc_ms + BREAK_GLASS_REVIEW_MS);
}

static const char *type_of(const struct break_glass_request *request)
{
	switch (request->verb) {
	case BREAK_GLASS_VERB_OPEN:
		return request->is_alone ? "break-glass-opened" : "break-glass-asked";
	case BREAK_GLASS_VERB_AGREE: return "break-glass-opened";
	case BREAK_GLASS_VERB_CLOSE: return "break-glass-closed";
	case BREAK_GLASS_VERB_REVIEW: return "break-glass-reviewed";
	case BREAK_GLASS_VERB_NONE: break;
	}
	return "";
}

static void put_change(struct json_builder *record, const struct approve *approve,
	const struct break_glass *glass, const struct break_glass_request *request)
{
	struct break_glass agreed = *glass;

	agreed.second = request->person;
	switch (request->verb) {
	case BREAK_GLASS_VERB_OPEN:
		if (request->is_alone) {
			put_opened(record, approve, glass);
			return;
		}
		put_scope(record, glass);
		json_put_integer(
			record, "expires", fold_stamp_utc_ms(approve->fold) + BREAK_GLASS_AGREE_MS);
		return;
	case BREAK_GLASS_VERB_AGREE: put_opened(record, approve, &agreed); return;
	case BREAK_GLASS_VERB_CLOSE:
	case BREAK_GLASS_VERB_REVIEW:
	case BREAK_GLASS_VERB_NONE: break;
	}
	json_put_text(record, "break-glass", glass->id);
	json_put_text(record, "identity", glass->identity);
	json_put_text_unless_empty(record, "task", glass->task);
	json_put_text_unless_empty(record, "reason", request->reason);
	if (request->verb == BREAK_GLASS_VERB_CLOSE && glass->state == BREAK_GLASS_OPEN &&
		glass->review_due_utc_ms != 0)
		json_put_integer(record, "review-due",
			fold_stamp_utc_ms(approve->fold) + BREAK_GLASS_REVIEW_MS);
}

static bool send_change(struct approve *approve, const struct break_glass *glass,
	const struct break_glass_request *request, struct error *err)
{
	const struct changing waiting = {.approve = approve,
		.id = glass->id,
		.context = request->context,
		.done = request->done};
	struct fold_record *record;
	struct json_builder *object;
	struct text key_id;

	if (!changing_create(&record, approve, &waiting, err))
		return false;
	if (!approve_check_signature(
		    approve, request->person, &request->proof, record->arena, &key_id, err)) {
		fold_record_destroy(&record);
		return false;
	}
	fold_record_start(record, type_of(request),
		text_format(record->arena, "person:%.*s", TEXT_ARGS(request->person)));
	object = &record->object;
	put_change(object, approve, glass, request);
	json_put_text(object, "key", key_id);
	json_put_text(object, "signature", request->proof.signature);
	json_put_text(object, "signed", request->proof.body);
	return changing_send(record, err);
}

bool break_glass_submit(
	struct approve *approve, struct break_glass_request *request, struct error *err)
{
	struct glass_node *node = glass_node_find(approve, request->id);
	char id[RANDOM_ID_BYTES];
	struct break_glass glass;

	if (!may(approve, node, request, err))
		return false;
	if (request->verb == BREAK_GLASS_VERB_OPEN) {
		random_id(id, "g-");
		glass = asked_for(approve, request, text_of(id));
	} else {
		glass = node->glass;
	}
	request->out_id = text_copy(request->arena, glass.id);
	if (request->out_id.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the answer");
	return send_change(approve, &glass, request, err);
}

/* ---- time --------------------------------------------------------------------------------- */

/* Bookkeeping: that it is over holds without it.  What fails is tried at the next tick. */
static void close_over(struct approve *approve, struct glass_node *node)
{
	const struct changing waiting = {.approve = approve, .id = node->glass.id};
	struct fold_record *record;
	struct json_builder *object;
	struct error err;

	if (!changing_create(&record, approve, &waiting, &err))
		return;
	fold_record_start(record, "break-glass-closed", TEXT("remit"));
	object = &record->object;
	json_put_text(object, "break-glass", node->glass.id);
	json_put_text(object, "identity", node->glass.identity);
	json_put_text_unless_empty(object, "task", node->glass.task);
	if (node->glass.review_due_utc_ms != 0)
		json_put_integer(object, "review-due", node->glass.review_due_utc_ms);
	if (!changing_send(record, &err))
		log_warn("break_glass_not_closed", LOG_TEXT("id", node->glass.id),
			LOG_STRING("why", err.text));
}

void break_glass_tick(struct approve *approve, int64_t now_utc_ms)
{
	struct glass_node *node;

	for (node = approve->glasses; node != NULL; node = node->next) {
		bool is_live = node->glass.state == BREAK_GLASS_OPEN
				       ? break_glass_is_open(approve, &node->glass, now_utc_ms)
				       : now_utc_ms < node->glass.expires_utc_ms;

		if (!is_live && !node->is_changing &&
			(node->glass.state == BREAK_GLASS_OPEN ||
				node->glass.state == BREAK_GLASS_ASKED))
			close_over(approve, node);
		if (!node->is_told && break_glass_is_overdue(&node->glass, now_utc_ms)) {
			node->is_told = true;
			if (approve->listener.on_break_glass != NULL)
				approve->listener.on_break_glass(approve->listener.context,
					BREAK_GLASS_EVENT_OVERDUE, &node->glass);
		}
	}
}

/* ---- showing ------------------------------------------------------------------------------ */

bool break_glass_json(struct json *out, struct arena *arena, const struct approve *approve,
	const struct break_glass *glass, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	bool is_over = glass->state == BREAK_GLASS_OPEN &&
		       !break_glass_is_open(approve, glass, now_utc_ms);
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "id", glass->id);
	json_put_cstring(&object, "state",
		break_glass_state_word(is_over ? BREAK_GLASS_CLOSED : glass->state));
	json_put_text(&object, "identity", glass->identity);
	json_put_text_unless_empty(&object, "unit", glass->unit);
	json_put_text_unless_empty(&object, "tool", glass->tool);
	json_put_text_unless_empty(&object, "task", glass->task);
	json_put_text(&object, "reason", glass->reason);
	json_put_text(&object, "ticket", glass->ticket);
	json_put_text(&object, "opener", glass->opener);
	json_put_text_unless_empty(&object, "second", glass->second);
	json_put_text_unless_empty(&object, "reviewer", glass->reviewer);
	json_put_integer(&object, "asked_at", glass->asked_at_utc_ms);
	json_put_integer(&object, "expires", glass->expires_utc_ms);
	if (glass->review_due_utc_ms != 0)
		json_put_integer(&object, "review_due_utc_ms", glass->review_due_utc_ms);
	if (break_glass_is_overdue(glass, now_utc_ms))
		json_put_boolean(&object, "overdue", true);
	json_put_integer(&object, "record", (int64_t)glass->index);
	return json_object_seal(&object, out, err);
}

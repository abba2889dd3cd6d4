/* How records become approvals.
 *
 *   approval-asked      makes one, PENDING; marks the one it replaces STALE
 *   approval-answered   one more answer; a no is REJECTED or EDITED, and the yes that
 *                       covers the last name makes it APPROVED
 *   decision            an allow that names an approval makes it USED, and is the last
 *                       approved call of its tool; an ask tells where its arguments
 *                       come from; a denial tells that nobody answered
 *   approval-closed     STALE or EXPIRED
 *
 * Rows of the store: approval / ID is the asked record, approval-answer / ID/PERSON
 * an answered one, approval-origins / ID part of a decision; they go when the approval is
 * closed.  approval-last / IDENTITY TOOL is part of the last such decision. */

#include <assert.h>
#include <stdlib.h>

#include "domain/audit/envelope.h"
#include "services/approve/approve_private.h"

enum { NODE_ARENA_BYTES_MAX = 256 * 1024 };

/* ---- asked -------------------------------------------------------------------- */

static bool texts_read(struct approval_node *node, const struct json *record, const char *name,
	const struct text **out, size_t *out_count)
{
	const struct json *array = json_find(record, name);
	size_t count = array != NULL && array->type == JSON_ARRAY ? array->count : 0;
	struct text *texts = arena_array(node->arena, struct text, count + 1);
	size_t i;

	if (texts == NULL)
		return false;
	for (i = 0; i < count; i++) {
		if (array->items[i].type != JSON_STRING)
			return false;
		texts[i] = text_copy(node->arena, array->items[i].string);
		if (texts[i].data == NULL)
			return false;
	}
	*out = texts;
	*out_count = count;
	return true;
}

static bool text_read(
	struct approval_node *node, const struct json *record, const char *name, struct text *out)
{
	*out = text_copy(node->arena, json_text_or(record, name, ""));
	return out->data != NULL;
}

/* Where the arguments it asks about come from, as the decision found; of an edit its own record
 * says so. */
static bool origins_put(struct approval_node *node, const struct json *record)
{
	const struct json *origins = json_find(record, "origins");

	if (origins == NULL || node->approval.facts.origins.length != 0)
		return true;
	node->approval.facts.origins = json_canonical_text(node->arena, origins);
	return node->approval.facts.origins.data != NULL;
}

static bool facts_read(struct approval_node *node, const struct json *record)
{
	struct approval_facts *facts = &node->approval.facts;

	facts->is_untrusted = json_boolean_or(record, "untrusted", false);
	facts->has_untrusted_content = json_boolean_or(record, "label-untrusted", false);
	facts->has_card = text_is(json_text_or(record, "sealed", ""), "card");
	return origins_put(node, record) &&
	       text_read(node, record, "environment", &facts->environment) &&
	       text_read(node, record, "effect", &facts->effect) &&
	       text_read(node, record, "sensitivity", &facts->sensitivity) &&
	       text_read(node, record, "label", &facts->label) &&
	       text_read(node, record, "reversal", &facts->reversal) &&
	       text_read(node, record, "risk", &facts->risk) &&
	       text_read(node, record, "edits", &node->approval.edits);
}

static bool chain_read(struct approval_node *node, const struct json *record)
{
	const struct json *array = json_find(record, "chain");
	size_t count = array != NULL && array->type == JSON_ARRAY ? array->count : 0;
	size_t i;

	node->approval.chain = node->chain;
	for (i = 0; i < count && i < CALL_CHAIN_MAX; i++) {
		struct approval_link *link = &node->chain[i];

		if (!text_read(node, &array->items[i], "task", &link->task) ||
			!text_read(node, &array->items[i], "identity", &link->identity) ||
			!text_read(node, &array->items[i], "person", &link->person))
			return false;
		node->approval.chain_count++;
	}
	return count <= CALL_CHAIN_MAX;
}

/* Who changed the arguments of the question it came from. */
static bool editor_read(struct approval_node *node, const struct json *record)
{
	struct text person = actor_person(json_text_or(record, "actor", ""));

	if (node->approval.edits.length == 0 || person.length == 0)
		return true;
	node->approval.editor = text_copy(node->arena, person);
	return node->approval.editor.data != NULL;
}

static bool node_read_texts(struct approval_node *node, const struct json *record)
{
	struct approval *approval = &node->approval;

	return facts_read(node, record) && chain_read(node, record) && editor_read(node, record) &&
	       text_read(node, record, "approval", &approval->id) &&
	       text_read(node, record, "identity", &approval->identity) &&
	       text_read(node, record, "charter", &approval->charter) &&
	       text_read(node, record, "task", &approval->task) &&
	       text_read(node, record, "person", &approval->person) &&
	       text_read(node, record, "server", &approval->server) &&
	       text_read(node, record, "tool", &approval->tool) &&
	       text_read(node, record, "method", &approval->method) &&
	       text_read(node, record, "entitlement", &approval->entitlement) &&
	       text_read(node, record, "clause", &approval->clause) &&
	       text_read(node, record, "explanation", &approval->explanation) &&
	       texts_read(node, record, "names", &approval->names, &approval->names_count) &&
	       texts_read(node, record, "units", &approval->units, &approval->units_count) &&
	       texts_read(node, record, "policies", &approval->policies, &approval->policies_count);
}

static bool node_read(
	struct approval_node *node, const struct json *record, uint64_t index, struct error *err)
{
	struct approval *approval = &node->approval;

	if (!node_read_texts(node, record))
		return error_set(err, ERROR_LIMIT, "an approval does not fit in memory");
	if (approval->id.length == 0 || approval->names_count == 0 ||
		approval->names_count > DECISION_APPROVALS_MAX ||
		!digest_parse(json_text_or(record, "call", ""), &approval->call_digest) ||
		!digest_parse(json_text_or(record, "arguments", ""), &approval->arguments) ||
		!json_need_integer(record, "at", &approval->asked_at_utc_ms, err) ||
		!json_need_integer(record, "expires", &approval->expires_utc_ms, err))
		return error_set(err, ERROR_CORRUPT, "an approval-asked record is malformed");
	approval->state = APPROVAL_PENDING;
	approval->answers = node->answers;
	approval->asked_index = index;
	return true;
}

void approval_node_destroy(struct approval_node **node)
{
	if (*node == NULL)
		return;
	arena_destroy(&(*node)->arena);
	free(*node);
	*node = NULL;
}

struct approval_node *approval_node_create(
	const struct json *record, uint64_t index, struct error *err)
{
	struct approval_node *node = calloc(1, sizeof(*node));

	if (node != NULL)
		node->arena = arena_create(NODE_ARENA_BYTES_MAX);
	if (node == NULL || node->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for an approval");
	else if (node_read(node, record, index, err))
		return node;
	approval_node_destroy(&node);
	return NULL;
}

static struct text call_key(const struct approval_node *node)
{
	return (struct text){(const char *)node->approval.call_digest.bytes, SHA256_BYTES};
}

/* The newest question about a call is the one that is found for it. */
static bool node_insert(struct approve *approve, struct approval_node *node, struct error *err)
{
	name_table_remove(approve->by_call, call_key(node));
	if (!name_table_put(approve->by_call, call_key(node), node))
		return error_set(err, ERROR_LIMIT, "no memory for an approval");
	if (!name_table_put(approve->by_id, node->approval.id, node)) {
		name_table_remove(approve->by_call, call_key(node));
		return error_set(err, ERROR_LIMIT, "no memory for an approval");
	}
	node->older = approve->youngest;
	if (node->older != NULL)
		node->older->younger = node;
	else
		approve->oldest = node;
	approve->youngest = node;
	approve->count++;
	return true;
}

void approval_node_forget(struct approve *approve, struct approval_node *node)
{
	if (name_table_find(approve->by_call, call_key(node)) == node)
		name_table_remove(approve->by_call, call_key(node));
	name_table_remove(approve->by_id, node->approval.id);
	if (node->older != NULL)
		node->older->younger = node->younger;
	else
		approve->oldest = node->younger;
	if (node->younger != NULL)
		node->younger->older = node->older;
	else
		approve->youngest = node->older;
	approve->count--;
	approval_node_destroy(&node);
}

/* Tells those who wait for it, each once. */
static void watches_run(struct approve *approve, const struct approval *approval)
{
	struct approve_watch *watch = approve->watches;

	while (watch != NULL) {
		if (!text_equal(watch->id, approval->id)) {
			watch = watch->next;
			continue;
		}
		approve_watch_remove(approve, watch);
		watch->on_change(watch->context, approval);
		watch = approve->watches; /* the list may have changed */
	}
}

static void tell(
	struct approve *approve, enum approval_event event, const struct approval *approval)
{
	if (approve->listener.on_event != NULL && !fold_is_loading(approve->fold))
		approve->listener.on_event(approve->listener.context, event, approval);
}

static void close_node(struct approve *approve, struct approval_node *node,
	enum approval_state state, int64_t at_utc_ms)
{
	node->approval.state = state;
	node->approval.is_reserved = false;
	node->closed_at_utc_ms = at_utc_ms;
	tell(approve, APPROVAL_EVENT_CLOSED, &node->approval);
	watches_run(approve, &node->approval);
}

static bool is_open(const struct approval_node *node)
{
	return node != NULL && (node->approval.state == APPROVAL_PENDING ||
				       node->approval.state == APPROVAL_APPROVED);
}

static bool fold_asked(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct approval_node *replaced =
		approval_node_find(approve, json_text_or(record, "replaces", ""));
	struct approval_node *node;

	if (approval_node_find(approve, json_text_or(record, "approval", "")) != NULL)
		return true;
	approve_asking_end(approve, json_text_or(record, "approval", ""));
	node = approval_node_create(record, index, err);
	if (node == NULL)
		return false;
	if (!node_insert(approve, node, err)) {
		approval_node_destroy(&node);
		return false;
	}
	if (is_open(replaced) && !replaced->approval.is_reserved)
		close_node(approve, replaced, APPROVAL_STALE, node->approval.asked_at_utc_ms);
	tell(approve, APPROVAL_EVENT_ASKED, &node->approval);
	return true;
}

/* ---- answered -------------------------------------------------------------------- */

static bool has_answered(const struct approval_node *node, struct text person)
{
	size_t i;

	for (i = 0; i < node->approval.answers_count; i++)
		if (text_equal(node->answers[i].person, person))
			return true;
	return false;
}

static bool answer_add(struct approval_node *node, const struct json *record, struct text person,
	uint64_t index, struct error *err)
{
	struct approval_answer *answer = &node->answers[node->approval.answers_count];

	answer->person = text_copy(node->arena, person);
	answer->reason = text_copy(node->arena, json_text_or(record, "reason", ""));
	answer->key_id = text_copy(node->arena, json_text_or(record, "key", ""));
	answer->is_yes = text_is(json_text_or(record, "answer", ""), "yes");
	answer->at_utc_ms = json_integer_or(record, "at", 0);
	answer->index = index;
	if (answer->person.data == NULL || answer->reason.data == NULL ||
		answer->key_id.data == NULL)
		return error_set(err, ERROR_LIMIT, "an answer does not fit in memory");
	node->approval.answers_count++;
	return true;
}

/* Approved, if everyone who is needed said yes. */
static void count_answers(struct approve *approve, struct approval_node *node)
{
	if (!approve_is_covered(approve, &node->approval)) {
		tell(approve, APPROVAL_EVENT_ANSWERED, &node->approval);
		return;
	}
	node->approval.state = APPROVAL_APPROVED;
	node->was_approved = true;
	node->approval.expires_utc_ms = node->answer_expires_utc_ms;
	tell(approve, APPROVAL_EVENT_ANSWERED, &node->approval);
	watches_run(approve, &node->approval);
}

/* A no, or other arguments in its place. */
static bool close_refused(struct approve *approve, struct approval_node *node,
	const struct json *record, int64_t at_utc_ms, struct error *err)
{
	bool is_edited = text_is(json_text_or(record, "answer", ""), "edited");

	node->approval.edited = text_copy(node->arena, json_text_or(record, "edited", ""));
	if (node->approval.edited.data == NULL)
		return error_set(err, ERROR_LIMIT, "an answer does not fit in memory");
	close_node(approve, node, is_edited ? APPROVAL_EDITED : APPROVAL_REJECTED, at_utc_ms);
	return true;
}

static bool fold_answered(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct approval_node *node =
		approval_node_find(approve, json_text_or(record, "approval", ""));
	struct text person = actor_person(json_text_or(record, "actor", ""));
	int64_t at_utc_ms = json_integer_or(record, "at", 0);

	if (person.length == 0)
		return error_set(err, ERROR_CORRUPT, "an approval was answered by no person");
	if (node == NULL || node->approval.state != APPROVAL_PENDING ||
		has_answered(node, person) || node->approval.answers_count == APPROVAL_ANSWERS_MAX)
		return true;
	if (!answer_add(node, record, person, index, err))
		return false;
	if (!node->answers[node->approval.answers_count - 1].is_yes)
		return close_refused(approve, node, record, at_utc_ms, err);
	node->answer_expires_utc_ms = json_integer_or(record, "expires", at_utc_ms);
	count_answers(approve, node);
	return true;
}

/* The store gives rows by their last change: an answer may come before the charter
 * or person it counts by, so answers are counted once more when all is there. */
static bool all_loaded(void *state, struct error *err)
{
	struct approve *approve = state;
	struct approval_node *node = approve->oldest;

	(void)err;
	for (; node != NULL; node = node->younger)
		if (node->approval.state == APPROVAL_PENDING && node->approval.answers_count > 0)
			count_answers(approve, node);
	return true;
}

/* ---- used and closed ----------------------------------------------------------------- */

/* The last approved call of its identity and tool. */
static bool last_put(
	struct approve *approve, const struct json *record, uint64_t index, struct error *err)
{
	const struct approval_last value = {index, json_integer_or(record, "at", 0)};
	char bytes[APPROVAL_LAST_KEY_BYTES];
	struct text key = approval_last_key(
		bytes, json_text_or(record, "identity", ""), json_text_or(record, "tool", ""));
	struct approval_last *last = name_table_find(approve->last, key);

	if (last != NULL && last->index > index)
		return true;
	if (last != NULL) {
		*last = value;
		return true;
	}
	if (key.length == 0 || name_table_count(approve->last) >= APPROVALS_LAST_MAX)
		return true; /* nothing to compare with then */
	last = calloc(1, sizeof *last);
	if (last != NULL && name_table_put(approve->last, key, last)) {
		*last = value;
		return true;
	}
	free(last);
	return error_set(err, ERROR_LIMIT, "no memory for an approval");
}

static bool fold_decision(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct text id = json_text_or(record, "approval", "");
	struct text verdict = json_text_or(record, "verdict", "");
	struct approval_node *node = approval_node_find(approve, id);

	if (id.length == 0)
		return true;
	if (text_is(verdict, "ask"))
		return node == NULL || origins_put(node, record) ||
		       error_set(err, ERROR_LIMIT, "an approval does not fit in memory");
	if (!text_is(verdict, "allow")) {
		if (node != NULL)
			node->approval.is_told = true;
		return true;
	}
	if (is_open(node))
		close_node(approve, node, APPROVAL_USED, json_integer_or(record, "at", 0));
	return last_put(approve, record, index, err);
}

static bool fold_closed(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct approval_node *node =
		approval_node_find(approve, json_text_or(record, "approval", ""));
	bool is_stale = text_is(json_text_or(record, "state", ""), "stale");

	(void)index;
	(void)err;
	if (is_open(node))
		close_node(approve, node, is_stale ? APPROVAL_STALE : APPROVAL_EXPIRED,
			json_integer_or(record, "at", 0));
	return true;
}

static bool fold_notice_lost(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct approve *approve = state;
	struct approval_node *node =
		approval_node_find(approve, json_text_or(record, "approval", ""));

	(void)index;
	(void)err;
	approve->notices_lost++;
	if (node != NULL)
		node->approval.notices_lost++;
	return true;
}

/* ---- rows ------------------------------------------------------------------------------ */

static struct text answers_of(struct projection *projection, struct text id)
{
	return text_format(projection_arena(projection), "%.*s/", TEXT_ARGS(id));
}

static void rows_delete(struct projection *projection, struct text id)
{
	if (id.length == 0)
		return;
	projection_delete(projection, "approval", id);
	projection_delete_prefix(projection, "approval-answer", answers_of(projection, id));
	projection_delete(projection, "approval-origins", id);
}

static void project_asked(const struct json *record, struct projection *projection)
{
	rows_delete(projection, json_text_or(record, "replaces", ""));
	projection_put(projection, "approval", json_text_or(record, "approval", ""), record);
}

static void project_answered(const struct json *record, struct projection *projection)
{
	struct text id = json_text_or(record, "approval", "");
	struct text key = text_format(projection_arena(projection), "%.*s/%.*s", TEXT_ARGS(id),
		TEXT_ARGS(json_text_or(record, "actor", "")));

	if (text_is(json_text_or(record, "answer", ""), "yes"))
		projection_put(projection, "approval-answer", key, record);
	else
		rows_delete(projection, id);
}

/* Part of the decision: nothing in it but what the fold above reads. */
static void project_part(
	const struct json *record, struct projection *projection, const char *kind, struct text key)
{
	static const char *const kept[] = {
		"type", "verdict", "at", "approval", "identity", "tool", "origins"};
	struct json_builder part;
	struct json sealed;
	struct error err;

	json_object_start(&part, projection_arena(projection));
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
		const struct json *value = json_find(record, kept[i]);

		if (value != NULL)
			json_put(&part, kept[i], *value);
	}
	if (json_object_seal(&part, &sealed, &err))
		projection_put(projection, kind, key, &sealed);
}

static void project_decision(const struct json *record, struct projection *projection)
{
	struct text id = json_text_or(record, "approval", "");
	struct text verdict = json_text_or(record, "verdict", "");
	char bytes[APPROVAL_LAST_KEY_BYTES];
	struct text key = approval_last_key(
		bytes, json_text_or(record, "identity", ""), json_text_or(record, "tool", ""));

	if (id.length == 0)
		return;
	if (text_is(verdict, "ask") && json_find(record, "origins") != NULL)
		project_part(record, projection, "approval-origins", id);
	if (!text_is(verdict, "allow"))
		return;
	rows_delete(projection, id);
	if (key.length != 0)
		project_part(record, projection, "approval-last",
			text_copy(projection_arena(projection), key));
}

static void project_closed(const struct json *record, struct projection *projection)
{
	rows_delete(projection, json_text_or(record, "approval", ""));
}

bool approve_register(struct approve *approve, struct error *err)
{
	const struct fold_handler handlers[] = {
		{.type = "approval-asked", .apply = fold_asked, .state = approve},
		{.type = "approval-answered",
			.apply = fold_answered,
			.loaded = all_loaded,
			.state = approve},
		{.type = "decision", .apply = fold_decision, .state = approve},
		{.type = "approval-closed", .apply = fold_closed, .state = approve},
		{.type = "notice-lost", .apply = fold_notice_lost, .state = approve},
	};
	static const struct fold_projector projectors[] = {
		{"approval-asked", project_asked},
		{"approval-answered", project_answered},
		{"decision", project_decision},
		{"approval-closed", project_closed},
	};
	size_t i;

	for (i = 0; i < sizeof(handlers) / sizeof(*handlers); i++)
		if (!fold_add(approve->fold, &handlers[i], err))
			return false;
	for (i = 0; i < sizeof(projectors) / sizeof(*projectors); i++)
		if (!fold_add_projector(approve->fold, &projectors[i], err))
			return false;
	return true;
}

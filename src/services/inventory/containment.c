/* Accounts that somebody means to stop at their provider.  The intention is on record before
 * anything is done; how it stands is read from the inventories that come after it.
 *
 *   inventory-contained  account is to be stopped; by a review, which it names
 *   inventory-released   it may act again
 *
 * One that a review stopped stays that review's until it is released, or a later review's: what
 * the log has before a record counts, not what whoever asked for it saw (`kept`).
 *
 * Nothing is released while its provider is called to stop it: it would be off there, with nothing
 * on record that says so.
 *
 * Rows of the store: containment / ACCOUNT is the contained record, containment-review / ACCOUNT
 * the last of them that a review had written, both until it is released. */
#include "domain/inventory/contain.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/name_table.h"
#include "domain/inventory/draft.h"
#include "services/inventory/inventory_private.h"

static void containment_destroy(void *value)
{
	struct containment *containment = value;

	if (containment == NULL)
		return;
	arena_destroy(&containment->arena);
	free(containment);
}

struct containment *containment_find(const struct inventory_service *service, struct text account)
{
	return account.length == 0 ? NULL : name_table_find(service->containments, account);
}

void containments_destroy(struct inventory_service *service)
{
	if (service->containments != NULL)
		name_table_destroy(&service->containments, containment_destroy);
}

void inventory_use_graph(struct inventory_service *service, const struct graph *graph)
{
	service->graph = graph;
}

/* ---- folding ---- */

static bool is_by_hand(const struct json *record)
{
	return json_text_or(record, "review", "").length == 0 ||
	       json_boolean_or(record, "kept", false);
}

/* Whose it was before stays whose it is. */
static bool keep_review(struct containment *containment, const struct containment *before)
{
	containment->review = text_copy(containment->arena, before->review);
	containment->identity = text_copy(containment->arena, before->identity);
	return containment->review.data != NULL && containment->identity.data != NULL;
}

static bool fold_contained(
	void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_service *service = state;
	const struct containment *before =
		containment_find(service, json_text_or(record, "account", ""));
	struct containment *containment = calloc(1, sizeof *containment);

	if (containment != NULL)
		containment->arena = arena_create_small(RECORD_ARENA_BYTES_MAX, 1024);
	if (containment == NULL || containment->arena == NULL)
		goto failed;
	containment->account = text_copy(containment->arena, json_text_or(record, "account", ""));
	containment->reason = text_copy(containment->arena, json_text_or(record, "reason", ""));
	containment->actor = text_copy(containment->arena, json_text_or(record, "actor", ""));
	containment->review = text_copy(containment->arena, json_text_or(record, "review", ""));
	containment->identity = text_copy(containment->arena, json_text_or(record, "identity", ""));
	containment->at_utc_ms = json_integer_or(record, "at", 0);
	containment->is_calling = json_boolean_or(record, "calling", false);
	containment->index = index;
	if (containment->actor.data == NULL || containment->review.data == NULL ||
		containment->identity.data == NULL || containment->account.length == 0)
		goto failed;
	if (before != NULL && before->review.length > 0 && is_by_hand(record) &&
		!keep_review(containment, before))
		goto failed;
	containment_destroy(name_table_remove(service->containments, containment->account));
	if (name_table_put(service->containments, containment->account, containment))
		return true;
failed:
	containment_destroy(containment);
	return error_set(err, ERROR_LIMIT, "no memory for a containment");
}

static bool fold_released(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct inventory_service *service = state;
	struct text account = json_text_or(record, "account", "");

	(void)index;
	(void)err;
	if (account.length > 0)
		containment_destroy(name_table_remove(service->containments, account));
	return true;
}

static void project_contained(const struct json *record, struct projection *projection)
{
	struct text account = json_text_or(record, "account", "");

	projection_put(projection, "containment", account, record);
	if (!is_by_hand(record))
		projection_put(projection, "containment-review", account, record);
	projection_delete(projection, "containment-call", account);
	projection_delete(projection, "containment-asked", account);
}

static void project_released(const struct json *record, struct projection *projection)
{
	struct text account = json_text_or(record, "account", "");

	projection_delete(projection, "containment", account);
	projection_delete(projection, "containment-review", account);
	projection_delete(projection, "containment-call", account);
	projection_delete(projection, "containment-asked", account);
}

bool containments_register(struct inventory_service *service, struct error *err)
{
	const struct fold_handler contained = {
		.type = "inventory-contained", .apply = fold_contained, .state = service};
	const struct fold_handler released = {
		.type = "inventory-released", .apply = fold_released, .state = service};
	static const struct fold_projector projectors[] = {
		{"inventory-contained", project_contained},
		{"inventory-released", project_released},
	};
	struct fold *fold = service->parts.fold;

	service->containments = name_table_create();
	if (service->containments == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for containments");
	return fold_add(fold, &contained, err) && fold_add(fold, &released, err) &&
	       fold_add_projector(fold, &projectors[0], err) &&
	       fold_add_projector(fold, &projectors[1], err) && calling_register(service, err) &&
	       releasing_register(service, err);
}

/* ---- asking for it ---- */

static void on_recorded(void *context, uint64_t index, const struct error *err)
{
	struct inventory_change *asked = context;

	asked->done(asked, index, err);
}

static void put_change(
	struct fold_record *record, const struct inventory_change *change, const char *type)
{
	fold_record_start(record, type, change->actor);
	json_put_text(&record->object, "account", change->account);
	json_put_text(&record->object, "reason", change->reason);
	json_put_text_unless_empty(&record->object, "review", change->review);
	json_put_text_unless_empty(&record->object, "identity", change->identity);
}

bool inventory_submit_change(struct inventory_service *service, struct inventory_change *change,
	const char *type, struct error *err)
{
	struct fold_record *record;

	if (!fold_record_create(&record, service->parts.fold, RECORD_ARENA_BYTES_MAX, err))
		return false;
	record->context = change;
	record->done = on_recorded;
	put_change(record, change, type);
	return fold_record_send(&record, err);
}

/* A containment on its way to the log; whoever asked has it in place until it is there. */
struct containing {
	struct inventory_service *service;
	struct inventory_change *change;
	struct containing *next;
};

bool inventory_is_containing(const struct inventory_service *service, struct text account)
{
	const struct containing *each = service->containing;

	while (each != NULL && !text_equal(each->change->account, account))
		each = each->next;
	return each != NULL;
}

static void containing_end(struct containing *containing)
{
	struct containing **link = &containing->service->containing;

	while (*link != containing)
		link = &(*link)->next;
	*link = containing->next;
	free(containing);
}

static void on_contained(void *context, uint64_t index, const struct error *err)
{
	struct containing *containing = context;
	struct inventory_change *change = containing->change;

	containing_end(containing);
	change->done(change, index, err);
}

static bool submit_contained(struct inventory_service *service, struct inventory_change *change,
	const struct containment *before, struct error *err)
{
	struct containing *containing = calloc(1, sizeof *containing);
	struct fold_record *record;

	if (containing == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a containment");
	if (!fold_record_create(&record, service->parts.fold, RECORD_ARENA_BYTES_MAX, err)) {
		free(containing);
		return false;
	}
	*containing = (struct containing){service, change, service->containing};
	service->containing = containing;
	record->context = containing;
	record->done = on_contained;
	put_change(record, change, "inventory-contained");
	if (change->is_calling)
		json_put_boolean(&record->object, "calling", true);
	if (before != NULL && before->review.length > 0 && change->review.length == 0) {
		json_put_text(&record->object, "review", before->review);
		json_put_text_unless_empty(&record->object, "identity", before->identity);
		json_put_boolean(&record->object, "kept", true);
	}
	if (fold_record_send(&record, err))
		return true;
	containing_end(containing);
	return false;
}

bool inventory_check_reason(const struct inventory_change *change, struct error *err)
{
	if (change->reason.length > 0 && change->reason.length <= INVENTORY_REASON_BYTES_MAX)
		return true;
	return error_set(err, ERROR_INVALID, "reason: text of 1 to %d bytes is needed",
		INVENTORY_REASON_BYTES_MAX);
}

static bool find_account(const struct inventory_service *service, struct text account,
	struct graph_node *out, struct error *err)
{
	if (service->graph != NULL &&
		graph_find(service->graph, GRAPH_NODE_ACCOUNT, account, out) &&
		(out->flags & GRAPH_NODE_IS_KNOWN) != 0)
		return true;
	return error_set(err, ERROR_NOT_FOUND,
		"no inventory has this account: CONNECTOR/ID as `remit inventory drafts` names it");
}

bool inventory_contain(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	const struct containment *before = containment_find(service, change->account);
	struct graph_node node;

	if (!find_account(service, change->account, &node, err) ||
		!inventory_check_reason(change, err))
		return false;
	if (before == NULL && name_table_count(service->containments) >= CONTAINMENTS_MAX)
		return error_set(err, ERROR_LIMIT, "at most %d accounts are contained at once",
			CONTAINMENTS_MAX);
	return submit_contained(service, change, before, err);
}

bool inventory_check_settled(
	const struct inventory_service *service, struct text account, struct error *err)
{
	return !inventory_is_containing(service, account) ||
	       error_set(err, ERROR_CONFLICT,
		       "it is being contained anew: see `remit inventory contained`, and ask "
		       "again");
}

void inventory_use_stopper(
	struct inventory_service *service, const struct inventory_stopper *stopper)
{
	service->stopper = *stopper;
}

bool inventory_check_answered(
	const struct inventory_service *service, struct text account, struct error *err)
{
	const struct inventory_stopper *stopper = &service->stopper;

	return stopper->is_stopping == NULL || !stopper->is_stopping(stopper->context, account) ||
	       error_set(err, ERROR_CONFLICT,
		       "its provider is being called to stop it: ask again once it has answered "
		       "(`remit inventory contained` says so)");
}

bool inventory_release(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	if (containment_find(service, change->account) == NULL)
		return error_set(err, ERROR_NOT_FOUND, "this account is not contained");
	return inventory_check_reason(change, err) &&
	       inventory_check_settled(service, change->account, err) &&
	       inventory_check_answered(service, change->account, err) &&
	       inventory_submit_change(service, change, "inventory-released", err);
}

/* ---- how it stands ---- */

uint64_t inventory_contained_index(const struct inventory_service *service, struct text account)
{
	const struct containment *containment = containment_find(service, account);

	return containment == NULL || inventory_is_containing(service, account)
		       ? INVENTORY_NOT_CONTAINED
		       : containment->index;
}

static struct text connector_of(struct text account)
{
	return text_before(account, '/');
}

static enum containment_state state_of(const struct inventory_service *service,
	const struct containment *containment, const struct inventory_status *status,
	int64_t now_utc_s)
{
	/* Clocks differ: one that was imported before the intention says nothing of it. */
	bool is_later = status->is_told && status->index > containment->index;
	const struct containment_times times = {.intended_utc_s = containment->at_utc_ms / 1000,
		.taken_utc_s = is_later ? status->taken_utc_s : 0,
		.now_utc_s = now_utc_s,
		.answer = containment->answer,
		.answered_utc_s = containment->answered_utc_ms / 1000};

	return containment_state_of(service->graph, containment->account, &times);
}

static bool put_others(struct json_builder *object, const struct inventory_service *service,
	const struct containment *containment, enum inventory_provider provider, struct error *err)
{
	struct graph_node node;
	struct json list;

	if (!containment_calls(&list, object->arena, provider, containment->account, err))
		return false;
	json_put(object, "calls", list);
	if (!graph_find(service->graph, GRAPH_NODE_ACCOUNT, containment->account, &node))
		return true;
	if (!inventory_dependants(&list, object->arena, service->graph, node.id, err))
		return false;
	json_put(object, "dependants", list);
	return true;
}

static bool containment_json(struct json *out, struct arena *arena,
	const struct inventory_service *service, const struct containment *containment,
	struct error *err)
{
	int64_t now_utc_s = fold_stamp_utc_ms(service->parts.fold) / 1000;
	struct inventory_status status = {0};
	enum containment_state state;
	struct json_builder object;

	(void)inventory_find(service, connector_of(containment->account), &status);
	state = state_of(service, containment, &status, now_utc_s);
	json_object_start(&object, arena);
	json_put_text(&object, "account", containment->account);
	json_put_cstring(&object, "state", containment_state_word(state));
	json_put_cstring(&object, "meaning", containment_state_meaning(state));
	json_put_time(&object, "intended", containment->at_utc_ms);
	if (status.taken_utc_s > 0)
		json_put_time(&object, "seen", status.taken_utc_s * 1000);
	json_put_text(&object, "by", containment->actor);
	json_put_text(&object, "reason", containment->reason);
	json_put_text_unless_empty(&object, "review", containment->review);
	json_put_text_unless_empty(&object, "identity", containment->identity);
	releasing_put(&object, service, containment);
	json_put_integer(&object, "record", (int64_t)containment->index);
	return calling_put(&object, containment, err) &&
	       put_others(&object, service, containment, status.provider, err) &&
	       json_object_seal(&object, out, err);
}

bool inventory_containment(const struct inventory_service *service, struct text account,
	struct arena *arena, struct json *out, struct error *err)
{
	const struct containment *containment = containment_find(service, account);

	if (containment == NULL || service->graph == NULL)
		return error_set(err, ERROR_NOT_FOUND, "this account is not contained");
	return containment_json(out, arena, service, containment, err);
}

bool inventory_containments(const struct inventory_service *service, struct text after,
	uint32_t count, struct arena *arena, struct json *out, struct error *err)
{
	const struct containment *containment = name_table_next(service->containments, after);
	struct json_builder list;
	struct json item;

	json_array_start(&list, arena);
	while (containment != NULL && service->graph != NULL && list.count < count) {
		if (!containment_json(&item, arena, service, containment, err))
			return false;
		json_add(&list, item);
		containment = name_table_next(service->containments, containment->account);
	}
	return json_array_seal(&list, out, err);
}

/* ---- drafts ---- */

static bool is_of(struct text connector, const struct graph_node *account)
{
	return text_equal(connector_of(account->name), connector);
}

bool inventory_drafts(const struct inventory_service *service,
	const struct inventory_page_asked *asked, struct arena *arena, struct json *out,
	struct error *err)
{
	struct graph_node node = {.id = (graph_id)asked->after};
	struct json_builder list, object;
	struct json item, items;
	bool has_more = service->graph != NULL;
	uint32_t looked = 0;

	json_array_start(&list, arena);
	while (has_more && list.count < asked->count && looked++ < INVENTORY_SCAN_NODES_MAX) {
		has_more = graph_next(service->graph, GRAPH_NODE_ACCOUNT, node.id, &node);
		if (!has_more || !is_of(asked->connector, &node) ||
			!inventory_is_unknown(service->graph, &node))
			continue;
		if (!inventory_draft_json(&item, arena, service->graph, &node, err))
			return false;
		json_add(&list, item);
	}
	if (!json_array_seal(&list, &items, err))
		return false;
	json_object_start(&object, arena);
	json_put(&object, "items", items);
	if (has_more)
		json_put_integer(&object, "next", node.id);
	return json_object_seal(&object, out, err);
}

bool inventory_draft(const struct inventory_service *service, struct text account,
	struct arena *arena, struct json *out, struct error *err)
{
	struct graph_node node;

	if (!find_account(service, account, &node, err))
		return false;
	if (!inventory_is_unknown(service->graph, &node))
		return error_set(err, ERROR_CONFLICT,
			"an identity or a flow answers for this account already");
	return inventory_draft_json(out, arena, service->graph, &node, err);
}

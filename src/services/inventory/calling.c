/* What a connector does so that an account stops at its provider, on record before and after:
 *
 *   containment-called    it is being called there
 *   containment-answered  it was asked again, and this is how the account is
 *
 * Rows of the store: containment-call / ACCOUNT is the later of the two, as long as the
 * containment's.  One that was called, or ordered so that it would be (`calling`), and not answered
 * was cut off: whoever may asks again how the account is, and calls nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/inventory/inventory_private.h"

/* ---- folding ---- */

/* One that was released, or contained anew, meanwhile has nothing of it. */
static bool fold_call(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct containment *containment =
		containment_find(state, json_text_or(record, "account", ""));
	struct text said = json_text_or(record, "said", "");

	(void)err;
	if (containment == NULL || index <= containment->index)
		return true;
	containment->answer = containment_answer_of(json_text_or(record, "answer", ""));
	if (containment->answer == CONTAINMENT_ANSWER_NONE)
		containment->answer = CONTAINMENT_ANSWER_CALLED;
	containment->is_calling = false;
	if (text_is(json_text_or(record, "type", ""), "containment-called") ||
		json_integer_or(record, "calls", 0) > 0 || json_boolean_or(record, "called", false))
		containment->was_called = true;
	containment->is_back = json_boolean_or(record, "back", false);
	containment->answered_utc_ms = json_integer_or(record, "at", 0);
	containment->answered_index = index;
	(void)snprintf(containment->said, sizeof containment->said, "%.*s", TEXT_ARGS(said));
	return true;
}

static void project_call(const struct json *record, struct projection *projection)
{
	projection_put(projection, "containment-call", json_text_or(record, "account", ""), record);
}

bool calling_register(struct inventory_service *service, struct error *err)
{
	static const char *const types[] = {"containment-called", "containment-answered"};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		const struct fold_handler handler = {
			.type = types[i], .apply = fold_call, .state = service};
		const struct fold_projector projector = {types[i], project_call};

		if (!fold_add(service->parts.fold, &handler, err) ||
			!fold_add_projector(service->parts.fold, &projector, err))
			return false;
	}
	return true;
}

bool inventory_was_called(const struct inventory_service *service, struct text account)
{
	const struct containment *containment = containment_find(service, account);

	return containment != NULL && containment->was_called;
}

/* ---- writing ---- */

static void on_recorded(void *context, uint64_t index, const struct error *err)
{
	struct inventory_calling *asked = context;

	(void)index;
	asked->done(asked, err);
}

static void put_answer(struct json_builder *record, const struct inventory_calling *calling)
{
	struct text said = calling->said;

	if (said.length > INVENTORY_SAID_BYTES_MAX)
		said.length = INVENTORY_SAID_BYTES_MAX;
	while (said.length > 0 && !text_is_utf8(said))
		said.length--;
	json_put_cstring(record, "answer", containment_answer_word(calling->answer));
	json_put_integer(record, "calls", calling->calls);
	json_put_integer(record, "looks", calling->looks);
	json_put_integer(record, "refused", calling->refused);
	json_put_text_unless_empty(record, "said", said);
}

static bool submit(struct inventory_service *service, struct inventory_calling *calling,
	bool is_answer, struct error *err)
{
	struct fold_record *record;

	if (!fold_record_create(&record, service->parts.fold, RECORD_ARENA_BYTES_MAX, err))
		return false;
	record->context = calling;
	record->done = on_recorded;
	fold_record_start(
		record, is_answer ? "containment-answered" : "containment-called", calling->actor);
	json_put_text(&record->object, "account", calling->account);
	if (calling->is_back)
		json_put_boolean(&record->object, "back", true);
	if (is_answer) {
		put_answer(&record->object, calling);
		/* The row of the store is this record alone. */
		if (inventory_was_called(service, calling->account))
			json_put_boolean(&record->object, "called", true);
	}
	return fold_record_send(&record, err);
}

static bool need(const struct inventory_service *service, const struct inventory_calling *calling,
	struct error *err)
{
	return containment_find(service, calling->account) != NULL ||
	       error_set(err, ERROR_NOT_FOUND, "this account is not contained");
}

bool inventory_called(
	struct inventory_service *service, struct inventory_calling *calling, struct error *err)
{
	return need(service, calling, err) && submit(service, calling, false, err);
}

bool inventory_answered(
	struct inventory_service *service, struct inventory_calling *calling, struct error *err)
{
	return need(service, calling, err) && submit(service, calling, true, err);
}

/* ---- looking ---- */

static bool is_called(const struct containment *containment)
{
	return containment->is_calling || containment->answer == CONTAINMENT_ANSWER_CALLED;
}

bool inventory_is_called(const struct inventory_service *service, struct text account)
{
	const struct containment *containment = containment_find(service, account);

	return containment != NULL && is_called(containment);
}

bool inventory_next_called(const struct inventory_service *service, struct text after,
	struct text *out_account, bool *out_back)
{
	const struct containment *containment = name_table_next(service->containments, after);

	while (containment != NULL && !is_called(containment))
		containment = name_table_next(service->containments, containment->account);
	if (containment == NULL)
		return false;
	*out_account = containment->account;
	*out_back = containment->is_back;
	return true;
}

enum containment_answer inventory_answer(
	const struct inventory_service *service, struct text account)
{
	const struct containment *containment = containment_find(service, account);

	return containment == NULL ? CONTAINMENT_ANSWER_NONE : containment->answer;
}

struct consenting {
	const struct graph *graph;
	struct text *out;
	size_t count;
	size_t most;
};

static bool add_person(void *context, const struct graph_edge *edge)
{
	struct consenting *consenting = context;
	struct graph_node person;

	if (!graph_node(consenting->graph, edge->from, &person))
		return true;
	for (size_t i = 0; i < consenting->count; i++)
		if (text_equal(consenting->out[i], person.name))
			return true;
	if (consenting->count == consenting->most)
		return false;
	consenting->out[consenting->count++] = person.name;
	return true;
}

size_t inventory_consenting(const struct inventory_service *service, struct text account,
	struct text *out, size_t count)
{
	struct consenting consenting = {.graph = service->graph, .out = out, .most = count};
	struct graph_node node;

	if (service->graph != NULL &&
		graph_find(service->graph, GRAPH_NODE_ACCOUNT, account, &node))
		graph_each_in(
			service->graph, node.id, GRAPH_EDGE_CONSENTED, add_person, &consenting);
	return consenting.count;
}

bool calling_put(
	struct json_builder *object, const struct containment *containment, struct error *err)
{
	struct json_builder provider;
	struct json sealed;

	if (containment->answer == CONTAINMENT_ANSWER_NONE)
		return true;
	json_object_start(&provider, object->arena);
	json_put_cstring(&provider, "answer", containment_answer_word(containment->answer));
	json_put_cstring(&provider, "meaning", containment_answer_meaning(containment->answer));
	json_put_time(&provider, "at", containment->answered_utc_ms);
	if (containment->is_back)
		json_put_boolean(&provider, "back", true);
	json_put_integer(&provider, "record", (int64_t)containment->answered_index);
	if (containment->said[0] != '\0')
		json_put_cstring(&provider, "said", containment->said);
	if (!json_object_seal(&provider, &sealed, err))
		return false;
	json_put(object, "provider", sealed);
	return true;
}

/* How records become findings.
 *
 *   finding-opened   opens one, taking the place that finding_report held
 *   finding-closed   forgets it
 *
 * Rows of the store: finding / ID is the opened record; it goes when it is closed. */

#include "services/finding/finding_private.h"

static bool copy_member(
	struct finding_node *node, const struct json *record, const char *name, struct text *out)
{
	*out = text_copy(node->arena, json_text_or(record, name, ""));
	return out->data != NULL;
}

static bool copy_details(struct finding_node *node, const struct json *record, struct error *err)
{
	const struct json *details = json_find(record, "details");

	if (details == NULL)
		return true;
	if (!json_copy(&node->details, node->arena, details, err))
		return false;
	node->finding.details = &node->details;
	return true;
}

/* A kind of a later version is kept under the word of none: it is listed and closed. */
static bool node_read(
	struct finding_node *node, const struct json *record, uint64_t index, struct error *err)
{
	struct finding *finding = &node->finding;

	if (!copy_member(node, record, "finding", &finding->id) ||
		!copy_member(node, record, "subject", &finding->subject) ||
		!copy_member(node, record, "control", &finding->control) ||
		!copy_member(node, record, "what", &finding->what) ||
		!copy_member(node, record, "task", &finding->task) ||
		!copy_member(node, record, "unit", &finding->unit) ||
		!copy_member(node, record, "causer", &finding->causer))
		return error_set(err, ERROR_LIMIT, "a finding does not fit in memory");
	finding->kind = finding_kind_of(json_text_or(record, "kind", ""));
	finding->index = index;
	node->is_open = true;
	node->key = finding_key(node->arena, finding->kind, finding->subject);
	if (node->key.data == NULL)
		return error_set(err, ERROR_LIMIT, "a finding does not fit in memory");
	if (finding->id.length == 0 || finding->subject.length == 0 ||
		!json_need_integer(record, "at", &finding->opened_utc_ms, err))
		return error_set(err, ERROR_CORRUPT, "a finding-opened record is malformed");
	return copy_details(node, record, err);
}

/* Takes the place of what was on its way.  One that is open already stays. */
static bool node_insert(
	struct finding_service *service, struct finding_node *node, struct error *err)
{
	finding_node_destroy(name_table_remove(service->by_key, node->key));
	if (!name_table_put(service->by_id, node->finding.id, node))
		return error_set(err, ERROR_LIMIT, "no memory for a finding");
	if (name_table_put(service->by_key, node->key, node))
		return true;
	name_table_remove(service->by_id, node->finding.id);
	return error_set(err, ERROR_LIMIT, "no memory for a finding");
}

static bool is_known(const struct finding_service *service, const struct finding_node *node)
{
	const struct finding_node *same = name_table_find(service->by_key, node->key);

	return (same != NULL && same->is_open) ||
	       finding_node_find(service, node->finding.id) != NULL;
}

static void tell(struct finding_service *service, enum finding_event event,
	const struct finding *finding, const struct json *record)
{
	const struct finding_listener *listener = &service->listener;

	if (listener->on_event != NULL)
		listener->on_event(
			listener->context, event, finding, json_text_or(record, "actor", ""));
}

static bool fold_opened(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct finding_service *service = state;
	struct finding_node *node;

	if (!finding_node_create(&node, err))
		return false;
	if (!node_read(node, record, index, err))
		goto failed;
	if (is_known(service, node)) {
		finding_node_destroy(node);
		return true;
	}
	if (!node_insert(service, node, err))
		goto failed;
	if (!fold_is_loading(service->fold)) {
		service->figures.opened++;
		tell(service, FINDING_EVENT_OPENED, &node->finding, record);
	}
	return true;
failed:
	finding_node_destroy(node);
	return false;
}

/* What was reported while it was closed takes its place; on_closed has it written. */
static void put_again(struct finding_service *service, struct finding_node *again)
{
	if (again == NULL)
		return;
	if (name_table_put(service->by_key, again->key, again)) {
		finding_node_lose(service, again);
		return;
	}
	service->figures.refused++;
	finding_node_destroy(again);
}

static bool fold_closed(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct finding_service *service = state;
	struct finding_node *node = finding_node_find(service, json_text_or(record, "finding", ""));

	(void)index;
	(void)err;
	if (node == NULL)
		return true;
	name_table_remove(service->by_id, node->finding.id);
	name_table_remove(service->by_key, node->key);
	put_again(service, node->again);
	node->again = NULL;
	if (!fold_is_loading(service->fold)) {
		service->figures.closed++;
		tell(service, FINDING_EVENT_CLOSED, &node->finding, record);
	}
	finding_node_destroy(node);
	return true;
}

static void project_opened(const struct json *record, struct projection *projection)
{
	projection_put(projection, "finding", json_text_or(record, "finding", ""), record);
}

static void project_closed(const struct json *record, struct projection *projection)
{
	projection_delete(projection, "finding", json_text_or(record, "finding", ""));
}

bool finding_register(struct finding_service *service, struct error *err)
{
	const struct fold_handler opened = {
		.type = "finding-opened", .apply = fold_opened, .state = service};
	const struct fold_handler closed = {
		.type = "finding-closed", .apply = fold_closed, .state = service};
	static const struct fold_projector projectors[] = {
		{"finding-opened", project_opened},
		{"finding-closed", project_closed},
	};

	return fold_add(service->fold, &opened, err) && fold_add(service->fold, &closed, err) &&
	       fold_add_projector(service->fold, &projectors[0], err) &&
	       fold_add_projector(service->fold, &projectors[1], err);
}

/* How records become waivers.
 *
 * Rows of the store: waiver / ID and waiver-approved / ID, until it is ended;
 * excess-waiver / IDENTITY RESOURCE, the last `excess-waived` of it, which is written no more. */
#include "services/waiver/waiver_private.h"

#include <stdlib.h>

#include "domain/audit/envelope.h"
#include "domain/charter/effects.h"

enum { WAIVER_ARENA_BYTES_MAX = 64 * 1024 };

const char *waiver_of_member(enum waiver_kind kind)
{
	return kind == WAIVER_OF_EXCESS ? "identity" : "control";
}

const char *waiver_object_member(enum waiver_kind kind)
{
	return kind == WAIVER_OF_EXCESS ? "resource" : "object";
}

void waiver_node_destroy(void *value)
{
	struct waiver_node *node = value;

	if (node == NULL)
		return;
	arena_destroy(&node->arena);
	free(node);
}

/* Records of before there were kinds are of controls. */
static enum waiver_kind kind_of(const struct json *record)
{
	struct text word = json_text_or(record, "kind", "");

	if (word.length == 0)
		return WAIVER_OF_CONTROL;
	for (int kind = WAIVER_OF_CONTROL; kind < WAIVER_KIND_COUNT; kind++)
		if (text_is(word, waiver_kind_word((enum waiver_kind)kind)))
			return (enum waiver_kind)kind;
	return WAIVER_OF_NONE;
}

/* ---- one waiver ---- */

static struct waiver_node *node_create(uint64_t index, struct error *err)
{
	struct waiver_node *node = calloc(1, sizeof *node);

	if (node != NULL)
		node->arena = arena_create_small(WAIVER_ARENA_BYTES_MAX, 512);
	if (node == NULL || node->arena == NULL) {
		waiver_node_destroy(node);
		error_set(err, ERROR_LIMIT, "no memory for a waiver");
		return NULL;
	}
	node->waiver.index = index;
	return node;
}

static bool copy(
	struct waiver_node *node, const struct json *record, const char *member, struct text *out)
{
	*out = text_copy(node->arena, json_text_or(record, member, ""));
	return out->data != NULL;
}

static bool copy_texts(struct waiver_node *node, const struct json *record)
{
	struct waiver *waiver = &node->waiver;

	if (!copy(node, record, waiver_of_member(waiver->kind), &waiver->of) ||
		!copy(node, record, waiver_object_member(waiver->kind), &waiver->object) ||
		!copy(node, record, "reason", &waiver->reason) ||
		!copy(node, record, "unit", &waiver->unit))
		return false;
	waiver->by = text_copy(node->arena, actor_person(json_text_or(record, "actor", "")));
	node->key = text_format(node->arena, "%s %.*s %.*s", waiver_kind_word(waiver->kind),
		TEXT_ARGS(waiver->of), TEXT_ARGS(waiver->object));
	return waiver->by.data != NULL && node->key.data != NULL;
}

/* Kind and id are set. */
static bool node_read(struct waiver_node *node, const struct json *record, struct error *err)
{
	struct waiver *waiver = &node->waiver;

	if (waiver->id.data == NULL || !copy_texts(node, record))
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	waiver->effects = effects_read(json_find(record, "effects"));
	if (waiver->id.length == 0 || waiver->of.length == 0 || waiver->object.length == 0 ||
		waiver->by.length == 0 ||
		!json_need_integer(record, "until", &waiver->until_utc_s, err) ||
		!json_need_integer(record, "at", &waiver->asked_utc_ms, err))
		return error_set(err, ERROR_CORRUPT, "a record of a waiver is malformed");
	return true;
}

static void node_remove(struct waiver_service *service, struct waiver_node *node)
{
	name_table_remove(service->by_id, node->waiver.id);
	if (name_table_find(service->by_key, node->key) == node)
		name_table_remove(service->by_key, node->key);
	waiver_node_destroy(node);
}

static bool node_put(struct waiver_service *service, struct waiver_node *node, struct error *err)
{
	if (name_table_find(service->by_key, node->key) != NULL)
		name_table_remove(service->by_key, node->key);
	if (!name_table_put(service->by_id, node->waiver.id, node))
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	if (name_table_put(service->by_key, node->key, node))
		return true;
	name_table_remove(service->by_id, node->waiver.id);
	return error_set(err, ERROR_LIMIT, "no memory for a waiver");
}

/* ---- the fold ---- */

static bool fold_asked(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct waiver_service *service = state;
	enum waiver_kind kind = kind_of(record);
	struct waiver_node *node;

	/* Of a later version's kind nothing is known here, so it waives nothing. */
	if (kind == WAIVER_OF_NONE ||
		waiver_find(service, json_text_or(record, "waiver", "")) != NULL)
		return true;
	node = node_create(index, err);
	if (node == NULL)
		return false;
	node->waiver.kind = kind;
	if (copy(node, record, "waiver", &node->waiver.id) && node_read(node, record, err) &&
		node_put(service, node, err))
		return true;
	waiver_node_destroy(node);
	return false;
}

static bool fold_approved(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct waiver_service *service = state;
	struct waiver_node *node = waiver_find(service, json_text_or(record, "waiver", ""));

	(void)index;
	if (node == NULL)
		return true;
	node->waiver.approved_by =
		text_copy(node->arena, actor_person(json_text_or(record, "actor", "")));
	if (node->waiver.approved_by.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a waiver");
	service->generation++;
	return true;
}

static bool fold_ended(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct waiver_service *service = state;
	struct waiver_node *node = waiver_find(service, json_text_or(record, "waiver", ""));

	(void)index;
	(void)err;
	if (node != NULL)
		node_remove(service, node);
	service->generation++;
	return true;
}

/* ---- what one person waived, before it took two ---- */

static void forget_waived(struct waiver_service *service, const struct json *record)
{
	struct waiver_node *node = waiver_find_for(service, WAIVER_OF_EXCESS,
		json_text_or(record, "identity", ""), json_text_or(record, "resource", ""));

	if (node != NULL && text_starts_with(node->waiver.id, "w-record-"))
		node_remove(service, node);
}

/* Each takes the place of the one before; `until` 0 only ends it. */
static bool fold_waived(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct waiver_service *service = state;
	struct waiver_node *node;

	forget_waived(service, record);
	service->generation++;
	if (json_integer_or(record, "until", 0) == 0)
		return true;
	node = node_create(index, err);
	if (node == NULL)
		return false;
	node->waiver.kind = WAIVER_OF_EXCESS;
	node->waiver.id = text_format(node->arena, "w-record-%llu", (unsigned long long)index);
	if (node_read(node, record, err)) {
		node->waiver.approved_by = node->waiver.by;
		if (node_put(service, node, err))
			return true;
	}
	waiver_node_destroy(node);
	return false;
}

/* ---- rows ---- */

static struct text excess_key(const struct json *record, struct projection *projection)
{
	return text_format(projection_arena(projection), "%.*s %.*s",
		TEXT_ARGS(json_text_or(record, "identity", "")),
		TEXT_ARGS(json_text_or(record, "resource", "")));
}

static void project_waived(const struct json *record, struct projection *projection)
{
	struct text key = excess_key(record, projection);

	if (json_integer_or(record, "until", 0) == 0)
		projection_delete(projection, "excess-waiver", key);
	else
		projection_put(projection, "excess-waiver", key, record);
}

static void project_asked(const struct json *record, struct projection *projection)
{
	projection_put(projection, "waiver", json_text_or(record, "waiver", ""), record);
}

static void project_approved(const struct json *record, struct projection *projection)
{
	projection_put(projection, "waiver-approved", json_text_or(record, "waiver", ""), record);
}

static void project_ended(const struct json *record, struct projection *projection)
{
	struct text id = json_text_or(record, "waiver", "");

	if (text_starts_with(id, "w-record-"))
		projection_delete(projection, "excess-waiver", excess_key(record, projection));
	projection_delete(projection, "waiver", id);
	projection_delete(projection, "waiver-approved", id);
}

bool waiver_register(struct waiver_service *service, struct error *err)
{
	const struct fold_handler handlers[] = {
		{.type = "waiver-asked", .apply = fold_asked, .state = service},
		{.type = "waiver-approved", .apply = fold_approved, .state = service},
		{.type = "waiver-ended", .apply = fold_ended, .state = service},
		{.type = "excess-waived", .apply = fold_waived, .state = service},
	};
	static const struct fold_projector projectors[] = {
		{"waiver-asked", project_asked},
		{"waiver-approved", project_approved},
		{"waiver-ended", project_ended},
		{"excess-waived", project_waived},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(service->fold, &handlers[i], err) ||
			!fold_add_projector(service->fold, &projectors[i], err))
			return false;
	return true;
}

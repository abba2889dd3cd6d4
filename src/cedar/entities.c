/* Entity stores.  A store owns an arena for what it copies and a heap array of
 * nodes that may move until it is sealed; an overlay borrows everything and
 * lives in the caller's arena.
 *
 * Invariants of a sealed store:
 * E1 every parent of a node is a node here (maybe a placeholder) or below;
 * E2 ancestors holds every entity reachable over parents, itself never;
 * E3 a node of an overlay never hides one that E2 below was computed through;
 * E4 a uid that points into nodes is its node's and needs no look-up in this
 *    store; an overlay of it may hide the node, so there it does. */
#include "cedar/entities.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cedar/document.h"
#include "cedar/entities_inner.h"
#include "cedar/revision.h"
#include "cedar/sort.h"

enum {
	NODES_FIRST = 16,
	LINEAR_ANCESTORS_MAX = 8,
	FEW_PARENTS = 16, /* looked through one by one for those that repeat */
};

bool cedar_entities_create(struct cedar_entities **out, struct cedar_error *err)
{
	struct cedar_entities *entities = calloc(1, sizeof *entities);

	*out = NULL;
	if (entities == NULL)
		return cedar_fail_memory(err);
	/* Several times the text it is read from, and room for the closure. */
	entities->arena = arena_create(cedar_mib(CEDAR_STORE_MEMORY_MIB_MAX));
	entities->entities_max = CEDAR_ENTITIES_MAX;
	if (entities->arena == NULL) {
		free(entities);
		return cedar_fail_memory(err);
	}
	*out = entities;
	return true;
}

void cedar_entities_destroy(struct cedar_entities **entities)
{
	if (*entities == NULL)
		return;
	table_deinit(&(*entities)->table);
	free((*entities)->nodes);
	arena_destroy(&(*entities)->arena);
	free(*entities);
	*entities = NULL;
}

struct entity_node *entities_find_here(
	const struct cedar_entities *entities, const struct cedar_uid *uid)
{
	struct table_cursor cursor;
	uint32_t position;

	if (entities->table.slot_count == 0)
		return entities->revision == NULL ? NULL : revision_find(entities->revision, uid);
	cursor = table_start(&entities->table, cedar_uid_hash(uid));
	while (table_next(&entities->table, &cursor, &position)) {
		assert(entities->nodes != NULL); /* for there is a position in them */
		if (uid_equal(&entities->nodes[position].uid, uid))
			return &entities->nodes[position];
	}
	return NULL;
}

/* The node that a uid of this very store is part of, or NULL. */
static const struct entity_node *node_of(
	const struct cedar_entities *entities, const struct cedar_uid *uid)
{
	uintptr_t offset = (uintptr_t)uid - (uintptr_t)entities->nodes;

	if (offset >= entities->count * sizeof *entities->nodes)
		return NULL;
	return &entities->nodes[offset / sizeof *entities->nodes];
}

const struct entity_node *entities_find(
	const struct cedar_entities *entities, const struct cedar_uid *uid)
{
	const struct entity_node *own = NULL;

	if (entities != NULL && entities->is_sealed)
		own = node_of(entities, uid);
	if (own != NULL && own->is_present)
		return own;
	for (; entities != NULL; entities = entities->below) {
		const struct entity_node *node = entities_find_here(entities, uid);

		if (node != NULL && node->is_present)
			return node;
	}
	return NULL;
}

bool entities_check_whole(const struct cedar_entities *entities, struct cedar_error *err)
{
	assert(!entities->is_sealed);
	return !entities->has_failed ||
	       cedar_fail(err, CEDAR_ERROR_INVALID,
		       "a call failed before: this store can only be destroyed");
}

bool entities_reserve(struct cedar_entities *entities, uint32_t more, struct cedar_error *err)
{
	uint32_t capacity = entities->capacity == 0 ? NODES_FIRST : entities->capacity;
	struct entity_node *nodes;

	if (more > entities->entities_max - entities->count)
		return cedar_fail(
			err, CEDAR_ERROR_LIMIT, "more than %u entities", entities->entities_max);
	while (capacity < entities->count + more)
		capacity *= 2;
	if (!table_reserve(&entities->table, entities->count + more))
		return cedar_fail_memory(err);
	if (capacity == entities->capacity)
		return true;
	nodes = realloc(entities->nodes, capacity * sizeof *nodes);
	if (nodes == NULL)
		return cedar_fail_memory(err);
	entities->nodes = nodes;
	entities->capacity = capacity;
	return true;
}

const struct cedar_value *entities_record_or_empty(const struct cedar_value *value)
{
	static const struct cedar_value empty = {.type = CEDAR_RECORD, .depth = 1};

	return value->type == CEDAR_NONE ? &empty : value;
}

static int by_name(const void *a, const void *b)
{
	return cedar_uid_compare(a, b);
}

/* How many are left once each is there once. */
static size_t sort_once(struct cedar_uid *uids, size_t count)
{
	size_t kept = 0;

	sort_items(uids, count, sizeof *uids, by_name);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || cedar_uid_compare(&uids[kept - 1], &uids[i]) != 0)
			uids[kept++] = uids[i];
	return kept;
}

static bool same_uids(const struct cedar_uid *left, const struct cedar_uid *right, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (cedar_uid_compare(&left[i], &right[i]) != 0)
			return false;
	return true;
}

/* Whether both have the same, in whatever order and however often. */
static bool compare_parents(bool *out_is_same, const struct entity_node *node,
	const struct cedar_entity *entity, struct cedar_error *err)
{
	size_t left = node->parent_count, right = entity->parent_count;
	struct cedar_uid *uids = calloc(left + right + 1, sizeof *uids);

	if (uids == NULL)
		return cedar_fail_memory(err);
	if (left > 0)
		memcpy(uids, node->parents, left * sizeof *uids);
	if (right > 0)
		memcpy(uids + left, entity->parents, right * sizeof *uids);
	right = sort_once(uids + left, right);
	*out_is_same =
		right == sort_once(uids, left) && same_uids(uids, uids + node->parent_count, right);
	free(uids);
	return true;
}

static bool compare_entity(bool *out_is_same, const struct entity_node *node,
	const struct cedar_entity *entity, struct cedar_error *err)
{
	*out_is_same = cedar_value_equal(
			       &node->attributes, entities_record_or_empty(&entity->attributes)) &&
		       cedar_value_equal(&node->tags, entities_record_or_empty(&entity->tags));
	return !*out_is_same || compare_parents(out_is_same, node, entity, err);
}

bool entities_check_shape(const struct cedar_entity *entity, struct cedar_error *err)
{
	if (entities_record_or_empty(&entity->attributes)->type != CEDAR_RECORD ||
		entities_record_or_empty(&entity->tags)->type != CEDAR_RECORD)
		return cedar_fail(err, CEDAR_ERROR_INVALID, "attributes and tags must be records");
	if (entity->parent_count > CEDAR_ENTITIES_MAX)
		return cedar_fail(
			err, CEDAR_ERROR_LIMIT, "more than %d parents", CEDAR_ENTITIES_MAX);
	return true;
}

bool entities_check_given(const struct cedar_entity *entity, struct cedar_error *err)
{
	if (!entities_check_shape(entity, err) || !cedar_check_uid(&entity->uid, "the entity", err))
		return false;
	for (size_t i = 0; i < entity->parent_count; i++) {
		if (!cedar_check_uid(&entity->parents[i], "a parent", err))
			return false;
	}
	return cedar_check_value(
		       entities_record_or_empty(&entity->attributes), "the attributes", err) &&
	       cedar_check_value(entities_record_or_empty(&entity->tags), "the tags", err);
}

static bool fail_duplicate(const struct cedar_uid *uid, struct cedar_error *err)
{
	return cedar_fail(err, CEDAR_ERROR_INVALID, "two different entities %.*s::\"%.*s\"",
		(int)uid->type.length, uid->type.data, (int)uid->id.length, uid->id.data);
}

/* By name, and of the same name the one that stands first. */
static int by_name_and_place(const void *a, const void *b)
{
	const struct cedar_uid *left = *(const struct cedar_uid *const *)a;
	const struct cedar_uid *right = *(const struct cedar_uid *const *)b;
	int order = cedar_uid_compare(left, right);

	return order != 0 ? order : (left > right) - (left < right);
}

/* Those that stand there a second time; zeroed, freed by the caller.  NULL without memory. */
static bool *find_repeated(const struct cedar_entity *entity)
{
	size_t count = entity->parent_count;
	const struct cedar_uid **sorted = calloc(count + 1, sizeof *sorted);
	bool *repeated = calloc(count + 1, sizeof *repeated);

	for (size_t i = 0; sorted != NULL && i < count; i++)
		sorted[i] = &entity->parents[i];
	if (sorted == NULL || repeated == NULL) {
		free(repeated);
		free((void *)sorted);
		return NULL;
	}
	sort_items((void *)sorted, count, sizeof *sorted, by_name_and_place);
	for (size_t i = 1; i < count; i++)
		if (cedar_uid_compare(sorted[i - 1], sorted[i]) == 0)
			repeated[sorted[i] - entity->parents] = true;
	free((void *)sorted);
	return repeated;
}

/* repeated: NULL where there are few. */
static bool is_repeated(const struct cedar_entity *entity, const bool *repeated, size_t at)
{
	if (repeated != NULL)
		return repeated[at];
	for (size_t i = 0; i < at; i++)
		if (cedar_uid_equal(&entity->parents[i], &entity->parents[at]))
			return true;
	return false;
}

/* Each once, where it stands first: what is given twice is compared with what is kept. */
static bool copy_parents(struct entity_node *node, struct arena *arena,
	const struct cedar_entity *entity, struct cedar_error *err)
{
	struct cedar_uid *parents = arena_array(arena, struct cedar_uid, entity->parent_count);
	bool has_many = entity->parent_count > FEW_PARENTS;
	bool *repeated = has_many ? find_repeated(entity) : NULL;
	bool ok = parents != NULL && (repeated != NULL || !has_many);

	node->parents = parents;
	node->parent_count = 0;
	for (size_t i = 0; ok && i < entity->parent_count; i++)
		if (!is_repeated(entity, repeated, i))
			ok = cedar_uid_fill(
				&parents[node->parent_count++], arena, &entity->parents[i]);
	free(repeated);
	return ok || cedar_fail_memory(err);
}

/* An entity whose texts are in order. */
static bool add_checked(
	struct cedar_entities *entities, const struct cedar_entity *entity, struct cedar_error *err)
{
	struct entity_node node = {.is_present = true};
	const struct entity_node *old = entities_find_here(entities, &entity->uid);
	bool is_same;

	if (old != NULL) {
		if (!compare_entity(&is_same, old, entity, err))
			return false;
		if (!is_same)
			return fail_duplicate(&entity->uid, err);
		entities->nodes[old - entities->nodes].is_declared = false; /* it is listed now */
		return true;
	}
	if (!entities_reserve(entities, 1, err))
		return false;
	if (!cedar_uid_fill(&node.uid, entities->arena, &entity->uid))
		return cedar_fail_memory(err);
	if (!cedar_value_copy(&node.attributes, entities->arena,
		    entities_record_or_empty(&entity->attributes), err) ||
		!cedar_value_copy(&node.tags, entities->arena,
			entities_record_or_empty(&entity->tags), err) ||
		!copy_parents(&node, entities->arena, entity, err))
		return false;
	table_put(&entities->table, node.uid.hash, entities->count);
	entities->nodes[entities->count++] = node;
	entities->present_count++;
	return true;
}

bool cedar_entities_add(
	struct cedar_entities *entities, const struct cedar_entity *entity, struct cedar_error *err)
{
	return entities_check_whole(entities, err) && entities_check_given(entity, err) &&
	       add_checked(entities, entity, err);
}

/* JSON holds nothing but UTF-8, and whoever read it looked at the types. */
bool entities_add_read(struct cedar_entities *entities, const struct document_reader *reader,
	const struct document *object, const struct cedar_entity *entity)
{
	struct cedar_error *err = reader->err;

	assert(!entities->is_sealed);
	if (entities_check_shape(entity, err) && add_checked(entities, entity, err))
		return true;
	if (err->code == CEDAR_ERROR_INVALID)
		cedar_place(reader->source, object->at, &err->line, &err->column);
	return false;
}

bool cedar_entities_add_json(
	struct cedar_entities *entities, struct cedar_text json, struct cedar_error *err)
{
	struct document_reader reader = {.source = json, .err = err};
	struct document *root;
	struct cedar_entity entity;
	bool ok = false;

	if (!entities_check_whole(entities, err))
		return false;
	reader.arena = arena_create(cedar_mib(CEDAR_STORE_MEMORY_MIB_MAX));
	if (reader.arena == NULL)
		return cedar_fail_memory(err);
	if (!document_parse(&root, reader.arena, json, err))
		goto done;
	if (root->type != DOCUMENT_ARRAY) {
		document_fail(&reader, root, "expected an array of entities");
		goto done;
	}
	for (const struct document *object = root->first; object != NULL; object = object->next) {
		if (!document_entity(&reader, object, &entity) ||
			!entities_add_read(entities, &reader, object, &entity))
			goto done;
	}
	ok = true;
done:
	entities->has_failed = !ok;
	arena_destroy(&reader.arena);
	return ok;
}

uint32_t entities_count_parents(const struct cedar_entities *entities)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < entities->count; i++)
		count += entities->nodes[i].parent_count;
	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

bool cedar_entities_seal(struct cedar_entities *entities, struct cedar_error *err)
{
	if (!entities_check_whole(entities, err))
		return false;
	entities->is_sealed = entities_close(entities, err) && entities_intern(entities, err);
	entities->has_failed = !entities->is_sealed;
	return entities->is_sealed;
}

/* E3: what others were closed through must not change. */
static bool check_hiding(const struct cedar_entities *below, const struct cedar_entity *entity,
	struct cedar_error *err)
{
	for (; below != NULL; below = below->below) {
		const struct entity_node *node = entities_find_here(below, &entity->uid);

		if (node != NULL && node->is_parent &&
			(node->is_present || entity->parent_count > 0))
			return cedar_fail(err, CEDAR_ERROR_INVALID,
				"%.*s::\"%.*s\" is a parent in the store below",
				(int)entity->uid.type.length, entity->uid.type.data,
				(int)entity->uid.id.length, entity->uid.id.data);
	}
	return true;
}

static bool overlay_add(
	struct cedar_entities *overlay, const struct cedar_entity *entity, struct cedar_error *err)
{
	struct entity_node *node = &overlay->nodes[overlay->count];

	if (!entities_check_shape(entity, err) || !check_hiding(overlay->below, entity, err))
		return false;
	if (entities_find_here(overlay, &entity->uid) != NULL)
		return fail_duplicate(&entity->uid, err);
	*node = (struct entity_node){.uid = entity->uid,
		.attributes = *entities_record_or_empty(&entity->attributes),
		.tags = *entities_record_or_empty(&entity->tags),
		.parents = entity->parents,
		.parent_count = (uint32_t)entity->parent_count,
		.is_present = true};
	node->uid.hash = cedar_uid_hash(&entity->uid);
	table_put(&overlay->table, node->uid.hash, overlay->count);
	overlay->count++;
	overlay->present_count++;
	return true;
}

bool cedar_entities_overlay(const struct cedar_entities **out, struct cedar_arena *arena,
	const struct cedar_entities *below, const struct cedar_entity *added, size_t count,
	struct cedar_error *err)
{
	struct arena *inner = cedar_arena_inner(arena);
	struct cedar_entities *overlay = arena_new(inner, struct cedar_entities);
	size_t capacity = count;

	*out = NULL;
	assert(below == NULL || below->is_sealed);
	for (size_t i = 0; i < count; i++)
		capacity += added[i].parent_count;
	if (overlay == NULL || capacity > CEDAR_ENTITIES_MAX)
		return cedar_fail_memory(err);
	overlay->arena = inner;
	overlay->below = below;
	overlay->table.arena = inner;
	overlay->capacity = (uint32_t)capacity;
	overlay->entities_max = CEDAR_ENTITIES_MAX;
	overlay->nodes = arena_array(inner, struct entity_node, capacity);
	if (overlay->nodes == NULL || !table_reserve(&overlay->table, (uint32_t)capacity))
		return cedar_fail_memory(err);
	for (size_t i = 0; i < count; i++) {
		if (!overlay_add(overlay, &added[i], err))
			return false;
	}
	if (!entities_close(overlay, err))
		return false;
	overlay->is_sealed = true;
	*out = overlay;
	return true;
}

size_t cedar_entities_count(const struct cedar_entities *entities)
{
	return entities->present_count;
}

static struct cedar_entity entity_of(const struct entity_node *node)
{
	return (struct cedar_entity){.uid = node->uid,
		.attributes = node->attributes,
		.tags = node->tags,
		.parents = node->parents,
		.parent_count = node->parent_count};
}

bool cedar_entities_find(const struct cedar_entities *entities, const struct cedar_uid *uid,
	struct cedar_entity *out)
{
	const struct entity_node *node = entities_find(entities, uid);

	*out = (struct cedar_entity){0};
	if (node == NULL)
		return false;
	*out = entity_of(node);
	return true;
}

void entities_visit_nodes(const struct cedar_entities *entities,
	bool (*visit)(void *closure, const struct entity_node *node), void *closure)
{
	bool goes_on = true;

	if (entities->revision != NULL)
		revision_visit(entities->revision, visit, closure);
	for (uint32_t i = 0; goes_on && i < entities->count; i++)
		goes_on = visit(closure, &entities->nodes[i]);
}

struct visiting {
	bool (*visit)(void *closure, const struct cedar_entity *entity);
	void *closure;
};

static bool visit_present(void *closure, const struct entity_node *node)
{
	const struct visiting *visiting = closure;
	struct cedar_entity entity = entity_of(node);

	return !node->is_present || visiting->visit(visiting->closure, &entity);
}

void cedar_entities_visit(const struct cedar_entities *entities,
	bool (*visit)(void *closure, const struct cedar_entity *entity), void *closure)
{
	struct visiting visiting = {visit, closure};

	assert(entities->is_sealed);
	entities_visit_nodes(entities, visit_present, &visiting);
}

bool entities_has_ancestor(const struct cedar_entities *entities, const struct entity_node *node,
	const struct cedar_uid *uid)
{
	const struct entity_node *own;

	if (node == NULL || node->ancestor_bits == NULL)
		return entity_has_ancestor(node, uid);
	own = node_of(entities, uid);
	if (own == NULL || node_of(entities, &node->uid) == NULL)
		return entity_has_ancestor(node, uid);
	return (node->ancestor_bits[(own - entities->nodes) / 64] >>
			       ((own - entities->nodes) % 64) &
		       1) != 0;
}

/* The first ancestor whose hash is not less; a few are found faster one by one. */
static uint32_t first_ancestor(const struct entity_node *node, uint64_t hash)
{
	uint32_t low = 0, high = node->ancestor_count;

	if (high <= LINEAR_ANCESTORS_MAX) {
		while (low < high && node->ancestors[low].hash < hash)
			low++;
		return low;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (node->ancestors[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool entity_has_ancestor(const struct entity_node *node, const struct cedar_uid *uid)
{
	uint64_t hash = cedar_uid_hash(uid);

	if (node == NULL || (node->ancestor_filter & entity_filter(hash)) == 0)
		return false;
	for (uint32_t at = first_ancestor(node, hash);
		at < node->ancestor_count && node->ancestors[at].hash == hash; at++) {
		if (uid_equal(node->ancestors[at].uid, uid))
			return true;
	}
	return false;
}

bool cedar_entities_in(const struct cedar_entities *entities, const struct cedar_uid *uid,
	const struct cedar_uid *ancestor)
{
	return cedar_uid_equal(uid, ancestor) ||
	       entity_has_ancestor(entities_find(entities, uid), ancestor);
}

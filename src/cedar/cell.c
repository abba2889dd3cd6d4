/* What revisions are made of: names, records, lineages and cells, each counted.  A
 * cell borrows the texts of its name, the values of its record and the list of its
 * lineage, and holds all three. */
#include <stdlib.h>

#include "cedar/revision.h"

/* Most records are small, and there may be millions. */
enum { RECORD_BYTES_FIRST = 256 };

static void destroy_name(struct shared *shared)
{
	free(shared);
}

struct name *name_create(const struct cedar_uid *uid)
{
	struct name *name = calloc(1, sizeof *name + uid->type.length + uid->id.length + 1);

	if (name == NULL)
		return NULL;
	shared_init(&name->item.shared, destroy_name);
	if (uid->type.length > 0)
		memcpy(name->text, uid->type.data, uid->type.length);
	if (uid->id.length > 0)
		memcpy(name->text + uid->type.length, uid->id.data, uid->id.length);
	name->uid.type = (struct cedar_text){name->text, uid->type.length};
	name->uid.id = (struct cedar_text){name->text + uid->type.length, uid->id.length};
	name->uid.hash = cedar_uid_hash(uid);
	name->item.uid = &name->uid;
	return name;
}

static void destroy_record(struct shared *shared)
{
	struct record *record = (struct record *)shared;

	arena_destroy(&record->arena);
	free(record);
}

static int order_uids(const void *a, const void *b)
{
	return cedar_uid_compare(a, b);
}

/* Each parent once. */
static bool copy_parents(
	struct record *record, const struct cedar_entity *entity, struct cedar_error *err)
{
	struct cedar_uid *parents =
		arena_array(record->arena, struct cedar_uid, entity->parent_count);
	uint32_t kept = 0;

	if (parents == NULL)
		return cedar_fail_memory(err);
	if (entity->parent_count > 0)
		memcpy(parents, entity->parents, entity->parent_count * sizeof *parents);
	qsort(parents, entity->parent_count, sizeof *parents, order_uids);
	for (size_t i = 0; i < entity->parent_count; i++) {
		if (kept > 0 && uid_equal(&parents[kept - 1], &parents[i]))
			continue;
		if (!cedar_uid_fill(&parents[kept++], record->arena, &parents[i]))
			return cedar_fail_memory(err);
	}
	record->parents = parents;
	record->parent_count = kept;
	return true;
}

bool record_create(struct record **out, const struct cedar_entity *entity, struct cedar_error *err)
{
	struct record *record = NULL;

	*out = NULL;
	if (!entities_check_given(entity, err))
		return false;
	record = calloc(1, sizeof *record);
	if (record == NULL)
		return cedar_fail_memory(err);
	shared_init(&record->shared, destroy_record);
	record->arena =
		arena_create_small(cedar_mib(CEDAR_STORE_MEMORY_MIB_MAX), RECORD_BYTES_FIRST);
	if (record->arena == NULL) {
		cedar_fail_memory(err);
		goto fail;
	}
	if (!cedar_value_copy(&record->attributes, record->arena,
		    entities_record_or_empty(&entity->attributes), err) ||
		!cedar_value_copy(&record->tags, record->arena,
			entities_record_or_empty(&entity->tags), err) ||
		!copy_parents(record, entity, err))
		goto fail;
	*out = record;
	return true;
fail:
	shared_release(&record->shared);
	return false;
}

static void destroy_lineage(struct shared *shared)
{
	struct lineage *lineage = (struct lineage *)shared;

	for (uint32_t i = 0; i < lineage->count; i++) {
		if (lineage->names[i] != NULL)
			shared_release(&lineage->names[i]->item.shared);
	}
	free(lineage);
}

struct lineage *lineage_create(uint32_t count)
{
	size_t each = sizeof(struct ancestor) + sizeof(struct name *);
	struct lineage *lineage = calloc(1, sizeof *lineage + count * each);

	if (lineage == NULL)
		return NULL;
	shared_init(&lineage->shared, destroy_lineage);
	lineage->names = (struct name **)(void *)&lineage->list[count];
	lineage->count = count;
	return lineage;
}

static void destroy_cell(struct shared *shared)
{
	struct cell *cell = (struct cell *)shared;

	if (cell->name != NULL)
		shared_release(&cell->name->item.shared);
	if (cell->record != NULL)
		shared_release(&cell->record->shared);
	if (cell->lineage != NULL)
		shared_release(&cell->lineage->shared);
	shared_release(cell->children);
	free(cell);
}

static void copy_cell(struct cell *cell, const struct cell *from)
{
	cell->node = from->node;
	cell->record = from->record;
	cell->lineage = from->lineage;
	cell->children = from->children;
	cell->child_count = from->child_count;
	cell->founded_plus_1 = from->founded_plus_1;
	cell->name = from->name;
	if (cell->record != NULL)
		shared_hold(&cell->record->shared);
	if (cell->lineage != NULL)
		shared_hold(&cell->lineage->shared);
	shared_hold(cell->children);
	shared_hold(&cell->name->item.shared);
}

static bool found_cell(struct cell *cell, const struct foundation *foundation,
	const struct cedar_uid *uid, struct cedar_error *err)
{
	const struct entity_node *node = entities_find_here(foundation->store, uid);

	cell->name = name_create(uid);
	if (cell->name == NULL)
		return cedar_fail_memory(err);
	if (node != NULL) {
		uint32_t index = (uint32_t)(node - foundation->store->nodes);

		cell->node = *node;
		cell->founded_plus_1 = index + 1;
		cell->child_count = foundation->first[index + 1] - foundation->first[index];
	}
	return true;
}

bool cell_create(struct cell **out, const struct revision *revision, const struct cell *now,
	const struct cedar_uid *uid, struct cedar_error *err)
{
	struct cell *cell = calloc(1, sizeof *cell);

	*out = NULL;
	if (cell == NULL)
		return cedar_fail_memory(err);
	shared_init(&cell->item.shared, destroy_cell);
	if (now != NULL) {
		copy_cell(cell, now);
	} else if (!found_cell(cell, revision->foundation, uid, err)) {
		shared_release(&cell->item.shared);
		return false;
	}
	cell->item.uid = &cell->node.uid;
	cell->node.uid = cell->name->uid;
	cell->node.ancestor_bits = NULL;
	cell->replaced_ancestors = cell->lineage == NULL ? 0 : cell->lineage->count;
	cell->replaced_is_present = cell->node.is_present;
	*out = cell;
	return true;
}

bool cell_has_parent(const struct cell *cell, const struct cedar_uid *parent)
{
	const struct record *record = cell->record;

	if (record == NULL)
		return cell->node.is_present;
	return record->parent_count > 0 && bsearch(parent, record->parents, record->parent_count,
						   sizeof *parent, order_uids) != NULL;
}

void cell_set_record(struct cell *cell, struct record *record)
{
	struct entity_node *node = &cell->node;

	if (cell->record != NULL)
		shared_release(&cell->record->shared);
	cell->record = record;
	node->is_present = record != NULL;
	node->is_declared = false; /* whoever changes it lists it */
	node->attributes = record == NULL ? (struct cedar_value){0} : record->attributes;
	node->tags = record == NULL ? (struct cedar_value){0} : record->tags;
	node->parents = record == NULL ? NULL : record->parents;
	node->parent_count = record == NULL ? 0 : record->parent_count;
}

void cell_set_lineage(struct cell *cell, struct lineage *lineage)
{
	struct entity_node *node = &cell->node;

	if (cell->lineage != NULL)
		shared_release(&cell->lineage->shared);
	cell->lineage = lineage;
	node->ancestors = lineage == NULL ? NULL : lineage->list;
	node->ancestor_count = lineage == NULL ? 0 : lineage->count;
	node->ancestor_filter = 0;
	for (uint32_t i = 0; i < node->ancestor_count; i++)
		node->ancestor_filter |= entity_filter(lineage->list[i].hash);
}

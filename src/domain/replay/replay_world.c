/* A registry and its tasks, folded from the log by what the daemon folds with; with a candidate,
 * from a log that always had it.
 *
 * A candidate policy is put before the first entry, and what the log does to one of
 * its name is left out.  Any other candidate takes the place of the document in each
 * version the log puts, so that versions and states go on as they did. */
#include <stdlib.h>

#include "domain/charter/registry_fold.h"
#include "domain/replay/replay_private.h"

enum { ENTRY_ARENA_BYTES_MAX = 256 * 1024 * 1024 };

/* ---- the candidate ---- */

static const struct object *candidate_find(
	const struct replay_world *world, enum object_kind kind, struct text name, size_t *at)
{
	const struct replay_candidate *candidate = world->candidate;

	for (size_t i = 0; candidate != NULL && i < candidate->count; i++) {
		*at = i;
		if (candidate->objects[i]->kind == kind &&
			text_equal(candidate->objects[i]->name, name))
			return candidate->objects[i];
	}
	return NULL;
}

/* What becomes of one change of the log. */
enum fate { FATE_KEPT = 0, FATE_DROPPED, FATE_REPLACED };

static enum fate fate_of(
	struct replay_world *world, const struct json *change, const struct object **instead)
{
	enum object_kind kind = object_kind_of(json_text_or(change, "kind", ""));
	size_t at;

	if (kind == OBJECT_NONE || world->candidate == NULL)
		return FATE_KEPT;
	*instead = candidate_find(world, kind, json_text_or(change, "name", ""), &at);
	if (*instead != NULL)
		world->is_used[at] = true;
	if (kind == OBJECT_POLICY)
		return *instead != NULL || world->candidate->is_prune ? FATE_DROPPED : FATE_KEPT;
	return *instead != NULL && json_find(change, "object") != NULL ? FATE_REPLACED : FATE_KEPT;
}

static bool replace_object(struct replay_world *world, const struct json *change,
	const struct object *instead, struct json *out, struct error *err)
{
	struct json_builder builder;

	json_object_start(&builder, world->arena);
	for (uint32_t i = 0; i < change->count; i++) {
		const struct json_member *member = &change->members[i];

		json_put_named(&builder, member->name,
			text_is(member->name, "object") ? instead->as_read : member->value);
	}
	return json_object_seal(&builder, out, err);
}

/* The changes as they would be; *is_same if the candidate has nothing to do with
 * them. */
static bool changes_rewrite(struct replay_world *world, const struct json *changes,
	struct json *out, bool *is_same, struct error *err)
{
	struct json_builder list;

	*is_same = true;
	json_array_start(&list, world->arena);
	for (uint32_t i = 0; i < changes->count; i++) {
		const struct object *instead = NULL;
		enum fate fate = fate_of(world, &changes->items[i], &instead);
		struct json change = changes->items[i];

		*is_same = *is_same && fate == FATE_KEPT;
		if (fate == FATE_REPLACED &&
			!replace_object(world, &changes->items[i], instead, &change, err))
			return false;
		if (fate != FATE_DROPPED)
			json_add(&list, change);
	}
	return json_array_seal(&list, out, err);
}

/* The record with other changes in it. */
static bool record_rewrite(struct replay_world *world, const struct json *record,
	const struct json *changes, struct json *out, struct error *err)
{
	struct json_builder builder;

	json_object_start(&builder, world->arena);
	for (uint32_t i = 0; i < record->count; i++)
		if (!text_is(record->members[i].name, "changes"))
			json_put_named(&builder, record->members[i].name, record->members[i].value);
	json_put(&builder, "changes", *changes);
	return json_object_seal(&builder, out, err);
}

/* The record as it would be with the candidate. */
static bool candidate_rewrite(
	struct replay_world *world, const struct json *record, struct json *out, struct error *err)
{
	const struct json *changes = json_find(record, "changes");
	struct json rewritten;
	bool is_same;

	*out = *record;
	if (world->candidate == NULL || changes == NULL || changes->type != JSON_ARRAY)
		return true;
	if (!changes_rewrite(world, changes, &rewritten, &is_same, err))
		return false;
	return is_same || record_rewrite(world, record, &rewritten, out, err);
}

static bool policy_change(struct replay_world *world, const struct object *object, struct json *out,
	struct error *err)
{
	struct json_builder change;

	json_object_start(&change, world->arena);
	json_put_cstring(&change, "op", "put");
	json_put_cstring(&change, "kind", "policy");
	json_put_text(&change, "name", object->name);
	json_put_integer(&change, "version", 1);
	json_put_integer(&change, "in_force", 1);
	json_put(&change, "object", object->as_read);
	return json_object_seal(&change, out, err);
}

/* As if the log began with the candidate's policies. */
static bool put_policies(struct replay_world *world, struct error *err)
{
	const struct replay_candidate *candidate = world->candidate;
	struct json_builder list, record;
	struct json changes, change, sealed;

	json_array_start(&list, world->arena);
	for (size_t i = 0; i < candidate->count; i++) {
		if (candidate->objects[i]->kind != OBJECT_POLICY)
			continue;
		if (!policy_change(world, candidate->objects[i], &change, err))
			return false;
		json_add(&list, change);
		world->is_used[i] = true;
	}
	if (!json_array_seal(&list, &changes, err))
		return false;
	json_object_start(&record, world->arena);
	json_put_cstring(&record, "type", "registry");
	json_put(&record, "changes", changes);
	return json_object_seal(&record, &sealed, err) &&
	       registry_fold(world->registry, &sealed, world->scratch, err) &&
	       registry_settle(world->registry, err);
}

/* ---- the world ---- */

bool replay_world_open(
	struct replay_world *world, const struct replay_candidate *candidate, struct error *err)
{
	bool ok;

	*world = (struct replay_world){.candidate = candidate,
		.arena = arena_create(ENTRY_ARENA_BYTES_MAX),
		.scratch = arena_create(ENTRY_ARENA_BYTES_MAX),
		.reads = name_table_create()};
	if (candidate != NULL)
		world->is_used = calloc(candidate->count + 1, sizeof *world->is_used);
	if (world->arena == NULL || world->scratch == NULL || world->reads == NULL ||
		(candidate != NULL && world->is_used == NULL))
		return error_set(err, ERROR_LIMIT, "no memory to replay in");
	ok = registry_create(&world->registry, err) &&
	     entity_table_create(&world->entities, world->registry, err) &&
	     task_table_create(&world->tasks, REPLAY_TASKS_MAX, err) &&
	     (candidate == NULL || put_policies(world, err));
	arena_reset(world->arena);
	return ok;
}

struct kept_reads {
	struct sha256 digest; /* of the tool they are of */
	struct tool_reads *reads;
};

static void kept_reads_destroy(void *value)
{
	struct kept_reads *kept = value;

	tool_reads_destroy(&kept->reads);
	free(kept);
}

void replay_world_close(struct replay_world *world)
{
	name_table_destroy(&world->reads, kept_reads_destroy);
	task_table_destroy(&world->tasks);
	entity_table_destroy(&world->entities);
	registry_destroy(&world->registry);
	arena_destroy(&world->arena);
	arena_destroy(&world->scratch);
	free(world->is_used);
	world->is_used = NULL;
}

bool replay_world_fold(
	struct replay_world *world, const struct json *record, uint64_t index, struct error *err)
{
	struct json folded;
	bool ok = candidate_rewrite(world, record, &folded, err) &&
		  registry_fold(world->registry, &folded, world->scratch, err) &&
		  task_table_fold(world->tasks, &folded, index, err);

	arena_reset(world->arena);
	return ok;
}

bool replay_world_settle(struct replay_world *world, struct error *err)
{
	/* Not the revision, which is what the log says. */
	uint64_t generation = registry_generation(world->registry);

	if (generation == world->settled)
		return true;
	if (!registry_settle(world->registry, err))
		return false;
	world->settled = generation;
	return true;
}

static struct kept_reads *kept_reads_get(struct replay_world *world, struct text tool)
{
	struct kept_reads *kept = name_table_find(world->reads, tool);

	if (kept != NULL)
		return kept;
	kept = calloc(1, sizeof *kept);
	if (kept != NULL && !name_table_put(world->reads, tool, kept)) {
		free(kept);
		return NULL;
	}
	return kept;
}

const struct tool_reads *replay_world_reads(struct replay_world *world, struct text tool)
{
	const struct registry_entry *entry = registry_find(world->registry, OBJECT_TOOL, tool);
	const struct object *object = entry == NULL ? NULL : entry->in_force;
	struct kept_reads *kept;
	struct error err;

	if (object == NULL || object->tool->reads_count == 0)
		return NULL;
	kept = kept_reads_get(world, tool);
	if (kept == NULL)
		return NULL;
	if (kept->reads != NULL && sha256_equal(&kept->digest, &object->digest))
		return kept->reads;
	tool_reads_destroy(&kept->reads);
	kept->digest = object->digest;
	return tool_reads_compile(&kept->reads, object->tool, &err) ? kept->reads : NULL;
}

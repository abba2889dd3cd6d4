/* The path of a task, for people: from the first identity to the one that acts, what each
 * may do by the charters in force, and what the hop to it took away.  It decides nothing. */
#include "domain/charter/peer.h"
#include "domain/decide/hand_on.h"
#include "services/issue/issue_private.h"

/* One task of the path, with the chain down to it. */
struct hop {
	const struct issue *issue;
	struct arena *arena;
	const struct task *task;
	struct chain chain;
	enum sensitivity up_to; /* of all lines on the way; UNLABELLED: no hop yet */
};

/* ---- lines of its charter ---- */

static bool put_lines(struct json_builder *object, const char *name, const struct hop *hop,
	bool is_handed, struct error *err)
{
	const struct registry *registry = hop->issue->parts.registry;
	const struct charter *charter = registry_find_charter(registry, hop->task->identity);
	struct json_builder array;
	struct json list;

	json_array_start(&array, hop->arena);
	for (uint32_t i = 0; charter != NULL && i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (line->resource_kind != RESOURCE_TOOL && line->resource_kind != RESOURCE_MODEL)
			continue;
		if (decide_is_handed(registry, &hop->chain, line) == is_handed)
			json_add(&array,
				json_string(text_format(hop->arena, "%s %.*s",
					effect_word(line->effect), TEXT_ARGS(line->resource))));
	}
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, name, list);
	return true;
}

/* ---- the line it came over ---- */

static bool put_texts(struct json_builder *object, const char *name, const struct text *texts,
	uint32_t count, struct error *err)
{
	struct json_builder array;
	struct json list;

	if (count == 0)
		return true;
	json_array_start(&array, object->arena);
	for (uint32_t i = 0; i < count; i++)
		json_add(&array, json_string(texts[i]));
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, name, list);
	return true;
}

static bool put_effects(
	struct json_builder *object, const struct charter_peer *peer, struct error *err)
{
	struct json_builder array;
	struct json list;

	json_array_start(&array, object->arena);
	for (int effect = EFFECT_READ; effect <= EFFECT_GENERATE; effect++)
		if (peer_has_effect(peer, (enum effect)effect))
			json_add(&array, json_cstring(effect_word((enum effect)effect)));
	if (!json_array_seal(&array, &list, err))
		return false;
	json_put(object, "effects", list);
	return true;
}

/* null: no line in force names it, so nothing is handed on any more. */
static bool line_json(struct json *out, struct hop *hop, struct text from, struct error *err)
{
	const struct charter *charter = registry_find_charter(hop->issue->parts.registry, from);
	const struct charter_peer *peer =
		charter == NULL ? NULL : charter_find_peer(charter, hop->task->identity);
	struct json_builder object;

	*out = json_null();
	if (peer == NULL)
		return true;
	if (hop->up_to == SENSITIVITY_UNLABELLED ||
		sensitivity_level(peer->up_to) < sensitivity_level(hop->up_to))
		hop->up_to = peer->up_to;
	json_object_start(&object, hop->arena);
	json_put_cstring(&object, "up_to", sensitivity_word(peer->up_to));
	json_put_integer(&object, "depth", peer->depth);
	return put_effects(&object, peer, err) &&
	       put_texts(&object, "tools", peer->tools, peer->tools_count, err) &&
	       json_object_seal(&object, out, err);
}

static bool put_origin(struct json_builder *object, struct hop *hop, struct error *err)
{
	const struct task *above = hop->task->parent;
	struct json line;

	if (above == NULL)
		return true;
	json_put_text(object, "above", above->id);
	json_put_integer(
		object, "ends_earlier_ms", above->deadline_utc_ms - hop->task->deadline_utc_ms);
	if (text_equal(above->identity, hop->task->identity))
		return true;
	json_put_text(object, "from", above->identity);
	if (!line_json(&line, hop, above->identity, err))
		return false;
	json_put(object, "line", line);
	return true;
}

/* ---- the whole ---- */

static void put_identity(struct json_builder *object, const struct hop *hop)
{
	const struct registry_entry *entry =
		registry_find_identity(hop->issue->parts.registry, hop->task->identity);

	json_put_text(object, "identity", hop->task->identity);
	if (entry == NULL || entry->in_force == NULL)
		return;
	json_put_text(object, "charter",
		text_format(
			hop->arena, "%.*s@%u", TEXT_ARGS(entry->name), entry->in_force->version));
	if (entry->state != IDENTITY_NONE)
		json_put_cstring(object, "identity_state", identity_state_word(entry->state));
}

static bool hop_json(struct json *out, struct hop *hop, struct error *err)
{
	const struct task *task = hop->task;
	int64_t now_utc_ms = issue_now_utc_ms(hop->issue);
	struct json_builder object;

	json_object_start(&object, hop->arena);
	json_put_text(&object, "task", task->id);
	put_identity(&object, hop);
	json_put_cstring(&object, "state", task_state_word(task_state_now(task, now_utc_ms)));
	json_put_cstring(&object, "environment", environment_word(task->environment));
	json_put_text_unless_empty(&object, "purpose", task->purpose);
	json_put_integer(&object, "opened", task->opened_at_utc_ms);
	json_put_integer(&object, "deadline", task->deadline_utc_ms);
	json_put_integer(&object, "record", (int64_t)task->record_index);
	if (!put_origin(&object, hop, err))
		return false;
	if (hop->up_to != SENSITIVITY_UNLABELLED)
		json_put_cstring(&object, "up_to", sensitivity_word(hop->up_to));
	return put_lines(&object, "may", hop, true, err) &&
	       put_lines(&object, "narrowed", hop, false, err) &&
	       json_object_seal(&object, out, err);
}

bool issue_task_hops(
	void *context, struct text id, struct arena *arena, struct json *out, struct error *err)
{
	const struct issue *issue = context;
	const struct task *path[TASK_DEPTH_MAX];
	const struct task *task = task_find(issue->parts.tasks, id);
	struct hop hop = {.issue = issue, .arena = arena};
	struct json_builder array;
	struct json one, all;
	size_t count = 0;

	if (task == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no task has this id");
	for (; task != NULL && count < TASK_DEPTH_MAX; task = task->parent)
		path[count++] = task;
	json_array_start(&array, arena);
	while (count > 0) {
		hop.task = path[--count];
		if (!chain_of(&hop.chain, hop.task))
			return error_set(err, ERROR_CONFLICT, "its path is no chain");
		if (!hop_json(&one, &hop, err))
			return false;
		json_add(&array, one);
	}
	/* The copy outlives the tasks. */
	return json_array_seal(&array, &all, err) && json_copy(out, arena, &all, err);
}

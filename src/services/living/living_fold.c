/* How records become what is due.
 *
 *   registry, state  what changed of things that others depend on waits to be looked for
 *   review-looked    it was looked for, whatever was found
 *   review-due       an identity is due, by one cause; again: the earlier end stays
 *   review-done      it was looked at: what was due until that record is not any more
 *
 * Rows of the store: review-pending / KIND/NAME@REVISION (what changed), review-due /
 * IDENTITY/CAUSE, review-done / IDENTITY (the last). */
#include "services/living/living_private.h"

#include <stdlib.h>
#include <string.h>

static char *kept(struct text t)
{
	char *copy = calloc(1, t.length + 1);

	if (copy == NULL)
		return NULL;
	if (t.length > 0)
		memcpy(copy, t.data, t.length);
	return copy;
}

static bool no_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for what is due");
}

/* ---- what changed ---- */

static struct text key_of(struct arena *arena, const struct json *change)
{
	return text_format(arena, "%.*s/%.*s", TEXT_ARGS(json_text_or(change, "kind", "")),
		TEXT_ARGS(json_text_or(change, "name", "")));
}

static uint32_t bits_of(const struct json *words)
{
	uint32_t bits = 0;

	for (uint32_t i = 0; words != NULL && words->type == JSON_ARRAY && i < words->count; i++)
		if (words->items[i].type == JSON_STRING)
			bits |= 1u << living_change_of(words->items[i].string);
	return bits & ~1u;
}

static struct living_changed *find_or_add(
	struct living_service *living, struct text key, struct error *err)
{
	struct living_changed *changed = name_table_find(living->changed, key);

	if (changed != NULL)
		return changed;
	changed = calloc(1, sizeof *changed);
	if (changed != NULL)
		changed->kept_key = kept(key);
	if (changed != NULL && changed->kept_key != NULL) {
		changed->key = (struct text){changed->kept_key, key.length};
		if (name_table_put(living->changed, key, changed))
			return changed;
	}
	living_changed_destroy(changed);
	(void)no_memory(err);
	return NULL;
}

static void note_revision(struct living_changed *changed, uint64_t revision)
{
	uint32_t count = changed->revisions_count;

	if (count == LIVING_REVISIONS_MAX) {
		memmove(changed->revisions, changed->revisions + 1,
			(count - 1) * sizeof *changed->revisions);
		count--;
	}
	changed->revisions[count] = revision;
	changed->revisions_count = count + 1;
}

static void forget_revision(struct living_changed *changed, uint64_t revision)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < changed->revisions_count; i++)
		if (changed->revisions[i] != revision)
			changed->revisions[left++] = changed->revisions[i];
	changed->revisions_count = left;
	changed->since_utc_ms = changed->at_utc_ms;
}

static bool note_changed(struct living_service *living, struct text key, uint32_t what,
	const struct json *record, struct error *err)
{
	struct living_changed *changed;

	if (what == 0 || key.length == 0 || key.length >= LIVING_KEY_BYTES_MAX)
		return true;
	changed = find_or_add(living, key, err);
	if (changed == NULL)
		return false;
	changed->what |= what;
	note_revision(changed, (uint64_t)json_integer_or(record, "revision", 0));
	changed->at_utc_ms = json_integer_or(record, "at", 0);
	if (changed->since_utc_ms == 0 || changed->at_utc_ms < changed->since_utc_ms)
		changed->since_utc_ms = changed->at_utc_ms;
	changed->is_looked_for = false; /* anew, by a pass that knows all of it */
	return true;
}

/* A row of the registry has no actor: what it once changed was looked for, or has a row. */
static bool fold_registry(void *state, const struct json *record, uint64_t index, struct error *err)
{
	const struct json *changes = json_find(record, "changes");
	struct arena *arena;
	bool ok = true;

	(void)index;
	if (json_find(record, "actor") == NULL || changes == NULL)
		return true;
	for (uint32_t i = 0; ok && changes->type == JSON_ARRAY && i < changes->count; i++) {
		uint32_t what = bits_of(json_find(&changes->items[i], "changed"));

		if (what == 0)
			continue;
		arena = arena_create_small(LIVING_KEY_BYTES_MAX * 8, LIVING_KEY_BYTES_MAX);
		if (arena == NULL)
			return no_memory(err);
		ok = note_changed(state, key_of(arena, &changes->items[i]), what, record, err);
		arena_destroy(&arena);
	}
	return ok;
}

static bool fold_pending(void *state, const struct json *record, uint64_t index, struct error *err)
{
	(void)index;
	return note_changed(state, json_text_or(record, "key", ""),
		bits_of(json_find(record, "changed")), record, err);
}

/* Where the revision begins; names of people and tools may hold the same byte.  0: nowhere. */
static size_t find_mark(struct text whole)
{
	size_t at = whole.length;

	while (at > 0 && whole.data[at - 1] != '@')
		at--;
	return at == 0 ? 0 : at - 1;
}

/* What changed once more since stays. */
static bool fold_looked(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct living_service *living = state;
	const struct json *objects = json_find(record, "objects");

	(void)index;
	(void)err;
	for (uint32_t i = 0; objects != NULL && objects->type == JSON_ARRAY && i < objects->count;
		i++) {
		struct text whole =
			objects->items[i].type == JSON_STRING ? objects->items[i].string : TEXT("");
		size_t at = find_mark(whole);
		struct text key = {whole.data, at};
		struct living_changed *changed =
			at == 0 ? NULL : name_table_find(living->changed, key);
		int64_t revision;

		if (changed == NULL || !text_to_int64(text_after(whole, at + 1), &revision))
			continue;
		forget_revision(changed, (uint64_t)revision);
		if (changed->revisions_count == 0)
			living_changed_destroy(name_table_remove(living->changed, key));
	}
	return true;
}

/* ---- what is due ---- */

static struct living_node *find_or_add_node(
	struct living_service *living, struct text identity, struct error *err)
{
	struct living_node *node = living_find(living, identity);

	if (node != NULL)
		return node;
	node = calloc(1, sizeof *node);
	if (node != NULL)
		node->kept_name = kept(identity);
	if (node != NULL && node->kept_name != NULL) {
		node->name = (struct text){node->kept_name, identity.length};
		if (name_table_put(living->nodes, identity, node))
			return node;
	}
	living_node_destroy(node);
	(void)no_memory(err);
	return NULL;
}

static struct living_due *find_or_add_due(
	struct living_node *node, enum review_cause cause, struct error *err)
{
	struct living_due *dues;

	for (uint32_t i = 0; i < node->dues_count; i++)
		if (node->dues[i].cause == cause)
			return &node->dues[i];
	dues = realloc(node->dues, (node->dues_count + 1U) * sizeof *dues);
	if (dues == NULL) {
		(void)no_memory(err);
		return NULL;
	}
	node->dues = dues;
	dues[node->dues_count] = (struct living_due){.cause = cause};
	return &dues[node->dues_count++];
}

static bool fold_due(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct text identity = json_text_or(record, "identity", "");
	enum review_cause cause = review_cause_of(json_text_or(record, "cause", ""));
	int64_t due_utc_ms = json_integer_or(record, "due_utc_ms", 0);
	char *what = NULL;
	struct living_node *node;
	struct living_due *due;

	if (identity.length == 0 || !review_cause_is_due(cause))
		return true; /* it only begins a review, or is of a later version */
	node = find_or_add_node(state, identity, err);
	due = node == NULL ? NULL : find_or_add_due(node, cause, err);
	if (due == NULL)
		return false;
	what = kept(json_text_or(record, "what", ""));
	if (what == NULL)
		return no_memory(err);
	free(due->what);
	due->what = what;
	if (due->due_utc_ms == 0 || due_utc_ms < due->due_utc_ms)
		due->due_utc_ms = due_utc_ms;
	due->index = index;
	if ((uint64_t)json_integer_or(record, "revision", 0) > due->revision)
		due->revision = (uint64_t)json_integer_or(record, "revision", 0);
	return true;
}

static void settle(struct living_node *node, uint64_t through)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < node->dues_count; i++) {
		if (node->dues[i].index <= through)
			free(node->dues[i].what);
		else
			node->dues[left++] = node->dues[i];
	}
	node->dues_count = left;
}

static bool fold_done(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct text identity = json_text_or(record, "identity", "");
	struct living_node *node =
		identity.length == 0 ? NULL : find_or_add_node(state, identity, err);

	(void)index;
	if (node == NULL)
		return identity.length == 0;
	settle(node, (uint64_t)json_integer_or(record, "through", 0));
	if (json_integer_or(record, "at", 0) > node->looked_utc_ms)
		node->looked_utc_ms = json_integer_or(record, "at", 0);
	return true;
}

/* ---- rows ---- */

static void put_pending(
	struct projection *projection, const struct json *record, const struct json *change)
{
	struct arena *arena = projection_arena(projection);
	int64_t revision = json_integer_or(record, "revision", 0);
	struct text key = key_of(arena, change);
	struct json_builder body;
	struct error err = {0};
	struct json sealed;

	json_object_start(&body, arena);
	json_put_cstring(&body, "type", "review-pending");
	json_put_integer(&body, "at", json_integer_or(record, "at", 0));
	json_put_integer(&body, "revision", revision);
	json_put_text(&body, "key", key);
	json_put(&body, "changed", *json_find(change, "changed"));
	projection_put(projection, "review-pending",
		text_format(arena, "%.*s@%lld", TEXT_ARGS(key), (long long)revision),
		json_object_seal(&body, &sealed, &err) ? &sealed : NULL);
}

static void project_registry(const struct json *record, struct projection *projection)
{
	const struct json *changes = json_find(record, "changes");

	for (uint32_t i = 0; changes != NULL && changes->type == JSON_ARRAY && i < changes->count;
		i++)
		if (json_find(&changes->items[i], "changed") != NULL)
			put_pending(projection, record, &changes->items[i]);
}

static void project_looked(const struct json *record, struct projection *projection)
{
	const struct json *objects = json_find(record, "objects");

	for (uint32_t i = 0; objects != NULL && objects->type == JSON_ARRAY && i < objects->count;
		i++)
		if (objects->items[i].type == JSON_STRING)
			projection_delete(projection, "review-pending", objects->items[i].string);
}

static struct text due_key(
	struct projection *projection, const struct json *record, struct text cause)
{
	return text_format(projection_arena(projection), "%.*s/%.*s",
		TEXT_ARGS(json_text_or(record, "identity", "")), TEXT_ARGS(cause));
}

static void project_due(const struct json *record, struct projection *projection)
{
	struct text cause = json_text_or(record, "cause", "");

	if (review_cause_is_due(review_cause_of(cause)))
		projection_put(
			projection, "review-due", due_key(projection, record, cause), record);
}

static void project_done(const struct json *record, struct projection *projection)
{
	const struct json *causes = json_find(record, "causes");

	for (uint32_t i = 0; causes != NULL && causes->type == JSON_ARRAY && i < causes->count; i++)
		if (causes->items[i].type == JSON_STRING)
			projection_delete(projection, "review-due",
				due_key(projection, record, causes->items[i].string));
	projection_put(projection, "review-done", json_text_or(record, "identity", ""), record);
}

bool living_register(struct living_service *living, struct error *err)
{
	const struct fold_handler handlers[] = {
		{"registry", fold_registry, NULL, living},
		{"state", fold_registry, NULL, living},
		{"review-pending", fold_pending, NULL, living},
		{"review-looked", fold_looked, NULL, living},
		{"review-due", fold_due, NULL, living},
		{"review-done", fold_done, NULL, living},
	};
	static const struct fold_projector projectors[] = {
		{"registry", project_registry},
		{"state", project_registry},
		{"review-looked", project_looked},
		{"review-due", project_due},
		{"review-done", project_done},
	};

	for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
		if (!fold_add(living->fold, &handlers[i], err))
			return false;
	for (size_t i = 0; i < sizeof projectors / sizeof *projectors; i++)
		if (!fold_add_projector(living->fold, &projectors[i], err))
			return false;
	return true;
}

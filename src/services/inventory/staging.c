/* An import on its way: each part is read, checked and indexed, then written.  What is wrong
 * with one item drops the whole; parts that were written mean nothing without the record that
 * commits them, and go with the next one. */
#include <stdlib.h>
#include <string.h>

#include "services/inventory/inventory_private.h"

void staging_destroy(struct staging **staging)
{
	if (*staging == NULL)
		return;
	inventory_index_destroy(&(*staging)->index);
	arena_destroy(&(*staging)->arena);
	free(*staging);
	*staging = NULL;
}

/* ---- records ---- */

/* One record on its way. */
struct work {
	struct fold_change change;
	struct inventory_service *service;
	struct inventory_connector *connector;
	struct inventory_change *asked; /* NULL: nobody waits */
	struct arena *arena;
	struct buffer content;
	char import[RANDOM_ID_BYTES];
};

static void work_destroy(struct work **work)
{
	if (*work == NULL)
		return;
	arena_destroy(&(*work)->arena);
	buffer_deinit(&(*work)->content);
	free(*work);
	*work = NULL;
}

static struct work *work_create(
	struct inventory_service *service, struct inventory_connector *connector, struct error *err)
{
	struct work *work = calloc(1, sizeof *work);

	if (work == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for a record");
		return NULL;
	}
	buffer_init(&work->content, LINES_BYTES_MAX);
	work->service = service;
	work->connector = connector;
	work->change.context = work;
	work->arena = arena_create_small(RECORD_ARENA_BYTES_MAX, 4096);
	if (work->arena != NULL)
		return work;
	work_destroy(&work);
	error_set(err, ERROR_LIMIT, "no memory for a record");
	return NULL;
}

static void record_start(
	struct json_builder *record, struct work *work, const char *type, struct text actor)
{
	json_object_start(record, work->arena);
	json_put_integer(record, "at", fold_stamp_utc_ms(work->service->parts.fold));
	json_put_cstring(record, "type", type);
	json_put_text(record, "actor", actor);
	json_put_cstring(record, "connector", work->connector->name);
}

static bool work_submit(struct work *work, struct json_builder *record, struct error *err)
{
	struct json sealed;

	if (!json_object_seal(record, &sealed, err))
		return false;
	work->change.entry = json_canonical_text(work->arena, &sealed);
	if (work->change.entry.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for a record");
	return fold_submit(work->service->parts.fold, &work->change, err);
}

static void answer(struct work *work)
{
	struct inventory_change *asked = work->asked;
	uint64_t index = work->change.index;
	struct error err = work->change.err;
	bool is_durable = work->change.is_durable;

	work_destroy(&work);
	if (asked != NULL)
		asked->done(asked, index, is_durable ? NULL : &err);
}

/* What was begun for the connector and never put in force. */
static bool put_loose(const struct inventory_connector *connector, struct json_builder *record,
	const char *keep, struct error *err)
{
	struct json_builder list;
	struct json names;
	uint32_t count = 0;

	json_array_start(&list, record->arena);
	for (const struct inventory_set *set = connector->loose; set != NULL && count < LOOSE_MAX;
		set = set->next)
		if (keep == NULL || strcmp(set->id, keep) != 0) {
			json_add(&list, json_cstring(set->id));
			count++;
		}
	if (keep != NULL && connector->previous != NULL)
		json_add(&list, json_cstring(connector->previous->id));
	if (!json_array_seal(&list, &names, err))
		return false;
	if (names.count > 0)
		json_put(record, "drops", names);
	return true;
}

/* ---- beginning ---- */

static void on_dropped(struct fold_change *change)
{
	struct work *work = change->context;

	answer(work);
}

/* Forgets what is loose on record, too; nobody waits for it. */
static bool drop_loose(struct inventory_service *service, struct inventory_connector *connector,
	struct text actor, struct error *err)
{
	struct json_builder record;
	struct work *work;

	if (connector->loose == NULL)
		return true;
	work = work_create(service, connector, err);
	if (work == NULL)
		return false;
	work->change.done = on_dropped;
	record_start(&record, work, "inventory-dropped", actor);
	if (put_loose(connector, &record, NULL, err) && work_submit(work, &record, err))
		return true;
	work_destroy(&work);
	return false;
}

static struct staging *staging_create(const struct inventory_begin *begin, struct error *err)
{
	struct staging *staging = calloc(1, sizeof *staging);

	if (staging != NULL) {
		staging->index = inventory_index_create();
		staging->arena = arena_create_small(RECORD_ARENA_BYTES_MAX, 4096);
	}
	if (staging == NULL || staging->index == NULL || staging->arena == NULL) {
		staging_destroy(&staging);
		error_set(err, ERROR_LIMIT, "no memory for an import");
		return NULL;
	}
	random_id(staging->id, "i-");
	staging->provider = begin->provider;
	staging->taken_utc_s = begin->taken_utc_s;
	staging->is_dry = begin->is_dry;
	return staging;
}

static bool check_begin(
	struct inventory_service *service, const struct inventory_begin *begin, struct error *err)
{
	int64_t now_utc_s = fold_stamp_utc_ms(service->parts.fold) / 1000;

	if (begin->provider == PROVIDER_NONE)
		return error_set(err, ERROR_INVALID, "provider: no provider of this name");
	if (begin->taken_utc_s <= 0)
		return error_set(err, ERROR_INVALID, "taken: a time is needed");
	if (begin->taken_utc_s > now_utc_s + INVENTORY_SKEW_S)
		return error_set(err, ERROR_INVALID,
			"taken: is %lld s ahead of this daemon's clock; at most %d are let pass",
			(long long)(begin->taken_utc_s - now_utc_s), INVENTORY_SKEW_S);
	return true;
}

bool inventory_begin(struct inventory_service *service, const struct inventory_begin *begin,
	struct text *out_id, struct error *err)
{
	struct inventory_connector *connector;
	struct staging *staging;

	if (!check_begin(service, begin, err))
		return false;
	connector = connector_need(service, begin->connector, err);
	if (connector == NULL)
		return false;
	if (connector->is_changing ||
		(connector->staging != NULL && connector->staging->asked != NULL))
		return error_set(
			err, ERROR_CONFLICT, "a change of this connector is on its way; try again");
	if (!begin->is_dry && !drop_loose(service, connector, begin->actor, err))
		return false;
	staging = staging_create(begin, err);
	if (staging == NULL)
		return false;
	staging_destroy(&connector->staging);
	connector->staging = staging;
	*out_id = text_of(staging->id);
	return true;
}

static struct staging *staging_find(const struct inventory_service *service, struct text connector,
	struct text import, struct error *err)
{
	struct inventory_connector *found = connector_find(service, connector);

	if (found != NULL && found->staging != NULL && text_is(import, found->staging->id))
		return found->staging;
	error_set(err, ERROR_NOT_FOUND,
		"no import of this id is on its way for this connector: begin it again");
	return NULL;
}

/* ---- parts ---- */

/* Where the items of a part go. */
struct adding {
	struct inventory_service *service;
	const struct inventory_connector *connector;
	struct staging *staging;
	struct buffer *content;
	struct buffer key;
	uint32_t items;
	struct error *err;
};

static void keep_example(struct staging *staging, struct text *examples, struct text key)
{
	for (size_t i = 0; i < INVENTORY_EXAMPLES_MAX; i++)
		if (examples[i].length == 0) {
			examples[i] = text_copy(staging->arena, key);
			if (examples[i].data == NULL)
				examples[i].length = 0;
			return;
		}
}

/* How it stands beside what is in force. */
static void compare(struct adding *adding, struct text key, uint64_t hash, uint32_t digest)
{
	const struct inventory_index *old = adding->connector->index;
	const struct inventory_index_entry *entry =
		old == NULL ? NULL : inventory_index_find(old, hash);
	struct staging *staging = adding->staging;

	if (entry == NULL || entry->line == 0) {
		staging->added++;
		keep_example(staging, staging->new_examples, key);
	} else if (entry->digest != digest) {
		staging->changed++;
		keep_example(staging, staging->changed_examples, key);
	} else {
		staging->same++;
	}
}

static struct inventory_index_entry *entry_need(
	struct staging *staging, uint64_t hash, struct error *err)
{
	struct inventory_index_entry *entry = inventory_index_find(staging->index, hash);

	if (entry == NULL)
		entry = inventory_index_put(staging->index, hash);
	if (entry == NULL)
		error_set(err, ERROR_LIMIT, "no memory for an import");
	return entry;
}

static bool index_item(struct adding *adding, struct text line, const struct inventory_item *item)
{
	struct staging *staging = adding->staging;
	struct inventory_index_entry *entry;
	uint32_t digest = inventory_index_digest(adding->service->key, line);
	struct text key;
	uint64_t hash;

	buffer_reset(&adding->key);
	inventory_item_key(&adding->key, item);
	key = buffer_text(&adding->key);
	hash = inventory_index_key(adding->service->key, key);
	entry = entry_need(staging, hash, adding->err);
	if (entry == NULL)
		return false;
	if (entry->line != 0)
		return error_set(
			adding->err, ERROR_INVALID, "the same item stands in line %u", entry->line);
	if (entry->digest != 0 && staging->unresolved > 0)
		staging->unresolved--; /* an edge named it before */
	entry->line = (uint32_t)(staging->lines + 1);
	entry->digest = digest;
	inventory_index_counted(staging->index);
	compare(adding, key, hash, digest);
	return true;
}

static bool index_end(struct adding *adding, struct text reference)
{
	struct inventory_index_entry *entry;
	struct inventory_item node = {0};
	struct inventory_end end;

	if (!inventory_end_read(&end, reference) || !end.is_own)
		return true;
	node.node = end.kind;
	node.id = end.name;
	buffer_reset(&adding->key);
	inventory_item_key(&adding->key, &node);
	entry = entry_need(adding->staging,
		inventory_index_key(adding->service->key, buffer_text(&adding->key)), adding->err);
	if (entry == NULL)
		return false;
	if (entry->line == 0 && entry->digest == 0) {
		entry->digest = (uint32_t)(adding->staging->lines + 1);
		adding->staging->unresolved++;
	}
	return true;
}

static bool add_line(struct adding *adding, struct text line)
{
	struct inventory_item item;
	size_t begin = adding->content->length;

	arena_reset(adding->service->arena);
	if (!inventory_item_parse(&item, adding->service->arena, line, adding->err))
		return false;
	if (adding->staging->lines >= INVENTORY_ITEMS_MAX)
		return error_set(adding->err, ERROR_LIMIT, "an inventory has at most %d items",
			INVENTORY_ITEMS_MAX);
	inventory_item_write(adding->content, &item);
	if (buffer_failed(adding->content))
		return error_set(adding->err, ERROR_LIMIT, "a part takes more than %d bytes",
			LINES_BYTES_MAX);
	line = text_after(buffer_text(adding->content), begin);
	if (!index_item(adding, line, &item) ||
		(item.edge != GRAPH_EDGE_NONE &&
			(!index_end(adding, item.from) || !index_end(adding, item.to))))
		return false;
	buffer_append_byte(adding->content, '\n');
	adding->staging->lines++;
	adding->items++;
	return true;
}

static bool add_lines(struct adding *adding, struct text lines)
{
	struct text line;

	while (next_line(&lines, &line))
		if (!add_line(adding, line))
			return error_wrap(adding->err, "line %llu",
				(unsigned long long)(adding->staging->lines + 1));
	return adding->items > 0 || error_set(adding->err, ERROR_INVALID, "a part without items");
}

/* Tells whoever waits, once. */
static void answer_asked(struct staging *staging, uint64_t index, const struct error *err)
{
	struct inventory_change *asked = staging->asked;

	staging->asked = NULL;
	staging->rest = (struct text){NULL, 0};
	if (asked != NULL)
		asked->done(asked, index, err);
}

/* The import is no more, and err says why. */
static void give_up(struct inventory_connector *connector, const struct error *err)
{
	struct staging *staging = connector->staging;

	connector->staging = NULL;
	answer_asked(staging, 0, err);
	staging_destroy(&staging);
}

static void wake(const struct inventory_service *service)
{
	if (service->parts.wake != NULL)
		service->parts.wake(service->parts.wake_context);
}

static void on_part(struct fold_change *change)
{
	struct work *work = change->context;
	struct staging *staging = work->connector->staging;

	if (staging != NULL && strcmp(staging->id, work->import) == 0) {
		staging->is_writing = false;
		if (!change->is_durable)
			give_up(work->connector, &change->err);
		else if (staging->rest.length == 0)
			answer_asked(staging, change->index, NULL);
		else
			wake(work->service);
	}
	work_destroy(&work);
}

static bool submit_part(
	struct work *work, struct staging *staging, uint32_t items, struct error *err)
{
	struct text content = buffer_text(&work->content);
	struct sha256 digest = sha256_of(content.data, content.length);
	struct json_builder record;

	memcpy(work->import, staging->id, sizeof work->import);
	work->change.done = on_part;
	work->change.content = content;
	record_start(&record, work, "inventory-part", staging->asked->actor);
	json_put_digest(&record, "content", &digest);
	json_put_cstring(&record, "import", work->import);
	json_put_integer(&record, "items", items);
	json_put_integer(&record, "part", staging->parts);
	return work_submit(work, &record, err);
}

static bool check_add(
	const struct staging *staging, const struct inventory_change *change, struct error *err)
{
	if (staging->asked != NULL)
		return error_set(err, ERROR_CONFLICT, "the items before are on their way");
	if (change->number != staging->handed + 1)
		return error_set(err, ERROR_CONFLICT, "part %u is expected", staging->handed + 1);
	if (change->lines.length == 0 || change->lines.length > INVENTORY_LINES_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "1 to %d bytes are taken at once",
			INVENTORY_LINES_BYTES_MAX);
	return true;
}

bool inventory_add(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	struct staging *staging = staging_find(service, change->connector, change->import, err);

	if (staging == NULL || !check_add(staging, change, err))
		return false;
	staging->handed++;
	staging->asked = change;
	staging->rest = change->lines;
	wake(service);
	return true;
}

/* As many whole lines of rest as one part may have; a longer line alone, which is refused. */
static struct text cut_part(struct text *rest)
{
	struct text part = *rest;

	if (part.length > INVENTORY_PART_BYTES_MAX) {
		part.length = INVENTORY_PART_BYTES_MAX;
		while (part.length > 0 && part.data[part.length - 1] != '\n')
			part.length--;
		if (part.length == 0)
			part.length = INVENTORY_PART_BYTES_MAX;
	}
	*rest = text_after(*rest, part.length);
	return part;
}

static bool take_part(struct inventory_service *service, struct inventory_connector *connector,
	struct work *work, struct error *err)
{
	struct staging *staging = connector->staging;
	struct adding adding = {.service = service,
		.connector = connector,
		.staging = staging,
		.content = &work->content,
		.err = err};
	bool ok;

	if (staging->parts == INVENTORY_PARTS_MAX)
		return error_set(
			err, ERROR_LIMIT, "an inventory has at most %d parts", INVENTORY_PARTS_MAX);
	buffer_init(&adding.key, KEY_BYTES_MAX);
	ok = add_lines(&adding, cut_part(&staging->rest));
	buffer_deinit(&adding.key);
	arena_reset(service->arena);
	if (!ok)
		return false;
	staging->parts++;
	if (staging->is_dry)
		return true;
	staging->is_writing = true;
	return submit_part(work, staging, adding.items, err);
}

bool staging_step(struct inventory_service *service, struct inventory_connector *connector)
{
	struct staging *staging = connector->staging;
	struct error err = {0};
	struct work *work;

	if (staging == NULL || staging->asked == NULL || staging->is_writing)
		return false;
	work = work_create(service, connector, &err);
	if (work != NULL && take_part(service, connector, work, &err)) {
		if (!staging->is_dry)
			return true; /* on_part frees work */
		work_destroy(&work);
		if (staging->rest.length == 0)
			answer_asked(staging, 0, NULL);
		return true;
	}
	work_destroy(&work);
	give_up(connector, &err);
	return true;
}

/* ---- putting it in force ---- */

struct dangling {
	uint32_t line;
};

static bool find_dangling(void *context, const struct inventory_index_entry *entry)
{
	struct dangling *dangling = context;

	if (entry->line == 0 && (dangling->line == 0 || entry->digest < dangling->line))
		dangling->line = entry->digest;
	return true;
}

static bool check_whole(const struct staging *staging, struct error *err)
{
	struct dangling dangling = {0};

	if (staging->unresolved == 0)
		return true;
	for (size_t share = 0; share < INVENTORY_INDEX_SHARES; share++)
		inventory_index_each(staging->index, share, find_dangling, &dangling);
	return error_set(err, ERROR_INVALID,
		"line %u: an end of the edge is not in the inventory (%llu such names)",
		dangling.line, (unsigned long long)staging->unresolved);
}

/* Whoever compares must know all of what is in force. */
static bool check_told(const struct inventory_connector *connector, struct error *err)
{
	const char *current = connector->current == NULL ? "" : connector->current->id;

	if (connector->telling == NULL && strcmp(connector->told, current) == 0)
		return true;
	return error_set(err, ERROR_CONFLICT,
		"the inventory in force is still being read; try again in a moment");
}

static uint64_t gone_of(const struct inventory_connector *connector, const struct staging *staging)
{
	uint64_t old = connector->index == NULL ? 0 : inventory_index_count(connector->index);
	uint64_t kept = staging->same + staging->changed;

	return old > kept ? old - kept : 0;
}

/* Keys of items that are in force and not in what is staged, with the lines they stand in. */
struct gone_search {
	const struct inventory_index *staged;
	uint32_t lines[INVENTORY_EXAMPLES_MAX];
	size_t count;
};

static bool find_gone(void *context, const struct inventory_index_entry *entry)
{
	struct gone_search *search = context;
	const struct inventory_index_entry *same = inventory_index_find(search->staged, entry->key);

	if (entry->line != 0 && (same == NULL || same->line == 0))
		search->lines[search->count++] = entry->line;
	return search->count < INVENTORY_EXAMPLES_MAX;
}

/* The key of the item in that line of what is in force. */
static bool key_of_line(struct inventory_service *service, const struct inventory_set *set,
	uint32_t line, struct buffer *out, struct error *err)
{
	struct inventory_item item;
	struct text lines, found = {NULL, 0};
	uint32_t at = set->parts_count;

	while (at > 0 && set->parts[at - 1].before >= line)
		at--;
	arena_reset(service->arena);
	if (at == 0 || !part_read(service, set->parts[at - 1].index, service->arena, &lines, err))
		return at == 0 ? error_set(err, ERROR_CORRUPT, "no such line") : false;
	for (uint64_t i = set->parts[at - 1].before; i < line; i++)
		if (!next_line(&lines, &found))
			return error_set(err, ERROR_CORRUPT, "a part has too few items");
	if (!inventory_item_parse(&item, service->arena, found, err))
		return false;
	inventory_item_key(out, &item);
	return true;
}

static bool put_gone(struct inventory_service *service, struct inventory_connector *connector,
	struct json_builder *examples, struct error *err)
{
	struct gone_search search = {.staged = connector->staging->index};
	struct json_builder list;
	struct json names;

	json_array_start(&list, examples->arena);
	for (size_t share = 0; connector->index != NULL && share < INVENTORY_INDEX_SHARES &&
			       search.count < INVENTORY_EXAMPLES_MAX;
		share++)
		inventory_index_each(connector->index, share, find_gone, &search);
	for (size_t i = 0; i < search.count; i++) {
		struct buffer key;
		bool ok;

		buffer_init(&key, KEY_BYTES_MAX);
		ok = key_of_line(service, connector->current, search.lines[i], &key, err);
		if (ok)
			json_add(&list, json_string(text_copy(examples->arena, buffer_text(&key))));
		buffer_deinit(&key);
		if (!ok)
			return false;
	}
	if (!json_array_seal(&list, &names, err))
		return false;
	json_put(examples, "gone", names);
	return true;
}

static bool put_examples(
	struct json_builder *object, const char *name, const struct text *all, struct error *err)
{
	struct json_builder list;
	struct json names;

	json_array_start(&list, object->arena);
	for (size_t i = 0; i < INVENTORY_EXAMPLES_MAX && all[i].length > 0; i++)
		json_add(&list, json_string(text_copy(object->arena, all[i])));
	if (!json_array_seal(&list, &names, err))
		return false;
	json_put(object, name, names);
	return true;
}

static void put_figures(struct json_builder *object, const struct inventory_connector *connector,
	const struct staging *staging)
{
	json_put_integer(object, "changed", (int64_t)staging->changed);
	json_put_integer(object, "gone", (int64_t)gone_of(connector, staging));
	json_put_integer(object, "items", (int64_t)staging->lines);
	json_put_integer(object, "new", (int64_t)staging->added);
	json_put_cstring(object, "provider", inventory_provider_word(staging->provider));
	json_put_integer(object, "same", (int64_t)staging->same);
	json_put_integer(object, "taken", staging->taken_utc_s);
}

bool inventory_plan(struct inventory_service *service, struct text name, struct text import,
	struct arena *arena, struct json *out, struct error *err)
{
	struct staging *staging = staging_find(service, name, import, err);
	struct inventory_connector *connector = connector_find(service, name);
	struct json_builder object, examples;
	struct json sealed;

	if (staging == NULL || !check_whole(staging, err) || !check_told(connector, err))
		return false;
	json_object_start(&object, arena);
	json_put_cstring(&object, "connector", connector->name);
	json_put_cstring(&object, "import", staging->id);
	put_figures(&object, connector, staging);
	json_object_start(&examples, arena);
	if (!put_examples(&examples, "new", staging->new_examples, err) ||
		!put_examples(&examples, "changed", staging->changed_examples, err) ||
		!put_gone(service, connector, &examples, err) ||
		!json_object_seal(&examples, &sealed, err))
		return false;
	json_put(&object, "examples", sealed);
	return json_object_seal(&object, out, err);
}

static bool check_commit(const struct inventory_connector *connector,
	const struct inventory_change *change, struct error *err)
{
	const struct staging *staging = connector->staging;
	uint64_t gone = gone_of(connector, staging);

	if (staging->is_dry)
		return error_set(err, ERROR_CONFLICT, "a dry import cannot be put in force");
	if (staging->asked != NULL || connector->is_changing)
		return error_set(err, ERROR_CONFLICT, "a change of this connector is on its way");
	if (connector->current != NULL && !change->takes_older &&
		staging->taken_utc_s < connector->current->taken_utc_s)
		return error_set(err, ERROR_CONFLICT,
			"it is older than what is in force; --older takes it all the same");
	if (!change->takes_smaller && gone > 0 &&
		gone + staging->same + staging->changed >= INVENTORY_SHRINK_MIN &&
		gone > staging->same + staging->changed)
		return error_set(err, ERROR_CONFLICT,
			"%llu of %llu items would be gone, more than half: is the export whole? "
			"--smaller takes it all the same",
			(unsigned long long)gone,
			(unsigned long long)(gone + staging->same + staging->changed));
	return true;
}

static void on_changed(struct fold_change *change)
{
	struct work *work = change->context;
	struct inventory_connector *connector = work->connector;

	connector->is_changing = false;
	if (connector->staging != NULL && strcmp(connector->staging->id, work->import) == 0)
		staging_destroy(&connector->staging);
	answer(work);
}

bool inventory_commit(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	struct staging *staging = staging_find(service, change->connector, change->import, err);
	struct inventory_connector *connector = connector_find(service, change->connector);
	struct json_builder record;
	struct work *work;

	if (staging == NULL || !check_whole(staging, err) || !check_told(connector, err) ||
		!check_commit(connector, change, err))
		return false;
	work = work_create(service, connector, err);
	if (work == NULL)
		return false;
	work->asked = change;
	work->change.done = on_changed;
	memcpy(work->import, staging->id, sizeof work->import);
	record_start(&record, work, "inventory-imported", change->actor);
	json_put_cstring(&record, "import", work->import);
	json_put_integer(&record, "parts", staging->parts);
	put_figures(&record, connector, staging);
	connector->is_changing = true;
	if (put_loose(connector, &record, work->import, err) && work_submit(work, &record, err))
		return true;
	connector->is_changing = false;
	work_destroy(&work);
	return false;
}

/* ---- bringing the one before back ---- */

static bool check_undo(const struct inventory_connector *connector,
	const struct inventory_change *change, struct error *err)
{
	if (connector == NULL || connector->current == NULL)
		return error_set(err, ERROR_NOT_FOUND, "this connector has no inventory");
	if (connector->previous == NULL)
		return error_set(err, ERROR_NOT_FOUND,
			"there is no inventory before this one: one step back is kept");
	if (change->reason.length == 0 || change->reason.length > INVENTORY_REASON_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "reason: text of 1 to %d bytes is needed",
			INVENTORY_REASON_BYTES_MAX);
	if (connector->is_changing)
		return error_set(err, ERROR_CONFLICT, "a change of this connector is on its way");
	return true;
}

bool inventory_undo(
	struct inventory_service *service, struct inventory_change *change, struct error *err)
{
	struct inventory_connector *connector = connector_find(service, change->connector);
	struct json_builder record;
	struct work *work;

	if (!check_undo(connector, change, err))
		return false;
	work = work_create(service, connector, err);
	if (work == NULL)
		return false;
	work->asked = change;
	work->change.done = on_changed;
	record_start(&record, work, "inventory-undone", change->actor);
	json_put_cstring(&record, "import", connector->current->id);
	json_put_cstring(&record, "to", connector->previous->id);
	json_put_text(&record, "reason", change->reason);
	connector->is_changing = true;
	if (work_submit(work, &record, err))
		return true;
	connector->is_changing = false;
	work_destroy(&work);
	return false;
}

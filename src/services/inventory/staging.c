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

/* ---- beginning ---- */

/* Forgets what is loose on record, too; nobody waits for it. */
static bool drop_loose(struct inventory_service *service, struct inventory_connector *connector,
	struct text actor, struct error *err)
{
	struct json_builder *record;
	struct inventory_work *work;

	if (connector->loose == NULL)
		return true;
	work = inventory_work_create(service, connector, err);
	if (work == NULL)
		return false;
	work->done = inventory_work_answer;
	record = inventory_record_start(work, "inventory-dropped", actor);
	if (inventory_put_drops(connector, record, NULL, err) && inventory_work_submit(work, err))
		return true;
	inventory_work_destroy(&work);
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

struct staging *staging_find(const struct inventory_service *service, struct text connector,
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

static void on_part(struct inventory_work *work, uint64_t index, const struct error *err)
{
	struct staging *staging = work->connector->staging;

	if (staging != NULL && strcmp(staging->id, work->import) == 0) {
		staging->is_writing = false;
		if (err != NULL)
			give_up(work->connector, err);
		else if (staging->rest.length == 0)
			answer_asked(staging, index, NULL);
		else
			wake(work->service);
	}
	inventory_work_destroy(&work);
}

static bool submit_part(
	struct inventory_work *work, struct staging *staging, uint32_t items, struct error *err)
{
	struct text content = buffer_text(&work->content);
	struct sha256 digest = sha256_of(content.data, content.length);
	struct json_builder *record;

	memcpy(work->import, staging->id, sizeof work->import);
	work->done = on_part;
	work->record->change.content = content;
	record = inventory_record_start(work, "inventory-part", staging->asked->actor);
	json_put_digest(record, "content", &digest);
	json_put_cstring(record, "import", work->import);
	json_put_integer(record, "items", items);
	json_put_integer(record, "part", staging->parts);
	return inventory_work_submit(work, err);
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
	struct inventory_work *work, struct error *err)
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

/* Items are compared with what is in force, so all of that has to be known first; what went wrong
 * in telling it is said when the import is committed. */
static bool knows_before(const struct inventory_connector *connector)
{
	const char *current = connector->current == NULL ? "" : connector->current->id;

	return connector->why[0] != '\0' ||
	       (connector->telling == NULL && strcmp(connector->told, current) == 0);
}

bool staging_step(struct inventory_service *service, struct inventory_connector *connector)
{
	struct staging *staging = connector->staging;
	struct error err = {0};
	struct inventory_work *work;

	if (staging == NULL || staging->asked == NULL || staging->is_writing ||
		!knows_before(connector))
		return false;
	work = inventory_work_create(service, connector, &err);
	if (work != NULL && take_part(service, connector, work, &err)) {
		if (!staging->is_dry)
			return true; /* on_part frees work */
		inventory_work_destroy(&work);
		if (staging->rest.length == 0)
			answer_asked(staging, 0, NULL);
		return true;
	}
	inventory_work_destroy(&work);
	give_up(connector, &err);
	return true;
}

#include "domain/inventory/collect.h"

#include <stddef.h>
#include <stdlib.h>

#include "domain/charter/name_table.h"

enum { KEY_BYTES_MAX = 3 * INVENTORY_TEXT_BYTES_MAX + 32 };

struct inventory_collector {
	struct arena *arena;
	struct name_table *items; /* by key */
	struct buffer key;
};

bool inventory_collector_create(struct inventory_collector **out, struct error *err)
{
	struct inventory_collector *collector = calloc(1, sizeof *collector);

	*out = NULL;
	if (collector == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an inventory");
	buffer_init(&collector->key, KEY_BYTES_MAX);
	collector->arena = arena_create(INVENTORY_COLLECTED_BYTES_MAX);
	collector->items = name_table_create();
	*out = collector;
	if (collector->arena != NULL && collector->items != NULL)
		return true;
	inventory_collector_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory for an inventory");
}

void inventory_collector_destroy(struct inventory_collector **collector)
{
	if (*collector == NULL)
		return;
	if ((*collector)->items != NULL)
		name_table_destroy(&(*collector)->items, NULL);
	arena_destroy(&(*collector)->arena);
	buffer_deinit(&(*collector)->key);
	free(*collector);
	*collector = NULL;
}

static const size_t texts[] = {
	offsetof(struct inventory_item, id),
	offsetof(struct inventory_item, title),
	offsetof(struct inventory_item, owner),
	offsetof(struct inventory_item, creator),
	offsetof(struct inventory_item, unit),
	offsetof(struct inventory_item, publisher),
	offsetof(struct inventory_item, place),
	offsetof(struct inventory_item, version),
	offsetof(struct inventory_item, fingerprint),
	offsetof(struct inventory_item, registered),
	offsetof(struct inventory_item, from),
	offsetof(struct inventory_item, to),
	offsetof(struct inventory_item, scope),
	offsetof(struct inventory_item, by),
	offsetof(struct inventory_item, why),
};

static bool join_texts(struct inventory_collector *collector, struct inventory_item *into,
	const struct inventory_item *item)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct text *old = (void *)((char *)into + texts[i]);
		const struct text *new = (const void *)((const char *)item + texts[i]);

		if (new->length == 0 || text_compare(*new, *old) <= 0)
			continue;
		*old = text_copy(collector->arena, *new);
		if (old->data == NULL)
			return false;
	}
	return true;
}

static void join_first(graph_time *into, graph_time at_s)
{
	if (at_s != 0 && (*into == 0 || at_s < *into))
		*into = at_s;
}

static void join_last(graph_time *into, graph_time at_s)
{
	if (at_s > *into)
		*into = at_s;
}

static bool join(struct inventory_collector *collector, struct inventory_item *into,
	const struct inventory_item *item, struct error *err)
{
	join_first(&into->created_s, item->created_s);
	join_first(&into->since_s, item->since_s);
	join_last(&into->expires_s, item->expires_s);
	join_last(&into->until_s, item->until_s);
	join_last(&into->used_s, item->used_s);
	if (item->kind > into->kind)
		into->kind = item->kind;
	if (item->sensitivity > into->sensitivity)
		into->sensitivity = item->sensitivity;
	into->is |= item->is;
	into->environments |= item->environments;
	into->effects |= item->effects;
	into->uses = item->uses > UINT32_MAX - into->uses ? UINT32_MAX : into->uses + item->uses;
	return join_texts(collector, into, item) ||
	       error_set(err, ERROR_LIMIT, "an inventory of more than %d bytes",
		       INVENTORY_COLLECTED_BYTES_MAX);
}

static bool key_of(struct inventory_collector *collector, const struct inventory_item *item,
	struct text *out, struct error *err)
{
	buffer_reset(&collector->key);
	inventory_item_key(&collector->key, item);
	*out = buffer_text(&collector->key);
	return !buffer_failed(&collector->key) ||
	       error_set(err, ERROR_LIMIT, "no memory for an item");
}

static struct inventory_item *add(
	struct inventory_collector *collector, struct text key, const struct inventory_item *item)
{
	struct inventory_item *new = arena_new(collector->arena, struct inventory_item);

	if (new == NULL || !name_table_put(collector->items, key, new))
		return NULL;
	new->node = item->node;
	new->edge = item->edge;
	return new;
}

bool inventory_collect(
	struct inventory_collector *collector, const struct inventory_item *item, struct error *err)
{
	struct inventory_item *old;
	struct text key;

	if (!inventory_item_check(item, err) || !key_of(collector, item, &key, err))
		return false;
	old = name_table_find(collector->items, key);
	if (old == NULL)
		old = add(collector, key, item);
	if (old == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an item");
	return join(collector, old, item, err);
}

size_t inventory_collected(const struct inventory_collector *collector)
{
	return name_table_count(collector->items);
}

bool inventory_collector_has(
	const struct inventory_collector *collector, enum graph_node_kind node, struct text id)
{
	const struct inventory_item item = {.node = node, .id = id};
	struct buffer key;
	bool has;

	buffer_init(&key, KEY_BYTES_MAX);
	inventory_item_key(&key, &item);
	has = !buffer_failed(&key) && name_table_find(collector->items, buffer_text(&key)) != NULL;
	buffer_deinit(&key);
	return has;
}

bool inventory_collector_each(const struct inventory_collector *collector,
	bool (*visit)(void *context, const struct inventory_item *item, struct error *err),
	void *context, struct error *err)
{
	struct buffer key;
	struct text after = {NULL, 0};
	bool ok = true;

	buffer_init(&key, KEY_BYTES_MAX);
	for (;;) {
		const struct inventory_item *item = name_table_next(collector->items, after);

		if (item == NULL)
			break;
		buffer_reset(&key);
		inventory_item_key(&key, item);
		after = buffer_text(&key);
		ok = buffer_failed(&key) ? error_set(err, ERROR_LIMIT, "no memory for an item")
					 : visit(context, item, err);
		if (!ok)
			break;
	}
	buffer_deinit(&key);
	return ok;
}

/* Imports on their way are kept by their parts; one that is in force at either time, or may come
 * back by an undo, stays.  Every import that comes into force notes when its items were seen. */
#include "domain/inventory/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "domain/charter/name_table.h"

enum {
	BEFORE = 0,
	AFTER,
	TIMES,
	KEY_BYTES_MAX = INVENTORY_LINE_BYTES_MAX,
	SCRATCH_BYTES_MAX = 1024 * 1024, /* of one line */
	/* Where the lines of one connector's items are: as many as one inventory may have. */
	COMPARED_BYTES_MAX = 256 * 1024 * 1024,
};

struct part {
	struct part *next;
	struct text lines;
	char bytes[];
};

/* One import. */
struct set {
	struct set *next; /* on their way */
	char id[RANDOM_ID_BYTES];
	struct part *first;
	struct part *last;
	uint64_t items;
	int64_t taken_utc_s;
	unsigned holders;
	bool is_lost;
};

struct seen {
	int64_t first_utc_s;
	int64_t last_utc_s;
};

struct connector {
	char name[INVENTORY_CONNECTOR_BYTES_MAX + 1];
	struct set *loose;
	struct set *current;
	struct set *previous;
	struct set *at[TIMES];
	struct name_table *seen; /* struct seen by an item's key */
	int64_t first_utc_s;
};

struct inventory_past {
	int64_t ends_utc_ms[TIMES];
	struct name_table *connectors;
	struct arena *scratch;
};

/* ---- sets ---- */

static struct set *hold(struct set *set)
{
	if (set != NULL)
		set->holders++;
	return set;
}

static void release(struct set **link)
{
	struct set *set = *link;

	*link = NULL;
	if (set == NULL || --set->holders > 0)
		return;
	while (set->first != NULL) {
		struct part *part = set->first;

		set->first = part->next;
		free(part);
	}
	free(set);
}

static struct set **loose_link(struct connector *connector, struct text id)
{
	struct set **link = &connector->loose;

	while (*link != NULL && !text_is(id, (*link)->id))
		link = &(*link)->next;
	return link;
}

/* The import on its way, made if there is none. */
static struct set *loose_need(struct connector *connector, struct text id, struct error *err)
{
	struct set *set = *loose_link(connector, id);

	if (set != NULL)
		return set;
	set = calloc(1, sizeof *set);
	if (set == NULL || id.length >= sizeof set->id) {
		free(set);
		error_set(err, set == NULL ? ERROR_LIMIT : ERROR_CORRUPT, "an import without room");
		return NULL;
	}
	memcpy(set->id, id.data, id.length);
	set->holders = 1;
	set->next = connector->loose;
	connector->loose = set;
	return set;
}

static void drop_loose(struct connector *connector, const struct json *record)
{
	const struct json *drops = json_find(record, "drops");

	for (uint32_t i = 0; drops != NULL && drops->type == JSON_ARRAY && i < drops->count; i++) {
		struct set **link = loose_link(connector,
			drops->items[i].type == JSON_STRING ? drops->items[i].string : TEXT(""));
		struct set *set = *link;

		if (set == NULL)
			continue;
		*link = set->next;
		release(&set);
	}
}

static void connector_destroy(void *value)
{
	struct connector *connector = value;

	while (connector->loose != NULL) {
		struct set *set = connector->loose;

		connector->loose = set->next;
		release(&set);
	}
	release(&connector->current);
	release(&connector->previous);
	release(&connector->at[BEFORE]);
	release(&connector->at[AFTER]);
	if (connector->seen != NULL)
		name_table_destroy(&connector->seen, free);
	free(connector);
}

static struct connector *connector_need(
	struct inventory_past *past, struct text name, struct error *err)
{
	struct connector *connector = name_table_find(past->connectors, name);

	if (connector != NULL)
		return connector;
	if (!inventory_is_connector(name)) {
		error_set(err, ERROR_CORRUPT, "an inventory of no connector");
		return NULL;
	}
	connector = calloc(1, sizeof *connector);
	if (connector != NULL)
		connector->seen = name_table_create();
	if (connector == NULL || connector->seen == NULL ||
		!name_table_put(past->connectors, name, connector)) {
		if (connector != NULL)
			connector_destroy(connector);
		error_set(err, ERROR_LIMIT, "no memory for an inventory");
		return NULL;
	}
	memcpy(connector->name, name.data, name.length);
	return connector;
}

bool inventory_past_create(
	struct inventory_past **out, int64_t since_utc_ms, int64_t until_utc_ms, struct error *err)
{
	struct inventory_past *past = calloc(1, sizeof *past);

	*out = past;
	if (past != NULL) {
		past->ends_utc_ms[BEFORE] = since_utc_ms;
		past->ends_utc_ms[AFTER] = until_utc_ms;
		past->connectors = name_table_create();
		past->scratch = arena_create(SCRATCH_BYTES_MAX);
	}
	if (past != NULL && past->connectors != NULL && past->scratch != NULL)
		return true;
	inventory_past_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory for inventories");
}

void inventory_past_destroy(struct inventory_past **past)
{
	if (*past == NULL)
		return;
	if ((*past)->connectors != NULL)
		name_table_destroy(&(*past)->connectors, connector_destroy);
	arena_destroy(&(*past)->scratch);
	free(*past);
	*past = NULL;
}

/* ---- items ---- */

/* The line is borrowed until its set is released. */
struct line_item {
	struct text line;
	const struct inventory_item *item;
	struct text key;
};
typedef bool visit_item(void *context, const struct line_item *of, struct error *err);

static bool visit_line(struct inventory_past const *past, struct text line, visit_item *visit,
	void *context, struct error *err)
{
	struct inventory_item item;
	char bytes[KEY_BYTES_MAX];
	struct buffer key;
	bool ok;

	arena_reset(past->scratch);
	if (!inventory_item_parse(&item, past->scratch, line, err))
		return error_set(err, ERROR_CORRUPT, "an item on record cannot be read");
	buffer_init_in(&key, sizeof bytes, bytes, sizeof bytes);
	inventory_item_key(&key, &item);
	ok = !buffer_failed(&key) || error_set(err, ERROR_CORRUPT, "an item with too long a name");
	return ok && visit(context, &(struct line_item){line, &item, buffer_text(&key)}, err);
}

static bool each_item(const struct inventory_past *past, const struct set *set, visit_item *visit,
	void *context, struct error *err)
{
	for (const struct part *part = set == NULL ? NULL : set->first; part != NULL;
		part = part->next) {
		struct text rest = part->lines;

		while (rest.length > 0) {
			struct text line = text_cut(&rest, '\n');

			if (line.length > 0 && !visit_line(past, line, visit, context, err))
				return false;
		}
	}
	return true;
}

struct noting {
	struct connector *connector;
	int64_t taken_utc_s;
};

static bool note_seen(void *context, const struct line_item *of, struct error *err)
{
	const struct noting *noting = context;
	struct seen *seen = name_table_find(noting->connector->seen, of->key);

	if (seen == NULL) {
		seen = calloc(1, sizeof *seen);
		if (seen == NULL || !name_table_put(noting->connector->seen, of->key, seen)) {
			free(seen);
			return error_set(err, ERROR_LIMIT, "no memory for what was seen");
		}
		seen->first_utc_s = noting->taken_utc_s;
	}
	seen->last_utc_s = noting->taken_utc_s;
	return true;
}

/* ---- records ---- */

static bool feed_part(struct connector *connector, const struct json *record, struct text content,
	struct error *err)
{
	struct set *set = loose_need(connector, json_text_or(record, "import", ""), err);
	int64_t items = json_integer_or(record, "items", 0);
	struct part *part;

	if (set == NULL)
		return false;
	set->items += items > 0 ? (uint64_t)items : 0;
	set->is_lost = set->is_lost || (items > 0 && content.length == 0);
	if (content.length == 0)
		return true;
	part = calloc(1, sizeof *part + content.length);
	if (part == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an inventory");
	memcpy(part->bytes, content.data, content.length);
	part->lines = (struct text){part->bytes, content.length};
	*(set->last == NULL ? &set->first : &set->last->next) = part;
	set->last = part;
	return true;
}

static bool feed_imported(struct inventory_past *past, struct connector *connector,
	const struct json *record, struct error *err)
{
	struct text id = json_text_or(record, "import", "");
	struct set *set = loose_need(connector, id, err);
	struct noting noting = {connector, json_integer_or(record, "taken", 0)};

	if (set == NULL)
		return false;
	if (noting.taken_utc_s == 0)
		noting.taken_utc_s = json_integer_or(record, "at", 0) / 1000;
	*loose_link(connector, id) = set->next;
	set->taken_utc_s = noting.taken_utc_s;
	release(&connector->previous);
	connector->previous = connector->current;
	connector->current = set;
	if (connector->first_utc_s == 0)
		connector->first_utc_s = noting.taken_utc_s;
	drop_loose(connector, record);
	return each_item(past, set, note_seen, &noting, err);
}

static void feed_undone(struct connector *connector)
{
	release(&connector->current);
	connector->current = connector->previous;
	connector->previous = NULL;
}

static void keep_times(
	const struct inventory_past *past, struct connector *connector, int64_t at_utc_ms)
{
	for (int time = BEFORE; time < TIMES; time++)
		if (at_utc_ms <= past->ends_utc_ms[time]) {
			release(&connector->at[time]);
			connector->at[time] = hold(connector->current);
		}
}

bool inventory_past_feed(struct inventory_past *past, const struct json *record,
	struct text content, struct error *err)
{
	struct text type = json_text_or(record, "type", "");
	int64_t at_utc_ms = json_integer_or(record, "at", 0);
	struct connector *connector;

	if ((!text_is(type, "inventory-part") && !text_is(type, "inventory-imported") &&
		    !text_is(type, "inventory-undone") && !text_is(type, "inventory-dropped")) ||
		at_utc_ms > past->ends_utc_ms[AFTER])
		return true;
	connector = connector_need(past, json_text_or(record, "connector", ""), err);
	if (connector == NULL)
		return false;
	if (text_is(type, "inventory-part"))
		return feed_part(connector, record, content, err);
	if (text_is(type, "inventory-imported") && !feed_imported(past, connector, record, err))
		return false;
	if (text_is(type, "inventory-undone"))
		feed_undone(connector);
	if (text_is(type, "inventory-dropped"))
		drop_loose(connector, record);
	else
		keep_times(past, connector, at_utc_ms);
	return true;
}

/* ---- what differs ---- */

struct comparing {
	const struct inventory_past *past;
	const struct connector *connector;
	struct name_table *others; /* struct text, lines of the other time, by key */
	struct arena *kept;        /* of these */
	struct arena *scratch;     /* of one of them, read */
	enum inventory_differs otherwise;
	bool (*tell)(
		void *context, const struct inventory_difference *difference, struct error *err);
	void *context;
};

static bool is_comparable(const struct connector *connector)
{
	return connector->at[BEFORE] != NULL && !connector->at[BEFORE]->is_lost &&
	       (connector->at[AFTER] == NULL || !connector->at[AFTER]->is_lost) &&
	       connector->at[BEFORE] != connector->at[AFTER];
}

static bool note_other(void *context, const struct line_item *of, struct error *err)
{
	struct comparing *comparing = context;
	struct text *line;

	if (name_table_find(comparing->others, of->key) != NULL)
		return true;
	line = arena_new(comparing->kept, struct text);
	if (line == NULL || !name_table_put(comparing->others, of->key, line))
		return error_set(err, ERROR_LIMIT, "no memory for what differs");
	*line = of->line;
	return true;
}

/* What it has otherwise than the line of the other time. */
static bool find_changes(const struct comparing *comparing, struct text line,
	struct inventory_difference *difference, struct error *err)
{
	struct inventory_item other;

	arena_reset(comparing->scratch);
	if (!inventory_item_parse(&other, comparing->scratch, line, err))
		return error_set(err, ERROR_CORRUPT, "an item on record cannot be read");
	difference->changes_count = inventory_item_changes(
		&other, difference->item, difference->changes, INVENTORY_CHANGES_MAX);
	difference->differs = difference->changes_count > 0 ? INVENTORY_CHANGED : INVENTORY_SAME;
	return true;
}

static bool tell_item(void *context, const struct line_item *of, struct error *err)
{
	const struct comparing *comparing = context;
	const struct text *other = name_table_find(comparing->others, of->key);
	const struct seen *seen = name_table_find(comparing->connector->seen, of->key);
	struct inventory_difference difference = {.differs = comparing->otherwise,
		.connector = text_of(comparing->connector->name),
		.item = of->item,
		.first_utc_s = seen == NULL ? 0 : seen->first_utc_s,
		.last_utc_s = seen == NULL ? 0 : seen->last_utc_s};

	if (other != NULL && comparing->otherwise == INVENTORY_GONE)
		return true;
	if (other != NULL && !find_changes(comparing, *other, &difference, err))
		return false;
	return difference.differs == INVENTORY_SAME ||
	       comparing->tell(comparing->context, &difference, err);
}

/* Tells of `mine` what the other time has not, or has otherwise. */
static bool compare_times(struct comparing *comparing, int mine, int others, struct error *err)
{
	const struct connector *connector = comparing->connector;
	bool ok;

	comparing->others = name_table_create();
	comparing->kept = arena_create(COMPARED_BYTES_MAX);
	comparing->scratch = arena_create(SCRATCH_BYTES_MAX);
	ok = (comparing->others != NULL && comparing->kept != NULL && comparing->scratch != NULL) ||
	     error_set(err, ERROR_LIMIT, "no memory for what differs");
	ok = ok && each_item(comparing->past, connector->at[others], note_other, comparing, err) &&
	     each_item(comparing->past, connector->at[mine], tell_item, comparing, err);
	arena_destroy(&comparing->kept);
	arena_destroy(&comparing->scratch);
	if (comparing->others != NULL)
		name_table_destroy(&comparing->others, NULL);
	return ok;
}

bool inventory_past_compare(const struct inventory_past *past,
	bool (*tell)(
		void *context, const struct inventory_difference *difference, struct error *err),
	void *context, struct error *err)
{
	struct comparing comparing = {.past = past, .tell = tell, .context = context};

	for (comparing.connector = name_table_next(past->connectors, TEXT(""));
		comparing.connector != NULL; comparing.connector = name_table_next(past->connectors,
						     text_of(comparing.connector->name))) {
		if (!is_comparable(comparing.connector))
			continue;
		comparing.otherwise = INVENTORY_NEW;
		if (!compare_times(&comparing, AFTER, BEFORE, err))
			return false;
		comparing.otherwise = INVENTORY_GONE;
		if (!compare_times(&comparing, BEFORE, AFTER, err))
			return false;
	}
	return true;
}

bool inventory_past_next(
	const struct inventory_past *past, struct text after, struct inventory_past_layer *out)
{
	const struct connector *connector = name_table_next(past->connectors, after);

	while (connector != NULL && connector->first_utc_s == 0)
		connector = name_table_next(past->connectors, text_of(connector->name));
	*out = (struct inventory_past_layer){0};
	if (connector == NULL)
		return false;
	out->connector = text_of(connector->name);
	out->first_utc_s = connector->first_utc_s;
	for (int time = BEFORE; time < TIMES; time++) {
		const struct set *set = connector->at[time];

		if (set == NULL)
			continue;
		*(time == BEFORE ? &out->since_utc_s : &out->until_utc_s) = set->taken_utc_s;
		out->items = time == AFTER ? set->items : 0;
		out->is_lost = out->is_lost || set->is_lost;
	}
	return true;
}

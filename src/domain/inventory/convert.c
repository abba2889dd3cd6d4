/* Two passes over all pages, so that their order does not matter: the first learns who is
 * who and counts the pages, the second makes items. */
#include "domain/inventory/convert.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/inventory/converting.h"

static const struct reader {
	converting_read *read;
} readers[PROVIDER_COUNT] = {
	[PROVIDER_GOOGLE] = {google_page},
	[PROVIDER_MICROSOFT] = {microsoft_page},
	[PROVIDER_GITHUB] = {github_page},
	[PROVIDER_SLACK] = {slack_page},
	[PROVIDER_N8N] = {n8n_page},
	[PROVIDER_ZAPIER] = {zapier_page},
	[PROVIDER_POWER_AUTOMATE] = {power_automate_page},
};

/* ---- failures and members ---- */

void converting_fail(struct converting *c, const struct json *at, const char *fmt, ...)
{
	char what[ERROR_TEXT_BYTES];
	va_list args;

	if (c->failed)
		return;
	c->failed = true;
	va_start(args, fmt);
	(void)vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	if (at != NULL && at->line > 0)
		error_set(c->err, ERROR_INVALID, "%.*s:%u: %s", TEXT_ARGS(c->page), at->line, what);
	else
		error_set(c->err, ERROR_INVALID, "%.*s: %s", TEXT_ARGS(c->page), what);
}

static void fail_memory(struct converting *c)
{
	if (!c->failed)
		error_set(c->err, ERROR_LIMIT, "no memory for the inventory");
	c->failed = true;
}

static const struct json *find(const struct json *object, const char *name)
{
	const struct json *value = json_find(object, name);

	return value == NULL || value->type == JSON_NULL ? NULL : value;
}

struct text converting_text(struct converting *c, const struct json *object, const char *name)
{
	const struct json *value = find(object, name);

	if (value == NULL)
		return (struct text){NULL, 0};
	if (value->type == JSON_STRING)
		return value->string;
	if (value->type == JSON_INTEGER)
		return converting_format(c, "%lld", (long long)value->integer);
	converting_fail(c, value, "%s: a text is expected", name);
	return (struct text){NULL, 0};
}

struct text converting_need(struct converting *c, const struct json *object, const char *name)
{
	struct text t = converting_text(c, object, name);

	if (t.length == 0)
		converting_fail(c, object, "%s: is missing", name);
	return t;
}

graph_time converting_time(struct converting *c, const struct json *object, const char *name)
{
	struct text t = converting_text(c, object, name);
	graph_time at_s = inventory_time_of(t);

	/* Microsoft's "never". */
	if (at_s == 0 && t.length > 0 && !text_starts_with(t, "0001-01-01"))
		converting_fail(c, find(object, name), "%s: is no time (RFC 3339)", name);
	return at_s;
}

graph_time converting_epoch(struct converting *c, const struct json *object, const char *name)
{
	struct text t = converting_text(c, object, name);
	int64_t at_s = 0;

	if (t.length > 0 && (!text_to_int64(t, &at_s) || at_s < 0 || at_s > UINT32_MAX))
		converting_fail(c, find(object, name), "%s: are no seconds since 1970", name);
	return c->failed ? 0 : (graph_time)at_s;
}

static const struct json *need_type(
	struct converting *c, const struct json *object, const char *name, enum json_type type)
{
	const struct json *value = find(object, name);

	if (value == NULL || value->type == type)
		return value;
	converting_fail(c, value, "%s: %s is expected", name, json_type_name(type));
	return NULL;
}

const struct json *converting_list(
	struct converting *c, const struct json *object, const char *name)
{
	return need_type(c, object, name, JSON_ARRAY);
}

const struct json *converting_object(
	struct converting *c, const struct json *object, const char *name)
{
	return need_type(c, object, name, JSON_OBJECT);
}

struct text converting_format(struct converting *c, const char *fmt, ...)
{
	char *copy = NULL;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (length >= 0)
		copy = arena_alloc(c->arena, (size_t)length + 1, 1);
	if (copy == NULL) {
		fail_memory(c);
		return (struct text){NULL, 0};
	}
	va_start(args, fmt);
	(void)vsnprintf(copy, (size_t)length + 1, fmt, args);
	va_end(args);
	return (struct text){copy, (size_t)length};
}

struct text converting_title(struct converting *c, struct text title)
{
	struct buffer line;
	struct text copy;
	size_t length = title.length;

	if (length > INVENTORY_TEXT_BYTES_MAX) {
		length = INVENTORY_TEXT_BYTES_MAX;
		while (length > 0 && ((unsigned char)title.data[length] & 0xC0u) == 0x80u)
			length--;
	}
	buffer_init(&line, (size_t)4 * INVENTORY_TEXT_BYTES_MAX);
	buffer_append_visible(&line, (struct text){title.data, length});
	copy = text_copy(c->arena, buffer_text(&line));
	buffer_deinit(&line);
	if (copy.data == NULL)
		fail_memory(c);
	return copy;
}

/* ---- who is who ---- */

static void keep(
	struct converting *c, struct name_table *table, struct text name, const void *value)
{
	if (name.length == 0 || name_table_find(table, name) != NULL)
		return;
	/* The table gives values back as they came. */
	if (!name_table_put(table, name, (void *)(uintptr_t)value))
		fail_memory(c);
}

/* Of two addresses the first in byte order stays, whichever page came first; what the caller
 * says of people counts before both. */
void converting_know_person(struct converting *c, struct text name, struct text mail)
{
	const struct json *given = c->export->people;
	struct text *kept = NULL;

	if (c->pass != 0 || name.length == 0 || mail.length == 0)
		return;
	kept = name_table_find(c->people, name);
	if (kept != NULL) {
		if ((given == NULL || json_find_text(given, name) == NULL) &&
			text_compare(mail, *kept) < 0)
			*kept = mail;
		return;
	}
	kept = arena_new(c->arena, struct text);
	if (kept == NULL) {
		fail_memory(c);
		return;
	}
	*kept = mail;
	keep(c, c->people, name, kept);
}

/* Into the list, which stays in order; what does not fit is counted alone. */
static void note(struct converting *c, struct text *list, uint32_t *count, struct text what)
{
	uint32_t held = *count < INVENTORY_NOTES_MAX ? *count : INVENTORY_NOTES_MAX;
	uint32_t at = held;

	(*count)++;
	while (at > 0 && text_compare(what, list[at - 1]) < 0)
		at--;
	if (at == INVENTORY_NOTES_MAX)
		return;
	if (held == INVENTORY_NOTES_MAX)
		held--;
	memmove(&list[at + 1], &list[at], (held - at) * sizeof *list);
	list[at] = text_copy(c->arena, what);
	if (list[at].data == NULL)
		fail_memory(c);
}

static bool is_new_note(struct converting *c, const char *kind, struct text what)
{
	struct text key = converting_format(c, "%s %.*s", kind, TEXT_ARGS(what));

	if (c->failed || name_table_find(c->noted, key) != NULL)
		return false;
	keep(c, c->noted, key, c);
	return !c->failed;
}

struct text converting_person(struct converting *c, struct text name)
{
	const struct text *mail = name.length == 0 ? NULL : name_table_find(c->people, name);

	if (mail != NULL)
		return *mail;
	if (c->pass == 1 && name.length > 0 && text_find_byte(name, '@') < 0 &&
		is_new_note(c, "person", name))
		note(c, c->notes->unnamed, &c->notes->unnamed_count, name);
	return name;
}

void converting_note_scope(struct converting *c, struct text scope)
{
	if (is_new_note(c, "scope", scope))
		note(c, c->notes->unknown_scopes, &c->notes->unknown_scopes_count, scope);
}

void converting_keep(
	struct converting *c, const char *kind, struct text id, const struct json *object)
{
	struct text key = converting_format(c, "%s %.*s", kind, TEXT_ARGS(id));
	const struct json *old;

	if (c->pass != 0 || c->failed)
		return;
	old = name_table_find(c->objects, key);
	if (old != NULL && !json_equal(old, object))
		converting_fail(c, object, "%s %.*s stands here twice, and not the same", kind,
			(int)(id.length < 80 ? id.length : 80), id.data);
	keep(c, c->objects, key, object);
}

void converting_mark(struct converting *c, const char *kind, struct text id)
{
	if (c->pass == 0)
		keep(c, c->objects, converting_format(c, "%s %.*s", kind, TEXT_ARGS(id)),
			c->export);
}

bool converting_is_marked(struct converting *c, const char *kind, struct text id)
{
	struct text key = converting_format(c, "%s %.*s", kind, TEXT_ARGS(id));

	return !c->failed && name_table_find(c->objects, key) != NULL;
}

const struct json *converting_kept(struct converting *c, const char *kind, struct text id)
{
	struct text key = converting_format(c, "%s %.*s", kind, TEXT_ARGS(id));

	return c->failed ? NULL : name_table_find(c->objects, key);
}

/* ---- items ---- */

void converting_put(struct converting *c, const struct inventory_item *item)
{
	struct error err = {0};

	if (c->failed || c->pass != 1 || inventory_collect(c->out, item, &err))
		return;
	converting_fail(c, NULL, "%s", err.text);
	c->err->code = err.code;
}

void converting_put_scope(struct converting *c, const struct inventory_item *edge,
	const struct inventory_scope *scope)
{
	struct inventory_item may = *edge;
	struct inventory_item resource = {
		.node = GRAPH_NODE_RESOURCE, .id = scope->resource, .title = scope->resource};

	may.edge = GRAPH_EDGE_MAY;
	may.effects = scope->effects;
	may.to = converting_format(c, "resource:%.*s", TEXT_ARGS(scope->resource));
	if (!scope->is_known && c->pass == 1)
		converting_note_scope(c, may.scope);
	converting_put(c, &resource);
	converting_put(c, &may);
}

void converting_put_person(struct converting *c, enum graph_edge_kind kind, struct text person,
	struct text account, graph_time since_s)
{
	const struct inventory_item edge = {.edge = kind,
		.from = converting_format(c, "person:%.*s", TEXT_ARGS(person)),
		.to = converting_format(c, "account:%.*s", TEXT_ARGS(account)),
		.since_s = since_s};

	if (person.length > 0)
		converting_put(c, &edge);
}

/* ---- pages ---- */

void converting_page(
	struct converting *c, const char *what, bool is_continued, int64_t items, int64_t promised)
{
	size_t i = 0;

	if (c->pass != 0)
		return;
	while (i < c->lists_count && strcmp(c->lists[i].what, what) != 0)
		i++;
	if (i == c->lists_count) {
		if (i == CONVERTING_LISTS_MAX) {
			converting_fail(c, NULL, "too many kinds of lists");
			return;
		}
		c->lists[c->lists_count++] = (struct converting_list){.what = what, .promised = -1};
	}
	c->lists[i].pages++;
	c->lists[i].continued += is_continued;
	c->lists[i].items += items;
	if (promised > c->lists[i].promised)
		c->lists[i].promised = promised;
}

/* A list of which only pages came that promise another was not read to its end. */
static void check_whole(struct converting *c)
{
	for (size_t i = 0; i < c->lists_count; i++) {
		const struct converting_list *list = &c->lists[i];

		c->page = text_of(list->what);
		if (list->continued == list->pages)
			converting_fail(c, NULL,
				"half an export: each of the %u pages says that another follows",
				list->pages);
		else if (list->promised >= 0 && list->items < list->promised)
			converting_fail(c, NULL,
				"half an export: the pages speak of %lld, and hold %lld",
				(long long)list->promised, (long long)list->items);
	}
}

static void know_people(struct converting *c)
{
	const struct json *people = c->export->people;

	if (people == NULL)
		return;
	c->page = TEXT("people");
	if (people->type != JSON_OBJECT) {
		converting_fail(c, people, "an object of names and mail addresses is expected");
		return;
	}
	for (uint32_t i = 0; i < people->count; i++) {
		const struct json *mail = &people->members[i].value;

		if (mail->type != JSON_STRING || text_find_byte(mail->string, '@') <= 0)
			converting_fail(c, mail, "a mail address is expected");
		else
			converting_know_person(c, people->members[i].name, mail->string);
	}
}

static void read_pages(struct converting *c, converting_read *read)
{
	for (c->pass = 0; c->pass < CONVERTING_PASSES && !c->failed; c->pass++) {
		if (c->pass == 0)
			know_people(c);
		for (size_t i = 0; i < c->export->pages_count && !c->failed; i++) {
			c->page = c->export->pages[i].name;
			read(c, c->export->pages[i].value);
		}
		if (c->pass == 0 && !c->failed)
			check_whole(c);
	}
}

bool inventory_convert(const struct inventory_export *export, struct inventory_collector *out,
	struct arena *arena, struct inventory_notes *notes, struct error *err)
{
	struct converting c = {.export = export,
		.out = out,
		.arena = arena,
		.notes = notes,
		.people = name_table_create(),
		.objects = name_table_create(),
		.noted = name_table_create(),
		.err = err};
	converting_read *read =
		export->provider < PROVIDER_COUNT ? readers[export->provider].read : NULL;

	*notes = (struct inventory_notes){0};
	if (c.people == NULL || c.objects == NULL || c.noted == NULL)
		fail_memory(&c);
	else if (read == NULL)
		converting_fail(&c, NULL, "no export of this provider can be read");
	else if (export->pages_count == 0 || export->pages_count > INVENTORY_PAGES_MAX)
		converting_fail(&c, NULL, "1 to %d pages are expected", INVENTORY_PAGES_MAX);
	else
		read_pages(&c, read);
	if (c.people != NULL)
		name_table_destroy(&c.people, NULL);
	if (c.objects != NULL)
		name_table_destroy(&c.objects, NULL);
	if (c.noted != NULL)
		name_table_destroy(&c.noted, NULL);
	return !c.failed;
}

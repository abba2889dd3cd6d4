/* The registry as it was at a record.
 *
 *   registry of now ──about to change──▶ kept as it was ──the record of it is read──▶ past ──an
 *   hour of the records' time──▶ forgotten
 *
 * Invariants:
 *  1. An entry that is not kept is now as it was at the last record, if its revision is not above
 *     the day's; if it is, nobody had its name yet.  is_whole says whether that holds.
 *  2. What is kept is what records say, however far ahead the registry was: so a day that was
 *     ended and begun again tells the same. */
#include "domain/control/record_day.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/charters.h"
#include "domain/charter/name_table.h"
#include "domain/charter/registry_fold.h"
#include "domain/control/record_check.h"

enum { KEY_BYTES_MAX = PERSON_NAME_BYTES_MAX + 2, RECORD_DAY_SCRATCH_BYTES_MAX = 4 * 1024 * 1024 };

/* The versions of an entry that hold or wait. */
struct versions {
	uint32_t version;              /* the highest */
	const struct object *in_force; /* held, as: */
	const struct object *waiting;
	bool is_lost; /* which one is in force */
};

struct kept;

/* What an entry was before a record. */
struct past {
	struct past *newer;  /* of all */
	struct past *before; /* of the entry */
	struct kept *kept;
	struct versions was;
	uint64_t until;           /* revision from which on it was not that any more */
	uint64_t revision_before; /* of the registry, before that record */
	uint64_t index;           /* of the record */
	int64_t at_utc_ms;
};

struct kept {
	struct text key; /* behind the struct */
	struct versions is;
	struct past *last; /* NULL: it only changes ahead */
	uint64_t from;     /* revision since which it was what it is known to have been first */
	bool is_recalled;
};

struct record_day {
	const struct registry *registry;
	struct name_table *table; /* owns struct kept */
	struct charters *charters;
	struct arena *scratch;
	struct past *oldest;
	struct past *newest;
	size_t count; /* kept and pasts */
	size_t most;
	uint64_t since;
	uint64_t revision; /* behind the last record */
	int64_t at_utc_ms;
	int64_t sure_utc_ms;
	bool is_whole;
};

/* ---- memory ---- */

bool record_day_create(struct record_day **out, const struct registry *registry,
	const struct record_day_state *state, int64_t at_utc_ms, struct error *err)
{
	struct record_day *day = calloc(1, sizeof *day);

	*out = day;
	if (day != NULL) {
		day->table = name_table_create();
		day->scratch = arena_create_small(RECORD_DAY_SCRATCH_BYTES_MAX, 4096);
	}
	if (day == NULL || day->table == NULL || day->scratch == NULL ||
		!charters_create(&day->charters, err)) {
		record_day_destroy(out);
		return error_set(err, ERROR_LIMIT, "no memory to know the registry of a record");
	}
	day->registry = registry;
	day->most = RECORD_DAY_CHANGES_MAX;
	day->since = state->since;
	day->revision = state->revision;
	day->sure_utc_ms = state->sure_utc_ms;
	day->at_utc_ms = at_utc_ms;
	day->is_whole = true;
	return true;
}

void record_day_bound(struct record_day *day, size_t most)
{
	day->most = most;
}

static void release(struct versions *versions)
{
	object_release(&versions->in_force);
	object_release(&versions->waiting);
}

static struct versions copy(const struct versions *from)
{
	struct versions made = *from;

	if (made.in_force != NULL)
		made.in_force = object_acquire(made.in_force);
	if (made.waiting != NULL)
		made.waiting = object_acquire(made.waiting);
	return made;
}

static void forget(struct record_day *day, struct kept *kept)
{
	assert(kept->last == NULL);
	(void)name_table_remove(day->table, kept->key);
	release(&kept->is);
	free(kept);
	day->count--;
}

static void pop(struct record_day *day)
{
	struct past *past = day->oldest;
	struct past **last = &past->kept->last;

	while (*last != past)
		last = &(*last)->before;
	*last = NULL;
	day->oldest = past->newer;
	if (day->oldest == NULL)
		day->newest = NULL;
	release(&past->was);
	free(past);
	day->count--;
}

static void forget_all(struct record_day *day)
{
	struct kept *kept;

	while (day->oldest != NULL)
		pop(day);
	while ((kept = name_table_next(day->table, TEXT(""))) != NULL)
		forget(day, kept);
}

void record_day_destroy(struct record_day **day)
{
	if (*day == NULL)
		return;
	if ((*day)->table != NULL)
		forget_all(*day);
	name_table_destroy(&(*day)->table, NULL);
	charters_release(&(*day)->charters);
	arena_destroy(&(*day)->scratch);
	free(*day);
	*day = NULL;
}

/* What entries were before is not known of all until an hour later. */
static void lose(struct record_day *day)
{
	day->is_whole = false;
	day->sure_utc_ms = day->at_utc_ms + RECORD_DAY_PAST_MS + 1;
}

/* Where there is no room all is forgotten, and what is not known is not told. */
static bool has_room(struct record_day *day, size_t wanted)
{
	if (day->count + wanted <= day->most)
		return true;
	forget_all(day);
	lose(day);
	return false;
}

/* ---- names ---- */

static bool is_of_day(enum object_kind kind)
{
	return kind == OBJECT_IDENTITY || kind == OBJECT_DATA_SOURCE || kind == OBJECT_TOOL ||
	       kind == OBJECT_SERVER;
}

/* Empty: it is none of the day's. */
static struct text key_of(enum object_kind kind, struct text name, char key[KEY_BYTES_MAX])
{
	if (!is_of_day(kind) || name.length == 0 || name.length > PERSON_NAME_BYTES_MAX)
		return TEXT("");
	key[0] = (char)('A' + kind);
	memcpy(key + 1, name.data, name.length);
	return (struct text){key, name.length + 1};
}

static struct kept *find(const struct record_day *day, enum object_kind kind, struct text name)
{
	char buffer[KEY_BYTES_MAX];
	struct text key = key_of(kind, name, buffer);

	return key.length == 0 ? NULL : name_table_find(day->table, key);
}

/* NULL: no memory. */
static struct kept *keep(struct record_day *day, enum object_kind kind, struct text name)
{
	char buffer[KEY_BYTES_MAX];
	struct text key = key_of(kind, name, buffer);
	struct kept *kept;

	kept = calloc(1, sizeof *kept + key.length);
	if (kept == NULL)
		return NULL;
	memcpy(kept + 1, key.data, key.length);
	kept->key = (struct text){(const char *)(kept + 1), key.length};
	kept->from = day->revision;
	if (name_table_put(day->table, kept->key, kept)) {
		day->count++;
		return kept;
	}
	free(kept);
	return NULL;
}

/* ---- what changes ahead ---- */

static struct versions versions_of(const struct registry_entry *entry)
{
	return (struct versions){
		.version = entry->version, .in_force = entry->in_force, .waiting = entry->waiting};
}

void record_day_changing(struct record_day *day, const struct registry_entry *entry)
{
	const struct versions is = versions_of(entry);
	struct kept *kept;

	if (!is_of_day(entry->kind) || entry->version == 0 || entry->revision > day->revision ||
		find(day, entry->kind, entry->name) != NULL || !has_room(day, 1))
		return;
	kept = keep(day, entry->kind, entry->name);
	if (kept == NULL) {
		lose(day);
		return;
	}
	kept->is = copy(&is);
	kept->from = entry->revision;
}

/* ---- one change ---- */

struct changed {
	enum object_kind kind;
	struct text name;
	const struct json *change;
	const struct registry_entry *now;
	bool is_ahead; /* now it is not any more what the change made it */
};

/* False: none of the day's. */
static bool read_change(const struct record_day *day, const struct json *change, uint64_t revision,
	struct changed *out)
{
	*out = (struct changed){.kind = object_kind_of(json_text_or(change, "kind", "")),
		.name = json_text_or(change, "name", ""),
		.change = change};
	if (!is_of_day(out->kind) || out->name.length == 0 ||
		out->name.length > PERSON_NAME_BYTES_MAX)
		return false;
	out->now = registry_find(day->registry, out->kind, out->name);
	out->is_ahead = out->now == NULL || out->now->revision > revision;
	return true;
}

/* The document of the change, as small as it can be; NULL: there is none. */
static bool read_object(struct record_day *day, const struct changed *changed,
	const struct object **out, struct error *err)
{
	const struct json *document = json_find(changed->change, "object");
	struct problems *problems;
	struct object *object = NULL;

	*out = NULL;
	if (document == NULL)
		return true;
	arena_reset(day->scratch);
	problems = arena_new(day->scratch, struct problems);
	if (problems == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a change");
	problems->arena = day->scratch;
	if (!object_parse(&object, document, TEXT("record"), problems))
		return error_set(err, ERROR_CORRUPT, "a change that holds no %s",
			object_kind_word(changed->kind));
	object->version = registry_change_number(changed->change, "version");
	*out = object;
	if (object_pack(object, day->charters, err))
		return true;
	object_release(out);
	return false;
}

static const struct object *choose(
	const struct versions *is, const struct object *read, uint32_t version)
{
	const struct object *const all[] = {read, is->in_force, is->waiting};

	for (size_t i = 0; version != 0 && i < sizeof all / sizeof *all; i++)
		if (all[i] != NULL && all[i]->version == version)
			return all[i];
	return NULL;
}

/* What the entry is by the change, where that is not what it is now. */
static bool read_versions(struct record_day *day, const struct kept *kept,
	const struct changed *changed, struct versions *out, struct error *err)
{
	uint32_t in_force = registry_change_number(changed->change, "in_force");
	const struct object *read;

	if (!read_object(day, changed, &read, err))
		return false;
	*out = (struct versions){.version = registry_change_number(changed->change, "version"),
		.in_force = choose(&kept->is, read, in_force),
		.waiting = choose(
			&kept->is, read, registry_change_number(changed->change, "waiting"))};
	out->is_lost = in_force != 0 && out->in_force == NULL;
	*out = copy(out);
	object_release(&read);
	return true;
}

static bool apply(
	struct record_day *day, struct kept *kept, const struct changed *changed, struct error *err)
{
	struct versions next;

	if (changed->is_ahead) {
		if (!read_versions(day, kept, changed, &next, err))
			return false;
	} else {
		next = versions_of(changed->now);
		next = copy(&next);
	}
	release(&kept->is);
	kept->is = next;
	return true;
}

static bool each_change(struct record_day *day, const struct json *record,
	bool (*visit)(struct record_day *day, const struct changed *changed,
		const struct json *record, struct error *err),
	struct error *err)
{
	const struct json *changes = json_find(record, "changes");
	uint64_t revision = (uint64_t)json_integer_or(record, "revision", 0);
	struct changed changed;

	if (changes == NULL || changes->type != JSON_ARRAY)
		return true;
	for (uint32_t i = 0; i < changes->count; i++)
		if (read_change(day, &changes->items[i], revision, &changed) &&
			!visit(day, &changed, record, err))
			return false;
	return true;
}

/* ---- what was before ---- */

bool record_day_wants_past(const struct record_day *day)
{
	return day->since > 0 && registry_revision(day->registry) > day->revision;
}

static bool recall_change(struct record_day *day, const struct changed *changed,
	const struct json *record, struct error *err)
{
	struct kept *kept = find(day, changed->kind, changed->name);

	(void)record;
	if (kept == NULL ? changed->now == NULL || changed->now->revision <= day->revision
			 : !kept->is_recalled)
		return true;
	if (kept == NULL && !has_room(day, 1))
		return true;
	if (kept == NULL)
		kept = keep(day, changed->kind, changed->name);
	if (kept == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an entry of before");
	kept->is_recalled = true;
	return apply(day, kept, changed, err);
}

bool record_day_recall(struct record_day *day, const struct json *record, struct error *err)
{
	return each_change(day, record, recall_change, err);
}

/* ---- feeding ---- */

static bool push(struct record_day *day, struct kept *kept, const struct json *record,
	uint64_t index, struct error *err)
{
	struct past *past = calloc(1, sizeof *past);

	if (past == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an entry of before");
	*past = (struct past){.before = kept->last,
		.kept = kept,
		.was = copy(&kept->is),
		.until = (uint64_t)json_integer_or(record, "revision", 0),
		.revision_before = day->revision,
		.index = index,
		.at_utc_ms = json_integer_or(record, "at", 0)};
	kept->last = past;
	*(day->newest == NULL ? &day->oldest : &day->newest->newer) = past;
	day->newest = past;
	day->count++;
	return true;
}

static uint64_t revision_of(const struct record_day *day, const struct json *record)
{
	int64_t revision = json_integer_or(record, "revision", 0);

	return revision > 0 && (uint64_t)revision > day->revision ? (uint64_t)revision
								  : day->revision;
}

/* A new name whose entry is now what the record says need not be kept. */
static bool feed_change(struct record_day *day, const struct changed *changed,
	const struct json *record, struct error *err)
{
	struct kept *kept = find(day, changed->kind, changed->name);

	if (kept == NULL && !day->is_whole)
		lose(day); /* there was no room for what it was */
	if ((kept == NULL && (!changed->is_ahead || !day->is_whole)) ||
		!has_room(day, kept == NULL ? 2 : 1))
		return true;
	if (kept == NULL)
		kept = keep(day, changed->kind, changed->name);
	if (kept == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for an entry of before");
	/* That nobody had it before is not kept, whether or not there is more ahead. */
	if (kept->is.version != 0 && !push(day, kept, record, day->since, err))
		return false;
	return apply(day, kept, changed, err);
}

/* A decision names the revision that it saw, and changes none. */
static bool is_change(const struct json *record)
{
	static const char *const types[] = {"registry", "state", "review-decided", "person-key",
		"admin-code", "identity-invited"};
	struct text type = json_text_or(record, "type", "");

	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (text_is(type, types[i]))
			return true;
	return false;
}

bool record_day_feed(
	struct record_day *day, const struct json *record, uint64_t index, struct error *err)
{
	int64_t at_utc_ms = json_integer_or(record, "at", 0);

	if (at_utc_ms > day->at_utc_ms)
		day->at_utc_ms = at_utc_ms;
	if (index < day->since || !is_change(record) || revision_of(day, record) == day->revision)
		return true;
	day->since = index;
	if (!each_change(day, record, feed_change, err))
		return false;
	day->revision = revision_of(day, record);
	day->is_whole |= day->revision >= registry_revision(day->registry);
	charters_tidy(day->charters);
	return true;
}

void record_day_forget(struct record_day *day, int64_t at_utc_ms)
{
	while (day->oldest != NULL && at_utc_ms - day->oldest->at_utc_ms > RECORD_DAY_PAST_MS) {
		struct kept *kept = day->oldest->kept;
		const struct registry_entry *now;

		pop(day);
		now = registry_find(day->registry, (enum object_kind)(kept->key.data[0] - 'A'),
			text_after(kept->key, 1));
		if (kept->last == NULL && now != NULL && now->revision <= day->revision)
			forget(day, kept);
	}
}

/* ---- asking ---- */

static struct record_day_entry known(const struct versions *was)
{
	return (struct record_day_entry){!was->is_lost, was->version, was->in_force};
}

/* What it was before that is not known, where there was no room for it. */
static bool may_be_lost(const struct record_day *day, uint64_t from, uint64_t revision)
{
	return revision < from && day->at_utc_ms < day->sure_utc_ms;
}

static struct record_day_entry at_revision(
	const struct record_day *day, const struct kept *kept, uint64_t revision)
{
	const struct versions *was = &kept->is;
	const struct past *past = kept->last;

	for (; past != NULL && revision < past->until; past = past->before)
		was = &past->was;
	if (past == NULL && may_be_lost(day, kept->from, revision))
		return (struct record_day_entry){.is_known = false};
	return known(was);
}

struct record_day_entry record_day_find(
	const struct record_day *day, enum object_kind kind, struct text name, uint64_t revision)
{
	const struct kept *kept = find(day, kind, name);
	const struct registry_entry *now;
	struct versions is;

	if (kept != NULL)
		return at_revision(day, kept, revision);
	now = name.length == 0 ? NULL : registry_find(day->registry, kind, name);
	if (now == NULL)
		return (struct record_day_entry){.is_known = true};
	if (now->revision > day->revision)
		return (struct record_day_entry){.is_known = day->is_whole};
	if (may_be_lost(day, now->revision, revision))
		return (struct record_day_entry){.is_known = false};
	is = versions_of(now);
	return known(&is);
}

struct record_day_state record_day_stand(const struct record_day *day, uint64_t next)
{
	const struct past *oldest = day->oldest;

	return (struct record_day_state){.since = oldest == NULL ? next : oldest->index,
		.revision = oldest == NULL ? day->revision : oldest->revision_before,
		.sure_utc_ms = day->sure_utc_ms};
}

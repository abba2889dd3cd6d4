/* One entry a scope: what is on record, and what is held by requests under way.
 *
 * Invariants:
 * 1. on record is the sum of the folded outcomes: of a root task all, else of its day;
 * 2. an entry that is held stays where it is; one that is not, and that no task can
 *    count by any more, goes with a later day. */
#include "domain/generation/usage.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/name_table.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, TOKENS_PRICED = 1000 * 1000 };
_Static_assert(CHARTER_TASK_S_MAX <= 24 * 60 * 60, "no task is used over more than two days");

enum scope_kind { SCOPE_TASK = 0, SCOPE_IDENTITY, SCOPE_UNIT, SCOPES };

struct usage_entry {
	enum scope_kind kind;
	int64_t day; /* of the last outcome */
	struct usage on_record;
	struct usage held;
	uint32_t holds;
	size_t name_length;
	char name[];
};

struct usage_table {
	struct name_table *entries[SCOPES];
	int64_t swept; /* day */
};

bool usage_table_create(struct usage_table **out, struct error *err)
{
	struct usage_table *table = calloc(1, sizeof *table);
	bool ok = table != NULL;

	*out = NULL;
	for (int i = 0; ok && i < SCOPES; i++) {
		table->entries[i] = name_table_create();
		ok = table->entries[i] != NULL;
	}
	if (!ok) {
		usage_table_destroy(&table);
		return error_set(err, ERROR_LIMIT, "no memory to count what models are used for");
	}
	*out = table;
	return true;
}

void usage_table_destroy(struct usage_table **table)
{
	if (*table == NULL)
		return;
	for (int i = 0; i < SCOPES; i++)
		if ((*table)->entries[i] != NULL)
			name_table_destroy(&(*table)->entries[i], free);
	free(*table);
	*table = NULL;
}

static void usage_add(struct usage *to, const struct usage *more)
{
	to->requests += more->requests;
	to->tokens += more->tokens;
	to->spend += more->spend;
}

static void usage_take(struct usage *from, const struct usage *less)
{
	from->requests -= less->requests;
	from->tokens -= less->tokens;
	from->spend -= less->spend;
}

static struct text name_of(const struct usage_scope *scope, int kind)
{
	return kind == SCOPE_TASK       ? scope->root
	       : kind == SCOPE_IDENTITY ? scope->identity
					: scope->unit;
}

static struct usage_entry *entry_get(
	struct usage_table *table, enum scope_kind kind, struct text name, struct error *err)
{
	struct usage_entry *entry = name_table_find(table->entries[kind], name);

	if (entry != NULL)
		return entry;
	entry = calloc(1, sizeof *entry + name.length + 1);
	if (entry != NULL) {
		memcpy(entry->name, name.data, name.length);
		entry->name_length = name.length;
	}
	if (entry != NULL && name_table_put(table->entries[kind], name, entry)) {
		entry->kind = kind;
		return entry;
	}
	free(entry);
	error_set(err, ERROR_LIMIT, "no memory to count what models are used for");
	return NULL;
}

/* ---- the fold ---- */

static struct text name_of_entry(const struct usage_entry *entry)
{
	return (struct text){entry->name, entry->name_length};
}

static void sweep_kind(struct name_table *entries, int64_t day)
{
	struct usage_entry *entry = name_table_next(entries, TEXT("")), *next;

	for (; entry != NULL; entry = next) {
		next = name_table_next(entries, name_of_entry(entry));
		if (entry->holds == 0 && entry->day + 1 < day)
			free(name_table_remove(entries, name_of_entry(entry)));
	}
}

static void sweep(struct usage_table *table, int64_t day)
{
	if (day <= table->swept)
		return;
	table->swept = day;
	for (int i = 0; i < SCOPES; i++)
		sweep_kind(table->entries[i], day);
}

static bool fold_into(struct usage_table *table, const struct usage_scope *scope, int64_t day,
	const struct usage *more, struct error *err)
{
	for (int i = 0; i < SCOPES; i++) {
		struct usage_entry *entry = entry_get(table, i, name_of(scope, i), err);

		if (entry == NULL)
			return false;
		if (i != SCOPE_TASK && entry->day < day)
			entry->on_record = (struct usage){0};
		if (i == SCOPE_TASK || entry->day <= day)
			usage_add(&entry->on_record, more);
		entry->day = entry->day < day ? day : entry->day;
	}
	return true;
}

bool usage_table_fold(struct usage_table *table, const struct json *record, struct error *err)
{
	const struct json *generation = json_find(record, "generation");
	int64_t day = json_integer_or(record, "at", 0) / DAY_MS;
	struct usage_scope scope = {
		.root = json_text_or(generation, "root", ""),
		.identity = json_text_or(record, "identity", ""),
		.unit = json_text_or(generation, "unit", ""),
	};
	struct usage more;

	if (generation == NULL)
		return true;
	more = usage_of_json(json_find(generation, "used"));
	if (more.requests < 0 || more.tokens < 0 || more.spend < 0)
		return error_set(err, ERROR_CORRUPT, "a generation used less than nothing");
	if (scope.root.length == 0 || scope.identity.length == 0 || scope.unit.length == 0)
		return error_set(err, ERROR_CORRUPT, "a generation does not say whose it is");
	sweep(table, day);
	return fold_into(table, &scope, day, &more, err);
}

/* ---- what is used now ---- */

static struct usage entry_now(const struct usage_entry *entry, int64_t day)
{
	struct usage now = {0};

	if (entry == NULL)
		return now;
	now = entry->held;
	if (entry->kind == SCOPE_TASK || entry->day >= day)
		usage_add(&now, &entry->on_record);
	return now;
}

struct usage_now usage_table_now(
	const struct usage_table *table, const struct usage_scope *scope, int64_t now_utc_ms)
{
	const struct usage_entry *entries[SCOPES];

	for (int i = 0; i < SCOPES; i++)
		entries[i] = name_table_find(table->entries[i], name_of(scope, i));
	return (struct usage_now){
		.task = entry_now(entries[SCOPE_TASK], now_utc_ms / DAY_MS),
		.identity = entry_now(entries[SCOPE_IDENTITY], now_utc_ms / DAY_MS),
		.unit = entry_now(entries[SCOPE_UNIT], now_utc_ms / DAY_MS),
	};
}

bool usage_hold_begin(struct usage_hold *hold, struct usage_table *table,
	const struct usage_scope *scope, int64_t now_utc_ms, struct error *err)
{
	struct usage_entry *entries[SCOPES];

	*hold = (struct usage_hold){0};
	for (int i = 0; i < SCOPES; i++) {
		entries[i] = entry_get(table, i, name_of(scope, i), err);
		if (entries[i] == NULL)
			return false;
	}
	for (int i = 0; i < SCOPES; i++) {
		hold->entries[i] = entries[i];
		entries[i]->holds++;
		if (entries[i]->day == 0)
			entries[i]->day = now_utc_ms / DAY_MS;
	}
	return true;
}

void usage_hold_set(struct usage_hold *hold, const struct usage *held)
{
	for (int i = 0; i < SCOPES && hold->entries[i] != NULL; i++) {
		usage_take(&hold->entries[i]->held, &hold->held);
		usage_add(&hold->entries[i]->held, held);
	}
	hold->held = *held;
}

struct usage_now usage_hold_now(const struct usage_hold *hold, int64_t now_utc_ms)
{
	return (struct usage_now){
		.task = entry_now(hold->entries[SCOPE_TASK], now_utc_ms / DAY_MS),
		.identity = entry_now(hold->entries[SCOPE_IDENTITY], now_utc_ms / DAY_MS),
		.unit = entry_now(hold->entries[SCOPE_UNIT], now_utc_ms / DAY_MS),
	};
}

void usage_hold_end(struct usage_hold *hold)
{
	static const struct usage nothing;

	usage_hold_set(hold, &nothing);
	for (int i = 0; i < SCOPES && hold->entries[i] != NULL; i++)
		hold->entries[i]->holds--;
	*hold = (struct usage_hold){0};
}

/* ---- numbers ---- */

/* Within int64: tokens and prices are bounded (GENERATION_TOKENS_MOST, PRICE_MOST). */
int64_t usage_price(const struct server_model *model, int64_t input_tokens, int64_t output_tokens)
{
	int64_t product;

	if (model == NULL || !model->has_prices)
		return 0;
	product = input_tokens * model->input_price + output_tokens * model->output_price;
	return (product + TOKENS_PRICED - 1) / TOKENS_PRICED;
}

static bool is_over(int64_t most, int64_t used, int64_t more)
{
	return most > 0 && used + more > most;
}

const char *budget_breach(
	const struct budget *budget, const struct usage *used, const struct usage *more)
{
	if (is_over(budget->requests, used->requests, more->requests))
		return "requests";
	if (is_over(budget->tokens, used->tokens, more->tokens))
		return "tokens";
	if (is_over(budget->spend, used->spend, more->spend))
		return "spend";
	return NULL;
}

bool usage_json(struct json *out, struct arena *arena, const struct usage *usage, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_integer(&object, "requests", usage->requests);
	json_put_integer(&object, "spend", usage->spend);
	json_put_integer(&object, "tokens", usage->tokens);
	return json_object_seal(&object, out, err);
}

struct usage usage_of_json(const struct json *value)
{
	return (struct usage){
		.requests = json_integer_or(value, "requests", 0),
		.tokens = json_integer_or(value, "tokens", 0),
		.spend = json_integer_or(value, "spend", 0),
	};
}

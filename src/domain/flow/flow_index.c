/* Tokens lie in one array in the order they came, fields behind each other with a 0
 * between.  A chain leads through the places of a token, from the first on; what endorses
 * and what strangers wrote have chains of their own, so that no stranger makes those long
 * that endorse.  A look goes through what endorses first, and ends where nothing better
 * can come: a value of one token is found at once, or not at all.
 *
 * Invariants:
 *  1. A field is wholly there or not at all, so what stands in one may be trusted to
 *     have stood together; its places are in chains once it is there.
 *  2. budget->bytes is the memory of all indexes that share it. */

#include "domain/flow/flow_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MIN = 64, FIELDS_MIN = 8, NOWHERE = UINT32_MAX };

enum side { ENDORSING, STRANGERS, SIDES };

struct field {
	uint32_t start; /* its tokens; they end where the next 0 is */
	uint32_t origin;
	uint64_t record;
	bool has_record;
};

struct flow_index {
	const struct flow_key *key;
	struct flow_budget *budget;
	uint64_t *tokens;
	uint32_t *next;        /* the next place in the chain; of its last place, the first */
	uint32_t *last[SIDES]; /* token -> the last place of its chain */
	size_t tokens_count;
	size_t settled;         /* of these, those of fields; behind them, one that was read */
	size_t tokens_capacity; /* a power of two; each side has half as many chains */
	size_t untrusted_count;
	uint32_t best[SIDES]; /* origin of its fields */
	struct field *fields;
	size_t fields_count;
	size_t fields_capacity;
};

/* ---- memory ---- */

static bool budget_take(struct flow_index *index, size_t bytes)
{
	struct flow_budget *budget = index->budget;

	if (bytes > budget->bytes_max - budget->bytes)
		return false;
	budget->bytes += bytes;
	return true;
}

static size_t chains_of(size_t capacity)
{
	return capacity / 2;
}

static size_t token_bytes(size_t capacity)
{
	return capacity * (sizeof(uint64_t) + sizeof(uint32_t)) +
	       SIDES * chains_of(capacity) * sizeof(uint32_t);
}

bool flow_index_create(struct flow_index **out, const struct flow_key *key,
	struct flow_budget *budget, struct error *err)
{
	struct flow_index *index;

	*out = NULL;
	if (sizeof *index > budget->bytes_max - budget->bytes)
		return error_set(err, ERROR_LIMIT, "no room to trace values");
	index = calloc(1, sizeof *index);
	if (index == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to trace values");
	budget->bytes += sizeof *index;
	index->key = key;
	index->budget = budget;
	*out = index;
	return true;
}

static void tokens_free(struct flow_index *index)
{
	free(index->tokens);
	free(index->next);
	for (int side = 0; side < SIDES; side++)
		free(index->last[side]);
}

void flow_index_destroy(struct flow_index **index)
{
	struct flow_index *one = *index;

	if (one == NULL)
		return;
	one->budget->bytes -= sizeof *one + token_bytes(one->tokens_capacity) +
			      one->fields_capacity * sizeof *one->fields;
	tokens_free(one);
	free(one->fields);
	free(one);
	*index = NULL;
}

static enum side side_of(uint32_t origin)
{
	return origin <= FLOW_UNTRUSTED ? STRANGERS : ENDORSING;
}

static void link_token(struct flow_index *index, enum side side, size_t at)
{
	size_t chain = index->tokens[at] & (chains_of(index->tokens_capacity) - 1);
	uint32_t *last = &index->last[side][chain];

	if (*last == NOWHERE) {
		index->next[at] = (uint32_t)at;
	} else {
		index->next[at] = index->next[*last];
		index->next[*last] = (uint32_t)at;
	}
	*last = (uint32_t)at;
}

static void link_field(struct flow_index *index, const struct field *field)
{
	for (size_t at = field->start; index->tokens[at] != 0; at++)
		link_token(index, side_of(field->origin), at);
}

/* Empty arrays; false: no memory for one of them. */
static bool tokens_create(struct flow_index *out, size_t capacity)
{
	bool ok;

	out->tokens = calloc(capacity, sizeof *out->tokens);
	out->next = calloc(capacity, sizeof *out->next);
	ok = out->tokens != NULL && out->next != NULL;
	for (int side = 0; side < SIDES; side++) {
		size_t bytes = chains_of(capacity) * sizeof *out->last[side];

		out->last[side] = calloc(1, bytes);
		ok = ok && out->last[side] != NULL;
		if (ok)
			memset(out->last[side], 0xff, bytes);
	}
	out->tokens_capacity = capacity;
	return ok;
}

/* The larger arrays, or none of them. */
static bool tokens_resize(struct flow_index *index, size_t capacity)
{
	struct flow_index larger = *index;

	if (!tokens_create(&larger, capacity)) {
		tokens_free(&larger);
		return false;
	}
	if (index->tokens_count != 0)
		memcpy(larger.tokens, index->tokens, index->tokens_count * sizeof *larger.tokens);
	tokens_free(index);
	*index = larger;
	for (size_t i = 0; i < index->fields_count; i++)
		link_field(index, &index->fields[i]);
	return true;
}

static bool tokens_grow(struct flow_index *index)
{
	size_t old = index->tokens_capacity, capacity = old == 0 ? TOKENS_MIN : old * 2;

	if (index->tokens_count == FLOW_TOKENS_MAX ||
		!budget_take(index, token_bytes(capacity) - token_bytes(old)))
		return false;
	if (tokens_resize(index, capacity))
		return true;
	index->budget->bytes -= token_bytes(capacity) - token_bytes(old);
	return false;
}

static bool fields_reserve(struct flow_index *index)
{
	size_t old = index->fields_capacity, capacity = old == 0 ? FIELDS_MIN : old * 2;
	struct field *fields;

	if (index->fields_count < old)
		return true;
	if (old == FLOW_FIELDS_MAX || !budget_take(index, (capacity - old) * sizeof *fields))
		return false;
	fields = realloc(index->fields, capacity * sizeof *fields);
	if (fields == NULL) {
		index->budget->bytes -= (capacity - old) * sizeof *fields;
		return false;
	}
	index->fields = fields;
	index->fields_capacity = capacity;
	return true;
}

/* ---- looking ---- */

static const struct field *field_at(const struct flow_index *index, size_t at)
{
	size_t low = 0, high = index->fields_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (index->fields[middle].start <= at)
			low = middle;
		else
			high = middle;
	}
	return &index->fields[low];
}

/* Whether the tokens stand from there on.  Those of a field end with 0, which no token is. */
static inline bool stands_at(
	const struct flow_index *index, size_t at, const uint64_t *tokens, size_t count)
{
	return index->tokens[at] == *tokens && count <= index->tokens_count - at &&
	       memcmp(&index->tokens[at], tokens, count * sizeof *tokens) == 0;
}

/* What was found, unless that is as good as any of the side; true: nothing better can come. */
static bool find_better(
	const struct flow_index *index, enum side side, size_t at, struct flow_found *found)
{
	const struct field *field = field_at(index, at);

	if (field->origin > (uint32_t)found->origin)
		*found = (struct flow_found){
			(enum flow_origin)field->origin, field->has_record, field->record};
	return (uint32_t)found->origin >= index->best[side];
}

/* The first of the best places of one side. */
static void find(const struct flow_index *index, enum side side, const struct flow_value *value,
	struct flow_found *found)
{
	size_t chain = value->tokens[0] & (chains_of(index->tokens_capacity) - 1);
	uint32_t last = index->last[side][chain], at = last, steps = 0;

	if (last == NOWHERE || (uint32_t)found->origin >= index->best[side])
		return;
	do {
		at = index->next[at];
		if (stands_at(index, at, value->tokens, value->count) &&
			find_better(index, side, at, found))
			return;
	} while (at != last && ++steps < FLOW_STEPS_MAX);
}

void flow_value_read(struct flow_value *out, const struct flow_key *key, struct text value)
{
	struct flow_tokens tokens = flow_tokens_of(value);
	struct text token;

	out->count = 0;
	while (flow_token_next(&tokens, &token)) {
		if (out->count == FLOW_VALUE_TOKENS_MAX) {
			out->count = 0;
			return;
		}
		out->tokens[out->count++] = flow_token_hash(key, token);
	}
}

void flow_index_find(
	const struct flow_index *index, const struct flow_value *value, struct flow_found *found)
{
	if (value->count == 0 || index->tokens_count == 0)
		return;
	find(index, ENDORSING, value, found);
	find(index, STRANGERS, value, found);
}

/* ---- adding ---- */

static inline bool token_append(struct flow_index *index, uint64_t token)
{
	if (index->tokens_count == index->tokens_capacity && !tokens_grow(index))
		return false;
	index->tokens[index->tokens_count++] = token;
	return true;
}

static bool tokens_append(struct flow_index *index, struct text text, size_t tokens_max)
{
	struct flow_tokens tokens = flow_tokens_of(text);
	struct text token;

	while (flow_token_next(&tokens, &token))
		if (index->tokens_count - index->settled >= tokens_max ||
			!token_append(index, flow_token_hash(index->key, token)))
			return false;
	return index->tokens_count == index->settled || token_append(index, 0);
}

/* Whether what was read says nothing new: it stands in a field of the side that endorses
 * as much. */
static bool is_held(const struct flow_index *index, enum side side, enum flow_origin origin)
{
	const struct flow_hashes read = flow_index_read_tokens(index);
	uint32_t last = index->last[side][*read.items & (chains_of(index->tokens_capacity) - 1)];
	uint32_t at = last, steps = 0;

	if (last == NOWHERE)
		return false;
	do {
		at = index->next[at];
		if (stands_at(index, at, read.items, read.count) &&
			field_at(index, at)->origin >= (uint32_t)origin)
			return true;
	} while (at != last && ++steps < FLOW_STEPS_MAX);
	return false;
}

/* What was read is one more field from now on. */
static void field_put(struct flow_index *index, const struct flow_found *found)
{
	struct field *field = &index->fields[index->fields_count++];
	enum side side = side_of((uint32_t)found->origin);

	*field = (struct field){
		.start = (uint32_t)index->settled,
		.origin = (uint32_t)found->origin,
		.record = found->record,
		.has_record = found->has_record,
	};
	link_field(index, field);
	if (field->origin > index->best[side])
		index->best[side] = field->origin;
	if (side == STRANGERS)
		index->untrusted_count += flow_index_read_tokens(index).count;
	index->settled = index->tokens_count;
}

/* Most tokens of a field of that origin. */
static size_t room_for(const struct flow_index *index, enum flow_origin origin)
{
	return origin <= FLOW_UNTRUSTED ? FLOW_UNTRUSTED_TOKENS_MAX - index->untrusted_count
					: FLOW_TOKENS_MAX;
}

static bool field_read(struct flow_index *index, struct text field, size_t tokens_max)
{
	index->tokens_count = index->settled;
	if (fields_reserve(index) && tokens_append(index, field, tokens_max))
		return true;
	index->tokens_count = index->settled;
	return false;
}

bool flow_index_read(struct flow_index *index, struct text field)
{
	return field_read(index, field, FLOW_TOKENS_MAX);
}

struct flow_hashes flow_index_read_tokens(const struct flow_index *index)
{
	size_t count = index->tokens_count - index->settled;

	if (count == 0)
		return (struct flow_hashes){NULL, 0};
	return (struct flow_hashes){index->tokens + index->settled, count - 1};
}

bool flow_index_keep(struct flow_index *index, const struct flow_found *found)
{
	size_t count = flow_index_read_tokens(index).count;
	bool is_untrusted = found->origin <= FLOW_UNTRUSTED;
	bool fits = count <= room_for(index, found->origin);

	if (count != 0 && fits && !is_held(index, ENDORSING, found->origin) &&
		!(is_untrusted && is_held(index, STRANGERS, found->origin)))
		field_put(index, found);
	index->tokens_count = index->settled;
	return fits;
}

bool flow_index_add(struct flow_index *index, struct text field, const struct flow_found *found)
{
	return field_read(index, field, room_for(index, found->origin)) &&
	       flow_index_keep(index, found);
}

size_t flow_index_tokens(const struct flow_index *index)
{
	return index->settled;
}

/* Tokens lie in one array in the order they came, fields behind each other with a 0
 * between.  A hash table leads from a token to its last place, and each place to
 * the one before.
 *
 * Invariants:
 *  1. A field is wholly there or not at all, so what stands in one may be trusted to
 *     have stood together.
 *  2. budget->bytes is the memory of all indexes that share it. */

#include "domain/flow/flow_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { TOKENS_MIN = 64, FIELDS_MIN = 8, NOWHERE = UINT32_MAX };

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
	uint32_t *before; /* the last place before that has the same slot */
	uint32_t *slots;  /* token -> its last place; a power of two */
	size_t tokens_count;
	size_t tokens_capacity; /* slots are as many */
	size_t untrusted_count;
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

static size_t token_bytes(size_t capacity)
{
	return capacity * (sizeof(uint64_t) + 2 * sizeof(uint32_t));
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

void flow_index_destroy(struct flow_index **index)
{
	struct flow_index *one = *index;

	if (one == NULL)
		return;
	one->budget->bytes -= sizeof *one + token_bytes(one->tokens_capacity) +
			      one->fields_capacity * sizeof *one->fields;
	free(one->tokens);
	free(one->before);
	free(one->slots);
	free(one->fields);
	free(one);
	*index = NULL;
}

static void link_token(struct flow_index *index, size_t at)
{
	uint32_t *slot = &index->slots[index->tokens[at] & (index->tokens_capacity - 1)];

	index->before[at] = *slot;
	*slot = (uint32_t)at;
}

/* The larger arrays, or none of them. */
static bool tokens_resize(struct flow_index *index, size_t capacity)
{
	uint64_t *tokens = calloc(capacity, sizeof *tokens);
	uint32_t *before = calloc(capacity, sizeof *before);
	uint32_t *slots = calloc(capacity, sizeof *slots);

	if (tokens == NULL || before == NULL || slots == NULL) {
		free(tokens);
		free(before);
		free(slots);
		return false;
	}
	memset(slots, 0xff, capacity * sizeof *slots);
	if (index->tokens_count != 0)
		memcpy(tokens, index->tokens, index->tokens_count * sizeof *tokens);
	free(index->tokens);
	free(index->before);
	free(index->slots);
	index->tokens = tokens;
	index->before = before;
	index->slots = slots;
	index->tokens_capacity = capacity;
	for (size_t at = 0; at < index->tokens_count; at++)
		if (tokens[at] != 0)
			link_token(index, at);
	return true;
}

static bool tokens_reserve(struct flow_index *index)
{
	size_t old = index->tokens_capacity, capacity = old == 0 ? TOKENS_MIN : old * 2;

	if (index->tokens_count < old)
		return true;
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
static bool stands_at(
	const struct flow_index *index, size_t at, const uint64_t *tokens, size_t count)
{
	return count <= index->tokens_count - at &&
	       memcmp(&index->tokens[at], tokens, count * sizeof *tokens) == 0;
}

static void find(const struct flow_index *index, const uint64_t *tokens, size_t count,
	struct flow_found *found)
{
	uint32_t at, steps = 0;

	if (count == 0 || index->tokens_count == 0)
		return;
	/* From the last to the first: so the first of equal ones stays. */
	for (at = index->slots[tokens[0] & (index->tokens_capacity - 1)];
		at != NOWHERE && steps < FLOW_STEPS_MAX; at = index->before[at], steps++) {
		const struct field *field;

		if (!stands_at(index, at, tokens, count))
			continue;
		field = field_at(index, at);
		if (field->origin < (uint32_t)found->origin)
			continue;
		*found = (struct flow_found){
			(enum flow_origin)field->origin, field->has_record, field->record};
	}
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
	struct flow_found best = {.origin = FLOW_UNKNOWN};

	find(index, value->tokens, value->count, &best);
	if (best.origin > found->origin)
		*found = best;
}

/* ---- adding ---- */

/* Takes the last places out again, the latest first. */
static void tokens_drop(struct flow_index *index, size_t start)
{
	while (index->tokens_count > start) {
		size_t at = --index->tokens_count;
		uint64_t token = index->tokens[at];

		if (token != 0)
			index->slots[token & (index->tokens_capacity - 1)] = index->before[at];
	}
}

static bool token_append(struct flow_index *index, uint64_t token)
{
	if (!tokens_reserve(index))
		return false;
	index->tokens[index->tokens_count] = token;
	if (token != 0)
		link_token(index, index->tokens_count);
	index->tokens_count++;
	return true;
}

static bool tokens_append(struct flow_index *index, struct text text, size_t tokens_max)
{
	struct flow_tokens tokens = flow_tokens_of(text);
	size_t start = index->tokens_count;
	struct text token;

	while (flow_token_next(&tokens, &token))
		if (index->tokens_count - start >= tokens_max ||
			!token_append(index, flow_token_hash(index->key, token)))
			return false;
	return index->tokens_count == start || token_append(index, 0);
}

/* Whether the field that was just put behind the others says nothing new: it stands in
 * one that endorses as much. */
static bool is_held(const struct flow_index *index, size_t start, enum flow_origin origin)
{
	size_t count = index->tokens_count - start - 1;
	const uint64_t *tokens = &index->tokens[start];
	uint32_t at, steps = 0;

	for (at = index->slots[tokens[0] & (index->tokens_capacity - 1)];
		at != NOWHERE && steps < FLOW_STEPS_MAX; at = index->before[at], steps++)
		if (at < start && stands_at(index, at, tokens, count) &&
			field_at(index, at)->origin >= (uint32_t)origin)
			return true;
	return false;
}

bool flow_index_add(struct flow_index *index, struct text text, const struct flow_found *found)
{
	size_t start = index->tokens_count;
	bool is_untrusted = found->origin <= FLOW_UNTRUSTED;
	size_t tokens_max =
		is_untrusted ? FLOW_UNTRUSTED_TOKENS_MAX - index->untrusted_count : FLOW_TOKENS_MAX;

	if (!fields_reserve(index) || !tokens_append(index, text, tokens_max)) {
		tokens_drop(index, start);
		return false;
	}
	if (index->tokens_count == start)
		return true;
	if (is_held(index, start, found->origin)) {
		tokens_drop(index, start);
		return true;
	}
	index->untrusted_count += is_untrusted ? index->tokens_count - start - 1 : 0;
	index->fields[index->fields_count++] = (struct field){
		.start = (uint32_t)start,
		.origin = (uint32_t)found->origin,
		.record = found->record,
		.has_record = found->has_record,
	};
	return true;
}

size_t flow_index_tokens(const struct flow_index *index)
{
	return index->tokens_count;
}

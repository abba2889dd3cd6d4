/* Open addressing; tokens are hashes of a secret key already. */

#include "domain/flow/flow_words.h"

#include <stdlib.h>

enum { CAPACITY_MIN = 64 };

static size_t place_of(const struct flow_words *words, uint64_t token)
{
	size_t at = token & (words->capacity - 1);

	while (words->slots[at] != 0 && words->slots[at] != token)
		at = (at + 1) & (words->capacity - 1);
	return at;
}

bool flow_words_have(const struct flow_words *words, uint64_t token)
{
	return words->count != 0 && words->slots[place_of(words, token)] == token;
}

static bool grow(struct flow_words *words, struct flow_budget *budget)
{
	struct flow_words larger = {
		.capacity = words->capacity == 0 ? CAPACITY_MIN : words->capacity * 2,
		.count = words->count,
	};
	size_t more = (larger.capacity - words->capacity) * sizeof *words->slots;

	if (more > budget->bytes_max - budget->bytes)
		return false;
	larger.slots = calloc(larger.capacity, sizeof *larger.slots);
	if (larger.slots == NULL)
		return false;
	for (size_t i = 0; i < words->capacity; i++)
		if (words->slots[i] != 0)
			larger.slots[place_of(&larger, words->slots[i])] = words->slots[i];
	free(words->slots);
	*words = larger;
	budget->bytes += more;
	return true;
}

void flow_words_put(struct flow_words *words, struct flow_budget *budget, uint64_t token)
{
	if (words->is_full || flow_words_have(words, token))
		return;
	if (words->count == FLOW_WORDS_MAX ||
		(words->count * 2 >= words->capacity && !grow(words, budget))) {
		words->is_full = true;
		return;
	}
	words->slots[place_of(words, token)] = token;
	words->count++;
}

void flow_words_clear(struct flow_words *words, struct flow_budget *budget)
{
	budget->bytes -= words->capacity * sizeof *words->slots;
	free(words->slots);
	*words = (struct flow_words){0};
}

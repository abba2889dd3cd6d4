/* The index of a trace against the plainest search there is: fields of few words, so that
 * they repeat, with any punctuation between and any case, asked for runs of words that
 * stand there, nearly stand there, or do not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domain/flow/flow_index.h"

enum { CASES = 3000, FIELDS = 24, WORDS = 8, ALPHABET = 12, TEXT_BYTES = 512 };

/* Some are parts of others. */
static const char *const alphabet[ALPHABET] = {"a", "ab", "a.b", "a@b.org", "xa@b.org", "13",
	"13.pdf", "https://b.org", "https://b.org/pay", "/tmp/a", "CH9300762011623852957",
	"\xc3\xa4"};

struct field {
	size_t words[WORDS];
	size_t count;
	enum flow_origin origin;
};

struct world {
	uint64_t random;
	struct field fields[FIELDS];
	size_t fields_count;
	struct flow_budget budget;
	struct flow_index *index;
};

static const struct flow_key key = {11, 12};

static uint32_t draw(struct world *world, uint32_t below)
{
	world->random = world->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)(world->random >> 33) % below;
}

/* The words as text. */
static struct text written(struct world *world, const size_t *words, size_t count, char *out)
{
	static const char *const between[] = {
		" ", ", ", "\n", " (", "\" ", ". ", ": ", " #", " * "};
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		const char *gap =
			i == 0 ? "" : between[draw(world, sizeof between / sizeof *between)];
		int put = snprintf(
			out + length, TEXT_BYTES - length, "%s%s", gap, alphabet[words[i]]);

		if (draw(world, 4) == 0)
			for (int at = 0; at < put; at++)
				if (out[length + (size_t)at] >= 'a' &&
					out[length + (size_t)at] <= 'z')
					out[length + (size_t)at] -= 'a' - 'A';
		length += (size_t)put;
	}
	return (struct text){out, length};
}

static void add_field(struct world *world)
{
	struct field *field = &world->fields[world->fields_count];
	struct flow_found found = {.has_record = true, .record = world->fields_count};
	char text[TEXT_BYTES];

	field->count = draw(world, WORDS + 1);
	for (size_t i = 0; i < field->count; i++)
		field->words[i] = draw(world, ALPHABET);
	field->origin = draw(world, 2) ? FLOW_TRUSTED : FLOW_UNTRUSTED;
	found.origin = field->origin;
	if (!flow_index_add(world->index, written(world, field->words, field->count, text), &found))
		abort();
	world->fields_count++;
}

static bool has(const struct field *field, const size_t *words, size_t count)
{
	for (size_t at = 0; at + count <= field->count; at++)
		if (memcmp(&field->words[at], words, count * sizeof *words) == 0)
			return true;
	return false;
}

static struct flow_found searched(const struct world *world, const size_t *words, size_t count)
{
	struct flow_found found = {.origin = FLOW_UNKNOWN};

	for (size_t i = 0; count != 0 && i < world->fields_count; i++)
		if (has(&world->fields[i], words, count) && world->fields[i].origin > found.origin)
			found = (struct flow_found){world->fields[i].origin, true, i};
	return found;
}

/* A run of a field, or one with a word changed, or any words. */
static size_t draw_value(struct world *world, size_t words[WORDS])
{
	const struct field *field = &world->fields[draw(world, (uint32_t)world->fields_count)];
	size_t start = field->count == 0 ? 0 : draw(world, (uint32_t)field->count);
	size_t count = field->count == 0 ? 0 : 1 + draw(world, (uint32_t)(field->count - start));

	memcpy(words, &field->words[start], count * sizeof *words);
	if (draw(world, 3) == 0) {
		count = draw(world, WORDS + 1);
		for (size_t i = 0; i < count; i++)
			words[i] = draw(world, ALPHABET);
	} else if (count != 0 && draw(world, 3) == 0) {
		words[draw(world, (uint32_t)count)] = draw(world, ALPHABET);
	}
	return count;
}

static bool agrees(struct world *world)
{
	struct flow_found found = {.origin = FLOW_UNKNOWN}, wanted;
	char text[TEXT_BYTES];
	struct flow_value value;
	size_t words[WORDS], count = draw_value(world, words);
	struct text asked = written(world, words, count, text);

	flow_value_read(&value, &key, asked);
	flow_index_find(world->index, &value, &found);
	wanted = searched(world, words, count);
	if (found.origin == wanted.origin && found.record == wanted.record)
		return true;
	printf("\"%.*s\": %s of %" PRIu64 ", not %s of %" PRIu64 "\n", TEXT_ARGS(asked),
		flow_origin_word(found.origin), found.record, flow_origin_word(wanted.origin),
		wanted.record);
	return false;
}

static bool run_case(struct world *world)
{
	struct error err;
	bool ok = true;

	world->fields_count = 0;
	world->budget = (struct flow_budget){.bytes_max = 1 << 20};
	if (!flow_index_create(&world->index, &key, &world->budget, &err))
		abort();
	while (ok && world->fields_count < FIELDS) {
		add_field(world);
		for (int i = 0; ok && i < 4; i++)
			ok = agrees(world);
	}
	flow_index_destroy(&world->index);
	return ok && world->budget.bytes == 0;
}

int main(void)
{
	const char *seed = getenv("REMIT_SEED"), *cases = getenv("REMIT_CASES");
	uint64_t first = seed == NULL ? (uint64_t)time(NULL) : strtoull(seed, NULL, 10);
	uint64_t count = cases == NULL ? CASES : strtoull(cases, NULL, 10);
	struct world world;

	printf("REMIT_SEED=%" PRIu64 "\n", first);
	for (uint64_t i = 0; i < count; i++) {
		world.random = first + i;
		if (!run_case(&world)) {
			printf("seed %" PRIu64 "\n0 passed, 1 failed\n", first + i);
			return 1;
		}
	}
	printf("1 passed, 0 failed\n");
	return 0;
}

/* Chained hashing; a member knows its hash, so growing reads no name. */
#include "domain/task/names.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 64 };

/* FNV-1a.  Keys that are inserted are our own random ids and names that people
 * registered or that their identities give within bounds of their own. */
static uint32_t name_hash(struct text name)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.data[i]) * 0x100000001b3u;
	return (uint32_t)(hash ^ (hash >> 32));
}

struct text named_text(const struct named *named)
{
	return (struct text){named->name, named->length};
}

struct named *names_find(const struct name_slots *table, struct text name)
{
	uint32_t hash = name_hash(name);
	struct named *named = NULL;

	if (table->slots_count == 0)
		return NULL;
	for (named = table->slots[hash & (table->slots_count - 1)]; named; named = named->next)
		if (named->hash == hash && text_equal(named_text(named), name))
			return named;
	return NULL;
}

static void move_all(const struct name_slots *from, struct named **slots, size_t slots_count)
{
	for (size_t i = 0; i < from->slots_count; i++) {
		struct named *named = from->slots[i];

		while (named != NULL) {
			struct named *next = named->next;
			struct named **slot = &slots[named->hash & (slots_count - 1)];

			named->next = *slot;
			*slot = named;
			named = next;
		}
	}
}

bool names_reserve(struct name_slots *table, struct error *err)
{
	size_t slots_count = table->slots_count == 0 ? SLOTS_MIN : table->slots_count * 2;
	struct named **slots = NULL;

	if (table->count < table->slots_count)
		return true;
	slots = calloc(slots_count, sizeof *slots);
	if (slots == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the table of tasks");
	move_all(table, slots, slots_count);
	free(table->slots);
	table->slots = slots;
	table->slots_count = slots_count;
	return true;
}

void names_insert(struct name_slots *table, struct named *named, struct text name)
{
	struct named **slot = NULL;

	assert(table->count < table->slots_count && name.length <= UINT32_MAX);
	named->name = name.data;
	named->length = (uint32_t)name.length;
	named->hash = name_hash(name);
	slot = &table->slots[named->hash & (table->slots_count - 1)];
	named->next = *slot;
	*slot = named;
	table->count++;
}

void names_remove(struct name_slots *table, struct named *named)
{
	struct named **link = &table->slots[named->hash & (table->slots_count - 1)];

	while (*link != named)
		link = &(*link)->next;
	*link = named->next;
	table->count--;
}

void names_deinit(struct name_slots *table)
{
	for (size_t i = 0; i < table->slots_count; i++) {
		while (table->slots[i] != NULL) {
			struct named *named = table->slots[i];

			table->slots[i] = named->next;
			free(named);
		}
	}
	free(table->slots);
	*table = (struct name_slots){0};
}

bool word_take(struct name_slots *words, struct text text, struct word **out, struct error *err)
{
	struct word *word = (struct word *)names_find(words, text);

	*out = NULL;
	if (text.length == 0)
		return true;
	if (word == NULL) {
		if (!names_reserve(words, err))
			return false;
		word = calloc(1, sizeof *word + text.length);
		if (word == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for a name");
		memcpy(word->bytes, text.data, text.length);
		names_insert(words, &word->named, (struct text){word->bytes, text.length});
	}
	word->uses++;
	*out = word;
	return true;
}

void word_drop(struct name_slots *words, struct word **word)
{
	if (*word != NULL && --(*word)->uses == 0) {
		names_remove(words, &(*word)->named);
		free(*word);
	}
	*word = NULL;
}

struct text word_text(const struct word *word)
{
	return word == NULL ? (struct text){"", 0} : named_text(&word->named);
}

/* Keys are "ROOT IDENTITY LINE": no id and no name has a blank, so a task's stand beside
 * each other and go with it. */
#include "domain/task/use.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/charter/name_table.h"

struct line_entry {
	int64_t used;
	uint64_t record; /* that counted last */
	size_t length;
	char key[];
};

struct line_uses {
	struct name_table *entries;
};

bool line_uses_create(struct line_uses **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out != NULL)
		(*out)->entries = name_table_create();
	if (*out != NULL && (*out)->entries != NULL)
		return true;
	line_uses_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory to count what lines were used");
}

void line_uses_destroy(struct line_uses **uses)
{
	if (*uses == NULL)
		return;
	if ((*uses)->entries != NULL)
		name_table_destroy(&(*uses)->entries, free);
	free(*uses);
	*uses = NULL;
}

static bool is_word(struct text text)
{
	return text.length > 0 && text_find_byte(text, ' ') < 0;
}

/* False: it can be no key. */
static bool key_write(
	char bytes[LINE_USE_KEY_BYTES_MAX], const struct line_key *key, struct text *out)
{
	int written;

	if (!is_word(key->root) || !is_word(key->identity) ||
		key->root.length + key->identity.length > LINE_USE_KEY_BYTES_MAX)
		return false;
	written = snprintf(bytes, LINE_USE_KEY_BYTES_MAX, "%.*s %.*s %" PRIu32,
		TEXT_ARGS(key->root), TEXT_ARGS(key->identity), key->line);
	*out = (struct text){bytes, (size_t)written};
	return written > 0 && written < LINE_USE_KEY_BYTES_MAX;
}

int64_t line_uses_find(const struct line_uses *uses, const struct line_key *key)
{
	char bytes[LINE_USE_KEY_BYTES_MAX];
	const struct line_entry *entry;
	struct text name;

	if (!key_write(bytes, key, &name))
		return INT64_MAX;
	entry = name_table_find(uses->entries, name);
	return entry == NULL ? 0 : entry->used;
}

size_t line_uses_count(const struct line_uses *uses)
{
	return name_table_count(uses->entries);
}

bool line_uses_is_full(const struct line_uses *uses, size_t elsewhere)
{
	return elsewhere >= LINE_USES_MAX || line_uses_count(uses) >= LINE_USES_MAX - elsewhere;
}

static struct line_entry *entry_get(
	struct line_uses *uses, const struct line_key *key, struct error *err)
{
	char bytes[LINE_USE_KEY_BYTES_MAX];
	struct line_entry *entry;
	struct text name;

	if (!key_write(bytes, key, &name)) {
		error_set(err, ERROR_INVALID, "no line of a charter is named so");
		return NULL;
	}
	entry = name_table_find(uses->entries, name);
	if (entry != NULL)
		return entry;
	entry = calloc(1, sizeof *entry + name.length);
	if (entry != NULL && name_table_put(uses->entries, name, entry)) {
		memcpy(entry->key, name.data, name.length);
		entry->length = name.length;
		return entry;
	}
	free(entry);
	error_set(err, ERROR_LIMIT, "no memory to count what lines were used");
	return NULL;
}

bool line_uses_add(struct line_uses *uses, const struct line_key *key, struct error *err)
{
	struct line_entry *entry = entry_get(uses, key, err);

	if (entry == NULL)
		return false;
	entry->used++;
	return true;
}

/* Records are told in their order. */
bool line_uses_fold(
	struct line_uses *uses, const struct line_key *key, uint64_t record, struct error *err)
{
	struct line_entry *entry = entry_get(uses, key, err);

	if (entry == NULL)
		return false;
	if (entry->used > 0 && record <= entry->record)
		return true;
	entry->used++;
	entry->record = record;
	return true;
}

void line_uses_take_back(struct line_uses *uses, const struct line_key *key)
{
	char bytes[LINE_USE_KEY_BYTES_MAX];
	struct line_entry *entry;
	struct text name;

	if (!key_write(bytes, key, &name))
		return;
	entry = name_table_find(uses->entries, name);
	if (entry == NULL || --entry->used > 0)
		return;
	free(name_table_remove(uses->entries, name));
}

/* The first entry of the task, or NULL. */
static struct line_entry *entry_of(struct line_uses *uses, struct text root)
{
	struct line_entry *entry = name_table_next(uses->entries, root);

	if (entry == NULL || entry->length <= root.length || entry->key[root.length] != ' ' ||
		memcmp(entry->key, root.data, root.length) != 0)
		return NULL;
	return entry;
}

void line_uses_forget(struct line_uses *uses, struct text root)
{
	struct line_entry *entry;

	if (!is_word(root))
		return;
	while ((entry = entry_of(uses, root)) != NULL) {
		const struct text key = {entry->key, entry->length};

		free(name_table_remove(uses->entries, key));
	}
}

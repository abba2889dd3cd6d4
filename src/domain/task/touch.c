#include "domain/task/touch.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/name_table.h"

/* No name has a blank, so the pair has one key. */
enum { KEY_BYTES_MAX = 512 }; /* names are shorter (docs/charters.md) */

struct touches {
	struct name_table *pairs;
};

bool touches_create(struct touches **out, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out != NULL)
		(*out)->pairs = name_table_create();
	if (*out != NULL && (*out)->pairs != NULL)
		return true;
	touches_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory for what identities have touched");
}

void touches_destroy(struct touches **touches)
{
	if (*touches == NULL)
		return;
	name_table_destroy(&(*touches)->pairs, NULL);
	free(*touches);
	*touches = NULL;
}

/* False: too long to be names. */
static bool key_of(
	char bytes[KEY_BYTES_MAX], struct text identity, struct text tool, struct text *out)
{
	if (identity.length == 0 || tool.length == 0 ||
		identity.length + tool.length + 1 > KEY_BYTES_MAX)
		return false;
	memcpy(bytes, identity.data, identity.length);
	bytes[identity.length] = ' ';
	memcpy(bytes + identity.length + 1, tool.data, tool.length);
	*out = (struct text){bytes, identity.length + 1 + tool.length};
	return true;
}

bool touches_has(const struct touches *touches, struct text identity, struct text tool)
{
	char bytes[KEY_BYTES_MAX];
	struct text key;

	return key_of(bytes, identity, tool, &key) && name_table_find(touches->pairs, key) != NULL;
}

void touches_add(struct touches *touches, struct text identity, struct text tool)
{
	char bytes[KEY_BYTES_MAX];
	struct text key;

	if (!key_of(bytes, identity, tool, &key) || name_table_find(touches->pairs, key) != NULL ||
		name_table_count(touches->pairs) >= TOUCHES_MAX)
		return;
	if (!name_table_put(touches->pairs, key, touches))
		return; /* without memory: a first time again */
}

size_t touches_count(const struct touches *touches)
{
	return name_table_count(touches->pairs);
}

/* Answers one line of {"schema": …, "value": …} with one word each: refused, undecided,
 * invalid or valid.  For differential.mjs. */

#include <stdio.h>
#include <stdlib.h>

#include "base/json_schema.h"

enum { ARENA_BYTES_MAX = 16 * 1024 * 1024 };

static const char *judge(const struct json *line)
{
	static const char *const words[] = {"undecided", "invalid", "valid"};
	struct json_schema *schema;
	struct error err = {0};
	const char *word;

	if (!json_schema_compile(&schema, json_find(line, "schema"), &err))
		return "refused";
	word = words[json_schema_validate(schema, json_find(line, "value"), NULL)];
	json_schema_destroy(&schema);
	return word;
}

int main(void)
{
	struct arena *arena = arena_create(ARENA_BYTES_MAX);
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	while (arena != NULL && (length = getline(&line, &room, stdin)) > 0) {
		struct text text = {line, (size_t)length};
		struct error err = {0};
		struct json parsed;

		if (!json_parse(&parsed, arena, text, &json_limits_default, &err)) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
		puts(judge(&parsed));
		arena_reset(arena);
	}
	free(line);
	arena_destroy(&arena);
	return 0;
}

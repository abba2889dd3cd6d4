/* Prints /v1/openapi.json, for other people's validators. */
#include <stdio.h>
#include <unistd.h>

#include "edges/api/request.h"

int main(void)
{
	struct arena *arena = arena_create(API_ARENA_BYTES_MAX);
	struct error err = {0};
	struct json document;
	struct text text;

	if (arena == NULL || !api_describe(&document, arena, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	text = json_canonical_text(arena, &document);
	if (text.data == NULL || fwrite(text.data, 1, text.length, stdout) != text.length)
		return 1;
	arena_destroy(&arena);
	return fflush(stdout) == 0 ? 0 : 1;
}

#include "base/clearing.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

void *clearing_malloc(size_t size)
{
	return malloc(size);
}

void *clearing_calloc(size_t count, size_t size)
{
	return calloc(count, size);
}

/* Never in place, as nobody would clear what is cut off, or left behind by a move. */
void *clearing_realloc(void *memory, size_t size)
{
	size_t before = memory == NULL ? 0 : malloc_usable_size(memory);
	void *moved = malloc(size == 0 ? 1 : size);

	if (moved == NULL || memory == NULL)
		return moved;
	memcpy(moved, memory, before < size ? before : size);
	clearing_free(memory);
	return moved;
}

char *clearing_strdup(const char *text)
{
	return strdup(text);
}

void clearing_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

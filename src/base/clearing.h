#ifndef BASE_CLEARING_H
#define BASE_CLEARING_H

#include <stddef.h>

/* As malloc, free and so on, but that what is given back is overwritten first: for libraries
 * that leave in it what they sent or received, secrets too. */
void *clearing_malloc(size_t size);
void *clearing_calloc(size_t count, size_t size);
void *clearing_realloc(void *memory, size_t size);
char *clearing_strdup(const char *text);
void clearing_free(void *memory);

#endif

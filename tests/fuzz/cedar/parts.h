#ifndef TESTS_FUZZ_CEDAR_PARTS_H
#define TESTS_FUZZ_CEDAR_PARTS_H

#include <string.h>

#include "remit/cedar.h"

/* One input is several texts with a line of three dashes between.  True if there are
 * count of them; what follows the last is left out. */
static inline bool parts_cut(
	const uint8_t *data, size_t size, struct cedar_text *parts, size_t count)
{
	static const char separator[] = "\n---\n";
	const size_t between = sizeof separator - 1;
	struct cedar_text rest = {(const char *)data, size};
	size_t found = 0;

	while (rest.length > 0 && found < count) {
		const char *at = memmem(rest.data, rest.length, separator, between);
		size_t length = at == NULL ? rest.length : (size_t)(at - rest.data);

		parts[found++] = (struct cedar_text){rest.data, length};
		if (at == NULL)
			break;
		rest.data += length + between;
		rest.length -= length + between;
	}
	return found == count;
}

#endif

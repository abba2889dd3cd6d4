#ifndef SERVICES_DECIDE_LOOK_ALIKE_H
#define SERVICES_DECIDE_LOOK_ALIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Whether a person or a model could take one tool's name for another's. */

enum {
	LOOK_BYTES_MAX = 192, /* of what is seen; a registered name has at most 128 */
	LOOK_LETTERS_MIN = 5, /* shorter names are told apart by one letter */
};

/* What is seen of a name: case, separators, marks and what is invisible left out, letters
 * of other scripts as the Latin ones they look like, 0 as o, 1 and l as i. */
struct name_look {
	char seen[LOOK_BYTES_MAX];
	bool is_digit[LOOK_BYTES_MAX]; /* of each byte of seen */
	size_t length;
	/* It holds what cannot be seen, or letters of Latin beside Greek or Cyrillic. */
	bool is_disguised;
};

void name_look_of(struct name_look *out, struct text name);

/* Both look the same; or both have LOOK_LETTERS_MIN and one letter is other, missing, too
 * many or changed places with its neighbour.  Two digits in one place are told apart
 * ("v1", "v2"). */
bool name_looks_alike(const struct name_look *a, const struct name_look *b);

#endif

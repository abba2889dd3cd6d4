#ifndef CEDAR_COMPARISON_H
#define CEDAR_COMPARISON_H

#include "cedar/ast.h"

/* What comparison a boolean expression is; NONE if it is nothing so simple, or the
 * arena is full.  source is the text that the tree's offsets count in. */
struct cedar_comparison comparison_of(
	struct arena *arena, const struct ast *node, struct cedar_text source);

/* Those that it is made of (struct cedar_part), *count of them; NULL: none, or the arena is full.
 */
const struct cedar_comparison *comparisons_in(
	struct arena *arena, const struct ast *node, struct cedar_text source, size_t *count);

#endif

#ifndef CEDAR_INSPECT_H
#define CEDAR_INSPECT_H

#include "cedar/ast.h"

/* Questions about trees. */

typedef void inspect_visit_fn(void *closure, const struct cedar_text *path, size_t count);

/* Calls visit for each mention of context under node, in source order. */
void inspect_context(const struct ast *node, inspect_visit_fn *visit, void *closure);
/* True if a mention under node is part of the path or the path part of it. */
bool inspect_mentions(const struct ast *node, const struct cedar_text *path, size_t count);

#endif

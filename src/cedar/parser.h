#ifndef CEDAR_PARSER_H
#define CEDAR_PARSER_H

#include "cedar/ast.h"

/* Policy text to trees, by recursive descent with an explicit depth.  source
 * must outlive the trees.  Only the first error is reported. */

struct policy_list {
	struct policy_ast *items;
	uint32_t count;
};

/* Errors: INVALID with line and column, LIMIT. */
bool policies_parse(struct policy_list *out, struct arena *arena, struct cedar_text source,
	struct cedar_error *err) MUST_CHECK;
/* source is one whole expression.  Errors: as above. */
bool expression_parse(const struct ast **out, struct arena *arena, struct cedar_text source,
	struct cedar_error *err) MUST_CHECK;

#endif

#ifndef CEDAR_PRINT_H
#define CEDAR_PRINT_H

#include "cedar/ast.h"

/* Trees as text that parses to equal trees: one normal form, with brackets only
 * where they are needed. */
void print_expression(struct cedar_writer *writer, const struct ast *node);
void print_scope_part(
	struct cedar_writer *writer, enum ast_variable variable, const struct scope_part *part);
void print_policy(struct cedar_writer *writer, const struct policy_ast *policy);
/* What was printed, all of it one policy or expression: without blanks where it is longer
 * than may be parsed.  .data is NULL if a write failed. */
struct cedar_text print_parseable(struct cedar_writer *writer);

#endif

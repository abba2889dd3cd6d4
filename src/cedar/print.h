#ifndef CEDAR_PRINT_H
#define CEDAR_PRINT_H

#include "cedar/ast.h"

/* Trees as text that parses to equal trees: one normal form, with brackets only
 * where they are needed. */
void print_expression(struct cedar_writer *writer, const struct ast *node);
void print_scope_part(
	struct cedar_writer *writer, enum ast_variable variable, const struct scope_part *part);
void print_policy(struct cedar_writer *writer, const struct policy_ast *policy);

#endif

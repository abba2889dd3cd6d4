#ifndef CEDAR_EST_H
#define CEDAR_EST_H

#include "cedar/ast.h"
#include "cedar/document.h"

/* Policies as JSON, as the language's own tools write them (their EST). */

/* Reads one policy or template.  The tree has no source: print it and parse that.
 * Errors: INVALID with a place in the JSON, LIMIT. */
bool est_read_policy(struct policy_ast *out, const struct document_reader *reader,
	const struct document *document) MUST_CHECK;
void est_write_policy(struct cedar_writer *writer, const struct policy_ast *policy);
/* "text" with the escapes of JSON. */
void est_write_string(struct cedar_writer *writer, struct cedar_text text);
/* {"type": ..., "id": ...} */
void est_write_uid(struct cedar_writer *writer, const struct cedar_uid *uid);
/* The JSON name of an operator, or NULL for kinds that are written otherwise. */
const char *est_operator_name(enum ast_kind kind);
/* AST_LITERAL if there is none. */
enum ast_kind est_operator_find(struct cedar_text name);

#endif

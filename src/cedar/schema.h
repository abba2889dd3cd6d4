#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "cedar/document.h"
#include "remit/cedar.h"

/* Schemas inside the library: reading data by the types they declare.  What the
 * schema does not say is read as without one; cedar_validate_* finds it. */

struct schema_type;

/* Like document_value, by a type; type may be NULL. */
bool schema_read_value(const struct schema_type *type, const struct document_reader *reader,
	const struct document *document, struct cedar_value *out) MUST_CHECK;
/* The context of an action, by its type; as without a schema if it has none. */
bool schema_read_context(const struct cedar_schema *schema, const struct cedar_uid *action,
	const struct document_reader *reader, const struct document *document,
	struct cedar_value *out) MUST_CHECK;

#endif

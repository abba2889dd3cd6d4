#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "cedar/document.h"
#include "remit/cedar.h"

/* What a schema says about the shape of data, for reading entities and contexts
 * by it: a bare {type, id} where an entity belongs, a bare text where an extension
 * value belongs.  It also gives the actions and their groups.
 *
 * This is the reading half of a schema module only: nothing is validated, and a
 * part of the data that the schema does not name is read as without a schema. */

enum schema_kind {
	SCHEMA_NAMED = 0, /* name, to be resolved in its namespace */
	SCHEMA_SET,       /* members[0]: the element's type */
	SCHEMA_RECORD,
};

struct schema_member {
	struct cedar_text name;
	const struct schema_type *type;
};

struct schema_type {
	enum schema_kind kind;
	uint32_t count;         /* members */
	struct cedar_text name; /* as written */
	struct cedar_text full; /* with the namespace it was written in */
	const struct schema_member *members;
};

struct schema;

/* Parses Cedar schema syntax (text is copied).  Errors: INVALID with line and
 * column, LIMIT. */
bool schema_parse(struct schema **out, struct cedar_text text, struct cedar_error *err) MUST_CHECK;
void schema_destroy(struct schema **schema);

/* The declared types; NULL if the schema has none. */
const struct schema_type *schema_attributes(
	const struct schema *schema, struct cedar_text entity_type);
const struct schema_type *schema_tags(const struct schema *schema, struct cedar_text entity_type);
const struct schema_type *schema_context(
	const struct schema *schema, const struct cedar_uid *action);

/* Like document_value, by a type; type or schema may be NULL.  A name that stands
 * for itself through other names is refused. */
bool schema_read_value(const struct schema *schema, const struct schema_type *type,
	const struct document_reader *reader, const struct document *document,
	struct cedar_value *out) MUST_CHECK;
/* Like cedar_entities_add_json, by the schema.  Errors: INVALID, LIMIT. */
bool schema_add_entities(const struct schema *schema, struct cedar_entities *entities,
	struct cedar_text json, struct cedar_error *err) MUST_CHECK;
/* Adds the schema's actions with their groups, save those that are there already.
 * Errors: INVALID, LIMIT. */
bool schema_add_actions(const struct schema *schema, struct cedar_entities *entities,
	struct cedar_error *err) MUST_CHECK;

#endif

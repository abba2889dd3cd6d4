#ifndef CEDAR_SCHEMA_INNER_H
#define CEDAR_SCHEMA_INNER_H

#include "cedar/schema.h"
#include "cedar/table.h"

/* Shared by the schema's parser and its reader. */

enum declaration_kind { DECLARED_ENTITY = 0, DECLARED_COMMON, DECLARED_ACTION };

struct declaration {
	enum declaration_kind kind;
	struct cedar_text name;         /* full; of an action: its type */
	struct cedar_text id;           /* of an action */
	const struct schema_type *type; /* attributes, common type, or context; or NULL */
	const struct schema_type *tags;
	const struct cedar_uid *groups;
	size_t group_count;
};

struct schema {
	struct arena *arena;
	const struct declaration *items;
	uint32_t count;
	struct table names; /* hash of name (and id) to index in items */
};

uint64_t declaration_hash(struct cedar_text name, struct cedar_text id);

#endif

#ifndef CEDAR_SCHEMA_TYPE_H
#define CEDAR_SCHEMA_TYPE_H

#include "cedar/extension.h"
#include "cedar/table.h"

/* Types of values.  Each type exists once: equal types are the same pointer. */

enum type_kind {
	TYPE_FALSE = 0, /* of an expression that is always false */
	TYPE_TRUE,
	TYPE_BOOL,
	TYPE_LONG,
	TYPE_STRING,
	TYPE_EXTENSION, /* constructor */
	TYPE_ENTITY,    /* entity */
	TYPE_SET,       /* element */
	TYPE_RECORD,    /* members, sorted by name */
};

struct schema_entity;
struct schema_type;

struct schema_member {
	struct cedar_text name;
	const struct schema_type *type;
	bool is_optional;
};

struct schema_type {
	enum type_kind kind;
	enum extension_function constructor;
	uint32_t count; /* members */
	union {
		const struct schema_entity *entity;
		const struct schema_type *element;
		const struct schema_member *members;
	};
};

/* The types that need no memory: up to TYPE_STRING. */
const struct schema_type *type_basic(enum type_kind kind);
/* constructor is EXTENSION_DECIMAL, _IP, _DATETIME or _DURATION. */
const struct schema_type *type_extension(enum extension_function constructor);
/* The type with this built-in name (Bool, Long, String, ipaddr, ..), or NULL. */
const struct schema_type *type_built_in(struct cedar_text name);
/* The member so named of a record, or NULL. */
const struct schema_member *type_member(const struct schema_type *record, struct cedar_text name);

/* Sets and records that exist.  Those below exist too and never change. */
struct type_set {
	struct arena *arena;
	struct table table;
	const struct schema_type **items;
	uint32_t count;
	uint32_t capacity;
	const struct type_set *below;
};

void type_set_deinit(struct type_set *set);
/* The type of sets of element; NULL when there is no memory. */
const struct schema_type *type_set_of(
	struct type_set *set, const struct schema_type *element) MUST_CHECK;
/* members are sorted and copied; NULL when there is no memory. */
const struct schema_type *type_record_of(
	struct type_set *set, const struct schema_member *members, uint32_t count) MUST_CHECK;

/* The type as it is written, cut after a few hundred bytes. */
void type_write(struct cedar_writer *writer, const struct schema_type *type);

#endif

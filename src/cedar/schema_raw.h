#ifndef CEDAR_SCHEMA_RAW_H
#define CEDAR_SCHEMA_RAW_H

#include "cedar/document.h"

/* What a schema says before its names mean anything: the one form that both of its
 * syntaxes are read to.  Places are byte offsets of the text. */

enum raw_kind {
	RAW_NAMED = 0, /* a common type or an entity type */
	RAW_COMMON,    /* a common type */
	RAW_ENTITY,    /* an entity type */
	RAW_BUILT_IN,  /* Bool, Long, String or an extension type, whatever is declared */
	RAW_SET,
	RAW_RECORD,
};

struct raw_name {
	struct cedar_text text;
	uint32_t at;
};

struct raw_names {
	const struct raw_name *items;
	uint32_t count;
};

struct raw_member;

struct raw_type {
	enum raw_kind kind;
	uint32_t at;
	uint32_t count; /* members */
	struct cedar_text name;
	const struct raw_type *element;
	const struct raw_member *members;
};

struct raw_member {
	struct raw_name name;
	bool is_optional;
	const struct raw_type *type;
};

/* A group an action is in; without a type it is of the same namespace. */
struct raw_group {
	struct cedar_text type;
	struct cedar_text id;
	uint32_t at;
};

enum declaration_kind { DECLARED_ENTITY = 0, DECLARED_COMMON, DECLARED_ACTION };

struct raw_declaration {
	enum declaration_kind kind;
	bool is_enumerated;
	struct raw_name name;        /* without the namespace; of an action: its id */
	struct cedar_text space;     /* empty: no namespace */
	const struct raw_type *type; /* shape, common type or context; NULL: an empty record */
	const struct raw_type *tags; /* NULL: none */
	struct raw_names parents;
	struct raw_names ids; /* of an enumerated entity type */
	struct raw_names principals;
	struct raw_names resources;
	const struct raw_group *groups;
	uint32_t group_count;
};

struct raw_schema {
	struct arena *arena;
	struct cedar_text text;
	const struct document *root; /* of JSON; NULL for Cedar syntax */
	struct cedar_error *err;
	const struct raw_declaration *items;
	uint32_t count;
	const struct raw_name *spaces; /* each namespace that is opened */
	uint32_t space_count;
};

/* Fills err with the place, of JSON also with the path to it, and returns false. */
bool raw_fail(const struct raw_schema *raw, uint32_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Reads raw->text in Cedar syntax.  Errors: INVALID with line and column, LIMIT. */
bool raw_read_text(struct raw_schema *raw) MUST_CHECK;
/* The same for JSON. */
bool raw_read_json(struct raw_schema *raw) MUST_CHECK;

/* True for an identifier that may be declared or, if it is __cedar, referred to. */
bool raw_is_name(struct cedar_text text);
/* The longest part of a text that an error shows. */
enum { RAW_SHOWN_BYTES_MAX = 60 };
#define RAW_SHOWN(text)                                                                            \
	(int)((text).length > RAW_SHOWN_BYTES_MAX ? RAW_SHOWN_BYTES_MAX : (text).length),          \
		(text).data

#endif

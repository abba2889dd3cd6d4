#ifndef BASE_JSON_SCHEMA_PRIVATE_H
#define BASE_JSON_SCHEMA_PRIVATE_H

#include "base/json_schema.h"

/* Private to json_schema*.c. */

enum schema_dialect { DIALECT_2020_12 = 1, DIALECT_DRAFT_07 = 2 };

/* A part of the document with a URI of its own: the root, and what has `$id`. */
struct schema_resource {
	struct text uri; /* absolute as far as the document says, without fragment */
	const struct json *root;
	struct schema_resource *next;
};

struct schema_pattern;

enum schema_truth { SCHEMA_LOOKS = 0, SCHEMA_ALWAYS, SCHEMA_NEVER };

/* The types of a value, as bits. */
enum {
	SCHEMA_TYPE_NULL = 1,
	SCHEMA_TYPE_BOOLEAN = 2,
	SCHEMA_TYPE_INTEGER = 4, /* a number without fraction */
	SCHEMA_TYPE_NUMBER = 8,
	SCHEMA_TYPE_STRING = 16,
	SCHEMA_TYPE_ARRAY = 32,
	SCHEMA_TYPE_OBJECT = 64,
};

struct schema_node;

struct schema_nodes {
	struct schema_node **items;
	uint32_t count;
};

struct schema_property {
	struct text name;
	struct schema_node *node;
};

struct schema_pattern_property {
	struct schema_pattern *pattern;
	struct schema_node *node;
};

/* A member that brings others with it, or a subschema, or both. */
struct schema_dependent {
	struct text name;
	const struct json *required; /* an array of strings, or NULL */
	struct schema_node *node;    /* or NULL */
};

/* At least and at most. */
struct schema_range {
	int64_t least;
	int64_t most;
};

/* One subschema; what it does not have is NULL, 0 or the widest range. */
struct schema_node {
	enum schema_truth truth;
	const struct json *source;
	struct schema_resource *resource;
	unsigned types; /* 0: any */
	const struct json *constant;
	const struct json *choices; /* enum */
	const struct json *minimum;
	const struct json *maximum;
	const struct json *exclusive_minimum;
	const struct json *exclusive_maximum;
	const struct json *multiple_of;
	struct schema_range lengths;
	struct schema_pattern *pattern;
	struct schema_range members;
	const struct json *required;
	struct schema_property *properties; /* in order of name */
	uint32_t properties_count;
	struct schema_pattern_property *pattern_properties;
	uint32_t pattern_properties_count;
	struct schema_node *additional;
	struct schema_node *names;
	struct schema_dependent *dependents;
	uint32_t dependents_count;
	struct schema_nodes prefix;
	struct schema_node *items; /* of what is behind the prefix */
	struct schema_range items_range;
	struct schema_node *contains;
	struct schema_range contained;
	bool is_unique;
	struct schema_nodes all;
	struct schema_nodes any;
	struct schema_nodes one;
	struct schema_node * not ;
	struct schema_node *if_node;
	struct schema_node *then_node;
	struct schema_node *else_node;
	struct schema_node *reference;
	struct schema_node *dynamic;
	struct text dynamic_name; /* empty: `dynamic` is looked up no further */
	struct schema_node *unevaluated_members;
	struct schema_node *unevaluated_items;
};

struct schema_anchor {
	struct schema_resource *resource;
	struct text name;
	struct schema_node *node;
	bool is_dynamic;
	struct schema_anchor *next;
};

struct json_schema {
	struct arena *arena;   /* the schema */
	struct arena *scratch; /* of one validation */
	struct json source;
	struct schema_node *root;
	struct schema_resource *resources; /* the root's first */
	struct schema_anchor *anchors;
	struct schema_patterns *patterns; /* NULL: it has none */
};

/* ---- json_schema_pattern.c ---- */

/* The expressions of one schema, with memory to match in. */
struct schema_patterns;
void schema_patterns_destroy(struct schema_patterns **patterns);
/* *patterns is made when it is NULL; the pattern belongs to it.  Errors: INVALID, LIMIT. */
bool schema_pattern_add(struct schema_patterns **patterns, struct text source,
	struct schema_pattern **out, struct error *err) MUST_CHECK;
enum schema_match { MATCH_EXHAUSTED = 0, MATCH_NO, MATCH_YES };
/* Somewhere in subject, which is UTF-8.  Adds to *steps what it may have cost. */
enum schema_match schema_pattern_match(struct schema_patterns *patterns,
	const struct schema_pattern *pattern, struct text subject, uint32_t *steps);

/* ---- json_schema_reference.c ---- */

/* RFC 3986, section 5.2; .data is NULL without memory.  The fragment is left out. */
struct text schema_uri_resolve(struct arena *arena, struct text base, struct text reference);
/* What stands behind '#', percent-decoded into arena; empty without one.  .data is NULL where
 * it is malformed or there is no memory. */
struct text schema_uri_fragment(struct arena *arena, struct text reference);
/* The next token of a JSON pointer (RFC 6901) of which *rest starts with '/', unescaped. */
struct text schema_pointer_token(struct arena *arena, struct text *rest);

/* ---- json_schema_value.c ---- */

bool schema_is_integer(const struct json *number);
int schema_compare(const struct json *a, const struct json *b); /* of two numbers */
bool schema_is_multiple(const struct json *number, const struct json *of);
/* Equal as JSON Schema has it; each value looked at adds one to *steps. */
bool schema_equal(const struct json *a, const struct json *b, uint32_t *steps);
enum schema_unique { UNIQUE_EXHAUSTED = 0, UNIQUE_NO, UNIQUE_YES };
/* EXHAUSTED: beyond JSON_SCHEMA_STEPS_MAX, or no memory. */
enum schema_unique schema_is_unique(
	const struct json *array, struct arena *scratch, uint32_t *steps);

/* ---- json_schema_compile.c ---- */

bool schema_build(struct json_schema *schema, struct error *err) MUST_CHECK;

#endif

#ifndef BASE_JSON_SCHEMA_H
#define BASE_JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"

/* JSON Schema: does a value have the form that a schema asks for?  Draft 2020-12 (core and
 * validation), and draft-07 where `$schema` says so, because servers send it.
 *
 * A reference is followed inside the document only (`$id`, `$anchor` and `$dynamicAnchor`
 * are known); nothing is ever loaded.  `format` and the content keywords are annotations:
 * they refuse nothing.  Unknown keywords are ignored, as the standard has it; a known one
 * with a value that is none of its own makes the schema refused.  `pattern` is read by
 * PCRE2 as ECMA-262 has it, as far as the two agree.  Numbers are compared exactly; 1 and
 * 1.0 are the same number. */
struct json_schema;

enum {
	JSON_SCHEMA_NODES_MAX = 4096,         /* subschemas of one document */
	JSON_SCHEMA_NESTING_MAX = 64,         /* of subschemas in the document */
	JSON_SCHEMA_PATTERNS_MAX = 256,       /* regular expressions of one document */
	JSON_SCHEMA_PATTERN_BYTES_MAX = 1024, /* one of them */
	JSON_SCHEMA_DEPTH_MAX = 256,          /* subschemas within each other when validating */
	JSON_SCHEMA_STEPS_MAX = 200000,       /* of one validation: 20 ms at the worst seen */
	JSON_SCHEMA_MATCH_LIMIT = 20000,      /* backtracks of one match: under a millisecond */
	JSON_SCHEMA_POINTER_BYTES = 256,
	JSON_SCHEMA_FAULT_BYTES = 512,
};

/* Compiles; source is copied.  Errors: INVALID (what is wrong, and at which place of the
 * schema), LIMIT. */
bool json_schema_compile(
	struct json_schema **out, const struct json *source, struct error *err) MUST_CHECK;
void json_schema_destroy(struct json_schema **schema);

/* Zero is not to know: a bound was reached before there was an answer, or there was no
 * memory.  Whoever must be sure refuses both that and INVALID. */
enum json_schema_result {
	JSON_SCHEMA_UNDECIDED = 0,
	JSON_SCHEMA_INVALID,
	JSON_SCHEMA_VALID,
};

/* The first thing that does not fit.  It quotes the schema and never the value: a member
 * that the schema does not name is "*" in the pointer. */
struct json_schema_fault {
	char pointer[JSON_SCHEMA_POINTER_BYTES]; /* RFC 6901, into the value; cut with "..." */
	const char *keyword;                     /* "type"; of what was UNDECIDED, the bound */
	char text[JSON_SCHEMA_FAULT_BYTES]; /* one short sentence, without pointer or full stop:
					     * "must be string or null" */
};

/* Not const, because it works in the schema's own memory: one thread at a time.  *fault is
 * filled unless VALID; it may be NULL. */
enum json_schema_result json_schema_validate(struct json_schema *schema, const struct json *value,
	struct json_schema_fault *fault) MUST_CHECK;

#endif

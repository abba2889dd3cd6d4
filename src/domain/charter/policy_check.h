#ifndef DOMAIN_CHARTER_POLICY_CHECK_H
#define DOMAIN_CHARTER_POLICY_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/charter/excerpt.h"
#include "domain/charter/object.h"
#include "domain/charter/problem.h"

/* Validates guardrails and the conditions of charters and tools against
 * schema/remit.cedarschema, which a binary carries (docs/policies.md says what that
 * promises).  What is merely ill-formed object_parse refuses; this is for what is
 * being planned, never for what the log already holds. */

/* The schema's text, NUL-terminated. */
extern const char remit_schema[];

enum policy_severity { POLICY_ERROR = 0, POLICY_WARNING };

struct policy_finding {
	enum policy_severity severity;
	const char *code;       /* "unknown_attribute"; static */
	struct text field;      /* "entitlements[0].when"; empty: a text on its own */
	uint32_t file_line;     /* where it is in the file (json_line_of); 0 unknown */
	uint32_t line;          /* in the field's text, 1-based; 0: about all of it */
	uint32_t column;        /* 1-based, in bytes */
	struct excerpt excerpt; /* of the text; nothing is shown of what is about all of it */
	struct text what;
	struct text hint; /* may be empty */
};

/* What a policy takes the arguments of a call to be, where it reads any. */
struct policy_arguments {
	struct text field;
	uint32_t file_line; /* of the policy in the file (json_line_of); 0 unknown */
	uint32_t line;      /* and in the field's text */
	struct text types;  /* {"path": String, "size"?: Long} */
};

/* Collected in the arena; zero it, set arena, and pass it down. */
struct policy_findings {
	struct arena *arena;
	struct policy_finding *items; /* the first POLICY_FINDINGS_MAX */
	size_t count;
	size_t error_count;      /* 0: valid.  One that is not listed may count more than once */
	size_t conditions_count; /* looked at */
	struct policy_arguments *arguments;
	size_t arguments_count;
};

enum {
	POLICY_FINDINGS_MAX = 200,
	POLICY_STEPS_MAX = 2 * 1000 * 1000, /* expressions typed for one policy */
	POLICY_SHAPES_MAX = 10000, /* arguments that differ, of one checker: each costs a schema */
	POLICY_ARGUMENTS_MAX = 1000, /* listed */
	POLICY_APPROVALS_MAX = 16,   /* names that one policy asks for: a question holds no more */
};

/* Holds the schema, so that it is read once. */
struct policy_checker;
/* Errors: LIMIT. */
bool policy_checker_create(struct policy_checker **out, struct error *err) MUST_CHECK;
void policy_checker_destroy(struct policy_checker **checker);

/* Adds what is wrong with the text of a guardrail (also if it is no Cedar at all, or
 * permits).  Errors: LIMIT: it was not validated. */
bool policy_check_guardrail(struct policy_checker *checker, struct text text,
	struct policy_findings *findings, struct error *err) MUST_CHECK;
/* Adds what is wrong with the text of a policy, or with each condition of an identity
 * or a tool; other objects have none.  Errors: LIMIT. */
bool policy_check_object(struct policy_checker *checker, const struct object *object,
	struct policy_findings *findings, struct error *err) MUST_CHECK;

/* Adds each error to problems, with its place in the object's file.  Errors: LIMIT. */
bool policy_check_problems(struct policy_checker *checker, const struct object *object,
	struct text file, struct problems *problems, struct error *err) MUST_CHECK;

#endif

#ifndef DOMAIN_APPLICATION_APPLICATION_H
#define DOMAIN_APPLICATION_APPLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* The policies of an application that uses remit as its decision point: Cedar with
 * permits, a set apart from charters and guardrails, which can allow nothing behind
 * the gateway.  Pure: no clock, lock or state. */

/* What an application's document says, borrowed. */
struct application_source {
	struct text prefix;          /* of the ids of its policies: "application/NAME@VERSION/" */
	struct text schema;          /* Cedar schema syntax; empty: none */
	struct text policies;        /* Cedar */
	const struct json *entities; /* Cedar entities JSON, an array; NULL: none */
};

enum {
	APPLICATION_TEXT_BYTES_MAX = 65536,            /* its schema; its policies */
	APPLICATION_ENTITIES_MAX = 4000,               /* listed in its document */
	APPLICATION_POLICIES_MAX = 4,                  /* determining ones that an answer names */
	APPLICATION_ARENA_BYTES_MAX = 8 * 1024 * 1024, /* of one decision, for whoever asks */
};

/* Compiled once, then read only. */
struct application_rules;

/* Checks all that the document alone can tell: the schema, the entities by it, the
 * policies, strictly by it where there is one.  *part is then "schema", "entities"
 * or "policies".  Errors: INVALID (with line and column where there is one), LIMIT. */
bool application_compile(struct application_rules **out, const struct application_source *source,
	const char **part, struct error *err) MUST_CHECK;
/* One of what is wrong with a document.  Its texts are good while it is told. */
struct application_finding {
	const char *part; /* "schema", "entities" or "policies" */
	uint32_t line;    /* in the text of that part, from 1; 0: about all of it */
	uint32_t column;  /* of bytes, from 1 */
	uint32_t length;  /* in bytes, at least 1 */
	struct text what;
	struct text hint; /* may be empty */
};
/* Tells of all that application_compile refuses, not only of the first: of the schema and of
 * the entities the first each, of the policies each template and each error that their
 * validation lists.  By a schema that is none nothing is validated.  Errors: LIMIT (more might
 * be wrong). */
bool application_check(const struct application_source *source,
	void (*tell)(void *context, const struct application_finding *finding), void *context,
	struct error *err) MUST_CHECK;
void application_rules_destroy(struct application_rules **rules);

/* Subject or resource: type "user" is the Cedar type of that name. */
struct application_entity {
	struct text type;
	struct text id;
	const struct json *properties; /* an object, or NULL */
};

/* One question.  The action is Action::"name". */
struct application_question {
	struct application_entity subject;
	struct text action;
	const struct json *action_properties; /* an object, or NULL */
	struct application_entity resource;
	const struct json *context; /* an object, or NULL */
};

/* Why.  X(name, word, meaning).  NONE is zero and refuses. */
/* clang-format off */
#define APPLICATION_REASONS(X) \
	X(APPLICATION_NONE, "not_decided", "nothing was decided") \
	X(APPLICATION_PERMITTED, "permitted", "a policy permits it and none forbids it") \
	X(APPLICATION_NO_PERMIT, "no_permit", "no policy permits it") \
	X(APPLICATION_POLICY_FORBIDS, "policy_forbids", "a policy forbids it") \
	X(APPLICATION_NOT_OF_SCHEMA, "not_of_schema", "the schema does not know what it asks") \
	X(APPLICATION_NOT_EVALUATED, "not_evaluated", "it could not be evaluated")
/* clang-format on */
enum application_reason {
#define X(name, word, meaning) name,
	APPLICATION_REASONS(X)
#undef X
};
const char *application_reason_word(enum application_reason value);
const char *application_reason_meaning(enum application_reason value);

struct application_answer {
	bool is_allowed; /* only with PERMITTED */
	enum application_reason reason;
	struct text policies[APPLICATION_POLICIES_MAX]; /* determining, in order; the rules' */
	size_t policies_count;
	struct text detail; /* NOT_OF_SCHEMA, NOT_EVALUATED: what was wrong; in arena */
};

/* Decides; cannot fail: what finds no room in arena is NOT_EVALUATED, and so is
 * what a forbid fails on.
 *
 * Properties overlay what is stored: an entity keeps its parents and tags, and has
 * its stored attributes, but those that the question gives anew; of one that is subject
 * and resource, both give, and not the same name unless all is the same.  The action's
 * properties are context.action; a question that says both is NOT_EVALUATED.
 * Values are Cedar JSON (__entity, __extn), and what Cedar cannot hold (null, a
 * fraction) is NOT_EVALUATED, as are properties that are a value of another kind as a whole.  With
 * a schema, all must be as it declares. */
void application_decide(const struct application_rules *rules,
	const struct application_question *question, struct arena *arena,
	struct application_answer *out);

/* What a search looks through: entities of the document (actions of the schema
 * too) in a fixed order.  Borrowed from the rules. */
struct application_candidate {
	struct text type;
	struct text id;
};
size_t application_candidates_count(const struct application_rules *rules);
struct application_candidate application_candidate_at(
	const struct application_rules *rules, size_t index);

#endif

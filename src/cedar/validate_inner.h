#ifndef CEDAR_VALIDATE_INNER_H
#define CEDAR_VALIDATE_INNER_H

#include "cedar/policy_set.h"
#include "cedar/schema_inner.h"

/* Shared by the files that validate policies. */

/* ---- Expressions with identity --------------------------------------- */

/* An expression to be typed: the policy's tree with fewer kinds (!=, > and >= are
 * spelled with !, == and <=) and with an id; equal expressions have the same id. */
struct node {
	enum ast_kind kind;
	uint8_t detail; /* as in struct ast, or a slot of a template (an AST_VARIABLE) */
	uint32_t id;
	uint32_t start; /* bytes of the policy's source */
	uint32_t end;
	uint32_t count; /* children */
	uint32_t name_count;
	struct node **children;
	const struct cedar_text *names;
	const struct cedar_value *literal;
	/* The ids of the reads it makes safe: of AST_HAS each prefix of the path, of
	 * AST_HAS_TAG one. */
	const uint32_t *paths;
};

enum { NODE_PRINCIPAL_SLOT = AST_CONTEXT + 1, NODE_RESOURCE_SLOT };

/* What makes two expressions the same. */
struct shape {
	enum ast_kind kind;
	uint8_t detail;
	uint32_t count; /* children */
	uint32_t name_count;
	const uint32_t *children;
	const struct cedar_text *names;
	const struct cedar_value *literal;
	const struct like_pattern *pattern;
};

struct tree {
	struct arena *arena;
	struct table table; /* hash of a shape to its id */
	struct shape *shapes;
	uint32_t count; /* ids given so far */
	uint32_t capacity;
};

/* The conditions of a policy: its scope in three parts (NULL where any fits), then
 * its clauses; unless as a negation.  The table is on the heap. */
struct condition {
	struct node *scope[SCOPE_PARTS];
	struct node **clauses;
	uint32_t clause_count;
};
/* False without memory. */
bool tree_build(
	struct tree *tree, const struct policy_ast *policy, struct condition *out) MUST_CHECK;

/* ---- Findings -------------------------------------------------------- */

/* What is found: two of it are the same finding if all of it is the same. */
struct report {
	enum cedar_finding_code code;
	enum cedar_severity severity;
	uint32_t start; /* bytes of the policy's source; 0 and 0: the whole policy */
	uint32_t end;
	uint32_t expected; /* EXPECT_*, or a number of arguments */
	uint32_t given;    /* a number of arguments */
	struct cedar_text name;
	const struct schema_type *type;
	const struct schema_type *other;
	const struct schema_action *action; /* whose context it is about */
	const struct node *receiver;        /* of what is read */
	const char *hint;
};

enum { VALIDATE_HINT_CELLS_MAX = 32 << 20 }; /* of one validation: some 50 ms */

struct findings {
	struct arena *arena; /* the caller's: texts and the list */
	const struct cedar_schema *schema;
	const struct stored_policy *policy; /* the one being validated */
	uint32_t policy_index;
	bool is_template;
	struct cedar_finding *items;
	uint32_t count;
	uint32_t capacity;
	uint32_t policy_first; /* of this policy's findings in items */
	size_t error_count;
	uint64_t hint_cells_left;
	struct table seen;      /* hash of a report, of this policy */
	struct report *reports; /* beside each of this policy's findings */
	bool failed;
};

/* The next reports are about this policy or template. */
void findings_begin(struct findings *findings, const struct stored_policy *policy, uint32_t index);
/* No more about it: puts them in the order of the text. */
void findings_end(struct findings *findings);
void findings_add(struct findings *findings, const struct report *report);
void findings_deinit(struct findings *findings);
/* The text of a report; .data is NULL without memory. */
struct cedar_text report_text(
	struct arena *arena, const struct report *report, struct cedar_text source);
/* Its hint, empty if there is none.  The nearest name is looked for as long as *cells_left
 * pays for it: each name costs its bytes times those of what was written. */
struct cedar_text report_hint(struct arena *arena, const struct cedar_schema *schema,
	const struct report *report, struct cedar_text source, uint64_t *cells_left);

/* ---- Types of expressions -------------------------------------------- */

/* Kinds of types an operand may have: a bit for each enum type_kind, and more. */
enum {
	EXPECT_BOOL = 1 << TYPE_FALSE | 1 << TYPE_TRUE | 1 << TYPE_BOOL,
	EXPECT_LONG = 1 << TYPE_LONG,
	EXPECT_STRING = 1 << TYPE_STRING,
	EXPECT_ENTITY = 1 << TYPE_ENTITY,
	EXPECT_SET = 1 << TYPE_SET,
	EXPECT_RECORD = 1 << TYPE_RECORD,
	EXPECT_ENTITY_SET = 1 << 16, /* a set of entities */
	EXPECT_DECIMAL = 1 << 17,
	EXPECT_IPADDR = 1 << 18,
	EXPECT_DATETIME = 1 << 19,
	EXPECT_DURATION = 1 << 20,
	EXPECT_COMPARABLE = EXPECT_LONG | EXPECT_DATETIME | EXPECT_DURATION,
};
/* The bits a type satisfies. */
uint32_t expect_of(const struct schema_type *type);

/* One kind of request. */
struct request_kind {
	const struct schema_action *action;
	const struct schema_entity *principal;
	const struct schema_entity *resource;
	const struct schema_entity *principal_slot; /* of a template; NULL: no such slot */
	const struct schema_entity *resource_slot;
};

/* Attributes and tags known to be there if an expression is true: the ids of the
 * reads that are safe then. */
struct capability {
	uint32_t id;
	struct capability *next;
};
struct capabilities {
	struct capability *first;
	struct capability *last;
};

struct answer {
	const struct schema_type *type; /* NULL: unknown, because of an error */
	bool ok;                        /* no error inside */
	struct capabilities capabilities;
};

struct typing {
	const struct cedar_schema *schema;
	struct findings *findings;
	struct type_set *types;
	struct arena *arena; /* of one kind of request */
	struct request_kind request;
	uint32_t *active; /* by id: how often a read is known to be safe here */
	uint64_t steps;
	uint64_t steps_max;
	bool failed; /* out of memory or steps: the answers mean nothing */
};

/* The condition of a policy for the typing's kind of request. */
struct answer typing_condition(struct typing *typing, const struct condition *condition);
/* The least type that both are, or NULL. */
const struct schema_type *typing_join(
	struct typing *typing, const struct schema_type *a, const struct schema_type *b);
/* A call of an extension function. */
struct answer typing_extension(struct typing *typing, const struct node *node);
/* Types an operand, which must be of an expected type. */
struct answer typing_expect(
	struct typing *typing, const struct node *node, uint32_t expected, const char *hint);
struct answer typing_node(struct typing *typing, const struct node *node);
/* Adds a finding at the node. */
void typing_report(struct typing *typing, const struct node *node, struct report report);

/* ---- A set of policies ----------------------------------------------- */

struct validate_options {
	enum cedar_validation_rule rule;
	uint64_t steps_max;
};
/* cedar_validate with a limit of steps of its own. */
bool validate_with(const struct cedar_policy_set *set, const struct cedar_schema *schema,
	const struct validate_options *options, struct cedar_arena *arena,
	struct cedar_validation *out, struct cedar_error *err) MUST_CHECK;

#endif

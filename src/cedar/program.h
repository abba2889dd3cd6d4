#ifndef CEDAR_PROGRAM_H
#define CEDAR_PROGRAM_H

#include "cedar/ast.h"
#include "cedar/entities.h"

/* Compiled expressions: flat code for a small stack machine.  Many pieces of
 * code share one program; each ends with one value on the stack. */

enum op_code {
	OP_PUSH = 0,   /* constants[index] */
	OP_VARIABLE,   /* detail: enum ast_variable */
	OP_PATH,       /* paths[index] */
	OP_JUMP,       /* to index */
	OP_BRANCH,     /* pops a boolean; false jumps to index */
	OP_AND,        /* a boolean stays and jumps to index if false, else is popped */
	OP_OR,         /* the same if true */
	OP_BOOLEAN,    /* fails unless the top is a boolean */
	OP_IS_OR_JUMP, /* an entity of the type the origin names stays; one of
			* another type becomes false and jumps to index */
	OP_NOT,
	OP_NEGATE,
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_EQUAL_CONSTANT, /* the top with constants[index] */
	OP_NOT_EQUAL_CONSTANT,
	OP_LESS,
	OP_LESS_EQUAL,
	OP_GREATER,
	OP_GREATER_EQUAL,
	OP_IN,
	OP_VARIABLE_IN_PATH, /* detail: enum ast_variable, not context; paths[index] */
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_CONTAINS,
	OP_CONTAINS_ALL,
	OP_CONTAINS_ANY,
	OP_IS_EMPTY,
	OP_GET_TAG,
	OP_HAS_TAG,
	OP_GET,       /* attribute constants[index] */
	OP_HAS,       /* path of count names from constants[index] */
	OP_IS,        /* type constants[index] */
	OP_LIKE,      /* pattern of the origin */
	OP_SET,       /* count values become a set */
	OP_RECORD,    /* count values become a record; sorted names from constants[index] */
	OP_EXTENSION, /* detail: function; count arguments */
};

struct op {
	uint8_t code; /* enum op_code */
	uint8_t detail;
	uint16_t count; /* at most CEDAR_STACK_VALUES_MAX, or names of a path */
	uint32_t index;
	const struct ast *origin; /* for errors */
};

/* variable.name.name...: the same path in many policies is one entry, so that an
 * evaluation of many reads it once. */
struct path {
	enum ast_variable variable;
	uint32_t count; /* names; may be 0 */
	const struct cedar_text *names;
};

/* Grows in its arena while it is compiled into, then never changes. */
struct program {
	struct arena *arena;
	struct op *ops;
	uint32_t op_count;
	uint32_t op_capacity;
	struct cedar_value *constants;
	uint32_t constant_count;
	uint32_t constant_capacity;
	struct path *paths;
	uint32_t path_count;
	uint32_t path_capacity;
	struct table path_table; /* hash of a path to index in paths */
	uint32_t stack_max;      /* values the deepest piece needs */
};

/* A piece of a program: ops [start, end). */
struct piece {
	uint32_t start;
	uint32_t end;
};

/* Appends the code of an expression of source, which may be empty: then errors have no
 * place.  Errors: LIMIT, with line and column if it is the expression's. */
bool program_compile(struct program *program, struct piece *out, const struct ast *expression,
	struct cedar_text source, struct cedar_error *err) MUST_CHECK;
/* Appends the code of all clauses of a policy as one boolean; an empty piece
 * if there are none.  Errors: as above. */
bool program_compile_clauses(struct program *program, struct piece *out,
	const struct policy_ast *policy, struct cedar_error *err) MUST_CHECK;

/* The path that node is; *is_path is false if it is something else.  Names are
 * borrowed from the tree.  Errors: LIMIT. */
bool program_path(struct program *program, const struct ast *node, bool *is_path, uint32_t *index,
	struct cedar_error *err) MUST_CHECK;

enum { EVALUATION_STACK_FIRST = 16, EVALUATION_PATHS_MAX = 32 };

/* What evaluation reads.  request may be NULL. */
struct evaluation {
	const struct cedar_entities *entities;
	const struct cedar_request *request;
	struct arena *scratch;
	struct cedar_value variables[4];    /* by enum ast_variable */
	const struct entity_node *nodes[3]; /* of principal, action, resource */
	struct cedar_value *stack;
	uint32_t stack_size;
	const struct ast *failed_at; /* after an EVALUATION error */
	/* NULL, or what the first EVALUATION_PATHS_MAX paths of the one program that
	 * is run hold; NULL in it: not read yet. */
	const struct cedar_value **paths;
};

/* The caller sets scratch, and stack to EVALUATION_STACK_FIRST values that
 * outlive the evaluation.  Errors: INVALID if the request's context is no record. */
bool evaluation_init(struct evaluation *evaluation, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_error *err) MUST_CHECK;
/* The same; the variables are kept with their hashes in uids, of SCOPE_PARTS,
 * which the values that are evaluated may point to. */
bool evaluation_init_hashed(struct evaluation *evaluation, const struct cedar_entities *entities,
	const struct cedar_request *request, struct cedar_uid *uids,
	struct cedar_error *err) MUST_CHECK;
/* The value at a path, or NULL if reading it would fail. */
const struct cedar_value *evaluation_path(
	const struct program *program, uint32_t index, struct evaluation *evaluation);
/* The attributes of an entity; NULL if it does not exist. */
const struct cedar_value *evaluation_attributes(
	const struct evaluation *evaluation, const struct cedar_uid *uid);
/* Runs one piece.  Errors: EVALUATION (failed_at says where), LIMIT. */
bool program_run(const struct program *program, const struct piece *piece,
	struct evaluation *evaluation, struct cedar_value *out, struct cedar_error *err) MUST_CHECK;

#endif

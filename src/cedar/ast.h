#ifndef CEDAR_AST_H
#define CEDAR_AST_H

#include "cedar/extension.h"
#include "cedar/lexer.h"

/* Policies as trees.  Trees are immutable once parsed and live in the arena of
 * the set.  Chains of && and of || are one node, so that long ones are flat. */

enum ast_kind {
	AST_LITERAL = 0,
	AST_VARIABLE,
	AST_IF, /* children: condition, then, else */
	AST_OR,
	AST_AND,
	AST_EQUAL,
	AST_NOT_EQUAL,
	AST_LESS,
	AST_LESS_EQUAL,
	AST_GREATER,
	AST_GREATER_EQUAL,
	AST_IN,
	AST_HAS,  /* names: the path */
	AST_LIKE, /* pattern */
	AST_IS,   /* names[0]: the type; a second child: is .. in */
	AST_ADD,
	AST_SUBTRACT,
	AST_MULTIPLY,
	AST_NOT,
	AST_NEGATE,
	AST_GET, /* names[0]: the attribute */
	AST_CONTAINS,
	AST_CONTAINS_ALL,
	AST_CONTAINS_ANY,
	AST_IS_EMPTY,
	AST_GET_TAG,
	AST_HAS_TAG,
	AST_EXTENSION, /* function; a method's receiver is the first child */
	AST_SET,
	AST_RECORD, /* names: one for each child */
};

enum ast_variable { AST_PRINCIPAL = 0, AST_ACTION, AST_RESOURCE, AST_CONTEXT };

struct ast {
	enum ast_kind kind;
	uint16_t depth; /* 1 for a leaf; at most CEDAR_DEPTH_MAX */
	uint8_t detail; /* enum ast_variable or enum extension_function */
	uint32_t start; /* bytes of the source */
	uint32_t end;
	uint32_t count; /* children */
	uint32_t name_count;
	const struct ast *const *children;
	const struct cedar_text *names;
	struct cedar_value literal;
	struct like_pattern pattern;
};

enum scope_kind { SCOPE_ANY = 0, SCOPE_EQUAL, SCOPE_IN, SCOPE_IN_ONE_OF, SCOPE_IS, SCOPE_IS_IN };

/* One of the three parts of a scope. */
struct scope_part {
	enum scope_kind kind;
	bool is_slot;   /* of a template: the uid comes with the link, count is 0 */
	uint32_t count; /* uids */
	uint32_t start; /* bytes of the source; 0 and 0 if made of parts */
	uint32_t end;
	struct cedar_text type;
	const struct cedar_uid *uids;
};

enum { SCOPE_PARTS = 3 }; /* principal, action, resource, as in enum ast_variable */

enum clause_kind { CLAUSE_WHEN = 0, CLAUSE_UNLESS };

struct clause {
	enum clause_kind kind;
	const struct ast *expression;
};

struct policy_ast {
	struct cedar_text source; /* the text that offsets count in */
	uint32_t start;
	uint32_t end;
	enum cedar_effect effect;
	const struct cedar_annotation *annotations;
	uint32_t annotation_count;
	uint32_t clause_count;
	struct scope_part scope[SCOPE_PARTS];
	const struct clause *clauses;
};

/* The name of a builtin method's kind ("contains"), or NULL for other kinds. */
const char *ast_method_name(enum ast_kind kind);
/* The kind of the builtin method so named; AST_LITERAL if there is none. */
enum ast_kind ast_method_find(struct cedar_text name);
const char *ast_variable_name(enum ast_variable variable);
/* True if a node of this kind is a boolean or fails, whatever its operands are. */
bool ast_kind_is_boolean(enum ast_kind kind);
bool ast_is_template(const struct policy_ast *policy);

#endif

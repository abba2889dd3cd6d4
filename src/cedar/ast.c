/* The names of what has a name in the tree. */
#include "cedar/ast.h"

static const struct {
	const char *name;
	enum ast_kind kind;
} methods[] = {
	{"contains", AST_CONTAINS},
	{"containsAll", AST_CONTAINS_ALL},
	{"containsAny", AST_CONTAINS_ANY},
	{"isEmpty", AST_IS_EMPTY},
	{"getTag", AST_GET_TAG},
	{"hasTag", AST_HAS_TAG},
};

const char *ast_method_name(enum ast_kind kind)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (methods[i].kind == kind)
			return methods[i].name;
	}
	return NULL;
}

enum ast_kind ast_method_find(struct cedar_text name)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (cedar_text_is(name, methods[i].name))
			return methods[i].kind;
	}
	return AST_LITERAL;
}

const char *ast_variable_name(enum ast_variable variable)
{
	static const char *const names[] = {"principal", "action", "resource", "context"};

	return names[variable];
}

bool ast_kind_is_boolean(enum ast_kind kind)
{
	switch (kind) {
	case AST_OR:
	case AST_AND:
	case AST_EQUAL:
	case AST_NOT_EQUAL:
	case AST_LESS:
	case AST_LESS_EQUAL:
	case AST_GREATER:
	case AST_GREATER_EQUAL:
	case AST_IN:
	case AST_HAS:
	case AST_LIKE:
	case AST_IS:
	case AST_NOT:
	case AST_CONTAINS:
	case AST_CONTAINS_ALL:
	case AST_CONTAINS_ANY:
	case AST_IS_EMPTY:
	case AST_HAS_TAG: return true;
	case AST_LITERAL:
	case AST_VARIABLE:
	case AST_IF:
	case AST_ADD:
	case AST_SUBTRACT:
	case AST_MULTIPLY:
	case AST_NEGATE:
	case AST_GET:
	case AST_GET_TAG:
	case AST_EXTENSION:
	case AST_SET:
	case AST_RECORD: break;
	}
	return false;
}

bool ast_is_template(const struct policy_ast *policy)
{
	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (policy->scope[i].is_slot)
			return true;
	}
	return false;
}

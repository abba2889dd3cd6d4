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

bool ast_is_template(const struct policy_ast *policy)
{
	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (policy->scope[i].is_slot)
			return true;
	}
	return false;
}

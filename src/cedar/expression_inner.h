#ifndef CEDAR_EXPRESSION_INNER_H
#define CEDAR_EXPRESSION_INNER_H

#include "cedar/program.h"

/* One expression on its own: its tree and program in an arena of its own. */
struct cedar_expression {
	struct arena *arena;
	struct cedar_text source;
	const struct ast *ast;
	struct program program;
	struct piece piece;
};

#endif

/* Printing follows the grammar: each kind of node has a level, and a child that
 * binds less tightly than its place needs gets brackets. */
#include "cedar/print.h"

#include "cedar/lexer.h"

/* As the grammar nests; a larger level binds more tightly. */
enum level {
	LEVEL_EXPRESSION = 0,
	LEVEL_OR,
	LEVEL_AND,
	LEVEL_RELATION,
	LEVEL_ADD,
	LEVEL_MULTIPLY,
	LEVEL_UNARY,
	LEVEL_MEMBER,
	LEVEL_PRIMARY,
};

static enum level level_of(const struct ast *node)
{
	switch (node->kind) {
	case AST_IF: return LEVEL_EXPRESSION;
	case AST_OR: return LEVEL_OR;
	case AST_AND: return LEVEL_AND;
	case AST_EQUAL:
	case AST_NOT_EQUAL:
	case AST_LESS:
	case AST_LESS_EQUAL:
	case AST_GREATER:
	case AST_GREATER_EQUAL:
	case AST_IN:
	case AST_HAS:
	case AST_LIKE:
	case AST_IS: return LEVEL_RELATION;
	case AST_ADD:
	case AST_SUBTRACT: return LEVEL_ADD;
	case AST_MULTIPLY: return LEVEL_MULTIPLY;
	case AST_NOT:
	case AST_NEGATE: return LEVEL_UNARY;
	case AST_LITERAL:
		return node->literal.type == CEDAR_LONG && node->literal.integer < 0
			       ? LEVEL_UNARY
			       : LEVEL_PRIMARY;
	case AST_GET:
	case AST_CONTAINS:
	case AST_CONTAINS_ALL:
	case AST_CONTAINS_ANY:
	case AST_IS_EMPTY:
	case AST_GET_TAG:
	case AST_HAS_TAG: return LEVEL_MEMBER;
	case AST_VARIABLE:
	case AST_EXTENSION:
	case AST_SET:
	case AST_RECORD: break;
	}
	return LEVEL_PRIMARY;
}

static void print_at(struct cedar_writer *writer, const struct ast *node, enum level least)
{
	bool brackets = level_of(node) < least;

	cedar_write_string(writer, brackets ? "(" : "");
	print_expression(writer, node);
	cedar_write_string(writer, brackets ? ")" : "");
}

static void print_list(
	struct cedar_writer *writer, const struct ast *const *children, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ", ");
		print_at(writer, children[i], LEVEL_EXPRESSION);
	}
}

/* A name where an identifier or a string may stand. */
static void print_name(struct cedar_writer *writer, struct cedar_text name)
{
	if (cedar_is_identifier(name) && !cedar_is_reserved(name))
		cedar_write(writer, name);
	else
		cedar_write_quoted(writer, name);
}

/* The operator of a kind with two operands; NULL for other kinds. */
static const char *infix_of(enum ast_kind kind)
{
	static const char *const names[] = {
		[AST_OR] = " || ",
		[AST_AND] = " && ",
		[AST_EQUAL] = " == ",
		[AST_NOT_EQUAL] = " != ",
		[AST_LESS] = " < ",
		[AST_LESS_EQUAL] = " <= ",
		[AST_GREATER] = " > ",
		[AST_GREATER_EQUAL] = " >= ",
		[AST_IN] = " in ",
		[AST_ADD] = " + ",
		[AST_SUBTRACT] = " - ",
		[AST_MULTIPLY] = " * ",
	};

	return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}

static void print_infix(struct cedar_writer *writer, const struct ast *node, const char *infix)
{
	enum level level = level_of(node);
	enum level tighter = (enum level)(level + 1);

	for (uint32_t i = 0; i < node->count; i++) {
		/* Only arithmetic leans to the left without brackets. */
		bool may_lean = i == 0 && (level == LEVEL_ADD || level == LEVEL_MULTIPLY);

		cedar_write_string(writer, i == 0 ? "" : infix);
		print_at(writer, node->children[i], may_lean ? level : tighter);
	}
}

static void print_if(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "if ");
	print_at(writer, node->children[0], LEVEL_EXPRESSION);
	cedar_write_string(writer, " then ");
	print_at(writer, node->children[1], LEVEL_EXPRESSION);
	cedar_write_string(writer, " else ");
	print_at(writer, node->children[2], LEVEL_EXPRESSION);
}

static void print_has(struct cedar_writer *writer, const struct ast *node)
{
	print_at(writer, node->children[0], LEVEL_ADD);
	cedar_write_string(writer, " has ");
	for (uint32_t i = 0; i < node->name_count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ".");
		print_name(writer, node->names[i]);
	}
}

static void print_like(struct cedar_writer *writer, const struct ast *node)
{
	print_at(writer, node->children[0], LEVEL_ADD);
	cedar_write_string(writer, " like \"");
	for (uint32_t i = 0; i < node->pattern.count; i++) {
		cedar_write_string(writer, i == 0 ? "" : "*");
		cedar_write_escaped(writer, node->pattern.pieces[i], true);
	}
	cedar_write_string(writer, "\"");
}

static void print_is(struct cedar_writer *writer, const struct ast *node)
{
	print_at(writer, node->children[0], LEVEL_ADD);
	cedar_write_string(writer, " is ");
	cedar_write(writer, node->names[0]);
	if (node->count == 2) {
		cedar_write_string(writer, " in ");
		print_at(writer, node->children[1], LEVEL_ADD);
	}
}

/* A sign before a sign or a literal would be read as part of it. */
static void print_sign(struct cedar_writer *writer, const struct ast *node, const char *sign)
{
	const struct ast *operand = node->children[0];
	bool is_number = operand->kind == AST_LITERAL && operand->literal.type == CEDAR_LONG;
	bool brackets = is_number || level_of(operand) < LEVEL_MEMBER;

	cedar_write_string(writer, sign);
	cedar_write_string(writer, brackets ? "(" : "");
	print_expression(writer, operand);
	cedar_write_string(writer, brackets ? ")" : "");
}

static void print_get(struct cedar_writer *writer, const struct ast *node)
{
	print_at(writer, node->children[0], LEVEL_MEMBER);
	if (cedar_is_identifier(node->names[0]) && !cedar_is_reserved(node->names[0])) {
		cedar_write_string(writer, ".");
		cedar_write(writer, node->names[0]);
		return;
	}
	cedar_write_string(writer, "[");
	cedar_write_quoted(writer, node->names[0]);
	cedar_write_string(writer, "]");
}

static void print_method(struct cedar_writer *writer, const struct ast *node, const char *name)
{
	print_at(writer, node->children[0], LEVEL_MEMBER);
	cedar_write_string(writer, ".");
	cedar_write_string(writer, name);
	cedar_write_string(writer, "(");
	print_list(writer, node->children + 1, node->count - 1);
	cedar_write_string(writer, ")");
}

static void print_call(struct cedar_writer *writer, const struct ast *node)
{
	enum extension_function function = (enum extension_function)node->detail;

	if (extension_is_method(function)) {
		print_method(writer, node, extension_name(function));
		return;
	}
	cedar_write_string(writer, extension_name(function));
	cedar_write_string(writer, "(");
	print_list(writer, node->children, node->count);
	cedar_write_string(writer, ")");
}

static void print_record(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "{");
	for (uint32_t i = 0; i < node->count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ", ");
		print_name(writer, node->names[i]);
		cedar_write_string(writer, ": ");
		print_at(writer, node->children[i], LEVEL_EXPRESSION);
	}
	cedar_write_string(writer, "}");
}

static void print_set(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "[");
	print_list(writer, node->children, node->count);
	cedar_write_string(writer, "]");
}

/* Kinds that are neither infix nor a builtin method. */
static void print_other(struct cedar_writer *writer, const struct ast *node)
{
	if (node->kind == AST_LITERAL)
		cedar_write_value(writer, &node->literal);
	else if (node->kind == AST_VARIABLE)
		cedar_write_string(writer, ast_variable_name((enum ast_variable)node->detail));
	else if (node->kind == AST_IF)
		print_if(writer, node);
	else if (node->kind == AST_HAS)
		print_has(writer, node);
	else if (node->kind == AST_LIKE)
		print_like(writer, node);
	else if (node->kind == AST_IS)
		print_is(writer, node);
	else if (node->kind == AST_NOT)
		print_sign(writer, node, "!");
	else if (node->kind == AST_NEGATE)
		print_sign(writer, node, "-");
	else if (node->kind == AST_GET)
		print_get(writer, node);
	else if (node->kind == AST_EXTENSION)
		print_call(writer, node);
	else if (node->kind == AST_SET)
		print_set(writer, node);
	else
		print_record(writer, node);
}

void print_expression(struct cedar_writer *writer, const struct ast *node)
{
	const char *infix = infix_of(node->kind);
	const char *method = ast_method_name(node->kind);

	if (infix != NULL)
		print_infix(writer, node, infix);
	else if (method != NULL)
		print_method(writer, node, method);
	else
		print_other(writer, node);
}

static void print_uids(struct cedar_writer *writer, const struct scope_part *part)
{
	for (uint32_t i = 0; i < part->count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ", ");
		cedar_write_uid(writer, &part->uids[i]);
	}
}

void print_scope_part(
	struct cedar_writer *writer, enum ast_variable variable, const struct scope_part *part)
{
	static const char *const before[] = {
		[SCOPE_ANY] = "",
		[SCOPE_EQUAL] = " == ",
		[SCOPE_IN] = " in ",
		[SCOPE_IN_ONE_OF] = " in [",
		[SCOPE_IS] = " is ",
		[SCOPE_IS_IN] = " is ",
	};

	cedar_write_string(writer, ast_variable_name(variable));
	cedar_write_string(writer, before[part->kind]);
	cedar_write(writer, part->type);
	cedar_write_string(writer, part->kind == SCOPE_IS_IN ? " in " : "");
	if (part->is_slot) {
		cedar_write_string(writer, "?");
		cedar_write_string(writer, ast_variable_name(variable));
	}
	print_uids(writer, part);
	cedar_write_string(writer, part->kind == SCOPE_IN_ONE_OF ? "]" : "");
}

static void print_annotations(struct cedar_writer *writer, const struct policy_ast *policy)
{
	for (uint32_t i = 0; i < policy->annotation_count; i++) {
		cedar_write_string(writer, "@");
		cedar_write(writer, policy->annotations[i].key);
		if (policy->annotations[i].value.data != NULL) {
			cedar_write_string(writer, "(");
			cedar_write_quoted(writer, policy->annotations[i].value);
			cedar_write_string(writer, ")");
		}
		cedar_write_string(writer, "\n");
	}
}

void print_policy(struct cedar_writer *writer, const struct policy_ast *policy)
{
	print_annotations(writer, policy);
	cedar_write_string(writer, policy->effect == CEDAR_PERMIT ? "permit (" : "forbid (");
	for (int i = 0; i < SCOPE_PARTS; i++) {
		cedar_write_string(writer, i == 0 ? "\n  " : ",\n  ");
		print_scope_part(writer, (enum ast_variable)i, &policy->scope[i]);
	}
	cedar_write_string(writer, "\n)");
	for (uint32_t i = 0; i < policy->clause_count; i++) {
		const struct clause *clause = &policy->clauses[i];

		cedar_write_string(
			writer, clause->kind == CLAUSE_WHEN ? "\nwhen { " : "\nunless { ");
		print_expression(writer, clause->expression);
		cedar_write_string(writer, " }");
	}
	cedar_write_string(writer, ";\n");
}

static bool is_word(char byte)
{
	return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
	       (byte >= 'A' && byte <= 'Z');
}

/* Leaves a blank only between two words.  What is moved was read already. */
static void squeeze(struct cedar_writer *writer)
{
	struct lexer lexer = {.source = {writer->data, writer->length}};
	struct cedar_error err;
	struct token token;
	size_t length = 0;

	while (lexer_next(&lexer, &token, &err) && token.kind != TOKEN_END) {
		if (length > 0 && is_word(writer->data[length - 1]) &&
			is_word(writer->data[token.start]))
			writer->data[length++] = ' ';
		memmove(writer->data + length, writer->data + token.start, token.end - token.start);
		length += token.end - token.start;
	}
	writer->length = length;
}

struct cedar_text print_parseable(struct cedar_writer *writer)
{
	if (!writer->failed && writer->length > CEDAR_POLICY_BYTES_MAX)
		squeeze(writer);
	return cedar_writer_text(writer);
}

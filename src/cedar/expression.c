/* Expressions: one function for each kind of level of the grammar.
 *
 * The depth of expressions being parsed bounds the recursion here; the depth of
 * each tree bounds everything that walks trees later (compile, print, inspect).
 * Both are at most CEDAR_DEPTH_MAX. */
#include <string.h>

#include "cedar/parser_inner.h"

enum { UNARY_MAX = 4 };

/* Tightest last; relations do not chain. */
enum level { LEVEL_OR = 0, LEVEL_AND, LEVEL_RELATION, LEVEL_ADD, LEVEL_MULTIPLY, LEVEL_UNARY };

static bool parse_binary(struct parser *parser, enum level level, const struct ast **out);

static struct ast *node_create(struct parser *parser, enum ast_kind kind, uint32_t start)
{
	struct ast *node = arena_new(parser->arena, struct ast);

	if (node == NULL) {
		cedar_fail_memory(parser->err);
		return NULL;
	}
	node->kind = kind;
	node->depth = 1;
	node->start = start;
	node->end = parser->last_end;
	return node;
}

/* Its place is where the reader stands. */
static bool fail_too_deep(struct parser *parser)
{
	return cedar_limit_at(parser->err, parser->lexer.source, parser->token.start,
		"an expression nested more than %d deep", CEDAR_DEPTH_MAX);
}

/* Gives the node its children (borrowed) and checks how deep it is now. */
static bool node_adopt(
	struct parser *parser, struct ast *node, const struct ast *const *children, uint32_t count)
{
	uint32_t depth = 1;

	for (uint32_t i = 0; i < count; i++) {
		if (children[i]->depth + 1u > depth)
			depth = children[i]->depth + 1u;
	}
	if (depth > CEDAR_DEPTH_MAX)
		return fail_too_deep(parser);
	node->children = children;
	node->count = count;
	node->depth = (uint16_t)depth;
	node->end = parser->last_end;
	return true;
}

/* A node over one or two children (second may be NULL). */
static struct ast *node_over(struct parser *parser, enum ast_kind kind, const struct ast *first,
	const struct ast *second)
{
	const struct ast **children = arena_array(parser->arena, const struct ast *, 2);
	struct ast *node = node_create(parser, kind, first->start);

	if (children == NULL || node == NULL) {
		cedar_fail_memory(parser->err);
		return NULL;
	}
	children[0] = first;
	children[1] = second;
	return node_adopt(parser, node, children, second == NULL ? 1 : 2) ? node : NULL;
}

static bool node_name(struct parser *parser, struct ast *node, struct cedar_text name)
{
	struct cedar_text *names = arena_new(parser->arena, struct cedar_text);

	if (names == NULL)
		return cedar_fail_memory(parser->err);
	*names = name;
	node->names = names;
	node->name_count = 1;
	return true;
}

/* expression, expression, ... up to close; a trailing comma is allowed. */
static bool parse_list(struct parser *parser, enum token_kind close, struct list *out)
{
	bool more = true;

	while (more && !parser_is(parser, close)) {
		const struct ast **item = list_add(parser, out, sizeof *item);

		if (item == NULL || !parser_expression(parser, item) ||
			!parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	}
	return parser_need(
		parser, close, close == TOKEN_PAREN_CLOSE ? "expected , or )" : "expected , or ]");
}

static bool parse_set(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_SET, parser->token.start);
	struct list items = {NULL, 0, 0};

	if (node == NULL || !parser_advance(parser) ||
		!parse_list(parser, TOKEN_BRACKET_CLOSE, &items))
		return false;
	*out = node;
	return node_adopt(parser, node, items.items, items.count);
}

static bool parse_member(struct parser *parser, struct list *names, struct list *values)
{
	struct cedar_text *name = list_add(parser, names, sizeof *name);
	const struct ast **value = list_add(parser, values, sizeof *value);

	if (name == NULL || value == NULL)
		return false;
	if (!(parser_is(parser, TOKEN_STRING) ? parser_string(parser, name)
					      : parser_name(parser, name)))
		return false;
	return parser_need(parser, TOKEN_COLON, "expected :") && parser_expression(parser, value);
}

static bool parse_record(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_RECORD, parser->token.start);
	struct list names = {NULL, 0, 0}, values = {NULL, 0, 0};
	bool more = true;

	if (node == NULL || !parser_advance(parser))
		return false;
	while (more && !parser_is(parser, TOKEN_BRACE_CLOSE)) {
		if (!parse_member(parser, &names, &values) ||
			!parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	}
	if (!parser_need(parser, TOKEN_BRACE_CLOSE, "expected , or }") ||
		!parser_check_names(parser, names.items, names.count, node->start))
		return false;
	node->names = names.items;
	node->name_count = names.count;
	*out = node;
	return node_adopt(parser, node, values.items, values.count);
}

/* Up to 2^63, so that its negation fits. */
static bool parse_magnitude(struct parser *parser, uint64_t *out)
{
	struct cedar_text digits = token_text(&parser->lexer, &parser->token);
	uint64_t value = 0;

	for (size_t i = 0; i < digits.length; i++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
			__builtin_add_overflow(value, (uint64_t)(digits.data[i] - '0'), &value) ||
			value > (uint64_t)INT64_MAX + 1)
			return parser_fail(parser, "expected an integer of 64 bits");
	}
	*out = value;
	return true;
}

static bool parse_number(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_LITERAL, parser->token.start);
	uint64_t value;

	if (node == NULL || !parse_magnitude(parser, &value))
		return false;
	if (value > (uint64_t)INT64_MAX)
		return parser_fail(parser, "expected an integer of 64 bits");
	if (!parser_advance(parser))
		return false;
	node->literal = cedar_value_long((int64_t)value);
	node->end = parser->last_end;
	*out = node;
	return true;
}

static bool parse_string_literal(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_LITERAL, parser->token.start);
	struct cedar_text text;

	if (node == NULL || !parser_string(parser, &text))
		return false;
	node->literal = cedar_value_string(text);
	node->end = parser->last_end;
	*out = node;
	return true;
}

static bool parse_boolean(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_LITERAL, parser->token.start);

	if (node == NULL)
		return false;
	node->literal = cedar_value_bool(parser_is_word(parser, "true"));
	*out = node;
	if (!parser_advance(parser))
		return false;
	node->end = parser->last_end;
	return true;
}

static bool parse_variable(struct parser *parser, struct cedar_text name, struct ast *node)
{
	for (int i = AST_PRINCIPAL; i <= AST_CONTEXT; i++) {
		if (cedar_text_is(name, ast_variable_name((enum ast_variable)i))) {
			node->kind = AST_VARIABLE;
			node->detail = (uint8_t)i;
			return true;
		}
	}
	return cedar_fail_at(parser->err, parser->lexer.source, node->start,
		"`%.*s` is no variable: expected principal, action, resource or context",
		(int)(name.length > 40 ? 40 : name.length), name.data);
}

static bool parse_call(struct parser *parser, struct cedar_text name, struct ast *node)
{
	enum extension_function function = extension_find(name);
	struct list arguments = {NULL, 0, 0};

	if (function == EXTENSION_NONE || extension_is_method(function))
		return cedar_fail_at(parser->err, parser->lexer.source, node->start,
			"`%.*s` is no function", (int)(name.length > 40 ? 40 : name.length),
			name.data);
	if (!parser_advance(parser) || !parse_list(parser, TOKEN_PAREN_CLOSE, &arguments))
		return false;
	node->kind = AST_EXTENSION;
	node->detail = (uint8_t)function;
	return node_adopt(parser, node, arguments.items, arguments.count);
}

static bool adopt_entity(struct parser *parser, struct ast *node, const struct cedar_uid *uid)
{
	struct cedar_uid *copy = arena_new(parser->arena, struct cedar_uid);

	if (copy == NULL)
		return cedar_fail_memory(parser->err);
	*copy = *uid;
	node->literal = cedar_value_entity(copy);
	return true;
}

/* A variable, an entity or a call. */
static bool parse_named(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_LITERAL, parser->token.start);
	struct cedar_text name;
	struct cedar_uid uid;
	bool ok;

	if (node == NULL || !parser_path(parser, &name, &uid))
		return false;
	*out = node;
	if (uid.type.length > 0)
		ok = adopt_entity(parser, node, &uid);
	else if (parser_is(parser, TOKEN_PAREN_OPEN))
		ok = parse_call(parser, name, node);
	else
		ok = parse_variable(parser, name, node);
	node->end = parser->last_end;
	return ok;
}

static bool parse_group(struct parser *parser, const struct ast **out)
{
	return parser_advance(parser) && parser_expression(parser, out) &&
	       parser_need(parser, TOKEN_PAREN_CLOSE, "expected an operator or )");
}

static bool parse_primary(struct parser *parser, const struct ast **out)
{
	if (parser_is_word(parser, "true") || parser_is_word(parser, "false"))
		return parse_boolean(parser, out);
	if (parser_is(parser, TOKEN_IDENTIFIER))
		return parse_named(parser, out);
	if (parser_is(parser, TOKEN_STRING))
		return parse_string_literal(parser, out);
	if (parser_is(parser, TOKEN_NUMBER))
		return parse_number(parser, out);
	if (parser_is(parser, TOKEN_PAREN_OPEN))
		return parse_group(parser, out);
	if (parser_is(parser, TOKEN_BRACKET_OPEN))
		return parse_set(parser, out);
	if (parser_is(parser, TOKEN_BRACE_OPEN))
		return parse_record(parser, out);
	if (parser_is(parser, TOKEN_SLOT))
		return parser_fail(parser, "a slot stands in a scope only: expected a value");
	return parser_fail(parser, "expected an expression");
}

/* receiver.name(arguments) */
static bool parse_method(struct parser *parser, struct cedar_text name, const struct ast *receiver,
	const struct ast **out)
{
	enum ast_kind kind = ast_method_find(name);
	enum extension_function function = extension_find(name);
	struct list arguments = {NULL, 0, 0};
	const struct ast **first = list_add(parser, &arguments, sizeof *first);
	struct ast *node = node_create(parser, kind, receiver->start);

	if (first == NULL || node == NULL)
		return false;
	*first = receiver;
	if (kind == AST_LITERAL && !extension_is_method(function))
		return cedar_fail_at(parser->err, parser->lexer.source,
			(size_t)(name.data - parser->lexer.source.data), "`%.*s` is no method",
			(int)(name.length > 40 ? 40 : name.length), name.data);
	if (!parser_advance(parser) || !parse_list(parser, TOKEN_PAREN_CLOSE, &arguments))
		return false;
	if (kind == AST_LITERAL) {
		node->kind = AST_EXTENSION;
		node->detail = (uint8_t)function;
	} else if (arguments.count != (kind == AST_IS_EMPTY ? 1u : 2u)) {
		return cedar_fail_at(parser->err, parser->lexer.source, receiver->start,
			"%s takes %u arguments", ast_method_name(kind),
			kind == AST_IS_EMPTY ? 0u : 1u);
	}
	*out = node;
	return node_adopt(parser, node, arguments.items, arguments.count);
}

static bool parse_access(struct parser *parser, const struct ast **value)
{
	bool is_index = parser_is(parser, TOKEN_BRACKET_OPEN);
	const struct ast *object = *value;
	struct cedar_text name;
	struct ast *node;

	if (!parser_advance(parser))
		return false;
	if (!(is_index ? parser_string(parser, &name) : parser_name(parser, &name)))
		return false;
	if (is_index && !parser_need(parser, TOKEN_BRACKET_CLOSE, "expected ]"))
		return false;
	if (!is_index && parser_is(parser, TOKEN_PAREN_OPEN))
		return parse_method(parser, name, object, value);
	node = node_over(parser, AST_GET, object, NULL);
	*value = node;
	return node != NULL && node_name(parser, node, name);
}

static bool parse_accesses(struct parser *parser, const struct ast **value)
{
	while (parser_is(parser, TOKEN_DOT) || parser_is(parser, TOKEN_BRACKET_OPEN)) {
		if (!parse_access(parser, value))
			return false;
	}
	if (parser_is(parser, TOKEN_PAREN_OPEN))
		return parser_fail(parser, "only names can be called: expected an operator");
	return true;
}

static bool parse_operand(struct parser *parser, const struct ast **out)
{
	return parse_primary(parser, out) && parse_accesses(parser, out);
}

/* The integer after the last minus is part of the literal, so that the least
 * integer can be written: but only if nothing is accessed on it. */
static bool parse_negative(struct parser *parser, uint32_t start, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_LITERAL, start);
	struct parser before = *parser;
	uint64_t value = 0;

	if (node == NULL || !parse_magnitude(parser, &value) || !parser_advance(parser))
		return false;
	if (parser_is(parser, TOKEN_DOT) || parser_is(parser, TOKEN_BRACKET_OPEN)) {
		*parser = before;
		if (!parse_operand(parser, out))
			return false;
		*out = node_over(parser, AST_NEGATE, *out, NULL);
		return *out != NULL;
	}
	node->literal = cedar_value_long((int64_t)(0 - value));
	node->end = parser->last_end;
	*out = node;
	return true;
}

/* Up to four signs of one sort; *count says how many were there. */
static bool parse_signs(struct parser *parser, enum token_kind sign, int *count)
{
	bool is_sign = sign == TOKEN_BANG || sign == TOKEN_MINUS;

	for (*count = 0; is_sign && parser_is(parser, sign); (*count)++) {
		if (*count == UNARY_MAX)
			return parser_fail(
				parser, "at most four ! or - in a row: expected an operand");
		if (!parser_advance(parser))
			return false;
	}
	return true;
}

static bool parse_unary(struct parser *parser, const struct ast **out)
{
	enum token_kind sign = parser->token.kind;
	uint32_t start = parser->token.start;
	int count;

	if (!parse_signs(parser, sign, &count))
		return false;
	if (count > 0 && sign == TOKEN_MINUS && parser_is(parser, TOKEN_NUMBER)) {
		if (!parse_negative(parser, start, out))
			return false;
		count--;
	} else if (!parse_operand(parser, out)) {
		return false;
	}
	for (; count > 0; count--) {
		struct ast *node =
			node_over(parser, sign == TOKEN_BANG ? AST_NOT : AST_NEGATE, *out, NULL);

		if (node == NULL)
			return false;
		node->start = start;
		*out = node;
	}
	return true;
}

/* Several operands joined by the same && or ||. */
static bool parse_chain(struct parser *parser, enum level level, const struct ast **out)
{
	enum token_kind joint = level == LEVEL_OR ? TOKEN_OR : TOKEN_AND;
	enum level below = (enum level)(level + 1);
	struct list operands = {NULL, 0, 0};
	const struct ast **operand;
	bool more;
	struct ast *node;

	if (!parse_binary(parser, below, out) || !parser_accept(parser, joint, &more))
		return false;
	if (!more)
		return true;
	operand = list_add(parser, &operands, sizeof *operand);
	if (operand == NULL)
		return false;
	*operand = *out;
	while (more) {
		operand = list_add(parser, &operands, sizeof *operand);
		if (operand == NULL || !parse_binary(parser, below, operand) ||
			!parser_accept(parser, joint, &more))
			return false;
	}
	node = node_create(parser, level == LEVEL_OR ? AST_OR : AST_AND, (*out)->start);
	*out = node;
	return node != NULL && node_adopt(parser, node, operands.items, operands.count);
}

/* has name.name..., has "name" */
static bool parse_has(struct parser *parser, const struct ast **value)
{
	struct ast *node = node_over(parser, AST_HAS, *value, NULL);
	struct list names = {NULL, 0, 0};
	struct cedar_text *name;
	bool more = true;

	*value = node;
	if (node == NULL || !parser_advance(parser))
		return false;
	if (parser_is(parser, TOKEN_STRING)) {
		name = list_add(parser, &names, sizeof *name);
		more = false;
		if (name == NULL || !parser_string(parser, name))
			return false;
	}
	while (more) {
		name = list_add(parser, &names, sizeof *name);
		if (name == NULL || !parser_name(parser, name) ||
			!parser_accept(parser, TOKEN_DOT, &more))
			return false;
	}
	node->names = names.items;
	node->name_count = names.count;
	node->end = parser->last_end;
	return true;
}

static bool parse_like(struct parser *parser, const struct ast **value)
{
	struct ast *node = node_over(parser, AST_LIKE, *value, NULL);

	*value = node;
	if (node == NULL || !parser_advance(parser))
		return false;
	if (!parser_is(parser, TOKEN_STRING))
		return parser_fail(parser, "expected a pattern");
	if (!pattern_unescape(&node->pattern, parser->arena, parser->lexer.source, &parser->token,
		    parser->err) ||
		!parser_advance(parser))
		return false;
	node->end = parser->last_end;
	return true;
}

static bool parse_is(struct parser *parser, const struct ast **value)
{
	const struct ast *object = *value, *container = NULL;
	struct cedar_text type;
	struct cedar_uid uid;
	struct ast *node;

	if (!parser_advance(parser) || !parser_path(parser, &type, &uid))
		return false;
	if (uid.type.length > 0)
		return parser_fail(parser, "expected an entity type before this");
	if (parser_is_word(parser, "in") &&
		(!parser_advance(parser) || !parse_binary(parser, LEVEL_ADD, &container)))
		return false;
	node = node_over(parser, AST_IS, object, container);
	*value = node;
	return node != NULL && node_name(parser, node, type);
}

/* The relation the next token stands for; AST_LITERAL if none. */
static enum ast_kind relation_kind(const struct parser *parser)
{
	static const struct {
		enum token_kind token;
		enum ast_kind kind;
	} table[] = {
		{TOKEN_EQUAL, AST_EQUAL},
		{TOKEN_NOT_EQUAL, AST_NOT_EQUAL},
		{TOKEN_LESS, AST_LESS},
		{TOKEN_LESS_EQUAL, AST_LESS_EQUAL},
		{TOKEN_GREATER, AST_GREATER},
		{TOKEN_GREATER_EQUAL, AST_GREATER_EQUAL},
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (parser_is(parser, table[i].token))
			return table[i].kind;
	}
	return parser_is_word(parser, "in") ? AST_IN : AST_LITERAL;
}

static bool parse_relation(struct parser *parser, const struct ast **out)
{
	const struct ast *right;
	enum ast_kind kind;

	if (!parse_binary(parser, LEVEL_ADD, out))
		return false;
	if (parser_is(parser, TOKEN_ASSIGN))
		return parser_fail(parser, "to compare, write ==: expected an operator");
	if (parser_is_word(parser, "has"))
		return parse_has(parser, out);
	if (parser_is_word(parser, "like"))
		return parse_like(parser, out);
	if (parser_is_word(parser, "is"))
		return parse_is(parser, out);
	kind = relation_kind(parser);
	if (kind == AST_LITERAL)
		return true;
	if (!parser_advance(parser) || !parse_binary(parser, LEVEL_ADD, &right))
		return false;
	*out = node_over(parser, kind, *out, right);
	if (*out == NULL)
		return false;
	return relation_kind(parser) == AST_LITERAL ||
	       parser_fail(parser, "relations do not chain: expected && or ||");
}

static bool parse_arithmetic(struct parser *parser, enum level level, const struct ast **out)
{
	const struct ast *right;

	if (!parse_binary(parser, (enum level)(level + 1), out))
		return false;
	for (;;) {
		enum ast_kind kind = AST_MULTIPLY;

		if (level == LEVEL_ADD && parser_is(parser, TOKEN_PLUS))
			kind = AST_ADD;
		else if (level == LEVEL_ADD && parser_is(parser, TOKEN_MINUS))
			kind = AST_SUBTRACT;
		else if (level != LEVEL_MULTIPLY || !parser_is(parser, TOKEN_STAR))
			break;
		if (!parser_advance(parser) ||
			!parse_binary(parser, (enum level)(level + 1), &right))
			return false;
		*out = node_over(parser, kind, *out, right);
		if (*out == NULL)
			return false;
	}
	if (parser_is(parser, TOKEN_SLASH) || parser_is(parser, TOKEN_PERCENT))
		return parser_fail(parser, "the language cannot divide: expected an operator");
	return true;
}

static bool parse_binary(struct parser *parser, enum level level, const struct ast **out)
{
	switch (level) {
	case LEVEL_OR:
	case LEVEL_AND: return parse_chain(parser, level, out);
	case LEVEL_RELATION: return parse_relation(parser, out);
	case LEVEL_ADD:
	case LEVEL_MULTIPLY: return parse_arithmetic(parser, level, out);
	case LEVEL_UNARY: break;
	}
	return parse_unary(parser, out);
}

static bool parse_if(struct parser *parser, const struct ast **out)
{
	struct ast *node = node_create(parser, AST_IF, parser->token.start);
	const struct ast **parts = arena_array(parser->arena, const struct ast *, 3);

	if (parts == NULL || node == NULL)
		return cedar_fail_memory(parser->err);
	if (!parser_advance(parser) || !parser_expression(parser, &parts[0]))
		return false;
	if (!parser_is_word(parser, "then"))
		return parser_fail(parser, "expected an operator or then");
	if (!parser_advance(parser) || !parser_expression(parser, &parts[1]))
		return false;
	if (!parser_is_word(parser, "else"))
		return parser_fail(parser, "expected an operator or else");
	if (!parser_advance(parser) || !parser_expression(parser, &parts[2]))
		return false;
	*out = node;
	return node_adopt(parser, node, parts, 3);
}

bool parser_expression(struct parser *parser, const struct ast **out)
{
	bool ok;

	if (parser->depth == CEDAR_DEPTH_MAX)
		return fail_too_deep(parser);
	parser->depth++;
	ok = parser_is_word(parser, "if") ? parse_if(parser, out)
					  : parse_binary(parser, LEVEL_OR, out);
	parser->depth--;
	return ok;
}

/* Policies and templates: annotations, scope and clauses.  Expressions are in
 * expression.c.  A slot may stand in the scope only, and only its own variable's. */
#include "cedar/parser.h"

#include <stdlib.h>
#include <string.h>

#include "cedar/parser_inner.h"

enum { LIST_FIRST = 4 };

bool parser_fail(struct parser *parser, const char *what)
{
	struct cedar_text found = token_text(&parser->lexer, &parser->token);

	if (parser->token.kind == TOKEN_END)
		return cedar_fail_at(parser->err, parser->lexer.source, parser->token.start,
			"%s, but the text ends", what);
	return cedar_fail_at(parser->err, parser->lexer.source, parser->token.start,
		"%s, not `%.*s`", what, (int)(found.length > 40 ? 40 : found.length), found.data);
}

bool parser_advance(struct parser *parser)
{
	parser->last_end = parser->token.end;
	return lexer_next(&parser->lexer, &parser->token, parser->err);
}

bool parser_start(struct parser *parser, struct arena *arena, struct cedar_text source,
	struct cedar_error *err)
{
	size_t valid;

	*parser = (struct parser){.lexer = {.source = source}, .arena = arena, .err = err};
	if (source.length > CEDAR_TEXT_BYTES_MAX)
		return cedar_limit_at(err, source, 0, "a policy text of more than %d bytes",
			CEDAR_TEXT_BYTES_MAX);
	valid = utf8_valid_length(source);
	if (valid < source.length)
		return cedar_fail_at(err, source, valid, "bytes that are not UTF-8");
	return lexer_next(&parser->lexer, &parser->token, err);
}

bool parser_is(const struct parser *parser, enum token_kind kind)
{
	return parser->token.kind == kind;
}

bool parser_is_word(const struct parser *parser, const char *word)
{
	return parser->token.kind == TOKEN_IDENTIFIER &&
	       cedar_text_is(token_text(&parser->lexer, &parser->token), word);
}

bool parser_accept(struct parser *parser, enum token_kind kind, bool *taken)
{
	*taken = parser_is(parser, kind);
	return !*taken || parser_advance(parser);
}

bool parser_need(struct parser *parser, enum token_kind kind, const char *what)
{
	if (!parser_is(parser, kind))
		return parser_fail(parser, what);
	return parser_advance(parser);
}

bool parser_name(struct parser *parser, struct cedar_text *out)
{
	*out = token_text(&parser->lexer, &parser->token);
	if (!parser_is(parser, TOKEN_IDENTIFIER))
		return parser_fail(parser, "expected a name");
	if (cedar_is_reserved(*out))
		return parser_fail(parser, "expected a name that is not reserved");
	return parser_advance(parser);
}

bool parser_string(struct parser *parser, struct cedar_text *out)
{
	struct token token = parser->token;

	if (!parser_is(parser, TOKEN_STRING))
		return parser_fail(parser, "expected a string");
	if (!string_unescape(out, parser->arena, parser->lexer.source, &token, parser->err))
		return false;
	return parser_advance(parser);
}

void *list_add(struct parser *parser, struct list *list, size_t item_size)
{
	char *items = list->items;

	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity == 0 ? LIST_FIRST : list->capacity * 2;

		items = arena_alloc(parser->arena, capacity, item_size);
		if (items == NULL) {
			cedar_fail_memory(parser->err);
			return NULL;
		}
		if (list->count > 0)
			memcpy(items, list->items, list->count * item_size);
		list->items = items;
		list->capacity = capacity;
	}
	return items + list->count++ * item_size;
}

static int order_names(const void *a, const void *b)
{
	return cedar_text_compare(*(const struct cedar_text *)a, *(const struct cedar_text *)b);
}

bool parser_check_names(
	struct parser *parser, const struct cedar_text *names, uint32_t count, uint32_t start)
{
	struct cedar_text *sorted;

	if (count < 2)
		return true;
	sorted = arena_array(parser->arena, struct cedar_text, count);
	if (sorted == NULL)
		return cedar_fail_memory(parser->err);
	memcpy(sorted, names, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, order_names);
	for (uint32_t i = 1; i < count; i++) {
		if (cedar_text_equal(sorted[i - 1], sorted[i]))
			return cedar_fail_at(parser->err, parser->lexer.source, start,
				"the name \"%.*s\" is given twice",
				(int)(sorted[i].length > 40 ? 40 : sorted[i].length),
				sorted[i].data);
	}
	return true;
}

/* A path may hold blanks and comments between its parts; its name does not. */
static bool join_path(struct parser *parser, struct cedar_text *path, struct cedar_text part)
{
	struct cedar_writer writer = {.arena = parser->arena};
	const char *expected = path->data + path->length + 2;

	if (part.data == expected && path->data[path->length] == ':') {
		path->length += 2 + part.length;
		return true;
	}
	cedar_write(&writer, *path);
	cedar_write_string(&writer, "::");
	cedar_write(&writer, part);
	*path = cedar_writer_text(&writer);
	return path->data != NULL || cedar_fail_memory(parser->err);
}

bool parser_path(struct parser *parser, struct cedar_text *type, struct cedar_uid *uid)
{
	struct cedar_text part;
	bool more;

	*uid = (struct cedar_uid){{NULL, 0}, {NULL, 0}, 0};
	if (!parser_name(parser, type) || !parser_accept(parser, TOKEN_COLONS, &more))
		return false;
	while (more && !parser_is(parser, TOKEN_STRING)) {
		if (!parser_name(parser, &part) || !join_path(parser, type, part) ||
			!parser_accept(parser, TOKEN_COLONS, &more))
			return false;
	}
	if (!more)
		return true;
	if (!parser_string(parser, &part))
		return false;
	*uid = cedar_uid_of(*type, part);
	return true;
}

static bool parse_entity(struct parser *parser, struct cedar_uid *out)
{
	struct cedar_text type;

	if (parser_is(parser, TOKEN_SLOT))
		return parser_fail(
			parser, "a slot stands for one principal or resource: expected an entity");
	if (!parser_path(parser, &type, out))
		return false;
	return out->type.length > 0 ||
	       parser_fail(parser, "expected an entity such as Type::\"id\"");
}

/* Brackets around an entity, a slot or a list of a scope mean nothing. */
static bool open_brackets(struct parser *parser, uint32_t *count)
{
	for (*count = 0; parser_is(parser, TOKEN_PAREN_OPEN); ++*count) {
		if (*count == CEDAR_DEPTH_MAX)
			return cedar_limit_at(parser->err, parser->lexer.source,
				parser->token.start, "brackets nested more than %d deep",
				CEDAR_DEPTH_MAX);
		if (!parser_advance(parser))
			return false;
	}
	return true;
}

static bool close_brackets(struct parser *parser, uint32_t count)
{
	for (; count > 0; count--) {
		if (!parser_need(parser, TOKEN_PAREN_CLOSE, "expected )"))
			return false;
	}
	return true;
}

static bool parse_scope_entity(
	struct parser *parser, enum ast_variable variable, struct cedar_uid *out)
{
	struct token start = parser->token;

	if (!parse_entity(parser, out))
		return false;
	if (variable == AST_ACTION && !cedar_is_action_type(out->type))
		return cedar_fail_at(parser->err, parser->lexer.source, start.start,
			"an action's type must be Action");
	return true;
}

/* [Action::"a", ...], a trailing comma allowed. */
static bool parse_entity_list(struct parser *parser, struct scope_part *part)
{
	struct list uids = {NULL, 0, 0};
	bool more = true;

	part->kind = SCOPE_IN_ONE_OF;
	if (!parser_advance(parser))
		return false;
	while (more && !parser_is(parser, TOKEN_BRACKET_CLOSE)) {
		struct cedar_uid *uid = list_add(parser, &uids, sizeof *uid);
		uint32_t brackets;

		if (uid == NULL || !open_brackets(parser, &brackets) ||
			!parse_scope_entity(parser, AST_ACTION, uid) ||
			!close_brackets(parser, brackets) ||
			!parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	}
	part->uids = uids.items;
	part->count = uids.count;
	return parser_need(parser, TOKEN_BRACKET_CLOSE, "expected , or ]");
}

/* ?principal for the principal, ?resource for the resource. */
static bool parse_slot(struct parser *parser, enum ast_variable variable, struct scope_part *part)
{
	struct cedar_text slot = token_text(&parser->lexer, &parser->token);
	struct cedar_text name = {slot.data + 1, slot.length - 1};

	if (variable == AST_ACTION || !cedar_text_is(name, ast_variable_name(variable)))
		return parser_fail(parser, variable == AST_PRINCIPAL  ? "expected ?principal"
					   : variable == AST_RESOURCE ? "expected ?resource"
								      : "an action has no slot");
	part->is_slot = true;
	return parser_advance(parser);
}

/* An entity or a slot; of an action that is `in` also a list. */
static bool parse_what(struct parser *parser, enum ast_variable variable, struct scope_part *part)
{
	struct cedar_uid *uid;

	if (parser_is(parser, TOKEN_SLOT))
		return parse_slot(parser, variable, part);
	if (variable == AST_ACTION && part->kind == SCOPE_IN &&
		parser_is(parser, TOKEN_BRACKET_OPEN))
		return parse_entity_list(parser, part);
	uid = arena_new(parser->arena, struct cedar_uid);
	if (uid == NULL)
		return cedar_fail_memory(parser->err);
	part->uids = uid;
	part->count = 1;
	return parse_scope_entity(parser, variable, uid);
}

static bool parse_bracketed(
	struct parser *parser, enum ast_variable variable, struct scope_part *part)
{
	uint32_t brackets;

	return open_brackets(parser, &brackets) && parse_what(parser, variable, part) &&
	       close_brackets(parser, brackets);
}

static bool parse_scope_type(
	struct parser *parser, enum ast_variable variable, struct scope_part *part)
{
	struct cedar_uid uid;

	if (variable == AST_ACTION)
		return parser_fail(parser, "action takes == or in");
	if (!parser_advance(parser) || !parser_path(parser, &part->type, &uid))
		return false;
	if (uid.type.length > 0)
		return parser_fail(parser, "expected an entity type before this");
	part->kind = SCOPE_IS;
	if (!parser_is_word(parser, "in"))
		return true;
	part->kind = SCOPE_IS_IN;
	return parser_advance(parser) && parse_bracketed(parser, variable, part);
}

static bool parse_scope_part(
	struct parser *parser, enum ast_variable variable, struct scope_part *part)
{
	if (!parser_is_word(parser, ast_variable_name(variable)))
		return cedar_fail_at(parser->err, parser->lexer.source, parser->token.start,
			"expected %s", ast_variable_name(variable));
	if (!parser_advance(parser))
		return false;
	if (parser_is(parser, TOKEN_EQUAL)) {
		part->kind = SCOPE_EQUAL;
		return parser_advance(parser) && parse_bracketed(parser, variable, part);
	}
	if (parser_is_word(parser, "is"))
		return parse_scope_type(parser, variable, part);
	if (!parser_is_word(parser, "in"))
		return true;
	part->kind = SCOPE_IN;
	return parser_advance(parser) && parse_bracketed(parser, variable, part);
}

static bool parse_scope(struct parser *parser, struct policy_ast *policy)
{
	bool taken = false;

	if (!parser_need(parser, TOKEN_PAREN_OPEN, "expected ("))
		return false;
	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (i > 0 && !parser_need(parser, TOKEN_COMMA, "expected == in is or a comma"))
			return false;
		policy->scope[i].start = parser->token.start;
		if (!parse_scope_part(parser, (enum ast_variable)i, &policy->scope[i]))
			return false;
		policy->scope[i].end = parser->last_end;
	}
	if (!parser_accept(parser, TOKEN_COMMA, &taken))
		return false;
	return parser_need(parser, TOKEN_PAREN_CLOSE, "expected == in is or )");
}

/* @key or @key("value"); any identifier is a key, reserved or not. */
static bool parse_annotation(struct parser *parser, struct list *annotations)
{
	struct cedar_annotation *annotation = list_add(parser, annotations, sizeof *annotation);
	bool has_value;

	if (annotation == NULL || !parser_advance(parser))
		return false;
	annotation->key = token_text(&parser->lexer, &parser->token);
	if (!parser_need(parser, TOKEN_IDENTIFIER, "expected the name of an annotation") ||
		!parser_accept(parser, TOKEN_PAREN_OPEN, &has_value))
		return false;
	if (!has_value)
		return true;
	return parser_string(parser, &annotation->value) &&
	       parser_need(parser, TOKEN_PAREN_CLOSE, "expected )");
}

static bool parse_annotations(struct parser *parser, struct policy_ast *policy)
{
	struct list annotations = {NULL, 0, 0};
	struct cedar_text *keys;

	while (parser_is(parser, TOKEN_AT)) {
		if (!parse_annotation(parser, &annotations))
			return false;
	}
	policy->annotations = annotations.items;
	policy->annotation_count = annotations.count;
	if (annotations.count < 2)
		return true;
	keys = arena_array(parser->arena, struct cedar_text, annotations.count);
	if (keys == NULL)
		return cedar_fail_memory(parser->err);
	for (uint32_t i = 0; i < annotations.count; i++)
		keys[i] = policy->annotations[i].key;
	return parser_check_names(parser, keys, annotations.count, policy->start);
}

static bool parse_clause(struct parser *parser, struct list *clauses)
{
	struct clause *clause = list_add(parser, clauses, sizeof *clause);

	if (clause == NULL)
		return false;
	clause->kind = parser_is_word(parser, "when") ? CLAUSE_WHEN : CLAUSE_UNLESS;
	return parser_advance(parser) && parser_need(parser, TOKEN_BRACE_OPEN, "expected {") &&
	       parser_expression(parser, &clause->expression) &&
	       parser_need(parser, TOKEN_BRACE_CLOSE, "expected an operator or }");
}

static bool parse_effect(struct parser *parser, enum cedar_effect *out)
{
	if (!parser_is_word(parser, "permit") && !parser_is_word(parser, "forbid"))
		return parser_fail(parser, "expected permit or forbid");
	*out = parser_is_word(parser, "permit") ? CEDAR_PERMIT : CEDAR_FORBID;
	return parser_advance(parser);
}

static bool parse_policy(struct parser *parser, struct policy_ast *policy)
{
	struct list clauses = {NULL, 0, 0};

	policy->source = parser->lexer.source;
	policy->start = parser->token.start;
	if (!parse_annotations(parser, policy) || !parse_effect(parser, &policy->effect) ||
		!parse_scope(parser, policy))
		return false;
	while (parser_is_word(parser, "when") || parser_is_word(parser, "unless")) {
		if (!parse_clause(parser, &clauses))
			return false;
	}
	if (!parser_need(parser, TOKEN_SEMICOLON, "expected when, unless or ;"))
		return false;
	policy->end = parser->last_end;
	policy->clauses = clauses.items;
	policy->clause_count = clauses.count;
	if (policy->end - policy->start > CEDAR_POLICY_BYTES_MAX)
		return cedar_limit_at(parser->err, parser->lexer.source, policy->start,
			"a policy of more than %d bytes", CEDAR_POLICY_BYTES_MAX);
	return true;
}

bool policies_parse(struct policy_list *out, struct arena *arena, struct cedar_text source,
	struct cedar_error *err)
{
	struct parser parser;
	struct list policies = {NULL, 0, 0};

	*out = (struct policy_list){NULL, 0};
	if (!parser_start(&parser, arena, source, err))
		return false;
	while (!parser_is(&parser, TOKEN_END)) {
		struct policy_ast *policy;

		policy = list_add(&parser, &policies, sizeof *policy);
		if (policy == NULL || !parse_policy(&parser, policy))
			return false;
	}
	*out = (struct policy_list){policies.items, policies.count};
	return true;
}

bool expression_parse(const struct ast **out, struct arena *arena, struct cedar_text source,
	struct cedar_error *err)
{
	struct parser parser;
	const struct ast *parsed;

	*out = NULL;
	if (source.length > CEDAR_POLICY_BYTES_MAX)
		return cedar_limit_at(err, source, 0, "an expression of more than %d bytes",
			CEDAR_POLICY_BYTES_MAX);
	if (!parser_start(&parser, arena, source, err) || !parser_expression(&parser, &parsed))
		return false;
	if (!parser_is(&parser, TOKEN_END))
		return parser_fail(&parser, "expected the end of the expression");
	*out = parsed;
	return true;
}

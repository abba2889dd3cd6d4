/* Reads schemas in Cedar syntax with the lexer and list of the policy parser.
 * Names are kept as written, with their namespace; they are resolved when data
 * is read, because what they name may be declared further down. */
#include "cedar/schema.h"

#include <stdlib.h>

#include "cedar/parser_inner.h"
#include "cedar/schema_inner.h"

static const size_t SCHEMA_BYTES_MAX = (size_t)256 << 20;

struct schema_parser {
	struct parser parser;
	struct cedar_text space; /* the namespace being read; empty outside */
	struct list declarations;
};

static bool parse_type(struct schema_parser *reading, const struct schema_type **out);

/* A::B, reserved words allowed (the namespace __cedar is one). */
static bool parse_path(struct parser *parser, struct cedar_text *out)
{
	struct cedar_writer writer = {.arena = parser->arena};
	bool more = true;

	while (more) {
		cedar_write(&writer, token_text(&parser->lexer, &parser->token));
		if (!parser_need(parser, TOKEN_IDENTIFIER, "expected a name") ||
			!parser_accept(parser, TOKEN_COLONS, &more))
			return false;
		if (more && parser_is(parser, TOKEN_STRING))
			break; /* an action: its id follows */
		cedar_write_string(&writer, more ? "::" : "");
	}
	*out = cedar_writer_text(&writer);
	return out->data != NULL || cedar_fail_memory(parser->err);
}

static bool full_name(struct schema_parser *reading, struct cedar_text name, struct cedar_text *out)
{
	struct cedar_writer writer = {.arena = reading->parser.arena};

	cedar_write(&writer, reading->space);
	cedar_write_string(&writer, reading->space.length > 0 ? "::" : "");
	cedar_write(&writer, name);
	*out = cedar_writer_text(&writer);
	return out->data != NULL || cedar_fail_memory(reading->parser.err);
}

static bool skip_annotations(struct parser *parser)
{
	struct cedar_text ignored;
	bool has_value;

	while (parser_is(parser, TOKEN_AT)) {
		if (!parser_advance(parser) ||
			!parser_need(parser, TOKEN_IDENTIFIER, "expected an annotation") ||
			!parser_accept(parser, TOKEN_PAREN_OPEN, &has_value))
			return false;
		if (has_value && (!parser_string(parser, &ignored) ||
					 !parser_need(parser, TOKEN_PAREN_CLOSE, "expected )")))
			return false;
	}
	return true;
}

/* An identifier, reserved or not, or a string. */
static bool parse_name(struct parser *parser, struct cedar_text *out)
{
	if (parser_is(parser, TOKEN_STRING))
		return parser_string(parser, out);
	*out = token_text(&parser->lexer, &parser->token);
	return parser_need(parser, TOKEN_IDENTIFIER, "expected a name");
}

static bool parse_attribute(struct schema_parser *reading, struct list *members)
{
	struct parser *parser = &reading->parser;
	struct schema_member *member = list_add(parser, members, sizeof *member);
	bool is_optional;

	return member != NULL && skip_annotations(parser) && parse_name(parser, &member->name) &&
	       parser_accept(parser, TOKEN_QUESTION, &is_optional) &&
	       parser_need(parser, TOKEN_COLON, "expected :") && parse_type(reading, &member->type);
}

static bool parse_record(struct schema_parser *reading, struct schema_type *type)
{
	struct list members = {NULL, 0, 0};
	bool more = true;

	type->kind = SCHEMA_RECORD;
	if (!parser_advance(&reading->parser))
		return false;
	while (more && !parser_is(&reading->parser, TOKEN_BRACE_CLOSE)) {
		if (!parse_attribute(reading, &members) ||
			!parser_accept(&reading->parser, TOKEN_COMMA, &more))
			return false;
	}
	type->members = members.items;
	type->count = members.count;
	return parser_need(&reading->parser, TOKEN_BRACE_CLOSE, "expected , or }");
}

static bool parse_set(struct schema_parser *reading, struct schema_type *type)
{
	struct schema_member *element = arena_new(reading->parser.arena, struct schema_member);

	if (element == NULL)
		return cedar_fail_memory(reading->parser.err);
	type->kind = SCHEMA_SET;
	type->members = element;
	type->count = 1;
	return parser_advance(&reading->parser) && parse_type(reading, &element->type) &&
	       parser_need(&reading->parser, TOKEN_GREATER, "expected >");
}

static bool parse_type_inside(struct schema_parser *reading, struct schema_type *type)
{
	if (parser_is(&reading->parser, TOKEN_BRACE_OPEN))
		return parse_record(reading, type);
	if (!parse_path(&reading->parser, &type->name) ||
		!full_name(reading, type->name, &type->full))
		return false;
	if (cedar_text_is(type->name, "Set") && parser_is(&reading->parser, TOKEN_LESS))
		return parse_set(reading, type);
	return true;
}

static bool parse_type(struct schema_parser *reading, const struct schema_type **out)
{
	struct parser *parser = &reading->parser;
	struct schema_type *type = arena_new(parser->arena, struct schema_type);
	bool ok;

	if (type == NULL)
		return cedar_fail_memory(parser->err);
	if (parser->depth == CEDAR_DEPTH_MAX)
		return cedar_fail(parser->err, CEDAR_ERROR_LIMIT, "a type nested more than %d deep",
			CEDAR_DEPTH_MAX);
	*out = type;
	parser->depth++;
	ok = parse_type_inside(reading, type);
	parser->depth--;
	return ok;
}

/* One thing, or several in brackets. */
static bool parse_one_or_list(struct schema_parser *reading, struct list *out, size_t size,
	bool (*parse_item)(struct schema_parser *reading, void *item))
{
	struct parser *parser = &reading->parser;
	bool is_list, more = true;
	void *item;

	if (!parser_accept(parser, TOKEN_BRACKET_OPEN, &is_list))
		return false;
	while (more && !(is_list && parser_is(parser, TOKEN_BRACKET_CLOSE))) {
		item = list_add(parser, out, size);
		if (item == NULL || !parse_item(reading, item))
			return false;
		more = false;
		if (is_list && !parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	}
	return !is_list || parser_need(parser, TOKEN_BRACKET_CLOSE, "expected , or ]");
}

static bool parse_path_item(struct schema_parser *reading, void *item)
{
	return parse_path(&reading->parser, item);
}

/* "id", or Path::"id": an action of another namespace. */
static bool parse_group(struct schema_parser *reading, void *item)
{
	struct parser *parser = &reading->parser;
	struct cedar_text type, id;
	struct cedar_uid *uid = item;
	bool is_path = parser_is(parser, TOKEN_IDENTIFIER);

	if (is_path && !parse_path(parser, &type))
		return false;
	if (is_path && !parser_is(parser, TOKEN_STRING)) {
		id = type; /* a name alone is an id */
	} else if (!parser_string(parser, &id)) {
		return false;
	} else if (is_path) {
		*uid = cedar_uid_of(type, id);
		return true;
	}
	if (!full_name(reading, CEDAR_TEXT("Action"), &type))
		return false;
	*uid = cedar_uid_of(type, id);
	return true;
}

/* Adds a declaration for each name; *pattern has what they share. */
static bool declare(
	struct schema_parser *reading, const struct list *names, const struct declaration *pattern)
{
	const struct cedar_text *items = names->items;

	for (uint32_t i = 0; i < names->count; i++) {
		struct declaration *declared =
			list_add(&reading->parser, &reading->declarations, sizeof *declared);
		bool is_action = pattern->kind == DECLARED_ACTION;

		if (declared == NULL)
			return false;
		*declared = *pattern;
		if (is_action)
			declared->id = items[i];
		if (!full_name(
			    reading, is_action ? CEDAR_TEXT("Action") : items[i], &declared->name))
			return false;
	}
	return true;
}

static bool parse_names(struct schema_parser *reading, struct list *names)
{
	bool more = true;

	while (more) {
		struct cedar_text *name = list_add(&reading->parser, names, sizeof *name);

		if (name == NULL || !parse_name(&reading->parser, name) ||
			!parser_accept(&reading->parser, TOKEN_COMMA, &more))
			return false;
	}
	return true;
}

static bool parse_enumerated_id(struct schema_parser *reading, void *item)
{
	return parser_string(&reading->parser, item);
}

/* in [..], = {..} or {..}, tags T, enum [..] */
static bool parse_entity_rest(struct schema_parser *reading, struct declaration *entity)
{
	struct parser *parser = &reading->parser;
	struct list ignored = {NULL, 0, 0};
	bool taken;

	if (parser_is_word(parser, "enum"))
		return parser_advance(parser) &&
		       parse_one_or_list(
			       reading, &ignored, sizeof(struct cedar_text), parse_enumerated_id);
	if (parser_is_word(parser, "in") &&
		(!parser_advance(parser) || !parse_one_or_list(reading, &ignored,
						    sizeof(struct cedar_text), parse_path_item)))
		return false;
	if (!parser_accept(parser, TOKEN_ASSIGN, &taken))
		return false;
	if ((taken || parser_is(parser, TOKEN_BRACE_OPEN)) && !parse_type(reading, &entity->type))
		return false;
	if (!parser_is_word(parser, "tags"))
		return true;
	return parser_advance(parser) && parse_type(reading, &entity->tags);
}

static bool parse_entity(struct schema_parser *reading)
{
	struct declaration entity = {.kind = DECLARED_ENTITY};
	struct list names = {NULL, 0, 0};

	return parse_names(reading, &names) && parse_entity_rest(reading, &entity) &&
	       declare(reading, &names, &entity);
}

/* principal: T or [T], resource: the same, context: a type. */
static bool parse_applies(struct schema_parser *reading, struct declaration *action)
{
	struct parser *parser = &reading->parser;
	struct list ignored = {NULL, 0, 0};
	bool more = true;

	if (!parser_need(parser, TOKEN_BRACE_OPEN, "expected {"))
		return false;
	while (more && !parser_is(parser, TOKEN_BRACE_CLOSE)) {
		bool is_context = parser_is_word(parser, "context");

		if (!parser_need(parser, TOKEN_IDENTIFIER, "expected principal") ||
			!parser_need(parser, TOKEN_COLON, "expected :"))
			return false;
		if (!(is_context ? parse_type(reading, &action->type)
				 : parse_one_or_list(reading, &ignored, sizeof(struct cedar_text),
					   parse_path_item)))
			return false;
		if (!parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	}
	return parser_need(parser, TOKEN_BRACE_CLOSE, "expected , or }");
}

static bool parse_action(struct schema_parser *reading)
{
	struct parser *parser = &reading->parser;
	struct declaration action = {.kind = DECLARED_ACTION};
	struct list names = {NULL, 0, 0}, groups = {NULL, 0, 0};
	const struct schema_type *ignored;

	if (!parse_names(reading, &names))
		return false;
	if (parser_is_word(parser, "in") &&
		(!parser_advance(parser) || !parse_one_or_list(reading, &groups,
						    sizeof(struct cedar_uid), parse_group)))
		return false;
	action.groups = groups.items;
	action.group_count = groups.count;
	if (parser_is_word(parser, "appliesTo") &&
		(!parser_advance(parser) || !parse_applies(reading, &action)))
		return false;
	if (parser_is_word(parser, "attributes") &&
		(!parser_advance(parser) || !parse_type(reading, &ignored)))
		return false;
	return declare(reading, &names, &action);
}

static bool parse_common(struct schema_parser *reading)
{
	struct declaration common = {.kind = DECLARED_COMMON};
	struct list names = {NULL, 0, 0};

	return parse_names(reading, &names) &&
	       parser_need(&reading->parser, TOKEN_ASSIGN, "expected =") &&
	       parse_type(reading, &common.type) && declare(reading, &names, &common);
}

static bool parse_declaration(struct schema_parser *reading)
{
	static const struct {
		const char *word;
		bool (*parse)(struct schema_parser *reading);
	} table[] = {{"entity", parse_entity}, {"action", parse_action}, {"type", parse_common}};
	struct parser *parser = &reading->parser;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (parser_is_word(parser, table[i].word))
			return parser_advance(parser) && table[i].parse(reading) &&
			       parser_need(parser, TOKEN_SEMICOLON, "expected ;");
	}
	return parser_fail(parser, "expected entity, action or type");
}

static bool parse_namespace(struct schema_parser *reading)
{
	struct parser *parser = &reading->parser;

	if (!parser_advance(parser) || !parse_path(parser, &reading->space) ||
		!parser_need(parser, TOKEN_BRACE_OPEN, "expected {"))
		return false;
	while (!parser_is(parser, TOKEN_BRACE_CLOSE)) {
		if (!skip_annotations(parser) || !parse_declaration(reading))
			return false;
	}
	reading->space = (struct cedar_text){NULL, 0};
	return parser_advance(parser);
}

static bool parse_all(struct schema_parser *reading)
{
	while (!parser_is(&reading->parser, TOKEN_END)) {
		if (!skip_annotations(&reading->parser))
			return false;
		if (!(parser_is_word(&reading->parser, "namespace") ? parse_namespace(reading)
								    : parse_declaration(reading)))
			return false;
	}
	return true;
}

uint64_t declaration_hash(struct cedar_text name, struct cedar_text id)
{
	return cedar_text_hash(cedar_text_hash(0, name), id);
}

static bool fill(struct schema *schema, struct cedar_text text, struct cedar_error *err)
{
	struct schema_parser reading = {.space = {NULL, 0}};

	schema->arena = arena_create(SCHEMA_BYTES_MAX);
	if (schema->arena == NULL)
		return cedar_fail_memory(err);
	text = cedar_text_copy(schema->arena, text);
	if (text.data == NULL)
		return cedar_fail_memory(err);
	if (!parser_start(&reading.parser, schema->arena, text, err) || !parse_all(&reading))
		return false;
	schema->items = reading.declarations.items;
	if (!table_reserve(&schema->names, reading.declarations.count))
		return cedar_fail_memory(err);
	for (; schema->count < reading.declarations.count; schema->count++)
		table_put(&schema->names,
			declaration_hash(
				schema->items[schema->count].name, schema->items[schema->count].id),
			schema->count);
	return true;
}

bool schema_parse(struct schema **out, struct cedar_text text, struct cedar_error *err)
{
	struct schema *schema = calloc(1, sizeof *schema);

	*out = NULL;
	if (schema == NULL)
		return cedar_fail_memory(err);
	if (!fill(schema, text, err)) {
		schema_destroy(&schema);
		return false;
	}
	*out = schema;
	return true;
}

void schema_destroy(struct schema **schema)
{
	if (*schema == NULL)
		return;
	table_deinit(&(*schema)->names);
	arena_destroy(&(*schema)->arena);
	free(*schema);
	*schema = NULL;
}

/* Reads schemas in Cedar syntax with the lexer and the lists of the policy parser.
 * Names are kept as written, with their namespace beside them: what they name may
 * be declared further down. */
#include "cedar/parser_inner.h"
#include "cedar/schema_raw.h"

struct schema_parser {
	struct parser parser;
	struct cedar_text space; /* the namespace being read; empty outside */
	struct list declarations;
	struct list spaces;
};

static bool parse_type(struct schema_parser *reading, const struct raw_type **out);

/* An identifier that is not reserved; __cedar is left to whoever resolves names. */
static bool parse_identifier(struct parser *parser, struct raw_name *out)
{
	out->at = parser->token.start;
	out->text = token_text(&parser->lexer, &parser->token);
	if (!parser_is(parser, TOKEN_IDENTIFIER))
		return parser_fail(parser, "expected a name");
	if (!raw_is_name(out->text))
		return parser_fail(parser, "expected a name that is not reserved");
	return parser_advance(parser);
}

/* A::B.  *id says that ::"id" follows, which is left in place. */
static bool parse_path(struct parser *parser, struct raw_name *out, bool *has_id)
{
	struct cedar_writer writer = {.arena = parser->arena};
	struct raw_name part;
	bool more = true;

	out->at = parser->token.start;
	*has_id = false;
	while (more) {
		if (!parse_identifier(parser, &part) || !parser_accept(parser, TOKEN_COLONS, &more))
			return false;
		cedar_write(&writer, part.text);
		*has_id = more && parser_is(parser, TOKEN_STRING);
		if (*has_id)
			break;
		cedar_write_string(&writer, more ? "::" : "");
	}
	out->text = cedar_writer_text(&writer);
	return out->text.data != NULL || cedar_fail_memory(parser->err);
}

static bool parse_type_path(struct parser *parser, struct raw_name *out)
{
	bool has_id;

	if (!parse_path(parser, out, &has_id))
		return false;
	return !has_id || parser_fail(parser, "expected a type before this");
}

/* An identifier or a string. */
static bool parse_name(struct parser *parser, struct raw_name *out)
{
	if (!parser_is(parser, TOKEN_STRING))
		return parse_identifier(parser, out);
	out->at = parser->token.start;
	return parser_string(parser, &out->text);
}

/* Nothing reads annotations of a schema; they must be well-formed, and none twice. */
static bool skip_annotations(struct parser *parser)
{
	struct list keys = {NULL, 0, 0};
	struct cedar_text ignored;
	uint32_t start = parser->token.start;
	bool has_value;

	while (parser_is(parser, TOKEN_AT)) {
		struct cedar_text *key = list_add(parser, &keys, sizeof *key);

		if (key == NULL || !parser_advance(parser))
			return false;
		*key = token_text(&parser->lexer, &parser->token);
		if (!parser_need(parser, TOKEN_IDENTIFIER, "expected an annotation") ||
			!parser_accept(parser, TOKEN_PAREN_OPEN, &has_value))
			return false;
		if (has_value && (!parser_string(parser, &ignored) ||
					 !parser_need(parser, TOKEN_PAREN_CLOSE, "expected )")))
			return false;
	}
	return parser_check_names(parser, keys.items, keys.count, start);
}

static bool parse_attribute(struct schema_parser *reading, struct list *members)
{
	struct parser *parser = &reading->parser;
	struct raw_member *member = list_add(parser, members, sizeof *member);

	return member != NULL && skip_annotations(parser) && parse_name(parser, &member->name) &&
	       parser_accept(parser, TOKEN_QUESTION, &member->is_optional) &&
	       parser_need(parser, TOKEN_COLON, "expected :") && parse_type(reading, &member->type);
}

static bool parse_record(struct schema_parser *reading, struct raw_type *type)
{
	struct list members = {NULL, 0, 0};
	bool more = true;

	type->kind = RAW_RECORD;
	if (!parser_need(&reading->parser, TOKEN_BRACE_OPEN, "expected {"))
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

static bool parse_type_inside(struct schema_parser *reading, struct raw_type *type)
{
	struct parser *parser = &reading->parser;
	struct raw_name name;

	if (parser_is(parser, TOKEN_BRACE_OPEN))
		return parse_record(reading, type);
	if (!parse_type_path(parser, &name))
		return false;
	type->name = name.text;
	if (!cedar_text_is(name.text, "Set") || !parser_is(parser, TOKEN_LESS))
		return true;
	type->kind = RAW_SET;
	return parser_advance(parser) && parse_type(reading, &type->element) &&
	       parser_need(parser, TOKEN_GREATER, "expected >");
}

static bool parse_type(struct schema_parser *reading, const struct raw_type **out)
{
	struct parser *parser = &reading->parser;
	struct raw_type *type = arena_new(parser->arena, struct raw_type);
	bool ok;

	if (type == NULL)
		return cedar_fail_memory(parser->err);
	if (parser->depth == CEDAR_DEPTH_MAX)
		return cedar_fail(parser->err, CEDAR_ERROR_LIMIT, "a type nested more than %d deep",
			CEDAR_DEPTH_MAX);
	type->at = parser->token.start;
	*out = type;
	parser->depth++;
	ok = parse_type_inside(reading, type);
	parser->depth--;
	return ok;
}

/* item, item, ... at least one. */
static bool parse_several(struct parser *parser, struct list *out, size_t size,
	bool (*parse_item)(struct parser *parser, void *item))
{
	bool more = true;

	while (more) {
		void *item = list_add(parser, out, size);

		if (item == NULL || !parse_item(parser, item) ||
			!parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	}
	return true;
}

/* One item, or several in brackets. */
static bool parse_one_or_list(struct parser *parser, struct list *out, size_t size,
	bool (*parse_item)(struct parser *parser, void *item))
{
	void *item;

	if (!parser_is(parser, TOKEN_BRACKET_OPEN)) {
		item = list_add(parser, out, size);
		return item != NULL && parse_item(parser, item);
	}
	return parser_advance(parser) && parse_several(parser, out, size, parse_item) &&
	       parser_need(parser, TOKEN_BRACKET_CLOSE, "expected , or ]");
}

static bool parse_path_item(struct parser *parser, void *item)
{
	return parse_type_path(parser, item);
}

static bool parse_name_item(struct parser *parser, void *item)
{
	return parse_name(parser, item);
}

static bool parse_identifier_item(struct parser *parser, void *item)
{
	return parse_identifier(parser, item);
}

static bool parse_string_item(struct parser *parser, void *item)
{
	struct raw_name *name = item;

	name->at = parser->token.start;
	return parser_string(parser, &name->text);
}

/* name, "id", or Path::"id": an action, perhaps of another namespace. */
static bool parse_group_item(struct parser *parser, void *item)
{
	struct raw_group *group = item;
	struct raw_name path;
	bool has_id;

	group->at = parser->token.start;
	if (parser_is(parser, TOKEN_STRING))
		return parser_string(parser, &group->id);
	if (!parse_path(parser, &path, &has_id))
		return false;
	if (has_id) {
		group->type = path.text;
		return parser_string(parser, &group->id);
	}
	group->id = path.text;
	return raw_is_name(path.text) || parser_fail(parser, "expected ::\"id\" before this");
}

/* [] is allowed only where entity types are listed. */
static bool parse_types(struct parser *parser, struct raw_names *out)
{
	struct list names = {NULL, 0, 0};
	struct parser before = *parser;

	if (parser_is(parser, TOKEN_BRACKET_OPEN)) {
		if (!parser_advance(parser))
			return false;
		if (parser_is(parser, TOKEN_BRACKET_CLOSE))
			return parser_advance(parser);
		*parser = before;
	}
	if (!parse_one_or_list(parser, &names, sizeof(struct raw_name), parse_path_item))
		return false;
	*out = (struct raw_names){names.items, names.count};
	return true;
}

/* Adds a declaration for each name; *pattern has what they share. */
static bool declare(struct schema_parser *reading, const struct list *names,
	const struct raw_declaration *pattern)
{
	const struct raw_name *items = names->items;

	for (uint32_t i = 0; i < names->count; i++) {
		struct raw_declaration *declared =
			list_add(&reading->parser, &reading->declarations, sizeof *declared);

		if (declared == NULL)
			return false;
		*declared = *pattern;
		declared->name = items[i];
		declared->space = reading->space;
	}
	return true;
}

static bool parse_enumerated(struct parser *parser, struct raw_declaration *entity)
{
	struct list ids = {NULL, 0, 0};

	entity->is_enumerated = true;
	if (!parser_advance(parser) || !parser_need(parser, TOKEN_BRACKET_OPEN, "expected [") ||
		!parse_several(parser, &ids, sizeof(struct raw_name), parse_string_item) ||
		!parser_need(parser, TOKEN_BRACKET_CLOSE, "expected , or ]"))
		return false;
	entity->ids = (struct raw_names){ids.items, ids.count};
	return true;
}

static bool parse_shape(struct schema_parser *reading, struct raw_declaration *entity)
{
	struct raw_type *shape = arena_new(reading->parser.arena, struct raw_type);

	if (shape == NULL)
		return cedar_fail_memory(reading->parser.err);
	shape->at = reading->parser.token.start;
	entity->type = shape;
	return parse_record(reading, shape);
}

/* in [..], = {..} or {..}, tags T, or enum [..] alone */
static bool parse_entity_rest(struct schema_parser *reading, struct raw_declaration *entity)
{
	struct parser *parser = &reading->parser;
	bool taken;

	if (parser_is_word(parser, "enum"))
		return parse_enumerated(parser, entity);
	if (parser_is_word(parser, "in") &&
		(!parser_advance(parser) || !parse_types(parser, &entity->parents)))
		return false;
	if (!parser_accept(parser, TOKEN_ASSIGN, &taken))
		return false;
	if ((taken || parser_is(parser, TOKEN_BRACE_OPEN)) && !parse_shape(reading, entity))
		return false;
	if (!parser_is_word(parser, "tags"))
		return true;
	return parser_advance(parser) && parse_type(reading, &entity->tags);
}

static bool parse_entity(struct schema_parser *reading)
{
	struct raw_declaration entity = {.kind = DECLARED_ENTITY};
	struct list names = {NULL, 0, 0};

	return parse_several(
		       &reading->parser, &names, sizeof(struct raw_name), parse_identifier_item) &&
	       parse_entity_rest(reading, &entity) && declare(reading, &names, &entity);
}

/* The name of a common type, or a record. */
static bool parse_context(struct schema_parser *reading, struct raw_declaration *action)
{
	struct parser *parser = &reading->parser;
	struct raw_type *context = arena_new(parser->arena, struct raw_type);
	struct raw_name name;

	if (context == NULL)
		return cedar_fail_memory(parser->err);
	if (action->type != NULL)
		return parser_fail(parser, "one context for an action: expected }");
	context->at = parser->token.start;
	action->type = context;
	if (parser_is(parser, TOKEN_BRACE_OPEN))
		return parse_record(reading, context);
	context->kind = RAW_COMMON;
	if (!parse_type_path(parser, &name))
		return false;
	context->name = name.text;
	return true;
}

static bool parse_applies_types(struct parser *parser, struct raw_names *out)
{
	struct token start = parser->token;

	if (out->count > 0)
		return parser_fail(parser, "given twice: expected }");
	if (!parse_types(parser, out))
		return false;
	return out->count > 0 || cedar_fail_at(parser->err, parser->lexer.source, start.start,
					 "expected at least one entity type");
}

/* principal: T or [T], resource: the same, context: a type. */
static bool parse_applies_part(struct schema_parser *reading, struct raw_declaration *action)
{
	struct parser *parser = &reading->parser;
	bool is_context = parser_is_word(parser, "context");
	bool is_resource = parser_is_word(parser, "resource");

	if (!is_context && !is_resource && !parser_is_word(parser, "principal"))
		return parser_fail(parser, "expected principal, resource or context");
	if (!parser_advance(parser) || !parser_need(parser, TOKEN_COLON, "expected :"))
		return false;
	if (is_context)
		return parse_context(reading, action);
	return parse_applies_types(parser, is_resource ? &action->resources : &action->principals);
}

static bool parse_applies(struct schema_parser *reading, struct raw_declaration *action)
{
	struct parser *parser = &reading->parser;
	bool more = true;

	if (!parser_advance(parser) || !parser_need(parser, TOKEN_BRACE_OPEN, "expected {"))
		return false;
	do {
		if (!parse_applies_part(reading, action) ||
			!parser_accept(parser, TOKEN_COMMA, &more))
			return false;
	} while (more && !parser_is(parser, TOKEN_BRACE_CLOSE));
	if (action->principals.count == 0 || action->resources.count == 0)
		return parser_fail(parser, "an action applies to a principal and a resource: "
					   "expected both");
	return parser_need(parser, TOKEN_BRACE_CLOSE, "expected , or }");
}

static bool parse_action(struct schema_parser *reading)
{
	struct parser *parser = &reading->parser;
	struct raw_declaration action = {.kind = DECLARED_ACTION};
	struct list names = {NULL, 0, 0}, groups = {NULL, 0, 0};

	if (!parse_several(parser, &names, sizeof(struct raw_name), parse_name_item))
		return false;
	if (parser_is_word(parser, "in") &&
		(!parser_advance(parser) || !parse_one_or_list(parser, &groups,
						    sizeof(struct raw_group), parse_group_item)))
		return false;
	action.groups = groups.items;
	action.group_count = groups.count;
	if (parser_is_word(parser, "appliesTo") && !parse_applies(reading, &action))
		return false;
	if (parser_is_word(parser, "attributes") &&
		(!parser_advance(parser) || !parser_need(parser, TOKEN_BRACE_OPEN, "expected {") ||
			!parser_need(parser, TOKEN_BRACE_CLOSE,
				"an action has no attributes: expected }")))
		return false;
	return declare(reading, &names, &action);
}

static bool parse_common(struct schema_parser *reading)
{
	struct raw_declaration common = {.kind = DECLARED_COMMON};
	struct list names = {NULL, 0, 0};
	struct raw_name *name = list_add(&reading->parser, &names, sizeof *name);

	return name != NULL && parse_identifier(&reading->parser, name) &&
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
	struct raw_name *space = list_add(parser, &reading->spaces, sizeof *space);

	if (space == NULL || !parser_advance(parser) || !parse_type_path(parser, space) ||
		!parser_need(parser, TOKEN_BRACE_OPEN, "expected {"))
		return false;
	reading->space = space->text;
	while (!parser_is(parser, TOKEN_BRACE_CLOSE)) {
		if (!skip_annotations(parser) || !parse_declaration(reading))
			return false;
	}
	reading->space = (struct cedar_text){NULL, 0};
	return parser_advance(parser);
}

bool raw_read_text(struct raw_schema *raw)
{
	struct schema_parser reading = {.space = {NULL, 0}};
	struct parser *parser = &reading.parser;

	if (!parser_start(parser, raw->arena, raw->text, raw->err))
		return false;
	while (!parser_is(parser, TOKEN_END)) {
		if (!skip_annotations(parser))
			return false;
		if (!(parser_is_word(parser, "namespace") ? parse_namespace(&reading)
							  : parse_declaration(&reading)))
			return false;
	}
	raw->items = reading.declarations.items;
	raw->count = reading.declarations.count;
	raw->spaces = reading.spaces.items;
	raw->space_count = reading.spaces.count;
	return true;
}

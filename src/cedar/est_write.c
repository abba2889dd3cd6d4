/* Trees to JSON.  Recursion is bounded by the depth of trees; a chain of && or ||
 * nests in JSON to the left, and is written without recursion. */
#include "cedar/est.h"

static void write_expression(struct cedar_writer *writer, const struct ast *node);

static const struct {
	const char *name;
	enum ast_kind kind;
} operators[] = {
	{"!", AST_NOT},
	{"neg", AST_NEGATE},
	{"isEmpty", AST_IS_EMPTY},
	{"==", AST_EQUAL},
	{"!=", AST_NOT_EQUAL},
	{"<", AST_LESS},
	{"<=", AST_LESS_EQUAL},
	{">", AST_GREATER},
	{">=", AST_GREATER_EQUAL},
	{"in", AST_IN},
	{"&&", AST_AND},
	{"||", AST_OR},
	{"+", AST_ADD},
	{"-", AST_SUBTRACT},
	{"*", AST_MULTIPLY},
	{"contains", AST_CONTAINS},
	{"containsAll", AST_CONTAINS_ALL},
	{"containsAny", AST_CONTAINS_ANY},
	{"getTag", AST_GET_TAG},
	{"hasTag", AST_HAS_TAG},
};

const char *est_operator_name(enum ast_kind kind)
{
	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
		if (operators[i].kind == kind)
			return operators[i].name;
	}
	return NULL;
}

enum ast_kind est_operator_find(struct cedar_text name)
{
	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
		if (cedar_text_is(name, operators[i].name))
			return operators[i].kind;
	}
	return AST_LITERAL;
}

static void write_byte(struct cedar_writer *writer, const char *byte)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char code = (unsigned char)*byte;
	char escape[] = "\\u0000";

	if (code == '"' || code == '\\')
		cedar_write_string(writer, "\\");
	if (code >= 0x20) {
		cedar_write(writer, (struct cedar_text){byte, 1});
		return;
	}
	escape[4] = digits[code >> 4];
	escape[5] = digits[code & 15];
	cedar_write_string(writer, escape);
}

void est_write_string(struct cedar_writer *writer, struct cedar_text text)
{
	cedar_write_string(writer, "\"");
	for (size_t i = 0; i < text.length; i++)
		write_byte(writer, &text.data[i]);
	cedar_write_string(writer, "\"");
}

void est_write_uid(struct cedar_writer *writer, const struct cedar_uid *uid)
{
	cedar_write_string(writer, "{\"type\":");
	est_write_string(writer, uid->type);
	cedar_write_string(writer, ",\"id\":");
	est_write_string(writer, uid->id);
	cedar_write_string(writer, "}");
}

static void write_literal(struct cedar_writer *writer, const struct cedar_value *value)
{
	cedar_write_string(writer, "{\"Value\":");
	if (value->type == CEDAR_ENTITY) {
		cedar_write_string(writer, "{\"__entity\":");
		est_write_uid(writer, value->entity);
		cedar_write_string(writer, "}");
	} else if (value->type == CEDAR_STRING) {
		est_write_string(writer, cedar_value_text(value));
	} else {
		cedar_write_value(writer, value); /* a bool or long is the same in JSON */
	}
	cedar_write_string(writer, "}");
}

static void write_list(
	struct cedar_writer *writer, const struct ast *const *children, uint32_t count)
{
	cedar_write_string(writer, "[");
	for (uint32_t i = 0; i < count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ",");
		write_expression(writer, children[i]);
	}
	cedar_write_string(writer, "]");
}

static void write_record(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "{\"Record\":{");
	for (uint32_t i = 0; i < node->count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ",");
		est_write_string(writer, node->names[i]);
		cedar_write_string(writer, ":");
		write_expression(writer, node->children[i]);
	}
	cedar_write_string(writer, "}}");
}

/* Operators of one operand or of two, and chains of two or more. */
static void write_operator(struct cedar_writer *writer, const struct ast *node, const char *name)
{
	uint32_t levels = node->count == 1 ? 1 : node->count - 1;

	for (uint32_t i = 0; i < levels; i++) {
		cedar_write_string(writer, "{\"");
		cedar_write_string(writer, name);
		cedar_write_string(writer, node->count == 1 ? "\":{\"arg\":" : "\":{\"left\":");
	}
	write_expression(writer, node->children[0]);
	for (uint32_t i = 1; i < node->count; i++) {
		cedar_write_string(writer, ",\"right\":");
		write_expression(writer, node->children[i]);
		cedar_write_string(writer, "}}");
	}
	cedar_write_string(writer, node->count == 1 ? "}}" : "");
}

/* . with one name, has with one or a path of them. */
static void write_named(struct cedar_writer *writer, const struct ast *node, const char *name)
{
	cedar_write_string(writer, "{\"");
	cedar_write_string(writer, name);
	cedar_write_string(writer, "\":{\"left\":");
	write_expression(writer, node->children[0]);
	cedar_write_string(writer, ",\"attr\":");
	cedar_write_string(writer, node->name_count > 1 ? "[" : "");
	for (uint32_t i = 0; i < node->name_count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ",");
		est_write_string(writer, node->names[i]);
	}
	cedar_write_string(writer, node->name_count > 1 ? "]}}" : "}}");
}

/* One Literal for each character, as the language's own tools do. */
static void write_piece(struct cedar_writer *writer, struct cedar_text piece, bool *is_first)
{
	const char *at = piece.data, *end = piece.data + piece.length;

	while (at < end) {
		const char *start = at;

		(void)utf8_next(&at, end);
		cedar_write_string(writer, *is_first ? "" : ",");
		*is_first = false;
		cedar_write_string(writer, "{\"Literal\":");
		est_write_string(writer, (struct cedar_text){start, (size_t)(at - start)});
		cedar_write_string(writer, "}");
	}
}

static void write_like(struct cedar_writer *writer, const struct ast *node)
{
	bool is_first = true;

	cedar_write_string(writer, "{\"like\":{\"left\":");
	write_expression(writer, node->children[0]);
	cedar_write_string(writer, ",\"pattern\":[");
	for (uint32_t i = 0; i < node->pattern.count; i++) {
		if (i > 0) {
			cedar_write_string(writer, is_first ? "" : ",");
			cedar_write_string(writer, "\"Wildcard\"");
			is_first = false;
		}
		write_piece(writer, node->pattern.pieces[i], &is_first);
	}
	cedar_write_string(writer, "]}}");
}

static void write_is(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "{\"is\":{\"left\":");
	write_expression(writer, node->children[0]);
	cedar_write_string(writer, ",\"entity_type\":");
	est_write_string(writer, node->names[0]);
	if (node->count == 2) {
		cedar_write_string(writer, ",\"in\":");
		write_expression(writer, node->children[1]);
	}
	cedar_write_string(writer, "}}");
}

static void write_if(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "{\"if-then-else\":{\"if\":");
	write_expression(writer, node->children[0]);
	cedar_write_string(writer, ",\"then\":");
	write_expression(writer, node->children[1]);
	cedar_write_string(writer, ",\"else\":");
	write_expression(writer, node->children[2]);
	cedar_write_string(writer, "}}");
}

static void write_call(struct cedar_writer *writer, const struct ast *node)
{
	cedar_write_string(writer, "{\"");
	cedar_write_string(writer, extension_name((enum extension_function)node->detail));
	cedar_write_string(writer, "\":");
	write_list(writer, node->children, node->count);
	cedar_write_string(writer, "}");
}

/* Kinds that are no plain operator. */
static void write_other(struct cedar_writer *writer, const struct ast *node)
{
	if (node->kind == AST_LITERAL) {
		write_literal(writer, &node->literal);
	} else if (node->kind == AST_VARIABLE) {
		cedar_write_string(writer, "{\"Var\":\"");
		cedar_write_string(writer, ast_variable_name((enum ast_variable)node->detail));
		cedar_write_string(writer, "\"}");
	} else if (node->kind == AST_SET) {
		cedar_write_string(writer, "{\"Set\":");
		write_list(writer, node->children, node->count);
		cedar_write_string(writer, "}");
	} else if (node->kind == AST_GET) {
		write_named(writer, node, ".");
	} else if (node->kind == AST_HAS) {
		write_named(writer, node, "has");
	} else if (node->kind == AST_LIKE) {
		write_like(writer, node);
	} else if (node->kind == AST_IS) {
		write_is(writer, node);
	} else if (node->kind == AST_IF) {
		write_if(writer, node);
	} else if (node->kind == AST_EXTENSION) {
		write_call(writer, node);
	} else {
		write_record(writer, node);
	}
}

static void write_expression(struct cedar_writer *writer, const struct ast *node)
{
	const char *name = est_operator_name(node->kind);

	if (name != NULL)
		write_operator(writer, node, name);
	else
		write_other(writer, node);
}

/* "entity": uid, "entities": [...] or "slot": "?..." */
static void write_who(
	struct cedar_writer *writer, const struct scope_part *part, enum ast_variable variable)
{
	if (part->is_slot) {
		cedar_write_string(writer, "\"slot\":\"?");
		cedar_write_string(writer, ast_variable_name(variable));
		cedar_write_string(writer, "\"");
		return;
	}
	if (part->count == 1) { /* of a list too, as the language's own tools do */
		cedar_write_string(writer, "\"entity\":");
		est_write_uid(writer, part->uids);
		return;
	}
	cedar_write_string(writer, "\"entities\":[");
	for (uint32_t i = 0; i < part->count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ",");
		est_write_uid(writer, &part->uids[i]);
	}
	cedar_write_string(writer, "]");
}

static void write_scope(
	struct cedar_writer *writer, const struct scope_part *part, enum ast_variable variable)
{
	if (part->kind == SCOPE_ANY) {
		cedar_write_string(writer, "{\"op\":\"All\"}");
		return;
	}
	if (part->kind == SCOPE_IS || part->kind == SCOPE_IS_IN) {
		cedar_write_string(writer, "{\"op\":\"is\",\"entity_type\":");
		est_write_string(writer, part->type);
		if (part->kind == SCOPE_IS_IN) {
			cedar_write_string(writer, ",\"in\":{");
			write_who(writer, part, variable);
			cedar_write_string(writer, "}");
		}
	} else {
		cedar_write_string(
			writer, part->kind == SCOPE_EQUAL ? "{\"op\":\"==\"," : "{\"op\":\"in\",");
		write_who(writer, part, variable);
	}
	cedar_write_string(writer, "}");
}

static void write_annotations(struct cedar_writer *writer, const struct policy_ast *policy)
{
	if (policy->annotation_count == 0)
		return;
	cedar_write_string(writer, ",\"annotations\":{");
	for (uint32_t i = 0; i < policy->annotation_count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ",");
		est_write_string(writer, policy->annotations[i].key);
		cedar_write_string(writer, ":");
		if (policy->annotations[i].value.data == NULL)
			cedar_write_string(writer, "null");
		else
			est_write_string(writer, policy->annotations[i].value);
	}
	cedar_write_string(writer, "}");
}

void est_write_policy(struct cedar_writer *writer, const struct policy_ast *policy)
{
	cedar_write_string(writer, policy->effect == CEDAR_PERMIT ? "{\"effect\":\"permit\""
								  : "{\"effect\":\"forbid\"");
	for (int i = 0; i < SCOPE_PARTS; i++) {
		cedar_write_string(writer, ",\"");
		cedar_write_string(writer, ast_variable_name((enum ast_variable)i));
		cedar_write_string(writer, "\":");
		write_scope(writer, &policy->scope[i], (enum ast_variable)i);
	}
	cedar_write_string(writer, ",\"conditions\":[");
	for (uint32_t i = 0; i < policy->clause_count; i++) {
		cedar_write_string(writer, i == 0 ? "" : ",");
		cedar_write_string(writer, policy->clauses[i].kind == CLAUSE_WHEN
						   ? "{\"kind\":\"when\",\"body\":"
						   : "{\"kind\":\"unless\",\"body\":");
		write_expression(writer, policy->clauses[i].expression);
		cedar_write_string(writer, "}");
	}
	cedar_write_string(writer, "]");
	write_annotations(writer, policy);
	cedar_write_string(writer, "}");
}

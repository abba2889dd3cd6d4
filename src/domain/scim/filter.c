/* A recursive descent over the text, bounded in depth and nodes; then a walk over the tree.
 *
 *   filter := and { "or" and }     and := one { "and" one }
 *   one    := "not" "(" filter ")" | "(" filter ")" | path "[" filter "]" | path "pr"
 *           | path OPERATOR VALUE */
#include "domain/scim/filter.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/time.h"

bool scim_fail(struct scim_fault *fault, unsigned status, const char *type, const char *fmt, ...)
{
	va_list args;

	fault->status = status;
	fault->type = type;
	va_start(args, fmt);
	(void)vsnprintf(fault->detail, sizeof fault->detail, fmt, args);
	va_end(args);
	return false;
}

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	const struct scim_resource_type *type;
	const struct scim_attribute *within; /* whose sub-attributes are named; NULL: none */
	struct text text;
	size_t at;
	unsigned nodes;
	unsigned depth;
	const char *scim_type;
	struct scim_fault *fault;
};

static bool fail(struct reader *reader, const char *what)
{
	return scim_fail(
		reader->fault, 400, reader->scim_type, "%s, at letter %zu", what, reader->at + 1);
}

static char peek(const struct reader *reader)
{
	return reader->at < reader->text.length ? reader->text.data[reader->at] : '\0';
}

static void skip_blanks(struct reader *reader)
{
	while (peek(reader) == ' ')
		reader->at++;
}

static bool is_name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '$';
}

/* Letters of a name, without dots. */
static struct text take_name(struct reader *reader)
{
	size_t start = reader->at;

	while (is_name_letter(peek(reader)))
		reader->at++;
	return (struct text){reader->text.data + start, reader->at - start};
}

/* The word if it is next, and something else follows it. */
static bool take_word(struct reader *reader, const char *word)
{
	struct text wanted = text_of(word);
	struct text next = {reader->text.data + reader->at, wanted.length};

	if (reader->text.length - reader->at < wanted.length || !scim_same_letters(next, wanted))
		return false;
	if (reader->at + wanted.length < reader->text.length &&
		is_name_letter(reader->text.data[reader->at + wanted.length]))
		return false;
	reader->at += wanted.length;
	return true;
}

/* ---- paths ---- */

static bool starts_with_letters(struct text text, const char *urn)
{
	size_t length = text_of(urn).length;

	return length > 0 && text.length >= length &&
	       scim_same_letters((struct text){text.data, length}, text_of(urn));
}

/* A URN in front of a name, which has dots of its own. */
static const struct scim_schema *take_urn(struct reader *reader)
{
	const struct scim_schema *const schemas[] = {reader->type->extension, reader->type->schema};
	struct text rest = text_after(reader->text, reader->at);

	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		size_t length;

		if (schemas[i] == NULL || !starts_with_letters(rest, schemas[i]->urn))
			continue;
		length = text_of(schemas[i]->urn).length;
		if (rest.length > length && is_name_letter(rest.data[length]))
			continue; /* a longer one */
		reader->at += length;
		return schemas[i];
	}
	return NULL;
}

static const struct scim_attribute *find_in(
	const struct scim_schema *schema, struct text name, const struct scim_schema **found)
{
	const struct scim_attribute *attribute =
		scim_attribute_find(schema->attributes, schema->attributes_count, name);

	if (attribute != NULL)
		*found = schema;
	return attribute;
}

static bool unknown_name(struct reader *reader, struct text name)
{
	return scim_fail(reader->fault, 400, reader->scim_type,
		"no attribute \"%.*s\" is kept here", (int)(name.length > 100 ? 100 : name.length),
		name.data);
}

static bool take_attribute(struct reader *reader, struct scim_path *out)
{
	const struct scim_schema *named = take_urn(reader);
	struct text name;

	if (named != NULL && peek(reader) != ':') {
		out->schema = named;
		return named == reader->type->extension ||
		       fail(reader, "an attribute must follow the URN");
	}
	if (named != NULL)
		reader->at++;
	name = take_name(reader);
	if (name.length == 0)
		return fail(reader, "the name of an attribute is expected");
	out->attribute = find_in(named != NULL ? named : reader->type->schema, name, &out->schema);
	if (out->attribute == NULL && (named == NULL || named == reader->type->schema))
		out->attribute = find_in(&scim_common, name, &out->schema);
	return out->attribute != NULL || unknown_name(reader, name);
}

static bool take_sub(struct reader *reader, struct scim_path *out)
{
	struct text name;

	if (peek(reader) != '.')
		return true;
	reader->at++;
	name = take_name(reader);
	if (out->attribute == NULL)
		return fail(reader, "an attribute is expected before the dot");
	out->sub = scim_attribute_find(out->attribute->subs, out->attribute->subs_count, name);
	return out->sub != NULL || unknown_name(reader, name);
}

static bool take_filter(struct reader *reader, const struct scim_filter **out);

/* Between brackets, the sub-attributes of it. */
static bool take_brackets(struct reader *reader, const struct scim_attribute *attribute,
	const struct scim_filter **out)
{
	const struct scim_attribute *outer = reader->within;
	bool ok;

	if (outer != NULL || attribute == NULL || (attribute->flags & SCIM_MULTI) == 0 ||
		attribute->subs_count == 0)
		return fail(reader, "only a multi-valued complex attribute has values to choose");
	reader->at++;
	reader->within = attribute;
	ok = take_filter(reader, out);
	reader->within = outer;
	if (!ok)
		return false;
	skip_blanks(reader);
	if (peek(reader) != ']')
		return fail(reader, "\"]\" is expected");
	reader->at++;
	return true;
}

/* In brackets there are sub-attributes only. */
static bool take_path(struct reader *reader, struct scim_path *out)
{
	struct text name;

	*out = (struct scim_path){0};
	if (reader->within == NULL)
		return take_attribute(reader, out) && take_sub(reader, out);
	name = take_name(reader);
	out->attribute = reader->within;
	out->sub = scim_attribute_find(reader->within->subs, reader->within->subs_count, name);
	return out->sub != NULL || unknown_name(reader, name);
}

bool scim_path_parse(struct scim_path *out, struct arena *arena,
	const struct scim_resource_type *type, struct text text, struct scim_fault *fault)
{
	struct reader reader = {.arena = arena,
		.type = type,
		.text = text,
		.scim_type = "invalidPath",
		.fault = fault};

	*out = (struct scim_path){0};
	if (text.length == 0 || text.length > SCIM_FILTER_BYTES_MAX)
		return scim_fail(fault, 400, "invalidPath", "a path is 1 to %d bytes",
			SCIM_FILTER_BYTES_MAX);
	if (!take_attribute(&reader, out) ||
		(peek(&reader) == '[' && !take_brackets(&reader, out->attribute, &out->filter)) ||
		!take_sub(&reader, out))
		return false;
	return reader.at == text.length || fail(&reader, "nothing is expected behind the path");
}

/* ---- comparisons ---- */

static const struct {
	const char *word;
	enum scim_operator how;
} operators[] = {{"eq", SCIM_EQ}, {"ne", SCIM_NE}, {"co", SCIM_CO}, {"sw", SCIM_SW},
	{"ew", SCIM_EW}, {"gt", SCIM_GT}, {"ge", SCIM_GE}, {"lt", SCIM_LT}, {"le", SCIM_LE},
	{"pr", SCIM_PR}};

static enum scim_operator take_operator(struct reader *reader)
{
	skip_blanks(reader);
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (take_word(reader, operators[i].word))
			return operators[i].how;
	return SCIM_NO_OPERATOR;
}

/* As far as JSON goes: a string to its closing quote, else a word. */
static size_t literal_end(const struct reader *reader)
{
	size_t at = reader->at;

	if (peek(reader) != '"') {
		while (at < reader->text.length && reader->text.data[at] != ' ' &&
			reader->text.data[at] != ')' && reader->text.data[at] != ']')
			at++;
		return at;
	}
	for (at++; at < reader->text.length && reader->text.data[at] != '"'; at++)
		if (reader->text.data[at] == '\\')
			at++;
	return at < reader->text.length ? at + 1 : reader->text.length;
}

static bool take_literal(struct reader *reader, struct json *out)
{
	struct error err = {0};
	size_t end;

	skip_blanks(reader);
	end = literal_end(reader);
	if (!json_parse(out, reader->arena,
		    (struct text){reader->text.data + reader->at, end - reader->at},
		    &json_limits_default, &err))
		return fail(reader, "a JSON value is expected: a string in quotes, true, false");
	reader->at = end;
	return true;
}

/* The attribute that is compared: its value, where the path stops at a list of complex ones. */
static const struct scim_attribute *compared(const struct scim_path *path)
{
	const struct scim_attribute *attribute = path->sub != NULL ? path->sub : path->attribute;

	if (attribute == NULL || attribute->type != SCIM_COMPLEX)
		return attribute;
	return (attribute->flags & SCIM_MULTI) == 0
		       ? NULL
		       : scim_attribute_find(attribute->subs, attribute->subs_count, TEXT("value"));
}

static bool is_order(enum scim_operator how)
{
	return how >= SCIM_GT && how <= SCIM_LE;
}

static bool check_types(struct reader *reader, const struct scim_filter *filter)
{
	const struct scim_attribute *attribute = compared(&filter->path);
	bool is_equality = filter->how == SCIM_EQ || filter->how == SCIM_NE;
	int64_t ms;

	if (attribute == NULL)
		return fail(reader, "what is compared must be no complex attribute");
	if (filter->value.type == JSON_NULL)
		return is_equality || fail(reader, "null is equal or not, and nothing else");
	if (attribute->type == SCIM_BOOLEAN)
		return (is_equality && filter->value.type == JSON_BOOLEAN) ||
		       fail(reader, "a boolean is eq or ne true or false");
	if (filter->value.type != JSON_STRING)
		return fail(reader, "a string is expected");
	return attribute->type != SCIM_DATETIME || !(is_equality || is_order(filter->how)) ||
	       time_parse_utc_ms(filter->value.string, &ms) ||
	       fail(reader, "a time like 2026-11-26T12:00:00Z is expected");
}

static struct scim_filter *new_node(struct reader *reader, enum scim_operator how)
{
	struct scim_filter *node = NULL;

	if (++reader->nodes > SCIM_FILTER_NODES_MAX) {
		fail(reader, "the filter asks too much");
		return NULL;
	}
	node = arena_new(reader->arena, struct scim_filter);
	if (node == NULL)
		scim_fail(reader->fault, 503, NULL, "no memory for a filter");
	else
		node->how = how;
	return node;
}

static bool take_comparison(struct reader *reader, const struct scim_filter **out)
{
	struct scim_filter *node = new_node(reader, SCIM_NO_OPERATOR);

	*out = node;
	if (node == NULL || !take_path(reader, &node->path))
		return false;
	if (peek(reader) == '[') {
		node->how = SCIM_WITHIN;
		return take_brackets(reader, node->path.attribute, &node->left);
	}
	node->how = take_operator(reader);
	if (node->how == SCIM_NO_OPERATOR)
		return fail(reader, "eq, ne, co, sw, ew, gt, ge, lt, le or pr is expected");
	if (node->how == SCIM_PR)
		return true;
	return take_literal(reader, &node->value) && check_types(reader, node);
}

static bool take_group(struct reader *reader, const struct scim_filter **out)
{
	skip_blanks(reader);
	if (peek(reader) != '(')
		return fail(reader, "\"(\" is expected");
	reader->at++;
	if (!take_filter(reader, out))
		return false;
	skip_blanks(reader);
	if (peek(reader) != ')')
		return fail(reader, "\")\" is expected");
	reader->at++;
	return true;
}

static bool take_one(struct reader *reader, const struct scim_filter **out)
{
	struct scim_filter *node;

	skip_blanks(reader);
	if (peek(reader) == '(')
		return take_group(reader, out);
	if (!take_word(reader, "not"))
		return take_comparison(reader, out);
	node = new_node(reader, SCIM_NOT);
	*out = node;
	return node != NULL && take_group(reader, &node->left);
}

/* A row of ands, or of ors of such rows. */
static bool take_row(struct reader *reader, enum scim_operator how,
	bool (*take)(struct reader *, const struct scim_filter **), const struct scim_filter **out)
{
	if (!take(reader, out))
		return false;
	for (;;) {
		struct scim_filter *node;

		skip_blanks(reader);
		if (!take_word(reader, how == SCIM_AND ? "and" : "or"))
			return true;
		node = new_node(reader, how);
		if (node == NULL)
			return false;
		node->left = *out;
		*out = node;
		if (!take(reader, &node->right))
			return false;
	}
}

static bool take_ands(struct reader *reader, const struct scim_filter **out)
{
	return take_row(reader, SCIM_AND, take_one, out);
}

/* Bounded by depth. */
static bool take_filter(struct reader *reader, const struct scim_filter **out)
{
	bool ok;

	if (++reader->depth > SCIM_FILTER_DEPTH_MAX)
		return fail(reader, "the filter is nested too deep");
	ok = take_row(reader, SCIM_OR, take_ands, out);
	reader->depth--;
	return ok;
}

bool scim_filter_parse(const struct scim_filter **out, struct arena *arena,
	const struct scim_resource_type *type, struct text text, struct scim_fault *fault)
{
	struct reader reader = {.arena = arena,
		.type = type,
		.text = text,
		.scim_type = "invalidFilter",
		.fault = fault};

	*out = NULL;
	if (text.length == 0 || text.length > SCIM_FILTER_BYTES_MAX)
		return scim_fail(fault, 400, "invalidFilter", "a filter is 1 to %d bytes",
			SCIM_FILTER_BYTES_MAX);
	if (!take_filter(&reader, out))
		return false;
	skip_blanks(&reader);
	return reader.at == text.length || fail(&reader, "and, or, or nothing is expected");
}

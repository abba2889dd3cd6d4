/* JSON to trees.  Recursion is bounded by an explicit depth, the same as that of
 * the parser of texts; a chain of && or || nests to the left in JSON and is read
 * without recursion.
 *
 * What is read must be writable as text, for the set parses that: names are checked
 * to be names. */
#include <string.h>

#include "cedar/est.h"
#include "cedar/parser.h"

struct est_reader {
	const struct document_reader *documents;
	uint32_t depth; /* of expressions being read */
};

static bool read_expression(
	struct est_reader *reader, const struct document *document, const struct ast **out);

static bool fail(const struct est_reader *reader, const struct document *at, const char *what)
{
	return document_fail(reader->documents, at, what);
}

static bool fail_memory(const struct est_reader *reader)
{
	return cedar_fail_memory(reader->documents->err);
}

static struct arena *arena_of(const struct est_reader *reader)
{
	return reader->documents->arena;
}

/* ---- parts of objects ---- */

/* The member, which there must be. */
static bool need(const struct est_reader *reader, const struct document *object, const char *name,
	const struct document **out)
{
	*out = document_find(object, name);
	if (*out != NULL)
		return true;
	return cedar_fail_at(reader->documents->err, reader->documents->source, object->at,
		"expected an object with a member \"%s\"", name);
}

/* The member if it is there and is not null. */
static const struct document *find_not_null(const struct document *object, const char *name)
{
	const struct document *member = document_find(object, name);

	return member == NULL || member->type == DOCUMENT_NULL ? NULL : member;
}

static bool need_text(const struct est_reader *reader, const struct document *object,
	const char *name, struct cedar_text *out)
{
	const struct document *member;

	*out = CEDAR_TEXT("");
	if (!need(reader, object, name, &member))
		return false;
	if (member->type != DOCUMENT_STRING)
		return fail(reader, member, "expected a string");
	*out = member->string;
	return true;
}

/* No member but these may be there; NULL ends them. */
static bool only(
	const struct est_reader *reader, const struct document *object, const char *const *names)
{
	if (object->type != DOCUMENT_OBJECT)
		return fail(reader, object, "expected an object");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		size_t i = 0;

		while (names[i] != NULL && !cedar_text_is(part->name, names[i]))
			i++;
		if (names[i] == NULL)
			return fail(reader, part, "a member that is not known here");
	}
	return true;
}
#define ONLY(reader, object, ...) only((reader), (object), (const char *const[]){__VA_ARGS__, NULL})

static bool need_type(
	const struct est_reader *reader, const struct document *object, struct cedar_text *out)
{
	return need_text(reader, object, "entity_type", out) &&
	       (cedar_is_type_name(*out) || fail(reader, object, "not the name of an entity type"));
}

/* ---- nodes ---- */

static struct ast *node_create(struct est_reader *reader, enum ast_kind kind)
{
	struct ast *node = arena_new(arena_of(reader), struct ast);

	if (node == NULL) {
		fail_memory(reader);
		return NULL;
	}
	node->kind = kind;
	node->depth = 1;
	return node;
}

static bool fail_depth(const struct est_reader *reader)
{
	return cedar_fail(reader->documents->err, CEDAR_ERROR_LIMIT,
		"an expression nested more than %d deep", CEDAR_DEPTH_MAX);
}

static bool node_adopt(struct est_reader *reader, struct ast *node,
	const struct ast *const *children, uint32_t count)
{
	uint32_t depth = 1;

	for (uint32_t i = 0; i < count; i++) {
		if (children[i]->depth + 1u > depth)
			depth = children[i]->depth + 1u;
	}
	if (depth > CEDAR_DEPTH_MAX)
		return fail_depth(reader);
	node->children = children;
	node->count = count;
	node->depth = (uint16_t)depth;
	return true;
}

/* Reads the members so named as the node's children. */
static bool node_read(struct est_reader *reader, struct ast *node, const struct document *object,
	const char *const *names)
{
	const struct ast **children = arena_array(arena_of(reader), const struct ast *, 3);
	uint32_t count = 0;

	if (children == NULL)
		return fail_memory(reader);
	for (; names[count] != NULL; count++) {
		const struct document *member;

		if (!need(reader, object, names[count], &member) ||
			!read_expression(reader, member, &children[count]))
			return false;
	}
	return node_adopt(reader, node, children, count);
}
#define READ(reader, node, object, ...)                                                            \
	node_read((reader), (node), (object), (const char *const[]){__VA_ARGS__, NULL})

/* Reads all of an array as the node's children. */
static bool read_items(struct est_reader *reader, struct ast *node, const struct document *array,
	bool (*read)(struct est_reader *, const struct document *, const struct ast **))
{
	const struct ast **children =
		arena_array(arena_of(reader), const struct ast *, array->count);
	uint32_t count = 0;

	if (children == NULL)
		return fail_memory(reader);
	if (array->type != DOCUMENT_ARRAY)
		return fail(reader, array, "expected an array");
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!read(reader, item, &children[count++]))
			return false;
	}
	return node_adopt(reader, node, children, count);
}

static bool read_members(struct est_reader *reader, struct ast *node, const struct document *object,
	bool (*read)(struct est_reader *, const struct document *, const struct ast **))
{
	const struct ast **children =
		arena_array(arena_of(reader), const struct ast *, object->count);
	struct cedar_text *names = arena_array(arena_of(reader), struct cedar_text, object->count);
	uint32_t count = 0;

	if (children == NULL || names == NULL)
		return fail_memory(reader);
	if (object->type != DOCUMENT_OBJECT)
		return fail(reader, object, "expected an object");
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		names[count] = part->name;
		if (!read(reader, part, &children[count++]))
			return false;
	}
	node->names = names;
	node->name_count = count;
	return node_adopt(reader, node, children, count);
}

/* ---- literals ---- */

static bool read_value(
	struct est_reader *reader, const struct document *document, const struct ast **out);

static bool read_entity(
	struct est_reader *reader, const struct document *document, struct ast *node)
{
	struct cedar_uid *uid = arena_new(arena_of(reader), struct cedar_uid);

	if (uid == NULL)
		return fail_memory(reader);
	node->literal = cedar_value_entity(uid);
	return document_uid(reader->documents, document, uid);
}

/* The arguments of {fn, arg} or {fn, args: [..]}. */
static bool read_arguments(struct est_reader *reader, const struct document *call, struct ast *node)
{
	const struct document *list = document_find(call, "args"), *document;
	const struct ast **argument;

	if (list != NULL)
		return ONLY(reader, call, "fn", "args") &&
		       read_items(reader, node, list, read_value);
	argument = arena_new(arena_of(reader), const struct ast *);
	if (argument == NULL)
		return fail_memory(reader);
	return need(reader, call, "arg", &document) && ONLY(reader, call, "fn", "arg") &&
	       read_value(reader, document, argument) && node_adopt(reader, node, argument, 1);
}

/* What stands under __extn becomes a call; a method's first argument is what it is
 * called on, so it has one. */
static bool read_extension(struct est_reader *reader, const struct document *call, struct ast *node)
{
	enum extension_function function;
	struct cedar_text name;

	if (!need_text(reader, call, "fn", &name) || !read_arguments(reader, call, node))
		return false;
	function = extension_find(name);
	if (function == EXTENSION_NONE || (extension_is_method(function) && node->count < 1))
		return fail(reader, call, "not the name of an extension function");
	node->kind = AST_EXTENSION;
	node->detail = (uint8_t)function;
	return true;
}

static bool read_object(
	struct est_reader *reader, const struct document *document, struct ast *node)
{
	const struct document *part = document->count == 1 ? document->first : NULL;

	if (part != NULL && cedar_text_is(part->name, "__entity"))
		return read_entity(reader, document, node); /* with its escape */
	if (part != NULL && cedar_text_is(part->name, "__extn"))
		return read_extension(reader, part, node);
	if (part != NULL && cedar_text_is(part->name, "__expr"))
		return fail(reader, part, "__expr is not supported");
	node->kind = AST_RECORD;
	return read_members(reader, node, document, read_value);
}

/* Values nest as deep as expressions. */
static bool read_value(
	struct est_reader *reader, const struct document *document, const struct ast **out)
{
	struct ast *node = node_create(reader, AST_LITERAL);
	bool ok = true;

	*out = node;
	if (node == NULL)
		return false;
	if (reader->depth == CEDAR_DEPTH_MAX)
		return fail_depth(reader);
	reader->depth++;
	if (document->type == DOCUMENT_BOOLEAN) {
		node->literal = cedar_value_bool(document->boolean);
	} else if (document->type == DOCUMENT_INTEGER) {
		node->literal = cedar_value_long(document->integer);
	} else if (document->type == DOCUMENT_STRING) {
		node->literal = cedar_value_string(document->string);
	} else if (document->type == DOCUMENT_ARRAY) {
		node->kind = AST_SET;
		ok = read_items(reader, node, document, read_value);
	} else if (document->type == DOCUMENT_OBJECT) {
		ok = read_object(reader, document, node);
	} else {
		ok = fail(reader, document, "Cedar has no null");
	}
	reader->depth--;
	return ok;
}

/* ---- expressions ---- */

static bool read_variable(
	struct est_reader *reader, const struct document *document, struct ast *node)
{
	node->kind = AST_VARIABLE;
	for (int i = AST_PRINCIPAL; document->type == DOCUMENT_STRING && i <= AST_CONTEXT; i++) {
		if (cedar_text_is(document->string, ast_variable_name((enum ast_variable)i))) {
			node->detail = (uint8_t)i;
			return true;
		}
	}
	return fail(reader, document, "expected principal, action, resource or context");
}

/* A string, or for `has` an array of names that a path can be written with. */
static bool read_names(struct est_reader *reader, const struct document *attr, struct ast *node)
{
	const struct document *item = attr->type == DOCUMENT_ARRAY ? attr->first : attr;
	uint32_t count = attr->type == DOCUMENT_ARRAY ? attr->count : 1;
	struct cedar_text *names = arena_array(arena_of(reader), struct cedar_text, count);

	if (names == NULL)
		return fail_memory(reader);
	if (count == 0 || (attr->type == DOCUMENT_ARRAY && node->kind != AST_HAS))
		return fail(reader, attr, "expected the name of an attribute");
	for (uint32_t i = 0; i < count; i++, item = item->next) {
		if (item->type != DOCUMENT_STRING ||
			(count > 1 && (!cedar_is_identifier(item->string) ||
					      cedar_is_reserved(item->string))))
			return fail(reader, item, "expected the name of an attribute");
		names[i] = item->string;
	}
	node->names = names;
	node->name_count = count;
	return true;
}

static bool read_named(struct est_reader *reader, const struct document *object, struct ast *node)
{
	const struct document *attr;

	return ONLY(reader, object, "left", "attr") && need(reader, object, "attr", &attr) &&
	       read_names(reader, attr, node) && READ(reader, node, object, "left");
}

static bool read_is(struct est_reader *reader, const struct document *object, struct ast *node)
{
	struct cedar_text *name = arena_new(arena_of(reader), struct cedar_text);

	if (name == NULL)
		return fail_memory(reader);
	node->kind = AST_IS;
	node->names = name;
	node->name_count = 1;
	if (!ONLY(reader, object, "left", "entity_type", "in") || !need_type(reader, object, name))
		return false;
	if (find_not_null(object, "in") == NULL)
		return READ(reader, node, object, "left");
	return READ(reader, node, object, "left", "in");
}

/* "Wildcard", or {"Wildcard": null}. */
static bool is_wildcard(const struct document *part)
{
	if (part->type == DOCUMENT_STRING)
		return cedar_text_is(part->string, "Wildcard");
	return part->type == DOCUMENT_OBJECT && part->count == 1 &&
	       cedar_text_is(part->first->name, "Wildcard") && part->first->type == DOCUMENT_NULL;
}

/* The literals between two wildcards, joined. */
static bool read_piece(
	struct est_reader *reader, const struct document **at, struct cedar_text *out)
{
	struct cedar_writer writer = {.arena = arena_of(reader)};

	cedar_write_string(&writer, "");
	for (; *at != NULL && !is_wildcard(*at); *at = (*at)->next) {
		struct cedar_text text;

		if (!need_text(reader, *at, "Literal", &text) || !ONLY(reader, *at, "Literal"))
			return false;
		cedar_write(&writer, text);
	}
	*out = cedar_writer_text(&writer);
	return out->data != NULL || fail_memory(reader);
}

static bool read_pattern(
	struct est_reader *reader, const struct document *array, struct like_pattern *out)
{
	const struct document *at = array->first;
	struct cedar_text *pieces =
		arena_array(arena_of(reader), struct cedar_text, array->count + 1u);

	if (pieces == NULL)
		return fail_memory(reader);
	out->pieces = pieces;
	for (out->count = 0;; at = at->next) {
		if (!read_piece(reader, &at, &pieces[out->count++]))
			return false;
		if (at == NULL)
			return true;
	}
}

static bool read_like(struct est_reader *reader, const struct document *object, struct ast *node)
{
	const struct document *pattern;

	node->kind = AST_LIKE;
	if (!ONLY(reader, object, "left", "pattern") || !need(reader, object, "pattern", &pattern))
		return false;
	if (pattern->type != DOCUMENT_ARRAY)
		return fail(reader, pattern, "expected an array");
	return read_pattern(reader, pattern, &node->pattern) && READ(reader, node, object, "left");
}

/* The inside of the only member if that is so named; NULL otherwise. */
static const struct document *inside(const struct document *document, struct cedar_text name)
{
	if (document->type != DOCUMENT_OBJECT || document->count != 1 ||
		!cedar_text_equal(document->first->name, name))
		return NULL;
	return document->first;
}

/* left-nested && or || becomes one node. */
static bool read_chain(struct est_reader *reader, const struct document *object, struct ast *node)
{
	const struct document *at = object, *left, *right;
	const struct ast **children;
	uint32_t count = 1, place;

	do {
		if (!ONLY(reader, at, "left", "right") || !need(reader, at, "left", &left) ||
			!need(reader, at, "right", &right))
			return false;
		at = inside(left, object->name);
		count++;
	} while (at != NULL);
	children = arena_array(arena_of(reader), const struct ast *, count);
	if (children == NULL)
		return fail_memory(reader);
	if (!read_expression(reader, left, &children[0]))
		return false;
	at = object;
	for (place = count - 1; place > 0; place--) {
		if (!read_expression(reader, document_find(at, "right"), &children[place]))
			return false;
		at = inside(document_find(at, "left"), object->name);
	}
	return node_adopt(reader, node, children, count);
}

static bool read_operator(
	struct est_reader *reader, const struct document *object, struct ast *node)
{
	if (node->kind == AST_AND || node->kind == AST_OR)
		return read_chain(reader, object, node);
	if (node->kind == AST_NOT || node->kind == AST_NEGATE || node->kind == AST_IS_EMPTY)
		return ONLY(reader, object, "arg") && READ(reader, node, object, "arg");
	return ONLY(reader, object, "left", "right") && READ(reader, node, object, "left", "right");
}

static bool read_call(struct est_reader *reader, const struct document *array, struct ast *node)
{
	enum extension_function function = extension_find(array->name);

	if (function == EXTENSION_NONE)
		return fail(reader, array, "neither an operator nor a function");
	node->kind = AST_EXTENSION;
	node->detail = (uint8_t)function;
	if (!read_items(reader, node, array, read_expression))
		return false;
	return node->count > 0 || !extension_is_method(function) ||
	       fail(reader, array, "a method needs what it is called on");
}

/* What the only member of an expression's object says. */
static bool read_kind(struct est_reader *reader, const struct document *part, struct ast **node)
{
	struct cedar_text name = part->name;
	const struct ast *value;
	bool ok;

	(*node)->kind = est_operator_find(name);
	if ((*node)->kind != AST_LITERAL)
		return read_operator(reader, part, *node);
	if (cedar_text_is(name, "Var"))
		return read_variable(reader, part, *node);
	if (cedar_text_is(name, "is"))
		return read_is(reader, part, *node);
	if (cedar_text_is(name, "like"))
		return read_like(reader, part, *node);
	if (cedar_text_is(name, ".") || cedar_text_is(name, "has")) {
		(*node)->kind = cedar_text_is(name, ".") ? AST_GET : AST_HAS;
		return read_named(reader, part, *node);
	}
	if (cedar_text_is(name, "if-then-else")) {
		(*node)->kind = AST_IF;
		return ONLY(reader, part, "if", "then", "else") &&
		       READ(reader, *node, part, "if", "then", "else");
	}
	if (cedar_text_is(name, "Set")) {
		(*node)->kind = AST_SET;
		return read_items(reader, *node, part, read_expression);
	}
	if (cedar_text_is(name, "Record")) {
		(*node)->kind = AST_RECORD;
		return read_members(reader, *node, part, read_expression);
	}
	if (!cedar_text_is(name, "Value"))
		return read_call(reader, part, *node);
	reader->depth--; /* a value is as deep as its expression */
	ok = read_value(reader, part, &value);
	reader->depth++;
	if (ok)
		**node = *value;
	return ok;
}

static bool read_expression(
	struct est_reader *reader, const struct document *document, const struct ast **out)
{
	struct ast *node = node_create(reader, AST_LITERAL);
	bool ok;

	*out = node;
	if (node == NULL)
		return false;
	if (document->type != DOCUMENT_OBJECT || document->count != 1)
		return fail(reader, document, "expected an expression: an object of one member");
	if (reader->depth == CEDAR_DEPTH_MAX)
		return fail_depth(reader);
	reader->depth++;
	ok = read_kind(reader, document->first, &node);
	reader->depth--;
	return ok;
}

/* ---- policies ---- */

static bool read_uids(
	struct est_reader *reader, const struct document *array, struct scope_part *part)
{
	struct cedar_uid *uids = arena_array(arena_of(reader), struct cedar_uid, array->count);

	if (uids == NULL)
		return fail_memory(reader);
	if (array->type != DOCUMENT_ARRAY)
		return fail(reader, array, "expected an array");
	part->uids = uids;
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!document_uid(reader->documents, item, &uids[part->count]))
			return false;
		if (!cedar_is_action_type(uids[part->count++].type))
			return fail(reader, item, "an action's type must be Action");
	}
	return true;
}

/* "entity" or "slot". */
static bool read_who(struct est_reader *reader, const struct document *object,
	enum ast_variable variable, struct scope_part *part)
{
	const struct document *entity = document_find(object, "entity");
	struct cedar_uid *uid = arena_new(arena_of(reader), struct cedar_uid);
	struct cedar_text slot;

	if (uid == NULL)
		return fail_memory(reader);
	if (entity == NULL) {
		if (!need_text(reader, object, "slot", &slot))
			return false;
		part->is_slot = true;
		return (variable != AST_ACTION && slot.length > 0 && slot.data[0] == '?' &&
			       cedar_text_is((struct cedar_text){slot.data + 1, slot.length - 1},
				       ast_variable_name(variable))) ||
		       fail(reader, object, "a slot is that of its own variable");
	}
	part->uids = uid;
	part->count = 1;
	if (!document_uid(reader->documents, entity, uid))
		return false;
	return variable != AST_ACTION || cedar_is_action_type(uid->type) ||
	       fail(reader, entity, "an action's type must be Action");
}

static bool read_in(struct est_reader *reader, const struct document *object,
	enum ast_variable variable, struct scope_part *part)
{
	const struct document *list = document_find(object, "entities");

	part->kind = list == NULL ? SCOPE_IN : SCOPE_IN_ONE_OF;
	if (list == NULL)
		return ONLY(reader, object, "op", "entity", "slot") &&
		       read_who(reader, object, variable, part);
	if (variable != AST_ACTION)
		return fail(reader, list, "only an action may be in a list");
	return ONLY(reader, object, "op", "entities") && read_uids(reader, list, part);
}

static bool read_is_scope(struct est_reader *reader, const struct document *object,
	enum ast_variable variable, struct scope_part *part)
{
	const struct document *in = find_not_null(object, "in");

	part->kind = in == NULL ? SCOPE_IS : SCOPE_IS_IN;
	if (variable == AST_ACTION)
		return fail(reader, object, "action takes == or in");
	return ONLY(reader, object, "op", "entity_type", "in") &&
	       need_type(reader, object, &part->type) &&
	       (in == NULL || (ONLY(reader, in, "entity", "slot") &&
				      read_who(reader, in, variable, part)));
}

static bool read_scope(struct est_reader *reader, const struct document *policy,
	enum ast_variable variable, struct scope_part *part)
{
	const struct document *object;
	struct cedar_text op;

	if (!need(reader, policy, ast_variable_name(variable), &object) ||
		!need_text(reader, object, "op", &op))
		return false;
	if (cedar_text_is(op, "All") || cedar_text_is(op, "all"))
		return ONLY(reader, object, "op");
	if (cedar_text_is(op, "in"))
		return read_in(reader, object, variable, part);
	if (cedar_text_is(op, "is"))
		return read_is_scope(reader, object, variable, part);
	if (!cedar_text_is(op, "=="))
		return fail(reader, object, "expected the op All, ==, in or is");
	part->kind = SCOPE_EQUAL;
	return ONLY(reader, object, "op", "entity", "slot") &&
	       read_who(reader, object, variable, part);
}

static bool read_condition(
	struct est_reader *reader, const struct document *object, struct clause *out)
{
	const struct document *body;
	struct cedar_text kind;

	if (!need_text(reader, object, "kind", &kind) || !need(reader, object, "body", &body) ||
		!ONLY(reader, object, "kind", "body"))
		return false;
	out->kind = cedar_text_is(kind, "when") ? CLAUSE_WHEN : CLAUSE_UNLESS;
	if (out->kind == CLAUSE_UNLESS && !cedar_text_is(kind, "unless"))
		return fail(reader, object, "expected when or unless");
	return read_expression(reader, body, &out->expression);
}

static bool read_conditions(
	struct est_reader *reader, const struct document *policy, struct policy_ast *out)
{
	const struct document *array;
	struct clause *clauses;

	if (!need(reader, policy, "conditions", &array))
		return false;
	if (array->type != DOCUMENT_ARRAY)
		return fail(reader, array, "expected an array");
	clauses = arena_array(arena_of(reader), struct clause, array->count);
	if (clauses == NULL)
		return fail_memory(reader);
	out->clauses = clauses;
	for (const struct document *item = array->first; item != NULL; item = item->next) {
		if (!read_condition(reader, item, &clauses[out->clause_count++]))
			return false;
	}
	return true;
}

static bool read_annotations(
	struct est_reader *reader, const struct document *policy, struct policy_ast *out)
{
	const struct document *object = document_find(policy, "annotations");
	struct cedar_annotation *annotations;

	if (object == NULL)
		return true;
	if (object->type != DOCUMENT_OBJECT)
		return fail(reader, object, "expected an object");
	annotations = arena_array(arena_of(reader), struct cedar_annotation, object->count);
	if (annotations == NULL)
		return fail_memory(reader);
	out->annotations = annotations;
	for (const struct document *part = object->first; part != NULL; part = part->next) {
		struct cedar_annotation *annotation = &annotations[out->annotation_count++];

		if (!cedar_is_identifier(part->name))
			return fail(reader, part, "expected the name of an annotation");
		if (part->type != DOCUMENT_STRING && part->type != DOCUMENT_NULL)
			return fail(reader, part, "expected a string or null");
		annotation->key = part->name;
		if (part->type == DOCUMENT_STRING)
			annotation->value = part->string;
	}
	return true;
}

bool est_read_policy(struct policy_ast *out, const struct document_reader *documents,
	const struct document *document)
{
	struct est_reader reader = {.documents = documents};
	struct cedar_text effect;

	*out = (struct policy_ast){.effect = CEDAR_FORBID};
	if (!need_text(&reader, document, "effect", &effect) ||
		!ONLY(&reader, document, "effect", "principal", "action", "resource", "conditions",
			"annotations"))
		return false;
	out->effect = cedar_text_is(effect, "permit") ? CEDAR_PERMIT : CEDAR_FORBID;
	if (out->effect == CEDAR_FORBID && !cedar_text_is(effect, "forbid"))
		return fail(&reader, document, "expected the effect permit or forbid");
	for (int i = 0; i < SCOPE_PARTS; i++) {
		if (!read_scope(&reader, document, (enum ast_variable)i, &out->scope[i]))
			return false;
	}
	return read_conditions(&reader, document, out) && read_annotations(&reader, document, out);
}

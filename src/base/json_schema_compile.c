/* From a document to nodes.
 *
 * The document is walked by the keywords that hold subschemas; each subschema is one node,
 * found again by where it lies in memory.  References are noted and looked up when the walk
 * is over; what they point to becomes a node too, where no keyword led to it.
 *
 * Invariant: a schema that is handed out has every reference resolved to a node of its own;
 * whatever could not be read made it refused. */

#include <stdlib.h>

#include "base/json_schema_private.h"

enum { NODE_SLOTS = 2 * JSON_SCHEMA_NODES_MAX };

struct pending {
	struct schema_node *node;
	struct text reference;
	bool is_dynamic;
	struct pending *next;
};

struct compiler {
	struct json_schema *schema;
	enum schema_dialect dialect;
	struct schema_node **slots; /* by address of the source; open addressing */
	uint32_t nodes_count;
	uint32_t nesting;
	struct pending *pending;
	struct error *err;
};

typedef bool keyword_read(
	struct compiler *compiler, struct schema_node *node, const struct json *value);

static bool wrong(struct compiler *compiler, const char *what)
{
	return error_set(compiler->err, ERROR_INVALID, "%s", what);
}

static bool no_memory(struct compiler *compiler)
{
	return error_set(compiler->err, ERROR_LIMIT, "no memory for the schema");
}

static bool compile_node(struct compiler *compiler, const struct json *source,
	struct schema_resource *resource, struct schema_node **out);

/* ---- values of keywords --------------------------------------------------------------------- */

static bool read_schema(struct compiler *compiler, const struct schema_node *node,
	const struct json *value, struct schema_node **out)
{
	return compile_node(compiler, value, node->resource, out);
}

static bool read_schemas(struct compiler *compiler, const struct schema_node *node,
	const struct json *value, struct schema_nodes *out)
{
	uint32_t i;

	if (value->type != JSON_ARRAY || value->count == 0)
		return wrong(compiler, "a list of schemas is expected");
	out->items = arena_array(compiler->schema->arena, struct schema_node *, value->count);
	if (out->items == NULL)
		return no_memory(compiler);
	for (i = 0; i < value->count; i++)
		if (!read_schema(compiler, node, &value->items[i], &out->items[i]))
			return error_wrap(compiler->err, "%u", i);
	out->count = value->count;
	return true;
}

static bool read_count(struct compiler *compiler, const struct json *value, int64_t *out)
{
	bool is_count = (value->type == JSON_INTEGER && value->integer >= 0) ||
			(value->type == JSON_DOUBLE && schema_is_integer(value) &&
				value->number >= 0 && value->number < 9e15);

	if (!is_count)
		return wrong(compiler, "a whole number from 0 is expected");
	*out = value->type == JSON_INTEGER ? value->integer : (int64_t)value->number;
	return true;
}

static bool read_number(
	struct compiler *compiler, const struct json *value, const struct json **out)
{
	*out = value;
	return value->type == JSON_INTEGER || value->type == JSON_DOUBLE ||
	       wrong(compiler, "a number is expected");
}

static bool is_texts(const struct json *value)
{
	uint32_t i;

	if (value->type != JSON_ARRAY)
		return false;
	for (i = 0; i < value->count; i++)
		if (value->items[i].type != JSON_STRING)
			return false;
	return true;
}

static bool read_texts(struct compiler *compiler, const struct json *value, const struct json **out)
{
	*out = value;
	return is_texts(value) || wrong(compiler, "a list of names is expected");
}

static bool read_pattern(struct compiler *compiler, struct text source, struct schema_pattern **out)
{
	return schema_pattern_add(&compiler->schema->patterns, source, out, compiler->err);
}

/* ---- keywords of any value ---------------------------------------------------------------------
 */

static unsigned type_bit(struct text name)
{
	static const struct {
		const char *name;
		unsigned bit;
	} types[] = {{"null", SCHEMA_TYPE_NULL}, {"boolean", SCHEMA_TYPE_BOOLEAN},
		{"integer", SCHEMA_TYPE_INTEGER}, {"number", SCHEMA_TYPE_NUMBER},
		{"string", SCHEMA_TYPE_STRING}, {"array", SCHEMA_TYPE_ARRAY},
		{"object", SCHEMA_TYPE_OBJECT}};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (text_is(name, types[i].name))
			return types[i].bit;
	return 0;
}

static bool read_type(struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	uint32_t i;

	if (value->type == JSON_STRING)
		node->types = type_bit(value->string);
	else if (is_texts(value))
		for (i = 0; i < value->count; i++) {
			if (type_bit(value->items[i].string) == 0)
				return wrong(compiler, "there is no such type");
			node->types |= type_bit(value->items[i].string);
		}
	return node->types != 0 || wrong(compiler, "there is no such type");
}

static bool read_const(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	(void)compiler;
	node->constant = value;
	return true;
}

static bool read_enum(struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	node->choices = value;
	return value->type == JSON_ARRAY || wrong(compiler, "a list is expected");
}

/* ---- keywords with a number, a count, a schema, schemas: where they go
 * --------------------------- */

#define NUMBER(name, member)                                                                       \
	static bool name(                                                                          \
		struct compiler *compiler, struct schema_node *node, const struct json *value)     \
	{                                                                                          \
		return read_number(compiler, value, &node->member);                                \
	}
#define COUNT(name, member)                                                                        \
	static bool name(                                                                          \
		struct compiler *compiler, struct schema_node *node, const struct json *value)     \
	{                                                                                          \
		return read_count(compiler, value, &node->member);                                 \
	}
#define SCHEMA(name, member)                                                                       \
	static bool name(                                                                          \
		struct compiler *compiler, struct schema_node *node, const struct json *value)     \
	{                                                                                          \
		return read_schema(compiler, node, value, &node->member);                          \
	}
#define SCHEMAS(name, member)                                                                      \
	static bool name(                                                                          \
		struct compiler *compiler, struct schema_node *node, const struct json *value)     \
	{                                                                                          \
		return read_schemas(compiler, node, value, &node->member);                         \
	}

NUMBER(read_minimum, minimum)
NUMBER(read_maximum, maximum)
NUMBER(read_exclusive_minimum, exclusive_minimum)
NUMBER(read_exclusive_maximum, exclusive_maximum)
COUNT(read_min_length, lengths.least)
COUNT(read_max_length, lengths.most)
COUNT(read_min_members, members.least)
COUNT(read_max_members, members.most)
COUNT(read_min_items, items_range.least)
COUNT(read_max_items, items_range.most)
COUNT(read_min_contains, contained.least)
COUNT(read_max_contains, contained.most)
SCHEMA(read_additional, additional)
SCHEMA(read_names, names)
SCHEMA(read_contains, contains)
SCHEMA(read_not, not )
SCHEMA(read_if, if_node)
SCHEMA(read_then, then_node)
SCHEMA(read_else, else_node)
SCHEMA(read_unevaluated_members, unevaluated_members)
SCHEMA(read_unevaluated_items, unevaluated_items)
SCHEMAS(read_prefix, prefix)
SCHEMAS(read_all, all)
SCHEMAS(read_any, any)
SCHEMAS(read_one, one)

static bool read_multiple_of(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	const struct json zero = json_integer(0);

	return read_number(compiler, value, &node->multiple_of) &&
	       (schema_compare(value, &zero) > 0 ||
		       wrong(compiler, "a number above 0 is expected"));
}

static bool read_unique(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	node->is_unique = value->type == JSON_BOOLEAN && value->boolean;
	return value->type == JSON_BOOLEAN || wrong(compiler, "true or false is expected");
}

static bool read_pattern_keyword(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return value->type == JSON_STRING ? read_pattern(compiler, value->string, &node->pattern)
					  : wrong(compiler, "a string is expected");
}

static bool read_required(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return read_texts(compiler, value, &node->required);
}

/* ---- keywords with members ---------------------------------------------------------------------
 */

static bool need_object(struct compiler *compiler, const struct json *value)
{
	return value->type == JSON_OBJECT || wrong(compiler, "an object is expected");
}

static bool at_member(struct compiler *compiler, struct text name)
{
	return error_wrap(compiler->err, "%.*s", TEXT_ARGS(text_head(name, 64)));
}

static int by_name(const void *a, const void *b)
{
	return text_compare(((const struct schema_property *)a)->name,
		((const struct schema_property *)b)->name);
}

static bool read_properties(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	uint32_t i;

	if (!need_object(compiler, value))
		return false;
	node->properties = arena_array(
		compiler->schema->arena, struct schema_property, (size_t)value->count + 1);
	if (node->properties == NULL)
		return no_memory(compiler);
	for (i = 0; i < value->count; i++) {
		node->properties[i].name = value->members[i].name;
		if (!read_schema(
			    compiler, node, &value->members[i].value, &node->properties[i].node))
			return at_member(compiler, value->members[i].name);
	}
	qsort(node->properties, value->count, sizeof(*node->properties), by_name);
	node->properties_count = value->count;
	return true;
}

static bool read_pattern_properties(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	uint32_t i;

	if (!need_object(compiler, value))
		return false;
	node->pattern_properties = arena_array(
		compiler->schema->arena, struct schema_pattern_property, (size_t)value->count + 1);
	if (node->pattern_properties == NULL)
		return no_memory(compiler);
	for (i = 0; i < value->count; i++) {
		struct schema_pattern_property *property = &node->pattern_properties[i];

		if (!read_pattern(compiler, value->members[i].name, &property->pattern) ||
			!read_schema(compiler, node, &value->members[i].value, &property->node))
			return at_member(compiler, value->members[i].name);
	}
	node->pattern_properties_count = value->count;
	return true;
}

/* More dependents, behind those of another keyword. */
static struct schema_dependent *more_dependents(
	struct compiler *compiler, struct schema_node *node, uint32_t count)
{
	struct schema_dependent *dependents = arena_array(compiler->schema->arena,
		struct schema_dependent, (size_t)node->dependents_count + count + 1);

	if (dependents == NULL) {
		no_memory(compiler);
		return NULL;
	}
	if (node->dependents_count > 0)
		memcpy(dependents, node->dependents, node->dependents_count * sizeof(*dependents));
	node->dependents = dependents;
	return dependents + node->dependents_count;
}

enum dependent_kind { DEPENDENT_NAMES = 1, DEPENDENT_SCHEMA = 2 };

static bool read_dependents(struct compiler *compiler, struct schema_node *node,
	const struct json *value, unsigned kinds)
{
	struct schema_dependent *at;
	uint32_t i;

	if (!need_object(compiler, value))
		return false;
	at = more_dependents(compiler, node, value->count);
	for (i = 0; at != NULL && i < value->count; i++, at++) {
		const struct json *needs = &value->members[i].value;
		bool is_names = (kinds & DEPENDENT_SCHEMA) == 0 ||
				(needs->type == JSON_ARRAY && (kinds & DEPENDENT_NAMES) != 0);

		at->name = value->members[i].name;
		if (is_names ? !read_texts(compiler, needs, &at->required)
			     : !read_schema(compiler, node, needs, &at->node))
			return at_member(compiler, at->name);
		node->dependents_count++;
	}
	return at != NULL;
}

static bool read_dependent_required(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return read_dependents(compiler, node, value, DEPENDENT_NAMES);
}

static bool read_dependent_schemas(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return read_dependents(compiler, node, value, DEPENDENT_SCHEMA);
}

static bool read_dependencies(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return read_dependents(compiler, node, value, DEPENDENT_NAMES | DEPENDENT_SCHEMA);
}

/* ---- items -------------------------------------------------------------------------------------
 */

/* Of draft-07: an array stands for what prefixItems is, and additionalItems for items. */
static bool read_items_old(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	const struct json *more = json_find(node->source, "additionalItems");

	if (value->type != JSON_ARRAY)
		return read_schema(compiler, node, value, &node->items);
	if (value->count > 0 && !read_schemas(compiler, node, value, &node->prefix))
		return false;
	return more == NULL || read_schema(compiler, node, more, &node->items);
}

static bool read_items(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return read_schema(compiler, node, value, &node->items);
}

/* ---- definitions and references
 * ------------------------------------------------------------------ */

static bool read_definitions(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	uint32_t i;

	if (!need_object(compiler, value))
		return false;
	for (i = 0; i < value->count; i++) {
		struct schema_node *unused;

		if (!read_schema(compiler, node, &value->members[i].value, &unused))
			return at_member(compiler, value->members[i].name);
	}
	return true;
}

static bool note_reference(struct compiler *compiler, struct schema_node *node,
	const struct json *value, bool is_dynamic)
{
	struct pending *pending;

	if (value->type != JSON_STRING)
		return wrong(compiler, "a reference is expected");
	pending = arena_new(compiler->schema->arena, struct pending);
	if (pending == NULL)
		return no_memory(compiler);
	*pending = (struct pending){node, value->string, is_dynamic, compiler->pending};
	compiler->pending = pending;
	return true;
}

static bool read_ref(struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return note_reference(compiler, node, value, false);
}

static bool read_dynamic_ref(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return note_reference(compiler, node, value, true);
}

static bool add_anchor(
	struct compiler *compiler, struct schema_node *node, struct text name, bool is_dynamic)
{
	struct json_schema *schema = compiler->schema;
	struct schema_anchor *anchor;

	for (anchor = schema->anchors; anchor != NULL; anchor = anchor->next)
		if (anchor->resource == node->resource && text_equal(anchor->name, name) &&
			anchor->node != node)
			return wrong(compiler, "the anchor is there twice");
	anchor = arena_new(schema->arena, struct schema_anchor);
	if (anchor == NULL)
		return no_memory(compiler);
	*anchor = (struct schema_anchor){node->resource, name, node, is_dynamic, schema->anchors};
	schema->anchors = anchor;
	return true;
}

static bool read_anchor(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return value->type == JSON_STRING ? add_anchor(compiler, node, value->string, false)
					  : wrong(compiler, "a name is expected");
}

static bool read_dynamic_anchor(
	struct compiler *compiler, struct schema_node *node, const struct json *value)
{
	return value->type == JSON_STRING ? add_anchor(compiler, node, value->string, true)
					  : wrong(compiler, "a name is expected");
}

/* ---- the keywords ------------------------------------------------------------------------------
 */

enum { BOTH = DIALECT_2020_12 | DIALECT_DRAFT_07 };

static const struct {
	const char *name;
	unsigned dialects;
	keyword_read *read;
} keywords[] = {
	{"type", BOTH, read_type},
	{"properties", BOTH, read_properties},
	{"required", BOTH, read_required},
	{"additionalProperties", BOTH, read_additional},
	{"enum", BOTH, read_enum},
	{"const", BOTH, read_const},
	{"minimum", BOTH, read_minimum},
	{"maximum", BOTH, read_maximum},
	{"exclusiveMinimum", BOTH, read_exclusive_minimum},
	{"exclusiveMaximum", BOTH, read_exclusive_maximum},
	{"multipleOf", BOTH, read_multiple_of},
	{"minLength", BOTH, read_min_length},
	{"maxLength", BOTH, read_max_length},
	{"pattern", BOTH, read_pattern_keyword},
	{"items", DIALECT_2020_12, read_items},
	{"items", DIALECT_DRAFT_07, read_items_old},
	{"prefixItems", DIALECT_2020_12, read_prefix},
	{"minItems", BOTH, read_min_items},
	{"maxItems", BOTH, read_max_items},
	{"uniqueItems", BOTH, read_unique},
	{"contains", BOTH, read_contains},
	{"minContains", DIALECT_2020_12, read_min_contains},
	{"maxContains", DIALECT_2020_12, read_max_contains},
	{"minProperties", BOTH, read_min_members},
	{"maxProperties", BOTH, read_max_members},
	{"patternProperties", BOTH, read_pattern_properties},
	{"propertyNames", BOTH, read_names},
	{"dependentRequired", DIALECT_2020_12, read_dependent_required},
	{"dependentSchemas", DIALECT_2020_12, read_dependent_schemas},
	{"dependencies", DIALECT_DRAFT_07, read_dependencies},
	{"allOf", BOTH, read_all},
	{"anyOf", BOTH, read_any},
	{"oneOf", BOTH, read_one},
	{"not", BOTH, read_not},
	{"if", BOTH, read_if},
	{"then", BOTH, read_then},
	{"else", BOTH, read_else},
	{"unevaluatedProperties", DIALECT_2020_12, read_unevaluated_members},
	{"unevaluatedItems", DIALECT_2020_12, read_unevaluated_items},
	{"$ref", BOTH, read_ref},
	{"$dynamicRef", DIALECT_2020_12, read_dynamic_ref},
	{"$anchor", DIALECT_2020_12, read_anchor},
	{"$dynamicAnchor", DIALECT_2020_12, read_dynamic_anchor},
	{"$defs", BOTH, read_definitions},
	{"definitions", BOTH, read_definitions},
};

static keyword_read *keyword_find(const struct compiler *compiler, struct text name)
{
	size_t i;

	for (i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if ((keywords[i].dialects & compiler->dialect) != 0 &&
			text_is(name, keywords[i].name))
			return keywords[i].read;
	return NULL;
}

/* ---- nodes
 * ---------------------------------------------------------------------------------------- */

static struct schema_node **slot_of(const struct compiler *compiler, const struct json *source)
{
	size_t slot = ((uintptr_t)source / sizeof(*source)) * 2654435761u % NODE_SLOTS;

	while (compiler->slots[slot] != NULL && compiler->slots[slot]->source != source)
		slot = (slot + 1) % NODE_SLOTS;
	return &compiler->slots[slot];
}

static bool add_node(struct compiler *compiler, const struct json *source,
	struct schema_resource *resource, struct schema_node **out)
{
	static const struct schema_range any = {0, INT64_MAX};
	struct schema_node *node;

	if (compiler->nodes_count == JSON_SCHEMA_NODES_MAX)
		return error_set(compiler->err, ERROR_LIMIT, "more than %d subschemas",
			JSON_SCHEMA_NODES_MAX);
	node = arena_new(compiler->schema->arena, struct schema_node);
	if (node == NULL)
		return no_memory(compiler);
	*slot_of(compiler, source) = node;
	compiler->nodes_count++;
	node->source = source;
	node->resource = resource;
	node->lengths = node->members = node->items_range = any;
	node->contained = (struct schema_range){1, INT64_MAX};
	*out = node;
	return true;
}

static struct schema_resource *find_resource(const struct json_schema *schema, struct text uri)
{
	struct schema_resource *resource = schema->resources;

	while (resource != NULL && !text_equal(resource->uri, uri))
		resource = resource->next;
	return resource;
}

static bool add_resource(struct compiler *compiler, struct schema_node *node, struct text uri)
{
	struct json_schema *schema = compiler->schema;
	struct schema_resource *resource;

	if (find_resource(schema, uri) != NULL)
		return wrong(compiler, "the $id is there twice");
	resource = arena_new(schema->arena, struct schema_resource);
	if (resource == NULL)
		return no_memory(compiler);
	*resource = (struct schema_resource){.uri = uri, .root = node->source};
	if (schema->resources == NULL) {
		schema->resources = resource;
	} else { /* behind the root's */
		resource->next = schema->resources->next;
		schema->resources->next = resource;
	}
	node->resource = resource;
	return true;
}

/* In draft-07 "#name" is an anchor. */
static bool read_id(struct compiler *compiler, struct schema_node *node)
{
	const struct json *id = json_find(node->source, "$id");
	struct text fragment;
	struct text uri;

	if (id == NULL)
		return true;
	if (id->type != JSON_STRING)
		return wrong(compiler, "$id: a URI is expected");
	fragment = schema_uri_fragment(compiler->schema->arena, id->string);
	if (fragment.data == NULL)
		return wrong(compiler, "$id: it is malformed");
	if (fragment.length > 0 && compiler->dialect != DIALECT_DRAFT_07)
		return wrong(compiler, "$id: it has a fragment");
	uri = schema_uri_resolve(compiler->schema->arena,
		node->resource == NULL ? TEXT("") : node->resource->uri, id->string);
	if (uri.data == NULL)
		return no_memory(compiler);
	if ((node->resource == NULL || !text_equal(uri, node->resource->uri)) &&
		!add_resource(compiler, node, uri))
		return false;
	return fragment.length == 0 || fragment.data[0] == '/' ||
	       add_anchor(compiler, node, fragment, false);
}

/* `$ref` of draft-07 stands alone; definitions beside it are still definitions. */
static bool is_read(
	const struct compiler *compiler, const struct schema_node *node, struct text name)
{
	return compiler->dialect != DIALECT_DRAFT_07 || json_find(node->source, "$ref") == NULL ||
	       text_is(name, "$ref") || text_is(name, "definitions");
}

static bool read_keywords(struct compiler *compiler, struct schema_node *node)
{
	const struct json *source = node->source;
	uint32_t i;

	for (i = 0; i < source->count; i++) {
		const struct json_member *member = &source->members[i];
		keyword_read *read = is_read(compiler, node, member->name)
					     ? keyword_find(compiler, member->name)
					     : NULL;

		if (read != NULL && !read(compiler, node, &member->value))
			return at_member(compiler, member->name);
	}
	return true;
}

static bool read_object(struct compiler *compiler, struct schema_node *node)
{
	if (is_read(compiler, node, TEXT("$id")) && !read_id(compiler, node))
		return false;
	if (node->resource == NULL && !add_resource(compiler, node, TEXT("")))
		return false;
	return read_keywords(compiler, node);
}

static bool compile_node(struct compiler *compiler, const struct json *source,
	struct schema_resource *resource, struct schema_node **out)
{
	bool ok = true;

	*out = *slot_of(compiler, source);
	if (*out != NULL)
		return true;
	if (source->type != JSON_OBJECT && source->type != JSON_BOOLEAN)
		return wrong(compiler, "a schema is expected: an object, true or false");
	if (compiler->nesting == JSON_SCHEMA_NESTING_MAX)
		return error_set(compiler->err, ERROR_LIMIT, "more than %d schemas in each other",
			JSON_SCHEMA_NESTING_MAX);
	if (!add_node(compiler, source, resource, out))
		return false;
	if (source->type == JSON_BOOLEAN) {
		(*out)->truth = source->boolean ? SCHEMA_ALWAYS : SCHEMA_NEVER;
		return true;
	}
	compiler->nesting++;
	ok = read_object(compiler, *out);
	compiler->nesting--;
	return ok;
}

/* ---- references
 * ------------------------------------------------------------------------------------- */

static const struct schema_anchor *find_anchor(
	const struct json_schema *schema, const struct schema_resource *resource, struct text name)
{
	const struct schema_anchor *anchor = schema->anchors;

	while (anchor != NULL && (anchor->resource != resource || !text_equal(anchor->name, name)))
		anchor = anchor->next;
	return anchor;
}

static const struct json *item_at(const struct json *array, struct text token)
{
	int64_t index;

	return text_to_int64(token, &index) && index >= 0 && index < array->count
		       ? &array->items[index]
		       : NULL;
}

/* Follows a pointer through the document; the resource is that of the last schema on the
 * way. */
static bool follow_pointer(struct compiler *compiler, struct schema_resource *resource,
	struct text pointer, struct schema_node **out)
{
	const struct json *at = resource->root;

	while (pointer.length > 0 && at != NULL) {
		struct text token = schema_pointer_token(compiler->schema->arena, &pointer);
		const struct schema_node *known;

		if (token.data == NULL)
			return no_memory(compiler);
		at = at->type == JSON_ARRAY ? item_at(at, token) : json_find_text(at, token);
		known = at == NULL ? NULL : *slot_of(compiler, at);
		if (known != NULL)
			resource = known->resource == NULL ? resource : known->resource;
	}
	if (at == NULL)
		return wrong(compiler, "it points to nothing in the document");
	return compile_node(compiler, at, resource, out);
}

static bool resolve_fragment(struct compiler *compiler, struct schema_resource *resource,
	const struct pending *pending, struct schema_node **out)
{
	struct text fragment = schema_uri_fragment(compiler->schema->arena, pending->reference);
	const struct schema_anchor *anchor;

	if (fragment.data == NULL)
		return wrong(compiler, "it is malformed");
	if (fragment.length == 0 || fragment.data[0] == '/')
		return follow_pointer(compiler, resource, fragment, out);
	anchor = find_anchor(compiler->schema, resource, fragment);
	if (anchor == NULL)
		return wrong(compiler, "there is no such anchor in the document");
	*out = anchor->node;
	if (pending->is_dynamic && anchor->is_dynamic)
		pending->node->dynamic_name = fragment;
	return true;
}

static bool resolve(struct compiler *compiler, const struct pending *pending)
{
	struct schema_resource *own = pending->node->resource;
	struct text uri = schema_uri_resolve(compiler->schema->arena, own->uri, pending->reference);
	struct schema_node **out =
		pending->is_dynamic ? &pending->node->dynamic : &pending->node->reference;
	struct schema_resource *resource;

	if (uri.data == NULL)
		return no_memory(compiler);
	resource = text_starts_with(pending->reference, "#") ? own
							     : find_resource(compiler->schema, uri);
	if (resource == NULL)
		return wrong(compiler, "it is not in the document, and nothing is loaded");
	return resolve_fragment(compiler, resource, pending, out);
}

/* What is resolved may bring more. */
static bool resolve_all(struct compiler *compiler)
{
	while (compiler->pending != NULL) {
		const struct pending *pending = compiler->pending;

		compiler->pending = pending->next;
		if (!resolve(compiler, pending))
			return error_wrap(compiler->err, "the reference %.*s",
				(int)(pending->reference.length > 96 ? 96
								     : pending->reference.length),
				pending->reference.data);
	}
	return true;
}

/* ---- the whole
 * --------------------------------------------------------------------------------------- */

static bool read_dialect(struct compiler *compiler, const struct json *source)
{
	static const struct {
		const char *uri;
		enum schema_dialect dialect;
	} dialects[] = {
		{"https://json-schema.org/draft/2020-12/schema", DIALECT_2020_12},
		{"http://json-schema.org/draft-07/schema", DIALECT_DRAFT_07},
		{"https://json-schema.org/draft-07/schema", DIALECT_DRAFT_07},
	};
	struct text uri = json_text_or(source, "$schema", dialects[0].uri);
	size_t i;

	if (uri.length > 0 && uri.data[uri.length - 1] == '#')
		uri.length--;
	for (i = 0; i < sizeof(dialects) / sizeof(*dialects); i++)
		if (text_is(uri, dialects[i].uri)) {
			compiler->dialect = dialects[i].dialect;
			return true;
		}
	return wrong(compiler, "$schema: only drafts 2020-12 and 07 are known");
}

bool schema_build(struct json_schema *schema, struct error *err)
{
	struct compiler compiler = {.schema = schema, .err = err};
	bool ok = false;

	compiler.slots = calloc(NODE_SLOTS, sizeof(*compiler.slots));
	if (compiler.slots == NULL)
		no_memory(&compiler);
	else
		ok = read_dialect(&compiler, &schema->source) &&
		     compile_node(&compiler, &schema->source, NULL, &schema->root) &&
		     resolve_all(&compiler);
	free(compiler.slots);
	return ok;
}

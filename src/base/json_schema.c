/* Validation: one walk of the value with the compiled schema.
 *
 * Invariants:
 *  1. Every subschema that is looked at, value compared and expression matched is counted in
 *     run->steps; beyond the bound the answer is UNDECIDED, whatever was found (a branch
 *     that gave up looks like one that does not hold, and `not` would turn it).
 *  2. marks are the members or items of one value that were evaluated so far.  Only a
 *     schema with unevaluated… asks for them; a branch that does not hold leaves none.
 *  3. The fault is the first that was met outside of branches that may fail. */

#include "base/json_schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_schema_private.h"

enum {
	SCHEMA_ARENA_BYTES_MAX = 16 * 1024 * 1024,
	SCRATCH_ARENA_BYTES_MAX = 8 * 1024 * 1024,
	MARKS_PER_STEP = 16,
	BYTES_PER_STEP = 64,
	NAMES_PER_STEP = 8,
	PLACES_MAX = 64, /* segments of a pointer that is shown; deeper ones are cut */
};

/* ---- schemas ------------------------------------------------------------------------------- */

bool json_schema_compile(struct json_schema **out, const struct json *source, struct error *err)
{
	struct json_schema *schema = calloc(1, sizeof(*schema));

	*out = NULL;
	if (schema == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a schema");
	schema->arena = arena_create_small(SCHEMA_ARENA_BYTES_MAX, 8192);
	schema->scratch = arena_create_small(SCRATCH_ARENA_BYTES_MAX, 1024);
	if (schema->arena == NULL || schema->scratch == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a schema");
	else if (json_copy(&schema->source, schema->arena, source, err) &&
		 schema_build(schema, err)) {
		*out = schema;
		return true;
	}
	json_schema_destroy(&schema);
	return false;
}

void json_schema_destroy(struct json_schema **schema)
{
	if (*schema == NULL)
		return;
	schema_patterns_destroy(&(*schema)->patterns);
	arena_destroy(&(*schema)->scratch);
	arena_destroy(&(*schema)->arena);
	free(*schema);
	*schema = NULL;
}

/* ---- a run ----------------------------------------------------------------------------------- */

struct run {
	struct json_schema *schema;
	struct json_schema_fault *fault;
	uint32_t steps;
	bool is_undecided;
	bool has_fault;
};

/* One step down into the value.  Without a name and an index it is "*". */
struct place {
	const struct place *above;
	struct text name; /* as the schema spells it */
	int64_t index;    /* or -1 */
};

/* The resources that the walk went through. */
struct scope {
	const struct scope *outer;
	const struct schema_resource *resource;
};

/* Where a subschema is looked at, and by whom. */
struct situation {
	const struct place *place; /* NULL: the whole value */
	const struct scope *scope;
	uint8_t *marks; /* one for each member or item of the value; NULL: nobody asks */
	uint32_t depth;
	bool is_quiet; /* it may fail */
};

static bool holds(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at);

/* ---- faults -------------------------------------------------------------------------------- */

static size_t append(char *out, size_t room, size_t length, struct text text)
{
	size_t count = text.length < room - 1 - length ? text.length : room - 1 - length;

	while (count > 0 && count < text.length && ((unsigned char)text.data[count] & 0xC0) == 0x80)
		count--; /* not in the middle of a letter */
	if (count > 0)
		memcpy(out + length, text.data, count);
	out[length + count] = '\0';
	return length + count;
}

/* False: it did not fit whole. */
static bool append_escaped(char *out, size_t room, size_t *length, struct text name)
{
	size_t at = 0;

	while (at < name.length) {
		size_t size = utf8_sequence_size(name.data + at, name.length - at);
		struct text letter = {name.data + at, size};
		size_t before = *length;

		if (size == 1 && *letter.data == '~')
			letter = TEXT("~0");
		else if (size == 1 && *letter.data == '/')
			letter = TEXT("~1");
		*length = append(out, room, *length, letter);
		if (size == 0 || *length - before != letter.length)
			return false;
		at += size;
	}
	return true;
}

static bool append_place(char *out, size_t room, size_t *length, const struct place *place)
{
	char number[24] = "*";

	*length = append(out, room, *length, TEXT("/"));
	if (place->name.data != NULL)
		return append_escaped(out, room, length, place->name);
	if (place->index >= 0)
		(void)snprintf(number, sizeof(number), "%" PRId64, place->index);
	return append_escaped(out, room, length, text_of(number));
}

static void write_pointer(char out[JSON_SCHEMA_POINTER_BYTES], const struct place *place)
{
	const struct place *places[PLACES_MAX];
	const size_t room = JSON_SCHEMA_POINTER_BYTES - 3; /* for the dots */
	size_t count = 0, length = 0;
	bool is_whole = true;

	out[0] = '\0';
	for (; place != NULL; place = place->above) {
		if (count == PLACES_MAX) { /* keep the outermost */
			memmove(places, places + 1, (PLACES_MAX - 1) * sizeof(*places));
			count--;
			is_whole = false;
		}
		places[count++] = place;
	}
	for (; count > 0 && length < room - 1; count--)
		if (!append_place(out, room, &length, places[count - 1]))
			break;
	if (count > 0 || !is_whole)
		(void)append(out, JSON_SCHEMA_POINTER_BYTES, length, TEXT("..."));
}

/* True while there is a fault to be filled, which then is. */
static bool begin_fault(struct run *run, const struct situation *at, const char *keyword)
{
	if (at->is_quiet || run->is_undecided || run->has_fault)
		return false;
	run->has_fault = true;
	if (run->fault == NULL)
		return false;
	write_pointer(run->fault->pointer, at->place);
	run->fault->keyword = keyword;
	return true;
}

/* "must …"; what stands behind it is quoted from the schema. */
static bool refuse(struct run *run, const struct situation *at, const char *keyword,
	const char *sentence, struct text quoted)
{
	if (begin_fault(run, at, keyword)) {
		const size_t room = sizeof(run->fault->text);
		size_t length = append(run->fault->text, room, 0, text_of(sentence));

		(void)append(run->fault->text, room, length, quoted);
	}
	return false;
}

static bool refuse_plain(
	struct run *run, const struct situation *at, const char *keyword, const char *sentence)
{
	return refuse(run, at, keyword, sentence, TEXT(""));
}

static bool refuse_number(struct run *run, const struct situation *at, const char *keyword,
	const char *sentence, int64_t number)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRId64, number);
	return refuse(run, at, keyword, sentence, text_of(digits));
}

/* The bound is in the place of the keyword. */
static bool give_up(struct run *run, const struct situation *at, const char *bound)
{
	if (run->is_undecided)
		return false;
	if (run->fault != NULL) {
		write_pointer(run->fault->pointer, at->place);
		run->fault->keyword = bound;
		(void)append(run->fault->text, sizeof(run->fault->text), 0,
			TEXT("takes too much to check"));
	}
	run->is_undecided = true;
	return false;
}

static bool spend(struct run *run, const struct situation *at, size_t steps)
{
	if (steps >= JSON_SCHEMA_STEPS_MAX)
		steps = JSON_SCHEMA_STEPS_MAX;
	run->steps += (uint32_t)steps;
	return !run->is_undecided &&
	       (run->steps <= JSON_SCHEMA_STEPS_MAX || give_up(run, at, "steps"));
}

/* ---- any value ------------------------------------------------------------------------------ */

static unsigned types_of(const struct json *value)
{
	switch (value->type) {
	case JSON_BOOLEAN: return SCHEMA_TYPE_BOOLEAN;
	case JSON_INTEGER:
	case JSON_DOUBLE:
		return SCHEMA_TYPE_NUMBER | (schema_is_integer(value) ? SCHEMA_TYPE_INTEGER : 0u);
	case JSON_STRING: return SCHEMA_TYPE_STRING;
	case JSON_ARRAY: return SCHEMA_TYPE_ARRAY;
	case JSON_OBJECT: return SCHEMA_TYPE_OBJECT;
	case JSON_NULL:
	default: return SCHEMA_TYPE_NULL;
	}
}

static bool refuse_type(struct run *run, const struct situation *at, unsigned types)
{
	static const char *const names[] = {
		"null", "boolean", "integer", "number", "string", "array", "object"};
	char list[96];
	size_t i, length = 0;

	list[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((types & (1u << i)) != 0) {
			length = append(
				list, sizeof(list), length, length == 0 ? TEXT("") : TEXT(" or "));
			length = append(list, sizeof(list), length, text_of(names[i]));
		}
	return refuse(run, at, "type", "must be ", text_of(list));
}

static bool check_choices(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	uint32_t i;

	if (node->constant != NULL && !schema_equal(value, node->constant, &run->steps))
		return refuse_plain(run, at, "const", "must be the one value of the schema");
	if (node->choices == NULL)
		return spend(run, at, 0);
	for (i = 0; i < node->choices->count; i++)
		if (schema_equal(value, &node->choices->items[i], &run->steps))
			return spend(run, at, 0);
	return refuse_plain(run, at, "enum", "must be one of the values of the schema");
}

static bool check_any_value(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	if (node->types != 0 && (node->types & types_of(value)) == 0)
		return refuse_type(run, at, node->types);
	return (node->constant == NULL && node->choices == NULL) ||
	       check_choices(run, node, value, at);
}

/* ---- numbers and strings ----------------------------------------------------------------------
 */

static bool refuse_bound(struct run *run, const struct situation *at, const char *keyword,
	const char *sentence, const struct json *bound)
{
	char number[32];

	if (bound->type == JSON_INTEGER)
		return refuse_number(run, at, keyword, sentence, bound->integer);
	(void)snprintf(number, sizeof(number), "%.15g", bound->number);
	return refuse(run, at, keyword, sentence, text_of(number));
}

static bool check_number(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	if (node->minimum != NULL && schema_compare(value, node->minimum) < 0)
		return refuse_bound(run, at, "minimum", "must be at least ", node->minimum);
	if (node->maximum != NULL && schema_compare(value, node->maximum) > 0)
		return refuse_bound(run, at, "maximum", "must be at most ", node->maximum);
	if (node->exclusive_minimum != NULL && schema_compare(value, node->exclusive_minimum) <= 0)
		return refuse_bound(
			run, at, "exclusiveMinimum", "must be more than ", node->exclusive_minimum);
	if (node->exclusive_maximum != NULL && schema_compare(value, node->exclusive_maximum) >= 0)
		return refuse_bound(
			run, at, "exclusiveMaximum", "must be less than ", node->exclusive_maximum);
	if (node->multiple_of != NULL && !schema_is_multiple(value, node->multiple_of))
		return refuse_bound(
			run, at, "multipleOf", "must be a multiple of ", node->multiple_of);
	return true;
}

static int64_t letters_of(struct text text)
{
	int64_t count = 0;
	size_t i;

	for (i = 0; i < text.length; i++)
		count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
	return count;
}

static bool check_length(struct run *run, const struct schema_node *node, struct text string,
	const struct situation *at)
{
	int64_t letters;

	if (node->lengths.least == 0 && node->lengths.most == INT64_MAX)
		return true;
	if (!spend(run, at, string.length / BYTES_PER_STEP))
		return false;
	letters = letters_of(string);
	if (letters < node->lengths.least)
		return refuse_number(run, at, "minLength",
			"must have at least so many characters: ", node->lengths.least);
	return letters <= node->lengths.most ||
	       refuse_number(run, at, "maxLength",
		       "must have at most so many characters: ", node->lengths.most);
}

/* Whether it matches; NO as well where that could not be found out (is_undecided). */
static bool matches(struct run *run, const struct schema_pattern *pattern, struct text subject,
	const struct situation *at)
{
	switch (schema_pattern_match(run->schema->patterns, pattern, subject, &run->steps)) {
	case MATCH_YES: return spend(run, at, 0);
	case MATCH_NO: return false;
	case MATCH_EXHAUSTED:
	default: return give_up(run, at, "pattern");
	}
}

static bool check_string(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	if (!check_length(run, node, value->string, at))
		return false;
	return node->pattern == NULL || matches(run, node->pattern, value->string, at) ||
	       refuse_plain(run, at, "pattern", "must match the pattern of the schema");
}

/* ---- objects ----------------------------------------------------------------------------------
 */

static bool has_names(struct run *run, const struct json *names, const struct json *value,
	const struct situation *at, const char *keyword)
{
	uint32_t i;

	for (i = 0; names != NULL && i < names->count; i++) {
		if (!spend(run, at, 1 + value->count / NAMES_PER_STEP))
			return false;
		if (json_find_text(value, names->items[i].string) == NULL)
			return refuse(
				run, at, keyword, "must have the member ", names->items[i].string);
	}
	return true;
}

static bool check_member_names(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	const struct place place = {.above = at->place, .index = -1};
	struct situation inner = *at;
	uint32_t i;

	inner.place = &place;
	inner.marks = NULL;
	inner.is_quiet = true; /* a name is the caller's: it is not told */
	for (i = 0; i < value->count; i++) {
		const struct json name = json_string(value->members[i].name);

		if (!holds(run, node->names, &name, &inner))
			return refuse_plain(run, at, "propertyNames",
				"must have such members only as the schema lets be named");
	}
	return true;
}

static const struct schema_property *find_property(const struct schema_node *node, struct text name)
{
	size_t low = 0, high = node->properties_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int ordered = text_compare(node->properties[middle].name, name);

		if (ordered == 0)
			return &node->properties[middle];
		if (ordered < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool member_holds(struct run *run, const struct schema_node *node,
	const struct json_member *member, struct text name, const struct situation *at)
{
	const struct place place = {.above = at->place, .name = name, .index = -1};
	struct situation inner = *at;

	inner.place = &place;
	inner.marks = NULL;
	return holds(run, node, &member->value, &inner);
}

static bool check_additional(struct run *run, const struct schema_node *node,
	const struct json_member *member, const struct situation *at)
{
	if (node->additional->truth == SCHEMA_NEVER)
		return refuse_plain(run, at, "additionalProperties",
			"must not have members that the schema does not name");
	return member_holds(run, node->additional, member, (struct text){0}, at);
}

/* One member against properties, patternProperties and additionalProperties. */
static bool check_member(struct run *run, const struct schema_node *node,
	const struct json_member *member, const struct situation *at, bool *is_evaluated)
{
	const struct schema_property *property = find_property(node, member->name);
	struct text shown = property == NULL ? (struct text){0} : property->name;
	uint32_t i;

	*is_evaluated = property != NULL;
	if (property != NULL && !member_holds(run, property->node, member, shown, at))
		return false;
	for (i = 0; i < node->pattern_properties_count; i++) {
		const struct schema_pattern_property *by = &node->pattern_properties[i];

		if (!matches(run, by->pattern, member->name, at)) {
			if (run->is_undecided)
				return false;
			continue;
		}
		*is_evaluated = true;
		if (!member_holds(run, by->node, member, shown, at))
			return false;
	}
	if (*is_evaluated || node->additional == NULL)
		return true;
	*is_evaluated = true;
	return check_additional(run, node, member, at);
}

static bool check_members(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	uint32_t i;

	if (node->properties_count == 0 && node->pattern_properties_count == 0 &&
		node->additional == NULL)
		return true;
	for (i = 0; i < value->count; i++) {
		bool is_evaluated;

		if (!spend(run, at, 1) ||
			!check_member(run, node, &value->members[i], at, &is_evaluated))
			return false;
		if (at->marks != NULL && is_evaluated)
			at->marks[i] = 1;
	}
	return true;
}

static bool check_dependents(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	uint32_t i;

	for (i = 0; i < node->dependents_count; i++) {
		const struct schema_dependent *dependent = &node->dependents[i];

		if (!spend(run, at, 1 + value->count / NAMES_PER_STEP))
			return false;
		if (json_find_text(value, dependent->name) == NULL)
			continue;
		if (!has_names(run, dependent->required, value, at, "dependentRequired") ||
			(dependent->node != NULL && !holds(run, dependent->node, value, at)))
			return false;
	}
	return true;
}

static bool check_object(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	if (value->count < node->members.least)
		return refuse_number(run, at, "minProperties",
			"must have at least so many members: ", node->members.least);
	if (value->count > node->members.most)
		return refuse_number(run, at, "maxProperties",
			"must have at most so many members: ", node->members.most);
	return has_names(run, node->required, value, at, "required") &&
	       (node->names == NULL || check_member_names(run, node, value, at)) &&
	       check_members(run, node, value, at) && check_dependents(run, node, value, at);
}

/* ---- arrays -----------------------------------------------------------------------------------
 */

static bool item_holds(struct run *run, const struct schema_node *node, const struct json *value,
	uint32_t index, const struct situation *at)
{
	const struct place place = {.above = at->place, .index = index};
	struct situation inner = *at;

	inner.place = &place;
	inner.marks = NULL;
	return holds(run, node, &value->items[index], &inner);
}

static bool check_items(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	uint32_t i;

	for (i = 0; i < value->count; i++) {
		const struct schema_node *item =
			i < node->prefix.count ? node->prefix.items[i] : node->items;

		if (item == NULL)
			break;
		if (item == node->items && item->truth == SCHEMA_NEVER)
			return refuse_number(run, at, "items",
				"must have at most so many items: ", node->prefix.count);
		if (!item_holds(run, item, value, i, at))
			return false;
		if (at->marks != NULL)
			at->marks[i] = 1;
	}
	return true;
}

static bool check_contains(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	struct situation inner = *at;
	int64_t count = 0;
	uint32_t i;

	inner.is_quiet = true;
	for (i = 0; i < value->count; i++)
		if (item_holds(run, node->contains, value, i, &inner)) {
			count++;
			if (at->marks != NULL)
				at->marks[i] = 1;
		}
	if (count < node->contained.least)
		return refuse_number(run, at,
			node->contained.least == 1 ? "contains" : "minContains",
			"must have at least so many items as the schema wants: ",
			node->contained.least);
	return count <= node->contained.most ||
	       refuse_number(run, at, "maxContains",
		       "must have at most so many items as the schema wants: ",
		       node->contained.most);
}

static bool check_unique(struct run *run, const struct json *value, const struct situation *at)
{
	switch (schema_is_unique(value, run->schema->scratch, &run->steps)) {
	case UNIQUE_YES: return spend(run, at, 0);
	case UNIQUE_NO:
		return refuse_plain(run, at, "uniqueItems", "must not have two items alike");
	case UNIQUE_EXHAUSTED:
	default: return give_up(run, at, "uniqueItems");
	}
}

static bool check_array(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	if (value->count < node->items_range.least)
		return refuse_number(run, at, "minItems",
			"must have at least so many items: ", node->items_range.least);
	if (value->count > node->items_range.most)
		return refuse_number(run, at, "maxItems",
			"must have at most so many items: ", node->items_range.most);
	return check_items(run, node, value, at) &&
	       (node->contains == NULL || check_contains(run, node, value, at)) &&
	       (!node->is_unique || check_unique(run, value, at));
}

/* ---- subschemas of the same value ---------------------------------------------------------------
 */

/* Fresh marks for a value, or NULL: is_undecided then says why. */
static uint8_t *fresh_marks(struct run *run, const struct json *value, const struct situation *at)
{
	uint8_t *marks;

	if (!spend(run, at, 1 + value->count / MARKS_PER_STEP))
		return NULL;
	marks = arena_array(run->schema->scratch, uint8_t, (size_t)value->count + 1);
	if (marks == NULL)
		give_up(run, at, "memory");
	return marks;
}

static void merge_marks(uint8_t *into, const uint8_t *from, const struct json *value)
{
	uint32_t i;

	for (i = 0; into != NULL && i < value->count; i++)
		into[i] |= from[i];
}

/* A subschema that may fail: then it leaves nothing behind. */
static bool branch_holds(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	struct situation inner = *at;
	bool ok;

	inner.is_quiet = true;
	if (at->marks != NULL) {
		inner.marks = fresh_marks(run, value, at);
		if (inner.marks == NULL)
			return false;
	}
	ok = holds(run, node, value, &inner);
	if (ok && at->marks != NULL)
		merge_marks(at->marks, inner.marks, value);
	return ok;
}

static bool check_all(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	uint32_t i;

	for (i = 0; i < node->all.count; i++)
		if (!holds(run, node->all.items[i], value, at))
			return false;
	return true;
}

/* Where marks are asked for, every branch that holds adds to them. */
static bool check_any(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	bool holds_one = node->any.count == 0;
	uint32_t i;

	for (i = 0; i < node->any.count && (!holds_one || at->marks != NULL); i++)
		holds_one |= branch_holds(run, node->any.items[i], value, at);
	return holds_one ||
	       refuse_plain(run, at, "anyOf", "must have one of the forms of the schema");
}

static bool check_one(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	uint32_t i, count = 0;

	for (i = 0; i < node->one.count && count < 2; i++)
		count += branch_holds(run, node->one.items[i], value, at);
	return node->one.count == 0 || count == 1 ||
	       refuse_plain(run, at, "oneOf", "must have exactly one of the forms of the schema");
}

static bool check_not(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	struct situation inner = *at;

	if (node->not == NULL)
		return true;
	inner.marks = NULL;
	return !branch_holds(run, node->not, value, &inner) ||
	       refuse_plain(run, at, "not", "must not have the form that the schema excludes");
}

static bool check_if(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	const struct schema_node *then;

	if (node->if_node == NULL)
		return true;
	then = branch_holds(run, node->if_node, value, at) ? node->then_node : node->else_node;
	return then == NULL || holds(run, then, value, at);
}

/* The outermost resource on the way here that has this dynamic anchor, else the one that
 * the reference names. */
static const struct schema_node *dynamic_target(
	const struct run *run, const struct schema_node *node, const struct situation *at)
{
	const struct schema_node *target = node->dynamic;
	const struct scope *scope = at->scope;

	for (; node->dynamic_name.length > 0 && scope != NULL; scope = scope->outer) {
		const struct schema_anchor *anchor = run->schema->anchors;

		for (; anchor != NULL; anchor = anchor->next)
			if (anchor->is_dynamic && anchor->resource == scope->resource &&
				text_equal(anchor->name, node->dynamic_name))
				target = anchor->node;
	}
	return target;
}

static bool check_references(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	if (node->reference != NULL && !holds(run, node->reference, value, at))
		return false;
	return node->dynamic == NULL || holds(run, dynamic_target(run, node, at), value, at);
}

static bool check_same_value(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	return check_references(run, node, value, at) && check_all(run, node, value, at) &&
	       check_any(run, node, value, at) && check_one(run, node, value, at) &&
	       check_not(run, node, value, at) && check_if(run, node, value, at);
}

/* ---- what nothing has evaluated
 * ------------------------------------------------------------------ */

static bool check_unevaluated_members(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	uint32_t i;

	for (i = 0; i < value->count; i++) {
		if (at->marks[i])
			continue;
		if (node->unevaluated_members->truth == SCHEMA_NEVER)
			return refuse_plain(run, at, "unevaluatedProperties",
				"must not have members that the schema does not name");
		if (!member_holds(run, node->unevaluated_members, &value->members[i],
			    (struct text){0}, at))
			return false;
		at->marks[i] = 1;
	}
	return true;
}

static bool check_unevaluated_items(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	uint32_t i;

	for (i = 0; i < value->count; i++) {
		if (at->marks[i])
			continue;
		if (node->unevaluated_items->truth == SCHEMA_NEVER)
			return refuse_plain(run, at, "unevaluatedItems",
				"must not have items that the schema does not know");
		if (!item_holds(run, node->unevaluated_items, value, i, at))
			return false;
		at->marks[i] = 1;
	}
	return true;
}

/* ---- one subschema ------------------------------------------------------------------------------
 */

static bool check_own(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	if (!check_any_value(run, node, value, at))
		return false;
	switch (value->type) {
	case JSON_INTEGER:
	case JSON_DOUBLE: return check_number(run, node, value, at);
	case JSON_STRING: return check_string(run, node, value, at);
	case JSON_ARRAY: return check_array(run, node, value, at);
	case JSON_OBJECT: return check_object(run, node, value, at);
	case JSON_NULL:
	case JSON_BOOLEAN:
	default: return true;
	}
}

/* The subschema with marks of its own, and what they leave. */
static bool holds_unevaluated(struct run *run, const struct schema_node *node,
	const struct json *value, const struct situation *at)
{
	struct situation own = *at;

	own.marks = fresh_marks(run, value, at);
	if (own.marks == NULL || !check_own(run, node, value, &own) ||
		!check_same_value(run, node, value, &own))
		return false;
	if (value->type == JSON_OBJECT ? !check_unevaluated_members(run, node, value, &own)
				       : !check_unevaluated_items(run, node, value, &own))
		return false;
	merge_marks(at->marks, own.marks, value);
	return true;
}

static bool wants_marks(const struct schema_node *node, const struct json *value)
{
	return (value->type == JSON_OBJECT && node->unevaluated_members != NULL) ||
	       (value->type == JSON_ARRAY && node->unevaluated_items != NULL);
}

static bool holds(struct run *run, const struct schema_node *node, const struct json *value,
	const struct situation *at)
{
	struct situation here = *at;
	const struct scope scope = {.outer = at->scope, .resource = node->resource};

	if (!spend(run, at, 1))
		return false;
	if (node->truth == SCHEMA_ALWAYS)
		return true;
	if (node->truth == SCHEMA_NEVER)
		return refuse_plain(run, at, "false", "must not be there");
	if (++here.depth > JSON_SCHEMA_DEPTH_MAX)
		return give_up(run, at, "depth");
	if (at->scope == NULL || at->scope->resource != node->resource)
		here.scope = &scope;
	if (wants_marks(node, value))
		return holds_unevaluated(run, node, value, &here);
	return check_own(run, node, value, &here) && check_same_value(run, node, value, &here);
}

enum json_schema_result json_schema_validate(
	struct json_schema *schema, const struct json *value, struct json_schema_fault *fault)
{
	struct run run = {.schema = schema, .fault = fault};
	const struct situation at = {0};
	bool ok;

	if (fault != NULL)
		*fault = (struct json_schema_fault){.keyword = ""};
	ok = holds(&run, schema->root, value, &at);
	arena_reset(schema->scratch);
	if (run.is_undecided)
		return JSON_SCHEMA_UNDECIDED;
	return ok ? JSON_SCHEMA_VALID : JSON_SCHEMA_INVALID;
}

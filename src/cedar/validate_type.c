/* What types have in common, and calls of extension functions. */
#include "cedar/validate_inner.h"

uint32_t expect_of(const struct schema_type *type)
{
	uint32_t bits = (uint32_t)1 << type->kind;

	if (type->kind == TYPE_EXTENSION)
		return (uint32_t)EXPECT_DECIMAL << (type->constructor - EXTENSION_DECIMAL);
	if (type->kind == TYPE_SET && type->element->kind == TYPE_ENTITY)
		bits |= EXPECT_ENTITY_SET;
	return bits;
}

/* ---- Least common types ---------------------------------------------- */

static bool is_bool(const struct schema_type *type)
{
	return (expect_of(type) & EXPECT_BOOL) != 0;
}

static const struct schema_type *join_records(
	struct typing *typing, const struct schema_type *a, const struct schema_type *b)
{
	struct schema_member *members;
	const struct schema_type *joined;

	if (a->count != b->count)
		return NULL;
	typing->steps += a->count;
	members = arena_array(typing->arena, struct schema_member, a->count);
	for (uint32_t i = 0; members != NULL && i < a->count; i++) {
		members[i] = a->members[i];
		if (a->members[i].is_optional != b->members[i].is_optional ||
			!cedar_text_equal(a->members[i].name, b->members[i].name))
			return NULL;
		members[i].type = typing_join(typing, a->members[i].type, b->members[i].type);
		if (members[i].type == NULL)
			return NULL;
	}
	joined = members == NULL ? NULL : type_record_of(typing->types, members, a->count);
	typing->failed |= joined == NULL;
	return joined;
}

/* Types that differ have a common one only if they differ in true, false and Bool.
 * Types of a schema have no true or false inside: of two of them the walk goes down
 * one path and no further. */
const struct schema_type *typing_join(
	struct typing *typing, const struct schema_type *a, const struct schema_type *b)
{
	const struct schema_type *element;

	if (a == b)
		return a;
	if (is_bool(a) && is_bool(b))
		return type_basic(TYPE_BOOL);
	if (a->kind == TYPE_RECORD && b->kind == TYPE_RECORD)
		return join_records(typing, a, b);
	if (a->kind != TYPE_SET || b->kind != TYPE_SET)
		return NULL;
	element = typing_join(typing, a->element, b->element);
	if (element == NULL)
		return NULL;
	element = type_set_of(typing->types, element);
	typing->failed |= element == NULL;
	return element;
}

/* ---- Extension functions --------------------------------------------- */

enum { ARGUMENTS_MAX = 2 };

struct signature {
	uint32_t count;
	uint32_t arguments[ARGUMENTS_MAX]; /* EXPECT_* */
	uint32_t result;
};

static const struct signature signatures[EXTENSION_COUNT] = {
	[EXTENSION_DECIMAL] = {1, {EXPECT_STRING}, EXPECT_DECIMAL},
	[EXTENSION_IP] = {1, {EXPECT_STRING}, EXPECT_IPADDR},
	[EXTENSION_DATETIME] = {1, {EXPECT_STRING}, EXPECT_DATETIME},
	[EXTENSION_DURATION] = {1, {EXPECT_STRING}, EXPECT_DURATION},
	[EXTENSION_LESS_THAN] = {2, {EXPECT_DECIMAL, EXPECT_DECIMAL}, EXPECT_BOOL},
	[EXTENSION_LESS_THAN_OR_EQUAL] = {2, {EXPECT_DECIMAL, EXPECT_DECIMAL}, EXPECT_BOOL},
	[EXTENSION_GREATER_THAN] = {2, {EXPECT_DECIMAL, EXPECT_DECIMAL}, EXPECT_BOOL},
	[EXTENSION_GREATER_THAN_OR_EQUAL] = {2, {EXPECT_DECIMAL, EXPECT_DECIMAL}, EXPECT_BOOL},
	[EXTENSION_IS_IPV4] = {1, {EXPECT_IPADDR}, EXPECT_BOOL},
	[EXTENSION_IS_IPV6] = {1, {EXPECT_IPADDR}, EXPECT_BOOL},
	[EXTENSION_IS_LOOPBACK] = {1, {EXPECT_IPADDR}, EXPECT_BOOL},
	[EXTENSION_IS_MULTICAST] = {1, {EXPECT_IPADDR}, EXPECT_BOOL},
	[EXTENSION_IS_IN_RANGE] = {2, {EXPECT_IPADDR, EXPECT_IPADDR}, EXPECT_BOOL},
	[EXTENSION_OFFSET] = {2, {EXPECT_DATETIME, EXPECT_DURATION}, EXPECT_DATETIME},
	[EXTENSION_DURATION_SINCE] = {2, {EXPECT_DATETIME, EXPECT_DATETIME}, EXPECT_DURATION},
	[EXTENSION_TO_DATE] = {1, {EXPECT_DATETIME}, EXPECT_DATETIME},
	[EXTENSION_TO_TIME] = {1, {EXPECT_DATETIME}, EXPECT_DURATION},
	[EXTENSION_TO_MILLISECONDS] = {1, {EXPECT_DURATION}, EXPECT_LONG},
	[EXTENSION_TO_SECONDS] = {1, {EXPECT_DURATION}, EXPECT_LONG},
	[EXTENSION_TO_MINUTES] = {1, {EXPECT_DURATION}, EXPECT_LONG},
	[EXTENSION_TO_HOURS] = {1, {EXPECT_DURATION}, EXPECT_LONG},
	[EXTENSION_TO_DAYS] = {1, {EXPECT_DURATION}, EXPECT_LONG},
};

static const struct schema_type *result_type(const struct signature *signature)
{
	static const struct {
		uint32_t bits;
		enum extension_function constructor;
	} table[] = {{EXPECT_DECIMAL, EXTENSION_DECIMAL}, {EXPECT_IPADDR, EXTENSION_IP},
		{EXPECT_DATETIME, EXTENSION_DATETIME}, {EXPECT_DURATION, EXTENSION_DURATION}};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (signature->result == table[i].bits)
			return type_extension(table[i].constructor);
	}
	return type_basic(signature->result == EXPECT_LONG ? TYPE_LONG : TYPE_BOOL);
}

static bool are_literals(const struct node *node)
{
	for (uint32_t i = 0; i < node->count; i++) {
		if (node->children[i]->kind != AST_LITERAL)
			return false;
	}
	return true;
}

/* True if the only argument is the text of a value, or something else. */
static bool is_text_right(
	struct typing *typing, const struct node *node, enum extension_function function)
{
	struct cedar_error err = {.code = CEDAR_ERROR_NONE};
	const struct node *only = node->children[0];
	struct cedar_value ignored;

	if (only->kind != AST_LITERAL || only->literal->type != CEDAR_STRING ||
		extension_construct(
			&ignored, typing->arena, function, cedar_value_text(only->literal), &err))
		return true;
	typing->failed |= err.code == CEDAR_ERROR_LIMIT;
	return false;
}

/* A constructor takes the text of a value, and that as a literal. */
static bool check_constructor(
	struct typing *typing, const struct node *node, enum extension_function function)
{
	struct report report = {.name = cedar_text_of(extension_name(function))};

	if (extension_is_method(function))
		return true;
	if (node->count == 1 && !is_text_right(typing, node, function))
		report.code = CEDAR_FINDING_ARGUMENT_INVALID;
	else if (!are_literals(node))
		report.code = CEDAR_FINDING_ARGUMENT_NOT_LITERAL;
	if (report.code != CEDAR_FINDING_NONE)
		typing_report(typing, node, report);
	return report.code == CEDAR_FINDING_NONE;
}

struct answer typing_extension(struct typing *typing, const struct node *node)
{
	enum extension_function function = (enum extension_function)node->detail;
	const struct signature *signature = &signatures[function];
	bool is_fit = check_constructor(typing, node, function);
	struct answer answer = {.type = result_type(signature)};

	if (node->count != signature->count) {
		typing_report(typing, node,
			(struct report){.code = CEDAR_FINDING_ARGUMENT_COUNT,
				.name = cedar_text_of(extension_name(function)),
				.expected = signature->count,
				.given = node->count});
		is_fit = false;
	}
	answer.ok = is_fit;
	for (uint32_t i = 0; i < node->count; i++) {
		/* Of a call that is wrong already, only what is wrong inside matters. */
		struct answer argument = is_fit ? typing_expect(typing, node->children[i],
							  signature->arguments[i], NULL)
						: typing_node(typing, node->children[i]);

		answer.ok = answer.ok && argument.ok;
	}
	return answer;
}

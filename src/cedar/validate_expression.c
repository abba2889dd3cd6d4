/* Types of expressions for one kind of request, by the strict rules.
 *
 * An answer has three parts.  The type may be known although something inside is
 * wrong: then more can be found in one go.  A type of true or false lets the other
 * side of && and || and the branch of an `if` that is never taken go untyped, as they
 * are never evaluated.  The capabilities say which optional attributes and tags are
 * there if the expression is true; what is typed under them finds them in `active`.
 *
 * The depth of policies bounds the recursion. */
#include <stdlib.h>

#include "cedar/validate_inner.h"

static const struct capabilities no_capabilities = {NULL, NULL};

static struct answer answer_of(const struct schema_type *type, bool ok)
{
	return (struct answer){type, ok, no_capabilities};
}

static struct answer answer_bool(bool ok)
{
	return answer_of(type_basic(TYPE_BOOL), ok);
}

static bool is_kind(const struct schema_type *type, enum type_kind kind)
{
	return type != NULL && type->kind == kind;
}

/* ---- Capabilities ---------------------------------------------------- */

static struct capabilities capability_of(struct typing *typing, uint32_t id)
{
	struct capability *one = arena_new(typing->arena, struct capability);

	if (one == NULL) {
		typing->failed = true;
		return no_capabilities;
	}
	one->id = id;
	return (struct capabilities){one, one};
}

/* Both lists as one; neither may be used afterwards. */
static struct capabilities unite(struct capabilities a, struct capabilities b)
{
	if (a.first == NULL)
		return b;
	if (b.first == NULL)
		return a;
	a.last->next = b.first;
	return (struct capabilities){a.first, b.last};
}

/* Marks each as known by one more (1) or by one less (-1). */
static void mark(struct typing *typing, const struct capabilities *list, int change)
{
	const struct capability *at = list->first;

	for (; at != NULL; at = at == list->last ? NULL : at->next) {
		typing->active[at->id] += (uint32_t)change;
		typing->steps++;
	}
}

static bool has_in(struct typing *typing, const struct capabilities *list, uint32_t id)
{
	const struct capability *at = list->first;

	for (; at != NULL && at->id != id; at = at == list->last ? NULL : at->next)
		typing->steps++;
	return at != NULL;
}

/* What is in both. */
static struct capabilities common_to(
	struct typing *typing, const struct capabilities *a, const struct capabilities *b)
{
	struct capabilities both = no_capabilities;
	const struct capability *at = b->first == NULL ? NULL : a->first;

	for (; at != NULL && !typing->failed; at = at == a->last ? NULL : at->next) {
		typing->steps++;
		if (has_in(typing, b, at->id))
			both = unite(both, capability_of(typing, at->id));
	}
	return both;
}

/* Types node as where the capabilities hold. */
static struct answer type_under(
	struct typing *typing, const struct capabilities *known, const struct node *node)
{
	struct answer answer;

	mark(typing, known, 1);
	answer = typing_node(typing, node);
	mark(typing, known, -1);
	return answer;
}

/* ---- Leaves ---------------------------------------------------------- */

static struct answer type_variable(const struct typing *typing, const struct node *node)
{
	const struct request_kind *request = &typing->request;

	switch (node->detail) {
	case AST_PRINCIPAL: return answer_of(&request->principal->type, true);
	case AST_RESOURCE: return answer_of(&request->resource->type, true);
	case AST_ACTION: return answer_of(&request->action->type->type, true);
	case NODE_PRINCIPAL_SLOT: return answer_of(&request->principal_slot->type, true);
	case NODE_RESOURCE_SLOT: return answer_of(&request->resource_slot->type, true);
	default: return answer_of(request->action->context, true);
	}
}

/* An unknown type or action is reported once for the policy, not here. */
static struct answer type_entity(const struct typing *typing, const struct cedar_uid *uid)
{
	const struct schema_entity *entity = schema_find_entity(typing->schema, uid->type);
	const struct schema_action *action;

	if (!cedar_is_action_type(uid->type))
		return answer_of(entity == NULL ? NULL : &entity->type, entity != NULL);
	action = schema_find_action(typing->schema, uid);
	return answer_of(action == NULL ? NULL : &action->type->type, action != NULL);
}

static struct answer type_literal(const struct typing *typing, const struct cedar_value *literal)
{
	switch (literal->type) {
	case CEDAR_BOOL:
		return answer_of(type_basic(literal->boolean ? TYPE_TRUE : TYPE_FALSE), true);
	case CEDAR_LONG: return answer_of(type_basic(TYPE_LONG), true);
	case CEDAR_STRING: return answer_of(type_basic(TYPE_STRING), true);
	default: return type_entity(typing, literal->entity);
	}
}

/* ---- Branches -------------------------------------------------------- */

/* a && b, given both types; the right one may be unknown. */
static struct answer join_and(struct answer left, struct answer right)
{
	bool ok = left.ok && right.ok;
	struct answer answer = answer_bool(ok);

	if (left.type == NULL || right.type == NULL)
		return answer_bool(false);
	if (right.type->kind == TYPE_FALSE)
		return answer_of(right.type, ok);
	if (right.type->kind == TYPE_TRUE)
		answer.type = left.type;
	else if (left.type->kind == TYPE_TRUE)
		answer.type = right.type;
	if (ok)
		answer.capabilities = unite(left.capabilities, right.capabilities);
	return answer;
}

/* What the operands so far made safe stays marked for those that follow: each time only
 * what is new is, or a long chain would cost its square. */
static struct answer type_and(struct typing *typing, const struct node *node)
{
	struct answer left = typing_expect(typing, node->children[0], EXPECT_BOOL, NULL);
	struct capabilities marked = left.capabilities;

	mark(typing, &marked, 1);
	for (uint32_t i = 1; i < node->count && !is_kind(left.type, TYPE_FALSE); i++) {
		struct answer right = typing_expect(typing, node->children[i], EXPECT_BOOL, NULL);
		struct capabilities added = right.capabilities;

		left = join_and(left, right);
		if (left.capabilities.first == NULL) { /* nothing, or no more */
			mark(typing, &marked, -1);
			marked = no_capabilities;
		} else if (i + 1 < node->count) { /* somebody follows who reads by it */
			mark(typing, &added, 1);
			marked = left.capabilities;
		}
	}
	mark(typing, &marked, -1);
	if (is_kind(left.type, TYPE_FALSE))
		left.capabilities = no_capabilities;
	return left;
}

static struct answer join_or(struct typing *typing, struct answer left, struct answer right)
{
	bool ok = left.ok && right.ok;
	struct answer answer = answer_bool(ok);

	if (left.type == NULL || right.type == NULL)
		return answer_bool(false);
	if (right.type->kind == TYPE_TRUE || left.type->kind == TYPE_FALSE)
		answer = right;
	else if (right.type->kind == TYPE_FALSE)
		answer = left;
	else if (ok)
		answer.capabilities = common_to(typing, &left.capabilities, &right.capabilities);
	answer.ok = ok;
	if (!ok)
		answer.capabilities = no_capabilities;
	return answer;
}

static struct answer type_or(struct typing *typing, const struct node *node)
{
	struct answer left = typing_expect(typing, node->children[0], EXPECT_BOOL, NULL);

	for (uint32_t i = 1; i < node->count && !is_kind(left.type, TYPE_TRUE); i++)
		left = join_or(
			typing, left, typing_expect(typing, node->children[i], EXPECT_BOOL, NULL));
	return left;
}

/* The type of two branches or items; NULL if one is unknown or they differ. */
static const struct schema_type *join_or_report(struct typing *typing, const struct node *node,
	const struct schema_type *a, const struct schema_type *b)
{
	const struct schema_type *both;

	if (a == NULL || b == NULL)
		return NULL;
	both = typing_join(typing, a, b);
	if (both == NULL && !typing->failed)
		typing_report(typing, node,
			(struct report){.code = CEDAR_FINDING_INCOMPATIBLE_TYPES,
				.type = a,
				.other = b,
				.hint = node->kind == AST_SET
						? "the items of a set must have one type"
						: "both sides must have one type"});
	return both;
}

/* Both branches, when either may be taken. */
static struct answer type_branches(
	struct typing *typing, const struct node *node, const struct answer *test)
{
	struct answer then = type_under(typing, &test->capabilities, node->children[1]);
	struct answer otherwise = typing_node(typing, node->children[2]);
	struct answer answer =
		answer_of(join_or_report(typing, node, then.type, otherwise.type), test->ok);

	answer.ok = test->ok && then.ok && otherwise.ok && answer.type != NULL;
	if (!answer.ok)
		return answer;
	then.capabilities = unite(then.capabilities, test->capabilities);
	answer.capabilities = common_to(typing, &then.capabilities, &otherwise.capabilities);
	return answer;
}

static struct answer type_if(struct typing *typing, const struct node *node)
{
	struct answer test = typing_expect(typing, node->children[0], EXPECT_BOOL, NULL);
	struct answer answer;

	if (is_kind(test.type, TYPE_TRUE)) {
		answer = type_under(typing, &test.capabilities, node->children[1]);
		answer.capabilities = unite(answer.capabilities, test.capabilities);
	} else if (is_kind(test.type, TYPE_FALSE)) {
		answer = typing_node(typing, node->children[2]);
	} else {
		return type_branches(typing, node, &test);
	}
	answer.ok = answer.ok && test.ok;
	if (!answer.ok)
		answer.capabilities = no_capabilities;
	return answer;
}

static struct answer type_not(struct typing *typing, const struct node *node)
{
	struct answer operand = typing_expect(typing, node->children[0], EXPECT_BOOL, NULL);

	if (is_kind(operand.type, TYPE_TRUE))
		return answer_of(type_basic(TYPE_FALSE), operand.ok);
	if (is_kind(operand.type, TYPE_FALSE))
		return answer_of(type_basic(TYPE_TRUE), operand.ok);
	return answer_bool(operand.ok);
}

/* ---- Comparisons ----------------------------------------------------- */

/* The entity that an expression always is: a literal, or action. */
static const struct cedar_uid *constant_entity(const struct typing *typing, const struct node *node)
{
	if (node->kind == AST_VARIABLE && node->detail == AST_ACTION)
		return &typing->request.action->uid;
	if (node->kind == AST_LITERAL && node->literal->type == CEDAR_ENTITY)
		return node->literal->entity;
	return NULL;
}

/* What both always are is compared at once. */
static const struct schema_type *compare_constants(
	const struct typing *typing, const struct node *a, const struct node *b)
{
	const struct cedar_uid *left = constant_entity(typing, a);
	const struct cedar_uid *right = constant_entity(typing, b);
	bool is_equal = false;

	if ((left == NULL && a->kind != AST_LITERAL) || (right == NULL && b->kind != AST_LITERAL))
		return NULL;
	if (left != NULL && right != NULL)
		is_equal = cedar_uid_equal(left, right);
	else if (left == NULL && right == NULL)
		is_equal = cedar_value_equal(a->literal, b->literal);
	return type_basic(is_equal ? TYPE_TRUE : TYPE_FALSE);
}

static struct answer type_equal(struct typing *typing, const struct node *node)
{
	const struct node *a = node->children[0], *b = node->children[1];
	struct answer left = typing_node(typing, a), right = typing_node(typing, b);
	const struct schema_type *constant = compare_constants(typing, a, b);
	bool ok = left.ok && right.ok;

	if (is_kind(left.type, TYPE_ENTITY) && is_kind(right.type, TYPE_ENTITY) &&
		left.type != right.type)
		return answer_of(type_basic(TYPE_FALSE), ok);
	if (constant != NULL)
		return answer_of(constant, ok);
	if (left.type != NULL && right.type != NULL &&
		join_or_report(typing, node, left.type, right.type) == NULL)
		ok = false;
	return answer_bool(ok);
}

static void report_type(struct typing *typing, const struct node *node, uint32_t expected,
	const struct schema_type *type, const char *hint)
{
	typing_report(typing, node,
		(struct report){.code = CEDAR_FINDING_UNEXPECTED_TYPE,
			.expected = expected,
			.type = type,
			.hint = hint});
}

/* Long, datetime and duration, and the same on both sides. */
static struct answer type_less(struct typing *typing, const struct node *node)
{
	const struct node *a = node->children[0], *b = node->children[1];
	struct answer left = typing_node(typing, a), right = typing_node(typing, b);
	uint32_t left_bits, right_bits;

	if (left.type == NULL || right.type == NULL)
		return answer_bool(false);
	left_bits = expect_of(left.type) & EXPECT_COMPARABLE;
	right_bits = expect_of(right.type) & EXPECT_COMPARABLE;
	if (left_bits != 0 && left_bits == right_bits)
		return answer_bool(left.ok && right.ok);
	if (left_bits == EXPECT_LONG || (left_bits != 0 && right_bits != EXPECT_LONG)) {
		report_type(typing, b, left_bits, right.type, NULL);
	} else if (right_bits != 0) {
		report_type(typing, a, right_bits, left.type, NULL);
	} else {
		report_type(typing, a, EXPECT_COMPARABLE, left.type, NULL);
		report_type(typing, b, EXPECT_COMPARABLE, right.type, NULL);
	}
	return answer_bool(false);
}

static struct answer type_arithmetic(struct typing *typing, const struct node *node)
{
	bool ok = true;

	for (uint32_t i = 0; i < node->count; i++) {
		struct answer operand = typing_expect(typing, node->children[i], EXPECT_LONG, NULL);

		ok = ok && operand.ok;
	}
	return answer_of(type_basic(TYPE_LONG), ok);
}

static struct answer type_like(struct typing *typing, const struct node *node)
{
	return answer_bool(typing_expect(typing, node->children[0], EXPECT_STRING,
		"`like` takes a string; the type of an entity is tested with `is`")
				   .ok);
}

static struct answer type_is(struct typing *typing, const struct node *node)
{
	struct answer operand = typing_expect(
		typing, node->children[0], EXPECT_ENTITY, "`is` tests the type of an entity only");
	bool is_same;

	if (operand.type == NULL)
		return answer_bool(false);
	is_same = cedar_text_equal(operand.type->entity->name, node->names[0]);
	return answer_of(type_basic(is_same ? TYPE_TRUE : TYPE_FALSE), operand.ok);
}

/* ---- Hierarchies ----------------------------------------------------- */

/* The constant entities on the right of `in`: one, or all items of a set. */
struct constants {
	const struct node *const *nodes;
	uint32_t count;
	bool all; /* every one is constant */
};

static struct constants constants_of(const struct typing *typing, const struct node *const *node)
{
	struct constants constants = {node, 1, true};

	if ((*node)->kind == AST_SET) {
		constants.nodes = (const struct node *const *)(*node)->children;
		constants.count = (*node)->count;
	}
	for (uint32_t i = 0; i < constants.count; i++)
		constants.all =
			constants.all && constant_entity(typing, constants.nodes[i]) != NULL;
	return constants;
}

/* An action in constant entities: decided by the schema. */
static struct answer type_action_in(const struct typing *typing, const struct schema_action *action,
	const struct constants *groups)
{
	bool is_in = false, all_known = true;

	for (uint32_t i = 0; i < groups->count; i++) {
		const struct cedar_uid *uid = constant_entity(typing, groups->nodes[i]);
		const struct schema_action *group = schema_find_action(typing->schema, uid);

		if (uid == NULL || !cedar_is_action_type(uid->type))
			continue;
		all_known = all_known && group != NULL;
		is_in = is_in || (group != NULL && schema_action_in(typing->schema, action, group));
	}
	if (!all_known)
		return answer_bool(false);
	return answer_of(type_basic(is_in ? TYPE_TRUE : TYPE_FALSE), true);
}

static struct answer type_in(struct typing *typing, const struct node *node)
{
	const struct node *const *right_node = (const struct node *const *)&node->children[1];
	struct answer left = typing_expect(typing, node->children[0], EXPECT_ENTITY,
		"`in` asks for an entity; to look into a set, use contains");
	struct answer right = typing_expect(typing, *right_node, EXPECT_ENTITY | EXPECT_ENTITY_SET,
		"`in` takes an entity or a set of them; to look into a set, use contains");
	const struct cedar_uid *uid = constant_entity(typing, node->children[0]);
	struct constants constants = constants_of(typing, right_node);
	const struct schema_entity *upper;

	if (!left.ok || !right.ok)
		return answer_bool(false);
	if (uid != NULL && cedar_is_action_type(uid->type) && constants.all)
		return type_action_in(typing, schema_find_action(typing->schema, uid), &constants);
	upper = right.type->kind == TYPE_SET ? right.type->element->entity : right.type->entity;
	if (!schema_may_be_in(left.type->entity, upper))
		return answer_of(type_basic(TYPE_FALSE), true);
	return answer_bool(true);
}

/* ---- Attributes ------------------------------------------------------ */

/* What may be read of a record or an entity. */
static const struct schema_member *member_of(const struct schema_type *type, struct cedar_text name)
{
	return type_member(type->kind == TYPE_ENTITY ? type->entity->shape : type, name);
}

static const struct schema_action *context_action(
	const struct typing *typing, const struct node *receiver)
{
	bool is_context = receiver->kind == AST_VARIABLE && receiver->detail == AST_CONTEXT;

	return is_context ? typing->request.action : NULL;
}

static struct answer type_get(struct typing *typing, const struct node *node)
{
	const struct node *receiver = node->children[0];
	struct answer object = typing_expect(typing, receiver, EXPECT_ENTITY | EXPECT_RECORD, NULL);
	const struct schema_member *member;
	struct report report = {.name = node->names[0], .type = object.type, .receiver = receiver};

	if (object.type == NULL)
		return answer_of(NULL, false);
	report.action = context_action(typing, receiver);
	member = member_of(object.type, node->names[0]);
	if (member == NULL) {
		report.code = CEDAR_FINDING_UNKNOWN_ATTRIBUTE;
		typing_report(typing, node, report);
		return answer_of(NULL, false);
	}
	if (!member->is_optional || typing->active[node->id] > 0)
		return answer_of(member->type, object.ok);
	report.code = CEDAR_FINDING_UNSAFE_ATTRIBUTE;
	typing_report(typing, node, report);
	return answer_of(member->type, false);
}

/* One step of a path: `has` of one name on something of this type.  An entity may be
 * absent, so that not even a required attribute is sure to be there. */
static struct answer type_has_step(
	struct typing *typing, const struct schema_member *member, bool is_record, uint32_t id)
{
	bool is_known = typing->active[id] > 0 || (is_record && !member->is_optional);
	struct answer answer = answer_of(type_basic(is_known ? TYPE_TRUE : TYPE_BOOL), true);

	answer.capabilities = capability_of(typing, id);
	return answer;
}

/* has a.b.c: has a && .a has b && .a.b has c, without typing the receiver again. */
static struct answer type_has(struct typing *typing, const struct node *node)
{
	const uint32_t readable = EXPECT_ENTITY | EXPECT_RECORD;
	struct answer object = typing_expect(typing, node->children[0], readable,
		"to look into a set, use contains; to match a string, use like");
	const struct schema_type *type = object.type;
	struct answer answer = answer_of(type_basic(TYPE_TRUE), object.ok);

	if (type == NULL)
		return answer_bool(false);
	for (uint32_t i = 0; i < node->name_count; i++) {
		const struct schema_member *member;

		if ((expect_of(type) & readable) == 0) {
			report_type(typing, node, readable, type, NULL);
			return answer_bool(false);
		}
		member = member_of(type, node->names[i]);
		typing->steps++;
		if (member == NULL)
			return answer_of(type_basic(TYPE_FALSE), object.ok);
		answer = join_and(answer,
			type_has_step(typing, member, type->kind == TYPE_RECORD, node->paths[i]));
		type = member->type;
	}
	return answer;
}

/* ---- Tags ------------------------------------------------------------ */

/* The operands of hasTag and getTag; the type is that of the tags, or NULL. */
static struct answer type_tag_operands(
	struct typing *typing, const struct node *node, const struct schema_entity **entity)
{
	struct answer object = typing_expect(typing, node->children[0], EXPECT_ENTITY, NULL);
	struct answer tag = typing_expect(typing, node->children[1], EXPECT_STRING, NULL);

	*entity = object.type == NULL ? NULL : object.type->entity;
	return answer_of(*entity == NULL ? NULL : (*entity)->tags, object.ok && tag.ok);
}

static struct answer type_has_tag(struct typing *typing, const struct node *node)
{
	const struct schema_entity *entity;
	struct answer answer = type_tag_operands(typing, node, &entity);
	uint32_t id = node->paths[0];

	if (entity == NULL)
		return answer_of(NULL, false);
	if (answer.type == NULL)
		answer.type = type_basic(TYPE_FALSE);
	else
		answer.type = type_basic(typing->active[id] > 0 ? TYPE_TRUE : TYPE_BOOL);
	if (answer.ok)
		answer.capabilities = capability_of(typing, id);
	return answer;
}

static struct answer type_get_tag(struct typing *typing, const struct node *node)
{
	const struct schema_entity *entity;
	struct answer answer = type_tag_operands(typing, node, &entity);
	struct report report = {.code = CEDAR_FINDING_UNSAFE_TAG, .receiver = node};

	if (entity == NULL)
		return answer_of(NULL, false);
	report.type = &entity->type;
	/* Of a type without tags it is never known: hasTag is false there. */
	if (typing->active[node->id] > 0 && answer.type != NULL)
		return answer;
	typing_report(typing, node, report);
	return answer_of(NULL, false);
}

/* ---- Sets and records ------------------------------------------------ */

static struct answer type_contains(struct typing *typing, const struct node *node)
{
	struct answer set = typing_expect(typing, node->children[0], EXPECT_SET,
		"contains asks a set; for an entity use in, for a record has, for a string like");
	struct answer item = typing_node(typing, node->children[1]);
	bool ok = set.ok && item.ok;

	if (set.type != NULL && item.type != NULL &&
		join_or_report(typing, node, set.type->element, item.type) == NULL)
		ok = false;
	return answer_bool(ok);
}

static struct answer type_contains_several(struct typing *typing, const struct node *node)
{
	struct answer set = typing_expect(typing, node->children[0], EXPECT_SET, NULL);
	struct answer items = typing_expect(
		typing, node->children[1], EXPECT_SET, "to ask for a single item, use contains");
	bool ok = set.ok && items.ok;

	if (set.type != NULL && items.type != NULL &&
		join_or_report(typing, node, set.type, items.type) == NULL)
		ok = false;
	return answer_bool(ok);
}

static const struct schema_type *join_items(
	struct typing *typing, const struct node *node, const struct schema_type **items)
{
	const struct schema_type *element = items[0];

	for (uint32_t i = 1; i < node->count && element != NULL; i++)
		element = join_or_report(typing, node, element, items[i]);
	return element;
}

static struct answer type_set_literal(struct typing *typing, const struct node *node)
{
	const struct schema_type **items =
		arena_array(typing->arena, const struct schema_type *, node->count);
	struct answer answer = answer_of(NULL, node->count > 0);
	bool all_known = node->count > 0;

	typing->failed |= items == NULL;
	for (uint32_t i = 0; items != NULL && i < node->count; i++) {
		struct answer item = typing_node(typing, node->children[i]);

		items[i] = item.type;
		answer.ok = answer.ok && item.ok;
		all_known = all_known && item.type != NULL;
	}
	if (node->count == 0)
		typing_report(typing, node, (struct report){.code = CEDAR_FINDING_EMPTY_SET});
	if (items != NULL && all_known)
		answer.type = join_items(typing, node, items);
	if (answer.type != NULL) {
		answer.type = type_set_of(typing->types, answer.type);
		typing->failed |= answer.type == NULL;
	}
	answer.ok = answer.ok && answer.type != NULL;
	return answer;
}

static int order_members(const void *a, const void *b)
{
	const struct schema_member *left = a, *right = b;

	return cedar_text_compare(left->name, right->name);
}

static struct answer type_record(struct typing *typing, const struct node *node)
{
	struct schema_member *members =
		arena_array(typing->arena, struct schema_member, node->count);
	struct answer answer = answer_of(NULL, true);
	bool all_known = true;

	for (uint32_t i = 0; members != NULL && i < node->count; i++) {
		struct answer member = typing_node(typing, node->children[i]);

		members[i] = (struct schema_member){node->names[i], member.type, false};
		answer.ok = answer.ok && member.ok;
		all_known = all_known && member.type != NULL;
	}
	if (members != NULL && all_known) {
		qsort(members, node->count, sizeof *members, order_members);
		answer.type = type_record_of(typing->types, members, node->count);
	}
	typing->failed |= members == NULL || (all_known && answer.type == NULL);
	answer.ok = answer.ok && answer.type != NULL;
	return answer;
}

/* ---- Any ------------------------------------------------------------- */

void typing_report(struct typing *typing, const struct node *node, struct report report)
{
	report.start = node->start;
	report.end = node->end;
	if (!typing->failed)
		findings_add(typing->findings, &report);
}

static struct answer type_inside(struct typing *typing, const struct node *node)
{
	switch (node->kind) {
	case AST_LITERAL: return type_literal(typing, node->literal);
	case AST_VARIABLE: return type_variable(typing, node);
	case AST_IF: return type_if(typing, node);
	case AST_OR: return type_or(typing, node);
	case AST_AND: return type_and(typing, node);
	case AST_EQUAL: return type_equal(typing, node);
	case AST_LESS:
	case AST_LESS_EQUAL: return type_less(typing, node);
	case AST_IN: return type_in(typing, node);
	case AST_HAS: return type_has(typing, node);
	case AST_LIKE: return type_like(typing, node);
	case AST_IS: return type_is(typing, node);
	case AST_ADD:
	case AST_SUBTRACT:
	case AST_MULTIPLY:
	case AST_NEGATE: return type_arithmetic(typing, node);
	case AST_NOT: return type_not(typing, node);
	case AST_GET: return type_get(typing, node);
	case AST_CONTAINS: return type_contains(typing, node);
	case AST_CONTAINS_ALL:
	case AST_CONTAINS_ANY: return type_contains_several(typing, node);
	case AST_IS_EMPTY:
		return answer_bool(typing_expect(typing, node->children[0], EXPECT_SET, NULL).ok);
	case AST_GET_TAG: return type_get_tag(typing, node);
	case AST_HAS_TAG: return type_has_tag(typing, node);
	case AST_EXTENSION: return typing_extension(typing, node);
	case AST_SET: return type_set_literal(typing, node);
	case AST_RECORD: return type_record(typing, node);
	case AST_NOT_EQUAL:
	case AST_GREATER:
	case AST_GREATER_EQUAL: break; /* the tree has none */
	}
	return answer_of(NULL, false);
}

struct answer typing_node(struct typing *typing, const struct node *node)
{
	if (typing->failed || ++typing->steps > typing->steps_max) {
		typing->failed = true;
		return answer_of(NULL, false);
	}
	return type_inside(typing, node);
}

struct answer typing_expect(
	struct typing *typing, const struct node *node, uint32_t expected, const char *hint)
{
	struct answer answer = typing_node(typing, node);

	if (answer.type == NULL)
		return answer_of(NULL, false);
	if ((expect_of(answer.type) & expected) != 0)
		return answer;
	report_type(typing, node, expected, answer.type, hint);
	return answer_of(NULL, false);
}

/* ---- Conditions ------------------------------------------------------ */

static struct answer type_scope(struct typing *typing, const struct condition *condition)
{
	struct answer answer = answer_of(type_basic(TYPE_TRUE), true);

	for (int i = 0; i < SCOPE_PARTS && !is_kind(answer.type, TYPE_FALSE); i++) {
		if (condition->scope[i] != NULL)
			answer = join_and(answer,
				typing_expect(typing, condition->scope[i], EXPECT_BOOL, NULL));
	}
	return answer;
}

/* The clauses hang together from the right: a && (b && (c && ..)).  What one makes
 * safe is safe in all that follow it. */
static struct answer type_clauses(struct typing *typing, const struct condition *condition)
{
	struct answer *answers = arena_array(typing->arena, struct answer, condition->clause_count);
	struct answer answer = answer_of(type_basic(TYPE_TRUE), true);
	uint32_t count = 0;

	if (answers == NULL) {
		typing->failed = true;
		return answer;
	}
	while (count < condition->clause_count &&
		!(count > 0 && is_kind(answers[count - 1].type, TYPE_FALSE))) {
		answers[count] =
			typing_expect(typing, condition->clauses[count], EXPECT_BOOL, NULL);
		mark(typing, &answers[count].capabilities, 1);
		count++;
	}
	for (uint32_t i = count; i > 0; i--) {
		mark(typing, &answers[i - 1].capabilities, -1);
		answers[i - 1].capabilities = no_capabilities;
		answer = i == count ? answers[i - 1] : join_and(answers[i - 1], answer);
	}
	return answer;
}

struct answer typing_condition(struct typing *typing, const struct condition *condition)
{
	struct answer scope = type_scope(typing, condition);

	if (is_kind(scope.type, TYPE_FALSE))
		return scope;
	return join_and(scope, type_clauses(typing, condition));
}

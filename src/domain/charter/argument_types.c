/* Finds the types by unification: each part of the tree has a slot, and what must
 * be of one type becomes one slot.
 *
 * A slot that two uses disagree about keeps the first; the validator then finds the
 * other use wrong, with its place.
 *
 * Invariant: every way to a member of the arguments (if, ==, literals of records
 * and sets) goes through one slot, so the type names every member that the policy
 * can ask for.  A `has` of a member that was overlooked would look impossible to the
 * validator, which then skips what it guards.  So a record that meets anything else
 * is no type at all (is_consistent), even where the validator sees only one side. */
#include "domain/charter/argument_types.h"

#include "base/buffer.h"
#include "cedar/policy_set.h"

enum slot_kind {
	SLOT_UNKNOWN = 0,
	SLOT_BOOL,
	SLOT_LONG,
	SLOT_STRING,
	SLOT_SET,    /* of item */
	SLOT_RECORD, /* of members */
	SLOT_OTHER,  /* nothing an argument can be, or known to the schema alone */
	SLOT_CONTEXT,
};

struct slot_member;

struct slot {
	enum slot_kind kind;
	struct slot *same; /* NULL: it speaks for itself */
	struct slot *item;
	struct slot_member *members;
};

struct slot_member {
	struct cedar_text name;
	struct slot *slot;
	bool is_asked; /* by `has` */
	struct slot_member *next;
};

struct inference {
	struct arena *arena;
	struct slot *arguments;
	struct slot nowhere; /* what is looked at once it has failed */
	uint32_t nodes;
	bool has_failed; /* no memory, or too much */
	bool has_conflict;
};

static struct slot *slot_new(struct inference *inference, enum slot_kind kind)
{
	struct slot *slot = NULL;

	if (!inference->has_failed && ++inference->nodes <= ARGUMENT_TYPES_NODES_MAX)
		slot = arena_new(inference->arena, struct slot);
	if (slot == NULL) {
		inference->has_failed = true;
		return &inference->nowhere;
	}
	slot->kind = kind;
	return slot;
}

static struct slot *slot_find(struct slot *slot)
{
	while (slot->same != NULL)
		slot = slot->same;
	return slot;
}

static struct slot_member *member_find(const struct slot *record, struct cedar_text name)
{
	struct slot_member *member = record->members;

	while (member != NULL && !cedar_text_equal(member->name, name))
		member = member->next;
	return member;
}

static struct slot_member *member_add(
	struct inference *inference, struct slot *record, struct cedar_text name, struct slot *slot)
{
	struct slot_member *member = arena_new(inference->arena, struct slot_member);

	if (member == NULL) {
		inference->has_failed = true;
		return NULL;
	}
	*member = (struct slot_member){.name = name, .slot = slot, .next = record->members};
	record->members = member;
	return member;
}

static void unify(struct inference *inference, struct slot *left, struct slot *right);

static void unify_members(struct inference *inference, struct slot *into, struct slot *from)
{
	for (struct slot_member *member = from->members; member != NULL; member = member->next) {
		struct slot_member *mine = member_find(into, member->name);

		if (mine == NULL) {
			mine = member_add(inference, into, member->name, member->slot);
			if (mine == NULL)
				return;
		} else
			unify(inference, mine->slot, member->slot);
		mine->is_asked = mine->is_asked || member->is_asked;
	}
}

/* Two kinds that are not the same: the validator says so, if it looks at both. */
static void unify_unlike(struct inference *inference, struct slot *left, struct slot *right)
{
	struct slot *record = left->kind == SLOT_RECORD ? left : right;
	struct slot *other = record == left ? right : left;
	struct slot_member *member;

	if (record->kind == SLOT_RECORD && other->kind == SLOT_CONTEXT) {
		member = member_find(record, CEDAR_TEXT("args"));
		if (member != NULL)
			unify(inference, member->slot, inference->arguments);
	} else if (record->kind == SLOT_RECORD || left->kind == SLOT_CONTEXT ||
		   right->kind == SLOT_CONTEXT)
		inference->has_conflict = true;
}

/* Each call makes one slot of two, so it ends. */
static void unify(struct inference *inference, struct slot *left, struct slot *right)
{
	left = slot_find(left);
	right = slot_find(right);
	if (left == right || inference->has_failed)
		return;
	if (left->kind == SLOT_UNKNOWN) {
		struct slot *other = left;

		left = right;
		right = other;
	}
	if (right->kind != SLOT_UNKNOWN && right->kind != left->kind) {
		unify_unlike(inference, left, right);
		return;
	}
	right->same = left;
	if (left->kind == SLOT_SET && right->kind == SLOT_SET)
		unify(inference, left->item, right->item);
	if (left->kind == SLOT_RECORD && right->kind == SLOT_RECORD)
		unify_members(inference, left, right);
}

static void must_be(struct inference *inference, struct slot *slot, enum slot_kind kind)
{
	unify(inference, slot, slot_new(inference, kind));
}

static struct slot *set_of(struct inference *inference, struct slot *item)
{
	struct slot *set = slot_new(inference, SLOT_SET);

	if (set != &inference->nowhere)
		set->item = item;
	return set;
}

/* ---- what is read ---- */

static struct slot *known_member(struct inference *inference, struct cedar_text name);

const char *const origin_members[] = {
	"account", "addresses", "object", "path", "recipient", "url", "worst", NULL};
static const char *const task_members[] = {"id", "person", "purpose", "depth", "age", NULL};
static const char *const label_members[] = {"sensitivity", "untrusted", NULL};

/* context.task, context.labels and context.origins, which an `if` may stand beside the
 * arguments. */
static const struct known_record {
	const char *name;
	const char *const *members; /* up to NULL */
} known_records[] = {
	{"task", task_members},
	{"labels", label_members},
	{"origins", origin_members},
};

/* NULL: it is none of them. */
static struct slot *known_record(struct inference *inference, struct cedar_text name)
{
	const struct known_record *known = NULL;
	struct slot *record;

	for (size_t i = 0; i < sizeof known_records / sizeof *known_records; i++)
		if (cedar_text_is(name, known_records[i].name))
			known = &known_records[i];
	if (known == NULL)
		return NULL;
	record = slot_new(inference, SLOT_RECORD);
	for (size_t i = 0; known->members[i] != NULL && !inference->has_failed; i++)
		(void)member_add(inference, record, cedar_text_of(known->members[i]),
			known_member(inference, cedar_text_of(known->members[i])));
	return record;
}

/* Members of everything but the arguments; the schema has the last word. */
static struct slot *known_member(struct inference *inference, struct cedar_text name)
{
	struct slot *record;

	if (cedar_text_is(name, "environments") || cedar_text_is(name, "approvals") ||
		cedar_text_is(name, "chain") || cedar_text_is(name, "concerns") ||
		cedar_text_is(name, "secrets"))
		return set_of(inference, slot_new(inference, SLOT_STRING));
	if (cedar_text_is(name, "tools") || cedar_text_is(name, "provider_tools"))
		return set_of(inference, slot_new(inference, SLOT_STRING));
	if (cedar_text_is(name, "depth") || cedar_text_is(name, "age") ||
		cedar_text_is(name, "prompt_tokens") || cedar_text_is(name, "max_tokens") ||
		cedar_text_is(name, "temperature"))
		return slot_new(inference, SLOT_LONG);
	if (cedar_text_is(name, "untrusted") || cedar_text_is(name, "first") ||
		cedar_text_is(name, "stream"))
		return slot_new(inference, SLOT_BOOL);
	record = known_record(inference, name);
	if (record != NULL)
		return record;
	return slot_new(inference, SLOT_STRING);
}

static struct slot *member_of(
	struct inference *inference, struct slot *slot, struct cedar_text name, bool is_asked)
{
	struct slot_member *member;

	slot = slot_find(slot);
	if (slot->kind == SLOT_CONTEXT && cedar_text_is(name, "args"))
		return inference->arguments;
	if (slot->kind == SLOT_UNKNOWN) {
		must_be(inference, slot, SLOT_RECORD);
		slot = slot_find(slot);
	}
	if (slot->kind != SLOT_RECORD)
		return known_member(inference, name);
	member = member_find(slot, name);
	if (member == NULL)
		member = member_add(inference, slot, name, slot_new(inference, SLOT_UNKNOWN));
	if (member == NULL)
		return &inference->nowhere;
	member->is_asked = member->is_asked || is_asked;
	return member->slot;
}

static struct slot *slot_of(struct inference *inference, const struct ast *node);

static struct slot *slot_of_literal(struct inference *inference, const struct cedar_value *value)
{
	switch ((enum cedar_type)value->type) {
	case CEDAR_BOOL: return slot_new(inference, SLOT_BOOL);
	case CEDAR_LONG: return slot_new(inference, SLOT_LONG);
	case CEDAR_STRING: return slot_new(inference, SLOT_STRING);
	case CEDAR_NONE:
	case CEDAR_ENTITY:
	case CEDAR_SET:
	case CEDAR_RECORD:
	case CEDAR_DECIMAL:
	case CEDAR_DATETIME:
	case CEDAR_DURATION:
	case CEDAR_IPADDR: break;
	}
	return slot_new(inference, SLOT_OTHER);
}

static struct slot *slot_of_record(struct inference *inference, const struct ast *node)
{
	struct slot *record = slot_new(inference, SLOT_RECORD);

	for (uint32_t i = 0; i < node->count && !inference->has_failed; i++)
		(void)member_add(
			inference, record, node->names[i], slot_of(inference, node->children[i]));
	return record;
}

static struct slot *slot_of_has(struct inference *inference, const struct ast *node)
{
	struct slot *slot = slot_of(inference, node->children[0]);

	for (uint32_t i = 0; i < node->name_count && !inference->has_failed; i++)
		slot = member_of(inference, slot, node->names[i], true);
	return slot_new(inference, SLOT_BOOL);
}

/* Every child is of the kind, and so is the node, or it is a Bool. */
static struct slot *slot_of_operands(struct inference *inference, const struct ast *node,
	enum slot_kind operands, enum slot_kind result)
{
	for (uint32_t i = 0; i < node->count; i++)
		must_be(inference, slot_of(inference, node->children[i]), operands);
	return slot_new(inference, result);
}

/* All children are of one type, which is returned. */
static struct slot *slot_of_alike(
	struct inference *inference, const struct ast *node, uint32_t first)
{
	struct slot *one = slot_new(inference, SLOT_UNKNOWN);

	for (uint32_t i = first; i < node->count; i++)
		unify(inference, one, slot_of(inference, node->children[i]));
	return one;
}

static struct slot *slot_of_comparison(struct inference *inference, const struct ast *node)
{
	struct slot *left = slot_of(inference, node->children[0]);
	struct slot *right = slot_of(inference, node->children[1]);

	/* Arguments are never times: a time beside one is for the validator to refuse. */
	if (slot_find(left)->kind != SLOT_OTHER && slot_find(right)->kind != SLOT_OTHER) {
		must_be(inference, left, SLOT_LONG);
		must_be(inference, right, SLOT_LONG);
	}
	return slot_new(inference, SLOT_BOOL);
}

static struct slot *slot_of_contains(struct inference *inference, const struct ast *node)
{
	struct slot *set = slot_of(inference, node->children[0]);
	struct slot *right = slot_of(inference, node->children[1]);

	if (node->kind == AST_CONTAINS)
		right = set_of(inference, right);
	else
		unify(inference, right, set_of(inference, slot_new(inference, SLOT_UNKNOWN)));
	unify(inference, set, right);
	return slot_new(inference, SLOT_BOOL);
}

static struct slot *slot_of_if(struct inference *inference, const struct ast *node)
{
	must_be(inference, slot_of(inference, node->children[0]), SLOT_BOOL);
	return slot_of_alike(inference, node, 1);
}

static struct slot *visit_all(
	struct inference *inference, const struct ast *node, enum slot_kind result)
{
	for (uint32_t i = 0; i < node->count; i++)
		(void)slot_of(inference, node->children[i]);
	return slot_new(inference, result);
}

/* Recursion is bounded by the depth of trees. */
static struct slot *slot_of(struct inference *inference, const struct ast *node)
{
	struct slot *slot;

	switch (node->kind) {
	case AST_LITERAL: return slot_of_literal(inference, &node->literal);
	case AST_VARIABLE:
		return slot_new(inference, node->detail == AST_CONTEXT ? SLOT_CONTEXT : SLOT_OTHER);
	case AST_IF: return slot_of_if(inference, node);
	case AST_OR:
	case AST_AND:
	case AST_NOT: return slot_of_operands(inference, node, SLOT_BOOL, SLOT_BOOL);
	case AST_EQUAL:
	case AST_NOT_EQUAL:
		(void)slot_of_alike(inference, node, 0);
		return slot_new(inference, SLOT_BOOL);
	case AST_LESS:
	case AST_LESS_EQUAL:
	case AST_GREATER:
	case AST_GREATER_EQUAL: return slot_of_comparison(inference, node);
	case AST_HAS: return slot_of_has(inference, node);
	case AST_LIKE: return slot_of_operands(inference, node, SLOT_STRING, SLOT_BOOL);
	case AST_ADD:
	case AST_SUBTRACT:
	case AST_MULTIPLY:
	case AST_NEGATE: return slot_of_operands(inference, node, SLOT_LONG, SLOT_LONG);
	case AST_GET:
		slot = slot_of(inference, node->children[0]);
		return member_of(inference, slot, node->names[0], false);
	case AST_CONTAINS:
	case AST_CONTAINS_ALL:
	case AST_CONTAINS_ANY: return slot_of_contains(inference, node);
	case AST_IS_EMPTY:
		slot = set_of(inference, slot_new(inference, SLOT_UNKNOWN));
		unify(inference, slot_of(inference, node->children[0]), slot);
		return slot_new(inference, SLOT_BOOL);
	case AST_SET: return set_of(inference, slot_of_alike(inference, node, 0));
	case AST_RECORD: return slot_of_record(inference, node);
	case AST_IN:
	case AST_IS:
	case AST_HAS_TAG: return visit_all(inference, node, SLOT_BOOL);
	case AST_GET_TAG:
	case AST_EXTENSION: return visit_all(inference, node, SLOT_OTHER);
	}
	return slot_new(inference, SLOT_OTHER);
}

/* ---- writing the type ---- */

static bool write_slot(
	struct cedar_writer *writer, struct slot *slot, uint32_t depth, struct error *err);

static bool write_members(
	struct cedar_writer *writer, const struct slot *record, uint32_t depth, struct error *err)
{
	const struct slot_member *member = record->members;

	cedar_write_string(writer, "{");
	for (; member != NULL; member = member->next) {
		cedar_write_quoted(writer, member->name);
		cedar_write_string(writer, member->is_asked ? "?: " : ": ");
		if (!write_slot(writer, member->slot, depth + 1, err))
			return false;
		if (member->next != NULL)
			cedar_write_string(writer, ", ");
	}
	cedar_write_string(writer, "}");
	return true;
}

static bool write_slot(
	struct cedar_writer *writer, struct slot *slot, uint32_t depth, struct error *err)
{
	slot = slot_find(slot);
	if (depth > ARGUMENT_TYPES_DEPTH_MAX)
		return error_set(err, ERROR_INVALID,
			"the arguments would have to hold themselves, or nest deeper than %d",
			ARGUMENT_TYPES_DEPTH_MAX);
	if (writer->length > ARGUMENT_TYPES_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the arguments it reads are too many");
	switch (slot->kind) {
	case SLOT_BOOL: cedar_write_string(writer, "Bool"); return true;
	case SLOT_LONG: cedar_write_string(writer, "Long"); return true;
	case SLOT_SET:
		cedar_write_string(writer, "Set<");
		if (!write_slot(writer, slot->item, depth + 1, err))
			return false;
		cedar_write_string(writer, ">");
		return true;
	case SLOT_RECORD: return write_members(writer, slot, depth, err);
	case SLOT_UNKNOWN:
	case SLOT_STRING:
	case SLOT_OTHER:
	case SLOT_CONTEXT: break;
	}
	cedar_write_string(writer, "String");
	return true;
}

bool argument_types_of(struct argument_types *out, const struct cedar_policy_set *set, size_t index,
	struct arena *arena, struct error *err)
{
	const struct policy_ast *policy = &set->policies[index].ast;
	struct inference inference = {.arena = arena};
	struct cedar_writer writer = {.arena = arena};
	struct cedar_text written;

	inference.arguments = slot_new(&inference, SLOT_RECORD);
	for (uint32_t i = 0; i < policy->clause_count; i++)
		must_be(&inference, slot_of(&inference, policy->clauses[i].expression), SLOT_BOOL);
	if (inference.has_failed)
		return error_set(err, ERROR_LIMIT, "the policy is too large to be validated");
	if (!write_slot(&writer, inference.arguments, 0, err))
		return false;
	if (writer.length > ARGUMENT_TYPES_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "the arguments it reads are too many");
	written = cedar_writer_text(&writer);
	*out = (struct argument_types){
		.text = {written.data, written.length},
		.is_consistent = !inference.has_conflict,
	};
	return written.data != NULL ||
	       error_set(err, ERROR_LIMIT, "no memory for the types of the arguments");
}

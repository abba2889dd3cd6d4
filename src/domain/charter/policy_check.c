/* Validation of what people write in Cedar, one policy at a time: each with the
 * types it takes the arguments to be (argument_types.h) put into the schema.
 *
 * Invariant: what is called valid was validated, strictly and wholly, by the
 * validator; everything here only adds errors. */
#include "domain/charter/policy_check.h"

#include <stdlib.h>
#include <string.h>

#include "cedar/bounded.h"
#include "cedar/from_json.h"
#include "cedar/policy_set.h"
#include "domain/charter/argument_types.h"
#include "domain/charter/ceiling.h"
#include "domain/charter/vocabulary.h"

enum {
	CHECK_ARENA_BYTES_MAX = 256 * 1024 * 1024,
	KEPT_SCHEMAS = 16,
	KEPT_TYPES_BYTES_MAX = 256,
};

/* A schema with the arguments of some policy: the next often takes them to be the same. */
struct kept_schema {
	char types[KEPT_TYPES_BYTES_MAX];
	struct cedar_schema *schema; /* NULL: none kept here */
};

struct policy_checker {
	struct cedar_schema *schema; /* with no arguments at all */
	struct kept_schema kept[KEPT_SCHEMAS];
	size_t oldest;       /* of kept */
	uint32_t parsed;     /* schemas, so far */
	struct arena *arena; /* of one policy */
};

/* One text being checked. */
struct checking {
	struct policy_checker *checker;
	struct policy_findings *findings;
	struct text field;
	const struct json *value; /* of the field in its document; NULL: the text is its file */
	struct text text;
	struct text part;        /* the policy of it that is looked at, or all of it */
	struct cedar_range base; /* where part lies in text */
	size_t first;            /* of its findings */
	bool is_condition;
	struct error *err;
};

static bool failed(struct error *err, const struct cedar_error *cause)
{
	return error_set(err, cause->code == CEDAR_ERROR_LIMIT ? ERROR_LIMIT : ERROR_INVALID, "%s",
		cause->text);
}

/* ---- the schema ---- */

static const char open_arguments[] = "type Args = {}";

/* The schema with these types of arguments. */
static bool schema_parse(
	struct checking *checking, struct text types, struct cedar_schema **out, struct error *err)
{
	const char *at = strstr(remit_schema, open_arguments);
	size_t before = (size_t)(at - remit_schema) + sizeof open_arguments - 3;
	struct cedar_error cause = {0};
	struct text text = text_format(checking->checker->arena, "%.*s%.*s%s", (int)before,
		remit_schema, TEXT_ARGS(types), remit_schema + before + 2);

	if (text.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the schema");
	if (checking->checker->parsed++ == POLICY_SHAPES_MAX)
		return error_set(err, ERROR_LIMIT,
			"more than %d policies and conditions that each take the arguments to be "
			"something else: check fewer at once",
			POLICY_SHAPES_MAX);
	return cedar_schema_parse(out, cedar_text_from(text), &cause) || failed(err, &cause);
}

static struct cedar_schema *schema_find(const struct policy_checker *checker, struct text types)
{
	for (size_t i = 0; i < KEPT_SCHEMAS; i++)
		if (checker->kept[i].schema != NULL && text_is(types, checker->kept[i].types))
			return checker->kept[i].schema;
	return NULL;
}

/* True if the checker keeps it from now on. */
static bool schema_keep(
	struct policy_checker *checker, struct text types, struct cedar_schema *schema)
{
	struct kept_schema *kept = &checker->kept[checker->oldest];

	if (types.length >= KEPT_TYPES_BYTES_MAX)
		return false;
	cedar_schema_destroy(&kept->schema);
	memcpy(kept->types, types.data, types.length);
	kept->types[types.length] = '\0';
	kept->schema = schema;
	checker->oldest = (checker->oldest + 1) % KEPT_SCHEMAS;
	return true;
}

bool policy_checker_create(struct policy_checker **out, struct error *err)
{
	struct policy_checker *checker = calloc(1, sizeof *checker);
	struct cedar_error cause = {0};

	*out = NULL;
	if (checker == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to check policies");
	checker->arena = arena_create(CHECK_ARENA_BYTES_MAX);
	if (checker->arena == NULL) {
		policy_checker_destroy(&checker);
		return error_set(err, ERROR_LIMIT, "no memory to check policies");
	}
	if (!cedar_schema_parse(&checker->schema, cedar_text_of(remit_schema), &cause)) {
		policy_checker_destroy(&checker);
		return failed(err, &cause);
	}
	*out = checker;
	return true;
}

void policy_checker_destroy(struct policy_checker **checker)
{
	if (*checker == NULL)
		return;
	cedar_schema_destroy(&(*checker)->schema);
	for (size_t i = 0; i < KEPT_SCHEMAS; i++)
		cedar_schema_destroy(&(*checker)->kept[i].schema);
	arena_destroy(&(*checker)->arena);
	free(*checker);
	*checker = NULL;
}

/* ---- findings ---- */

static bool reserve(struct checking *checking)
{
	struct policy_findings *findings = checking->findings;

	if (findings->items == NULL)
		findings->items =
			arena_array(findings->arena, struct policy_finding, POLICY_FINDINGS_MAX);
	return findings->items != NULL ||
	       error_set(checking->err, ERROR_LIMIT, "no memory for what was found");
}

/* The validator says it once for each kind of request; people need it once. */
static bool is_known(const struct checking *checking, const struct policy_finding *finding,
	const struct cedar_range *range)
{
	const struct policy_findings *findings = checking->findings;

	for (size_t i = checking->first; range != NULL && i < findings->count; i++) {
		const struct policy_finding *known = &findings->items[i];

		if (strcmp(known->code, finding->code) == 0 && known->line == range->line &&
			known->column == range->column)
			return true;
	}
	return false;
}

/* A place of the part as a place of the text. */
static struct cedar_range in_text(const struct checking *checking, const struct cedar_range *range)
{
	const struct cedar_range *base = &checking->base;

	return (struct cedar_range){
		.start = base->start + range->start,
		.length = range->length,
		.line = base->line + range->line - 1,
		.column = range->line == 1 ? base->column + range->column - 1 : range->column,
	};
}

static void look_at_all(struct checking *checking)
{
	checking->part = checking->text;
	checking->base = (struct cedar_range){.line = 1, .column = 1};
}

static struct text copy_readable(struct arena *arena, struct text text)
{
	char *bytes = arena_alloc(arena, text.length + 1, 1);

	if (bytes == NULL)
		return (struct text){NULL, 0};
	excerpt_copy_readable(bytes, text);
	bytes[text.length] = '\0';
	return (struct text){bytes, text.length};
}

/* Adds one; its texts are copied.  range NULL: about all of it. */
static bool add(
	struct checking *checking, struct policy_finding finding, const struct cedar_range *range)
{
	struct policy_findings *findings = checking->findings;
	struct cedar_range whole;

	if (range != NULL && range->line != 0) {
		whole = in_text(checking, range);
		range = &whole;
	} else
		range = NULL;
	if (is_known(checking, &finding, range))
		return true;
	findings->error_count += finding.severity == POLICY_ERROR;
	if (!reserve(checking))
		return false;
	if (findings->count == POLICY_FINDINGS_MAX)
		return true;
	if (range != NULL && range->start <= checking->text.length) {
		finding.line = range->line;
		finding.column = range->column;
		finding.excerpt =
			excerpt_cut(findings->arena, checking->text, range->start, range->length);
	}
	finding.field = checking->field;
	finding.file_line = checking->value == NULL ? finding.line
						    : json_line_of(checking->value, finding.line);
	finding.what = copy_readable(findings->arena, finding.what);
	finding.hint = text_copy(findings->arena, finding.hint);
	if (finding.what.data == NULL || finding.hint.data == NULL)
		return error_set(checking->err, ERROR_LIMIT, "no memory for what was found");
	findings->items[findings->count++] = finding;
	return true;
}

static bool is_before(const struct policy_finding *a, const struct policy_finding *b)
{
	return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* In the order of the text, whatever found them; of one place as they were found. */
static void sort_found(struct checking *checking)
{
	struct policy_finding *items = checking->findings->items;

	for (size_t i = checking->first + 1; i < checking->findings->count; i++) {
		struct policy_finding moved = items[i];
		size_t at = i;

		for (; at > checking->first && is_before(&moved, &items[at - 1]); at--)
			items[at] = items[at - 1];
		items[at] = moved;
	}
}

static bool add_cause(struct checking *checking, const char *code, const char *hint,
	const struct cedar_error *cause)
{
	struct policy_finding finding = {
		.code = code, .what = text_of(cause->text), .hint = text_of(hint)};
	struct cedar_range range = {.line = cause->line, .column = cause->column, .length = 1};

	/* A limit that has a place is the text's; without one it is the memory's. */
	if (cause->code == CEDAR_ERROR_LIMIT && cause->line == 0)
		return failed(checking->err, cause);
	if (cause->line == 0)
		return add(checking, finding, NULL);
	excerpt_place_end(checking->part, &range.line, &range.column);
	range.start = (uint32_t)excerpt_offset(checking->part, range.line, range.column);
	return add(checking, finding, &range);
}

/* ---- rules of ours ---- */

static bool is_approvals(const struct ast *node)
{
	return node->kind == AST_GET && cedar_text_is(node->names[0], "approvals") &&
	       node->children[0]->kind == AST_VARIABLE && node->children[0]->detail == AST_CONTEXT;
}

static bool no_room(const struct checking *checking)
{
	return error_set(checking->err, ERROR_LIMIT, "no memory for what was found");
}

/* ---- words of closed vocabularies ---- */

/* True if the node is part of what is asked about, and no argument of the call. */
static bool is_ours(const struct ast *node)
{
	for (; node->kind == AST_GET; node = node->children[0])
		if (cedar_text_is(node->names[0], "args"))
			return false;
	return node->kind == AST_VARIABLE;
}

static bool is_of_origins(const struct ast *node)
{
	const struct ast *record = node->children[0];

	return record->kind == AST_GET && cedar_text_is(record->names[0], "origins");
}

/* The vocabulary of what the node reads; NULL: any text. */
static const struct vocabulary *vocabulary_of(const struct ast *node)
{
	if (node->kind != AST_GET || !is_ours(node))
		return NULL;
	if (is_approvals(node))
		return &vocabulary_approvals;
	for (size_t i = 0; is_of_origins(node) && origin_members[i] != NULL; i++)
		if (cedar_text_is(node->names[0], origin_members[i]))
			return &vocabulary_origins;
	return vocabulary_find(cedar_text_to(node->names[0]));
}

static bool check_word(struct checking *checking, const struct vocabulary *vocabulary,
	const struct cedar_value *value, const struct ast *node)
{
	struct policy_finding finding = {
		.code = "unknown_word",
		.hint = text_of(vocabulary->hint),
	};
	struct cedar_range range = {.start = node->start, .length = node->end - node->start};
	const char *nearest;
	struct text word;

	if (value->type != CEDAR_STRING)
		return true; /* the validator has said so, or will */
	word = (struct text){value->string, value->count};
	/* What is not given may be an empty text. */
	if (vocabulary_has(vocabulary, word) ||
		(word.length == 0 && vocabulary != &vocabulary_approvals))
		return true;
	nearest = vocabulary_nearest(vocabulary, word);
	if (nearest != NULL)
		finding.hint = text_format(checking->checker->arena, "did you mean `%s`?", nearest);
	cedar_place(cedar_text_from(checking->part), range.start, &range.line, &range.column);
	finding.what = text_format(
		checking->checker->arena, "no %s is \"%.*s\"", vocabulary->what, TEXT_ARGS(word));
	return finding.what.data == NULL || finding.hint.data == NULL
		       ? no_room(checking)
		       : add(checking, finding, &range);
}

/* Each literal text of the node, or in the set that it is. */
static bool check_words(
	struct checking *checking, const struct vocabulary *vocabulary, const struct ast *node)
{
	const struct cedar_value *literal = &node->literal;

	if (node->kind == AST_LITERAL && literal->type != CEDAR_SET)
		return check_word(checking, vocabulary, literal, node);
	if (node->kind == AST_LITERAL) {
		for (uint32_t i = 0; i < literal->count; i++)
			if (!check_word(checking, vocabulary, &literal->items[i], node))
				return false;
		return true;
	}
	for (uint32_t i = 0; node->kind == AST_SET && i < node->count; i++)
		if (!check_words(checking, vocabulary, node->children[i]))
			return false;
	return true;
}

static bool is_comparison(enum ast_kind kind)
{
	return kind == AST_EQUAL || kind == AST_NOT_EQUAL || kind == AST_CONTAINS ||
	       kind == AST_CONTAINS_ALL || kind == AST_CONTAINS_ANY;
}

/* A text that nothing read is ever equal to makes a guardrail that never forbids.
 * Recursion is bounded by the depth of trees. */
static bool check_literals(struct checking *checking, const struct ast *node)
{
	for (uint32_t i = 0; is_comparison(node->kind) && i < 2; i++) {
		const struct vocabulary *vocabulary = vocabulary_of(node->children[i]);

		if (vocabulary != NULL && !check_words(checking, vocabulary, node->children[1 - i]))
			return false;
	}
	for (uint32_t i = 0; i < node->count; i++)
		if (!check_literals(checking, node->children[i]))
			return false;
	return true;
}

struct asked_names {
	struct cedar_text items[POLICY_APPROVALS_MAX];
	size_t count; /* different ones; beyond items, one too many */
};

static void count_name(void *closure, struct cedar_text name)
{
	struct asked_names *names = closure;

	for (size_t i = 0; i < names->count && i < POLICY_APPROVALS_MAX; i++)
		if (cedar_text_equal(names->items[i], name))
			return;
	if (names->count < POLICY_APPROVALS_MAX)
		names->items[names->count] = name;
	if (names->count <= POLICY_APPROVALS_MAX)
		names->count++;
}

static bool check_names(struct checking *checking, const struct cedar_policy_set *set)
{
	const struct cedar_range whole = cedar_policy_set_get(set, 0).range;
	struct policy_finding finding = {
		.code = "too_many_approvals",
		.hint = TEXT("ask for fewer names"),
	};
	struct asked_names names = {.count = 0};

	cedar_policy_visit_asked(set, 0, CEDAR_TEXT("approvals"), count_name, &names);
	if (names.count <= POLICY_APPROVALS_MAX)
		return true;
	finding.what = text_format(checking->checker->arena,
		"asks for more than %d names of approvals", POLICY_APPROVALS_MAX);
	return finding.what.data == NULL ? no_room(checking) : add(checking, finding, &whole);
}

static const char *approvals_hint(const struct checking *checking)
{
	return checking->is_condition
		       ? "write context.approvals.contains(\"NAME\") so that more approvals allow "
			 "more"
		       : "write when { !context.approvals.contains(\"NAME\") }, or unless { "
			 "context.approvals.contains(\"NAME\") }, so that more approvals allow "
			 "more";
}

static bool check_rules(struct checking *checking, const struct cedar_policy_set *set)
{
	static const struct policy_finding permit = {
		.code = "permit",
		.what = {"a permit has no place in a guardrail, which only forbids", 56},
		.hint = {"authority comes from a charter's entitlements", 45},
	};
	const struct policy_ast *policy = &set->policies[0].ast;
	struct cedar_policy described = cedar_policy_set_get(set, 0);
	struct cedar_error cause = {0};

	if (!checking->is_condition && described.effect == CEDAR_PERMIT)
		return add(checking, permit, &described.range);
	if (!cedar_check_monotone_use(set, 0, CEDAR_TEXT("approvals"), &cause) &&
		!add_cause(checking, "approvals", approvals_hint(checking), &cause))
		return false;
	if (!check_names(checking, set))
		return false;
	for (uint32_t i = 0; i < policy->clause_count; i++)
		if (!check_literals(checking, policy->clauses[i].expression))
			return false;
	return true;
}

/* ---- validating ---- */

/* A name within it that is not declared: that nothing fits follows from that. */
static bool has_unknown_within(
	const struct cedar_validation *validation, const struct cedar_range *range)
{
	for (size_t i = 0; i < validation->count; i++) {
		const struct cedar_finding *found = &validation->findings[i];

		if ((found->code == CEDAR_FINDING_UNKNOWN_ACTION ||
			    found->code == CEDAR_FINDING_UNKNOWN_ENTITY_TYPE) &&
			found->range.start >= range->start &&
			found->range.start < range->start + range->length)
			return true;
	}
	return false;
}

static bool is_wanted(const struct checking *checking, const struct cedar_validation *validation,
	const struct cedar_finding *found)
{
	bool is_of_nothing = found->code == CEDAR_FINDING_NO_APPLICABLE_ACTION ||
			     found->code == CEDAR_FINDING_IMPOSSIBLE;

	/* That no door leads to a resource is said where it is planned. */
	if (checking->is_condition && found->code == CEDAR_FINDING_NO_APPLICABLE_ACTION)
		return false;
	return !is_of_nothing || !has_unknown_within(validation, &found->range);
}

static bool add_found(struct checking *checking, const struct cedar_validation *validation)
{
	for (size_t i = 0; i < validation->count; i++) {
		const struct cedar_finding *found = &validation->findings[i];
		struct policy_finding finding = {
			.severity = found->severity == CEDAR_SEVERITY_ERROR ? POLICY_ERROR
									    : POLICY_WARNING,
			.code = cedar_finding_name(found->code),
			.what = cedar_text_to(found->text),
			.hint = cedar_text_to(found->hint),
		};

		if (is_wanted(checking, validation, found) &&
			!add(checking, finding, &found->range))
			return false;
	}
	return true;
}

static bool keep_arguments(struct checking *checking, struct text types)
{
	struct policy_findings *findings = checking->findings;
	struct policy_arguments *kept;

	if (text_is(types, "{}") || findings->arguments_count == POLICY_ARGUMENTS_MAX)
		return true;
	if (findings->arguments == NULL)
		findings->arguments =
			arena_array(findings->arena, struct policy_arguments, POLICY_ARGUMENTS_MAX);
	if (findings->arguments == NULL)
		return error_set(checking->err, ERROR_LIMIT, "no memory for what was found");
	kept = &findings->arguments[findings->arguments_count++];
	kept->field = checking->field;
	kept->line = checking->base.line;
	kept->file_line =
		checking->value == NULL ? kept->line : json_line_of(checking->value, kept->line);
	kept->types = text_copy(findings->arena, types);
	return kept->types.data != NULL ||
	       error_set(checking->err, ERROR_LIMIT, "no memory for what was found");
}

static bool validate_by(struct checking *checking, const struct cedar_policy_set *set,
	const struct cedar_schema *schema, bool is_consistent)
{
	static const struct policy_finding inconsistent = {
		.code = "inconsistent_arguments",
		.what = {"uses a record of the arguments as something that is no record", 61},
		.hint = {"compare members of the arguments, one by one", 44},
	};
	struct cedar_arena *arena = cedar_arena_from(checking->checker->arena);
	struct cedar_range whole = cedar_policy_set_get(set, 0).range;
	struct cedar_validation validation;
	struct cedar_error cause = {0};

	if (!cedar_validate_within(set, schema, POLICY_STEPS_MAX, arena, &validation, &cause))
		return failed(checking->err, &cause);
	if (!add_found(checking, &validation))
		return false;
	if (is_consistent || validation.error_count > 0)
		return true;
	return add(checking, inconsistent, &whole);
}

/* No record can be what it takes the arguments to be. */
static bool add_untyped(struct checking *checking, const struct cedar_policy_set *set)
{
	struct policy_finding finding = {
		.code = "inconsistent_arguments", .what = text_of(checking->err->text)};
	struct cedar_range whole = cedar_policy_set_get(set, 0).range;

	return checking->err->code == ERROR_INVALID && add(checking, finding, &whole);
}

/* The one policy of the set. */
static bool check_one(struct checking *checking, const struct cedar_policy_set *set)
{
	struct cedar_schema *schema = NULL;
	struct argument_types types;
	bool ok;

	if (!check_rules(checking, set))
		return false;
	if (!argument_types_of(&types, set, 0, checking->checker->arena, checking->err))
		return add_untyped(checking, set);
	if (!keep_arguments(checking, types.text))
		return false;
	if (text_is(types.text, "{}"))
		return validate_by(checking, set, checking->checker->schema, types.is_consistent);
	schema = schema_find(checking->checker, types.text);
	if (schema != NULL)
		return validate_by(checking, set, schema, types.is_consistent);
	ok = schema_parse(checking, types.text, &schema, checking->err) &&
	     validate_by(checking, set, schema, types.is_consistent);
	if (schema != NULL && !schema_keep(checking->checker, types.text, schema))
		cedar_schema_destroy(&schema);
	return ok;
}

/* ---- guardrails ---- */

static bool check_policy(
	struct checking *checking, const struct cedar_policy_set *whole, size_t index)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause = {0};
	bool ok;

	checking->base = cedar_policy_set_get(whole, index).range;
	checking->part =
		(struct text){checking->text.data + checking->base.start, checking->base.length};
	if (!cedar_policy_set_parse(&set, cedar_text_from(checking->part), NULL, &cause))
		return failed(checking->err, &cause);
	ok = check_one(checking, set);
	cedar_policy_set_destroy(&set);
	arena_reset(checking->checker->arena);
	look_at_all(checking);
	return ok;
}

static bool check_templates(struct checking *checking, const struct cedar_policy_set *set)
{
	static const struct policy_finding template = {
		.code = "template",
		.what = {"a template decides nothing", 26},
		.hint = {"write the policy out", 20},
	};
	static const struct policy_finding nothing = {
		.code = "no_policy",
		.what = {"holds no policy", 15},
		.hint = {"write forbid (principal, action, resource) when { ... };", 56},
	};
	struct cedar_range range;

	if (cedar_policy_set_template_count(set) != 0) {
		range = cedar_policy_set_get_template(set, 0).range;
		return add(checking, template, &range);
	}
	return cedar_policy_set_count(set) != 0 || add(checking, nothing, NULL);
}

static bool check_text(struct checking *checking)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause = {0};
	bool ok;

	look_at_all(checking);
	if (!cedar_policy_set_parse(&set, cedar_text_from(checking->text), NULL, &cause))
		return add_cause(checking, "syntax", NULL, &cause);
	ok = check_templates(checking, set);
	for (size_t i = 0; ok && i < cedar_policy_set_count(set); i++)
		ok = check_policy(checking, set, i);
	cedar_policy_set_destroy(&set);
	sort_found(checking);
	return ok;
}

bool policy_check_guardrail(struct policy_checker *checker, struct text text,
	struct policy_findings *findings, struct error *err)
{
	struct checking checking = {.checker = checker,
		.findings = findings,
		.text = text,
		.first = findings->count,
		.err = err};

	return check_text(&checking);
}

/* ---- conditions ---- */

/* NULL in a scope is any. */
static bool check_condition(struct checking *checking, const struct cedar_scope *scope)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause = {0};
	bool ok;

	checking->is_condition = true;
	look_at_all(checking);
	if (checking->text.length == 0)
		return true;
	checking->findings->conditions_count++;
	if (!cedar_policy_set_create(&set, &cause))
		return failed(checking->err, &cause);
	ok = cedar_policy_set_add_permit(
		     set, CEDAR_TEXT("condition"), scope, cedar_text_from(checking->text), &cause)
		     ? check_one(checking, set)
		     : add_cause(checking, "syntax", NULL, &cause);
	cedar_policy_set_destroy(&set);
	arena_reset(checking->checker->arena);
	sort_found(checking);
	return ok;
}

static const struct json *condition_of(
	const struct object *object, const char *list, uint32_t index)
{
	const struct json *charter = object_charter_document(object, &object->as_read);
	const struct json *items = json_find(charter == NULL ? &object->as_read : charter, list);
	const struct json *when = NULL;

	if (items != NULL && items->type == JSON_ARRAY && index < items->count)
		when = json_find(&items->items[index], "when");
	return when == NULL ? &object->as_read : when;
}

static bool check_item(struct checking *checking, const struct object *object, const char *list,
	uint32_t index, const struct cedar_scope *scope)
{
	checking->first = checking->findings->count;
	checking->field = text_format(checking->findings->arena, "%s%s[%u].when",
		object->kind == OBJECT_UNIT ? "sandbox." : "", list, index);
	checking->value = condition_of(object, list, index);
	if (checking->field.data == NULL)
		return error_set(checking->err, ERROR_LIMIT, "no memory for what was found");
	return check_condition(checking, scope);
}

static struct cedar_uid action_of(enum effect effect)
{
	return cedar_uid_of(CEDAR_TEXT("Action"), cedar_text_of(effect_word(effect)));
}

/* A line about what has no door yet is held to what the tools' doors ask. */
static bool check_entitlements(struct checking *checking, const struct object *object)
{
	const struct charter *charter = object_charter(object);

	for (uint32_t i = 0; charter != NULL && i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		struct cedar_uid principal =
			cedar_uid_of(CEDAR_TEXT("Identity"), cedar_text_from(object->name));
		struct cedar_uid resource =
			cedar_uid_of(CEDAR_TEXT("Tool"), cedar_text_from(line->resource));
		struct cedar_uid action = action_of(line->effect);
		struct cedar_scope scope = {&principal, &action, &resource};

		if (line->resource_kind == RESOURCE_MODEL)
			resource =
				cedar_uid_of(CEDAR_TEXT("Model"), cedar_text_from(line->resource));
		else if (line->resource_kind == RESOURCE_PEER)
			resource =
				cedar_uid_of(CEDAR_TEXT("Peer"), cedar_text_from(line->resource));
		else if (line->resource_kind != RESOURCE_TOOL)
			scope = (struct cedar_scope){&principal, NULL, NULL};
		checking->text = line->when;
		if (!check_item(checking, object, "entitlements", i, &scope))
			return false;
	}
	return true;
}

static bool check_reads(struct checking *checking, const struct object *object)
{
	const struct tool *tool = object->tool;
	struct cedar_uid resource = cedar_uid_of(CEDAR_TEXT("Tool"), cedar_text_from(object->name));
	struct cedar_uid action = action_of(tool->effect);
	struct cedar_scope scope = {NULL, &action, &resource};

	if (tool_is_skill(tool))
		resource = cedar_uid_of(CEDAR_TEXT("Peer"), cedar_text_from(tool->server));
	for (uint32_t i = 0; i < object->tool->reads_count; i++) {
		checking->text = object->tool->reads[i].when;
		if (!check_item(checking, object, "reads", i, &scope))
			return false;
	}
	return true;
}

bool policy_check_object(struct policy_checker *checker, const struct object *object,
	struct policy_findings *findings, struct error *err)
{
	struct checking checking = {
		.checker = checker, .findings = findings, .first = findings->count, .err = err};
	const struct json *text;

	switch (object->kind) {
	case OBJECT_UNIT:
	case OBJECT_IDENTITY: return check_entitlements(&checking, object);
	case OBJECT_TOOL: return check_reads(&checking, object);
	case OBJECT_POLICY:
		text = json_find(&object->as_read, "text");
		checking.field = TEXT("text");
		checking.value = text == NULL ? &object->as_read : text;
		checking.text = object->policy->text;
		return check_text(&checking);
	case OBJECT_PERSON:
	case OBJECT_DATA_SOURCE:
	case OBJECT_SERVER:
	case OBJECT_APPLICATION: /* by its own schema, when it is read */
	case OBJECT_ISSUER:
	case OBJECT_CONNECTOR:
	case OBJECT_KIND_COUNT:
	case OBJECT_NONE: break;
	}
	return true;
}

static void add_problem(struct problems *problems, const struct object *object, struct text file,
	const struct policy_finding *finding)
{
	struct place place = {
		.file = file,
		.line = finding->file_line,
		.field = text_format(problems->arena, "%s %.*s: %.*s",
			object_kind_word(object->kind), TEXT_ARGS(object->name),
			TEXT_ARGS(finding->field)),
	};
	const char *hint = finding->hint.length == 0 ? NULL : finding->hint.data;

	if (finding->line == 0)
		problem_add(problems, place, hint, "%.*s", TEXT_ARGS(finding->what));
	else
		problem_add(problems, place, hint, "line %u, column %u: %.*s", finding->line,
			finding->column, TEXT_ARGS(finding->what));
	problem_set_excerpt(
		problems, excerpt_format(problems->arena, &finding->excerpt, PROBLEM_INDENT));
}

bool policy_check_problems(struct policy_checker *checker, const struct object *object,
	struct text file, struct problems *problems, struct error *err)
{
	struct policy_findings findings = {.arena = problems->arena};

	if (!policy_check_object(checker, object, &findings, err))
		return false;
	for (size_t i = 0; i < findings.count; i++)
		if (findings.items[i].severity == POLICY_ERROR)
			add_problem(problems, object, file, &findings.items[i]);
	return true;
}

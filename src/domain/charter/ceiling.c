/* Compiles charters and guardrails with the policy library.  What the lines of a charter
 * demand is a shape, which all identities with the same conditions share; a
 * ceiling adds rows: its id, effect and resource for each line.
 *
 * Invariant: a ceiling holds permits only, a guardrail forbids only. */
#include "domain/charter/ceiling.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cedar/like.h"
#include "domain/charter/shape.h"
#include "remit/cedar.h"

enum {
	CEILING_ARENA_BYTES_MAX = 4 * 1024 * 1024,
	LINE_BYTES = sizeof(struct entitlement) + 64, /* with most resources */
	ID_BYTES_MAX = 256,
};

struct ceiling {
	struct shape *shape;               /* what its lines demand */
	struct cedar_policy_set *policies; /* who may do what, on what; borrows from the shape */
	struct arena *arena;
	struct entitlement *entitlements; /* by number; copies, so it outlives the charter */
	uint32_t count;
	char prefix[ID_BYTES_MAX]; /* "charter/NAME@VERSION/entitlements/" */
};

struct guardrails {
	struct cedar_policy_set *policies;
	const struct object **objects; /* held, in the order of their ids */
	size_t count;
};

static struct cedar_text cedar_text_from(struct text t)
{
	return (struct cedar_text){t.data, t.length};
}

bool error_set_cedar(struct error *err, const struct cedar_error *cause)
{
	enum error_code code = cause->code == CEDAR_ERROR_LIMIT ? ERROR_LIMIT : ERROR_INVALID;

	if (cause->line == 0)
		return error_set(err, code, "%s", cause->text);
	return error_set(
		err, code, "line %u, column %u: %s", cause->line, cause->column, cause->text);
}

const char *resource_type_name(enum resource_kind kind)
{
	switch (kind) {
	case RESOURCE_TOOL: return "Tool";
	case RESOURCE_DATA_SOURCE: return "DataSource";
	case RESOURCE_MODEL: return "Model";
	case RESOURCE_PEER: return "Peer";
	case RESOURCE_NONE: break;
	}
	return NULL;
}

/* ---- checks ---- */

static bool check_approvals_use(const struct cedar_policy_set *set, struct error *err)
{
	struct cedar_error cause = {0};

	for (size_t i = 0; i < cedar_policy_set_count(set); i++)
		if (!cedar_check_monotone_use(set, i, CEDAR_TEXT("approvals"), &cause))
			return error_set_cedar(err, &cause);
	return true;
}

static bool parse_condition(struct cedar_policy_set **out, struct text text, struct error *err)
{
	struct cedar_error cause = {0};
	struct cedar_scope any = {0};

	if (!cedar_policy_set_create(out, &cause))
		return error_set_cedar(err, &cause);
	if (cedar_policy_set_add_permit(
		    *out, CEDAR_TEXT("condition"), &any, cedar_text_from(text), &cause))
		return true;
	cedar_policy_set_destroy(out);
	return error_set_cedar(err, &cause);
}

bool condition_check(struct text text, struct error *err)
{
	struct cedar_policy_set *set = NULL;
	bool ok;

	if (text.length == 0)
		return error_set(err, ERROR_INVALID, "an empty condition is no expression");
	if (!parse_condition(&set, text, err))
		return false;
	ok = check_approvals_use(set, err);
	cedar_policy_set_destroy(&set);
	return ok;
}

bool condition_check_without_approvals(struct text text, struct error *err)
{
	static const struct cedar_text later[] = {{"approvals", 9}, {"risk", 4}};
	struct cedar_policy_set *set = NULL;
	bool ok = true;

	if (text.length == 0)
		return error_set(err, ERROR_INVALID, "an empty condition is no expression");
	if (!parse_condition(&set, text, err))
		return false;
	for (size_t i = 0; ok && i < sizeof later / sizeof *later; i++)
		if (cedar_policy_mentions(set, 0, &later[i], 1))
			ok = error_set(err, ERROR_INVALID,
				"a condition here may not read context.%s, which is known later",
				later[i].data);
	cedar_policy_set_destroy(&set);
	return ok;
}

static bool check_forbids_only(const struct cedar_policy_set *set, struct error *err)
{
	size_t index;

	if (cedar_policy_set_template_count(set) != 0)
		return error_set(err, ERROR_INVALID,
			"line %u: a template decides nothing: write the policy out",
			cedar_policy_set_get_template(set, 0).range.line);
	if (cedar_policy_set_count(set) == 0)
		return error_set(err, ERROR_INVALID, "holds no policy");
	if (cedar_policy_set_find_effect(set, CEDAR_PERMIT, &index))
		return error_set(err, ERROR_INVALID,
			"line %u: a permit has no place in a guardrail, which only forbids; "
			"authority comes from a charter's entitlements",
			cedar_policy_set_get(set, index).range.line);
	return check_approvals_use(set, err);
}

/* ---- ceilings ---- */

/* What is said of one identity's lines, while they are compiled. */
struct rows {
	struct arena *arena;
	struct cedar_like *likes;
	struct cedar_uid
		actions[EFFECT_DELEGATE + 1]; /* by effect, so that equal ones are one pointer */
	struct cedar_uid *resources;
	struct cedar_uid principal;
};

static bool fill_row(struct rows *rows, const struct ceiling *ceiling, uint32_t number)
{
	const struct entitlement *line = &ceiling->entitlements[number];
	struct text id = text_format(rows->arena, "%s%u", ceiling->prefix, number);

	rows->actions[line->effect] = cedar_uid_of(
		CEDAR_TEXT("Action"), cedar_text_from(text_of(effect_word(line->effect))));
	rows->resources[number] =
		cedar_uid_of(cedar_text_of(resource_type_name(line->resource_kind)),
			cedar_text_from(line->resource));
	rows->likes[number] = (struct cedar_like){cedar_text_from(id),
		{&rows->principal, &rows->actions[line->effect], &rows->resources[number]}};
	return id.data != NULL;
}

static bool fill_rows(struct rows *rows, const struct ceiling *ceiling, struct text name)
{
	size_t count = (size_t)ceiling->count + 1;
	bool ok;

	rows->principal = cedar_uid_of(CEDAR_TEXT("Identity"), cedar_text_from(name));
	rows->likes = arena_array(rows->arena, struct cedar_like, count);
	rows->resources = arena_array(rows->arena, struct cedar_uid, count);
	ok = rows->likes != NULL && rows->resources != NULL;
	for (uint32_t i = 0; ok && i < ceiling->count; i++)
		ok = fill_row(rows, ceiling, i);
	return ok;
}

static bool compile_rows(struct ceiling *ceiling, struct text name, struct error *err)
{
	struct rows rows = {.arena = arena_create(CEILING_ARENA_BYTES_MAX)};
	struct cedar_error cause = {0};
	bool ok = false;

	if (rows.arena == NULL || !fill_rows(&rows, ceiling, name)) {
		error_set(err, ERROR_LIMIT, "no memory for a charter's permits");
		goto done;
	}
	ok = cedar_policy_set_like(
		     &ceiling->policies, shape_policies(ceiling->shape), rows.likes, &cause) ||
	     error_set_cedar(err, &cause);
done:
	arena_destroy(&rows.arena);
	return ok;
}

/* What is said of the conditions is the shape's. */
static bool keep_line(struct ceiling *ceiling, const struct entitlement *line)
{
	struct entitlement *kept = &ceiling->entitlements[line->number];
	const struct shape_line *conditions = shape_line(ceiling->shape, line->number);

	*kept = *line;
	kept->when = conditions->when;
	kept->approvals = conditions->approvals;
	kept->resource = text_copy(ceiling->arena, line->resource);
	return kept->resource.data != NULL;
}

static bool name_ceiling(
	struct ceiling *ceiling, const struct charter *charter, uint32_t version, struct error *err)
{
	int written = snprintf(ceiling->prefix, sizeof ceiling->prefix,
		"charter/%.*s@%u/entitlements/", TEXT_ARGS(charter->name), version);

	if (written < 0 || (size_t)written >= sizeof ceiling->prefix)
		return error_set(err, ERROR_LIMIT, "no memory for a ceiling");
	return true;
}

static bool fill_ceiling(struct ceiling *ceiling, struct shapes *shapes,
	const struct charter *charter, struct error *err)
{
	ceiling->count = charter->entitlements_count;
	if (!shape_acquire(&ceiling->shape, shapes, charter->entitlements, ceiling->count, err))
		return false;
	ceiling->arena = arena_create_small(
		CEILING_ARENA_BYTES_MAX, LINE_BYTES * (ceiling->count + (size_t)1));
	if (ceiling->arena != NULL)
		ceiling->entitlements =
			arena_array(ceiling->arena, struct entitlement, ceiling->count + (size_t)1);
	if (ceiling->entitlements == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a charter's entitlements");
	for (uint32_t i = 0; i < ceiling->count; i++) {
		assert(charter->entitlements[i].number == i);
		if (!keep_line(ceiling, &charter->entitlements[i]))
			return error_set(
				err, ERROR_LIMIT, "no memory for a charter's entitlements");
	}
	return compile_rows(ceiling, charter->name, err);
}

bool ceiling_compile(struct ceiling **out, struct shapes *shapes, const struct charter *charter,
	uint32_t version, struct error *err)
{
	struct ceiling *ceiling = calloc(1, sizeof *ceiling);

	*out = NULL;
	if (ceiling == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a ceiling");
	if (name_ceiling(ceiling, charter, version, err) &&
		fill_ceiling(ceiling, shapes, charter, err)) {
		*out = ceiling;
		return true;
	}
	ceiling_destroy(&ceiling);
	return false;
}

void ceiling_destroy(struct ceiling **ceiling)
{
	if (*ceiling == NULL)
		return;
	cedar_policy_set_destroy(&(*ceiling)->policies);
	shape_release(&(*ceiling)->shape);
	arena_destroy(&(*ceiling)->arena);
	free(*ceiling);
	*ceiling = NULL;
}

const struct cedar_policy_set *ceiling_policies(const struct ceiling *ceiling)
{
	return ceiling->policies;
}

const struct entitlement *ceiling_entitlement_of(
	const struct ceiling *ceiling, struct text policy_id)
{
	size_t prefix = strlen(ceiling->prefix);
	int64_t number;

	if (!text_starts_with(policy_id, ceiling->prefix) ||
		!text_to_int64((struct text){policy_id.data + prefix, policy_id.length - prefix},
			&number) ||
		number < 0 || number >= (int64_t)ceiling->count)
		return NULL;
	return &ceiling->entitlements[number];
}

/* ---- guardrails ---- */

/* The texts are counted first, so that each policy gets its own id: the first of
 * a text has the text's name, the others a number behind it. */
static bool name_policies(const struct object *object, size_t count, struct arena *arena,
	struct cedar_text *ids, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		struct text id = i == 0 ? text_format(arena, "policy/%.*s@%u",
						  TEXT_ARGS(object->name), object->version)
					: text_format(arena, "policy/%.*s@%u/%zu",
						  TEXT_ARGS(object->name), object->version, i + 1);

		if (id.data == NULL)
			return error_set(err, ERROR_LIMIT, "no memory for the ids of policies");
		ids[i] = cedar_text_from(id);
	}
	return true;
}

static bool count_policies(struct text text, size_t *count, struct error *err)
{
	struct cedar_policy_set *set = NULL;
	struct cedar_error cause = {0};
	bool ok;

	if (!cedar_policy_set_parse(&set, cedar_text_from(text), NULL, &cause))
		return error_set_cedar(err, &cause);
	*count = cedar_policy_set_count(set);
	ok = check_forbids_only(set, err);
	cedar_policy_set_destroy(&set);
	return ok;
}

bool guardrail_check(struct text text, struct error *err)
{
	size_t count;

	return count_policies(text, &count, err);
}

static bool add_guardrail(
	struct guardrails *guardrails, const struct object *object, struct error *err)
{
	struct arena *arena = arena_create(CEILING_ARENA_BYTES_MAX);
	struct cedar_error cause = {0};
	struct cedar_naming naming = {{0}, NULL, 0};
	struct cedar_text *ids;
	bool ok = false;

	if (arena == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a policy");
	if (!count_policies(object->policy->text, &naming.id_count, err))
		goto done;
	ids = arena_array(arena, struct cedar_text, naming.id_count);
	if (ids == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for the ids of policies");
		goto done;
	}
	if (!name_policies(object, naming.id_count, arena, ids, err))
		goto done;
	naming.ids = ids;
	ok = cedar_policy_set_add_text(
		guardrails->policies, cedar_text_from(object->policy->text), &naming, &cause);
	if (!ok)
		error_set_cedar(err, &cause);
done:
	arena_destroy(&arena);
	return ok || error_wrap(err, "policy %.*s", TEXT_ARGS(object->name));
}

static bool guardrails_create(struct guardrails **out, size_t count, struct error *err)
{
	struct guardrails *guardrails = calloc(1, sizeof *guardrails);
	struct cedar_error cause = {0};

	*out = guardrails;
	if (guardrails == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for guardrails");
	guardrails->objects = calloc(count + 1, sizeof(*guardrails->objects));
	if (guardrails->objects == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for guardrails");
	if (!cedar_policy_set_create(&guardrails->policies, &cause))
		return error_set_cedar(err, &cause);
	return true;
}

bool guardrails_compile(struct guardrails **out, const struct object *const *policies, size_t count,
	struct error *err)
{
	struct guardrails *guardrails = NULL;
	struct cedar_error cause = {0};
	bool ok = false;

	*out = NULL;
	if (!guardrails_create(&guardrails, count, err))
		goto done;
	for (size_t i = 0; i < count; i++) {
		assert(policies[i]->kind == OBJECT_POLICY);
		if (!add_guardrail(guardrails, policies[i], err))
			goto done;
		guardrails->objects[guardrails->count++] = object_acquire(policies[i]);
	}
	if (!cedar_policy_set_seal(guardrails->policies, &cause)) {
		error_set_cedar(err, &cause);
		goto done;
	}
	*out = guardrails;
	guardrails = NULL;
	ok = true;
done:
	guardrails_destroy(&guardrails);
	return ok;
}

void guardrails_destroy(struct guardrails **guardrails)
{
	if (*guardrails == NULL)
		return;
	cedar_policy_set_destroy(&(*guardrails)->policies);
	for (size_t i = 0; i < (*guardrails)->count; i++)
		object_release(&(*guardrails)->objects[i]);
	free((void *)(*guardrails)->objects);
	free(*guardrails);
	*guardrails = NULL;
}

const struct cedar_policy_set *guardrails_policies(const struct guardrails *guardrails)
{
	return guardrails->policies;
}

/* The name between "policy/" and "@". */
static struct text name_in_id(struct text policy_id)
{
	struct text rest = {0};
	ptrdiff_t at;

	if (!text_starts_with(policy_id, "policy/"))
		return rest;
	rest = (struct text){policy_id.data + 7, policy_id.length - 7};
	at = text_find_byte(rest, '@');
	rest.length = at < 0 ? 0 : (size_t)at;
	return rest;
}

const struct policy *guardrails_policy_of(
	const struct guardrails *guardrails, struct text policy_id)
{
	struct text name = name_in_id(policy_id);

	for (size_t i = 0; i < guardrails->count; i++)
		if (text_equal(guardrails->objects[i]->name, name))
			return guardrails->objects[i]->policy;
	return NULL;
}

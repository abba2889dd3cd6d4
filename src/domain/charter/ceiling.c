/* Compiles charters and guardrails with the policy library.  What the lines of a charter
 * demand is a shape, which all identities with the same conditions share; a
 * ceiling adds rows: its id, effect and resource for each line.  Rows are many times as large
 * as the lines they are made of, and most identities are asleep: so they are made when a
 * ceiling is first asked, and of those that were not asked for long they are given up again.
 *
 * Invariants: a ceiling holds permits only, a guardrail forbids only; a policy's place in a
 * ceiling is its line's number. */
#include "domain/charter/ceiling.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cedar/from_json.h"
#include "cedar/like.h"
#include "domain/charter/shape.h"
#include "remit/cedar.h"

enum { CEILING_ARENA_BYTES_MAX = 4 * 1024 * 1024 };

struct ceiling {
	struct ceilings *pool; /* NULL: it stands alone */
	struct shape *shape;   /* what its lines demand */
	const struct object *identity;
	struct cedar_policy_set *policies; /* NULL: not compiled now; borrows from the shape */
	uint32_t version;
	uint32_t place; /* in the pool, while it is compiled */
	bool was_asked; /* since the pool's hand passed it */
};

/* Those that are compiled, in a ring.  A new one takes the place of one that was not asked
 * since the hand last passed. */
struct ceilings {
	struct shapes *shapes;
	struct ceiling *places[CEILINGS_COMPILED_MAX];
	uint32_t hand;
	size_t count;
};

struct guardrails {
	struct cedar_policy_set *policies;
	const struct object **objects; /* held, in the order of their ids */
	size_t count;
};

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
	struct cedar_range range;
	size_t index;

	if (cedar_policy_set_template_count(set) != 0) {
		range = cedar_policy_set_get_template(set, 0).range;
		return error_set_at(err, ERROR_INVALID, range.line, range.column,
			"a template decides nothing: write the policy out");
	}
	if (cedar_policy_set_count(set) == 0)
		return error_set(err, ERROR_INVALID, "holds no policy");
	if (cedar_policy_set_find_effect(set, CEDAR_PERMIT, &index)) {
		range = cedar_policy_set_get(set, index).range;
		return error_set_at(err, ERROR_INVALID, range.line, range.column,
			"a permit has no place in a guardrail, which only forbids; authority comes "
			"from a charter's entitlements");
	}
	return check_approvals_use(set, err);
}

/* ---- which are compiled ---- */

bool ceilings_create(struct ceilings **out, struct error *err)
{
	struct ceilings *pool = calloc(1, sizeof *pool);

	*out = pool;
	if (pool == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for ceilings");
	if (shapes_create(&pool->shapes, err))
		return true;
	ceilings_destroy(out);
	return false;
}

void ceilings_destroy(struct ceilings **pool)
{
	if (*pool == NULL)
		return;
	assert((*pool)->count == 0);
	shapes_destroy(&(*pool)->shapes);
	free(*pool);
	*pool = NULL;
}

size_t ceilings_shapes_count(const struct ceilings *pool)
{
	return shapes_count(pool->shapes);
}

size_t ceilings_compiled_count(const struct ceilings *pool)
{
	return pool->count;
}

/* Passes those that were asked since the hand last passed them. */
static uint32_t find_place(struct ceilings *pool)
{
	for (;;) {
		struct ceiling *there = pool->places[pool->hand];
		uint32_t place = pool->hand;

		pool->hand = (pool->hand + 1) % CEILINGS_COMPILED_MAX;
		if (there == NULL || !there->was_asked)
			return place;
		there->was_asked = false;
	}
}

static void leave_place(struct ceiling *ceiling)
{
	if (ceiling->pool != NULL && ceiling->policies != NULL) {
		assert(ceiling->pool->places[ceiling->place] == ceiling);
		ceiling->pool->places[ceiling->place] = NULL;
		ceiling->pool->count--;
	}
	cedar_policy_set_destroy(&ceiling->policies);
}

static void take_place(struct ceiling *ceiling)
{
	struct ceilings *pool = ceiling->pool;
	uint32_t place;

	if (pool == NULL)
		return;
	place = find_place(pool);
	if (pool->places[place] != NULL)
		leave_place(pool->places[place]);
	pool->places[place] = ceiling;
	pool->count++;
	ceiling->place = place;
}

/* ---- ceilings ---- */

/* What is said of one identity's lines, while they are compiled. */
struct rows {
	const struct charter *charter;
	uint32_t version;
	struct arena *arena;
	struct cedar_like *likes;
	struct cedar_uid
		actions[EFFECT_DELEGATE + 1]; /* by effect, so that equal ones are one pointer */
	struct cedar_uid *resources;
	struct cedar_uid principal;
};

static bool fill_row(struct rows *rows, uint32_t number)
{
	const struct entitlement *line = &rows->charter->entitlements[number];
	struct text id = text_format(rows->arena, "charter/%.*s@%u/entitlements/%u",
		TEXT_ARGS(rows->charter->name), rows->version, number);

	rows->actions[line->effect] = cedar_uid_of(
		CEDAR_TEXT("Action"), cedar_text_from(text_of(effect_word(line->effect))));
	rows->resources[number] =
		cedar_uid_of(cedar_text_of(resource_type_name(line->resource_kind)),
			cedar_text_from(line->resource));
	rows->likes[number] = (struct cedar_like){cedar_text_from(id),
		{&rows->principal, &rows->actions[line->effect], &rows->resources[number]}};
	return id.data != NULL;
}

static bool fill_rows(struct rows *rows)
{
	size_t count = (size_t)rows->charter->entitlements_count + 1;
	bool ok;

	rows->principal =
		cedar_uid_of(CEDAR_TEXT("Identity"), cedar_text_from(rows->charter->name));
	rows->likes = arena_array(rows->arena, struct cedar_like, count);
	rows->resources = arena_array(rows->arena, struct cedar_uid, count);
	ok = rows->likes != NULL && rows->resources != NULL;
	for (uint32_t i = 0; ok && i < rows->charter->entitlements_count; i++)
		ok = fill_row(rows, i);
	return ok;
}

static bool compile_rows(struct ceiling *ceiling)
{
	struct rows rows = {.charter = charter_of(ceiling->identity),
		.version = ceiling->version,
		.arena = arena_create(CEILING_ARENA_BYTES_MAX)};
	struct cedar_error cause = {0};
	bool ok = rows.charter != &charter_lost && rows.arena != NULL && fill_rows(&rows) &&
		  cedar_policy_set_like(
			  &ceiling->policies, shape_policies(ceiling->shape), rows.likes, &cause);

	arena_destroy(&rows.arena);
	return ok;
}

bool ceiling_compile(struct ceiling **out, struct ceilings *pool, const struct object *identity,
	uint32_t version, struct error *err)
{
	const struct charter *charter = charter_of(identity);
	struct ceiling *ceiling = calloc(1, sizeof *ceiling);

	*out = NULL;
	if (ceiling == NULL || charter == &charter_lost) {
		free(ceiling);
		return error_set(err, ERROR_LIMIT, "no memory for a ceiling");
	}
	ceiling->pool = pool;
	ceiling->identity = identity;
	ceiling->version = version;
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		assert(charter->entitlements[i].number == i);
	if (shape_acquire(&ceiling->shape, pool == NULL ? NULL : pool->shapes,
		    charter->entitlements, charter->entitlements_count, err)) {
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
	leave_place(*ceiling);
	shape_release(&(*ceiling)->shape);
	free(*ceiling);
	*ceiling = NULL;
}

const struct cedar_policy_set *ceiling_policies(struct ceiling *ceiling)
{
	if (ceiling->policies == NULL && compile_rows(ceiling))
		take_place(ceiling);
	ceiling->was_asked = true;
	return ceiling->policies;
}

const struct entitlement *ceiling_entitlement(const struct ceiling *ceiling, size_t number)
{
	const struct charter *charter = charter_of(ceiling->identity);

	return number < charter->entitlements_count ? &charter->entitlements[number] : NULL;
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

/* A shape is found by the digest of what its lines say, so that the pool keeps no second
 * copy of it.  It lives as long as somebody holds it, and is compiled again when it is
 * needed again.
 *
 * A condition is parsed on its own as exactly one expression before anything is made
 * of it.  Only then may approvals be put in front: "contains(...) && (" and the condition
 * and ")", each on lines of their own, so that a comment at its end cannot swallow the
 * bracket.  A text that is one whole expression alone is the same one inside brackets. */
#include "domain/charter/shape.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "cedar/from_json.h"
#include "domain/charter/ceiling.h"
#include "domain/charter/name_table.h"
#include "remit/cedar.h"

enum {
	SHAPE_ARENA_BYTES_MAX = 4 * 1024 * 1024,
	CONDITION_BYTES_MAX = CHARTER_WHEN_BYTES_MAX + CHARTER_APPROVALS_MAX * 128,
	LINE_PARTS_MAX = 2 * (CHARTER_APPROVALS_MAX + 2), /* a length in front of each text */
	LENGTH_BYTES = 24,
};

struct shape {
	struct shapes *shapes; /* NULL: the caller's alone */
	struct sha256 digest;
	size_t holders;
	struct arena *arena;
	struct cedar_policy_set *policies;
	struct shape_line *lines;
	uint32_t count;
};

struct shapes {
	struct name_table *table; /* shape by its digest's bytes; holds none of them */
};

bool shapes_create(struct shapes **out, struct error *err)
{
	struct shapes *shapes = calloc(1, sizeof *shapes);

	*out = shapes;
	if (shapes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for shapes");
	shapes->table = name_table_create();
	if (shapes->table != NULL)
		return true;
	shapes_destroy(out);
	return error_set(err, ERROR_LIMIT, "no memory for shapes");
}

void shapes_destroy(struct shapes **shapes)
{
	if (*shapes == NULL)
		return;
	assert((*shapes)->table == NULL || name_table_count((*shapes)->table) == 0);
	name_table_destroy(&(*shapes)->table, NULL);
	free(*shapes);
	*shapes = NULL;
}

size_t shapes_count(const struct shapes *shapes)
{
	return name_table_count(shapes->table);
}

/* ---- what lines say ---- */

static struct text digest_name(const struct sha256 *digest)
{
	return (struct text){(const char *)digest->bytes, sizeof digest->bytes};
}

/* Each text with its length in front, so that no two lines say the same. */
struct line_parts {
	struct text parts[LINE_PARTS_MAX];
	char lengths[CHARTER_APPROVALS_MAX + 2][LENGTH_BYTES];
	size_t count;
	size_t texts;
};

static void add_part(struct line_parts *all, struct text part)
{
	char *length = all->lengths[all->texts++];
	int written = snprintf(length, LENGTH_BYTES, "%zu:", part.length);

	all->parts[all->count++] = (struct text){length, (size_t)written};
	all->parts[all->count++] = part;
}

static struct sha256 line_digest(const struct sha256 *before, const struct entitlement *line)
{
	NOT_ZEROED struct line_parts all;

	all.count = all.texts = 0;
	assert(line->approvals_count <= CHARTER_APPROVALS_MAX);
	add_part(&all, digest_name(before));
	add_part(&all, line->when);
	for (uint32_t i = 0; i < line->approvals_count; i++)
		add_part(&all, line->approvals[i]);
	return sha256_of_parts(all.parts, all.count);
}

static struct sha256 lines_digest(const struct entitlement *lines, uint32_t count)
{
	struct sha256 digest = {{0}};

	for (uint32_t i = 0; i < count; i++)
		digest = line_digest(&digest, &lines[i]);
	return digest;
}

/* ---- compiling ---- */

static void write_condition(struct buffer *out, const struct shape_line *line)
{
	for (uint32_t i = 0; i < line->approvals_count; i++)
		buffer_append_format(out, "%scontext.approvals.contains(\"%.*s\")",
			i == 0 ? "" : " && ", TEXT_ARGS(line->approvals[i]));
	if (line->when.length == 0)
		return;
	if (line->approvals_count == 0) {
		buffer_append_text(out, line->when);
		return;
	}
	buffer_append_string(out, " && (\n");
	buffer_append_text(out, line->when);
	buffer_append_string(out, "\n)");
}

static bool add_permit(
	struct shape *shape, uint32_t number, struct text condition, struct error *err)
{
	struct text id = text_format(shape->arena, "%u", number);
	struct cedar_text cedar_id = {id.data, id.length};
	struct cedar_text when = {condition.data, condition.length};
	struct cedar_scope any = {0};
	struct cedar_error cause = {0};

	if (id.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a charter's permits");
	return cedar_policy_set_add_permit(shape->policies, cedar_id, &any, when, &cause) ||
	       error_set_cedar(err, &cause);
}

static bool compile_line(struct shape *shape, uint32_t number, struct error *err)
{
	const struct shape_line *line = &shape->lines[number];
	struct buffer condition;
	bool ok = false;

	buffer_init(&condition, CONDITION_BYTES_MAX);
	if (line->when.length > 0 && !condition_check(line->when, err))
		goto done;
	write_condition(&condition, line);
	if (buffer_failed(&condition)) {
		error_set(err, ERROR_LIMIT, "the condition is too long");
		goto done;
	}
	ok = add_permit(shape, number, buffer_text(&condition), err);
done:
	buffer_deinit(&condition);
	return ok;
}

static bool keep_line(struct shape *shape, const struct entitlement *line, struct error *err)
{
	struct shape_line *kept = &shape->lines[shape->count];
	struct text *approvals = arena_array(shape->arena, struct text, line->approvals_count + 1);
	bool ok = approvals != NULL;

	kept->when = text_copy(shape->arena, line->when);
	kept->approvals = approvals;
	kept->approvals_count = line->approvals_count;
	ok = ok && kept->when.data != NULL;
	for (uint32_t i = 0; ok && i < line->approvals_count; i++) {
		approvals[i] = text_copy(shape->arena, line->approvals[i]);
		ok = approvals[i].data != NULL;
	}
	return ok || error_set(err, ERROR_LIMIT, "no memory for a charter's entitlements");
}

static bool check_line(const struct entitlement *line, struct error *err)
{
	if (line->effect == EFFECT_NONE || line->resource_kind == RESOURCE_NONE)
		return error_set(err, ERROR_INVALID, "the line has no effect or no resource");
	return true;
}

static bool compile(
	struct shape *shape, const struct entitlement *lines, uint32_t count, struct error *err)
{
	struct cedar_error cause = {0};

	if (!cedar_policy_set_create(&shape->policies, &cause))
		return error_set_cedar(err, &cause);
	shape->lines = arena_array(shape->arena, struct shape_line, count + (size_t)1);
	if (shape->lines == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a shape");
	for (; shape->count < count; shape->count++) {
		const struct entitlement *line = &lines[shape->count];

		if (!check_line(line, err) || !keep_line(shape, line, err) ||
			!compile_line(shape, shape->count, err))
			return error_wrap(err, "entitlements[%u]", line->number);
	}
	return cedar_policy_set_seal(shape->policies, &cause) || error_set_cedar(err, &cause);
}

static void destroy(struct shape *shape)
{
	cedar_policy_set_destroy(&shape->policies);
	arena_destroy(&shape->arena);
	free(shape);
}

/* ---- sharing ---- */

static bool check_lines(const struct entitlement *lines, uint32_t count, struct error *err)
{
	for (uint32_t i = 0; i < count; i++)
		if (!check_line(&lines[i], err))
			return error_wrap(err, "entitlements[%u]", lines[i].number);
	return true;
}

static bool create(
	struct shape **out, const struct entitlement *lines, uint32_t count, struct error *err)
{
	struct shape *shape = calloc(1, sizeof *shape);

	*out = NULL;
	if (shape == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a shape");
	shape->holders = 1;
	shape->arena = arena_create_small(SHAPE_ARENA_BYTES_MAX, 1024);
	if (shape->arena != NULL && compile(shape, lines, count, err)) {
		*out = shape;
		return true;
	}
	if (shape->arena == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a shape");
	destroy(shape);
	return false;
}

bool shape_acquire(struct shape **out, struct shapes *shapes, const struct entitlement *lines,
	uint32_t count, struct error *err)
{
	struct sha256 digest;

	*out = NULL;
	if (shapes == NULL)
		return create(out, lines, count, err);
	digest = lines_digest(lines, count);
	*out = name_table_find(shapes->table, digest_name(&digest));
	if (*out != NULL) {
		if (!check_lines(lines, count, err)) {
			*out = NULL;
			return false;
		}
		(*out)->holders++;
		return true;
	}
	if (!create(out, lines, count, err))
		return false;
	(*out)->digest = digest;
	if (name_table_put(shapes->table, digest_name(&digest), *out)) {
		(*out)->shapes = shapes;
		return true;
	}
	destroy(*out);
	*out = NULL;
	return error_set(err, ERROR_LIMIT, "no memory for a shape");
}

void shape_release(struct shape **shape)
{
	struct shape *released = *shape;

	*shape = NULL;
	if (released == NULL || --released->holders > 0)
		return;
	if (released->shapes != NULL)
		(void)name_table_remove(released->shapes->table, digest_name(&released->digest));
	destroy(released);
}

const struct cedar_policy_set *shape_policies(const struct shape *shape)
{
	return shape->policies;
}

const struct shape_line *shape_line(const struct shape *shape, uint32_t number)
{
	assert(number < shape->count);
	return &shape->lines[number];
}

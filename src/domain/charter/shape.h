#ifndef DOMAIN_CHARTER_SHAPE_H
#define DOMAIN_CHARTER_SHAPE_H

#include "base/error.h"
#include "domain/charter/charter.h"

/* The conditions of a charter's lines, compiled.  Identities whose lines have the same
 * conditions in the same order share one shape, whatever they may do and on what. */

struct cedar_policy_set; /* remit/cedar.h */

/* What makes one line conditional. */
struct shape_line {
	struct text when;
	const struct text *approvals;
	uint32_t approvals_count;
};

struct shape;
/* Shapes that are held by somebody, found by what they say. */
struct shapes;

/* Errors: LIMIT. */
bool shapes_create(struct shapes **out, struct error *err) MUST_CHECK;
/* Every shape must have been released. */
void shapes_destroy(struct shapes **shapes);
size_t shapes_count(const struct shapes *shapes);

/* The shape of these lines, held once more; compiled if there is none.  shapes may be
 * NULL: the shape is then for the caller alone.  One thread at a time uses the shapes
 * of one pool.  Errors, with the line in front: INVALID (a line without effect or
 * resource; a condition that is not one expression, or uses context.approvals other
 * than to ask for more), LIMIT. */
bool shape_acquire(struct shape **out, struct shapes *shapes, const struct entitlement *lines,
	uint32_t count, struct error *err) MUST_CHECK;
void shape_release(struct shape **shape);
/* A permit for each line, for everybody on everything, sealed. */
const struct cedar_policy_set *shape_policies(const struct shape *shape);
const struct shape_line *shape_line(const struct shape *shape, uint32_t number);

#endif

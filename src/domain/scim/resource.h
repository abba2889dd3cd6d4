#ifndef DOMAIN_SCIM_RESOURCE_H
#define DOMAIN_SCIM_RESOURCE_H

#include "domain/scim/filter.h"

/* A resource as JSON: read from what a client wrote, changed by PATCH, and cut down to what was
 * asked for.  Pure; nothing that was given changes. */

enum {
	SCIM_VALUE_BYTES_MAX = 1024, /* of one text */
	SCIM_EMAILS_MAX = 16,
	SCIM_MEMBERS_MAX = 1000,
	SCIM_PATCHES_MAX = 1000,  /* operations of one PATCH */
	SCIM_ATTRIBUTES_MAX = 64, /* named by `attributes` or `excludedAttributes` */
};

/* Reads what a client wrote, or what was made: names as the schemas spell them, in their order;
 * without what is read-only, unassigned (null, an empty list) or kept nowhere.  `schemas` is
 * made anew.  False: 400 invalidSyntax (no object, a name twice), invalidValue (a type, a
 * missing attribute, two primary ones), or 413. */
bool scim_resource_read(struct json *out, struct arena *arena,
	const struct scim_resource_type *type, const struct json *written,
	struct scim_fault *fault) MUST_CHECK;

/* True if `schemas` of the body names the URN. */
bool scim_has_schema(const struct json *body, const char *urn);

/* What the PatchOp in body makes of the resource (RFC 7644 §3.5.2), as scim_resource_read writes
 * it.  Beside the standard: an op in any case, "True" and "False" for booleans, names with dots
 * or a URN as members of a value without path, members to remove given as the value, and an
 * added value that a path chooses and that is not there is made as the path describes it.
 * False: also 400 invalidPath, noTarget, mutability. */
bool scim_patch(struct json *out, struct arena *arena, const struct scim_resource_type *type,
	const struct json *resource, const struct json *body, struct scim_fault *fault) MUST_CHECK;

/* `attributes` or `excludedAttributes`, separated by commas; one of them may be there.  What is
 * no attribute here selects nothing. */
struct scim_selection {
	struct scim_path paths[SCIM_ATTRIBUTES_MAX];
	size_t count;
	bool is_exclusion;
	bool is_all; /* neither was given */
};
bool scim_selection_read(struct scim_selection *out, struct arena *arena,
	const struct scim_resource_type *type, struct text attributes, struct text excluded,
	struct scim_fault *fault) MUST_CHECK;
/* The resource with its selected attributes, and those that are always returned.  Errors:
 * LIMIT. */
bool scim_select(struct json *out, struct arena *arena, const struct scim_resource_type *type,
	const struct json *resource, const struct scim_selection *selection,
	struct error *err) MUST_CHECK;

/* An object with another value of the member, which comes last if it is new; NULL: without
 * it. */
bool scim_with(struct json *out, struct arena *arena, const struct json *object, const char *name,
	const struct json *value, struct error *err) MUST_CHECK;

#endif

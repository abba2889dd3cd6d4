#ifndef DOMAIN_SCIM_USER_H
#define DOMAIN_SCIM_USER_H

#include "domain/charter/object.h"
#include "domain/scim/resource.h"

/* A person of the registry as the User of a directory, and back. */

/* The name that a person gets whom a directory calls so: its letters made small.  .data is NULL
 * without memory. */
struct text scim_person_name(struct arena *arena, struct text user_name) MUST_CHECK;

/* Without id and meta, as scim_resource_read writes it.  Errors: LIMIT. */
bool scim_user_resource(struct json *out, struct arena *arena, const struct person *person,
	struct error *err) MUST_CHECK;
/* The same with id and meta, as clients see it.  base is the URL of the service, revision that
 * of the person's entry. */
struct scim_shown {
	struct text base;
	uint64_t revision;
};
bool scim_user_shown(struct json *out, struct arena *arena, const struct person *person,
	const struct scim_shown *shown, struct error *err) MUST_CHECK;
/* Puts id and meta around a resource.  created and modified are RFC 3339, or empty. */
struct scim_meta {
	const struct scim_resource_type *type;
	struct text id;
	struct text created;
	struct text modified;
	struct scim_shown shown;
};
bool scim_put_meta(struct json *out, struct arena *arena, const struct json *resource,
	const struct scim_meta *meta, struct error *err) MUST_CHECK;

/* What the document of a person is made from. */
struct scim_provision {
	const struct json *before;   /* their document in force; NULL: they are new */
	const struct person *person; /* the same, read */
	const struct json *resource; /* NULL: it is gone from the directory */
	struct text name;
	struct text directory;
	struct text id;
	struct text unit;
	int64_t now_utc_ms;
};
/* The person's document.  Who leaves, or is moved to another unit, keeps no role and no clearance
 * but that of an administrator, who is one everywhere, and only when moved: another person gives
 * them.  False: 413 or 503. */
bool scim_person_document(struct json *out, struct arena *arena,
	const struct scim_provision *provision, struct scim_fault *fault) MUST_CHECK;

/* Whether the resource says that the person is here; `otherwise` where it says nothing. */
bool scim_user_is_active(const struct json *resource, bool otherwise);
struct text scim_user_department(const struct json *resource);

#endif

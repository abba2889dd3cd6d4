#ifndef DOMAIN_SCIM_SCHEMA_H
#define DOMAIN_SCIM_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"

/* What a directory may say of people and groups: the part of SCIM's schemas (RFC 7643) that is
 * kept here.  What is in no table is read and not kept. */

enum scim_type {
	SCIM_STRING = 0,
	SCIM_BOOLEAN,
	SCIM_INTEGER,
	SCIM_DATETIME,
	SCIM_REFERENCE,
	SCIM_COMPLEX,
};

enum scim_flags {
	SCIM_MULTI = 1, /* multi-valued */
	SCIM_REQUIRED = 2,
	SCIM_EXACT = 4,     /* case counts */
	SCIM_READ_ONLY = 8, /* a client's value is not looked at */
	SCIM_ALWAYS = 16,   /* returned whatever was asked for */
	SCIM_UNIQUE = 32,   /* of one resource of the directory only */
};

/* One attribute (RFC 7643 §2), or sub-attribute. */
struct scim_attribute {
	const char *name;
	enum scim_type type;
	unsigned flags;
	const char *description;
	const struct scim_attribute *subs; /* of a complex one */
	size_t subs_count;
	const char *const *values; /* canonical ones, NULL-terminated; NULL: any */
	const char *refers_to;     /* of a reference: "User", "external", "uri" */
};

struct scim_schema {
	const char *urn;
	const char *name;
	const char *description;
	const struct scim_attribute *attributes;
	size_t attributes_count;
};

/* What a resource is made of. */
struct scim_resource_type {
	const char *name;     /* "User" */
	const char *endpoint; /* "/Users" */
	const char *description;
	const struct scim_schema *schema;
	const struct scim_schema *extension; /* NULL: none */
};

#define SCIM_URN_USER "urn:ietf:params:scim:schemas:core:2.0:User"
#define SCIM_URN_GROUP "urn:ietf:params:scim:schemas:core:2.0:Group"
#define SCIM_URN_ENTERPRISE "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"

extern const struct scim_resource_type scim_user_type;
extern const struct scim_resource_type scim_group_type;
/* schemas, id, externalId, meta: of every resource (§3). */
extern const struct scim_schema scim_common;

enum { SCIM_SCHEMAS_COUNT = 6 };
extern const struct scim_schema *const scim_schemas[SCIM_SCHEMAS_COUNT];

/* The attribute of that name, in any case, or NULL. */
const struct scim_attribute *scim_attribute_find(
	const struct scim_attribute *attributes, size_t count, struct text name);
/* True of two texts that differ in the case of ASCII letters alone. */
bool scim_same_letters(struct text a, struct text b);

/* What the endpoints of RFC 7644 §4 say.  base is the URL of the service.  Errors: LIMIT. */
struct scim_limits {
	unsigned operations_max; /* of one bulk request */
	unsigned bytes_max;
	unsigned results_max;
};
bool scim_schema_json(struct json *out, struct arena *arena, const struct scim_schema *schema,
	struct text base, struct error *err) MUST_CHECK;
bool scim_resource_type_json(struct json *out, struct arena *arena,
	const struct scim_resource_type *type, struct text base, struct error *err) MUST_CHECK;
bool scim_provider_json(struct json *out, struct arena *arena, const struct scim_limits *limits,
	struct text base, struct error *err) MUST_CHECK;

#endif

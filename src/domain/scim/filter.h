#ifndef DOMAIN_SCIM_FILTER_H
#define DOMAIN_SCIM_FILTER_H

#include "domain/scim/schema.h"

/* Paths (RFC 7644 §3.5.2, figure 7) and filters (§3.4.2.2, figure 1), read and asked.  Pure. */

enum {
	SCIM_FILTER_BYTES_MAX = 4096, /* of a filter or a path */
	SCIM_FILTER_NODES_MAX = 128,
	SCIM_FILTER_DEPTH_MAX = 16,
	SCIM_FAULT_BYTES = 320,
};

/* What is wrong with a request, as §3.12 says it. */
struct scim_fault {
	unsigned status;  /* 0: nothing is */
	const char *type; /* scimType, or NULL */
	char detail[SCIM_FAULT_BYTES];
};
/* Always false. */
bool scim_fail(struct scim_fault *fault, unsigned status, const char *type, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

struct scim_filter;

/* `userName`, `name.givenName`, `emails[type eq "work"].value`, a URN and one of these, or the
 * URN of an extension alone. */
struct scim_path {
	const struct scim_schema *schema;       /* core, extension or scim_common */
	const struct scim_attribute *attribute; /* NULL: all of the extension */
	const struct scim_filter *filter;       /* of a value; NULL: none */
	const struct scim_attribute *sub;       /* NULL: the whole */
};

enum scim_operator {
	SCIM_NO_OPERATOR = 0,
	SCIM_EQ,
	SCIM_NE,
	SCIM_CO,
	SCIM_SW,
	SCIM_EW,
	SCIM_GT,
	SCIM_GE,
	SCIM_LT,
	SCIM_LE,
	SCIM_PR,
	SCIM_AND,
	SCIM_OR,
	SCIM_NOT,
	SCIM_WITHIN, /* path[left] */
};

struct scim_filter {
	enum scim_operator how;
	const struct scim_filter *left; /* of and, or, not, within */
	const struct scim_filter *right;
	struct scim_path path; /* of the others, and within */
	struct json value;
};

/* text is borrowed.  False: 400 invalidFilter. */
bool scim_filter_parse(const struct scim_filter **out, struct arena *arena,
	const struct scim_resource_type *type, struct text text,
	struct scim_fault *fault) MUST_CHECK;
/* False: 400 invalidPath. */
bool scim_path_parse(struct scim_path *out, struct arena *arena,
	const struct scim_resource_type *type, struct text text,
	struct scim_fault *fault) MUST_CHECK;

/* Whether it holds of a resource as scim_resource_read writes it. */
bool scim_filter_holds(const struct scim_filter *filter, const struct json *resource);
/* The same of one value of a multi-valued attribute, for the filter of a path. */
bool scim_filter_holds_of(const struct scim_filter *filter, const struct json *value);
/* The value at the path, without its filter, or NULL. */
const struct json *scim_path_find(const struct scim_path *path, const struct json *resource);
/* The text that a filter asks one attribute to be equal to, where it asks nothing else; empty:
 * it asks something else. */
struct text scim_filter_wants(const struct scim_filter *filter, const char *attribute);

#endif

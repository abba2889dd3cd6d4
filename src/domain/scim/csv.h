#ifndef DOMAIN_SCIM_CSV_H
#define DOMAIN_SCIM_CSV_H

#include "domain/scim/resource.h"

/* People as a table (RFC 4180): the first line names columns, each other line is a person.
 * userName must be there; externalId, displayName, givenName, familyName, email, title,
 * department, employeeNumber and active may.  Pure. */

enum {
	CSV_BYTES_MAX = 4 * 1024 * 1024,
	CSV_ROWS_MAX = 10000,
	CSV_COLUMNS_MAX = 16,
	CSV_FIELD_BYTES_MAX = 1024,
};

struct csv_row {
	uint32_t line;        /* from 1; of a field with line ends the first */
	struct json resource; /* a User as clients of SCIM write it */
};

/* Texts live in arena or are the file's.  False: 400 or 413; the detail names line and column. */
bool csv_people_read(const struct csv_row **out, size_t *count, struct arena *arena,
	struct text file, struct scim_fault *fault) MUST_CHECK;

#endif

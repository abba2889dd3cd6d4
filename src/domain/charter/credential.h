#ifndef DOMAIN_CHARTER_CREDENTIAL_H
#define DOMAIN_CHARTER_CREDENTIAL_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Where the credential of a server lies, as its registration says:
 * docs/formats/secrets.md has the grammar.  It names a secret and never is one. */

enum {
	CREDENTIAL_BYTES_MAX = 512,         /* of a reference */
	CREDENTIAL_FIELD_BYTES_MAX = 128,   /* of vault: */
	CREDENTIAL_VARIABLE_BYTES_MAX = 128 /* of env: */
};

enum credential_kind {
	CREDENTIAL_NONE = 0,
	CREDENTIAL_STORED,      /* NAME: kept by remit */
	CREDENTIAL_FILE,        /* file:/PATH */
	CREDENTIAL_ENVIRONMENT, /* env:VARIABLE of the daemon */
	CREDENTIAL_VAULT,       /* vault:MOUNT/PATH#FIELD, KV version 2 */
};

/* Texts are borrowed from the reference. */
struct credential {
	enum credential_kind kind;
	struct text name;  /* stored; the file's path; the variable's name */
	struct text mount; /* of vault, still percent-encoded: "%2F" stands between its parts */
	struct text path;  /* of vault, still percent-encoded */
	struct text field; /* of vault */
};

/* Errors: INVALID, with the rule that the reference breaks; never quotes it. */
bool credential_parse(struct credential *out, struct text reference, struct error *err) MUST_CHECK;

#endif

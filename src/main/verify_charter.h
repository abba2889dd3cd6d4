#ifndef MAIN_VERIFY_CHARTER_H
#define MAIN_VERIFY_CHARTER_H

#include "base/buffer.h"
#include "domain/charter/registry.h"

/* `remit-verify --replay --charter NAME`: the digests of what a log puts in force of an identity,
 * to be held against what `remit identity prove` says of a daemon. */

/* Lines for people. */
void verify_charter_append(
	struct buffer *out, const struct registry *registry, const char *identity);
/* The member `charter`: {identity, version, revision, document, enforced}, or null. */
void verify_charter_put(
	struct json_builder *report, const struct registry *registry, const char *identity);

#endif

#ifndef DOMAIN_FEDERATION_RULE_H
#define DOMAIN_FEDERATION_RULE_H

#include <stdbool.h>

#include "domain/charter/federation.h"

/* What is wrong with a rule.  Each gives a clause that follows the rule's place ("ends in a
 * letter"), or NULL if nothing is. */

/* "*" and "?" stand for themselves in a token and for something else in people's heads. */
bool federation_is_wild(struct text value);

/* Of a claim alone.  A prefix does not end in a letter or digit, so that
 * "repo:org/name" is not a beginning of "repo:org/name-evil". */
const char *federation_claim_fault(const struct federation_claim *claim);
/* Of the subject alone.  A prefix ends in "/" or ":". */
const char *federation_subject_fault(const struct federation_rule *rule);
/* Of the whole rule beside its issuer: GitHub's must name the repository and its owner by
 * number, Kubernetes' the namespace and the service account, SPIFFE's its trust domain. */
const char *federation_rule_fault(const struct issuer *issuer, const struct federation_rule *rule);

/* Takes the next name from a pointer or a plain name, unescaped, in room for
 * FEDERATION_NAME_BYTES_MAX bytes.  False: malformed. */
bool federation_name_next(struct text *rest, char *room, struct text *out) MUST_CHECK;

#endif

#ifndef DOMAIN_SECRET_FOREIGN_H
#define DOMAIN_SECRET_FOREIGN_H

#include "base/text.h"
#include "domain/secret/fingerprint.h"

/* Credentials of others, known by their form alone: the prefixes that their issuers
 * publish, with the length and letters that belong to them, private keys in PEM
 * (RFC 7468), and signed JSON Web Tokens (RFC 7515).  What is plainly an example
 * ("AKIAIOSFODNN7EXAMPLE", "ghp_xxxx...") is none.  A secret without such a form, a
 * password say, is not found. */

/* "aws-access-key", "private-key"; which is `what` of a span. */
const char *foreign_form_word(uint32_t form);
uint32_t foreign_form_count(void);

/* Adds what is found, but for what overlaps a span that is there already: a token of
 * ours is no foreign one.  Time grows with the text alone. */
void foreign_find(struct text text, struct secret_spans *out);

#endif

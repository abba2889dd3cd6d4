#ifndef DOMAIN_FLOW_FLOW_TOKEN_H
#define DOMAIN_FLOW_FLOW_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The tokens of a text, as values are matched: the longest runs of letters, digits, bytes
 * beyond ASCII and _ @ + - . / \ : ? & = % ~ #, less a leading # and trailing . : ?
 * So a mail address, a URL, a path, an account number is one token, and "13" is no
 * part of "13.pdf".  Case of ASCII letters does not count; what is between tokens
 * does not either. */
struct flow_tokens {
	const char *at;
	const char *end;
};

struct flow_tokens flow_tokens_of(struct text text);
/* False: there is none left. */
bool flow_token_next(struct flow_tokens *tokens, struct text *out);

/* A mail address, a URL ("scheme://" or "www."), or an IBAN (ISO 13616: two letters, two
 * digits, 10 to 30 letters and digits, written without blanks). */
bool flow_token_is_address(struct text token);

/* SipHash-1-3 (Aumasson, Bernstein 2012, with as many rounds as the tables of Rust and Python
 * have) of the token in lower case, never 0.  The key is secret and no hash is ever shown,
 * so nobody finds a token that counts as another one. */
struct flow_key {
	uint64_t k0;
	uint64_t k1;
};
uint64_t flow_token_hash(const struct flow_key *key, struct text token);

#endif

#ifndef TESTS_UNIT_EDGES_SIGNER_SIGNING_H
#define TESTS_UNIT_EDGES_SIGNER_SIGNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "domain/audit/merkle.h"
#include "domain/token/access_token.h"
#include "services/record/signer.h"

/* What the tests of the signer share: a folder, a good token, small trees. */

#define ISSUER "http://127.0.0.1:8470"

struct folder_of_keys {
	char root[64];
	char keys[80];
};

void folder_make(struct folder_of_keys *folder);
/* With all that is in it. */
void folder_remove(const struct folder_of_keys *folder);

/* What a token of ours may say, issued now. */
struct access_token token_of(int64_t now_s);

/* The head of a tree of count leaves "0", "1" ...; what proves that of 3 from that of 2. */
struct tree_head head_of(uint64_t count);
struct merkle_proof proof_of_2_in_3(void);

#endif

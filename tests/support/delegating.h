#ifndef TESTS_SUPPORT_DELEGATING_H
#define TESTS_SUPPORT_DELEGATING_H

#include "support/issuing.h"

/* Identities that hand work on to each other: d0, d1, ... each with a key of its own, active
 * in staging, and peers as the test writes them. */

enum { DELEGATING_IDENTITIES = 10 };

/* What d0 may hand to d1 and so on, where a test has nothing else to say. */
#define PEER_LINE(name, depth)                                                                     \
	"{identity: " name ", effects: [read, write], up-to: internal, depth: " #depth "}"

struct delegating {
	struct issuing issuing;
	struct private_key *keys[DELEGATING_IDENTITIES];
};

void delegating_init(struct delegating *delegating);
void delegating_deinit(struct delegating *delegating);

/* Puts a charter of that identity in force, with these lines under peers. */
void delegating_peers(struct delegating *delegating, unsigned identity, const char *peers);
/* Each of the first count hands work to the next, as far as the chain goes. */
void delegating_line_up(struct delegating *delegating, unsigned count);
const char *delegating_name(unsigned identity);

/* The identity opens a task for itself; its token is copied out, empty if refused. */
struct text delegating_open(struct delegating *delegating, unsigned identity, const char *may_act);
/* The identity exchanges the token with everything right; empty if refused. */
struct text delegating_exchange(
	struct delegating *delegating, unsigned identity, struct text subject);
/* The same after the request was filled in otherwise; NULL: as it is. */
struct text delegating_exchange_as(struct delegating *delegating, unsigned identity,
	struct text subject, void (*fill)(struct issue_request *request, const void *context),
	const void *context);
/* What the token says, in the governed arena; it must be one of ours. */
struct json delegating_claims(struct delegating *delegating, struct text token);
/* Who the token is for files now. */
enum token_reason delegating_ask(struct delegating *delegating, struct text token);

#endif

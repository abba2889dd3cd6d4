#ifndef EDGES_SIGNER_SIGNER_H
#define EDGES_SIGNER_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/seal.h"
#include "base/text.h"
#include "services/issue/card_signer.h"
#include "services/issue/identity_signer.h"
#include "services/issue/token_signer.h"
#include "services/record/signer.h"

/* Keeper of the private keys in DIR/keys (README.md here).  Everybody else asks
 * it by messages; it checks what it signs.  Its memory stays out of core dumps. */
struct signer;

/* Whether it also keeps the key that wraps others.  In a process of its own it does not:
 * its checks could not tell one use of that key from another. */
enum signer_master { SIGNER_MASTER_KEPT = 0, SIGNER_MASTER_LEFT };

struct signer_settings {
	const char *folder; /* DIR/keys: made 0700 at first start, refused if others may enter */
	int64_t (*wall_utc_ms)(void *context); /* NULL: the system's clock */
	void *clock_context;
	enum signer_master master;
};

/* Loads the keys, or makes them where there are none (first start); a folder
 * that holds only some of them is CORRUPT.  Errors: INVALID, CORRUPT, IO, LIMIT. */
bool signer_open(
	struct signer **out, const struct signer_settings *settings, struct error *err) MUST_CHECK;
/* Clears the keys.  *signer may be NULL. */
void signer_close(struct signer **signer);

/* The key that wraps others, from a folder that a signer has made.  The caller clears it.
 * Errors: CORRUPT, INVALID, IO, LIMIT. */
bool signer_read_master(struct seal_key *out, const char *folder, struct error *err) MUST_CHECK;

/* Tokens are signed for this issuer alone, and not before it is set; once only.
 * Errors: INVALID, CONFLICT. */
bool signer_set_issuer(struct signer *signer, struct text issuer, struct error *err) MUST_CHECK;

/* The ports of the services; good while the signer lives.  Token messages from
 * one thread, checkpoint messages from one (other) thread. */
struct token_signer signer_tokens(struct signer *signer);
struct card_signer signer_cards(struct signer *signer);
struct identity_signer signer_identities(struct signer *signer);
struct checkpoint_signer signer_checkpoints(struct signer *signer);

/* The key that wraps others (secrets, contents).  Borrowed; never copy it to
 * an arena. */
const struct seal_key *signer_master_key(const struct signer *signer);

/* The public keys as a canonical JSON array for the genesis record, in arena; the
 * log's as C2SP text.  Errors: LIMIT. */
bool signer_public_keys(const struct signer *signer, struct arena *arena, struct text *out,
	struct error *err) MUST_CHECK;

/* For restore, while no signer is open: sets the log's key and last head aside,
 * so that the next signer_open makes a new key with a new origin.  The other
 * keys stay.  Errors: IO, NOT_FOUND. */
bool signer_retire_checkpoint_key(const char *folder, struct error *err) MUST_CHECK;

#endif

#ifndef EDGES_SIGNER_SIGNER_PRIVATE_H
#define EDGES_SIGNER_SIGNER_PRIVATE_H

#include "base/private_key.h"
#include "domain/charter/charter.h"
#include "domain/token/jwk.h"
#include "edges/signer/message.h"
#include "edges/signer/signer.h"

/* Shared inside edges/signer. */

enum {
	SIGNER_PATH_BYTES_MAX = 4000,
	SIGNER_ISSUER_BYTES_MAX = 256,
	SIGNER_SMALL_FILE_BYTES_MAX = 512,
	SIGNER_ARENA_BYTES_MAX = 512 * 1024, /* of one message */
};

struct token_key {
	struct private_key *key; /* NULL: there is none */
	char id[JWK_THUMBPRINT_BYTES];
};

struct signer {
	char folder[SIGNER_PATH_BYTES_MAX];
	int folder_fd;
	int64_t (*wall_utc_ms)(void *context);
	void *clock_context;
	/* For tokens; one thread. */
	struct token_key token;
	struct token_key next;                /* made, and signs from next_from_utc_ms on */
	int64_t next_from_utc_ms;             /* 0: nobody said that it is on record */
	char issuer[SIGNER_ISSUER_BYTES_MAX]; /* empty until set */
	struct arena *arena;                  /* of one message about tokens */
	struct signer_session tokens;
	/* For checkpoints; another thread. */
	struct private_key *checkpoint_key;
	struct note_key note_key;
	struct tree_head head;
	struct signer_session heads;
	/* For wrapping; unless SIGNER_MASTER_LEFT. */
	struct seal_key master;
};

/* ---- key_folder.c: DIR/keys ---- */

bool key_folder_open(struct signer *signer, struct error *err) MUST_CHECK;
/* Makes what is missing, unless a first start was finished before. */
bool key_folder_make(const struct signer *signer, struct error *err) MUST_CHECK;
/* Everything but the master key. */
bool key_folder_load(struct signer *signer, struct error *err) MUST_CHECK;
bool key_folder_load_master(struct signer *signer, struct error *err) MUST_CHECK;
bool key_folder_put_head(
	const struct signer *signer, struct text checkpoint, struct error *err) MUST_CHECK;
/* A new key in place of one that was made and never scheduled. */
bool key_folder_make_next(struct signer *signer, struct error *err) MUST_CHECK;
bool key_folder_schedule(
	const struct signer *signer, int64_t from_utc_ms, struct error *err) MUST_CHECK;
/* next becomes token, on disk and here; the old private key is gone. */
bool key_folder_promote(struct signer *signer, struct error *err) MUST_CHECK;
/* Sets the log's key and last head aside. */
bool key_folder_retire(struct signer *signer, struct error *err) MUST_CHECK;

/* ---- signer.c ---- */

/* In pages of its own; NULL if there is no memory. */
struct signer *signer_allocate(void);
int64_t signer_now_utc_ms(const struct signer *signer);

/* ---- claims.c: what may be signed ---- */

/* An http(s) URL that tokens may be of. */
bool signer_is_issuer(struct text issuer);
/* claims is what an access token of ours may say now. */
bool signer_check_claims(
	const struct signer *signer, const struct json *claims, struct error *err) MUST_CHECK;

/* ---- card.c ---- */

/* Of the header of a card's signature: A2A 1.0 §8.4.2. */
#define SIGNER_CARD_TYPE "JOSE"
/* card is an agent card of a peer of this issuer, and nothing that could be taken for a token. */
bool signer_check_card(
	const struct signer *signer, const struct json *card, struct error *err) MUST_CHECK;

/* ---- identity.c ---- */

/* claims is what an identity token for others may say now, and nothing here would take. */
bool signer_check_identity(
	const struct signer *signer, const struct json *claims, struct error *err) MUST_CHECK;

/* ---- messages.c: the table ---- */

/* Whether the channel goes on. */
enum signer_verdict { SIGNER_ENDS = 0, SIGNER_ANSWERED };

/* Handles one packet of a channel; the reply is appended.  ENDS: the packet is none of the
 * table, too large, or not due now; err says why, and nothing is appended. */
enum signer_verdict signer_handle(struct signer *signer, enum signer_channel channel,
	struct text packet, struct buffer *reply, struct error *err) MUST_CHECK;

#endif

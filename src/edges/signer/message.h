#ifndef EDGES_SIGNER_MESSAGE_H
#define EDGES_SIGNER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"
#include "domain/audit/checkpoint.h"
#include "domain/token/access_token.h"
#include "domain/token/identity_token.h"

/* What is said between the signer and who asks it (README.md here): packets of one
 * channel, each one request or its reply.
 *
 *	request   version, type, 0, 0, number (4 bytes), payload
 *	reply     version, type, status, 0, number (4 bytes), payload
 *
 * Numbers are big-endian; those of one channel rise by one from 1.  A status is an enum
 * error_code; other than NONE, the payload is the sentence. */

enum {
	MESSAGE_VERSION = 1,
	MESSAGE_HEADER_BYTES = 8,
	MESSAGE_CLAIMS_BYTES_MAX = 8 * 1024,
	MESSAGE_CARD_BYTES_MAX = 48 * 1024,
	MESSAGE_REQUEST_BYTES_MAX = MESSAGE_HEADER_BYTES + MESSAGE_CARD_BYTES_MAX,
	MESSAGE_REPLY_BYTES_MAX = MESSAGE_HEADER_BYTES + TOKEN_BYTES_MAX,
	MESSAGE_HEAD_BYTES = 8 + SHA256_BYTES,
	MESSAGE_KEY_ID_BYTES = 43, /* of a thumbprint */
};

/* Two, so that a head that waits for the disk holds up no token. */
enum signer_channel { CHANNEL_NONE = 0, CHANNEL_TOKENS, CHANNEL_HEADS };

enum message_type {
	MESSAGE_NONE = 0,
	MESSAGE_HELLO,         /* nothing ▸ JSON: the public keys */
	MESSAGE_SET_ISSUER,    /* the URL ▸ nothing */
	MESSAGE_SIGN_TOKEN,    /* the claims, canonical JSON ▸ compact JWS */
	MESSAGE_MAKE_KEY,      /* nothing ▸ the new key's public half, canonical JWK */
	MESSAGE_USE_KEY,       /* kid, the millisecond it signs from (8 bytes) ▸ nothing */
	MESSAGE_LAST_HEAD,     /* nothing ▸ a head */
	MESSAGE_SIGN_HEAD,     /* a head, then the hashes of the proof ▸ the note */
	MESSAGE_SIGN_CARD,     /* the agent card, canonical JSON ▸ its JWS without the card */
	MESSAGE_SIGN_IDENTITY, /* claims of an identity token, canonical JSON ▸ compact JWS */
	MESSAGE_TYPES
};

/* How far a channel has come. */
enum signer_stage { STAGE_NEW = 0, STAGE_GREETED, STAGE_SIGNING };

struct signer_session {
	enum signer_stage stage;
	uint32_t number; /* of the last request */
};

struct message {
	enum message_type type;
	enum error_code status; /* of a reply */
	uint32_t number;
	struct text payload; /* borrowed */
};

/* Appends a header; the payload follows. */
void message_start(struct buffer *out, const struct message *message);
/* Errors: INVALID (not of this version, too short, not canonical). */
bool message_read(struct message *out, struct text packet, struct error *err) MUST_CHECK;

void message_put_uint64(struct buffer *out, uint64_t value);
uint64_t message_get_uint64(const char *bytes);

/* Appends whole requests.  Errors: LIMIT. */
bool message_put_token(struct buffer *out, struct arena *arena, uint32_t number,
	const struct access_token *token, struct error *err) MUST_CHECK;
bool message_put_card(struct buffer *out, struct arena *arena, uint32_t number,
	const struct json *card, struct error *err) MUST_CHECK;
bool message_put_identity(struct buffer *out, struct arena *arena, uint32_t number,
	const struct identity_token *token, struct error *err) MUST_CHECK;
void message_put_head(struct buffer *out, uint32_t number, const struct tree_head *newer,
	const struct merkle_proof *proof);
void message_put_use(struct buffer *out, uint32_t number, struct text kid, int64_t from_utc_ms);

/* A head of MESSAGE_HEAD_BYTES. */
void message_append_head(struct buffer *out, const struct tree_head *head);
void message_get_head(struct tree_head *out, const char *bytes);

/* The reply to a request of this type and number: false, and err as the signer said it, or
 * CORRUPT where it is another's. */
bool message_take_reply(struct text *out_payload, const struct message *asked, struct text packet,
	struct error *err) MUST_CHECK;

#endif

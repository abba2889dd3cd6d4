/* The table of messages.
 *
 * M1  What has no row, is larger or smaller than its row says, or is not due at this stage
 *     of its channel ends the channel.
 * M2  What a row's handler refuses is answered, and signs nothing. */
#include <stdio.h>

#include "base/log.h"
#include "edges/signer/signer_private.h"

enum {
	CARD_JWS_BYTES_MAX = 2 * MESSAGE_CARD_BYTES_MAX,
	OVERLAP_MS_MAX = 7 * 24 * 3600 * 1000, /* a key may be scheduled so far ahead */
};

typedef bool handle_message(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err);

/* ---- keys ---- */

static bool put_next(const struct signer *signer, struct json_builder *object, struct error *err)
{
	struct json_builder part;
	struct json jwk, next;

	if (signer->next.key == NULL || signer->next_from_utc_ms == 0)
		return true;
	if (!jwk_format(&jwk, object->arena, private_key_public(signer->next.key), err))
		return false;
	json_object_start(&part, object->arena);
	json_put_integer(&part, "from", signer->next_from_utc_ms);
	json_put(&part, "jwk", jwk);
	if (!json_object_seal(&part, &next, err))
		return false;
	json_put(object, "next", next);
	return true;
}

/* {"keys": as the genesis record has them, "next"?: {"from", "jwk"}} */
static bool hello(struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct json_builder object;
	struct json keys, all;
	struct text text;

	(void)payload;
	json_object_start(&object, signer->arena);
	if (!signer_public_keys(signer, signer->arena, &text, err) ||
		!json_parse(&keys, signer->arena, text, &json_limits_default, err))
		return false;
	json_put(&object, "keys", keys);
	if (!put_next(signer, &object, err) || !json_object_seal(&object, &all, err))
		return false;
	json_canonical(out, &all);
	signer->tokens.stage = STAGE_GREETED;
	return true;
}

static bool set_issuer(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	(void)out;
	if (!signer_is_issuer(payload))
		return error_set(err, ERROR_INVALID, "the issuer is not an http(s) URL");
	memcpy(signer->issuer, payload.data, payload.length);
	signer->issuer[payload.length] = '\0';
	signer->tokens.stage = STAGE_SIGNING;
	return true;
}

static bool make_key(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct json jwk;

	(void)payload;
	if (signer->next_from_utc_ms != 0)
		return error_set(err, ERROR_CONFLICT, "the next key has not begun to sign");
	if (!key_folder_make_next(signer, err) ||
		!jwk_format(&jwk, signer->arena, private_key_public(signer->next.key), err))
		return false;
	json_canonical(out, &jwk);
	return true;
}

/* Said again of what is so already, it changes nothing: who asks may have died before it
 * heard the answer. */
static bool use_key(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct text kid = {payload.data, MESSAGE_KEY_ID_BYTES};
	uint64_t from = message_get_uint64(payload.data + MESSAGE_KEY_ID_BYTES);
	int64_t latest = signer_now_utc_ms(signer) + OVERLAP_MS_MAX;

	(void)out;
	if (text_is(kid, signer->token.id))
		return true;
	if (signer->next.key == NULL || !text_is(kid, signer->next.id))
		return error_set(err, ERROR_NOT_FOUND, "no key of this kid was made");
	if (from == 0 || latest < 0 || from > (uint64_t)latest)
		return error_set(err, ERROR_INVALID, "not a time from which a key may sign");
	if (signer->next_from_utc_ms == (int64_t)from)
		return true;
	/* Earlier, where the key before it is compromised. */
	if (signer->next_from_utc_ms != 0 && signer->next_from_utc_ms < (int64_t)from)
		return error_set(err, ERROR_CONFLICT, "it signs from an earlier time on");
	if (!key_folder_schedule(signer, (int64_t)from, err))
		return false;
	signer->next_from_utc_ms = (int64_t)from;
	return true;
}

/* ---- tokens ---- */

/* The next key begins to sign.  Where the folder cannot be written the old one goes on,
 * which is accepted for as long as its last token lives. */
static void turn_to_next(struct signer *signer)
{
	struct error err;

	if (signer->next_from_utc_ms == 0 || signer_now_utc_ms(signer) < signer->next_from_utc_ms)
		return;
	if (!key_folder_promote(signer, &err))
		log_warn("token_key_not_replaced", LOG_STRING("why", err.text));
}

static bool read_canonical(
	const struct signer *signer, struct text payload, struct json *out, struct error *err)
{
	struct text canonical;

	if (!json_parse(out, signer->arena, payload, &json_limits_default, err))
		return false;
	canonical = json_canonical_text(signer->arena, out);
	if (canonical.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to sign");
	return text_equal(canonical, payload) ||
	       error_set(err, ERROR_INVALID, "what is to be signed is not canonical");
}

static bool sign_token(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct json claims;

	if (!read_canonical(signer, payload, &claims, err) ||
		!signer_check_claims(signer, &claims, err))
		return false;
	turn_to_next(signer);
	return jws_sign(
		out, signer->token.key, ACCESS_TOKEN_TYPE, text_of(signer->token.id), &claims, err);
}

static bool sign_identity(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct json claims;

	if (!read_canonical(signer, payload, &claims, err) ||
		!signer_check_identity(signer, &claims, err))
		return false;
	turn_to_next(signer);
	return jws_sign(out, signer->token.key, IDENTITY_TOKEN_TYPE, text_of(signer->token.id),
		&claims, err);
}

/* ---- cards ---- */

/* A card has its payload itself: the first and the last part of the JWS are what it takes. */
static bool append_detached(struct buffer *out, struct text whole, struct error *err)
{
	ptrdiff_t first = text_find_byte(whole, '.');
	struct text rest = text_after(whole, (size_t)first + 1);
	ptrdiff_t second = text_find_byte(rest, '.');

	buffer_append(out, whole.data, (size_t)first);
	buffer_append_string(out, "..");
	buffer_append_text(out, text_after(rest, (size_t)second + 1));
	return buffer_failed(out) ? error_set(err, ERROR_LIMIT, "no memory to sign a card") : true;
}

static bool sign_card(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct buffer whole;
	struct json card;
	bool is_ok = false;

	if (!read_canonical(signer, payload, &card, err) || !signer_check_card(signer, &card, err))
		return false;
	turn_to_next(signer);
	buffer_init(&whole, CARD_JWS_BYTES_MAX);
	is_ok = jws_sign(&whole, signer->token.key, SIGNER_CARD_TYPE, text_of(signer->token.id),
			&card, err) &&
		append_detached(out, buffer_text(&whole), err);
	buffer_deinit(&whole);
	return is_ok;
}

/* ---- heads ---- */

static bool last_head(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	(void)payload;
	(void)err;
	message_append_head(out, &signer->head);
	return true;
}

static bool append_note(
	const struct signer *signer, struct text text, struct buffer *out, struct error *err)
{
	uint8_t signature[SIGNATURE_BYTES_MAX];
	size_t size = 0;

	if (!private_key_sign(signer->checkpoint_key, text, signature, &size, err))
		return false;
	buffer_append_text(out, text);
	buffer_append_byte(out, '\n');
	note_append_signature(out, &signer->note_key, signature, size);
	return buffer_failed(out) ? error_set(err, ERROR_LIMIT, "no memory for a note") : true;
}

static bool sign_checked(
	struct signer *signer, const struct tree_head *newer, struct buffer *out, struct error *err)
{
	const struct checkpoint checkpoint = {text_of(signer->note_key.name), *newer};
	struct buffer text;
	bool is_ok = false;

	buffer_init(&text, SIGNER_SMALL_FILE_BYTES_MAX);
	checkpoint_format(&text, &checkpoint);
	if (buffer_failed(&text))
		error_set(err, ERROR_LIMIT, "no memory for a checkpoint");
	else if (key_folder_put_head(signer, buffer_text(&text), err)) {
		signer->head = *newer;
		is_ok = append_note(signer, buffer_text(&text), out, err);
	}
	buffer_deinit(&text);
	return is_ok;
}

static bool sign_head(
	struct signer *signer, struct text payload, struct buffer *out, struct error *err)
{
	struct merkle_proof proof = {0};
	struct text hashes = text_after(payload, MESSAGE_HEAD_BYTES);
	struct tree_head newer;

	if (hashes.length % SHA256_BYTES != 0)
		return error_set(err, ERROR_INVALID, "a hash of the proof is cut");
	message_get_head(&newer, payload.data);
	proof.count = (uint32_t)(hashes.length / SHA256_BYTES);
	memcpy(proof.hashes, hashes.data, hashes.length);
	if (!checkpoint_extends(
		    &signer->head, &newer, (struct merkle_hashes){proof.hashes, proof.count}))
		return error_set(err, ERROR_CONFLICT,
			"the head of %llu entries does not extend the last signed one of %llu",
			(unsigned long long)newer.size, (unsigned long long)signer->head.size);
	return sign_checked(signer, &newer, out, err);
}

/* ---- the table ---- */

enum {
	USE_BYTES = MESSAGE_KEY_ID_BYTES + 8,
	HEAD_BYTES_MAX = MESSAGE_HEAD_BYTES + MERKLE_PROOF_HASHES_MAX * SHA256_BYTES,
};

static const struct row {
	const char *name;
	enum signer_channel channel;
	size_t bytes_min;
	size_t bytes_max;
	enum signer_stage first; /* it is due from this stage */
	enum signer_stage last;  /* to this one */
	handle_message *handle;
} table[MESSAGE_TYPES] = {
	[MESSAGE_HELLO] = {"hello", CHANNEL_TOKENS, 0, 0, STAGE_NEW, STAGE_NEW, hello},
	[MESSAGE_SET_ISSUER] = {"set_issuer", CHANNEL_TOKENS, 1, SIGNER_ISSUER_BYTES_MAX - 1,
		STAGE_GREETED, STAGE_GREETED, set_issuer},
	[MESSAGE_SIGN_TOKEN] = {"sign_token", CHANNEL_TOKENS, 2, MESSAGE_CLAIMS_BYTES_MAX,
		STAGE_SIGNING, STAGE_SIGNING, sign_token},
	[MESSAGE_SIGN_CARD] = {"sign_card", CHANNEL_TOKENS, 2, MESSAGE_CARD_BYTES_MAX,
		STAGE_SIGNING, STAGE_SIGNING, sign_card},
	[MESSAGE_SIGN_IDENTITY] = {"sign_identity", CHANNEL_TOKENS, 2, MESSAGE_CLAIMS_BYTES_MAX,
		STAGE_SIGNING, STAGE_SIGNING, sign_identity},
	[MESSAGE_MAKE_KEY] = {"make_key", CHANNEL_TOKENS, 0, 0, STAGE_SIGNING, STAGE_SIGNING,
		make_key},
	[MESSAGE_USE_KEY] = {"use_key", CHANNEL_TOKENS, USE_BYTES, USE_BYTES, STAGE_GREETED,
		STAGE_SIGNING, use_key},
	[MESSAGE_LAST_HEAD] = {"last_head", CHANNEL_HEADS, 0, 0, STAGE_NEW, STAGE_NEW, last_head},
	[MESSAGE_SIGN_HEAD] = {"sign_head", CHANNEL_HEADS, MESSAGE_HEAD_BYTES, HEAD_BYTES_MAX,
		STAGE_NEW, STAGE_NEW, sign_head},
};
_Static_assert((size_t)HEAD_BYTES_MAX <= (size_t)MESSAGE_CARD_BYTES_MAX, "one bound of packets");

/* The row of what is due on the channel now, or NULL. */
static const struct row *find_row(const struct signer_session *session, enum signer_channel channel,
	const struct message *asked, struct error *err)
{
	const struct row *row = &table[asked->type];

	if (row->channel != channel || asked->status != ERROR_NONE)
		error_set(err, ERROR_INVALID, "not a request of this channel");
	else if (asked->payload.length < row->bytes_min || asked->payload.length > row->bytes_max)
		error_set(err, ERROR_INVALID, "%s of %zu bytes", row->name, asked->payload.length);
	else if (session->stage < row->first || session->stage > row->last)
		error_set(err, ERROR_INVALID, "%s is not due now", row->name);
	else if (asked->number != session->number + 1)
		error_set(err, ERROR_INVALID, "%s out of turn", row->name);
	else
		return row;
	return NULL;
}

static void answer(struct signer *signer, const struct row *row, const struct message *asked,
	struct buffer *reply)
{
	struct message header = {.type = asked->type, .number = asked->number};
	struct error why = {0};

	message_start(reply, &header);
	if (row->handle(signer, asked->payload, reply, &why) && !buffer_failed(reply))
		return;
	if (buffer_failed(reply))
		error_set(&why, ERROR_LIMIT, "no memory to answer");
	header.status = why.code;
	buffer_reset(reply);
	message_start(reply, &header);
	buffer_append_string(reply, why.text);
}

enum signer_verdict signer_handle(struct signer *signer, enum signer_channel channel,
	struct text packet, struct buffer *reply, struct error *err)
{
	struct signer_session *session =
		channel == CHANNEL_TOKENS ? &signer->tokens : &signer->heads;
	const struct row *row = NULL;
	struct message asked;

	buffer_reset(reply);
	if (message_read(&asked, packet, err))
		row = find_row(session, channel, &asked, err);
	if (row == NULL)
		return SIGNER_ENDS;
	session->number++;
	answer(signer, row, &asked, reply);
	if (channel == CHANNEL_TOKENS)
		arena_reset(signer->arena);
	return SIGNER_ANSWERED;
}

/* The form of what is said.  Nothing here decides: the table is messages.c's. */
#include "edges/signer/message.h"

#include <string.h>

static void put_uint32(struct buffer *out, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value};

	buffer_append(out, bytes, sizeof bytes);
}

void message_put_uint64(struct buffer *out, uint64_t value)
{
	put_uint32(out, (uint32_t)(value >> 32));
	put_uint32(out, (uint32_t)value);
}

uint64_t message_get_uint64(const char *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | (uint8_t)bytes[i];
	return value;
}

void message_start(struct buffer *out, const struct message *message)
{
	const uint8_t start[] = {
		MESSAGE_VERSION, (uint8_t)message->type, (uint8_t)message->status, 0};

	buffer_append(out, start, sizeof start);
	put_uint32(out, message->number);
}

bool message_read(struct message *out, struct text packet, struct error *err)
{
	const uint8_t *bytes = (const uint8_t *)packet.data;

	*out = (struct message){0};
	if (packet.length < MESSAGE_HEADER_BYTES)
		return error_set(err, ERROR_INVALID, "a message of %zu bytes", packet.length);
	if (bytes[0] != MESSAGE_VERSION || bytes[1] == MESSAGE_NONE || bytes[1] >= MESSAGE_TYPES ||
		bytes[2] > ERROR_INTERNAL || bytes[3] != 0)
		return error_set(err, ERROR_INVALID, "no message of this version: %u, %u, %u, %u",
			bytes[0], bytes[1], bytes[2], bytes[3]);
	out->type = (enum message_type)bytes[1];
	out->status = (enum error_code)bytes[2];
	out->number = (uint32_t)bytes[4] << 24 | (uint32_t)bytes[5] << 16 |
		      (uint32_t)bytes[6] << 8 | bytes[7];
	out->payload = (struct text){
		packet.data + MESSAGE_HEADER_BYTES, packet.length - MESSAGE_HEADER_BYTES};
	return true;
}

static bool put_claims(struct buffer *out, struct arena *arena, const struct message *message,
	const struct json *claims, struct error *err)
{
	struct text text = json_canonical_text(arena, claims);

	if (text.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to ask for a token");
	if (text.length > MESSAGE_CLAIMS_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a token's claims have at most %d bytes",
			MESSAGE_CLAIMS_BYTES_MAX);
	message_start(out, message);
	buffer_append_text(out, text);
	return true;
}

bool message_put_token(struct buffer *out, struct arena *arena, uint32_t number,
	const struct access_token *token, struct error *err)
{
	const struct message message = {.type = MESSAGE_SIGN_TOKEN, .number = number};
	struct json claims;

	return access_token_claims(&claims, arena, token, err) &&
	       put_claims(out, arena, &message, &claims, err);
}

bool message_put_identity(struct buffer *out, struct arena *arena, uint32_t number,
	const struct identity_token *token, struct error *err)
{
	const struct message message = {.type = MESSAGE_SIGN_IDENTITY, .number = number};
	struct json claims;

	return identity_token_claims(&claims, arena, token, err) &&
	       put_claims(out, arena, &message, &claims, err);
}

bool message_put_card(struct buffer *out, struct arena *arena, uint32_t number,
	const struct json *card, struct error *err)
{
	const struct message message = {.type = MESSAGE_SIGN_CARD, .number = number};
	struct text text = json_canonical_text(arena, card);

	if (text.data == NULL || text.length > MESSAGE_CARD_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "a card has at most %d bytes", MESSAGE_CARD_BYTES_MAX);
	message_start(out, &message);
	buffer_append_text(out, text);
	return true;
}

void message_append_head(struct buffer *out, const struct tree_head *head)
{
	message_put_uint64(out, head->size);
	buffer_append(out, head->root.bytes, sizeof head->root.bytes);
}

void message_get_head(struct tree_head *out, const char *bytes)
{
	out->size = message_get_uint64(bytes);
	memcpy(out->root.bytes, bytes + 8, sizeof out->root.bytes);
}

void message_put_head(struct buffer *out, uint32_t number, const struct tree_head *newer,
	const struct merkle_proof *proof)
{
	const struct message message = {.type = MESSAGE_SIGN_HEAD, .number = number};

	message_start(out, &message);
	message_append_head(out, newer);
	for (uint32_t i = 0; proof != NULL && i < proof->count; i++)
		buffer_append(out, proof->hashes[i].bytes, sizeof proof->hashes[i].bytes);
}

void message_put_use(struct buffer *out, uint32_t number, struct text kid, int64_t from_utc_ms)
{
	const struct message message = {.type = MESSAGE_USE_KEY, .number = number};

	message_start(out, &message);
	buffer_append_text(out, kid);
	message_put_uint64(out, (uint64_t)from_utc_ms);
}

bool message_take_reply(struct text *out_payload, const struct message *asked, struct text packet,
	struct error *err)
{
	struct message reply;

	*out_payload = (struct text){0};
	if (!message_read(&reply, packet, err) || reply.type != asked->type ||
		reply.number != asked->number)
		return error_set(err, ERROR_CORRUPT, "the signer answered another question");
	if (reply.status != ERROR_NONE)
		return error_set(err, reply.status, "%.*s", TEXT_ARGS(reply.payload));
	*out_payload = reply.payload;
	return true;
}

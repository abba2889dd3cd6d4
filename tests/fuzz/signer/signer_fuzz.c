/* Laws of the signer, whatever is said on its channels: a packet is answered under its own
 * number or ends the channel; what is signed as a token is one of our issuer, for a day at
 * most; the last head never shrinks.  The input is packets, each after its channel (1 byte)
 * and its length (2 bytes); every other one is numbered as it should be. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <sanitizer/lsan_interface.h>

#include "domain/token/claims.h"
#include "edges/signer/signer_private.h"

#define ISSUER "http://127.0.0.1:8470"

enum { NOW_S = 1793491200, PLACE_BYTES = 3 };

static int64_t fixed_clock(void *context)
{
	(void)context;
	return (int64_t)NOW_S * 1000;
}

/* One folder for all inputs: making keys waits for the disk. */
static struct signer *open_once(void)
{
	static struct signer *signer = NULL;
	static char folder[64] = "/tmp/signer-fuzz-XXXXXX";
	const struct signer_settings settings = {.folder = folder, .wall_utc_ms = fixed_clock};
	struct error err;

	if (signer != NULL)
		return signer;
	if (mkdtemp(folder) == NULL || !signer_open(&signer, &settings, &err))
		abort();
	/* It lies in pages of its own (S4), which are not searched for what is in use. */
	__lsan_register_root_region(signer, sizeof *signer);
	return signer;
}

static void check_token(const struct signer *signer, struct text token)
{
	const char *const types[] = {ACCESS_TOKEN_TYPE, NULL};
	const struct jws_rules rules = {.types = types};
	struct arena *arena = arena_create(4 * TOKEN_ARENA_BYTES_MAX);
	struct claims claims;
	struct jws jws;

	assert(arena != NULL);
	assert(jws_parse(&jws, arena, token, &rules) == TOKEN_ACCEPTED);
	assert(jws_verify(&jws, private_key_public(signer->token.key)) == TOKEN_ACCEPTED);
	assert(claims_read(&claims, &jws.claims) == TOKEN_ACCEPTED);
	assert(text_is(claims.issuer, ISSUER) && text_starts_with(claims.audience, ISSUER));
	assert(claims.expires_utc_s > claims.issued_utc_s);
	assert(claims.expires_utc_s - claims.issued_utc_s <= CHARTER_TASK_S_MAX);
	arena_destroy(&arena);
}

/* False: the channel has ended. */
static bool say(struct signer *signer, enum signer_channel channel, struct text packet)
{
	uint64_t head = signer->head.size;
	struct message asked, answered;
	struct buffer reply;
	struct error err;
	bool goes_on;

	buffer_init(&reply, MESSAGE_REPLY_BYTES_MAX);
	goes_on = signer_handle(signer, channel, packet, &reply, &err) == SIGNER_ANSWERED;
	assert(goes_on || reply.length == 0);
	assert(signer->head.size >= head);
	if (goes_on) {
		assert(message_read(&asked, packet, &err));
		assert(message_read(&answered, buffer_text(&reply), &err));
		assert(answered.number == asked.number && answered.type == asked.type);
		if (asked.type == MESSAGE_SIGN_TOKEN && answered.status == ERROR_NONE)
			check_token(signer, answered.payload);
	}
	buffer_deinit(&reply);
	return goes_on;
}

static void number(char *packet, size_t length, uint32_t value)
{
	for (size_t i = 0; i < 4 && 4 + i < length; i++)
		packet[4 + i] = (char)(value >> (24 - 8 * i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char packet[MESSAGE_REQUEST_BYTES_MAX + 1];
	struct signer *signer = open_once();
	bool goes_on = true;

	memset(signer->issuer, 0, sizeof signer->issuer);
	memcpy(signer->issuer, ISSUER, sizeof ISSUER);
	signer->tokens = (struct signer_session){.stage = STAGE_SIGNING};
	signer->heads = (struct signer_session){0};
	for (unsigned i = 0; goes_on && size >= PLACE_BYTES; i++) {
		enum signer_channel channel = data[0] % 2 == 0 ? CHANNEL_TOKENS : CHANNEL_HEADS;
		size_t length = (size_t)data[1] << 8 | data[2];

		data += PLACE_BYTES;
		size -= PLACE_BYTES;
		length = length > size ? size : length;
		length = length > sizeof packet ? sizeof packet : length;
		memcpy(packet, data, length);
		data += length;
		size -= length;
		if (i % 2 == 0)
			number(packet, length,
				(channel == CHANNEL_TOKENS ? &signer->tokens : &signer->heads)
						->number +
					1);
		goes_on = say(signer, channel, (struct text){packet, length});
	}
	return 0;
}

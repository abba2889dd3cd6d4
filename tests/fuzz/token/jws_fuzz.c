/* Laws of tokens: what is accepted is three parts whose decoded claims are an
 * object; nothing that a fuzzer can write is signed by our key; reading twice
 * gives the same reason; a refusal by one layer names that layer. */
#include <assert.h>
#include <string.h>

#include "domain/token/access_token.h"
#include "domain/token/client_assertion.h"
#include "domain/token/request_signature.h"

static const uint8_t public_bytes[ED25519_KEY_BYTES] = {0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89,
	0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4,
	0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4, 0x66, 0x0c};

static void check_token(struct arena *arena, struct text whole, const struct public_key *key)
{
	const struct jws_rules rules = {.type_need = JWS_TYPE_OPTIONAL};
	struct jws jws;
	struct claims claims;
	enum token_reason reason = jws_parse(&jws, arena, whole, &rules);
	enum token_layer layer = token_reason_layer(reason);

	assert(reason != TOKEN_NOT_CHECKED && reason < TOKEN_REASON_COUNT);
	assert(reason == TOKEN_ACCEPTED || layer != TOKEN_LAYER_NONE);
	assert(layer != TOKEN_LAYER_STATE && layer != TOKEN_LAYER_SIGNATURE);
	if (reason != TOKEN_ACCEPTED)
		return;
	assert(jws.claims.type == JSON_OBJECT && jws.algorithm != SIGNATURE_NONE);
	assert(jws.signing_input.data == whole.data && jws.signing_input.length < whole.length);
	assert(jws_verify(&jws, key) != TOKEN_ACCEPTED);
	if (claims_read(&claims, &jws.claims) == TOKEN_ACCEPTED) {
		const struct claims_rules strictest = {0};

		assert(claims.expires_utc_s >= -1 &&
			claims.audience.length <= TOKEN_NAME_BYTES_MAX);
		assert(claims_check(&claims, &strictest) != TOKEN_ACCEPTED);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text whole = {(const char *)data, size};
	struct arena *arena = arena_create(4 * TOKEN_ARENA_BYTES_MAX);
	struct request_signature signature;
	struct client_assertion assertion;
	struct public_key *key = NULL;
	struct error err = {0};

	if (arena == NULL || !public_key_from_ed25519(&key, public_bytes, &err)) {
		arena_destroy(&arena);
		return 0;
	}
	check_token(arena, whole, key);
	(void)!client_assertion_parse(&assertion, arena, whole);
	if (request_signature_parse(&signature, arena, whole) == TOKEN_ACCEPTED)
		assert(signature.person.length > 0 && signature.id.length > 0);
	public_key_destroy(&key);
	arena_destroy(&arena);
	return 0;
}

/* Laws of proofs: reading twice gives the same; what is taken as a proof has a public key of
 * the algorithm it names, an id and a time; nothing a fuzzer can write is signed by another's
 * key; a URL is the same place as itself or none, and sameness has no direction. */
#include <assert.h>
#include <string.h>

#include "domain/token/binding.h"
#include "domain/token/claims.h"
#include "domain/token/dpop.h"

enum { ROOM_BYTES = 1 << 22 };

static void check_urls(struct text whole)
{
	ptrdiff_t line = text_find_byte(whole, '\n');
	size_t length = line < 0 ? whole.length : (size_t)line;
	struct text a = {whole.data, length};
	struct text b = {whole.data + length, whole.length - length};

	assert(dpop_is_same_url(a, b) == dpop_is_same_url(b, a));
	if (dpop_is_same_url(a, b))
		assert(dpop_is_same_url(a, a) && dpop_is_same_url(b, b));
}

static void check_proof(struct arena *arena, struct text whole)
{
	const struct dpop_request request = {TEXT("POST"), TEXT("https://a/b"), TEXT("t")};
	struct dpop_proof proof, again;
	struct public_key *key = NULL;
	enum token_reason reason = dpop_parse(&proof, arena, whole);

	assert(dpop_parse(&again, arena, whole) == reason);
	if (reason != TOKEN_ACCEPTED)
		return;
	assert(proof.id.length > 0 && proof.id.length <= TOKEN_ID_BYTES_MAX);
	assert(proof.issued_utc_s >= 0 && proof.jws.key.type == JSON_OBJECT);
	reason = dpop_key(&key, &proof);
	assert((reason == TOKEN_ACCEPTED) == (key != NULL));
	if (key == NULL)
		return;
	assert(public_key_algorithm(key) == proof.jws.algorithm);
	assert(json_find(&proof.jws.key, "d") == NULL && json_find(&proof.jws.key, "k") == NULL);
	(void)!dpop_check(&proof, key, &request, proof.issued_utc_s);
	assert(dpop_check(&proof, key, &request, proof.issued_utc_s + DPOP_WINDOW_S + 1) !=
		TOKEN_ACCEPTED);
	public_key_destroy(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text whole = {(const char *)data, size};
	struct arena *arena = arena_create(ROOM_BYTES);
	struct token_binding binding;
	struct error err = {0};
	struct json claims;

	if (arena == NULL)
		return 0;
	check_urls(whole);
	check_proof(arena, whole);
	if (json_parse(&claims, arena, whole, &json_limits_default, &err) &&
		token_binding_read(&binding, &claims) != TOKEN_ACCEPTED)
		assert(binding.kind == BINDING_NONE);
	arena_destroy(&arena);
	return 0;
}

#include "support/proofs.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/json.h"
#include "domain/token/jwk.h"

static void must(bool is_ok)
{
	if (!is_ok)
		abort();
}

struct text proof_header(struct arena *arena, const struct private_key *key, const char *more)
{
	const struct public_key *half = private_key_public(key);
	struct error err = {0};
	struct json jwk;
	struct text text, header;

	must(jwk_format(&jwk, arena, half, &err));
	text = json_canonical_text(arena, &jwk);
	header = text_format(arena, "{\"alg\":\"%s\",\"jwk\":%.*s,\"typ\":\"dpop+jwt\"%s}",
		signature_algorithm_name(public_key_algorithm(half)), TEXT_ARGS(text), more);
	must(header.data != NULL);
	return header;
}

static struct text claims_of(struct arena *arena, const struct proof_draft *draft)
{
	struct sha256 digest = sha256_of(draft->token.data, draft->token.length);
	struct json_builder claims;
	struct error err = {0};
	struct json object;

	json_object_start(&claims, arena);
	if (draft->token.length > 0)
		json_put_text(
			&claims, "ath", base64url_text(arena, digest.bytes, sizeof digest.bytes));
	if (draft->method != NULL)
		json_put_cstring(&claims, "htm", draft->method);
	if (draft->url != NULL)
		json_put_cstring(&claims, "htu", draft->url);
	json_put_integer(&claims, "iat", draft->issued_utc_s);
	if (draft->id != NULL)
		json_put_cstring(&claims, "jti", draft->id);
	if (draft->nonce != NULL)
		json_put_cstring(&claims, "nonce", draft->nonce);
	must(json_object_seal(&claims, &object, &err));
	return json_canonical_text(arena, &object);
}

struct text proof_make(struct arena *arena, const struct proof_draft *draft)
{
	struct text header = draft->header == NULL ? proof_header(arena, draft->key, "")
						   : text_of(draft->header);
	struct text claims =
		draft->claims == NULL ? claims_of(arena, draft) : text_of(draft->claims);
	uint8_t signature[SIGNATURE_BYTES_MAX];
	struct error err = {0};
	struct buffer out;
	size_t size = 0;
	struct text made;

	buffer_init(&out, 64 * 1024);
	base64url_append(&out, header.data, header.length);
	buffer_append_byte(&out, '.');
	base64url_append(&out, claims.data, claims.length);
	must(private_key_sign(draft->key, buffer_text(&out), signature, &size, &err));
	buffer_append_byte(&out, '.');
	base64url_append(&out, signature, size);
	made = text_copy(arena, buffer_text(&out));
	must(!buffer_failed(&out) && made.data != NULL);
	buffer_deinit(&out);
	return made;
}

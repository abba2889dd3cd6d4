/* cnf, written and read in one place. */
#include "domain/token/binding.h"

#include "base/base64.h"

static const char *const members[] = {
	[BINDING_DPOP] = "jkt",
	[BINDING_MTLS] = "x5t#S256",
};
enum { MEMBERS_COUNT = sizeof members / sizeof members[0] };

bool token_thumbprint_parse(struct sha256 *out, struct text encoded)
{
	size_t size = 0;

	return encoded.length == TOKEN_THUMBPRINT_LETTERS &&
	       base64url_decode(encoded, out->bytes, sizeof out->bytes, &size) &&
	       size == sizeof out->bytes;
}

bool token_binding_equal(const struct token_binding *a, const struct token_binding *b)
{
	return a->kind == b->kind &&
	       (a->kind == BINDING_NONE || sha256_equal(&a->thumbprint, &b->thumbprint));
}

bool token_binding_put(
	struct json_builder *claims, const struct token_binding *binding, struct error *err)
{
	struct json_builder confirmation;
	struct json sealed;
	struct text encoded;

	if (binding->kind == BINDING_NONE)
		return true;
	if ((size_t)binding->kind >= MEMBERS_COUNT)
		return error_set(err, ERROR_INVALID, "a token is bound to nothing known");
	encoded = base64url_text(
		claims->arena, binding->thumbprint.bytes, sizeof binding->thumbprint.bytes);
	if (encoded.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a token's binding");
	json_object_start(&confirmation, claims->arena);
	json_put_text(&confirmation, members[binding->kind], encoded);
	if (!json_object_seal(&confirmation, &sealed, err))
		return false;
	json_put(claims, "cnf", sealed);
	return true;
}

enum token_reason token_binding_read(struct token_binding *out, const struct json *claims)
{
	const struct json *confirmation = json_find(claims, "cnf");

	*out = (struct token_binding){0};
	if (confirmation == NULL)
		return TOKEN_ACCEPTED;
	if (confirmation->type != JSON_OBJECT || confirmation->count != 1)
		return TOKEN_BOUND;
	for (int kind = BINDING_DPOP; kind < MEMBERS_COUNT; kind++) {
		const struct json *value = json_find(confirmation, members[kind]);

		if (value == NULL)
			continue;
		if (value->type != JSON_STRING ||
			!token_thumbprint_parse(&out->thumbprint, value->string))
			return TOKEN_BOUND;
		out->kind = (enum binding)kind;
		return TOKEN_ACCEPTED;
	}
	return TOKEN_BOUND;
}

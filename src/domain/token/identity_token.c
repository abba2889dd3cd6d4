#include "domain/token/identity_token.h"

struct text identity_token_subject(struct arena *arena, const struct identity_token *token)
{
	bool is_server = token->identity.length == 0;

	return text_format(arena, "%s:%.*s:environment:%s", is_server ? "server" : "identity",
		TEXT_ARGS(is_server ? token->server : token->identity),
		environment_word(token->environment));
}

bool identity_token_claims(struct json *out, struct arena *arena,
	const struct identity_token *token, struct error *err)
{
	struct text subject = identity_token_subject(arena, token);
	struct json_builder claims;

	if (subject.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a token's claims");
	json_object_start(&claims, arena);
	json_put_text(&claims, "iss", token->issuer);
	json_put_text(&claims, "sub", subject);
	json_put_text(&claims, "aud", token->audience);
	json_put_text(&claims, "jti", token->id);
	json_put_integer(&claims, "iat", token->issued_utc_s);
	json_put_integer(&claims, "exp", token->expires_utc_s);
	json_put_cstring(&claims, "environment", environment_word(token->environment));
	json_put_text_unless_empty(&claims, "identity", token->identity);
	json_put_text_unless_empty(&claims, "server", token->server);
	json_put_text_unless_empty(&claims, "unit", token->unit);
	json_put_text_unless_empty(&claims, "task", token->task);
	return json_object_seal(&claims, out, err);
}

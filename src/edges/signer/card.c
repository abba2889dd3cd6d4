/* Agent cards of peers (A2A 1.0 §8.4): what may be signed of them. */
#include <string.h>

#include "domain/charter/form.h"
#include "edges/signer/signer_private.h"

/* Every interface is one of a peer below the issuer: then it says nothing of anybody else. */
static bool check_interfaces(
	const struct signer *signer, const struct json *card, struct error *err)
{
	static const char folder[] = "/a2a/";
	const struct json *list = json_find(card, "supportedInterfaces");
	size_t length = strlen(signer->issuer);

	if (length == 0 || list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return error_set(err, ERROR_INVALID, "not a card with an interface");
	for (uint32_t i = 0; i < list->count; i++) {
		struct text url = json_text_or(&list->items[i], "url", "");

		if (url.length <= length + sizeof folder - 1 ||
			memcmp(url.data, signer->issuer, length) != 0 ||
			!text_starts_with(text_after(url, length), folder) ||
			!name_is_plain(text_after(url, length + sizeof folder - 1)))
			return error_set(
				err, ERROR_INVALID, "not an interface of a peer of this issuer");
	}
	return true;
}

/* Nobody may take a card for a token: it has another type, and none of these claims. */
bool signer_check_card(const struct signer *signer, const struct json *card, struct error *err)
{
	static const char *const never[] = {
		"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "cnf", "signatures"};

	if (card->type != JSON_OBJECT || json_text_or(card, "name", "").length == 0)
		return error_set(err, ERROR_INVALID, "not an agent card");
	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		if (json_find(card, never[i]) != NULL)
			return error_set(err, ERROR_INVALID, "a card has no member %s", never[i]);
	return check_interfaces(signer, card, err);
}

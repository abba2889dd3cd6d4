/* A page token is the place of the next candidate, sealed with what it holds for: the
 * same caller, point, endpoint and request but its page, and the same state of what is
 * searched.  All are of one length, so that nobody reads from it how long a name is. */
#include "base/base64.h"
#include "edges/authzen/authzen_private.h"

enum {
	TOKEN_PLAIN_BYTES = 8 + 8 + SHA256_BYTES + TOOL_NAME_BYTES_MAX,
	TOKEN_SEALED_BYTES = TOKEN_PLAIN_BYTES + SEAL_OVERHEAD_BYTES,
	TOKEN_TEXT_BYTES = (TOKEN_SEALED_BYTES * 4 + 2) / 3,
};

/* It is what is sealed, as it lies in memory: tokens are private to this process. */
_Static_assert(sizeof(struct authzen_place) == TOKEN_PLAIN_BYTES, "no padding");

static const struct text token_context = {"authzen page", sizeof "authzen page" - 1};

static bool open_token(struct text token, const struct seal_key *key, struct authzen_place *place,
	struct error *err)
{
	uint8_t sealed[TOKEN_SEALED_BYTES];
	struct authzen_place told;
	size_t size = 0;
	struct error cause;

	if (token.length != TOKEN_TEXT_BYTES ||
		!base64url_decode(token, sealed, sizeof sealed, &size) || size != sizeof sealed ||
		!seal_decrypt(key, (struct text){(const char *)sealed, sizeof sealed},
			token_context, (uint8_t *)&told, &cause))
		return error_set(err, ERROR_INVALID, "page.token: not one that was given here");
	if (!sha256_equal(&told.request, &place->request))
		return error_set(err, ERROR_INVALID,
			"page.token: of another request; send the same one with it");
	if (told.state != place->state)
		return error_set(err, ERROR_INVALID,
			"page.token: what is searched has changed; search anew");
	*place = told;
	return true;
}

bool authzen_page_token(struct text *out, struct arena *arena, const struct seal_key *key,
	const struct authzen_place *place, struct error *err)
{
	uint8_t sealed[TOKEN_SEALED_BYTES];

	*out = TEXT("");
	if (!seal_encrypt(key, (struct text){(const char *)place, sizeof *place}, token_context,
		    sealed, err))
		return false;
	*out = base64url_text(arena, sealed, sizeof sealed);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for the answer");
}

bool authzen_page_read(const struct json *page, const struct seal_key *key, uint32_t *limit,
	struct authzen_place *place, struct error *err)
{
	const struct json *count = page == NULL ? NULL : json_find(page, "limit");
	const struct json *token = page == NULL ? NULL : json_find(page, "token");

	*limit = EVALUATE_PAGE_DEFAULT;
	place->index = 0;
	memset(place->after, 0, sizeof place->after);
	if (page != NULL && page->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "page: an object is expected");
	if (count != NULL) {
		if (count->type != JSON_INTEGER || count->integer < 1)
			return error_set(err, ERROR_INVALID,
				"page.limit: a whole number from 1 is expected");
		*limit = count->integer > EVALUATE_PAGE_MAX ? EVALUATE_PAGE_MAX
							    : (uint32_t)count->integer;
	}
	if (token == NULL)
		return true;
	if (token->type != JSON_STRING)
		return error_set(err, ERROR_INVALID, "page.token: a string is expected");
	return token->string.length == 0 || open_token(token->string, key, place, err);
}

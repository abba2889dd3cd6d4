/* Laws of page tokens: only a token that was given here opens, for its request, its state
 * and its key alone, and gives back the very place; a page without one begins at 0, and its
 * limit keeps to the bounds.
 *
 * The input is a body {page: {limit, token}}.  A token that begins with '!' stands for one
 * that was given here, with the bytes behind it written over it: '!' alone is that token. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "edges/authzen/authzen_private.h"

enum { ROOM_BYTES = 1 << 24, INDEX = 1234, STATE = 77 };

static const struct seal_key key = {{1, 2, 3}};

static struct authzen_place place_of(uint64_t index)
{
	return (struct authzen_place){
		.index = index, .state = STATE, .request = sha256_of("a request", 9)};
}

/* The very place that tokens are made for here. */
static struct authzen_place given_place(void)
{
	struct authzen_place place = place_of(INDEX);

	memset(place.after, 'n', sizeof place.after);
	return place;
}

static bool is_start(const struct authzen_place *place)
{
	const struct authzen_place start = place_of(0);

	return place->index == 0 && memcmp(place->after, start.after, sizeof start.after) == 0;
}

/* The token given here as the input has it changed, in arena; *is_made: it is not changed. */
static struct text made_token(struct arena *arena, struct text written, bool *is_made)
{
	const struct authzen_place place = given_place();
	struct text token;
	struct error err = {0};
	size_t at = written.length > 1 ? (unsigned char)written.data[1] : 0;
	char *bytes;

	assert(authzen_page_token(&token, arena, &key, &place, &err));
	bytes = arena_array(arena, char, token.length + 1);
	assert(bytes != NULL);
	memcpy(bytes, token.data, token.length);
	for (size_t i = 2; i < written.length; i++)
		bytes[(at + i) % token.length] = written.data[i];
	*is_made = memcmp(bytes, token.data, token.length) == 0;
	return (struct text){bytes, token.length};
}

/* It opens for nothing else than it was given for. */
static void check_bound(const struct json *page)
{
	struct authzen_place other = place_of(0);
	struct seal_key other_key = key;
	struct error err = {0};
	uint32_t limit;

	other.state++;
	assert(!authzen_page_read(page, &key, &limit, &other, &err));
	assert(err.code == ERROR_INVALID && is_start(&other));
	other = place_of(0);
	other.request = sha256_of("another", 7);
	assert(!authzen_page_read(page, &key, &limit, &other, &err));
	assert(err.code == ERROR_INVALID && is_start(&other));
	other = place_of(0);
	other_key.bytes[0] ^= 1;
	assert(!authzen_page_read(page, &other_key, &limit, &other, &err));
	assert(err.code == ERROR_INVALID && is_start(&other));
}

/* has_token: one that is not empty. */
static void check_page(const struct json *page, bool has_token, bool is_made)
{
	const struct authzen_place given = given_place();
	struct authzen_place place = place_of(99);
	struct error err = {0};
	uint32_t limit = 0;

	if (!authzen_page_read(page, &key, &limit, &place, &err)) {
		assert(err.code == ERROR_INVALID && err.text[0] != '\0');
		assert(is_start(&place));
		return;
	}
	assert(limit >= 1 && limit <= EVALUATE_PAGE_MAX);
	assert(has_token == is_made);
	if (!is_made) {
		assert(is_start(&place));
		return;
	}
	assert(memcmp(&place, &given, sizeof given) == 0);
	check_bound(page);
}

static struct json *token_of(struct json *body)
{
	const struct json *page = json_find(body, "page");
	const struct json *token = page == NULL ? NULL : json_find(page, "token");

	return token == NULL || token->type != JSON_STRING ? NULL : (struct json *)(uintptr_t)token;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	bool has_token = false, is_made = false;
	struct json *token;
	struct json body;
	struct error err;

	assert(arena != NULL);
	if (json_parse(&body, arena, (struct text){(const char *)data, size}, &json_limits_default,
		    &err) &&
		body.type == JSON_OBJECT) {
		token = token_of(&body);
		has_token = token != NULL && token->string.length > 0;
		if (has_token && token->string.data[0] == '!')
			token->string = made_token(arena, token->string, &is_made);
		check_page(json_find(&body, "page"), has_token, is_made);
	}
	arena_destroy(&arena);
	return 0;
}

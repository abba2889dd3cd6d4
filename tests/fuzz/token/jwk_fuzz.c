/* Laws of keys: failure hands over nothing and says why; a key that is read is
 * printed to the same key with the same thumbprint; private members never pass. */
#include <assert.h>
#include <string.h>

#include "domain/token/jwk.h"
#include "domain/token/key_set.h"

enum { ROOM_BYTES = 1 << 22 };

static void check_key(struct arena *arena, const struct json *value)
{
	struct public_key *key = NULL, *again = NULL;
	struct error err = {0};
	struct json printed;
	char first[JWK_THUMBPRINT_BYTES], second[JWK_THUMBPRINT_BYTES];

	if (!jwk_parse(&key, value, &err)) {
		assert(key == NULL && err.code != ERROR_NONE);
		return;
	}
	assert(json_find(value, "d") == NULL && json_find(value, "k") == NULL);
	if (jwk_format(&printed, arena, key, &err)) {
		assert(jwk_parse(&again, &printed, &err));
		assert(public_key_equal(key, again));
		assert(jwk_thumbprint(first, key, &err) && jwk_thumbprint(second, again, &err));
		assert(strcmp(first, second) == 0 && strlen(first) == JWK_THUMBPRINT_BYTES - 1);
	}
	public_key_destroy(&again);
	public_key_destroy(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct error err = {0};
	struct key_set set;
	struct json value;

	if (arena != NULL && json_parse(&value, arena, (struct text){(const char *)data, size},
				     &json_limits_default, &err)) {
		check_key(arena, &value);
		if (key_set_parse(&set, &value, &err))
			key_set_deinit(&set);
		else
			assert(set.count == 0 && set.entries == NULL);
	}
	arena_destroy(&arena);
	return 0;
}

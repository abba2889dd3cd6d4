/* Laws of the JSON reader: failure hands over nothing and says why; a value's
 * canonical form parses again to an equal value with the same canonical form;
 * the form for people parses to an equal value too; what was read twice is the
 * same. */
#include <assert.h>
#include <string.h>

#include "base/json.h"

enum { ROOM_BYTES = 1 << 24 };

static void check_value(struct arena *arena, const struct json *value)
{
	struct text canonical = json_canonical_text(arena, value);
	struct buffer pretty;
	struct json again;
	struct json copy;
	struct error err = {0};
	struct text twice;

	if (canonical.data == NULL)
		return;
	assert(json_parse(&again, arena, canonical, &json_limits_default, &err));
	assert(json_equal(value, &again));
	twice = json_canonical_text(arena, &again);
	assert(twice.data == NULL || text_equal(canonical, twice));
	if (json_copy(&copy, arena, value, &err))
		assert(json_equal(value, &copy));
	buffer_init(&pretty, ROOM_BYTES);
	json_pretty(&pretty, value);
	if (!buffer_failed(&pretty) &&
		buffer_text(&pretty).length < json_limits_default.size_bytes) {
		assert(json_parse(&again, arena, buffer_text(&pretty), &json_limits_default, &err));
		assert(json_equal(value, &again));
	}
	buffer_deinit(&pretty);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct text text = {(const char *)data, size};
	struct error err = {0};
	struct json value;

	if (arena == NULL)
		return 0;
	if (json_parse(&value, arena, text, &json_limits_default, &err)) {
		check_value(arena, &value);
	} else {
		assert(value.type == JSON_NULL);
		assert(err.code != ERROR_NONE && err.text[0] != '\0');
	}
	arena_destroy(&arena);
	return 0;
}

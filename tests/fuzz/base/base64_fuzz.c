/* Laws of the decoders: what decodes encodes back to the same text (so no two
 * texts mean the same bytes), and never writes beyond its room. */
#include <assert.h>
#include <string.h>

#include "base/base64.h"

enum { ROOM_BYTES = 1 << 16 };

static void check_url(struct text text, uint8_t *room)
{
	struct buffer out;
	size_t used;

	if (!base64url_decode(text, room, ROOM_BYTES, &used))
		return;
	buffer_init(&out, 2 * ROOM_BYTES);
	base64url_append(&out, room, used);
	assert(buffer_failed(&out) || text_equal(buffer_text(&out), text));
	buffer_deinit(&out);
	assert(used == 0 || !base64url_decode(text, room, used - 1, &used));
}

static void check_padded(struct text text, uint8_t *room)
{
	struct buffer out;
	size_t used;

	if (!base64_decode(text, room, ROOM_BYTES, &used))
		return;
	buffer_init(&out, 2 * ROOM_BYTES);
	base64_append(&out, room, used);
	assert(buffer_failed(&out) || text_equal(buffer_text(&out), text));
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t room[ROOM_BYTES];
	struct text text = {(const char *)data, size};

	check_url(text, room);
	check_padded(text, room);
	return 0;
}

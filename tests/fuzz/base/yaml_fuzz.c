/* Laws of the YAML reader: failure hands over nothing and names the source and
 * the line; what was read, written and read again is equal. */
#include <assert.h>
#include <string.h>

#include "base/yaml.h"

enum { ROOM_BYTES = 1 << 24 };

static void check_document(struct arena *arena, const struct json *document)
{
	struct yaml_documents again;
	struct buffer out;
	struct error err = {0};

	buffer_init(&out, ROOM_BYTES);
	yaml_format(&out, document);
	if (!buffer_failed(&out) && buffer_text(&out).length < json_limits_default.size_bytes) {
		assert(yaml_parse(
			&again, arena, buffer_text(&out), "again", &json_limits_default, &err));
		assert(again.count == 1);
		assert(json_equal(document, &again.items[0]));
	}
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct text text = {(const char *)data, size};
	struct yaml_documents documents;
	struct error err = {0};

	if (arena == NULL)
		return 0;
	if (yaml_parse(&documents, arena, text, "input", &json_limits_default, &err)) {
		for (size_t i = 0; i < documents.count; i++)
			check_document(arena, &documents.items[i]);
	} else {
		assert(documents.count == 0);
		assert(err.code == ERROR_LIMIT || strncmp(err.text, "input:", 6) == 0);
	}
	arena_destroy(&arena);
	return 0;
}

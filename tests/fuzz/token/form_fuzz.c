/* Laws of forms: names are unique, texts are clean UTF-8, and encoding what was
 * read gives a form that reads the same. */
#include <assert.h>
#include <string.h>

#include "base/buffer.h"
#include "edges/oauth/form.h"

enum { ROOM_BYTES = 1 << 21 };

static void encode(struct buffer *out, struct text t)
{
	for (size_t i = 0; i < t.length; i++)
		buffer_append_format(out, "%%%02x", (unsigned)(unsigned char)t.data[i]);
}

static void check_again(struct arena *arena, const struct form *form)
{
	struct buffer out;
	struct form again;
	struct error err = {0};

	buffer_init(&out, FORM_BYTES_MAX);
	for (size_t i = 0; i < form->count; i++) {
		if (i > 0)
			buffer_append_string(&out, "&");
		encode(&out, form->items[i].name);
		buffer_append_string(&out, "=");
		encode(&out, form->items[i].value);
	}
	if (!buffer_failed(&out)) {
		assert(form_parse(&again, arena, buffer_text(&out), &err));
		assert(again.count == form->count);
		for (size_t i = 0; i < form->count; i++)
			assert(text_equal(again.items[i].name, form->items[i].name) &&
				text_equal(again.items[i].value, form->items[i].value));
	}
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct error err = {0};
	struct form form;

	if (arena == NULL)
		return 0;
	if (form_parse(&form, arena, (struct text){(const char *)data, size}, &err)) {
		for (size_t i = 0; i < form.count; i++) {
			assert(text_is_utf8(form.items[i].value));
			assert(memchr(form.items[i].value.data, 0, form.items[i].value.length) ==
				NULL);
			for (size_t j = 0; j < i; j++)
				assert(!text_equal(form.items[i].name, form.items[j].name));
		}
		check_again(arena, &form);
	} else {
		assert(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
	}
	arena_destroy(&arena);
	return 0;
}

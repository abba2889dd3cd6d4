/* Laws of what reads a model's answer: how the bytes are cut makes no difference; what
 * passes on is a prefix of what came, and all of it where the answer was whole; no tool
 * call is told twice, and after a tool call that is stopped nothing passes. */
#include <assert.h>
#include <string.h>

#include "base/buffer.h"
#include "domain/generation/answer.h"

enum { ROOM_BYTES = 1 << 24 };

struct seen {
	struct buffer passed;
	struct buffer told;
	struct buffer texts;
	size_t tools;
	size_t tools_max; /* the one after it is stopped */
	bool is_stopped;
};

static bool on_text(void *context, const struct generation_place *place, struct text piece)
{
	struct seen *seen = context;

	assert(!seen->is_stopped);
	assert(piece.length > 0);
	assert(place->kind <= GENERATION_TEXT_THINKING);
	buffer_append_text(&seen->texts, piece);
	return true;
}

static bool on_tool(void *context, const struct generation_tool *tool)
{
	struct seen *seen = context;

	assert(!seen->is_stopped);
	buffer_append_text(&seen->told, tool->name);
	buffer_append_byte(&seen->told, 0);
	buffer_append_text(&seen->told, tool->arguments);
	buffer_append_byte(&seen->told, tool->is_object ? 1 : 2);
	seen->is_stopped = seen->tools++ == seen->tools_max;
	return !seen->is_stopped;
}

static bool on_pass(void *context, struct text bytes)
{
	struct seen *seen = context;

	assert(!seen->is_stopped);
	buffer_append_text(&seen->passed, bytes);
	return true;
}

/* True if all of it was taken and it was whole. */
static bool read_in_chunks(struct seen *seen, struct generation_notes *notes, uint8_t form,
	struct text text, size_t chunk_size)
{
	static const enum generation_api apis[] = {
		GENERATION_CHAT, GENERATION_RESPONSES, GENERATION_MESSAGES, GENERATION_COUNT};
	const struct generation_sink sink = {seen, on_text, on_tool, on_pass};
	struct generation_answer *answer;
	struct error err = {0};
	bool ok = true;

	buffer_init(&seen->passed, ROOM_BYTES);
	buffer_init(&seen->told, ROOM_BYTES);
	buffer_init(&seen->texts, ROOM_BYTES);
	seen->tools_max = form >> 3;
	if (!generation_answer_create(&answer, apis[form & 3],
		    (form & 4) != 0 ? GENERATION_STREAM : GENERATION_WHOLE, &sink, &err))
		return false;
	for (size_t at = 0; at < text.length && ok; at += chunk_size) {
		size_t left = text.length - at;
		struct text chunk = {text.data + at, left < chunk_size ? left : chunk_size};

		ok = generation_answer_feed(answer, chunk, &err);
		assert(ok || err.code != ERROR_NONE);
	}
	ok = ok && generation_answer_finish(answer, &err);
	*notes = *generation_answer_notes(answer);
	generation_answer_destroy(&answer);
	return ok;
}

static void must_be_prefix(const struct buffer *passed, struct text whole)
{
	assert(passed->length <= whole.length);
	assert(passed->length == 0 || memcmp(passed->data, whole.data, passed->length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct generation_notes notes = {0}, cut_notes = {0};
	struct seen whole = {0}, cut = {0};
	struct text text;
	bool is_whole_good, is_cut_good;

	if (size < 3)
		return 0;
	text = (struct text){(const char *)data + 2, size - 2};
	is_whole_good = read_in_chunks(&whole, &notes, data[0], text, size);
	is_cut_good = read_in_chunks(&cut, &cut_notes, data[0], text, 1 + data[1] % 13);
	assert(is_whole_good == is_cut_good);
	assert(text_equal(buffer_text(&whole.passed), buffer_text(&cut.passed)));
	assert(text_equal(buffer_text(&whole.told), buffer_text(&cut.told)));
	assert(text_equal(buffer_text(&whole.texts), buffer_text(&cut.texts)));
	assert(notes.output_bytes == cut_notes.output_bytes);
	assert(notes.output_bytes == whole.texts.length || buffer_failed(&whole.texts));
	must_be_prefix(&whole.passed, text);
	if (is_whole_good)
		assert(whole.passed.length == text.length);
	buffer_deinit(&whole.passed);
	buffer_deinit(&whole.told);
	buffer_deinit(&whole.texts);
	buffer_deinit(&cut.passed);
	buffer_deinit(&cut.told);
	buffer_deinit(&cut.texts);
	return 0;
}

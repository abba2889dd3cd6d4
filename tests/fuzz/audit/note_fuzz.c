/* Notes, checkpoints, verifier keys.  Laws: failure hands over nothing and says
 * why; what was read and written again is the same; no note verifies under a
 * key that never signed. */
#include <assert.h>
#include <string.h>

#include "domain/audit/checkpoint.h"
#include "domain/audit/note.h"

static void try_key(struct text t)
{
	struct error err = {0};
	struct note_key key;
	struct buffer again;

	if (!note_key_parse(&key, t, &err)) {
		assert(err.code != ERROR_NONE);
		return;
	}
	buffer_init(&again, 1024);
	note_key_format(&again, &key);
	/* base64 may not be unique where nothing checks it; ours is strict, so it is */
	assert(t.length == again.length);
	buffer_deinit(&again);
}

static void try_checkpoint(struct text t)
{
	struct checkpoint checkpoint;
	struct error err = {0};
	struct buffer again;

	if (!checkpoint_parse(&checkpoint, t, &err)) {
		assert(err.code != ERROR_NONE && checkpoint.origin.data == NULL);
		return;
	}
	buffer_init(&again, t.length + 64);
	checkpoint_format(&again, &checkpoint);
	assert(text_equal(buffer_text(&again), t));
	buffer_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nobody[NOTE_PUBLIC_KEY_BYTES] = {1};
	struct text t = {(const char *)data, size};
	struct arena *arena = arena_create(4 * 1024 * 1024);
	struct error err = {0};
	struct note_key key;
	struct note note;
	size_t verified;

	assert(arena != NULL);
	try_key(t);
	try_checkpoint(t);
	assert(note_key_init(&key, TEXT("example.com/foo"), NOTE_ED25519, nobody, &err));
	if (note_parse(&note, arena, t, &err)) {
		assert(note.text.length > 0 && note.text.data[note.text.length - 1] == '\n');
		assert(note.signature_count >= 1 && note.signature_count <= NOTE_SIGNATURES_MAX);
		assert(!note_verify(&note, &key, 1, &verified, &err) && verified == 0);
		try_checkpoint(note.text);
	} else {
		assert(err.code != ERROR_NONE && note.text.data == NULL);
	}
	arena_destroy(&arena);
	return 0;
}

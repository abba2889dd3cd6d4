/* Receipts.  Laws: what was read and written again reads the same; no receipt
 * verifies under a key that never signed. */
#include <assert.h>
#include <string.h>

#include "domain/audit/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nobody[NOTE_PUBLIC_KEY_BYTES] = {1};
	struct text t = {(const char *)data, size};
	struct arena *arena = arena_create(8 * 1024 * 1024);
	struct receipt receipt, again;
	struct checkpoint checkpoint;
	struct error err = {0};
	struct buffer written;
	struct note_key key;

	assert(arena != NULL);
	assert(note_key_init(&key, TEXT("log.test"), NOTE_ED25519, nobody, &err));
	if (receipt_parse(&receipt, arena, t, &err)) {
		buffer_init(&written, size + 1024);
		receipt_format(&written, &receipt);
		assert(text_equal(buffer_text(&written), t));
		assert(receipt_parse(&again, arena, buffer_text(&written), &err));
		assert(again.index == receipt.index && again.proof.count == receipt.proof.count);
		assert(!receipt_verify(&checkpoint, arena, &receipt, &key, 1, &err));
		buffer_deinit(&written);
	} else {
		assert(err.code != ERROR_NONE);
	}
	arena_destroy(&arena);
	return 0;
}

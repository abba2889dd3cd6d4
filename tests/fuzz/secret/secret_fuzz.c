/* Laws of the detector: a text of any bytes is read to its end; what is found lies within
 * it; a secret that stands there as it is, or in base16, is found; nothing is found in what
 * is left without what was found.  The input is a secret (its length first) and a text. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "domain/secret/foreign.h"
#include "domain/secret/redact.h"
#include "domain/secret/strand.h"

enum { SECRET_MOST = 64, ARENA_BYTES = 1 << 24, ROOM_BYTES = 1 << 22 };

struct world {
	struct fingerprint_index *index;
	struct secret_scratch *scratch;
};

static void find(const void *context, struct text text, struct secret_spans *out)
{
	const struct world *world = context;

	fingerprint_find(world->index, text, world->scratch, out);
	foreign_find(text, out);
}

static bool is_covered(const struct secret_spans *spans, size_t start, size_t end)
{
	for (uint32_t i = 0; i < spans->count; i++)
		if (spans->items[i].start <= start && spans->items[i].end >= end)
			return true;
	return spans->is_full;
}

/* Wherever needle stands in the text, something was found. */
static void check_found(const struct secret_spans *spans, struct text text, struct text needle)
{
	for (size_t at = 0; at + needle.length <= text.length; at++)
		assert(memcmp(text.data + at, needle.data, needle.length) != 0 ||
			is_covered(spans, at, at + needle.length));
}

/* The mark itself may be taken for a secret that is part of it. */
static bool is_of_mark(struct text secret)
{
	return memchr(secret.data, '[', secret.length) != NULL ||
	       memchr(secret.data, ']', secret.length) != NULL ||
	       memmem(SECRET_REMOVED, strlen(SECRET_REMOVED), secret.data, secret.length) != NULL;
}

/* In pieces it is found as well. */
static void check_strand(const struct world *world, struct text secret, struct text text)
{
	size_t piece = 1 + (unsigned char)secret.data[0] % 13;
	struct secret_strand *strand = secret_strand_create();
	struct secret_spans spans = {.count = 0};
	struct error err;

	assert(strand != NULL);
	for (size_t at = 0; at < text.length; at += piece)
		assert(secret_strand_find(strand, world->index,
			(struct text){text.data + at,
				text.length - at < piece ? text.length - at : piece},
			&spans, &err));
	assert(spans.count > 0 ||
		memmem(text.data, text.length, secret.data, secret.length) == NULL);
	secret_strand_destroy(&strand);
}

static void check(struct world *world, struct text secret, struct text text)
{
	const struct secret_finder finder = {world, find};
	struct arena *arena = arena_create(ARENA_BYTES);
	struct secret_spans spans = {.count = 0};
	struct buffer hex;
	struct text left;

	assert(arena != NULL);
	find(world, text, &spans);
	for (uint32_t i = 0; i < spans.count; i++)
		assert(spans.items[i].start < spans.items[i].end &&
			spans.items[i].end <= text.length);
	check_found(&spans, text, secret);
	check_strand(world, secret, text);
	buffer_init(&hex, ROOM_BYTES);
	for (size_t i = 0; i < secret.length; i++)
		buffer_append_format(&hex, "%02x", (unsigned char)secret.data[i]);
	check_found(&spans, text, buffer_text(&hex));
	buffer_deinit(&hex);
	left = secret_redact_text(arena, text, ~0u, &finder);
	if (left.data != NULL && !is_of_mark(secret)) {
		spans = (struct secret_spans){.count = 0};
		find(world, left, &spans);
		assert(spans.count == 0);
	}
	if (left.data == text.data)
		assert(left.length == text.length);
	arena_destroy(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct fingerprint_key key = {"a key of chance, 32 bytes of it."};
	static struct secret_scratch *scratch; /* large: made once */
	struct fingerprint fingerprint;
	struct world world = {0};
	struct text secret, text;
	struct error err;

	if (size < 1 + FINGERPRINT_SECRET_BYTES_MIN)
		return 0;
	secret.data = (const char *)data + 1;
	secret.length = FINGERPRINT_SECRET_BYTES_MIN +
			data[0] % (SECRET_MOST - FINGERPRINT_SECRET_BYTES_MIN);
	if (secret.length > size - 1)
		return 0;
	text = (struct text){secret.data + secret.length, size - 1 - secret.length};
	if (scratch == NULL)
		scratch = secret_scratch_create();
	world.scratch = scratch;
	if (scratch != NULL && fingerprint_index_create(&world.index, &key, &err) &&
		fingerprint_make(&fingerprint, &key, secret, &err) &&
		fingerprint_index_add(world.index, &fingerprint, 1, &err))
		check(&world, secret, text);
	fingerprint_index_destroy(&world.index);
	return 0;
}

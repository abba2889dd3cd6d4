#include "domain/audit/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SEGMENT_BYTES = 32 * 1024 };

static uint8_t segment[SEGMENT_BYTES];

struct built {
	size_t size; /* of the first batch, padded */
	size_t total;
	struct frame_chain after_first;
};

static size_t add(size_t at, struct frame_chain *chain, enum frame_kind kind, unsigned flags,
	struct text payload)
{
	struct frame frame = {.kind = kind,
		.flags = flags,
		.sequence = chain->sequence++,
		.index = chain->index,
		.previous = chain->previous,
		.payload = payload};

	chain->index += kind == FRAME_ENTRY;
	frame_write(segment + at, &frame);
	return at + frame_size(payload.length);
}

/* Segment frame, content and entry in one batch; one entry in a second. */
static void build(struct built *built)
{
	struct frame_segment head = {.number = 1, .origin = TEXT("test")};
	uint8_t payload[FRAME_SEGMENT_PAYLOAD_BYTES_MAX];
	size_t size = frame_segment_encode(payload, &head), at, start;
	struct frame_chain chain = {0};

	memset(segment, 0, sizeof segment);
	at = add(0, &chain, FRAME_SEGMENT, FRAME_FIRST_OF_BATCH,
		(struct text){(const char *)payload, size});
	at = add(at, &chain, FRAME_CONTENT, 0, TEXT("secret bytes"));
	at = add(at, &chain, FRAME_ENTRY, FRAME_LAST_OF_BATCH, TEXT("{\"n\":1}"));
	chain.previous = frame_batch_hash(segment, at);
	built->after_first = chain;
	start = built->size = frame_batch_size(at);
	at = add(start, &chain, FRAME_ENTRY, FRAME_FIRST_OF_BATCH | FRAME_LAST_OF_BATCH,
		TEXT("{\"n\":2}"));
	built->total = frame_batch_size(at);
}

static enum frame_fault read_all(size_t *batches, struct frame_fault_place *place)
{
	struct frame_chain chain = {0};
	struct frame_batch batch;
	size_t offset = 0;
	enum frame_fault fault;

	*batches = 0;
	while ((fault = frame_batch_read(segment, SEGMENT_BYTES, offset, &chain, &batch, place)) ==
		FRAME_OK) {
		offset += batch.size;
		++*batches;
	}
	return fault;
}

static void no_bit_of_a_batch_can_change_unnoticed(void **state)
{
	struct frame_fault_place place;
	struct built built;
	size_t batches;

	(void)state;
	build(&built);
	for (size_t i = 0; i < built.total; i++) {
		segment[i] ^= 0x10;
		(void)read_all(&batches, &place);
		assert_true(batches < 2);
		segment[i] ^= 0x10;
	}
	assert_int_equal(read_all(&batches, &place), FRAME_END);
	assert_int_equal(batches, 2);
}

static void a_frame_alone_covers_its_header(void **state)
{
	struct built built;
	struct frame frame;

	(void)state;
	build(&built);
	for (size_t i = 0; i < FRAME_HEADER_BYTES; i++) {
		segment[i] ^= 0x10;
		assert_int_not_equal(frame_read(segment, SEGMENT_BYTES, &frame), FRAME_OK);
		segment[i] ^= 0x10;
	}
	assert_int_equal(frame_read(segment, SEGMENT_BYTES, &frame), FRAME_OK);
}

static void a_batch_that_does_not_follow_is_refused(void **state)
{
	struct frame_fault_place place;
	struct frame_batch batch;
	struct built built;
	struct frame_chain chain;

	(void)state;
	build(&built);
	chain = built.after_first;
	chain.previous.bytes[5] ^= 1;
	assert_int_equal(
		frame_batch_read(segment, SEGMENT_BYTES, built.size, &chain, &batch, &place),
		FRAME_BAD_CHAIN);
	chain = built.after_first;
	chain.sequence++;
	assert_int_equal(
		frame_batch_read(segment, SEGMENT_BYTES, built.size, &chain, &batch, &place),
		FRAME_BAD_SEQUENCE);
	chain = built.after_first;
	chain.index++;
	assert_int_equal(
		frame_batch_read(segment, SEGMENT_BYTES, built.size, &chain, &batch, &place),
		FRAME_BAD_INDEX);
}

static void a_content_frame_without_its_entry_is_refused(void **state)
{
	struct frame_fault_place place;
	struct frame_batch batch;
	struct built built;
	struct frame_chain chain;

	(void)state;
	build(&built);
	chain = built.after_first;
	add(built.size, &chain, FRAME_CONTENT, FRAME_FIRST_OF_BATCH | FRAME_LAST_OF_BATCH,
		TEXT("alone"));
	chain = built.after_first;
	assert_int_equal(
		frame_batch_read(segment, SEGMENT_BYTES, built.size, &chain, &batch, &place),
		FRAME_BAD_ORDER);
}

static void a_length_beyond_the_segment_is_refused(void **state)
{
	struct frame_fault_place place;
	struct frame frame = {.kind = FRAME_ENTRY, .flags = 3, .payload = TEXT("x")};
	struct frame_chain chain = {0};
	struct frame_batch batch;

	(void)state;
	memset(segment, 0, sizeof segment);
	frame_write(segment, &frame);
	memset(segment + 8, 0xff, 4);
	assert_int_equal(frame_batch_read(segment, SEGMENT_BYTES, 0, &chain, &batch, &place),
		FRAME_BAD_LENGTH);
	assert_int_equal(frame_batch_read(segment, 4096, 4096, &chain, &batch, &place), FRAME_END);
}

static void whole_batches_after_damage_are_found(void **state)
{
	struct frame_chain none = {0};
	struct built built;

	(void)state;
	build(&built);
	segment[100] ^= 1;
	assert_true(frame_finds_later_batch(segment, SEGMENT_BYTES, 0, &none));
	memset(segment + built.size, 0, SEGMENT_BYTES - built.size);
	assert_false(frame_finds_later_batch(segment, SEGMENT_BYTES, 0, &none));
}

static void frames_read_back_in_order(void **state)
{
	static const enum frame_kind kinds[] = {FRAME_SEGMENT, FRAME_CONTENT, FRAME_ENTRY};
	struct frame_fault_place place;
	struct frame_chain chain = {0};
	struct frame_batch batch;
	struct frame frame;
	struct built built;
	size_t cursor = 0;

	(void)state;
	build(&built);
	assert_int_equal(
		frame_batch_read(segment, SEGMENT_BYTES, 0, &chain, &batch, &place), FRAME_OK);
	assert_int_equal(batch.entry_count, 1);
	assert_memory_equal(&chain, &built.after_first, sizeof chain);
	for (size_t i = 0; i < 3; i++) {
		assert_true(frame_next(segment, &batch, &cursor, &frame));
		assert_int_equal(frame.kind, kinds[i]);
	}
	assert_false(frame_next(segment, &batch, &cursor, &frame));
}

static void a_segment_head_reads_back_and_must_be_exact(void **state)
{
	struct frame_segment head = {.number = 7, .origin = TEXT("o"), .tiled = 5}, again;
	uint8_t payload[FRAME_SEGMENT_PAYLOAD_BYTES_MAX];
	struct sha256 leaf = sha256_of("x", 1), ours, theirs;
	size_t size;

	(void)state;
	for (int i = 0; i < 11; i++)
		merkle_append(&head.frontier, &leaf);
	size = frame_segment_encode(payload, &head);
	assert_true(frame_segment_decode(&again, (struct text){(const char *)payload, size}));
	assert_int_equal(again.number, 7);
	assert_int_equal(again.tiled, 5);
	assert_true(text_is(again.origin, "o"));
	ours = merkle_root(&head.frontier);
	theirs = merkle_root(&again.frontier);
	assert_int_equal(again.frontier.size, 11);
	assert_true(sha256_equal(&ours, &theirs));
	assert_false(frame_segment_decode(&again, (struct text){(const char *)payload, size - 1}));
	assert_false(frame_segment_decode(&again, (struct text){(const char *)payload, size + 1}));
	assert_false(frame_segment_decode(&again, (struct text){(const char *)payload, 3}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_bit_of_a_batch_can_change_unnoticed),
		cmocka_unit_test(a_frame_alone_covers_its_header),
		cmocka_unit_test(a_batch_that_does_not_follow_is_refused),
		cmocka_unit_test(a_content_frame_without_its_entry_is_refused),
		cmocka_unit_test(a_length_beyond_the_segment_is_refused),
		cmocka_unit_test(whole_batches_after_damage_are_found),
		cmocka_unit_test(frames_read_back_in_order),
		cmocka_unit_test(a_segment_head_reads_back_and_must_be_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

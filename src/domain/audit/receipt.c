/* Receipts, C2SP tlog-proof v1:
 *
 *	c2sp.org/tlog-proof@v1
 *	extra BASE64          (optional; ours: the record)
 *	index N
 *	BASE64                (proof hashes, leaf to root)
 *	(empty line)
 *	signed checkpoint, verbatim
 *
 * Nothing in `extra` is believed until its hash is the proven leaf. */
#include "domain/audit/receipt.h"

#include <inttypes.h>
#include <string.h>

#include "base/base64.h"

#define RECEIPT_FIRST_LINE "c2sp.org/tlog-proof@v1\n"

bool receipt_is(struct text t)
{
	return text_starts_with(t, RECEIPT_FIRST_LINE);
}

static bool take_line(struct text *t, struct text *line)
{
	ptrdiff_t end = text_find_byte(*t, '\n');

	if (end < 0)
		return false;
	*line = (struct text){t->data, (size_t)end};
	t->data += end + 1;
	t->length -= (size_t)end + 1;
	return true;
}

static bool parse_extra(
	struct receipt *out, struct arena *arena, struct text encoded, struct error *err)
{
	size_t capacity = encoded.length / 4 * 3, size;
	uint8_t *bytes = arena_array(arena, uint8_t, capacity + 1);

	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a receipt");
	if (!base64_decode(encoded, bytes, capacity, &size))
		return error_set(err, ERROR_INVALID, "receipt: extra is not base64");
	out->entry = (struct text){(const char *)bytes, size};
	return true;
}

static bool parse_proof(struct merkle_proof *out, struct text *rest, struct error *err)
{
	struct text line;
	size_t size;

	for (;;) {
		if (!take_line(rest, &line))
			return error_set(err, ERROR_INVALID, "receipt: no checkpoint");
		if (line.length == 0)
			return true;
		if (out->count == MERKLE_PROOF_HASHES_MAX)
			return error_set(err, ERROR_INVALID, "receipt: the proof is too long");
		if (!base64_decode(line, out->hashes[out->count].bytes, SHA256_BYTES, &size) ||
			size != SHA256_BYTES)
			return error_set(err, ERROR_INVALID, "receipt: a hash is not 32 bytes");
		out->count++;
	}
}

bool receipt_parse(struct receipt *out, struct arena *arena, struct text t, struct error *err)
{
	struct text rest = t, line;

	memset(out, 0, sizeof *out);
	if (t.length > RECEIPT_BYTES_MAX)
		return error_set(
			err, ERROR_LIMIT, "receipt: longer than %d bytes", RECEIPT_BYTES_MAX);
	if (!receipt_is(t) || !take_line(&rest, &line) || !take_line(&rest, &line))
		return error_set(err, ERROR_INVALID, "receipt: not a tlog-proof v1");
	if (text_starts_with(line, "extra ")) {
		if (!parse_extra(out, arena, text_after(line, strlen("extra ")), err))
			return false;
		if (!take_line(&rest, &line))
			return error_set(err, ERROR_INVALID, "receipt: no index");
	}
	if (!text_starts_with(line, "index ") ||
		!checkpoint_number_parse(text_after(line, strlen("index ")), &out->index))
		return error_set(err, ERROR_INVALID, "receipt: no index");
	if (!parse_proof(&out->proof, &rest, err))
		return false;
	if (rest.length == 0)
		return error_set(err, ERROR_INVALID, "receipt: no checkpoint");
	out->checkpoint = rest;
	return true;
}

void receipt_format(struct buffer *out, const struct receipt *receipt)
{
	buffer_append_string(out, RECEIPT_FIRST_LINE);
	if (receipt->entry.data != NULL) {
		buffer_append_string(out, "extra ");
		base64_append(out, receipt->entry.data, receipt->entry.length);
		buffer_append_byte(out, '\n');
	}
	buffer_append_format(out, "index %" PRIu64 "\n", receipt->index);
	for (uint32_t i = 0; i < receipt->proof.count; i++) {
		base64_append(out, receipt->proof.hashes[i].bytes, SHA256_BYTES);
		buffer_append_byte(out, '\n');
	}
	buffer_append_byte(out, '\n');
	buffer_append_text(out, receipt->checkpoint);
}

bool receipt_verify(struct checkpoint *out, struct arena *arena, const struct receipt *receipt,
	const struct note_key *keys, size_t key_count, struct error *err)
{
	struct merkle_hashes proof = {receipt->proof.hashes, receipt->proof.count};
	struct checkpoint checkpoint;
	struct sha256 leaf;

	*out = (struct checkpoint){0};
	if (receipt->entry.data == NULL)
		return error_set(err, ERROR_INVALID, "receipt: it does not hold its record");
	if (!checkpoint_open(&checkpoint, arena, receipt->checkpoint, keys, key_count, err))
		return error_wrap(err, "receipt");
	leaf = merkle_leaf_hash(receipt->entry);
	if (!merkle_verify_inclusion(
		    &leaf, receipt->index, checkpoint.head.size, &checkpoint.head.root, proof))
		return error_set(err, ERROR_INVALID,
			"receipt: the record is not entry %" PRIu64 " of this log", receipt->index);
	*out = checkpoint;
	return true;
}

/* Design: three lanes, one for the text as it is and one for each kind of escapes, with them
 * undone and line ends left out.  The two begin, as a copy of the first, when something
 * comes that would be undone: most texts never need them.  A lane keeps its end, and the
 * place up to which all windows were looked at.
 *
 * Invariants:
 * 1. what lies before `from` was looked at with all bytes that any of its windows may need;
 *    the one window behind it is looked at twice, so that no secret waits for bytes that
 *    come after it;
 * 2. kept in front of `from` is what the longest spelling that ends there needs;
 * 3. an escape that is cut waits beside its lane, and is looked at as if nothing followed. */
#include "domain/secret/strand.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "domain/secret/unescape.h"

enum {
	SLICE_BYTES = 16 * 1024,
	KEPT_LEAST = 512, /* less than this is not worth moving */
	LANE_BYTES_MAX = 4 * UNESCAPE_ROOM_BYTES,
	LANE_PLAIN = 0,
	LANE_PERCENT,
	LANE_BACKSLASH,
	LANES,
};

struct lane {
	struct buffer bytes;
	size_t from;
	bool is_open;
	char cut[UNESCAPE_UNIT_BYTES_MAX];
	size_t cut_length;
};

struct secret_strand {
	struct lane lanes[LANES];
	size_t left; /* bytes that may still be digested */
};

struct secret_strand *secret_strand_create(void)
{
	struct secret_strand *strand = calloc(1, sizeof *strand);

	if (strand == NULL)
		return NULL;
	for (int i = 0; i < LANES; i++)
		buffer_init(&strand->lanes[i].bytes, LANE_BYTES_MAX);
	strand->lanes[LANE_PLAIN].is_open = true;
	strand->left = FINGERPRINT_VERIFY_LEAST;
	return strand;
}

struct secret_strand *secret_strand_copy(const struct secret_strand *strand)
{
	struct secret_strand *copy = secret_strand_create();

	if (copy == NULL)
		return NULL;
	copy->left = strand->left;
	for (int i = 0; i < LANES; i++) {
		struct lane *lane = &copy->lanes[i];
		struct buffer bytes = lane->bytes;

		*lane = strand->lanes[i];
		lane->bytes = bytes;
		buffer_append_text(&lane->bytes, buffer_text(&strand->lanes[i].bytes));
		if (buffer_failed(&lane->bytes))
			secret_strand_destroy(&copy);
		if (copy == NULL)
			return NULL;
	}
	return copy;
}

void secret_strand_destroy(struct secret_strand **strand)
{
	if (*strand == NULL)
		return;
	for (int i = 0; i < LANES; i++) {
		struct lane *lane = &(*strand)->lanes[i];

		if (lane->bytes.data != NULL)
			explicit_bzero(lane->bytes.data, lane->bytes.capacity);
		buffer_deinit(&lane->bytes);
	}
	explicit_bzero(*strand, sizeof **strand);
	free(*strand);
	*strand = NULL;
}

/* ---- what a lane holds ---- */

/* Undoes escapes of a text that follows what is there; what is cut at its end stays. */
static struct text undo(struct lane *lane, enum escapes escapes, struct text text)
{
	while (text.length > 0) {
		size_t plain = 0, size;
		char byte;

		while (plain < text.length && unescape_is_plain(text.data[plain], escapes))
			plain++;
		buffer_append(&lane->bytes, text.data, plain);
		text = text_after(text, plain);
		if (text.length == 0 || unescape_is_cut(text, escapes))
			break;
		size = unescape_unit(text, escapes, &byte);
		if (byte != '\n' && byte != '\r')
			buffer_append_byte(&lane->bytes, byte);
		text = text_after(text, size);
	}
	return text;
}

/* What waits is put before the next bytes, one by one, until it is whole or is none. */
static struct text undo_cut(struct lane *lane, enum escapes escapes, struct text text)
{
	while (lane->cut_length > 0 && text.length > 0) {
		struct text cut = {lane->cut, lane->cut_length + 1};
		struct text rest;

		lane->cut[lane->cut_length] = text.data[0];
		text = text_after(text, 1);
		rest = undo(lane, escapes, cut);
		memmove(lane->cut, rest.data, rest.length);
		lane->cut_length = rest.length;
	}
	return text;
}

static void lane_add(struct lane *lane, enum escapes escapes, struct text slice)
{
	struct text rest = undo(lane, escapes, undo_cut(lane, escapes, slice));

	if (rest.length == 0)
		return;
	memcpy(lane->cut, rest.data, rest.length);
	lane->cut_length = rest.length;
}

static void lane_open(
	struct secret_strand *strand, int which, enum escapes escapes, struct text slice)
{
	struct lane *lane = &strand->lanes[which];

	if (lane->is_open || !text_has_escapes(slice, escapes))
		return;
	lane->is_open = true;
	lane_add(lane, escapes, buffer_text(&strand->lanes[LANE_PLAIN].bytes));
}

/* Drops what no spelling reaches that is not found yet. */
static void lane_trim(struct lane *lane, const struct fingerprint_index *index)
{
	size_t kept = fingerprint_longest(index);

	if (kept < KEPT_LEAST)
		kept = KEPT_LEAST;
	if (lane->from < 2 * kept)
		return;
	buffer_consume(&lane->bytes, lane->from - kept);
	lane->from = kept;
}

/* ---- finding ---- */

static void lane_look(struct secret_strand *strand, struct lane *lane,
	const struct fingerprint_index *index, struct secret_spans *out)
{
	size_t length = lane->bytes.length;

	lane->from = fingerprint_look(index, buffer_text(&lane->bytes), lane->from,
		FINGERPRINT_BEYOND, &strand->left, out);
	/* What is cut is as if it were whole, for now. */
	for (size_t i = 0; i < lane->cut_length; i++)
		if (lane->cut[i] != '\n' && lane->cut[i] != '\r')
			buffer_append_byte(&lane->bytes, lane->cut[i]);
	(void)fingerprint_look(index, buffer_text(&lane->bytes), lane->from, 0, &strand->left, out);
	lane->bytes.length = length;
	lane_trim(lane, index);
}

static void take_slice(struct secret_strand *strand, const struct fingerprint_index *index,
	struct text slice, struct secret_spans *out)
{
	lane_open(strand, LANE_PERCENT, ESCAPES_OF_PERCENT, slice);
	lane_open(strand, LANE_BACKSLASH, ESCAPES_OF_BACKSLASH, slice);
	buffer_append_text(&strand->lanes[LANE_PLAIN].bytes, slice);
	if (strand->lanes[LANE_PERCENT].is_open)
		lane_add(&strand->lanes[LANE_PERCENT], ESCAPES_OF_PERCENT, slice);
	if (strand->lanes[LANE_BACKSLASH].is_open)
		lane_add(&strand->lanes[LANE_BACKSLASH], ESCAPES_OF_BACKSLASH, slice);
	for (int i = 0; i < LANES; i++)
		if (strand->lanes[i].is_open)
			lane_look(strand, &strand->lanes[i], index, out);
}

static bool has_failed(const struct secret_strand *strand)
{
	for (int i = 0; i < LANES; i++)
		if (buffer_failed(&strand->lanes[i].bytes))
			return true;
	return false;
}

bool secret_strand_find(struct secret_strand *strand, const struct fingerprint_index *index,
	struct text piece, struct secret_spans *out, struct error *err)
{
	strand->left += FINGERPRINT_VERIFY_FACTOR * piece.length;
	while (piece.length > 0 && !out->is_full) {
		struct text slice = {
			piece.data, piece.length < SLICE_BYTES ? piece.length : SLICE_BYTES};

		take_slice(strand, index, slice, out);
		if (has_failed(strand))
			return error_set(err, ERROR_LIMIT, "no memory to watch a text");
		piece = text_after(piece, slice.length);
	}
	return true;
}

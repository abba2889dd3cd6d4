/* Design: windows of 13 bytes are looked at, at every fourth byte of the text alone.  Of a
 * spelling four windows are known, ending 0 to 3 bytes before its end, so one of them is
 * looked at wherever the spelling stands.  A window is hashed with a key by one
 * multiplication and asked of a bitmap; what passes is looked up; what is there is checked
 * by the keyed digest of the whole spelling.  Secrets of one sort begin alike
 * ("eyJ", "sk-"), so it is their ends that are known.
 *
 * Invariants:
 * 1. a slot is free, gone (no spelling, but what lies behind it is still reached) or
 *    taken; at most half of them are not free;
 * 2. a bit of the bitmap is set for each slot that is taken;
 * 3. no more bytes are digested than VERIFY_FACTOR times the text and VERIFY_BYTES_LEAST:
 *    after that a window that is known is taken for the whole. */
#include "domain/secret/fingerprint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "domain/secret/unescape.h"

enum {
	WINDOW_BYTES = 13,
	WINDOW_SECOND = WINDOW_BYTES - 8, /* where its second word begins */
	STRIDE = FINGERPRINT_OFFSETS,
	TAIL_BYTES = WINDOW_BYTES + STRIDE - 1,
	SLOTS_LEAST = 256,
	BITS_PER_SLOT = 16,
	VERIFY_FACTOR = FINGERPRINT_VERIFY_FACTOR,
	VERIFY_BYTES_LEAST = FINGERPRINT_VERIFY_LEAST,
	/* In base16 twice as long. */
	SPELLING_BYTES_MAX = 2 * FINGERPRINT_SECRET_BYTES_MAX,
};
_Static_assert(
	(int)TAIL_BYTES == (int)FINGERPRINT_SECRET_BYTES_MIN, "a secret has all four windows");
_Static_assert((int)UNESCAPE_CARRY_BYTES >= SPELLING_BYTES_MAX, "a spelling fits what is carried");

__extension__ typedef unsigned __int128 wide;

struct window_key {
	uint64_t first, second;
};

static struct window_key window_key_of(const struct fingerprint_key *key)
{
	struct window_key out;

	memcpy(&out.first, key->bytes + SIPHASH_KEY_BYTES, 8);
	memcpy(&out.second, key->bytes + SIPHASH_KEY_BYTES + 8, 8);
	return out;
}

static inline uint64_t window_hash(struct window_key key, const char *window)
{
	uint64_t first, second;
	wide product;

	memcpy(&first, window, 8);
	memcpy(&second, window + WINDOW_SECOND, 8);
	product = (wide)(first ^ key.first) * (second ^ key.second);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

const char *secret_kind_word(enum secret_kind kind)
{
	return kind == SECRET_FOREIGN ? "foreign" : "own";
}

bool secret_kind_is(struct text word)
{
	return text_is(word, "own") || text_is(word, "foreign");
}

/* ---- spellings ---- */

static void spelling_add(struct fingerprint *out, const struct fingerprint_key *key,
	const char *bytes, size_t length)
{
	struct window_key window_key = window_key_of(key);
	struct spelling *spelling = &out->spellings[out->count];

	if (length < FINGERPRINT_SECRET_BYTES_MIN)
		return;
	assert(out->count < FINGERPRINT_SPELLINGS_MAX);
	out->count++;
	spelling->length = (uint32_t)length;
	spelling->digest = siphash_of(key->bytes, bytes, length);
	for (size_t back = 0; back < FINGERPRINT_OFFSETS; back++)
		spelling->anchors[back] =
			window_hash(window_key, bytes + length - WINDOW_BYTES - back);
}

static size_t without_line_ends(char *out, struct text secret)
{
	size_t length = 0;

	for (size_t i = 0; i < secret.length; i++)
		if (secret.data[i] != '\n' && secret.data[i] != '\r')
			out[length++] = secret.data[i];
	return length;
}

static size_t in_base16(char *out, struct text secret, const char *digits)
{
	for (size_t i = 0; i < secret.length; i++) {
		unsigned char byte = (unsigned char)secret.data[i];

		out[2 * i] = digits[byte >> 4];
		out[2 * i + 1] = digits[byte & 15];
	}
	return 2 * secret.length;
}

/* The letters that the secret alone decides, where it stands `place` bytes into a group. */
static size_t in_base64(char *out, struct text secret, size_t place, const char *letters)
{
	const unsigned char *bytes = (const unsigned char *)secret.data;
	size_t bit = place == 0 ? 0 : 6 * (place + 1) - 8 * place;
	size_t bits = 8 * secret.length, length = 0;

	/* Four letters of four bytes, of which the first `bit` bits are the group's before. */
	for (size_t byte = 0; byte + 4 <= secret.length; byte += 3) {
		uint32_t four = (uint32_t)bytes[byte] << 24 | (uint32_t)bytes[byte + 1] << 16 |
				(uint32_t)bytes[byte + 2] << 8 | bytes[byte + 3];

		four <<= bit;
		for (size_t i = 0; i < 4; i++, four <<= 6)
			out[length++] = letters[four >> 26];
	}
	for (bit += 6 * length; bit + 6 <= bits; bit += 6) {
		size_t byte = bit / 8;
		unsigned pair = (unsigned)bytes[byte] << 8;

		if (byte + 1 < secret.length)
			pair |= bytes[byte + 1];
		out[length++] = letters[pair >> (10 - bit % 8) & 63];
	}
	return length;
}

/* base64 and, where it is another, base64url. */
static void add_base64(struct fingerprint *out, const struct fingerprint_key *key,
	struct text secret, size_t place, char *room)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = in_base64(room, secret, place, letters);
	unsigned others = 0;

	spelling_add(out, key, room, length);
	/* Without a branch, for it is done to each token that is signed. */
	for (size_t i = 0; i < length; i++) {
		bool is_plus = room[i] == '+', is_slash = room[i] == '/';

		others |= (unsigned)is_plus | (unsigned)is_slash;
		room[i] = (char)(is_plus ? '-' : is_slash ? '_' : room[i]);
	}
	if (others != 0)
		spelling_add(out, key, room, length);
}

bool fingerprint_make(struct fingerprint *out, const struct fingerprint_key *key,
	struct text secret, struct error *err)
{
	size_t size = 2 * secret.length, length;
	char *room;

	*out = (struct fingerprint){.count = 0};
	if (secret.length < FINGERPRINT_SECRET_BYTES_MIN)
		return error_set(err, ERROR_INVALID, "a secret of less than %d bytes is not found",
			FINGERPRINT_SECRET_BYTES_MIN);
	if (secret.length > FINGERPRINT_SECRET_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "a secret of more than %d bytes is not found",
			FINGERPRINT_SECRET_BYTES_MAX);
	room = calloc(1, size);
	if (room == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a fingerprint");
	spelling_add(out, key, secret.data, secret.length);
	length = without_line_ends(room, secret);
	if (length != secret.length)
		spelling_add(out, key, room, length);
	for (size_t place = 0; place < 3; place++)
		add_base64(out, key, secret, place, room);
	spelling_add(out, key, room, in_base16(room, secret, "0123456789abcdef"));
	spelling_add(out, key, room, in_base16(room, secret, "0123456789ABCDEF"));
	explicit_bzero(room, size);
	free(room);
	return true;
}

/* ---- the index ---- */

struct slot {
	uint64_t anchor;
	const struct spelling *spelling; /* NULL: free, or gone */
	uint32_t owner;
	uint8_t back;
	bool is_used;
};

struct table {
	struct slot *slots;
	uint64_t *bitmap;
	size_t slot_count; /* a power of two */
	size_t used, taken;
	unsigned bitmap_shift; /* 64 - log2 of its bits */
};

struct fingerprint_index {
	struct fingerprint_key key;
	struct window_key window_key;
	struct table table;
	size_t longest; /* of all that were ever added */
};

static void slot_place(struct table *table, const struct slot *from)
{
	size_t mask = table->slot_count - 1, at = from->anchor & mask;
	uint64_t bit = from->anchor >> table->bitmap_shift;

	while (table->slots[at].is_used)
		at = (at + 1) & mask;
	table->slots[at] = *from;
	table->bitmap[bit / 64] |= (uint64_t)1 << bit % 64;
	table->used++;
	table->taken++;
}

static unsigned log2_of(size_t power)
{
	return (unsigned)__builtin_ctzll(power);
}

static void table_free(struct table *table)
{
	free(table->slots);
	free(table->bitmap);
	*table = (struct table){.slots = NULL};
}

/* All that is taken, in new memory with room for so many more. */
static bool table_rebuild(struct table *table, size_t more)
{
	struct table old = *table, fresh = {.slot_count = SLOTS_LEAST};

	while (fresh.slot_count < 2 * (old.taken + more))
		fresh.slot_count *= 2;
	fresh.bitmap_shift = 64 - log2_of(fresh.slot_count * BITS_PER_SLOT);
	fresh.slots = calloc(fresh.slot_count, sizeof *fresh.slots);
	fresh.bitmap = calloc(fresh.slot_count * BITS_PER_SLOT / 64, sizeof *fresh.bitmap);
	if (fresh.slots == NULL || fresh.bitmap == NULL) {
		table_free(&fresh);
		return false;
	}
	for (size_t i = 0; i < old.slot_count; i++)
		if (old.slots[i].spelling != NULL)
			slot_place(&fresh, &old.slots[i]);
	*table = fresh;
	table_free(&old);
	return true;
}

bool fingerprint_index_create(
	struct fingerprint_index **out, const struct fingerprint_key *key, struct error *err)
{
	struct fingerprint_index *index = calloc(1, sizeof *index);

	*out = NULL;
	if (index == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for fingerprints");
	index->key = *key;
	index->window_key = window_key_of(key);
	if (!table_rebuild(&index->table, 0)) {
		fingerprint_index_destroy(&index);
		return error_set(err, ERROR_LIMIT, "no memory for fingerprints");
	}
	*out = index;
	return true;
}

void fingerprint_index_destroy(struct fingerprint_index **index)
{
	if (*index == NULL)
		return;
	table_free(&(*index)->table);
	explicit_bzero(*index, sizeof **index);
	free(*index);
	*index = NULL;
}

bool fingerprint_index_add(struct fingerprint_index *index, const struct fingerprint *fingerprint,
	uint32_t owner, struct error *err)
{
	struct table *table = &index->table;
	size_t more = fingerprint->count * (size_t)FINGERPRINT_OFFSETS;
	struct slot slot = {.owner = owner, .is_used = true};

	if (2 * (table->used + more) > table->slot_count &&
		!table_rebuild(table, table->taken + more))
		return error_set(err, ERROR_LIMIT, "no memory for fingerprints");
	for (uint32_t i = 0; i < fingerprint->count; i++) {
		slot.spelling = &fingerprint->spellings[i];
		if (slot.spelling->length > index->longest)
			index->longest = slot.spelling->length;
		for (unsigned back = 0; back < FINGERPRINT_OFFSETS; back++) {
			slot.anchor = slot.spelling->anchors[back];
			slot.back = (uint8_t)back;
			slot_place(table, &slot);
		}
	}
	return true;
}

static void slot_remove(struct table *table, const struct slot *known)
{
	size_t mask = table->slot_count - 1, at = known->anchor & mask;

	for (; table->slots[at].is_used; at = (at + 1) & mask)
		if (table->slots[at].spelling == known->spelling &&
			table->slots[at].owner == known->owner &&
			table->slots[at].anchor == known->anchor) {
			table->slots[at].spelling = NULL;
			table->taken--;
			return;
		}
}

void fingerprint_index_remove(
	struct fingerprint_index *index, const struct fingerprint *fingerprint, uint32_t owner)
{
	struct slot slot = {.owner = owner};

	for (uint32_t i = 0; i < fingerprint->count; i++) {
		slot.spelling = &fingerprint->spellings[i];
		for (size_t back = 0; back < FINGERPRINT_OFFSETS; back++) {
			slot.anchor = slot.spelling->anchors[back];
			slot_remove(&index->table, &slot);
		}
	}
}

/* ---- finding ---- */

void secret_spans_add(struct secret_spans *spans, const struct secret_span *span)
{
	for (uint32_t i = 0; i < spans->count; i++) {
		const struct secret_span *known = &spans->items[i];

		if (known->start == span->start && known->end == span->end &&
			known->kind == span->kind && known->what == span->what)
			return;
	}
	if (spans->count == SECRET_SPANS_MAX)
		spans->is_full = true;
	else
		spans->items[spans->count++] = *span;
}

struct looking {
	const struct fingerprint_index *index;
	const struct unescaped *unescaped; /* NULL: the text is looked at as it is */
	struct secret_spans *out;
	size_t left; /* bytes that may still be digested */
};

/* Whether the bytes are the spelling; when too many were digested, yes. */
static bool is_spelling(struct looking *looking, const struct spelling *spelling, const char *bytes)
{
	struct siphash digest;

	if (looking->left < spelling->length)
		return true;
	looking->left -= spelling->length;
	digest = siphash_of(looking->index->key.bytes, bytes, spelling->length);
	return siphash_equal(&digest, &spelling->digest);
}

static void look_at_slot(
	struct looking *looking, const struct slot *slot, struct text text, size_t window)
{
	size_t end = window + WINDOW_BYTES + slot->back, length = slot->spelling->length;
	struct secret_span span = {.kind = SECRET_OWN, .what = slot->owner};

	if (end > text.length || end < length ||
		!is_spelling(looking, slot->spelling, text.data + end - length))
		return;
	span.start = end - length;
	span.end = end;
	if (looking->unescaped != NULL)
		unescaped_place(looking->unescaped, &span.start, &span.end);
	secret_spans_add(looking->out, &span);
}

static void look_up(struct looking *looking, uint64_t anchor, struct text text, size_t window)
{
	const struct table *table = &looking->index->table;
	size_t mask = table->slot_count - 1, at = anchor & mask;

	for (; table->slots[at].is_used; at = (at + 1) & mask)
		if (table->slots[at].anchor == anchor && table->slots[at].spelling != NULL)
			look_at_slot(looking, &table->slots[at], text, window);
}

/* From one window on; returns the first that needs bytes which are not there: `beyond`
 * more than its own. */
static size_t look(struct looking *looking, struct text text, size_t from, size_t beyond)
{
	const struct table *table = &looking->index->table;
	const struct window_key key = looking->index->window_key;
	size_t needed = WINDOW_BYTES + beyond;

	for (; from + needed <= text.length; from += STRIDE) {
		uint64_t anchor = window_hash(key, text.data + from);
		uint64_t bit = anchor >> table->bitmap_shift;

		if ((table->bitmap[bit / 64] >> bit % 64 & 1) != 0) {
			look_up(looking, anchor, text, from);
			if (looking->out->is_full)
				return text.length; /* nothing more can be said */
		}
	}
	return from;
}

static void look_unescaped(struct looking *looking, struct text text,
	struct secret_scratch *scratch, enum escapes escapes)
{
	struct unescaped *unescaped;
	size_t from = 0;

	if (!text_has_escapes(text, escapes))
		return;
	unescaped = unescape_start(scratch, text, escapes);
	looking->unescaped = unescaped;
	while (!looking->out->is_full && unescape_more(unescaped, &from)) {
		bool is_last = unescaped_is_whole(unescaped);

		from = look(looking, unescaped_text(unescaped), from, is_last ? 0 : STRIDE - 1);
	}
}

void fingerprint_find(const struct fingerprint_index *index, struct text text,
	struct secret_scratch *scratch, struct secret_spans *out)
{
	struct looking looking = {.index = index, .out = out};

	if (text.length < FINGERPRINT_SECRET_BYTES_MIN || index->table.taken == 0)
		return;
	looking.left = text.length > SIZE_MAX / (2 * VERIFY_FACTOR)
			       ? SIZE_MAX
			       : VERIFY_FACTOR * text.length + VERIFY_BYTES_LEAST;
	(void)look(&looking, text, 0, 0);
	look_unescaped(&looking, text, scratch, ESCAPES_OF_PERCENT);
	look_unescaped(&looking, text, scratch, ESCAPES_OF_BACKSLASH);
}

size_t fingerprint_look(const struct fingerprint_index *index, struct text text, size_t from,
	size_t beyond, size_t *left, struct secret_spans *out)
{
	struct looking looking = {.index = index, .out = out, .left = *left};

	from = look(&looking, text, from, beyond);
	*left = looking.left;
	return from;
}

size_t fingerprint_longest(const struct fingerprint_index *index)
{
	return index->longest;
}

/* Signed notes.
 *
 *	text, ends in LF
 *	(empty line)
 *	— NAME base64(key id, signature)      one or more lines
 *
 * Invariants:
 *  1. The text is UTF-8 without control characters other than LF.
 *  2. The last empty line divides text and signatures, so no text can end in
 *     something that looks like a signature.
 *  3. A known key whose signature does not verify rejects the whole note; a
 *     second line of the same key is not looked at. */
#include "domain/audit/note.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/signature.h"

#define SIGNATURE_PREFIX "\xe2\x80\x94 " /* em dash, blank */

enum {
	KEY_ID_BYTES = 4,
	KEY_ID_DIGITS = 8,
	KEY_BYTES = 1 + NOTE_PUBLIC_KEY_BYTES,
	COSIGNATURE_TIME_BYTES = 8,
};

static uint32_t read_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static bool name_is_valid(struct text name)
{
	if (name.length == 0 || name.length > NOTE_NAME_BYTES_MAX || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		unsigned char letter = (unsigned char)name.data[i];

		if (letter <= ' ' || letter == '+' || letter == 0x7f)
			return false;
	}
	return true;
}

static uint32_t key_id_of(struct text name, const uint8_t typed_key[KEY_BYTES])
{
	const struct text parts[] = {name, {"\n", 1}, {(const char *)typed_key, KEY_BYTES}};
	struct sha256 digest = sha256_of_parts(parts, 3);

	return read_u32(digest.bytes);
}

bool note_key_init(struct note_key *out, struct text name, enum note_algorithm algorithm,
	const uint8_t public_key[NOTE_PUBLIC_KEY_BYTES], struct error *err)
{
	uint8_t typed_key[KEY_BYTES];

	memset(out, 0, sizeof *out);
	if (!name_is_valid(name))
		return error_set(err, ERROR_INVALID, "not a key name");
	typed_key[0] = (uint8_t)algorithm;
	memcpy(typed_key + 1, public_key, NOTE_PUBLIC_KEY_BYTES);
	memcpy(out->name, name.data, name.length);
	out->id = key_id_of(name, typed_key);
	out->algorithm = algorithm;
	memcpy(out->public_key, public_key, NOTE_PUBLIC_KEY_BYTES);
	return true;
}

/* Splits t at the first plus. */
static bool take_until_plus(struct text *t, struct text *out)
{
	ptrdiff_t plus = text_find_byte(*t, '+');

	if (plus < 0)
		return false;
	*out = (struct text){t->data, (size_t)plus};
	t->data += plus + 1;
	t->length -= (size_t)plus + 1;
	return true;
}

bool note_key_parse(struct note_key *out, struct text t, struct error *err)
{
	struct text name, digits;
	uint8_t id[KEY_ID_BYTES], typed_key[KEY_BYTES];
	size_t key_size;

	memset(out, 0, sizeof *out);
	if (t.length > NOTE_KEY_TEXT_BYTES_MAX || !take_until_plus(&t, &name) ||
		!take_until_plus(&t, &digits) || digits.length != KEY_ID_DIGITS ||
		!hex_decode(digits, id, sizeof id))
		return error_set(err, ERROR_INVALID, "verifier key: expected NAME+ID+KEY");
	if (!base64_decode(t, typed_key, sizeof typed_key, &key_size) || key_size != KEY_BYTES)
		return error_set(err, ERROR_INVALID, "verifier key: the key is not 33 bytes");
	if (typed_key[0] != NOTE_ED25519 && typed_key[0] != NOTE_COSIGNATURE)
		return error_set(
			err, ERROR_INVALID, "verifier key: unknown algorithm %u", typed_key[0]);
	if (!note_key_init(out, name, (enum note_algorithm)typed_key[0], typed_key + 1, err))
		return error_wrap(err, "verifier key");
	if (out->id != read_u32(id)) {
		memset(out, 0, sizeof *out);
		return error_set(err, ERROR_INVALID, "verifier key: the id does not fit the key");
	}
	return true;
}

void note_key_format(struct buffer *out, const struct note_key *key)
{
	uint8_t typed_key[KEY_BYTES];

	typed_key[0] = (uint8_t)key->algorithm;
	memcpy(typed_key + 1, key->public_key, NOTE_PUBLIC_KEY_BYTES);
	buffer_append_format(out, "%s+%08x+", key->name, key->id);
	base64_append(out, typed_key, sizeof typed_key);
}

static bool note_text_is_valid(struct text t)
{
	if (!text_is_utf8(t))
		return false;
	for (size_t i = 0; i < t.length; i++) {
		unsigned char letter = (unsigned char)t.data[i];

		if ((letter < ' ' && letter != '\n') || letter == 0x7f)
			return false;
	}
	return true;
}

/* Splits whole after the last empty line. */
static bool split_note(struct text whole, struct text *text, struct text *lines)
{
	for (size_t at = whole.length; at >= 2; at--) {
		if (whole.data[at - 1] != '\n' || whole.data[at - 2] != '\n')
			continue;
		*text = (struct text){whole.data, at - 1};
		*lines = (struct text){whole.data + at, whole.length - at};
		return true;
	}
	return false;
}

static bool parse_signature(
	struct note_signature *out, struct arena *arena, struct text line, struct error *err)
{
	ptrdiff_t blank;
	uint8_t *bytes;
	size_t capacity;

	if (!text_starts_with(line, SIGNATURE_PREFIX))
		return error_set(err, ERROR_INVALID, "note: not a signature line");
	line.data += sizeof SIGNATURE_PREFIX - 1;
	line.length -= sizeof SIGNATURE_PREFIX - 1;
	blank = text_find_byte(line, ' ');
	if (blank < 0 || !name_is_valid((struct text){line.data, (size_t)blank}))
		return error_set(err, ERROR_INVALID, "note: a signature without a name");
	out->name = (struct text){line.data, (size_t)blank};
	line.data += blank + 1;
	line.length -= (size_t)blank + 1;
	capacity = line.length / 4 * 3;
	if (capacity > NOTE_SIGNATURE_BYTES_MAX + KEY_ID_BYTES)
		return error_set(err, ERROR_LIMIT, "note: a signature is too long");
	bytes = arena_array(arena, uint8_t, capacity + 1);
	if (bytes == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a note");
	if (!base64_decode(line, bytes, capacity, &out->size) || out->size <= KEY_ID_BYTES)
		return error_set(err, ERROR_INVALID, "note: a signature is not base64");
	out->id = read_u32(bytes);
	out->bytes = bytes + KEY_ID_BYTES;
	out->size -= KEY_ID_BYTES;
	return true;
}

static bool parse_signatures(
	struct note *out, struct arena *arena, struct text lines, struct error *err)
{
	struct note_signature *signatures =
		arena_array(arena, struct note_signature, NOTE_SIGNATURES_MAX);

	if (signatures == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a note");
	out->signatures = signatures;
	while (lines.length > 0) {
		ptrdiff_t end = text_find_byte(lines, '\n');

		if (end < 0)
			return error_set(err, ERROR_INVALID, "note: the last line has no end");
		if (out->signature_count == NOTE_SIGNATURES_MAX)
			return error_set(err, ERROR_LIMIT, "note: more than %d signatures",
				NOTE_SIGNATURES_MAX);
		if (!parse_signature(&signatures[out->signature_count], arena,
			    (struct text){lines.data, (size_t)end}, err))
			return false;
		out->signature_count++;
		lines.data += end + 1;
		lines.length -= (size_t)end + 1;
	}
	if (out->signature_count == 0)
		return error_set(err, ERROR_INVALID, "note: not signed");
	return true;
}

bool note_parse(struct note *out, struct arena *arena, struct text whole, struct error *err)
{
	struct note note = {0};
	struct text lines;

	memset(out, 0, sizeof *out);
	if (whole.length > NOTE_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "note: longer than %d bytes", NOTE_BYTES_MAX);
	if (!note_text_is_valid(whole))
		return error_set(err, ERROR_INVALID, "note: not plain UTF-8 text");
	if (!split_note(whole, &note.text, &lines))
		return error_set(err, ERROR_INVALID, "note: no empty line before signatures");
	if (!parse_signatures(&note, arena, lines, err))
		return false;
	*out = note;
	return true;
}

static bool verify_bytes(const struct note_key *key, struct text message, const uint8_t *signature)
{
	struct text bytes = {(const char *)signature, ED25519_SIGNATURE_BYTES};
	struct public_key *public_key;
	struct error ignored = {0};
	bool ok;

	if (!public_key_from_ed25519(&public_key, key->public_key, &ignored))
		return false;
	ok = public_key_verify(public_key, message, bytes);
	public_key_destroy(&public_key);
	return ok;
}

static bool verify_ed25519(
	const struct note_key *key, struct text text, const struct note_signature *signature)
{
	return signature->size == ED25519_SIGNATURE_BYTES &&
	       verify_bytes(key, text, signature->bytes);
}

/* The message is "cosignature/v1\ntime N\n" and the note's text. */
static bool verify_cosignature(
	const struct note_key *key, struct text text, const struct note_signature *signature)
{
	struct buffer message;
	uint64_t time_s = 0;
	bool ok;

	if (signature->size != COSIGNATURE_TIME_BYTES + ED25519_SIGNATURE_BYTES)
		return false;
	for (size_t i = 0; i < COSIGNATURE_TIME_BYTES; i++)
		time_s = time_s << 8 | signature->bytes[i];
	buffer_init(&message, text.length + 64);
	buffer_append_format(&message, "cosignature/v1\ntime %llu\n", (unsigned long long)time_s);
	buffer_append_text(&message, text);
	ok = !buffer_failed(&message) &&
	     verify_bytes(key, buffer_text(&message), signature->bytes + COSIGNATURE_TIME_BYTES);
	buffer_deinit(&message);
	return ok;
}

static const struct note_signature *find_signature(
	const struct note *note, const struct note_key *key)
{
	for (size_t i = 0; i < note->signature_count; i++) {
		const struct note_signature *signature = &note->signatures[i];

		if (signature->id == key->id && text_is(signature->name, key->name))
			return signature;
	}
	return NULL;
}

bool note_verify(const struct note *note, const struct note_key *keys, size_t key_count,
	size_t *verified, struct error *err)
{
	*verified = 0;
	for (size_t i = 0; i < key_count; i++) {
		const struct note_signature *signature = find_signature(note, &keys[i]);
		bool ok;

		if (signature == NULL)
			continue;
		ok = keys[i].algorithm == NOTE_COSIGNATURE
			     ? verify_cosignature(&keys[i], note->text, signature)
			     : verify_ed25519(&keys[i], note->text, signature);
		if (!ok) {
			*verified = 0;
			return error_set(err, ERROR_INVALID, "note: the signature of %s is wrong",
				keys[i].name);
		}
		++*verified;
	}
	if (*verified == 0)
		return error_set(err, ERROR_INVALID, "note: signed by none of the known keys");
	return true;
}

void note_append_signature(
	struct buffer *out, const struct note_key *key, const uint8_t *signature, size_t size)
{
	uint8_t bytes[KEY_ID_BYTES + 256];

	if (size > sizeof bytes - KEY_ID_BYTES) {
		out->failed = true;
		return;
	}
	for (unsigned i = 0; i < KEY_ID_BYTES; i++)
		bytes[i] = (uint8_t)(key->id >> (24 - 8 * i));
	memcpy(bytes + KEY_ID_BYTES, signature, size);
	buffer_append_string(out, SIGNATURE_PREFIX);
	buffer_append_string(out, key->name);
	buffer_append_byte(out, ' ');
	base64_append(out, bytes, KEY_ID_BYTES + size);
	buffer_append_byte(out, '\n');
}

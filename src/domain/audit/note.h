#ifndef DOMAIN_AUDIT_NOTE_H
#define DOMAIN_AUDIT_NOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/text.h"

/* Signed notes and verifier keys of C2SP signed-note (docs/formats/checkpoint.md). */

enum {
	NOTE_BYTES_MAX = 1024 * 1024,
	NOTE_SIGNATURES_MAX = 64,
	NOTE_NAME_BYTES_MAX = 255,
	NOTE_KEY_TEXT_BYTES_MAX = 512,
	NOTE_PUBLIC_KEY_BYTES = 32,
	NOTE_SIGNATURE_BYTES_MAX = 4096,
};

/* The algorithms we verify; their values are the type byte of the format. */
enum note_algorithm {
	NOTE_ED25519 = 1,     /* over the note's text */
	NOTE_COSIGNATURE = 4, /* a witness's: a time, then Ed25519 over both */
};

/* A key that may have signed a note. */
struct note_key {
	char name[NOTE_NAME_BYTES_MAX + 1];
	uint32_t id;
	enum note_algorithm algorithm;
	uint8_t public_key[NOTE_PUBLIC_KEY_BYTES];
};

struct note_signature {
	struct text name;
	uint32_t id;
	const uint8_t *bytes; /* without the key id */
	size_t size;
};

/* A note as read; borrowed from the text and arena it was parsed with. */
struct note {
	struct text text; /* ends in LF; what is signed */
	const struct note_signature *signatures;
	size_t signature_count;
};

/* Fills *out and computes the key id.  Errors: INVALID (name empty, too long,
 * with blank, control character or "+"). */
bool note_key_init(struct note_key *out, struct text name, enum note_algorithm algorithm,
	const uint8_t public_key[NOTE_PUBLIC_KEY_BYTES], struct error *err) MUST_CHECK;
/* "name+hex(id)+base64(type || key)", without line end.  Errors: INVALID. */
bool note_key_parse(struct note_key *out, struct text t, struct error *err) MUST_CHECK;
void note_key_format(struct buffer *out, const struct note_key *key);

/* Splits whole into text and signatures; checks form, not signatures.
 * Errors: INVALID, LIMIT. */
bool note_parse(
	struct note *out, struct arena *arena, struct text whole, struct error *err) MUST_CHECK;

/* *verified counts the keys that signed.  Unknown signers are ignored; a bad
 * signature of a known key rejects the note, as does a note no key signed.
 * Errors: INVALID. */
bool note_verify(const struct note *note, const struct note_key *keys, size_t key_count,
	size_t *verified, struct error *err) MUST_CHECK;

/* Appends the signature line of key for its signature (64 bytes for Ed25519). */
void note_append_signature(
	struct buffer *out, const struct note_key *key, const uint8_t *signature, size_t size);

#endif

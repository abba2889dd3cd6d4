#ifndef DOMAIN_SECRET_FINGERPRINT_H
#define DOMAIN_SECRET_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/siphash.h"
#include "base/text.h"

/* Finds secrets again in any text without keeping them.  Of each secret there is a
 * fingerprint: keyed digests of the ways it is commonly spelled, and of the 16 bytes each
 * of them ends in.  Without the key they tell nothing; with it, a secret that can be
 * guessed can be tried, so both are kept as keys are. */

enum {
	/* A shorter one would be found in ordinary text, or could be guessed from its
	 * fingerprint. */
	FINGERPRINT_SECRET_BYTES_MIN = 16,
	FINGERPRINT_SECRET_BYTES_MAX = 16 * 1024,
	FINGERPRINT_SPELLINGS_MAX = 10, /* check-source: bound: see spellings in the .c */
	FINGERPRINT_OFFSETS = 4,
	FINGERPRINT_KEY_BYTES = SIPHASH_KEY_BYTES + 16,
};

struct fingerprint_key {
	uint8_t bytes[FINGERPRINT_KEY_BYTES]; /* of chance, one an installation */
};

/* One way to spell a secret: as it is, without line ends, in base16 of either case, in
 * base64 or base64url at each place of a group. */
struct spelling {
	struct siphash digest;
	uint64_t anchors[FINGERPRINT_OFFSETS]; /* of 13 bytes, ending 0 to 3 before the end */
	uint32_t length;
};

struct fingerprint {
	struct spelling spellings[FINGERPRINT_SPELLINGS_MAX];
	uint32_t count;
};

/* Errors: INVALID (shorter than the least), LIMIT (longer than the most, no memory). */
bool fingerprint_make(struct fingerprint *out, const struct fingerprint_key *key,
	struct text secret, struct error *err) MUST_CHECK;

/* ---- where secrets are ---- */

enum secret_kind {
	SECRET_OWN = 0, /* remit issued it, or injects it */
	SECRET_FOREIGN, /* it has the form of a credential of others */
};
enum { SECRET_KINDS = SECRET_FOREIGN + 1 };
/* "own", "foreign". */
const char *secret_kind_word(enum secret_kind kind);
bool secret_kind_is(struct text word);

enum { SECRET_SPANS_MAX = 32 };

struct secret_span {
	size_t start, end; /* bytes of the text */
	enum secret_kind kind;
	uint32_t what; /* OWN: the owner in the index; FOREIGN: which form (foreign.h) */
};
/* In no order; they may overlap. */
struct secret_spans {
	struct secret_span items[SECRET_SPANS_MAX];
	uint32_t count;
	bool is_full; /* there are more: take the whole text for a secret */
};
void secret_spans_add(struct secret_spans *spans, const struct secret_span *span);

/* ---- finding ---- */

/* The fingerprints that are looked for.  Reading it from several threads is safe while
 * nothing is added or removed. */
struct fingerprint_index;

/* key is copied.  Errors: LIMIT. */
bool fingerprint_index_create(struct fingerprint_index **out, const struct fingerprint_key *key,
	struct error *err) MUST_CHECK;
void fingerprint_index_destroy(struct fingerprint_index **index);

/* The fingerprint is borrowed until it is removed.  Errors: LIMIT (nothing was added). */
bool fingerprint_index_add(struct fingerprint_index *index, const struct fingerprint *fingerprint,
	uint32_t owner, struct error *err) MUST_CHECK;
void fingerprint_index_remove(
	struct fingerprint_index *index, const struct fingerprint *fingerprint, uint32_t owner);

/* Memory to undo escapes in, for one text at a time. */
struct secret_scratch;
struct secret_scratch *secret_scratch_create(void) MUST_CHECK; /* NULL: no memory */
void secret_scratch_destroy(struct secret_scratch **scratch);  /* clears it */

/* Adds to out each place where a secret of the index stands: in any of its spellings, as it
 * is or with percent-encoding (RFC 3986 §2.1), backslash escapes of JSON and of remit's
 * log, and line ends anywhere in it.  Time grows with the text alone: where an attacker
 * repeats the end of a secret, what ends like it counts as one. */
void fingerprint_find(const struct fingerprint_index *index, struct text text,
	struct secret_scratch *scratch, struct secret_spans *out);

/* ---- private to domain/secret ---- */

/* Looks from one window on, at every fourth byte, without undoing anything, and returns the
 * first that needs bytes which are not there: `beyond` more than its own.  *left bytes may
 * still be digested. */
size_t fingerprint_look(const struct fingerprint_index *index, struct text text, size_t from,
	size_t beyond, size_t *left, struct secret_spans *out);
enum {
	FINGERPRINT_BEYOND = FINGERPRINT_OFFSETS - 1, /* then no window is looked at too early */
	FINGERPRINT_VERIFY_FACTOR = 4,         /* so many bytes may be digested for one of text */
	FINGERPRINT_VERIFY_LEAST = 256 * 1024, /* and so many at first */
};
/* Of the spellings that are looked for, no less than the longest. */
size_t fingerprint_longest(const struct fingerprint_index *index);

#endif

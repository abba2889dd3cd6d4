#ifndef DOMAIN_SECRET_REDACT_H
#define DOMAIN_SECRET_REDACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/secret/fingerprint.h"

/* Secrets in JSON: counted, and taken out. */

#define SECRET_REMOVED "[secret removed by remit]"

/* What finds the secrets of one text, whatever their kind. */
struct secret_finder {
	const void *context;
	void (*find)(const void *context, struct text text, struct secret_spans *out);
};

enum { SECRET_SEEN_MAX = 8 };

/* What was found. */
struct secret_tally {
	uint32_t count;                /* places, in all */
	unsigned kinds;                /* a bit, 1 << enum secret_kind, for each kind */
	uint32_t own[SECRET_SEEN_MAX]; /* which, each once; others only count */
	uint32_t own_count;
	uint32_t foreign[SECRET_SEEN_MAX]; /* forms, likewise */
	uint32_t foreign_count;
};
static inline bool secret_tally_has(const struct secret_tally *tally, enum secret_kind kind)
{
	return (tally->kinds >> kind & 1) != 0;
}

/* Adds what stands in the strings and names of value to the tally. */
void secret_count(
	struct secret_tally *tally, const struct json *value, const struct secret_finder *finder);
void secret_count_spans(struct secret_tally *tally, const struct secret_spans *spans);
void secret_count_text(
	struct secret_tally *tally, struct text text, const struct secret_finder *finder);

/* value without the secrets of these kinds (bits, as in the tally): SECRET_REMOVED stands
 * in the place of each; a string of base64 (`data` and `blob` of MCP's content, which would
 * be damaged) goes whole, and a text stands in its content's place.  Borrows what it need
 * not change.  Where too many are found in one string, that goes whole.
 * Errors: LIMIT (arena full), INVALID (two names of an object became the same). */
bool secret_redact(struct json *out, struct arena *arena, const struct json *value, unsigned kinds,
	const struct secret_finder *finder, struct error *err) MUST_CHECK;
/* The same of a text.  .data is NULL when the arena is full. */
struct text secret_redact_text(struct arena *arena, struct text text, unsigned kinds,
	const struct secret_finder *finder) MUST_CHECK;

#endif

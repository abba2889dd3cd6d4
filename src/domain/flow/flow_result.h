#ifndef DOMAIN_FLOW_FLOW_RESULT_H
#define DOMAIN_FLOW_FLOW_RESULT_H

#include "base/arena.h"
#include "base/json.h"
#include "domain/charter/object.h"

/* Splits the result of a call into its fields and says of each whether strangers can write
 * it (docs/labels.md). */
struct flow_result {
	const struct tool *tool;  /* its `results` lines; NULL: none */
	enum trust trust;         /* of the data it read */
	const struct json *value; /* as the server answered */
};

typedef void flow_visit(void *closure, struct text field, enum trust trust);

/* Visits each text, each integer and each member's name, as digits and letters.  Of an MCP
 * result that has structuredContent, that is split, and its texts are whole fields;
 * of others, the texts that are JSON are split.  A text that a tool with lines could not be
 * asked for its fields is untrusted.  Fields live during the visit.  scratch is
 * reset; where it is full, texts stay whole. */
void flow_result_split(
	const struct flow_result *result, struct arena *scratch, flow_visit *visit, void *closure);

enum { FLOW_DIGITS_BYTES = 24 };
/* An integer as a field.  The text lies in digits. */
struct text flow_digits(char digits[FLOW_DIGITS_BYTES], int64_t value);

#endif

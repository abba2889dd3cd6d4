#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/json.h"

/* YAML documents (libyaml) as JSON values, read strictly: one mapping a
 * document, string keys, no duplicate keys, no anchors, aliases or tags, no
 * merge keys, no directives, no value left out (write null or ""), the same
 * UTF-8, NUL, depth and size rules as JSON.  Plain scalars: true false null,
 * decimal integers, everything else is text (so `no`, `1.5` and `2027-06-30` are
 * text).  Each value carries its line. */
enum { YAML_DOCUMENTS_MAX = 10000 };

struct yaml_documents {
	const struct json *items;
	size_t count;
};

/* Parses every document of text.  source is the name used in errors
 * ("charters/a.yaml"), borrowed.  On failure *out is empty and err starts with
 * "source:line: ".  Errors: INVALID, LIMIT. */
bool yaml_parse(struct yaml_documents *out, struct arena *arena, struct text text,
	const char *source, const struct json_limits *limits, struct error *err) MUST_CHECK;

/* Appends value as one YAML document that starts with "---" (block style,
 * members in their order, multi-line text as a literal block, what cannot be seen
 * as an escape).  yaml_parse gives back an object without doubles (a double reads
 * back as text). */
void yaml_format(struct buffer *out, const struct json *value);

#endif

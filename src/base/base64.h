#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

/* RFC 4648.  Both decoders are strict: no blanks, no foreign letters, trailing
 * bits zero.  base64url has no padding; base64 must have it. */

void base64url_append(struct buffer *out, const void *data, size_t size);
void base64_append(struct buffer *out, const void *data, size_t size);
struct text base64url_text(struct arena *arena, const void *data, size_t size) MUST_CHECK;

/* Decodes into out, which holds capacity bytes; *out_size is what was written.
 * False if the text is malformed or does not fit. */
bool base64url_decode(struct text t, uint8_t *out, size_t capacity, size_t *out_size) MUST_CHECK;
bool base64_decode(struct text t, uint8_t *out, size_t capacity, size_t *out_size) MUST_CHECK;

/* Lower-case hexadecimal. */
void hex_append(struct buffer *out, const void *data, size_t size);
/* Exactly size bytes from 2*size digits, either case. */
bool hex_decode(struct text t, uint8_t *out, size_t size) MUST_CHECK;

#endif

#ifndef DOMAIN_TOKEN_REFRESH_H
#define DOMAIN_TOKEN_REFRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

/* Families of refresh tokens (RFC 6749 §6, RFC 9700 §4.14.2): one for each task that may be
 * refreshed.  Of a family exactly one token is good; it is good once, and the next one takes its
 * place.  Whoever shows one that was good before shows that two people have it.  Only digests are
 * kept.  Pure; one thread. */

enum {
	REFRESH_FAMILIES_MAX = 65536,
	REFRESH_USES_MAX = 1024, /* of one family; then a person is asked anew */
	REFRESH_SECRET_BYTES = 32,
	REFRESH_TOKEN_BYTES_MAX = 96, /* "TASK.SECRET", with its NUL */
};

struct refresh_table;

/* Only GOOD is a yes. */
enum refresh_state {
	REFRESH_UNKNOWN = 0, /* none of ours, or of a family that is over */
	REFRESH_GOOD,
	REFRESH_USED, /* good before: the family is to end */
};

/* What each of the family is bound to and for. */
struct refresh_family {
	struct text task;
	struct text audience;
	bool is_bound;
	struct sha256 bound;  /* digest of the key or certificate, as the task's binding says */
	struct sha256 digest; /* of the good one */
	int64_t until_utc_s;  /* end of the task */
	uint32_t uses;        /* so far */
	bool is_on_its_way;   /* a use is being recorded; for whoever records it */
};

/* Errors: LIMIT. */
bool refresh_table_create(struct refresh_table **out, struct error *err) MUST_CHECK;
void refresh_table_destroy(struct refresh_table **table);
size_t refresh_table_count(const struct refresh_table *table);

/* The token of the task with this secret in out, NUL-terminated, and its digest. */
void refresh_token_write(char out[REFRESH_TOKEN_BYTES_MAX], struct text task,
	const uint8_t secret[REFRESH_SECRET_BYTES], struct sha256 *out_digest);
/* True if the text could be one; then the task it names, borrowed. */
bool refresh_token_read(struct text token, struct text *out_task) MUST_CHECK;

/* Begins a family; the same again changes nothing.  Copied.  What is durable is taken whatever
 * REFRESH_FAMILIES_MAX says.  Errors: LIMIT (memory). */
bool refresh_begin(struct refresh_table *table, const struct refresh_family *family,
	struct error *err) MUST_CHECK;
/* The family of a task, or NULL.  Good until the next change. */
struct refresh_family *refresh_find(const struct refresh_table *table, struct text task);
/* What a token is now. */
enum refresh_state refresh_look(const struct refresh_table *table, struct text token);
/* The good one is used, and next takes its place.  One that is not the good one changes
 * nothing.  Errors: LIMIT. */
bool refresh_rotate(struct refresh_table *table, struct text task, const struct sha256 *used,
	const struct sha256 *next, struct error *err) MUST_CHECK;
void refresh_end(struct refresh_table *table, struct text task);
/* Forgets families that were over before then; looks at all. */
void refresh_sweep(struct refresh_table *table, int64_t before_utc_s);

#endif

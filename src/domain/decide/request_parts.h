#ifndef DOMAIN_DECIDE_REQUEST_PARTS_H
#define DOMAIN_DECIDE_REQUEST_PARTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cedar/from_json.h"
#include "cedar/value.h"
#include "domain/decide/evaluation.h"

/* Private to domain/decide: how records, sets and uids of a request are made. */

/* One record, collected where it is to live, in the order of its names, so that
 * nothing has to be sorted or copied.  items has room for all that is put. */
struct attributes {
	struct cedar_member *items;
	size_t count;
};

static inline void attributes_put(
	struct attributes *attributes, struct cedar_text name, struct cedar_value value)
{
	attributes->items[attributes->count++] =
		(struct cedar_member){.name = name, .value = value};
}

/* The names and types are literals. */
#define put(attributes, name, value) attributes_put((attributes), CEDAR_TEXT(name), (value))
#define put_text(attributes, name, value)                                                          \
	put(attributes, name, cedar_value_string(cedar_text_from(value)))
#define put_word(attributes, name, word) put_text(attributes, name, text_of(word))
#define uid_of(type, id) cedar_uid_of(CEDAR_TEXT(type), cedar_text_from(id))

/* False: too deep, or a name twice. */
static inline bool attributes_seal(const struct attributes *attributes, struct cedar_value *out)
{
	struct cedar_error err;

	return cedar_record_seal(out, attributes->items, attributes->count, &err);
}

/* The same where all are literals in order, and none is a set or a record. */
static inline struct cedar_value attributes_flat(const struct attributes *attributes)
{
	return cedar_record_flat(attributes->items, attributes->count);
}

/* The texts are borrowed.  False: no memory. */
bool request_set_of_texts(
	struct arena *arena, const struct text *texts, size_t count, struct cedar_value *out);

#endif

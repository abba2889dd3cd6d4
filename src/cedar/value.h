#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include "cedar/text.h"

/* Values inside the library.  A value is 16 bytes; see remit/cedar.h. */

/* An address and its prefix; an IPv4 address is in the last four bytes. */
struct cedar_ip {
	uint8_t bytes[16];
	uint8_t prefix; /* at most 32 or 128 */
	bool is_v6;
};

/* The arena under the public name. */
struct arena *cedar_arena_inner(struct cedar_arena *arena);

static inline uint64_t cedar_uid_hash(const struct cedar_uid *uid)
{
	if (uid->hash != 0)
		return uid->hash;
	return cedar_pair_hash(uid->type, uid->id);
}
/* cedar_uid_equal. */
static inline bool uid_equal(const struct cedar_uid *a, const struct cedar_uid *b)
{
	return a == b ||
	       (cedar_uid_hash(a) == cedar_uid_hash(b) && cedar_text_equal(a->id, b->id) &&
		       cedar_text_equal(a->type, b->type));
}
/* cedar_value_find of a record, for few members; a binary search for more. */
const struct cedar_value *value_find_sorted(
	const struct cedar_value *record, struct cedar_text name);
enum { LINEAR_MEMBERS_MAX = 8 };
static inline const struct cedar_value *value_find(
	const struct cedar_value *record, struct cedar_text name)
{
	if (record->count > LINEAR_MEMBERS_MAX)
		return value_find_sorted(record, name);
	for (uint32_t i = 0; i < record->count; i++) {
		if (cedar_text_equal(record->members[i].name, name))
			return &record->members[i].value;
	}
	return NULL;
}
/* A copy of the uid and its texts; NULL when the arena is full. */
struct cedar_uid *cedar_uid_copy(struct arena *arena, const struct cedar_uid *uid) MUST_CHECK;
/* The same into *out; false when the arena is full. */
bool cedar_uid_fill(
	struct cedar_uid *out, struct arena *arena, const struct cedar_uid *uid) MUST_CHECK;
/* What a program gives, and what is kept and written again, is what the language can say:
 * names of types, UTF-8, values that have a type.  whose begins the error's text.
 * Errors: INVALID. */
bool cedar_check_uid(
	const struct cedar_uid *uid, const char *whose, struct cedar_error *err) MUST_CHECK;
bool cedar_check_value(
	const struct cedar_value *value, const char *whose, struct cedar_error *err) MUST_CHECK;
/* By type and id as bytes: users see the order of what is sorted so. */
int cedar_uid_compare(const struct cedar_uid *a, const struct cedar_uid *b);
/* Type::"id". */
void cedar_write_uid(struct cedar_writer *writer, const struct cedar_uid *uid);

struct cedar_text cedar_value_text(const struct cedar_value *string);
/* Total over all values; 0 exactly if they are equal. */
int cedar_value_compare(const struct cedar_value *a, const struct cedar_value *b);
void cedar_write_value(struct cedar_writer *writer, const struct cedar_value *value);
/* A copy that lives in arena alone.  Errors: LIMIT. */
bool cedar_value_copy(struct cedar_value *out, struct arena *arena, const struct cedar_value *value,
	struct cedar_error *err) MUST_CHECK;

/* Sorts count items in place and drops equal ones; *out borrows items.
 * Errors: LIMIT (too deep). */
bool cedar_set_seal(struct cedar_value *out, struct cedar_value *items, size_t count,
	struct cedar_error *err) MUST_CHECK;
/* Sorts count members in place; *out borrows members.
 * Errors: INVALID (a name twice), LIMIT (too deep). */
bool cedar_record_seal(struct cedar_value *out, struct cedar_member *members, size_t count,
	struct cedar_error *err) MUST_CHECK;
/* The same of members that hold no set and no record and stand in the order of their names
 * already, as literals in the code do (tests look): nothing is left to check. */
static inline struct cedar_value cedar_record_flat(const struct cedar_member *members, size_t count)
{
	return (struct cedar_value){
		.type = CEDAR_RECORD, .depth = 1, .count = (uint32_t)count, .members = members};
}
bool cedar_set_contains(const struct cedar_value *set, const struct cedar_value *item);
bool cedar_set_contains_all(const struct cedar_value *set, const struct cedar_value *wanted);
bool cedar_set_contains_any(const struct cedar_value *set, const struct cedar_value *wanted);

#endif

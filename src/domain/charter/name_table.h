#ifndef DOMAIN_CHARTER_NAME_TABLE_H
#define DOMAIN_CHARTER_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Values by name, in order of name.  Find, put, remove and the next name after
 * one each cost O(log n), and nothing else moves, however many there are. */

struct name_table;

/* NULL if the system has no memory. */
struct name_table *name_table_create(void) MUST_CHECK;
/* destroy_value, if not NULL, is called for each value. */
void name_table_destroy(struct name_table **table, void (*destroy_value)(void *value));

void *name_table_find(const struct name_table *table, struct text name);
/* The value of the first name after `after` in byte order; NULL at the end.  An
 * empty name comes before all others. */
void *name_table_next(const struct name_table *table, struct text after);
size_t name_table_count(const struct name_table *table);

/* name is copied; it must not be there yet (asserted), nor be empty.  False
 * without memory; nothing changed then. */
bool name_table_put(struct name_table *table, struct text name, void *value) MUST_CHECK;
/* The same, and gives the copy of the name, good while it is in the table; .data is NULL
 * without memory. */
struct text name_table_put_named(
	struct name_table *table, struct text name, void *value) MUST_CHECK;
/* Takes the name out and returns its value; NULL if it was not there. */
void *name_table_remove(struct name_table *table, struct text name);

#endif

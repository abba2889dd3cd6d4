#ifndef DOMAIN_CHARTER_NAME_SET_H
#define DOMAIN_CHARTER_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/text.h"

/* Things in the order of their names, which they know themselves: some ten bytes each, where
 * a name_table takes a hundred.  An item's name does not change while it is in. */

struct name_set;

/* name_of tells an item's name.  NULL without memory. */
struct name_set *name_set_create(struct text (*name_of)(const void *item)) MUST_CHECK;
/* destroy_item, if not NULL, is called for each item. */
void name_set_destroy(struct name_set **set, void (*destroy_item)(void *item));

void *name_set_find(const struct name_set *set, struct text name);
/* The first after the name, which need not be in; NULL: there is none. */
void *name_set_next(const struct name_set *set, struct text after);
size_t name_set_count(const struct name_set *set);
/* False without memory.  No item of its name may be in. */
bool name_set_put(struct name_set *set, void *item) MUST_CHECK;
/* The item that was taken out, or NULL. */
void *name_set_remove(struct name_set *set, struct text name);

#endif

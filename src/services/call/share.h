#ifndef SERVICES_CALL_SHARE_H
#define SERVICES_CALL_SHARE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Private to services/call: how much of something each name holds, so that none
 * takes it all from the others.  To take and to give back cost the same however
 * many hold something; a name that holds nothing costs nothing. */
struct share_table;
/* One name's holding. */
struct share;

/* slots: about how many names hold something at once.  Errors: LIMIT. */
bool share_table_create(struct share_table **out, size_t slots, struct error *err) MUST_CHECK;
void share_table_destroy(struct share_table **table);

/* Takes one for the name, which is copied, and of which nobody may hold more
 * than share_max.  Errors: LIMIT (it holds that many, or no memory). */
bool share_take(struct share **out, struct share_table *table, struct text name, size_t share_max,
	struct error *err) MUST_CHECK;
/* Gives one back; *share becomes NULL, and may be NULL. */
void share_give(struct share_table *table, struct share **share);

/* How many names hold something. */
size_t share_table_count(const struct share_table *table);

#endif

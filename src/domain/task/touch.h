#ifndef DOMAIN_TASK_TOUCH_H
#define DOMAIN_TASK_TOUCH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/text.h"

/* Which identity was ever let use which tool, so that the first time can be asked about
 * (context.first).  What finds no room is not kept, and so is a first time again. */
struct touches;

enum { TOUCHES_MAX = 1000000 };

/* Errors: LIMIT. */
bool touches_create(struct touches **out, struct error *err) MUST_CHECK;
void touches_destroy(struct touches **touches);
/* O(log n), as is touches_add. */
bool touches_has(const struct touches *touches, struct text identity, struct text tool);
/* Once more changes nothing. */
void touches_add(struct touches *touches, struct text identity, struct text tool);
size_t touches_count(const struct touches *touches);

#endif

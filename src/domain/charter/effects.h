#ifndef DOMAIN_CHARTER_EFFECTS_H
#define DOMAIN_CHARTER_EFFECTS_H

#include <stdint.h>

#include "base/json.h"
#include "domain/charter/terms.h"

/* Several effects at once: bits 1 << enum effect. */

/* The member `name`, a list of their words; nothing where there is none. */
void effects_put(struct json_builder *object, const char *name, uint32_t effects);
/* words may be NULL; what is no word of an effect is none. */
uint32_t effects_read(const struct json *words);

#endif

#ifndef DOMAIN_CHARTER_PACK_H
#define DOMAIN_CHARTER_PACK_H

#include "base/buffer.h"
#include "base/json.h"
#include "domain/charter/texts.h"

/* Documents of which there are very many, small: each text in them, names of members
 * included, is the number of one that all share.  Lines of the source are not kept. */

/* Appends the value, which holds its texts until pack_drop.  Errors: LIMIT; nothing is held
 * then. */
bool pack_put(struct buffer *out, struct texts *texts, const struct json *value,
	struct error *err) MUST_CHECK;
/* What pack_put wrote, as it was; its texts are the shared ones.  Errors: LIMIT. */
bool pack_get(struct json *out, struct arena *arena, const struct texts *texts, struct text packed,
	struct error *err) MUST_CHECK;
void pack_drop(struct texts *texts, struct text packed);

#endif

#ifndef DOMAIN_CONTROL_CATALOGUE_PRIVATE_H
#define DOMAIN_CONTROL_CATALOGUE_PRIVATE_H

#include "domain/control/catalogue.h"

/* Private to domain/control. */

struct catalogue {
	struct arena *arena;
	struct framework *frameworks;
	uint32_t frameworks_count;
	struct framework_alias *aliases;
	uint32_t aliases_count;
	struct control *controls;
	uint32_t controls_count;
};

/* The framework of exactly this name and version, or NULL. */
const struct framework *catalogue_exact(
	const struct catalogue *catalogue, struct text name, struct text version);
/* Whether the framework has the id, written as it writes it. */
bool framework_find(const struct framework *framework, struct text id, uint32_t *number);

#endif

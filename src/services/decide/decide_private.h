#ifndef SERVICES_DECIDE_DECIDE_PRIVATE_H
#define SERVICES_DECIDE_DECIDE_PRIVATE_H

#include "domain/charter/name_table.h"
#include "services/decide/decide_service.h"

/* Private to services/decide. */

enum { DEFINITIONS_PER_SERVER_MAX = 10000, DEFINITION_ARENA_BYTES = 2 * 1024 * 1024 };

/* The compiled lines of one version of a tool. */
struct reads_entry {
	uint32_t version;
	struct sha256 digest;
	struct tool_reads *reads;
};

/* How often an identity called in one minute. */
struct minute_count {
	int64_t minute; /* since 1970 */
	int64_t count;
};

struct decide_service {
	const struct registry *registry;
	const struct task_table *tasks;
	struct name_table *reads;       /* tool -> struct reads_entry */
	struct name_table *definitions; /* server -> name_table: tool name -> struct sha256 */
	struct name_table *minutes;     /* identity -> struct minute_count */
	struct decide_status status;
};

/* definitions.c */
enum definition_state decide_definition_state(
	const struct decide_service *service, struct text name);
void definitions_destroy(void *value);

#endif

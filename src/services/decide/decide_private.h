#ifndef SERVICES_DECIDE_DECIDE_PRIVATE_H
#define SERVICES_DECIDE_DECIDE_PRIVATE_H

#include "domain/charter/name_table.h"
#include "domain/decide/rate.h"
#include "services/decide/decide_service.h"

/* Private to services/decide. */

enum {
	DEFINITIONS_PER_SERVER_MAX = 10000,
	OUTLOOK_BYTES_MAX = 16 * 1024 * 1024, /* memory of one outlook; also of its condition */
	DEFINITION_ARENA_BYTES = 2 * 1024 * 1024,
};

/* One tool as its server listed it last. */
struct definition {
	struct sha256 digest; /* of none that counts unless has_digest */
	bool has_digest;
	struct text name;      /* points to bytes */
	struct text canonical; /* the pinned members, in bytes too; empty: not kept */
	char bytes[];
};

/* What one server listed last. */
struct definition_list {
	struct name_table *tools; /* name -> struct definition */
	size_t texts_bytes;
};

/* The compiled lines of one version of a tool. */
struct reads_entry {
	uint32_t version;
	struct sha256 digest;
	struct tool_reads *reads;
};

struct decide_service {
	const struct registry *registry;
	const struct task_table *tasks;
	struct name_table *reads;       /* tool -> struct reads_entry */
	struct name_table *definitions; /* server -> struct definition_list */
	struct name_table *rates;       /* identity -> struct rate */
	struct usage_table *usage;      /* of models */
	struct entity_table *entities;
	struct decide_status status;
};

/* decide_service.c */
struct decide_world decide_world_of(struct decide_service *service, const struct call *call,
	enum decide_scope scope, int64_t now_utc_ms);

/* usage.c: what a decision of the call reads; nothing unless it is for a model. */
struct usage_now decide_usage_now(
	const struct decide_service *service, const struct call *call, int64_t now_utc_ms);

/* why.c: the call a question is about.  Errors: INVALID, LIMIT. */
bool decide_question_call(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct call *out, struct error *err) MUST_CHECK;
/* The environment of the server where the charter covers it, else the charter's
 * first. */
enum environment decide_environment_for(
	const struct registry_entry *entry, const struct server *server);

/* definitions.c */
enum definition_state decide_definition_state(
	const struct decide_service *service, struct text name);
/* What is offered for the tool "server/name"; NULL: nothing. */
const struct definition *definition_of(const struct decide_service *service, struct text name);
/* Either may be NULL. */
enum definition_state definition_state_of(
	const struct tool *tool, const struct definition *definition);
/* The digest offered for the tool "server/name"; NULL: not exactly one. */
const struct sha256 *decide_definition_offered(
	const struct decide_service *service, struct text name);
void definition_list_destroy(void *value);

#endif

#ifndef SERVICES_FINDING_FINDING_PRIVATE_H
#define SERVICES_FINDING_FINDING_PRIVATE_H

#include "domain/charter/name_table.h"
#include "services/finding/finding.h"

/* Private to services/finding. */

enum { FINDING_ARENA_BYTES_MAX = 64 * 1024 };

/* One finding; it is on its way until its record is folded. */
struct finding_node {
	struct finding finding;
	struct arena *arena; /* owns its texts */
	struct json details;
	struct text key; /* kind and subject */
	bool is_open;    /* folded */
	bool is_closing; /* a finding-closed record is on its way */
};

struct finding_service {
	const struct registry *registry;
	struct fold *fold;
	struct name_table *by_id;  /* those that are open */
	struct name_table *by_key; /* those on their way too; owns them */
	struct finding_figures figures;
};

/* "kind subject", in arena; .data is NULL without memory. */
struct text finding_key(struct arena *arena, enum finding_kind kind, struct text subject);

/* A node without members, with an arena.  Errors: LIMIT. */
bool finding_node_create(struct finding_node **out, struct error *err) MUST_CHECK;
void finding_node_destroy(void *value);

struct finding_node *finding_node_find(const struct finding_service *service, struct text id);

/* unguarded.c: looks at each change of the registry.  After the registrar's handlers. */
bool finding_watch_registry(struct finding_service *service, struct error *err) MUST_CHECK;

/* finding_fold.c */
bool finding_register(struct finding_service *service, struct error *err) MUST_CHECK;

#endif

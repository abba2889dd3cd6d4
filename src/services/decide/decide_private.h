#ifndef SERVICES_DECIDE_DECIDE_PRIVATE_H
#define SERVICES_DECIDE_DECIDE_PRIVATE_H

#include "base/json_schema.h"
#include "domain/charter/name_table.h"
#include "domain/decide/rate.h"
#include "services/decide/decide_service.h"

/* Private to services/decide. */

enum {
	DEFINITIONS_PER_SERVER_MAX = 10000,
	OUTLOOK_BYTES_MAX = 16 * 1024 * 1024, /* memory of one outlook; also of its condition */
	/* A page of outlooks ends once it has used up one of these: */
	OUTLOOK_PAGE_BYTES_MAX = 1024 * 1024,          /* of the answer */
	OUTLOOK_PAGE_WORK_BYTES_MAX = 8 * 1024 * 1024, /* that looking took, in sum */
	DEFINITION_ARENA_BYTES = 2 * 1024 * 1024,
	DEFINITION_STRANGERS_MAX = 256, /* not registered, and looked at in one list */
	DEFINITION_RENAMES_MAX = 4096,  /* comparisons for one list; past it, renamed */
};

/* One tool as its server listed it last. */
struct definition {
	struct sha256 digest; /* of none that counts unless has_digest */
	bool has_digest;
	bool is_twice;         /* in the list */
	struct text name;      /* points to bytes */
	struct text canonical; /* the pinned members, in bytes too; empty: not kept */
	/* What is made of it when it is first asked for (schemas.c). */
	enum schemas_state { SCHEMAS_UNREAD = 0, SCHEMAS_READ, SCHEMAS_REFUSED } schemas;
	struct json_schema *input; /* NULL: it has none */
	struct json_schema *output;
	/* What it was judged to be without a pin, in a generation of the registry (honest.c). */
	enum definition_state judged; /* UNSEEN: not yet */
	uint64_t judged_generation;
	struct text resembles; /* "server/name", of that generation; or empty */
	char bytes[];
};

/* What one server listed last. */
struct definition_list {
	struct name_table *tools; /* name -> struct definition */
	size_t texts_bytes;
	uint32_t renames_tried; /* DEFINITION_RENAMES_MAX, in this generation of the registry: */
	uint64_t renames_generation;
};

struct protected_name;

/* The compiled lines of one version of a tool. */
struct reads_entry {
	uint32_t version;
	struct sha256 digest;
	struct tool_reads *reads;
};

struct decide_service {
	const struct registry *registry;
	struct owner_gone_after owner_gone;
	const struct task_table *tasks;
	struct name_table *reads;       /* tool -> struct reads_entry */
	struct name_table *definitions; /* server -> struct definition_list */
	struct name_table *rates;       /* identity -> struct rate */
	struct usage_table *usage;      /* of models */
	struct line_uses *held;         /* lines with `uses`, of calls whose record is under way */
	struct entity_table *entities;
	struct finding_service *findings; /* NULL: nobody is told */
	struct protected_name *protected; /* the pinned tools' names (honest.c) */
	size_t protected_count;
	uint64_t protected_generation; /* 0: not made yet */
	struct decide_secrets secrets;
	struct flow_traces *traces;
	size_t sweep_at; /* traces kept when they are swept next */
	struct decide_status status;
	struct decide_times times;
};

/* decide_service.c */
struct decide_world decide_world_of(struct decide_service *service, const struct call *call,
	enum decide_scope scope, int64_t now_utc_ms);

/* origins.c: in a fresh service.  Errors: LIMIT. */
bool decide_traces_open(struct decide_service *service, struct error *err) MUST_CHECK;

/* usage.c: what a decision of the call reads; nothing unless it is for a model. */
struct usage_now decide_usage_now(
	const struct decide_service *service, const struct call *call, int64_t now_utc_ms);

/* uses.c: the lines with `uses` that were used before, of those that the call may go by, into
 * world.  False: no memory. */
bool decide_uses_read(const struct decide_service *service, const struct decide_request *request,
	struct arena *arena, struct decide_world *world) MUST_CHECK;

/* why.c: the call a question is about.  Errors: INVALID, LIMIT. */
bool decide_question_call(struct decide_service *service, const struct decide_question *question,
	struct arena *arena, struct call *out, struct error *err) MUST_CHECK;
/* The environment of the server where the charter covers it, else the charter's
 * first. */
enum environment decide_environment_for(
	const struct registry_entry *entry, const struct server *server);

/* definitions.c */
enum definition_state decide_definition_state(struct decide_service *service, struct text name);
/* What is offered for the tool "server/name"; NULL: nothing. */
struct definition *definition_of(const struct decide_service *service, struct text name);
/* What one server listed last; NULL: nothing is known. */
struct definition_list *definition_list_of(
	const struct decide_service *service, struct text server);
/* The canonical text of what a pin covers, of a definition by another name (.data NULL: its
 * own).  Errors: LIMIT. */
bool definition_text(const struct json *definition, struct text name, struct arena *arena,
	struct text *out, struct error *err) MUST_CHECK;
/* The digest offered for the tool "server/name"; NULL: not exactly one. */
const struct sha256 *decide_definition_offered(
	const struct decide_service *service, struct text name);
void definition_list_destroy(void *value);

/* schemas.c: reads the schemas of a definition, once. */
enum schemas_state definition_read_schemas(struct definition *definition);
/* Why its schemas cannot be used; empty if they can, .data in arena. */
struct text definition_problem(struct definition *definition, struct arena *arena);
/* Whether the call's arguments fit the pinned definition of its tool; *fault, in arena, says
 * what does not. */
enum arguments_state decide_arguments(const struct decide_service *service, const struct call *call,
	struct arena *arena, struct text *fault);

/* honest.c: what an offered tool without a pin is; UNPINNED: nothing speaks against it. */
enum definition_state decide_judge(
	struct decide_service *service, struct text server, struct definition *definition);
/* Opens a finding for each tool of the list that is not what it should be. */
void decide_report_list(struct decide_service *service, struct text server);
void protected_names_forget(struct decide_service *service);

/* shadow.c: of a refused call into another unit without an agreed line, a finding. */
void decide_report_shadow(struct decide_service *service, const struct call *call,
	struct arena *arena, const struct decision *decision);

#endif

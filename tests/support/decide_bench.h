#ifndef TESTS_SUPPORT_DECIDE_BENCH_H
#define TESTS_SUPPORT_DECIDE_BENCH_H

#include "domain/decide/decide.h"

/* A small world to decide in: built from documents, changed by documents, with
 * no service around it. */
struct decide_bench {
	struct arena *arena; /* documents, records, calls; lives as long as the bench */
	struct registry *registry;
	struct task_table *tasks;
	struct tool_reads *reads; /* of the tool of the last call */
	struct entity_table *entities;
	uint64_t revision;
	uint64_t next_index;
	int64_t now_utc_ms;
	enum definition_state definition;
	enum arguments_state arguments;
	struct owner_gone_after owner_gone;
	int64_t calls_last_minute;
	struct usage_now usage;      /* of models */
	const struct line_use *uses; /* lines that were used before */
	size_t uses_count;
	struct decision decision; /* the last */
};

enum { DECIDE_BENCH_NOW = 1800000000 };

/* Documents of decide_bench_yaml are in force and task t-1 of `agent` is open in
 * staging. */
void decide_bench_init(struct decide_bench *bench);
void decide_bench_deinit(struct decide_bench *bench);
extern const char decide_bench_yaml[];

/* Puts every document in force, each as the next version of its name.  False if
 * one is refused. */
bool decide_bench_put(struct decide_bench *bench, const char *yaml);
/* Puts the document of that name from decide_bench_yaml, with `before` replaced by
 * `after` (which must be there). */
void decide_bench_edit(
	struct decide_bench *bench, const char *name, const char *before, const char *after);
void decide_bench_set_state(
	struct decide_bench *bench, const char *identity, enum identity_state state);
/* These units, with blanks between, consented to every line of its charter in force, and no
 * others to any. */
void decide_bench_consent(struct decide_bench *bench, const char *identity, const char *units);
/* The unit consented to these lines of it alone, "e0-2,d1" (domain/charter/consents.h), beside what
 * others did; and to those of another version. */
void decide_bench_agree(
	struct decide_bench *bench, const char *identity, const char *unit, const char *lines);
void decide_bench_agree_to(struct decide_bench *bench, const char *identity, const char *unit,
	uint32_t version, const char *lines);
/* What they would say, as it is written (domain/charter/consents.h), in the bench's arena; and
 * what is written so. */
struct text decide_bench_agreed(
	struct decide_bench *bench, const struct registry_entry *entry, const char *units);
void decide_bench_set_consents(
	struct decide_bench *bench, const char *identity, struct text consents);
/* Sets the class of what is in force, past the check of the registry: the rule is
 * to hold when deciding, too. */
void decide_bench_set_class(
	struct decide_bench *bench, const char *identity, enum use_class use_class);
void decide_bench_open_task(struct decide_bench *bench, const char *id, const char *identity,
	enum environment environment, const char *parent);
/* A task of the agent in staging that is for the person. */
void decide_bench_open_task_of(struct decide_bench *bench, const char *id, const char *person);
/* A task of the agent in staging, for the calls that the details list (NULL: for all). */
void decide_bench_open_task_for(
	struct decide_bench *bench, const char *id, const char *parent, const struct json *details);
/* Folds a record written as JSON. */
void decide_bench_fold(struct decide_bench *bench, const char *record);

/* A call of t-1's identity; arguments as JSON. */
struct call decide_bench_call(
	struct decide_bench *bench, const char *server, const char *tool, const char *arguments);
struct call decide_bench_method(
	struct decide_bench *bench, const char *server, const char *method, const char *params);
/* A request to a model of a provider, by the agent; body as JSON. */
struct call decide_bench_generation(
	struct decide_bench *bench, const char *provider, const char *method, const char *body);
/* Decides with these names (NULL-terminated; NULL: none), by the entities that are kept
 * and by none, which must come to the same. */
const struct decision *decide_bench_decide(struct decide_bench *bench, const struct call *call,
	enum decide_search search, const char *const *names);
/* Decides tools/call of server/tool, searching, without approvals. */
const struct decision *decide_bench_ask(
	struct decide_bench *bench, const char *server, const char *tool, const char *arguments);

#endif

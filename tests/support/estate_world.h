#ifndef TESTS_SUPPORT_ESTATE_WORLD_H
#define TESTS_SUPPORT_ESTATE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "domain/charter/name_table.h"
#include "domain/charter/registry.h"
#include "domain/control/check.h"
#include "domain/graph/excess.h"
#include "domain/graph/graph.h"

/* A sample estate (docs/estate.md) loaded with the code that a daemon loads it with: registry,
 * graph, checks.  What cannot be loaded ends the program with a line that says why. */

struct estate_file {
	struct text name; /* "charters/1-units/units.yaml" */
	struct text bytes;
};

struct estate_files {
	struct arena *arena;
	struct estate_file *items;
	size_t count;
};

/* Of an order, in memory, or of a folder. */
void estate_files_make(struct estate_files *out, uint32_t people, uint32_t identities,
	uint64_t seed, int64_t at_utc_s);
void estate_files_read(struct estate_files *out, const char *folder);
void estate_files_drop(struct estate_files *files);

struct estate_world {
	struct arena *arena;   /* of subjects */
	struct arena *scratch; /* of one document or item */
	struct registry *registry;
	struct graph *graph;
	struct key_holders *holders;
	struct name_table *looks; /* struct identity_facts by identity, of looks.csv */
	struct graph_search *search;
	struct graph_excess *excess;
	struct json answers; /* the file */
	int64_t at_utc_s;
	uint64_t revision;
};

void estate_world_load(struct estate_world *out, const struct estate_files *files);
void estate_world_drop(struct estate_world *world);

/* Evaluates every check about every subject.  visit gets each violation. */
void estate_world_check(struct estate_world *world,
	void (*visit)(void *context, enum control_check check, struct text subject), void *context);

/* How well one check found what the answers name. */
struct estate_score {
	size_t right;
	size_t wrong;  /* found, and not an answer */
	size_t missed; /* an answer, and not found */
	struct text first_wrong;
	struct text first_missed;
};

/* By check.  near: how many near misses there are, and how many were taken for violations. */
struct estate_near {
	size_t count;
	size_t taken;
};
void estate_world_score(
	struct estate_world *world, struct estate_score out[CHECK_COUNT], struct estate_near *near);

#endif

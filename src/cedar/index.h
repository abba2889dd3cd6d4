#ifndef CEDAR_INDEX_H
#define CEDAR_INDEX_H

#include "cedar/program.h"

/* Finds the policies that a request can satisfy or make fail, without looking at
 * the others.  What it finds is too much rather than too little: scopes and
 * conditions are still evaluated as the language says. */

/* What a conjunct at the start of a condition asks of a path. */
enum probe_kind {
	PROBE_NONE = 0,
	PROBE_EQUAL,  /* path == value */
	PROBE_HAS,    /* path has text */
	PROBE_PREFIX, /* path like "text..." */
};

struct probe {
	enum probe_kind kind;
	uint32_t path; /* in the program's paths */
	struct cedar_value value;
	struct cedar_text text;
};

/* Policies whose conditions ask the same question for different answers, after
 * the same first question or none (guard PROBE_NONE). */
struct index_group {
	struct probe guard;
	enum probe_kind kind;
	uint32_t path;
	uint32_t length; /* PROBE_PREFIX: bytes of the prefix that are looked at */
	uint64_t hash;   /* of all above */
	uint32_t first;  /* all of its policies, in members */
	uint32_t count;
};

struct index_bucket {
	uint32_t first; /* in members */
	uint32_t count;
};

struct index {
	const uint32_t *members; /* policies, ascending within a bucket */
	const struct index_bucket *buckets;
	struct table table; /* hash of a key to buckets; the caller confirms nothing */
	const struct index_group *groups;
	uint32_t group_count;
	struct index_bucket rest;  /* policies that only their scope may rule out */
	uint8_t asks[SCOPE_PARTS]; /* what keys ask of each variable: enum index_ask */
};

enum index_ask { INDEX_ASKS_EQUAL = 1, INDEX_ASKS_IN = 2, INDEX_ASKS_TYPE = 4 };

/* Builds it over the policies of a set; it lives in the set's arena.
 * Errors: LIMIT. */
bool index_build(
	struct index *out, struct cedar_policy_set *set, struct cedar_error *err) MUST_CHECK;

/* Calls visit with lists of policies until it returns false; false then.  A
 * policy may be in more than one list. */
typedef bool index_visit_fn(void *closure, const uint32_t *policies, uint32_t count);
bool index_walk(const struct index *index, const struct program *program,
	struct evaluation *evaluation, index_visit_fn *visit, void *closure);

/* The same where members of the context are unknown: finds all policies of a group that asks for
 * one of them. */
bool index_walk_partial(const struct index *index, const struct program *program,
	struct evaluation *evaluation, const struct cedar_partial *partial, index_visit_fn *visit,
	void *closure);

#endif

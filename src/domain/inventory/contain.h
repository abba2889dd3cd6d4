#ifndef DOMAIN_INVENTORY_CONTAIN_H
#define DOMAIN_INVENTORY_CONTAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/graph/graph.h"
#include "domain/inventory/scope.h"

/* How an account is stopped at its provider, and whether it was.  Pure. */

/* X(value, word, what it means). */
/* clang-format off */
#define CONTAINMENT_STATES(X) \
	X(CONTAINMENT_INTENDED, "intended", "no inventory that was taken since says how it is") \
	X(CONTAINMENT_LIVE, "live", "an inventory that was taken since has it as before") \
	X(CONTAINMENT_CONTAINED, "contained", \
	  "its provider was asked again, or an inventory taken since has it: it is off") \
	X(CONTAINMENT_GONE, "gone", "one that was taken since has it no more") \
	X(CONTAINMENT_UNREACHABLE, "unreachable", "the connector was not heard of for a day")
/* clang-format on */

enum containment_state {
	CONTAINMENT_NONE = 0,
#define X(name, word, meaning) name,
	CONTAINMENT_STATES(X)
#undef X
		CONTAINMENT_STATE_COUNT
};
const char *containment_state_word(enum containment_state value);
const char *containment_state_meaning(enum containment_state value);

enum { CONTAINMENT_SILENT_S = 24 * 3600 };

/* What a connector that may contain found there.  X(value, word, what it means). */
/* clang-format off */
#define CONTAINMENT_ANSWERS(X) \
	X(CONTAINMENT_ANSWER_CALLED, "called", \
	  "its provider is being called, and was not asked again yet") \
	X(CONTAINMENT_ANSWER_OFF, "off", "its provider was asked again: the account is off") \
	X(CONTAINMENT_ANSWER_ON, "on", "its provider was asked again: the account acts") \
	X(CONTAINMENT_ANSWER_UNKNOWN, "unknown", "its provider could not be asked again")
/* clang-format on */
enum containment_answer {
	CONTAINMENT_ANSWER_NONE = 0, /* nobody called */
#define X(name, word, meaning) name,
	CONTAINMENT_ANSWERS(X)
#undef X
		CONTAINMENT_ANSWER_COUNT
};
/* NULL for NONE. */
const char *containment_answer_word(enum containment_answer value);
const char *containment_answer_meaning(enum containment_answer value);
enum containment_answer containment_answer_of(struct text word);

/* What is known when one asks how it stands. */
struct containment_times {
	int64_t intended_utc_s;
	int64_t taken_utc_s; /* of the inventory in force; 0: there is none */
	int64_t now_utc_s;
	enum containment_answer answer; /* of its provider, */
	int64_t answered_utc_s;         /* then; 0: none came */
};
/* Seen at the provider, not believed: only an inventory that was taken after the intention says
 * that it is over. */
enum containment_state containment_state_of(
	const struct graph *graph, struct text account, const struct containment_times *times);

/* What a person, or a connector that may, does there: [{call, does, undo?, limit}], those that
 * can be taken back first.  account is CONNECTOR/ID.  One that this provider cannot stop: an
 * empty list.  Errors: LIMIT. */
bool containment_calls(struct json *out, struct arena *arena, enum inventory_provider provider,
	struct text account, struct error *err) MUST_CHECK;

#endif

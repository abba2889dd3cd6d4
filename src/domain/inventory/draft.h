#ifndef DOMAIN_INVENTORY_DRAFT_H
#define DOMAIN_INVENTORY_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/graph/graph.h"

/* What acts at a provider and is no identity's, and who might answer for it.  Read from the
 * graph; pure.  Nothing here makes anybody an owner: a suggestion says where it comes from, and
 * a person decides. */

/* X(value, word, what it means). */
/* clang-format off */
#define SUGGESTION_GROUNDS(X) \
	X(SUGGESTION_OWNER, "owner-at-provider", "the provider names them as its owner") \
	X(SUGGESTION_DEPENDANT, "owns-what-uses-it", "they own an identity that acts through it") \
	X(SUGGESTION_GRANTS, "gave-most-grants", "they gave it more of its grants than anybody") \
	X(SUGGESTION_USED, "used-last", "what they granted was used last") \
	X(SUGGESTION_CREATOR, "created-it", "they created it, which does not make them its owner")
/* clang-format on */

/* In the order in which they count. */
enum suggestion_ground {
	SUGGESTION_NONE = 0,
#define X(name, word, meaning) name,
	SUGGESTION_GROUNDS(X)
#undef X
		SUGGESTION_COUNT
};
const char *suggestion_ground_word(enum suggestion_ground value);
const char *suggestion_ground_meaning(enum suggestion_ground value);

enum {
	DRAFT_SUGGESTIONS_MAX = 8,
	DRAFT_REACHES_MAX = 20,
	DRAFT_EDGES_MAX = 4096, /* looked at of one account and kind; the rest is counted out */
	DRAFT_DEPENDANTS_MAX = 100,
};

struct suggestion {
	struct text person; /* borrows from the graph */
	enum suggestion_ground ground;
	uint32_t count;  /* of GRANTS: theirs */
	uint32_t of;     /* all */
	graph_time at_s; /* of USED and CREATOR */
	bool has_left;
};
struct suggestions {
	struct suggestion items[DRAFT_SUGGESTIONS_MAX];
	size_t count;
};
/* Whoever is still here comes first, then in order of ground. */
void inventory_suggest(
	const struct graph *graph, const struct graph_node *account, struct suggestions *out);

/* True: it acts, some connector has it, no identity says that it is it, and it is no connection
 * that another account of its connector acts through. */
bool inventory_is_unknown(const struct graph *graph, const struct graph_node *account);

/* {account, title, kind, publisher?, is, created?, used?, reaches: [{resource, effects, scope,
 * used?}], suggestions: [{person, ground, because, count?, of?, at?, left?}], unit?: of most of
 * those}.  Errors: LIMIT. */
bool inventory_draft_json(struct json *out, struct arena *arena, const struct graph *graph,
	const struct graph_node *account, struct error *err) MUST_CHECK;

/* Who acts through the account, at any distance: identities and accounts, as names "identity/X",
 * "account/CONNECTOR/ID", a JSON array of at most DRAFT_DEPENDANTS_MAX.  Errors: LIMIT. */
bool inventory_dependants(struct json *out, struct arena *arena, const struct graph *graph,
	graph_id account, struct error *err) MUST_CHECK;

#endif

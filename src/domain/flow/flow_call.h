#ifndef DOMAIN_FLOW_FLOW_CALL_H
#define DOMAIN_FLOW_FLOW_CALL_H

#include "domain/call/call.h"
#include "domain/flow/flow_trace.h"

/* Where the values of one call came from: an input of its decision, on its record. */

/* Values of one call that are looked up; with more, what was not is unknown. */
enum { FLOW_LOOKUPS_MAX = 256 };

/* One target that the call has; of a list, its worst item. */
struct flow_target {
	struct text argument;
	struct flow_found found;
};

/* Zero: everything is unknown. */
struct flow_origins {
	enum flow_origin form[TARGET_OBJECT + 1]; /* by enum target_form; [TARGET_NONE] is unused */
	enum flow_origin worst;                   /* of all targets */
	enum flow_origin addresses; /* worst address-like token of a call that is no read */
	struct flow_target targets[TOOL_TARGETS_MAX + 1]; /* the last may be of addresses */
	uint32_t targets_count;
};

/* Fills *out.  tool: of the call; NULL: it has no targets.  Texts are the call's. */
void flow_origins_of(const struct flow_asker *asker, const struct call *call,
	const struct tool *tool, struct flow_origins *out);
/* As if every value came from there: of a question that somebody asks. */
void flow_origins_assume(const struct call *call, const struct tool *tool, enum flow_origin origin,
	struct flow_origins *out);
/* As they are, but as if these of the targets (bit i: targets[i]) came from there.  tool: of the
 * call. */
void flow_origins_change(struct flow_origins *origins, const struct tool *tool, uint32_t which,
	enum flow_origin origin);

/* {account, addresses, object, path, recipient, url}, each left out if it is
 * `none`, and `from`: [{argument, origin, record}] of what is not.  No values.
 * Errors: LIMIT. */
bool flow_origins_json(struct json *out, struct arena *arena, const struct flow_origins *origins,
	struct error *err) MUST_CHECK;
/* The same read again; NULL (a record of before): all unknown. */
void flow_origins_read(struct flow_origins *out, const struct json *recorded);

/* Where the target came from that no person, charter or trusted result endorses, as a
 * sentence that holds no value; empty if there is none, or no memory. */
struct text flow_origins_sentence(const struct flow_origins *origins, struct arena *arena);

#endif

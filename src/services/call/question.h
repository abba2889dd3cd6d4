#ifndef SERVICES_CALL_QUESTION_H
#define SERVICES_CALL_QUESTION_H

#include "services/approve/break_glass.h"
#include "services/call/call_service.h"

/* Private to services/call: a question to people about one call, whoever asks it: the call
 * itself (exchange.c), or a person who would accept other arguments (edit.c). */

enum { CALL_UNITS_MAX = 8 };

struct call_question {
	const struct call_ports *ports;
	struct arena *arena;
	const struct call *call;
	const struct decision *decision;
	struct text reason;                 /* the agent's own words, not checked; may be empty */
	const struct approval *edits;       /* the question that a person changed; NULL: none */
	struct text editor;                 /* that person */
	const struct flow_origins *origins; /* of an edit: of its values */
};

/* The digest approvals are found by: of the call and all it is bound to, keyed with the
 * task's content key so that the log gives nothing away.  Errors: LIMIT, and those of the
 * values port. */
bool call_question_digest(
	const struct call_question *asked, struct sha256 *out, struct error *err) MUST_CHECK;

/* The break-glass that lets the call go without the answers the decision asks for; NULL:
 * none does. */
const struct break_glass *call_question_break_glass(
	const struct call_question *asked, int64_t now_utc_ms);

/* Fills change with the approval-asked record and what is sealed beside it; the new id lives
 * in the arena.  Errors: as above, and those of approve_asked_record. */
bool call_question_record(const struct call_question *asked, const struct sha256 *call_digest,
	struct fold_change *change, struct text *out_id, struct error *err) MUST_CHECK;

/* What a decision is told of a call's values, as when it is made: where they came from, and
 * the secrets in them. */
void call_look_at_values(
	const struct call_ports *ports, struct call *call, struct flow_origins *origins);

/* Of a card that was sealed: the arguments, and what is put around them. */
extern const struct json_limits call_card_limits;

/* "NAME@VERSION" in force; empty: none is. */
struct text call_charter_name(
	const struct call_ports *ports, struct text identity, struct arena *arena);

/* At most so many bytes, not in the middle of a letter. */
struct text call_shortened(struct text value, size_t length_max);

#endif

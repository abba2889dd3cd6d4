#ifndef DOMAIN_DECIDE_RECORDED_H
#define DOMAIN_DECIDE_RECORDED_H

#include <stdint.h>

#include "base/json.h"
#include "domain/decide/decide.h"
#include "domain/decide/decision.h"

/* A decision on record and what it was made from (docs/formats/call-records.md), but for
 * the arguments, which lie sealed beside it. */
struct recorded_decision {
	const struct json *record; /* borrowed */
	uint64_t index;            /* of the record; the caller's to set */
	struct call call;          /* without arguments */
	struct text names[DECISION_APPROVALS_MAX];
	struct approval_names approvals; /* that were given; points to names */
	enum decide_search mode;
	enum verdict verdict; /* what the rules came to: a person's no was an ask */
	enum definition_state definition;
	enum arguments_state arguments;
	struct flow_origins origins;        /* of the call's values */
	struct task_labels labels;          /* that the task had; from has_labels on */
	bool has_labels;                    /* false: recorded before labels were */
	struct owner_gone_after owner_gone; /* the defaults, where no owner had left */
	int64_t calls;                      /* of the minute before */
	struct usage_now usage;             /* of models, by then */
	/* Of lines with `uses`, by then; from recorded_decision_open on. */
	const struct line_use *uses;
	size_t uses_count;
	int64_t now_utc_ms;
};

/* Makes what lay sealed beside it, and lives in arena, the call's: its arguments, or the
 * body of a request to a model.  Reads the lines into arena, too.  Errors: INVALID, LIMIT. */
bool recorded_decision_open(struct recorded_decision *recorded, const struct json *content,
	struct arena *arena, struct error *err) MUST_CHECK;

/* record is a `decision`; what it lacks is read as empty.  Texts point into it.  *out must
 * not move: it points into itself. */
void recorded_decision_read(struct recorded_decision *out, const struct json *record);

/* DENY for what is no verdict. */
enum verdict verdict_of_word(struct text word);

#endif

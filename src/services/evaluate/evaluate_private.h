#ifndef SERVICES_EVALUATE_EVALUATE_PRIVATE_H
#define SERVICES_EVALUATE_EVALUATE_PRIVATE_H

#include "services/evaluate/evaluate.h"

/* Private to services/evaluate. */

struct evaluate_entry; /* a record on its way */

struct evaluate {
	struct evaluate_parts parts;
	struct arena *scratch; /* of one question, or one record; empty between */
	struct buffer text;    /* of one record, and of what is measured or digested */
	struct evaluate_entry *entries;
	struct evaluate_entry *spare;
	uint32_t entries_count;
	uint32_t spare_count;
};

/* One question on its way. */
struct evaluate_asking {
	const struct evaluate_asker *asker;
	const struct application_question *question;
	enum decide_search search; /* of approvals: only where ASK is told from DENY */
};
/* As evaluate_decide. */
bool evaluate_ask(struct evaluate *evaluate, const struct evaluate_asking *asking,
	struct arena *arena, struct evaluate_answer *out, struct error *err) MUST_CHECK;

/* Whether remit's own point may be asked this, whatever the answer.  Errors: INVALID, as
 * evaluate_decide. */
bool evaluate_check_own(const struct evaluate_asker *asker,
	const struct application_question *question, struct error *err) MUST_CHECK;

/* Frees what is on its way, calling nobody. */
void evaluate_drop_records(struct evaluate *evaluate);

#endif

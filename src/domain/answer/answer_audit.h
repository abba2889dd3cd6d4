#ifndef DOMAIN_ANSWER_ANSWER_AUDIT_H
#define DOMAIN_ANSWER_ANSWER_AUDIT_H

#include "domain/answer/answer_proof.h"

/* Whether the approvals of a log hold, from the log alone: that a key of the person, enrolled
 * at that time, signed each answer for exactly the call that was asked about; and that
 * each call that an approval let go was asked about, answered with enough of such a yes, with
 * no no, and the only one that used it; that a break-glass which let one go was opened with
 * the signatures of its people, and open.  Who may stand for a name is the registry's to say, and
 * is taken as the record says it. */
struct answer_audit;

enum { ANSWER_AUDIT_FINDINGS_MAX = 50, ANSWER_AUDIT_ENTRY_BYTES_MAX = 8 * 1024 * 1024 };

/* What is wrong with the use of an approval.  NONE is zero, and refuses nothing: it is no
 * verdict. */
enum answer_misuse {
	ANSWER_USE_NONE = 0,
	ANSWER_USE_UNKNOWN,   /* the approval was never asked for */
	ANSWER_USE_REFUSED,   /* somebody said no */
	ANSWER_USE_UNCOVERED, /* a name that was asked for has no proven yes */
	ANSWER_USE_AGAIN,     /* another call used it before */
	ANSWER_USE_OTHER,     /* it is of another identity, task or tool, or of other arguments */
	ANSWER_USE_GLASS,     /* by a break-glass that was not open for it */
};
const char *answer_misuse_meaning(enum answer_misuse misuse);

/* One record that does not hold; fault is PROVEN where misuse says it. */
struct answer_finding {
	uint64_t index;
	enum answer_fault fault;
	enum answer_misuse misuse;
	struct text approval; /* owned by the audit */
	struct text person;   /* of an answer */
};

struct answer_figures {
	uint64_t answers;
	uint64_t proven;
	uint64_t unsigned_answers; /* as versions before 0.2 wrote them */
	uint64_t uses;             /* decisions that an approval let go */
	uint64_t backed;           /* of them, those that hold */
	uint64_t broken;           /* decisions that a break-glass let go */
	uint64_t findings;         /* what does not hold, unsigned ones not included */
};

/* Errors: LIMIT. */
bool answer_audit_create(struct answer_audit **out, struct error *err) MUST_CHECK;
void answer_audit_destroy(struct answer_audit **audit);

/* The next entry of a log that is checked meanwhile, from its first on.  Errors: LIMIT; an
 * entry that is no record of ours is passed over. */
bool answer_audit_feed(struct answer_audit *audit, uint64_t index, struct text entry,
	struct error *err) MUST_CHECK;

struct answer_figures answer_audit_figures(const struct answer_audit *audit);
/* The first ANSWER_AUDIT_FINDINGS_MAX. */
size_t answer_audit_findings(
	const struct answer_audit *audit, const struct answer_finding **out_items);

#endif

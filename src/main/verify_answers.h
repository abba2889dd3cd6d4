#ifndef MAIN_VERIFY_ANSWERS_H
#define MAIN_VERIFY_ANSWERS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "domain/answer/answer_audit.h"

/* `remit-verify --approvals`: says whether each answer was signed by its person's key for
 * exactly the call, and each call that an approval let go had one. */

/* ALL: every answer is proven and every use is backed.  SOME: nothing is wrong, but answers
 * are not signed, as older versions left them.  WRONG: one does not hold. */
enum verify_answered { VERIFY_ANSWERED_SOME = 0, VERIFY_ANSWERED_ALL, VERIFY_ANSWERED_WRONG };
enum verify_answered verify_answers_result(const struct answer_audit *audit);

/* Lines for people. */
void verify_answers_append(struct buffer *out, const struct answer_audit *audit);
/* One JSON object. */
void verify_answers_append_json(struct buffer *out, const struct answer_audit *audit);

#endif

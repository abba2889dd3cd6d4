/* Laws of the check of approvals over any log, a line an entry, and the same log once more:
 * nothing is backed without a proven yes, and everything that does not hold is a finding. */
#include <assert.h>
#include <string.h>

#include "domain/answer/answer_audit.h"

enum { ENTRIES_MAX = 256 };

static void feed(struct answer_audit *audit, struct text log)
{
	struct error err;

	for (uint64_t index = 0; log.length > 0 && index < ENTRIES_MAX; index++) {
		ptrdiff_t end = text_find_byte(log, '\n');
		size_t length = end < 0 ? log.length : (size_t)end;
		size_t taken = end < 0 ? length : length + 1;

		if (!answer_audit_feed(audit, index, (struct text){log.data, length}, &err))
			assert(err.code == ERROR_LIMIT);
		log.data += taken;
		log.length -= taken;
	}
}

static void check(const struct answer_audit *audit)
{
	struct answer_figures figures = answer_audit_figures(audit);
	const struct answer_finding *findings;
	size_t count = answer_audit_findings(audit, &findings);

	assert(figures.proven + figures.unsigned_answers <= figures.answers);
	assert(figures.backed <= figures.uses && figures.backed <= figures.proven);
	assert(figures.findings >= figures.uses - figures.backed);
	assert(figures.findings >= figures.answers - figures.proven - figures.unsigned_answers);
	assert(count <= ANSWER_AUDIT_FINDINGS_MAX && count <= figures.findings);
	for (size_t i = 0; i < count; i++) {
		assert((findings[i].fault == ANSWER_PROVEN) ==
			(findings[i].misuse != ANSWER_USE_NONE));
		assert(answer_fault_word(findings[i].fault) != NULL);
		assert(answer_misuse_meaning(findings[i].misuse) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct text log = {(const char *)data, size};
	struct answer_audit *audit;
	struct error err;

	if (!answer_audit_create(&audit, &err))
		return 0;
	feed(audit, log);
	check(audit);
	feed(audit, log);
	check(audit);
	answer_audit_destroy(&audit);
	return 0;
}

#include "main/verify_answers.h"

#include <inttypes.h>

static const char *const result_words[] = {
	[VERIFY_ANSWERED_SOME] = "some",
	[VERIFY_ANSWERED_ALL] = "all",
	[VERIFY_ANSWERED_WRONG] = "wrong",
};

enum verify_answered verify_answers_result(const struct answer_audit *audit)
{
	struct answer_figures figures = answer_audit_figures(audit);

	if (figures.findings > 0)
		return VERIFY_ANSWERED_WRONG;
	return figures.unsigned_answers > 0 ? VERIFY_ANSWERED_SOME : VERIFY_ANSWERED_ALL;
}

static const char *meaning_of(const struct answer_finding *finding)
{
	return finding->fault == ANSWER_PROVEN ? answer_misuse_meaning(finding->misuse)
					       : answer_fault_meaning(finding->fault);
}

void verify_answers_append(struct buffer *out, const struct answer_audit *audit)
{
	struct answer_figures figures = answer_audit_figures(audit);
	const struct answer_finding *findings;
	size_t count = answer_audit_findings(audit, &findings);

	if (figures.findings > 0)
		buffer_append_format(
			out, "APPROVALS DO NOT HOLD: %" PRIu64 " findings\n", figures.findings);
	for (size_t i = 0; i < count; i++) {
		buffer_append_format(out, "  record #%" PRIu64 ", ", findings[i].index);
		buffer_append_visible(out, findings[i].approval);
		if (findings[i].person.length > 0)
			buffer_append_string(out, ", ");
		buffer_append_visible(out, findings[i].person);
		buffer_append_format(out, ": %s\n", meaning_of(&findings[i]));
	}
	if (figures.unsigned_answers > 0)
		buffer_append_format(out,
			"NOT PROVEN: %" PRIu64 " of %" PRIu64 " answers are not signed\n",
			figures.unsigned_answers, figures.answers);
	buffer_append_format(out,
		"approvals: %" PRIu64 " of %" PRIu64 " answers proven, %" PRIu64 " of %" PRIu64
		" uses backed\n",
		figures.proven, figures.answers, figures.backed, figures.uses);
	if (figures.broken > 0)
		buffer_append_format(
			out, "break-glass: let %" PRIu64 " calls go\n", figures.broken);
}

void verify_answers_append_json(struct buffer *out, const struct answer_audit *audit)
{
	struct answer_figures figures = answer_audit_figures(audit);
	const struct answer_finding *findings;
	size_t count = answer_audit_findings(audit, &findings);

	buffer_append_format(out,
		"{\"result\":\"%s\",\"answers\":%" PRIu64 ",\"proven\":%" PRIu64
		",\"unsigned\":%" PRIu64 ",\"uses\":%" PRIu64 ",\"backed\":%" PRIu64
		",\"broken\":%" PRIu64 ",\"findings_total\":%" PRIu64 ",\"findings\":[",
		result_words[verify_answers_result(audit)], figures.answers, figures.proven,
		figures.unsigned_answers, figures.uses, figures.backed, figures.broken,
		figures.findings);
	for (size_t i = 0; i < count; i++) {
		buffer_append_format(out,
			"%s{\"record\":%" PRIu64 ",\"approval\":", i == 0 ? "" : ",",
			findings[i].index);
		json_append_string(out, findings[i].approval);
		buffer_append_string(out, ",\"person\":");
		json_append_string(out, findings[i].person);
		buffer_append_string(out, ",\"why\":");
		json_append_string(out, text_of(meaning_of(&findings[i])));
		buffer_append_byte(out, '}');
	}
	buffer_append_string(out, "]}");
}

/* Findings of the policies of a set.  An expression is typed once for each kind of
 * request, so the same finding comes many times: it is known by what was found, and
 * its text is written only once. */
#include <stdlib.h>
#include <string.h>

#include "cedar/validate_inner.h"

enum { FINDINGS_FIRST = 16 };

void findings_begin(struct findings *findings, const struct stored_policy *policy, uint32_t index)
{
	findings->policy = policy;
	findings->policy_index = index;
	findings->is_template = ast_is_template(&policy->ast);
	findings->policy_first = findings->count;
	table_clear(&findings->seen);
}

void findings_deinit(struct findings *findings)
{
	table_deinit(&findings->seen);
	free(findings->reports);
	free(findings->items);
	findings->reports = NULL;
	findings->items = NULL;
}

static int order_findings(const void *a, const void *b)
{
	const struct cedar_finding *left = a, *right = b;

	if (left->range.start != right->range.start)
		return left->range.start < right->range.start ? -1 : 1;
	if (left->code != right->code)
		return left->code < right->code ? -1 : 1;
	return cedar_text_compare(left->text, right->text);
}

void findings_end(struct findings *findings)
{
	if (findings->count > findings->policy_first)
		qsort(findings->items + findings->policy_first,
			findings->count - findings->policy_first, sizeof *findings->items,
			order_findings);
}

static uint64_t hash_report(const struct report *report)
{
	uint64_t hash =
		cedar_text_hash((uint64_t)report->code << 32 | report->expected, report->name);
	const uint64_t parts[] = {report->start, report->end, (uint64_t)(uintptr_t)report->type,
		(uint64_t)(uintptr_t)report->other, (uint64_t)(uintptr_t)report->action};

	return cedar_text_hash(hash, (struct cedar_text){(const char *)parts, sizeof parts});
}

static bool is_same_report(const struct report *a, const struct report *b)
{
	return a->code == b->code && a->start == b->start && a->end == b->end &&
	       a->expected == b->expected && a->given == b->given && a->type == b->type &&
	       a->other == b->other && a->action == b->action && cedar_text_equal(a->name, b->name);
}

static bool is_known(const struct findings *findings, const struct report *report, uint64_t hash)
{
	struct table_cursor cursor = table_start(&findings->seen, hash);
	uint32_t position;

	while (table_next(&findings->seen, &cursor, &position)) {
		if (is_same_report(&findings->reports[position], report))
			return true;
	}
	return false;
}

static bool reserve(struct findings *findings)
{
	uint32_t capacity = findings->capacity == 0 ? FINDINGS_FIRST : findings->capacity * 2;
	struct cedar_finding *items;
	struct report *reports;

	if (!table_reserve(&findings->seen, findings->count - findings->policy_first + 1))
		return false;
	if (findings->count < findings->capacity)
		return true;
	items = realloc(findings->items, capacity * sizeof *items);
	if (items == NULL)
		return false;
	findings->items = items;
	reports = realloc(findings->reports, capacity * sizeof *reports);
	if (reports == NULL)
		return false;
	findings->reports = reports;
	findings->capacity = capacity;
	return true;
}

static struct cedar_range range_of(const struct findings *findings, const struct report *report)
{
	if (report->end == 0)
		return findings->policy->range;
	return stored_policy_range(findings->policy, report->start, report->end);
}

static void list(struct findings *findings, const struct report *report, uint64_t hash)
{
	struct cedar_text source = findings->policy->ast.source;
	struct cedar_finding *finding;

	if (!reserve(findings)) {
		findings->failed = true;
		return;
	}
	finding = &findings->items[findings->count];
	*finding = (struct cedar_finding){.severity = report->severity,
		.code = report->code,
		.is_template = findings->is_template,
		.policy = findings->policy_index,
		.id = findings->policy->id,
		.range = range_of(findings, report),
		.text = report_text(findings->arena, report, source),
		.hint = report_hint(findings->arena, findings->schema, report, source,
			&findings->hint_cells_left)};
	if (finding->text.data == NULL || finding->hint.data == NULL) {
		findings->failed = true;
		return;
	}
	findings->reports[findings->count] = *report;
	table_put(&findings->seen, hash, findings->count);
	findings->count++;
}

void findings_add(struct findings *findings, const struct report *report)
{
	uint64_t hash = hash_report(report);

	if (findings->failed || is_known(findings, report, hash))
		return;
	findings->error_count += report->severity == CEDAR_SEVERITY_ERROR;
	if (findings->count < CEDAR_FINDINGS_MAX)
		list(findings, report, hash);
}

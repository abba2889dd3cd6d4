/* Pages of what violates a control. */
#include "services/posture/posture_private.h"

/* ---- violations ---- */

/* One page: first what is open as findings of the control, then violations of records that wait
 * for theirs, then rows.  An id of the page is "f-..." of a finding, "r-..." and its key of what
 * waits, or "SUBJECT CHECK" of a row. */
struct paging {
	const struct posture *posture;
	const struct posture_page *page;
	const struct control *control;
	struct json_builder *list;
	struct text last; /* id to go on behind; empty: the end was reached */
	uint32_t left;
	struct error *err;
};

static bool is_wanted(const struct paging *paging, enum risk_tier severity, struct text unit)
{
	return (paging->page->severity == RISK_NONE || paging->page->severity == severity) &&
	       (paging->page->unit.length == 0 || text_equal(paging->page->unit, unit));
}

static void put_waiver(
	const struct paging *paging, struct json_builder *object, struct text subject)
{
	const struct waiver *waiver =
		posture_waiver_for(paging->posture, paging->control->id, subject);

	if (waiver == NULL)
		return;
	json_put_text(object, "waiver", waiver->id);
	json_put_integer(object, "waived_until", waiver->until_utc_s);
}

static bool add(struct paging *paging, struct json_builder *object)
{
	struct json item;

	if (!json_object_seal(object, &item, paging->err))
		return false;
	json_add(paging->list, item);
	paging->left--;
	return true;
}

static bool add_violation(struct paging *paging, const struct row *row, int check, struct text id)
{
	struct arena *arena = paging->list->arena;
	struct text unit = posture_unit_of(paging->posture, row->subject);
	struct json_builder object;
	struct text remedy;

	if (!is_wanted(paging, check_severity(check), unit))
		return true;
	remedy = check_remedy(arena, check, row->subject);
	json_object_start(&object, arena);
	json_put_text(&object, "id", id);
	json_put_text(&object, "object", text_copy(arena, row->subject));
	json_put_cstring(&object, "check", check_word(check));
	json_put_cstring(&object, "meaning", check_meaning(check));
	json_put_cstring(&object, "severity", risk_tier_word(check_severity(check)));
	json_put_text_unless_empty(&object, "unit", unit);
	put_waiver(paging, &object, row->subject);
	json_put_text(&object, "command", remedy);
	return add(paging, &object);
}

/* Those of one row, behind the check `behind`. */
static bool add_row(struct paging *paging, const struct row *row, int behind)
{
	check_set checks = row->violated & paging->control->checks;

	for (; checks != 0 && paging->left > 0; checks &= checks - 1) {
		int check = __builtin_ctzll(checks);
		struct text id = text_format(
			paging->list->arena, "%.*s %s", TEXT_ARGS(row->subject), check_word(check));

		if (check <= behind)
			continue;
		paging->last = id;
		if (!add_violation(paging, row, check, id))
			return false;
	}
	return true;
}

/* "SUBJECT CHECK" in two; the check has no blank. */
static struct text split_id(struct text id, enum control_check *check)
{
	size_t at = id.length;

	*check = CHECK_NONE;
	while (at > 0 && id.data[at - 1] != ' ')
		at--;
	if (at == 0)
		return TEXT("");
	*check = check_of(text_after(id, at));
	return (struct text){id.data, at - 1};
}

static bool add_rows(struct paging *paging, struct text after)
{
	enum control_check check;
	struct text subject = split_id(after, &check);
	const struct row *row = posture_row_find(paging->posture, subject);

	if (row != NULL && !add_row(paging, row, (int)check))
		return false;
	row = name_table_next(paging->posture->rows, subject);
	for (uint32_t looked = 0; row != NULL;
		row = name_table_next(paging->posture->rows, subject)) {
		if (paging->left == 0 || looked++ >= POSTURE_ROWS_A_LOOK)
			return true;
		subject = row->subject;
		paging->last = text_format(paging->list->arena, "%.*s %s", TEXT_ARGS(subject),
			check_word(CHECK_COUNT - 1));
		if (!add_row(paging, row, CHECK_NONE))
			return false;
	}
	if (paging->left > 0)
		paging->last = TEXT("");
	return true;
}

static bool add_finding(struct paging *paging, const struct finding *finding)
{
	struct json_builder object;

	if (!posture_finding_is_of(finding, paging->control) ||
		!is_wanted(paging, paging->control->severity, finding->unit))
		return true;
	json_object_start(&object, paging->list->arena);
	json_put_text(&object, "id", finding->id);
	json_put_text(&object, "object", finding->subject);
	json_put_text(&object, "finding", finding->id);
	json_put_text(&object, "meaning", finding->what);
	json_put_cstring(&object, "severity", risk_tier_word(paging->control->severity));
	json_put_text_unless_empty(&object, "unit", finding->unit);
	put_waiver(paging, &object, finding->subject);
	json_put_text(&object, "command",
		text_format(
			paging->list->arena, "remit findings show %.*s", TEXT_ARGS(finding->id)));
	return add(paging, &object);
}

/* False: the page is full, or has failed. */
static bool add_findings(struct paging *paging, struct text after)
{
	const struct finding behind = {.id = after};
	const struct finding_service *findings = paging->posture->parts.findings;
	const struct finding *finding = finding_next(findings, after.length == 0 ? NULL : &behind);

	for (; finding != NULL; finding = finding_next(findings, finding)) {
		if (paging->left == 0)
			return false;
		paging->last = finding->id;
		if (!add_finding(paging, finding))
			return false;
	}
	return true;
}

/* ---- violations of records that wait ---- */

static bool add_found(struct paging *paging, const struct found *found)
{
	struct arena *arena = paging->list->arena;
	struct json_builder object;

	if (!is_wanted(paging, paging->control->severity, TEXT("")))
		return true;
	json_object_start(&object, arena);
	json_put_text(&object, "id", paging->last);
	json_put_text(&object, "object",
		text_format(arena, "%s/%llu", record_check_word(found->check),
			(unsigned long long)found->index));
	json_put_cstring(&object, "check", record_check_word(found->check));
	json_put_cstring(&object, "meaning", record_check_meaning(found->check));
	json_put_cstring(&object, "severity", risk_tier_word(paging->control->severity));
	json_put_text_unless_empty(&object, "identity", found->identity);
	json_put_boolean(&object, "waits", true);
	json_put_text(&object, "command",
		text_format(arena, "remit trace %llu", (unsigned long long)found->index));
	return add(paging, &object);
}

/* False: the page is full, or has failed. */
static bool add_waiting(struct paging *paging, struct text after)
{
	const struct posture *posture = paging->posture;
	const struct found *found = name_table_next(posture->found, after);

	for (uint32_t looked = 0; found != NULL;
		found = name_table_next(posture->found, found->key)) {
		if (paging->left == 0 || looked++ >= POSTURE_ROWS_A_LOOK)
			return false;
		paging->last = text_format(paging->list->arena, "r-%.*s", TEXT_ARGS(found->key));
		if ((paging->control->records & (UINT32_C(1) << found->check)) != 0 &&
			!add_found(paging, found))
			return false;
	}
	return true;
}

bool posture_put_rows(const struct posture *posture, const struct posture_page *page,
	struct json_builder *view, struct error *err)
{
	bool is_waiting = text_starts_with(page->after, "r-");
	bool is_in_rows =
		page->after.length > 0 && !is_waiting && !text_starts_with(page->after, "f-");
	struct json_builder list;
	struct error failure = {0};
	struct paging paging = {.posture = posture,
		.page = page,
		.control = catalogue_control(posture->catalogue, page->control),
		.list = &list,
		.left = page->count,
		.err = &failure};
	struct json sealed;

	json_array_start(&list, view->arena);
	if ((is_in_rows || is_waiting || add_findings(&paging, page->after)) &&
		(is_in_rows ||
			add_waiting(&paging, is_waiting ? text_after(page->after, 2) : TEXT(""))) &&
		failure.code == ERROR_NONE)
		(void)add_rows(&paging, is_in_rows ? page->after : TEXT(""));
	if (failure.code != ERROR_NONE) {
		*err = failure;
		return false;
	}
	json_put_text_unless_empty(view, "next", paging.last);
	if (!json_array_seal(&list, &sealed, err))
		return false;
	json_put(view, "items", sealed);
	return true;
}

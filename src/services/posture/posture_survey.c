/* How each control stands now, of all in one go: one look at the open findings, one at the
 * waivers, one at the controls. */
#include "services/posture/posture_private.h"

#include <assert.h>

/* What no subject is looked at for. */
static const check_set derived = UINT64_C(1) << CHECK_FRESHNESS | UINT64_C(1) << CHECK_MAPPING |
				 UINT64_C(1) << CHECK_COVERAGE;

/* Those that ask what connectors saw. */
static check_set checks_of_seen(void)
{
	return check_set_of_node(GRAPH_NODE_ACCOUNT) | check_set_of_node(GRAPH_NODE_CREDENTIAL) |
	       check_bit(CHECK_IDENTITY_MANY) | check_bit(CHECK_ACCOUNT_ALIVE) |
	       check_bit(CHECK_ACCOUNT_MISSING) | check_bit(CHECK_HOP_UNREVIEWED) |
	       check_bit(CHECK_EXCESS_OPEN) | check_bit(CHECK_HAND_UNDECLARED);
}

bool posture_is_own(const struct finding *finding)
{
	return finding->kind == FINDING_CONTROL_FAILING;
}

/* ---- freshness ---- */

static bool oldest_inventory(const struct posture *posture, int64_t *out_utc_s)
{
	const struct posture_inventories *inventories = &posture->parts.inventories;

	return inventories->oldest != NULL && inventories->oldest(inventories->context, out_utc_s);
}

/* What changed, and for whom nobody looked within a day. */
static bool has_drifted(const struct posture *posture, const struct control *control)
{
	const struct posture_drift *drift = &posture->parts.drift;
	int64_t since_utc_ms;

	if ((control->checks & check_bit(CHECK_REVIEW_OVERDUE)) == 0 || drift->since_utc_ms == NULL)
		return false;
	since_utc_ms = drift->since_utc_ms(drift->context);
	return since_utc_ms != 0 &&
	       posture_now_utc_s(posture) - since_utc_ms / 1000 > POSTURE_DRIFT_S;
}

static const char *why_not_proven(const struct posture *posture, const struct control *control)
{
	int64_t proven_utc_ms = posture->proof.proven_utc_ms;

	if ((control->checks & check_set_of_proof()) == 0)
		return NULL;
	if (proven_utc_ms == 0)
		return "charters were not held against the log since the start";
	return posture_now_utc_s(posture) - proven_utc_ms / 1000 > control->cadence_s
		       ? "charters were not held against the log for too long"
		       : NULL;
}

/* How the measure stands; never taken, where nothing is measured. */
static struct measure_stand stand_of(const struct posture *posture, enum control_measure measure)
{
	return posture->parts.measures == NULL ? (struct measure_stand){0}
					       : measure_stand(posture->parts.measures, measure);
}

/* Why the control is not proven by its measures; NULL: all of them were taken. */
static const char *why_untaken(const struct posture *posture, const struct control *control)
{
	for (int i = MEASURE_NONE + 1; i < MEASURE_COUNT; i++)
		if ((control->measures & measure_bit(i)) != 0 && stand_of(posture, i).kept == 0)
			return measure_untaken(i);
	return NULL;
}

static bool has_old_measure(const struct posture *posture, const struct control *control)
{
	for (int i = MEASURE_NONE + 1; i < MEASURE_COUNT; i++)
		if ((control->measures & measure_bit(i)) != 0 &&
			posture_now_utc_s(posture) - stand_of(posture, i).taken_utc_ms / 1000 >
				control->cadence_s)
			return true;
	return false;
}

static uint64_t count_measures_over(const struct posture *posture, const struct control *control)
{
	uint64_t count = 0;

	for (int i = MEASURE_NONE + 1; i < MEASURE_COUNT; i++)
		count += (control->measures & measure_bit(i)) != 0 && stand_of(posture, i).is_over;
	return count;
}

/* NULL: it is fresh. */
static const char *why_stale(const struct posture *posture, const struct control *control)
{
	int64_t now_utc_s = posture_now_utc_s(posture), oldest_utc_s;

	if (posture->passed_utc_ms == 0)
		return "it was not looked at since the start";
	if (now_utc_s - posture->passed_utc_ms / 1000 > control->cadence_s)
		return "it was not looked at for too long";
	if (control->records != 0 && name_table_count(posture->found) >= POSTURE_FOUND_MAX)
		return "more violates it than there is room for: the records are not read on";
	if (control->records != 0 && posture->read_utc_ms == 0)
		return "the records were not read to their end since the start";
	if (control->records != 0 && now_utc_s - posture->read_utc_ms / 1000 > control->cadence_s)
		return "the records were not read to their end for too long";
	if ((control->checks & checks_of_seen()) != 0 && oldest_inventory(posture, &oldest_utc_s) &&
		now_utc_s - oldest_utc_s > POSTURE_INVENTORY_S)
		return "an inventory is older than a day";
	if (has_old_measure(posture, control))
		return "it was not measured for too long";
	if (has_drifted(posture, control))
		return "who depends on a change was not looked for within a day";
	return why_not_proven(posture, control);
}

/* All its checks ask what connectors see, and none is there. */
static bool is_blind(const struct posture *posture, const struct control *control)
{
	int64_t oldest_utc_s;

	return (control->checks & ~checks_of_seen()) == 0 && control->records == 0 &&
	       control->measures == 0 && !oldest_inventory(posture, &oldest_utc_s);
}

/* A part of it alone proves nothing. */
static bool lacks_witness(const struct posture *posture, const struct control *control)
{
	return ((control->checks & check_set_of_witness()) != 0 &&
		       posture->parts.witness.identity == NULL) ||
	       ((control->checks & check_set_of_proof()) != 0 &&
		       posture->parts.charters.next == NULL);
}

/* ---- counts ---- */

static void count_rows(
	const struct posture *posture, const struct control *control, struct control_status *out)
{
	for (check_set checks = control->checks & ~derived; checks != 0; checks &= checks - 1) {
		int check = __builtin_ctzll(checks);

		out->violations += posture->counts[check];
		if (posture->subjects[check] > out->subjects)
			out->subjects = posture->subjects[check];
	}
	out->waiting = posture_count_waiting(posture, control->id);
	out->violations += out->waiting + count_measures_over(posture, control);
	if ((control->checks & check_set_of_proof()) != 0 &&
		posture->proof.subjects > out->subjects)
		out->subjects = posture->proof.subjects;
}

bool posture_finding_is_of(const struct finding *finding, const struct control *control)
{
	ptrdiff_t slash;

	if (finding->kind != FINDING_RECORD_VIOLATES)
		return !posture_is_own(finding) && text_equal(finding->control, control->id);
	slash = text_find_byte(finding->subject, '/');
	return slash > 0 &&
	       (control->records & (UINT32_C(1) << record_check_of((struct text){
					    finding->subject.data, (size_t)slash}))) != 0;
}

static void count_finding(
	const struct posture *posture, const struct finding *finding, struct control_status *all)
{
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if (posture_is_own(finding) && text_equal(finding->control, control->id)) {
			all[i].finding = finding->id;
			all[i].failing_utc_ms = finding->opened_utc_ms;
		}
		if (!posture_finding_is_of(finding, control))
			continue;
		all[i].violations++;
		all[i].waived += posture_waiver_for(posture, control->id, finding->subject) != NULL;
	}
}

static void count_findings(const struct posture *posture, struct control_status *out)
{
	const struct finding_service *findings = posture->parts.findings;
	const struct finding *finding = finding_next(findings, NULL);

	for (; finding != NULL; finding = finding_next(findings, finding))
		count_finding(posture, finding, out);
}

static uint64_t count_superseded(const struct posture *posture)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		for (uint32_t j = 0; j < control->maps_count; j++)
			count += control->maps[j].framework->state == FRAMEWORK_SUPERSEDED;
	}
	return count;
}

/* Whether a control that passes answers the risk, other than the one about all risks. */
static bool is_covered(const struct posture *posture, const struct control_status *all,
	const struct framework_id *id)
{
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if (all[i].state == CONTROL_PASSING && control_maps_to(control, id) &&
			(control->checks & check_bit(CHECK_COVERAGE)) == 0)
			return true;
	}
	return false;
}

static bool is_of_the_three(const struct framework *framework)
{
	return framework->state != FRAMEWORK_SUPERSEDED &&
	       (text_is(framework->word, "nhi") || text_is(framework->word, "asi") ||
		       text_is(framework->word, "mcp"));
}

bool posture_each_uncovered(const struct posture *posture, const struct control_status *all,
	bool (*visit)(void *context, const struct framework_id *id), void *context)
{
	const struct framework *framework = catalogue_next_framework(posture->catalogue, NULL);

	for (; framework != NULL;
		framework = catalogue_next_framework(posture->catalogue, framework))
		for (uint32_t i = 0; is_of_the_three(framework) && i < framework->ids_count; i++) {
			const struct framework_id id = {framework, i};

			if (!is_covered(posture, all, &id) && !visit(context, &id))
				return false;
		}
	return true;
}

static bool count_id(void *context, const struct framework_id *id)
{
	uint64_t *count = context;

	(void)id;
	(*count)++;
	return true;
}

static uint64_t count_uncovered(const struct posture *posture, const struct control_status *all)
{
	uint64_t count = 0;

	(void)posture_each_uncovered(posture, all, count_id, &count);
	return count;
}

/* ---- states ---- */

static bool is_too_much(const struct control *control, const struct control_status *status)
{
	uint64_t counting =
		status->violations > status->waived ? status->violations - status->waived : 0;

	if (control->share_permille == 0)
		return counting > 0;
	return counting * 1000 > status->subjects * control->share_permille;
}

static void set_state(
	const struct posture *posture, const struct control *control, struct control_status *status)
{
	status->why = TEXT("");
	status->state = CONTROL_UNPROVEN;
	if (is_too_much(control, status)) {
		status->state = CONTROL_FAILING;
	} else if (!control_is_proven(control)) {
		status->why = control->unproven;
	} else if (is_blind(posture, control)) {
		status->why = TEXT("no connector has an inventory here");
	} else if (why_untaken(posture, control) != NULL) {
		status->why = text_of(why_untaken(posture, control));
	} else if (lacks_witness(posture, control)) {
		status->why = TEXT("nothing here tells what its checks ask");
	} else {
		status->why = text_of(why_stale(posture, control));
		status->state = status->why.length == 0 ? CONTROL_PASSING : CONTROL_STALE;
	}
}

/* What is told from the states of the others. */
static void derive(const struct posture *posture, struct control_status *all)
{
	uint64_t stale = 0;

	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++)
		stale += all[i].state == CONTROL_STALE;
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		if ((control->checks & derived) == 0)
			continue;
		if ((control->checks & check_bit(CHECK_FRESHNESS)) != 0)
			all[i].violations += stale;
		if ((control->checks & check_bit(CHECK_MAPPING)) != 0)
			all[i].violations += count_superseded(posture);
		if ((control->checks & check_bit(CHECK_COVERAGE)) != 0)
			all[i].violations += count_uncovered(posture, all);
		set_state(posture, control, &all[i]);
	}
}

void posture_survey(
	const struct posture *posture, struct control_status out[CATALOGUE_CONTROLS_MAX])
{
	uint32_t count = catalogue_count(posture->catalogue);

	memset(out, 0, CATALOGUE_CONTROLS_MAX * sizeof *out);
	for (uint32_t i = 0; i < count; i++)
		count_rows(posture, catalogue_control(posture->catalogue, i), &out[i]);
	count_findings(posture, out);
	posture_count_waived(posture, out);
	for (uint32_t i = 0; i < count; i++) {
		const struct control *control = catalogue_control(posture->catalogue, i);

		out[i].evaluated_utc_ms = control_is_proven(control) ? posture->passed_utc_ms : 0;
		set_state(posture, control, &out[i]);
	}
	derive(posture, out);
}

struct posture_figures posture_figures(const struct posture *posture)
{
	struct control_status all[CATALOGUE_CONTROLS_MAX];
	struct posture_figures figures = {.rows = name_table_count(posture->rows),
		.looked = posture->looked,
		.waiting = name_table_count(posture->dirty),
		.waivers = waiver_count_live(posture->parts.waivers, posture_now_utc_s(posture)),
		.records = posture->records};

	posture_survey(posture, all);
	for (uint32_t i = 0; i < catalogue_count(posture->catalogue); i++)
		figures.of[all[i].state]++;
	return figures;
}

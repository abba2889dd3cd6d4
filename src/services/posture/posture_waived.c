/* Violations that people live with: what of a control can be waived, by whom, and how much of it
 * is.  Whoever may close its findings may ask; another of them agrees. */
#include "services/posture/posture_private.h"

/* ---- what ---- */

static bool find_by_finding(
	const struct posture *posture, struct text id, struct waiver *out, struct error *err)
{
	const struct finding *finding = finding_find(posture->parts.findings, id);

	if (finding == NULL)
		return error_set(err, ERROR_NOT_FOUND, "no finding %.*s is open", TEXT_ARGS(id));
	if (finding->kind == FINDING_CONTROL_FAILING)
		return error_set(err, ERROR_INVALID,
			"%.*s is about a whole control: waive one object of it, remit waive %.*s "
			"OBJECT; remit controls %.*s lists them",
			TEXT_ARGS(id), TEXT_ARGS(finding->control), TEXT_ARGS(finding->control));
	out->of = finding->control;
	out->object = finding->subject;
	out->unit = finding->unit;
	return true;
}

static bool find_waived(
	void *context, const struct waiver_request *request, struct waiver *out, struct error *err)
{
	const struct posture *posture = context;
	const struct control *control;
	const struct row *row;

	if (request->finding.length > 0)
		return find_by_finding(posture, request->finding, out, err);
	control = catalogue_find(posture->catalogue, request->of);
	if (control == NULL)
		return error_set(
			err, ERROR_NOT_FOUND, "there is no control %.*s", TEXT_ARGS(request->of));
	if (request->object.length == 0 || request->object.length > POSTURE_OBJECT_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "an object has 1 to %d bytes",
			POSTURE_OBJECT_BYTES_MAX);
	row = posture_row_find(posture, request->object);
	if (row == NULL || (row->violated & control->checks) == 0)
		return error_set(err, ERROR_NOT_FOUND,
			"%.*s does not violate %.*s: there is nothing to waive",
			TEXT_ARGS(request->object), TEXT_ARGS(request->of));
	out->of = control->id;
	out->object = row->subject;
	out->unit = posture_unit_of(posture, row->subject);
	return true;
}

/* ---- who ---- */

static bool may_waive(void *context, const struct waiver_deed *deed, const struct waiver *waiver,
	struct error *err)
{
	const struct posture *posture = context;
	const struct people_resource about = {
		.about = PEOPLE_ABOUT_FINDING, .unit = waiver->unit, .proposer = deed->asker};

	return registry_may_about(posture->parts.registry, deed->actor, PEOPLE_CLOSE, &about, err);
}

void posture_use_waivers(struct posture *posture)
{
	const struct waiver_rules rules = {posture, find_waived, may_waive};

	waiver_use(posture->parts.waivers, WAIVER_OF_CONTROL, &rules);
}

/* ---- how much ---- */

const struct waiver *posture_waiver_for(
	const struct posture *posture, struct text control, struct text object)
{
	return waiver_live(posture->parts.waivers, WAIVER_OF_CONTROL, control, object,
		posture_now_utc_s(posture));
}

static const struct waiver *next_waiver(const struct posture *posture, const struct waiver *after)
{
	return waiver_next(posture->parts.waivers, after == NULL ? TEXT("") : after->id);
}

void posture_count_waived(const struct posture *posture, struct control_status *all)
{
	const struct waiver *waiver = next_waiver(posture, NULL);

	for (; waiver != NULL; waiver = next_waiver(posture, waiver)) {
		const struct control *control = catalogue_find(posture->catalogue, waiver->of);
		const struct row *row = posture_row_find(posture, waiver->object);

		if (waiver->kind == WAIVER_OF_CONTROL && control != NULL && row != NULL &&
			posture_waiver_for(posture, waiver->of, waiver->object) == waiver)
			all[catalogue_number(posture->catalogue, control)].waived +=
				(uint64_t)__builtin_popcountll(row->violated & control->checks);
	}
}

int64_t posture_next_end(const struct posture *posture)
{
	int64_t now_utc_s = posture_now_utc_s(posture), next_utc_s = 0;
	const struct waiver *waiver = next_waiver(posture, NULL);

	for (; waiver != NULL; waiver = next_waiver(posture, waiver))
		if (waiver_state_at(waiver, now_utc_s) == WAIVER_LIVE &&
			(next_utc_s == 0 || waiver->until_utc_s < next_utc_s))
			next_utc_s = waiver->until_utc_s;
	return next_utc_s;
}

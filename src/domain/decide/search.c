/* The approvals search: which names would turn a denial.  All are tried at once,
 * then each is left out once; what remains is minimal, because more approvals
 * never allow less. */

#include "cedar/from_json.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* ---- the approvals search ------------------------------------------------------------- */

struct candidates {
	struct text names[DECISION_APPROVALS_MAX];
	size_t count;
};

static void candidate_add(struct candidates *candidates, struct text name)
{
	size_t i;

	if (name.data == NULL || candidates->count == DECISION_APPROVALS_MAX)
		return;
	for (i = 0; i < candidates->count; i++)
		if (text_equal(candidates->names[i], name))
			return;
	candidates->names[candidates->count++] = name;
}

/* Names that the lines for this tool ask for come first, so that the cap never
 * cuts them. */
static void candidates_of_lines(struct candidates *candidates, const struct evaluation *evaluation)
{
	const struct charter *charter = evaluation->charter;
	uint32_t i, name;

	for (i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (!text_equal(line->resource, evaluation_resource(evaluation)))
			continue;
		for (name = 0; name < line->approvals_count; name++)
			candidate_add(candidates, line->approvals[name]);
	}
}

static void candidates_collect(struct candidates *candidates, struct evaluation *evaluation)
{
	static const char *const fixed[] = {"owner", "backup-owner", "second", "role/approver",
		"role/administrator", "role/owner", "role/backup-owner", "role/reviewer",
		"role/auditor"};
	size_t i;

	candidates->count = 0;
	candidates_of_lines(candidates, evaluation);
	for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		candidate_add(candidates, text_of(fixed[i]));
	candidate_add(candidates, SAY("data-owner/%.*s", TEXT_ARGS(evaluation->server->unit)));
	for (i = 0; i < evaluation->sources_count; i++)
		candidate_add(candidates,
			SAY("data-owner/%.*s", TEXT_ARGS(evaluation->sources[i]->unit)));
	candidate_add(candidates, SAY("unit/%.*s", TEXT_ARGS(evaluation->server->unit)));
	candidate_add(candidates, SAY("unit/%.*s", TEXT_ARGS(evaluation->charter->unit)));
	for (i = 0; i < evaluation->sources_count; i++)
		candidate_add(
			candidates, SAY("unit/%.*s", TEXT_ARGS(evaluation->sources[i]->unit)));
}

/* All names but the one at left_out. */
static struct approval_names names_without(
	const struct candidates *all, size_t left_out, struct text *into)
{
	size_t i, count = 0;

	for (i = 0; i < all->count; i++)
		if (i != left_out)
			into[count++] = all->names[i];
	return (struct approval_names){into, count};
}

static bool names_sorted(
	struct evaluation *evaluation, const struct candidates *candidates, struct decision *out)
{
	struct text *sorted = arena_array(evaluation->arena, struct text, candidates->count + 1);
	size_t i, at;

	if (sorted == NULL)
		return false;
	for (i = 0; i < candidates->count; i++) {
		for (at = i; at > 0 && text_compare(sorted[at - 1], candidates->names[i]) > 0; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = candidates->names[i];
	}
	out->approvals = sorted;
	out->approvals_count = candidates->count;
	return true;
}

static struct text names_joined(struct evaluation *evaluation, const struct decision *out)
{
	struct text joined = TEXT("");
	size_t i;

	for (i = 0; i < out->approvals_count; i++)
		joined =
			i == 0 ? out->approvals[0]
			       : SAY("%.*s, %.*s", TEXT_ARGS(joined), TEXT_ARGS(out->approvals[i]));
	return joined;
}

/* Turns the denial into a question about these names.  It keeps the policies
 * that refused, and names the line that the names would open. */
static void ask(struct evaluation *evaluation, const struct candidates *minimal,
	const struct decision *opened, struct decision *out)
{
	struct text held = out->explanation;

	if (!names_sorted(evaluation, minimal, out))
		return;
	out->verdict = VERDICT_ASK;
	if (out->reason != REASON_FORBIDDEN) {
		out->policies = opened->policies;
		out->policies_count = opened->policies_count;
		out->clause = opened->clause;
	}
	out->reason = REASON_APPROVAL_NEEDED;
	out->entitlement = opened->entitlement;
	out->needed = SAY("Approval of exactly this call by: %.*s.",
		TEXT_ARGS(names_joined(evaluation, out)));
	out->explanation = SAY("%.*s permits it once people approve. %.*s",
		TEXT_ARGS(opened->entitlement), TEXT_ARGS(held));
}

/* All names leave it denied: what is said of the line is what they leave false, else people
 * would be sent for an approval that opens nothing. */
static void say_what_stays(const struct decision *stays, struct decision *out)
{
	if (out->reason != REASON_NO_ENTITLEMENT || stays->reason != REASON_NO_ENTITLEMENT)
		return;
	out->entitlement = stays->entitlement;
	out->clause = stays->clause;
	out->explanation = stays->explanation;
	out->needed = stays->needed;
}

bool is_searched(enum reason reason)
{
	return reason == REASON_NO_ENTITLEMENT || reason == REASON_ENTITLEMENT_USED ||
	       reason == REASON_FORBIDDEN || reason == REASON_COULD_NOT_EVALUATE;
}

void approvals_search(struct evaluation *evaluation, struct decision *out)
{
	struct text names[DECISION_APPROVALS_MAX];
	struct candidates all;
	struct approval_names some;
	struct decision opened, trial;
	size_t i;

	candidates_collect(&all, evaluation);
	some = (struct approval_names){all.names, all.count};
	if (!run_policies(evaluation, &some, &opened)) {
		/* The line that people would open is used up: that is why. */
		if (opened.reason == REASON_ENTITLEMENT_USED)
			*out = opened;
		else
			say_what_stays(&opened, out);
		return;
	}
	/* From the end: what is named first is what people would rather ask. */
	for (i = all.count; i-- > 0;) {
		some = names_without(&all, i, names);
		if (!run_policies(evaluation, &some, &trial))
			continue;
		opened = trial;
		for (size_t next = i + 1; next < all.count; next++)
			all.names[next - 1] = all.names[next];
		all.count--;
	}
	/* Nothing left to ask cannot be: the call was denied without approvals. */
	if (all.count != 0)
		ask(evaluation, &all, &opened, out);
}

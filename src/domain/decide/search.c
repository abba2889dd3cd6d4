/* The approvals search: which names would turn a denial.  All are tried at once, and with them
 * those that whatever refuses still asks for, until nothing new is asked for; then each is left
 * out once; of what remains none can be, because more approvals never allow less, unless a line
 * of the charter asks for fewer, which are then asked for.  Another set may be smaller still.  A
 * name that is asked for nowhere turns nothing, so none is missed but by the bound, and a call that
 * is allowed, or refused by what asks for nobody else, costs no run more.  A role that somebody has
 * is asked for before one that nobody has. */

#include "cedar/from_json.h"
#include "domain/charter/form.h"
#include "domain/charter/policy_check.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* ---- the approvals search ------------------------------------------------------------- */

_Static_assert((int)POLICY_APPROVALS_MAX == (int)DECISION_APPROVALS_MAX,
	"what one policy may ask for, one question holds");

struct candidates {
	struct text names[DECISION_NAMES_TRIED_MAX];
	size_t count;
	size_t most; /* no name more than this */
};

static void candidate_add(struct candidates *candidates, struct text name)
{
	size_t i;

	if (name.data == NULL || candidates->count == candidates->most)
		return;
	for (i = 0; i < candidates->count; i++)
		if (text_equal(candidates->names[i], name))
			return;
	candidates->names[candidates->count++] = name;
}

/* One that has ended opens nothing, whoever says yes. */
static bool is_line_open(const struct evaluation *evaluation, const struct entitlement *line)
{
	return text_equal(line->resource, evaluation_resource(evaluation)) &&
	       !is_expired(line->expires_utc_s, evaluation->world->now_utc_ms / 1000);
}

/* Names that the lines for this tool ask for come first, so that the cap never
 * cuts them. */
static void candidates_of_lines(struct candidates *candidates, const struct evaluation *evaluation)
{
	const struct charter *charter = evaluation->charter;
	uint32_t i, name;

	for (i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (!is_line_open(evaluation, line))
			continue;
		for (name = 0; name < line->approvals_count; name++)
			candidate_add(candidates, line->approvals[name]);
	}
}

/* Remit's own: the first that are tried. */
static const char *const fixed[] = {"owner", "backup-owner", "second", "role/approver",
	"role/administrator", "role/owner", "role/backup-owner", "role/reviewer", "role/security",
	"role/auditor"};

static bool is_held(struct evaluation *evaluation, struct text name)
{
	const struct role_holders *holders;

	if (!text_starts_with(name, "role/"))
		return true;
	holders = evaluation_holders(evaluation);
	return holders == NULL ||
	       role_holders_may_have(
		       holders, text_after(name, sizeof "role/" - 1), evaluation->charter->unit);
}

/* Roles that nobody has would hide who else could be asked: they wait until what refuses names
 * them. */
static void candidates_collect(struct candidates *candidates, struct evaluation *evaluation)
{
	size_t i;

	candidates->count = 0;
	candidates->most = DECISION_APPROVALS_MAX;
	candidates_of_lines(candidates, evaluation);
	for (i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (is_held(evaluation, text_of(fixed[i])))
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

/* ---- of what refuses ------------------------------------------------------------------ */

/* Whose names are read: a guardrail's, or a line's, which may name any unit. */
struct asked_names {
	struct evaluation *evaluation;
	struct candidates *candidates;
	bool is_line;
};

static bool is_touched_data(const struct evaluation *evaluation, struct text unit)
{
	size_t i;

	for (i = 0; i < evaluation->sources_count; i++)
		if (text_equal(evaluation->sources[i]->unit, unit))
			return true;
	return text_equal(evaluation->server->unit, unit);
}

/* Whether somebody could stand for it, of a call like this one (docs/approvals.md). */
static bool can_stand(const struct asked_names *asked, struct text name)
{
	const struct evaluation *evaluation = asked->evaluation;
	struct text unit = name;

	(void)text_cut(&unit, '/');
	if (text_starts_with(name, "data-owner/"))
		return is_touched_data(evaluation, unit);
	if (text_starts_with(name, "unit/"))
		return asked->is_line || is_touched_data(evaluation, unit) ||
		       text_equal(evaluation->charter->unit, unit);
	return name_is_approval(name);
}

/* A copy: a question outlives what a ceiling was compiled to. */
static void note_asked(void *closure, struct cedar_text text)
{
	const struct asked_names *asked = closure;
	struct text name = cedar_text_to(text);

	if (can_stand(asked, name))
		candidate_add(asked->candidates, text_copy(asked->evaluation->arena, name));
}

static void read_asked(struct asked_names *asked, const struct cedar_policy_set *set, size_t index)
{
	cedar_policy_visit_asked(set, index, CEDAR_TEXT("approvals"), note_asked, asked);
}

/* Of the lines about this call, whose conditions hold what their `approvals` say, too. */
static void read_lines(struct asked_names *asked, const struct registry_entry *entry)
{
	const struct charter *charter = charter_of(entry->in_force);
	const struct cedar_policy_set *set =
		entry->ceiling == NULL ? NULL : ceiling_policies(entry->ceiling);
	uint32_t i;

	for (i = 0; set != NULL && i < charter->entitlements_count; i++)
		if (is_line_open(asked->evaluation, &charter->entitlements[i]))
			read_asked(asked, set, charter->entitlements[i].number);
}

/* What the guardrails or the charter that refused last ask for beside all that was tried.
 * False: nothing. */
static bool candidates_of_refusal(struct candidates *candidates, struct evaluation *evaluation)
{
	const struct refusing *refusing = &evaluation->refusing;
	struct asked_names asked = {evaluation, candidates, refusing->set == NULL};
	size_t i, before = candidates->count;

	candidates->most = DECISION_NAMES_TRIED_MAX;
	for (i = 0; i < refusing->answer.reason_count && i < DECISION_POLICIES_MAX; i++)
		read_asked(&asked, refusing->set, refusing->answer.reasons[i]);
	for (i = 0; i < refusing->answer.error_count && i < DECISION_POLICIES_MAX; i++)
		read_asked(&asked, refusing->set, refusing->answer.errors[i].policy);
	if (refusing->set == NULL && evaluation->principal != NULL)
		read_lines(&asked, evaluation->principal);
	return candidates->count > before;
}

/* Tries names until the call is open, or what refuses asks for nobody else.  False: it stays
 * denied, and *stays says by what. */
static bool candidates_open(
	struct candidates *candidates, struct evaluation *evaluation, struct decision *stays)
{
	struct approval_names all;

	do {
		all = (struct approval_names){candidates->names, candidates->count};
		if (run_policies(evaluation, &all, stays))
			return true;
	} while (is_searched(stays->reason) && candidates_of_refusal(candidates, evaluation));
	return false;
}

/* ---- none too many --------------------------------------------------------------------- */

/* From the end they are left out: first the roles that nobody has, else what is named first is
 * what people would rather ask. */
static void put_held_first(struct candidates *all, struct evaluation *evaluation)
{
	struct candidates sorted = {.most = all->most};
	size_t i;

	for (i = 0; i < all->count; i++)
		if (is_held(evaluation, all->names[i]))
			candidate_add(&sorted, all->names[i]);
	for (i = 0; i < all->count; i++)
		candidate_add(&sorted, all->names[i]);
	*all = sorted;
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

/* ---- the question ---------------------------------------------------------------------- */

/* Where nobody has a role that is asked for, the question waits for nobody. */
static struct text roles_missing(struct evaluation *evaluation, const struct decision *out)
{
	struct text unit = evaluation->charter->unit;
	struct text said = TEXT("");

	for (size_t i = 0; i < out->approvals_count; i++)
		if (!is_held(evaluation, out->approvals[i]))
			said = SAY("%.*s Nobody in unit %.*s or in org has the role %.*s.",
				TEXT_ARGS(said), TEXT_ARGS(unit),
				TEXT_ARGS(text_after(out->approvals[i], sizeof "role/" - 1)));
	return said;
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
		out->is_clause_of_other = opened->is_clause_of_other;
	}
	out->reason = REASON_APPROVAL_NEEDED;
	out->entitlement = opened->entitlement;
	out->needed = SAY("Approval of exactly this call by: %.*s.%.*s",
		TEXT_ARGS(names_joined(evaluation, out)),
		TEXT_ARGS(roles_missing(evaluation, out)));
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
	out->is_clause_of_other = stays->is_clause_of_other;
	out->explanation = stays->explanation;
	out->needed = stays->needed;
}

/* Where a line has ended, or is used up, another may be open to who is asked. */
bool is_searched(enum reason reason)
{
	return reason == REASON_NO_ENTITLEMENT || reason == REASON_ENTITLEMENT_EXPIRED ||
	       reason == REASON_ENTITLEMENT_USED || reason == REASON_FORBIDDEN ||
	       reason == REASON_COULD_NOT_EVALUATE;
}

/* Names that open the call, and what they open.  The last run of the rules is kept: the next one
 * reads what the fixed rules found in it. */
struct searching {
	struct evaluation *evaluation;
	struct candidates all;
	struct decision opened, last;
};

static bool opens(struct searching *searching, struct approval_names names)
{
	if (!run_policies(searching->evaluation, &names, &searching->last))
		return false;
	searching->opened = searching->last;
	return true;
}

/* Leaves out each that the call is open without. */
static void leave_out(struct searching *searching)
{
	struct candidates *all = &searching->all;
	struct text names[DECISION_NAMES_TRIED_MAX];

	put_held_first(all, searching->evaluation);
	for (size_t i = all->count; i-- > 0;) {
		if (!opens(searching, names_without(all, i, names)))
			continue;
		for (size_t next = i + 1; next < all->count; next++)
			all->names[next - 1] = all->names[next];
		all->count--;
	}
}

/* Whether the line asks for fewer people than these, all of whom there are. */
static bool asks_for_fewer(struct evaluation *evaluation, const struct entitlement *line,
	const struct candidates *than)
{
	uint32_t i = 0;

	if (line->approvals_count == 0 || line->approvals_count >= than->count ||
		!is_line_open(evaluation, line))
		return false;
	while (i < line->approvals_count && is_held(evaluation, line->approvals[i]))
		i++;
	return i == line->approvals_count;
}

/* The names of one line alone, where they are fewer and open the call as well. */
static void take_fewer(struct searching *searching)
{
	const struct charter *charter = searching->evaluation->charter;
	struct candidates *all = &searching->all;
	size_t before = all->count, tried = 0;

	for (uint32_t i = 0; i < charter->entitlements_count && tried < DECISION_LINES_TRIED_MAX;
		i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (!asks_for_fewer(searching->evaluation, line, all))
			continue;
		tried++;
		if (!opens(searching,
			    (struct approval_names){line->approvals, line->approvals_count}))
			continue;
		all->count = 0;
		for (uint32_t name = 0; name < line->approvals_count; name++)
			candidate_add(all, line->approvals[name]);
	}
	if (all->count != before)
		leave_out(searching);
}

void approvals_search(struct evaluation *evaluation, struct decision *out)
{
	struct searching searching = {.evaluation = evaluation};
	struct candidates *all = &searching.all;
	struct decision *opened = &searching.opened;

	candidates_collect(all, evaluation);
	if (!candidates_open(all, evaluation, opened)) {
		/* The line that people would open is used up: that is why. */
		if (opened->reason == REASON_ENTITLEMENT_USED)
			*out = *opened;
		else
			say_what_stays(opened, out);
		return;
	}
	leave_out(&searching);
	take_fewer(&searching);
	/* Nothing left to ask cannot be: the call was denied without approvals. */
	if (all->count != 0 && all->count <= DECISION_APPROVALS_MAX)
		ask(evaluation, all, opened, out);
}

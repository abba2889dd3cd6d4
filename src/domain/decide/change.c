/* The smallest change that turns a refusal: candidates in order of the authority
 * they give, least first; each is decided again, and the first that is allowed is
 * the answer.  At most DECIDE_TRIALS_MAX are tried. */

#include "domain/decide/change.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

const char *change_kind_word(enum change_kind value)
{
	static const char *const words[] = {
		[CHANGE_NONE] = NULL,
		[CHANGE_APPROVAL] = "approval",
		[CHANGE_ATTRIBUTE] = "attribute",
		[CHANGE_ENTITLEMENT] = "entitlement",
	};

	return words[value];
}

bool change_is_over(const struct changing *changing)
{
	return change_is_found(changing) || changing->out->trials == changing->trials_max;
}

bool change_is_found(const struct changing *changing)
{
	return changing->out->change.kind != CHANGE_NONE;
}

static struct text json_text(struct arena *arena, const struct json *value)
{
	struct text text = json_canonical_text(arena, value);

	return text.data == NULL ? TEXT("?") : text;
}

static struct text sentence_of(struct changing *changing, const struct candidate *candidate)
{
	struct evaluation *evaluation = changing->evaluation;
	struct text from = json_text(changing->scratch, &candidate->from);
	struct text to = json_text(changing->scratch, &candidate->to);

	if (candidate->is_left_out)
		return SAY("%.*s: left out instead of %.*s.", TEXT_ARGS(candidate->what),
			TEXT_ARGS(from));
	if (candidate->from.type == JSON_NULL)
		return SAY("%.*s: %.*s.", TEXT_ARGS(candidate->what), TEXT_ARGS(to));
	return SAY("%.*s: %.*s instead of %.*s.", TEXT_ARGS(candidate->what), TEXT_ARGS(to),
		TEXT_ARGS(from));
}

/* Keeps a copy: what a candidate points to may be of the trial. */
void change_keep(struct changing *changing, const struct candidate *candidate)
{
	struct decide_change change = {.kind = candidate->kind};
	struct error err;

	change.what = text_copy(changing->arena, candidate->what);
	change.sentence = sentence_of(changing, candidate);
	if (change.what.data == NULL ||
		!json_copy(&change.from, changing->arena, &candidate->from, &err) ||
		!json_copy(&change.to, changing->arena, &candidate->to, &err))
		return;
	changing->out->change = change;
	if (candidate->hint.length != 0)
		changing->out->hint = text_copy(changing->arena, candidate->hint);
}

/* Other arguments may be none that the tool takes.  A question that gave none is not held to its
 * schema, and one argument more would not be all that it wants. */
static struct decide_world world_for(const struct changing *changing,
	const struct decide_world *world, const struct call *call, struct arena *arena)
{
	struct decide_world judged = *world;

	if (world->judge.judge != NULL && world->arguments != ARGUMENTS_UNCHECKED &&
		!text_equal(call->arguments_text, changing->call->arguments_text))
		judged.arguments = world->judge.judge(
			world->judge.context, call, arena, &judged.arguments_fault);
	return judged;
}

bool change_allows(struct changing *changing, const struct decide_world *world,
	const struct trial *trial, const struct call *call)
{
	struct decide_world judged;
	struct arena *arena;
	bool is_allowed;

	if (changing->out->trials == changing->trials_max)
		return false;
	changing->out->trials++;
	arena = arena_create(DECIDE_TRIAL_BYTES_MAX);
	if (arena == NULL)
		return false;
	judged = world_for(changing, world, call, arena);
	is_allowed = trial_allows(&judged, trial, call, changing->approvals, arena);
	arena_destroy(&arena);
	return is_allowed;
}

bool change_try(struct changing *changing, const struct candidate *candidate,
	const struct decide_world *world, const struct trial *trial, const struct call *call)
{
	if (!change_is_found(changing) && change_allows(changing, world, trial, call))
		change_keep(changing, candidate);
	return change_is_found(changing);
}

/* The search for approvals was done by decide: none of them can be left out. */
static void change_approval(struct changing *changing)
{
	const struct decision *decision = changing->decision;
	struct json_builder names;
	struct candidate candidate = {.kind = CHANGE_APPROVAL, .what = TEXT("approval")};
	struct error err;
	size_t i;

	json_array_start(&names, changing->arena);
	for (i = 0; i < decision->approvals_count; i++)
		json_add(&names, json_string(decision->approvals[i]));
	if (json_array_seal(&names, &candidate.to, &err))
		change_keep(changing, &candidate);
}

/* Kept for lines, which come last: however many of them compare what no call could have. */
enum { TRIALS_OF_LINES = 2 };

static void change_find(struct changing *changing, enum decide_reach reach)
{
	uint32_t kept;

	if (changing->decision->verdict == VERDICT_ALLOW)
		return;
	if (changing->decision->verdict == VERDICT_ASK) {
		change_approval(changing);
		return;
	}
	if (reach != DECIDE_REACH_ALL) {
		change_call(changing);
		return;
	}
	kept = change_is_by_line(changing) ? TRIALS_OF_LINES : 0;
	changing->trials_max -= kept;
	change_call(changing);
	change_objects(changing);
	changing->trials_max += kept;
	change_entitlements(changing);
}

/* The request as it was decided: with the approvals, where there are any. */
static bool is_as_decided(struct evaluation *evaluation, const struct approval_names *approvals)
{
	return evaluation->principal != NULL &&
	       (approvals == NULL ||
		       evaluation_set_approvals(evaluation, approvals->items, approvals->count));
}

void decide_explain(const struct decide_world *world, const struct decide_said *said,
	enum decide_reach reach, struct arena *arena, struct decide_explanation *out)
{
	struct evaluation *evaluation = arena_new(arena, struct evaluation);
	struct decision ignored = {.reason = REASON_NONE};
	struct changing changing = {.world = world,
		.call = said->call,
		.approvals = said->approvals,
		.decision = said->decision,
		.evaluation = evaluation,
		.arena = arena,
		.trials_max =
			reach == DECIDE_REACH_ALL ? DECIDE_TRIALS_MAX : DECIDE_TRIALS_CALL_MAX,
		.out = out};

	*out = (struct decide_explanation){.hint = TEXT("")};
	changing.scratch = arena_create(DECIDE_TRIAL_BYTES_MAX);
	if (evaluation == NULL || changing.scratch == NULL)
		goto done;
	*evaluation = (struct evaluation){
		.world = world, .call = said->call, .arena = arena, .out = &ignored};
	(void)run_fixed(evaluation);
	if (is_as_decided(evaluation, said->approvals))
		accounts_fill(&changing);
	change_find(&changing, reach);
done:
	arena_destroy(&changing.scratch);
}

/* Outlooks.  The rules run in their order; those that need arguments are asked for
 * what is left of them.
 *
 * Invariant: NEVER and ALWAYS are proven, WHEN is what is left.  An outlook that
 * could not be worked out is NEVER. */

#include "domain/decide/outlook.h"

#include "cedar/from_json.h"
#include "domain/charter/peer.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

const char *may_word(enum may value)
{
	static const char *const words[] = {
		[MAY_NEVER] = "never",
		[MAY_WHEN] = "when",
		[MAY_ALWAYS] = "always",
	};

	return words[value];
}

/* Those of the fixed rules that need no arguments, in their order; that of models of a request
 * that asks the provider to run nothing, after public data. */
static const struct rule known_rules[] = {
	{rule_method},
	{rule_identity},
	{rule_server},
	{rule_sandbox},
	{rule_environment},
	{rule_tool},
	{rule_model},
	{rule_owner},
	{rule_definition},
	{rule_class},
	{rule_peer},
	{rule_request},
};

/* The first is of calls alone, the last of requests to models alone. */
static const struct cedar_text unknowns[] = {{"args", 4}, {"approvals", 9}, {"binding", 7},
	{"task", 4}, {"labels", 6}, {"origins", 7}, {"chain", 5}, {"risk", 4}, {"first", 5},
	{"secrets", 7}, {"generation", 10}};

struct looking {
	struct evaluation *evaluation;
	struct cedar_partial partial;
	struct outlook *out;
	/* Whether what must hold certainly does, and what must not certainly does not. */
	bool is_certain;
	enum sensitivity at_least; /* what a call reads is */
};

static bool never(struct looking *looking, enum reason reason, struct text explanation)
{
	looking->out->may = MAY_NEVER;
	looking->out->reason = reason;
	looking->out->explanation = explanation;
	return false;
}

static bool never_for_memory(struct looking *looking)
{
	return never(looking, REASON_NO_MEMORY, TEXT("The question found no memory."));
}

/* Of a model there are no arguments. */
static bool make_partial(struct looking *looking)
{
	struct evaluation *evaluation = looking->evaluation;
	struct cedar_member known[2] = {
		{.name = CEDAR_TEXT("args")}, {.name = CEDAR_TEXT("environment")}};
	size_t is_model = evaluation->model != NULL;
	struct cedar_error err;

	known[1].value =
		cedar_value_string(cedar_text_of(environment_word(evaluation->call->environment)));
	looking->partial = (struct cedar_partial){
		.principal = &evaluation->request.principal,
		.action = &evaluation->request.action,
		.resource = &evaluation->request.resource,
		.unknowns = unknowns + is_model,
		.unknown_count = sizeof(unknowns) / sizeof(*unknowns) - 1,
	};
	return cedar_value_record(
		       &known[0].value, cedar_arena_from(evaluation->arena), NULL, 0, &err) &&
	       cedar_value_record(&looking->partial.context, cedar_arena_from(evaluation->arena),
		       known + 1 - is_model, 1 + is_model, &err);
}

/* What is left of a policy; where that is too large to be said, all of its conditions, if
 * its scope is about the call at all.  False: no memory. */
static bool policy_left(struct looking *looking, const struct cedar_policy_set *set, size_t index,
	struct cedar_residual *out)
{
	struct evaluation *evaluation = looking->evaluation;
	struct cedar_arena *arena = cedar_arena_from(evaluation->arena);
	struct cedar_error err;

	if (cedar_policy_residual(
		    set, index, evaluation->entities, &looking->partial, arena, out, &err))
		return true;
	*out = (struct cedar_residual){.kind = CEDAR_RESIDUAL_FALSE};
	if (!cedar_policy_applies(set, index, evaluation->entities, &evaluation->request))
		return true;
	*out = (struct cedar_residual){.kind = CEDAR_RESIDUAL_CONDITION, .may_fail = true};
	out->text = cedar_policy_format_condition(set, index, arena);
	return out->text.data != NULL || never_for_memory(looking);
}

/* ---- lines ---------------------------------------------------------------------------- */

static bool is_about(const struct evaluation *evaluation, const struct entitlement *line)
{
	return line->resource_kind == evaluation_resource_kind(evaluation) &&
	       line->effect == evaluation->effect &&
	       text_equal(line->resource, evaluation_resource(evaluation));
}

/* One line: what is left of it, if it can hold. */
static bool look_at_line(struct looking *looking, const struct cedar_policy_set *set,
	const struct entitlement *line, struct outlook_line *into)
{
	struct evaluation *evaluation = looking->evaluation;
	struct outlook_line one = {.line = line};
	size_t index;

	one.id = SAY("charter/%.*s@%u/entitlements/%u", TEXT_ARGS(evaluation->entry->name),
		evaluation->entry->in_force->version, line->number);
	if (set == NULL || !cedar_policy_set_find(set, cedar_text_from(one.id), &index))
		return never_for_memory(looking);
	if (!policy_left(looking, set, index, &one.left))
		return false;
	if (one.left.kind != CEDAR_RESIDUAL_TRUE && one.left.kind != CEDAR_RESIDUAL_CONDITION)
		return true;
	into[looking->out->lines_count++] = one;
	return true;
}

static bool never_without_line(struct looking *looking, bool has_expired)
{
	struct evaluation *evaluation = looking->evaluation;

	if (has_expired)
		return never(looking, REASON_ENTITLEMENT_EXPIRED,
			TEXT("Each line that permits it has expired."));
	return never(looking, REASON_NO_ENTITLEMENT,
		SAY("No line of the charter %.*s@%u permits %s on %.*s.",
			TEXT_ARGS(evaluation->entry->name), evaluation->entry->in_force->version,
			effect_word(evaluation->effect), TEXT_ARGS(evaluation->call->tool)));
}

static bool look_at_lines(struct looking *looking)
{
	const struct evaluation *evaluation = looking->evaluation;
	const struct charter *charter = evaluation->charter;
	struct ceiling *ceiling = evaluation->entry->ceiling;
	struct outlook_line *lines = arena_array(
		evaluation->arena, struct outlook_line, charter->entitlements_count + 1);
	bool has_expired = false, is_certain = false;
	uint32_t i;

	if (lines == NULL)
		return never_for_memory(looking);
	looking->out->lines = lines;
	for (i = 0; ceiling != NULL && i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (!is_about(evaluation, line))
			continue;
		if (is_expired(line->expires_utc_s, evaluation->world->now_utc_ms / 1000))
			has_expired = true;
		else if (!look_at_line(looking, ceiling_policies(ceiling), line, lines))
			return false;
	}
	if (looking->out->lines_count == 0)
		return never_without_line(looking, has_expired);
	for (i = 0; i < looking->out->lines_count; i++)
		is_certain |= lines[i].left.kind == CEDAR_RESIDUAL_TRUE;
	looking->is_certain &= is_certain;
	return true;
}

/* ---- data ------------------------------------------------------------------------------- */

/* What may be replied; UNLABELLED: nothing. */
static enum sensitivity reply_up_to(const struct charter *charter)
{
	uint32_t i;

	for (i = 0; i < charter->outputs_count; i++)
		if (text_is(charter->outputs[i].to, "reply"))
			return charter->outputs[i].up_to;
	return SENSITIVITY_UNLABELLED;
}

static bool is_covered(const struct looking *looking, const struct data_source *source)
{
	const struct charter *charter = looking->evaluation->charter;
	const struct charter_data_source *line =
		source == NULL ? NULL : charter_find_data_source(charter, source->name);
	/* Of rows that are judged one by one only those come that are covered. */
	int level = source == NULL || is_judged_by_row(looking->evaluation)
			    ? 0
			    : sensitivity_level(source->sensitivity);
	enum sensitivity reply = reply_up_to(charter);

	return line != NULL && reply != SENSITIVITY_UNLABELLED &&
	       level <= sensitivity_level(reply) &&
	       has_source_consent(looking->evaluation, looking->evaluation->entry, source) &&
	       is_source_open(looking->evaluation, source) &&
	       line->up_to != SENSITIVITY_UNLABELLED && level <= sensitivity_level(line->up_to);
}

static enum sensitivity lower_of(enum sensitivity value, enum sensitivity up_to)
{
	return sensitivity_level(up_to) < sensitivity_level(value) ? up_to : value;
}

/* How sensitive what is read there may be. */
static enum sensitivity sensitivity_read(
	const struct looking *looking, const struct data_source *source)
{
	const struct charter *charter = looking->evaluation->charter;
	const struct charter_data_source *line =
		source == NULL ? NULL : charter_find_data_source(charter, source->name);
	enum sensitivity whole = source == NULL
					 ? SENSITIVITY_RESTRICTED
					 : lower_of(SENSITIVITY_RESTRICTED, source->sensitivity);

	if (line == NULL || !is_judged_by_row(looking->evaluation))
		return whole;
	return lower_of(lower_of(whole, line->up_to), reply_up_to(charter));
}

/* How sensitive what a call reads is at least: the highest of what it certainly reads, else the
 * lowest of what it may.  Rows that are judged one by one may be few. */
static enum sensitivity read_at_least(
	const struct looking *looking, const struct outlook_read *reads)
{
	enum sensitivity certain = SENSITIVITY_PUBLIC, possible = SENSITIVITY_RESTRICTED;
	bool is_certain = false;

	if (looking->out->reads_count == 0 || is_judged_by_row(looking->evaluation))
		return SENSITIVITY_PUBLIC;
	for (size_t i = 0; i < looking->out->reads_count; i++) {
		enum sensitivity one = reads[i].sensitivity;

		if (reads[i].left.kind == CEDAR_RESIDUAL_TRUE) {
			is_certain = true;
			certain =
				sensitivity_level(one) > sensitivity_level(certain) ? one : certain;
		} else if (reads[i].left.kind == CEDAR_RESIDUAL_CONDITION && reads[i].is_covered) {
			possible = lower_of(possible, one);
		}
	}
	return is_certain ? certain : possible;
}

static bool judge_reads(struct looking *looking, const struct outlook_read *reads)
{
	struct evaluation *evaluation = looking->evaluation;
	size_t i, possible = 0;
	bool is_certain = false;

	for (i = 0; i < looking->out->reads_count; i++) {
		const struct outlook_read *read = &reads[i];
		bool is_true = read->left.kind == CEDAR_RESIDUAL_TRUE;

		if (read->left.kind == CEDAR_RESIDUAL_FAILED)
			return never(looking, REASON_COULD_NOT_EVALUATE,
				SAY("Whether it reads data source %.*s cannot be evaluated.",
					TEXT_ARGS(read->name)));
		if (is_true && !read->is_covered)
			return never(looking, REASON_DATA_SOURCE,
				SAY("It reads data source %.*s, which the charter does not cover.",
					TEXT_ARGS(read->name)));
		if (read->left.kind == CEDAR_RESIDUAL_FALSE)
			continue;
		possible++;
		is_certain |= is_true;
		if (!is_true && (!read->is_covered || read->left.may_fail))
			looking->is_certain = false;
	}
	if (possible == 0 && (looking->out->reads_count > 0 || is_retrieval_method(evaluation)))
		return never(looking, REASON_DATA_SOURCE,
			TEXT("It reads data that no registered data source covers."));
	looking->is_certain &= is_certain || looking->out->reads_count == 0;
	looking->at_least = read_at_least(looking, reads);
	return true;
}

static bool look_at_reads(struct looking *looking)
{
	struct evaluation *evaluation = looking->evaluation;
	const struct tool *tool = evaluation->tool;
	struct outlook_read *reads =
		arena_array(evaluation->arena, struct outlook_read, tool->reads_count + 1);
	uint32_t i;

	if (reads == NULL || (tool->reads_count > 0 && evaluation->world->reads == NULL))
		return never_for_memory(looking);
	looking->out->reads = reads;
	looking->out->reads_count = tool->reads_count;
	for (i = 0; i < tool->reads_count; i++) {
		reads[i].name = tool->reads[i].data_source;
		reads[i].source = evaluation_find_data_source(evaluation, reads[i].name);
		reads[i].sensitivity = sensitivity_read(looking, reads[i].source);
		reads[i].is_covered = is_covered(looking, reads[i].source);
		if (!tool_reads_left(evaluation->world->reads, i, evaluation, &looking->partial,
			    &reads[i].left))
			return never_for_memory(looking);
	}
	return judge_reads(looking, reads);
}

/* The charter's lines of recipients. */
static bool look_at_recipient_lines(struct looking *looking)
{
	const struct charter *charter = looking->evaluation->charter;
	struct outlook_recipient *lines = arena_array(
		looking->evaluation->arena, struct outlook_recipient, charter->outputs_count + 1);

	if (lines == NULL)
		return never_for_memory(looking);
	looking->out->recipients = lines;
	for (uint32_t i = 0; i < charter->outputs_count; i++)
		if (output_is_to_recipients(&charter->outputs[i]))
			lines[looking->out->recipients_count++] = (struct outlook_recipient){
				charter->outputs[i].to, charter->outputs[i].up_to};
	return true;
}

static bool look_at_recipients(struct looking *looking)
{
	const struct tool *tool = looking->evaluation->tool;

	/* Nor is what is read by a URI. */
	looking->is_certain &= !is_retrieval_method(looking->evaluation);
	/* A malformed target is refused, so no tool that has one is certain. */
	looking->is_certain &= tool->targets_count == 0;
	looking->out->has_recipients = tool_has_recipients(tool);
	looking->out->only_recipients = tool_goes_to_recipients(tool);
	return !looking->out->has_recipients || look_at_recipient_lines(looking);
}

/* What may go to a skill at all, and by the charter's line for its peer: no line of outputs lets
 * more go there. */
static enum sensitivity skill_up_to(const struct looking *looking, enum sensitivity up_to)
{
	const struct evaluation *evaluation = looking->evaluation;
	const struct charter_peer *line;

	if (!evaluation_is_peer(evaluation))
		return up_to;
	line = charter_find_peer(evaluation->charter, evaluation->tool->server);
	if (line != NULL && ceiling_level(line->up_to) < ceiling_level(up_to))
		up_to = ceiling_level(line->up_to) == 0 ? SENSITIVITY_PUBLIC : line->up_to;
	return ceiling_level(evaluation->tool->up_to) < ceiling_level(up_to)
		       ? evaluation->tool->up_to
		       : up_to;
}

/* Whether what is read may go to one of the places, whatever the task has read before. */
static bool may_go(const struct looking *looking)
{
	const struct outlook *out = looking->out;
	int level = sensitivity_level(looking->at_least);
	size_t i;

	for (i = 0; i < out->outputs_count; i++)
		if (level <= ceiling_level(out->outputs[i].up_to))
			return true;
	for (i = 0; out->only_recipients && i < out->recipients_count; i++)
		if (level <= ceiling_level(out->recipients[i].up_to))
			return true;
	return false;
}

/* What only reads carries nothing where its call has no URL. */
static bool judge_outputs(struct looking *looking)
{
	struct evaluation *evaluation = looking->evaluation;
	const struct tool *tool = evaluation->tool;
	bool may_carry_nothing = tool->effect == EFFECT_READ &&
				 !method_is_asked(method_find_dotted(tool->tool_name));

	if (may_carry_nothing || may_go(looking))
		return true;
	return never(looking, REASON_OUTPUT,
		SAY("It reads data that is %s or more, and the charter %.*s@%u lets none of that "
		    "go to %.*s.",
			sensitivity_word(looking->at_least), TEXT_ARGS(evaluation->entry->name),
			evaluation->entry->in_force->version, TEXT_ARGS(tool->name)));
}

/* What may go to the tool: the charter's lines with a target, then the one without, or
 * that public data may.  A line of the skill goes before one of the peer. */
static bool look_at_outputs(struct looking *looking)
{
	const struct charter *charter = looking->evaluation->charter;
	const struct tool *tool = looking->evaluation->tool;
	struct outlook_output *outputs = arena_array(
		looking->evaluation->arena, struct outlook_output, charter->outputs_count + 1);
	struct outlook_output any = {.up_to = SENSITIVITY_PUBLIC};
	/* Without a target no call is like a glob. */
	bool has_targets = tool->targets_count != 0 && !tool_goes_to_recipients(tool);
	bool is_own = false;
	size_t count = 0;
	uint32_t i;

	if (!tool_carries(tool))
		return true;
	if (outputs == NULL)
		return never_for_memory(looking);
	for (i = 0; i < charter->outputs_count; i++) {
		const struct charter_output *line = &charter->outputs[i];
		enum sensitivity up_to = skill_up_to(looking, line->up_to);

		if (!output_is_to_tool(line, tool) || (line->target.length != 0 && !has_targets))
			continue;
		if (line->target.length != 0)
			outputs[count++] = (struct outlook_output){line->target, up_to};
		else if (!is_own)
			any.up_to = up_to;
		is_own |= line->target.length == 0 && text_equal(line->to, tool->name);
	}
	any.up_to = skill_up_to(looking, any.up_to);
	outputs[count++] = any;
	looking->out->outputs = outputs;
	looking->out->outputs_count = count;
	/* What the task has read is not known here. */
	looking->is_certain &= count == 1 && any.up_to == SENSITIVITY_RESTRICTED;
	return judge_outputs(looking);
}

/* What may go to the model: the lower of the registry's line and the charter's.  A request may
 * ask the provider to run what it may not, so none is certain. */
static bool look_at_model(struct looking *looking)
{
	const struct evaluation *evaluation = looking->evaluation;
	const struct server_model *model = evaluation->model;
	const struct charter_model *line =
		charter_find_model(evaluation->charter, evaluation->server->name, model->name);
	struct outlook_output *output = arena_new(evaluation->arena, struct outlook_output);

	if (output == NULL)
		return never_for_memory(looking);
	output->up_to = model->up_to;
	if (line == NULL || ceiling_level(line->up_to) < ceiling_level(model->up_to))
		output->up_to = line == NULL || ceiling_level(line->up_to) == 0 ? SENSITIVITY_PUBLIC
										: line->up_to;
	looking->out->outputs = output;
	looking->out->outputs_count = 1;
	looking->is_certain = false;
	return true;
}

/* ---- guardrails ------------------------------------------------------------------------- */

struct forbids {
	struct outlook_forbid *items;
	size_t capacity;
};

static bool put_forbid(
	struct looking *looking, struct forbids *forbids, const struct outlook_forbid *forbid)
{
	size_t count = looking->out->forbids_count, i;
	struct outlook_forbid *larger;

	if (count == forbids->capacity || forbids->items == NULL) {
		forbids->capacity = count == 0 ? 4 : count * 2;
		larger = arena_array(
			looking->evaluation->arena, struct outlook_forbid, forbids->capacity);
		if (larger == NULL)
			return never_for_memory(looking);
		for (i = 0; forbids->items != NULL && i < count; i++)
			larger[i] = forbids->items[i];
		forbids->items = larger;
		looking->out->forbids = larger;
	}
	forbids->items[looking->out->forbids_count++] = *forbid;
	return true;
}

/* One policy that may forbid it. */
static bool look_at_guardrail(struct looking *looking, struct forbids *forbids,
	const struct cedar_policy_set *set, size_t index)
{
	struct evaluation *evaluation = looking->evaluation;
	struct outlook_forbid forbid;

	if (!policy_left(looking, set, index, &forbid.left))
		return false;
	if (forbid.left.kind == CEDAR_RESIDUAL_FALSE)
		return true;
	forbid.id = cedar_text_to(cedar_policy_set_get(set, index).id);
	if (forbid.left.kind == CEDAR_RESIDUAL_TRUE)
		return never(
			looking, REASON_FORBIDDEN, SAY("%.*s forbids it.", TEXT_ARGS(forbid.id)));
	if (forbid.left.kind == CEDAR_RESIDUAL_FAILED)
		return never(looking, REASON_COULD_NOT_EVALUATE,
			SAY("%.*s cannot be evaluated.", TEXT_ARGS(forbid.id)));
	looking->is_certain = false;
	return put_forbid(looking, forbids, &forbid);
}

/* Only those that the set's index finds: most are about something else. */
static bool look_at_guardrails(struct looking *looking, struct forbids *forbids, struct text unit)
{
	struct evaluation *evaluation = looking->evaluation;
	const struct guardrails *guardrails =
		registry_guardrails(evaluation->world->registry, unit);
	const struct cedar_policy_set *set =
		guardrails == NULL ? NULL : guardrails_policies(guardrails);
	struct cedar_candidates candidates = {NULL, 0};
	struct cedar_error err;

	if (set != NULL && !cedar_partial_candidates(set, evaluation->entities, &looking->partial,
				   cedar_arena_from(evaluation->arena), &candidates, &err))
		return never_for_memory(looking);
	for (size_t i = 0; i < candidates.count; i++)
		if (!look_at_guardrail(looking, forbids, set, candidates.policies[i]))
			return false;
	return true;
}

static bool look_at_all_guardrails(struct looking *looking)
{
	struct text organisation = TEXT(REGISTRY_ORGANISATION);
	struct text own = looking->evaluation->charter->unit;
	struct text resource = looking->evaluation->server->unit;
	struct forbids forbids = {NULL, 0};

	if (!look_at_guardrails(looking, &forbids, organisation))
		return false;
	if (!text_equal(own, organisation) && !look_at_guardrails(looking, &forbids, own))
		return false;
	return text_equal(resource, organisation) || text_equal(resource, own) ||
	       look_at_guardrails(looking, &forbids, resource);
}

/* ---- other units ---------------------------------------------------------------------- */

/* Of the data, look_at_reads. */
static bool look_at_unit(struct looking *looking)
{
	struct evaluation *evaluation = looking->evaluation;

	return check_server_consent(evaluation, evaluation->entry) ||
	       never(looking, evaluation->out->reason, evaluation->out->explanation);
}

/* ---- all -------------------------------------------------------------------------------- */

static bool look(struct looking *looking)
{
	struct evaluation *evaluation = looking->evaluation;
	size_t i;

	for (i = 0; i < sizeof(known_rules) / sizeof(*known_rules); i++)
		if (!known_rules[i].holds(evaluation))
			return never(
				looking, evaluation->out->reason, evaluation->out->explanation);
	if (!make_partial(looking))
		return never_for_memory(looking);
	if (evaluation->model != NULL)
		return look_at_lines(looking) && look_at_unit(looking) && look_at_model(looking) &&
		       look_at_all_guardrails(looking);
	return look_at_recipients(looking) && look_at_lines(looking) && look_at_unit(looking) &&
	       look_at_reads(looking) && look_at_outputs(looking) &&
	       look_at_all_guardrails(looking);
}

void decide_outlook_as(const struct decide_world *world, const struct call *call,
	const struct registry_entry *identity, struct arena *arena, struct outlook *out)
{
	struct evaluation *evaluation = arena_new(arena, struct evaluation);
	struct decision decision = {.reason = REASON_NONE};
	struct looking looking = {.evaluation = evaluation, .out = out, .is_certain = true};
	const struct trial trial = {.identity = identity};

	*out = (struct outlook){
		.may = MAY_NEVER, .reason = REASON_NO_MEMORY, .environment = call->environment};
	if (evaluation == NULL)
		return;
	*evaluation = (struct evaluation){.world = world,
		.trial = identity == NULL ? NULL : &trial,
		.call = call,
		.arena = arena,
		.out = &decision};
	if (!look(&looking))
		return;
	out->reason = REASON_NONE;
	out->may = looking.is_certain ? MAY_ALWAYS : MAY_WHEN;
}

void decide_outlook(const struct decide_world *world, const struct call *call, struct arena *arena,
	struct outlook *out)
{
	decide_outlook_as(world, call, NULL, arena, out);
}

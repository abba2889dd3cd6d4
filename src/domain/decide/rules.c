/* The rules that no approval can change: who asks, for what, where, on which
 * data.  Each refuses with a reason or lets the next one look. */

#include "domain/call/uri.h"
#include "domain/decide/evaluation.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* ---- who, what, where ------------------------------------------------------- */

bool rule_method(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;

	switch (call->route) {
	case METHOD_TOOL:
	case METHOD_RESOURCE:
	case METHOD_ASKED:
	case METHOD_MODEL:
	case METHOD_PEER:
	case METHOD_FILTERED: return true;
	case METHOD_DENIED:
	case METHOD_LOCAL: break;
	}
	return refuse(evaluation, REASON_METHOD_UNKNOWN,
		SAY("No rule lets the method %.*s through.", TEXT_ARGS(call->method)),
		TEXT("Another method: this one is never forwarded."));
}

/* An identity that may act at all: used for the caller and for each link of its
 * chain. */
bool check_identity(
	struct evaluation *evaluation, const struct registry_entry *entry, struct text name)
{
	int64_t now_utc_s = evaluation->world->now_utc_ms / 1000;
	const struct charter *charter;

	if (entry == NULL)
		return refuse(evaluation, REASON_IDENTITY_UNKNOWN,
			SAY("No identity %.*s is registered.", TEXT_ARGS(name)),
			TEXT("A charter, proposed by one person and approved by another."));
	if (entry->state != IDENTITY_ACTIVE || entry->in_force == NULL)
		return refuse(evaluation, REASON_IDENTITY_NOT_ACTIVE,
			SAY("Identity %.*s is %s.", TEXT_ARGS(name),
				entry->state == IDENTITY_NONE ? "not active"
							      : identity_state_word(entry->state)),
			SAY("People who may do so must make %.*s active.", TEXT_ARGS(name)));
	charter = charter_of(entry->in_force);
	if (charter == &charter_lost)
		return refuse_no_memory(evaluation);
	if (is_expired(charter->expires_utc_s, now_utc_s))
		return refuse(evaluation, REASON_CHARTER_EXPIRED,
			SAY("The charter %.*s@%u has expired.", TEXT_ARGS(name),
				entry->in_force->version),
			SAY("A new version of charter %.*s with a later end, approved.",
				TEXT_ARGS(name)));
	return true;
}

bool rule_identity(struct evaluation *evaluation)
{
	struct text name = evaluation->call->identity;
	const struct registry_entry *entry = evaluation_find_identity(evaluation, name);

	if (!check_identity(evaluation, entry, name))
		return false;
	evaluation->entry = entry;
	evaluation->charter = charter_of(entry->in_force);
	return true;
}

/* But for the names of tools, which a decision may outlive. */
static void keep_labels(struct evaluation *evaluation, struct task_labels labels)
{
	labels.sensitivity_source.tool = TEXT("");
	labels.untrusted_source.tool = TEXT("");
	evaluation->out->labels = labels;
}

/* Nothing of what a sandbox was given goes on when its identity is promoted. */
static bool is_from_sandbox(const struct task *task, const struct registry_entry *entry)
{
	for (; entry->more->tasks_since != 0 && task != NULL; task = task->parent)
		if (text_equal(task->identity, entry->name) &&
			task->charter_version < entry->more->tasks_since)
			return true;
	return false;
}

/* Whoever has left asked for nothing any more, whatever was opened for them. */
static bool is_for_leaver(const struct evaluation *evaluation, const struct task *task)
{
	for (; task != NULL; task = task->parent) {
		struct text name = task_person(task);
		const struct person *person =
			name.length == 0 ? NULL : evaluation_find_person(evaluation, name);

		if (person != NULL && person_has_left(person))
			return true;
	}
	return false;
}

bool rule_task(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;
	const struct task *task;
	enum task_state state;

	if (evaluation->world->labels != NULL)
		keep_labels(evaluation, *evaluation->world->labels);
	if (evaluation->world->scope == DECIDE_FOR_QUESTION)
		return true;
	task = task_find(evaluation->world->tasks, call->task);
	if (task == NULL || !text_equal(task->identity, call->identity) ||
		task->environment != call->environment)
		return refuse(evaluation, REASON_TASK_UNKNOWN,
			SAY("No task %.*s of %.*s is open.", TEXT_ARGS(call->task),
				TEXT_ARGS(call->identity)),
			TEXT("A new task: ask for a token again."));
	state = task_state_now(task, evaluation->world->now_utc_ms);
	if (state != TASK_OPEN)
		return refuse(evaluation, REASON_TASK_NOT_LIVE,
			SAY("Task %.*s, or one above it, is %s.", TEXT_ARGS(call->task),
				task_state_word(state)),
			TEXT("A new task: ask for a token again."));
	if (is_from_sandbox(task, evaluation->entry))
		return refuse(evaluation, REASON_TASK_NOT_LIVE,
			SAY("Task %.*s is from when %.*s was a sandbox.", TEXT_ARGS(call->task),
				TEXT_ARGS(call->identity)),
			TEXT("A new task, with a key of the charter in force."));
	if (is_for_leaver(evaluation, task))
		return refuse(evaluation, REASON_TASK_NOT_LIVE,
			SAY("Task %.*s, or one above it, is for a person who has left.",
				TEXT_ARGS(call->task)),
			TEXT("A new task, for a person who is here."));
	evaluation->task = task;
	if (evaluation->world->labels == NULL)
		keep_labels(evaluation, task_labels_of(task));
	return true;
}

static bool is_spoken(enum speaks speaks, enum method_route route)
{
	if (route == METHOD_MODEL)
		return speaks_is_provider(speaks);
	return speaks == (route == METHOD_PEER ? SPEAKS_A2A : SPEAKS_MCP);
}

bool rule_server(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;

	evaluation->server = evaluation_find_server(evaluation, call->server);
	if (evaluation->server != NULL && is_spoken(evaluation->server->speaks, call->route))
		return true;
	if (evaluation->server != NULL)
		return refuse(evaluation, REASON_METHOD_UNKNOWN,
			SAY("Server %.*s does not speak that: it speaks %s.",
				TEXT_ARGS(call->server), speaks_word(evaluation->server->speaks)),
			TEXT("The door that is for what it speaks."));
	return refuse(evaluation, REASON_SERVER_UNKNOWN,
		SAY("No server %.*s is registered.", TEXT_ARGS(call->server)),
		SAY("An administrator must register server %.*s.", TEXT_ARGS(call->server)));
}

bool check_environment(
	struct evaluation *evaluation, const struct registry_entry *entry, enum environment value)
{
	if (value != ENVIRONMENT_NONE &&
		charter_has_environment(charter_of(entry->in_force), value))
		return true;
	return refuse(evaluation, REASON_ENVIRONMENT,
		SAY("The charter %.*s@%u does not cover environment %s.", TEXT_ARGS(entry->name),
			entry->in_force->version,
			value == ENVIRONMENT_NONE ? "\"none\"" : environment_word(value)),
		SAY("The environment in the charter of %.*s, approved.", TEXT_ARGS(entry->name)));
}

bool rule_environment(struct evaluation *evaluation)
{
	return check_environment(evaluation, evaluation->entry, evaluation->call->environment) &&
	       check_environment(evaluation, evaluation->entry, evaluation->server->environment);
}

/* ---- the tool ------------------------------------------------------------------ */

bool rule_tool(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;
	const struct tool *tool;

	evaluation->effect = call->effect;
	if (call->route == METHOD_MODEL) /* rule_model looks at it */
		evaluation->effect = EFFECT_GENERATE;
	if (call->route == METHOD_FILTERED || call->route == METHOD_MODEL)
		return true;
	tool = evaluation_find_tool(evaluation, call->tool);
	if (tool == NULL || !text_equal(tool->server, call->server))
		return refuse(evaluation, REASON_TOOL_UNKNOWN,
			SAY("No tool %.*s is registered.", TEXT_ARGS(call->tool)),
			SAY("An administrator must register tool %.*s.", TEXT_ARGS(call->tool)));
	evaluation->tool = tool;
	evaluation->effect = tool->effect;
	if (tool->effect != EFFECT_NONE &&
		(call->effect == EFFECT_NONE || call->effect == tool->effect))
		return true;
	return refuse(evaluation, REASON_EFFECT_MISMATCH,
		SAY("%.*s is registered as %s, not %s.", TEXT_ARGS(call->tool),
			tool->effect == EFFECT_NONE ? "nothing" : effect_word(tool->effect),
			call->effect == EFFECT_NONE ? "nothing" : effect_word(call->effect)),
		SAY("Ask for the effect that %.*s has.", TEXT_ARGS(call->tool)));
}

/* A task that was opened for certain calls makes no other, nor does any below it; what a
 * list may show is cut by other rules. */
bool rule_details(struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;
	const struct task_detail_call what = {
		.tool = call->tool, .effect = evaluation->effect, .arguments = &call->arguments};

	if (call->route == METHOD_FILTERED || task_is_for(evaluation->task, &what))
		return true;
	return refuse(evaluation, REASON_TASK_DETAILS,
		SAY("The authorization_details of task %.*s, or of one above it, do not list "
		    "%.*s with these arguments.",
			TEXT_ARGS(call->task), TEXT_ARGS(call->tool)),
		TEXT("A task whose authorization_details list exactly this call."));
}

bool rule_definition(struct evaluation *evaluation)
{
	const struct decide_world *world = evaluation->world;

	if (evaluation->tool == NULL)
		return true;
	switch (world->definition) {
	case DEFINITION_MATCHES:
	case DEFINITION_UNSEEN: return true;
	case DEFINITION_DIFFERS:
	case DEFINITION_UNPINNED:
	case DEFINITION_UNREADABLE:
		if (!evaluation->tool->has_definition)
			return true;
		break;
	case DEFINITION_RENAMED:
	case DEFINITION_SHADOWED:
	case DEFINITION_LOOK_ALIKE:
	case DEFINITION_STATE_COUNT: break;
	}
	(void)refuse(evaluation, REASON_TOOL_QUARANTINED, TEXT(""), TEXT(""));
	decide_explain_quarantine(evaluation->tool, world->definition, world->offered,
		evaluation->arena, evaluation->out);
	return false;
}

/* Only what is pinned says what arguments are. */
bool rule_arguments(struct evaluation *evaluation)
{
	const struct decide_world *world = evaluation->world;
	bool is_known = evaluation->tool != NULL && evaluation->tool->has_definition &&
			world->definition == DEFINITION_MATCHES;

	if (!is_known || world->arguments == ARGUMENTS_VALID ||
		world->arguments == ARGUMENTS_UNCHECKED)
		return true;
	(void)refuse(evaluation,
		world->arguments == ARGUMENTS_INVALID ? REASON_ARGUMENTS_INVALID
						      : REASON_COULD_NOT_EVALUATE,
		TEXT(""), TEXT(""));
	decide_explain_arguments(
		evaluation->call->tool, world->arguments_fault, evaluation->arena, evaluation->out);
	return false;
}

bool is_retrieval_method(const struct evaluation *evaluation)
{
	const struct call *call = evaluation->call;

	if (evaluation->tool == NULL)
		return false;
	if (call->route == METHOD_RESOURCE)
		return method_is_retrieval(method_find(call->method));
	/* A tool's name is no method's, but a question names the method as a tool. */
	return evaluation->world->scope == DECIDE_FOR_QUESTION &&
	       method_is_retrieval(method_find_dotted(evaluation->tool->tool_name));
}

static bool has_scheme(const struct server *server, struct text scheme)
{
	uint32_t i;

	for (i = 0; i < server->schemes_count; i++)
		if (text_equal(server->schemes[i], scheme))
			return true;
	return false;
}

/* What is bound by its URI is bound by its one spelling. */
static bool check_uri(struct evaluation *evaluation)
{
	const struct json *uri = json_find(&evaluation->call->arguments, "uri");
	const char *breach = "is not a text";
	struct text scheme;

	if (!text_is(evaluation->tool->tool_name, "resources.read"))
		return true;
	if (uri != NULL && uri->type == JSON_STRING)
		breach = uri_breach(uri->string, &scheme);
	if (breach != NULL)
		return refuse(evaluation, REASON_TARGET_MALFORMED,
			SAY("The URI of the resource %s.", breach),
			TEXT("The plain, canonical form of the same URI."));
	if (has_scheme(evaluation->server, scheme))
		return true;
	return refuse(evaluation, REASON_TARGET_MALFORMED,
		SAY("Resources of %.*s are not read by URIs of this scheme.",
			TEXT_ARGS(evaluation->server->name)),
		SAY("A scheme of server %.*s, or an administrator who adds this one to its "
		    "schemes.",
			TEXT_ARGS(evaluation->server->name)));
}

bool rule_targets(struct evaluation *evaluation)
{
	struct error err = {0};

	if (is_retrieval_method(evaluation) && !check_uri(evaluation))
		return false;

	if (evaluation->tool == NULL ||
		call_targets_check(evaluation->call, evaluation->tool, &err))
		return true;
	return refuse(evaluation, REASON_TARGET_MALFORMED, SAY("%s.", err.text),
		TEXT("The plain, direct form of the same target."));
}

/* Of another identity not which class it has. */
static struct text told_class(struct evaluation *evaluation, const struct registry_entry *entry)
{
	enum use_class use_class = charter_of(entry->in_force)->use_class;

	if (entry != evaluation->entry)
		return SAY("The class of the charter %.*s@%u does not permit %s.",
			TEXT_ARGS(entry->name), entry->in_force->version,
			effect_word(evaluation->effect));
	return SAY("%.*s has class %s, which does not permit %s.", TEXT_ARGS(entry->name),
		use_class == CLASS_NONE ? "none" : use_class_word(use_class),
		effect_word(evaluation->effect));
}

bool check_class(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct charter *charter = charter_of(entry->in_force);

	if (use_class_permits(charter->use_class, evaluation->effect))
		return true;
	/* Every use case may have models, which its charter lists (rule_model), and peers, which
	 * are lines of it. */
	if ((evaluation->model != NULL || evaluation_is_peer(evaluation)) &&
		charter->use_class != CLASS_NONE)
		return true;
	return refuse(evaluation, REASON_CLASS_CEILING, told_class(evaluation, entry),
		SAY("A charter of %.*s with a class that permits %s, and an entitlement for %.*s, "
		    "approved.",
			TEXT_ARGS(entry->name), effect_word(evaluation->effect),
			TEXT_ARGS(evaluation->call->tool)));
}

bool rule_class(struct evaluation *evaluation)
{
	return check_class(evaluation, evaluation->entry);
}

bool rule_request(struct evaluation *evaluation)
{
	return evaluation_build_request(evaluation) || refuse_no_memory(evaluation);
}

/* ---- the data -------------------------------------------------------------------- */

bool is_judged_by_row(const struct evaluation *evaluation)
{
	return evaluation->tool != NULL && evaluation->tool->classification.length != 0;
}

/* What is above the ceiling does not come, so it does not count either. */
static void cap_label(struct evaluation *evaluation)
{
	struct decision *out = evaluation->out;

	if (out->ceiling == SENSITIVITY_UNLABELLED || out->sensitivity == SENSITIVITY_UNLABELLED)
		return;
	if (sensitivity_level(out->sensitivity) > sensitivity_level(out->ceiling))
		out->sensitivity = out->ceiling;
	evaluation->sensitivity = out->sensitivity;
}

void lower_ceiling(struct evaluation *evaluation, enum sensitivity up_to)
{
	struct decision *out = evaluation->out;

	if (out->ceiling == SENSITIVITY_UNLABELLED ||
		sensitivity_level(up_to) < sensitivity_level(out->ceiling))
		out->ceiling = up_to;
	cap_label(evaluation);
}

/* What is read for a person comes to them in the end: their clearance is a ceiling of its own.
 * Absent, they have none.  The sentence goes to an agent, and does not say up to where. */
static bool check_person(struct evaluation *evaluation, const struct data_source *source)
{
	struct text name = evaluation->task == NULL ? TEXT("") : task_person(evaluation->task);
	const struct person *person =
		name.length == 0 ? NULL : evaluation_find_person(evaluation, name);

	if (person == NULL || person->clearance == SENSITIVITY_UNLABELLED)
		return true;
	if (is_judged_by_row(evaluation)) {
		lower_ceiling(evaluation, person->clearance);
		return true;
	}
	if (sensitivity_level(source->sensitivity) <= sensitivity_level(person->clearance))
		return true;
	return refuse(evaluation, REASON_SENSITIVITY,
		SAY("It reads data source %.*s, and the person that the task is for is not cleared "
		    "for it.",
			TEXT_ARGS(source->name)),
		SAY("A person who is cleared for data source %.*s, or less sensitive data.",
			TEXT_ARGS(source->name)));
}

/* How far the line covers it; of another identity's charter which line, and not how far. */
static struct text told_cover(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct charter_data_source *line)
{
	if (entry != evaluation->entry)
		return SAY("does not cover it so far (data-sources[%u])",
			(unsigned)(line - charter_of(entry->in_force)->data_sources));
	return SAY("covers it up to %s",
		line->up_to == SENSITIVITY_UNLABELLED ? "nothing" : sensitivity_word(line->up_to));
}

bool check_source(struct evaluation *evaluation, const struct registry_entry *entry,
	const struct data_source *source)
{
	const struct charter_data_source *line =
		charter_find_data_source(charter_of(entry->in_force), source->name);
	int level = sensitivity_level(source->sensitivity);

	if (line == NULL)
		return refuse(evaluation, REASON_DATA_SOURCE,
			SAY("It reads data source %.*s, which the charter %.*s@%u does not list.",
				TEXT_ARGS(source->name), TEXT_ARGS(entry->name),
				entry->in_force->version),
			SAY("Data source %.*s in the charter of %.*s, approved.",
				TEXT_ARGS(source->name), TEXT_ARGS(entry->name)));
	if (!check_person(evaluation, source))
		return false;
	if (is_judged_by_row(evaluation) && line->up_to != SENSITIVITY_UNLABELLED) {
		lower_ceiling(evaluation, line->up_to);
		return true;
	}
	if (level <= ceiling_level(line->up_to))
		return true;
	return refuse(evaluation, REASON_SENSITIVITY,
		SAY("Data source %.*s is %s; the charter %.*s@%u %.*s.", TEXT_ARGS(source->name),
			source->sensitivity == SENSITIVITY_UNLABELLED
				? "unlabelled, which counts as restricted"
				: sensitivity_word(source->sensitivity),
			TEXT_ARGS(entry->name), entry->in_force->version,
			TEXT_ARGS(told_cover(evaluation, entry, line))),
		SAY("Data source %.*s up to its sensitivity in the charter of %.*s, approved.",
			TEXT_ARGS(source->name), TEXT_ARGS(entry->name)));
}

/* Names outlive the registry's objects, which a call in flight does not hold. */
static bool name_sources(struct evaluation *evaluation)
{
	size_t count = evaluation->sources_count, i;
	struct text *names = arena_array(evaluation->arena, struct text, count);

	if (names == NULL)
		return false;
	for (i = 0; i < count; i++) {
		names[i] = text_copy(evaluation->arena, evaluation->sources[i]->name);
		if (names[i].data == NULL)
			return false;
	}
	evaluation->out->sources = names;
	evaluation->out->sources_count = count;
	return true;
}

static bool refuse_unbound(struct evaluation *evaluation)
{
	struct text name = evaluation->tool->name;

	if (evaluation->tool->reads_count == 0)
		return refuse(evaluation, REASON_DATA_SOURCE,
			SAY("%.*s is bound to no data source, so nothing may be read by it.",
				TEXT_ARGS(name)),
			SAY("A reads line of %.*s for these arguments.", TEXT_ARGS(name)));
	return refuse(evaluation, REASON_DATA_SOURCE,
		SAY("With these arguments %.*s reads data that no registered data source "
		    "covers.",
			TEXT_ARGS(name)),
		SAY("Arguments that stay within a data source of %.*s, or a reads line "
		    "of the tool for them.",
			TEXT_ARGS(name)));
}

/* Raises what would be read to this sensitivity. */
static void add_sensitivity(struct evaluation *evaluation, enum sensitivity sensitivity)
{
	int level = sensitivity_level(sensitivity);

	if (evaluation->sensitivity == SENSITIVITY_UNLABELLED ||
		level > sensitivity_level(evaluation->sensitivity))
		evaluation->sensitivity = level >= sensitivity_level(SENSITIVITY_RESTRICTED)
						  ? SENSITIVITY_RESTRICTED
						  : sensitivity;
}

void settle_sensitivity(struct evaluation *evaluation)
{
	for (size_t i = 0; i < evaluation->sources_count; i++)
		add_sensitivity(evaluation, evaluation->sources[i]->sensitivity);
	evaluation->out->sensitivity = evaluation->sensitivity;
	cap_label(evaluation);
}

/* A line of the tool says that strangers write a field of its results.  What a peer answers
 * is a stranger's, unless its lines say what is not. */
static bool has_untrusted_result(const struct tool *tool)
{
	uint32_t i;

	if (tool_is_skill(tool) && tool->results_count == 0)
		return true;
	for (i = 0; i < tool->results_count; i++)
		if (tool->results[i].trust != TRUST_TRUSTED)
			return true;
	return false;
}

/* Fills sources, the highest sensitivity and trust of what would be read. */
bool rule_sources(struct evaluation *evaluation)
{
	const struct tool *tool = evaluation->tool;
	bool is_untrusted = false;
	size_t i;

	if (tool == NULL)
		return true;
	evaluation->out->is_untrusted = has_untrusted_result(tool);
	if (tool->reads_count == 0)
		return !is_retrieval_method(evaluation) || refuse_unbound(evaluation);
	if (evaluation->world->reads == NULL)
		return refuse_no_memory(evaluation);
	if (!tool_reads_match(evaluation->world->reads, evaluation))
		return false;
	if (evaluation->sources_count == 0)
		return refuse_unbound(evaluation);
	if (!name_sources(evaluation))
		return refuse_no_memory(evaluation);
	for (i = 0; i < evaluation->sources_count; i++) {
		if (!check_source(evaluation, evaluation->entry, evaluation->sources[i]))
			return false;
		is_untrusted |= evaluation->sources[i]->trust != TRUST_TRUSTED;
	}
	settle_sensitivity(evaluation);
	evaluation->out->is_source_trusted = !is_untrusted;
	evaluation->out->is_untrusted |= is_untrusted;
	return true;
}

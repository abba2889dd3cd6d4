/* Decisions for others: which point is asked, by whom, and what it says.
 *
 * remit's own point goes through decide_ask, so I1 holds; an application's rules say
 * nothing about calls, whatever they permit. */
#include "services/evaluate/evaluate.h"

#include <stdlib.h>

#include "domain/charter/form.h"
#include "domain/charter/vocabulary.h"
#include "services/evaluate/evaluate_private.h"

enum {
	WORD_BYTES_SHOWN = 64,
	SCRATCH_BYTES_MAX = 16 * 1024 * 1024,
	TEXT_BYTES_MAX = 4 * 1024 * 1024
};

bool evaluate_create(struct evaluate **out, const struct evaluate_parts *parts, struct error *err)
{
	struct evaluate *evaluate = calloc(1, sizeof *evaluate);

	*out = NULL;
	if (evaluate == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for decision points");
	evaluate->parts = *parts;
	buffer_init(&evaluate->text, TEXT_BYTES_MAX);
	evaluate->scratch = arena_create(SCRATCH_BYTES_MAX);
	if (evaluate->scratch == NULL) {
		evaluate_destroy(&evaluate);
		return error_set(err, ERROR_LIMIT, "no memory for decision points");
	}
	*out = evaluate;
	return true;
}

void evaluate_destroy(struct evaluate **evaluate)
{
	if (*evaluate == NULL)
		return;
	evaluate_drop_records(*evaluate);
	arena_destroy(&(*evaluate)->scratch);
	buffer_deinit(&(*evaluate)->text);
	free(*evaluate);
	*evaluate = NULL;
}

/* ---- who may ask ---- */

static enum evaluate_admission admit(
	const struct registry_entry *entry, const struct evaluate_asker *asker)
{
	const struct application *application;

	if (entry == NULL)
		return EVALUATE_UNKNOWN;
	application = entry->in_force->application;
	for (uint32_t i = 0; i < application->callers_count; i++)
		if (text_equal(application->callers[i], asker->identity))
			return EVALUATE_ADMITTED;
	return EVALUATE_REFUSED;
}

enum evaluate_admission evaluate_admit(
	const struct evaluate *evaluate, const struct evaluate_asker *asker)
{
	if (asker->application.length == 0)
		return EVALUATE_ADMITTED;
	return admit(
		registry_find_application(evaluate->parts.registry, asker->application), asker);
}

enum application_reads evaluate_reads(const struct evaluate *evaluate, struct text application)
{
	const struct registry_entry *entry =
		application.length == 0
			? NULL
			: registry_find_application(evaluate->parts.registry, application);

	return entry == NULL ? APPLICATION_READS_1_0 : entry->in_force->application->reads;
}

uint64_t evaluate_state(const struct evaluate *evaluate, struct text application)
{
	const struct registry_entry *entry =
		application.length == 0
			? NULL
			: registry_find_application(evaluate->parts.registry, application);

	return entry == NULL ? 0 : entry->in_force->version;
}

bool evaluate_read_bytes(struct evaluate *evaluate, const struct application_question *question,
	uint64_t *out, struct error *err)
{
	const struct json *const parts[] = {question->context, question->action_properties,
		question->subject.properties, question->resource.properties};

	*out = 0;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i] == NULL)
			continue;
		buffer_reset(&evaluate->text);
		json_canonical(&evaluate->text, parts[i]);
		if (buffer_failed(&evaluate->text))
			return error_set(err, ERROR_LIMIT, "no memory for the question");
		*out += evaluate->text.length;
	}
	return true;
}

/* ---- an application's point ---- */

static bool keep_policies(struct evaluate_answer *out, struct arena *arena,
	const struct application_answer *answer, struct error *err)
{
	struct text *policies = arena_array(arena, struct text, answer->policies_count + 1);

	if (policies == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the answer");
	for (size_t i = 0; i < answer->policies_count; i++)
		policies[i] = answer->policies[i];
	out->policies = policies;
	out->policies_count = answer->policies_count;
	return true;
}

static bool decide_application(struct evaluate *evaluate, const struct evaluate_asking *asking,
	struct arena *arena, struct evaluate_answer *out, struct error *err)
{
	const struct registry_entry *entry =
		registry_find_application(evaluate->parts.registry, asking->asker->application);
	struct application_answer answer;

	if (admit(entry, asking->asker) != EVALUATE_ADMITTED)
		return error_set(err, ERROR_INVALID, "forbidden: this identity may not ask here");
	application_decide(entry->rules, asking->question, arena, &answer);
	out->verdict = answer.is_allowed ? VERDICT_ALLOW : VERDICT_DENY;
	out->reason = text_of(application_reason_word(answer.reason));
	out->explanation = answer.detail.length > 0
				   ? answer.detail
				   : text_of(application_reason_meaning(answer.reason));
	return keep_policies(out, arena, &answer, err);
}

/* ---- remit's own point ---- */

/* What a call's context says of itself, and a stranger may not. */
static const char *const reserved[] = {"approvals", "approval", "binding", "chain", "environment",
	"first", "generation", "labels", "origins", "risk", "secrets", "task"};

static bool check_context(const struct json *context, struct error *err)
{
	const struct json *arguments = context == NULL ? NULL : json_find(context, "args");

	for (size_t i = 0; context != NULL && i < sizeof reserved / sizeof *reserved; i++)
		if (json_find(context, reserved[i]) != NULL)
			return error_set(err, ERROR_INVALID,
				"context.%s is known to remit and cannot be given", reserved[i]);
	if (arguments != NULL && arguments->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "context.args: an object is expected");
	return true;
}

bool evaluate_check_own(const struct evaluate_asker *asker,
	const struct application_question *question, struct error *err)
{
	return check_context(question->context, err) &&
	       (!text_is(question->subject.type, "identity") ||
		       text_equal(question->subject.id, asker->identity) ||
		       error_set(err, ERROR_INVALID,
			       "forbidden: an identity may ask about itself only"));
}

/* The open approval of the same identity, tool and arguments, whichever of its tasks
 * asked: digests are keyed by task, so that the arguments are read for each. */
static struct text find_approval(
	struct evaluate *evaluate, const struct decide_question *question, struct arena *arena)
{
	const struct contents_port *values = &evaluate->parts.values;
	const struct json empty = {.type = JSON_OBJECT};
	struct text arguments = json_canonical_text(
		arena, question->arguments == NULL ? &empty : question->arguments);
	const struct approval *approval = NULL;
	size_t left_bytes = EVALUATE_COMPARED_BYTES_MAX;
	struct error err;

	while (arguments.data != NULL && arguments.length <= left_bytes &&
		(approval = approval_next(evaluate->parts.approve, approval)) != NULL) {
		enum approval_state state =
			approval_state_now(evaluate->parts.approve, approval, question->now_utc_ms);
		struct sha256 digest;

		if ((state != APPROVAL_PENDING && state != APPROVAL_APPROVED) ||
			!text_equal(approval->identity, question->identity) ||
			!text_equal(approval->tool, question->resource))
			continue;
		left_bytes -= arguments.length;
		if (values->digest(values->context, approval->task, arguments, &digest, &err) &&
			sha256_equal(&digest, &approval->arguments))
			return approval->id;
	}
	return TEXT("");
}

static void take_decision(struct evaluate_answer *out, const struct decision *decision)
{
	out->verdict = decision->verdict;
	out->reason = text_of(reason_word(decision->reason));
	out->explanation = decision->explanation.length > 0
				   ? decision->explanation
				   : text_of(reason_meaning(decision->reason));
	out->needed = decision->needed;
	out->policies = decision->policies;
	out->policies_count = decision->policies_count;
	out->approvals = decision->approvals;
	out->approvals_count = decision->approvals_count;
}

/* For the reason; what is wrong in the question, in an arena, may be without room. */
static void deny(struct evaluate_answer *out, enum reason reason, struct text what)
{
	out->verdict = VERDICT_DENY;
	out->reason = text_of(reason_word(reason));
	out->explanation = what.length > 0 ? what : text_of(reason_meaning(reason));
}

/* A word of the asker's that nothing here is. */
static struct text no_word(struct arena *arena, const char *member, const char *kind,
	struct text word, const char *otherwise)
{
	return text_format(arena, "%s: no %s is \"%.*s\"; %s", member, kind,
		TEXT_ARGS(text_head(word, WORD_BYTES_SHOWN)), otherwise);
}

/* True unless remit's own point has other types, or no such effect. */
static bool check_words(const struct application_question *asked, enum effect effect,
	struct arena *arena, struct evaluate_answer *out)
{
	static const char subject[] = "it is asked about type identity";
	static const char resource[] = "it is asked about type tool";

	if (!text_is(asked->subject.type, "identity"))
		deny(out, REASON_IDENTITY_UNKNOWN,
			no_word(arena, "subject.type", "type", asked->subject.type, subject));
	else if (!text_is(asked->resource.type, "tool"))
		deny(out, REASON_TOOL_UNKNOWN,
			no_word(arena, "resource.type", "type", asked->resource.type, resource));
	else if (effect == EFFECT_NONE)
		deny(out, REASON_EFFECT_MISMATCH,
			no_word(arena, "action.name", "effect", asked->action,
				vocabulary_find(TEXT("effect"))->hint));
	else
		return true;
	return false;
}

/* A tool; of a request to a model PROVIDER/MODEL, whose name may have more letters in it. */
static bool is_named(const struct application_question *asked, enum effect effect)
{
	return effect == EFFECT_GENERATE ? name_is_provider_model(asked->resource.id)
					 : name_is_tool(asked->resource.id);
}

static bool decide_own(struct evaluate *evaluate, const struct evaluate_asking *asking,
	struct arena *arena, struct evaluate_answer *out, struct error *err)
{
	const struct evaluate_asker *asker = asking->asker;
	const struct application_question *asked = asking->question;
	struct decide_question question = {.identity = asked->subject.id,
		.environment = asker->environment,
		.effect = effect_of(asked->action),
		.resource = asked->resource.id,
		.search = asking->search,
		.now_utc_ms = fold_stamp_utc_ms(evaluate->parts.fold)};
	struct decision decision;

	if (!evaluate_check_own(asker, asked, err))
		return false;
	if (!check_words(asked, question.effect, arena, out))
		return true;
	if (!is_named(asked, question.effect)) {
		deny(out, REASON_TOOL_UNKNOWN, TEXT("resource.id: SERVER/TOOL is expected"));
		return true;
	}
	if (asked->context != NULL)
		question.arguments = json_find(asked->context, "args");
	if (!decide_ask(evaluate->parts.decide, &question, arena, &decision, err))
		return false;
	take_decision(out, &decision);
	if (out->verdict == VERDICT_ASK)
		out->approval = find_approval(evaluate, &question, arena);
	return true;
}

bool evaluate_ask(struct evaluate *evaluate, const struct evaluate_asking *asking,
	struct arena *arena, struct evaluate_answer *out, struct error *err)
{
	*out = (struct evaluate_answer){0};
	return asking->asker->application.length == 0
		       ? decide_own(evaluate, asking, arena, out, err)
		       : decide_application(evaluate, asking, arena, out, err);
}

/* ---- what is kept of it ---- */

static bool keep_text(struct text *kept, struct arena *arena)
{
	*kept = text_copy(arena, *kept);
	return kept->data != NULL;
}

static bool keep_texts(const struct text **kept, size_t count, struct arena *arena)
{
	struct text *copies = arena_array(arena, struct text, count + 1);

	if (copies == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		copies[i] = (*kept)[i];
		if (!keep_text(&copies[i], arena))
			return false;
	}
	*kept = copies;
	return true;
}

/* Reasons are words of ours, and an approval's id is its own. */
static bool keep_answer(struct evaluate_answer *answer, struct arena *arena)
{
	return keep_text(&answer->explanation, arena) && keep_text(&answer->needed, arena) &&
	       keep_texts(&answer->policies, answer->policies_count, arena) &&
	       keep_texts(&answer->approvals, answer->approvals_count, arena);
}

bool evaluate_decide(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct application_question *question, struct arena *arena,
	struct evaluate_answer *out, struct error *err)
{
	const struct evaluate_asking asking = {asker, question, DECIDE_SEARCH};
	bool ok = evaluate_ask(evaluate, &asking, evaluate->scratch, out, err);

	if (ok && !keep_answer(out, arena))
		ok = error_set(err, ERROR_LIMIT, "no memory for the answer");
	arena_reset(evaluate->scratch);
	if (!ok)
		*out = (struct evaluate_answer){0};
	return ok;
}

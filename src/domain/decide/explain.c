/* Sentences for people and models: what refused, and the smallest change that
 * would allow it.  They decide nothing. */

#include <stdarg.h>
#include <stdio.h>

#include "cedar/from_json.h"
#include "domain/decide/evaluation.h"

#define CUT "\u2026" /* stands where something was cut */
enum { CUT_BYTES = sizeof CUT - 1 };

struct text evaluation_sentence(struct evaluation *evaluation, const char *fmt, ...)
{
	char sentence[SENTENCE_BYTES_MAX + 1];
	struct text parts[] = {{sentence, SENTENCE_BYTES_MAX}, {CUT, 0}};
	struct text copy;
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(sentence, sizeof(sentence), fmt, args);
	va_end(args);
	if (length < 0)
		return TEXT("");
	if (length > SENTENCE_BYTES_MAX) {
		length = SENTENCE_BYTES_MAX - CUT_BYTES;
		parts[1].length = CUT_BYTES;
	}
	parts[0] = text_head(parts[0], (size_t)length);
	copy = text_concat(evaluation->arena, parts, 2);
	return copy.data == NULL ? TEXT("") : copy;
}

struct text evaluation_quoted(struct evaluation *evaluation, struct text said)
{
	if (said.length <= QUOTED_BYTES_MAX)
		return said;
	said = text_head(said, QUOTED_BYTES_MAX - CUT_BYTES);
	return evaluation_sentence(evaluation, "%.*s" CUT, TEXT_ARGS(said));
}

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

/* It is pinned, and what is offered is something else. */
static struct text say_differs(
	struct evaluation *evaluation, const struct tool *tool, const struct sha256 *offered)
{
	char expected[DIGEST_TEXT_BYTES];
	char found[DIGEST_TEXT_BYTES];

	digest_format(expected, &tool->definition);
	if (offered == NULL)
		return SAY("Server %.*s does not offer exactly one %.*s, which is pinned as %s.",
			TEXT_ARGS(tool->server), TEXT_ARGS(tool->name), expected);
	digest_format(found, offered);
	return SAY("Server %.*s offers %.*s as %s; it is pinned as %s.", TEXT_ARGS(tool->server),
		TEXT_ARGS(tool->name), found, expected);
}

void decide_explain_quarantine(const struct tool *tool, enum definition_state definition,
	const struct sha256 *offered, struct arena *arena, struct decision *out)
{
	static const char *const why[DEFINITION_STATE_COUNT] = {
		[DEFINITION_RENAMED] = "is what was pinned by a name that its server dropped",
		[DEFINITION_SHADOWED] =
			"has no pin, and the name of a pinned tool of another server",
		[DEFINITION_LOOK_ALIKE] = "has no pin, and a name that looks like a pinned tool's",
		[DEFINITION_UNREADABLE] = "is as pinned, but the schemas of that cannot be used",
	};
	struct evaluation speaker = {.arena = arena};
	struct evaluation *evaluation = &speaker;

	out->explanation = why[definition] == NULL
				   ? say_differs(evaluation, tool, offered)
				   : SAY("%.*s %s.", TEXT_ARGS(tool->name), why[definition]);
	out->needed = SAY("An administrator must look at what is offered (remit definition show "
			  "%.*s) and apply its pin.",
		TEXT_ARGS(tool->name));
}

void decide_explain_arguments(
	struct text tool, struct text fault, struct arena *arena, struct decision *out)
{
	struct evaluation speaker = {.arena = arena};
	struct evaluation *evaluation = &speaker;

	out->explanation =
		fault.length == 0
			? SAY("The arguments do not fit the definition of %.*s.", TEXT_ARGS(tool))
			: SAY("The arguments do not fit the definition of %.*s: %.*s.",
				  TEXT_ARGS(tool), TEXT_ARGS(fault));
	out->needed = TEXT("Arguments as the tool's inputSchema has them (tools/list).");
}

/* The line of the charter that comes nearest: the first for this tool and effect, of those that
 * have not ended where there is one. */
static const struct entitlement *line_nearest(
	const struct evaluation *evaluation, const struct charter *charter)
{
	int64_t now_utc_s = evaluation->world->now_utc_ms / 1000;
	const struct entitlement *ended = NULL;
	uint32_t i;

	for (i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (!evaluation_is_about(evaluation, line))
			continue;
		if (!is_expired(line->expires_utc_s, now_utc_s))
			return line;
		if (ended == NULL)
			ended = line;
	}
	return ended;
}

/* The part of the condition that is false; the whole condition if Cedar cannot
 * say. */
static struct text failing_clause(struct evaluation *evaluation, struct ceiling *ceiling,
	const struct entitlement *line, struct text id)
{
	const struct cedar_policy_set *set = ceiling_policies(ceiling);
	struct cedar_explanation explanation = {0};
	struct cedar_error err = {0};
	size_t index;

	if (set == NULL || !cedar_policy_set_find(set, cedar_text_from(id), &index) ||
		!cedar_explain_policy(set, index, evaluation->entities, &evaluation->request,
			cedar_arena_from(evaluation->arena), &explanation, &err) ||
		explanation.text.length == 0)
		return line->when;
	return cedar_text_to(explanation.text);
}

/* Of an identity above: the sentences, which the caller is told, say whose line it is, and not what
 * the line says.  That is on record, for people. */
static bool refuse_condition_of_other(struct evaluation *evaluation, struct text id)
{
	return refuse(evaluation, REASON_NO_ENTITLEMENT,
		SAY("%.*s permits %.*s only under a condition that this call does not meet.",
			TEXT_ARGS(id), TEXT_ARGS(evaluation->call->tool)),
		TEXT("Arguments for which the condition holds, which the record tells people, or "
		     "a wider line in that charter, approved."));
}

static bool refuse_false_condition(struct evaluation *evaluation,
	const struct registry_entry *entry, const struct entitlement *line)
{
	struct text id = SAY("charter/%.*s@%u/entitlements/%u", TEXT_ARGS(entry->name),
		entry->in_force->version, line->number);
	struct text clause = failing_clause(evaluation, entry->ceiling, line, id);
	struct text quoted = evaluation_quoted(evaluation, clause);

	evaluation->out->entitlement = id;
	evaluation->out->clause = clause;
	evaluation->out->is_clause_of_other = entry != evaluation->entry;
	if (entry != evaluation->entry)
		return refuse_condition_of_other(evaluation, id);
	return refuse(evaluation, REASON_NO_ENTITLEMENT,
		SAY("%.*s permits %.*s only when %.*s.", TEXT_ARGS(id),
			TEXT_ARGS(evaluation->call->tool), TEXT_ARGS(quoted)),
		SAY("Arguments for which %.*s, or a wider line in the charter, approved.",
			TEXT_ARGS(quoted)));
}

/* As a line of a charter writes it. */
static const char *resource_prefix(const struct evaluation *evaluation)
{
	switch (evaluation_resource_kind(evaluation)) {
	case RESOURCE_MODEL: return "resource: model:";
	case RESOURCE_PEER: return "resource: peer:";
	case RESOURCE_TOOL:
	case RESOURCE_DATA_SOURCE:
	case RESOURCE_NONE: break;
	}
	return "tool: ";
}

bool refuse_no_entitlement(struct evaluation *evaluation, const struct registry_entry *entry)
{
	const struct entitlement *line =
		entry->ceiling == NULL ? NULL
				       : line_nearest(evaluation, charter_of(entry->in_force));

	if (line != NULL)
		return refuse_false_condition(evaluation, entry, line);
	return refuse(evaluation, REASON_NO_ENTITLEMENT,
		SAY("No line of the charter %.*s@%u permits %s on %.*s.", TEXT_ARGS(entry->name),
			entry->in_force->version, effect_word(evaluation->effect),
			TEXT_ARGS(evaluation->call->tool)),
		SAY("An entitlement {effect: %s, %s%.*s} in the charter of %.*s, approved.",
			effect_word(evaluation->effect), resource_prefix(evaluation),
			TEXT_ARGS(evaluation_resource(evaluation)), TEXT_ARGS(entry->name)));
}

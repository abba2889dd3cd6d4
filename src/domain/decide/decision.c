/* The words of verdicts and reasons: one list in the header gives them all. */

#include "domain/decide/decision.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const verdict_words[] = {
	[VERDICT_DENY] = "deny",
	[VERDICT_ALLOW] = "allow",
	[VERDICT_ASK] = "ask",
};

static const char *const reason_words[] = {
#define X(name, word, meaning) [name] = word,
	DECIDE_REASONS(X)
#undef X
};

static const char *const reason_meanings[] = {
#define X(name, word, meaning) [name] = meaning,
	DECIDE_REASONS(X)
#undef X
};

_Static_assert(COUNT(reason_words) == COUNT(reason_meanings), "one meaning for each word");

const char *verdict_word(enum verdict value)
{
	return (size_t)value < COUNT(verdict_words) ? verdict_words[value] : verdict_words[0];
}

const char *reason_word(enum reason value)
{
	return (size_t)value < COUNT(reason_words) ? reason_words[value] : reason_words[0];
}

const char *reason_meaning(enum reason value)
{
	return (size_t)value < COUNT(reason_meanings) ? reason_meanings[value] : reason_meanings[0];
}

enum reason reason_of(struct text word)
{
	size_t i;

	for (i = 0; i < COUNT(reason_words); i++)
		if (text_is(word, reason_words[i]))
			return (enum reason)i;
	return REASON_NONE;
}

/* ---- outputs ---- */

_Static_assert(CHARTER_LIST_MAX <= 64, "each line of a charter has its bit");

/* One for each bit. */
static size_t add_lines(
	struct decision_output *out, const char *to, uint64_t lines, enum sensitivity data)
{
	size_t count = 0;

	for (int line = 0; line < CHARTER_LIST_MAX; line++)
		if ((lines >> line & 1) != 0)
			out[count++] = (struct decision_output){to, line, data};
	return count;
}

size_t decision_outputs_of(
	const struct decision *decision, struct decision_output out[DECISION_OUTPUTS_MAX])
{
	const struct decision_outputs *outputs = &decision->outputs;
	size_t count = add_lines(out, "reply", outputs->reply, decision->sensitivity);

	count += add_lines(out + count, "recipient", outputs->recipients, outputs->carried);
	if (outputs->tool != 0)
		return count + add_lines(out + count, "tool", outputs->tool, outputs->carried);
	if (outputs->is_to_tool)
		out[count++] = (struct decision_output){"tool", -1, outputs->carried};
	return count;
}

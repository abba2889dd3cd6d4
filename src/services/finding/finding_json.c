/* The words of findings, and findings as JSON, for the API and the command line. */

#include "services/finding/finding.h"

static const struct {
	const char *word;
	const char *meaning;
} kinds[FINDING_KIND_COUNT] = {{"none", "of a kind that this version does not know"},
#define X(name, word, meaning) {word, meaning},
	FINDING_KINDS(X)
#undef X
};

const char *finding_kind_word(enum finding_kind value)
{
	return kinds[value].word;
}

const char *finding_kind_meaning(enum finding_kind value)
{
	return kinds[value].meaning;
}

enum finding_kind finding_kind_of(struct text word)
{
	size_t i;

	for (i = FINDING_NONE + 1; i < FINDING_KIND_COUNT; i++)
		if (text_is(word, kinds[i].word))
			return (enum finding_kind)i;
	return FINDING_NONE;
}

bool finding_json(
	struct json *out, struct arena *arena, const struct finding *finding, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_text(&object, "id", finding->id);
	json_put_cstring(&object, "kind", finding_kind_word(finding->kind));
	json_put_cstring(&object, "meaning", finding_kind_meaning(finding->kind));
	json_put_text(&object, "subject", finding->subject);
	json_put_text(&object, "control", finding->control);
	json_put_text(&object, "what", finding->what);
	if (finding->details != NULL)
		json_put(&object, "details", *finding->details);
	json_put_text_unless_empty(&object, "task", finding->task);
	json_put_text_unless_empty(&object, "unit", finding->unit);
	json_put_integer(&object, "opened", finding->opened_utc_ms);
	json_put_integer(&object, "record", (int64_t)finding->index);
	return json_object_seal(&object, out, err);
}

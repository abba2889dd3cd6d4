#include "edges/api/request.h"

#include <string.h>

#include "domain/audit/envelope.h"
#include "domain/charter/terms.h"
#include "domain/decide/decision.h"

/* Query parameters.  One that nobody reads, or a word of no vocabulary, would show
 * less or more than was asked for, and nothing would say so: both are refused. */

static const char *type_word(unsigned value)
{
	return record_type_name((enum record_type)value);
}

static const char *word_of_verdict(unsigned value)
{
	return verdict_word((enum verdict)value);
}

static const char *state_word(unsigned value)
{
	return approval_state_word((enum approval_state)value);
}

static const char *word_of_effect(unsigned value)
{
	return effect_word((enum effect)value);
}

static const char *word_of_environment(unsigned value)
{
	return environment_word((enum environment)value);
}

static const char *kind_word(unsigned value)
{
	return finding_kind_word((enum finding_kind)value);
}

static const char *severity_word(unsigned value)
{
	return risk_tier_word((enum risk_tier)value);
}

static const char *truth_word(unsigned value)
{
	return value == 0 ? "false" : "true";
}

static const struct api_vocabulary vocabularies[] = {
	{"type", type_word, RECORD_TYPE_UNKNOWN + 1, RECORD_TYPE_COUNT - 1},
	{"verdict", word_of_verdict, VERDICT_DENY, VERDICT_ASK},
	{"state", state_word, APPROVAL_PENDING, APPROVAL_EDITED},
	{"effect", word_of_effect, EFFECT_READ, EFFECT_DELEGATE},
	{"environment", word_of_environment, ENVIRONMENT_DEV, ENVIRONMENT_PROD},
	{"kind", kind_word, FINDING_NONE + 1, FINDING_KIND_COUNT - 1},
	{"severity", severity_word, RISK_LOW, RISK_CRITICAL},
	{"waiting", truth_word, 0, 1},
	{"inherited", truth_word, 0, 1},
};

const struct api_vocabulary *api_vocabulary_of(const char *name)
{
	for (size_t i = 0; i < sizeof vocabularies / sizeof vocabularies[0]; i++) {
		if (strcmp(vocabularies[i].name, name) == 0)
			return &vocabularies[i];
	}
	return NULL;
}

static bool has_word(const struct api_vocabulary *vocabulary, struct text word)
{
	for (unsigned value = vocabulary->first; value <= vocabulary->last; value++) {
		if (text_is(word, vocabulary->word(value)))
			return true;
	}
	return false;
}

bool api_check_word(struct api_request *request, const char *name, struct text value)
{
	const struct api_vocabulary *vocabulary = api_vocabulary_of(name);
	struct buffer detail;

	if (vocabulary == NULL || has_word(vocabulary, value))
		return true;
	buffer_init(&detail, 4096);
	buffer_append_format(&detail, "%s: one of these words is expected:", name);
	for (unsigned value_of = vocabulary->first; value_of <= vocabulary->last; value_of++)
		buffer_append_format(&detail, " %s", vocabulary->word(value_of));
	buffer_append_byte(&detail, '\0');
	api_answer_status(request, 400, buffer_failed(&detail) ? name : buffer_text(&detail).data);
	buffer_deinit(&detail);
	return false;
}

/* The row's own name of the parameter, or NULL. */
static const char *known_name(const struct api_route *route, struct text name)
{
	for (const char *const *known = route->query; known != NULL && *known != NULL; known++) {
		if (text_is(name, *known))
			return *known;
	}
	return NULL;
}

static bool refuse(struct api_request *request, struct text name, const char *why)
{
	struct text detail =
		text_format(request->arena, "%.*s: %s", TEXT_ARGS(text_head(name, 64)), why);

	api_answer_status(request, 400, detail.data == NULL ? why : detail.data);
	return false;
}

static bool is_blank(struct text value)
{
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] != ' ')
			return false;
	}
	return true;
}

bool api_check_query(struct api_request *request)
{
	struct text name;
	struct text value;

	for (size_t i = 0; http_query_name(request->exchange, i, &name); i++) {
		const char *known = known_name(request->route, name);

		if (known == NULL)
			return refuse(request, name, "this takes no such query parameter");
		if (!http_query_find(request->exchange, known, &value))
			return refuse(request, name, "it is given more than once");
		if (is_blank(value))
			return refuse(request, name, "it has no value");
		if (!api_check_word(request, known, value))
			return false;
	}
	return true;
}

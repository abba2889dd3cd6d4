#include "domain/charter/vocabulary.h"

#include <stddef.h>

#include "domain/charter/form.h"
#include "domain/charter/object.h"
#include "domain/charter/problem.h"
#include "domain/secret/fingerprint.h"

enum { WORDS_MAX = 16 }; /* of one vocabulary; word_at has none from there on */

static const char *effect_at(unsigned index)
{
	return effect_word((enum effect)index);
}

static const char *environment_at(unsigned index)
{
	return environment_word((enum environment)index);
}

static const char *risk_at(unsigned index)
{
	return risk_tier_word((enum risk_tier)index);
}

static const char *sensitivity_at(unsigned index)
{
	return sensitivity_word((enum sensitivity)index);
}

static const char *class_at(unsigned index)
{
	return use_class_word((enum use_class)index);
}

static const char *kind_at(unsigned index)
{
	return identity_kind_word((enum identity_kind)index);
}

static const char *concern_at(unsigned index)
{
	return concern_word((enum concern)index);
}

static const char *reversal_at(unsigned index)
{
	return reversal_word((enum reversal)index);
}

static const char *binding_at(unsigned index)
{
	return binding_word((enum binding)index);
}

static const char *secret_at(unsigned index)
{
	return index < SECRET_KINDS ? secret_kind_word((enum secret_kind)index) : NULL;
}

/* What a provider of models speaks. */
static const char *api_at(unsigned index)
{
	return index <= SPEAKS_A2A && speaks_is_provider((enum speaks)index)
		       ? speaks_word((enum speaks)index)
		       : NULL;
}

/* enum flow_origin, which is none of this folder's. */
static const char *origin_at(unsigned index)
{
	static const char *const words[] = {
		"none", "unknown", "untrusted", "trusted", "charter", "request"};

	return index < sizeof words / sizeof *words ? words[index] : NULL;
}

/* Those without a name behind them. */
static const char *approval_at(unsigned index)
{
	static const char *const words[] = {"owner", "backup-owner", "second"};

	return index < sizeof words / sizeof *words ? words[index] : NULL;
}

const struct vocabulary vocabulary_approvals = {"approvals", "name of an approval", approval_at,
	"write owner, backup-owner, second, role/ROLE, data-owner/UNIT or unit/UNIT"};
const struct vocabulary vocabulary_origins = {
	NULL, "origin", origin_at, "write none, unknown, untrusted, trusted, charter or request"};
static const struct vocabulary vocabularies[] = {
	{"effect", "effect", effect_at, "write read, write, execute, generate or delegate"},
	{"environment", "environment", environment_at, "write dev, test, staging or prod"},
	{"environments", "environment", environment_at, "write dev, test, staging or prod"},
	{"risk", "risk tier", risk_at, "write low, medium, high or critical"},
	{"concerns", "concern", concern_at, "write deployment, customer-data or money"},
	{"reversal", "reversal", reversal_at,
		"write none-needed, inverse, restore, held or irreversible"},
	{"sensitivity", "sensitivity", sensitivity_at,
		"write public, internal, confidential or restricted"},
	{"class", "class", class_at, "write summarise, retrieve, update or execute"},
	{"kind", "kind of identity", kind_at, "see docs/words.md for the kinds"},
	{"binding", "binding", binding_at, "write none, dpop or mtls"},
	{"api", "api of models", api_at, "write openai or anthropic"},
	{"secrets", "kind of a secret", secret_at, "write own or foreign"},
};

const struct vocabulary *vocabulary_find(struct text attribute)
{
	if (text_is(attribute, vocabulary_approvals.attribute))
		return &vocabulary_approvals;
	for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++)
		if (text_is(attribute, vocabularies[i].attribute))
			return &vocabularies[i];
	return NULL;
}

bool vocabulary_has(const struct vocabulary *vocabulary, struct text word)
{
	if (vocabulary == &vocabulary_approvals)
		return name_is_approval(word);
	for (unsigned i = 0; i < WORDS_MAX; i++) {
		const char *known = vocabulary->word_at(i);

		if (known != NULL && text_is(word, known))
			return true;
	}
	return false;
}

const char *vocabulary_nearest(const struct vocabulary *vocabulary, struct text wrong)
{
	const char *words[WORDS_MAX + 1];
	size_t count = 0;

	for (unsigned i = 0; i < WORDS_MAX; i++)
		if (vocabulary->word_at(i) != NULL)
			words[count++] = vocabulary->word_at(i);
	words[count] = NULL;
	return word_nearest(wrong, words);
}

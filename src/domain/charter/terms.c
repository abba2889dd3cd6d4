#include "domain/charter/terms.h"

#include <stddef.h>

/* One table a vocabulary, indexed by value; the zero value has no word, so no
 * text can name it. */

/* clang-format off */
static const char *const effect_words[] = {
	[EFFECT_READ] = "read", [EFFECT_WRITE] = "write", [EFFECT_EXECUTE] = "execute",
	[EFFECT_GENERATE] = "generate", [EFFECT_DELEGATE] = "delegate",
};
static const char *const use_class_words[] = {
	[CLASS_SUMMARISE] = "summarise", [CLASS_RETRIEVE] = "retrieve",
	[CLASS_UPDATE] = "update", [CLASS_EXECUTE] = "execute",
};
static const char *const sensitivity_words[] = {
	[SENSITIVITY_PUBLIC] = "public", [SENSITIVITY_INTERNAL] = "internal",
	[SENSITIVITY_CONFIDENTIAL] = "confidential", [SENSITIVITY_RESTRICTED] = "restricted",
};
static const char *const risk_tier_words[] = {
	[RISK_LOW] = "low", [RISK_MEDIUM] = "medium", [RISK_HIGH] = "high",
	[RISK_CRITICAL] = "critical",
};
static const char *const environment_words[] = {
	[ENVIRONMENT_DEV] = "dev", [ENVIRONMENT_TEST] = "test",
	[ENVIRONMENT_STAGING] = "staging", [ENVIRONMENT_PROD] = "prod",
};
static const char *const concern_words[] = {
	[CONCERN_DEPLOYMENT] = "deployment", [CONCERN_CUSTOMER_DATA] = "customer-data",
	[CONCERN_MONEY] = "money",
};
static const char *const binding_words[] = {
	[BINDING_NONE] = "none", [BINDING_DPOP] = "dpop", [BINDING_MTLS] = "mtls",
};
static const char *const binding_need_words[] = {
	[BINDING_NEED_NONE] = "none", [BINDING_NEED_DPOP] = "dpop",
	[BINDING_NEED_MTLS] = "mtls", [BINDING_NEED_ANY] = "any-bound",
};
static const char *const identity_kind_words[] = {
	[KIND_AGENT] = "agent", [KIND_ASSISTANT] = "assistant", [KIND_WORKFLOW] = "workflow",
	[KIND_MODEL] = "model", [KIND_SERVICE_ACCOUNT] = "service-account",
	[KIND_API_KEY] = "api-key", [KIND_OAUTH_APP] = "oauth-app",
	[KIND_INTEGRATION] = "integration", [KIND_TOOL_SERVER] = "tool-server",
};
static const char *const identity_state_words[] = {
	[IDENTITY_DRAFT] = "draft", [IDENTITY_PROPOSED] = "proposed",
	[IDENTITY_ACTIVE] = "active", [IDENTITY_SUSPENDED] = "suspended",
	[IDENTITY_RETIRED] = "retired",
};
/* clang-format on */

#define COUNT(words) (sizeof(words) / sizeof *(words))

static const char *word_at(const char *const *words, size_t count, unsigned value)
{
	return value < count ? words[value] : NULL;
}

static unsigned value_of(const char *const *words, size_t count, struct text word)
{
	for (unsigned value = 1; value < count; value++)
		if (text_is(word, words[value]))
			return value;
	return 0;
}

const char *effect_word(enum effect value)
{
	return word_at(effect_words, COUNT(effect_words), value);
}

const char *use_class_word(enum use_class value)
{
	return word_at(use_class_words, COUNT(use_class_words), value);
}

const char *sensitivity_word(enum sensitivity value)
{
	return word_at(sensitivity_words, COUNT(sensitivity_words), value);
}

const char *risk_tier_word(enum risk_tier value)
{
	return word_at(risk_tier_words, COUNT(risk_tier_words), value);
}

const char *environment_word(enum environment value)
{
	return word_at(environment_words, COUNT(environment_words), value);
}

const char *concern_word(enum concern value)
{
	return word_at(concern_words, COUNT(concern_words), value);
}

const char *binding_word(enum binding value)
{
	return word_at(binding_words, COUNT(binding_words), value);
}

const char *binding_need_word(enum binding_need value)
{
	return word_at(binding_need_words, COUNT(binding_need_words), value);
}

const char *identity_kind_word(enum identity_kind value)
{
	return word_at(identity_kind_words, COUNT(identity_kind_words), value);
}

const char *identity_state_word(enum identity_state value)
{
	return word_at(identity_state_words, COUNT(identity_state_words), value);
}

enum effect effect_of(struct text word)
{
	return (enum effect)value_of(effect_words, COUNT(effect_words), word);
}

enum use_class use_class_of(struct text word)
{
	return (enum use_class)value_of(use_class_words, COUNT(use_class_words), word);
}

enum sensitivity sensitivity_of(struct text word)
{
	return (enum sensitivity)value_of(sensitivity_words, COUNT(sensitivity_words), word);
}

enum risk_tier risk_tier_of(struct text word)
{
	return (enum risk_tier)value_of(risk_tier_words, COUNT(risk_tier_words), word);
}

enum environment environment_of(struct text word)
{
	return (enum environment)value_of(environment_words, COUNT(environment_words), word);
}

enum concern concern_of(struct text word)
{
	return (enum concern)value_of(concern_words, COUNT(concern_words), word);
}

enum binding binding_of(struct text word)
{
	return (enum binding)value_of(binding_words, COUNT(binding_words), word);
}

enum binding_need binding_need_of(struct text word)
{
	return (enum binding_need)value_of(binding_need_words, COUNT(binding_need_words), word);
}

enum identity_kind identity_kind_of(struct text word)
{
	return (enum identity_kind)value_of(identity_kind_words, COUNT(identity_kind_words), word);
}

enum identity_state identity_state_of(struct text word)
{
	return (enum identity_state)value_of(
		identity_state_words, COUNT(identity_state_words), word);
}

int sensitivity_level(enum sensitivity value)
{
	switch (value) {
	case SENSITIVITY_PUBLIC: return 1;
	case SENSITIVITY_INTERNAL: return 2;
	case SENSITIVITY_CONFIDENTIAL: return 3;
	case SENSITIVITY_UNLABELLED:
	case SENSITIVITY_RESTRICTED: break;
	}
	return 4; /* whatever has no label of its own is the most sensitive */
}

int ceiling_level(enum sensitivity up_to)
{
	return up_to == SENSITIVITY_UNLABELLED ? 0 : sensitivity_level(up_to);
}

int risk_tier_level(enum risk_tier value)
{
	return value == RISK_NONE ? RISK_CRITICAL : (int)value;
}

bool use_class_permits(enum use_class value, enum effect effect)
{
	switch (value) {
	case CLASS_SUMMARISE:
	case CLASS_RETRIEVE: return effect == EFFECT_READ;
	case CLASS_UPDATE: return effect == EFFECT_READ || effect == EFFECT_WRITE;
	case CLASS_EXECUTE:
		return effect == EFFECT_READ || effect == EFFECT_WRITE || effect == EFFECT_EXECUTE;
	case CLASS_NONE: break;
	}
	return false;
}

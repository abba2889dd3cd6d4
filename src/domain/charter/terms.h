#ifndef DOMAIN_CHARTER_TERMS_H
#define DOMAIN_CHARTER_TERMS_H

#include <stdbool.h>

#include "base/text.h"

/* The closed vocabularies of charters (docs/words.md).  Zero is always the
 * safe value: none, unknown, or the most restrictive. */

enum effect {
	EFFECT_NONE = 0,
	EFFECT_READ,
	EFFECT_WRITE,
	EFFECT_EXECUTE,
	EFFECT_GENERATE,
	EFFECT_DELEGATE
};

/* The ceiling of a use case.  NONE permits nothing. */
enum use_class { CLASS_NONE = 0, CLASS_SUMMARISE, CLASS_RETRIEVE, CLASS_UPDATE, CLASS_EXECUTE };

/* UNLABELLED counts as RESTRICTED wherever levels are compared. */
enum sensitivity {
	SENSITIVITY_UNLABELLED = 0,
	SENSITIVITY_PUBLIC,
	SENSITIVITY_INTERNAL,
	SENSITIVITY_CONFIDENTIAL,
	SENSITIVITY_RESTRICTED,
};

/* NONE counts as CRITICAL wherever tiers are compared. */
enum risk_tier { RISK_NONE = 0, RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };

enum environment {
	ENVIRONMENT_NONE = 0,
	ENVIRONMENT_DEV,
	ENVIRONMENT_TEST,
	ENVIRONMENT_STAGING,
	ENVIRONMENT_PROD
};

/* What a token is bound to, so that who stole it cannot use it: nothing, a key that signs
 * each request (RFC 9449), or the client certificate of the connection (RFC 8705). */
enum binding { BINDING_NONE = 0, BINDING_DPOP, BINDING_MTLS };

/* What a charter asks of its tokens.  BY_RISK, what counts where nothing is said: bound in
 * prod if the risk is high or critical. */
enum binding_need {
	BINDING_NEED_BY_RISK = 0,
	BINDING_NEED_NONE,
	BINDING_NEED_DPOP,
	BINDING_NEED_MTLS,
	BINDING_NEED_ANY,
};

/* What a call of a tool, or what lies in a data source, is about, where a mistake is
 * dear. */
enum concern { CONCERN_NONE = 0, CONCERN_DEPLOYMENT, CONCERN_CUSTOMER_DATA, CONCERN_MONEY };

enum identity_kind {
	KIND_NONE = 0,
	KIND_AGENT,
	KIND_ASSISTANT,
	KIND_WORKFLOW,
	KIND_MODEL,
	KIND_SERVICE_ACCOUNT,
	KIND_API_KEY,
	KIND_OAUTH_APP,
	KIND_INTEGRATION,
	KIND_TOOL_SERVER,
};

enum identity_state {
	IDENTITY_NONE = 0,
	IDENTITY_DRAFT,
	IDENTITY_PROPOSED,
	IDENTITY_ACTIVE,
	IDENTITY_SUSPENDED,
	IDENTITY_RETIRED,
};

/* The word of each value, as written in charters, records and the API; NULL
 * for the zero value. */
const char *effect_word(enum effect value);
const char *use_class_word(enum use_class value);
const char *sensitivity_word(enum sensitivity value);
const char *risk_tier_word(enum risk_tier value);
const char *environment_word(enum environment value);
const char *concern_word(enum concern value);
const char *binding_word(enum binding value); /* "none" for NONE */
const char *binding_need_word(enum binding_need value);
const char *identity_kind_word(enum identity_kind value);
const char *identity_state_word(enum identity_state value);

/* The value of a word; the zero value if it is none of them. */
enum effect effect_of(struct text word);
enum use_class use_class_of(struct text word);
enum sensitivity sensitivity_of(struct text word);
enum risk_tier risk_tier_of(struct text word);
enum environment environment_of(struct text word);
enum concern concern_of(struct text word);
enum binding binding_of(struct text word);
enum binding_need binding_need_of(struct text word);
enum identity_kind identity_kind_of(struct text word);
enum identity_state identity_state_of(struct text word);

/* 1 (public) to 4 (restricted); unlabelled is 4. */
int sensitivity_level(enum sensitivity value);
/* The same of a ceiling, where a level that nobody wrote covers nothing: 0. */
int ceiling_level(enum sensitivity up_to);
/* 1 (low) to 4 (critical); none is 4. */
int risk_tier_level(enum risk_tier value);
/* summarise and retrieve: read; update: read, write; execute: all three.
 * Nothing permits generate or delegate here: those have rules of their own. */
bool use_class_permits(enum use_class value, enum effect effect);

#endif

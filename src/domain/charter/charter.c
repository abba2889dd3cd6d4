#include "domain/charter/charter.h"

#include <strings.h>

int64_t risk_token_s_max(enum risk_tier risk)
{
	switch (risk) {
	case RISK_LOW:
	case RISK_MEDIUM: return CHARTER_TASK_S_MAX;
	case RISK_HIGH: return TOKEN_HIGH_S_MAX;
	case RISK_NONE:
	case RISK_CRITICAL: break;
	}
	return TOKEN_CRITICAL_S_MAX;
}

int64_t charter_token_s(const struct charter *charter)
{
	int64_t said_s = charter->task_s > 0 ? charter->task_s : CHARTER_TASK_S_DEFAULT;
	int64_t most_s = risk_token_s_max(charter->risk);

	return said_s < most_s ? said_s : most_s;
}

bool charter_is_sandbox(const struct charter *charter)
{
	return charter->sandbox.template_version > 0;
}

uint32_t environment_bit(enum environment value)
{
	return value == ENVIRONMENT_NONE ? 0 : UINT32_C(1) << value;
}

bool charter_has_environment(const struct charter *charter, enum environment value)
{
	return (charter->environments & environment_bit(value)) != 0;
}

enum binding_need charter_binding_need(const struct charter *charter, enum environment environment)
{
	if (charter->binding != BINDING_NEED_BY_RISK)
		return charter->binding;
	return environment == ENVIRONMENT_PROD &&
			       risk_tier_level(charter->risk) >= risk_tier_level(RISK_HIGH)
		       ? BINDING_NEED_ANY
		       : BINDING_NEED_NONE;
}

bool charter_takes_binding(
	const struct charter *charter, enum environment environment, enum binding shown)
{
	switch (charter_binding_need(charter, environment)) {
	case BINDING_NEED_NONE: return true;
	case BINDING_NEED_DPOP: return shown == BINDING_DPOP;
	case BINDING_NEED_MTLS: return shown == BINDING_MTLS;
	case BINDING_NEED_ANY: return shown == BINDING_DPOP || shown == BINDING_MTLS;
	case BINDING_NEED_BY_RISK: break;
	}
	return false;
}

const struct charter_data_source *charter_find_data_source(
	const struct charter *charter, struct text name)
{
	for (uint32_t i = 0; i < charter->data_sources_count; i++)
		if (text_equal(charter->data_sources[i].name, name))
			return &charter->data_sources[i];
	return NULL;
}

const struct charter_model *charter_find_model(
	const struct charter *charter, struct text provider, struct text name)
{
	for (uint32_t i = 0; i < charter->models_count; i++)
		if (text_equal(charter->models[i].provider, provider) &&
			text_equal(charter->models[i].name, name))
			return &charter->models[i];
	return NULL;
}

bool is_expired(int64_t expires_utc_s, int64_t now_utc_s)
{
	return expires_utc_s != 0 && now_utc_s >= expires_utc_s;
}

bool output_is_anybody_at(struct text line, struct text to)
{
	ptrdiff_t at = text_find_byte(to, '@');
	struct text host = {0}, wanted = {0};

	if (!text_starts_with(line, "*@") || at <= 0)
		return false;
	host = text_after(to, (size_t)at + 1);
	wanted = text_after(line, sizeof "*@" - 1);
	if (host.length == 0 || text_find_byte(host, '@') >= 0)
		return false;
	return text_is(line, "*@*") ||
	       (host.length == wanted.length &&
		       strncasecmp(host.data, wanted.data, host.length) == 0);
}

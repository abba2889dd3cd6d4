/* Equal, or longer and beginning so: there is no third way, and nothing is folded, trimmed
 * or converted on the way.  A number is not its digits. */
#include "domain/federation/match.h"

#include <string.h>

#include "domain/federation/rule.h"
#include "domain/federation/spiffe.h"

static const struct {
	const char *word;
	const char *meaning;
} reasons[] = {
#define FEDERATION_REASON_ROW(name, word, meaning) [name] = {word, meaning},
	FEDERATION_REASONS(FEDERATION_REASON_ROW)
#undef FEDERATION_REASON_ROW
};
_Static_assert(sizeof reasons / sizeof reasons[0] == FEDERATION_REASON_COUNT, "a row for each");

static enum federation_reason known(enum federation_reason reason)
{
	return (size_t)reason < FEDERATION_REASON_COUNT ? reason : FEDERATION_NOT_CHECKED;
}

const char *federation_reason_word(enum federation_reason reason)
{
	return reasons[known(reason)].word;
}

const char *federation_reason_meaning(enum federation_reason reason)
{
	return reasons[known(reason)].meaning;
}

static bool is_met(struct text value, struct text exact, struct text prefix)
{
	if (exact.length > 0)
		return text_equal(value, exact);
	return prefix.length > 0 && value.length > prefix.length &&
	       memcmp(value.data, prefix.data, prefix.length) == 0;
}

const struct json *federation_find_claim(const struct json *claims, struct text name)
{
	char room[FEDERATION_NAME_BYTES_MAX];
	const struct json *at = claims;
	struct text part;

	while (at != NULL && name.length > 0) {
		if (!federation_name_next(&name, room, &part))
			return NULL;
		at = json_find_text(at, part);
	}
	return at;
}

static enum federation_reason match_claim(
	const struct federation_claim *claim, const struct json *claims)
{
	const struct json *value = federation_find_claim(claims, claim->name);

	if (value == NULL)
		return FEDERATION_CLAIM_MISSING;
	if (value->type != JSON_STRING)
		return FEDERATION_CLAIM_TYPE;
	return is_met(value->string, claim->is, claim->prefix) ? FEDERATION_MATCHED
							       : FEDERATION_CLAIM;
}

/* A workload of another trust domain is nobody, whatever a rule begins with. */
static bool is_of_issuer(const struct issuer *issuer, struct text subject)
{
	struct spiffe_id id;

	return issuer->speaks != ISSUER_SPEAKS_SPIFFE ||
	       (spiffe_id_parse(&id, subject) && text_equal(id.trust_domain, issuer->trust_domain));
}

enum federation_reason federation_match(const struct issuer *issuer,
	const struct federation_rule *rule, struct text subject, const struct json *claims)
{
	if (!text_equal(rule->issuer, issuer->name) || federation_rule_fault(issuer, rule) != NULL)
		return FEDERATION_VOID;
	if (!is_of_issuer(issuer, subject) || !is_met(subject, rule->subject, rule->subject_prefix))
		return FEDERATION_SUBJECT;
	for (uint32_t i = 0; i < rule->claims_count; i++) {
		enum federation_reason reason = match_claim(&rule->claims[i], claims);

		if (reason != FEDERATION_MATCHED)
			return reason;
	}
	return FEDERATION_MATCHED;
}

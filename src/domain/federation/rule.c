/* Rules are held here and nowhere else: plan refuses what has a fault, and a rule that has
 * one all the same (its issuer was changed since) matches nothing (match.c). */
#include "domain/federation/rule.h"

#include "domain/federation/spiffe.h"

#define SERVICE_ACCOUNT "system:serviceaccount:"

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool federation_is_wild(struct text value)
{
	return text_find_byte(value, '*') >= 0 || text_find_byte(value, '?') >= 0;
}

static bool says_something(struct text prefix)
{
	for (size_t i = 0; i < prefix.length; i++)
		if (is_alphanumeric(prefix.data[i]))
			return true;
	return false;
}

/* ---- names ---- */

static bool unescape(char **at, const char *from)
{
	if (from[0] != '0' && from[0] != '1')
		return false;
	*(*at)++ = from[0] == '0' ? '~' : '/';
	return true;
}

bool federation_name_next(struct text *rest, char *room, struct text *out)
{
	struct text token = *rest;
	ptrdiff_t slash;
	char *at = room;

	*out = *rest;
	*rest = (struct text){0};
	if (token.length == 0 || token.length > FEDERATION_NAME_BYTES_MAX)
		return false;
	if (token.data[0] != '/')
		return true;
	token = text_after(token, 1);
	slash = text_find_byte(token, '/');
	if (slash >= 0) {
		*rest = text_after(token, (size_t)slash);
		token.length = (size_t)slash;
	}
	for (size_t i = 0; i < token.length; i++) {
		if (token.data[i] != '~')
			*at++ = token.data[i];
		else if (++i == token.length || !unescape(&at, token.data + i))
			return false;
	}
	*out = (struct text){room, (size_t)(at - room)};
	return out->length > 0;
}

static bool is_name(struct text name)
{
	char room[FEDERATION_NAME_BYTES_MAX];
	struct text part;

	for (unsigned depth = 0; name.length > 0; depth++)
		if (depth == FEDERATION_DEPTH_MAX || !federation_name_next(&name, room, &part))
			return false;
	return true;
}

/* ---- a claim, a subject ---- */

const char *federation_claim_fault(const struct federation_claim *claim)
{
	struct text value = claim->is.length > 0 ? claim->is : claim->prefix;

	if (claim->name.length == 0 || !is_name(claim->name))
		return "is neither a claim's name nor a JSON pointer of at most 8 names";
	if (value.length == 0)
		return "says nothing of the claim";
	if (federation_is_wild(value))
		return "holds a wildcard, which stands for itself: write is, or a prefix";
	if (claim->prefix.length == 0)
		return NULL;
	if (!says_something(claim->prefix))
		return "has a prefix of marks alone, which anything may begin with";
	if (is_alphanumeric(claim->prefix.data[claim->prefix.length - 1]))
		return "has a prefix that ends within a word, as name does in name-evil";
	return NULL;
}

const char *federation_subject_fault(const struct federation_rule *rule)
{
	struct text prefix = rule->subject_prefix;

	if (rule->subject.length == 0 && prefix.length == 0)
		return "says no subject";
	if (federation_is_wild(rule->subject) || federation_is_wild(prefix))
		return "holds a wildcard, which stands for itself: write subject or subject-prefix";
	if (prefix.length == 0)
		return NULL;
	if (!says_something(prefix))
		return "has a subject-prefix of marks alone, which anything may begin with";
	if (prefix.data[prefix.length - 1] != '/' && prefix.data[prefix.length - 1] != ':')
		return "has a subject-prefix that does not end in / or :";
	return NULL;
}

/* ---- beside its issuer ---- */

/* The claim that must be exactly something, or NULL. */
static const struct federation_claim *find_exact(
	const struct federation_rule *rule, const char *name)
{
	for (uint32_t i = 0; i < rule->claims_count; i++)
		if (text_is(rule->claims[i].name, name) && rule->claims[i].is.length > 0)
			return &rule->claims[i];
	return NULL;
}

static bool is_number(const struct federation_claim *claim)
{
	for (size_t i = 0; claim != NULL && i < claim->is.length; i++)
		if (claim->is.data[i] < '0' || claim->is.data[i] > '9')
			return false;
	return claim != NULL;
}

static const char *github_fault(const struct federation_rule *rule)
{
	/* Names are given to others once they are free. */
	if (!is_number(find_exact(rule, "repository_id")))
		return "needs the claim repository_id, which is the repository's number";
	if (!is_number(find_exact(rule, "repository_owner_id")))
		return "needs the claim repository_owner_id, which is its owner's number";
	return NULL;
}

/* system:serviceaccount:NAMESPACE:NAME, whole. */
static bool is_service_account(struct text subject)
{
	struct text rest;
	ptrdiff_t colon;

	if (!text_starts_with(subject, SERVICE_ACCOUNT))
		return false;
	rest = text_after(subject, sizeof SERVICE_ACCOUNT - 1);
	colon = text_find_byte(rest, ':');
	if (colon <= 0)
		return false;
	rest = text_after(rest, (size_t)colon + 1);
	return rest.length > 0 && text_find_byte(rest, ':') < 0;
}

static const char *kubernetes_fault(const struct federation_rule *rule)
{
	if (is_service_account(rule->subject))
		return NULL;
	if (find_exact(rule, "/kubernetes.io/namespace") == NULL ||
		find_exact(rule, "/kubernetes.io/serviceaccount/name") == NULL)
		return "needs the subject system:serviceaccount:NAMESPACE:NAME, or the claims "
		       "/kubernetes.io/namespace and /kubernetes.io/serviceaccount/name";
	return NULL;
}

/* Of a prefix, what is before its last slash names workloads itself. */
static const char *spiffe_fault(const struct issuer *issuer, const struct federation_rule *rule)
{
	struct text id = rule->subject.length > 0 ? rule->subject : rule->subject_prefix;
	struct spiffe_id parsed;

	if (rule->subject.length == 0 && id.length > 0 && id.data[id.length - 1] == '/')
		id.length--;
	else if (rule->subject.length == 0)
		return "has a subject-prefix that does not end in /";
	if (!spiffe_id_parse(&parsed, id))
		return "has a subject that is no workload's SPIFFE ID";
	if (!text_equal(parsed.trust_domain, issuer->trust_domain))
		return "has a subject in another trust domain than its issuer's";
	return NULL;
}

const char *federation_rule_fault(const struct issuer *issuer, const struct federation_rule *rule)
{
	const char *fault = federation_subject_fault(rule);

	for (uint32_t i = 0; fault == NULL && i < rule->claims_count; i++)
		fault = federation_claim_fault(&rule->claims[i]);
	if (fault != NULL)
		return fault;
	switch (issuer->speaks) {
	case ISSUER_SPEAKS_OIDC: return NULL;
	case ISSUER_SPEAKS_SPIFFE: return spiffe_fault(issuer, rule);
	case ISSUER_SPEAKS_KUBERNETES: return kubernetes_fault(rule);
	case ISSUER_SPEAKS_GITHUB: return github_fault(rule);
	case ISSUER_SPEAKS_NONE: break;
	}
	return "names an issuer that speaks nothing known";
}

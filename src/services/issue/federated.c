/* Who a registered issuer says somebody is.
 *
 *   iss (or trust domain) ─▶ issuer in force ─▶ its key ─▶ signature and claims
 *       ─▶ a rule of the identity's charter ─▶ used once
 *
 * W1  Until a signature holds, a stranger learns at most that an issuer is registered; after
 *     it, that no rule is met and that there is no such identity are one answer.
 * W2  The environment is the rule's, never the token's word.
 * W3  What is used once is noted in the identity's share, under the issuer. */
#include <stdio.h>

#include "base/base64.h"
#include "base/certificate_chain.h"
#include "domain/charter/users.h"
#include "domain/federation/match.h"
#include "domain/federation/spiffe.h"
#include "services/issue/issue_private.h"

/* One look at it. */
struct federation {
	struct issue *issue;
	struct arena *arena;
	struct issue_request *request;
	struct proven *out;
	struct trust_query query;
	struct trust_found found;
	struct jws jws; /* unless it is a certificate */
	struct claims claims;
	struct text subject;
};

/* Tells the operator why, and the stranger no more than is said of everybody. */
static bool refuse(struct federation *federation, enum token_reason reason)
{
	if (federation->found.issuer != NULL)
		trust_note_refused(federation->issue->parts.trust, federation->found.issuer->name,
			token_reason_word(reason));
	return issue_refuse_assertion(federation->request, reason);
}

/* ---- reading it ---- */

static const char *const jwt_types[] = {"JWT", NULL};
static const char *const svid_types[] = {"JWT", "JOSE", NULL};
/* Says by which certificate it was signed: GitHub, Entra. */
static const char *const ignored[] = {"x5t", "x5t#S256", NULL};

static enum token_reason parse_with(struct federation *federation, const struct jws_rules *rules)
{
	enum token_reason reason = jws_parse(
		&federation->jws, federation->arena, federation->request->assertion, rules);

	return reason == TOKEN_ACCEPTED ? claims_read(&federation->claims, &federation->jws.claims)
					: reason;
}

/* A JWT-SVID's header has alg, kid and typ, and nothing else (JWT-SVID §2). */
static enum token_reason parse(struct federation *federation)
{
	const struct jws_rules svid = {.types = svid_types, .type_need = JWS_TYPE_OPTIONAL};
	const struct jws_rules jwt = {
		.types = jwt_types, .type_need = JWS_TYPE_OPTIONAL, .ignored = ignored};
	bool is_svid = federation->request->assertion_form == ISSUE_ASSERTION_SVID;
	enum token_reason reason = parse_with(federation, is_svid ? &svid : &jwt);
	struct spiffe_id id;

	if (reason != TOKEN_ACCEPTED)
		return reason;
	federation->subject = federation->claims.subject;
	federation->query.key_id = federation->jws.key_id;
	federation->query.algorithm = federation->jws.algorithm;
	if (!is_svid)
		federation->query.issuer = federation->claims.issuer;
	else if (spiffe_id_parse(&id, federation->subject))
		federation->query.trust_domain = id.trust_domain;
	return TOKEN_ACCEPTED;
}

/* ---- does it hold ---- */

static bool find_key(
	struct federation *federation, struct trust_wait *wait, enum proving_outcome *outcome)
{
	switch (trust_find(
		federation->issue->parts.trust, &federation->query, wait, &federation->found)) {
	case TRUST_FOUND: return true;
	case TRUST_WAITS: *outcome = PROVING_WAITS; return false;
	case TRUST_NO_KEYS: return issue_refuse(federation->request, ISSUE_KEYS, NULL);
	case TRUST_UNKNOWN: break;
	}
	return refuse(federation, TOKEN_KEY_UNKNOWN);
}

static enum token_reason check_token(const struct federation *federation)
{
	const struct issuer *issuer = federation->found.issuer;
	bool is_spiffe = issuer->speaks == ISSUER_SPEAKS_SPIFFE;
	const struct claims_rules rules = {
		.now_utc_s = issue_now_utc_ms(federation->issue) / 1000,
		.skew_s = TOKEN_SKEW_S,
		.lifetime_max_s = issuer->lifetime_s,
		/* A JWT-SVID may say one or not: its trust domain is who speaks. */
		.issuer_need = is_spiffe ? CLAIM_UNCHECKED : CLAIM_EQUAL,
		.issuer = issuer->url,
		.subject_need = CLAIM_PRESENT,
		.audience = issuer->audience.length > 0 ? issuer->audience
							: issue_issuer(federation->issue),
		.id_need = CLAIM_UNCHECKED,
	};
	enum token_reason reason = jws_verify(&federation->jws, federation->found.key);

	if (reason == TOKEN_ACCEPTED && is_spiffe && federation->jws.key_id.data == NULL)
		return TOKEN_KEY_ID;
	return reason == TOKEN_ACCEPTED ? claims_check(&federation->claims, &rules) : reason;
}

/* ---- whose it is ---- */

/* The identity by one rule of its charter; false: none is met. */
static bool match_entry(struct federation *federation, const struct registry_entry *entry)
{
	const struct charter *charter = issue_charter_of(entry);

	for (uint32_t i = 0; charter != NULL && i < charter->federation_count; i++) {
		const struct federation_rule *rule = &charter->federation[i];

		if (federation_match(federation->found.issuer, rule, federation->subject,
			    federation->jws.claims.type == JSON_OBJECT
				    ? &federation->jws.claims
				    : NULL) != FEDERATION_MATCHED)
			continue;
		federation->out->entry = entry;
		federation->out->charter = charter;
		federation->out->environment = rule->environment;
		federation->out->rule = i;
		return true;
	}
	return false;
}

struct search {
	struct federation *federation;
	unsigned found;
	unsigned looked;
};

static bool consider(void *context, const struct registry_entry *entry)
{
	struct search *search = context;

	if (search->looked++ == ISSUE_SEARCH_MAX)
		search->found = 2; /* not known to be one alone */
	else
		search->found += match_entry(search->federation, entry);
	return search->found < 2;
}

/* The client's name may be left out, or be what the issuer calls it, where one identity alone
 * is meant. */
static bool find_identity(struct federation *federation)
{
	const struct registry *registry = federation->issue->parts.registry;
	struct text client = federation->request->client;
	struct search search = {.federation = federation};
	char key[USERS_KEY_BYTES_MAX];

	if (client.length > 0 && !text_equal(client, federation->subject)) {
		const struct registry_entry *entry =
			registry_find(registry, OBJECT_IDENTITY, client);

		return entry != NULL && match_entry(federation, entry);
	}
	registry_each_user(registry, users_issuer_key(federation->found.issuer->name, key),
		TEXT(""), consider, &search);
	return search.found == 1;
}

static struct sha256 digest_of(const struct federation *federation)
{
	return registry_find(
		federation->issue->parts.registry, OBJECT_ISSUER, federation->found.issuer->name)
		->in_force->digest;
}

bool issue_is_trusted(const struct issue *issue, const struct proven *proven)
{
	const struct registry_entry *entry;

	if (proven->issuer.length == 0)
		return true;
	entry = registry_find(issue->parts.registry, OBJECT_ISSUER, proven->issuer);
	return entry != NULL && entry->in_force != NULL &&
	       sha256_equal(&entry->in_force->digest, &proven->issuer_digest);
}

static bool take_identity(struct federation *federation)
{
	struct proven *out = federation->out;

	if (!find_identity(federation))
		return refuse(federation, TOKEN_SUBJECT);
	out->identity = text_copy(federation->arena, out->entry->name);
	out->issuer = text_copy(federation->arena, federation->found.issuer->name);
	out->issuer_digest = digest_of(federation);
	if (out->identity.data == NULL || out->issuer.data == NULL)
		return issue_refuse(federation->request, ISSUE_BUSY, NULL);
	return true;
}

/* ---- once ---- */

/* What stands for a token without an id: its signed bytes, which have one spelling. */
static struct text id_of(struct federation *federation)
{
	struct sha256 digest;

	if (federation->claims.id.length > 0)
		return federation->claims.id;
	digest =
		sha256_of(federation->jws.signing_input.data, federation->jws.signing_input.length);
	return base64url_text(federation->arena, digest.bytes, sizeof digest.bytes);
}

static bool use_once(struct federation *federation)
{
	const struct issuer *issuer = federation->found.issuer;
	struct text whose = issuer->url.length > 0 ? issuer->url : issuer->trust_domain;

	if (issuer->reuse == ISSUER_ALLOWED)
		return true;
	federation->out->use = (struct replay_use){
		.key = replay_key(whose, id_of(federation)),
		.owner = federation->out->identity,
		.until_utc_s = federation->claims.expires_utc_s + TOKEN_SKEW_S,
	};
	if (!issue_use_once(federation->issue, federation->request, &federation->out->use)) {
		trust_note_refused(federation->issue->parts.trust, issuer->name,
			issue_refusal_word(federation->request->refusal));
		return false;
	}
	return true;
}

static bool take_key_id(struct federation *federation)
{
	char thumbprint[JWK_THUMBPRINT_BYTES];
	struct error err = {0};

	if (jwk_thumbprint(thumbprint, federation->found.key, &err))
		federation->out->key_id = text_copy(federation->arena, text_of(thumbprint));
	return federation->out->key_id.data != NULL
		       ? true
		       : issue_refuse(federation->request, ISSUE_BUSY, NULL);
}

/* ---- by certificate ---- */

/* The handshake showed that the peer has the key, so nothing is used once. */
static bool prove_certificate(struct federation *federation, const struct certificate_facts *facts)
{
	const struct certificate_chain chain = {
		.leaf = federation->request->certificate,
		.roots = federation->found.roots,
		.roots_count = federation->found.roots_count,
		.now_utc_s = issue_now_utc_ms(federation->issue) / 1000,
	};
	struct sha256 digest = sha256_of(chain.leaf.data, chain.leaf.length);
	struct error err = {0};

	if (!certificate_verify(&chain, &err))
		return refuse(federation, TOKEN_SIGNATURE);
	/* Its start lies a little before it was made, for clocks that are late. */
	if (facts->expires_utc_s - facts->start_utc_s >
		federation->found.issuer->lifetime_s + TOKEN_SKEW_S)
		return refuse(federation, TOKEN_LIFETIME);
	/* Its last second counts (RFC 5280 §4.1.2.5). */
	federation->out->ends_utc_s = facts->expires_utc_s + 1;
	federation->out->key_id =
		base64url_text(federation->arena, digest.bytes, sizeof digest.bytes);
	return federation->out->key_id.data != NULL
		       ? take_identity(federation)
		       : issue_refuse(federation->request, ISSUE_BUSY, NULL);
}

static bool prove_by_certificate(struct federation *federation, struct trust_wait *wait,
	const struct certificate_facts *facts, enum proving_outcome *outcome)
{
	return find_key(federation, wait, outcome) && prove_certificate(federation, facts);
}

static bool read_certificate(struct federation *federation, struct certificate_facts *facts)
{
	struct error err = {0};
	struct spiffe_id id;

	if (!certificate_read(facts, federation->arena, federation->request->certificate, &err) ||
		!spiffe_id_parse(&id, facts->uri))
		return false;
	federation->subject = facts->uri;
	federation->query.trust_domain = id.trust_domain;
	return true;
}

/* ---- the whole ---- */

static bool prove_by_token(
	struct federation *federation, struct trust_wait *wait, enum proving_outcome *outcome)
{
	enum token_reason reason;

	if (!find_key(federation, wait, outcome))
		return false;
	reason = check_token(federation);
	if (reason != TOKEN_ACCEPTED)
		return refuse(federation, reason);
	return take_key_id(federation) && take_identity(federation) && use_once(federation);
}

bool issue_prove_federated(struct issue *issue, struct arena *arena, struct issue_request *request,
	struct trust_wait *wait, struct proven *out, enum proving_outcome *outcome)
{
	struct federation federation = {
		.issue = issue, .arena = arena, .request = request, .out = out};
	bool is_certificate = request->assertion.length == 0;
	struct certificate_facts facts = {0};
	bool is_read = is_certificate ? read_certificate(&federation, &facts)
				      : parse(&federation) == TOKEN_ACCEPTED;
	bool is_proven;

	*outcome = PROVING_REFUSED;
	if (!is_read || !trust_knows(issue->parts.trust, &federation.query))
		return false;
	is_proven = is_certificate ? prove_by_certificate(&federation, wait, &facts, outcome)
				   : prove_by_token(&federation, wait, outcome);
	if (is_proven)
		*outcome = PROVING_DONE;
	return true;
}

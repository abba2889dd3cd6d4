/* Who a request comes from.
 *
 * P1  Before a signature holds, every refusal that depends on the registry is
 *     the same, so that a stranger learns no names.
 * P2  A one-time id is noted when its signature held, whatever comes after, in
 *     the share of its identity; it is in the record that it opened, so a restart
 *     knows it too. */
#include <stdio.h>

#include "services/issue/issue_private.h"

/* One look at who asks. */
struct proving {
	struct issue *issue;
	struct arena *arena;
	struct issue_request *request;
	struct proven *out;
	struct client_assertion assertion;
};

bool issue_refuse(struct issue_request *request, enum issue_refusal refusal, const char *detail)
{
	request->refusal = refusal;
	snprintf(request->detail, sizeof request->detail, "%s%s%.150s",
		issue_refusal_meaning(refusal), detail == NULL ? "" : ": ",
		detail == NULL ? "" : detail);
	return false;
}

/* ---- who is it ---- */

const struct charter *issue_charter_of(const struct registry_entry *entry)
{
	const struct object *object = entry->in_force != NULL ? entry->in_force : entry->waiting;

	return object == NULL || object->kind != OBJECT_IDENTITY ? NULL : charter_of(object);
}

static bool is_named(const struct charter_key *key, const char *thumbprint, struct text id)
{
	return text_is(id, thumbprint) || text_equal(json_text_or(&key->jwk, "kid", ""), id);
}

/* The charter's key that the assertion names; with one key alone none need be
 * named. */
static const struct cached_key *find_key(struct proving *proving, struct text id, struct error *err)
{
	const struct charter *charter = proving->out->charter;
	int64_t now_utc_s = issue_now_utc_ms(proving->issue) / 1000;

	if (id.data == NULL && charter->keys_count != 1)
		return NULL;
	for (uint32_t i = 0; i < charter->keys_count; i++) {
		const struct charter_key *line = &charter->keys[i];
		const struct cached_key *found = NULL;

		/* A certificate signs no assertions; a key after its end proves nothing. */
		if (!line->has_certificate && !is_expired(line->expires_utc_s, now_utc_s))
			found = issue_key(proving->issue, proving->arena, &line->jwk, err);
		if (found == NULL)
			continue;
		if (id.data == NULL || is_named(line, found->thumbprint, id)) {
			proving->out->environment = line->environment;
			proving->out->ends_utc_s = line->expires_utc_s;
			proving->out->key_id =
				text_copy(proving->arena, text_of(found->thumbprint));
			return found;
		}
	}
	return NULL;
}

bool issue_refuse_assertion(struct issue_request *request, enum token_reason reason)
{
	request->reason = reason;
	if (reason == TOKEN_SIGNATURE || reason == TOKEN_KEY_UNKNOWN)
		return issue_refuse(request, ISSUE_CLIENT_UNPROVEN, NULL);
	return issue_refuse(request, ISSUE_ASSERTION, token_reason_meaning(reason));
}

static bool find_client(struct proving *proving, struct text *out_name)
{
	struct issue_request *request = proving->request;

	*out_name = proving->assertion.claims.subject;
	if (out_name->length == 0)
		return issue_refuse_assertion(request, TOKEN_SUBJECT);
	if (request->client.length > 0 && !text_equal(request->client, *out_name))
		return issue_refuse(request, ISSUE_CLIENT_MISMATCH, NULL);
	return true;
}

static bool prove_client(struct proving *proving)
{
	struct issue *issue = proving->issue;
	struct issue_request *request = proving->request;
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	const struct cached_key *key = NULL;
	enum token_reason reason;
	struct text name = {0};
	struct error err = {0};

	if (!find_client(proving, &name))
		return false;
	proving->out->entry = registry_find(issue->parts.registry, OBJECT_IDENTITY, name);
	proving->out->charter =
		proving->out->entry == NULL ? NULL : issue_charter_of(proving->out->entry);
	if (proving->out->charter != NULL)
		key = find_key(proving, proving->assertion.jws.key_id, &err);
	if (key == NULL)
		return issue_refuse_assertion(request, TOKEN_KEY_UNKNOWN);
	reason = client_assertion_check(
		&proving->assertion, key->key, name, issue_issuer(issue), now_utc_s);
	/* P1: which algorithm its key has, only a name that is registered could tell. */
	if (reason == TOKEN_ALGORITHM)
		reason = TOKEN_SIGNATURE;
	if (reason != TOKEN_ACCEPTED)
		return issue_refuse_assertion(request, reason);
	proving->out->identity = text_copy(proving->arena, name);
	return proving->out->identity.data != NULL ? true : issue_refuse(request, ISSUE_BUSY, NULL);
}

bool issue_use_once(
	struct issue *issue, struct issue_request *request, const struct replay_use *use)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	struct error err = {0};

	if (replay_is_used(issue->assertions, &use->key, now_utc_s))
		return issue_refuse(request, ISSUE_REPLAYED, NULL);
	if (!replay_note(issue->assertions, use, now_utc_s, &err))
		return issue_refuse(request, ISSUE_BUSY, err.text);
	return true;
}

static bool use_once(struct proving *proving)
{
	const struct claims *claims = &proving->assertion.claims;

	proving->out->use = (struct replay_use){
		.key = replay_key(claims->issuer, claims->id),
		.owner = proving->out->identity,
		.until_utc_s = claims->expires_utc_s + TOKEN_SKEW_S,
	};
	return issue_use_once(proving->issue, proving->request, &proving->out->use);
}

/* Nobody's name here has a colon, which every issuer's has; and others put members into a
 * header that identities may not. */
static bool may_be_federated(struct issue *issue, const struct issue_request *request,
	const struct client_assertion *assertion, enum token_reason reason)
{
	if (issue->parts.trust == NULL)
		return false;
	if (request->assertion_form != ISSUE_ASSERTION_JWT || request->assertion.length == 0)
		return true;
	return reason == TOKEN_HEADER_MEMBER || reason == TOKEN_TYPE ||
	       (reason == TOKEN_ACCEPTED && text_find_byte(assertion->claims.issuer, ':') >= 0);
}

enum proving_outcome issue_prove(struct issue *issue, struct arena *arena,
	struct issue_request *request, struct trust_wait *wait, struct proven *out)
{
	struct proving proving = {.issue = issue, .arena = arena, .request = request, .out = out};
	enum proving_outcome outcome = PROVING_REFUSED;
	enum token_reason reason;

	*out = (struct proven){0};
	if (issue_is_public(request) && issue_prove_public(issue, arena, request, out, &outcome))
		return outcome;
	reason = request->assertion_use == ISSUE_ASSERTION_GRANTS
			 ? grant_assertion_parse(&proving.assertion, arena, request->assertion)
			 : client_assertion_parse(&proving.assertion, arena, request->assertion);
	if (may_be_federated(issue, request, &proving.assertion, reason) &&
		issue_prove_federated(issue, arena, request, wait, out, &outcome))
		return outcome;
	if (request->assertion.length == 0 && request->certificate.length > 0)
		return issue_prove_certificate(issue, arena, request, out) ? PROVING_DONE
									   : PROVING_REFUSED;
	if (reason == TOKEN_ACCEPTED && request->assertion_form != ISSUE_ASSERTION_JWT)
		reason = TOKEN_KEY_UNKNOWN;
	if (reason != TOKEN_ACCEPTED)
		(void)issue_refuse_assertion(request, reason);
	else if (prove_client(&proving) && use_once(&proving))
		outcome = PROVING_DONE;
	return outcome;
}

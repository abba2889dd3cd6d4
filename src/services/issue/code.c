/* The authorization code grant (RFC 6749 §4.1.3, RFC 7636 §4.6) at the token endpoint.
 *
 * G1  A code is spent by being shown, rightly or not: one that others have seen is of no use to
 *     anybody.  Shown again, it ends what it gave (RFC 6749 §4.1.2).
 * G2  A yes counts as an answer to an approval does: while the key that signed it is the person's.
 * G3  What the task is for stands in the wish that the person saw, never in this request. */
#include <string.h>

#include "base/base64.h"
#include "services/issue/consent_private.h"

#define REUSED "its code was used twice"

/* RFC 7636 §4.1 and §4.6. */
static bool is_verifier_of(struct text verifier, struct text challenge)
{
	struct sha256 shown = sha256_of(verifier.data, verifier.length), due;
	size_t size = 0;

	for (size_t i = 0; i < verifier.length; i++) {
		char c = verifier.data[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			    c == '-' || c == '.' || c == '_' || c == '~'))
			return false;
	}
	return verifier.length >= ISSUE_VERIFIER_BYTES_MIN &&
	       verifier.length <= ISSUE_VERIFIER_BYTES_MAX &&
	       base64url_decode(challenge, due.bytes, sizeof due.bytes, &size) &&
	       size == sizeof due.bytes && sha256_equal(&shown, &due);
}

static bool refuse(struct issue_request *request, const char *why)
{
	return issue_refuse(request, ISSUE_CODE, why);
}

/* ---- who asks ---- */

/* The identity that the code or the refresh token is of; empty: nobody's. */
static struct text identity_of(const struct issue *issue, const struct issue_request *request)
{
	const struct consent *consent = NULL;
	const struct task *task = NULL;
	struct text id;

	if (request->is_code) {
		consent = issue_consent_of_code(issue, request->code.code);
		return consent == NULL ? TEXT("") : consent->client;
	}
	if (!refresh_token_read(request->refresh, &id) ||
		refresh_look(issue->refreshes, request->refresh) == REFRESH_UNKNOWN)
		return TEXT("");
	task = task_find(issue->parts.tasks, id);
	return task == NULL ? TEXT("") : task->identity;
}

bool issue_is_public(const struct issue_request *request)
{
	return (request->is_code || request->wish == ISSUE_WISH_REFRESH) &&
	       request->assertion.length == 0;
}

bool issue_prove_public(struct issue *issue, struct arena *arena, struct issue_request *request,
	struct proven *out, enum proving_outcome *outcome)
{
	struct text name = identity_of(issue, request);
	const struct registry_entry *entry = registry_find_identity(issue->parts.registry, name);

	*outcome = PROVING_REFUSED;
	if (name.length == 0 || entry == NULL)
		(void)issue_refuse(request, request->is_code ? ISSUE_CODE : ISSUE_REFRESH, NULL);
	else if (!charter_is_public(charter_of(entry->in_force)) && request->certificate.length > 0)
		return false; /* by its certificate, like any other client */
	else if (!charter_is_public(charter_of(entry->in_force)))
		(void)issue_refuse(request, ISSUE_CLIENT_UNPROVEN, NULL);
	else {
		out->entry = entry;
		out->charter = charter_of(entry->in_force);
		out->environment = out->charter->acts_for.environment;
		out->identity = text_copy(arena, name);
		if (out->identity.data != NULL)
			*outcome = PROVING_DONE;
		else
			(void)issue_refuse(request, ISSUE_BUSY, NULL);
	}
	return true;
}

/* ---- what it gives ---- */

static bool reuse(struct opening *opening, struct consent *consent)
{
	struct issue *issue = opening->issue;

	consent->is_reused = true;
	if (task_find(issue->parts.tasks, text_of(consent->task)) != NULL)
		issue_end_reused(issue, text_of(consent->task), REUSED);
	return refuse(opening->request, NULL);
}

static bool is_for(const struct opening *opening, const struct consent *consent)
{
	const struct issue_request *request = opening->request;

	return text_equal(consent->client, opening->proven.identity) &&
	       (request->client.length == 0 || text_equal(request->client, consent->client)) &&
	       text_equal(request->code.redirect, consent->redirect) &&
	       (request->resource.length == 0 ||
		       text_equal(request->resource, consent->resource)) &&
	       is_verifier_of(request->code.verifier, consent->challenge);
}

static bool take_wish(struct opening *opening, const struct consent *consent)
{
	struct issue_request *request = opening->request;

	request->resource = text_copy(opening->arena, consent->resource);
	request->details = text_copy(opening->arena, consent->details);
	request->purpose = text_copy(opening->arena, consent->purpose);
	opening->person = text_copy(opening->arena, consent->person);
	opening->key_due = text_copy(opening->arena, consent->key);
	memcpy(opening->consent, consent->id, sizeof opening->consent);
	opening->consent_record = consent->record;
	return (request->resource.data != NULL && request->details.data != NULL &&
		       request->purpose.data != NULL && opening->person.data != NULL &&
		       opening->key_due.data != NULL) ||
	       issue_refuse(request, ISSUE_BUSY, NULL);
}

bool issue_take_code(struct opening *opening)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	struct consent *consent = issue_consent_of_code(issue, request->code.code);

	if (consent == NULL)
		return refuse(request, NULL);
	if (consent->is_spent)
		return reuse(opening, consent);
	consent->is_spent = true;
	if (request->scope.length > 0 && !text_is(request->scope, ACCESS_TOKEN_SCOPE))
		return issue_refuse(request, ISSUE_SCOPE, NULL);
	if (request->details.length > 0)
		return issue_refuse(request, ISSUE_DETAILS, "the person saw those of the wish");
	if (consent->code_until_utc_s <= issue_now_utc_ms(issue) / 1000)
		return refuse(request, NULL);
	if (!is_for(opening, consent))
		return refuse(request, NULL);
	if (opening->proven.environment != opening->proven.charter->acts_for.environment)
		return issue_refuse(request, ISSUE_ENVIRONMENT, NULL);
	if (issue_person_state(issue, consent->client, consent->person) != TOKEN_ACCEPTED)
		return refuse(request, "the person is gone, or it does not act for them");
	if (!issue_consent_has_key(issue, consent->person, consent->signer))
		return refuse(request, "the key that the person signed it with was ended");
	return take_wish(opening, consent);
}

bool issue_check_code_key(struct opening *opening)
{
	struct token_binding due = {.kind = BINDING_DPOP};

	if (opening->key_due.length == 0)
		return true;
	return (token_thumbprint_parse(&due.thumbprint, opening->key_due) &&
		       token_binding_equal(&due, &opening->binding.bound)) ||
	       refuse(opening->request, "it is bound to another key (dpop_jkt)");
}

void issue_name_code_task(struct opening *opening)
{
	struct consent *consent = issue_consent_find(opening->issue, text_of(opening->consent));

	if (consent != NULL)
		memcpy(consent->task, opening->task, sizeof consent->task);
}

bool issue_code_is_sound(const struct opening *opening)
{
	const struct consent *consent =
		issue_consent_find(opening->issue, text_of(opening->consent));

	return opening->consent[0] == '\0' || (consent != NULL && !consent->is_reused);
}

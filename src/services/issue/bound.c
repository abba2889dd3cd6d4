/* What tokens are bound to: proofs of a key (RFC 9449) and client certificates (RFC 8705),
 * where a token is asked for and where it is used.
 *
 * B1  A proof's id is noted when all else of the proof held and whoever sent it is known, in
 *     the share of their identity: strangers take no room.
 * B2  Ids are kept in memory for as long as a proof can hold.  A proof without a nonce of this
 *     process counts only if it was signed after the process started; so a restart makes no
 *     proof new again.
 * B3  A nonce says when it was given and by whom, and nothing is kept of it: it is a keyed
 *     digest of a slot of time, taken in that slot and the next. */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "services/issue/issue_private.h"

enum { NONCE_BYTES = 16, NONCE_URL_PARTS = 2, NONCE_PURPOSE_BYTES = 12 };

/* ---- nonces ---- */

static void nonce_of_slot(const struct issue *issue, int64_t slot, char out[ISSUE_NONCE_BYTES])
{
	struct {
		char purpose[NONCE_PURPOSE_BYTES + 4];
		int64_t slot;
	} said = {.purpose = "dpop-nonce", .slot = slot};
	struct sha256 digest =
		hmac_sha256(issue->nonce_key, sizeof issue->nonce_key, &said, sizeof said);
	struct buffer text;

	buffer_init(&text, ISSUE_NONCE_BYTES);
	base64url_append(&text, digest.bytes, NONCE_BYTES);
	memset(out, 0, ISSUE_NONCE_BYTES);
	if (!buffer_failed(&text)) /* without memory none is given, and none is taken */
		memcpy(out, text.data, text.length);
	buffer_deinit(&text);
}

static int64_t slot_now(const struct issue *issue)
{
	return issue_now_utc_ms(issue) / 1000 / ISSUE_NONCE_SLOT_S;
}

void issue_nonce(const struct issue *issue, char out[ISSUE_NONCE_BYTES])
{
	nonce_of_slot(issue, slot_now(issue), out);
}

bool issue_wants_nonce(const struct issue_refused *refused)
{
	return refused->reason == TOKEN_NONCE || refused->reason == TOKEN_PROOF ||
	       refused->reason == TOKEN_PROOF_MISSING;
}

static bool is_ours(const struct issue *issue, struct text nonce)
{
	int64_t slot = slot_now(issue);
	char due[ISSUE_NONCE_BYTES];

	for (int age = 0; age <= 1; age++) {
		nonce_of_slot(issue, slot - age, due);
		if (nonce.length == ISSUE_NONCE_BYTES - 1 && text_is(nonce, due))
			return true;
	}
	return false;
}

static enum token_reason check_nonce(
	const struct issue *issue, const struct dpop_proof *proof, enum issue_nonces least)
{
	if (proof->nonce.length > 0)
		return is_ours(issue, proof->nonce) ? TOKEN_ACCEPTED : TOKEN_NONCE;
	if (issue->parts.nonces <= least)
		return TOKEN_NONCE;
	/* iat counts whole seconds: of the one in which this process started, the process
	 * before may have taken some already. */
	return proof->issued_utc_s > issue->created_utc_s ? TOKEN_ACCEPTED : TOKEN_NONCE;
}

/* ---- proofs ---- */

/* Notes the proof as used by identity, by the key of that thumbprint. */
static enum token_reason use_once(struct issue *issue, const struct dpop_proof *proof,
	const char *thumbprint, struct text identity)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	const struct replay_use use = {
		.key = replay_key(text_of(thumbprint), proof->id),
		.owner = identity,
		.until_utc_s = proof->issued_utc_s + DPOP_WINDOW_S,
	};
	struct error err = {0};

	if (replay_is_used(issue->proofs, &use.key, now_utc_s))
		return TOKEN_REPLAYED;
	return replay_note(issue->proofs, &use, now_utc_s, &err) ? TOKEN_ACCEPTED : TOKEN_NO_ROOM;
}

/* The whole check but for the nonce.  bound: in, the thumbprint that is due, or kind NONE where
 * any key will do; out, the key's.  request->url is the path: the issuer goes before it. */
static enum token_reason check_proof(struct issue *issue, struct arena *arena,
	const struct dpop_proof *proof, const struct dpop_request *request, struct text identity,
	struct token_binding *bound) /* check-source: parameters: what a proof is about */
{
	const struct text parts[NONCE_URL_PARTS] = {text_of(issue->issuer), request->url};
	const struct dpop_request whole = {
		request->method, text_concat(arena, parts, NONCE_URL_PARTS), request->token};
	enum token_reason reason = TOKEN_NO_ROOM;
	const struct cached_key *key = issue_proof_key(issue, arena, proof, &reason);
	struct token_binding shown = {.kind = BINDING_DPOP};

	if (key == NULL)
		return reason;
	if (whole.url.data == NULL ||
		!token_thumbprint_parse(&shown.thumbprint, text_of(key->thumbprint)))
		return TOKEN_NO_ROOM;
	if (bound->kind != BINDING_NONE && !token_binding_equal(&shown, bound))
		return TOKEN_PROOF_OTHER;
	reason = dpop_check(proof, key->key, &whole, issue_now_utc_ms(issue) / 1000);
	if (reason != TOKEN_ACCEPTED)
		return reason;
	*bound = shown;
	return use_once(issue, proof, key->thumbprint, identity);
}

/* ---- where a token is asked for ---- */

static bool refuse_proof(struct issue_request *request, enum token_reason reason)
{
	request->reason = reason;
	if (reason == TOKEN_NONCE)
		return issue_refuse(request, ISSUE_NONCE, NULL);
	if (reason == TOKEN_NO_ROOM)
		return issue_refuse(request, ISSUE_BUSY, token_reason_meaning(reason));
	return issue_refuse(request, ISSUE_PROOF, token_reason_meaning(reason));
}

bool issue_read_proof(struct issue *issue, struct arena *arena, struct issue_request *request,
	struct issue_binding *out)
{
	enum token_reason reason;

	*out = (struct issue_binding){.has_proof = request->proof.data != NULL};
	if (!out->has_proof)
		return true;
	reason = dpop_parse(&out->proof, arena, request->proof);
	if (reason == TOKEN_ACCEPTED)
		reason = check_nonce(issue, &out->proof, ISSUE_NONCES_TOKENS);
	return reason == TOKEN_ACCEPTED || refuse_proof(request, reason);
}

/* What the charter asks for, in words. */
static bool refuse_unbound(struct issue_request *request, enum binding_need need)
{
	switch (need) {
	case BINDING_NEED_DPOP:
		return issue_refuse(request, ISSUE_BINDING, "send a DPoP proof (RFC 9449)");
	case BINDING_NEED_MTLS:
		return issue_refuse(
			request, ISSUE_BINDING, "connect with a client certificate (RFC 8705)");
	case BINDING_NEED_ANY:
	case BINDING_NEED_BY_RISK:
	case BINDING_NEED_NONE: break;
	}
	return issue_refuse(request, ISSUE_BINDING,
		"send a DPoP proof (RFC 9449) or connect with a client certificate (RFC 8705)");
}

/* A certificate that was shown binds, unless a proof does: who shows one has its key, and a
 * token that only its holder can use is never worse. */
static bool is_to_certificate(
	const struct issue_binding *binding, struct text certificate, enum binding_need need)
{
	if (certificate.length == 0)
		return false;
	return !binding->has_proof || need == BINDING_NEED_MTLS;
}

bool issue_bind(struct issue *issue, struct issue_request *request, const struct proven *proven,
	struct issue_binding *binding)
{
	enum binding_need need = charter_binding_need(proven->charter, proven->environment);
	const struct dpop_request due = {.method = TEXT("POST"), .url = request->path};
	enum token_reason reason = TOKEN_ACCEPTED;

	if (binding->has_proof) {
		reason = check_proof(issue, issue->scratch, &binding->proof, &due, proven->identity,
			&binding->bound);
		arena_reset(issue->scratch);
	}
	if (reason != TOKEN_ACCEPTED)
		return refuse_proof(request, reason);
	if (is_to_certificate(binding, request->certificate, need))
		binding->bound = (struct token_binding){BINDING_MTLS,
			sha256_of(request->certificate.data, request->certificate.length)};
	if (!charter_takes_binding(proven->charter, proven->environment, binding->bound.kind))
		return refuse_unbound(request, need);
	return true;
}

/* ---- where a token is used ---- */

static enum token_reason check_presented(struct issue *issue,
	const struct issue_presented *presented, struct text token,
	const struct token_binding *bound, struct text identity)
{
	const struct dpop_request request = {presented->method, presented->path, token};
	struct token_binding due = *bound;
	struct dpop_proof proof;
	enum token_reason reason = dpop_parse(&proof, issue->scratch, presented->proof);

	if (reason == TOKEN_ACCEPTED)
		reason = check_nonce(issue, &proof, ISSUE_NONCES_ALWAYS);
	if (reason == TOKEN_ACCEPTED)
		reason = check_proof(issue, issue->scratch, &proof, &request, identity, &due);
	return reason;
}

static enum token_reason check_key(struct issue *issue, struct issue_presented *presented,
	struct text token, const struct token_binding *bound, struct text identity)
{
	enum token_reason reason;

	if (presented->proof.length == 0)
		return TOKEN_PROOF_MISSING;
	reason = check_presented(issue, presented, token, bound, identity);
	arena_reset(issue->scratch);
	presented->proof_reason = reason;
	if (reason == TOKEN_ACCEPTED || reason == TOKEN_NONCE || reason == TOKEN_NO_ROOM)
		return reason;
	return TOKEN_PROOF;
}

enum token_reason issue_check_bound(struct issue *issue, struct issue_presented *presented,
	const struct issue_shown *shown, const struct token_binding *bound, struct text identity)
{
	switch (bound->kind) {
	case BINDING_NONE: return shown->is_dpop ? TOKEN_PROOF_UNDUE : TOKEN_ACCEPTED;
	case BINDING_MTLS:
		if (shown->is_dpop)
			return TOKEN_PROOF_UNDUE;
		return presented->certificate != NULL &&
				       sha256_equal(presented->certificate, &bound->thumbprint)
			       ? TOKEN_ACCEPTED
			       : TOKEN_CERTIFICATE;
	case BINDING_DPOP:
		if (!shown->is_dpop)
			return TOKEN_PROOF_MISSING;
		return check_key(issue, presented, shown->token, bound, identity);
	}
	return TOKEN_BOUND;
}

/* The address says which approval and which verb, the body which call; both are under the
 * signature, with the time and a one-time id, so a yes cannot be moved to another
 * approval, turned into another verb, or be used for other arguments. */
#include "domain/answer/answer_proof.h"

enum { AUTHORIZATION_BYTES_MAX = TOKEN_BYTES_MAX + 64 };

static const char *const verb_words[] = {
	[ANSWER_APPROVE] = "approve",
	[ANSWER_REJECT] = "reject",
	[ANSWER_EDIT] = "edit",
};

static const struct {
	const char *word;
	const char *meaning;
} faults[] = {
	[ANSWER_UNSIGNED] = {"unsigned", "it is not signed"},
	[ANSWER_MALFORMED] = {"malformed", "its signature is no signed request"},
	[ANSWER_NOT_THEIRS] = {"not_theirs", "no key of this person signed it"},
	[ANSWER_FORGED] = {"forged", "the key did not sign this, here and at this time"},
	[ANSWER_OTHER_PLACE] = {"other_place", "it was signed for another approval or verb"},
	[ANSWER_OTHER_CALL] = {"other_call", "it was signed for another call"},
	[ANSWER_PROVEN] = {"proven", "the person's key signed exactly this"},
};

const char *answer_verb_word(enum answer_verb verb)
{
	return (size_t)verb < sizeof verb_words / sizeof *verb_words ? verb_words[verb] : NULL;
}

const char *answer_fault_word(enum answer_fault fault)
{
	return faults[fault].word;
}

const char *answer_fault_meaning(enum answer_fault fault)
{
	return faults[fault].meaning;
}

enum answer_fault answer_proof_read(
	struct request_signature *out, struct arena *arena, const struct answer_proof *proof)
{
	const struct text parts[] = {TEXT(REQUEST_SIGNATURE_SCHEME " "), proof->signature};
	struct text authorization;

	*out = (struct request_signature){0};
	if (proof->signature.length == 0)
		return ANSWER_UNSIGNED;
	authorization = text_concat(arena, parts, 2);
	if (authorization.data == NULL || proof->signature.length > AUTHORIZATION_BYTES_MAX ||
		request_signature_parse(out, arena, authorization) != TOKEN_ACCEPTED)
		return ANSWER_MALFORMED;
	return ANSWER_PROVEN;
}

/* The address ends with the path of this approval and verb; what stands before it, the
 * daemon's own address, was checked where the request came in. */
static bool is_place(struct text url, const struct answer_claim *claim, struct arena *arena)
{
	const char *verb = answer_verb_word(claim->verb);
	struct text path;

	if (verb == NULL)
		return false;
	path = text_format(arena, "/v1/approvals/%.*s/%s", TEXT_ARGS(claim->approval), verb);
	return path.data != NULL && text_ends_with(url, path.data);
}

static bool is_call(struct text body, const struct sha256 *call, struct arena *arena)
{
	struct error err = {0};
	struct sha256 named;
	struct json object;

	return json_parse(&object, arena, body, &json_limits_default, &err) &&
	       object.type == JSON_OBJECT &&
	       digest_parse(json_text_or(&object, "call", ""), &named) &&
	       sha256_equal(&named, call);
}

/* An edit is a no, so less hangs on it: its new arguments are another question. */
static enum answer_fault check_bodiless(const struct request_signature *signature,
	const struct public_key *key, const struct answer_claim *claim, struct arena *arena)
{
	const struct json *claims = &signature->jws.claims;
	int64_t late_s = claim->at_utc_ms / 1000 - signature->issued_utc_s;

	if (jws_verify(&signature->jws, key) != TOKEN_ACCEPTED ||
		late_s > REQUEST_SIGNATURE_WINDOW_S || late_s < -REQUEST_SIGNATURE_WINDOW_S)
		return ANSWER_FORGED;
	if (claim->installation.length != 0 &&
		!text_equal(json_text_or(claims, "aud", ""), claim->installation))
		return ANSWER_FORGED;
	return is_place(json_text_or(claims, "htu", ""), claim, arena) ? ANSWER_PROVEN
								       : ANSWER_OTHER_PLACE;
}

enum answer_fault answer_proof_check(const struct request_signature *signature,
	const struct public_key *key, const struct answer_proof *proof,
	const struct answer_claim *claim, struct arena *arena)
{
	const struct json *claims = &signature->jws.claims;
	const struct signed_request request = {
		.audience = claim->installation.length != 0 ? claim->installation
							    : json_text_or(claims, "aud", ""),
		.method = TEXT("POST"),
		.url = json_text_or(claims, "htu", ""),
		.body = proof->body,
	};

	if (claim->person.length == 0 || !text_equal(signature->person, claim->person))
		return ANSWER_NOT_THEIRS;
	if (claim->verb == ANSWER_EDIT && proof->body.length == 0)
		return check_bodiless(signature, key, claim, arena);
	if (request_signature_check(signature, key, &request, claim->at_utc_ms / 1000) !=
		TOKEN_ACCEPTED)
		return ANSWER_FORGED;
	if (!is_place(request.url, claim, arena))
		return ANSWER_OTHER_PLACE;
	return is_call(proof->body, &claim->call, arena) ? ANSWER_PROVEN : ANSWER_OTHER_CALL;
}

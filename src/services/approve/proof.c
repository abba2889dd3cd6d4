/* Whether what a person signed is the answer they are said to give, with the keys as the
 * registry has them at that moment. */

#include "domain/token/jwk.h"
#include "services/approve/approve_private.h"

/* Nobody has ended it, and it had not ended by itself at that time. */
bool approve_has_key(
	const struct approve *approve, struct text person, struct text key_id, int64_t at_utc_ms)
{
	const struct person_key *key = NULL;
	const struct registry_entry *entry =
		key_id.length == 0 ? NULL : registry_find_key(approve->registry, key_id, &key);

	return entry != NULL && key != NULL && entry->in_force != NULL &&
	       text_equal(entry->name, person) && key->ended_utc_ms == 0 &&
	       !person_key_is_over(key, at_utc_ms);
}

static enum answer_fault check(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request, struct arena *arena, struct text *out_key_id)
{
	const struct answer_claim claim = {
		.person = request->person,
		.approval = approval->id,
		.call = approval->call_digest,
		.verb = request->verb,
		.at_utc_ms = fold_stamp_utc_ms(approve->fold),
	};
	const struct person_key *enrolled = NULL;
	struct request_signature signature;
	struct public_key *key = NULL;
	struct error err = {0};
	enum answer_fault fault = answer_proof_read(&signature, arena, &request->proof);

	if (fault != ANSWER_PROVEN)
		return fault;
	*out_key_id = signature.key_id;
	if (!approve_has_key(approve, request->person, signature.key_id, claim.at_utc_ms))
		return ANSWER_NOT_THEIRS;
	(void)registry_find_key(approve->registry, signature.key_id, &enrolled);
	if (!jwk_parse(&key, &enrolled->jwk, &err))
		return ANSWER_FORGED;
	fault = answer_proof_check(&signature, key, &request->proof, &claim, arena);
	public_key_destroy(&key);
	return fault;
}

static enum token_reason check_request(const struct approve *approve, struct text person,
	const struct answer_proof *proof, struct arena *arena, struct text *out_key_id)
{
	const struct person_key *enrolled = NULL;
	struct request_signature signature;
	struct public_key *key = NULL;
	struct error err = {0};
	struct signed_request request = {.method = TEXT("POST"), .body = proof->body};
	enum token_reason reason;

	if (answer_proof_read(&signature, arena, proof) != ANSWER_PROVEN)
		return TOKEN_SIGNATURE;
	*out_key_id = signature.key_id;
	request.audience = json_text_or(&signature.jws.claims, "aud", "");
	request.url = json_text_or(&signature.jws.claims, "htu", "");
	if (!text_equal(signature.person, person) ||
		!approve_has_key(
			approve, person, signature.key_id, fold_stamp_utc_ms(approve->fold)))
		return TOKEN_KEY_UNKNOWN;
	(void)registry_find_key(approve->registry, signature.key_id, &enrolled);
	if (!jwk_parse(&key, &enrolled->jwk, &err))
		return TOKEN_KEY_UNKNOWN;
	reason = request_signature_check(
		&signature, key, &request, fold_stamp_utc_ms(approve->fold) / 1000);
	public_key_destroy(&key);
	return reason;
}

bool approve_check_signature(const struct approve *approve, struct text person,
	const struct answer_proof *proof, struct arena *arena, struct text *out_key_id,
	struct error *err)
{
	enum token_reason reason = check_request(approve, person, proof, arena, out_key_id);

	return reason == TOKEN_ACCEPTED ||
	       error_set(err, ERROR_INVALID, "forbidden: the request's signature does not hold: %s",
		       token_reason_meaning(reason));
}

bool approve_check_proof(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request, struct arena *arena, struct text *out_key_id,
	struct error *err)
{
	enum answer_fault fault = check(approve, approval, request, arena, out_key_id);

	if (fault == ANSWER_PROVEN)
		return true;
	if (fault == ANSWER_OTHER_CALL)
		return error_set(err, ERROR_CONFLICT,
			"what was signed names another call than approval %.*s is about: look at "
			"it again",
			TEXT_ARGS(approval->id));
	return error_set(err, ERROR_INVALID, "forbidden: the answer's signature does not hold: %s",
		answer_fault_meaning(fault));
}

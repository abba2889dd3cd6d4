/* Who signed a request to the control API.
 *
 * P1  One-time ids are kept in memory for as long as a signature can hold.  What
 *     was signed before this process started is refused, so a restart cannot
 *     make an id new again.
 * P2  Strangers can sign with a key of their own that they give along (enrolment).
 *     Their ids are not kept, or they would take the room of everybody's; what
 *     they ask for is done once by its one-time code. */
#include <string.h>

#include "services/issue/issue_private.h"

/* The key that should have signed, by the registry or as given. */
static enum token_reason find_key(struct issue *issue, const struct issue_signed *what,
	const struct request_signature *signature, struct arena *arena,
	const struct public_key **out)
{
	const struct person_key *enrolled = NULL;
	const struct registry_entry *entry = NULL;
	const struct json *jwk = what->jwk;
	const struct cached_key *key = NULL;
	struct error err = {0};

	if (jwk == NULL) {
		entry = registry_find_key(issue->parts.registry, signature->key_id, &enrolled);
		if (entry == NULL || enrolled == NULL || entry->in_force == NULL ||
			!text_equal(entry->name, signature->person))
			return TOKEN_KEY_UNKNOWN;
		jwk = &enrolled->jwk;
	}
	key = issue_key(issue, arena, jwk, &err);
	if (key == NULL || !text_is(signature->key_id, key->thumbprint))
		return TOKEN_KEY_UNKNOWN;
	*out = key->key;
	return TOKEN_ACCEPTED;
}

static enum token_reason use_once(
	struct issue *issue, const struct request_signature *signature, int64_t now_utc_s)
{
	const struct replay_use use = {
		.key = replay_key(signature->person, signature->id),
		.owner = signature->person,
		.until_utc_s = signature->issued_utc_s + REQUEST_SIGNATURE_WINDOW_S,
	};
	struct error err = {0};

	if (signature->issued_utc_s < issue->created_utc_s)
		return TOKEN_TOO_OLD;
	if (replay_is_used(issue->requests, &use.key, now_utc_s))
		return TOKEN_REPLAYED;
	return replay_note(issue->requests, &use, now_utc_s, &err) ? TOKEN_ACCEPTED : TOKEN_NO_ROOM;
}

static enum token_reason check(struct issue *issue, const struct issue_signed *what,
	struct arena *arena, struct request_signature *signature)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	const struct public_key *key = NULL;
	enum token_reason reason = request_signature_parse(signature, arena, what->authorization);

	if (reason == TOKEN_ACCEPTED)
		reason = find_key(issue, what, signature, arena, &key);
	if (reason == TOKEN_ACCEPTED)
		reason = request_signature_check(signature, key, &what->request, now_utc_s);
	if (reason != TOKEN_ACCEPTED || what->jwk != NULL)
		return reason;
	return use_once(issue, signature, now_utc_s);
}

bool issue_verify_request(struct issue *issue, const struct issue_signed *what, struct arena *arena,
	struct text *out_person, struct error *err)
{
	struct request_signature signature;
	enum token_reason reason = fold_has_failed(issue->parts.fold)
					   ? TOKEN_NO_ROOM
					   : check(issue, what, arena, &signature);

	*out_person = (struct text){0};
	if (reason == TOKEN_ACCEPTED) {
		*out_person = text_copy(arena, signature.person);
		if (out_person->data != NULL)
			return true;
		reason = TOKEN_NO_ROOM;
	}
	issue->status.requests_refused++;
	return error_set(err, reason == TOKEN_NO_ROOM ? ERROR_LIMIT : ERROR_INVALID,
		"the request's signature does not hold (%s): %s", token_reason_word(reason),
		token_reason_meaning(reason));
}

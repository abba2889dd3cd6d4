/* Who signed a request to the control API, and that it was for this installation
 * and for the way it came: a request that another one was sent, or that came by the
 * socket, is of no use elsewhere.
 *
 * P1  One-time ids are kept in memory for as long as a signature can hold.  What
 *     was signed before this process started, or in the same second, is refused,
 *     so a restart cannot make an id new again.
 * P2  Strangers can sign with a key of their own that they give along (enrolment).
 *     Their ids are not kept, or they would take the room of everybody's; what
 *     they ask for is done once by its one-time code. */
#include <string.h>

#include "services/issue/issue_private.h"

/* The key that should have signed, by the registry or as given. */
static enum token_reason find_key(struct issue *issue, const struct issue_signed *what,
	const struct request_signature *signature, struct arena *arena,
	const struct public_key **out, bool *over)
{
	const struct person_key *enrolled = NULL;
	const struct registry_entry *entry = NULL;
	const struct json *jwk = what->jwk;
	const struct cached_key *key = NULL;
	struct error err = {0};

	*over = false;
	if (jwk == NULL) {
		entry = registry_find_key(issue->parts.registry, signature->key_id, &enrolled);
		if (entry == NULL || enrolled == NULL || entry->in_force == NULL ||
			!text_equal(entry->name, signature->person))
			return TOKEN_KEY_UNKNOWN;
		*over = person_key_is_over(enrolled, issue_now_utc_ms(issue));
		jwk = &enrolled->jwk;
		/* Of one that ended before this start its kid alone may be left. */
		if (jwk->type != JSON_OBJECT)
			return TOKEN_KEY_OVER;
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

	/* iat counts whole seconds: of the one in which this process started, the process
	 * before may have taken some already. */
	if (signature->issued_utc_s <= issue->created_utc_s)
		return TOKEN_BEFORE_START;
	if (replay_is_used(issue->requests, &use.key, now_utc_s))
		return TOKEN_REPLAYED;
	return replay_note(issue->requests, &use, now_utc_s, &err) ? TOKEN_ACCEPTED : TOKEN_NO_ROOM;
}

/* Where this request should have been sent. */
static struct text place_of(const struct issue *issue, const struct issue_signed *what)
{
	return what->is_local ? TEXT(REQUEST_SIGNATURE_SOCKET) : issue_issuer(issue);
}

static enum token_reason check(struct issue *issue, const struct issue_signed *what,
	struct arena *arena, struct request_signature *signature)
{
	const struct signed_request due = {
		.audience = issue->parts.installation,
		.method = what->method,
		.url = text_format(arena, "%.*s%.*s", TEXT_ARGS(place_of(issue, what)),
			TEXT_ARGS(what->target)),
		.body = what->body,
	};
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	const struct public_key *key = NULL;
	bool is_over = false;
	enum token_reason reason = request_signature_parse(signature, arena, what->authorization);

	if (due.url.data == NULL)
		return TOKEN_NO_ROOM;
	if (reason == TOKEN_ACCEPTED)
		reason = find_key(issue, what, signature, arena, &key, &is_over);
	if (reason == TOKEN_ACCEPTED)
		reason = request_signature_check(signature, key, &due, now_utc_s);
	if (reason == TOKEN_ACCEPTED && is_over) /* told to its holder alone */
		return TOKEN_KEY_OVER;
	if (reason != TOKEN_ACCEPTED || what->jwk != NULL)
		return reason;
	return use_once(issue, signature, now_utc_s);
}

/* What the signer should have named, where that is what is wrong; both are public. */
static struct text due_name(
	const struct issue *issue, const struct issue_signed *what, enum token_reason reason)
{
	if (reason == TOKEN_AUDIENCE)
		return issue->parts.installation;
	return reason == TOKEN_TARGET ? place_of(issue, what) : TEXT("");
}

static bool refuse(struct issue *issue, const struct issue_signed *what, enum token_reason reason,
	struct error *err)
{
	struct text due = due_name(issue, what, reason);

	issue->status.requests_refused++;
	return error_set(err, reason == TOKEN_NO_ROOM ? ERROR_LIMIT : ERROR_INVALID,
		"the request's signature does not hold (%s): %s%s%.*s", token_reason_word(reason),
		token_reason_meaning(reason), due.length == 0 ? "" : "; this place is ",
		TEXT_ARGS(due));
}

bool issue_verify_request(struct issue *issue, const struct issue_signed *what, struct arena *arena,
	struct text *out_person, struct error *err)
{
	struct request_signature signature;
	enum token_reason reason =
		issue_is_closed(issue) ? TOKEN_NO_ROOM : check(issue, what, arena, &signature);

	*out_person = (struct text){0};
	if (reason != TOKEN_ACCEPTED)
		return refuse(issue, what, reason, err);
	*out_person = text_copy(arena, signature.person);
	return out_person->data != NULL || refuse(issue, what, TOKEN_NO_ROOM, err);
}

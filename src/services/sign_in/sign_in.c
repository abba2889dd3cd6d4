/* read ▸ is it of the issuer that is asked ▸ its key (may wait) ▸ id_token_check ▸ whose it is.
 *
 * S1  Nobody's registry entry is looked at before the signature holds.
 * S2  That nobody is meant, that two are, and that there is no such person are one answer.
 * S3  What a check found in the registry is found again by whoever changes something by it. */
#include "services/sign_in/sign_in.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domain/federation/id_token.h"

struct sign_in {
	struct sign_in_parts parts;
	struct sign_in_check *waiting;
	unsigned waiting_count;
};

static int64_t now_utc_ms(const struct sign_in *sign_in)
{
	struct timespec now;

	if (sign_in->parts.wall_utc_ms != NULL)
		return sign_in->parts.wall_utc_ms(sign_in->parts.clock_context);
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- who is registered ---- */

struct issuer_search {
	const struct registry_entry *found;
	unsigned count;
};

static bool lets_people_in(const struct registry_entry *entry)
{
	return entry != NULL && entry->in_force != NULL &&
	       entry->in_force->issuer->people.client.length > 0;
}

static bool consider_issuer(void *context, const struct registry_entry *entry)
{
	struct issuer_search *search = context;

	if (lets_people_in(entry)) {
		search->found = entry;
		search->count++;
	}
	return search->count < 2;
}

const struct registry_entry *sign_in_find_issuer(const struct registry *registry, struct text name)
{
	struct issuer_search search = {0};

	if (name.length > 0) {
		const struct registry_entry *entry = registry_find(registry, OBJECT_ISSUER, name);

		return lets_people_in(entry) ? entry : NULL;
	}
	registry_each(registry, OBJECT_ISSUER, TEXT(""), consider_issuer, &search);
	return search.count == 1 ? search.found : NULL;
}

struct person_search {
	struct text issuer;
	struct text name;
	const struct registry_entry *found;
	unsigned count;
};

static bool consider_person(void *context, const struct registry_entry *entry)
{
	struct person_search *search = context;
	const struct person *person = entry->in_force == NULL ? NULL : entry->in_force->person;

	if (person != NULL && !person_has_left(person) &&
		text_equal(person->sign_in_issuer, search->issuer) &&
		text_equal(person_sign_in_name(person), search->name)) {
		search->found = entry;
		search->count++;
	}
	return search->count < 2;
}

const struct registry_entry *sign_in_find_person(
	const struct registry *registry, struct text issuer, struct text name)
{
	struct person_search search = {.issuer = issuer, .name = name};

	if (issuer.length == 0 || name.length == 0)
		return NULL;
	registry_each(registry, OBJECT_PERSON, TEXT(""), consider_person, &search);
	return search.count == 1 ? search.found : NULL;
}

/* ---- one check ---- */

static void answer(struct sign_in_check *check, enum sign_in_outcome outcome)
{
	struct sign_in_check **link = &check->sign_in->waiting;

	while (*link != NULL && *link != check)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = check->next;
		check->sign_in->waiting_count--;
	}
	check->outcome = outcome;
	check->done(check);
}

/* Operators are told of what was signed; of the rest a stranger could write their table. */
static void refuse(struct sign_in_check *check, struct text issuer, enum token_reason reason)
{
	if (issuer.length > 0)
		trust_note_refused(check->sign_in->parts.trust, issuer, token_reason_word(reason));
	check->reason = reason;
	answer(check, SIGN_IN_REFUSED);
}

static bool take_person(struct sign_in_check *check, const struct id_token *token,
	const struct registry_entry *issuer, struct text name)
{
	const struct registry_entry *person =
		sign_in_find_person(check->sign_in->parts.registry, issuer->name, name);
	const struct issuer_people *people = &issuer->in_force->issuer->people;

	if (person == NULL)
		return false;
	check->person = text_copy(check->arena, person->name);
	check->issuer_name = text_copy(check->arena, issuer->name);
	check->issuer_digest = issuer->in_force->digest;
	check->person_digest = person->in_force->digest;
	check->key_until_utc_ms = now_utc_ms(check->sign_in) + people->key_lasts_s * 1000;
	check->useless_utc_ms = id_token_useless_utc_s(token) * 1000;
	return check->person.data != NULL && check->issuer_name.data != NULL;
}

static void judge(struct sign_in_check *check, const struct id_token *token,
	const struct registry_entry *issuer, const struct public_key *key)
{
	const struct id_token_rules rules = {.issuer = issuer->in_force->issuer,
		.nonce = check->nonce,
		.now_utc_s = now_utc_ms(check->sign_in) / 1000};
	struct text name;
	enum token_reason reason = id_token_check(token, key, &rules, &name);

	if (reason != TOKEN_ACCEPTED)
		refuse(check, issuer->name, reason);
	else if (take_person(check, token, issuer, name))
		answer(check, SIGN_IN_DONE);
	else
		refuse(check, issuer->name, TOKEN_PERSON);
}

static void look(struct sign_in_check *check, struct trust_wait *wait);

static void on_keys(struct trust_wait *wait)
{
	look(wait->context, NULL);
}

/* Only of the issuer that is asked: another one's token is no token here (mix-up). */
static void find_key(struct sign_in_check *check, const struct id_token *token,
	const struct registry_entry *issuer, struct trust_wait *wait)
{
	const struct trust_query query = {.issuer = issuer->in_force->issuer->url,
		.key_id = token->jws.key_id,
		.algorithm = token->jws.algorithm};
	struct trust_found found;

	switch (trust_find(check->sign_in->parts.trust, &query, wait, &found)) {
	case TRUST_FOUND: judge(check, token, issuer, found.key); return;
	case TRUST_WAITS: return;
	case TRUST_NO_KEYS: answer(check, SIGN_IN_NO_KEYS); return;
	case TRUST_UNKNOWN: break;
	}
	refuse(check, TEXT(""), TOKEN_KEY_UNKNOWN);
}

/* The token is read again after a wait: nothing of it was kept. */
static void look(struct sign_in_check *check, struct trust_wait *wait)
{
	const struct registry_entry *issuer =
		sign_in_find_issuer(check->sign_in->parts.registry, check->issuer);
	struct id_token token;
	enum token_reason reason;

	arena_reset(check->arena);
	reason = id_token_read(&token, check->arena, check->id_token);
	if (reason != TOKEN_ACCEPTED)
		refuse(check, TEXT(""), reason);
	else if (issuer == NULL || !text_equal(token.claims.issuer, issuer->in_force->issuer->url))
		refuse(check, TEXT(""), TOKEN_ISSUER);
	else if (check->nonce.length == 0)
		refuse(check, TEXT(""), TOKEN_LOGIN_NONCE);
	else
		find_key(check, &token, issuer, wait);
}

void sign_in_check_start(struct sign_in *sign_in, struct sign_in_check *check)
{
	check->sign_in = sign_in;
	check->outcome = SIGN_IN_REFUSED;
	check->reason = TOKEN_NOT_CHECKED;
	check->wait = (struct trust_wait){.run = on_keys, .context = check};
	check->next = NULL;
	check->arena = arena_create(TOKEN_ARENA_BYTES_MAX);
	if (check->arena == NULL || sign_in->waiting_count == SIGN_IN_UNDER_WAY_MAX) {
		answer(check, SIGN_IN_BUSY);
		return;
	}
	check->next = sign_in->waiting;
	sign_in->waiting = check;
	sign_in->waiting_count++;
	look(check, &check->wait);
}

void sign_in_forget(struct sign_in_check *check)
{
	struct sign_in_check **link = check->sign_in == NULL ? NULL : &check->sign_in->waiting;

	while (link != NULL && *link != NULL && *link != check)
		link = &(*link)->next;
	if (link == NULL || *link == NULL)
		return;
	*link = check->next;
	check->sign_in->waiting_count--;
	trust_forget(&check->wait);
}

void sign_in_check_deinit(struct sign_in_check *check)
{
	if (check->arena != NULL)
		arena_wipe(&check->arena);
}

/* ---- life ---- */

bool sign_in_create(struct sign_in **out, const struct sign_in_parts *parts, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for signing in");
	(*out)->parts = *parts;
	return true;
}

void sign_in_destroy(struct sign_in **sign_in)
{
	if (*sign_in == NULL)
		return;
	while ((*sign_in)->waiting != NULL)
		sign_in_forget((*sign_in)->waiting);
	free(*sign_in);
	*sign_in = NULL;
}

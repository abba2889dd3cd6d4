/* What a token is now (RFC 7662), for those whom it concerns.
 *
 * N1  Who asks is proven before anything is looked at: by a token of its own for this
 *     place, which costs no record, or by a client assertion, whose id is on record before
 *     the answer, so that no restart makes it new again.
 * N2  Everything but a token that opens something for somebody who may know is one and
 *     the same answer. */
#include <stdlib.h>
#include <string.h>

#include "services/issue/issue_private.h"

enum { RECORD_ARENA_BYTES_MAX = 512 * 1024 };

/* One proof on its way to the log. */
struct looking {
	struct issue *issue;
	struct issue_introspection *asked;
	struct arena *arena;
	struct fold_change change;
	struct proven proven; /* its entry and charter only until the record is submitted */
	struct looking *next;
};

static void looking_free(struct looking *looking)
{
	arena_destroy(&looking->arena);
	free(looking);
}

static void looking_unlink(struct looking *looking)
{
	struct looking **link = &looking->issue->lookings;

	while (*link != NULL && *link != looking)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = looking->next;
		looking->issue->lookings_count--;
	}
}

void issue_lookings_drop(struct issue *issue)
{
	while (issue->lookings != NULL) {
		struct looking *looking = issue->lookings;

		issue->lookings = looking->next;
		looking_free(looking);
	}
}

/* ---- what it is ---- */

/* Its own client; and who the token is for, a server that is registered as an identity too. */
static bool concerns(const struct issue *issue, struct text asker, struct text audience,
	const struct issue_caller *holder)
{
	const struct registry_entry *entry = registry_find_identity(issue->parts.registry, asker);
	struct text server = issue_server_of(issue, audience);

	if (text_equal(asker, holder->identity))
		return true;
	return server.length > 0 && text_equal(asker, server) && entry != NULL &&
	       charter_of(entry->in_force)->kind == KIND_TOOL_SERVER;
}

/* A key of its own proves who uses it (RFC 9449 §6.2). */
static const char *type_of(const struct json *claims)
{
	const struct json *binding = json_find(claims, "cnf");

	return binding != NULL && json_find(binding, "jkt") != NULL ? "DPoP" : "Bearer";
}

static bool put_active(
	struct json *out, struct arena *arena, const struct json *claims, struct error *err)
{
	static const char *const told[] = {"iss", "sub", "client_id", "aud", "jti", "iat", "exp",
		"scope", "task", "environment", "act", "cnf", "may_act", "authorization_details"};
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_boolean(&object, "active", true);
	json_put_cstring(&object, "token_type", type_of(claims));
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
		if (json_find(claims, told[i]) != NULL)
			json_put(&object, told[i], *json_find(claims, told[i]));
	return json_object_seal(&object, out, err);
}

/* A refresh token, to its own client alone: no server need know of one. */
static bool put_refresh(struct json *out, struct issue *issue,
	const struct issue_introspection *asked, struct text asker, struct error *err)
{
	const struct task *task = NULL;
	const struct refresh_family *family = NULL;
	struct text subject;
	struct json_builder object;
	struct json shown;

	if (!issue_look_at_refresh(issue, asked->token, asker, &task, &family))
		return false;
	subject =
		text_format(asked->arena, ACCESS_TOKEN_PERSON "%.*s", TEXT_ARGS(task_person(task)));
	json_object_start(&object, asked->arena);
	json_put_boolean(&object, "active", true);
	json_put_text(&object, "iss", issue_issuer(issue));
	json_put_text(&object, "sub", subject);
	json_put_text(&object, "client_id", task->identity);
	json_put_text(&object, "aud", family->audience);
	json_put_cstring(&object, "scope", ACCESS_TOKEN_SCOPE);
	json_put_text(&object, "task", task->id);
	json_put_integer(&object, "exp", family->until_utc_s);
	/* What is said lies in tables that the next record may change. */
	return json_object_seal(&object, &shown, err) && json_copy(out, asked->arena, &shown, err);
}

static bool put_inactive(struct json *out, struct arena *arena, struct error *err)
{
	struct json_builder object;

	json_object_start(&object, arena);
	json_put_boolean(&object, "active", false);
	return json_object_seal(&object, out, err);
}

static void answer(struct issue *issue, struct issue_introspection *asked, struct text asker)
{
	struct issue_caller holder;
	struct json claims;
	struct error err = {0};
	bool is_told = issue_look_at(issue, asked->token, asked->arena, &holder, &claims) &&
		       concerns(issue, asker, json_text_or(&claims, "aud", ""), &holder);

	issue_refuse(&asked->asker, ISSUE_GRANTED, NULL);
	if (put_refresh(&asked->answer, issue, asked, asker, &err)) {
		asked->done(asked);
		return;
	}
	if (is_told ? !put_active(&asked->answer, asked->arena, &claims, &err)
		    : !put_inactive(&asked->answer, asked->arena, &err))
		issue_refuse(&asked->asker, ISSUE_BUSY, err.text);
	asked->done(asked);
}

/* ---- who asks ---- */

static bool may_ask(const struct issue *issue, struct text asker)
{
	return issue_identity_state(issue, asker) == TOKEN_ACCEPTED;
}

static void on_recorded(struct fold_change *change)
{
	struct looking *looking = change->context;
	struct issue *issue = looking->issue;
	struct issue_introspection *asked = looking->asked;

	looking_unlink(looking);
	if (change->is_durable && may_ask(issue, looking->proven.identity)) {
		answer(issue, asked, looking->proven.identity);
	} else {
		issue_refuse(&asked->asker,
			change->is_durable ? ISSUE_NOT_ACTIVE : ISSUE_NOT_RECORDED, NULL);
		asked->done(asked);
	}
	looking_free(looking);
}

bool issue_proof_record(struct text *out, struct issue *issue, struct arena *arena,
	const struct proof_of *proof, struct error *err)
{
	struct text actor = text_format(arena, "identity:%.*s", TEXT_ARGS(proof->proven->identity));
	const struct token_binding unbound = {.kind = BINDING_NONE};
	struct json_builder record;
	struct json value, sealed;

	if (actor.data == NULL || !issue_proof(&value, arena, proof->proven, &unbound, err))
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	json_object_start(&record, arena);
	json_put_integer(&record, "at", fold_stamp_utc_ms(issue->parts.fold));
	json_put_cstring(&record, "type", "assertion-used");
	json_put_text(&record, "actor", actor);
	json_put_cstring(&record, "for", proof->what);
	json_put(&record, "proof", value);
	if (!json_object_seal(&record, &sealed, err))
		return false;
	*out = json_canonical_text(arena, &sealed);
	return out->data != NULL || error_set(err, ERROR_LIMIT, "no memory for a record");
}

/* True: on its way, and done runs later. */
static bool prove_and_record(struct looking *looking)
{
	struct issue *issue = looking->issue;
	struct issue_request *asker = &looking->asked->asker;
	const struct proof_of proof = {&looking->proven, "introspect"};
	struct error err = {0};

	/* Who asks by the word of an issuer does not wait for its keys here. */
	if (issue_prove(issue, looking->arena, asker, NULL, &looking->proven) != PROVING_DONE)
		return false;
	if (!may_ask(issue, looking->proven.identity))
		return issue_refuse(asker, ISSUE_NOT_ACTIVE, NULL);
	if (!issue_proof_record(&looking->change.entry, issue, looking->arena, &proof, &err))
		return issue_refuse(asker, ISSUE_BUSY, err.text);
	looking->change.done = on_recorded;
	looking->change.context = looking;
	looking->next = issue->lookings;
	issue->lookings = looking;
	issue->lookings_count++;
	if (fold_submit(issue->parts.fold, &looking->change, &err))
		return true;
	looking_unlink(looking);
	return issue_refuse(asker, ISSUE_NOT_RECORDED, err.text);
}

static struct looking *looking_create(struct issue *issue, struct issue_introspection *asked)
{
	struct looking *looking = NULL;

	if (issue->lookings_count == ISSUE_INTROSPECTIONS_MAX)
		return NULL;
	looking = calloc(1, sizeof *looking);
	if (looking == NULL)
		return NULL;
	looking->issue = issue;
	looking->asked = asked;
	looking->arena = arena_create(RECORD_ARENA_BYTES_MAX);
	if (looking->arena != NULL)
		return looking;
	free(looking);
	return NULL;
}

static void ask_by_assertion(struct issue *issue, struct issue_introspection *asked)
{
	struct looking *looking = looking_create(issue, asked);

	if (looking == NULL)
		issue_refuse(&asked->asker, ISSUE_BUSY, NULL);
	else if (prove_and_record(looking))
		return;
	if (looking != NULL)
		looking_free(looking);
	asked->done(asked);
}

/* A token for this place, which is remit's own. */
static void ask_by_token(struct issue *issue, struct issue_introspection *asked)
{
	struct issue_caller asker;
	char name[CHARTER_NAME_BYTES_MAX];

	asked->asker.reason =
		issue_authenticate_header(issue, &asked->presented, issue_issuer(issue), &asker);
	if (asked->asker.reason != TOKEN_ACCEPTED || asker.identity.length > sizeof name) {
		issue_refuse(&asked->asker, ISSUE_CLIENT_UNPROVEN, NULL);
		asked->done(asked);
		return;
	}
	memcpy(name, asker.identity.data, asker.identity.length);
	answer(issue, asked, (struct text){name, asker.identity.length});
}

void issue_introspect(struct issue *issue, struct issue_introspection *asked)
{
	asked->asker.refusal = ISSUE_REFUSED;
	asked->asker.reason = TOKEN_NOT_CHECKED;
	if (issue_is_closed(issue)) {
		issue_refuse(&asked->asker, ISSUE_BUSY, "the log or the address is not ready");
		asked->done(asked);
	} else if (asked->presented.authorization.length > 0) {
		ask_by_token(issue, asked);
	} else {
		ask_by_assertion(issue, asked);
	}
}

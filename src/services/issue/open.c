/* Opening a task: prove, check, record, then sign.
 *
 *   assertion ─▶ key of the charter ─▶ signature and claims ─▶ used once
 *       ─▶ identity active and owned ─▶ audience ─▶ task-opened durable
 *       ─▶ still active ─▶ token signed
 *
 * O1  Before the signature holds, every refusal that depends on the registry is
 *     the same, so that a stranger learns no names.
 * O2  A one-time id is noted when its signature held, whatever comes after, in
 *     the share of its identity; it is in the record that it opened, so a restart
 *     knows it too.
 * O3  No token leaves without a durable task-opened record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/random.h"
#include "services/issue/issue_private.h"

enum {
	OPENING_ARENA_BYTES_MAX = 512 * 1024,
	/* Slots of the store's rows: an id is of no use after its assertion's
	 * longest life, so rows two slots old may go. */
	SLOT_S = 600,
	SLOTS = 4,
	SLOT_KEY_BYTES = 64,
};
#define ACTOR_PREFIX "identity:"

_Static_assert(CLIENT_ASSERTION_LIFETIME_MAX_S + 2 * TOKEN_SKEW_S <= SLOT_S,
	"an id can be replayed for less than one slot");

/* One request on its way to the log. */
struct opening {
	struct issue *issue;
	struct issue_request *request;
	struct arena *arena;
	struct fold_change change;
	char task[RANDOM_ID_BYTES];
	struct text identity;
	struct text audience;
	enum environment environment;
	int64_t issued_utc_s;
	int64_t expires_utc_s;
	int64_t parent_end_utc_s; /* where there is a parent */
	struct opening *next;
};

/* What an assertion proved. */
struct proof {
	struct client_assertion assertion;
	const struct registry_entry *entry;
	const struct charter *charter;
	struct text key_id; /* thumbprint, in the opening's arena */
	enum environment environment;
	struct replay_use use;
};

static void opening_free(struct opening *opening)
{
	arena_destroy(&opening->arena);
	free(opening);
}

static void opening_unlink(struct opening *opening)
{
	struct opening **link = &opening->issue->openings;

	while (*link != NULL && *link != opening)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = opening->next;
		opening->issue->openings_count--;
	}
}

void issue_openings_drop(struct issue *issue)
{
	while (issue->openings != NULL) {
		struct opening *opening = issue->openings;

		issue->openings = opening->next;
		opening_free(opening);
	}
}

/* Always false, so that a check can end in one line. */
static bool refuse(struct issue_request *request, enum issue_refusal refusal, const char *detail)
{
	request->refusal = refusal;
	snprintf(request->detail, sizeof request->detail, "%s%s%.150s",
		issue_refusal_meaning(refusal), detail == NULL ? "" : ": ",
		detail == NULL ? "" : detail);
	return false;
}

/* ---- who is it ---- */

static const struct charter *charter_of(const struct registry_entry *entry)
{
	const struct object *object = entry->in_force != NULL ? entry->in_force : entry->waiting;

	return object == NULL || object->kind != OBJECT_IDENTITY ? NULL : object->charter;
}

static bool is_named(const struct charter_key *key, const char *thumbprint, struct text id)
{
	return text_is(id, thumbprint) || text_equal(json_text_or(&key->jwk, "kid", ""), id);
}

/* The charter's key that the assertion names; with one key alone none need be
 * named. */
static const struct cached_key *find_key(
	struct opening *opening, struct proof *proof, struct text id, struct error *err)
{
	const struct charter *charter = proof->charter;

	if (id.data == NULL && charter->keys_count != 1)
		return NULL;
	for (uint32_t i = 0; i < charter->keys_count; i++) {
		const struct cached_key *found =
			issue_key(opening->issue, opening->arena, &charter->keys[i].jwk, err);

		if (found == NULL)
			continue;
		if (id.data == NULL || is_named(&charter->keys[i], found->thumbprint, id)) {
			proof->environment = charter->keys[i].environment;
			proof->key_id = text_copy(opening->arena, text_of(found->thumbprint));
			return found;
		}
	}
	return NULL;
}

static bool refuse_assertion(struct issue_request *request, enum token_reason reason)
{
	request->reason = reason;
	if (reason == TOKEN_SIGNATURE || reason == TOKEN_KEY_UNKNOWN)
		return refuse(request, ISSUE_CLIENT_UNPROVEN, NULL);
	return refuse(request, ISSUE_ASSERTION, token_reason_meaning(reason));
}

static bool find_client(struct opening *opening, struct proof *proof, struct text *out_name)
{
	struct issue_request *request = opening->request;
	enum token_reason reason =
		client_assertion_parse(&proof->assertion, opening->arena, request->assertion);

	if (reason != TOKEN_ACCEPTED)
		return refuse_assertion(request, reason);
	*out_name = proof->assertion.claims.subject;
	if (out_name->length == 0)
		return refuse_assertion(request, TOKEN_SUBJECT);
	if (request->client.length > 0 && !text_equal(request->client, *out_name))
		return refuse(request, ISSUE_CLIENT_MISMATCH, NULL);
	return true;
}

static bool prove_client(struct opening *opening, struct proof *proof)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	const struct cached_key *key = NULL;
	enum token_reason reason;
	struct text name = {0};
	struct error err = {0};

	if (!find_client(opening, proof, &name))
		return false;
	proof->entry = registry_find(issue->parts.registry, OBJECT_IDENTITY, name);
	proof->charter = proof->entry == NULL ? NULL : charter_of(proof->entry);
	if (proof->charter != NULL)
		key = find_key(opening, proof, proof->assertion.jws.key_id, &err);
	if (key == NULL)
		return refuse_assertion(request, TOKEN_KEY_UNKNOWN);
	reason = client_assertion_check(
		&proof->assertion, key->key, name, issue_issuer(issue), now_utc_s);
	if (reason != TOKEN_ACCEPTED)
		return refuse_assertion(request, reason);
	opening->identity = text_copy(opening->arena, name);
	opening->environment = proof->environment;
	return opening->identity.data != NULL ? true : refuse(request, ISSUE_BUSY, NULL);
}

static bool use_once(struct opening *opening, struct proof *proof)
{
	const struct claims *claims = &proof->assertion.claims;
	struct replay_table *table = opening->issue->assertions;
	int64_t now_utc_s = issue_now_utc_ms(opening->issue) / 1000;
	struct error err = {0};

	proof->use = (struct replay_use){
		.key = replay_key(claims->issuer, claims->id),
		.owner = opening->identity,
		.until_utc_s = claims->expires_utc_s + TOKEN_SKEW_S,
	};
	if (replay_is_used(table, &proof->use.key, now_utc_s))
		return refuse(opening->request, ISSUE_REPLAYED, NULL);
	if (!replay_note(table, &proof->use, now_utc_s, &err))
		return refuse(opening->request, ISSUE_BUSY, err.text);
	return true;
}

/* ---- may it ---- */

static bool is_governed(const struct issue *issue, const struct charter *charter)
{
	const struct registry *registry = issue->parts.registry;

	return charter->owner.length > 0 && charter->backup_owner.length > 0 &&
	       !text_equal(charter->owner, charter->backup_owner) && charter->purpose.length > 0 &&
	       registry_find_person(registry, charter->owner) != NULL &&
	       registry_find_person(registry, charter->backup_owner) != NULL;
}

static bool check_identity(struct opening *opening, const struct proof *proof)
{
	struct issue_request *request = opening->request;
	enum identity_state state = proof->entry->state;

	if (proof->entry->in_force == NULL)
		state = proof->entry->waiting_state;
	if (state != IDENTITY_ACTIVE || proof->entry->in_force == NULL) {
		const char *word = identity_state_word(state);
		char detail[64];

		snprintf(detail, sizeof detail, "it is %s", word == NULL ? "unknown" : word);
		return refuse(request, ISSUE_NOT_ACTIVE, detail);
	}
	if (!is_governed(opening->issue, proof->charter))
		return refuse(request, ISSUE_UNGOVERNED, NULL);
	if (is_expired(proof->charter->expires_utc_s, issue_now_utc_ms(opening->issue) / 1000))
		return refuse(request, ISSUE_CHARTER_EXPIRED, NULL);
	if (proof->environment == ENVIRONMENT_NONE ||
		!charter_has_environment(proof->charter, proof->environment))
		return refuse(request, ISSUE_ENVIRONMENT, NULL);
	return true;
}

static bool is_plain(struct text purpose)
{
	for (size_t i = 0; i < purpose.length; i++)
		if ((unsigned char)purpose.data[i] < ' ' || purpose.data[i] == 0x7f)
			return false;
	return purpose.length <= ISSUE_PURPOSE_BYTES_MAX && text_is_utf8(purpose);
}

/* A task below another one, which has then touched what this one touches, and does not
 * outlive it. */
static bool check_parent(struct opening *opening)
{
	const struct issue *issue = opening->issue;
	struct text id = opening->request->parent;
	const struct task *parent = task_find(issue->parts.tasks, id);

	if (id.length == 0)
		return true;
	/* Whether another identity's task exists is nobody's to learn. */
	if (parent == NULL || !text_equal(parent->identity, opening->identity) ||
		parent->environment != opening->environment)
		return refuse(opening->request, ISSUE_PARENT, "no such task of this identity");
	if (!task_is_live(parent, issue_now_utc_ms(issue)) ||
		issue_is_from_sandbox(issue, parent) || parent->depth >= TASK_DEPTH_MAX)
		return refuse(opening->request, ISSUE_PARENT, "it is over, or too deep");
	opening->parent_end_utc_s = parent->deadline_utc_ms / 1000;
	return true;
}

static bool check_wishes(struct opening *opening)
{
	struct issue_request *request = opening->request;

	if (request->resource.length == 0)
		return refuse(request, ISSUE_AUDIENCE_MISSING, NULL);
	if (!issue_is_audience(opening->issue, request->resource))
		return refuse(request, ISSUE_AUDIENCE_UNKNOWN, NULL);
	if (request->scope.length > 0 && !text_is(request->scope, ACCESS_TOKEN_SCOPE))
		return refuse(request, ISSUE_SCOPE, NULL);
	if (!is_plain(request->purpose))
		return refuse(request, ISSUE_PURPOSE, NULL);
	opening->audience = text_copy(opening->arena, request->resource);
	return opening->audience.data != NULL ? true : refuse(request, ISSUE_BUSY, NULL);
}

/* ---- record it ---- */

/* The task's record with what only we know: the audience, and the proof. */
static bool add_proof(struct json *out, struct opening *opening, const struct json *record,
	const struct proof *proof, struct error *err)
{
	struct json_builder whole, part;
	struct json proven;

	json_object_start(&part, opening->arena);
	json_put_text(&part, "key", proof->key_id);
	json_put_text(&part, "replay",
		base64url_text(opening->arena, proof->use.key.bytes, sizeof proof->use.key.bytes));
	json_put_integer(&part, "until", proof->use.until_utc_s);
	if (!json_object_seal(&part, &proven, err))
		return false;
	json_object_start(&whole, opening->arena);
	for (uint32_t i = 0; i < record->count; i++)
		json_put_named(&whole, record->members[i].name, record->members[i].value);
	json_put_text(&whole, "audience", opening->audience);
	json_put(&whole, "proof", proven);
	return json_object_seal(&whole, out, err);
}

static bool make_record(struct opening *opening, const struct proof *proof, struct error *err)
{
	struct issue *issue = opening->issue;
	int64_t at_utc_ms = fold_stamp_utc_ms(issue->parts.fold);
	int64_t lifetime_s =
		proof->charter->task_s > 0 ? proof->charter->task_s : CHARTER_TASK_S_DEFAULT;
	struct task_opening task = {.id = text_of(opening->task),
		.identity = opening->identity,
		.purpose = opening->request->purpose,
		.parent = opening->request->parent,
		.charter_version = proof->entry->in_force->version,
		.environment = proof->environment,
		.at_utc_ms = at_utc_ms};
	struct text actor =
		text_format(opening->arena, ACTOR_PREFIX "%.*s", TEXT_ARGS(opening->identity));
	struct json record, whole;

	/* limits.task of the charter; 15 minutes where it says nothing. */
	if (lifetime_s > CHARTER_TASK_S_MAX)
		lifetime_s = CHARTER_TASK_S_MAX;
	opening->issued_utc_s = at_utc_ms / 1000;
	opening->expires_utc_s = opening->issued_utc_s + lifetime_s;
	/* Nor does it outlive its charter. */
	if (proof->charter->expires_utc_s != 0 &&
		opening->expires_utc_s > proof->charter->expires_utc_s)
		opening->expires_utc_s = proof->charter->expires_utc_s;
	if (opening->request->parent.length > 0 &&
		opening->expires_utc_s > opening->parent_end_utc_s)
		opening->expires_utc_s = opening->parent_end_utc_s;
	/* Task and token end in the same millisecond. */
	task.deadline_utc_ms = opening->expires_utc_s * 1000;
	if (actor.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	if (!task_opened_record(&record, opening->arena, issue->parts.tasks, &task, actor, err) ||
		!add_proof(&whole, opening, &record, proof, err))
		return false;
	opening->change.entry = json_canonical_text(opening->arena, &whole);
	return opening->change.entry.data != NULL
		       ? true
		       : error_set(err, ERROR_LIMIT, "no memory for a record");
}

/* ---- hand it over ---- */

static bool sign_token(struct opening *opening, struct buffer *out, struct error *err)
{
	struct issue *issue = opening->issue;
	char id[RANDOM_ID_BYTES];
	struct access_token token = {
		.issuer = issue_issuer(issue),
		.identity = opening->identity,
		.audience = opening->audience,
		.task = text_of(opening->task),
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.environment = opening->environment,
		.issued_utc_s = opening->issued_utc_s,
		.expires_utc_s = opening->expires_utc_s,
	};

	random_id(id, "");
	token.id = text_of(id);
	return issue->parts.signer.sign(issue->parts.signer.context, &token, out, err);
}

static void grant(struct opening *opening, struct buffer *token)
{
	struct issue_request *request = opening->request;
	struct error err = {0};

	if (!sign_token(opening, token, &err)) {
		refuse(request, ISSUE_NOT_SIGNED, err.text);
		issue_abandon_task(opening->issue, text_of(opening->task), "no token was signed");
		return;
	}
	refuse(request, ISSUE_GRANTED, NULL);
	request->token = buffer_text(token);
	request->task = text_of(opening->task);
	request->scope_granted = TEXT(ACCESS_TOKEN_SCOPE);
	request->lifetime_s = opening->expires_utc_s - opening->issued_utc_s;
	request->index = opening->change.index;
	opening->issue->status.tasks_opened++;
}

static void on_recorded(struct fold_change *change)
{
	struct opening *opening = change->context;
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	const struct task *task = task_find(issue->parts.tasks, text_of(opening->task));
	struct buffer token;

	opening_unlink(opening);
	buffer_init(&token, ISSUE_TOKEN_BYTES_MAX);
	if (!change->is_durable)
		refuse(request, ISSUE_NOT_RECORDED, change->err.text);
	else if (!task_is_live(task, issue_now_utc_ms(issue)) ||
		 issue_identity_state(issue, opening->identity) != TOKEN_ACCEPTED)
		/* Stopped while the record was on its way. */
		refuse(request, ISSUE_NOT_ACTIVE, "it was stopped just now");
	else
		grant(opening, &token);
	if (request->refusal != ISSUE_GRANTED)
		issue->status.openings_refused++;
	request->done(request);
	if (token.data != NULL)
		explicit_bzero(token.data, token.length);
	buffer_deinit(&token);
	opening_free(opening);
}

/* True: on its way, and done runs later. */
static bool open_task(struct opening *opening)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	struct proof proof = {0};
	struct error err = {0};

	if (!prove_client(opening, &proof) || !use_once(opening, &proof) ||
		!check_identity(opening, &proof) || !check_wishes(opening) ||
		!check_parent(opening))
		return false;
	random_id(opening->task, "t-");
	if (!make_record(opening, &proof, &err))
		return refuse(request, ISSUE_BUSY, err.text);
	opening->change.done = on_recorded;
	opening->change.context = opening;
	opening->next = issue->openings;
	issue->openings = opening;
	issue->openings_count++;
	if (fold_submit(issue->parts.fold, &opening->change, &err))
		return true;
	opening_unlink(opening);
	return refuse(request, ISSUE_NOT_RECORDED, err.text);
}

static struct opening *opening_create(struct issue *issue, struct issue_request *request)
{
	struct opening *opening = calloc(1, sizeof *opening);

	if (opening == NULL)
		return NULL;
	opening->arena = arena_create(OPENING_ARENA_BYTES_MAX);
	if (opening->arena == NULL) {
		free(opening);
		return NULL;
	}
	opening->issue = issue;
	opening->request = request;
	return opening;
}

void issue_open_task(struct issue *issue, struct issue_request *request)
{
	struct opening *opening = NULL;

	request->refusal = ISSUE_REFUSED;
	request->reason = TOKEN_NOT_CHECKED;
	if (issue_is_closed(issue))
		refuse(request, ISSUE_BUSY, "the log or the address is not ready");
	else if (issue->openings_count == ISSUE_OPENINGS_MAX ||
		 (opening = opening_create(issue, request)) == NULL)
		refuse(request, ISSUE_BUSY, NULL);
	else if (open_task(opening))
		return;
	if (opening != NULL)
		opening_free(opening);
	issue->status.openings_refused++;
	request->done(request);
}

/* ---- the one-time ids across restarts ---- */

/* A task-opened record carries proof; the store's row (type "assertion") is the
 * proof and the actor alone.  What is on record is kept whatever the identity's
 * share, or a start could fail on it. */
bool issue_fold_assertion(void *state, const struct json *record, uint64_t index, struct error *err)
{
	struct issue *issue = state;
	const struct json *proof = json_find(record, "proof");
	struct text actor = json_text_or(record, "actor", "");
	struct replay_use use = {.owner = actor};
	size_t size = 0;

	(void)index;
	/* Rows of tasks are parts of such records and need not have one. */
	if (proof == NULL)
		return true;
	if (text_starts_with(actor, ACTOR_PREFIX))
		use.owner = (struct text){actor.data + sizeof ACTOR_PREFIX - 1,
			actor.length - (sizeof ACTOR_PREFIX - 1)};
	use.until_utc_s = json_integer_or(proof, "until", 0);
	if (!base64url_decode(json_text_or(proof, "replay", ""), use.key.bytes,
		    sizeof use.key.bytes, &size) ||
		size != sizeof use.key.bytes || use.until_utc_s <= 0)
		return error_set(err, ERROR_CORRUPT, "the proof of a task is malformed");
	return replay_keep(issue->assertions, &use, issue_now_utc_ms(issue) / 1000, err);
}

static struct text slot_prefix(struct arena *arena, int64_t slot)
{
	return text_format(arena, "%lld/", (long long)(slot % SLOTS));
}

/* Rows live in slots of ten minutes, reused in turn; opening a task clears the
 * two slots that come next, whose ids are all of no use any more. */
void issue_project_assertion(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	const struct json *proof = json_find(record, "proof");
	int64_t slot = json_integer_or(record, "at", 0) / 1000 / SLOT_S;
	struct text key = text_format(arena, "%lld/%.*s", (long long)(slot % SLOTS),
		TEXT_ARGS(json_text_or(record, "task", "")));
	struct json_builder row;
	struct json body;
	struct error err = {0};

	if (proof == NULL)
		return;
	json_object_start(&row, arena);
	json_put_integer(&row, "at", json_integer_or(record, "at", 0));
	json_put_cstring(&row, "type", "assertion");
	json_put_text(&row, "actor", json_text_or(record, "actor", ""));
	json_put(&row, "proof", *proof);
	if (!json_object_seal(&row, &body, &err))
		return; /* the arena is full: so is the projection's next step, which says so */
	projection_delete_prefix(projection, "assertion", slot_prefix(arena, slot + 1));
	projection_delete_prefix(projection, "assertion", slot_prefix(arena, slot + 2));
	projection_put(projection, "assertion", key, &body);
}

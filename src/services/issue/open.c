/* Opening a task: prove (prove.c, federated.c), check, record, then sign.
 *
 *   DPoP proof's form and nonce, if there is one ─▶ assertion ─▶ key of the charter
 *       ─▶ signature and claims ─▶ used once (or: client certificate)
 *       ─▶ identity active and owned ─▶ audience ─▶ bound as the charter asks
 *       ─▶ task-opened durable
 *       ─▶ still active ─▶ token signed
 *
 * O1  Every grant goes this one road.
 * O3  Who waits for an issuer's keys holds nothing but their place, of which others have
 *     as many again; once keys came, or did not, they are proven anew, and wait no more.
 * O2  No token leaves without a durable task-opened record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/random.h"
#include "services/issue/issue_private.h"

enum {
	OPENING_ARENA_BYTES_MAX = 512 * 1024,
	/* Slots of the store's rows, by when an id is of no use any more. */
	SLOT_S = 600,
	SLOTS = 150,
	SLOT_KEY_BYTES = 64,
};
#define ACTOR_PREFIX "identity:"

_Static_assert(CLIENT_ASSERTION_LIFETIME_MAX_S + 2 * TOKEN_SKEW_S <= (SLOTS - 3) * SLOT_S &&
		       ISSUER_LIFETIME_S_MAX + 2 * TOKEN_SKEW_S <= (SLOTS - 3) * SLOT_S,
	"no id comes round to the slots that were just over");

static void opening_free(struct opening *opening)
{
	task_details_destroy(&opening->details);
	arena_destroy(&opening->arena);
	explicit_bzero(opening->refresh, sizeof opening->refresh);
	free(opening);
}

void issue_opening_unlink(struct opening *opening)
{
	struct opening **link = &opening->issue->openings;

	while (*link != NULL && *link != opening)
		link = &(*link)->next;
	if (*link != NULL) {
		*link = opening->next;
		opening->issue->openings_count--;
		opening->issue->waiting_count -= opening->is_waiting;
		opening->is_waiting = false;
	}
}

static void opening_link(struct opening *opening)
{
	opening->next = opening->issue->openings;
	opening->issue->openings = opening;
	opening->issue->openings_count++;
}

void issue_openings_drop(struct issue *issue)
{
	while (issue->openings != NULL) {
		struct opening *opening = issue->openings;

		issue->openings = opening->next;
		trust_forget(&opening->wait);
		opening_free(opening);
	}
}

size_t issue_count_openings(const struct issue *issue, struct text identity, struct text parent)
{
	size_t count = 0;

	for (const struct opening *opening = issue->openings; opening != NULL;
		opening = opening->next) {
		bool is_meant = parent.length > 0 ? text_equal(opening->parent, parent)
						  : text_equal(opening->proven.identity, identity);

		/* One that is in the table waits for its signature alone. */
		count += is_meant && task_find(issue->parts.tasks, text_of(opening->task)) == NULL;
	}
	return count;
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

static bool check_identity(struct opening *opening)
{
	const struct proven *proven = &opening->proven;
	struct issue_request *request = opening->request;
	enum identity_state state = proven->entry->state;

	if (proven->entry->in_force == NULL)
		state = proven->entry->waiting_state;
	if (state != IDENTITY_ACTIVE || proven->entry->in_force == NULL) {
		const char *word = identity_state_word(state);
		char detail[64];

		snprintf(detail, sizeof detail, "it is %s", word == NULL ? "unknown" : word);
		return issue_refuse(request, ISSUE_NOT_ACTIVE, detail);
	}
	if (!is_governed(opening->issue, proven->charter))
		return issue_refuse(request, ISSUE_UNGOVERNED, NULL);
	if (is_expired(proven->charter->expires_utc_s, issue_now_utc_ms(opening->issue) / 1000))
		return issue_refuse(request, ISSUE_CHARTER_EXPIRED, NULL);
	if (proven->environment == ENVIRONMENT_NONE ||
		!charter_has_environment(proven->charter, proven->environment))
		return issue_refuse(request, ISSUE_ENVIRONMENT, NULL);
	return true;
}

bool issue_is_plain(struct text words, size_t length_max)
{
	for (size_t i = 0; i < words.length; i++)
		if ((unsigned char)words.data[i] < ' ' || words.data[i] == 0x7f)
			return false;
	return words.length <= length_max && text_is_utf8(words);
}

/* Below the task of the token that is exchanged. */
static bool check_exchange(struct opening *opening)
{
	struct issue *issue = opening->issue;

	if (!issue_check_exchange(
		    issue, opening->arena, opening->request, &opening->proven, &opening->exchanged))
		return false;
	opening->parent = opening->exchanged.parent;
	opening->parent_end_utc_s =
		task_find(issue->parts.tasks, opening->parent)->deadline_utc_ms / 1000;
	return true;
}

/* A task below another one, which has then touched what this one touches, and does not
 * outlive it. */
static bool check_parent(struct opening *opening)
{
	const struct issue *issue = opening->issue;
	struct text id = opening->request->parent;
	const struct task *parent = task_find(issue->parts.tasks, id);

	if (opening->request->is_exchange)
		return check_exchange(opening);
	opening->parent = id;
	if (id.length == 0)
		return true;
	/* Whether another identity's task exists is nobody's to learn. */
	if (parent == NULL || !text_equal(parent->identity, opening->proven.identity) ||
		parent->environment != opening->proven.environment)
		return issue_refuse(
			opening->request, ISSUE_PARENT, "no such task of this identity");
	if (issue_task_state(issue, parent) != TOKEN_ACCEPTED || parent->depth >= TASK_DEPTH_MAX)
		return issue_refuse(opening->request, ISSUE_PARENT, "it is over, or too deep");
	opening->parent_end_utc_s = parent->deadline_utc_ms / 1000;
	return true;
}

static bool check_wishes(struct opening *opening)
{
	struct issue_request *request = opening->request;

	if (request->resource.length == 0)
		return issue_refuse(request, ISSUE_AUDIENCE_MISSING, NULL);
	if (!issue_is_audience(opening->issue, request->resource))
		return issue_refuse(request, ISSUE_AUDIENCE_UNKNOWN, NULL);
	if (request->scope.length > 0 && !text_is(request->scope, ACCESS_TOKEN_SCOPE))
		return issue_refuse(request, ISSUE_SCOPE, NULL);
	if (!issue_is_plain(request->purpose, ISSUE_PURPOSE_BYTES_MAX))
		return issue_refuse(request, ISSUE_PURPOSE, NULL);
	opening->audience = text_copy(opening->arena, request->resource);
	return opening->audience.data != NULL ? true : issue_refuse(request, ISSUE_BUSY, NULL);
}

/* What the task is for (RFC 9396): it may only narrow what is above it. */
static bool check_details(struct opening *opening)
{
	struct issue_request *request = opening->request;
	const struct task_details *above =
		task_details_of(task_find(opening->issue->parts.tasks, opening->parent));
	struct error err = {0};

	if (request->details.length == 0)
		return true;
	if (!task_details_parse(&opening->details, request->details, &err))
		return issue_refuse(request, ISSUE_DETAILS, err.text);
	if (above != NULL && !task_details_narrow(opening->details, above))
		return issue_refuse(request, ISSUE_DETAILS, "the parent task lists less");
	return true;
}

/* ---- record it ---- */

bool issue_proof(struct json *out, struct arena *arena, const struct proven *proven,
	const struct token_binding *bound, struct error *err)
{
	struct json_builder part;

	json_object_start(&part, arena);
	json_put_text_unless_empty(&part, "key", proven->key_id);
	if (bound->kind != BINDING_NONE)
		json_put_text(&part, "bound-to",
			base64url_text(
				arena, bound->thumbprint.bytes, sizeof bound->thumbprint.bytes));
	if (proven->issuer.length > 0) {
		json_put_text(&part, "issuer", proven->issuer);
		json_put_text(&part, "subject", proven->subject);
		json_put_integer(&part, "rule", proven->rule);
	}
	if (proven->use.until_utc_s != 0) {
		json_put_text(&part, "replay",
			base64url_text(arena, proven->use.key.bytes, sizeof proven->use.key.bytes));
		json_put_integer(&part, "until", proven->use.until_utc_s);
	}
	return json_object_seal(&part, out, err);
}

void issue_put_life(struct json_builder *record, const struct opening *opening)
{
	enum risk_tier risk = opening->proven.charter->risk;

	if (risk != RISK_NONE)
		json_put_cstring(record, "risk", risk_tier_word(risk));
	json_put_integer(record, "token-until", opening->expires_utc_s * 1000);
}

/* The task's record with what only we know: the audience, and the proof. */
static bool add_proof(
	struct json *out, struct opening *opening, const struct json *record, struct error *err)
{
	struct json_builder whole;
	struct json proof;

	if (!issue_proof(&proof, opening->arena, &opening->proven, &opening->binding.bound, err))
		return false;
	json_object_start(&whole, opening->arena);
	for (uint32_t i = 0; i < record->count; i++)
		json_put_named(&whole, record->members[i].name, record->members[i].value);
	json_put_text(&whole, "audience", opening->audience);
	issue_put_life(&whole, opening);
	if (opening->consent[0] != '\0')
		json_put_integer(&whole, "consent", (int64_t)opening->consent_record);
	if (opening->refresh[0] != '\0')
		json_put_text(&whole, "refresh",
			base64url_text(opening->arena, opening->refresh_digest.bytes,
				sizeof opening->refresh_digest.bytes));
	json_put_text_unless_empty(&whole, "exchanged", opening->exchanged.token_id);
	json_put_text_unless_empty(&whole, "may-act", opening->request->may_act);
	json_put(&whole, "proof", proof);
	return json_object_seal(&whole, out, err);
}

static void end_by(int64_t *ends_utc_s, int64_t most_utc_s)
{
	if (most_utc_s != 0 && *ends_utc_s > most_utc_s)
		*ends_utc_s = most_utc_s;
}

/* limits.task of the charter; 15 minutes where it says nothing, and what its risk allows.  A task
 * that may be refreshed lives longer than each of its tokens; any other ends with its one. */
static void set_times(struct opening *opening, int64_t at_utc_ms)
{
	const struct charter *charter = opening->proven.charter;
	int64_t lifetime_s = charter_token_s(charter);
	int64_t refresh_s = opening->consent[0] == '\0' ? 0 : charter->acts_for.refresh_s;
	int64_t *ends = &opening->task_end_utc_s;

	opening->issued_utc_s = at_utc_ms / 1000;
	*ends = opening->issued_utc_s + (refresh_s > lifetime_s ? refresh_s : lifetime_s);
	/* Nor does it outlive its charter, what proved it, or its parent. */
	end_by(ends, charter->expires_utc_s);
	end_by(ends, opening->proven.ends_utc_s);
	if (opening->parent.length > 0)
		end_by(ends, opening->parent_end_utc_s);
	opening->expires_utc_s = opening->issued_utc_s + lifetime_s;
	end_by(&opening->expires_utc_s, *ends);
	if (refresh_s > 0)
		issue_make_refresh_token(opening, text_of(opening->task));
}

/* Whoever a task is for, those below it are for. */
static struct text person_of(const struct opening *opening)
{
	const struct task *parent = task_find(opening->issue->parts.tasks, opening->parent);

	return parent == NULL ? opening->person : task_person(parent);
}

static bool make_record(struct opening *opening, struct error *err)
{
	const struct proven *proven = &opening->proven;
	struct issue *issue = opening->issue;
	int64_t at_utc_ms = fold_stamp_utc_ms(issue->parts.fold);
	struct task_opening task = {.id = text_of(opening->task),
		.identity = opening->proven.identity,
		.person = person_of(opening),
		.purpose = opening->request->purpose,
		.parent = opening->parent,
		.details = opening->details == NULL ? NULL : task_details_json(opening->details),
		.unit = proven->charter->unit,
		.instance = opening->request->instance,
		.idle_s = proven->charter->idle_s,
		.session = task_session_of(opening->request->session),
		.charter_version = proven->entry->in_force->version,
		.revision = registry_revision(issue->parts.registry),
		.environment = proven->environment,
		.binding = opening->binding.bound.kind,
		.at_utc_ms = at_utc_ms};
	struct text actor = text_format(
		opening->arena, ACTOR_PREFIX "%.*s", TEXT_ARGS(opening->proven.identity));
	struct json record, whole;

	set_times(opening, at_utc_ms);
	/* Task and last token end in the same millisecond. */
	task.deadline_utc_ms = opening->task_end_utc_s * 1000;
	if (actor.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	if (!task_opened_record(&record, opening->arena, issue->parts.tasks, &task, actor, err) ||
		!add_proof(&whole, opening, &record, err))
		return false;
	opening->change.entry = json_canonical_text(opening->arena, &whole);
	return opening->change.entry.data != NULL
		       ? true
		       : error_set(err, ERROR_LIMIT, "no memory for a record");
}

/* ---- hand it over ---- */

/* Not stopped while the record, or the signature, was on its way. */
bool issue_may_act_now(const struct opening *opening)
{
	const struct issue *issue = opening->issue;
	const struct task *task = task_find(issue->parts.tasks, text_of(opening->task));

	return !opening->is_overtaken && issue_is_trusted(issue, &opening->proven) &&
	       issue_code_is_sound(opening) && issue_task_state(issue, task) == TOKEN_ACCEPTED;
}

/* What its task, or the nearest above it, is for; empty: whatever the charter lets it. */
static struct text details_of(const struct opening *opening)
{
	const struct task_details *details =
		task_details_of(task_find(opening->issue->parts.tasks, text_of(opening->task)));

	return details == NULL ? TEXT("") : task_details_text(details);
}

void issue_opening_finish(struct opening *opening)
{
	struct issue_request *request = opening->request;

	if (request->refusal != ISSUE_GRANTED)
		opening->issue->status.openings_refused++;
	request->done(request);
	opening_free(opening);
}

static void on_signed(struct token_signing *signing)
{
	struct opening *opening = signing->context;
	struct issue_request *request = opening->request;

	issue_opening_unlink(opening);
	if (!signing->is_signed) {
		issue_refuse(request, ISSUE_NOT_SIGNED, signing->err.text);
		issue_abandon_task(opening->issue, text_of(opening->task), "no token was signed");
	} else if (!issue_may_act_now(opening)) {
		issue_refuse(request, ISSUE_NOT_ACTIVE, "it was stopped just now");
		if (!issue_code_is_sound(opening))
			issue_end_reused(
				opening->issue, text_of(opening->task), "its code was used twice");
	} else {
		issue_refuse(request, ISSUE_GRANTED, NULL);
		request->refresh_granted = text_of(opening->refresh);
		if (opening->issue->parts.on_token != NULL)
			opening->issue->parts.on_token(opening->issue->parts.token_context,
				signing->token, opening->expires_utc_s);
		request->token = signing->token;
		request->task = text_of(opening->task);
		request->scope_granted = TEXT(ACCESS_TOKEN_SCOPE);
		request->details_granted = details_of(opening);
		request->bound = opening->binding.bound.kind;
		request->lifetime_s = opening->expires_utc_s - opening->issued_utc_s;
		request->index = opening->change.index;
		opening->issue->status.tasks_opened += request->wish == ISSUE_WISH_TOKEN;
	}
	issue_opening_finish(opening);
}

void issue_sign_token(struct opening *opening)
{
	struct issue *issue = opening->issue;
	const struct task *task = task_find(issue->parts.tasks, text_of(opening->task));
	char id[RANDOM_ID_BYTES];
	struct access_token token = {
		.issuer = issue_issuer(issue),
		.audience = opening->audience,
		.task = text_of(opening->task),
		.epoch = task == NULL ? 0 : task->epoch,
		.may_act = opening->request->may_act,
		.scope = TEXT(ACCESS_TOKEN_SCOPE),
		.details = details_of(opening),
		.environment = opening->proven.environment,
		.binding = opening->binding.bound,
		.issued_utc_s = opening->issued_utc_s,
		.expires_utc_s = opening->expires_utc_s,
	};

	random_id(id, "");
	token.id = text_of(id);
	opening->signing = (struct token_signing){.done = on_signed, .context = opening};
	if (!issue_name_parties(&token, task_find(issue->parts.tasks, token.task))) {
		error_set(&opening->signing.err, ERROR_INTERNAL, "its path is no chain");
		on_signed(&opening->signing);
		return;
	}
	issue->parts.signer.sign(issue->parts.signer.context, &token, &opening->signing);
}

static void go_on(struct opening *opening)
{
	switch (opening->request->wish) {
	case ISSUE_WISH_TOKEN:
	case ISSUE_WISH_REFRESH: issue_sign_token(opening); return;
	case ISSUE_WISH_ASK: issue_ask_people(opening); return;
	case ISSUE_WISH_CLAIM: break;
	}
	issue_redeem(opening);
}

static void forget_change(struct opening *opening)
{
	if (opening->request->wish == ISSUE_WISH_REFRESH)
		issue_refresh_failed(opening);
}

static void on_recorded(struct fold_change *change)
{
	struct opening *opening = change->context;

	if (change->is_durable &&
		(opening->request->wish == ISSUE_WISH_CLAIM || issue_may_act_now(opening))) {
		go_on(opening);
		return;
	}
	issue_opening_unlink(opening);
	if (change->is_durable && opening->is_overtaken)
		issue_abandon_task(opening->issue, text_of(opening->task), "it was ended before");
	if (!change->is_durable)
		forget_change(opening);
	if (!change->is_durable)
		issue_refuse(opening->request, ISSUE_NOT_RECORDED, change->err.text);
	else
		issue_refuse(opening->request, ISSUE_NOT_ACTIVE, "it was stopped just now");
	issue_opening_finish(opening);
}

/* A new task, as it was wished for.  False with no error: the request is refused. */
static bool make_task(struct opening *opening, struct error *err)
{
	if ((opening->request->is_code && !issue_take_code(opening)) || !check_wishes(opening) ||
		!issue_check_may_act(opening->request, &opening->proven) ||
		!check_parent(opening) || !check_details(opening) ||
		!issue_check_limits(
			opening->issue, opening->request, &opening->proven, opening->parent) ||
		!issue_check_asking(opening) ||
		!issue_bind(
			opening->issue, opening->request, &opening->proven, &opening->binding) ||
		!issue_check_code_key(opening))
		return false;
	random_id(opening->task, "t-");
	issue_name_code_task(opening);
	return make_record(opening, err);
}

/* No task is opened, and what proved the client is on record all the same. */
static bool make_proof(struct opening *opening, struct error *err)
{
	const struct proof_of proof = {&opening->proven, "claim"};

	if (!issue_bind(opening->issue, opening->request, &opening->proven, &opening->binding))
		return false;
	return issue_proof_record(
		&opening->change.entry, opening->issue, opening->arena, &proof, err);
}

/* Other openings of the identity are few enough: a slow log is nobody's alone. */
static bool has_share(const struct opening *opening)
{
	const struct opening *other = opening->issue->openings;
	size_t count = 0;

	for (; other != NULL; other = other->next)
		count += text_equal(other->proven.identity, opening->proven.identity);
	return count < ISSUE_OPENINGS_PER_IDENTITY_MAX ||
	       issue_refuse(opening->request, ISSUE_BUSY, "too many of this identity");
}

static bool make_change(struct opening *opening, struct error *err)
{
	switch (opening->request->wish) {
	case ISSUE_WISH_CLAIM: return make_proof(opening, err);
	case ISSUE_WISH_REFRESH: return issue_make_refresh(opening, err);
	case ISSUE_WISH_TOKEN:
	case ISSUE_WISH_ASK: break;
	}
	return make_task(opening, err);
}

/* True: on its way, and done runs later. */
static bool record_task(struct opening *opening)
{
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;
	struct error err = {0};

	if (!has_share(opening) || !check_identity(opening))
		return false;
	if (!make_change(opening, &err))
		return err.code == ERROR_NONE ? false : issue_refuse(request, ISSUE_BUSY, err.text);
	opening->change.done = on_recorded;
	opening->change.context = opening;
	opening_link(opening);
	if (fold_submit(issue->parts.fold, &opening->change, &err))
		return true;
	issue_opening_unlink(opening);
	forget_change(opening);
	return issue_refuse(request, ISSUE_NOT_RECORDED, err.text);
}

/* The keys came, or did not. */
static void on_keys(struct trust_wait *wait)
{
	struct opening *opening = wait->context;
	struct issue *issue = opening->issue;
	struct issue_request *request = opening->request;

	issue_opening_unlink(opening);
	arena_reset(opening->arena);
	if (issue_is_closed(issue))
		issue_refuse(request, ISSUE_BUSY, "the log is not ready");
	else if (issue_read_proof(issue, opening->arena, request, &opening->binding) &&
		 issue_prove(issue, opening->arena, request, NULL, &opening->proven) ==
			 PROVING_DONE &&
		 record_task(opening))
		return;
	issue_opening_finish(opening);
}

/* Likewise. */
static bool open_task(struct opening *opening)
{
	struct issue *issue = opening->issue;
	bool may_wait = issue->waiting_count < ISSUE_WAITING_MAX;

	if (!issue_read_proof(issue, opening->arena, opening->request, &opening->binding))
		return false;
	opening->wait = (struct trust_wait){.run = on_keys, .context = opening};
	switch (issue_prove(issue, opening->arena, opening->request,
		may_wait ? &opening->wait : NULL, &opening->proven)) {
	case PROVING_DONE: return record_task(opening);
	case PROVING_WAITS:
		opening_link(opening);
		opening->is_waiting = true;
		issue->waiting_count++;
		return true;
	case PROVING_REFUSED: break;
	}
	return false;
}

void issue_abandon_opening(struct issue *issue, struct issue_request *request)
{
	struct opening *opening = issue->openings;

	while (opening != NULL && (opening->request != request || !opening->is_waiting))
		opening = opening->next;
	if (opening == NULL)
		return;
	trust_forget(&opening->wait);
	issue_opening_unlink(opening);
	issue_refuse(request, ISSUE_BUSY, "whoever asked has gone");
	issue_opening_finish(opening);
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
		issue_refuse(request, ISSUE_BUSY, "the log or the address is not ready");
	else if (!issue_can_sign(issue))
		issue_refuse(request, ISSUE_BUSY, "the signer is not ready");
	else if (issue->openings_count == ISSUE_OPENINGS_MAX ||
		 (opening = opening_create(issue, request)) == NULL)
		issue_refuse(request, ISSUE_BUSY, NULL);
	else if (open_task(opening))
		return;
	if (opening != NULL)
		opening_free(opening);
	issue->status.openings_refused++;
	request->done(request);
}

/* ---- the one-time ids across restarts ---- */

/* A task-opened or assertion-used record carries proof; the store's row (type "assertion") is the
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
	if (proof == NULL || json_find(proof, "replay") == NULL)
		return true; /* nothing was used once: it was proven by a certificate */
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
	return text_format(arena, "until-%lld/", (long long)((slot + SLOTS) % SLOTS));
}

/* Rows live in slots of ten minutes, by the end of their id, reused in turn; opening a task
 * clears the two slots that are over. */
void issue_project_assertion(const struct json *record, struct projection *projection)
{
	struct arena *arena = projection_arena(projection);
	const struct json *proof = json_find(record, "proof");
	int64_t slot = json_integer_or(record, "at", 0) / 1000 / SLOT_S;
	int64_t end = json_integer_or(proof, "until", 0) / SLOT_S;
	struct text task = json_text_or(record, "task", "");
	/* A task is opened once, and refreshed often. */
	bool is_task = text_is(json_text_or(record, "type", ""), "task-opened");
	struct text name = is_task || proof == NULL ? task : json_text_or(proof, "replay", "");
	struct text key =
		text_format(arena, "%.*s%.*s", TEXT_ARGS(slot_prefix(arena, end)), TEXT_ARGS(name));
	struct json_builder row;
	struct json body;
	struct error err = {0};

	if (proof == NULL || json_find(proof, "replay") == NULL)
		return;
	json_object_start(&row, arena);
	json_put_integer(&row, "at", json_integer_or(record, "at", 0));
	json_put_cstring(&row, "type", "assertion");
	json_put_text(&row, "actor", json_text_or(record, "actor", ""));
	json_put(&row, "proof", *proof);
	if (!json_object_seal(&row, &body, &err))
		return; /* the arena is full: so is the projection's next step, which says so */
	projection_delete_prefix(projection, "assertion", slot_prefix(arena, slot - 1));
	projection_delete_prefix(projection, "assertion", slot_prefix(arena, slot - 2));
	projection_put(projection, "assertion", key, &body);
}

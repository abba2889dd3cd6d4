/* One account that is stopped at its provider, or may act again there:
 *
 *   on record (called) ─▶ calls ─▶ looks ─▶ on record (answered) ─▶ finding, or release
 *
 * S1  No call leaves before containment-called is durable.
 * S2  What the provider says of the account afterwards is what counts; that it took the call does
 *     not.  Only OFF closes the finding.
 * S3  Who is to be stopped, or is contained anew, while it is given back is not released: the
 *     finding stays open.
 * S4  Nothing is called by a document that is not in force any more.
 * S5  What was called, or to be called next, and not answered when the daemon ended is looked at,
 *     and not called again.
 * S6  What is being stopped is not released, from its order until its answer is on record.
 * S7  What was ordered and cannot be called is answered (UNKNOWN, and why), so that no daemon after
 *     this one takes it for what was cut off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/random.h"
#include "services/connector/connector_private.h"

enum { STOPPED_BYTES_MAX = INVENTORY_CONNECTOR_BYTES_MAX + 1 + INVENTORY_ID_BYTES_MAX };

struct stopping {
	struct connector_service *service;
	const struct object *object; /* held: the connector it is done through */
	char account[STOPPED_BYTES_MAX + 1];
	char actor[ACTOR_BYTES_MAX + 1];
	char reason[INVENTORY_REASON_BYTES_MAX + 1];
	enum stop_direction direction;
	struct inventory_stop *stop;
	struct asking asking;
	struct inventory_calling calling;
	struct inventory_change release;
	bool is_writing;                         /* a record is on its way */
	bool is_calling;                         /* one of those that are called for now */
	bool is_waiting;                         /* for its turn */
	bool is_overtaken;                       /* S3 */
	uint64_t contained;                      /* the record by which it was, at the beginning */
	char said[INVENTORY_SAID_BYTES_MAX + 1]; /* of the first that was refused */
	void *context;
	void (*done)(void *context, const struct error *err);
	struct stopping *next;
};

static void ask(struct stopping *stopping);

/* The one that waits longest stands last. */
static struct stopping *next_waiting(const struct connector_service *service)
{
	struct stopping *last = NULL;

	for (struct stopping *each = service->stoppings; each != NULL; each = each->next)
		if (each->is_waiting)
			last = each;
	return last;
}

static void take_turn(struct connector_service *service)
{
	struct stopping *next = next_waiting(service);

	if (next == NULL || service->stoppings_calling >= CONNECTOR_STOPPING_MAX)
		return;
	next->is_waiting = false;
	next->is_calling = true;
	service->stoppings_calling++;
	ask(next);
}

static void stopping_drop(struct stopping *stopping)
{
	struct stopping **link = &stopping->service->stoppings;

	while (*link != NULL && *link != stopping)
		link = &(*link)->next;
	if (*link != NULL)
		*link = stopping->next;
	stopping->service->stoppings_count--;
	stopping->service->stoppings_calling -= stopping->is_calling;
	asking_cancel(&stopping->asking);
	inventory_stop_destroy(&stopping->stop);
	object_release(&stopping->object);
	free(stopping);
}

/* And another has its turn. */
static void stopping_free(struct stopping *stopping)
{
	struct connector_service *service = stopping->service;

	stopping_drop(stopping);
	take_turn(service);
}

static struct stopping *find(const struct connector_service *service, struct text account)
{
	struct stopping *stopping = service->stoppings;

	while (stopping != NULL && !text_is(account, stopping->account))
		stopping = stopping->next;
	return stopping;
}

static bool is_stopping(const struct connector_service *service, struct text account)
{
	const struct stopping *stopping = find(service, account);

	return stopping != NULL && stopping->direction == STOP_AWAY;
}

/* S6.  What a daemon before this one called, or was to, is being stopped until it is asked after.
 */
bool stoppings_have(void *context, struct text account)
{
	const struct connector_service *service = context;

	return is_stopping(service, account) ||
	       (!service->is_resumed && inventory_is_called(service->parts.inventory, account));
}

/* S3 */
static void overtake(const struct connector_service *service, struct text account)
{
	struct stopping *stopping = find(service, account);

	if (stopping != NULL && stopping->direction == STOP_BACK)
		stopping->is_overtaken = true;
}

static bool is_overtaken(const struct stopping *stopping)
{
	return stopping->is_overtaken ||
	       (stopping->direction == STOP_BACK &&
		       (stopping->contained == INVENTORY_NOT_CONTAINED ||
			       inventory_contained_index(stopping->service->parts.inventory,
				       text_of(stopping->account)) != stopping->contained));
}

static struct text id_of(struct text account)
{
	struct text connector = text_before(account, '/');

	return text_after(account, connector.length + (connector.length < account.length));
}

/* ---- what came of it ---- */

static void report(struct stopping *stopping)
{
	char what[FINDING_WHAT_BYTES_MAX];
	const struct inventory_calling *calling = &stopping->calling;

	(void)snprintf(what, sizeof what, "%.450s is to be stopped at its provider, and %s%s%s",
		stopping->account,
		calling->answer == CONTAINMENT_ANSWER_ON
			? "acts there as before"
			: "nobody knows whether it is: it could not be asked",
		stopping->said[0] == '\0' ? "" : ": ", stopping->said);
	containment_report(
		stopping->service, stopping->object->connector, text_of(stopping->account), what);
}

static void on_released(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct stopping *stopping = change->context;

	(void)index;
	stopping->is_writing = false;
	if (err != NULL)
		log_warn("release_not_recorded", LOG_STRING("account", stopping->account),
			LOG_STRING("why", err->text));
	stopping_free(stopping);
}

static void release(struct stopping *stopping)
{
	struct error err = {0};

	stopping->release = (struct inventory_change){.account = text_of(stopping->account),
		.actor = text_of(stopping->actor),
		.reason = text_of(stopping->reason),
		.context = stopping,
		.done = on_released};
	stopping->is_writing =
		inventory_release(stopping->service->parts.inventory, &stopping->release, &err);
	if (stopping->is_writing)
		return;
	log_warn("release_not_recorded", LOG_STRING("account", stopping->account),
		LOG_STRING("why", err.text));
	stopping_free(stopping);
}

static void on_answered(struct inventory_calling *calling, const struct error *err)
{
	struct stopping *stopping = calling->context;
	bool is_back = stopping->direction == STOP_BACK;

	stopping->is_writing = false;
	if (err != NULL)
		log_error("answer_not_recorded", LOG_STRING("account", stopping->account),
			LOG_STRING("why", err->text));
	else if (is_overtaken(stopping))
		report(stopping);
	else if (is_back && calling->answer == CONTAINMENT_ANSWER_ON &&
		 stopping->reason[0] != '\0') {
		containment_settle(stopping->service, text_of(stopping->account));
		release(stopping);
		return;
	} else if (!is_back && calling->answer == CONTAINMENT_ANSWER_OFF)
		containment_settle(stopping->service, text_of(stopping->account));
	else if (!is_back)
		report(stopping);
	stopping_free(stopping);
}

static void finish(struct stopping *stopping)
{
	struct inventory_calling *calling = &stopping->calling;
	enum stop_verdict verdict = inventory_stop_verdict(stopping->stop);
	struct error err = {0};

	calling->answer = verdict == STOP_IS_OFF  ? CONTAINMENT_ANSWER_OFF
			  : verdict == STOP_IS_ON ? CONTAINMENT_ANSWER_ON
						  : CONTAINMENT_ANSWER_UNKNOWN;
	calling->said = text_of(stopping->said);
	calling->done = on_answered;
	stopping->is_writing =
		inventory_answered(stopping->service->parts.inventory, calling, &err);
	if (stopping->is_writing)
		return;
	log_error("answer_not_recorded", LOG_STRING("account", stopping->account),
		LOG_STRING("why", err.text));
	stopping_free(stopping);
}

/* ---- calls and looks ---- */

static void note(struct stopping *stopping, const char *why)
{
	if (stopping->said[0] == '\0')
		(void)snprintf(stopping->said, sizeof stopping->said, "%s", why);
}

/* Slack's refusals are answers of 200. */
static void note_refused(struct stopping *stopping, const struct connector_answer *answer)
{
	struct error err = {0};

	stopping->calling.refused++;
	(void)asking_refused(answer, &err);
	note(stopping, err.text);
}

static bool take(struct stopping *stopping, const struct connector_answer *answer,
	const struct json *page, struct error *err)
{
	bool is_refused = false;

	if (!inventory_stop_take(stopping->stop, answer->status, page, &is_refused, err))
		return false;
	if (is_refused && answer->status != 0)
		note_refused(stopping, answer);
	else if (is_refused)
		stopping->calling.refused++;
	return true;
}

static void take_answer(struct stopping *stopping, const struct connector_answer *answer)
{
	struct arena *arena = arena_create_small(SCRATCH_BYTES_MAX, 4096);
	struct error err = {0}, ignored;
	struct json page;
	bool has_page = arena != NULL &&
			json_parse(&page, arena, answer->body, &export_page_limits, &ignored);
	bool ok = take(stopping, answer, has_page ? &page : NULL, &err);

	arena_destroy(&arena);
	if (ok) {
		ask(stopping);
		return;
	}
	if (answer->status != 0 && answer->status != 200)
		(void)asking_refused(answer, &err);
	note(stopping, err.text);
	finish(stopping);
}

/* A request that did not come through is as one that was refused: the looks tell. */
static void on_answer(
	struct asking *asking, const struct connector_answer *answer, const struct error *err)
{
	struct stopping *stopping = asking->context;
	const struct connector_answer none = {0};

	if (err->code != ERROR_NONE)
		note(stopping, err->text);
	take_answer(stopping, err->code == ERROR_NONE ? answer : &none);
}

static void ask(struct stopping *stopping)
{
	struct stop_request request;
	struct error err = {0};

	if (!inventory_stop_next(stopping->stop, &request)) {
		finish(stopping);
		return;
	}
	if (request.is_call &&
		!connector_is_in_force(stopping->service, stopping->object)) { /* S4 */
		note(stopping, "its connector's document is not in force any more");
		finish(stopping);
		return;
	}
	stopping->calling.calls += request.is_call;
	stopping->calling.looks += !request.is_call;
	stopping->asking = (struct asking){.service = stopping->service,
		.connector = stopping->object->connector,
		.method = request.method,
		.url = request.url,
		.body = request.body,
		.is_containing = true,
		.done = on_answer,
		.context = stopping};
	if (asking_begin(&stopping->asking, &err))
		return;
	note(stopping, err.text);
	finish(stopping);
}

/* ---- beginning ---- */

bool connector_can_contain(
	struct connector_service *service, struct text account, enum stop_direction direction)
{
	const struct refresh *refresh;

	connector_sync(service); /* what was agreed to, or taken back, a moment ago counts */
	refresh = refresh_named(service, text_before(account, '/'));
	return refresh != NULL &&
	       connector_may(refresh_connector(refresh), CONNECTOR_MAY_CONTAIN) &&
	       inventory_stop_is_known(refresh_connector(refresh), id_of(account), direction);
}

static bool make_stop(struct stopping *stopping, bool looks_only, struct error *err)
{
	struct text *people = calloc(STOP_PEOPLE_MAX + 1, sizeof *people);
	const struct stop_about about = {.connector = stopping->object->connector,
		.id = id_of(text_of(stopping->account)),
		.direction = stopping->direction,
		.looks_only = looks_only,
		.people = people,
		.people_count =
			people == NULL
				? 0
				: inventory_consenting(stopping->service->parts.inventory,
					  text_of(stopping->account), people, STOP_PEOPLE_MAX + 1)};
	bool ok = people == NULL ? error_set(err, ERROR_LIMIT, "no memory to stop an account")
				 : inventory_stop_create(&stopping->stop, &about, err);

	free(people);
	return ok;
}

static bool is_short_enough(const struct connector_contain_asked *asked, struct error *err)
{
	return (asked->account.length <= STOPPED_BYTES_MAX &&
		       asked->actor.length <= ACTOR_BYTES_MAX &&
		       asked->reason.length <= INVENTORY_REASON_BYTES_MAX &&
		       asked->review.length < RANDOM_ID_BYTES &&
		       asked->identity.length <= CHARTER_NAME_BYTES_MAX) ||
	       error_set(err, ERROR_LIMIT, "a name or reason that is too long");
}

static bool check(struct connector_service *service, const struct connector_contain_asked *asked,
	struct error *err)
{
	if (!is_short_enough(asked, err))
		return false;
	if (find(service, asked->account) != NULL)
		return error_set(err, ERROR_CONFLICT, "its provider is being called already");
	if (service->stoppings_count >= CONNECTOR_STOPPINGS_MAX)
		return error_set(err, ERROR_LIMIT,
			"at most %d accounts are stopped at once, or wait for it",
			CONNECTOR_STOPPINGS_MAX);
	return connector_can_contain(service, asked->account, asked->direction) ||
	       error_set(err, ERROR_INVALID,
		       "no connector in force may stop it: see what is to be done there");
}

static struct stopping *stopping_create(struct connector_service *service,
	const struct connector_contain_asked *asked, bool looks_only, struct error *err)
{
	struct stopping *stopping;

	if (!check(service, asked, err))
		return NULL;
	stopping = calloc(1, sizeof *stopping);
	if (stopping == NULL) {
		(void)error_set(err, ERROR_LIMIT, "no memory to stop an account");
		return NULL;
	}
	stopping->service = service;
	stopping->object =
		object_acquire(refresh_named(service, text_before(asked->account, '/'))->object);
	memcpy(stopping->account, asked->account.data, asked->account.length);
	memcpy(stopping->actor, asked->actor.data, asked->actor.length);
	if (asked->reason.length > 0)
		memcpy(stopping->reason, asked->reason.data, asked->reason.length);
	stopping->direction = asked->direction;
	stopping->contained = inventory_contained_index(service->parts.inventory, asked->account);
	stopping->context = asked->context;
	stopping->done = asked->done;
	stopping->calling = (struct inventory_calling){.account = text_of(stopping->account),
		.actor = text_of(stopping->actor),
		.is_back = asked->direction == STOP_BACK,
		.context = stopping};
	stopping->next = service->stoppings;
	service->stoppings = stopping;
	service->stoppings_count++;
	if (make_stop(stopping, looks_only, err))
		return stopping;
	stopping_free(stopping);
	return NULL;
}

/* Ordered, and not called after all. */
struct uncalled {
	struct inventory_calling calling;
	char account[STOPPED_BYTES_MAX + 1];
	char said[INVENTORY_SAID_BYTES_MAX + 1];
};

static void on_uncalled(struct inventory_calling *calling, const struct error *err)
{
	if (err != NULL)
		log_warn("answer_not_recorded", LOG_TEXT("account", calling->account),
			LOG_STRING("why", err->text));
	free(calling->context);
}

/* S7 */
static void note_uncalled(struct connector_service *service, struct text account, const char *why)
{
	struct inventory_service *inventory = service->parts.inventory;
	struct uncalled *uncalled;
	struct error err = {0};

	if (find(service, account) != NULL || !inventory_is_called(inventory, account))
		return;
	uncalled = calloc(1, sizeof *uncalled);
	if (uncalled == NULL)
		return; /* then it is looked at after a start */
	(void)snprintf(uncalled->account, sizeof uncalled->account, "%.*s", TEXT_ARGS(account));
	(void)snprintf(uncalled->said, sizeof uncalled->said, "not called: %s", why);
	uncalled->calling = (struct inventory_calling){.account = text_of(uncalled->account),
		.actor = TEXT("remit"),
		.answer = CONTAINMENT_ANSWER_UNKNOWN,
		.said = text_of(uncalled->said),
		.context = uncalled,
		.done = on_uncalled};
	if (!inventory_answered(inventory, &uncalled->calling, &err))
		on_uncalled(&uncalled->calling, &err);
}

/* S1 */
static void on_called(struct inventory_calling *calling, const struct error *err)
{
	struct stopping *stopping = calling->context;

	stopping->is_writing = false;
	if (stopping->done != NULL)
		stopping->done(stopping->context, err);
	if (err != NULL)
		stopping_free(stopping);
	else {
		stopping->is_waiting = true;
		take_turn(stopping->service);
	}
}

bool connector_contain(struct connector_service *service,
	const struct connector_contain_asked *asked, struct error *err)
{
	struct stopping *stopping;

	if (asked->direction == STOP_AWAY)
		overtake(service, asked->account);
	stopping = stopping_create(service, asked, false, err);
	if (stopping == NULL) {
		if (asked->direction == STOP_AWAY)
			note_uncalled(service, asked->account, err->text);
		return false;
	}
	stopping->calling.done = on_called;
	stopping->is_writing = inventory_called(service->parts.inventory, &stopping->calling, err);
	if (stopping->is_writing)
		return true;
	stopping_free(stopping);
	return false;
}

/* ---- for a review ---- */

/* The intention, on its way to the log. */
struct intention {
	struct inventory_change change;
	struct connector_service *service;
	char account[STOPPED_BYTES_MAX + 1];
	char actor[ACTOR_BYTES_MAX + 1];
	char reason[INVENTORY_REASON_BYTES_MAX + 1];
	char review[RANDOM_ID_BYTES];
	char identity[CHARTER_NAME_BYTES_MAX + 1];
	void *context;
	void (*done)(void *context, const struct error *err);
};

static void intention_end(struct intention *intention, const struct error *err)
{
	void (*done)(void *, const struct error *) = intention->done;
	void *context = intention->context;

	free(intention);
	if (done != NULL)
		done(context, err);
}

static void on_intended(struct inventory_change *change, uint64_t index, const struct error *err)
{
	struct intention *intention = change->context;
	const struct connector_contain_asked asked = {.account = change->account,
		.actor = change->actor,
		.reason = change->reason,
		.direction = STOP_AWAY,
		.context = intention->context,
		.done = intention->done};
	struct error wrong = {0};
	char what[FINDING_WHAT_BYTES_MAX];

	(void)index;
	if (err != NULL)
		wrong = *err;
	/* Two lines of one account may have been taken away at once. */
	if (err == NULL && is_stopping(intention->service, change->account)) {
		intention_end(intention, NULL);
		return;
	}
	if (err == NULL && connector_contain(intention->service, &asked, &wrong)) {
		free(intention); /* its done runs once the call is on record */
		return;
	}
	(void)snprintf(what, sizeof what,
		"%.450s is to be stopped at its provider, and was not called for: %.300s",
		intention->account, wrong.text);
	containment_report(intention->service, NULL, change->account, what);
	intention_end(intention, err);
}

static struct intention *intention_create(
	struct connector_service *service, const struct connector_contain_asked *asked)
{
	struct intention *intention = calloc(1, sizeof *intention);

	if (intention == NULL)
		return NULL;
	intention->service = service;
	intention->context = asked->context;
	intention->done = asked->done;
	(void)snprintf(
		intention->account, sizeof intention->account, "%.*s", TEXT_ARGS(asked->account));
	(void)snprintf(intention->actor, sizeof intention->actor, "%.*s", TEXT_ARGS(asked->actor));
	(void)snprintf(
		intention->reason, sizeof intention->reason, "%.*s", TEXT_ARGS(asked->reason));
	(void)snprintf(
		intention->review, sizeof intention->review, "%.*s", TEXT_ARGS(asked->review));
	(void)snprintf(intention->identity, sizeof intention->identity, "%.*s",
		TEXT_ARGS(asked->identity));
	intention->change = (struct inventory_change){.account = text_of(intention->account),
		.actor = text_of(intention->actor),
		.reason = text_of(intention->reason),
		.review = text_of(intention->review),
		.identity = text_of(intention->identity),
		.is_calling = true,
		.context = intention,
		.done = on_intended};
	return intention;
}

bool connector_stop(struct connector_service *service, const struct connector_contain_asked *asked,
	bool must_be_reversible)
{
	struct intention *intention;
	struct error err = {0};

	if (!connector_can_contain(service, asked->account, STOP_AWAY) ||
		(must_be_reversible && !connector_can_contain(service, asked->account, STOP_BACK)))
		return false;
	if (!is_short_enough(asked, &err))
		return false;
	/* Whatever is done there now, and where it cannot be called: the review's word is on
	 * record, which makes it the review's to give back. */
	overtake(service, asked->account);
	intention = intention_create(service, asked);
	if (intention != NULL &&
		inventory_contain(service->parts.inventory, &intention->change, &err))
		return true;
	free(intention);
	return false;
}

/* ---- after a start ---- */

/* S5 */
static void resume(struct connector_service *service, struct text account, bool is_back)
{
	const struct connector_contain_asked asked = {.account = account,
		.actor = TEXT("remit"),
		.reason = TEXT("its provider says that it acts again"),
		.direction = is_back ? STOP_BACK : STOP_AWAY};
	struct error err = {0};
	struct stopping *stopping = stopping_create(service, &asked, true, &err);
	char what[FINDING_WHAT_BYTES_MAX];

	if (stopping != NULL) {
		note(stopping, "remit ended before its provider had answered");
		stopping->is_waiting = true;
		take_turn(service);
		return;
	}
	if (is_back)
		return;
	(void)snprintf(what, sizeof what,
		"%.*s is to be stopped at its provider, and remit ended before it had answered: "
		"%.300s",
		(int)(account.length < 450 ? account.length : 450), account.data, err.text);
	containment_report(service, NULL, account, what);
	note_uncalled(service, account, err.text);
}

/* Who consented is told by the graph, which hears of inventories after the start. */
bool stoppings_resume(struct connector_service *service)
{
	struct text account = {NULL, 0};
	bool is_all = true, is_back;

	while (inventory_next_called(service->parts.inventory, account, &account, &is_back)) {
		if (find(service, account) != NULL)
			continue;
		if (connector_is_told(service, text_before(account, '/')))
			resume(service, account, is_back);
		else
			is_all = false;
	}
	return is_all;
}

void stoppings_destroy(struct connector_service *service)
{
	while (service->stoppings != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		stopping_drop(service->stoppings);
}

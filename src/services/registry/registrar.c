/* The queue of requests.  One is on its way at a time: it is checked against the
 * state that all before it left, so what is written is always valid.
 *
 *   submitted → waiting → (checked) → refused | nothing to do | recorded → done
 *
 * Invariant: current is not NULL exactly while a record of ours is on its way, or is being made in
 * turns (registrar_turns.c).
 * What strangers may ask waits only where they have a code that is out: else whoever guesses
 * codes could fill the queue, and people would hear that it is full. */
#include "services/registry/registrar.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/registry/registrar_private.h"

bool registrar_create(
	struct registrar **out, struct registry *registry, struct fold *fold, struct error *err)
{
	struct registrar *registrar = calloc(1, sizeof *registrar);

	*out = NULL;
	if (registrar == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the registrar");
	registrar->registry = registry;
	registrar->fold = fold;
	registrar->arena = arena_create(REGISTRAR_ARENA_BYTES_MAX);
	registrar->scratch = arena_create(REGISTRAR_ARENA_BYTES_MAX);
	if (registrar->arena == NULL || registrar->scratch == NULL) {
		registrar_destroy(&registrar);
		return error_set(err, ERROR_LIMIT, "no memory for the registrar");
	}
	if (!custodians_create(&registrar->custodians, registry, err) ||
		!registrar_register(registrar, err)) {
		registrar_destroy(&registrar);
		return false;
	}
	*out = registrar;
	return true;
}

void registrar_use_loop(struct registrar *registrar, struct loop *loop)
{
	registrar->loop = loop;
}

bool registrar_is_busy(const struct registrar *registrar)
{
	return registrar->current != NULL;
}

void registrar_listen(struct registrar *registrar, const struct code_listener *listener)
{
	registrar->codes_heard = *listener;
}

void registrar_use_excess(struct registrar *registrar, const struct excess_port *port)
{
	registrar->excess = *port;
}

struct excess_port registrar_excess(const struct registrar *registrar)
{
	return registrar->excess;
}

void registrar_destroy(struct registrar **registrar)
{
	if (*registrar == NULL)
		return;
	registrar_stop_turns(*registrar);
	arena_destroy(&(*registrar)->arena);
	arena_destroy(&(*registrar)->scratch);
	custodians_destroy(&(*registrar)->custodians);
	explicit_bzero((*registrar)->codes, sizeof(*registrar)->codes);
	free(*registrar);
	*registrar = NULL;
}

struct custody registrar_custody(const struct registrar *registrar, struct error *err)
{
	return (struct custody){
		.registry = registrar->registry, .custodians = registrar->custodians, .err = err};
}

const struct registry *registrar_registry(const struct registrar *registrar)
{
	return registrar->registry;
}

void registrar_request_deinit(struct registrar_request *request)
{
	plan_destroy(&request->plan);
	explicit_bzero(request->issued_code, sizeof request->issued_code);
}

/* ---- answers ---- */

enum prepared_as registrar_refuse(struct registrar_request *request, const struct error *err)
{
	request->err = *err;
	request->is_forbidden = strncmp(err->text, "forbidden:", 10) == 0;
	return PREPARED_REFUSED;
}

enum prepared_as registrar_forbid(struct registrar_request *request, const char *why)
{
	struct error err = {0};

	error_set(&err, ERROR_INVALID, "forbidden: %s", why);
	return registrar_refuse(request, &err);
}

static void answer(struct registrar *registrar, struct registrar_request *request)
{
	request->revision = registry_revision(registrar->registry);
	request->done(request);
}

/* ---- the queue ---- */

static struct registrar_request *take_first(struct registrar *registrar)
{
	struct registrar_request *request = registrar->first;

	if (request == NULL)
		return NULL;
	registrar->first = request->next;
	if (registrar->first == NULL)
		registrar->last = NULL;
	registrar->waiting_count--;
	request->next = NULL;
	return request;
}

static void run_queue(struct registrar *registrar);

static void recorded(struct fold_change *change)
{
	struct registrar *registrar = change->context;
	struct registrar_request *request = registrar->current;

	assert(request != NULL);
	registrar->current = NULL;
	arena_reset(registrar->arena);
	if (change->is_durable) {
		request->is_changed = true;
		request->index = change->index;
	} else {
		request->err = change->err;
		explicit_bzero(request->issued_code, sizeof request->issued_code);
	}
	answer(registrar, request);
	run_queue(registrar);
}

/* True if its record is now on its way. */
static bool send_prepared(
	struct registrar *registrar, struct registrar_request *request, enum prepared_as prepared)
{
	assert(prepared != PREPARED_REFUSED || request->err.code != ERROR_NONE);
	if (prepared != PREPARED_RECORD)
		return false;
	registrar->current = request;
	if (fold_submit(registrar->fold, &registrar->change, &request->err))
		return true;
	registrar->current = NULL;
	explicit_bzero(request->issued_code, sizeof request->issued_code);
	return false;
}

/* True if its record is now on its way, or made in turns. */
static bool start_request(struct registrar *registrar, struct registrar_request *request)
{
	registrar->change = (struct fold_change){.done = recorded, .context = registrar};
	if (!registrar_has_turns(registrar, request))
		return send_prepared(registrar, request, registrar_prepare(registrar, request));
	registrar->current = request;
	registrar_start_turns(registrar);
	return true;
}

static void answer_unwritten(struct registrar *registrar, struct registrar_request *request)
{
	arena_reset(registrar->arena);
	answer(registrar, request);
}

/* A done function may submit again: it then only joins the queue this loop is
 * working on. */
static void run_queue(struct registrar *registrar)
{
	struct registrar_request *request;

	if (registrar->is_running)
		return;
	registrar->is_running = true;
	while (registrar->current == NULL && (request = take_first(registrar)) != NULL)
		if (!start_request(registrar, request))
			answer_unwritten(registrar, request);
	registrar->is_running = false;
}

void registrar_go_on(struct registrar *registrar, enum prepared_as prepared)
{
	struct registrar_request *request = registrar->current;

	registrar->current = NULL;
	if (send_prepared(registrar, request, prepared))
		return;
	answer_unwritten(registrar, request);
	run_queue(registrar);
}

/* What needs no person, but a code, and has none. */
static bool is_guess(const struct registrar *registrar, const struct registrar_request *request)
{
	struct sha256 digest;

	if (request->verb != REGISTRAR_REGISTER && request->verb != REGISTRAR_ENROL)
		return false;
	if (!registrar_digest_of_code(request->code, &digest))
		return true;
	if (request->verb == REGISTRAR_REGISTER)
		return !registrar_has_invite(registrar, &digest);
	return registrar_find_code(registrar, &digest, fold_stamp_utc_ms(registrar->fold)) == NULL;
}

static void enqueue(struct registrar *registrar, struct registrar_request *request)
{
	if (registrar->last == NULL)
		registrar->first = request;
	else
		registrar->last->next = request;
	registrar->last = request;
	registrar->waiting_count++;
}

bool registrar_submit(
	struct registrar *registrar, struct registrar_request *request, struct error *err)
{
	bool is_refused = is_guess(registrar, request);

	if (!is_refused && registrar->waiting_count == REGISTRAR_QUEUE_MAX)
		return error_set(
			err, ERROR_LIMIT, "%d changes are waiting already", REGISTRAR_QUEUE_MAX);
	request->err = (struct error){0};
	request->is_forbidden = false;
	request->is_changed = false;
	request->index = 0;
	request->plan = NULL;
	request->next = NULL;
	memset(request->issued_code, 0, sizeof request->issued_code);
	memset(request->kid_issued, 0, sizeof request->kid_issued);
	memset(request->name_issued, 0, sizeof request->name_issued);
	if (is_refused) {
		(void)registrar_forbid(request,
			request->verb == REGISTRAR_ENROL ? REGISTRAR_NO_CODE : REGISTRAR_NO_INVITE);
		answer(registrar, request);
		return true;
	}
	enqueue(registrar, request);
	run_queue(registrar);
	return true;
}

/* ---- who can sign ---- */

static bool count_administrator(void *context, const struct registry_entry *entry)
{
	size_t *count = context;

	if (registry_can_sign(entry) && person_has_role(entry->in_force->person, "administrator"))
		(*count)++;
	return *count < 2;
}

static bool count_signer(void *context, const struct registry_entry *entry)
{
	size_t *count = context;

	*count += registry_can_sign(entry);
	return *count < 2;
}

size_t registrar_count_administrators(const struct registrar *registrar)
{
	size_t count = 0;

	registry_each(registrar->registry, OBJECT_PERSON, (struct text){NULL, 0},
		count_administrator, &count);
	return count;
}

size_t registrar_count_signers(const struct registrar *registrar)
{
	size_t count = 0;

	registry_each(
		registrar->registry, OBJECT_PERSON, (struct text){NULL, 0}, count_signer, &count);
	return count;
}

/* Who signed in before, and may again: that they logged out makes room for nobody. */
static bool may_come_back(const struct registry *registry, const struct registry_entry *entry)
{
	struct text name = entry->in_force->person->sign_in_issuer;
	const struct registry_entry *issuer = registry_find(registry, OBJECT_ISSUER, name);

	if (name.length == 0 || issuer == NULL || issuer->in_force == NULL ||
		issuer->in_force->issuer->people.client.length == 0)
		return false;
	for (size_t i = 0; i < entry->keys_count; i++)
		if (text_equal(entry->keys[i].issuer, name))
			return true;
	return false;
}

struct administrator_search {
	const struct registry *registry;
	bool is_found;
};

static bool consider_administrator(void *context, const struct registry_entry *entry)
{
	struct administrator_search *search = context;

	search->is_found = entry->in_force != NULL &&
			   person_has_role(entry->in_force->person, "administrator") &&
			   (registry_can_sign(entry) || may_come_back(search->registry, entry));
	return !search->is_found;
}

bool registrar_has_administrator(const struct registrar *registrar)
{
	struct administrator_search search = {.registry = registrar->registry};

	registry_each(
		registrar->registry, OBJECT_PERSON, TEXT(""), consider_administrator, &search);
	return search.is_found;
}

bool registrar_is_founding(const struct registrar *registrar)
{
	return !registrar->is_founded;
}

bool registrar_is_alone(const struct registrar *registrar)
{
	return !registrar->is_joined && !registry_ever_had(registrar->registry, OBJECT_POLICY) &&
	       !registry_ever_had(registrar->registry, OBJECT_APPLICATION) &&
	       !registry_ever_had(registrar->registry, OBJECT_ISSUER) &&
	       !registry_ever_had(registrar->registry, OBJECT_CONNECTOR);
}

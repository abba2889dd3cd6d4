#include "main/events.h"

#include <stdlib.h>

#include "base/log.h"
#include "services/sign_in/sign_in.h"

struct events_sweep {
	struct events *events;
	struct registrar_request key_end; /* of a person; one key at a time */
	struct issue_sweep sweep;
	bool is_workload_next; /* the same sub may be a workload, too */
	struct signals_ending *ending;
	struct events_sweep *next;
};

struct events {
	struct trust_service *trust;
	struct issue *issue;
	struct registrar *registrar;
	struct events_sweep *sweeps; /* on their way */
};

/* Of an issuer whose events are not taken nothing is said, as of one that is not there. */
static enum trust_outcome find(void *context, const struct trust_query *query,
	struct trust_wait *wait, struct trust_found *out)
{
	struct events *events = context;
	enum trust_outcome outcome = trust_find(events->trust, query, NULL, out);

	if (out->issuer == NULL || out->issuer->events.types == 0) {
		*out = (struct trust_found){0};
		return TRUST_UNKNOWN;
	}
	return outcome == TRUST_FOUND || wait == NULL ? outcome
						      : trust_find(events->trust, query, wait, out);
}

static void sweep_free(struct events_sweep *made)
{
	struct events_sweep **link = &made->events->sweeps;

	while (*link != NULL && *link != made)
		link = &(*link)->next;
	if (*link != NULL)
		*link = made->next;
	free(made);
}

static void on_swept(struct issue_sweep *sweep)
{
	struct events_sweep *made = sweep->context;
	struct signals_ending *ending = made->ending;

	ending->is_done = sweep->is_done;
	ending->tasks += sweep->tasks;
	if (sweep->is_done && made->is_workload_next) {
		made->is_workload_next = false;
		sweep->whose = ISSUE_WHOSE_WORKLOAD;
		sweep->name = ending->name;
		issue_sweep(made->events->issue, sweep);
		return;
	}
	ending->err = sweep->err;
	log_info("event_taken", LOG_TEXT("issuer", ending->issuer),
		LOG_STRING("event", ending->reason), LOG_NUMBER("tasks", ending->tasks));
	sweep_free(made);
	ending->done(ending);
}

static enum issue_whose whose(enum issuer_subject subject)
{
	switch (subject) {
	case ISSUER_SUBJECT_PEOPLE: return ISSUE_WHOSE_PERSON;
	case ISSUER_SUBJECT_WORKLOADS: return ISSUE_WHOSE_WORKLOAD;
	case ISSUER_SUBJECT_IDENTITIES: return ISSUE_WHOSE_IDENTITY;
	case ISSUER_SUBJECT_NONE: break;
	}
	return ISSUE_WHOSE_NONE;
}

static void fail(struct events_sweep *made, const struct error *err)
{
	struct signals_ending *ending = made->ending;

	ending->is_done = false;
	ending->err = *err;
	sweep_free(made);
	ending->done(ending);
}

/* Keys first: what they signed in by opens no task while the others end. */
static void end_next_key(struct events_sweep *made);

static void on_key_ended(struct registrar_request *request)
{
	struct events_sweep *made = request->context;
	const struct error err = request->err;
	bool is_changed = request->is_changed;

	registrar_request_deinit(request);
	if (err.code != ERROR_NONE)
		fail(made, &err);
	else if (is_changed)
		end_next_key(made);
	else
		issue_sweep(made->events->issue, &made->sweep);
}

static void end_next_key(struct events_sweep *made)
{
	struct error err = {0};

	made->key_end = (struct registrar_request){.verb = REGISTRAR_END_KEY,
		.actor = TEXT("remit"),
		.name = made->sweep.name,
		.reason = text_of(made->ending->reason),
		.sign_in = {.issuer = made->ending->issuer},
		.done = on_key_ended,
		.context = made};
	if (!registrar_submit(made->events->registrar, &made->key_end, &err))
		fail(made, &err);
}

/* Whom the issuer lets sign in by that name; NULL: nobody, or none is meant. */
static const struct registry_entry *person_of(
	const struct events *events, const struct signals_ending *ending)
{
	return ending->whom != ISSUER_SUBJECT_PEOPLE && !ending->may_be_person
		       ? NULL
		       : sign_in_find_person(registrar_registry(events->registrar), ending->issuer,
				 ending->name);
}

/* Whose tasks: a person's by the name they have here, else whoever has the very name. */
static void aim(struct events_sweep *made)
{
	const struct signals_ending *ending = made->ending;
	const struct registry_entry *person = person_of(made->events, ending);
	bool is_person = ending->whom == ISSUER_SUBJECT_PEOPLE || person != NULL;

	made->is_workload_next = is_person && ending->whom == ISSUER_SUBJECT_WORKLOADS;
	made->sweep =
		(struct issue_sweep){.whose = is_person ? ISSUE_WHOSE_PERSON : whose(ending->whom),
			.issuer = ending->issuer,
			.name = person == NULL ? ending->name : person->name,
			.reason = text_of(ending->reason),
			.done = on_swept,
			.context = made};
}

static void end(void *context, struct signals_ending *ending)
{
	struct events *events = context;
	struct events_sweep *made = calloc(1, sizeof *made);

	if (made == NULL) {
		ending->is_done = false;
		error_set(&ending->err, ERROR_LIMIT, "no memory to end tasks");
		ending->done(ending);
		return;
	}
	made->events = events;
	made->ending = ending;
	made->next = events->sweeps;
	events->sweeps = made;
	aim(made);
	if (made->sweep.whose == ISSUE_WHOSE_PERSON && ending->name.length > 0)
		end_next_key(made);
	else
		issue_sweep(events->issue, &made->sweep);
}

struct signals_issuers events_issuers(struct events *events)
{
	return (struct signals_issuers){.context = events, .find = find};
}

struct signals_tasks events_tasks(struct events *events)
{
	return (struct signals_tasks){.context = events, .end = end};
}

bool events_create(struct events **out, struct trust_service *trust, struct issue *issue,
	struct registrar *registrar, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for events");
	(*out)->trust = trust;
	(*out)->issue = issue;
	(*out)->registrar = registrar;
	return true;
}

void events_destroy(struct events **events)
{
	if (*events == NULL)
		return;
	while ((*events)->sweeps != NULL)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself off the list */
		sweep_free((*events)->sweeps);
	free(*events);
	*events = NULL;
}

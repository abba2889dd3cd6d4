/* Steps of one entry: propose, approve, reject, suspend, reactivate, retire.  The
 * table of domain/charter/lifecycle.c says who may; what a step makes of the
 * versions is here. */
#include "domain/charter/nearest.h"
#include "domain/charter/policy_check.h"
#include "domain/charter/reference.h"
#include "services/registry/plan_accounts.h"
#include "services/registry/plan_guardrails.h"
#include "services/registry/plan_people.h"
#include "services/registry/plan_sandboxes.h"
#include "services/registry/registrar_private.h"

struct step {
	struct registrar *registrar;
	struct registrar_request *request;
	const struct registry_entry *entry;
	enum lifecycle_verb verb;
	bool is_waiting; /* it is about what waits; else about what is in force */
	struct written_change written;
	struct error err;
};

static enum lifecycle_verb verb_of_request(enum registrar_verb verb)
{
	static const enum lifecycle_verb verbs[] = {
		[REGISTRAR_PROPOSE] = LIFECYCLE_PROPOSE,
		[REGISTRAR_APPROVE] = LIFECYCLE_APPROVE,
		[REGISTRAR_CONSENT] = LIFECYCLE_CONSENT,
		[REGISTRAR_ACCEPT] = LIFECYCLE_ACCEPT,
		[REGISTRAR_REJECT] = LIFECYCLE_REJECT,
		[REGISTRAR_SUSPEND] = LIFECYCLE_SUSPEND,
		[REGISTRAR_REACTIVATE] = LIFECYCLE_REACTIVATE,
		[REGISTRAR_RETIRE] = LIFECYCLE_RETIRE,
	};

	return verb < sizeof verbs / sizeof *verbs ? verbs[verb] : LIFECYCLE_NONE;
}

static bool is_about_waiting(enum lifecycle_verb verb)
{
	return verb == LIFECYCLE_PROPOSE || verb == LIFECYCLE_APPROVE || verb == LIFECYCLE_REJECT ||
	       verb == LIFECYCLE_CONSENT || verb == LIFECYCLE_ACCEPT;
}

/* ---- what must hold ---- */

static const struct object *find_newest(void *context, enum object_kind kind, struct text name)
{
	const struct registry_entry *entry = registry_find(context, kind, name);

	if (entry == NULL || entry->state == IDENTITY_RETIRED)
		return NULL;
	return entry->in_force != NULL ? entry->in_force : entry->waiting;
}

/* What it says must be valid by this version, too, which may be another one than took the
 * proposal. */
static bool check_policies(struct step *step, struct problems *problems)
{
	struct policy_checker *checker = NULL;
	bool ok = policy_checker_create(&checker, &step->err) &&
		  policy_check_problems(
			  checker, step->entry->waiting, TEXT("waiting"), problems, &step->err);

	policy_checker_destroy(&checker);
	return ok;
}

/* With the others of its unit, which may be more than there were when it was proposed. */
static bool check_together(struct step *step, struct plan *plan)
{
	const struct plan_change change = {.kind = step->entry->kind,
		.name = step->entry->name,
		.after = step->entry->waiting};
	const struct plan_documents none = {0};
	bool ok;

	plan->changes = &change;
	plan->changes_count = 1;
	ok = plan_check_guardrails(plan, step->registrar->registry, &none, &step->err);
	plan->changes = NULL;
	plan->changes_count = 0;
	return ok;
}

/* What was right when it was proposed may name something that is gone. */
static bool check_still_right(struct step *step)
{
	struct plan *plan = arena_new(step->registrar->arena, struct plan);
	struct reference_world world = {.context = step->registrar->registry,
		.find = find_newest,
		.now_utc_s = fold_stamp_utc_ms(step->registrar->fold) / 1000};
	struct problems *problems;

	if (step->entry->is_removal)
		return true; /* what names it is not in question: nothing can name a guardrail */
	if (plan == NULL)
		return error_set(&step->err, ERROR_LIMIT, "no memory for a check");
	problems = &plan->problems;
	problems->arena = step->registrar->arena;
	references_check(step->entry->waiting, &world, TEXT("waiting"), problems);
	plan_check_people(step->entry->waiting, &world, TEXT("waiting"), problems);
	plan_check_sandbox(step->registrar->registry, step->entry->waiting,
		&(struct plan_sandbox){.file = TEXT("waiting")}, problems);
	if (object_is_proposed(step->entry->kind) &&
		!(check_policies(step, problems) && check_together(step, plan)))
		return false;
	if (problems->total == 0)
		return true;
	return error_set(&step->err, ERROR_CONFLICT, "it does not fit any more: %.*s: %.*s",
		TEXT_ARGS(problems->items[0].field), TEXT_ARGS(problems->items[0].what));
}

/* Since it was proposed another identity may have come into force as the same account. */
static bool check_accounts(struct step *step)
{
	struct text account = {NULL, 0};
	const struct registry_entry *other = accounts_taken(
		step->registrar->registry, charter_of(step->entry->waiting), &account);

	return other == NULL ||
	       error_set(&step->err, ERROR_CONFLICT, "account %.*s is identity %.*s's",
		       (int)(account.length < 120 ? account.length : 120), account.data,
		       TEXT_ARGS(other->name));
}

/* Nobody's accounts open more than they declare, unless somebody who answers for it lets that
 * stand for a time. */
static bool check_excess(struct step *step)
{
	const struct excess_port *port = &step->registrar->excess;
	const struct object *object =
		step->verb == LIFECYCLE_APPROVE ? step->entry->waiting : step->entry->in_force;

	return port->check == NULL || object == NULL ||
	       port->check(port->context, charter_of(object),
		       fold_stamp_utc_ms(step->registrar->fold) / 1000, &step->err);
}

/* A unit is also asked about what came to touch it while it is in force: where nothing waits, or
 * by that version. */
static bool is_consent_in_force(const struct step *step)
{
	const struct object *in_force = step->entry->in_force;
	uint32_t version = step->request->version;

	return step->verb == LIFECYCLE_CONSENT && in_force != NULL &&
	       (version == in_force->version ||
		       (version == 0 && step->entry->waiting_version == 0));
}

static bool find_entry(struct step *step)
{
	struct registrar_request *request = step->request;
	enum object_kind kind = request->kind == OBJECT_NONE ? OBJECT_IDENTITY : request->kind;

	step->entry = registry_find(step->registrar->registry, kind, request->name);
	if (step->entry == NULL || (step->entry->in_force == NULL && step->entry->waiting == NULL &&
					   step->entry->state == IDENTITY_NONE))
		return name_unknown(step->registrar->registry, kind, request->name, &step->err);
	if (request->has_if_match && request->if_match != step->entry->revision)
		return error_set(&step->err, ERROR_CONFLICT,
			"it changed since you looked: it is at revision %llu",
			(unsigned long long)step->entry->revision);
	step->is_waiting = is_about_waiting(step->verb) && !is_consent_in_force(step);
	if (!step->is_waiting)
		return true;
	if (step->entry->waiting_version == 0)
		return error_set(&step->err, ERROR_CONFLICT, "nothing waits for %s",
			step->verb == LIFECYCLE_CONSENT ? "consent" : "approval");
	if (request->version != 0 && request->version != step->entry->waiting_version)
		return error_set(&step->err, ERROR_CONFLICT, "version %u waits, not %u",
			step->entry->waiting_version, request->version);
	return true;
}

/* ---- what the step makes ---- */

/* After a kill the first person's agreement is only kept; the second's, who is
 * another, brings it back. */
static bool reactivate(struct step *step)
{
	struct registry_change *change = &step->written.change;

	if (change->needs_two && change->reactivated_by.length == 0) {
		change->reactivated_by = step->request->actor;
		return true;
	}
	if (change->needs_two && text_equal(change->reactivated_by, step->request->actor))
		return error_set(&step->err, ERROR_CONFLICT,
			"it was killed: another person must reactivate it too");
	change->state = IDENTITY_ACTIVE;
	change->needs_two = false;
	change->reactivated_by = (struct text){NULL, 0};
	return true;
}

static bool change_identity(struct step *step, enum identity_state to)
{
	struct registry_change *change = &step->written.change;

	switch (step->verb) {
	case LIFECYCLE_PROPOSE:
	case LIFECYCLE_REJECT:
		change->waiting_state = to;
		if (change->in_force == 0)
			change->state = to;
		return true;
	case LIFECYCLE_CONSENT:
	case LIFECYCLE_ACCEPT: return true; /* consent() did it */
	case LIFECYCLE_APPROVE:
		written_change_approve(&step->written, step->entry);
		if (change->state != IDENTITY_SUSPENDED) /* approval lifts no suspension */
			change->state = IDENTITY_ACTIVE;
		return true;
	case LIFECYCLE_SUSPEND: change->state = to; break;
	case LIFECYCLE_REACTIVATE: return reactivate(step);
	case LIFECYCLE_RETIRE:
		written_change_drop_waiting(&step->written);
		change->state = to;
		change->needs_two = false;
		change->reactivated_by = (struct text){NULL, 0};
		break;
	case LIFECYCLE_KILL:
	case LIFECYCLE_NONE: return error_set(&step->err, ERROR_INTERNAL, "no such step here");
	}
	change->reason = step->request->reason;
	return true;
}

/* remit itself ends a sandbox only when its time is over. */
static bool check_time(struct step *step)
{
	const struct charter *charter =
		step->entry->in_force == NULL ? NULL : charter_of(step->entry->in_force);

	return !text_is(step->request->actor, "remit") ||
	       (charter != NULL && is_expired(charter->expires_utc_s,
					   fold_stamp_utc_ms(step->registrar->fold) / 1000)) ||
	       error_set(&step->err, ERROR_CONFLICT, "its time is not over");
}

/* A unit waits whole for its first template, and what it says besides holds nobody until
 * then. */
static bool check_unit(struct step *step)
{
	const struct object *waiting = step->entry->waiting;
	const struct registry_entry *unit =
		waiting == NULL ? NULL
				: registry_find(step->registrar->registry, OBJECT_UNIT,
					  charter_of(waiting)->unit);

	return unit == NULL || unit->in_force != NULL ||
	       error_set(&step->err, ERROR_CONFLICT,
		       "unit %.*s is not in force yet: remit unit approve %.*s",
		       TEXT_ARGS(unit->name), TEXT_ARGS(unit->name));
}

static bool check_actor(struct step *step)
{
	return registry_may(step->registrar->registry, step->request->actor,
		lifecycle_action(step->verb), step->entry, &step->err);
}

static struct consent_query query_of(struct step *step)
{
	const struct registry_entry *entry = step->entry;

	return (struct consent_query){.registrar = step->registrar,
		.actor = step->request->actor,
		.entry = entry,
		.object = step->is_waiting ? entry->waiting : entry->in_force,
		.author = step->is_waiting ? entry->more->proposed_by : entry->authored_by,
		.err = &step->err};
}

/* For each unit touched that the actor answers for, once; or of the risk. */
static bool consent(struct step *step)
{
	struct registry_change *change = &step->written.change;
	struct consent_query query = query_of(step);
	struct text *consents = step->is_waiting ? &change->waiting_consents : &change->consents;
	struct text before = *consents;

	if (query.object == NULL)
		return error_set(&step->err, ERROR_CONFLICT, "nothing waits for consent");
	if (step->verb == LIFECYCLE_ACCEPT)
		return registrar_accept(&query, consents);
	if (!step->is_waiting && step->entry->units_asked == UNITS_BEFORE)
		return error_set(&step->err, ERROR_CONFLICT,
			"it came into force before units were asked, and holds until its next "
			"version");
	if (!registrar_consent(&query, consents))
		return false;
	if (text_equal(before, *consents))
		return error_set(&step->err, ERROR_CONFLICT, "that was consented to already");
	return true;
}

/* What must hold beside that the actor may: of the world, of other units, of the risk. */
static bool check_approval(struct step *step)
{
	struct consent_query query = query_of(step);

	return check_still_right(step) && check_accounts(step) && check_excess(step) &&
	       check_unit(step) &&
	       registrar_check_consents(step->registrar, step->entry, &step->err) &&
	       registrar_check_entry(&query) &&
	       registrar_check_accepted(&query, &step->written.change.waiting_consents);
}

/* What is unpacked now stays so until the step is taken. */
static bool check_memory(struct step *step)
{
	const struct registry_entry *entry = step->entry;

	if ((entry->in_force == NULL || charter_of(entry->in_force) != &charter_lost) &&
		(entry->waiting == NULL || charter_of(entry->waiting) != &charter_lost))
		return true;
	return error_set(&step->err, ERROR_LIMIT, "no memory for a charter");
}

static bool step_identity(struct step *step)
{
	const struct registry_entry *entry = step->entry;
	enum identity_state from = step->is_waiting ? entry->waiting_state : entry->state;
	enum identity_state to;

	if (!lifecycle_step(step->verb, from, &to, &step->err) ||
		(step->verb != LIFECYCLE_SUSPEND && !check_memory(step)))
		return false;
	if (step->verb == LIFECYCLE_CONSENT || step->verb == LIFECYCLE_ACCEPT)
		return consent(step) && change_identity(step, to);
	if (!check_actor(step) || !check_time(step))
		return false;
	if (step->verb == LIFECYCLE_APPROVE && !check_approval(step))
		return false;
	if (step->verb == LIFECYCLE_REACTIVATE && !check_excess(step))
		return false;
	return change_identity(step, to);
}

/* A person who would be raised. */
static bool step_person(struct step *step)
{
	if (step->verb != LIFECYCLE_APPROVE && step->verb != LIFECYCLE_REJECT)
		return error_set(&step->err, ERROR_CONFLICT, "%s does not apply to a person",
			lifecycle_verb_word(step->verb));
	if (!check_actor(step))
		return false;
	if (step->verb == LIFECYCLE_REJECT) {
		written_change_drop_waiting(&step->written);
		return true;
	}
	if (!check_still_right(step))
		return false;
	written_change_approve(&step->written, step->entry);
	return true;
}

static bool check_age(struct step *step)
{
	return !proposal_has_expired(step->entry, fold_stamp_utc_ms(step->registrar->fold)) ||
	       error_set(&step->err, ERROR_CONFLICT,
		       "it was proposed more than %d days ago: propose it again",
		       PROPOSAL_LIFETIME_DAYS);
}

/* Each unit that it leaves has said yes: as it was asked for, and nobody needs it any more. */
static bool cede(struct step *step)
{
	struct text *consents = &step->written.change.waiting_consents;
	struct consent_query query = query_of(step);
	bool is_agreed;

	if (!check_age(step) || !registrar_cede(&query, consents, &is_agreed))
		return false;
	if (!is_agreed)
		return true;
	if (step->entry->is_removal
			? !registrar_check_unnamed(step->registrar, step->entry, &step->err)
			: !check_still_right(step))
		return false;
	written_change_approve(&step->written, step->entry);
	step->written.change.consents = (struct text){NULL, 0};
	return true;
}

/* What waits of a server or a tool. */
static bool step_ceded(struct step *step)
{
	struct consent_query query = query_of(step);

	if (step->verb != LIFECYCLE_CONSENT && step->verb != LIFECYCLE_REJECT)
		return error_set(&step->err, ERROR_INVALID, "a %s has no such step",
			object_kind_word(step->entry->kind));
	if (!step->is_waiting)
		return error_set(&step->err, ERROR_CONFLICT, "nothing waits for consent");
	if (step->verb == LIFECYCLE_CONSENT)
		return cede(step);
	if (!registrar_may_reject_cession(&query))
		return false;
	written_change_drop_waiting(&step->written);
	return true;
}

static bool step_data_source(struct step *step)
{
	struct consent_query query = query_of(step);

	if (step->verb != LIFECYCLE_CONSENT)
		return error_set(&step->err, ERROR_INVALID, "a data-source has no such step");
	return registrar_agree_custodian(&query, &step->written.change.named_by);
}

/* What waits of a guardrail, an application or a unit. */
static bool step_shared(struct step *step)
{
	struct consent_query query = query_of(step);

	if (!lifecycle_settle(step->verb, &step->err) || !check_actor(step))
		return false;
	if (step->verb == LIFECYCLE_REJECT) {
		written_change_drop_waiting(&step->written);
		return true;
	}
	if (!check_age(step) || !check_still_right(step) || !registrar_check_left(&query))
		return false;
	written_change_approve(&step->written, step->entry);
	if (step->entry->kind == OBJECT_UNIT)
		step->written.change.approved_by = step->request->actor;
	return true;
}

/* ---- writing ---- */

static bool write_step(struct step *step)
{
	struct registrar *registrar = step->registrar;
	struct json_builder record;
	struct people_events events;

	people_events_start(&events, registrar);
	if (!people_events_follow(&events, &step->written,
		    step->verb == LIFECYCLE_APPROVE ? step->entry->waiting : NULL, &step->err))
		return false;
	registrar_record_start(registrar, &record, "state", step->request->actor);
	if (!people_events_put(&events, &record, &step->err))
		return false;
	json_put_cstring(&record, "verb", lifecycle_verb_word(step->verb));
	json_put_text(&record, object_kind_word(step->entry->kind), step->entry->name);
	if (step->request->reason.length > 0)
		json_put_text(&record, "reason", step->request->reason);
	return registrar_record_finish(registrar, &record, &step->written, 1, &step->err);
}

enum prepared_as registrar_prepare_step(
	struct registrar *registrar, struct registrar_request *request)
{
	struct step step = {
		.registrar = registrar, .request = request, .verb = verb_of_request(request->verb)};
	bool ok;

	if (!find_entry(&step))
		return registrar_refuse(request, &step.err);
	step.written = written_change_of(registrar, step.entry);
	if (step.entry->kind == OBJECT_IDENTITY)
		ok = step_identity(&step);
	else if (step.entry->kind == OBJECT_PERSON)
		ok = step_person(&step);
	else if (object_is_proposed(step.entry->kind))
		ok = step_shared(&step);
	else if (object_is_ceded(step.entry->kind))
		ok = step_ceded(&step);
	else if (step.entry->kind == OBJECT_DATA_SOURCE)
		ok = step_data_source(&step);
	else
		ok = error_set(&step.err, ERROR_INVALID, "a %s has no such step",
			object_kind_word(step.entry->kind));
	if (ok && request->is_check)
		return PREPARED_NOTHING;
	if (!ok || !write_step(&step))
		return registrar_refuse(request, &step.err);
	/* An emergency stop may use the log's reserve. */
	if (step.verb == LIFECYCLE_SUSPEND)
		registrar->change.append.urgency = RECORD_RESERVED;
	return PREPARED_RECORD;
}

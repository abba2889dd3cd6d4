#ifndef SERVICES_REGISTRY_REGISTRAR_PRIVATE_H
#define SERVICES_REGISTRY_REGISTRAR_PRIVATE_H

#include "base/loop.h"
#include "domain/charter/crossing.h"
#include "domain/charter/reference.h"
#include "services/registry/custody.h"
#include "services/registry/registrar.h"

/* What the parts of the registrar share. */

enum {
	CODES_MAX = 256,
	REGISTRAR_ARENA_BYTES_MAX = 256 * 1024 * 1024,
};

/* A one-time code that was given out and not used. */
struct one_time_code {
	struct sha256 digest;
	int64_t expires_utc_ms;
	char person[PERSON_NAME_BYTES_MAX + 1]; /* empty: for a first administrator */
};

/* An invitation that was given out and not used. */
struct invite {
	struct sha256 digest;
	int64_t expires_utc_ms;
	enum environment environment;
	char owner[PERSON_NAME_BYTES_MAX + 1];
	char backup_owner[PERSON_NAME_BYTES_MAX + 1];
	char identity[CHARTER_NAME_BYTES_MAX + 1];
	char purpose[INVITE_PURPOSE_BYTES_MAX + 1];
};

/* What an apply comes from and to, in this order. */
enum apply_stage { APPLY_COMPOSE = 0, APPLY_PLAN, APPLY_CHECK, APPLY_WRITE };

/* Of a long apply, between its stages. */
struct apply_turns {
	struct loop_post post;
	enum apply_stage stage; /* that comes next */
	uint64_t generation;    /* of the registry, when it began */
	struct plan *plan;
};

struct registrar {
	struct registry *registry;
	struct fold *fold;
	struct loop *loop;     /* NULL: long applies are made at once */
	struct arena *arena;   /* of the request on its way */
	struct arena *scratch; /* of the record being folded */
	struct code_listener codes_heard;
	struct excess_port excess;
	struct one_time_code codes[CODES_MAX];
	size_t codes_count;
	struct invite invites[INVITES_MAX];
	size_t invites_count;
	struct custodians *custodians;   /* of the registry */
	bool is_founded;                 /* two administrators could sign at once, some time */
	bool is_joined;                  /* two people could, some time */
	struct registrar_request *first; /* waiting */
	struct registrar_request *last;
	size_t waiting_count;
	struct registrar_request *current; /* its record is on its way, or it has turns */
	struct apply_turns turns;
	struct fold_change change;
	bool is_running;
};

/* What preparing a request came to; SO_FAR: there are more stages. */
enum prepared_as { PREPARED_REFUSED = 0, PREPARED_NOTHING, PREPARED_RECORD, PREPARED_SO_FAR };

/* Checks the request against the state of now and, if there is something to
 * write, fills registrar->change.entry and content from registrar->arena.
 * REFUSED: request->err says why. */
enum prepared_as registrar_prepare(struct registrar *registrar, struct registrar_request *request);
enum prepared_as registrar_prepare_apply(
	struct registrar *registrar, struct registrar_request *request);
enum prepared_as registrar_apply_stage(
	struct registrar *registrar, struct registrar_request *request, enum apply_stage stage);

/* A long apply (registrar_turns.c).  has_turns: it is one, and there is a loop for it. */
bool registrar_has_turns(
	const struct registrar *registrar, const struct registrar_request *request);
/* Of the current request. */
void registrar_start_turns(struct registrar *registrar);
void registrar_stop_turns(struct registrar *registrar);
/* What its stages came to (registrar.c). */
void registrar_go_on(struct registrar *registrar, enum prepared_as prepared);

enum prepared_as registrar_prepare_step(
	struct registrar *registrar, struct registrar_request *request);
enum prepared_as registrar_prepare_key(
	struct registrar *registrar, struct registrar_request *request);

/* One entry's whole result, as registry_set takes it, with the new object and
 * the versions that are needed no more. */
struct written_change {
	struct registry_change change;
	const struct object *object; /* NULL: no new one */
	struct text author;          /* of an approval where two are needed: who proposed it */
	struct sha256 digest;        /* and of what, unless it is a removal */
	bool widens;                 /* a charter that lets do more than the one before */
	uint32_t drops[3];
	size_t drops_count;
};

/* An entry as it is, ready to be changed. */
struct written_change written_change_of(
	const struct registrar *registrar, const struct registry_entry *entry);
/* Adds a version that is needed no more; 0 is none. */
void written_change_drop(struct written_change *change, uint32_t version);

/* Starts a record of the type with what all of the registry's have: at, type,
 * actor, revision. */
void registrar_record_start(struct registrar *registrar, struct json_builder *record,
	const char *type, struct text actor);
/* Puts the changes in and makes it the registrar's change; they go beside the
 * record if they are too long for it. */
bool registrar_record_finish(struct registrar *registrar, struct json_builder *record,
	const struct written_change *changes, size_t count, struct error *err) MUST_CHECK;

/* SIGN_IN and END_KEY (registrar_sign_in.c). */
enum prepared_as registrar_prepare_sign_in(
	struct registrar *registrar, struct registrar_request *request);
/* Writes the end of a key that was enrolled by signing in: its kid is kept. */
bool registrar_write_key_end(struct registrar *registrar, const struct registrar_request *request,
	const struct person_key *key, struct error *err) MUST_CHECK;
/* That the key of the request can be enrolled, and its thumbprint into kid_issued. */
bool registrar_check_key(struct registrar *registrar, struct registrar_request *request,
	struct error *err) MUST_CHECK;

/* REVIEW (registrar_review.c). */
enum prepared_as registrar_prepare_review(
	struct registrar *registrar, struct registrar_request *request);
/* ACKNOWLEDGE (registrar_owner.c). */
enum prepared_as registrar_prepare_acknowledge(
	struct registrar *registrar, struct registrar_request *request);

/* What becomes of people in one change (registrar_people.c), for its record. */
struct people_events {
	struct registrar *registrar;
	struct json_builder list;
	uint32_t count;
};
void people_events_start(struct people_events *events, struct registrar *registrar);
/* Looks what the change makes of a person, who would be `after` (NULL: removed), and completes
 * it: keys that are over, the unit they were moved out of.  Errors: LIMIT. */
bool people_events_follow(struct people_events *events, struct written_change *written,
	const struct object *after, struct error *err) MUST_CHECK;
bool people_events_put(
	struct people_events *events, struct json_builder *record, struct error *err) MUST_CHECK;

enum prepared_as registrar_prepare_sandbox(
	struct registrar *registrar, struct registrar_request *request);

/* INVITE and REGISTER. */
enum prepared_as registrar_prepare_invite(
	struct registrar *registrar, struct registrar_request *request);
bool registrar_fold_invite(
	struct registrar *registrar, const struct json *record, struct error *err) MUST_CHECK;
/* The one whose code the record names, if it names one. */
void registrar_forget_invite(struct registrar *registrar, const struct json *record);

/* Makes a code into request->issued_code and tells who listens; its digest as records spell
 * it, in the registrar's arena. */
struct text registrar_make_code(
	struct registrar *registrar, struct registrar_request *request, int64_t expires_utc_ms);
/* Of what people type; false: it can be no code. */
bool registrar_digest_of_code(struct text typed, struct sha256 *out) MUST_CHECK;
/* Whether the actor may make what is planned. */
bool registrar_check_actor(struct registrar *registrar, struct registrar_request *request,
	struct error *err) MUST_CHECK;

/* Plans the request's sources at this moment, into request->plan; false if anything is wrong
 * with it. */
bool registrar_plan(struct registrar *registrar, struct registrar_request *request,
	struct error *err) MUST_CHECK;
/* Writes the plan down as the registrar's change. */
bool registrar_write_plan(struct registrar *registrar, const struct registrar_request *request,
	struct error *err) MUST_CHECK;

/* What is in force, for questions about lines (registrar_consent.c). */
struct reference_world registrar_world(const struct registrar *registrar);
/* One unit's half of a charter, and what its consent is to.  Errors: LIMIT. */
struct crossing_half {
	struct half half;
	struct sha256 digest;
};
bool registrar_half(struct registrar *registrar, struct arena *arena, const struct object *identity,
	struct text unit, struct crossing_half *out, struct error *err) MUST_CHECK;

/* Who would say yes to a version of an identity's charter, the one that waits or the one that is
 * in force, and who wrote it. */
struct consent_query {
	struct registrar *registrar;
	struct text actor;
	const struct registry_entry *entry;
	const struct object *object;
	struct text author; /* "person:NAME"; empty: it is not known */
	struct error *err;
};
/* Units, and people who accepted its risk, that are kept beside one version. */
enum { CONSENTS_KEPT_MAX = 64 };
/* Adds to consents each unit that the actor answers for.  Errors: CONFLICT (there is none to
 * consent; CONSENTS_KEPT_MAX did), INVALID ("forbidden: ": they answer for none), LIMIT. */
bool registrar_consent(struct consent_query *query, struct text *consents) MUST_CHECK;
/* False (CONFLICT): a unit that what waits touches has not consented to its half of it. */
bool registrar_check_consents(struct registrar *registrar, const struct registry_entry *entry,
	struct error *err) MUST_CHECK;
/* False (CONFLICT): what waits comes into a unit (custody_entered) that the actor, who approves
 * it, is not of either, and that has not consented to its half of it. */
bool registrar_check_entry(const struct consent_query *query) MUST_CHECK;
/* To ask who has the word of units: without an actor yet. */
struct custody registrar_custody(const struct registrar *registrar, struct error *err);
/* The units whose consent is asked to one version of the entry's charter, what waits or what is in
 * force: those that its lines touch, and, of what waits, the one that it comes into.  In arena.
 * Errors: LIMIT. */
bool registrar_units_asked(struct registrar *registrar, struct arena *arena,
	const struct registry_entry *entry, const struct object *version, struct text *out,
	struct error *err) MUST_CHECK;
/* Adds to the consents of what waits of a server or tool each unit that it leaves and the actor
 * answers for (registrar_cession.c); is_agreed: there is no other, and it comes into force.
 * Errors: CONFLICT (it leaves none, or they said it), INVALID ("forbidden: "), LIMIT. */
bool registrar_cede(
	const struct consent_query *query, struct text *consents, bool *is_agreed) MUST_CHECK;
/* False (CONFLICT): with what waits a connector leaves its unit, which is not vacant, and neither
 * who asked for that nor the actor, who approves it, answers for that unit. */
bool registrar_check_left(const struct consent_query *query) MUST_CHECK;
/* Whether the actor may agree to the custodian that a data source names.  *named_by is who is said
 * to have named them then: nobody any more, or the actor, where the unit is vacant and no
 * administrator had named them.  Errors: CONFLICT (nobody is asked), INVALID ("forbidden: "),
 * LIMIT. */
bool registrar_agree_custodian(const struct consent_query *query, struct text *named_by) MUST_CHECK;
/* Who wrote what waits of it, an administrator, or who answers for a unit that it leaves. */
bool registrar_may_reject_cession(const struct consent_query *query) MUST_CHECK;
/* Errors: CONFLICT (something that is in force or waits names the entry). */
bool registrar_check_unnamed(const struct registrar *registrar, const struct registry_entry *entry,
	struct error *err) MUST_CHECK;
/* What is left of the risk of what waits (registrar_accept.c): what the actor, whom its risk
 * record names, says yes to.  Errors: as registrar_consent. */
#define RISK_CONSENT_PREFIX "risk/"
bool registrar_accept(struct consent_query *query, struct text *consents) MUST_CHECK;
/* False (CONFLICT): somebody whom it names did not accept it or may not.  The actor approves it,
 * and accepts it with that where they are named. */
bool registrar_check_accepted(struct consent_query *query, struct text *consents) MUST_CHECK;
/* What becomes of the consents to the version in force in another one, `next` of that version.
 * PROPOSED: of units whose whole half of it says no more than they agreed to; a unit that is
 * left out is asked.  IN_FORCE: of each the lines that do, and all that else stands there;
 * RESTORED: with those that a review took and that are had back.  A charter of before units were
 * asked keeps what it has.  Errors: LIMIT. */
enum carry_as { CARRY_PROPOSED = 0, CARRY_IN_FORCE, CARRY_RESTORED };
struct next_version {
	const struct object *object;
	uint32_t version;
	enum carry_as as;
};
bool registrar_carry_consents(struct registrar *registrar, const struct registry_entry *entry,
	const struct next_version *next, struct text *consents, struct error *err) MUST_CHECK;

#define REGISTRAR_NO_CODE "no such code, or it has expired or was used"
#define REGISTRAR_NO_INVITE "no such invitation, or it is over or was used"

enum prepared_as registrar_refuse(struct registrar_request *request, const struct error *err);
enum prepared_as registrar_forbid(struct registrar_request *request, const char *why);

/* False: no invitation that is out has this code. */
bool registrar_has_invite(const struct registrar *registrar, const struct sha256 *digest);

/* Finds a code in force at now; NULL if there is none. */
const struct one_time_code *registrar_find_code(
	const struct registrar *registrar, const struct sha256 *digest, int64_t now_utc_ms);

/* Administrators who could sign now; counting stops at two. */
size_t registrar_count_administrators(const struct registrar *registrar);
/* Everybody who could sign now; counting stops at two. */
size_t registrar_count_signers(const struct registrar *registrar);

/* What waits comes into force (a removal: nothing is in force any more), or goes. */
void written_change_approve(struct written_change *written, const struct registry_entry *entry);
void written_change_drop_waiting(struct written_change *written);

/* Registers the handlers and projectors below. */
bool registrar_register(struct registrar *registrar, struct error *err) MUST_CHECK;

#endif

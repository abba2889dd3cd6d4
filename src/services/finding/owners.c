/* Identities that nobody answers for as findings: opened when that is seen, closed by remit
 * itself once somebody does.  A pass over all identities begins when the registry changed, some
 * of them a step; then it looks at what is open. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/charter/owner.h"
#include "services/finding/finding_private.h"

struct owner_look {
	struct finding_service *service;
	struct arena *arena;
	uint32_t left;
	struct text last;
};

enum { OWNER_ARENA_BYTES_MAX = 1024 * 1024 };

static enum finding_kind kind_of(enum owner_need need)
{
	switch (need) {
	case OWNER_NEED_OWNER: return FINDING_OWNER_LEFT;
	case OWNER_NEED_MOVED: return FINDING_OWNER_MOVED;
	case OWNER_NEED_BACKUP: return FINDING_BACKUP_MISSING;
	case OWNER_NEED_NONE: break;
	}
	return FINDING_NONE;
}

static bool is_of_owners(enum finding_kind kind)
{
	return kind == FINDING_OWNER_LEFT || kind == FINDING_OWNER_MOVED ||
	       kind == FINDING_BACKUP_MISSING;
}

static bool put_facts(const struct owner_look *look, const struct registry_entry *identity,
	struct json *out, struct error *err)
{
	int64_t left_utc_s = owner_left_utc_s(look->service->registry, identity);
	struct json_builder object;

	json_object_start(&object, look->arena);
	json_put_text(&object, "owner", owner_of(identity));
	json_put_text_unless_empty(
		&object, "backup_owner", owner_backup_of(look->service->registry, identity));
	json_put_time_unless_zero(&object, "left", left_utc_s * 1000);
	return json_object_seal(&object, out, err);
}

static void report(
	const struct owner_look *look, const struct registry_entry *identity, enum owner_need need)
{
	struct finding_draft draft = {.kind = kind_of(need),
		.control = "G-05",
		.what = text_of(finding_kind_meaning(kind_of(need))),
		.unit = charter_of(identity->in_force)->unit};
	struct json details;
	struct error err;

	draft.subject = text_format(look->arena, "identity/%.*s", TEXT_ARGS(identity->name));
	if (draft.subject.data == NULL || !put_facts(look, identity, &details, &err))
		return;
	draft.details = &details;
	if (!finding_report(look->service, &draft, &err))
		log_warn("owner_not_reported", LOG_TEXT("identity", identity->name),
			LOG_STRING("why", err.text));
}

/* ---- whose owner was moved ---- */

static void on_due_recorded(void *context, uint64_t index, const struct error *err)
{
	(void)context;
	(void)index;
	if (err != NULL)
		log_warn("review_not_due", LOG_STRING("why", err->text));
}

static void put_due(struct fold_record *record, const struct finding_service *service,
	const struct registry_entry *identity, const struct text *owner)
{
	int64_t due_utc_ms = fold_stamp_utc_ms(service->fold) + OWNER_GONE_ALL_S_DEFAULT * 1000LL;
	struct json_builder *object = &record->object;

	fold_record_start(record, "review-due", TEXT("remit"));
	json_put_text(object, "identity", identity->name);
	json_put_cstring(object, "cause", "mover");
	json_put_cstring(object, "what", finding_kind_meaning(FINDING_OWNER_MOVED));
	json_put_integer(object, "due_utc_ms", due_utc_ms);
	json_put_texts(object, "objects", owner, 1);
}

/* What the owner was given in the old unit is looked at by its people: once, before the finding
 * is opened, which says that it was done. */
static bool ask_review(
	const struct owner_look *look, const struct registry_entry *identity, struct error *err)
{
	struct fold_record *record;
	struct text owner;

	if (!fold_record_create(&record, look->service->fold, OWNER_ARENA_BYTES_MAX, err))
		return false;
	record->done = on_due_recorded;
	owner = text_format(record->arena, "person/%.*s", TEXT_ARGS(owner_of(identity)));
	if (owner.data == NULL) {
		fold_record_destroy(&record);
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	}
	put_due(record, look->service, identity, &owner);
	return fold_record_send(&record, err);
}

static bool is_known(const struct owner_look *look, const struct registry_entry *identity)
{
	struct text subject = text_format(look->arena, "identity/%.*s", TEXT_ARGS(identity->name));
	struct text key = subject.data == NULL
				  ? subject
				  : finding_key(look->arena, FINDING_OWNER_MOVED, subject);

	return key.data == NULL || name_table_find(look->service->by_key, key) != NULL;
}

static bool look_at_identity(void *context, const struct registry_entry *identity)
{
	struct owner_look *look = context;
	enum owner_need need = owner_need_of(look->service->registry, identity);

	struct error err;

	look->last = identity->name;
	if (need == OWNER_NEED_MOVED && !is_known(look, identity) &&
		!ask_review(look, identity, &err))
		log_warn("review_not_due", LOG_STRING("why", err.text));
	else if (need != OWNER_NEED_NONE)
		report(look, identity, need);
	return --look->left > 0;
}

/* ---- closing ---- */

static bool is_still_so(const struct finding_service *service, const struct finding *finding)
{
	static const char prefix[] = "identity/";
	const struct registry_entry *identity = registry_find_identity(
		service->registry, text_after(finding->subject, sizeof prefix - 1));

	return identity != NULL &&
	       kind_of(owner_need_of(service->registry, identity)) == finding->kind;
}

static bool look_at_findings(struct owner_look *look, struct owner_pass *pass)
{
	struct finding_service *service = look->service;
	struct finding behind = {.id = text_of(pass->id)};
	const struct finding *finding =
		finding_next(service, behind.id.length == 0 ? NULL : &behind);
	struct error err;

	for (; finding != NULL && look->left > 0; look->left--) {
		assert(finding->id.length < sizeof pass->id);
		memcpy(pass->id, finding->id.data, finding->id.length);
		pass->id[finding->id.length] = '\0';
		if (is_of_owners(finding->kind) && !is_still_so(service, finding) &&
			!finding_settle(service, finding->id, "somebody answers for it", &err))
			log_warn("owner_not_closed", LOG_STRING("finding", pass->id),
				LOG_STRING("why", err.text));
		behind.id = text_of(pass->id); /* that one may be gone */
		finding = finding_next(service, &behind);
	}
	return finding != NULL;
}

/* ---- the pass ---- */

static void begin(struct finding_service *service)
{
	service->owners = (struct owner_pass){.stage = OWNER_STAGE_IDENTITIES,
		.generation = registry_generation(service->registry)};
}

static void run_stage(struct owner_look *look, struct owner_pass *pass)
{
	if (pass->stage == OWNER_STAGE_FINDINGS) {
		if (!look_at_findings(look, pass))
			pass->stage = OWNER_STAGE_IDLE;
		return;
	}
	look->last = pass->after;
	registry_each(
		look->service->registry, OBJECT_IDENTITY, pass->after, look_at_identity, look);
	pass->after = look->last; /* a name once there stays */
	if (look->left > 0)
		pass->stage = OWNER_STAGE_FINDINGS;
}

bool finding_look_owners(struct finding_service *service)
{
	struct owner_look look = {.service = service, .left = FINDING_OWNER_LOOKS};

	if (service->owners.stage == OWNER_STAGE_IDLE) {
		if (service->owners.generation == registry_generation(service->registry))
			return false;
		begin(service);
	}
	look.arena = arena_create_small(OWNER_ARENA_BYTES_MAX, 4096);
	if (look.arena == NULL)
		return true;
	run_stage(&look, &service->owners);
	arena_destroy(&look.arena);
	return service->owners.stage != OWNER_STAGE_IDLE;
}

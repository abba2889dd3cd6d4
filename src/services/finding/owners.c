/* Identities that nobody answers for as findings: opened when that is seen, closed by remit
 * itself once somebody does.  A pass over all identities begins when the registry changed, some
 * of them a step; then it looks at what is open. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/time.h"
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
	char since[TIME_TEXT_BYTES];
	struct json_builder object;

	json_object_start(&object, look->arena);
	json_put_text(&object, "owner", owner_of(identity));
	json_put_text_unless_empty(
		&object, "backup_owner", owner_backup_of(look->service->registry, identity));
	if (left_utc_s != 0) {
		time_format_utc_ms(since, left_utc_s * 1000);
		json_put_text(&object, "left", text_copy(look->arena, text_of(since)));
	}
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

/* Its record on the way; frees itself. */
struct due {
	struct fold_change change;
	struct arena *arena;
};

static void due_free(struct due *due)
{
	arena_destroy(&due->arena);
	free(due);
}

static void on_due_recorded(struct fold_change *change)
{
	if (!change->is_durable)
		log_warn("review_not_due", LOG_STRING("why", change->err.text));
	due_free(change->context);
}

static bool write_due(struct due *due, const struct finding_service *service,
	const struct registry_entry *identity, struct error *err)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(service->fold);
	struct text object = text_format(due->arena, "person/%.*s", TEXT_ARGS(owner_of(identity)));
	struct json_builder record;
	struct json sealed;

	json_object_start(&record, due->arena);
	json_put_integer(&record, "at", now_utc_ms);
	json_put_cstring(&record, "type", "review-due");
	json_put_cstring(&record, "actor", "remit");
	json_put_text(&record, "identity", identity->name);
	json_put_cstring(&record, "cause", "mover");
	json_put_cstring(&record, "what", finding_kind_meaning(FINDING_OWNER_MOVED));
	json_put_integer(&record, "due_utc_ms", now_utc_ms + OWNER_GONE_ALL_S_DEFAULT * 1000LL);
	json_put_texts(&record, "objects", &object, 1);
	if (object.data == NULL || !json_object_seal(&record, &sealed, err))
		return false;
	due->change.entry = json_canonical_text(due->arena, &sealed);
	return due->change.entry.data != NULL || error_set(err, ERROR_LIMIT, "no memory");
}

/* What the owner was given in the old unit is looked at by its people: once, before the finding
 * is opened, which says that it was done. */
static bool ask_review(
	const struct owner_look *look, const struct registry_entry *identity, struct error *err)
{
	struct due *due = calloc(1, sizeof *due);

	if (due == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a review");
	due->change = (struct fold_change){.done = on_due_recorded, .context = due};
	due->arena = arena_create_small(OWNER_ARENA_BYTES_MAX, 2048);
	if (due->arena != NULL && write_due(due, look->service, identity, err) &&
		fold_submit(look->service->fold, &due->change, err))
		return true;
	due_free(due);
	return false;
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

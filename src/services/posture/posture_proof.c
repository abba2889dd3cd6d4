/* Whether what is enforced of each charter is what the log says, from its first record on.
 *
 *   idle ──six hours are over──▶ reading ──all that is folded was read──▶ judging ─▶ idle
 *
 * Invariants:
 *  1. Nothing of the store is believed: which version is in force, and what it says, is taken
 *     from the records alone, and held against the memory by which calls are decided.
 *  2. What changed since the pass began is judged by the next one: its records may lie behind
 *     those that were read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "domain/charter/proof.h"
#include "domain/charter/registry_fold.h"
#include "services/posture/posture_private.h"

/* What the log says of one identity. */
struct logged {
	uint32_t in_force; /* the version */
	uint32_t version;  /* that was held against the one in memory; 0: none yet */
	bool is_equal;
};

void posture_proof_drop(struct posture *posture)
{
	name_table_destroy(&posture->proof.logged, free);
	arena_destroy(&posture->proof.arena);
	posture->proof.changes = NULL;
}

/* ---- reading ---- */

static struct logged *find_or_add(struct posture *posture, struct text name, struct error *err)
{
	struct logged *logged = name_table_find(posture->proof.logged, name);

	if (logged != NULL)
		return logged;
	logged = calloc(1, sizeof *logged);
	if (logged != NULL && name_table_put(posture->proof.logged, name, logged))
		return logged;
	free(logged);
	(void)error_set(err, ERROR_LIMIT, "no memory for what the log says");
	return NULL;
}

static bool is_enforced(const struct registry_entry *entry)
{
	return entry != NULL && entry->in_force != NULL && entry->ceiling != NULL;
}

/* The document of the version that is in force here. */
static bool compare(struct posture *posture, const struct json *change, struct logged *logged,
	struct error *err)
{
	const struct json *document = json_find(change, "object");
	uint32_t version = registry_change_number(change, "version");
	const struct registry_entry *entry =
		registry_find_identity(posture->parts.registry, json_text_or(change, "name", ""));
	struct charter_proof said, held;

	if (document == NULL || !is_enforced(entry) || version != entry->in_force->version)
		return true;
	if (!charter_prove_document(&said, document, version, err) ||
		!charter_prove(&held, entry->in_force, entry->ceiling, err))
		return false;
	logged->version = version;
	logged->is_equal = charter_proof_equal(&said, &held);
	posture->proof.left--;
	return true;
}

static bool read_change(struct posture *posture, const struct json *change, struct error *err)
{
	struct text name = json_text_or(change, "name", "");
	struct logged *logged;

	if (!text_is(json_text_or(change, "kind", ""), "identity") || name.length == 0)
		return true;
	logged = find_or_add(posture, name, err);
	if (logged == NULL)
		return false;
	logged->in_force = registry_change_number(change, "in_force");
	return compare(posture, change, logged, err);
}

/* Any entry with changes says so in these bytes; what others hold of them is quoted. */
static bool has_changes(struct text entry)
{
	static const char said[] = "\"changes\":[";

	return memmem(entry.data, entry.length, said, sizeof said - 1) != NULL;
}

static bool open_entry(
	struct posture *posture, struct text entry, uint64_t index, struct error *err)
{
	const struct posture_log *log = &posture->parts.charters;
	struct posture_proof *proof = &posture->proof;
	bool is_beside = registry_entry_wants_content(entry);
	struct text content = TEXT("");

	if (!is_beside && !has_changes(entry))
		return true;
	arena_reset(proof->arena);
	if ((is_beside && !log->content(log->context, index, proof->arena, &content, err)) ||
		!registry_entry_read(&proof->record, proof->arena, entry, content, err))
		return false;
	proof->change = 0;
	proof->changes = json_find(&proof->record, "changes");
	if (proof->changes != NULL && proof->changes->type != JSON_ARRAY)
		proof->changes = NULL;
	return true;
}

/* Of one record there may be thousands: as many as there is time for. */
static bool read_changes(struct posture *posture, struct error *err)
{
	struct posture_proof *proof = &posture->proof;

	while (proof->left > 0 && proof->change < proof->changes->count)
		if (!read_change(posture, &proof->changes->items[proof->change++], err))
			return false;
	if (proof->change == proof->changes->count)
		proof->changes = NULL;
	return true;
}

/* False: an error, or all that is folded was read. */
static bool read_next(struct posture *posture, struct error *err)
{
	const struct posture_log *log = &posture->parts.charters;
	struct posture_proof *proof = &posture->proof;
	struct text entry;
	uint64_t index = 0;
	bool is_end = false;

	if (proof->changes != NULL)
		return read_changes(posture, err);
	if (proof->next >= fold_next_index(posture->parts.fold)) {
		proof->stage = PROOF_JUDGING;
		return false;
	}
	if (!log->next(log->context, &entry, &index, &is_end, err) || is_end)
		return false;
	proof->next = index + 1;
	return open_entry(posture, entry, index, err);
}

static void give_up(struct posture *posture, const struct error *err)
{
	log_warn("charters_not_proven", LOG_STRING("why", err->text));
	posture_proof_drop(posture);
	posture->proof.stage = PROOF_IDLE;
	posture->proof.failed_utc_ms = fold_stamp_utc_ms(posture->parts.fold);
}

static void read_some(struct posture *posture)
{
	struct posture_proof *proof = &posture->proof;
	struct error err = {0};

	proof->left = POSTURE_PROOFS;
	for (unsigned i = 0; i < POSTURE_PROOF_RECORDS && proof->left > 0; i++)
		if (!read_next(posture, &err))
			break;
	if (err.code != ERROR_NONE)
		give_up(posture, &err);
}

/* ---- judging ---- */

static check_set judge(const struct registry_entry *entry, const struct logged *logged)
{
	if (!is_enforced(entry))
		return 0;
	if (logged == NULL || logged->in_force != entry->in_force->version ||
		logged->version != logged->in_force)
		return check_bit(CHECK_CHARTER_UNRECORDED);
	return logged->is_equal ? 0 : check_bit(CHECK_CHARTER_DIFFERS);
}

static bool visit(void *context, const struct registry_entry *entry)
{
	struct posture *posture = context;
	struct posture_proof *proof = &posture->proof;
	char subject[POSTURE_KEY_BYTES_MAX];
	struct error err = {0};
	int length;

	proof->after = entry->name;
	proof->judged += is_enforced(entry);
	length = snprintf(subject, sizeof subject, "identity/%.*s", TEXT_ARGS(entry->name));
	if (entry->revision <= proof->revision && length > 0 && (size_t)length < sizeof subject &&
		!posture_row_set(posture, (struct text){subject, (size_t)length},
			check_set_of_proof(),
			judge(entry, name_table_find(proof->logged, entry->name)), &err))
		log_warn("violation_not_kept", LOG_STRING("why", err.text));
	return --proof->left > 0;
}

static void judge_some(struct posture *posture)
{
	struct posture_proof *proof = &posture->proof;

	proof->left = POSTURE_LOOKS;
	registry_each(posture->parts.registry, OBJECT_IDENTITY, proof->after, visit, posture);
	if (proof->left == 0)
		return;
	posture_proof_drop(posture);
	proof->stage = PROOF_IDLE;
	proof->subjects = proof->judged;
	proof->proven_utc_ms = proof->begun_utc_ms;
	posture->is_changed = true;
}

/* ---- the pass ---- */

static bool is_due(const struct posture_proof *proof, int64_t now_utc_ms)
{
	if (proof->failed_utc_ms != 0 && now_utc_ms >= proof->failed_utc_ms &&
		now_utc_ms - proof->failed_utc_ms < (int64_t)POSTURE_PROOF_RETRY_S * 1000)
		return false;
	return proof->proven_utc_ms == 0 || now_utc_ms < proof->proven_utc_ms ||
	       now_utc_ms - proof->proven_utc_ms >= (int64_t)POSTURE_PROOF_AGAIN_S * 1000;
}

static void begin(struct posture *posture)
{
	const struct posture_log *log = &posture->parts.charters;
	struct error err = {0};
	struct posture_proof *proof = &posture->proof;

	*proof = (struct posture_proof){.stage = PROOF_READING,
		.logged = name_table_create(),
		.arena = arena_create_small(REGISTRY_ENTRY_ARENA_BYTES_MAX, 65536),
		.subjects = proof->subjects,
		.proven_utc_ms = proof->proven_utc_ms,
		.revision = registry_revision(posture->parts.registry),
		.begun_utc_ms = fold_stamp_utc_ms(posture->parts.fold)};
	if (proof->logged == NULL || proof->arena == NULL)
		(void)error_set(&err, ERROR_LIMIT, "no memory for what the log says");
	if (proof->logged == NULL || proof->arena == NULL || !log->open(log->context, 0, &err))
		give_up(posture, &err);
}

bool posture_prove(struct posture *posture)
{
	struct posture_proof *proof = &posture->proof;

	if (posture->parts.charters.next == NULL)
		return false;
	if (proof->stage == PROOF_IDLE) {
		if (!is_due(proof, fold_stamp_utc_ms(posture->parts.fold)))
			return false;
		begin(posture);
	} else if (proof->stage == PROOF_READING) {
		read_some(posture);
	} else {
		judge_some(posture);
	}
	return proof->stage != PROOF_IDLE;
}

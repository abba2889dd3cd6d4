/* Approvals: questions to people about one exact call.
 *
 *   pending ──yes, all names covered──▶ approved ──decision record──▶ used
 *      │  ╲──no──▶ rejected                │
 *      ╰── time ──▶ expired ◀──── time ────╯
 *      ├── other arguments ──▶ edited, and a question about those
 *      ╰── a change of what it is bound to ──▶ stale
 *
 * Invariants:
 *  1. State changes only in the fold, by a durable record.  Time and what people
 *     may still say are looked at each time (approval_state_now), so a record
 *     that closes a question is bookkeeping: nothing waits for it.
 *  2. An approval is reserved before the record that uses it is submitted; a
 *     reserved one is not found, so one approval opens one call.
 *  3. What is found for a call has its digest: another call, another question. */

#include "services/approve/approve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/approve/approve_private.h"

enum {
	QUESTION_MS_DEFAULT = 60 * 60 * 1000,
	ANSWER_MS_DEFAULT = 15 * 60 * 1000,
};

bool approve_create(struct approve **out, const struct registry *registry,
	const struct task_table *tasks, struct fold *fold, const struct approve_settings *settings,
	struct error *err)
{
	struct approve *approve = calloc(1, sizeof(*approve));
	bool ok = false;

	*out = NULL;
	if (approve == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for approvals");
		goto done;
	}
	approve->registry = registry;
	approve->tasks = tasks;
	approve->fold = fold;
	approve->settings = *settings;
	if (approve->settings.question_ms <= 0)
		approve->settings.question_ms = QUESTION_MS_DEFAULT;
	if (approve->settings.answer_ms <= 0)
		approve->settings.answer_ms = ANSWER_MS_DEFAULT;
	if (approve->settings.per_person_max == 0)
		approve->settings.per_person_max = APPROVAL_PENDING_PER_PERSON;
	approve->by_id = name_table_create();
	approve->by_call = name_table_create();
	approve->last = name_table_create();
	if (approve->by_id == NULL || approve->by_call == NULL || approve->last == NULL) {
		error_set(err, ERROR_LIMIT, "no memory for approvals");
		goto done;
	}
	if (!custodians_create(&approve->custodians, registry, err))
		goto done;
	if (!approve_register(approve, err) || !break_glass_register(approve, err))
		goto done;
	*out = approve;
	approve = NULL;
	ok = true;
done:
	approve_destroy(&approve);
	return ok;
}

void approve_bound_people(struct approve *approve, uint32_t per_person_max)
{
	approve->settings.per_person_max = per_person_max;
}

void approve_destroy(struct approve **approve)
{
	struct approval_node *node;

	if (*approve == NULL)
		return;
	name_table_destroy(&(*approve)->by_id, NULL);
	name_table_destroy(&(*approve)->by_call, NULL);
	name_table_destroy(&(*approve)->last, free);
	custodians_destroy(&(*approve)->custodians);
	break_glass_forget_all(*approve);
	approve_asking_forget_all(*approve);
	node = (*approve)->oldest;
	while (node != NULL) {
		struct approval_node *younger = node->younger;

		arena_destroy(&node->arena);
		free(node);
		node = younger;
	}
	free(*approve);
	*approve = NULL;
}

/* ---- looking ----------------------------------------------------------------- */

struct approval_node *approval_node_find(const struct approve *approve, struct text id)
{
	return id.length == 0 ? NULL : name_table_find(approve->by_id, id);
}

const struct approval *approval_find(const struct approve *approve, struct text id)
{
	const struct approval_node *node = approval_node_find(approve, id);

	return node == NULL ? NULL : &node->approval;
}

const struct approval *approval_next(const struct approve *approve, const struct approval *after)
{
	const struct approval_node *node = approve->oldest;

	if (after != NULL) {
		node = approval_node_find(approve, after->id);
		assert(node != NULL);
		node = node->younger;
	}
	return node == NULL ? NULL : &node->approval;
}

/* What it is bound to has changed since it was asked. */
static bool is_stale(
	const struct approve *approve, const struct approval *approval, int64_t now_utc_ms)
{
	const struct registry_entry *entry =
		registry_find(approve->registry, OBJECT_IDENTITY, approval->identity);
	char version[16];
	int length;

	if (!task_may_act(approve->tasks, task_find(approve->tasks, approval->task), now_utc_ms))
		return true;
	if (entry == NULL || entry->in_force == NULL || entry->state != IDENTITY_ACTIVE)
		return true;
	length = snprintf(version, sizeof(version), "@%u", entry->in_force->version);
	return length < 0 || !text_ends_with(approval->charter, version);
}

enum approval_state approval_state_now(
	const struct approve *approve, const struct approval *approval, int64_t now_utc_ms)
{
	if (approval->state != APPROVAL_PENDING && approval->state != APPROVAL_APPROVED)
		return approval->state;
	if (now_utc_ms >= approval->expires_utc_ms)
		return APPROVAL_EXPIRED;
	if (is_stale(approve, approval, now_utc_ms))
		return APPROVAL_STALE;
	if (approval->state == APPROVAL_APPROVED && !approve_is_covered(approve, approval))
		return APPROVAL_STALE;
	return approval->state;
}

const struct approval *approve_find_call(
	const struct approve *approve, const struct sha256 *call_digest, int64_t now_utc_ms)
{
	struct text key = {(const char *)call_digest->bytes, SHA256_BYTES};
	const struct approval_node *node = name_table_find(approve->by_call, key);
	enum approval_state state;

	if (node == NULL || node->approval.is_reserved)
		return NULL;
	state = approval_state_now(approve, &node->approval, now_utc_ms);
	return state == APPROVAL_PENDING || state == APPROVAL_APPROVED ? &node->approval : NULL;
}

/* Nobody answered, and whoever asked was not told yet. */
static bool is_unanswered(
	const struct approve *approve, const struct approval_node *node, int64_t now_utc_ms)
{
	return !node->approval.is_told && !node->was_approved &&
	       approval_state_now(approve, &node->approval, now_utc_ms) == APPROVAL_EXPIRED;
}

const struct approval *approve_find_refused(
	const struct approve *approve, const struct sha256 *call_digest, int64_t now_utc_ms)
{
	struct text key = {(const char *)call_digest->bytes, SHA256_BYTES};
	const struct approval_node *node = name_table_find(approve->by_call, key);

	if (node == NULL)
		return NULL;
	if (node->approval.state == APPROVAL_REJECTED || node->approval.state == APPROVAL_EDITED ||
		is_unanswered(approve, node, now_utc_ms))
		return &node->approval;
	return NULL;
}

struct text approval_last_key(
	char bytes[APPROVAL_LAST_KEY_BYTES], struct text identity, struct text tool)
{
	int length = snprintf(
		bytes, APPROVAL_LAST_KEY_BYTES, "%.*s %.*s", TEXT_ARGS(identity), TEXT_ARGS(tool));
	bool is_key = identity.length != 0 && tool.length != 0 && length > 0 &&
		      length < APPROVAL_LAST_KEY_BYTES;

	return is_key ? (struct text){bytes, (size_t)length} : TEXT("");
}

const struct approval_last *approve_last(
	const struct approve *approve, struct text identity, struct text tool)
{
	char bytes[APPROVAL_LAST_KEY_BYTES];
	struct text key = approval_last_key(bytes, identity, tool);

	return key.length == 0 ? NULL : name_table_find(approve->last, key);
}

void approve_listen(struct approve *approve, const struct approve_listener *listener)
{
	static const struct approve_listener nobody;

	approve->listener = listener == NULL ? nobody : *listener;
}

bool approve_reserve(struct approve *approve, const struct approval *approval, int64_t now_utc_ms)
{
	struct approval_node *node = approval_node_find(approve, approval->id);

	if (node == NULL || node->approval.is_reserved ||
		approval_state_now(approve, &node->approval, now_utc_ms) != APPROVAL_APPROVED)
		return false;
	node->approval.is_reserved = true;
	return true;
}

void approve_release(struct approve *approve, struct text id)
{
	struct approval_node *node = approval_node_find(approve, id);

	if (node != NULL)
		node->approval.is_reserved = false;
}

/* ---- watching ---------------------------------------------------------------------- */

void approve_watch_add(struct approve *approve, struct approve_watch *watch)
{
	assert(watch->link == NULL);
	watch->next = approve->watches;
	watch->link = &approve->watches;
	if (watch->next != NULL)
		watch->next->link = &watch->next;
	approve->watches = watch;
}

void approve_watch_remove(struct approve *approve, struct approve_watch *watch)
{
	(void)approve;
	if (watch->link == NULL)
		return;
	*watch->link = watch->next;
	if (watch->next != NULL)
		watch->next->link = watch->link;
	watch->next = NULL;
	watch->link = NULL;
}

/* ---- figures ------------------------------------------------------------------------ */

struct approve_figures approve_figures(const struct approve *approve)
{
	int64_t now_utc_ms = fold_stamp_utc_ms(approve->fold);
	struct approve_figures figures = {
		.held = approve->count, .notices_lost = approve->notices_lost};
	const struct approval_node *node;

	for (node = approve->oldest; node != NULL; node = node->younger)
		figures.pending += approval_state_now(approve, &node->approval, now_utc_ms) ==
				   APPROVAL_PENDING;
	return figures;
}

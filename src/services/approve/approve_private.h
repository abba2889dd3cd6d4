#ifndef SERVICES_APPROVE_APPROVE_PRIVATE_H
#define SERVICES_APPROVE_APPROVE_PRIVATE_H

#include "domain/charter/name_table.h"
#include "services/approve/approve.h"
#include "services/approve/break_glass.h"
#include "services/registry/custodians.h"
#include "services/registry/fold_record.h"

/* Private to services/approve. */

/* One approval and what hangs on it. */
struct approval_node {
	struct approval approval;
	struct arena *arena; /* owns its texts */
	struct approval_answer answers[APPROVAL_ANSWERS_MAX];
	struct approval_link chain[CALL_CHAIN_MAX];
	struct approval_node *older;
	struct approval_node *younger;
	struct approval_node *next_open; /* room.c: of the list that it made last */
	int64_t answer_expires_utc_ms;   /* until when the last yes holds, once approved */
	int64_t closed_at_utc_ms;
	int64_t close_again_utc_ms; /* its closing was lost: not before then */
	bool was_approved;          /* once: what ran out then was a yes */
	bool is_answering; /* an approval-answered record is on its way, or what comes before it */
	bool is_closing;   /* an approval-closed record is on its way */
	/* Of one on its way to the log: the question whose place it takes; empty: none's. */
	struct text replaces;
	bool takes_place; /* likewise, or that of the question that it changes: it is none more */
};

struct glass_node;

struct approve {
	const struct registry *registry;
	struct custodians *custodians;
	const struct task_table *tasks;
	struct fold *fold;
	struct approve_settings settings;
	struct name_table *by_id;
	struct name_table *by_call; /* key: the 32 bytes of call_digest; the newest */
	struct approval_node *oldest;
	struct approval_node *youngest;
	struct approval_node *asking; /* on their way to the log, by older */
	struct name_table *last;      /* "IDENTITY TOOL" -> struct approval_last */
	struct approve_watch *watches;
	struct approve_listener listener;
	struct glass_node *glasses; /* in the order asked */
	size_t glasses_count;
	uint64_t notices_lost;
	size_t count;
};

/* break_glass_fold.c */
struct glass_node {
	struct break_glass glass;
	struct arena *arena; /* owns its texts */
	struct glass_node *next;
	bool is_changing; /* a record about it is on its way */
	bool is_told;     /* that its review is overdue */
};
struct glass_node *glass_node_find(const struct approve *approve, struct text id);
bool break_glass_register(struct approve *approve, struct error *err) MUST_CHECK;
void break_glass_forget_all(struct approve *approve);
/* Closes what is over, tells of overdue reviews. */
void break_glass_tick(struct approve *approve, int64_t now_utc_ms);

/* proof.c: checks what was signed against the approval, with the key as it is enrolled now;
 * *out_key_id, in arena, says which it was.  Errors: INVALID ("forbidden: ..."), CONFLICT
 * (another call), LIMIT. */
bool approve_check_proof(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request, struct arena *arena, struct text *out_key_id,
	struct error *err) MUST_CHECK;

struct approval_node *approval_node_find(const struct approve *approve, struct text id);

enum { APPROVAL_LAST_KEY_BYTES = CHARTER_NAME_BYTES_MAX + 1 + TOOL_NAME_BYTES_MAX + 1 };
/* "IDENTITY TOOL", in bytes; empty: they are no names. */
struct text approval_last_key(
	char bytes[APPROVAL_LAST_KEY_BYTES], struct text identity, struct text tool);

/* fold.c */
bool approve_register(struct approve *approve, struct error *err) MUST_CHECK;
void approval_node_forget(struct approve *approve, struct approval_node *node);
/* Of an approval-asked record; nobody finds it yet.  NULL: err says why.  Errors: LIMIT,
 * CORRUPT. */
struct approval_node *approval_node_create(
	const struct json *record, uint64_t index, struct error *err);
void approval_node_destroy(struct approval_node **node);

/* approve_asking.c: questions whose record is made, and not known to be in the log: they count as
 * if they were, so that calls which wait for the log together pass no bound.  One that never comes
 * there counts for APPROVAL_ASKING_MS_MAX. */
/* Errors: LIMIT, CORRUPT. */
bool approve_asking_begin(struct approve *approve, const struct json *record, bool takes_place,
	struct error *err) MUST_CHECK;
void approve_asking_end(struct approve *approve, struct text id);
void approve_asking_forget_old(struct approve *approve, int64_t now_utc_ms);
void approve_asking_forget_all(struct approve *approve);
/* Whether one of them takes the place of this question. */
bool approve_asking_replaces(const struct approve *approve, struct text id);

/* Whether the person has this key now. */
bool approve_has_key(
	const struct approve *approve, struct text person, struct text key_id, int64_t at_utc_ms);

/* room.c: whether for each name somebody who may answer has room for one more question; where
 * nobody stands for a name at all, there is nobody to spare.  After APPROVAL_PEOPLE_LOOKS_MAX
 * people without room, and after APPROVAL_LOOKS_MAX looks at questions that wait, nobody else
 * counts as having room.  Errors: CONFLICT, LIMIT. */
bool approve_has_room_for_people(const struct approve *approve,
	const struct approve_question *question, struct error *err) MUST_CHECK;

/* entitled.c: whether the person, today, stands for this name of
 * context.approvals towards this question. */
bool approve_person_covers(const struct approve *approve, const struct approval *approval,
	struct text person, struct text name);
/* Whether this answer is a yes that counts for the name today. */
bool approve_is_yes_for(const struct approve *approve, const struct approval *approval,
	const struct approval_answer *answer, struct text name);
/* Whether every name is covered by the yes of somebody who may still say it. */
bool approve_is_covered(const struct approve *approve, const struct approval *approval);
/* Whether a pending question can take this answer: of APPROVAL_ANSWERS_MAX places one is kept for
 * each name that nobody's yes covers. */
bool approve_has_place(const struct approve *approve, const struct approval *approval,
	const struct approve_request *request);

#endif

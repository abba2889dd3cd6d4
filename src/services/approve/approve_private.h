#ifndef SERVICES_APPROVE_APPROVE_PRIVATE_H
#define SERVICES_APPROVE_APPROVE_PRIVATE_H

#include "domain/charter/name_table.h"
#include "services/approve/approve.h"

/* Private to services/approve. */

/* One approval and what hangs on it. */
struct approval_node {
	struct approval approval;
	struct arena *arena; /* owns its texts */
	struct approval_answer answers[APPROVAL_ANSWERS_MAX];
	struct approval_node *older;
	struct approval_node *younger;
	int64_t answer_expires_utc_ms; /* until when the last yes holds, once approved */
	int64_t closed_at_utc_ms;
	bool is_answering; /* an approval-answered record is on its way */
	bool is_closing;   /* an approval-closed record is on its way */
};

struct approve {
	const struct registry *registry;
	const struct task_table *tasks;
	struct fold *fold;
	struct approve_settings settings;
	struct name_table *by_id;
	struct name_table *by_call; /* key: the 32 bytes of call_digest; the newest */
	struct approval_node *oldest;
	struct approval_node *youngest;
	struct approve_watch *watches;
	size_t count;
};

struct approval_node *approval_node_find(const struct approve *approve, struct text id);

/* fold.c */
bool approve_register(struct approve *approve, struct error *err) MUST_CHECK;
void approval_node_forget(struct approve *approve, struct approval_node *node);

/* entitled.c: whether the person, today, stands for this name of
 * context.approvals towards this question. */
bool approve_person_covers(const struct approve *approve, const struct approval *approval,
	struct text person, struct text name);
/* Whether every name is covered by the yes of somebody who may still say it. */
bool approve_is_covered(const struct approve *approve, const struct approval *approval);

#endif

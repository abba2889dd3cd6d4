#ifndef DOMAIN_DECIDE_HAND_ON_H
#define DOMAIN_DECIDE_HAND_ON_H

#include "domain/charter/registry.h"
#include "domain/task/chain.h"

/* May the work of a task be taken over by this identity?  A pure function of the charters
 * in force and of the tasks; that the path is live, and whose token it is, others ask. */

enum hand_on {
	HAND_ON_REFUSED = 0,
	HAND_ON_OWN,       /* it is its own task: nothing is handed on */
	HAND_ON_ALLOWED,   /* a line of who acts now names it */
	HAND_ON_NOT_NAMED, /* may_act names another one */
	HAND_ON_NO_LINE,   /* no line of who acts now names it */
	HAND_ON_LOOP,      /* it is in the chain already, or the chain is full */
	HAND_ON_DEPTH,     /* a line above lets it not be handed on so far */
	HAND_ON_LABEL,     /* more was read than may go along */
	HAND_ON_CONSENT,   /* the unit of who would take it over has not consented to the line */
};

struct hand_on_question {
	const struct registry *registry;
	const struct task *task; /* of the one who acts now */
	struct text client;      /* who would take it over */
	struct text may_act;     /* the only one who may; empty: whoever a line names */
};
enum hand_on decide_hand_on(const struct hand_on_question *question);

/* Whether every link above the last one hands on what this line of the last one's charter
 * permits, as far as charters tell without arguments: what a trace shows.  The chain rule
 * decides each call. */
bool decide_is_handed(
	const struct registry *registry, const struct chain *chain, const struct entitlement *line);

#endif

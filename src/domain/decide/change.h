#ifndef DOMAIN_DECIDE_CHANGE_H
#define DOMAIN_DECIDE_CHANGE_H

#include "domain/decide/evaluation.h"
#include "domain/decide/explanation.h"

/* Private to domain/decide: the search for one change. */

struct changing {
	const struct decide_world *world;
	const struct call *call;
	const struct approval_names *approvals; /* given; NULL: none */
	const struct decision *decision;
	struct evaluation *evaluation; /* as far as the fixed rules came */
	struct arena *arena;           /* of what is handed out */
	struct arena *scratch;         /* of one trial */
	const struct decide_account
		*accounts; /* all, told or not, in which a change is looked for */
	size_t accounts_count;
	struct text left_out; /* the argument that was left out last */
	uint32_t trials_max;
	struct decide_explanation *out;
};

/* account.c: needs an evaluation whose request is built. */
void accounts_fill(struct changing *changing);

/* change.c: what a candidate is called, and what it changes. */
struct candidate {
	enum change_kind kind;
	struct text what;
	struct text hint; /* for the caller; empty: it is not the call's to change */
	struct json from;
	struct json to;
	bool is_left_out; /* to is nothing */
};
/* Tries one; true: it was found, and *out->change is it.  world and call may be the
 * changing's own; trial may be NULL. */
bool change_try(struct changing *changing, const struct candidate *candidate,
	const struct decide_world *world, const struct trial *trial, const struct call *call);
bool change_is_found(const struct changing *changing);
/* It is found, or no more may be tried: what is not tried needs not be made. */
bool change_is_over(const struct changing *changing);
/* Whether it would be allowed so; a trial that was tried, as above, but nothing is kept. */
bool change_allows(struct changing *changing, const struct decide_world *world,
	const struct trial *trial, const struct call *call);
/* Keeps a change that change_allows found. */
void change_keep(struct changing *changing, const struct candidate *candidate);

/* candidate.c: changes of what the decision compared, of the call and of objects. */
void change_call(struct changing *changing);
void change_objects(struct changing *changing);
void change_entitlements(struct changing *changing);
/* Whether another line of the charter might be what is missing. */
bool change_is_by_line(const struct changing *changing);

#endif

#ifndef DOMAIN_CHARTER_NARROW_H
#define DOMAIN_CHARTER_NARROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/object.h"

/* Taking authority out of a charter, and proof that nothing else happened.  Pure. */

/* A list of a charter whose lines people judge one by one. */
enum charter_part {
	CHARTER_PART_NONE = 0,
	CHARTER_PART_ENTITLEMENT,
	CHARTER_PART_PEER,
	CHARTER_PART_KEY,
	CHARTER_PART_RULE,   /* of federation */
	CHARTER_PART_ACTING, /* acts-for: one clause, no list */
};
/* The member of the document: "entitlements" ... "acts-for"; NULL for NONE. */
const char *charter_part_member(enum charter_part part);

/* True if whoever has `after` in force may do nothing that `before` did not let them: lines are
 * gone, end sooner, ask for more or reach less, and all else is equal.  It may be false of what
 * is narrower in a way it does not know; then it is not believed.  Errors: INVALID (the member
 * that is not narrower), LIMIT. */
bool charter_is_narrower(
	const struct object *after, const struct object *before, struct error *err) MUST_CHECK;

/* The same of one line, without looking at the rest of their charters. */
bool entitlement_is_narrower(const struct entitlement *after, const struct entitlement *before);
bool peer_is_narrower(const struct charter_peer *after, const struct charter_peer *before);

/* False: a line under peers held what this line of `after` lets through to its peer
 * (domain/decide/peers.c), and is gone; so the line says more than it did. */
bool entitlement_is_held(
	const struct entitlement *line, const struct charter *after, const struct charter *before);

/* One line of a document, as it stands there. */
struct charter_line {
	enum charter_part part;
	const struct json *line;
};
/* The line among those of the document, or NULL. */
const struct json *charter_find_line(const struct json *document, const struct charter_line *line);

/* What becomes of a line. */
enum charter_edit_how {
	CHARTER_EDIT_NONE = 0,
	CHARTER_EDIT_TAKE_OUT, /* it gives nothing any more */
	CHARTER_EDIT_REPLACE,  /* by `with` */
	CHARTER_EDIT_PUT_BACK, /* what TAKE_OUT took */
};
struct charter_edit {
	struct charter_line line;
	enum charter_edit_how how;
	const struct json *with;
};
struct charter_edits {
	const struct charter_edit *items;
	size_t count;
	int64_t now_utc_s;
};
/* The document after the edits, in arena; borrows from document and edits.  Uses of lines are
 * counted by their place (use.h), so where a line says `uses` a line that is taken out stays in
 * its place with an end that has come; else it is gone.  Errors: CONFLICT (a line is not there,
 * or was not taken out), LIMIT. */
bool charter_edit(struct json *out, struct arena *arena, const struct json *document,
	const struct charter_edits *edits, struct error *err) MUST_CHECK;

/* The condition that is `when` and also that the call's environment is one of these (bits of
 * environment_bit()); .data NULL: no memory. */
struct text charter_when_in(struct arena *arena, struct text when, uint32_t environments);

#endif

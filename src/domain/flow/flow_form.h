#ifndef DOMAIN_FLOW_FLOW_FORM_H
#define DOMAIN_FLOW_FLOW_FORM_H

#include "base/arena.h"
#include "base/text.h"

/* The forms in which a store may give back what it was sent: with escapes undone, as a
 * reader of JSON or of a form does, and cut where a card, a calendar, a form or a path is. */

enum {
	/* Layers of escapes: JSON in a text of JSON in a text. */
	FLOW_LAYERS_MAX = 3,
	/* Parts of a token, up to an '&' and from one to the next. */
	FLOW_PARTS_MAX = 64,
	/* A longer token is no path, more likely base64: its slashes do not part it. */
	FLOW_PATH_BYTES_MAX = 2048,
};

typedef void flow_form_visit(void *closure, struct text form);

/* Visits the text as it is, with its backslash escapes undone, its percent escapes, and both,
 * each in turn.  False: there are more layers, or no memory; some forms were not visited.
 * Forms live during the visit. */
bool flow_forms_each(
	struct arena *scratch, struct text text, flow_form_visit *visit, void *closure) MUST_CHECK;

/* Visits from the beginning of the token and from behind each : = & ? # / \ (and + behind an =)
 * what stands there up to the next of them, up to the next '&' (or such a +), and, before the first
 * '&', up to the end.  False: it has too many parts; some were not visited. */
/* True if there may be any besides the token itself. */
bool flow_has_parts(struct text token);
bool flow_parts_each(struct text token, flow_form_visit *visit, void *closure) MUST_CHECK;

#endif

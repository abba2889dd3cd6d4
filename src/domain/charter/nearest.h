#ifndef DOMAIN_CHARTER_NEAREST_H
#define DOMAIN_CHARTER_NEAREST_H

#include "base/text.h"
#include "domain/charter/registry.h"

/* What somebody may have meant by a name that is none. */

enum { NEAREST_NAME_BYTES = 64 }; /* with its NUL; longer names are not compared */

/* Set wrong, which is borrowed, and zero the rest. */
struct nearest {
	struct text wrong;
	char found[NEAREST_NAME_BYTES]; /* NUL-terminated; empty: none is near (word_nearest) */
};

/* Keeps the name if it is nearer than what was found before. */
void nearest_consider(struct nearest *nearest, struct text name);
/* Considers every name of the kind that has something in force: O(names). */
void nearest_registered(
	struct nearest *nearest, const struct registry *registry, enum object_kind kind);

/* False, and err says NOT_FOUND: nothing of the kind has this name, and which is the nearest of
 * all that are registered or wait.  O(names). */
bool name_unknown(const struct registry *registry, enum object_kind kind, struct text name,
	struct error *err);

/* Whether there is a resource of that kind, or a charter still has a line on it, written as
 * there ("files/read", "data-source:tickets").  Errors: NOT_FOUND, with the nearest name. */
bool resource_check(const struct registry *registry, enum object_kind kind, struct text written,
	struct error *err) MUST_CHECK;
/* The same of a model, "model:PROVIDER/NAME": whether a provider has it.  Errors: as above, with
 * the nearest of that provider's. */
bool model_check(
	const struct registry *registry, struct text written, struct error *err) MUST_CHECK;

#endif

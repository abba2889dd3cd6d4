#ifndef SERVICES_REGISTRY_CUSTODIANS_H
#define SERVICES_REGISTRY_CUSTODIANS_H

#include <stdbool.h>

#include "base/error.h"
#include "domain/charter/registry.h"

/* Who answers for data of which unit (registry_custodian), read from the registry once for each of
 * its generations: whoever is looked for among many people, or for many questions, costs no walk
 * of the sources.  For one thread, the registry's. */
struct custodians;

/* The registry is borrowed, and outlives them.  Errors: LIMIT. */
bool custodians_create(
	struct custodians **out, const struct registry *registry, struct error *err) MUST_CHECK;
void custodians_destroy(struct custodians **custodians);

/* Whether the person answers for a data source in force of the unit.  Without memory nobody
 * does. */
bool custodians_has(struct custodians *custodians, struct text unit, struct text person);
/* Calls visit for each of them, once and in order of name, until it returns false.  Errors:
 * LIMIT. */
bool custodians_each(struct custodians *custodians, struct text unit,
	bool (*visit)(void *context, struct text person), void *context,
	struct error *err) MUST_CHECK;

/* What was kept of the unit at this generation, whether nobody at all has its word; false: nothing
 * was. */
bool custodians_vacancy(struct custodians *custodians, struct text unit, bool *is_vacant);
/* Keeps it until the registry changes; not without memory. */
void custodians_keep_vacancy(struct custodians *custodians, struct text unit, bool is_vacant);

#endif

#ifndef SERVICES_REGISTRY_PLAN_PEOPLE_H
#define SERVICES_REGISTRY_PLAN_PEOPLE_H

#include "domain/charter/reference.h"
#include "domain/charter/registry.h"

/* Reports a charter whose owner or backup owner has left, a data source whose custodian has, and
 * a person who has yet to leave: a document says what is so. */
void plan_check_people(const struct object *object, const struct reference_world *world,
	struct text file, struct problems *problems);
/* What a directory says of a person, and whether they have left, stays where a document about
 * them says nothing of it: roles are given beside it. */
void plan_keep_directory(
	struct json *document, const struct registry *registry, struct arena *arena);
/* Reports a person of a directory whom somebody else would bring back, take out or move. */
void plan_check_directory(const struct object *object, const struct registry *registry,
	struct text file, struct problems *problems);

#endif

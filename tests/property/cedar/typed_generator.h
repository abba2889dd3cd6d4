#ifndef TESTS_CEDAR_TYPED_GENERATOR_H
#define TESTS_CEDAR_TYPED_GENERATOR_H

#include "cedar/schema_inner.h"
#include "generator.h"

/* Random schemas, and data and policies that keep to them: data always, policies most
 * of the time. */

/* One kind of request. */
struct typed {
	struct generator *generator;
	const struct cedar_schema *schema;
	const struct schema_action *action;
	const struct schema_entity *principal;
	const struct schema_entity *resource;
};

/* Appends a schema in Cedar syntax. */
void generate_schema(struct generator *generator);
/* Chooses a kind of request; false if the schema has none. */
bool typed_choose(struct typed *typed);
/* Appends entities JSON with every entity that generated data and policies name. */
void typed_entities(struct typed *typed);
/* Appends the JSON of a context. */
void typed_context(struct typed *typed);
/* Appends a policy for that kind of request. */
void typed_policy(struct typed *typed);
/* One of the ids of a type, by number. */
struct cedar_text typed_id(const struct schema_entity *entity, uint32_t number);
enum { TYPED_IDS = 3 };

#endif

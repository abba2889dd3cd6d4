#ifndef TESTS_CEDAR_GENERATOR_H
#define TESTS_CEDAR_GENERATOR_H

#include <stddef.h>
#include <stdint.h>

/* Random policies and worlds in a small vocabulary, so that they meet: three
 * entities of each of three types, five attributes, a handful of values. */

struct generator {
	uint64_t state;
	char *text;
	size_t length;
	size_t capacity;
};

/* The seed: $REMIT_SEED or the clock; printed. */
uint64_t generator_seed(void);
uint32_t generator_below(struct generator *generator, uint32_t bound);
/* Starts a new text. */
void generator_reset(struct generator *generator);
/* Appends a text. */
void generator_put(struct generator *generator, const char *string);
/* Appends one expression that may nest `depth` deep. */
void generate_expression(struct generator *generator, int depth);
/* Appends one policy. */
void generate_policy(struct generator *generator);
/* The same with conditions that often begin with a question that is cheap to ask:
 * path == literal, path has name, path like "prefix*". */
void generate_indexable_policy(struct generator *generator);
/* Appends one template with ?principal, ?resource or both; returns which, as
 * enum cedar_slot. */
uint32_t generate_template(struct generator *generator);
/* Type and id of an entity, as strings. */
void generate_uid(struct generator *generator, const char **type, const char **id);
/* Appends an entities JSON array without cycles. */
void generate_entities(struct generator *generator);
/* Appends the JSON of a context. */
void generate_context(struct generator *generator);

#endif

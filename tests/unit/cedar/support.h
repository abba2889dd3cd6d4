#ifndef TESTS_CEDAR_SUPPORT_H
#define TESTS_CEDAR_SUPPORT_H

/* What the tests of cedar/ share: small worlds made of texts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "remit/cedar.h"

enum { SUPPORT_ARENA_BYTES = 16 << 20, SUPPORT_TEXT_BYTES = 2048 };

struct world {
	struct cedar_arena *arena;
	struct cedar_entities *entities;
	struct cedar_request request;
	struct cedar_error err;
	char text[SUPPORT_TEXT_BYTES];
};

/* entities may be NULL; principal U::"p", action Action::"a", resource R::"r". */
static inline void world_open(struct world *world, const char *entities, const char *context)
{
	*world = (struct world){0};
	world->arena = cedar_arena_create(SUPPORT_ARENA_BYTES);
	assert_non_null(world->arena);
	assert_true(cedar_entities_create(&world->entities, &world->err));
	if (entities != NULL &&
		!cedar_entities_add_json(world->entities, cedar_text_of(entities), &world->err))
		fail_msg("entities: %s", world->err.text);
	assert_true(cedar_entities_seal(world->entities, &world->err));
	world->request.principal = cedar_uid_of(CEDAR_TEXT("U"), CEDAR_TEXT("p"));
	world->request.action = cedar_uid_of(CEDAR_TEXT("Action"), CEDAR_TEXT("a"));
	world->request.resource = cedar_uid_of(CEDAR_TEXT("R"), CEDAR_TEXT("r"));
	if (context != NULL && !cedar_value_parse_json(&world->request.context, world->arena,
				       cedar_text_of(context), &world->err))
		fail_msg("context: %s", world->err.text);
}

static inline void world_close(struct world *world)
{
	cedar_entities_destroy(&world->entities);
	cedar_arena_destroy(&world->arena);
}

/* The value of an expression as text; "!" and the error if it fails when it is
 * evaluated; "?" and the error if it does not parse. */
static inline const char *world_value(struct world *world, const char *expression)
{
	struct cedar_expression *parsed;
	struct cedar_value value;
	struct cedar_text text;

	if (!cedar_expression_parse(&parsed, cedar_text_of(expression), &world->err)) {
		(void)snprintf(world->text, sizeof world->text, "?%s", world->err.text);
		return world->text;
	}
	if (!cedar_evaluate_expression(
		    parsed, world->entities, &world->request, world->arena, &value, &world->err)) {
		(void)snprintf(world->text, sizeof world->text, "!%s", world->err.text);
	} else {
		text = cedar_value_format(world->arena, &value);
		(void)snprintf(
			world->text, sizeof world->text, "%.*s", (int)text.length, text.data);
	}
	cedar_expression_destroy(&parsed);
	return world->text;
}

#define assert_value(world, expression, expected)                                                  \
	assert_string_equal(world_value(world, expression), expected)
/* Fails when it is evaluated, not before. */
#define assert_fails(world, expression) assert_int_equal(*world_value(world, expression), '!')
#define assert_refused(world, expression) assert_int_equal(*world_value(world, expression), '?')

/* A sealed set; the test fails if the text does not parse. */
static inline struct cedar_policy_set *set_of(const char *text)
{
	struct cedar_policy_set *set;
	struct cedar_error err;

	if (!cedar_policy_set_parse(&set, cedar_text_of(text), NULL, &err))
		fail_msg("%u:%u: %s", err.line, err.column, err.text);
	return set;
}

/* "allow [policy0] []": decision, reasons, errors. */
static inline const char *world_answer(struct world *world, const char *policies)
{
	struct cedar_policy_set *set = set_of(policies);
	struct cedar_answer answer;
	size_t used;

	assert_true(cedar_authorize(
		set, world->entities, &world->request, world->arena, &answer, &world->err));
	used = (size_t)snprintf(world->text, sizeof world->text, "%s [",
		answer.decision == CEDAR_ALLOW ? "allow" : "deny");
	for (size_t i = 0; i < answer.reason_count; i++)
		used += (size_t)snprintf(world->text + used, sizeof world->text - used, "%s%u",
			i == 0 ? "" : " ", answer.reasons[i]);
	used += (size_t)snprintf(world->text + used, sizeof world->text - used, "] [");
	for (size_t i = 0; i < answer.error_count; i++)
		used += (size_t)snprintf(world->text + used, sizeof world->text - used, "%s%u",
			i == 0 ? "" : " ", answer.errors[i].policy);
	(void)snprintf(world->text + used, sizeof world->text - used, "]");
	cedar_policy_set_destroy(&set);
	return world->text;
}
#define assert_answer(world, policies, expected)                                                   \
	assert_string_equal(world_answer(world, policies), expected)

#endif

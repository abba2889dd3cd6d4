/* Laws of decisions over any policies, entities and request: three texts between lines of
 * dashes, the last one {"principal": uid, "action": uid, "resource": uid, "context": {..}}.
 * An answer allows exactly where its reasons are permits; what is told of one policy, shortly,
 * part by part and as a residual of which nothing is unknown, is what the answer says of
 * it; residuals of which the context is unknown end within their bounds; and the set read back
 * from its JSON, as links and templates, with one more policy that fails, answers the same. */
#include <assert.h>
#include <string.h>

#include "cedar/document.h"
#include "parts.h"
#include "remit/cedar.h"

enum { ROOM_BYTES = 1 << 26, PARTS = 3 };

struct world {
	struct cedar_arena *arena;
	struct cedar_policy_set *set;
	struct cedar_entities *entities;
	struct cedar_request request;
	struct cedar_answer answer;
};

static bool read_request(struct world *world, struct cedar_text json)
{
	struct cedar_error err;
	struct document_reader reader = {
		.arena = (struct arena *)world->arena, .source = json, .err = &err};
	struct document *root;
	const struct document *context;

	if (!document_parse(&root, reader.arena, json, &err) || root->type != DOCUMENT_OBJECT ||
		document_find(root, "principal") == NULL || document_find(root, "action") == NULL ||
		document_find(root, "resource") == NULL)
		return false;
	context = document_find(root, "context");
	return document_uid(&reader, document_find(root, "principal"), &world->request.principal) &&
	       document_uid(&reader, document_find(root, "action"), &world->request.action) &&
	       document_uid(&reader, document_find(root, "resource"), &world->request.resource) &&
	       (context == NULL || (document_value(&reader, context, &world->request.context) &&
					   world->request.context.type == CEDAR_RECORD));
}

static bool is_erring(const struct world *world, size_t policy)
{
	for (size_t i = 0; i < world->answer.error_count; i++)
		if (world->answer.errors[i].policy == policy)
			return true;
	return false;
}

static bool is_reason(const struct world *world, size_t policy)
{
	for (size_t i = 0; i < world->answer.reason_count; i++)
		if (world->answer.reasons[i] == policy)
			return true;
	return false;
}

static void check_answer(const struct world *world)
{
	const struct cedar_answer *answer = &world->answer;
	enum cedar_effect effect = answer->decision == CEDAR_ALLOW ? CEDAR_PERMIT : CEDAR_FORBID;

	assert(answer->decision == CEDAR_DENY || answer->reason_count > 0);
	for (size_t i = 0; i < answer->reason_count; i++) {
		assert(cedar_policy_set_get(world->set, answer->reasons[i]).effect == effect);
		assert(!is_erring(world, answer->reasons[i]));
		assert(i == 0 || answer->reasons[i - 1] < answer->reasons[i]);
	}
}

/* What is told of one policy is what the answer says of it. */
static void check_told(const struct world *world, size_t policy, enum cedar_outcome outcome)
{
	enum cedar_effect effect = cedar_policy_set_get(world->set, policy).effect;
	bool counts = world->answer.decision == CEDAR_ALLOW || effect == CEDAR_FORBID;

	assert((outcome == CEDAR_OUTCOME_ERROR) == is_erring(world, policy));
	if (outcome != CEDAR_OUTCOME_SATISFIED)
		assert(!is_reason(world, policy));
	else if (counts)
		assert(is_reason(world, policy));
}

static void check_residual(const struct world *world, size_t policy)
{
	static const struct cedar_text names[] = {{"n", 1}, {"s", 1}};
	struct cedar_partial known = {&world->request.principal, &world->request.action,
		&world->request.resource, world->request.context, NULL, 0};
	struct cedar_partial open = {
		.action = &world->request.action, .unknowns = names, .unknown_count = 2};
	struct cedar_residual left;
	struct cedar_error err;

	if (cedar_policy_residual(
		    world->set, policy, world->entities, &known, world->arena, &left, &err)) {
		assert(left.kind != CEDAR_RESIDUAL_CONDITION);
		assert((left.kind == CEDAR_RESIDUAL_FAILED) == is_erring(world, policy));
		assert(left.kind == CEDAR_RESIDUAL_TRUE || !is_reason(world, policy));
	} else {
		assert(err.code == CEDAR_ERROR_LIMIT);
	}
	if (cedar_policy_residual(
		    world->set, policy, world->entities, &open, world->arena, &left, &err))
		assert((left.kind == CEDAR_RESIDUAL_CONDITION) == (left.text.length > 0));
	else
		assert(err.code == CEDAR_ERROR_LIMIT);
}

static void ignore_path(void *closure, const struct cedar_text *path, size_t count)
{
	(void)closure;
	assert(count == 0 || path != NULL);
}

static void check_policy(const struct world *world, size_t policy)
{
	struct cedar_explanation explanation;
	struct cedar_account account;
	struct cedar_error err;

	if (cedar_explain_policy(world->set, policy, world->entities, &world->request, world->arena,
		    &explanation, &err))
		check_told(world, policy, explanation.outcome);
	else
		assert(err.code == CEDAR_ERROR_LIMIT);
	if (cedar_account_policy(world->set, policy, world->entities, &world->request, world->arena,
		    &account, &err)) {
		check_told(world, policy, account.outcome);
		assert(account.part_count <= CEDAR_PARTS_MAX);
		assert(account.decisive <= account.part_count);
	} else {
		assert(err.code == CEDAR_ERROR_LIMIT);
	}
	check_residual(world, policy);
	cedar_policy_visit_context(world->set, policy, ignore_path, NULL);
	(void)cedar_policy_mentions(world->set, policy, NULL, 0);
	assert(cedar_check_monotone_use(world->set, policy, CEDAR_TEXT("s"), &err) ||
		err.text[0] != '\0');
}

/* Fails only for want of room. */
static bool read_back(
	struct cedar_policy_set **out, struct cedar_text json, struct cedar_error *err)
{
	struct cedar_naming naming = {.prefix = CEDAR_TEXT("one more ")};

	return cedar_policy_set_create(out, err) &&
	       cedar_policy_set_add_set_json(*out, json, err) &&
	       cedar_policy_set_add_text(*out,
		       CEDAR_TEXT("forbid(principal, action, resource) when { 1 };"), &naming,
		       err) &&
	       cedar_policy_set_seal(*out, err);
}

/* The set as JSON, and one policy more, that decides nothing. */
static void check_changed(struct world *world)
{
	struct cedar_text json = cedar_policy_set_format_json(world->set, world->arena);
	struct cedar_policy_set *again = NULL;
	struct cedar_answer answer;
	struct cedar_error err;

	if (json.data == NULL)
		return;
	if (!read_back(&again, json, &err) ||
		!cedar_authorize(
			again, world->entities, &world->request, world->arena, &answer, &err)) {
		assert(err.code == CEDAR_ERROR_LIMIT);
	} else {
		assert(answer.decision == world->answer.decision);
		assert(answer.reason_count == world->answer.reason_count);
		assert(answer.error_count == world->answer.error_count + 1);
	}
	cedar_policy_set_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = {.arena = NULL};
	struct cedar_text parts[PARTS];
	struct cedar_error err;

	if (!parts_cut(data, size, parts, PARTS))
		return 0;
	world.arena = cedar_arena_create(ROOM_BYTES);
	if (world.arena != NULL && cedar_policy_set_parse(&world.set, parts[0], NULL, &err) &&
		cedar_entities_create(&world.entities, &err) &&
		cedar_entities_add_json(world.entities, parts[1], &err) &&
		cedar_entities_seal(world.entities, &err) && read_request(&world, parts[2])) {
		if (cedar_authorize(world.set, world.entities, &world.request, world.arena,
			    &world.answer, &err)) {
			check_answer(&world);
			for (size_t i = 0; i < cedar_policy_set_count(world.set); i++)
				check_policy(&world, i);
			check_changed(&world);
		} else {
			assert(err.code == CEDAR_ERROR_LIMIT);
		}
	}
	cedar_entities_destroy(&world.entities);
	cedar_policy_set_destroy(&world.set);
	cedar_arena_destroy(&world.arena);
	return 0;
}

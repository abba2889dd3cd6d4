/* Laws of reading an AuthZEN body: what was read keeps to its bounds and types; a question
 * without defaults is read alike with itself as the defaults; an item that is a question
 * by itself takes none but the context from the defaults, and that only where it has none;
 * what is refused says which member.  Draft 00 reads
 * no more than 1.0 does, and each member beside as a property, so no fewer of them. */
#include <assert.h>
#include <stdint.h>

#include "edges/authzen/authzen_private.h"

enum { ROOM_BYTES = 1 << 26 };

static void check_entity(const struct application_entity *entity)
{
	assert(entity->type.length >= 1 && entity->type.length <= AUTHZEN_TYPE_BYTES_MAX);
	assert(entity->id.length >= 1 && entity->id.length <= AUTHZEN_ID_BYTES_MAX);
	assert(entity->properties == NULL || entity->properties->type == JSON_OBJECT);
}

static bool is_same(const struct application_question *a, const struct application_question *b)
{
	return text_equal(a->subject.id, b->subject.id) &&
	       text_equal(a->subject.type, b->subject.type) && text_equal(a->action, b->action) &&
	       text_equal(a->resource.id, b->resource.id) &&
	       text_equal(a->resource.type, b->resource.type) && a->context == b->context &&
	       a->action_properties == b->action_properties &&
	       a->subject.properties == b->subject.properties &&
	       a->resource.properties == b->resource.properties;
}

static void check_joined(const struct json *plain, const struct json *joined)
{
	uint32_t count = plain == NULL ? 0 : plain->count;

	assert(joined == plain || (joined->type == JSON_OBJECT && joined->count > count));
	for (uint32_t i = 0; i < count; i++)
		assert(json_equal(
			json_find_text(joined, plain->members[i].name), &plain->members[i].value));
}

/* As an item of a batch whose body has these defaults; NULL: of none. */
static bool read_item(struct application_question *out, const struct authzen_reader *reader,
	const struct json *item, const struct json *body, struct error *err)
{
	struct authzen_defaults defaults;

	if (body == NULL)
		return authzen_read_question(out, reader, item, NULL, err);
	authzen_read_defaults(&defaults, reader, body);
	return authzen_read_question(out, reader, item, &defaults, err);
}

/* Read as 1.0 it was this question, or none: then it is none as draft 00 either. */
static void check_draft(const struct application_question *plain, struct arena *arena,
	const struct json *item, const struct json *defaults)
{
	const struct authzen_reader reader = {APPLICATION_READS_DRAFT_00, arena};
	struct application_question question;
	struct error err = {0};

	if (!read_item(&question, &reader, item, defaults, &err)) {
		assert(err.code == ERROR_INVALID || err.code == ERROR_LIMIT);
		return;
	}
	assert(plain != NULL);
	assert(text_equal(plain->subject.id, question.subject.id));
	check_joined(plain->subject.properties, question.subject.properties);
	check_joined(plain->action_properties, question.action_properties);
	check_joined(plain->resource.properties, question.resource.properties);
}

/* A question by itself, read with defaults: the context is the only part it may lack. */
static void check_full(
	const struct application_question *question, struct arena *arena, const struct json *item)
{
	const struct authzen_reader reader = {APPLICATION_READS_1_0, arena};
	struct application_question alone, rest = *question;
	struct error err = {0};

	if (!authzen_read_question(&alone, &reader, item, NULL, &err))
		return;
	if (json_find(item, "context") == NULL)
		rest.context = NULL;
	assert(is_same(&alone, &rest));
}

static bool check(struct arena *arena, const struct json *item, const struct json *defaults)
{
	const struct authzen_reader reader = {APPLICATION_READS_1_0, arena};
	struct application_question question, again;
	struct error err = {0};

	if (!read_item(&question, &reader, item, defaults, &err)) {
		check_draft(NULL, arena, item, defaults);
		assert(err.code == ERROR_INVALID && err.text[0] != '\0');
		assert(authzen_status_of(&err) == 400 || authzen_status_of(&err) == 403);
		return false;
	}
	check_entity(&question.subject);
	check_entity(&question.resource);
	assert(question.action.length >= 1 && question.action.length <= AUTHZEN_TYPE_BYTES_MAX);
	assert(question.context == NULL || question.context->type == JSON_OBJECT);
	if (defaults == NULL) {
		assert(read_item(&again, &reader, item, item, &err));
		assert(is_same(&question, &again));
	}
	check_full(&question, arena, item);
	check_draft(&question, arena, item, defaults);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create(ROOM_BYTES);
	struct json_limits limits = {AUTHZEN_BODY_BYTES_MAX, json_limits_default.depth, 100000};
	const struct json *items;
	struct json body;
	struct error err;

	assert(arena != NULL);
	if (json_parse(&body, arena, (struct text){(const char *)data, size}, &limits, &err) &&
		body.type == JSON_OBJECT) {
		(void)check(arena, &body, NULL);
		items = json_find(&body, "evaluations");
		for (uint32_t i = 0; items != NULL && items->type == JSON_ARRAY && i < items->count;
			i++) {
			if (items->items[i].type != JSON_OBJECT)
				continue;
			if (check(arena, &items->items[i], NULL))
				assert(check(arena, &items->items[i], &body));
			else
				(void)check(arena, &items->items[i], &body);
		}
	}
	arena_destroy(&arena);
	return 0;
}

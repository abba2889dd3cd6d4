#ifndef TESTS_SUPPORT_DOCUMENTS_H
#define TESTS_SUPPORT_DOCUMENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/json.h"
#include "domain/charter/object.h"

/* Objects for tests, written as JSON with ' for ". */

static inline struct json document_of(struct arena *arena, const char *written)
{
	struct text text = text_copy(arena, text_of(written));
	struct json document;
	struct error err = {0};
	char *bytes = (char *)(uintptr_t)text.data;

	assert_non_null(bytes);
	for (size_t i = 0; i < text.length; i++)
		if (bytes[i] == '\'')
			bytes[i] = '"';
	if (!json_parse(&document, arena, text, &json_limits_default, &err))
		fail_msg("%s: %s", written, err.text);
	return document;
}

static inline struct problems *problems_of(struct arena *arena)
{
	struct problems *problems = arena_new(arena, struct problems);

	assert_non_null(problems);
	problems->arena = arena;
	return problems;
}

/* The object, which must parse. */
static inline struct object *object_of(struct arena *arena, const char *written)
{
	struct json document = document_of(arena, written);
	struct problems *problems = problems_of(arena);
	struct object *object = NULL;

	if (!object_parse(&object, &document, TEXT("test"), problems))
		fail_msg("%.*s: %.*s", TEXT_ARGS(problems->items[0].field),
			TEXT_ARGS(problems->items[0].what));
	return object;
}

static inline void drop_object(struct object *object)
{
	const struct object *held = object;

	object_release(&held);
}

#endif

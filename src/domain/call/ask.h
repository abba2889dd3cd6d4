#ifndef DOMAIN_CALL_ASK_H
#define DOMAIN_CALL_ASK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* The form of what a server asks of an agent's client, and of the client's answer: MCP
 * 2025-11-25, sampling/createMessage and elicitation/create.  What has another form is
 * not passed on, in either direction; members that MCP does not name are refused in a
 * request and left out of an answer, but those within a piece of content. */

enum {
	ASK_MESSAGES_MAX = 128,         /* of a sampling */
	ASK_BLOCKS_MAX = 64,            /* of one message */
	ASK_FIELDS_MAX = 32,            /* of a form */
	ASK_CHOICES_MAX = 256,          /* of one field */
	ASK_MESSAGE_BYTES_MAX = 4096,   /* what a person reads above a form */
	ASK_ANSWER_BYTES_MAX = 1 << 20, /* canonical */
};

/* What a client said at initialize that it can do. */
enum ask_ability {
	ASK_SAMPLING = 1,
	ASK_FORMS = 2,
	ASK_URLS = 4, /* it can have a person open one */
};
/* capabilities may be NULL.  A client that declares elicitation and no mode has forms. */
unsigned ask_abilities(const struct json *capabilities);

/* Whether params may be passed to a client of these abilities.  Errors: NOT_FOUND (it
 * cannot do that), INVALID (the form).  An error quotes nothing of params. */
bool ask_check(struct text method, const struct json *params, unsigned abilities,
	struct error *err) MUST_CHECK;

/* What the server may have of a client's result.  Of a form that was accepted, the
 * content must fit the schema that the server asked with; of one that was not, there is
 * none.  Borrows from result.  Errors: INVALID, LIMIT. */
struct ask_answer {
	struct text method;
	const struct json *params; /* that ask_check found fit */
	const struct json *result; /* the client's */
};
bool ask_answer_read(struct json *out, struct arena *arena, const struct ask_answer *answer,
	struct error *err) MUST_CHECK;

/* Likewise of its error: {code, message}.  Errors: LIMIT. */
bool ask_error_read(struct json *out, struct arena *arena, const struct json *error,
	struct error *err) MUST_CHECK;

#endif

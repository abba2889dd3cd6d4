#ifndef DOMAIN_APPLICATION_QUESTION_H
#define DOMAIN_APPLICATION_QUESTION_H

#include "domain/application/application.h"

/* One question as it is kept beside its record, so that it can be decided again
 * (docs/formats/authzen.md): {action, action_properties, context, resource: {id,
 * properties, type}, subject: {...}}; what was not given is not there. */

/* Borrows the question.  Errors: LIMIT. */
bool application_question_write(struct json *out, struct arena *arena,
	const struct application_question *question, struct error *err) MUST_CHECK;
/* Borrows json.  Errors: INVALID (not as it is written). */
bool application_question_read(
	struct application_question *out, const struct json *json, struct error *err) MUST_CHECK;

#endif

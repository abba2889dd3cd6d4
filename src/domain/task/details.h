#ifndef DOMAIN_TASK_DETAILS_H
#define DOMAIN_TASK_DETAILS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"

/* What a task may do where it may do less than its charter: the calls that the
 * authorization_details of its request list (RFC 9396), and no others.  They never give
 * anything.  docs/formats/authorization-details.md. */

#define TASK_DETAIL_TYPE "remit_tool"

enum {
	TASK_DETAILS_MAX = 16,            /* calls listed */
	TASK_DETAILS_BYTES_MAX = 2048,    /* of all in canonical form: tokens carry them */
	TASK_DETAIL_ARGUMENTS_MAX = 32,   /* names, of one call */
	TASK_DETAIL_VALUES_MAX = 32,      /* for one name */
	TASK_DETAIL_TOOL_BYTES_MAX = 512, /* "server/name" */
};

struct task_details;

/* Reads an array; it is copied.  Errors: INVALID (what is wrong with which), LIMIT. */
bool task_details_create(
	struct task_details **out, const struct json *array, struct error *err) MUST_CHECK;
/* The same of what a client sent.  Errors: INVALID, LIMIT. */
bool task_details_parse(struct task_details **out, struct text text, struct error *err) MUST_CHECK;
void task_details_destroy(struct task_details **details);

/* The array as it was read, and in canonical form; borrowed from details. */
const struct json *task_details_json(const struct task_details *details);
struct text task_details_text(const struct task_details *details);

/* Whether one of them lists this call: its tool, its effect if it names one, and, if it
 * names arguments, exactly these names, each with one of the values it has for it. */
struct task_detail_call {
	struct text tool;
	enum effect effect;
	const struct json *arguments;
};
bool task_details_cover(
	const struct task_details *details, const struct task_detail_call *call) MUST_CHECK;

/* The one call that they list; false unless it is exactly one: a tool with all its arguments,
 * each with one value.  Borrowed from details but for arguments, which live in arena. */
bool task_details_one_call(const struct task_details *details, struct arena *arena,
	struct text *tool, struct json *arguments) MUST_CHECK;

/* Whether each call that narrow lists is within one that wide lists. */
bool task_details_narrow(
	const struct task_details *narrow, const struct task_details *wide) MUST_CHECK;

#endif

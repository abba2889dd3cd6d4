#ifndef EDGES_CLI_REGISTER_H
#define EDGES_CLI_REGISTER_H

#include "edges/cli/command.h"

/* remit register: a use case, from questions to a proposed charter, without YAML.  Answers are a
 * JSON object, which is saved after each of them, so that whoever breaks off goes on there. */

enum {
	REGISTER_ANSWERS_MAX = 24,
	REGISTER_BYTES_MAX = 64 * 1024, /* of the saved answers */
	REGISTER_SHOWN_MAX = 40,        /* choices that are listed; others are typed */
	REGISTER_PAGES_MAX = 20,        /* of a list of choices, a thousand each */
};

/* One answer: a text, or a list of texts. */
struct register_answer {
	const char *member;
	struct json value;
};

struct registering {
	struct cli *cli;
	const char *path; /* of the saved answers; NULL: none are kept */
	bool is_asking;   /* there is a terminal */
	struct text person;
	int64_t now_utc_s;
	struct register_answer answers[REGISTER_ANSWERS_MAX];
	size_t answers_count;
	struct text etag; /* of the registry, as the preview saw it */
	uint32_t asked;   /* questions that were put to the person */
	int status;       /* of the command, once something failed */
	/* What is registered, fetched once; JSON_NULL: not yet. */
	struct json persons, units, tools, sources, servers;
};

/* ---- answers ---- */

const struct json *register_answer(const struct registering *registering, const char *member);
/* Of a text; empty: there is none. */
struct text register_text(const struct registering *registering, const char *member);
/* False: there is no memory, and the user was told. */
bool register_put(struct registering *registering, const char *member, struct json value);
/* Reads what is at path, if anything is; writes it there anew. */
bool register_load(struct registering *registering);
bool register_save(struct registering *registering);

/* ---- what is registered (register_lists.c) ---- */

/* An array of objects as they are listed.  False: the user was told. */
bool register_list(struct registering *registering, const char *collection, struct json *kept);
/* The object of that name; NULL: none. */
const struct json *register_find(const struct json *list, struct text name);
bool register_has_text(const struct json *list, struct text value);

/* ---- questions (register_questions.c) ---- */

extern const size_t register_questions_count;
/* Asks, or takes the answer that is there, or the default; false: status says why. */
bool register_ask_all(struct registering *registering);
/* Asks the question of that number of the table again. */
bool register_ask_again(struct registering *registering, size_t number);
/* The answers with their numbers, on standard error. */
void register_show(const struct registering *registering);

/* ---- the charter (register_charter.c) ---- */

/* Of the answers.  False: the user was told. */
bool register_charter(struct registering *registering, struct json *out);
/* What it would be allowed, and who has to agree; true where nothing stands in the way. */
bool register_preview(
	struct registering *registering, const struct json *charter, struct json *out_body);

#endif

#ifndef DOMAIN_CHARTER_FORM_H
#define DOMAIN_CHARTER_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "domain/charter/place.h"
#include "domain/charter/problem.h"

/* How a document becomes a struct: a shape is a table of fields, a field has a
 * form, and a form knows how to read one value.  So what an object may say is
 * data (object.c), and what is wrong with a value is said in one place. */

/* Where a value is, kept on the stack and written out only for a problem. */
struct form_path {
	const struct form_path *up;
	struct text name; /* of a member; empty: an item */
	uint32_t index;   /* of an item */
};

struct form_reader {
	struct arena *arena; /* of the object that is being read */
	struct problems *problems;
	struct text file;
	struct text title; /* "identity support-summariser" */
	/* The document was read before, and its texts live as long as what is read: texts are
	 * borrowed, and conditions not parsed once more. */
	bool is_known;
};

struct form;

/* Reads value into target, or says why not.  The returned bool is only whether
 * target was filled. */
typedef bool form_read(struct form_reader *reader, const struct form *form,
	const struct json *value, const struct form_path *path, void *target);

/* A closed vocabulary. */
struct form_words {
	const char *what; /* "a sensitivity" */
	unsigned (*value_of)(struct text word);
	const char *const *words; /* NULL-terminated, for messages */
};

struct form {
	form_read *read;
	size_t bytes_max;    /* texts */
	int64_t least, most; /* numbers and durations; lists: items */
	const struct form_words *words;
	const struct form_shape *shape; /* of the value, or of each item */
	const struct form *item;        /* of each item of a list of values */
	size_t item_size;
};

enum form_need { FORM_OPTIONAL = 0, FORM_REQUIRED };

struct form_field {
	const char *name;
	enum form_need need;
	const struct form *form;
	size_t offset;       /* in the body */
	size_t count_offset; /* lists: of their uint32_t count */
	const char *hint;    /* what to write when it is missing */
};

struct form_shape {
	const struct form_field *fields;
	size_t fields_count;
	size_t size; /* of the body */
	/* Runs after the fields, whatever they were: checks what no single field
	 * can tell and fills what follows from them.  May be NULL. */
	void (*finish)(struct form_reader *reader, const struct json *value,
		const struct form_path *path, void *body);
};

/* Reads an object of the shape into body (zeroed by the caller).  Unknown
 * members, missing members and bad values are all reported. */
bool form_read_shape(struct form_reader *reader, const struct form_shape *shape,
	const struct json *value, const struct form_path *path, void *body);

/* Reports a problem at value. */
void form_problem(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *remedy, const char *what, ...) PRINTF_LIKE(5, 6);

/* Reports what is wrong in the text that value is, with the line of the file and an excerpt where
 * cause has a place, else with the remedy. */
void form_problem_in_text(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *remedy, const struct error *cause);

/* The same of a stretch of the text, length bytes at its line and column, both from 1; line 0: of
 * all of it. */
struct form_stretch {
	uint32_t line, column, length;
};
void form_problem_at(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const char *remedy, struct form_stretch at, struct text what);

/* Readers: the target's type is in brackets. */
form_read form_read_line;       /* [struct text] one line, 1 to bytes_max bytes, no control */
form_read form_read_paragraphs; /* [struct text] as a line, with newline and tab */
form_read form_read_name;       /* [struct text] name_is_plain */
form_read form_read_model;      /* [struct text] name_is_model */
form_read form_read_person;     /* [struct text] name_is_person */
form_read form_read_tool;       /* [struct text] "server/name" */
form_read form_read_policy;     /* [struct text] "org/name" or "UNIT/name" */
form_read form_read_approval;   /* [struct text] a name of context.approvals */
form_read form_read_output;     /* [struct text] "reply", "name@host", "server/tool" ... */
form_read form_read_word;       /* [an enum] */
form_read form_read_bits;       /* [uint32_t] list of words, as bits 1 << value */
form_read form_read_boolean;    /* [bool] */
form_read form_read_integer;    /* [int64_t] */
form_read form_read_duration;   /* [int64_t] seconds, from "90d" */
form_read form_read_time;       /* [int64_t] UTC seconds, from "2027-06-30" */
form_read form_read_condition;  /* [struct text] a Cedar expression */
form_read form_read_argument_condition; /* [struct text] the same, without approvals */
form_read form_read_guardrail;          /* [struct text] Cedar policies, forbid only */
form_read form_read_key;                /* [struct json] a public JWK */
form_read form_read_values;             /* [struct json] a list of objects, as it is */
form_read form_read_object;             /* [struct json] an object of at most bytes_max, as it is */
form_read form_read_digest;             /* [struct sha256] */
form_read form_read_place;              /* [struct text] place_is_wellformed */
form_read form_read_glob;        /* [struct text] of a URI or name; "*" stands for anything */
form_read form_read_account;     /* [struct text] name_is_account */
form_read form_read_reach;       /* [struct text] "server/glob", of tools or models */
form_read form_read_target_glob; /* [struct text] of a target; a URL's host is whole */
form_read form_read_url;         /* [struct text] http or https, no user, no fragment */
form_read form_read_credential;  /* [struct text] credential_parse */
form_read form_read_nothing;     /* [nothing] a text that is looked at elsewhere */
form_read form_read_part;        /* [the same body] a shape whose fields lie in the outer body */
form_read form_read_list;        /* [item *, count at count_offset]; see form_read_shape */

/* Grammar of names.  plain: 1 to 64 of a-z 0-9 - . _, starting with a letter or
 * digit.  person: 1 to 254 of letters, digits and @ . _ + -, starting with a
 * letter or digit.  tool: plain, "/", and 1 to 128 of letters, digits and _ - .
 * policy: plain, "/", plain. */
bool name_is_plain(struct text name);
bool name_is_person(struct text name);
bool name_is_tool(struct text name);
bool name_is_policy(struct text name);
/* "small-1", "vendor/large:2"; and "PROVIDER/small-1". */
bool name_is_model(struct text name);
bool name_is_provider_model(struct text name);
/* owner, backup-owner, second, role/ROLE, data-owner/UNIT or unit/UNIT. */
bool name_is_approval(struct text name);

/* What a connector's inventory calls something: the connector's plain name, "/", and 1 to 384
 * bytes that can be seen. */
bool name_is_account(struct text name);

/* What is wrong with a public P-256 JWK, or NULL if nothing is. */
const char *key_fault(const struct json *key);

/* "2027-06-30" is its first second UTC; "2027-06-30T12:00:00Z" is itself.  Years
 * 1970 to 9999, real days only. */
bool time_of_text(struct text t, int64_t *out_utc_s) MUST_CHECK;

#endif

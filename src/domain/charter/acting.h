#ifndef DOMAIN_CHARTER_ACTING_H
#define DOMAIN_CHARTER_ACTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "domain/charter/terms.h"

/* For whom an identity may act once they consent, and where their browser may be sent with the
 * code (docs/code-grant.md).  Plain data of a charter. */

struct charter;
struct person;
struct form;
struct form_reader;
struct form_path;
struct json;

enum {
	ACTING_PEOPLE_MAX = 64,
	ACTING_REDIRECTS_MAX = 16,
	ACTING_REDIRECT_BYTES_MAX = 512,
	ACTING_REFRESH_S_MIN = 60,
	ACTING_REFRESH_S_MAX = 86400, /* as the longest task */
};

struct charter_acting {
	const struct text *people; /* "person:NAME", "unit:NAME" */
	uint32_t people_count;     /* 0: it acts for nobody */
	const struct text *redirects;
	uint32_t redirects_count;
	enum environment environment; /* of the tasks that are opened so */
	int64_t refresh_s;            /* how long one may be refreshed; 0: not at all */
};

/* Whether it may act for the person, by its charter; person NULL: nobody. */
bool charter_acts_for(const struct charter *charter, const struct person *person);
/* Has no way to prove itself: whoever names it could be it (RFC 6749 §2.1). */
bool charter_is_public(const struct charter *charter);

/* https, or http on this machine (RFC 8252 §7.3), without a user, a fragment or a wildcard. */
bool redirect_is_wellformed(struct text uri);
/* Exactly one that is registered; on this machine any port will do. */
bool charter_has_redirect(const struct charter *charter, struct text uri);

/* For the tables of object.c: fields of a charter's `acts-for`, and what they must be together. */
extern const struct form acts_for_form;
void acting_check(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter);

#endif

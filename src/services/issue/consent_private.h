#ifndef SERVICES_ISSUE_CONSENT_PRIVATE_H
#define SERVICES_ISSUE_CONSENT_PRIVATE_H

#include "services/issue/consent.h"
#include "services/issue/issue_private.h"

/* One wish at the authorization endpoint, until its code is forgotten. */
struct consent {
	char id[RANDOM_ID_BYTES];
	char typed[ISSUE_CONSENT_CODE_BYTES];
	unsigned number;
	struct sha256 secret; /* of the browser */
	enum issue_consent_state state;
	bool is_answering; /* its record is on its way */
	int64_t until_utc_s;
	int64_t forget_utc_s;
	struct arena *arena; /* of the texts */
	struct text client;
	struct text redirect;
	struct text resource;
	struct text details;
	struct text purpose;
	struct text state_given;
	struct text challenge;
	struct text key;
	struct text person; /* who said yes */
	struct text signer; /* kid of the key that signed it */
	uint64_t record;    /* of that */
	struct sha256 code; /* once there is one, as has_code says */
	bool has_code;
	bool is_spent;
	bool is_reused; /* shown again after that: what it gave ends */
	int64_t code_until_utc_s;
	char task[RANDOM_ID_BYTES]; /* that it gives; empty: none yet */
	struct consent *next;
};

/* consent.c. */
struct consent *issue_consent_find(const struct issue *issue, struct text id);
struct consent *issue_consent_of_code(const struct issue *issue, struct text code);

/* consent_answer.c.  Whether the person has the key, and nobody has ended it: that it ended by
 * itself since takes back nothing that it signed. */
bool issue_consent_has_key(const struct issue *issue, struct text person, struct text key);

#endif

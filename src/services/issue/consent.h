#ifndef SERVICES_ISSUE_CONSENT_H
#define SERVICES_ISSUE_CONSENT_H

#include "base/random.h"
#include "services/issue/issue.h"

/* Asking a person whether an identity may act for them: the authorization endpoint (RFC 6749
 * §4.1, with PKCE, RFC 7636) without its HTTP.  The person answers with a request that their key
 * signed, and the browser that asked, which alone has the secret, is given the code.  Each code
 * asks; no answer is remembered for the next.
 *
 *   begin ─▶ a person looks (show) ─▶ answers (answer): on record ─▶ browser looks: code
 *         ─▶ issue_open_task with the code: the task, once
 *
 * What waits is in the memory of one process: a restart forgets it, and the client asks again. */

enum {
	ISSUE_CONSENTS_MAX = 1024, /* that wait, or whose code is remembered */
	ISSUE_CONSENTS_PER_IDENTITY_MAX = 64,
	ISSUE_CONSENT_WAIT_S = 600, /* for the person */
	ISSUE_CODE_S = 60,
	ISSUE_CODE_KEEP_S = 600, /* in which a second use of a code is known as one */
	ISSUE_CONSENT_SECRET_BYTES = 44,
	ISSUE_CONSENT_CODE_LETTERS = 8, /* of what is typed, 20^8; with a dash in between */
	ISSUE_CONSENT_CODE_BYTES = 10,
	ISSUE_CHALLENGE_BYTES = 43, /* base64url of SHA-256: S256 alone */
	ISSUE_VERIFIER_BYTES_MIN = 43,
	ISSUE_VERIFIER_BYTES_MAX = 128,
	ISSUE_STATE_BYTES_MAX = 2048,
};

/* What a client asks for, as its browser brought it.  Borrowed. */
struct issue_asked {
	struct text client;
	struct text redirect;
	struct text resource;
	struct text scope;
	struct text details;
	struct text purpose;   /* the client's own words, for the person and the record */
	struct text state;     /* given back as it is */
	struct text challenge; /* S256 */
	struct text key;       /* dpop_jkt (RFC 9449 §10); or empty */
};

/* The page of one wish, and what its browser alone knows. */
struct issue_consent_begun {
	char id[RANDOM_ID_BYTES];
	char secret[ISSUE_CONSENT_SECRET_BYTES];
};

/* Whether a browser may be sent there at all: an identity that acts for people has registered
 * the address.  False tells nobody what is missing. */
bool issue_knows_redirect(const struct issue *issue, struct text client, struct text redirect);
/* After that.  GRANTED: it waits for a person.  Else why not, and detail (ERROR_TEXT_BYTES) the
 * sentence. */
enum issue_refusal issue_consent_begin(struct issue *issue, const struct issue_asked *asked,
	struct issue_consent_begun *out, char *detail);

enum issue_consent_state {
	ISSUE_CONSENT_GONE = 0, /* unknown, or another browser's */
	ISSUE_CONSENT_WAITS,
	ISSUE_CONSENT_YES, /* this once: code is filled */
	ISSUE_CONSENT_NO,
	ISSUE_CONSENT_OVER, /* nobody answered in time */
	ISSUE_CONSENT_DONE, /* the browser had its answer before */
};

/* What the browser's page shows.  Texts are good until the loop's next turn. */
struct issue_consent_view {
	enum issue_consent_state state;
	struct text client;
	struct text resource;
	struct text details;
	struct text purpose;
	struct text redirect;
	struct text state_given;
	struct text code_to_type;
	unsigned number;   /* 10 to 99, which the person types, too */
	int64_t task_s;    /* how long it would act */
	int64_t refresh_s; /* with refreshing; 0: it cannot */
	int64_t expires_utc_s;
	char code[ISSUE_CONSENT_SECRET_BYTES]; /* YES: clear it */
};
void issue_consent_look(
	struct issue *issue, struct text id, struct text secret, struct issue_consent_view *out);

/* ---- the person; context is the struct issue: they fill struct api_consents ---- */

/* What the person would consent to, in arena.  Errors: NOT_FOUND (there is none, it is answered,
 * or it would not act for this person), LIMIT. */
bool issue_consent_show(void *context, struct text code, struct text person, struct arena *arena,
	struct json *out, struct error *err);

struct issue_consent_answer {
	struct text code;
	struct text person;
	struct text answer;    /* "yes" or "no" */
	int64_t number;        /* of the page; of a yes */
	struct text signature; /* what the person signed */
	struct text key;       /* kid of the key that signed it */
	void *context;
	void (*done)(void *context, uint64_t index, const struct error *err);
};
/* Puts the answer on record; done runs on the loop.  A wrong number ends it: the person may be
 * looking at another page than the one that asks.  Errors: NOT_FOUND, INVALID (also "forbidden: "),
 * CONFLICT (answered meanwhile, or the number), LIMIT, IO. */
bool issue_consent_answer(
	void *context, const struct issue_consent_answer *answer, struct error *err);

#endif

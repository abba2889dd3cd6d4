#ifndef SERVICES_DETECT_DETECTOR_H
#define SERVICES_DETECT_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/seal.h"
#include "base/text.h"
#include "domain/secret/redact.h"
#include "domain/secret/strand.h"

/* The detector: knows by fingerprint every secret that remit issues or injects, finds them
 * and the credentials of others in what passes, and takes them out.  Loop's thread but for
 * detector_sees.  Secrets themselves are never kept. */
struct detector;

enum {
	DETECTOR_CREDENTIALS_MAX = 2048, /* of servers and providers, replaced ones included */
	DETECTOR_TOKENS_MAX = 4096,      /* and codes; beyond it the first to end is forgotten */
	DETECTOR_NAME_BYTES_MAX = 600,
	DETECTOR_ID_BYTES = 20, /* "f-", 16 digits, NUL */
};

/* What becomes of a result that holds a secret. */
enum secret_handling { SECRETS_BLOCKED = 0, SECRETS_REDACTED, SECRETS_PASSED };

/* Where a secret was seen. */
enum secret_place { SECRET_IN_ARGUMENTS = 0, SECRET_IN_RESULT, SECRET_IN_NOTICE, SECRET_IN_LOG };
/* "arguments", "result", "notice", "log". */
const char *secret_place_word(enum secret_place place);

/* One secret that was seen, for whoever opens findings (kind `secret-seen`).  Texts are
 * borrowed. */
struct secret_sighting {
	enum secret_kind kind;
	struct text subject;     /* OWN: the credential's reference, or "token" or "code";
				  * FOREIGN: the form's word */
	struct text fingerprint; /* OWN: "f-..."; FOREIGN: empty */
	enum secret_place place;
	struct text identity, task, tool; /* whose call it was; empty in the log */
};
/* A port, which main fills; without one nothing is told. */
struct secret_sightings {
	void *context;
	void (*seen)(void *context, const struct secret_sighting *sighting);
};

struct detector_settings {
	const char *folder;            /* DIR/keys; NULL: nothing is kept on disk */
	const struct seal_key *master; /* copied */
	int64_t kept_ms;          /* a credential is looked for so long after it was replaced */
	enum secret_handling own; /* in results; PASSED counts as REDACTED */
	enum secret_handling foreign;
	struct secret_sightings sightings;
	int64_t (*wall_utc_ms)(void *context); /* NULL: the system's clock */
	void *clock_context;
};

/* Reads what is known from DIR/keys/fingerprints (docs/formats/fingerprints.md); a file
 * that cannot be read is lost: detector_was_lost, and what is learned from now on is known.
 * Errors: LIMIT, IO (the folder). */
bool detector_open(struct detector **out, const struct detector_settings *settings,
	struct error *err) MUST_CHECK;
/* Keeps what is known, tokens included.  *detector may be NULL. */
void detector_close(struct detector **detector);
bool detector_was_lost(const struct detector *detector);
/* From now on. */
void detector_handle(
	struct detector *detector, enum secret_handling own, enum secret_handling foreign);

/* ---- what is secret ---- */

/* The value of a credential, by its reference, whenever it is read: what is known already
 * costs one keyed digest.  Another value than before replaces that one.  A value with no
 * fingerprint (too short) is said in the log once.  One that is new is kept on disk before
 * this returns. */
void detector_learn_credential(struct detector *detector, struct text reference, struct text value);
/* The credential is no longer there. */
void detector_drop_credential(struct detector *detector, struct text reference);
/* A token or a code, until it ends; kept on disk by detector_close alone. */
void detector_learn_token(struct detector *detector, struct text token, int64_t ends_utc_ms);
void detector_learn_code(struct detector *detector, struct text code, int64_t ends_utc_ms);

/* Forgets what has ended and tells what was seen in the log; every few seconds. */
void detector_tick(struct detector *detector);

/* ---- looking ---- */

/* Adds what stands in value to the tally.  Allocates nothing. */
void detector_count(
	struct detector *detector, const struct json *value, struct secret_tally *tally);

/* What the agent may have of a value that a server sent.  PASSED: the value itself is *out.
 * REDACTED: *out is without the secrets, in arena.  BLOCKED: nothing of it. */
enum secret_handling detector_pass(struct detector *detector, struct arena *arena,
	const struct json *value, struct secret_tally *tally, struct json *out);
/* A text that an agent is to read, without its secrets, own and foreign. */
struct text detector_pass_text(struct detector *detector, struct arena *arena, struct text text,
	struct secret_tally *tally);

/* Adds to the tally each secret of remit's own that the next piece of a text completes.
 * Errors: LIMIT (no memory). */
bool detector_follow(struct detector *detector, struct secret_strand *strand, struct text piece,
	struct secret_tally *tally, struct error *err) MUST_CHECK;

/* True if the text holds a secret; remembers that it was about to be logged.  Any thread. */
bool detector_sees(struct detector *detector, struct text text);

/* The name of a fingerprint of the tally: "f-..." */
void detector_id(const struct detector *detector, uint32_t own, char out[DETECTOR_ID_BYTES]);

/* Whose call a tally is of. */
struct secret_scene {
	enum secret_place place;
	struct text identity, task, tool;
};
/* Tells the port of each secret of the tally. */
void detector_report(struct detector *detector, const struct secret_tally *tally,
	const struct secret_scene *scene);

/* For metrics. */
struct detector_figures {
	size_t credentials, tokens; /* known */
	uint64_t own, foreign;      /* secrets reported */
	uint64_t logged;            /* values kept out of the log */
};
struct detector_figures detector_figures(const struct detector *detector);

#endif

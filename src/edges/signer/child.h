#ifndef EDGES_SIGNER_CHILD_H
#define EDGES_SIGNER_CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/text.h"
#include "services/issue/card_signer.h"
#include "services/issue/identity_signer.h"
#include "services/issue/token_signer.h"
#include "services/record/signer.h"

/* The signer in a process of its own, for the process that asks it.  Loop's thread, but the
 * port of checkpoints, which is the log writer's. */
struct signer_child;

enum {
	SIGNER_IN_FLIGHT_MAX = 1024, /* questions on their way at once */
	SIGNER_START_MS = 10000,     /* until it greets, and for what it writes to the disk */
	SIGNER_ANSWER_MS = 5000,     /* a question about tokens; then it is taken for stuck */
	SIGNER_HEAD_MS = 30000,      /* a head, which waits for the disk */
	SIGNER_RESTARTS_MAX = 5,     /* in a row */
	SIGNER_BACKOFF_MS = 100,     /* before the first of them; doubled for each */
	SIGNER_STEADY_MS = 60000,    /* a run this long begins a new row */
	SIGNER_ARGUMENTS_MAX = 8,
};

/* All borrowed until it is stopped. */
struct signer_child_settings {
	const char *program;
	const char *const *arguments; /* NULL-terminated; [0] is its name; the list is copied */
	struct loop *loop;
	int64_t backoff_ms; /* 0: SIGNER_BACKOFF_MS */
	int64_t answer_ms;  /* 0: SIGNER_ANSWER_MS */
	void *context;
	/* It ended too often in a row and is not started again. */
	void (*on_lost)(void *context);
};

/* Starts it and hears its keys; waits for that.  Errors: as signer_open says them, IO,
 * TIMEOUT, LIMIT. */
bool signer_child_start(struct signer_child **out, const struct signer_child_settings *settings,
	struct error *err) MUST_CHECK;
/* Nobody is told of the answers to what is on its way; before those who asked go.  child may
 * be NULL. */
void signer_child_forget(struct signer_child *child);
/* After the last use of its ports, and the loop's last turn.  *handle may be NULL. */
void signer_child_stop(struct signer_child **handle);

/* As signer_set_issuer, also for those started later; waits for the answer.  Errors: CONFLICT,
 * INVALID, IO, TIMEOUT, LIMIT. */
bool signer_child_set_issuer(
	struct signer_child *child, struct text issuer, struct error *err) MUST_CHECK;

struct token_signer signer_child_tokens(struct signer_child *child);
/* From the thread of token messages. */
struct card_signer signer_child_cards(struct signer_child *child);
struct identity_signer signer_child_identities(struct signer_child *child);
struct checkpoint_signer signer_child_checkpoints(struct signer_child *child);
/* For the genesis record; lives as long as the child. */
struct text signer_child_public_keys(const struct signer_child *child);

struct signer_child_status {
	bool is_ready;
	uint32_t in_flight;
	uint64_t ended;  /* how often it ended by itself */
	int64_t process; /* its number; 0 while there is none */
};
void signer_child_status(const struct signer_child *child, struct signer_child_status *out);

#endif

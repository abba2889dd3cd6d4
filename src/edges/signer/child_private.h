#ifndef EDGES_SIGNER_CHILD_PRIVATE_H
#define EDGES_SIGNER_CHILD_PRIVATE_H

#include <pthread.h>
#include <sys/types.h>

#include "base/private_key.h"
#include "edges/signer/child.h"
#include "edges/signer/message.h"

/* Shared by the files of struct signer_child. */

enum {
	CHILD_ISSUER_BYTES_MAX = 256,
	CHILD_KEYS_BYTES_MAX = 4 * 1024,
	CHILD_ARENA_BYTES_MAX = 256 * 1024,
	CHILD_QUEUE_BYTES_MAX = 1024 * 1024, /* packets that its socket has no room for */
};

enum child_state {
	CHILD_DOWN = 0, /* none runs, or it is being ended */
	CHILD_STARTING, /* it runs and has not told its keys, or not heard the issuer */
	CHILD_READY,
};

/* One question on its way.  They are answered in their order. */
struct flight {
	enum message_type type;
	uint32_t number;
	struct token_signing *signing; /* NULL: our own question */
	int64_t asked_ms;
};

/* Our end of the channel of heads.  The lock is held for one question and its answer. */
struct child_heads {
	pthread_mutex_t lock;
	int fd; /* -1: there is none */
	uint32_t number;
};

struct signer_child {
	struct signer_child_settings settings;
	const char *arguments[SIGNER_ARGUMENTS_MAX + 1];
	enum child_state state;
	pid_t pid;
	struct loop_watch ended;  /* pidfd */
	struct loop_watch tokens; /* our end of the channel */
	struct loop_timer restart;
	struct loop_timer overdue;
	struct loop_post flush;
	bool is_flush_due;
	bool is_blocked; /* its socket is full */
	bool is_greeted;
	uint32_t number;
	struct flight flights[SIGNER_IN_FLIGHT_MAX]; /* a ring */
	uint32_t flights_first;
	uint32_t flights_count;
	struct buffer queue; /* length (2 bytes) and packet, again and again */
	size_t queue_sent;
	struct buffer packet; /* the one that is being made */
	struct arena *scratch;
	char issuer[CHILD_ISSUER_BYTES_MAX];
	/* What it told at first, and must tell again. */
	struct text public_keys; /* in keys_text */
	char keys_text[CHILD_KEYS_BYTES_MAX];
	struct public_key *token_key;
	struct note_key note_key;
	/* How it fares. */
	int64_t started_ms;
	uint32_t restarts; /* in this row */
	uint64_t ended_count;
	struct child_heads heads;
};

/* ---- child.c ---- */

/* It does not do as it should: ends it; its end is heard later. */
void child_end(struct signer_child *child, const char *why);
/* What it told when greeted.  Errors: CORRUPT, LIMIT. */
bool child_take_keys(struct signer_child *child, struct text payload, struct error *err) MUST_CHECK;

/* ---- child_tokens.c ---- */

void child_tokens_init(struct signer_child *child);
/* fd is watched from here on.  Errors: IO, LIMIT. */
bool child_tokens_open(struct signer_child *child, int fd, struct error *err) MUST_CHECK;
/* Closes the channel and answers all that is on its way by no. */
void child_tokens_close(struct signer_child *child, const char *why);
void child_tokens_deinit(struct signer_child *child);
/* A question of our own.  Errors: LIMIT. */
bool child_ask(struct signer_child *child, enum message_type type, struct text payload,
	struct error *err) MUST_CHECK;

/* ---- child_heads.c ---- */

void child_heads_init(struct child_heads *heads);
/* Takes fd over; -1: there is none any more. */
void child_heads_change(struct child_heads *heads, int fd);

#endif

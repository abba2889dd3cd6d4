#ifndef SERVICES_DETECT_DETECTOR_PRIVATE_H
#define SERVICES_DETECT_DETECTOR_PRIVATE_H

#include <pthread.h>

#include "domain/charter/name_table.h"
#include "domain/secret/fingerprint.h"
#include "services/detect/detector.h"

/* Private to services/detect. */

enum { KNOWN_MAX = DETECTOR_CREDENTIALS_MAX + DETECTOR_TOKENS_MAX };

enum known_sort { KNOWN_CREDENTIAL = 1, KNOWN_TOKEN, KNOWN_CODE };

/* One secret. */
struct known {
	enum known_sort sort;
	int64_t ends_utc_ms; /* INT64_MAX: while it is in use */
	bool is_seen_in_log; /* and not told yet; under the lock */
	struct fingerprint fingerprint;
	struct siphash digest; /* of the value itself */
	uint32_t owner;        /* its place in `known` */
	uint32_t end_at;       /* of tokens and codes: its place in `ends` */
	size_t name_length;
	char name[]; /* a reference; of tokens and codes what they are */
};

/* Tokens and codes; the first to end is items[0]. */
struct known_ends {
	struct known *items[DETECTOR_TOKENS_MAX];
	uint32_t count;
};

struct detector {
	struct detector_settings settings;
	struct seal_key master;
	int folder_fd; /* -1: nothing is kept */
	struct fingerprint_key key;
	bool was_lost;
	struct secret_scratch *scratch;
	struct name_table *in_use; /* known_key -> struct known */
	struct detector_figures figures;
	/* The loop's thread alone changes these, under the lock; others read them under it. */
	pthread_mutex_t lock;
	struct fingerprint_index *index;
	struct known *known[KNOWN_MAX]; /* by owner; NULL: free */
	uint32_t next;                  /* where a free place is looked for */
	struct known_ends ends;         /* the loop's thread's alone */
	struct secret_scratch *log_scratch;
	uint64_t logged;
	unsigned foreign_logged; /* not told yet */
};

/* detector.c */

int64_t detector_now_utc_ms(const struct detector *detector);
/* What it is found by in `in_use`; empty for a credential that was replaced.  Points into
 * known or room. */
enum { KNOWN_KEY_BYTES = 1 + sizeof(struct siphash) };
struct text known_key(const struct known *known, char room[KNOWN_KEY_BYTES]);
/* Takes *known; it is looked for from now on.  Errors: LIMIT. */
bool detector_add(struct detector *detector, struct known **known, struct error *err) MUST_CHECK;
struct known *known_create(enum known_sort sort, struct text name);

/* detector_ends.c */

/* There is room: make_room saw to it. */
void known_ends_put(struct known_ends *ends, struct known *known);
void known_ends_remove(struct known_ends *ends, const struct known *known);

/* detector_file.c */

/* Fills key and what is known from the file.  False: there is none, or it cannot be read;
 * then nothing was filled.  Errors: NOT_FOUND, IO, CORRUPT, LIMIT. */
bool detector_load(struct detector *detector, struct error *err) MUST_CHECK;
/* Errors: IO, LIMIT. */
bool detector_save(struct detector *detector, struct error *err) MUST_CHECK;

#endif

#ifndef SERVICES_OUTBOUND_OUTBOUND_PRIVATE_H
#define SERVICES_OUTBOUND_OUTBOUND_PRIVATE_H

#include "base/digest.h"
#include "base/random.h"
#include "services/outbound/outbound.h"

/* Shared inside services/outbound. */

enum { NAME_BYTES = 65, ISSUER_BYTES = 256 };

/* SETTLING: those who waited are being told. */
enum entry_state {
	ENTRY_IDLE = 0,
	ENTRY_SIGNING,
	ENTRY_ASKING,
	ENTRY_RECORDING,
	ENTRY_SETTLING,
};

struct provider_token {
	size_t size; /* 0: none */
	char bytes[STS_TOKEN_BYTES_MAX];
};

struct outbound_entry {
	struct outbound *outbound; /* NULL: never used */
	char server[NAME_BYTES];
	char identity[NAME_BYTES];   /* empty: of the server */
	char task[RANDOM_ID_BYTES];  /* empty: of no task alone */
	char asker[RANDOM_ID_BYTES]; /* the task whose call asked; empty: none did */
	enum environment environment;
	struct sha256 terms; /* of the server's document */
	enum entry_state state;
	struct outbound_wait *waits, **last;
	struct token_signing signing;
	struct outbound_asking asking;
	struct fold_change change;
	struct arena *arena; /* of its record */
	struct loop_post settle;
	int64_t asked_ms, asked_utc_ms;
	int64_t lifetime_ms, end_ms, end_utc_ms; /* of token */
	int64_t next_lifetime_ms;
	int64_t exchanged_utc_ms;
	int64_t again_ms, backoff_ms; /* after a failure: not before */
	bool has_failed;
	struct error failure;
	struct loop_timer end;
	struct provider_token token;
	struct provider_token next; /* until its record is durable */
};

struct outbound {
	struct outbound_parts parts;
	char issuer[ISSUER_BYTES];
	struct loop_timer look;
	struct loop_post look_post;
	bool is_look_posted;
	struct outbound_entry entries[OUTBOUND_ENTRIES_MAX];
};

/* ---- outbound.c ---- */

int64_t outbound_now_ms(const struct outbound *outbound);
int64_t outbound_now_utc_ms(const struct outbound *outbound);
/* The server's exchange in force, and which document says so; NULL: it has none. */
const struct outbound_exchange *outbound_terms(
	const struct outbound *outbound, struct text server, struct sha256 *out_digest);
/* Whether what the token is for lasts. */
bool entry_is_live(const struct outbound_entry *entry);

/* ---- outbound_entry.c: one exchange ---- */

bool entry_has_token(const struct outbound_entry *entry);
void entry_drop_token(struct outbound_entry *entry);
/* The entry is IDLE.  What fails is told to those who wait, later. */
void entry_start(struct outbound_entry *entry);
/* Nobody is told any more. */
void entry_clear(struct outbound_entry *entry);

#endif

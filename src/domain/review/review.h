#ifndef DOMAIN_REVIEW_REVIEW_H
#define DOMAIN_REVIEW_REVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/narrow.h"

/* What an access review is about, and what follows from what was seen: pure functions of the
 * evidence.  A review is a frozen list of items; an item is one line of a charter, or something
 * at a provider, that gives somebody authority. */

enum {
	REVIEW_TRIAL_DAYS = 14,  /* for so long what was taken on trial can be had back */
	REVIEW_UNUSED_DAYS = 30, /* what nobody used for so long is not needed */
	REVIEW_USE_DAYS = 91,    /* uses are counted over so many: 13 weeks */
	REVIEW_DAYS_MIN = 1,
	REVIEW_DAYS_MAX = 90,
	REVIEW_DAYS_DEFAULT = 14,
	REVIEW_ITEM_BYTES_MAX = 16 * 1024,
	REVIEW_VIA_HOPS_MAX = 8,
	REVIEW_INHERITED_MAX = 1024, /* of one identity: more is a scope for its provider */
};
#define REVIEW_DAY_MS INT64_C(86400000)

enum review_item_kind {
	REVIEW_ITEM_NONE = 0,
	REVIEW_ITEM_ENTITLEMENT,
	REVIEW_ITEM_PEER,       /* hands work to another identity */
	REVIEW_ITEM_CREDENTIAL, /* a key or certificate of the charter */
	REVIEW_ITEM_FEDERATION, /* tokens of others that are it */
	REVIEW_ITEM_CONSENT,    /* people it may act for */
	REVIEW_ITEM_INHERITED,  /* at a provider: only seen */
	REVIEW_ITEM_KIND_COUNT,
};
const char *review_item_kind_word(enum review_item_kind kind);
enum review_item_kind review_item_kind_of(struct text word);
/* The list of the charter it is a line of; NONE of what is at a provider. */
enum charter_part review_item_part(enum review_item_kind kind);

/* What people decide, and what is recommended.  LOOK is no decision: evidence says neither. */
enum review_choice {
	REVIEW_CHOICE_NONE = 0,
	REVIEW_CHOICE_LOOK,
	REVIEW_CHOICE_KEEP,
	REVIEW_CHOICE_REDUCE,   /* to what was used */
	REVIEW_CHOICE_TRIAL,    /* taken away now; can be had back for REVIEW_TRIAL_DAYS */
	REVIEW_CHOICE_REVOKE,   /* taken away for good */
	REVIEW_CHOICE_REASSIGN, /* another person must judge it */
	REVIEW_CHOICE_RESTORE,  /* what was taken on trial is back */
	REVIEW_CHOICE_COUNT,
};
const char *review_choice_word(enum review_choice choice);
enum review_choice review_choice_of(struct text word);
/* True of those that take something away. */
bool review_choice_takes(enum review_choice choice);

/* What stands of an item. */
enum review_state {
	REVIEW_STATE_OPEN = 0,
	REVIEW_STATE_AGREED, /* one person would keep it; another must, too */
	REVIEW_STATE_KEPT,
	REVIEW_STATE_REDUCED,
	REVIEW_STATE_TRIAL,
	REVIEW_STATE_REVOKED,
	REVIEW_STATE_RESTORED,
	REVIEW_STATE_EXCEPTION, /* it is to go, and remit cannot take it: a person must */
	REVIEW_STATE_COUNT,
};
const char *review_state_word(enum review_state state);
enum review_state review_state_of(struct text word);
/* True of those after which nobody is asked. */
bool review_state_is_settled(enum review_state state);

/* What was recorded of the use of a line in the last REVIEW_USE_DAYS. */
struct review_use {
	int64_t known_utc_ms;   /* uses are known from then on */
	int64_t granted_utc_ms; /* the charter was last changed; 0: before known_utc_ms */
	int64_t last_utc_ms;    /* 0: never since known_utc_ms */
	int64_t uses;
	int64_t tasks;         /* at most so many different ones */
	uint32_t environments; /* in which it was used */
	uint32_t effects;      /* of a peer: by what it did for this identity */
	bool is_unsure;        /* somebody may have used it whom remit cannot name any more */
};

/* What one like it has: of the same kind and unit. */
struct review_alike {
	int64_t have; /* the same line */
	int64_t all;  /* both count the identity itself */
};

struct review_item {
	enum review_item_kind kind;
	struct text identity; /* whose it is */
	uint32_t version;     /* of the charter it stands in */
	struct text title;    /* "read files/read_text_file" */
	struct text unit;
	struct text resource_unit; /* whose the resource is; may be empty */
	struct text owner;
	struct text backup_owner;
	struct text author; /* of the charter; empty: not known */
	struct text via;    /* "a > b": handed on so far from what is in scope; empty: it is */
	enum risk_tier risk;
	enum effect effect;
	enum sensitivity sensitivity;
	uint32_t environments;
	int64_t handed_by; /* identities that hand work to it */
	int64_t ends_utc_s;
	const struct json *line; /* as it stands in the charter; NULL of what is only seen */
	struct review_use use;
	struct review_alike alike;
	/* What follows: */
	const struct json *reduced; /* the line after a reduction; NULL: there is none */
	enum review_choice advice;
	struct text because; /* of the advice, one sentence */
	int64_t weight;      /* of the authority: the measure of risk */
	int64_t reduced_weight;
};

/* Sensitivity (1 to 4) × effect × reach (docs/reviews.md). */
struct review_weighed {
	enum effect effect;
	uint32_t effects; /* instead, bits: the heaviest of them counts */
	enum sensitivity sensitivity;
	uint32_t environments;
	int64_t handed_by;
};
int64_t review_weight(const struct review_weighed *weighed);

/* Fills reduced, advice, because and the weights from the rest.  Texts in arena.  Errors: LIMIT. */
bool review_judge(struct review_item *item, struct arena *arena, int64_t now_utc_ms,
	struct error *err) MUST_CHECK;

/* The item as it is frozen; reading gives the same.  Errors: LIMIT; reading: CORRUPT. */
bool review_item_json(struct json *out, struct arena *arena, const struct review_item *item,
	struct error *err) MUST_CHECK;
bool review_item_read(
	struct review_item *out, const struct json *value, struct error *err) MUST_CHECK;
/* By identity, kind and title: the order of a snapshot. */
int review_item_compare(const struct review_item *a, const struct review_item *b);

/* One person's word for keeping an item. */
struct review_voice {
	struct text person;
	struct text for_person; /* who delegated it to them; empty: nobody */
};
/* Whether these are enough to keep it: two of different people where the risk is high or
 * critical, and one of somebody who neither owns it nor wrote it.  Whom somebody stands in for
 * counts as they. */
bool review_is_enough(
	const struct review_item *item, const struct review_voice *voices, size_t count);
/* Whether the person owns the identity or wrote its charter. */
bool review_is_own(const struct review_item *item, struct text person);
/* Bulk is for what does little harm. */
bool review_allows_bulk(const struct review_item *item);

#endif

#ifndef SERVICES_POSTURE_POSTURE_PRIVATE_H
#define SERVICES_POSTURE_POSTURE_PRIVATE_H

#include "base/random.h"
#include "base/time.h"
#include "domain/charter/name_table.h"
#include "services/posture/posture.h"
#include "services/registry/fold_record.h"

/* Private to services/posture. */

enum {
	POSTURE_ARENA_BYTES_MAX = 16 * 1024 * 1024, /* of one step */
	POSTURE_FOUND_KEY_BYTES = 64,
	POSTURE_KEY_BYTES_MAX = GRAPH_NAME_BYTES_MAX + 32,
};

/* One subject that violates something. */
struct row {
	struct text subject; /* "identity/NAME"; behind the struct */
	check_set violated;
};

/* In which order everything is looked at. */
enum pass_stage {
	PASS_IDLE = 0,
	PASS_KEYS,   /* who has which key, before identities are asked */
	PASS_PEOPLE, /* and who signs in as whom */
	PASS_ENTRIES,
	PASS_NODES,
	PASS_ROWS, /* what is gone */
};

struct pass {
	enum pass_stage stage;
	enum object_kind kind; /* of ENTRIES */
	struct text after;     /* name of an entry; the registry's, or empty */
	graph_id node;
	char row[POSTURE_KEY_BYTES_MAX]; /* subject that was looked at last */
	size_t row_length;
	int64_t begun_utc_ms;
	bool is_again; /* another is due when it is over */
	uint64_t subjects[CHECK_COUNT];
};

enum proof_stage {
	PROOF_IDLE = 0,
	PROOF_READING, /* the log, from its first record on */
	PROOF_JUDGING,
};

/* One pass over all charters (posture_proof.c). */
struct posture_proof {
	enum proof_stage stage;
	struct name_table *logged; /* by identity */
	/* The record whose changes are being read, and the first that was not. */
	struct arena *arena;
	struct json record;
	const struct json *changes; /* NULL: none is */
	uint32_t change;
	uint64_t next;     /* record to be read */
	uint64_t revision; /* of the registry, when it began */
	uint32_t left;     /* of a step */
	struct text after; /* identity judged last; the registry's */
	uint64_t judged;
	uint64_t subjects; /* judged in the last whole one */
	int64_t begun_utc_ms;
	int64_t proven_utc_ms; /* when the last whole one began; 0: never */
	int64_t failed_utc_ms; /* 0: it did not */
};

/* Figures of one day, as its record says them. */
struct posture_day {
	char day[11]; /* "2026-11-26" */
	uint32_t of[CONTROL_PASSING + 1];
	uint64_t violations;
};

struct reading; /* posture_records.c */

struct posture {
	struct posture_parts parts;
	struct graph_listener listener; /* lives as long as the graph */
	struct catalogue *catalogue;
	struct key_holders *key_holders;
	struct name_table *rows;        /* owns struct row */
	struct name_table *dirty;       /* owns struct dirty */
	uint64_t counts[CHECK_COUNT];   /* rows that violate it */
	uint64_t subjects[CHECK_COUNT]; /* asked about it, in the last whole pass */
	struct pass pass;
	struct posture_proof proof;
	int64_t passed_utc_ms;  /* when the last whole pass began; 0: none did */
	int64_t started_utc_ms; /* of the first step */
	int64_t told_utc_s;
	int64_t next_end_utc_s; /* of a waiver, when it was told last */
	bool is_changed;        /* since states were told */
	bool is_over;           /* more waited than there is room for: all is looked at */
	uint64_t looked;
	uint64_t waivers_told; /* generation of waivers when states were told last */
	struct posture_day days[POSTURE_DAYS]; /* a ring */
	size_t days_count;
	size_t days_next;
	struct record_watch *watch;      /* NULL: the records are to be begun */
	struct record_watch_state stood; /* where the watch stood, by the last record of it */
	uint64_t records_next;
	bool is_recalling;   /* records of before are read, for what changed since */
	int64_t read_utc_ms; /* when their end was reached last; 0: never */
	uint64_t records;
	struct name_table *found; /* by "CHECK/" and record; owns struct found */
	uint64_t found_of[RECORD_CHECK_COUNT];
	char offered[POSTURE_FOUND_KEY_BYTES]; /* the look for room goes on behind it */
	size_t offered_length;
	bool is_room_asked;      /* for all of them, since findings changed */
	bool is_writing_found;   /* what a step found is on its way */
	struct reading *reading; /* while one reads */
	bool is_writing_day;     /* so are the figures of a day */
};

/* How far a change of a subject reaches: itself alone, or what hangs on it, too. */
enum dirt { DIRT_NONE = 0, DIRT_LEAF, DIRT_ROOT };

/* One subject that waits to be looked at. */
struct dirty {
	struct text subject; /* behind the struct */
	enum dirt dirt;
};

/* posture_rows.c */
bool posture_row_set(struct posture *posture, struct text subject, check_set asked,
	check_set violated, struct error *err) MUST_CHECK;
const struct row *posture_row_find(const struct posture *posture, struct text subject);

/* posture_touch.c */
void posture_touch(struct posture *posture, struct text subject, enum dirt dirt);
bool posture_watch(struct posture *posture, struct error *err) MUST_CHECK;
/* What hangs on the subject waits to be looked at. */
void posture_spread(struct posture *posture, struct text subject, bool had_shared_key);

/* posture_survey.c */
/* Whether the finding is told by posture itself. */
bool posture_is_own(const struct finding *finding);
/* Whether it counts against the control: it names it, or shows a record check of it. */
bool posture_finding_is_of(const struct finding *finding, const struct control *control);
/* Risks of OWASP NHI, Agentic and MCP that no passing control answers; false: visit was. */
bool posture_each_uncovered(const struct posture *posture, const struct control_status *all,
	bool (*visit)(void *context, const struct framework_id *id), void *context);

/* A violation of records that waits for room for its finding. */
struct found {
	enum record_check check;
	uint64_t index;
	struct text key;      /* as below, behind the struct, as: */
	struct text identity; /* whose it is; may be empty */
};

/* posture_records.c: reads some of them.  True: there are more. */
bool posture_read_records(struct posture *posture);

/* posture_found.c: violations of records, from when they are found to when their finding is
 * open. */
bool posture_fold_found(struct posture *posture, struct error *err) MUST_CHECK;
/* Opens findings of those that wait, as far as there is room.  True: there are more to look at. */
bool posture_offer_found(struct posture *posture);
/* The state of the watch, as a member of the record.  Errors: LIMIT. */
bool posture_put_watch(
	const struct posture *posture, struct json_builder *record, struct error *err) MUST_CHECK;
void posture_take_watch(struct posture *posture, const struct json *record);
/* The control that the check is of; NULL: none. */
const struct control *posture_control_of(const struct posture *posture, enum record_check check);
/* "CHECK/" and the record's number, in order of both. */
struct text posture_found_key(
	char buffer[POSTURE_FOUND_KEY_BYTES], enum record_check check, uint64_t index);

/* posture_proof.c: holds some charters against the log.  True: there is more to do. */
bool posture_prove(struct posture *posture);
void posture_proof_drop(struct posture *posture);

/* posture_tell.c: findings of controls that changed their state, and the day's figures. */
void posture_tell(struct posture *posture);
bool posture_fold_days(struct posture *posture, struct error *err) MUST_CHECK;

/* posture_waived.c */
void posture_use_waivers(struct posture *posture);
/* The live waiver of the control for the object, or NULL. */
const struct waiver *posture_waiver_for(
	const struct posture *posture, struct text control, struct text object);
/* Adds what live waivers of rows cover. */
void posture_count_waived(const struct posture *posture, struct control_status *all);
/* The next second in which a live one is over; 0: there is none. */
int64_t posture_next_end(const struct posture *posture);

/* posture_rows_json.c: next and items of the page. */
bool posture_put_rows(const struct posture *posture, const struct posture_page *page,
	struct json_builder *view, struct error *err) MUST_CHECK;

/* The unit of a subject; empty: it has none. */
struct text posture_unit_of(const struct posture *posture, struct text subject);

static inline int64_t posture_now_utc_s(const struct posture *posture)
{
	return fold_stamp_utc_ms(posture->parts.fold) / 1000;
}

/* "KIND/NAME" in two. */
static inline struct text subject_kind(struct text subject)
{
	ptrdiff_t slash = text_find_byte(subject, '/');

	return (struct text){subject.data, slash < 0 ? 0 : (size_t)slash};
}

static inline struct text subject_name(struct text subject)
{
	ptrdiff_t slash = text_find_byte(subject, '/');

	return slash < 0 ? TEXT("") : text_after(subject, (size_t)slash + 1);
}

#endif

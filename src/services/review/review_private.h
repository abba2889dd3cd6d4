#ifndef SERVICES_REVIEW_REVIEW_PRIVATE_H
#define SERVICES_REVIEW_REVIEW_PRIVATE_H

#include "base/buffer.h"
#include "base/random.h"
#include "domain/charter/name_table.h"
#include "services/registry/fold_record.h"
#include "services/review/review.h"

/* Private to services/review. */

enum {
	REVIEW_ARENA_BYTES_MAX = 96 * 1024 * 1024, /* of one review */
	REVIEW_SCRATCH_BYTES_MAX = 16 * 1024 * 1024,
	REVIEW_VOICES_MAX = 4,
};

/* One item, with what people said of it.  Texts live in the review's arena. */
struct review_row {
	struct text canonical;   /* as it is frozen */
	struct review_item item; /* line and reduced are NULL: read canonical for them */
	enum review_state state;
	struct review_voice voices[REVIEW_VOICES_MAX];
	size_t voices_count;
	struct text assignee;
	struct text by;       /* who settled it: "person:NAME", "remit" */
	int64_t at_utc_ms;    /* when it was settled */
	int64_t until_utc_ms; /* of a trial */
	uint64_t index;       /* record of the last decision; 0: none */
	bool was_contained;   /* nobody had answered */
	bool is_told;         /* of an exception: a finding, or a containment, is on record */
};

struct review_delegation {
	struct text from;
	struct text to;
};

struct review_job;
struct gathering;

struct review {
	struct arena *arena;
	char id[RANDOM_ID_BYTES];
	enum review_stage stage;
	enum review_cause cause;
	struct text name;
	struct text actor;
	struct review_scope scope;
	struct text failure;
	struct sha256 snapshot;
	struct text reviewers[REVIEW_REVIEWERS_MAX];
	size_t reviewers_count;
	struct review_delegation delegations[REVIEW_DELEGATIONS_MAX];
	size_t delegations_count;
	struct review_row *rows;
	size_t rows_count;
	size_t rows_capacity;
	size_t parts; /* that were folded */
	int64_t opened_utc_ms;
	int64_t due_utc_ms;
	uint64_t opened_index;
	uint64_t event_index; /* of the record that asked for it; 0: a person did */
	uint64_t closed_index;
	int64_t closed_utc_ms;
	struct sha256 report;
	enum review_reminder reminded;
	size_t settled;
	size_t untold; /* exceptions that are not told */
	size_t tell_cursor;
	int64_t tell_utc_ms;         /* they are not told again before */
	struct review_job *job;      /* under way: one at a time */
	struct gathering *gathering; /* while its snapshot is made */
	bool is_reminding;           /* a record is on its way */
	int64_t retry_utc_ms;        /* what failed is not tried again before */
};

/* ---- the service ---- */

/* What asks for a small review. */
struct review_event {
	struct text identity; /* in the same allocation, behind the struct */
	enum review_cause cause;
	int64_t at_utc_ms;
	int64_t due_utc_ms;   /* 0: as long as the cause gives */
	int64_t tried_utc_ms; /* to begin one, which did not come to be; 0: never */
	uint64_t index;
};

struct review_service {
	struct review_parts parts;
	struct review_ports ports;
	struct review_listener listener;
	struct name_table *reviews;  /* by id */
	struct name_table *events;   /* by identity */
	struct name_table *reviewed; /* identity ▸ int64_t: when it was last under review */
	struct name_table *judged;   /* the same, of reviews of which every item is settled */
	struct arena *scratch;       /* of one step */
	size_t items_count;
	size_t jobs_count;
	struct text stepped; /* the next turn begins behind this review; empty: at the first */
	char stepped_id[RANDOM_ID_BYTES];
	struct text events_after; /* the look at those that wait goes on behind this identity */
	char events_after_name[CHARTER_NAME_BYTES_MAX];
	struct text dormant_after; /* the look for dormant ones goes on behind it */
	int64_t dormant_utc_ms;    /* the last look began */
};

struct review *review_find(const struct review_service *service, struct text id);
/* Makes one in stage GATHERING under the id and puts it in the table.  Errors: LIMIT. */
bool review_add(struct review_service *service, struct text id, struct review **out,
	struct error *err) MUST_CHECK;
void review_forget(struct review_service *service, struct review *review);
void review_destroy(struct review **review);
/* One more row of the frozen item.  Errors: CORRUPT, LIMIT. */
bool review_row_add(struct review_service *service, struct review *review, const struct json *item,
	struct error *err) MUST_CHECK;
/* The whole item, line and all, in arena.  Errors: CORRUPT, LIMIT. */
bool review_row_read(const struct review_row *row, struct arena *arena, struct review_item *out,
	struct error *err) MUST_CHECK;
/* What holds now: a trial whose time is over is revoked. */
enum review_state review_row_state(const struct review_row *row, int64_t now_utc_ms);
bool review_filter_takes(
	const struct review_filter *filter, const struct review_row *row, int64_t now_utc_ms);
int64_t review_now(const struct review_service *service);
void review_tell(struct review_service *service, const struct review *review, const char *event);

/* Starts one.  Errors: LIMIT. */
bool review_record_create(struct fold_record **out, struct review_service *service,
	const char *type, struct text actor, struct error *err) MUST_CHECK;

/* who.c */
/* Who decides when this person does: themselves, or whom they stand in for.  False: neither may;
 * err says who may. */
bool review_may(const struct review_service *service, const struct review *review,
	const struct review_row *row, struct text person, struct text *for_person,
	struct error *err) MUST_CHECK;
/* An item of what the account may do: "CONNECTOR/ID what". */
bool review_is_of_account(const struct review_item *item, struct text account);
bool review_may_start(const struct review_service *service, const struct review_request *request,
	struct error *err) MUST_CHECK;
bool review_check_delegation(const struct review_service *service, const struct review *review,
	const struct review_request *request, struct error *err) MUST_CHECK;
bool review_is_here(const struct review_service *service, struct text person);

/* gather.c */
bool review_gather(struct review_service *service, const struct review_request *request,
	const struct review_event *event, struct review **out, struct error *err) MUST_CHECK;
/* True: there is more. */
bool review_gather_step(struct review_service *service, struct review *review);
void gathering_destroy(struct gathering **gathering);

/* decide.c */
bool review_decide(struct review_service *service, struct review *review,
	struct review_request *request, struct error *err) MUST_CHECK;
/* At the deadline: what nobody answered is taken on trial. */
bool review_contain(
	struct review_service *service, struct review *review, struct error *err) MUST_CHECK;

/* Goes on with one that is_stepping. */
void review_decide_step(struct review_job *job);

/* tell.c */
/* An exception of which neither a finding nor a containment is on record. */
bool review_row_is_untold(const struct review_row *row);
/* As far as is known: of reviews that were closed so. */
void review_note_all_told(struct review *review);
/* The finding of the item at this place, in arena.  Errors: LIMIT. */
bool review_exception_draft(struct finding_draft *out, struct arena *arena,
	const struct review *review, size_t at, struct error *err) MUST_CHECK;
/* For a review without a job, of which nothing is on its way then.  True: there is more. */
bool review_tell_step(struct review_service *service, struct review *review);
bool review_register_telling(struct review_service *service, struct error *err) MUST_CHECK;

/* report.c */
bool review_report(struct review_service *service, struct review *review,
	struct review_request *request, struct error *err) MUST_CHECK;
/* Everything is settled: the report goes on record. */
bool review_close(
	struct review_service *service, struct review *review, struct error *err) MUST_CHECK;

/* One request, or the service's own wish, on its way through a review's items. */
struct review_job {
	struct review_service *service;
	struct review *review;
	struct arena *arena;
	struct review_request request;
	struct text actor;
	bool is_own;         /* at the deadline */
	struct arena *batch; /* of the record on its way */
	size_t batch_cursor; /* where that began */
	uint32_t batch_count;
	bool is_careful;  /* one charter a record, after one could not be written */
	bool must_except; /* the next one cannot be written at all */
	size_t exceptions[REVIEW_PART_ITEMS * 2]; /* rows of the record on its way */
	size_t exceptions_count;
	size_t telling; /* what was reported of them and is not on record yet */
	size_t cursor;
	uint32_t decided;
	uint32_t already;
	uint32_t refused_count;
	struct json_builder refused;
	uint64_t first_index;
	uint64_t last_index;
	struct error failure;
	struct registrar_request work; /* of a step that changes charters */
	struct buffer report;
	struct sha256_running *digest;
	bool is_closing;
	bool is_stepping; /* review_step goes on with it */
};
bool review_job_create(struct review_job **out, struct review_service *service,
	struct review *review, const struct review_request *request, struct error *err) MUST_CHECK;
/* Gives the answer, or what is wrong, and frees it. */
void review_job_end(struct review_job *job, const struct json *answer, const struct error *err);
bool review_report_step(struct review_job *job);

/* fold.c */
bool review_register(struct review_service *service, struct error *err) MUST_CHECK;
/* event.c */
bool review_note_event(struct review_service *service, const struct review_event *event,
	struct error *err) MUST_CHECK;
/* What was asked up to that record is done, or there is nothing to do. */
void review_settle_event(struct review_service *service, struct text identity, uint64_t index);
bool review_register_events(struct review_service *service, struct error *err) MUST_CHECK;
/* True: there is more. */
bool review_events_step(struct review_service *service);

#endif

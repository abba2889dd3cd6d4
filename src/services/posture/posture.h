#ifndef SERVICES_POSTURE_POSTURE_H
#define SERVICES_POSTURE_POSTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/control/catalogue.h"
#include "domain/graph/graph.h"
#include "services/finding/finding.h"
#include "services/measure/measure.h"
#include "services/registry/fold.h"
#include "services/waiver/waiver.h"

/* Posture: whether each control holds now (docs/posture.md).  It keeps which subject violates
 * which check, looks again at what a change touched, and at everything every half hour, because
 * time alone makes things wrong.  It decides nothing.  One loop thread. */
struct posture;

enum {
	POSTURE_LOOKS = 256,         /* subjects of one step */
	POSTURE_RECORDS = 64,        /* of one step */
	POSTURE_RECALLS = 2048,      /* likewise, looked through for what changed since */
	POSTURE_FOUND = 64,          /* violations of records, behind which a step ends */
	POSTURE_FOUND_MAX = 65536,   /* that wait for room for their finding; more: none is read */
	POSTURE_OFFERS = 64,         /* of these, looked at in one step */
	POSTURE_PROOF_RECORDS = 256, /* of one step, looked through for charters */
	POSTURE_PROOFS = 16,         /* charters of one step that are held against the log */
	POSTURE_PROOF_AGAIN_S = 6 * 3600, /* from one look at all charters to the next */
	POSTURE_PROOF_RETRY_S = 60,       /* where it could not be read to the end */
	POSTURE_AGAIN_S = 1800,           /* from one look at everything to the next */
	POSTURE_DIRTY_MAX = 65536,        /* subjects that wait to be looked at; more: all are */
	POSTURE_ROWS_A_LOOK = 20000,      /* rows that one page of a list looks through */
	POSTURE_OBJECTS_SHOWN = 10,       /* subjects that a finding names */
	POSTURE_INVENTORY_S = 86400,      /* an older inventory is stale */
	POSTURE_EXPLAIN_MS = 1000,        /* what an account may, and by whom, is told within */
	POSTURE_DRIFT_S = 86400,          /* a change that waits longer to be looked for is */
	POSTURE_DAYS = 400,               /* of figures that are kept in memory */
	POSTURE_OBJECT_BYTES_MAX = FINDING_SUBJECT_BYTES_MAX,
};

/* UNPROVEN is zero: what nobody looked at has not passed. */
enum control_state {
	CONTROL_UNPROVEN = 0,
	CONTROL_STALE, /* counts as failing */
	CONTROL_FAILING,
	CONTROL_PASSING,
};
const char *control_state_word(enum control_state value);
/* Of an id of a framework: the controls of it that are proven pass, and others are unproven. */
#define POSTURE_ID_PARTLY "partly"

/* How old what connectors saw is; main fills it.  False: no connector saw anything. */
struct posture_inventories {
	void *context;
	bool (*oldest)(void *context, int64_t *out_utc_s);
};

/* The records in order, behind whoever writes them; main fills it.  Errors: those of the log. */
struct posture_log {
	void *context;
	/* Begins, or begins again, at the record. */
	bool (*open)(void *context, uint64_t from, struct error *err);
	/* entry is borrowed until the next call; *is_end: nothing more for now. */
	bool (*next)(void *context, struct text *entry, uint64_t *index, bool *is_end,
		struct error *err);
	/* What lies beside the entry.  NULL: nothing does. */
	bool (*content)(void *context, uint64_t index, struct arena *arena, struct text *out,
		struct error *err);
};

/* Since when a change waits that nobody was looked for who depends on it; main fills it.  0: none
 * does. */
struct posture_drift {
	void *context;
	int64_t (*since_utc_ms)(void *context);
};

/* All borrowed; they outlive it. */
struct posture_parts {
	struct registry *registry; /* it listens to it, and changes nothing */
	struct graph *graph;       /* NULL: nothing was seen */
	struct fold *fold;
	struct finding_service *findings;
	struct waiver_service *waivers;         /* is told what of a control can be waived */
	struct posture_inventories inventories; /* oldest NULL: no connector */
	struct posture_log log;                 /* next NULL: no records are read */
	/* The same records once more, from the first on.  next NULL: no charter is proven. */
	struct posture_log charters;
	struct control_witness witness; /* identity NULL: what asks it is unproven */
	struct posture_drift drift;     /* with witness */
	/* What is measured; NULL: nothing is, and what needs it is unproven. */
	const struct measure_service *measures;
};

/* Registers its handlers and projectors, after those of the registrar and of whoever keeps
 * the graph, and listens to the graph's changes.  Errors: LIMIT, INVALID (the table of controls
 * in the binary). */
bool posture_create(
	struct posture **out, const struct posture_parts *parts, struct error *err) MUST_CHECK;
void posture_destroy(struct posture **posture);

/* One step.  True: there is more to look at; call it again soon.  False: nothing is due until
 * something changes or a second passes; asking costs next to nothing then.  For after the
 * start, when all is loaded. */
bool posture_look(struct posture *posture);
/* The node, or what hangs on it, changed. */
void posture_touch_node(struct posture *posture, graph_id node);

const struct catalogue *posture_catalogue(const struct posture *posture);

/* How one control stands now. */
struct control_status {
	enum control_state state;
	struct text why;          /* one sentence, where it is stale or unproven; else empty */
	uint64_t violations;      /* those that are waived or wait included */
	uint64_t waiting;         /* of records, that wait for room for their finding */
	uint64_t waived;          /* by live waivers */
	uint64_t subjects;        /* that its checks were asked about; 0: unknown */
	int64_t evaluated_utc_ms; /* 0: never by this process */
	int64_t failing_utc_ms;   /* since when, by its finding; 0: it is not */
	struct text finding;      /* that is open of it; may be empty */
};
/* Of all, by number. */
void posture_survey(
	const struct posture *posture, struct control_status out[CATALOGUE_CONTROLS_MAX]);

/* ---- views; everything lives in arena ---- */

/* {items: [controls], score: [{family, controls, proven, passing}], framework?: {framework,
 * version, status, ids: [{id, title?, state, unproven, stale, failing, passing, controls}]}}: those
 * that are mapped to the framework; NULL: all.  state: a control's, or POSTURE_ID_PARTLY; the
 * numbers are of the id's controls.  Errors: LIMIT. */
bool posture_view_json(const struct posture *posture, const struct framework *framework,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* What a reference stands for: {cited?, ids: [...]}, as above. */
bool posture_reference_json(const struct posture *posture,
	const struct catalogue_resolved *resolved, struct arena *arena, struct json *out,
	struct error *err) MUST_CHECK;

/* One control with everything: what it is mapped to, and a page of what violates it: {…, checks,
 * token_lives?, measures: [{measure, meaning, unit, most, kept, value?, samples?, taken?}], maps,
 * items: [{id, object, check, meaning, severity, unit, waiver?, command}], next?}. */
struct posture_page {
	uint32_t control;  /* number */
	struct text after; /* id of the last one; empty: from the start */
	uint32_t count;
	struct text unit;        /* empty: any */
	enum risk_tier severity; /* NONE: any */
};
bool posture_control_json(const struct posture *posture, const struct posture_page *page,
	struct arena *arena, struct json *out, struct error *err) MUST_CHECK;
/* [{day, passing, failing, stale, unproven, violations}], the last `days`. */
bool posture_trend_json(const struct posture *posture, uint32_t days, struct arena *arena,
	struct json *out, struct error *err) MUST_CHECK;

/* Violations of records that wait for room for their finding: of the control, or of all (empty). */
uint64_t posture_count_waiting(const struct posture *posture, struct text control);

/* Figures for metrics. */
struct posture_figures {
	uint64_t of[CONTROL_PASSING + 1]; /* controls by state */
	uint64_t rows;                    /* subjects with a violation */
	uint64_t looked;                  /* subjects, by this process */
	uint64_t waiting;                 /* subjects that wait to be looked at */
	uint64_t waivers;                 /* live */
	uint64_t records;                 /* read, by this process */
};
struct posture_figures posture_figures(const struct posture *posture);

#endif

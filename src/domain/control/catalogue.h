#ifndef DOMAIN_CONTROL_CATALOGUE_H
#define DOMAIN_CONTROL_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "domain/charter/terms.h"
#include "domain/control/check.h"
#include "domain/control/measure.h"
#include "domain/control/record_check.h"

/* The controls, what proves each, and which ids of which version of which framework it answers
 * (schema/controls.json, in the binary).  Immutable and pure. */

enum {
	CATALOGUE_BYTES_MAX = 1024 * 1024,
	CATALOGUE_CONTROLS_MAX = 128,
	CATALOGUE_FRAMEWORKS_MAX = 64,
	CATALOGUE_ALIASES_MAX = 16,
	CATALOGUE_RESOLVED_MAX = 16, /* ids that one reference may stand for */
};

enum framework_state {
	FRAMEWORK_NONE = 0,
	FRAMEWORK_CURRENT,
	FRAMEWORK_BETA,
	FRAMEWORK_DRAFT,
	FRAMEWORK_SUPERSEDED,
};
const char *framework_state_word(enum framework_state value);

/* One version of one framework.  An id means nothing without it. */
struct framework {
	struct text name;    /* "OWASP-LLM" */
	struct text version; /* "2026" */
	struct text word;    /* what people ask for it by: "llm"; may be empty */
	enum framework_state state;
	struct text since; /* of what is superseded: the date, and by which version */
	struct text by;
	const struct text *ids;
	const struct text *titles; /* as many, or NULL */
	uint32_t ids_count;
};

/* An id of a framework. */
struct framework_id {
	const struct framework *framework;
	uint32_t number; /* of its ids */
};

/* What somebody cites and no framework has: what it stands for. */
struct framework_alias {
	struct text cited;
	const struct text *also;
	uint32_t also_count;
	const struct framework_id *resolves;
	uint32_t resolves_count;
};

struct control {
	struct text id; /* "G-28" */
	struct text family;
	enum risk_tier severity;
	int64_t cadence_s; /* it is stale once its evaluation is older */
	struct text title;
	struct text metric; /* what is true while it passes; empty: unproven */
	check_set checks;
	uint32_t records;        /* bits 1 << enum record_check */
	measure_set measures;    /* with checks and records 0: unproven */
	struct text unproven;    /* why */
	uint32_t share_permille; /* of the subjects that may be violated while it passes */
	const struct framework_id *maps;
	uint32_t maps_count;
	const struct framework_alias *const *cites;
	uint32_t cites_count;
};

/* Something looks whether it holds. */
static inline bool control_is_proven(const struct control *control)
{
	return control->checks != 0 || control->records != 0 || control->measures != 0;
}

struct catalogue;

/* Refuses whatever does not hold together: an id that its version does not have, a check that
 * there is not, a control with neither a check nor a reason.  Errors: INVALID, LIMIT. */
bool catalogue_read(struct catalogue **out, struct text text, struct error *err) MUST_CHECK;
/* The one in the binary. */
bool catalogue_create(struct catalogue **out, struct error *err) MUST_CHECK;
void catalogue_destroy(struct catalogue **catalogue);

uint32_t catalogue_count(const struct catalogue *catalogue);
const struct control *catalogue_control(const struct catalogue *catalogue, uint32_t number);
/* NULL: there is none. */
const struct control *catalogue_find(const struct catalogue *catalogue, struct text id);
/* Number of the control, which is of this catalogue. */
uint32_t catalogue_number(const struct catalogue *catalogue, const struct control *control);

/* By its name or word; version empty: the one that is not superseded.  Errors: NOT_FOUND. */
bool catalogue_framework(const struct catalogue *catalogue, struct text name, struct text version,
	const struct framework **out, struct error *err) MUST_CHECK;
/* The next version of any framework after `after` (NULL: the first); NULL at the end. */
const struct framework *catalogue_next_framework(
	const struct catalogue *catalogue, const struct framework *after);

/* What a reference of a person stands for: an id ("NHI3", "LLM06:2025", "MCP1"), or what an
 * alias cites ("A2", "GOV-2").  framework and version may be empty.  An id of which versions
 * differ is refused without its version. */
struct catalogue_reference {
	struct text text;
	struct text framework;
	struct text version;
};
struct catalogue_resolved {
	struct framework_id ids[CATALOGUE_RESOLVED_MAX];
	uint32_t count;
	const struct framework_alias *alias; /* NULL: it is an id */
};
/* Errors: NOT_FOUND, INVALID (which versions there are). */
bool catalogue_resolve(const struct catalogue *catalogue,
	const struct catalogue_reference *reference, struct catalogue_resolved *out,
	struct error *err) MUST_CHECK;

struct text framework_id_text(const struct framework_id *id);
/* Empty: it has none here. */
struct text framework_id_title(const struct framework_id *id);
bool framework_id_equal(const struct framework_id *a, const struct framework_id *b);
bool control_maps_to(const struct control *control, const struct framework_id *id);

/* The text of schema/controls.json, in the binary. */
extern const char control_catalogue[];

#endif

#ifndef DOMAIN_CHARTER_SANDBOX_H
#define DOMAIN_CHARTER_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/charter.h"

/* Sandboxes: identities for experiments.  A unit's template, which two people put in
 * force, says once what they get; each of its people may then open one alone.  What is
 * here holds of every sandbox, whatever a template or a charter says: it acts in dev and
 * test, on data that is labelled and at most internal, and for a time. */

struct object;
struct form_reader;
struct form_path;

enum {
	SANDBOX_LIFE_S_MIN = 3600,
	SANDBOX_LIFE_S_MAX = 30 * 86400,
	SANDBOXES_PER_PERSON_MAX = 5, /* at once, by owner */
	SANDBOXES_PER_UNIT_MAX = 100, /* at once */
};

/* What a unit gives its sandboxes. */
struct sandbox_template {
	/* First.  Class, risk, environments, models, data sources, entitlements and limits;
	 * all else is empty. */
	struct charter charter;
	enum sensitivity up_to; /* of the data they read and reply */
	int64_t life_s;         /* the longest; 0: the unit has no template */
};

bool sandbox_environment(enum environment value); /* dev or test */
/* The most sensitive data it may read, be told or ask a model about.  template may be NULL: no
 * unit's in particular. */
enum sensitivity sandbox_most(const struct sandbox_template *template);
/* Whether data of this sensitivity is among that.  What nobody labelled is restricted. */
bool sandbox_covers(const struct sandbox_template *template, enum sensitivity value);

/* What is wrong with what a document alone says; for finish functions (form.h). */
void sandbox_check_template(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct sandbox_template *template);
void sandbox_check_charter(struct form_reader *reader, const struct json *value,
	const struct form_path *path, const struct charter *charter);

/* Who opens which sandbox. */
struct sandbox_opening {
	struct text name;
	struct text owner;
	struct text backup_owner;
	struct text purpose;
	struct text approved_by;      /* the template, NAME */
	enum environment environment; /* that the key proves */
	struct json jwk;
	int64_t expires_utc_s;
};
/* The charter that the template of the unit makes of an opening; unit is an object with
 * one.  Borrows its values.  Errors: LIMIT. */
bool sandbox_charter(struct json *out, struct arena *arena, const struct object *unit,
	const struct sandbox_opening *opening, struct error *err) MUST_CHECK;

/* The first field in which the charter of a sandbox gives more than the template of the
 * unit does, as "entitlements"; NULL: none.  unit may be NULL or have no template. */
const char *sandbox_breach(const struct object *unit, const struct object *charter);

#endif

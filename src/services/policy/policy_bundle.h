#ifndef SERVICES_POLICY_POLICY_BUNDLE_H
#define SERVICES_POLICY_POLICY_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json.h"
#include "domain/charter/object.h"
#include "domain/charter/policy_check.h"
#include "services/registry/plan.h"

struct name_table;

/* Policies, charters and cases of a folder, without a daemon: what is checked, tested,
 * compared and replayed before it is published. */

/* Files with this end hold cases (docs/policies.md); `remit plan` leaves them alone. */
#define POLICY_CASE_FILE_END ".test.yaml"
/* Files with this end hold the text of one guardrail. */
#define POLICY_TEXT_FILE_END ".cedar"

struct policy_bundle_text {
	struct text file;
	struct text text;
};

struct policy_bundle {
	struct arena *arena;           /* owned; everything below lives in it */
	const struct object **objects; /* held */
	struct name_table *named;      /* owned; which objects there are */
	struct text *files;            /* of each object */
	size_t objects_count;
	struct json *cases;
	struct text *case_files;
	size_t cases_count;
	struct policy_bundle_text *texts; /* of POLICY_TEXT_FILE_END */
	size_t texts_count;
	struct problems problems; /* of documents that are none, or there twice */
};

/* Fills bundle, even if there are problems.  Errors: LIMIT. */
bool policy_bundle_read(struct policy_bundle *bundle, const struct plan_source *sources,
	size_t count, struct error *err) MUST_CHECK;
void policy_bundle_deinit(struct policy_bundle *bundle);

/* Checks everything in it: {policies, applications, conditions, errors, warnings, findings:
 * [{severity, code, object, field, file, line, column, what, hint, excerpt}], arguments:
 * [{object, field, file, line, types}]}.  line is in the file where it is known.  *errors is how
 * many. Errors: LIMIT. */
bool policy_bundle_check(struct policy_bundle *bundle, struct json *out, size_t *errors,
	struct error *err) MUST_CHECK;

/* Runs every case against the objects of the bundle, all of them in force, at
 * now_utc_ms where a case names no time:
 * {passed, failed, cases: [{test, file, line, passed, expected, got, problem}]}.
 * *failed is how many.  Errors: INVALID (objects that cannot be put in force), LIMIT. */
bool policy_bundle_test(struct policy_bundle *bundle, int64_t now_utc_ms, struct json *out,
	size_t *failed, struct error *err) MUST_CHECK;

/* What the bundle's policies would change of others, in force: {policies: [{name,
 * action: create|change|remove|form, before, after}], unchanged, waiting: [{action, kind,
 * name, proposed_by, otherwise?: true}]}.  form: the text differs, the policies do not.
 * Without prune nothing is removed.  waiting is what waits of the names in the bundle, with
 * prune of all; otherwise: and is not what the bundle has.  Errors: LIMIT. */
struct policy_diff_base {
	const struct json *items; /* objects of kind policy, as documents */
	size_t count;
	const struct json
		*entries; /* of policies, as the API gives them, of which something waits */
	size_t entries_count;
	bool is_prune;
};
bool policy_bundle_diff(struct policy_bundle *bundle, const struct policy_diff_base *base,
	struct json *out, struct error *err) MUST_CHECK;

#endif

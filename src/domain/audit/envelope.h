#ifndef DOMAIN_AUDIT_ENVELOPE_H
#define DOMAIN_AUDIT_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/* What every record has in common (docs/formats/records.md): a canonical JSON
 * object with at, type, actor and, where it belongs to a task, task. */

/* clang-format off */
#define RECORD_TYPES(X)                                   \
	X(RECORD_GENESIS,           "genesis")            \
	X(RECORD_START,             "start")              \
	X(RECORD_STOP,              "stop")               \
	X(RECORD_REGISTRY,          "registry")           \
	X(RECORD_PERSON_KEY,        "person-key")         \
	X(RECORD_ADMIN_CODE,        "admin-code")         \
	X(RECORD_IDENTITY_INVITED,  "identity-invited")   \
	X(RECORD_STATE,             "state")              \
	X(RECORD_DIRECTORY,         "directory")          \
	X(RECORD_DIRECTORY_GROUP,   "directory-group")    \
	X(RECORD_TASK_OPENED,       "task-opened")        \
	X(RECORD_TASK_ENDED,        "task-ended")         \
	X(RECORD_ASSERTION_USED,    "assertion-used")     \
	X(RECORD_CONSENT_ANSWERED,  "consent-answered")   \
	X(RECORD_TOKEN_REFRESHED,   "token-refreshed")    \
	X(RECORD_DECISION,          "decision")           \
	X(RECORD_EVALUATION,        "evaluation")         \
	X(RECORD_OUTCOME,           "outcome")            \
	X(RECORD_SERVER_REQUEST,    "server-request")     \
	X(RECORD_APPROVAL_ASKED,    "approval-asked")     \
	X(RECORD_APPROVAL_ANSWERED, "approval-answered")  \
	X(RECORD_APPROVAL_CLOSED,   "approval-closed")    \
	X(RECORD_NOTICE_LOST,       "notice-lost")        \
	X(RECORD_GLASS_ASKED,       "break-glass-asked")    \
	X(RECORD_GLASS_OPENED,      "break-glass-opened")   \
	X(RECORD_GLASS_CLOSED,      "break-glass-closed")   \
	X(RECORD_GLASS_REVIEWED,    "break-glass-reviewed") \
	X(RECORD_KILL,              "kill")               \
	X(RECORD_KILL_RECEIPT,      "kill-receipt")       \
	X(RECORD_TOKEN_KEY,         "token-key")          \
	X(RECORD_PROVIDER_TOKEN,    "provider-token")     \
	X(RECORD_SECURITY_EVENT,    "security-event")     \
	X(RECORD_FINDING_OPENED,    "finding-opened")     \
	X(RECORD_FINDING_CLOSED,    "finding-closed")     \
	X(RECORD_REVIEW_DUE,        "review-due")         \
	X(RECORD_REVIEW_DONE,       "review-done")        \
	X(RECORD_REVIEW_ITEMS,      "review-items")       \
	X(RECORD_REVIEW_OPENED,     "review-opened")      \
	X(RECORD_REVIEW_DECIDED,    "review-decided")     \
	X(RECORD_REVIEW_DELEGATED,  "review-delegated")   \
	X(RECORD_REVIEW_REMINDED,   "review-reminded")    \
	X(RECORD_REVIEW_CLOSED,     "review-closed")      \
	X(RECORD_RECORDS_VIOLATED,  "records-violated")   \
	X(RECORD_WAIVER_ASKED,      "waiver-asked")       \
	X(RECORD_WAIVER_APPROVED,   "waiver-approved")    \
	X(RECORD_WAIVER_ENDED,      "waiver-ended")       \
	X(RECORD_POSTURE_FIGURES,   "posture-figures")    \
	X(RECORD_MEASURED,          "measured")           \
	X(RECORD_INVENTORY_PART,     "inventory-part")     \
	X(RECORD_INVENTORY_IMPORTED, "inventory-imported") \
	X(RECORD_INVENTORY_UNDONE,   "inventory-undone")   \
	X(RECORD_INVENTORY_DROPPED,  "inventory-dropped")  \
	X(RECORD_EXCESS_WAIVED,     "excess-waived")      \
	X(RECORD_INVENTORY_CONTAINED, "inventory-contained") \
	X(RECORD_INVENTORY_RELEASED, "inventory-released") \
	X(RECORD_CONTAINMENT_CALLED, "containment-called") \
	X(RECORD_CONTAINMENT_ANSWERED, "containment-answered") \
	X(RECORD_GRAPH_USES,        "graph-uses")         \
	X(RECORD_REVIEW_LOOKED,     "review-looked")      \
	X(RECORD_ERASED,            "erased")             \
	X(RECORD_BACKUP,            "backup")             \
	X(RECORD_RESTORE,           "restore")
/* clang-format on */

/* Zero is a type this version does not know: kept and verified, never acted on. */
enum record_type {
	RECORD_TYPE_UNKNOWN = 0,
#define RECORD_TYPE_MEMBER(name, word) name,
	RECORD_TYPES(RECORD_TYPE_MEMBER)
#undef RECORD_TYPE_MEMBER
		RECORD_TYPE_COUNT
};

/* The common members of one record; texts are borrowed from the JSON value. */
struct envelope {
	int64_t at_utc_ms;
	enum record_type type;
	struct text type_name;
	struct text actor;   /* "person:ana@example.com", "identity:x", "uid:0", "remit" */
	struct text task;    /* .data is NULL when the record belongs to no task */
	struct text content; /* "sha256:…" of the bytes kept beside the log, or .data NULL */
};

const char *record_type_name(enum record_type type);
enum record_type record_type_of(struct text name);

/* Starts a record: puts at, type, actor and, unless task.data is NULL, task.
 * The caller puts its own members and seals. */
void envelope_start(
	struct json_builder *record, struct arena *arena, const struct envelope *common);

/* Reads and checks the common members; unknown members are allowed.
 * Errors: INVALID. */
bool envelope_read(struct envelope *out, const struct json *record, struct error *err) MUST_CHECK;

/* The same of members that were not read from a record.  Errors: INVALID. */
bool envelope_check(const struct envelope *common, struct error *err) MUST_CHECK;

/* The name of the person that an actor is, borrowed; empty: it is none. */
struct text actor_person(struct text actor);

/* Parses an entry's bytes: strict JSON, canonical form, common members.
 * record may be NULL.  Errors: INVALID, LIMIT. */
bool envelope_parse(struct envelope *out, struct json *record, struct arena *arena,
	struct text entry, struct error *err) MUST_CHECK;

#endif

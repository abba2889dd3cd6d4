#ifndef DOMAIN_CONTROL_CHECK_H
#define DOMAIN_CONTROL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "domain/charter/registry.h"
#include "domain/control/key_holders.h"
#include "domain/graph/graph.h"

/* Checks: each asks one question about one subject, an entry of the registry or a node of
 * the graph, and reads no more than what touches it (docs/posture-checks.md says exactly
 * what).  Pure: what is registered, what was seen, and the time. */

/* X(value, word, severity, what is wrong). */
/* clang-format off */
#define CONTROL_CHECKS(X) \
	X(CHECK_OWNER_GONE, "owner-gone", RISK_HIGH, "its owner is not here") \
	X(CHECK_BACKUP_GONE, "backup-gone", RISK_MEDIUM, \
	  "its backup owner is not here, or is its owner") \
	X(CHECK_PURPOSE_MISSING, "purpose-missing", RISK_MEDIUM, "it has no purpose or no class") \
	X(CHECK_LINE_ABOVE_CLASS, "line-above-class", RISK_HIGH, \
	  "a line has an effect that its class does not permit") \
	X(CHECK_CHARTER_OVER, "charter-over", RISK_HIGH, "it is active and its charter is over") \
	X(CHECK_DORMANT, "dormant", RISK_MEDIUM, "it was not used for 45 days") \
	X(CHECK_SANDBOX_ESCAPE, "sandbox-escape", RISK_HIGH, \
	  "a sandbox has no end, is over, or comes near production") \
	X(CHECK_RISK_MISSING, "risk-missing", RISK_MEDIUM, "it has no risk or no impact") \
	X(CHECK_REVIEW_MISSING, "review-missing", RISK_LOW, "its charter has no review") \
	X(CHECK_RISK_UNACCEPTED, "risk-unaccepted", RISK_MEDIUM, \
	  "nobody who is here accepts what is left of its risk") \
	X(CHECK_REVIEW_OVERDUE, "review-overdue", RISK_MEDIUM, \
	  "people had to look at it again by now") \
	X(CHECK_KEY_ENDLESS, "key-endless", RISK_MEDIUM, \
	  "a key or certificate of its charter has no end") \
	X(CHECK_TOKEN_UNBOUND, "token-unbound", RISK_HIGH, \
	  "its tokens for prod are bound to nothing") \
	X(CHECK_SECRET_STATIC, "secret-static", RISK_MEDIUM, "it is sent a secret without an end") \
	X(CHECK_KEY_SHARED, "key-shared", RISK_HIGH, \
	  "a key of its charter is another identity's, too") \
	X(CHECK_KEY_ACROSS, "key-across", RISK_HIGH, \
	  "a key of its charter is for prod and for another environment") \
	X(CHECK_ANSWERS_AS_PERSON, "answers-as-person", RISK_HIGH, \
	  "a key or a rule of its charter is also a person's, so it could answer what it asks") \
	X(CHECK_RULE_WILDCARD, "rule-wildcard", RISK_HIGH, \
	  "a rule of federation fits many subjects and holds on to no claim") \
	X(CHECK_RULE_DANGLING, "rule-dangling", RISK_MEDIUM, \
	  "a rule of federation names an issuer that is not in force") \
	X(CHECK_RULE_BY_NAME, "rule-by-name", RISK_MEDIUM, \
	  "a rule of federation holds on to a name that can be taken over") \
	X(CHECK_ISSUER_UNOWNED, "issuer-unowned", RISK_MEDIUM, "nobody of its unit is here") \
	X(CHECK_LINE_IRREVERSIBLE, "line-irreversible", RISK_HIGH, \
	  "a line does what cannot be taken back, without an approval") \
	X(CHECK_LINE_UNCHECKED, "line-unchecked", RISK_HIGH, \
	  "a line writes or executes at high risk, without an approval") \
	X(CHECK_TOOL_UNPINNED, "tool-unpinned", RISK_HIGH, "its definition is not pinned") \
	X(CHECK_REVERSAL_UNSAID, "reversal-unsaid", RISK_MEDIUM, \
	  "nothing says how its actions are taken back") \
	X(CHECK_SOURCE_UNLABELLED, "source-unlabelled", RISK_MEDIUM, "it has no sensitivity") \
	X(CHECK_CUSTODIAN_GONE, "custodian-gone", RISK_MEDIUM, "its custodian is not here") \
	X(CHECK_CUSTODIAN_NAMED, "custodian-named", RISK_MEDIUM, \
	  "its unit has not agreed to the custodian whom it names") \
	X(CHECK_UNIT_UNGOVERNED, "unit-ungoverned", RISK_HIGH, \
	  "no mandatory guardrail holds in it") \
	X(CHECK_ACCOUNT_UNREGISTERED, "account-unregistered", RISK_MEDIUM, \
	  "it acts and is no registered identity") \
	X(CHECK_GRANT_UNREGISTERED, "grant-unregistered", RISK_MEDIUM, \
	  "it is an OAuth app and no registered identity") \
	X(CHECK_KEY_UNREGISTERED, "key-unregistered", RISK_MEDIUM, \
	  "it is a key and no registered identity") \
	X(CHECK_ACCOUNT_UNTYPED, "account-untyped", RISK_LOW, "nothing says of what kind it is") \
	X(CHECK_ACCOUNT_OWNERLESS, "account-ownerless", RISK_HIGH, "nobody who is here owns it") \
	X(CHECK_EXTERNAL_UNONBOARDED, "external-unonboarded", RISK_HIGH, \
	  "it is another organisation's and no active identity") \
	X(CHECK_GRANT_UNUSED, "grant-unused", RISK_MEDIUM, \
	  "its access was not used for 90 days, another organisation's for 30") \
	X(CHECK_GRANT_WIDE, "grant-wide", RISK_MEDIUM, \
	  "it is used, and may write or execute what it never does") \
	X(CHECK_PERMISSION_UNEXPLAINED, "permission-unexplained", RISK_MEDIUM, \
	  "nothing says who gave it what it may") \
	X(CHECK_ACCOUNT_SHARED, "account-shared", RISK_HIGH, "two identities or more are it") \
	X(CHECK_IDENTITY_MANY, "identity-many", RISK_MEDIUM, \
	  "it is several accounts of one provider that act by themselves") \
	X(CHECK_ACCOUNT_ALIVE, "account-alive", RISK_HIGH, \
	  "it is suspended or retired, and its account lives") \
	X(CHECK_ACCOUNT_MISSING, "account-missing", RISK_MEDIUM, \
	  "its charter names an account that does not live") \
	X(CHECK_HOP_UNREVIEWED, "hop-unreviewed", RISK_MEDIUM, \
	  "no review in its time has judged all that it may") \
	X(CHECK_EXCESS_OPEN, "excess-open", RISK_MEDIUM, \
	  "its accounts open what it does not declare, and nobody waived it") \
	X(CHECK_HAND_UNDECLARED, "hand-undeclared", RISK_HIGH, \
	  "it handed work to an identity that its charter does not name") \
	X(CHECK_FAR_END_UNKNOWN, "far-end-unknown", RISK_LOW, \
	  "it is only named, and nothing has it") \
	X(CHECK_CREDENTIAL_EXPOSED, "credential-exposed", RISK_CRITICAL, \
	  "it was seen where it must not be, and lives") \
	X(CHECK_CREDENTIAL_SHARED, "credential-shared", RISK_HIGH, "it has two holders or more") \
	X(CHECK_CREDENTIAL_ACROSS, "credential-across", RISK_HIGH, \
	  "it is for prod and for another environment") \
	X(CHECK_CREDENTIAL_UNMANAGED, "credential-unmanaged", RISK_MEDIUM, \
	  "it is static and lies in no manager") \
	X(CHECK_CREDENTIAL_ENDLESS, "credential-endless", RISK_MEDIUM, \
	  "it is static and has no end") \
	X(CHECK_CREDENTIAL_OWNERLESS, "credential-ownerless", RISK_HIGH, \
	  "nobody who is here answers for it") \
	X(CHECK_CREDENTIAL_STRAY, "credential-stray", RISK_MEDIUM, "nothing is known to hold it") \
	X(CHECK_CHARTER_UNRECORDED, "charter-unrecorded", RISK_CRITICAL, \
	  "no record puts its charter in force") \
	X(CHECK_CHARTER_DIFFERS, "charter-differs", RISK_CRITICAL, \
	  "what is enforced of it is not what its record says") \
	X(CHECK_FRESHNESS, "freshness", RISK_HIGH, "it was not evaluated in its time") \
	X(CHECK_MAPPING, "mapping", RISK_HIGH, "it is mapped to an id of a superseded list") \
	X(CHECK_COVERAGE, "coverage", RISK_HIGH, "no passing control answers it")
/* clang-format on */

enum control_check {
	CHECK_NONE = 0,
#define X(name, word, severity, meaning) name,
	CONTROL_CHECKS(X)
#undef X
		CHECK_COUNT
};

/* A set of checks: bits of check_bit. */
typedef uint64_t check_set;
_Static_assert(CHECK_COUNT <= 64, "a set of checks is 64 bits");

static inline check_set check_bit(enum control_check check)
{
	return UINT64_C(1) << check;
}

const char *check_word(enum control_check check); /* NULL for NONE */
enum control_check check_of(struct text word);    /* NONE: no such word */
const char *check_meaning(enum control_check check);
enum risk_tier check_severity(enum control_check check);

enum {
	CHECK_DAY_S = 86400,
	CHECK_DORMANT_S = 45 * CHECK_DAY_S,
	CHECK_UNUSED_S = 90 * CHECK_DAY_S,
	CHECK_UNUSED_EXTERNAL_S = 30 * CHECK_DAY_S,
	CHECK_REVIEW_S = 365 * CHECK_DAY_S, /* where a charter says no `review` */
	CHECK_EDGES_MAX = 100000, /* of one node that are looked at; more count as violated */
};

/* What is known of an identity that is in force, beside what is registered and seen. */
struct identity_facts {
	int64_t looked_utc_s; /* when people last looked at it as a whole; 0: nobody knows */
	int64_t due_utc_s;    /* by when they had to, of all that asks for it; 0: nothing does */
	int64_t judged_utc_s; /* when all that it may was shown to who judged it; 0: never */
	/* Its accounts open something that its charter does not say and nobody waived, or more
	 * than can be looked at. */
	bool has_excess;
};

/* Who knows it; a port. */
struct control_witness {
	void *context;
	void (*identity)(void *context, const struct registry_entry *entry, int64_t now_utc_s,
		struct identity_facts *out);
};

/* What a check may read.  All is borrowed. */
struct control_world {
	const struct registry *registry;
	const struct graph *graph;             /* NULL: nothing was seen */
	const struct key_holders *key_holders; /* NULL: no key is another's */
	const struct control_witness *witness; /* NULL: its checks are not asked */
	int64_t now_utc_s;
	struct arena *scratch; /* what it needs while it looks */
};

/* The checks that are asked about entries and nodes of the kind. */
check_set check_set_of_entry(enum object_kind kind);
check_set check_set_of_node(enum graph_node_kind kind);
/* Those that ask a witness; and those that only the records answer (services/posture). */
check_set check_set_of_witness(void);
check_set check_set_of_proof(void);

/* Those of them that it violates.  Errors: LIMIT. */
bool check_entry(const struct control_world *world, const struct registry_entry *entry,
	check_set *out, struct error *err) MUST_CHECK;
/* An account, a credential, or any node that is only named; of what is registered the entry is
 * asked. */
void check_node(const struct control_world *world, const struct graph_node *node, check_set *out);
/* An identity by its edges; a part of check_entry. */
void check_identity_edges(
	const struct control_world *world, const struct registry_entry *entry, check_set *out);
/* Whether a hop at a provider was in no review that ended with a judgement: because it appeared
 * later, or none was shown (judged_utc_s 0), or because there are more than a review takes. */
bool check_has_new_hop(const struct control_world *world, const struct registry_entry *entry,
	int64_t judged_utc_s);

/* Registered, in force, and has not left. */
bool check_person_is_here(const struct control_world *world, struct text name);

/* One command that repairs or contains it; a copyable line.  .data is NULL without memory. */
struct text check_remedy(struct arena *arena, enum control_check check, struct text subject);

#endif

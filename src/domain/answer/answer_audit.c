/* One pass.  What is kept of each approval is small, and kept to the end: that it was used
 * before must be found however long ago it was. */
#include "domain/answer/answer_audit.h"

#include <stdlib.h>

#include "domain/audit/envelope.h"
#include "domain/charter/name_table.h"
#include "domain/decide/decision.h"
#include "domain/token/jwk.h"

enum { KEEP_BYTES_MAX = 1 << 30 }; /* check-source: bound: of approvals and keys of one log */

struct audit_key {
	struct text person;
	struct public_key *key; /* owned; NULL: revoked, or no key */
	int64_t until_utc_ms;   /* 0: it has no end of its own */
};

struct audit_approval {
	struct text id;
	struct sha256 call;
	struct text identity, task, tool;
	struct text arguments; /* keyed digest, as in the decision: the task's key is one */
	struct text names[DECISION_APPROVALS_MAX];
	size_t names_count;
	struct text yes[DECISION_APPROVALS_MAX]; /* who said yes for the name, first */
	struct text second;                      /* somebody else who said yes */
	struct text first;
	bool has_no;
	bool is_used;
};

struct audit_glass {
	struct text identity, tool, task;
	int64_t expires_utc_ms;
};

struct answer_audit {
	struct arena *keep;
	struct arena *entry;
	struct name_table *keys;
	struct name_table *approvals;
	struct name_table *glasses;
	struct text origin;
	struct answer_figures figures;
	struct answer_finding findings[ANSWER_AUDIT_FINDINGS_MAX];
	size_t findings_count;
};

static const char *const misuse_meanings[] = {
	[ANSWER_USE_NONE] = "",
	[ANSWER_USE_UNKNOWN] = "no such approval was asked for",
	[ANSWER_USE_REFUSED] = "somebody said no",
	[ANSWER_USE_UNCOVERED] = "a name that was asked for has no proven yes",
	[ANSWER_USE_AGAIN] = "another call used it before",
	[ANSWER_USE_OTHER] = "it is of another identity, task or tool, or of other arguments",
	[ANSWER_USE_GLASS] = "by a break-glass that was not open for it",
};

const char *answer_misuse_meaning(enum answer_misuse misuse)
{
	return misuse_meanings[misuse];
}

bool answer_audit_create(struct answer_audit **out, struct error *err)
{
	struct answer_audit *audit = calloc(1, sizeof *audit);

	*out = NULL;
	if (audit == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for approvals");
	audit->keep = arena_create(KEEP_BYTES_MAX);
	audit->entry = arena_create(ANSWER_AUDIT_ENTRY_BYTES_MAX);
	audit->keys = name_table_create();
	audit->approvals = name_table_create();
	audit->glasses = name_table_create();
	if (audit->keep != NULL && audit->entry != NULL && audit->keys != NULL &&
		audit->approvals != NULL && audit->glasses != NULL) {
		*out = audit;
		return true;
	}
	answer_audit_destroy(&audit);
	return error_set(err, ERROR_LIMIT, "no memory for approvals");
}

static void key_destroy(void *value)
{
	struct audit_key *key = value;

	public_key_destroy(&key->key);
}

void answer_audit_destroy(struct answer_audit **audit)
{
	if (*audit == NULL)
		return;
	name_table_destroy(&(*audit)->keys, key_destroy);
	name_table_destroy(&(*audit)->approvals, NULL);
	name_table_destroy(&(*audit)->glasses, NULL);
	arena_destroy(&(*audit)->keep);
	arena_destroy(&(*audit)->entry);
	free(*audit);
	*audit = NULL;
}

struct answer_figures answer_audit_figures(const struct answer_audit *audit)
{
	return audit->figures;
}

size_t answer_audit_findings(
	const struct answer_audit *audit, const struct answer_finding **out_items)
{
	*out_items = audit->findings;
	return audit->findings_count;
}

static bool fail_memory(struct error *err)
{
	return error_set(err, ERROR_LIMIT, "no memory for approvals");
}

/* What is not kept for want of place is counted all the same. */
static void find(struct answer_audit *audit, const struct answer_finding *finding)
{
	struct answer_finding *kept = &audit->findings[audit->findings_count];

	audit->figures.findings++;
	if (audit->findings_count == ANSWER_AUDIT_FINDINGS_MAX)
		return;
	*kept = *finding;
	kept->approval = text_copy(audit->keep, finding->approval);
	kept->person = text_copy(audit->keep, finding->person);
	audit->findings_count++;
}

/* ---- keys and origins ------------------------------------------------------------------ */

static bool take_origin(struct answer_audit *audit, const struct json *record, struct error *err)
{
	struct text origin = json_text_or(record, "origin", "");

	audit->origin = text_copy(audit->keep, origin);
	return audit->origin.data != NULL || fail_memory(err);
}

static bool take_key(struct answer_audit *audit, const struct json *record, struct error *err)
{
	const struct json *jwk = json_find(record, "jwk");
	struct text kid = json_text_or(record, "kid", "");
	struct audit_key *key = kid.length == 0 ? NULL : name_table_find(audit->keys, kid);
	struct error ignored;

	if (kid.length == 0)
		return true;
	if (key == NULL) {
		key = arena_new(audit->keep, struct audit_key);
		if (key == NULL || !name_table_put(audit->keys, kid, key))
			return fail_memory(err);
	}
	public_key_destroy(&key->key);
	key->until_utc_ms = json_integer_or(record, "expires_utc_ms", 0);
	if (jwk == NULL || text_is(json_text_or(record, "verb", ""), "revoke"))
		return true;
	key->person = text_copy(audit->keep, json_text_or(record, "person", ""));
	if (key->person.data == NULL)
		return fail_memory(err);
	/* What is no key signs nothing. */
	return jwk_parse(&key->key, jwk, &ignored) || ignored.code != ERROR_LIMIT ||
	       fail_memory(err);
}

static bool is_live(const struct audit_key *key, int64_t at_utc_ms)
{
	return key != NULL && key->key != NULL &&
	       (key->until_utc_ms == 0 || at_utc_ms < key->until_utc_ms);
}

/* ---- questions ------------------------------------------------------------------------- */

static bool read_names(
	struct answer_audit *audit, struct audit_approval *approval, const struct json *record)
{
	const struct json *names = json_find(record, "names");

	for (uint32_t i = 0; names != NULL && i < names->count && i < DECISION_APPROVALS_MAX; i++) {
		if (names->items[i].type != JSON_STRING)
			continue;
		approval->names[approval->names_count] =
			text_copy(audit->keep, names->items[i].string);
		if (approval->names[approval->names_count++].data == NULL)
			return false;
	}
	return true;
}

static bool take_asked(struct answer_audit *audit, const struct json *record, struct error *err)
{
	struct text id = json_text_or(record, "approval", "");
	struct audit_approval *approval;

	if (id.length == 0 || name_table_find(audit->approvals, id) != NULL)
		return true;
	approval = arena_new(audit->keep, struct audit_approval);
	if (approval == NULL)
		return fail_memory(err);
	approval->id = text_copy(audit->keep, id);
	approval->identity = text_copy(audit->keep, json_text_or(record, "identity", ""));
	approval->task = text_copy(audit->keep, json_text_or(record, "task", ""));
	approval->tool = text_copy(audit->keep, json_text_or(record, "tool", ""));
	approval->arguments = text_copy(audit->keep, json_text_or(record, "arguments", ""));
	if (approval->id.data == NULL || approval->identity.data == NULL ||
		approval->task.data == NULL || approval->tool.data == NULL ||
		approval->arguments.data == NULL || !read_names(audit, approval, record) ||
		!name_table_put(audit->approvals, id, approval))
		return fail_memory(err);
	/* Without a digest no answer can be of it. */
	if (!digest_parse(json_text_or(record, "call", ""), &approval->call))
		approval->call = (struct sha256){0};
	return true;
}

/* ---- answers --------------------------------------------------------------------------- */

static struct text person_of(const struct json *record)
{
	return actor_person(json_text_or(record, "actor", ""));
}

static enum answer_verb verb_of(const struct json *record)
{
	struct text answer = json_text_or(record, "answer", "");

	return text_is(answer, "yes")      ? ANSWER_APPROVE
	       : text_is(answer, "edited") ? ANSWER_EDIT
					   : ANSWER_REJECT;
}

static enum answer_fault check_answer(struct answer_audit *audit, const struct json *record,
	const struct audit_approval *approval)
{
	const struct answer_proof proof = {.signature = json_text_or(record, "signature", ""),
		.body = json_text_or(record, "signed", "")};
	const struct answer_claim claim = {.person = person_of(record),
		.approval = approval->id,
		.call = approval->call,
		.verb = verb_of(record),
		.at_utc_ms = json_integer_or(record, "at", 0),
		.installation = audit->origin};
	struct request_signature signature;
	const struct audit_key *key;
	enum answer_fault fault = answer_proof_read(&signature, audit->entry, &proof);

	if (fault != ANSWER_PROVEN)
		return fault;
	key = name_table_find(audit->keys, signature.key_id);
	if (!is_live(key, claim.at_utc_ms) || !text_equal(key->person, claim.person))
		return ANSWER_NOT_THEIRS;
	if (audit->origin.length == 0)
		return ANSWER_FORGED; /* a log without a beginning says nothing of where */
	return answer_proof_check(&signature, key->key, &proof, &claim, audit->entry);
}

/* A proven yes, for the names it was given for. */
static bool take_yes(struct answer_audit *audit, struct audit_approval *approval,
	const struct json *record, struct error *err)
{
	const struct json *names = json_find(record, "names");
	struct text person = text_copy(audit->keep, person_of(record));

	if (person.data == NULL)
		return fail_memory(err);
	if (approval->first.length == 0)
		approval->first = person;
	else if (!text_equal(approval->first, person))
		approval->second = person;
	for (uint32_t i = 0; names != NULL && i < names->count; i++)
		for (size_t k = 0; k < approval->names_count; k++)
			if (names->items[i].type == JSON_STRING &&
				text_equal(names->items[i].string, approval->names[k]))
				approval->yes[k] = person;
	return true;
}

static bool take_answer(
	struct answer_audit *audit, uint64_t index, const struct json *record, struct error *err)
{
	struct text id = json_text_or(record, "approval", "");
	struct audit_approval *approval =
		id.length == 0 ? NULL : name_table_find(audit->approvals, id);
	struct answer_finding finding = {
		.index = index, .approval = id, .person = person_of(record)};

	audit->figures.answers++;
	if (approval == NULL) {
		finding.fault = ANSWER_OTHER_CALL;
		find(audit, &finding);
		return true;
	}
	if (verb_of(record) != ANSWER_APPROVE)
		approval->has_no = true;
	finding.fault = check_answer(audit, record, approval);
	switch (finding.fault) {
	case ANSWER_PROVEN:
		audit->figures.proven++;
		return verb_of(record) != ANSWER_APPROVE || take_yes(audit, approval, record, err);
	case ANSWER_UNSIGNED: audit->figures.unsigned_answers++; return true;
	case ANSWER_MALFORMED:
	case ANSWER_NOT_THEIRS:
	case ANSWER_FORGED:
	case ANSWER_OTHER_PLACE:
	case ANSWER_OTHER_CALL: break;
	}
	find(audit, &finding);
	return true;
}

/* ---- break-glass ----------------------------------------------------------------------- */

/* Whether the actor's key signed the request the record keeps. */
static enum answer_fault check_signed(struct answer_audit *audit, const struct json *record)
{
	const struct answer_proof proof = {.signature = json_text_or(record, "signature", ""),
		.body = json_text_or(record, "signed", "")};
	struct request_signature signature;
	const struct audit_key *key;
	enum answer_fault fault = answer_proof_read(&signature, audit->entry, &proof);
	struct signed_request request = {
		.audience = audit->origin, .method = TEXT("POST"), .body = proof.body};

	if (fault != ANSWER_PROVEN)
		return fault;
	key = name_table_find(audit->keys, signature.key_id);
	if (!is_live(key, json_integer_or(record, "at", 0)) ||
		!text_equal(key->person, person_of(record)) ||
		!text_equal(signature.person, person_of(record)))
		return ANSWER_NOT_THEIRS;
	request.url = json_text_or(&signature.jws.claims, "htu", "");
	return request_signature_check(&signature, key->key, &request,
		       json_integer_or(record, "at", 0) / 1000) == TOKEN_ACCEPTED
		       ? ANSWER_PROVEN
		       : ANSWER_FORGED;
}

static bool glass_put(struct answer_audit *audit, const struct json *record, struct error *err)
{
	struct text id = json_text_or(record, "break-glass", "");
	struct audit_glass *glass = arena_new(audit->keep, struct audit_glass);

	if (id.length == 0 || name_table_find(audit->glasses, id) != NULL)
		return true;
	if (glass == NULL)
		return fail_memory(err);
	glass->identity = text_copy(audit->keep, json_text_or(record, "identity", ""));
	glass->tool = text_copy(audit->keep, json_text_or(record, "tool", ""));
	glass->task = text_copy(audit->keep, json_text_or(record, "task", ""));
	glass->expires_utc_ms = json_integer_or(record, "expires", 0);
	return (glass->identity.data != NULL && glass->tool.data != NULL &&
		       glass->task.data != NULL && name_table_put(audit->glasses, id, glass)) ||
	       fail_memory(err);
}

/* Asked for or opened; only what was signed opens anything. */
static bool take_glass(
	struct answer_audit *audit, uint64_t index, const struct json *record, struct error *err)
{
	struct answer_finding finding = {.index = index,
		.approval = json_text_or(record, "break-glass", ""),
		.person = person_of(record),
		.fault = check_signed(audit, record)};

	if (finding.fault != ANSWER_PROVEN) {
		find(audit, &finding);
		return true;
	}
	return text_is(json_text_or(record, "type", ""), "break-glass-asked") ||
	       glass_put(audit, record, err);
}

static bool is_same_or_any(struct text of_glass, struct text of_call)
{
	return of_glass.length == 0 || text_equal(of_glass, of_call);
}

/* By the moment it was decided.  That it was closed early is not held against what was on its
 * way to the log by then. */
static void take_broken(
	struct answer_audit *audit, uint64_t index, const struct json *record, struct text id)
{
	const struct audit_glass *glass = name_table_find(audit->glasses, id);
	int64_t at = json_integer_or(record, "decided", json_integer_or(record, "at", 0));
	const struct answer_finding finding = {
		.index = index, .approval = id, .fault = ANSWER_PROVEN, .misuse = ANSWER_USE_GLASS};

	audit->figures.broken++;
	if (glass == NULL || at >= glass->expires_utc_ms ||
		!text_equal(glass->identity, json_text_or(record, "identity", "")) ||
		!is_same_or_any(glass->tool, json_text_or(record, "tool", "")) ||
		!is_same_or_any(glass->task, json_text_or(record, "task", "")))
		find(audit, &finding);
}

/* ---- uses ------------------------------------------------------------------------------ */

static bool is_covered(const struct audit_approval *approval)
{
	for (size_t i = 0; i < approval->names_count; i++) {
		if (approval->yes[i].length == 0)
			return false;
		if (text_is(approval->names[i], "second") && approval->second.length == 0)
			return false;
	}
	return approval->names_count > 0;
}

static enum answer_misuse judge(const struct audit_approval *approval, const struct json *record)
{
	if (approval == NULL)
		return ANSWER_USE_UNKNOWN;
	if (!text_equal(approval->identity, json_text_or(record, "identity", "")) ||
		!text_equal(approval->task, json_text_or(record, "task", "")) ||
		!text_equal(approval->tool, json_text_or(record, "tool", "")) ||
		!text_equal(approval->arguments, json_text_or(record, "arguments", "")))
		return ANSWER_USE_OTHER;
	if (approval->is_used)
		return ANSWER_USE_AGAIN;
	if (approval->has_no)
		return ANSWER_USE_REFUSED;
	return is_covered(approval) ? ANSWER_USE_NONE : ANSWER_USE_UNCOVERED;
}

static void take_decision(struct answer_audit *audit, uint64_t index, const struct json *record)
{
	struct text id = json_text_or(record, "approval", "");
	struct text glass = json_text_or(record, "break-glass", "");
	struct audit_approval *approval;
	struct answer_finding finding = {.index = index, .approval = id, .fault = ANSWER_PROVEN};

	if (glass.length != 0 && text_is(json_text_or(record, "verdict", ""), "allow"))
		take_broken(audit, index, record, glass);
	if (id.length == 0 || !text_is(json_text_or(record, "verdict", ""), "allow"))
		return;
	approval = name_table_find(audit->approvals, id);
	audit->figures.uses++;
	finding.misuse = judge(approval, record);
	if (approval != NULL)
		approval->is_used = true;
	if (finding.misuse == ANSWER_USE_NONE)
		audit->figures.backed++;
	else
		find(audit, &finding);
}

static bool take(
	struct answer_audit *audit, uint64_t index, const struct json *record, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	if (text_is(type, "genesis") || text_is(type, "restore"))
		return take_origin(audit, record, err);
	if (text_is(type, "person-key"))
		return take_key(audit, record, err);
	if (text_is(type, "approval-asked"))
		return take_asked(audit, record, err);
	if (text_is(type, "approval-answered"))
		return take_answer(audit, index, record, err);
	if (text_is(type, "break-glass-asked") || text_is(type, "break-glass-opened"))
		return take_glass(audit, index, record, err);
	if (text_is(type, "decision"))
		take_decision(audit, index, record);
	return true;
}

bool answer_audit_feed(
	struct answer_audit *audit, uint64_t index, struct text entry, struct error *err)
{
	struct error ignored = {0};
	struct json record;
	bool ok = true;

	if (json_parse(&record, audit->entry, entry, &json_limits_default, &ignored))
		ok = take(audit, index, &record, err);
	arena_reset(audit->entry);
	return ok;
}

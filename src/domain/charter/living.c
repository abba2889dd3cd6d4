#include "domain/charter/living.h"

static const char *const change_words[LIVING_CHANGE_COUNT] = {
#define X(name, word) [name] = word,
	LIVING_CHANGES(X)
#undef X
};
static const char *const cause_words[REVIEW_CAUSE_COUNT] = {
#define X(name, word, kind) [name] = word,
	REVIEW_CAUSES(X)
#undef X
};
enum cause_kind { CAUSE_ONCE = 0, CAUSE_DUE };
static const enum cause_kind cause_kinds[REVIEW_CAUSE_COUNT] = {
#define X(name, word, kind) [name] = kind,
	REVIEW_CAUSES(X)
#undef X
};

const char *living_change_word(enum living_change change)
{
	return change < LIVING_CHANGE_COUNT ? change_words[change] : NULL;
}

enum living_change living_change_of(struct text word)
{
	for (unsigned i = 1; i < LIVING_CHANGE_COUNT; i++)
		if (text_is(word, change_words[i]))
			return (enum living_change)i;
	return LIVING_NOTHING;
}

const char *review_cause_word(enum review_cause cause)
{
	return cause < REVIEW_CAUSE_COUNT ? cause_words[cause] : NULL;
}

enum review_cause review_cause_of(struct text word)
{
	for (unsigned i = 1; i < REVIEW_CAUSE_COUNT; i++)
		if (text_is(word, cause_words[i]))
			return (enum review_cause)i;
	return REVIEW_NONE;
}

bool review_cause_is_due(enum review_cause cause)
{
	return cause < REVIEW_CAUSE_COUNT && cause_kinds[cause] == CAUSE_DUE;
}

/* ---- what changed ---- */

/* Which members of a kind's document are which change; what is not here changes nothing that
 * others relied on. */
struct telling_member {
	enum object_kind kind;
	const char *name;
	enum living_change change;
};

static const struct telling_member members[] = {
	{OBJECT_TOOL, "definition", LIVING_DEFINITION},
	{OBJECT_TOOL, "effect", LIVING_EFFECT},
	{OBJECT_TOOL, "reads", LIVING_READS},
	{OBJECT_TOOL, "results", LIVING_RESULTS},
	{OBJECT_TOOL, "targets", LIVING_RESULTS},
	{OBJECT_TOOL, "risk", LIVING_TIER},
	{OBJECT_DATA_SOURCE, "sensitivity", LIVING_SENSITIVITY},
	{OBJECT_DATA_SOURCE, "concerns", LIVING_SENSITIVITY},
	{OBJECT_DATA_SOURCE, "trust", LIVING_TRUST},
	{OBJECT_DATA_SOURCE, "location", LIVING_LOCATION},
	{OBJECT_DATA_SOURCE, "at", LIVING_LOCATION},
	{OBJECT_DATA_SOURCE, "environment", LIVING_LOCATION},
	{OBJECT_DATA_SOURCE, "unit", LIVING_UNIT},
	{OBJECT_DATA_SOURCE, "custodian", LIVING_OWNER},
	{OBJECT_SERVER, "transport", LIVING_LOCATION},
	{OBJECT_SERVER, "environment", LIVING_LOCATION},
	{OBJECT_SERVER, "models", LIVING_MODELS},
	{OBJECT_SERVER, "unit", LIVING_UNIT},
	{OBJECT_IDENTITY, "owner", LIVING_OWNER},
	{OBJECT_IDENTITY, "backup-owner", LIVING_OWNER},
	{OBJECT_IDENTITY, "model", LIVING_MODELS},
	{OBJECT_IDENTITY, "vendor", LIVING_VENDOR},
	{OBJECT_IDENTITY, "versions", LIVING_VENDOR},
	{OBJECT_IDENTITY, "unit", LIVING_UNIT},
};

static bool is_same(const struct json *before, const struct json *after)
{
	if (before == NULL || after == NULL)
		return before == after;
	return json_equal(before, after);
}

static uint32_t changes_between(
	enum object_kind kind, const struct json *before, const struct json *after)
{
	uint32_t changes = 0;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].kind == kind && !is_same(json_find(before, members[i].name),
						       json_find(after, members[i].name)))
			changes |= 1u << members[i].change;
	return changes;
}

/* All of its kind: what cannot be compared counts as changed. */
static uint32_t changes_of_kind(enum object_kind kind)
{
	uint32_t changes = 0;

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (members[i].kind == kind)
			changes |= 1u << members[i].change;
	return changes;
}

uint32_t living_changes(const struct object *before, const struct object *after)
{
	const struct object *old_whole, *new_whole;
	uint32_t changes;

	if (before == NULL || after == NULL || before->kind != after->kind ||
		!text_equal(before->name, after->name))
		return 0;
	old_whole = object_whole(before);
	new_whole = object_whole(after);
	changes = old_whole == NULL || new_whole == NULL
			  ? changes_of_kind(before->kind)
			  : changes_between(before->kind, &old_whole->as_read, &new_whole->as_read);
	object_release(&old_whole);
	object_release(&new_whole);
	return changes;
}

static enum review_cause cause_of_its_own(uint32_t what)
{
	if ((what & (1u << LIVING_OWNER | 1u << LIVING_UNIT)) != 0)
		return REVIEW_OWNER;
	return (what & 1u << LIVING_VENDOR) != 0 ? REVIEW_VENDOR : REVIEW_MODEL;
}

enum review_cause living_cause(const struct object *object, uint32_t what, enum living_whose whose)
{
	switch (object->kind) {
	case OBJECT_TOOL: return REVIEW_TOOL;
	case OBJECT_DATA_SOURCE: return REVIEW_SOURCE;
	case OBJECT_SERVER:
		return speaks_is_provider(object->server->speaks) ? REVIEW_MODEL : REVIEW_TOOL;
	case OBJECT_IDENTITY:
		return whose == LIVING_OF_ITS_OWN ? cause_of_its_own(what) : REVIEW_PEER;
	case OBJECT_PERSON:
	case OBJECT_UNIT:
	case OBJECT_POLICY:
	case OBJECT_APPLICATION:
	case OBJECT_ISSUER:
	case OBJECT_CONNECTOR:
	case OBJECT_KIND_COUNT:
	case OBJECT_NONE: break;
	}
	return REVIEW_NONE;
}

/* ---- when ---- */

int64_t review_term_s(enum risk_tier risk)
{
	switch (risk) {
	case RISK_LOW: return 30 * 86400;
	case RISK_MEDIUM: return 14 * 86400;
	case RISK_HIGH: return 7 * 86400;
	case RISK_CRITICAL:
	case RISK_NONE: break;
	}
	return 3 * 86400;
}

int64_t review_due_utc_s(const struct charter *charter, int64_t looked_utc_s, int64_t now_utc_s)
{
	if (charter->review_s == 0)
		return 0;
	return looked_utc_s == 0 ? now_utc_s + review_term_s(charter->risk)
				 : looked_utc_s + charter->review_s;
}

bool review_is_near(int64_t due_utc_s, int64_t span_s, int64_t now_utc_s)
{
	int64_t notice_s = span_s / 4 < REVIEW_NOTICE_S ? span_s / 4 : REVIEW_NOTICE_S;

	return now_utc_s >= due_utc_s - notice_s;
}

/* ---- accepted risk ---- */

uint32_t risk_accepters_needed(enum risk_tier risk)
{
	return risk == RISK_CRITICAL ? 2 : 1;
}

bool charter_has_risk_record(const struct charter *charter)
{
	return charter->risk_record.residual != RISK_NONE;
}

bool risk_is_accepted(const struct charter *charter, int64_t now_utc_s)
{
	const struct charter_risk *record = &charter->risk_record;

	return charter_has_risk_record(charter) &&
	       record->accepted_by_count >= risk_accepters_needed(charter->risk) &&
	       now_utc_s < record->accepted_until_utc_s;
}

#include "domain/control/check.h"

static const struct {
	const char *word;
	enum risk_tier severity;
	const char *meaning;
} rows[CHECK_COUNT] = {
#define X(name, word, severity, meaning) [name] = {word, severity, meaning},
	CONTROL_CHECKS(X)
#undef X
};

const char *check_word(enum control_check check)
{
	return rows[check].word;
}

const char *check_meaning(enum control_check check)
{
	return rows[check].meaning;
}

enum risk_tier check_severity(enum control_check check)
{
	return rows[check].severity;
}

enum control_check check_of(struct text word)
{
	for (int i = CHECK_NONE + 1; i < CHECK_COUNT; i++)
		if (text_is(word, rows[i].word))
			return i;
	return CHECK_NONE;
}

#define BIT(check) (UINT64_C(1) << (check))
#define RANGE(first, last) ((BIT(last) | (BIT(last) - 1)) & ~(BIT(first) - 1))

/* clang-format off */
static const check_set of_entries[OBJECT_KIND_COUNT] = {
	[OBJECT_IDENTITY] = (RANGE(CHECK_OWNER_GONE, CHECK_LINE_UNCHECKED) |
		RANGE(CHECK_IDENTITY_MANY, CHECK_HAND_UNDECLARED)) &
		~(BIT(CHECK_SECRET_STATIC) | BIT(CHECK_ISSUER_UNOWNED)),
	[OBJECT_SERVER] = BIT(CHECK_SECRET_STATIC),
	[OBJECT_TOOL] = RANGE(CHECK_TOOL_UNPINNED, CHECK_REVERSAL_UNSAID),
	[OBJECT_DATA_SOURCE] = RANGE(CHECK_SOURCE_UNLABELLED, CHECK_CUSTODIAN_NAMED),
	[OBJECT_ISSUER] = BIT(CHECK_ISSUER_UNOWNED),
	[OBJECT_UNIT] = BIT(CHECK_UNIT_UNGOVERNED),
};
/* clang-format on */

check_set check_set_of_entry(enum object_kind kind)
{
	return of_entries[kind];
}

check_set check_set_of_witness(void)
{
	return BIT(CHECK_REVIEW_OVERDUE) | RANGE(CHECK_HOP_UNREVIEWED, CHECK_EXCESS_OPEN);
}

check_set check_set_of_proof(void)
{
	return RANGE(CHECK_CHARTER_UNRECORDED, CHECK_CHARTER_DIFFERS);
}

check_set check_set_of_node(enum graph_node_kind kind)
{
	if (kind == GRAPH_NODE_NONE || kind == GRAPH_NODE_PERSON)
		return 0;
	if (kind == GRAPH_NODE_ACCOUNT)
		return RANGE(CHECK_ACCOUNT_UNREGISTERED, CHECK_ACCOUNT_SHARED) |
		       BIT(CHECK_FAR_END_UNKNOWN);
	if (kind == GRAPH_NODE_CREDENTIAL)
		return RANGE(CHECK_FAR_END_UNKNOWN, CHECK_CREDENTIAL_STRAY);
	return BIT(CHECK_FAR_END_UNKNOWN);
}

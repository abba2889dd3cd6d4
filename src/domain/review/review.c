/* Words, the measure of risk, and whose word is enough. */
#include "domain/review/review.h"

static const char *const kind_words[REVIEW_ITEM_KIND_COUNT] = {
	[REVIEW_ITEM_ENTITLEMENT] = "entitlement",
	[REVIEW_ITEM_PEER] = "peer",
	[REVIEW_ITEM_CREDENTIAL] = "credential",
	[REVIEW_ITEM_FEDERATION] = "federation",
	[REVIEW_ITEM_CONSENT] = "consent",
	[REVIEW_ITEM_INHERITED] = "inherited",
};

static const char *const choice_words[REVIEW_CHOICE_COUNT] = {
	[REVIEW_CHOICE_LOOK] = "look",
	[REVIEW_CHOICE_KEEP] = "keep",
	[REVIEW_CHOICE_REDUCE] = "reduce",
	[REVIEW_CHOICE_TRIAL] = "trial-revoke",
	[REVIEW_CHOICE_REVOKE] = "revoke",
	[REVIEW_CHOICE_REASSIGN] = "reassign",
	[REVIEW_CHOICE_RESTORE] = "restore",
};

static const char *const state_words[REVIEW_STATE_COUNT] = {
	[REVIEW_STATE_OPEN] = "open",
	[REVIEW_STATE_AGREED] = "agreed",
	[REVIEW_STATE_KEPT] = "kept",
	[REVIEW_STATE_REDUCED] = "reduced",
	[REVIEW_STATE_TRIAL] = "trial",
	[REVIEW_STATE_REVOKED] = "revoked",
	[REVIEW_STATE_RESTORED] = "restored",
	[REVIEW_STATE_EXCEPTION] = "exception",
};

/* The value of a word among `count`; 0: none of them. */
static unsigned value_of(const char *const *words, unsigned count, struct text word)
{
	for (unsigned i = 0; i < count; i++)
		if (words[i] != NULL && text_is(word, words[i]))
			return i;
	return 0;
}

const char *review_item_kind_word(enum review_item_kind kind)
{
	return (size_t)kind < REVIEW_ITEM_KIND_COUNT ? kind_words[kind] : NULL;
}

enum review_item_kind review_item_kind_of(struct text word)
{
	return (enum review_item_kind)value_of(kind_words, REVIEW_ITEM_KIND_COUNT, word);
}

const char *review_choice_word(enum review_choice choice)
{
	return (size_t)choice < REVIEW_CHOICE_COUNT ? choice_words[choice] : NULL;
}

enum review_choice review_choice_of(struct text word)
{
	return (enum review_choice)value_of(choice_words, REVIEW_CHOICE_COUNT, word);
}

const char *review_state_word(enum review_state state)
{
	return (size_t)state < REVIEW_STATE_COUNT ? state_words[state] : NULL;
}

enum review_state review_state_of(struct text word)
{
	return (enum review_state)value_of(state_words, REVIEW_STATE_COUNT, word);
}

enum charter_part review_item_part(enum review_item_kind kind)
{
	switch (kind) {
	case REVIEW_ITEM_ENTITLEMENT: return CHARTER_PART_ENTITLEMENT;
	case REVIEW_ITEM_PEER: return CHARTER_PART_PEER;
	case REVIEW_ITEM_CREDENTIAL: return CHARTER_PART_KEY;
	case REVIEW_ITEM_FEDERATION: return CHARTER_PART_RULE;
	case REVIEW_ITEM_CONSENT: return CHARTER_PART_ACTING;
	case REVIEW_ITEM_INHERITED:
	case REVIEW_ITEM_NONE:
	case REVIEW_ITEM_KIND_COUNT: break;
	}
	return CHARTER_PART_NONE;
}

bool review_choice_takes(enum review_choice choice)
{
	return choice == REVIEW_CHOICE_REDUCE || choice == REVIEW_CHOICE_TRIAL ||
	       choice == REVIEW_CHOICE_REVOKE;
}

bool review_state_is_settled(enum review_state state)
{
	return state != REVIEW_STATE_OPEN && state != REVIEW_STATE_AGREED;
}

/* ---- the measure of risk ---- */

static int64_t effect_weight(enum effect effect)
{
	switch (effect) {
	case EFFECT_READ:
	case EFFECT_GENERATE: return 1;
	case EFFECT_DELEGATE: return 2;
	case EFFECT_WRITE: return 3;
	case EFFECT_EXECUTE:
	case EFFECT_NONE: break; /* what is not known counts most */
	}
	return 4;
}

static int64_t effects_weight(const struct review_weighed *weighed)
{
	int64_t weight = 0;

	if (weighed->effects == 0)
		return effect_weight(weighed->effect);
	for (int effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if ((weighed->effects & (UINT32_C(1) << effect)) != 0 &&
			effect_weight((enum effect)effect) > weight)
			weight = effect_weight((enum effect)effect);
	return weight;
}

static int64_t reach_weight(const struct review_weighed *weighed)
{
	enum { HANDED_BY_MAX = 4 };
	int64_t handed_by = weighed->handed_by > HANDED_BY_MAX ? HANDED_BY_MAX : weighed->handed_by;

	if (weighed->environments == 0 ||
		(weighed->environments & environment_bit(ENVIRONMENT_PROD)) != 0)
		return 4 + handed_by;
	if ((weighed->environments & environment_bit(ENVIRONMENT_STAGING)) != 0)
		return 2 + handed_by;
	return 1 + handed_by;
}

int64_t review_weight(const struct review_weighed *weighed)
{
	return sensitivity_level(weighed->sensitivity) * effects_weight(weighed) *
	       reach_weight(weighed);
}

/* ---- whose word is enough ---- */

bool review_is_own(const struct review_item *item, struct text person)
{
	return person.length > 0 &&
	       (text_equal(person, item->owner) || text_equal(person, item->backup_owner) ||
		       text_equal(person, item->author));
}

static struct text speaker_of(const struct review_voice *voice)
{
	return voice->for_person.length > 0 ? voice->for_person : voice->person;
}

/* Neither they nor whom they stand in for. */
static bool is_independent(const struct review_item *item, const struct review_voice *voice)
{
	return !review_is_own(item, voice->person) && !review_is_own(item, voice->for_person);
}

/* The same person, or one for the other. */
static bool is_one_voice(const struct review_voice *a, const struct review_voice *b)
{
	return text_equal(a->person, b->person) || text_equal(speaker_of(a), speaker_of(b)) ||
	       text_equal(a->person, b->for_person) || text_equal(b->person, a->for_person);
}

bool review_is_enough(
	const struct review_item *item, const struct review_voice *voices, size_t count)
{
	bool needs_two = risk_tier_level(item->risk) >= risk_tier_level(RISK_HIGH);
	bool has_independent = false, has_two = false;

	for (size_t i = 0; i < count; i++) {
		has_independent = has_independent || is_independent(item, &voices[i]);
		for (size_t j = i + 1; j < count; j++)
			has_two = has_two || !is_one_voice(&voices[i], &voices[j]);
	}
	return has_independent && (has_two || !needs_two);
}

bool review_allows_bulk(const struct review_item *item)
{
	return item->risk == RISK_LOW;
}

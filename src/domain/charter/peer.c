/* Invariant: consents are sorted and without twins, so the same units make the same
 * text. */
#include "domain/charter/peer.h"

const struct charter_peer *charter_find_peer(const struct charter *charter, struct text identity)
{
	for (uint32_t i = 0; i < charter->peers_count; i++)
		if (text_equal(charter->peers[i].identity, identity))
			return &charter->peers[i];
	return NULL;
}

bool peer_covers(const struct charter_peer *peer, enum sensitivity sensitivity)
{
	return peer->up_to != SENSITIVITY_UNLABELLED &&
	       sensitivity_level(sensitivity) <= sensitivity_level(peer->up_to);
}

bool peer_has_effect(const struct charter_peer *peer, enum effect effect)
{
	return effect != EFFECT_NONE && (peer->effects & 1u << effect) != 0;
}

bool peer_has_reach(const struct charter_peer *peer)
{
	return peer->tools_count > 0;
}

bool peer_reaches(const struct charter_peer *peer, struct text tool)
{
	for (uint32_t i = 0; i < peer->tools_count; i++)
		if (text_is_like(peer->tools[i], tool))
			return true;
	return false;
}

/* ---- consents ---- */

/* The first consent as it is written, off the consents. */
static bool next_token(struct text *consents, struct text *out)
{
	if (consents->length == 0)
		return false;
	*out = text_cut(consents, ' ');
	return true;
}

/* A consent of before this version is the name of the unit alone. */
static struct consent_given read_token(struct text token)
{
	struct consent_given given = {.unit = text_cut(&token, '=')};
	struct text at = text_cut(&token, '=');
	struct text digest = text_cut(&token, '=');

	if (!text_to_int64(at, &given.at_utc_ms) || !digest_parse(digest, &given.digest))
		return (struct consent_given){.unit = given.unit};
	given.by = token;
	given.has_digest = true;
	return given;
}

bool consents_next(struct text *consents, struct text *out_unit)
{
	struct text token;

	if (!next_token(consents, &token))
		return false;
	*out_unit = text_cut(&token, '=');
	return true;
}

bool consents_next_given(struct text *consents, struct consent_given *out)
{
	struct text token;

	if (!next_token(consents, &token))
		return false;
	*out = read_token(token);
	return true;
}

bool consents_find(struct text consents, struct text unit, struct consent_given *out)
{
	while (consents_next_given(&consents, out))
		if (text_equal(out->unit, unit))
			return true;
	*out = (struct consent_given){0};
	return false;
}

bool consents_has(struct text consents, struct text unit)
{
	struct text one;

	while (consents_next(&consents, &one))
		if (text_equal(one, unit))
			return true;
	return false;
}

static struct text token_of(struct arena *arena, const struct consent_given *given)
{
	char digest[DIGEST_TEXT_BYTES];

	if (!given->has_digest)
		return given->unit;
	digest_format(digest, &given->digest);
	return text_format(arena, "%.*s=%lld=%s=%.*s", TEXT_ARGS(given->unit),
		(long long)given->at_utc_ms, digest, TEXT_ARGS(given->by));
}

static struct text joined(struct arena *arena, struct text consents, struct text token)
{
	return text_format(arena, "%.*s%s%.*s", TEXT_ARGS(consents), consents.length > 0 ? " " : "",
		TEXT_ARGS(token));
}

struct text consents_with(
	struct arena *arena, struct text consents, const struct consent_given *given)
{
	struct text made = TEXT(""), token, mine = token_of(arena, given);
	bool is_placed = false;

	while (mine.data != NULL && next_token(&consents, &token)) {
		struct text rest = token;
		int order = text_compare(text_cut(&rest, '='), given->unit);

		if (!is_placed && order >= 0) {
			made = joined(arena, made, mine);
			is_placed = true;
		}
		if (order != 0)
			made = joined(arena, made, token);
	}
	return is_placed || mine.data == NULL ? made : joined(arena, made, mine);
}

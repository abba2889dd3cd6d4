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

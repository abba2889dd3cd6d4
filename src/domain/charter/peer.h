#ifndef DOMAIN_CHARTER_PEER_H
#define DOMAIN_CHARTER_PEER_H

#include <stdbool.h>

#include "domain/charter/charter.h"

/* Lines that hand work to another identity, read.
 *
 * A line with a reach (`tools`) may let the peer do what the identity itself may not, so
 * each unit whose tools or data are in it must consent: one of the people who answer for
 * its data says so (consents.h).  Without consent the line hands on nothing of that unit's. */

/* The line for the identity, or NULL: then nothing is handed to it. */
const struct charter_peer *charter_find_peer(const struct charter *charter, struct text identity);
/* Whether data of this sensitivity may go along; UNLABELLED counts as restricted. */
bool peer_covers(const struct charter_peer *peer, enum sensitivity sensitivity);
bool peer_has_effect(const struct charter_peer *peer, enum effect effect);
/* True if it has a reach. */
bool peer_has_reach(const struct charter_peer *peer);
/* Whether the tool or model, "server/name", is in its reach. */
bool peer_reaches(const struct charter_peer *peer, struct text tool);

#endif

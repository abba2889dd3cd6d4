#ifndef DOMAIN_ESTATE_PLANT_H
#define DOMAIN_ESTATE_PLANT_H

#include "domain/estate/model.h"

/* Private to domain/estate: one change each.  False: the one at that place is not of the kind
 * that is needed, and nothing changed. */

typedef bool plant_change(struct model *model, uint32_t at);

/* plant_registry.c */
plant_change plant_leaver, plant_mover, plant_deserted, near_deserted;
plant_change plant_ungoverned, plant_secret, plant_unpinned, plant_unsaid, plant_unrated;
plant_change plant_unlabelled;

/* plant_identity.c */
plant_change plant_over, near_over, plant_escape, near_escape;
plant_change plant_no_impact, plant_no_review, plant_endless_key, near_endless_key;
plant_change plant_unbound, near_unbound, plant_shared_key, near_shared_key;
plant_change plant_key_across, near_key_across;
plant_change plant_wildcard, near_wildcard, plant_dangling, plant_by_name, plant_unasked;

plant_change plant_unaccepted, near_unaccepted, plant_overdue, near_overdue;

/* plant_account.c */
plant_change plant_unexplained, near_unexplained, plant_excess, near_excess;
plant_change plant_unreviewed, near_unreviewed, plant_hidden;
plant_change plant_dormant, near_dormant, plant_alive, plant_missing;
plant_change plant_shared_account, near_shared_account, plant_many, near_many;
plant_change plant_hand, near_hand, plant_unknown;
plant_change plant_ownerless, near_ownerless, plant_unonboarded;
plant_change plant_unused, near_unused, near_ageless, plant_wide, near_wide;

/* plant_credential.c */
plant_change plant_exposed, near_exposed, plant_shared_secret, near_shared_secret;
plant_change plant_across, near_across, plant_unmanaged, plant_endless;
plant_change plant_unowned, plant_stray;

/* Active and nothing that an earlier change made special. */
bool is_plain(const struct model_identity *identity);
/* Sets the last use of the account and of all its edges to lie so many days back. */
void account_use_ago(struct model *model, uint32_t account, double least, double most);

#endif

#ifndef DOMAIN_ESTATE_RULES_H
#define DOMAIN_ESTATE_RULES_H

#include "domain/estate/model.h"

/* Private to domain/estate: what docs/posture-checks.md says, read over the model.  Nothing
 * here is shared with domain/control, so that the one measures the other. */

typedef bool rule_is(const struct model *model, uint32_t at);

/* rules_registry.c */
rule_is rule_owner_gone, rule_backup_gone, rule_charter_over, rule_sandbox_escape;
rule_is rule_risk_missing, rule_review_missing, rule_key_endless, rule_token_unbound;
rule_is rule_wildcard, rule_dangling, rule_by_name, rule_line_irreversible;
rule_is rule_line_unchecked, rule_secret_static, rule_issuer_unowned, rule_tool_unpinned;
rule_is rule_reversal_unsaid, rule_source_unlabelled, rule_custodian_gone, rule_unit_ungoverned;

rule_is rule_risk_unaccepted, rule_review_overdue;

/* rules_seen.c */
rule_is rule_permission_unexplained, rule_excess_open, rule_hop_unreviewed;
rule_is rule_dormant, rule_account_alive, rule_account_missing, rule_identity_many;
rule_is rule_hand_undeclared, rule_account_unregistered, rule_grant_unregistered;
rule_is rule_key_unregistered, rule_account_ownerless;
rule_is rule_external_unonboarded, rule_grant_unused, rule_grant_wide, rule_account_shared;
rule_is rule_credential_exposed, rule_credential_unmanaged, rule_credential_endless;
rule_is rule_credential_ownerless, rule_credential_stray, rule_end_unknown;

/* rules_shared.c, once model_join was asked */
rule_is rule_key_shared, rule_key_across, rule_credential_shared, rule_credential_across;

/* Adds up what many hold together: edges at accounts, keys, secrets.  Before any rule. */
void model_join(struct model *model);

#endif

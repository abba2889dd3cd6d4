#ifndef EDGES_CLI_SHIPPED_H
#define EDGES_CLI_SHIPPED_H

/* The guardrails that come with remit, and their cases, as this binary carries them: the
 * files of examples/guardrails. */

extern const char shipped_flow[];
extern const char shipped_flow_test[];
extern const char shipped_risk[];
extern const char shipped_risk_test[];
extern const char shipped_secrets[];
extern const char shipped_secrets_test[];

#endif

#ifndef MAIN_SECRECY_H
#define MAIN_SECRECY_H

#include "base/log.h"
#include "edges/upstream/upstream_edge.h"
#include "services/decide/decide_service.h"
#include "services/detect/detector.h"
#include "services/finding/finding.h"
#include "services/registry/registrar.h"
#include "services/settings/secrets.h"
#include "services/settings/settings.h"

/* Joins the detector to those who hold secrets and to those who might show them. */

struct secrecy_place {
	const char *folder; /* DIR/keys */
	const struct seal_key *master;
	/* Where sightings become findings; what it points to is filled later. */
	struct finding_service *const *findings;
};
/* Errors: LIMIT, IO. */
bool secrecy_open(struct detector **out, const struct settings *settings,
	const struct secrecy_place *place, struct error *err) MUST_CHECK;
/* Takes what settings say of results, from now on. */
void secrecy_change(struct detector *detector, const struct settings *settings);

/* Every secret that is kept here is known before the first call. */
void secrecy_learn_stored(struct detector *detector, const struct secrets *secrets);

/* Ports, good while the detector lives. */
struct credential_listener secrecy_credentials(struct detector *detector);
struct code_listener secrecy_codes(struct detector *detector);
struct decide_secrets secrecy_questions(struct detector *detector);
struct log_filter secrecy_log(struct detector *detector);
void secrecy_token(void *detector, struct text token, int64_t expires_utc_s);

#endif

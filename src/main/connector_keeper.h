#ifndef MAIN_CONNECTOR_KEEPER_H
#define MAIN_CONNECTOR_KEEPER_H

#include "edges/connector_fetch/connector_fetch.h"
#include "edges/upstream/vault.h"
#include "services/connector/connector.h"
#include "services/detect/detector.h"

/* Makes the service of connectors, joins it to the edge that asks providers, and reads what they
 * answer in a thread of its own, one inventory at a time.  Loop's thread. */
struct connector_keeper;

struct connector_keeper_parts {
	struct loop *loop;
	struct http_client *http;
	const struct secrets *secrets;
	struct detector *detector;
	struct vault *vault;
	struct fold *fold;
	const struct registry *registry;
	struct inventory_service *inventory;
	struct finding_service *finding;
};
/* All are borrowed and outlive it.  Errors: LIMIT. */
bool connector_keeper_create(struct connector_keeper **out,
	const struct connector_keeper_parts *parts, struct error *err) MUST_CHECK;
struct connector_service *connector_keeper_service(struct connector_keeper *keeper);
/* After the fold's last completion, before the vault; NULL, too. */
void connector_keeper_destroy(struct connector_keeper **keeper);

#endif

#ifndef DOMAIN_CHARTER_CONNECTOR_H
#define DOMAIN_CHARTER_CONNECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "domain/charter/federation.h"
#include "domain/charter/form.h"
#include "domain/inventory/scope.h"

/* A connector that asks its provider itself (docs/inventories.md): where, as whom, how often,
 * and what it may do there.  Its name is the one of the inventory it brings.  It is in force once
 * a second person agreed.  Plain data. */

enum {
	CONNECTOR_URL_BYTES_MAX = 512,
	CONNECTOR_OF_BYTES_MAX = 100,
	CONNECTOR_CLIENT_BYTES_MAX = 256,
	CONNECTOR_EVERY_S_MIN = 5 * 60,
	CONNECTOR_EVERY_S_MAX = 30 * 86400,
	CONNECTOR_EVERY_S_DEFAULT = 6 * 3600,
	CONNECTOR_FIELDS = 16,
};

enum connector_may { CONNECTOR_MAY_NOTHING = 0, CONNECTOR_MAY_READ, CONNECTOR_MAY_CONTAIN };

/* What is asked for beside what the provider always is. */
enum connector_also {
	CONNECTOR_ALSO_NONE = 0,
	CONNECTOR_ALSO_LAST_USE,       /* when something was used last */
	CONNECTOR_ALSO_AUTHORIZATIONS, /* GitHub: what single sign-on let in */
	CONNECTOR_ALSO_CREDENTIALS,    /* n8n: also those that no flow uses */
};

struct connector {
	struct text name;
	struct text unit;
	struct text owner; /* a person, who is asked when it is silent */
	enum inventory_provider provider;
	struct text url;                /* without a slash at its end; empty: the provider's own */
	struct text of;                 /* organisation, customer, team; may be empty */
	struct text credential;         /* where the secret lies (credential.h); never the secret */
	struct text contain_credential; /* of what stops accounts there; empty: the same */
	struct text client;    /* whose secret it is; empty: the credential is a token itself */
	struct text token_url; /* where the client gets a token */
	struct text ca_file;   /* empty: the system's roots */
	uint32_t may;          /* bits 1 << enum connector_may */
	uint32_t also;         /* bits 1 << enum connector_also */
	int64_t every_s;
	enum issuer_leave private_addresses;
};

/* The URL it asks: its own, or the provider's. */
struct text connector_url(const struct connector *connector);
bool connector_may(const struct connector *connector, enum connector_may what);
bool connector_asks_also(const struct connector *connector, enum connector_also what);
/* Whether a URL may be asked: https, or, beside private-addresses: allowed, http to this
 * machine. */
bool connector_may_fetch(const struct connector *connector, struct text url);

extern const struct form_field connector_fields[CONNECTOR_FIELDS];
void finish_connector(struct form_reader *reader, const struct json *value,
	const struct form_path *path, void *body);

#endif

#ifndef DOMAIN_GRAPH_DERIVE_H
#define DOMAIN_GRAPH_DERIVE_H

#include "base/arena.h"
#include "domain/charter/registry.h"
#include "domain/graph/graph.h"

/* What the registry says of the graph.  Each entry is a part of GRAPH_LAYER_REGISTRY, named
 * "KIND/NAME"; names of nodes are those of the registry, of models "PROVIDER/NAME", of
 * credentials as below.  Pure. */

/* Names of CREDENTIAL nodes: what a charter's lines say ("key/THUMBPRINT",
 * "certificate/DIGEST"), and what remit sends to servers ("secret/REFERENCE"). */
#define GRAPH_KEY_PREFIX "key/"
#define GRAPH_CERTIFICATE_PREFIX "certificate/"
/* What only uses name: tokens of an issuer, and the consent of people. */
#define GRAPH_ISSUER_PREFIX "issuer/"
#define GRAPH_PEOPLE_NAME "consent/people"
#define GRAPH_SECRET_PREFIX "secret/"

/* Who put what is in force there, and when; empty and 0: not known. */
struct graph_grant {
	struct text by; /* an actor: "person:NAME" */
	graph_time since_s;
};

/* Says the entry anew.  What only waits is a node with its owner, and grants nothing; nor does
 * an identity that is not active: it is OFF.  scratch is reset.  Errors: LIMIT, INVALID. */
bool graph_derive(struct graph *graph, const struct registry_entry *entry,
	const struct graph_grant *grant, struct arena *scratch, struct error *err) MUST_CHECK;

/* Says anew what the record, which the registry has folded, changed of it.  Who put in force
 * what was there before stays.  Errors: LIMIT, INVALID. */
bool graph_derive_record(struct graph *graph, const struct registry *registry,
	const struct json *json, struct arena *scratch, struct error *err) MUST_CHECK;

/* Seconds of the registry as the graph has them: what is before 1970 or after 2106 is at the
 * nearest end, and 0 stays 0. */
graph_time graph_time_of(int64_t utc_s);
/* The person's name in an actor or a bare name: "person:ana" and "ana" are "ana". */
struct text graph_person_of(struct text actor);

#endif

#ifndef DOMAIN_INVENTORY_ITEM_H
#define DOMAIN_INVENTORY_ITEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "domain/charter/terms.h"
#include "domain/graph/graph.h"

/* One item of an inventory (docs/formats/inventory.md): a node or an edge that a connector
 * saw.  Pure. */

enum {
	INVENTORY_ID_BYTES_MAX = 384, /* the connector's name and a slash come before it */
	INVENTORY_TEXT_BYTES_MAX = 512,
	INVENTORY_LINE_BYTES_MAX = 8192, /* one item as JSON */
	INVENTORY_CONNECTOR_BYTES_MAX = 64,
};

/* Texts are borrowed.  What is not known is empty, zero or NONE. */
struct inventory_item {
	enum graph_node_kind node; /* ACCOUNT, CREDENTIAL, RESOURCE, PERSON; NONE: an edge */
	enum graph_edge_kind edge;
	/* Of a node. */
	struct text id;
	struct text title;
	struct text owner;
	struct text creator;
	struct text unit;
	struct text publisher;
	struct text place;
	struct text version;
	struct text fingerprint;
	struct text registered;
	enum identity_kind kind;
	enum sensitivity sensitivity;
	uint32_t is;           /* of enum graph_node_flag: those that a file may say */
	uint32_t environments; /* bits of environment_bit() */
	graph_time created_s;
	graph_time expires_s;
	/* Of an edge. */
	struct text from; /* "account:ID" */
	struct text to;
	struct text scope;
	struct text by;
	struct text why;
	uint32_t effects; /* bits 1 << enum effect */
	uint32_t uses;
	graph_time since_s;
	graph_time until_s;
	/* Of both. */
	graph_time used_s;
};

/* Strict: no member, word or form that the page does not have.  Errors: INVALID. */
bool inventory_item_read(
	struct inventory_item *out, const struct json *value, struct error *err) MUST_CHECK;
/* The same of one line of text; out borrows from line and arena. */
bool inventory_item_parse(struct inventory_item *out, struct arena *arena, struct text line,
	struct error *err) MUST_CHECK;
/* Appends it as canonical JSON, without a line's end.  Fails as the buffer fails. */
void inventory_item_write(struct buffer *out, const struct inventory_item *item);
/* Whether it could be read again: ids, lengths, what an edge may join.  Errors: INVALID. */
bool inventory_item_check(const struct inventory_item *item, struct error *err) MUST_CHECK;

/* Appends what makes it the same item in two inventories: "node account ID", or an edge's
 * kind, ends and scope. */
void inventory_item_key(struct buffer *out, const struct inventory_item *item);

/* Members in which two of the same key differ, in order, but when and how often it was used: up
 * to `most` names, which are static. */
uint32_t inventory_item_changes(const struct inventory_item *was, const struct inventory_item *is,
	struct text *names, uint32_t most);

/* An end of an edge. */
struct inventory_end {
	enum graph_node_kind kind;
	struct text
		name; /* of this connector's where is_own, else CONNECTOR/ID or the registry's */
	bool is_own;
};
/* False: it is none. */
bool inventory_end_read(struct inventory_end *out, struct text reference) MUST_CHECK;

/* "2026-11-26T13:00:00Z" or with an offset or a fraction, which is cut; 0: it is none, or
 * before 1970 or after 2106. */
graph_time inventory_time_of(struct text t);
/* "2026-11-26T13:00:00Z", NUL-terminated. */
void inventory_time_format(char out[TIME_TEXT_BYTES], graph_time at_s);
/* A connector's name: small letters, digits and dashes, from a letter. */
bool inventory_is_connector(struct text name);

#endif

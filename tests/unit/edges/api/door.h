#ifndef TESTS_API_DOOR_H
#define TESTS_API_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "edges/api/api.h"
#include "wire/router.h"

/* The control API behind a real server on a free port and a socket in a folder
 * of its own, run by a thread; and a client that sends exactly what it is told. */
struct door;

/* signatures NULL: the fake verifier; routes are served beside the API's. */
struct door *door_open(const struct api_signatures *signatures, const struct http_route *routes,
	size_t routes_count);
/* The folder that holds remit.sock. */
const char *door_folder(const struct door *door);
uint16_t door_port(const struct door *door);
void door_close(struct door **door);

enum door_way { BY_TCP = 0, BY_SOCKET };

struct door_request {
	enum door_way way;
	const char *method;
	const char *target;
	const char *signer;       /* NULL: unsigned; the fake verifier believes "ok:NAME" */
	const char *headers;      /* further lines, each with CRLF; NULL: none */
	struct text body;         /* .data NULL: none */
	const char *content_type; /* NULL: application/json with a body */
};

struct door_reply {
	unsigned status;
	char content_type[64];
	char body[1 << 17];
	size_t body_length;
};

void door_send(struct door *door, const struct door_request *request, struct door_reply *reply);
/* Sends it and returns the connection, which the caller closes. */
int door_start(struct door *door, const struct door_request *request);

#endif

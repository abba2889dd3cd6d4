#ifndef WIRE_HTTP_H
#define WIRE_HTTP_H

/* One header field, of an answer we give or a request we send.  Borrowed. */
struct http_header {
	const char *name;
	const char *value;
};

#endif

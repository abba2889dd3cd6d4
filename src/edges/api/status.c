#include "edges/api/request.h"

#include <string.h>

/* Each error code has one HTTP status.  A refusal for who the caller is says so
 * with the prefix "forbidden: " (services/registry/registrar.h). */

unsigned api_status_of(const struct error *err)
{
	switch (err->code) {
	case ERROR_NONE: return 200;
	case ERROR_INVALID: return strncmp(err->text, "forbidden: ", 11) == 0 ? 403 : 400;
	case ERROR_NOT_FOUND: return 404;
	case ERROR_CONFLICT: return 409;
	case ERROR_LIMIT: return 503;
	case ERROR_TIMEOUT: return 504;
	case ERROR_IO: return 503;
	case ERROR_CORRUPT:
	case ERROR_INTERNAL: return 500;
	}
	return 500;
}

const char *api_status_title(unsigned status)
{
	switch (status) {
	case 400: return "The request is not valid";
	case 401: return "The request is not signed by an enrolled person";
	case 403: return "You may not do this";
	case 404: return "There is no such thing";
	case 409: return "The state does not allow this";
	case 412: return "It has changed since you read it";
	case 413: return "The body is too large";
	case 415: return "The body is not JSON";
	case 422: return "The Idempotency-Key was used for another request";
	case 428: return "Say which revision you have seen";
	case 503: return "Not now";
	case 504: return "It took too long";
	default: return "The daemon failed";
	}
}

#ifndef DOMAIN_CALL_RETRIEVAL_H
#define DOMAIN_CALL_RETRIEVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "domain/charter/terms.h"

/* What a result brought: which objects, and how sensitive they are, judged before
 * anybody sees it (docs/data.md).  Pure. */

enum {
	RETRIEVAL_OBJECTS_MAX = 32,   /* ids that are kept; the rest is counted */
	RETRIEVAL_ID_BYTES_MAX = 128, /* of one that may stand as it is */
};

/* How to look at it; places as in domain/charter/place.h. */
struct retrieval_rule {
	bool is_tool;               /* the result is of tools/call, else the whole is looked at */
	bool is_resource;           /* it is of resources/read, of object */
	struct text objects;        /* the place of the ids; empty: object is the only one */
	struct text object;         /* the URI, or the prompt's name, that was asked for */
	struct text classification; /* the place of each row's sensitivity; empty: not judged */
	enum sensitivity ceiling;   /* of the rows; UNLABELLED with a classification: none may */
};

/* Why a result is kept back.  NONE is not zero: what was not judged is not shown. */
enum retrieval_fault {
	RETRIEVAL_NOT_JUDGED = 0,
	RETRIEVAL_ERROR,     /* the server's error, which nobody judges */
	RETRIEVAL_NOT_ROWS,  /* there are none where they should be */
	RETRIEVAL_AMBIGUOUS, /* it says two things, of which one was not looked at */
	RETRIEVAL_ELSEWHERE, /* it is of another resource than was asked for */
	RETRIEVAL_ABOVE,     /* a row is above the ceiling, or has no sensitivity */
	RETRIEVAL_FINE,
};

struct retrieval {
	enum retrieval_fault fault;
	bool is_known;              /* the objects are where the tool says, and are ids */
	const struct text *objects; /* at most RETRIEVAL_OBJECTS_MAX; borrow from the result */
	size_t objects_count;
	uint64_t count;               /* of all objects; of all rows where objects have no place */
	uint64_t rows_above;          /* of those that were judged */
	enum sensitivity sensitivity; /* the highest of the rows; UNLABELLED: none was judged */
};

/* Looks at a result.  Cannot fail: what finds no memory is not judged.  A result of
 * tools/call is its structuredContent, or the JSON of its one text where there is
 * none; where rows are judged, nothing else may be in it.  One of resources/read is of
 * the URI that was asked for, or of what lies below it. */
void retrieval_read(struct retrieval *out, struct arena *arena, const struct json *result,
	const struct retrieval_rule *rule);

#endif

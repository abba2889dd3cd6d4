#ifndef TESTS_CEDAR_SCHEMA_TWIN_H
#define TESTS_CEDAR_SCHEMA_TWIN_H

#include "remit/cedar.h"

/* True if both schemas declare the same, in whatever order. */
bool schema_is_twin(const struct cedar_schema *a, const struct cedar_schema *b);

#endif

/* Included first when an analyzer reads a file (tools/lint): these always
 * return false, which it cannot see from their declarations. */
#include "base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), false)
#define error_wrap(...) (error_wrap(__VA_ARGS__), false)

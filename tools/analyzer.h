/* Included first when an analyzer reads a file (tools/lint): these always
 * return false, which it cannot see from their declarations.  A file that
 * defines one of them is read without its hint. */
#include "base/error.h"

#define error_set(...) (error_set(__VA_ARGS__), false)
#define error_set_at(...) (error_set_at(__VA_ARGS__), false)
#define error_wrap(...) (error_wrap(__VA_ARGS__), false)

#ifdef HINT_CEDAR
#include "cedar/document.h"
#include "cedar/text.h"

#define cedar_fail(...) (cedar_fail(__VA_ARGS__), false)
#define cedar_fail_at(...) (cedar_fail_at(__VA_ARGS__), false)
#define cedar_fail_memory(...) (cedar_fail_memory(__VA_ARGS__), false)
#ifndef HINT_DEFINES_document_fail
#define document_fail(...) (document_fail(__VA_ARGS__), false)
#endif
#ifdef HINT_PARSER
#include "cedar/parser_inner.h"
#define parser_fail(...) (parser_fail(__VA_ARGS__), false)
#endif
#endif

#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* Events for operators, one line each; they may be lost (the audit log is the
 * evidence).  An event is a fixed name and typed fields:
 *
 *     log_warn("policy_rejected", LOG_TEXT("path", path), LOG_NUMBER("line", 7));
 *     2026-11-23T18:20:11.204Z warn policy_rejected path=agents.policy line=7
 *
 * Values are escaped, so what a stranger sent cannot forge a line or speak to a
 * terminal.  Never a secret.  Safe from any thread; one write a line. */

enum log_level {
	LEVEL_ERROR = 0, /* someone must act */
	LEVEL_WARN,      /* someone may need to */
	LEVEL_INFO,      /* state changed */
	LEVEL_DEBUG,     /* off by default */
};

enum { LOG_LINE_BYTES_MAX = 4096, LOG_VALUE_BYTES_MAX = 1024 };

enum log_field_kind { LOG_FIELD_END = 0, LOG_FIELD_TEXT, LOG_FIELD_NUMBER };

struct log_field {
	enum log_field_kind kind;
	const char *name;
	struct text text;
	int64_t number;
};

/* value is a struct text; LOG_STRING takes a NUL-terminated string. */
#define LOG_TEXT(field, value)                                                                     \
	((struct log_field){.kind = LOG_FIELD_TEXT, .name = (field), .text = (value)})
#define LOG_STRING(field, value) LOG_TEXT(field, text_of(value))
#define LOG_NUMBER(field, value)                                                                   \
	((struct log_field){.kind = LOG_FIELD_NUMBER, .name = (field), .number = (value)})
#define LOG_END ((struct log_field){0})

#define log_error(...) log_write(LEVEL_ERROR, __VA_ARGS__, LOG_END)
#define log_warn(...) log_write(LEVEL_WARN, __VA_ARGS__, LOG_END)
#define log_info(...) log_write(LEVEL_INFO, __VA_ARGS__, LOG_END)
#define log_debug(...) log_write(LEVEL_DEBUG, __VA_ARGS__, LOG_END)

/* Use the macros: what follows event are struct log_field, the last LOG_END. */
void log_write(enum log_level level, const char *event, ...);

/* Events above this level are dropped.  INFO at start. */
void log_set_level(enum log_level level);
/* What is asked of each value before it is written: true, and the line says that something
 * was left out in its place.  NULL, as at start: nothing is asked.  Borrowed until another
 * is set; called from any thread that logs, so it may not log itself. */
struct log_filter {
	void *context;
	bool (*hides)(void *context, struct text value);
};
void log_set_filter(const struct log_filter *filter);

/* Where lines go; standard error at start.  The descriptor stays the caller's. */
void log_set_fd(int fd);

#endif

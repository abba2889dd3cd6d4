/* A line is put together in the caller's frame and written at once.  A value or
 * a line that is too long is cut and ends in "...". */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"

/* check-source: global: the level and place of the log, allowed by HACKING.md */
static _Atomic int level_now = LEVEL_INFO;
/* check-source: global: the level and place of the log, allowed by HACKING.md */
static _Atomic int fd_now = STDERR_FILENO;
/* check-source: global: what keeps secrets out of the log, beside its level and place */
static _Atomic(const struct log_filter *) filter_now;

struct line {
	char bytes[LOG_LINE_BYTES_MAX];
	size_t length;
};

static void line_append(struct line *line, const char *bytes, size_t length)
{
	size_t room = sizeof line->bytes - 1 - line->length; /* one for the newline */

	if (length > room)
		length = room;
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

static void line_append_string(struct line *line, const char *string)
{
	line_append(line, string, strlen(string));
}

/* What needs no quotes: no blank, no quote, no '=', nothing but printable ASCII. */
static bool is_bare(struct text t)
{
	size_t i;

	for (i = 0; i < t.length; i++)
		if (t.data[i] <= ' ' || t.data[i] > '~' || t.data[i] == '"' || t.data[i] == '=' ||
			t.data[i] == '\\')
			return false;
	return t.length > 0;
}

/* Asked of the whole value, before any of it is cut or escaped. */
static struct text filtered(struct text value)
{
	const struct log_filter *filter = atomic_load(&filter_now);

	if (filter != NULL && filter->hides(filter->context, value))
		return TEXT("[secret left out]");
	return value;
}

static void line_append_value(struct line *line, struct text t)
{
	bool is_cut;
	size_t i;

	t = filtered(t);
	is_cut = t.length > LOG_VALUE_BYTES_MAX;
	if (is_cut)
		t.length = LOG_VALUE_BYTES_MAX;
	if (is_bare(t)) {
		line_append(line, t.data, t.length);
	} else {
		line_append(line, "\"", 1);
		for (i = 0; i < t.length; i++) {
			unsigned char byte = (unsigned char)t.data[i];
			char escape[5];

			if (byte >= ' ' && byte <= '~' && byte != '"' && byte != '\\') {
				line_append(line, t.data + i, 1);
				continue;
			}
			(void)snprintf(escape, sizeof escape, "\\x%02x", byte);
			line_append_string(line, escape);
		}
		line_append(line, "\"", 1);
	}
	if (is_cut)
		line_append_string(line, "...");
}

static void line_append_field(struct line *line, const struct log_field *field)
{
	char digits[24];

	line_append(line, " ", 1);
	line_append_string(line, field->name);
	line_append(line, "=", 1);
	if (field->kind == LOG_FIELD_TEXT) {
		line_append_value(line, field->text);
		return;
	}
	(void)snprintf(digits, sizeof digits, "%lld", (long long)field->number);
	line_append_string(line, digits);
}

static void line_start(struct line *line, enum log_level level, const char *event)
{
	static const char *const words[] = {" error ", " warn ", " info ", " debug "};
	struct timespec now;
	char moment[TIME_TEXT_BYTES];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	time_format_utc_ms(moment, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	line_append_string(line, moment);
	line_append_string(line, words[level]);
	line_append_string(line, event);
}

void log_write(enum log_level level, const char *event, ...)
{
	struct line line NOT_ZEROED;
	struct log_field field;
	va_list args;

	if ((int)level > atomic_load(&level_now))
		return;
	line.length = 0;
	line_start(&line, level, event);
	va_start(args, event);
	for (;;) {
		field = va_arg(args, struct log_field);
		if (field.kind == LOG_FIELD_END)
			break;
		line_append_field(&line, &field);
	}
	va_end(args);
	if (line.length == sizeof line.bytes - 1)
		memcpy(line.bytes + line.length - 3, "...", 3);
	line.bytes[line.length++] = '\n';
	/* A log that cannot be written has nobody to tell. */
	if (write(atomic_load(&fd_now), line.bytes, line.length) < 0)
		return;
}

void log_set_level(enum log_level level)
{
	atomic_store(&level_now, (int)level);
}

void log_set_filter(const struct log_filter *filter)
{
	atomic_store(&filter_now, filter);
}

void log_set_fd(int fd)
{
	atomic_store(&fd_now, fd);
}

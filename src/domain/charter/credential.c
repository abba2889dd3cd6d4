/* One spelling for one place: what could be written plainly may not be encoded,
 * so neither ".." nor a second "/" can hide, and equal places have equal
 * references (the cache in edges/upstream is keyed by them). */
#include "domain/charter/credential.h"

#include <string.h>

#include "domain/charter/form.h"

enum { ESCAPE_BYTES = 3 }; /* "%2F" */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 3986, section 2.3. */
static bool is_unreserved(char c)
{
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("-._~", c) != NULL);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; /* capitals: one spelling */
}

/* The byte that an escape at the start stands for, or -1: it is none, or of a
 * byte that is written plainly or never. */
static int escape_value(struct text t)
{
	int value;

	if (t.length < ESCAPE_BYTES || hex_value(t.data[1]) < 0 || hex_value(t.data[2]) < 0)
		return -1;
	value = hex_value(t.data[1]) * 16 + hex_value(t.data[2]);
	return value < 0x20 || value == 0x7f || is_unreserved((char)value) ? -1 : value;
}

/* One part of a path.  Vault takes none that ends with a dot. */
static bool is_segment(struct text segment)
{
	char plain[CREDENTIAL_BYTES_MAX];
	size_t size = 0;

	if (segment.length == 0 || segment.data[segment.length - 1] == '.')
		return false;
	while (segment.length > 0) {
		bool is_escape = segment.data[0] == '%';
		int value = is_escape ? escape_value(segment) : segment.data[0];

		if (value < 0 || value == '/' || (!is_escape && !is_unreserved((char)value)))
			return false;
		plain[size++] = (char)value;
		segment = text_after(segment, is_escape ? ESCAPE_BYTES : 1);
	}
	return text_is_utf8((struct text){plain, size});
}

/* Index of the next "/", or "%2F" in a mount; the length if there is none. */
static size_t segment_end(struct text t, const char *between)
{
	const char *found = memmem(t.data, t.length, between, strlen(between));

	return found == NULL ? t.length : (size_t)(found - t.data);
}

static bool are_segments(struct text t, const char *between)
{
	size_t end = segment_end(t, between);

	while (end < t.length) {
		if (!is_segment((struct text){t.data, end}))
			return false;
		t = text_after(t, end + strlen(between));
		end = segment_end(t, between);
	}
	return is_segment(t);
}

static bool is_field(struct text field)
{
	if (field.length == 0 || field.length > CREDENTIAL_FIELD_BYTES_MAX)
		return false;
	for (size_t i = 0; i < field.length; i++)
		if (!is_unreserved(field.data[i]))
			return false;
	return true;
}

static bool parse_vault(struct credential *out, struct text rest, struct error *err)
{
	ptrdiff_t hash = text_find_byte(rest, '#');
	ptrdiff_t slash = text_find_byte(rest, '/');

	out->kind = CREDENTIAL_VAULT;
	if (slash < 0 || hash < slash)
		return error_set(err, ERROR_INVALID, "vault: needs MOUNT/PATH#FIELD");
	out->mount = (struct text){rest.data, (size_t)slash};
	out->path = (struct text){rest.data + slash + 1, (size_t)(hash - slash - 1)};
	out->field = text_after(rest, (size_t)hash + 1);
	if (!are_segments(out->mount, "%2F") || !are_segments(out->path, "/"))
		return error_set(err, ERROR_INVALID,
			"vault: parts of MOUNT and PATH are not empty, do not end with a dot, and "
			"have "
			"letters, digits, - . _ ~, and %%XX for what is none of these");
	return is_field(out->field) ||
	       error_set(err, ERROR_INVALID, "vault: FIELD is 1 to %d letters, digits, - . _ ~",
		       CREDENTIAL_FIELD_BYTES_MAX);
}

static bool parse_file(struct credential *out, struct text path, struct error *err)
{
	bool is_plain = path.length > 1 && path.data[0] == '/' && text_is_utf8(path);

	out->kind = CREDENTIAL_FILE;
	out->name = path;
	for (size_t i = 0; is_plain && i < path.length; i++)
		is_plain = (unsigned char)path.data[i] >= 0x20 && path.data[i] != 0x7f;
	return is_plain || error_set(err, ERROR_INVALID, "file: needs an absolute path");
}

static bool parse_environment(struct credential *out, struct text name, struct error *err)
{
	bool is_plain = name.length > 0 && name.length <= CREDENTIAL_VARIABLE_BYTES_MAX &&
			!is_digit(name.data[0]);

	out->kind = CREDENTIAL_ENVIRONMENT;
	out->name = name;
	for (size_t i = 0; is_plain && i < name.length; i++)
		is_plain = is_letter(name.data[i]) || is_digit(name.data[i]) || name.data[i] == '_';
	return is_plain ||
	       error_set(err, ERROR_INVALID, "env: needs a variable: 1 to %d letters, digits and _",
		       CREDENTIAL_VARIABLE_BYTES_MAX);
}

static bool parse_any(struct credential *out, struct text reference, struct error *err)
{
	if (reference.length > CREDENTIAL_BYTES_MAX)
		return error_set(err, ERROR_INVALID, "a reference has at most %d bytes",
			CREDENTIAL_BYTES_MAX);
	if (text_starts_with(reference, "vault:"))
		return parse_vault(out, text_after(reference, 6), err);
	if (text_starts_with(reference, "file:"))
		return parse_file(out, text_after(reference, 5), err);
	if (text_starts_with(reference, "env:"))
		return parse_environment(out, text_after(reference, 4), err);
	out->kind = CREDENTIAL_STORED;
	out->name = reference;
	return name_is_plain(reference) ||
	       error_set(err, ERROR_INVALID,
		       "write the NAME of a secret, file:/PATH, env:VARIABLE or "
		       "vault:MOUNT/PATH#FIELD");
}

bool credential_parse(struct credential *out, struct text reference, struct error *err)
{
	*out = (struct credential){0};
	if (parse_any(out, reference, err))
		return true;
	*out = (struct credential){0};
	return false;
}

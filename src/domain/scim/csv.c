/* One pass over the bytes; a field is a piece of the file, or a copy where quotes are doubled. */
#include "domain/scim/csv.h"

struct csv {
	struct arena *arena;
	struct text file;
	size_t at;
	uint32_t line;
	struct scim_fault *fault;
};

enum csv_column {
	CSV_USER_NAME = 0,
	CSV_EXTERNAL_ID,
	CSV_DISPLAY_NAME,
	CSV_GIVEN_NAME,
	CSV_FAMILY_NAME,
	CSV_EMAIL,
	CSV_TITLE,
	CSV_DEPARTMENT,
	CSV_EMPLOYEE_NUMBER,
	CSV_ACTIVE,
	CSV_COLUMN_COUNT,
};

static const char *const column_words[CSV_COLUMN_COUNT] = {"userName", "externalId", "displayName",
	"givenName", "familyName", "email", "title", "department", "employeeNumber", "active"};

_Static_assert((int)CSV_COLUMN_COUNT <= (int)CSV_COLUMNS_MAX, "every column may be there");

static bool no_memory(struct csv *csv)
{
	return scim_fail(csv->fault, 503, NULL, "no memory for the table");
}

static bool is_over(const struct csv *csv)
{
	return csv->at >= csv->file.length;
}

static char peek(const struct csv *csv)
{
	return is_over(csv) ? '\n' : csv->file.data[csv->at];
}

/* ---- fields ---- */

/* Without the quotes around it; two within stand for one. */
static bool take_quoted(struct csv *csv, struct text *out)
{
	uint32_t line = csv->line;
	char *copy = arena_alloc(csv->arena, CSV_FIELD_BYTES_MAX + 1, 1);
	size_t length = 0;

	if (copy == NULL)
		return no_memory(csv);
	for (csv->at++;; csv->at++) {
		if (is_over(csv))
			return scim_fail(csv->fault, 400, "invalidSyntax",
				"line %u: a quote is not closed", line);
		if (peek(csv) == '"') {
			csv->at++;
			if (peek(csv) != '"' || is_over(csv))
				break;
		}
		csv->line += peek(csv) == '\n';
		if (length == CSV_FIELD_BYTES_MAX)
			return scim_fail(csv->fault, 413, NULL,
				"line %u: a field is longer than %d bytes", line,
				CSV_FIELD_BYTES_MAX);
		copy[length++] = peek(csv);
	}
	*out = (struct text){copy, length};
	return true;
}

static bool take_plain(struct csv *csv, struct text *out)
{
	size_t start = csv->at;

	while (!is_over(csv) && peek(csv) != ',' && peek(csv) != '\n' && peek(csv) != '"')
		csv->at++;
	*out = (struct text){csv->file.data + start, csv->at - start};
	if (out->length > 0 && out->data[out->length - 1] == '\r' && peek(csv) == '\n')
		out->length--;
	if (out->length > CSV_FIELD_BYTES_MAX)
		return scim_fail(csv->fault, 413, NULL, "line %u: a field is longer than %d bytes",
			csv->line, CSV_FIELD_BYTES_MAX);
	return peek(csv) != '"' || is_over(csv) ||
	       scim_fail(csv->fault, 400, "invalidSyntax",
		       "line %u: a quote within a field that does not begin with one", csv->line);
}

/* *is_last: the line ends behind it. */
static bool take_field(struct csv *csv, struct text *out, bool *is_last)
{
	if (!(peek(csv) == '"' && !is_over(csv) ? take_quoted(csv, out) : take_plain(csv, out)))
		return false;
	if (!is_over(csv) && peek(csv) == '\r')
		csv->at++;
	*is_last = is_over(csv) || peek(csv) == '\n';
	if (!*is_last && peek(csv) != ',')
		return scim_fail(csv->fault, 400, "invalidSyntax",
			"line %u: a comma or the end of the line is expected behind a quote",
			csv->line);
	csv->line += *is_last;
	csv->at++;
	return true;
}

static bool take_line(struct csv *csv, struct text *fields, size_t *count)
{
	uint32_t line = csv->line;
	bool is_last = false;

	for (*count = 0; !is_last; (*count)++) {
		if (*count == CSV_COLUMNS_MAX)
			return scim_fail(csv->fault, 400, "invalidSyntax",
				"line %u: more than %d columns", line, CSV_COLUMNS_MAX);
		if (!take_field(csv, &fields[*count], &is_last))
			return false;
		if (!text_is_utf8(fields[*count]))
			return scim_fail(csv->fault, 400, "invalidSyntax",
				"line %u: column %zu is not UTF-8", line, *count + 1);
	}
	return true;
}

/* ---- the first line ---- */

struct header {
	enum csv_column columns[CSV_COLUMNS_MAX];
	size_t count;
	bool is_named[CSV_COLUMN_COUNT];
};

static bool read_column(struct csv *csv, struct header *header, struct text name)
{
	for (int i = 0; i < CSV_COLUMN_COUNT; i++) {
		if (!scim_same_letters(name, text_of(column_words[i])))
			continue;
		if (header->is_named[i])
			return scim_fail(csv->fault, 400, "invalidSyntax",
				"line 1: column %s is there twice", column_words[i]);
		header->is_named[i] = true;
		header->columns[header->count++] = (enum csv_column)i;
		return true;
	}
	return scim_fail(csv->fault, 400, "invalidSyntax",
		"line 1: no column \"%.*s\" is known: userName, externalId, displayName, "
		"givenName, familyName, email, title, department, employeeNumber, active",
		TEXT_ARGS(text_head(name, 64)));
}

static bool read_header(struct csv *csv, struct header *header)
{
	struct text fields[CSV_COLUMNS_MAX] = {{0}};
	size_t count;

	if (text_starts_with(csv->file, "\xef\xbb\xbf"))
		csv->at = 3;
	if (!take_line(csv, fields, &count))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!read_column(csv, header, fields[i]))
			return false;
	return header->is_named[CSV_USER_NAME] ||
	       scim_fail(csv->fault, 400, "invalidSyntax", "line 1: column userName is missing");
}

/* ---- a person ---- */

static bool put_emails(struct json_builder *object, struct text email)
{
	struct json_builder list, one;
	struct json sealed;
	struct error err;

	if (email.length == 0)
		return true;
	json_object_start(&one, object->arena);
	json_put_text(&one, "value", email);
	json_put_cstring(&one, "type", "work");
	json_put_boolean(&one, "primary", true);
	if (!json_object_seal(&one, &sealed, &err))
		return false;
	json_array_start(&list, object->arena);
	json_add(&list, sealed);
	if (!json_array_seal(&list, &sealed, &err))
		return false;
	json_put(object, "emails", sealed);
	return true;
}

/* Two texts under one member, where one of them says something. */
static bool put_pair(struct json_builder *object, const char *member, const char *const names[2],
	const struct text values[2])
{
	struct json_builder pair;
	struct json sealed;
	struct error err;

	json_object_start(&pair, object->arena);
	json_put_text_unless_empty(&pair, names[0], values[0]);
	json_put_text_unless_empty(&pair, names[1], values[1]);
	if (!json_object_seal(&pair, &sealed, &err))
		return false;
	if (sealed.count > 0)
		json_put(object, member, sealed);
	return true;
}

static bool put_active(
	struct csv *csv, struct json_builder *object, struct text active, uint32_t line)
{
	bool is_active = scim_same_letters(active, TEXT("true"));

	if (active.length == 0)
		return true;
	if (!is_active && !scim_same_letters(active, TEXT("false")))
		return scim_fail(csv->fault, 400, "invalidValue",
			"line %u: active: true or false is expected", line);
	json_put_boolean(object, "active", is_active);
	return true;
}

static void put_schemas(struct json_builder *object)
{
	struct json_builder list;
	struct json sealed;
	struct error err;

	json_array_start(&list, object->arena);
	json_add(&list, json_cstring(SCIM_URN_USER));
	if (json_array_seal(&list, &sealed, &err))
		json_put(object, "schemas", sealed);
	else
		object->failed = true;
}

static bool row_json(
	struct csv *csv, const struct text values[CSV_COLUMN_COUNT], struct csv_row *row)
{
	static const char *const name[] = {"givenName", "familyName"};
	static const char *const enterprise[] = {"department", "employeeNumber"};
	struct json_builder object;
	struct error err;

	json_object_start(&object, csv->arena);
	put_schemas(&object);
	json_put_text_unless_empty(&object, "userName", values[CSV_USER_NAME]);
	json_put_text_unless_empty(&object, "externalId", values[CSV_EXTERNAL_ID]);
	json_put_text_unless_empty(&object, "displayName", values[CSV_DISPLAY_NAME]);
	json_put_text_unless_empty(&object, "title", values[CSV_TITLE]);
	if (!put_active(csv, &object, values[CSV_ACTIVE], row->line))
		return false;
	if (!put_emails(&object, values[CSV_EMAIL]) ||
		!put_pair(&object, "name", name, values + CSV_GIVEN_NAME) ||
		!put_pair(&object, SCIM_URN_ENTERPRISE, enterprise,
			(const struct text[2]){
				values[CSV_DEPARTMENT], values[CSV_EMPLOYEE_NUMBER]}) ||
		!json_object_seal(&object, &row->resource, &err))
		return no_memory(csv);
	return values[CSV_USER_NAME].length > 0 ||
	       scim_fail(csv->fault, 400, "invalidValue", "line %u: userName is empty", row->line);
}

static bool read_row(struct csv *csv, const struct header *header, struct csv_row *row)
{
	struct text fields[CSV_COLUMNS_MAX] = {{0}}, values[CSV_COLUMN_COUNT] = {{0}};
	size_t count;

	row->line = csv->line;
	if (!take_line(csv, fields, &count))
		return false;
	if (count != header->count)
		return scim_fail(csv->fault, 400, "invalidSyntax",
			"line %u: %zu columns, where line 1 has %zu", row->line, count,
			header->count);
	for (size_t i = 0; i < count; i++)
		values[header->columns[i]] = fields[i];
	return row_json(csv, values, row);
}

/* A line without anything; one column could be empty, but is userName then. */
static bool skip_empty(struct csv *csv)
{
	size_t at = csv->at;

	if (at < csv->file.length && csv->file.data[at] == '\r')
		at++;
	if (at >= csv->file.length || csv->file.data[at] != '\n')
		return false;
	csv->at = at + 1;
	csv->line++;
	return true;
}

static size_t lines_of(struct text file)
{
	size_t count = 1;

	for (size_t i = 0; i < file.length; i++)
		count += file.data[i] == '\n';
	return count;
}

bool csv_people_read(const struct csv_row **out, size_t *count, struct arena *arena,
	struct text file, struct scim_fault *fault)
{
	struct csv csv = {.arena = arena, .file = file, .line = 1, .fault = fault};
	struct header header = {.count = 0};
	size_t most = lines_of(file);
	struct csv_row *rows;

	*count = 0;
	if (file.length > CSV_BYTES_MAX)
		return scim_fail(
			fault, 413, NULL, "the table is longer than %d bytes", CSV_BYTES_MAX);
	rows = arena_array(
		arena, struct csv_row, most < CSV_ROWS_MAX ? most : (size_t)CSV_ROWS_MAX);
	*out = rows;
	if (rows == NULL)
		return no_memory(&csv);
	if (!read_header(&csv, &header))
		return false;
	while (!is_over(&csv)) {
		if (skip_empty(&csv))
			continue;
		if (*count == CSV_ROWS_MAX)
			return scim_fail(fault, 413, NULL, "line %u: more than %d people", csv.line,
				CSV_ROWS_MAX);
		if (!read_row(&csv, &header, &rows[*count]))
			return false;
		(*count)++;
	}
	return true;
}

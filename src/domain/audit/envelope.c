/* The common members of records, and the one list of their types. */
#include "domain/audit/envelope.h"

#include "base/digest.h"

enum { ENTRY_BYTES_MAX = 65535, TASK_BYTES_MAX = 64, ACTOR_BYTES_MAX = 320 };

static const char *const type_names[] = {"",
#define RECORD_TYPE_WORD(name, word) word,
	RECORD_TYPES(RECORD_TYPE_WORD)
#undef RECORD_TYPE_WORD
};
_Static_assert(sizeof type_names / sizeof type_names[0] == RECORD_TYPE_COUNT, "a word per type");

static const struct json_limits entry_limits = {
	.size_bytes = ENTRY_BYTES_MAX, .depth = 64, .values = 32 * 1024};

const char *record_type_name(enum record_type type)
{
	return type < RECORD_TYPE_COUNT ? type_names[type] : "";
}

enum record_type record_type_of(struct text name)
{
	for (int type = RECORD_TYPE_UNKNOWN + 1; type < RECORD_TYPE_COUNT; type++) {
		if (text_is(name, type_names[type]))
			return (enum record_type)type;
	}
	return RECORD_TYPE_UNKNOWN;
}

void envelope_start(struct json_builder *record, struct arena *arena, const struct envelope *common)
{
	json_object_start(record, arena);
	json_put_integer(record, "at", common->at_utc_ms);
	json_put_cstring(record, "type", record_type_name(common->type));
	json_put_text(record, "actor", common->actor);
	if (common->task.data != NULL)
		json_put_text(record, "task", common->task);
	if (common->content.data != NULL)
		json_put_text(record, "content", common->content);
}

static bool type_is_word(struct text t)
{
	for (size_t i = 0; i < t.length; i++) {
		if (!(t.data[i] >= 'a' && t.data[i] <= 'z') && t.data[i] != '-')
			return false;
	}
	return t.length > 0 && t.length <= 64;
}

static bool actor_is_valid(struct text t)
{
	static const char *const prefixes[] = {"person:", "identity:", "directory:", "uid:"};

	if (text_is(t, "remit"))
		return true;
	if (t.length > ACTOR_BYTES_MAX)
		return false;
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		if (text_starts_with(t, prefixes[i]) && t.length > text_of(prefixes[i]).length)
			return true;
	}
	return false;
}

struct text actor_person(struct text actor)
{
	return text_starts_with(actor, "person:") ? text_after(actor, sizeof "person:" - 1)
						  : TEXT("");
}

/* A member that may be absent, but not of another type. */
static bool read_optional(
	const struct json *record, const char *name, struct text *out, struct error *err)
{
	const struct json *member = json_find(record, name);

	*out = (struct text){0};
	if (member == NULL)
		return true;
	if (member->type != JSON_STRING || member->string.length == 0)
		return error_set(err, ERROR_INVALID, "record: \"%s\" is not a text", name);
	*out = member->string;
	return true;
}

bool envelope_check(const struct envelope *common, struct error *err)
{
	struct sha256 digest;

	if (common->at_utc_ms < 0)
		return error_set(err, ERROR_INVALID, "record: a time before 1970");
	if (!type_is_word(common->type_name))
		return error_set(err, ERROR_INVALID, "record: the type is not a word");
	if (!actor_is_valid(common->actor))
		return error_set(err, ERROR_INVALID, "record: unknown kind of actor");
	if (common->task.data != NULL &&
		(common->task.length == 0 || common->task.length > TASK_BYTES_MAX))
		return error_set(err, ERROR_INVALID, "record: the task id is empty or too long");
	if (common->content.data != NULL && !digest_parse(common->content, &digest))
		return error_set(err, ERROR_INVALID, "record: the content is not named by a hash");
	return true;
}

bool envelope_read(struct envelope *out, const struct json *record, struct error *err)
{
	struct envelope common = {0};

	*out = (struct envelope){0};
	if (record->type != JSON_OBJECT)
		return error_set(err, ERROR_INVALID, "record: not an object");
	if (!json_need_integer(record, "at", &common.at_utc_ms, err) ||
		!json_need_text(record, "type", &common.type_name, err) ||
		!json_need_text(record, "actor", &common.actor, err) ||
		!read_optional(record, "task", &common.task, err) ||
		!read_optional(record, "content", &common.content, err))
		return error_wrap(err, "record");
	if (!envelope_check(&common, err))
		return false;
	common.type = record_type_of(common.type_name);
	*out = common;
	return true;
}

bool envelope_parse(struct envelope *out, struct json *record, struct arena *arena,
	struct text entry, struct error *err)
{
	struct json value;
	struct text canonical;

	*out = (struct envelope){0};
	if (!json_parse(&value, arena, entry, &entry_limits, err))
		return error_wrap(err, "record");
	canonical = json_canonical_text(arena, &value);
	if (canonical.data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a record");
	if (!text_equal(canonical, entry))
		return error_set(err, ERROR_INVALID, "record: not in canonical form");
	if (record != NULL)
		*record = value;
	return envelope_read(out, &value, err);
}

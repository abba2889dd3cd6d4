/* One pass: the registry is folded on the way, so that each record is counted for the
 * charter that held when it was written. */
#include "domain/friction/friction_private.h"

#include <stdlib.h>
#include <string.h>

#include "domain/charter/registry_fold.h"

enum {
	ENTRY_BYTES_MAX = 256 * 1024 * 1024, /* as whoever folds a registry record has */
	KEPT_BYTES_MAX = 64 * 1024 * 1024,
};

static void denials_destroy(void *value)
{
	struct denials *denials = value;

	while (denials->first != NULL) {
		struct denial *next = denials->first->next;

		free(denials->first);
		denials->first = next;
	}
	free(denials);
}

static bool open_all(struct friction *friction, struct error *err)
{
	friction->entry = arena_create(ENTRY_BYTES_MAX);
	friction->scratch = arena_create(ENTRY_BYTES_MAX);
	friction->kept = arena_create(KEPT_BYTES_MAX);
	friction->groups = name_table_create();
	friction->questions = name_table_create();
	friction->denials = name_table_create();
	if (friction->entry == NULL || friction->scratch == NULL || friction->kept == NULL ||
		friction->groups == NULL || friction->questions == NULL ||
		friction->denials == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the report");
	return registry_create(&friction->registry, err);
}

bool friction_create(
	struct friction **out, const struct friction_options *options, struct error *err)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the report");
	(*out)->options = options;
	if (open_all(*out, err))
		return true;
	friction_destroy(out);
	return false;
}

void friction_destroy(struct friction **friction)
{
	if (*friction == NULL)
		return;
	name_table_destroy(&(*friction)->denials, denials_destroy);
	name_table_destroy(&(*friction)->questions, free);
	name_table_destroy(&(*friction)->groups, NULL);
	registry_destroy(&(*friction)->registry);
	arena_destroy(&(*friction)->kept);
	arena_destroy(&(*friction)->scratch);
	arena_destroy(&(*friction)->entry);
	free(*friction);
	*friction = NULL;
}

/* ---- whose it is ---- */

static struct friction_group *group_add(
	struct friction *friction, struct text key, struct text unit, enum risk_tier risk)
{
	struct friction_group *group;

	if (name_table_count(friction->groups) >= FRICTION_GROUPS_MAX)
		return NULL;
	group = arena_new(friction->kept, struct friction_group);
	if (group == NULL)
		return NULL;
	group->key = text_copy(friction->kept, key);
	group->unit = text_copy(friction->kept, unit);
	group->risk = risk;
	if (group->key.data == NULL || group->unit.data == NULL ||
		!name_table_put(friction->groups, group->key, group))
		return NULL;
	return group;
}

/* The group of a record.  NULL: another unit than was asked for, or, with err set, no room. */
static struct friction_group *group_of(
	struct friction *friction, const struct json *record, struct error *err)
{
	const struct charter *charter =
		registry_find_charter(friction->registry, json_text_or(record, "identity", ""));
	struct text unit = charter == NULL ? TEXT(FRICTION_NO_UNIT) : charter->unit;
	enum risk_tier risk = risk_tier_of(json_text_or(record, "risk", ""));
	struct friction_group *group;
	struct text key;

	if (risk == RISK_NONE && charter != NULL) /* refused before it was known, or a question */
		risk = charter->risk;
	if (friction->options->unit.length > 0 && !text_equal(friction->options->unit, unit))
		return NULL;
	key = text_format(friction->entry, "%.*s/%d", TEXT_ARGS(unit), (int)risk);
	group = key.data == NULL ? NULL : name_table_find(friction->groups, key);
	if (group == NULL && key.data != NULL)
		group = group_add(friction, key, unit, risk);
	if (group == NULL)
		(void)error_set(
			err, ERROR_LIMIT, "more than %d units and risk tiers", FRICTION_GROUPS_MAX);
	return group;
}

/* ---- denials ---- */

/* Task and arguments; the digest of these is keyed by the task, so nothing else is this call. */
static struct sha256 call_of(struct friction *friction, const struct json *record)
{
	struct text whole = text_format(friction->entry, "%.*s %.*s",
		TEXT_ARGS(json_text_or(record, "task", "")),
		TEXT_ARGS(json_text_or(record, "arguments", "")));

	return sha256_of(whole.data, whole.length);
}

/* N of "NAME@N"; 0 if there is none. */
static int64_t version_of(const struct json *record)
{
	struct text charter = json_text_or(record, "charter", "");
	ptrdiff_t at = text_find_byte(charter, '@');
	int64_t version;

	if (at < 0 || !text_to_int64(
			      (struct text){charter.data + at + 1, charter.length - (size_t)at - 1},
			      &version))
		return 0;
	return version;
}

static struct text denials_name(struct friction *friction, const struct json *record)
{
	return text_format(friction->entry, "%.*s %.*s",
		TEXT_ARGS(json_text_or(record, "identity", "")),
		TEXT_ARGS(json_text_or(record, "tool", "")));
}

static struct denials *denials_get(struct friction *friction, struct text name)
{
	struct denials *denials =
		name.data == NULL ? NULL : name_table_find(friction->denials, name);

	if (denials != NULL || name.data == NULL)
		return denials;
	denials = calloc(1, sizeof *denials);
	if (denials != NULL && !name_table_put(friction->denials, name, denials)) {
		free(denials);
		return NULL;
	}
	return denials;
}

static void forget_oldest(struct friction *friction, struct denials *denials)
{
	struct denial **link = &denials->first;

	while ((*link)->next != NULL)
		link = &(*link)->next;
	free(*link);
	*link = NULL;
	denials->count--;
	friction->denials_count--;
	friction->untracked++;
}

static bool remember_denial(struct friction *friction, const struct json *record,
	struct friction_group *group, struct error *err)
{
	struct denials *denials;
	struct denial *denial;

	if (friction->denials_count >= FRICTION_DENIALS_MAX) {
		friction->untracked++;
		return true;
	}
	denials = denials_get(friction, denials_name(friction, record));
	denial = denials == NULL ? NULL : calloc(1, sizeof *denial);
	if (denial == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the denials of a tool");
	*denial = (struct denial){.next = denials->first,
		.group = group,
		.call = call_of(friction, record),
		.charter_version = version_of(record)};
	denials->first = denial;
	denials->count++;
	friction->denials_count++;
	if (denials->count > FRICTION_DENIALS_A_TOOL_MAX)
		forget_oldest(friction, denials);
	return true;
}

/* What was denied and is allowed now was friction. */
static void settle_denials(struct friction *friction, const struct json *record)
{
	struct text name = denials_name(friction, record);
	struct denials *denials =
		name.data == NULL ? NULL : name_table_find(friction->denials, name);
	struct denial **link = denials == NULL ? NULL : &denials->first;
	struct sha256 call = call_of(friction, record);
	int64_t version = version_of(record);

	while (link != NULL && *link != NULL) {
		struct denial *denial = *link;

		if (!sha256_equal(&denial->call, &call) && denial->charter_version >= version) {
			link = &denial->next;
			continue;
		}
		denial->group->denied_then_allowed++;
		*link = denial->next;
		free(denial);
		denials->count--;
		friction->denials_count--;
	}
}

/* ---- questions ---- */

static bool start_question(struct friction *friction, const struct json *record,
	struct friction_group *group, struct error *err)
{
	struct text id = json_text_or(record, "approval", "");
	struct question *question;

	if (id.length == 0 || name_table_find(friction->questions, id) != NULL)
		return true;
	group->questions++;
	if (name_table_count(friction->questions) >= FRICTION_QUESTIONS_MAX) {
		friction->untracked++;
		return true;
	}
	question = calloc(1, sizeof *question);
	if (question == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for a question");
	*question = (struct question){group, json_integer_or(record, "at", 0), -1};
	if (name_table_put(friction->questions, id, question))
		return true;
	free(question);
	return error_set(err, ERROR_LIMIT, "no memory for a question");
}

static void end_question(struct friction *friction, struct text id)
{
	struct question *question =
		id.length == 0 ? NULL : name_table_remove(friction->questions, id);

	if (question != NULL && question->wait_ms < 0)
		question->group->unanswered++;
	free(question);
}

/* The wait so far; a later answer, of a second person, makes it longer. */
static void answer_question(struct friction *friction, const struct json *record)
{
	struct text id = json_text_or(record, "approval", "");
	struct question *question =
		id.length == 0 ? NULL : name_table_find(friction->questions, id);

	if (question == NULL)
		return;
	if (question->wait_ms >= 0)
		waits_remove(&question->group->waits, question->wait_ms);
	question->wait_ms = json_integer_or(record, "at", 0) - question->asked_at_utc_ms;
	if (question->wait_ms < 0)
		question->wait_ms = 0;
	waits_add(&question->group->waits, question->wait_ms);
	if (!text_is(json_text_or(record, "answer", ""), "yes"))
		end_question(friction, id);
}

/* ---- records ---- */

static enum verdict verdict_of(const struct json *record)
{
	struct text word = json_text_or(record, "verdict", "");

	if (text_is(word, verdict_word(VERDICT_ALLOW)))
		return VERDICT_ALLOW;
	return text_is(word, verdict_word(VERDICT_ASK)) ? VERDICT_ASK : VERDICT_DENY;
}

static bool count_decision(struct friction *friction, const struct json *record,
	struct friction_group *group, struct error *err)
{
	enum verdict verdict = verdict_of(record);

	friction->decisions++;
	group->verdicts[verdict]++;
	if (verdict != VERDICT_DENY)
		return true;
	group->reasons[reason_of(json_text_or(record, "reason", ""))]++;
	return remember_denial(friction, record, group, err);
}

static bool count_new(
	struct friction *friction, const struct json *record, struct text type, struct error *err)
{
	struct friction_group *group;

	*err = (struct error){0};
	if (json_integer_or(record, "at", 0) < friction->options->since_utc_ms)
		return true;
	group = group_of(friction, record, err);
	if (group == NULL)
		return err->code == ERROR_NONE;
	return text_is(type, "decision") ? count_decision(friction, record, group, err)
					 : start_question(friction, record, group, err);
}

static bool count(struct friction *friction, const struct json *record, struct error *err)
{
	struct text type = json_text_or(record, "type", "");

	if (text_is(type, "approval-asked"))
		end_question(friction, json_text_or(record, "replaces", ""));
	if (text_is(type, "decision") && verdict_of(record) == VERDICT_ALLOW) {
		settle_denials(friction, record);
		end_question(friction, json_text_or(record, "approval", ""));
	}
	if (text_is(type, "approval-answered"))
		answer_question(friction, record);
	if (text_is(type, "approval-closed"))
		end_question(friction, json_text_or(record, "approval", ""));
	if (text_is(type, "decision") || text_is(type, "approval-asked"))
		return count_new(friction, record, type, err);
	return true;
}

bool friction_feed(
	struct friction *friction, struct text entry, struct text content, struct error *err)
{
	struct json record;
	bool ok;

	ok = registry_entry_read(&record, friction->entry, entry, content, err) &&
	     registry_fold(friction->registry, &record, friction->scratch, err) &&
	     count(friction, &record, err);
	arena_reset(friction->entry);
	return ok;
}

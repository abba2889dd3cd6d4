/* The questions, in their order: why each is asked, what is taken where nothing is said, what is
 * no answer.  A use case of low risk is asked REGISTER_LOW of them; the rest have a default by
 * class and risk, which is shown and can be changed at the end. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "domain/charter/form.h"
#include "domain/charter/terms.h"
#include "edges/cli/register.h"

enum { DAY_S = 86400, LINE_BYTES = 4096 };

struct question {
	const char *member;
	const char *why; /* one plain sentence */
	const char *prompt;
	enum risk_tier from; /* asked from this risk on; LOW: always */
	bool is_list;
	/* What can be picked; NULL: anything.  An array of texts. */
	bool (*choices)(struct registering *registering, struct json *out);
	/* What is taken if nothing is said; JSON_NULL: it has to be said. */
	struct json (*otherwise)(struct registering *registering);
	/* What is wrong with it; NULL: nothing. */
	const char *(*wrong)(struct registering *registering, struct text answer);
};

/* ---- what may be picked ---- */

static bool texts(struct registering *registering, const char *const *words, struct json *out)
{
	struct json_builder array;
	struct error err;

	json_array_start(&array, registering->cli->arena);
	for (; *words != NULL; words++)
		json_add(&array, json_string(text_of(*words)));
	if (json_array_seal(&array, out, &err))
		return true;
	registering->status = cli_fail(registering->cli, &err);
	return false;
}

static bool classes(struct registering *registering, struct json *out)
{
	static const char *const words[] = {"summarise", "retrieve", "update", "execute", NULL};

	return texts(registering, words, out);
}

static bool tiers(struct registering *registering, struct json *out)
{
	static const char *const words[] = {"low", "medium", "high", "critical", NULL};

	return texts(registering, words, out);
}

static bool sensitivities(struct registering *registering, struct json *out)
{
	static const char *const words[] = {
		"public", "internal", "confidential", "restricted", NULL};

	return texts(registering, words, out);
}

static bool environments(struct registering *registering, struct json *out)
{
	static const char *const words[] = {"dev", "test", "staging", "prod", NULL};

	return texts(registering, words, out);
}

/* The names of a list that pass. */
static bool names_of(struct registering *registering, const struct json *list,
	bool (*is_fit)(struct registering *registering, const struct json *object),
	struct json *out)
{
	struct json_builder array;
	struct error err;

	json_array_start(&array, registering->cli->arena);
	for (uint32_t i = 0; i < list->count; i++)
		if (is_fit == NULL || is_fit(registering, &list->items[i]))
			json_add(&array, json_string(json_text_or(&list->items[i], "name", "")));
	if (json_array_seal(&array, out, &err))
		return true;
	registering->status = cli_fail(registering->cli, &err);
	return false;
}

static bool units(struct registering *registering, struct json *out)
{
	return register_list(registering, "units", &registering->units) &&
	       names_of(registering, &registering->units, NULL, out);
}

/* Whoever is of the unit, and not the owner again. */
static bool is_colleague(struct registering *registering, const struct json *person)
{
	return text_equal(json_text_or(person, "unit", ""), register_text(registering, "unit")) &&
	       !text_equal(json_text_or(person, "name", ""), registering->person);
}

static bool colleagues(struct registering *registering, struct json *out)
{
	return register_list(registering, "persons", &registering->persons) &&
	       names_of(registering, &registering->persons, is_colleague, out);
}

static bool people(struct registering *registering, struct json *out)
{
	return register_list(registering, "persons", &registering->persons) &&
	       names_of(registering, &registering->persons, NULL, out);
}

/* Its class permits the effect, and it is called rather than handed work to. */
static bool is_permitted(struct registering *registering, const struct json *tool)
{
	enum effect effect = effect_of(json_text_or(tool, "effect", ""));
	enum use_class use_class = use_class_of(register_text(registering, "class"));

	return effect != EFFECT_DELEGATE && use_class_permits(use_class, effect);
}

static bool tools(struct registering *registering, struct json *out)
{
	return register_list(registering, "tools", &registering->tools) &&
	       names_of(registering, &registering->tools, is_permitted, out);
}

static bool sources(struct registering *registering, struct json *out)
{
	return register_list(registering, "data-sources", &registering->sources) &&
	       names_of(registering, &registering->sources, NULL, out);
}

/* ---- what is taken if nothing is said ---- */

static struct json word(const char *value)
{
	return json_string(text_of(value));
}

static struct json none(struct registering *registering)
{
	(void)registering;
	return (struct json){.type = JSON_NULL};
}

static struct json list_of(struct registering *registering, struct text value)
{
	struct json_builder array;
	struct json out = {.type = JSON_NULL};
	struct error err;

	json_array_start(&array, registering->cli->arena);
	if (value.length > 0)
		json_add(&array, json_string(value));
	return json_array_seal(&array, &out, &err) ? out : (struct json){.type = JSON_NULL};
}

static struct json no_items(struct registering *registering)
{
	return list_of(registering, TEXT(""));
}

static struct json own_unit(struct registering *registering)
{
	const struct json *person;

	if (!register_list(registering, "persons", &registering->persons))
		return (struct json){.type = JSON_NULL};
	person = register_find(&registering->persons, registering->person);
	return person == NULL ? none(registering) : *json_find(person, "unit");
}

static struct json retrieving(struct registering *registering)
{
	(void)registering;
	return word("retrieve");
}

static struct json risk_of_class(struct registering *registering)
{
	switch (use_class_of(register_text(registering, "class"))) {
	case CLASS_SUMMARISE:
	case CLASS_RETRIEVE: return word("low");
	case CLASS_UPDATE: return word("medium");
	case CLASS_EXECUTE:
	case CLASS_NONE: break;
	}
	return word("high");
}

/* Who has the role first, else whoever is of the unit. */
static struct json first_colleague(struct registering *registering)
{
	const struct json *list = &registering->persons;
	const struct json *first = NULL;

	for (uint32_t i = 0; list->type == JSON_ARRAY && i < list->count; i++) {
		const struct json *person = &list->items[i];

		if (!is_colleague(registering, person))
			continue;
		if (register_has_text(json_find(person, "roles"), TEXT("backup-owner")))
			return *json_find(person, "name");
		first = first == NULL ? person : first;
	}
	return first == NULL ? none(registering) : *json_find(first, "name");
}

static bool is_read(const struct json *tool, struct text source)
{
	const struct json *reads = tool == NULL ? NULL : json_find(tool, "reads");

	for (uint32_t i = 0; reads != NULL && i < reads->count; i++)
		if (text_equal(json_text_or(&reads->items[i], "data-source", ""), source))
			return true;
	return false;
}

static bool is_read_by_tools(struct registering *registering, const struct json *source)
{
	const struct json *picked = register_answer(registering, "tools");

	for (uint32_t i = 0; picked != NULL && i < picked->count; i++)
		if (is_read(register_find(&registering->tools, picked->items[i].string),
			    json_text_or(source, "name", "")))
			return true;
	return false;
}

/* What the tools that were picked read. */
static struct json read_by_tools(struct registering *registering)
{
	struct json out = {.type = JSON_NULL};

	return names_of(registering, &registering->sources, is_read_by_tools, &out)
		       ? out
		       : none(registering);
}

/* Where the server of the first tool is. */
static struct json where_tools_are(struct registering *registering)
{
	const struct json *picked = register_answer(registering, "tools");
	struct text tool =
		picked == NULL || picked->count == 0 ? TEXT("") : picked->items[0].string;
	ptrdiff_t slash = text_find_byte(tool, '/');
	const struct json *server;

	if (slash <= 0 || !register_list(registering, "servers", &registering->servers))
		return list_of(registering, TEXT("dev"));
	server = register_find(&registering->servers, (struct text){tool.data, (size_t)slash});
	return list_of(registering,
		server == NULL ? TEXT("dev") : json_text_or(server, "environment", "dev"));
}

/* The highest label of the data; what has none counts as restricted. */
static struct json highest_label(struct registering *registering)
{
	const struct json *picked = register_answer(registering, "data_sources");
	enum sensitivity highest = SENSITIVITY_PUBLIC;

	for (uint32_t i = 0; picked != NULL && i < picked->count; i++) {
		const struct json *source =
			register_find(&registering->sources, picked->items[i].string);
		enum sensitivity label =
			source == NULL ? SENSITIVITY_UNLABELLED
				       : sensitivity_of(json_text_or(source, "sensitivity", ""));

		if (sensitivity_level(label) > sensitivity_level(highest))
			highest = label;
	}
	return word(highest == SENSITIVITY_UNLABELLED ? "restricted" : sensitivity_word(highest));
}

static enum risk_tier risk_of(const struct registering *registering)
{
	return risk_tier_of(register_text(registering, "risk"));
}

static struct json day_after(struct registering *registering, int64_t days)
{
	char written[TIME_TEXT_BYTES];

	time_format_utc_ms(written, (registering->now_utc_s + days * DAY_S) * 1000);
	written[sizeof "2026-11-26" - 1] = '\0';
	return json_string(text_copy(registering->cli->arena, text_of(written)));
}

static struct json end_by_risk(struct registering *registering)
{
	static const int64_t days[] = {30, 365, 180, 90, 30};

	return day_after(registering, days[risk_of(registering)]);
}

static struct json review_by_risk(struct registering *registering)
{
	static const char *const spans[] = {"30d", "180d", "90d", "30d", "30d"};

	return word(spans[risk_of(registering)]);
}

static struct json calls_by_risk(struct registering *registering)
{
	static const char *const calls[] = {"10", "60", "60", "30", "10"};

	return word(calls[risk_of(registering)]);
}

static struct json minutes(struct registering *registering)
{
	(void)registering;
	return word("15m");
}

static struct json as_is(struct registering *registering)
{
	return json_string(register_text(registering, "risk"));
}

/* ---- what is no answer ---- */

static const char *wrong_name(struct registering *registering, struct text answer)
{
	struct cli_call call = {.method = "GET",
		.target = text_format(
			registering->cli->arena, "/v1/identities/%.*s", TEXT_ARGS(answer))};
	struct cli_reply reply;

	if (!name_is_plain(answer))
		return "a name is lower-case letters, digits, - . and _, up to 64";
	if (cli_send(registering->cli, &call, &reply) && reply.status == 200)
		return "there is an identity of that name already";
	return NULL;
}

static const char *wrong_prose(struct registering *registering, struct text answer)
{
	(void)registering;
	return answer.length < 8 ? "say it in a sentence" : NULL;
}

static const char *wrong_day(struct registering *registering, struct text answer)
{
	int64_t utc_ms;

	if (!time_parse_date_ms(answer, &utc_ms))
		return "write a day, as in 2027-06-30";
	return utc_ms / 1000 <= registering->now_utc_s ? "that day has passed" : NULL;
}

static const char *wrong_number(struct registering *registering, struct text answer)
{
	int64_t number;

	(void)registering;
	return text_to_int64(answer, &number) && number >= 1 ? NULL
							     : "write a whole number, from 1";
}

static const struct question questions[] = {
	{"name", "It is known by this name in every list, record and approval.", "Name", RISK_LOW,
		false, NULL, none, wrong_name},
	{"purpose", "Whoever approves it, and each unit it touches, agrees to this purpose.",
		"What is it for, in a sentence", RISK_LOW, false, NULL, none, wrong_prose},
	{"unit", "The unit answers for it, and its guardrails hold.", "Unit", RISK_LOW, false,
		units, own_unit, NULL},
	{"class", "The class is the most it may ever do, whatever its lines say.", "Class",
		RISK_LOW, false, classes, retrieving, NULL},
	{"risk", "The risk decides how long it lasts, how often it is looked at, and who agrees.",
		"Risk if it goes wrong", RISK_LOW, false, tiers, risk_of_class, NULL},
	{"backup_owner", "If you leave, somebody has to answer for it on that day.", "Backup owner",
		RISK_LOW, false, colleagues, first_colleague, NULL},
	{"tools", "What no line permits is refused; these become its lines.",
		"Tools, with commas between", RISK_LOW, true, tools, no_items, NULL},
	{"data_sources", "It reads these and nothing else, up to the label they have now.",
		"Data sources", RISK_LOW, true, sources, read_by_tools, NULL},
	{"environments", "Its key and its servers count in these alone.", "Environments", RISK_LOW,
		true, environments, where_tools_are, NULL},
	{"reply_up_to", "What it says goes to whoever asked; data above this does not.",
		"Most sensitive data it may tell", RISK_LOW, false, sensitivities, highest_label,
		NULL},
	{"impact", "Whoever stops it at night has to know what stops with it.",
		"What happens to whom if it is wrong or stops", RISK_LOW, false, NULL, none,
		wrong_prose},
	{"expires", "On that day it stops by itself, unless people agreed to more.", "Last day",
		RISK_LOW, false, NULL, end_by_risk, wrong_day},
	{"review", "So often somebody looks whether all this is still true.", "Review every",
		RISK_HIGH, false, NULL, review_by_risk, NULL},
	{"calls_per_minute", "An agent in a loop is stopped by this.", "Calls a minute", RISK_HIGH,
		false, NULL, calls_by_risk, wrong_number},
	{"task", "A task that runs longer ends, and its token with it.", "Longest task",
		RISK_CRITICAL, false, NULL, minutes, NULL},
	{"residual", "What is left of the risk with all that holds it is accepted by people.",
		"Risk that is left", RISK_HIGH, false, tiers, as_is, NULL},
	{"accepted_by",
		"They accept that risk themselves, before it starts; two of a critical one.",
		"Who accepts it", RISK_HIGH, true, people, no_items, NULL},
	{"accepted_until", "Nobody accepts a risk for ever.", "Accepted until", RISK_HIGH, false,
		NULL, end_by_risk, wrong_day},
};
const size_t register_questions_count = sizeof questions / sizeof *questions;

/* ---- asking ---- */

static struct text trim(struct text t)
{
	while (t.length > 0 && (t.data[0] == ' ' || t.data[0] == '\t'))
		t = text_after(t, 1);
	while (t.length > 0 && (t.data[t.length - 1] == ' ' || t.data[t.length - 1] == '\t'))
		t.length--;
	return t;
}

static struct text joined(struct registering *registering, const struct json *value)
{
	struct text out = TEXT("");

	if (value->type == JSON_STRING)
		return value->string;
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		if (value->items[i].type == JSON_STRING)
			out = text_format(registering->cli->arena, "%.*s%s%.*s", TEXT_ARGS(out),
				i == 0 ? "" : ", ", TEXT_ARGS(value->items[i].string));
	return value->type == JSON_ARRAY && value->count == 0 ? TEXT("none") : out;
}

/* A number picks from what was listed. */
static struct text picked(const struct json *choices, struct text typed)
{
	int64_t number;

	if (choices->type == JSON_ARRAY && text_to_int64(typed, &number) && number >= 1 &&
		number <= choices->count)
		return choices->items[number - 1].string;
	return typed;
}

static const char *wrong_with(struct registering *registering, const struct question *question,
	const struct json *choices, struct text answer)
{
	if (choices->type == JSON_ARRAY && !register_has_text(choices, answer))
		return "is none of them";
	return question->wrong == NULL ? NULL : question->wrong(registering, answer);
}

/* False: it is no answer, and the user was told. */
static bool take_one(struct registering *registering, const struct question *question,
	const struct json *choices, struct text typed, struct text *out)
{
	const char *wrong;

	*out = text_copy(registering->cli->arena, picked(choices, typed));
	wrong = wrong_with(registering, question, choices, *out);
	if (wrong == NULL)
		return true;
	cli_say("  %.*s: %s", TEXT_ARGS(*out), wrong);
	return false;
}

static bool take_list(struct registering *registering, const struct question *question,
	const struct json *choices, struct text typed, struct json *out)
{
	struct json_builder array;
	struct error err;

	json_array_start(&array, registering->cli->arena);
	while (typed.length > 0 && !text_is(typed, "none")) {
		ptrdiff_t comma = text_find_byte(typed, ',');
		size_t length = comma < 0 ? typed.length : (size_t)comma;
		struct text one = trim((struct text){typed.data, length});
		struct text taken;

		typed = text_after(typed, comma < 0 ? length : length + 1);
		if (one.length == 0)
			continue;
		if (!take_one(registering, question, choices, one, &taken))
			return false;
		json_add(&array, json_string(taken));
	}
	return json_array_seal(&array, out, &err);
}

static bool take_typed(struct registering *registering, const struct question *question,
	const struct json *choices, struct text typed, struct json *out)
{
	struct text one;

	if (question->is_list)
		return take_list(registering, question, choices, typed, out);
	if (!take_one(registering, question, choices, typed, &one))
		return false;
	*out = json_string(one);
	return true;
}

static void show_choices(const struct json *choices)
{
	for (uint32_t i = 0; choices->type == JSON_ARRAY && i < choices->count; i++) {
		if (i == REGISTER_SHOWN_MAX) {
			cli_say("  and %u more: type a name", choices->count - i);
			return;
		}
		cli_say("  %u  %.*s", i + 1, TEXT_ARGS(choices->items[i].string));
	}
}

static bool read_line(struct registering *registering, struct text *out)
{
	char line[LINE_BYTES];

	if (fgets(line, sizeof line, stdin) == NULL) {
		cli_wrong(registering->cli, "broken off; what was answered is in %s",
			registering->path);
		registering->status = EXIT_REFUSED;
		return false;
	}
	*out = text_copy(registering->cli->arena, trim((struct text){line, strcspn(line, "\r\n")}));
	return true;
}

/* Until there is an answer, or the input ends. */
static bool put_to_person(struct registering *registering, const struct question *question,
	const struct json *choices, const struct json *otherwise, struct json *out)
{
	struct text typed;

	registering->asked++;
	cli_say("\n%s", question->why);
	show_choices(choices);
	for (;;) {
		if (otherwise->type == JSON_NULL)
			(void)fprintf(stderr, "%s: ", question->prompt);
		else
			(void)fprintf(stderr, "%s [%.*s]: ", question->prompt,
				TEXT_ARGS(joined(registering, otherwise)));
		if (!read_line(registering, &typed))
			return false;
		if (typed.length == 0 && otherwise->type != JSON_NULL) {
			*out = *otherwise;
			return true;
		}
		if (typed.length > 0 && take_typed(registering, question, choices, typed, out))
			return true;
		if (typed.length == 0)
			cli_say("  this one needs an answer");
	}
}

/* What stands there from before, or in the file of a script. */
static bool is_right(struct registering *registering, const struct question *question,
	const struct json *choices, const struct json *value)
{
	if (!question->is_list)
		return value->type == JSON_STRING &&
		       wrong_with(registering, question, choices, value->string) == NULL;
	for (uint32_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		if (value->items[i].type != JSON_STRING ||
			wrong_with(registering, question, choices, value->items[i].string) != NULL)
			return false;
	return value->type == JSON_ARRAY;
}

static bool is_put(const struct registering *registering, const struct question *question)
{
	return risk_tier_level(question->from) <= risk_tier_level(RISK_LOW) ||
	       risk_tier_level(risk_of(registering)) >= risk_tier_level(question->from);
}

static bool refuse_missing(struct registering *registering, const struct question *question)
{
	const struct json *value = register_answer(registering, question->member);

	if (value != NULL && value->type == JSON_STRING)
		cli_wrong(registering->cli, "answers: %s: %.*s is no answer: %s", question->member,
			TEXT_ARGS(value->string), question->why);
	else
		cli_wrong(registering->cli, "answers: %s is %s: %s", question->member,
			value == NULL ? "missing" : "no answer", question->why);
	registering->status = EXIT_USAGE;
	return false;
}

static bool answer(struct registering *registering, const struct question *question, bool is_again)
{
	const struct json *known = register_answer(registering, question->member);
	struct json choices = {.type = JSON_NULL}, otherwise, value;

	if (question->choices != NULL && !question->choices(registering, &choices))
		return false;
	if (!is_again && known != NULL && is_right(registering, question, &choices, known))
		return true;
	otherwise = is_again && known != NULL ? *known : question->otherwise(registering);
	if (registering->is_asking && (is_again || is_put(registering, question))) {
		if (!put_to_person(registering, question, &choices, &otherwise, &value))
			return false;
	} else if (known != NULL || otherwise.type == JSON_NULL ||
		   !is_right(registering, question, &choices, &otherwise)) {
		return refuse_missing(registering, question);
	} else {
		value = otherwise;
	}
	return register_put(registering, question->member, value) && register_save(registering);
}

bool register_ask_all(struct registering *registering)
{
	for (size_t i = 0; i < register_questions_count; i++)
		if (!answer(registering, &questions[i], false))
			return false;
	return true;
}

bool register_ask_again(struct registering *registering, size_t number)
{
	return answer(registering, &questions[number], true);
}

void register_show(const struct registering *registering)
{
	for (size_t i = 0; i < register_questions_count; i++) {
		const struct json *value = register_answer(registering, questions[i].member);
		struct registering reading = *registering;

		if (value != NULL)
			cli_say("%3zu  %-16s %.*s", i + 1, questions[i].member,
				TEXT_ARGS(joined(&reading, value)));
	}
}

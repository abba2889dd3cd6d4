/* Candidates for the one change.  Each builds a world or a call that differs from
 * the real one in one thing, and says what; change_try decides whether it is any
 * good, so a candidate may guess freely. */

#include <stddef.h>
#include <string.h>

#include "cedar/from_json.h"
#include "domain/charter/peer.h"
#include "domain/decide/change.h"

#define SAY(...) evaluation_sentence(evaluation, __VA_ARGS__)

enum { DAY_S = 86400 };

/* Copies to change, and what stands in for what. */
struct altered {
	struct registry_entry entry;
	struct object object;
	struct charter charter;
	struct server server;
	struct tool tool;
	struct data_source source;
	struct trial trial;
};

static void alter_identity(struct altered *altered, const struct registry_entry *entry)
{
	*altered = (struct altered){.entry = *entry, .object = *entry->in_force};
	altered->charter = *charter_of(entry->in_force);
	altered->object.body = &altered->charter;
	altered->object.unpacked = NULL; /* it is the copy's body */
	altered->entry.in_force = &altered->object;
	altered->trial.identity = &altered->entry;
}

static struct json word_json(const char *word)
{
	return word == NULL ? json_null() : json_cstring(word);
}

/* ---- the call ---------------------------------------------------------------------- */

struct attribute;

/* A comparison that decided, or one of those that made up what did, and what it would have to
 * be. */
struct turn {
	const struct cedar_comparison *comparison;
	bool wanted;
	bool is_permit;
	const struct attribute *attribute; /* of objects */
};

static bool value_json(const struct cedar_value *value, struct json *out)
{
	switch ((int)value->type) {
	case CEDAR_BOOL: *out = json_boolean(value->boolean); return true;
	case CEDAR_LONG: *out = json_integer(value->integer); return true;
	case CEDAR_STRING:
		*out = json_string((struct text){value->string, value->count});
		return true;
	default: return false;
	}
}

/* The object with one member otherwise; value NULL: without it. */
static bool object_with(struct changing *changing, const struct json *before, struct text name,
	const struct json *value, struct json *out)
{
	struct json_builder object;
	struct error err;

	json_object_start(&object, changing->scratch);
	for (uint32_t i = 0; i < before->count; i++)
		if (!text_equal(before->members[i].name, name))
			json_put_named(&object, before->members[i].name, before->members[i].value);
	if (value != NULL)
		json_put_named(&object, name, *value);
	return json_object_seal(&object, out, &err);
}

/* The call with one argument otherwise; value NULL: without it. */
static bool call_with_argument(
	struct changing *changing, struct text name, const struct json *value, struct call *out)
{
	*out = *changing->call;
	if (!object_with(changing, &changing->call->arguments, name, value, &out->arguments))
		return false;
	out->arguments_text = json_canonical_text(changing->scratch, &out->arguments);
	return out->arguments_text.data != NULL;
}

static bool is_wanted(
	const struct turn *turn, enum cedar_relation relation, enum cedar_relation opposite)
{
	return turn->comparison->relation == (turn->wanted ? relation : opposite);
}

/* ["a", "b"]; null: it is not all texts. */
static struct json texts_json(struct changing *changing, const struct cedar_value *set)
{
	struct json_builder texts;
	struct json value, out;
	struct error err;

	json_array_start(&texts, changing->scratch);
	for (uint32_t i = 0; i < set->count; i++) {
		if (set->items[i].type != CEDAR_STRING || !value_json(&set->items[i], &value))
			return json_null();
		json_add(&texts, value);
	}
	return json_array_seal(&texts, &out, &err) ? out : json_null();
}

/* What the argument would have to be: the value that was tried, or the pattern that it stands
 * for, or what it is not. */
static struct json wanted_json(
	struct changing *changing, const struct turn *turn, struct json value)
{
	const struct cedar_comparison *comparison = turn->comparison;
	struct json pattern = json_string(cedar_text_to(comparison->pattern));
	struct json but = json_null(), out;
	struct json_builder object;
	struct error err;

	json_object_start(&object, changing->scratch);
	if (comparison->relation == CEDAR_RELATION_LIKE && turn->wanted)
		json_put(&object, "like", pattern);
	else if (is_wanted(turn, CEDAR_RELATION_NOT_LIKE, CEDAR_RELATION_LIKE))
		json_put(&object, "not-like", pattern);
	else if (is_wanted(turn, CEDAR_RELATION_NOT_EQUAL, CEDAR_RELATION_EQUAL) &&
		 value.type == JSON_STRING && value_json(&comparison->literal, &but))
		json_put(&object, "not", but);
	else if (is_wanted(turn, CEDAR_RELATION_NONE_OF, CEDAR_RELATION_ONE_OF)) {
		but = texts_json(changing, &comparison->literal);
		if (but.type == JSON_NULL)
			return value;
		json_put(&object, "not", but);
	} else
		return value;
	return json_object_seal(&object, &out, &err) ? out : value;
}

static void try_argument(struct changing *changing, const struct turn *turn)
{
	const struct cedar_comparison *comparison = turn->comparison;
	struct evaluation *evaluation = changing->evaluation;
	struct text name = cedar_text_to(comparison->names[1]);
	const struct json *now = json_find_text(&changing->call->arguments, name);
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE, .from = json_null()};
	struct cedar_value value;
	struct json json;
	struct call call;

	if (!cedar_comparison_solve(
		    comparison, turn->wanted, cedar_arena_from(changing->scratch), &value) ||
		!value_json(&value, &json) || !call_with_argument(changing, name, &json, &call))
		return;
	candidate.what = SAY("argument %.*s", TEXT_ARGS(name));
	/* An argument that only a guardrail names is not the caller's to know. */
	if (now != NULL || turn->is_permit)
		candidate.hint = SAY("Another value of argument %.*s.", TEXT_ARGS(name));
	if (now != NULL)
		candidate.from = *now;
	candidate.to = wanted_json(changing, turn, json);
	(void)change_try(changing, &candidate, changing->world, NULL, &call);
}

/* ---- what is asked of a model -------------------------------------------------------- */

/* The request with one member of context.generation otherwise. */
static bool call_with_generation(
	struct changing *changing, struct text name, struct json value, struct call *out)
{
	*out = *changing->call;
	return object_with(changing, &changing->call->generation, name, &value, &out->generation);
}

/* The api is the provider's, and no request's to choose; no prompt takes nothing, nor is anything
 * asked that may not be answered. */
static bool is_generation_value(struct text name, const struct json *value)
{
	if (text_is(name, "prompt_tokens") || text_is(name, "max_tokens"))
		return value->type == JSON_INTEGER && value->integer > 0;
	return !text_is(name, "api");
}

/* A request has no member that says what its prompt takes. */
static struct text generation_hint(
	struct evaluation *evaluation, struct text name, const struct candidate *candidate)
{
	if (!text_is(name, "prompt_tokens"))
		return SAY("Another value of %.*s in the request.", TEXT_ARGS(name));
	return candidate->to.integer < candidate->from.integer ? TEXT("A shorter prompt.")
							       : TEXT("A longer prompt.");
}

static void try_generation(struct changing *changing, const struct turn *turn)
{
	const struct cedar_comparison *comparison = turn->comparison;
	struct evaluation *evaluation = changing->evaluation;
	struct text name = cedar_text_to(comparison->names[1]);
	const struct json *now = json_find_text(&changing->call->generation, name);
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE, .from = json_null()};
	struct cedar_value value;
	struct call call;

	if (!cedar_comparison_solve(
		    comparison, turn->wanted, cedar_arena_from(changing->scratch), &value) ||
		!value_json(&value, &candidate.to) || !is_generation_value(name, &candidate.to) ||
		!call_with_generation(changing, name, candidate.to, &call))
		return;
	candidate.what = SAY("generation %.*s", TEXT_ARGS(name));
	if (now != NULL)
		candidate.from = *now;
	/* As with arguments: what only a guardrail names is not the caller's to know. */
	if (now != NULL || turn->is_permit)
		candidate.hint = generation_hint(evaluation, name, &candidate);
	(void)change_try(changing, &candidate, changing->world, NULL, &call);
}

static struct json names_json(struct changing *changing, const struct json *list, uint32_t without)
{
	struct json_builder names;
	struct error err;
	struct json out;

	json_array_start(&names, changing->scratch);
	for (uint32_t i = 0; without < list->count && i < list->count; i++)
		if (i != without)
			json_add(&names, list->items[i]);
	return json_array_seal(&names, &out, &err) ? out : json_null();
}

/* Fewer tools in the request: one less, else none.  Where none would not do, no other number
 * is tried. */
static void try_tools(struct changing *changing, const char *name)
{
	const struct json *list = json_find(&changing->call->generation, name);
	struct evaluation *evaluation = changing->evaluation;
	struct candidate candidate = {
		.kind = CHANGE_ATTRIBUTE, .hint = TEXT("A request with fewer tools.")};
	struct call call;
	uint32_t i;

	if (list == NULL || list->type != JSON_ARRAY || list->count == 0)
		return;
	candidate.what = SAY("generation %s", name);
	candidate.from = *list;
	if (!call_with_generation(
		    changing, text_of(name), names_json(changing, list, list->count), &call) ||
		!change_allows(changing, changing->world, NULL, &call))
		return;
	for (i = 0; list->count > 1 && i < list->count && !change_is_over(changing); i++) {
		candidate.to = names_json(changing, list, i);
		if (call_with_generation(changing, text_of(name), candidate.to, &call))
			(void)change_try(changing, &candidate, changing->world, NULL, &call);
	}
	candidate.to = names_json(changing, list, list->count);
	if (!change_is_found(changing))
		change_keep(changing, &candidate);
}

/* ---- the rest of the call ------------------------------------------------------------ */

static void try_environment_of_call(struct changing *changing, enum environment value)
{
	struct call call = *changing->call;
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE,
		.what = TEXT("environment of the call"),
		.hint = TEXT("A task from another environment."),
		.from = word_json(environment_word(call.environment)),
		.to = word_json(environment_word(value))};

	if (value == call.environment)
		return;
	call.environment = value;
	(void)change_try(changing, &candidate, changing->world, NULL, &call);
}

static bool is_has(const struct cedar_comparison *comparison)
{
	return comparison->relation == CEDAR_RELATION_HAS ||
	       comparison->relation == CEDAR_RELATION_HAS_NOT;
}

/* A path with a value. */
static bool is_path(const struct cedar_comparison *comparison, const char *variable,
	const char *name, size_t count)
{
	return comparison->relation != CEDAR_RELATION_NONE && !is_has(comparison) &&
	       comparison->name_count == count &&
	       text_is(cedar_text_to(comparison->variable), variable) &&
	       text_is(cedar_text_to(comparison->names[0]), name);
}

static void turn_call(struct changing *changing, const struct turn *turn)
{
	int value;

	if (is_path(turn->comparison, "context", "args", 2))
		try_argument(changing, turn);
	else if (is_path(turn->comparison, "context", "generation", 2))
		try_generation(changing, turn);
	else if (is_path(turn->comparison, "context", "environment", 1))
		for (value = ENVIRONMENT_DEV; value <= ENVIRONMENT_PROD; value++)
			try_environment_of_call(changing, (enum environment)value);
}

/* Whether another outcome of this part would turn the policy, and which. */
static bool part_turns(const struct decide_account *account, size_t at, struct turn *out)
{
	const struct cedar_part *part = &account->told.parts[at];

	*out = (struct turn){.is_permit = account->is_permit};
	if (part->kind != CEDAR_PART_WHEN && part->kind != CEDAR_PART_UNLESS)
		return false;
	if (account->is_permit) {
		out->wanted = part->kind == CEDAR_PART_WHEN;
		return at == account->told.decisive;
	}
	out->wanted = part->kind == CEDAR_PART_UNLESS;
	return part->result != CEDAR_PART_NOT_REACHED;
}

static void each_comparison(struct changing *changing, const struct cedar_part *part,
	struct turn one, void (*turn)(struct changing *changing, const struct turn *turn))
{
	for (size_t i = 0; i < part->comparison_count && !change_is_over(changing); i++) {
		one.comparison = &part->comparisons[i];
		turn(changing, &one);
	}
}

/* attribute: of objects, the one that is sought. */
static void each_turn(struct changing *changing,
	void (*turn)(struct changing *changing, const struct turn *turn),
	const struct attribute *attribute)
{
	struct turn one;
	size_t i, at;

	for (i = 0; i < changing->accounts_count && !change_is_over(changing); i++) {
		const struct cedar_account *told = &changing->accounts[i].told;

		for (at = 0; at < told->part_count; at++)
			if (part_turns(&changing->accounts[i], at, &one)) {
				one.attribute = attribute;
				each_comparison(changing, &told->parts[at], one, turn);
			}
	}
}

/* ---- without an argument -------------------------------------------------------------- */

/* A line that reads what is not there fails: of lines only that it is there is turned so. */
static bool is_turned_without(const struct turn *turn)
{
	const struct cedar_comparison *comparison = turn->comparison;

	if (comparison->relation == CEDAR_RELATION_NONE || comparison->name_count < 2 ||
		!text_is(cedar_text_to(comparison->variable), "context") ||
		!text_is(cedar_text_to(comparison->names[0]), "args"))
		return false;
	return is_has(comparison) ? is_wanted(turn, CEDAR_RELATION_HAS_NOT, CEDAR_RELATION_HAS)
				  : !turn->is_permit;
}

/* One that two comparisons in a row name is left out once. */
static void turn_left_out(struct changing *changing, const struct turn *turn)
{
	struct evaluation *evaluation = changing->evaluation;
	struct candidate candidate = {
		.kind = CHANGE_ATTRIBUTE, .to = json_null(), .is_left_out = true};
	const struct json *now;
	struct text name;
	struct call call;

	if (!is_turned_without(turn))
		return;
	name = cedar_text_to(turn->comparison->names[1]);
	now = json_find_text(&changing->call->arguments, name);
	if (now == NULL || text_equal(name, changing->left_out) ||
		!call_with_argument(changing, name, NULL, &call))
		return;
	changing->left_out = name;
	candidate.what = SAY("argument %.*s", TEXT_ARGS(name));
	candidate.hint = SAY("The call without argument %.*s.", TEXT_ARGS(name));
	candidate.from = *now;
	(void)change_try(changing, &candidate, changing->world, NULL, &call);
}

static void try_effect(struct changing *changing)
{
	const struct tool *tool = changing->evaluation->tool;
	struct call call = *changing->call;
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE,
		.what = TEXT("effect that is asked for"),
		.hint = TEXT("The effect that the tool has."),
		.from = word_json(effect_word(call.effect))};

	if (tool == NULL)
		return;
	call.effect = tool->effect;
	candidate.to = word_json(effect_word(tool->effect));
	(void)change_try(changing, &candidate, changing->world, NULL, &call);
}

/* Targets whose values might come from a better place, a bit each. */
static uint32_t targets_below_request(const struct flow_origins *origins)
{
	uint32_t which = 0;

	for (uint32_t i = 0; origins != NULL && i < origins->targets_count; i++)
		if (origins->targets[i].found.origin < FLOW_REQUEST)
			which |= UINT32_C(1) << i;
	return which;
}

/* Whether it would do, did the values of these alone come from there. */
static bool would_do(struct changing *changing, uint32_t which, enum flow_origin origin)
{
	struct decide_world world = *changing->world;
	struct flow_origins changed = *world.origins;

	flow_origins_change(&changed, changing->evaluation->tool, which, origin);
	world.origins = &changed;
	return change_allows(changing, &world, NULL, changing->call);
}

/* The one target that is enough, the worst first; else all of them together; 0: they are not
 * enough either. */
static uint32_t targets_enough(struct changing *changing)
{
	const struct flow_origins *origins = changing->world->origins;
	uint32_t all = targets_below_request(origins);

	if (all == 0 || !would_do(changing, all, FLOW_REQUEST))
		return 0;
	if ((all & (all - 1)) == 0)
		return all;
	for (int worst = FLOW_UNKNOWN; worst < FLOW_REQUEST; worst++)
		for (uint32_t i = 0; i < origins->targets_count; i++)
			if (origins->targets[i].found.origin == (enum flow_origin)worst &&
				would_do(changing, UINT32_C(1) << i, FLOW_REQUEST))
				return UINT32_C(1) << i;
	return all;
}

static enum flow_origin worst_of(const struct flow_origins *origins, uint32_t which)
{
	enum flow_origin worst = FLOW_NONE;

	for (uint32_t i = 0; i < origins->targets_count; i++)
		if ((which >> i & 1) != 0)
			worst = flow_origin_worst(worst, origins->targets[i].found.origin);
	return worst;
}

/* "argument to and argument cc". */
static struct text targets_told(struct changing *changing, uint32_t which)
{
	const struct flow_origins *origins = changing->world->origins;
	struct evaluation *evaluation = changing->evaluation;
	struct text told = TEXT("");

	for (uint32_t i = 0; i < origins->targets_count; i++) {
		struct text argument = origins->targets[i].argument;

		if ((which >> i & 1) == 0)
			continue;
		told = SAY("%.*s%s%s%.*s", TEXT_ARGS(told),
			told.length == 0  ? ""
			: which >> i == 1 ? " and "
					  : ", ",
			argument.length == 0 ? "the addresses in the arguments" : "argument ",
			TEXT_ARGS(argument));
	}
	return told;
}

/* "the request, the charter or a trusted result": those alone that were tried and would do. */
static struct text namers(struct changing *changing, uint32_t which, enum flow_origin now)
{
	struct evaluation *evaluation = changing->evaluation;
	bool charter = now < FLOW_CHARTER && would_do(changing, which, FLOW_CHARTER);
	bool result = now < FLOW_TRUSTED && would_do(changing, which, FLOW_TRUSTED);

	return SAY("the request%s%s",
		!charter ? ""
		: result ? ", the charter"
			 : " or the charter",
		result ? " or a trusted result" : "");
}

static struct text origins_hint(
	struct evaluation *evaluation, struct text told, bool is_one, struct text by)
{
	if (is_one && text_starts_with(told, "the addresses"))
		return SAY("Addresses that %.*s names.", TEXT_ARGS(by));
	return SAY("%s of %.*s that %.*s names.", is_one ? "A value" : "Values", TEXT_ARGS(told),
		TEXT_ARGS(by));
}

/* The same values, had the person asked for them, or the charter or a result named them. */
static void try_origins(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE, .to = json_cstring("request")};
	uint32_t which = targets_enough(changing);
	enum flow_origin now;
	struct text told;

	if (which == 0)
		return;
	now = worst_of(changing->world->origins, which);
	told = targets_told(changing, which);
	candidate.from = json_cstring(flow_origin_word(now));
	candidate.what = SAY("origin of %.*s", TEXT_ARGS(told));
	candidate.hint = origins_hint(
		evaluation, told, (which & (which - 1)) == 0, namers(changing, which, now));
	change_keep(changing, &candidate);
}

/* A text that the glob is like: "x" for each "*". */
static struct text text_like(struct changing *changing, struct text glob)
{
	char *bytes = arena_copy_text(changing->scratch, glob.data, glob.length);

	for (size_t i = 0; bytes != NULL && i < glob.length; i++)
		bytes[i] = glob.data[i] == '*' ? 'x' : glob.data[i];
	return bytes == NULL ? TEXT("") : (struct text){bytes, glob.length};
}

static void try_target(struct changing *changing, struct text argument, struct text glob)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct json *now = json_find_text(&changing->call->arguments, argument);
	struct json like = json_string(text_like(changing, glob));
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE, .from = json_null(), .to = like};
	struct json_builder object;
	struct error err;
	struct call call;

	json_object_start(&object, changing->scratch);
	json_put_text(&object, "like", glob);
	if (!call_with_argument(changing, argument, &like, &call) ||
		(text_find_byte(glob, '*') >= 0 && !json_object_seal(&object, &candidate.to, &err)))
		return;
	if (now != NULL)
		candidate.from = *now;
	candidate.what = SAY("argument %.*s", TEXT_ARGS(argument));
	(void)change_try(changing, &candidate, changing->world, NULL, &call);
}

/* Elsewhere to: where a line of the charter lets this data go already. */
static void try_targets(struct changing *changing)
{
	const struct evaluation *evaluation = changing->evaluation;
	const struct charter *charter = evaluation->charter;
	const struct tool *tool = evaluation->tool;
	uint32_t i, at;

	for (i = 0; tool != NULL && charter != NULL && i < charter->outputs_count; i++) {
		if (!output_lets_elsewhere(evaluation, &charter->outputs[i]))
			continue;
		for (at = 0; at < tool->targets_count; at++)
			if (tool->targets[at].form != TARGET_RECIPIENT)
				try_target(changing, tool->targets[at].argument,
					charter->outputs[i].target);
	}
}

void change_call(struct changing *changing)
{
	const struct registry_entry *entry = changing->evaluation->entry;
	int value;

	each_turn(changing, turn_call, NULL);
	each_turn(changing, turn_left_out, NULL);
	if (!change_is_found(changing))
		try_tools(changing, "tools");
	if (!change_is_found(changing))
		try_tools(changing, "provider_tools");
	if (!change_is_found(changing))
		try_origins(changing);
	if (changing->decision->reason == REASON_OUTPUT)
		try_targets(changing);
	if (changing->decision->reason == REASON_EFFECT_MISMATCH)
		try_effect(changing);
	/* Only where the charter covers it already: else it is the charter's change. */
	if (changing->decision->reason == REASON_ENVIRONMENT && entry != NULL)
		for (value = ENVIRONMENT_DEV; value <= ENVIRONMENT_PROD; value++)
			if (charter_has_environment(
				    charter_of(entry->in_force), (enum environment)value))
				try_environment_of_call(changing, (enum environment)value);
}

/* ---- attributes that a policy compared ----------------------------------------------- */

static const char *class_word(int value)
{
	return use_class_word((enum use_class)value);
}

static const char *risk_word(int value)
{
	return risk_tier_word((enum risk_tier)value);
}

static const char *place_word(int value)
{
	return environment_word((enum environment)value);
}

static const char *undo_word(int value)
{
	return reversal_word((enum reversal)value);
}

/* Words that policies compare, and whose they are; in the order in which they are tried. */
struct attribute {
	const char *variable;
	const char *name;
	const char *owner; /* "identity", "server" or "tool" */
	const char *(*word)(int value);
	int last;  /* values are 1 to last, in the order in which they are tried */
	size_t at; /* in struct altered: an enumeration of the size of an int */
};

#define AT(member) offsetof(struct altered, member)
_Static_assert(sizeof(enum use_class) == sizeof(int) && sizeof(enum risk_tier) == sizeof(int) &&
		       sizeof(enum reversal) == sizeof(int) &&
		       sizeof(enum environment) == sizeof(int),
	"words are read and written as int");
static const struct attribute attributes[] = {
	{"principal", "class", "identity", class_word, CLASS_EXECUTE, AT(charter.use_class)},
	{"principal", "risk", "identity", risk_word, RISK_CRITICAL, AT(charter.risk)},
	{"resource", "risk", "tool", risk_word, RISK_CRITICAL, AT(tool.risk)},
	{"resource", "reversal", "tool", undo_word, REVERSAL_IRREVERSIBLE, AT(tool.reversal)},
	{"resource", "environment", "server", place_word, ENVIRONMENT_PROD, AT(server.environment)},
};

/* Empty: it has none; a model has no tool. */
static struct text owner_name(const struct changing *changing, const struct attribute *attribute)
{
	const struct tool *tool = changing->evaluation->tool;

	if (strcmp(attribute->owner, "identity") == 0)
		return changing->evaluation->entry->name;
	if (strcmp(attribute->owner, "server") == 0)
		return changing->evaluation->server->name;
	return tool == NULL ? TEXT("") : tool->name;
}

/* A model has no tool. */
static void alter_all(struct changing *changing, struct altered *altered)
{
	alter_identity(altered, changing->evaluation->entry);
	altered->server = *changing->evaluation->server;
	altered->trial.server = &altered->server;
	if (changing->evaluation->tool == NULL)
		return;
	altered->tool = *changing->evaluation->tool;
	altered->trial.tool = &altered->tool;
}

static void turn_attribute(struct changing *changing, const struct turn *turn)
{
	const struct attribute *attribute = turn->attribute;
	struct evaluation *evaluation = changing->evaluation;
	struct text owner = owner_name(changing, attribute);
	int value;

	if (!is_path(turn->comparison, attribute->variable, attribute->name, 1) ||
		owner.length == 0)
		return;
	for (value = 1; value <= attribute->last && !change_is_over(changing); value++) {
		struct candidate candidate = {.kind = CHANGE_ATTRIBUTE,
			.what = SAY("%s %.*s: %s", attribute->owner, TEXT_ARGS(owner),
				attribute->name)};
		struct altered altered;
		char *place = (char *)&altered + attribute->at;
		int now;

		alter_all(changing, &altered);
		memcpy(&now, place, sizeof now);
		if (now == value)
			continue;
		candidate.from = word_json(attribute->word(now));
		candidate.to = word_json(attribute->word(value));
		memcpy(place, &value, sizeof value);
		(void)change_try(
			changing, &candidate, changing->world, &altered.trial, changing->call);
	}
}

/* By whose they are, whatever the policy reads first: an identity's own before what others use. */
static void turn_objects(struct changing *changing)
{
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
		each_turn(changing, turn_attribute, &attributes[i]);
}

/* ---- attributes by the reason of the refusal ------------------------------------------ */

/* Tries a changed identity. */
static void try_identity(
	struct changing *changing, const struct altered *altered, struct candidate candidate)
{
	candidate.kind = CHANGE_ATTRIBUTE;
	(void)change_try(changing, &candidate, changing->world, &altered->trial, changing->call);
}

static void change_state(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct registry_entry *entry =
		evaluation_find_identity(evaluation, changing->call->identity);
	struct altered altered;

	if (entry == NULL || entry->in_force == NULL)
		return;
	alter_identity(&altered, entry);
	altered.entry.state = IDENTITY_ACTIVE;
	try_identity(changing, &altered,
		(struct candidate){.what = SAY("identity %.*s: state", TEXT_ARGS(entry->name)),
			.from = word_json(identity_state_word(entry->state)),
			.to = json_cstring("active")});
}

static void change_end(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct registry_entry *entry =
		evaluation_find_identity(evaluation, changing->call->identity);
	struct altered altered;

	if (entry == NULL || entry->in_force == NULL)
		return;
	alter_identity(&altered, entry);
	altered.charter.expires_utc_s = changing->world->now_utc_ms / 1000 + DAY_S;
	try_identity(changing, &altered,
		(struct candidate){.what = SAY("identity %.*s: expires", TEXT_ARGS(entry->name)),
			.from = json_null(),
			.to = json_cstring("a later end")});
}

static void change_environments(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	enum environment wanted[] = {
		evaluation->server == NULL ? ENVIRONMENT_NONE : evaluation->server->environment,
		changing->call->environment};
	size_t i;

	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct altered altered;

		if (wanted[i] == ENVIRONMENT_NONE)
			continue;
		alter_identity(&altered, evaluation->entry);
		altered.charter.environments |= environment_bit(wanted[i]);
		try_identity(changing, &altered,
			(struct candidate){.what = SAY("identity %.*s: one more environment",
						   TEXT_ARGS(evaluation->entry->name)),
				.from = json_null(),
				.to = word_json(environment_word(wanted[i]))});
	}
}

/* The first class that permits the effect is the lowest. */
static void change_class(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	int value = CLASS_SUMMARISE;
	struct altered altered;

	while (value < CLASS_EXECUTE &&
		!use_class_permits((enum use_class)value, evaluation->effect))
		value++;
	alter_identity(&altered, evaluation->entry);
	altered.charter.use_class = (enum use_class)value;
	try_identity(changing, &altered,
		(struct candidate){
			.what = SAY("identity %.*s: class", TEXT_ARGS(evaluation->entry->name)),
			.from = word_json(class_word((int)evaluation->charter->use_class)),
			.to = word_json(class_word(value))});
}

static void change_definition(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct decide_world world = *changing->world;
	char pinned[DIGEST_TEXT_BYTES], offered[DIGEST_TEXT_BYTES];
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE};

	if (world.offered == NULL || evaluation->tool == NULL ||
		world.definition == DEFINITION_UNREADABLE)
		return;
	digest_format(pinned, &evaluation->tool->definition);
	digest_format(offered, world.offered);
	candidate.what = SAY("tool %.*s: definition", TEXT_ARGS(evaluation->tool->name));
	if (evaluation->tool->has_definition)
		candidate.from = json_cstring(pinned);
	candidate.to = json_cstring(offered);
	world.definition = DEFINITION_MATCHES;
	(void)change_try(changing, &candidate, &world, NULL, changing->call);
}

/* ---- data and outputs ------------------------------------------------------------------- */

static enum sensitivity labelled(enum sensitivity value)
{
	return value == SENSITIVITY_UNLABELLED ? SENSITIVITY_RESTRICTED : value;
}

static struct json up_to_json(struct changing *changing, enum sensitivity value)
{
	struct json_builder object;
	struct error err;
	struct json out;

	json_object_start(&object, changing->scratch);
	json_put_cstring(&object, "up-to", sensitivity_word(labelled(value)));
	return json_object_seal(&object, &out, &err) ? out : json_null();
}

/* A line of the charter for the source, added or raised. */
static void try_source_line(struct changing *changing, const struct data_source *source)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct charter *charter = evaluation->charter;
	struct charter_data_source *lines = arena_array(
		changing->scratch, struct charter_data_source, charter->data_sources_count + 1);
	struct candidate candidate = {.from = json_null()};
	struct altered altered;
	uint32_t i, count = charter->data_sources_count;

	if (lines == NULL)
		return;
	for (i = 0; i < charter->data_sources_count; i++) {
		lines[i] = charter->data_sources[i];
		if (text_equal(lines[i].name, source->name)) {
			candidate.from = up_to_json(changing, lines[i].up_to);
			count = i;
		}
	}
	lines[count] = (struct charter_data_source){source->name, labelled(source->sensitivity)};
	alter_identity(&altered, evaluation->entry);
	altered.charter.data_sources = lines;
	altered.charter.data_sources_count += count == charter->data_sources_count ? 1 : 0;
	candidate.what = SAY("identity %.*s: data-source %.*s", TEXT_ARGS(evaluation->entry->name),
		TEXT_ARGS(source->name));
	candidate.to = up_to_json(changing, source->sensitivity);
	try_identity(changing, &altered, candidate);
}

/* The source's own label, lowered: it changes what everybody may read, so it is
 * tried after what changes one identity. */
static void try_source_label(struct changing *changing, const struct data_source *source)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct charter_data_source *line =
		charter_find_data_source(evaluation->charter, source->name);
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE};
	struct altered altered = {.source = *source};

	if (line == NULL || line->up_to == SENSITIVITY_UNLABELLED)
		return;
	altered.source.sensitivity = line->up_to;
	altered.trial.source = &altered.source;
	candidate.what = SAY("data-source %.*s: sensitivity", TEXT_ARGS(source->name));
	candidate.from = word_json(sensitivity_word(source->sensitivity));
	candidate.to = word_json(sensitivity_word(line->up_to));
	(void)change_try(changing, &candidate, changing->world, &altered.trial, changing->call);
}

/* tool_reads_match finds sources of the real world: what was matched is looked up
 * again by name in the trial. */
static void change_source_lines(struct changing *changing)
{
	const struct evaluation *evaluation = changing->evaluation;

	for (size_t i = 0; i < evaluation->sources_count; i++)
		try_source_line(changing, evaluation->sources[i]);
}

static void change_source_labels(struct changing *changing)
{
	const struct evaluation *evaluation = changing->evaluation;

	for (size_t i = 0; i < evaluation->sources_count; i++)
		try_source_label(changing, evaluation->sources[i]);
}

/* A line of the charter, `now` raised to what the call carries, or a new one. */
static void try_output(struct changing *changing, struct text to, const struct charter_output *now)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct charter *charter = evaluation->charter;
	struct charter_output *lines =
		arena_array(changing->scratch, struct charter_output, charter->outputs_count + 1);
	enum sensitivity label = carried_label(evaluation);
	struct candidate candidate = {.from = json_null()};
	uint32_t i, at = now == NULL ? charter->outputs_count : (uint32_t)(now - charter->outputs);
	struct altered altered;

	if (lines == NULL)
		return;
	for (i = 0; i < charter->outputs_count; i++)
		lines[i] = charter->outputs[i];
	if (now == NULL)
		lines[at] = (struct charter_output){.to = to};
	else
		candidate.from = up_to_json(changing, now->up_to);
	lines[at].up_to = label;
	alter_identity(&altered, evaluation->entry);
	altered.charter.outputs = lines;
	altered.charter.outputs_count += now == NULL ? 1 : 0;
	candidate.what = SAY("identity %.*s: output %.*s%s%.*s", TEXT_ARGS(evaluation->entry->name),
		TEXT_ARGS(to), lines[at].target.length == 0 ? "" : " at ",
		TEXT_ARGS(lines[at].target));
	candidate.to = up_to_json(changing, label);
	try_identity(changing, &altered, candidate);
}

static const struct charter_output *output_named(const struct charter *charter, struct text to)
{
	uint32_t i;

	for (i = 0; i < charter->outputs_count; i++)
		if (text_equal(charter->outputs[i].to, to))
			return &charter->outputs[i];
	return NULL;
}

/* A line for this recipient alone. */
static void try_recipient(struct changing *changing, struct text to)
{
	struct evaluation *evaluation = changing->evaluation;
	bool is_address = text_find_byte(to, '@') > 0;
	struct text line = is_address ? to : SAY("person:%.*s", TEXT_ARGS(to));

	if (is_address || evaluation_find_person(evaluation, to) != NULL)
		try_output(changing, line, output_named(evaluation->charter, line));
}

/* What this person may see. */
static void try_clearance(struct changing *changing, struct text to)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct person *person = evaluation_find_person(evaluation, to);
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE};
	struct person cleared;
	struct trial trial = {.person = &cleared};

	if (person == NULL || person->clearance == SENSITIVITY_UNLABELLED)
		return;
	cleared = *person;
	cleared.clearance = carried_label(evaluation);
	candidate.what = SAY("person %.*s: clearance", TEXT_ARGS(to));
	candidate.from = word_json(sensitivity_word(person->clearance));
	candidate.to = word_json(sensitivity_word(cleared.clearance));
	(void)change_try(changing, &candidate, changing->world, &trial, changing->call);
}

static void each_recipient(
	struct changing *changing, void (*try)(struct changing *changing, struct text to))
{
	const struct tool *tool = changing->evaluation->tool;
	uint32_t i, item;

	for (i = 0; tool != NULL && i < tool->targets_count; i++) {
		const struct json *value =
			json_find_text(&changing->call->arguments, tool->targets[i].argument);

		if (tool->targets[i].form != TARGET_RECIPIENT || value == NULL)
			continue;
		if (value->type == JSON_STRING)
			try(changing, value->string);
		for (item = 0; value->type == JSON_ARRAY && item < value->count; item++)
			try(changing, value->items[item].string);
	}
}

static void change_outputs(struct changing *changing)
{
	const struct evaluation *evaluation = changing->evaluation;
	const struct tool *tool = evaluation->tool;

	try_output(changing, TEXT("reply"), output_named(evaluation->charter, TEXT("reply")));
	if (tool != NULL && tool_carries(tool))
		try_output(changing, tool->name, output_to_tool(evaluation, evaluation->charter));
	each_recipient(changing, try_recipient);
	each_recipient(changing, try_clearance);
}

/* ---- models and peers ------------------------------------------------------------------- */

/* A line of the charter for the model, added or raised to what the task has read. */
static void try_model_line(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct charter *charter = evaluation->charter;
	const struct server_model *model = evaluation->model;
	struct charter_model *lines =
		arena_array(changing->scratch, struct charter_model, charter->models_count + 1);
	enum sensitivity label = carried_label(evaluation);
	struct candidate candidate = {.from = json_null()};
	struct altered altered;
	uint32_t i, at = charter->models_count;

	if (lines == NULL)
		return;
	for (i = 0; i < charter->models_count; i++) {
		lines[i] = charter->models[i];
		if (text_equal(lines[i].provider, evaluation->server->name) &&
			text_equal(lines[i].name, model->name))
			at = i;
	}
	if (at < charter->models_count)
		candidate.from = up_to_json(changing,
			ceiling_level(lines[at].up_to) == 0 ? SENSITIVITY_PUBLIC : lines[at].up_to);
	lines[at] = (struct charter_model){evaluation->server->name, model->name, label};
	alter_identity(&altered, evaluation->entry);
	altered.charter.models = lines;
	altered.charter.models_count += at == charter->models_count ? 1 : 0;
	candidate.what = SAY("identity %.*s: model %.*s", TEXT_ARGS(evaluation->entry->name),
		TEXT_ARGS(changing->call->tool));
	candidate.to = up_to_json(changing, label);
	try_identity(changing, &altered, candidate);
}

/* Tries the model, as it is registered with the provider, otherwise. */
static void try_model(
	struct changing *changing, const struct server_model *model, struct candidate candidate)
{
	const struct server *server = changing->evaluation->server;
	struct server_model *models =
		arena_array(changing->scratch, struct server_model, server->models_count);
	struct altered altered = {.server = *server};

	if (models == NULL)
		return;
	for (uint32_t i = 0; i < server->models_count; i++)
		models[i] = text_equal(server->models[i].name, model->name) ? *model
									    : server->models[i];
	altered.server.models = models;
	altered.trial.server = &altered.server;
	candidate.kind = CHANGE_ATTRIBUTE;
	(void)change_try(changing, &candidate, changing->world, &altered.trial, changing->call);
}

/* What data may go to it, for everybody: after what changes one identity. */
static void try_model_label(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct server_model model = *evaluation->model;

	model.up_to = carried_label(evaluation);
	try_model(changing, &model,
		(struct candidate){
			.what = SAY("model %.*s: up-to", TEXT_ARGS(changing->call->tool)),
			.from = word_json(sensitivity_word(evaluation->model->up_to)),
			.to = word_json(sensitivity_word(model.up_to))});
}

/* What the request asks the provider to run, beside what it may run already. */
static void try_model_tools(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct server_model model = *evaluation->model;
	const struct json *asked = json_find(&changing->call->generation, "provider_tools");
	size_t room = model.tools_count + (asked == NULL ? 0 : asked->count);
	struct text *tools = arena_array(changing->scratch, struct text, room + 1);
	struct json_builder more;
	struct candidate candidate = {.from = json_null()};
	struct error err;

	if (tools == NULL || asked == NULL)
		return;
	for (uint32_t i = 0; i < model.tools_count; i++)
		tools[i] = model.tools[i];
	model.tools = tools;
	json_array_start(&more, changing->scratch);
	for (uint32_t i = 0; i < asked->count; i++) {
		if (asked->items[i].type != JSON_STRING ||
			server_model_has_tool(&model, asked->items[i].string))
			continue;
		tools[model.tools_count++] = asked->items[i].string;
		json_add(&more, asked->items[i]);
	}
	candidate.what = SAY("model %.*s: more provider-tools", TEXT_ARGS(changing->call->tool));
	if (json_array_seal(&more, &candidate.to, &err))
		try_model(changing, &model, candidate);
}

static void change_model(struct changing *changing)
{
	if (changing->evaluation->model == NULL || changing->evaluation->server == NULL)
		return;
	switch ((int)changing->decision->reason) {
	case REASON_MODEL: try_model_line(changing); break;
	case REASON_MODEL_TOOL: try_model_tools(changing); break;
	case REASON_SENSITIVITY:
		try_model_line(changing);
		try_model_label(changing);
		break;
	default: break;
	}
}

/* Tries the charter with its line for the peer otherwise. */
static void try_peer(struct changing *changing, const struct charter_peer *now,
	const struct charter_peer *then, struct candidate candidate)
{
	const struct charter *charter = changing->evaluation->charter;
	struct charter_peer *lines =
		arena_array(changing->scratch, struct charter_peer, charter->peers_count);
	struct altered altered;

	if (lines == NULL)
		return;
	for (uint32_t i = 0; i < charter->peers_count; i++)
		lines[i] = &charter->peers[i] == now ? *then : charter->peers[i];
	alter_identity(&altered, changing->evaluation->entry);
	altered.charter.peers = lines;
	try_identity(changing, &altered, candidate);
}

/* One skill more; of a line that names none all may be asked for. */
static void try_peer_skill(struct changing *changing, const struct charter_peer *now)
{
	struct evaluation *evaluation = changing->evaluation;
	struct charter_peer line = *now;
	struct text *skills =
		arena_array(changing->scratch, struct text, (size_t)now->skills_count + 1);

	if (skills == NULL || now->skills_count == 0)
		return;
	for (uint32_t i = 0; i < now->skills_count; i++)
		skills[i] = now->skills[i];
	skills[line.skills_count++] = evaluation->tool->tool_name;
	line.skills = skills;
	try_peer(changing, now, &line,
		(struct candidate){
			.what = SAY("identity %.*s: peer %.*s: one more skill",
				TEXT_ARGS(evaluation->entry->name), TEXT_ARGS(now->identity)),
			.from = json_null(),
			.to = json_string(evaluation->tool->tool_name)});
}

/* The charter's line for the peer with the skill, or up to what goes along. */
static void change_peer(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct charter_peer *now;
	struct charter_peer line;

	if (!evaluation_is_peer(evaluation))
		return;
	now = charter_find_peer(evaluation->charter, evaluation->tool->server);
	if (now == NULL)
		return;
	try_peer_skill(changing, now);
	line = *now;
	line.up_to = carried_label(evaluation);
	try_peer(changing, now, &line,
		(struct candidate){
			.what = SAY("identity %.*s: peer %.*s", TEXT_ARGS(evaluation->entry->name),
				TEXT_ARGS(now->identity)),
			.from = up_to_json(changing, now->up_to),
			.to = up_to_json(changing, line.up_to)});
}

/* What data may go to the skill, whoever asks for it. */
static void change_skill(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct tool *tool = evaluation->tool;
	struct altered altered;
	struct candidate candidate = {.kind = CHANGE_ATTRIBUTE};

	if (!evaluation_is_peer(evaluation))
		return;
	altered = (struct altered){.tool = *tool};
	altered.tool.up_to = carried_label(evaluation);
	altered.trial.tool = &altered.tool;
	candidate.what = SAY("tool %.*s: up-to", TEXT_ARGS(tool->name));
	candidate.from = word_json(sensitivity_word(tool->up_to));
	candidate.to = word_json(sensitivity_word(altered.tool.up_to));
	(void)change_try(changing, &candidate, changing->world, &altered.trial, changing->call);
}

/* ---- by the reason ---------------------------------------------------------------------- */

void change_objects(struct changing *changing)
{
	const struct evaluation *evaluation = changing->evaluation;

	if ((evaluation->tool != NULL || evaluation->model != NULL) && evaluation->server != NULL)
		turn_objects(changing);
	change_model(changing);
	switch ((int)changing->decision->reason) {
	case REASON_PEER: change_peer(changing); break;
	case REASON_IDENTITY_NOT_ACTIVE: change_state(changing); break;
	case REASON_CHARTER_EXPIRED: change_end(changing); break;
	case REASON_ENVIRONMENT: change_environments(changing); break;
	case REASON_CLASS_CEILING: change_class(changing); break;
	case REASON_TOOL_QUARANTINED: change_definition(changing); break;
	case REASON_DATA_SOURCE: change_source_lines(changing); break;
	case REASON_SENSITIVITY:
		change_source_lines(changing);
		change_skill(changing);
		change_source_labels(changing);
		break;
	case REASON_OUTPUT: change_outputs(changing); break;
	default: break;
	}
}

/* ---- entitlements -------------------------------------------------------------------------- */

/* Tries the charter with these lines. */
static void try_lines(struct changing *changing, const struct entitlement *lines, uint32_t count,
	struct candidate candidate)
{
	struct altered altered;
	struct ceiling *ceiling = NULL;
	struct error err;

	candidate.kind = CHANGE_ENTITLEMENT;
	alter_identity(&altered, changing->evaluation->entry);
	altered.charter.entitlements = lines;
	altered.charter.entitlements_count = count;
	if (ceiling_compile(&ceiling, NULL, &altered.object, altered.object.version, &err)) {
		altered.entry.ceiling = ceiling;
		(void)change_try(
			changing, &candidate, changing->world, &altered.trial, changing->call);
	}
	ceiling_destroy(&ceiling);
}

/* The charter's lines with room for one more. */
static struct entitlement *lines_copy(struct changing *changing)
{
	const struct charter *charter = changing->evaluation->charter;
	struct entitlement *lines =
		arena_array(changing->scratch, struct entitlement, charter->entitlements_count + 1);
	uint32_t i;

	for (i = 0; lines != NULL && i < charter->entitlements_count; i++)
		lines[i] = charter->entitlements[i];
	return lines;
}

static struct json line_json(struct changing *changing, const struct entitlement *line)
{
	struct json_builder object;
	struct error err;
	struct json out;

	json_object_start(&object, changing->scratch);
	json_put_cstring(&object, "effect", effect_word(line->effect));
	if (line->resource_kind == RESOURCE_TOOL)
		json_put_text(&object, "tool", line->resource);
	else
		json_put_text(&object, "resource",
			text_format(changing->scratch, "%s:%.*s",
				line->resource_kind == RESOURCE_MODEL ? "model" : "peer",
				TEXT_ARGS(line->resource)));
	json_put_text_unless_empty(&object, "when", line->when);
	return json_object_seal(&object, &out, &err) ? out : json_null();
}

static void try_line(struct changing *changing, struct text when)
{
	struct evaluation *evaluation = changing->evaluation;
	const struct charter *charter = evaluation->charter;
	struct entitlement *lines = lines_copy(changing);
	uint32_t count = charter->entitlements_count;

	if (lines == NULL || count == CHARTER_ENTITLEMENTS_MAX || change_is_found(changing))
		return;
	lines[count] = (struct entitlement){.number = count,
		.effect = evaluation->effect,
		.resource_kind = evaluation_resource_kind(evaluation),
		.resource = evaluation_resource(evaluation),
		.when = when};
	try_lines(changing, lines, count + 1,
		(struct candidate){.what = SAY("identity %.*s: one more entitlement",
					   TEXT_ARGS(evaluation->entry->name)),
			.from = json_null(),
			.to = line_json(changing, &lines[count])});
}

/* The line's conditions with the one that failed widened to this call's value;
 * empty if that cannot be said. */
static struct text condition_for(struct changing *changing, const struct decide_account *account)
{
	const struct cedar_account *told = &account->told;
	struct text when = TEXT("");
	size_t i;

	if (!account->is_permit || told->is_cut || told->decisive >= told->part_count)
		return when;
	for (i = 0; i < told->part_count && when.data != NULL; i++) {
		const struct cedar_part *part = &told->parts[i];
		struct text one = cedar_text_to(part->text);

		if (part->kind != CEDAR_PART_WHEN || part->range.line < account->when_line)
			continue;
		if (i == told->decisive) {
			if (part->operand_count != 1 ||
				(!is_path(&part->comparison, "context", "args", 2) &&
					!is_path(&part->comparison, "context", "generation", 2)) ||
				part->operands[0].value.length >= CEDAR_OPERAND_BYTES_MAX - 3)
				return TEXT("");
			one = text_format(changing->scratch, "%.*s == %.*s",
				TEXT_ARGS(cedar_text_to(part->operands[0].text)),
				TEXT_ARGS(cedar_text_to(part->operands[0].value)));
		}
		when = text_format(changing->scratch, "%.*s%s(%.*s)", TEXT_ARGS(when),
			when.length == 0 ? "" : " && ", TEXT_ARGS(one));
	}
	return when.data == NULL || when.length > CHARTER_WHEN_BYTES_MAX ? TEXT("") : when;
}

/* The line that the decision names, in a copy of the charter's lines; NULL: it names none of
 * them. */
static struct entitlement *line_decided(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct entitlement *lines = lines_copy(changing);
	uint32_t i;

	for (i = 0; lines != NULL && i < evaluation->charter->entitlements_count; i++) {
		struct text id =
			SAY("charter/%.*s@%u/entitlements/%u", TEXT_ARGS(evaluation->entry->name),
				evaluation->entry->in_force->version, lines[i].number);

		if (text_equal(id, changing->decision->entitlement))
			return &lines[i];
	}
	return NULL;
}

static void change_line_end(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct entitlement *line = line_decided(changing);

	if (line == NULL)
		return;
	line->expires_utc_s = 0;
	try_lines(changing, line - line->number, evaluation->charter->entitlements_count,
		(struct candidate){
			.what = SAY("%.*s: expires", TEXT_ARGS(changing->decision->entitlement)),
			.from = json_null(),
			.to = json_cstring("a later end")});
}

/* One call more by the line that is used up. */
static void change_line_uses(struct changing *changing)
{
	struct evaluation *evaluation = changing->evaluation;
	struct entitlement *line = line_decided(changing);
	int64_t uses;

	if (line == NULL)
		return;
	uses = line->uses;
	line->uses = uses < CHARTER_USES_MAX ? uses + 1 : 0;
	try_lines(changing, line - line->number, evaluation->charter->entitlements_count,
		(struct candidate){
			.what = SAY("%.*s: uses", TEXT_ARGS(changing->decision->entitlement)),
			.from = json_integer(uses),
			.to = line->uses == 0 ? json_null() : json_integer(line->uses)});
}

bool change_is_by_line(const struct changing *changing)
{
	enum reason reason = changing->decision->reason;

	if (reason != REASON_COULD_NOT_EVALUATE)
		return reason == REASON_NO_ENTITLEMENT;
	/* Whether it is a line of the caller's that failed. */
	for (size_t i = 0; i < changing->accounts_count; i++)
		if (changing->accounts[i].is_permit &&
			changing->accounts[i].told.outcome == CEDAR_OUTCOME_ERROR)
			return true;
	return false;
}

void change_entitlements(struct changing *changing)
{
	enum reason reason = changing->decision->reason;
	size_t i;

	if (changing->evaluation->entry == NULL ||
		(changing->evaluation->tool == NULL && changing->evaluation->model == NULL))
		return;
	if (reason == REASON_ENTITLEMENT_EXPIRED)
		change_line_end(changing);
	if (reason == REASON_ENTITLEMENT_USED)
		change_line_uses(changing);
	if (!change_is_by_line(changing))
		return;
	for (i = 0; i < changing->accounts_count; i++) {
		struct text when = condition_for(changing, &changing->accounts[i]);

		if (changing->out->trials + 1 >= changing->trials_max)
			break; /* the last trial is the line without a condition */
		if (when.length != 0)
			try_line(changing, when);
	}
	try_line(changing, TEXT(""));
}

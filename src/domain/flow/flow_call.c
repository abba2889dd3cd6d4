#include "domain/flow/flow_call.h"

#include "domain/flow/flow_form.h"
#include "domain/flow/flow_result.h"

struct looking {
	const struct flow_asker *asker; /* NULL: every value has the origin assumed */
	enum flow_origin assumed;
	uint32_t lookups;
	struct flow_found worst; /* of what is looked at now */
};

static void look_up(struct looking *looking, struct text value)
{
	struct flow_found found = {.origin = looking->assumed};

	if (looking->worst.origin == FLOW_UNKNOWN)
		return; /* no worse can come */
	if (looking->asker != NULL) {
		found = (struct flow_found){.origin = FLOW_UNKNOWN};
		if (looking->lookups++ < FLOW_LOOKUPS_MAX)
			found = flow_find(looking->asker, value);
	}
	if (found.origin < looking->worst.origin)
		looking->worst = found;
}

/* Each text and each number below the value; nothing has no origin. */
static void look_at_target(struct looking *looking, const struct json *value)
{
	char digits[FLOW_DIGITS_BYTES];
	uint32_t i;

	switch (value->type) {
	case JSON_STRING:
		if (value->string.length != 0)
			look_up(looking, value->string);
		return;
	case JSON_INTEGER: look_up(looking, flow_digits(digits, value->integer)); return;
	case JSON_ARRAY:
		for (i = 0; i < value->count; i++)
			look_at_target(looking, &value->items[i]);
		return;
	case JSON_OBJECT:
		for (i = 0; i < value->count; i++)
			look_at_target(looking, &value->members[i].value);
		return;
	case JSON_DOUBLE: looking->worst = (struct flow_found){.origin = FLOW_UNKNOWN}; return;
	case JSON_BOOLEAN:
	case JSON_NULL: return;
	}
}

static void look_at_part(void *closure, struct text part)
{
	if (flow_token_is_address(part))
		look_up(closure, part);
}

static void look_at_form(void *closure, struct text form)
{
	struct looking *looking = closure;
	struct flow_tokens tokens = flow_tokens_of(form);
	struct text token;

	while (looking->worst.origin != FLOW_UNKNOWN && flow_token_next(&tokens, &token)) {
		if (flow_token_is_address(token))
			look_up(looking, token);
		else if (flow_has_parts(token) && !flow_parts_each(token, look_at_part, looking))
			looking->worst = (struct flow_found){.origin = FLOW_UNKNOWN};
	}
}

/* What a server may read out of it counts as much as what stands there. */
static void look_for_addresses(struct looking *looking, struct text text)
{
	if (looking->worst.origin == FLOW_UNKNOWN)
		return;
	if (looking->asker == NULL)
		look_at_form(looking, text);
	else if (!flow_forms_each(
			 flow_traces_forms(looking->asker->traces), text, look_at_form, looking))
		looking->worst = (struct flow_found){.origin = FLOW_UNKNOWN};
}

static void look_at_addresses(struct looking *looking, const struct json *value)
{
	uint32_t i;

	if (value->type == JSON_STRING)
		look_for_addresses(looking, value->string);
	for (i = 0; value->type == JSON_ARRAY && i < value->count; i++)
		look_at_addresses(looking, &value->items[i]);
	for (i = 0; value->type == JSON_OBJECT && i < value->count; i++) {
		look_for_addresses(looking, value->members[i].name);
		look_at_addresses(looking, &value->members[i].value);
	}
}

/* Keeps what was found of an argument; empty: of addresses anywhere. */
static struct flow_found keep_target(
	struct looking *looking, struct flow_origins *out, struct text argument)
{
	struct flow_found found = looking->worst;

	if (found.origin != FLOW_NONE)
		out->targets[out->targets_count++] = (struct flow_target){argument, found};
	looking->worst = (struct flow_found){.origin = FLOW_NONE};
	return found;
}

/* The member, whose name lives as long as the call. */
static const struct json_member *argument_find(const struct call *call, struct text name)
{
	const struct json *arguments = &call->arguments;

	for (uint32_t i = 0; arguments->type == JSON_OBJECT && i < arguments->count; i++)
		if (text_equal(arguments->members[i].name, name))
			return &arguments->members[i];
	return NULL;
}

static void origins_fill(struct looking *looking, const struct call *call, const struct tool *tool,
	struct flow_origins *out)
{
	*out = (struct flow_origins){.worst = FLOW_NONE, .addresses = FLOW_NONE};
	for (int form = TARGET_NONE; form <= TARGET_OBJECT; form++)
		out->form[form] = FLOW_NONE;
	looking->worst = (struct flow_found){.origin = FLOW_NONE};
	for (uint32_t i = 0; tool != NULL && i < tool->targets_count; i++) {
		const struct tool_target *target = &tool->targets[i];
		const struct json_member *argument = argument_find(call, target->argument);
		struct flow_found found;

		if (argument == NULL)
			continue;
		look_at_target(looking, &argument->value);
		found = keep_target(looking, out, argument->name);
		out->form[target->form] = flow_origin_worst(out->form[target->form], found.origin);
		out->worst = flow_origin_worst(out->worst, found.origin);
	}
	if (tool == NULL || tool->effect == EFFECT_READ)
		return;
	look_at_addresses(looking, &call->arguments);
	out->addresses = keep_target(looking, out, TEXT("")).origin;
}

void flow_origins_of(const struct flow_asker *asker, const struct call *call,
	const struct tool *tool, struct flow_origins *out)
{
	struct looking looking = {.asker = asker};

	origins_fill(&looking, call, tool, out);
}

void flow_origins_assume(const struct call *call, const struct tool *tool, enum flow_origin origin,
	struct flow_origins *out)
{
	struct looking looking = {.assumed = origin};

	origins_fill(&looking, call, tool, out);
}

static enum flow_origin origin_of(const struct flow_origins *origins, struct text argument)
{
	for (uint32_t i = 0; i < origins->targets_count; i++)
		if (text_equal(origins->targets[i].argument, argument))
			return origins->targets[i].found.origin;
	return FLOW_NONE;
}

_Static_assert(TOOL_TARGETS_MAX + 1 <= 32, "a bit for each target");

void flow_origins_change(struct flow_origins *origins, const struct tool *tool, uint32_t which,
	enum flow_origin origin)
{
	for (uint32_t i = 0; i < origins->targets_count; i++) {
		if ((which >> i & 1) == 0)
			continue;
		origins->targets[i].found = (struct flow_found){.origin = origin};
		if (origins->targets[i].argument.length == 0)
			origins->addresses = origin;
	}
	for (int form = TARGET_NONE; form <= TARGET_OBJECT; form++)
		origins->form[form] = FLOW_NONE;
	origins->worst = FLOW_NONE;
	for (uint32_t i = 0; tool != NULL && i < tool->targets_count; i++) {
		const struct tool_target *target = &tool->targets[i];
		enum flow_origin now = origin_of(origins, target->argument);

		origins->form[target->form] = flow_origin_worst(origins->form[target->form], now);
		origins->worst = flow_origin_worst(origins->worst, now);
	}
}

/* ---- on record ---- */

static void put_origin(struct json_builder *object, const char *name, enum flow_origin origin)
{
	if (origin != FLOW_NONE)
		json_put_cstring(object, name, flow_origin_word(origin));
}

static bool from_json(struct json *out, struct arena *arena, const struct flow_origins *origins,
	struct error *err)
{
	struct json_builder list;

	json_array_start(&list, arena);
	for (uint32_t i = 0; i < origins->targets_count; i++) {
		const struct flow_target *target = &origins->targets[i];
		struct json_builder object;
		struct json one;

		json_object_start(&object, arena);
		json_put_text_unless_empty(&object, "argument", target->argument);
		put_origin(&object, "origin", target->found.origin);
		if (target->found.has_record)
			json_put_integer(&object, "record", (int64_t)target->found.record);
		if (!json_object_seal(&object, &one, err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, err);
}

bool flow_origins_json(struct json *out, struct arena *arena, const struct flow_origins *origins,
	struct error *err)
{
	struct json_builder object;
	struct json from;

	json_object_start(&object, arena);
	for (int form = TARGET_PATH; form <= TARGET_OBJECT; form++)
		put_origin(&object, target_form_word((enum target_form)form), origins->form[form]);
	put_origin(&object, "addresses", origins->addresses);
	if (origins->targets_count != 0) {
		if (!from_json(&from, arena, origins, err))
			return false;
		json_put(&object, "from", from);
	}
	return json_object_seal(&object, out, err);
}

/* What is not there is none; what has no meaning is unknown. */
static enum flow_origin origin_read(const struct json *object, const char *name)
{
	const struct json *value = json_find(object, name);
	enum flow_origin origin = FLOW_UNKNOWN;

	if (value == NULL)
		return FLOW_NONE;
	if (value->type == JSON_STRING)
		(void)flow_origin_of(value->string, &origin);
	return origin;
}

static struct flow_target target_read(const struct json *from)
{
	int64_t record = json_integer_or(from, "record", -1);

	return (struct flow_target){
		.argument = json_text_or(from, "argument", ""),
		.found = {.origin = origin_read(from, "origin"),
			.has_record = record >= 0,
			.record = record < 0 ? 0 : (uint64_t)record},
	};
}

void flow_origins_read(struct flow_origins *out, const struct json *recorded)
{
	const struct json *from;

	*out = (struct flow_origins){0};
	if (recorded == NULL || recorded->type != JSON_OBJECT)
		return;
	out->form[TARGET_NONE] = FLOW_NONE;
	out->worst = FLOW_NONE;
	for (int form = TARGET_PATH; form <= TARGET_OBJECT; form++) {
		out->form[form] = origin_read(recorded, target_form_word((enum target_form)form));
		out->worst = flow_origin_worst(out->worst, out->form[form]);
	}
	out->addresses = origin_read(recorded, "addresses");
	from = json_find(recorded, "from");
	for (uint32_t i = 0; from != NULL && from->type == JSON_ARRAY && i < from->count &&
			     i <= TOOL_TARGETS_MAX;
		i++)
		out->targets[out->targets_count++] = target_read(&from->items[i]);
}

/* ---- for people ---- */

struct text flow_origins_sentence(const struct flow_origins *origins, struct arena *arena)
{
	const struct flow_target *worst = NULL;
	struct text what = TEXT("an address in the arguments"), sentence = {0};

	for (uint32_t i = 0; i < origins->targets_count; i++)
		if (origins->targets[i].found.origin <= FLOW_UNTRUSTED &&
			(worst == NULL || origins->targets[i].found.origin < worst->found.origin))
			worst = &origins->targets[i];
	if (worst == NULL)
		return TEXT("");
	if (worst->argument.length != 0)
		what = text_format(arena, "argument %.*s", TEXT_ARGS(worst->argument));
	if (what.data == NULL)
		return TEXT("");
	if (worst->found.origin == FLOW_UNTRUSTED)
		sentence = text_format(arena,
			"The value of %.*s came from an untrusted field of record #%llu.",
			TEXT_ARGS(what), (unsigned long long)worst->found.record);
	else
		sentence = text_format(arena,
			"The value of %.*s stands in nothing that the request, the charter or a "
			"trusted result said.",
			TEXT_ARGS(what));
	return sentence.data == NULL ? TEXT("") : sentence;
}

/* Questions to people.  Values never stand in the record: what it says of arguments and
 * call are HMACs under the task's content key; the card, {"arguments", "reason"}, lies
 * beside it, sealed. */

#include "services/call/question.h"

const struct json_limits call_card_limits = {
	.size_bytes = 2 * CALL_ARGUMENTS_BYTES_MAX, .depth = 256, .values = 4 * 1000 * 1000};

struct text call_shortened(struct text value, size_t length_max)
{
	if (value.length <= length_max)
		return value;
	value.length = length_max;
	while (value.length != 0 && !text_is_utf8(value))
		value.length--;
	return value;
}

struct text call_charter_name(
	const struct call_ports *ports, struct text identity, struct arena *arena)
{
	const struct registry_entry *entry =
		registry_find(ports->registry, OBJECT_IDENTITY, identity);

	if (entry == NULL || entry->in_force == NULL)
		return TEXT("");
	return text_format(arena, "%.*s@%u", TEXT_ARGS(entry->name), entry->in_force->version);
}

void call_look_at_values(
	const struct call_ports *ports, struct call *call, struct flow_origins *origins)
{
	struct secret_tally tally = {0};

	decide_origins(ports->decide, call, origins);
	if (ports->detector == NULL)
		return;
	detector_count(ports->detector, &call->arguments, &tally);
	call->secrets = tally.kinds;
}

static bool digest_value(
	const struct call_question *asked, struct text value, struct sha256 *out, struct error *err)
{
	const struct contents_port *values = &asked->ports->values;

	return values->digest(values->context, asked->call->task, value, out, err);
}

bool call_question_digest(const struct call_question *asked, struct sha256 *out, struct error *err)
{
	struct sha256 plain;

	return decide_call_digest(asked->ports->decide, asked->call, asked->decision, asked->arena,
		       &plain, err) &&
	       digest_value(
		       asked, (struct text){(const char *)plain.bytes, SHA256_BYTES}, out, err);
}

/* ---- what it is about ---------------------------------------------------------------- */

static void unit_add(struct text *units, size_t *count, struct text unit)
{
	size_t i;

	for (i = 0; i < *count; i++)
		if (text_equal(units[i], unit))
			return;
	if (*count < CALL_UNITS_MAX && unit.length != 0)
		units[(*count)++] = unit;
}

/* Whose data it is: the server's unit and those of all the tool's sources. */
static size_t units_of(const struct call_question *asked, struct text units[CALL_UNITS_MAX])
{
	const struct registry *registry = asked->ports->registry;
	const struct server *server = registry_find_server(registry, asked->call->server);
	const struct tool *tool = registry_find_tool(registry, asked->call->tool);
	size_t count = 0;
	uint32_t i;

	if (server != NULL)
		unit_add(units, &count, server->unit);
	for (i = 0; tool != NULL && i < tool->reads_count; i++) {
		const struct data_source *source =
			registry_find_data_source(registry, tool->reads[i].data_source);

		if (source != NULL)
			unit_add(units, &count, source->unit);
	}
	return count;
}

static size_t chain_of(const struct task *task, struct approval_link chain[CALL_CHAIN_MAX])
{
	size_t count = 0;

	for (; task != NULL && count < CALL_CHAIN_MAX; task = task->parent)
		chain[count++] =
			(struct approval_link){task->id, task->identity, task_person(task)};
	return count;
}

const struct break_glass *call_question_break_glass(
	const struct call_question *asked, int64_t now_utc_ms)
{
	const struct task *task = task_find(asked->ports->tasks, asked->call->task);
	struct approval_link chain[CALL_CHAIN_MAX];
	struct text units[CALL_UNITS_MAX];
	const struct break_glass_call what = {
		.call = asked->call,
		.chain = chain,
		.chain_count = chain_of(task, chain),
		.units = units,
		.units_count = units_of(asked, units),
		.names = {asked->decision->approvals, asked->decision->approvals_count},
		.now_utc_ms = now_utc_ms,
	};

	return break_glass_for_call(asked->ports->approve, &what);
}

/* ---- the record ---------------------------------------------------------------------- */

static struct text card_text(const struct call_question *asked)
{
	struct json_builder card;
	struct json sealed;
	struct error err;

	json_object_start(&card, asked->arena);
	/* Of a request to a model the whole body is what people say yes to. */
	json_put(&card, "arguments",
		asked->call->route == METHOD_MODEL ? asked->call->params : asked->call->arguments);
	json_put_text_unless_empty(&card, "reason", asked->reason);
	if (!json_object_seal(&card, &sealed, &err))
		return (struct text){0};
	return json_canonical_text(asked->arena, &sealed);
}

/* Seals the card beside the record of this change. */
static bool attach_card(const struct call_question *asked, struct fold_change *change,
	char hex[DIGEST_TEXT_BYTES], struct error *err)
{
	const struct contents_port *values = &asked->ports->values;
	struct text card = card_text(asked);
	struct content_sealed sealed;

	if (card.data == NULL)
		return error_set(err, ERROR_LIMIT, "no room for the question");
	if (!values->seal(values->context, asked->call->task, card, asked->arena, &sealed, err) ||
		!values->attach(values->context, asked->call->task, &change->append, err))
		return false;
	change->content = sealed.bytes;
	digest_format(hex, &sealed.digest);
	return true;
}

bool call_question_record(const struct call_question *asked, const struct sha256 *call_digest,
	struct fold_change *change, struct text *out_id, struct error *err)
{
	const struct task *task = task_find(asked->ports->tasks, asked->call->task);
	struct approval_link chain[CALL_CHAIN_MAX];
	struct text units[CALL_UNITS_MAX];
	char content[DIGEST_TEXT_BYTES];
	struct approve_question question = {
		.call = asked->call,
		.decision = asked->decision,
		.charter = call_charter_name(asked->ports, asked->call->identity, asked->arena),
		.units = units,
		.units_count = units_of(asked, units),
		.call_digest = *call_digest,
		.chain = chain,
		.chain_count = chain_of(task, chain),
		.edits = asked->edits,
		.editor = asked->editor,
		.origins = asked->origins,
		.now_utc_ms = fold_stamp_utc_ms(asked->ports->fold),
	};

	if (task != NULL) {
		const struct task_labels labels = task_labels_of(task);

		question.person = task_person(task);
		question.label = labels.sensitivity;
		question.has_untrusted_content = labels.has_untrusted_content;
	}
	if (!digest_value(asked, asked->call->arguments_text, &question.arguments, err) ||
		!attach_card(asked, change, content, err))
		return false;
	question.content = text_of(content);
	return approve_asked_record(
		asked->ports->approve, &question, asked->arena, &change->entry, out_id, err);
}

/* What an identity may do, and who may do something: outlooks, as JSON, a page at a
 * time.  Each is worked out in memory of its own, so that a page costs what it
 * says. */

#include "base/buffer.h"
#include "cedar/from_json.h"
#include "domain/charter/condition.h"
#include "domain/charter/nearest.h"
#include "domain/decide/outlook.h"
#include "services/decide/decide_private.h"

/* One page while it grows. */
struct page {
	struct decide_service *service;
	struct arena *arena;   /* of the answer */
	struct arena *scratch; /* of one outlook */
	struct buffer whole;   /* its condition */
	struct json_builder items;
	enum effect effect;
	struct text resource; /* who: the tool */
	struct text last;     /* what the page ends with */
	int64_t now_utc_ms;
	uint32_t left;
	bool has_more;
	bool has_failed;
	struct error *err;
	const struct registry_entry *draft; /* in place of the registered one; NULL: none */
};

static bool page_start(struct page *page)
{
	page->scratch = arena_create(OUTLOOK_BYTES_MAX);
	buffer_init(&page->whole, OUTLOOK_BYTES_MAX);
	json_array_start(&page->items, page->arena);
	return page->scratch != NULL ||
	       error_set(page->err, ERROR_LIMIT, "no memory for the question");
}

static bool page_seal(struct page *page, bool ok, struct json *out)
{
	struct json_builder object;
	struct json items;

	arena_destroy(&page->scratch);
	buffer_deinit(&page->whole);
	if (!ok || !json_array_seal(&page->items, &items, page->err))
		return false;
	json_object_start(&object, page->arena);
	json_put(&object, "items", items);
	if (page->has_more)
		json_put_text(&object, "next", page->last);
	return json_object_seal(&object, out, page->err);
}

/* ---- one outlook as JSON ------------------------------------------------------------- */

static bool is_approval(const struct entitlement *line, struct text condition, struct arena *arena)
{
	uint32_t i;

	for (i = 0; i < line->approvals_count; i++)
		if (text_equal(condition, text_format(arena, "context.approvals.contains(\"%.*s\")",
						  TEXT_ARGS(line->approvals[i]))))
			return true;
	return false;
}

/* What must hold besides the line's approvals; empty: nothing. */
static struct text line_condition(struct page *page, const struct outlook_line *line)
{
	const struct cedar_residual *left = &line->left;
	struct text out = TEXT("");
	size_t i;

	if (left->kind != CEDAR_RESIDUAL_CONDITION)
		return out;
	if (left->condition_count == 0)
		return cedar_text_to(left->text);
	for (i = 0; i < left->condition_count; i++) {
		struct text one = cedar_text_to(left->conditions[i]);

		if (is_approval(line->line, one, page->scratch))
			continue;
		out = text_format(page->scratch,
			left->condition_count == 1 ? "%.*s%s%.*s" : "%.*s%s(%.*s)", TEXT_ARGS(out),
			out.length == 0 ? "" : " && ", TEXT_ARGS(one));
	}
	return out.data == NULL ? cedar_text_to(left->text) : out;
}

static bool lines_json(struct page *page, const struct outlook *outlook, struct json *out)
{
	struct json_builder array;
	size_t i;

	json_array_start(&array, page->scratch);
	for (i = 0; i < outlook->lines_count; i++) {
		const struct outlook_line *line = &outlook->lines[i];
		struct json_builder object;
		struct json one;

		json_object_start(&object, page->scratch);
		json_put_text(&object, "entitlement", line->id);
		condition_put(&object, line_condition(page, line));
		if (line->line->approvals_count > 0)
			json_put_texts(&object, "approvals", line->line->approvals,
				line->line->approvals_count);
		if (line->left.may_fail)
			json_put_boolean(&object, "may_fail", true);
		if (line->line->uses != 0)
			json_put_integer(&object, "uses", line->line->uses);
		if (!json_object_seal(&object, &one, page->err))
			return false;
		json_add(&array, one);
	}
	return json_array_seal(&array, out, page->err);
}

static bool forbids_json(struct page *page, const struct outlook *outlook, struct json *out)
{
	struct json_builder array;
	size_t i;

	json_array_start(&array, page->scratch);
	for (i = 0; i < outlook->forbids_count; i++) {
		const struct outlook_forbid *forbid = &outlook->forbids[i];
		struct json_builder object;
		struct json one;

		json_object_start(&object, page->scratch);
		json_put_text(&object, "policy", forbid->id);
		condition_put(&object, cedar_text_to(forbid->left.text));
		if (forbid->left.may_fail)
			json_put_boolean(&object, "may_fail", true);
		if (!json_object_seal(&object, &one, page->err))
			return false;
		json_add(&array, one);
	}
	return json_array_seal(&array, out, page->err);
}

static bool reads_json(struct page *page, const struct outlook *outlook, struct json *out)
{
	struct json_builder array;
	size_t i;

	json_array_start(&array, page->scratch);
	for (i = 0; i < outlook->reads_count; i++) {
		const struct outlook_read *read = &outlook->reads[i];
		struct json_builder object;
		struct json one;

		if (read->left.kind == CEDAR_RESIDUAL_FALSE)
			continue;
		json_object_start(&object, page->scratch);
		json_put_text(&object, "data-source", read->name);
		condition_put(&object, cedar_text_to(read->left.text));
		json_put_boolean(&object, "covered", read->is_covered);
		if (!json_object_seal(&object, &one, page->err))
			return false;
		json_add(&array, one);
	}
	return json_array_seal(&array, out, page->err);
}

/* ---- the whole condition in one text, for people -------------------------------------- */

/* Conditions that stand beside each other are joined by &&.  What does not fit makes the
 * text fail as a whole: a condition without one of its parts would promise too much. */
static void write_and(struct page *page)
{
	if (page->whole.length != 0)
		buffer_append_string(&page->whole, " && ");
}

static void write_bracketed(struct page *page, const char *mark, struct text one)
{
	buffer_append_string(&page->whole, mark);
	buffer_append_byte(&page->whole, '(');
	buffer_append_text(&page->whole, one);
	buffer_append_byte(&page->whole, ')');
}

/* One line's condition stands as it is, unless && would take it apart. */
static void write_line(struct page *page, const struct outlook *outlook)
{
	struct text one = line_condition(page, &outlook->lines[0]);
	bool is_alone = outlook->reads_count == 0 && outlook->forbids_count == 0;
	bool is_loose =
		memmem(one.data, one.length, "||", 2) != NULL || text_starts_with(one, "if ");

	if (is_loose && !is_alone)
		write_bracketed(page, "", one);
	else
		buffer_append_text(&page->whole, one);
}

/* Lines: one must hold.  The approvals of an only line are told beside it. */
static void write_lines(struct page *page, const struct outlook *outlook)
{
	size_t i;

	if (outlook->lines_count == 1) {
		write_line(page, outlook);
		return;
	}
	for (i = 0; i < outlook->lines_count; i++)
		if (outlook->lines[i].left.kind == CEDAR_RESIDUAL_TRUE)
			return;
	for (i = 0; i < outlook->lines_count; i++)
		write_bracketed(
			page, i == 0 ? "(" : " || ", cedar_text_to(outlook->lines[i].left.text));
	if (outlook->lines_count > 0)
		buffer_append_byte(&page->whole, ')');
}

/* Reads: none of a source that is not covered, and one of a source that is. */
static void write_reads(struct page *page, const struct outlook *outlook)
{
	bool is_certain = outlook->reads_count == 0;
	size_t i, covered = 0;

	for (i = 0; i < outlook->reads_count; i++) {
		const struct outlook_read *read = &outlook->reads[i];

		is_certain |= read->left.kind == CEDAR_RESIDUAL_TRUE;
		if (read->left.kind != CEDAR_RESIDUAL_CONDITION || read->is_covered)
			continue;
		write_and(page);
		write_bracketed(page, "!", cedar_text_to(read->left.text));
	}
	for (i = 0; !is_certain && i < outlook->reads_count; i++) {
		const struct outlook_read *read = &outlook->reads[i];

		if (read->left.kind != CEDAR_RESIDUAL_CONDITION || !read->is_covered)
			continue;
		if (covered == 0)
			write_and(page);
		write_bracketed(
			page, covered++ == 0 ? "(" : " || ", cedar_text_to(read->left.text));
	}
	if (covered > 0)
		buffer_append_byte(&page->whole, ')');
}

static bool write_whole(struct page *page, const struct outlook *outlook, struct text *out)
{
	size_t i;

	buffer_reset(&page->whole);
	write_lines(page, outlook);
	write_reads(page, outlook);
	for (i = 0; i < outlook->forbids_count; i++) {
		write_and(page);
		write_bracketed(page, "!", cedar_text_to(outlook->forbids[i].left.text));
	}
	*out = buffer_text(&page->whole);
	return !buffer_failed(&page->whole);
}

static bool outputs_json(struct page *page, const struct outlook *outlook, struct json *out)
{
	struct json_builder list;
	size_t i;

	json_array_start(&list, page->scratch);
	for (i = 0; i < outlook->outputs_count; i++) {
		struct json_builder object;
		struct json one;

		json_object_start(&object, page->scratch);
		json_put_text_unless_empty(&object, "target", outlook->outputs[i].target);
		if (outlook->only_recipients)
			json_put_cstring(&object, "without", "recipient");
		json_put_cstring(&object, "up-to", sensitivity_word(outlook->outputs[i].up_to));
		if (!json_object_seal(&object, &one, page->err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, page->err);
}

static bool recipients_json(struct page *page, const struct outlook *outlook, struct json *out)
{
	struct json_builder list;
	size_t i;

	json_array_start(&list, page->scratch);
	for (i = 0; i < outlook->recipients_count; i++) {
		const struct outlook_recipient *line = &outlook->recipients[i];
		struct json_builder object;
		struct json one;

		json_object_start(&object, page->scratch);
		json_put_text(&object, "to", line->to);
		json_put_cstring(&object, "up-to", sensitivity_word(line->up_to));
		if (!json_object_seal(&object, &one, page->err))
			return false;
		json_add(&list, one);
	}
	return json_array_seal(&list, out, page->err);
}

static bool outlook_json(struct page *page, const struct registry_entry *entry,
	const struct call *call, const struct outlook *outlook, struct json *out)
{
	struct json_builder object;
	struct json lines, forbids, reads, outputs, recipients;
	struct text whole;

	if (!lines_json(page, outlook, &lines) || !forbids_json(page, outlook, &forbids) ||
		!reads_json(page, outlook, &reads) || !outputs_json(page, outlook, &outputs) ||
		!recipients_json(page, outlook, &recipients))
		return false;
	json_object_start(&object, page->scratch);
	json_put_text(&object, "identity", entry->name);
	json_put_text(&object, "tool", call->tool);
	json_put_cstring(&object, "effect", effect_word(call->effect));
	json_put_text_unless_empty(
		&object, "environment", text_of(environment_word(outlook->environment)));
	json_put_cstring(&object, "may", may_word(outlook->may));
	if (outlook->may == MAY_NEVER) {
		json_put_cstring(&object, "reason", reason_word(outlook->reason));
		json_put_text(&object, "explanation", outlook->explanation);
		return json_object_seal(&object, out, page->err);
	}
	if (!write_whole(page, outlook, &whole))
		return false;
	condition_put(&object, whole);
	if (outlook->lines_count == 1 && outlook->lines[0].line->approvals_count > 0)
		json_put_texts(&object, "approvals", outlook->lines[0].line->approvals,
			outlook->lines[0].line->approvals_count);
	if (outlook->lines_count == 1 && outlook->lines[0].line->uses != 0)
		json_put_integer(&object, "uses", outlook->lines[0].line->uses);
	if (outlook->has_recipients)
		json_put(&object, "recipients", recipients);
	if (outlook->outputs_count != 0)
		json_put(&object, "outputs", outputs);
	json_put(&object, "lines", lines);
	json_put(&object, "forbids", forbids);
	json_put(&object, "reads", reads);
	return json_object_seal(&object, out, page->err);
}

/* ---- pages ----------------------------------------------------------------------------- */

/* Where a draft would be called: where the tool's server is, if it may be there at all. */
static enum environment environment_of_draft(const struct page *page, struct text tool)
{
	const struct charter *charter = charter_of(page->draft->in_force);
	ptrdiff_t slash = text_find_byte(tool, '/');
	const struct server *server = registry_find_server(
		page->service->registry, (struct text){tool.data, slash < 0 ? 0 : (size_t)slash});

	if (server != NULL && charter_has_environment(charter, server->environment))
		return server->environment;
	for (unsigned value = ENVIRONMENT_DEV; value <= ENVIRONMENT_PROD; value++)
		if (charter_has_environment(charter, (enum environment)value))
			return (enum environment)value;
	return ENVIRONMENT_NONE;
}

/* Adds one outlook. */
static bool page_add(
	struct page *page, const struct registry_entry *entry, struct text tool, enum effect effect)
{
	struct decide_question question = {
		.identity = entry->name, .effect = effect, .resource = tool};
	struct decide_world world;
	struct outlook outlook;
	struct json made, kept;
	struct call call;

	if (page->draft != NULL)
		question.environment = environment_of_draft(page, tool);
	arena_reset(page->scratch);
	if (!decide_question_call(page->service, &question, page->scratch, &call, page->err))
		return false;
	world = decide_world_of(page->service, &call, DECIDE_FOR_QUESTION, page->now_utc_ms);
	decide_outlook_as(&world, &call, page->draft, page->scratch, &outlook);
	if (!outlook_json(page, entry, &call, &outlook, &made))
		return error_set(page->err, ERROR_LIMIT,
			"what the rules leave of %s on %.*s is too long to be told",
			effect_word(effect), TEXT_ARGS(tool));
	if (!json_copy(&kept, page->arena, &made, page->err))
		return false;
	json_add(&page->items, kept);
	return true;
}

/* The first tool after `after` that a line names. */
static struct text tool_after(const struct charter *charter, struct text after)
{
	struct text found = TEXT("");
	uint32_t i;

	for (i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];

		if (line->resource_kind == RESOURCE_TOOL &&
			text_compare(line->resource, after) > 0 &&
			(found.length == 0 || text_compare(line->resource, found) < 0))
			found = line->resource;
	}
	return found;
}

static bool has_line(const struct charter *charter, struct text tool, enum effect effect)
{
	uint32_t i;

	for (i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].resource_kind == RESOURCE_TOOL &&
			charter->entitlements[i].effect == effect &&
			text_equal(charter->entitlements[i].resource, tool))
			return true;
	return false;
}

static bool has_wanted(const struct page *page, const struct charter *charter, struct text tool)
{
	int effect;

	if (page->effect != EFFECT_NONE)
		return has_line(charter, tool, page->effect);
	for (effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if (has_line(charter, tool, (enum effect)effect))
			return true;
	return false;
}

static bool add_tool(struct page *page, const struct registry_entry *entry, struct text tool)
{
	int effect;

	for (effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if ((page->effect == EFFECT_NONE || page->effect == (enum effect)effect) &&
			has_line(charter_of(entry->in_force), tool, (enum effect)effect) &&
			!page_add(page, entry, tool, (enum effect)effect))
			return false;
	return true;
}

static bool add_tools(struct page *page, const struct registry_entry *entry, struct text after)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct text tool = tool_after(charter, after);

	for (; tool.length != 0; tool = tool_after(charter, tool)) {
		if (!has_wanted(page, charter, tool))
			continue;
		if (page->left == 0) {
			page->has_more = true;
			return true;
		}
		if (!add_tool(page, entry, tool))
			return false;
		page->last = tool;
		page->left--;
	}
	return true;
}

bool decide_can(struct decide_service *service, const struct decide_can *asked, struct arena *arena,
	struct json *out, struct error *err)
{
	const struct registry_entry *entry =
		registry_find_identity(service->registry, asked->identity);
	struct page page = {.service = service,
		.arena = arena,
		.effect = asked->effect,
		.now_utc_ms = asked->now_utc_ms,
		.left = asked->count,
		.err = err};
	bool ok;

	if (entry == NULL)
		return name_unknown(service->registry, OBJECT_IDENTITY, asked->identity, err);
	ok = page_start(&page) &&
	     (entry->in_force == NULL || add_tools(&page, entry, asked->after));
	return page_seal(&page, ok, out);
}

/* As it would be registered. */
static bool can_draft(struct page *page, const struct object *object, struct json *out)
{
	struct registry_entry *entry = arena_new(page->arena, struct registry_entry);
	struct ceiling *ceiling = NULL;
	bool ok;

	if (entry == NULL)
		return error_set(page->err, ERROR_LIMIT, "no memory for an outlook");
	ok = ceiling_compile(&ceiling, NULL, object, object->version, page->err);
	*entry = (struct registry_entry){.kind = OBJECT_IDENTITY,
		.name = object->name,
		.in_force = object,
		.state = IDENTITY_ACTIVE,
		.more = &registry_nothing_more,
		.units_asked = UNITS_BEFORE,
		.ceiling = ceiling};
	page->draft = entry;
	ok = ok && page_start(page) && add_tools(page, entry, TEXT(""));
	ok = page_seal(page, ok, out);
	page->draft = NULL;
	ceiling_destroy(&ceiling);
	return ok;
}

bool decide_can_draft(struct decide_service *service, const struct json *document,
	int64_t now_utc_ms, struct arena *arena, struct json *out, struct error *err)
{
	struct problems problems = {.arena = arena};
	struct page page = {.service = service,
		.arena = arena,
		.now_utc_ms = now_utc_ms,
		.left = UINT32_MAX,
		.err = err};
	struct object *object = NULL;
	const struct object *held;
	bool ok = false;

	if (!object_parse(&object, document, TEXT("charter"), &problems))
		error_set(err, ERROR_INVALID, "%.*s: %.*s", TEXT_ARGS(problems.items[0].field),
			TEXT_ARGS(problems.items[0].what));
	else if (object->kind != OBJECT_IDENTITY)
		error_set(err, ERROR_INVALID, "a charter is expected");
	else
		ok = can_draft(&page, object, out);
	held = object;
	object_release(&held);
	return ok;
}

static bool visit_who(void *context, const struct registry_entry *entry)
{
	struct page *page = context;

	if (!has_line(charter_of(entry->in_force), page->resource, page->effect))
		return true;
	if (page->left == 0) {
		page->has_more = true;
		return false;
	}
	if (!page_add(page, entry, page->resource, page->effect)) {
		page->has_failed = true;
		return false;
	}
	page->last = entry->name;
	page->left--;
	return true;
}

bool decide_who(struct decide_service *service, const struct decide_who *asked, struct arena *arena,
	struct json *out, struct error *err)
{
	struct page page = {.service = service,
		.arena = arena,
		.effect = asked->effect,
		.resource = asked->resource,
		.now_utc_ms = asked->now_utc_ms,
		.left = asked->count,
		.err = err};
	bool ok;

	if (asked->effect == EFFECT_NONE || text_find_byte(asked->resource, '/') <= 0)
		return error_set(err, ERROR_INVALID, "name an effect and a tool: SERVER/TOOL");
	if (!resource_check(service->registry, OBJECT_TOOL, asked->resource, err))
		return false;
	ok = page_start(&page);
	if (ok)
		registry_each_user(
			service->registry, asked->resource, asked->after, visit_who, &page);
	return page_seal(&page, ok && !page.has_failed, out);
}

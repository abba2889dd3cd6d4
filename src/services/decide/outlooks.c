/* What an identity may do, and who may do something, with tools, models and skills of peers:
 * outlooks, as JSON, a page at a time.  Each is worked out in memory of its own, so that a page
 * costs what it says. */

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
	struct text resource; /* who: the tool, model or skill; empty: each skill of the peer */
	struct text peer;
	struct text last; /* what the page ends with */
	int64_t now_utc_ms;
	uint32_t left;
	size_t kept_bytes; /* of the arena, by them */
	size_t work_bytes; /* of scratch, by those that were looked at */
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
	if (page->has_more && page->draft != NULL)
		json_put_boolean(&object, "cut", true);
	else if (page->has_more)
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
		json_put_cstring(&object, "sensitivity", sensitivity_word(read->sensitivity));
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

/* Whether no more goes on the page; one outlook always does. */
static bool page_is_full(struct page *page)
{
	bool is_full = page->left == 0 || page->kept_bytes >= OUTLOOK_PAGE_BYTES_MAX ||
		       page->work_bytes >= OUTLOOK_PAGE_WORK_BYTES_MAX;

	page->has_more |= is_full;
	return is_full;
}

/* One outlook as JSON in scratch. */
static bool make_outlook(struct page *page, const struct registry_entry *entry,
	const struct call *call, struct json *out)
{
	struct decide_world world =
		decide_world_of(page->service, call, DECIDE_FOR_QUESTION, page->now_utc_ms);
	struct outlook outlook;

	decide_outlook_as(&world, call, page->draft, page->scratch, &outlook);
	if (outlook.reason != REASON_NO_MEMORY && outlook_json(page, entry, call, &outlook, out))
		return true;
	return error_set(page->err, ERROR_LIMIT,
		"what the rules leave of %s on %.*s by %.*s takes more than %d MiB "
		"(OUTLOOK_BYTES_MAX): fewer or shorter guardrails that are about it; `after` goes "
		"on behind it",
		effect_word(call->effect), TEXT_ARGS(call->tool), TEXT_ARGS(entry->name),
		OUTLOOK_BYTES_MAX >> 20);
}

/* One outlook, counted to the page, which keeps it. */
static bool page_tell(struct page *page, const struct registry_entry *entry, struct text tool,
	enum effect effect, struct json *out)
{
	struct decide_question question = {
		.identity = entry->name, .effect = effect, .resource = tool};
	size_t before = arena_handed_bytes(page->arena);
	struct json made;
	struct call call;

	if (page->draft != NULL)
		question.environment = environment_of_draft(page, tool);
	arena_reset(page->scratch);
	if (!decide_question_call(page->service, &question, page->scratch, &call, page->err) ||
		!make_outlook(page, entry, &call, &made) ||
		!json_copy(out, page->arena, &made, page->err))
		return false;
	page->kept_bytes += arena_handed_bytes(page->arena) - before;
	page->work_bytes += arena_handed_bytes(page->scratch);
	return true;
}

static bool page_add(
	struct page *page, const struct registry_entry *entry, struct text tool, enum effect effect)
{
	struct json outlook;

	if (!page_tell(page, entry, tool, effect, &outlook))
		return false;
	json_add(&page->items, outlook);
	return true;
}

/* What is too much ends the page, unless it stands at its beginning: there it is an error, as
 * everything else is. */
static bool page_break(struct page *page)
{
	page->has_more = page->last.length != 0 && page->err->code == ERROR_LIMIT;
	if (page->has_more)
		error_clear(page->err);
	return page->has_more;
}

/* Whether the line is about what is asked for by this name: a tool, a model, or a skill of a
 * peer, which a line names as a whole. */
static bool is_line_on(const struct entitlement *line, struct text name)
{
	switch (line->resource_kind) {
	case RESOURCE_TOOL:
	case RESOURCE_MODEL: return text_equal(line->resource, name);
	case RESOURCE_PEER:
		return text_equal(line->resource, text_before(name, '/')) &&
		       line->resource.length < name.length;
	case RESOURCE_DATA_SOURCE:
	case RESOURCE_NONE: break;
	}
	return false;
}

struct skill_search {
	struct text peer;
	struct text found; /* empty: none */
};

static bool visit_skill(void *context, const struct registry_entry *entry)
{
	struct skill_search *search = context;

	if (!text_equal(text_before(entry->name, '/'), search->peer))
		return false; /* past them */
	if (entry->in_force != NULL && tool_is_skill(entry->in_force->tool))
		search->found = entry->name;
	return search->found.length == 0;
}

/* The peer's first registered skill after `after`; empty: none. */
static struct text skill_after(struct page *page, struct text peer, struct text after)
{
	struct skill_search search = {.peer = peer};
	struct text first = text_format(page->scratch, "%.*s/", TEXT_ARGS(peer));

	if (first.data == NULL)
		return search.found;
	registry_each(page->service->registry, OBJECT_TOOL,
		text_compare(after, first) > 0 ? after : first, visit_skill, &search);
	return search.found;
}

/* The first name after `after` that a line is about. */
static struct text name_after(struct page *page, const struct charter *charter, struct text after)
{
	struct text found = TEXT("");
	uint32_t i;

	for (i = 0; i < charter->entitlements_count; i++) {
		const struct entitlement *line = &charter->entitlements[i];
		struct text name = line->resource;

		/* Skills are looked up: not for a line that is not asked for. */
		if (line->resource_kind == RESOURCE_PEER && page->effect != EFFECT_NONE &&
			line->effect != page->effect)
			continue;
		if (line->resource_kind == RESOURCE_PEER)
			name = skill_after(page, line->resource, after);
		if (line->resource_kind != RESOURCE_DATA_SOURCE && text_compare(name, after) > 0 &&
			(found.length == 0 || text_compare(name, found) < 0))
			found = name;
	}
	return found;
}

static bool has_line(const struct charter *charter, struct text name, enum effect effect)
{
	uint32_t i;

	for (i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].effect == effect &&
			is_line_on(&charter->entitlements[i], name))
			return true;
	return false;
}

static bool has_wanted(const struct page *page, const struct charter *charter, struct text name)
{
	int effect;

	if (page->effect != EFFECT_NONE)
		return has_line(charter, name, page->effect);
	for (effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if (has_line(charter, name, (enum effect)effect))
			return true;
	return false;
}

/* All outlooks of a name or none: a page goes on behind a name. */
static bool add_name(struct page *page, const struct registry_entry *entry, struct text name)
{
	struct json outlooks[EFFECT_DELEGATE + 1];
	size_t count = 0;
	int effect;

	for (effect = EFFECT_READ; effect <= EFFECT_DELEGATE; effect++)
		if ((page->effect == EFFECT_NONE || page->effect == (enum effect)effect) &&
			has_line(charter_of(entry->in_force), name, (enum effect)effect) &&
			!page_tell(page, entry, name, (enum effect)effect, &outlooks[count++]))
			return false;
	for (size_t i = 0; i < count; i++)
		json_add(&page->items, outlooks[i]);
	return true;
}

static bool add_names(struct page *page, const struct registry_entry *entry, struct text after)
{
	const struct charter *charter = charter_of(entry->in_force);
	struct text name = name_after(page, charter, after);

	for (; name.length != 0; name = name_after(page, charter, name)) {
		if (!has_wanted(page, charter, name))
			continue;
		if (page_is_full(page))
			return true;
		if (!add_name(page, entry, name))
			return page_break(page);
		page->last = name;
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
	     (entry->in_force == NULL || add_names(&page, entry, asked->after));
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
	ok = ok && page_start(page) && add_names(page, entry, TEXT(""));
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

/* What the line's identity may do with each skill of the peer after `after`.  The page ends with
 * one: "IDENTITY/SKILL". */
static bool add_skills(struct page *page, const struct registry_entry *entry, struct text after)
{
	struct text skill = skill_after(page, page->peer, after);

	for (; skill.length != 0; skill = skill_after(page, page->peer, skill)) {
		if (page_is_full(page))
			return true;
		if (!page_add(page, entry, skill, page->effect))
			return page_break(page);
		page->last = text_format(page->arena, "%.*s%.*s", TEXT_ARGS(entry->name),
			TEXT_ARGS(text_after(skill, page->peer.length)));
		if (page->last.data == NULL)
			return error_set(page->err, ERROR_LIMIT, "no memory for an outlook");
		page->left--;
	}
	return true;
}

static bool is_asked(const struct page *page, const struct charter *charter)
{
	if (page->resource.length != 0)
		return has_line(charter, page->resource, page->effect);
	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].resource_kind == RESOURCE_PEER &&
			charter->entitlements[i].effect == page->effect &&
			text_equal(charter->entitlements[i].resource, page->peer))
			return true;
	return false;
}

static bool visit_who(void *context, const struct registry_entry *entry)
{
	struct page *page = context;

	if (!is_asked(page, charter_of(entry->in_force)))
		return true;
	if (page->resource.length == 0) {
		page->has_failed = !add_skills(page, entry, TEXT(""));
		return !page->has_failed && !page->has_more;
	}
	if (page_is_full(page))
		return false;
	if (!page_add(page, entry, page->resource, page->effect)) {
		page->has_failed = !page_break(page);
		return false;
	}
	page->last = entry->name;
	page->left--;
	return true;
}

/* The rest of the skills of the identity that the page before ended within. */
static bool add_rest(struct page *page, struct text after)
{
	struct text identity = text_before(after, '/');
	const struct registry_entry *entry =
		registry_find_identity(page->service->registry, identity);
	struct text skill;

	if (page->resource.length != 0 || identity.length == after.length || entry == NULL ||
		entry->in_force == NULL || !is_asked(page, charter_of(entry->in_force)))
		return true;
	skill = text_format(page->arena, "%.*s%.*s", TEXT_ARGS(page->peer),
		TEXT_ARGS(text_after(after, identity.length)));
	if (skill.data == NULL)
		return error_set(page->err, ERROR_LIMIT, "no memory for the question");
	return add_skills(page, entry, skill);
}

/* A peer without skills has no outlook, whoever has lines on it. */
static bool is_anything_asked(struct page *page)
{
	return page->resource.length != 0 || skill_after(page, page->peer, TEXT("")).length != 0;
}

/* What is asked about, and under which name lines on it are found. */
static bool read_resource(
	struct page *page, struct text written, struct text *out_key, struct error *err)
{
	const struct registry *registry = page->service->registry;
	const struct tool *tool;

	*out_key = page->resource = written;
	if (text_starts_with(written, "model:")) {
		page->resource = text_after(written, sizeof "model:" - 1);
		return model_check(registry, written, err);
	}
	if (text_starts_with(written, "peer:")) {
		page->resource = TEXT("");
		page->peer = text_after(written, sizeof "peer:" - 1);
		return true;
	}
	tool = registry_find_tool(registry, written);
	if (tool != NULL && tool_is_skill(tool))
		*out_key = text_format(page->arena, "peer:%.*s", TEXT_ARGS(tool->server));
	if (out_key->data == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the question");
	return resource_check(registry, OBJECT_TOOL, written, err);
}

bool decide_who(struct decide_service *service, const struct decide_who *asked, struct arena *arena,
	struct json *out, struct error *err)
{
	struct page page = {.service = service,
		.arena = arena,
		.effect = asked->effect,
		.now_utc_ms = asked->now_utc_ms,
		.left = asked->count,
		.err = err};
	struct text key;
	bool ok;

	if (asked->effect == EFFECT_NONE || (text_find_byte(asked->resource, '/') <= 0 &&
						    !text_starts_with(asked->resource, "peer:")))
		return error_set(err, ERROR_INVALID,
			"name an effect and a tool: SERVER/TOOL, model:PROVIDER/NAME or peer:NAME");
	if (!read_resource(&page, asked->resource, &key, err))
		return false;
	ok = page_start(&page) && add_rest(&page, asked->after);
	if (ok && !page.has_more && is_anything_asked(&page))
		registry_each_user(
			service->registry, key, text_before(asked->after, '/'), visit_who, &page);
	return page_seal(&page, ok && !page.has_failed, out);
}

/* Searches: every candidate is decided as a question would be, in a fixed order, so a
 * page is exact.  Tools are in order of name, and so many of them are gathered as one page
 * can decide; a place among them is a name, as their number changes. */
#include <assert.h>

#include "domain/charter/terms.h"
#include "services/evaluate/evaluate_private.h"

/* The candidates of a search, and what came of them. */
struct searching {
	const struct evaluate_search *search;
	struct arena *arena;
	const struct application_rules *rules; /* NULL: remit's own point */
	const struct application_candidate *own;
	size_t count;
	size_t from;   /* of them, the first that is looked at */
	bool is_named; /* a place among them is a name */
	struct application_candidate *found;
	size_t found_count;
	uint32_t decided;
	uint32_t decided_max; /* of one page */
};

enum { TOOLS_MAX = EVALUATE_CANDIDATES_MAX + 1 }; /* of a page, and one that is left */

struct tools {
	struct application_candidate *items;
	size_t count;
	size_t most;
};

static bool add_tool(void *context, const struct registry_entry *entry)
{
	struct tools *tools = context;

	if (entry->in_force != NULL && tools->count < tools->most)
		tools->items[tools->count++] =
			(struct application_candidate){TEXT("tool"), entry->name};
	return tools->count < tools->most;
}

static bool gather_tools(struct searching *searching, struct evaluate *evaluate, struct error *err)
{
	struct tools tools = {.most = registry_count(evaluate->parts.registry, OBJECT_TOOL)};

	if (tools.most > TOOLS_MAX)
		tools.most = TOOLS_MAX;
	tools.items = arena_array(searching->arena, struct application_candidate, tools.most + 1);
	if (tools.items == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the search");
	registry_each(evaluate->parts.registry, OBJECT_TOOL, searching->search->from.after,
		add_tool, &tools);
	searching->own = tools.items;
	searching->count = tools.count;
	searching->is_named = true;
	return true;
}

static bool gather_effects(struct searching *searching, struct error *err)
{
	struct application_candidate *items =
		arena_array(searching->arena, struct application_candidate, EFFECT_DELEGATE + 1);

	if (items == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the search");
	for (int i = EFFECT_READ; i <= EFFECT_DELEGATE; i++)
		items[searching->count++] = (struct application_candidate){
			TEXT("Action"), text_of(effect_word((enum effect)i))};
	searching->own = items;
	return true;
}

/* Once for all candidates, of which there may be none. */
static bool check_own(
	const struct evaluate_search *search, const struct evaluate_asker *asker, struct error *err)
{
	struct application_question question = *search->question;

	if (search->part == EVALUATE_SUBJECTS)
		question.subject.id = asker->identity;
	return evaluate_check_own(asker, &question, err);
}

/* remit's own point: tools, effects, and of identities the asking one alone. */
static bool gather_own(struct searching *searching, struct evaluate *evaluate,
	const struct evaluate_asker *asker, struct error *err)
{
	struct application_candidate *self;

	if (!check_own(searching->search, asker, err))
		return false;
	if (searching->search->part == EVALUATE_RESOURCES)
		return gather_tools(searching, evaluate, err);
	if (searching->search->part == EVALUATE_ACTIONS)
		return gather_effects(searching, err);
	self = arena_new(searching->arena, struct application_candidate);
	if (self == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the search");
	*self = (struct application_candidate){TEXT("identity"), asker->identity};
	searching->own = self;
	searching->count = 1;
	return true;
}

static struct application_candidate candidate_at(const struct searching *searching, size_t index)
{
	if (searching->rules != NULL)
		return application_candidate_at(searching->rules, index);
	assert(searching->own != NULL);
	return searching->own[index];
}

static struct text searched_type(const struct evaluate_search *search)
{
	switch (search->part) {
	case EVALUATE_SUBJECTS: return search->question->subject.type;
	case EVALUATE_RESOURCES: return search->question->resource.type;
	case EVALUATE_ACTIONS: break;
	}
	return TEXT("Action");
}

static struct application_question question_about(
	const struct evaluate_search *search, struct text id)
{
	struct application_question question = *search->question;

	switch (search->part) {
	case EVALUATE_SUBJECTS: question.subject.id = id; break;
	case EVALUATE_RESOURCES: question.resource.id = id; break;
	case EVALUATE_ACTIONS: question.action = id; break;
	}
	return question;
}

/* False: err says why nobody can be asked about. */
static bool look_at(struct searching *searching, struct evaluate *evaluate,
	const struct evaluate_asker *asker, struct application_candidate candidate,
	struct error *err)
{
	struct application_question question = question_about(searching->search, candidate.id);
	const struct evaluate_asking asking = {asker, &question, DECIDE_NO_SEARCH};
	struct evaluate_answer answer;
	bool ok = evaluate_ask(evaluate, &asking, evaluate->scratch, &answer, err);
	bool is_found = ok && answer.verdict == VERDICT_ALLOW;

	arena_reset(evaluate->scratch);
	searching->decided++;
	if (is_found)
		searching->found[searching->found_count++] = candidate;
	return ok;
}

/* The place of a candidate that is not the first of a search. */
static struct evaluate_place place_at(const struct searching *searching, size_t index)
{
	if (!searching->is_named)
		return (struct evaluate_place){.index = index};
	assert(index > 0); /* a page decides one at least */
	return (struct evaluate_place){.after = candidate_at(searching, index - 1).id};
}

/* Until the page is full; *next is where the next one begins, {0} at the end. */
static bool walk(struct searching *searching, struct evaluate *evaluate,
	const struct evaluate_asker *asker, struct evaluate_place *next, struct error *err)
{
	struct text type = searched_type(searching->search);

	for (size_t i = searching->from; i < searching->count; i++) {
		struct application_candidate candidate = candidate_at(searching, i);

		if (!text_equal(candidate.type, type))
			continue;
		if (searching->found_count == searching->search->limit ||
			searching->decided == searching->decided_max) {
			*next = place_at(searching, i);
			break;
		}
		if (!look_at(searching, evaluate, asker, candidate, err))
			return false;
	}
	return true;
}

/* So many that the question is not read for longer than a call may wait. */
static bool bound_page(struct searching *searching, struct evaluate *evaluate, struct error *err)
{
	uint64_t most = EVALUATE_CANDIDATES_MAX;
	uint64_t bytes;

	if (!evaluate_read_bytes(evaluate, searching->search->question, &bytes, err))
		return false;
	if (bytes > 0 && EVALUATE_READ_BYTES_MAX / bytes < most)
		most = EVALUATE_READ_BYTES_MAX / bytes;
	searching->decided_max = most == 0 ? 1 : (uint32_t)most;
	return true;
}

bool evaluate_search(struct evaluate *evaluate, const struct evaluate_asker *asker,
	const struct evaluate_search *search, struct arena *arena, struct evaluate_page *out,
	struct error *err)
{
	struct searching searching = {
		.search = search, .arena = arena, .from = (size_t)search->from.index};
	const struct registry_entry *entry;

	*out = (struct evaluate_page){0};
	if (evaluate_admit(evaluate, asker) != EVALUATE_ADMITTED)
		return error_set(err, ERROR_INVALID, "forbidden: this identity may not ask here");
	searching.found = arena_array(arena, struct application_candidate, search->limit);
	if (searching.found == NULL)
		return error_set(err, ERROR_LIMIT, "no memory for the search");
	if (asker->application.length == 0) {
		if (!gather_own(&searching, evaluate, asker, err))
			return false;
	} else {
		entry = registry_find_application(evaluate->parts.registry, asker->application);
		searching.rules = entry->rules;
		searching.count = application_candidates_count(entry->rules);
	}
	if (!bound_page(&searching, evaluate, err) ||
		!walk(&searching, evaluate, asker, &out->next, err))
		return false;
	out->items = searching.found;
	out->count = searching.found_count;
	return true;
}

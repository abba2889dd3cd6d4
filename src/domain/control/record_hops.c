/* Work that was handed from identity to identity, on record: each hop held against the charters of
 * its day.
 *
 *   call ──its task──▶ the tasks above it, as they were opened ──▶ identities, from the caller up
 *   identity above ──its line under peers──▶ the one below: is there one, so far, for that?
 *                  ──its own charter, or the reach of that line──▶ could it have done it itself?
 *
 * So what a call of a chain came to is within what each one above could, and handed on.  Not
 * judged: conditions of lines, which hang on sealed arguments, and units' consents. */
#include "domain/charter/peer.h"
#include "domain/control/record_private.h"
#include "domain/task/chain.h"

/* From the task's own identity up; tasks of one identity that follow each other are one link. */
struct hops {
	struct text links[CHAIN_IDENTITIES_MAX];
	size_t count;
	size_t tasks;
	bool is_known;  /* false: a task above is not known; then links ends below it */
	bool is_broken; /* an identity stands twice in it, or there are too many */
};

/* ---- the chain ---- */

static bool has_link(const struct hops *hops, struct text identity)
{
	for (size_t i = 0; i < hops->count; i++)
		if (text_equal(hops->links[i], identity))
			return true;
	return false;
}

static void add_link(struct hops *hops, struct text identity)
{
	if (hops->count > 0 && text_equal(hops->links[hops->count - 1], identity))
		return;
	if (hops->count == CHAIN_IDENTITIES_MAX || has_link(hops, identity))
		hops->is_broken = true;
	else
		hops->links[hops->count++] = identity;
}

/* A task below is opened behind the one above, so the path ends. */
static void climb(struct hops *hops, const struct record_watch *watch, struct text name)
{
	const struct seen *task = record_find(watch, MEMORY_TASKS, name);
	uint64_t below = UINT64_MAX;

	while (task != NULL && task->index < below && !hops->is_broken) {
		add_link(hops, task->identity);
		hops->tasks++;
		below = task->index;
		name = task->parent;
		task = record_find(watch, MEMORY_TASKS, name);
	}
	hops->is_known = name.length == 0;
}

/* `chain` is the path, and `identities` are its own, where the record names them. */
static bool is_as_recorded(const struct hops *hops, const struct json *record)
{
	const struct json *chain = record_list(record, "chain");
	const struct json *identities = record_list(record, "identities");
	struct hops named = {0};

	for (uint32_t i = 0; identities != NULL && i < identities->count; i++)
		if (identities->items[i].type == JSON_STRING)
			add_link(&named, identities->items[i].string);
	if (hops->is_known && chain != NULL && chain->count != hops->tasks)
		return false;
	if (identities == NULL || !hops->is_known)
		return true;
	if (named.count != hops->count || named.is_broken)
		return false;
	for (size_t i = 0; i < named.count; i++)
		if (!text_equal(named.links[i], hops->links[i]))
			return false;
	return true;
}

/* ---- one hop of a call ---- */

/* What was asked for, as far as the record and the registry of its day tell. */
struct asked {
	const struct seeing *seeing;
	const struct tool *tool; /* NULL: not known, or a model */
	struct text name;
	enum effect effect;
	bool is_model;
	bool is_skill;
};

static struct asked asked_of(const struct seeing *seeing)
{
	const struct json *record = seeing->record;
	const struct tool *tool = seeing_tool(seeing);

	return (struct asked){.seeing = seeing,
		.tool = tool,
		.name = json_text_or(record, "tool", ""),
		.effect =
			tool != NULL ? tool->effect : effect_of(json_text_or(record, "effect", "")),
		.is_model = record_is_of_model(record),
		.is_skill = tool != NULL && tool_is_skill(tool)};
}

static bool is_about_something(const struct asked *asked)
{
	return asked->tool != NULL || asked->is_model;
}

static bool covers(const struct charter *charter, const struct asked *asked)
{
	const struct json *record = asked->seeing->record;
	const struct record_day_entry server =
		seeing_entry(asked->seeing, OBJECT_SERVER, json_text_or(record, "server", ""));
	enum environment own = environment_of(json_text_or(record, "environment", ""));

	if (!charter_has_environment(charter, own) ||
		(server.in_force != NULL &&
			!charter_has_environment(charter, server.in_force->server->environment)))
		return false;
	return asked->is_model || asked->is_skill || !is_about_something(asked) ||
	       use_class_permits(charter->use_class, asked->effect);
}

/* What goes along: what the call reads, and what it takes out of what was read. */
static int level_along(const struct asked *asked)
{
	bool is_carried = asked->is_model ||
			  (asked->tool != NULL && seeing_is_to_tool(asked->seeing, asked->tool));

	return is_carried ? seeing_carried_level(asked->seeing) : seeing_read_level(asked->seeing);
}

static bool hands(const struct charter_peer *line, const struct asked *asked, size_t hops_after)
{
	if (line == NULL || (size_t)line->depth < hops_after + asked->is_skill)
		return false;
	if (!is_about_something(asked))
		return true;
	return (asked->is_skill || peer_has_effect(line, asked->effect)) &&
	       level_along(asked) <= ceiling_level(line->up_to);
}

/* ---- itself ---- */

static bool has_model(const struct charter *charter, const struct asked *asked)
{
	struct text provider = text_before(asked->name, '/');
	struct text name = provider.length < asked->name.length
				   ? text_after(asked->name, provider.length + 1)
				   : TEXT("");
	const struct charter_model *line = charter_find_model(charter, provider, name);
	int least = sensitivity_level(SENSITIVITY_PUBLIC);
	int level = line == NULL ? 0 : ceiling_level(line->up_to);

	return line != NULL &&
	       seeing_carried_level(asked->seeing) <= (level > least ? level : least);
}

static bool has_line(const struct charter *charter, const struct asked *asked)
{
	enum resource_kind kind = asked->is_model   ? RESOURCE_MODEL
				  : asked->is_skill ? RESOURCE_PEER
						    : RESOURCE_TOOL;
	struct text resource = asked->is_skill ? asked->tool->server : asked->name;

	for (uint32_t i = 0; i < charter->entitlements_count; i++)
		if (charter->entitlements[i].resource_kind == kind &&
			charter->entitlements[i].effect == asked->effect &&
			text_equal(charter->entitlements[i].resource, resource))
			return true;
	return false;
}

static bool lists_sources(const struct charter *charter, const struct asked *asked)
{
	const struct json *sources = record_list(asked->seeing->record, "sources");

	for (uint32_t i = 0; sources != NULL && i < sources->count; i++)
		if (!seeing_lists(asked->seeing, charter, &sources->items[i]))
			return false;
	return true;
}

static bool lets_out(const struct charter *charter, const struct asked *asked)
{
	const struct seeing *seeing = asked->seeing;
	int level = seeing_carried_level(seeing);

	if (asked->tool == NULL)
		return true;
	return (!seeing_has_target(seeing, asked->tool, TARGET_RECIPIENT) ||
		       seeing_lets_go(seeing, charter, TEXT("recipient"), level)) &&
	       (!seeing_is_to_tool(seeing, asked->tool) ||
		       seeing_lets_go(seeing, charter, TEXT("tool"), level));
}

static bool could_itself(const struct charter *charter, const struct asked *asked)
{
	return !is_about_something(asked) ||
	       (has_line(charter, asked) && (!asked->is_model || has_model(charter, asked)) &&
		       lists_sources(charter, asked) && lets_out(charter, asked));
}

/* ---- calls ---- */

/* Whether the link above handed this on.  UNKNOWN: what it had in force cannot be told. */
static enum looked look_at_hop(const struct asked *asked, const struct hops *hops, size_t at,
	bool *is_narrow, struct error *err)
{
	const struct charter_peer *line;
	const struct charter *charter;
	enum looked looked = seeing_look(asked->seeing, hops->links[at], &charter, err);

	*is_narrow = true;
	if (looked != LOOKED_FOUND)
		return looked;
	line = charter == NULL ? NULL : charter_find_peer(charter, hops->links[at - 1]);
	*is_narrow =
		hands(line, asked, at - 1) && covers(charter, asked) &&
		(peer_has_reach(line) && is_about_something(asked) ? peer_reaches(line, asked->name)
								   : could_itself(charter, asked));
	return looked;
}

bool record_see_hops(struct record_watch *watch, const struct json *record, struct error *err)
{
	const struct seeing seeing = seeing_of(watch, record);
	const struct asked asked = asked_of(&seeing);
	struct hops hops = {0};
	bool is_narrow;

	climb(&hops, watch, json_text_or(record, "task", ""));
	is_narrow = !hops.is_broken && is_as_recorded(&hops, record);
	for (size_t at = 1; is_narrow && at < hops.count; at++)
		if (look_at_hop(&asked, &hops, at, &is_narrow, err) == LOOKED_FAILED)
			return false;
	if (!is_narrow)
		record_tell_of(watch, RECORD_CHECK_HOP, record);
	return true;
}

/* ---- tasks ---- */

/* Each line of the chain counts the hops after it.  Records of before name no revision. */
static bool is_handed(
	const struct seeing *seeing, const struct hops *hops, bool *is_narrow, struct error *err)
{
	for (size_t at = 1; *is_narrow && at < hops->count; at++) {
		const struct charter_peer *line;
		const struct charter *charter;
		enum looked looked = seeing_look(seeing, hops->links[at], &charter, err);

		if (looked == LOOKED_FAILED)
			return false;
		if (looked == LOOKED_UNKNOWN)
			continue;
		line = charter == NULL ? NULL : charter_find_peer(charter, hops->links[at - 1]);
		*is_narrow = line != NULL && (size_t)line->depth >= at - 1;
	}
	return true;
}

bool record_see_opening(struct record_watch *watch, const struct json *record, struct error *err)
{
	const struct seeing seeing = seeing_of(watch, record);
	const struct seen *parent =
		record_find(watch, MEMORY_TASKS, json_text_or(record, "parent", ""));
	struct hops hops = {0};
	bool is_narrow;

	if (parent == NULL)
		return true;
	add_link(&hops, json_text_or(record, "identity", ""));
	climb(&hops, watch, parent->name);
	is_narrow = !hops.is_broken &&
		    (parent->until_utc_ms == 0 ||
			    json_integer_or(record, "deadline", 0) <= parent->until_utc_ms);
	if (seeing.revision != RECORD_DAY_LAST && !is_handed(&seeing, &hops, &is_narrow, err))
		return false;
	if (!is_narrow)
		record_tell_of(watch, RECORD_CHECK_HOP, record);
	return true;
}

/* The charter that the answers make, and what it would be allowed. */
#include <stdio.h>
#include <string.h>

#include "domain/charter/terms.h"
#include "edges/cli/register.h"

/* ---- lines ---- */

static bool is_risky(const struct registering *registering)
{
	return risk_tier_level(risk_tier_of(register_text(registering, "risk"))) >=
	       risk_tier_level(RISK_MEDIUM);
}

/* What writes or executes asks its owner, from a medium risk on. */
static bool put_entitlement(struct registering *registering, struct json_builder *lines,
	const struct json *tool, struct error *err)
{
	struct arena *arena = registering->cli->arena;
	enum effect effect = effect_of(json_text_or(tool, "effect", ""));
	struct json_builder line, approvals;
	struct json made;

	json_object_start(&line, arena);
	json_put_cstring(&line, "effect", effect_word(effect));
	json_put_text(&line, "tool", json_text_or(tool, "name", ""));
	if (is_risky(registering) && effect != EFFECT_READ) {
		json_array_start(&approvals, arena);
		json_add(&approvals, json_string(TEXT("owner")));
		if (!json_array_seal(&approvals, &made, err))
			return false;
		json_put(&line, "approvals", made);
	}
	if (!json_object_seal(&line, &made, err))
		return false;
	json_add(lines, made);
	return true;
}

static bool put_entitlements(
	struct registering *registering, struct json_builder *charter, struct error *err)
{
	const struct json *picked = register_answer(registering, "tools");
	struct json_builder lines;
	struct json made;

	json_array_start(&lines, registering->cli->arena);
	for (uint32_t i = 0; i < picked->count; i++) {
		const struct json *tool =
			register_find(&registering->tools, picked->items[i].string);

		if (tool != NULL && !put_entitlement(registering, &lines, tool, err))
			return false;
	}
	if (!json_array_seal(&lines, &made, err))
		return false;
	json_put(charter, "entitlements", made);
	return true;
}

static bool put_sources(
	struct registering *registering, struct json_builder *charter, struct error *err)
{
	const struct json *picked = register_answer(registering, "data_sources");
	struct json_builder lines, line;
	struct json made;

	json_array_start(&lines, registering->cli->arena);
	for (uint32_t i = 0; i < picked->count; i++) {
		const struct json *source =
			register_find(&registering->sources, picked->items[i].string);

		json_object_start(&line, registering->cli->arena);
		json_put_text(&line, "name", picked->items[i].string);
		json_put_text(&line, "up-to",
			source == NULL ? TEXT("restricted")
				       : json_text_or(source, "sensitivity", "restricted"));
		if (!json_object_seal(&line, &made, err))
			return false;
		json_add(&lines, made);
	}
	if (!json_array_seal(&lines, &made, err))
		return false;
	json_put(charter, "data-sources", made);
	return true;
}

static bool put_output(struct registering *registering, struct json_builder *lines, struct text to,
	struct error *err)
{
	struct json_builder line;
	struct json made;

	json_object_start(&line, registering->cli->arena);
	json_put_text(&line, "to", to);
	json_put_text(&line, "up-to", register_text(registering, "reply_up_to"));
	if (!json_object_seal(&line, &made, err))
		return false;
	json_add(lines, made);
	return true;
}

/* The reply, and each tool that writes: what it read may go there. */
static bool put_outputs(
	struct registering *registering, struct json_builder *charter, struct error *err)
{
	const struct json *picked = register_answer(registering, "tools");
	struct json_builder lines;
	struct json made;

	json_array_start(&lines, registering->cli->arena);
	if (!put_output(registering, &lines, TEXT("reply"), err))
		return false;
	for (uint32_t i = 0; i < picked->count; i++) {
		const struct json *tool =
			register_find(&registering->tools, picked->items[i].string);
		enum effect effect =
			tool == NULL ? EFFECT_NONE : effect_of(json_text_or(tool, "effect", ""));

		if ((effect == EFFECT_WRITE || effect == EFFECT_EXECUTE) &&
			!put_output(registering, &lines, picked->items[i].string, err))
			return false;
	}
	if (!json_array_seal(&lines, &made, err))
		return false;
	json_put(charter, "outputs", made);
	return true;
}

/* ---- the rest ---- */

static bool put_limits(
	struct registering *registering, struct json_builder *charter, struct error *err)
{
	struct json_builder limits;
	struct json made;
	int64_t calls = 0;

	json_object_start(&limits, registering->cli->arena);
	json_put_text(&limits, "task", register_text(registering, "task"));
	if (text_to_int64(register_text(registering, "calls_per_minute"), &calls))
		json_put_integer(&limits, "calls-per-minute", calls);
	if (!json_object_seal(&limits, &made, err))
		return false;
	json_put(charter, "limits", made);
	return true;
}

static bool put_risk(
	struct registering *registering, struct json_builder *charter, struct error *err)
{
	const struct json *accepted_by = register_answer(registering, "accepted_by");
	struct json_builder record;
	struct json made;

	if (accepted_by == NULL || accepted_by->type != JSON_ARRAY || accepted_by->count == 0)
		return true;
	json_object_start(&record, registering->cli->arena);
	json_put_text(&record, "residual", register_text(registering, "residual"));
	json_put(&record, "accepted-by", *accepted_by);
	json_put_text(&record, "accepted-until", register_text(registering, "accepted_until"));
	if (!json_object_seal(&record, &made, err))
		return false;
	json_put(charter, "risk-record", made);
	return true;
}

bool register_charter(struct registering *registering, struct json *out)
{
	static const char *const texts[][2] = {{"name", "name"}, {"class", "class"},
		{"risk", "risk"}, {"backup-owner", "backup_owner"}, {"unit", "unit"},
		{"purpose", "purpose"}, {"impact", "impact"}, {"review", "review"},
		{"expires", "expires"}};
	struct json_builder charter;
	struct error err;

	json_object_start(&charter, registering->cli->arena);
	json_put_cstring(&charter, "object", "identity");
	json_put_cstring(&charter, "kind", "agent");
	json_put_text(&charter, "owner", registering->person);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		json_put_text(&charter, texts[i][0], register_text(registering, texts[i][1]));
	json_put(&charter, "environments", *register_answer(registering, "environments"));
	if (put_sources(registering, &charter, &err) && put_outputs(registering, &charter, &err) &&
		put_entitlements(registering, &charter, &err) &&
		put_limits(registering, &charter, &err) && put_risk(registering, &charter, &err) &&
		json_object_seal(&charter, out, &err))
		return true;
	registering->status = cli_fail(registering->cli, &err);
	return false;
}

/* ---- before anybody sees it ---- */

static bool plan_body(struct registering *registering, const struct json *charter, struct json *out)
{
	struct arena *arena = registering->cli->arena;
	struct json_builder body, files, file;
	struct json made;
	struct error err;

	json_object_start(&file, arena);
	json_put_cstring(&file, "file", "register");
	json_put_text(&file, "yaml", json_canonical_text(arena, charter));
	json_array_start(&files, arena);
	json_object_start(&body, arena);
	if (json_object_seal(&file, &made, &err)) {
		json_add(&files, made);
		if (json_array_seal(&files, &made, &err)) {
			json_put(&body, "files", made);
			if (json_object_seal(&body, out, &err))
				return true;
		}
	}
	registering->status = cli_fail(registering->cli, &err);
	return false;
}

static void say_outlook(const struct json *item)
{
	struct text may = json_text_or(item, "may", "");
	struct text more = text_is(may, "never") ? json_text_or(item, "explanation", "")
						 : json_text_or(item, "when", "");
	const struct json *approvals = json_find(item, "approvals");

	cli_say("  %-6.*s %.*s %.*s%s%.*s%s", TEXT_ARGS(may),
		TEXT_ARGS(json_text_or(item, "effect", "")),
		TEXT_ARGS(json_text_or(item, "tool", "")), more.length > 0 ? ": " : "",
		TEXT_ARGS(more),
		approvals != NULL && approvals->count > 0 ? " (asks its owner each time)" : "");
}

static bool say_outlooks(struct registering *registering, const struct json *charter)
{
	struct cli *cli = registering->cli;
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/outlook")};
	const struct json *items;
	struct json_builder object;
	struct cli_reply reply;
	struct json body;
	struct error err;

	json_object_start(&object, cli->arena);
	json_put(&object, "charter", *charter);
	if (!json_object_seal(&object, &body, &err)) {
		registering->status = cli_fail(cli, &err);
		return false;
	}
	call.body = &body;
	if (!cli_ask(cli, &call, &reply, &registering->status))
		return false;
	items = json_find(&reply.json, "items");
	cli_say("\nWhat it may do, once it is in force:");
	for (uint32_t i = 0; items != NULL && i < items->count; i++)
		say_outlook(&items->items[i]);
	if (items == NULL || items->count == 0)
		cli_say("  nothing: it has no tools");
	if (json_boolean_or(&reply.json, "cut", false))
		cli_say("  and more: remit can tells it once it is in force");
	return true;
}

static void say_notes(const struct json *plan)
{
	const struct json *notes = json_find(plan, "notes");

	for (uint32_t i = 0; notes != NULL && i < notes->count; i++)
		cli_say("  note: %.*s", TEXT_ARGS(json_text_or(&notes->items[i], "note", "")));
}

/* Whether it may be proposed; what is wrong with it is told. */
static bool is_sound(struct registering *registering, const struct cli_reply *reply)
{
	const struct json *problems = json_find(&reply->json, "problems");

	for (uint32_t i = 0; problems != NULL && i < problems->count; i++) {
		const struct json *problem = &problems->items[i];

		cli_say("  wrong: %.*s: %.*s; %.*s", TEXT_ARGS(json_text_or(problem, "field", "")),
			TEXT_ARGS(json_text_or(problem, "what", "")),
			TEXT_ARGS(json_text_or(problem, "remedy", "")));
	}
	registering->etag = reply->etag;
	if (problems == NULL || problems->count == 0)
		return true;
	cli_note_wrong(registering->cli, "%.*s: %.*s",
		TEXT_ARGS(json_text_or(&problems->items[0], "field", "")),
		TEXT_ARGS(json_text_or(&problems->items[0], "what", "")));
	registering->status = EXIT_REFUSED;
	return false;
}

bool register_preview(
	struct registering *registering, const struct json *charter, struct json *out_body)
{
	struct cli_call call = {.method = "POST", .target = TEXT("/v1/plan"), .body = out_body};
	struct cli_reply reply;

	if (!plan_body(registering, charter, out_body) ||
		!cli_ask(registering->cli, &call, &reply, &registering->status) ||
		!is_sound(registering, &reply) || !say_outlooks(registering, charter))
		return false;
	say_notes(&reply.json);
	return true;
}

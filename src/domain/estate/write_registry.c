/* People as tables, the rest as documents. */
#include "domain/estate/model.h"

#include <stdio.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 * 1024 * 1024, HAND_OVER_BYTES = 64 * 1024, PATH_BYTES = 64 };

/* ---- people ---- */

/* "ana.diaz@example.com" is Ana Diaz, as tables of people write it. */
static void append_display_name(struct buffer *out, struct text name)
{
	bool is_first = true;

	for (size_t i = 0; i < name.length && name.data[i] != '@'; i++) {
		char letter = name.data[i];

		if (letter == '.' || (letter >= '0' && letter <= '9')) {
			buffer_append_string(out, letter == '.' ? " " : "");
			is_first = letter == '.';
			continue;
		}
		buffer_append_byte(out, is_first ? (char)(letter - 'a' + 'A') : letter);
		is_first = false;
	}
}

/* As they were when the charters were approved, or as they are. */
static void append_person(struct buffer *out, const struct model *model, uint32_t at, bool is_now)
{
	const struct model_person *person = &model->people[at];
	uint32_t unit = is_now || person->was_in == NOTHING ? person->unit : person->was_in;

	buffer_append_format(out, "%.*s,", TEXT_ARGS(person->name));
	append_display_name(out, person->name);
	buffer_append_format(out, ",%.*s,%s\r\n", TEXT_ARGS(model->units[unit].name),
		is_now && person->left_s != 0 ? "false" : "true");
}

static bool write_table(
	struct model *model, const struct estate_sink *sink, bool is_now, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, FILE_BYTES_MAX);
	buffer_append_string(&out, "userName,displayName,department,active\r\n");
	for (uint32_t i = 0; i < model->people_count; i++)
		append_person(&out, model, i, is_now);
	ok = hand_over(sink, is_now ? "people/2-today.csv" : "people/1-start.csv", &out, err);
	buffer_deinit(&out);
	return ok;
}

/* What a table of people does not say. */
static bool write_roles(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, FILE_BYTES_MAX);
	for (uint32_t i = 0; i < model->people_count; i++) {
		const struct model_person *person = &model->people[i];
		uint32_t unit = person->was_in == NOTHING ? person->unit : person->was_in;

		buffer_append_format(&out,
			"---\nobject: person\nname: %.*s\nunit: %.*s\nclearance: %s\n",
			TEXT_ARGS(person->name), TEXT_ARGS(model->units[unit].name),
			sensitivity_word(person->clearance));
		if (person->roles[0] != '\0')
			buffer_append_format(&out, "roles: [%s]\n", person->roles);
	}
	ok = hand_over(sink, "charters/2-people/roles.yaml", &out, err);
	buffer_deinit(&out);
	return ok;
}

bool write_people(struct model *model, const struct estate_sink *sink, struct error *err)
{
	return write_table(model, sink, false, err) && write_table(model, sink, true, err) &&
	       write_roles(model, sink, err);
}

/* ---- units ---- */

static void append_guardrail(struct buffer *out, struct text unit, const char *level)
{
	buffer_append_format(out,
		"---\nobject: policy\nname: %.*s/%s-rules\nlevel: %s\ntext: |\n"
		"  forbid (principal, action, resource)\n"
		"  when { resource.environment == \"prod\" && context.environment != \"prod\" };\n",
		TEXT_ARGS(unit), level, level);
}

static bool write_units(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok;

	buffer_init(&out, FILE_BYTES_MAX);
	for (uint32_t i = 0; i < model->units_count; i++) {
		const struct model_unit *unit = &model->units[i];

		buffer_append_format(&out,
			"---\nobject: unit\nname: %.*s\npurpose: What %.*s does\n",
			TEXT_ARGS(unit->name), TEXT_ARGS(unit->name));
		if (unit->has_mandatory)
			append_guardrail(&out, unit->name, "mandatory");
		if (unit->has_default)
			append_guardrail(&out, unit->name, "default");
	}
	ok = hand_over(sink, "charters/1-units/units.yaml", &out, err);
	buffer_deinit(&out);
	return ok;
}

/* ---- things ---- */

/* What providers call it. */
static void append_at(struct buffer *out, const struct model *model, uint32_t source)
{
	const char *before = "at: [";

	for (uint32_t i = 0; i < model->resources_count; i++) {
		const struct model_resource *resource = &model->resources[i];

		if (resource->source != source)
			continue;
		buffer_append_format(out, "%s%s/%.*s", before, connector_names[resource->connector],
			TEXT_ARGS(resource->id));
		before = ", ";
	}
	buffer_append_string(out, before[0] == ',' ? "]\n" : "");
}

static void append_source(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_source *source = &model->sources[at];

	buffer_append_format(out,
		"---\nobject: data-source\nname: %.*s\nunit: %.*s\ncustodian: %.*s\n"
		"environment: %s\ntrust: untrusted\nlocation: region %u\n",
		TEXT_ARGS(source->name), TEXT_ARGS(model->units[source->unit].name),
		TEXT_ARGS(model->people[source->custodian].name),
		environment_word(source->environment), (unsigned)(at % 5 + 1));
	if (source->sensitivity != SENSITIVITY_UNLABELLED)
		buffer_append_format(
			out, "sensitivity: %s\n", sensitivity_word(source->sensitivity));
	append_at(out, model, at);
}

static void append_server(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_server *server = &model->servers[at];
	static const struct {
		const char *before;
		const char *after;
	} references[] = {[SECRET_NONE] = {NULL, NULL},
		[SECRET_VAULT] = {"vault:kv/remit/", "#token"},
		[SECRET_STORED] = {"", "-token"},
		[SECRET_FILE] = {"file:/etc/remit/", ".token"}};

	buffer_append_format(out, "---\nobject: server\nname: %.*s\nunit: %.*s\nenvironment: %s\n",
		TEXT_ARGS(server->name), TEXT_ARGS(model->units[server->unit].name),
		environment_word(server->environment));
	if (!server->is_remote) {
		buffer_append_format(out, "transport: {stdio: [%.*s-server, /srv/%.*s]}\n",
			TEXT_ARGS(server->name), TEXT_ARGS(server->name));
		return;
	}
	buffer_append_format(
		out, "transport: {url: \"https://%.*s.example.com/mcp\"", TEXT_ARGS(server->name));
	if (server->secret != SECRET_NONE)
		buffer_append_format(out, ", credential: \"%s%.*s%s\"",
			references[server->secret].before, TEXT_ARGS(server->name),
			references[server->secret].after);
	buffer_append_string(out, "}\n");
}

static void append_tool(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_tool *tool = &model->tools[at];
	struct sha256 pin = sha256_of(tool->name.data, tool->name.length);
	char digest[DIGEST_TEXT_BYTES];

	buffer_append_format(out, "---\nobject: tool\nname: %.*s\neffect: %s\n",
		TEXT_ARGS(tool->name), effect_word(tool->effect));
	if (tool->risk != RISK_NONE)
		buffer_append_format(out, "risk: %s\n", risk_tier_word(tool->risk));
	if (tool->reversal != REVERSAL_NONE)
		buffer_append_format(out, "reversal: %s\n", reversal_word(tool->reversal));
	if (tool->source != NOTHING)
		buffer_append_format(out, "reads: [{data-source: %.*s}]\n",
			TEXT_ARGS(model->sources[tool->source].name));
	if (!tool->is_pinned)
		return;
	digest_format(digest, &pin);
	buffer_append_format(out, "definition: %s\n", digest);
}

static void append_issuer(struct buffer *out, struct model *model, uint32_t at)
{
	const struct model_issuer *issuer = &model->issuers[at];

	buffer_append_format(out, "---\nobject: issuer\nname: %.*s\nunit: %.*s\n",
		TEXT_ARGS(issuer->name), TEXT_ARGS(model->units[issuer->unit].name));
	if (issuer->is_github)
		buffer_append_format(out,
			"speaks: github\n"
			"url: https://token.actions.githubusercontent.com/%.*s\n",
			TEXT_ARGS(issuer->name));
	else
		buffer_append_format(out,
			"speaks: kubernetes\nurl: https://%.*s.example.com\nreuse: allowed\n",
			TEXT_ARGS(issuer->name));
}

bool write_things(struct model *model, const struct estate_sink *sink, struct error *err)
{
	struct buffer out;
	bool ok = write_units(model, sink, err);

	buffer_init(&out, FILE_BYTES_MAX);
	for (uint32_t i = 0; i < model->sources_count; i++)
		append_source(&out, model, i);
	ok = ok && hand_over(sink, "charters/3-things/data.yaml", &out, err);
	for (uint32_t i = 0; i < model->servers_count; i++)
		append_server(&out, model, i);
	ok = ok && hand_over(sink, "charters/3-things/servers.yaml", &out, err);
	for (uint32_t i = 0; i < model->tools_count; i++)
		append_tool(&out, model, i);
	ok = ok && hand_over(sink, "charters/3-things/tools.yaml", &out, err);
	for (uint32_t i = 0; i < model->issuers_count; i++)
		append_issuer(&out, model, i);
	ok = ok && hand_over(sink, "charters/3-things/issuers.yaml", &out, err);
	buffer_deinit(&out);
	return ok;
}

/* What a caller could ever use: the rules that no argument, approval or hour of
 * the day can change. */

#include "domain/decide/decide.h"

static bool line_covers(const struct entitlement *line, const struct tool *tool, int64_t now_utc_s)
{
	enum resource_kind kind = tool_is_skill(tool) ? RESOURCE_PEER : RESOURCE_TOOL;

	return line->resource_kind == kind && line->effect == tool->effect &&
	       text_equal(line->resource, tool_is_skill(tool) ? tool->server : tool->name) &&
	       !is_expired(line->expires_utc_s, now_utc_s);
}

bool decide_is_visible(const struct registry *registry, struct text identity,
	const struct tool *tool, int64_t now_utc_ms)
{
	const struct registry_entry *entry = registry_find(registry, OBJECT_IDENTITY, identity);
	const struct server *server = registry_find_server(registry, tool->server);
	const struct charter *charter;
	uint32_t i;

	if (entry == NULL || entry->state != IDENTITY_ACTIVE || entry->in_force == NULL ||
		server == NULL)
		return false;
	charter = charter_of(entry->in_force);
	if (is_expired(charter->expires_utc_s, now_utc_ms / 1000) ||
		(!tool_is_skill(tool) && !use_class_permits(charter->use_class, tool->effect)) ||
		!charter_has_environment(charter, server->environment))
		return false;
	for (i = 0; i < charter->entitlements_count; i++)
		if (line_covers(&charter->entitlements[i], tool, now_utc_ms / 1000))
			return true;
	return false;
}

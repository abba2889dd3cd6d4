#include "domain/call/mcp_version.h"

bool mcp_version_is_spoken(struct text version)
{
	static const char *const versions[] = {MCP_VERSION_NEWEST, "2025-06-18", "2025-03-26"};
	size_t i;

	for (i = 0; i < sizeof versions / sizeof versions[0]; i++)
		if (text_is(version, versions[i]))
			return true;
	return false;
}

#ifndef DOMAIN_CALL_MCP_VERSION_H
#define DOMAIN_CALL_MCP_VERSION_H

#include "base/text.h"

/* The versions of MCP that remit speaks, with clients and with servers alike. */

#define MCP_VERSION_NEWEST "2025-11-25"

bool mcp_version_is_spoken(struct text version);

#endif

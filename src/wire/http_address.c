/* Which addresses the world may answer at.  What the registries of IANA (RFC 6890 and what
 * follows it) keep for one network, one machine or a purpose of its own is not one of them.
 * Of IPv6, only what is given out at all (2000::/3) less what wraps an IPv4 address. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "wire/http_client_private.h"

enum { V6_BYTES = 16, V4_BITS = 32 };

static const struct {
	uint32_t network;
	unsigned bits;
} kept[] = {
	{0x00000000, 8},  /* this host */
	{0x0a000000, 8},  /* private */
	{0x64400000, 10}, /* shared, of providers */
	{0x7f000000, 8},  /* loopback */
	{0xa9fe0000, 16}, /* link-local: clouds answer with credentials here */
	{0xac100000, 12}, /* private */
	{0xc0000000, 24}, /* protocols */
	{0xc0000200, 24}, /* documentation */
	{0xc0586300, 24}, /* 6to4 relays */
	{0xc0a80000, 16}, /* private */
	{0xc6120000, 15}, /* benchmarks */
	{0xc6336400, 24}, /* documentation */
	{0xcb007100, 24}, /* documentation */
	{0xe0000000, 4},  /* multicast */
	{0xf0000000, 4},  /* reserved, broadcast */
};

static bool is_public_v4(uint32_t address)
{
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		if ((address ^ kept[i].network) >> (V4_BITS - kept[i].bits) == 0)
			return false;
	return true;
}

static bool is_public_v6(const uint8_t bytes[V6_BYTES])
{
	static const uint8_t teredo[] = {0x20, 0x01, 0, 0};
	static const uint8_t documentation[] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t benchmarks[] = {0x20, 0x01, 0, 0x02, 0, 0};

	return (bytes[0] & 0xe0) == 0x20 && memcmp(bytes, teredo, sizeof teredo) != 0 &&
	       memcmp(bytes, documentation, sizeof documentation) != 0 &&
	       memcmp(bytes, benchmarks, sizeof benchmarks) != 0 &&
	       !(bytes[0] == 0x20 && bytes[1] == 0x02) && /* 6to4 */
	       !(bytes[0] == 0x3f && bytes[1] == 0xff);   /* documentation */
}

bool http_address_is_public(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof v4);
		return is_public_v4(ntohl(v4.sin_addr.s_addr));
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof v6);
	return is_public_v6(v6.sin6_addr.s6_addr);
}

/* IP addresses and ranges.  IPv4 keeps its four bytes at the end of the sixteen,
 * so that one routine compares prefixes of both families. */
#include "cedar/extension.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { V4_BITS = 32, V6_BITS = 128, V4_OFFSET = 12, GROUPS = 8, GROUP_TEXT_BYTES = 16 };

/* 1 to digits_max decimal digits without a leading zero, at most value_max. */
static bool parse_number(
	struct cedar_text text, size_t digits_max, unsigned value_max, uint8_t *out)
{
	unsigned value = 0;

	if (text.length == 0 || text.length > digits_max ||
		(text.length > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		value = value * 10 + (unsigned)(text.data[i] - '0');
	}
	*out = (uint8_t)value;
	return value <= value_max;
}

/* Cuts *text at the first separator; the part before it is the result. */
static struct cedar_text cut(struct cedar_text *text, char separator, bool *was_found)
{
	const char *found = text->length == 0 ? NULL : memchr(text->data, separator, text->length);
	size_t length = found == NULL ? text->length : (size_t)(found - text->data);
	struct cedar_text part = {text->data, length};

	*was_found = found != NULL;
	length += *was_found;
	text->data += length;
	text->length -= length;
	return part;
}

static bool parse_v4(struct cedar_text text, uint8_t out[16])
{
	bool more = true;

	for (int i = 0; i < 4; i++) {
		struct cedar_text part;

		if (!more)
			return false;
		part = cut(&text, '.', &more);
		if (!parse_number(part, 3, 255, &out[V4_OFFSET + i]))
			return false;
	}
	return !more;
}

static bool parse_group(struct cedar_text text, uint16_t *out)
{
	unsigned value = 0;

	if (text.length == 0 || text.length > 4)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		int digit = text_hex_digit(text.data[i]);

		if (digit < 0)
			return false;
		value = value * 16 + (unsigned)digit;
	}
	*out = (uint16_t)value;
	return true;
}

/* Groups between colons; none if the text is empty. */
static bool parse_groups(struct cedar_text text, uint16_t groups[GROUPS], int *count)
{
	bool more = text.length > 0;

	for (*count = 0; more; (*count)++) {
		if (*count == GROUPS || !parse_group(cut(&text, ':', &more), &groups[*count]))
			return false;
	}
	return true;
}

static bool parse_v6(struct cedar_text text, uint8_t out[16])
{
	const char *gap = text.length < 2 ? NULL : memmem(text.data, text.length, "::", 2);
	uint16_t head[GROUPS], tail[GROUPS], all[GROUPS] = {0};
	int head_count = 0, tail_count = 0;
	struct cedar_text after = {NULL, 0};

	if (gap != NULL) {
		after.data = gap + 2;
		after.length = text.length - (size_t)(gap - text.data) - 2;
		text.length = (size_t)(gap - text.data);
	}
	if (!parse_groups(text, head, &head_count) || !parse_groups(after, tail, &tail_count))
		return false;
	if (gap == NULL ? head_count != GROUPS : head_count + tail_count >= GROUPS)
		return false;
	for (int i = 0; i < head_count; i++)
		all[i] = head[i];
	for (int i = 0; i < tail_count; i++)
		all[GROUPS - tail_count + i] = tail[i];
	for (int i = 0; i < GROUPS; i++) {
		out[2 * i] = (uint8_t)(all[i] >> 8);
		out[2 * i + 1] = (uint8_t)(all[i] & 0xFF);
	}
	return true;
}

bool ip_parse(struct cedar_text text, struct cedar_ip *out)
{
	bool has_prefix;
	struct cedar_text address;

	*out = (struct cedar_ip){.prefix = V4_BITS};
	if (text.length > IP_TEXT_BYTES_MAX)
		return false;
	address = cut(&text, '/', &has_prefix);
	if (!parse_v4(address, out->bytes)) {
		*out = (struct cedar_ip){.is_v6 = true, .prefix = V6_BITS};
		if (!parse_v6(address, out->bytes))
			return false;
	}
	if (!has_prefix)
		return true;
	return out->is_v6 ? parse_number(text, 3, V6_BITS, &out->prefix)
			  : parse_number(text, 2, V4_BITS, &out->prefix);
}

/* Do the first count bits agree? */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned count)
{
	unsigned whole = count / 8, rest = count % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool ip_is_in_range(const struct cedar_ip *ip, const struct cedar_ip *range)
{
	size_t offset = ip->is_v6 ? 0 : V4_OFFSET;

	return ip->is_v6 == range->is_v6 && ip->prefix >= range->prefix &&
	       same_bits(ip->bytes + offset, range->bytes + offset, range->prefix);
}

bool ip_is_loopback(const struct cedar_ip *ip)
{
	static const struct cedar_ip v4 = {.bytes = {[12] = 127}, .prefix = 8};
	static const struct cedar_ip v6 = {.bytes = {[15] = 1}, .prefix = 128, .is_v6 = true};

	return ip_is_in_range(ip, ip->is_v6 ? &v6 : &v4);
}

bool ip_is_multicast(const struct cedar_ip *ip)
{
	static const struct cedar_ip v4 = {.bytes = {[12] = 224}, .prefix = 4};
	static const struct cedar_ip v6 = {.bytes = {[0] = 0xFF}, .prefix = 8, .is_v6 = true};

	return ip_is_in_range(ip, ip->is_v6 ? &v6 : &v4);
}

void ip_write(struct cedar_writer *writer, const struct cedar_ip *ip)
{
	char group[GROUP_TEXT_BYTES];

	if (!ip->is_v6) {
		(void)snprintf(group, sizeof group, "%u.%u.%u.%u", ip->bytes[12], ip->bytes[13],
			ip->bytes[14], ip->bytes[15]);
		cedar_write_string(writer, group);
	}
	for (int i = 0; ip->is_v6 && i < GROUPS; i++) {
		(void)snprintf(group, sizeof group, "%s%x", i == 0 ? "" : ":",
			ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1]);
		cedar_write_string(writer, group);
	}
	if (ip->prefix < (ip->is_v6 ? V6_BITS : V4_BITS)) {
		(void)snprintf(group, sizeof group, "/%u", ip->prefix);
		cedar_write_string(writer, group);
	}
}

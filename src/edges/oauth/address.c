/* Whatever a value holds, what comes out is unreserved letters and percent signs (RFC 3986 §2.3):
 * it ends no header and begins no parameter. */
#include "edges/oauth/address.h"

static void append_percent(struct buffer *out, struct text value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
				c == '~';

		if (is_plain)
			buffer_append(out, value.data + i, 1);
		else
			buffer_append_format(out, "%%%02X", c);
	}
}

void oauth_append_address(struct buffer *out, struct text address,
	const struct oauth_parameter *parameters, size_t count)
{
	bool is_more = text_find_byte(address, '?') >= 0;

	buffer_append(out, address.data, address.length);
	for (size_t i = 0; i < count; i++) {
		if (parameters[i].value.length == 0)
			continue;
		buffer_append_format(out, "%s%s=", is_more ? "&" : "?", parameters[i].name);
		append_percent(out, parameters[i].value);
		is_more = true;
	}
}

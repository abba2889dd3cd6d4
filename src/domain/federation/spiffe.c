/* One spelling for one workload: nothing is escaped, folded or left out. */
#include "domain/federation/spiffe.h"

#include <string.h>

static bool is_of(struct text t, const char *others, bool with_capitals)
{
	for (size_t i = 0; i < t.length; i++) {
		char c = t.data[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
				(with_capitals && c >= 'A' && c <= 'Z') ||
				(c != '\0' && strchr(others, c) != NULL);

		if (!is_plain)
			return false;
	}
	return t.length > 0;
}

bool spiffe_is_trust_domain(struct text name)
{
	return name.length <= SPIFFE_TRUST_DOMAIN_BYTES_MAX && is_of(name, ".-_", false);
}

static bool is_path(struct text path)
{
	while (path.length > 0) {
		struct text segment = text_after(path, 1);
		ptrdiff_t slash = text_find_byte(segment, '/');

		if (path.data[0] != '/')
			return false;
		if (slash >= 0)
			segment.length = (size_t)slash;
		if (!is_of(segment, ".-_", true) || text_is(segment, ".") || text_is(segment, ".."))
			return false;
		path = text_after(path, 1 + segment.length);
	}
	return true;
}

bool spiffe_id_parse(struct spiffe_id *out, struct text whole)
{
	static const char scheme[] = "spiffe://";
	struct text rest;
	ptrdiff_t slash;

	*out = (struct spiffe_id){0};
	if (whole.length > SPIFFE_ID_BYTES_MAX || !text_starts_with(whole, scheme))
		return false;
	rest = text_after(whole, sizeof scheme - 1);
	slash = text_find_byte(rest, '/');
	if (slash <= 0)
		return false;
	out->trust_domain = (struct text){rest.data, (size_t)slash};
	out->path = text_after(rest, (size_t)slash);
	if (spiffe_is_trust_domain(out->trust_domain) && is_path(out->path))
		return true;
	*out = (struct spiffe_id){0};
	return false;
}

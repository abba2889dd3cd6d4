/* What stands behind /oauth/authorize? and where a browser goes from there.  Laws: it goes only to
 * an address that is registered, on this machine with another port at most, and to nobody else's
 * host; whatever state it brought comes back as it was, and ends no header. */
#include <assert.h>
#include <string.h>

#include "domain/charter/charter.h"
#include "edges/oauth/address.h"
#include "edges/oauth/form.h"

enum { ROOM_BYTES = 1 << 22, ADDRESS_BYTES_MAX = 1 << 20 };

static const struct text registered[] = {{"https://app.example/back?x=1", 28},
	{"http://127.0.0.1/back", 21}, {"http://[::1]:9/", 15}};

/* http://127.0.0.1[:digits]/back or http://[::1][:digits]/ */
static bool is_loopback(struct text uri, const char *host, const char *rest)
{
	size_t at = strlen(host);

	if (!text_starts_with(uri, host))
		return false;
	if (at < uri.length && uri.data[at] == ':')
		for (at++; at < uri.length && uri.data[at] >= '0' && uri.data[at] <= '9';)
			at++;
	return text_is(text_after(uri, at), rest);
}

static void check_place(struct text uri)
{
	assert(text_equal(uri, registered[0]) || is_loopback(uri, "http://127.0.0.1", "/back") ||
		is_loopback(uri, "http://[::1]", "/"));
}

static void check_answer(struct arena *arena, struct text uri, struct text state)
{
	const struct oauth_parameter parameters[] = {
		{"code", TEXT("c")}, {"state", state}, {"iss", TEXT("https://i.example")}};
	struct buffer out;
	struct error err = {0};
	struct form form;
	struct text written;

	buffer_init(&out, ADDRESS_BYTES_MAX);
	oauth_append_address(&out, uri, parameters, 3);
	assert(!buffer_failed(&out));
	written = buffer_text(&out);
	assert(written.length > uri.length && memcmp(written.data, uri.data, uri.length) == 0);
	for (size_t i = 0; i < written.length; i++)
		assert(written.data[i] > ' ' && written.data[i] <= '~');
	assert(form_parse(
		&form, arena, text_after(written, (size_t)text_find_byte(written, '?') + 1), &err));
	assert(text_equal(form_find(&form, "state"), state));
	assert(text_is(form_find(&form, "code"), "c"));
	buffer_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct charter charter = {
		.acts_for = {.redirects = registered, .redirects_count = 3}};
	struct arena *arena = arena_create(ROOM_BYTES);
	struct error err = {0};
	struct form form;
	struct text uri;

	if (arena == NULL)
		return 0;
	if (form_parse(&form, arena, (struct text){(const char *)data, size}, &err)) {
		uri = form_find(&form, "redirect_uri");
		if (charter_has_redirect(&charter, uri)) {
			check_place(uri);
			check_answer(arena, uri, form_find(&form, "state"));
		}
	}
	arena_destroy(&arena);
	return 0;
}

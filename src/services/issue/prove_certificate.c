/* Proof by client certificate (RFC 8705 §2.2, self_signed_tls_client_auth).
 *
 * The TLS handshake has shown that the peer holds the certificate's key; who they are is said
 * by the charter, which names the certificate by its digest or its key as a JWK.  Nothing of
 * what the certificate says of itself counts but its key and its time: nobody vouches for it. */
#include "services/issue/issue_private.h"

/* The line of the charter that this certificate proves. */
static const struct charter_key *find_line(struct issue *issue, struct arena *arena,
	const struct charter *charter, struct text certificate, struct text *out_key_id)
{
	struct sha256 digest = sha256_of(certificate.data, certificate.length);
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	char digest_text[DIGEST_TEXT_BYTES];
	struct error err = {0};

	for (uint32_t i = 0; i < charter->keys_count; i++) {
		const struct charter_key *line = &charter->keys[i];
		const struct cached_key *key = NULL;

		if (is_expired(line->expires_utc_s, now_utc_s))
			continue;
		if (line->has_certificate) {
			if (!sha256_equal(&line->certificate, &digest))
				continue;
			digest_format(digest_text, &digest);
			*out_key_id = text_copy(arena, text_of(digest_text));
			return line;
		}
		key = issue_key(issue, arena, &line->jwk, &err);
		if (key == NULL || !issue_certificate_has_key(issue, arena, certificate, key))
			continue;
		*out_key_id = text_copy(arena, text_of(key->thumbprint));
		return line;
	}
	return NULL;
}

static bool refuse_certificate(struct issue_request *request, const char *detail)
{
	return issue_refuse(request, ISSUE_CERTIFICATE, detail);
}

bool issue_prove_certificate(
	struct issue *issue, struct arena *arena, struct issue_request *request, struct proven *out)
{
	int64_t now_utc_s = issue_now_utc_ms(issue) / 1000;
	const struct charter_key *line = NULL;
	struct certificate_life life;
	struct error err = {0};

	if (request->client.length == 0)
		return refuse_certificate(request, "client_id is missing");
	if (!issue_certificate_life(issue, arena, request->certificate, &life, &err))
		return refuse_certificate(request, err.text);
	if (now_utc_s + TOKEN_SKEW_S < life.starts_utc_s || now_utc_s >= life.ends_utc_s)
		return refuse_certificate(request, "it is over, or not valid yet");
	out->entry = registry_find(issue->parts.registry, OBJECT_IDENTITY, request->client);
	out->charter = out->entry == NULL ? NULL : issue_charter_of(out->entry);
	if (out->charter != NULL)
		line = find_line(issue, arena, out->charter, request->certificate, &out->key_id);
	if (line == NULL)
		return issue_refuse(request, ISSUE_CLIENT_UNPROVEN, NULL);
	out->environment = line->environment;
	out->ends_utc_s = life.ends_utc_s;
	if (line->expires_utc_s != 0 && line->expires_utc_s < out->ends_utc_s)
		out->ends_utc_s = line->expires_utc_s;
	out->identity = text_copy(arena, request->client);
	return out->identity.data != NULL && out->key_id.data != NULL
		       ? true
		       : issue_refuse(request, ISSUE_BUSY, NULL);
}

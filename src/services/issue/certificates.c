/* What certificates of clients say, read once each: reading one costs as much as five
 * signatures, and a client shows the same one for hours.
 *
 * F1  What is kept is what the bytes say, found by their digest, and never whether they hold:
 *     time, charter and chain are looked at each time.
 * F2  A certificate that cannot be read is not kept. */
#include <stdlib.h>
#include <string.h>

#include "services/issue/issue_private.h"

enum { CERTIFICATES_OF_A_SET = 4, CERTIFICATE_URI_BYTES_MAX = 256 };
_Static_assert(ISSUE_CERTIFICATES_CACHED % CERTIFICATES_OF_A_SET == 0, "all sets are whole");

struct cached_certificate {
	struct sha256 digest;
	struct certificate_life life;
	bool is_kept;
	bool has_key; /* the key of this digest is its own */
	struct sha256 key;
	size_t uri_length; /* 0: it has none, or several */
	char uri[CERTIFICATE_URI_BYTES_MAX];
};

struct cached_certificate *issue_certificates_create(void)
{
	return calloc(ISSUE_CERTIFICATES_CACHED, sizeof(struct cached_certificate));
}

/* Where it is, or is to be. */
static struct cached_certificate *find_place(struct issue *issue, const struct sha256 *digest)
{
	struct cached_certificate *set, *free_place = NULL;
	uint32_t hash = 0;

	memcpy(&hash, digest->bytes, sizeof hash);
	set = issue->certificates +
	      hash % (ISSUE_CERTIFICATES_CACHED / CERTIFICATES_OF_A_SET) * CERTIFICATES_OF_A_SET;
	for (size_t i = 0; i < CERTIFICATES_OF_A_SET; i++) {
		if (!set[i].is_kept)
			free_place = &set[i];
		else if (sha256_equal(&set[i].digest, digest))
			return &set[i];
	}
	return free_place != NULL ? free_place : &set[digest->bytes[4] % CERTIFICATES_OF_A_SET];
}

/* Read by now, or NULL: it cannot be, or says more than is kept. */
static struct cached_certificate *look(
	struct issue *issue, struct arena *arena, struct text der, struct error *err)
{
	struct cached_certificate made = {.digest = sha256_of(der.data, der.length)};
	struct cached_certificate *place = find_place(issue, &made.digest);
	struct certificate_facts facts;

	if (place->is_kept && sha256_equal(&place->digest, &made.digest))
		return place;
	if (!certificate_read_life(&made.life, der, err))
		return NULL;
	if (certificate_read(&facts, arena, der, err)) {
		if (facts.uri.length == 0 || facts.uri.length > sizeof made.uri)
			return NULL;
		memcpy(made.uri, facts.uri.data, facts.uri.length);
		made.uri_length = facts.uri.length;
	} else if (err->code == ERROR_LIMIT) {
		return NULL;
	}
	made.is_kept = true;
	*place = made;
	return place;
}

bool issue_certificate_life(struct issue *issue, struct arena *arena, struct text der,
	struct certificate_life *out, struct error *err)
{
	const struct cached_certificate *known = look(issue, arena, der, err);

	if (known == NULL)
		return certificate_read_life(out, der, err);
	*out = known->life;
	return true;
}

bool issue_certificate_facts(struct issue *issue, struct arena *arena, struct text der,
	struct certificate_facts *out, struct error *err)
{
	const struct cached_certificate *known = look(issue, arena, der, err);

	if (known == NULL)
		return certificate_read(out, arena, der, err);
	*out = (struct certificate_facts){
		.uri = text_copy(arena, (struct text){known->uri, known->uri_length}),
		.start_utc_s = known->life.starts_utc_s,
		.expires_utc_s = known->life.ends_utc_s - 1, /* its last second */
	};
	if (known->uri_length == 0)
		return error_set(err, ERROR_INVALID, "it names no workload, or several");
	return out->uri.data != NULL ? true
				     : error_set(err, ERROR_LIMIT, "no memory for a certificate");
}

bool issue_certificate_has_key(
	struct issue *issue, struct arena *arena, struct text der, const struct cached_key *key)
{
	struct error err = {0};
	struct cached_certificate *known = look(issue, arena, der, &err);

	if (known != NULL && known->has_key && sha256_equal(&known->key, &key->digest))
		return true;
	if (!certificate_has_key(der, key->key))
		return false;
	if (known != NULL) {
		known->has_key = true;
		known->key = key->digest;
	}
	return true;
}

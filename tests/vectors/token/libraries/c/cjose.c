#include "adapter.h"

#include <cjose/cjose.h>
#include <string.h>

/* It hands the claims over as bytes. */
const char adapter_library[] = "cjose " CJOSE_VERSION;
const char adapter_asks[] = "[\"alg\"]";

bool adapter_lacks(const char *algorithm)
{
	return strcmp(algorithm, "Ed25519") == 0;
}

bool adapter_takes(const char *token, size_t length, const struct adapter_key *key)
{
	cjose_err err;
	cjose_jws_t *jws = cjose_jws_import(token, length, &err);
	cjose_jwk_t *jwk = cjose_jwk_import(key->jwk, strlen(key->jwk), &err);
	const char *name = NULL;

	if (jws == NULL || jwk == NULL)
		return false;
	name = cjose_header_get(cjose_jws_get_protected(jws), "alg", &err);
	return name != NULL && strcmp(name, key->algorithm) == 0 &&
	       cjose_jws_verify(jws, jwk, &err);
}

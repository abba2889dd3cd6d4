#include "adapter.h"

#include <rhonabwy.h>
#include <string.h>

const char adapter_library[] = "rhonabwy " RHONABWY_VERSION_STR;
const char adapter_asks[] = "[\"alg\",\"iss\",\"sub\",\"aud\",\"exp\",\"nbf\",\"claims\"]";

bool adapter_lacks(const char *algorithm)
{
	(void)algorithm;
	return false;
}

bool adapter_takes(const char *token, size_t length, const struct adapter_key *key)
{
	const char *name = strcmp(key->algorithm, "Ed25519") == 0 ? "EdDSA" : key->algorithm;
	jwt_t *jwt = NULL;
	jwk_t *jwk = NULL;

	/* A NUL inside does not fit its interface. */
	if (length != strlen(token) || r_jwt_init(&jwt) != RHN_OK || r_jwk_init(&jwk) != RHN_OK ||
		r_jwk_import_from_pem_der(jwk, R_X509_TYPE_PUBKEY, R_FORMAT_PEM,
			(const unsigned char *)key->pem, strlen(key->pem)) != RHN_OK ||
		r_jwt_parse(jwt, token, 0) != RHN_OK)
		return false;
	/* nbf is looked at where it is: the library refuses a token without. */
	return r_jwt_get_sign_alg(jwt) == r_str_to_jwa_alg(name) &&
	       r_jwt_verify_signature(jwt, jwk, 0) == RHN_OK &&
	       r_jwt_validate_claims(jwt, R_JWT_CLAIM_ISS, "https://issuer.example",
		       R_JWT_CLAIM_SUB, "agent:1", R_JWT_CLAIM_AUD, "https://aud.example",
		       R_JWT_CLAIM_EXP, R_JWT_CLAIM_NOW, R_JWT_CLAIM_NOP) == RHN_OK &&
	       (r_jwt_get_claim_json_t_value(jwt, "nbf") == NULL ||
		       r_jwt_validate_claims(
			       jwt, R_JWT_CLAIM_NBF, R_JWT_CLAIM_NOW, R_JWT_CLAIM_NOP) == RHN_OK);
}

/* OpenSSL's own path validation, at the moment that is given, with nothing of the system's:
 * no default roots, no files, no network. */
#include "base/certificate_chain.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

enum { SECURITY_LEVEL = 2 }; /* of OpenSSL: 112 bits, so no SHA-1 and no RSA below 2048 */

/* One certificate and nothing behind it; NULL: none. */
static X509 *parse(struct text der)
{
	const unsigned char *at = (const unsigned char *)der.data;
	const unsigned char *end = at + der.length;
	X509 *certificate = NULL;

	if (der.length == 0 || der.length > CERTIFICATE_BYTES_MAX)
		return NULL;
	certificate = d2i_X509(NULL, &at, (long)der.length);
	if (certificate != NULL && at != end) {
		X509_free(certificate);
		certificate = NULL;
	}
	ERR_clear_error();
	return certificate;
}

/* ---- what it says ---- */

/* The one URI; false: none, or several. */
static bool find_uri(struct text *out, const GENERAL_NAMES *names)
{
	int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
	unsigned found = 0;

	for (int i = 0; i < count; i++) {
		int type = 0;
		const ASN1_STRING *value =
			GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

		if (type != GEN_URI)
			continue;
		*out = (struct text){(const char *)ASN1_STRING_get0_data(value),
			(size_t)ASN1_STRING_length(value)};
		found++;
	}
	return found == 1;
}

static bool read_time(int64_t *out, const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	bool is_ok = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;

	ASN1_TIME_free(epoch);
	*out = (int64_t)days * 86400 + seconds;
	return is_ok;
}

bool certificate_read(
	struct certificate_facts *out, struct arena *arena, struct text der, struct error *err)
{
	X509 *certificate = parse(der);
	GENERAL_NAMES *names = NULL;
	struct text uri = {0};
	bool is_ok = false;

	*out = (struct certificate_facts){0};
	if (certificate == NULL)
		return error_set(err, ERROR_INVALID, "not a certificate");
	names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	if (!find_uri(&uri, names))
		error_set(err, ERROR_INVALID, "it names no workload, or several");
	else if (!read_time(&out->start_utc_s, X509_get0_notBefore(certificate)) ||
		 !read_time(&out->expires_utc_s, X509_get0_notAfter(certificate)))
		error_set(err, ERROR_INVALID, "its times are none");
	else if ((out->uri = text_copy(arena, uri)).data == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a certificate");
	else
		is_ok = true;
	GENERAL_NAMES_free(names);
	X509_free(certificate);
	ERR_clear_error();
	return is_ok;
}

/* ---- whether it holds ---- */

/* A workload's own certificate signs nothing but its handshake (X.509-SVID §4.3, §5.2). */
static bool is_leaf(X509 *certificate)
{
	uint32_t use = X509_get_key_usage(certificate);

	return X509_check_ca(certificate) == 0 && use != UINT32_MAX &&
	       (use & KU_DIGITAL_SIGNATURE) != 0 && (use & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) == 0;
}

static bool add_root(X509_STORE *store, struct text der)
{
	X509 *root = parse(der);
	bool is_ok = root != NULL && X509_STORE_add_cert(store, root) == 1;

	X509_free(root);
	return is_ok;
}

/* A root that is none is passed over: it is nobody's anchor. */
static size_t add_roots(X509_STORE *store, const struct certificate_chain *chain)
{
	size_t added = 0;

	for (size_t i = 0; i < chain->roots_count; i++)
		added += add_root(store, chain->roots[i]);
	return added;
}

static bool add_intermediates(STACK_OF(X509) * stack, const struct certificate_chain *chain)
{
	for (size_t i = 0; i < chain->intermediates_count; i++) {
		X509 *each = parse(chain->intermediates[i]);

		if (each == NULL || sk_X509_push(stack, each) == 0) {
			X509_free(each);
			return false;
		}
	}
	return true;
}

static bool verify(X509_STORE_CTX *context, int64_t now_utc_s, struct error *err)
{
	X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);

	X509_VERIFY_PARAM_set_time(rules, (time_t)now_utc_s);
	X509_VERIFY_PARAM_set_depth(rules, CERTIFICATE_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(rules, SECURITY_LEVEL);
	if (X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN) != 1 ||
		X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT) != 1)
		return error_set(err, ERROR_LIMIT, "no memory for a certificate");
	if (X509_verify_cert(context) == 1)
		return true;
	return error_set(err, ERROR_INVALID, "%s",
		X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
}

bool certificate_verify(const struct certificate_chain *chain, struct error *err)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *between = sk_X509_new_null();
	X509 *leaf = parse(chain->leaf);
	bool is_ok = false;

	if (context == NULL || store == NULL || between == NULL)
		error_set(err, ERROR_LIMIT, "no memory for a certificate");
	else if (leaf == NULL || !is_leaf(leaf))
		error_set(err, ERROR_INVALID, "not a workload's own certificate");
	else if (!add_intermediates(between, chain) || add_roots(store, chain) == 0)
		error_set(err, ERROR_INVALID, "nobody's certificate stands above it");
	else if (X509_STORE_CTX_init(context, store, leaf, between) != 1)
		error_set(err, ERROR_LIMIT, "no memory for a certificate");
	else
		is_ok = verify(context, chain->now_utc_s, err);
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	sk_X509_pop_free(between, X509_free);
	X509_free(leaf);
	ERR_clear_error();
	return is_ok;
}

/* Private keys over OpenSSL's EVP.  Key text passes through one secure BIO or
 * one stack buffer, both cleared; the key's numbers live in OpenSSL's object,
 * which clears itself when freed. */
#include "base/private_key.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { SECURE_BYTES = 64 * 1024, SECURE_BLOCK_BYTES = 32 };
enum { ECDSA_DER_BYTES_MAX = 80, ES256_HALF_BYTES = 32, EC_POINT_BYTES = 65 };

struct private_key {
	EVP_PKEY *pkey;
	struct public_key *public_half;
};

void private_key_lock_memory(void)
{
	/* Where it fails, keys lie where all else lies. */
	if (CRYPTO_secure_malloc_initialized() == 0)
		(void)CRYPTO_secure_malloc_init(SECURE_BYTES, SECURE_BLOCK_BYTES);
}

static bool io_error(struct error *err, const char *what, const char *path)
{
	int os_errno = errno;

	error_set(err, os_errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "%s %s: %s", what, path,
		strerror(os_errno));
	err->os_errno = err->code == ERROR_IO ? os_errno : 0;
	return false;
}

static bool public_half_of(struct public_key **out, const EVP_PKEY *pkey, struct error *err)
{
	uint8_t bytes[EC_POINT_BYTES];
	size_t size = ED25519_KEY_BYTES;

	*out = NULL;
	if (EVP_PKEY_is_a(pkey, "ED25519") && EVP_PKEY_get_raw_public_key(pkey, bytes, &size) == 1)
		return public_key_from_ed25519(out, bytes, err);
	if (EVP_PKEY_is_a(pkey, "EC") &&
		EVP_PKEY_get_octet_string_param(
			pkey, OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes, &size) == 1 &&
		size == sizeof bytes)
		return public_key_from_ec(out, SIGNATURE_ES256,
			(struct text){(char *)bytes + 1, ES256_HALF_BYTES},
			(struct text){(char *)bytes + 1 + ES256_HALF_BYTES, ES256_HALF_BYTES}, err);
	ERR_clear_error();
	return error_set(err, ERROR_INVALID, "neither a P-256 nor an Ed25519 key");
}

/* Takes pkey over in any case. */
static bool key_make(struct private_key **out, EVP_PKEY *pkey, struct error *err)
{
	struct private_key *key = calloc(1, sizeof *key);

	*out = NULL;
	if (key == NULL) {
		EVP_PKEY_free(pkey);
		return error_set(err, ERROR_LIMIT, "no memory for a private key");
	}
	key->pkey = pkey;
	if (!public_half_of(&key->public_half, pkey, err)) {
		private_key_destroy(&key);
		return false;
	}
	*out = key;
	return true;
}

bool private_key_generate(
	struct private_key **out, enum signature_algorithm algorithm, struct error *err)
{
	EVP_PKEY *pkey = NULL;

	*out = NULL;
	if (algorithm == SIGNATURE_ES256)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	else if (algorithm == SIGNATURE_ED25519)
		pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	else
		return error_set(err, ERROR_INVALID, "no keys are made for this algorithm");
	if (pkey == NULL) {
		ERR_clear_error();
		return error_set(err, ERROR_LIMIT, "no memory for a new key");
	}
	return key_make(out, pkey, err);
}

/* ---- files ---- */

static bool check_file(int fd, const char *path, struct error *err)
{
	struct stat file;

	if (fstat(fd, &file) != 0)
		return io_error(err, "cannot look at", path);
	if (!S_ISREG(file.st_mode))
		return error_set(err, ERROR_INVALID, "%s is not a regular file", path);
	if (file.st_uid != geteuid())
		return error_set(err, ERROR_INVALID, "%s belongs to another user", path);
	if ((file.st_mode & 077) != 0)
		return error_set(err, ERROR_INVALID,
			"%s can be read by others: its mode must be 0600", path);
	if (file.st_size > PRIVATE_KEY_FILE_BYTES_MAX)
		return error_set(err, ERROR_LIMIT, "%s is longer than %d bytes", path,
			PRIVATE_KEY_FILE_BYTES_MAX);
	return true;
}

static bool read_file(
	const char *path, char text[PRIVATE_KEY_FILE_BYTES_MAX], size_t *length, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool is_ok = false;

	*length = 0;
	if (fd < 0)
		return io_error(err, "cannot open", path);
	is_ok = check_file(fd, path, err) &&
		(file_read_all(fd, text, PRIVATE_KEY_FILE_BYTES_MAX, length) ||
			io_error(err, "cannot read", path));
	close(fd);
	return is_ok;
}

/* Refuses an encrypted key instead of asking the terminal. */
static int no_passphrase(char *out, int size, int is_write, void *context)
{
	(void)out;
	(void)size;
	(void)is_write;
	(void)context;
	return -1;
}

bool private_key_load(struct private_key **out, const char *path, struct error *err)
{
	char text[PRIVATE_KEY_FILE_BYTES_MAX];
	size_t length = 0;
	BIO *bio = NULL;
	EVP_PKEY *pkey = NULL;
	bool is_ok = false;

	*out = NULL;
	if (!read_file(path, text, &length, err))
		goto done;
	bio = BIO_new_mem_buf(text, (int)length);
	if (bio != NULL)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	ERR_clear_error();
	if (pkey == NULL)
		error_set(err, ERROR_INVALID, "%s holds no private key in PEM", path);
	else if (!(is_ok = key_make(out, pkey, err)))
		error_wrap(err, "%s", path);
done:
	BIO_free(bio);
	explicit_bzero(text, sizeof text);
	return is_ok;
}

bool private_key_save(const struct private_key *key, const char *path, struct error *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long length = 0;
	bool is_ok = false;

	if (bio == NULL ||
		PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
		error_set(err, ERROR_LIMIT, "no memory to write the key");
		goto done;
	}
	length = BIO_get_mem_data(bio, &text);
	is_ok = file_create(path, (struct text){text, (size_t)length}, err);
	explicit_bzero(text, (size_t)length);
done:
	ERR_clear_error();
	BIO_free(bio);
	return is_ok;
}

/* ---- use ---- */

const struct public_key *private_key_public(const struct private_key *key)
{
	return key->public_half;
}

static bool der_to_raw(const uint8_t *der, size_t size, uint8_t *out)
{
	ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)size);
	bool is_ok = signature != NULL &&
		     BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, ES256_HALF_BYTES) ==
			     ES256_HALF_BYTES &&
		     BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + ES256_HALF_BYTES,
			     ES256_HALF_BYTES) == ES256_HALF_BYTES;

	ECDSA_SIG_free(signature);
	return is_ok;
}

bool private_key_sign(const struct private_key *key, struct text message,
	uint8_t out[SIGNATURE_BYTES_MAX], size_t *out_size, struct error *err)
{
	bool is_ecdsa = public_key_algorithm(key->public_half) == SIGNATURE_ES256;
	uint8_t made[ECDSA_DER_BYTES_MAX];
	size_t size = sizeof made;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_ok = context != NULL &&
		     EVP_DigestSignInit(
			     context, NULL, is_ecdsa ? EVP_sha256() : NULL, NULL, key->pkey) == 1 &&
		     EVP_DigestSign(context, made, &size, (const uint8_t *)message.data,
			     message.length) == 1;

	*out_size = 0;
	if (is_ok && is_ecdsa)
		is_ok = der_to_raw(made, size, out);
	else if (is_ok)
		memcpy(out, made, size);
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (!is_ok)
		return error_set(err, ERROR_LIMIT, "no memory to sign");
	*out_size = ED25519_SIGNATURE_BYTES; /* both are 64 */
	return true;
}

void private_key_destroy(struct private_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->pkey);
	public_key_destroy(&(*key)->public_half);
	explicit_bzero(*key, sizeof **key);
	free(*key);
	*key = NULL;
}

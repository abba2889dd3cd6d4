#ifndef BASE_PUBLIC_KEY_PRIVATE_H
#define BASE_PUBLIC_KEY_PRIVATE_H

#include <openssl/evp.h>

#include "base/signature.h"

/* OpenSSL's object of a key, borrowed, for the other files of this layer that use OpenSSL. */
EVP_PKEY *public_key_handle(const struct public_key *key);

#endif

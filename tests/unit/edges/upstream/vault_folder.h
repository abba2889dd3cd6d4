#ifndef TESTS_UNIT_EDGES_UPSTREAM_VAULT_FOLDER_H
#define TESTS_UNIT_EDGES_UPSTREAM_VAULT_FOLDER_H

#include "fake_vault.h"

#include "base/seal.h"
#include "edges/upstream/upstream_edge.h"

/* A folder of a test's own, with a store of secrets and the file of a token for Vault. */
struct vault_folder {
	struct secrets *secrets;
	char path[64], data[80], token_file[96];
};

static inline void vault_folder_open(struct vault_folder *folder)
{
	struct seal_key key = {{1}};
	char inside[96];
	struct error err;

	(void)snprintf(folder->path, sizeof folder->path, "/tmp/vault-folder-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	(void)snprintf(folder->data, sizeof folder->data, "%s/data", folder->path);
	assert_int_equal(mkdir(folder->data, 0700), 0);
	(void)snprintf(inside, sizeof inside, "%s/secrets", folder->data);
	assert_true(secrets_open(&folder->secrets, inside, &key, &err));
	(void)snprintf(folder->token_file, sizeof folder->token_file, "%s/token", folder->path);
	private_write(folder->token_file, "token-of-test\n");
}

static inline void vault_folder_close(struct vault_folder *folder)
{
	char inside[96];

	secrets_close(&folder->secrets);
	(void)unlink(folder->token_file);
	(void)snprintf(inside, sizeof inside, "%s/secrets", folder->data);
	assert_int_equal(rmdir(inside), 0);
	assert_int_equal(rmdir(folder->data), 0);
	assert_int_equal(rmdir(folder->path), 0);
}

#endif

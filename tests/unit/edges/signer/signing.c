#include "signing.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void folder_make(struct folder_of_keys *folder)
{
	memcpy(folder->root, "/tmp/signer-test-XXXXXX", 24);
	if (mkdtemp(folder->root) == NULL)
		abort();
	(void)snprintf(folder->keys, sizeof folder->keys, "%s/keys", folder->root);
}

void folder_remove(const struct folder_of_keys *folder)
{
	DIR *files = opendir(folder->keys);
	const struct dirent *entry;

	while (files != NULL && (entry = readdir(files)) != NULL)
		(void)unlinkat(dirfd(files), entry->d_name, 0);
	if (files != NULL)
		(void)closedir(files);
	(void)rmdir(folder->keys);
	(void)rmdir(folder->root);
}

struct access_token token_of(int64_t now_s)
{
	return (struct access_token){
		.issuer = TEXT(ISSUER),
		.identity = TEXT("deployer"),
		.audience = TEXT(ISSUER "/mcp/files"),
		.id = TEXT("one"),
		.task = TEXT("t-00000000000000000000"),
		.scope = TEXT("call"),
		.environment = ENVIRONMENT_STAGING,
		.issued_utc_s = now_s,
		.expires_utc_s = now_s + 900,
	};
}

struct tree_head head_of(uint64_t count)
{
	struct merkle_frontier frontier = {0};
	char leaf[24];

	for (uint64_t i = 0; i < count; i++) {
		struct sha256 hash;

		(void)snprintf(leaf, sizeof leaf, "%llu", (unsigned long long)i);
		hash = merkle_leaf_hash(text_of(leaf));
		merkle_append(&frontier, &hash);
	}
	return (struct tree_head){count, merkle_root(&frontier)};
}

struct merkle_proof proof_of_2_in_3(void)
{
	return (struct merkle_proof){1, {merkle_leaf_hash(TEXT("2"))}};
}

/* Reading and unpacking, by the system's tar. */
#include "cedar_files.h"

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { FILE_BYTES_MAX = 64 << 20, FOLDERS_OPEN_MAX = 16 };

struct cedar_text files_read(struct arena *arena, const char *path)
{
	struct cedar_text none = {NULL, 0};
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = NULL;
	size_t got = 0;

	if (fd < 0 || fstat(fd, &status) != 0 || status.st_size > FILE_BYTES_MAX)
		goto done;
	bytes = arena_array(arena, char, (size_t)status.st_size + 1);
	while (bytes != NULL && got < (size_t)status.st_size) {
		ssize_t count = read(fd, bytes + got, (size_t)status.st_size - got);

		if (count <= 0)
			break;
		got += (size_t)count;
	}
done:
	if (fd >= 0)
		(void)close(fd);
	return bytes == NULL ? none : (struct cedar_text){bytes, got};
}

static bool run(char *const *arguments)
{
	pid_t child;
	int status = -1;

	if (posix_spawnp(&child, arguments[0], NULL, NULL, arguments, environ) == 0)
		(void)waitpid(child, &status, 0);
	return status == 0;
}

static bool run_tar(const char *archive, const char *folder)
{
	char *from = strdup(archive), *into = strdup(folder);
	char tar[] = "tar", zstd[] = "--zstd", extract[] = "-xf", change[] = "-C";
	bool ok = from != NULL && into != NULL &&
		  run((char *const[]){tar, zstd, extract, from, change, into, NULL});

	free(from);
	free(into);
	return ok;
}

bool files_unpack_one(const char *packed, const char *path)
{
	char *from = strdup(packed), *into = strdup(path);
	char zstd[] = "zstd", quiet[] = "-dqf", window[] = "--long=27", output[] = "-o";
	bool ok = from != NULL && into != NULL &&
		  run((char *const[]){zstd, quiet, window, from, output, into, NULL});

	free(from);
	free(into);
	return ok;
}

bool files_unpack(const char *archive, char folder[FILES_PATH_BYTES])
{
	(void)snprintf(folder, FILES_PATH_BYTES, "/tmp/cedar-vectors-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return false;
	if (run_tar(archive, folder))
		return true;
	files_remove(folder);
	return false;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void files_remove(const char *folder)
{
	(void)nftw(folder, remove_one, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}

/* Prepares in the daemon, enters in the child.
 *
 * Invariant: confinement_enter makes system calls only; all that it needs lies in
 * struct confinement, written before the fork. */
#include "edges/confine/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edges/confine/confine_private.h"
#include "edges/confine/landlock.h"

enum { CAPABILITIES_MAX = 64 };

#define HOMES "servers"

struct confinement {
	enum confine_mode mode;
	int ruleset_fd; /* -1: none */
	struct rlimit files;
	struct filter filter;
	struct sock_fprog program; /* of filter */
	char home[CONFINE_PATH_BYTES];
};

void confine_probe(struct confine_features *out)
{
	const uint32_t wanted = SECCOMP_RET_KILL_PROCESS;
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	out->landlock_version = version > 0 ? (int)version : 0;
	out->has_filter = filter_is_known() &&
			  syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &wanted) == 0;
}

/* ---- the confiner ---- */

bool confiner_create(
	struct confiner **out, const struct confine_settings *settings, struct error *err)
{
	struct confiner *confiner = calloc(1, sizeof *confiner);
	char *real = realpath(settings->directory, NULL);
	bool ok = false;

	*out = NULL;
	if (confiner == NULL)
		error_set(err, ERROR_LIMIT, "no memory for the confiner");
	else if (real == NULL || strlen(real) >= sizeof confiner->directory)
		error_set(err, ERROR_IO, "%s: cannot be found", settings->directory);
	else {
		ok = true;
		confiner->settings = *settings;
		memcpy(confiner->directory, real, strlen(real) + 1);
		confiner->directory_fd = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (confiner->directory_fd < 0)
			ok = error_set(err, ERROR_IO, "%s: %s", real, strerror(errno));
	}
	free(real);
	if (ok)
		*out = confiner;
	else
		free(confiner);
	return ok;
}

void confiner_destroy(struct confiner **handle)
{
	if (*handle == NULL)
		return;
	(void)close((*handle)->directory_fd);
	free(*handle);
	*handle = NULL;
}

/* ---- preparing ---- */

static bool folder_make(const char *path, struct error *err)
{
	struct stat status;

	if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
		return error_set(err, ERROR_IO, "%s: cannot be made: %s", path, strerror(errno));
	if (lstat(path, &status) != 0 || !S_ISDIR(status.st_mode))
		return error_set(err, ERROR_INVALID, "%s: is not a folder", path);
	return true;
}

static bool home_make(struct confinement *confinement, const struct confiner *confiner,
	struct text name, struct error *err)
{
	char *home = confinement->home;
	size_t size = sizeof confinement->home;

	if (name.length == 0 || name.data[0] == '.' || text_find_byte(name, '/') >= 0)
		return error_set(err, ERROR_INVALID, "a server's name cannot be a folder's");
	if (snprintf(home, size, "%s/" HOMES, confiner->directory) >= (int)size ||
		!folder_make(home, err))
		return err->code != ERROR_NONE
			       ? false
			       : error_set(err, ERROR_LIMIT, "the path is too long");
	if (snprintf(home, size, "%s/" HOMES "/%.*s", confiner->directory, TEXT_ARGS(name)) >=
		(int)size)
		return error_set(err, ERROR_LIMIT, "%s: the path is too long", confiner->directory);
	return folder_make(home, err);
}

static bool limits_take(struct confinement *confinement, struct error *err)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return error_set(err, ERROR_IO, "cannot read the limit of open files");
	if (files.rlim_max > CONFINE_FILES_MAX)
		files.rlim_max = CONFINE_FILES_MAX;
	files.rlim_cur = files.rlim_max;
	confinement->files = files;
	return true;
}

static bool features_check(const struct confine_features *features, struct error *err)
{
	if (features->landlock_version > 0 && features->has_filter)
		return true;
	errno = ENOSYS;
	return error_set(err, ERROR_IO,
		"this kernel cannot confine it (no %s): use Linux 5.13 or newer with "
		"Landlock switched on, or set stdio-servers: unconfined and trust it as remit",
		features->landlock_version > 0 ? "seccomp" : "Landlock");
}

static bool ruleset_make(struct confinement *confinement, const struct confiner *confiner,
	const struct confine_child *child, struct error *err)
{
	int version = confiner->settings.features.landlock_version;
	bool has_scopes = version >= LANDLOCK_VERSION_SCOPES;
	const struct landlock_handled handled = {.files = files_handled(version),
		.scopes = has_scopes ? LANDLOCK_SCOPE_ABSTRACT_SOCKET | LANDLOCK_SCOPE_SIGNALS : 0};

	confinement->ruleset_fd = (int)syscall(SYS_landlock_create_ruleset, &handled,
		has_scopes ? sizeof handled : sizeof handled.files, 0);
	if (confinement->ruleset_fd < 0)
		return error_set(err, ERROR_IO, "Landlock: %s", strerror(errno));
	return files_grant(confiner, confinement->ruleset_fd, child, confinement->home, err);
}

static bool walls_make(struct confinement *confinement, const struct confiner *confiner,
	const struct confine_child *child, struct error *err)
{
	const struct confine_features *features = &confiner->settings.features;

	if (confinement->mode == CONFINE_NOTHING)
		return true;
	if (!features_check(features, err) || !ruleset_make(confinement, confiner, child, err) ||
		!filter_build(&confinement->filter, features->landlock_version, err))
		return false;
	confinement->program = (struct sock_fprog){.len = (unsigned short)confinement->filter.count,
		.filter = confinement->filter.code};
	return true;
}

bool confine_prepare(struct confinement **out, const struct confiner *confiner,
	const struct confine_child *child, struct error *err)
{
	struct confinement *confinement = calloc(1, sizeof *confinement);

	*out = NULL;
	err->code = ERROR_NONE;
	if (confinement == NULL)
		return error_set(err, ERROR_LIMIT, "no memory to confine a server");
	confinement->mode = confiner->settings.mode;
	confinement->ruleset_fd = -1;
	if (home_make(confinement, confiner, child->name, err) && limits_take(confinement, err) &&
		walls_make(confinement, confiner, child, err))
		*out = confinement;
	else
		confinement_release(&confinement);
	return *out != NULL;
}

const char *confinement_home(const struct confinement *confinement)
{
	return confinement->home;
}

void confinement_release(struct confinement **handle)
{
	if (*handle == NULL)
		return;
	if ((*handle)->ruleset_fd >= 0)
		(void)close((*handle)->ruleset_fd);
	free(*handle);
	*handle = NULL;
}

/* ---- entering: in the child, system calls only ---- */

/* The bounding set only where we may: without CAP_SETPCAP there is nothing that an
 * exec could raise, because no_new_privs is set. */
bool capabilities_drop(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	unsigned long i;

	for (i = 0; i < CAPABILITIES_MAX; i++)
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0 && errno != EINVAL && errno != EPERM)
			return false;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return false;
	return syscall(SYS_capset, &header, none) == 0;
}

static const char *walls_enter(const struct confinement *confinement)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return "gaining privileges";
	if (syscall(SYS_landlock_restrict_self, confinement->ruleset_fd, 0) != 0)
		return "files (Landlock)";
	if (!capabilities_drop())
		return "capabilities";
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &confinement->program) != 0)
		return "system calls (seccomp)";
	return NULL;
}

const char *confinement_enter(const void *context)
{
	const struct confinement *confinement = context;
	const struct rlimit no_core = {0, 0};

	(void)umask(S_IRWXG | S_IRWXO);
	if (setrlimit(RLIMIT_CORE, &no_core) != 0 ||
		setrlimit(RLIMIT_NOFILE, &confinement->files) != 0)
		return "its limits";
	return confinement->mode == CONFINE_NOTHING ? NULL : walls_enter(confinement);
}

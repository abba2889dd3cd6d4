/* Which files a child gets.
 *
 * A place is opened first (O_PATH) and judged by the path that the kernel then
 * gives for it, so what is judged is what is granted.  Invariants:
 *  C1  DIR, a folder above it and remit's own names in it are never granted, whoever
 *      asks; the one exception is the child's own folder;
 *  C2  what an argument names is opened without following a link: another server, or
 *      this one before a restart, may have laid it;
 *  C3  no one grant is both to write and to run. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "edges/confine/confine_private.h"
#include "edges/confine/landlock.h"
#include "wire/process.h"

enum { FIRST_LINE_BYTES = 256, PROC_PATH_BYTES = 32 };

#define MODULES "/node_modules"

#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RIGHTS_RUN (RIGHTS_READ | LANDLOCK_ACCESS_FS_EXECUTE)
#define RIGHTS_DEVICE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)
#define RIGHTS_WRITE                                                                               \
	(RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE |                      \
		LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                   \
		LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |                        \
		LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER)
/* What Landlock takes for a place that is no folder. */
#define RIGHTS_OF_FILES                                                                            \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |                            \
		LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_FS_TRUNCATE)

static const char *const system_folders[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};

/* Of /etc and /proc only what every user reads and programs need: names, certificates,
 * libraries, time. */
static const char *const system_files[] = {"/etc/ld.so.cache", "/etc/localtime", "/etc/timezone",
	"/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf",
	"/etc/gai.conf", "/etc/resolv.conf", "/etc/services", "/etc/protocols", "/etc/mime.types",
	"/etc/ssl/openssl.cnf", "/etc/ssl/cert.pem", "/etc/ssl/certs", "/etc/ca-certificates",
	"/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted",
	/* how many processors and how much memory: os.cpus() of Node is empty without */
	"/proc/cpuinfo", "/proc/meminfo", "/proc/stat"};

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

/* What tells that a folder is where a project begins. */
static const char *const project_marks[] = {"package.json", "pyproject.toml", "pyvenv.cfg"};

/* Where a place lies, seen from the data folder. */
enum reach {
	REACH_WHOLE = 0, /* it is DIR or holds it */
	REACH_OWN,       /* it is remit's own, or in it */
	REACH_FREE,
};

enum links { LINKS_REFUSED = 0, LINKS_FOLLOWED };

struct place {
	int fd;
	bool is_folder;
	char path[CONFINE_PATH_BYTES]; /* as the kernel says it */
};

struct grants {
	const struct confiner *confiner;
	const struct confine_child *child;
	int ruleset;
	uint64_t handled;
};

uint64_t files_handled(int landlock_version)
{
	uint64_t all = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		       LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
		       LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		       LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
		       LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		       LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		       LANDLOCK_ACCESS_FS_MAKE_SYM;

	if (landlock_version >= LANDLOCK_VERSION_REFER)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (landlock_version >= LANDLOCK_VERSION_TRUNCATE)
		all |= LANDLOCK_FS_TRUNCATE;
	if (landlock_version >= LANDLOCK_VERSION_DEVICES)
		all |= LANDLOCK_FS_IOCTL_DEVICE;
	return all;
}

/* ---- places ---- */

static bool place_look(struct place *place)
{
	char link[PROC_PATH_BYTES];
	struct stat status;
	ssize_t length;

	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", place->fd);
	length = readlink(link, place->path, sizeof place->path - 1);
	if (length <= 0 || place->path[0] != '/' || fstat(place->fd, &status) != 0)
		return false;
	place->path[length] = '\0';
	place->is_folder = S_ISDIR(status.st_mode);
	return (size_t)length < sizeof place->path - 1;
}

/* One step from folder, which is closed; -1 with errno, ELOOP for a link. */
static int step(int folder, const char *name)
{
	int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	(void)close(folder);
	if (fd < 0 || fstat(fd, &status) != 0 || !S_ISLNK(status.st_mode))
		return fd;
	(void)close(fd);
	errno = ELOOP;
	return -1;
}

/* openat2 could do it, but a service manager's filter may refuse that. */
static int open_without_links(int from, const char *path)
{
	char name[CONFINE_PATH_BYTES];
	int fd = *path == '/' ? open("/", O_PATH | O_CLOEXEC) : fcntl(from, F_DUPFD_CLOEXEC, 3);

	for (path += strspn(path, "/"); fd >= 0 && *path != '\0'; path += strspn(path, "/")) {
		size_t length = strcspn(path, "/");

		if (length >= sizeof name) {
			(void)close(fd);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(name, path, length);
		name[length] = '\0';
		path += length;
		fd = step(fd, name);
	}
	return fd;
}

/* False, with errno, where there is none.  A relative path begins in DIR. */
static bool place_open(
	struct place *out, const struct confiner *confiner, const char *path, enum links links)
{
	out->fd = links == LINKS_FOLLOWED ? openat(confiner->directory_fd, path, O_PATH | O_CLOEXEC)
					  : open_without_links(confiner->directory_fd, path);
	if (out->fd < 0)
		return false;
	if (place_look(out))
		return true;
	(void)close(out->fd);
	errno = EINVAL;
	return false;
}

static void place_close(struct place *place)
{
	(void)close(place->fd);
}

/* True if path is folder or in it. */
static bool is_in(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (strcmp(folder, "/") == 0)
		return true;
	return strncmp(path, folder, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static enum reach reach_of(const struct confiner *confiner, const char *path)
{
	const char *name;

	if (is_in(confiner->directory, path))
		return REACH_WHOLE;
	if (!is_in(path, confiner->directory))
		return REACH_FREE;
	name = path + strlen(confiner->directory);
	name += strspn(name, "/");
	return confiner->settings.is_own((struct text){name, strcspn(name, "/")}) ? REACH_OWN
										  : REACH_FREE;
}

/* ---- granting ---- */

static void refuse(const struct grants *grants, const char *path, const char *why)
{
	log_warn("not_granted", LOG_TEXT("server", grants->child->name), LOG_STRING("path", path),
		LOG_STRING("why", why));
}

static bool rule_add(
	const struct grants *grants, const struct place *place, uint64_t rights, struct error *err)
{
	const struct landlock_path_beneath_attr rule = {.parent_fd = place->fd,
		.allowed_access = rights & grants->handled &
				  (place->is_folder ? ~UINT64_C(0) : RIGHTS_OF_FILES)};

	return syscall(SYS_landlock_add_rule, grants->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
		       0) == 0 ||
	       error_set(err, ERROR_IO, "Landlock, %s: %s", place->path, strerror(errno));
}

/* C1: what reaches into remit's own is left out, and the log says so. */
static bool place_grant(
	const struct grants *grants, const struct place *place, uint64_t rights, struct error *err)
{
	switch (reach_of(grants->confiner, place->path)) {
	case REACH_FREE: return rule_add(grants, place, rights, err);
	case REACH_OWN: refuse(grants, place->path, "it is remit's own"); return true;
	case REACH_WHOLE: break;
	}
	refuse(grants, place->path, "the data folder is in it");
	return true;
}

/* What is not there needs no grant. */
static bool path_grant(
	const struct grants *grants, const char *path, uint64_t rights, struct error *err)
{
	struct place place;
	bool ok;

	if (!place_open(&place, grants->confiner, path, LINKS_FOLLOWED))
		return true;
	ok = place_grant(grants, &place, rights, err);
	place_close(&place);
	return ok;
}

static bool paths_grant(const struct grants *grants, const char *const *paths, size_t count,
	uint64_t rights, struct error *err)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (!path_grant(grants, paths[i], rights, err))
			return false;
	return true;
}

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static bool system_grant(const struct grants *grants, struct error *err)
{
	return paths_grant(grants, system_folders, COUNT(system_folders), RIGHTS_RUN, err) &&
	       paths_grant(grants, system_files, COUNT(system_files), RIGHTS_READ, err) &&
	       paths_grant(grants, devices, COUNT(devices), RIGHTS_DEVICE, err);
}

/* ---- where a program is installed ---- */

static bool is_project(const char *folder)
{
	char mark[CONFINE_PATH_BYTES];
	size_t i;

	for (i = 0; i < COUNT(project_marks); i++)
		if (snprintf(mark, sizeof mark, "%s/%s", folder, project_marks[i]) <
				(int)sizeof mark &&
			access(mark, F_OK) == 0)
			return true;
	return false;
}

/* Cuts path to the folder above; false at the top. */
static bool cut(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == NULL || slash == path)
		return false;
	*slash = '\0';
	return true;
}

/* The topmost node_modules around it. */
static bool modules_find(char out[CONFINE_PATH_BYTES], const char *path)
{
	const char *found = strstr(path, MODULES "/");
	size_t length;

	if (found == NULL)
		return false;
	length = (size_t)(found - path) + strlen(MODULES);
	memcpy(out, path, length);
	out[length] = '\0';
	return true;
}

/* That, else the project it lies in. */
static bool project_find(char out[CONFINE_PATH_BYTES], const char *path)
{
	int level;

	if (modules_find(out, path))
		return true;
	memcpy(out, path, strlen(path) + 1);
	for (level = 0; level < CONFINE_PROJECT_LEVELS_MAX && cut(out); level++)
		if (is_project(out))
			return true;
	return false;
}

static bool project_grant(const struct grants *grants, const struct place *place, struct error *err)
{
	char folder[CONFINE_PATH_BYTES];

	return !project_find(folder, place->path) || path_grant(grants, folder, RIGHTS_RUN, err);
}

/* PREFIX/bin/program comes with PREFIX/lib. */
static bool library_grant(const struct grants *grants, const char *folder, struct error *err)
{
	char library[CONFINE_PATH_BYTES];
	size_t length = strlen(folder);

	if (length < 4 || strcmp(folder + length - 4, "/bin") != 0)
		return true;
	(void)snprintf(library, sizeof library, "%.*s/lib", (int)(length - 4), folder);
	return path_grant(grants, library, RIGHTS_RUN, err);
}

/* A program: what it is installed with, and the folder it lies in. */
static bool program_grant(const struct grants *grants, const char *path, struct error *err)
{
	char folder[CONFINE_PATH_BYTES];
	struct place place;
	bool ok;

	if (!place_open(&place, grants->confiner, path, LINKS_FOLLOWED))
		return true; /* exec will say so */
	(void)snprintf(folder, sizeof folder, "%s", place.path);
	ok = project_grant(grants, &place, err) &&
	     (!cut(folder) || (path_grant(grants, folder, RIGHTS_RUN, err) &&
				      library_grant(grants, folder, err)));
	place_close(&place);
	return ok;
}

static bool named_program_grant(const struct grants *grants, const char *name, struct error *err)
{
	char path[PROCESS_PATH_BYTES];
	struct error missing;

	return !process_find_program(
		       path, name, grants->confiner->settings.search_path, &missing) ||
	       program_grant(grants, path, err);
}

/* The next word of a line, or NULL. */
static char *word_take(char **line)
{
	char *word = *line + strspn(*line, " \t");
	size_t length = strcspn(word, " \t\n");

	*line = word + length + (word[length] != '\0');
	word[length] = '\0';
	return length == 0 ? NULL : word;
}

/* "#!/usr/bin/env node": the interpreter, and the program that env is to find. */
static bool interpreter_grant(const struct grants *grants, const char *program, struct error *err)
{
	char line[FIRST_LINE_BYTES + 1] = "";
	char *rest = line + 2;
	const char *word;
	ssize_t got;
	int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return true;
	got = read(fd, line, FIRST_LINE_BYTES);
	(void)close(fd);
	if (got < 2 || line[0] != '#' || line[1] != '!')
		return true;
	line[got] = '\0';
	line[strcspn(line, "\n")] = '\0';
	word = word_take(&rest);
	if (word == NULL)
		return true;
	if (!program_grant(grants, word, err))
		return false;
	if (!text_ends_with(text_of(word), "/env"))
		return true;
	do
		word = word_take(&rest);
	while (word != NULL && (word[0] == '-' || strchr(word, '=') != NULL));
	return word == NULL || named_program_grant(grants, word, err);
}

/* The programs of node_modules/.bin are links to what lies beside it. */
static bool search_folder_grant(const struct grants *grants, const char *folder, struct error *err)
{
	char modules[CONFINE_PATH_BYTES];
	struct place place;
	bool ok;

	if (!place_open(&place, grants->confiner, folder, LINKS_FOLLOWED))
		return true;
	ok = place_grant(grants, &place, RIGHTS_RUN, err) &&
	     (!modules_find(modules, place.path) || path_grant(grants, modules, RIGHTS_RUN, err));
	place_close(&place);
	return ok;
}

static bool search_path_grant(const struct grants *grants, struct error *err)
{
	const char *folder = grants->confiner->settings.search_path;
	char path[CONFINE_PATH_BYTES];

	while (folder != NULL && *folder != '\0') {
		size_t length = strcspn(folder, ":");

		if (length > 0 && length < sizeof path) {
			memcpy(path, folder, length);
			path[length] = '\0';
			if (!search_folder_grant(grants, path, err))
				return false;
		}
		folder += length;
		folder += *folder == ':';
	}
	return true;
}

/* ---- arguments ---- */

static bool argument_place_grant(
	const struct grants *grants, const struct place *place, struct error *err)
{
	if (place->is_folder)
		return place_grant(grants, place, RIGHTS_WRITE, err);
	return place_grant(grants, place, RIGHTS_RUN, err) && project_grant(grants, place, err);
}

/* A word that names nothing is no path. */
static bool argument_grant(const struct grants *grants, const char *argument, struct error *err)
{
	struct place place;
	bool ok;

	if (*argument == '\0')
		return true;
	if (!place_open(&place, grants->confiner, argument, LINKS_REFUSED)) {
		if (errno == ELOOP)
			refuse(grants, argument, "a link leads there: give the real path");
		return true;
	}
	ok = argument_place_grant(grants, &place, err);
	place_close(&place);
	return ok;
}

/* What follows the sign in "--root=desk" and "ROOT=desk", or NULL; not in a URL. */
static const char *value_of(const char *argument)
{
	static const char name[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	const char *sign = argument + strspn(argument, name);

	return *sign == '=' ? sign + 1 : NULL;
}

static bool arguments_grant(const struct grants *grants, struct error *err)
{
	const char *const *argument = grants->child->arguments;

	for (argument++; *argument != NULL; argument++) {
		const char *value = value_of(*argument);

		if (!argument_grant(grants, *argument, err) ||
			(value != NULL && !argument_grant(grants, value, err)))
			return false;
	}
	return true;
}

/* ---- the whole ---- */

/* C1's exception. */
static bool home_grant(const struct grants *grants, const char *home, struct error *err)
{
	struct place place;
	bool ok;

	if (!place_open(&place, grants->confiner, home, LINKS_REFUSED))
		return error_set(err, ERROR_IO, "%s: %s", home, strerror(errno));
	ok = rule_add(grants, &place, RIGHTS_WRITE, err);
	place_close(&place);
	return ok;
}

bool files_grant(const struct confiner *confiner, int ruleset, const struct confine_child *child,
	const char *home, struct error *err)
{
	const struct grants grants = {.confiner = confiner,
		.child = child,
		.ruleset = ruleset,
		.handled = files_handled(confiner->settings.features.landlock_version)};

	return system_grant(&grants, err) && search_path_grant(&grants, err) &&
	       program_grant(&grants, child->program, err) &&
	       interpreter_grant(&grants, child->program, err) && arguments_grant(&grants, err) &&
	       home_grant(&grants, home, err);
}

/* The keeper's walls.  Invariant: nothing that came over a socket is read before both are
 * up; whoever serves calls files, makes its threads, then calls. */
#include "edges/confine/confine_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "edges/confine/confine_private.h"
#include "edges/confine/confine_self.h"
#include "edges/confine/landlock.h"

enum { KEEPER_FILES_MAX = 32 };

/* What may be done in the folder, and below it there is none. */
enum {
	FOLDER_ALLOWED = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			 LANDLOCK_ACCESS_FS_REMOVE_FILE,
};

static const uint32_t allowed_calls[] = {
	/* what is asked and answered, and the log */
	SYS_read, SYS_write, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_close,
	/* files of the folder */
	SYS_openat, SYS_newfstatat, SYS_fstat, SYS_lseek, SYS_fsync, SYS_fchmod, SYS_renameat,
	SYS_renameat2, SYS_unlinkat,
#if defined(__x86_64__)
	SYS_open, SYS_stat, SYS_lstat, SYS_rename, SYS_unlink,
#endif
	/* memory, threads, time, chance */
	SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_mlock, SYS_futex,
	SYS_sched_yield, SYS_sched_getaffinity, SYS_set_robust_list, SYS_rseq, SYS_rt_sigprocmask,
	SYS_rt_sigreturn, SYS_sigaltstack, SYS_restart_syscall, SYS_clock_gettime, SYS_gettimeofday,
	SYS_getrandom, SYS_getpid, SYS_gettid, SYS_geteuid, SYS_getuid, SYS_exit, SYS_exit_group};

/* Nothing of ours ever makes these: who does is not us any more. */
static const uint32_t fatal_calls[] = {
	SYS_socket,
	SYS_socketpair,
	SYS_connect,
	SYS_bind,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_execve,
	SYS_execveat,
	SYS_clone,
	SYS_clone3,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_io_uring_setup,
#if defined(__x86_64__)
	SYS_fork,
	SYS_vfork,
#endif
};

/* ---- files ---- */

static size_t handled_size(int version)
{
	const struct landlock_handled handled;

	if (version >= LANDLOCK_VERSION_SCOPES)
		return sizeof handled;
	return version >= LANDLOCK_VERSION_NETWORK ? offsetof(struct landlock_handled, scopes)
						   : sizeof handled.files;
}

static bool ruleset_grant(int ruleset, const char *folder, int version, struct error *err)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access =
			FOLDER_ALLOWED |
			(version >= LANDLOCK_VERSION_TRUNCATE ? LANDLOCK_FS_TRUNCATE : 0)};
	bool ok = false;

	rule.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return error_set(err, ERROR_IO, "%s: %s", folder, strerror(errno));
	ok = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	if (!ok)
		error_set(err, ERROR_IO, "Landlock: %s", strerror(errno));
	(void)close(rule.parent_fd);
	return ok;
}

static bool files_give_up(const char *folder, struct error *err)
{
	struct confine_features features;
	struct landlock_handled handled = {.network = LANDLOCK_NETWORK_ALL,
		.scopes = LANDLOCK_SCOPE_ABSTRACT_SOCKET | LANDLOCK_SCOPE_SIGNALS};
	int version, ruleset;
	bool ok = false;

	confine_probe(&features);
	version = features.landlock_version;
	if (version == 0) {
		log_warn("keeper_without_landlock", LOG_STRING("why", "this kernel has none"));
		return true;
	}
	handled.files = files_handled(version);
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, handled_size(version), 0);
	if (ruleset < 0)
		return error_set(err, ERROR_IO, "Landlock: %s", strerror(errno));
	ok = ruleset_grant(ruleset, folder, version, err);
	if (ok && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		ok = error_set(err, ERROR_IO, "Landlock: %s", strerror(errno));
	(void)close(ruleset);
	return ok;
}

bool confine_keeper_files(const char *folder, struct error *err)
{
	const struct rlimit files = {KEEPER_FILES_MAX, KEEPER_FILES_MAX};

	if (!confine_self(err))
		return false;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		return error_set(err, ERROR_IO, "cannot limit the open files");
	if (!files_give_up(folder, err))
		return false;
	return capabilities_drop() ||
	       error_set(err, ERROR_IO, "cannot give up capabilities: %s", strerror(errno));
}

/* ---- calls ---- */

bool confine_keeper_calls(struct error *err)
{
	struct filter filter;
	struct sock_fprog program;

	if (!filter_is_known())
		return error_set(err, ERROR_IO, "the system calls of this processor are unknown");
	filter_build_list(&filter,
		&(struct filter_list){allowed_calls, sizeof allowed_calls / sizeof allowed_calls[0],
			fatal_calls, sizeof fatal_calls / sizeof fatal_calls[0]});
	program = (struct sock_fprog){(unsigned short)filter.count, filter.code};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
		return error_set(err, ERROR_IO, "cannot give up system calls: %s", strerror(errno));
	return true;
}

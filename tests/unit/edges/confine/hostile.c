/* Tries one thing that a server must not be able to do, or one that it must.
 *
 * Usage: hostile ACTION [PATH|PID [PATH]].  Exit status 0: it worked; else the
 * errno of the refusal.  200: no such action. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NO_ACTION = 200, LEFT = 201, CHILD_FAILED = 202 };

static const char *path_at(char **words, int index)
{
	return words[index] == NULL ? "" : words[index];
}

static pid_t pid_of(char **words)
{
	return (pid_t)strtol(path_at(words, 0), NULL, 10);
}

static int done(long result)
{
	return result >= 0 ? 0 : errno;
}

/* ---- files ---- */

static int open_as(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, S_IRUSR | S_IWUSR);

	if (fd >= 0)
		(void)close(fd);
	return done(fd);
}

static int try_read(char **words)
{
	return open_as(path_at(words, 0), O_RDONLY);
}

static int try_list(char **words)
{
	return open_as(path_at(words, 0), O_RDONLY | O_DIRECTORY);
}

static int try_write(char **words)
{
	return open_as(path_at(words, 0), O_WRONLY);
}

static int try_make(char **words)
{
	return open_as(path_at(words, 0), O_WRONLY | O_CREAT | O_EXCL);
}

static int try_empty(char **words)
{
	return open_as(path_at(words, 0), O_RDONLY | O_TRUNC);
}

/* Access 3 is neither to read nor to write: for requests to a device. */
static int try_open_for_neither(char **words)
{
	return open_as(path_at(words, 0), O_ACCMODE);
}

static int try_empty_for_neither(char **words)
{
	return open_as(path_at(words, 0), O_ACCMODE | O_TRUNC);
}

static int try_chmod_for_neither(char **words)
{
	int fd = open(path_at(words, 0), O_ACCMODE | O_CLOEXEC);

	return fd < 0 ? errno : done(fchmod(fd, S_IRUSR));
}

/* Whoever opens or runs it then waits for us. */
static int try_lease(char **words)
{
	int fd = open(path_at(words, 0), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : done(fcntl(fd, F_SETLEASE, F_WRLCK));
}

static int try_openat2(char **words)
{
	(void)words;
	return done(syscall(SYS_openat2, AT_FDCWD, path_at(words, 0), NULL, 0));
}

static int try_truncate(char **words)
{
	return done(truncate(path_at(words, 0), 1));
}

static int try_remove(char **words)
{
	return done(unlink(path_at(words, 0)));
}

static int try_rename(char **words)
{
	return done(rename(path_at(words, 0), path_at(words, 1)));
}

static int try_link(char **words)
{
	return done(link(path_at(words, 0), path_at(words, 1)));
}

/* Lays a link where it may write, and reads through it. */
static int try_symlink(char **words)
{
	return symlink(path_at(words, 0), path_at(words, 1)) < 0
		       ? errno
		       : open_as(path_at(words, 1), O_RDONLY);
}

static int try_chmod(char **words)
{
	return done(chmod(path_at(words, 0), 0777));
}

/* chmod by fchmodat2, which no old library knows. */
static int try_chmod_anew(char **words)
{
	return done(syscall(452, AT_FDCWD, path_at(words, 0), 0777, 0));
}

static int try_fchmod(char **words)
{
	int fd = open(path_at(words, 0), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : done(fchmod(fd, (mode_t)strtoul(path_at(words, 1), NULL, 8)));
}

static int try_chown(char **words)
{
	return done(chown(path_at(words, 0), (uid_t)-1, getgid()));
}

static int try_attribute(char **words)
{
	return done(setxattr(path_at(words, 0), "user.remit", "x", 1, 0));
}

static int try_device(char **words)
{
	return done(mknod(path_at(words, 0), S_IFSOCK | S_IRUSR, 0));
}

/* ---- programs ---- */

static int run(const char *const *arguments)
{
	int status;
	pid_t child = fork();

	if (child < 0)
		return errno;
	if (child == 0) {
		(void)execv(arguments[0], (char *const *)(size_t)arguments);
		_exit(errno);
	}
	if (waitpid(child, &status, 0) != child)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : CHILD_FAILED;
}

static int try_run(char **words)
{
	const char *const arguments[] = {path_at(words, 0), words[1], NULL};

	return run(arguments);
}

/* For a copy of this program that runs as another user: 0 if it does. */
static int try_be_another(char **words)
{
	(void)words;
	return geteuid() != getuid() ? 0 : LEFT;
}

/* ---- other processes ---- */

static int try_kill(char **words)
{
	return done(kill(pid_of(words), 0));
}

static int try_kill_thread(char **words)
{
	return done(syscall(SYS_tgkill, pid_of(words), pid_of(words), 0));
}

static int try_kill_any_thread(char **words)
{
	return done(syscall(SYS_tkill, pid_of(words), 0));
}

static int try_queue_signal(char **words)
{
	union sigval value = {0};

	return done(sigqueue(pid_of(words), 0, value));
}

static int try_kill_by_handle(char **words)
{
	int fd = (int)syscall(SYS_pidfd_open, pid_of(words), 0);

	return fd < 0 ? errno : done(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}

/* What comes in on a descriptor is told to whoever is said to own it. */
static int pair_owned(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 ||
		fcntl(fds[0], F_SETSIG, SIGURG) != 0 || fcntl(fds[0], F_SETFL, O_ASYNC) != 0)
		return errno;
	return 0;
}

static int try_signal_by_descriptor(char **words)
{
	int fds[2], refused = pair_owned(fds);

	if (refused == 0 && fcntl(fds[0], F_SETOWN, pid_of(words)) != 0)
		refused = errno;
	return refused != 0 ? refused : done(write(fds[1], "x", 1));
}

static int try_signal_by_thread(char **words)
{
	struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = pid_of(words)};
	int fds[2], refused = pair_owned(fds);

	return refused != 0 ? refused : done(fcntl(fds[0], F_SETOWN_EX, &owner));
}

static int try_signal_by_request(char **words)
{
	int owner = pid_of(words);
	int fds[2], refused = pair_owned(fds);

	return refused != 0 ? refused : done(ioctl(fds[0], FIOSETOWN, &owner));
}

static int try_signal_by_socket_request(char **words)
{
	int owner = pid_of(words);
	int fds[2], refused = pair_owned(fds);

	return refused != 0 ? refused : done(ioctl(fds[0], SIOCSPGRP, &owner));
}

/* A child of our parent's. */
static int try_give_child(char **words)
{
	long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

	(void)words;
	if (child == 0)
		_exit(0);
	return done(child);
}

static int try_kill_own_child(char **words)
{
	pid_t child = fork();

	(void)words;
	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	if (child < 0 || kill(child, SIGKILL) != 0)
		return errno;
	return done(waitpid(child, NULL, 0));
}

static int try_trace(char **words)
{
	return done(ptrace(PTRACE_SEIZE, pid_of(words), NULL, NULL));
}

static int try_peek(char **words)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};

	return done(process_vm_readv(pid_of(words), &here, 1, &there, 1, 0));
}

static int try_take_descriptor(char **words)
{
	int fd = (int)syscall(SYS_pidfd_open, pid_of(words), 0);

	return fd < 0 ? errno : done(syscall(SYS_pidfd_getfd, fd, 0, 0));
}

static int try_limit(char **words)
{
	struct rlimit limit;

	return done(prlimit(pid_of(words), RLIMIT_FSIZE, NULL, &limit));
}

static int try_slow_down(char **words)
{
	return done(setpriority(PRIO_PROCESS, (id_t)pid_of(words), 19));
}

static int try_pin(char **words)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	return done(sched_setaffinity(pid_of(words), sizeof one, &one));
}

/* ---- sockets ---- */

static int try_connect(char **words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path_at(words, 0));
	return fd < 0 ? errno : done(connect(fd, (struct sockaddr *)&address, sizeof address));
}

/* A pair of datagram sockets could be sent from to any path. */
static int try_pair_of_datagrams(char **words)
{
	int fds[2];

	(void)words;
	return done(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds));
}

static int try_raw_pair(char **words)
{
	int fds[2];

	(void)words;
	return done(socketpair(AF_UNIX, SOCK_RAW, 0, fds));
}

static int try_pair_of_streams(char **words)
{
	int fds[2];

	(void)words;
	return done(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
}

static int try_network(char **words)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)words;
	return fd < 0 ? errno : done(bind(fd, (struct sockaddr *)&address, sizeof address));
}

/* ---- the kernel ---- */

static int try_namespace(char **words)
{
	(void)words;
	return done(unshare(CLONE_NEWUSER));
}

static int try_namespace_by_clone(char **words)
{
	long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	(void)words;
	if (child == 0)
		_exit(0);
	return done(child);
}

static int try_clone3(char **words)
{
	(void)words;
	return done(syscall(SYS_clone3, NULL, 0));
}

static int try_mount(char **words)
{
	return done(mount("none", path_at(words, 0), "tmpfs", 0, NULL));
}

static int try_chroot(char **words)
{
	return done(chroot(path_at(words, 0)));
}

static int try_keyring(char **words)
{
	(void)words;
	return done(syscall(SYS_add_key, "user", "remit", "x", 1, -3));
}

static int try_bpf(char **words)
{
	(void)words;
	return done(syscall(SYS_bpf, 0, NULL, 0));
}

static int try_watch_events(char **words)
{
	(void)words;
	return done(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

/* Without parameters: EFAULT where it is open. */
static int try_ring(char **words)
{
	(void)words;
	return done(syscall(SYS_io_uring_setup, 1, NULL));
}

static int try_another_processor(char **words)
{
	(void)words;
#if defined(__x86_64__)
	return done(syscall(0x40000000 | SYS_getpid));
#else
	return ENOSYS;
#endif
}

/* ---- what is left ---- */

static int try_privilege(char **words)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	unsigned long i;
	unsigned has = 0;

	(void)words;
	if (syscall(SYS_capget, &header, data) != 0)
		return errno;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		has |= data[i].effective | data[i].permitted | data[i].inheritable;
	for (i = 0; getuid() == 0 && i < 64; i++)
		has |= prctl(PR_CAPBSET_READ, i, 0, 0, 0) > 0;
	return has != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
			       prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != 2
		       ? 0
		       : LEFT;
}

/* 0 if it may have more files than the first word says, or leave a core. */
static int try_limits(char **words)
{
	struct rlimit files, core;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || getrlimit(RLIMIT_CORE, &core) != 0)
		return errno;
	return files.rlim_max > strtoul(path_at(words, 0), NULL, 10) || core.rlim_max > 0 ? 0
											  : LEFT;
}

static const struct {
	const char *name;
	int (*run)(char **words);
} actions[] = {
	{"read", try_read},
	{"list", try_list},
	{"write", try_write},
	{"make", try_make},
	{"empty", try_empty},
	{"open-for-neither", try_open_for_neither},
	{"empty-for-neither", try_empty_for_neither},
	{"chmod-for-neither", try_chmod_for_neither},
	{"lease", try_lease},
	{"openat2", try_openat2},
	{"truncate", try_truncate},
	{"remove", try_remove},
	{"rename", try_rename},
	{"link", try_link},
	{"symlink", try_symlink},
	{"chmod", try_chmod},
	{"chmod-anew", try_chmod_anew},
	{"fchmod", try_fchmod},
	{"chown", try_chown},
	{"attribute", try_attribute},
	{"make-socket", try_device},
	{"run", try_run},
	{"be-another", try_be_another},
	{"kill", try_kill},
	{"kill-thread", try_kill_thread},
	{"kill-any-thread", try_kill_any_thread},
	{"queue-signal", try_queue_signal},
	{"kill-by-handle", try_kill_by_handle},
	{"signal-by-descriptor", try_signal_by_descriptor},
	{"signal-by-thread", try_signal_by_thread},
	{"signal-by-request", try_signal_by_request},
	{"signal-by-socket-request", try_signal_by_socket_request},
	{"give-child", try_give_child},
	{"kill-own-child", try_kill_own_child},
	{"trace", try_trace},
	{"peek", try_peek},
	{"take-descriptor", try_take_descriptor},
	{"limit", try_limit},
	{"slow-down", try_slow_down},
	{"pin", try_pin},
	{"connect", try_connect},
	{"pair-of-datagrams", try_pair_of_datagrams},
	{"raw-pair", try_raw_pair},
	{"pair-of-streams", try_pair_of_streams},
	{"network", try_network},
	{"namespace", try_namespace},
	{"namespace-by-clone", try_namespace_by_clone},
	{"clone3", try_clone3},
	{"mount", try_mount},
	{"chroot", try_chroot},
	{"keyring", try_keyring},
	{"bpf", try_bpf},
	{"watch-events", try_watch_events},
	{"ring", try_ring},
	{"another-processor", try_another_processor},
	{"privilege", try_privilege},
	{"limits", try_limits},
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i].name, argv[1]) == 0)
			return actions[i].run(argv + 2);
	return NO_ACTION;
}

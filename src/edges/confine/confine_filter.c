/* A filter of system calls, written as a list of comparisons: what no rule names is
 * allowed, because servers are other people's programs and a list of all that they
 * may call would be ours to keep.  So this is the second wall; the first is
 * Landlock, and the rules here are what Landlock leaves open:
 *
 *   - what reaches remitd without a file: its socket, tracing, signals, limits,
 *     being its child
 *   - what Landlock does not judge: modes, owners, attributes and lists of access,
 *     opening neither to read nor to write; before version 3 (Linux 6.2) truncation
 *   - what a server never needs and attackers do: namespaces, mounts, keyrings,
 *     io_uring (it would act round these rules), BPF, the kernel's own controls
 *
 * Invariants: the processor is compared first, and a call of another one kills; only
 * the low 32 bits of an argument are compared, because the kernel reads these
 * arguments as int. */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edges/confine/confine_private.h"
#include "edges/confine/landlock.h"

#if defined(__x86_64__)
#define PROCESSOR AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define PROCESSOR AUDIT_ARCH_AARCH64
#else
#define PROCESSOR 0 /* not known here: nothing is started */
#endif

/* Calls that Debian 12's headers do not name; one number on every processor. */
enum {
	CALL_FCHMODAT2 = 452,      /* Linux 6.6 */
	CALL_SETXATTRAT = 463,     /* Linux 6.13 */
	CALL_REMOVEXATTRAT = 466,  /* Linux 6.13 */
	CALL_OPEN_TREE_ATTR = 467, /* Linux 6.15 */
	CALL_FILE_SETATTR = 469,   /* Linux 6.17 */
	CALL_X32 = 0x40000000,     /* x86-64: the calls of its 32-bit form */
};

enum {
	NEW_NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
			 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET,
	/* With CLONE_PARENT it would be remitd's child, which nobody awaits. */
	CLONE_REFUSED = NEW_NAMESPACES | CLONE_PARENT,
};

enum { SOCKET_TYPE_BITS = 0xf };
/* Of fchmod: running as the owner or group, and writing by everybody. */
enum { MODE_REFUSED = S_ISUID | S_ISGID | S_IWOTH };

static const int refused_calls[] = {
	/* other processes */
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_process_mrelease,
	SYS_kcmp,
	SYS_pidfd_getfd,
	SYS_perf_event_open,
	SYS_migrate_pages,
	SYS_move_pages,
	SYS_setpriority,
	SYS_sched_setscheduler,
	SYS_sched_setparam,
	SYS_sched_setattr,
	SYS_ioprio_set,
	/* namespaces, mounts, roots */
	SYS_unshare,
	SYS_setns,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_move_mount,
	SYS_open_tree,
	SYS_fsopen,
	SYS_fsmount,
	SYS_fsconfig,
	SYS_fspick,
	SYS_mount_setattr,
	CALL_OPEN_TREE_ATTR,
	SYS_name_to_handle_at,
	SYS_open_by_handle_at,
	SYS_fanotify_init,
	SYS_quotactl,
	SYS_quotactl_fd,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	/* keyrings */
	SYS_add_key,
	SYS_request_key,
	SYS_keyctl,
	/* what acts for the process where no filter looks */
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_bpf,
	SYS_userfaultfd,
	/* the machine */
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_kexec_file_load,
	SYS_reboot,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_clock_adjtime,
	SYS_adjtimex,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_syslog,
	SYS_vhangup,
	SYS_personality,
	SYS_lookup_dcookie,
	SYS_nfsservctl,
	/* what Landlock does not judge */
	SYS_fchmodat,
	CALL_FCHMODAT2,
	SYS_fchown,
	SYS_fchownat,
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_fsetxattr,
	SYS_removexattr,
	SYS_lremovexattr,
	SYS_fremovexattr,
	CALL_SETXATTRAT,
	CALL_REMOVEXATTRAT,
	CALL_FILE_SETATTR,
#if defined(__x86_64__)
	SYS_chmod,
	SYS_chown,
	SYS_lchown,
	SYS_iopl,
	SYS_ioperm,
	SYS_modify_ldt,
	SYS_uselib,
	SYS_create_module,
	SYS_get_kernel_syms,
	SYS_query_module,
	SYS__sysctl,
#endif
};

/* When is a call refused, by one of its arguments? */
enum when { REFUSED_IF = 0, REFUSED_UNLESS };

struct rule {
	uint32_t call;
	uint32_t argument; /* 0 the first */
	uint32_t mask;     /* which bits of it */
	enum when when;
	int refusal; /* the errno */
	size_t count;
	const uint32_t *values;
};

static const uint32_t zero[] = {0};
static const uint32_t families[] = {AF_INET, AF_INET6, AF_NETLINK};
/* Not SOCK_DGRAM or SOCK_RAW: such a pair could still be sent to a path. */
static const uint32_t pair_types[] = {SOCK_STREAM, SOCK_SEQPACKET};
/* Into a terminal; and whom a descriptor signals, which may be anybody of the user.
 * A lease holds up whoever opens or runs the file, remitd when it starts another. */
static const uint32_t refused_requests[] = {TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP};
static const uint32_t refused_commands[] = {F_SETOWN, F_SETOWN_EX, F_SETLEASE};
/* Access 3: such a descriptor reads and writes nothing, so Landlock lets any file be
 * opened; it changes modes, and O_TRUNC empties what it names. */
static const uint32_t neither[] = {O_ACCMODE};

#define ALL UINT32_MAX
#define VALUES(list) sizeof(list) / sizeof(list)[0], (list)

static const struct rule rules[] = {
	{SYS_socket, 0, ALL, REFUSED_UNLESS, EACCES, VALUES(families)},
	{SYS_socketpair, 1, SOCKET_TYPE_BITS, REFUSED_UNLESS, EACCES, VALUES(pair_types)},
	{SYS_clone, 0, CLONE_REFUSED, REFUSED_UNLESS, EPERM, VALUES(zero)},
	{SYS_ioctl, 1, ALL, REFUSED_IF, EPERM, VALUES(refused_requests)},
	{SYS_fcntl, 1, ALL, REFUSED_IF, EPERM, VALUES(refused_commands)},
	{SYS_openat, 2, O_ACCMODE, REFUSED_IF, EPERM, VALUES(neither)},
#if defined(__x86_64__)
	{SYS_open, 1, O_ACCMODE, REFUSED_IF, EPERM, VALUES(neither)},
#endif
	{SYS_fchmod, 1, MODE_REFUSED, REFUSED_UNLESS, EPERM, VALUES(zero)},
	{SYS_prlimit64, 0, ALL, REFUSED_UNLESS, EPERM, VALUES(zero)},
	{SYS_sched_setaffinity, 0, ALL, REFUSED_UNLESS, EPERM, VALUES(zero)},
};

/* Truncating without the right to write: Landlock judges it from version 3 on. */
static const uint32_t truncating[] = {O_TRUNC | O_RDONLY};
static const struct rule truncation_rules[] = {
	{SYS_truncate, 0, 0, REFUSED_IF, EPERM, VALUES(zero)},
	{SYS_openat, 2, O_TRUNC | O_ACCMODE, REFUSED_IF, EPERM, VALUES(truncating)},
#if defined(__x86_64__)
	{SYS_open, 1, O_TRUNC | O_ACCMODE, REFUSED_IF, EPERM, VALUES(truncating)},
#endif
};

/* Signals: Landlock judges them from version 6 on.  Before, what names us is refused. */
static const uint32_t signal_calls[] = {
	SYS_kill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo};
static const int refused_signal_calls[] = {SYS_tkill, SYS_pidfd_send_signal};

bool filter_is_known(void)
{
	return PROCESSOR != 0;
}

static void put(struct filter *filter, struct sock_filter instruction)
{
	if (filter->count == FILTER_INSTRUCTIONS_MAX)
		filter->is_full = true;
	else
		filter->code[filter->count++] = instruction;
}

static void put_load(struct filter *filter, size_t offset)
{
	put(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void put_jump(struct filter *filter, uint32_t value, size_t if_equal, size_t if_not)
{
	filter->is_full |= if_equal > UINT8_MAX || if_not > UINT8_MAX;
	put(filter, (struct sock_filter)BPF_JUMP(
			    BPF_JMP | BPF_JEQ | BPF_K, value, (uint8_t)if_equal, (uint8_t)if_not));
}

static void put_answer(struct filter *filter, uint32_t answer)
{
	put(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

static void put_refusal(struct filter *filter, int refusal)
{
	put_answer(filter, SECCOMP_RET_ERRNO | (uint32_t)refusal);
}

static void put_processor(struct filter *filter)
{
	put_load(filter, offsetof(struct seccomp_data, arch));
	put_jump(filter, PROCESSOR, 1, 0);
	put_answer(filter, SECCOMP_RET_KILL_PROCESS);
	put_load(filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
	put(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CALL_X32, 0, 1));
	put_answer(filter, SECCOMP_RET_KILL_PROCESS);
#endif
}

static void put_call(struct filter *filter, uint32_t call, int refusal)
{
	put_jump(filter, call, 0, 1);
	put_refusal(filter, refusal);
}

/* The call's number is loaded before and after.
 *
 *	call?  ── no ──────────────────────────────▶ after
 *	load argument, mask
 *	value? … value?   UNLESS: yes ▶ reload       IF: yes ▶ refuse
 *	(IF: jump to reload)
 *	refuse
 *	reload
 */
static void put_rule(struct filter *filter, const struct rule *rule)
{
	bool is_if = rule->when == REFUSED_IF;
	size_t i;

	put_jump(filter, rule->call, 0, 2 + rule->count + (is_if ? 1 : 0) + 2);
	put_load(filter, offsetof(struct seccomp_data, args) + rule->argument * sizeof(uint64_t));
	put(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule->mask));
	for (i = 0; i < rule->count; i++) /* what follows: the other values, then the end */
		put_jump(filter, rule->values[i], rule->count - 1 - i + 1, 0);
	if (is_if)
		put(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0));
	put_refusal(filter, rule->refusal);
	put_load(filter, offsetof(struct seccomp_data, nr));
}

static void put_rules(struct filter *filter, const struct rule *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		put_rule(filter, &list[i]);
}

/* Our threads, as kill counts them: each of these numbers reaches the whole process. */
static bool threads_list(uint32_t *out, size_t *count, struct error *err)
{
	DIR *folder = opendir("/proc/self/task");
	const struct dirent *entry;
	size_t found = 0;

	if (folder == NULL)
		return error_set(err, ERROR_IO, "cannot list our threads");
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.' || found++ >= CONFINE_TASKS_MAX)
			continue;
		out[(*count)++] = (uint32_t)strtoul(entry->d_name, NULL, 10);
	}
	(void)closedir(folder);
	return found <= CONFINE_TASKS_MAX ||
	       error_set(err, ERROR_LIMIT,
		       "this kernel lets a server signal the daemon, and not more than %d of its "
		       "threads can be kept from it",
		       CONFINE_TASKS_MAX);
}

static bool put_signals(struct filter *filter, struct error *err)
{
	/* -1 is everybody; the others are our group, and we. */
	uint32_t us[CONFINE_TASKS_MAX + 2] = {(uint32_t)-1, (uint32_t)-getpgrp()};
	struct rule rule = {.mask = ALL, .refusal = EPERM, .count = 2, .values = us};
	size_t i;

	if (!threads_list(us, &rule.count, err))
		return false;
	for (i = 0; i < sizeof signal_calls / sizeof signal_calls[0]; i++) {
		rule.call = signal_calls[i];
		put_rule(filter, &rule);
	}
	for (i = 0; i < sizeof refused_signal_calls / sizeof refused_signal_calls[0]; i++)
		put_call(filter, (uint32_t)refused_signal_calls[i], EPERM);
	return true;
}

bool filter_build(struct filter *out, int landlock_version, struct error *err)
{
	size_t i;

	*out = (struct filter){0};
	put_processor(out);
	for (i = 0; i < sizeof refused_calls / sizeof refused_calls[0]; i++)
		put_call(out, (uint32_t)refused_calls[i], EPERM);
	/* Their flags cannot be seen; all fall back to what they replace. */
	put_call(out, SYS_clone3, ENOSYS);
	put_call(out, SYS_openat2, ENOSYS);
	put_rules(out, rules, sizeof rules / sizeof rules[0]);
	if (landlock_version < LANDLOCK_VERSION_TRUNCATE)
		put_rules(out, truncation_rules,
			sizeof truncation_rules / sizeof truncation_rules[0]);
	if (landlock_version < LANDLOCK_VERSION_SCOPES && !put_signals(out, err))
		return false;
	put_answer(out, SECCOMP_RET_ALLOW);
	assert(!out->is_full); /* the lists are ours, and threads are bounded */
	return true;
}

static void put_list(struct filter *filter, const uint32_t *calls, size_t count, uint32_t answer)
{
	for (size_t i = 0; i < count; i++) {
		put_jump(filter, calls[i], 0, 1);
		put_answer(filter, answer);
	}
}

void filter_build_list(struct filter *out, const struct filter_list *list)
{
	*out = (struct filter){0};
	put_processor(out);
	put_list(out, list->allowed, list->allowed_count, SECCOMP_RET_ALLOW);
	put_list(out, list->fatal, list->fatal_count, SECCOMP_RET_KILL_PROCESS);
	put_refusal(out, EPERM);
	assert(!out->is_full); /* the lists are ours */
}

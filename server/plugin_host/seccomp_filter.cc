#include "plugin_host/seccomp_filter.h"

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <memory>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr int kDenied[] = {
    // Other programs and processes.
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(process_mrelease),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(tkill),
    SCMP_SYS(setpriority),
    SCMP_SYS(ioprio_set),
    SCMP_SYS(sched_setscheduler),
    SCMP_SYS(sched_setattr),
    SCMP_SYS(sched_setparam),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(move_pages),
    SCMP_SYS(setsid),
    SCMP_SYS(setpgid),
    // Who it is.
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
    SCMP_SYS(personality),
    // Mounts and namespaces.
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(quotactl),
    SCMP_SYS(quotactl_fd),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    // The machine.
    SCMP_SYS(reboot),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(acct),
    SCMP_SYS(syslog),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(vhangup),
    // Large interfaces.
    SCMP_SYS(bpf),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(lookup_dcookie),
    // Memory that no limit counts, and what stays behind.
    SCMP_SYS(memfd_create),
    SCMP_SYS(memfd_secret),
    SCMP_SYS(shmget),
    SCMP_SYS(semget),
    SCMP_SYS(msgget),
    SCMP_SYS(mq_open),
    SCMP_SYS(mq_unlink),
    // What landlock leaves alone, by path and by descriptor.
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(futimesat),
    SCMP_SYS(utimensat),
    // Nor who else works on which files.
    SCMP_SYS(inotify_init),
    SCMP_SYS(inotify_init1),
    // Nobody is to connect to a plugin.
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(accept),
    SCMP_SYS(accept4),
};

// Newer than libseccomp 2.5.4.
constexpr int kFchmodat2 = 452;
constexpr int kSetxattrat = 463;
constexpr int kRemovexattrat = 466;
constexpr int kOpenTreeAttr = 467;
constexpr int kFileSetattr = 469;

constexpr uint64_t kSocketTypes = 0xf;  // the kernel's SOCK_TYPE_MASK

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release) {
    if (context_ == nullptr) {
      error_ = ENOMEM;
      return;
    }
    Keep(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    // A tree of calls instead of a list.
    Keep(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
    // System calls of another architecture (32 bits, x32) would pass all rules.
    Keep(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM)));
  }

  void Deny(int call) { Answer(EPERM, call); }
  void Answer(int error, int call) {
    if (error_ == 0) Keep(seccomp_rule_add(context_.get(), SCMP_ACT_ERRNO(error), call, 0));
  }
  void DenyIf(int call, const scmp_arg_cmp& condition) {
    if (error_ != 0) return;
    Keep(seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(EPERM), call, 1, &condition));
  }
  absl::Status Load() {
    if (error_ == 0) Keep(seccomp_load(context_.get()));
    if (error_ == 0) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("seccomp: ", strerror(error_)));
  }

 private:
  void Keep(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;  // the first
};

// An int of the kernel: a caller may fill the upper half of the register with anything.
scmp_arg_cmp Int(unsigned index, uint64_t value) {
  return {index, SCMP_CMP_MASKED_EQ, 0xffffffffu, value};
}
scmp_arg_cmp Argument(unsigned index, scmp_compare compare, uint64_t a, uint64_t b = 0) {
  return {index, compare, a, b};
}

void DenySockets(bool network, Filter* filter) {
  // A pair of datagram sockets could send to any other of this machine.
  for (const uint64_t type : {SOCK_DGRAM, SOCK_RAW}) {
    filter->DenyIf(SCMP_SYS(socketpair), Argument(1, SCMP_CMP_MASKED_EQ, kSocketTypes, type));
  }
  if (!network) {
    filter->Deny(SCMP_SYS(socket));
    filter->Deny(SCMP_SYS(connect));
    return;
  }
  // Of the families only the two of IP stay. An argument may be compared once in a rule.
  static_assert(AF_INET == 2 && AF_INET6 == 10);
  filter->DenyIf(SCMP_SYS(socket), Argument(0, SCMP_CMP_LT, AF_INET));
  filter->DenyIf(SCMP_SYS(socket), Argument(0, SCMP_CMP_GT, AF_INET6));
  for (uint64_t family = AF_INET + 1; family < AF_INET6; ++family) {
    filter->DenyIf(SCMP_SYS(socket), Argument(0, SCMP_CMP_EQ, family));
  }
}

}  // namespace

bool KernelHasSeccomp() {
  const uint32_t action = SECCOMP_RET_ERRNO;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

absl::Status DenySystemCalls(bool network) {
  Filter filter;
  for (const int call : kDenied) filter.Deny(call);
  for (const int call : {kFchmodat2, kSetxattrat, kRemovexattrat, kOpenTreeAttr, kFileSetattr}) {
    filter.Deny(call);
  }
  DenySockets(network, &filter);
  // Threads only.
  filter.DenyIf(SCMP_SYS(clone), Argument(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
  filter.Answer(ENOSYS, SCMP_SYS(clone3));
  const auto self = static_cast<uint64_t>(getpid());
  for (const int call :
       {SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo)}) {
    filter.DenyIf(call, Argument(0, SCMP_CMP_NE, self));
  }
  // 0: its own.
  filter.DenyIf(SCMP_SYS(prlimit64), Argument(0, SCMP_CMP_NE, 0));
  filter.DenyIf(SCMP_SYS(sched_setaffinity), Argument(0, SCMP_CMP_NE, 0));
  // Input of a descriptor may signal its owner, whoever that is.
  for (const uint64_t command : {F_SETOWN, F_SETOWN_EX}) {
    filter.DenyIf(SCMP_SYS(fcntl), Int(1, command));
  }
  for (const uint64_t request : {FIOSETOWN, SIOCSPGRP}) {
    filter.DenyIf(SCMP_SYS(ioctl), Int(1, request));
  }
  return filter.Load();
}

}  // namespace tidemark

/**
 * NetBSD's cases that this suite does not run, each with its reason. A pattern covers the names that expand() gives.
 * `waits`: it will apply once something else exists; `never`: it tests what this kernel does not have, on purpose.
 */
import { expand } from './netbsd.ts';

export interface NotApplicable {
  readonly cases: readonly string[];
  readonly when: 'waits' | 'never';
  readonly reason: string;
}

const list = (when: NotApplicable['when'], reason: string, ...patterns: string[]): NotApplicable => ({
  cases: patterns.flatMap(expand),
  when,
  reason,
});

const synchronous =
  'the kernel is synchronous: a call runs to its end before the next begins, so there is nothing to race';
const memorySafe = 'there is no user space to copy from: arguments are values, and a bad address cannot be written';
const noThreads = 'the kernel has no threads, locks, pages or work queues of its own';

export const notApplicable: readonly NotApplicable[] = [
  list('never', memorySafe, 't_io read_fault', 't_copy {copystr,copyinstr,copyoutstr,copy_efault}'),
  list(
    'never',
    synchronous,
    't_renamerace {renamerace,renamerace_dirs,renamerace_cycle}',
    't_rmdirrace race',
    'tmpfs/t_renamerace',
  ),
  list(
    'never',
    'fifos carry no data: nobody can be at the other end in a synchronous kernel; as nodes they are tested',
    't_fifos fifos',
  ),
  list(
    'never',
    noThreads,
    't_vm {busypage,uvmwait}',
    't_kern lockme_{MTX,RWDOUBLEX,RWRX,RWXR,DOUBLEINIT,DOUBLEFREE,DESTROYHELD,MEMFREE}',
    't_threads threadjoin',
    't_tsleep tsleep',
    't_workqueue {workqueue1,workqueue_wait,workqueue_wait_pause}',
    't_threadpool threadpool_{unbound,percpu}_{lifecycle,schedule}',
    't_threadpool threadpool_job_{cancel,cancelthrash}',
  ),
  list(
    'never',
    'a process in this kernel is a set of credentials and descriptors; it receives no signals',
    't_signals {sigraise,sigignore,sigpanic}',
  ),
  list('never', 'modules are values handed to boot(); none is found on disk', 't_modautoload modautoload'),
  list('never', 'layered (null) mounts are not planned', 't_rwtoro layer_{noneopen,readopen,writeopen,read_unlinked}'),
  list('never', 'union mounts and whiteouts are not planned', 't_union {basic,whiteout}'),
  list('never', 'vnd turns a file into a disk; here a disk is a host file', 'tmpfs/t_vnd'),
  list(
    'waits',
    'about FFS images: they come with FFS',
    't_mount {48Kimage,fsbsizeovermaxphys,fsbsize2big}',
    't_snapshot snapshot',
    't_snapshot_v2 snapshot',
    't_snapshot_log snapshot',
    't_update_log {updaterwtolog,updaterwtolog_async}',
  ),
  list(
    'waits',
    'FFS quotas: they come with FFS',
    't_quota2_1 quota_{40,1000}_{O1,O2}_{le,be}',
    't_quota2_1 quota_40_{O1,O2}_log',
    't_quota2_remount quota_10_O1_{le,be}',
    't_getquota get_{le,be}_{1,2}_{user,group,both}',
    't_setquota {set,set_new,set_default}_{le,be}_{1,2}_{user,group,both}',
    't_clearquota clear_{le,be}_{1,2}_{user,group,both}',
    't_quotalimit {limit,slimit,inolimit,sinolimit,herit_defq,herit_idefq}_le_1_{user,group}',
    't_miscquota {walk_list,psnapshot,npsnapshot,psnapshot_unconf,npsnapshot_unconf}_user',
    't_miscquota {log_unlink,log_unlink_remount}',
  ),
  list(
    'waits',
    'remote kernels (sysproxy) come later',
    't_sp {basic,stress_short,stress_long,stress_killer,fork_simple,fork_pipecomm,fork_fakeauth,sigsafe,signal,reconnect}',
  ),
];

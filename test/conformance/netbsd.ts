/**
 * NetBSD's ATF cases for file systems and for the rump kernel under them (tests/fs/vfs, tests/fs/ffs,
 * tests/rump/rumpvfs, tests/rump/rumpkern): each is a case of this suite or is listed in not-applicable.ts.
 */

/** "a_{x,y}" → "a_x", "a_y". */
export function expand(pattern: string): string[] {
  const match = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern);
  if (match === null) return [pattern];
  const [, head = '', choices = '', tail = ''] = match;
  return choices.split(',').flatMap((choice) => expand(`${head}${choice}${tail}`));
}

const files: Readonly<Record<string, string>> = {
  // tests/fs/vfs, run for every type
  t_vnops:
    'lookup_simple lookup_complex dir_simple dir_slash dir_2slash dir_3slash dir_notempty dir_rmdirdotdot rename_dir ' +
    'rename_dotdot rename_reg_nodir create_many create_nonalphanum create_nametoolong rename_nametoolong create_exist ' +
    'symlink_zerolen symlink_long symlink_root attrs fcntl_lock fcntl_getlock_pids access_simple read_directory lstat_symlink',
  t_io:
    'holywrite extendfile extendfile_append overwrite512 overwrite64k overwrite_trunc shrinkfile read_after_unlink ' +
    'wrrd_after_unlink read_fault',
  t_vfsops: 'tmount tstatvfs tsync tfilehandle tfhremove tfhinval',
  t_full: 'fillfs',
  t_link: 'hardlink_{same,other,root}user hardlink_{same,other,root}user_sysctl',
  t_unpriv: 'owner dirperms times',
  t_ro: 'create rmfile createdir createfifo createsymlink createlink attrs fileio',
  t_rwtoro: 'noneopen readopen writeopen read_unlinked layer_{noneopen,readopen,writeopen,read_unlinked}',
  t_union: 'basic whiteout',
  t_renamerace: 'renamerace renamerace_dirs renamerace_cycle',
  t_rmdirrace: 'race',
  t_mtime_otrunc: 'otrunc_mtime_update',
  t_mtime_write: 'mtime_update_on_write',
  // tests/fs/ffs
  t_mount: '48Kimage fsbsizeovermaxphys fsbsize2big',
  t_fifos: 'fifos',
  t_extattr: 'extattr_simple extattr_create_unlink',
  t_snapshot: 'snapshot',
  t_snapshot_v2: 'snapshot',
  t_snapshot_log: 'snapshot',
  t_update_log: 'updaterwtolog updaterwtolog_async',
  t_quota2_1: 'quota_{40,1000}_{O1,O2}_{le,be} quota_40_{O1,O2}_log',
  t_quota2_remount: 'quota_10_O1_{le,be}',
  t_getquota: 'get_{le,be}_{1,2}_{user,group,both}',
  t_setquota:
    'set_{le,be}_{1,2}_{user,group,both} set_new_{le,be}_{1,2}_{user,group,both} set_default_{le,be}_{1,2}_{user,group,both}',
  t_clearquota: 'clear_{le,be}_{1,2}_{user,group,both}',
  t_quotalimit: '{limit,slimit,inolimit,sinolimit,herit_defq,herit_idefq}_le_1_{user,group}',
  t_miscquota:
    'walk_list_user psnapshot_user npsnapshot_user psnapshot_unconf_user npsnapshot_unconf_user log_unlink log_unlink_remount',
  // tests/rump/rumpvfs
  t_etfs: 'reregister_reg reregister_blk large_blk range_blk key',
  t_basic: 'lseekrv',
  t_p2kifs: 'makecn',
  // tests/rump/rumpkern
  t_lwproc: 'makelwp proccreds inherit lwps nolwprelease nolwp nullswitch',
  t_signals: 'sigraise sigignore sigpanic',
  t_modcmd: 'cmsg_modcmd',
  t_modlinkset: 'modlinkset',
  t_modautoload: 'modautoload',
  t_copy: 'copystr copyinstr copyoutstr copy_efault',
  t_vm: 'busypage uvmwait',
  t_kern: 'lockme_{MTX,RWDOUBLEX,RWRX,RWXR,DOUBLEINIT,DOUBLEFREE,DESTROYHELD,MEMFREE}',
  t_threads: 'threadjoin',
  t_tsleep: 'tsleep',
  t_workqueue: 'workqueue1 workqueue_wait workqueue_wait_pause',
  t_threadpool:
    'threadpool_{unbound,percpu}_lifecycle threadpool_{unbound,percpu}_schedule threadpool_job_cancel threadpool_job_cancelthrash',
  t_sp: 'basic stress_short stress_long stress_killer fork_simple fork_pipecomm fork_fakeauth sigsafe signal reconnect',
};

/** "t_vnops lookup_simple", …: as case titles begin. */
export const netbsdCases: readonly string[] = Object.entries(files).flatMap(([file, list]) =>
  list.split(' ').flatMap((pattern) => expand(pattern).map((name) => `${file} ${name}`)),
);

/** tests/fs/tmpfs: shell scripts, taken over by file (our titles begin with "tmpfs/t_create" and so on). */
export const netbsdTmpfsFiles: readonly string[] = (
  'create devices dots exec id_gen link mkdir mknod mount pipes read_write readdir remove rename renamerace rmdir ' +
  'setattr sizes sockets statvfs symlink times trail_slash truncate vnd vnode_leak'
)
  .split(' ')
  .map((name) => `tmpfs/t_${name}`);

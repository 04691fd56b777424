/** Credentials of a process: who asks. Numbers are the image's own ids. */
export interface Cred {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** The default identity: an image's owner can do everything to it. */
export const rootCred: Cred = { uid: 0, gid: 0, groups: [0] };

export const inGroup = (cred: Cred, gid: number): boolean => cred.gid === gid || cred.groups.includes(gid);

/**
 * Who may do what: the questions are kauth(9)'s, the answers those of the traditional BSD security model. Listeners can
 * only refuse further, as an added secmodel does.
 */
import { inGroup, type Cred } from './cred.ts';
import { FsError } from './errno.ts';

/** What the owner's, the group's and the others' bits of `mode` grant to `cred`; root passes, except to execute nothing. */
export function modeAllows(
  file: { readonly uid: number; readonly gid: number; readonly mode: number; readonly isDirectory: boolean },
  want: number,
  cred: Cred,
): boolean {
  if (cred.uid === 0) return (want & 1) === 0 || file.isDirectory || (file.mode & 0o111) !== 0;
  const shift = cred.uid === file.uid ? 6 : inGroup(cred, file.gid) ? 3 : 0;
  return ((file.mode >> shift) & want) === want;
}

/** Actions that need more than a file's mode. */
export type KauthAction =
  | { readonly action: 'mount' | 'unmount' | 'chroot' | 'mknod' | 'filehandle' | 'setcred' | 'linkdir' }
  | { readonly action: 'chmod' | 'utimes' | 'chflags' | 'extattr'; readonly owner: number }
  | { readonly action: 'chown'; readonly owner: number; readonly uid: number; readonly gid: number }
  | { readonly action: 'sticky'; readonly directoryOwner: number; readonly owner: number }
  | { readonly action: 'hardlink'; readonly owner: number; readonly gid: number };

type KauthListener = (cred: Cred, request: KauthAction) => 'deny' | 'defer';

export class Kauth {
  /** security.models.extensions.hardlink_check_uid / _gid: only owners (members) may add names to a file. */
  hardlinkCheckUid = false;
  hardlinkCheckGid = false;
  readonly #listeners: KauthListener[] = [];

  listen(listener: KauthListener): void {
    this.#listeners.push(listener);
  }

  /** EPERM when refused. */
  authorize(cred: Cred, request: KauthAction): void {
    const denied = this.#listeners.some((listener) => listener(cred, request) === 'deny');
    if (denied || !(cred.uid === 0 || this.#bsd44(cred, request))) throw new FsError('EPERM');
  }

  /** What the BSD model grants to someone who is not root. */
  #bsd44(cred: Cred, request: KauthAction): boolean {
    switch (request.action) {
      case 'chmod':
      case 'utimes':
      case 'chflags':
      case 'extattr':
        return cred.uid === request.owner;
      case 'chown':
        // An owner may give a file to one of their own groups, to nobody else.
        return cred.uid === request.owner && request.uid === request.owner && inGroup(cred, request.gid);
      case 'sticky':
        return cred.uid === request.directoryOwner || cred.uid === request.owner;
      case 'hardlink':
        return (
          (!this.hardlinkCheckUid || cred.uid === request.owner) &&
          (!this.hardlinkCheckGid || inGroup(cred, request.gid))
        );
      default:
        return false;
    }
  }
}

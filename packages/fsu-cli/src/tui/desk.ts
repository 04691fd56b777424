/** The browser's end of the other thread: places by their names, questions by theirs. */
import type { RemoteKernel, RemoteUkfs } from 'ukfs/remote';
import type { DeskServices, Entered } from './kernel/desk.ts';
import type { Place, PlaceId } from './model/state.ts';

export class DeskClient {
  readonly kernel: RemoteKernel;
  readonly #places = new Map<PlaceId, RemoteUkfs>();

  constructor(kernel: RemoteKernel) {
    this.kernel = kernel;
  }

  call<K extends keyof DeskServices>(
    name: K,
    args: Parameters<DeskServices[K]>,
    options: Parameters<RemoteKernel['call']>[2] = {},
  ): Promise<ReturnType<DeskServices[K]>> {
    return this.kernel.call(name, args, options);
  }

  async enter(id: PlaceId): Promise<Place> {
    const { place, opened }: Entered = await this.call('enter', [id]);
    this.#places.set(id, this.kernel.adopted(opened));
    return place;
  }

  /** The file system of a place that was entered. */
  async fs(id: PlaceId): Promise<RemoteUkfs> {
    if (!this.#places.has(id)) await this.enter(id);
    const fs = this.#places.get(id);
    if (fs === undefined) throw new Error(`${id} was not entered`);
    return fs;
  }
}

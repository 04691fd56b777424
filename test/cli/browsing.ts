/** The browser without a terminal: keys go into the real model, its questions to the real desk, on an image of the host. */
import { setImmediate as turn } from 'node:timers/promises';
import { nodeHost } from '@ukfs/kernel/host/node';
import { RemoteKernel, Server } from 'ukfs/remote';
import type { Channel, Message } from 'ukfs/remote';
import type { EditedCopy } from '../../packages/fsu-cli/src/host-editor.ts';
import { writeScript } from '../../packages/fsu-cli/src/host-script.ts';
import { processShell } from '../../packages/fsu-cli/src/host.ts';
import { Desk, reading } from '../../packages/fsu-cli/src/tui/kernel/desk.ts';
import { DeskClient } from '../../packages/fsu-cli/src/tui/desk.ts';
import { namesShown } from '../../packages/fsu-cli/src/tui/model/listing.ts';
import { beginning } from '../../packages/fsu-cli/src/tui/model/moving.ts';
import { newState } from '../../packages/fsu-cli/src/tui/model/newstate.ts';
import { activeTab } from '../../packages/fsu-cli/src/tui/model/state.ts';
import type { State } from '../../packages/fsu-cli/src/tui/model/state.ts';
import { lineInput } from '../../packages/fsu-cli/src/tui/model/lineinput.ts';
import { Runtime } from '../../packages/fsu-cli/src/tui/runtime.ts';

interface Pair {
  readonly client: Channel;
  readonly server: Channel;
  /** Names of calls that were sent and have no answer yet. */
  readonly unanswered: Map<number, string>;
}

/** Two ends in one thread; what is sent is cloned, as between threads. */
function channelPair(): Pair {
  const unanswered = new Map<number, string>();
  const queues: Message[][] = [[], []];
  const receivers: ((message: Message) => void)[] = [];
  const ends: ((why: Error | undefined) => void)[] = [];
  const deliver = (to: number): void => {
    const message = queues[to]?.shift();
    if (message !== undefined) receivers[to]?.(message);
  };
  const end = (me: number): Channel => ({
    send(message) {
      if (message.kind === 'call') unanswered.set(message.id, message.name);
      if (message.kind === 'result' || message.kind === 'failure') unanswered.delete(message.id);
      queues[1 - me]?.push(structuredClone(message));
      setImmediate(() => deliver(1 - me));
    },
    start(receive, ended) {
      receivers[me] = receive;
      ends[me] = ended;
    },
    poll: () => queues[me]?.shift(),
    close: () => ends[1 - me]?.(new Error('gone')),
  });
  return { client: end(0), server: end(1), unanswered };
}

/** What a person's editor makes of a file. */
export type Editor = (before: Uint8Array) => Uint8Array;

export class Browsing {
  readonly runtime: Runtime;
  readonly remote: RemoteKernel;
  readonly copied: string[] = [];
  readonly #server: Server;
  /** What was asked of the kernel's side and has no answer yet. */
  readonly unanswered: ReadonlyMap<number, string>;
  quitStatus: number | undefined;
  /** Called for each effect that asks for the editor. */
  editor: Editor = (before) => before;

  private constructor(image: string, server: Server, { client, unanswered }: Pair) {
    this.#server = server;
    this.unanswered = unanswered;
    this.remote = new RemoteKernel(client);
    const state = newState({ image, look: { colors: 0, unicode: true }, columns: 100, lines: 30 });
    this.runtime = new Runtime(state, {
      desk: new DeskClient(this.remote),
      quit: (status) => (this.quitStatus = status),
      suspend: () => undefined,
      copyText: (text) => this.copied.push(text),
      editor: { edit: (_, pieces) => this.#edit(pieces) },
      writeScript,
      keepBookmarks: () => undefined,
    });
  }

  static async open(words: readonly string[]): Promise<Browsing> {
    const pair = channelPair();
    const held: { server?: Server } = {};
    const desk = new Desk(() => held.server as Server, { ...processShell(), aliases: () => undefined });
    const server = new Server(pair.server, {
      host: nodeHost(),
      services: desk.services(),
      reading,
      turn: (act) => void setImmediate(act),
    });
    held.server = server;
    const browsing = new Browsing(words.at(-1) ?? '', server, pair);
    await browsing.remote.call('start', [words]);
    browsing.runtime.take(beginning(browsing.state));
    await browsing.settled();
    return browsing;
  }

  get state(): State {
    return this.runtime.state;
  }

  get names(): readonly string[] {
    return namesShown(activeTab(this.state));
  }

  get lines(): readonly string[] {
    return this.state.editing.staged.flatMap(({ lines }) => lines);
  }

  async #edit(pieces: AsyncIterable<Uint8Array>): Promise<EditedCopy> {
    const all: Uint8Array[] = [];
    for await (const piece of pieces) all.push(piece);
    const before = new Uint8Array(Buffer.concat(all));
    const after = this.editor(before);
    return {
      path: '',
      isChanged: Buffer.compare(before, after) !== 0,
      status: 0,
      contents: (max) => (after.length > max ? undefined : after),
      remove: () => undefined,
    };
  }

  /** Nothing is on its way. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 12;) {
      const before = this.state;
      await turn();
      const tab = activeTab(this.state);
      // A tab of what cannot be opened stays as it is.
      const isListing = this.unanswered.size > 0 && ((!tab.isComplete && tab.failure === undefined) || tab.isStale);
      const { screen } = this.state;
      const isReviewing = this.unanswered.size > 0 && screen.name === 'review' && screen.images === undefined;
      const isEntering = [...this.unanswered.values()].some((name) => name === 'nest' || name === 'enter');
      const isBusy = this.state.editing.token !== 0 || isListing || isReviewing || isEntering;
      quiet = this.state !== before || isBusy ? 0 : quiet + 1;
    }
  }

  press(key: string): void {
    this.runtime.dispatch({ kind: 'key', key });
  }

  async keys(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.press(key);
      await this.settled();
    }
  }

  /** In the place of what a line prompt holds; then Enter. */
  async answer(text: string): Promise<void> {
    const { prompt } = this.state;
    if (prompt?.kind !== 'line') throw new Error(`nothing is asked that ${JSON.stringify(text)} answers`);
    // A name that is no UTF-8 cannot be typed; it can be what was offered.
    this.runtime.take([{ ...this.state, prompt: { ...prompt, input: lineInput(text) } }, []]);
    await this.keys('enter');
  }

  /** The cursor on an entry. */
  on(name: string): void {
    const at = this.names.indexOf(name);
    if (at < 0) throw new Error(`${JSON.stringify(name)} is not among ${JSON.stringify(this.names)}`);
    this.press('home');
    for (let i = 0; i < at; i++) this.press('j');
  }

  /** The person's word, where it is asked for. */
  async allow(): Promise<void> {
    if (this.state.prompt?.purpose === 'allow') await this.keys('y');
  }

  close(): void {
    this.remote.close();
    this.#server.close();
  }
}

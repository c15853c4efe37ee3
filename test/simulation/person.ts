/** Somebody who wants to be in a Room or not, and comes again as often as it takes. */
import type { ClusterError, Role } from '@veilcast/protocol';
import type { GroupView } from './member.ts';
import { Stay, type Source } from './stay.ts';
import type { World } from './world.ts';

/** Waits between two tries to come: the first at once, then doubled up to the most. */
const BACKOFF_MS = { first: 250, most: 4_000 };

export interface PersonOptions {
  readonly name: string;
  readonly room: string;
  readonly region: string;
  readonly role: Role;
  readonly sources: readonly Source[];
}

export class Person {
  readonly name: string;
  readonly room: string;
  readonly role: Role;
  readonly sources: readonly Source[];
  /** Whether they want to be in. */
  wants = false;
  stay: Stay | undefined;
  readonly #world: World;
  readonly #region: string;
  readonly #keyOf: (view: GroupView, name: string) => void;
  #failures = 0;
  #tries = 0;

  constructor(world: World, options: PersonOptions, keyOf: (view: GroupView, name: string) => void) {
    const { name, room, role, sources, region } = options;
    this.name = name;
    this.room = room;
    this.role = role;
    this.sources = sources;
    this.#world = world;
    this.#region = region;
    this.#keyOf = keyOf;
  }

  /** In the Room as one that counts. */
  get present(): Stay | undefined {
    return this.stay?.admission === undefined || this.stay.isOver ? undefined : this.stay;
  }

  come(): void {
    if (this.wants) return;
    this.wants = true;
    this.#failures = 0;
    void this.#try((this.#tries += 1));
  }

  go(how: 'leave' | 'vanish'): void {
    this.#world.chronicle.note(`${this.name}: ${how}`);
    this.wants = false;
    this.#tries += 1;
    this.stay?.end(how);
  }

  reload(): void {
    this.#world.chronicle.note(`${this.name}: reload`);
    this.stay?.end('reload');
    void this.#try((this.#tries += 1));
  }

  lost(error: ClusterError): void {
    this.#world.chronicle.note(`${this.name} lost: ${error.code}`);
    this.#again((this.#tries += 1));
  }

  entered(view: GroupView): void {
    this.#keyOf(view, this.name);
  }

  #again(turn: number): void {
    const { clock, random } = this.#world;
    const most = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(this.#failures, 8));
    this.#failures += 1;
    clock.after(most * (0.5 + random.float()), () => void this.#try(turn));
  }

  async #try(turn: number): Promise<void> {
    if (!this.wants || turn !== this.#tries) return;
    const { sites, chronicle } = this.#world;
    const names = [...sites.keys()];
    const name = names[(this.#failures + this.#tries) % names.length] ?? '';
    let stay: Stay | undefined;
    try {
      stay = new Stay(this.#world, this, sites.get(name)!.site.mustListen);
      this.stay = stay;
      // A region without a node is asked for once.
      await stay.join(this.#failures === 0 ? this.#region : undefined);
      this.#failures = 0;
    } catch (error) {
      chronicle.note(`${this.name} does not come in: ${(error as ClusterError).code ?? String(error)}`);
      if (stay?.isOver === true || turn !== this.#tries) return;
      stay?.end('reload');
      this.#again(turn);
    }
  }
}

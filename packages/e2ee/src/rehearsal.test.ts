/** What is rehearsed is what an entry runs. */
import { describe, expect, it } from 'vitest';
import { library } from './fixture.ts';
import type { GroupLibrary } from './group.ts';
import { rehearse } from './rehearsal.ts';

/** The library, and what was asked of it. */
function watched(): { readonly library: GroupLibrary; readonly asked: string[] } {
  const asked: string[] = [];
  const told = new Proxy(library, {
    get(target, name) {
      asked.push(String(name));
      return Reflect.get(target, name) as unknown;
    },
  });
  return { library: told, asked };
}

describe('a rehearsal', () => {
  it('goes through an entry as both sides have it, gives way between its parts, and wipes what it made', async () => {
    const { library: told, asked } = watched();
    let turns = 0;
    await rehearse(told, async () => (turns += 1) > 0);
    expect(new Set(asked)).toEqual(
      new Set(['generateLeafKey', 'createGroup', 'joinGroup', 'epochKeys', 'applyCommit', 'discard']),
    );
    expect(turns).toBeGreaterThan(8);
  });

  it('ends when the real entry comes', async () => {
    const { library: told, asked } = watched();
    await rehearse(told, async () => false);
    expect(new Set(asked)).toEqual(new Set(['generateLeafKey', 'createGroup']));
  });
});

/** Whom a person has verified, by user and device key. A user with a mark for another key has changed (DESIGN §5, Verification). */
import { hexNameOf } from '@veilcast/e2ee/identity';
import { identityDb, type VerifiedMark } from './store.ts';

export type Verified = 'yes' | 'no' | 'changed';

export interface Marks {
  of(user: string, key: Uint8Array): Promise<Verified>;
  put(user: string, key: Uint8Array, verified: boolean): Promise<void>;
}

function judge(marks: readonly VerifiedMark[], key: string): Verified {
  if (marks.some((mark) => mark.key === key)) return 'yes';
  return marks.length > 0 ? 'changed' : 'no';
}

/** Kept by the browser. */
export const storedMarks: Marks = {
  async of(user, key) {
    return judge(await (await identityDb()).getAllFromIndex('verified', 'user', user), hexNameOf(key));
  },
  async put(user, key, verified) {
    const db = await identityDb();
    const name = `${user} ${hexNameOf(key)}`;
    if (verified) await db.put('verified', { user, key: hexNameOf(key), at: Date.now() }, name);
    else await db.delete('verified', name);
  },
};

/** For as long as the page: where the browser keeps nothing, and for tests. */
export function memoryMarks(): Marks {
  const marks = new Map<string, VerifiedMark>();
  return {
    of: async (user, key) =>
      judge(
        [...marks.values()].filter((mark) => mark.user === user),
        hexNameOf(key),
      ),
    async put(user, key, verified) {
      const name = `${user} ${hexNameOf(key)}`;
      if (verified) marks.set(name, { user, key: hexNameOf(key), at: 0 });
      else marks.delete(name);
    },
  };
}

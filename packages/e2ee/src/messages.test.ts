/** Application messages: opened once, by members alone, of lengths that say little. */
import type { PeerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApplicationMessage } from 'ts-mls/createMessage.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import vectors from '../vectors/epoch-mark.json' with { type: 'json' };
import { markOf, STATEMENT_BYTES, stateEpoch } from './epoch-mark.ts';
import { type Authority, groupOf, library, newAuthority, reasonOf, seeded } from './fixture.ts';
import { decodeMessage } from './framing.ts';
import type { GroupState } from './group.ts';
import { PLAINTEXT_MAX } from './messages.ts';
import { contentOf } from './state.ts';
import { libraryStateOf } from './testing/library-state.ts';
import { suiteImpl } from './suite.ts';

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

let authority: Authority;
let ada: GroupState;
let bob: GroupState;
let cyd: GroupState;
beforeAll(async () => {
  authority = await newAuthority();
});
beforeEach(async () => {
  const { states } = await groupOf(authority, ['ada', 'bob', 'cyd']);
  [ada, bob, cyd] = states as [GroupState, GroupState, GroupState];
});

describe('messages', () => {
  it('come out as they went in, with who sent them, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 6 }),
        fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
        async (said, order) => {
          const sealed = [];
          for (const plaintext of said) {
            const made = await library.seal(ada, plaintext);
            ada = library.adopt(ada, made.next);
            sealed.push(made.sealed);
          }
          const arriving = sealed
            .map((bytes, i) => ({ bytes, i }))
            .toSorted((a, b) => (order[a.i] ?? 0) - (order[b.i] ?? 0));
          for (const { bytes, i } of arriving) {
            const opened = await library.open(bob, bytes);
            bob = library.adopt(bob, opened.next);
            expect(opened).toMatchObject({ sender: 'ada', plaintext: said[i] });
          }
        },
      ),
      { numRuns: 15 },
    );
  });

  it('have one of five lengths', async () => {
    const lengths = new Set<number>();
    for (const length of [0, 1, 100, 180, 200, 900, 1000, 4000, 5000, 16_000, 20_000, PLAINTEXT_MAX]) {
      lengths.add((await library.seal(ada, new Uint8Array(length))).sealed.length);
    }
    expect(lengths.size).toBe(5);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(65_536);
    await expect(library.seal(ada, new Uint8Array(PLAINTEXT_MAX + 1))).rejects.toThrow(RangeError);
  });

  it('replayed: a second time', async () => {
    const { sealed } = await library.seal(ada, text('once'));
    const { next } = await library.open(bob, sealed);
    expect(await reasonOf(library.open(next, sealed))).toBe('replayed');
  });

  it('of the Epoch before still open, once, also if we made the Commit', async () => {
    const first = await library.seal(bob, text('before'));
    const second = await library.seal(library.adopt(bob, first.next), text('too'));
    const pending = await library.commitRemoval(ada, ['cyd' as PeerId]);
    const opened = await library.open(ada, first.sealed);
    const now = library.adopt(library.adopt(ada, opened.next), pending.next);
    expect(await reasonOf(library.open(now, first.sealed))).toBe('replayed');
    expect(await library.open(now, second.sealed)).toMatchObject({ sender: 'bob', plaintext: text('too') });
  });

  it('wrong-epoch: two Epochs back, or one that we have not reached', async () => {
    const { sealed } = await library.seal(bob, text('old'));
    const first = await library.commitRemoval(ada, []);
    const second = await library.commitRemoval(first.next, []);
    expect(await reasonOf(library.open(second.next, sealed))).toBe('wrong-epoch');
    const { sealed: ahead } = await library.seal(first.next, text('new'));
    expect(await reasonOf(library.open(bob, ahead))).toBe('wrong-epoch');
  });

  it('wrong-group, undecodable, not-allowed: other groups, other bytes, other messages', async () => {
    const { states } = await groupOf(authority, ['ada', 'bob', 'cyd']);
    const { sealed } = await library.seal(states[0], text('elsewhere'));
    expect(await reasonOf(library.open(bob, sealed))).toBe('wrong-group');
    const { commit } = await library.commitRemoval(ada, []);
    expect(await reasonOf(library.open(bob, commit))).toBe('not-allowed');
    const own = await library.seal(ada, text('no Commit'));
    expect(await reasonOf(library.applyCommit(bob, own.sealed))).toBe('not-allowed');
    const pick = seeded(13);
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from({ length: pick(150) }, () => pick(256));
      expect(await reasonOf(library.open(bob, bytes))).toBe('undecodable');
    }
  });

  it('refuses any changed bit, and opens the message after all those', async () => {
    const { sealed } = await library.seal(ada, text('whole'));
    for (let bit = 0; bit < sealed.length * 8; bit += 3) {
      const changed = sealed.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await reasonOf(library.open(bob, changed))).not.toMatch(/taken|threw/);
    }
    expect((await library.open(bob, sealed)).plaintext).toEqual(text('whole'));
  });
});

describe('a late message of the Epoch before', () => {
  it('is read, but not of who was removed since', async () => {
    const [ofBob, ofCyd] = [await library.seal(bob, text('bye')), await library.seal(cyd, text('still here'))];
    const removal = await library.commitRemoval(cyd, ['bob' as PeerId]);
    const now = library.adopt(ada, (await library.applyCommit(ada, removal.commit)).next);
    expect((await library.open(now, ofCyd.sealed)).sender).toBe('cyd');
    expect(await reasonOf(library.open(now, ofBob.sealed))).toBe('unknown-member');
  });
});

/** Two Commits of one Epoch, one shown to each. */
async function split(): Promise<{ here: GroupState; there: GroupState }> {
  const one = await library.commitRemoval(cyd, []);
  const other = await library.commitRemoval(bob, []);
  return { here: (await library.applyCommit(ada, one.commit)).next, there: other.next };
}

describe('the epoch mark', () => {
  it('forked: names who is in the other half of a group that was split, by its own signature', async () => {
    const { here, there } = await split();
    const { sealed } = await library.seal(there, text('anyone?'));
    await expect(library.open(here, sealed)).rejects.toMatchObject({ reason: 'forked', by: 'bob' });
    // Commits of the other half are not taken either.
    const next = await library.commitRemoval(there, []);
    expect(await reasonOf(library.applyCommit(here, next.commit))).toBe('bad-signature');
  });

  it('bad-signature: accuses nobody who did not sign it', async () => {
    const { here, there } = await split();
    const { sealed } = await library.seal(there, text('anyone?'));
    const message = decodeMessage(sealed);
    if (message?.wireformat !== 'mls_private_message') throw new Error('no message');
    const { authenticatedData } = message.privateMessage;
    for (const [at, reason] of [
      [3, 'bad-signature'],
      [0, 'unknown-member'],
      [8, 'bad-signature'],
      [STATEMENT_BYTES - 1, 'bad-signature'],
    ] as const) {
      const altered = authenticatedData.slice();
      altered[at] = (altered[at] ?? 0) ^ 1;
      const changed = { ...message.privateMessage, authenticatedData: altered };
      expect(await reasonOf(library.open(here, encodeMlsMessage({ ...message, privateMessage: changed })))).toBe(
        reason,
      );
    }
    const without = { ...message.privateMessage, authenticatedData: new Uint8Array(0) };
    const bytes = encodeMlsMessage({ ...message, privateMessage: without });
    expect(await reasonOf(library.open(here, bytes))).toBe('not-allowed');
  });

  it('not-allowed: a member who states the leaf of another', async () => {
    const mls = await libraryStateOf(bob);
    const statement = (await stateEpoch(contentOf(cyd).mls)).slice();
    const made = await createApplicationMessage(mls, text('I am Cyd'), await suiteImpl(), statement);
    const { privateMessage } = made;
    const bytes = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
    expect(await reasonOf(library.open(ada, bytes))).toBe('not-allowed');
  });

  it('is the same for all of an Epoch, and another in each', async () => {
    const { epochAuthenticator } = contentOf(ada).mls.keySchedule;
    expect(markOf(epochAuthenticator)).toEqual(markOf(contentOf(bob).mls.keySchedule.epochAuthenticator));
    const { next } = await library.commitRemoval(ada, []);
    expect(markOf(contentOf(next).mls.keySchedule.epochAuthenticator)).not.toEqual(markOf(epochAuthenticator));
  });

  it('is frozen', () => {
    expect(Buffer.from(markOf(new Uint8Array(64).fill(7))).toString('hex')).toBe(vectors.mark);
  });
});

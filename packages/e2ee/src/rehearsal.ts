/**
 * An entry between two people who do not exist: engines compile what is run, and the first entry of a page costs several times what
 * the next one does. Nothing of it is kept or leaves.
 */
import type { PeerId, RoomId } from '@veilcast/protocol';
import type { GroupLibrary, GroupSelf, VerifiedCredential } from './group.ts';
import { signatures } from './pq/index.ts';

/** Signatures that are checked at an entry: head, bundle, statement and revocations, for us and for who is there. */
const VERIFICATIONS = 8;
const CONTEXT = 'veilcast/1 rehearsal';

/**
 * @param goOn asked between the parts, which take some ten ms each: lets others have a turn, and ends it with false, since the real
 * thing has come
 */
export async function rehearse(library: GroupLibrary, goOn: () => Promise<boolean>): Promise<void> {
  const someone = async (name: string): Promise<GroupSelf> => {
    const leafKey = await library.generateLeafKey();
    return { roomId: 'rehearsal' as RoomId, peerId: name as PeerId, leafKey, credential: name, validate: anybody };
  };
  const first = await library.createGroup(await someone('first'));
  if (!(await goOn())) return;
  const { next, commit } = await library.joinGroup(await someone('second'), first.groupInfo);
  await library.epochKeys(next);
  if (!(await goOn())) return;
  const applied = await library.applyCommit(first.state, commit);
  for (const state of [next, applied.next]) library.discard(state);
  if (!(await goOn())) return;
  const key = await signatures.generate();
  const message = new Uint8Array(1);
  const signature = await key.sign(message, CONTEXT);
  for (let done = 0; done < VERIFICATIONS && (await goOn()); done++) {
    await signatures.verify(key.publicKey, message, signature, CONTEXT);
  }
}

async function anybody(credential: string): Promise<VerifiedCredential> {
  return { peerId: credential as PeerId };
}

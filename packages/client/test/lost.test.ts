/**
 * What a call bears: its socket is cut, and it goes on as the same Peer, with what was published and said. What a call leaves behind when it ends: nothing.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster, type ClusterLab } from './cluster.ts';

const LIMIT = { timeout: 60_000 };

/** Keeps every socket, peer connection and worker that the SDK makes, so that the test can cut and count them. */
const MODULE = `
const made = { sockets: [], paths: [], workers: 0, tokens: 0 };
const keep = (name, list, count) => {
  globalThis[name] = class extends globalThis[name] {
    constructor(...args) { super(...args); count ? (made.workers += 1) : list.push(this); }
    terminate() { made.workers -= 1; super.terminate(); }
  };
};
keep('WebSocket', made.sockets);
keep('RTCPeerConnection', made.paths);
keep('Worker', undefined, true);
const { connect } = await import('@veilcast/client');
const { url, token } = globalThis.example;
const call = await connect({ url, name: 'Somebody', token: () => { made.tokens += 1; return token; } });
const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
await call.publish(stream);
Object.assign(globalThis, { call, made });
`;

let lab: ClusterLab;

beforeAll(async () => {
  lab = await openCluster(MODULE);
});

afterAll(async () => {
  await lab?.close();
});

async function enter(room: string): Promise<Page> {
  const page = await lab.open(room);
  await page.waitForFunction('globalThis.call?.snapshot.encryption.state === "encrypted"', undefined, LIMIT);
  return page;
}

/** Until this page decodes a video of its only companion, who has a name by then. */
async function seesTheOther(page: Page): Promise<void> {
  await page.waitForFunction(
    `(() => {
      const [other, more] = call.snapshot.people;
      const camera = other?.tracks.find((track) => track.source === 'camera');
      return !more && other?.name === 'Somebody' && camera?.state === 'live';
    })()`,
    undefined,
    LIMIT,
  );
}

describe('a call', () => {
  it('goes on when its socket is cut, as the same Peer, and what is said meanwhile comes once', async () => {
    const [ada, bob] = [await enter('cut'), await enter('cut')];
    await Promise.all([seesTheOther(ada), seesTheOther(bob)]);
    await bob.evaluate('call.setMuted("microphone", true)');
    type Before = { peerId: string; sockets: number };
    const before = await bob.evaluate<Before>('({ peerId: call.snapshot.self.peerId, sockets: made.sockets.length })');
    await bob.evaluate('void (made.sockets.at(-1).close(), call.say("from Bob"))');
    await ada.evaluate('void call.say("to Bob")');
    await bob.waitForFunction(
      `made.sockets.length > ${before.sockets} && call.snapshot.state === 'joined' && call.snapshot.chat.length === 2`,
      undefined,
      LIMIT,
    );
    await ada.waitForFunction('call.snapshot.chat.length === 2', undefined, LIMIT);
    await Promise.all([seesTheOther(ada), seesTheOther(bob)]);
    const after = await bob.evaluate<{ muted: string[]; published: string[]; peerId: string }>('call.snapshot.self');
    expect(after.peerId).toBe(before.peerId);
    expect(after.published.toSorted()).toEqual(['camera', 'microphone']);
    expect(after.muted).toEqual(['microphone']);
    const [seen] = await ada.evaluate<{ peerId: string; tracks: { source: string; muted: boolean }[] }[]>(
      'call.snapshot.people.map(({ peerId, tracks }) => ({ peerId, tracks: tracks.map(({ source, muted }) => ({ source, muted })) }))',
    );
    expect(seen?.peerId).toBe(after.peerId);
    expect(seen?.tracks.find(({ source }) => source === 'microphone')?.muted).toBe(true);
    // No new place was taken: neither a token nor keys.
    expect(await bob.evaluate('made.tokens')).toBe(1);
    const texts = await Promise.all(
      [ada, bob].map((page) => page.evaluate<string[]>('call.snapshot.chat.map(({ text }) => text).toSorted()')),
    );
    expect(texts).toEqual([
      ['from Bob', 'to Bob'],
      ['from Bob', 'to Bob'],
    ]);
    const codes = await Promise.all([ada, bob].map((page) => page.evaluate<string>('call.snapshot.encryption.code')));
    expect(codes[0]).toBe(codes[1]);
    await Promise.all([ada, bob].map((page) => page.context().close()));
  });

  it('leaves nothing behind: no socket, no path, no worker, no track that somebody still sees', async () => {
    const [ada, bob] = [await enter('leave'), await enter('leave')];
    await Promise.all([seesTheOther(ada), seesTheOther(bob)]);
    await bob.evaluate('call.leave()');
    const left = await bob.evaluate<Record<string, unknown>>(`({
      state: call.snapshot.state,
      sockets: made.sockets.filter((socket) => socket.readyState < WebSocket.CLOSING).length,
      paths: made.paths.filter((path) => path.connectionState !== 'closed').length,
      workers: made.workers,
      tracks: call.snapshot.people.flatMap(({ tracks }) => tracks).length,
    })`);
    expect(left).toEqual({ state: 'ended', sockets: 0, paths: 0, workers: 0, tracks: 0 });
    await ada.waitForFunction('call.snapshot.people.length === 0', undefined, LIMIT);
    await expect(bob.evaluate('call.say("too late")')).rejects.toThrow();
    await Promise.all([ada, bob].map((page) => page.context().close()));
  });
});

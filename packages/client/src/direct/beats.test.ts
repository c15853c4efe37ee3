import { virtualClock } from '@veilcast/testkit';
import { expect, it } from 'vitest';
import { Beats, SILENT_MS } from './beats.ts';

/** The other end's beats come as they are played. */
function open() {
  const clock = virtualClock();
  const channel: Partial<RTCDataChannel> = { readyState: 'open', send: () => undefined };
  const connection = { createDataChannel: () => channel } as unknown as RTCPeerConnection;
  let silent = 0;
  const beats = new Beats(connection, clock, () => void (silent += 1));
  const come = (): void => channel.onmessage?.call(channel as RTCDataChannel, new MessageEvent('message'));
  const beat = async (times: number, everyMs: number): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      await clock.advance(everyMs);
      come();
    }
  };
  beats.start();
  return { beats, beat, clock, silent: () => silent > 0 };
}

it('a path that beats evenly is given up when it is silent for longer than a word', async () => {
  const { beat, clock, silent } = open();
  await beat(100, 100);
  await clock.advance(SILENT_MS - 100);
  expect(silent()).toBe(false);
  await clock.advance(300);
  expect(silent()).toBe(true);
});

it('one whose other end is busy is waited for as much longer as its pauses are, and not for ever', async () => {
  const { beat, clock, silent } = open();
  await beat(30, 500);
  await clock.advance(1_300);
  expect(silent()).toBe(false);
  await clock.advance(400);
  expect(silent()).toBe(true);

  const busier = open();
  for (const pause of [600, 900, 1_300, 1_500]) await busier.beat(1, pause);
  expect(busier.silent()).toBe(false);
  await busier.clock.advance(2_800);
  expect(busier.silent()).toBe(true);
});

it('pauses are forgotten', async () => {
  const { beat, clock, silent } = open();
  await beat(10, 500);
  await beat(300, 100);
  await clock.advance(SILENT_MS + 200);
  expect(silent()).toBe(true);
});

it('a path that is closed is never silent', async () => {
  const { beats, clock, silent } = open();
  beats.close();
  await clock.advance(10_000);
  expect([silent(), clock.pending()]).toEqual([false, 0]);
});

/** What befalls a TURN server: floods, death, drain, and the end. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { registrationPrefix } from '@veilcast/control';
import { allocateRequest, TurnClient } from '@veilcast/turn/client';
import { openSite, type Site } from './site.ts';

const WAIT = { timeout: 30_000, interval: 50 };

let site: Site;
const clients: TurnClient[] = [];

beforeEach(async () => {
  site = await openSite();
  await vi.waitUntil(() => site.server.ready(), WAIT);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await site.close();
});

async function relaying(): Promise<TurnClient> {
  const client = await TurnClient.open('udp', site.plain);
  clients.push(client);
  await client.allocate(site.credential());
  await client.permit(site.echo);
  return client;
}

const registered = async (): Promise<number> => (await site.directory.list(registrationPrefix('turn'))).length;

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('killed, it is started again, and nobody is sent to it meanwhile', async () => {
  const first = site.server.pid ?? Number.NaN;
  process.kill(first, 'SIGKILL');
  await expect.poll(registered, { ...WAIT, interval: 5 }).toBe(0);
  await expect.poll(registered, WAIT).toBe(1);
  expect(site.server.pid).not.toBe(first);
  expect(await site.figure('deaths_total')).toBe(1);
  await relaying();
});

it('that hangs is killed and started again', async () => {
  const first = site.server.pid ?? Number.NaN;
  process.kill(first, 'SIGSTOP');
  await expect.poll(() => site.server.pid, WAIT).not.toBe(first);
  await expect.poll(() => site.server.ready(), WAIT).toBe(true);
  expect(isRunning(first)).toBe(false);
});

it('drained, it lets nobody in, and those who are in finish', async () => {
  const going = await relaying();
  await expect.poll(() => site.server.allocations, WAIT).toBe(1);
  const drained = site.server.drain();
  let isOver = false;
  void drained.then(() => (isOver = true));
  await expect.poll(registered, WAIT).toBe(0);
  await expect(relaying()).rejects.toMatchObject({ code: 401 });
  let heard = 0;
  going.onRelayed = () => (heard += 1);
  await going.refresh(600);
  await expect
    .poll(() => {
      going.sendTo(site.echo, Buffer.from('still here'));
      return heard;
    }, WAIT)
    .toBeGreaterThan(3);
  expect(isOver).toBe(false);
  await going.refresh(0);
  expect(await drained).toBe(true);
});

it('a flood of 2,000 tries a second from one address leaves what another has alone', async () => {
  const [seconds, everyMs] = [3, 20];
  const victim = await relaying();
  const calm = await lossOf(victim, 50, everyMs);
  const flood = createSocket('udp4');
  const tries = { sent: 0, answered: 0 };
  flood.on('message', () => (tries.answered += 1));
  flood.connect(site.plain.port, site.plain.ip);
  await once(flood, 'connect');
  const began = performance.now();
  const timer = setInterval(() => {
    const due = Math.min((performance.now() - began) / 1_000, seconds) * 2_000;
    for (; tries.sent < due; tries.sent++) flood.send(allocateRequest(randomBytes(12)));
  }, 5);
  const flooded = await lossOf(victim, (seconds * 1_000) / everyMs, everyMs);
  clearInterval(timer);
  flood.close();
  console.log(
    `flood: ${tries.sent} tries, ${tries.answered} answers; packets of the other call lost ${flooded.lost} of ${flooded.sent}, ` +
      `slowest ${flooded.slowestMs.toFixed(0)} ms (before the flood ${calm.slowestMs.toFixed(0)} ms)`,
  );
  expect(tries.sent).toBeGreaterThan(2_000);
  expect(flooded.lost).toBe(0);
  expect(site.server.allocations).toBe(1);
});

it('ends with its keeper and leaves nothing, also when its keeper is killed', async () => {
  const pid = site.server.pid ?? Number.NaN;
  await site.server.close();
  await expect.poll(() => isRunning(pid), WAIT).toBe(false);

  // In the place of coturn another program that takes `-c` and never ends by itself.
  const script = `
    const { Coturn } = await import(${JSON.stringify(new URL('../src/coturn.ts', import.meta.url).href)});
    const { systemClock: clock } = await import('@veilcast/node-kit');
    const configFile = 'while :; do sleep 0.2; done';
    const keeper = new Coturn({ program: 'sh', configFile, clock, line() {}, died() {} });
    console.log(keeper.pid);`;
  const keeper = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(keeper.stdout.setEncoding('utf8'), 'data')) as [string];
  const kept = Number(line);
  expect(isRunning(kept)).toBe(true);
  keeper.kill('SIGKILL');
  await expect.poll(() => isRunning(kept), WAIT).toBe(false);
});

/** Sends so many packets to the echo, one each `everyMs`, and sees which come back. */
async function lossOf(client: TurnClient, count: number, everyMs: number) {
  const sentAt = new Map<number, number>();
  let slowestMs = 0;
  client.onRelayed = ({ bytes }) => {
    const number = bytes.readUInt32BE(0);
    slowestMs = Math.max(slowestMs, performance.now() - (sentAt.get(number) ?? 0));
    sentAt.delete(number);
  };
  for (let number = 0; number < count; number++) {
    const packet = Buffer.alloc(160);
    packet.writeUInt32BE(number, 0);
    sentAt.set(number, performance.now());
    client.sendTo(site.echo, packet);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  await vi.waitUntil(() => sentAt.size === 0, { timeout: 2_000, interval: 20 }).catch(() => undefined);
  return { sent: count, lost: sentAt.size, slowestMs };
}

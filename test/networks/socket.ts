/** A UDP socket on a host of a lab. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Host } from '@veilcast/testkit/lab';

const PROGRAM = fileURLToPath(new URL('datagrams.ts', import.meta.url));

export interface Got {
  readonly address: string;
  readonly port: number;
  readonly text: string;
  /** ms on the far program's own clock. */
  readonly at: number;
}

export interface Datagrams {
  readonly port: number;
  send(address: string, port: number, text: string): void;
  /** The first that pleases, also of those that came before; undefined when there is none within so many ms. */
  got(pleases: (one: Got) => boolean, withinMs?: number): Promise<Got | undefined>;
  readonly all: readonly Got[];
}

const LOOK_EVERY_MS = 5;

export async function openDatagrams(host: Host, family: 'udp4' | 'udp6' = 'udp4'): Promise<Datagrams> {
  const child = host.spawn(process.execPath, [PROGRAM, family], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const [first] = (await once(lines, 'line')) as [string];
  const all: Got[] = [];
  lines.on('line', (line) => {
    const words = line.split(' ');
    const [, address = '', port = ''] = words;
    all.push({ address, port: Number(port), text: words.slice(3, -1).join(' '), at: Number(words.at(-1)) });
  });
  const { stdin } = child as unknown as { stdin: NodeJS.WritableStream };
  return {
    port: Number(first.split(' ')[1]),
    all,
    send: (address, port, text) => void stdin.write(`send ${address} ${port} ${text.replaceAll(' ', '+')}\n`),
    async got(pleases, withinMs = 5_000) {
      const deadline = performance.now() + withinMs;
      for (;;) {
        const found = all.find(pleases);
        if (found || performance.now() > deadline) return found;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    },
  };
}
